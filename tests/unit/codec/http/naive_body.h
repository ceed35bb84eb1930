/* A second decoder of chunked bodies: one whole text, one byte after the other, by recursion-free
 * descent through RFC 9112 7.1. */
#ifndef WR_TESTS_NAIVE_BODY_H
#define WR_TESTS_NAIVE_BODY_H

#include <ctype.h>
#include <string.h>

#include "bytes/view.h"
#include "bounds.h"
#include "status.h"

struct naive_body {
	struct wr_view input;
	size_t at;
	size_t framing;
	bool is_framing; /* whether bytes count as such */
	enum wr_status status;
	char payload[65536];
	size_t payload_bytes;
};

/* The next byte, or -1 with the status why there is none. */
static int naive_next(struct naive_body *self)
{
	if (self->status != WR_OK)
		return -1;
	if (self->at == self->input.bytes) {
		self->status = WR_MORE;
		return -1;
	}
	if (self->is_framing && ++self->framing > 16384 + self->payload_bytes / 8) {
		self->status = WR_TOO_LARGE;
		return -1;
	}
	return (unsigned char)self->input.data[self->at++];
}

static void naive_bad(struct naive_body *self, enum wr_status status)
{
	if (self->status == WR_OK)
		self->status = status;
}

static void naive_expect(struct naive_body *self, char byte)
{
	int c = naive_next(self);

	if (c >= 0 && c != byte)
		naive_bad(self, WR_SYNTAX);
}

/* The size line; 0 also when it cannot be read. */
static uint64_t naive_size(struct naive_body *self)
{
	uint64_t size = 0;
	unsigned digits = 0, bytes = 0;
	bool in_space = false, in_extension = false;

	for (;;) {
		int c = naive_next(self);
		if (c < 0)
			return 0;
		if (c == '\r')
			break;
		if (++bytes > 32) {
			naive_bad(self, WR_TOO_LARGE);
		} else if (in_extension) {
			if ((c < 0x20 && c != '\t') || c == 0x7f)
				naive_bad(self, WR_SYNTAX);
		} else if (!in_space && isxdigit(c)) {
			if (++digits > 16)
				naive_bad(self, WR_TOO_LARGE);
			size = size * 16 + (uint64_t)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
		} else if (digits == 0) {
			naive_bad(self, WR_SYNTAX);
		} else if (c == ' ' || c == '\t') {
			in_space = true;
		} else if (c == ';') {
			in_extension = true;
		} else {
			naive_bad(self, WR_SYNTAX);
		}
	}
	if (digits == 0 || (in_space && !in_extension))
		naive_bad(self, WR_SYNTAX);
	naive_expect(self, '\n');
	return self->status == WR_OK ? size : 0;
}

/* The LF of a line that may not be the 16,385th byte since `start`. */
static void naive_trailer_lf(struct naive_body *self, size_t start)
{
	if (self->at < self->input.bytes && self->at - start >= 16384)
		naive_bad(self, WR_TOO_LARGE);
	naive_expect(self, '\n');
}

static void naive_trailers(struct naive_body *self)
{
	size_t start = self->at;

	self->is_framing = false;
	while (self->status == WR_OK) {
		bool is_name = true;
		for (size_t length = 0;; length++) {
			int c = naive_next(self);
			if (c >= 0 && self->at - start > 16384)
				naive_bad(self, WR_TOO_LARGE);
			if (self->status != WR_OK)
				return;
			if (c == '\r' && length == 0) {
				naive_trailer_lf(self, start);
				return;
			}
			if (c == '\r' && !is_name)
				break;
			if (c == ':' && length != 0 && is_name)
				is_name = false;
			else if (is_name && !isalnum(c) &&
				 (c == 0 || strchr("!#$%&'*+-.^_`|~", c) == NULL))
				naive_bad(self, WR_SYNTAX);
			else if (!is_name && ((c < 0x20 && c != '\t') || c == 0x7f))
				naive_bad(self, WR_SYNTAX);
		}
		naive_trailer_lf(self, start);
	}
}

/* WR_OK: `at` bytes were the body. */
static enum wr_status naive_decode(struct naive_body *self, struct wr_view input)
{
	self->input = input;
	self->at = self->framing = self->payload_bytes = 0;
	self->is_framing = true;
	self->status = WR_OK;
	for (;;) {
		uint64_t size = naive_size(self);
		if (self->status != WR_OK)
			return self->status;
		if (size == 0)
			break;
		if (size > UINT64_MAX - self->payload_bytes)
			return WR_TOO_LARGE;
		self->is_framing = false;
		for (uint64_t i = 0; i < size; i++) {
			int c = naive_next(self);
			if (c < 0)
				return self->status;
			if (self->payload_bytes < sizeof self->payload)
				self->payload[self->payload_bytes] = (char)c;
			self->payload_bytes++;
		}
		self->is_framing = true;
		naive_expect(self, '\r');
		naive_expect(self, '\n');
	}
	naive_trailers(self);
	return self->status;
}

#endif
