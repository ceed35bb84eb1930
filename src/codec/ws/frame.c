#include "codec/ws/frame.h"

#include "bytes/endian.h"
#include "check.h"
#include "bounds.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 *	byte 0          byte 1          then
 *	F R R R opcode  M length        2 bytes of length when it is 126, 8 when it is 127,
 *	                                4 bytes of mask when M is set          (RFC 6455 5.2)
 */
enum {
	FINAL_BIT = 0x80,
	RESERVED_BITS = 0x70,
	OPCODE_BITS = 0x0f,
	CONTROL_BIT = 0x08,
	MASKED_BIT = 0x80,
	LENGTH_BITS = 0x7f,
	LENGTH_IS_16_BITS = 126,
	LENGTH_IS_64_BITS = 127
};

/* 5.2, 5.4, 5.5: no extension gave the reserved bits a meaning, the opcode is one of six, and a
 * control frame is not fragmented. */
static bool first_byte_is_valid(uint8_t byte)
{
	uint8_t opcode = byte & OPCODE_BITS;

	if ((byte & RESERVED_BITS) != 0)
		return false;
	if ((opcode & CONTROL_BIT) == 0)
		return opcode <= WR_WS_OPCODE_BINARY;
	return opcode <= WR_WS_OPCODE_PONG && (byte & FINAL_BIT) != 0;
}

/* 5.1: clients mask, servers do not. 5.5: control payload fits the short form. */
static bool second_byte_is_valid(uint8_t first, uint8_t byte, enum wr_ws_role role)
{
	bool is_masked = (byte & MASKED_BIT) != 0;

	if (is_masked != (role == WR_WS_ROLE_SERVER))
		return false;
	return (first & CONTROL_BIT) == 0 || (byte & LENGTH_BITS) <= WR_WS_CONTROL_BYTES_MAX;
}

/* The long forms: minimal, and without bit 63 (5.2). `have` of the `want` bytes are there; false as
 * soon as no further byte can make it right. */
static bool long_length_is_valid(const uint8_t *bytes, size_t have, size_t want)
{
	static const uint8_t zeros[6];

	if (want == 2)
		return have < 2 || wr_load_be16(bytes) >= LENGTH_IS_16_BITS;
	if (have >= 1 && (bytes[0] & 0x80) != 0)
		return false;
	return have < sizeof zeros || memcmp(bytes, zeros, sizeof zeros) != 0;
}

enum wr_status wr_ws_frame_header_decode(struct wr_ws_frame_header *header, size_t *header_bytes,
					 struct wr_view input, enum wr_ws_role role)
{
	const uint8_t *bytes = (const uint8_t *)input.data;
	size_t length_bytes, mask_bytes, whole;
	uint8_t length;

	if (input.bytes >= 1 && !first_byte_is_valid(bytes[0]))
		return WR_SYNTAX;
	if (input.bytes < 2)
		return WR_MORE;
	if (!second_byte_is_valid(bytes[0], bytes[1], role))
		return WR_SYNTAX;
	length = bytes[1] & LENGTH_BITS;
	length_bytes = length == LENGTH_IS_64_BITS ? 8 : length == LENGTH_IS_16_BITS ? 2 : 0;
	if (length_bytes != 0 && !long_length_is_valid(bytes + 2, input.bytes - 2, length_bytes))
		return WR_SYNTAX;
	mask_bytes = role == WR_WS_ROLE_SERVER ? 4 : 0;
	whole = 2 + length_bytes + mask_bytes;
	if (input.bytes < whole)
		return WR_MORE;
	*header = (struct wr_ws_frame_header){
		.payload_bytes = length_bytes == 8   ? wr_load_be64(bytes + 2)
				 : length_bytes == 2 ? wr_load_be16(bytes + 2)
						     : length,
		.opcode = bytes[0] & OPCODE_BITS,
		.is_final = (bytes[0] & FINAL_BIT) != 0,
		.is_masked = mask_bytes != 0,
	};
	if (mask_bytes != 0)
		memcpy(header->mask, bytes + 2 + length_bytes, 4);
	*header_bytes = whole;
	return WR_OK;
}

size_t wr_ws_frame_header_encode(uint8_t out[WR_WS_FRAME_HEADER_BYTES_MAX],
				 const struct wr_ws_frame_header *header)
{
	uint8_t masked_bit = header->is_masked ? MASKED_BIT : 0;
	size_t used = wr_ws_frame_header_bytes(header->payload_bytes);

	out[0] = (uint8_t)((header->is_final ? FINAL_BIT : 0) | header->opcode);
	wr_assert(first_byte_is_valid(out[0]) && header->payload_bytes <= INT64_MAX);
	wr_assert((out[0] & CONTROL_BIT) == 0 || header->payload_bytes <= WR_WS_CONTROL_BYTES_MAX);
	if (used == 2) {
		out[1] = (uint8_t)(masked_bit | header->payload_bytes);
	} else if (used == 4) {
		out[1] = (uint8_t)(masked_bit | LENGTH_IS_16_BITS);
		wr_store_be16(out + 2, (uint16_t)header->payload_bytes);
	} else {
		out[1] = (uint8_t)(masked_bit | LENGTH_IS_64_BITS);
		wr_store_be64(out + 2, header->payload_bytes);
	}
	if (header->is_masked) {
		memcpy(out + used, header->mask, 4);
		used += 4;
	}
	return used;
}

static inline void mask_word(uint8_t *data, uint64_t key)
{
	uint64_t word;

	memcpy(&word, data, sizeof word);
	word ^= key;
	memcpy(data, &word, sizeof word);
}

/* 64 bytes a turn; loads and stores that take any address, because payload has any. The key is in
 * the order of memory, so that the byte order of the machine does not matter. Returns how many
 * bytes were done: all but less than 64. */
#ifdef __SSE2__

static size_t mask_blocks(uint8_t *data, size_t bytes, uint64_t key)
{
	__m128i keys = _mm_set1_epi64x((long long)key);
	size_t at = 0;

	for (; bytes - at >= 64; at += 64) {
		__m128i *to = (__m128i *)(void *)(data + at);
		__m128i a = _mm_xor_si128(_mm_loadu_si128(to), keys);
		__m128i b = _mm_xor_si128(_mm_loadu_si128(to + 1), keys);
		__m128i c = _mm_xor_si128(_mm_loadu_si128(to + 2), keys);
		__m128i d = _mm_xor_si128(_mm_loadu_si128(to + 3), keys);

		_mm_storeu_si128(to, a);
		_mm_storeu_si128(to + 1, b);
		_mm_storeu_si128(to + 2, c);
		_mm_storeu_si128(to + 3, d);
	}
	return at;
}

#else

static size_t mask_blocks(uint8_t *data, size_t bytes, uint64_t key)
{
	size_t at = 0;

	for (; bytes - at >= 64; at += 64) {
		mask_word(data + at, key);
		mask_word(data + at + 8, key);
		mask_word(data + at + 16, key);
		mask_word(data + at + 24, key);
		mask_word(data + at + 32, key);
		mask_word(data + at + 40, key);
		mask_word(data + at + 48, key);
		mask_word(data + at + 56, key);
	}
	return at;
}

#endif

void wr_ws_mask(void *data, size_t bytes, const uint8_t mask[4], uint64_t offset)
{
	uint8_t *to = data;
	uint8_t turned[8];
	unsigned by = (unsigned)(offset & 3) * 8;
	uint32_t once = wr_load_le32(mask);
	uint64_t key;
	size_t at = 0;

	/* Turned so that its first byte belongs to the first of `data`. In registers: building it
	 * byte by byte in memory would cost more than masking a short message. */
	if (by != 0)
		once = once >> by | once << (32 - by);
	wr_store_le64(turned, once | (uint64_t)once << 32);
	memcpy(&key, turned, sizeof key);
	if (bytes >= 64)
		at = mask_blocks(to, bytes, key);
	for (; bytes - at >= 8; at += 8)
		mask_word(to + at, key);
	for (; at < bytes; at++)
		to[at] ^= turned[at & 3];
}

bool wr_ws_close_code_is_valid(unsigned code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
	       (code >= 3000 && code <= 4999);
}
