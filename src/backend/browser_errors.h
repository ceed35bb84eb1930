/*
 * browser_errors — what browsers are told when something is not done (contract 8.5).
 *
 * Body: {"error":REASON PHRASE,"message":TEXT,"code":WORD}; `code` is ours, stable and for
 * programs. The texts are ours, too: nothing of a Runtime's is passed on, and of the request's only
 * an id.
 */
#ifndef WR_BACKEND_BROWSER_ERRORS_H
#define WR_BACKEND_BROWSER_ERRORS_H

#include "backend/runtime_handle.h"
#include "wire/error_json.h"

/* X(NAME, http, code, message): what only the Backend says. */
#define WR_BROWSER_ERROR_LIST(X)                                                              \
	X(INVALID_RUNTIME_ID, 400, "invalid_id", "invalid runtime id")                        \
	X(INVALID_HOST_ID, 400, "invalid_id", "invalid host id")                              \
	X(INVALID_WORKER_ID, 400, "invalid_id", "invalid worker id")                          \
	X(INVALID_BUNDLE_ID, 400, "invalid_id", "invalid config bundle id")                   \
	X(UNKNOWN_RUNTIME, 404, "unknown_runtime", "unknown runtime")                         \
	X(UNKNOWN_HOST, 404, "unknown_host", "unknown host")                                  \
	X(UNKNOWN_WORKER, 404, "unknown_worker", "unknown worker")                            \
	X(NO_STREAM, 404, "no_event_stream", "its events cannot be observed: runtime")        \
	X(DENIED, 403, "denied_by_policy", "a rule of this workspace does not allow this")    \
	X(WRONG_BODY, 422, "invalid_request", "the body is not what is expected here")        \
	X(ANSWER_TOO_LARGE, 502, "answer_too_large", "the answer is too large: ask for less") \
	X(MALFORMED, 502, "malformed_answer", "the runtime's answer was not complete")        \
	X(NO_ANSWER, 502, "runtime_failed", "the runtime could not do it")

enum wr_browser_error_name {
#define WR_BROWSER_ERROR_ENUM(name, http, code, message) WR_BROWSER_##name,
	WR_BROWSER_ERROR_LIST(WR_BROWSER_ERROR_ENUM)
#undef WR_BROWSER_ERROR_ENUM
};

/* The code of a notice for calls whose source was taken out of the configuration: 503. */
#define WR_BROWSER_REMOVED "runtime_removed"

/* Everything that an answer says; all texts are static. */
struct wr_browser_error {
	unsigned http;
	const char *code, *message;
	const char *error; /* NULL: the reason phrase */
	unsigned retry_after_s;
};

struct wr_browser_error wr_browser_error_of(enum wr_browser_error_name name);
/* What is said of HTTP itself and of the caller; the words are those of a Backend. */
struct wr_browser_error wr_browser_error_of_wire(enum wr_wire_error error);
/* Of a call that failed: its first notice of severity `error` tells. */
struct wr_browser_error wr_browser_error_of_failure(const struct wr_source_result *result);

/* Appends the body. `id` (absent: none) is named behind the message, in backquotes, its first 120
 * characters. */
void wr_browser_error_write(struct wr_buf *out, const struct wr_browser_error *error,
			    struct wr_view id);

/* Appends the body of an answer that the HTTP server gives by itself (on_fault). */
void wr_browser_fault_write(struct wr_buf *out, unsigned http);

#endif
