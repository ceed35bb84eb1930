/* What a model server answers, piece by piece, as events of its Worker. All of it is foreign; what
 * cannot be taken ends the try. */
#include "execution/openai_private.h"

#include "bytes/utf8.h"
#include "check.h"
#include "execution/lossy.h"

/* Of an id that is made here, at most. */
enum { ID_BYTES = 32 };

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

/* ---- what a piece says ---- */

static bool has_room(const struct wr_openai_turn *self, size_t bytes)
{
	return bytes <= self->worker->profile->answer_bytes_max - self->said_bytes;
}

/* From the first word on the answer is what it is: nothing is asked again. */
static void note_said(struct wr_openai_turn *self, size_t bytes)
{
	self->said_bytes += bytes;
	self->heard_ms = self->worker->set->reactor->now_ms;
	if (self->has_said)
		return;
	self->has_said = true;
	self->call.ms_max = (uint32_t)self->worker->profile->silence_ms_max;
	wr_buf_deinit(&self->body);
}

/* More than we take of one answer: what there is, is kept. */
static bool cut(struct wr_openai_turn *self)
{
	wr_openai_turn_end(self, WR_OPENAI_FINISHED, WR_RUN_LIMIT_REACHED);
	return true;
}

static bool fail(struct wr_openai_turn *self, enum wr_openai_fault fault)
{
	wr_openai_fail(self, fault);
	return true;
}

static void say(struct wr_openai_turn *self, enum wr_output_kind kind, struct wr_view text)
{
	wr_openai_say(self, kind)->text = text;
}

static void end_thinking(struct wr_openai_turn *self)
{
	if (!self->is_thinking)
		return;
	self->is_thinking = false;
	say(self, WR_OUTPUT_THINKING_DONE, wr_buf_view(&self->thinking));
}

static bool say_reasoning(struct wr_openai_turn *self)
{
	struct wr_view text = self->chunk.reasoning;

	if (text.bytes == 0)
		return false;
	if (!has_room(self, text.bytes))
		return cut(self);
	if (!self->is_thinking) {
		wr_buf_reset(&self->thinking);
		say(self, WR_OUTPUT_THINKING_START, WR_VIEW_NULL);
		self->is_thinking = true;
	}
	if (wr_buf_append_view(&self->thinking, text) != WR_OK)
		return fail(self, WR_OPENAI_FAULT_MEMORY);
	note_said(self, text.bytes);
	say(self, WR_OUTPUT_THINKING_DELTA, text);
	return true;
}

static bool say_content(struct wr_openai_turn *self)
{
	struct wr_view text = self->chunk.content;

	if (text.bytes == 0)
		return false;
	if (!has_room(self, text.bytes))
		return cut(self);
	if (wr_buf_append_view(&self->text, text) != WR_OK)
		return fail(self, WR_OPENAI_FAULT_MEMORY);
	end_thinking(self);
	note_said(self, text.bytes);
	say(self, WR_OUTPUT_TEXT_DELTA, text);
	return true;
}

/* ---- tool calls ---- */

/* By its index; but there are servers that have one index for all, or none. */
static struct wr_openai_call *find_call(const struct wr_openai_turn *self,
					const struct wr_chat_call *piece)
{
	for (uint32_t i = self->call_count; i-- > 0;) {
		struct wr_openai_call *call = self->calls[i];
		bool is_same_id = wr_view_equal(wr_buf_view(&call->id), piece->id);

		if (piece->id.bytes != 0 && is_same_id)
			return call;
		if (piece->id.bytes != 0)
			continue;
		if (piece->has_index ? call->has_index && call->index == piece->index
				     : piece->name.bytes == 0)
			return call;
	}
	return NULL;
}

static struct wr_openai_call *add_call(struct wr_openai_turn *self,
				       const struct wr_chat_call *piece)
{
	struct wr_allocator *allocator = self->worker->set->allocator;
	struct wr_openai_call *call = wr_allocator_take_zeroed(allocator, sizeof *call);

	if (call == NULL)
		return NULL;
	call->has_index = piece->has_index;
	call->index = piece->index;
	wr_buf_init(&call->id, allocator, WR_EVENT_BYTES_MAX);
	wr_buf_init(&call->name, allocator, WR_EVENT_BYTES_MAX);
	wr_buf_init(&call->arguments, allocator, WR_EVENT_BYTES_MAX);
	self->calls[self->call_count++] = call;
	if (piece->id.bytes != 0) {
		wr_buf_append_view(&call->id, piece->id);
	} else {
		wr_buf_append_view(&call->id, WR_VIEW("call_"));
		wr_buf_append_u64(&call->id, self->number);
		wr_buf_append_byte(&call->id, '_');
		wr_buf_append_u64(&call->id, self->call_count);
	}
	wr_buf_append_view(&call->name, piece->name);
	return wr_buf_status(&call->id) == WR_OK && wr_buf_status(&call->name) == WR_OK ? call
											: NULL;
}

static bool begin_call(struct wr_openai_turn *self, struct wr_openai_call **out,
		       const struct wr_chat_call *piece)
{
	struct wr_output *output;

	if (piece->name.bytes == 0)
		return !fail(self, WR_OPENAI_FAULT_MALFORMED);
	if (self->call_count == WR_OPENAI_CALL_COUNT_MAX)
		return !fail(self, WR_OPENAI_FAULT_LARGE);
	*out = add_call(self, piece);
	if (*out == NULL)
		return !fail(self, WR_OPENAI_FAULT_MEMORY);
	end_thinking(self);
	output = wr_openai_say(self, WR_OUTPUT_TOOL_CALL_START);
	output->id = wr_buf_view(&(*out)->id);
	output->name = wr_buf_view(&(*out)->name);
	return true;
}

static bool say_call(struct wr_openai_turn *self, const struct wr_chat_call *piece)
{
	size_t bytes = piece->arguments.bytes;
	struct wr_openai_call *call = find_call(self, piece);
	struct wr_output *output;

	if (call == NULL)
		bytes += piece->id.bytes + piece->name.bytes + ID_BYTES;
	if (!has_room(self, bytes))
		return cut(self);
	if (call == NULL && !begin_call(self, &call, piece))
		return true;
	note_said(self, bytes);
	if (piece->arguments.bytes == 0)
		return true;
	if (wr_buf_append_view(&call->arguments, piece->arguments) != WR_OK)
		return fail(self, WR_OPENAI_FAULT_MEMORY);
	output = wr_openai_say(self, WR_OUTPUT_TOOL_CALL_ARGS_DELTA);
	output->id = wr_buf_view(&call->id);
	output->text = piece->arguments;
	return true;
}

/* ---- the parts of a piece, one after the other ---- */

static void take_usage(struct wr_openai_turn *self)
{
	if (!self->chunk.has_usage)
		return;
	self->has_usage = true;
	self->usage = self->chunk.usage;
}

static void take_finish(struct wr_openai_turn *self)
{
	struct wr_view reason = self->chunk.finish_reason;

	if (wr_view_equal(reason, WR_VIEW("length")))
		self->result = WR_RUN_LIMIT_REACHED;
	if (wr_view_equal(reason, WR_VIEW("content_filter")))
		self->is_filtered = true;
}

/* False: all of the piece was said. */
static bool say_parts(struct wr_openai_turn *self)
{
	const struct wr_chat_chunk *chunk = &self->chunk;

	while (self->has_chunk) {
		uint32_t part = self->part++;

		if (part == 0 && say_reasoning(self))
			return true;
		if (part == 1 && say_content(self))
			return true;
		if (part < 2)
			continue;
		if (part - 2 < chunk->call_count)
			return say_call(self, &chunk->calls[part - 2]);
		take_usage(self);
		take_finish(self);
		self->has_chunk = false;
	}
	return false;
}

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
		return fail(self, WR_OPENAI_FAULT_MEMORY);
	if (status != WR_OK)
		return fail(self, WR_OPENAI_FAULT_MALFORMED);
	if (self->chunk.has_error)
		return fail(self, WR_OPENAI_FAULT_SAID);
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
	return fail(self,
		    self->call_status == WR_OK ? WR_OPENAI_FAULT_TRUNCATED : WR_OPENAI_FAULT_CALL);
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
	return fail(self, status == WR_NO_MEMORY ? WR_OPENAI_FAULT_MEMORY : WR_OPENAI_FAULT_LARGE);
}

/* ---- an answer that is not a stream, or none ---- */

static bool next_of_whole(struct wr_openai_turn *self)
{
	bool was_read = self->has_done;

	if (!self->is_call_over)
		return false;
	if (self->call_status != WR_OK)
		return fail(self, WR_OPENAI_FAULT_CALL);
	if (was_read)
		return finish(self);
	self->has_done = true;
	take_chunk(self, wr_buf_view(&self->gathered), WR_CHAT_WHOLE);
	if (self->has_chunk && !self->chunk.has_choice)
		return fail(self, WR_OPENAI_FAULT_MALFORMED);
	return true;
}

static bool judge_refusal(struct wr_openai_turn *self)
{
	if (!self->is_call_over)
		return false;
	if (self->is_compressed)
		return fail(self, WR_OPENAI_FAULT_ENCODING);
	return fail(self, self->is_other_type ? WR_OPENAI_FAULT_TYPE : WR_OPENAI_FAULT_STATUS);
}

bool wr_openai_answer_next(struct wr_openai_turn *self)
{
	if (say_parts(self))
		return true;
	switch (self->form) {
	case WR_OPENAI_NOTHING:
		return self->is_call_over && fail(self, WR_OPENAI_FAULT_CALL);
	case WR_OPENAI_STREAM:
		return next_of_stream(self);
	case WR_OPENAI_WHOLE:
		return next_of_whole(self);
	case WR_OPENAI_REFUSAL:
		return judge_refusal(self);
	}
	wr_unreachable();
}

/* ---- the end ---- */

/* A call that a limit has cut off is not a call. */
static bool say_call_done(struct wr_openai_turn *self)
{
	uint32_t count = self->call_count;
	const struct wr_openai_call *call;
	struct wr_output *output;

	if (self->end != WR_OPENAI_FINISHED)
		return false;
	if (self->result == WR_RUN_LIMIT_REACHED && count != 0)
		count--;
	if (self->rest_call >= count)
		return false;
	call = self->calls[self->rest_call++];
	output = wr_openai_say(self, WR_OUTPUT_TOOL_CALL_DONE);
	output->id = wr_buf_view(&call->id);
	output->name = wr_buf_view(&call->name);
	output->text = call->arguments.bytes != 0 ? wr_buf_view(&call->arguments) : WR_VIEW("{}");
	return true;
}

static void say_usage(struct wr_openai_turn *self)
{
	const struct wr_chat_usage *usage = &self->usage;
	struct wr_output *output;

	if (!self->has_usage)
		return;
	output = wr_openai_say(self, WR_OUTPUT_USAGE);
	output->numbers[0] = usage->input;
	output->numbers[1] = usage->output;
	output->numbers[2] = usage->cached;
	output->has_number[0] = usage->has_input;
	output->has_number[1] = usage->has_output;
	output->has_number[2] = usage->has_cached;
}

static void say_error(struct wr_openai_turn *self)
{
	static const struct wr_view filtered =
		WR_VIEW_INIT("the model server's content filter ended the answer");
	bool is_failure = self->end == WR_OPENAI_FAILED;
	struct wr_output *output;

	if (!is_failure && !self->is_filtered)
		return;
	output = wr_openai_say(self, WR_OUTPUT_ERROR);
	output->text = is_failure ? wr_buf_view(&self->failure) : filtered;
	output->code = (uint8_t)(is_failure ? self->failure_code : WR_ERROR_PROVIDER);
}

bool wr_openai_answer_rest(struct wr_openai_turn *self)
{
	while (self->outbox_count == 0) {
		switch (self->rest) {
		case WR_OPENAI_REST_THINKING:
			end_thinking(self);
			break;
		case WR_OPENAI_REST_CALLS:
			if (say_call_done(self))
				return true;
			break;
		case WR_OPENAI_REST_TEXT:
			if (self->text.bytes != 0)
				say(self, WR_OUTPUT_TEXT_DONE, wr_buf_view(&self->text));
			break;
		case WR_OPENAI_REST_USAGE:
			say_usage(self);
			break;
		case WR_OPENAI_REST_CALL_END:
			wr_openai_say_call(self, WR_VIEW("llm_call_end"));
			break;
		case WR_OPENAI_REST_ERROR:
			say_error(self);
			break;
		case WR_OPENAI_REST_NONE:
			return false;
		}
		self->rest++;
	}
	return true;
}
