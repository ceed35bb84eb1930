/*
 * mirror — what is known of a remote Runtime's log: where it stands, and per Worker its newest
 * event and, while somebody watches, an event stream of finished frames.
 *
 * The upstream brings every event, so for every Worker the mirror can say up to where nothing of it
 * is missing:
 *
 *	 ... evicted | frames in memory | newest            position
 *	 elsewhere   '------------------'     nothing of this Worker
 *
 * A Worker that is not watched is just its `newest`: when somebody comes, its stream begins there,
 * and who has seen that event lacks nothing. Workers are known up to a bound; which is forgotten
 * (the one whose newest event is oldest) raises `floor`: of Workers that are not here there is
 * nothing between the floor and the position.
 *
 * Which cursors are good without asking: a generation in which sequence N was seen has all up to N.
 *
 * No I/O. Numbers are the scopes of observe/feed.h, and ours; they mean a Worker's id for as long
 * as somebody watches it.
 */
#ifndef WR_BACKEND_MIRROR_H
#define WR_BACKEND_MIRROR_H

#include "backend/remote_fetch.h"
#include "core/cursor.h"
#include "core/event_log.h"

enum {
	WR_MIRROR_WORKERS_MAX = 4096,
	/* A stream outlives its last subscriber by this, so that a page can be loaded again. */
	WR_MIRROR_UNWATCHED_MS = 60000,
	WR_MIRROR_GENERATIONS = 8
};

struct wr_mirror_worker {
	struct wr_event_stream events; /* while it is kept */
	struct wr_list age;	       /* in the mirror's list, the oldest `newest` first */
	struct wr_view id;	       /* behind this struct */
	uint32_t number, tag;
	uint32_t subscriber_count;
	bool is_kept;
	bool has_event;	  /* `newest` is an event of it, not the floor */
	uint64_t newest;  /* nothing of it between this and the position */
	uint64_t used_ms; /* somebody watched it, or asked for it */
	struct wr_remote_fetch fetch;
};

struct wr_mirror {
	struct wr_allocator *allocator;
	struct wr_event_log log;
	struct wr_observer observer;
	/* A Worker goes, and its number will be another's. May be NULL. */
	void (*on_remove)(void *context, struct wr_mirror_worker *worker);
	void *context;
	bool has_log;
	struct wr_cursor position; /* of the newest event seen */
	uint64_t floor;
	struct wr_mirror_worker **by_number; /* NULL: free */
	struct wr_mirror_worker **by_id;     /* sorted */
	uint32_t count, capacity, count_max;
	uint32_t kept_count;
	struct wr_list ages;
	struct wr_mirror_worker *last; /* of the last event; many come in a row */
	struct {
		uint32_t generation;
		uint64_t sequence;
	} seen[WR_MIRROR_GENERATIONS]; /* by generation */
	unsigned seen_count;
};

void wr_mirror_init(struct wr_mirror *self, struct wr_allocator *allocator,
		    const struct wr_retention *retention, uint32_t count_max);
void wr_mirror_deinit(struct wr_mirror *self);
/* Whom the log tells. */
void wr_mirror_observe(struct wr_mirror *self, const struct wr_observer *observer);

/* A log begins, as far as we are concerned, at a position. Nobody stands in a stream. */
void wr_mirror_begin(struct wr_mirror *self, const struct wr_cursor *position);
/* It can no longer be followed: Workers keep their numbers, and nothing else. Likewise. */
void wr_mirror_lose(struct wr_mirror *self);

/* A Worker by id or number; NULL: not known. */
struct wr_mirror_worker *wr_mirror_find(const struct wr_mirror *self, struct wr_view id);
struct wr_mirror_worker *wr_mirror_at(const struct wr_mirror *self, uint32_t number);
/* The same, made when it is not known: for somebody who watches, so that a stream that nobody
 * watches any more may go for it. NULL: no memory, or all that are known are in use. */
struct wr_mirror_worker *wr_mirror_take(struct wr_mirror *self, struct wr_view id);

/* ---- events ---- */

/* The position is here now. */
void wr_mirror_move(struct wr_mirror *self, const struct wr_cursor *position);
/* A Worker's event is at the position. The Worker, when its stream is kept: append to it, or lose
 * it. Else NULL. */
struct wr_mirror_worker *wr_mirror_note(struct wr_mirror *self, struct wr_view id);
/* WR_OK; WR_NO_MEMORY: it is not in the stream, which has to be begun again. */
enum wr_status wr_mirror_append(struct wr_mirror *self, struct wr_mirror_worker *worker,
				struct wr_view frame);

/* ---- streams ---- */

/* Somebody watches: the stream is there, from `newest` on. */
void wr_mirror_keep(struct wr_mirror *self, struct wr_mirror_worker *worker, uint64_t now_ms);
/* The stream begins again at `newest`; nobody stands in it. */
void wr_mirror_restart(struct wr_mirror *self, struct wr_mirror_worker *worker);
/* Nobody watches, and nobody did for a while: the stream goes. Whether it went. */
bool wr_mirror_forget(struct wr_mirror *self, struct wr_mirror_worker *worker, uint64_t now_ms);

/* ---- cursors ---- */

/* In this generation of this log there is an event `sequence`, or was its end. */
void wr_mirror_saw(struct wr_mirror *self, uint32_t generation, uint64_t sequence);
/* Whether that is certain. */
bool wr_mirror_has_seen(const struct wr_mirror *self, uint32_t generation, uint64_t sequence);
/* Whether something of an older generation than this one was seen behind the position, which an
 * unclean stop may have taken away. */
bool wr_mirror_is_ahead(const struct wr_mirror *self, uint32_t generation);

#endif
