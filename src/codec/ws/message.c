#include "codec/ws/message.h"

#include "bytes/endian.h"
#include "check.h"

/*
 *	             data header                       payload complete
 *	   HEADER ----------------> PAYLOAD ----------------------------------> HEADER
 *	     |    ----------------> LAST_PAYLOAD (final frame, also when empty) -> HEADER
 *	     | close frame
 *	     +--------------------> CLOSED
 *
 * Control frames are handled whole within HEADER, so they can stand between fragments (5.4) without
 * a trace in the state of the message.
 */
enum { STATE_HEADER, STATE_PAYLOAD, STATE_LAST_PAYLOAD, STATE_CLOSED };

enum { CLOSE_CODE_BYTES = 2, CLOSE_CODE_NONE = 1005 };

_Static_assert(sizeof(struct wr_ws_receiver) <= 32, "one per idle subscriber");

void wr_ws_receiver_init(struct wr_ws_receiver *self, enum wr_ws_role role,
			 uint32_t message_bytes_max, uint32_t fragment_count_max)
{
	*self = (struct wr_ws_receiver){
		.message_bytes_max = message_bytes_max,
		.fragment_count_max = fragment_count_max,
		.role = (uint8_t)role,
		.state = STATE_HEADER,
		.failure = WR_OK,
	};
}

static bool is_control(uint8_t opcode)
{
	return opcode >= WR_WS_OPCODE_CLOSE;
}

/* 5.4: a continuation needs a message to continue, and a new message the end of the one before. */
static bool opcode_fits(const struct wr_ws_receiver *self, uint8_t opcode)
{
	bool is_in_message = self->message_opcode != 0;

	return is_control(opcode) || is_in_message == (opcode == WR_WS_OPCODE_CONTINUATION);
}

/* The header of a data frame. The limits are checked here, before any payload is looked at. */
static enum wr_status begin_frame(struct wr_ws_receiver *self, struct wr_ws_result *result,
				  const struct wr_ws_frame_header *header)
{
	if (self->fragment_count == self->fragment_count_max ||
	    header->payload_bytes > self->message_bytes_max - self->message_bytes)
		return WR_TOO_LARGE;
	result->is_message_start = self->message_opcode == 0;
	if (result->is_message_start)
		self->message_opcode = header->opcode;
	self->fragment_count++;
	self->remaining = (uint32_t)header->payload_bytes;
	self->message_bytes += self->remaining;
	memcpy(self->mask, header->mask, sizeof self->mask);
	if (header->is_final)
		self->state = STATE_LAST_PAYLOAD;
	else if (self->remaining != 0)
		self->state = STATE_PAYLOAD;
	result->event = WR_WS_EVENT_FRAME;
	result->is_text = self->message_opcode == WR_WS_OPCODE_TEXT;
	result->frame_bytes = header->payload_bytes;
	return WR_OK;
}

/* 5.5.1, 7.4: nothing, or a code and a reason in UTF-8. */
static enum wr_status take_close(struct wr_ws_receiver *self, struct wr_ws_result *result,
				 struct wr_view payload)
{
	unsigned code = CLOSE_CODE_NONE;

	if (payload.bytes != 0) {
		code = wr_load_be16(payload.data);
		if (!wr_ws_close_code_is_valid(code))
			return WR_SYNTAX;
		payload = wr_view_skip(payload, CLOSE_CODE_BYTES);
		if (!wr_utf8_is_valid(payload))
			return WR_ENCODING;
	}
	self->state = STATE_CLOSED;
	result->event = WR_WS_EVENT_CLOSE;
	result->close_code = (uint16_t)code;
	result->data = payload;
	return WR_OK;
}

/* A whole control frame. */
static enum wr_status take_control(struct wr_ws_receiver *self, struct wr_ws_result *result,
				   const struct wr_ws_frame_header *header, char *payload)
{
	size_t bytes = (size_t)header->payload_bytes;

	if (header->is_masked)
		wr_ws_mask(payload, bytes, header->mask, 0);
	result->data = wr_view_of(payload, bytes);
	if (header->opcode == WR_WS_OPCODE_CLOSE)
		return take_close(self, result, result->data);
	result->event = header->opcode == WR_WS_OPCODE_PING ? WR_WS_EVENT_PING : WR_WS_EVENT_PONG;
	return WR_OK;
}

static enum wr_status take_header(struct wr_ws_receiver *self, struct wr_ws_result *result,
				  size_t *consumed, char *input, size_t bytes)
{
	struct wr_ws_frame_header header;
	size_t header_bytes;
	enum wr_status status;

	status = wr_ws_frame_header_decode(&header, &header_bytes, wr_view_of(input, bytes),
					   (enum wr_ws_role)self->role);
	if (status != WR_OK && status != WR_MORE)
		return status;
	/* Also when the header is not whole yet: its first byte is enough. */
	if (bytes != 0 && !opcode_fits(self, (uint8_t)input[0] & 0x0f))
		return WR_SYNTAX;
	if (status == WR_MORE)
		return WR_OK;
	if (!is_control(header.opcode)) {
		*consumed = header_bytes;
		return begin_frame(self, result, &header);
	}
	/* Half a close code is wrong whatever it is. */
	if (header.opcode == WR_WS_OPCODE_CLOSE && header.payload_bytes == 1)
		return WR_SYNTAX;
	if (header.payload_bytes > bytes - header_bytes)
		return WR_OK;
	*consumed = header_bytes + (size_t)header.payload_bytes;
	return take_control(self, result, &header, input + header_bytes);
}

/* Unmasks the next piece and turns the mask to the byte after it. */
static void unmask(struct wr_ws_receiver *self, char *data, size_t bytes)
{
	uint8_t turned[4];

	if (self->role != WR_WS_ROLE_SERVER)
		return;
	wr_ws_mask(data, bytes, self->mask, 0);
	for (size_t i = 0; i < sizeof turned; i++)
		turned[i] = self->mask[(bytes + i) & 3];
	memcpy(self->mask, turned, sizeof turned);
}

static void end_message(struct wr_ws_receiver *self)
{
	self->message_opcode = 0;
	self->message_bytes = 0;
	self->fragment_count = 0;
}

static enum wr_status take_payload(struct wr_ws_receiver *self, struct wr_ws_result *result,
				   size_t *consumed, char *input, size_t bytes)
{
	size_t piece = bytes < self->remaining ? bytes : self->remaining;
	bool is_end, is_text = self->message_opcode == WR_WS_OPCODE_TEXT;

	if (piece == 0 && self->remaining != 0)
		return WR_OK;
	unmask(self, input, piece);
	self->remaining -= (uint32_t)piece;
	is_end = self->remaining == 0 && self->state == STATE_LAST_PAYLOAD;
	/* 8.1, at the first bad byte and not at the end of the message. */
	if (is_text && !wr_utf8_feed(&self->utf8, wr_view_of(input, piece), NULL))
		return WR_ENCODING;
	if (is_end && !wr_utf8_is_complete(self->utf8))
		return WR_ENCODING;
	if (is_end)
		end_message(self);
	if (self->remaining == 0)
		self->state = STATE_HEADER;
	result->event = WR_WS_EVENT_DATA;
	result->is_text = is_text;
	result->is_message_end = is_end;
	result->data = wr_view_of(input, piece);
	*consumed = piece;
	return WR_OK;
}

enum wr_status wr_ws_receiver_feed(struct wr_ws_receiver *self, struct wr_ws_result *result,
				   size_t *consumed, char *input, size_t bytes)
{
	enum wr_status status = (enum wr_status)self->failure;

	*result = (struct wr_ws_result){.event = WR_WS_EVENT_NONE};
	*consumed = 0;
	if (status != WR_OK)
		return status;
	if (self->state == STATE_CLOSED) {
		/* 5.5.1: whatever follows a close frame is not looked at. */
		*consumed = bytes;
		return WR_OK;
	}
	status = self->state == STATE_HEADER ? take_header(self, result, consumed, input, bytes)
					     : take_payload(self, result, consumed, input, bytes);
	if (status != WR_OK) {
		self->failure = (uint8_t)status;
		*result = (struct wr_ws_result){.event = WR_WS_EVENT_NONE};
		*consumed = 0;
	}
	return status;
}

unsigned wr_ws_close_code_of(enum wr_status status)
{
	if (status == WR_SYNTAX)
		return 1002;
	if (status == WR_ENCODING)
		return 1007;
	return status == WR_TOO_LARGE ? 1009 : 1011;
}

size_t wr_ws_control_frame(uint8_t *out, enum wr_ws_opcode opcode, struct wr_view payload)
{
	struct wr_ws_frame_header header = {
		.payload_bytes = payload.bytes, .opcode = (uint8_t)opcode, .is_final = true};
	size_t used;

	wr_assert(is_control(header.opcode) && payload.bytes <= WR_WS_CONTROL_BYTES_MAX);
	used = wr_ws_frame_header_encode(out, &header);
	if (payload.bytes != 0)
		memcpy(out + used, payload.data, payload.bytes);
	return used + payload.bytes;
}

size_t wr_ws_close_frame(uint8_t *out, unsigned code, struct wr_view reason)
{
	uint8_t payload[WR_WS_CONTROL_BYTES_MAX];

	if (code == 0 || code == CLOSE_CODE_NONE)
		return wr_ws_control_frame(out, WR_WS_OPCODE_CLOSE, WR_VIEW_NULL);
	wr_assert(wr_ws_close_code_is_valid(code));
	wr_assert(reason.bytes <= sizeof payload - CLOSE_CODE_BYTES);
	wr_assert_slow(wr_utf8_is_valid(reason));
	wr_store_be16(payload, (uint16_t)code);
	if (reason.bytes != 0)
		memcpy(payload + CLOSE_CODE_BYTES, reason.data, reason.bytes);
	return wr_ws_control_frame(out, WR_WS_OPCODE_CLOSE,
				   wr_view_of(payload, CLOSE_CODE_BYTES + reason.bytes));
}
