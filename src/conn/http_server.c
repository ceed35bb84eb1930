#include "conn/http_server.h"

#include "check.h"
#include "conn/http_private.h"
#include "conn/sweep.h"
#include "bounds.h"

enum { DRAIN_MS_MAX = 2000 };

void wr_http_server_defaults(struct wr_http_server_config *config)
{
	*config = (struct wr_http_server_config){
		.connection_count_max = WR_CONN_COUNT_MAX,
		.unauthenticated_count_max = 0,
		.head_ms_max = WR_HTTP_HEAD_MS_MAX,
		.body_ms_max = WR_HTTP_BODY_MS_MAX,
		.idle_ms_max = WR_HTTP_IDLE_MS_MAX,
		.send_ms_max = WR_CONN_SEND_MS_MAX,
		.drain_ms_max = DRAIN_MS_MAX,
		.bodies_bytes_max = WR_HTTP_BODIES_BYTES_MAX,
		.content_type = WR_VIEW("application/json"),
	};
}

/* ---- walking over all connections ---- */

/* Any function of the app may end any connection, so none is remembered over a call: all move to a
 * list of their own and come back one by one. */
static void walk(struct wr_list *list, void (*visit)(struct wr_http_conn *conn))
{
	struct wr_list rest;

	wr_list_move(list, &rest);
	while (!wr_list_is_empty(&rest)) {
		struct wr_list *first = rest.next;
		wr_list_remove(first);
		wr_list_push(list, first);
		visit(wr_list_entry(first, struct wr_http_conn, link));
	}
}

static void walk_all(struct wr_http_server *self, void (*visit)(struct wr_http_conn *conn))
{
	walk(&self->known, visit);
	walk(&self->unknown, visit);
}

/* ---- deadlines ---- */

static uint32_t choose_sweep_ms(const struct wr_http_server_config *config)
{
	const uint32_t deadlines[] = {config->head_ms_max, config->body_ms_max, config->idle_ms_max,
				      config->send_ms_max, config->drain_ms_max};

	return wr_sweep_ms(deadlines, WR_COUNT(deadlines));
}

static bool has_connections(const struct wr_http_server *self)
{
	return !wr_list_is_empty(&self->known) || !wr_list_is_empty(&self->unknown);
}

static void on_sweep(struct wr_timer *timer)
{
	struct wr_http_server *self = wr_container_of(timer, struct wr_http_server, sweep);

	/* Now, as the place in the heap that it just left is still there: who is called below may
	 * set timers, and then there may be no memory for this one. */
	(void)wr_timer_set(self->reactor, &self->sweep, self->sweep_ms);
	walk_all(self, wr_http_conn_sweep);
	if (!has_connections(self))
		wr_timer_cancel(self->reactor, &self->sweep);
}

/* ---- left-over work ---- */

void wr_http_server_queue(struct wr_http_server *self, struct wr_http_conn *conn)
{
	if (conn->is_queued)
		return;
	conn->is_queued = true;
	wr_list_push(&self->work, &conn->work);
	wr_reactor_again(self->reactor);
}

static void on_turn(struct wr_turn_hook *hook)
{
	struct wr_http_server *self = wr_container_of(hook, struct wr_http_server, hook);
	struct wr_list work;

	if (WR_LIKELY(wr_list_is_empty(&self->work) && wr_list_is_empty(&self->graves)))
		return;
	/* What is queued from here on has its time in the next turn. */
	wr_list_move(&self->work, &work);
	while (!wr_list_is_empty(&work)) {
		struct wr_list *first = work.next;
		wr_list_remove(first);
		wr_http_conn_continue(wr_list_entry(first, struct wr_http_conn, work));
	}
	while (!wr_list_is_empty(&self->graves))
		wr_http_conn_free(wr_list_entry(self->graves.next, struct wr_http_conn, work));
}

/* ---- accepting ---- */

void wr_http_server_know(struct wr_http_server *self, struct wr_http_conn *conn)
{
	wr_assert(!conn->is_known && self->unknown_count > 0);
	conn->is_known = true;
	self->unknown_count--;
	wr_list_remove(&conn->link);
	wr_list_push(&self->known, &conn->link);
}

/* Closes the oldest idle connection of those without credential; before those that have begun a
 * head go those that have not. False when there is none. */
static bool make_room(struct wr_http_server *self)
{
	uint32_t now_ms = (uint32_t)self->reactor->now_ms;
	struct wr_http_conn *oldest = NULL;

	for (struct wr_list *node = self->unknown.next; node != &self->unknown; node = node->next) {
		struct wr_http_conn *conn = wr_list_entry(node, struct wr_http_conn, link);
		if (!wr_http_conn_is_idle(conn) && (!conn->is_partial || conn->held_until != 0))
			continue;
		if (oldest == NULL || (oldest->is_partial && !conn->is_partial) ||
		    (oldest->is_partial == conn->is_partial &&
		     now_ms - conn->since_ms > now_ms - oldest->since_ms))
			oldest = conn;
	}
	if (oldest == NULL)
		return false;
	wr_http_conn_end(oldest, false);
	return true;
}

static bool admit(void *context, const struct wr_address *peer)
{
	struct wr_http_server *self = context;
	uint32_t unknown_max = self->config.unauthenticated_count_max;
	bool is_full = self->count >= self->config.connection_count_max ||
		       (unknown_max != 0 && self->unknown_count >= unknown_max);

	(void)peer;
#if WR_TLS
	if (self->config.tls != NULL && wr_tls_server_is_full(self->config.tls))
		is_full = true;
#endif
	return !self->is_draining && (!is_full || make_room(self));
}

static void on_accept(void *context, int fd, const struct wr_address *peer)
{
	struct wr_http_server *self = context;

	/* A connection without deadlines is none that we want. */
	if (wr_timer_is_set(&self->sweep) ||
	    wr_timer_set(self->reactor, &self->sweep, self->sweep_ms) == WR_OK)
		wr_http_conn_new(self, fd, peer);
	else
		wr_http_conn_refuse(self, fd);
}

static struct wr_view refusal(void *context)
{
	return wr_http_conn_refusal(context);
}

/* ---- life ---- */

static void give_back(struct wr_http_server *self)
{
	wr_http_answer_deinit(self);
	if (self->receive != NULL)
		wr_allocator_free(self->allocator, self->receive, WR_TURN_READ_BYTES_MAX);
	wr_allocator_free(self->allocator, self, sizeof *self);
}

static enum wr_status open_server(struct wr_http_server *self, const struct wr_address *address,
				  struct wr_error *error)
{
	const struct wr_listener_owner owner = {
		.context = self, .admit = admit, .on_accept = on_accept, .refusal = refusal};

	self->receive = wr_allocator_take(self->allocator, WR_TURN_READ_BYTES_MAX);
	if (self->receive == NULL || wr_http_answer_init(self) != WR_OK) {
		*error = (struct wr_error){.status = WR_NO_MEMORY};
		return WR_NO_MEMORY;
	}
	return wr_listener_open(&self->listener, self->reactor, address, &owner, error);
}

struct wr_http_server *wr_http_server_new(struct wr_reactor *reactor,
					  struct wr_allocator *allocator,
					  const struct wr_http_server_config *config,
					  const struct wr_http_app *app,
					  const struct wr_address *address, struct wr_error *error)
{
	struct wr_http_server *self = wr_allocator_take_zeroed(allocator, sizeof *self);

	if (self == NULL) {
		*error = (struct wr_error){.status = WR_NO_MEMORY};
		return NULL;
	}
	self->reactor = reactor;
	self->allocator = allocator;
	self->config = *config;
	self->app = *app;
	self->sweep.on_due = on_sweep;
	self->sweep_ms = choose_sweep_ms(config);
	self->hook.on_turn = on_turn;
	wr_list_init(&self->known);
	wr_list_init(&self->unknown);
	wr_list_init(&self->work);
	wr_list_init(&self->graves);
	wr_list_init(&self->held);
	if (open_server(self, address, error) != WR_OK) {
		give_back(self);
		return NULL;
	}
	wr_reactor_add_hook(reactor, &self->hook);
	return self;
}

static void end_now(struct wr_http_conn *conn)
{
	wr_http_conn_end(conn, true);
}

void wr_http_server_free(struct wr_http_server *self)
{
	wr_listener_close(&self->listener);
	walk_all(self, end_now);
	wr_timer_cancel(self->reactor, &self->sweep);
	on_turn(&self->hook);
	wr_reactor_remove_hook(self->reactor, &self->hook);
	wr_assert(self->bodies_bytes == 0 && self->outputs_bytes == 0);
	give_back(self);
}

const struct wr_address *wr_http_server_address(const struct wr_http_server *self)
{
	return &self->listener.address;
}

uint32_t wr_http_server_connection_count(const struct wr_http_server *self)
{
	return self->count;
}

static void end_idle(struct wr_http_conn *conn)
{
	if (wr_http_conn_is_idle(conn))
		wr_http_conn_end(conn, false);
}

void wr_http_server_drain(struct wr_http_server *self)
{
	self->is_draining = true;
	wr_listener_close(&self->listener);
	walk_all(self, end_idle);
}

void wr_http_server_release(struct wr_http_server *self)
{
	wr_assert(self->count > 0);
	self->count--;
}
