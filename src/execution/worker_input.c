/* What a Worker's program is given: at once, or when it is there and takes it. With turns each
 * input begins one, up to `done`. */
#include "execution/worker_process.h"

#include "check.h"
#include "execution/jsonl.h"
#include "bounds.h"

/* ---- keeping input ---- */

void wr_worker_input_drop(struct wr_worker_process *self)
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
	wr_worker_process_error(self, WR_VIEW("the input could not be kept: no memory"));
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

/* One message of a few bytes, or an input. */
enum wr_status wr_worker_input_write(struct wr_worker_process *self, struct wr_buf *message)
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
	return wr_worker_input_write(self, &lines);
}

static enum wr_status write_turn(struct wr_worker_process *self, const struct wr_input *input,
				 uint64_t turn)
{
	struct wr_buf message;

	wr_buf_init(&message, self->set->allocator, WR_FRAME_BYTES_MAX);
	wr_jsonl_write_input(&message, input, turn);
	return wr_worker_input_write(self, &message);
}

static enum wr_status begin_turn(struct wr_worker_process *self, const struct wr_input *input)
{
	const struct wr_worker *worker = wr_crew_worker(&self->member);
	enum wr_status status = write_turn(self, input, worker->now.turn_count + 1);

	if (status != WR_OK)
		return status;
	self->member.reports.turn = worker->now.turn_count + 1;
	self->is_in_turn = true;
	wr_worker_process_phase(self, WR_PHASE_BUSY, WR_VIEW("input"));
	wr_worker_process_say(self, WR_REPORT_TURN_START, 0);
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
		wr_worker_process_end(self, WR_PROCESS_BY_ITSELF, WR_CHILD_CLOSING);
	}
	wr_worker_input_drop(self);
}

void wr_worker_input_open(struct wr_worker_process *self, struct wr_view cause)
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
		wr_worker_input_open(self, WR_VIEW("ready"));
}

void wr_worker_process_turn_done(struct wr_worker_process *self, enum wr_run_result result)
{
	wr_assert(self->is_in_turn);
	wr_worker_process_say(self, WR_REPORT_TURN_END,
			      result == WR_RUN_PAUSED ? WR_TURN_PAUSED : WR_TURN_FINISHED);
	wr_worker_process_say(self, WR_REPORT_RUN_END, (uint8_t)result);
	self->is_in_turn = false;
	if (self->is_cancelling) {
		wr_timer_cancel(self->set->reactor, &self->timer);
		self->is_cancelling = false;
		wr_worker_process_phase(self, WR_PHASE_INTERRUPTED, WR_VIEW("interrupted"));
	} else {
		wr_worker_process_phase(self, WR_PHASE_IDLE, WR_VIEW("turn done"));
	}
}

/* ---- input that had to wait ---- */

/* An input that was accepted while it still ran, and for which nothing is started any more. */
static void refuse_pending(struct wr_worker_process *self)
{
	wr_worker_input_drop(self);
	wr_worker_process_error(self, WR_VIEW("the input was not given: the program has ended, and "
					      "its profile does not start it again"));
	wr_worker_process_phase(self, WR_PHASE_FAILED, WR_VIEW("the program has ended"));
}

static void give_pending(struct wr_worker_process *self)
{
	struct wr_input input = {self->pending_kind, wr_buf_view(&self->pending)};
	enum wr_status status = give(self, &input);

	if (status == WR_CLOSED) {
		wr_worker_process_end(self, WR_PROCESS_BY_ITSELF, WR_CHILD_CLOSING);
		return;
	}
	if (status != WR_OK)
		report_lost_input(self);
	wr_worker_input_drop(self);
}

/* Input that came when it could not be given: for the next one, if it is not for this. */
void wr_worker_input_give_waiting(struct wr_worker_process *self)
{
	if ((!self->has_pending && !self->wants_start) || wr_worker_process_has_reports(self))
		return;
	if (self->state == WR_PROCESS_OPEN && self->has_pending)
		give_pending(self);
	else if (self->state == WR_PROCESS_NONE && wr_worker_process_is_done(self))
		refuse_pending(self);
	else if (self->state == WR_PROCESS_NONE)
		wr_worker_process_start(self);
}

/* ---- the port ---- */

/* In line mode also behind one that is about to end by itself: the next one will take it. */
static bool takes_more_input(const struct wr_worker_process *self)
{
	if (wr_worker_process_has_reports(self) || self->member.is_released)
		return false;
	if (self->profile->mode == WR_PROCESS_JSONL)
		return self->state != WR_PROCESS_ENDING && !self->is_in_turn && !self->has_pending;
	return self->state != WR_PROCESS_ENDING || self->reason == WR_PROCESS_BY_ITSELF;
}

enum wr_status wr_worker_input_admit(const struct wr_worker_process *self,
				     const struct wr_input *input,
				     const struct wr_undelivered *waiting)
{
	/* Each of them may get a newline. */
	uint64_t queued = self->pending.bytes + waiting->bytes + waiting->count;

	if (!takes_more_input(self))
		return WR_BUSY;
	if (self->running != NULL)
		queued += wr_child_queued(&self->running->child);
	if (self->profile->mode == WR_PROCESS_JSONL)
		return queued != 0 ? WR_BUSY : WR_OK;
	if (queued >= WR_CHILD_INPUT_BYTES_MAX ||
	    input->content.bytes >= WR_CHILD_INPUT_BYTES_MAX - queued)
		return WR_BUSY;
	return WR_OK;
}

void wr_worker_input_deliver(struct wr_crew_member *member, const struct wr_input *input,
			     uint64_t sequence)
{
	struct wr_worker_process *self = wr_worker_process_of(member);
	enum wr_status status = WR_CLOSED;

	(void)sequence;
	if (self->state == WR_PROCESS_OPEN && !self->has_pending &&
	    !wr_worker_process_has_reports(self)) {
		status = give(self, input);
		if (status == WR_CLOSED)
			/* It reads no more and is about to end, or has to: the next one will. */
			wr_worker_process_end(self, WR_PROCESS_BY_ITSELF, WR_CHILD_CLOSING);
	}
	if (status == WR_OK)
		return;
	if (status != WR_CLOSED) {
		report_lost_input(self);
		return;
	}
	keep_pending(self, input);
	if (self->state == WR_PROCESS_STARTING || wr_worker_process_is_waiting(self))
		wr_worker_process_phase(self, WR_PHASE_STARTING, WR_VIEW("input"));
	else
		wr_worker_input_give_waiting(self);
}
