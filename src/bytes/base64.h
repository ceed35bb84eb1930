/*
 * base64 — RFC 4648 section 4 with padding (WebSocket handshake) and section 5 without (tokens).
 *
 * Decoding is canonical: exact length, no white space, unused bits zero; so that one value has one
 * spelling.
 */
#ifndef WR_BYTES_BASE64_H
#define WR_BYTES_BASE64_H

#include "bytes/view.h"
#include "status.h"

#include <stdint.h>

#define WR_BASE64_BYTES(bytes) (((bytes) + 2) / 3 * 4)
#define WR_BASE64URL_BYTES(bytes) (((bytes)*8 + 5) / 6)

/* Both write exactly the length above and return it. */
size_t wr_base64_encode(char *out, const uint8_t *data, size_t bytes);
size_t wr_base64url_encode(char *out, const uint8_t *data, size_t bytes);

/* WR_OK when text is the canonical spelling of exactly `bytes` bytes, else WR_SYNTAX. */
enum wr_status wr_base64_decode(uint8_t *out, size_t bytes, struct wr_view text);
enum wr_status wr_base64url_decode(uint8_t *out, size_t bytes, struct wr_view text);

#endif
