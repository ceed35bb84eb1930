#include "observe/flow.h"

#include "check.h"

enum { SCRATCH_BYTES_KEPT = 65536 };

void wr_flow_reset_scratch(struct wr_fanout *fanout)
{
	if (fanout->scratch.capacity > SCRATCH_BYTES_KEPT)
		wr_buf_deinit(&fanout->scratch);
	wr_buf_reset(&fanout->scratch);
}

enum wr_status wr_flow_send_scratch(struct wr_fanout *fanout, struct wr_subscription *self)
{
	struct wr_buf *scratch = &fanout->scratch;
	struct iovec part = {.iov_base = scratch->data, .iov_len = scratch->bytes};
	enum wr_status status = scratch->status;

	if (status == WR_OK)
		status = wr_ws_conn_send(wr_ws_conn_of(self), &part, 1);
	wr_flow_reset_scratch(fanout);
	return status;
}

/* ---- the end ---- */

void wr_flow_leave(struct wr_fanout *fanout, struct wr_subscription *self)
{
	struct wr_waiting_cursor *cursor = self->in.cursor;

	wr_list_remove(&self->place);
	if (self->state == WR_SUBSCRIPTION_CUT && self->in.saved != NULL)
		wr_saved_frame_leave(&fanout->saved, self->in.saved);
	else if (self->state == WR_SUBSCRIPTION_WAITING && cursor != NULL)
		wr_allocator_free(fanout->allocator, cursor, sizeof *cursor + cursor->bytes);
	self->in.sequence = 0;
	self->state = WR_SUBSCRIPTION_ENDED;
}

/* The code of the Close, and a word for whoever reads it. */
static unsigned close_code(enum wr_feed_news news, enum wr_status why, struct wr_view *word)
{
	switch (news) {
	case WR_FEED_OBSERVATION_ONLY:
		*word = WR_VIEW("observation only");
		return 1008;
	case WR_FEED_REFUSED:
		*word = why == WR_UNAVAILABLE ? WR_VIEW("not available now")
					      : WR_VIEW("cursor refused");
		return why == WR_UNAVAILABLE ? 1013 : 1008;
	case WR_FEED_EXPIRED:
		*word = WR_VIEW("cursor expired");
		return 1013;
	case WR_FEED_FAILED:
		*word = WR_VIEW("the log cannot be read");
		return 1011;
	case WR_FEED_ENDED:
		*word = WR_VIEW("the source has ended this");
		return 1013;
	}
	wr_unreachable();
}

void wr_flow_end(struct wr_fanout *fanout, struct wr_subscription *self, enum wr_feed_news news,
		 enum wr_status why, uint64_t sequence)
{
	const struct wr_feed *feed = &fanout->feed;
	struct wr_view word;
	unsigned code = close_code(news, why, &word);
	enum wr_status status;

	wr_flow_reset_scratch(fanout);
	feed->ops->diagnose(feed->context, &fanout->scratch, self->worker, news, why, sequence);
	status = wr_flow_send_scratch(fanout, self);
	if (status != WR_OK && status != WR_CLOSED) {
		wr_flow_abort(fanout, self);
		return;
	}
	wr_flow_leave(fanout, self);
	wr_ws_conn_close(wr_ws_conn_of(self), code, word); /* unless it is closing already */
}

void wr_flow_expire(struct wr_fanout *fanout, struct wr_subscription *self)
{
	const struct wr_feed *feed = &fanout->feed;

	wr_flow_end(fanout, self, WR_FEED_EXPIRED, WR_EXPIRED,
		    feed->ops->evicted(feed->context, self->worker));
}

void wr_flow_abort(struct wr_fanout *fanout, struct wr_subscription *self)
{
	wr_flow_leave(fanout, self);
	wr_ws_conn_abort(wr_ws_conn_of(self));
}

void wr_flow_caught_up(struct wr_fanout *fanout, struct wr_subscription *self)
{
	if (!fanout->is_draining)
		return;
	wr_flow_leave(fanout, self);
	wr_ws_conn_close(wr_ws_conn_of(self), 1001, WR_VIEW("shutting down"));
}

/* ---- going on ---- */

uint64_t wr_flow_gone(const struct wr_fanout *self, uint32_t worker)
{
	const struct wr_feed *feed = &self->feed;

	return worker == 0 ? self->log->evicted : feed->ops->stream(feed->context, worker)->evicted;
}

/* What follows is in memory, or is yet to come. */
static void join(struct wr_fanout *self, struct wr_subscription *subscription, uint64_t sequence)
{
	const struct wr_feed *feed = &self->feed;
	struct wr_event_stream *stream;

	subscription->state = WR_SUBSCRIPTION_LIVE;
	subscription->offset = 0;
	subscription->at = sequence;
	if (subscription->worker == 0) {
		wr_list_push(&self->runtime_subscribers, &subscription->place);
		return;
	}
	stream = feed->ops->stream(feed->context, subscription->worker);
	/* Where the end is, frames that it has may still come. */
	if (sequence > stream->last_sequence && sequence > self->log->last_sequence)
		subscription->state = WR_SUBSCRIPTION_AHEAD;
	else
		subscription->at = wr_event_stream_seek(stream, sequence);
	wr_list_push(&stream->subscribers, &subscription->place);
}

void wr_flow_go_on(struct wr_fanout *self, struct wr_subscription *subscription, uint64_t sequence)
{
	wr_list_remove(&subscription->place);
	if (sequence >= wr_flow_gone(self, subscription->worker)) {
		join(self, subscription, sequence);
		wr_flow_push(self, subscription);
	} else if (!wr_stored_flow_enter(self, subscription, sequence, 0)) {
		wr_flow_expire(self, subscription);
	}
}

void wr_flow_finish_saved(struct wr_fanout *fanout, struct wr_subscription *self)
{
	uint32_t offset = self->offset;
	struct wr_ws_conn *conn = wr_ws_conn_of(self);
	struct wr_saved_frame *saved = self->in.saved;
	struct iovec part = {.iov_base = saved->data + offset, .iov_len = saved->bytes - offset};
	size_t sent = 0;
	enum wr_status status = wr_ws_conn_stream(conn, &part, 1, part.iov_len, &sent);

	if (status == WR_CLOSED)
		return;
	self->offset = (uint32_t)(self->offset + sent) & WR_OFFSET_MASK;
	if (status != WR_OK)
		return;
	self->is_inside = false;
	wr_ws_conn_hold(conn, false);
	self->in.saved = NULL;
	wr_saved_frame_leave(&fanout->saved, saved);
	wr_flow_go_on(fanout, self, self->at);
}

void wr_flow_stand(struct wr_subscription *self, const struct wr_rendered *rendered, size_t offset)
{
	uint32_t index = wr_rendered_find(rendered, offset);
	bool is_inside;

	self->offset = (uint32_t)(offset - wr_rendered_start(rendered, index)) & WR_OFFSET_MASK;
	is_inside = self->offset != 0;
	if (is_inside) {
		self->at = rendered->frames[index].sequence;
		self->in.frame_worker = rendered->frames[index].worker;
	} else if (index > 0 && rendered->frames[index - 1].sequence > self->at) {
		self->at = rendered->frames[index - 1].sequence;
	}
	if (is_inside != self->is_inside) {
		self->is_inside = is_inside;
		wr_ws_conn_hold(wr_ws_conn_of(self), is_inside);
	}
}

struct wr_rendered *wr_flow_rendered(struct wr_fanout *self)
{
	if (self->rendered != NULL)
		return self->rendered;
	self->rendered = wr_allocator_take_zeroed(self->allocator, sizeof *self->rendered);
	if (self->rendered != NULL)
		wr_rendered_init(self->rendered, self->allocator);
	return self->rendered;
}

void wr_flow_push(struct wr_fanout *self, struct wr_subscription *subscription)
{
	switch ((enum wr_subscription_state)subscription->state) {
	case WR_SUBSCRIPTION_LIVE:
	case WR_SUBSCRIPTION_CUT:
	case WR_SUBSCRIPTION_AHEAD:
		if (subscription->worker == 0)
			wr_runtime_flow_push(self, subscription);
		else
			wr_worker_flow_push(self, subscription);
		return;
	case WR_SUBSCRIPTION_STORED:
		wr_stored_flow_push(self, subscription);
		return;
	case WR_SUBSCRIPTION_WAITING:
	case WR_SUBSCRIPTION_PARKED:
		wr_flow_caught_up(self, subscription);
		return;
	case WR_SUBSCRIPTION_ENDED:
		return;
	}
	wr_unreachable();
}
