#include "codec/http/chars.h"

/* The sums of the classes, sixteen bytes a row; the unit test derives each from its grammar. */
/* clang-format off */
const uint8_t wr_http_chars[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	2, 23, 6, 7, 23, 7, 23, 23, 22, 22, 23, 23, 6, 31, 31, 6,
	127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 6, 22, 6, 22, 6, 6,
	6, 95, 95, 95, 95, 95, 95, 31, 31, 31, 31, 31, 31, 31, 31, 31,
	31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 6, 6, 6, 7, 31,
	7, 95, 95, 95, 95, 95, 95, 31, 31, 31, 31, 31, 31, 31, 31, 31,
	31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 6, 7, 6, 31, 0,
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

/* 1 to 5 digits, up to 65535. */
static bool is_port(const char *at, const char *end)
{
	uint32_t port = 0;

	if (at == end || end - at > 5)
		return false;
	for (; at < end; at++) {
		uint32_t digit = (uint32_t)(uint8_t)*at - '0';

		if (digit > 9)
			return false;
		port = port * 10 + digit;
	}
	return port <= 65535;
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
		at = wr_http_scan_class(at, end, WR_HTTP_CHAR_HOST);
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
