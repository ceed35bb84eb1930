#include "execution/worker_process.h"

#include "check.h"
#include "execution/jsonl.h"
#include "io/log.h"
#include "bounds.h"

/* ---- the end of the program ---- */

void wr_worker_process_end(struct wr_worker_process *self, enum wr_process_reason reason,
			   enum wr_child_stage stage)
{
	wr_timer_cancel(self->set->reactor, &self->timer);
	self->state = WR_PROCESS_ENDING;
	if (reason > self->reason)
		self->reason = reason;
	wr_child_end(&self->running->child, stage);
}

static void log_end(const struct wr_worker_process *self, const struct wr_child_end *end)
{
	WR_LOG(WR_LOG_INFO, "child_ended", WR_LOG_NUMBER("worker", self->member.reports.worker),
	       WR_LOG_NUMBER(end->is_signalled ? "signal" : "status", end->number));
}

/* One place among the children is free. */
void wr_worker_process_give_place_back(struct wr_worker_process *self)
{
	self->set->count--;
	if (wr_list_is_empty(&self->set->queue))
		return;
	wr_crew_want_turn(&self->set->crew);
	wr_reactor_again(self->set->reactor);
}

/* Whoever descends from it. */
static void end_cgroup(struct wr_processes *set, uint64_t cgroup)
{
	if (set->cgroups != NULL && cgroup != WR_CGROUP_NONE)
		wr_cgroups_end(set->cgroups, cgroup);
}

/* Gives back what only a running child needs. */
static void forget_running(struct wr_worker_process *self)
{
	struct wr_running *running = self->running;

	wr_timer_cancel(self->set->reactor, &self->timer);
	if (self->set->ledger != NULL && running->child.pid == 0)
		wr_ledger_note_death(self->set->ledger, running->ledger_row);
	if (running->child.pid != 0)
		end_cgroup(self->set, running->cgroup);
	wr_line_reader_deinit(&running->lines);
	wr_buf_deinit(&running->texts);
	wr_child_deinit(&running->child);
	wr_allocator_free(self->set->allocator, running, sizeof *running);
	self->running = NULL;
	self->state = WR_PROCESS_NONE;
	wr_worker_process_give_place_back(self);
}

/* It is dead, and all it has said was taken. */
static void finish(struct wr_worker_process *self)
{
	const struct wr_child_end *end = &self->running->end;

	log_end(self, end);
	/* What it was started for is not tried with another: that could go on for ever. */
	if (!self->is_ready)
		wr_worker_input_drop(self);
	self->has_ended = self->has_ended || end->failure.stage == WR_SPAWN_NONE;
	switch (self->is_cancelling && self->reason < WR_PROCESS_INTERRUPTED
			? WR_PROCESS_INTERRUPTED
			: self->reason) {
	case WR_PROCESS_BY_ITSELF:
		wr_worker_process_judge(self, end);
		wr_worker_process_want_start(self);
		break;
	case WR_PROCESS_FAULTY:
		wr_worker_process_fail(self, WR_VIEW("ended for breaking the protocol"));
		wr_worker_process_want_start(self);
		break;
	case WR_PROCESS_INTERRUPTED:
		wr_worker_process_phase(self, WR_PHASE_INTERRUPTED, WR_VIEW("interrupted"));
		break;
	case WR_PROCESS_DRAINED:
		break; /* its record was made when the drain began */
	case WR_PROCESS_STOPPED:
	case WR_PROCESS_CANCELLED:
		forget_running(self);
		wr_crew_release(&self->member);
		return;
	}
	forget_running(self);
	wr_worker_process_ended(self);
	wr_worker_input_give_waiting(self); /* it came too late for the one that is gone */
}

static void on_end(void *context, const struct wr_child_end *end)
{
	struct wr_worker_process *self = context;

	self->running->is_over = true;
	self->running->end = *end;
	if (wr_worker_output_end(self))
		finish(self);
}

/* ---- what its child tells ---- */

static void on_started(void *context)
{
	struct wr_worker_process *self = context;

	if (self->profile->mode == WR_PROCESS_LINE)
		wr_worker_input_open(self, WR_VIEW("started"));
}

static bool takes_output(void *context)
{
	struct wr_worker_process *self = context;

	if (wr_worker_process_takes_output(self))
		return true;
	wr_worker_process_hold(self);
	return false;
}

static void on_output(void *context, struct wr_view bytes)
{
	wr_worker_output(context, bytes);
}

/* Who can say nothing any more cannot end a turn, and does nothing that anybody could see; mostly
 * it is about to end. */
static void on_output_end(void *context)
{
	struct wr_worker_process *self = context;

	self->running->has_closed_output = true;
	wr_worker_process_end(self, WR_PROCESS_BY_ITSELF, WR_CHILD_CLOSING);
}

const struct wr_child_events wr_worker_child_events = {
	.on_started = on_started,
	.takes_output = takes_output,
	.on_output = on_output,
	.on_output_end = on_output_end,
	.on_end = on_end,
};

/* ---- deadlines ---- */

static void on_timer(struct wr_timer *timer)
{
	struct wr_worker_process *self = wr_container_of(timer, struct wr_worker_process, timer);

	if (self->state == WR_PROCESS_WAITING) {
		if (!self->has_pending)
			wr_worker_process_phase(self, WR_PHASE_STARTING, WR_VIEW("again"));
		wr_worker_process_launch(self);
	} else if (self->state == WR_PROCESS_STARTING) {
		/* It may have said so, and we do not listen for want of room. */
		if (self->running->child.is_held &&
		    wr_timer_set(self->set->reactor, timer, self->profile->ready_ms_max) == WR_OK)
			return;
		wr_worker_process_error(self, WR_VIEW("child_protocol_error: not ready in time"));
		wr_worker_process_end(self, WR_PROCESS_FAULTY, WR_CHILD_TERMINATING);
	} else if (self->is_cancelling) {
		wr_worker_process_end(self, WR_PROCESS_INTERRUPTED, WR_CHILD_TERMINATING);
	}
}

/* ---- the port ---- */

/* A start that has not happened does not happen. */
static void cancel_waiting(struct wr_worker_process *self)
{
	if (self->state == WR_PROCESS_WAITING) {
		wr_timer_cancel(self->set->reactor, &self->timer);
		wr_worker_process_give_place_back(self);
	}
	wr_list_remove(&self->queue_node);
	self->state = WR_PROCESS_NONE;
	wr_worker_input_drop(self);
}

static enum wr_status ask_to_cancel(struct wr_worker_process *self)
{
	struct wr_buf message;

	if (self->is_cancelling)
		return WR_OK;
	self->is_cancelling = true;
	wr_buf_init(&message, self->set->allocator, WR_FRAME_BYTES_MAX);
	wr_jsonl_write_cancel(&message);
	if (wr_worker_input_write(self, &message) != WR_OK ||
	    wr_timer_set(self->set->reactor, &self->timer, self->profile->interrupt_ms_max) !=
		    WR_OK)
		wr_worker_process_end(self, WR_PROCESS_INTERRUPTED, WR_CHILD_TERMINATING);
	return WR_OK;
}

static enum wr_status interrupt(struct wr_crew_member *member)
{
	struct wr_worker_process *self = wr_worker_process_of(member);
	bool is_jsonl = self->profile->mode == WR_PROCESS_JSONL;

	switch (self->state) {
	case WR_PROCESS_NONE:
		return WR_CONFLICT;
	case WR_PROCESS_QUEUED:
	case WR_PROCESS_WAITING:
		if (!self->has_pending)
			return WR_CONFLICT;
		cancel_waiting(self);
		wr_worker_process_phase(self, WR_PHASE_INTERRUPTED,
					WR_VIEW("interrupted before its start"));
		wr_worker_process_ended(self);
		return WR_OK;
	case WR_PROCESS_STARTING:
		if (is_jsonl && !self->has_pending)
			return WR_CONFLICT;
		wr_worker_input_drop(self);
		if (is_jsonl)
			wr_worker_process_phase(self, WR_PHASE_INTERRUPTED,
						WR_VIEW("interrupted at its start"));
		else
			wr_worker_process_end(self, WR_PROCESS_INTERRUPTED, WR_CHILD_INTERRUPTING);
		return WR_OK;
	case WR_PROCESS_OPEN:
		if (is_jsonl)
			return self->is_in_turn ? ask_to_cancel(self) : WR_CONFLICT;
		wr_worker_process_end(self, WR_PROCESS_INTERRUPTED, WR_CHILD_INTERRUPTING);
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
		wr_worker_input_write(self,
				      &message); /* who cannot hear it sees the end of its input */
	}
	wr_worker_process_end(self, reason, WR_CHILD_CLOSING);
}

static void stop(struct wr_crew_member *member)
{
	struct wr_worker_process *self = wr_worker_process_of(member);

	self->wants_start = false;
	wr_worker_input_drop(self);
	if (wr_worker_process_is_waiting(self))
		cancel_waiting(self);
	if (self->state == WR_PROCESS_NONE)
		wr_crew_release(member);
	else
		end_in_order(self, WR_PROCESS_STOPPED);
}

/* What it has said and nobody has heard goes, too, also when the child is dead already. */
static void deafen(struct wr_worker_process *self)
{
	wr_worker_output_drop(self);
	if (self->running->is_over)
		finish(self);
	else if (self->running->child.is_held && !wr_child_resume(&self->running->child))
		wr_worker_process_hold(self);
}

static void cancel(struct wr_crew_member *member)
{
	struct wr_worker_process *self = wr_worker_process_of(member);

	self->wants_start = false;
	wr_worker_input_drop(self);
	if (wr_worker_process_is_waiting(self))
		cancel_waiting(self);
	if (self->state == WR_PROCESS_NONE) {
		wr_crew_release(member);
		return;
	}
	wr_worker_process_end(self, WR_PROCESS_CANCELLED, WR_CHILD_KILLING);
	deafen(self);
}

static void refuse(struct wr_crew_member *member)
{
	struct wr_worker_process *self = wr_worker_process_of(member);

	/* From `failed` no other way leads there. */
	if (wr_crew_worker(member)->now.phase == WR_PHASE_FAILED ||
	    wr_worker_process_has_reports(self))
		wr_worker_process_phase(self, WR_PHASE_STARTING, WR_VIEW("input"));
	wr_worker_process_phase(self, WR_PHASE_INTERRUPTED, WR_VIEW("the Runtime is stopping"));
	if (self->running == NULL)
		wr_worker_process_ended(self);
}

static void drain(struct wr_crew_member *member)
{
	struct wr_worker_process *self = wr_worker_process_of(member);

	self->wants_start = false;
	if (self->has_pending && !self->is_in_turn)
		refuse(member);
	else if (self->is_in_turn)
		wr_worker_process_phase(self, WR_PHASE_INTERRUPTED,
					WR_VIEW("the Runtime is stopping"));
	wr_worker_input_drop(self);
	if (wr_worker_process_is_waiting(self))
		cancel_waiting(self);
	else if (self->state != WR_PROCESS_NONE)
		end_in_order(self, WR_PROCESS_DRAINED);
}

void wr_worker_process_kill(struct wr_worker_process *self)
{
	self->is_killed = true;
	if (self->running != NULL)
		wr_worker_process_end(self, WR_PROCESS_DRAINED, WR_CHILD_KILLING);
	if (wr_reports_are_held(&self->member.reports)) {
		self->member.reports.retry_at_ms = 0;
		wr_reactor_again(self->set->reactor);
	}
}

/* ---- what had to wait ---- */

/* Whether what it has said is taken, as far as it was read. */
static bool take_held_output(struct wr_worker_process *self)
{
	return wr_worker_process_takes_output(self) && wr_worker_output_resume(self) &&
	       (!self->running->is_over || wr_worker_output_end(self));
}

static void go_on(struct wr_crew_member *member)
{
	struct wr_worker_process *self = wr_worker_process_of(member);
	struct wr_running *running = self->running;

	if (running != NULL && !take_held_output(self)) {
		wr_worker_process_hold(self);
		return;
	}
	if (member->is_released) {
		wr_crew_remove(member);
		return;
	}
	if (running != NULL && running->is_over) {
		finish(self);
		return;
	}
	wr_worker_input_give_waiting(self);
	if (running != NULL && running->child.is_held && !wr_child_resume(&running->child))
		wr_worker_process_hold(self);
}

/* ---- life ---- */

static void init(struct wr_crew_member *member, struct wr_crew_port *port)
{
	struct wr_worker_process *self = wr_worker_process_of(member);

	self->profile = wr_container_of(port, struct wr_process_profile, port);
	self->set = wr_container_of(port->crew, struct wr_processes, crew);
	self->timer.on_due = on_timer;
	wr_buf_init(&self->pending, self->set->allocator, WR_CHILD_INPUT_BYTES_MAX);
	wr_list_init(&self->queue_node);
}

static void deinit(struct wr_crew_member *member)
{
	struct wr_worker_process *self = wr_worker_process_of(member);

	if (self->running != NULL)
		forget_running(self);
	wr_timer_cancel(self->set->reactor, &self->timer);
	wr_list_remove(&self->queue_node);
	wr_buf_deinit(&self->pending);
}

pid_t wr_worker_process_pid(const struct wr_worker_process *self)
{
	return self->running == NULL ? 0 : self->running->child.pid;
}

bool wr_worker_process_is_at_rest(const struct wr_worker_process *self)
{
	return self->state == WR_PROCESS_NONE && !self->has_pending &&
	       !wr_worker_process_has_reports(self);
}

bool wr_worker_process_is_done(const struct wr_worker_process *self)
{
	return self->profile->restart == WR_RESTART_NEVER && self->has_ended;
}

static bool is_live(struct wr_crew_member *member)
{
	return wr_worker_process_of(member)->running != NULL ||
	       wr_reports_are_waiting(&member->reports);
}

bool wr_worker_process_reap(struct wr_worker_process *self)
{
	struct wr_processes *set = self->set;
	uint64_t cgroup;

	if (self->running == NULL)
		return false;
	cgroup = self->running->cgroup;
	/* With its last report this process may be gone. */
	if (!wr_child_reap(&self->running->child))
		return false;
	end_cgroup(set, cgroup);
	return true;
}

const struct wr_crew_ops wr_worker_process_ops = {
	.bytes = sizeof(struct wr_worker_process),
	.member_at = offsetof(struct wr_worker_process, member),
	.init = init,
	.deinit = deinit,
	.deliver = wr_worker_input_deliver,
	.interrupt = interrupt,
	.stop = stop,
	.cancel = cancel,
	.drain = drain,
	.refuse = refuse,
	.go_on = go_on,
	.is_live = is_live,
	.gives_up = wr_worker_process_gives_up,
	.on_turn = wr_processes_on_turn,
	.no_memory = "cannot start the program: no memory",
};
