#include "codec/json/strings.h"

#include "check.h"
#include "codec/json/reader.h"
#include "codec/json/scan.h"

/* ---- checking ---- */

static const char after_escape[] = "\"\\/bfnrtu"; /* RFC 8259 section 7 */

static bool is_escape_letter(char c)
{
	return memchr(after_escape, c, sizeof after_escape - 1) != NULL;
}

/* The value of a hexadecimal digit, or -1. */
static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Reads four hexadecimal digits: those of a low surrogate (DC00-DFFF) or of anything else. Which it
 * is shows in the first two digits, so there lies the offending byte. */
static enum wr_status check_hex(const char **at, unsigned *unit, const char *end, bool is_low)
{
	*unit = 0;
	for (unsigned i = 0; i < 4; i++, ++*at) {
		int digit;

		if (*at == end)
			return WR_MORE;
		digit = hex_value(**at);
		if (digit < 0)
			return WR_SYNTAX;
		*unit = *unit << 4 | (unsigned)digit;
		if (i == 0 && is_low && *unit != 0xd)
			return WR_ENCODING;
		if (i == 1 && is_low != (*unit >= 0xdc && *unit <= 0xdf))
			return WR_ENCODING;
	}
	return WR_OK;
}

/* Behind a high surrogate only a low one can follow, spelled as an escape too. What breaks the
 * grammar is WR_SYNTAX even here; what follows it is WR_ENCODING. */
static enum wr_status check_low_surrogate(const char **at, const char *end)
{
	unsigned unit;

	if (*at == end)
		return WR_MORE;
	if (**at != '\\')
		return (uint8_t) * *at < 0x20 ? WR_SYNTAX : WR_ENCODING;
	if (++*at == end)
		return WR_MORE;
	if (**at != 'u')
		return is_escape_letter(**at) ? WR_ENCODING : WR_SYNTAX;
	++*at;
	return check_hex(at, &unit, end, true);
}

/* *at stands on the backslash. */
static enum wr_status check_escape(const char **at, const char *end)
{
	enum wr_status status;
	unsigned unit;

	if (++*at == end)
		return WR_MORE;
	if (!is_escape_letter(**at))
		return WR_SYNTAX;
	if (*(*at)++ != 'u')
		return WR_OK;
	status = check_hex(at, &unit, end, false);
	if (status == WR_OK && unit >= 0xd800 && unit <= 0xdbff)
		status = check_low_surrogate(at, end);
	return status;
}

/* Checks sequences up to the next ASCII byte (RFC 3629 section 4). */
static enum wr_status check_utf8(const char **at, const char *end)
{
	const char *p = *at;
	enum wr_status status = WR_OK;

	while (p < end && (uint8_t)*p >= 0x80) {
		uint8_t first = (uint8_t)*p;
		uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
		uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
		unsigned tail = 1u + (first >= 0xe0) + (first >= 0xf0);

		status = WR_ENCODING;
		if (first < 0xc2 || first > 0xf4)
			break;
		for (p++; tail > 0 && p < end && (uint8_t)*p >= low && (uint8_t)*p <= high;
		     tail--) {
			low = 0x80;
			high = 0xbf;
			p++;
		}
		if (tail > 0) {
			status = p == end ? WR_MORE : WR_ENCODING;
			break;
		}
		status = WR_OK;
	}
	*at = p;
	return status;
}

enum wr_status wr_json_string_check(const char **at, bool *has_escapes, const char *end)
{
	enum wr_status status = WR_OK;

	while (status == WR_OK) {
		*at = wr_json_plain_ascii_end(*at, *at, end);
		if (*at == end)
			return WR_MORE;
		if (**at == '"')
			return WR_OK;
		if (**at == '\\') {
			*has_escapes = true;
			status = check_escape(at, end);
		} else if ((uint8_t) * *at >= 0x80) {
			status = check_utf8(at, end);
		} else {
			status = WR_SYNTAX;
		}
	}
	return status;
}

/* ---- decoding: the text is known to be good ---- */

static unsigned decode_hex(const char *at)
{
	unsigned unit = 0;

	for (unsigned i = 0; i < 4; i++)
		unit = unit << 4 | (unsigned)hex_value(at[i]);
	return unit;
}

static size_t encode_utf8(char *out, uint32_t scalar)
{
	if (scalar < 0x80) {
		out[0] = (char)scalar;
		return 1;
	}
	if (scalar < 0x800) {
		out[0] = (char)(0xc0 | scalar >> 6);
		out[1] = (char)(0x80 | (scalar & 0x3f));
		return 2;
	}
	if (scalar < 0x10000) {
		out[0] = (char)(0xe0 | scalar >> 12);
		out[1] = (char)(0x80 | (scalar >> 6 & 0x3f));
		out[2] = (char)(0x80 | (scalar & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | scalar >> 18);
	out[1] = (char)(0x80 | (scalar >> 12 & 0x3f));
	out[2] = (char)(0x80 | (scalar >> 6 & 0x3f));
	out[3] = (char)(0x80 | (scalar & 0x3f));
	return 4;
}

static char decode_letter(char c)
{
	switch (c) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

/* Decodes the escape at *at (on the backslash) into out[4] and steps over it; returns the bytes. */
static size_t decode_escape(char *out, const char **at)
{
	uint32_t scalar;

	if ((*at)[1] != 'u') {
		out[0] = decode_letter((*at)[1]);
		*at += 2;
		return 1;
	}
	scalar = decode_hex(*at + 2);
	*at += 6;
	if (scalar >= 0xd800 && scalar <= 0xdbff) {
		scalar = 0x10000 + ((scalar - 0xd800) << 10) + (decode_hex(*at + 2) - 0xdc00);
		*at += 6;
	}
	return encode_utf8(out, scalar);
}

/* The bytes before the next backslash or the end. */
static size_t run_bytes(const char *at, const char *end)
{
	const char *backslash = at == end ? NULL : memchr(at, '\\', (size_t)(end - at));

	return backslash == NULL ? (size_t)(end - at) : (size_t)(backslash - at);
}

static size_t decoded_bytes(struct wr_view text)
{
	const char *at = text.data, *end = text.data + text.bytes;
	size_t bytes = 0;
	char out[4];

	while (at != end) {
		size_t run = run_bytes(at, end);

		at += run;
		bytes += run;
		if (at != end)
			bytes += decode_escape(out, &at);
	}
	return bytes;
}

size_t wr_json_decode_string_to(char *out, struct wr_view text)
{
	const char *at = text.data, *end = text.data + text.bytes;
	size_t bytes = 0;

	while (at != end) {
		size_t run = run_bytes(at, end);

		if (out + bytes != at)
			memmove(out + bytes, at, run);
		at += run;
		bytes += run;
		if (at != end) {
			/* Not straight into `out`: it may be the text that is being read. */
			char decoded[4];
			size_t more = decode_escape(decoded, &at);

			memcpy(out + bytes, decoded, more);
			bytes += more;
		}
	}
	return bytes;
}

enum wr_status wr_json_decode_string(struct wr_buf *out, struct wr_view text)
{
	size_t bytes = text.bytes;
	char *room;

	if (bytes == 0)
		return wr_buf_status(out);
	/* Near its maximum the buffer may have room for the decoded form only. */
	if (bytes > out->bytes_max - out->bytes)
		bytes = decoded_bytes(text);
	room = wr_buf_reserve(out, bytes);
	if (room == NULL)
		return wr_buf_status(out);
	wr_buf_commit(out, wr_json_decode_string_to(room, text));
	return WR_OK;
}

bool wr_json_reader_is(const struct wr_json_reader *self, struct wr_view text)
{
	const char *at = self->text.data, *end = at + self->text.bytes;
	size_t matched = 0;

	wr_assert(self->token == WR_JSON_TOKEN_NAME || self->token == WR_JSON_TOKEN_STRING);
	if (!self->has_escapes)
		return wr_view_equal(self->text, text);
	while (at != end) {
		char decoded[4];
		size_t run = run_bytes(at, end);
		size_t more;

		if (!wr_view_starts(wr_view_skip(text, matched), wr_view_of(at, run)))
			return false;
		at += run;
		matched += run;
		if (at == end)
			break;
		more = decode_escape(decoded, &at);
		if (!wr_view_starts(wr_view_skip(text, matched), wr_view_of(decoded, more)))
			return false;
		matched += more;
	}
	return matched == text.bytes;
}
