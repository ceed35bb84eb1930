/* Goal: requests are answered in order and exactly, however their bytes are cut. Method: a real
 * server on loopback; each conversation of a table is sent whole, byte by byte, and cut at every
 * position. */
#include "unit/conn/rig.h"

#define OK_JSON                                                                            \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: D\r\nContent-Length: " \
	"11\r\n\r\n"                                                                       \
	"{\"ok\":true}"
#define HEAD_200 "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: D\r\n"
#define LENGTH(n) "Content-Length: " #n "\r\n"
#define CLOSE "Connection: close\r\n"
#define FAULT(status, reason, kind)                                                        \
	"HTTP/1.1 " #status " " reason "\r\nContent-Type: application/json\r\nDate: D\r\n" \
	"Content-Length: 22\r\n" CLOSE "\r\n{\"fault\":" #status ",\"kind\":" #kind "}"

/* One conversation: the client sends, ends its side, and receives until the end. */
struct conversation {
	const char *label, *request, *answer;
};

static const struct conversation conversations[] = {
	{"a request", "GET /json HTTP/1.1\r\nHost: a\r\n\r\n", OK_JSON},
	{"two requests",
	 "GET /json HTTP/1.1\r\nHost: a\r\n\r\nGET /json HTTP/1.1\r\nHost: a\r\n\r\n",
	 OK_JSON OK_JSON},
	{"close asked for", "GET /json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /json",
	 HEAD_200 LENGTH(11) CLOSE "\r\n{\"ok\":true}"},
	{"no body, no type", "GET /none HTTP/1.1\r\nHost: a\r\n\r\n",
	 "HTTP/1.1 404 Not Found\r\nDate: D\r\nContent-Length: 0\r\n\r\n"},
	{"HEAD has GET's head", "HEAD /json HTTP/1.1\r\nHost: a\r\n\r\n",
	 HEAD_200 LENGTH(11) "\r\n"},
	{"HTTP/1.0", "GET /json HTTP/1.0\r\n\r\n",
	 "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nDate: D\r\n" LENGTH(11) CLOSE
	 "\r\n{\"ok\":true}"},
	{"HTTP/1.0 kept",
	 "GET /json HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /json HTTP/1.0\r\n\r\n",
	 "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nDate: D\r\n" LENGTH(
		 11) "Connection: keep-alive\r\n\r\n{\"ok\":true}"
		     "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nDate: D\r\n" LENGTH(11)
			     CLOSE "\r\n{\"ok\":true}"},
	{"a body", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
	 HEAD_200 LENGTH(5) "\r\nhello"},
	{"an empty body", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
	 "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\n\r\n"},
	{"a body in chunks",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	 "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: t\r\n\r\n",
	 HEAD_200 LENGTH(5) "\r\nhello"},
	{"bodies one after the other",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
	 "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nd\r\n0\r\n\r\n"
	 "GET /json HTTP/1.1\r\nHost: a\r\n\r\n",
	 HEAD_200 LENGTH(3) "\r\nabc" HEAD_200 LENGTH(1) "\r\nd" OK_JSON},
	{"a built body", "POST /made HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd",
	 "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nDate: D\r\n" LENGTH(
		 10) "\r\n{\"made\":4}"},
	{"fields of the app",
	 "POST /fields HTTP/1.1\r\nHost: a\r\n\r\nGET /json HTTP/1.1\r\nHost: a\r\n\r\n",
	 "HTTP/1.1 201 Created\r\nDate: D\r\nContent-Length: 2\r\nLocation: /v1/x\r\n"
	 "Content-Type: text/plain\r\n\r\nhi" OK_JSON},
	{"204 has no body", "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
	 "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n"},
	{"the app closes",
	 "GET /close HTTP/1.1\r\nHost: a\r\n\r\nGET /json HTTP/1.1\r\nHost: a\r\n\r\n",
	 HEAD_200 LENGTH(3) CLOSE "\r\nbye"},
	{"answered before the body, which is dropped",
	 "POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nGET /none"
	 "GET /json HTTP/1.1\r\nHost: a\r\n\r\n",
	 OK_JSON OK_JSON},
	{"answered before the chunks",
	 "POST /json HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	 "3\r\nhel\r\n0\r\n\r\nGET /json HTTP/1.1\r\nHost: a\r\n\r\n",
	 OK_JSON OK_JSON},
	{"a short produced body", "GET /one HTTP/1.1\r\nHost: a\r\n\r\n",
	 HEAD_200 LENGTH(5) "\r\nabcde"},
	{"a produced body",
	 "GET /parts HTTP/1.1\r\nHost: a\r\n\r\nGET /json HTTP/1.1\r\nHost: a\r\n\r\n",
	 HEAD_200 "Transfer-Encoding: chunked\r\n\r\n00000005\r\nabcde\r\n00000005\r\nabcde\r\n"
		  "00000005\r\nabcde\r\n0\r\n\r\n" OK_JSON},
	{"HEAD of a produced body",
	 "HEAD /parts HTTP/1.1\r\nHost: a\r\n\r\nGET /json HTTP/1.1\r\nHost: a\r\n\r\n",
	 HEAD_200 "Transfer-Encoding: chunked\r\n\r\n" OK_JSON},
	{"a produced body for HTTP/1.0", "GET /parts HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	 "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nDate: D\r\n" CLOSE
	 "\r\nabcdeabcdeabcde"},
	{"a produced body before the request's own",
	 "POST /produce-early HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
	 HEAD_200 "Transfer-Encoding: chunked\r\n" CLOSE
		  "\r\n0000000a\r\nabcdefghij\r\n0000000a\r\nabcdefghij\r\n0000000a\r\n"
		  "abcdefghij\r\n0\r\n\r\n"},
	/* refused */
	{"a bare LF", "GET /json HTTP/1.1\nHost: a\r\n\r\n", FAULT(400, "Bad Request", 0)},
	{"no Host", "GET /json HTTP/1.1\r\n\r\n", FAULT(400, "Bad Request", 0)},
	{"two Hosts", "GET /json HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
	 FAULT(400, "Bad Request", 0)},
	{"two lengths",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
	 FAULT(400, "Bad Request", 0)},
	{"length and chunks",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: "
	 "chunked\r\n\r\n",
	 FAULT(400, "Bad Request", 0)},
	{"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", FAULT(400, "Bad Request", 0)},
	{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", FAULT(505, "HTTP Version Not Supported", 0)},
	{"gzip", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
	 FAULT(501, "Not Implemented", 0)},
	{"an unknown expectation", "GET /json HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n",
	 FAULT(417, "Expectation Failed", 0)},
	{"a fault ends the pipeline",
	 "GET /json HTTP/1.1\r\nHost: a\r\n\r\nGET /json\r\n\r\nGET /json HTTP/1.1\r\nHost: "
	 "a\r\n\r\n",
	 OK_JSON FAULT(400, "Bad Request", 0)},
	{"a broken chunk",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
	 FAULT(400, "Bad Request", 1)},
	{"a broken second chunk",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
	 FAULT(400, "Bad Request", 1)},
	/* cut by the peer */
	{"half a head", "GET /json HTTP/1.1\r\nHost:", ""},
	{"half a body", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell", ""},
	{"half a chunk",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", ""},
	{"half a body that is dropped",
	 "POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab", OK_JSON},
	{"nothing", "", ""},
};

/* Sends in two pieces, or in `step` bytes when that is not 0. The turns between make sure that the
 * server has seen each piece. */
static void converse(const struct conversation *conversation, size_t cut, size_t step)
{
	struct wr_view rest = wr_view_of_string(conversation->request);
	int fd = rig_connect();

	rig_turn_until_count(1);
	while (rest.bytes != 0) {
		size_t piece = step != 0 ? step : cut != 0 ? cut : rest.bytes;
		if (piece > rest.bytes)
			piece = rest.bytes;
		rig_send(fd, wr_view_of(rest.data, piece));
		rest = wr_view_skip(rest, piece);
		cut = 0;
		if (rest.bytes != 0)
			wr_reactor_turn(&rig.reactor, 0);
	}
	CHECK(shutdown(fd, SHUT_WR) == 0);
	rig_receive_all(fd);
	CHECK(got.is_ended);
	rig_check_got(conversation->answer);
	rig_turn_until_count(0);
	close(fd);
}

static void test_conversations_do_not_depend_on_how_they_are_cut(void)
{
	rig_prepare();
	rig_open();
	for (size_t i = 0; i < WR_COUNT(conversations); i++) {
		const struct conversation *conversation = &conversations[i];
		size_t bytes = strlen(conversation->request);
		wr_test_case(conversation->label);
		converse(conversation, 0, 0);
		converse(conversation, 0, 1);
		for (size_t cut = 1; cut < bytes; cut += RIG_TLS ? 9 : 1)
			converse(conversation, cut, 0);
	}
	rig_close();
}

static void test_pipelined_requests_leave_in_one_piece(void)
{
	char request[4096];
	size_t bytes = 0;
	int fd;

	rig_prepare();
	rig_open();
	for (int i = 0; i < 16; i++)
		bytes += (size_t)snprintf(request + bytes, sizeof request - bytes,
					  "GET /json HTTP/1.1\r\nHost: a\r\n\r\n");
	fd = rig_connect();
	rig_turn_until_count(1);
	rig_send(fd, wr_view_of(request, bytes));
	wr_reactor_turn(&rig.reactor, 1000);
	CHECK(rig_receive(fd));
	CHECK_U64(got.receive_count, 1);
	rig_hide_dates();
	CHECK_U64(got.bytes, 16 * (sizeof OK_JSON - 1));
	CHECK_U64(rig.head_count, 16);
	close(fd);
	rig_close();
}

static void test_a_turn_serves_a_bounded_number_of_requests(void)
{
	enum { COUNT = 100 };
	char request[8192];
	size_t bytes = 0;
	int fd;

	rig_prepare();
	rig_open();
	for (int i = 0; i < COUNT; i++)
		bytes += (size_t)snprintf(request + bytes, sizeof request - bytes,
					  "GET /json HTTP/1.1\r\nHost: a\r\n\r\n");
	fd = rig_connect();
	rig_turn_until_count(1);
	rig_send(fd, wr_view_of(request, bytes));
	wr_reactor_turn(&rig.reactor, 1000);
	CHECK(rig.head_count <= 2 * WR_TURN_REQUEST_COUNT_MAX);
	shutdown(fd, SHUT_WR);
	rig_receive_all(fd);
	CHECK_U64(rig.head_count, COUNT);
	rig_hide_dates();
	CHECK_U64(got.bytes, COUNT * (sizeof OK_JSON - 1));
	close(fd);
	rig_close();
}

static void test_answers_after_the_maximum_of_requests_say_close(void)
{
	struct wr_view request = WR_VIEW("GET /json HTTP/1.1\r\nHost: a\r\n\r\n");
	int fd;

	rig_prepare();
	rig_open();
	fd = rig_connect();
	for (unsigned i = 1; i <= WR_HTTP_REQUESTS_MAX; i++) {
		rig_forget();
		rig_send(fd, request);
		rig_receive_text(fd, "true}");
		CHECK((strstr(got.data, CLOSE) != NULL) == (i == WR_HTTP_REQUESTS_MAX));
	}
	rig_receive_all(fd);
	CHECK(got.is_ended);
	close(fd);
	rig_close();
}

static void test_a_deferred_answer_holds_up_the_pipeline(void)
{
	int fd;

	rig_prepare();
	rig_open();
	fd = rig_connect();
	rig_send(fd, WR_VIEW("POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"
			     "GET /json HTTP/1.1\r\nHost: a\r\n\r\nGET /js"));
	while (rig.kept_count == 0)
		rig_turn();
	rig_send(fd, WR_VIEW("on HTTP/1.1\r\nHost: a\r\n\r\n"));
	for (int i = 0; i < 5; i++)
		rig_turn();
	CHECK(!rig_receive(fd));
	CHECK_U64(rig.head_count, 1);
	wr_http_answer(rig.kept[0], 200, WR_VIEW("late"));
	rig_receive_text(fd, "late");
	while (rig.head_count != 3)
		rig_turn();
	shutdown(fd, SHUT_WR);
	rig_receive_all(fd);
	rig_check_got(HEAD_200 LENGTH(4) "\r\nlate" OK_JSON OK_JSON);
	CHECK_U64(rig.abandon_count, 0);
	close(fd);
	rig_close();
}

static void test_a_deferred_answer_reaches_a_half_closed_peer(void)
{
	int fd;

	rig_prepare();
	rig_open();
	fd = rig_connect();
	rig_send(fd, WR_VIEW("GET /later HTTP/1.1\r\nHost: a\r\n\r\n"));
	shutdown(fd, SHUT_WR);
	while (rig.kept_count == 0)
		rig_turn();
	for (int i = 0; i < 5; i++)
		rig_turn();
	CHECK_U64(wr_http_server_connection_count(rig.server), 1);
	wr_http_answer(rig.kept[0], 200, WR_VIEW("late"));
	rig_receive_all(fd);
	rig_check_got(HEAD_200 LENGTH(4) "\r\nlate");
	close(fd);
	rig_close();
}

static void reset_client(int fd)
{
	struct linger linger = {1, 0};

	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
	close(fd);
}

static void test_a_reset_abandons_the_exchange(void)
{
	int fd;

	rig_prepare();
	rig_open();
	fd = rig_connect();
	rig_send(fd, WR_VIEW("GET /later HTTP/1.1\r\nHost: a\r\n\r\n"));
	while (rig.kept_count == 0)
		rig_turn();
	reset_client(fd);
	rig_turn_until_count(0);
	CHECK_U64(rig.abandon_count, 1);
	CHECK(rig.kept[0] == NULL);
	rig_close();
}

static void test_an_exchange_is_abandoned_when_the_server_goes(void)
{
	int fd;

	rig_prepare();
	rig_open();
	fd = rig_connect();
	rig_send(fd, WR_VIEW("GET /later HTTP/1.1\r\nHost: a\r\n\r\n"));
	while (rig.kept_count == 0)
		rig_turn();
	rig_close();
	CHECK_U64(rig.abandon_count, 1);
	close(fd);
}

static void test_a_reset_at_any_phase_leaves_nothing(void)
{
	static const char *const begun[] = {
		"",
		"GET /js",
		"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
		"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
		"GET /later HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET /json HTTP/1.1\r\n",
		"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /close HTTP/1.1\r\nHost: a\r\n\r\n",
	};

	rig_prepare();
	rig_open();
	for (size_t i = 0; i < WR_COUNT(begun); i++) {
		int fd = rig_connect();
		wr_test_case(begun[i]);
		rig_turn_until_count(1);
		rig_send(fd, wr_view_of_string(begun[i]));
		for (int turn = 0; turn < 5; turn++)
			rig_turn();
		reset_client(fd);
		rig_turn_until_count(0);
	}
	rig_close();
	CHECK_U64(rig.release_count, 1);
}

static void test_answers_may_cross_between_connections(void)
{
	int fd[2];

	rig_prepare();
	rig_open();
	for (int i = 0; i < 2; i++) {
		fd[i] = rig_connect();
		rig_send(fd[i], WR_VIEW("GET /later HTTP/1.1\r\nHost: a\r\n\r\n"));
		while (rig.kept_count != (unsigned)i + 1)
			rig_turn();
	}
	wr_http_answer(rig.kept[1], 200, WR_VIEW("second"));
	wr_http_answer(rig.kept[0], 200, WR_VIEW("first"));
	rig_receive_text(fd[0], "first");
	CHECK(strstr(got.data, "second") == NULL);
	rig_forget();
	rig_receive_text(fd[1], "second");
	close(fd[0]);
	close(fd[1]);
	rig_close();
}

static void test_continue_is_sent_when_the_body_is_wanted_and_not_there(void)
{
	int fd;

	rig_prepare();
	rig_open();
	fd = rig_connect();
	rig_send(fd, WR_VIEW("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
			     "Content-Length: 3\r\n\r\n"));
	rig_receive_text(fd, "\r\n\r\n");
	rig_check_got("HTTP/1.1 100 Continue\r\n\r\n");
	rig_send(fd, WR_VIEW("abc"));
	rig_receive_text(fd, "abc");
	rig_check_got("HTTP/1.1 100 Continue\r\n\r\n" HEAD_200 LENGTH(3) "\r\nabc");
	rig_forget();
	rig_send(fd, WR_VIEW("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
			     "Content-Length: 3\r\n\r\nabc"));
	rig_receive_text(fd, "abc");
	rig_check_got(HEAD_200 LENGTH(3) "\r\nabc");
	rig_forget();
	/* Refused: whether the body comes now is anybody's guess, so that is the end. */
	rig_send(fd, WR_VIEW("POST /none HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
			     "Content-Length: 3\r\n\r\n"));
	rig_receive_all(fd);
	rig_check_got("HTTP/1.1 404 Not Found\r\nDate: D\r\nContent-Length: 0\r\n" CLOSE "\r\n");
	CHECK_U64(rig.head_count, 4);
	CHECK_U64(rig.request_count, 2);
	close(fd);
	rig_close();
}

static void test_a_body_of_the_limit_is_taken_and_a_longer_one_is_413(void)
{
	static char body[WR_HTTP_BODY_BYTES_MAX + 1];
	char head[128];
	int fd;

	memset(body, 'x', sizeof body);
	rig_prepare();
	rig_open();
	for (size_t bytes = WR_HTTP_BODY_BYTES_MAX; bytes <= WR_HTTP_BODY_BYTES_MAX + 1; bytes++) {
		fd = rig_connect();
		snprintf(head, sizeof head,
			 "POST /made HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", bytes);
		rig_send(fd, wr_view_of_string(head));
		rig_send(fd, wr_view_of(body, bytes));
		rig_receive_text(fd, "}");
		if (bytes == WR_HTTP_BODY_BYTES_MAX) {
			rig_check_got("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
				      "Date: D\r\nContent-Length: 16\r\n\r\n{\"made\":2097152}");
		} else {
			shutdown(fd, SHUT_WR);
			rig_receive_all(fd);
			CHECK(got.is_ended);
			rig_check_got("HTTP/1.1 413 Content Too Large\r\n"
				      "Content-Type: application/json\r\nDate: D\r\n"
				      "Content-Length: 22\r\n" CLOSE "\r\n"
				      "{\"fault\":413,\"kind\":2}");
		}
		close(fd);
	}
	rig_close();
}

static void test_a_body_over_the_limit_of_its_route_is_413(void)
{
	static const char *const requests[] = {
		"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
		"chunked\r\n\r\n5\r\nabcde\r\n",
		"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"
		"GET /close HTTP/1.1\r\nHost: a\r\n\r\n",
	};
	static const char *const answers[] = {
		FAULT(413, "Content Too Large", 2),
		"HTTP/1.1 413 Content Too Large\r\nContent-Type: application/json\r\nDate: D\r\n"
		"Content-Length: 22\r\n\r\n{\"fault\":413,\"kind\":2}" HEAD_200 LENGTH(3) CLOSE
		"\r\nbye",
	};

	rig_prepare();
	rig_open();
	rig.body_bytes_max = 4;
	for (size_t i = 0; i < WR_COUNT(requests); i++) {
		int fd = rig_connect();
		rig_send(fd, wr_view_of_string(requests[i]));
		shutdown(fd, SHUT_WR);
		rig_receive_all(fd);
		rig_check_got(answers[i]);
		close(fd);
	}
	CHECK_U64(rig.request_count, 1);
	rig_close();
}

static void test_heads_over_their_limits_are_refused(void)
{
	static char request[40000];
	static const struct {
		size_t target_bytes, field_bytes, field_count;
		const char *status;
	} cases[] = {
		{WR_HTTP_TARGET_BYTES_MAX + 1, 1, 1, " 414 "},
		{1, WR_HTTP_FIELD_BYTES_MAX, 1, " 431 "},
		{1, 1, WR_HTTP_FIELD_COUNT_MAX + 1, " 431 "},
		{1, 200, 90, " 431 "},
	};

	rig_prepare();
	rig_open();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		size_t bytes = (size_t)sprintf(request, "GET /");
		int fd = rig_connect();
		memset(request + bytes, 't', cases[i].target_bytes);
		bytes += cases[i].target_bytes;
		bytes += (size_t)sprintf(request + bytes, " HTTP/1.1\r\nHost: a\r\n");
		for (size_t k = 0; k < cases[i].field_count; k++) {
			bytes += (size_t)sprintf(request + bytes, "F: ");
			memset(request + bytes, 'v', cases[i].field_bytes);
			bytes += cases[i].field_bytes;
			bytes += (size_t)sprintf(request + bytes, "\r\n");
		}
		rig_send(fd, wr_view_of(request, bytes));
		rig_receive_all(fd);
		CHECK(got.is_ended && strstr(got.data, cases[i].status) != NULL);
		close(fd);
	}
	CHECK_U64(rig.head_count, 0);
	rig_close();
}

/* The text that a producer of `parts` times `bytes` makes, taken out of its chunks. */
static size_t count_chunked(const char *text, size_t bytes)
{
	size_t at = 0, payload = 0;

	for (;;) {
		char *end;
		unsigned long size = strtoul(text + at, &end, 16);
		at = (size_t)(end - text) + 2;
		if (size == 0)
			break;
		CHECK(text[at] == 'a');
		at += size + 2;
		payload += size;
		CHECK(at < bytes);
	}
	CHECK_U64(at + 2, bytes);
	return payload;
}

static void test_a_producer_runs_only_as_fast_as_its_reader(void)
{
	static char all[12 << 20];
	size_t total = 0;
	int fd;

	rig_prepare();
	rig_open();
	fd = rig_connect_small(4096);
	rig_send(fd, WR_VIEW("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"));
	for (int i = 0; i < 200; i++)
		wr_reactor_turn(&rig.reactor, 1);
	/* Its output, the socket's buffers, and not ten megabytes. */
	CHECK(rig.parts_left > 300);
	CHECK(wr_test_allocator()->used < (1u << 20));
	shutdown(fd, SHUT_WR);
	while (!got.is_ended) {
		rig_forget();
		if (!rig_receive(fd))
			rig_turn();
		CHECK(!got.is_reset && total + got.bytes < sizeof all);
		memcpy(all + total, got.data, got.bytes);
		total += got.bytes;
	}
	CHECK_U64(rig.release_count, 1);
	all[total] = '\0';
	CHECK_U64(count_chunked(strstr(all, "\r\n\r\n") + 4,
				total - (size_t)(strstr(all, "\r\n\r\n") + 4 - all)),
		  10240000);
	close(fd);
	rig_close();
}

static struct wr_stream taken;
static char early_bytes[64];

static void take_over(struct wr_http_exchange *exchange)
{
	struct wr_view early;

	CHECK_STATUS(wr_http_upgrade(exchange, WR_VIEW("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
				     &taken, &early),
		     WR_OK);
	CHECK(early.bytes < sizeof early_bytes);
	memcpy(early_bytes, early.data, early.bytes);
	early_bytes[early.bytes] = '\0';
}

static void test_an_upgrade_gives_the_stream_and_what_came_early(void)
{
	int fd;

	rig_prepare();
	rig_open();
	rig.on_upgrade = take_over;
	fd = rig_connect();
	rig_send(fd, WR_VIEW("GET /json HTTP/1.1\r\nHost: a\r\n\r\n"
			     "GET /upgrade HTTP/1.1\r\nHost: a\r\n\r\nearly"));
	rig_receive_text(fd, "101 Switching Protocols\r\n\r\n");
	rig_check_got(OK_JSON "HTTP/1.1 101 Switching Protocols\r\n\r\n");
	CHECK_STRING(wr_view_of_string(early_bytes), "early");
	CHECK_U64(wr_http_server_connection_count(rig.server), 1);
	rig_turn();
	wr_stream_close(&taken, 0);
	wr_http_server_release(rig.server);
	CHECK_U64(wr_http_server_connection_count(rig.server), 0);
	close(fd);
	rig_close();
}

static void refuse_upgrade(struct wr_http_exchange *exchange)
{
	struct wr_view early;

	CHECK_STATUS(wr_http_upgrade(exchange, WR_VIEW("HTTP/1.1 101 S\r\n\r\n"), &taken, &early),
		     WR_CLOSED);
}

static void test_an_upgrade_with_a_body_is_not_one(void)
{
	int fd;

	rig_prepare();
	rig_open();
	rig.on_upgrade = refuse_upgrade;
	fd = rig_connect();
	rig_send(fd, WR_VIEW("GET /upgrade HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"));
	rig_receive_all(fd);
	CHECK_U64(got.bytes, 0);
	close(fd);
	rig_close();
}

static void test_draining_ends_idle_connections_and_closes_after_answers(void)
{
	int idle, busy, half;

	rig_prepare();
	rig_open();
	idle = rig_connect();
	busy = rig_connect();
	half = rig_connect();
	rig_send(busy, WR_VIEW("GET /later HTTP/1.1\r\nHost: a\r\n\r\n"));
	rig_send(half, WR_VIEW("GET /json HT"));
	while (rig.kept_count == 0 || wr_http_server_connection_count(rig.server) != 3)
		rig_turn();
	rig_turn();
	wr_http_server_drain(rig.server);
	rig_receive_all(idle);
	CHECK(got.is_ended);
	got.is_ended = false;
	wr_http_answer(rig.kept[0], 200, WR_VIEW("late"));
	rig_receive_text(busy, "late");
	rig_check_got(HEAD_200 LENGTH(4) CLOSE "\r\nlate");
	rig_forget();
	rig_send(half, WR_VIEW("TP/1.1\r\nHost: a\r\n\r\n"));
	rig_receive_text(half, "true}");
	CHECK(strstr(got.data, CLOSE) != NULL);
	close(idle);
	close(busy);
	close(half);
	rig_turn_until_count(0);
	rig_close();
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_conversations_do_not_depend_on_how_they_are_cut, 60),
	WR_TEST(test_pipelined_requests_leave_in_one_piece),
	WR_TEST(test_a_turn_serves_a_bounded_number_of_requests),
	WR_TEST_LIMIT(test_answers_after_the_maximum_of_requests_say_close, 30),
	WR_TEST(test_a_deferred_answer_holds_up_the_pipeline),
	WR_TEST(test_a_deferred_answer_reaches_a_half_closed_peer),
	WR_TEST(test_a_reset_abandons_the_exchange),
	WR_TEST(test_an_exchange_is_abandoned_when_the_server_goes),
	WR_TEST(test_a_reset_at_any_phase_leaves_nothing),
	WR_TEST(test_answers_may_cross_between_connections),
	WR_TEST(test_continue_is_sent_when_the_body_is_wanted_and_not_there),
	WR_TEST(test_a_body_of_the_limit_is_taken_and_a_longer_one_is_413),
	WR_TEST(test_a_body_over_the_limit_of_its_route_is_413),
	WR_TEST(test_heads_over_their_limits_are_refused),
	WR_TEST(test_a_producer_runs_only_as_fast_as_its_reader),
	WR_TEST(test_an_upgrade_gives_the_stream_and_what_came_early),
	WR_TEST(test_an_upgrade_with_a_body_is_not_one),
	WR_TEST(test_draining_ends_idle_connections_and_closes_after_answers),
	WR_TEST_END,
};
