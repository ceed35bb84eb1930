#include "observe/flow.h"

#include "check.h"

enum {
	/* Chunks of one send: at full chunk size more than a turn's share. */
	PARTS_MAX = 32
};

/* Sequence of the kept frame that has the byte at `position`, which lies before the end: the lowest
 * one from behind which reading begins behind the position. */
static uint64_t sequence_at(const struct wr_event_stream *stream, uint64_t position)
{
	uint64_t low = stream->evicted + 1, high = stream->last_sequence;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (wr_event_stream_seek(stream, middle) > position)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The position moved, and is not where all is sent, or was not before; says to the connection
 * whether control frames may go now, and notes what must be known if memory is gone by the time
 * that the socket takes more. */
static void stand(struct wr_subscription *self, const struct wr_event_stream *stream)
{
	uint64_t begin, end;
	bool is_inside = self->at < stream->shown &&
			 wr_event_stream_frame_at(stream, self->at, &begin, &end);

	/* One who finishes an evicted frame stays in that frame. */
	if (self->at < stream->shown && self->at >= stream->begin)
		self->in.sequence = sequence_at(stream, self->at);
	if (is_inside != self->is_inside) {
		self->is_inside = is_inside;
		wr_ws_conn_hold(wr_ws_conn_of(self), is_inside);
	}
}

/* The parts as what a system call takes; returns their bytes. */
static size_t to_vectors(struct iovec *vectors, const struct wr_view *parts, unsigned count)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < count; i++) {
		vectors[i].iov_base = (void *)(uintptr_t)parts[i].data;
		vectors[i].iov_len = parts[i].bytes;
		bytes += parts[i].bytes;
	}
	return bytes;
}

/* Sends [at, to) in one call. False when the connection takes no more for now, or is gone. */
static bool send_to(struct wr_fanout *fanout, struct wr_subscription *self,
		    struct wr_event_stream *stream, uint64_t to)
{
	struct wr_ws_conn *conn = wr_ws_conn_of(self);
	struct wr_view parts[PARTS_MAX];
	struct iovec vectors[PARTS_MAX];
	unsigned count = wr_event_stream_read(stream, self->at, parts, PARTS_MAX, to - self->at);
	size_t bytes = to_vectors(vectors, parts, count), sent = 0;
	enum wr_status status;

	status = wr_ws_conn_stream(conn, vectors, (int)count, bytes, &sent);
	if (status == WR_CLOSED) {
		wr_flow_leave(fanout, self); /* so that nobody asks where it stands */
		return false;
	}
	self->at += sent;
	if (status == WR_MORE || self->at != stream->shown || self->is_inside)
		stand(self, stream);
	return status == WR_OK;
}

/* Goes on from the store, at the place of `at` in its frame. False when it cannot. */
static bool enter_store(struct wr_fanout *fanout, struct wr_subscription *self,
			const struct wr_event_stream *stream)
{
	uint64_t begin, end;

	wr_assert(self->in.sequence != 0); /* it was sent to, and was not sent all */
	/* Before a frame it has all that is below it. */
	if (!self->is_inside)
		return wr_stored_flow_enter(fanout, self, self->in.sequence - 1, 0);
	wr_assert(wr_event_stream_frame_at(stream, self->at, &begin, &end));
	return wr_stored_flow_enter(fanout, self, self->in.sequence, (uint32_t)(self->at - begin));
}

/* What it lacks is evicted: it goes on from the store. When that does not have it, the frame in
 * which it stands, which is still in memory, goes out first. */
static void push_evicted(struct wr_fanout *fanout, struct wr_subscription *self,
			 struct wr_event_stream *stream)
{
	uint64_t sequence = self->in.sequence, begin, end;

	if (enter_store(fanout, self, stream))
		return;
	if (!self->is_inside) {
		wr_flow_expire(fanout, self);
		return;
	}
	wr_assert(wr_event_stream_frame_at(stream, self->at, &begin, &end));
	if (send_to(fanout, self, stream, end) && self->at == end)
		wr_flow_go_on(fanout, self, sequence);
}

/* AHEAD: once a frame behind its sequence is there, so are all that it must not be sent. */
static void meet(struct wr_fanout *fanout, struct wr_subscription *self,
		 const struct wr_event_stream *stream)
{
	if (stream->last_sequence > self->at)
		wr_flow_go_on(fanout, self, self->at);
	else
		wr_flow_caught_up(fanout, self);
}

void wr_worker_flow_push(struct wr_fanout *fanout, struct wr_subscription *self)
{
	const struct wr_feed *feed = &fanout->feed;
	struct wr_ws_conn *conn = wr_ws_conn_of(self);
	struct wr_event_stream *stream;

	if (wr_ws_conn_is_blocked(conn) || self->state == WR_SUBSCRIPTION_ENDED)
		return;
	if (self->state == WR_SUBSCRIPTION_CUT) {
		wr_flow_finish_saved(fanout, self);
		return;
	}
	stream = feed->ops->stream(feed->context, self->worker);
	if (self->state == WR_SUBSCRIPTION_AHEAD) {
		meet(fanout, self, stream);
		return;
	}
	if (self->at < stream->begin) {
		push_evicted(fanout, self, stream);
		return;
	}
	if (self->at < stream->shown) {
		uint64_t to = stream->shown;
		if (to - self->at > WR_SUBSCRIBER_TURN_BYTES_MAX)
			to = self->at + WR_SUBSCRIBER_TURN_BYTES_MAX;
		if (!send_to(fanout, self, stream, to))
			return;
	}
	if (self->at >= stream->shown)
		wr_flow_caught_up(fanout, self);
	else
		wr_ws_conn_await(conn); /* its share of this turn is used up */
}

void wr_worker_flow_release(struct wr_fanout *fanout, struct wr_subscription *self,
			    struct wr_event_stream *stream, uint64_t position)
{
	struct wr_saved_frame *saved;
	uint64_t begin, end;
	bool is_new;

	if (self->state != WR_SUBSCRIPTION_LIVE || self->at >= position)
		return;
	if (enter_store(fanout, self, stream) || !self->is_inside)
		return;
	wr_assert(wr_event_stream_frame_at(stream, self->at, &begin, &end));
	saved = wr_saved_frame_join(&fanout->saved, self->worker, self->in.sequence,
				    (uint32_t)(end - begin), &is_new);
	if (saved == NULL) {
		wr_flow_abort(fanout, self);
		return;
	}
	if (is_new)
		wr_event_stream_copy(stream, saved->data, begin, end);
	self->offset = (uint32_t)(self->at - begin) & WR_OFFSET_MASK;
	self->at = self->in.sequence;
	self->in.saved = saved;
	self->state = WR_SUBSCRIPTION_CUT;
}

/*
 * The end of a turn for a whole stream. Readers that keep up all stand at the same position and
 * lack the same bytes: the vector is made once, and each of them costs little more than its system
 * call.
 */
void wr_worker_flow_flush(struct wr_fanout *fanout, struct wr_event_stream *stream)
{
	struct wr_view parts[PARTS_MAX];
	struct iovec vectors[PARTS_MAX];
	uint64_t from = UINT64_MAX;
	size_t bytes = 0, sent = 0;
	unsigned count = 0;
	enum wr_status status;

	wr_list_each (node, after, &stream->subscribers) {
		struct wr_subscription *self = wr_list_entry(node, struct wr_subscription, place);
		struct wr_ws_conn *conn = wr_ws_conn_of(self);
		bool is_usual = self->state == WR_SUBSCRIPTION_LIVE && !self->is_inside &&
				self->at >= stream->begin && self->at < stream->shown &&
				stream->shown - self->at <= WR_SUBSCRIBER_TURN_BYTES_MAX;

		if (WR_UNLIKELY(!is_usual || fanout->is_draining)) {
			wr_worker_flow_push(fanout, self);
			continue;
		}
		if (wr_ws_conn_is_blocked(conn))
			continue;
		if (self->at != from) {
			from = self->at;
			count = wr_event_stream_read(stream, from, parts, PARTS_MAX,
						     stream->shown - from);
			bytes = to_vectors(vectors, parts, count);
		}
		status = wr_ws_conn_stream(conn, vectors, (int)count, bytes, &sent);
		self->at += sent;
		if (WR_LIKELY(status == WR_OK && self->at == stream->shown))
			continue;
		if (status == WR_CLOSED) {
			wr_flow_leave(fanout, self);
			continue;
		}
		stand(self, stream);
		if (status == WR_OK)
			wr_ws_conn_await(conn); /* more parts than one call takes */
	}
}
