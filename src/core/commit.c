#include "core/commit.h"

#include "check.h"

enum {
	FRAMES_MAX = 2,
	/* Scratch above this is given back: one huge event must not stay for ever. */
	SCRATCH_BYTES_KEPT = 65536
};

static void reset_scratch(struct wr_buf *buf)
{
	if (buf->capacity > SCRATCH_BYTES_KEPT)
		wr_buf_deinit(buf);
	wr_buf_reset(buf);
}

static enum wr_status encode(struct wr_runtime *self, struct wr_buf *out,
			     const struct wr_event *event, const struct wr_prepared *prepared,
			     enum wr_scope scope)
{
	const struct wr_encoding *encoding = self->ports.encoding;
	struct wr_identity identity = {
		.runtime_id = self->config.runtime_id,
		.worker_id = prepared->worker == NULL ? WR_VIEW_NULL : prepared->worker->id,
		.log_id = wr_view_of(self->log_id_text, sizeof self->log_id_text),
	};
	uint32_t worker = scope == WR_SCOPE_RUNTIME ? 0 : event->worker;

	reset_scratch(out);
	if (!encoding->is_cursorless)
		wr_runtime_cursor(self, worker, event->sequence, identity.cursor);
	return encoding->encode(encoding->context, out, event, &identity, scope);
}

/* Makes the frames of an event (event.h has the table) and says where they go. */
static enum wr_status make_frames(struct wr_runtime *self, const struct wr_event *event,
				  const struct wr_prepared *prepared, struct wr_frame *frames,
				  unsigned *count)
{
	/* What has a runtime event of its own shows that on the runtime-wide stream, except for
	 * inputs: there both streams show the message itself. */
	bool has_own = wr_event_runtime_name(event->kind) != NULL &&
		       event->kind != WR_EVENT_INPUT_ACCEPTED;
	enum wr_status status;

	*count = 0;
	if (event->worker != 0 && event->kind != WR_EVENT_WORKER_CREATED) {
		status = encode(self, &self->worker_frame, event, prepared, WR_SCOPE_WORKER);
		if (status != WR_OK)
			return status;
		if (self->worker_frame.bytes != 0)
			frames[(*count)++] = (struct wr_frame){
				.stream = &prepared->worker->events,
				.bytes = wr_buf_view(&self->worker_frame),
				.is_runtime_wide = !has_own,
			};
	}
	if (!has_own)
		return WR_OK;
	status = encode(self, &self->runtime_frame, event, prepared, WR_SCOPE_RUNTIME);
	if (status == WR_OK && self->runtime_frame.bytes != 0)
		frames[(*count)++] = (struct wr_frame){
			.stream = &self->log.runtime,
			.bytes = wr_buf_view(&self->runtime_frame),
			.is_runtime_wide = true,
		};
	return status;
}

static enum wr_status store(struct wr_runtime *self, const struct wr_event *event)
{
	const struct wr_store *port = &self->ports.store;
	enum wr_status status;

	if (port->ops == NULL || self->is_replaying)
		return WR_OK;
	reset_scratch(&self->record);
	status = wr_event_encode(&self->record, event);
	if (status != WR_OK)
		return status;
	return port->ops->append(port->context, event->sequence, event->worker,
				 wr_buf_view(&self->record));
}

static enum wr_status record(struct wr_runtime *self, struct wr_event *event)
{
	struct wr_frame frames[FRAMES_MAX];
	struct wr_prepared prepared;
	unsigned count = 0;
	enum wr_status status = wr_fold_prepare(self, &prepared, event);

	if (status == WR_OK)
		status = make_frames(self, event, &prepared, frames, &count);
	if (status == WR_OK)
		status = wr_event_log_reserve(&self->log, frames, count);
	if (status == WR_OK)
		status = store(self, event);
	if (status != WR_OK) {
		wr_fold_discard(self, &prepared, event);
		return status;
	}
	/* From here on nothing can fail. */
	wr_fold(self, &prepared, event);
	wr_event_log_append(&self->log, event->sequence, frames, count);
	if (!self->config.is_trimmed_by_owner || self->is_replaying)
		wr_event_log_trim(&self->log);
	return WR_OK;
}

enum wr_status wr_commit(struct wr_runtime *self, struct wr_event *event)
{
	event->sequence = self->log.last_sequence + 1;
	event->wall_ms = self->ports.wall_ms(self->ports.context);
	return record(self, event);
}

enum wr_status wr_commit_replayed(struct wr_runtime *self, struct wr_event *event)
{
	wr_assert(self->is_replaying && event->sequence > self->log.last_sequence);
	return record(self, event);
}
