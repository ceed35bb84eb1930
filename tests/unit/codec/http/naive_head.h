/* A second parser of heads: slow, whole texts only, written from the RFC and not from head.c, so
 * that each can catch the other. It splits into lines, keeps all fields, and asks its questions at
 * the end by counting names. */
#ifndef WR_TESTS_NAIVE_HEAD_H
#define WR_TESTS_NAIVE_HEAD_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "codec/http/head.h"

enum { NAIVE_FIELDS_MAX = 100 };

struct naive_head {
	size_t bytes;
	struct wr_view first[3]; /* the parts of the start line */
	struct wr_view names[NAIVE_FIELDS_MAX], values[NAIVE_FIELDS_MAX];
	size_t count;
	bool is_chunked, has_length, is_keep_alive, has_upgrade, expects;
	uint64_t length;
};

static bool naive_is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool naive_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool naive_is_one_of(int c, const char *set)
{
	return c > 0 && c < 128 && strchr(set, c) != NULL;
}

static bool naive_is_token(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++) {
		int c = (unsigned char)text.data[i];
		if (!naive_is_letter(c) && !naive_is_digit(c) &&
		    !naive_is_one_of(c, "!#$%&'*+-.^_`|~"))
			return false;
	}
	return text.bytes != 0;
}

static bool naive_is_target(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++)
		if ((unsigned char)text.data[i] <= 0x20 || (unsigned char)text.data[i] >= 0x7f)
			return false;
	return text.bytes != 0 && text.bytes <= 8192;
}

static bool naive_is_text(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++) {
		int c = (unsigned char)text.data[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* "name", "name:1", "[::]", "[::]:1". */
static bool naive_is_host(struct wr_view text)
{
	char copy[8200], *port, *rest;
	size_t length;

	if (text.bytes == 0 || text.bytes >= sizeof copy)
		return false;
	memcpy(copy, text.data, text.bytes);
	copy[text.bytes] = '\0';
	if (strlen(copy) != text.bytes)
		return false;
	if (copy[0] == '[') {
		length = strspn(copy + 1, "0123456789abcdefABCDEF:.");
		if (length < 2 || copy[1 + length] != ']')
			return false;
		rest = copy + 1 + length + 1;
		if (*rest != '\0' && *rest != ':')
			return false;
		port = *rest == ':' ? rest : NULL;
	} else {
		port = strchr(copy, ':');
		if (port != NULL)
			*port = '\0';
		length = strlen(copy);
		if (length == 0 ||
		    strspn(copy, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "-._~!$&'()*+;=%") != length)
			return false;
		for (char *percent = copy; (percent = strchr(percent, '%')) != NULL; percent++)
			if (strspn(percent + 1, "0123456789abcdefABCDEF") < 2)
				return false;
	}
	if (port == NULL)
		return true;
	length = strlen(port + 1);
	return length >= 1 && length <= 5 && strspn(port + 1, "0123456789") == length &&
	       (length < 5 || strcmp(port + 1, "65535") <= 0);
}

static bool naive_is_named(struct wr_view text, const char *name)
{
	return text.bytes == strlen(name) && strncasecmp(text.data, name, text.bytes) == 0;
}

static size_t naive_count(const struct naive_head *head, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < head->count; i++)
		count += naive_is_named(head->names[i], name);
	return count;
}

static struct wr_view naive_find(const struct naive_head *head, const char *name)
{
	for (size_t i = 0; i < head->count; i++)
		if (naive_is_named(head->names[i], name))
			return head->values[i];
	return WR_VIEW_NULL;
}

static struct wr_view naive_trim(struct wr_view text)
{
	while (text.bytes != 0 && naive_is_one_of(text.data[text.bytes - 1], " \t"))
		text.bytes--;
	while (text.bytes != 0 && naive_is_one_of(text.data[0], " \t"))
		text = wr_view_skip(text, 1);
	return text;
}

/* Whether a Connection line names the option. */
static bool naive_has_option(const struct naive_head *head, const char *option)
{
	for (size_t i = 0; i < head->count; i++) {
		size_t from = 0;
		if (!naive_is_named(head->names[i], "Connection"))
			continue;
		for (size_t at = 0; at <= head->values[i].bytes; at++) {
			if (at < head->values[i].bytes && head->values[i].data[at] != ',')
				continue;
			if (naive_is_named(
				    naive_trim(wr_view_of(head->values[i].data + from, at - from)),
				    option))
				return true;
			from = at + 1;
		}
	}
	return false;
}

static bool naive_read_length(uint64_t *out, struct wr_view text)
{
	static const char max[] = "18446744073709551615";

	if (text.bytes == 0)
		return false;
	for (size_t i = 0; i < text.bytes; i++)
		if (!naive_is_digit(text.data[i]))
			return false;
	while (text.bytes > 1 && text.data[0] == '0')
		text = wr_view_skip(text, 1);
	if (text.bytes > 20 || (text.bytes == 20 && memcmp(text.data, max, 20) > 0))
		return false;
	*out = 0;
	for (size_t i = 0; i < text.bytes; i++)
		*out = *out * 10 + (uint64_t)(text.data[i] - '0');
	return true;
}

/* Exactly three parts between exactly two spaces; the third of a response has whatever follows. */
static bool naive_split(struct naive_head *head, struct wr_view line, bool is_request)
{
	for (int i = 0; i < 2; i++) {
		const char *space = memchr(line.data, ' ', line.bytes);
		if (space == NULL)
			return false;
		head->first[i] = wr_view_of(line.data, (size_t)(space - line.data));
		line = wr_view_skip(line, head->first[i].bytes + 1);
	}
	head->first[2] = line;
	return !is_request || memchr(line.data, ' ', line.bytes) == NULL;
}

static bool naive_start(struct naive_head *head, struct wr_view line, bool is_request, bool *is_old)
{
	struct wr_view version;

	if (!naive_split(head, line, is_request))
		return false;
	version = head->first[is_request ? 2 : 0];
	*is_old = wr_view_equal(version, WR_VIEW("HTTP/1.0"));
	if (!*is_old && !wr_view_equal(version, WR_VIEW("HTTP/1.1")))
		return false;
	if (is_request)
		return naive_is_token(head->first[0]) && head->first[0].bytes <= 32 &&
		       naive_is_target(head->first[1]);
	return head->first[1].bytes == 3 && strspn(head->first[1].data, "0123456789") >= 3 &&
	       head->first[1].data[0] >= '1' && head->first[1].data[0] <= '5' &&
	       naive_is_text(head->first[2]) && line.bytes <= 8192;
}

static bool naive_field(struct naive_head *head, struct wr_view line)
{
	const char *colon = memchr(line.data, ':', line.bytes);
	size_t bytes = colon == NULL ? 0 : (size_t)(colon - line.data);

	if (colon == NULL || line.bytes > 8192 || head->count == NAIVE_FIELDS_MAX)
		return false;
	head->names[head->count] = wr_view_of(line.data, bytes);
	head->values[head->count] = naive_trim(wr_view_skip(line, bytes + 1));
	head->count++;
	return naive_is_token(wr_view_of(line.data, bytes)) && naive_is_text(line);
}

static bool naive_questions(struct naive_head *head, bool is_request, bool is_old)
{
	static const char *const once[] = {"Host",
					   "Content-Length",
					   "Transfer-Encoding",
					   "Authorization",
					   "Origin",
					   "Upgrade",
					   "Expect",
					   "Idempotency-Key",
					   "Sec-WebSocket-Key",
					   "Sec-WebSocket-Version",
					   "Sec-WebSocket-Protocol",
					   "Sec-WebSocket-Accept",
					   "Sec-WebSocket-Extensions"};

	for (size_t i = 0; i < sizeof once / sizeof *once; i++)
		if (naive_count(head, once[i]) > 1)
			return false;
	head->is_chunked = naive_count(head, "Transfer-Encoding") == 1;
	head->has_length = naive_count(head, "Content-Length") == 1;
	if (head->is_chunked && (head->has_length || is_old ||
				 !naive_is_named(naive_find(head, "Transfer-Encoding"), "chunked")))
		return false;
	if (head->has_length &&
	    !naive_read_length(&head->length, naive_find(head, "Content-Length")))
		return false;
	if (is_request && naive_count(head, "Host") == 0 && !is_old)
		return false;
	if (is_request && naive_count(head, "Host") == 1 &&
	    !naive_is_host(naive_find(head, "Host")))
		return false;
	head->expects = is_request && !is_old && naive_count(head, "Expect") == 1;
	if (head->expects && !naive_is_named(naive_find(head, "Expect"), "100-continue"))
		return false;
	head->has_upgrade = naive_has_option(head, "upgrade");
	head->is_keep_alive = !naive_has_option(head, "close") &&
			      (!is_old || naive_has_option(head, "keep-alive"));
	return true;
}

/* Whether the text begins with a complete and acceptable head. */
static bool naive_parse(struct naive_head *head, struct wr_view text, bool is_request)
{
	bool is_old = false, is_first = true;
	size_t from = 0;

	memset(head, 0, sizeof *head);
	for (size_t at = 0; at + 1 < text.bytes && at + 1 < 16384; at++) {
		struct wr_view line = wr_view_of(text.data + from, at - from);

		if (text.data[at] != '\r' || text.data[at + 1] != '\n')
			continue;
		from = at + 2;
		head->bytes = from;
		if (is_first && !naive_start(head, line, is_request, &is_old))
			return false;
		if (!is_first && line.bytes == 0)
			return naive_questions(head, is_request, is_old);
		if (!is_first && !naive_field(head, line))
			return false;
		is_first = false;
	}
	return false;
}

#endif
