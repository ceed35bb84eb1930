/*
 * answer_json — what a Runtime answers over REST, read by a client (contract 2.3-2.9, 8.9).
 *
 * The other direction of worker_json. The remote is not trusted: same reader and limits as for
 * requests, unknown members are ignored, a missing or wrongly typed required one is WR_INVALID, and
 * one item that cannot be read spoils its list. Texts with escapes are decoded into `texts`, which
 * is reset first; views live until its next change, and as long as the body. Members of ours that
 * an older Runtime does not send are absent or zero.
 */
#ifndef WR_WIRE_ANSWER_JSON_H
#define WR_WIRE_ANSWER_JSON_H

#include "bytes/buf.h"
#include "core/command.h"
#include "core/worker.h"
#include "status.h"

struct wr_answer_runtime {
	struct wr_view runtime_id, display_name; /* display_name may be absent */
	bool is_stopped, is_draining;
	uint64_t worker_count;
	uint64_t transcript_items_max;
	struct wr_view log_id; /* absent: a Runtime without cursors that bind */
	struct wr_view cursor; /* absent likewise */
};

struct wr_answer_worker {
	struct wr_view worker_id; /* not empty; `worker_ref` has the same */
	enum wr_worker_status status;
	struct wr_view phase;			    /* absent: an older Runtime */
	struct wr_view intent_kind;		    /* "assistant", "task", "role" */
	struct wr_view role;			    /* of a role */
	struct wr_view purpose, objective;	    /* absent when not given */
	struct wr_view profile_kind, profile_value; /* value absent for runtime_default */
	uint64_t transcript_len, last_event_id;
	bool has_queue; /* its inputs queue, and so many do */
	uint64_t queued_inputs;
	struct wr_view cursor; /* of the Worker's scope, in a detail; absent in lists */
};

struct wr_answer_ack {
	enum wr_worker_status status;
	uint64_t event_id;
	bool has_transcript_sequence;
	uint64_t transcript_sequence;
	bool has_dropped;
	struct wr_view dropped; /* packed (wr_sequences_next), in `texts` */
};

struct wr_answer_item {
	uint64_t sequence, event_id;
	struct wr_view role; /* "user", "system", "assistant" */
	struct wr_view content;
};

struct wr_answer_page {
	uint64_t start, limit, total_items, next_start, first_retained;
	bool has_next_start, has_first_retained;
};

struct wr_answer_error {
	struct wr_view code, message;
};

/* All: WR_OK; WR_SYNTAX, WR_ENCODING, WR_INVALID, WR_TOO_LARGE (depth); WR_NO_MEMORY. */
enum wr_status wr_answer_runtime_read(struct wr_answer_runtime *out, struct wr_buf *texts,
				      struct wr_view body);
/* {"worker":...}: of a detail or a create. */
enum wr_status wr_answer_worker_read(struct wr_answer_worker *out, struct wr_buf *texts,
				     struct wr_view body);
/* {"workers":[...]}; `fn` is called for each in order, with views that live for that call; false
 * ends the reading with WR_OK. What it was given counts only when the whole is WR_OK. */
typedef bool wr_answer_worker_fn(void *context, const struct wr_answer_worker *worker);
enum wr_status wr_answer_workers_read(struct wr_buf *texts, struct wr_view body,
				      wr_answer_worker_fn *fn, void *context);
enum wr_status wr_answer_ack_read(struct wr_answer_ack *out, struct wr_buf *texts,
				  struct wr_view body);
/* {"transcript":...}; likewise. *page is whole when it returns WR_OK, and `fn` did not end it. */
typedef bool wr_answer_item_fn(void *context, const struct wr_answer_item *item);
enum wr_status wr_answer_transcript_read(struct wr_answer_page *page, struct wr_buf *texts,
					 struct wr_view body, wr_answer_item_fn *fn, void *context);
/* {"error":{"code","message"}}. */
enum wr_status wr_answer_error_read(struct wr_answer_error *out, struct wr_buf *texts,
				    struct wr_view body);

#endif
