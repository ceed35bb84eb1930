#include "check.h"
#include "conn/http_client_private.h"
#include "io/net/connect.h"
#if WR_TLS
#include "io/tls/tls.h"

#include <errno.h>
#endif

enum {
	/* Reads of one connection in one turn. */
	TURN_READS_MAX = 4,
	/* 1xx answers before the one. */
	INTERIM_MAX = 8
};

/* ---- ends ---- */

void wr_client_conn_close(struct wr_client_conn *conn)
{
	struct wr_http_client *self = conn->client;

	wr_dial_cancel(&conn->dial);
	wr_stream_unwatch(&conn->stream, self->reactor, &conn->watch);
	wr_timer_cancel(self->reactor, &conn->idle);
	wr_stream_close(&conn->stream, 0);
	wr_list_remove(&conn->place);
	wr_buf_deinit(&conn->in);
	wr_buf_deinit(&conn->gathered);
	if (conn->call != NULL)
		conn->call->conn = NULL;
	wr_allocator_free(self->allocator, conn, sizeof *conn);
	self->conn_count--;
}

/* The connection failed: so did its call. */
void wr_client_conn_fail(struct wr_client_conn *conn, enum wr_status status, int os_error)
{
	struct wr_http_call *call = conn->call;
	const struct wr_http_outcome outcome = {
		.status = status, .os_error = os_error, .fault = wr_stream_fault(&conn->stream)};

	wr_client_conn_close(conn);
	if (call != NULL)
		wr_http_call_finish(call, &outcome);
}

static void on_idle(struct wr_timer *timer)
{
	wr_client_conn_close(wr_container_of(timer, struct wr_client_conn, idle));
}

/* ---- the answer ---- */

/* The answer is whole. The connection is kept when both sides want it and nothing came behind. */
static void complete(struct wr_client_conn *conn, bool has_more)
{
	struct wr_http_call *call = conn->call;
	struct wr_http_client *self = conn->client;
	struct wr_buf in = conn->in, gathered = conn->gathered;
	struct wr_http_head head = conn->head;
	const struct wr_http_outcome outcome = {
		.status = WR_OK, .head = &head, .body = wr_buf_view(&gathered)};
	bool is_kept = head.is_keep_alive && !has_more && conn->sent == call->request.bytes &&
		       wr_timer_set(self->reactor, &conn->idle, self->config.idle_ms_max) == WR_OK;

	/* What the outcome points to stays for the length of on_done, whatever the connection does.
	 */
	wr_buf_init(&conn->in, self->allocator, in.bytes_max);
	wr_buf_init(&conn->gathered, self->allocator, 1);
	conn->call = NULL;
	call->conn = NULL;
	conn->state = WR_CLIENT_IDLE;
	conn->was_used = true;
	if (is_kept)
		wr_stream_want(&conn->stream, self->reactor, &conn->watch, WR_READABLE);
	else
		wr_client_conn_close(conn);
	wr_http_call_finish(call, &outcome);
	wr_buf_deinit(&in);
	wr_buf_deinit(&gathered);
}

/* Progress of a streamed body: from its head on the deadline is one of silence. It is set already,
 * so that this cannot fail. */
static void restart_deadline(const struct wr_client_conn *conn)
{
	struct wr_http_call *call = conn->call;

	if (call->on_data != NULL && !call->is_paused)
		(void)wr_timer_set(conn->client->reactor, &call->deadline, call->ms_max);
}

/* Hands a piece of the body on. WR_OK; WR_CLOSED: the call was cancelled meanwhile. */
static enum wr_status give_payload(struct wr_client_conn *conn, struct wr_view payload)
{
	struct wr_http_call *call = conn->call;

	if (call->on_data == NULL) {
		if (payload.bytes > call->body_bytes_max - conn->gathered.bytes)
			return WR_TOO_LARGE;
		return wr_buf_append_view(&conn->gathered, payload);
	}
	conn->is_in_call = true;
	call->on_data(call, payload);
	conn->is_in_call = false;
	if (conn->call != call)
		return WR_CLOSED;
	restart_deadline(conn);
	return WR_OK;
}

/* The call went away within one of its functions: so does its connection. */
static void bury(struct wr_client_conn *conn)
{
	wr_assert(conn->call == NULL);
	wr_client_conn_close(conn);
}

/* Takes body bytes. False: the connection is done with. */
static bool take_body(struct wr_client_conn *conn, struct wr_view input)
{
	while (!conn->body.is_complete && input.bytes != 0) {
		struct wr_view payload;
		size_t consumed;
		enum wr_status status = wr_http_body_feed(&conn->body, &payload, &consumed, input);

		input = wr_view_skip(input, consumed);
		if (status == WR_MORE)
			status = WR_OK;
		if (status == WR_OK && payload.bytes != 0)
			status = give_payload(conn, payload);
		if (status == WR_CLOSED)
			bury(conn);
		else if (status != WR_OK)
			wr_client_conn_fail(conn, status, 0);
		if (status != WR_OK)
			return false;
	}
	if (!conn->body.is_complete)
		return true;
	complete(conn, input.bytes != 0);
	return false;
}

/* The head is there: does the call want the rest? False: the connection is done with. */
static bool begin_body(struct wr_client_conn *conn)
{
	struct wr_http_call *call = conn->call;
	const struct wr_http_outcome refused = {.status = WR_OK};
	bool is_wanted = true;

	conn->state = WR_CLIENT_BODY;
	wr_http_body_init(&conn->body, conn->head.framing, conn->head.body_bytes);
	wr_buf_init(&conn->gathered, conn->client->allocator, call->body_bytes_max + 1);
	if (call->on_head != NULL) {
		conn->is_in_call = true;
		is_wanted = call->on_head(call, &conn->head);
		conn->is_in_call = false;
	}
	if (conn->call != call) {
		bury(conn);
		return false;
	}
	restart_deadline(conn);
	if (!is_wanted) {
		wr_client_conn_close(conn);
		wr_http_call_finish(call, &refused);
		return false;
	}
	if (call->on_data == NULL && conn->head.framing == WR_HTTP_FRAMING_LENGTH &&
	    conn->head.body_bytes > call->body_bytes_max) {
		wr_client_conn_fail(conn, WR_TOO_LARGE, 0);
		return false;
	}
	return take_body(conn, wr_view_skip(wr_buf_view(&conn->in), conn->head_bytes));
}

/* The head, maybe with body bytes behind it, is in `in`. False: the connection is done with. */
static bool take_head(struct wr_client_conn *conn)
{
	bool to_head = conn->is_to_head;

	for (;;) { /* interim answers (RFC 9110 15.2) are dropped; 101 is one nobody asked for */
		enum wr_status status =
			wr_http_response_parse(&conn->parser, &conn->head, &conn->head_bytes,
					       wr_buf_view(&conn->in), to_head);
		if (status == WR_MORE)
			return true;
		if (status != WR_OK || conn->head.status == 101) {
			wr_client_conn_fail(conn, status == WR_OK ? WR_SYNTAX : status, 0);
			return false;
		}
		if (conn->head.status >= 200)
			return begin_body(conn);
		if (++conn->interim_count > INTERIM_MAX) {
			wr_client_conn_fail(conn, WR_TOO_LARGE, 0);
			return false;
		}
		wr_buf_consume(&conn->in, conn->head_bytes);
		conn->parser = (struct wr_http_head_parser){0};
	}
}

/* ---- bytes ---- */

/* The remote ended the connection. */
static void end_input(struct wr_client_conn *conn)
{
	struct wr_http_call *call = conn->call;

	/* A body that lasts until the end has one only if that came as it should. */
	if (conn->state == WR_CLIENT_BODY && wr_stream_fault(&conn->stream) == NULL &&
	    wr_http_body_end(&conn->body) == WR_OK) {
		conn->head.is_keep_alive = false;
		complete(conn, false);
		return;
	}
	/* A kept connection that its other end was just about to close. */
	if (conn->was_used && !conn->has_input && call->is_repeatable && !call->was_repeated) {
		wr_client_conn_close(conn);
		wr_http_call_repeat(call);
		return;
	}
	wr_client_conn_fail(conn, WR_CLOSED, 0);
}

/* One recv. False: the connection is done with, or has nothing now. */
static bool receive(struct wr_client_conn *conn)
{
	char bytes[WR_CLIENT_READ_BYTES];
	size_t got;
	enum wr_status status = wr_stream_receive(&conn->stream, bytes, sizeof bytes, &got);

	if (status == WR_MORE)
		return false;
	if (conn->call == NULL) { /* idle: its end, or bytes that nobody asked for */
		wr_client_conn_close(conn);
		return false;
	}
	if (status != WR_OK) {
		end_input(conn);
		return false;
	}
	conn->has_input = true;
	if (conn->state == WR_CLIENT_BODY)
		return take_body(conn, wr_view_of(bytes, got));
	if (wr_buf_append(&conn->in, bytes, got) != WR_OK) {
		wr_client_conn_fail(conn, conn->in.status, 0);
		return false;
	}
	return take_head(conn);
}

void wr_client_conn_want(struct wr_client_conn *conn)
{
	const struct wr_http_call *call = conn->call;
	unsigned wanted = call->is_paused ? 0 : WR_READABLE;

	if (conn->state == WR_CLIENT_CONNECTING)
		wanted = WR_WRITABLE;
	else if (conn->sent < call->request.bytes && !conn->is_deaf)
		wanted |= WR_WRITABLE;
	wr_stream_want(&conn->stream, conn->client->reactor, &conn->watch, wanted);
}

static void send_request(struct wr_client_conn *conn)
{
	const struct wr_buf *request = &conn->call->request;
	struct iovec part = {.iov_base = request->data + conn->sent,
			     .iov_len = request->bytes - conn->sent};
	size_t sent = 0;
	enum wr_status status = wr_stream_send(&conn->stream, &part, 1, &sent);

	conn->sent += sent;
	/* Gone: an answer may have come before that, and reading tells the end. */
	conn->is_deaf = status == WR_CLOSED;
	wr_client_conn_want(conn);
}

/* Of TLS: the handshake is decided. */
static bool finish_connecting(struct wr_client_conn *conn)
{
	int os_error = 0;

	if (wr_stream_connected(&conn->stream, &os_error) != WR_OK) {
		wr_client_conn_fail(conn, WR_UNAVAILABLE, os_error);
		return false;
	}
	conn->state = WR_CLIENT_HEAD;
	return true;
}

static void on_ready(struct wr_watch *watch, unsigned ready)
{
	struct wr_client_conn *conn = wr_container_of(watch, struct wr_client_conn, watch);

	if (conn->state == WR_CLIENT_CONNECTING && !finish_connecting(conn))
		return;
	if (conn->call != NULL && conn->sent < conn->call->request.bytes &&
	    (ready & WR_WRITABLE) != 0)
		send_request(conn);
	if ((ready & WR_READABLE) == 0)
		return;
	for (unsigned i = 0; i < TURN_READS_MAX; i++)
		if (!receive(conn) || conn->call->is_paused)
			return;
}

/* ---- its life ---- */

/* TLS begins where the client has it. *os_error 0: no memory. */
static enum wr_status protect(struct wr_client_conn *conn, int *os_error)
{
#if WR_TLS
	const struct wr_http_client_config *config = &conn->client->config;
	enum wr_status status = WR_OK;

	if (config->tls != NULL)
		status = wr_tls_connect(config->tls, &conn->stream, config->tls_name);
	*os_error = status == WR_INVALID ? EINVAL : status == WR_IO ? EIO : 0;
	return status;
#else
	(void)conn;
	(void)os_error;
	return WR_OK;
#endif
}

/* The connection is there: the request leaves with the first readiness. */
static enum wr_status begin_stream(struct wr_client_conn *conn, int *os_error)
{
	enum wr_status status;

	conn->stream = conn->dial.stream;
	status = protect(conn, os_error);
	if (status != WR_OK)
		return status;
	if (!wr_stream_is_tls(&conn->stream))
		conn->state = WR_CLIENT_HEAD;
	return wr_stream_watch(&conn->stream, conn->client->reactor, &conn->watch, WR_WRITABLE);
}

static void on_dialed(struct wr_dial *dial, enum wr_status status)
{
	struct wr_client_conn *conn = wr_container_of(dial, struct wr_client_conn, dial);
	int os_error = 0;

	if (status != WR_OK)
		wr_client_conn_fail(conn, status, dial->os_error);
	else if (begin_stream(conn, &os_error) != WR_OK)
		wr_client_conn_fail(conn, os_error == 0 ? WR_NO_MEMORY : WR_UNAVAILABLE, os_error);
}

/* The call leaves on this connection. */
void wr_client_conn_attach(struct wr_client_conn *conn, struct wr_http_call *call)
{
	wr_timer_cancel(conn->client->reactor, &conn->idle);
	conn->call = call;
	call->conn = conn;
	conn->sent = 0;
	conn->has_input = conn->is_deaf = false;
	conn->interim_count = 0;
	conn->is_to_head = call->is_to_head;
	conn->parser = (struct wr_http_head_parser){0};
	if (conn->state == WR_CLIENT_IDLE) {
		conn->state = WR_CLIENT_HEAD;
		send_request(conn);
	}
}

struct wr_client_conn *wr_client_conn_open(struct wr_http_client *self, int *os_error)
{
	struct wr_client_conn *conn = wr_allocator_take_zeroed(self->allocator, sizeof *conn);
	const struct wr_http_client_config *config = &self->config;
	const struct wr_dial_target target = {.address = config->address,
					      .resolver = config->resolver,
					      .host_name = config->host_name,
					      .port = config->port};
	enum wr_status status;

	*os_error = 0;
	if (conn == NULL)
		return NULL;
	conn->client = self;
	conn->watch.on_ready = on_ready;
	conn->idle.on_due = on_idle;
	wr_buf_init(&conn->in, self->allocator, WR_HTTP_HEAD_BYTES_MAX + WR_CLIENT_READ_BYTES);
	wr_buf_init(&conn->gathered, self->allocator, 1);
	conn->stream.fd = -1;
	conn->dial.on_done = on_dialed;
	conn->state = WR_CLIENT_CONNECTING;
	status = wr_dial_begin(&conn->dial, self->reactor, self->allocator, &target);
	if (status == WR_UNAVAILABLE)
		*os_error = conn->dial.os_error;
	else if (status == WR_OK)
		status = begin_stream(conn, os_error);
	if (status != WR_OK && status != WR_MORE) {
		wr_stream_close(&conn->stream, 0);
		wr_allocator_free(self->allocator, conn, sizeof *conn);
		return NULL;
	}
	wr_list_push(&self->conns, &conn->place);
	self->conn_count++;
	return conn;
}
