/*
 * upstream — the one connection to a remote Runtime's runtime-wide stream, for ever: opened again
 * after every end, with the cursor of the last message, so that what comes has no gap and nothing
 * twice.
 *
 * The first message of a connection without a cursor is the runtime_snapshot, which says where the
 * log stands. From then on sequences grow and the log stays the same; what breaks that is no
 * Runtime, and is cut. When the Runtime refuses the cursor the position is forgotten (on_lost), and
 * the next connection asks for a new one.
 *
 * Waits between attempts: at once, then jittered and doubling up to 5 s; a Runtime without this
 * stream is asked once a minute.
 */
#ifndef WR_BACKEND_UPSTREAM_H
#define WR_BACKEND_UPSTREAM_H

#include "backend/remote_state.h"
#include "backend/stream_client.h"

struct wr_upstream_ops {
	/* A log was found; `position` is where its stream begins. */
	void (*on_begin)(void *context, const struct wr_cursor *position);
	/* An event or runtime_event; `position` is its place. */
	void (*on_frame)(void *context, const struct wr_stream_frame *frame, bool is_known);
	/* The log cannot go on from where we stood (the cursor's refusal). */
	void (*on_lost)(void *context, enum wr_status why);
	void (*on_state)(void *context);
};

/* Zero-initialised, placed by the owner, must not move. Fields may be read. */
struct wr_upstream {
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	const struct wr_stream_peer *peer;
	const struct wr_upstream_ops *ops;
	void *context;
	struct wr_stream_client client;
	struct wr_timer timer; /* until the next attempt, or for the first answer */
	enum wr_remote_state state;
	bool is_begun; /* the client is open */
	bool has_position;
	struct wr_cursor position; /* of the last message */
	uint64_t opened_ms;	   /* 0: the handshake is not done */
	uint64_t attempted_ms;
	unsigned failures, losses; /* since a connection held for a while */
	uint32_t wait_ms;
	uint64_t unknown_events, breaches, attempts; /* counted for life */
};

/* Begins to connect. WR_OK; WR_INVALID, WR_NO_MEMORY, WR_IO: nothing was begun. */
enum wr_status wr_upstream_begin(struct wr_upstream *self, struct wr_reactor *reactor,
				 struct wr_allocator *allocator, const struct wr_stream_peer *peer,
				 const struct wr_upstream_ops *ops, void *context);
void wr_upstream_end(struct wr_upstream *self);

/* Tries at once when it is waiting. */
void wr_upstream_nudge(struct wr_upstream *self);
/* There is reason to doubt that the Runtime still has what we have seen: asks it, by opening again
 * with our cursor. */
void wr_upstream_verify(struct wr_upstream *self);
/* Within on_frame: the log cannot go on from where we stood. On_lost is not told. */
void wr_upstream_lose(struct wr_upstream *self);
/* Once per turn: what could not be begun for want of memory is tried again. */
void wr_upstream_turn(struct wr_upstream *self);

#endif
