/*
 * event_log — the ordered, append-only story in memory: positions, retention, exact expiry.
 *
 * Each Worker, and the Runtime itself, has an event stream: its frames one behind the other in
 *chunks, so that a reader who is behind by many frames needs few system calls and no copy. A
 *position is a byte offset in that run; it only grows, and never moves when old frames go.
 *
 *	chunk: | header | frame frame frame ...  ->      free      <-  ... entry entry entry |
 *
 * An entry (sequence, end of its frame) is written from the back of the chunk for every frame. Over
 * all streams one array `order`, sorted by sequence, points at the frames that the runtime-wide
 *stream shows. A frame that only the runtime-wide stream shows lies in the Runtime's own event
 *stream; a frame that only the Worker's shows is marked and has no place in the order.
 *
 * Retention: a stream has at most its share of events and bytes, all together at most theirs; over
 *the total the oldest go from the stream with the most bytes, never below one newest event.
 *`evicted` is the highest sequence that is gone, per stream and over all: so expiry is exact.
 *Retention is applied by wr_event_log_trim, which the owner calls when a turn's output has left
 *(wr_runtime_trim), so that a burst within one turn cuts off nobody who keeps up.
 *
 * Over a store, frames become visible later than they are appended (`is_shown_late`): a stream is
 *read up to `shown`, and what is not yet shown is never evicted.
 *
 * Chunks are freed when their last frame is evicted; the observer is told before, since a
 *subscriber may stand in the middle of a frame there.
 */
#ifndef WR_CORE_EVENT_LOG_H
#define WR_CORE_EVENT_LOG_H

#include "bytes/allocator.h"
#include "bytes/view.h"
#include "containers/heap.h"
#include "containers/list.h"
#include "bounds.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

struct wr_chunk;

/* Frames of one Worker or of the Runtime. Read only outside of core. */
struct wr_event_stream {
	struct wr_chunk *first, *last;
	uint64_t begin;		   /* position of the oldest kept frame */
	uint64_t end;		   /* position behind the newest */
	uint64_t shown;		   /* position behind the newest visible one */
	uint64_t evicted;	   /* highest sequence gone from here, 0: none */
	uint64_t last_sequence;	   /* of the newest frame ever, 0: none */
	uint64_t bytes;		   /* kept: frames and their bookkeeping */
	uint32_t count;		   /* kept frames */
	uint32_t worker;	   /* number, 0: the Runtime's own */
	struct wr_heap_node share; /* in the log's heap while there is something to evict */
	struct wr_list changed; /* in the log's list since the last trim, and until all is shown */
	struct wr_list subscribers; /* owned by observe; an initialised list head */
};

/* Told about what happens to streams; functions may be NULL. */
struct wr_observer {
	void *context;
	/* Frames were appended (called for each). */
	void (*on_append)(void *context, struct wr_event_stream *stream);
	/* All positions below `position` of this stream are about to lose their memory. */
	void (*on_release)(void *context, struct wr_event_stream *stream, uint64_t position);
};

struct wr_retention {
	uint32_t stream_events_max;
	uint64_t stream_bytes_max;
	uint32_t events_max;
	uint64_t bytes_max;
};

/* One frame of the runtime-wide order. */
struct wr_order_entry {
	uint64_t sequence;
	struct wr_chunk *chunk; /* NULL: evicted */
	uint32_t index;		/* of its entry in the chunk */
};

struct wr_event_log {
	struct wr_allocator *allocator;
	struct wr_retention retention;
	struct wr_observer observer;
	struct wr_event_stream runtime; /* the Runtime's own stream */
	uint64_t last_sequence;		/* head */
	uint64_t shown_sequence;	/* newest visible one */
	bool is_shown_late;		/* not at once: by wr_event_log_show */
	uint64_t evicted;		/* highest runtime-wide one gone */
	uint64_t bytes;
	uint32_t count;
	struct wr_heap shares;
	struct wr_list changed;
	uint32_t pending_shares; /* members of `changed`: each may need a place in the heap */
	struct wr_order_entry *order;
	uint32_t order_first, order_end, order_capacity, order_gone;
};

void wr_event_log_init(struct wr_event_log *self, struct wr_allocator *allocator,
		       const struct wr_retention *retention);
void wr_event_log_deinit(struct wr_event_log *self);

void wr_event_stream_init(struct wr_event_stream *self, uint32_t worker);
/* Of a stream that has no frames: all of its story up to `sequence` is elsewhere. */
void wr_event_stream_begin_at(struct wr_event_stream *self, uint64_t sequence);
void wr_event_stream_deinit(struct wr_event_stream *self, struct wr_event_log *log);
/* Makes it a stream that never had a frame, and takes those it has out of the log. None of them may
 * have a place in the runtime-wide order, and nobody may stand in it. */
void wr_event_stream_clear(struct wr_event_stream *self, struct wr_event_log *log);

/* A frame about to be appended, and where it is shown. */
struct wr_frame {
	struct wr_event_stream *stream;
	struct wr_view bytes;
	bool is_runtime_wide; /* has a place in the order */
};

/* Makes sure that these frames (at most two, on different streams) can be appended without failing.
 * WR_OK, WR_NO_MEMORY. */
enum wr_status wr_event_log_reserve(struct wr_event_log *self, const struct wr_frame *frames,
				    unsigned count);
/* Appends the reserved frames as `sequence`, which is above last_sequence; count may be 0. */
void wr_event_log_append(struct wr_event_log *self, uint64_t sequence,
			 const struct wr_frame *frames, unsigned count);

/* Everything up to `sequence` has become visible: moves `shown` of what changed. For a log that is
 * shown late; another one shows what is appended. */
void wr_event_log_show(struct wr_event_log *self, uint64_t sequence);

/* Applies retention to what changed; what is not yet shown is never evicted. */
void wr_event_log_trim(struct wr_event_log *self);

/* ---- reading ---- */

/* The position of the first kept frame with a sequence above `sequence`, or the end. */
uint64_t wr_event_stream_seek(const struct wr_event_stream *self, uint64_t sequence);

/* Fills up to `count` views with the bytes from `position` (begin <= position <= end) on, at most
 * bytes_max bytes in all; returns how many views. Valid until the next append, trim or release. */
unsigned wr_event_stream_read(const struct wr_event_stream *self, uint64_t position,
			      struct wr_view *parts, unsigned count, uint64_t bytes_max);

/* The frame in which `position` lies: where it begins and ends. A position between two frames (or
 * at the end) gives false. Works also for an evicted frame whose chunk is still there. */
bool wr_event_stream_frame_at(const struct wr_event_stream *self, uint64_t position,
			      uint64_t *frame_begin, uint64_t *frame_end);

/* The frame of a sequence, and its position, as long as its memory is there, evicted or not. False
 * / UINT64_MAX when it is not. */
bool wr_event_stream_find(const struct wr_event_stream *self, uint64_t sequence,
			  struct wr_view *bytes);
uint64_t wr_event_stream_position(const struct wr_event_stream *self, uint64_t sequence);

/* Copies [from, to) of frames whose memory is still there, also when evicted. */
void wr_event_stream_copy(const struct wr_event_stream *self, char *out, uint64_t from,
			  uint64_t to);

/* A frame of the runtime-wide stream. In a Worker's stream (worker not 0) it needs another cursor.
 */
struct wr_order_frame {
	uint64_t sequence;
	struct wr_event_stream *stream;
	uint64_t position; /* in that stream */
	struct wr_view bytes;
};

/* The frame with the lowest sequence above `sequence` that the runtime-wide stream still has and
 * that is visible; lent until the next append or trim. False when there is none. `*hint` speeds up
 * a walk: start with 0, keep it between calls. */
bool wr_event_log_next(const struct wr_event_log *self, uint64_t sequence, uint32_t *hint,
		       struct wr_order_frame *out);

#endif
