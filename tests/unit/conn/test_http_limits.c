/* Goal: every deadline and every bound of the server holds, and what is refused is told so. Method:
 * a real server on loopback with deadlines of some ten milliseconds; tests wait for what must
 * happen, within the time limit of the harness. */
#include "unit/conn/rig.h"

#include "io/clock.h"

#include <sys/resource.h>

static void send_text(int fd, const char *text)
{
	rig_send(fd, wr_view_of_string(text));
}

static bool has_text(const char *text)
{
	return strstr(got.data, text) != NULL;
}

/* At least one: for those who must not send all at once. */
static void turn_a_millisecond(void)
{
	uint64_t now_ms = wr_clock_monotonic_ms();

	while (wr_clock_monotonic_ms() == now_ms)
		wr_reactor_turn(&rig.reactor, 1);
}

/* ---- deadlines ---- */

static void test_an_idle_connection_is_closed(void)
{
	int fd;

	rig_prepare();
	rig.config.idle_ms_max = RIG_TLS ? 800 : 40; /* handshakes count, too */
	rig_open();
	fd = rig_connect();
	send_text(fd, "GET /json HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_receive_all(fd);
	CHECK(got.is_ended && has_text("true}"));
	CHECK_U64(rig.fault_count, 0);
	rig_turn_until_count(0);
	close(fd);
	rig_close();
}

static void test_an_idle_connection_holds_no_buffer(void)
{
	size_t before;
	int fd;

	rig_prepare();
	rig_open();
	before = wr_test_allocator()->used;
	fd = rig_connect();
	send_text(fd, "GET /json HTTP/1.1\r\nHost: a\r\n\r\nGET");
	rig_receive_text(fd, "true}");
	rig_forget();
	send_text(fd, " /json HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_receive_text(fd, "true}");
	CHECK_U64(wr_http_server_connection_count(rig.server), 1);
	CHECK(wr_test_allocator()->used - before <= 600);
	close(fd);
	rig_close();
}

static void test_a_head_that_takes_too_long_is_408(void)
{
	int fd;

	rig_prepare();
	rig.config.head_ms_max = 40;
	rig_open();
	fd = rig_connect();
	/* Byte after byte is no progress. */
	send_text(fd, "GET /");
	while (!got.is_ended && !got.is_reset) {
		(void)send(fd, "t", 1, MSG_NOSIGNAL);
		turn_a_millisecond();
		rig_receive(fd);
		if (has_text("408"))
			break;
	}
	rig_receive_text(fd, "408,");
	CHECK(has_text("HTTP/1.1 408 Request Timeout\r\n") && has_text("Connection: close\r\n"));
	CHECK_U64(rig.head_count, 0);
	close(fd);
	rig_close();
}

static void test_a_body_that_stops_is_408(void)
{
	int fd;

	rig_prepare();
	rig.config.body_ms_max = 40;
	rig_open();
	fd = rig_connect();
	send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
	rig_receive_all(fd);
	CHECK(got.is_ended && has_text("HTTP/1.1 408 Request Timeout\r\n"));
	CHECK_U64(rig.request_count, 0);
	close(fd);
	rig_close();
}

static void test_a_body_with_progress_may_take_longer(void)
{
	char piece[2048];
	uint64_t begin_ms;
	size_t sent = 0;
	int fd;

	memset(piece, 'x', sizeof piece);
	rig_prepare();
	rig.config.body_ms_max = 30;
	rig_open();
	fd = rig_connect();
	send_text(fd, "POST /made HTTP/1.1\r\nHost: a\r\nContent-Length: 204800\r\n\r\n");
	begin_ms = wr_clock_monotonic_ms();
	while (sent < 204800) {
		rig_send(fd, wr_view_of(piece, sizeof piece));
		sent += sizeof piece;
		turn_a_millisecond();
	}
	rig_receive_text(fd, "}");
	CHECK(has_text("{\"made\":204800}"));
	CHECK(wr_clock_monotonic_ms() - begin_ms > 60);
	close(fd);
	rig_close();
}

static void test_a_dropped_body_that_stops_ends_the_connection(void)
{
	int fd;

	rig_prepare();
	rig.config.body_ms_max = 40;
	rig_open();
	fd = rig_connect();
	send_text(fd, "POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
	rig_receive_all(fd);
	CHECK(got.is_ended && has_text("true}"));
	close(fd);
	rig_close();
}

static void test_a_reader_that_takes_nothing_is_reset(void)
{
	int fd;

	rig_prepare();
	rig.config.send_ms_max = 60;
	rig_open();
	fd = rig_connect_small(4096);
	send_text(fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
	while (rig.request_count == 0)
		rig_turn();
	rig_turn_until_count(0);
	rig_receive_all(fd);
	CHECK(got.is_reset);
	close(fd);
	rig_close();
}

static void test_a_producer_of_a_stalled_reader_is_released(void)
{
	int fd;

	rig_prepare();
	rig.config.send_ms_max = 60;
	rig_open();
	fd = rig_connect_small(4096);
	send_text(fd, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_turn_until_count(1);
	rig_turn_until_count(0);
	CHECK_U64(rig.release_count, 1);
	close(fd);
	rig_close();
}

static void test_a_peer_that_does_not_end_is_left_after_the_drain(void)
{
	int fd;

	rig_prepare();
	rig.config.drain_ms_max = 40;
	rig_open();
	fd = rig_connect();
	send_text(fd, "GET /close HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_receive_all(fd);
	CHECK(got.is_ended && has_text("bye"));
	CHECK_U64(wr_http_server_connection_count(rig.server), 1);
	rig_turn_until_count(0);
	close(fd);
	rig_close();
}

static void test_a_peer_that_floods_the_drain_is_left_sooner(void)
{
	static char flood[65536];
	int fd;

	rig_prepare();
	rig.config.drain_ms_max = 60000;
	rig.config.unauthenticated_count_max = 10;
	rig_open();
	fd = rig_connect();
	send_text(fd, "GET /close HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_receive_all(fd);
	while (wr_http_server_connection_count(rig.server) != 0) {
		(void)send(fd, flood, sizeof flood, MSG_NOSIGNAL);
		rig_turn();
	}
	close(fd);
	rig_close();
}

/* ---- memory ---- */

static void test_bodies_over_their_sum_are_503(void)
{
	int holder, other;

	rig_prepare();
	rig.config.bodies_bytes_max = 1000;
	rig_open();
	holder = rig_connect();
	send_text(holder, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n");
	for (int i = 0; i < 89; i++)
		send_text(holder, "0123456789");
	other = rig_connect();
	rig_turn_until_count(2);
	for (int i = 0; i < 5; i++)
		rig_turn();
	send_text(other, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\n");
	for (int i = 0; i < 15; i++)
		send_text(other, "0123456789");
	rig_receive_text(other, "\"kind\":3}");
	CHECK(has_text("HTTP/1.1 503 Service Unavailable\r\n") && has_text("Retry-After: 1\r\n") &&
	      has_text("Connection: close\r\n"));
	close(other);
	rig_turn_until_count(1);
	rig_forget();
	send_text(holder, "0123456789");
	rig_receive_text(holder, "789");
	CHECK(has_text("HTTP/1.1 200 OK\r\n"));
	close(holder);
	rig_close();
}

/* One session that uses every kind of memory. Returns whether all answers were the right ones. */
static bool run_session(void)
{
	static const struct {
		const char *first, *second, *answer;
	} steps[] = {
		{"GET /json HTTP/1.1\r\nHost: a\r\n", "\r\n", "true}"},
		{"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab", "cd", "abcd"},
		{"POST /fields HTTP/1.1\r\nHost: a\r\n\r\n", "", "hi"},
		{"GET /later HTTP/1.1\r\nHost: a\r\n\r\n", "GET /json HTTP/1.1\r\nHost: a\r\n\r\n",
		 "late"},
		{"GET /parts HTTP/1.1\r\nHost: a\r\n\r\n", "", "\r\n0\r\n\r\n"},
		{"GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "", "bbbbbb"},
	};
	bool is_right = true;

	for (size_t i = 0; i < WR_COUNT(steps); i++) {
		int fd = rig_connect_small(4096);
		got.bytes = 0;
		got.data[0] = '\0';
		got.is_ended = got.is_reset = false;
		send_text(fd, steps[i].first);
		rig_turn();
		rig_turn();
		send_text(fd, steps[i].second);
		for (int turn = 0; turn < 3; turn++)
			rig_turn();
		for (unsigned k = 0; k < rig.kept_count; k++)
			if (rig.kept[k] != NULL)
				wr_http_answer(rig.kept[k], 200, WR_VIEW("late"));
		rig.kept_count = 0;
		rig_receive_text(fd, "\r\n\r\n");
		/* A refusal is all right, a part of an answer is not; /big shows its begin only. */
		if (!got.is_ended && !got.is_reset && !has_text(" 503 "))
			rig_receive_text(fd, steps[i].answer);
		if (!has_text(steps[i].answer))
			is_right = false;
		if (is_right && !has_text("HTTP/1.1 20"))
			CHECK(has_text(" 503 ") || got.bytes == 0);
		close(fd);
		for (int turn = 0; turn < 3; turn++)
			rig_turn();
	}
	return is_right;
}

static void test_each_failed_allocation_is_an_answer_or_an_end(void)
{
	bool is_right = false;

	rig_prepare();
	for (uint64_t n = 1; !is_right; n++) {
		bool is_open;
		CHECK(n < 1000);
		wr_test_fail_allocation(n, false);
		is_open = rig_try_open(wr_test_allocator());
		if (is_open) {
			is_right = run_session();
			rig_close();
		}
		is_right = is_right && !wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		CHECK_U64(wr_test_allocator()->used, 0);
	}
}

static void test_without_any_memory_peers_are_refused(void)
{
	int fd;

	rig_prepare();
	rig_open();
	wr_test_fail_allocation(1, true);
	fd = rig_connect();
	rig_receive_all(fd);
	CHECK(has_text("HTTP/1.1 503 Service Unavailable\r\nRetry-After: ") &&
	      has_text("\r\n\r\n{\"fault\":503,\"kind\":5}"));
	wr_test_fail_allocation(0, false);
	close(fd);
	rig_close();
}

/* ---- connections ---- */

static void test_over_the_connection_limit_is_a_503(void)
{
	int fd[3], refused;

	rig_prepare();
	rig.config.connection_count_max = 3;
	rig_open();
	for (int i = 0; i < 3; i++)
		fd[i] = rig_connect();
	rig_turn_until_count(3);
	for (int i = 0; i < 20; i++) {
		char *retry;
		rig_forget();
		refused = rig_connect();
		rig_receive_all(refused);
		CHECK(has_text("HTTP/1.1 503 Service Unavailable\r\n") &&
		      has_text("Connection: close\r\n") && has_text("{\"fault\":503,\"kind\":5}"));
		retry = strstr(got.data, "Retry-After: ");
		CHECK(retry != NULL && retry[13] >= '1' && retry[13] <= '5' && retry[14] == '\r');
		close(refused);
	}
	close(fd[0]);
	rig_turn_until_count(2);
	rig_forget();
	got.is_ended = got.is_reset = false;
	fd[0] = rig_connect();
	send_text(fd[0], "GET /json HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_receive_text(fd[0], "true}");
	CHECK(has_text("200 OK"));
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	rig_close();
}

static void test_the_oldest_idle_stranger_makes_room(void)
{
	int known, busy, half, old, newest;

	rig_prepare();
	rig.config.connection_count_max = 5;
	rig.config.unauthenticated_count_max = 3;
	rig_open();
	known = rig_connect();
	send_text(known, "GET /json HTTP/1.1\r\nHost: a\r\nX-Token: t\r\n\r\n");
	rig_receive_text(known, "true}");
	busy = rig_connect();
	send_text(busy, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	while (rig.kept_count == 0)
		rig_turn();
	half = rig_connect();
	send_text(half, "GET /json");
	rig_turn_until_count(3);
	old = rig_connect();
	rig_turn_until_count(4);
	rig_turn();
	/* Three strangers are there: first the idle one goes, then the one with half a head. */
	newest = rig_connect();
	rig_receive_all(old);
	CHECK(got.is_ended && got.bytes == 0);
	CHECK_U64(wr_http_server_connection_count(rig.server), 4);
	got.is_ended = false;
	send_text(newest, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	while (rig.kept_count == 1)
		rig_turn();
	close(old);
	old = rig_connect();
	rig_receive_all(half);
	CHECK(got.bytes == 0);
	got.is_ended = got.is_reset = false;
	send_text(old, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	while (rig.kept_count == 2)
		rig_turn();
	/* Nobody is left to go. */
	close(half);
	half = rig_connect();
	rig_receive_all(half);
	CHECK(has_text("HTTP/1.1 503 "));
	rig_forget();
	got.is_ended = got.is_reset = false;
	send_text(known, "GET /json HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_receive_text(known, "true}");
	close(known);
	close(busy);
	close(half);
	close(old);
	close(newest);
	rig_close();
}

static void test_without_descriptors_peers_are_told_and_later_served(void)
{
	struct rlimit limit;
	int fd[4];

	if (wr_test_is_in_valgrind())
		wr_test_skip("valgrind accepts before it looks at the limit of descriptors");
	rig_prepare();
	rig_open();
	for (int i = 0; i < 4; i++)
		fd[i] = rig_connect();
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = (rlim_t)fd[3] + 1;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	for (int i = 0; i < 4; i++) {
		rig_forget();
		got.is_ended = got.is_reset = false;
		rig_receive_all(fd[i]);
		CHECK(has_text("HTTP/1.1 503 "));
		close(fd[i]);
	}
	limit.rlim_cur = 64;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	rig_forget();
	fd[0] = rig_connect();
	send_text(fd[0], "GET /json HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_receive_text(fd[0], "true}");
	close(fd[0]);
	rig_close();
}

static void test_a_peer_that_does_not_read_is_not_read_from(void)
{
	static char requests[1 << 20];
	size_t bytes = 0, sent = 0;
	int fd, idle_turns = 0;

	while (bytes < sizeof requests - 64) {
		memcpy(requests + bytes, "GET /json HTTP/1.1\r\nHost: a\r\n\r\n", 31);
		bytes += 31;
	}
	rig_prepare();
	rig_open();
	fd = rig_connect_small(4096);
	while (idle_turns < 50) {
		ssize_t n = send(fd, requests + sent % 31, 65534, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		idle_turns = n > 0 ? 0 : idle_turns + 1;
		wr_reactor_turn(&rig.reactor, 1);
	}
	/* Its output is at the limit, its input rests in the sockets. */
	CHECK(wr_test_allocator()->used < WR_CONN_OUTPUT_BYTES_MAX * 3);
	CHECK_U64(wr_http_server_connection_count(rig.server), 1);
	/* When it reads, all is answered in the end. */
	shutdown(fd, SHUT_WR);
	bytes = 0;
	while (!got.is_ended) {
		rig_forget();
		if (!rig_receive(fd))
			rig_turn();
		CHECK(!got.is_reset);
		bytes += got.bytes;
	}
	CHECK(rig.head_count == sent / 31 || rig.head_count == WR_HTTP_REQUESTS_MAX);
	CHECK(bytes > rig.head_count * 100);
	close(fd);
	rig_close();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_an_idle_connection_is_closed),
	WR_TEST(test_an_idle_connection_holds_no_buffer),
	WR_TEST(test_a_head_that_takes_too_long_is_408),
	WR_TEST(test_a_body_that_stops_is_408),
	WR_TEST(test_a_body_with_progress_may_take_longer),
	WR_TEST(test_a_dropped_body_that_stops_ends_the_connection),
	WR_TEST(test_a_reader_that_takes_nothing_is_reset),
	WR_TEST(test_a_producer_of_a_stalled_reader_is_released),
	WR_TEST(test_a_peer_that_does_not_end_is_left_after_the_drain),
	WR_TEST(test_a_peer_that_floods_the_drain_is_left_sooner),
	WR_TEST(test_bodies_over_their_sum_are_503),
	WR_TEST_LIMIT(test_each_failed_allocation_is_an_answer_or_an_end, 60),
	WR_TEST(test_without_any_memory_peers_are_refused),
	WR_TEST(test_over_the_connection_limit_is_a_503),
	WR_TEST(test_the_oldest_idle_stranger_makes_room),
	WR_TEST(test_without_descriptors_peers_are_told_and_later_served),
	WR_TEST_LIMIT(test_a_peer_that_does_not_read_is_not_read_from, 30),
	WR_TEST_END,
};
