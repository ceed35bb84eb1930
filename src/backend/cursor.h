/*
 * backend/cursor — `bo_` cursors: where a browser stands in the events of one Worker, as a token
 * that needs no memory here and so survives a restart of the Backend (design 7).
 *
 * 28 base64url characters of 21 bytes behind the prefix: log tag (6), generation (3), tag of the
 * Worker's id (4), sequence (8), big-endian, all of it under a mask made of the Runtime's id. So a
 * token of another Runtime is not one of this, one of another Worker is told apart, and none of
 * them is, or contains, a cursor of a Runtime. The mask is no secret: a cursor grants nothing.
 */
#ifndef WR_BACKEND_CURSOR_H
#define WR_BACKEND_CURSOR_H

#include "bytes/view.h"
#include "core/cursor.h"

struct wr_backend_cursor {
	uint8_t log_tag[WR_LOG_TAG_BYTES];
	uint32_t generation; /* 24 bits */
	uint32_t worker_tag; /* wr_worker_tag */
	uint64_t sequence;
};

struct wr_cursor_mask {
	uint8_t bytes[21];
};

void wr_cursor_mask_init(struct wr_cursor_mask *self, struct wr_view runtime_id);
/* Of a Worker's id: the first four bytes of its SHA-256. */
uint32_t wr_worker_tag(struct wr_view worker_id);

void wr_backend_cursor_format(char out[WR_CURSOR_BYTES], const struct wr_cursor_mask *mask,
			      const struct wr_backend_cursor *cursor);
/* WR_OK; WR_MALFORMED: not `bo_` and 28 characters of a token. `bo_` and 16 hex digits, as older
 * Backends gave them, is WR_UNKNOWN. What it names is for the caller to judge. */
enum wr_status wr_backend_cursor_parse(struct wr_backend_cursor *cursor,
				       const struct wr_cursor_mask *mask, struct wr_view token);

#endif
