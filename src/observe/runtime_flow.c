#include "observe/flow.h"

#include "check.h"

#include <string.h>

/* Appends a frame as the runtime-wide stream shows it. */
static enum wr_status render_frame(struct wr_fanout *fanout, struct wr_buf *out, uint64_t sequence,
				   struct wr_view bytes, uint32_t worker)
{
	char cursor[WR_CURSOR_BYTES];
	size_t start = out->bytes;

	if (wr_buf_append_view(out, bytes) != WR_OK)
		return out->status;
	if (worker == 0)
		return WR_OK; /* made for this stream */
	wr_runtime_cursor(fanout->runtime, 0, sequence, cursor);
	wr_frame_encoding.patch(wr_frame_encoding.context, out->data + start, bytes.bytes, cursor);
	return WR_OK;
}

/* Fills the shared buffer with the frames behind `after`, unless it has them already. */
static enum wr_status render(struct wr_fanout *fanout, uint64_t after)
{
	struct wr_rendered *rendered = fanout->rendered;
	struct wr_order_frame frame;
	uint64_t sequence = after;
	uint32_t hint = 0;

	if (rendered->after == after && rendered->head == fanout->log->last_sequence &&
	    rendered->count != 0)
		return WR_OK;
	wr_buf_reset(&rendered->bytes);
	rendered->count = 0;
	rendered->after = after;
	rendered->head = fanout->log->last_sequence;
	while (rendered->count < WR_RENDERED_FRAMES_MAX &&
	       rendered->bytes.bytes < WR_RENDERED_BYTES &&
	       wr_event_log_next(fanout->log, sequence, &hint, &frame)) {
		if (render_frame(fanout, &rendered->bytes, frame.sequence, frame.bytes,
				 frame.stream->worker) != WR_OK)
			break;
		rendered->frames[rendered->count].sequence = frame.sequence;
		rendered->frames[rendered->count].worker = frame.stream->worker;
		rendered->frames[rendered->count].end = (uint32_t)rendered->bytes.bytes;
		rendered->count++;
		sequence = frame.sequence;
	}
	if (rendered->bytes.status != WR_OK && rendered->count == 0)
		return rendered->bytes.status;
	wr_buf_truncate(&rendered->bytes,
			rendered->count == 0 ? 0 : rendered->frames[rendered->count - 1].end);
	return WR_OK;
}

/* `sent` bytes of the rendered frames are out: where does the subscriber stand now? */
static void advance(struct wr_subscription *self, const struct wr_rendered *rendered, size_t sent)
{
	uint32_t low = 0, high = rendered->count;
	bool is_inside;

	while (low < high) { /* the first frame that is not wholly sent */
		uint32_t middle = low + (high - low) / 2;
		if (rendered->frames[middle].end > sent)
			high = middle;
		else
			low = middle + 1;
	}
	self->offset =
		(uint32_t)(sent - (low == 0 ? 0 : rendered->frames[low - 1].end)) & 0xfffffffu;
	is_inside = self->offset != 0;
	if (is_inside) {
		self->at = rendered->frames[low].sequence;
		self->in.frame_worker = rendered->frames[low].worker;
	} else if (low > 0) {
		self->at = rendered->frames[low - 1].sequence;
	}
	if (is_inside != self->is_inside) {
		self->is_inside = is_inside;
		wr_ws_conn_hold(wr_ws_conn_of(self), is_inside);
	}
}

/* The frame `at`, in which the subscriber stands, wherever its memory is. */
static bool find_own_frame(struct wr_fanout *fanout, const struct wr_subscription *self,
			   struct wr_view *bytes)
{
	struct wr_event_stream *stream =
		self->in.frame_worker == 0
			? &fanout->log->runtime
			: wr_runtime_worker_events(fanout->runtime, self->in.frame_worker);

	return wr_event_stream_find(stream, self->at, bytes);
}

/* Sends the rest of the frame in which the subscriber stands. False while not all of it is out. */
static bool finish_frame(struct wr_fanout *fanout, struct wr_subscription *self)
{
	struct wr_buf *scratch = &fanout->scratch;
	struct wr_ws_conn *conn = wr_ws_conn_of(self);
	struct iovec part;
	struct wr_view bytes;
	size_t sent = 0;
	enum wr_status status;

	wr_assert(find_own_frame(fanout, self, &bytes));
	wr_buf_reset(scratch);
	if (render_frame(fanout, scratch, self->at, bytes, self->in.frame_worker) != WR_OK) {
		self->state = WR_SUBSCRIPTION_ENDED;
		wr_ws_conn_abort(conn);
		return false;
	}
	part.iov_base = scratch->data + self->offset;
	part.iov_len = scratch->bytes - self->offset;
	status = wr_ws_conn_stream(conn, &part, 1, part.iov_len, &sent);
	if (status == WR_CLOSED)
		return false;
	self->offset = (uint32_t)(self->offset + sent) & 0xfffffffu;
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
	struct wr_ws_conn *conn = wr_ws_conn_of(self);
	size_t total = 0;

	while (total < WR_SUBSCRIBER_TURN_BYTES_MAX) {
		struct iovec part;
		size_t sent = 0;
		enum wr_status status;

		if (render(fanout, self->at) != WR_OK) {
			self->state = WR_SUBSCRIPTION_ENDED;
			wr_ws_conn_abort(conn);
			return;
		}
		if (fanout->rendered->count == 0) {
			wr_flow_caught_up(fanout, self);
			return;
		}
		part.iov_base = fanout->rendered->bytes.data;
		part.iov_len = fanout->rendered->bytes.bytes;
		status = wr_ws_conn_stream(conn, &part, 1, part.iov_len, &sent);
		if (status == WR_CLOSED)
			return;
		advance(self, fanout->rendered, sent);
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
		if (wr_flow_finish_saved(fanout, self, self->offset))
			wr_flow_expire(fanout, self);
		return;
	}
	if (self->is_inside && !finish_frame(fanout, self))
		return;
	if (fanout->log->evicted > self->at)
		wr_flow_expire(fanout, self);
	else
		send_batches(fanout, self);
}

void wr_runtime_flow_release(struct wr_fanout *fanout, struct wr_subscription *self,
			     struct wr_event_stream *stream, uint64_t position)
{
	struct wr_saved_frame *saved;
	struct wr_view bytes;
	bool is_new = false;

	if (self->state != WR_SUBSCRIPTION_LIVE || !self->is_inside ||
	    self->in.frame_worker != stream->worker)
		return;
	wr_assert(find_own_frame(fanout, self, &bytes));
	if (wr_event_stream_position(stream, self->at) >= position)
		return;
	wr_buf_reset(&fanout->scratch);
	saved = NULL;
	if (render_frame(fanout, &fanout->scratch, self->at, bytes, self->in.frame_worker) == WR_OK)
		saved = wr_saved_frame_join(&fanout->saved, 0, self->at, (uint32_t)bytes.bytes,
					    &is_new);
	if (saved == NULL) {
		self->state = WR_SUBSCRIPTION_ENDED;
		wr_ws_conn_abort(wr_ws_conn_of(self));
		return;
	}
	if (is_new)
		memcpy(saved->data, fanout->scratch.data, bytes.bytes);
	self->in.saved = saved;
	self->state = WR_SUBSCRIPTION_CUT;
}
