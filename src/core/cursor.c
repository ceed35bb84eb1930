#include "core/cursor.h"

#include "bytes/base64.h"
#include "bytes/endian.h"

#include <string.h>

enum {
	PREFIX_BYTES = 3,
	GENERATION_AT = WR_LOG_TAG_BYTES,
	WORKER_AT = GENERATION_AT + 3,
	SEQUENCE_AT = WORKER_AT + 4,
	BODY_BYTES = SEQUENCE_AT + 8,
	LEGACY_DIGITS = 16
};

_Static_assert(PREFIX_BYTES + WR_BASE64URL_BYTES(BODY_BYTES) == WR_CURSOR_BYTES, "token length");

/* RFC 4648 table 2: four characters of 24 bits. A token is made for every frame: laid out straight,
 * it costs half of what wr_base64url_encode would. */
static inline void put_four(char *out, uint32_t bits)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	out[0] = letters[bits >> 18 & 63];
	out[1] = letters[bits >> 12 & 63];
	out[2] = letters[bits >> 6 & 63];
	out[3] = letters[bits & 63];
}

void wr_cursor_format(char out[WR_CURSOR_BYTES], const struct wr_cursor *cursor)
{
	memcpy(out, cursor->is_runtime ? "re_" : "wo_", PREFIX_BYTES);
	out += PREFIX_BYTES;
	put_four(out, wr_load_be32(cursor->log_tag) >> 8);
	put_four(out + 4, wr_load_be32(cursor->log_tag + 2));
	put_four(out + 8, cursor->generation);
	put_four(out + 12, cursor->worker >> 8);
	put_four(out + 16, (cursor->worker & 255) << 16 | (uint32_t)(cursor->sequence >> 48));
	put_four(out + 20, (uint32_t)(cursor->sequence >> 24));
	put_four(out + 24, (uint32_t)cursor->sequence);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = wr_ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum wr_status parse_legacy(struct wr_cursor *cursor, struct wr_view digits)
{
	for (size_t i = 0; i < digits.bytes; i++) {
		int digit = hex_digit(digits.data[i]);
		if (digit < 0)
			return WR_MALFORMED;
		cursor->sequence = cursor->sequence << 4 | (uint64_t)digit;
	}
	cursor->is_legacy = true;
	return WR_OK;
}

enum wr_status wr_cursor_parse(struct wr_cursor *cursor, struct wr_view token)
{
	uint8_t body[BODY_BYTES];
	struct wr_view rest;

	memset(cursor, 0, sizeof *cursor);
	cursor->is_runtime = wr_view_starts(token, WR_VIEW("re_"));
	if (!cursor->is_runtime && !wr_view_starts(token, WR_VIEW("wo_")))
		return WR_MALFORMED;
	rest = wr_view_skip(token, PREFIX_BYTES);
	if (!cursor->is_runtime && rest.bytes == LEGACY_DIGITS)
		return parse_legacy(cursor, rest);
	if (wr_base64url_decode(body, sizeof body, rest) != WR_OK)
		return WR_MALFORMED;
	memcpy(cursor->log_tag, body, WR_LOG_TAG_BYTES);
	cursor->generation = (uint32_t)body[GENERATION_AT] << 16 |
			     (uint32_t)body[GENERATION_AT + 1] << 8 | body[GENERATION_AT + 2];
	cursor->worker = wr_load_be32(body + WORKER_AT);
	cursor->sequence = wr_load_be64(body + SEQUENCE_AT);
	return WR_OK;
}
