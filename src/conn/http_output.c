/*
 * Answers made while a connection's input is handled are gathered in the server's buffer and leave
 * in one send; only what the socket does not take, or what is held, moves to a buffer of the
 * connection. Once there is such a rest, whatever follows goes behind it.
 */
#include "check.h"
#include "conn/http_private.h"
#include "bounds.h"

enum {
	/* What the shared buffer may keep between turns. */
	KEPT_BYTES_MAX = 131072
};

struct wr_buf *wr_http_output(struct wr_http_conn *conn)
{
	struct wr_http_server *server = conn->server;

	if (server->owner == NULL)
		server->owner = conn;
	/* Another connection's event is at hand: this is an answer given from within it. */
	return server->owner == conn ? &server->out : &conn->out;
}

static size_t rest_bytes(const struct wr_http_conn *conn)
{
	return conn->out.bytes - conn->out_at;
}

size_t wr_http_output_bytes(const struct wr_http_conn *conn)
{
	const struct wr_http_server *server = conn->server;

	return rest_bytes(conn) + (server->owner == conn ? server->out.bytes : 0);
}

size_t wr_http_output_sendable(const struct wr_http_conn *conn)
{
	return conn->held_until == 0 ? rest_bytes(conn) : conn->free_bytes;
}

static void release_shared(struct wr_http_server *server)
{
	server->owner = NULL;
	wr_buf_reset(&server->out);
	if (WR_UNLIKELY(server->out.capacity > KEPT_BYTES_MAX))
		wr_buf_deinit(&server->out);
}

static void charge(struct wr_http_conn *conn)
{
	/* From here on the socket owes progress. */
	if (conn->out_charge == 0)
		conn->sent_ms = (uint32_t)conn->server->reactor->now_ms;
	conn->server->outputs_bytes += rest_bytes(conn) - conn->out_charge;
	conn->out_charge = rest_bytes(conn);
}

void wr_http_output_drop(struct wr_http_conn *conn)
{
	if (conn->server->owner == conn)
		release_shared(conn->server);
	wr_buf_deinit(&conn->out);
	conn->out_at = 0;
	charge(conn);
}

/* Sends; false when the connection is gone (and ended). */
static bool send_some(struct wr_http_conn *conn, struct wr_view bytes, size_t *sent)
{
	struct iovec part = {.iov_len = bytes.bytes};

	/* sendmsg reads only, its struct forgot to say so. */
	memcpy(&part.iov_base, &bytes.data, sizeof bytes.data);
	if (wr_stream_send(&conn->stream, &part, 1, sent) != WR_CLOSED)
		return true;
	wr_http_conn_end(conn, false);
	return false;
}

/* Moves the shared bytes from `from` on behind the connection's rest. */
static void keep(struct wr_http_conn *conn, size_t from)
{
	struct wr_http_server *server = conn->server;

	if (wr_buf_append(&conn->out, server->out.data + from, server->out.bytes - from) != WR_OK) {
		wr_http_conn_end(conn, true);
		return;
	}
	release_shared(server);
}

static void send_shared(struct wr_http_conn *conn)
{
	struct wr_http_server *server = conn->server;
	size_t sent;

	if (server->out.bytes == 0) {
		release_shared(server);
		return;
	}
	if (!send_some(conn, wr_buf_view(&server->out), &sent))
		return;
	if (WR_LIKELY(sent == server->out.bytes))
		release_shared(server);
	else
		keep(conn, sent);
}

static void send_rest(struct wr_http_conn *conn)
{
	size_t sent;

	if (!send_some(conn,
		       wr_view_of(conn->out.data + conn->out_at, wr_http_output_sendable(conn)),
		       &sent))
		return;
	if (sent != 0)
		conn->sent_ms = (uint32_t)conn->server->reactor->now_ms;
	conn->out_at += sent;
	if (conn->held_until != 0)
		conn->free_bytes -= sent;
	if (rest_bytes(conn) == 0) {
		wr_buf_deinit(&conn->out);
		conn->out_at = 0;
	} else if (conn->out_at > conn->out.bytes / 2) {
		wr_buf_consume(&conn->out, conn->out_at);
		conn->out_at = 0;
	}
}

void wr_http_output_flush(struct wr_http_conn *conn)
{
	struct wr_http_server *server = conn->server;

	wr_assert(conn->phase != WR_HTTP_PHASE_GONE);
	if (WR_LIKELY(rest_bytes(conn) == 0 && conn->held_until == 0)) {
		if (server->owner == conn)
			send_shared(conn);
	} else {
		if (server->owner == conn)
			keep(conn, 0);
		if (conn->phase != WR_HTTP_PHASE_GONE && wr_http_output_sendable(conn) != 0)
			send_rest(conn);
	}
	if (conn->phase == WR_HTTP_PHASE_GONE)
		return;
	charge(conn);
	if (WR_UNLIKELY(server->outputs_bytes > WR_CONN_OUTPUTS_BYTES_MAX))
		wr_http_conn_end(conn, true);
}

void wr_http_output_cut(struct wr_http_conn *conn)
{
	if (conn->server->owner == conn)
		keep(conn, 0);
	if (conn->phase == WR_HTTP_PHASE_GONE)
		return;
	wr_assert(conn->held_until != 0 && conn->free_bytes <= rest_bytes(conn));
	wr_buf_truncate(&conn->out, conn->out_at + conn->free_bytes);
	charge(conn);
}
