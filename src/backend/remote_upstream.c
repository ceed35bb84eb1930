/* What the upstream says: into the mirror, for who watches. */
#include "backend/remote_parts.h"

enum { FRAME_BYTES_KEPT = 65536 };

static void resume_all(struct wr_remote_stream *self)
{
	for (uint32_t i = 0; i < self->mirror.count; i++)
		wr_remote_resume(self, self->mirror.by_id[i]);
}

static void on_begin(void *context, const struct wr_cursor *position)
{
	struct wr_remote_stream *self = context;

	wr_mirror_begin(&self->mirror, position);
	self->has_change = true;
	resume_all(self);
}

/* Nobody is told anything that would not be true: everybody is told that it is over. */
static void on_lost(void *context, enum wr_status why)
{
	struct wr_remote_stream *self = context;

	wr_fanout_end_all(self->fanout, why);
	wr_remote_history_stop(self);
	wr_mirror_lose(&self->mirror);
	wr_remote_refusals_clear(&self->refusals);
	self->fetched_bytes = 0;
	self->has_change = true;
}

/* What the Worker's own stream shows of its end; absent without memory. Lent until the next. */
static struct wr_view end_payload(struct wr_remote_stream *self, struct wr_view dropped)
{
	struct wr_buf *out = &self->ended;

	if (dropped.data == NULL)
		return WR_VIEW("{\"event\":\"shutdown\"}");
	wr_buf_reset(out);
	wr_buf_append_view(out, WR_VIEW("{\"event\":\"shutdown\",\"dropped_inputs\":"));
	wr_buf_append_view(out, dropped);
	return wr_buf_append_byte(out, '}') == WR_OK ? wr_buf_view(out) : WR_VIEW_NULL;
}

/* An event of a Worker is at the position. A runtime_event is one where the Worker's own stream
 * shows it as something else (core/event.h). */
static bool is_of_worker(struct wr_remote_stream *self, const struct wr_stream_frame *frame,
			 struct wr_view *name, struct wr_view *payload)
{
	*name = frame->event;
	*payload = frame->payload;
	if (frame->kind == WR_STREAM_EVENT)
		return true;
	*name = WR_VIEW("shutdown");
	*payload = end_payload(self, frame->dropped_inputs);
	return frame->worker_id.data != NULL &&
	       (wr_view_equal(frame->runtime_event, WR_VIEW("worker_stopped")) ||
		wr_view_equal(frame->runtime_event, WR_VIEW("worker_cancelled")));
}

static enum wr_status show(struct wr_remote_stream *self, struct wr_mirror_worker *worker,
			   struct wr_view name, struct wr_view payload)
{
	enum wr_status status;
	bool is_shown;

	wr_buf_reset(&self->frame);
	status = wr_remote_encode(self, &self->frame, worker, &self->mirror.position, name, payload,
				  &is_shown);
	if (status == WR_OK && is_shown)
		status = wr_mirror_append(&self->mirror, worker, wr_buf_view(&self->frame));
	if (self->frame.capacity > FRAME_BYTES_KEPT)
		wr_buf_deinit(&self->frame);
	if (self->scratch.capacity > FRAME_BYTES_KEPT)
		wr_buf_deinit(&self->scratch);
	return status;
}

static void on_frame(void *context, const struct wr_stream_frame *frame, bool is_known)
{
	struct wr_remote_stream *self = context;
	const struct wr_cursor *position = &self->upstream.position;
	struct wr_mirror_worker *worker;
	struct wr_view name, payload;

	/* Somebody may hold what an unclean stop took away, and would not be sent what came in its
	 * place. */
	if (position->generation > self->mirror.position.generation &&
	    wr_mirror_is_ahead(&self->mirror, position->generation)) {
		wr_upstream_lose(&self->upstream);
		on_lost(self, WR_LOST_TAIL);
		return;
	}
	wr_mirror_move(&self->mirror, position);
	self->has_change |= frame->kind == WR_STREAM_RUNTIME_EVENT;
	if (!is_of_worker(self, frame, &name, &payload))
		return;
	worker = wr_mirror_note(&self->mirror, frame->worker_id);
	if (worker == NULL)
		return;
	if (is_known && (payload.data == NULL || show(self, worker, name, payload) != WR_OK)) {
		/* It is not lost: who comes back with a cursor is given it by the Runtime. */
		wr_fanout_end(self->fanout, worker->number, WR_NO_MEMORY);
		wr_mirror_restart(&self->mirror, worker);
	}
	if (worker->fetch.is_quiet) { /* there is something to come, after all */
		worker->fetch.is_quiet = false;
		wr_remote_resume(self, worker);
	}
}

static void on_state(void *context)
{
	struct wr_remote_stream *self = context;

	self->has_new_state = true;
	resume_all(self);
}

const struct wr_upstream_ops wr_remote_upstream_ops = {on_begin, on_frame, on_lost, on_state};
