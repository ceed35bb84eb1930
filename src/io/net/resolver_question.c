/* How a question ends: its try, and then itself. */
#include "io/net/resolver_private.h"

#include <unistd.h>

void wr_question_close(struct wr_question *self)
{
	struct wr_reactor *reactor = self->resolver->reactor;

	wr_timer_cancel(reactor, &self->due);
	wr_reactor_unwatch(reactor, &self->watch);
	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
}

void wr_question_end(struct wr_question *self, enum wr_status status, uint64_t kept_ms)
{
	struct wr_reactor *reactor = self->resolver->reactor;

	wr_question_close(self);
	self->status = status;
	self->kept_until_ms = reactor->now_ms + kept_ms;
	wr_list_each (node, after, &self->lookups) {
		struct wr_lookup *lookup = wr_list_entry(node, struct wr_lookup, place);
		(void)wr_timer_set(reactor, &lookup->due, 0); /* it is set: cannot fail */
	}
}
