#include "core/event_bytes.h"

#include "bytes/endian.h"
#include "check.h"

#define ABSENT 0xffffffffu

/* ---- writing: room for the whole event is taken once, then filled without further checks ---- */

enum { HEADER_BYTES = 24 };

static size_t text_bytes(struct wr_view text)
{
	return 4 + text.bytes;
}

static size_t pairs_bytes(const struct wr_pairs *pairs)
{
	return 8 + pairs->packed.bytes;
}

static size_t create_bytes(const struct wr_create *request)
{
	return 2 + text_bytes(request->objective) + text_bytes(request->role) +
	       text_bytes(request->purpose) + text_bytes(request->profile_value) +
	       text_bytes(request->config_bundle_id) + pairs_bytes(&request->capabilities) +
	       pairs_bytes(&request->workspace_refs) + pairs_bytes(&request->mount_refs);
}

static size_t member_bytes(const struct wr_event *event)
{
	const struct wr_output *output = &event->as.output;

	switch (event->kind) {
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
		return 0;
	case WR_EVENT_WORKER_CREATED:
		return text_bytes(event->as.created.worker_id) +
		       create_bytes(&event->as.created.request);
	case WR_EVENT_INPUT_ACCEPTED:
		return 1 + text_bytes(event->as.input.input.content) + 8;
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		return 1 + text_bytes(event->as.ended.reason);
	case WR_EVENT_PHASE_CHANGED:
		return 2 + text_bytes(event->as.phase.cause);
	case WR_EVENT_OUTPUT:
		return 4 + text_bytes(output->id) + text_bytes(output->name) +
		       text_bytes(output->text) + 8 * WR_COUNT(output->numbers);
	}
	wr_unreachable();
}

/* Each writes at `at` and returns the place behind. */

static char *put_u8(char *at, unsigned value)
{
	*at = (char)value;
	return at + 1;
}

static char *put_u32(char *at, uint32_t value)
{
	wr_store_le32(at, value);
	return at + 4;
}

static char *put_u64(char *at, uint64_t value)
{
	wr_store_le64(at, value);
	return at + 8;
}

static char *put_bytes(char *at, struct wr_view bytes)
{
	if (bytes.bytes != 0)
		memcpy(at, bytes.data, bytes.bytes);
	return at + bytes.bytes;
}

static char *put_text(char *at, struct wr_view text)
{
	wr_assert(text.bytes < ABSENT && (text.data != NULL || text.bytes == 0));
	at = put_u32(at, text.data == NULL ? ABSENT : (uint32_t)text.bytes);
	return put_bytes(at, text);
}

static char *put_pairs(char *at, const struct wr_pairs *pairs)
{
	at = put_u32(at, pairs->count);
	at = put_u32(at, (uint32_t)pairs->packed.bytes);
	return put_bytes(at, pairs->packed);
}

static char *put_create(char *at, const struct wr_create *request)
{
	at = put_u8(at, request->intent);
	at = put_u8(at, request->profile);
	at = put_text(at, request->objective);
	at = put_text(at, request->role);
	at = put_text(at, request->purpose);
	at = put_text(at, request->profile_value);
	at = put_text(at, request->config_bundle_id);
	at = put_pairs(at, &request->capabilities);
	at = put_pairs(at, &request->workspace_refs);
	return put_pairs(at, &request->mount_refs);
}

/* The largest code of an output: those of other kinds mean nothing, but are kept. */
static unsigned code_max(enum wr_output_kind kind)
{
	if (kind == WR_OUTPUT_RUN_END)
		return WR_RUN_ROLLED_BACK;
	if (kind == WR_OUTPUT_TURN_END)
		return WR_TURN_PAUSED;
	return kind == WR_OUTPUT_ERROR ? WR_ERROR_INTERNAL : UINT8_MAX;
}

static char *put_output(char *at, const struct wr_output *output)
{
	unsigned present = 0;

	wr_assert(output->code <= code_max(output->kind));
	for (unsigned i = 0; i < WR_COUNT(output->numbers); i++)
		present |= output->has_number[i] ? 1u << i : 0;
	at = put_u8(at, output->kind);
	at = put_u8(at, output->code);
	at = put_u8(at, output->flag);
	at = put_u8(at, present);
	at = put_text(at, output->id);
	at = put_text(at, output->name);
	at = put_text(at, output->text);
	for (unsigned i = 0; i < WR_COUNT(output->numbers); i++)
		at = put_u64(at, output->has_number[i] ? output->numbers[i] : 0);
	return at;
}

static char *put_members(char *at, const struct wr_event *event)
{
	switch (event->kind) {
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
		return at;
	case WR_EVENT_WORKER_CREATED:
		at = put_text(at, event->as.created.worker_id);
		return put_create(at, &event->as.created.request);
	case WR_EVENT_INPUT_ACCEPTED:
		at = put_u8(at, event->as.input.input.kind);
		at = put_text(at, event->as.input.input.content);
		return put_u64(at, event->as.input.transcript_sequence);
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		at = put_u8(at, event->as.ended.is_execution_live);
		return put_text(at, event->as.ended.reason);
	case WR_EVENT_PHASE_CHANGED:
		at = put_u8(at, event->as.phase.from);
		at = put_u8(at, event->as.phase.to);
		return put_text(at, event->as.phase.cause);
	case WR_EVENT_OUTPUT:
		return put_output(at, &event->as.output);
	}
	wr_unreachable();
}

enum wr_status wr_event_encode(struct wr_buf *out, const struct wr_event *event)
{
	size_t bytes = HEADER_BYTES + member_bytes(event);
	char *begin = wr_buf_reserve(out, bytes), *at;

	if (begin == NULL)
		return out->status;
	at = put_u8(begin, WR_EVENT_BYTES_VERSION);
	at = put_u8(at, event->kind);
	at = put_u8(at, 0);
	at = put_u8(at, 0);
	at = put_u32(at, event->worker);
	at = put_u64(at, event->sequence);
	at = put_u64(at, (uint64_t)event->wall_ms);
	at = put_members(at, event);
	wr_assert(at == begin + bytes);
	wr_buf_commit(out, bytes);
	return WR_OK;
}

/* ---- reading: a cursor over the bytes that goes bad once and stays bad ---- */

struct take {
	struct wr_view rest;
	bool is_bad;
};

static const char *take_bytes(struct take *from, size_t bytes)
{
	const char *data = from->rest.data;

	if (from->is_bad || bytes > from->rest.bytes) {
		from->is_bad = true;
		return NULL;
	}
	from->rest = wr_view_skip(from->rest, bytes);
	return data;
}

/* A u8 that is at most `max`; 0 when bad. */
static uint8_t take_u8(struct take *from, unsigned max)
{
	const char *data = take_bytes(from, 1);

	if (data == NULL)
		return 0;
	if ((uint8_t)*data > max) {
		from->is_bad = true;
		return 0;
	}
	return (uint8_t)*data;
}

static uint32_t take_u32(struct take *from)
{
	const char *data = take_bytes(from, 4);

	return data == NULL ? 0 : wr_load_le32(data);
}

static uint64_t take_u64(struct take *from)
{
	const char *data = take_bytes(from, 8);

	return data == NULL ? 0 : wr_load_le64(data);
}

static struct wr_view take_text(struct take *from)
{
	uint32_t bytes = take_u32(from);
	const char *data;

	if (from->is_bad || bytes == ABSENT)
		return WR_VIEW_NULL;
	data = take_bytes(from, bytes);
	return data == NULL ? WR_VIEW_NULL : wr_view_of(data, bytes);
}

static void take_pairs(struct take *from, struct wr_pairs *pairs)
{
	uint32_t count = take_u32(from), bytes = take_u32(from);
	const char *data = take_bytes(from, bytes);

	*pairs = (struct wr_pairs){.count = 0};
	if (data == NULL)
		return;
	*pairs = (struct wr_pairs){.packed = wr_view_of(data, bytes), .count = count};
	if (!wr_pairs_are_whole(pairs))
		from->is_bad = true;
}

static void take_create(struct take *from, struct wr_create *request)
{
	request->intent = (enum wr_intent_kind)take_u8(from, WR_INTENT_ROLE);
	request->profile = (enum wr_profile_kind)take_u8(from, WR_PROFILE_NAMED);
	request->objective = take_text(from);
	request->role = take_text(from);
	request->purpose = take_text(from);
	request->profile_value = take_text(from);
	request->config_bundle_id = take_text(from);
	take_pairs(from, &request->capabilities);
	take_pairs(from, &request->workspace_refs);
	take_pairs(from, &request->mount_refs);
}

static void take_output(struct take *from, struct wr_output *output)
{
	unsigned present;

	output->kind = (enum wr_output_kind)take_u8(from, WR_OUTPUT_OPAQUE);
	if (output->kind < WR_OUTPUT_TEXT_DELTA)
		from->is_bad = true;
	output->code = take_u8(from, code_max(output->kind));
	output->flag = take_u8(from, 1) != 0;
	present = take_u8(from, 7);
	output->id = take_text(from);
	output->name = take_text(from);
	output->text = take_text(from);
	for (unsigned i = 0; i < WR_COUNT(output->numbers); i++) {
		output->has_number[i] = (present >> i & 1u) != 0;
		output->numbers[i] = take_u64(from);
		if (!output->has_number[i] && output->numbers[i] != 0)
			from->is_bad = true;
	}
}

static void take_members(struct take *from, struct wr_event *event)
{
	switch (event->kind) {
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
		break;
	case WR_EVENT_WORKER_CREATED:
		event->as.created.worker_id = take_text(from);
		take_create(from, &event->as.created.request);
		break;
	case WR_EVENT_INPUT_ACCEPTED:
		event->as.input.input.kind = (enum wr_input_kind)take_u8(from, WR_INPUT_SYSTEM);
		event->as.input.input.content = take_text(from);
		event->as.input.transcript_sequence = take_u64(from);
		break;
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		event->as.ended.is_execution_live = take_u8(from, 1) != 0;
		event->as.ended.reason = take_text(from);
		break;
	case WR_EVENT_PHASE_CHANGED:
		event->as.phase.from = take_u8(from, WR_PHASE_COUNT - 1);
		event->as.phase.to = take_u8(from, WR_PHASE_COUNT - 1);
		event->as.phase.cause = take_text(from);
		break;
	case WR_EVENT_OUTPUT:
		take_output(from, &event->as.output);
		break;
	}
}

enum wr_status wr_event_decode(struct wr_event *event, struct wr_view bytes)
{
	struct take from = {.rest = bytes};
	unsigned version = take_u8(&from, UINT8_MAX), kind;

	memset(event, 0, sizeof *event);
	if (!from.is_bad && version > WR_EVENT_BYTES_VERSION)
		return WR_UNSUPPORTED;
	kind = take_u8(&from, WR_EVENT_OUTPUT);
	if (version != WR_EVENT_BYTES_VERSION || kind < WR_EVENT_RUNTIME_STARTED)
		return WR_CORRUPT;
	(void)take_u8(&from, 0); /* reserved: bad unless 0, which is seen at the end */
	(void)take_u8(&from, 0);
	event->kind = (enum wr_event_kind)kind;
	event->worker = take_u32(&from);
	event->sequence = take_u64(&from);
	event->wall_ms = (int64_t)take_u64(&from);
	take_members(&from, event);
	return from.is_bad || from.rest.bytes != 0 ? WR_CORRUPT : WR_OK;
}

/* ---- the encoding of a Runtime that was given none ---- */

static enum wr_status encode_frame(void *context, struct wr_buf *out, const struct wr_event *event,
				   const struct wr_identity *identity, enum wr_scope scope)
{
	size_t start = out->bytes;
	bool is_shown_to_worker = event->kind != WR_EVENT_RUNTIME_STARTED &&
				  event->kind != WR_EVENT_RUNTIME_STOPPED &&
				  event->kind != WR_EVENT_WORKER_CREATED;

	(void)context;
	(void)identity;
	if (scope == WR_SCOPE_WORKER && !is_shown_to_worker)
		return out->status;
	wr_buf_append(out, "\0\0\0\0", 4);
	wr_event_encode(out, event);
	if (out->status == WR_OK)
		wr_store_le32(out->data + start, (uint32_t)(out->bytes - start - 4));
	return out->status;
}

static void patch_frame(void *context, char *frame, size_t bytes,
			const char cursor[WR_CURSOR_BYTES])
{
	/* Event bytes carry no cursor. */
	(void)context;
	(void)frame;
	(void)bytes;
	(void)cursor;
}

const struct wr_encoding wr_event_bytes_encoding = {
	.encode = encode_frame, .patch = patch_frame, .is_cursorless = true};

bool wr_event_frame_next(struct wr_view *stream, struct wr_view *event_bytes)
{
	uint32_t bytes;

	if (stream->bytes < 4)
		return false;
	bytes = wr_load_le32(stream->data);
	if (bytes > stream->bytes - 4)
		return false;
	*event_bytes = wr_view_of(stream->data + 4, bytes);
	*stream = wr_view_skip(*stream, 4 + (size_t)bytes);
	return true;
}
