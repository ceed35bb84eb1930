/*
 * jsonl — the messages between a Runtime and a Worker program: one JSON object per line, both ways.
 *
 * README.md beside this file shows each of them. Messages of the program are foreign bytes: known
 * members are checked, unknown ones skipped, a member that comes twice is refused. What only the
 * Runtime may say (snapshot, status, shutdown, user_message and the bounds of turns and runs) is
 * refused in an `event`.
 */
#ifndef WR_EXECUTION_JSONL_H
#define WR_EXECUTION_JSONL_H

#include "bytes/buf.h"
#include "core/command.h"
#include "core/event.h"
#include "status.h"

/* ---- to the program: each call appends one line ---- */

enum { WR_JSONL_PROTOCOL = 1 };

void wr_jsonl_write_init(struct wr_buf *out, struct wr_view worker_id);
void wr_jsonl_write_input(struct wr_buf *out, const struct wr_input *input, uint64_t turn);
void wr_jsonl_write_cancel(struct wr_buf *out);
void wr_jsonl_write_shutdown(struct wr_buf *out);

/* ---- from the program ---- */

enum wr_jsonl_kind {
	WR_JSONL_READY,
	WR_JSONL_OUTPUT, /* `output` */
	WR_JSONL_DONE	 /* `result`: the turn is over */
};

struct wr_jsonl_message {
	enum wr_jsonl_kind kind;
	enum wr_run_result result;
	struct wr_output output;
};

/* Reads one line (without its LF). Views point into `line` or `texts`, which is reset first. WR_OK;
 * WR_SYNTAX, WR_ENCODING, WR_TOO_LARGE (nesting, numbers); WR_INVALID (not a message), both with
 * the offset, or a detail; WR_NO_MEMORY. */
enum wr_status wr_jsonl_read(struct wr_jsonl_message *out, struct wr_buf *texts,
			     struct wr_view line, struct wr_error *error);

#endif
