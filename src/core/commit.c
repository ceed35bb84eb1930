#include "core/commit.h"

#include "check.h"
#include "core/frames.h"
#include "core/visibility.h"

enum { FRAMES_MAX = 2 };

/* Makes the frames of an event and says where they go. */
static enum wr_status make_frames(struct wr_runtime *self, const struct wr_event *event,
				  struct wr_worker *worker, struct wr_frame *frames,
				  unsigned *count)
{
	struct wr_view worker_id = worker == NULL ? WR_VIEW_NULL : worker->id;
	bool has_own = wr_frames_has_own(event);
	enum wr_status status;

	*count = 0;
	if (wr_frames_has_worker(event)) {
		status = wr_frames_encode(self, &self->worker_frame, event, worker_id,
					  WR_SCOPE_WORKER, self->generation);
		if (status != WR_OK)
			return status;
		if (self->worker_frame.bytes != 0)
			frames[(*count)++] = (struct wr_frame){
				.stream = &worker->events,
				.bytes = wr_buf_view(&self->worker_frame),
				.is_runtime_wide = !has_own,
			};
	}
	if (!has_own)
		return WR_OK;
	status = wr_frames_encode(self, &self->runtime_frame, event, worker_id, WR_SCOPE_RUNTIME,
				  self->generation);
	if (status == WR_OK && self->runtime_frame.bytes != 0)
		frames[(*count)++] = (struct wr_frame){
			.stream = &self->log.runtime,
			.bytes = wr_buf_view(&self->runtime_frame),
			.is_runtime_wide = true,
		};
	return status;
}

/* The reserved end of a full store is for what ends things, and for an interrupt: each needs
 * something running that an ordinary record began, so that they cannot use it up by themselves. */
static enum wr_store_urgency urgency_of(const struct wr_event *event)
{
	enum wr_phase to;

	switch (event->kind) {
	case WR_EVENT_RUNTIME_STOPPED:
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		return WR_STORE_RESERVED;
	case WR_EVENT_PHASE_CHANGED:
		to = (enum wr_phase)event->as.phase.to;
		return to == WR_PHASE_INTERRUPTED || to == WR_PHASE_FAILED || wr_phase_is_end(to)
			       ? WR_STORE_RESERVED
			       : WR_STORE_ORDINARY;
	case WR_EVENT_REPEATABLE:
		return event->as.repeatable.operation == WR_OPERATION_INTERRUPT ? WR_STORE_RESERVED
										: WR_STORE_ORDINARY;
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_WORKER_CREATED:
	case WR_EVENT_INPUT_ACCEPTED:
	case WR_EVENT_OUTPUT:
	case WR_EVENT_BUNDLE_STORED:
		return WR_STORE_ORDINARY;
	}
	wr_unreachable();
}

/* Gives the record to the store; what showing it later needs is taken before. */
static enum wr_status store(struct wr_runtime *self, const struct wr_event *event,
			    const struct wr_prepared *prepared)
{
	const struct wr_store *port = &self->ports.store;
	struct wr_store_record record = {.sequence = event->sequence, .worker = event->worker};
	enum wr_status status;

	wr_scratch_reset(&self->record);
	status = wr_event_encode(&self->record, event);
	if (status != WR_OK)
		return status;
	record.payload = wr_buf_view(&self->record);
	if (prepared->adds_item) {
		wr_assert(prepared->worker != NULL); /* an item is a Worker's */
		record.item = (uint32_t)prepared->worker->now.item_count + 1;
	}
	status = wr_visibility_reserve(self, event, prepared->worker, record.payload);
	if (status != WR_OK)
		return status;
	return port->ops->append(port->context, &record, urgency_of(event));
}

enum wr_status wr_commit(struct wr_runtime *self, struct wr_event *event)
{
	struct wr_frame frames[FRAMES_MAX];
	struct wr_prepared prepared;
	unsigned count = 0;
	enum wr_status status;

	event->sequence = self->log.last_sequence + 1;
	event->wall_ms = self->ports.wall_ms(self->ports.context);
	event->delivered = 0;
	status = wr_fold_prepare(self, &prepared, event);
	if (status == WR_OK && prepared.worker != NULL)
		event->delivered = prepared.worker->queue.delivered;
	if (status == WR_OK)
		status = make_frames(self, event, prepared.worker, frames, &count);
	if (status == WR_OK)
		status = wr_event_log_reserve(&self->log, frames, count);
	if (status == WR_OK && wr_has_store(self))
		status = store(self, event, &prepared);
	if (status != WR_OK) {
		wr_fold_discard(self, &prepared, event);
		return status;
	}
	/* From here on nothing can fail. */
	wr_fold(self, &prepared, event);
	wr_event_log_append(&self->log, event->sequence, frames, count);
	if (wr_has_store(self)) {
		wr_visibility_wait(self, event, prepared.worker, wr_buf_view(&self->record));
	} else {
		wr_visibility_show(self, event, prepared.worker);
		if (!self->config.is_trimmed_by_owner)
			wr_event_log_trim(&self->log);
	}
	return WR_OK;
}

enum wr_status wr_commit_replayed(struct wr_runtime *self, const struct wr_event *event)
{
	struct wr_prepared prepared;
	enum wr_status status;

	wr_assert(self->is_replaying && event->sequence > self->log.last_sequence);
	status = wr_fold_prepare(self, &prepared, event);
	if (status != WR_OK) {
		wr_fold_discard(self, &prepared, event);
		return status;
	}
	wr_fold(self, &prepared, event);
	self->log.last_sequence = event->sequence;
	return WR_OK;
}
