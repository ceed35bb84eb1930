/* Goal: exactly the handshakes of RFC 6455 section 4 are taken, by both roles, and ours are among
 * them. Method: a good head with one thing changed, row by row; written bytes compared whole. */
#include "codec/ws/handshake.h"

#include "check.h"
#include "harness/harness.h"

#define TEXT(literal)                        \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

/* Section 1.3. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static const uint8_t nonce[] = "the sample nonce";

static void test_accept_value_of_the_rfc(void)
{
	char out[WR_WS_ACCEPT_BYTES];

	wr_ws_accept_key(out, WR_VIEW(KEY));
	CHECK_STRING(wr_view_of(out, sizeof out), ACCEPT);
}

static struct wr_http_head good_request(void)
{
	return (struct wr_http_head){
		.method = WR_HTTP_METHOD_GET,
		.minor_version = 1,
		.has_connection_upgrade = true,
		.upgrade = WR_VIEW("websocket"),
		.ws_version = WR_VIEW("13"),
		.ws_key = WR_VIEW(KEY),
	};
}

static void test_requests_that_are_no_upgrade(void)
{
	static const struct {
		const char *label;
		enum wr_http_method method;
		uint8_t minor_version;
		bool has_connection_upgrade;
		struct wr_view upgrade;
	} cases[] = {
		{"POST", WR_HTTP_METHOD_POST, 1, true, TEXT("websocket")},
		{"HEAD", WR_HTTP_METHOD_HEAD, 1, true, TEXT("websocket")},
		{"other method", WR_HTTP_METHOD_OTHER, 1, true, TEXT("websocket")},
		{"HTTP/1.0", WR_HTTP_METHOD_GET, 0, true, TEXT("websocket")},
		{"no Connection", WR_HTTP_METHOD_GET, 1, false, TEXT("websocket")},
		{"no Upgrade", WR_HTTP_METHOD_GET, 1, true, {NULL, 0}},
		{"empty Upgrade", WR_HTTP_METHOD_GET, 1, true, TEXT("")},
		{"another protocol", WR_HTTP_METHOD_GET, 1, true, TEXT("h2c")},
		{"longer word", WR_HTTP_METHOD_GET, 1, true, TEXT("websockets")},
		{"shorter word", WR_HTTP_METHOD_GET, 1, true, TEXT("websocke")},
		{"two words", WR_HTTP_METHOD_GET, 1, true, TEXT("web socket")},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_http_head head = good_request();

		wr_test_case(cases[i].label);
		head.method = cases[i].method;
		head.minor_version = cases[i].minor_version;
		head.has_connection_upgrade = cases[i].has_connection_upgrade;
		head.upgrade = cases[i].upgrade;
		CHECK_U64(wr_ws_handshake_check(&head), WR_WS_HANDSHAKE_NOT_UPGRADE);
	}
}

static void test_spellings_of_the_upgrade_field(void)
{
	static const char *const cases[] = {"websocket",      "WebSocket",     "WEBSOCKET",
					    "h2c, websocket", "websocket,h2c", "a ,WebSocket"};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_http_head head = good_request();

		wr_test_case(cases[i]);
		head.upgrade = wr_view_of_string(cases[i]);
		CHECK_U64(wr_ws_handshake_check(&head), WR_WS_HANDSHAKE_OK);
	}
}

static void test_version_is_exactly_13(void)
{
	static const char *const cases[] = {NULL,  "",	  "0",	 "8",	"1",   "12",   "14",
					    "013", "+13", "13 ", " 13", "130", "13,8", "8, 13"};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_http_head head = good_request();

		wr_test_case(cases[i]);
		head.ws_version = wr_view_of_string(cases[i]);
		CHECK_U64(wr_ws_handshake_check(&head), WR_WS_HANDSHAKE_VERSION);
		/* An old draft has no such key either: the version is the better answer. */
		head.ws_key = WR_VIEW_NULL;
		CHECK_U64(wr_ws_handshake_check(&head), WR_WS_HANDSHAKE_VERSION);
	}
}

static void test_key_is_16_bytes_in_base64(void)
{
	static const char *const cases[] = {
		NULL,
		"",
		"=",
		"dGhlIHNhbXBsZSBub25jZQ",    /* no padding */
		"dGhlIHNhbXBsZSBub25jZQ=",   /* half the padding */
		"dGhlIHNhbXBsZSBub25jZR==",  /* not the canonical spelling */
		"dGhlIHNhbXBsZSBub25jZQ==,", /* something behind */
		" dGhlIHNhbXBsZSBub25jZQ=",  /* something in front */
		"dGhlIHNhbXBsZSBub25j",	     /* 15 bytes */
		"dGhlIHNhbXBsZSBub25jZTE=",  /* 17 bytes */
		"dGhlIHNhbXBsZSBub25jZTEy",  /* 18 bytes */
		"dGhl!HNhbXBsZSBub25jZQ==",  /* foreign character */
		"dGhl-HNhbXBsZSBub25jZ_==",  /* url alphabet */
		"========================",
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_http_head head = good_request();

		wr_test_case(cases[i]);
		head.ws_key = wr_view_of_string(cases[i]);
		CHECK_U64(wr_ws_handshake_check(&head), WR_WS_HANDSHAKE_KEY);
	}
}

static void test_answer_is_exactly_this(void)
{
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), 1000);
	wr_ws_handshake_answer(&out, WR_VIEW(KEY), WR_VIEW_NULL);
	CHECK_STRING(wr_buf_view(&out), "HTTP/1.1 101 Switching Protocols\r\n"
					"Connection: Upgrade\r\n"
					"Upgrade: websocket\r\n"
					"Sec-WebSocket-Accept: " ACCEPT "\r\n"
					"\r\n");
	wr_buf_reset(&out);
	wr_ws_handshake_answer(&out, WR_VIEW(KEY), WR_VIEW("yoi.events.v1"));
	CHECK_STRING(wr_buf_view(&out), "HTTP/1.1 101 Switching Protocols\r\n"
					"Connection: Upgrade\r\n"
					"Upgrade: websocket\r\n"
					"Sec-WebSocket-Accept: " ACCEPT "\r\n"
					"Sec-WebSocket-Protocol: yoi.events.v1\r\n"
					"\r\n");
	wr_buf_deinit(&out);
}

static void test_request_is_exactly_this(void)
{
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), 1000);
	wr_ws_handshake_request(&out, nonce, WR_VIEW_NULL);
	CHECK_STRING(wr_buf_view(&out), "Connection: Upgrade\r\n"
					"Upgrade: websocket\r\n"
					"Sec-WebSocket-Version: 13\r\n"
					"Sec-WebSocket-Key: " KEY "\r\n");
	wr_buf_reset(&out);
	wr_ws_handshake_request(&out, nonce, WR_VIEW("a.b"));
	CHECK_STRING(wr_buf_view(&out), "Connection: Upgrade\r\n"
					"Upgrade: websocket\r\n"
					"Sec-WebSocket-Version: 13\r\n"
					"Sec-WebSocket-Key: " KEY "\r\n"
					"Sec-WebSocket-Protocol: a.b\r\n");
	wr_buf_deinit(&out);
}

static void test_a_full_buffer_is_remembered(void)
{
	for (size_t bytes = 1; bytes < 129; bytes++) {
		struct wr_buf out;
		char room[160];

		wr_buf_init_fixed(&out, room, bytes);
		wr_ws_handshake_answer(&out, WR_VIEW(KEY), WR_VIEW_NULL);
		CHECK_STATUS(wr_buf_status(&out), WR_TOO_LARGE);
	}
}

static struct wr_http_head good_response(void)
{
	return (struct wr_http_head){
		.status = 101,
		.minor_version = 1,
		.has_connection_upgrade = true,
		.upgrade = WR_VIEW("websocket"),
		.ws_accept = WR_VIEW(ACCEPT),
	};
}

static void test_answers_that_do_not_complete_the_handshake(void)
{
	static const struct {
		const char *label;
		uint16_t status;
		uint8_t minor_version;
		bool has_connection_upgrade;
		struct wr_view upgrade, accept, extensions, protocol;
	} cases[] = {
		{"200", 200, 1, true, TEXT("websocket"), TEXT(ACCEPT), {NULL, 0}, {NULL, 0}},
		{"100", 100, 1, true, TEXT("websocket"), TEXT(ACCEPT), {NULL, 0}, {NULL, 0}},
		{"401", 401, 1, true, TEXT("websocket"), TEXT(ACCEPT), {NULL, 0}, {NULL, 0}},
		{"1.0", 101, 0, true, TEXT("websocket"), TEXT(ACCEPT), {NULL, 0}, {NULL, 0}},
		{"no Connection",
		 101,
		 1,
		 false,
		 TEXT("websocket"),
		 TEXT(ACCEPT),
		 {NULL, 0},
		 {NULL, 0}},
		{"no Upgrade", 101, 1, true, {NULL, 0}, TEXT(ACCEPT), {NULL, 0}, {NULL, 0}},
		{"Upgrade is a list",
		 101,
		 1,
		 true,
		 TEXT("h2c, websocket"),
		 TEXT(ACCEPT),
		 {NULL, 0},
		 {NULL, 0}},
		{"no accept", 101, 1, true, TEXT("websocket"), {NULL, 0}, {NULL, 0}, {NULL, 0}},
		{"empty accept", 101, 1, true, TEXT("websocket"), TEXT(""), {NULL, 0}, {NULL, 0}},
		{"key as accept", 101, 1, true, TEXT("websocket"), TEXT(KEY), {NULL, 0}, {NULL, 0}},
		{"accept of another key",
		 101,
		 1,
		 true,
		 TEXT("websocket"),
		 TEXT("s3pPLMBiTxaQ9kYGzzhZRbK+xOp="),
		 {NULL, 0},
		 {NULL, 0}},
		{"accept in other case",
		 101,
		 1,
		 true,
		 TEXT("websocket"),
		 TEXT("S3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
		 {NULL, 0},
		 {NULL, 0}},
		{"accept and more",
		 101,
		 1,
		 true,
		 TEXT("websocket"),
		 TEXT(ACCEPT "="),
		 {NULL, 0},
		 {NULL, 0}},
		{"extension",
		 101,
		 1,
		 true,
		 TEXT("websocket"),
		 TEXT(ACCEPT),
		 TEXT("permessage-deflate"),
		 {NULL, 0}},
		{"empty extension",
		 101,
		 1,
		 true,
		 TEXT("websocket"),
		 TEXT(ACCEPT),
		 TEXT(""),
		 {NULL, 0}},
		{"protocol not asked for",
		 101,
		 1,
		 true,
		 TEXT("websocket"),
		 TEXT(ACCEPT),
		 {NULL, 0},
		 TEXT("b")},
		{"protocol in other case",
		 101,
		 1,
		 true,
		 TEXT("websocket"),
		 TEXT(ACCEPT),
		 {NULL, 0},
		 TEXT("A")},
		{"empty protocol",
		 101,
		 1,
		 true,
		 TEXT("websocket"),
		 TEXT(ACCEPT),
		 {NULL, 0},
		 TEXT("")},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_http_head head = good_response();

		wr_test_case(cases[i].label);
		head.status = cases[i].status;
		head.minor_version = cases[i].minor_version;
		head.has_connection_upgrade = cases[i].has_connection_upgrade;
		head.upgrade = cases[i].upgrade;
		head.ws_accept = cases[i].accept;
		head.ws_extensions = cases[i].extensions;
		head.ws_protocol = cases[i].protocol;
		CHECK_STATUS(wr_ws_handshake_verify(&head, nonce, WR_VIEW("a")), WR_INVALID);
	}
}

static void test_answers_that_complete_the_handshake(void)
{
	struct wr_http_head head = good_response();

	CHECK_STATUS(wr_ws_handshake_verify(&head, nonce, WR_VIEW_NULL), WR_OK);
	/* A server need not take the protocol (4.2.2). */
	CHECK_STATUS(wr_ws_handshake_verify(&head, nonce, WR_VIEW("a")), WR_OK);
	head.upgrade = WR_VIEW("WebSocket");
	head.ws_protocol = WR_VIEW("a");
	CHECK_STATUS(wr_ws_handshake_verify(&head, nonce, WR_VIEW("a")), WR_OK);
	CHECK_STATUS(wr_ws_handshake_verify(&head, nonce, WR_VIEW_NULL), WR_INVALID);
}

static void test_another_nonce_is_another_accept_value(void)
{
	struct wr_http_head head = good_response();

	for (size_t bit = 0; bit < 128; bit++) {
		uint8_t other[16];

		memcpy(other, nonce, sizeof other);
		other[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK_STATUS(wr_ws_handshake_verify(&head, other, WR_VIEW_NULL), WR_INVALID);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_accept_value_of_the_rfc),
	WR_TEST(test_requests_that_are_no_upgrade),
	WR_TEST(test_spellings_of_the_upgrade_field),
	WR_TEST(test_version_is_exactly_13),
	WR_TEST(test_key_is_16_bytes_in_base64),
	WR_TEST(test_answer_is_exactly_this),
	WR_TEST(test_request_is_exactly_this),
	WR_TEST(test_a_full_buffer_is_remembered),
	WR_TEST(test_answers_that_do_not_complete_the_handshake),
	WR_TEST(test_answers_that_complete_the_handshake),
	WR_TEST(test_another_nonce_is_another_accept_value),
	WR_TEST_END,
};
