/*
 * json/scan — looking for the bytes of a string that need thought, many at a time.
 *
 * Almost every byte of a JSON string stands for itself. The reader looks for `"`, `\`, control
 * characters and bytes above 7F (which must be checked as UTF-8), the writer for the first three.
 * Sixteen bytes at a time with SSE2, else eight in an integer register. For this folder, and for
 * wire, which writes JSON from prepared pieces.
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

/* One bit for each of the bytes that must be escaped. */
static inline unsigned wr_json_escapes_16(__m128i bytes)
{
	__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);

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

/* The first byte from `at` on that is not plain ASCII, or `end`. The bytes from `begin` on may be
 * read, so that the last ones can be looked at together with what is before them. */
static inline const char *wr_json_plain_ascii_end(const char *begin, const char *at,
						  const char *end)
{
#if WR_JSON_SCAN_SSE2
	if (end - begin >= WR_JSON_SCAN_BYTES) {
		const char *last = end - WR_JSON_SCAN_BYTES;

		for (;; at += WR_JSON_SCAN_BYTES) {
			const char *from = at < last ? at : last;
			unsigned special = wr_json_special_16(from) >> (at - from);

			if (special != 0)
				return at + __builtin_ctz(special);
			if (at >= last)
				return end;
		}
	}
#else
	(void)begin;
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

/* Whether one of the 16 bytes must be escaped. */
static inline bool wr_json_words_escape(uint64_t one, uint64_t two)
{
#if WR_JSON_SCAN_SSE2
	return wr_json_escapes_16(_mm_set_epi64x((long long)two, (long long)one)) != 0;
#else
	return (wr_json_word_escapes(one) | wr_json_word_escapes(two)) != 0;
#endif
}

/* Copies 16 bytes; the place of the first that must be escaped, or 16. */
static inline size_t wr_json_copy_16(char *to, const char *from)
{
	size_t at = WR_JSON_SCAN_BYTES;
#if WR_JSON_SCAN_SSE2
	__m128i bytes = wr_json_load(from);
	unsigned escapes = wr_json_escapes_16(bytes);

	_mm_storeu_si128((__m128i *)(void *)to, bytes);
	if (escapes != 0)
		at = (size_t)__builtin_ctz(escapes);
#else
	uint64_t first = wr_json_load_word(from), last = wr_json_load_word(from + 8);

	memcpy(to, &first, 8);
	memcpy(to + 8, &last, 8);
	if (wr_json_words_escape(first, last))
		for (at = 0; wr_json_is_unescaped(from[at]);)
			at++;
#endif
	return at;
}

/* Copies 1 to 15 bytes; whether one of them must be escaped. What is shorter than a word is looked
 * at as one: its first and its last bytes, which may be the same. */
static inline bool wr_json_copy_short(char *to, const char *from, size_t bytes)
{
	uint64_t first, last;

	if (bytes >= 8) {
		first = wr_json_load_word(from);
		last = wr_json_load_word(from + bytes - 8);
		memcpy(to, &first, 8);
		memcpy(to + bytes - 8, &last, 8);
	} else if (bytes >= 4) {
		uint32_t front, back;

		memcpy(&front, from, 4);
		memcpy(&back, from + bytes - 4, 4);
		memcpy(to, &front, 4);
		memcpy(to + bytes - 4, &back, 4);
		first = last = (uint64_t)back << 32 | front;
	} else {
		uint8_t front = (uint8_t)from[0], middle = (uint8_t)from[bytes / 2],
			back = (uint8_t)from[bytes - 1];

		to[0] = (char)front;
		to[bytes / 2] = (char)middle;
		to[bytes - 1] = (char)back;
		first = last = (WR_JSON_EACH_BYTE(' ') << 24) | (uint64_t)back << 16 |
			       (uint64_t)middle << 8 | front;
	}
	return wr_json_words_escape(first, last);
}

/* Copies bytes up to the first that must be escaped; returns how many. `to` has room for `bytes`
 * bytes, and what lies behind the copied ones may be overwritten. The last bytes are looked at as
 * part of a whole word, together with some before them, not one by one. */
static inline size_t wr_json_copy_unescaped(char *to, const char *from, size_t bytes)
{
	size_t at = 0, plain;

	if (bytes >= WR_JSON_SCAN_BYTES) {
		for (; bytes - at > WR_JSON_SCAN_BYTES; at += WR_JSON_SCAN_BYTES) {
			plain = wr_json_copy_16(to + at, from + at);
			if (plain < WR_JSON_SCAN_BYTES)
				return at + plain;
		}
		at = bytes - WR_JSON_SCAN_BYTES;
		return at + wr_json_copy_16(to + at, from + at);
	}
	if (bytes == 0 || !wr_json_copy_short(to, from, bytes))
		return bytes;
	while (wr_json_is_unescaped(from[at]))
		at++; /* one of them is not */
	return at;
}

#endif
