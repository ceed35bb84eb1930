/*
 * naive/sse — text/event-stream for the second time: the whole text at once, taken apart by the
 * productions of WHATWG HTML 9.2.5 and the steps of 9.2.6, one after the other. What happened is
 * told to a function: each event, then the end.
 */
#ifndef WR_TESTS_NAIVE_SSE_H
#define WR_TESTS_NAIVE_SSE_H

#include "bytes/view.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct naive_sse_limits {
	size_t line_bytes_max, data_bytes_max, name_bytes_max;
};

typedef void naive_sse_fn(void *context, struct wr_view type, struct wr_view data,
			  struct wr_view id);

struct naive_sse {
	struct naive_sse_limits limits;
	naive_sse_fn *fn;
	void *context;
	char *data;
	size_t data_bytes;
	struct wr_view type, id;
};

static inline bool naive_sse_is(struct wr_view name, const char *word)
{
	return name.bytes == strlen(word) && memcmp(name.data, word, name.bytes) == 0;
}

/* One line. False: over a limit. */
static inline bool naive_sse_line(struct naive_sse *self, struct wr_view line)
{
	size_t colon = 0;
	struct wr_view name, value;

	if (line.bytes > self->limits.line_bytes_max)
		return false;
	if (line.bytes == 0) {
		if (self->data_bytes != 0)
			self->fn(self->context, self->type,
				 wr_view_of(self->data, self->data_bytes - 1), self->id);
		self->data_bytes = 0;
		self->type = WR_VIEW_NULL;
		return true;
	}
	while (colon < line.bytes && line.data[colon] != ':')
		colon++;
	name = wr_view_of(line.data, colon);
	value = colon == line.bytes ? wr_view_of(line.data, 0)
				    : wr_view_of(line.data + colon + 1, line.bytes - colon - 1);
	if (value.bytes > 0 && *value.data == ' ')
		value = wr_view_of(value.data + 1, value.bytes - 1);
	if (naive_sse_is(name, "event") || naive_sse_is(name, "id")) {
		bool is_id = name.bytes == 2;
		bool has_nul = false;

		for (size_t i = 0; i < value.bytes; i++)
			has_nul = has_nul || value.data[i] == 0;
		if (is_id && has_nul)
			return true;
		if (value.bytes > self->limits.name_bytes_max)
			return false;
		*(is_id ? &self->id : &self->type) = value;
	}
	if (naive_sse_is(name, "data")) {
		if (self->data_bytes + value.bytes + 1 > self->limits.data_bytes_max)
			return false;
		if (value.bytes != 0)
			memcpy(self->data + self->data_bytes, value.data, value.bytes);
		self->data_bytes += value.bytes;
		self->data[self->data_bytes++] = '\n';
	}
	return true;
}

/* False: something was over a limit; events before it were told. */
static inline bool naive_sse_read(struct naive_sse_limits limits, struct wr_view text,
				  naive_sse_fn *fn, void *context)
{
	struct naive_sse self = {.limits = limits, .fn = fn, .context = context};
	size_t at = 0;
	bool is_good = true;

	if (text.bytes >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	self.data = malloc(text.bytes + 1);
	while (is_good && self.data != NULL) {
		size_t end = at;

		while (end < text.bytes && text.data[end] != '\r' && text.data[end] != '\n')
			end++;
		if (end == text.bytes) { /* a line without an end is none, but has a length */
			is_good = end - at <= limits.line_bytes_max;
			break;
		}
		is_good = naive_sse_line(&self, wr_view_of(text.data + at, end - at));
		at = end + 1;
		if (text.data[end] == '\r' && at < text.bytes && text.data[at] == '\n')
			at++;
	}
	free(self.data);
	return is_good;
}

#endif
