/*
 * naive/ws_header — the header of a frame for the second time: RFC 6455 5.2 read as a row of bits,
 * and each rule about them asked one after the other.
 */
#ifndef WR_TESTS_NAIVE_WS_HEADER_H
#define WR_TESTS_NAIVE_WS_HEADER_H

#include "bytes/view.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

struct naive_ws_header {
	bool is_final, is_masked;
	unsigned opcode;
	uint64_t payload_bytes;
	size_t header_bytes;
};

struct naive_bits {
	struct wr_view bytes;
	size_t at; /* in bits */
};

/* The next `count` bits as a number; false when there are fewer. */
static inline bool naive_take_bits(struct naive_bits *self, unsigned count, uint64_t *value)
{
	*value = 0;
	if (self->at + count > 8 * self->bytes.bytes)
		return false;
	while (count-- > 0) {
		unsigned byte = (unsigned char)self->bytes.data[self->at / 8];

		*value = *value * 2 + (byte >> (7 - self->at % 8)) % 2;
		self->at++;
	}
	return true;
}

/* The extended length when there is one, and whether the short form would have done: which can be
 * known as soon as all bits above the short form's range are there. */
static inline enum wr_status naive_ws_length(struct naive_bits *bits, struct naive_ws_header *out)
{
	uint64_t top, rest, few;

	if (out->payload_bytes < 126)
		return WR_OK;
	if (out->payload_bytes == 126) {
		if (!naive_take_bits(bits, 16, &out->payload_bytes))
			return WR_MORE;
		return out->payload_bytes < 126 ? WR_SYNTAX : WR_OK;
	}
	if (!naive_take_bits(bits, 1, &top))
		return WR_MORE;
	if (top != 0)
		return WR_SYNTAX;
	if (!naive_take_bits(bits, 47, &rest))
		return WR_MORE;
	if (rest == 0)
		return WR_SYNTAX;
	if (!naive_take_bits(bits, 16, &few))
		return WR_MORE;
	out->payload_bytes = rest * 65536 + few;
	return WR_OK;
}

/* WR_OK, WR_MORE, WR_SYNTAX; `must_mask`: as a server receives it, else as a client. */
static inline enum wr_status naive_ws_header_read(struct naive_ws_header *out, struct wr_view input,
						  bool must_mask)
{
	struct naive_bits bits = {input, 0};
	uint64_t fin, reserved, opcode, mask, key;
	enum wr_status status;

	*out = (struct naive_ws_header){.opcode = 0};
	if (!naive_take_bits(&bits, 1, &fin))
		return WR_MORE;
	naive_take_bits(&bits, 3, &reserved);
	naive_take_bits(&bits, 4, &opcode);
	if (reserved != 0 || (opcode > 2 && opcode < 8) || opcode > 10 || (opcode >= 8 && fin == 0))
		return WR_SYNTAX;
	if (!naive_take_bits(&bits, 1, &mask))
		return WR_MORE;
	naive_take_bits(&bits, 7, &out->payload_bytes);
	if ((mask != 0) != must_mask || (opcode >= 8 && out->payload_bytes > 125))
		return WR_SYNTAX;
	out->is_final = fin != 0;
	out->is_masked = mask != 0;
	out->opcode = (unsigned)opcode;
	status = naive_ws_length(&bits, out);
	if (status != WR_OK)
		return status;
	if (out->is_masked && !naive_take_bits(&bits, 32, &key))
		return WR_MORE;
	out->header_bytes = bits.at / 8;
	return WR_OK;
}

#endif
