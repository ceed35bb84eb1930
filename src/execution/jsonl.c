#include "execution/jsonl.h"

#include "check.h"
#include "codec/json/number.h"
#include "codec/json/reader.h"
#include "codec/json/writer.h"
#include "wire/protocol_json.h"

/* ---- to the program ---- */

static void begin_message(struct wr_json_writer *writer, struct wr_buf *out, struct wr_view type)
{
	wr_json_writer_init(writer, out);
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("type"), type);
}

static void end_message(struct wr_json_writer *writer)
{
	wr_json_object_end(writer);
	wr_buf_append_byte(writer->out, '\n');
}

void wr_jsonl_write_init(struct wr_buf *out, struct wr_view worker_id)
{
	struct wr_json_writer writer;

	begin_message(&writer, out, WR_VIEW("init"));
	wr_json_member_u64(&writer, WR_VIEW("protocol"), WR_JSONL_PROTOCOL);
	wr_json_member_string(&writer, WR_VIEW("worker_id"), worker_id);
	end_message(&writer);
}

void wr_jsonl_write_input(struct wr_buf *out, const struct wr_input *input, uint64_t turn)
{
	struct wr_json_writer writer;

	begin_message(&writer, out, WR_VIEW("input"));
	wr_json_member_string(&writer, WR_VIEW("kind"),
			      input->kind == WR_INPUT_USER ? WR_VIEW("user") : WR_VIEW("system"));
	wr_json_member_string(&writer, WR_VIEW("content"), input->content);
	wr_json_member_u64(&writer, WR_VIEW("turn"), turn);
	end_message(&writer);
}

void wr_jsonl_write_cancel(struct wr_buf *out)
{
	struct wr_json_writer writer;

	begin_message(&writer, out, WR_VIEW("cancel"));
	end_message(&writer);
}

void wr_jsonl_write_shutdown(struct wr_buf *out)
{
	struct wr_json_writer writer;

	begin_message(&writer, out, WR_VIEW("shutdown"));
	end_message(&writer);
}

/* ---- from the program: the members ---- */

enum member {
	TYPE,
	TEXT,
	DONE,
	ID,
	NAME,
	ARGUMENTS,
	SUMMARY,
	OUTPUT,
	IS_ERROR,
	INPUT_TOKENS,
	OUTPUT_TOKENS,
	CACHE_READ_INPUT_TOKENS,
	MESSAGE,
	RESULT,
	EVENT,
	MEMBER_COUNT
};

static const struct wr_view member_names[MEMBER_COUNT] = {
	[TYPE] = WR_VIEW_INIT("type"),
	[TEXT] = WR_VIEW_INIT("text"),
	[DONE] = WR_VIEW_INIT("done"),
	[ID] = WR_VIEW_INIT("id"),
	[NAME] = WR_VIEW_INIT("name"),
	[ARGUMENTS] = WR_VIEW_INIT("arguments"),
	[SUMMARY] = WR_VIEW_INIT("summary"),
	[OUTPUT] = WR_VIEW_INIT("output"),
	[IS_ERROR] = WR_VIEW_INIT("is_error"),
	[INPUT_TOKENS] = WR_VIEW_INIT("input_tokens"),
	[OUTPUT_TOKENS] = WR_VIEW_INIT("output_tokens"),
	[CACHE_READ_INPUT_TOKENS] = WR_VIEW_INIT("cache_read_input_tokens"),
	[MESSAGE] = WR_VIEW_INIT("message"),
	[RESULT] = WR_VIEW_INIT("result"),
	[EVENT] = WR_VIEW_INIT("event"),
};

/* A message taken apart: each known member's value as its JSON text, absent when it is not there.
 * `type` may stand anywhere, so meaning comes after reading. */
struct message {
	struct wr_view values[MEMBER_COUNT];
	struct wr_buf *texts;
	struct wr_error *error;
};

static enum wr_status refuse(struct wr_error *error, enum wr_status status, size_t offset,
			     const char *detail)
{
	*error = (struct wr_error){.status = status, .offset = offset, .detail = detail};
	return status;
}

static enum wr_status refuse_value(struct message *self, const char *detail)
{
	return refuse(self->error, WR_INVALID, 0, detail);
}

static enum member find_member(const struct wr_json_reader *reader)
{
	unsigned i = 0;

	while (i < MEMBER_COUNT && !wr_json_reader_is(reader, member_names[i]))
		i++;
	return (enum member)i;
}

static enum wr_status read_member(struct message *self, struct wr_json_reader *reader)
{
	enum member member = find_member(reader);

	if (member == MEMBER_COUNT)
		return wr_json_reader_skip(reader);
	if (self->values[member].data != NULL)
		return refuse(self->error, WR_INVALID, wr_json_reader_offset(reader),
			      "a member comes twice");
	return wr_json_reader_raw(reader, &self->values[member]);
}

static enum wr_status read_members(struct message *self, struct wr_view line)
{
	struct wr_json_reader reader;
	enum wr_status status;

	wr_json_reader_init(&reader, line, true);
	status = wr_json_reader_next(&reader);
	if (status == WR_OK && reader.token != WR_JSON_TOKEN_OBJECT_BEGIN)
		return refuse(self->error, WR_INVALID, 0, "not an object");
	while (status == WR_OK) {
		status = wr_json_reader_next(&reader);
		if (status != WR_OK || reader.token == WR_JSON_TOKEN_OBJECT_END)
			break;
		status = read_member(self, &reader);
	}
	if (status == WR_OK)
		status = wr_json_reader_next(&reader); /* nothing may follow */
	if (status != WR_OK && self->error->status == WR_OK)
		refuse(self->error, status, wr_json_reader_offset(&reader), NULL);
	return status;
}

/* ---- values ---- */

static bool has(const struct message *self, enum member member)
{
	return self->values[member].data != NULL &&
	       !wr_view_equal(self->values[member], WR_VIEW("null"));
}

/* Decoding never makes a text longer, and there is room for the whole line: see wr_jsonl_read. */
static bool take_string(struct message *self, struct wr_view *out, enum member member)
{
	struct wr_view value = self->values[member];
	size_t begin = self->texts->bytes;

	if (!has(self, member) || value.data[0] != '"')
		return false;
	value = wr_view_of(value.data + 1, value.bytes - 2);
	*out = value;
	if (value.bytes == 0 || memchr(value.data, '\\', value.bytes) == NULL)
		return true;
	if (wr_json_decode_string(self->texts, value) != WR_OK)
		return false;
	*out = wr_view_of(self->texts->data + begin, self->texts->bytes - begin);
	return true;
}

static bool take_optional_string(struct message *self, struct wr_view *out, enum member member)
{
	*out = WR_VIEW_NULL;
	return !has(self, member) || take_string(self, out, member);
}

static bool take_bool(const struct message *self, bool *out, enum member member)
{
	*out = wr_view_equal(self->values[member], WR_VIEW("true"));
	return !has(self, member) || *out || wr_view_equal(self->values[member], WR_VIEW("false"));
}

static bool take_number(const struct message *self, struct wr_output *output, unsigned index,
			enum member member)
{
	if (!has(self, member))
		return true;
	output->has_number[index] = true;
	return wr_json_parse_u64(&output->numbers[index], self->values[member]);
}

/* ---- types ---- */

static enum wr_status read_text(struct message *self, struct wr_jsonl_message *out,
				enum wr_output_kind kind)
{
	out->kind = WR_JSONL_OUTPUT;
	out->output.kind = kind;
	if (!take_string(self, &out->output.text, TEXT))
		return refuse_value(self, "text must be a string");
	return WR_OK;
}

static enum wr_status read_ready(struct message *self, struct wr_jsonl_message *out)
{
	(void)self;
	out->kind = WR_JSONL_READY;
	return WR_OK;
}

static enum wr_status read_delta(struct message *self, struct wr_jsonl_message *out)
{
	return read_text(self, out, WR_OUTPUT_TEXT_DELTA);
}

static enum wr_status read_message(struct message *self, struct wr_jsonl_message *out)
{
	return read_text(self, out, WR_OUTPUT_TEXT_DONE);
}

static enum wr_status read_thinking(struct message *self, struct wr_jsonl_message *out)
{
	bool is_done;

	if (!take_bool(self, &is_done, DONE))
		return refuse_value(self, "done must be true or false");
	return read_text(self, out, is_done ? WR_OUTPUT_THINKING_DONE : WR_OUTPUT_THINKING_DELTA);
}

/* Arguments are text on the streams; a program may also write them as the object they are. */
static bool take_arguments(struct message *self, struct wr_view *out)
{
	if (self->values[ARGUMENTS].data[0] == '"')
		return take_string(self, out, ARGUMENTS);
	*out = self->values[ARGUMENTS];
	return true;
}

/* Which of its three moments a tool call is at is told by what is known of it. */
static enum wr_status read_tool(struct message *self, struct wr_jsonl_message *out)
{
	struct wr_output *output = &out->output;

	out->kind = WR_JSONL_OUTPUT;
	if (!take_string(self, &output->id, ID))
		return refuse_value(self, "id must be a string");
	if (has(self, SUMMARY)) {
		output->kind = WR_OUTPUT_TOOL_RESULT;
		if (!take_string(self, &output->name, SUMMARY))
			return refuse_value(self, "summary must be a string");
		if (!take_optional_string(self, &output->text, OUTPUT))
			return refuse_value(self, "output must be a string");
		if (!take_bool(self, &output->flag, IS_ERROR))
			return refuse_value(self, "is_error must be true or false");
		return WR_OK;
	}
	if (!take_string(self, &output->name, NAME))
		return refuse_value(self, "name must be a string");
	output->kind = WR_OUTPUT_TOOL_CALL_START;
	if (has(self, ARGUMENTS)) {
		output->kind = WR_OUTPUT_TOOL_CALL_DONE;
		if (!take_arguments(self, &output->text))
			return refuse_value(self, "arguments cannot be kept");
	}
	return WR_OK;
}

static enum wr_status read_usage(struct message *self, struct wr_jsonl_message *out)
{
	out->kind = WR_JSONL_OUTPUT;
	out->output.kind = WR_OUTPUT_USAGE;
	if (!take_number(self, &out->output, 0, INPUT_TOKENS) ||
	    !take_number(self, &out->output, 1, OUTPUT_TOKENS) ||
	    !take_number(self, &out->output, 2, CACHE_READ_INPUT_TOKENS))
		return refuse_value(self, "token counts must be whole numbers");
	return WR_OK;
}

static enum wr_status read_error(struct message *self, struct wr_jsonl_message *out)
{
	out->kind = WR_JSONL_OUTPUT;
	out->output.kind = WR_OUTPUT_ERROR;
	out->output.code = WR_ERROR_PROVIDER;
	if (!take_string(self, &out->output.text, MESSAGE))
		return refuse_value(self, "message must be a string");
	return WR_OK;
}

static enum wr_status read_done(struct message *self, struct wr_jsonl_message *out)
{
	static const struct wr_view names[] = {
		[WR_RUN_FINISHED] = WR_VIEW_INIT("finished"),
		[WR_RUN_PAUSED] = WR_VIEW_INIT("paused"),
		[WR_RUN_LIMIT_REACHED] = WR_VIEW_INIT("limit_reached"),
		[WR_RUN_ROLLED_BACK] = WR_VIEW_INIT("rolled_back"),
	};
	struct wr_view name = WR_VIEW_NULL;

	out->kind = WR_JSONL_DONE;
	out->result = WR_RUN_FINISHED;
	if (!has(self, RESULT))
		return WR_OK;
	if (take_string(self, &name, RESULT))
		for (unsigned i = 0; i < WR_COUNT(names); i++)
			if (wr_view_equal(name, names[i])) {
				out->result = (enum wr_run_result)i;
				return WR_OK;
			}
	return refuse_value(self, "no such result");
}

/* A program that speaks these would contradict the log, or close old decoders' streams. */
static bool is_spoken_by_runtime(const struct wr_output *output)
{
	static const struct wr_view names[] = {
		WR_VIEW_INIT("snapshot"),
		WR_VIEW_INIT("status"),
		WR_VIEW_INIT("shutdown"),
		WR_VIEW_INIT("user_message"),
	};

	for (unsigned i = 0; i < WR_COUNT(names) && output->kind == WR_OUTPUT_OPAQUE; i++)
		if (wr_view_equal(output->name, names[i]))
			return true;
	return output->kind == WR_OUTPUT_TURN_START || output->kind == WR_OUTPUT_TURN_END ||
	       output->kind == WR_OUTPUT_RUN_END;
}

static enum wr_status read_event(struct message *self, struct wr_jsonl_message *out)
{
	enum wr_status status;

	out->kind = WR_JSONL_OUTPUT;
	if (!has(self, EVENT))
		return refuse_value(self, "event is missing");
	status =
		wr_protocol_event_read(&out->output, self->texts, self->values[EVENT], self->error);
	if (status == WR_OK && is_spoken_by_runtime(&out->output))
		return refuse_value(self, "an event that only the Runtime sends");
	return status;
}

static enum wr_status read_by_type(struct message *self, struct wr_jsonl_message *out)
{
	static const struct {
		struct wr_view name;
		enum wr_status (*read)(struct message *self, struct wr_jsonl_message *out);
	} types[] = {
		{WR_VIEW_INIT("delta"), read_delta}, {WR_VIEW_INIT("message"), read_message},
		{WR_VIEW_INIT("done"), read_done},   {WR_VIEW_INIT("tool"), read_tool},
		{WR_VIEW_INIT("event"), read_event}, {WR_VIEW_INIT("thinking"), read_thinking},
		{WR_VIEW_INIT("usage"), read_usage}, {WR_VIEW_INIT("error"), read_error},
		{WR_VIEW_INIT("ready"), read_ready},
	};
	struct wr_view name;

	if (!take_string(self, &name, TYPE))
		return refuse_value(self, "type must be a string");
	for (unsigned i = 0; i < WR_COUNT(types); i++)
		if (wr_view_equal(name, types[i].name))
			return types[i].read(self, out);
	return refuse_value(self, "unknown type");
}

enum wr_status wr_jsonl_read(struct wr_jsonl_message *out, struct wr_buf *texts,
			     struct wr_view line, struct wr_error *error)
{
	struct message message = {.texts = texts, .error = error};
	enum wr_status status;

	*error = (struct wr_error){.status = WR_OK};
	*out = (struct wr_jsonl_message){.kind = WR_JSONL_OUTPUT};
	wr_buf_reset(texts);
	status = read_members(&message, line);
	if (status != WR_OK)
		return status;
	/* Views into `texts` must not move while more is decoded; most lines need none. */
	if (memchr(line.data, '\\', line.bytes) != NULL &&
	    wr_buf_reserve(texts, line.bytes) == NULL)
		return refuse(error, wr_buf_status(texts), 0, NULL);
	status = read_by_type(&message, out);
	if (status != WR_OK && error->status == WR_OK)
		error->status = status;
	return status;
}
