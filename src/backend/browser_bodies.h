/*
 * browser_bodies — what browsers send to have something done (contract 8.4), into commands of
 * runtime_handle.h.
 *
 * Decoded by the rules of wire/schema.h: unknown members are ignored; a known one twice, a missing
 * or null required one, an unknown word are refused. Texts with escapes are decoded into `texts`,
 * which is reset first; views live until its next change, and as long as the body.
 */
#ifndef WR_BACKEND_BROWSER_BODIES_H
#define WR_BACKEND_BROWSER_BODIES_H

#include "backend/runtime_handle.h"
#include "status.h"

/* What an input says. */
struct wr_browser_input {
	bool is_system;
	struct wr_view content;
};

/* All: WR_OK; WR_SYNTAX, WR_ENCODING, WR_TOO_LARGE (depth): no such JSON, also an empty body;
 * WR_INVALID; WR_NO_MEMORY. On failure `error` has offset and a static detail. */
enum wr_status wr_browser_spawn_read(struct wr_spawn_request *out, struct wr_buf *texts,
				     struct wr_view body, struct wr_error *error);
enum wr_status wr_browser_input_read(struct wr_browser_input *out, struct wr_buf *texts,
				     struct wr_view body, struct wr_error *error);
/* The reason may be absent. */
enum wr_status wr_browser_lifecycle_read(struct wr_view *reason, struct wr_buf *texts,
					 struct wr_view body, struct wr_error *error);

#endif
