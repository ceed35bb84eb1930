/*
 * visibility — from the head of the log to what may be told (design 2).
 *
 * A record is decided when it is appended, and shown when the store says that it is visible. Until
 * then it waits here: the faces of Workers, the counts of the summary and unfinished output follow
 * the visible end of the log, and an execution is given an input, or told of a stop, when the
 * record of it is visible. Without a store all of this happens within the commit.
 */
#ifndef WR_CORE_VISIBILITY_H
#define WR_CORE_VISIBILITY_H

#include "core/state.h"

/* Room for an event that is about to be appended to the store as `record`. WR_OK, WR_NO_MEMORY. */
enum wr_status wr_visibility_reserve(struct wr_runtime *self, const struct wr_event *event,
				     const struct wr_worker *worker, struct wr_view record);
/* It was appended and folded: shown later. */
void wr_visibility_wait(struct wr_runtime *self, const struct wr_event *event,
			const struct wr_worker *worker, struct wr_view record);

/* Shows all that has become visible. */
void wr_visibility_catch_up(struct wr_runtime *self);

/* Without a store: it was folded, and is shown at once. */
void wr_visibility_show_more(struct wr_runtime *self, const struct wr_event *event,
			     struct wr_worker *worker);
static inline void wr_visibility_show(struct wr_runtime *self, const struct wr_event *event,
				      struct wr_worker *worker)
{
	if (worker != NULL) {
		worker->shown = worker->now;
		wr_input_queue_sweep(&worker->queue, self->ports.allocator, event->sequence);
	}
	if (event->kind != WR_EVENT_INPUT_ACCEPTED)
		wr_visibility_show_more(self, event, worker);
}

/* After a replay: everything is visible. */
void wr_visibility_begin(struct wr_runtime *self);

#endif
