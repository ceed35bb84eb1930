#include "check.h"
#include "io/reactor/reactor.h"

enum wr_status wr_timer_set(struct wr_reactor *self, struct wr_timer *timer, uint64_t in_ms)
{
	uint64_t due_ms;

	wr_assert(timer->on_due != NULL);
	/* Due now would be due in this very walk over the due timers: a timer that sets itself so
	 * would keep the loop for ever. */
	if (in_ms == 0 && self->is_calling_due)
		in_ms = 1;
	due_ms = in_ms > UINT64_MAX - self->now_ms ? UINT64_MAX : self->now_ms + in_ms;
	if (!wr_timer_is_set(timer))
		return wr_heap_push(&self->timers, &timer->node, due_ms);
	wr_heap_update(&self->timers, &timer->node, due_ms);
	return WR_OK;
}

void wr_timer_cancel(struct wr_reactor *self, struct wr_timer *timer)
{
	wr_heap_remove(&self->timers, &timer->node);
}
