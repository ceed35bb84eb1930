/*
 * command_json — request bodies into core commands (contract 2.2 "JSON decoding
 * rules", 2.5, 2.7, 2.8).
 *
 * Unknown members are ignored at any level; a known member twice, a missing or null required
 * member, an unknown enum spelling, bytes behind the document: WR_INVALID or WR_SYNTAX, both
 * invalid_json on the wire. Decoded strings are appended to `texts`, a scratch buffer of the caller
 * which is reset first and whose content the command's views point into: they are valid until its
 * next change.
 */
#ifndef WR_WIRE_COMMAND_JSON_H
#define WR_WIRE_COMMAND_JSON_H

#include "bytes/buf.h"
#include "core/command.h"
#include "status.h"

/* WR_OK; WR_SYNTAX, WR_ENCODING, WR_INVALID, WR_TOO_LARGE (depth); WR_NO_MEMORY. On failure `error`
 * has offset and a static detail such as "missing member `intent`". */
enum wr_status wr_create_json_read(struct wr_create *out, struct wr_buf *texts, struct wr_view body,
				   struct wr_error *error);
enum wr_status wr_input_json_read(struct wr_input *out, struct wr_buf *texts, struct wr_view body,
				  struct wr_error *error);
/* The body may be empty (zero bytes): then the reason is absent. */
enum wr_status wr_lifecycle_json_read(struct wr_view *reason, struct wr_buf *texts,
				      struct wr_view body, struct wr_error *error);

/* `busy_policy`, as a member of another body, read where it stands (wire/schema.h). */
struct wr_schema_input;
enum wr_status wr_busy_policy_json_read(struct wr_schema_input *input, struct wr_busy_policy *out,
					const char *wrong);

/* Query of GET transcript (contract 2.9): `start` default 0, `limit` default
 * WR_TRANSCRIPT_PAGE_ITEMS_MAX (has_limit tells whether it was given). WR_OK or WR_INVALID
 * (invalid_query). */
struct wr_page_query {
	uint64_t start, limit;
	bool has_limit;
};
enum wr_status wr_transcript_query_read(struct wr_page_query *out, struct wr_view query);

/* Query of GET workers (design 5): `limit` (default: no limit), `after` (a Worker id; decoded into
 * `texts`; absent when not given). WR_OK or WR_INVALID; WR_NO_MEMORY, WR_TOO_LARGE of `texts`. */
struct wr_list_query {
	uint64_t limit;
	bool has_limit;
	struct wr_view after;
};
enum wr_status wr_list_query_read(struct wr_list_query *out, struct wr_buf *texts,
				  struct wr_view query);

/* `cursor` of an event endpoint: at most once; absent view when not given; decoded into `texts`.
 * WR_OK or WR_INVALID; WR_NO_MEMORY, WR_TOO_LARGE of `texts`. */
enum wr_status wr_cursor_query_read(struct wr_view *cursor, struct wr_buf *texts,
				    struct wr_view query);

#endif
