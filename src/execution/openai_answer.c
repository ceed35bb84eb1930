/* What a model server answers: head, stream or whole, as chunks, whose words are openai_words.c's.
 * All of it is foreign; what cannot be taken ends the try. */
#include "execution/openai_private.h"

#include "bytes/utf8.h"
#include "check.h"
#include "execution/lossy.h"

/* ---- bytes ---- */

void wr_openai_answer_begin(struct wr_openai_turn *self)
{
	self->form = WR_OPENAI_NOTHING;
	self->http_status = 0;
	self->has_retry_after = self->is_compressed = self->is_other_type = false;
	self->has_done = self->is_call_over = self->is_fed = self->has_chunk = false;
	self->is_filtered = self->has_usage = self->is_mute = false;
	self->heard_ms = self->worker->set->reactor->now_ms;
	self->result = WR_RUN_FINISHED;
	self->tls_fault = NULL;
	wr_buf_deinit(&self->held);
	wr_buf_deinit(&self->gathered);
	wr_buf_deinit(&self->stream);
	wr_sse_reader_init(&self->reader, &self->stream, WR_OPENAI_STREAM_BYTES_MAX,
			   WR_OPENAI_STREAM_BYTES_MAX);
}

/* Seconds only (RFC 9110 10.2.3): whoever names a date is asked again as if nothing had been said.
 */
static void take_retry_after(struct wr_openai_turn *self, struct wr_view value)
{
	uint64_t seconds = 0;

	for (size_t i = 0; i < value.bytes; i++) {
		unsigned digit = (unsigned)value.data[i] - '0';

		if (digit > 9)
			return;
		if (seconds < UINT32_MAX)
			seconds = seconds * 10 + digit;
	}
	self->has_retry_after = value.bytes != 0;
	self->retry_after_ms = seconds * 1000;
}

static bool is_event_stream(struct wr_view type)
{
	static const struct wr_view name = WR_VIEW_INIT("text/event-stream");

	if (type.bytes < name.bytes ||
	    !wr_view_equal_nocase(wr_view_of(type.data, name.bytes), name))
		return false;
	return type.bytes == name.bytes || type.data[name.bytes] == ';' ||
	       type.data[name.bytes] == ' ' || type.data[name.bytes] == '\t';
}

bool wr_openai_answer_head(struct wr_openai_turn *self, const struct wr_http_head *head)
{
	struct wr_view encoding = wr_http_head_find(head, WR_VIEW("Content-Encoding"));

	self->http_status = head->status;
	self->is_compressed =
		encoding.bytes != 0 && !wr_view_equal_nocase(encoding, WR_VIEW("identity"));
	take_retry_after(self, head->retry_after);
	self->form = WR_OPENAI_REFUSAL;
	if (head->status != 200 || self->is_compressed)
		return !self->is_compressed;
	if (is_event_stream(head->content_type))
		self->form = WR_OPENAI_STREAM;
	else if (wr_http_is_json_type(head->content_type))
		self->form = WR_OPENAI_WHOLE;
	else
		self->is_other_type = true;
	return !self->is_other_type;
}

/* Of an error the beginning is enough: if that is no message, it is none for people. */
static void gather_refusal(struct wr_openai_turn *self, struct wr_view data)
{
	if (data.bytes <= WR_OPENAI_ERROR_BYTES_MAX - self->gathered.bytes &&
	    wr_buf_append_view(&self->gathered, data) == WR_OK)
		return;
	wr_buf_reset(&self->gathered);
	wr_openai_turn_close(self, WR_OK);
}

void wr_openai_answer_data(struct wr_openai_turn *self, struct wr_view data)
{
	struct wr_buf *to = self->form == WR_OPENAI_STREAM ? &self->held : &self->gathered;

	if (self->state != WR_OPENAI_CALLING || self->has_done || self->is_call_over)
		return;
	if (self->form == WR_OPENAI_REFUSAL)
		gather_refusal(self, data);
	else if (wr_buf_append_view(to, data) != WR_OK)
		wr_openai_turn_close(self, wr_buf_status(to));
}

/* ---- documents ---- */

/* A document of the answer. What is not UTF-8 in it becomes U+FFFD, as the format has it: servers
 * cut characters in two. */
static bool take_chunk(struct wr_openai_turn *self, struct wr_view json, enum wr_chat_form form)
{
	struct wr_error error;
	enum wr_status status = WR_OK;

	if (!wr_utf8_is_valid(json)) {
		wr_buf_reset(&self->valid);
		status = wr_lossy_append(&self->valid, json);
		json = wr_buf_view(&self->valid);
	}
	if (status == WR_OK)
		status = wr_chat_read(&self->chunk, &self->texts, json, form, &error);
	if (status == WR_NO_MEMORY)
		return wr_openai_fail(self, WR_OPENAI_FAULT_MEMORY);
	if (status != WR_OK)
		return wr_openai_fail(self, WR_OPENAI_FAULT_MALFORMED);
	if (self->chunk.has_error)
		return wr_openai_fail(self, WR_OPENAI_FAULT_SAID);
	self->has_chunk = true;
	self->part = 0;
	return true;
}

/* ---- a stream ---- */

static bool finish(struct wr_openai_turn *self)
{
	wr_openai_turn_end(self, WR_OPENAI_FINISHED, self->result);
	return true;
}

static struct wr_view trim(struct wr_view text)
{
	while (text.bytes != 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
		text = wr_view_skip(text, 1);
	while (text.bytes != 0 &&
	       (text.data[text.bytes - 1] == ' ' || text.data[text.bytes - 1] == '\t'))
		text.bytes--;
	return text;
}

/* The end of the answer comes at once, or its connection is not worth waiting for. */
static bool take_done(struct wr_openai_turn *self)
{
	self->has_done = true;
	if (!self->is_call_over &&
	    wr_timer_set(self->worker->set->reactor, &self->timer, WR_OPENAI_END_MS_MAX) != WR_OK)
		wr_openai_turn_close(self, WR_OK);
	return true;
}

static bool take_event(struct wr_openai_turn *self, const struct wr_sse_event *event)
{
	struct wr_view data = trim(event->data);

	if (data.bytes == 0)
		return true;
	if (wr_view_equal(data, WR_VIEW("[DONE]")))
		return take_done(self);
	return take_chunk(self, data, WR_CHAT_PIECE);
}

/* An answer is whole when the stream says so, and no sooner: what is cut off looks like the end of
 * a sentence too often. */
static bool end_stream(struct wr_openai_turn *self)
{
	if (!self->is_call_over)
		return false;
	if (self->has_done)
		return finish(self);
	return wr_openai_fail(self, self->call_status == WR_OK ? WR_OPENAI_FAULT_TRUNCATED
							       : WR_OPENAI_FAULT_CALL);
}

static bool next_of_stream(struct wr_openai_turn *self)
{
	struct wr_sse_event event;
	enum wr_status status;

	if (self->has_done)
		return end_stream(self);
	if (!self->is_fed) {
		wr_sse_reader_feed(&self->reader, wr_buf_view(&self->held));
		self->is_fed = true;
	}
	status = wr_sse_reader_next(&self->reader, &event);
	if (status == WR_OK)
		return take_event(self, &event);
	if (status == WR_MORE)
		return end_stream(self);
	return wr_openai_fail(self, status == WR_NO_MEMORY ? WR_OPENAI_FAULT_MEMORY
							   : WR_OPENAI_FAULT_LARGE);
}

/* ---- an answer that is not a stream, or none ---- */

static bool next_of_whole(struct wr_openai_turn *self)
{
	bool was_read = self->has_done;

	if (!self->is_call_over)
		return false;
	if (self->call_status != WR_OK)
		return wr_openai_fail(self, WR_OPENAI_FAULT_CALL);
	if (was_read)
		return finish(self);
	self->has_done = true;
	take_chunk(self, wr_buf_view(&self->gathered), WR_CHAT_WHOLE);
	if (self->has_chunk && !self->chunk.has_choice)
		return wr_openai_fail(self, WR_OPENAI_FAULT_MALFORMED);
	return true;
}

static bool judge_refusal(struct wr_openai_turn *self)
{
	if (!self->is_call_over)
		return false;
	if (self->is_compressed)
		return wr_openai_fail(self, WR_OPENAI_FAULT_ENCODING);
	return wr_openai_fail(self,
			      self->is_other_type ? WR_OPENAI_FAULT_TYPE : WR_OPENAI_FAULT_STATUS);
}

bool wr_openai_answer_next(struct wr_openai_turn *self)
{
	if (wr_openai_words_next(self))
		return true;
	switch (self->form) {
	case WR_OPENAI_NOTHING:
		return self->is_call_over && wr_openai_fail(self, WR_OPENAI_FAULT_CALL);
	case WR_OPENAI_STREAM:
		return next_of_stream(self);
	case WR_OPENAI_WHOLE:
		return next_of_whole(self);
	case WR_OPENAI_REFUSAL:
		return judge_refusal(self);
	}
	wr_unreachable();
}
