#include "backend/browser_bodies.h"

#include "check.h"
#include "wire/command_json.h"
#include "wire/request_read.h"

#define NOT_AN_OBJECT "the body must be a JSON object"

/* ---- spawn ---- */

static const struct wr_view roles[] = {WR_VIEW_INIT("intake"),
				       WR_VIEW_INIT("orchestrator"),
				       WR_VIEW_INIT("coder"),
				       WR_VIEW_INIT("reviewer"),
				       {NULL, 0}};

enum { INTENT_KIND, INTENT_TICKET, INTENT_ROLE };
static const struct wr_schema_field intent_names[] = {
	[INTENT_KIND] = WR_SCHEMA_KIND,
	[INTENT_TICKET] = WR_SCHEMA_NAME("ticket_id"),
	[INTENT_ROLE] = WR_SCHEMA_NAME("role"),
};
static const struct wr_schema_field role_fields[] = {
	{WR_SCHEMA_FIELD("ticket_id", "a string"), .type = WR_SCHEMA_STRING, .slot = INTENT_TICKET},
	{WR_SCHEMA_FIELD("role", "\"intake\", \"orchestrator\", \"coder\" or \"reviewer\""),
	 .type = WR_SCHEMA_WORD, .of.words = roles, .slot = INTENT_ROLE},
};
static const struct wr_schema_variant intent_variants[] = {
	[WR_SPAWN_COMPANION] = {WR_VIEW_INIT("workspace_companion"), {NULL, 0}},
	[WR_SPAWN_ORCHESTRATOR] = {WR_VIEW_INIT("workspace_orchestrator"), {NULL, 0}},
	[WR_SPAWN_TICKET_ROLE] = {WR_VIEW_INIT("ticket_role"), WR_SCHEMA_INIT(role_fields)},
};
static const struct wr_schema_union intents = {
	WR_SCHEMA_INIT(intent_names), intent_variants, WR_COUNT(intent_variants),
	"`kind` of `intent` must be \"workspace_companion\", \"workspace_orchestrator\" or "
	"\"ticket_role\""};

static enum wr_status read_intent(struct wr_schema_input *input, void *context,
				  const struct wr_schema_field *field)
{
	struct wr_schema_value values[WR_COUNT(role_fields)];
	struct wr_spawn_request *out = context;
	unsigned kind = 0;
	enum wr_status status = wr_schema_read_union(input, &kind, values, &intents, field->wrong);

	if (status != WR_OK)
		return status;
	out->intent = (enum wr_spawn_intent)kind;
	if (out->intent != WR_SPAWN_TICKET_ROLE)
		return WR_OK;
	out->role = roles[values[1].number];
	return wr_schema_string(input, &out->ticket_id, &values[0]);
}

enum { ACCEPTANCE_KIND, ACCEPTANCE_SEGMENTS };
static const struct wr_schema_field acceptance_names[] = {
	[ACCEPTANCE_KIND] = WR_SCHEMA_KIND,
	[ACCEPTANCE_SEGMENTS] = WR_SCHEMA_NAME("expected_segments"),
};
static const struct wr_schema_field run_fields[] = {
	{WR_SCHEMA_FIELD("expected_segments", "a number without sign"), .type = WR_SCHEMA_U64,
	 .slot = ACCEPTANCE_SEGMENTS},
};
enum { IS_SOCKET_READY, IS_RUN_ACCEPTED };
static const struct wr_schema_variant acceptance_variants[] = {
	[IS_SOCKET_READY] = {WR_VIEW_INIT("socket_ready"), {NULL, 0}},
	[IS_RUN_ACCEPTED] = {WR_VIEW_INIT("run_accepted"), WR_SCHEMA_INIT(run_fields)},
};
static const struct wr_schema_union acceptances = {
	WR_SCHEMA_INIT(acceptance_names), acceptance_variants, WR_COUNT(acceptance_variants),
	"`kind` of `acceptance` must be \"socket_ready\" or \"run_accepted\""};

static enum wr_status read_acceptance(struct wr_schema_input *input, void *context,
				      const struct wr_schema_field *field)
{
	struct wr_spawn_request *out = context;
	struct wr_schema_value segments = {.number = 0};
	unsigned kind = 0;
	enum wr_status status =
		wr_schema_read_union(input, &kind, &segments, &acceptances, field->wrong);

	out->is_socket_ready = kind == IS_SOCKET_READY;
	out->expected_segments = segments.number;
	return status;
}

static enum wr_status read_busy(struct wr_schema_input *input, void *context,
				const struct wr_schema_field *field)
{
	struct wr_spawn_request *out = context;

	return wr_busy_policy_json_read(input, &out->busy, field->wrong);
}

static enum wr_status read_profile(struct wr_schema_input *input, void *context,
				   const struct wr_schema_field *field)
{
	struct wr_spawn_request *out = context;
	struct wr_schema_value value;
	enum wr_status status = wr_selector_read(input, &out->profile, &value, field->wrong);

	out->has_profile = true;
	return status == WR_OK ? wr_schema_string(input, &out->profile_value, &value) : status;
}

static enum wr_status read_bundle(struct wr_schema_input *input, void *context,
				  const struct wr_schema_field *field)
{
	struct wr_spawn_request *out = context;

	return wr_bundle_reference_read(input, &out->bundle_id, &out->bundle_digest, true,
					field->wrong);
}

static enum wr_status read_capabilities(struct wr_schema_input *input, void *context,
					const struct wr_schema_field *field)
{
	struct wr_spawn_request *out = context;

	return wr_capabilities_read(input, &out->capabilities, field->wrong);
}

enum { SPAWN_NAME = 3, SPAWN_FIELDS = 7 };
static const struct wr_schema_field spawn_fields[SPAWN_FIELDS] = {
	{WR_SCHEMA_FIELD("intent", "an object"), .type = WR_SCHEMA_READ, .of.read = read_intent},
	{WR_SCHEMA_FIELD("acceptance", "an object"), .type = WR_SCHEMA_READ,
	 .of.read = read_acceptance},
	{WR_SCHEMA_FIELD("busy_policy", "an object or null"), .type = WR_SCHEMA_READ,
	 .rule = WR_SCHEMA_OPTIONAL, .of.read = read_busy},
	[SPAWN_NAME] = {WR_SCHEMA_FIELD("requested_worker_name", "a string or null"),
			.type = WR_SCHEMA_STRING, .rule = WR_SCHEMA_OPTIONAL},
	{WR_SCHEMA_FIELD("profile", "an object or null"), .type = WR_SCHEMA_READ,
	 .rule = WR_SCHEMA_OPTIONAL, .of.read = read_profile},
	{WR_SCHEMA_FIELD("config_bundle", "an object or null"), .type = WR_SCHEMA_READ,
	 .rule = WR_SCHEMA_OPTIONAL, .of.read = read_bundle},
	{WR_SCHEMA_FIELD("requested_capabilities", "a list of objects"), .type = WR_SCHEMA_READ,
	 .rule = WR_SCHEMA_DEFAULTED, .of.read = read_capabilities},
};
static const struct wr_schema spawn = WR_SCHEMA_INIT(spawn_fields);

enum wr_status wr_browser_spawn_read(struct wr_spawn_request *out, struct wr_buf *texts,
				     struct wr_view body, struct wr_error *error)
{
	struct wr_schema_value values[SPAWN_FIELDS];
	struct wr_schema_input input;
	enum wr_status status;

	*out = (struct wr_spawn_request){.intent = WR_SPAWN_COMPANION};
	wr_schema_begin(&input, body, texts, error);
	status = wr_schema_read_document(&input, out, values, &spawn, NOT_AN_OBJECT);
	if (status != WR_OK)
		return status;
	return wr_schema_string(&input, &out->requested_name, &values[SPAWN_NAME]);
}

/* ---- input ---- */

static const struct wr_view input_kinds[] = {
	WR_VIEW_INIT("user"), WR_VIEW_INIT("system"), {NULL, 0}};

enum { INPUT_KIND, INPUT_CONTENT, INPUT_FIELDS };
static const struct wr_schema_field input_fields[INPUT_FIELDS] = {
	[INPUT_KIND] = {WR_SCHEMA_FIELD("kind", "\"user\" or \"system\""), .type = WR_SCHEMA_WORD,
			.rule = WR_SCHEMA_DEFAULTED, .of.words = input_kinds},
	[INPUT_CONTENT] = {WR_SCHEMA_FIELD("content", "a string"), .type = WR_SCHEMA_STRING},
};
static const struct wr_schema input_schema = WR_SCHEMA_INIT(input_fields);

enum wr_status wr_browser_input_read(struct wr_browser_input *out, struct wr_buf *texts,
				     struct wr_view body, struct wr_error *error)
{
	struct wr_schema_value values[INPUT_FIELDS];
	struct wr_schema_input input;
	enum wr_status status;

	*out = (struct wr_browser_input){.is_system = false};
	wr_schema_begin(&input, body, texts, error);
	status = wr_schema_read_document(&input, NULL, values, &input_schema, NOT_AN_OBJECT);
	if (status != WR_OK)
		return status;
	out->is_system = values[INPUT_KIND].number == 1;
	return wr_schema_string(&input, &out->content, &values[INPUT_CONTENT]);
}

/* ---- stop, cancel, interrupt ---- */

static const struct wr_schema_field lifecycle_fields[] = {
	{WR_SCHEMA_FIELD("reason", "a string or null"), .type = WR_SCHEMA_STRING,
	 .rule = WR_SCHEMA_OPTIONAL},
};
static const struct wr_schema lifecycle = WR_SCHEMA_INIT(lifecycle_fields);

enum wr_status wr_browser_lifecycle_read(struct wr_view *reason, struct wr_buf *texts,
					 struct wr_view body, struct wr_error *error)
{
	struct wr_schema_value value;
	struct wr_schema_input input;
	enum wr_status status;

	*reason = WR_VIEW_NULL;
	wr_schema_begin(&input, body, texts, error);
	status = wr_schema_read_document(&input, NULL, &value, &lifecycle, NOT_AN_OBJECT);
	return status == WR_OK ? wr_schema_string(&input, reason, &value) : status;
}
