#include "check.h"
#include "conn/sweep.h"
#include "conn/ws_private.h"
#include "bounds.h"

void wr_ws_defaults(struct wr_ws_config *config)
{
	*config = (struct wr_ws_config){
		.message_bytes_max = WR_WS_MESSAGE_BYTES_MAX,
		.fragment_count_max = WR_WS_FRAGMENT_COUNT_MAX,
		.ping_ms = WR_WS_PING_MS,
		.pong_ms_max = WR_WS_PONG_MS_MAX,
		.send_ms_max = WR_CONN_SEND_MS_MAX,
		.close_ms_max = WR_WS_CLOSE_MS_MAX,
		.control_per_minute_max = WR_WS_CONTROL_PER_MINUTE_MAX,
		.queued_bytes_max = WR_SNAPSHOT_BYTES_MAX + WR_CONN_OUTPUT_BYTES_MAX,
	};
}

/* Each connection is taken out and put back before it is visited, so that it and any other one may
 * go meanwhile. */
void wr_ws_group_each(struct wr_ws_group *self, void (*fn)(void *context, struct wr_ws_conn *conn),
		      void *context)
{
	struct wr_list rest;

	wr_list_move(&self->conns, &rest);
	while (!wr_list_is_empty(&rest)) {
		struct wr_list *first = rest.next;
		wr_list_remove(first);
		wr_list_push(&self->conns, first);
		fn(context, wr_list_entry(first, struct wr_ws_conn, link));
	}
}

static void sweep_one(void *context, struct wr_ws_conn *conn)
{
	(void)context;
	wr_ws_conn_sweep(conn);
}

static void bury_one(void *context, struct wr_ws_conn *conn)
{
	(void)context;
	wr_ws_conn_bury(conn);
}

static void abort_one(void *context, struct wr_ws_conn *conn)
{
	(void)context;
	wr_ws_conn_abort(conn);
}

static void on_sweep(struct wr_timer *timer)
{
	struct wr_ws_group *self = wr_container_of(timer, struct wr_ws_group, sweep);

	/* Now, as the place in the heap that it just left is still there: who is called below may
	 * set timers, and then there may be no memory for this one. */
	(void)wr_timer_set(self->reactor, &self->sweep, self->sweep_ms);
	wr_ws_group_each(self, sweep_one, NULL);
	if (self->count == 0)
		wr_timer_cancel(self->reactor, &self->sweep);
}

static void on_turn(struct wr_turn_hook *hook)
{
	struct wr_ws_group *self = wr_container_of(hook, struct wr_ws_group, hook);

	while (!wr_list_is_empty(&self->early)) {
		struct wr_ws_pending *pending =
			wr_list_entry(self->early.next, struct wr_ws_pending, work);
		wr_ws_conn_take_early(pending->conn);
	}
	if (self->has_broken) {
		self->has_broken = false;
		wr_ws_group_each(self, bury_one, NULL);
	}
}

static uint32_t choose_sweep_ms(const struct wr_ws_config *config)
{
	const uint32_t deadlines[] = {config->ping_ms, config->pong_ms_max, config->send_ms_max,
				      config->close_ms_max};

	return wr_sweep_ms(deadlines, WR_COUNT(deadlines));
}

enum wr_status wr_ws_group_new(struct wr_ws_group **out, struct wr_reactor *reactor,
			       struct wr_allocator *allocator, struct wr_http_server *server,
			       const struct wr_ws_config *config, const struct wr_ws_app *app)
{
	struct wr_ws_group *self = wr_allocator_take_zeroed(allocator, sizeof *self);

	*out = self;
	if (self == NULL)
		return WR_NO_MEMORY;
	self->reactor = reactor;
	self->allocator = allocator;
	self->server = server;
	self->config = *config;
	self->app = *app;
	self->hook.on_turn = on_turn;
	self->sweep.on_due = on_sweep;
	self->sweep_ms = choose_sweep_ms(config);
	wr_list_init(&self->conns);
	wr_list_init(&self->early);
	wr_reactor_add_hook(reactor, &self->hook);
	return WR_OK;
}

void wr_ws_group_free(struct wr_ws_group *self)
{
	wr_ws_group_each(self, abort_one, NULL);
	wr_assert(self->count == 0);
	wr_timer_cancel(self->reactor, &self->sweep);
	wr_reactor_remove_hook(self->reactor, &self->hook);
	wr_allocator_free(self->allocator, self, sizeof *self);
}

uint32_t wr_ws_group_count(const struct wr_ws_group *self)
{
	return self->count;
}
