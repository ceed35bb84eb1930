#include "observe/fanout.h"

#include "check.h"
#include "observe/flow.h"
#include "wire/event_json.h"
#include "wire/snapshot_json.h"

/* The largest frame made for one subscriber: a snapshot, each text byte escaped at worst. */
#define SCRATCH_BYTES_MAX (WR_FRAME_BYTES_MAX + 6 * WR_SNAPSHOT_BYTES_MAX)

static struct wr_subscription *subscription_of(struct wr_ws_conn *conn)
{
	return wr_ws_conn_app(conn);
}

/* ---- what the connections tell ---- */

static bool on_message(void *context, struct wr_ws_conn *conn, bool is_text)
{
	struct wr_fanout *self = context;
	struct wr_subscription *subscription = subscription_of(conn);

	(void)is_text;
	if (subscription->is_inside) { /* it reads too slowly to be told why */
		if (subscription->state != WR_SUBSCRIPTION_CUT) /* on_end gives `saved` back */
			subscription->state = WR_SUBSCRIPTION_ENDED;
		wr_ws_conn_close(conn, 1008, WR_VIEW("observation only"));
		return false;
	}
	wr_buf_reset(&self->scratch);
	wr_diagnostic_frame(
		&self->scratch, WR_VIEW("runtime.observation_only"),
		WR_VIEW("this stream carries observation only: send commands over REST"),
		WR_VIEW_NULL, WR_VIEW_NULL);
	wr_flow_end(self, subscription, 1008, WR_VIEW("observation only"));
	return false;
}

static void on_writable(void *context, struct wr_ws_conn *conn)
{
	wr_flow_push(context, subscription_of(conn));
}

static void on_end(void *context, struct wr_ws_conn *conn)
{
	struct wr_fanout *self = context;
	struct wr_subscription *subscription = subscription_of(conn);

	if (!subscription->is_open)
		return; /* it never became one */
	wr_list_remove(&subscription->place);
	if (subscription->state == WR_SUBSCRIPTION_CUT && subscription->in.saved != NULL)
		wr_saved_frame_leave(&self->saved, subscription->in.saved);
}

/* ---- what the log tells ---- */

static void on_release(void *context, struct wr_event_stream *stream, uint64_t position)
{
	struct wr_fanout *self = context;

	wr_list_each (node, after, &stream->subscribers) {
		wr_worker_flow_release(self, wr_list_entry(node, struct wr_subscription, place),
				       stream, position);
	}
	wr_list_each (node, after, &self->runtime_subscribers) {
		wr_runtime_flow_release(self, wr_list_entry(node, struct wr_subscription, place),
					stream, position);
	}
}

struct wr_observer wr_fanout_observer(struct wr_fanout *self)
{
	return (struct wr_observer){.context = self, .on_release = on_release};
}

/* Whether a stream in the list of changed ones shows more than at the last flush. One that shows
 * all it has was not in the list before; one that holds something back stays there. */
static bool shows_more(const struct wr_fanout *self, const struct wr_event_stream *stream)
{
	return stream->shown == stream->end ||
	       stream->shown > wr_event_stream_seek(stream, self->flushed);
}

/* Sends everybody what has become visible. */
static void flush(struct wr_fanout *self)
{
	wr_list_each (changed, next, &self->log->changed) {
		struct wr_event_stream *stream =
			wr_list_entry(changed, struct wr_event_stream, changed);
		if (shows_more(self, stream))
			wr_worker_flow_flush(self, stream);
	}
	wr_list_each (node, after, &self->runtime_subscribers) {
		wr_runtime_flow_push(self, wr_list_entry(node, struct wr_subscription, place));
	}
}

/* The end of a turn: everything that became visible in it leaves, then retention applies. */
static void on_turn(struct wr_turn_hook *hook)
{
	struct wr_fanout *self = wr_container_of(hook, struct wr_fanout, hook);
	bool has_moved = self->flushed != self->log->shown_sequence;

	if (has_moved)
		flush(self);
	self->flushed = self->log->shown_sequence;
	wr_stored_flow_turn(self);
	if (self->rendered != NULL)
		wr_rendered_shrink(self->rendered);
	if (has_moved)
		wr_runtime_trim(self->runtime);
}

/* ---- life ---- */

enum wr_status wr_fanout_new(struct wr_fanout **out, struct wr_reactor *reactor,
			     struct wr_allocator *allocator, const struct wr_fanout_config *config)
{
	struct wr_fanout *self = wr_allocator_take_zeroed(allocator, sizeof *self);

	if (self == NULL)
		return WR_NO_MEMORY;
	self->reactor = reactor;
	self->allocator = allocator;
	self->config = *config;
	/* A snapshot is queued as a whole when the socket does not take it. */
	if (self->config.ws.queued_bytes_max < SCRATCH_BYTES_MAX)
		self->config.ws.queued_bytes_max = SCRATCH_BYTES_MAX;
	wr_list_init(&self->runtime_subscribers);
	wr_list_init(&self->backlog);
	wr_saved_frames_init(&self->saved, allocator, WR_CUT_BYTES_MAX);
	wr_buf_init(&self->scratch, allocator, SCRATCH_BYTES_MAX);
	*out = self;
	return WR_OK;
}

enum wr_status wr_fanout_attach(struct wr_fanout *self, struct wr_runtime *runtime,
				struct wr_http_server *server)
{
	const struct wr_ws_app app = {
		.context = self,
		.app_bytes = sizeof(struct wr_subscription),
		.on_message = on_message,
		.on_writable = on_writable,
		.on_end = on_end,
	};
	enum wr_status status = wr_ws_group_new(&self->group, self->reactor, self->allocator,
						server, &self->config.ws, &app);

	if (status != WR_OK)
		return status;
	self->runtime = runtime;
	self->log = wr_runtime_log(runtime);
	self->flushed = self->log->shown_sequence;
	self->hook.on_turn = on_turn;
	wr_reactor_add_hook(self->reactor, &self->hook);
	return WR_OK;
}

void wr_fanout_free(struct wr_fanout *self)
{
	if (self->group != NULL) {
		wr_reactor_remove_hook(self->reactor, &self->hook);
		wr_ws_group_free(self->group);
	}
	if (self->rendered != NULL) {
		wr_rendered_deinit(self->rendered);
		wr_allocator_free(self->allocator, self->rendered, sizeof *self->rendered);
	}
	wr_buf_deinit(&self->scratch);
	wr_allocator_free(self->allocator, self, sizeof *self);
}

uint32_t wr_fanout_count(const struct wr_fanout *self)
{
	return self->group == NULL ? 0 : wr_ws_group_count(self->group);
}

/* ---- opening a stream ---- */

static enum wr_status send_snapshot(struct wr_fanout *self, struct wr_subscription *subscription,
				    uint64_t sequence)
{
	enum wr_compat compat = self->config.compat;

	wr_buf_reset(&self->scratch);
	if (subscription->worker == 0)
		wr_runtime_snapshot_frame(&self->scratch, self->runtime, sequence, compat);
	else
		wr_worker_snapshot_frame(&self->scratch, self->runtime,
					 wr_runtime_worker(self->runtime, subscription->worker),
					 sequence, compat);
	return wr_flow_send_scratch(self, subscription);
}

/* What the peer sees first, by the outcome of its cursor (design 3). */
static void open_stream(struct wr_fanout *self, struct wr_subscription *subscription,
			enum wr_status outcome, bool has_cursor, uint64_t sequence)
{
	bool has_snapshot = !has_cursor || self->config.compat != WR_COMPAT_NONE;

	if (outcome != WR_OK) {
		wr_buf_reset(&self->scratch);
		wr_cursor_refusal_frame(&self->scratch, self->runtime, subscription->worker,
					outcome, sequence);
		wr_flow_end(self, subscription, 1008, WR_VIEW("cursor refused"));
		return;
	}
	if (has_snapshot && send_snapshot(self, subscription, sequence) != WR_OK) {
		subscription->state = WR_SUBSCRIPTION_ENDED;
		wr_ws_conn_abort(wr_ws_conn_of(subscription));
		return;
	}
	wr_flow_go_on(self, subscription, sequence);
}

void wr_fanout_accept(struct wr_fanout *self, struct wr_http_exchange *exchange, uint32_t worker,
		      struct wr_view cursor)
{
	struct wr_subscription *subscription;
	struct wr_ws_conn *conn;
	bool has_cursor = cursor.data != NULL;
	/* The watermark of a fresh stream: what is shown is as of here. The store may know more to
	 * be visible by now; that becomes events. */
	uint64_t sequence = self->log->shown_sequence;
	enum wr_status outcome = WR_OK;

	/* Judged first: the cursor is a view into the request, which is gone after the upgrade. */
	if (has_cursor)
		outcome = wr_runtime_judge_cursor(self->runtime, worker, cursor, &sequence);
	conn = wr_ws_conn_accept(self->group, exchange, WR_VIEW_NULL);
	if (conn == NULL)
		return;
	subscription = subscription_of(conn);
	subscription->is_open = true;
	subscription->worker = worker;
	wr_list_init(&subscription->place);
	open_stream(self, subscription, outcome, has_cursor, sequence);
}

/* ---- the end ---- */

static void drain_one(void *context, struct wr_ws_conn *conn)
{
	wr_flow_push(context, subscription_of(conn)); /* closes when it is caught up */
}

void wr_fanout_drain(struct wr_fanout *self)
{
	self->is_draining = true;
	if (self->group != NULL)
		wr_ws_group_each(self->group, drain_one, self);
}
