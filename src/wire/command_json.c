#include "wire/command_json.h"

#include "bytes/endian.h"
#include "check.h"
#include "wire/schema.h"

#define NOT_AN_OBJECT "the body must be a JSON object"

/* ---- intent and profile ---- */

#define STRING_FIELD(name)                                                  \
	{                                                                   \
		WR_SCHEMA_FIELD(name, "a string"), .type = WR_SCHEMA_STRING \
	}
#define OPTIONAL_STRING_FIELD(name)                                                    \
	{                                                                              \
		WR_SCHEMA_FIELD(name, "a string or null"), .type = WR_SCHEMA_STRING,   \
							   .rule = WR_SCHEMA_OPTIONAL, \
	}

static const struct wr_schema_field assistant_fields[] = {OPTIONAL_STRING_FIELD("purpose")};
static const struct wr_schema_field task_fields[] = {STRING_FIELD("objective")};
enum { ROLE_ROLE, ROLE_PURPOSE };
static const struct wr_schema_field role_fields[] = {
	[ROLE_ROLE] = STRING_FIELD("role"),
	[ROLE_PURPOSE] = OPTIONAL_STRING_FIELD("purpose"),
};

static const struct wr_schema_variant intent_variants[] = {
	[WR_INTENT_ASSISTANT] = {WR_VIEW_INIT("assistant"), WR_SCHEMA_INIT(assistant_fields)},
	[WR_INTENT_TASK] = {WR_VIEW_INIT("task"), WR_SCHEMA_INIT(task_fields)},
	[WR_INTENT_ROLE] = {WR_VIEW_INIT("role"), WR_SCHEMA_INIT(role_fields)},
};
static const struct wr_schema_union intents = {
	intent_variants, WR_COUNT(intent_variants),
	"`kind` of `intent` must be \"assistant\", \"task\" or \"role\""};

static const struct wr_schema_field no_value_fields[] = {
	{WR_SCHEMA_FIELD("value", "absent or null for \"runtime_default\""),
	 .type = WR_SCHEMA_NOTHING, .rule = WR_SCHEMA_OPTIONAL}};
static const struct wr_schema_field value_fields[] = {STRING_FIELD("value")};

static const struct wr_schema_variant profile_variants[] = {
	[WR_PROFILE_RUNTIME_DEFAULT] = {WR_VIEW_INIT("runtime_default"),
					WR_SCHEMA_INIT(no_value_fields)},
	[WR_PROFILE_BUILTIN] = {WR_VIEW_INIT("builtin"), WR_SCHEMA_INIT(value_fields)},
	[WR_PROFILE_NAMED] = {WR_VIEW_INIT("named"), WR_SCHEMA_INIT(value_fields)},
};
static const struct wr_schema_union profiles = {
	profile_variants, WR_COUNT(profile_variants),
	"`kind` of `profile` must be \"runtime_default\", \"builtin\" or \"named\""};

/* Reads an object of a union; *index becomes its kind. */
static enum wr_status read_variant(struct wr_schema_input *input, unsigned *index,
				   struct wr_schema_value *values, struct wr_view object,
				   const struct wr_schema_union *variants)
{
	enum wr_status status = wr_schema_read_kind(input, index, object, variants, NULL);

	if (status != WR_OK)
		return status;
	return wr_schema_read(input, values, object, &variants->variants[*index].members, NULL);
}

static enum wr_status read_intent(struct wr_schema_input *input, struct wr_create *out,
				  struct wr_view object)
{
	struct wr_schema_value values[WR_SCHEMA_FIELDS_MAX];
	unsigned kind;
	enum wr_status status = read_variant(input, &kind, values, object, &intents);

	if (status != WR_OK)
		return status;
	out->intent = (enum wr_intent_kind)kind;
	switch (out->intent) {
	case WR_INTENT_ASSISTANT:
		return wr_schema_string(input, &out->purpose, &values[0]);
	case WR_INTENT_TASK:
		return wr_schema_string(input, &out->objective, &values[0]);
	case WR_INTENT_ROLE:
		status = wr_schema_string(input, &out->role, &values[ROLE_ROLE]);
		if (status != WR_OK)
			return status;
		return wr_schema_string(input, &out->purpose, &values[ROLE_PURPOSE]);
	}
	wr_unreachable();
}

static enum wr_status read_profile(struct wr_schema_input *input, struct wr_create *out,
				   struct wr_view object)
{
	struct wr_schema_value values[WR_SCHEMA_FIELDS_MAX];
	unsigned kind;
	enum wr_status status = read_variant(input, &kind, values, object, &profiles);

	if (status != WR_OK)
		return status;
	out->profile = (enum wr_profile_kind)kind;
	if (out->profile == WR_PROFILE_RUNTIME_DEFAULT)
		return WR_OK;
	return wr_schema_string(input, &out->profile_value, &values[0]);
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

/* Appends one text of a pair in the packed form of core/command.h. Not with wr_pairs_append: the
 * text would have to be decoded to some other place first. */
static enum wr_status pack_text(struct wr_schema_input *input, const struct wr_schema_value *value)
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
				struct wr_view object, const struct wr_schema *schema,
				const char *wrong)
{
	struct wr_schema_value values[PAIR_FIELDS];
	enum wr_status status = wr_schema_read(input, values, object, schema, wrong);

	if (status == WR_OK)
		status = pack_text(input, &values[PAIR_NAME]);
	if (status == WR_OK)
		status = pack_text(input, &values[PAIR_TEXT]);
	out->count++;
	return status;
}

static enum wr_status read_pairs(struct wr_schema_input *input, struct wr_pairs *out,
				 const struct wr_schema_value *list,
				 const struct wr_schema_field *field)
{
	struct wr_buf *texts = input->texts;
	struct wr_json_reader reader;
	struct wr_schema_value element;
	size_t start = texts->bytes;
	enum wr_status status;

	if (list->raw.data == NULL)
		return WR_OK;
	/* A pair takes 8 bytes and its texts, its JSON at least 11 and its texts. */
	status = wr_schema_reserve(input);
	if (status == WR_OK)
		status = wr_schema_list_begin(input, &reader, list->raw);
	while (status == WR_OK) {
		status = wr_schema_list_next(input, &reader, &element);
		if (status != WR_OK || element.raw.data == NULL)
			break;
		status = read_pair(input, out, element.raw, field->of.object, field->wrong);
	}
	out->packed = wr_view_of(texts->data + start, texts->bytes - start);
	return status;
}

/* ---- create ---- */

static const struct wr_schema_field bundle_fields[] = {STRING_FIELD("id")};
static const struct wr_schema bundle = WR_SCHEMA_INIT(bundle_fields);

enum {
	CREATE_INTENT,
	CREATE_PROFILE,
	CREATE_BUNDLE,
	CREATE_CAPABILITIES,
	CREATE_WORKSPACES,
	CREATE_MOUNTS,
	CREATE_FIELDS
};

#define LIST_FIELD(name, each)                                                                     \
	{                                                                                          \
		WR_SCHEMA_FIELD(name, "a list of objects"),                                        \
			.type = WR_SCHEMA_OBJECTS, .rule = WR_SCHEMA_DEFAULTED, .of.object = each, \
	}

static const struct wr_schema_field create_fields[CREATE_FIELDS] = {
	[CREATE_INTENT] = {WR_SCHEMA_FIELD("intent", "an object"), .type = WR_SCHEMA_UNION},
	[CREATE_PROFILE] = {WR_SCHEMA_FIELD("profile", "an object"), .type = WR_SCHEMA_UNION},
	[CREATE_BUNDLE] = {WR_SCHEMA_FIELD("config_bundle", "an object or null"),
			   .type = WR_SCHEMA_OBJECT, .rule = WR_SCHEMA_OPTIONAL},
	[CREATE_CAPABILITIES] = LIST_FIELD("requested_capabilities", &capability),
	[CREATE_WORKSPACES] = LIST_FIELD("workspace_refs", &reference),
	[CREATE_MOUNTS] = LIST_FIELD("mount_refs", &reference),
};
static const struct wr_schema create = WR_SCHEMA_INIT(create_fields);

static enum wr_status read_bundle(struct wr_schema_input *input, struct wr_create *out,
				  const struct wr_schema_value *object)
{
	struct wr_schema_value id;
	enum wr_status status;

	if (object->raw.data == NULL)
		return WR_OK;
	status = wr_schema_read(input, &id, object->raw, &bundle, NULL);
	return status == WR_OK ? wr_schema_string(input, &out->config_bundle_id, &id) : status;
}

enum wr_status wr_create_json_read(struct wr_create *out, struct wr_buf *texts, struct wr_view body,
				   struct wr_error *error)
{
	struct wr_schema_value values[CREATE_FIELDS];
	struct wr_pairs *lists[] = {&out->capabilities, &out->workspace_refs, &out->mount_refs};
	struct wr_schema_input input;
	enum wr_status status;

	*out = (struct wr_create){.intent = WR_INTENT_ASSISTANT};
	wr_schema_begin(&input, body, texts, error);
	status = wr_schema_read(&input, values, body, &create, NOT_AN_OBJECT);
	if (status == WR_OK)
		status = read_intent(&input, out, values[CREATE_INTENT].raw);
	if (status == WR_OK)
		status = read_profile(&input, out, values[CREATE_PROFILE].raw);
	if (status == WR_OK)
		status = read_bundle(&input, out, &values[CREATE_BUNDLE]);
	for (unsigned i = 0; i < WR_COUNT(lists) && status == WR_OK; i++)
		status = read_pairs(&input, lists[i], &values[CREATE_CAPABILITIES + i],
				    &create_fields[CREATE_CAPABILITIES + i]);
	return status;
}

/* ---- input ---- */

static const struct wr_view input_kinds[] = {
	[WR_INPUT_USER] = WR_VIEW_INIT("user"),
	[WR_INPUT_SYSTEM] = WR_VIEW_INIT("system"),
	{NULL, 0},
};

enum { INPUT_KIND, INPUT_CONTENT, INPUT_FIELDS };
static const struct wr_schema_field input_fields[INPUT_FIELDS] = {
	[INPUT_KIND] = {WR_SCHEMA_FIELD("kind", "\"user\" or \"system\""), .type = WR_SCHEMA_WORD,
			.of.words = input_kinds},
	[INPUT_CONTENT] = STRING_FIELD("content"),
};
static const struct wr_schema input_schema = WR_SCHEMA_INIT(input_fields);

enum wr_status wr_input_json_read(struct wr_input *out, struct wr_buf *texts, struct wr_view body,
				  struct wr_error *error)
{
	struct wr_schema_value values[INPUT_FIELDS];
	struct wr_schema_input input;
	enum wr_status status;

	*out = (struct wr_input){.kind = WR_INPUT_USER};
	wr_schema_begin(&input, body, texts, error);
	status = wr_schema_read(&input, values, body, &input_schema, NOT_AN_OBJECT);
	if (status != WR_OK)
		return status;
	out->kind = (enum wr_input_kind)values[INPUT_KIND].number;
	return wr_schema_string(&input, &out->content, &values[INPUT_CONTENT]);
}

/* ---- stop, cancel, interrupt ---- */

static const struct wr_schema_field lifecycle_fields[] = {OPTIONAL_STRING_FIELD("reason")};
static const struct wr_schema lifecycle = WR_SCHEMA_INIT(lifecycle_fields);

enum wr_status wr_lifecycle_json_read(struct wr_view *reason, struct wr_buf *texts,
				      struct wr_view body, struct wr_error *error)
{
	struct wr_schema_value value;
	struct wr_schema_input input;
	enum wr_status status;

	*reason = WR_VIEW_NULL;
	wr_schema_begin(&input, body, texts, error);
	if (body.bytes == 0)
		return WR_OK;
	status = wr_schema_read(&input, &value, body, &lifecycle, NOT_AN_OBJECT);
	return status == WR_OK ? wr_schema_string(&input, reason, &value) : status;
}
