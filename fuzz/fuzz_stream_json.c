/*
 * Messages of a Runtime's event stream, read by a client. Options: which allocation fails. Oracles:
 * documents.h; a payload is a document by itself, and the event it names is in it; a cursor text is
 * what may stand in a request.
 */
#include "documents.h"
#include "wire/stream_json.h"

static void check_cursor(const struct wr_stream_frame *frame)
{
	struct wr_cursor cursor;

	CHECK(frame->cursor_text.bytes >= 1 && frame->cursor_text.bytes <= 128);
	for (size_t i = 0; i < frame->cursor_text.bytes; i++)
		CHECK(frame->cursor_text.data[i] != '\0' &&
		      strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~",
			     frame->cursor_text.data[i]) != NULL);
	CHECK(frame->has_cursor == (wr_cursor_parse(&cursor, frame->cursor_text) == WR_OK));
	if (frame->has_cursor)
		CHECK(frame->cursor.sequence == cursor.sequence &&
		      frame->sequence == cursor.sequence);
}

static void tell_envelope(struct documents_meaning *meaning, const struct wr_stream_frame *frame)
{
	check_cursor(frame);
	CHECK(naive_is_json(frame->payload));
	documents_text(meaning, frame->cursor_text);
	documents_number(meaning, frame->is_snapshot);
	documents_text(meaning, frame->worker_id);
	documents_number(meaning, frame->sequence);
	documents_text(meaning, frame->log_id);
	documents_text(meaning, frame->payload);
	documents_text(meaning, frame->event);
	documents_text(meaning, frame->runtime_event);
}

static enum wr_status read_frame(struct documents_meaning *meaning, struct wr_buf *texts,
				 struct wr_view json)
{
	struct wr_stream_frame frame;
	enum wr_status status = wr_stream_frame_read(&frame, texts, json);

	if (status != WR_OK && status != WR_UNSUPPORTED)
		return status;
	documents_number(meaning, frame.kind);
	CHECK(status == WR_OK || frame.kind == WR_STREAM_EVENT);
	if (frame.kind == WR_STREAM_DIAGNOSTIC) {
		documents_text(meaning, frame.code);
		documents_text(meaning, frame.message);
		documents_text(meaning, frame.reason);
	} else {
		tell_envelope(meaning, &frame);
	}
	if (frame.kind == WR_STREAM_EVENT)
		CHECK(frame.worker_id.bytes != 0 && frame.event.data != NULL);
	return status;
}

void fuzz_one(struct wr_view input)
{
	uint8_t failing = fuzz_u8(&input);

	if (input.bytes <= DOCUMENTS_ROOM / 4)
		documents_check(read_frame, input, failing);
}
