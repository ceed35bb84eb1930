/*
 * Frames are made once and sent to every subscriber, but making one is still part of the way of
 * every input and every token: so what is constant in them is prepared. A payload is a run of
 * pieces, each a constant text followed by one value of the event.
 */
#include "wire/event_json.h"

#include "check.h"
#include "codec/json/number.h"
#include "wire/protocol_table.h"
#include "wire/reference_json.h"
#include "wire/text_frame.h"

/* ---- payloads ---- */

enum slot {
	SLOT_END,
	SLOT_ID, /* strings, between the quotes of the pieces around them */
	SLOT_NAME,
	SLOT_TEXT,
	SLOT_NUMBER_0, /* numbers; null when absent */
	SLOT_NUMBER_1,
	SLOT_FLAG,
	SLOT_RUN_RESULT, /* words */
	SLOT_TURN_RESULT,
	SLOT_ERROR_CODE,
	SLOT_OUTPUT_MEMBER, /* whole members, left out when absent */
	SLOT_CACHE_MEMBER
};

struct piece {
	struct wr_view before;
	enum slot slot;
};

#define EVENT(name) "{\"event\":\"" name "\""
#define DATA(name) EVENT(name) ",\"data\":{"
#define PIECE(text, slot)                \
	{                                \
		WR_VIEW_INIT(text), slot \
	}
#define END(text) PIECE(text, SLOT_END)

static const struct piece text_delta[] = {PIECE(DATA("text_delta") "\"text\":\"", SLOT_TEXT),
					  END("\"}}")};
static const struct piece text_done[] = {PIECE(DATA("text_done") "\"text\":\"", SLOT_TEXT),
					 END("\"}}")};
static const struct piece thinking_start[] = {END(EVENT("thinking_start") "}")};
static const struct piece thinking_delta[] = {
	PIECE(DATA("thinking_delta") "\"text\":\"", SLOT_TEXT), END("\"}}")};
static const struct piece thinking_done[] = {PIECE(DATA("thinking_done") "\"text\":\"", SLOT_TEXT),
					     END("\"}}")};
static const struct piece tool_call_start[] = {PIECE(DATA("tool_call_start") "\"id\":\"", SLOT_ID),
					       PIECE("\",\"name\":\"", SLOT_NAME), END("\"}}")};
static const struct piece tool_call_args_delta[] = {
	PIECE(DATA("tool_call_args_delta") "\"id\":\"", SLOT_ID),
	PIECE("\",\"json\":\"", SLOT_TEXT), END("\"}}")};
static const struct piece tool_call_done[] = {PIECE(DATA("tool_call_done") "\"id\":\"", SLOT_ID),
					      PIECE("\",\"name\":\"", SLOT_NAME),
					      PIECE("\",\"arguments\":\"", SLOT_TEXT), END("\"}}")};
static const struct piece tool_result[] = {
	PIECE(DATA("tool_result") "\"id\":\"", SLOT_ID), PIECE("\",\"summary\":\"", SLOT_NAME),
	PIECE("\"", SLOT_OUTPUT_MEMBER), PIECE(",\"is_error\":", SLOT_FLAG), END("}}")};
static const struct piece usage[] = {PIECE(DATA("usage") "\"input_tokens\":", SLOT_NUMBER_0),
				     PIECE(",\"output_tokens\":", SLOT_NUMBER_1),
				     PIECE("", SLOT_CACHE_MEMBER), END("}}")};
static const struct piece run_end[] = {PIECE(DATA("run_end") "\"result\":\"", SLOT_RUN_RESULT),
				       END("\"}}")};
static const struct piece error[] = {PIECE(DATA("error") "\"code\":\"", SLOT_ERROR_CODE),
				     PIECE("\",\"message\":\"", SLOT_TEXT), END("\"}}")};
static const struct piece turn_start[] = {PIECE(DATA("turn_start") "\"turn\":", SLOT_NUMBER_0),
					  END("}}")};
static const struct piece turn_end[] = {PIECE(DATA("turn_end") "\"turn\":", SLOT_NUMBER_0),
					PIECE(",\"result\":\"", SLOT_TURN_RESULT), END("\"}}")};

static const struct piece *const payloads[] = {
	[WR_OUTPUT_TEXT_DELTA] = text_delta,
	[WR_OUTPUT_TEXT_DONE] = text_done,
	[WR_OUTPUT_THINKING_START] = thinking_start,
	[WR_OUTPUT_THINKING_DELTA] = thinking_delta,
	[WR_OUTPUT_THINKING_DONE] = thinking_done,
	[WR_OUTPUT_TOOL_CALL_START] = tool_call_start,
	[WR_OUTPUT_TOOL_CALL_ARGS_DELTA] = tool_call_args_delta,
	[WR_OUTPUT_TOOL_CALL_DONE] = tool_call_done,
	[WR_OUTPUT_TOOL_RESULT] = tool_result,
	[WR_OUTPUT_USAGE] = usage,
	[WR_OUTPUT_RUN_END] = run_end,
	[WR_OUTPUT_ERROR] = error,
	[WR_OUTPUT_TURN_START] = turn_start,
	[WR_OUTPUT_TURN_END] = turn_end,
};

/* A payload is one value to the writer: it begins as a raw one, and the rest is appended behind it
 * without the writer's commas. */
static void begin_payload(struct wr_json_writer *writer, struct wr_view text)
{
	wr_json_raw(writer, text);
}

static void put(struct wr_json_writer *writer, struct wr_view text)
{
	wr_buf_append_view(writer->out, text);
}

static void put_number(struct wr_json_writer *writer, const struct wr_output *output,
		       unsigned index)
{
	if (output->has_number[index])
		wr_buf_append_u64(writer->out, output->numbers[index]);
	else
		put(writer, WR_VIEW("null"));
}

static void put_output_member(struct wr_json_writer *writer, struct wr_view text)
{
	if (text.data == NULL)
		return;
	put(writer, WR_VIEW(",\"output\":\""));
	wr_json_string_part(writer, text);
	put(writer, WR_VIEW("\""));
}

static void put_cache_member(struct wr_json_writer *writer, const struct wr_output *output)
{
	if (!output->has_number[2])
		return;
	put(writer, WR_VIEW(",\"cache_read_input_tokens\":"));
	put_number(writer, output, 2);
}

static void put_slot(struct wr_json_writer *writer, const struct wr_output *output, enum slot slot)
{
	switch (slot) {
	case SLOT_END:
		return;
	case SLOT_ID:
		wr_json_string_part(writer, output->id);
		return;
	case SLOT_NAME:
		wr_json_string_part(writer, output->name);
		return;
	case SLOT_TEXT:
		wr_json_string_part(writer, output->text);
		return;
	case SLOT_NUMBER_0:
		put_number(writer, output, 0);
		return;
	case SLOT_NUMBER_1:
		put_number(writer, output, 1);
		return;
	case SLOT_FLAG:
		put(writer, output->flag ? WR_VIEW("true") : WR_VIEW("false"));
		return;
	case SLOT_RUN_RESULT:
		put(writer, wr_protocol_run_results[output->code]);
		return;
	case SLOT_TURN_RESULT:
		put(writer, wr_protocol_turn_results[output->code]);
		return;
	case SLOT_ERROR_CODE:
		put(writer, wr_protocol_error_codes[output->code]);
		return;
	case SLOT_OUTPUT_MEMBER:
		put_output_member(writer, output->text);
		return;
	case SLOT_CACHE_MEMBER:
		put_cache_member(writer, output);
		return;
	}
	wr_unreachable();
}

static void write_opaque(struct wr_json_writer *writer, const struct wr_output *output)
{
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("event"), output->name);
	if (output->text.bytes != 0) {
		wr_json_name(writer, WR_VIEW("data"));
		wr_json_raw(writer, output->text);
	}
	wr_json_object_end(writer);
}

static void write_output(struct wr_json_writer *writer, const struct wr_output *output)
{
	const struct piece *piece;

	if (output->kind == WR_OUTPUT_OPAQUE) {
		write_opaque(writer, output);
		return;
	}
	piece = payloads[output->kind];
	begin_payload(writer, piece->before);
	while (piece->slot != SLOT_END) {
		put_slot(writer, output, piece->slot);
		piece++;
		put(writer, piece->before);
	}
}

static void write_input(struct wr_json_writer *writer, const struct wr_input *input)
{
	if (input->kind == WR_INPUT_USER) {
		begin_payload(writer,
			      WR_VIEW(DATA("user_message") "\"segments\":[{\"kind\":\"text\","
							   "\"content\":\""));
		wr_json_string_part(writer, input->content);
		put(writer, WR_VIEW("\"}]}}"));
	} else {
		begin_payload(writer,
			      WR_VIEW(DATA("system_item") "\"item\":{\"kind\":\"embedded_worker_"
							  "system_input\",\"content\":\""));
		wr_json_string_part(writer, input->content);
		put(writer, WR_VIEW("\"}}}"));
	}
}

static bool write_phase(struct wr_json_writer *writer, enum wr_phase phase)
{
	const char *status = wr_phase_protocol_status(phase);

	if (status == NULL)
		return false;
	begin_payload(writer, WR_VIEW(DATA("status") "\"status\":\""));
	put(writer, wr_view_of_string(status));
	put(writer, WR_VIEW("\"}}"));
	return true;
}

bool wr_protocol_event_json(struct wr_json_writer *writer, const struct wr_event *event)
{
	switch (event->kind) {
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
	case WR_EVENT_WORKER_CREATED:
		return false;
	case WR_EVENT_INPUT_ACCEPTED:
		write_input(writer, &event->as.input.input);
		return true;
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		wr_json_raw(writer, WR_VIEW(EVENT("shutdown") "}"));
		return true;
	case WR_EVENT_PHASE_CHANGED:
		return write_phase(writer, (enum wr_phase)event->as.phase.to);
	case WR_EVENT_OUTPUT:
		write_output(writer, &event->as.output);
		return true;
	}
	wr_unreachable();
}

void wr_runtime_event_json(struct wr_json_writer *writer, const struct wr_event *event,
			   const struct wr_identity *identity)
{
	const char *name = wr_event_runtime_name(event->kind);

	wr_assert(name != NULL);
	wr_json_object_begin(writer);
	wr_json_member_u64(writer, WR_VIEW("id"), event->sequence);
	if (identity->worker_id.data != NULL)
		wr_worker_ref_json(writer, identity->runtime_id, identity->worker_id);
	wr_json_name(writer, WR_VIEW("kind"));
	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("kind"), wr_view_of_string(name));
	wr_json_object_end(writer);
	wr_json_member_string(writer, WR_VIEW("message"), wr_event_message(event));
	wr_json_object_end(writer);
}

/* ---- frames ---- */

#define EVENT_HEAD "{\"kind\":\"event\",\"envelope\":{\"cursor\":\""
#define EVENT_ID "\",\"event_id\":\""
#define WORKER_ID "\",\"worker_id\":\""
#define SEQUENCE "\",\"sequence\":"
#define LOG_ID ",\"log_id\":\""
#define PAYLOAD "\",\"payload\":"
#define TEXT_BYTES(literal) (sizeof(literal) - 1)

enum {
	/* In the payload of an `event` frame. */
	CURSOR_AT = TEXT_BYTES(EVENT_HEAD),
	EVENT_ID_AT = CURSOR_AT + WR_CURSOR_BYTES + TEXT_BYTES(EVENT_ID),
	SEQUENCE_BYTES_MAX = 20
};

#define PUT(to, literal) put_bytes(to, "" literal, TEXT_BYTES(literal))

static inline char *put_bytes(char *to, const char *from, size_t bytes)
{
	memcpy(to, from, bytes);
	return to + bytes;
}

/* Room for the frame's header, the fixed front and one id; then that front, in one go. */
static void begin_event(struct wr_buf *out, const struct wr_identity *identity)
{
	enum {
		FRONT = WR_TEXT_FRAME_ROOM_BYTES + EVENT_ID_AT + WR_CURSOR_BYTES +
			TEXT_BYTES(WORKER_ID)
	};
	char *to = wr_buf_reserve(out, FRONT);

	if (to == NULL)
		return;
	memset(to, 0, WR_TEXT_FRAME_ROOM_BYTES);
	to = PUT(to + WR_TEXT_FRAME_ROOM_BYTES, EVENT_HEAD);
	to = put_bytes(to, identity->cursor, WR_CURSOR_BYTES);
	to = PUT(to, EVENT_ID);
	to = put_bytes(to, identity->cursor, WR_CURSOR_BYTES);
	PUT(to, WORKER_ID);
	wr_buf_commit(out, FRONT);
}

/* From the end of the Worker's id to the payload. */
static void put_back(struct wr_buf *out, const struct wr_identity *identity, uint64_t sequence)
{
	char *to, *start;

	start = to =
		wr_buf_reserve(out, TEXT_BYTES(SEQUENCE) + SEQUENCE_BYTES_MAX + TEXT_BYTES(LOG_ID) +
					    identity->log_id.bytes + TEXT_BYTES(PAYLOAD));
	if (to == NULL)
		return;
	to = PUT(to, SEQUENCE);
	to += wr_json_format_u64(to, sequence);
	to = PUT(to, LOG_ID);
	to = put_bytes(to, identity->log_id.data, identity->log_id.bytes);
	to = PUT(to, PAYLOAD);
	wr_buf_commit(out, (size_t)(to - start));
}

static enum wr_status encode_event(struct wr_buf *out, const struct wr_event *event,
				   const struct wr_identity *identity)
{
	struct wr_json_writer writer;
	size_t start = out->bytes;

	begin_event(out, identity);
	wr_json_writer_init(&writer, out);
	wr_json_string_part(&writer, identity->worker_id);
	put_back(out, identity, event->sequence);
	if (!wr_protocol_event_json(&writer, event)) {
		wr_buf_truncate(out, start);
		return wr_buf_status(out);
	}
	wr_buf_append(out, "}}", 2);
	return wr_text_frame_end(out, start);
}

static enum wr_status encode_runtime_event(struct wr_buf *out, const struct wr_event *event,
					   const struct wr_identity *identity)
{
	struct wr_view cursor = wr_view_of(identity->cursor, WR_CURSOR_BYTES);
	struct wr_json_writer writer;
	size_t start = wr_text_frame_begin(out);

	wr_json_writer_init(&writer, out);
	wr_json_object_begin(&writer);
	wr_json_member_string(&writer, WR_VIEW("kind"), WR_VIEW("runtime_event"));
	wr_json_name(&writer, WR_VIEW("envelope"));
	wr_json_object_begin(&writer);
	wr_json_member_string(&writer, WR_VIEW("cursor"), cursor);
	wr_json_member_string(&writer, WR_VIEW("event_id"), cursor);
	wr_json_member_string(&writer, WR_VIEW("runtime_id"), identity->runtime_id);
	wr_json_name(&writer, WR_VIEW("worker_id"));
	if (identity->worker_id.data != NULL)
		wr_json_string(&writer, identity->worker_id);
	else
		wr_json_null(&writer);
	wr_json_member_u64(&writer, WR_VIEW("sequence"), event->sequence);
	wr_json_member_string(&writer, WR_VIEW("log_id"), identity->log_id);
	wr_json_name(&writer, WR_VIEW("payload"));
	wr_runtime_event_json(&writer, event, identity);
	wr_json_object_end(&writer);
	wr_json_object_end(&writer);
	return wr_text_frame_end(out, start);
}

/* ---- the encoding ---- */

/* Whether the runtime-wide stream shows a runtime event of it (core/event.h has the table). */
static bool has_runtime_event(enum wr_event_kind kind)
{
	return kind != WR_EVENT_INPUT_ACCEPTED && wr_event_runtime_name(kind) != NULL;
}

static enum wr_status encode(void *context, struct wr_buf *out, const struct wr_event *event,
			     const struct wr_identity *identity, enum wr_scope scope)
{
	(void)context;
	if (scope == WR_SCOPE_RUNTIME && has_runtime_event(event->kind))
		return encode_runtime_event(out, event, identity);
	return encode_event(out, event, identity);
}

static void patch(void *context, char *frame, size_t bytes, const char cursor[WR_CURSOR_BYTES])
{
	/* The second byte says how the length is written (RFC 6455 5.2); ours are never short. */
	size_t header = frame[1] == 126 ? 4 : 10;

	(void)context;
	wr_assert(bytes > header + EVENT_ID_AT + WR_CURSOR_BYTES);
	wr_assert_slow(memcmp(frame + header, EVENT_HEAD, CURSOR_AT) == 0);
	memcpy(frame + header + CURSOR_AT, cursor, WR_CURSOR_BYTES);
	memcpy(frame + header + EVENT_ID_AT, cursor, WR_CURSOR_BYTES);
}

const struct wr_encoding wr_frame_encoding = {.encode = encode, .patch = patch, .context = NULL};
