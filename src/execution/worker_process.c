#include "execution/worker_process.h"

#include "check.h"
#include "execution/jsonl.h"
#include "io/log.h"
#include "bounds.h"

#include <errno.h>

/* ---- records ---- */

static void note_loss(uint32_t worker, enum wr_status status)
{
	WR_LOG(WR_LOG_ERROR, "worker_event_lost", WR_LOG_NUMBER("worker", worker),
	       WR_LOG_TEXT("status", wr_view_of_string(wr_status_name(status))));
}

void wr_worker_process_output(struct wr_worker_process *self, const struct wr_output *output)
{
	enum wr_status status = wr_runtime_output(self->set->runtime, self->worker, output);

	if (status != WR_OK)
		note_loss(self->worker, status);
}

void wr_worker_process_report(struct wr_processes *set, uint32_t worker, struct wr_view message)
{
	struct wr_output output = {
		.kind = WR_OUTPUT_ERROR, .code = WR_ERROR_INTERNAL, .text = message};
	enum wr_status status = wr_runtime_output(set->runtime, worker, &output);

	if (status != WR_OK)
		note_loss(worker, status);
}

/* A Worker that was stopped or cancelled has no phases but the end any more. */
void wr_worker_process_phase(struct wr_worker_process *self, enum wr_phase phase,
			     struct wr_view cause)
{
	enum wr_status status = wr_runtime_phase(self->set->runtime, self->worker, phase, cause);

	if (status != WR_OK && status != WR_CONFLICT)
		note_loss(self->worker, status);
}

static void say_turn(struct wr_worker_process *self, enum wr_output_kind kind, uint8_t code)
{
	struct wr_output output = {.kind = kind, .code = code};

	if (kind != WR_OUTPUT_RUN_END) {
		output.numbers[0] = self->turn;
		output.has_number[0] = true;
	}
	wr_worker_process_output(self, &output);
}

/* ---- waiting input ---- */

static void drop_pending(struct wr_worker_process *self)
{
	wr_buf_deinit(&self->pending);
	self->has_pending = false;
}

static bool ends_line(struct wr_view content)
{
	return content.bytes != 0 && content.data[content.bytes - 1] == '\n';
}

static void report_lost_input(struct wr_worker_process *self)
{
	wr_worker_process_report(self->set, self->worker,
				 WR_VIEW("the input could not be kept: no memory"));
}

static void keep_pending(struct wr_worker_process *self, const struct wr_input *input)
{
	size_t before = self->pending.bytes;

	wr_buf_append_view(&self->pending, input->content);
	if (self->profile->mode == WR_PROCESS_LINE && !ends_line(input->content))
		wr_buf_append_byte(&self->pending, '\n');
	if (wr_buf_status(&self->pending) == WR_OK) {
		self->has_pending = true;
		self->pending_kind = input->kind;
		return;
	}
	wr_buf_truncate(&self->pending, before);
	self->pending.status = WR_OK;
	report_lost_input(self);
}

/* ---- giving input to the program ---- */

static void begin_end(struct wr_worker_process *self, enum wr_process_reason reason,
		      enum wr_child_stage stage)
{
	wr_timer_cancel(self->set->reactor, &self->timer);
	self->state = WR_PROCESS_ENDING;
	if (reason > self->reason)
		self->reason = reason;
	wr_child_end(&self->running->child, stage);
}

/* One message of a few bytes, or an input. */
static enum wr_status write_message(struct wr_worker_process *self, struct wr_buf *message)
{
	enum wr_status status = wr_buf_status(message);

	if (status == WR_OK)
		status = wr_child_write(&self->running->child, wr_buf_view(message));
	wr_buf_deinit(message);
	return status;
}

static enum wr_status write_lines(struct wr_worker_process *self, struct wr_view content)
{
	struct wr_buf lines;

	if (ends_line(content))
		return wr_child_write(&self->running->child, content);
	wr_buf_init(&lines, self->set->allocator, content.bytes + 1);
	wr_buf_append_view(&lines, content);
	wr_buf_append_byte(&lines, '\n');
	return write_message(self, &lines);
}

static enum wr_status write_turn(struct wr_worker_process *self, const struct wr_input *input,
				 uint64_t turn)
{
	struct wr_buf message;

	wr_buf_init(&message, self->set->allocator, WR_FRAME_BYTES_MAX);
	wr_jsonl_write_input(&message, input, turn);
	return write_message(self, &message);
}

static enum wr_status begin_turn(struct wr_worker_process *self, const struct wr_input *input)
{
	const struct wr_worker *worker = wr_runtime_worker(self->set->runtime, self->worker);
	enum wr_status status = write_turn(self, input, worker->turn_count + 1);

	if (status != WR_OK)
		return status;
	self->turn = worker->turn_count + 1;
	self->is_in_turn = true;
	wr_worker_process_phase(self, WR_PHASE_BUSY, WR_VIEW("input"));
	say_turn(self, WR_OUTPUT_TURN_START, 0);
	return WR_OK;
}

/* To a program that takes input. WR_CLOSED: nothing of it was given. */
static enum wr_status give(struct wr_worker_process *self, const struct wr_input *input)
{
	self->running->protocol_errors = 0;
	return self->profile->mode == WR_PROCESS_LINE ? write_lines(self, input->content)
						      : begin_turn(self, input);
}

/* The input for which this child was started. If the child will not have it, nobody will. */
static void give_first(struct wr_worker_process *self)
{
	struct wr_input input = {self->pending_kind, wr_buf_view(&self->pending)};

	if (!self->has_pending)
		return;
	if (give(self, &input) != WR_OK) {
		self->lost_bytes += input.content.bytes;
		begin_end(self, WR_PROCESS_BY_ITSELF, WR_CHILD_CLOSING);
	}
	drop_pending(self);
}

static void open_for_input(struct wr_worker_process *self, struct wr_view cause)
{
	if (self->state != WR_PROCESS_STARTING)
		return; /* too late: it is being ended */
	self->is_ready = true;
	wr_timer_cancel(self->set->reactor, &self->timer);
	self->state = WR_PROCESS_OPEN;
	/* In jsonl mode the waiting input makes it busy at once. */
	if (self->profile->mode == WR_PROCESS_LINE || !self->has_pending)
		wr_worker_process_phase(self, WR_PHASE_IDLE, cause);
	give_first(self);
}

void wr_worker_process_ready(struct wr_worker_process *self)
{
	if (!self->is_ready)
		open_for_input(self, WR_VIEW("ready"));
}

void wr_worker_process_turn_done(struct wr_worker_process *self, enum wr_run_result result)
{
	wr_assert(self->is_in_turn);
	say_turn(self, WR_OUTPUT_TURN_END,
		 result == WR_RUN_PAUSED ? WR_TURN_PAUSED : WR_TURN_FINISHED);
	say_turn(self, WR_OUTPUT_RUN_END, (uint8_t)result);
	self->is_in_turn = false;
	if (self->is_cancelling) {
		wr_timer_cancel(self->set->reactor, &self->timer);
		self->is_cancelling = false;
		wr_worker_process_phase(self, WR_PHASE_INTERRUPTED, WR_VIEW("interrupted"));
	} else {
		wr_worker_process_phase(self, WR_PHASE_IDLE, WR_VIEW("turn done"));
	}
}

/* ---- the end of the program ---- */

static void log_end(const struct wr_worker_process *self, const struct wr_child_end *end)
{
	WR_LOG(WR_LOG_INFO, "child_ended", WR_LOG_NUMBER("worker", self->worker),
	       WR_LOG_NUMBER(end->is_signalled ? "signal" : "status", end->number));
}

/* Gives back what only a running child needs. */
static void forget_running(struct wr_worker_process *self)
{
	struct wr_running *running = self->running;

	wr_timer_cancel(self->set->reactor, &self->timer);
	wr_line_reader_deinit(&running->lines);
	wr_buf_deinit(&running->texts);
	wr_child_deinit(&running->child);
	wr_allocator_free(self->set->allocator, running, sizeof *running);
	self->running = NULL;
	self->state = WR_PROCESS_NONE;
	self->set->count--;
}

/* The Worker has ended for good: it will never come here again. */
static void release(struct wr_worker_process *self)
{
	struct wr_processes *set = self->set;
	uint32_t worker = self->worker;

	set->by_worker[worker] = NULL;
	wr_worker_process_free(self);
	wr_runtime_execution_ended(set->runtime, worker);
}

static void start(struct wr_worker_process *self);

static void on_end(void *context, const struct wr_child_end *end)
{
	struct wr_worker_process *self = context;

	wr_worker_output_end(self);
	log_end(self, end);
	/* What it was started for is not tried with another: that could go on for ever. */
	if (!self->is_ready)
		drop_pending(self);
	switch (self->is_cancelling && self->reason < WR_PROCESS_INTERRUPTED
			? WR_PROCESS_INTERRUPTED
			: self->reason) {
	case WR_PROCESS_BY_ITSELF:
		wr_worker_process_judge(self, end);
		break;
	case WR_PROCESS_FAULTY:
		wr_worker_process_fail(self, WR_VIEW("ended for breaking the protocol"));
		break;
	case WR_PROCESS_INTERRUPTED:
		wr_worker_process_phase(self, WR_PHASE_INTERRUPTED, WR_VIEW("interrupted"));
		break;
	case WR_PROCESS_DRAINED:
		break; /* its record was made when the drain began */
	case WR_PROCESS_STOPPED:
	case WR_PROCESS_CANCELLED:
		forget_running(self);
		release(self);
		return;
	}
	forget_running(self);
	wr_runtime_execution_ended(self->set->runtime, self->worker);
	if (self->has_pending)
		start(self); /* it came too late for the one that is gone */
}

/* ---- the start of the program ---- */

static void on_started(void *context)
{
	struct wr_worker_process *self = context;

	if (self->profile->mode == WR_PROCESS_LINE)
		open_for_input(self, WR_VIEW("started"));
}

static void on_output(void *context, struct wr_view bytes)
{
	wr_worker_output(context, bytes);
}

/* Who cannot say `done` any more cannot end a turn. A filter may be silent and useful. */
static void on_output_end(void *context)
{
	struct wr_worker_process *self = context;

	if (self->profile->mode == WR_PROCESS_JSONL)
		begin_end(self, WR_PROCESS_BY_ITSELF, WR_CHILD_CLOSING);
}

static const struct wr_child_events child_events = {
	.on_started = on_started,
	.on_output = on_output,
	.on_output_end = on_output_end,
	.on_end = on_end,
};

static enum wr_status start_child(struct wr_worker_process *self, struct wr_error *error)
{
	const struct wr_process_profile *profile = self->profile;
	const struct wr_child_config config = {
		.reactor = self->set->reactor,
		.allocator = self->set->allocator,
		.events = &child_events,
		.context = self,
		.input_bytes_max = profile->mode == WR_PROCESS_LINE ? WR_CHILD_INPUT_BYTES_MAX
								    : WR_FRAME_BYTES_MAX,
		.grace_ms = profile->grace_ms,
	};
	char path[WR_PROGRAM_PATH_BYTES_MAX];
	char *environment[WR_ENVIRONMENT_COUNT_MAX + 1];
	struct wr_spawn spawn = {
		.path = path,
		.argv = profile->argv,
		.environment = environment,
		.cwd = profile->cwd,
		.address_space_bytes_max = profile->address_space_bytes_max,
		.file_bytes_max = profile->file_bytes_max,
	};
	enum wr_status status;

	wr_environment_select(environment, self->set->environment, profile->environment_names);
	status = wr_program_find(path, profile->argv[0], wr_environment_value(environment, "PATH"),
				 error);
	if (status != WR_OK)
		return status;
	return wr_child_start(&self->running->child, &config, &spawn, error);
}

static void write_init(struct wr_worker_process *self)
{
	const struct wr_worker *worker = wr_runtime_worker(self->set->runtime, self->worker);
	struct wr_buf message;

	wr_buf_init(&message, self->set->allocator, WR_FRAME_BYTES_MAX);
	wr_jsonl_write_init(&message, worker->id);
	if (write_message(self, &message) != WR_OK ||
	    wr_timer_set(self->set->reactor, &self->timer, self->profile->ready_ms_max) != WR_OK)
		begin_end(self, WR_PROCESS_BY_ITSELF, WR_CHILD_TERMINATING);
}

static void launch(struct wr_worker_process *self)
{
	struct wr_processes *set = self->set;
	struct wr_error error = {.os_error = ENOMEM};

	self->started_ms = set->reactor->now_ms;
	self->reason = WR_PROCESS_BY_ITSELF;
	self->is_ready = self->is_in_turn = self->is_cancelling = false;
	self->lost_bytes = 0;
	self->running = wr_allocator_take_zeroed(set->allocator, sizeof *self->running);
	if (self->running != NULL) {
		wr_line_reader_init(&self->running->lines, set->allocator, WR_CHILD_LINE_BYTES_MAX);
		wr_buf_init(&self->running->texts, set->allocator, WR_EVENT_BYTES_MAX);
	}
	if (self->running == NULL || start_child(self, &error) != WR_OK) {
		if (self->running != NULL)
			wr_allocator_free(set->allocator, self->running, sizeof *self->running);
		self->running = NULL;
		self->state = WR_PROCESS_NONE;
		set->count--;
		drop_pending(self);
		wr_worker_process_fail_start(self, error.os_error);
		return;
	}
	self->state = WR_PROCESS_STARTING;
	WR_LOG(WR_LOG_INFO, "child_started", WR_LOG_NUMBER("worker", self->worker),
	       WR_LOG_NUMBER("pid", self->running->child.pid));
	if (self->profile->mode == WR_PROCESS_JSONL)
		write_init(self);
}

static void start(struct wr_worker_process *self)
{
	uint64_t now_ms = self->set->reactor->now_ms;

	wr_assert(self->state == WR_PROCESS_NONE);
	self->set->count++;
	self->state = WR_PROCESS_WAITING;
	if (now_ms < self->not_before_ms &&
	    wr_timer_set(self->set->reactor, &self->timer, self->not_before_ms - now_ms) == WR_OK) {
		wr_worker_process_phase(self, WR_PHASE_STARTING,
					WR_VIEW("waits, as it died early before"));
		return;
	}
	wr_worker_process_phase(self, WR_PHASE_STARTING, WR_VIEW("input"));
	launch(self);
}

/* ---- deadlines ---- */

static void on_timer(struct wr_timer *timer)
{
	struct wr_worker_process *self = wr_container_of(timer, struct wr_worker_process, timer);

	if (self->state == WR_PROCESS_WAITING) {
		launch(self);
	} else if (self->state == WR_PROCESS_STARTING) {
		wr_worker_process_report(self->set, self->worker,
					 WR_VIEW("child_protocol_error: not ready in time"));
		begin_end(self, WR_PROCESS_FAULTY, WR_CHILD_TERMINATING);
	} else if (self->is_cancelling) {
		begin_end(self, WR_PROCESS_INTERRUPTED, WR_CHILD_TERMINATING);
	}
}

/* ---- the port ---- */

struct wr_worker_process *wr_worker_process_new(struct wr_processes *set,
						const struct wr_process_profile *profile,
						uint32_t worker)
{
	struct wr_worker_process *self = wr_allocator_take_zeroed(set->allocator, sizeof *self);

	if (self == NULL)
		return NULL;
	self->set = set;
	self->profile = profile;
	self->worker = worker;
	self->timer.on_due = on_timer;
	wr_buf_init(&self->pending, set->allocator, WR_CHILD_INPUT_BYTES_MAX);
	return self;
}

void wr_worker_process_free(struct wr_worker_process *self)
{
	if (self->running != NULL)
		forget_running(self);
	wr_timer_cancel(self->set->reactor, &self->timer);
	wr_buf_deinit(&self->pending);
	wr_allocator_free(self->set->allocator, self, sizeof *self);
}

enum wr_status wr_worker_process_admit(const struct wr_worker_process *self,
				       const struct wr_input *input)
{
	size_t queued = self->pending.bytes;

	if (self->state == WR_PROCESS_ENDING)
		return WR_BUSY;
	if (self->running != NULL)
		queued += wr_child_queued(&self->running->child);
	if (self->profile->mode == WR_PROCESS_JSONL)
		return self->is_in_turn || self->has_pending || queued != 0 ? WR_BUSY : WR_OK;
	if (queued >= WR_CHILD_INPUT_BYTES_MAX ||
	    input->content.bytes >= WR_CHILD_INPUT_BYTES_MAX - queued)
		return WR_BUSY;
	return WR_OK;
}

void wr_worker_process_deliver(struct wr_worker_process *self, const struct wr_input *input)
{
	enum wr_status status = WR_CLOSED;

	if (self->state == WR_PROCESS_OPEN) {
		status = give(self, input);
		if (status == WR_CLOSED)
			/* It reads no more and is about to end, or has to: the next one will. */
			begin_end(self, WR_PROCESS_BY_ITSELF, WR_CHILD_CLOSING);
	}
	if (status == WR_OK)
		return;
	if (status != WR_CLOSED) {
		report_lost_input(self);
		return;
	}
	keep_pending(self, input);
	if (self->state == WR_PROCESS_NONE)
		start(self);
	else if (self->state == WR_PROCESS_STARTING)
		wr_worker_process_phase(self, WR_PHASE_STARTING, WR_VIEW("input"));
}

/* A start that has not happened does not happen. */
static void cancel_waiting(struct wr_worker_process *self)
{
	wr_timer_cancel(self->set->reactor, &self->timer);
	self->state = WR_PROCESS_NONE;
	self->set->count--;
	drop_pending(self);
	wr_runtime_execution_ended(self->set->runtime, self->worker);
}

static enum wr_status ask_to_cancel(struct wr_worker_process *self)
{
	struct wr_buf message;

	if (self->is_cancelling)
		return WR_OK;
	self->is_cancelling = true;
	wr_buf_init(&message, self->set->allocator, WR_FRAME_BYTES_MAX);
	wr_jsonl_write_cancel(&message);
	if (write_message(self, &message) != WR_OK ||
	    wr_timer_set(self->set->reactor, &self->timer, self->profile->interrupt_ms_max) !=
		    WR_OK)
		begin_end(self, WR_PROCESS_INTERRUPTED, WR_CHILD_TERMINATING);
	return WR_OK;
}

enum wr_status wr_worker_process_interrupt(struct wr_worker_process *self)
{
	bool is_jsonl = self->profile->mode == WR_PROCESS_JSONL;

	switch (self->state) {
	case WR_PROCESS_NONE:
		return WR_CONFLICT;
	case WR_PROCESS_WAITING:
		cancel_waiting(self);
		wr_worker_process_phase(self, WR_PHASE_INTERRUPTED,
					WR_VIEW("interrupted before its start"));
		return WR_OK;
	case WR_PROCESS_STARTING:
		if (is_jsonl && !self->has_pending)
			return WR_CONFLICT;
		drop_pending(self);
		if (is_jsonl)
			wr_worker_process_phase(self, WR_PHASE_INTERRUPTED,
						WR_VIEW("interrupted at its start"));
		else
			begin_end(self, WR_PROCESS_INTERRUPTED, WR_CHILD_INTERRUPTING);
		return WR_OK;
	case WR_PROCESS_OPEN:
		if (is_jsonl)
			return self->is_in_turn ? ask_to_cancel(self) : WR_CONFLICT;
		begin_end(self, WR_PROCESS_INTERRUPTED, WR_CHILD_INTERRUPTING);
		return WR_OK;
	case WR_PROCESS_ENDING:
		return self->reason == WR_PROCESS_INTERRUPTED ? WR_OK : WR_CONFLICT;
	}
	wr_unreachable();
}

/* In good order: it is told, then its input ends. */
static void end_in_order(struct wr_worker_process *self, enum wr_process_reason reason)
{
	struct wr_buf message;

	if (self->profile->mode == WR_PROCESS_JSONL) {
		wr_buf_init(&message, self->set->allocator, WR_FRAME_BYTES_MAX);
		wr_jsonl_write_shutdown(&message);
		write_message(self, &message); /* who cannot hear it sees the end of its input */
	}
	begin_end(self, reason, WR_CHILD_CLOSING);
}

void wr_worker_process_stop(struct wr_worker_process *self)
{
	drop_pending(self);
	if (self->state == WR_PROCESS_WAITING)
		cancel_waiting(self);
	if (self->state == WR_PROCESS_NONE)
		release(self);
	else
		end_in_order(self, WR_PROCESS_STOPPED);
}

void wr_worker_process_cancel(struct wr_worker_process *self)
{
	drop_pending(self);
	if (self->state == WR_PROCESS_WAITING)
		cancel_waiting(self);
	if (self->state == WR_PROCESS_NONE)
		release(self);
	else
		begin_end(self, WR_PROCESS_CANCELLED, WR_CHILD_KILLING);
}

void wr_worker_process_drain(struct wr_worker_process *self)
{
	if (self->state == WR_PROCESS_NONE)
		return;
	if (self->has_pending || self->is_in_turn)
		wr_worker_process_phase(self, WR_PHASE_INTERRUPTED,
					WR_VIEW("the Runtime is stopping"));
	drop_pending(self);
	if (self->state == WR_PROCESS_WAITING)
		cancel_waiting(self);
	else
		end_in_order(self, WR_PROCESS_DRAINED);
}

void wr_worker_process_kill(struct wr_worker_process *self)
{
	if (self->running != NULL)
		begin_end(self, WR_PROCESS_DRAINED, WR_CHILD_KILLING);
}

pid_t wr_worker_process_pid(const struct wr_worker_process *self)
{
	return self->running == NULL ? 0 : self->running->child.pid;
}

bool wr_worker_process_reap(struct wr_worker_process *self)
{
	return self->running != NULL && wr_child_reap(&self->running->child);
}
