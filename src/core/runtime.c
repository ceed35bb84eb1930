#include "core/runtime.h"

#include "bytes/utf8.h"
#include "check.h"
#include "core/commit.h"
#include "core/replay.h"
#include "core/state.h"

#include <string.h>

void wr_runtime_defaults(struct wr_runtime_config *config)
{
	*config = (struct wr_runtime_config){
		.transcript_items_max = WR_TRANSCRIPT_PAGE_ITEMS_MAX,
		.event_batch_items_max = WR_EVENT_BATCH_ITEMS_MAX,
		.worker_count_max = WR_WORKER_COUNT_MAX,
		.retention = {.stream_events_max = WR_WORKER_RETENTION_EVENTS,
			      .stream_bytes_max = WR_WORKER_RETENTION_BYTES,
			      .events_max = WR_RETENTION_EVENTS,
			      .bytes_max = WR_RETENTION_BYTES},
		.worker_transcript_bytes_max = WR_WORKER_TRANSCRIPT_BYTES,
		.transcript_bytes_max = WR_TRANSCRIPT_BYTES,
	};
}

/* ---- a Runtime's beginning and end ---- */

static void write_hex(char *out, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
}

/* Copies the id (or makes one: random, so that no two processes share it) and the name. */
static enum wr_status keep_names(struct wr_runtime *self, const struct wr_runtime_config *config)
{
	struct wr_buf *texts = &self->texts;
	size_t id_bytes;

	if (config->runtime_id.data != NULL) {
		wr_buf_append_view(texts, config->runtime_id);
	} else {
		uint8_t random[8];
		char digits[2 * sizeof random];
		if (self->ports.entropy(self->ports.context, random, sizeof random) != WR_OK)
			return WR_IO;
		write_hex(digits, random, sizeof random);
		wr_buf_append_view(texts, WR_VIEW("runtime-mem-"));
		wr_buf_append(texts, digits, sizeof digits);
	}
	id_bytes = texts->bytes;
	wr_buf_append_view(texts, config->display_name);
	if (texts->status != WR_OK)
		return texts->status;
	self->config.runtime_id = wr_view_of(texts->data, id_bytes);
	if (config->display_name.data != NULL)
		self->config.display_name =
			wr_view_of(texts->data + id_bytes, texts->bytes - id_bytes);
	return WR_OK;
}

static void adopt_log(struct wr_runtime *self, const struct wr_store_log *log)
{
	self->generation = log->generation;
	memcpy(self->log_id, log->log_id, sizeof self->log_id);
	write_hex(self->log_id_text, self->log_id, sizeof self->log_id);
}

struct replay {
	struct wr_runtime *runtime;
	const struct wr_store_log *log;
};

static enum wr_status replay_record(void *context, uint64_t sequence, uint32_t worker,
				    struct wr_view payload)
{
	const struct replay *replay = context;
	struct wr_runtime *self = replay->runtime;
	struct wr_event event;
	enum wr_status status = wr_event_decode(&event, payload);

	if (status != WR_OK)
		return status;
	if (event.sequence != sequence || event.worker != worker ||
	    sequence <= self->log.last_sequence || !wr_replay_fits(self, &event))
		return WR_CORRUPT;
	/* The store knows its log by now, and the frames made here carry its id. */
	if (self->log.last_sequence == 0)
		adopt_log(self, replay->log);
	return wr_commit_replayed(self, &event);
}

/* Finds the log: what the store has of it, or a new one. */
static enum wr_status open_log(struct wr_runtime *self)
{
	const struct wr_store *port = &self->ports.store;
	struct wr_store_log log = {.generation = 1};
	struct replay replay = {self, &log};
	enum wr_status status;

	if (port->ops == NULL) {
		status = self->ports.entropy(self->ports.context, log.log_id, sizeof log.log_id);
	} else {
		self->is_replaying = true;
		status = port->ops->replay(port->context, &log, replay_record, &replay);
		self->is_replaying = false;
	}
	if (status == WR_OK)
		adopt_log(self, &log);
	return status;
}

static void init_parts(struct wr_runtime *self, const struct wr_runtime_config *config,
		       const struct wr_runtime_ports *ports)
{
	struct wr_allocator *allocator = ports->allocator;

	self->config = *config;
	self->config.display_name = WR_VIEW_NULL;
	self->ports = *ports;
	if (self->ports.encoding == NULL)
		self->ports.encoding = &wr_event_bytes_encoding;
	wr_buf_init(&self->texts, allocator, WR_EVENT_BYTES_MAX);
	wr_buf_init(&self->worker_frame, allocator, WR_FRAME_BYTES_MAX);
	wr_buf_init(&self->runtime_frame, allocator, WR_FRAME_BYTES_MAX);
	wr_buf_init(&self->record, allocator, WR_FRAME_BYTES_MAX);
	wr_buf_init(&self->text, allocator, 2 * WR_EVENT_BYTES_MAX);
	wr_catalog_init(&self->catalog, allocator);
	wr_event_log_init(&self->log, allocator, &config->retention);
	self->log.observer = ports->observer;
	wr_transcript_budget_init(&self->transcripts, allocator,
				  config->worker_transcript_bytes_max,
				  config->transcript_bytes_max);
}

enum wr_status wr_runtime_new(struct wr_runtime **out, const struct wr_runtime_config *config,
			      const struct wr_runtime_ports *ports, struct wr_error *error)
{
	struct wr_runtime *self;
	struct wr_event started = {.kind = WR_EVENT_RUNTIME_STARTED};
	enum wr_status status;

	*error = (struct wr_error){.status = WR_OK};
	if (config->runtime_id.data != NULL && wr_utf8_is_blank(config->runtime_id)) {
		*error = (struct wr_error){.status = WR_INVALID, .detail = "blank runtime id"};
		return WR_INVALID;
	}
	self = wr_allocator_take_zeroed(ports->allocator, sizeof *self);
	if (self == NULL)
		return error->status = WR_NO_MEMORY;
	init_parts(self, config, ports);
	status = keep_names(self, config);
	if (status == WR_OK)
		status = open_log(self);
	if (status == WR_OK && self->log.last_sequence == 0)
		status = wr_commit(self, &started);
	if (status != WR_OK) {
		error->status = status;
		wr_runtime_free(self);
		return status;
	}
	*out = self;
	return WR_OK;
}

void wr_runtime_free(struct wr_runtime *self)
{
	struct wr_allocator *allocator = self->ports.allocator;

	for (uint32_t number = self->catalog.count; number > 0; number--)
		wr_worker_free(self, wr_catalog_at(&self->catalog, number));
	wr_catalog_deinit(&self->catalog);
	wr_transcript_budget_deinit(&self->transcripts);
	wr_event_log_deinit(&self->log);
	wr_buf_deinit(&self->texts);
	wr_buf_deinit(&self->worker_frame);
	wr_buf_deinit(&self->runtime_frame);
	wr_buf_deinit(&self->record);
	wr_buf_deinit(&self->text);
	wr_allocator_free(allocator, self, sizeof *self);
}

/* ---- create ---- */

static enum wr_status refuse(struct wr_error *error, enum wr_status status, const char *detail)
{
	*error = (struct wr_error){.status = status, .detail = detail};
	return status;
}

static enum wr_status check_create(const struct wr_create *request, struct wr_error *error)
{
	struct wr_view rest = request->capabilities.packed, name, reason;
	size_t bytes = request->objective.bytes + request->role.bytes + request->purpose.bytes +
		       request->profile_value.bytes + request->config_bundle_id.bytes +
		       request->capabilities.packed.bytes + request->workspace_refs.packed.bytes +
		       request->mount_refs.packed.bytes;

	if (request->intent == WR_INTENT_TASK && wr_utf8_is_blank(request->objective))
		return refuse(error, WR_INVALID, "task objective must not be blank");
	while (wr_pairs_next(&rest, &name, &reason))
		if (wr_utf8_is_blank(name))
			return refuse(error, WR_INVALID, "capability name must not be blank");
	if (!wr_pairs_are_whole(&request->capabilities) ||
	    !wr_pairs_are_whole(&request->workspace_refs) ||
	    !wr_pairs_are_whole(&request->mount_refs))
		return refuse(error, WR_INVALID, "damaged list of pairs");
	if (bytes > WR_EVENT_BYTES_MAX)
		return refuse(error, WR_TOO_LARGE, "create request over 1 MiB");
	return WR_OK;
}

/* "worker-" and at least eight hex digits. */
static struct wr_view format_worker_id(char out[24], uint32_t number)
{
	uint8_t bytes[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
			    (uint8_t)(number >> 8), (uint8_t)number};

	memcpy(out, "worker-", 7);
	write_hex(out + 7, bytes, sizeof bytes);
	return wr_view_of(out, 15);
}

enum wr_status wr_runtime_create(struct wr_runtime *self, const struct wr_create *request,
				 const struct wr_worker **out, struct wr_error *error)
{
	uint32_t number = self->catalog.count + 1;
	char id[24];
	struct wr_event event = {.kind = WR_EVENT_WORKER_CREATED, .worker = number};
	struct wr_worker *worker;
	enum wr_status status;

	*error = (struct wr_error){.status = WR_OK};
	if (self->is_stopped)
		return refuse(error, WR_STOPPED, NULL);
	status = check_create(request, error);
	if (status != WR_OK)
		return status;
	if (self->catalog.count >= self->config.worker_count_max)
		return refuse(error, WR_FULL, "worker limit");
	event.as.created.worker_id = format_worker_id(id, number);
	event.as.created.request = *request;
	status = wr_commit(self, &event);
	if (status == WR_INVALID)
		return refuse(error, WR_NOT_FOUND, "no such profile");
	if (status != WR_OK)
		return refuse(error, status, NULL);
	worker = wr_catalog_at(&self->catalog, number);
	if (worker->execution.ops != NULL) {
		worker->has_last_result = true;
		worker->last_result =
			(struct wr_execution_result){WR_EXECUTION_SPAWN, WR_EXECUTION_ACCEPTED};
	}
	*out = worker;
	return WR_OK;
}

/* ---- input ---- */

static enum wr_execution_outcome outcome_of(enum wr_status status)
{
	return status == WR_BUSY ? WR_EXECUTION_BUSY : WR_EXECUTION_REJECTED;
}

static void set_result(struct wr_worker *worker, enum wr_execution_operation operation,
		       enum wr_execution_outcome outcome)
{
	worker->has_last_result = true;
	worker->last_result = (struct wr_execution_result){operation, outcome};
}

static void fill_ack(const struct wr_worker *worker, struct wr_ack *ack)
{
	*ack = (struct wr_ack){.status = worker->status, .event_id = worker->last_event_id};
}

enum wr_status wr_runtime_input(struct wr_runtime *self, struct wr_view worker_id,
				const struct wr_input *input, struct wr_ack *ack,
				struct wr_error *error)
{
	struct wr_event event; /* not zeroed as a whole: it is large, and this path is hot */
	const struct wr_execution *execution;
	struct wr_worker *worker;
	enum wr_status status;

	*error = (struct wr_error){.status = WR_OK};
	if (self->is_stopped)
		return refuse(error, WR_STOPPED, NULL);
	if (wr_utf8_is_blank(input->content))
		return refuse(error, WR_INVALID, "content must not be blank");
	if (input->content.bytes > WR_EVENT_BYTES_MAX)
		return refuse(error, WR_TOO_LARGE, "content over 1 MiB");
	worker = wr_catalog_find(&self->catalog, worker_id);
	if (worker == NULL)
		return refuse(error, WR_NOT_FOUND, NULL);
	if (worker->status != WR_WORKER_RUNNING)
		return refuse(error, WR_CONFLICT, NULL);
	execution = &worker->execution;
	if (execution->ops != NULL) {
		status = execution->ops->admit(execution->context, worker->number, input);
		if (status != WR_OK) {
			set_result(worker, WR_EXECUTION_INPUT, outcome_of(status));
			return refuse(error, status, NULL);
		}
	}
	event.kind = WR_EVENT_INPUT_ACCEPTED;
	event.worker = worker->number;
	event.as.input.input = *input;
	event.as.input.transcript_sequence = worker->transcript.total + 1;
	status = wr_commit(self, &event);
	if (status != WR_OK)
		return refuse(error, status, NULL);
	fill_ack(worker, ack);
	ack->transcript_sequence = event.as.input.transcript_sequence;
	if (execution->ops != NULL) {
		set_result(worker, WR_EXECUTION_INPUT, WR_EXECUTION_ACCEPTED);
		execution->ops->deliver(execution->context, worker->number, input, event.sequence);
	}
	return WR_OK;
}

/* ---- stop, cancel, interrupt ---- */

/* Tells the execution of a Worker whose end was recorded, once. */
static void end_execution(struct wr_worker *worker)
{
	const struct wr_execution *execution = &worker->execution;
	bool is_cancel = worker->status == WR_WORKER_CANCELLED;

	if (execution->ops == NULL || worker->is_end_told)
		return;
	worker->is_end_told = true;
	set_result(worker, is_cancel ? WR_EXECUTION_CANCEL : WR_EXECUTION_STOP,
		   WR_EXECUTION_ACCEPTED);
	/* Also when nothing is live: a start may be waiting. */
	if (is_cancel)
		execution->ops->cancel(execution->context, worker->number);
	else
		execution->ops->stop(execution->context, worker->number);
}

static enum wr_status end_worker(struct wr_runtime *self, struct wr_view worker_id,
				 enum wr_event_kind kind, struct wr_view reason, struct wr_ack *ack)
{
	struct wr_event event = {.kind = kind};
	struct wr_worker *worker;
	enum wr_status status;

	if (self->is_stopped)
		return WR_STOPPED;
	if (reason.bytes > WR_EVENT_BYTES_MAX)
		return WR_TOO_LARGE;
	worker = wr_catalog_find(&self->catalog, worker_id);
	if (worker == NULL)
		return WR_NOT_FOUND;
	if (worker->status == WR_WORKER_RUNNING) {
		event.worker = worker->number;
		event.as.ended.reason = reason;
		event.as.ended.is_execution_live = worker->is_execution_live;
		status = wr_commit(self, &event);
		if (status != WR_OK)
			return status;
		fill_ack(worker, ack);
		end_execution(worker);
		return WR_OK;
	}
	fill_ack(worker, ack); /* terminal: the first end wins, again and again */
	return WR_OK;
}

enum wr_status wr_runtime_stop_worker(struct wr_runtime *self, struct wr_view worker_id,
				      struct wr_view reason, struct wr_ack *ack)
{
	return end_worker(self, worker_id, WR_EVENT_WORKER_STOPPED, reason, ack);
}

enum wr_status wr_runtime_cancel_worker(struct wr_runtime *self, struct wr_view worker_id,
					struct wr_view reason, struct wr_ack *ack)
{
	return end_worker(self, worker_id, WR_EVENT_WORKER_CANCELLED, reason, ack);
}

enum wr_status wr_runtime_interrupt(struct wr_runtime *self, struct wr_view worker_id,
				    struct wr_ack *ack)
{
	struct wr_worker *worker;
	enum wr_status status;

	if (self->is_stopped)
		return WR_STOPPED;
	worker = wr_catalog_find(&self->catalog, worker_id);
	if (worker == NULL)
		return WR_NOT_FOUND;
	if (worker->status != WR_WORKER_RUNNING)
		return WR_CONFLICT;
	if (worker->execution.ops == NULL)
		return WR_UNSUPPORTED;
	status = worker->execution.ops->interrupt(worker->execution.context, worker->number);
	if (status == WR_OK)
		*ack = (struct wr_ack){.status = worker->status,
				       .event_id = worker->events.last_sequence};
	return status;
}

enum wr_status wr_runtime_stop(struct wr_runtime *self, uint64_t *event_id)
{
	struct wr_event event = {.kind = WR_EVENT_RUNTIME_STOPPED};
	enum wr_status status;

	if (!self->is_stopped) {
		status = wr_commit(self, &event);
		if (status != WR_OK)
			return status;
		for (uint32_t number = 1; number <= self->catalog.count; number++) {
			struct wr_worker *worker = wr_catalog_at(&self->catalog, number);
			if (worker->status == WR_WORKER_STOPPED)
				end_execution(worker);
		}
	}
	*event_id = self->last_event_id;
	return WR_OK;
}

/* ---- reports of an execution ---- */

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
	if (target->phase != phase) {
		/* An execution ends a Worker only after it was told to. */
		if (!wr_phase_allows(target->phase, phase) ||
		    (target->status == WR_WORKER_RUNNING && wr_phase_is_end(phase)))
			return WR_CONFLICT;
		event.as.phase.from = (uint8_t)target->phase;
		event.as.phase.to = (uint8_t)phase;
		event.as.phase.cause = cause;
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
	if (target->phase == WR_PHASE_STOPPING)
		status = wr_runtime_phase(self, worker, WR_PHASE_STOPPED,
					  WR_VIEW("execution ended"));
	if (status == WR_OK)
		target->is_execution_live = false;
	return status;
}
