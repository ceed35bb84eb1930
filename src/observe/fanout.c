#include "observe/fanout.h"

#include "observe/flow.h"

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
	if (subscription->is_inside) /* it reads too slowly to be told why */
		wr_flow_abort(self, subscription);
	else
		wr_flow_end(self, subscription, WR_FEED_OBSERVATION_ONLY, WR_REJECTED, 0);
	return false;
}

static void on_violation(void *context, struct wr_ws_conn *conn, enum wr_status why)
{
	wr_flow_end(context, subscription_of(conn), WR_FEED_BROKEN, why, 0);
}

static void on_writable(void *context, struct wr_ws_conn *conn)
{
	wr_flow_push(context, subscription_of(conn));
}

static void on_end(void *context, struct wr_ws_conn *conn)
{
	struct wr_fanout *self = context;
	struct wr_subscription *subscription = subscription_of(conn);
	const struct wr_feed_ops *ops = self->feed.ops;

	if (!subscription->is_open)
		return; /* it never became one */
	wr_flow_leave(self, subscription);
	if (ops->count != NULL)
		ops->count(self->feed.context, subscription->worker, -1);
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
	bool has_moved;

	wr_opening_turn(self);
	has_moved = self->flushed != self->log->shown_sequence;
	if (has_moved)
		flush(self);
	self->flushed = self->log->shown_sequence;
	wr_stored_flow_turn(self);
	if (self->rendered != NULL)
		wr_rendered_shrink(self->rendered);
	if (has_moved)
		self->feed.ops->trim(self->feed.context);
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
	wr_list_init(&self->resumed);
	for (unsigned i = 0; i < WR_WAITING_LISTS; i++)
		wr_list_init(&self->waiting[i]);
	wr_saved_frames_init(&self->saved, allocator, WR_CUT_BYTES_MAX);
	wr_buf_init(&self->scratch, allocator, SCRATCH_BYTES_MAX);
	*out = self;
	return WR_OK;
}

enum wr_status wr_fanout_attach(struct wr_fanout *self, const struct wr_feed *feed,
				struct wr_http_server *server)
{
	const struct wr_ws_app app = {
		.context = self,
		.app_bytes = sizeof(struct wr_subscription),
		.on_message = on_message,
		.on_violation = on_violation,
		.on_writable = on_writable,
		.on_end = on_end,
	};
	enum wr_status status = wr_ws_group_new(&self->group, self->reactor, self->allocator,
						server, &self->config.ws, &app);

	if (status != WR_OK)
		return status;
	self->feed = *feed;
	self->log = feed->log;
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

/* Whom wr_fanout_end means. */
struct end {
	struct wr_fanout *fanout;
	bool is_of_all;
	uint32_t scope;
	enum wr_status why;
};

static void end_one(void *context, struct wr_ws_conn *conn)
{
	const struct end *end = context;
	struct wr_subscription *subscription = subscription_of(conn);

	if (subscription->state == WR_SUBSCRIPTION_ENDED ||
	    (!end->is_of_all && subscription->worker != end->scope))
		return;
	if (subscription->is_inside)
		wr_flow_abort(end->fanout, subscription);
	else
		wr_flow_end(end->fanout, subscription, WR_FEED_ENDED, end->why, 0);
}

static void end_them(struct end *end)
{
	struct wr_fanout *self = end->fanout;

	if (self->group != NULL)
		wr_ws_group_each(self->group, end_one, end);
	if (self->rendered != NULL)
		self->rendered->count = 0;
}

void wr_fanout_end(struct wr_fanout *self, uint32_t scope, enum wr_status why)
{
	end_them(&(struct end){.fanout = self, .scope = scope, .why = why});
}

void wr_fanout_forget(struct wr_fanout *self, uint32_t scope)
{
	if (self->rendered != NULL && self->rendered->key.worker == scope)
		self->rendered->count = 0;
}

void wr_fanout_end_all(struct wr_fanout *self, enum wr_status why)
{
	end_them(&(struct end){.fanout = self, .is_of_all = true, .why = why});
}
