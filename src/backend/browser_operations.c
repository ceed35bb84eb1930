/* What a source must be asked for: read the request, one call of its handle. */
#include "backend/browser_bodies.h"
#include "backend/browser_private.h"
#include "bytes/base64.h"
#include "bytes/sha256.h"
#include "check.h"
#include "codec/ws/handshake.h"
#include "wire/command_json.h"

enum { KEY_BYTES_MAX = 128, PAGE_ITEMS_MAX = 200 };

/* ---- lists and details ---- */

void wr_browser_serve_workers(struct wr_browser_request *request)
{
	const struct wr_registry *registry = request->face->config.registry;

	wr_browser_call_lists(request->face, request->exchange, registry->handles, registry->count);
}

void wr_browser_serve_runtime_workers(struct wr_browser_request *request)
{
	wr_browser_call_lists(request->face, request->exchange, &request->handle, 1);
}

void wr_browser_serve_host_workers(struct wr_browser_request *request)
{
	wr_browser_serve_runtime_workers(request);
}

void wr_browser_serve_worker(struct wr_browser_request *request)
{
	struct wr_source_call call = {.operation = WR_SOURCE_DETAIL, .worker_id = request->ids[1]};

	wr_browser_call(request->face, request->exchange, request->handle, &call);
}

void wr_browser_serve_transcript(struct wr_browser_request *request)
{
	struct wr_source_call call = {.operation = WR_SOURCE_TRANSCRIPT,
				      .worker_id = request->ids[1]};
	uint32_t limit_max = request->face->config.list_limit;
	struct wr_page_query query;

	if (wr_transcript_query_read(&query, request->exchange->target.query) != WR_OK) {
		wr_browser_refuse_wire(request->exchange, WR_WIRE_INVALID_QUERY);
		return;
	}
	if (query.has_limit)
		limit_max = PAGE_ITEMS_MAX;
	call.as.page.start = query.start;
	call.as.page.limit = query.limit < limit_max ? (uint32_t)query.limit : limit_max;
	wr_browser_call(request->face, request->exchange, request->handle, &call);
}

/* ---- Idempotency-Key ---- */

static bool is_key(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++)
		if (text.data[i] < 0x21 || text.data[i] > 0x7e)
			return false;
	return text.bytes > 0 && text.bytes <= KEY_BYTES_MAX;
}

bool wr_browser_check_key(struct wr_browser_request *request)
{
	struct wr_view key = request->exchange->head->idempotency_key;

	if (key.data == NULL || is_key(key))
		return true;
	wr_browser_refuse_wire(request->exchange, WR_WIRE_INVALID_IDEMPOTENCY_KEY);
	return false;
}

/* What a source is told. To a Runtime all browsers are one caller, so who asks, and what for, must
 * be in the key itself; and it must have the length of a key, so it is a hash. The parts are kept
 * apart by NULs, which none of them has. */
struct scoped_key {
	char text[sizeof "browser-" - 1 + WR_BASE64URL_BYTES(WR_SHA256_BYTES)];
};

static struct wr_view scope_key(struct scoped_key *out, const struct wr_browser_request *request)
{
	const struct wr_http_exchange *exchange = request->exchange;
	const struct wr_http_head *head = exchange->head;
	const struct wr_view prefix = WR_VIEW("browser-");
	const struct wr_view parts[] = {wr_guard_name(request->face->config.guard, head),
					head->method_text, exchange->target.path,
					head->idempotency_key};
	uint8_t digest[WR_SHA256_BYTES];
	struct wr_sha256 hash;

	if (head->idempotency_key.data == NULL)
		return WR_VIEW_NULL;
	wr_sha256_init(&hash);
	for (size_t i = 0; i < WR_COUNT(parts); i++) {
		wr_sha256_feed(&hash, parts[i]);
		wr_sha256_feed(&hash, wr_view_of("", 1));
	}
	wr_sha256_finish(&hash, digest);
	memcpy(out->text, prefix.data, prefix.bytes);
	wr_base64url_encode(out->text + prefix.bytes, digest, sizeof digest);
	return wr_view_of(out->text, sizeof out->text);
}

/* ---- commands ---- */

/* WR_OK: true. A body of the wrong kind is 422, one that is no JSON 400 (contract 8.5). */
static bool check_body(struct wr_browser_request *request, enum wr_status status,
		       const struct wr_error *error)
{
	struct wr_browser_error refusal;

	if (status == WR_OK)
		return true;
	if (status == WR_NO_MEMORY) {
		wr_browser_refuse_wire(request->exchange, WR_WIRE_OVERLOADED);
		return false;
	}
	refusal = status == WR_INVALID ? wr_browser_error_of(WR_BROWSER_WRONG_BODY)
				       : wr_browser_error_of_wire(WR_WIRE_INVALID_JSON);
	if (error->detail != NULL)
		refusal.message = error->detail;
	wr_browser_refuse(request->exchange, &refusal, WR_VIEW_NULL);
	return false;
}

/* What the policy lets pass is asked of the source. */
static void command(struct wr_browser_request *request, struct wr_source_call *call,
		    const char *operation)
{
	const struct wr_policy *policy = request->face->config.policy;
	struct wr_policy_command command = {
		.runtime_id = request->handle->runtime_id,
		.worker_id = request->ids[1],
		.operation = operation,
		.caller = wr_guard_name(request->face->config.guard, request->exchange->head),
		.content =
			call->operation == WR_SOURCE_INPUT ? call->as.input.content : WR_VIEW_NULL,
	};
	struct scoped_key key;

	if (policy->on_command != NULL &&
	    policy->on_command(policy->context, &command) != WR_POLICY_PASS) {
		wr_browser_refuse_name(request->exchange, WR_BROWSER_DENIED, WR_VIEW_NULL);
		return;
	}
	call->worker_id = request->ids[1];
	call->idempotency_key = scope_key(&key, request);
	wr_browser_call(request->face, request->exchange, request->handle, call);
}

void wr_browser_serve_spawn(struct wr_browser_request *request)
{
	struct wr_source_call call = {.operation = WR_SOURCE_SPAWN};
	struct wr_error error;
	enum wr_status status =
		wr_browser_spawn_read(&call.as.spawn, &request->face->texts, request->body, &error);

	if (check_body(request, status, &error))
		command(request, &call, "spawn");
}

void wr_browser_serve_input(struct wr_browser_request *request)
{
	struct wr_source_call call = {.operation = WR_SOURCE_INPUT};
	struct wr_browser_input input;
	struct wr_error error;
	enum wr_status status =
		wr_browser_input_read(&input, &request->face->texts, request->body, &error);

	call.as.input.is_system = input.is_system;
	call.as.input.content = input.content;
	if (check_body(request, status, &error))
		command(request, &call, "input");
}

static void serve_lifecycle(struct wr_browser_request *request,
			    enum wr_source_operation source_operation, const char *operation)
{
	struct wr_source_call call = {.operation = source_operation};
	struct wr_error error;
	enum wr_status status = wr_browser_lifecycle_read(&call.as.reason, &request->face->texts,
							  request->body, &error);

	if (check_body(request, status, &error))
		command(request, &call, operation);
}

void wr_browser_serve_stop(struct wr_browser_request *request)
{
	serve_lifecycle(request, WR_SOURCE_STOP, "stop");
}

void wr_browser_serve_cancel(struct wr_browser_request *request)
{
	serve_lifecycle(request, WR_SOURCE_CANCEL, "cancel");
}

void wr_browser_serve_interrupt(struct wr_browser_request *request)
{
	serve_lifecycle(request, WR_SOURCE_INTERRUPT, "interrupt");
}

/* ---- config bundles ---- */

void wr_browser_serve_store_bundle(struct wr_browser_request *request)
{
	struct wr_source_call call = {.operation = WR_SOURCE_STORE_BUNDLE};
	struct wr_error error;
	enum wr_status status =
		wr_bundle_json_read(&call.as.bundle, &request->face->texts, request->body, &error);

	if (check_body(request, status, &error))
		command(request, &call, "store_config_bundle");
}

void wr_browser_serve_availability(struct wr_browser_request *request)
{
	struct wr_source_call call = {.operation = WR_SOURCE_BUNDLE_AVAILABILITY,
				      .as.available.id = request->ids[1]};
	enum wr_status status = wr_digest_query_read(
		&call.as.available.digest, &request->face->texts, request->exchange->target.query);

	if (status == WR_OK && wr_config_digest_is_valid(call.as.available.digest))
		wr_browser_call(request->face, request->exchange, request->handle, &call);
	else
		wr_browser_refuse_wire(request->exchange, status == WR_OK || status == WR_INVALID
								  ? WR_WIRE_INVALID_QUERY
								  : WR_WIRE_OVERLOADED);
}

/* ---- streams ---- */

/* RFC 9110 15.5.22 wants Upgrade, RFC 6455 4.2.2 the version that is spoken here. */
static void refuse_handshake(struct wr_http_exchange *exchange, enum wr_ws_handshake_fault fault)
{
	if (fault == WR_WS_HANDSHAKE_KEY) {
		wr_browser_refuse_wire(exchange, WR_WIRE_BAD_REQUEST);
		return;
	}
	wr_http_answer_field(exchange, WR_VIEW("Connection"), WR_VIEW("Upgrade"));
	wr_http_answer_field(exchange, WR_VIEW("Upgrade"), WR_VIEW("websocket"));
	wr_http_answer_field(exchange, WR_VIEW("Sec-WebSocket-Version"), WR_VIEW("13"));
	wr_browser_refuse_wire(exchange, WR_WIRE_UPGRADE_REQUIRED);
}

/* Bytes of a body would be taken for the new protocol's. */
static bool has_body(const struct wr_http_head *head)
{
	return head->framing != WR_HTTP_FRAMING_NONE &&
	       (head->framing != WR_HTTP_FRAMING_LENGTH || head->body_bytes != 0);
}

bool wr_browser_check_upgrade(struct wr_browser_request *request)
{
	const struct wr_http_head *head = request->exchange->head;
	enum wr_ws_handshake_fault fault = wr_ws_handshake_check(head);

	if (fault != WR_WS_HANDSHAKE_OK) {
		refuse_handshake(request->exchange, fault);
		return false;
	}
	if (has_body(head)) {
		wr_browser_refuse_wire(request->exchange, WR_WIRE_BAD_REQUEST);
		return false;
	}
	return true;
}

void wr_browser_serve_events(struct wr_browser_request *request)
{
	struct wr_runtime_handle *handle = request->handle;
	struct wr_view cursor;
	enum wr_status status;

	if (handle->ops->observe == NULL) {
		wr_browser_refuse_name(request->exchange, WR_BROWSER_NO_STREAM, request->ids[0]);
		return;
	}
	status = wr_cursor_query_read(&cursor, &request->face->texts,
				      request->exchange->target.query);
	if (status != WR_OK) {
		wr_browser_refuse_wire(request->exchange, status == WR_INVALID
								  ? WR_WIRE_INVALID_QUERY
								  : WR_WIRE_OVERLOADED);
		return;
	}
	handle->ops->observe(handle, request->exchange, request->ids[1], cursor);
}
