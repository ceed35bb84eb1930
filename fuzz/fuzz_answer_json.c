/*
 * Answers of a Runtime, read by a client. Options: which reader, which allocation fails. Oracles:
 * documents.h; a list that is read to its end is given in order.
 */
#include "documents.h"
#include "wire/answer_json.h"

static enum wr_status read_runtime(struct documents_meaning *meaning, struct wr_buf *texts,
				   struct wr_view body)
{
	struct wr_answer_runtime answer;
	enum wr_status status = wr_answer_runtime_read(&answer, texts, body);

	if (status != WR_OK)
		return status;
	documents_text(meaning, answer.runtime_id);
	documents_text(meaning, answer.display_name);
	documents_number(meaning, answer.is_stopped);
	documents_number(meaning, answer.is_draining);
	documents_number(meaning, answer.worker_count);
	documents_number(meaning, answer.transcript_items_max);
	documents_text(meaning, answer.log_id);
	documents_text(meaning, answer.cursor);
	return status;
}

static bool tell_worker(void *context, const struct wr_answer_worker *worker)
{
	struct documents_meaning *meaning = context;

	CHECK(worker->worker_id.bytes != 0);
	documents_text(meaning, worker->worker_id);
	documents_number(meaning, worker->status);
	documents_text(meaning, worker->phase);
	/* One of the words of the contract, so maybe ours. */
	CHECK(wr_utf8_is_valid(worker->intent_kind));
	documents_fixed(meaning, worker->intent_kind);
	documents_text(meaning, worker->role);
	documents_text(meaning, worker->purpose);
	documents_text(meaning, worker->objective);
	documents_fixed(meaning, worker->profile_kind);
	documents_text(meaning, worker->profile_value);
	documents_number(meaning, worker->transcript_len);
	documents_number(meaning, worker->last_event_id);
	documents_text(meaning, worker->cursor);
	return true;
}

static enum wr_status read_worker(struct documents_meaning *meaning, struct wr_buf *texts,
				  struct wr_view body)
{
	struct wr_answer_worker answer;
	enum wr_status status = wr_answer_worker_read(&answer, texts, body);

	if (status == WR_OK)
		tell_worker(meaning, &answer);
	return status;
}

/* What was told counts only when the whole is good. */
static enum wr_status told(struct documents_meaning *meaning, enum wr_status status)
{
	if (status != WR_OK)
		wr_buf_reset(&meaning->text);
	return status;
}

static enum wr_status read_workers(struct documents_meaning *meaning, struct wr_buf *texts,
				   struct wr_view body)
{
	return told(meaning, wr_answer_workers_read(texts, body, tell_worker, meaning));
}

static enum wr_status read_ack(struct documents_meaning *meaning, struct wr_buf *texts,
			       struct wr_view body)
{
	struct wr_answer_ack answer;
	enum wr_status status = wr_answer_ack_read(&answer, texts, body);

	if (status != WR_OK)
		return status;
	documents_number(meaning, answer.status);
	documents_number(meaning, answer.event_id);
	documents_number(meaning, answer.has_transcript_sequence);
	if (answer.has_transcript_sequence)
		documents_number(meaning, answer.transcript_sequence);
	return status;
}

static bool tell_item(void *context, const struct wr_answer_item *item)
{
	struct documents_meaning *meaning = context;

	documents_number(meaning, item->sequence);
	documents_number(meaning, item->event_id);
	documents_fixed(meaning, item->role);
	documents_text(meaning, item->content);
	return true;
}

static enum wr_status read_transcript(struct documents_meaning *meaning, struct wr_buf *texts,
				      struct wr_view body)
{
	struct wr_answer_page page;
	enum wr_status status = wr_answer_transcript_read(&page, texts, body, tell_item, meaning);

	if (told(meaning, status) != WR_OK)
		return status;
	documents_number(meaning, page.start);
	documents_number(meaning, page.limit);
	documents_number(meaning, page.total_items);
	documents_number(meaning, page.has_next_start ? page.next_start : 0);
	documents_number(meaning, page.has_first_retained ? page.first_retained : 0);
	return status;
}

static enum wr_status read_error(struct documents_meaning *meaning, struct wr_buf *texts,
				 struct wr_view body)
{
	struct wr_answer_error answer;
	enum wr_status status = wr_answer_error_read(&answer, texts, body);

	if (status != WR_OK)
		return status;
	documents_text(meaning, answer.code);
	documents_text(meaning, answer.message);
	return status;
}

void fuzz_one(struct wr_view input)
{
	static documents_read_fn *const readers[] = {read_runtime, read_worker,	    read_workers,
						     read_ack,	   read_transcript, read_error};
	uint8_t reader = fuzz_u8(&input) % 6, failing = fuzz_u8(&input);

	if (input.bytes <= DOCUMENTS_ROOM / 4)
		documents_check(readers[reader], input, failing);
}
