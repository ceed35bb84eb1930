#include "bytes/sha256.h"

#include "bytes/endian.h"

enum { BLOCK_BYTES = 64, LENGTH_AT = 56 };

/* FIPS 180-4 section 4.2.2. */
static const uint32_t constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static inline uint32_t rotate(uint32_t value, unsigned by)
{
	return value >> by | value << (32 - by);
}

/* Section 6.2.2 step 1: word `i` of the schedule, kept in sixteen words that are replaced as they
 * are used up. */
static inline uint32_t schedule(uint32_t w[16], unsigned i)
{
	uint32_t w15 = w[(i + 1) & 15], w2 = w[(i + 14) & 15];

	if (i >= 16) {
		w[i & 15] += w[(i + 9) & 15];
		w[i & 15] += rotate(w15, 7) ^ rotate(w15, 18) ^ w15 >> 3;
		w[i & 15] += rotate(w2, 17) ^ rotate(w2, 19) ^ w2 >> 10;
	}
	return w[i & 15];
}

/* Step 3. The variables change places by name, so that nothing is moved: `d` and `h` are set. */
#define ROUND(a, b, c, d, e, f, g, h, i)                                                     \
	do {                                                                                 \
		h += (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + \
		     constants[i] + schedule(w, i);                                          \
		d += h;                                                                      \
		h += (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +                        \
		     ((a & b) ^ (a & c) ^ (b & c));                                          \
	} while (0)

static void compress(uint32_t state[8], const uint8_t *block)
{
	uint32_t w[16];
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

	for (size_t i = 0; i < 16; i++)
		w[i] = wr_load_be32(block + 4 * i);
	for (unsigned i = 0; i < 64; i += 8) {
		ROUND(a, b, c, d, e, f, g, h, i);
		ROUND(h, a, b, c, d, e, f, g, i + 1);
		ROUND(g, h, a, b, c, d, e, f, i + 2);
		ROUND(f, g, h, a, b, c, d, e, i + 3);
		ROUND(e, f, g, h, a, b, c, d, i + 4);
		ROUND(d, e, f, g, h, a, b, c, i + 5);
		ROUND(c, d, e, f, g, h, a, b, i + 6);
		ROUND(b, c, d, e, f, g, h, a, i + 7);
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
	state[5] += f;
	state[6] += g;
	state[7] += h;
}

void wr_sha256_init(struct wr_sha256 *self)
{
	/* Section 5.3.3. */
	*self = (struct wr_sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void wr_sha256_feed(struct wr_sha256 *self, struct wr_view data)
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

void wr_sha256_finish(struct wr_sha256 *self, uint8_t out[WR_SHA256_BYTES])
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
	for (size_t i = 0; i < WR_SHA256_BYTES / 4; i++)
		wr_store_be32(out + 4 * i, self->state[i]);
}

void wr_sha256_of(uint8_t out[WR_SHA256_BYTES], struct wr_view data)
{
	struct wr_sha256 self;

	wr_sha256_init(&self);
	wr_sha256_feed(&self, data);
	wr_sha256_finish(&self, out);
}
