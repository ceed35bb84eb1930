/*
 * remote_stream — the events of one remote Runtime, for any number of browsers, over one upstream
 * connection.
 *
 * The upstream is the Runtime's runtime-wide stream, resumed by its cursor after every cut, with a
 * jittered backoff. What it says about Workers that somebody watches goes into a mirror: an event
 * log of finished frames for browsers, from which observe/fanout sends (it is the same fan-out that
 * a Runtime has). What a new subscriber needs and the mirror does not have (a snapshot, the events
 * since its cursor) is fetched by one short connection per Worker, shared by all who wait for it.
 *
 *	 Runtime ==== /v1/events/ws =====> upstream --> mirror (event log) --> fanout --> browsers
 *	    \                                              ^
 *	     `-- /v1/workers/{id}/events/ws[?cursor=] --> backfill: snapshots, what came earlier
 *
 * While the Runtime is away streams stay open and silent. When it comes back with the same log they
 * go on, without a gap or repeat; when its log cannot go on from where they are they are told so
 * (backend.cursor_unknown_or_expired) and ended.
 */
#ifndef WR_BACKEND_REMOTE_STREAM_H
#define WR_BACKEND_REMOTE_STREAM_H

#include "backend/policy.h"
#include "backend/remote_state.h"
#include "conn/http_server.h"
#include "conn/dial.h"
#include "conn/ws_conn.h"
#include "core/event_log.h"
#include "io/reactor/reactor.h"

struct wr_remote_stream;

/* Texts are copied. */
struct wr_remote_stream_config {
	struct wr_dial_target to;
	struct wr_tls_client *tls; /* NULL: plain; borrowed, as its name */
	const char *tls_name;
	struct wr_view host;	      /* of the Host field */
	struct wr_view target_prefix; /* before every target, or absent */
	struct wr_view authorization; /* value of that field, or absent */
	struct wr_view runtime_id;    /* as browsers know it */
	const struct wr_policy *policy;
	const struct wr_ws_config *streams; /* of browsers; NULL: the defaults */
	struct wr_retention retention;	    /* of the mirror */
	uint32_t ms_max;		    /* for connecting and a handshake */
	/* The state may have changed. Not from within a call of ours. */
	void (*on_state)(void *context, enum wr_remote_state state);
	/* Something of the Runtime changed (it was stopped, a Worker came): for who keeps a copy.
	 */
	void (*on_change)(void *context);
	void *context;
};

/* WR_OK, WR_NO_MEMORY, WR_INVALID (texts that do not belong in a head). Begins to connect. */
enum wr_status wr_remote_stream_new(struct wr_remote_stream **out, struct wr_reactor *reactor,
				    struct wr_allocator *allocator, struct wr_http_server *server,
				    const struct wr_remote_stream_config *config);
void wr_remote_stream_free(struct wr_remote_stream *self);

enum wr_remote_state wr_remote_stream_state(const struct wr_remote_stream *self);
/* Static text on why TLS failed last, or NULL. */
const char *wr_remote_stream_fault(const struct wr_remote_stream *self);
/* Somebody has reason to believe that it may be back: tries at once when it is waiting. */
void wr_remote_stream_nudge(struct wr_remote_stream *self);

/* As `observe` of a runtime_handle. */
void wr_remote_stream_observe(struct wr_remote_stream *self, struct wr_http_exchange *exchange,
			      struct wr_view worker_id, struct wr_view cursor);
uint32_t wr_remote_stream_count(const struct wr_remote_stream *self);
void wr_remote_stream_drain(struct wr_remote_stream *self);

#endif
