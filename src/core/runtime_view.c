/* What can be seen of a Runtime: summaries, Workers, events, cursors. Nothing here changes anything
 * but retention. */
#include "core/runtime.h"

#include "check.h"
#include "core/state.h"

#include <string.h>

/* ---- reading ---- */

void wr_runtime_summary(const struct wr_runtime *self, struct wr_runtime_summary *out)
{
	const struct wr_catalog *catalog = &self->catalog;
	bool is_late = wr_has_store(self);
	const uint32_t *counts = is_late ? self->shown.status_counts : catalog->status_counts;

	*out = (struct wr_runtime_summary){
		.runtime_id = self->config.runtime_id,
		.display_name = self->config.display_name,
		.is_stopped = is_late ? self->shown.is_stopped : self->is_stopped,
		.worker_count = is_late ? self->shown.worker_count : catalog->count,
		.running_count = counts[WR_WORKER_RUNNING],
		.stopped_count = counts[WR_WORKER_STOPPED],
		.cancelled_count = counts[WR_WORKER_CANCELLED],
		.diagnostic_count = is_late ? self->shown.diagnostic_count : self->diagnostic_count,
		.transcript_items_max = self->config.transcript_items_max,
		.event_batch_items_max = self->config.event_batch_items_max,
		.last_sequence = self->log.shown_sequence,
		.log_id = wr_view_of(self->log_id_text, sizeof self->log_id_text),
		.generation = self->generation,
		.has_store = wr_has_store(self),
	};
}

struct wr_face wr_runtime_created_face(const struct wr_worker *worker)
{
	return (struct wr_face){.status = WR_WORKER_RUNNING,
				.phase = WR_PHASE_IDLE,
				.last_event_id = worker->created_sequence,
				.last_sequence = worker->created_sequence};
}

const struct wr_worker *wr_runtime_find_at_head(const struct wr_runtime *self,
						struct wr_view worker_id)
{
	return wr_catalog_find(&self->catalog, worker_id);
}

/* Only a Worker whose creation is visible is there for anybody. */
static bool is_shown(const struct wr_worker *worker)
{
	return worker->shown.last_sequence != 0;
}

const struct wr_worker *wr_runtime_find(const struct wr_runtime *self, struct wr_view worker_id)
{
	const struct wr_worker *worker = wr_catalog_find(&self->catalog, worker_id);

	return worker != NULL && is_shown(worker) ? worker : NULL;
}

const struct wr_worker *wr_runtime_worker(const struct wr_runtime *self, uint32_t number)
{
	const struct wr_worker *worker = wr_catalog_at(&self->catalog, number);

	return worker != NULL && is_shown(worker) ? worker : NULL;
}

const struct wr_worker *wr_runtime_next(const struct wr_runtime *self, struct wr_view after)
{
	const struct wr_worker *worker = wr_catalog_next(&self->catalog, after);

	while (worker != NULL && !is_shown(worker))
		worker = wr_catalog_next(&self->catalog, worker->id);
	return worker;
}

bool wr_runtime_diagnostic(const struct wr_runtime *self, uint32_t index, struct wr_diagnostic *out)
{
	uint64_t count = wr_has_store(self) ? self->shown.diagnostic_count : self->diagnostic_count;
	uint64_t first = self->diagnostic_count > WR_DIAGNOSTICS_KEPT
				 ? self->diagnostic_count - WR_DIAGNOSTICS_KEPT
				 : 0;

	if (first >= count || index >= count - first)
		return false;
	*out = self->diagnostics[(first + index) % WR_DIAGNOSTICS_KEPT];
	return true;
}

/* Where a batch of events is: in the store, then in memory. */
struct batch {
	struct wr_store_place place;
	uint32_t hint;
	uint64_t sequence; /* of the last event */
	struct wr_view frame;
};

/* WR_OK, WR_NOT_FOUND (no more now), or what the store says. */
static enum wr_status next_event(struct wr_runtime *self, struct batch *batch)
{
	struct wr_order_frame frame;

	if (wr_has_store(self) && batch->sequence < self->log.evicted)
		return wr_stored_event(self, batch->sequence, &batch->place, &batch->sequence,
				       &batch->frame);
	if (!wr_event_log_next(&self->log, batch->sequence, &batch->hint, &frame))
		return WR_NOT_FOUND;
	batch->sequence = frame.sequence;
	batch->frame = frame.bytes;
	return WR_OK;
}

enum wr_status wr_runtime_read_events(struct wr_runtime *self, uint64_t next_event_id,
				      uint32_t limit, wr_runtime_read_fn *fn, void *context,
				      uint64_t *next, bool *has_more)
{
	struct batch batch = {.sequence = next_event_id == 0 ? 0 : next_event_id - 1};
	enum wr_status status = WR_OK;

	if (limit > self->config.event_batch_items_max)
		return WR_LIMIT;
	if (wr_runtime_evicted(self, 0) > batch.sequence)
		return WR_EXPIRED;
	for (uint32_t i = 0; i < limit && status == WR_OK; i++) {
		status = next_event(self, &batch);
		if (status != WR_OK)
			break;
		fn(context, batch.sequence, batch.frame);
		next_event_id = batch.sequence + 1;
	}
	*next = next_event_id;
	if (status == WR_OK)
		status = next_event(self, &batch);
	*has_more = status == WR_OK;
	return status == WR_NOT_FOUND ? WR_OK : status;
}

/* ---- observing ---- */

struct wr_event_log *wr_runtime_log(struct wr_runtime *self)
{
	return &self->log;
}

struct wr_event_stream *wr_runtime_worker_events(struct wr_runtime *self, uint32_t number)
{
	struct wr_worker *worker = wr_catalog_at(&self->catalog, number);

	return worker == NULL ? NULL : &worker->events;
}

void wr_runtime_trim(struct wr_runtime *self)
{
	wr_event_log_trim(&self->log);
}

void wr_runtime_cursor(const struct wr_runtime *self, uint32_t worker, uint64_t sequence,
		       char out[WR_CURSOR_BYTES])
{
	if (sequence == self->last_cursor_sequence && worker == self->last_cursor_worker &&
	    self->generation == self->last_cursor_generation && sequence != 0)
		memcpy(out, self->last_cursor, WR_CURSOR_BYTES);
	else
		wr_format_cursor(self, out, self->generation, worker, sequence);
}

void wr_runtime_event_cursor(const struct wr_runtime *self, uint32_t worker, uint64_t sequence,
			     char out[WR_CURSOR_BYTES])
{
	uint32_t generation = self->generation;

	if (WR_UNLIKELY(generation > 1) && sequence != self->last_cursor_sequence)
		generation = wr_generation_of(self, sequence);
	if (generation == self->generation)
		wr_runtime_cursor(self, worker, sequence, out);
	else
		wr_format_cursor(self, out, generation, worker, sequence);
}

/* Whether events of the scope above `sequence` are still all here. */
static enum wr_status judge_expiry(const struct wr_runtime *self, uint32_t worker,
				   uint64_t *sequence)
{
	uint64_t evicted = wr_runtime_evicted(self, worker);

	if (*sequence >= evicted)
		return WR_OK;
	*sequence = evicted;
	return WR_EXPIRED;
}

enum wr_status wr_runtime_judge_cursor(const struct wr_runtime *self, uint32_t worker,
				       struct wr_view token, uint64_t *sequence)
{
	const struct wr_store *port = &self->ports.store;
	struct wr_cursor cursor;

	wr_assert(worker == 0 || wr_catalog_at(&self->catalog, worker) != NULL);
	if (wr_cursor_parse(&cursor, token) != WR_OK)
		return WR_MALFORMED;
	if (cursor.is_runtime != (worker == 0))
		return WR_SCOPE_MISMATCH;
	if (cursor.is_legacy) {
		/* Zeros ask for whatever is kept; any other number means nothing to this log. */
		*sequence = 0;
		if (cursor.sequence != 0)
			return WR_UNKNOWN;
		judge_expiry(self, worker, sequence);
		return WR_OK;
	}
	if (memcmp(cursor.log_tag, self->log_id, WR_LOG_TAG_BYTES) != 0)
		return WR_UNKNOWN;
	if (cursor.worker != worker)
		return WR_SCOPE_MISMATCH;
	if (cursor.generation == 0 || cursor.generation > self->generation)
		return WR_UNKNOWN;
	if (cursor.generation < self->generation &&
	    cursor.sequence > port->ops->generation_end(port->context, cursor.generation))
		return WR_LOST_TAIL;
	if (cursor.sequence > self->log.shown_sequence)
		return WR_AHEAD;
	*sequence = cursor.sequence;
	return judge_expiry(self, worker, sequence);
}
