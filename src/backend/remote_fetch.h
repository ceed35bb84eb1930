/*
 * remote_fetch — what was asked of a remote Runtime about one Worker, beyond the upstream, and what
 * came of it: the newest snapshot, a run of earlier frames, and what is wanted next.
 */
#ifndef WR_BACKEND_REMOTE_FETCH_H
#define WR_BACKEND_REMOTE_FETCH_H

#include "backend/backfill.h"
#include "backend/frame_run.h"
#include "core/cursor.h"

/* A snapshot as browsers are shown it. */
struct wr_kept_snapshot {
	struct wr_buf frame; /* empty: there is none */
	uint64_t sequence;   /* its watermark */
	uint64_t came_ms, used_ms;
};

struct wr_remote_fetch {
	struct wr_backfill_job job;
	struct wr_list wanting; /* in the list of those that want something, when they do */
	uint32_t remote_number; /* the Worker's in the Runtime; 0: not known */
	bool has_waiting;	/* somebody was told WR_MORE */
	bool wants_snapshot, wants_verdict;
	bool wants_above, wants_below; /* history */
	struct wr_cursor verdict_on;   /* the cursor that somebody came with */
	/* Where readers stand that lack history: the lowest behind the last begin, and the lowest
	 * of all others; both have their turn. */
	uint64_t above, below, begun_at;
	struct wr_kept_snapshot snapshot;
	struct wr_frame_run run;
	uint64_t run_used_ms, begun_ms;
	bool has_prelude; /* the snapshot before history, for old clients, came */
	uint64_t gone;	  /* highest sequence known to be gone in the Runtime */
	/* The end of the run was reached in silence, which is no proof that nothing follows: asked
	 * again when an event comes, or later and later. */
	bool is_quiet;
	uint64_t quiet_newest, quiet_until_ms;
	uint32_t quiet_ms;
	/* Why the last one failed, for who asks until then; history waits for the tick. */
	enum wr_status failure;
	uint64_t failure_until_ms;
	bool rests;	      /* history failed: not again before the tick */
	size_t counted_bytes; /* of ours, in the total of what was fetched */
};

void wr_remote_fetch_init(struct wr_remote_fetch *self, struct wr_allocator *allocator,
			  struct wr_view worker_id);
/* Its job is not under way. */
void wr_remote_fetch_deinit(struct wr_remote_fetch *self);
/* Forgets all but that somebody waits; likewise. */
void wr_remote_fetch_reset(struct wr_remote_fetch *self);

/* A reader who has everything up to `sequence` lacks what follows. */
void wr_remote_fetch_want_from(struct wr_remote_fetch *self, uint64_t sequence);
/* Whether that was asked a moment ago, and nothing came. */
bool wr_remote_fetch_is_quiet(const struct wr_remote_fetch *self, uint64_t sequence,
			      uint64_t newest, uint64_t now_ms);

#endif
