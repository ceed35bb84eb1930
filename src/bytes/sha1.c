#include "bytes/sha1.h"

#include "bytes/endian.h"

enum { BLOCK_BYTES = 64, LENGTH_AT = 56 };

static inline uint32_t rotate(uint32_t value, unsigned by)
{
	return value << by | value >> (32 - by);
}

/* FIPS 180-4 section 4.1.1 and 4.2.1: the function and the constant of a round, with its word. */
static inline uint32_t mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
	if (round < 20)
		return ((b & c) | (~b & d)) + 0x5a827999;
	if (round < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (round < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

/* Section 6.1.3: the schedule in sixteen words that are replaced as they are used up. */
static void compress(uint32_t state[5], const uint8_t *block)
{
	uint32_t w[16];
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

	for (unsigned i = 0; i < 16; i++)
		w[i] = wr_load_be32(block + (size_t)4 * i);
	for (unsigned i = 0; i < 80; i++) {
		uint32_t next;

		if (i >= 16)
			w[i & 15] = rotate(w[(i + 13) & 15] ^ w[(i + 8) & 15] ^ w[(i + 2) & 15] ^
						   w[i & 15],
					   1);
		next = rotate(a, 5) + mix(i, b, c, d) + e + w[i & 15];
		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = next;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
}

void wr_sha1_init(struct wr_sha1 *self)
{
	/* Section 5.3.1. */
	*self = (struct wr_sha1){
		.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
}

void wr_sha1_feed(struct wr_sha1 *self, struct wr_view data)
{
	size_t fill = (size_t)(self->bytes % BLOCK_BYTES);

	self->bytes += data.bytes;
	if (fill != 0 && data.bytes >= BLOCK_BYTES - fill) {
		memcpy(self->block + fill, data.data, BLOCK_BYTES - fill);
		compress(self->state, self->block);
		data = wr_view_skip(data, BLOCK_BYTES - fill);
		fill = 0;
	}
	if (fill == 0)
		for (; data.bytes >= BLOCK_BYTES; data = wr_view_skip(data, BLOCK_BYTES))
			compress(self->state, (const uint8_t *)data.data);
	if (data.bytes != 0)
		memcpy(self->block + fill, data.data, data.bytes);
}

void wr_sha1_finish(struct wr_sha1 *self, uint8_t out[WR_SHA1_BYTES])
{
	size_t fill = (size_t)(self->bytes % BLOCK_BYTES);

	/* Section 5.1.1: one bit, zeros, and the length in bits. */
	self->block[fill++] = 0x80;
	if (fill > LENGTH_AT) {
		memset(self->block + fill, 0, BLOCK_BYTES - fill);
		compress(self->state, self->block);
		fill = 0;
	}
	memset(self->block + fill, 0, LENGTH_AT - fill);
	wr_store_be64(self->block + LENGTH_AT, self->bytes << 3);
	compress(self->state, self->block);
	for (size_t i = 0; i < WR_SHA1_BYTES / 4; i++)
		wr_store_be32(out + 4 * i, self->state[i]);
}
