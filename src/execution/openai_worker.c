/* One Worker: from an input to the end of its turn. */
#include "execution/openai_private.h"

#include "check.h"
#include "io/clock.h"

enum {
	/* How long memory for one event is waited for. */
	MEMORY_MS_MAX = 5000
};

static void report(struct wr_openai_worker *self, enum wr_report_kind kind, uint8_t code,
		   struct wr_view text)
{
	wr_reports_put(&self->member.reports, kind, code, text);
}

/* ---- beginning ---- */

/* Said once: the history only grows, so it stays true. */
static void say_left_out(struct wr_openai_turn *turn, uint64_t left_out)
{
	struct wr_openai_worker *self = turn->worker;
	char storage[128];
	struct wr_json_writer json;
	struct wr_buf text;
	size_t begin;

	if (left_out == 0 || self->has_told_cut)
		return;
	self->has_told_cut = true;
	wr_buf_init_fixed(&text, storage, sizeof storage);
	wr_buf_append_view(&text,
			   WR_VIEW("the conversation is longer than what is sent: the first "));
	wr_buf_append_u64(&text, left_out);
	wr_buf_append_view(&text, WR_VIEW(" messages are left out from here on"));
	begin = wr_openai_note_begin(turn, &json);
	wr_json_member_string(&json, WR_VIEW("level"), WR_VIEW("warn"));
	wr_json_member_string(&json, WR_VIEW("source"), WR_VIEW("engine"));
	wr_json_member_string(&json, WR_VIEW("message"), wr_buf_view(&text));
	wr_json_name(&json, WR_VIEW("timestamp_ms"));
	wr_json_i64(&json, wr_clock_wall_ms());
	wr_openai_note_end(turn, &json, begin, WR_VIEW("alert"));
}

static struct wr_view words_of(enum wr_status status)
{
	return status == WR_NO_MEMORY || status == WR_TOO_LARGE
		       ? WR_VIEW("no memory is left for the conversation")
		       : WR_VIEW("the conversation cannot be read");
}

/* Nothing was begun. From `idle` or `interrupted` a Worker may fail at once. */
static void fail_to_begin(struct wr_openai_worker *self, enum wr_status status)
{
	report(self, WR_REPORT_ERROR, WR_ERROR_INTERNAL, words_of(status));
	report(self, WR_REPORT_PHASE, WR_PHASE_FAILED, words_of(status));
	report(self, WR_REPORT_ENDED, 0, WR_VIEW_NULL);
}

static enum wr_status prepare(struct wr_openai_turn *turn, uint64_t *left_out,
			      const struct wr_input *input, uint64_t sequence)
{
	const struct wr_openai_worker *self = turn->worker;
	enum wr_status status =
		wr_openai_write_request(&turn->body, left_out, self, input, sequence);

	if (status != WR_OK)
		return status;
	wr_openai_append_target(&turn->target, self->profile);
	return wr_buf_status(&turn->target);
}

static void begin_turn(struct wr_openai_worker *self, const struct wr_input *input,
		       uint64_t sequence)
{
	const struct wr_worker *worker = wr_crew_worker(&self->member);
	struct wr_openai_turn *turn = wr_openai_turn_new(self);
	enum wr_status status = WR_NO_MEMORY;
	uint64_t left_out = 0;

	/* From `failed` no other way leads on. */
	if (worker->now.phase == WR_PHASE_FAILED)
		report(self, WR_REPORT_PHASE, WR_PHASE_STARTING, WR_VIEW("input"));
	if (turn != NULL)
		status = prepare(turn, &left_out, input, sequence);
	if (status != WR_OK) {
		if (turn != NULL)
			wr_openai_turn_free(turn);
		fail_to_begin(self, status);
		return;
	}
	turn->number = self->member.reports.turn = worker->now.turn_count + 1;
	self->turn = turn;
	self->set->turn_count++;
	report(self, WR_REPORT_PHASE, WR_PHASE_BUSY, WR_VIEW("input"));
	report(self, WR_REPORT_TURN_START, 0, WR_VIEW_NULL);
	say_left_out(turn, left_out);
	wr_openai_say_call(turn, WR_VIEW("llm_call_start"));
	wr_openai_turn_call(turn);
	wr_openai_go_on(self);
}

/* ---- input that comes when the end of the last turn is not yet recorded ---- */

static bool takes_input(const struct wr_openai_worker *self)
{
	return self->turn == NULL && !self->is_reporting &&
	       !wr_reports_are_waiting(&self->member.reports);
}

static void keep_pending(struct wr_openai_worker *self, const struct wr_input *input,
			 uint64_t sequence)
{
	wr_buf_reset(&self->pending);
	self->has_pending = wr_buf_append_view(&self->pending, input->content) == WR_OK;
	self->pending_kind = input->kind;
	self->pending_sequence = sequence;
	if (!self->has_pending)
		report(self, WR_REPORT_ERROR, WR_ERROR_INTERNAL,
		       WR_VIEW("the input could not be kept: no memory"));
}

static void begin_pending(struct wr_openai_worker *self)
{
	struct wr_buf content = self->pending;
	struct wr_input input = {self->pending_kind, wr_buf_view(&content)};

	if (!self->has_pending || !takes_input(self))
		return;
	self->has_pending = false;
	wr_buf_init(&self->pending, self->set->allocator, WR_EVENT_BYTES_MAX);
	begin_turn(self, &input, self->pending_sequence);
	wr_buf_deinit(&content);
}

static void drop_pending(struct wr_openai_worker *self)
{
	wr_buf_deinit(&self->pending);
	self->has_pending = false;
}

/* ---- the end of a turn ---- */

/* Its bounds: a turn that was broken off is paused, as the protocol calls it. */
static void report_bounds(struct wr_openai_worker *self, enum wr_run_result result)
{
	report(self, WR_REPORT_TURN_END,
	       result == WR_RUN_PAUSED ? WR_TURN_PAUSED : WR_TURN_FINISHED, WR_VIEW_NULL);
	report(self, WR_REPORT_RUN_END, (uint8_t)result, WR_VIEW_NULL);
}

static void report_end(struct wr_openai_worker *self, const struct wr_openai_turn *turn)
{
	switch (turn->end) {
	case WR_OPENAI_FINISHED:
		report_bounds(self, turn->result);
		report(self, WR_REPORT_PHASE, WR_PHASE_IDLE, WR_VIEW("turn done"));
		break;
	case WR_OPENAI_FAILED:
		report(self, WR_REPORT_PHASE, WR_PHASE_FAILED,
		       wr_view_of(turn->failure.data, turn->cause_bytes));
		break;
	case WR_OPENAI_INTERRUPTED:
		report_bounds(self, WR_RUN_PAUSED);
		report(self, WR_REPORT_PHASE, WR_PHASE_INTERRUPTED, WR_VIEW("interrupted"));
		break;
	case WR_OPENAI_DRAINED:
		report_bounds(self, WR_RUN_PAUSED);
		report(self, WR_REPORT_PHASE, WR_PHASE_INTERRUPTED,
		       WR_VIEW("the Runtime is stopping"));
		break;
	case WR_OPENAI_STOPPED:
		report_bounds(self, WR_RUN_PAUSED);
		break;
	}
	report(self, WR_REPORT_ENDED, 0, WR_VIEW_NULL);
}

static void forget_turn(struct wr_openai_worker *self)
{
	struct wr_openai_turn *turn = self->turn;

	self->turn = NULL;
	self->set->turn_count--;
	wr_openai_turn_free(turn);
}

void wr_openai_go_on(struct wr_openai_worker *self)
{
	if (self->turn == NULL || !wr_openai_turn_go_on(self->turn))
		return;
	self->is_reporting = true;
	if (self->turn->end == WR_OPENAI_STOPPED)
		self->member.is_released = true;
	report_end(self, self->turn);
	forget_turn(self);
	self->is_reporting = false;
	if (!self->member.is_released)
		begin_pending(self);
	else if (!wr_reports_are_waiting(&self->member.reports))
		wr_crew_remove(&self->member);
}

/* ---- the port ---- */

static void deliver(struct wr_crew_member *member, const struct wr_input *input, uint64_t sequence)
{
	struct wr_openai_worker *self = wr_openai_worker_of(member);

	if (takes_input(self))
		begin_turn(self, input, sequence);
	else
		keep_pending(self, input, sequence);
}

static bool is_running(const struct wr_openai_worker *self)
{
	return self->turn != NULL && self->turn->state != WR_OPENAI_ENDING;
}

static void end_turn(struct wr_openai_worker *self, enum wr_openai_end end)
{
	wr_openai_turn_end(self->turn, end, WR_RUN_PAUSED);
	wr_openai_go_on(self);
}

static enum wr_status interrupt(struct wr_crew_member *member)
{
	struct wr_openai_worker *self = wr_openai_worker_of(member);

	if (is_running(self)) {
		end_turn(self, WR_OPENAI_INTERRUPTED);
		return WR_OK;
	}
	if (self->has_pending) {
		drop_pending(self);
		report(self, WR_REPORT_PHASE, WR_PHASE_INTERRUPTED,
		       WR_VIEW("interrupted before its start"));
		return WR_OK;
	}
	return self->turn != NULL && self->turn->end == WR_OPENAI_INTERRUPTED ? WR_OK : WR_CONFLICT;
}

static void stop(struct wr_crew_member *member)
{
	struct wr_openai_worker *self = wr_openai_worker_of(member);

	drop_pending(self);
	if (self->turn == NULL)
		wr_crew_release(member);
	else if (is_running(self))
		end_turn(self, WR_OPENAI_STOPPED);
	else
		member->is_released = true; /* what is left to say is said first */
}

static void cancel(struct wr_crew_member *member)
{
	struct wr_openai_worker *self = wr_openai_worker_of(member);

	drop_pending(self);
	if (self->turn != NULL)
		forget_turn(self);
	wr_crew_release(member);
}

static void refuse(struct wr_crew_member *member)
{
	struct wr_openai_worker *self = wr_openai_worker_of(member);

	if (wr_crew_worker(member)->now.phase == WR_PHASE_FAILED ||
	    wr_reports_are_waiting(&member->reports))
		report(self, WR_REPORT_PHASE, WR_PHASE_STARTING, WR_VIEW("input"));
	report(self, WR_REPORT_PHASE, WR_PHASE_INTERRUPTED, WR_VIEW("the Runtime is stopping"));
	report(self, WR_REPORT_ENDED, 0, WR_VIEW_NULL);
}

static void drain(struct wr_crew_member *member)
{
	struct wr_openai_worker *self = wr_openai_worker_of(member);

	if (is_running(self))
		end_turn(self, WR_OPENAI_DRAINED);
	else if (self->has_pending)
		refuse(member);
	drop_pending(self);
}

/* ---- what was refused for now ---- */

static void go_on(struct wr_crew_member *member)
{
	struct wr_openai_worker *self = wr_openai_worker_of(member);

	if (self->turn != NULL)
		wr_openai_go_on(self);
	else if (member->is_released)
		wr_crew_remove(member);
	else
		begin_pending(self);
}

/* Room comes back, memory for one event perhaps never; and the end of the Runtime waits for
 * neither, but for room that is being made. */
static bool gives_up(struct wr_reports *reports, enum wr_status status)
{
	const struct wr_crew *crew = wr_container_of(reports->set, struct wr_crew, reports);

	if (status == WR_NO_MEMORY)
		return reports->since_ms != 0 &&
		       reports->set->reactor->now_ms - reports->since_ms >= MEMORY_MS_MAX;
	return status == WR_FULL && crew->is_draining;
}

/* ---- life ---- */

static void init(struct wr_crew_member *member, struct wr_crew_port *port)
{
	struct wr_openai_worker *self = wr_openai_worker_of(member);

	self->profile = wr_container_of(port, struct wr_openai_profile, port);
	self->set = self->profile->origin->set;
	wr_buf_init(&self->pending, self->set->allocator, WR_EVENT_BYTES_MAX);
}

static void deinit(struct wr_crew_member *member)
{
	struct wr_openai_worker *self = wr_openai_worker_of(member);

	if (self->turn != NULL)
		forget_turn(self);
	drop_pending(self);
}

static bool is_live(struct wr_crew_member *member)
{
	const struct wr_openai_worker *self = wr_openai_worker_of(member);

	return !takes_input(self) || self->has_pending;
}

const struct wr_crew_ops wr_openai_worker_ops = {
	.bytes = sizeof(struct wr_openai_worker),
	.member_at = offsetof(struct wr_openai_worker, member),
	.init = init,
	.deinit = deinit,
	.deliver = deliver,
	.interrupt = interrupt,
	.stop = stop,
	.cancel = cancel,
	.drain = drain,
	.refuse = refuse,
	.go_on = go_on,
	.is_live = is_live,
	.gives_up = gives_up,
	.no_memory = "no memory is left for the conversation",
};
