/*
 * feed — port: what a fan-out sends: an event log, and whoever knows what is not in it.
 *
 * A feed is a Runtime in this process (observe/runtime_source.h helps to make one), or what a
 * Backend knows of a Runtime elsewhere: its log then holds what has been seen lately, and the rest
 * must be asked for over a network. So two of the functions may answer "not yet" (WR_MORE): the
 * fan-out lets the subscriber wait, and asks again when wr_fanout_resume says so.
 *
 * A scope is the number of a Worker, or 0 for the whole Runtime. It means the same story for as
 * long as somebody watches it; whoever lets it mean another one calls wr_fanout_end first.
 *
 * None of these functions calls the fan-out, and none but trim frees a stream: the fan-out may
 * stand in the midst of it. A feed outlives its fan-out.
 */
#ifndef WR_OBSERVE_FEED_H
#define WR_OBSERVE_FEED_H

#include "bytes/buf.h"
#include "core/event_log.h"
#include "core/store.h"

/* What a subscriber is told before its stream is ended. */
enum wr_feed_news {
	WR_FEED_OBSERVATION_ONLY, /* it sent something; Close 1008 */
	WR_FEED_BROKEN,		  /* it broke the protocol (`why`); Close 1002, 1007 or 1009 */
	WR_FEED_REFUSED,	  /* `why` is what open returned; Close 1008, or 1013 when trying
				     again later may help (WR_UNAVAILABLE) */
	WR_FEED_EXPIRED,	  /* what comes next is gone for good; Close 1013 */
	WR_FEED_FAILED,		  /* what comes next cannot be read (`why`); Close 1011 */
	WR_FEED_ENDED		  /* wr_fanout_end, with its `why`; Close 1013 */
};

struct wr_feed_ops {
	/* The stream of a Worker; never NULL for a scope that was accepted. */
	struct wr_event_stream *(*stream)(void *context, uint32_t scope);

	/* Where a new subscriber begins. `cursor` absent: a snapshot frame is appended to `out`,
	 * and *sequence is its watermark; else *sequence is the last event that the holder of the
	 * cursor has (a feed may append a snapshot then, too). *sequence may be above everything
	 * that the log has seen: frames up to it are then never sent to this subscriber. WR_OK;
	 * WR_MORE: not known yet, ask again after wr_fanout_resume(scope); anything else refuses:
	 * for WR_EXPIRED *sequence is the oldest usable one. */
	enum wr_status (*open)(void *context, uint32_t scope, struct wr_view cursor,
			       struct wr_buf *out, uint64_t *sequence);

	/* Highest sequence of a scope that is gone for good, in memory and elsewhere. */
	uint64_t (*evicted)(void *context, uint32_t scope);

	/* The frame with the lowest sequence above `after` that memory does not have. Valid until
	 * the next call of anything. WR_OK; WR_NOT_FOUND: none that is not in memory; WR_MORE: ask
	 * again after wr_fanout_resume(scope); WR_EXPIRED: gone meanwhile; others: it cannot be
	 * read. */
	enum wr_status (*stored_frame)(void *context, uint32_t scope, uint64_t after,
				       struct wr_store_place *place, uint64_t *sequence,
				       struct wr_view *frame);

	/* Appends the diagnostic frame for the end of a stream of that scope. `sequence`: of
	 * WR_EXPIRED, the oldest usable one. */
	void (*diagnose)(void *context, struct wr_buf *out, uint32_t scope, enum wr_feed_news news,
			 enum wr_status why, uint64_t sequence);

	/* Applies retention: everything of this turn has left. */
	void (*trim)(void *context);

	/* A subscriber of the scope is there, or no longer (delta 1, -1): before it is opened, and
	 * when its connection has gone. NULL: nobody counts. */
	void (*count)(void *context, uint32_t scope, int delta);

	/* Makes of a frame that lies in a Worker's stream the one that scope 0 shows, in place.
	 * NULL: scope 0 is never asked for. */
	void (*patch)(void *context, char *frame, size_t bytes, uint64_t sequence);
};

struct wr_feed {
	const struct wr_feed_ops *ops;
	void *context;
	struct wr_event_log *log;
};

#endif
