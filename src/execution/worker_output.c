/* What a program says, line by line, as events of its Worker. All of it is foreign: what cannot be
 * taken is told as `child_protocol_error`, a few times per input, and the program goes on. */
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

	WR_LOG(WR_LOG_WARNING, "child_protocol_error", WR_LOG_NUMBER("worker", self->worker),
	       WR_LOG_TEXT("detail", wr_view_of_string(detail)));
	if (self->running->protocol_errors++ >= PROTOCOL_ERRORS_MAX)
		return;
	wr_buf_init_fixed(&message, storage, sizeof storage);
	wr_buf_append_view(&message, WR_VIEW("child_protocol_error: "));
	wr_buf_append_view(&message, wr_view_of_string(detail));
	wr_worker_process_report(self->set, self->worker, wr_buf_view(&message));
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

static void say_line(struct wr_worker_process *self, struct wr_view line)
{
	struct wr_buf *text = &self->running->texts;
	struct wr_output output = {.kind = WR_OUTPUT_TEXT_DONE};

	wr_buf_reset(text);
	if (wr_lossy_append(text, line) != WR_OK) {
		refuse_status(self, wr_buf_status(text));
		return;
	}
	output.text = text->bytes == 0 ? WR_VIEW("") : wr_buf_view(text);
	wr_worker_process_output(self, &output);
}

/* ---- jsonl mode ---- */

static void take_message(struct wr_worker_process *self, struct wr_view line)
{
	struct wr_jsonl_message message;
	struct wr_error error;

	if (line.bytes == 0)
		return;
	if (wr_jsonl_read(&message, &self->running->texts, line, &error) != WR_OK) {
		refuse_line(self,
			    error.detail != NULL ? error.detail : wr_status_text(error.status));
		return;
	}
	switch (message.kind) {
	case WR_JSONL_READY:
		wr_worker_process_ready(self);
		break;
	case WR_JSONL_OUTPUT:
		wr_worker_process_output(self, &message.output);
		break;
	case WR_JSONL_DONE:
		if (self->is_in_turn)
			wr_worker_process_turn_done(self, message.result);
		else
			refuse_line(self, "done outside of a turn");
		break;
	}
}

/* ---- */

static void take_line(struct wr_worker_process *self, struct wr_view line)
{
	struct wr_buf *texts = &self->running->texts;

	if (self->profile->mode == WR_PROCESS_LINE)
		say_line(self, line);
	else
		take_message(self, line);
	if (texts->capacity > TEXTS_BYTES_KEPT)
		wr_buf_deinit(texts);
}

void wr_worker_output(struct wr_worker_process *self, struct wr_view bytes)
{
	struct wr_line_reader *lines = &self->running->lines;
	enum wr_status status;
	struct wr_view line;

	if (self->reason == WR_PROCESS_CANCELLED)
		return; /* ended at once: nothing of it is heard any more */
	wr_line_reader_feed(lines, bytes);
	while ((status = wr_line_reader_next(lines, &line)) != WR_MORE) {
		if (status == WR_OK)
			take_line(self, line);
		else
			refuse_status(self, status);
	}
}

void wr_worker_output_end(struct wr_worker_process *self)
{
	struct wr_view line;

	if (self->reason != WR_PROCESS_CANCELLED &&
	    wr_line_reader_end(&self->running->lines, &line) == WR_OK)
		take_line(self, line);
}
