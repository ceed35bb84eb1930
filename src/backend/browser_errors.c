#include "backend/browser_errors.h"

#include "bytes/utf8.h"
#include "check.h"
#include "codec/http/message.h"
#include "codec/json/writer.h"

enum { ID_CHARS_MAX = 120 };

struct wr_browser_error wr_browser_error_of(enum wr_browser_error_name name)
{
	static const struct wr_browser_error rows[] = {
#define ROW(name, http, code, message) {http, code, message, NULL, 0},
		WR_BROWSER_ERROR_LIST(ROW)
#undef ROW
	};

	wr_assert((unsigned)name < WR_COUNT(rows));
	return rows[name];
}

struct wr_browser_error wr_browser_error_of_wire(enum wr_wire_error error)
{
	/* What the table of the wire says with the words of a Runtime. */
	static const struct {
		enum wr_wire_error error;
		const char *message;
	} ours[] = {
		{WR_WIRE_UNAUTHORIZED, "say who you are: send Authorization: Bearer with a key"},
		{WR_WIRE_FORBIDDEN_SCOPE, "your key does not allow this: use one that does"},
		{WR_WIRE_FORBIDDEN_HOST, "this Host is not one of ours: use the address the server "
					 "listens on, or have it allowed"},
		{WR_WIRE_RUNTIME_UNAVAILABLE,
		 "the server is not ready, or shutting down: try again later"},
		{WR_WIRE_UPGRADE_REQUIRED,
		 "this is a stream: send an upgrade to WebSocket, version 13, over HTTP/1.1"},
		{WR_WIRE_INTERNAL, "something failed inside the server"},
	};
	struct wr_browser_error out = {.http = wr_wire_error_http(error),
				       .code = wr_wire_error_code(error),
				       .message = wr_wire_error_message(error),
				       .retry_after_s = wr_wire_error_retry_after_s(error)};

	for (size_t i = 0; i < WR_COUNT(ours); i++)
		if (ours[i].error == error)
			out.message = ours[i].message;
	return out;
}

static unsigned http_of_code(const char *code)
{
	static const struct {
		const char *code;
		unsigned http;
	} rows[] = {
		{"remote_runtime_auth_failed", 401},
		{"remote_runtime_timeout", 504},
		{"remote_runtime_unsupported", 501},
		{WR_BROWSER_REMOVED, 503},
	};

	for (size_t i = 0; i < WR_COUNT(rows); i++)
		if (strcmp(rows[i].code, code) == 0)
			return rows[i].http;
	return 502;
}

struct wr_browser_error wr_browser_error_of_failure(const struct wr_source_result *result)
{
	const struct wr_notices *notices = &result->notices;

	for (uint32_t i = 0; i < notices->count; i++) {
		const struct wr_notice *notice = &notices->items[i];

		if (notice->severity == WR_NOTICE_ERROR)
			return (struct wr_browser_error){.http = http_of_code(notice->code),
							 .code = notice->code,
							 .message = notice->message};
	}
	return wr_browser_error_of(WR_BROWSER_NO_ANSWER);
}

/* ---- bodies ---- */

/* Its first characters; `id` is UTF-8. */
static struct wr_view cut(struct wr_view id)
{
	size_t bytes = 0;

	for (unsigned chars = 0; bytes < id.bytes; bytes++)
		if (((unsigned char)id.data[bytes] & 0xc0) != 0x80 && ++chars > ID_CHARS_MAX)
			break;
	return wr_view_of(id.data, bytes);
}

void wr_browser_error_write(struct wr_buf *out, const struct wr_browser_error *error,
			    struct wr_view id)
{
	struct wr_json_writer writer;

	wr_json_writer_init(&writer, out);
	wr_json_object_begin(&writer);
	wr_json_member_string(&writer, WR_VIEW("error"),
			      error->error != NULL ? wr_view_of_string(error->error)
						   : wr_http_reason(error->http));
	wr_json_name(&writer, WR_VIEW("message"));
	wr_json_string_begin(&writer);
	wr_json_string_part(&writer, wr_view_of_string(error->message));
	if (id.data != NULL && wr_utf8_is_valid(id)) {
		wr_json_string_part(&writer, WR_VIEW(" `"));
		wr_json_string_part(&writer, cut(id));
		wr_json_string_part(&writer, WR_VIEW("`"));
	}
	wr_json_string_end(&writer);
	wr_json_member_string(&writer, WR_VIEW("code"), wr_view_of_string(error->code));
	wr_json_object_end(&writer);
}

/* ---- faults ---- */

static enum wr_wire_error wire_error_of(unsigned http)
{
	static const enum wr_wire_error rows[] = {
		WR_WIRE_BAD_REQUEST,  WR_WIRE_REQUEST_TIMEOUT,	  WR_WIRE_PAYLOAD_TOO_LARGE,
		WR_WIRE_URI_TOO_LONG, WR_WIRE_EXPECTATION_FAILED, WR_WIRE_HEADERS_TOO_LARGE,
		WR_WIRE_STORE_IO,     WR_WIRE_TRANSFER_CODING,	  WR_WIRE_OVERLOADED,
		WR_WIRE_HTTP_VERSION,
	};

	for (size_t i = 0; i < WR_COUNT(rows); i++)
		if (wr_wire_error_http(rows[i]) == http)
			return rows[i];
	return WR_WIRE_INTERNAL;
}

void wr_browser_fault_write(struct wr_buf *out, unsigned http)
{
	struct wr_browser_error error = wr_browser_error_of_wire(wire_error_of(http));

	wr_browser_error_write(out, &error, WR_VIEW_NULL);
}
