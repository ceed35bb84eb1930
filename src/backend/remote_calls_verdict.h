/*
 * remote_calls_verdict — what it means for a call that a remote Runtime refused, failed or was
 * silent (contract 8.10): an outcome and a notice, in words of ours.
 *
 * Of what a remote says only its status and its code are looked at, and the code only to choose
 * among our texts: nothing that it wrote is passed on (W27). A command that was refused is final;
 * 429 and 503 are refusals too, because a Runtime that has no time for a command has not begun it.
 * When its fate is unknown (no answer, or one of a failure) a second notice says so.
 */
#ifndef WR_BACKEND_REMOTE_CALLS_VERDICT_H
#define WR_BACKEND_REMOTE_CALLS_VERDICT_H

#include "backend/runtime_handle.h"
#include "conn/http_client.h"

/* X(NAME, outcome, severity, code, message) */
#define WR_REMOTE_CAUSE_LIST(X)                                                                    \
	X(TIMEOUT, FAILED, ERROR, "remote_runtime_timeout", "the Runtime did not answer in time")  \
	X(NETWORK, FAILED, ERROR, "remote_runtime_network_error", "the Runtime cannot be reached") \
	X(TLS, FAILED, ERROR, "remote_runtime_tls_failed",                                         \
	  "no TLS connection to the Runtime that could be trusted: the log of this Backend says "  \
	  "why")                                                                                   \
	X(CLIENT, FAILED, ERROR, "remote_runtime_client_error",                                    \
	  "the Backend has no room to ask this Runtime at the moment: try again soon")             \
	X(MALFORMED, FAILED, ERROR, "remote_runtime_malformed_response",                           \
	  "the Runtime's answer cannot be understood")                                             \
	X(AUTH, FAILED, ERROR, "remote_runtime_auth_failed",                                       \
	  "the Runtime does not accept this Backend: see how both are configured")                 \
	X(HTTP_ERROR, FAILED, ERROR, "remote_runtime_http_error",                                  \
	  "something failed inside the Runtime")                                                   \
	X(UNKNOWN_WORKER, UNKNOWN_WORKER, WARNING, "remote_worker_not_found",                      \
	  "the Runtime has no such Worker")                                                        \
	X(UNSUPPORTED, UNSUPPORTED, WARNING, "remote_runtime_unsupported",                         \
	  "the Runtime does not support this operation")                                           \
	X(SOCKET_READY, REJECTED, WARNING, "remote_runtime_no_socket_ready_acceptance",            \
	  "a Worker elsewhere can only be asked for with the acceptance run_accepted")             \
	X(BUSY, REJECTED, WARNING, "remote_worker_busy",                                           \
	  "the Worker is busy with a turn: try again when it is idle, or interrupt it")            \
	X(UNAVAILABLE_NOW, REJECTED, WARNING, "remote_runtime_unavailable_now",                    \
	  "the Runtime takes nothing at the moment: try again soon")                               \
	X(KEY_MISMATCH, REJECTED, WARNING, "remote_runtime_idempotency_mismatch",                  \
	  "this Idempotency-Key was used with another body: use a fresh one")                      \
	X(KEY_INVALID, REJECTED, WARNING, "remote_runtime_idempotency_key_invalid",                \
	  "Idempotency-Key must be 1 to 128 visible ASCII characters")                             \
	X(NOT_RUNNING, REJECTED, WARNING, "remote_runtime_http_rejected",                          \
	  "the Worker was stopped or cancelled and takes nothing more")                            \
	X(NO_TURN, REJECTED, WARNING, "remote_runtime_http_rejected",                              \
	  "the Worker has no turn that could be interrupted")                                      \
	X(STOPPED, REJECTED, WARNING, "remote_runtime_http_rejected",                              \
	  "the Runtime was stopped: it can be read but not changed")                               \
	X(NO_EXECUTION, REJECTED, WARNING, "remote_runtime_http_rejected",                         \
	  "nothing runs this Worker at the moment")                                                \
	X(EXECUTION, REJECTED, WARNING, "remote_runtime_http_rejected",                            \
	  "what runs this Worker refused the operation")                                           \
	X(TOO_LARGE, REJECTED, WARNING, "remote_runtime_http_rejected",                            \
	  "the request, or a value in it, is over the size limit")                                 \
	X(INVALID, REJECTED, WARNING, "remote_runtime_http_rejected",                              \
	  "the Runtime does not accept a value of the request")                                    \
	X(PROFILE, REJECTED, WARNING, "remote_runtime_http_rejected",                              \
	  "the Runtime has no such profile, or the config bundle does not declare it")             \
	X(BUNDLE_MISSING, REJECTED, WARNING, "remote_runtime_http_rejected",                       \
	  "the Runtime has no config bundle of this id: sync it first")                            \
	X(BUNDLE_DIGEST, REJECTED, WARNING, "remote_runtime_http_rejected",                        \
	  "the digest of the config bundle is another one: sync it again")                         \
	X(DECLARATION, REJECTED, WARNING, "remote_runtime_http_rejected",                          \
	  "the config bundle declares what the Runtime does not support")                          \
	X(BUNDLES_FULL, REJECTED, WARNING, "remote_runtime_http_rejected",                         \
	  "the Runtime has as many config bundles as it may")                                      \
	X(STORE_FULL, REJECTED, WARNING, "remote_runtime_http_rejected",                           \
	  "the Runtime has no room to keep more")                                                  \
	X(WORKERS_FULL, REJECTED, WARNING, "remote_runtime_http_rejected",                         \
	  "the Runtime has as many Workers as it may")                                             \
	X(REDIRECT, REJECTED, WARNING, "remote_runtime_http_rejected",                             \
	  "the Runtime answered with a redirect, which is not followed")                           \
	X(REJECTED, REJECTED, WARNING, "remote_runtime_http_rejected",                             \
	  "the Runtime rejected the request")

enum wr_remote_cause {
#define WR_REMOTE_CAUSE_ENUM(name, outcome, severity, code, message) WR_REMOTE_CAUSE_##name,
	WR_REMOTE_CAUSE_LIST(WR_REMOTE_CAUSE_ENUM)
#undef WR_REMOTE_CAUSE_ENUM
};

/* Of a call that did not get a 2xx. */
enum wr_remote_cause wr_remote_cause_of(enum wr_source_operation operation,
					const struct wr_http_outcome *outcome,
					struct wr_allocator *allocator);

/* Outcome and notice. A list and a detail have no state to tell a refusal by: of them it is a
 * failure with a notice of severity error (contract 8.5). */
void wr_remote_refuse(struct wr_source_result *result, enum wr_source_operation operation,
		      enum wr_remote_cause cause);
/* The request was sent, and what became of it is not known: says so when it was a command. */
void wr_remote_add_doubt(struct wr_source_result *result, enum wr_source_operation operation,
			 const struct wr_http_outcome *outcome);
/* The notice alone. */
void wr_remote_notice(struct wr_notices *notices, enum wr_remote_cause cause);

static inline bool wr_source_is_command(enum wr_source_operation operation)
{
	return operation != WR_SOURCE_LIST && operation != WR_SOURCE_DETAIL &&
	       operation != WR_SOURCE_TRANSCRIPT && operation != WR_SOURCE_BUNDLE_AVAILABILITY;
}

#endif
