/* Goal: no order of requests, frames, answers, resets, half-closes and failed allocations hurts the
 * server, and each connection ends exactly once. Method: a seeded random walk over forty clients of
 * one server whose deadlines are short; the sanitizers and the allocator's count are the judges. */
#include "unit/conn/rig.h"

#include "conn/ws_conn.h"

enum { CLIENT_COUNT = 40, CONN_COUNT = 64, STEP_COUNT = 10000, BLOB_BYTES = 200000 };

static struct {
	uint64_t seed;
	struct wr_ws_group *group;
	struct wr_ws_conn *conns[CONN_COUNT];
	unsigned accept_count, end_count;
	char blob[BLOB_BYTES];
	int clients[CLIENT_COUNT]; /* -1: none */
} chaos;

static unsigned choose(unsigned count)
{
	return (unsigned)(wr_test_random(&chaos.seed) % count);
}

/* ---- the app ---- */

static void stream_some(struct wr_ws_conn *conn, const struct iovec *part)
{
	bool *is_inside = wr_ws_conn_app(conn);
	size_t sent;

	if (wr_ws_conn_stream(conn, part, 1, part->iov_len, &sent) == WR_CLOSED)
		return;
	*is_inside = choose(2) == 0;
	wr_ws_conn_hold(conn, *is_inside);
}

static void do_something(struct wr_ws_conn *conn)
{
	struct iovec part = {chaos.blob, 2 + choose(choose(3) == 0 ? BLOB_BYTES - 2 : 2000)};
	bool *is_inside = wr_ws_conn_app(conn);

	switch (choose(10)) {
	case 0:
		wr_ws_conn_close(conn, 1000 + choose(2), WR_VIEW("enough"));
		return;
	case 1:
		if (choose(4) == 0)
			wr_ws_conn_abort(conn);
		return;
	case 2:
		wr_ws_conn_await(conn);
		return;
	case 3:
		*is_inside = false;
		wr_ws_conn_hold(conn, false);
		return;
	case 4:
	case 5:
	case 6:
		if (!*is_inside)
			(void)wr_ws_conn_send(conn, &part, 1);
		return;
	default:
		stream_some(conn, &part);
	}
}

static bool on_message(void *context, struct wr_ws_conn *conn, bool is_text)
{
	(void)context;
	(void)is_text;
	do_something(conn);
	return choose(4) != 0;
}

static void on_data(void *context, struct wr_ws_conn *conn, struct wr_view data, bool is_end)
{
	(void)context;
	(void)data;
	(void)is_end;
	do_something(conn);
}

static void on_writable(void *context, struct wr_ws_conn *conn)
{
	(void)context;
	do_something(conn);
}

static void on_end(void *context, struct wr_ws_conn *conn)
{
	(void)context;
	chaos.end_count++;
	for (unsigned i = 0; i < CONN_COUNT; i++)
		if (chaos.conns[i] == conn)
			chaos.conns[i] = NULL;
	wr_ws_conn_abort(conn);
}

static void upgrade(struct wr_http_exchange *exchange)
{
	struct wr_ws_conn *conn = wr_ws_conn_accept(chaos.group, exchange, WR_VIEW_NULL);
	unsigned free_place = 0;

	if (conn == NULL)
		return;
	chaos.accept_count++;
	while (chaos.conns[free_place] != NULL)
		free_place++;
	CHECK(free_place < CONN_COUNT);
	chaos.conns[free_place] = conn;
	if (choose(3) == 0)
		do_something(conn);
}

static void answer_one(struct wr_http_exchange *exchange)
{
	if (choose(3) == 0)
		rig_answer_produced(exchange, 1 + choose(20), choose(20000));
	else
		wr_http_answer(exchange, 200 + choose(5),
			       wr_view_of(chaos.blob, choose(choose(4) == 0 ? BLOB_BYTES : 200)));
}

/* Some of the kept exchanges; all when no room is left for more. */
static void answer_kept(void)
{
	unsigned count = 0, all = rig.kept_count;

	for (unsigned i = 0; i < all; i++) {
		struct wr_http_exchange *exchange = rig.kept[i];
		rig.kept[i] = NULL;
		if (exchange == NULL)
			continue;
		if (all > WR_COUNT(rig.kept) - 2 || choose(2) == 0)
			answer_one(exchange);
		else
			rig.kept[count++] = exchange;
	}
	rig.kept_count = count;
}

/* ---- the clients ---- */

static void send_request(int fd)
{
	static const char *const requests[] = {
		"GET /json HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /json HTTP/1.1\r\nHost: a\r\nX-Token: t\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
		"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"5\r\nhello\r\n0\r\n\r\n",
		"POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n1234567",
		"GET /later HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /parts HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /fields HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
		"\x89\x81\x01\x01\x01\x01p\x82",
		"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n"
		"Expect: 100-continue\r\n\r\n",
		"BAD\r\n\r\n",
	};
	/* The last ones end a connection, so they are rare. */
	unsigned index =
		choose(10) == 0 ? choose(WR_COUNT(requests)) : choose(WR_COUNT(requests) - 2);
	size_t bytes = strlen(requests[index]);

	if (choose(50) == 0)
		bytes = 1 + choose((unsigned)bytes);
	(void)send(fd, requests[index], bytes, MSG_NOSIGNAL);
}

/* Mostly well formed; to an HTTP connection it is noise. */
static void send_ws_frame(int fd)
{
	unsigned char frame[16] = {
		(unsigned char)(choose(2) == 0 ? 0x80 | choose(16) : choose(256)),
		(unsigned char)(0x80 | choose(6))};

	(void)send(fd, frame, 6 + (frame[1] & 0x7fu), MSG_NOSIGNAL);
}

static void leave(int *fd)
{
	struct linger linger = {1, 0};

	if (choose(2) == 0)
		(void)setsockopt(*fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(*fd);
	*fd = -1;
}

static void let_client_act(int *fd)
{
	static char sink[65536];

	if (*fd < 0) {
		if (choose(4) == 0)
			*fd = rig_connect_small(choose(2) == 0 ? 2304 : 0);
		return;
	}
	switch (choose(40)) {
	case 0:
		leave(fd);
		return;
	case 1:
		(void)shutdown(*fd, SHUT_WR);
		return;
	case 2:
	case 3:
	case 4:
	case 5:
		send_ws_frame(*fd);
		return;
	default:
		if (choose(2) == 0)
			send_request(*fd);
		else
			(void)recv(*fd, sink, sizeof sink, 0);
	}
}

static void step(void)
{
	struct wr_ws_conn *conn = chaos.conns[choose(CONN_COUNT)];

	if (choose(200) == 0)
		wr_test_fail_allocation(1 + choose(3), false);
	else if (choose(20) == 0)
		wr_test_fail_allocation(0, false);
	let_client_act(&chaos.clients[choose(CLIENT_COUNT)]);
	if (choose(3) == 0 || rig.kept_count > WR_COUNT(rig.kept) - 2)
		answer_kept();
	if (conn != NULL)
		do_something(conn);
	wr_reactor_turn(&rig.reactor, 0);
}

static void open_chaos(void)
{
	static const struct wr_ws_app app = {.app_bytes = sizeof(bool),
					     .on_message = on_message,
					     .on_data = on_data,
					     .on_writable = on_writable,
					     .on_end = on_end};
	struct wr_ws_config config;

	rig_prepare();
	rig.on_upgrade = upgrade;
	rig.config.head_ms_max = rig.config.body_ms_max = 100;
	rig.config.idle_ms_max = 200;
	rig.config.send_ms_max = 50;
	rig.config.drain_ms_max = 20;
	rig.config.unauthenticated_count_max = 30;
	rig.config.bodies_bytes_max = 20000;
	rig_open();
	wr_ws_defaults(&config);
	config.ping_ms = config.pong_ms_max = 40;
	config.send_ms_max = config.close_ms_max = 50;
	CHECK_STATUS(wr_ws_group_new(&chaos.group, &rig.reactor, wr_test_allocator(), rig.server,
				     &config, &app),
		     WR_OK);
}

static void test_any_order_of_happenings_is_survived(void)
{
	chaos.seed = wr_test_seed();
	memset(chaos.blob, 'x', sizeof chaos.blob);
	for (unsigned i = 0; i < CLIENT_COUNT; i++)
		chaos.clients[i] = -1;
	open_chaos();
	for (unsigned i = 0; i < STEP_COUNT; i++)
		step();
	wr_test_fail_allocation(0, false);
	CHECK(rig.head_count > 100 && chaos.accept_count > 5);
	wr_ws_group_free(chaos.group);
	CHECK_U64(chaos.end_count, chaos.accept_count);
	rig_close();
	for (unsigned i = 0; i < CLIENT_COUNT; i++)
		if (chaos.clients[i] >= 0)
			close(chaos.clients[i]);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_any_order_of_happenings_is_survived, 60),
	WR_TEST_END,
};
