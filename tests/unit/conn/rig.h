/*
 * rig — a real server on loopback and its clients, in one process and one thread.
 *
 * Clients are non-blocking sockets; whoever waits for bytes turns the reactor meanwhile, so that no
 * test sleeps. The app of the rig does what the path asks for, and counts what it is called for.
 * Each test runs in a process of its own, so there is one rig, in static storage.
 */
#ifndef WR_TESTS_CONN_RIG_H
#define WR_TESTS_CONN_RIG_H

#include "check.h"
#include "conn/http_server.h"
#include "harness/harness.h"
#include "io/memory.h"
#include "bounds.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* RIG_TLS: all of it over TLS, by a relay that the tests do not see. */
#ifdef RIG_TLS
#include "unit/conn/relay.h"
#else
#define RIG_TLS 0
#endif

enum { RIG_TEXT_BYTES = 1 << 20 };

static struct rig {
	struct wr_reactor reactor;
	struct wr_http_server *server;
	struct wr_http_server_config config;
	size_t body_bytes_max;
	/* what the app was called for */
	unsigned head_count, request_count, abandon_count, fault_count, release_count;
	size_t body_bytes;		   /* of the last request */
	struct wr_http_exchange *kept[64]; /* left unanswered */
	unsigned kept_count;
	/* the producer at work */
	unsigned parts_left;
	size_t part_bytes;
	/* called for /upgrade */
	void (*on_upgrade)(struct wr_http_exchange *exchange);
} rig;

/* What a client has received: NUL-terminated. */
static struct {
	char data[RIG_TEXT_BYTES + 1];
	size_t bytes;
	bool is_ended; /* orderly */
	bool is_reset;
	unsigned receive_count;
} got;

/* ---- the app ---- */

static inline bool rig_path_is(const struct wr_http_exchange *exchange, const char *path)
{
	return wr_view_equal(exchange->target.path, wr_view_of_string(path));
}

static inline bool rig_produce(void *context, struct wr_buf *out)
{
	(void)context;
	for (size_t i = 0; i < rig.part_bytes; i++)
		wr_buf_append_byte(out, (char)('a' + i % 26));
	return --rig.parts_left != 0;
}

static inline void rig_release(void *context)
{
	(void)context;
	rig.release_count++;
}

static inline void rig_answer_produced(struct wr_http_exchange *exchange, unsigned parts,
				       size_t bytes)
{
	struct wr_http_producer producer = {NULL, rig_produce, rig_release};

	rig.parts_left = parts;
	rig.part_bytes = bytes;
	wr_http_answer_produced(exchange, 200, &producer);
}

static inline void rig_on_head(void *context, struct wr_http_exchange *exchange)
{
	(void)context;
	rig.head_count++;
	CHECK(exchange->head != NULL && exchange->peer != NULL && !exchange->is_answered);
	if (wr_http_head_find(exchange->head, WR_VIEW("x-token")).data != NULL)
		exchange->is_authenticated = true;
	if (rig_path_is(exchange, "/json"))
		wr_http_answer(exchange, 200, WR_VIEW("{\"ok\":true}"));
	else if (rig_path_is(exchange, "/none"))
		wr_http_answer(exchange, 404, WR_VIEW_NULL);
	else if (rig_path_is(exchange, "/upgrade"))
		rig.on_upgrade(exchange);
	else if (rig_path_is(exchange, "/produce-early"))
		rig_answer_produced(exchange, 3, 10);
	else
		exchange->body_bytes_max = rig.body_bytes_max;
}

static inline void rig_on_request(void *context, struct wr_http_exchange *exchange,
				  struct wr_view body)
{
	(void)context;
	rig.request_count++;
	rig.body_bytes = body.bytes;
	if (rig_path_is(exchange, "/echo")) {
		wr_http_answer(exchange, 200, body);
	} else if (rig_path_is(exchange, "/made")) {
		struct wr_buf *made = wr_http_answer_body(exchange);
		wr_buf_append_view(made, WR_VIEW("{\"made\":"));
		wr_buf_append_u64(made, body.bytes);
		wr_buf_append_byte(made, '}');
		wr_http_answer(exchange, 201, wr_buf_view(made));
	} else if (rig_path_is(exchange, "/fields")) {
		wr_http_answer_field(exchange, WR_VIEW("Location"), WR_VIEW("/v1/x"));
		wr_http_answer_field(exchange, WR_VIEW("Content-Type"), WR_VIEW("text/plain"));
		wr_http_answer(exchange, 201, WR_VIEW("hi"));
	} else if (rig_path_is(exchange, "/nothing")) {
		wr_http_answer(exchange, 204, WR_VIEW_NULL);
	} else if (rig_path_is(exchange, "/close")) {
		wr_http_answer_close(exchange);
		wr_http_answer(exchange, 200, WR_VIEW("bye"));
	} else if (rig_path_is(exchange, "/big")) {
		struct wr_buf *made = wr_http_answer_body(exchange);
		char *room = wr_buf_reserve(made, 8u << 20);
		if (room != NULL) {
			memset(room, 'b', 8u << 20);
			wr_buf_commit(made, 8u << 20);
		}
		wr_http_answer(exchange, 200, wr_buf_view(made));
	} else if (rig_path_is(exchange, "/hold")) {
		/* The query is the number to wait for, and the answer. */
		struct wr_view text = exchange->target.query;
		uint64_t number = 0;
		for (size_t i = 0; i < text.bytes; i++)
			number = 10 * number + (uint64_t)(text.data[i] - '0');
		wr_http_answer_hold(exchange, number);
		wr_http_answer(exchange, 200, text);
	} else if (rig_path_is(exchange, "/one")) {
		rig_answer_produced(exchange, 1, 5);
	} else if (rig_path_is(exchange, "/parts")) {
		rig_answer_produced(exchange, 3, 5);
	} else if (rig_path_is(exchange, "/stream")) {
		rig_answer_produced(exchange, 1000, 10240);
	} else {
		CHECK(rig.kept_count < WR_COUNT(rig.kept));
		CHECK(exchange->app_number == 0 && exchange->app_pointer == NULL);
		exchange->app_number = 7;
		rig.kept[rig.kept_count++] = exchange;
	}
}

static inline void rig_on_abandon(void *context, struct wr_http_exchange *exchange)
{
	(void)context;
	CHECK_U64(exchange->app_number, 7);
	for (unsigned i = 0; i < rig.kept_count; i++)
		if (rig.kept[i] == exchange)
			rig.kept[i] = NULL;
	rig.abandon_count++;
}

static inline void rig_on_fault(void *context, struct wr_buf *body, unsigned status,
				enum wr_http_server_fault kind, enum wr_http_fault fault)
{
	(void)context;
	(void)fault;
	rig.fault_count++;
	wr_buf_append_view(body, WR_VIEW("{\"fault\":"));
	wr_buf_append_u64(body, status);
	wr_buf_append_view(body, WR_VIEW(",\"kind\":"));
	wr_buf_append_u64(body, (uint64_t)kind);
	wr_buf_append_byte(body, '}');
}

/* ---- life ---- */

static const struct wr_http_app rig_app = {NULL, rig_on_head, rig_on_request, rig_on_abandon,
					   rig_on_fault};

/* The config may be changed before rig_open. */
static inline void rig_prepare(void)
{
	wr_http_server_defaults(&rig.config);
	rig.body_bytes_max = WR_HTTP_BODY_BYTES_MAX;
}

static inline bool rig_try_open(struct wr_allocator *allocator)
{
	struct wr_address address;
	struct wr_error error;

	CHECK_STATUS(wr_address_parse(&address, WR_VIEW("127.0.0.1:0")), WR_OK);
	if (wr_reactor_init(&rig.reactor, allocator, &error) != WR_OK)
		return false;
#if RIG_TLS
	relays_open(&rig.reactor);
	rig.config.tls = relay_make_server(&rig.reactor, allocator);
	if (rig.config.tls != NULL)
#endif
		rig.server = wr_http_server_new(&rig.reactor, allocator, &rig.config, &rig_app,
						&address, &error);
	if (rig.server == NULL) {
#if RIG_TLS
		if (rig.config.tls != NULL)
			wr_tls_server_free(rig.config.tls);
		relays_close();
#endif
		wr_reactor_deinit(&rig.reactor);
	}
	return rig.server != NULL;
}

static inline void rig_open(void)
{
	CHECK(rig_try_open(wr_test_allocator()));
}

static inline void rig_close(void)
{
	wr_http_server_free(rig.server);
#if RIG_TLS
	wr_tls_server_free(rig.config.tls);
	relays_close();
#endif
	wr_reactor_deinit(&rig.reactor);
}

static inline void rig_turn(void)
{
	wr_reactor_turn(&rig.reactor, 5);
}

/* ---- clients ---- */

static inline int rig_connect_small(int receive_bytes)
{
	const struct wr_address *address = wr_http_server_address(rig.server);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(fd >= 0);
	if (receive_bytes != 0)
		CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes) ==
		      0);
	CHECK(connect(fd, (const struct sockaddr *)&address->storage, address->bytes) == 0);
#if RIG_TLS
	fd = relay_over(fd, false, receive_bytes);
#endif
	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	return fd;
}

static inline int rig_connect(void)
{
	int fd = rig_connect_small(0);

	got.bytes = 0;
	got.is_ended = got.is_reset = false;
	return fd;
}

static inline void rig_send(int fd, struct wr_view bytes)
{
	while (bytes.bytes != 0) {
		ssize_t n = send(fd, bytes.data, bytes.bytes, MSG_NOSIGNAL);
		if (n > 0)
			bytes = wr_view_skip(bytes, (size_t)n);
		else if (n < 0 && errno == EAGAIN)
			rig_turn();
		else
			return; /* the test will see what came of it */
	}
}

/* Receives what there is; true when something came or ended. */
static inline bool rig_receive(int fd)
{
	ssize_t n = recv(fd, got.data + got.bytes, RIG_TEXT_BYTES - got.bytes, 0);

	if (n < 0 && errno == EAGAIN)
		return false;
	got.is_ended = n == 0;
	got.is_reset = n < 0;
	if (n > 0)
		got.bytes += (size_t)n;
	got.data[got.bytes] = '\0';
	got.receive_count++;
	return true;
}

static inline void rig_forget(void)
{
	got.bytes = 0;
	got.data[0] = '\0';
	got.receive_count = 0;
}

/* Until the end of the connection. */
static inline void rig_receive_all(int fd)
{
	while (!got.is_ended && !got.is_reset)
		if (!rig_receive(fd))
			rig_turn();
}

/* Until there are so many bytes, or the connection ended. */
static inline void rig_receive_bytes(int fd, size_t bytes)
{
	while (got.bytes < bytes && !got.is_ended && !got.is_reset)
		if (!rig_receive(fd))
			rig_turn();
}

/* Until the text has come, or the connection ended. */
static inline void rig_receive_text(int fd, const char *text)
{
	while ((got.bytes == 0 || strstr(got.data, text) == NULL) && !got.is_ended && !got.is_reset)
		if (!rig_receive(fd))
			rig_turn();
}

static inline void rig_turn_until_count(uint32_t connections)
{
	while (wr_http_server_connection_count(rig.server) != connections)
		rig_turn();
}

/* Every date becomes "D": the texts of the tests are those of any day. */
static inline void rig_hide_dates(void)
{
	char *date = got.data;

	while ((date = strstr(date, "\r\nDate: ")) != NULL) {
		date += 8;
		CHECK(strncmp(date + 25, " GMT\r\n", 6) == 0);
		memmove(date + 1, date + 29, got.bytes - (size_t)(date - got.data) - 29 + 1);
		date[0] = 'D';
		got.bytes -= 28;
	}
}

static inline void rig_check_got(const char *expected)
{
	rig_hide_dates();
	CHECK_STRING(wr_view_of(got.data, got.bytes), expected);
}

#endif
