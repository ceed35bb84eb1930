/* What all parts of a remote stream do for one Worker: show an event, and ask who waits again. */
#include "backend/remote_parts.h"

enum wr_status wr_remote_encode(struct wr_remote_stream *self, struct wr_buf *out,
				const struct wr_mirror_worker *worker,
				const struct wr_cursor *cursor, struct wr_view name,
				struct wr_view payload, bool *is_shown)
{
	struct wr_envelope envelope = {.runtime_id = self->runtime_id, .worker_id = worker->id};
	struct wr_backend_cursor token = {
		.generation = cursor->generation,
		.worker_tag = worker->tag,
		.sequence = cursor->sequence,
	};

	memcpy(token.log_tag, cursor->log_tag, WR_LOG_TAG_BYTES);
	wr_backend_cursor_format(envelope.cursor, &self->mask, &token);
	return wr_backend_event_frame(out, &self->scratch, self->policy, &envelope, name, payload,
				      is_shown);
}

void wr_remote_resume(struct wr_remote_stream *self, struct wr_mirror_worker *worker)
{
	if (!worker->fetch.has_waiting)
		return;
	worker->fetch.has_waiting = false;
	wr_fanout_resume(self->fanout, worker->number);
}
