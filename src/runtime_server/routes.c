#include "runtime_server/routes.h"

#include "check.h"
#include "codec/http/target.h"
#include "io/log.h"
#include "wire/paths.h"
#include "wire/worker_json.h"

enum {
	/* What a scratch buffer may keep between requests. */
	TEXT_BYTES_KEPT = 65536,
	/* Bodies that are still read when memory runs short (reliability 8), and when that is. */
	SHORT_BODY_BYTES_MAX = 65536,
	SHORT_PERCENT = 90
};

/* ---- the id in a path ---- */

/* Decodes it. False, and answered, when it is not UTF-8. */
static bool read_worker_id(struct wr_request *request)
{
	struct wr_buf *text = &request->server->id_text;
	struct wr_view raw = request->exchange->match.parameters[0];
	size_t bytes;
	char *out;

	request->worker_id = raw;
	if (WR_LIKELY(raw.bytes == 0 || memchr(raw.data, '%', raw.bytes) == NULL))
		return true;
	wr_buf_reset(text);
	out = wr_buf_reserve(text, raw.bytes);
	if (out == NULL) {
		wr_refuse(request, WR_WIRE_OVERLOADED, WR_VIEW_NULL);
		return false;
	}
	if (wr_http_percent_decode(out, &bytes, raw, false) != WR_OK) {
		wr_refuse(request, WR_WIRE_INVALID_WORKER_ID, WR_VIEW("the id is not valid UTF-8"));
		return false;
	}
	request->worker_id = wr_view_of(out, bytes);
	return true;
}

/* ---- the Runtime itself ---- */

/* Nothing of it changes but with the log, and with the store under it, so it is written once for
 * all who ask in between. */
static void serve_runtime(struct wr_request *request)
{
	struct wr_server *server = request->server;
	struct wr_buf *text = &server->runtime_text;
	struct wr_runtime_summary summary;

	wr_runtime_summary(server->runtime, &summary);
	if (wr_storage_has_changed(&server->storage) || text->bytes == 0 ||
	    server->runtime_text_sequence != summary.last_sequence) {
		struct wr_store_report report;

		wr_storage_report(&server->storage, &report);
		wr_buf_reset(text);
		wr_runtime_json_write(text, server->runtime, &report,
				      (enum wr_compat)server->config->compat, server->is_draining);
		server->runtime_text_sequence = summary.last_sequence;
	}
	if (wr_buf_status(text) == WR_OK) {
		wr_http_answer(request->exchange, 200, wr_buf_view(text));
		return;
	}
	wr_buf_deinit(text);
	wr_refuse(request, WR_WIRE_OVERLOADED, WR_VIEW_NULL);
}

static void serve_healthz(struct wr_request *request)
{
	wr_http_answer(request->exchange, 200, WR_VIEW("{\"status\":\"ok\"}"));
}

static void serve_readyz(struct wr_request *request)
{
	if (request->server->is_draining)
		wr_refuse(request, WR_WIRE_RUNTIME_UNAVAILABLE, WR_VIEW_NULL);
	else if (wr_storage_has_failed(&request->server->storage))
		wr_refuse(request, WR_WIRE_RUNTIME_UNAVAILABLE,
			  WR_VIEW("the store has failed: start again when its disk is well"));
	else
		serve_healthz(request);
}

/* ---- the table ---- */

enum {
	RULE_WORKER = 1,  /* the path names a Worker */
	RULE_COMMAND = 2, /* has a body and changes something */
	RULE_JSON = 4,	  /* its body must be said to be JSON */
	RULE_GROWS = 8,	  /* makes something that stays: not when memory runs short */
	RULE_STREAM = 16  /* GET only, never HEAD */
};

struct rule {
	wr_route_fn *serve;
	uint8_t may; /* what the caller needs; 0: nothing, not even a token */
	uint8_t flags;
};

static const struct rule rules[] = {
	[WR_ROUTE_RUNTIME] = {serve_runtime, WR_MAY_OBSERVE, 0},
	[WR_ROUTE_WORKER_LIST] = {wr_serve_worker_list, WR_MAY_OBSERVE, 0},
	[WR_ROUTE_WORKER_CREATE] = {wr_serve_worker_create, WR_MAY_COMMAND,
				    RULE_COMMAND | RULE_JSON | RULE_GROWS},
	[WR_ROUTE_WORKER_DETAIL] = {wr_serve_worker_detail, WR_MAY_OBSERVE, RULE_WORKER},
	[WR_ROUTE_WORKER_INPUT] = {wr_serve_worker_input, WR_MAY_COMMAND,
				   RULE_WORKER | RULE_COMMAND | RULE_JSON},
	[WR_ROUTE_WORKER_STOP] = {wr_serve_worker_stop, WR_MAY_COMMAND, RULE_WORKER | RULE_COMMAND},
	[WR_ROUTE_WORKER_CANCEL] = {wr_serve_worker_cancel, WR_MAY_COMMAND,
				    RULE_WORKER | RULE_COMMAND},
	[WR_ROUTE_WORKER_INTERRUPT] = {wr_serve_worker_interrupt, WR_MAY_COMMAND,
				       RULE_WORKER | RULE_COMMAND},
	[WR_ROUTE_WORKER_TRANSCRIPT] = {wr_serve_worker_transcript, WR_MAY_OBSERVE, RULE_WORKER},
	[WR_ROUTE_WORKER_EVENTS] = {wr_serve_worker_events, WR_MAY_OBSERVE,
				    RULE_WORKER | RULE_STREAM},
	[WR_ROUTE_RUNTIME_EVENTS] = {wr_serve_runtime_events, WR_MAY_OBSERVE, RULE_STREAM},
	[WR_ROUTE_HEALTHZ] = {serve_healthz, 0, 0},
	[WR_ROUTE_READYZ] = {serve_readyz, 0, 0},
	[WR_ROUTE_BUNDLE_LIST] = {wr_serve_bundle_list, WR_MAY_OBSERVE, 0},
	[WR_ROUTE_BUNDLE_STORE] = {wr_serve_bundle_store, WR_MAY_COMMAND,
				   RULE_COMMAND | RULE_JSON | RULE_GROWS},
	[WR_ROUTE_BUNDLE_AVAILABILITY] = {wr_serve_bundle_availability, WR_MAY_OBSERVE, 0},
};

/* ---- the checks ---- */

/* 401, with a line for the one who runs this: somebody may be trying keys. */
static void refuse_credential(struct wr_request *request)
{
	char peer[WR_ADDRESS_TEXT_BYTES_MAX];
	size_t bytes = wr_address_format(peer, request->exchange->peer);

	WR_LOG(WR_LOG_WARNING, "unauthorized", WR_LOG_TEXT("peer", wr_view_of(peer, bytes)));
	wr_refuse(request, WR_WIRE_UNAUTHORIZED, WR_VIEW_NULL);
}

static void refuse_method(struct wr_request *request, const char *allow)
{
	wr_http_answer_field(request->exchange, WR_VIEW("Allow"), wr_view_of_string(allow));
	wr_refuse(request, WR_WIRE_METHOD_NOT_ALLOWED, WR_VIEW_NULL);
}

/* The rule of a request that may be served; NULL, and answered, otherwise. */
static const struct rule *admit(struct wr_request *request)
{
	struct wr_http_exchange *exchange = request->exchange;
	const struct wr_http_head *head = exchange->head;
	struct wr_http_match *match = &exchange->match;
	const struct rule *rule = NULL;
	enum wr_wire_error error;
	enum wr_status found;
	unsigned may;

	if (!wr_guard_admits(&request->server->guard, head, &error)) {
		wr_refuse(request, error, WR_VIEW_NULL);
		return NULL;
	}
	found = wr_http_route_find(match, wr_routes, wr_route_count, head->method,
				   exchange->target.path);
	if (found == WR_OK) {
		wr_assert((size_t)match->handler < WR_COUNT(rules));
		rule = &rules[match->handler];
		if (rule->may == 0)
			return rule;
	}
	may = wr_guard_may(&request->server->guard, head);
	if (may == 0) {
		refuse_credential(request);
		return NULL;
	}
	exchange->is_authenticated = true;
	if (found == WR_NOT_FOUND)
		wr_refuse(request, WR_WIRE_ROUTE_NOT_FOUND, WR_VIEW_NULL);
	else if (found != WR_OK)
		refuse_method(request, match->allow);
	else if ((rule->flags & RULE_STREAM) != 0 && head->method != WR_HTTP_METHOD_GET)
		refuse_method(request, "GET");
	else if ((may & rule->may) == 0)
		wr_refuse(request, WR_WIRE_FORBIDDEN_SCOPE, WR_VIEW_NULL);
	else
		return rule;
	return NULL;
}

/* When memory runs short what would make it shorter is refused before it is read. */
static bool is_too_much(const struct wr_server *server, const struct rule *rule,
			const struct wr_http_head *head)
{
	if (WR_LIKELY(!wr_allocator_is_above(&server->allocator, SHORT_PERCENT)))
		return false;
	return (rule->flags & RULE_GROWS) != 0 || head->framing == WR_HTTP_FRAMING_CHUNKED ||
	       head->body_bytes > SHORT_BODY_BYTES_MAX ||
	       wr_allocator_is_above(&server->allocator, 100);
}

/* What can be said about a command before its body is there. False: answered. */
static bool check_command(struct wr_request *request, const struct rule *rule)
{
	const struct wr_http_head *head = request->exchange->head;

	if (request->server->is_draining) {
		wr_refuse(request, WR_WIRE_RUNTIME_UNAVAILABLE, WR_VIEW_NULL);
		return false;
	}
	/* Nothing can be kept any more, so nothing may be decided. */
	if (wr_storage_has_failed(&request->server->storage)) {
		wr_refuse(request, WR_WIRE_STORE_IO, WR_VIEW_NULL);
		return false;
	}
	if (is_too_much(request->server, rule, head)) {
		wr_refuse(request, WR_WIRE_OVERLOADED, WR_VIEW_NULL);
		return false;
	}
	if ((rule->flags & RULE_WORKER) != 0 && !read_worker_id(request))
		return false;
	if ((rule->flags & RULE_JSON) == 0)
		return true;
	if ((rule->flags & RULE_WORKER) != 0 && !wr_request_has_worker_id(request))
		return false;
	if (!wr_http_is_json_type(head->content_type)) {
		wr_refuse(request, WR_WIRE_UNSUPPORTED_MEDIA_TYPE, WR_VIEW_NULL);
		return false;
	}
	return true;
}

/* ---- what the HTTP server calls ---- */

/* Every member is named: a compiler told to make it small would clear the rest in a slow loop. */
static inline struct wr_request request_of(void *context, struct wr_http_exchange *exchange,
					   struct wr_view worker_id, struct wr_view body)
{
	return (struct wr_request){.server = context,
				   .exchange = exchange,
				   .worker_id = worker_id,
				   .body = body,
				   .key = NULL};
}

static void on_head(void *context, struct wr_http_exchange *exchange)
{
	struct wr_request request = request_of(context, exchange, WR_VIEW_NULL, WR_VIEW_NULL);
	const struct rule *rule = admit(&request);

	if (rule == NULL)
		return;
	if ((rule->flags & RULE_COMMAND) != 0) {
		if (check_command(&request, rule))
			exchange->body_bytes_max = WR_HTTP_BODY_BYTES_MAX;
		/* on_request comes next, with the same head, or not at all. */
		request.server->worker_id = request.worker_id;
		return;
	}
	if ((rule->flags & RULE_WORKER) == 0 || read_worker_id(&request))
		rule->serve(&request);
}

static void forget_large_text(struct wr_buf *text)
{
	if (text->capacity > TEXT_BYTES_KEPT)
		wr_buf_deinit(text);
}

static void on_request(void *context, struct wr_http_exchange *exchange, struct wr_view body)
{
	struct wr_server *server = context;
	struct wr_request request = request_of(server, exchange, server->worker_id, body);
	const struct rule *rule = &rules[exchange->match.handler];

	if ((rule->flags & RULE_WORKER) != 0 && !wr_request_has_worker_id(&request))
		return;
	if (WR_LIKELY(exchange->head->idempotency_key.data == NULL))
		rule->serve(&request);
	else
		wr_serve_with_key(&request, rule->serve);
	forget_large_text(&server->texts);
}

/* Every exchange is answered within its callback. */
static void on_abandon(void *context, struct wr_http_exchange *exchange)
{
	(void)context;
	(void)exchange;
	wr_unreachable();
}

static enum wr_wire_error error_of_head(enum wr_http_fault fault)
{
	switch (fault) {
	case WR_HTTP_FAULT_NONE:
	case WR_HTTP_FAULT_SYNTAX:
	case WR_HTTP_FAULT_FRAMING:
	case WR_HTTP_FAULT_HOST:
	case WR_HTTP_FAULT_REPEATED:
		return WR_WIRE_BAD_REQUEST;
	case WR_HTTP_FAULT_TARGET_TOO_LONG:
		return WR_WIRE_URI_TOO_LONG;
	case WR_HTTP_FAULT_HEAD_TOO_LARGE:
		return WR_WIRE_HEADERS_TOO_LARGE;
	case WR_HTTP_FAULT_VERSION:
		return WR_WIRE_HTTP_VERSION;
	case WR_HTTP_FAULT_TRANSFER_CODING:
		return WR_WIRE_TRANSFER_CODING;
	case WR_HTTP_FAULT_EXPECTATION:
		return WR_WIRE_EXPECTATION_FAILED;
	}
	wr_unreachable();
}

static enum wr_wire_error error_of_fault(enum wr_http_server_fault kind, enum wr_http_fault fault)
{
	switch (kind) {
	case WR_HTTP_SERVER_FAULT_HEAD:
		return error_of_head(fault);
	case WR_HTTP_SERVER_FAULT_BODY:
		return WR_WIRE_BAD_REQUEST;
	case WR_HTTP_SERVER_FAULT_BODY_SIZE:
		return WR_WIRE_PAYLOAD_TOO_LARGE;
	case WR_HTTP_SERVER_FAULT_TIMEOUT:
		return WR_WIRE_REQUEST_TIMEOUT;
	case WR_HTTP_SERVER_FAULT_BODIES_FULL:
	case WR_HTTP_SERVER_FAULT_MEMORY:
		return WR_WIRE_OVERLOADED;
	case WR_HTTP_SERVER_FAULT_HELD:
		return WR_WIRE_STORE_IO;
	}
	wr_unreachable();
}

/* What exactly was wrong with a head that got a plain 400. */
static struct wr_view message_of_head(enum wr_http_fault fault)
{
	switch (fault) {
	case WR_HTTP_FAULT_FRAMING:
		return WR_VIEW("Content-Length is malformed or repeated, or stands beside "
			       "Transfer-Encoding");
	case WR_HTTP_FAULT_HOST:
		return WR_VIEW("Host is missing, repeated or malformed");
	case WR_HTTP_FAULT_REPEATED:
		return WR_VIEW("a field was repeated that may be sent once only");
	case WR_HTTP_FAULT_NONE:
	case WR_HTTP_FAULT_SYNTAX:
	case WR_HTTP_FAULT_TARGET_TOO_LONG:
	case WR_HTTP_FAULT_HEAD_TOO_LARGE:
	case WR_HTTP_FAULT_VERSION:
	case WR_HTTP_FAULT_TRANSFER_CODING:
	case WR_HTTP_FAULT_EXPECTATION:
		return WR_VIEW_NULL;
	}
	wr_unreachable();
}

static void on_fault(void *context, struct wr_buf *body, unsigned status,
		     enum wr_http_server_fault kind, enum wr_http_fault fault)
{
	(void)context;
	(void)status;
	wr_error_json_write(body, error_of_fault(kind, fault), message_of_head(fault),
			    WR_VIEW_NULL);
}

struct wr_http_app wr_routes_app(struct wr_server *server)
{
	return (struct wr_http_app){.context = server,
				    .on_head = on_head,
				    .on_request = on_request,
				    .on_abandon = on_abandon,
				    .on_fault = on_fault};
}
