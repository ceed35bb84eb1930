/* The fold of an event that carries an Idempotency-Key: what its command was answered. */
#include "core/state.h"

#include "check.h"

static enum wr_operation operation_of(const struct wr_event *event)
{
	switch (event->kind) {
	case WR_EVENT_WORKER_CREATED:
		return WR_OPERATION_CREATE;
	case WR_EVENT_INPUT_ACCEPTED:
		return WR_OPERATION_INPUT;
	case WR_EVENT_WORKER_STOPPED:
		return WR_OPERATION_STOP;
	case WR_EVENT_WORKER_CANCELLED:
		return WR_OPERATION_CANCEL;
	case WR_EVENT_REPEATABLE:
		return (enum wr_operation)event->as.repeatable.operation;
	case WR_EVENT_BUNDLE_STORED:
		return WR_OPERATION_STORE_BUNDLE;
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
	case WR_EVENT_PHASE_CHANGED:
	case WR_EVENT_OUTPUT:
		break;
	}
	wr_unreachable();
}

void wr_fold_key(struct wr_runtime *self, const struct wr_worker *worker,
		 const struct wr_event *event)
{
	struct wr_kept_key kept = {
		.key = event->key,
		.event_id = event->sequence,
		.worker = event->worker,
		.uptime_s = event->uptime_s,
		.operation = (uint8_t)operation_of(event),
		.status = (uint8_t)(worker == NULL ? WR_WORKER_RUNNING : worker->now.status),
	};

	if (event->kind == WR_EVENT_INPUT_ACCEPTED)
		kept.transcript_sequence = event->as.input.transcript_sequence;
	if (event->kind == WR_EVENT_REPEATABLE) {
		kept.event_id = event->as.repeatable.event_id;
		kept.status = event->as.repeatable.status;
	}
	if (self->is_replaying && event->uptime_s > self->uptime_s)
		self->uptime_s = event->uptime_s;
	wr_keys_expire(&self->keys, event->uptime_s);
	wr_keys_add(&self->keys, &kept);
}
