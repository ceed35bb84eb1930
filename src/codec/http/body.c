/*
 * Framing is read byte by byte, payload in one piece: a state for each place of RFC 9112 7.1.
 *
 *	chunk         SIZE digits [ EXTENSION ... ] CR LF   DATA ... CR LF
 *	last chunk    SIZE "0"    [ EXTENSION ... ] CR LF
 *	trailers      { TRAILER NAME ... ":" VALUE ... CR LF }  CR LF
 *
 * `remaining` is what the size line counts up and the data counts down; in the trailers it is how
 *many bytes they may still have.
 */
#include "codec/http/body.h"

#include "check.h"
#include "codec/http/chars.h"

enum {
	SIZE_DIGITS_MAX = 16 /* of 64 bits */
};

enum state {
	STATE_SIZE,
	STATE_SIZE_SPACE, /* white space that only a ";" may follow (7.1.1, "bad" white space) */
	STATE_EXTENSION,
	STATE_SIZE_LF,
	STATE_DATA,
	STATE_DATA_CR,
	STATE_DATA_LF,
	STATE_TRAILER, /* at the start of a line */
	STATE_TRAILER_NAME,
	STATE_TRAILER_VALUE,
	STATE_TRAILER_LF,
	STATE_END_LF,
	STATE_BAD_SYNTAX, /* sticky */
	STATE_BAD_SIZE	  /* sticky */
};

void wr_http_body_init(struct wr_http_body *self, enum wr_http_framing framing, uint64_t body_bytes)
{
	*self = (struct wr_http_body){.framing = framing, .state = STATE_DATA};
	switch (framing) {
	case WR_HTTP_FRAMING_NONE:
		self->is_complete = true;
		return;
	case WR_HTTP_FRAMING_LENGTH:
		self->remaining = body_bytes;
		self->is_complete = body_bytes == 0;
		return;
	case WR_HTTP_FRAMING_CHUNKED:
		self->state = STATE_SIZE;
		return;
	case WR_HTTP_FRAMING_CLOSE:
		return;
	}
	wr_unreachable();
}

static enum state add_digit(struct wr_http_body *self, char digit)
{
	if (self->digits == SIZE_DIGITS_MAX)
		return STATE_BAD_SIZE;
	self->digits++;
	self->remaining = self->remaining << 4 | wr_http_hex_value(digit);
	return STATE_SIZE;
}

static enum state end_size_line(struct wr_http_body *self)
{
	bool is_last = self->remaining == 0;

	self->digits = 0;
	self->line_bytes = 0;
	if (is_last)
		self->remaining = WR_HTTP_HEAD_BYTES_MAX;
	else if (self->remaining > UINT64_MAX - self->payload_bytes)
		return STATE_BAD_SIZE;
	return is_last ? STATE_TRAILER : STATE_DATA;
}

/* Between CRs, LFs and what they end. */
static enum state expect(char byte, char expected, enum state next)
{
	return byte == expected ? next : STATE_BAD_SYNTAX;
}

static enum state step_size_line(struct wr_http_body *self, enum state state, char byte)
{
	if (state == STATE_SIZE_LF)
		return byte == '\n' ? end_size_line(self) : STATE_BAD_SYNTAX;
	if (byte == '\r')
		return self->digits != 0 && state != STATE_SIZE_SPACE ? STATE_SIZE_LF
								      : STATE_BAD_SYNTAX;
	if (++self->line_bytes > WR_HTTP_CHUNK_LINE_BYTES_MAX)
		return STATE_BAD_SIZE;
	if (state == STATE_EXTENSION)
		return wr_http_char_is(byte, WR_HTTP_CHAR_VALUE) ? STATE_EXTENSION
								 : STATE_BAD_SYNTAX;
	if (state == STATE_SIZE && wr_http_char_is(byte, WR_HTTP_CHAR_HEX))
		return add_digit(self, byte);
	if (self->digits == 0)
		return STATE_BAD_SYNTAX;
	if (wr_http_is_ows(byte))
		return STATE_SIZE_SPACE;
	return expect(byte, ';', STATE_EXTENSION);
}

static enum state step_trailer(struct wr_http_body *self, enum state state, char byte)
{
	if (self->remaining == 0)
		return STATE_BAD_SIZE;
	self->remaining--;
	if (state == STATE_END_LF) {
		self->is_complete = byte == '\n';
		return expect(byte, '\n', STATE_END_LF);
	}
	if (state == STATE_TRAILER && byte == '\r')
		return STATE_END_LF;
	if (state == STATE_TRAILER_LF)
		return expect(byte, '\n', STATE_TRAILER);
	if (state == STATE_TRAILER_NAME && byte == ':')
		return STATE_TRAILER_VALUE;
	if (state == STATE_TRAILER_VALUE && byte == '\r')
		return STATE_TRAILER_LF;
	if (state == STATE_TRAILER_VALUE)
		return wr_http_char_is(byte, WR_HTTP_CHAR_VALUE) ? state : STATE_BAD_SYNTAX;
	return wr_http_char_is(byte, WR_HTTP_CHAR_TOKEN) ? STATE_TRAILER_NAME : STATE_BAD_SYNTAX;
}

/* One byte that is not payload. Trailers have their own bound, the rest of the framing must be in
 * proportion to the payload: one byte a chunk would cost us more than the sender. */
static enum state step(struct wr_http_body *self, enum state state, char byte)
{
	if (state < STATE_TRAILER) {
		uint64_t max = WR_HTTP_CHUNK_OVERHEAD_BYTES_MAX + self->payload_bytes / 8;
		if (++self->overhead_bytes > max)
			return STATE_BAD_SIZE;
	}
	switch (state) {
	case STATE_SIZE:
	case STATE_SIZE_SPACE:
	case STATE_EXTENSION:
	case STATE_SIZE_LF:
		return step_size_line(self, state, byte);
	case STATE_DATA_CR:
		return expect(byte, '\r', STATE_DATA_LF);
	case STATE_DATA_LF:
		return expect(byte, '\n', STATE_SIZE);
	case STATE_TRAILER:
	case STATE_TRAILER_NAME:
	case STATE_TRAILER_VALUE:
	case STATE_TRAILER_LF:
	case STATE_END_LF:
		return step_trailer(self, state, byte);
	case STATE_DATA:
	case STATE_BAD_SYNTAX:
	case STATE_BAD_SIZE:
		break;
	}
	wr_unreachable();
}

/* Payload from the front of `input`, as much as there is and belongs to it. */
static struct wr_view take_payload(struct wr_http_body *self, struct wr_view input)
{
	if (self->framing != WR_HTTP_FRAMING_CLOSE) {
		if (input.bytes > self->remaining)
			input.bytes = (size_t)self->remaining;
		self->remaining -= input.bytes;
		if (self->remaining == 0) {
			self->is_complete = self->framing == WR_HTTP_FRAMING_LENGTH;
			self->state = STATE_DATA_CR;
		}
	}
	self->payload_bytes += input.bytes;
	return input;
}

enum wr_status wr_http_body_feed(struct wr_http_body *self, struct wr_view *payload,
				 size_t *consumed, struct wr_view input)
{
	enum state state = (enum state)self->state;
	size_t at = 0;

	*payload = wr_view_of(input.data, 0);
	*consumed = 0;
	while (at < input.bytes && !self->is_complete && state != STATE_DATA &&
	       state < STATE_BAD_SYNTAX)
		state = step(self, state, input.data[at++]);
	self->state = (uint8_t)state;
	if (state == STATE_BAD_SYNTAX)
		return WR_SYNTAX;
	if (state == STATE_BAD_SIZE)
		return WR_TOO_LARGE;
	if (state == STATE_DATA && !self->is_complete && at < input.bytes) {
		*payload = take_payload(self, wr_view_skip(input, at));
		at += payload->bytes;
	}
	*consumed = at;
	return self->is_complete || at < input.bytes ? WR_OK : WR_MORE;
}

enum wr_status wr_http_body_end(struct wr_http_body *self)
{
	if (self->state == STATE_BAD_SYNTAX)
		return WR_SYNTAX;
	if (self->state == STATE_BAD_SIZE)
		return WR_TOO_LARGE;
	if (self->framing == WR_HTTP_FRAMING_CLOSE)
		self->is_complete = true;
	return self->is_complete ? WR_OK : WR_CLOSED;
}
