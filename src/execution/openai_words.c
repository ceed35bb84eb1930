/* The words of an answer, as events of its Worker: those of a chunk, one after the other, and what
 * is left to say at the end of the turn. */
#include "execution/openai_private.h"

/* Of an id that is made here, at most. */
enum { ID_BYTES = 32 };

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
		return wr_openai_fail(self, WR_OPENAI_FAULT_MEMORY);
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
		return wr_openai_fail(self, WR_OPENAI_FAULT_MEMORY);
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
		return !wr_openai_fail(self, WR_OPENAI_FAULT_MALFORMED);
	if (self->call_count == WR_OPENAI_CALL_COUNT_MAX)
		return !wr_openai_fail(self, WR_OPENAI_FAULT_LARGE);
	*out = add_call(self, piece);
	if (*out == NULL)
		return !wr_openai_fail(self, WR_OPENAI_FAULT_MEMORY);
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
		return wr_openai_fail(self, WR_OPENAI_FAULT_MEMORY);
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

bool wr_openai_words_next(struct wr_openai_turn *self)
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

bool wr_openai_words_rest(struct wr_openai_turn *self)
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
