/*
 * fanout — every subscriber of a feed's event streams, and the one place where frames leave.
 *
 * A subscription is a position in an event stream (core/event_log.h) plus at most one partly
 * written frame; there is no queue per subscriber. Once per reactor turn, after all input of the
 * turn, each subscriber that is behind what is visible and whose socket takes bytes is sent what it
 * lacks, in one system call of at most WR_SUBSCRIBER_TURN_BYTES_MAX straight out of the log's
 * chunks; then retention is applied. The runtime-wide stream is the same bytes with another cursor:
 * its frames pass one shared buffer on their way, in which the cursors are replaced. Whoever is
 * behind what memory has reads from the store, a share of each turn, until memory has what comes
 * next. What the feed appends or shows must be there before the end of the turn: its hook comes
 * before ours.
 *
 * What a subscriber is sent first, and in which words it is told why its stream ends, is the feed's
 * (observe/feed.h); when, and with which Close, is decided here. A reader whose position is gone
 * from memory and store is sent the rest of its frame, as far as that is still to be had (else it
 * is reset), then WR_FEED_EXPIRED. Whoever must wait for a feed that has to ask elsewhere is sent
 * nothing, and its connection is kept alive.
 *
 * Order of calls: new -> (make the feed's log with wr_fanout_observer) -> attach -> accept* ->
 * free.
 */
#ifndef WR_OBSERVE_FANOUT_H
#define WR_OBSERVE_FANOUT_H

#include "conn/ws_conn.h"
#include "observe/feed.h"

struct wr_fanout;

struct wr_fanout_config {
	struct wr_ws_config ws;
};

/* All borrowed for life. WR_OK, WR_NO_MEMORY. */
enum wr_status wr_fanout_new(struct wr_fanout **out, struct wr_reactor *reactor,
			     struct wr_allocator *allocator, const struct wr_fanout_config *config);
/* Ends all streams at once. */
void wr_fanout_free(struct wr_fanout *self);

/* What the log of the feed is given as observer, before anything is appended. */
struct wr_observer wr_fanout_observer(struct wr_fanout *self);
/* The feed (copied; a Runtime is made with is_trimmed_by_owner: trimming is done from here, at the
 * end of each turn), and the server whose connections will come. WR_OK, WR_NO_MEMORY. */
enum wr_status wr_fanout_attach(struct wr_fanout *self, const struct wr_feed *feed,
				struct wr_http_server *server);

/* Answers an exchange whose head passed wr_ws_handshake_check: 101, then the stream of a Worker (0:
 * of the whole Runtime, if the feed has that) as the cursor (absent: none was given) asks. */
void wr_fanout_accept(struct wr_fanout *self, struct wr_http_exchange *exchange, uint32_t worker,
		      struct wr_view cursor);

/* Open streams. */
uint32_t wr_fanout_count(const struct wr_fanout *self);

/* A feed function answered WR_MORE for somebody of this scope, and may know more now: whoever waits
 * is asked about again, at the end of this turn or in the next ones. */
void wr_fanout_resume(struct wr_fanout *self, uint32_t scope);

/* The streams of a scope, or all there are, cannot go on: WR_FEED_ENDED with `why`, Close 1013;
 * inside a frame a reset. On return none of these subscribers stands in a stream of the log, and
 * nothing of what they read is remembered: a scope may then mean another story. */
void wr_fanout_end(struct wr_fanout *self, uint32_t scope, enum wr_status why);
void wr_fanout_end_all(struct wr_fanout *self, enum wr_status why);
/* The same for a scope that has no subscribers. */
void wr_fanout_forget(struct wr_fanout *self, uint32_t scope);

/* Sends every stream what it lacks as far as its socket takes it, then Close 1001; those that wait
 * for the feed are closed at once. */
void wr_fanout_drain(struct wr_fanout *self);

#endif
