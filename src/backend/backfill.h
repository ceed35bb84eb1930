/*
 * backfill — short connections to one Worker's stream of a remote Runtime, a few at once; whoever
 * finds all taken waits in a queue.
 *
 * A job is one question: what is the snapshot, is this cursor good, what came after it. Its owner
 * judges every frame, and says whether it has enough.
 */
#ifndef WR_BACKEND_BACKFILL_H
#define WR_BACKEND_BACKFILL_H

#include "backend/stream_client.h"
#include "containers/list.h"

enum { WR_BACKFILL_CONNECTIONS = 4, WR_BACKFILL_HISTORIES = 3 };

enum wr_backfill_kind {
	WR_BACKFILL_SNAPSHOT, /* no cursor: the first frame */
	WR_BACKFILL_VERDICT,  /* the cursor is accepted, or refused */
	WR_BACKFILL_HISTORY   /* the frames behind the cursor */
};

struct wr_backfill_slot;

/* Placed by the owner, initialised; fields are private but for `kind` and `cursor`. */
struct wr_backfill_job {
	struct wr_list place; /* in the queue */
	struct wr_backfill_slot *slot;
	struct wr_view worker_id;
	enum wr_backfill_kind kind;
	struct wr_cursor cursor; /* not of a snapshot */
	uint32_t quiet_ms;	 /* of history: silence that ends it */
	bool is_patient;	 /* of a verdict: waits for a word */
};

struct wr_backfill_ops {
	/* WR_MORE: go on. Else the job ends: WR_OK, it has enough; or why the frame is no good. */
	enum wr_status (*on_frame)(void *context, struct wr_backfill_job *job,
				   const struct wr_stream_frame *frame, bool is_known);
	/* The job has ended; it may be begun again from within. WR_OK: on_frame said so, or the
	 * cursor is good (a verdict); WR_TIMEOUT: silence (history); what on_frame said; refusals
	 * of a cursor, WR_NOT_FOUND, WR_CORRUPT, WR_SYNTAX, WR_NO_MEMORY, WR_UNAVAILABLE. */
	void (*on_end)(void *context, struct wr_backfill_job *job, enum wr_status why);
};

struct wr_backfill_slot {
	struct wr_stream_client client;
	struct wr_timer timer;
	struct wr_backfill *owner;
	struct wr_backfill_job *job; /* NULL: free */
	bool is_closing;	     /* ours, to see whether the Runtime takes it for a good end */
};

/* Zero-initialised, placed by the owner, must not move. */
struct wr_backfill {
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	const struct wr_stream_peer *peer;
	const struct wr_backfill_ops *ops;
	void *context;
	struct wr_list queue, histories; /* what somebody waits for to begin goes first */
	struct wr_backfill_slot slots[WR_BACKFILL_CONNECTIONS];
	unsigned history_count; /* under way: one connection is always for who begins */
	uint64_t begun;		/* connections, for life */
};

void wr_backfill_init(struct wr_backfill *self, struct wr_reactor *reactor,
		      struct wr_allocator *allocator, const struct wr_stream_peer *peer,
		      const struct wr_backfill_ops *ops, void *context);
/* Ends everything, without on_end. */
void wr_backfill_deinit(struct wr_backfill *self);

void wr_backfill_job_init(struct wr_backfill_job *job, struct wr_view worker_id);
/* A job that is not under way begins, or waits for a connection; nothing is told from within. */
void wr_backfill_begin(struct wr_backfill *self, struct wr_backfill_job *job);
/* Ends it without on_end; harmless when it is not under way. */
void wr_backfill_cancel(struct wr_backfill *self, struct wr_backfill_job *job);
static inline bool wr_backfill_is_under_way(const struct wr_backfill_job *job)
{
	return job->slot != NULL || !wr_list_is_empty(&job->place);
}

/* Once per turn: gives free connections to those who wait. */
void wr_backfill_turn(struct wr_backfill *self);

#endif
