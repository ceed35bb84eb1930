/*
 * cursor — "the last event I received" as a token that binds scope, log, generation and sequence
 * (design 3).
 *
 * A token is a prefix, `wo_` (one Worker) or `re_` (the whole Runtime), and 28 base64url characters
 * of 21 bytes: log tag (6), generation (3), Worker number (4, 0 for re_), sequence (8), big-endian.
 * Its length is fixed, so that a token in a finished frame can be replaced in place.
 */
#ifndef WR_CORE_CURSOR_H
#define WR_CORE_CURSOR_H

#include "bytes/view.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

#define WR_CURSOR_BYTES 31u
#define WR_LOG_ID_BYTES 16u
#define WR_LOG_TAG_BYTES 6u

struct wr_cursor {
	bool is_runtime; /* scope: re_ or wo_ */
	uint8_t log_tag[WR_LOG_TAG_BYTES];
	uint32_t generation;
	uint32_t worker;
	uint64_t sequence;
	/* The old form, wo_ and 16 hex digits: carries a number and nothing else. */
	bool is_legacy;
};

/* Writes the token; not the legacy form. */
void wr_cursor_format(char out[WR_CURSOR_BYTES], const struct wr_cursor *cursor);

/* WR_OK (also for the legacy form), or WR_MALFORMED. */
enum wr_status wr_cursor_parse(struct wr_cursor *cursor, struct wr_view token);

#endif
