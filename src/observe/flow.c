#include "observe/flow.h"

#include "check.h"

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
