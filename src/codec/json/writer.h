/*
 * json/writer — JSON text appended to a buffer.
 *
 * Commas are put by the writer; nesting must be closed by the caller in order (asserted). Failure
 * is the buffer's: write everything, then ask wr_buf_status once. Escaped are only `"`, `\` and
 * U+0000-001F (short forms \b \t \n \f \r, else \u00xx in lower case); all else is raw UTF-8, which
 * the caller guarantees to be valid (contract 2.2).
 */
#ifndef WR_CODEC_JSON_WRITER_H
#define WR_CODEC_JSON_WRITER_H

#include "bytes/buf.h"
#include "bounds.h"

#include <stdbool.h>
#include <stdint.h>

/* Placed by the caller; fields are private. At most WR_JSON_DEPTH_MAX levels may be open. */
struct wr_json_writer {
	struct wr_buf *out; /* borrowed */
	bool needs_comma;
	uint16_t depth;
	char brackets[WR_JSON_DEPTH_MAX]; /* of what is open */
};

void wr_json_writer_init(struct wr_json_writer *self, struct wr_buf *out);

void wr_json_object_begin(struct wr_json_writer *self);
void wr_json_object_end(struct wr_json_writer *self);
void wr_json_array_begin(struct wr_json_writer *self);
void wr_json_array_end(struct wr_json_writer *self);

/* A member's name, escaped as needed; its value must follow. */
void wr_json_name(struct wr_json_writer *self, struct wr_view name);

void wr_json_string(struct wr_json_writer *self, struct wr_view text);
void wr_json_u64(struct wr_json_writer *self, uint64_t value);
void wr_json_i64(struct wr_json_writer *self, int64_t value);
void wr_json_double(struct wr_json_writer *self, double value); /* not finite: null */
void wr_json_bool(struct wr_json_writer *self, bool value);
void wr_json_null(struct wr_json_writer *self);

/* A finished JSON value, copied as it is. */
void wr_json_raw(struct wr_json_writer *self, struct wr_view json);

/* A string in pieces, for text that is not in one place: begin, any number of parts, end. A part
 * may not cut a UTF-8 sequence. */
void wr_json_string_begin(struct wr_json_writer *self);
void wr_json_string_part(struct wr_json_writer *self, struct wr_view text);
void wr_json_string_end(struct wr_json_writer *self);

/* ---- members in one call; `name` is a literal that needs no escape ---- */

void wr_json_member_string(struct wr_json_writer *self, struct wr_view name, struct wr_view text);
void wr_json_member_u64(struct wr_json_writer *self, struct wr_view name, uint64_t value);
void wr_json_member_bool(struct wr_json_writer *self, struct wr_view name, bool value);

#endif
