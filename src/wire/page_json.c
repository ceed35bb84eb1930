/*
 * The answers of worker_json.h that may be long: written in pieces, so that no connection holds a
 * whole list in memory. Between two pieces the world may go on: Workers are only ever added, and
 * what a transcript has dropped meanwhile is left out and told by first_retained, which is written
 * last. A piece ends between two items: the comma in front of the next is put by hand, everything
 * else by a writer of its own. A piece is also what one turn reads from the store: what fits it,
 * and at most one item of the largest size.
 */
#include "wire/worker_json.h"

#include "check.h"
#include "wire/error_json.h"
#include "wire/reference_json.h"

enum { PIECE_BYTES = 16384 };

void wr_store_error_json(struct wr_json_writer *writer, enum wr_status status)
{
	enum wr_wire_error error = wr_wire_error_of(status);

	wr_json_object_begin(writer);
	wr_json_member_string(writer, WR_VIEW("code"),
			      wr_view_of_string(wr_wire_error_code(error)));
	wr_json_member_string(writer, WR_VIEW("message"),
			      wr_view_of_string(wr_wire_error_message(error)));
	wr_json_object_end(writer);
}

static uint64_t visible_sequence(const struct wr_runtime *runtime)
{
	struct wr_runtime_summary summary;

	wr_runtime_summary(runtime, &summary);
	return summary.last_sequence;
}

/* ---- the list of Workers ---- */

void wr_worker_list_begin(struct wr_worker_list_page *page, const struct wr_runtime *runtime,
			  const struct wr_list_query *query)
{
	*page = (struct wr_worker_list_page){
		.runtime = runtime,
		.sequence = visible_sequence(runtime),
		.remaining = query->has_limit ? query->limit : UINT64_MAX,
		.has_limit = query->has_limit,
	};
	/* No id is longer, and so none lies between a longer text and its front. */
	page->start_after_bytes = query->after.bytes < sizeof page->start_after
					  ? query->after.bytes
					  : sizeof page->start_after;
	if (page->start_after_bytes != 0)
		memcpy(page->start_after, query->after.data, page->start_after_bytes);
}

/* The id behind which the list goes on; absent at the very beginning. */
static struct wr_view list_position(const struct wr_worker_list_page *page)
{
	if (page->after != 0)
		return wr_runtime_worker(page->runtime, page->after)->id;
	return page->start_after_bytes == 0
		       ? WR_VIEW_NULL
		       : wr_view_of(page->start_after, page->start_after_bytes);
}

static void end_list(struct wr_worker_list_page *page, struct wr_buf *out, bool has_more)
{
	struct wr_view position = list_position(page);
	struct wr_json_writer writer;

	wr_buf_append(out, "],", 2);
	wr_json_writer_init(&writer, out);
	if (page->has_limit) {
		wr_json_name(&writer, WR_VIEW("next_after"));
		if (has_more && position.data != NULL)
			wr_json_string(&writer, position);
		else
			wr_json_null(&writer);
	}
	wr_cursor_json(&writer, page->runtime, 0, page->sequence);
	wr_buf_append_byte(out, '}');
	page->is_done = true;
}

bool wr_worker_list_next(struct wr_worker_list_page *page, struct wr_buf *out)
{
	size_t start = out->bytes;
	const struct wr_worker *worker;
	struct wr_json_writer writer;

	if (page->is_done || wr_buf_status(out) != WR_OK)
		return false;
	if (!page->has_begun)
		wr_buf_append_view(out, WR_VIEW("{\"workers\":["));
	page->has_begun = true;
	do {
		worker = wr_runtime_next(page->runtime, list_position(page));
		if (worker == NULL || page->remaining == 0) {
			end_list(page, out, worker != NULL);
			return true;
		}
		if (page->after != 0)
			wr_buf_append_byte(out, ',');
		wr_json_writer_init(&writer, out);
		wr_worker_summary_json(&writer, page->runtime, worker);
		page->after = worker->number;
		page->remaining--;
	} while (out->bytes - start < PIECE_BYTES && wr_buf_status(out) == WR_OK);
	return true;
}

/* ---- the transcript ---- */

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Index of the first item that is kept. */
static uint64_t first_kept(const struct wr_transcript_page *page)
{
	return wr_runtime_first_item(page->runtime, page->worker) - 1;
}

/* The next item of the page, past what was dropped meanwhile. False when the page is complete, or
 * ends early because of `failure`. */
static bool next_item(struct wr_transcript_page *page, struct wr_store_place *place,
		      struct wr_item *item)
{
	uint64_t first = first_kept(page);

	if (page->at < first)
		page->at = least(first, page->end);
	if (page->at >= page->end)
		return false;
	page->failure = wr_runtime_item(page->runtime, page->worker, page->at + 1, place, item);
	/* Kept, and yet not there: its record is lost. */
	if (page->failure == WR_NOT_FOUND)
		page->failure = WR_CORRUPT;
	return page->failure == WR_OK &&
	       (!page->has_items ||
		page->content_bytes + item->content.bytes <= WR_TRANSCRIPT_PAGE_BYTES_MAX);
}

enum wr_status wr_transcript_page_begin(struct wr_transcript_page *page, struct wr_runtime *runtime,
					const struct wr_worker *worker,
					const struct wr_page_query *query, enum wr_compat compat)
{
	struct wr_store_place place = {0, 0};
	struct wr_item item;

	*page = (struct wr_transcript_page){
		.runtime = runtime,
		.worker = worker,
		.compat = compat,
		.sequence = visible_sequence(runtime),
		.start = query->start,
		.limit = query->limit,
		.at = query->start,
		.total = worker->shown.item_count,
	};
	if (page->at < first_kept(page))
		page->at = first_kept(page);
	page->end = least(add_saturating(page->at, query->limit), page->total);
	page->at = least(page->at, page->end);
	(void)next_item(page, &place, &item);
	return page->failure;
}

static void begin_transcript(const struct wr_transcript_page *page, struct wr_buf *out,
			     struct wr_view runtime_id)
{
	struct wr_json_writer writer;

	wr_json_writer_init(&writer, out);
	wr_json_object_begin(&writer);
	wr_json_name(&writer, WR_VIEW("transcript"));
	wr_json_object_begin(&writer);
	wr_worker_ref_json(&writer, runtime_id, page->worker->id);
	wr_json_member_u64(&writer, WR_VIEW("start"), page->start);
	wr_json_member_u64(&writer, WR_VIEW("limit"), page->limit);
	wr_json_member_u64(&writer, WR_VIEW("total_items"), page->total);
	wr_json_name(&writer, WR_VIEW("items"));
	wr_json_array_begin(&writer);
}

static void end_transcript(struct wr_transcript_page *page, struct wr_buf *out)
{
	struct wr_json_writer writer;

	wr_buf_append(out, "],", 2);
	wr_json_writer_init(&writer, out);
	wr_json_name(&writer, WR_VIEW("next_start"));
	if (page->at < page->total)
		wr_json_u64(&writer, page->at);
	else
		wr_json_null(&writer);
	if (page->failure != WR_OK) {
		wr_json_name(&writer, WR_VIEW("error"));
		wr_store_error_json(&writer, page->failure);
	}
	wr_json_member_u64(&writer, WR_VIEW("first_retained"), first_kept(page));
	wr_cursor_json(&writer, page->runtime, page->worker->number, page->sequence);
	wr_buf_append(out, "}}", 2);
	page->is_done = true;
}

static struct wr_view role_name(enum wr_role role, enum wr_compat compat)
{
	/* Old decoders know no third role (contract, trap 2). */
	if (compat == WR_COMPAT_YOI_2026_06 && role == WR_ROLE_ASSISTANT)
		role = WR_ROLE_SYSTEM;
	return wr_view_of_string(wr_role_name(role));
}

static void write_item(const struct wr_transcript_page *page, struct wr_buf *out,
		       struct wr_view runtime_id, const struct wr_item *item)
{
	struct wr_json_writer writer;

	wr_json_writer_init(&writer, out);
	wr_json_object_begin(&writer);
	wr_json_member_u64(&writer, WR_VIEW("sequence"), item->number);
	wr_worker_ref_json(&writer, runtime_id, page->worker->id);
	wr_json_member_string(&writer, WR_VIEW("role"), role_name(item->role, page->compat));
	wr_json_member_string(&writer, WR_VIEW("content"), item->content);
	wr_json_member_u64(&writer, WR_VIEW("event_id"), item->event_id);
	wr_json_object_end(&writer);
}

bool wr_transcript_page_next(struct wr_transcript_page *page, struct wr_buf *out)
{
	struct wr_store_place place = {0, 0};
	size_t start = out->bytes;
	struct wr_runtime_summary summary;
	struct wr_item item;

	if (page->is_done || wr_buf_status(out) != WR_OK)
		return false;
	wr_runtime_summary(page->runtime, &summary);
	if (!page->has_begun)
		begin_transcript(page, out, summary.runtime_id);
	page->has_begun = true;
	do {
		if (!next_item(page, &place, &item)) {
			end_transcript(page, out);
			return true;
		}
		if (page->has_items)
			wr_buf_append_byte(out, ',');
		write_item(page, out, summary.runtime_id, &item);
		page->has_items = true;
		page->content_bytes += item.content.bytes;
		page->at++;
	} while (out->bytes - start < PIECE_BYTES && wr_buf_status(out) == WR_OK);
	return true;
}
