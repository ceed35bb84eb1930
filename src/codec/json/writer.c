#include "codec/json/writer.h"

#include "check.h"
#include "codec/json/number.h"
#include "codec/json/scan.h"

void wr_json_writer_init(struct wr_json_writer *self, struct wr_buf *out)
{
	self->out = out;
	self->needs_comma = false;
	self->depth = 0;
}

/* Room for exactly `bytes` (not 0) more bytes, or NULL. What is asked for is always a lower bound
 * of what will be written, so that a buffer fails only when the text does not fit. */
static inline char *room_for(struct wr_json_writer *self, size_t bytes)
{
	struct wr_buf *out = self->out;

	if (WR_LIKELY(out->status == WR_OK && bytes <= out->capacity - out->bytes))
		return out->data + out->bytes;
	return wr_buf_reserve(out, bytes);
}

/* Room for a comma, if one is due, and `bytes` bytes. The comma is written; the returned place is
 * the one behind it, and commit_from counts it. */
static inline char *begin_item(struct wr_json_writer *self, size_t bytes)
{
	size_t comma = self->needs_comma;
	char *to = room_for(self, comma + bytes);

	if (WR_UNLIKELY(to == NULL))
		return NULL;
	*to = ','; /* overwritten when none is due */
	return to + comma;
}

/* Everything before `end` has been written. */
static inline void commit_to(struct wr_json_writer *self, const char *end)
{
	self->out->bytes = (size_t)(end - self->out->data);
}

/* Names are a few bytes: not worth a call of memcpy. */
static inline char *put_short(char *to, const char *from, size_t bytes)
{
	if (bytes > 16) {
		memcpy(to, from, bytes);
	} else if (bytes >= 8) {
		memcpy(to, from, 8);
		memcpy(to + bytes - 8, from + bytes - 8, 8);
	} else if (bytes >= 4) {
		memcpy(to, from, 4);
		memcpy(to + bytes - 4, from + bytes - 4, 4);
	} else {
		for (size_t i = 0; i < bytes; i++)
			to[i] = from[i];
	}
	return to + bytes;
}

static void put_item(struct wr_json_writer *self, const char *text, size_t bytes)
{
	char *to;

	wr_assert(bytes != 0);
	to = begin_item(self, bytes);
	if (to != NULL)
		commit_to(self, put_short(to, text, bytes));
	self->needs_comma = true;
}

/* ---- objects and arrays ---- */

static inline void begin_nest(struct wr_json_writer *self, char bracket)
{
	char *to;

	wr_assert(self->depth < WR_JSON_DEPTH_MAX);
	to = begin_item(self, 1);
	if (WR_LIKELY(to != NULL)) {
		*to = bracket;
		commit_to(self, to + 1);
	}
	self->brackets[self->depth++] = bracket;
	self->needs_comma = false;
}

static inline void end_nest(struct wr_json_writer *self, char begun, char bracket)
{
	char *to = room_for(self, 1);

	wr_assert(self->depth > 0);
	self->depth--;
	wr_assert(self->brackets[self->depth] == begun);
	if (WR_LIKELY(to != NULL)) {
		*to = bracket;
		commit_to(self, to + 1);
	}
	self->needs_comma = true;
}

void wr_json_object_begin(struct wr_json_writer *self)
{
	begin_nest(self, '{');
}

void wr_json_object_end(struct wr_json_writer *self)
{
	end_nest(self, '{', '}');
}

void wr_json_array_begin(struct wr_json_writer *self)
{
	begin_nest(self, '[');
}

void wr_json_array_end(struct wr_json_writer *self)
{
	end_nest(self, '[', ']');
}

/* ---- strings ---- */

/* RFC 8259 section 7: the escape of a byte that needs one, into out[6]; returns its length. */
static size_t escape(char *out, char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char letters[0x20] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
	uint8_t byte = (uint8_t)c;

	out[0] = '\\';
	out[1] = byte < 0x20 ? letters[byte] : c;
	if (out[1] != 0)
		return 2;
	memcpy(out + 1, "u00", 3);
	out[4] = hex[byte >> 4];
	out[5] = hex[byte & 15];
	return 6;
}

/* Appends the text escaped. */
static void put_escaped(struct wr_json_writer *self, struct wr_view text)
{
	size_t at = 0;

	while (at < text.bytes) {
		char *to = room_for(self, text.bytes - at);
		size_t plain;
		char escaped[6];

		if (to == NULL)
			return;
		plain = wr_json_copy_unescaped(to, text.data + at, text.bytes - at);
		wr_buf_commit(self->out, plain);
		at += plain;
		if (at < text.bytes)
			wr_buf_append(self->out, escaped, escape(escaped, text.data[at++]));
	}
}

/* Puts the quoted text at `to`, where text.bytes + 2 bytes have room, and commits up to its end. */
static inline void put_quoted(struct wr_json_writer *self, char *to, struct wr_view text)
{
	size_t plain;

	*to++ = '"';
	plain = wr_json_copy_unescaped(to, text.data, text.bytes);
	to += plain;
	if (WR_LIKELY(plain == text.bytes)) {
		*to = '"';
		commit_to(self, to + 1);
		return;
	}
	commit_to(self, to);
	put_escaped(self, wr_view_skip(text, plain));
	wr_buf_append_byte(self->out, '"');
}

void wr_json_name(struct wr_json_writer *self, struct wr_view name)
{
	wr_json_string(self, name);
	wr_buf_append_byte(self->out, ':');
	self->needs_comma = false;
}

void wr_json_string(struct wr_json_writer *self, struct wr_view text)
{
	char *to = begin_item(self, text.bytes + 2);

	if (WR_LIKELY(to != NULL))
		put_quoted(self, to, text);
	self->needs_comma = true;
}

/* ---- other values ---- */

void wr_json_u64(struct wr_json_writer *self, uint64_t value)
{
	char text[20];

	put_item(self, text, wr_json_format_u64(text, value));
}

void wr_json_i64(struct wr_json_writer *self, int64_t value)
{
	char text[21];

	if (value >= 0) {
		wr_json_u64(self, (uint64_t)value);
		return;
	}
	text[0] = '-';
	put_item(self, text, 1 + wr_json_format_u64(text + 1, 0 - (uint64_t)value));
}

void wr_json_double(struct wr_json_writer *self, double value)
{
	char text[WR_JSON_DOUBLE_TEXT_BYTES_MAX];

	if (value - value == 0) /* not so for infinities and NaN */
		put_item(self, text, wr_json_format_double(text, value));
	else
		wr_json_null(self);
}

void wr_json_bool(struct wr_json_writer *self, bool value)
{
	put_item(self, value ? "true" : "false", value ? 4 : 5);
}

void wr_json_null(struct wr_json_writer *self)
{
	put_item(self, "null", 4);
}

void wr_json_raw(struct wr_json_writer *self, struct wr_view json)
{
	put_item(self, json.data, json.bytes);
}

/* ---- strings in pieces ---- */

void wr_json_string_begin(struct wr_json_writer *self)
{
	put_item(self, "\"", 1);
}

void wr_json_string_part(struct wr_json_writer *self, struct wr_view text)
{
	put_escaped(self, text);
}

void wr_json_string_end(struct wr_json_writer *self)
{
	wr_buf_append_byte(self->out, '"');
}

/* ---- members in one call ---- */

/* Puts the name, and leaves room for `bytes` bytes of value at the returned place. */
static inline char *begin_member(struct wr_json_writer *self, struct wr_view name, size_t bytes)
{
	char *to = begin_item(self, name.bytes + 3 + bytes);

	self->needs_comma = true;
	if (WR_UNLIKELY(to == NULL))
		return NULL;
	*to++ = '"';
	to = put_short(to, name.data, name.bytes);
	*to++ = '"';
	*to++ = ':';
	return to;
}

void wr_json_member_string(struct wr_json_writer *self, struct wr_view name, struct wr_view text)
{
	char *to = begin_member(self, name, text.bytes + 2);

	if (WR_LIKELY(to != NULL))
		put_quoted(self, to, text);
}

void wr_json_member_u64(struct wr_json_writer *self, struct wr_view name, uint64_t value)
{
	char text[20];
	size_t bytes = wr_json_format_u64(text, value);
	char *to = begin_member(self, name, bytes);

	if (WR_LIKELY(to != NULL))
		commit_to(self, put_short(to, text, bytes));
}

void wr_json_member_bool(struct wr_json_writer *self, struct wr_view name, bool value)
{
	size_t bytes = value ? 4 : 5;
	char *to = begin_member(self, name, bytes);

	if (WR_LIKELY(to != NULL))
		commit_to(self, put_short(to, value ? "true" : "false", bytes));
}
