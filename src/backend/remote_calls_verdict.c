#include "backend/remote_calls_verdict.h"

#include "check.h"
#include "wire/answer_json.h"

enum { ERROR_TEXT_BYTES_MAX = 65536 };

struct row {
	enum wr_source_outcome outcome;
	struct wr_notice notice;
};

static const struct row rows[] = {
#define ROW(name, outcome, severity, code, message) \
	{WR_SOURCE_##outcome, {code, WR_NOTICE_##severity, message}},
	WR_REMOTE_CAUSE_LIST(ROW)
#undef ROW
};

static const struct row *row_of(enum wr_remote_cause cause)
{
	wr_assert((unsigned)cause < WR_COUNT(rows));
	return &rows[cause];
}

/* ---- causes ---- */

/* Codes of a Runtime (contract 2.2, design 5) that have a text of ours. */
static const struct {
	struct wr_view code;
	enum wr_remote_cause cause;
} codes[] = {
	{WR_VIEW_INIT("worker_busy"), WR_REMOTE_CAUSE_BUSY},
	{WR_VIEW_INIT("worker_not_running"), WR_REMOTE_CAUSE_NOT_RUNNING},
	{WR_VIEW_INIT("turn_not_running"), WR_REMOTE_CAUSE_NO_TURN},
	{WR_VIEW_INIT("runtime_stopped"), WR_REMOTE_CAUSE_STOPPED},
	{WR_VIEW_INIT("worker_execution_unavailable"), WR_REMOTE_CAUSE_NO_EXECUTION},
	{WR_VIEW_INIT("execution_backend_unavailable"), WR_REMOTE_CAUSE_NO_EXECUTION},
	{WR_VIEW_INIT("worker_execution_rejected"), WR_REMOTE_CAUSE_EXECUTION},
	{WR_VIEW_INIT("idempotency_mismatch"), WR_REMOTE_CAUSE_KEY_MISMATCH},
	{WR_VIEW_INIT("invalid_idempotency_key"), WR_REMOTE_CAUSE_KEY_INVALID},
	{WR_VIEW_INIT("payload_too_large"), WR_REMOTE_CAUSE_TOO_LARGE},
	{WR_VIEW_INIT("limit_too_large"), WR_REMOTE_CAUSE_INVALID},
	{WR_VIEW_INIT("invalid_request"), WR_REMOTE_CAUSE_INVALID},
	{WR_VIEW_INIT("invalid_profile_selector"), WR_REMOTE_CAUSE_PROFILE},
	{WR_VIEW_INIT("config_bundle_missing"), WR_REMOTE_CAUSE_BUNDLE_MISSING},
	{WR_VIEW_INIT("config_bundle_digest_mismatch"), WR_REMOTE_CAUSE_BUNDLE_DIGEST},
	{WR_VIEW_INIT("unsupported_config_declaration"), WR_REMOTE_CAUSE_DECLARATION},
	{WR_VIEW_INIT("limit_config_bundles"), WR_REMOTE_CAUSE_BUNDLES_FULL},
	{WR_VIEW_INIT("store_full"), WR_REMOTE_CAUSE_STORE_FULL},
	{WR_VIEW_INIT("limit_workers"), WR_REMOTE_CAUSE_WORKERS_FULL},
};

/* Whether the error body of an answer has this code; it need not have one. */
static bool read_code(struct wr_buf *texts, struct wr_view *code, struct wr_view body)
{
	struct wr_answer_error error;

	if (wr_answer_error_read(&error, texts, body) != WR_OK)
		return false;
	*code = error.code;
	return true;
}

static enum wr_remote_cause cause_of_code(struct wr_view code)
{
	for (size_t i = 0; i < WR_COUNT(codes); i++)
		if (wr_view_equal(code, codes[i].code))
			return codes[i].cause;
	return WR_REMOTE_CAUSE_REJECTED;
}

/* 404. Older Runtimes have no `interrupt` and no config bundles, and say so like this. */
static enum wr_remote_cause cause_of_absence(enum wr_source_operation operation,
					     struct wr_view code)
{
	switch (operation) {
	case WR_SOURCE_LIST: /* whatever this is, it is no Runtime */
		return WR_REMOTE_CAUSE_MALFORMED;
	case WR_SOURCE_SPAWN:
		return cause_of_code(code);
	case WR_SOURCE_STORE_BUNDLE:
		return WR_REMOTE_CAUSE_UNSUPPORTED;
	case WR_SOURCE_BUNDLE_AVAILABILITY:
		return wr_view_equal(code, WR_VIEW("config_bundle_missing"))
			       ? WR_REMOTE_CAUSE_BUNDLE_MISSING
			       : WR_REMOTE_CAUSE_UNSUPPORTED;
	case WR_SOURCE_INTERRUPT:
		return wr_view_equal(code, WR_VIEW("worker_not_found"))
			       ? WR_REMOTE_CAUSE_UNKNOWN_WORKER
			       : WR_REMOTE_CAUSE_UNSUPPORTED;
	case WR_SOURCE_DETAIL:
	case WR_SOURCE_INPUT:
	case WR_SOURCE_STOP:
	case WR_SOURCE_CANCEL:
	case WR_SOURCE_TRANSCRIPT:
		return WR_REMOTE_CAUSE_UNKNOWN_WORKER;
	}
	wr_unreachable();
}

static enum wr_remote_cause cause_of_answer(enum wr_source_operation operation,
					    unsigned http_status, struct wr_view code)
{
	switch (http_status) {
	case 401:
	case 403:
		return WR_REMOTE_CAUSE_AUTH;
	case 404:
		return cause_of_absence(operation, code);
	case 405:
	case 501:
		return WR_REMOTE_CAUSE_UNSUPPORTED;
	case 413:
		return WR_REMOTE_CAUSE_TOO_LARGE;
	case 429:
		return WR_REMOTE_CAUSE_UNAVAILABLE_NOW;
	case 503:
		return wr_source_is_command(operation) ? WR_REMOTE_CAUSE_UNAVAILABLE_NOW
						       : WR_REMOTE_CAUSE_HTTP_ERROR;
	case 507:
		return wr_source_is_command(operation) ? cause_of_code(code)
						       : WR_REMOTE_CAUSE_HTTP_ERROR;
	default:
		break;
	}
	if (http_status >= 500)
		return WR_REMOTE_CAUSE_HTTP_ERROR;
	return http_status < 400 ? WR_REMOTE_CAUSE_REDIRECT : cause_of_code(code);
}

enum wr_remote_cause wr_remote_cause_of(enum wr_source_operation operation,
					const struct wr_http_outcome *outcome,
					struct wr_allocator *allocator)
{
	struct wr_view code = WR_VIEW_NULL;
	enum wr_remote_cause cause;
	struct wr_buf texts;

	if (outcome->status == WR_TIMEOUT)
		return WR_REMOTE_CAUSE_TIMEOUT;
	if (outcome->status == WR_UNAVAILABLE && outcome->fault != NULL)
		return WR_REMOTE_CAUSE_TLS;
	if (outcome->status == WR_UNAVAILABLE || outcome->status == WR_CLOSED)
		return WR_REMOTE_CAUSE_NETWORK;
	if (outcome->status == WR_NO_MEMORY || outcome->status == WR_OVERLOAD)
		return WR_REMOTE_CAUSE_CLIENT;
	if (outcome->status != WR_OK)
		return WR_REMOTE_CAUSE_MALFORMED;
	wr_buf_init(&texts, allocator, ERROR_TEXT_BYTES_MAX);
	if (!read_code(&texts, &code, outcome->body))
		code = WR_VIEW_NULL;
	cause = cause_of_answer(operation, outcome->head->status, code);
	wr_buf_deinit(&texts);
	return cause;
}

/* ---- what is told ---- */

void wr_remote_notice(struct wr_notices *notices, enum wr_remote_cause cause)
{
	const struct wr_notice *notice = &row_of(cause)->notice;

	wr_notices_add(notices, notice->code, notice->severity, notice->message);
}

void wr_remote_refuse(struct wr_source_result *result, enum wr_source_operation operation,
		      enum wr_remote_cause cause)
{
	const struct row *row = row_of(cause);
	bool has_state = operation != WR_SOURCE_LIST && operation != WR_SOURCE_DETAIL;

	*result = (struct wr_source_result){.outcome = row->outcome};
	if (has_state || row->outcome == WR_SOURCE_FAILED ||
	    row->outcome == WR_SOURCE_UNKNOWN_WORKER) {
		wr_remote_notice(&result->notices, cause);
		return;
	}
	result->outcome = WR_SOURCE_FAILED;
	wr_notices_add(&result->notices, row->notice.code, WR_NOTICE_ERROR, row->notice.message);
}

void wr_remote_add_doubt(struct wr_source_result *result, enum wr_source_operation operation,
			 const struct wr_http_outcome *outcome)
{
	bool was_refused = outcome->status == WR_OK && outcome->head->status >= 300 &&
			   outcome->head->status < 500;

	if (result->outcome != WR_SOURCE_FAILED || was_refused ||
	    outcome->status == WR_UNAVAILABLE || !wr_source_is_command(operation))
		return;
	wr_notices_add(&result->notices, "remote_runtime_outcome_unknown", WR_NOTICE_WARNING,
		       "the command may have been carried out or not: look before it is repeated, "
		       "or repeat it with its Idempotency-Key");
}
