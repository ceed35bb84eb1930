#include "wire/event_json.h"

#include "check.h"
#include "wire/append.h"
#include "wire/dropped_json.h"
#include "wire/payload.h"
#include "wire/reference_json.h"
#include "wire/text_frame.h"

bool wr_protocol_event_json(struct wr_json_writer *writer, const struct wr_event *event)
{
	if (!wr_payload_is_shown(event))
		return false;
	/* One value to the writer: its first byte, and the rest behind it without commas of its
	 * own. */
	wr_json_raw(writer, WR_VIEW("{"));
	wr_payload_put(writer->out, event);
	return true;
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
	if (wr_event_dropped(event).data != NULL)
		wr_append_dropped(writer->out, wr_event_dropped(event));
	wr_json_object_end(writer);
}

/* ---- frames ---- */

#define EVENT_HEAD "{\"kind\":\"event\",\"envelope\":{\"cursor\":\""
#define EVENT_ID "\",\"event_id\":\""
#define WORKER_ID "\",\"worker_id\":\""
#define SEQUENCE "\",\"sequence\":"
#define LOG_ID ",\"log_id\":\""
#define PAYLOAD "\",\"payload\":{"
#define TEXT_BYTES(literal) (sizeof(literal) - 1)

enum {
	/* In the payload of an `event` frame. */
	CURSOR_AT = TEXT_BYTES(EVENT_HEAD),
	EVENT_ID_AT = CURSOR_AT + WR_CURSOR_BYTES + TEXT_BYTES(EVENT_ID),
	/* From the end of the Worker's id to the payload, less the log id. */
	BACK_BYTES_MAX = TEXT_BYTES(SEQUENCE) + 20 + TEXT_BYTES(LOG_ID) + TEXT_BYTES(PAYLOAD)
};

/* The front of a frame up to the Worker's id: room for the header, and for the two cursors. */
#define CURSOR_ROOM "..............................."
static const char front[] = "\0\0\0\0" EVENT_HEAD CURSOR_ROOM EVENT_ID CURSOR_ROOM WORKER_ID;
enum { FRONT_BYTES = sizeof front - 1 };
_Static_assert(TEXT_BYTES(CURSOR_ROOM) == WR_CURSOR_BYTES, "room for a cursor");
_Static_assert(WR_TEXT_FRAME_ROOM_BYTES == 4, "room for the header");

static void begin_event(struct wr_buf *out, const struct wr_identity *identity)
{
	char *to = wr_append_room(out, FRONT_BYTES);

	if (to == NULL)
		return;
	memcpy(to, front, FRONT_BYTES);
	memcpy(to + WR_TEXT_FRAME_ROOM_BYTES + CURSOR_AT, identity->cursor, WR_CURSOR_BYTES);
	memcpy(to + WR_TEXT_FRAME_ROOM_BYTES + EVENT_ID_AT, identity->cursor, WR_CURSOR_BYTES);
	wr_buf_commit(out, FRONT_BYTES);
}

static void put_back(struct wr_buf *out, const struct wr_identity *identity, uint64_t sequence)
{
	char *start = wr_append_room(out, BACK_BYTES_MAX + identity->log_id.bytes), *to = start;

	if (to == NULL)
		return;
	to = WR_PUT(to, SEQUENCE);
	to = wr_put_number(to, sequence);
	to = WR_PUT(to, LOG_ID);
	to = wr_put(to, identity->log_id);
	to = WR_PUT(to, PAYLOAD);
	wr_buf_commit(out, (size_t)(to - start));
}

static enum wr_status encode_event(struct wr_buf *out, const struct wr_event *event,
				   const struct wr_identity *identity)
{
	size_t start = out->bytes;

	if (!wr_payload_is_shown(event))
		return WR_OK;
	begin_event(out, identity);
	wr_append_string(out, identity->worker_id);
	put_back(out, identity, event->sequence);
	wr_payload_put(out, event);
	wr_append(out, WR_VIEW("}}"));
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
