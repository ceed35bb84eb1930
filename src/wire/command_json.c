#include "wire/command_json.h"

#include "check.h"
#include "codec/json/scan.h"
#include "wire/request_read.h"
#include "bounds.h"

#define NOT_AN_OBJECT "the body must be a JSON object"

/* ---- intent and profile ---- */

#define STRING_FIELD(name, place)                                                             \
	{                                                                                     \
		WR_SCHEMA_FIELD(name, "a string"), .type = WR_SCHEMA_STRING, .slot = (place), \
	}
#define OPTIONAL_STRING_FIELD(name, place)                                                     \
	{                                                                                      \
		WR_SCHEMA_FIELD(name, "a string or null"),                                     \
			.type = WR_SCHEMA_STRING, .rule = WR_SCHEMA_OPTIONAL, .slot = (place), \
	}

enum { INTENT_KIND, INTENT_PURPOSE, INTENT_OBJECTIVE, INTENT_ROLE };
static const struct wr_schema_field intent_names[] = {
	[INTENT_KIND] = WR_SCHEMA_KIND,
	[INTENT_PURPOSE] = WR_SCHEMA_NAME("purpose"),
	[INTENT_OBJECTIVE] = WR_SCHEMA_NAME("objective"),
	[INTENT_ROLE] = WR_SCHEMA_NAME("role"),
};
static const struct wr_schema_field assistant_fields[] = {
	OPTIONAL_STRING_FIELD("purpose", INTENT_PURPOSE)};
static const struct wr_schema_field task_fields[] = {STRING_FIELD("objective", INTENT_OBJECTIVE)};
static const struct wr_schema_field role_fields[] = {
	STRING_FIELD("role", INTENT_ROLE), OPTIONAL_STRING_FIELD("purpose", INTENT_PURPOSE)};
static const struct wr_schema_variant intent_variants[] = {
	[WR_INTENT_ASSISTANT] = {WR_VIEW_INIT("assistant"), WR_SCHEMA_INIT(assistant_fields)},
	[WR_INTENT_TASK] = {WR_VIEW_INIT("task"), WR_SCHEMA_INIT(task_fields)},
	[WR_INTENT_ROLE] = {WR_VIEW_INIT("role"), WR_SCHEMA_INIT(role_fields)},
};
static const struct wr_schema_union intents = {
	WR_SCHEMA_INIT(intent_names), intent_variants, WR_COUNT(intent_variants),
	"`kind` of `intent` must be \"assistant\", \"task\" or \"role\""};

static enum wr_status read_intent(struct wr_schema_input *input, void *context,
				  const struct wr_schema_field *field)
{
	struct wr_create *out = context;
	struct wr_schema_value values[WR_SCHEMA_FIELDS_MAX];
	unsigned kind = 0;
	enum wr_status status = wr_schema_read_union(input, &kind, values, &intents, field->wrong);

	if (status != WR_OK)
		return status;
	out->intent = (enum wr_intent_kind)kind;
	switch (out->intent) {
	case WR_INTENT_ASSISTANT:
		return wr_schema_string(input, &out->purpose, &values[0]);
	case WR_INTENT_TASK:
		return wr_schema_string(input, &out->objective, &values[0]);
	case WR_INTENT_ROLE:
		status = wr_schema_string(input, &out->role, &values[0]);
		if (status != WR_OK)
			return status;
		return wr_schema_string(input, &out->purpose, &values[1]);
	}
	wr_unreachable();
}

static enum wr_status read_profile(struct wr_schema_input *input, void *context,
				   const struct wr_schema_field *field)
{
	struct wr_create *out = context;
	struct wr_schema_value value;
	enum wr_status status = wr_selector_read(input, &out->profile, &value, field->wrong);

	return status == WR_OK ? wr_schema_string(input, &out->profile_value, &value) : status;
}

/* ---- lists of names ---- */

static enum wr_status read_capabilities(struct wr_schema_input *input, void *context,
					const struct wr_schema_field *field)
{
	struct wr_create *out = context;

	return wr_capabilities_read(input, &out->capabilities, field->wrong);
}

static enum wr_status read_workspaces(struct wr_schema_input *input, void *context,
				      const struct wr_schema_field *field)
{
	struct wr_create *out = context;

	return wr_references_read(input, &out->workspace_refs, field->wrong);
}

static enum wr_status read_mounts(struct wr_schema_input *input, void *context,
				  const struct wr_schema_field *field)
{
	struct wr_create *out = context;

	return wr_references_read(input, &out->mount_refs, field->wrong);
}

/* ---- create ---- */

static enum wr_status read_bundle(struct wr_schema_input *input, void *context,
				  const struct wr_schema_field *field)
{
	struct wr_create *out = context;

	return wr_bundle_reference_read(input, &out->config_bundle_id, &out->config_bundle_digest,
					false, field->wrong);
}

/* ---- busy policy ---- */

enum { BUSY_KIND, BUSY_MAX };
static const struct wr_schema_field busy_names[] = {
	[BUSY_KIND] = WR_SCHEMA_KIND,
	[BUSY_MAX] = WR_SCHEMA_NAME("max_inputs"),
};
static const struct wr_schema_field reject_fields[] = {
	{WR_SCHEMA_FIELD("max_inputs", "absent or null for \"reject\""), .type = WR_SCHEMA_NOTHING,
	 .rule = WR_SCHEMA_OPTIONAL, .slot = BUSY_MAX}};
static const struct wr_schema_field queue_fields[] = {
	{WR_SCHEMA_FIELD("max_inputs", "a number from 1 to 256"), .type = WR_SCHEMA_U32,
	 .rule = WR_SCHEMA_OPTIONAL, .slot = BUSY_MAX}};
_Static_assert(WR_QUEUE_INPUTS_MAX == 256, "the text above");
static const struct wr_schema_variant busy_variants[] = {
	{WR_VIEW_INIT("reject"), WR_SCHEMA_INIT(reject_fields)},
	{WR_VIEW_INIT("queue"), WR_SCHEMA_INIT(queue_fields)},
};
static const struct wr_schema_union busy_policies = {
	WR_SCHEMA_INIT(busy_names), busy_variants, WR_COUNT(busy_variants),
	"`kind` of `busy_policy` must be \"reject\" or \"queue\""};

enum wr_status wr_busy_policy_json_read(struct wr_schema_input *input, struct wr_busy_policy *out,
					const char *wrong)
{
	struct wr_schema_value values[WR_SCHEMA_FIELDS_MAX];
	unsigned kind = 0;
	enum wr_status status = wr_schema_read_union(input, &kind, values, &busy_policies, wrong);

	if (status != WR_OK)
		return status;
	if (kind == 0) {
		*out = (struct wr_busy_policy){WR_BUSY_REJECT, 0};
		return WR_OK;
	}
	*out = (struct wr_busy_policy){WR_BUSY_QUEUE, WR_QUEUE_INPUTS};
	if (values[0].raw.data == NULL)
		return WR_OK;
	if (values[0].number == 0 || values[0].number > WR_QUEUE_INPUTS_MAX)
		return wr_schema_refuse_at(input, values[0].raw.data, queue_fields[0].wrong);
	out->inputs_max = (uint32_t)values[0].number;
	return WR_OK;
}

static enum wr_status read_busy(struct wr_schema_input *input, void *context,
				const struct wr_schema_field *field)
{
	struct wr_create *out = context;

	return wr_busy_policy_json_read(input, &out->busy, field->wrong);
}

#define READ_FIELD(name, must_be, a_rule, function)                                       \
	{                                                                                 \
		WR_SCHEMA_FIELD(name, must_be), .type = WR_SCHEMA_READ, .rule = (a_rule), \
						.of.read = (function),                    \
	}

enum { CREATE_WORKER_ID = 7, CREATE_FIELDS };
static const struct wr_schema_field create_fields[CREATE_FIELDS] = {
	READ_FIELD("intent", "an object", WR_SCHEMA_REQUIRED, read_intent),
	READ_FIELD("profile", "an object", WR_SCHEMA_REQUIRED, read_profile),
	READ_FIELD("config_bundle", "an object or null", WR_SCHEMA_OPTIONAL, read_bundle),
	READ_FIELD("requested_capabilities", "a list of objects", WR_SCHEMA_DEFAULTED,
		   read_capabilities),
	READ_FIELD("workspace_refs", "a list of objects", WR_SCHEMA_DEFAULTED, read_workspaces),
	READ_FIELD("mount_refs", "a list of objects", WR_SCHEMA_DEFAULTED, read_mounts),
	READ_FIELD("busy_policy", "an object or null", WR_SCHEMA_OPTIONAL, read_busy),
	[CREATE_WORKER_ID] = OPTIONAL_STRING_FIELD("worker_id", 0),
};
static const struct wr_schema create = WR_SCHEMA_INIT(create_fields);

enum wr_status wr_create_json_read(struct wr_create *out, struct wr_buf *texts, struct wr_view body,
				   struct wr_error *error)
{
	struct wr_schema_value values[CREATE_FIELDS];
	struct wr_schema_input input;
	enum wr_status status;

	*out = (struct wr_create){.intent = WR_INTENT_ASSISTANT};
	wr_schema_begin(&input, body, texts, error);
	status = wr_schema_read_document(&input, out, values, &create, NOT_AN_OBJECT);
	if (status != WR_OK)
		return status;
	return wr_schema_string(&input, &out->worker_id, &values[CREATE_WORKER_ID]);
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
	[INPUT_CONTENT] = STRING_FIELD("content", 0),
};
static const struct wr_schema input_schema = WR_SCHEMA_INIT(input_fields);

/* Most inputs are spelled alike, as a serializer writes the struct: both members in their order, no
 * white space, and content that is plain ASCII. Those are taken without the reader, for a fifth of
 * its work. True when the body is of that kind; says nothing of any other. */
static bool take_usual_input(struct wr_input *out, struct wr_view body)
{
	static const struct wr_view front[] = {
		[WR_INPUT_USER] = WR_VIEW_INIT("{\"kind\":\"user\",\"content\":\""),
		[WR_INPUT_SYSTEM] = WR_VIEW_INIT("{\"kind\":\"system\",\"content\":\""),
	};
	enum wr_input_kind kind =
		wr_view_starts(body, front[WR_INPUT_USER]) ? WR_INPUT_USER : WR_INPUT_SYSTEM;
	const char *content, *end;

	if (kind != WR_INPUT_USER && !wr_view_starts(body, front[kind]))
		return false;
	content = body.data + front[kind].bytes;
	end = body.data + body.bytes - 2;
	if (end < content || end[0] != '"' || end[1] != '}' ||
	    wr_json_plain_ascii_end(body.data, content, end) != end)
		return false;
	*out = (struct wr_input){.kind = kind,
				 .content = wr_view_of(content, (size_t)(end - content))};
	return true;
}

enum wr_status wr_input_json_read(struct wr_input *out, struct wr_buf *texts, struct wr_view body,
				  struct wr_error *error)
{
	struct wr_schema_value values[INPUT_FIELDS];
	struct wr_schema_input input;
	enum wr_status status;

	if (take_usual_input(out, body)) {
		*error = (struct wr_error){.status = WR_OK};
		wr_buf_reset(texts);
		return WR_OK;
	}
	*out = (struct wr_input){.kind = WR_INPUT_USER};
	wr_schema_begin(&input, body, texts, error);
	status = wr_schema_read_document(&input, NULL, values, &input_schema, NOT_AN_OBJECT);
	if (status != WR_OK)
		return status;
	out->kind = (enum wr_input_kind)values[INPUT_KIND].number;
	return wr_schema_string(&input, &out->content, &values[INPUT_CONTENT]);
}

/* ---- stop, cancel, interrupt ---- */

static const struct wr_schema_field lifecycle_fields[] = {OPTIONAL_STRING_FIELD("reason", 0)};
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
	status = wr_schema_read_document(&input, NULL, &value, &lifecycle, NOT_AN_OBJECT);
	return status == WR_OK ? wr_schema_string(&input, reason, &value) : status;
}
