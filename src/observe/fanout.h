/*
 * fanout — every subscriber of a Runtime's event streams, and the one place where frames leave.
 *
 * A subscription is a position in an event stream (core/event_log.h) plus at most one partly
 * written frame; there is no queue per subscriber. Once per reactor turn, after all input of the
 * turn, each subscriber that is behind what is visible and whose socket takes bytes is sent what it
 * lacks, in one system call of at most WR_SUBSCRIBER_TURN_BYTES_MAX straight out of the log's
 * chunks; then retention is applied. The runtime-wide stream is the same bytes with another cursor:
 * its frames pass one shared buffer on their way, in which the cursors are replaced. Whoever is
 * behind what memory has reads from the store, a share of each turn, until memory has what comes
 * next. The owner calls wr_runtime_settle before the end of the turn: its hook comes before ours.
 *
 * Opening (design 3): without a cursor a filled snapshot whose cursor is its watermark, then what
 * comes; with a good cursor the events after it; else the one diagnostic that says why not, and
 * Close 1008. A reader whose position is gone from memory and store is sent the rest of its frame,
 * as far as that is still to be had (else it is reset), the diagnostic runtime.cursor_expired with
 * the oldest usable cursor, and Close 1013. When the store cannot be read: runtime.store_corrupt or
 * runtime.store_io, Close 1011. Any data frame of a client: runtime.observation_only, Close 1008.
 *
 * Order of calls: new -> (make the Runtime with wr_fanout_observer) -> attach -> accept* -> free.
 */
#ifndef WR_OBSERVE_FANOUT_H
#define WR_OBSERVE_FANOUT_H

#include "conn/ws_conn.h"
#include "core/runtime.h"
#include "wire/worker_json.h"

struct wr_fanout;

struct wr_fanout_config {
	struct wr_ws_config ws;
	enum wr_compat compat;
};

/* All borrowed for life. WR_OK, WR_NO_MEMORY. */
enum wr_status wr_fanout_new(struct wr_fanout **out, struct wr_reactor *reactor,
			     struct wr_allocator *allocator, const struct wr_fanout_config *config);
/* Ends all streams at once. */
void wr_fanout_free(struct wr_fanout *self);

/* What the Runtime's ports are given as observer. */
struct wr_observer wr_fanout_observer(struct wr_fanout *self);
/* The Runtime (made with is_trimmed_by_owner: trimming is done here, at the end of each turn), and
 * the server whose connections will come. WR_OK, WR_NO_MEMORY. */
enum wr_status wr_fanout_attach(struct wr_fanout *self, struct wr_runtime *runtime,
				struct wr_http_server *server);

/* Answers an exchange whose head passed wr_ws_handshake_check: 101, then the stream of a Worker (0:
 * of the whole Runtime) as the cursor (absent: none was given) asks. */
void wr_fanout_accept(struct wr_fanout *self, struct wr_http_exchange *exchange, uint32_t worker,
		      struct wr_view cursor);

/* Open streams. */
uint32_t wr_fanout_count(const struct wr_fanout *self);

/* Sends every stream what it lacks as far as its socket takes it, then Close 1001. */
void wr_fanout_drain(struct wr_fanout *self);

#endif
