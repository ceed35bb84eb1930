/*
 * embedded_refusal — why a Runtime in this process did not do what it was asked for, as the Backend
 * tells it (contract 8.6).
 *
 * How it is told follows its severity: an info is an operation that is not supported, a warning a
 * rejected one, an error a failure of the Runtime.
 */
#ifndef WR_BACKEND_EMBEDDED_REFUSAL_H
#define WR_BACKEND_EMBEDDED_REFUSAL_H

#include "backend/runtime_handle.h"
#include "status.h"

#define WR_EMBEDDED_STORE_ERROR "embedded_runtime_store_error"

/* The outcome, and the notice, of a refusal. */
void wr_embedded_refuse_with(struct wr_source_result *result, const struct wr_notice *why);

/* The same of a status of core/runtime.h, of which WR_NOT_FOUND is an unknown Worker; or
 * WR_DRAINING. `detail` (may be NULL) is a text of core that says more. */
void wr_embedded_refuse(struct wr_source_result *result, enum wr_status status, const char *detail);

/* What is said of a status that is not WR_NOT_FOUND. */
const struct wr_notice *wr_embedded_notice_of(enum wr_status status);

#endif
