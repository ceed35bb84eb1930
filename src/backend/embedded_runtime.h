/*
 * embedded_runtime — a Runtime in this process, by direct calls of the library: the handle
 * `embedded_worker_runtime`. Its id is `backend-internal` unless configured, its label
 * "Backend-internal runtime"; it has no address, credential or socket that could be told.
 *
 * Its log's frames are made for browsers (event_frame.h), and observe/fanout sends them; log, keys
 * and programs are those of host/, so it keeps what worker-runtime keeps.
 */
#ifndef WR_BACKEND_EMBEDDED_RUNTIME_H
#define WR_BACKEND_EMBEDDED_RUNTIME_H

#include "backend/policy.h"
#include "backend/runtime_handle.h"
#include "conn/ws_conn.h"
#include "host/hosting.h"
#include "io/reactor/reactor.h"

struct wr_embedded_config {
	const struct wr_hosting *hosting; /* runtime_id NULL: backend-internal */
	struct wr_view workspace_id;	  /* of the host's id; copied */
	const struct wr_policy *policy;
	const struct wr_ws_config *streams; /* of browsers; NULL: the defaults */
	/* The store has failed, and nothing can be kept any more; at the end of a turn. */
	void (*on_failed)(void *context);
	void *context;
};

/* All pointers are borrowed for life. Two steps, because its store is opened before the server
 * listens, and its streams need the server. NULL, with a message for people: nothing is left. */
struct wr_runtime_handle *wr_embedded_runtime_new(struct wr_reactor *reactor,
						  struct wr_allocator *allocator,
						  const struct wr_embedded_config *config,
						  struct wr_buf *message);
/* WR_OK, WR_NO_MEMORY, WR_IO. */
enum wr_status wr_embedded_runtime_attach(struct wr_runtime_handle *self,
					  struct wr_http_server *server);

/* SIGCHLD came. */
void wr_embedded_runtime_reap(struct wr_runtime_handle *self);
/* No input any more; programs are ended in good order. (Streams: ops->drain, afterwards.) */
void wr_embedded_runtime_end_programs(struct wr_runtime_handle *self);
/* Whether no program is left and all that was decided is visible: streams may be drained now. */
bool wr_embedded_runtime_is_settled(const struct wr_runtime_handle *self);

#endif
