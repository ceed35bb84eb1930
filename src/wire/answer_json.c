/*
 * Every answer is an object with one member that counts. What a list has in it is read element by
 * element, each a document of its own, so that `texts` never holds more than one of them.
 */
#include "wire/answer_json.h"

#include "bytes/endian.h"
#include "check.h"
#include "codec/json/number.h"
#include "core/input_queue.h"
#include "wire/command_json.h"
#include "wire/schema.h"

#define FIELD(name, must_be, ...)                           \
	{                                                   \
		WR_SCHEMA_FIELD(name, must_be), __VA_ARGS__ \
	}
#define STRING(name) FIELD(name, "a string", .type = WR_SCHEMA_STRING)
#define U64(name) FIELD(name, "a whole number", .type = WR_SCHEMA_U64)
#define OBJECT(name) FIELD(name, "an object", .type = WR_SCHEMA_OBJECT)
#define READ(name, must_be, function) \
	FIELD(name, must_be, .type = WR_SCHEMA_READ, .of.read = (function))
#define WORD(name, list) FIELD(name, "a known word", .type = WR_SCHEMA_WORD, .of.words = (list))
#define OPTIONAL_STRING(name) \
	FIELD(name, "a string or null", .type = WR_SCHEMA_STRING, .rule = WR_SCHEMA_OPTIONAL)
#define OPTIONAL_U64(name) \
	FIELD(name, "a whole number or null", .type = WR_SCHEMA_U64, .rule = WR_SCHEMA_OPTIONAL)
#define OPTIONAL_BOOL(name) \
	FIELD(name, "true, false or null", .type = WR_SCHEMA_BOOL, .rule = WR_SCHEMA_OPTIONAL)

#define NOT_AN_OBJECT "the answer must be a JSON object"

static const struct wr_view statuses[] = {
	[WR_WORKER_RUNNING] = WR_VIEW_INIT("running"),
	[WR_WORKER_STOPPED] = WR_VIEW_INIT("stopped"),
	[WR_WORKER_CANCELLED] = WR_VIEW_INIT("cancelled"),
	{NULL, 0},
};

/* Reads a document whose only known member is `field`. */
static enum wr_status read_answer(void *out, struct wr_buf *texts, struct wr_view body,
				  const struct wr_schema_field *field)
{
	const struct wr_schema schema = {field, 1};
	struct wr_schema_value value;
	struct wr_schema_input input;
	struct wr_error error;

	wr_schema_begin(&input, body, texts, &error);
	return wr_schema_read_document(&input, out, &value, &schema, NOT_AN_OBJECT);
}

/* The text of a value, as long as all is well. */
static void take_text(enum wr_status *status, struct wr_schema_input *input, struct wr_view *text,
		      const struct wr_schema_value *value)
{
	if (*status == WR_OK)
		*status = wr_schema_string(input, text, value);
}

/* ---- the Runtime ---- */

static const struct wr_view runtime_statuses[] = {
	WR_VIEW_INIT("running"), WR_VIEW_INIT("stopped"), {NULL, 0}};
enum { RUNTIME_RUNNING, RUNTIME_STOPPED };

enum { ITEMS_MAX, LIMITS_FIELDS };
static const struct wr_schema_field limits_fields[LIMITS_FIELDS] = {
	[ITEMS_MAX] = U64("max_transcript_projection_items"),
};
static const struct wr_schema limits = WR_SCHEMA_INIT(limits_fields);

static enum wr_status read_limits(struct wr_schema_input *input, void *context,
				  const struct wr_schema_field *field)
{
	struct wr_answer_runtime *out = context;
	struct wr_schema_value values[LIMITS_FIELDS];
	enum wr_status status = wr_schema_read(input, NULL, values, &limits, field->wrong);

	if (status == WR_OK)
		out->transcript_items_max = values[ITEMS_MAX].number;
	return status;
}

enum {
	RUNTIME_ID,
	DISPLAY_NAME,
	RUNTIME_STATUS,
	WORKER_COUNT,
	LIMITS,
	DRAINING,
	LOG_ID,
	RUNTIME_CURSOR,
	RUNTIME_FIELDS
};
static const struct wr_schema_field runtime_fields[RUNTIME_FIELDS] = {
	[RUNTIME_ID] = STRING("runtime_id"),
	[DISPLAY_NAME] = OPTIONAL_STRING("display_name"),
	[RUNTIME_STATUS] = WORD("status", runtime_statuses),
	[WORKER_COUNT] = U64("worker_count"),
	[LIMITS] = READ("limits", "an object", read_limits),
	[DRAINING] = OPTIONAL_BOOL("draining"),
	[LOG_ID] = OPTIONAL_STRING("log_id"),
	[RUNTIME_CURSOR] = OPTIONAL_STRING("cursor"),
};
static const struct wr_schema runtime_schema = WR_SCHEMA_INIT(runtime_fields);

static enum wr_status read_runtime(struct wr_schema_input *input, void *context,
				   const struct wr_schema_field *field)
{
	struct wr_answer_runtime *out = context;
	struct wr_schema_value values[RUNTIME_FIELDS];
	enum wr_status status = wr_schema_read(input, out, values, &runtime_schema, field->wrong);

	if (status != WR_OK)
		return status;
	out->is_stopped = values[RUNTIME_STATUS].number == RUNTIME_STOPPED;
	out->is_draining = values[DRAINING].number != 0;
	out->worker_count = values[WORKER_COUNT].number;
	take_text(&status, input, &out->runtime_id, &values[RUNTIME_ID]);
	take_text(&status, input, &out->display_name, &values[DISPLAY_NAME]);
	take_text(&status, input, &out->log_id, &values[LOG_ID]);
	take_text(&status, input, &out->cursor, &values[RUNTIME_CURSOR]);
	return status;
}

static const struct wr_schema_field runtime_answer = READ("runtime", "an object", read_runtime);

enum wr_status wr_answer_runtime_read(struct wr_answer_runtime *out, struct wr_buf *texts,
				      struct wr_view body)
{
	*out = (struct wr_answer_runtime){.is_stopped = false};
	return read_answer(out, texts, body, &runtime_answer);
}

/* ---- Workers ---- */

static const struct wr_schema_field reference_fields[] = {STRING("worker_id")};
static const struct wr_schema reference = WR_SCHEMA_INIT(reference_fields);

/* Which of the two ids is taken depends on the client (contract 8.9): they must agree. */
static enum wr_status read_reference(struct wr_schema_input *input, void *context,
				     const struct wr_schema_field *field)
{
	const struct wr_answer_worker *out = context;
	struct wr_schema_value value;
	struct wr_view worker_id = WR_VIEW_NULL;
	enum wr_status status = wr_schema_read(input, NULL, &value, &reference, field->wrong);

	take_text(&status, input, &worker_id, &value);
	if (status == WR_OK && !wr_view_equal(worker_id, out->worker_id))
		return wr_schema_refuse(input, "`worker_ref` names another Worker");
	return status;
}

enum {
	WORKER_REF,
	WORKER_ID,
	WORKER_STATUS,
	PHASE,
	TRANSCRIPT_LEN,
	LAST_EVENT_ID,
	QUEUED_INPUTS,
	WORKER_CURSOR,
	WORKER_FIELDS
};
static const struct wr_schema_field worker_fields[WORKER_FIELDS] = {
	[WORKER_REF] = READ("worker_ref", "an object", read_reference),
	[WORKER_ID] = STRING("worker_id"),
	[WORKER_STATUS] = WORD("status", statuses),
	[PHASE] = OPTIONAL_STRING("phase"),
	[TRANSCRIPT_LEN] = U64("transcript_len"),
	[LAST_EVENT_ID] = U64("last_event_id"),
	[QUEUED_INPUTS] = OPTIONAL_U64("queued_inputs"),
	[WORKER_CURSOR] = OPTIONAL_STRING("cursor"),
};
static const struct wr_schema worker_schema = WR_SCHEMA_INIT(worker_fields);

/* What the Worker was asked to be stands in the very members of the request that made it. */
static enum wr_status read_request(struct wr_answer_worker *out, struct wr_buf *texts,
				   struct wr_view json, struct wr_error *error)
{
	static const struct wr_view intents[] = {
		[WR_INTENT_ASSISTANT] = WR_VIEW_INIT("assistant"),
		[WR_INTENT_TASK] = WR_VIEW_INIT("task"),
		[WR_INTENT_ROLE] = WR_VIEW_INIT("role"),
	};
	static const struct wr_view profiles[] = {
		[WR_PROFILE_RUNTIME_DEFAULT] = WR_VIEW_INIT("runtime_default"),
		[WR_PROFILE_BUILTIN] = WR_VIEW_INIT("builtin"),
		[WR_PROFILE_NAMED] = WR_VIEW_INIT("named"),
	};
	struct wr_create request;
	enum wr_status status = wr_create_json_read(&request, texts, json, error);

	if (status != WR_OK)
		return status;
	*out = (struct wr_answer_worker){
		.worker_id = request.worker_id,
		.intent_kind = intents[request.intent],
		.role = request.role,
		.purpose = request.purpose,
		.objective = request.objective,
		.profile_kind = profiles[request.profile],
		.profile_value = request.profile_value,
	};
	return WR_OK;
}

/* `json` is one value, checked already. */
static enum wr_status read_worker(struct wr_answer_worker *out, struct wr_buf *texts,
				  struct wr_view json)
{
	struct wr_error error;
	struct wr_schema_value values[WORKER_FIELDS];
	struct wr_schema_input input, whole = {.json = json, .texts = texts, .error = &error};
	enum wr_status status = read_request(out, texts, json, &error);

	if (status == WR_OK)
		status = wr_schema_begin_part(&input, &whole, json);
	if (status == WR_OK)
		status = wr_schema_read(&input, out, values, &worker_schema, NOT_AN_OBJECT);
	if (status != WR_OK)
		return status;
	if (out->worker_id.bytes == 0)
		return WR_INVALID;
	out->status = (enum wr_worker_status)values[WORKER_STATUS].number;
	out->transcript_len = values[TRANSCRIPT_LEN].number;
	out->last_event_id = values[LAST_EVENT_ID].number;
	out->has_queue = values[QUEUED_INPUTS].raw.data != NULL;
	out->queued_inputs = values[QUEUED_INPUTS].number;
	take_text(&status, &input, &out->phase, &values[PHASE]);
	take_text(&status, &input, &out->cursor, &values[WORKER_CURSOR]);
	return status;
}

static enum wr_status keep_worker(struct wr_schema_input *input, void *context,
				  const struct wr_schema_field *field)
{
	struct wr_schema_value value;
	enum wr_status status = wr_schema_take(input, &value);

	(void)field;
	*(struct wr_view *)context = value.raw;
	return status;
}

static const struct wr_schema_field worker_answer = READ("worker", "an object", keep_worker);

enum wr_status wr_answer_worker_read(struct wr_answer_worker *out, struct wr_buf *texts,
				     struct wr_view body)
{
	struct wr_view json;
	enum wr_status status = read_answer(&json, texts, body, &worker_answer);

	*out = (struct wr_answer_worker){.status = WR_WORKER_RUNNING};
	return status == WR_OK ? read_worker(out, texts, json) : status;
}

/* ---- lists ---- */

struct list;
/* Reads one element, and gives it on. */
typedef enum wr_status list_element_fn(struct list *self, struct wr_view json);

struct list {
	struct wr_buf *texts;
	list_element_fn *read;
	union {
		wr_answer_worker_fn *worker;
		wr_answer_item_fn *item;
	} fn;
	void *context;
	struct wr_answer_page *page;
	bool is_enough; /* the caller wants no more */
};

/* No reading of a whole document says so: unwinds when it is enough. */
#define ENOUGH WR_MORE

static enum wr_status read_list(struct wr_schema_input *input, void *context,
				const struct wr_schema_field *field)
{
	struct list *self = context;
	struct wr_schema_value value;
	enum wr_status status = WR_OK;

	if (input->reader.token != WR_JSON_TOKEN_ARRAY_BEGIN)
		return wr_schema_refuse(input, field->wrong);
	while (status == WR_OK) {
		status = wr_schema_next(input);
		if (status != WR_OK || input->reader.token == WR_JSON_TOKEN_ARRAY_END)
			break;
		status = wr_schema_take(input, &value);
		if (status == WR_OK)
			status = self->read(self, value.raw);
		if (status == WR_OK && self->is_enough)
			status = ENOUGH;
	}
	return status;
}

static enum wr_status finish_list(const struct list *self, enum wr_status status)
{
	return self->is_enough ? WR_OK : status;
}

static enum wr_status read_listed_worker(struct list *self, struct wr_view json)
{
	struct wr_answer_worker worker;
	enum wr_status status = read_worker(&worker, self->texts, json);

	if (status == WR_OK)
		self->is_enough = !self->fn.worker(self->context, &worker);
	return status;
}

static const struct wr_schema_field workers_answer = READ("workers", "a list", read_list);

enum wr_status wr_answer_workers_read(struct wr_buf *texts, struct wr_view body,
				      wr_answer_worker_fn *fn, void *context)
{
	struct list list = {
		.texts = texts, .read = read_listed_worker, .fn.worker = fn, .context = context};

	return finish_list(&list, read_answer(&list, texts, body, &workers_answer));
}

/* ---- acknowledgements ---- */

/* More than a Runtime of ours can drop is none of ours. */
enum { DROPPED_COUNT_MAX = 1024 };

static enum wr_status pack_dropped(struct wr_schema_input *input, uint64_t *before)
{
	char packed[WR_PACKED_SEQUENCE_BYTES];
	struct wr_schema_value value;
	uint64_t sequence = 0;
	enum wr_status status = wr_schema_take(input, &value);

	if (status != WR_OK)
		return status;
	if (!wr_json_parse_u64(&sequence, value.raw) || sequence <= *before)
		return wr_schema_refuse_at(input, value.raw.data, "not an ascending list of ids");
	*before = sequence;
	wr_store_le64(packed, sequence);
	return wr_buf_append(input->texts, packed, sizeof packed);
}

/* Nothing else is in `texts` that would have to stay where it is. */
static enum wr_status read_dropped(struct wr_schema_input *input, void *context,
				   const struct wr_schema_field *field)
{
	struct wr_answer_ack *out = context;
	size_t start = input->texts->bytes;
	uint64_t before = 0;
	enum wr_status status = WR_OK;

	if (input->reader.token != WR_JSON_TOKEN_ARRAY_BEGIN)
		return wr_schema_refuse(input, field->wrong);
	for (unsigned count = 0; status == WR_OK; count++) {
		status = wr_schema_next(input);
		if (status != WR_OK || input->reader.token == WR_JSON_TOKEN_ARRAY_END)
			break;
		status = count == DROPPED_COUNT_MAX ? wr_schema_refuse(input, "too many ids")
						    : pack_dropped(input, &before);
	}
	if (status != WR_OK)
		return status;
	out->has_dropped = true;
	if (input->texts->bytes != start)
		out->dropped = wr_view_of(input->texts->data + start, input->texts->bytes - start);
	return WR_OK;
}

enum { ACK_WORKER_REF, ACK_STATUS, ACK_SEQUENCE, ACK_EVENT_ID, ACK_DROPPED, ACK_FIELDS };
static const struct wr_schema_field ack_fields[ACK_FIELDS] = {
	[ACK_WORKER_REF] = OBJECT("worker_ref"),
	[ACK_STATUS] = WORD("status", statuses),
	[ACK_SEQUENCE] = OPTIONAL_U64("transcript_sequence"),
	[ACK_EVENT_ID] = U64("event_id"),
	[ACK_DROPPED] =
		FIELD("dropped_inputs", "a list of whole numbers or null", .type = WR_SCHEMA_READ,
		      .rule = WR_SCHEMA_OPTIONAL, .of.read = read_dropped),
};
static const struct wr_schema ack_schema = WR_SCHEMA_INIT(ack_fields);

static enum wr_status read_ack(struct wr_schema_input *input, void *context,
			       const struct wr_schema_field *field)
{
	struct wr_answer_ack *out = context;
	struct wr_schema_value values[ACK_FIELDS];
	enum wr_status status = wr_schema_read(input, out, values, &ack_schema, field->wrong);

	if (status != WR_OK)
		return status;
	out->status = (enum wr_worker_status)values[ACK_STATUS].number;
	out->event_id = values[ACK_EVENT_ID].number;
	out->has_transcript_sequence = values[ACK_SEQUENCE].raw.data != NULL;
	out->transcript_sequence = values[ACK_SEQUENCE].number;
	return WR_OK;
}

static const struct wr_schema_field ack_answer = READ("ack", "an object", read_ack);

enum wr_status wr_answer_ack_read(struct wr_answer_ack *out, struct wr_buf *texts,
				  struct wr_view body)
{
	*out = (struct wr_answer_ack){.status = WR_WORKER_RUNNING};
	return read_answer(out, texts, body, &ack_answer);
}

/* ---- the transcript ---- */

static const struct wr_view roles[] = {
	WR_VIEW_INIT("user"), WR_VIEW_INIT("system"), WR_VIEW_INIT("assistant"), {NULL, 0}};

enum { ITEM_SEQUENCE, ITEM_WORKER_REF, ITEM_ROLE, ITEM_CONTENT, ITEM_EVENT_ID, ITEM_FIELDS };
static const struct wr_schema_field item_fields[ITEM_FIELDS] = {
	[ITEM_SEQUENCE] = U64("sequence"), [ITEM_WORKER_REF] = OBJECT("worker_ref"),
	[ITEM_ROLE] = WORD("role", roles), [ITEM_CONTENT] = STRING("content"),
	[ITEM_EVENT_ID] = U64("event_id"),
};
static const struct wr_schema item_schema = WR_SCHEMA_INIT(item_fields);

static enum wr_status read_item(struct list *self, struct wr_view json)
{
	struct wr_schema_value values[ITEM_FIELDS];
	struct wr_schema_input input;
	struct wr_answer_item item;
	struct wr_error error;
	enum wr_status status;

	wr_schema_begin(&input, json, self->texts, &error);
	status = wr_schema_read_document(&input, NULL, values, &item_schema, NOT_AN_OBJECT);
	if (status != WR_OK)
		return status;
	item = (struct wr_answer_item){
		.sequence = values[ITEM_SEQUENCE].number,
		.event_id = values[ITEM_EVENT_ID].number,
		.role = roles[values[ITEM_ROLE].number],
	};
	status = wr_schema_string(&input, &item.content, &values[ITEM_CONTENT]);
	if (status == WR_OK)
		self->is_enough = !self->fn.item(self->context, &item);
	return status;
}

enum {
	PAGE_WORKER_REF,
	PAGE_START,
	PAGE_LIMIT,
	PAGE_TOTAL,
	PAGE_ITEMS,
	PAGE_NEXT,
	PAGE_FIRST,
	PAGE_FIELDS
};
static const struct wr_schema_field page_fields[PAGE_FIELDS] = {
	[PAGE_WORKER_REF] = OBJECT("worker_ref"),
	[PAGE_START] = U64("start"),
	[PAGE_LIMIT] = U64("limit"),
	[PAGE_TOTAL] = U64("total_items"),
	[PAGE_ITEMS] = READ("items", "a list", read_list),
	[PAGE_NEXT] = OPTIONAL_U64("next_start"),
	[PAGE_FIRST] = OPTIONAL_U64("first_retained"),
};
static const struct wr_schema page_schema = WR_SCHEMA_INIT(page_fields);

static enum wr_status read_page(struct wr_schema_input *input, void *context,
				const struct wr_schema_field *field)
{
	struct list *self = context;
	struct wr_schema_value values[PAGE_FIELDS];
	enum wr_status status = wr_schema_read(input, self, values, &page_schema, field->wrong);

	if (status == WR_OK)
		*self->page = (struct wr_answer_page){
			.start = values[PAGE_START].number,
			.limit = values[PAGE_LIMIT].number,
			.total_items = values[PAGE_TOTAL].number,
			.next_start = values[PAGE_NEXT].number,
			.first_retained = values[PAGE_FIRST].number,
			.has_next_start = values[PAGE_NEXT].raw.data != NULL,
			.has_first_retained = values[PAGE_FIRST].raw.data != NULL,
		};
	return status;
}

static const struct wr_schema_field transcript_answer = READ("transcript", "an object", read_page);

enum wr_status wr_answer_transcript_read(struct wr_answer_page *page, struct wr_buf *texts,
					 struct wr_view body, wr_answer_item_fn *fn, void *context)
{
	struct list list = {
		.texts = texts, .read = read_item, .fn.item = fn, .context = context, .page = page};

	*page = (struct wr_answer_page){.start = 0};
	return finish_list(&list, read_answer(&list, texts, body, &transcript_answer));
}

/* ---- errors ---- */

enum { ERROR_CODE, ERROR_MESSAGE, ERROR_FIELDS };
static const struct wr_schema_field error_fields[ERROR_FIELDS] = {
	[ERROR_CODE] = STRING("code"),
	[ERROR_MESSAGE] = STRING("message"),
};
static const struct wr_schema error_schema = WR_SCHEMA_INIT(error_fields);

static enum wr_status read_error(struct wr_schema_input *input, void *context,
				 const struct wr_schema_field *field)
{
	struct wr_answer_error *out = context;
	struct wr_schema_value values[ERROR_FIELDS];
	enum wr_status status = wr_schema_read(input, NULL, values, &error_schema, field->wrong);

	take_text(&status, input, &out->code, &values[ERROR_CODE]);
	take_text(&status, input, &out->message, &values[ERROR_MESSAGE]);
	return status;
}

static const struct wr_schema_field error_answer = READ("error", "an object", read_error);

enum wr_status wr_answer_error_read(struct wr_answer_error *out, struct wr_buf *texts,
				    struct wr_view body)
{
	*out = (struct wr_answer_error){.code = WR_VIEW_NULL};
	return read_answer(out, texts, body, &error_answer);
}
