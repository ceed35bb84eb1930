/*
 * naive — a second opinion on what is JSON: RFC 8259 written down production by production, for
 * comparing verdicts. It looks at one byte at a time, recurses, and knows nothing of offsets.
 */
#ifndef WR_TESTS_UNIT_CODEC_JSON_NAIVE_H
#define WR_TESTS_UNIT_CODEC_JSON_NAIVE_H

#include "bytes/view.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct naive {
	const unsigned char *at, *end;
};

static inline bool naive_take(struct naive *self, unsigned char byte)
{
	if (self->at == self->end || *self->at != byte)
		return false;
	self->at++;
	return true;
}

static inline void naive_ws(struct naive *self)
{
	while (naive_take(self, 0x20) || naive_take(self, 0x09) || naive_take(self, 0x0a) ||
	       naive_take(self, 0x0d))
		;
}

static inline bool naive_range(struct naive *self, unsigned char low, unsigned char high)
{
	if (self->at == self->end || *self->at < low || *self->at > high)
		return false;
	self->at++;
	return true;
}

static inline bool naive_word(struct naive *self, const char *word)
{
	while (*word != 0)
		if (!naive_take(self, (unsigned char)*word++))
			return false;
	return true;
}

static inline bool naive_hex4(struct naive *self, uint32_t *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++) {
		char digit[2] = {0, 0};

		if (!naive_range(self, '0', '9') && !naive_range(self, 'a', 'f') &&
		    !naive_range(self, 'A', 'F'))
			return false;
		digit[0] = (char)self->at[-1];
		*unit = *unit * 16 + (uint32_t)strtoul(digit, NULL, 16);
	}
	return true;
}

static inline bool naive_escape(struct naive *self)
{
	uint32_t high, low;

	if (!naive_take(self, 'u'))
		return naive_take(self, '"') || naive_take(self, '\\') || naive_take(self, '/') ||
		       naive_take(self, 'b') || naive_take(self, 'f') || naive_take(self, 'n') ||
		       naive_take(self, 'r') || naive_take(self, 't');
	if (!naive_hex4(self, &high))
		return false;
	if (high < 0xd800 || high > 0xdfff)
		return true;
	return high < 0xdc00 && naive_word(self, "\\u") && naive_hex4(self, &low) &&
	       low >= 0xdc00 && low <= 0xdfff;
}

/* The table of RFC 3629 section 4. */
static inline bool naive_utf8(struct naive *self)
{
	const unsigned char *from = self->at;
	static const unsigned char rows[][8] = {
		{0xc2, 0xdf, 0x80, 0xbf, 0, 0, 0, 0},
		{0xe0, 0xe0, 0xa0, 0xbf, 0x80, 0xbf, 0, 0},
		{0xe1, 0xec, 0x80, 0xbf, 0x80, 0xbf, 0, 0},
		{0xed, 0xed, 0x80, 0x9f, 0x80, 0xbf, 0, 0},
		{0xee, 0xef, 0x80, 0xbf, 0x80, 0xbf, 0, 0},
		{0xf0, 0xf0, 0x90, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
		{0xf1, 0xf3, 0x80, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
		{0xf4, 0xf4, 0x80, 0x8f, 0x80, 0xbf, 0x80, 0xbf},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool is_good = true;

		for (size_t j = 0; j < 8 && rows[i][j] != 0 && is_good; j += 2)
			is_good = naive_range(self, rows[i][j], rows[i][j + 1]);
		if (is_good)
			return true;
		self->at = from;
	}
	return false;
}

static inline bool naive_string(struct naive *self)
{
	if (!naive_take(self, '"'))
		return false;
	while (!naive_take(self, '"')) {
		if (naive_take(self, '\\')) {
			if (!naive_escape(self))
				return false;
		} else if (!naive_range(self, 0x20, 0x7f) && !naive_utf8(self)) {
			return false;
		}
	}
	return true;
}

static inline bool naive_digits(struct naive *self)
{
	if (!naive_range(self, '0', '9'))
		return false;
	while (naive_range(self, '0', '9'))
		;
	return true;
}

static inline bool naive_number(struct naive *self)
{
	const unsigned char *from = self->at;

	naive_take(self, '-');
	if (!naive_take(self, '0') && !naive_digits(self))
		return false;
	if (naive_take(self, '.') && !naive_digits(self))
		return false;
	if (naive_take(self, 'e') || naive_take(self, 'E')) {
		if (!naive_take(self, '+'))
			naive_take(self, '-');
		if (!naive_digits(self))
			return false;
	}
	return self->at - from <= 256;
}

static inline bool naive_value(struct naive *self, unsigned depth);

static inline bool naive_members(struct naive *self, unsigned depth, unsigned char end,
				 bool has_names)
{
	naive_ws(self);
	if (naive_take(self, end))
		return true;
	do {
		if (has_names) {
			naive_ws(self);
			if (!naive_string(self))
				return false;
			naive_ws(self);
			if (!naive_take(self, ':'))
				return false;
		}
		if (!naive_value(self, depth))
			return false;
	} while (naive_take(self, ','));
	return naive_take(self, end);
}

static inline bool naive_value(struct naive *self, unsigned depth)
{
	bool is_good;

	naive_ws(self);
	if (self->at == self->end)
		return false;
	switch (*self->at) {
	case '{':
	case '[':
		if (depth == 128)
			return false;
		self->at++;
		is_good = naive_members(self, depth + 1, self->at[-1] == '{' ? '}' : ']',
					self->at[-1] == '{');
		break;
	case '"':
		is_good = naive_string(self);
		break;
	case 't':
		is_good = naive_word(self, "true");
		break;
	case 'f':
		is_good = naive_word(self, "false");
		break;
	case 'n':
		is_good = naive_word(self, "null");
		break;
	default:
		is_good = naive_number(self);
		break;
	}
	naive_ws(self);
	return is_good;
}

static inline bool naive_is_json(struct wr_view text)
{
	struct naive self = {(const unsigned char *)text.data, NULL};

	self.end = self.at + text.bytes;
	return naive_value(&self, 0) && self.at == self.end;
}

#endif
