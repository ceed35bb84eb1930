/* What a Worker's process has to say to the Runtime: recorded at once, or kept in order until there
 * is room and memory for it. A store that has failed ends the process soon: then all is dropped. */
#include "execution/worker_process.h"

#include "check.h"
#include "io/log.h"
#include "bounds.h"

enum {
	/* Between tries that nothing else brings about. */
	RETRY_MS = 100

};

static bool is_for_now(enum wr_status status)
{
	return status == WR_FULL || status == WR_OVERLOAD || status == WR_NO_MEMORY;
}

static void note_loss(const struct wr_worker_process *self, enum wr_status status)
{
	WR_LOG(WR_LOG_ERROR, "worker_event_lost", WR_LOG_NUMBER("worker", self->worker),
	       WR_LOG_TEXT("status", wr_view_of_string(wr_status_name(status))));
}

/* ---- being refused ---- */

void wr_worker_process_hold(struct wr_worker_process *self)
{
	struct wr_processes *set = self->set;

	if (!wr_list_is_empty(&self->held_node))
		return;
	wr_list_push(&set->held, &self->held_node);
	wr_processes_want_turn(set);
}

static void note_refusal(struct wr_worker_process *self, enum wr_status status)
{
	struct wr_processes *set = self->set;
	struct wr_reports *reports = &self->reports;

	if (reports->since_ms == 0)
		reports->since_ms = set->reactor->now_ms;
	reports->waits_for_room = status != WR_NO_MEMORY;
	reports->retry_at_ms = set->reactor->now_ms + RETRY_MS;
	if (!wr_timer_is_set(&set->retry_timer))
		wr_timer_set(set->reactor, &set->retry_timer, RETRY_MS);
	wr_worker_process_hold(self);
}

static void note_success(struct wr_worker_process *self)
{
	self->reports.since_ms = 0;
}

/* How long it is worth waiting for: room comes back, memory for one line perhaps never; and the end
 * of the Runtime waits for neither, but for room that is being made. */
static bool gives_up(const struct wr_worker_process *self, enum wr_status status)
{
	const struct wr_reports *reports = &self->reports;
	bool is_dead = self->running == NULL || self->running->child.pid == 0;

	if (self->is_killed)
		return true;
	if (status == WR_NO_MEMORY)
		return reports->since_ms != 0 &&
		       self->set->reactor->now_ms - reports->since_ms >= WR_CHILD_GRACE_MS;
	return status == WR_FULL && self->set->is_draining && is_dead;
}

bool wr_worker_process_refused(struct wr_worker_process *self, enum wr_status status)
{
	if (is_for_now(status) && !gives_up(self, status)) {
		note_refusal(self, status);
		return false;
	}
	note_success(self);
	if (status != WR_OK)
		note_loss(self, status);
	return true;
}

bool wr_worker_process_output(struct wr_worker_process *self, const struct wr_output *output)
{
	wr_assert(!wr_worker_process_has_reports(self));
	return wr_worker_process_refused(
		self, wr_runtime_output(self->set->runtime, self->worker, output));
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
	if (self->is_killed || (is_dead && (self->set->is_draining || !running->has_line)))
		return true;
	return wr_runtime_takes_output(self->set->runtime);
}

/* ---- reports ---- */

static enum wr_status record(const struct wr_worker_process *self, const struct wr_report *report,
			     struct wr_view text)
{
	struct wr_runtime *runtime = self->set->runtime;
	struct wr_output output = {.code = report->code};

	switch ((enum wr_report_kind)report->kind) {
	case WR_REPORT_PHASE:
		return wr_runtime_phase(runtime, self->worker, (enum wr_phase)report->code, text);
	case WR_REPORT_ENDED:
		return wr_runtime_execution_ended(runtime, self->worker);
	case WR_REPORT_ERROR:
		output.kind = WR_OUTPUT_ERROR;
		output.code = WR_ERROR_INTERNAL;
		output.text = text;
		break;
	case WR_REPORT_RUN_END:
		output.kind = WR_OUTPUT_RUN_END;
		break;
	case WR_REPORT_TURN_START:
	case WR_REPORT_TURN_END:
		output.kind = report->kind == WR_REPORT_TURN_START ? WR_OUTPUT_TURN_START
								   : WR_OUTPUT_TURN_END;
		output.numbers[0] = self->turn;
		output.has_number[0] = true;
		break;
	}
	return wr_runtime_output(runtime, self->worker, &output);
}

/* True when it is done with. A phase is never given up for want of a little memory. A Worker that
 * was stopped or cancelled has no phases but the end any more: that is no loss. */
static bool try_report(struct wr_worker_process *self, const struct wr_report *report,
		       struct wr_view text)
{
	enum wr_status status = record(self, report, text);
	bool is_phase = report->kind == WR_REPORT_PHASE || report->kind == WR_REPORT_ENDED;

	if (is_phase && is_for_now(status) && !(status == WR_FULL && gives_up(self, status))) {
		note_refusal(self, status);
		return false;
	}
	if (status == WR_CONFLICT)
		status = WR_OK;
	return wr_worker_process_refused(self, status);
}

/* Without memory for its text it is kept without: that it happened is worth more than why. */
static void keep(struct wr_worker_process *self, struct wr_report report, struct wr_view text)
{
	struct wr_reports *reports = &self->reports;

	if (reports->count == WR_REPORT_COUNT_MAX) {
		note_loss(self, WR_FULL);
		return;
	}
	if (wr_buf_append_view(&reports->texts, text) == WR_OK)
		report.text_bytes = (uint16_t)text.bytes;
	reports->texts.status = WR_OK;
	reports->items[reports->count++] = report;
	wr_worker_process_hold(self);
}

static void put(struct wr_worker_process *self, struct wr_report report, struct wr_view text)
{
	if (text.bytes > UINT16_MAX)
		text.bytes = UINT16_MAX; /* none is: they are made here, in small buffers */
	if (wr_worker_process_has_reports(self) || !try_report(self, &report, text))
		keep(self, report, text);
}

void wr_worker_process_phase(struct wr_worker_process *self, enum wr_phase phase,
			     struct wr_view cause)
{
	put(self, (struct wr_report){.kind = WR_REPORT_PHASE, .code = (uint8_t)phase}, cause);
}

void wr_worker_process_error(struct wr_worker_process *self, struct wr_view message)
{
	put(self, (struct wr_report){.kind = WR_REPORT_ERROR}, message);
}

void wr_worker_process_say(struct wr_worker_process *self, enum wr_report_kind kind, uint8_t code)
{
	put(self, (struct wr_report){.kind = (uint8_t)kind, .code = code}, WR_VIEW_NULL);
}

void wr_worker_process_ended(struct wr_worker_process *self)
{
	put(self, (struct wr_report){.kind = WR_REPORT_ENDED}, WR_VIEW_NULL);
}

static struct wr_view text_of(const struct wr_report *report, const struct wr_buf *texts, size_t at)
{
	if (report->text_bytes != 0)
		return wr_view_of(texts->data + at, report->text_bytes);
	return report->kind == WR_REPORT_ERROR
		       ? WR_VIEW("no memory was left to say what went wrong")
		       : WR_VIEW("");
}

bool wr_worker_process_flush(struct wr_worker_process *self)
{
	struct wr_reports *reports = &self->reports;
	uint32_t done = 0;
	size_t text_at = 0;

	while (done < reports->count) {
		const struct wr_report *report = &reports->items[done];
		if (!try_report(self, report, text_of(report, &reports->texts, text_at)))
			break;
		text_at += report->text_bytes;
		done++;
	}
	reports->count -= done;
	for (uint32_t i = 0; i < reports->count; i++)
		reports->items[i] = reports->items[i + done];
	if (reports->count == 0)
		wr_buf_deinit(&reports->texts);
	else if (text_at != 0)
		wr_buf_consume(&reports->texts, text_at);
	return reports->count == 0;
}
