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
	WR_HTTP_CHAR_HEX = 64
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
 * userinfo, no list. */
bool wr_http_is_host(struct wr_view text);

/* ---- scanners: the first byte in [at, end) that is not of the class, or end ---- */

static inline const char *wr_http_scan_class(const char *at, const char *end, unsigned class)
{
	while (at < end && wr_http_char_is(*at, class))
		at++;
	return at;
}

/* A word in which no byte is below 0x20, and none is 0x7f. Borrows can mark a wrong byte, but only
 * beside a right one, so the answer about the whole word is exact. */
static inline bool wr_http_word_is_plain(uint64_t word)
{
	const uint64_t ones = UINT64_MAX / 255, tops = ones * 0x80;
	uint64_t del = word ^ (ones * 0x7f);

	return ((((word - ones * 0x20) & ~word) | ((del - ones) & ~del)) & tops) == 0;
}

#ifdef __SSE2__

static inline __m128i wr_http_load_block(const char *at)
{
	return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static inline const char *wr_http_scan_value(const char *at, const char *end)
{
	while (end - at >= 16) {
		const char *last = end - 16;
		unsigned mask;

		do {
			__m128i block = wr_http_load_block(at);
			__m128i low =
				_mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
			__m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
			mask = (unsigned)_mm_movemask_epi8(_mm_or_si128(low, del));
			at += 16;
		} while (mask == 0 && at <= last);
		if (mask == 0)
			break;
		at += __builtin_ctz(mask) - 16;
		if (*at != '\t')
			return at;
		at++;
	}
	return wr_http_scan_class(at, end, WR_HTTP_CHAR_VALUE);
}

static inline const char *wr_http_scan_target(const char *at, const char *end)
{
	for (; end - at >= 16; at += 16) {
		__m128i block = wr_http_load_block(at);
		/* Signed: obs-text is negative, and so not above a space either. */
		__m128i good = _mm_andnot_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f)),
						_mm_cmpgt_epi8(block, _mm_set1_epi8(' ')));
		unsigned mask = (unsigned)_mm_movemask_epi8(good) ^ 0xffffu;

		if (mask != 0)
			return at + __builtin_ctz(mask);
	}
	return wr_http_scan_class(at, end, WR_HTTP_CHAR_TARGET);
}

/* Nearly every name is below 16 bytes of letters and "-"; the table has the last word on others. */
static inline const char *wr_http_scan_name(const char *at, const char *end)
{
	if (end - at >= 16) {
		__m128i block = wr_http_load_block(at);
		/* Letters, moved to the bottom of the signed range: -128 to -103. */
		__m128i moved = _mm_add_epi8(_mm_or_si128(block, _mm_set1_epi8(0x20)),
					     _mm_set1_epi8((char)(0x80 - 'a')));
		__m128i good = _mm_or_si128(_mm_cmpgt_epi8(_mm_set1_epi8(-128 + 26), moved),
					    _mm_cmpeq_epi8(block, _mm_set1_epi8('-')));
		unsigned mask = (unsigned)_mm_movemask_epi8(good) ^ 0xffffu;

		at += mask == 0 ? 16 : __builtin_ctz(mask);
		if (mask != 0 && *at == ':')
			return at;
	}
	return wr_http_scan_class(at, end, WR_HTTP_CHAR_TOKEN);
}

#else

static inline const char *wr_http_scan_value(const char *at, const char *end)
{
	for (;;) {
		while (end - at >= 8 && wr_http_word_is_plain(wr_load_le64(at)))
			at += 8;
		/* A tab stops the words only. */
		for (int i = 0; i < 8; i++, at++)
			if (at == end || !wr_http_char_is(*at, WR_HTTP_CHAR_VALUE))
				return at;
	}
}

static inline const char *wr_http_scan_target(const char *at, const char *end)
{
	return wr_http_scan_class(at, end, WR_HTTP_CHAR_TARGET);
}

static inline const char *wr_http_scan_name(const char *at, const char *end)
{
	return wr_http_scan_class(at, end, WR_HTTP_CHAR_TOKEN);
}

#endif

#endif
