#include "observe/flow.h"

#include "check.h"

#include <string.h>

/* Replaces the cursor of a frame that lies in a Worker's stream. */
static void patch(struct wr_fanout *fanout, char *frame, size_t bytes, uint64_t sequence,
		  uint32_t worker)
{
	const struct wr_feed *feed = &fanout->feed;

	if (worker != 0) /* else it was made for this stream */
		feed->ops->patch(feed->context, frame, bytes, sequence);
}

/* Sees to it that the shared buffer has frames behind `after`; *index is of the first. WR_OK, also
 * when there are none; WR_NO_MEMORY. */
static enum wr_status render(struct wr_fanout *fanout, struct wr_rendered *rendered, uint64_t after,
			     uint32_t *index)
{
	struct wr_rendered_key key = {.after = after};
	struct wr_order_frame frame = {.sequence = after};
	uint32_t hint = 0;

	*index = wr_rendered_seek(rendered, &key);
	if (*index < rendered->count)
		return WR_OK;
	*index = 0;
	wr_rendered_begin(rendered, &key);
	while (wr_rendered_has_room(rendered) &&
	       wr_event_log_next(fanout->log, frame.sequence, &hint, &frame)) {
		char *bytes = wr_rendered_add(rendered, frame.sequence, frame.bytes,
					      frame.stream->worker);
		if (bytes == NULL)
			return rendered->count == 0 ? WR_NO_MEMORY : WR_OK;
		patch(fanout, bytes, frame.bytes.bytes, frame.sequence, frame.stream->worker);
	}
	return WR_OK;
}

/* The frame `at`, in which the subscriber stands, wherever its memory is. */
static bool find_own_frame(struct wr_fanout *fanout, const struct wr_subscription *self,
			   struct wr_view *bytes)
{
	const struct wr_feed *feed = &fanout->feed;
	struct wr_event_stream *stream =
		self->in.frame_worker == 0
			? &fanout->log->runtime
			: feed->ops->stream(feed->context, self->in.frame_worker);

	return wr_event_stream_find(stream, self->at, bytes);
}

/* The same, as the runtime-wide stream shows it, in the scratch buffer. False without memory. */
static bool render_own_frame(struct wr_fanout *fanout, const struct wr_subscription *self)
{
	struct wr_buf *scratch = &fanout->scratch;
	struct wr_view bytes;

	wr_assert(find_own_frame(fanout, self, &bytes));
	wr_buf_reset(scratch);
	if (wr_buf_append_view(scratch, bytes) != WR_OK)
		return false;
	patch(fanout, scratch->data, bytes.bytes, self->at, self->in.frame_worker);
	return true;
}

/* Sends the rest of the frame in which the subscriber stands. False while not all of it is out. */
static bool finish_frame(struct wr_fanout *fanout, struct wr_subscription *self)
{
	struct wr_ws_conn *conn = wr_ws_conn_of(self);
	struct iovec part;
	size_t sent = 0;
	enum wr_status status;

	if (!render_own_frame(fanout, self)) {
		wr_flow_abort(fanout, self);
		return false;
	}
	part.iov_base = fanout->scratch.data + self->offset;
	part.iov_len = fanout->scratch.bytes - self->offset;
	status = wr_ws_conn_stream(conn, &part, 1, part.iov_len, &sent);
	if (status == WR_CLOSED)
		return false;
	self->offset = (uint32_t)(self->offset + sent) & WR_OFFSET_MASK;
	if (status != WR_OK)
		return false;
	self->offset = 0;
	self->is_inside = false;
	wr_ws_conn_hold(conn, false);
	return true;
}

/* Sends batches of rendered frames until the socket, the turn's share or the log is used up. */
static void send_batches(struct wr_fanout *fanout, struct wr_subscription *self)
{
	struct wr_rendered *rendered = wr_flow_rendered(fanout);
	struct wr_ws_conn *conn = wr_ws_conn_of(self);
	size_t total = 0;

	while (total < WR_SUBSCRIBER_TURN_BYTES_MAX) {
		struct iovec part;
		size_t start, sent = 0;
		uint32_t index;
		enum wr_status status;

		if (rendered == NULL || render(fanout, rendered, self->at, &index) != WR_OK) {
			wr_flow_abort(fanout, self);
			return;
		}
		if (rendered->count == 0) {
			wr_flow_caught_up(fanout, self);
			return;
		}
		start = wr_rendered_start(rendered, index);
		part.iov_base = rendered->bytes.data + start;
		part.iov_len = rendered->bytes.bytes - start;
		status = wr_ws_conn_stream(conn, &part, 1, part.iov_len, &sent);
		if (status == WR_CLOSED) {
			wr_flow_leave(fanout, self);
			return;
		}
		wr_flow_stand(self, rendered, start + sent);
		if (status != WR_OK)
			return;
		total += sent;
	}
	wr_ws_conn_await(conn);
}

void wr_runtime_flow_push(struct wr_fanout *fanout, struct wr_subscription *self)
{
	if (wr_ws_conn_is_blocked(wr_ws_conn_of(self)) || self->state == WR_SUBSCRIPTION_ENDED)
		return;
	if (self->state == WR_SUBSCRIPTION_CUT) {
		wr_flow_finish_saved(fanout, self);
		return;
	}
	if (self->is_inside && !finish_frame(fanout, self))
		return;
	if (wr_flow_gone(fanout, 0) <= self->at)
		send_batches(fanout, self);
	else
		wr_flow_go_on(fanout, self, self->at);
}

void wr_runtime_flow_release(struct wr_fanout *fanout, struct wr_subscription *self,
			     struct wr_event_stream *stream, uint64_t position)
{
	struct wr_saved_frame *saved = NULL;
	struct wr_buf *scratch = &fanout->scratch;
	bool is_new = false;

	if (self->state != WR_SUBSCRIPTION_LIVE || !self->is_inside ||
	    self->in.frame_worker != stream->worker ||
	    wr_event_stream_position(stream, self->at) >= position)
		return;
	if (wr_stored_flow_enter(fanout, self, self->at, self->offset))
		return;
	if (render_own_frame(fanout, self))
		saved = wr_saved_frame_join(&fanout->saved, 0, self->at, (uint32_t)scratch->bytes,
					    &is_new);
	if (saved == NULL) {
		wr_flow_abort(fanout, self);
		return;
	}
	if (is_new)
		memcpy(saved->data, scratch->data, scratch->bytes);
	self->in.saved = saved;
	self->state = WR_SUBSCRIPTION_CUT;
}
