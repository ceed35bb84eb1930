#include "core/visibility.h"

#include "check.h"
#include "core/delivery.h"
#include "core/in_flight.h"

/* ---- unfinished output ---- */

static bool is_over(enum wr_phase phase)
{
	return phase != WR_PHASE_BUSY && phase != WR_PHASE_WAITING;
}

static bool is_unfinished_kind(enum wr_output_kind kind)
{
	return kind != WR_OUTPUT_ERROR && kind != WR_OUTPUT_USAGE && kind != WR_OUTPUT_TURN_START &&
	       kind != WR_OUTPUT_OPAQUE;
}

static void show_output(struct wr_runtime *self, struct wr_worker *worker,
			const struct wr_output *output)
{
	if (worker->shown.phase != WR_PHASE_STOPPED && worker->shown.phase != WR_PHASE_CANCELLED)
		wr_in_flight_fold(&worker->in_flight, self->ports.allocator, output);
}

static void forget_output(struct wr_runtime *self, struct wr_worker *worker)
{
	if (WR_UNLIKELY(worker->in_flight != NULL))
		wr_in_flight_clear(&worker->in_flight, self->ports.allocator);
}

/* What a phase or an end means to unfinished output; `worker` has the face of then. */
static void show_change(struct wr_runtime *self, struct wr_worker *worker, enum wr_event_kind kind)
{
	if (kind == WR_EVENT_WORKER_STOPPED || kind == WR_EVENT_WORKER_CANCELLED ||
	    (kind == WR_EVENT_PHASE_CHANGED && is_over(worker->shown.phase)))
		forget_output(self, worker);
}

/* ---- at once ---- */

void wr_visibility_show_more(struct wr_runtime *self, const struct wr_event *event,
			     struct wr_worker *worker)
{
	if (worker != NULL) {
		if (event->kind == WR_EVENT_OUTPUT)
			show_output(self, worker, &event->as.output);
		else
			show_change(self, worker, event->kind);
	} else if (event->kind == WR_EVENT_BUNDLE_STORED) {
		wr_bundles_show(&self->bundles, event->sequence);
	} else if (event->kind == WR_EVENT_RUNTIME_STOPPED) {
		for (uint32_t number = 1; number <= self->catalog.count; number++) {
			worker = wr_catalog_at(&self->catalog, number);
			if (worker->shown.status == WR_WORKER_RUNNING)
				forget_output(self, worker);
			worker->shown = worker->now;
		}
	}
}

/* ---- later ---- */

/* Whether showing the record needs the record itself. */
static bool is_needed(const struct wr_event *event, const struct wr_worker *worker)
{
	return worker != NULL && event->kind == WR_EVENT_OUTPUT &&
	       is_unfinished_kind(event->as.output.kind);
}

enum wr_status wr_visibility_reserve(struct wr_runtime *self, const struct wr_event *event,
				     const struct wr_worker *worker, struct wr_view record)
{
	return wr_pending_reserve(&self->pending, is_needed(event, worker) ? record.bytes : 0);
}

void wr_visibility_wait(struct wr_runtime *self, const struct wr_event *event,
			const struct wr_worker *worker, struct wr_view record)
{
	struct wr_pending_entry entry = {
		.sequence = event->sequence,
		.diagnostic_count = self->diagnostic_count,
		.worker = event->worker,
		.kind = (uint8_t)event->kind,
	};

	if (worker != NULL)
		entry.face = worker->now;
	wr_pending_push(&self->pending, &entry, is_needed(event, worker) ? record : WR_VIEW_NULL);
}

static void count_shown(struct wr_runtime *self, const struct wr_worker *worker,
			enum wr_worker_status status)
{
	struct wr_shown *shown = &self->shown;

	if (worker->shown.last_sequence == 0)
		shown->worker_count++;
	else
		shown->status_counts[worker->shown.status]--;
	shown->status_counts[status]++;
}

static void show_face(struct wr_runtime *self, struct wr_worker *worker, const struct wr_face *face)
{
	count_shown(self, worker, face->status);
	worker->shown = *face;
}

static void show_runtime_stopped(struct wr_runtime *self)
{
	/* Of those that are shown: no other can have been there when it was stopped. */
	uint32_t count = self->shown.worker_count;

	self->shown.is_stopped = true;
	for (uint32_t number = 1; number <= count; number++) {
		struct wr_worker *worker = wr_catalog_at(&self->catalog, number);
		struct wr_face face = worker->shown;
		if (face.status != WR_WORKER_RUNNING)
			continue;
		face.status = WR_WORKER_STOPPED;
		face.phase = worker->stopped_phase;
		show_face(self, worker, &face);
		forget_output(self, worker);
		wr_execution_end(worker);
	}
}

static void show_entry(struct wr_runtime *self, const struct wr_pending_entry *entry)
{
	struct wr_worker *worker = wr_catalog_at(&self->catalog, entry->worker);
	struct wr_event event;

	self->shown.diagnostic_count = entry->diagnostic_count;
	if (worker == NULL) { /* of the Runtime itself */
		if (entry->kind == WR_EVENT_RUNTIME_STOPPED)
			show_runtime_stopped(self);
		else if (entry->kind == WR_EVENT_BUNDLE_STORED)
			wr_bundles_show(&self->bundles, entry->sequence);
		return;
	}
	show_face(self, worker, &entry->face);
	wr_input_queue_sweep(&worker->queue, self->ports.allocator, entry->sequence);
	switch ((enum wr_event_kind)entry->kind) {
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
	case WR_EVENT_REPEATABLE:
	case WR_EVENT_BUNDLE_STORED:
		break;
	case WR_EVENT_WORKER_CREATED:
		if (worker->execution.ops != NULL && !worker->has_last_result)
			wr_execution_note(worker, WR_EXECUTION_SPAWN, WR_EXECUTION_ACCEPTED,
					  entry->sequence);
		break;
	case WR_EVENT_INPUT_ACCEPTED:
		(void)wr_delivery_give(self, worker);
		break;
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		show_change(self, worker, (enum wr_event_kind)entry->kind);
		wr_execution_end(worker);
		break;
	case WR_EVENT_PHASE_CHANGED:
		show_change(self, worker, WR_EVENT_PHASE_CHANGED);
		break;
	case WR_EVENT_OUTPUT:
		if (entry->record_bytes == 0)
			break;
		wr_assert(wr_event_decode(&event, wr_pending_record(entry)) == WR_OK);
		show_output(self, worker, &event.as.output);
		break;
	}
}

/* Executions may report, and so append, while they are given something: entries stay where they
 * are until they are popped, and what is visible by then is shown in the same go. */
void wr_visibility_catch_up(struct wr_runtime *self)
{
	const struct wr_store *port = &self->ports.store;
	const struct wr_pending_entry *entry;
	uint64_t visible = port->ops->visible(port->context);

	while (visible > self->log.shown_sequence) {
		wr_event_log_show(&self->log, visible);
		while ((entry = wr_pending_first(&self->pending)) != NULL &&
		       entry->sequence <= visible) {
			show_entry(self, entry);
			wr_pending_pop(&self->pending);
		}
		visible = port->ops->visible(port->context);
	}
}

void wr_visibility_begin(struct wr_runtime *self)
{
	self->log.shown_sequence = self->log.last_sequence;
	self->shown = (struct wr_shown){
		.is_stopped = self->is_stopped,
		.worker_count = self->catalog.count,
		.diagnostic_count = self->diagnostic_count,
	};
	memcpy(self->shown.status_counts, self->catalog.status_counts,
	       sizeof self->shown.status_counts);
	for (uint32_t number = 1; number <= self->catalog.count; number++) {
		struct wr_worker *worker = wr_catalog_at(&self->catalog, number);
		worker->shown = worker->now;
	}
}

/* ---- asking ---- */

uint64_t wr_runtime_visible(const struct wr_runtime *self)
{
	return self->log.shown_sequence;
}

uint64_t wr_runtime_head_of(const struct wr_runtime *self, struct wr_view worker_id)
{
	const struct wr_worker *worker =
		worker_id.data == NULL ? NULL : wr_catalog_find(&self->catalog, worker_id);

	return worker != NULL ? worker->now.last_sequence : self->log.last_sequence;
}

bool wr_runtime_takes_output(const struct wr_runtime *self)
{
	const struct wr_store *port = &self->ports.store;

	return port->ops == NULL || port->ops->has_room(port->context);
}
