#include "wire/text_frame.h"

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

enum wr_status wr_text_frame_end(struct wr_buf *out, size_t start)
{
	uint8_t encoded[WR_WS_FRAME_HEADER_BYTES_MAX];
	struct wr_ws_frame_header header = {.opcode = WR_WS_OPCODE_TEXT, .is_final = true};
	size_t bytes;

	if (wr_buf_status(out) != WR_OK)
		goto failed;
	wr_assert(out->bytes - start >= WR_TEXT_FRAME_ROOM_BYTES);
	header.payload_bytes = out->bytes - start - WR_TEXT_FRAME_ROOM_BYTES;
	bytes = wr_ws_frame_header_encode(encoded, &header);
	if (bytes != WR_TEXT_FRAME_ROOM_BYTES && !move_payload(out, start, bytes))
		goto failed;
	memcpy(out->data + start, encoded, bytes);
	return WR_OK;
failed:
	wr_buf_truncate(out, start);
	return wr_buf_status(out);
}
