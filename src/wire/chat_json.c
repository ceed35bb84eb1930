#include "wire/chat_json.h"

#include "check.h"
#include "codec/json/number.h"
#include "codec/json/reader.h"
#include "wire/schema.h"

/* ---- the request ---- */

static const struct wr_view roles[] = {
	[WR_CHAT_SYSTEM] = WR_VIEW_INIT("system"),
	[WR_CHAT_USER] = WR_VIEW_INIT("user"),
	[WR_CHAT_ASSISTANT] = WR_VIEW_INIT("assistant"),
};

void wr_chat_request_begin(struct wr_chat_request *self, struct wr_buf *out,
			   const struct wr_chat_options *options)
{
	struct wr_json_writer *json = &self->json;

	self->has_message = false;
	wr_json_writer_init(json, out);
	wr_json_object_begin(json);
	if (options->model.data != NULL)
		wr_json_member_string(json, WR_VIEW("model"), options->model);
	wr_json_member_bool(json, WR_VIEW("stream"), true);
	wr_json_name(json, WR_VIEW("stream_options"));
	wr_json_object_begin(json);
	wr_json_member_bool(json, WR_VIEW("include_usage"), true);
	wr_json_object_end(json);
	if (options->output_tokens_max != 0)
		wr_json_member_u64(json, WR_VIEW("max_tokens"), options->output_tokens_max);
	if (options->temperature.data != NULL) {
		wr_json_name(json, WR_VIEW("temperature"));
		wr_json_raw(json, options->temperature);
	}
	wr_json_name(json, WR_VIEW("messages"));
	wr_json_array_begin(json);
}

static void end_message(struct wr_chat_request *self)
{
	if (!self->has_message)
		return;
	wr_json_string_end(&self->json);
	wr_json_object_end(&self->json);
	self->has_message = false;
}

void wr_chat_request_message(struct wr_chat_request *self, enum wr_chat_role role,
			     struct wr_view text)
{
	struct wr_json_writer *json = &self->json;

	if (self->has_message && self->role == role) {
		wr_json_string_part(json, WR_VIEW("\n\n"));
		wr_json_string_part(json, text);
		return;
	}
	end_message(self);
	wr_json_object_begin(json);
	wr_json_member_string(json, WR_VIEW("role"), roles[role]);
	wr_json_name(json, WR_VIEW("content"));
	wr_json_string_begin(json);
	wr_json_string_part(json, text);
	self->has_message = true;
	self->role = role;
}

void wr_chat_request_end(struct wr_chat_request *self)
{
	end_message(self);
	wr_json_array_end(&self->json);
	wr_json_object_end(&self->json);
}

bool wr_chat_is_number(struct wr_view text)
{
	struct wr_json_reader reader;

	wr_json_reader_init(&reader, text, true);
	return wr_json_reader_next(&reader) == WR_OK && reader.token == WR_JSON_TOKEN_NUMBER &&
	       reader.text.bytes == text.bytes && wr_json_reader_next(&reader) == WR_OK;
}

/* ---- the answer: its tables ---- */

#define FIELD(name, must_be, ...)                                                       \
	{                                                                               \
		WR_SCHEMA_FIELD(name, must_be), .rule = WR_SCHEMA_OPTIONAL, __VA_ARGS__ \
	}
#define STRING(name) FIELD(name, "a string or null", .type = WR_SCHEMA_STRING)
#define ANY(name) FIELD(name, "anything", .type = WR_SCHEMA_ANY)
#define READ(name, must_be, function) \
	FIELD(name, must_be, .type = WR_SCHEMA_READ, .of.read = (function))

/* The text of a value, as long as all is well. */
static void take_text(enum wr_status *status, struct wr_schema_input *input, struct wr_view *text,
		      const struct wr_schema_value *value)
{
	if (*status == WR_OK)
		*status = wr_schema_string(input, text, value);
}

static bool is_string(const struct wr_schema_value *value)
{
	return value->raw.data != NULL && *value->raw.data == '"';
}

/* A number that is none, or not whole, is not there. */
static bool take_number(uint64_t *number, const struct wr_schema_value *value)
{
	return value->raw.data != NULL && *value->raw.data >= '0' && *value->raw.data <= '9' &&
	       wr_json_parse_u64(number, value->raw);
}

/* ---- tool calls ---- */

enum { NAME, ARGUMENTS, FUNCTION_FIELDS };
static const struct wr_schema_field function_fields[FUNCTION_FIELDS] = {
	[NAME] = STRING("name"),
	[ARGUMENTS] = ANY("arguments"),
};
static const struct wr_schema function_schema = WR_SCHEMA_INIT(function_fields);

/* Arguments are JSON in a string; a few servers send the object itself. */
static enum wr_status read_function(struct wr_schema_input *input, void *context,
				    const struct wr_schema_field *field)
{
	struct wr_chat_call *call = context;
	struct wr_schema_value values[FUNCTION_FIELDS];
	enum wr_status status = wr_schema_read(input, NULL, values, &function_schema, field->wrong);

	take_text(&status, input, &call->name, &values[NAME]);
	if (status == WR_OK && is_string(&values[ARGUMENTS]))
		return wr_schema_string(input, &call->arguments, &values[ARGUMENTS]);
	if (status == WR_OK)
		call->arguments = values[ARGUMENTS].raw;
	return status;
}

enum { INDEX, ID, FUNCTION, CALL_FIELDS };
static const struct wr_schema_field call_fields[CALL_FIELDS] = {
	[INDEX] = ANY("index"),
	[ID] = STRING("id"),
	[FUNCTION] = READ("function", "an object", read_function),
};
static const struct wr_schema call_schema = WR_SCHEMA_INIT(call_fields);

static enum wr_status read_call(struct wr_schema_input *input, struct wr_chat_chunk *out)
{
	struct wr_chat_call *call = &out->calls[out->call_count];
	struct wr_schema_value values[CALL_FIELDS];
	enum wr_status status;

	*call = (struct wr_chat_call){.has_index = false};
	status = wr_schema_read(input, call, values, &call_schema, "a tool call must be an object");
	take_text(&status, input, &call->id, &values[ID]);
	if (status != WR_OK)
		return status;
	call->has_index = take_number(&call->index, &values[INDEX]);
	out->call_count++;
	return WR_OK;
}

static enum wr_status read_calls(struct wr_schema_input *input, void *context,
				 const struct wr_schema_field *field)
{
	struct wr_chat_chunk *out = context;
	enum wr_status status = WR_OK;

	if (input->reader.token != WR_JSON_TOKEN_ARRAY_BEGIN)
		return wr_schema_refuse(input, field->wrong);
	while (status == WR_OK) {
		status = wr_schema_next(input);
		if (status != WR_OK || input->reader.token == WR_JSON_TOKEN_ARRAY_END)
			break;
		if (out->call_count == WR_CHAT_CALLS_MAX)
			return wr_schema_refuse(input, "too many tool calls in one piece");
		status = read_call(input, out);
	}
	return status;
}

/* ---- what was said ---- */

enum { CONTENT, REFUSAL, REASONING_CONTENT, REASONING, TOOL_CALLS, SAID_FIELDS };
static const struct wr_schema_field said_fields[SAID_FIELDS] = {
	[CONTENT] = STRING("content"),
	[REFUSAL] = STRING("refusal"),
	[REASONING_CONTENT] = STRING("reasoning_content"),
	[REASONING] = STRING("reasoning"),
	[TOOL_CALLS] = READ("tool_calls", "an array", read_calls),
};
static const struct wr_schema said_schema = WR_SCHEMA_INIT(said_fields);

static bool is_empty(const struct wr_schema_value *value)
{
	return value->raw.data == NULL || value->raw.bytes == 2;
}

/* Reasoning has two names; servers that know both send the same text twice. */
static enum wr_status read_said(struct wr_schema_input *input, void *context,
				const struct wr_schema_field *field)
{
	struct wr_chat_chunk *out = context;
	struct wr_schema_value values[SAID_FIELDS];
	enum wr_status status = wr_schema_read(input, out, values, &said_schema, field->wrong);

	if (status != WR_OK)
		return status; /* and nothing is in `values` */
	take_text(&status, input, &out->content,
		  &values[is_empty(&values[CONTENT]) && !is_empty(&values[REFUSAL]) ? REFUSAL
										    : CONTENT]);
	take_text(&status, input, &out->reasoning,
		  &values[is_empty(&values[REASONING_CONTENT]) ? REASONING : REASONING_CONTENT]);
	return status;
}

enum { SAID, FINISH_REASON, CHOICE_FIELDS };
static const struct wr_schema_field piece_fields[CHOICE_FIELDS] = {
	[SAID] = READ("delta", "an object", read_said),
	[FINISH_REASON] = STRING("finish_reason"),
};
static const struct wr_schema_field whole_fields[CHOICE_FIELDS] = {
	[SAID] = READ("message", "an object", read_said),
	[FINISH_REASON] = STRING("finish_reason"),
};
static const struct wr_schema choice_schemas[] = {
	[WR_CHAT_PIECE] = WR_SCHEMA_INIT(piece_fields),
	[WR_CHAT_WHOLE] = WR_SCHEMA_INIT(whole_fields),
};

static enum wr_status read_choice(struct wr_schema_input *input, struct wr_chat_chunk *out,
				  enum wr_chat_form form)
{
	struct wr_schema_value values[CHOICE_FIELDS];
	enum wr_status status = wr_schema_read(input, out, values, &choice_schemas[form],
					       "a choice must be an object");

	take_text(&status, input, &out->finish_reason, &values[FINISH_REASON]);
	if (status == WR_OK)
		out->has_choice = true;
	return status;
}

static enum wr_status read_choices(struct wr_schema_input *input, struct wr_chat_chunk *out,
				   const struct wr_schema_field *field, enum wr_chat_form form)
{
	struct wr_schema_value ignored;
	enum wr_status status = WR_OK;

	if (input->reader.token != WR_JSON_TOKEN_ARRAY_BEGIN)
		return wr_schema_refuse(input, field->wrong);
	while (status == WR_OK) {
		status = wr_schema_next(input);
		if (status != WR_OK || input->reader.token == WR_JSON_TOKEN_ARRAY_END)
			break;
		status = out->has_choice ? wr_schema_take(input, &ignored)
					 : read_choice(input, out, form);
	}
	return status;
}

static enum wr_status read_piece_choices(struct wr_schema_input *input, void *context,
					 const struct wr_schema_field *field)
{
	return read_choices(input, context, field, WR_CHAT_PIECE);
}

static enum wr_status read_whole_choices(struct wr_schema_input *input, void *context,
					 const struct wr_schema_field *field)
{
	return read_choices(input, context, field, WR_CHAT_WHOLE);
}

/* ---- usage ---- */

static const struct wr_schema_field details_fields[] = {ANY("cached_tokens")};
static const struct wr_schema details_schema = WR_SCHEMA_INIT(details_fields);

static enum wr_status read_details(struct wr_schema_input *input, void *context,
				   const struct wr_schema_field *field)
{
	struct wr_chat_usage *usage = context;
	struct wr_schema_value value;
	enum wr_status status = wr_schema_read(input, NULL, &value, &details_schema, field->wrong);

	if (status == WR_OK)
		usage->has_cached = take_number(&usage->cached, &value);
	return status;
}

enum { PROMPT_TOKENS, COMPLETION_TOKENS, DETAILS, USAGE_FIELDS };
static const struct wr_schema_field usage_fields[USAGE_FIELDS] = {
	[PROMPT_TOKENS] = ANY("prompt_tokens"),
	[COMPLETION_TOKENS] = ANY("completion_tokens"),
	[DETAILS] = READ("prompt_tokens_details", "an object", read_details),
};
static const struct wr_schema usage_schema = WR_SCHEMA_INIT(usage_fields);

static enum wr_status read_usage(struct wr_schema_input *input, void *context,
				 const struct wr_schema_field *field)
{
	struct wr_chat_chunk *out = context;
	struct wr_chat_usage *usage = &out->usage;
	struct wr_schema_value values[USAGE_FIELDS];
	enum wr_status status = wr_schema_read(input, usage, values, &usage_schema, field->wrong);

	if (status != WR_OK)
		return status;
	usage->has_input = take_number(&usage->input, &values[PROMPT_TOKENS]);
	usage->has_output = take_number(&usage->output, &values[COMPLETION_TOKENS]);
	out->has_usage = usage->has_input || usage->has_output || usage->has_cached;
	return WR_OK;
}

/* ---- errors ---- */

enum { ERROR_MESSAGE, ERROR_CODE, ERROR_FIELDS };
static const struct wr_schema_field error_fields[ERROR_FIELDS] = {
	[ERROR_MESSAGE] = ANY("message"),
	[ERROR_CODE] = ANY("code"),
};
static const struct wr_schema error_schema = WR_SCHEMA_INIT(error_fields);

static enum wr_status take_message(struct wr_schema_input *input, struct wr_chat_chunk *out,
				   const struct wr_schema_value *message)
{
	return is_string(message) && !is_empty(message)
		       ? wr_schema_string(input, &out->error_message, message)
		       : WR_OK;
}

static enum wr_status read_error_object(struct wr_schema_input *input, struct wr_chat_chunk *out)
{
	struct wr_schema_value values[ERROR_FIELDS];
	enum wr_status status = wr_schema_read(input, NULL, values, &error_schema, "an error");

	if (status != WR_OK)
		return status;
	if (!take_number(&out->error_status, &values[ERROR_CODE]) || out->error_status > 999)
		out->error_status = 0;
	return take_message(input, out, &values[ERROR_MESSAGE]);
}

/* An object, a text, or whatever else somebody took for an error: it is one. */
static enum wr_status read_error(struct wr_schema_input *input, void *context,
				 const struct wr_schema_field *field)
{
	struct wr_chat_chunk *out = context;
	struct wr_schema_value value;
	enum wr_status status;

	(void)field;
	out->has_error = true;
	if (input->reader.token == WR_JSON_TOKEN_OBJECT_BEGIN)
		return read_error_object(input, out);
	status = wr_schema_take(input, &value);
	return status == WR_OK ? take_message(input, out, &value) : status;
}

/* ---- the document ---- */

enum { CHOICES, USAGE, ERROR, OBJECT, MESSAGE, DETAIL, CODE, CHUNK_FIELDS };
#define CHUNK(read_list)                                                                    \
	{                                                                                   \
		[CHOICES] = READ("choices", "an array", read_list),                         \
		[USAGE] = READ("usage", "an object", read_usage),                           \
		[ERROR] = READ("error", "an error", read_error), [OBJECT] = ANY("object"),  \
		[MESSAGE] = ANY("message"), [DETAIL] = ANY("detail"), [CODE] = ANY("code"), \
	}
static const struct wr_schema_field piece[CHUNK_FIELDS] = CHUNK(read_piece_choices);
static const struct wr_schema_field whole[CHUNK_FIELDS] = CHUNK(read_whole_choices);
static const struct wr_schema chunk_schemas[] = {
	[WR_CHAT_PIECE] = WR_SCHEMA_INIT(piece),
	[WR_CHAT_WHOLE] = WR_SCHEMA_INIT(whole),
};

/* Errors that are not below `error`: {"object":"error","message":M,"code":N}, and the {"detail":M}
 * that many frameworks answer with. */
static enum wr_status read_bare_error(struct wr_schema_input *input, struct wr_chat_chunk *out,
				      const struct wr_schema_value *values)
{
	if (out->has_error || out->has_choice)
		return WR_OK;
	if (wr_view_equal(values[OBJECT].raw, WR_VIEW("\"error\"")) || is_string(&values[DETAIL])) {
		out->has_error = true;
		if (!take_number(&out->error_status, &values[CODE]) || out->error_status > 999)
			out->error_status = 0;
		return take_message(input, out,
				    &values[is_string(&values[MESSAGE]) ? MESSAGE : DETAIL]);
	}
	return WR_OK;
}

enum wr_status wr_chat_read(struct wr_chat_chunk *out, struct wr_buf *texts, struct wr_view json,
			    enum wr_chat_form form, struct wr_error *error)
{
	struct wr_schema_value values[CHUNK_FIELDS];
	struct wr_schema_input input;
	enum wr_status status;

	*out = (struct wr_chat_chunk){.has_choice = false};
	wr_schema_begin(&input, json, texts, error);
	status = wr_schema_read_document(&input, out, values, &chunk_schemas[form],
					 "must be an object");
	return status == WR_OK ? read_bare_error(&input, out, values) : status;
}
