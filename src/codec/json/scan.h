/*
 * json/scan — looking for the bytes of a string that need thought, many at a time.
 *
 * Almost every byte of a JSON string stands for itself. The reader looks for `"`, `\`, control
 * characters and bytes above 7F (which must be checked as UTF-8), the writer for the first three.
 * Sixteen bytes at a time with SSE2, else eight in an integer register. Private to this folder.
 */
#ifndef WR_CODEC_JSON_SCAN_H
#define WR_CODEC_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && defined(__GNUC__)
#define WR_JSON_SCAN_SSE2 1
#define WR_JSON_UNROLL_16 _Pragma("GCC unroll 16")
#include <emmintrin.h>
#else
#define WR_JSON_SCAN_SSE2 0
#endif

/* Whether the byte stands for itself in a string and is ASCII. */
static inline bool wr_json_is_plain_ascii(char c)
{
	uint8_t byte = (uint8_t)c;

	return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* Whether the writer may copy the byte as it is (RFC 8259 section 7). */
static inline bool wr_json_is_unescaped(char c)
{
	return (uint8_t)c >= 0x20 && c != '"' && c != '\\';
}

enum { WR_JSON_SCAN_BYTES = 16 };

#if WR_JSON_SCAN_SSE2

static inline __m128i wr_json_load(const char *from)
{
	return _mm_loadu_si128((const __m128i *)(const void *)from);
}

static inline __m128i wr_json_quotes(__m128i bytes)
{
	return _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
			    _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
}

/* One bit for each of the 16 bytes at `from` that is not plain ASCII. */
static inline unsigned wr_json_special_16(const char *from)
{
	__m128i bytes = wr_json_load(from);
	/* As signed numbers, bytes above 7F are below 20 too. */
	__m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, wr_json_quotes(bytes)));
}

/* Copies 16 bytes; one bit for each that must be escaped. */
static inline unsigned wr_json_copy_16(char *to, const char *from)
{
	__m128i bytes = wr_json_load(from);
	__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);

	_mm_storeu_si128((__m128i *)(void *)to, bytes);
	return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, wr_json_quotes(bytes)));
}

#endif

#define WR_JSON_EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Non-zero when one of the bytes is `"`, `\` or a control character. The classic test for a zero
 * byte may also hit a byte above a true hit, never without one. */
static inline uint64_t wr_json_word_escapes(uint64_t word)
{
	uint64_t quote = word ^ WR_JSON_EACH_BYTE('"');
	uint64_t backslash = word ^ WR_JSON_EACH_BYTE('\\');
	uint64_t hits = ((quote - WR_JSON_EACH_BYTE(1)) & ~quote) |
			((backslash - WR_JSON_EACH_BYTE(1)) & ~backslash) |
			((word - WR_JSON_EACH_BYTE(0x20)) & ~word);

	return hits & WR_JSON_EACH_BYTE(0x80);
}

static inline uint64_t wr_json_load_word(const char *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof word);
	return word;
}

/* The first of WR_JSON_SCAN_BYTES bytes that is not plain ASCII, or the byte behind them. Which one
 * it is, a run of branches finds out: the processor guesses them and goes on, while the place of
 * all that follows would have to wait for a computed index. 165 ns against 245 for a command of 53
 * tokens. */
static inline const char *wr_json_short_end(const char *at)
{
#if WR_JSON_SCAN_SSE2
	unsigned special = wr_json_special_16(at);

	WR_JSON_UNROLL_16
	for (unsigned i = 0; i < WR_JSON_SCAN_BYTES; i++)
		if ((special & 1u << i) != 0)
			return at + i;
#else
	for (unsigned i = 0; i < WR_JSON_SCAN_BYTES; i++)
		if (!wr_json_is_plain_ascii(at[i]))
			return at + i;
#endif
	return at + WR_JSON_SCAN_BYTES;
}

/* The first byte from `at` on that is not plain ASCII, or `end`. */
static inline const char *wr_json_plain_ascii_end(const char *at, const char *end)
{
#if WR_JSON_SCAN_SSE2
	while (end - at >= WR_JSON_SCAN_BYTES) {
		unsigned special = wr_json_special_16(at);

		if (special != 0)
			return at + __builtin_ctz(special);
		at += WR_JSON_SCAN_BYTES;
	}
#endif
	while (end - at >= 8) {
		uint64_t word = wr_json_load_word(at);

		if ((wr_json_word_escapes(word) | (word & WR_JSON_EACH_BYTE(0x80))) != 0)
			break;
		at += 8;
	}
	while (at < end && wr_json_is_plain_ascii(*at))
		at++;
	return at;
}

/* Copies bytes up to the first that must be escaped; returns how many. `to` has room for `bytes`
 * bytes, and what lies behind the copied ones may be overwritten. */
static inline size_t wr_json_copy_unescaped(char *to, const char *from, size_t bytes)
{
	size_t at = 0;

#if WR_JSON_SCAN_SSE2
	while (bytes - at >= WR_JSON_SCAN_BYTES) {
		unsigned special = wr_json_copy_16(to + at, from + at);

		if (special != 0)
			return at + (size_t)__builtin_ctz(special);
		at += WR_JSON_SCAN_BYTES;
	}
#endif
	while (bytes - at >= 8) {
		uint64_t word = wr_json_load_word(from + at);

		if (wr_json_word_escapes(word) != 0)
			break;
		memcpy(to + at, &word, sizeof word);
		at += 8;
	}
	for (; at < bytes && wr_json_is_unescaped(from[at]); at++)
		to[at] = from[at];
	return at;
}

#endif
