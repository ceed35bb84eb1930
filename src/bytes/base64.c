#include "bytes/base64.h"

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* RFC 4648 tables 1 and 2: they differ in values 62 and 63. */
static const char alphabet[] = LETTERS_AND_DIGITS "+/";
static const char alphabet_url[] = LETTERS_AND_DIGITS "-_";

/* Without padding: WR_BASE64URL_BYTES(bytes) characters. */
static size_t encode(char *out, const uint8_t *data, size_t bytes, const char *letters)
{
	char *to = out;
	uint32_t bits;

	for (; bytes >= 3; bytes -= 3, data += 3) {
		bits = (uint32_t)data[0] << 16 | (uint32_t)data[1] << 8 | data[2];
		*to++ = letters[bits >> 18];
		*to++ = letters[bits >> 12 & 63];
		*to++ = letters[bits >> 6 & 63];
		*to++ = letters[bits & 63];
	}
	if (bytes == 0)
		return (size_t)(to - out);
	bits = (uint32_t)data[0] << 16 | (bytes == 2 ? (uint32_t)data[1] << 8 : 0);
	*to++ = letters[bits >> 18];
	*to++ = letters[bits >> 12 & 63];
	if (bytes == 2)
		*to++ = letters[bits >> 6 & 63];
	return (size_t)(to - out);
}

size_t wr_base64_encode(char *out, const uint8_t *data, size_t bytes)
{
	size_t used = encode(out, data, bytes, alphabet);

	while (used % 4 != 0)
		out[used++] = '=';
	return used;
}

size_t wr_base64url_encode(char *out, const uint8_t *data, size_t bytes)
{
	return encode(out, data, bytes, alphabet_url);
}

/* The six bits of a character; 64 for a foreign one. */
static unsigned value_of(char c, const char *letters)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	return c == letters[62] ? 62 : c == letters[63] ? 63 : 64;
}

/* `text` has WR_BASE64URL_BYTES(bytes) characters, so that exactly `bytes` bytes come out. */
static enum wr_status decode(uint8_t *out, struct wr_view text, const char *letters)
{
	uint32_t bits = 0;
	unsigned bit_count = 0;

	for (size_t i = 0; i < text.bytes; i++) {
		unsigned value = value_of(text.data[i], letters);

		if (value == 64)
			return WR_SYNTAX;
		bits = bits << 6 | value;
		bit_count += 6;
		if (bit_count < 8)
			continue;
		bit_count -= 8;
		*out++ = (uint8_t)(bits >> bit_count);
		bits &= (1u << bit_count) - 1;
	}
	/* RFC 4648 3.5: bits left over in the last character are zero. */
	return bits == 0 ? WR_OK : WR_SYNTAX;
}

enum wr_status wr_base64_decode(uint8_t *out, size_t bytes, struct wr_view text)
{
	size_t used = WR_BASE64URL_BYTES(bytes);

	if (text.bytes != WR_BASE64_BYTES(bytes))
		return WR_SYNTAX;
	for (size_t i = used; i < text.bytes; i++)
		if (text.data[i] != '=')
			return WR_SYNTAX;
	return decode(out, wr_view_of(text.data, used), alphabet);
}

enum wr_status wr_base64url_decode(uint8_t *out, size_t bytes, struct wr_view text)
{
	if (text.bytes != WR_BASE64URL_BYTES(bytes))
		return WR_SYNTAX;
	return decode(out, text, alphabet_url);
}
