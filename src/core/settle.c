/* The end of a turn: what became visible is shown, what waits is given, the rest is kept in bounds.
 */
#include "core/checkpoint.h"
#include "core/delivery.h"
#include "core/open.h"
#include "core/visibility.h"

/* Without a store only what is queued has to be asked for. */
static void settle_memory(struct wr_runtime *self)
{
	if (wr_list_is_empty(&self->queued))
		return;
	self->is_settling = true;
	while (wr_delivery_give_all(self))
		;
	self->is_settling = false;
}

void wr_runtime_settle(struct wr_runtime *self)
{
	if (self->is_settling)
		return;
	if (!wr_has_store(self)) {
		settle_memory(self);
		return;
	}
	self->is_settling = true;
	wr_pending_trim(&self->pending);
	(void)wr_open_interrupt_turns(self);
	do
		wr_visibility_catch_up(self);
	while (wr_delivery_give_all(self));
	wr_checkpoint_write(self);
	if (!self->config.is_trimmed_by_owner)
		wr_event_log_trim(&self->log);
	self->is_settling = false;
}
