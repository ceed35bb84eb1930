/*
 * frame_run — finished frames of one Worker, one behind the other, as they were fetched: all that
 * it shows behind `after` up to `upto`.
 */
#ifndef WR_BACKEND_FRAME_RUN_H
#define WR_BACKEND_FRAME_RUN_H

#include "bytes/buf.h"

#include <stdbool.h>

struct wr_frame_run {
	struct wr_buf bytes, marks; /* marks: sequence and end of each frame */
	uint64_t after, upto;
	bool is_there;
};

void wr_frame_run_init(struct wr_frame_run *self, struct wr_allocator *allocator);
/* Gives the memory back: it is not there. */
void wr_frame_run_clear(struct wr_frame_run *self);

/* Empties it: it is there, and has everything behind `after` up to `after`. */
void wr_frame_run_begin(struct wr_frame_run *self, uint64_t after);
/* The next frame is made at the end of `bytes`, then counted; without new bytes it is not shown,
 * but known. WR_OK; WR_NO_MEMORY: it is as before. */
enum wr_status wr_frame_run_push(struct wr_frame_run *self, uint64_t sequence);

/* Whether it tells what comes behind a sequence, up to `upto`. */
static inline bool wr_frame_run_covers(const struct wr_frame_run *self, uint64_t sequence)
{
	return self->is_there && self->after <= sequence && sequence <= self->upto;
}
/* The first frame behind a covered sequence; lent until the next change. False: none. */
bool wr_frame_run_find(const struct wr_frame_run *self, uint64_t after, uint64_t *sequence,
		       struct wr_view *frame);

/* Memory in use. */
static inline size_t wr_frame_run_bytes(const struct wr_frame_run *self)
{
	return self->bytes.capacity + self->marks.capacity;
}

#endif
