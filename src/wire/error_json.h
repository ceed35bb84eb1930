/*
 * error_json — what an outcome is called on the wire: HTTP status, error code, close code. One
 * table.
 *
 * Body (contract 2.2, design 5): {"error":{"code","message","detail"?,"retryable"?,"request_id"?}}.
 * `code` is stable; `message` is for people, and names no user bytes but a Worker's or Runtime's
 * id.
 */
#ifndef WR_WIRE_ERROR_JSON_H
#define WR_WIRE_ERROR_JSON_H

#include "bytes/buf.h"
#include "status.h"

#include <stdbool.h>

/* X(NAME, http, code, close, retry_after_s) — retry_after_s 0: no Retry-After field. */
#define WR_WIRE_ERROR_LIST(X)                                                    \
	X(UNAUTHORIZED, 401, "unauthorized", 1008, 0)                            \
	X(FORBIDDEN_SCOPE, 403, "forbidden", 1008, 0)                            \
	X(FORBIDDEN_ORIGIN, 403, "forbidden_origin", 1008, 0)                    \
	X(FORBIDDEN_HOST, 403, "forbidden_host", 1008, 0)                        \
	X(BAD_REQUEST, 400, "bad_request", 1002, 0)                              \
	X(INVALID_WORKER_ID, 400, "invalid_worker_id", 1008, 0)                  \
	X(INVALID_JSON, 400, "invalid_json", 1008, 0)                            \
	X(INVALID_QUERY, 400, "invalid_query", 1008, 0)                          \
	X(INVALID_REQUEST, 400, "invalid_request", 1008, 0)                      \
	X(INVALID_PROFILE_SELECTOR, 400, "invalid_profile_selector", 1008, 0)    \
	X(CONFIG_BUNDLE_MISMATCH, 400, "config_bundle_digest_mismatch", 1008, 0) \
	X(CONFIG_DECLARATION, 400, "unsupported_config_declaration", 1008, 0)    \
	X(INVALID_IDEMPOTENCY_KEY, 400, "invalid_idempotency_key", 1008, 0)      \
	X(LIMIT_TOO_LARGE, 400, "limit_too_large", 1008, 0)                      \
	X(ROUTE_NOT_FOUND, 404, "not_found", 1008, 0)                            \
	X(WORKER_NOT_FOUND, 404, "worker_not_found", 1008, 0)                    \
	X(CONFIG_BUNDLE_MISSING, 404, "config_bundle_missing", 1008, 0)          \
	X(METHOD_NOT_ALLOWED, 405, "method_not_allowed", 1008, 0)                \
	X(REQUEST_TIMEOUT, 408, "request_timeout", 1008, 0)                      \
	X(WORKER_NOT_RUNNING, 409, "worker_not_running", 1008, 0)                \
	X(WORKER_EXISTS, 409, "worker_exists", 1008, 0)                          \
	X(NO_TURN, 409, "turn_not_running", 1008, 0)                             \
	X(WORKER_BUSY, 409, "worker_busy", 1013, 1)                              \
	X(RUNTIME_STOPPED, 409, "runtime_stopped", 1001, 0)                      \
	X(EXECUTION_UNAVAILABLE, 409, "worker_execution_unavailable", 1008, 0)   \
	X(EXECUTION_REJECTED, 409, "worker_execution_rejected", 1008, 0)         \
	X(PAYLOAD_TOO_LARGE, 413, "payload_too_large", 1009, 0)                  \
	X(URI_TOO_LONG, 414, "uri_too_long", 1008, 0)                            \
	X(UNSUPPORTED_MEDIA_TYPE, 415, "unsupported_media_type", 1008, 0)        \
	X(EXPECTATION_FAILED, 417, "expectation_failed", 1008, 0)                \
	X(IDEMPOTENCY_MISMATCH, 422, "idempotency_mismatch", 1008, 0)            \
	X(UPGRADE_REQUIRED, 426, "upgrade_required", 1008, 0)                    \
	X(TOO_MANY_REQUESTS, 429, "too_many_requests", 1013, 1)                  \
	X(HEADERS_TOO_LARGE, 431, "headers_too_large", 1008, 0)                  \
	X(INTERNAL, 500, "internal", 1011, 0)                                    \
	X(STORE_IO, 500, "store_io", 1011, 0)                                    \
	X(STORE_CORRUPT, 500, "store_corrupt", 1011, 0)                          \
	X(UNSUPPORTED_OPERATION, 501, "unsupported_operation", 1003, 0)          \
	X(TRANSFER_CODING, 501, "unsupported_transfer_coding", 1003, 0)          \
	X(RUNTIME_UNAVAILABLE, 503, "runtime_unavailable", 1001, 1)              \
	X(OVERLOADED, 503, "overloaded", 1013, 1)                                \
	X(HTTP_VERSION, 505, "http_version_not_supported", 1002, 0)              \
	X(STORE_FULL, 507, "store_full", 1011, 0)                                \
	X(LIMIT_WORKERS, 507, "limit_workers", 1008, 0)                          \
	X(LIMIT_CONFIG_BUNDLES, 507, "limit_config_bundles", 1008, 0)

enum wr_wire_error {
#define WR_WIRE_ERROR_ENUM(name, http, code, close, retry) WR_WIRE_##name,
	WR_WIRE_ERROR_LIST(WR_WIRE_ERROR_ENUM)
#undef WR_WIRE_ERROR_ENUM
};

unsigned wr_wire_error_http(enum wr_wire_error error);
const char *wr_wire_error_code(enum wr_wire_error error);
unsigned wr_wire_error_close(enum wr_wire_error error);
unsigned wr_wire_error_retry_after_s(enum wr_wire_error error);

/* The default message of an error: one sentence, static. */
const char *wr_wire_error_message(enum wr_wire_error error);

/* The wire error for an outcome of a core command. WR_OK and WR_MORE have none (asserted). */
enum wr_wire_error wr_wire_error_of(enum wr_status status);

/* Appends the body. `message` absent: the default one. `detail` is a static word or absent. A
 * retryable error says so (those with Retry-After). */
void wr_error_json_write(struct wr_buf *out, enum wr_wire_error error, struct wr_view message,
			 struct wr_view detail);

/* Appends the body of worker_not_found, which names the Worker and the Runtime. */
void wr_error_json_worker_not_found(struct wr_buf *out, struct wr_view worker_id,
				    struct wr_view runtime_id);

#endif
