#include "io/reactor/reactor.h"

#include "check.h"
#include "io/clock.h"

#include <limits.h>

enum {
	/* Timers that can be set before the heap has to grow. */
	TIMER_COUNT_FIRST = 64
};

enum wr_status wr_reactor_init(struct wr_reactor *self, struct wr_allocator *allocator,
			       struct wr_error *error)
{
	enum wr_status status;

	*self = (struct wr_reactor){.now_ms = wr_clock_monotonic_ms()};
	wr_heap_init(&self->timers, allocator);
	status = wr_heap_reserve(&self->timers, TIMER_COUNT_FIRST);
	if (status != WR_OK)
		*error = (struct wr_error){.status = status};
	else
		status = wr_poller_open(&self->poller, error);
	if (status != WR_OK)
		wr_heap_deinit(&self->timers);
	return status;
}

void wr_reactor_deinit(struct wr_reactor *self)
{
	wr_poller_close(&self->poller);
	wr_heap_deinit(&self->timers);
}

/* ---- watches ---- */

enum wr_status wr_reactor_watch(struct wr_reactor *self, struct wr_watch *watch, int fd,
				unsigned wanted)
{
	enum wr_status status;

	wr_assert(!watch->is_watched && watch->on_ready != NULL);
	wr_assert((wanted & ~(unsigned)(WR_READABLE | WR_WRITABLE)) == 0);
	status = wr_poller_add(&self->poller, fd, wanted, watch);
	if (status != WR_OK)
		return status;
	watch->fd = fd;
	watch->wanted = (uint8_t)wanted;
	watch->is_watched = true;
	return WR_OK;
}

void wr_reactor_want(struct wr_reactor *self, struct wr_watch *watch, unsigned wanted)
{
	wr_assert(watch->is_watched);
	wr_assert((wanted & ~(unsigned)(WR_READABLE | WR_WRITABLE)) == 0);
	if (watch->wanted == wanted)
		return;
	/* A kernel that is out of memory leaves it as it was: the next call tries again, and the
	 * deadlines of the owner end what no longer moves. */
	if (wr_poller_change(&self->poller, watch->fd, watch->wanted, wanted, watch) == WR_OK)
		watch->wanted = (uint8_t)wanted;
}

void wr_reactor_unwatch(struct wr_reactor *self, struct wr_watch *watch)
{
	if (!watch->is_watched)
		return;
	wr_poller_remove(&self->poller, watch->fd, watch->wanted);
	watch->is_watched = false;
	watch->wanted = 0;
	for (unsigned i = self->batch_at; i < self->batch_count; i++)
		if (self->batch[i].tag == watch)
			self->batch[i].tag = NULL;
}

/* ---- turn hooks ---- */

void wr_reactor_add_hook(struct wr_reactor *self, struct wr_turn_hook *hook)
{
	struct wr_turn_hook **link = &self->hooks;

	wr_assert(hook->on_turn != NULL);
	while (*link != NULL)
		link = &(*link)->next;
	hook->next = NULL;
	*link = hook;
}

void wr_reactor_remove_hook(struct wr_reactor *self, struct wr_turn_hook *hook)
{
	struct wr_turn_hook **link = &self->hooks;

	while (*link != NULL && *link != hook)
		link = &(*link)->next;
	if (*link == NULL)
		return;
	*link = hook->next;
	if (self->hook_at == &hook->next)
		self->hook_at = link; /* the walk stands in the node that leaves */
	hook->next = NULL;
}

/* A hook may remove itself and any other, and none that stays is left out. */
static void run_hooks(struct wr_reactor *self)
{
	self->hook_at = &self->hooks;
	while (*self->hook_at != NULL) {
		struct wr_turn_hook *hook = *self->hook_at;
		hook->on_turn(hook);
		if (*self->hook_at == hook)
			self->hook_at = &hook->next;
	}
	self->hook_at = NULL;
}

/* ---- the loop ---- */

/* From now_ms, which is as old as the turn was long: a timer may be that much late, and the clock
 * is read once a turn only. */
static int choose_timeout(const struct wr_reactor *self, int max_ms)
{
	const struct wr_heap_node *first = wr_heap_first(&self->timers);
	uint64_t left_ms;

	if (self->again || self->is_stopping)
		return 0;
	if (first == NULL)
		return max_ms;
	left_ms = first->key > self->now_ms ? first->key - self->now_ms : 0;
	if (max_ms >= 0 && left_ms > (uint64_t)max_ms)
		return max_ms;
	return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

/* What another handler of this batch no longer wants is not delivered either. */
static void call_ready(struct wr_reactor *self)
{
	for (self->batch_at = 0; self->batch_at < self->batch_count; self->batch_at++) {
		const struct wr_poller_event *event = &self->batch[self->batch_at];
		struct wr_watch *watch = event->tag;
		if (watch != NULL && (event->ready & watch->wanted) != 0)
			watch->on_ready(watch, event->ready & watch->wanted);
	}
	self->batch_at = self->batch_count = 0;
}

/* wr_timer_set keeps what is set meanwhile beyond now_ms, so this ends. */
static void call_due(struct wr_reactor *self)
{
	struct wr_heap_node *first;

	self->is_calling_due = true;
	while ((first = wr_heap_first(&self->timers)) != NULL && first->key <= self->now_ms) {
		struct wr_timer *timer = wr_container_of(first, struct wr_timer, node);
		wr_heap_remove(&self->timers, first);
		timer->on_due(timer);
	}
	self->is_calling_due = false;
}

void wr_reactor_turn(struct wr_reactor *self, int max_ms)
{
	int timeout_ms = choose_timeout(self, max_ms);

	wr_assert(self->batch_count == 0 && self->hook_at == NULL && !self->is_calling_due);
	self->again = false;
	self->batch_count =
		wr_poller_wait(&self->poller, self->batch, WR_REACTOR_BATCH, timeout_ms);
	self->now_ms = wr_clock_monotonic_ms();
	call_ready(self);
	call_due(self);
	run_hooks(self);
}

void wr_reactor_run(struct wr_reactor *self)
{
	while (!self->is_stopping)
		wr_reactor_turn(self, -1);
}

void wr_reactor_stop(struct wr_reactor *self)
{
	self->is_stopping = true;
}
