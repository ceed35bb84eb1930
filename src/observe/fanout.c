#include "observe/fanout.h"

#include "check.h"
#include "observe/flow.h"
#include "wire/event_json.h"
#include "wire/snapshot_json.h"

/* The largest frame made for one subscriber: a snapshot, each text byte escaped at worst. */
#define SCRATCH_BYTES_MAX (WR_FRAME_BYTES_MAX + 6 * WR_SNAPSHOT_BYTES_MAX)
enum { SCRATCH_BYTES_KEPT = 65536 };

static struct wr_subscription *subscription_of(struct wr_ws_conn *conn)
{
	return wr_ws_conn_app(conn);
}

/* Sends a frame that was made in the scratch buffer. */
static enum wr_status send_scratch(struct wr_fanout *self, struct wr_ws_conn *conn)
{
	struct wr_buf *scratch = &self->scratch;
	struct iovec part = {.iov_base = scratch->data, .iov_len = scratch->bytes};
	enum wr_status status = scratch->status;

	if (status == WR_OK)
		status = wr_ws_conn_send(conn, &part, 1);
	if (scratch->capacity > SCRATCH_BYTES_KEPT)
		wr_buf_deinit(scratch);
	wr_buf_reset(scratch);
	return status;
}

/* Says one last thing, which is in the scratch buffer, and closes. */
static void say_and_close(struct wr_fanout *self, struct wr_subscription *subscription,
			  unsigned code, struct wr_view close_reason)
{
	struct wr_ws_conn *conn = wr_ws_conn_of(subscription);

	subscription->state = WR_SUBSCRIPTION_ENDED;
	wr_list_remove(&subscription->place);
	if (send_scratch(self, conn) == WR_OK)
		wr_ws_conn_close(conn, code, close_reason);
	else
		wr_ws_conn_abort(conn);
}

/* ---- what both flows need ---- */

bool wr_flow_finish_saved(struct wr_fanout *fanout, struct wr_subscription *self, uint32_t offset)
{
	struct wr_ws_conn *conn = wr_ws_conn_of(self);
	struct wr_saved_frame *saved = self->in.saved;
	struct iovec part = {.iov_base = saved->data + offset, .iov_len = saved->bytes - offset};
	size_t sent = 0;
	enum wr_status status = wr_ws_conn_stream(conn, &part, 1, part.iov_len, &sent);

	if (status == WR_CLOSED)
		return false;
	if (self->worker != 0)
		self->at += sent;
	else
		self->offset = (uint32_t)(self->offset + sent) & 0xfffffffu;
	if (status != WR_OK)
		return false;
	self->is_inside = false;
	wr_ws_conn_hold(conn, false);
	self->in.saved = NULL;
	wr_saved_frame_leave(&fanout->saved, saved);
	return true;
}

void wr_flow_expire(struct wr_fanout *fanout, struct wr_subscription *self)
{
	char cursor[WR_CURSOR_BYTES];
	uint64_t oldest =
		self->worker == 0
			? fanout->log->evicted
			: wr_runtime_worker_events(fanout->runtime, self->worker)->evicted;

	wr_runtime_cursor(fanout->runtime, self->worker, oldest, cursor);
	wr_buf_reset(&fanout->scratch);
	wr_diagnostic_frame(&fanout->scratch, WR_VIEW("runtime.cursor_expired"),
			    WR_VIEW("this reader fell behind what is kept: "
				    "reconnect without a cursor"),
			    WR_VIEW("expired"), wr_view_of(cursor, sizeof cursor));
	say_and_close(fanout, self, 1013, WR_VIEW("cursor expired"));
}

void wr_flow_caught_up(struct wr_fanout *fanout, struct wr_subscription *self)
{
	if (!fanout->is_draining)
		return;
	self->state = WR_SUBSCRIPTION_ENDED;
	wr_ws_conn_close(wr_ws_conn_of(self), 1001, WR_VIEW("shutting down"));
}

static void push(struct wr_fanout *self, struct wr_subscription *subscription)
{
	if (subscription->worker == 0)
		wr_runtime_flow_push(self, subscription);
	else
		wr_worker_flow_push(self, subscription);
}

/* ---- what the connections tell ---- */

static bool on_message(void *context, struct wr_ws_conn *conn, bool is_text)
{
	struct wr_fanout *self = context;
	struct wr_subscription *subscription = subscription_of(conn);

	(void)is_text;
	if (subscription->is_inside) { /* it reads too slowly to be told why */
		if (subscription->state == WR_SUBSCRIPTION_LIVE)
			subscription->state =
				WR_SUBSCRIPTION_ENDED; /* CUT: on_end gives `saved` back */
		wr_ws_conn_close(conn, 1008, WR_VIEW("observation only"));
		return false;
	}
	wr_buf_reset(&self->scratch);
	wr_diagnostic_frame(
		&self->scratch, WR_VIEW("runtime.observation_only"),
		WR_VIEW("this stream carries observation only: send commands over REST"),
		WR_VIEW_NULL, WR_VIEW_NULL);
	say_and_close(self, subscription, 1008, WR_VIEW("observation only"));
	return false;
}

static void on_writable(void *context, struct wr_ws_conn *conn)
{
	push(context, subscription_of(conn));
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

/* The end of a turn: everything that happened in it leaves, then retention applies. */
static void on_turn(struct wr_turn_hook *hook)
{
	struct wr_fanout *self = wr_container_of(hook, struct wr_fanout, hook);

	if (self->flushed == self->log->last_sequence)
		return;
	self->flushed = self->log->last_sequence;
	wr_list_each (changed, next, &self->log->changed) {
		wr_worker_flow_flush(self, wr_list_entry(changed, struct wr_event_stream, changed));
	}
	wr_list_each (node, after, &self->runtime_subscribers) {
		wr_runtime_flow_push(self, wr_list_entry(node, struct wr_subscription, place));
	}
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
	self->flushed = self->log->last_sequence;
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
		wr_buf_deinit(&self->rendered->bytes);
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

/* The buffer of the runtime-wide stream exists from its first reader on. */
static bool make_rendered(struct wr_fanout *self)
{
	if (self->rendered != NULL)
		return true;
	self->rendered = wr_allocator_take_zeroed(self->allocator, sizeof *self->rendered);
	if (self->rendered == NULL)
		return false;
	wr_buf_init(&self->rendered->bytes, self->allocator,
		    WR_RENDERED_BYTES + WR_FRAME_BYTES_MAX);
	return true;
}

/* From the next event after `sequence` on, all of the scope. */
static void join(struct wr_fanout *self, struct wr_subscription *subscription, uint64_t sequence)
{
	if (subscription->worker == 0) {
		subscription->at = sequence;
		wr_list_push(&self->runtime_subscribers, &subscription->place);
	} else {
		struct wr_event_stream *stream =
			wr_runtime_worker_events(self->runtime, subscription->worker);
		subscription->at = wr_event_stream_seek(stream, sequence);
		wr_list_push(&stream->subscribers, &subscription->place);
	}
}

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
	return send_scratch(self, wr_ws_conn_of(subscription));
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
		say_and_close(self, subscription, 1008, WR_VIEW("cursor refused"));
		return;
	}
	if (has_snapshot && send_snapshot(self, subscription, sequence) != WR_OK) {
		subscription->state = WR_SUBSCRIPTION_ENDED;
		wr_ws_conn_abort(wr_ws_conn_of(subscription));
		return;
	}
	join(self, subscription, sequence);
	push(self, subscription);
}

void wr_fanout_accept(struct wr_fanout *self, struct wr_http_exchange *exchange, uint32_t worker,
		      struct wr_view cursor)
{
	struct wr_subscription *subscription;
	struct wr_ws_conn *conn;
	bool has_cursor = cursor.data != NULL;
	/* The watermark of a fresh stream: everything up to the head is in the snapshot. */
	uint64_t sequence = wr_runtime_visible(self->runtime);
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
	if (worker == 0 && !make_rendered(self)) {
		subscription->state = WR_SUBSCRIPTION_ENDED;
		wr_ws_conn_abort(conn);
		return;
	}
	open_stream(self, subscription, outcome, has_cursor, sequence);
}

/* ---- the end ---- */

static void drain_one(void *context, struct wr_ws_conn *conn)
{
	push(context, subscription_of(conn)); /* closes when it is caught up */
}

void wr_fanout_drain(struct wr_fanout *self)
{
	self->is_draining = true;
	if (self->group != NULL)
		wr_ws_group_each(self->group, drain_one, self);
}
