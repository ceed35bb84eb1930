/* Source calls as HTTP requests (contract 8.8). */
#include "backend/remote_calls_private.h"

#include "bytes/base64.h"
#include "check.h"
#include "codec/http/message.h"
#include "codec/http/target.h"
#include "codec/json/writer.h"
#include "io/entropy.h"
#include "wire/request_json.h"
#include "bounds.h"

enum {
	LIST_BYTES_MAX = 2 << 20,
	TRANSCRIPT_BYTES_MAX = 8 << 20,
	ANSWER_BYTES_MAX = 256 << 10, /* of all others */
	KEY_ENTROPY_BYTES = 18
};

/* ---- targets ---- */

/* What is behind the Worker's id. */
static struct wr_view path_end(enum wr_source_operation operation)
{
	switch (operation) {
	case WR_SOURCE_LIST:
	case WR_SOURCE_SPAWN:
	case WR_SOURCE_DETAIL:
		return WR_VIEW("");
	case WR_SOURCE_INPUT:
		return WR_VIEW("/input");
	case WR_SOURCE_STOP:
		return WR_VIEW("/stop");
	case WR_SOURCE_CANCEL:
		return WR_VIEW("/cancel");
	case WR_SOURCE_INTERRUPT:
		return WR_VIEW("/interrupt");
	case WR_SOURCE_TRANSCRIPT:
		return WR_VIEW("/transcript");
	case WR_SOURCE_STORE_BUNDLE:
	case WR_SOURCE_BUNDLE_AVAILABILITY:
		break;
	}
	wr_unreachable();
}

uint64_t wr_remote_page_limit(const struct wr_remote_calls *calls,
			      const struct wr_source_call *call)
{
	uint64_t limit = call->as.page.limit, max = calls->transcript_items_max;

	return max != 0 && max < limit ? max : limit;
}

/* False: the call is not about a bundle. */
static bool write_bundle_target(struct wr_buf *out, const struct wr_source_call *call)
{
	bool is_stored = call->operation == WR_SOURCE_STORE_BUNDLE;

	if (!is_stored && call->operation != WR_SOURCE_BUNDLE_AVAILABILITY)
		return false;
	wr_buf_append_view(out, WR_VIEW("/v1/config-bundles"));
	if (is_stored)
		return true;
	wr_buf_append_byte(out, '/');
	(void)wr_http_percent_encode(out, call->as.available.id);
	wr_buf_append_view(out, WR_VIEW("/availability?digest="));
	wr_buf_append_view(out, call->as.available.digest);
	return true;
}

static void write_target(struct wr_buf *out, const struct wr_remote_calls *calls,
			 const struct wr_source_call *call)
{
	if (write_bundle_target(out, call))
		return;
	wr_buf_append_view(out, WR_VIEW("/v1/workers"));
	if (call->operation != WR_SOURCE_LIST && call->operation != WR_SOURCE_SPAWN) {
		wr_buf_append_byte(out, '/');
		(void)wr_http_percent_encode(out, call->worker_id);
		wr_buf_append_view(out, path_end(call->operation));
	}
	if (call->operation == WR_SOURCE_LIST) {
		wr_buf_append_view(out, WR_VIEW("?limit="));
		wr_buf_append_u64(out, call->as.list.limit);
	} else if (call->operation == WR_SOURCE_TRANSCRIPT) {
		wr_buf_append_view(out, WR_VIEW("?start="));
		wr_buf_append_u64(out, call->as.page.start);
		wr_buf_append_view(out, WR_VIEW("&limit="));
		wr_buf_append_u64(out, wr_remote_page_limit(calls, call));
	}
}

/* ---- fields ---- */

static bool is_key(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++)
		if (text.data[i] < 0x21 || text.data[i] > 0x7e)
			return false;
	return text.bytes > 0 && text.bytes <= WR_REMOTE_KEY_BYTES_MAX;
}

/* The browser's key, or one that nobody else has. False: there is none, the command goes without.
 */
static bool write_key(struct wr_buf *out, struct wr_view key)
{
	char text[WR_BASE64URL_BYTES(KEY_ENTROPY_BYTES)];
	uint8_t bytes[KEY_ENTROPY_BYTES];

	if (key.data == NULL) {
		if (wr_entropy_fill(bytes, sizeof bytes) != WR_OK)
			return false;
		key = wr_view_of(text, wr_base64url_encode(text, bytes, sizeof bytes));
	}
	wr_http_write_field(out, WR_VIEW("Idempotency-Key"), key);
	return true;
}

/* ---- bodies ---- */

static void write_role(struct wr_json_writer *writer, struct wr_view role, struct wr_view purpose,
		       struct wr_view ticket_id)
{
	wr_json_name(writer, WR_VIEW("intent"));
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("kind"), WR_VIEW("role"));
	wr_json_member_string(writer, WR_VIEW("role"), role);
	wr_json_name(writer, WR_VIEW("purpose"));
	wr_json_string_begin(writer);
	wr_json_string_part(writer, purpose);
	wr_json_string_part(writer, ticket_id);
	wr_json_string_end(writer);
	wr_json_object_end(writer);
}

static void write_given_profile(struct wr_json_writer *writer, const struct wr_spawn_request *spawn)
{
	static const struct wr_view words[] = {
		[WR_PROFILE_RUNTIME_DEFAULT] = WR_VIEW_INIT("runtime_default"),
		[WR_PROFILE_BUILTIN] = WR_VIEW_INIT("builtin"),
		[WR_PROFILE_NAMED] = WR_VIEW_INIT("named"),
	};

	wr_json_name(writer, WR_VIEW("profile"));
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("kind"), words[spawn->profile]);
	if (spawn->profile != WR_PROFILE_RUNTIME_DEFAULT)
		wr_json_member_string(writer, WR_VIEW("value"), spawn->profile_value);
	wr_json_object_end(writer);
}

static void write_profile(struct wr_json_writer *writer, const struct wr_spawn_request *spawn,
			  struct wr_view role)
{
	if (spawn->has_profile) {
		write_given_profile(writer, spawn);
		return;
	}
	wr_json_name(writer, WR_VIEW("profile"));
	wr_json_object_begin(writer);
	if (role.data == NULL) {
		wr_json_member_string(writer, WR_VIEW("kind"), WR_VIEW("runtime_default"));
	} else {
		wr_json_member_string(writer, WR_VIEW("kind"), WR_VIEW("builtin"));
		wr_json_name(writer, WR_VIEW("value"));
		wr_json_string_begin(writer);
		wr_json_string_part(writer, WR_VIEW("builtin:"));
		wr_json_string_part(writer, role);
		wr_json_string_end(writer);
	}
	wr_json_object_end(writer);
}

static void write_bundle_reference(struct wr_json_writer *writer,
				   const struct wr_spawn_request *spawn)
{
	if (spawn->bundle_id.data == NULL)
		return;
	wr_json_name(writer, WR_VIEW("config_bundle"));
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("id"), spawn->bundle_id);
	wr_json_member_string(writer, WR_VIEW("digest"), spawn->bundle_digest);
	wr_json_object_end(writer);
}

static void write_capabilities(struct wr_json_writer *writer, const struct wr_pairs *capabilities)
{
	struct wr_view rest = capabilities->packed, name, reason;

	if (capabilities->count == 0)
		return;
	wr_json_name(writer, WR_VIEW("requested_capabilities"));
	wr_json_array_begin(writer);
	while (wr_pairs_next(&rest, &name, &reason)) {
		wr_json_object_begin(writer);
		wr_json_member_string(writer, WR_VIEW("name"), name);
		if (reason.data != NULL)
			wr_json_member_string(writer, WR_VIEW("reason"), reason);
		wr_json_object_end(writer);
	}
	wr_json_array_end(writer);
}

static void write_intent(struct wr_json_writer *writer, const struct wr_spawn_request *spawn)
{
	switch (spawn->intent) {
	case WR_SPAWN_COMPANION:
		write_role(writer, WR_VIEW("workspace_companion"),
			   WR_VIEW("companion of the workspace"), WR_VIEW_NULL);
		write_profile(writer, spawn, WR_VIEW_NULL);
		return;
	case WR_SPAWN_ORCHESTRATOR:
		write_role(writer, WR_VIEW("workspace_orchestrator"),
			   WR_VIEW("orchestrator of the workspace"), WR_VIEW_NULL);
		write_profile(writer, spawn, WR_VIEW_NULL);
		return;
	case WR_SPAWN_TICKET_ROLE:
		write_role(writer, spawn->role, WR_VIEW("ticket "), spawn->ticket_id);
		write_profile(writer, spawn, spawn->role);
		return;
	}
	wr_unreachable();
}

static void write_body(struct wr_buf *out, const struct wr_source_call *call)
{
	struct wr_json_writer writer;

	if (call->operation == WR_SOURCE_STORE_BUNDLE) {
		wr_bundle_json_write(out, &call->as.bundle);
		return;
	}
	wr_json_writer_init(&writer, out);
	wr_json_object_begin(&writer);
	if (call->operation == WR_SOURCE_SPAWN) {
		write_intent(&writer, &call->as.spawn);
		write_bundle_reference(&writer, &call->as.spawn);
		write_capabilities(&writer, &call->as.spawn.capabilities);
		wr_request_append_busy(out, &call->as.spawn.busy);
	} else if (call->operation == WR_SOURCE_INPUT) {
		wr_json_member_string(&writer, WR_VIEW("kind"),
				      call->as.input.is_system ? WR_VIEW("system")
							       : WR_VIEW("user"));
		wr_json_member_string(&writer, WR_VIEW("content"), call->as.input.content);
	} else if (call->as.reason.data != NULL) {
		wr_json_member_string(&writer, WR_VIEW("reason"), call->as.reason);
	}
	wr_json_object_end(&writer);
}

/* ---- requests ---- */

static size_t answer_bytes_max(enum wr_source_operation operation)
{
	if (operation == WR_SOURCE_LIST)
		return LIST_BYTES_MAX;
	return operation == WR_SOURCE_TRANSCRIPT ? TRANSCRIPT_BYTES_MAX : ANSWER_BYTES_MAX;
}

static void write_command(struct wr_remote_request *self, struct wr_http_call *http,
			  const struct wr_remote_calls *calls, const struct wr_source_call *call)
{
	wr_http_write_field(&self->fields, WR_VIEW("Content-Type"), WR_VIEW("application/json"));
	http->is_repeatable =
		write_key(&self->fields, call->idempotency_key) && calls->honours_keys;
	write_body(&self->body, call);
	http->body = wr_buf_view(&self->body);
}

enum wr_status wr_remote_request_init(struct wr_remote_request *self, struct wr_http_call *http,
				      const struct wr_remote_calls *calls,
				      const struct wr_source_call *call)
{
	bool is_command = wr_source_is_command(call->operation);
	bool is_list = call->operation == WR_SOURCE_LIST;

	wr_buf_init_fixed(&self->target, self->target_bytes, sizeof self->target_bytes);
	wr_buf_init_fixed(&self->fields, self->fields_bytes, sizeof self->fields_bytes);
	wr_buf_init(&self->body, calls->allocator, WR_HTTP_BODY_BYTES_MAX);
	if (is_command && call->idempotency_key.data != NULL && !is_key(call->idempotency_key))
		return WR_INVALID;
	http->method = is_command ? WR_VIEW("POST") : WR_VIEW("GET");
	http->is_repeatable = !is_command;
	http->body_bytes_max = answer_bytes_max(call->operation);
	http->ms_max = calls->ms_max;
	if (is_list && call->as.list.ms_max != 0 && call->as.list.ms_max < http->ms_max)
		http->ms_max = call->as.list.ms_max;
	write_target(&self->target, calls, call);
	wr_http_write_field(&self->fields, WR_VIEW("Accept"), WR_VIEW("*/*"));
	if (is_command)
		write_command(self, http, calls, call);
	wr_assert(wr_buf_status(&self->target) == WR_OK && wr_buf_status(&self->fields) == WR_OK);
	http->target = wr_buf_view(&self->target);
	http->fields = wr_buf_view(&self->fields);
	return wr_buf_status(&self->body);
}

void wr_remote_request_deinit(struct wr_remote_request *self)
{
	wr_buf_deinit(&self->body);
}
