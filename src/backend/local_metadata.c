#include "backend/local_metadata.h"

#include "check.h"
#include "wire/schema.h"

/* ---- what is only checked ---- */

#define FIELD(name, must_be, a_type, a_rule)                                       \
	{                                                                          \
		WR_SCHEMA_FIELD(name, must_be), .type = (a_type), .rule = (a_rule) \
	}
#define TEXT(name) FIELD(name, "a string", WR_SCHEMA_STRING, WR_SCHEMA_REQUIRED)
#define SCOPES FIELD("scope_delegated", "a list or null", WR_SCHEMA_ANYS, WR_SCHEMA_OPTIONAL)

static const struct wr_schema_field child_fields[] = {
	TEXT("worker_name"),
	TEXT("socket_path"),
	SCOPES,
	FIELD("callback_address", "a string or null", WR_SCHEMA_STRING, WR_SCHEMA_OPTIONAL),
};
static const struct wr_schema child = WR_SCHEMA_INIT(child_fields);
static const struct wr_schema_field former_child_fields[] = {TEXT("worker_name"), SCOPES};
static const struct wr_schema former_child = WR_SCHEMA_INIT(former_child_fields);
static const struct wr_schema_field peer_fields[] = {TEXT("worker_name")};
static const struct wr_schema peer = WR_SCHEMA_INIT(peer_fields);

static enum wr_status check_list(struct wr_schema_input *input, const struct wr_schema *schema,
				 const char *wrong)
{
	struct wr_schema_value values[WR_SCHEMA_FIELDS_MAX];
	enum wr_status status;

	if (input->reader.token != WR_JSON_TOKEN_ARRAY_BEGIN)
		return wr_schema_refuse(input, wrong);
	do {
		status = wr_schema_next(input);
		if (status != WR_OK || input->reader.token == WR_JSON_TOKEN_ARRAY_END)
			break;
		status = wr_schema_read(input, NULL, values, schema, wrong);
	} while (status == WR_OK);
	return status;
}

static enum wr_status check_children(struct wr_schema_input *input, void *context,
				     const struct wr_schema_field *field)
{
	(void)context;
	return check_list(input, &child, field->wrong);
}

static enum wr_status check_former_children(struct wr_schema_input *input, void *context,
					    const struct wr_schema_field *field)
{
	(void)context;
	return check_list(input, &former_child, field->wrong);
}

static enum wr_status check_peers(struct wr_schema_input *input, void *context,
				  const struct wr_schema_field *field)
{
	(void)context;
	return check_list(input, &peer, field->wrong);
}

/* ---- active ---- */

enum { ACTIVE_SESSION, ACTIVE_SEGMENT, ACTIVE_FIELDS };
static const struct wr_schema_field active_fields[ACTIVE_FIELDS] = {
	[ACTIVE_SESSION] = FIELD("session_id", "a UUID", WR_SCHEMA_UUID, WR_SCHEMA_REQUIRED),
	[ACTIVE_SEGMENT] =
		FIELD("segment_id", "a UUID or null", WR_SCHEMA_UUID, WR_SCHEMA_OPTIONAL),
};
static const struct wr_schema active = WR_SCHEMA_INIT(active_fields);

static enum wr_status read_active(struct wr_schema_input *input, void *context,
				  const struct wr_schema_field *field)
{
	struct wr_local_metadata *out = context;
	struct wr_schema_value values[ACTIVE_FIELDS];
	enum wr_status status = wr_schema_read(input, NULL, values, &active, field->wrong);

	if (status != WR_OK)
		return status;
	out->is_active = true;
	out->has_segment = values[ACTIVE_SEGMENT].raw.data != NULL;
	return WR_OK;
}

/* ---- the snapshot: any JSON, of which two texts are wanted ---- */

/* The value of a member of an object, the last one of that name; absent when there is none, or no
 * object. */
static enum wr_status find_member(struct wr_schema_input *whole, struct wr_schema_value *found,
				  struct wr_view json, struct wr_view name)
{
	struct wr_schema_input part;
	struct wr_schema_value value = {.repeat = NULL};
	enum wr_status status;

	*found = value;
	if (json.data == NULL)
		return WR_OK;
	status = wr_schema_begin_part(&part, whole, json);
	if (status != WR_OK || part.reader.token != WR_JSON_TOKEN_OBJECT_BEGIN)
		return status;
	while ((status = wr_schema_next(&part)) == WR_OK &&
	       part.reader.token == WR_JSON_TOKEN_NAME) {
		bool is_wanted = wr_json_reader_is(&part.reader, name);

		status = wr_schema_next(&part);
		if (status == WR_OK)
			status = wr_schema_take(&part, &value);
		if (status != WR_OK)
			return status;
		if (is_wanted)
			*found = value;
	}
	return status;
}

static bool is_string(const struct wr_schema_value *value)
{
	return value->raw.data != NULL && *value->raw.data == '"';
}

/* A string, or the string `name` of an object. */
static enum wr_status read_text(struct wr_schema_input *whole, struct wr_view *text,
				struct wr_view snapshot, struct wr_view name)
{
	struct wr_schema_value value;
	enum wr_status status = find_member(whole, &value, snapshot, name);

	if (status == WR_OK && !is_string(&value))
		status = find_member(whole, &value, value.raw, WR_VIEW("name"));
	if (status == WR_OK && is_string(&value))
		status = wr_schema_string(whole, text, &value);
	return status;
}

static enum wr_status read_snapshot(struct wr_schema_input *whole, struct wr_local_metadata *out,
				    struct wr_view snapshot)
{
	struct wr_schema_value claim;
	enum wr_status status = read_text(whole, &out->role, snapshot, WR_VIEW("role"));

	if (status == WR_OK && out->role.data == NULL) {
		status = find_member(whole, &claim, snapshot, WR_VIEW("role_claim"));
		if (status == WR_OK)
			status = read_text(whole, &out->role, claim.raw, WR_VIEW("role"));
	}
	if (status == WR_OK)
		status = read_text(whole, &out->profile, snapshot, WR_VIEW("profile_selector"));
	if (status == WR_OK && out->profile.data == NULL)
		status = read_text(whole, &out->profile, snapshot, WR_VIEW("profile"));
	return status;
}

/* ---- the document ---- */

#define READ(name, must_be, function)                                                             \
	{                                                                                         \
		WR_SCHEMA_FIELD(name, must_be " or null"),                                        \
			.type = WR_SCHEMA_READ, .rule = WR_SCHEMA_OPTIONAL, .of.read = (function) \
	}

enum { NAME, ACTIVE, ROOT, CHILDREN, FORMER_CHILDREN, PEERS, SNAPSHOT, FIELDS };
static const struct wr_schema_field fields[FIELDS] = {
	[NAME] = TEXT("worker_name"),
	[ACTIVE] = READ("active", "an object", read_active),
	[ROOT] = FIELD("workspace_root", "a string or null", WR_SCHEMA_STRING, WR_SCHEMA_OPTIONAL),
	[CHILDREN] = READ("spawned_children", "a list of objects", check_children),
	[FORMER_CHILDREN] = READ("reclaimed_children", "a list of objects", check_former_children),
	[PEERS] = READ("peers", "a list of objects", check_peers),
	[SNAPSHOT] = FIELD("resolved_manifest_snapshot", "JSON", WR_SCHEMA_ANY, WR_SCHEMA_OPTIONAL),
};
static const struct wr_schema document = WR_SCHEMA_INIT(fields);

enum wr_status wr_local_metadata_read(struct wr_local_metadata *out, struct wr_buf *texts,
				      struct wr_view json)
{
	struct wr_error error = {.status = WR_OK};
	struct wr_schema_input input;
	struct wr_schema_value values[FIELDS];
	enum wr_status status;

	*out = (struct wr_local_metadata){.is_active = false};
	wr_schema_begin(&input, json, texts, &error);
	status = wr_schema_read_document(&input, out, values, &document, "must be an object");
	if (status == WR_OK)
		status = wr_schema_string(&input, &out->worker_name, &values[NAME]);
	if (status == WR_OK)
		status = wr_schema_string(&input, &out->workspace_root, &values[ROOT]);
	if (status == WR_OK)
		status = read_snapshot(&input, out, values[SNAPSHOT].raw);
	return status;
}
