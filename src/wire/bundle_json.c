#include "wire/bundle_json.h"

#include "check.h"
#include "wire/request_read.h"

#define NOT_AN_OBJECT "the body must be a JSON object"

#define FIELD(name, must_be, ...)                           \
	{                                                   \
		WR_SCHEMA_FIELD(name, must_be), __VA_ARGS__ \
	}
#define STRING(name) FIELD(name, "a string", .type = WR_SCHEMA_STRING)
#define OPTIONAL_STRING(name) \
	FIELD(name, "a string or null", .type = WR_SCHEMA_STRING, .rule = WR_SCHEMA_OPTIONAL)
#define U64(name) FIELD(name, "a whole number", .type = WR_SCHEMA_U64)
#define READ(name, must_be, function) \
	FIELD(name, must_be, .type = WR_SCHEMA_READ, .of.read = (function))
#define LIST(name, function)                                                                  \
	FIELD(name, "a list of objects", .type = WR_SCHEMA_READ, .rule = WR_SCHEMA_DEFAULTED, \
	      .of.read = (function))

/* The text of a value, as long as all is well. */
static void take_text(enum wr_status *status, struct wr_schema_input *input, struct wr_view *text,
		      const struct wr_schema_value *value)
{
	if (*status == WR_OK)
		*status = wr_schema_string(input, text, value);
}

/* ---- provenance and metadata, which a summary has as well ---- */

enum { SOURCE, DETAIL, PROVENANCE_FIELDS };
static const struct wr_schema_field provenance_fields[PROVENANCE_FIELDS] = {
	[SOURCE] = STRING("source"),
	[DETAIL] = OPTIONAL_STRING("detail"),
};
static const struct wr_schema provenance = WR_SCHEMA_INIT(provenance_fields);

static enum wr_status read_provenance(struct wr_schema_input *input, void *context,
				      const struct wr_schema_field *field)
{
	struct wr_bundle_summary *out = context;
	struct wr_schema_value values[PROVENANCE_FIELDS];
	enum wr_status status = wr_schema_read(input, NULL, values, &provenance, field->wrong);

	take_text(&status, input, &out->source, &values[SOURCE]);
	take_text(&status, input, &out->detail, &values[DETAIL]);
	return status;
}

static const struct wr_view algorithms[] = {WR_VIEW_INIT("sha256"), {NULL, 0}};

enum {
	ID,
	DIGEST,
	REVISION,
	WORKSPACE_ID,
	CREATED_AT,
	PROVENANCE,
	METADATA_FIELDS,
	ALGORITHM = METADATA_FIELDS,
	PROFILE_COUNT,
	DECLARATION_COUNT,
	SUMMARY_FIELDS
};
#define METADATA                                                                           \
	[ID] = STRING("id"), [DIGEST] = STRING("digest"), [REVISION] = STRING("revision"), \
	[WORKSPACE_ID] = STRING("workspace_id"), [CREATED_AT] = STRING("created_at"),      \
	[PROVENANCE] = READ("provenance", "an object", read_provenance)
static const struct wr_schema_field metadata_fields[METADATA_FIELDS] = {METADATA};
static const struct wr_schema_field summary_fields[SUMMARY_FIELDS] = {
	METADATA,
	[ALGORITHM] = FIELD("digest_algorithm", "\"sha256\"", .type = WR_SCHEMA_WORD,
			    .of.words = algorithms),
	[PROFILE_COUNT] = U64("profile_count"),
	[DECLARATION_COUNT] = U64("declaration_count"),
};
static const struct wr_schema metadata = WR_SCHEMA_INIT(metadata_fields);
static const struct wr_schema summary_schema = WR_SCHEMA_INIT(summary_fields);

/* With the counts when `schema` has them. */
static enum wr_status read_summary(struct wr_schema_input *input, struct wr_bundle_summary *out,
				   const struct wr_schema *schema, const char *wrong)
{
	struct wr_schema_value values[SUMMARY_FIELDS];
	enum wr_status status = wr_schema_read(input, out, values, schema, wrong);

	take_text(&status, input, &out->id, &values[ID]);
	take_text(&status, input, &out->digest, &values[DIGEST]);
	take_text(&status, input, &out->revision, &values[REVISION]);
	take_text(&status, input, &out->workspace_id, &values[WORKSPACE_ID]);
	take_text(&status, input, &out->created_at, &values[CREATED_AT]);
	if (status == WR_OK && schema->count == SUMMARY_FIELDS) {
		out->profile_count = values[PROFILE_COUNT].number;
		out->declaration_count = values[DECLARATION_COUNT].number;
	}
	return status;
}

static enum wr_status read_metadata(struct wr_schema_input *input, void *context,
				    const struct wr_schema_field *field)
{
	struct wr_config_bundle *out = context;
	struct wr_bundle_summary summary = {.profile_count = 0};
	enum wr_status status = read_summary(input, &summary, &metadata, field->wrong);

	out->id = summary.id;
	out->digest = summary.digest;
	out->revision = summary.revision;
	out->workspace_id = summary.workspace_id;
	out->created_at = summary.created_at;
	out->source = summary.source;
	out->detail = summary.detail;
	return status;
}

/* ---- rows ---- */

typedef enum wr_status read_row_fn(struct wr_schema_input *input);

/* Each element is packed into the texts by `read_row`, one behind the other. A row takes 9 bytes
 * and its texts, its JSON more than that. */
static enum wr_status read_rows(struct wr_schema_input *input, struct wr_rows *out,
				read_row_fn *read_row, const char *wrong)
{
	struct wr_buf *texts = input->texts;
	size_t start;
	enum wr_status status;

	if (input->reader.token != WR_JSON_TOKEN_ARRAY_BEGIN)
		return wr_schema_refuse(input, wrong);
	status = wr_schema_reserve(input);
	start = texts->bytes;
	while (status == WR_OK) {
		status = wr_schema_next(input);
		if (status != WR_OK || input->reader.token == WR_JSON_TOKEN_ARRAY_END)
			break;
		status = read_row(input);
		out->count++;
	}
	if (status == WR_OK)
		out->packed = wr_view_of(texts->data + start, texts->bytes - start);
	return status;
}

static enum wr_status pack_row(struct wr_schema_input *input, unsigned kind,
			       const struct wr_schema_value *first,
			       const struct wr_schema_value *second)
{
	enum wr_status status = wr_buf_append_byte(input->texts, (char)kind);

	if (status == WR_OK)
		status = wr_schema_pack(input, first);
	return status == WR_OK ? wr_schema_pack(input, second) : status;
}

/* A selector is an object of its own, and may come behind the label: it is taken first, and read
 * when all of its row is there. */
enum { SELECTOR, LABEL, PROFILE_FIELDS };
static const struct wr_schema_field profile_fields[PROFILE_FIELDS] = {
	[SELECTOR] = FIELD("selector", "an object", .type = WR_SCHEMA_OBJECT),
	[LABEL] = OPTIONAL_STRING("label"),
};
static const struct wr_schema profile_schema = WR_SCHEMA_INIT(profile_fields);

static enum wr_status read_profile(struct wr_schema_input *input)
{
	struct wr_schema_value values[PROFILE_FIELDS], value = {.repeat = NULL};
	enum wr_profile_kind kind = WR_PROFILE_RUNTIME_DEFAULT;
	struct wr_schema_input part;
	enum wr_status status =
		wr_schema_read(input, NULL, values, &profile_schema, "a profile must be an object");

	if (status == WR_OK)
		status = wr_schema_begin_part(&part, input, values[SELECTOR].raw);
	if (status == WR_OK)
		status = wr_selector_read(&part, &kind, &value, "`selector` must be an object");
	return status == WR_OK ? pack_row(input, kind, &value, &values[LABEL]) : status;
}

static const struct wr_view kinds[] = {
#define WORD(name, word) WR_VIEW_INIT(word),
	WR_DECLARATION_LIST(WORD)
#undef WORD
		{NULL, 0}};

enum { KIND, NAME, REFERENCE, DECLARATION_FIELDS };
static const struct wr_schema_field declaration_fields[DECLARATION_FIELDS] = {
	[KIND] = FIELD("kind", "a known kind of declaration", .type = WR_SCHEMA_WORD,
		       .of.words = kinds),
	[NAME] = STRING("name"),
	[REFERENCE] = STRING("reference"),
};
static const struct wr_schema declaration_schema = WR_SCHEMA_INIT(declaration_fields);

static enum wr_status read_declaration(struct wr_schema_input *input)
{
	struct wr_schema_value values[DECLARATION_FIELDS];
	enum wr_status status = wr_schema_read(input, NULL, values, &declaration_schema,
					       "a declaration must be an object");

	return status == WR_OK ? pack_row(input, (unsigned)values[KIND].number, &values[NAME],
					  &values[REFERENCE])
			       : status;
}

static enum wr_status read_profiles(struct wr_schema_input *input, void *context,
				    const struct wr_schema_field *field)
{
	struct wr_config_bundle *out = context;

	return read_rows(input, &out->profiles, read_profile, field->wrong);
}

static enum wr_status read_declarations(struct wr_schema_input *input, void *context,
					const struct wr_schema_field *field)
{
	struct wr_config_bundle *out = context;

	return read_rows(input, &out->declarations, read_declaration, field->wrong);
}

/* ---- bundles ---- */

enum { BUNDLE_FIELDS = 3 };
static const struct wr_schema_field bundle_fields[BUNDLE_FIELDS] = {
	READ("metadata", "an object", read_metadata),
	LIST("profiles", read_profiles),
	LIST("declarations", read_declarations),
};
static const struct wr_schema bundle_schema = WR_SCHEMA_INIT(bundle_fields);

static enum wr_status read_bundle(struct wr_schema_input *input, void *context,
				  const struct wr_schema_field *field)
{
	struct wr_schema_value values[BUNDLE_FIELDS];

	return wr_schema_read(input, context, values, &bundle_schema, field->wrong);
}

static const struct wr_schema_field request_fields[] = {READ("bundle", "an object", read_bundle)};
static const struct wr_schema request_schema = WR_SCHEMA_INIT(request_fields);

enum wr_status wr_bundle_json_read(struct wr_config_bundle *out, struct wr_buf *texts,
				   struct wr_view body, struct wr_error *error)
{
	struct wr_schema_value value;
	struct wr_schema_input input;

	*out = (struct wr_config_bundle){.detail = WR_VIEW_NULL};
	wr_schema_begin(&input, body, texts, error);
	return wr_schema_read_document(&input, out, &value, &request_schema, NOT_AN_OBJECT);
}

/* ---- writing ---- */

static void write_optional(struct wr_json_writer *writer, struct wr_view name, struct wr_view text)
{
	if (text.data != NULL)
		wr_json_member_string(writer, name, text);
}

static void write_provenance(struct wr_json_writer *writer, struct wr_view source,
			     struct wr_view detail)
{
	wr_json_name(writer, WR_VIEW("provenance"));
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("source"), source);
	write_optional(writer, WR_VIEW("detail"), detail);
	wr_json_object_end(writer);
}

static void write_metadata(struct wr_json_writer *writer, const struct wr_config_bundle *bundle)
{
	wr_json_name(writer, WR_VIEW("metadata"));
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("id"), bundle->id);
	wr_json_member_string(writer, WR_VIEW("digest"), bundle->digest);
	wr_json_member_string(writer, WR_VIEW("revision"), bundle->revision);
	wr_json_member_string(writer, WR_VIEW("workspace_id"), bundle->workspace_id);
	wr_json_member_string(writer, WR_VIEW("created_at"), bundle->created_at);
	write_provenance(writer, bundle->source, bundle->detail);
	wr_json_object_end(writer);
}

static void write_profile(struct wr_json_writer *writer, const struct wr_row *row)
{
	static const struct wr_view words[] = {
		[WR_PROFILE_RUNTIME_DEFAULT] = WR_VIEW_INIT("runtime_default"),
		[WR_PROFILE_BUILTIN] = WR_VIEW_INIT("builtin"),
		[WR_PROFILE_NAMED] = WR_VIEW_INIT("named"),
	};

	wr_json_object_begin(writer);
	wr_json_name(writer, WR_VIEW("selector"));
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("kind"), words[row->kind]);
	if (row->kind != WR_PROFILE_RUNTIME_DEFAULT)
		wr_json_member_string(writer, WR_VIEW("value"), row->first);
	wr_json_object_end(writer);
	write_optional(writer, WR_VIEW("label"), row->second);
	wr_json_object_end(writer);
}

static void write_declaration(struct wr_json_writer *writer, const struct wr_row *row)
{
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("kind"),
			      wr_declaration_word((enum wr_declaration_kind)row->kind));
	wr_json_member_string(writer, WR_VIEW("name"), row->first);
	wr_json_member_string(writer, WR_VIEW("reference"), row->second);
	wr_json_object_end(writer);
}

static void write_rows(struct wr_json_writer *writer, struct wr_view name,
		       const struct wr_rows *rows,
		       void (*write_row)(struct wr_json_writer *writer, const struct wr_row *row))
{
	struct wr_view rest = rows->packed;
	struct wr_row row;

	if (rows->count == 0)
		return;
	wr_json_name(writer, name);
	wr_json_array_begin(writer);
	while (wr_rows_next(&rest, &row))
		write_row(writer, &row);
	wr_json_array_end(writer);
}

void wr_bundle_json_write(struct wr_buf *out, const struct wr_config_bundle *bundle)
{
	struct wr_json_writer writer;

	wr_json_writer_init(&writer, out);
	wr_json_object_begin(&writer);
	wr_json_name(&writer, WR_VIEW("bundle"));
	wr_json_object_begin(&writer);
	write_metadata(&writer, bundle);
	write_rows(&writer, WR_VIEW("profiles"), &bundle->profiles, write_profile);
	write_rows(&writer, WR_VIEW("declarations"), &bundle->declarations, write_declaration);
	wr_json_object_end(&writer);
	wr_json_object_end(&writer);
}

struct wr_bundle_summary wr_bundle_summary_of(const struct wr_config_bundle *bundle)
{
	return (struct wr_bundle_summary){
		.id = bundle->id,
		.digest = bundle->digest,
		.revision = bundle->revision,
		.workspace_id = bundle->workspace_id,
		.created_at = bundle->created_at,
		.source = bundle->source,
		.detail = bundle->detail,
		.profile_count = bundle->profiles.count,
		.declaration_count = bundle->declarations.count,
	};
}

void wr_bundle_summary_json(struct wr_json_writer *writer, const struct wr_bundle_summary *summary)
{
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("id"), summary->id);
	wr_json_member_string(writer, WR_VIEW("digest"), summary->digest);
	wr_json_member_string(writer, WR_VIEW("digest_algorithm"), WR_VIEW("sha256"));
	wr_json_member_string(writer, WR_VIEW("revision"), summary->revision);
	wr_json_member_string(writer, WR_VIEW("workspace_id"), summary->workspace_id);
	wr_json_member_string(writer, WR_VIEW("created_at"), summary->created_at);
	write_provenance(writer, summary->source, summary->detail);
	wr_json_member_u64(writer, WR_VIEW("profile_count"), summary->profile_count);
	wr_json_member_u64(writer, WR_VIEW("declaration_count"), summary->declaration_count);
	wr_json_object_end(writer);
}

void wr_bundle_availability_json(struct wr_json_writer *writer,
				 const struct wr_bundle_summary *summary)
{
	wr_json_object_begin(writer);
	wr_json_name(writer, WR_VIEW("reference"));
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("id"), summary->id);
	wr_json_member_string(writer, WR_VIEW("digest"), summary->digest);
	wr_json_object_end(writer);
	wr_json_name(writer, WR_VIEW("summary"));
	wr_bundle_summary_json(writer, summary);
	wr_json_object_end(writer);
}

/* ---- answers ---- */

struct availability {
	struct wr_view id, digest; /* of the reference */
	struct wr_bundle_summary *summary;
};

static enum wr_status read_reference(struct wr_schema_input *input, void *context,
				     const struct wr_schema_field *field)
{
	struct availability *self = context;

	return wr_bundle_reference_read(input, &self->id, &self->digest, true, field->wrong);
}

static enum wr_status read_listed(struct wr_schema_input *input, void *context,
				  const struct wr_schema_field *field)
{
	struct availability *self = context;

	return read_summary(input, self->summary, &summary_schema, field->wrong);
}

enum { AVAILABILITY_FIELDS = 2 };
static const struct wr_schema_field availability_fields[AVAILABILITY_FIELDS] = {
	READ("reference", "an object", read_reference),
	READ("summary", "an object", read_listed),
};
static const struct wr_schema availability_schema = WR_SCHEMA_INIT(availability_fields);

static enum wr_status read_availability(struct wr_schema_input *input, void *context,
					const struct wr_schema_field *field)
{
	struct wr_schema_value values[AVAILABILITY_FIELDS];

	return wr_schema_read(input, context, values, &availability_schema, field->wrong);
}

static const struct wr_schema_field answer_fields[] = {
	READ("availability", "an object", read_availability)};
static const struct wr_schema answer_schema = WR_SCHEMA_INIT(answer_fields);

static bool is_sound(const struct availability *self)
{
	const struct wr_bundle_summary *summary = self->summary;
	const struct wr_view texts[] = {summary->revision, summary->workspace_id,
					summary->created_at, summary->source, summary->detail};

	if (!wr_config_bundle_id_is_valid(summary->id) ||
	    !wr_config_digest_is_valid(summary->digest) || !wr_view_equal(self->id, summary->id) ||
	    !wr_view_equal(self->digest, summary->digest))
		return false;
	for (size_t i = 0; i < WR_COUNT(texts); i++)
		if (wr_config_text_fault(texts[i]) != NULL)
			return false;
	return true;
}

enum wr_status wr_bundle_availability_read(struct wr_bundle_summary *out, struct wr_buf *texts,
					   struct wr_view body)
{
	struct availability availability = {.summary = out};
	struct wr_schema_value value;
	struct wr_schema_input input;
	struct wr_error error;
	enum wr_status status;

	*out = (struct wr_bundle_summary){.profile_count = 0};
	wr_schema_begin(&input, body, texts, &error);
	status = wr_schema_read_document(&input, &availability, &value, &answer_schema,
					 NOT_AN_OBJECT);
	if (status != WR_OK)
		return status;
	return is_sound(&availability) ? WR_OK : WR_INVALID;
}
