/* Goal: whatever the peer sends and however it is cut, the receiver tells the same story, keeps
 * what it promised to keep, and fails at the first byte that is wrong. Method: a driver that plays
 * the connection with every input ending at an unmapped page; a table; UTF-8 cut into fragments
 * everywhere; random frame sequences, some damaged, against a naive second receiver. */
#include "codec/ws/message.h"

#include "check.h"
#include "harness/harness.h"
#include "unit/codec/ws/naive_receiver.h"

#define TEXT(literal)                        \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

enum { BYTES_MAX = 100000, FRAGMENTS_MAX = 100 };

/* ---- a connection: keeps the rest, assembles messages, checks the order of events ---- */

struct driver {
	struct wr_ws_receiver receiver;
	enum wr_status status;
	size_t fed;
	size_t failed_after; /* bytes fed when it failed */
	uint64_t frame_left;
	bool is_in_message, is_text, is_closed;
	size_t rest_bytes, message_bytes;
	struct ws_log log;
	char rest[WS_INPUT_BYTES_MAX];
	char message[WS_INPUT_BYTES_MAX];
};

static struct driver *driver_of(enum wr_ws_role role, uint32_t bytes_max, uint32_t fragments_max)
{
	static struct driver driver;

	driver.status = WR_OK;
	driver.fed = driver.failed_after = 0;
	driver.frame_left = 0;
	driver.is_in_message = driver.is_text = driver.is_closed = false;
	driver.rest_bytes = driver.message_bytes = driver.log.used = 0;
	wr_ws_receiver_init(&driver.receiver, role, bytes_max, fragments_max);
	return &driver;
}

static void take_frame(struct driver *self, const struct wr_ws_result *result)
{
	CHECK(self->frame_left == 0 && result->data.bytes == 0 && !result->is_message_end);
	CHECK(result->is_message_start == !self->is_in_message);
	CHECK(!self->is_in_message || result->is_text == self->is_text);
	self->is_in_message = true;
	self->is_text = result->is_text;
	self->frame_left = result->frame_bytes;
}

static void take_data(struct driver *self, const struct wr_ws_result *result)
{
	CHECK(self->is_in_message && !result->is_message_start);
	CHECK(result->is_text == self->is_text && result->data.bytes <= self->frame_left);
	CHECK(result->data.bytes != 0 || result->is_message_end);
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
		take_frame(self, result);
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

static bool is_blank(const struct wr_ws_result *result)
{
	return result->event == WR_WS_EVENT_NONE && !result->is_text && !result->is_message_start &&
	       !result->is_message_end && result->close_code == 0 && result->frame_bytes == 0 &&
	       result->data.data == NULL && result->data.bytes == 0;
}

/* A failed receiver stays failed and takes nothing. */
static void check_stays_failed(struct driver *self)
{
	struct wr_ws_result result;
	size_t consumed = 7;
	char valid[] = "\x89"; /* then a length, masked or not */

	for (unsigned i = 0; i < 3; i++) {
		CHECK_STATUS(wr_ws_receiver_feed(&self->receiver, &result, &consumed, valid, i % 2),
			     self->status);
		CHECK(consumed == 0 && is_blank(&result));
	}
}

/* One read from the socket: the rest and these bytes, until the receiver has nothing to say. */
static void drive(struct driver *self, struct wr_view bytes)
{
	struct wr_ws_result result;
	struct wr_view input;
	char *at;
	size_t left, consumed;

	if (self->status != WR_OK)
		return;
	self->fed += bytes.bytes;
	if (bytes.bytes != 0)
		memcpy(self->rest + self->rest_bytes, bytes.data, bytes.bytes);
	input = wr_test_guarded(0, wr_view_of(self->rest, self->rest_bytes + bytes.bytes));
	at = (char *)(uintptr_t)input.data; /* the guarded copy is writable */
	left = input.bytes;
	do {
		result.event = WR_WS_EVENT_CLOSE;
		self->status = wr_ws_receiver_feed(&self->receiver, &result, &consumed, at, left);
		CHECK(consumed <= left);
		if (self->status != WR_OK) {
			self->failed_after = self->fed;
			CHECK(consumed == 0 && is_blank(&result));
			check_stays_failed(self);
			return;
		}
		take_event(self, &result);
		at += consumed;
		left -= consumed;
	} while (result.event != WR_WS_EVENT_NONE);
	CHECK(is_blank(&result) && left < WR_WS_REST_BYTES_MAX);
	CHECK(!self->is_closed || left == 0);
	memcpy(self->rest, at, left);
	self->rest_bytes = left;
}

static void check_log(const struct driver *driver, const char *expected)
{
	CHECK_STRING(wr_view_of(driver->log.text, driver->log.used), expected);
}

/* ---- the table ---- */

#define MASKED_HELLO "\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"

static const struct {
	const char *label;
	struct wr_view input;
	const char *log;
	size_t failed_after;
	enum wr_status status;
	enum wr_ws_role role;
} table[] = {
	/* RFC 6455 section 5.7 */
	{"text", TEXT("\x81\5Hello"), "text Hello\n", 0, WR_OK, WR_WS_ROLE_CLIENT},
	{"masked text", TEXT("\x81" MASKED_HELLO), "text Hello\n", 0, WR_OK, WR_WS_ROLE_SERVER},
	{"fragments", TEXT("\1\3Hel\x80\2lo"), "text Hello\n", 0, WR_OK, WR_WS_ROLE_CLIENT},
	{"ping and masked pong's twin", TEXT("\x89\5Hello\x8a\5Hello"), "ping Hello\npong Hello\n",
	 0, WR_OK, WR_WS_ROLE_CLIENT},
	{"masked pong", TEXT("\x8a" MASKED_HELLO), "pong Hello\n", 0, WR_OK, WR_WS_ROLE_SERVER},

	{"nothing", TEXT(""), "", 0, WR_OK, WR_WS_ROLE_CLIENT},
	{"empty text", TEXT("\x81\0"), "text\n", 0, WR_OK, WR_WS_ROLE_CLIENT},
	{"empty binary, masked", TEXT("\x82\x80\1\2\3\4"), "binary\n", 0, WR_OK, WR_WS_ROLE_SERVER},
	{"empty fragments", TEXT("\2\0\0\0\x80\0"), "binary\n", 0, WR_OK, WR_WS_ROLE_CLIENT},
	{"empty last fragment", TEXT("\1\2hi\x80\0\x81\1x"), "text hi\ntext x\n", 0, WR_OK,
	 WR_WS_ROLE_CLIENT},
	{"empty first fragment", TEXT("\1\0\x80\2hi"), "text hi\n", 0, WR_OK, WR_WS_ROLE_CLIENT},
	{"control between fragments", TEXT("\1\2ab\x89\1p\0\1c\x8a\0\x80\1d"),
	 "ping p\npong\ntext abcd\n", 0, WR_OK, WR_WS_ROLE_CLIENT},
	{"control inside a character", TEXT("\1\1\xc3\x89\0\x80\1\xa9"), "ping\ntext \\xc3\\xa9\n",
	 0, WR_OK, WR_WS_ROLE_CLIENT},
	{"binary may be anything", TEXT("\x82\4\xff\0\x80\xc0"), "binary \\xff\\x00\\x80\\xc0\n", 0,
	 WR_OK, WR_WS_ROLE_CLIENT},
	{"text after binary", TEXT("\x82\1\xc3\x81\1x"), "binary \\xc3\ntext x\n", 0, WR_OK,
	 WR_WS_ROLE_CLIENT},
	{"close without code", TEXT("\x88\0"), "close 1005\n", 0, WR_OK, WR_WS_ROLE_CLIENT},
	{"close with code", TEXT("\x88\2\3\xe8"), "close 1000\n", 0, WR_OK, WR_WS_ROLE_CLIENT},
	{"close with reason",
	 TEXT("\x88\5\x0f\xa0"
	      "bye"),
	 "close 4000 bye\n", 0, WR_OK, WR_WS_ROLE_CLIENT},
	{"close within a message", TEXT("\1\2ab\x88\2\3\xe9"), "close 1001\n", 0, WR_OK,
	 WR_WS_ROLE_CLIENT},
	{"anything after close", TEXT("\x88\0\xff\xff\xff garbage \x81\1x"), "close 1005\n", 0,
	 WR_OK, WR_WS_ROLE_CLIENT},
	{"half a message", TEXT("\x81\5Hel"), "", 0, WR_OK, WR_WS_ROLE_CLIENT},
	{"half a ping", TEXT("\x89\5Hel"), "", 0, WR_OK, WR_WS_ROLE_CLIENT},

	{"RSV", TEXT("\x81\1a\xc1\1b"), "text a\n", 4, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"reserved opcode within a message", TEXT("\1\1a\x83\0"), "", 4, WR_SYNTAX,
	 WR_WS_ROLE_CLIENT},
	{"unmasked at the server", TEXT("\x81\5Hello"), "", 2, WR_SYNTAX, WR_WS_ROLE_SERVER},
	{"unmasked close at the server", TEXT("\x88\0"), "", 2, WR_SYNTAX, WR_WS_ROLE_SERVER},
	{"masked at the client", TEXT("\x81" MASKED_HELLO), "", 2, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"continuation of nothing", TEXT("\x80\1a"), "", 1, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"unfinished continuation of nothing", TEXT("\0\1a"), "", 1, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"continuation after a whole message", TEXT("\x81\1a\x80\1b"), "text a\n", 4, WR_SYNTAX,
	 WR_WS_ROLE_CLIENT},
	{"continuation after a whole fragmented one", TEXT("\1\1a\x80\1b\x80\1c"), "text ab\n", 7,
	 WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"text within text", TEXT("\1\1a\x81\1b"), "", 4, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"binary within text after a ping", TEXT("\1\1a\x89\0\2\1b"), "ping\n", 6, WR_SYNTAX,
	 WR_WS_ROLE_CLIENT},
	{"fragmented ping within a message", TEXT("\1\1a\x09\0"), "", 4, WR_SYNTAX,
	 WR_WS_ROLE_CLIENT},
	{"long form that fits a short one", TEXT("\x82\x7e\0\1a"), "", 4, WR_SYNTAX,
	 WR_WS_ROLE_CLIENT},
	{"close of one byte", TEXT("\x88\1\3"), "", 2, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"masked close of one byte", TEXT("\x88\x81\1\2\3\4\3"), "", 6, WR_SYNTAX,
	 WR_WS_ROLE_SERVER},
	{"close code 0", TEXT("\x88\2\0\0"), "", 4, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"close code 999", TEXT("\x88\2\3\xe7"), "", 4, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"close code 1004", TEXT("\x88\2\3\xec"), "", 4, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"close code 1005", TEXT("\x88\2\3\xed"), "", 4, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"close code 1006", TEXT("\x88\2\3\xee"), "", 4, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"close code 1015", TEXT("\x88\2\3\xf7"), "", 4, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"close code 2999", TEXT("\x88\2\x0b\xb7"), "", 4, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"close code 5000", TEXT("\x88\2\x13\x88"), "", 4, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"close code 65535", TEXT("\x88\2\xff\xff"), "", 4, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"bad code and bad reason", TEXT("\x88\3\3\xe7\xff"), "", 5, WR_SYNTAX, WR_WS_ROLE_CLIENT},
	{"close reason not UTF-8",
	 TEXT("\x88\4\3\xe8"
	      "a\xff"),
	 "", 6, WR_ENCODING, WR_WS_ROLE_CLIENT},
	{"close reason cut within a character", TEXT("\x88\4\3\xe8\xe2\x82"), "", 6, WR_ENCODING,
	 WR_WS_ROLE_CLIENT},
	{"text not UTF-8",
	 TEXT("\x81\4ab\xff"
	      "d"),
	 "", 5, WR_ENCODING, WR_WS_ROLE_CLIENT},
	{"text, bad first byte of many", TEXT("\x81\x7d\xc0"), "", 3, WR_ENCODING,
	 WR_WS_ROLE_CLIENT},
	{"surrogate", TEXT("\x81\3\xed\xa0\x80"), "", 4, WR_ENCODING, WR_WS_ROLE_CLIENT},
	{"text ends within a character", TEXT("\x81\2\xe2\x82"), "", 4, WR_ENCODING,
	 WR_WS_ROLE_CLIENT},
	{"fragment ends the text within a character", TEXT("\1\1\xc3\x80\0"), "", 5, WR_ENCODING,
	 WR_WS_ROLE_CLIENT},
	{"character broken by the next fragment", TEXT("\1\1\xc3\x80\1a"), "", 6, WR_ENCODING,
	 WR_WS_ROLE_CLIENT},
	{"a character does not span messages", TEXT("\x81\1\xc3\x81\1\xa9"), "", 3, WR_ENCODING,
	 WR_WS_ROLE_CLIENT},
	{"more than the limit", TEXT("\x82\x7f\0\0\0\0\0\1\x86\xa1"), "", 10, WR_TOO_LARGE,
	 WR_WS_ROLE_CLIENT},
	{"more than 2 to the 32", TEXT("\x82\x7f\0\0\0\1\0\0\0\0"), "", 10, WR_TOO_LARGE,
	 WR_WS_ROLE_CLIENT},
	{"the longest length", TEXT("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"), "", 10,
	 WR_TOO_LARGE, WR_WS_ROLE_CLIENT},
	{"more in sum", TEXT("\2\1a\x80\x7f\0\0\0\0\0\1\x86\xa0"), "", 13, WR_TOO_LARGE,
	 WR_WS_ROLE_CLIENT},
	{"the sum overflows", TEXT("\2\1a\x80\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"), "", 13,
	 WR_TOO_LARGE, WR_WS_ROLE_CLIENT},
};

static void check_case(const struct driver *driver, size_t i)
{
	CHECK_STATUS(driver->status, table[i].status);
	check_log(driver, table[i].log);
}

static void test_table_whole_and_byte_by_byte(void)
{
	for (size_t i = 0; i < WR_COUNT(table); i++) {
		struct driver *driver = driver_of(table[i].role, BYTES_MAX, FRAGMENTS_MAX);

		wr_test_case(table[i].label);
		drive(driver, table[i].input);
		check_case(driver, i);
		driver = driver_of(table[i].role, BYTES_MAX, FRAGMENTS_MAX);
		for (size_t at = 0; at < table[i].input.bytes; at++)
			drive(driver, wr_view_of(table[i].input.data + at, 1));
		check_case(driver, i);
		CHECK_U64(driver->failed_after, table[i].failed_after);
	}
}

static void test_table_cut_everywhere(void)
{
	for (size_t i = 0; i < WR_COUNT(table); i++) {
		struct wr_view input = table[i].input;

		wr_test_case(table[i].label);
		for (size_t first = 0; first <= input.bytes; first++)
			for (size_t second = first; second <= input.bytes; second++) {
				struct driver *driver =
					driver_of(table[i].role, BYTES_MAX, FRAGMENTS_MAX);

				drive(driver, wr_view_of(input.data, first));
				drive(driver, wr_view_of(input.data + first, second - first));
				drive(driver, wr_view_skip(input, second));
				check_case(driver, i);
			}
	}
}

/* ---- UTF-8 across fragments ---- */

static const struct {
	const char *label;
	struct wr_view text;
	bool is_valid;
} texts[] = {
	{"ASCII", TEXT("plain"), true},
	{"all lengths", TEXT("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"), true},
	{"edges", TEXT("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"), true},
	{"tail too many", TEXT("\xc3\xa9\xa9"), false},
	{"overlong in two", TEXT("x\xc0\xaf"), false},
	{"overlong in three", TEXT("\xe0\x9f\xbf"), false},
	{"overlong in four", TEXT("\xf0\x8f\xbf\xbf"), false},
	{"surrogate", TEXT("a\xed\xa0\x80z"), false},
	{"above 10ffff", TEXT("\xf4\x90\x80\x80"), false},
	{"unfinished three", TEXT("ab\xe2\x82"), false},
	{"unfinished four", TEXT("ab\xf0\x9f\x98"), false},
	{"ff", TEXT("\xff"), false},
};

/* The first bad byte, or all of them when the text is only unfinished. */
static size_t first_bad(struct wr_view text)
{
	bool is_whole;
	size_t bytes = 0;

	while (bytes < text.bytes && naive_utf8((const uint8_t *)text.data, bytes + 1, &is_whole))
		bytes++;
	return bytes;
}

/* Sends three fragments byte by byte; the number of payload bytes sent when it failed. */
static size_t send_fragments(struct driver *driver, struct wr_view text, size_t first,
			     size_t second)
{
	size_t starts[4] = {0, first, second, text.bytes}, sent = 0;

	for (size_t i = 0; i < 3; i++) {
		char header[2] = {(char)((i == 0 ? 1 : 0) | (i == 2 ? 0x80 : 0)),
				  (char)(starts[i + 1] - starts[i])};

		drive(driver, wr_view_of(header, 2));
		for (size_t at = starts[i]; at < starts[i + 1] && driver->status == WR_OK; at++) {
			drive(driver, wr_view_of(text.data + at, 1));
			sent++;
		}
	}
	return sent;
}

static void test_utf8_in_three_fragments_cut_everywhere(void)
{
	for (size_t i = 0; i < WR_COUNT(texts); i++)
		for (size_t first = 0; first <= texts[i].text.bytes; first++)
			for (size_t second = first; second <= texts[i].text.bytes; second++) {
				struct driver *driver =
					driver_of(WR_WS_ROLE_CLIENT, BYTES_MAX, FRAGMENTS_MAX);
				size_t sent, bad = first_bad(texts[i].text);

				wr_test_case(texts[i].label);
				sent = send_fragments(driver, texts[i].text, first, second);
				CHECK_STATUS(driver->status,
					     texts[i].is_valid ? WR_OK : WR_ENCODING);
				CHECK_U64(sent, bad < texts[i].text.bytes ? bad + 1 : bad);
				CHECK((driver->log.used != 0) == texts[i].is_valid);
			}
}

/* ---- limits ---- */

static void test_a_message_of_exactly_the_limit_is_taken(void)
{
	struct driver *driver = driver_of(WR_WS_ROLE_CLIENT, 5, 2);

	drive(driver, WR_VIEW("\x82\5Hello\2\2He\x80\3llo\x81\5Hello"));
	CHECK_STATUS(driver->status, WR_OK);
	check_log(driver, "binary Hello\nbinary Hello\ntext Hello\n");
}

static void test_the_limits_are_checked_at_the_header(void)
{
	static const struct {
		struct wr_view input;
		size_t failed_after;
	} cases[] = {
		{TEXT("\x82\6Hello!"), 2},	    {TEXT("\2\5Hello\x80\1!"), 9},
		{TEXT("\2\0\0\0\x80\0"), 6}, /* a third fragment */
		{TEXT("\2\0\x89\1p\0\0\x80\0"), 9}, {TEXT("\x82\5Hello\2\0\x80\5Hello\x82\6"), 18},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct driver *driver = driver_of(WR_WS_ROLE_CLIENT, 5, 2);

		for (size_t at = 0; at < cases[i].input.bytes; at++)
			drive(driver, wr_view_of(cases[i].input.data + at, 1));
		CHECK_STATUS(driver->status, WR_TOO_LARGE);
		CHECK_U64(driver->failed_after, cases[i].failed_after);
	}
}

static void test_control_frames_do_not_count_against_the_message(void)
{
	struct driver *driver = driver_of(WR_WS_ROLE_CLIENT, 3, 2);

	drive(driver, WR_VIEW("\1\2ab\x89\5Hello\x89\5Hello\x89\5Hello\x80\1c"));
	CHECK_STATUS(driver->status, WR_OK);
	check_log(driver, "ping Hello\nping Hello\nping Hello\ntext abc\n");
}

static void test_a_frame_is_announced_before_its_payload(void)
{
	struct wr_ws_receiver receiver;
	struct wr_ws_result result;
	size_t consumed;
	char input[] = "\x81\x7e\x03\xe8";

	wr_ws_receiver_init(&receiver, WR_WS_ROLE_CLIENT, 1000, 1);
	CHECK_STATUS(wr_ws_receiver_feed(&receiver, &result, &consumed, input, 3), WR_OK);
	CHECK(result.event == WR_WS_EVENT_NONE && consumed == 0);
	CHECK_STATUS(wr_ws_receiver_feed(&receiver, &result, &consumed, input, 4), WR_OK);
	CHECK(result.event == WR_WS_EVENT_FRAME && result.is_text && result.is_message_start);
	CHECK_U64(result.frame_bytes, 1000);
	CHECK_U64(consumed, 4);
	CHECK_STATUS(wr_ws_receiver_feed(&receiver, &result, &consumed, NULL, 0), WR_OK);
	CHECK(result.event == WR_WS_EVENT_NONE && consumed == 0);
}

static void test_an_empty_message_needs_no_further_byte(void)
{
	struct wr_ws_receiver receiver;
	struct wr_ws_result result;
	size_t consumed;
	char input[] = "\x82\x80\1\2\3\4";

	wr_ws_receiver_init(&receiver, WR_WS_ROLE_SERVER, 1000, 1);
	CHECK_STATUS(wr_ws_receiver_feed(&receiver, &result, &consumed, input, 6), WR_OK);
	CHECK(result.event == WR_WS_EVENT_FRAME && consumed == 6);
	CHECK_STATUS(wr_ws_receiver_feed(&receiver, &result, &consumed, NULL, 0), WR_OK);
	CHECK(result.event == WR_WS_EVENT_DATA && result.is_message_end && consumed == 0);
	CHECK_U64(result.data.bytes, 0);
	CHECK_STATUS(wr_ws_receiver_feed(&receiver, &result, &consumed, NULL, 0), WR_OK);
	CHECK(result.event == WR_WS_EVENT_NONE);
}

/* ---- random frame sequences ---- */

struct script {
	uint64_t seed;
	enum wr_ws_role role; /* of the receiver */
	bool is_in_message, is_text;
	size_t used;
	char bytes[WS_INPUT_BYTES_MAX];
	size_t text_at, text_bytes;
	char text[4096];
};

static size_t draw(struct script *self, size_t below)
{
	return (size_t)(wr_test_random(&self->seed) % below);
}

static void add_frame(struct script *self, uint8_t opcode, bool is_final, const char *payload,
		      size_t bytes)
{
	struct wr_ws_frame_header header = {.payload_bytes = bytes,
					    .opcode = opcode,
					    .is_final = is_final,
					    .is_masked = self->role == WR_WS_ROLE_SERVER};
	uint32_t mask = (uint32_t)wr_test_random(&self->seed);
	char *at = self->bytes + self->used;
	size_t used;

	if (self->used + bytes + WR_WS_FRAME_HEADER_BYTES_MAX > sizeof self->bytes)
		return;
	memcpy(header.mask, &mask, 4);
	used = wr_ws_frame_header_encode((uint8_t *)at, &header);
	for (size_t i = 0; i < bytes; i++)
		at[used + i] = (char)(payload[i] ^ (header.is_masked ? header.mask[i % 4] : 0));
	self->used += used + bytes;
}

static void add_control(struct script *self)
{
	char payload[WR_WS_CONTROL_BYTES_MAX];
	size_t bytes = draw(self, 3) == 0 ? draw(self, sizeof payload + 1) : draw(self, 6);

	for (size_t i = 0; i < bytes; i++)
		payload[i] = (char)draw(self, 128);
	if (draw(self, 60) != 0) {
		add_frame(self, draw(self, 2) ? WR_WS_OPCODE_PING : WR_WS_OPCODE_PONG, true,
			  payload, bytes);
		return;
	}
	payload[0] = (char)(draw(self, 8) != 0 ? 3 : 4);
	payload[1] = (char)(0xe8 + draw(self, 18));
	add_frame(self, WR_WS_OPCODE_CLOSE, true, payload, bytes);
}

/* Characters of all lengths; a bad byte among them now and then. */
static void fill_text(struct script *self)
{
	self->text_at = self->text_bytes = 0;
	while (self->text_bytes < sizeof self->text - 4) {
		uint32_t scalar = (uint32_t)draw(self, 0x110000) >> draw(self, 21);

		if (scalar >= 0xd800 && scalar <= 0xdfff)
			scalar = '~';
		self->text_bytes += wr_utf8_encode(self->text + self->text_bytes, scalar);
	}
}

static void add_fragment(struct script *self)
{
	static const size_t lengths[] = {0, 1, 2, 7, 124, 125, 126, 127, 300, 3000};
	bool is_final = draw(self, 3) == 0;
	uint8_t opcode = WR_WS_OPCODE_CONTINUATION;
	size_t bytes = draw(self, 2) ? draw(self, 20) : lengths[draw(self, WR_COUNT(lengths))];

	if (!self->is_in_message) {
		self->is_text = draw(self, 3) != 0;
		opcode = self->is_text ? WR_WS_OPCODE_TEXT : WR_WS_OPCODE_BINARY;
		fill_text(self);
	}
	if (bytes > self->text_bytes - self->text_at)
		bytes = self->text_bytes - self->text_at;
	/* A text ends between characters, as a rule. */
	if (is_final && draw(self, 20) != 0)
		while (self->text_at + bytes < self->text_bytes &&
		       ((uint8_t)self->text[self->text_at + bytes] & 0xc0) == 0x80)
			bytes++;
	add_frame(self, opcode, is_final, self->text + self->text_at, bytes);
	self->text_at += bytes;
	self->is_in_message = !is_final;
}

static void damage(struct script *self)
{
	size_t at = draw(self, self->used);

	switch (draw(self, 4)) {
	case 0:
		self->bytes[at] = (char)(self->bytes[at] ^ (1 << draw(self, 8)));
		break;
	case 1:
		self->bytes[at] = (char)draw(self, 256);
		break;
	case 2:
		memmove(self->bytes + at, self->bytes + at + 1, self->used - at - 1);
		self->used--;
		break;
	default:
		self->used = at;
		break;
	}
}

static void write_script(struct script *self, uint64_t seed)
{
	uint64_t frames;

	self->seed = seed;
	self->role = draw(self, 2) ? WR_WS_ROLE_SERVER : WR_WS_ROLE_CLIENT;
	self->is_in_message = false;
	self->used = 0;
	for (frames = 1 + draw(self, 12); frames > 0; frames--)
		if (draw(self, 3) == 0)
			add_control(self);
		else
			add_fragment(self);
	if (draw(self, 2) != 0)
		for (uint64_t i = 1 + draw(self, 3); i > 0 && self->used > 0; i--)
			damage(self);
}

/* How often each end was reached: the test is worthless when one of them is not. */
struct tally {
	unsigned good, syntax, encoding, too_large, messages;
};

static void check_script(struct script *script, struct tally *tally)
{
	static struct ws_log log;
	uint32_t bytes_max = draw(script, 4) == 0 ? 200 : BYTES_MAX;
	uint32_t fragments_max = draw(script, 4) == 0 ? 3 : FRAGMENTS_MAX;
	struct wr_view input = wr_view_of(script->bytes, script->used);
	enum wr_status expected;

	log.used = 0;
	expected = naive_receive(&log, input, script->role, bytes_max, fragments_max);
	for (unsigned way = 0; way < 3; way++) {
		struct driver *driver = driver_of(script->role, bytes_max, fragments_max);

		for (size_t at = 0, piece; at < input.bytes; at += piece) {
			piece = way == 0 ? input.bytes
					 : 1 + (size_t)draw(script, way == 1 ? 9 : 200);
			if (piece > input.bytes - at)
				piece = input.bytes - at;
			drive(driver, wr_view_of(input.data + at, piece));
		}
		CHECK_STATUS(driver->status, expected);
		CHECK_VIEW(wr_view_of(driver->log.text, driver->log.used),
			   wr_view_of(log.text, log.used));
	}
	tally->good += expected == WR_OK;
	tally->syntax += expected == WR_SYNTAX;
	tally->encoding += expected == WR_ENCODING;
	tally->too_large += expected == WR_TOO_LARGE;
	tally->messages += log.used != 0;
}

static void test_random_sequences_agree_with_the_naive_receiver(void)
{
	static struct script script;
	uint64_t seed = wr_test_seed();
	struct tally tally = {0};

	for (unsigned i = 0; i < 6000; i++) {
		write_script(&script, wr_test_random(&seed));
		check_script(&script, &tally);
	}
	CHECK(tally.good > 500 && tally.syntax > 300 && tally.messages > 500);
	CHECK(tally.encoding > 100 && tally.too_large > 100);
}

/* ---- sending ---- */

static void test_frames_sent_are_frames_received(void)
{
	struct driver *driver = driver_of(WR_WS_ROLE_CLIENT, BYTES_MAX, FRAGMENTS_MAX);
	uint8_t out[127];
	char long_reason[123];

	memset(long_reason, 'r', sizeof long_reason);
	drive(driver, wr_view_of(out, wr_ws_control_frame(out, WR_WS_OPCODE_PING, WR_VIEW("hi"))));
	drive(driver, wr_view_of(out, wr_ws_control_frame(out, WR_WS_OPCODE_PONG, WR_VIEW_NULL)));
	check_log(driver, "ping hi\npong\n");
	CHECK_U64(wr_ws_close_frame(out, 1001, wr_view_of(long_reason, 123)), 127);
	drive(driver, wr_view_of(out, 127));
	CHECK(driver->is_closed && driver->status == WR_OK);
}

static void test_close_frames(void)
{
	static const struct {
		unsigned code;
		const char *reason;
		struct wr_view frame;
	} cases[] = {
		{0, "", TEXT("\x88\0")},
		{1005, "", TEXT("\x88\0")},
		{1000, "", TEXT("\x88\2\3\xe8")},
		{1013, "evicted",
		 TEXT("\x88\x09\3\xf5"
		      "evicted")},
		{4999, "\xc3\xa9", TEXT("\x88\4\x13\x87\xc3\xa9")},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		uint8_t out[127];
		struct wr_view reason = wr_view_of_string(cases[i].reason);

		CHECK_VIEW(wr_view_of(out, wr_ws_close_frame(out, cases[i].code, reason)),
			   cases[i].frame);
	}
}

static void test_close_code_of_each_failure(void)
{
	CHECK_U64(wr_ws_close_code_of(WR_SYNTAX), 1002);
	CHECK_U64(wr_ws_close_code_of(WR_ENCODING), 1007);
	CHECK_U64(wr_ws_close_code_of(WR_TOO_LARGE), 1009);
	CHECK_U64(wr_ws_close_code_of(WR_NO_MEMORY), 1011);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_table_whole_and_byte_by_byte),
	WR_TEST_LIMIT(test_table_cut_everywhere, 60),
	WR_TEST_LIMIT(test_utf8_in_three_fragments_cut_everywhere, 60),
	WR_TEST(test_a_message_of_exactly_the_limit_is_taken),
	WR_TEST(test_the_limits_are_checked_at_the_header),
	WR_TEST(test_control_frames_do_not_count_against_the_message),
	WR_TEST(test_a_frame_is_announced_before_its_payload),
	WR_TEST(test_an_empty_message_needs_no_further_byte),
	WR_TEST_LIMIT(test_random_sequences_agree_with_the_naive_receiver, 120),
	WR_TEST(test_frames_sent_are_frames_received),
	WR_TEST(test_close_frames),
	WR_TEST(test_close_code_of_each_failure),
	WR_TEST_END,
};
