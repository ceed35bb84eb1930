/*
 * The opening handshake, both roles. Options: variant (0: the rest is a request head, as a server
 * reads it; 1: an answer, as a client does; 2: 16 bytes of nonce and a protocol, of which we make
 * both sides).
 *
 * Each condition of RFC 6455 4.2.1 and 4.1 is asked a second time, by hand; what our client asks
 * our server accepts, and the other way round.
 */
#include "bytes/base64.h"
#include "codec/http/message.h"
#include "codec/ws/handshake.h"
#include "fuzz.h"

#include <strings.h>

static struct wr_http_head head;

static const uint8_t fixed_nonce[16] = "the sample nonce"; /* of RFC 6455 1.3 */
#define FIXED_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static enum wr_status parse(struct wr_view text, bool is_request)
{
	struct wr_http_head_parser parser = {0};
	size_t bytes;

	return is_request ? wr_http_request_parse(&parser, &head, &bytes, text)
			  : wr_http_response_parse(&parser, &head, &bytes, text, false);
}

/* Whether a list has the token, by hand. */
static bool has_token(struct wr_view list, const char *token)
{
	while (list.bytes != 0) {
		const char *comma = memchr(list.data, ',', list.bytes);
		size_t bytes = comma != NULL ? (size_t)(comma - list.data) : list.bytes;
		size_t from = 0, to = bytes;

		while (from < to && (list.data[from] == ' ' || list.data[from] == '\t'))
			from++;
		while (to > from && (list.data[to - 1] == ' ' || list.data[to - 1] == '\t'))
			to--;
		if (to - from == strlen(token) &&
		    strncasecmp(list.data + from, token, to - from) == 0)
			return true;
		list = wr_view_skip(list, bytes + (comma != NULL));
	}
	return false;
}

/* 16 bytes are 22 letters, of which the last carries two bits, and "==". */
static bool is_key(struct wr_view key)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	if (key.bytes != 24 || key.data[22] != '=' || key.data[23] != '=')
		return false;
	for (size_t i = 0; i < 22; i++)
		if (key.data[i] == '\0' || strchr(letters, key.data[i]) == NULL)
			return false;
	return strchr("AQgw", key.data[21]) != NULL;
}

static enum wr_ws_handshake_fault expected_fault(void)
{
	if (!wr_view_equal(head.method_text, WR_VIEW("GET")) || head.minor_version != 1 ||
	    !head.has_connection_upgrade || !has_token(head.upgrade, "websocket"))
		return WR_WS_HANDSHAKE_NOT_UPGRADE;
	if (head.ws_version.data == NULL || !wr_view_equal(head.ws_version, WR_VIEW("13")))
		return WR_WS_HANDSHAKE_VERSION;
	return is_key(head.ws_key) ? WR_WS_HANDSHAKE_OK : WR_WS_HANDSHAKE_KEY;
}

static void check_answer(struct wr_view key, struct wr_view protocol, const uint8_t nonce[16])
{
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), 65536);
	wr_ws_handshake_answer(&out, key, protocol);
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	CHECK_STATUS(parse(wr_buf_view(&out), false), WR_OK);
	CHECK_STATUS(wr_ws_handshake_verify(&head, nonce, protocol), WR_OK);
	/* Another nonce's answer is not ours. */
	CHECK_STATUS(wr_ws_handshake_verify(&head, (const uint8_t *)"0123456789abcde", protocol),
		     memcmp(nonce, "0123456789abcde", 16) == 0 ? WR_OK : WR_INVALID);
	wr_buf_deinit(&out);
}

static void check_request(struct wr_view text)
{
	uint8_t nonce[16];

	if (parse(text, true) != WR_OK)
		return;
	CHECK_U64(wr_ws_handshake_check(&head), expected_fault());
	if (wr_ws_handshake_check(&head) != WR_WS_HANDSHAKE_OK)
		return;
	CHECK_STATUS(wr_base64_decode(nonce, sizeof nonce, head.ws_key), WR_OK);
	check_answer(head.ws_key, WR_VIEW_NULL, nonce);
}

static void check_response(struct wr_view text)
{
	bool is_good;

	if (parse(text, false) != WR_OK)
		return;
	is_good = head.status == 101 && head.minor_version == 1 && head.has_connection_upgrade &&
		  head.upgrade.bytes == 9 && has_token(head.upgrade, "websocket") &&
		  wr_view_equal(head.ws_accept, WR_VIEW(FIXED_ACCEPT)) &&
		  head.ws_extensions.data == NULL;
	CHECK_STATUS(wr_ws_handshake_verify(&head, fixed_nonce, WR_VIEW_NULL),
		     is_good && head.ws_protocol.data == NULL ? WR_OK : WR_INVALID);
	is_good = is_good &&
		  (head.ws_protocol.data == NULL || wr_view_equal(head.ws_protocol, WR_VIEW("p")));
	CHECK_STATUS(wr_ws_handshake_verify(&head, fixed_nonce, WR_VIEW("p")),
		     is_good ? WR_OK : WR_INVALID);
}

/* Whether our client and our server understand each other. */
static void check_both(struct wr_view nonce_bytes, struct wr_view protocol)
{
	uint8_t nonce[16] = {0};
	char key[WR_WS_KEY_BYTES];
	struct wr_buf out;

	memcpy(nonce, nonce_bytes.data, nonce_bytes.bytes);
	for (size_t i = 0; i < protocol.bytes; i++)
		if (protocol.data[i] < 0x21 || protocol.data[i] > 0x7e)
			protocol.bytes = i;
	if (protocol.bytes == 0)
		protocol = WR_VIEW_NULL;
	wr_buf_init(&out, wr_test_allocator(), 65536);
	wr_http_write_request_line(&out, WR_VIEW("GET"), WR_VIEW("/"));
	wr_http_write_field(&out, WR_VIEW("Host"), WR_VIEW("a"));
	wr_ws_handshake_request(&out, nonce, protocol);
	wr_http_write_head_end(&out);
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	CHECK_STATUS(parse(wr_buf_view(&out), true), WR_OK);
	CHECK_U64(wr_ws_handshake_check(&head), WR_WS_HANDSHAKE_OK);
	CHECK_VIEW(head.ws_protocol, protocol);
	memcpy(key, head.ws_key.data, sizeof key);
	check_answer(wr_view_of(key, sizeof key), protocol, nonce);
	wr_buf_deinit(&out);
}

void fuzz_one(struct wr_view input)
{
	uint8_t variant = fuzz_u8(&input) % 3;

	if (variant == 0) {
		check_request(wr_test_guarded(0, input));
	} else if (variant == 1) {
		check_response(wr_test_guarded(0, input));
	} else if (input.bytes >= 16 && input.bytes < 4096) {
		struct wr_view nonce = fuzz_take(&input, 16);
		check_both(nonce, input);
	}
}
