/*
 * remote_parts — what the parts of a remote stream share. From the top:
 *
 *	remote_stream.c      the face: its life, and what a turn does
 *	remote_feed.c        what the fan-out asks
 *	remote_upstream.c    what the upstream says
 *	remote_history.c     what is wanted of the Runtime beside the upstream, and when it is asked
 *	remote_backfill.c    what comes of that
 *	remote_kept.c        what is kept of it
 *	remote_worker.c      what all of them do for one Worker
 */
#ifndef WR_BACKEND_REMOTE_PARTS_H
#define WR_BACKEND_REMOTE_PARTS_H

#include "backend/event_frame.h"
#include "backend/mirror.h"
#include "backend/remote_refusals.h"
#include "backend/remote_stream.h"
#include "backend/upstream.h"
#include "observe/fanout.h"

struct wr_remote_stream {
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	char *texts; /* all of the config's */
	size_t texts_bytes;
	struct wr_stream_peer peer;
	struct wr_view runtime_id;
	const struct wr_policy *policy;
	void (*on_state)(void *context, enum wr_remote_state state);
	void (*on_change)(void *context);
	void *context;
	struct wr_cursor_mask mask;
	struct wr_upstream upstream;
	struct wr_backfill backfill;
	struct wr_mirror mirror;
	struct wr_fanout *fanout;
	struct wr_turn_hook hook; /* after the fan-out's */
	struct wr_timer tick;	  /* while streams are kept */
	struct wr_list wanting;
	struct wr_buf frame, scratch;
	struct wr_buf ended; /* payload of an end that drops inputs */
	struct wr_remote_refusals refusals;
	size_t fetched_bytes; /* of snapshots and runs */
	bool has_new_state, has_change;
};

static inline uint64_t wr_remote_now_ms(const struct wr_remote_stream *self)
{
	return self->reactor->now_ms;
}

/* ---- remote_worker.c ---- */

/* Appends an event as browsers are shown it, if they are. */
enum wr_status wr_remote_encode(struct wr_remote_stream *self, struct wr_buf *out,
				const struct wr_mirror_worker *worker,
				const struct wr_cursor *cursor, struct wr_view name,
				struct wr_view payload, bool *is_shown);
/* Whoever was told WR_MORE is asked about again. */
void wr_remote_resume(struct wr_remote_stream *self, struct wr_mirror_worker *worker);

/* ---- remote_feed.c, remote_upstream.c, remote_backfill.c ---- */

extern const struct wr_feed_ops wr_remote_feed_ops;
extern const struct wr_upstream_ops wr_remote_upstream_ops;
extern const struct wr_backfill_ops wr_remote_backfill_ops;

/* ---- remote_history.c: what the feed asks, within its functions ---- */

/* A snapshot for a new subscriber; WR_OK: worker->fetch.snapshot. Else as `open` of a feed. */
enum wr_status wr_remote_snapshot(struct wr_remote_stream *self, struct wr_mirror_worker *worker);
/* Whether a cursor of this log is good. Likewise. */
enum wr_status wr_remote_judge(struct wr_remote_stream *self, struct wr_mirror_worker *worker,
			       uint32_t generation, uint64_t sequence);
/* As `stored_frame` of a feed. */
enum wr_status wr_remote_stored(struct wr_remote_stream *self, struct wr_mirror_worker *worker,
				uint64_t after, uint64_t *sequence, struct wr_view *frame);

/* Once per turn, and once per second. */
void wr_remote_history_turn(struct wr_remote_stream *self);
void wr_remote_history_tick(struct wr_remote_stream *self, struct wr_mirror_worker *worker);
/* The log, or the Runtime, has gone: nothing is asked for any more. Resumes nobody. */
void wr_remote_history_stop(struct wr_remote_stream *self);

/* ---- remote_kept.c ---- */

/* What a Worker's fetch holds has changed. */
void wr_remote_kept_count(struct wr_remote_stream *self, struct wr_mirror_worker *worker);
/* What was fetched of a Worker is not needed any more. */
void wr_remote_kept_drop(struct wr_remote_stream *self, struct wr_mirror_worker *worker);
void wr_remote_kept_drop_snapshot(struct wr_remote_stream *self, struct wr_mirror_worker *worker);
void wr_remote_kept_drop_run(struct wr_remote_stream *self, struct wr_mirror_worker *worker);
/* At the end of a turn: down to the bound. */
void wr_remote_kept_trim(struct wr_remote_stream *self);

#endif
