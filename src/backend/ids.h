/*
 * ids — which ids may stand in a URL of the Backend, ids made of other texts, and texts for display
 * (contract 8.2).
 */
#ifndef WR_BACKEND_IDS_H
#define WR_BACKEND_IDS_H

#include "bytes/buf.h"

enum { WR_BACKEND_ID_BYTES_MAX = 120, WR_DISPLAY_CHARS_MAX = 80 };
/* A filtered text at its longest. */
#define WR_DISPLAY_BYTES_MAX (4u * WR_DISPLAY_CHARS_MAX)

/* 1 to 120 bytes of [A-Za-z0-9_:-]. */
bool wr_backend_id_is_valid(struct wr_view id);

/* ID(prefix, value): writes at most WR_BACKEND_ID_BYTES_MAX bytes, returns how many. `value` is
 * UTF-8 (what is not counts byte by byte). */
size_t wr_backend_id_make(char out[WR_BACKEND_ID_BYTES_MAX], struct wr_view prefix,
			  struct wr_view value);

/* Appends the text without control characters, `/`, `\` and what is not UTF-8: of the rest, the
 * first 80 characters. */
void wr_display_append(struct wr_buf *out, struct wr_view text);

#endif
