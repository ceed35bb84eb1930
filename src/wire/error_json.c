#include "wire/error_json.h"

#include "check.h"
#include "codec/json/writer.h"

struct row {
	const char *code;
	uint16_t http, close;
	uint8_t retry_after_s;
};

static const struct row rows[] = {
#define ROW(name, http, code, close, retry) {code, http, close, retry},
	WR_WIRE_ERROR_LIST(ROW)
#undef ROW
};

static const struct row *row_of(enum wr_wire_error error)
{
	wr_assert((unsigned)error < WR_COUNT(rows));
	return &rows[error];
}

unsigned wr_wire_error_http(enum wr_wire_error error)
{
	return row_of(error)->http;
}

const char *wr_wire_error_code(enum wr_wire_error error)
{
	return row_of(error)->code;
}

unsigned wr_wire_error_close(enum wr_wire_error error)
{
	return row_of(error)->close;
}

unsigned wr_wire_error_retry_after_s(enum wr_wire_error error)
{
	return row_of(error)->retry_after_s;
}

/* Where there is something the caller can do, the sentence says it. A switch, so that a new error
 * without a sentence is a warning. */
/* NOLINTNEXTLINE(readability-function-size): a table, one sentence for each */
const char *wr_wire_error_message(enum wr_wire_error error)
{
	switch (error) {
	case WR_WIRE_UNAUTHORIZED:
		return "a valid token is needed: send Authorization: Bearer TOKEN";
	case WR_WIRE_FORBIDDEN_SCOPE:
		return "the token does not allow this: use one with the scope it needs";
	case WR_WIRE_FORBIDDEN_ORIGIN:
		return "requests from this origin are not allowed: configure it as an allowed one";
	case WR_WIRE_FORBIDDEN_HOST:
		return "this Host is not one of ours: use the address the Runtime listens on, name "
		       "it "
		       "there with --allow-host, or configure a token";
	case WR_WIRE_BAD_REQUEST:
		return "the request does not follow HTTP/1.1";
	case WR_WIRE_INVALID_WORKER_ID:
		return "the Worker id in the path is blank, too long or not UTF-8";
	case WR_WIRE_INVALID_JSON:
		return "the body is not the JSON document that is expected here";
	case WR_WIRE_INVALID_QUERY:
		return "a query parameter is missing, malformed or repeated";
	case WR_WIRE_INVALID_REQUEST:
		return "a value in the request is not acceptable";
	case WR_WIRE_INVALID_PROFILE_SELECTOR:
		return "no such profile: use runtime_default or one that this Runtime is "
		       "configured with";
	case WR_WIRE_CONFIG_BUNDLE_MISMATCH:
		return "the config bundle here has another digest: sync it again, or name the one "
		       "that is here";
	case WR_WIRE_CONFIG_DECLARATION:
		return "the config bundle declares what this Runtime does not support";
	case WR_WIRE_INVALID_IDEMPOTENCY_KEY:
		return "Idempotency-Key must be 1 to 128 visible ASCII characters";
	case WR_WIRE_LIMIT_TOO_LARGE:
		return "limit is above the maximum: see limits of GET /v1/runtime";
	case WR_WIRE_ROUTE_NOT_FOUND:
		return "there is nothing at this path";
	case WR_WIRE_WORKER_NOT_FOUND:
		return "there is no such Worker";
	case WR_WIRE_CONFIG_BUNDLE_MISSING:
		return "there is no config bundle of this id: sync it with POST /v1/config-bundles "
		       "first";
	case WR_WIRE_METHOD_NOT_ALLOWED:
		return "this path does not have that method: see the Allow field";
	case WR_WIRE_REQUEST_TIMEOUT:
		return "the request did not arrive in time";
	case WR_WIRE_WORKER_NOT_RUNNING:
		return "the Worker was stopped or cancelled and takes nothing more: create another";
	case WR_WIRE_WORKER_EXISTS:
		return "there is another Worker of this id: choose another one, or none";
	case WR_WIRE_NO_TURN:
		return "the Worker has no turn that could be interrupted";
	case WR_WIRE_WORKER_BUSY:
		return "the Worker is busy with a turn: try again when it is idle, or interrupt it";
	case WR_WIRE_RUNTIME_STOPPED:
		return "the Runtime was stopped: it can be read but not changed";
	case WR_WIRE_EXECUTION_UNAVAILABLE:
		return "nothing runs this Worker at the moment";
	case WR_WIRE_EXECUTION_REJECTED:
		return "what runs this Worker refused the operation";
	case WR_WIRE_PAYLOAD_TOO_LARGE:
		return "the body, or a value in it, is over the size limit";
	case WR_WIRE_URI_TOO_LONG:
		return "the request target is too long";
	case WR_WIRE_UNSUPPORTED_MEDIA_TYPE:
		return "the body must be JSON: send Content-Type: application/json";
	case WR_WIRE_EXPECTATION_FAILED:
		return "the only expectation that is understood is 100-continue";
	case WR_WIRE_IDEMPOTENCY_MISMATCH:
		return "this Idempotency-Key was used with another body: use a fresh one";
	case WR_WIRE_UPGRADE_REQUIRED:
		return "this is a WebSocket endpoint: send an upgrade of version 13 over HTTP/1.1";
	case WR_WIRE_TOO_MANY_REQUESTS:
		return "too many requests: slow down";
	case WR_WIRE_HEADERS_TOO_LARGE:
		return "the header fields are too many or too long";
	case WR_WIRE_INTERNAL:
		return "something failed inside the Runtime";
	case WR_WIRE_STORE_IO:
		return "the store could not be written or read: what was asked for may have "
		       "happened or not, so repeat it with its Idempotency-Key";
	case WR_WIRE_STORE_CORRUPT:
		return "stored data is damaged";
	case WR_WIRE_UNSUPPORTED_OPERATION:
		return "this Worker, or this build, does not support the operation";
	case WR_WIRE_TRANSFER_CODING:
		return "the only transfer coding that is understood is chunked";
	case WR_WIRE_RUNTIME_UNAVAILABLE:
		return "the Runtime is shutting down: try again when it is back";
	case WR_WIRE_OVERLOADED:
		return "too much is going on at the moment: try again soon";
	case WR_WIRE_HTTP_VERSION:
		return "only HTTP/1.0 and HTTP/1.1 are understood";
	case WR_WIRE_STORE_FULL:
		return "the store is full: make room on its disk, or raise --fs-bytes";
	case WR_WIRE_LIMIT_CONFIG_BUNDLES:
		return "the Runtime has as many config bundles as it may, 256 of 2 MiB together: "
		       "replace one of them, or use another Runtime";
	case WR_WIRE_LIMIT_WORKERS:
		return "the Runtime has as many Workers as it may: raise --max-workers, or use "
		       "another Runtime";
	}
	wr_unreachable();
}

enum wr_wire_error wr_wire_error_of(enum wr_status status)
{
	switch (status) {
	case WR_OK:
	case WR_MORE:
		break;
	case WR_SYNTAX:
	case WR_ENCODING:
		return WR_WIRE_INVALID_JSON;
	case WR_INVALID:
		return WR_WIRE_INVALID_REQUEST;
	case WR_TOO_LARGE:
		return WR_WIRE_PAYLOAD_TOO_LARGE;
	case WR_LIMIT:
		return WR_WIRE_LIMIT_TOO_LARGE;
	case WR_UNSUPPORTED:
		return WR_WIRE_UNSUPPORTED_OPERATION;
	case WR_UNAUTHENTICATED:
		return WR_WIRE_UNAUTHORIZED;
	case WR_FORBIDDEN:
		return WR_WIRE_FORBIDDEN_SCOPE;
	case WR_NOT_FOUND:
		return WR_WIRE_WORKER_NOT_FOUND;
	case WR_CONFLICT:
		return WR_WIRE_WORKER_NOT_RUNNING;
	case WR_EXISTS:
		return WR_WIRE_WORKER_EXISTS;
	case WR_MISMATCH:
		return WR_WIRE_IDEMPOTENCY_MISMATCH;
	case WR_NO_BUNDLE:
		return WR_WIRE_CONFIG_BUNDLE_MISSING;
	case WR_DIGEST_MISMATCH:
		return WR_WIRE_CONFIG_BUNDLE_MISMATCH;
	case WR_NO_DECLARATION:
		return WR_WIRE_CONFIG_DECLARATION;
	case WR_BUSY:
		return WR_WIRE_WORKER_BUSY;
	case WR_UNAVAILABLE:
		return WR_WIRE_EXECUTION_UNAVAILABLE;
	case WR_REJECTED:
		return WR_WIRE_EXECUTION_REJECTED;
	case WR_STOPPED:
		return WR_WIRE_RUNTIME_STOPPED;
	case WR_DRAINING:
		return WR_WIRE_RUNTIME_UNAVAILABLE;
	case WR_OVERLOAD:
	case WR_NO_MEMORY:
		return WR_WIRE_OVERLOADED;
	case WR_FULL:
		return WR_WIRE_STORE_FULL;
	case WR_TIMEOUT:
		return WR_WIRE_REQUEST_TIMEOUT;
	/* A cursor is refused on its stream (snapshot_json.h); in a request it is a bad parameter.
	 */
	case WR_MALFORMED:
	case WR_SCOPE_MISMATCH:
	case WR_UNKNOWN:
	case WR_AHEAD:
	case WR_LOST_TAIL:
	case WR_EXPIRED:
		return WR_WIRE_INVALID_QUERY;
	case WR_IO:
		return WR_WIRE_STORE_IO;
	case WR_CORRUPT:
		return WR_WIRE_STORE_CORRUPT;
	case WR_CLOSED: /* nobody is there to be told */
		return WR_WIRE_INTERNAL;
	}
	wr_unreachable();
}

/* ---- bodies ---- */

static void begin_error(struct wr_json_writer *writer, struct wr_buf *out, enum wr_wire_error error)
{
	wr_json_writer_init(writer, out);
	wr_json_object_begin(writer);
	wr_json_name(writer, WR_VIEW("error"));
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("code"),
			      wr_view_of_string(wr_wire_error_code(error)));
}

static void end_error(struct wr_json_writer *writer)
{
	wr_json_object_end(writer);
	wr_json_object_end(writer);
}

void wr_error_json_write(struct wr_buf *out, enum wr_wire_error error, struct wr_view message,
			 struct wr_view detail)
{
	struct wr_json_writer writer;

	if (message.data == NULL)
		message = wr_view_of_string(wr_wire_error_message(error));
	begin_error(&writer, out, error);
	wr_json_member_string(&writer, WR_VIEW("message"), message);
	if (detail.data != NULL)
		wr_json_member_string(&writer, WR_VIEW("detail"), detail);
	if (wr_wire_error_retry_after_s(error) != 0)
		wr_json_member_bool(&writer, WR_VIEW("retryable"), true);
	end_error(&writer);
}

void wr_error_json_worker_not_found(struct wr_buf *out, struct wr_view worker_id,
				    struct wr_view runtime_id)
{
	struct wr_json_writer writer;

	begin_error(&writer, out, WR_WIRE_WORKER_NOT_FOUND);
	wr_json_name(&writer, WR_VIEW("message"));
	wr_json_string_begin(&writer);
	wr_json_string_part(&writer, WR_VIEW("worker "));
	wr_json_string_part(&writer, worker_id);
	wr_json_string_part(&writer, WR_VIEW(" was not found in runtime "));
	wr_json_string_part(&writer, runtime_id);
	wr_json_string_end(&writer);
	end_error(&writer);
}
