#include "codec/http/chars.h"

/* The sums of the classes, sixteen bytes a row; the unit test derives each from its grammar. */
/* clang-format off */
const uint8_t wr_http_chars[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	2, 151, 134, 7, 151, 135, 151, 151, 150, 150, 151, 151, 134, 159, 159, 134,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 134, 150, 134, 150, 134, 6,
	134, 223, 223, 223, 223, 223, 223, 159, 159, 159, 159, 159, 159, 159, 159, 159,
	159, 159, 159, 159, 159, 159, 159, 159, 159, 159, 159, 134, 134, 134, 135, 159,
	135, 223, 223, 223, 223, 223, 223, 159, 159, 159, 159, 159, 159, 159, 159, 159,
	159, 159, 159, 159, 159, 159, 159, 159, 159, 159, 159, 134, 135, 134, 159, 0,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
};
/* clang-format on */

/* wr_http_scan_class, four bytes at a time: Host comes with every request. */
static inline const char *scan_fours(const char *at, const char *end, unsigned class)
{
	for (; end - at >= 4; at += 4) {
		unsigned common = wr_http_chars[(uint8_t)at[0]] & wr_http_chars[(uint8_t)at[1]] &
				  wr_http_chars[(uint8_t)at[2]] & wr_http_chars[(uint8_t)at[3]];
		if ((common & class) == 0)
			break;
	}
	return wr_http_scan_class(at, end, class);
}

/* The first byte that is not plain in a host: of letters, digits, "-" and ".", which nearly every
 * one is made of. `base` is where readable bytes begin. */
#ifdef __SSE2__

/* A bit for each byte of a block that is not plain. */
static inline unsigned mask_plain_host(__m128i block)
{
	/* Moved to the bottom of the signed range; "-" and "." with "/" lie below the digits. */
	__m128i letter = _mm_add_epi8(_mm_or_si128(block, _mm_set1_epi8(0x20)),
				      _mm_set1_epi8((char)(0x80 - 'a')));
	__m128i digit = _mm_add_epi8(block, _mm_set1_epi8((char)(0x80 - '-')));
	__m128i good = _mm_or_si128(_mm_cmpgt_epi8(_mm_set1_epi8(-128 + 26), letter),
				    _mm_cmpgt_epi8(_mm_set1_epi8(-128 + 13), digit));

	good = _mm_andnot_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('/')), good);
	return (unsigned)_mm_movemask_epi8(good) ^ 0xffff;
}

static inline const char *skip_plain(const char *base, const char *at, const char *end)
{
	unsigned mask;

	for (; end - at >= WR_HTTP_BLOCK_BYTES; at += WR_HTTP_BLOCK_BYTES) {
		mask = mask_plain_host(wr_http_load_block(at));
		if (mask != 0)
			return at + __builtin_ctz(mask);
	}
	if (end - base < WR_HTTP_BLOCK_BYTES)
		return at;
	mask = wr_http_mask_behind(mask_plain_host(wr_http_load_block(end - WR_HTTP_BLOCK_BYTES)),
				   at, end);
	return mask != 0 ? at + __builtin_ctz(mask) : end;
}

#else

static inline const char *skip_plain(const char *base, const char *at, const char *end)
{
	(void)base;
	(void)end;
	return at;
}

#endif

/* 1 to 5 digits, up to 65535. */
static bool is_port(const char *at, const char *end)
{
	enum { DIGITS_MAX = 5 };
	unsigned value = 0;

	if (at == end || end - at > DIGITS_MAX)
		return false;
	for (; at < end; at++) {
		unsigned digit = (unsigned)(uint8_t)*at - '0';
		if (digit > 9)
			return false;
		value = value * 10 + digit;
	}
	return value <= 65535;
}

/* Behind an address in brackets: characters only, for nobody connects to what Host says. NULL when
 * it is none. Zone identifiers and IPvFuture have no business in a Host. */
static const char *skip_bracketed(const char *at, const char *end)
{
	const char *start = ++at;

	while (at < end && (wr_http_char_is(*at, WR_HTTP_CHAR_HEX) || *at == ':' || *at == '.'))
		at++;
	return at < end && *at == ']' && at - start >= 2 ? at + 1 : NULL;
}

/* Behind a registered name or IPv4 address; NULL when it has a bad escape. */
static const char *skip_name(const char *at, const char *end)
{
	for (;;) {
		if (at == end || *at == ':')
			return at;
		at = scan_fours(at, end, WR_HTTP_CHAR_HOST);
		if (at == end || *at != '%')
			return at;
		if (end - at < 3 || !wr_http_char_is(at[1], WR_HTTP_CHAR_HEX) ||
		    !wr_http_char_is(at[2], WR_HTTP_CHAR_HEX))
			return NULL;
		at += 3;
	}
}

bool wr_http_is_host_in(const char *base, struct wr_view text)
{
	const char *end, *at;

	if (text.bytes == 0)
		return false;
	end = text.data + text.bytes;
	if (WR_UNLIKELY(*text.data == '['))
		at = skip_bracketed(text.data, end);
	else
		at = skip_name(skip_plain(base, text.data, end), end);
	if (at == NULL || at == text.data)
		return false;
	return at == end || (*at == ':' && is_port(at + 1, end));
}
