/*
 * The face's insides, shared by browser_*.c: what one request is while it is served, and answers.
 */
#ifndef WR_BACKEND_BROWSER_PRIVATE_H
#define WR_BACKEND_BROWSER_PRIVATE_H

#include "backend/browser_errors.h"
#include "backend/browser_routes.h"
#include "backend/tickets.h"
#include "containers/list.h"

/* Memory of requests that wait: taken from the program's, but no more than they may have. */
struct wr_browser_memory {
	struct wr_allocator port;
	struct wr_allocator *below;
};

struct wr_browser_face {
	struct wr_allocator *allocator;
	struct wr_browser_config config;
	enum wr_browser_state state;
	struct wr_browser_memory memory;
	struct wr_list waiting; /* of struct wr_browser_wait */
	uint32_t waiting_count;
	struct wr_buf ids, texts; /* decoded, for one call of the app */
	struct wr_buf replaced;	  /* what the policy shows instead of an entry */
	struct wr_tickets tickets;
};

/* What a route's function is given; views live for the call. */
struct wr_browser_request {
	struct wr_browser_face *face;
	struct wr_http_exchange *exchange;
	unsigned may;			  /* of its credential */
	struct wr_view ids[2];		  /* of the path, decoded and valid */
	struct wr_runtime_handle *handle; /* that the path names; else NULL */
	struct wr_view body;
};

typedef void wr_browser_fn(struct wr_browser_request *request);

/* ---- answers (browser_answers.c) ---- */

/* A JSON answer, built in wr_http_answer_body. */
void wr_browser_answer(struct wr_http_exchange *exchange, unsigned http, struct wr_buf *body);
/* `id` as wr_browser_error_write has it. */
void wr_browser_refuse(struct wr_http_exchange *exchange, const struct wr_browser_error *error,
		       struct wr_view id);
void wr_browser_refuse_name(struct wr_http_exchange *exchange, enum wr_browser_error_name name,
			    struct wr_view id);
void wr_browser_refuse_wire(struct wr_http_exchange *exchange, enum wr_wire_error error);

/* ---- calls of sources (browser_calls.c) ---- */

/* Asks a source for what `what` says (operation, worker_id, idempotency_key, as), which is copied,
 * and answers when it is done. */
void wr_browser_call(struct wr_browser_face *face, struct wr_http_exchange *exchange,
		     struct wr_runtime_handle *handle, const struct wr_source_call *what);
/* Asks sources for their Workers. */
void wr_browser_call_lists(struct wr_browser_face *face, struct wr_http_exchange *exchange,
			   struct wr_runtime_handle *const *handles, uint32_t count);
/* The browser has gone. */
void wr_browser_calls_abandon(struct wr_http_exchange *exchange);
/* The source goes: its calls end as failed. */
void wr_browser_calls_forget(struct wr_browser_face *face, struct wr_runtime_handle *handle);
void wr_browser_memory_init(struct wr_browser_memory *self, struct wr_allocator *below, size_t max);

/* ---- the functions of routes, by file ---- */

/* browser_reads.c: what is known at once */
wr_browser_fn wr_browser_serve_runtimes, wr_browser_serve_runtime, wr_browser_serve_hosts,
	wr_browser_serve_workspace, wr_browser_serve_ticket, wr_browser_serve_healthz,
	wr_browser_serve_readyz;
void wr_browser_serve_file(struct wr_http_exchange *exchange, const struct wr_console_file *file);

/* browser_operations.c: what a source is asked for */
wr_browser_fn wr_browser_serve_workers, wr_browser_serve_host_workers,
	wr_browser_serve_runtime_workers, wr_browser_serve_worker, wr_browser_serve_transcript,
	wr_browser_serve_spawn, wr_browser_serve_input, wr_browser_serve_stop,
	wr_browser_serve_cancel, wr_browser_serve_interrupt, wr_browser_serve_events,
	wr_browser_serve_store_bundle, wr_browser_serve_availability;
/* Whether the upgrade is one; otherwise answered. */
bool wr_browser_check_upgrade(struct wr_browser_request *request);
/* Whether an Idempotency-Key is absent or one; otherwise answered. */
bool wr_browser_check_key(struct wr_browser_request *request);

#endif
