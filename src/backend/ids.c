#include "backend/ids.h"

#include "bytes/hex.h"
#include "bytes/sha256.h"
#include "bytes/utf8.h"
#include "check.h"

enum { DIGEST_CHARS = 16, PREFIX_BYTES_MAX = 64 };

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool wr_backend_id_is_valid(struct wr_view id)
{
	if (id.bytes == 0 || id.bytes > WR_BACKEND_ID_BYTES_MAX)
		return false;
	for (size_t i = 0; i < id.bytes; i++) {
		char c = id.data[i];

		if (!is_alphanumeric(c) && c != '_' && c != ':' && c != '-')
			return false;
	}
	return true;
}

/* The first character of a text that is not empty, or its first byte and false when that begins
 * none. */
static bool next_character(struct wr_view *character, struct wr_view text)
{
	uint8_t lead = (uint8_t)text.data[0];
	size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;

	*character = wr_view_of(text.data, bytes);
	if (lead < 0x80)
		return true;
	if (bytes <= text.bytes && wr_utf8_is_valid(*character))
		return true;
	character->bytes = 1;
	return false;
}

/* The readable part of an id: at most `room` bytes. The contract strips, cuts and strips again;
 * cutting first at the right end comes to the same. */
static size_t make_body(char *out, size_t room, struct wr_view value)
{
	size_t bytes = 0;

	while (value.bytes > 0 && bytes < room) {
		struct wr_view character;
		char c;

		(void)next_character(&character, value);
		c = character.data[0];
		if (character.bytes > 1 || (!is_alphanumeric(c) && c != '_'))
			c = '-';
		if (c != '-' || bytes > 0)
			out[bytes++] = wr_ascii_lower(c);
		value = wr_view_skip(value, character.bytes);
	}
	while (bytes > 0 && out[bytes - 1] == '-')
		bytes--;
	if (bytes == 0) {
		memcpy(out, "id", 2);
		bytes = 2;
	}
	return bytes;
}

size_t wr_backend_id_make(char out[WR_BACKEND_ID_BYTES_MAX], struct wr_view prefix,
			  struct wr_view value)
{
	uint8_t digest[WR_SHA256_BYTES];
	size_t bytes = prefix.bytes;

	wr_assert(prefix.bytes <= PREFIX_BYTES_MAX);
	if (prefix.bytes > 0)
		memcpy(out, prefix.data, prefix.bytes);
	bytes += make_body(out + bytes, WR_BACKEND_ID_BYTES_MAX - bytes - 1 - DIGEST_CHARS, value);
	out[bytes++] = '-';
	wr_sha256_of(digest, value);
	wr_hex_write(out + bytes, digest, DIGEST_CHARS / 2);
	bytes += DIGEST_CHARS;
	wr_assert(bytes <= WR_BACKEND_ID_BYTES_MAX);
	return bytes;
}

/* General category Cc: C0, DEL and C1. */
static bool is_control(struct wr_view character)
{
	uint8_t first = (uint8_t)character.data[0];

	if (character.bytes == 1)
		return first < 0x20 || first == 0x7f;
	return first == 0xc2 && (uint8_t)character.data[1] < 0xa0;
}

void wr_display_append(struct wr_buf *out, struct wr_view text)
{
	char shown[WR_DISPLAY_BYTES_MAX];
	size_t bytes = 0;
	unsigned count = 0;

	while (text.bytes > 0 && count < WR_DISPLAY_CHARS_MAX) {
		struct wr_view character;
		bool is_character = next_character(&character, text);
		char c = character.data[0];

		text = wr_view_skip(text, character.bytes);
		if (!is_character || is_control(character) || c == '/' || c == '\\')
			continue;
		memcpy(shown + bytes, character.data, character.bytes);
		bytes += character.bytes;
		count++;
	}
	(void)wr_buf_append(out, shown, bytes);
}
