/*
 * state = fold(log). Each kind of event changes the state here and nowhere else, live and in a
 * replay alike. What a fold needs in memory is taken in `prepare`, before the event is recorded: so
 * a recorded event can always be folded, and one that cannot be folded is never recorded.
 */
#include "core/state.h"

#include "bytes/utf8.h"
#include "check.h"
#include "core/delivery.h"
#include "core/in_flight.h"

#include <string.h>

/* ---- transcript ---- */

/* What an output adds to the transcript (contract 5.7): absent for nothing. */
static struct wr_view transcript_text(struct wr_runtime *self, const struct wr_output *output,
				      enum wr_role *role)
{
	struct wr_buf *text = &self->text;

	*role = WR_ROLE_SYSTEM;
	if (output->kind == WR_OUTPUT_TEXT_DONE) {
		*role = WR_ROLE_ASSISTANT;
		return output->text;
	}
	if (output->kind == WR_OUTPUT_ERROR)
		return output->text;
	if (output->kind != WR_OUTPUT_TOOL_RESULT)
		return WR_VIEW_NULL;
	wr_buf_reset(text);
	wr_buf_append_byte(text, '[');
	wr_buf_append_view(text, output->id);
	wr_buf_append_view(text, output->flag ? WR_VIEW("] error: ") : WR_VIEW("] "));
	wr_buf_append_view(text, output->name);
	return wr_buf_view(text);
}

static bool item_of(struct wr_runtime *self, const struct wr_event *event, enum wr_role *role,
		    struct wr_view *content)
{
	wr_buf_reset(&self->text);
	if (event->kind == WR_EVENT_INPUT_ACCEPTED) {
		*role = event->as.input.input.kind == WR_INPUT_USER ? WR_ROLE_USER : WR_ROLE_SYSTEM;
		*content = event->as.input.input.content;
		return true;
	}
	if (event->kind != WR_EVENT_OUTPUT)
		return false;
	*content = transcript_text(self, &event->as.output, role);
	return self->text.status == WR_OK && content->data != NULL && !wr_utf8_is_blank(*content);
}

bool wr_fold_item(struct wr_runtime *self, const struct wr_event *event, enum wr_role *role,
		  struct wr_view *content)
{
	return item_of(self, event, role, content);
}

static enum wr_status prepare_item(struct wr_runtime *self, struct wr_prepared *prepared,
				   const struct wr_event *event)
{
	enum wr_role role;
	struct wr_view content;

	prepared->adds_item = item_of(self, event, &role, &content);
	if (!prepared->adds_item)
		return self->text.status;
	if (self->is_replaying)
		return WR_OK;
	prepared->item = wr_transcript_prepare(&prepared->worker->transcript, &self->transcripts,
					       role, content);
	return prepared->item == NULL ? WR_NO_MEMORY : WR_OK;
}

static void fold_item(struct wr_runtime *self, struct wr_prepared *prepared,
		      const struct wr_event *event)
{
	if (!prepared->adds_item)
		return;
	prepared->worker->now.item_count++;
	if (prepared->item == NULL)
		return;
	prepared->item->event_id = event->sequence;
	prepared->item->wall_ms = event->wall_ms;
	prepared->item->is_error = wr_fold_is_error(event);
	wr_transcript_append(&prepared->worker->transcript, &self->transcripts, prepared->item);
	prepared->item = NULL;
}

/* ---- inputs that wait ---- */

/* In a replay only what the log says is known of it. */
static enum wr_status prepare_input(struct wr_runtime *self, struct wr_prepared *prepared,
				    const struct wr_event *event)
{
	struct wr_allocator *allocator = self->ports.allocator;
	const struct wr_input *input = &event->as.input.input;
	bool is_tracked = event->as.input.waits_for_turn;

	if (self->is_replaying) {
		if (!is_tracked)
			return WR_OK;
		prepared->input = wr_queued_input_new_left(allocator, input->kind,
							   (uint32_t)input->content.bytes);
	} else {
		if (!wr_delivery_keeps(self, prepared->worker))
			return WR_OK;
		prepared->input = wr_queued_input_new(allocator, input, is_tracked);
	}
	return prepared->input == NULL ? WR_NO_MEMORY : WR_OK;
}

static void fold_input(struct wr_prepared *prepared, const struct wr_event *event)
{
	if (prepared->input == NULL)
		return;
	wr_input_queue_push(&prepared->worker->queue, prepared->input, event->sequence);
	prepared->input = NULL;
}

enum wr_status wr_fold_copy_dropped(struct wr_runtime *self, struct wr_view *copy,
				    struct wr_view dropped)
{
	char *data;

	*copy = WR_VIEW_NULL;
	if (dropped.bytes == 0)
		return WR_OK;
	data = wr_allocator_take(self->ports.allocator, dropped.bytes);
	if (data == NULL)
		return WR_NO_MEMORY;
	memcpy(data, dropped.data, dropped.bytes);
	*copy = wr_view_of(data, dropped.bytes);
	return WR_OK;
}

/* What a cancel takes back without naming it was never known to wait. */
static void fold_ends_of_inputs(struct wr_runtime *self, struct wr_worker *worker,
				const struct wr_event *event)
{
	struct wr_input_queue *queue = &worker->queue;
	bool is_end = event->kind == WR_EVENT_WORKER_CANCELLED ||
		      (event->kind == WR_EVENT_WORKER_STOPPED && self->is_replaying);

	if (event->delivered != 0)
		wr_input_queue_fold_delivered(queue, event->delivered, event->sequence);
	wr_input_queue_fold_dropped(queue, wr_event_dropped(event), event->sequence);
	if (is_end)
		wr_input_queue_drop_all(queue, event->sequence);
	wr_delivery_note_change(self, worker);
	/* In a replay everything is visible. */
	if (self->is_replaying)
		wr_input_queue_sweep(queue, self->ports.allocator, event->sequence);
}

/* ---- the end of Workers ---- */

static void fold_ended(struct wr_runtime *self, struct wr_worker *worker,
		       enum wr_worker_status status, bool is_execution_live)
{
	wr_catalog_set_status(&self->catalog, worker, status);
	if (status == WR_WORKER_CANCELLED)
		worker->now.phase = WR_PHASE_CANCELLED;
	else if (is_execution_live && !self->is_replaying)
		worker->now.phase = WR_PHASE_STOPPING;
	else /* in a new process nothing is left that could end later */
		worker->now.phase = WR_PHASE_STOPPED;
	worker->is_end_told = self->is_replaying;
}

static void fold_runtime_stopped(struct wr_runtime *self)
{
	self->is_stopped = true;
	for (uint32_t number = 1; number <= self->catalog.count; number++) {
		struct wr_worker *worker = wr_catalog_at(&self->catalog, number);
		if (worker->now.status != WR_WORKER_RUNNING)
			continue;
		fold_ended(self, worker, WR_WORKER_STOPPED,
			   worker->is_execution_live || worker->queue.undelivered.count != 0);
		worker->stopped_phase = worker->now.phase;
		/* Nothing is told of them any more; here what waits is still given before it stops.
		 */
		if (self->is_replaying)
			wr_input_queue_deinit(&worker->queue, self->ports.allocator);
		else if (worker->queue.delivered != 0)
			wr_input_queue_fold_delivered(&worker->queue, worker->queue.delivered,
						      worker->now.last_sequence);
	}
}

static void fold_phase(struct wr_worker *worker, const struct wr_event *event)
{
	enum wr_phase to = (enum wr_phase)event->as.phase.to;

	if (to == WR_PHASE_BUSY && worker->now.phase != WR_PHASE_WAITING)
		worker->now.turn_count++;
	worker->now.phase = to;
}

/* ---- */

enum wr_status wr_fold_prepare(struct wr_runtime *self, struct wr_prepared *prepared,
			       const struct wr_event *event)
{
	*prepared = (struct wr_prepared){.worker = NULL};
	if (event->has_key && wr_keys_reserve(&self->keys) != WR_OK)
		return WR_NO_MEMORY;
	if (event->kind == WR_EVENT_WORKER_CREATED)
		return wr_fold_prepare_worker(self, &prepared->worker, event);
	if (event->kind == WR_EVENT_BUNDLE_STORED) {
		prepared->bundle = wr_bundles_prepare(&self->bundles, &event->as.bundle);
		return prepared->bundle == NULL ? WR_NO_MEMORY : WR_OK;
	}
	if (event->worker == 0)
		return WR_OK;
	prepared->worker = wr_catalog_at(&self->catalog, event->worker);
	if (prepared->worker == NULL)
		return WR_NOT_FOUND;
	if (event->kind == WR_EVENT_OUTPUT)
		return prepare_item(self, prepared, event);
	if (event->kind == WR_EVENT_INPUT_ACCEPTED) {
		enum wr_status status = prepare_input(self, prepared, event);
		return status == WR_OK ? prepare_item(self, prepared, event) : status;
	}
	if (event->kind == WR_EVENT_WORKER_STOPPED || event->kind == WR_EVENT_WORKER_CANCELLED)
		return wr_fold_copy_dropped(self, &prepared->dropped, event->as.ended.dropped);
	return WR_OK;
}

void wr_fold_discard(struct wr_runtime *self, struct wr_prepared *prepared,
		     const struct wr_event *event)
{
	struct wr_allocator *allocator = self->ports.allocator;

	wr_transcript_discard(&self->transcripts, prepared->item);
	wr_queued_input_free(allocator, prepared->input);
	wr_allocator_free(allocator, (void *)(uintptr_t)prepared->dropped.data,
			  prepared->dropped.bytes);
	wr_bundles_discard(&self->bundles, prepared->bundle);
	if (event->kind == WR_EVENT_WORKER_CREATED && prepared->worker != NULL)
		wr_worker_free(self, prepared->worker);
}

void wr_fold(struct wr_runtime *self, struct wr_prepared *prepared, const struct wr_event *event)
{
	struct wr_worker *worker = prepared->worker;

	switch (event->kind) {
	case WR_EVENT_RUNTIME_STARTED:
		break;
	case WR_EVENT_RUNTIME_STOPPED:
		fold_runtime_stopped(self);
		break;
	case WR_EVENT_WORKER_CREATED:
		worker->now.last_event_id = event->sequence;
		wr_fold_worker(self, worker, event);
		break;
	case WR_EVENT_INPUT_ACCEPTED:
		worker->now.last_event_id = event->sequence;
		fold_item(self, prepared, event);
		fold_input(prepared, event);
		break;
	case WR_EVENT_WORKER_STOPPED:
		worker->now.last_event_id = event->sequence;
		worker->dropped = prepared->dropped;
		fold_ended(self, worker, WR_WORKER_STOPPED, event->as.ended.is_execution_live);
		break;
	case WR_EVENT_WORKER_CANCELLED:
		worker->now.last_event_id = event->sequence;
		worker->dropped = prepared->dropped;
		fold_ended(self, worker, WR_WORKER_CANCELLED, false);
		break;
	case WR_EVENT_PHASE_CHANGED:
		worker->told_sequence = event->sequence;
		fold_phase(worker, event);
		break;
	case WR_EVENT_REPEATABLE:
		break;
	case WR_EVENT_BUNDLE_STORED:
		wr_bundles_add(&self->bundles, prepared->bundle, event->sequence);
		if (self->is_replaying)
			wr_bundles_show(&self->bundles, event->sequence);
		break;
	case WR_EVENT_OUTPUT:
		worker->told_sequence = event->sequence;
		fold_item(self, prepared, event);
		break;
	}
	if (worker != NULL) {
		worker->now.last_sequence = event->sequence;
		if (WR_UNLIKELY(worker->queue.first != NULL))
			fold_ends_of_inputs(self, worker, event);
	}
	if (wr_event_runtime_name(event->kind) != NULL)
		self->last_event_id = event->sequence;
	if (event->has_key)
		wr_fold_key(self, worker, event);
}
