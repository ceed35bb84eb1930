#include "wire/text_frame.h"

#include "bytes/endian.h"
#include "check.h"
#include "codec/ws/frame.h"

_Static_assert(WR_TEXT_FRAME_ROOM_BYTES == 4, "the header with a 16-bit length");

size_t wr_text_frame_begin(struct wr_buf *out)
{
	size_t start = out->bytes;

	wr_buf_append(out, "\0\0\0\0", WR_TEXT_FRAME_ROOM_BYTES);
	return start;
}

/* Moves the payload to where it belongs behind a header of another length. */
static bool move_payload(struct wr_buf *out, size_t start, size_t header_bytes)
{
	size_t payload = out->bytes - start - WR_TEXT_FRAME_ROOM_BYTES;
	char *frame;

	if (header_bytes > WR_TEXT_FRAME_ROOM_BYTES &&
	    wr_buf_reserve(out, header_bytes - WR_TEXT_FRAME_ROOM_BYTES) == NULL)
		return false;
	frame = out->data + start;
	memmove(frame + header_bytes, frame + WR_TEXT_FRAME_ROOM_BYTES, payload);
	out->bytes = start + header_bytes + payload;
	return true;
}

/* The usual header, in its place: FIN and text, no mask, a length of two bytes. */
static void write_usual_header(char *frame, size_t payload)
{
	frame[0] = (char)0x81;
	frame[1] = 126;
	wr_store_be16(frame + 2, (uint16_t)payload);
}

static bool write_other_header(struct wr_buf *out, size_t start, size_t payload)
{
	uint8_t encoded[WR_WS_FRAME_HEADER_BYTES_MAX];
	struct wr_ws_frame_header header = {
		.payload_bytes = payload, .opcode = WR_WS_OPCODE_TEXT, .is_final = true};
	size_t bytes = wr_ws_frame_header_encode(encoded, &header);

	if (!move_payload(out, start, bytes))
		return false;
	memcpy(out->data + start, encoded, bytes);
	return true;
}

enum wr_status wr_text_frame_end(struct wr_buf *out, size_t start)
{
	size_t payload;

	if (wr_buf_status(out) == WR_OK) {
		wr_assert(out->bytes - start >= WR_TEXT_FRAME_ROOM_BYTES);
		payload = out->bytes - start - WR_TEXT_FRAME_ROOM_BYTES;
		if (WR_LIKELY(payload >= 126 && payload <= UINT16_MAX)) {
			write_usual_header(out->data + start, payload);
			return WR_OK;
		}
		if (write_other_header(out, start, payload))
			return WR_OK;
	}
	wr_buf_truncate(out, start);
	return wr_buf_status(out);
}
