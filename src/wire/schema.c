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
	wr_json_reader_init(&self->reader, json, true);
	self->json = json;
	self->part = json;
	self->texts = texts;
	self->error = error;
	*error = (struct wr_error){.status = WR_OK};
	wr_buf_reset(texts);
}

/* ---- saying what is wrong ---- */

enum wr_status wr_schema_refuse_at(struct wr_schema_input *self, const char *at, const char *detail)
{
	*self->error = (struct wr_error){
		.status = WR_INVALID, .offset = (size_t)(at - self->json.data), .detail = detail};
	return WR_INVALID;
}

/* Where the reader's current token is, or its failure. */
static size_t offset(const struct wr_schema_input *self)
{
	return (size_t)(self->part.data - self->json.data) + wr_json_reader_offset(&self->reader);
}

enum wr_status wr_schema_refuse(struct wr_schema_input *self, const char *detail)
{
	*self->error =
		(struct wr_error){.status = WR_INVALID, .offset = offset(self), .detail = detail};
	return WR_INVALID;
}

/* Something returned `status`: the reader, unless the error is told already. */
static enum wr_status fail(struct wr_schema_input *self, enum wr_status status)
{
	if (self->error->status == WR_OK)
		*self->error = (struct wr_error){
			.status = status,
			.offset = offset(self),
			.detail = status == WR_SYNTAX ? "not valid JSON"
				  : status == WR_ENCODING
					  ? "not valid UTF-8, or half a surrogate pair"
					  : "nested too deeply, or a number too long",
		};
	return status;
}

static enum wr_status fail_texts(struct wr_schema_input *self)
{
	*self->error = (struct wr_error){.status = wr_buf_status(self->texts)};
	return self->error->status;
}

/* ---- values ---- */

enum wr_status wr_schema_next(struct wr_schema_input *self)
{
	enum wr_status status = wr_json_reader_next(&self->reader);

	return WR_LIKELY(status == WR_OK) ? WR_OK : fail(self, status);
}

enum wr_status wr_schema_begin_part(struct wr_schema_input *self,
				    const struct wr_schema_input *whole, struct wr_view raw)
{
	wr_json_reader_init(&self->reader, raw, true);
	self->json = whole->json;
	self->part = raw;
	self->texts = whole->texts;
	self->error = whole->error;
	return wr_schema_next(self);
}

enum wr_status wr_schema_take(struct wr_schema_input *self, struct wr_schema_value *value)
{
	struct wr_json_reader *reader = &self->reader;
	enum wr_status status;

	value->has_escapes = false;
	switch (reader->token) {
	case WR_JSON_TOKEN_STRING:
		value->raw = wr_view_of(reader->text.data - 1, reader->text.bytes + 2);
		value->has_escapes = reader->has_escapes;
		return WR_OK;
	case WR_JSON_TOKEN_OBJECT_BEGIN:
	case WR_JSON_TOKEN_ARRAY_BEGIN:
		status = wr_json_reader_raw(reader, &value->raw);
		return WR_LIKELY(status == WR_OK) ? WR_OK : fail(self, status);
	case WR_JSON_TOKEN_NUMBER:
	case WR_JSON_TOKEN_TRUE:
	case WR_JSON_TOKEN_FALSE:
	case WR_JSON_TOKEN_NULL:
		value->raw = reader->text;
		return WR_OK;
	case WR_JSON_TOKEN_NONE:
	case WR_JSON_TOKEN_OBJECT_END:
	case WR_JSON_TOKEN_ARRAY_END:
	case WR_JSON_TOKEN_NAME:
	case WR_JSON_TOKEN_END:
		break;
	}
	wr_unreachable();
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

/* Reads a value where it stands, unless null stands for none. */
static enum wr_status read_in_place(struct wr_schema_input *self, void *context,
				    const struct wr_schema_field *field,
				    struct wr_schema_value *value)
{
	value->raw = wr_view_of(self->json.data + offset(self), 1);
	if (field->rule == WR_SCHEMA_OPTIONAL && self->reader.token == WR_JSON_TOKEN_NULL)
		return WR_OK;
	return field->of.read(self, context, field);
}

/* Behind a member's name: takes its value when it is a known one. */
static enum wr_status take_member(struct wr_schema_input *self, void *context,
				  struct wr_schema_value *values, const struct wr_schema *schema)
{
	struct wr_json_reader *reader = &self->reader;
	unsigned index = find_field(reader, schema);
	struct wr_schema_value ignored;
	enum wr_status status;

	if (index == schema->count) {
		status = wr_json_reader_skip(reader);
		return WR_LIKELY(status == WR_OK) ? WR_OK : fail(self, status);
	}
	status = wr_schema_next(self);
	if (WR_UNLIKELY(status != WR_OK))
		return status;
	if (WR_UNLIKELY(values[index].raw.data != NULL)) {
		values[index].repeat = self->json.data + offset(self);
		return wr_schema_take(self, &ignored);
	}
	if (schema->fields[index].type == WR_SCHEMA_READ)
		return read_in_place(self, context, &schema->fields[index], &values[index]);
	return wr_schema_take(self, &values[index]);
}

static enum wr_status collect(struct wr_schema_input *self, void *context,
			      struct wr_schema_value *values, const struct wr_schema *schema,
			      const char *wrong)
{
	enum wr_status status;

	wr_assert(schema->count > 0 && schema->count <= WR_SCHEMA_FIELDS_MAX);
	if (self->reader.token != WR_JSON_TOKEN_OBJECT_BEGIN)
		return wr_schema_refuse(self, wrong);
	for (unsigned i = 0; i < schema->count; i++)
		values[i] = (struct wr_schema_value){.repeat = NULL};
	do {
		status = wr_schema_next(self);
		if (status != WR_OK || self->reader.token == WR_JSON_TOKEN_OBJECT_END)
			break;
		status = take_member(self, context, values, schema);
	} while (status == WR_OK);
	return status;
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
	case WR_SCHEMA_READ:
		return true;
	case WR_SCHEMA_NOTHING:
		return first == 'n';
	case WR_SCHEMA_OBJECT:
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
		return wr_schema_refuse_at(self, value->repeat, field->repeated);
	if (value->raw.data == NULL)
		return field->rule == WR_SCHEMA_REQUIRED
			       ? wr_schema_refuse_at(self, object, field->missing)
			       : WR_OK;
	if (may_be_null && *value->raw.data == 'n') {
		value->raw = WR_VIEW_NULL;
		return WR_OK;
	}
	return has_type(field, value) ? WR_OK
				      : wr_schema_refuse_at(self, value->raw.data, field->wrong);
}

enum wr_status wr_schema_read(struct wr_schema_input *self, void *context,
			      struct wr_schema_value *values, const struct wr_schema *schema,
			      const char *wrong)
{
	const char *object = self->reader.text.data;
	enum wr_status status = collect(self, context, values, schema, wrong);

	for (unsigned i = 0; i < schema->count && status == WR_OK; i++)
		status = check_field(self, object, &schema->fields[i], &values[i]);
	return status;
}

enum wr_status wr_schema_read_document(struct wr_schema_input *self, void *context,
				       struct wr_schema_value *values,
				       const struct wr_schema *schema, const char *wrong)
{
	enum wr_status status = wr_schema_next(self);

	if (status == WR_OK)
		status = wr_schema_read(self, context, values, schema, wrong);
	/* Only white space may follow. */
	return status == WR_OK ? wr_schema_next(self) : status;
}

/* ---- unions ---- */

static enum wr_status find_variant(struct wr_schema_input *self, unsigned *index,
				   struct wr_schema_value *kind,
				   const struct wr_schema_union *variants)
{
	wr_assert(kind->raw.data != NULL); /* it is a required one */
	for (*index = 0; *index < variants->count; ++*index) {
		struct wr_view words[] = {variants->variants[*index].kind, WR_VIEW_NULL};

		if (is_word(kind, words))
			return WR_OK;
	}
	return variants->unknown == NULL
		       ? WR_OK
		       : wr_schema_refuse_at(self, kind->raw.data, variants->unknown);
}

enum wr_status wr_schema_read_union(struct wr_schema_input *self, unsigned *index,
				    struct wr_schema_value *values,
				    const struct wr_schema_union *variants, const char *wrong)
{
	struct wr_schema_value all[WR_SCHEMA_FIELDS_MAX];
	const char *object = self->reader.text.data;
	const struct wr_schema *members;
	enum wr_status status = collect(self, NULL, all, &variants->names, wrong);

	if (status == WR_OK)
		status = check_field(self, object, &variants->names.fields[0], &all[0]);
	if (status == WR_OK)
		status = find_variant(self, index, &all[0], variants);
	if (status != WR_OK || *index == variants->count)
		return status;
	members = &variants->variants[*index].members;
	for (unsigned i = 0; i < members->count && status == WR_OK; i++) {
		wr_assert(members->fields[i].slot < variants->names.count);
		values[i] = all[members->fields[i].slot];
		status = check_field(self, object, &members->fields[i], &values[i]);
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
