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

struct rewrite {
	struct wr_schema_input *input;
	struct wr_json_writer *writer;
};

static enum wr_status write_object(struct rewrite *self, struct wr_view object,
				   const struct wr_schema *schema, struct wr_view kind,
				   const char *wrong);

/* A free JSON value: as it is, unless it is nested too deeply. */
static enum wr_status write_any(struct rewrite *self, struct wr_view raw)
{
	struct wr_json_reader reader;
	enum wr_status status = WR_OK;

	wr_json_reader_init(&reader, raw, true);
	if (*raw.data == '{' || *raw.data == '[') {
		do
			status = wr_json_reader_next(&reader);
		while (status == WR_OK && reader.token != WR_JSON_TOKEN_END &&
		       reader.depth <= WR_JSON_DEPTH_MAX - LEVELS_AROUND);
		if (status != WR_OK || reader.token != WR_JSON_TOKEN_END) {
			wr_schema_refuse(self->input, raw.data, "nested too deeply");
			return self->input->error->status = WR_TOO_LARGE;
		}
	}
	wr_json_raw(self->writer, raw);
	return WR_OK;
}

static void write_uuid(struct rewrite *self, struct wr_view raw)
{
	char lower[40];

	wr_assert(raw.bytes <= sizeof lower);
	for (size_t i = 0; i < raw.bytes; i++)
		lower[i] = wr_ascii_lower(raw.data[i]);
	wr_json_raw(self->writer, wr_view_of(lower, raw.bytes));
}

static enum wr_status write_variant(struct rewrite *self, struct wr_view object,
				    const struct wr_schema_field *field)
{
	const struct wr_schema_union *variants = field->of.variants;
	unsigned index;
	enum wr_status status =
		wr_schema_read_kind(self->input, &index, object, variants, field->wrong);

	if (status != WR_OK)
		return status;
	if (index == variants->count) {
		wr_json_raw(self->writer, WR_VIEW("{\"kind\":\"unknown\"}"));
		return WR_OK;
	}
	return write_object(self, object, &variants->variants[index].members,
			    variants->variants[index].kind, field->wrong);
}

static enum wr_status write_element(struct rewrite *self, const struct wr_schema_field *field,
				    struct wr_view raw)
{
	if (field->type == WR_SCHEMA_OBJECTS)
		return write_object(self, raw, field->of.object, WR_VIEW_NULL, field->wrong);
	if (field->type == WR_SCHEMA_UNIONS)
		return write_variant(self, raw, field);
	if (field->type == WR_SCHEMA_STRINGS && *raw.data != '"')
		return wr_schema_refuse(self->input, raw.data, field->wrong);
	return write_any(self, raw);
}

static enum wr_status write_list(struct rewrite *self, const struct wr_schema_field *field,
				 struct wr_view list)
{
	struct wr_json_reader reader;
	struct wr_schema_value element;
	enum wr_status status = wr_schema_list_begin(self->input, &reader, list);

	wr_json_array_begin(self->writer);
	while (status == WR_OK) {
		status = wr_schema_list_next(self->input, &reader, &element);
		if (status != WR_OK || element.raw.data == NULL)
			break;
		status = write_element(self, field, element.raw);
	}
	if (status == WR_OK)
		wr_json_array_end(self->writer);
	return status;
}

static enum wr_status write_value(struct rewrite *self, const struct wr_schema_field *field,
				  struct wr_view raw)
{
	switch ((enum wr_schema_type)field->type) {
	case WR_SCHEMA_STRING:
	case WR_SCHEMA_WORD:
	case WR_SCHEMA_U64:
	case WR_SCHEMA_U32:
	case WR_SCHEMA_U16:
	case WR_SCHEMA_I64:
	case WR_SCHEMA_BOOL:
	case WR_SCHEMA_NOTHING:
		wr_json_raw(self->writer, raw);
		return WR_OK;
	case WR_SCHEMA_UUID:
		write_uuid(self, raw);
		return WR_OK;
	case WR_SCHEMA_ANY:
		return write_any(self, raw);
	case WR_SCHEMA_OBJECT:
		return write_object(self, raw, field->of.object, WR_VIEW_NULL, field->wrong);
	case WR_SCHEMA_UNION:
		return write_variant(self, raw, field);
	case WR_SCHEMA_STRINGS:
	case WR_SCHEMA_ANYS:
	case WR_SCHEMA_OBJECTS:
	case WR_SCHEMA_UNIONS:
		return write_list(self, field, raw);
	}
	wr_unreachable();
}

/* A member that is there. One that says what its absence says is taken back. */
static enum wr_status write_member(struct rewrite *self, const struct wr_schema_field *field,
				   struct wr_view raw)
{
	struct wr_json_writer before = *self->writer;
	struct wr_buf *out = self->writer->out;
	size_t start = out->bytes, value_start;
	enum wr_status status;

	wr_json_name(self->writer, field->name);
	value_start = out->bytes;
	status = write_value(self, field, raw);
	if (status == WR_OK && field->rule == WR_SCHEMA_OMITTED && wr_buf_status(out) == WR_OK &&
	    wr_view_equal(wr_view_of(out->data + value_start, out->bytes - value_start),
			  field->otherwise)) {
		wr_buf_truncate(out, start);
		*self->writer = before;
	}
	return status;
}

static void write_absent(struct rewrite *self, const struct wr_schema_field *field)
{
	switch ((enum wr_schema_rule)field->rule) {
	case WR_SCHEMA_REQUIRED:
	case WR_SCHEMA_OPTIONAL:
	case WR_SCHEMA_OMITTED:
		return;
	case WR_SCHEMA_NULLABLE:
		wr_json_name(self->writer, field->name);
		wr_json_null(self->writer);
		return;
	case WR_SCHEMA_DEFAULTED:
		wr_json_name(self->writer, field->name);
		wr_json_raw(self->writer, field->otherwise);
		return;
	}
	wr_unreachable();
}

static enum wr_status write_object(struct rewrite *self, struct wr_view object,
				   const struct wr_schema *schema, struct wr_view kind,
				   const char *wrong)
{
	struct wr_schema_value values[WR_SCHEMA_FIELDS_MAX];
	enum wr_status status = wr_schema_read(self->input, values, object, schema, wrong);

	wr_json_object_begin(self->writer);
	if (kind.data != NULL)
		wr_json_member_string(self->writer, WR_VIEW("kind"), kind);
	for (unsigned i = 0; i < schema->count && status == WR_OK; i++) {
		if (values[i].raw.data != NULL)
			status = write_member(self, &schema->fields[i], values[i].raw);
		else
			write_absent(self, &schema->fields[i]);
	}
	if (status == WR_OK)
		wr_json_object_end(self->writer);
	return status;
}

static enum wr_status read_opaque(struct wr_schema_input *input, struct wr_output *out,
				  const struct wr_protocol_event *event, struct wr_view data)
{
	struct wr_buf *texts = input->texts;
	struct wr_json_writer writer;
	struct rewrite rewrite = {input, &writer};
	size_t start = texts->bytes;
	enum wr_status status;

	wr_json_writer_init(&writer, texts);
	status = write_object(&rewrite, data, &event->data, WR_VIEW_NULL,
			      "`data` must be an object");
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
				 const struct wr_protocol_event *event, struct wr_view data)
{
	struct wr_schema_value values[WR_SCHEMA_FIELDS_MAX];
	enum wr_status status =
		wr_schema_read(input, values, data, &event->data, "`data` must be an object");

	for (unsigned i = 0; i < event->data.count && status == WR_OK; i++)
		status = keep(input, out, &event->data.fields[i], &values[i]);
	return status;
}

/* ---- events ---- */

enum { EVENT_NAME, EVENT_DATA, EVENT_FIELDS };
static const struct wr_schema_field event_fields[EVENT_FIELDS] = {
	[EVENT_NAME] = {WR_SCHEMA_FIELD("event", "a string"), .type = WR_SCHEMA_STRING},
	[EVENT_DATA] = {WR_SCHEMA_FIELD("data", "an object"), .type = WR_SCHEMA_ANY,
			.rule = WR_SCHEMA_OPTIONAL},
};
static const struct wr_schema event_schema = WR_SCHEMA_INIT(event_fields);

enum wr_status wr_protocol_event_read(struct wr_output *out, struct wr_buf *texts,
				      struct wr_view json, struct wr_error *error)
{
	struct wr_schema_value values[EVENT_FIELDS];
	const struct wr_protocol_event *event;
	struct wr_schema_input input;
	struct wr_view name = WR_VIEW_NULL, data;
	enum wr_status status;

	*out = (struct wr_output){.kind = WR_OUTPUT_OPAQUE};
	wr_schema_begin(&input, json, texts, error);
	status = wr_schema_read(&input, values, json, &event_schema,
				"an event must be a JSON object");
	if (status == WR_OK)
		status = wr_schema_string(&input, &name, &values[EVENT_NAME]);
	if (status != WR_OK)
		return status;
	event = wr_protocol_event_find(name);
	if (event == NULL)
		return wr_schema_refuse(&input, values[EVENT_NAME].raw.data,
					"no protocol event has this name");
	out->kind = event->kind;
	if (event->kind == WR_OUTPUT_OPAQUE)
		out->name = event->name;
	data = values[EVENT_DATA].raw;
	if (event->data.count == 0)
		return data.data == NULL
			       ? WR_OK
			       : wr_schema_refuse(&input, data.data, "this event has no `data`");
	if (data.data == NULL)
		return wr_schema_refuse(&input, json.data, "missing member `data`");
	return event->kind == WR_OUTPUT_OPAQUE ? read_opaque(&input, out, event, data)
					       : read_typed(&input, out, event, data);
}
