/* What memory no longer has, read back from the store. */
#include "core/frames.h"

#include "check.h"

/* A record that cannot be read: the Worker's routes say so from here on (reliability 4.4). */
static enum wr_status note_damage(struct wr_runtime *self, uint32_t number)
{
	struct wr_worker *worker = wr_catalog_at(&self->catalog, number);

	if (worker != NULL)
		worker->is_quarantined = true;
	return WR_CORRUPT;
}

/* The event of a record that the store gave with `status`. */
static enum wr_status decode(struct wr_runtime *self, struct wr_event *event,
			     const struct wr_store_record *record, enum wr_status status)
{
	if (status == WR_CORRUPT)
		return note_damage(self, record->worker);
	if (status != WR_OK)
		return status;
	if (wr_event_decode(event, record->payload) != WR_OK ||
	    event->sequence != record->sequence || event->worker != record->worker ||
	    (event->worker != 0 && wr_catalog_at(&self->catalog, event->worker) == NULL))
		return note_damage(self, record->worker);
	return WR_OK;
}

/* ---- transcript ---- */

static enum wr_status stored_item(struct wr_runtime *self, const struct wr_worker *worker,
				  uint64_t number, struct wr_store_place *place,
				  struct wr_item *out)
{
	const struct wr_store *port = &self->ports.store;
	struct wr_store_record record = {.worker = worker->number};
	struct wr_event event;
	enum wr_status status;

	status = port->ops->item(port->context, worker->number, (uint32_t)number, place, &record);
	status = decode(self, &event, &record, status);
	if (status != WR_OK)
		return status;
	if (event.worker != worker->number ||
	    (event.kind == WR_EVENT_INPUT_ACCEPTED && event.as.input.transcript_sequence != number))
		return note_damage(self, worker->number);
	if (!wr_fold_item(self, &event, &out->role, &out->content))
		return self->text.status != WR_OK ? self->text.status
						  : note_damage(self, worker->number);
	out->number = number;
	out->event_id = event.sequence;
	out->wall_ms = event.wall_ms;
	out->is_error = wr_fold_is_error(&event);
	return WR_OK;
}

enum wr_status wr_runtime_item(struct wr_runtime *self, const struct wr_worker *worker,
			       uint64_t number, struct wr_store_place *place, struct wr_item *out)
{
	const struct wr_transcript_item *item;

	if (number == 0 || number > worker->shown.item_count)
		return WR_NOT_FOUND;
	item = wr_transcript_at(&worker->transcript, number - 1);
	if (item == NULL)
		return wr_has_store(self) ? stored_item(self, worker, number, place, out)
					  : WR_NOT_FOUND;
	*out = (struct wr_item){
		.number = number,
		.event_id = item->event_id,
		.wall_ms = item->wall_ms,
		.role = (enum wr_role)item->role,
		.is_error = item->is_error,
		.content = wr_view_of(item->content, item->bytes),
	};
	return WR_OK;
}

uint64_t wr_runtime_first_item(const struct wr_runtime *self, const struct wr_worker *worker)
{
	const struct wr_store *port = &self->ports.store;
	uint64_t first = wr_has_store(self) ? port->ops->first_item(port->context, worker->number)
					    : worker->transcript.first + 1;

	return first > worker->shown.item_count ? worker->shown.item_count + 1 : first;
}

/* ---- streams ---- */

/* The generation in which a record was made: a frame that is made again has the tokens that it had
 * then. The ends of generations grow, those of unknown ones are 0. */
uint32_t wr_generation_of(const struct wr_runtime *self, uint64_t sequence)
{
	const struct wr_store *port = &self->ports.store;
	uint32_t low = 1, high = self->generation;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (port->ops->generation_end(port->context, middle) >= sequence)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Makes what the stream shows of a stored event; empty when that is nothing. */
static enum wr_status make_again(struct wr_runtime *self, const struct wr_event *event,
				 uint32_t worker, bool is_patched)
{
	const struct wr_encoding *encoding = self->ports.encoding;
	struct wr_buf *out = &self->worker_frame;
	uint32_t generation = wr_generation_of(self, event->sequence);
	struct wr_view id = event->worker == 0 ? WR_VIEW_NULL
					       : wr_catalog_at(&self->catalog, event->worker)->id;
	char cursor[WR_CURSOR_BYTES];
	enum wr_status status;

	wr_scratch_reset(out);
	if (worker == 0 && wr_frames_has_own(event))
		return wr_frames_encode(self, out, event, id, WR_SCOPE_RUNTIME, generation);
	if (!wr_frames_has_worker(event))
		return WR_OK;
	status = wr_frames_encode(self, out, event, id, WR_SCOPE_WORKER, generation);
	if (status == WR_OK && worker == 0 && out->bytes != 0 && is_patched &&
	    !encoding->is_cursorless) {
		wr_format_cursor(self, cursor, generation, 0, event->sequence);
		encoding->patch(encoding->context, out->data, out->bytes, cursor);
	}
	return status;
}

static enum wr_status next_frame(struct wr_runtime *self, uint32_t worker, bool is_patched,
				 uint64_t after, struct wr_store_place *place, uint64_t *sequence,
				 struct wr_view *frame)
{
	const struct wr_store *port = &self->ports.store;

	for (;;) {
		struct wr_store_record record = {.worker = worker};
		struct wr_event event;
		enum wr_status status =
			port->ops->next(port->context, worker, after, place, &record);
		status = decode(self, &event, &record, status);
		if (status != WR_OK)
			return status;
		if (event.sequence <= after || (worker != 0 && event.worker != worker))
			return note_damage(self, record.worker);
		if (event.sequence > self->log.shown_sequence)
			return WR_NOT_FOUND; /* visible, but not yet settled */
		status = make_again(self, &event, worker, is_patched);
		if (status != WR_OK)
			return status;
		after = event.sequence;
		if (self->worker_frame.bytes == 0)
			continue;
		*sequence = event.sequence;
		*frame = wr_buf_view(&self->worker_frame);
		return WR_OK;
	}
}

enum wr_status wr_runtime_stored_frame(struct wr_runtime *self, uint32_t worker, uint64_t after,
				       struct wr_store_place *place, uint64_t *sequence,
				       struct wr_view *frame)
{
	return wr_has_store(self) ? next_frame(self, worker, true, after, place, sequence, frame)
				  : WR_NOT_FOUND;
}

enum wr_status wr_stored_event(struct wr_runtime *self, uint64_t after,
			       struct wr_store_place *place, uint64_t *sequence,
			       struct wr_view *frame)
{
	return next_frame(self, 0, false, after, place, sequence, frame);
}

uint64_t wr_runtime_evicted(const struct wr_runtime *self, uint32_t worker)
{
	const struct wr_store *port = &self->ports.store;

	if (wr_has_store(self))
		return port->ops->evicted(port->context, worker);
	return worker == 0 ? self->log.evicted
			   : wr_catalog_at(&self->catalog, worker)->events.evicted;
}
