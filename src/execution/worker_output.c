/* What a program says, line by line, as events of its Worker. All of it is foreign: what cannot be
 * taken is told as `child_protocol_error`, a few times per input, and the program goes on. A line
 * that cannot be recorded for now stays where it is, with all that follows it: in the child's
 * buffer, and in the pipe. */
#include "execution/worker_process.h"

#include "check.h"
#include "execution/jsonl.h"
#include "execution/lossy.h"
#include "io/log.h"
#include "bounds.h"

#include <string.h>

enum {
	/* Told per input. Beyond: counted by the log only; a program that speaks garbage would
	 * otherwise push all else out of what is kept. */
	PROTOCOL_ERRORS_MAX = 8,
	TEXTS_BYTES_KEPT = 4096
};

static void refuse_line(struct wr_worker_process *self, const char *detail)
{
	char storage[256];
	struct wr_buf message;

	WR_LOG(WR_LOG_WARNING, "child_protocol_error",
	       WR_LOG_NUMBER("worker", self->member.reports.worker),
	       WR_LOG_TEXT("detail", wr_view_of_string(detail)));
	if (self->running->protocol_errors++ >= PROTOCOL_ERRORS_MAX)
		return;
	wr_buf_init_fixed(&message, storage, sizeof storage);
	wr_buf_append_view(&message, WR_VIEW("child_protocol_error: "));
	wr_buf_append_view(&message, wr_view_of_string(detail));
	wr_worker_process_error(self, wr_buf_view(&message));
}

static void refuse_status(struct wr_worker_process *self, enum wr_status status)
{
	if (status == WR_TOO_LARGE)
		refuse_line(self, "line over 1048576 bytes");
	else
		refuse_line(self, wr_status_text(status));
}
_Static_assert(WR_CHILD_LINE_BYTES_MAX == 1048576, "the text above");

/* ---- line mode ---- */

static bool say_line(struct wr_worker_process *self, struct wr_view line)
{
	struct wr_buf *text = &self->running->texts;
	struct wr_output output = {.kind = WR_OUTPUT_TEXT_DONE};

	wr_buf_reset(text);
	if (wr_lossy_append(text, line) != WR_OK) {
		if (wr_buf_status(text) == WR_NO_MEMORY)
			return wr_worker_process_refused(self, WR_NO_MEMORY);
		refuse_status(self, wr_buf_status(text));
		return true;
	}
	output.text = text->bytes == 0 ? WR_VIEW("") : wr_buf_view(text);
	return wr_worker_process_output(self, &output);
}

/* ---- jsonl mode ---- */

static bool take_message(struct wr_worker_process *self, struct wr_view line)
{
	struct wr_jsonl_message message;
	struct wr_error error;

	if (line.bytes == 0)
		return true;
	if (wr_jsonl_read(&message, &self->running->texts, line, &error) != WR_OK) {
		if (error.status == WR_NO_MEMORY)
			return wr_worker_process_refused(self, WR_NO_MEMORY);
		refuse_line(self,
			    error.detail != NULL ? error.detail : wr_status_text(error.status));
		return true;
	}
	switch (message.kind) {
	case WR_JSONL_READY:
		wr_worker_process_ready(self);
		break;
	case WR_JSONL_OUTPUT:
		return wr_worker_process_output(self, &message.output);
	case WR_JSONL_DONE:
		if (self->is_in_turn)
			wr_worker_process_turn_done(self, message.result);
		else
			refuse_line(self, "done outside of a turn");
		break;
	}
	return true;
}

/* ---- */

/* False: it was refused for now. */
static bool take_line(struct wr_worker_process *self)
{
	struct wr_running *running = self->running;
	bool is_taken = self->profile->mode == WR_PROCESS_LINE ? say_line(self, running->line)
							       : take_message(self, running->line);

	running->has_line = !is_taken;
	if (running->texts.capacity > TEXTS_BYTES_KEPT)
		wr_buf_deinit(&running->texts);
	return is_taken;
}

bool wr_worker_output_resume(struct wr_worker_process *self)
{
	struct wr_running *running = self->running;

	for (;;) {
		enum wr_status status = WR_OK;

		/* What the last line has brought about comes before the next one. */
		if (wr_worker_process_has_reports(self))
			return false;
		if (!running->has_line)
			status = wr_line_reader_next(&running->lines, &running->line);
		if (status == WR_MORE)
			return true;
		if (status != WR_OK)
			refuse_status(self, status);
		else if (!take_line(self))
			return false;
	}
}

void wr_worker_output(struct wr_worker_process *self, struct wr_view bytes)
{
	struct wr_running *running = self->running;

	if (running->is_deaf)
		return;
	wr_assert(!running->has_line);
	wr_line_reader_feed(&running->lines, bytes);
	if (!wr_worker_output_resume(self))
		wr_child_hold(&running->child);
}

bool wr_worker_output_end(struct wr_worker_process *self)
{
	struct wr_running *running = self->running;

	if (running->is_deaf)
		return true;
	if (wr_worker_process_has_reports(self))
		return false;
	if (!running->has_line && wr_line_reader_end(&running->lines, &running->line) != WR_OK)
		return true;
	return take_line(self);
}

void wr_worker_output_drop(struct wr_worker_process *self)
{
	struct wr_running *running = self->running;

	running->is_deaf = true;
	running->has_line = false;
	while (wr_line_reader_next(&running->lines, &running->line) != WR_MORE)
		;
}
