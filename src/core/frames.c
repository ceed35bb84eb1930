#include "core/frames.h"

enum { SCRATCH_BYTES_KEPT = 65536 };

void wr_scratch_reset(struct wr_buf *buf)
{
	if (buf->capacity > SCRATCH_BYTES_KEPT)
		wr_buf_deinit(buf);
	wr_buf_reset(buf);
}

enum wr_status wr_frames_encode(struct wr_runtime *self, struct wr_buf *out,
				const struct wr_event *event, struct wr_view worker_id,
				enum wr_scope scope, uint32_t generation)
{
	const struct wr_encoding *encoding = self->ports.encoding;
	struct wr_identity identity = {
		.runtime_id = self->config.runtime_id,
		.worker_id = worker_id,
		.log_id = wr_view_of(self->log_id_text, sizeof self->log_id_text),
	};
	uint32_t worker = scope == WR_SCOPE_RUNTIME ? 0 : event->worker;

	wr_scratch_reset(out);
	if (!encoding->is_cursorless) {
		wr_format_cursor(self, identity.cursor, generation, worker, event->sequence);
		if (scope == WR_SCOPE_WORKER) {
			memcpy(self->last_cursor, identity.cursor, sizeof identity.cursor);
			self->last_cursor_generation = generation;
			self->last_cursor_worker = worker;
			self->last_cursor_sequence = event->sequence;
		}
	}
	return encoding->encode(encoding->context, out, event, &identity, scope);
}
