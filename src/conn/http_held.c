/*
 * Answers that may not leave yet, because they tell of what could still be lost.
 *
 *	output of a connection:   ... | free_bytes | first held answer | whatever came behind it ...
 *	                       sent   may leave     waits for held_until
 *
 * Such a connection goes on reading and answering, all into its own buffer. Those that have nothing
 * held pay one comparison per flush.
 */
#include "check.h"
#include "conn/http_private.h"
#include "conn/sweep.h"

static uint32_t now_of(const struct wr_http_conn *conn)
{
	return (uint32_t)conn->server->reactor->now_ms;
}

void wr_http_answer_hold(struct wr_http_exchange *exchange, uint64_t until)
{
	struct wr_http_conn *conn = wr_container_of(exchange, struct wr_http_conn, exchange);

	wr_assert(!exchange->is_answered && conn->phase != WR_HTTP_PHASE_GONE);
	if (until <= conn->server->held_reached)
		return;
	if (conn->held_until == 0) {
		conn->free_bytes = wr_http_output_bytes(conn);
		wr_list_push(&conn->server->held, &conn->held);
	}
	if (until > conn->held_until)
		conn->held_until = until;
	if (conn->held_count < WR_HTTP_HELD_COUNT_MAX)
		conn->held_count++;
	/* Its next request is not for this turn. */
	if (conn->held_count == WR_HTTP_HELD_COUNT_MAX)
		conn->server->requests_left = 0;
}

/* Nothing of it is held any more. The peer owes progress, and is idle, from now on only. */
static void let_go(struct wr_http_conn *conn)
{
	wr_list_remove(&conn->held);
	conn->held_until = 0;
	conn->held_count = 0;
	if (conn->free_bytes == 0)
		conn->sent_ms = now_of(conn);
	if (conn->phase == WR_HTTP_PHASE_HEAD && !conn->is_partial)
		conn->since_ms = now_of(conn);
}

void wr_http_server_release_held(struct wr_http_server *self, uint64_t reached)
{
	struct wr_list rest;

	if (reached <= self->held_reached)
		return;
	self->held_reached = reached;
	/* The app, told that an exchange is gone, may end any connection. */
	wr_list_move(&self->held, &rest);
	while (!wr_list_is_empty(&rest)) {
		struct wr_http_conn *conn = wr_list_entry(rest.next, struct wr_http_conn, held);
		if (conn->held_until <= reached) {
			let_go(conn);
			wr_http_conn_settle(conn);
		} else {
			wr_list_remove(&conn->held);
			wr_list_push(&self->held, &conn->held);
		}
	}
}

/* The connection's answers from the first held one on become one 500. */
static void fail(struct wr_http_conn *conn)
{
	struct wr_http_server *server = conn->server;
	bool is_kept = conn->phase == WR_HTTP_PHASE_ANSWER && !conn->exchange.is_answered;

	wr_http_output_cut(conn);
	if (conn->phase == WR_HTTP_PHASE_GONE)
		return;
	let_go(conn);
	wr_http_release_producer(conn);
	wr_http_input_drop(conn);
	conn->is_partial = false;
	conn->exchange.is_answered = true;
	if (is_kept)
		server->app.on_abandon(server->app.context, &conn->exchange);
	if (conn->phase == WR_HTTP_PHASE_GONE)
		return;
	wr_http_conn_fail_head(conn, 500, WR_HTTP_SERVER_FAULT_HELD, WR_HTTP_FAULT_NONE);
	wr_http_conn_settle(conn);
}

void wr_http_server_fail_held(struct wr_http_server *self)
{
	struct wr_list rest;

	wr_list_move(&self->held, &rest);
	while (!wr_list_is_empty(&rest))
		fail(wr_list_entry(rest.next, struct wr_http_conn, held));
}
