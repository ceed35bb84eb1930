/* Goal: no byte of a held answer, or of what follows it, leaves before its number is reached, and
 * nothing is lost, reordered or left over whatever ends first. Method: a real server on loopback;
 * the app holds what the path says, the test turns the loop by hand and looks at the socket. */
#include "unit/conn/rig.h"

#include "io/clock.h"

#define REQUEST(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK_JSON                                                                            \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: D\r\nContent-Length: " \
	"11\r\n\r\n{\"ok\":true}"
#define OK_HELD(digit)                                                                     \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: D\r\nContent-Length: " \
	"1\r\n\r\n" digit
#define FAILED                                                                           \
	"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nDate: " \
	"D\r\nContent-Length: 22\r\nConnection: close\r\n\r\n{\"fault\":500,\"kind\":6}"

static void open_rig(void)
{
	rig_prepare();
	rig_open();
}

/* Until so many heads have come to the app, and then until nothing happens any more. */
static void serve(unsigned heads)
{
	while (rig.head_count < heads)
		rig_turn();
	for (unsigned i = 0; i < 4; i++)
		wr_reactor_turn(&rig.reactor, 0);
}

static void check_silence(int fd)
{
	rig_forget();
	for (unsigned i = 0; i < 4; i++)
		wr_reactor_turn(&rig.reactor, 0);
	CHECK(!rig_receive(fd));
}

/* Exactly that comes. */
static void check_comes(int fd, const char *expected)
{
	size_t bytes = strlen(expected);

	/* A date is as long as its place has more. */
	for (const char *date = expected; (date = strstr(date, "Date: D")) != NULL; date++)
		bytes += 28;
	rig_forget();
	rig_receive_bytes(fd, bytes);
	rig_check_got(expected);
	check_silence(fd);
}

/* ---- waiting ---- */

static void test_a_held_answer_leaves_when_its_number_is_reached(void)
{
	int fd;

	open_rig();
	fd = rig_connect();
	rig_send(fd, WR_VIEW(REQUEST("/hold?5")));
	serve(1);
	check_silence(fd);
	wr_http_server_release_held(rig.server, 4);
	check_silence(fd);
	wr_http_server_release_held(rig.server, 5);
	check_comes(fd, OK_HELD("5"));
	close(fd);
	rig_close();
}

static void test_what_is_reached_already_is_not_held(void)
{
	int fd;

	open_rig();
	wr_http_server_release_held(rig.server, 5);
	fd = rig_connect();
	rig_send(fd, WR_VIEW(REQUEST("/hold?5")));
	check_comes(fd, OK_HELD("5"));
	/* And a number that is told once more, or a lower one, changes nothing. */
	rig_send(fd, WR_VIEW(REQUEST("/hold?6")));
	serve(2);
	wr_http_server_release_held(rig.server, 5);
	wr_http_server_release_held(rig.server, 1);
	check_silence(fd);
	wr_http_server_release_held(rig.server, 9);
	check_comes(fd, OK_HELD("6"));
	close(fd);
	rig_close();
}

static void test_answers_keep_their_order_around_a_held_one(void)
{
	int fd;

	open_rig();
	fd = rig_connect();
	rig_send(fd, WR_VIEW(REQUEST("/json") REQUEST("/hold?2") REQUEST("/json")));
	rig_receive_bytes(fd, 1);
	rig_check_got(OK_JSON);
	serve(3);
	check_silence(fd);
	rig_send(fd, WR_VIEW(REQUEST("/json")));
	serve(4);
	check_silence(fd);
	wr_http_server_release_held(rig.server, 2);
	check_comes(fd, OK_HELD("2") OK_JSON OK_JSON);
	rig_send(fd, WR_VIEW(REQUEST("/json")));
	check_comes(fd, OK_JSON);
	close(fd);
	rig_close();
}

static void test_of_several_numbers_the_highest_counts(void)
{
	static const char *const orders[] = {REQUEST("/hold?3") REQUEST("/hold?7"),
					     REQUEST("/hold?7") REQUEST("/hold?3")};
	int fd;

	for (size_t i = 0; i < WR_COUNT(orders); i++) {
		memset(&rig, 0, sizeof rig);
		open_rig();
		fd = rig_connect();
		rig_send(fd, wr_view_of_string(orders[i]));
		serve(2);
		wr_http_server_release_held(rig.server, 6);
		check_silence(fd);
		wr_http_server_release_held(rig.server, 7);
		check_comes(fd, i == 0 ? OK_HELD("3") OK_HELD("7") : OK_HELD("7") OK_HELD("3"));
		close(fd);
		rig_close();
	}
}

static void test_connections_wait_each_for_its_own_number(void)
{
	int fds[3];

	open_rig();
	for (unsigned i = 0; i < 3; i++) {
		char request[64];
		fds[i] = rig_connect();
		snprintf(request, sizeof request, REQUEST("/hold?%u"), 3 - i);
		rig_send(fds[i], wr_view_of_string(request));
		serve(i + 1);
	}
	for (unsigned i = 0; i < 3; i++) {
		char expected[256];
		wr_http_server_release_held(rig.server, i + 1);
		for (unsigned j = 0; j < 2 - i; j++)
			check_silence(fds[j]);
		snprintf(expected, sizeof expected, "%s%u",
			 "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: D\r\n"
			 "Content-Length: 1\r\n\r\n",
			 i + 1);
		check_comes(fds[2 - i], expected);
		close(fds[2 - i]);
	}
	rig_close();
}

/* The same bytes in the end, however the requests were cut. */
static void test_cuts_do_not_matter(void)
{
	static const char text[] =
		"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" REQUEST(
			"/hold?1") "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: "
				   "2\r\n\r\nde" REQUEST("/one");
	size_t bytes = sizeof text - 1;
	char whole[1024];

	for (size_t cut = 0; cut <= bytes; cut++) {
		int fd;

		memset(&rig, 0, sizeof rig);
		open_rig();
		fd = rig_connect();
		rig_send(fd, wr_view_of(text, cut));
		for (unsigned i = 0; i < 3; i++)
			wr_reactor_turn(&rig.reactor, 0);
		rig_send(fd, wr_view_of(text + cut, bytes - cut));
		while (rig.request_count < 4)
			rig_turn();
		wr_http_server_release_held(rig.server, 1);
		rig_forget();
		rig_receive_text(fd, "abcde"); /* the last answer's body */
		rig_hide_dates();
		if (cut == 0)
			memcpy(whole, got.data, got.bytes + 1);
		CHECK_STRING(wr_view_of(got.data, got.bytes), whole);
		close(fd);
		rig_close();
	}
}

/* ---- limits ---- */

static void test_beyond_eight_held_answers_nothing_more_is_served(void)
{
	char requests[2048] = "";
	int fd;

	for (unsigned i = 0; i < 20; i++)
		strncat(requests, REQUEST("/hold?1"), sizeof requests - strlen(requests) - 1);
	open_rig();
	fd = rig_connect();
	rig_send(fd, wr_view_of_string(requests));
	serve(8);
	check_silence(fd);
	CHECK_U64(rig.head_count, 8);
	/* It is not even read, so nobody is told that the peer has gone on. */
	rig_send(fd, WR_VIEW(REQUEST("/json")));
	check_silence(fd);
	CHECK_U64(rig.head_count, 8);
	wr_http_server_release_held(rig.server, 1);
	rig_forget();
	rig_receive_text(fd, "{\"ok\":true}");
	CHECK_U64(rig.head_count, 21);
	close(fd);
	rig_close();
}

static void test_output_behind_a_held_answer_is_bounded(void)
{
	size_t before, used;
	int fd;

	open_rig();
	fd = rig_connect();
	before = wr_test_allocator()->used;
	rig_send(fd, WR_VIEW(REQUEST("/hold?1") REQUEST("/stream") REQUEST("/json")));
	while (rig.request_count < 2)
		rig_turn();
	for (unsigned i = 0; i < 300; i++)
		wr_reactor_turn(&rig.reactor, 0);
	used = wr_test_allocator()->used - before;
	CHECK(used > 100000 && used < 2 * (size_t)WR_CONN_OUTPUT_BYTES_MAX);
	check_silence(fd);
	wr_http_server_release_held(rig.server, 1);
	/* Ten megabytes pass; only their end is looked at. */
	for (;;) {
		rig_receive(fd);
		if (got.bytes >= 11 && strstr(got.data + (got.bytes < 99 ? 0 : got.bytes - 99),
					      "\r\n0\r\n\r\nHTTP/1.1 200 OK"))
			break;
		if (got.bytes > RIG_TEXT_BYTES / 2) {
			size_t drop = got.bytes - 256;
			memmove(got.data, got.data + drop, 257);
			got.bytes -= drop;
		}
		if (strstr(got.data, "{\"ok\":true}") != NULL)
			break;
		rig_turn();
	}
	CHECK_U64(rig.release_count, 1);
	close(fd);
	rig_close();
}

/* ---- time ---- */

static void turn_for(unsigned ms)
{
	uint64_t end_ms = wr_clock_monotonic_ms() + ms;

	while (wr_clock_monotonic_ms() < end_ms)
		wr_reactor_turn(&rig.reactor, 1);
}

static void test_no_deadline_runs_while_an_answer_is_held(void)
{
	int fd;

	rig_prepare();
	rig.config.idle_ms_max = rig.config.send_ms_max = 20;
	rig_open();
	fd = rig_connect();
	rig_send(fd, WR_VIEW(REQUEST("/hold?1")));
	serve(1);
	turn_for(120);
	CHECK_U64(wr_http_server_connection_count(rig.server), 1);
	check_silence(fd);
	wr_http_server_release_held(rig.server, 1);
	/* It is as idle from now on as if it had just been answered. */
	rig_receive_bytes(fd, 1);
	rig_check_got(OK_HELD("1"));
	wr_reactor_turn(&rig.reactor, 0);
	CHECK_U64(wr_http_server_connection_count(rig.server), 1);
	rig_receive_all(fd);
	CHECK(got.is_ended && !got.is_reset);
	close(fd);
	rig_close();
}

static void test_a_peer_that_takes_nothing_of_what_may_leave_is_cut_off(void)
{
	int fd;

	rig_prepare();
	rig.config.send_ms_max = 40;
	rig_open();
	fd = rig_connect_small(2048);
	rig_send(fd, WR_VIEW(REQUEST("/big") REQUEST("/hold?1")));
	while (rig.head_count < 1)
		rig_turn();
	rig_turn_until_count(0);
	close(fd);
	rig_close();
}

static void test_draining_waits_for_held_answers(void)
{
	int fd;

	open_rig();
	fd = rig_connect();
	rig_send(fd, WR_VIEW(REQUEST("/hold?1")));
	serve(1);
	wr_http_server_drain(rig.server);
	check_silence(fd);
	CHECK_U64(wr_http_server_connection_count(rig.server), 1);
	wr_http_server_release_held(rig.server, 1);
	rig_receive_all(fd);
	rig_check_got(OK_HELD("1"));
	CHECK(got.is_ended);
	rig_turn_until_count(0);
	close(fd);
	rig_close();
}

/* ---- peers that leave ---- */

static void test_a_peer_that_resets_is_forgotten(void)
{
	const struct linger now = {1, 0};
	int fd;

	open_rig();
	fd = rig_connect();
	rig_send(fd, WR_VIEW(REQUEST("/hold?1") REQUEST("/json")));
	serve(2);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
	close(fd);
	rig_turn_until_count(0);
	wr_http_server_release_held(rig.server, 1);
	wr_http_server_fail_held(rig.server);
	rig_close();
}

static void test_a_peer_that_sends_no_more_is_still_owed_its_answers(void)
{
#define HALF_A_BODY "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"
	static const char *const rests[] = {"", "GET /j", HALF_A_BODY};
	int fd;

	for (size_t i = 0; i < WR_COUNT(rests); i++) {
		memset(&rig, 0, sizeof rig);
		open_rig();
		fd = rig_connect();
		rig_send(fd, WR_VIEW(REQUEST("/hold?1")));
		rig_send(fd, wr_view_of_string(rests[i]));
		serve(1);
		CHECK(shutdown(fd, SHUT_WR) == 0);
		check_silence(fd);
		CHECK_U64(wr_http_server_connection_count(rig.server), 1);
		wr_http_server_release_held(rig.server, 1);
		rig_receive_all(fd);
		rig_check_got(OK_HELD("1"));
		rig_turn_until_count(0);
		close(fd);
		rig_close();
	}
}

/* ---- upgrades ---- */

static struct wr_stream taken;
static unsigned upgrade_count;

static void take_over(struct wr_http_exchange *exchange)
{
	struct wr_http_server *server = wr_http_exchange_server(exchange);
	struct wr_view early;

	upgrade_count++;
	CHECK_STATUS(wr_http_upgrade(exchange, WR_VIEW("HTTP/1.1 101 S\r\n\r\n"), &taken, &early),
		     WR_OK);
	CHECK(early.bytes <= 5 && memcmp(early.data, "early", early.bytes) == 0);
	wr_stream_close(&taken, 0);
	wr_http_server_release(server);
}

#define UPGRADE "GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\nearly"

static void test_an_upgrade_waits_until_all_before_it_has_left(void)
{
	static const char text[] = REQUEST("/hold?1") UPGRADE;
	int fd;

	for (size_t cut = sizeof REQUEST("/hold?1") - 1; cut < sizeof text; cut++) {
		memset(&rig, 0, sizeof rig);
		upgrade_count = 0;
		open_rig();
		rig.on_upgrade = take_over;
		fd = rig_connect();
		rig_send(fd, wr_view_of(text, cut));
		serve(1);
		rig_send(fd, wr_view_of(text + cut, sizeof text - 1 - cut));
		check_silence(fd);
		CHECK_U64(upgrade_count, 0);
		wr_http_server_release_held(rig.server, 1);
		rig_receive_all(fd);
		rig_check_got(OK_HELD("1") "HTTP/1.1 101 S\r\n\r\n");
		CHECK_U64(upgrade_count, 1);
		close(fd);
		rig_turn_until_count(0);
		rig_close();
	}
}

static void test_an_upgrade_behind_a_failed_answer_is_never_served(void)
{
	int fd;

	upgrade_count = 0;
	open_rig();
	rig.on_upgrade = take_over;
	fd = rig_connect();
	rig_send(fd, WR_VIEW(REQUEST("/hold?1") UPGRADE));
	serve(1);
	check_silence(fd);
	wr_http_server_fail_held(rig.server);
	rig_receive_all(fd);
	rig_check_got(FAILED);
	CHECK_U64(upgrade_count, 0);
	close(fd);
	rig_close();
}

/* ---- failing ---- */

static void test_one_500_stands_for_all_that_was_held(void)
{
	/* What stands behind a held answer when its number turns out to be never reached. */
	static const struct {
		const char *label, *behind;
		unsigned heads, abandons, releases;
	} cases[] = {
		{"nothing", "", 2, 0, 0},
		{"whole answers", REQUEST("/json") REQUEST("/hold?9"), 4, 0, 0},
		{"half a head", "GET /js", 2, 0, 0},
		{"half a body", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", 3,
		 0, 0},
		{"a body nobody wants",
		 "POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", 3, 0, 0},
		{"an exchange that is kept", REQUEST("/keep"), 3, 1, 0},
		{"a produced answer", REQUEST("/stream"), 3, 0, 1},
		{"a last answer", REQUEST("/close"), 3, 0, 0},
		{"a broken head", "GET\r\n\r\n", 2, 0, 0},
	};
	int fd;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		memset(&rig, 0, sizeof rig);
		open_rig();
		fd = rig_connect();
		rig_send(fd, WR_VIEW(REQUEST("/json") REQUEST("/hold?5")));
		rig_send(fd, wr_view_of_string(cases[i].behind));
		serve(cases[i].heads);
		wr_http_server_fail_held(rig.server);
		rig_receive_all(fd);
		rig_check_got(OK_JSON FAILED);
		CHECK(!got.is_reset);
		CHECK_U64(rig.abandon_count, cases[i].abandons);
		CHECK_U64(rig.release_count, cases[i].releases);
		close(fd);
		rig_turn_until_count(0);
		rig_close();
	}
}

static void test_what_is_not_held_does_not_fail(void)
{
	int held, other;

	open_rig();
	held = rig_connect();
	other = rig_connect();
	rig_send(held, WR_VIEW(REQUEST("/hold?5")));
	rig_send(other, WR_VIEW(REQUEST("/json")));
	serve(2);
	wr_http_server_fail_held(rig.server);
	rig_receive_bytes(other, 1);
	rig_check_got(OK_JSON);
	rig_send(other, WR_VIEW(REQUEST("/json")));
	check_comes(other, OK_JSON);
	rig_forget();
	rig_receive_all(held);
	rig_check_got(FAILED);
	close(held);
	close(other);
	rig_close();
}

static void test_a_server_ends_with_answers_held(void)
{
	int fd;

	open_rig();
	fd = rig_connect();
	rig_send(fd, WR_VIEW(REQUEST("/hold?5") REQUEST("/stream")));
	serve(2);
	rig_close();
	CHECK_U64(rig.release_count, 1);
	close(fd);
}

/* ---- memory ---- */

static void test_a_lack_of_memory_ends_the_connection_and_leaves_nothing(void)
{
	for (uint64_t n = 1;; n++) {
		bool has_failed;
		int fd;

		memset(&rig, 0, sizeof rig);
		open_rig();
		fd = rig_connect();
		rig_send(fd, WR_VIEW(REQUEST("/json")));
		rig_receive_text(fd, "true}");
		wr_test_fail_allocation(n, false);
		rig_send(fd, WR_VIEW(REQUEST("/hold?5") REQUEST("/parts")));
		while (rig.head_count < 3 && wr_http_server_connection_count(rig.server) != 0)
			rig_turn();
		for (unsigned i = 0; i < 4; i++)
			wr_reactor_turn(&rig.reactor, 0);
		wr_http_server_fail_held(rig.server);
		has_failed = wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		close(fd);
		rig_turn_until_count(0);
		rig_close();
		if (!has_failed)
			break;
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_held_answer_leaves_when_its_number_is_reached),
	WR_TEST(test_what_is_reached_already_is_not_held),
	WR_TEST(test_answers_keep_their_order_around_a_held_one),
	WR_TEST(test_of_several_numbers_the_highest_counts),
	WR_TEST(test_connections_wait_each_for_its_own_number),
	WR_TEST_LIMIT(test_cuts_do_not_matter, 30),
	WR_TEST(test_beyond_eight_held_answers_nothing_more_is_served),
	WR_TEST(test_output_behind_a_held_answer_is_bounded),
	WR_TEST(test_no_deadline_runs_while_an_answer_is_held),
	WR_TEST(test_a_peer_that_takes_nothing_of_what_may_leave_is_cut_off),
	WR_TEST(test_draining_waits_for_held_answers),
	WR_TEST(test_a_peer_that_resets_is_forgotten),
	WR_TEST(test_a_peer_that_sends_no_more_is_still_owed_its_answers),
	WR_TEST_LIMIT(test_an_upgrade_waits_until_all_before_it_has_left, 30),
	WR_TEST(test_an_upgrade_behind_a_failed_answer_is_never_served),
	WR_TEST(test_one_500_stands_for_all_that_was_held),
	WR_TEST(test_what_is_not_held_does_not_fail),
	WR_TEST(test_a_server_ends_with_answers_held),
	WR_TEST(test_a_lack_of_memory_ends_the_connection_and_leaves_nothing),
	WR_TEST_END,
};
