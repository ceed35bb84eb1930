/*
 * One walk with the reader takes note of every known member, of whatever kind the frame may turn
 * out to be: `kind` need not come first. What is known of a member (it is there, more than once, of
 * its type, null) is one bit of a set, so that in the end the kind's rule is judged by comparing
 * sets; a member of another kind is an unknown one. Nothing is copied but texts with escapes.
 *
 * The functions that walk call each other down a table, which nests four deep, never down the
 * input.
 */
#include "wire/stream_json.h"

#include "check.h"
#include "codec/json/number.h"
#include "codec/json/reader.h"
#include "wire/protocol_table.h"

enum {
	/* A cursor is kept, and goes into the target of a request. */
	CURSOR_BYTES_MAX = 128,
	DROPPED_COUNT_MAX = 1024
};

/* ---- the members ---- */

enum member {
	KIND,
	ENVELOPE,
	DIAGNOSTIC,
	/* of an envelope */
	CURSOR,
	EVENT_ID,
	RUNTIME_ID,
	WORKER_ID,
	SEQUENCE,
	LOG_ID,
	PAYLOAD,
	/* of a payload: an event's */
	EVENT,
	DATA,
	/* a runtime_event's */
	NUMBER, /* `id` */
	WORKER_REF,
	CAUSE, /* `kind`, an object */
	CAUSE_KIND,
	CAUSE_TEXT, /* `message` */
	DROPPED,    /* `dropped_inputs` */
	/* a runtime_snapshot's */
	RUNTIME,
	WORKERS,
	IS_TRUNCATED, /* `workers_truncated` */
	/* of a diagnostic */
	CODE,
	MESSAGE,
	DETAIL,
	REASON,
	MEMBER_COUNT
};
_Static_assert(MEMBER_COUNT <= 32, "members are bits of a set");
#define SET(member) (UINT32_C(1) << (member))

/* Sets of tokens. */
#define TOKEN(name) (1u << WR_JSON_TOKEN_##name)
#define A_STRING TOKEN(STRING)
#define A_NUMBER TOKEN(NUMBER)
#define AN_OBJECT TOKEN(OBJECT_BEGIN)
#define A_LIST TOKEN(ARRAY_BEGIN)
#define A_BOOL (TOKEN(TRUE) | TOKEN(FALSE))

struct object;
struct entry {
	struct wr_view name;
	const struct object *inside; /* NULL: not looked into */
	uint16_t types;
	uint8_t member;
};

/* In the order in which members are usually written: each is looked for behind the one before. */
struct object {
	const struct entry *entries;
	unsigned count;
};
#define OBJECT(entries)                    \
	{                                  \
		entries, WR_COUNT(entries) \
	}
#define ENTRY(name, types, member, inside)                \
	{                                                 \
		WR_VIEW_INIT(name), inside, types, member \
	}

static const struct entry cause_entries[] = {ENTRY("kind", A_STRING, CAUSE_KIND, NULL)};
static const struct object cause = OBJECT(cause_entries);
static const struct entry payload_entries[] = {
	ENTRY("event", A_STRING, EVENT, NULL),
	ENTRY("data", AN_OBJECT, DATA, NULL),
	ENTRY("id", A_NUMBER, NUMBER, NULL),
	ENTRY("worker_ref", AN_OBJECT, WORKER_REF, NULL),
	ENTRY("kind", AN_OBJECT, CAUSE, &cause),
	ENTRY("message", A_STRING, CAUSE_TEXT, NULL),
	ENTRY("dropped_inputs", A_LIST, DROPPED, NULL),
	ENTRY("runtime", AN_OBJECT, RUNTIME, NULL),
	ENTRY("workers", A_LIST, WORKERS, NULL),
	ENTRY("workers_truncated", A_BOOL, IS_TRUNCATED, NULL),
};
static const struct object payload = OBJECT(payload_entries);
static const struct entry envelope_entries[] = {
	ENTRY("cursor", A_STRING, CURSOR, NULL),
	ENTRY("event_id", A_STRING, EVENT_ID, NULL),
	ENTRY("runtime_id", A_STRING, RUNTIME_ID, NULL),
	ENTRY("worker_id", A_STRING, WORKER_ID, NULL),
	ENTRY("sequence", A_NUMBER, SEQUENCE, NULL),
	ENTRY("log_id", A_STRING, LOG_ID, NULL),
	ENTRY("payload", AN_OBJECT, PAYLOAD, &payload),
};
static const struct object envelope = OBJECT(envelope_entries);
static const struct entry detail_entries[] = {ENTRY("reason", A_STRING, REASON, NULL)};
static const struct object detail = OBJECT(detail_entries);
static const struct entry diagnostic_entries[] = {
	ENTRY("code", A_STRING, CODE, NULL),
	ENTRY("message", A_STRING, MESSAGE, NULL),
	ENTRY("detail", AN_OBJECT, DETAIL, &detail),
};
static const struct object diagnostic = OBJECT(diagnostic_entries);
static const struct entry frame_entries[] = {
	ENTRY("kind", A_STRING, KIND, NULL),
	ENTRY("envelope", AN_OBJECT, ENVELOPE, &envelope),
	ENTRY("diagnostic", AN_OBJECT, DIAGNOSTIC, &diagnostic),
};
static const struct object frame = OBJECT(frame_entries);

/* ---- the walk ---- */

struct walk {
	struct wr_json_reader reader;
	uint32_t seen, repeated, typed, null, escaped; /* sets of members */
	struct wr_view
		values[MEMBER_COUNT]; /* of those that are typed: inside the quotes, or all */
};

static unsigned find(const struct wr_json_reader *reader, const struct object *object,
		     unsigned from)
{
	for (unsigned i = 0, at = from; i < object->count; i++, at++) {
		if (at == object->count)
			at = 0;
		if (WR_LIKELY(!reader->has_escapes)
			    ? wr_view_equal(object->entries[at].name, reader->text)
			    : wr_json_reader_is(reader, object->entries[at].name))
			return at;
	}
	return object->count;
}

static enum wr_status walk_object(struct walk *self, const struct object *object);

/* Goes to the end of the array or object whose first token is the current one. */
static enum wr_status take_nest(struct walk *self, const struct entry *entry)
{
	struct wr_json_reader *reader = &self->reader;
	struct wr_view *value = &self->values[entry->member];
	enum wr_status status = entry->inside != NULL && reader->token == WR_JSON_TOKEN_OBJECT_BEGIN
					? walk_object(self, entry->inside)
					: wr_json_reader_skip(reader);

	if (status == WR_OK)
		value->bytes = (size_t)(reader->text.data + 1 - value->data);
	return status;
}

/* Behind the name of a known member. */
static enum wr_status take(struct walk *self, const struct entry *entry)
{
	struct wr_json_reader *reader = &self->reader;
	uint32_t member = SET(entry->member);
	enum wr_status status = wr_json_reader_next(reader);

	if (WR_UNLIKELY(status != WR_OK))
		return status;
	if (WR_UNLIKELY((self->seen & member) != 0)) {
		self->repeated |= member;
		return wr_json_reader_skip(reader);
	}
	self->seen |= member;
	if (WR_LIKELY((entry->types & 1u << reader->token) != 0))
		self->typed |= member;
	if (reader->token == WR_JSON_TOKEN_NULL)
		self->null |= member;
	if (reader->token == WR_JSON_TOKEN_STRING && reader->has_escapes)
		self->escaped |= member;
	self->values[entry->member] = reader->text;
	return reader->token == WR_JSON_TOKEN_OBJECT_BEGIN ||
			       reader->token == WR_JSON_TOKEN_ARRAY_BEGIN
		       ? take_nest(self, entry)
		       : WR_OK;
}

/* From the first token of an object to its last. */
static enum wr_status walk_object(struct walk *self, const struct object *object)
{
	struct wr_json_reader *reader = &self->reader;
	unsigned at = 0;

	for (;;) {
		enum wr_status status = wr_json_reader_next(reader);

		if (status != WR_OK || reader->token == WR_JSON_TOKEN_OBJECT_END)
			return status;
		at = find(reader, object, at);
		status = at == object->count ? wr_json_reader_skip(reader)
					     : take(self, &object->entries[at++]);
		if (status != WR_OK)
			return status;
	}
}

static enum wr_status walk_document(struct walk *self, struct wr_view json)
{
	enum wr_status status;

	wr_json_reader_init(&self->reader, json, true);
	self->seen = self->repeated = self->typed = self->null = self->escaped = 0;
	status = wr_json_reader_next(&self->reader);
	if (status != WR_OK)
		return status;
	if (self->reader.token != WR_JSON_TOKEN_OBJECT_BEGIN)
		return WR_INVALID;
	status = walk_object(self, &frame);
	/* Only white space may follow. */
	return status == WR_OK ? wr_json_reader_next(&self->reader) : status;
}

/* Decodes the texts that need it. Room for all is made first, so that none moves. */
static enum wr_status decode(struct walk *self, struct wr_buf *texts)
{
	uint32_t members = self->escaped & self->typed;
	size_t bytes = 0;

	for (unsigned i = 0; i < MEMBER_COUNT; i++)
		if ((members & SET(i)) != 0)
			bytes += self->values[i].bytes;
	if (wr_buf_reserve(texts, bytes) == NULL)
		return wr_buf_status(texts);
	for (unsigned i = 0; i < MEMBER_COUNT; i++) {
		char *to = texts->data + texts->bytes;

		if ((members & SET(i)) == 0)
			continue;
		wr_json_decode_string(texts, self->values[i]);
		self->values[i] = wr_view_of(to, (size_t)(texts->data + texts->bytes - to));
	}
	return wr_buf_status(texts);
}

/* ---- judging ---- */

struct rule {
	struct wr_view kind;
	uint32_t required, optional; /* null is absent in optional ones */
};

#define ENVELOPE_MEMBERS (SET(ENVELOPE) | SET(CURSOR) | SET(EVENT_ID) | SET(PAYLOAD))
#define ADDED_MEMBERS (SET(SEQUENCE) | SET(LOG_ID))

static const struct rule rules[] = {
	/* `data` depends on the event. */
	[WR_STREAM_EVENT] = {WR_VIEW_INIT("event"), ENVELOPE_MEMBERS | SET(WORKER_ID) | SET(EVENT),
			     ADDED_MEMBERS},
	[WR_STREAM_RUNTIME_EVENT] = {WR_VIEW_INIT("runtime_event"),
				     ENVELOPE_MEMBERS | SET(RUNTIME_ID) | SET(NUMBER) | SET(CAUSE) |
					     SET(CAUSE_KIND) | SET(CAUSE_TEXT),
				     ADDED_MEMBERS | SET(WORKER_ID) | SET(WORKER_REF) |
					     SET(DROPPED)},
	[WR_STREAM_RUNTIME_SNAPSHOT] = {WR_VIEW_INIT("runtime_snapshot"),
					ENVELOPE_MEMBERS | SET(RUNTIME_ID) | SET(RUNTIME) |
						SET(WORKERS),
					ADDED_MEMBERS | SET(IS_TRUNCATED)},
	[WR_STREAM_DIAGNOSTIC] = {WR_VIEW_INIT("diagnostic"),
				  SET(DIAGNOSTIC) | SET(CODE) | SET(MESSAGE),
				  SET(DETAIL) | SET(REASON)},
};

/* A member of its type; else absent. */
static struct wr_view value_of(const struct walk *self, enum member member)
{
	return (self->typed & SET(member)) != 0 ? self->values[member] : WR_VIEW_NULL;
}

static enum wr_status judge_kind(struct wr_stream_frame *out, const struct walk *self)
{
	struct wr_view kind = value_of(self, KIND);
	const struct rule *rule = rules;
	uint32_t strange = self->seen & ~self->typed & ~self->null;

	while (rule < rules + WR_COUNT(rules) && !wr_view_equal(rule->kind, kind))
		rule++;
	if (rule == rules + WR_COUNT(rules))
		return WR_INVALID;
	if ((self->typed & rule->required) != rule->required || (strange & rule->optional) != 0 ||
	    (self->repeated & (rule->required | rule->optional | SET(KIND))) != 0)
		return WR_INVALID;
	out->kind = (enum wr_stream_frame_kind)(rule - rules);
	return WR_OK;
}

/* Whether a cursor that is not ours may stand in a request as it is (RFC 3986 2.3). */
static bool is_usable(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++) {
		char c = text.data[i], lower = wr_ascii_lower(c);

		if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && c != '-' &&
		    c != '_' && c != '.' && c != '~')
			return false;
	}
	return text.bytes != 0 && text.bytes <= CURSOR_BYTES_MAX;
}

/* Whether the log id is that of the cursor: its tag is the first bytes, in lower-case hex. */
static bool has_tag(struct wr_view log_id, const struct wr_cursor *cursor)
{
	static const char digits[] = "0123456789abcdef";

	if (log_id.bytes != (size_t)2 * WR_LOG_ID_BYTES)
		return false;
	for (unsigned i = 0; i < WR_LOG_TAG_BYTES; i++)
		if (log_id.data[2 * i] != digits[cursor->log_tag[i] >> 4] ||
		    log_id.data[2 * i + 1] != digits[cursor->log_tag[i] & 15])
			return false;
	return true;
}

static enum wr_status judge_cursor(struct wr_stream_frame *out, const struct walk *self)
{
	struct wr_view number = value_of(self, SEQUENCE);

	out->cursor_text = value_of(self, CURSOR);
	out->log_id = value_of(self, LOG_ID);
	out->has_cursor = wr_cursor_parse(&out->cursor, out->cursor_text) == WR_OK;
	if (!out->has_cursor && !is_usable(out->cursor_text))
		return WR_INVALID;
	if (number.data != NULL && !wr_json_parse_u64(&out->sequence, number))
		return WR_INVALID;
	if (!out->has_cursor)
		return WR_OK;
	if (number.data != NULL && out->sequence != out->cursor.sequence)
		return WR_INVALID;
	out->sequence = out->cursor.sequence;
	return out->log_id.data == NULL || out->cursor.is_legacy ||
			       has_tag(out->log_id, &out->cursor)
		       ? WR_OK
		       : WR_INVALID;
}

/* Contract 3.3: the cursor itself, or that of a snapshot made for this reader. */
static enum wr_status judge_event_id(struct wr_stream_frame *out, const struct walk *self)
{
	static const struct wr_view prefix = WR_VIEW_INIT("snapshot:");
	struct wr_view id = value_of(self, EVENT_ID);
	bool may_be_snapshot = out->kind == WR_STREAM_RUNTIME_SNAPSHOT ||
			       wr_view_equal(out->event, WR_VIEW("snapshot"));

	out->is_snapshot = may_be_snapshot && wr_view_starts(id, prefix);
	if (out->is_snapshot)
		id = wr_view_skip(id, prefix.bytes);
	return wr_view_equal(id, out->cursor_text) &&
			       (out->is_snapshot || out->kind != WR_STREAM_RUNTIME_SNAPSHOT)
		       ? WR_OK
		       : WR_INVALID;
}

static enum wr_status judge_envelope(struct wr_stream_frame *out, const struct walk *self)
{
	enum wr_status status = judge_cursor(out, self);

	out->payload = value_of(self, PAYLOAD);
	if (status == WR_OK)
		status = judge_event_id(out, self);
	/* What is about the Runtime has a cursor of its stream (contract 3.9). */
	if (status == WR_OK && out->kind != WR_STREAM_EVENT && out->has_cursor &&
	    !out->cursor.is_runtime)
		status = WR_INVALID;
	return status;
}

/* Contract 4: `data` where the event has some, and nowhere else. */
static enum wr_status judge_event(const struct wr_stream_frame *out, const struct walk *self)
{
	const struct wr_protocol_event *event = wr_protocol_event_find(out->event);

	if (out->worker_id.bytes == 0 || (self->repeated & SET(DATA)) != 0)
		return WR_INVALID;
	if (event == NULL)
		return WR_UNSUPPORTED;
	if (event->data.count != 0)
		return (self->typed & SET(DATA)) != 0 ? WR_OK : WR_INVALID;
	return (self->seen & ~self->null & SET(DATA)) == 0 ? WR_OK : WR_INVALID;
}

/* Whether it is a list of numbers, and of no more than a Runtime of ours can drop. */
static bool is_id_list(struct wr_view json)
{
	struct wr_json_reader reader;
	uint64_t id;

	wr_json_reader_init(&reader, json, true);
	if (wr_json_reader_next(&reader) != WR_OK)
		return false;
	for (unsigned count = 0; count <= DROPPED_COUNT_MAX; count++) {
		if (wr_json_reader_next(&reader) != WR_OK)
			return false;
		if (reader.token == WR_JSON_TOKEN_ARRAY_END)
			return true;
		if (reader.token != WR_JSON_TOKEN_NUMBER || !wr_json_parse_u64(&id, reader.text))
			return false;
	}
	return false;
}

static enum wr_status judge_runtime_event(struct wr_stream_frame *out, const struct walk *self)
{
	uint64_t id;

	out->worker_id = value_of(self, WORKER_ID);
	out->runtime_event = value_of(self, CAUSE_KIND);
	out->dropped_inputs = value_of(self, DROPPED);
	if (out->dropped_inputs.data != NULL && !is_id_list(out->dropped_inputs))
		return WR_INVALID;
	if (out->worker_id.data != NULL && out->worker_id.bytes == 0)
		return WR_INVALID;
	return wr_json_parse_u64(&id, value_of(self, NUMBER)) ? WR_OK : WR_INVALID;
}

static enum wr_status judge(struct wr_stream_frame *out, const struct walk *self)
{
	enum wr_status status = judge_kind(out, self);

	if (status != WR_OK)
		return status;
	switch (out->kind) {
	case WR_STREAM_EVENT:
		out->worker_id = value_of(self, WORKER_ID);
		out->event = value_of(self, EVENT);
		status = judge_envelope(out, self);
		return status == WR_OK ? judge_event(out, self) : status;
	case WR_STREAM_RUNTIME_EVENT:
		status = judge_envelope(out, self);
		return status == WR_OK ? judge_runtime_event(out, self) : status;
	case WR_STREAM_RUNTIME_SNAPSHOT:
		return judge_envelope(out, self);
	case WR_STREAM_DIAGNOSTIC:
		out->code = value_of(self, CODE);
		out->message = value_of(self, MESSAGE);
		out->reason = value_of(self, REASON);
		return WR_OK;
	}
	wr_unreachable();
}

enum wr_status wr_stream_frame_read(struct wr_stream_frame *out, struct wr_buf *texts,
				    struct wr_view json)
{
	struct walk walk;
	enum wr_status status;

	*out = (struct wr_stream_frame){.kind = WR_STREAM_EVENT};
	wr_buf_reset(texts);
	status = walk_document(&walk, json);
	if (status == WR_OK && WR_UNLIKELY((walk.escaped & walk.typed) != 0))
		status = decode(&walk, texts);
	return status == WR_OK ? judge(out, &walk) : status;
}
