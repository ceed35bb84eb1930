/* What an execution tells of the Worker that it runs. */
#include "core/commit.h"

#include "core/delivery.h"

enum wr_status wr_runtime_output(struct wr_runtime *self, uint32_t worker,
				 const struct wr_output *output)
{
	struct wr_event event; /* not zeroed as a whole, see wr_runtime_input */

	if (wr_catalog_at(&self->catalog, worker) == NULL)
		return WR_NOT_FOUND;
	if (output->text.bytes > WR_EVENT_BYTES_MAX || output->id.bytes > WR_EVENT_BYTES_MAX ||
	    output->name.bytes > WR_EVENT_BYTES_MAX ||
	    output->text.bytes + output->id.bytes + output->name.bytes > WR_EVENT_BYTES_MAX)
		return WR_TOO_LARGE;
	event.kind = WR_EVENT_OUTPUT;
	event.has_key = false;
	event.worker = worker;
	event.as.output = *output;
	return wr_commit(self, &event);
}

enum wr_status wr_runtime_phase(struct wr_runtime *self, uint32_t worker, enum wr_phase phase,
				struct wr_view cause)
{
	struct wr_event event = {.kind = WR_EVENT_PHASE_CHANGED, .worker = worker};
	struct wr_worker *target = wr_catalog_at(&self->catalog, worker);
	enum wr_status status = WR_OK;

	if (target == NULL)
		return WR_NOT_FOUND;
	if (target->now.phase != phase) {
		/* An execution ends a Worker only after it was told to. */
		if (!wr_phase_allows(target->now.phase, phase) ||
		    (target->now.status == WR_WORKER_RUNNING && wr_phase_is_end(phase)))
			return WR_CONFLICT;
		event.as.phase.from = (uint8_t)target->now.phase;
		event.as.phase.to = (uint8_t)phase;
		event.as.phase.cause = cause;
		if (self->is_draining && phase == WR_PHASE_INTERRUPTED)
			status = wr_delivery_name_dropped(self, target, WR_EVENT_PHASE_CHANGED,
							  &event.as.phase.dropped);
		if (status == WR_OK)
			status = wr_commit(self, &event);
	}
	if (status == WR_OK &&
	    (phase == WR_PHASE_STARTING || phase == WR_PHASE_IDLE || phase == WR_PHASE_BUSY))
		target->is_execution_live = true;
	return status;
}

enum wr_status wr_runtime_execution_ended(struct wr_runtime *self, uint32_t worker)
{
	struct wr_worker *target = wr_catalog_at(&self->catalog, worker);
	enum wr_status status = WR_OK;

	if (target == NULL)
		return WR_NOT_FOUND;
	if (target->now.phase == WR_PHASE_STOPPING)
		status = wr_runtime_phase(self, worker, WR_PHASE_STOPPED,
					  WR_VIEW("execution ended"));
	if (status == WR_OK)
		target->is_execution_live = false;
	return status;
}
