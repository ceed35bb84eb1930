#include "core/event_bytes.h"

#include "bytes/endian.h"
#include "check.h"

#define ABSENT 0xffffffffu

/* ---- writing: failures are remembered by the buffer ---- */

static void put_u8(struct wr_buf *out, unsigned value)
{
	wr_buf_append_byte(out, (char)value);
}

static void put_u32(struct wr_buf *out, uint32_t value)
{
	char bytes[4];

	wr_store_le32(bytes, value);
	wr_buf_append(out, bytes, sizeof bytes);
}

static void put_u64(struct wr_buf *out, uint64_t value)
{
	char bytes[8];

	wr_store_le64(bytes, value);
	wr_buf_append(out, bytes, sizeof bytes);
}

static void put_text(struct wr_buf *out, struct wr_view text)
{
	put_u32(out, text.data == NULL ? ABSENT : (uint32_t)text.bytes);
	if (text.data != NULL)
		wr_buf_append_view(out, text);
}

static void put_pairs(struct wr_buf *out, const struct wr_pairs *pairs)
{
	put_u32(out, pairs->count);
	put_u32(out, (uint32_t)pairs->packed.bytes);
	wr_buf_append_view(out, pairs->packed);
}

static void put_create(struct wr_buf *out, const struct wr_create *request)
{
	put_u8(out, request->intent);
	put_u8(out, request->profile);
	put_text(out, request->objective);
	put_text(out, request->role);
	put_text(out, request->purpose);
	put_text(out, request->profile_value);
	put_text(out, request->config_bundle_id);
	put_pairs(out, &request->capabilities);
	put_pairs(out, &request->workspace_refs);
	put_pairs(out, &request->mount_refs);
}

static void put_output(struct wr_buf *out, const struct wr_output *output)
{
	unsigned present = 0;

	for (unsigned i = 0; i < WR_COUNT(output->numbers); i++)
		present |= output->has_number[i] ? 1u << i : 0;
	put_u8(out, output->kind);
	put_u8(out, output->code);
	put_u8(out, output->flag);
	put_u8(out, present);
	put_text(out, output->id);
	put_text(out, output->name);
	put_text(out, output->text);
	for (unsigned i = 0; i < WR_COUNT(output->numbers); i++)
		put_u64(out, output->has_number[i] ? output->numbers[i] : 0);
}

enum wr_status wr_event_encode(struct wr_buf *out, const struct wr_event *event)
{
	put_u8(out, WR_EVENT_BYTES_VERSION);
	put_u8(out, event->kind);
	put_u8(out, 0);
	put_u8(out, 0);
	put_u32(out, event->worker);
	put_u64(out, event->sequence);
	put_u64(out, (uint64_t)event->wall_ms);
	switch (event->kind) {
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
		break;
	case WR_EVENT_WORKER_CREATED:
		put_text(out, event->as.created.worker_id);
		put_create(out, &event->as.created.request);
		break;
	case WR_EVENT_INPUT_ACCEPTED:
		put_u8(out, event->as.input.input.kind);
		put_text(out, event->as.input.input.content);
		put_u64(out, event->as.input.transcript_sequence);
		break;
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		put_u8(out, event->as.ended.is_execution_live);
		put_text(out, event->as.ended.reason);
		break;
	case WR_EVENT_PHASE_CHANGED:
		put_u8(out, event->as.phase.from);
		put_u8(out, event->as.phase.to);
		put_text(out, event->as.phase.cause);
		break;
	case WR_EVENT_OUTPUT:
		put_output(out, &event->as.output);
		break;
	}
	return out->status;
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
	struct wr_view rest, name, text;

	*pairs = (struct wr_pairs){.count = 0};
	if (data == NULL)
		return;
	pairs->packed = wr_view_of(data, bytes);
	for (rest = pairs->packed; wr_pairs_next(&rest, &name, &text);)
		pairs->count++;
	if (pairs->count != count || rest.bytes != 0)
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
	output->code = take_u8(from, UINT8_MAX);
	output->flag = take_u8(from, 1) != 0;
	present = take_u8(from, 7);
	output->id = take_text(from);
	output->name = take_text(from);
	output->text = take_text(from);
	for (unsigned i = 0; i < WR_COUNT(output->numbers); i++) {
		output->has_number[i] = (present >> i & 1u) != 0;
		output->numbers[i] = take_u64(from);
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
	if (take_u8(&from, 0) != 0 || take_u8(&from, 0) != 0)
		return WR_CORRUPT;
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
	put_u32(out, 0);
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

const struct wr_encoding wr_event_bytes_encoding = {.encode = encode_frame, .patch = patch_frame};

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
