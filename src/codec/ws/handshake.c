#include "codec/ws/handshake.h"

#include "bytes/base64.h"
#include "bytes/sha1.h"
#include "check.h"

enum { NONCE_BYTES = 16 };

_Static_assert(WR_BASE64_BYTES(NONCE_BYTES) == WR_WS_KEY_BYTES, "a key is a nonce");
_Static_assert(WR_BASE64_BYTES(WR_SHA1_BYTES) == WR_WS_ACCEPT_BYTES, "an accept value is a hash");

enum wr_ws_handshake_fault wr_ws_handshake_check(const struct wr_http_head *head)
{
	uint8_t nonce[NONCE_BYTES];

	if (head->method != WR_HTTP_METHOD_GET || head->minor_version != 1)
		return WR_WS_HANDSHAKE_NOT_UPGRADE;
	if (!head->has_connection_upgrade || !wr_http_list_has(head->upgrade, WR_VIEW("websocket")))
		return WR_WS_HANDSHAKE_NOT_UPGRADE;
	/* Before the key: whoever speaks another version learns that first, whatever its key is. */
	if (!wr_view_equal(head->ws_version, WR_VIEW("13")))
		return WR_WS_HANDSHAKE_VERSION;
	if (wr_base64_decode(nonce, sizeof nonce, head->ws_key) != WR_OK)
		return WR_WS_HANDSHAKE_KEY;
	return WR_WS_HANDSHAKE_OK;
}

void wr_ws_accept_key(char out[WR_WS_ACCEPT_BYTES], struct wr_view key)
{
	struct wr_sha1 sha1;
	uint8_t hash[WR_SHA1_BYTES];

	wr_sha1_init(&sha1);
	wr_sha1_feed(&sha1, key);
	wr_sha1_feed(&sha1, WR_VIEW("258EAFA5-E914-47DA-95CA-C5AB0DC85B11")); /* 1.3 */
	wr_sha1_finish(&sha1, hash);
	wr_base64_encode(out, hash, sizeof hash);
}

/* One field line, or nothing for an absent value. */
static void append_field(struct wr_buf *out, struct wr_view name_and_colon, struct wr_view value)
{
	if (value.data == NULL)
		return;
	wr_buf_append_view(out, name_and_colon);
	wr_buf_append_view(out, value);
	wr_buf_append_view(out, WR_VIEW("\r\n"));
}

void wr_ws_handshake_answer(struct wr_buf *out, struct wr_view key, struct wr_view protocol)
{
	char accept[WR_WS_ACCEPT_BYTES];

	wr_assert(key.bytes == WR_WS_KEY_BYTES);
	wr_ws_accept_key(accept, key);
	wr_buf_append_view(out, WR_VIEW("HTTP/1.1 101 Switching Protocols\r\n"
					"Connection: Upgrade\r\n"
					"Upgrade: websocket\r\n"));
	append_field(out, WR_VIEW("Sec-WebSocket-Accept: "), wr_view_of(accept, sizeof accept));
	append_field(out, WR_VIEW("Sec-WebSocket-Protocol: "), protocol);
	wr_buf_append_view(out, WR_VIEW("\r\n"));
}

void wr_ws_handshake_request(struct wr_buf *out, const uint8_t nonce[16], struct wr_view protocol)
{
	char key[WR_WS_KEY_BYTES];

	wr_base64_encode(key, nonce, NONCE_BYTES);
	wr_buf_append_view(out, WR_VIEW("Connection: Upgrade\r\n"
					"Upgrade: websocket\r\n"
					"Sec-WebSocket-Version: 13\r\n"));
	append_field(out, WR_VIEW("Sec-WebSocket-Key: "), wr_view_of(key, sizeof key));
	append_field(out, WR_VIEW("Sec-WebSocket-Protocol: "), protocol);
}

enum wr_status wr_ws_handshake_verify(const struct wr_http_head *head, const uint8_t nonce[16],
				      struct wr_view protocol)
{
	char key[WR_WS_KEY_BYTES], accept[WR_WS_ACCEPT_BYTES];

	if (head->status != 101 || head->minor_version != 1 || !head->has_connection_upgrade)
		return WR_INVALID;
	/* 4.1: here the field is the one word, not a list as in a request. */
	if (!wr_view_equal_nocase(head->upgrade, WR_VIEW("websocket")))
		return WR_INVALID;
	wr_base64_encode(key, nonce, NONCE_BYTES);
	wr_ws_accept_key(accept, wr_view_of(key, sizeof key));
	if (!wr_view_equal(head->ws_accept, wr_view_of(accept, sizeof accept)))
		return WR_INVALID;
	if (head->ws_extensions.data != NULL)
		return WR_INVALID;
	if (head->ws_protocol.data != NULL &&
	    (protocol.data == NULL || !wr_view_equal(head->ws_protocol, protocol)))
		return WR_INVALID;
	return WR_OK;
}
