/*
 * 2xx answers of a remote Runtime, told to whoever asked. What an answer claims is compared with
 * what was asked; its texts are filtered for display (contract 8.2), except what a transcript says.
 */
#include "backend/ids.h"
#include "backend/remote_calls_private.h"
#include "check.h"
#include "wire/answer_json.h"

/* ---- Workers ---- */

/* What is told of a Worker, kept until the whole list has been read. */
struct kept_worker {
	uint8_t id_bytes;
	char id[WR_BACKEND_ID_BYTES_MAX];
	enum wr_worker_status status;
	bool has_phase; /* one that we know */
	enum wr_phase phase;
	uint64_t last_event_id, queued_inputs;
	bool has_queue;
	struct wr_buf label, role, profile; /* over the storage below */
	char label_bytes[WR_DISPLAY_BYTES_MAX];
	char role_bytes[WR_DISPLAY_BYTES_MAX];
	char profile_bytes[WR_DISPLAY_BYTES_MAX];
};

static bool find_phase(enum wr_phase *phase, struct wr_view name)
{
	for (unsigned i = 0; i < WR_PHASE_COUNT; i++)
		if (wr_view_equal(name, wr_view_of_string(wr_phase_name((enum wr_phase)i)))) {
			*phase = (enum wr_phase)i;
			return true;
		}
	return false;
}

static void keep_role(struct wr_buf *out, const struct wr_answer_worker *answer)
{
	if (wr_view_equal(answer->intent_kind, WR_VIEW("role")))
		wr_display_append(out, answer->role);
	else if (wr_view_equal(answer->intent_kind, WR_VIEW("task")))
		wr_display_append(out, answer->objective);
	else
		wr_display_append(out, answer->purpose);
	if (out->bytes == 0 && wr_view_equal(answer->intent_kind, WR_VIEW("assistant")))
		wr_buf_append_view(out, WR_VIEW("assistant"));
}

/* The id is valid. */
static void keep_worker(struct kept_worker *kept, const struct wr_answer_worker *answer)
{
	kept->id_bytes = (uint8_t)answer->worker_id.bytes;
	memcpy(kept->id, answer->worker_id.data, answer->worker_id.bytes);
	kept->status = answer->status;
	kept->has_phase = find_phase(&kept->phase, answer->phase);
	kept->last_event_id = answer->last_event_id;
	kept->has_queue = answer->has_queue;
	kept->queued_inputs = answer->queued_inputs;
	wr_buf_init_fixed(&kept->label, kept->label_bytes, sizeof kept->label_bytes);
	wr_buf_init_fixed(&kept->role, kept->role_bytes, sizeof kept->role_bytes);
	wr_buf_init_fixed(&kept->profile, kept->profile_bytes, sizeof kept->profile_bytes);
	wr_display_append(&kept->label, answer->worker_id);
	keep_role(&kept->role, answer);
	if (answer->profile_value.data != NULL)
		wr_display_append(&kept->profile, answer->profile_value);
	else
		wr_buf_append_view(&kept->profile, WR_VIEW("runtime_default"));
}

static struct wr_view kept_id(const struct kept_worker *kept)
{
	return wr_view_of(kept->id, kept->id_bytes);
}

/* Older Runtimes tell no phase: their Workers take input while they run (contract 8.1). */
static bool takes_input(const struct kept_worker *kept)
{
	return kept->status == WR_WORKER_RUNNING &&
	       (!kept->has_phase || kept->has_queue || kept->phase == WR_PHASE_IDLE ||
		kept->phase == WR_PHASE_INTERRUPTED || kept->phase == WR_PHASE_FAILED);
}

static struct wr_view shown(const struct wr_buf *text)
{
	return text->bytes != 0 ? wr_buf_view(text) : WR_VIEW_NULL;
}

static void tell_worker(struct wr_remote_call *self, const struct kept_worker *kept)
{
	struct wr_view status = wr_view_of_string(wr_worker_status_name(kept->status));
	struct wr_worker_overview overview = {
		.worker_id = kept_id(kept),
		.label = wr_buf_view(&kept->label),
		.display_hint = WR_VIEW("remote worker"),
		.role = shown(&kept->role),
		.profile = shown(&kept->profile),
		.state = status,
		.status = status,
		.can = WR_CAN_TRANSCRIPT,
		.phase = kept->has_phase ? wr_view_of_string(wr_phase_name(kept->phase))
					 : WR_VIEW_NULL,
		.last_event_id = kept->last_event_id,
		.has_queue = kept->has_queue,
		.queued_inputs = kept->queued_inputs,
	};

	if (self->calls->can_stream)
		overview.can |= WR_CAN_STREAM;
	if (takes_input(kept))
		overview.can |= WR_CAN_INPUT;
	if (kept->status == WR_WORKER_RUNNING)
		overview.can |= WR_CAN_STOP;
	wr_notices_add(&overview.notices, "remote_runtime_projection", WR_NOTICE_INFO,
		       "a Worker of a Runtime elsewhere, as that Runtime describes it");
	self->source->on_worker(self->source, &overview);
}

/* ---- lists ---- */

enum { LIST_COUNT_MAX = 200 };

/* The first `limit` Workers in byte order of their ids: older Runtimes know no limit. */
struct listing {
	struct kept_worker *workers; /* `limit` of them, `count` used, in the order of arrival */
	uint32_t limit, count;
	bool has_skipped;
	uint8_t order[LIST_COUNT_MAX]; /* of ids, indices into workers */
};
_Static_assert(LIST_COUNT_MAX <= UINT8_MAX, "an index is a byte");

/* Where the id belongs in the order; *is_known: it is there already. */
static uint32_t find_place(const struct listing *self, struct wr_view id, bool *is_known)
{
	uint32_t low = 0, high = self->count;

	*is_known = false;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		int order = wr_view_compare(kept_id(&self->workers[self->order[middle]]), id);

		if (order == 0) {
			*is_known = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool list_worker(void *context, const struct wr_answer_worker *answer)
{
	struct listing *self = context;
	uint32_t place;
	uint8_t slot;
	bool is_known;

	if (!wr_backend_id_is_valid(answer->worker_id)) {
		self->has_skipped = true;
		return true;
	}
	place = find_place(self, answer->worker_id, &is_known);
	if (is_known)
		self->has_skipped = true;
	if (is_known || place == self->limit)
		return true;
	/* When all are taken the last in order makes room. */
	slot = (uint8_t)self->count;
	if (self->count == self->limit)
		slot = self->order[--self->count];
	memmove(self->order + place + 1, self->order + place, self->count - place);
	self->order[place] = slot;
	self->count++;
	keep_worker(&self->workers[slot], answer);
	return true;
}

static enum wr_status read_list(struct wr_remote_call *self, struct wr_source_result *result,
				struct wr_buf *texts, struct wr_view body)
{
	struct wr_allocator *allocator = self->calls->allocator;
	struct listing listing = {.limit = self->source->as.list.limit};
	size_t bytes = listing.limit * sizeof *listing.workers;
	enum wr_status status;

	wr_assert(listing.limit != 0 && listing.limit <= LIST_COUNT_MAX);
	listing.workers = wr_allocator_take(allocator, bytes);
	if (listing.workers == NULL)
		return WR_NO_MEMORY;
	status = wr_answer_workers_read(texts, body, list_worker, &listing);
	for (uint32_t i = 0; status == WR_OK && i < listing.count && self->source != NULL; i++)
		tell_worker(self, &listing.workers[listing.order[i]]);
	if (listing.has_skipped)
		wr_notices_add(&result->notices, "remote_worker_id_invalid", WR_NOTICE_WARNING,
			       "Workers whose ids cannot be used here, or repeat, are left out");
	wr_allocator_free(allocator, listing.workers, bytes);
	return status;
}

static enum wr_status read_worker(struct wr_remote_call *self, struct wr_buf *texts,
				  struct wr_view body)
{
	const struct wr_source_call *call = self->source;
	struct wr_answer_worker answer;
	struct kept_worker kept;
	enum wr_status status = wr_answer_worker_read(&answer, texts, body);

	if (status != WR_OK)
		return status;
	if (!wr_backend_id_is_valid(answer.worker_id))
		return WR_INVALID;
	if (call->operation == WR_SOURCE_DETAIL &&
	    !wr_view_equal(answer.worker_id, call->worker_id))
		return WR_INVALID;
	keep_worker(&kept, &answer);
	tell_worker(self, &kept);
	return WR_OK;
}

static enum wr_status read_spawn(struct wr_remote_call *self, struct wr_source_result *result,
				 struct wr_buf *texts, struct wr_view body)
{
	enum wr_status status = read_worker(self, texts, body);

	if (status != WR_OK)
		return status;
	result->evidence[0].kind = "remote_runtime_worker_created";
	result->evidence[0].detail = "the Runtime created the Worker";
	wr_notices_add(&result->notices, "remote_runtime_backend_proxy", WR_NOTICE_INFO,
		       "the Backend asked the Runtime in place of the browser");
	return WR_OK;
}

/* ---- acknowledgements ---- */

static const char *lifecycle_text(enum wr_worker_status status)
{
	switch (status) {
	case WR_WORKER_RUNNING:
		return "the Worker is running";
	case WR_WORKER_STOPPED:
		return "the Worker is stopped";
	case WR_WORKER_CANCELLED:
		return "the Worker is cancelled";
	}
	wr_unreachable();
}

/* It outlives the answer, up to the end of on_done. */
static enum wr_status keep_dropped(struct wr_remote_calls *calls, struct wr_source_result *result,
				   const struct wr_answer_ack *ack)
{
	wr_buf_reset(&calls->dropped);
	result->has_dropped = ack->has_dropped;
	if (ack->dropped.data == NULL)
		return WR_OK;
	if (wr_buf_append_view(&calls->dropped, ack->dropped) != WR_OK)
		return wr_buf_status(&calls->dropped);
	result->dropped = wr_buf_view(&calls->dropped);
	return WR_OK;
}

static enum wr_status read_ack(const struct wr_remote_call *self, struct wr_source_result *result,
			       struct wr_buf *texts, struct wr_view body)
{
	struct wr_answer_ack ack;
	enum wr_status status = wr_answer_ack_read(&ack, texts, body);

	if (status != WR_OK)
		return status;
	result->event_id = ack.event_id;
	status = keep_dropped(self->calls, result, &ack);
	if (status != WR_OK)
		return status;
	if (self->source->operation == WR_SOURCE_INPUT) {
		result->transcript_sequence = ack.transcript_sequence;
		return ack.has_transcript_sequence ? WR_OK : WR_INVALID;
	}
	wr_notices_add(&result->notices, "remote_runtime_lifecycle_accepted", WR_NOTICE_INFO,
		       lifecycle_text(ack.status));
	return WR_OK;
}

/* ---- transcripts ---- */

struct page_reading {
	struct wr_remote_call *call;
	uint64_t count, limit;
};

static bool tell_item(void *context, const struct wr_answer_item *item)
{
	struct page_reading *self = context;
	struct wr_source_call *source = self->call->source;
	const struct wr_transcript_entry entry = {.sequence = item->sequence,
						  .event_id = item->event_id,
						  .role = item->role,
						  .content = item->content};

	if (source == NULL)
		return false;
	if (self->count++ < self->limit)
		source->on_entry(source, &entry);
	return true;
}

/* A page that leads back, or nowhere, would let its reader go round for ever. */
static bool is_page_sound(const struct wr_answer_page *page, uint64_t start, uint64_t limit)
{
	if (page->start != start)
		return false;
	if (!page->has_next_start)
		return true;
	return limit == 0 ? page->next_start == start : page->next_start > start;
}

static enum wr_status read_transcript(struct wr_remote_call *self, struct wr_source_result *result,
				      struct wr_buf *texts, struct wr_view body)
{
	uint64_t start = self->source->as.page.start;
	struct page_reading reading = {.call = self,
				       .limit = wr_remote_page_limit(self->calls, self->source)};
	struct wr_answer_page page;
	enum wr_status status = wr_answer_transcript_read(&page, texts, body, tell_item, &reading);

	if (status != WR_OK || self->source == NULL)
		return status;
	if (reading.count > reading.limit || !is_page_sound(&page, start, reading.limit))
		return WR_INVALID;
	result->page.start = start;
	result->page.limit = reading.limit;
	result->page.total_items = page.total_items;
	result->page.has_next_start = page.has_next_start;
	result->page.next_start = page.has_next_start ? page.next_start : 0;
	return WR_OK;
}

/* ---- config bundles ---- */

/* What was stored is what was sent: only that it is the same bundle is looked at. What is available
 * is told by the Runtime alone; its texts are such that they may be shown. */
static enum wr_status read_bundle(const struct wr_remote_call *self, struct wr_buf *texts,
				  struct wr_view body)
{
	struct wr_source_call *call = self->source;
	bool is_stored = call->operation == WR_SOURCE_STORE_BUNDLE;
	struct wr_view id = is_stored ? call->as.bundle.id : call->as.available.id;
	struct wr_view digest = is_stored ? call->as.bundle.digest : call->as.available.digest;
	struct wr_bundle_summary summary;
	enum wr_status status = wr_bundle_availability_read(&summary, texts, body);

	if (status != WR_OK)
		return status;
	if (!wr_view_equal(summary.id, id) || !wr_view_equal(summary.digest, digest))
		return WR_INVALID;
	if (is_stored)
		summary = wr_bundle_summary_of(&call->as.bundle);
	call->on_bundle(call, &summary);
	return WR_OK;
}

/* ---- all of them ---- */

static enum wr_status read_answer(struct wr_remote_call *self, struct wr_source_result *result,
				  struct wr_buf *texts, struct wr_view body)
{
	switch (self->source->operation) {
	case WR_SOURCE_LIST:
		return read_list(self, result, texts, body);
	case WR_SOURCE_DETAIL:
		return read_worker(self, texts, body);
	case WR_SOURCE_SPAWN:
		return read_spawn(self, result, texts, body);
	case WR_SOURCE_INPUT:
	case WR_SOURCE_STOP:
	case WR_SOURCE_CANCEL:
	case WR_SOURCE_INTERRUPT:
		return read_ack(self, result, texts, body);
	case WR_SOURCE_TRANSCRIPT:
		return read_transcript(self, result, texts, body);
	case WR_SOURCE_STORE_BUNDLE:
	case WR_SOURCE_BUNDLE_AVAILABILITY:
		return read_bundle(self, texts, body);
	}
	wr_unreachable();
}

enum wr_status wr_remote_answer_read(struct wr_remote_call *self, struct wr_source_result *result,
				     struct wr_view body)
{
	enum wr_status status;
	struct wr_buf texts;

	/* Decoded texts are no longer than they were; the reader may note some lengths. */
	wr_buf_init(&texts, self->calls->allocator, 2 * body.bytes + 4096);
	status = read_answer(self, result, &texts, body);
	wr_buf_deinit(&texts);
	return status;
}
