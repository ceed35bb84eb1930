#include "wire/schema.h"

#include "check.h"
#include "codec/json/number.h"

enum {
	UUID_BYTES = 36,
	/* Room for a word of which each character is spelled as \uXXXX. */
	WORD_SPELLING_BYTES = 192
};

void wr_schema_begin(struct wr_schema_input *self, struct wr_view json, struct wr_buf *texts,
		     struct wr_error *error)
{
	*self = (struct wr_schema_input){.json = json, .texts = texts, .error = error};
	*error = (struct wr_error){.status = WR_OK};
	wr_buf_reset(texts);
}

/* ---- saying what is wrong ---- */

enum wr_status wr_schema_refuse(struct wr_schema_input *self, const char *at, const char *detail)
{
	*self->error = (struct wr_error){
		.status = WR_INVALID, .offset = (size_t)(at - self->json.data), .detail = detail};
	return WR_INVALID;
}

/* The reader of `part` has failed. */
static enum wr_status fail(struct wr_schema_input *self, const struct wr_json_reader *reader,
			   struct wr_view part, enum wr_status status)
{
	size_t start = part.bytes == 0 ? 0 : (size_t)(part.data - self->json.data);

	*self->error = (struct wr_error){
		.status = status,
		.offset = start + wr_json_reader_offset(reader),
		.detail = status == WR_SYNTAX	  ? "not valid JSON"
			  : status == WR_ENCODING ? "not valid UTF-8, or half a surrogate pair"
						  : "nested too deeply, or a number too long",
	};
	return status;
}

static enum wr_status fail_texts(struct wr_schema_input *self)
{
	*self->error = (struct wr_error){.status = wr_buf_status(self->texts)};
	return self->error->status;
}

/* ---- the members of an object ---- */

static unsigned find_field(const struct wr_json_reader *reader, const struct wr_schema *schema)
{
	unsigned i = 0;

	if (WR_LIKELY(!reader->has_escapes)) {
		while (i < schema->count && !wr_view_equal(schema->fields[i].name, reader->text))
			i++;
	} else {
		while (i < schema->count && !wr_json_reader_is(reader, schema->fields[i].name))
			i++;
	}
	return i;
}

/* Behind a member's name: keeps its value when it is a known one. */
static enum wr_status take_member(struct wr_json_reader *reader, struct wr_schema_value *values,
				  const struct wr_schema *schema)
{
	unsigned index = find_field(reader, schema);
	struct wr_schema_value *value = &values[index];
	struct wr_view raw;
	enum wr_status status;

	if (index == schema->count)
		return wr_json_reader_skip(reader);
	status = wr_json_reader_raw(reader, &raw);
	if (status != WR_OK)
		return status;
	if (value->raw.data != NULL) {
		value->repeat = raw.data;
	} else {
		value->raw = raw;
		value->has_escapes = *raw.data == '"' && reader->has_escapes;
	}
	return WR_OK;
}

static enum wr_status collect(struct wr_schema_input *self, struct wr_schema_value *values,
			      struct wr_view object, const struct wr_schema *schema,
			      const char *wrong)
{
	struct wr_json_reader reader;
	enum wr_status status;

	wr_json_reader_init(&reader, object, true);
	status = wr_json_reader_next(&reader);
	if (status == WR_OK && reader.token != WR_JSON_TOKEN_OBJECT_BEGIN)
		return wr_schema_refuse(self, object.data + wr_json_reader_offset(&reader), wrong);
	while (status == WR_OK) {
		status = wr_json_reader_next(&reader);
		if (status != WR_OK || reader.token == WR_JSON_TOKEN_END)
			break;
		if (reader.token == WR_JSON_TOKEN_NAME)
			status = take_member(&reader, values, schema);
	}
	return status == WR_OK ? WR_OK : fail(self, &reader, object, status);
}

/* ---- types ---- */

static struct wr_view inside_quotes(struct wr_view raw)
{
	return wr_view_of(raw.data + 1, raw.bytes - 2);
}

static bool is_word(struct wr_schema_value *value, const struct wr_view *words)
{
	char spelled[WORD_SPELLING_BYTES];
	struct wr_view text;

	if (*value->raw.data != '"')
		return false;
	text = inside_quotes(value->raw);
	if (value->has_escapes) {
		if (text.bytes > sizeof spelled)
			return false;
		text = wr_view_of(spelled, wr_json_decode_string_to(spelled, text));
	}
	for (unsigned i = 0; words[i].data != NULL; i++) {
		if (wr_view_equal(words[i], text)) {
			value->number = i;
			return true;
		}
	}
	return false;
}

static bool is_uuid(struct wr_view raw)
{
	if (raw.bytes != UUID_BYTES + 2 || *raw.data != '"')
		return false;
	for (unsigned i = 0; i < UUID_BYTES; i++) {
		char c = wr_ascii_lower(raw.data[1 + i]);
		bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
		bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_hyphen ? c != '-' : !is_hex)
			return false;
	}
	return true;
}

static bool is_number(struct wr_view raw)
{
	return *raw.data == '-' || (*raw.data >= '0' && *raw.data <= '9');
}

static bool is_unsigned(struct wr_schema_value *value, uint64_t max)
{
	return is_number(value->raw) && wr_json_parse_u64(&value->number, value->raw) &&
	       value->number <= max;
}

static bool is_signed(struct wr_view raw)
{
	int64_t ignored;

	return is_number(raw) && wr_json_parse_i64(&ignored, raw);
}

static bool is_bool(struct wr_schema_value *value)
{
	value->number = *value->raw.data == 't';
	return *value->raw.data == 't' || *value->raw.data == 'f';
}

static bool has_type(const struct wr_schema_field *field, struct wr_schema_value *value)
{
	char first = *value->raw.data;

	switch ((enum wr_schema_type)field->type) {
	case WR_SCHEMA_STRING:
		return first == '"';
	case WR_SCHEMA_WORD:
		return is_word(value, field->of.words);
	case WR_SCHEMA_UUID:
		return is_uuid(value->raw);
	case WR_SCHEMA_U64:
		return is_unsigned(value, UINT64_MAX);
	case WR_SCHEMA_U32:
		return is_unsigned(value, UINT32_MAX);
	case WR_SCHEMA_U16:
		return is_unsigned(value, UINT16_MAX);
	case WR_SCHEMA_I64:
		return is_signed(value->raw);
	case WR_SCHEMA_BOOL:
		return is_bool(value);
	case WR_SCHEMA_ANY:
		return true;
	case WR_SCHEMA_NOTHING:
		return first == 'n';
	case WR_SCHEMA_OBJECT:
	case WR_SCHEMA_UNION:
		return first == '{';
	case WR_SCHEMA_STRINGS:
	case WR_SCHEMA_ANYS:
	case WR_SCHEMA_OBJECTS:
	case WR_SCHEMA_UNIONS:
		return first == '[';
	}
	wr_unreachable();
}

/* ---- one object ---- */

static enum wr_status check_field(struct wr_schema_input *self, const char *object,
				  const struct wr_schema_field *field,
				  struct wr_schema_value *value)
{
	bool may_be_null = field->rule != WR_SCHEMA_REQUIRED && field->rule != WR_SCHEMA_DEFAULTED;

	if (value->repeat != NULL)
		return wr_schema_refuse(self, value->repeat, field->repeated);
	if (value->raw.data == NULL)
		return field->rule == WR_SCHEMA_REQUIRED
			       ? wr_schema_refuse(self, object, field->missing)
			       : WR_OK;
	if (may_be_null && *value->raw.data == 'n') {
		value->raw = WR_VIEW_NULL;
		return WR_OK;
	}
	return has_type(field, value) ? WR_OK
				      : wr_schema_refuse(self, value->raw.data, field->wrong);
}

enum wr_status wr_schema_read(struct wr_schema_input *self, struct wr_schema_value *values,
			      struct wr_view object, const struct wr_schema *schema,
			      const char *wrong)
{
	enum wr_status status;

	wr_assert(schema->count <= WR_SCHEMA_FIELDS_MAX);
	for (unsigned i = 0; i < schema->count; i++)
		values[i] = (struct wr_schema_value){.repeat = NULL};
	status = collect(self, values, object, schema, wrong);
	for (unsigned i = 0; i < schema->count && status == WR_OK; i++)
		status = check_field(self, object.data, &schema->fields[i], &values[i]);
	return status;
}

enum wr_status wr_schema_read_kind(struct wr_schema_input *self, unsigned *index,
				   struct wr_view object, const struct wr_schema_union *variants,
				   const char *wrong)
{
	static const struct wr_schema_field fields[] = {
		{WR_SCHEMA_FIELD("kind", "a string"), .type = WR_SCHEMA_STRING}};
	static const struct wr_schema schema = WR_SCHEMA_INIT(fields);
	struct wr_schema_value kind;
	enum wr_status status = wr_schema_read(self, &kind, object, &schema, wrong);

	if (status != WR_OK)
		return status;
	for (*index = 0; *index < variants->count; ++*index) {
		struct wr_view words[] = {variants->variants[*index].kind, WR_VIEW_NULL};

		if (is_word(&kind, words))
			return WR_OK;
	}
	return variants->unknown == NULL ? WR_OK
					 : wr_schema_refuse(self, kind.raw.data, variants->unknown);
}

/* ---- lists ---- */

enum wr_status wr_schema_list_begin(struct wr_schema_input *self, struct wr_json_reader *reader,
				    struct wr_view list)
{
	enum wr_status status;

	wr_json_reader_init(reader, list, true);
	status = wr_json_reader_next(reader);
	wr_assert(status != WR_OK || reader->token == WR_JSON_TOKEN_ARRAY_BEGIN);
	return status == WR_OK ? WR_OK : fail(self, reader, list, status);
}

enum wr_status wr_schema_list_next(struct wr_schema_input *self, struct wr_json_reader *reader,
				   struct wr_schema_value *value)
{
	enum wr_status status = wr_json_reader_next(reader);

	*value = (struct wr_schema_value){.repeat = NULL};
	if (status != WR_OK)
		return fail(self, reader, self->json, status);
	switch (reader->token) {
	case WR_JSON_TOKEN_ARRAY_END:
		break;
	case WR_JSON_TOKEN_OBJECT_BEGIN:
	case WR_JSON_TOKEN_ARRAY_BEGIN:
		status = wr_json_reader_raw(reader, &value->raw);
		break;
	case WR_JSON_TOKEN_STRING:
		value->raw = wr_view_of(reader->text.data - 1, reader->text.bytes + 2);
		value->has_escapes = reader->has_escapes;
		break;
	case WR_JSON_TOKEN_NUMBER:
	case WR_JSON_TOKEN_TRUE:
	case WR_JSON_TOKEN_FALSE:
	case WR_JSON_TOKEN_NULL:
		value->raw = reader->text;
		break;
	case WR_JSON_TOKEN_NONE:
	case WR_JSON_TOKEN_OBJECT_END:
	case WR_JSON_TOKEN_NAME:
	case WR_JSON_TOKEN_END:
		wr_unreachable();
	}
	return status;
}

/* ---- texts ---- */

enum wr_status wr_schema_reserve(struct wr_schema_input *self)
{
	/* Decoding never makes a text longer, and no two values share bytes of the document. */
	if (self->texts->bytes == 0 && wr_buf_reserve(self->texts, self->json.bytes) == NULL)
		return fail_texts(self);
	return WR_OK;
}

enum wr_status wr_schema_string(struct wr_schema_input *self, struct wr_view *text,
				const struct wr_schema_value *value)
{
	struct wr_buf *texts = self->texts;
	size_t start;

	*text = WR_VIEW_NULL;
	if (value->raw.data == NULL)
		return WR_OK;
	*text = inside_quotes(value->raw);
	if (!value->has_escapes)
		return WR_OK;
	if (wr_schema_reserve(self) != WR_OK)
		return self->error->status;
	start = texts->bytes;
	if (wr_json_decode_string(texts, *text) != WR_OK)
		return fail_texts(self);
	*text = wr_view_of(texts->data + start, texts->bytes - start);
	return WR_OK;
}
