/*
 * An event that core has a use for is taken apart into a typed output. Of any other one its data is
 * written anew from the table: members in the table's order, defaults put in, unknown members
 * dropped, strings, numbers and free JSON as they were spelled. So nothing passes that a decoder of
 * the contract would refuse.
 *
 * The writing functions call each other down the table, which nests five deep, never down the
 * input.
 */
#include "wire/protocol_json.h"

#include "check.h"
#include "codec/json/writer.h"
#include "wire/protocol_table.h"

enum {
	/* Levels that are kept for what will be around a free JSON member: data, event, envelope
	 * and frame, once more at a Backend. A decoder with our own limit must be able to read it.
	 */
	LEVELS_AROUND = 16
};

/* ---- writing data anew ---- */

static enum wr_status write_object(struct wr_schema_input *input, struct wr_json_writer *writer,
				   const struct wr_schema *schema, const char *wrong);

/* A free JSON value: as it is, unless it is nested too deeply. */
static enum wr_status write_any(const struct wr_schema_input *input, struct wr_json_writer *writer,
				struct wr_view raw)
{
	struct wr_schema_input part;
	enum wr_status status = WR_OK;

	if (*raw.data == '{' || *raw.data == '[') {
		status = wr_schema_begin_part(&part, input, raw);
		while (status == WR_OK && part.reader.token != WR_JSON_TOKEN_END) {
			if (part.reader.depth > WR_JSON_DEPTH_MAX - LEVELS_AROUND) {
				wr_schema_refuse(&part, "nested too deeply");
				return input->error->status = WR_TOO_LARGE;
			}
			status = wr_schema_next(&part);
		}
	}
	wr_json_raw(writer, raw);
	return status;
}

static void write_uuid(struct wr_json_writer *writer, struct wr_view raw)
{
	char lower[40];

	wr_assert(raw.bytes <= sizeof lower);
	for (size_t i = 0; i < raw.bytes; i++)
		lower[i] = wr_ascii_lower(raw.data[i]);
	wr_json_raw(writer, wr_view_of(lower, raw.bytes));
}

/* A value that is not read further than it is. */
static enum wr_status write_plain(const struct wr_schema_input *input,
				  struct wr_json_writer *writer, enum wr_schema_type type,
				  struct wr_view raw)
{
	if (type == WR_SCHEMA_ANY)
		return write_any(input, writer, raw);
	if (type == WR_SCHEMA_UUID)
		write_uuid(writer, raw);
	else
		wr_json_raw(writer, raw);
	return WR_OK;
}

static enum wr_status write_value(const struct wr_schema_input *whole,
				  struct wr_json_writer *writer,
				  const struct wr_schema_field *field, struct wr_view raw);

/* A member that is there. One that says what its absence says is taken back. */
static enum wr_status write_member(const struct wr_schema_input *input,
				   struct wr_json_writer *writer,
				   const struct wr_schema_field *field, struct wr_view raw)
{
	struct wr_json_writer before = *writer;
	struct wr_buf *out = writer->out;
	size_t start = out->bytes, value_start;
	enum wr_status status;

	wr_json_name(writer, field->name);
	value_start = out->bytes;
	status = write_value(input, writer, field, raw);
	if (status == WR_OK && field->rule == WR_SCHEMA_OMITTED && wr_buf_status(out) == WR_OK &&
	    wr_view_equal(wr_view_of(out->data + value_start, out->bytes - value_start),
			  field->otherwise)) {
		wr_buf_truncate(out, start);
		*writer = before;
	}
	return status;
}

static void write_absent(struct wr_json_writer *writer, const struct wr_schema_field *field)
{
	switch ((enum wr_schema_rule)field->rule) {
	case WR_SCHEMA_REQUIRED:
	case WR_SCHEMA_OPTIONAL:
	case WR_SCHEMA_OMITTED:
		return;
	case WR_SCHEMA_NULLABLE:
		wr_json_name(writer, field->name);
		wr_json_null(writer);
		return;
	case WR_SCHEMA_DEFAULTED:
		wr_json_name(writer, field->name);
		wr_json_raw(writer, field->otherwise);
		return;
	}
	wr_unreachable();
}

static enum wr_status write_members(const struct wr_schema_input *input,
				    struct wr_json_writer *writer, const struct wr_schema *schema,
				    const struct wr_schema_value *values)
{
	enum wr_status status = WR_OK;

	for (unsigned i = 0; i < schema->count && status == WR_OK; i++) {
		if (values[i].raw.data != NULL)
			status = write_member(input, writer, &schema->fields[i], values[i].raw);
		else
			write_absent(writer, &schema->fields[i]);
	}
	return status;
}

static enum wr_status write_object(struct wr_schema_input *input, struct wr_json_writer *writer,
				   const struct wr_schema *schema, const char *wrong)
{
	struct wr_schema_value values[WR_SCHEMA_FIELDS_MAX];
	enum wr_status status = wr_schema_read(input, NULL, values, schema, wrong);

	if (status != WR_OK)
		return status;
	wr_json_object_begin(writer);
	status = write_members(input, writer, schema, values);
	if (status == WR_OK)
		wr_json_object_end(writer);
	return status;
}

static enum wr_status write_variant(struct wr_schema_input *input, struct wr_json_writer *writer,
				    const struct wr_schema_union *variants, const char *wrong)
{
	struct wr_schema_value values[WR_SCHEMA_FIELDS_MAX];
	unsigned index = 0;
	enum wr_status status = wr_schema_read_union(input, &index, values, variants, wrong);

	if (status != WR_OK)
		return status;
	wr_json_object_begin(writer);
	if (index == variants->count) {
		wr_json_member_string(writer, WR_VIEW("kind"), WR_VIEW("unknown"));
	} else {
		wr_json_member_string(writer, WR_VIEW("kind"), variants->variants[index].kind);
		status = write_members(input, writer, &variants->variants[index].members, values);
	}
	if (status == WR_OK)
		wr_json_object_end(writer);
	return status;
}

/* The element of a list whose first token is the current one. */
static enum wr_status write_element(struct wr_schema_input *input, struct wr_json_writer *writer,
				    const struct wr_schema_field *field)
{
	struct wr_schema_value value;
	enum wr_status status;

	if (field->type == WR_SCHEMA_OBJECTS)
		return write_object(input, writer, field->of.object, field->wrong);
	if (field->type == WR_SCHEMA_UNIONS)
		return write_variant(input, writer, field->of.variants, field->wrong);
	if (field->type == WR_SCHEMA_STRINGS && input->reader.token != WR_JSON_TOKEN_STRING)
		return wr_schema_refuse(input, field->wrong);
	status = wr_schema_take(input, &value);
	return status == WR_OK ? write_any(input, writer, value.raw) : status;
}

static enum wr_status write_list(struct wr_schema_input *input, struct wr_json_writer *writer,
				 const struct wr_schema_field *field)
{
	enum wr_status status;

	wr_json_array_begin(writer);
	for (;;) {
		status = wr_schema_next(input);
		if (status != WR_OK)
			return status;
		if (input->reader.token == WR_JSON_TOKEN_ARRAY_END)
			break;
		status = write_element(input, writer, field);
		if (status != WR_OK)
			return status;
	}
	wr_json_array_end(writer);
	return WR_OK;
}

static enum wr_status write_value(const struct wr_schema_input *whole,
				  struct wr_json_writer *writer,
				  const struct wr_schema_field *field, struct wr_view raw)
{
	enum wr_schema_type type = (enum wr_schema_type)field->type;
	struct wr_schema_input part;
	enum wr_status status;

	if (type < WR_SCHEMA_OBJECT)
		return write_plain(whole, writer, type, raw);
	status = wr_schema_begin_part(&part, whole, raw);
	if (status != WR_OK)
		return status;
	return type == WR_SCHEMA_OBJECT
		       ? write_object(&part, writer, field->of.object, field->wrong)
		       : write_list(&part, writer, field);
}

/* At the first token of the data. */
static enum wr_status read_opaque(struct wr_schema_input *input, struct wr_output *out,
				  const struct wr_protocol_event *event, const char *wrong)
{
	struct wr_buf *texts = input->texts;
	struct wr_json_writer writer;
	size_t start = texts->bytes;
	enum wr_status status;

	wr_json_writer_init(&writer, texts);
	status = write_object(input, &writer, &event->data, wrong);
	if (status == WR_OK && wr_buf_status(texts) != WR_OK) {
		*input->error = (struct wr_error){.status = wr_buf_status(texts)};
		status = input->error->status;
	}
	if (status == WR_OK)
		out->text = wr_view_of(texts->data + start, texts->bytes - start);
	return status;
}

/* ---- typed outputs ---- */

static enum wr_status keep(struct wr_schema_input *input, struct wr_output *out,
			   const struct wr_schema_field *field, const struct wr_schema_value *value)
{
	bool is_there = value->raw.data != NULL;
	unsigned index;

	switch ((enum wr_protocol_slot)field->slot) {
	case WR_PROTOCOL_NONE:
		return WR_OK;
	case WR_PROTOCOL_ID:
		return wr_schema_string(input, &out->id, value);
	case WR_PROTOCOL_NAME:
		return wr_schema_string(input, &out->name, value);
	case WR_PROTOCOL_TEXT:
		return wr_schema_string(input, &out->text, value);
	case WR_PROTOCOL_NUMBER_0:
	case WR_PROTOCOL_NUMBER_1:
	case WR_PROTOCOL_NUMBER_2:
		index = field->slot - (unsigned)WR_PROTOCOL_NUMBER_0;
		out->has_number[index] = is_there;
		out->numbers[index] = value->number;
		return WR_OK;
	case WR_PROTOCOL_FLAG:
		out->flag = value->number != 0;
		return WR_OK;
	case WR_PROTOCOL_CODE:
		out->code = (uint8_t)value->number;
		return WR_OK;
	}
	wr_unreachable();
}

static enum wr_status read_typed(struct wr_schema_input *input, struct wr_output *out,
				 const struct wr_protocol_event *event, const char *wrong)
{
	struct wr_schema_value values[WR_SCHEMA_FIELDS_MAX];
	enum wr_status status = wr_schema_read(input, NULL, values, &event->data, wrong);

	for (unsigned i = 0; i < event->data.count && status == WR_OK; i++)
		status = keep(input, out, &event->data.fields[i], &values[i]);
	return status;
}

/* ---- events ---- */

/* Usually the name comes first, and the data is read where it stands; else it is kept. */
struct reading {
	struct wr_output *out;
	const struct wr_protocol_event *event; /* NULL: not known yet */
	struct wr_view late_data;
};

static enum wr_status read_name(struct wr_schema_input *input, void *context,
				const struct wr_schema_field *field)
{
	struct reading *self = context;
	struct wr_schema_value value;
	struct wr_view name = WR_VIEW_NULL;
	enum wr_status status;

	if (input->reader.token != WR_JSON_TOKEN_STRING)
		return wr_schema_refuse(input, field->wrong);
	status = wr_schema_take(input, &value);
	if (status == WR_OK)
		status = wr_schema_string(input, &name, &value);
	if (status != WR_OK)
		return status;
	self->event = wr_protocol_event_find(name);
	if (self->event == NULL)
		return wr_schema_refuse(input, "no protocol event has this name");
	self->out->kind = self->event->kind;
	if (self->event->kind == WR_OUTPUT_OPAQUE)
		self->out->name = self->event->name;
	return WR_OK;
}

static enum wr_status read_known_data(struct wr_schema_input *input, struct reading *self,
				      const char *wrong)
{
	if (self->event->data.count == 0)
		return wr_schema_refuse(input, "this event has no `data`");
	return self->event->kind == WR_OUTPUT_OPAQUE
		       ? read_opaque(input, self->out, self->event, wrong)
		       : read_typed(input, self->out, self->event, wrong);
}

static enum wr_status read_data(struct wr_schema_input *input, void *context,
				const struct wr_schema_field *field)
{
	struct reading *self = context;
	struct wr_schema_value value;
	enum wr_status status;

	if (self->event != NULL)
		return read_known_data(input, self, field->wrong);
	status = wr_schema_take(input, &value);
	if (status == WR_OK)
		self->late_data = value.raw;
	return status;
}

enum { EVENT_NAME, EVENT_DATA, EVENT_FIELDS };
static const struct wr_schema_field event_fields[EVENT_FIELDS] = {
	[EVENT_NAME] = {WR_SCHEMA_FIELD("event", "a string"), .type = WR_SCHEMA_READ,
			.of.read = read_name},
	[EVENT_DATA] = {WR_SCHEMA_FIELD("data", "an object"), .type = WR_SCHEMA_READ,
			.rule = WR_SCHEMA_OPTIONAL, .of.read = read_data},
};
static const struct wr_schema event_schema = WR_SCHEMA_INIT(event_fields);

enum wr_status wr_protocol_event_read(struct wr_output *out, struct wr_buf *texts,
				      struct wr_view json, struct wr_error *error)
{
	struct wr_schema_value values[EVENT_FIELDS];
	struct wr_schema_input input, part;
	struct reading reading = {.out = out};
	enum wr_status status;

	*out = (struct wr_output){.kind = WR_OUTPUT_OPAQUE};
	wr_schema_begin(&input, json, texts, error);
	status = wr_schema_read_document(&input, &reading, values, &event_schema,
					 "an event must be a JSON object");
	if (status == WR_OK && reading.late_data.data != NULL) {
		status = wr_schema_begin_part(&part, &input, reading.late_data);
		if (status == WR_OK)
			status = read_known_data(&part, &reading, event_fields[EVENT_DATA].wrong);
	}
	if (status != WR_OK)
		return status;
	return values[EVENT_DATA].raw.data == NULL && reading.event->data.count != 0
		       ? wr_schema_refuse_at(&input, json.data, "missing member `data`")
		       : WR_OK;
}
