/*
 * embedded_calls — what can be asked of a Runtime in this process (contract 8.4, 8.6, 8.8): each
 * call is one operation of core/runtime.h, done before begin returns.
 *
 * Why something was not done, embedded_refusal.h tells. An answer waits for what it depends on
 * (hold_until), also a refusal.
 */
#ifndef WR_BACKEND_EMBEDDED_CALLS_H
#define WR_BACKEND_EMBEDDED_CALLS_H

#include "backend/runtime_handle.h"
#include "core/runtime.h"

/* Placed by the caller. Fields are private but for is_draining. */
struct wr_embedded_calls {
	struct wr_runtime *runtime;
	struct wr_buf texts; /* of the request at hand */
	bool is_draining;    /* nothing may be changed any more */
};

/* The Runtime is borrowed for life. */
void wr_embedded_calls_init(struct wr_embedded_calls *self, struct wr_allocator *allocator,
			    struct wr_runtime *runtime);
void wr_embedded_calls_deinit(struct wr_embedded_calls *self);

/* Does what the call asks for and ends it by its on_done. */
void wr_embedded_call(struct wr_embedded_calls *self, struct wr_source_call *call);

#endif
