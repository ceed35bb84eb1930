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
#include "core/repeat.h"

#include <string.h>

/* ---- a new Worker ---- */

/* Copies a text behind *at and moves *at on. */
static struct wr_view keep(char **at, struct wr_view text)
{
	struct wr_view copy = {*at, text.bytes};

	if (text.data == NULL)
		return WR_VIEW_NULL;
	if (text.bytes != 0)
		memcpy(*at, text.data, text.bytes);
	*at += text.bytes;
	return copy;
}

static size_t request_bytes(const struct wr_create *request)
{
	return request->objective.bytes + request->role.bytes + request->purpose.bytes +
	       request->profile_value.bytes + request->config_bundle_id.bytes +
	       request->config_bundle_digest.bytes + request->capabilities.packed.bytes +
	       request->workspace_refs.packed.bytes + request->mount_refs.packed.bytes;
}

static void keep_request(struct wr_worker *worker, const struct wr_event *event, char *at)
{
	const struct wr_create *from = &event->as.created.request;
	struct wr_create *to = &worker->request;

	worker->id = keep(&at, event->as.created.worker_id);
	*to = *from;
	to->worker_id = WR_VIEW_NULL; /* the id is kept beside the request */
	to->objective = keep(&at, from->objective);
	to->role = keep(&at, from->role);
	to->purpose = keep(&at, from->purpose);
	to->profile_value = keep(&at, from->profile_value);
	to->config_bundle_id = keep(&at, from->config_bundle_id);
	to->config_bundle_digest = keep(&at, from->config_bundle_digest);
	to->capabilities.packed = keep(&at, from->capabilities.packed);
	to->workspace_refs.packed = keep(&at, from->workspace_refs.packed);
	to->mount_refs.packed = keep(&at, from->mount_refs.packed);
	wr_assert(at == (char *)worker->block + worker->block_bytes);
}

static enum wr_status find_execution(const struct wr_runtime *self, struct wr_execution *out,
				     const struct wr_create *request)
{
	const struct wr_profiles *profiles = &self->ports.profiles;

	*out = (struct wr_execution){.ops = NULL};
	if (profiles->find == NULL)
		return request->profile == WR_PROFILE_NAMED ? WR_INVALID : WR_OK;
	return profiles->find(profiles->context, out, request->profile, request->profile_value);
}

/* What was asked for, else what the profile has. */
static struct wr_busy_policy busy_policy(const struct wr_create *request,
					 const struct wr_execution *execution)
{
	struct wr_busy_policy policy =
		request->busy.kind != WR_BUSY_UNSAID ? request->busy : execution->busy;

	if (policy.kind == WR_BUSY_UNSAID)
		policy.kind = WR_BUSY_REJECT;
	wr_assert((policy.kind == WR_BUSY_QUEUE) == (policy.inputs_max != 0));
	wr_assert(policy.inputs_max <= WR_QUEUE_INPUTS_MAX);
	return policy;
}

enum wr_status wr_fold_prepare_worker(struct wr_runtime *self, struct wr_worker **out,
				      const struct wr_event *event)
{
	struct wr_allocator *allocator = self->ports.allocator;
	struct wr_execution execution;
	struct wr_worker *worker;
	size_t bytes;

	/* A Worker whose profile is no longer configured stays readable after a restart. */
	if (find_execution(self, &execution, &event->as.created.request) != WR_OK &&
	    !self->is_replaying)
		return WR_INVALID;
	if (wr_catalog_reserve(&self->catalog) != WR_OK)
		return WR_NO_MEMORY;
	worker = wr_allocator_take_zeroed(allocator, sizeof *worker);
	if (worker == NULL)
		return WR_NO_MEMORY;
	bytes = event->as.created.worker_id.bytes + request_bytes(&event->as.created.request);
	worker->block = wr_allocator_take(allocator, bytes);
	if (worker->block == NULL) {
		wr_allocator_free(allocator, worker, sizeof *worker);
		return WR_NO_MEMORY;
	}
	worker->block_bytes = bytes;
	worker->number = event->worker;
	worker->now.status = WR_WORKER_RUNNING;
	worker->now.phase = WR_PHASE_IDLE;
	worker->execution = execution;
	worker->busy = busy_policy(&event->as.created.request, &execution);
	wr_list_init(&worker->queued_node);
	keep_request(worker, event, worker->block);
	wr_transcript_init(&worker->transcript);
	wr_event_stream_init(&worker->events, worker->number);
	*out = worker;
	return WR_OK;
}

void wr_worker_free(struct wr_runtime *self, struct wr_worker *worker)
{
	struct wr_allocator *allocator = self->ports.allocator;

	wr_in_flight_clear(&worker->in_flight, allocator);
	wr_list_remove(&worker->queued_node);
	wr_input_queue_deinit(&worker->queue, allocator);
	wr_allocator_free(allocator, (void *)(uintptr_t)worker->dropped.data,
			  worker->dropped.bytes);
	wr_transcript_deinit(&worker->transcript, &self->transcripts);
	wr_event_stream_deinit(&worker->events, &self->log);
	wr_allocator_free(allocator, worker->block, worker->block_bytes);
	wr_allocator_free(allocator, worker, sizeof *worker);
}

static void add_diagnostic(struct wr_runtime *self, const char *code, const char *message,
			   uint32_t worker)
{
	uint64_t id = ++self->diagnostic_count;

	self->diagnostics[(id - 1) % WR_DIAGNOSTICS_KEPT] = (struct wr_diagnostic){
		.id = id,
		.severity = WR_SEVERITY_INFO,
		.code = code,
		.message = message,
		.worker = worker,
	};
}

void wr_fold_worker(struct wr_runtime *self, struct wr_worker *worker, const struct wr_event *event)
{
	worker->created_wall_ms = event->wall_ms;
	worker->created_sequence = event->sequence;
	wr_catalog_add(&self->catalog, worker);
	if (worker->request.config_bundle_id.data == NULL)
		add_diagnostic(self, "runtime.local_default_resources",
			       "no config bundle named, local defaults apply", worker->number);
	if (worker->request.capabilities.count == 0)
		add_diagnostic(self, "worker.tools_less", "no tool capabilities requested",
			       worker->number);
}

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
		wr_repeat_fold(self, worker, event);
}
