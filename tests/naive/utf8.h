/*
 * naive/utf8 — UTF-8 for the second time: by arithmetic, not by the table of RFC 3629. A character
 * is decoded as its first byte says, and is good when it needed that many bytes and is a scalar
 * value.
 */
#ifndef WR_TESTS_NAIVE_UTF8_H
#define WR_TESTS_NAIVE_UTF8_H

#include "bytes/view.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes of the character at the front, 0 when there is no whole good one. */
static inline size_t naive_utf8_scalar(struct wr_view text, uint32_t *scalar)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned first, ones = 0;
	size_t bytes;

	if (text.bytes == 0)
		return 0;
	first = (unsigned char)text.data[0];
	while (ones < 8 && (first << ones & 0x80) != 0)
		ones++;
	if (ones == 1 || ones > 4)
		return 0;
	bytes = ones == 0 ? 1 : ones;
	if (bytes > text.bytes)
		return 0;
	*scalar = first & (0xffu >> (ones == 0 ? 0 : ones + 1));
	for (size_t i = 1; i < bytes; i++) {
		unsigned next = (unsigned char)text.data[i];

		if (next / 64 != 2)
			return 0;
		*scalar = *scalar * 64 + next % 64;
	}
	if (*scalar < least[bytes] || *scalar > 0x10ffff || *scalar / 0x800 == 0xd800 / 0x800)
		return 0;
	return bytes;
}

/* Bytes of the longest good prefix of whole characters. */
static inline size_t naive_utf8_prefix(struct wr_view text)
{
	size_t at = 0, bytes;
	uint32_t scalar;

	while ((bytes = naive_utf8_scalar(wr_view_skip(text, at), &scalar)) != 0)
		at += bytes;
	return at;
}

/* Whether something can be put behind the 1 to 3 bytes that makes one good character of them: the
 * lowest and highest continuation bytes of every range are tried. */
static inline bool naive_utf8_can_begin(struct wr_view part)
{
	static const unsigned char tries[] = {0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf};
	char text[4];
	uint32_t scalar;

	if (part.bytes == 0 || part.bytes > 3)
		return part.bytes == 0;
	for (unsigned i = 0; i < 6 * 6 * 6; i++) {
		const unsigned char more[3] = {tries[i % 6], tries[i / 6 % 6], tries[i / 36]};

		memcpy(text, part.data, part.bytes);
		memcpy(text + part.bytes, more, 4 - part.bytes);
		if (naive_utf8_scalar(wr_view_of(text, 4), &scalar) > part.bytes)
			return true;
	}
	return false;
}

/* Unicode White_Space. */
static inline bool naive_is_white(uint32_t scalar)
{
	static const uint32_t white[] = {0x20,	 0x85,	 0xa0,	 0x1680, 0x2028,
					 0x2029, 0x202f, 0x205f, 0x3000};

	for (size_t i = 0; i < sizeof white / sizeof white[0]; i++)
		if (scalar == white[i])
			return true;
	return (scalar >= 0x09 && scalar <= 0x0d) || (scalar >= 0x2000 && scalar <= 0x200a);
}

#endif
