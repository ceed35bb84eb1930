/*
 * utf8 — strict validation (RFC 3629): no overlong form, no surrogate, nothing above 10FFFF.
 *
 * Whole texts and streams: the state carries an unfinished sequence from one piece to the next, so
 * a text may be cut anywhere. Every bad byte is found at the first position at which no valid text
 * can have it.
 */
#ifndef WR_BYTES_UTF8_H
#define WR_BYTES_UTF8_H

#include "bytes/view.h"

#include <stdbool.h>
#include <stdint.h>

/* 0 is the start state: at a character boundary. Private otherwise. */
typedef uint32_t wr_utf8_state;

/* Feeds bytes. False at the first byte that cannot be; *bad (may be NULL) is then its index. */
bool wr_utf8_feed(wr_utf8_state *state, struct wr_view bytes, size_t *bad);

/* Whether the text may end here. */
static inline bool wr_utf8_is_complete(wr_utf8_state state)
{
	return state == 0;
}

/* Whether the whole text is valid and complete. */
bool wr_utf8_is_valid(struct wr_view text);

/* Bytes of the longest prefix that is valid and ends at a character boundary. */
size_t wr_utf8_valid_prefix(struct wr_view text);

/* Whether the text has nothing but Unicode White_Space (contract, "blank"): U+0009-000D, 0020,
 * 0085, 00A0, 1680, 2000-200A, 2028, 2029, 202F, 205F, 3000. The empty text is blank. */
bool wr_utf8_is_blank(struct wr_view text);

/* Writes the encoding of a scalar value into out[4]; returns 1 to 4. */
size_t wr_utf8_encode(char *out, uint32_t scalar);

#endif
