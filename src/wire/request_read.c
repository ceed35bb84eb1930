#include "wire/request_read.h"

#include "bytes/endian.h"
#include "check.h"

#define STRING_FIELD(name)                                                   \
	{                                                                    \
		WR_SCHEMA_FIELD(name, "a string"), .type = WR_SCHEMA_STRING, \
	}
#define OPTIONAL_STRING_FIELD(name)                                                    \
	{                                                                              \
		WR_SCHEMA_FIELD(name, "a string or null"), .type = WR_SCHEMA_STRING,   \
							   .rule = WR_SCHEMA_OPTIONAL, \
	}

/* ---- profiles ---- */

enum { PROFILE_KIND, PROFILE_VALUE };
static const struct wr_schema_field profile_names[] = {
	[PROFILE_KIND] = WR_SCHEMA_KIND,
	[PROFILE_VALUE] = WR_SCHEMA_NAME("value"),
};
static const struct wr_schema_field no_value_fields[] = {
	{WR_SCHEMA_FIELD("value", "absent or null for \"runtime_default\""),
	 .type = WR_SCHEMA_NOTHING, .rule = WR_SCHEMA_OPTIONAL, .slot = PROFILE_VALUE}};
static const struct wr_schema_field value_fields[] = {
	{WR_SCHEMA_FIELD("value", "a string"), .type = WR_SCHEMA_STRING, .slot = PROFILE_VALUE}};
static const struct wr_schema_variant profile_variants[] = {
	[WR_PROFILE_RUNTIME_DEFAULT] = {WR_VIEW_INIT("runtime_default"),
					WR_SCHEMA_INIT(no_value_fields)},
	[WR_PROFILE_BUILTIN] = {WR_VIEW_INIT("builtin"), WR_SCHEMA_INIT(value_fields)},
	[WR_PROFILE_NAMED] = {WR_VIEW_INIT("named"), WR_SCHEMA_INIT(value_fields)},
};
static const struct wr_schema_union profiles = {
	WR_SCHEMA_INIT(profile_names), profile_variants, WR_COUNT(profile_variants),
	"`kind` of a profile must be \"runtime_default\", \"builtin\" or \"named\""};

enum wr_status wr_selector_read(struct wr_schema_input *input, enum wr_profile_kind *kind,
				struct wr_schema_value *value, const char *wrong)
{
	unsigned index = 0;
	enum wr_status status = wr_schema_read_union(input, &index, value, &profiles, wrong);

	*kind = (enum wr_profile_kind)index;
	if (*kind == WR_PROFILE_RUNTIME_DEFAULT)
		*value = (struct wr_schema_value){.repeat = NULL};
	return status;
}

/* ---- lists of names ---- */

enum { PAIR_NAME, PAIR_TEXT, PAIR_FIELDS };
static const struct wr_schema_field capability_fields[PAIR_FIELDS] = {
	[PAIR_NAME] = STRING_FIELD("name"),
	[PAIR_TEXT] = OPTIONAL_STRING_FIELD("reason"),
};
static const struct wr_schema_field reference_fields[PAIR_FIELDS] = {
	[PAIR_NAME] = STRING_FIELD("name"),
	[PAIR_TEXT] = STRING_FIELD("reference"),
};
static const struct wr_schema capability = WR_SCHEMA_INIT(capability_fields);
static const struct wr_schema reference = WR_SCHEMA_INIT(reference_fields);

/* Not with wr_pairs_append: the text would have to be decoded to some other place first. */
enum wr_status wr_schema_pack(struct wr_schema_input *input, const struct wr_schema_value *value)
{
	struct wr_buf *texts = input->texts;
	size_t start = texts->bytes;
	char length[4];
	struct wr_view text;
	enum wr_status status;

	wr_store_le32(length, UINT32_MAX);
	wr_buf_append(texts, length, sizeof length);
	status = wr_schema_string(input, &text, value);
	if (status == WR_OK && value->raw.data != NULL) {
		if (!value->has_escapes)
			status = wr_buf_append_view(texts, text);
		wr_store_le32(texts->data + start, (uint32_t)text.bytes);
	}
	return status;
}

static enum wr_status read_pair(struct wr_schema_input *input, struct wr_pairs *out,
				const struct wr_schema *schema, const char *wrong)
{
	struct wr_schema_value values[PAIR_FIELDS];
	enum wr_status status = wr_schema_read(input, NULL, values, schema, wrong);

	if (status == WR_OK)
		status = wr_schema_pack(input, &values[PAIR_NAME]);
	if (status == WR_OK)
		status = wr_schema_pack(input, &values[PAIR_TEXT]);
	out->count++;
	return status;
}

static enum wr_status read_pairs(struct wr_schema_input *input, struct wr_pairs *out,
				 const struct wr_schema *each, const char *wrong)
{
	struct wr_buf *texts = input->texts;
	size_t start = texts->bytes;
	enum wr_status status;

	if (input->reader.token != WR_JSON_TOKEN_ARRAY_BEGIN)
		return wr_schema_refuse(input, wrong);
	/* A pair takes 8 bytes and its texts, its JSON at least 11 and its texts. */
	status = wr_schema_reserve(input);
	while (status == WR_OK) {
		status = wr_schema_next(input);
		if (status != WR_OK || input->reader.token == WR_JSON_TOKEN_ARRAY_END)
			break;
		status = read_pair(input, out, each, wrong);
	}
	if (status == WR_OK)
		out->packed = wr_view_of(texts->data + start, texts->bytes - start);
	return status;
}

enum wr_status wr_capabilities_read(struct wr_schema_input *input, struct wr_pairs *out,
				    const char *wrong)
{
	return read_pairs(input, out, &capability, wrong);
}

enum wr_status wr_references_read(struct wr_schema_input *input, struct wr_pairs *out,
				  const char *wrong)
{
	return read_pairs(input, out, &reference, wrong);
}

/* ---- config bundles ---- */

enum { BUNDLE_ID, BUNDLE_DIGEST, BUNDLE_FIELDS };
static const struct wr_schema_field named_fields[BUNDLE_FIELDS] = {
	[BUNDLE_ID] = STRING_FIELD("id"),
	[BUNDLE_DIGEST] = OPTIONAL_STRING_FIELD("digest"),
};
static const struct wr_schema_field meant_fields[BUNDLE_FIELDS] = {
	[BUNDLE_ID] = STRING_FIELD("id"),
	[BUNDLE_DIGEST] = STRING_FIELD("digest"),
};
static const struct wr_schema named = WR_SCHEMA_INIT(named_fields);
static const struct wr_schema meant = WR_SCHEMA_INIT(meant_fields);

enum wr_status wr_bundle_reference_read(struct wr_schema_input *input, struct wr_view *id,
					struct wr_view *digest, bool needs_digest,
					const char *wrong)
{
	struct wr_schema_value values[BUNDLE_FIELDS];
	enum wr_status status =
		wr_schema_read(input, NULL, values, needs_digest ? &meant : &named, wrong);

	if (status == WR_OK)
		status = wr_schema_string(input, id, &values[BUNDLE_ID]);
	return status == WR_OK ? wr_schema_string(input, digest, &values[BUNDLE_DIGEST]) : status;
}
