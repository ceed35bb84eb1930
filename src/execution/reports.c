#include "execution/reports.h"

#include "check.h"
#include "io/log.h"

enum {
	/* Between tries that nothing else brings about. */
	RETRY_MS = 100
};

/* ---- all together ---- */

/* That there is a turn is all it is for. */
static void on_retry_timer(struct wr_timer *timer)
{
	(void)timer;
}

void wr_reports_set_init(struct wr_reports_set *self, struct wr_reactor *reactor,
			 void (*want_turn)(struct wr_reports_set *self),
			 bool (*gives_up)(struct wr_reports *reports, enum wr_status status))
{
	*self = (struct wr_reports_set){
		.reactor = reactor,
		.retry_timer = {.on_due = on_retry_timer},
		.want_turn = want_turn,
		.gives_up = gives_up,
	};
	wr_list_init(&self->held);
	wr_list_init(&self->marker);
}

void wr_reports_set_deinit(struct wr_reports_set *self)
{
	wr_timer_cancel(self->reactor, &self->retry_timer);
}

/* Each once: who is refused again is put at the end. */
void wr_reports_set_retry(struct wr_reports_set *self, void (*retry)(struct wr_reports *reports))
{
	wr_list_push(&self->held, &self->marker);
	while (self->held.next != &self->marker) {
		struct wr_list *last = self->held.prev;
		struct wr_reports *reports =
			wr_list_entry(self->held.next, struct wr_reports, place);
		wr_list_remove(&reports->place);
		retry(reports);
		/* What it had to say is recorded now, and has to be written and shown. */
		if (self->held.prev == last)
			wr_reactor_again(self->reactor);
	}
	wr_list_remove(&self->marker);
}

/* ---- being refused ---- */

static bool is_for_now(enum wr_status status)
{
	return status == WR_FULL || status == WR_OVERLOAD || status == WR_NO_MEMORY;
}

void wr_reports_note_loss(uint32_t worker, enum wr_status status)
{
	WR_LOG(WR_LOG_ERROR, "worker_event_lost", WR_LOG_NUMBER("worker", worker),
	       WR_LOG_TEXT("status", wr_view_of_string(wr_status_name(status))));
}

void wr_reports_hold(struct wr_reports *self)
{
	if (wr_reports_are_held(self))
		return;
	wr_list_push(&self->set->held, &self->place);
	self->set->want_turn(self->set);
}

static void note_refusal(struct wr_reports *self, enum wr_status status)
{
	struct wr_reports_set *set = self->set;

	if (self->since_ms == 0)
		self->since_ms = set->reactor->now_ms;
	self->waits_for_room = status != WR_NO_MEMORY;
	self->retry_at_ms = set->reactor->now_ms + RETRY_MS;
	if (!wr_timer_is_set(&set->retry_timer))
		wr_timer_set(set->reactor, &set->retry_timer, RETRY_MS);
	wr_reports_hold(self);
}

bool wr_reports_refused(struct wr_reports *self, enum wr_status status)
{
	if (is_for_now(status) && !self->set->gives_up(self, status)) {
		note_refusal(self, status);
		return false;
	}
	self->since_ms = 0;
	if (status != WR_OK)
		wr_reports_note_loss(self->worker, status);
	return true;
}

bool wr_reports_output(struct wr_reports *self, const struct wr_output *output)
{
	wr_assert(!wr_reports_are_waiting(self));
	return wr_reports_refused(self,
				  wr_runtime_output(self->set->runtime, self->worker, output));
}

/* ---- reports ---- */

static enum wr_status record(const struct wr_reports *self, const struct wr_report *report,
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
static bool try_report(struct wr_reports *self, const struct wr_report *report, struct wr_view text)
{
	enum wr_status status = record(self, report, text);
	bool is_phase = report->kind == WR_REPORT_PHASE || report->kind == WR_REPORT_ENDED;

	if (is_phase && is_for_now(status) &&
	    !(status == WR_FULL && self->set->gives_up(self, status))) {
		note_refusal(self, status);
		return false;
	}
	if (status == WR_CONFLICT)
		status = WR_OK;
	return wr_reports_refused(self, status);
}

/* Without memory for its text it is kept without: that it happened is worth more than why. */
static void keep(struct wr_reports *self, struct wr_report report, struct wr_view text)
{
	if (self->count == WR_REPORT_COUNT_MAX) {
		wr_reports_note_loss(self->worker, WR_FULL);
		return;
	}
	if (wr_buf_append_view(&self->texts, text) == WR_OK)
		report.text_bytes = (uint16_t)text.bytes;
	self->texts.status = WR_OK;
	self->items[self->count++] = report;
	wr_reports_hold(self);
}

void wr_reports_put(struct wr_reports *self, enum wr_report_kind kind, uint8_t code,
		    struct wr_view text)
{
	const struct wr_report report = {.kind = (uint8_t)kind, .code = code};

	if (text.bytes > UINT16_MAX)
		text.bytes = UINT16_MAX; /* none is: they are made in small buffers */
	if (wr_reports_are_waiting(self) || !try_report(self, &report, text))
		keep(self, report, text);
}

static struct wr_view text_of(const struct wr_report *report, const struct wr_buf *texts, size_t at)
{
	if (report->text_bytes != 0)
		return wr_view_of(texts->data + at, report->text_bytes);
	return report->kind == WR_REPORT_ERROR
		       ? WR_VIEW("no memory was left to say what went wrong")
		       : WR_VIEW("");
}

bool wr_reports_may_retry(const struct wr_reports *self)
{
	return self->set->reactor->now_ms >= self->retry_at_ms ||
	       (self->waits_for_room && wr_runtime_takes_output(self->set->runtime));
}

bool wr_reports_flush(struct wr_reports *self)
{
	uint32_t done = 0;
	size_t text_at = 0;

	while (done < self->count) {
		const struct wr_report *report = &self->items[done];
		if (!try_report(self, report, text_of(report, &self->texts, text_at)))
			break;
		text_at += report->text_bytes;
		done++;
	}
	self->count -= done;
	for (uint32_t i = 0; i < self->count; i++)
		self->items[i] = self->items[i + done];
	if (self->count == 0)
		wr_buf_deinit(&self->texts);
	else if (text_at != 0)
		wr_buf_consume(&self->texts, text_at);
	return self->count == 0;
}

/* ---- life ---- */

void wr_reports_init(struct wr_reports *self, struct wr_reports_set *set,
		     struct wr_allocator *allocator, uint32_t worker)
{
	*self = (struct wr_reports){.set = set, .worker = worker};
	wr_list_init(&self->place);
	wr_buf_init(&self->texts, allocator, WR_REPORT_TEXTS_BYTES_MAX);
}

void wr_reports_deinit(struct wr_reports *self)
{
	wr_list_remove(&self->place);
	wr_buf_deinit(&self->texts);
}
