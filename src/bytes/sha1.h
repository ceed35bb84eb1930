/* sha1 — FIPS 180-4, for the WebSocket handshake only (RFC 6455 1.3); not for anything secret. */
#ifndef WR_BYTES_SHA1_H
#define WR_BYTES_SHA1_H

#include "bytes/view.h"

#include <stdint.h>

#define WR_SHA1_BYTES 20u

/* Placed by the caller; private. */
struct wr_sha1 {
	uint32_t state[5];
	uint64_t bytes;
	uint8_t block[64];
};

void wr_sha1_init(struct wr_sha1 *self);
void wr_sha1_feed(struct wr_sha1 *self, struct wr_view data);
void wr_sha1_finish(struct wr_sha1 *self, uint8_t out[WR_SHA1_BYTES]);

#endif
