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

/* 1 to 5 digits, up to 65535. */
static bool is_port(const char *at, const char *end)
{
	enum { DIGITS_MAX = 5 };
	const uint32_t most = 0x36353533; /* 6553 */
	uint32_t first;

	if (at == end || end - at > DIGITS_MAX || scan_fours(at, end, WR_HTTP_CHAR_DIGIT) != end)
		return false;
	if (end - at < DIGITS_MAX)
		return true;
	/* Of equal length, numbers are in the order of their digits. */
	first = wr_load_be32(at);
	return first < most || (first == most && at[4] <= '5');
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
		at = scan_fours(at, end, WR_HTTP_CHAR_HOST);
		if (at == end || *at != '%')
			return at;
		if (end - at < 3 || !wr_http_char_is(at[1], WR_HTTP_CHAR_HEX) ||
		    !wr_http_char_is(at[2], WR_HTTP_CHAR_HEX))
			return NULL;
		at += 3;
	}
}

bool wr_http_is_host(struct wr_view text)
{
	const char *end, *at;

	if (text.bytes == 0)
		return false;
	end = text.data + text.bytes;
	at = *text.data == '[' ? skip_bracketed(text.data, end) : skip_name(text.data, end);
	if (at == NULL || at == text.data)
		return false;
	return at == end || (*at == ':' && is_port(at + 1, end));
}
