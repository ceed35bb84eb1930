#include "bytes/utf8.h"

#include "check.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * A shift automaton. Every byte belongs to one of twelve classes, every class has one 64-bit row,
 * and the row shifted right by the state begins with the next state: a step is two loads and one
 * shift, without a branch that foreign bytes could make unpredictable. States are therefore the
 * multiples of six below 64. Bits above the sixth are rubbish until masked; a shift looks at six
 * only, so the mask stands inside the shift and costs nothing on most machines.
 *
 *	state     expects (RFC 3629 section 4)
 *	ACCEPT    a first byte
 *	TAIL1-3   that many bytes 80..BF
 *	AFTER_E0  A0..BF, then one tail       (else overlong)
 *	AFTER_ED  80..9F, then one tail       (else a surrogate)
 *	AFTER_F0  90..BF, then two            (else overlong)
 *	AFTER_F4  80..8F, then two            (else above 10FFFF)
 */
enum {
	ACCEPT = 0,
	REJECT = 6,
	TAIL1 = 12,
	TAIL2 = 18,
	TAIL3 = 24,
	AFTER_E0 = 30,
	AFTER_ED = 36,
	AFTER_F0 = 42,
	AFTER_F4 = 48
};

/* Bytes that are looked at together: for ASCII, and by the automaton before it is asked for a
 * verdict. */
enum { WIDE_BYTES = 64, BLOCK_BYTES = 16 };

enum class {
	ASCII,
	TAIL_80_8F,
	TAIL_90_9F,
	TAIL_A0_BF,
	FIRST_OF_2,
	FIRST_E0,
	FIRST_OF_3,
	FIRST_ED,
	FIRST_F0,
	FIRST_OF_4,
	FIRST_F4,
	NEVER /* C0, C1, F5..FF */
};

#define TIMES_4(c) c, c, c, c
#define TIMES_16(c) TIMES_4(c), TIMES_4(c), TIMES_4(c), TIMES_4(c)

/* clang-format off */
static const uint8_t class_of[256] = {
	/* 00 */ TIMES_16(ASCII), TIMES_16(ASCII), TIMES_16(ASCII), TIMES_16(ASCII),
	/* 40 */ TIMES_16(ASCII), TIMES_16(ASCII), TIMES_16(ASCII), TIMES_16(ASCII),
	/* 80 */ TIMES_16(TAIL_80_8F),
	/* 90 */ TIMES_16(TAIL_90_9F),
	/* A0 */ TIMES_16(TAIL_A0_BF), TIMES_16(TAIL_A0_BF),
	/* C0 */ NEVER, NEVER, FIRST_OF_2, FIRST_OF_2,
	/* C4 */ TIMES_4(FIRST_OF_2), TIMES_4(FIRST_OF_2), TIMES_4(FIRST_OF_2),
	/* D0 */ TIMES_16(FIRST_OF_2),
	/* E0 */ FIRST_E0, TIMES_4(FIRST_OF_3), TIMES_4(FIRST_OF_3), TIMES_4(FIRST_OF_3),
	/* ED */ FIRST_ED, FIRST_OF_3, FIRST_OF_3,
	/* F0 */ FIRST_F0, FIRST_OF_4, FIRST_OF_4, FIRST_OF_4,
	/* F4 */ FIRST_F4, NEVER, NEVER, NEVER,
	/* F8 */ TIMES_4(NEVER), TIMES_4(NEVER)
};
/* clang-format on */

#define ROW(accept, tail1, tail2, tail3, e0, ed, f0, f4)                                          \
	((uint64_t)(accept) << ACCEPT | (uint64_t)REJECT << REJECT | (uint64_t)(tail1) << TAIL1 | \
	 (uint64_t)(tail2) << TAIL2 | (uint64_t)(tail3) << TAIL3 | (uint64_t)(e0) << AFTER_E0 |   \
	 (uint64_t)(ed) << AFTER_ED | (uint64_t)(f0) << AFTER_F0 | (uint64_t)(f4) << AFTER_F4)
#define FIRST(next) ROW(next, REJECT, REJECT, REJECT, REJECT, REJECT, REJECT, REJECT)

static const uint64_t row_of[] = {
	[ASCII] = FIRST(ACCEPT),
	[TAIL_80_8F] = ROW(REJECT, ACCEPT, TAIL1, TAIL2, REJECT, TAIL1, REJECT, TAIL2),
	[TAIL_90_9F] = ROW(REJECT, ACCEPT, TAIL1, TAIL2, REJECT, TAIL1, TAIL2, REJECT),
	[TAIL_A0_BF] = ROW(REJECT, ACCEPT, TAIL1, TAIL2, TAIL1, REJECT, TAIL2, REJECT),
	[FIRST_OF_2] = FIRST(TAIL1),
	[FIRST_E0] = FIRST(AFTER_E0),
	[FIRST_OF_3] = FIRST(TAIL2),
	[FIRST_ED] = FIRST(AFTER_ED),
	[FIRST_F0] = FIRST(AFTER_F0),
	[FIRST_OF_4] = FIRST(TAIL3),
	[FIRST_F4] = FIRST(AFTER_F4),
	[NEVER] = FIRST(REJECT),
};

static inline uint64_t step(uint64_t state, uint8_t byte)
{
	return row_of[class_of[byte]] >> (state & 63);
}

#ifdef __SSE2__

static inline __m128i load16(const uint8_t *from)
{
	return _mm_loadu_si128((const __m128i *)(const void *)from);
}

static inline bool is_ascii_wide(const uint8_t *data)
{
	__m128i low = _mm_or_si128(load16(data), load16(data + 16));
	__m128i high = _mm_or_si128(load16(data + 32), load16(data + 48));

	return _mm_movemask_epi8(_mm_or_si128(low, high)) == 0;
}

static inline bool is_ascii_block(const uint8_t *data)
{
	return _mm_movemask_epi8(load16(data)) == 0;
}

#else

static const uint64_t high_bits = UINT64_C(0x8080808080808080);

static inline uint64_t load8(const uint8_t *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof word);
	return word;
}

static inline bool is_ascii_wide(const uint8_t *data)
{
	uint64_t a = load8(data) | load8(data + 8) | load8(data + 16) | load8(data + 24);
	uint64_t b = load8(data + 32) | load8(data + 40) | load8(data + 48) | load8(data + 56);

	return ((a | b) & high_bits) == 0;
}

static inline bool is_ascii_block(const uint8_t *data)
{
	return ((load8(data) | load8(data + 8)) & high_bits) == 0;
}

#endif

/* The state after a whole block; REJECT if a byte of it was bad. */
static inline uint64_t step_block(uint64_t state, const uint8_t *data)
{
	for (size_t i = 0; i < BLOCK_BYTES; i++)
		state = step(state, data[i]);
	return state & 63;
}

/* Walks to the first bad byte or the end, which it returns; *state is then the one before that
 * byte. */
static size_t scan(wr_utf8_state *state, struct wr_view text)
{
	const uint8_t *data = (const uint8_t *)text.data;
	uint64_t now = *state;
	size_t at = 0;

	while (text.bytes - at >= BLOCK_BYTES) {
		uint64_t next = ACCEPT;

		if (now == ACCEPT)
			while (text.bytes - at >= WIDE_BYTES && is_ascii_wide(data + at))
				at += WIDE_BYTES;
		if (text.bytes - at < BLOCK_BYTES)
			break;
		if (now != ACCEPT || !is_ascii_block(data + at))
			next = step_block(now, data + at);
		if (next == REJECT)
			break; /* which byte it was, the loop below finds out */
		now = next;
		at += BLOCK_BYTES;
	}
	for (; at < text.bytes; at++) {
		uint64_t next = step(now, data[at]) & 63;

		if (next == REJECT)
			break;
		now = next;
	}
	*state = (wr_utf8_state)now;
	return at;
}

bool wr_utf8_feed(wr_utf8_state *state, struct wr_view bytes, size_t *bad)
{
	size_t end = scan(state, bytes);

	if (end == bytes.bytes)
		return true;
	*state = REJECT;
	if (bad != NULL)
		*bad = end;
	return false;
}

bool wr_utf8_is_valid(struct wr_view text)
{
	wr_utf8_state state = ACCEPT;

	return scan(&state, text) == text.bytes && state == ACCEPT;
}

size_t wr_utf8_valid_prefix(struct wr_view text)
{
	wr_utf8_state state = ACCEPT;
	size_t end = scan(&state, text);

	if (state == ACCEPT)
		return end;
	do {
		end--;
	} while (((uint8_t)text.data[end] & 0xc0) == 0x80);
	return end;
}

/* Bytes of the White_Space character at the front of `bytes` bytes; 0 when there is another. */
static size_t blank_bytes(const uint8_t *data, size_t bytes)
{
	uint32_t three;

	if (data[0] == 0x20 || (data[0] >= 0x09 && data[0] <= 0x0d))
		return 1;
	if (data[0] == 0xc2)
		return bytes >= 2 && (data[1] == 0x85 || data[1] == 0xa0) ? 2 : 0;
	if (bytes < 3)
		return 0;
	three = (uint32_t)data[0] << 16 | (uint32_t)data[1] << 8 | data[2];
	if (three >= 0xe28080 && three <= 0xe2808a) /* 2000-200A */
		return 3;
	if (three == 0xe19a80 || three == 0xe280a8 || three == 0xe280a9 || /* 1680 2028 2029 */
	    three == 0xe280af || three == 0xe2819f || three == 0xe38080)   /* 202F 205F 3000 */
		return 3;
	return 0;
}

bool wr_utf8_is_blank(struct wr_view text)
{
	const uint8_t *data = (const uint8_t *)text.data;
	size_t at = 0;

	/* What nearly every text begins with is no white space. */
	if (text.bytes != 0 && data[0] > 0x20 && data[0] < 0x80)
		return false;
	while (at < text.bytes) {
		size_t bytes = blank_bytes(data + at, text.bytes - at);

		if (bytes == 0)
			return false;
		at += bytes;
	}
	return true;
}

size_t wr_utf8_encode(char *out, uint32_t scalar)
{
	wr_assert(scalar <= 0x10ffff && (scalar < 0xd800 || scalar > 0xdfff));
	if (scalar < 0x80) {
		out[0] = (char)scalar;
		return 1;
	}
	if (scalar < 0x800) {
		out[0] = (char)(0xc0 | scalar >> 6);
		out[1] = (char)(0x80 | (scalar & 0x3f));
		return 2;
	}
	if (scalar < 0x10000) {
		out[0] = (char)(0xe0 | scalar >> 12);
		out[1] = (char)(0x80 | (scalar >> 6 & 0x3f));
		out[2] = (char)(0x80 | (scalar & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | scalar >> 18);
	out[1] = (char)(0x80 | (scalar >> 12 & 0x3f));
	out[2] = (char)(0x80 | (scalar >> 6 & 0x3f));
	out[3] = (char)(0x80 | (scalar & 0x3f));
	return 4;
}
