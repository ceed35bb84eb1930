/*
 * naive/token — the 21 bytes of a cursor for the second time: RFC 4648 section 5 without padding,
 * bit by bit.
 */
#ifndef WR_TESTS_NAIVE_TOKEN_H
#define WR_TESTS_NAIVE_TOKEN_H

#include "bytes/view.h"

#include <stdint.h>
#include <string.h>

enum { NAIVE_TOKEN_BYTES = 21, NAIVE_TOKEN_LETTERS = 28 };

/* Whether the text is the prefix and 28 letters; these decoded. */
static inline bool naive_token(uint8_t out[NAIVE_TOKEN_BYTES], struct wr_view text,
			       const char *prefix)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t before = strlen(prefix);

	if (text.bytes != before + NAIVE_TOKEN_LETTERS || memcmp(text.data, prefix, before) != 0)
		return false;
	memset(out, 0, NAIVE_TOKEN_BYTES);
	for (size_t i = 0; i < NAIVE_TOKEN_LETTERS; i++) {
		const char *letter = memchr(letters, text.data[before + i], sizeof letters - 1);

		if (letter == NULL)
			return false;
		for (unsigned bit = 0; bit < 6; bit++)
			if (((unsigned)(letter - letters) >> (5 - bit) & 1) != 0)
				out[(6 * i + bit) / 8] |= (uint8_t)(0x80u >> (6 * i + bit) % 8);
	}
	return true;
}

static inline uint64_t naive_number_at(const uint8_t *bytes, size_t count)
{
	uint64_t value = 0;

	while (count-- > 0)
		value = value * 256 + *bytes++;
	return value;
}

/* Whether the text is the prefix and 16 hex digits. */
static inline bool naive_is_old_token(struct wr_view text, const char *prefix)
{
	size_t before = strlen(prefix);

	if (text.bytes != before + 16 || memcmp(text.data, prefix, before) != 0)
		return false;
	for (size_t i = before; i < text.bytes; i++)
		if (text.data[i] == '\0' || strchr("0123456789abcdefABCDEF", text.data[i]) == NULL)
			return false;
	return true;
}

#endif
