/*
 * http/chars — which byte may stand where, and how far a run of such bytes goes.
 *
 * One table of classes for all of HTTP, and scanners over it. The scanners for values and targets
 * look at 16 bytes at a time with SSE2, else at 8 in a 64-bit word, and at the last few one by one;
 * they never read at or behind `end`.
 */
#ifndef WR_CODEC_HTTP_CHARS_H
#define WR_CODEC_HTTP_CHARS_H

#include "bytes/endian.h"
#include "bytes/view.h"
#include "check.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
	WR_HTTP_CHAR_TOKEN = 1,	     /* tchar, RFC 9110 5.6.2 */
	WR_HTTP_CHAR_VALUE = 2,	     /* HTAB, SP, VCHAR, obs-text, RFC 9110 5.5 */
	WR_HTTP_CHAR_TARGET = 4,     /* VCHAR: all that a request target may be made of */
	WR_HTTP_CHAR_UNRESERVED = 8, /* RFC 3986 2.3 */
	WR_HTTP_CHAR_HOST = 16,	     /* reg-name of RFC 3986 3.2.2 but for "%" and "," */
	WR_HTTP_CHAR_DIGIT = 32,
	WR_HTTP_CHAR_HEX = 64,
	WR_HTTP_CHAR_PLACE = 128 /* VCHAR but for "?" and "#", which end a path */
};

extern const uint8_t wr_http_chars[256];

static inline bool wr_http_char_is(char c, unsigned classes)
{
	return (wr_http_chars[(uint8_t)c] & classes) != 0;
}

/* The value of a hexadecimal digit, which `c` must be. */
static inline unsigned wr_http_hex_value(char c)
{
	return wr_http_char_is(c, WR_HTTP_CHAR_DIGIT) ? (unsigned)(c - '0')
						      : (unsigned)((c | 0x20) - 'a') + 10;
}

static inline bool wr_http_is_ows(char c)
{
	return c == ' ' || c == '\t';
}

/* The view without optional white space (RFC 9110 5.6.3) at either end. */
static inline struct wr_view wr_http_trim(struct wr_view view)
{
	while (view.bytes != 0 && wr_http_is_ows(view.data[0]))
		view = wr_view_skip(view, 1);
	while (view.bytes != 0 && wr_http_is_ows(view.data[view.bytes - 1]))
		view.bytes--;
	return view;
}

/* A host with an optional port, as Host and an authority have it (RFC 9110 7.2): not empty, no
 * userinfo, no list. `base`, in front of it or there, is where readable bytes begin. */
bool wr_http_is_host_in(const char *base, struct wr_view text);
static inline bool wr_http_is_host(struct wr_view text)
{
	return wr_http_is_host_in(text.data, text);
}

/* ---- scanners: the first byte in [at, end) that is not of the class, or end ---- */

static inline const char *wr_http_scan_class(const char *at, const char *end, unsigned class)
{
	while (at < end && wr_http_char_is(*at, class))
		at++;
	return at;
}

/* ---- eight bytes at a time: words that were loaded as little endian ---- */

/* The first of the bytes whose top bits are marks; there is one. */
static inline unsigned wr_http_first_mark(uint64_t marks)
{
#ifdef __GNUC__
	return (unsigned)__builtin_ctzll(marks) / 8;
#else
	unsigned place = 0;

	for (; (marks & 0x80) == 0; marks >>= 8)
		place++;
	return place;
#endif
}

/* Marks of letters and "-" are missing; all others are there. Sums of seven bits each, so that no
 * byte has a say in the next. */
static inline uint64_t wr_http_mark_name(uint64_t word)
{
	const uint64_t ones = UINT64_MAX / 255, tops = ones * 0x80;
	uint64_t low = word & ~tops, small = low | (ones * 0x20);
	uint64_t from_a = small + ones * (0x80 - 'a'), behind_z = small + ones * (0x7f - 'z');
	uint64_t but_dash = (low ^ (ones * '-')) + ones * 0x7f;

	return ((~from_a | behind_z) & but_dash & tops) | (word & tops);
}

/* In these the first mark is right, and whether there is any: a borrow can set one only behind it.
 */

/* Bytes that are no value's; of them also tabs. */
static inline uint64_t wr_http_mark_value(uint64_t word)
{
	const uint64_t ones = UINT64_MAX / 255, tops = ones * 0x80;
	uint64_t del = word ^ (ones * 0x7f);

	return (((word - ones * 0x20) & ~word) | ((del - ones) & ~del)) & tops;
}

/* Bytes that are no VCHAR. */
static inline uint64_t wr_http_mark_target(uint64_t word)
{
	const uint64_t ones = UINT64_MAX / 255, tops = ones * 0x80;
	uint64_t del = word ^ (ones * 0x7f);

	return (word | ((word - ones * 0x21) & ~word) | ((del - ones) & ~del)) & tops;
}

/* And "?" and "#". */
static inline uint64_t wr_http_mark_place(uint64_t word)
{
	const uint64_t ones = UINT64_MAX / 255, tops = ones * 0x80;
	uint64_t query = word ^ (ones * '?'), fragment = word ^ (ones * '#');

	return wr_http_mark_target(word) |
	       ((((query - ones) & ~query) | ((fragment - ones) & ~fragment)) & tops);
}

#ifdef __SSE2__

enum { WR_HTTP_BLOCK_BYTES = 16 };

static inline __m128i wr_http_load_block(const char *at)
{
	return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* Masks: a bit for each byte of a block that is not of the class (of values: or is a tab). */

static inline unsigned wr_http_mask_value(__m128i block)
{
	__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
	__m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, del));
}

static inline unsigned wr_http_mask_target(__m128i block)
{
	/* Signed: obs-text is negative, and so below a space too. */
	__m128i low = _mm_cmplt_epi8(block, _mm_set1_epi8('!'));
	__m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, del));
}

static inline unsigned wr_http_mask_place(__m128i block)
{
	__m128i query = _mm_cmpeq_epi8(block, _mm_set1_epi8('?'));
	__m128i fragment = _mm_cmpeq_epi8(block, _mm_set1_epi8('#'));

	return wr_http_mask_target(block) |
	       (unsigned)_mm_movemask_epi8(_mm_or_si128(query, fragment));
}

/* Of the mask of the last block before `end`: the bits of what is behind `at`, fewer than 16 bytes.
 * So the end of a run takes no loop when 16 bytes before it may be read. */
static inline unsigned wr_http_mask_behind(unsigned mask, const char *at, const char *end)
{
	return mask >> (WR_HTTP_BLOCK_BYTES - (end - at));
}

/* The first marked byte behind `at` that is no tab; NULL when there is none. */
static inline const char *wr_http_first_but_tab(const char *at, unsigned mask)
{
	for (; mask != 0; mask &= mask - 1) {
		const char *first = at + __builtin_ctz(mask);
		if (*first != '\t')
			return first;
	}
	return NULL;
}

/* `base`, in front of `at` or there, is where readable bytes begin. */
static inline const char *wr_http_scan_value_in(const char *base, const char *at, const char *end)
{
	const char *stop;

	for (; end - at >= WR_HTTP_BLOCK_BYTES; at += WR_HTTP_BLOCK_BYTES) {
		stop = wr_http_first_but_tab(at, wr_http_mask_value(wr_http_load_block(at)));
		if (stop != NULL)
			return stop;
	}
	if (end - base < WR_HTTP_BLOCK_BYTES)
		return wr_http_scan_class(at, end, WR_HTTP_CHAR_VALUE);
	stop = wr_http_first_but_tab(at, wr_http_mask_behind(wr_http_mask_value(wr_http_load_block(
								     end - WR_HTTP_BLOCK_BYTES)),
							     at, end));
	return stop != NULL ? stop : end;
}

static inline const char *wr_http_scan_target(const char *at, const char *end)
{
	for (; end - at >= WR_HTTP_BLOCK_BYTES; at += WR_HTTP_BLOCK_BYTES) {
		unsigned mask = wr_http_mask_target(wr_http_load_block(at));
		if (mask != 0)
			return at + __builtin_ctz(mask);
	}
	return wr_http_scan_class(at, end, WR_HTTP_CHAR_TARGET);
}

static inline const char *wr_http_scan_place_in(const char *base, const char *at, const char *end)
{
	unsigned mask;

	for (; end - at >= WR_HTTP_BLOCK_BYTES; at += WR_HTTP_BLOCK_BYTES) {
		mask = wr_http_mask_place(wr_http_load_block(at));
		if (mask != 0)
			return at + __builtin_ctz(mask);
	}
	if (end - base < WR_HTTP_BLOCK_BYTES)
		return wr_http_scan_class(at, end, WR_HTTP_CHAR_PLACE);
	mask = wr_http_mask_behind(
		wr_http_mask_place(wr_http_load_block(end - WR_HTTP_BLOCK_BYTES)), at, end);
	return mask != 0 ? at + __builtin_ctz(mask) : end;
}

/* Of a block, and of it with 0x20 set in each byte: a bit for each byte that is neither a letter
 * nor
 * "-". */
static inline unsigned wr_http_mask_plain_name(__m128i block, __m128i small)
{
	/* Letters, moved to the bottom of the signed range: -128 to -103. */
	__m128i moved = _mm_add_epi8(small, _mm_set1_epi8((char)(0x80 - 'a')));
	__m128i good = _mm_or_si128(_mm_cmpgt_epi8(_mm_set1_epi8(-128 + 26), moved),
				    _mm_cmpeq_epi8(block, _mm_set1_epi8('-')));

	return (unsigned)_mm_movemask_epi8(good) ^ 0xffff;
}

#else

static inline const char *wr_http_scan_value_in(const char *base, const char *at, const char *end)
{
	(void)base;
	while (end - at >= 8) {
		uint64_t marks = wr_http_mark_value(wr_load_le64(at));
		if (marks == 0) {
			at += 8;
			continue;
		}
		at += wr_http_first_mark(marks);
		if (*at != '\t')
			return at;
		at++;
	}
	return wr_http_scan_class(at, end, WR_HTTP_CHAR_VALUE);
}

static inline const char *wr_http_scan_target(const char *at, const char *end)
{
	for (; end - at >= 8; at += 8) {
		uint64_t marks = wr_http_mark_target(wr_load_le64(at));
		if (marks != 0)
			return at + wr_http_first_mark(marks);
	}
	return wr_http_scan_class(at, end, WR_HTTP_CHAR_TARGET);
}

static inline const char *wr_http_scan_place_in(const char *base, const char *at, const char *end)
{
	(void)base;
	for (; end - at >= 8; at += 8) {
		uint64_t marks = wr_http_mark_place(wr_load_le64(at));
		if (marks != 0)
			return at + wr_http_first_mark(marks);
	}
	return wr_http_scan_class(at, end, WR_HTTP_CHAR_PLACE);
}

#endif

static inline const char *wr_http_scan_value(const char *at, const char *end)
{
	return wr_http_scan_value_in(at, at, end);
}

static inline const char *wr_http_scan_place(const char *at, const char *end)
{
	return wr_http_scan_place_in(at, at, end);
}

#endif
