/*
 * naive/target — request targets and URLs for the second time: RFC 9112 3.2 and RFC 3986 with
 * copies and the string functions of libc, nothing of codec/http. For texts without NUL of a few
 * KiB.
 */
#ifndef WR_TESTS_NAIVE_TARGET_H
#define WR_TESTS_NAIVE_TARGET_H

#include "bytes/view.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAIVE_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAIVE_DIGITS "0123456789"
#define NAIVE_HEX "0123456789abcdefABCDEF"
#define NAIVE_UNRESERVED NAIVE_LETTERS NAIVE_DIGITS "-._~"

enum { NAIVE_TEXT_BYTES = 8192 };

/* A string that can be taken apart; the last three are kept. NULL: not one of ours. */
static inline char *naive_copy(struct wr_view text)
{
	static char copies[3][NAIVE_TEXT_BYTES + 1];
	static unsigned next;
	char *copy = copies[next++ % 3];

	if (text.bytes > NAIVE_TEXT_BYTES ||
	    (text.bytes != 0 && memchr(text.data, 0, text.bytes) != NULL))
		return NULL;
	if (text.bytes != 0)
		memcpy(copy, text.data, text.bytes);
	copy[text.bytes] = '\0';
	return copy;
}

static inline bool naive_is_visible(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x21 || *text > 0x7e)
			return false;
	return true;
}

/* The rest behind a prefix in any case, or NULL. */
static inline const char *naive_behind(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0 ? text + strlen(prefix) : NULL;
}

/* One to five digits up to 65535, and nothing else. */
static inline bool naive_is_port(const char *text)
{
	size_t digits = strspn(text, NAIVE_DIGITS);

	return digits >= 1 && digits <= 5 && text[digits] == '\0' && atol(text) <= 65535;
}

/* What an authority may be in a request target: the Host of RFC 9110 7.2 with reg-name as we take
 * it, so no user information and no list. */
static inline bool naive_is_authority(struct wr_view text)
{
	char *copy = naive_copy(text), *port = NULL;
	size_t bytes;

	if (copy == NULL || *copy == '\0')
		return false;
	if (*copy == '[') {
		bytes = 1 + strspn(copy + 1, NAIVE_HEX ":.");
		/* "::" is the shortest address. */
		if (bytes < 3 || copy[bytes] != ']')
			return false;
		port = copy + bytes + 1;
		return *port == '\0' || (*port == ':' && naive_is_port(port + 1));
	}
	port = strchr(copy, ':');
	if (port != NULL)
		*port++ = '\0';
	for (char *at = copy; (at = strchr(at, '%')) != NULL; at++)
		if (strspn(at + 1, NAIVE_HEX) < 2)
			return false;
	bytes = strspn(copy, NAIVE_UNRESERVED "!$&'()*+;=%");
	return bytes != 0 && copy[bytes] == '\0' && (port == NULL || naive_is_port(port));
}

/* Whether it is a target of ours, and its path and query as offsets: path_bytes 0 is "/", query of
 * SIZE_MAX is absent. */
struct naive_target {
	size_t path, path_bytes, query, query_bytes;
};

static inline bool naive_target_split(struct naive_target *out, struct wr_view text)
{
	char *copy = naive_copy(text);
	const char *rest;
	size_t mark;

	*out = (struct naive_target){0, 0, SIZE_MAX, 0};
	if (copy == NULL || *copy == '\0' || !naive_is_visible(copy))
		return false;
	mark = strcspn(copy, "?");
	if (memchr(copy, '#', mark) != NULL)
		return false;
	if (copy[mark] == '?') {
		out->query = mark + 1;
		out->query_bytes = text.bytes - mark - 1;
		/* A fragment has no place in a target, not behind the query either. */
		if (strchr(copy + mark, '#') != NULL)
			return false;
	}
	copy[mark] = '\0';
	rest = copy;
	if (*copy != '/') {
		rest = naive_behind(copy, "http://");
		if (rest == NULL)
			rest = naive_behind(copy, "https://");
		if (rest == NULL)
			return false;
		if (!naive_is_authority(wr_view_of(rest, strcspn(rest, "/"))))
			return false;
		rest += strcspn(rest, "/");
	}
	out->path = (size_t)(rest - copy);
	out->path_bytes = strlen(rest);
	return true;
}

/* What wr_url_parse promises. */
static inline bool naive_is_url(struct wr_view text, bool *is_secure, bool *is_websocket,
				unsigned *port)
{
	static const char *const schemes[] = {"http://", "ws://", "https://", "wss://"};
	char *copy = naive_copy(text), *authority;
	const char *rest = NULL;
	size_t bytes;

	if (copy == NULL || !naive_is_visible(copy) || strchr(copy, '#') != NULL)
		return false;
	for (unsigned i = 0; i < 4 && rest == NULL; i++) {
		rest = naive_behind(copy, schemes[i]);
		*is_secure = i >= 2;
		*is_websocket = i % 2 != 0;
	}
	if (rest == NULL)
		return false;
	bytes = strcspn(rest, "/");
	authority = naive_copy(wr_view_of(rest, bytes));
	*port = *is_secure ? 443 : 80;
	bytes = *authority == '[' ? strspn(authority + 1, NAIVE_HEX ":.") + 1
				  : strspn(authority, NAIVE_LETTERS NAIVE_DIGITS "-._");
	if (*authority == '[' && (bytes < 3 || authority[bytes++] != ']'))
		return false;
	if (bytes == 0)
		return false;
	if (authority[bytes] == '\0')
		return true;
	if (authority[bytes] != ':' || !naive_is_port(authority + bytes + 1))
		return false;
	*port = (unsigned)atol(authority + bytes + 1);
	return *port != 0;
}

/* %XX and, of a form, +; an undecodable percent sign stays. */
static inline size_t naive_percent_decode(char *out, struct wr_view text, bool is_form)
{
	size_t count = 0;

	for (size_t i = 0; i < text.bytes; i++) {
		char digits[3] = {0}, c = text.data[i];

		if (c == '%' && i + 2 < text.bytes) {
			digits[0] = text.data[i + 1];
			digits[1] = text.data[i + 2];
		}
		if (strlen(digits) == 2 && strspn(digits, NAIVE_HEX) == 2) {
			c = (char)strtol(digits, NULL, 16);
			i += 2;
		} else if (c == '+' && is_form) {
			c = ' ';
		}
		out[count++] = c;
	}
	return count;
}

#endif
