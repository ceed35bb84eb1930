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

	*out = (struct wr_runtime_summary){
		.runtime_id = self->config.runtime_id,
		.display_name = self->config.display_name,
		.is_stopped = self->is_stopped,
		.worker_count = catalog->count,
		.running_count = catalog->status_counts[WR_WORKER_RUNNING],
		.stopped_count = catalog->status_counts[WR_WORKER_STOPPED],
		.cancelled_count = catalog->status_counts[WR_WORKER_CANCELLED],
		.diagnostic_count = self->diagnostic_count,
		.transcript_items_max = self->config.transcript_items_max,
		.event_batch_items_max = self->config.event_batch_items_max,
		.last_sequence = self->log.last_sequence,
		.log_id = wr_view_of(self->log_id_text, sizeof self->log_id_text),
		.generation = self->generation,
	};
}

const struct wr_worker *wr_runtime_find(const struct wr_runtime *self, struct wr_view worker_id)
{
	return wr_catalog_find(&self->catalog, worker_id);
}

const struct wr_worker *wr_runtime_worker(const struct wr_runtime *self, uint32_t number)
{
	return wr_catalog_at(&self->catalog, number);
}

const struct wr_worker *wr_runtime_next(const struct wr_runtime *self, struct wr_view after)
{
	return wr_catalog_next(&self->catalog, after);
}

bool wr_runtime_diagnostic(const struct wr_runtime *self, uint32_t index, struct wr_diagnostic *out)
{
	uint64_t first = self->diagnostic_count > WR_DIAGNOSTICS_KEPT
				 ? self->diagnostic_count - WR_DIAGNOSTICS_KEPT
				 : 0;

	if (index >= self->diagnostic_count - first)
		return false;
	*out = self->diagnostics[(first + index) % WR_DIAGNOSTICS_KEPT];
	return true;
}

enum wr_status wr_runtime_read_events(const struct wr_runtime *self, uint64_t next_event_id,
				      uint32_t limit, wr_runtime_read_fn *fn, void *context,
				      uint64_t *next, bool *has_more)
{
	uint64_t sequence = next_event_id == 0 ? 0 : next_event_id - 1;
	struct wr_order_frame frame;
	uint32_t hint = 0;

	if (limit > self->config.event_batch_items_max)
		return WR_LIMIT;
	if (self->log.evicted > sequence)
		return WR_EXPIRED;
	for (uint32_t i = 0; i < limit; i++) {
		if (!wr_event_log_next(&self->log, sequence, &hint, &frame))
			break;
		fn(context, frame.sequence, frame.bytes);
		sequence = frame.sequence;
		next_event_id = sequence + 1;
	}
	*next = next_event_id;
	*has_more = wr_event_log_next(&self->log, sequence, &hint, &frame);
	return WR_OK;
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
	struct wr_cursor cursor = {
		.is_runtime = worker == 0,
		.generation = self->generation,
		.worker = worker,
		.sequence = sequence,
	};

	memcpy(cursor.log_tag, self->log_id, WR_LOG_TAG_BYTES);
	wr_cursor_format(out, &cursor);
}

/* Whether events of the scope above `sequence` are still all here. */
static enum wr_status judge_expiry(const struct wr_runtime *self, uint32_t worker,
				   uint64_t *sequence)
{
	uint64_t evicted = worker == 0 ? self->log.evicted
				       : wr_catalog_at(&self->catalog, worker)->events.evicted;

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
	if (cursor.sequence > self->log.last_sequence)
		return WR_AHEAD;
	*sequence = cursor.sequence;
	return judge_expiry(self, worker, sequence);
}

uint64_t wr_runtime_visible(const struct wr_runtime *self)
{
	const struct wr_store *port = &self->ports.store;

	return port->ops == NULL ? self->log.last_sequence : port->ops->visible(port->context);
}
