/*
 * What all connections of one side share: who is to be called without an event, who shakes hands,
 * whose time is over.
 *
 * Two hooks, as two kinds of work wait for the end of a turn. Plaintext that lies in an engine is
 * told where the hook stands that was added when the side was made: before whoever sends what the
 * turn has made. Handshakes cost a thousand times as much and come after everybody else; what a
 * turn's share does not cover waits for the next turn. What either has done is followed by another
 * turn, so that nobody's hook who stood before it has missed anything.
 */
#include "check.h"
#include "io/clock.h"
#include "io/tls/tls_private.h"

/* Makes `to` the head of all that `from` has, which is empty afterwards. */
static void move_list(struct wr_list *from, struct wr_list *to)
{
	wr_list_init(to);
	if (wr_list_is_empty(from))
		return;
	*to = *from;
	to->next->prev = to;
	to->prev->next = to;
	wr_list_init(from);
}

static struct wr_tls *first_of(struct wr_list *list)
{
	return wr_list_entry(list->next, struct wr_tls, work);
}

/* ---- hooks ---- */

static void on_calls(struct wr_turn_hook *hook)
{
	struct wr_tls_hub *self = wr_container_of(hook, struct wr_tls_hub, call_hook);
	struct wr_list calls;

	if (WR_LIKELY(wr_list_is_empty(&self->calls)))
		return;
	/* Who waits again from here on has its time in the next turn. */
	move_list(&self->calls, &calls);
	while (!wr_list_is_empty(&calls)) {
		struct wr_tls *session = first_of(&calls);
		wr_list_remove(&session->work);
		wr_tls_call(session);
	}
	wr_reactor_again(self->reactor);
}

/* Behind all hooks that are there now. */
static void come_last(struct wr_tls_hub *self)
{
	if (self->shake_hook.next == NULL)
		return;
	wr_reactor_remove_hook(self->reactor, &self->shake_hook);
	wr_reactor_add_hook(self->reactor, &self->shake_hook);
}

static void on_shakes(struct wr_turn_hook *hook)
{
	struct wr_tls_hub *self = wr_container_of(hook, struct wr_tls_hub, shake_hook);
	uint64_t until_ms;

	if (WR_LIKELY(wr_list_is_empty(&self->shakes)))
		return;
	until_ms = wr_clock_monotonic_ms() + WR_TURN_HANDSHAKE_MS_MAX;
	do {
		struct wr_tls *session = first_of(&self->shakes);
		wr_list_remove(&session->work);
		wr_tls_step(session);
	} while (!wr_list_is_empty(&self->shakes) && wr_clock_monotonic_ms() < until_ms);
	wr_reactor_again(self->reactor);
}

void wr_tls_hub_call(struct wr_tls_hub *self, struct wr_tls *session)
{
	if (!wr_list_is_empty(&session->work))
		return;
	wr_list_push(&self->calls, &session->work);
	wr_reactor_again(self->reactor);
}

void wr_tls_hub_shake(struct wr_tls_hub *self, struct wr_tls *session)
{
	if (!wr_list_is_empty(&session->work))
		return;
	wr_list_push(&self->shakes, &session->work);
	come_last(self);
}

/* ---- deadlines ---- */

static void set_timer(struct wr_tls_hub *self)
{
	struct wr_list *const lists[] = {&self->shaking, &self->lingering};
	uint64_t now_ms = self->reactor->now_ms, due_ms = UINT64_MAX;

	for (unsigned i = 0; i < WR_COUNT(lists); i++) {
		const struct wr_tls *first = wr_list_entry(lists[i]->next, struct wr_tls, place);
		if (!wr_list_is_empty(lists[i]) && first->due_ms < due_ms)
			due_ms = first->due_ms;
	}
	if (due_ms == UINT64_MAX)
		wr_timer_cancel(self->reactor, &self->timer);
	else /* it is set: cannot fail */
		(void)wr_timer_set(self->reactor, &self->timer,
				   due_ms > now_ms ? due_ms - now_ms : 0);
}

static void expire(struct wr_tls_hub *self, struct wr_list *list, const char *fault,
		   uint64_t *count)
{
	while (!wr_list_is_empty(list)) {
		struct wr_tls *first = wr_list_entry(list->next, struct wr_tls, place);
		if (first->due_ms > self->reactor->now_ms)
			return;
		(*count)++;
		wr_tls_expire(first, fault);
	}
}

static void on_due(struct wr_timer *timer)
{
	struct wr_tls_hub *self = wr_container_of(timer, struct wr_tls_hub, timer);

	/* Now, as the place in the heap that it just left is still there: who is told below may set
	 * timers, and then there may be no memory for this one. */
	(void)wr_timer_set(self->reactor, &self->timer, UINT64_MAX);
	expire(self, &self->shaking, "the handshake was not done in time",
	       &self->counts.late_count);
	expire(self, &self->lingering, NULL, &self->counts.cut_count);
	set_timer(self);
}

bool wr_tls_hub_await(struct wr_tls_hub *self, struct wr_list *list, struct wr_tls *session,
		      uint32_t ms_max)
{
	/* A timer that is set is due no later than any of those who waited. */
	if (!wr_timer_is_set(&self->timer) &&
	    wr_timer_set(self->reactor, &self->timer, ms_max) != WR_OK)
		return false;
	session->due_ms = self->reactor->now_ms + ms_max;
	wr_list_push(list, &session->place);
	set_timer(self);
	return true;
}

/* ---- life ---- */

void wr_tls_hub_init(struct wr_tls_hub *self, struct wr_reactor *reactor,
		     struct wr_allocator *allocator, size_t block_bytes, uint32_t handshake_ms_max)
{
	self->reactor = reactor;
	self->allocator = allocator;
	self->block_bytes = block_bytes;
	self->handshake_ms_max = handshake_ms_max;
	self->call_hook.on_turn = on_calls;
	self->shake_hook.on_turn = on_shakes;
	self->timer.on_due = on_due;
	self->protocols[0] = "http/1.1";
	wr_list_init(&self->shaking);
	wr_list_init(&self->lingering);
	wr_list_init(&self->calls);
	wr_list_init(&self->shakes);
	wr_reactor_add_hook(reactor, &self->call_hook);
	wr_reactor_add_hook(reactor, &self->shake_hook);
}

void wr_tls_hub_deinit(struct wr_tls_hub *self)
{
	while (!wr_list_is_empty(&self->lingering))
		wr_tls_cut(wr_list_entry(self->lingering.next, struct wr_tls, place));
	wr_assert(self->counts.connection_count == 0);
	wr_timer_cancel(self->reactor, &self->timer);
	wr_reactor_remove_hook(self->reactor, &self->call_hook);
	wr_reactor_remove_hook(self->reactor, &self->shake_hook);
}
