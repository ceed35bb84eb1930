/*
 * Answers. Nearly every one is a 200 with a length, so its head is kept ready and copied whole:
 *
 *	0          type_at                date_at           length_at
 *	HTTP/1.1 200 OK CRLF  Content-Type: ... CRLF  Date: ... CRLF  Content-Length:  | 33 CRLF
 *CRLF
 *
 * Other answers use the parts that fit them. The date in it is renewed when the second is over.
 */
#include "check.h"
#include "codec/http/message.h"
#include "conn/http_private.h"
#include "io/clock.h"
#include "bounds.h"

enum {
	OUT_BYTES_FIRST = 16384,
	BODY_BYTES_FIRST = 4096,
	/* What the body buffer may keep between answers. */
	BODY_BYTES_KEPT = 65536,
	/* Beside the block: digits, Connection or Transfer-Encoding, empty lines. */
	HEAD_ROOM_BYTES = 96,
	/* A producer is asked until it gave so much or was asked so often in one turn. */
	PRODUCED_BYTES = WR_CONN_OUTPUT_BYTES_RESUME,
	PRODUCE_COUNT_MAX = 64,
	FAULT_BODY_BYTES_MAX = 512
};

enum length_kind {
	LENGTH_KNOWN,
	LENGTH_CHUNKED,
	LENGTH_BY_CLOSE, /* HTTP/1.0 knows no chunks */
	LENGTH_NO_BODY	 /* of a status that never has one */
};

static const struct wr_view connection_close = {"Connection: close\r\n", 19};
static const struct wr_view connection_keep_alive = {"Connection: keep-alive\r\n", 24};
static const struct wr_view transfer_chunked = {"Transfer-Encoding: chunked\r\n", 28};

static struct wr_http_conn *conn_of(struct wr_http_exchange *exchange)
{
	return wr_container_of(exchange, struct wr_http_conn, exchange);
}

static char *put(char *to, struct wr_view view)
{
	memcpy(to, view.data, view.bytes);
	return to + view.bytes;
}

/* ---- the block ---- */

static void make_block(struct wr_http_server *server, struct wr_buf *out)
{
	wr_http_write_status_line(out, 1, 200);
	server->type_at = out->bytes;
	wr_http_write_field(out, WR_VIEW("Content-Type"), server->config.content_type);
	server->date_at = out->bytes;
	wr_http_write_field(out, WR_VIEW("Date"), WR_VIEW("Thu, 01 Jan 1970 00:00:00 GMT"));
	server->length_at = out->bytes;
	wr_buf_append_view(out, WR_VIEW("Content-Length: "));
	server->block_used = out->bytes;
}

/* A refusal costs one send, so all of it but the digit of Retry-After is made beforehand. */
static void make_refusal(struct wr_http_server *server)
{
	struct wr_buf *out = &server->refusal, body;
	char storage[FAULT_BODY_BYTES_MAX];

	wr_buf_init_fixed(out, server->refusal_bytes, sizeof server->refusal_bytes);
	wr_buf_init_fixed(&body, storage, sizeof storage);
	server->app.on_fault(server->app.context, &body, 503, WR_HTTP_SERVER_FAULT_MEMORY,
			     WR_HTTP_FAULT_NONE);
	if (wr_buf_status(&body) != WR_OK || server->config.content_type.bytes > 128)
		wr_buf_reset(&body);
	wr_http_write_status_line(out, 1, 503);
	wr_buf_append_view(out, WR_VIEW("Retry-After: "));
	server->retry_at = out->bytes;
	wr_buf_append_view(out, WR_VIEW("1\r\n"));
	wr_buf_append_view(out, connection_close);
	if (body.bytes != 0)
		wr_http_write_field(out, WR_VIEW("Content-Type"), server->config.content_type);
	wr_http_write_field_u64(out, WR_VIEW("Content-Length"), body.bytes);
	wr_http_write_head_end(out);
	wr_buf_append_view(out, wr_buf_view(&body));
	wr_assert(wr_buf_status(out) == WR_OK);
}

struct wr_view wr_http_refusal(struct wr_http_server *server)
{
	if (server->refusal.bytes == 0)
		make_refusal(server);
	/* So that those who were refused together do not come back together (xorshift). */
	server->random ^= server->random << 13;
	server->random ^= server->random >> 17;
	server->random ^= server->random << 5;
	server->refusal.data[server->retry_at] = (char)('1' + server->random % 5);
	return wr_buf_view(&server->refusal);
}

enum wr_status wr_http_answer_init(struct wr_http_server *server)
{
	struct wr_allocator *allocator = server->allocator;
	struct wr_buf block;

	wr_buf_init(&server->out, allocator, WR_CONN_OUTPUTS_BYTES_MAX);
	wr_buf_init(&server->body, allocator, WR_CONN_OUTPUTS_BYTES_MAX);
	wr_buf_init(&server->fields, allocator, WR_HTTP_HEAD_BYTES_MAX);
	server->random = (uint32_t)server->reactor->now_ms | 1;
	server->block_bytes = 128 + server->config.content_type.bytes;
	server->block = wr_allocator_take(allocator, server->block_bytes);
	if (server->block == NULL)
		return WR_NO_MEMORY;
	wr_buf_init_fixed(&block, server->block, server->block_bytes);
	make_block(server, &block);
	wr_assert(wr_buf_status(&block) == WR_OK);
	/* So much that the refusal of what needs more fits in any case. */
	wr_buf_reserve(&server->out, OUT_BYTES_FIRST);
	wr_buf_reserve(&server->body, BODY_BYTES_FIRST);
	return wr_buf_status(&server->out) != WR_OK ? WR_NO_MEMORY : wr_buf_status(&server->body);
}

void wr_http_answer_deinit(struct wr_http_server *server)
{
	if (server->block != NULL)
		wr_allocator_free(server->allocator, server->block, server->block_bytes);
	wr_buf_deinit(&server->out);
	wr_buf_deinit(&server->body);
	wr_buf_deinit(&server->fields);
}

static void renew_date(struct wr_http_server *server)
{
	int64_t wall_ms = wr_clock_wall_ms();

	/* RFC 9110 6.6.1. Until the wall clock's next second, so that it is never a second late. */
	wr_http_format_date(server->block + server->date_at + sizeof "Date: " - 1, wall_ms / 1000);
	server->date_until_ms =
		server->reactor->now_ms + (uint64_t)(1000 - (wall_ms < 0 ? 0 : wall_ms % 1000));
}

/* ---- heads ---- */

static bool has_no_body(unsigned status)
{
	return status == 204 || status == 304;
}

static bool has_fields(const struct wr_http_conn *conn)
{
	return conn->server->fields_of == &conn->exchange && conn->server->fields.bytes != 0;
}

/* Decides about the connection's future before the head tells it. */
static void decide_last(struct wr_http_conn *conn)
{
	if (conn->server->is_draining || (conn->is_body_ahead && conn->is_refusal_last))
		conn->is_last = true;
}

static char *put_number(char *to, uint64_t value)
{
	enum { DIGITS_MAX = 20 };
	size_t count = 1;

	for (uint64_t limit = 10; count < DIGITS_MAX && value >= limit; limit *= 10)
		count++;
	for (size_t i = count; i-- > 0; value /= 10)
		to[i] = (char)('0' + value % 10);
	return to + count;
}

/* From the block: type, date and length, as far as they apply. */
static char *put_standard_fields(const struct wr_http_server *server, char *to,
				 enum length_kind kind, bool has_type, uint64_t body_bytes)
{
	size_t from = has_type ? server->type_at : server->date_at;
	size_t until = kind == LENGTH_KNOWN ? server->block_used : server->length_at;

	to = put(to, wr_view_of(server->block + from, until - from));
	if (kind != LENGTH_KNOWN)
		return to;
	to = put_number(to, body_bytes);
	return put(to, WR_VIEW("\r\n"));
}

static char *put_connection(const struct wr_http_conn *conn, char *to, enum length_kind kind)
{
	if (kind == LENGTH_CHUNKED)
		to = put(to, transfer_chunked);
	if (conn->is_last)
		return put(to, connection_close);
	return conn->is_keep_alive ? put(to, connection_keep_alive) : to;
}

/* Appends a head, and the body behind it when it is at hand. False when it does not fit. */
static bool write_answer(struct wr_http_conn *conn, struct wr_buf *out, unsigned status,
			 enum length_kind kind, uint64_t body_bytes, struct wr_view body)
{
	struct wr_http_server *server = conn->server;
	struct wr_view extra = has_fields(conn) ? wr_buf_view(&server->fields) : WR_VIEW_NULL;
	bool has_body = kind != LENGTH_NO_BODY && (kind != LENGTH_KNOWN || body_bytes != 0);
	bool has_type = has_body && !(extra.bytes != 0 && server->has_type_field);
	size_t room;
	char *start, *to;

	if (server->reactor->now_ms >= server->date_until_ms)
		renew_date(server);
	if (WR_UNLIKELY(status != 200 || conn->minor_version != 1))
		wr_http_write_status_line(out, conn->minor_version, status);
	/* The summands are bounded: a body lies in memory already, the rest is small. */
	room = server->block_bytes + HEAD_ROOM_BYTES + extra.bytes;
	if (body.bytes > SIZE_MAX - room)
		return false;
	start = wr_buf_reserve(out, room + body.bytes);
	if (start == NULL)
		return false;
	to = start;
	if (WR_LIKELY(status == 200 && conn->minor_version == 1))
		to = put(to, wr_view_of(server->block, server->type_at));
	to = put_standard_fields(server, to, kind, has_type, body_bytes);
	to = put_connection(conn, to, kind);
	if (extra.bytes != 0)
		to = put(to, extra);
	to = put(to, WR_VIEW("\r\n"));
	wr_assert((size_t)(to - start) <= room);
	if (body.bytes != 0)
		to = put(to, body);
	wr_buf_commit(out, (size_t)(to - start));
	return true;
}

/* What nearly all answers are, in a few copies: the whole block, a number, the body. False when the
 * answer is of another kind, or there is no room; then nothing was written. */
static bool write_plain(struct wr_http_conn *conn, unsigned status, struct wr_view body)
{
	const struct wr_http_server *server = conn->server;
	struct wr_buf *out;
	char *start, *to;

	if (status != 200 || conn->minor_version != 1 || conn->is_to_head || conn->is_last ||
	    conn->is_body_ahead || server->is_draining || server->fields_of != NULL ||
	    body.bytes == 0 || body.bytes > WR_CONN_OUTPUTS_BYTES_MAX ||
	    server->reactor->now_ms >= server->date_until_ms)
		return false;
	out = wr_http_output(conn);
	start = wr_buf_reserve(out, server->block_bytes + HEAD_ROOM_BYTES + body.bytes);
	if (WR_UNLIKELY(start == NULL)) {
		out->status = WR_OK; /* the other way may need less, or says so itself */
		return false;
	}
	to = put(start, wr_view_of(server->block, server->block_used));
	to = put(put_number(to, body.bytes), WR_VIEW("\r\n\r\n"));
	to = put(to, body);
	wr_buf_commit(out, (size_t)(to - start));
	return true;
}

/* Nothing could be appended, or only a part: a 503 in its place, from memory that is there. */
static void replace_by_refusal(struct wr_http_conn *conn, struct wr_buf *out, size_t mark)
{
	wr_buf_truncate(out, mark);
	out->status = WR_OK;
	conn->is_last = true;
	if (wr_buf_append_view(out, wr_http_refusal(conn->server)) != WR_OK) {
		wr_buf_truncate(out, mark);
		out->status = WR_OK;
	}
}

/* ---- the exchange is answered ---- */

static void return_lent(struct wr_http_server *server)
{
	if (WR_UNLIKELY(server->body.capacity > BODY_BYTES_KEPT))
		wr_buf_deinit(&server->body);
	wr_buf_reset(&server->body);
	if (server->fields_of == NULL)
		return;
	wr_buf_reset(&server->fields);
	server->fields_of = NULL;
	server->has_type_field = false;
}

static void finish(struct wr_http_conn *conn)
{
	struct wr_http_server *server = conn->server;

	return_lent(server);
	conn->exchange.is_answered = true;
	/* Within its own callback the one who called it goes on; else nobody would. */
	if (server->serving != conn) {
		wr_http_conn_conclude(conn);
		wr_http_conn_settle(conn);
	}
}

static void answer(struct wr_http_conn *conn, unsigned status, struct wr_view body)
{
	struct wr_buf *out = wr_http_output(conn);
	enum length_kind kind = has_no_body(status) ? LENGTH_NO_BODY : LENGTH_KNOWN;
	size_t mark = out->bytes;
	bool is_sent = kind == LENGTH_KNOWN && !conn->is_to_head;

	decide_last(conn);
	if (!write_answer(conn, out, status, kind, body.bytes, is_sent ? body : WR_VIEW_NULL))
		replace_by_refusal(conn, out, mark);
}

void wr_http_answer_field(struct wr_http_exchange *exchange, struct wr_view name,
			  struct wr_view value)
{
	struct wr_http_server *server = conn_of(exchange)->server;

	if (server->fields_of != exchange) {
		wr_buf_reset(&server->fields);
		server->has_type_field = false;
		server->fields_of = exchange;
	}
	wr_http_write_field(&server->fields, name, value);
	if (wr_view_equal_nocase(name, WR_VIEW("content-type")))
		server->has_type_field = true;
}

void wr_http_answer_retry_after(struct wr_http_exchange *exchange, unsigned seconds)
{
	char digits[20];
	struct wr_buf text;

	wr_buf_init_fixed(&text, digits, sizeof digits);
	wr_buf_append_u64(&text, seconds);
	wr_http_answer_field(exchange, WR_VIEW("Retry-After"), wr_buf_view(&text));
}

void wr_http_answer_close(struct wr_http_exchange *exchange)
{
	conn_of(exchange)->is_last = true;
}

struct wr_buf *wr_http_answer_body(struct wr_http_exchange *exchange)
{
	struct wr_http_server *server = conn_of(exchange)->server;

	wr_buf_reset(&server->body);
	return &server->body;
}

/* Whether what the app has built in the lent buffers is whole. */
static bool lent_is_whole(const struct wr_http_conn *conn, struct wr_view body)
{
	const struct wr_http_server *server = conn->server;

	if (has_fields(conn) && wr_buf_status(&server->fields) != WR_OK)
		return false;
	return body.data == NULL || body.data != server->body.data ||
	       wr_buf_status(&server->body) == WR_OK;
}

static void refuse(struct wr_http_conn *conn)
{
	struct wr_buf *out = wr_http_output(conn);

	replace_by_refusal(conn, out, out->bytes);
}

void wr_http_answer(struct wr_http_exchange *exchange, unsigned status, struct wr_view body)
{
	struct wr_http_conn *conn = conn_of(exchange);

	wr_assert(!exchange->is_answered && conn->phase != WR_HTTP_PHASE_GONE);
	wr_assert(status >= 200 && status <= 999);
	if (WR_UNLIKELY(!lent_is_whole(conn, body)))
		refuse(conn);
	else if (WR_UNLIKELY(!write_plain(conn, status, body)))
		answer(conn, status, body);
	finish(conn);
}

void wr_http_answer_fault(struct wr_http_conn *conn, unsigned status,
			  enum wr_http_server_fault kind, enum wr_http_fault fault, bool is_kept)
{
	struct wr_http_server *server = conn->server;
	struct wr_buf *body = wr_http_answer_body(&conn->exchange);

	if (!is_kept)
		conn->is_last = true;
	server->fields_of = NULL;
	if (status == 503)
		wr_http_answer_retry_after(&conn->exchange, 1);
	server->app.on_fault(server->app.context, body, status, kind, fault);
	if (lent_is_whole(conn, wr_buf_view(body)))
		answer(conn, status, wr_buf_view(body));
	else
		refuse(conn);
	return_lent(server);
	conn->exchange.is_answered = true;
}

void wr_http_answer_overload(struct wr_http_exchange *exchange)
{
	struct wr_http_conn *conn = conn_of(exchange);

	wr_http_answer_fault(conn, 503, WR_HTTP_SERVER_FAULT_MEMORY, WR_HTTP_FAULT_NONE, true);
	finish(conn);
}

/* ---- producers ---- */

void wr_http_release_producer(struct wr_http_conn *conn)
{
	struct wr_http_producer producer = conn->producer;

	if (!conn->is_producing)
		return;
	conn->is_producing = false;
	if (producer.release != NULL)
		producer.release(producer.context);
}

/* The head and the first part of a body that has more. */
static void begin_produced(struct wr_http_conn *conn, unsigned status)
{
	enum length_kind kind = conn->minor_version == 1 ? LENGTH_CHUNKED : LENGTH_BY_CLOSE;
	struct wr_view first = wr_buf_view(&conn->server->body);
	struct wr_buf *out = wr_http_output(conn);
	size_t mark = out->bytes;
	bool is_written;

	/* Two things that come in pieces at once are one too many: what is left of the request is
	 * dropped after the answer. */
	if (kind == LENGTH_BY_CLOSE || conn->is_body_ahead)
		conn->is_last = true;
	decide_last(conn);
	is_written = write_answer(conn, out, status, kind, 0, WR_VIEW_NULL);
	if (is_written && !conn->is_to_head && first.bytes != 0) {
		if (kind == LENGTH_CHUNKED)
			wr_http_write_chunk(out, first);
		else
			wr_buf_append_view(out, first);
		is_written = wr_buf_status(out) == WR_OK;
	}
	if (!is_written)
		replace_by_refusal(conn, out, mark);
	if (!is_written || conn->is_to_head)
		wr_http_release_producer(conn);
}

void wr_http_answer_produced(struct wr_http_exchange *exchange, unsigned status,
			     const struct wr_http_producer *producer)
{
	struct wr_http_conn *conn = conn_of(exchange);
	struct wr_buf *body = wr_http_answer_body(exchange);
	bool has_more;

	wr_assert(!exchange->is_answered && conn->phase != WR_HTTP_PHASE_GONE);
	wr_assert(status >= 200 && !has_no_body(status));
	conn->producer = *producer;
	conn->is_producing = true;
	has_more = producer->produce(producer->context, body);
	if (!lent_is_whole(conn, wr_buf_view(body))) {
		refuse(conn);
		wr_http_release_producer(conn);
	} else if (has_more) {
		begin_produced(conn, status);
	} else {
		answer(conn, status, wr_buf_view(body));
		wr_http_release_producer(conn);
	}
	finish(conn);
}

/* One more part, framed where it was written. Returns whether there are more. */
static bool produce_part(struct wr_http_conn *conn, struct wr_buf *out, bool is_chunked)
{
	size_t start = out->bytes, payload;
	bool has_more;

	if (is_chunked && wr_buf_reserve(out, WR_HTTP_CHUNK_HEAD_BYTES) != NULL)
		wr_buf_commit(out, WR_HTTP_CHUNK_HEAD_BYTES);
	has_more = conn->producer.produce(conn->producer.context, out);
	if (!is_chunked || wr_buf_status(out) != WR_OK)
		return has_more;
	payload = out->bytes - start - WR_HTTP_CHUNK_HEAD_BYTES;
	if (payload == 0)
		wr_buf_truncate(out, start);
	else if (wr_buf_append_view(out, WR_VIEW("\r\n")) == WR_OK)
		wr_http_frame_chunk(out->data + start, payload);
	return has_more;
}

void wr_http_produce(struct wr_http_conn *conn)
{
	struct wr_buf *out = wr_http_output(conn);
	bool is_chunked = conn->minor_version == 1, has_more = true;

	wr_assert(conn->phase == WR_HTTP_PHASE_PRODUCE && conn->is_producing);
	for (unsigned i = 0; has_more && i < PRODUCE_COUNT_MAX; i++) {
		if (wr_http_output_bytes(conn) >= PRODUCED_BYTES)
			return;
		has_more = produce_part(conn, out, is_chunked);
		if (wr_buf_status(out) != WR_OK) {
			/* The head is gone out: only a reset tells that this is not the whole. */
			wr_http_conn_end(conn, true);
			return;
		}
	}
	if (has_more)
		return;
	if (is_chunked)
		wr_http_write_last_chunk(out);
	if (wr_buf_status(out) != WR_OK) {
		wr_http_conn_end(conn, true);
		return;
	}
	wr_http_release_producer(conn);
	wr_http_conn_conclude(conn);
}

/* ---- leaving HTTP ---- */

struct wr_http_server *wr_http_exchange_server(struct wr_http_exchange *exchange)
{
	return conn_of(exchange)->server;
}

enum wr_status wr_http_upgrade(struct wr_http_exchange *exchange, struct wr_view answer_bytes,
			       struct wr_stream *stream, struct wr_view *early)
{
	struct wr_http_conn *conn = conn_of(exchange);
	struct wr_http_server *server = conn->server;

	wr_assert(!exchange->is_answered && conn->phase != WR_HTTP_PHASE_GONE);
	exchange->is_answered = true;
	return_lent(server);
	/* A body that is still to come would be taken for the new protocol's bytes; and what is
	 * held cannot stay behind (a request that asks for an upgrade waits for it). */
	if (conn->is_body_ahead || conn->held_until != 0 ||
	    wr_buf_append_view(wr_http_output(conn), answer_bytes) != WR_OK) {
		wr_http_conn_end(conn, true);
		return WR_CLOSED;
	}
	wr_http_output_flush(conn);
	if (conn->phase == WR_HTTP_PHASE_GONE)
		return WR_CLOSED;
	if (wr_http_output_bytes(conn) != 0) {
		/* A peer that has not even read its earlier answers. */
		wr_http_conn_end(conn, true);
		return WR_CLOSED;
	}
	*early = server->serving == conn ? server->rest : wr_buf_view(&conn->in);
	wr_stream_unwatch(&conn->stream, server->reactor, &conn->watch);
	*stream = conn->stream;
	wr_stream_forget(&conn->stream);
	server->count++; /* goes on counting until wr_http_server_release */
	wr_http_conn_end(conn, false);
	return WR_OK;
}
