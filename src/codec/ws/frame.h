/*
 * ws/frame — frames of RFC 6455 section 5, both roles: header decoding and encoding, masking.
 *
 * The decoder eats header bytes one piece at a time and says when a header is whole; payload is the
 * caller's to take, `remaining` bytes of it. Refused as WR_SYNTAX (close 1002): RSV bits, reserved
 * opcodes, wrong masking for the role, a long-form length that fits a short form, bit 63 of a
 * length, fragmented or over-long control frames.
 */
#ifndef WR_CODEC_WS_FRAME_H
#define WR_CODEC_WS_FRAME_H

#include "bytes/view.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

enum wr_ws_opcode {
	WR_WS_OPCODE_CONTINUATION = 0x0,
	WR_WS_OPCODE_TEXT = 0x1,
	WR_WS_OPCODE_BINARY = 0x2,
	WR_WS_OPCODE_CLOSE = 0x8,
	WR_WS_OPCODE_PING = 0x9,
	WR_WS_OPCODE_PONG = 0xa
};

enum wr_ws_role { WR_WS_ROLE_SERVER, WR_WS_ROLE_CLIENT };

#define WR_WS_FRAME_HEADER_BYTES_MAX 14u

struct wr_ws_frame_header {
	uint64_t payload_bytes;
	uint8_t opcode; /* enum wr_ws_opcode */
	bool is_final;
	bool is_masked;
	uint8_t mask[4];
};

/* Decodes a header from the front of `input`, as received by `role` (a server requires masking, a
 * client refuses it). WR_OK: *header_bytes were the header. WR_MORE: too few bytes; what is there
 * so far is not wrong. WR_SYNTAX. */
enum wr_status wr_ws_frame_header_decode(struct wr_ws_frame_header *header, size_t *header_bytes,
					 struct wr_view input, enum wr_ws_role role);

/* Writes a header in its shortest form; returns its length, 2 to 14. */
size_t wr_ws_frame_header_encode(uint8_t out[WR_WS_FRAME_HEADER_BYTES_MAX],
				 const struct wr_ws_frame_header *header);

/* Length of an unmasked header for that payload: 2, 4 or 10. */
static inline size_t wr_ws_frame_header_bytes(uint64_t payload_bytes)
{
	return payload_bytes < 126 ? 2 : payload_bytes < 65536 ? 4 : 10;
}

/* XORs `bytes` bytes in place with the mask, beginning at position `offset` of the payload. */
void wr_ws_mask(void *data, size_t bytes, const uint8_t mask[4], uint64_t offset);

/* Whether a close code may stand in a frame (7.4): 1000-1003, 1007-1014, 3000-4999. */
bool wr_ws_close_code_is_valid(unsigned code);

#endif
