/* What a Worker's process has to say to the Runtime, by reports.h: how long it is worth waiting
 * for, and when its output is read. A store that has failed ends the process soon: then all is
 * dropped. */
#include "execution/worker_process.h"

#include "bounds.h"

/* How long it is worth waiting for: room comes back, memory for one line perhaps never; and the end
 * of the Runtime waits for neither, but for room that is being made. */
bool wr_worker_process_gives_up(struct wr_reports *reports, enum wr_status status)
{
	const struct wr_worker_process *self =
		wr_container_of(reports, struct wr_worker_process, member.reports);
	bool is_dead = self->running == NULL || self->running->child.pid == 0;

	if (self->is_killed)
		return true;
	if (status == WR_NO_MEMORY)
		return reports->since_ms != 0 &&
		       self->set->reactor->now_ms - reports->since_ms >= WR_CHILD_GRACE_MS;
	return status == WR_FULL && self->set->crew.is_draining && is_dead;
}

bool wr_worker_process_takes_output(const struct wr_worker_process *self)
{
	const struct wr_running *running = self->running;
	bool is_dead = running->child.pid == 0;

	if (running->is_deaf)
		return true;
	if (wr_worker_process_has_reports(self))
		return false;
	/* Of the dead a piece is read in any case: often there is none, and its end needs no room.
	 * And who cannot wait for long tries whatever the answer is. */
	if (self->is_killed || (is_dead && (self->set->crew.is_draining || !running->has_line)))
		return true;
	return wr_runtime_takes_output(self->set->crew.reports.runtime);
}

void wr_worker_process_phase(struct wr_worker_process *self, enum wr_phase phase,
			     struct wr_view cause)
{
	wr_reports_put(&self->member.reports, WR_REPORT_PHASE, (uint8_t)phase, cause);
}

void wr_worker_process_error(struct wr_worker_process *self, struct wr_view message)
{
	wr_reports_put(&self->member.reports, WR_REPORT_ERROR, WR_ERROR_INTERNAL, message);
}

void wr_worker_process_say(struct wr_worker_process *self, enum wr_report_kind kind, uint8_t code)
{
	wr_reports_put(&self->member.reports, kind, code, WR_VIEW_NULL);
}

void wr_worker_process_ended(struct wr_worker_process *self)
{
	wr_reports_put(&self->member.reports, WR_REPORT_ENDED, 0, WR_VIEW_NULL);
}
