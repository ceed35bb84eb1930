#include "backend/embedded_refusal.h"

#include "check.h"

#define INVALID_REQUEST "embedded_runtime_invalid_request"
#define OVERLOADED "embedded_runtime_overloaded"

static const struct {
	enum wr_status status;
	struct wr_notice notice;
} refusals[] = {
	{WR_INVALID,
	 {INVALID_REQUEST, WR_NOTICE_WARNING, "a value in the request is not acceptable"}},
	{WR_TOO_LARGE,
	 {INVALID_REQUEST, WR_NOTICE_WARNING, "a value in the request is over the size limit"}},
	{WR_MISMATCH,
	 {"embedded_runtime_idempotency_mismatch", WR_NOTICE_WARNING,
	  "this Idempotency-Key was used with another request: use a fresh one"}},
	{WR_NO_BUNDLE,
	 {INVALID_REQUEST, WR_NOTICE_WARNING,
	  "the Runtime has no config bundle of this id: sync it first"}},
	{WR_DIGEST_MISMATCH,
	 {INVALID_REQUEST, WR_NOTICE_WARNING,
	  "the config bundle that the Runtime has is of another digest: sync it again"}},
	{WR_NO_DECLARATION,
	 {INVALID_REQUEST, WR_NOTICE_WARNING,
	  "the config bundle declares what the Runtime does not support"}},
	{WR_STOPPED,
	 {"embedded_runtime_stopped", WR_NOTICE_WARNING,
	  "the Runtime was stopped: it can be read but not changed"}},
	{WR_CONFLICT,
	 {"embedded_worker_not_running", WR_NOTICE_WARNING,
	  "the Worker was stopped or cancelled and takes nothing more: create another"}},
	{WR_BUSY,
	 {"embedded_worker_busy", WR_NOTICE_WARNING,
	  "the Worker is busy with a turn: try again when it is idle, or interrupt it"}},
	{WR_UNAVAILABLE,
	 {"embedded_worker_execution_unavailable", WR_NOTICE_WARNING,
	  "nothing runs this Worker at the moment"}},
	{WR_REJECTED,
	 {"embedded_worker_execution_rejected", WR_NOTICE_WARNING,
	  "what runs this Worker refused the operation"}},
	{WR_UNSUPPORTED,
	 {"embedded_worker_execution_unavailable", WR_NOTICE_INFO,
	  "nothing runs this Worker that could be interrupted"}},
	{WR_DRAINING,
	 {"embedded_runtime_state_unavailable", WR_NOTICE_ERROR,
	  "the Backend is shutting down: try again when it is back"}},
	{WR_OVERLOAD,
	 {OVERLOADED, WR_NOTICE_ERROR, "too much is going on at the moment: try again soon"}},
	{WR_NO_MEMORY, {OVERLOADED, WR_NOTICE_ERROR, "there is no memory for it at the moment"}},
	{WR_FULL,
	 {WR_EMBEDDED_STORE_ERROR, WR_NOTICE_ERROR,
	  "the store is full: an operator must make room"}},
	{WR_IO,
	 {WR_EMBEDDED_STORE_ERROR, WR_NOTICE_ERROR,
	  "the store could not be written or read: what was asked for may have happened or not, "
	  "so repeat it with its Idempotency-Key"}},
	{WR_CORRUPT, {WR_EMBEDDED_STORE_ERROR, WR_NOTICE_ERROR, "stored data is damaged"}},
};

const struct wr_notice *wr_embedded_notice_of(enum wr_status status)
{
	for (size_t i = 0; i < WR_COUNT(refusals); i++)
		if (refusals[i].status == status)
			return &refusals[i].notice;
	wr_unreachable(); /* no operation of core returns another */
}

void wr_embedded_refuse_with(struct wr_source_result *result, const struct wr_notice *why)
{
	switch (why->severity) {
	case WR_NOTICE_INFO:
		result->outcome = WR_SOURCE_UNSUPPORTED;
		break;
	case WR_NOTICE_WARNING:
		result->outcome = WR_SOURCE_REJECTED;
		break;
	case WR_NOTICE_ERROR:
		result->outcome = WR_SOURCE_FAILED;
		break;
	}
	wr_notices_add(&result->notices, why->code, why->severity, why->message);
}

void wr_embedded_refuse(struct wr_source_result *result, enum wr_status status, const char *detail)
{
	struct wr_notice why;

	if (status == WR_NOT_FOUND) {
		result->outcome = WR_SOURCE_UNKNOWN_WORKER;
		return;
	}
	why = *wr_embedded_notice_of(status);
	if (detail != NULL)
		why.message = detail;
	wr_embedded_refuse_with(result, &why);
}
