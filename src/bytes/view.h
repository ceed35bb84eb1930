/*
 * view — a run of bytes that somebody else owns.
 *
 * Passed by value, never NUL-terminated, never freed. A view from a parser points into the parser's
 * input; the header of whoever lends one says how long it lives. An absent view has data NULL; an
 * empty one may have any data.
 */
#ifndef WR_BYTES_VIEW_H
#define WR_BYTES_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct wr_view {
	const char *data;
	size_t bytes;
};

#define WR_VIEW_NULL ((struct wr_view){NULL, 0})

/* A view of a string literal: as an expression, and as an initialiser of static data. */
#define WR_VIEW_INIT(literal)                   \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}
#define WR_VIEW(literal) ((struct wr_view){"" literal, sizeof(literal) - 1})

static inline struct wr_view wr_view_of(const void *data, size_t bytes)
{
	return (struct wr_view){data, bytes};
}

/* A view of a C string, without its NUL. NULL gives the absent view. */
static inline struct wr_view wr_view_of_string(const char *string)
{
	return (struct wr_view){string, string != NULL ? strlen(string) : 0};
}

static inline bool wr_view_equal(struct wr_view a, struct wr_view b)
{
	return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.data, b.data, a.bytes) == 0);
}

static inline bool wr_view_starts(struct wr_view view, struct wr_view prefix)
{
	return view.bytes >= prefix.bytes &&
	       (prefix.bytes == 0 || memcmp(view.data, prefix.data, prefix.bytes) == 0);
}

/* The rest after the first `bytes` bytes; `bytes` is at most view.bytes. */
static inline struct wr_view wr_view_skip(struct wr_view view, size_t bytes)
{
	return (struct wr_view){view.data + bytes, view.bytes - bytes};
}

static inline char wr_ascii_lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Equal but for the case of ASCII letters (RFC 9110 field names, schemes, tokens). */
bool wr_view_equal_nocase(struct wr_view a, struct wr_view b);

/* Bytewise order: negative, 0 or positive. A prefix comes before what it begins. */
int wr_view_compare(struct wr_view a, struct wr_view b);

#endif
