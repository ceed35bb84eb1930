/*
 * worker_json — what a Runtime answers: summaries, details, acknowledgements, transcript pages
 * (contract 2.3-2.9) with the additional members of design 3 and 4 (cursor, phase, execution).
 */
#ifndef WR_WIRE_WORKER_JSON_H
#define WR_WIRE_WORKER_JSON_H

#include "bytes/buf.h"
#include "codec/json/writer.h"
#include "core/runtime.h"
#include "wire/command_json.h"
#include "wire/store_json.h"

/* Old clients (design 5): backend "memory", role `assistant` shown as `system`, an empty snapshot.
 */
enum wr_compat { WR_COMPAT_NONE, WR_COMPAT_YOI_2026_06 };

/* {"runtime":RuntimeSummary}; `is_draining` and the store are shown by additional members. */
void wr_runtime_json_write(struct wr_buf *out, const struct wr_runtime *runtime,
			   const struct wr_store_report *store, enum wr_compat compat,
			   bool is_draining);

/* RuntimeSummary alone, and WorkerSummary alone (also used by the runtime-wide snapshot). */
void wr_runtime_summary_json(struct wr_json_writer *writer, const struct wr_runtime *runtime,
			     enum wr_compat compat);
void wr_worker_summary_json(struct wr_json_writer *writer, const struct wr_runtime *runtime,
			    const struct wr_worker *worker);

/* {"worker":WorkerDetail}: as it is shown, or (`created` not NULL) as it was when it was created,
 * which is what a create answers, the first time and repeated. */
void wr_worker_json_write(struct wr_buf *out, const struct wr_runtime *runtime,
			  const struct wr_worker *worker, const struct wr_face *created);

/* {"ack":...}: of an input (with transcript_sequence), of stop, cancel, interrupt. */
void wr_input_ack_json_write(struct wr_buf *out, const struct wr_runtime *runtime,
			     const struct wr_worker *worker, const struct wr_ack *ack);
void wr_lifecycle_ack_json_write(struct wr_buf *out, const struct wr_runtime *runtime,
				 const struct wr_worker *worker, const struct wr_ack *ack);

/* {"code","message"} for WR_CORRUPT or WR_IO of the store. */
void wr_store_error_json(struct wr_json_writer *writer, enum wr_status status);

/* A page that is written piece by piece (never whole in memory). Start with the begin call, then
 * call next until it is false: it is true when it appended something (about 16 KiB, and to the end
 * of an item), false when the page was complete before, or the buffer has failed. Its cursor is of
 * the moment when it began: who resumes there misses nothing, whatever happened meanwhile. */
struct wr_worker_list_page {
	const struct wr_runtime *runtime;
	uint64_t sequence;  /* the newest visible one when it began */
	uint64_t remaining; /* of the limit */
	uint32_t after;	    /* number of the last Worker written, 0: none */
	bool has_begun, has_limit, is_done;
	char start_after[WR_ID_BYTES_MAX];
	size_t start_after_bytes;
};
void wr_worker_list_begin(struct wr_worker_list_page *page, const struct wr_runtime *runtime,
			  const struct wr_list_query *query);
bool wr_worker_list_next(struct wr_worker_list_page *page, struct wr_buf *out);

/* The transcript page ends early when WR_TRANSCRIPT_PAGE_BYTES_MAX of content are in it; next_start
 * tells. When `start` lies below the first kept item the page begins there and says first_retained.
 * Items come from memory or store. Begin reads the first one, so that the answer can still be an
 * error: WR_OK; WR_CORRUPT, WR_IO, WR_NO_MEMORY. A later item that cannot be read ends the page
 * early: next_start is that item, and `error` has code and message. */
struct wr_transcript_page {
	struct wr_runtime *runtime;
	const struct wr_worker *worker;
	enum wr_compat compat;
	uint64_t sequence; /* the newest visible one when it began */
	uint64_t start, limit, at, end, content_bytes, total;
	enum wr_status failure; /* why it ends early */
	bool has_begun, has_items, is_done;
};
enum wr_status wr_transcript_page_begin(struct wr_transcript_page *page, struct wr_runtime *runtime,
					const struct wr_worker *worker,
					const struct wr_page_query *query, enum wr_compat compat);
bool wr_transcript_page_next(struct wr_transcript_page *page, struct wr_buf *out);

#endif
