/* frame_payload — the payload of one frame, as a client takes it. */
#ifndef WR_TESTS_UNIT_WIRE_FRAME_PAYLOAD_H
#define WR_TESTS_UNIT_WIRE_FRAME_PAYLOAD_H

#include "codec/ws/frame.h"
#include "harness/harness.h"

/* The bytes must be exactly one unmasked, final text frame. */
static inline struct wr_view frame_payload(struct wr_view frame)
{
	struct wr_ws_frame_header header;
	size_t bytes;

	CHECK_STATUS(wr_ws_frame_header_decode(&header, &bytes, frame, WR_WS_ROLE_CLIENT), WR_OK);
	CHECK(header.is_final && !header.is_masked && header.opcode == WR_WS_OPCODE_TEXT);
	CHECK_U64(header.payload_bytes, frame.bytes - bytes);
	return wr_view_skip(frame, bytes);
}

#endif
