#include "codec/http/url.h"

enum { PORT_MAX = 65535, PORT_DIGITS_MAX = 5 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	c = wr_ascii_lower(c);
	return c >= 'a' && c <= 'z';
}

/* RFC 3986 3.2.2 reg-name without percent-encoding and sub-delims: what a host can be called. */
static bool is_name_char(char c)
{
	return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
}

static bool is_ipv6_char(char c)
{
	c = wr_ascii_lower(c);
	return is_digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
}

static bool take_scheme(struct wr_url *self, struct wr_view *rest)
{
	static const struct {
		struct wr_view text;
		bool is_secure, is_websocket;
	} schemes[] = {
		{WR_VIEW_INIT("http://"), false, false},
		{WR_VIEW_INIT("https://"), true, false},
		{WR_VIEW_INIT("ws://"), false, true},
		{WR_VIEW_INIT("wss://"), true, true},
	};

	for (unsigned i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		struct wr_view text = schemes[i].text;
		if (rest->bytes < text.bytes ||
		    !wr_view_equal_nocase(wr_view_of(rest->data, text.bytes), text))
			continue;
		self->is_secure = schemes[i].is_secure;
		self->is_websocket = schemes[i].is_websocket;
		*rest = wr_view_skip(*rest, text.bytes);
		return true;
	}
	return false;
}

static bool take_host(struct wr_url *self, struct wr_view *rest)
{
	size_t bytes = 0;

	self->is_ipv6 = rest->bytes != 0 && rest->data[0] == '[';
	if (self->is_ipv6)
		*rest = wr_view_skip(*rest, 1);
	while (bytes < rest->bytes &&
	       (self->is_ipv6 ? is_ipv6_char(rest->data[bytes]) : is_name_char(rest->data[bytes])))
		bytes++;
	self->host = wr_view_of(rest->data, bytes);
	*rest = wr_view_skip(*rest, bytes);
	if (bytes == 0)
		return false;
	if (!self->is_ipv6)
		return true;
	/* "::" is the shortest address. */
	if (bytes < 2 || rest->bytes == 0 || rest->data[0] != ']')
		return false;
	*rest = wr_view_skip(*rest, 1);
	return true;
}

static bool take_port(struct wr_url *self, struct wr_view *rest)
{
	uint32_t port = 0;
	size_t digits = 0;

	self->port = self->is_secure ? 443 : 80;
	if (rest->bytes == 0 || rest->data[0] != ':')
		return true;
	*rest = wr_view_skip(*rest, 1);
	for (; digits < rest->bytes && is_digit(rest->data[digits]); digits++) {
		if (digits == PORT_DIGITS_MAX)
			return false;
		port = port * 10 + (uint32_t)(rest->data[digits] - '0');
	}
	*rest = wr_view_skip(*rest, digits);
	self->port = (uint16_t)port;
	return port >= 1 && port <= PORT_MAX;
}

/* What is left is a path, or a query behind an empty one. */
static bool is_target(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++)
		if (text.data[i] <= 0x20 || text.data[i] >= 0x7f || text.data[i] == '#')
			return false;
	return text.data[0] == '/';
}

enum wr_status wr_url_parse(struct wr_url *self, struct wr_view text)
{
	struct wr_view rest = text;
	const char *authority;

	*self = (struct wr_url){.port = 0};
	if (!take_scheme(self, &rest))
		return WR_INVALID;
	authority = rest.data;
	if (!take_host(self, &rest) || !take_port(self, &rest))
		return WR_INVALID;
	self->authority = wr_view_of(authority, (size_t)(rest.data - authority));
	if (rest.bytes == 0)
		return WR_OK;
	self->target = rest;
	return is_target(rest) ? WR_OK : WR_INVALID;
}
