/* sha256 — FIPS 180-4: token comparison, later idempotency fingerprints and bundle digests. */
#ifndef WR_BYTES_SHA256_H
#define WR_BYTES_SHA256_H

#include "bytes/view.h"

#include <stdint.h>

#define WR_SHA256_BYTES 32u

/* Placed by the caller; private. */
struct wr_sha256 {
	uint32_t state[8];
	uint64_t bytes;
	uint8_t block[64];
};

void wr_sha256_init(struct wr_sha256 *self);
void wr_sha256_feed(struct wr_sha256 *self, struct wr_view data);
void wr_sha256_finish(struct wr_sha256 *self, uint8_t out[WR_SHA256_BYTES]);

/* Of one view. */
void wr_sha256_of(uint8_t out[WR_SHA256_BYTES], struct wr_view data);

#endif
