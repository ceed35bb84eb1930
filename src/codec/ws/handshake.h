/*
 * ws/handshake — the opening handshake of RFC 6455 section 4, both roles, version 13, no extension.
 */
#ifndef WR_CODEC_WS_HANDSHAKE_H
#define WR_CODEC_WS_HANDSHAKE_H

#include "bytes/buf.h"
#include "codec/http/head.h"
#include "status.h"

#include <stdint.h>

enum wr_ws_handshake_fault {
	WR_WS_HANDSHAKE_OK,
	WR_WS_HANDSHAKE_NOT_UPGRADE, /* 426: Connection/Upgrade do not ask for websocket, or
					HTTP/1.0 */
	WR_WS_HANDSHAKE_KEY,	     /* 400: key missing or not 16 bytes in base64 */
	WR_WS_HANDSHAKE_VERSION	     /* 426 with Sec-WebSocket-Version: 13 */
};

#define WR_WS_KEY_BYTES 24u    /* base64 of 16 bytes */
#define WR_WS_ACCEPT_BYTES 28u /* base64 of a SHA-1 */

/* Server: whether a GET head is a valid upgrade request (4.2.1). */
enum wr_ws_handshake_fault wr_ws_handshake_check(const struct wr_http_head *head);

/* The accept value for a key (4.2.2, step 5.4). */
void wr_ws_accept_key(char out[WR_WS_ACCEPT_BYTES], struct wr_view key);

/* Server: the whole 101 answer; `protocol` absent when none is selected. The key was checked. */
void wr_ws_handshake_answer(struct wr_buf *out, struct wr_view key, struct wr_view protocol);

/* Client: the upgrade request's fields (Upgrade, Connection, version, key, protocol when not
 * absent), between a request line and the head's end that the caller writes. nonce: 16 random
 * bytes. */
void wr_ws_handshake_request(struct wr_buf *out, const uint8_t nonce[16], struct wr_view protocol);

/* Client: whether a response head completes the handshake (4.1): 101, Upgrade, Connection, accept
 * value, no extension, no protocol but the asked one. WR_OK or WR_INVALID. */
enum wr_status wr_ws_handshake_verify(const struct wr_http_head *head, const uint8_t nonce[16],
				      struct wr_view protocol);

#endif
