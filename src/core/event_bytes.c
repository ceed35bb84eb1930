#include "core/event_bytes.h"

#include "core/fields.h"

/* ---- writing: room for the whole event is taken once, then filled without further checks ---- */

enum { HEADER_BYTES = 24, KEY_BYTES = WR_KEY_FIELD_BYTES + 4, DELIVERED_BYTES = 8 };
enum { FLAG_KEY = 1, FLAG_DELIVERED = 2, FLAG_QUEUE = 4, FLAG_DIGEST = 32, FLAGS = 39 };

/* Whether the kind is followed by its members about queues. */
static bool has_queue(const struct wr_event *event)
{
	if (event->kind == WR_EVENT_WORKER_CREATED)
		return event->as.created.request.busy.kind != WR_BUSY_UNSAID;
	if (event->kind == WR_EVENT_INPUT_ACCEPTED)
		return event->as.input.waits_for_turn;
	return wr_event_dropped(event).data != NULL;
}

static bool has_digest(const struct wr_event *event)
{
	return event->kind == WR_EVENT_WORKER_CREATED &&
	       event->as.created.request.config_bundle_digest.data != NULL;
}

static unsigned flags_of(const struct wr_event *event)
{
	return (event->has_key ? FLAG_KEY : 0u) | (event->delivered != 0 ? FLAG_DELIVERED : 0u) |
	       (has_queue(event) ? FLAG_QUEUE : 0u) | (has_digest(event) ? FLAG_DIGEST : 0u);
}

/* The lowest that can say it. */
static unsigned version_of(const struct wr_event *event)
{
	bool is_new = event->kind == WR_EVENT_BUNDLE_STORED ||
		      (event->kind == WR_EVENT_REPEATABLE &&
		       event->as.repeatable.operation == WR_OPERATION_STORE_BUNDLE);

	return is_new || flags_of(event) > FLAG_KEY ? 2 : 1;
}

static size_t queue_bytes(const struct wr_event *event)
{
	if (event->kind == WR_EVENT_WORKER_CREATED)
		return WR_BUSY_FIELD_BYTES;
	return event->kind == WR_EVENT_INPUT_ACCEPTED ? 0 : wr_text_bytes(wr_event_dropped(event));
}

/* Behind the header and the members. */
static size_t extra_bytes(const struct wr_event *event, unsigned flags)
{
	return ((flags & FLAG_KEY) != 0 ? (size_t)KEY_BYTES : 0) +
	       ((flags & FLAG_DELIVERED) != 0 ? (size_t)DELIVERED_BYTES : 0) +
	       ((flags & FLAG_QUEUE) != 0 ? queue_bytes(event) : 0);
}

static size_t member_bytes(const struct wr_event *event)
{
	const struct wr_output *output = &event->as.output;

	switch (event->kind) {
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
		return 0;
	case WR_EVENT_WORKER_CREATED:
		return wr_text_bytes(event->as.created.worker_id) +
		       wr_request_bytes(&event->as.created.request);
	case WR_EVENT_INPUT_ACCEPTED:
		return 1 + wr_text_bytes(event->as.input.input.content) + 8;
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		return 1 + wr_text_bytes(event->as.ended.reason);
	case WR_EVENT_PHASE_CHANGED:
		return 2 + wr_text_bytes(event->as.phase.cause);
	case WR_EVENT_OUTPUT:
		return 4 + wr_text_bytes(output->id) + wr_text_bytes(output->name) +
		       wr_text_bytes(output->text) + 8 * WR_COUNT(output->numbers);
	case WR_EVENT_REPEATABLE:
		return 2 + 8;
	case WR_EVENT_BUNDLE_STORED:
		return wr_bundle_bytes(&event->as.bundle);
	}
	wr_unreachable();
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
	at = wr_put_u8(at, output->kind);
	at = wr_put_u8(at, output->code);
	at = wr_put_u8(at, output->flag);
	at = wr_put_u8(at, present);
	at = wr_put_text(at, output->id);
	at = wr_put_text(at, output->name);
	at = wr_put_text(at, output->text);
	for (unsigned i = 0; i < WR_COUNT(output->numbers); i++)
		at = wr_put_u64(at, output->has_number[i] ? output->numbers[i] : 0);
	return at;
}

static char *put_members(char *at, const struct wr_event *event)
{
	switch (event->kind) {
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
		return at;
	case WR_EVENT_WORKER_CREATED:
		at = wr_put_text(at, event->as.created.worker_id);
		return wr_put_request(at, &event->as.created.request);
	case WR_EVENT_INPUT_ACCEPTED:
		at = wr_put_u8(at, event->as.input.input.kind);
		at = wr_put_text(at, event->as.input.input.content);
		return wr_put_u64(at, event->as.input.transcript_sequence);
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		at = wr_put_u8(at, event->as.ended.is_execution_live);
		return wr_put_text(at, event->as.ended.reason);
	case WR_EVENT_PHASE_CHANGED:
		at = wr_put_u8(at, event->as.phase.from);
		at = wr_put_u8(at, event->as.phase.to);
		return wr_put_text(at, event->as.phase.cause);
	case WR_EVENT_OUTPUT:
		return put_output(at, &event->as.output);
	case WR_EVENT_REPEATABLE:
		at = wr_put_u8(at, event->as.repeatable.operation);
		at = wr_put_u8(at, event->as.repeatable.status);
		return wr_put_u64(at, event->as.repeatable.event_id);
	case WR_EVENT_BUNDLE_STORED:
		return wr_put_bundle(at, &event->as.bundle);
	}
	wr_unreachable();
}

static char *put_queue(char *at, const struct wr_event *event)
{
	if (event->kind == WR_EVENT_WORKER_CREATED)
		return wr_put_busy(at, &event->as.created.request.busy);
	return event->kind == WR_EVENT_INPUT_ACCEPTED ? at
						      : wr_put_text(at, wr_event_dropped(event));
}

enum wr_status wr_event_encode(struct wr_buf *out, const struct wr_event *event)
{
	unsigned flags = flags_of(event);
	size_t bytes = member_bytes(event) + HEADER_BYTES + extra_bytes(event, flags);
	char *begin = wr_buf_reserve(out, bytes), *at;

	if (begin == NULL)
		return out->status;
	at = wr_put_u8(begin, version_of(event));
	at = wr_put_u8(at, event->kind);
	at = wr_put_u8(at, flags);
	at = wr_put_u8(at, 0);
	at = wr_put_u32(at, event->worker);
	at = wr_put_u64(at, event->sequence);
	at = wr_put_u64(at, (uint64_t)event->wall_ms);
	if (event->has_key) {
		at = wr_put_key(at, &event->key);
		at = wr_put_u32(at, event->uptime_s);
	}
	if ((flags & FLAG_DELIVERED) != 0)
		at = wr_put_u64(at, event->delivered);
	at = put_members(at, event);
	if ((flags & FLAG_QUEUE) != 0)
		at = put_queue(at, event);
	wr_assert(at == begin + bytes);
	wr_buf_commit(out, bytes);
	return WR_OK;
}

/* ---- reading ---- */

static void take_output(struct wr_take *from, struct wr_output *output)
{
	unsigned present;

	output->kind = (enum wr_output_kind)wr_take_u8(from, WR_OUTPUT_OPAQUE);
	if (output->kind < WR_OUTPUT_TEXT_DELTA)
		from->is_bad = true;
	output->code = wr_take_u8(from, code_max(output->kind));
	output->flag = wr_take_u8(from, 1) != 0;
	present = wr_take_u8(from, 7);
	output->id = wr_take_text(from);
	output->name = wr_take_text(from);
	output->text = wr_take_text(from);
	for (unsigned i = 0; i < WR_COUNT(output->numbers); i++) {
		output->has_number[i] = (present >> i & 1u) != 0;
		output->numbers[i] = wr_take_u64(from);
		if (!output->has_number[i] && output->numbers[i] != 0)
			from->is_bad = true;
	}
}

static bool is_operation(unsigned operation)
{
	return (operation >= WR_OPERATION_CREATE && operation <= WR_OPERATION_INTERRUPT) ||
	       operation == WR_OPERATION_STORE_BUNDLE;
}

static void take_members(struct wr_take *from, struct wr_event *event, unsigned flags)
{
	switch (event->kind) {
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
		break;
	case WR_EVENT_WORKER_CREATED:
		event->as.created.worker_id = wr_take_text(from);
		wr_take_request(from, &event->as.created.request, (flags & FLAG_DIGEST) != 0);
		break;
	case WR_EVENT_INPUT_ACCEPTED:
		event->as.input.input.kind = (enum wr_input_kind)wr_take_u8(from, WR_INPUT_SYSTEM);
		event->as.input.input.content = wr_take_text(from);
		event->as.input.transcript_sequence = wr_take_u64(from);
		break;
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		event->as.ended.is_execution_live = wr_take_u8(from, 1) != 0;
		event->as.ended.reason = wr_take_text(from);
		break;
	case WR_EVENT_PHASE_CHANGED:
		event->as.phase.from = wr_take_u8(from, WR_PHASE_COUNT - 1);
		event->as.phase.to = wr_take_u8(from, WR_PHASE_COUNT - 1);
		event->as.phase.cause = wr_take_text(from);
		break;
	case WR_EVENT_OUTPUT:
		take_output(from, &event->as.output);
		break;
	case WR_EVENT_REPEATABLE:
		event->as.repeatable.operation = wr_take_u8(from, UINT8_MAX);
		if (!is_operation(event->as.repeatable.operation))
			from->is_bad = true;
		event->as.repeatable.status = wr_take_u8(from, WR_WORKER_CANCELLED);
		event->as.repeatable.event_id = wr_take_u64(from);
		break;
	case WR_EVENT_BUNDLE_STORED:
		wr_take_bundle(from, &event->as.bundle);
		break;
	}
}

static void take_queue(struct wr_take *from, struct wr_event *event)
{
	switch (event->kind) {
	case WR_EVENT_WORKER_CREATED:
		wr_take_busy(from, &event->as.created.request.busy);
		return;
	case WR_EVENT_INPUT_ACCEPTED:
		event->as.input.waits_for_turn = true;
		return;
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		event->as.ended.dropped = wr_take_sequences(from);
		return;
	case WR_EVENT_PHASE_CHANGED:
		event->as.phase.dropped = wr_take_sequences(from);
		if (event->as.phase.to != WR_PHASE_INTERRUPTED)
			from->is_bad = true;
		return;
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
	case WR_EVENT_OUTPUT:
	case WR_EVENT_REPEATABLE:
	case WR_EVENT_BUNDLE_STORED:
		from->is_bad = true;
		return;
	}
	wr_unreachable();
}

static bool is_kind(unsigned kind)
{
	return (kind >= WR_EVENT_RUNTIME_STARTED && kind <= WR_EVENT_REPEATABLE) ||
	       kind == WR_EVENT_BUNDLE_STORED;
}

enum wr_status wr_event_decode(struct wr_event *event, struct wr_view bytes)
{
	struct wr_take from = {.rest = bytes};
	unsigned version = wr_take_u8(&from, UINT8_MAX), kind, flags;

	memset(event, 0, sizeof *event);
	if (!from.is_bad && version > WR_EVENT_BYTES_VERSION)
		return WR_UNSUPPORTED;
	kind = wr_take_u8(&from, UINT8_MAX);
	flags = wr_take_u8(&from, FLAGS);
	if (version == 0 || !is_kind(kind) || (flags & ~(unsigned)FLAGS) != 0)
		return WR_CORRUPT;
	event->has_key = (flags & FLAG_KEY) != 0;
	(void)wr_take_u8(&from, 0); /* no other flag: bad unless 0, which is seen at the end */
	event->kind = (enum wr_event_kind)kind;
	event->worker = wr_take_u32(&from);
	event->sequence = wr_take_u64(&from);
	event->wall_ms = (int64_t)wr_take_u64(&from);
	if (event->has_key) {
		wr_take_key(&from, &event->key);
		event->uptime_s = wr_take_u32(&from);
	}
	if ((flags & FLAG_DELIVERED) != 0) {
		event->delivered = wr_take_u64(&from);
		if (event->delivered == 0)
			from.is_bad = true;
	}
	if ((flags & FLAG_DIGEST) != 0 && kind != WR_EVENT_WORKER_CREATED)
		from.is_bad = true;
	take_members(&from, event, flags);
	if ((flags & FLAG_QUEUE) != 0)
		take_queue(&from, event);
	return wr_take_is_whole(&from) && version == version_of(event) ? WR_OK : WR_CORRUPT;
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
	if (event->kind == WR_EVENT_REPEATABLE || event->kind == WR_EVENT_BUNDLE_STORED ||
	    (scope == WR_SCOPE_WORKER && !is_shown_to_worker))
		return out->status;
	wr_buf_append(out, "\0\0\0\0", 4);
	if (event->has_key || event->delivered != 0) {
		struct wr_event shown = *event;
		shown.has_key = false; /* is between its client and us */
		shown.delivered = 0;   /* is between us and the next process */
		wr_event_encode(out, &shown);
	} else {
		wr_event_encode(out, event);
	}
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
