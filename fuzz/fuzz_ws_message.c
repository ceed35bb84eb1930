/*
 * The receiving side of a WebSocket. Options: role; cuts; limit of a message in 16 bytes; of its
 * fragments; variant (0: what a peer sends; 1: the rest is a message that we send ourselves).
 *
 * A second receiver tells the same story up to the same failure; cutting changes nothing; nothing
 * is left unconsumed but an unfinished header or control frame; a failure stays; what we send is
 * received as what it was.
 */
#include "bytes/buf.h"
#include "codec/ws/message.h"
#include "fuzz.h"
#include "unit/codec/ws/naive_receiver.h"

enum { ROOM = 16384 };

struct driver {
	struct wr_ws_receiver receiver;
	enum wr_status status;
	char rest[ROOM]; /* unconsumed */
	size_t rest_bytes;
	char message[ROOM];
	size_t message_bytes;
	uint64_t frame_left;
	bool is_in_message, is_text, is_closed;
	struct ws_log log;
};

static void take_data(struct driver *self, const struct wr_ws_result *result)
{
	CHECK(self->is_in_message && result->is_text == self->is_text);
	CHECK(result->data.bytes <= self->frame_left);
	CHECK(result->data.bytes != 0 || result->is_message_end);
	CHECK(self->message_bytes + result->data.bytes <= sizeof self->message);
	self->frame_left -= result->data.bytes;
	if (result->data.bytes != 0)
		memcpy(self->message + self->message_bytes, result->data.data, result->data.bytes);
	self->message_bytes += result->data.bytes;
	if (!result->is_message_end)
		return;
	CHECK(self->frame_left == 0);
	ws_log_add(&self->log, self->is_text ? "text" : "binary", 0,
		   wr_view_of(self->message, self->message_bytes));
	self->is_in_message = false;
	self->message_bytes = 0;
}

static void take_event(struct driver *self, const struct wr_ws_result *result)
{
	CHECK(!self->is_closed || result->event == WR_WS_EVENT_NONE);
	switch (result->event) {
	case WR_WS_EVENT_NONE:
		break;
	case WR_WS_EVENT_FRAME:
		CHECK(self->frame_left == 0 && result->is_message_start == !self->is_in_message);
		CHECK(!self->is_in_message || result->is_text == self->is_text);
		self->is_in_message = true;
		self->is_text = result->is_text;
		self->frame_left = result->frame_bytes;
		break;
	case WR_WS_EVENT_DATA:
		take_data(self, result);
		break;
	case WR_WS_EVENT_PING:
	case WR_WS_EVENT_PONG:
		CHECK(self->frame_left == 0 && result->data.bytes <= WR_WS_CONTROL_BYTES_MAX);
		ws_log_add(&self->log, result->event == WR_WS_EVENT_PING ? "ping" : "pong", 0,
			   result->data);
		break;
	case WR_WS_EVENT_CLOSE:
		self->is_closed = true;
		ws_log_add(&self->log, "close", result->close_code, result->data);
		break;
	}
}

static void check_stays_failed(struct driver *self)
{
	struct wr_ws_result result;
	char more[] = "\x8a\x80\0\0\0\0";
	size_t consumed = 7;

	CHECK_STATUS(wr_ws_receiver_feed(&self->receiver, &result, &consumed, more, sizeof more),
		     self->status);
	CHECK(consumed == 0 && result.event == WR_WS_EVENT_NONE);
}

/* One read from the socket. */
static void drive(struct driver *self, struct wr_view bytes)
{
	struct wr_view input = fuzz_join(0, wr_view_of(self->rest, self->rest_bytes), bytes);
	struct wr_ws_result result = {.event = WR_WS_EVENT_CLOSE};
	size_t at = 0;

	while (result.event != WR_WS_EVENT_NONE) {
		size_t consumed = 0;

		/* The guarded copy is writable. */
		self->status =
			wr_ws_receiver_feed(&self->receiver, &result, &consumed,
					    (char *)(uintptr_t)input.data + at, input.bytes - at);
		CHECK(consumed <= input.bytes - at);
		if (self->status != WR_OK) {
			CHECK(consumed == 0 && result.event == WR_WS_EVENT_NONE);
			check_stays_failed(self);
			return;
		}
		CHECK(fuzz_lies_in(result.data, input));
		take_event(self, &result);
		at += consumed;
	}
	CHECK(input.bytes - at < WR_WS_REST_BYTES_MAX);
	CHECK(!self->is_closed || at == input.bytes);
	self->rest_bytes = input.bytes - at;
	memcpy(self->rest, input.data + at, self->rest_bytes);
}

static void receive(struct driver *self, struct wr_view input, struct fuzz_cuts *cuts,
		    enum wr_ws_role role, uint32_t bytes_max, uint32_t fragments_max)
{
	memset(self, 0, offsetof(struct driver, log.text));
	wr_ws_receiver_init(&self->receiver, role, bytes_max, fragments_max);
	for (size_t given = 0; given < input.bytes && self->status == WR_OK;) {
		size_t next = cuts == NULL ? input.bytes : fuzz_cut(cuts, given, input.bytes);

		drive(self, wr_view_of(input.data + given, next - given));
		given = next;
	}
}

static void check_received(struct wr_view input, struct fuzz_cuts cuts, enum wr_ws_role role,
			   uint32_t bytes_max, uint32_t fragments_max)
{
	static struct driver whole, pieces;
	static struct ws_log naive;
	enum wr_status expected;

	naive.used = 0;
	expected = naive_receive(&naive, input, role, bytes_max, fragments_max);
	receive(&whole, input, NULL, role, bytes_max, fragments_max);
	receive(&pieces, input, &cuts, role, bytes_max, fragments_max);
	CHECK_VIEW(wr_view_of(whole.log.text, whole.log.used), wr_view_of(naive.text, naive.used));
	CHECK_STATUS(whole.status, expected);
	CHECK_VIEW(wr_view_of(pieces.log.text, pieces.log.used),
		   wr_view_of(naive.text, naive.used));
	CHECK_STATUS(pieces.status, expected);
	CHECK(whole.status == WR_OK || wr_ws_close_code_of(whole.status) >= 1002);
}

/* The message in fragments, with a ping before each, and a close with the start of it. */
static void check_sent(struct wr_view message, struct fuzz_cuts cuts)
{
	static struct driver got;
	static char last[ROOM];
	struct wr_view reason = wr_view_of(message.data, message.bytes < 123 ? message.bytes : 123);
	uint8_t control[127];
	struct wr_buf out;
	bool is_first = true;

	reason.bytes = wr_utf8_valid_prefix(reason);
	wr_buf_init(&out, wr_test_allocator(), 1 << 20);
	for (size_t at = 0; is_first || at < message.bytes; is_first = false) {
		size_t next = at < message.bytes ? fuzz_cut(&cuts, at, message.bytes) : at;
		struct wr_ws_frame_header header = {
			.payload_bytes = next - at,
			.opcode = is_first ? WR_WS_OPCODE_BINARY : WR_WS_OPCODE_CONTINUATION,
			.is_final = next == message.bytes,
		};
		uint8_t bytes[WR_WS_FRAME_HEADER_BYTES_MAX];

		wr_buf_append(&out, control,
			      wr_ws_control_frame(control, WR_WS_OPCODE_PING, reason));
		wr_buf_append(&out, bytes, wr_ws_frame_header_encode(bytes, &header));
		wr_buf_append_view(&out, wr_view_of(message.data + at, next - at));
		at = next;
	}
	wr_buf_append(&out, control, wr_ws_close_frame(control, 1000, reason));
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	receive(&got, wr_buf_view(&out), &cuts, WR_WS_ROLE_CLIENT, ROOM, UINT32_MAX);
	CHECK_STATUS(got.status, WR_OK);
	CHECK(got.is_closed);
	/* The receiver's bytes of the message are still there, for only one came. */
	memcpy(last, got.message, message.bytes);
	CHECK_VIEW(wr_view_of(last, message.bytes), message);
	wr_buf_deinit(&out);
}

void fuzz_one(struct wr_view input)
{
	enum wr_ws_role role = fuzz_u8(&input) % 2 == 0 ? WR_WS_ROLE_SERVER : WR_WS_ROLE_CLIENT;
	struct fuzz_cuts cuts = fuzz_cuts_of(fuzz_u8(&input));
	uint32_t bytes_max = 16u * fuzz_u8(&input), fragments_max = fuzz_u8(&input);
	uint8_t variant = fuzz_u8(&input);

	if (input.bytes > ROOM / 2)
		return;
	if (variant % 2 == 0)
		check_received(input, cuts, role, bytes_max, fragments_max);
	else
		check_sent(input, cuts);
}
