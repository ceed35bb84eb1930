#include "observe/flow.h"

#include "wire/snapshot_json.h"

enum { SCRATCH_BYTES_KEPT = 65536 };

enum wr_status wr_flow_send_scratch(struct wr_fanout *fanout, struct wr_subscription *self)
{
	struct wr_buf *scratch = &fanout->scratch;
	struct iovec part = {.iov_base = scratch->data, .iov_len = scratch->bytes};
	enum wr_status status = scratch->status;

	if (status == WR_OK)
		status = wr_ws_conn_send(wr_ws_conn_of(self), &part, 1);
	if (scratch->capacity > SCRATCH_BYTES_KEPT)
		wr_buf_deinit(scratch);
	wr_buf_reset(scratch);
	return status;
}

void wr_flow_end(struct wr_fanout *fanout, struct wr_subscription *self, unsigned code,
		 struct wr_view close_reason)
{
	if (wr_flow_send_scratch(fanout, self) != WR_OK) {
		wr_flow_abort(self);
		return;
	}
	self->state = WR_SUBSCRIPTION_ENDED;
	wr_list_remove(&self->place);
	wr_ws_conn_close(wr_ws_conn_of(self), code, close_reason);
}

uint64_t wr_flow_gone(const struct wr_fanout *self, uint32_t worker)
{
	return worker == 0 ? self->log->evicted
			   : wr_runtime_worker_events(self->runtime, worker)->evicted;
}

/* What follows is in memory. */
static void join(struct wr_fanout *self, struct wr_subscription *subscription, uint64_t sequence)
{
	struct wr_event_stream *stream;

	subscription->state = WR_SUBSCRIPTION_LIVE;
	subscription->offset = 0;
	if (subscription->worker == 0) {
		subscription->at = sequence;
		wr_list_push(&self->runtime_subscribers, &subscription->place);
	} else {
		stream = wr_runtime_worker_events(self->runtime, subscription->worker);
		subscription->at = wr_event_stream_seek(stream, sequence);
		wr_list_push(&stream->subscribers, &subscription->place);
	}
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
	self->offset = (uint32_t)(self->offset + sent) & 0xfffffffu;
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

	self->offset = (uint32_t)(offset - wr_rendered_start(rendered, index)) & 0xfffffffu;
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

void wr_flow_expire(struct wr_fanout *fanout, struct wr_subscription *self)
{
	char cursor[WR_CURSOR_BYTES];

	wr_runtime_cursor(fanout->runtime, self->worker,
			  wr_runtime_evicted(fanout->runtime, self->worker), cursor);
	wr_buf_reset(&fanout->scratch);
	wr_diagnostic_frame(&fanout->scratch, WR_VIEW("runtime.cursor_expired"),
			    WR_VIEW("this reader fell behind what is kept: "
				    "reconnect without a cursor"),
			    WR_VIEW("expired"), wr_view_of(cursor, sizeof cursor));
	wr_flow_end(fanout, self, 1013, WR_VIEW("cursor expired"));
}

void wr_flow_fail(struct wr_fanout *fanout, struct wr_subscription *self, enum wr_status why)
{
	wr_buf_reset(&fanout->scratch);
	wr_store_failure_frame(&fanout->scratch, why);
	wr_flow_end(fanout, self, 1011, WR_VIEW("the log cannot be read"));
}

void wr_flow_abort(struct wr_subscription *self)
{
	self->state = WR_SUBSCRIPTION_ENDED;
	wr_list_remove(&self->place);
	wr_ws_conn_abort(wr_ws_conn_of(self));
}

void wr_flow_caught_up(struct wr_fanout *fanout, struct wr_subscription *self)
{
	if (!fanout->is_draining)
		return;
	self->state = WR_SUBSCRIPTION_ENDED;
	wr_ws_conn_close(wr_ws_conn_of(self), 1001, WR_VIEW("shutting down"));
}

void wr_flow_push(struct wr_fanout *self, struct wr_subscription *subscription)
{
	if (subscription->state == WR_SUBSCRIPTION_STORED)
		wr_stored_flow_push(self, subscription);
	else if (subscription->worker == 0)
		wr_runtime_flow_push(self, subscription);
	else
		wr_worker_flow_push(self, subscription);
}
