/* How a subscription ends, and what is said then. */
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
	case WR_FEED_BROKEN:
		*word = WR_VIEW_NULL;
		return wr_ws_close_code_of(why);
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
