/*
 * Goal: every answer of a remote is understood exactly or refused exactly, however its bytes are
 * cut; every call ends once; kept connections are used again and never trusted. Method: a scripted
 * remote on loopback in the same thread, which gives a fixed text as answer: whole, byte by byte,
 * and cut at every position.
 */
#include "check.h"
#include "conn/http_client.h"
#include "harness/harness.h"
#include "io/clock.h"
#include "io/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* RIG_TLS: over TLS, by a relay that the tests do not see. */
#ifdef RIG_TLS
#include "unit/conn/relay.h"
#else
#define RIG_TLS 0
#endif

enum { REMOTES_MAX = 16 };

/* ---- the remote ---- */

struct connection {
	int fd;
	char request[8192]; /* since the last answer */
	size_t request_bytes;
	size_t sent; /* of the answer; SIZE_MAX: no request is open */
};

static struct {
	int listener;
	struct sockaddr_in address;
	struct wr_view answer; /* to every request */
	size_t step;	       /* bytes per send; 0: all */
	size_t cut;	       /* closes after so many bytes of an answer; SIZE_MAX: never */
	bool is_silent, closes_after, ends_before;
	unsigned accepted, answered;
	struct connection connections[REMOTES_MAX];
	char last_request[8192];
} remote;

static void open_remote(void)
{
	socklen_t bytes = sizeof remote.address;

	remote.listener = wr_descriptor_socket(AF_INET);
	remote.address =
		(struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	remote.cut = SIZE_MAX;
	CHECK(bind(remote.listener, (struct sockaddr *)&remote.address, bytes) == 0);
	CHECK(listen(remote.listener, 16) == 0);
	CHECK(getsockname(remote.listener, (struct sockaddr *)&remote.address, &bytes) == 0);
	for (unsigned i = 0; i < REMOTES_MAX; i++)
		remote.connections[i].fd = -1;
}

static void end_connection(struct connection *self)
{
	close(self->fd);
	self->fd = -1;
}

static void accept_one(void)
{
	int fd = wr_descriptor_accept(remote.listener, NULL, NULL);

#if RIG_TLS
	if (fd >= 0) {
		fd = relay_over(fd, true, 0);
		CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	}
#endif
	for (unsigned i = 0; fd >= 0 && i < REMOTES_MAX; i++)
		if (remote.connections[i].fd < 0) {
			remote.connections[i] = (struct connection){.fd = fd, .sent = SIZE_MAX};
			remote.accepted++;
			return;
		}
	CHECK(fd < 0);
}

static void read_request(struct connection *self)
{
	ssize_t got = recv(self->fd, self->request + self->request_bytes,
			   sizeof self->request - 1 - self->request_bytes, MSG_DONTWAIT);

	if (got == 0 || (got < 0 && errno != EAGAIN)) {
		end_connection(self);
		return;
	}
	if (got < 0)
		return;
	self->request_bytes += (size_t)got;
	self->request[self->request_bytes] = '\0';
	if (strstr(self->request, "\r\n\r\n") == NULL || remote.is_silent)
		return;
	memcpy(remote.last_request, self->request, sizeof remote.last_request);
	self->request_bytes = 0;
	self->sent = 0;
	if (remote.ends_before) {
		remote.ends_before = false;
		end_connection(self);
	}
}

static void send_some(struct connection *self)
{
	size_t end = remote.answer.bytes < remote.cut ? remote.answer.bytes : remote.cut;
	size_t bytes;

	if (self->sent > end) { /* the rest of an answer of before */
		end_connection(self);
		return;
	}
	bytes = end - self->sent;
	if (remote.step != 0 && bytes > remote.step)
		bytes = remote.step;
	if (bytes != 0 && send(self->fd, remote.answer.data + self->sent, bytes,
			       MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)bytes) {
		end_connection(self);
		return;
	}
	self->sent += bytes;
	if (self->sent != end)
		return;
	remote.answered++;
	self->sent = SIZE_MAX;
	if (remote.cut != SIZE_MAX || remote.closes_after)
		end_connection(self);
}

static void turn_remote(void)
{
	accept_one();
	for (unsigned i = 0; i < REMOTES_MAX; i++) {
		struct connection *connection = &remote.connections[i];
		if (connection->fd >= 0 && connection->sent == SIZE_MAX)
			read_request(connection);
		else if (connection->fd >= 0)
			send_some(connection);
	}
}

/* ---- the client ---- */

static struct wr_reactor reactor;
static struct wr_http_client *client;

struct asked {
	struct wr_http_call call;
	unsigned done_count;
	enum wr_status status;
	int os_error;
	unsigned http_status;
	char body[4096];
	size_t body_bytes;
	unsigned data_count;
	bool refuses_head, cancels_on_data;
};

static void on_done(struct wr_http_call *call, const struct wr_http_outcome *outcome)
{
	struct asked *self = wr_container_of(call, struct asked, call);

	self->done_count++;
	self->status = outcome->status;
	self->os_error = outcome->os_error;
	if (outcome->head == NULL)
		return;
	self->http_status = outcome->head->status;
	if (call->on_data != NULL)
		return;
	CHECK(outcome->body.bytes < sizeof self->body);
	self->body_bytes = outcome->body.bytes;
	if (outcome->body.bytes != 0)
		memcpy(self->body, outcome->body.data, outcome->body.bytes);
}

static bool on_head(struct wr_http_call *call, const struct wr_http_head *head)
{
	struct asked *self = wr_container_of(call, struct asked, call);

	self->http_status = head->status;
	return !self->refuses_head;
}

static void on_data(struct wr_http_call *call, struct wr_view data)
{
	struct asked *self = wr_container_of(call, struct asked, call);

	CHECK(self->body_bytes + data.bytes < sizeof self->body);
	memcpy(self->body + self->body_bytes, data.data, data.bytes);
	self->body_bytes += data.bytes;
	self->data_count++;
	if (self->cancels_on_data)
		wr_http_call_cancel(call);
}

static void begin(struct asked *self, const char *method)
{
	struct wr_http_call *call = &self->call;

	call->method = wr_view_of_string(method);
	call->target = WR_VIEW("/v1/runtime");
	call->on_done = on_done;
	if (call->ms_max == 0)
		call->ms_max = 5000;
	if (call->body_bytes_max == 0)
		call->body_bytes_max = 2048;
	self->done_count = 0;
	self->body_bytes = 0;
	CHECK_STATUS(wr_http_call_begin(call, client), WR_OK);
	CHECK_U64(self->done_count, 0);
}

static void turn(void)
{
	wr_reactor_turn(&reactor, 0);
	turn_remote();
}

static void wait_done(struct asked *self)
{
	while (self->done_count == 0)
		turn();
}

static void open_rig(unsigned connections)
{
	struct wr_http_client_config config;
	struct wr_error error;

	open_remote();
	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_OK);
	wr_http_client_defaults(&config);
	config.host = WR_VIEW("remote:1");
	config.connection_count_max = connections;
	config.authorization = WR_VIEW("Bearer secret");
	config.target_prefix = WR_VIEW("/base");
	memcpy(&config.address.storage, &remote.address, sizeof remote.address);
	config.address.bytes = sizeof remote.address;
#if RIG_TLS
	relays_open(&reactor);
	config.tls = relays.client;
	config.tls_name = "localhost";
#endif
	CHECK_STATUS(wr_http_client_new(&client, &reactor, wr_test_allocator(), &config), WR_OK);
}

static void close_rig(void)
{
	wr_http_client_free(client);
#if RIG_TLS
	relays_close();
#endif
	wr_reactor_deinit(&reactor);
}

/* ---- answers ---- */

struct answer {
	const char *label, *text;
	enum wr_status status;
	unsigned http_status;
	const char *body;
	bool is_kept;	  /* the connection is used again */
	bool ends_anyhow; /* until close: a cut is an end */
};

static const struct answer answers[] = {
	{"a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", WR_OK, 200, "hello", true,
	 false},
	{"no body", "HTTP/1.1 204 No Content\r\n\r\n", WR_OK, 204, "", true, false},
	{"chunks",
	 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
	 WR_OK, 200, "hello", true, false},
	{"an error", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", WR_OK, 404, "{}",
	 true, false},
	{"a redirect is an answer",
	 "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n", WR_OK,
	 302, "", true, false},
	{"close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", WR_OK, 200,
	 "x", false, false},
	{"interim ones are dropped",
	 "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 "
	 "OK\r\nContent-Length: 1\r\n\r\nx",
	 WR_OK, 200, "x", true, false},
	{"HTTP/1.0 until close", "HTTP/1.0 200 OK\r\n\r\nhello", WR_OK, 200, "hello", false, true},
	{"bytes behind", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK", WR_OK, 200,
	 "x", false, false},
	{"not HTTP", "SSH-2.0-OpenSSH\r\n\r\n", WR_SYNTAX, 0, NULL, false, false},
	{"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", WR_UNSUPPORTED, 0, NULL, false, false},
	{"an upgrade nobody asked for",
	 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", WR_SYNTAX,
	 0, NULL, false, false},
	{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
	 WR_SYNTAX, 0, NULL, false, false},
	{"length and chunks",
	 "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0",
	 WR_SYNTAX, 0, NULL, false, false},
	{"a bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n", WR_SYNTAX, 0,
	 NULL, false, false},
	{"a body over the limit", "HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\nx", WR_TOO_LARGE,
	 0, NULL, false, false},
	{"a bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", WR_SYNTAX, 0, NULL, false, false},
};

static void check_answer(const struct asked *asked, const struct answer *expected)
{
	CHECK_U64(asked->done_count, 1);
	CHECK_STATUS(asked->status, expected->status);
	if (expected->status != WR_OK)
		return;
	CHECK_U64(asked->http_status, expected->http_status);
	CHECK_VIEW(wr_view_of(asked->body, asked->body_bytes), wr_view_of_string(expected->body));
}

static void test_answers_are_understood_whole_and_byte_by_byte(void)
{
	static struct asked asked;

	open_rig(1);
	for (size_t i = 0; i < WR_COUNT(answers); i++)
		for (unsigned step = 0; step < 2; step++) {
			unsigned accepted = remote.accepted;
			wr_test_case(answers[i].label);
			remote.answer = wr_view_of_string(answers[i].text);
			remote.step = step;
			remote.closes_after = answers[i].ends_anyhow;
			begin(&asked, "GET");
			wait_done(&asked);
			check_answer(&asked, &answers[i]);
			while (!answers[i].is_kept && wr_http_client_connection_count(client) != 0)
				turn(); /* what came behind is still to be seen */
			CHECK_U64(wr_http_client_connection_count(client), answers[i].is_kept);
			begin(&asked, "GET"); /* and once more, on the same connection or another */
			wait_done(&asked);
			check_answer(&asked, &answers[i]);
			if (answers[i].is_kept)
				CHECK(remote.accepted <= accepted + 1);
			else
				CHECK(remote.accepted > accepted);
		}
	close_rig();
}

/* Never a short success: a cut answer is said to be cut, or malformed where that came before. */
static void test_an_answer_that_is_cut_is_never_a_success(void)
{
	static struct asked asked;

	open_rig(1);
	for (size_t i = 0; i < WR_COUNT(answers); i++) {
		size_t bytes = strlen(answers[i].text);
		wr_test_case(answers[i].label);
		remote.answer = wr_view_of_string(answers[i].text);
		for (remote.cut = 0; remote.cut < bytes; remote.cut++) {
			begin(&asked, "GET");
			wait_done(&asked);
			CHECK_U64(asked.done_count, 1);
			if (asked.status == WR_OK) /* what is missing was not part of it */
				CHECK(answers[i].ends_anyhow ||
				      strcmp(answers[i].label, "bytes behind") == 0);
			else if (asked.status != answers[i].status)
				CHECK_STATUS(asked.status, WR_CLOSED);
		}
	}
	close_rig();
}

static void test_a_request_is_what_was_asked_for(void)
{
	static struct asked asked;

	open_rig(1);
	remote.answer = WR_VIEW("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	begin(&asked, "GET");
	wait_done(&asked);
	CHECK_STRING(wr_view_of_string(remote.last_request),
		     "GET /base/v1/runtime HTTP/1.1\r\nHost: remote:1\r\n"
		     "Authorization: Bearer secret\r\n\r\n");
	asked.call.fields = WR_VIEW("Content-Type: application/json\r\n");
	asked.call.body = WR_VIEW("{}");
	begin(&asked, "POST");
	wait_done(&asked);
	CHECK_STRING(wr_view_of_string(remote.last_request),
		     "POST /base/v1/runtime HTTP/1.1\r\nHost: remote:1\r\n"
		     "Authorization: Bearer secret\r\nContent-Type: application/json\r\n"
		     "Content-Length: 2\r\n\r\n{}");
	CHECK_U64(remote.accepted, 1);
	close_rig();
}

static void test_a_kept_connection_that_ended_costs_a_repeatable_call_nothing(void)
{
	static struct asked asked;

	open_rig(1);
	remote.answer = WR_VIEW("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	begin(&asked, "GET");
	wait_done(&asked);
	remote.ends_before = true;
	asked.call.is_repeatable = true;
	begin(&asked, "GET");
	wait_done(&asked);
	CHECK_STATUS(asked.status, WR_OK);
	CHECK_U64(remote.accepted, 2);
	remote.ends_before = true;
	asked.call.is_repeatable = false;
	begin(&asked, "POST");
	wait_done(&asked);
	CHECK_STATUS(asked.status, WR_CLOSED);
	CHECK_U64(remote.accepted, 2);
	/* A new connection that ends at once is no such case. */
	remote.ends_before = true;
	asked.call.is_repeatable = true;
	begin(&asked, "GET");
	wait_done(&asked);
	CHECK_STATUS(asked.status, WR_CLOSED);
	close_rig();
}

static void test_silence_ends_by_the_deadline(void)
{
	static struct asked asked = {.call.ms_max = 30};

	open_rig(1);
	remote.is_silent = true;
	begin(&asked, "GET");
	wait_done(&asked);
	CHECK_STATUS(asked.status, WR_TIMEOUT);
	CHECK_U64(wr_http_client_connection_count(client), 0);
	close_rig();
}

static void test_nobody_listening_is_told_with_the_reason(void)
{
	static struct asked asked;

	open_rig(1);
	close(remote.listener);
	begin(&asked, "GET");
	while (asked.done_count == 0)
		wr_reactor_turn(&reactor, 10);
	CHECK_STATUS(asked.status, WR_UNAVAILABLE);
	CHECK_U64((uint64_t)asked.os_error, ECONNREFUSED);
	close_rig();
}

static void test_calls_wait_for_a_connection_and_all_are_answered(void)
{
	static struct asked asked[12];
	unsigned done = 0;

	open_rig(3);
	remote.answer = WR_VIEW("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	for (unsigned i = 0; i < 12; i++)
		begin(&asked[i], "GET");
	while (done < 12) {
		turn();
		CHECK(wr_http_client_connection_count(client) <= 3);
		done = 0;
		for (unsigned i = 0; i < 12; i++)
			done += asked[i].done_count;
	}
	for (unsigned i = 0; i < 12; i++)
		CHECK_STATUS(asked[i].status, WR_OK);
	CHECK(remote.accepted <= 3);
	close_rig();
}

static void test_a_queue_is_bounded_and_a_cancelled_call_is_silent(void)
{
	static struct asked asked[300];
	unsigned begun = 0;

	open_rig(1);
	remote.is_silent = true;
	for (; begun < 300; begun++) {
		asked[begun].call.method = WR_VIEW("GET");
		asked[begun].call.target = WR_VIEW("/");
		asked[begun].call.on_done = on_done;
		asked[begun].call.ms_max = 60000;
		if (wr_http_call_begin(&asked[begun].call, client) != WR_OK)
			break;
	}
	CHECK(begun >= 256 && begun < 300);
	for (unsigned i = 0; i < 10; i++)
		turn();
	for (unsigned i = 0; i < begun; i++)
		wr_http_call_cancel(&asked[i].call);
	for (unsigned i = 0; i < 10; i++)
		turn();
	for (unsigned i = 0; i < begun; i++)
		CHECK(asked[i].done_count == 0 && !wr_http_call_is_under_way(&asked[i].call));
	CHECK_U64(wr_http_client_connection_count(client), 0);
	close_rig();
}

static void test_a_streamed_body_is_handed_on_as_it_comes(void)
{
	static struct asked asked;

	open_rig(1);
	asked.call.on_head = on_head;
	asked.call.on_data = on_data;
	remote.step = 1;
	remote.answer = WR_VIEW("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n");
	begin(&asked, "GET");
	wait_done(&asked);
	CHECK_STATUS(asked.status, WR_OK);
	CHECK_STRING(wr_view_of(asked.body, asked.body_bytes), "hello");
	CHECK_U64(asked.data_count, 5);
	asked.refuses_head = true;
	begin(&asked, "GET");
	wait_done(&asked);
	CHECK_U64(asked.body_bytes, 0);
	asked.refuses_head = false;
	asked.cancels_on_data = true;
	begin(&asked, "GET");
	while (wr_http_call_is_under_way(&asked.call))
		turn();
	CHECK(asked.done_count == 0 && asked.body_bytes == 1);
	CHECK_U64(wr_http_client_connection_count(client), 0);
	close_rig();
}

/* ---- pauses ---- */

static struct {
	struct wr_http_call call;
	size_t bytes;
	bool is_done;
	enum wr_status status;
} slow;

static void on_slow_data(struct wr_http_call *call, struct wr_view data)
{
	slow.bytes += data.bytes;
	wr_http_call_pause(call);
	wr_http_call_pause(call);
}

static void on_slow_done(struct wr_http_call *call, const struct wr_http_outcome *outcome)
{
	(void)call;
	slow.is_done = true;
	slow.status = outcome->status;
}

/* Handshakes count, too. */
#define PATIENCE ((unsigned)wr_test_patience(RIG_TLS ? 20 : 1))

static void begin_slow(unsigned ms_max)
{
	slow.call = (struct wr_http_call){
		.method = WR_VIEW("GET"),
		.target = WR_VIEW("/"),
		.ms_max = ms_max,
		.on_data = on_slow_data,
		.on_done = on_slow_done,
	};
	slow.bytes = 0;
	slow.is_done = false;
	CHECK_STATUS(wr_http_call_begin(&slow.call, client), WR_OK);
}

static void turn_for(uint64_t ms)
{
	uint64_t until_ms = wr_clock_monotonic_ms() + ms;

	while (wr_clock_monotonic_ms() < until_ms)
		turn();
}

static const char large_head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/* Ten chunks of 16000 bytes. */
static struct wr_view large_answer(void)
{
	static char text[200000];
	size_t at = sizeof large_head - 1;

	memcpy(text, large_head, at);
	for (unsigned i = 0; i < 10; i++) {
		memcpy(text + at, "3e80\r\n", 6);
		memset(text + at + 6, 'x', 16000);
		memcpy(text + at + 6 + 16000, "\r\n", 2);
		at += 6 + 16000 + 2;
	}
	memcpy(text + at, "0\r\n\r\n", 5);
	return wr_view_of(text, at + 5);
}

static void test_a_paused_call_is_read_no_further_and_has_no_deadline(void)
{
	open_rig(1);
	remote.answer = large_answer();
	remote.step = 4000;
	begin_slow(20 * PATIENCE);
	while (slow.bytes == 0)
		turn();
	turn_for(60 * PATIENCE);
	CHECK(slow.bytes <= 16384 && !slow.is_done);
	while (!slow.is_done) {
		size_t before = slow.bytes;

		wr_http_call_resume(&slow.call);
		wr_http_call_resume(&slow.call);
		turn();
		CHECK(slow.bytes - before <= 16384);
	}
	CHECK_STATUS(slow.status, WR_OK);
	CHECK_U64(slow.bytes, 160000);
	CHECK_U64(wr_http_client_connection_count(client), 1);
	wr_http_call_pause(&slow.call); /* harmless */
	wr_http_call_resume(&slow.call);
	begin_slow(5000); /* and the connection is as good as any */
	while (!slow.is_done) {
		wr_http_call_resume(&slow.call);
		turn();
	}
	CHECK_U64(remote.accepted, 1);
	close_rig();
}

static void test_silence_counts_again_after_a_pause(void)
{
	open_rig(1);
	remote.answer = wr_view_of(large_answer().data, 20000); /* and no more */
	remote.is_silent = false;
	begin_slow(20 * PATIENCE);
	while (slow.bytes == 0 && !slow.is_done)
		turn();
	turn_for(40 * PATIENCE);
	while (!slow.is_done) {
		wr_http_call_resume(&slow.call);
		turn();
	}
	CHECK_STATUS(slow.status, WR_TIMEOUT);
	CHECK_U64(wr_http_client_connection_count(client), 0);
	close_rig();
}

static void test_a_paused_call_can_be_cancelled(void)
{
	open_rig(1);
	remote.answer = large_answer();
	remote.step = 4000;
	begin_slow(5000);
	while (slow.bytes == 0)
		turn();
	wr_http_call_cancel(&slow.call);
	CHECK_U64(wr_http_client_connection_count(client), 0);
	CHECK(!slow.is_done);
	close_rig();
}

static void test_failing_memory_loses_no_call(void)
{
	static struct asked asked;
	unsigned failures = 0;

	open_rig(1);
	remote.answer = WR_VIEW("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	for (uint64_t n = 1; failures + 1 >= n; n++) {
		wr_test_fail_allocation(n, false);
		asked.done_count = 0;
		asked.call.method = WR_VIEW("GET");
		asked.call.target = WR_VIEW("/");
		asked.call.on_done = on_done;
		asked.call.ms_max = 200;
		asked.call.body_bytes_max = 100;
		if (wr_http_call_begin(&asked.call, client) == WR_OK)
			wait_done(&asked);
		failures += wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		remote.closes_after = !remote.closes_after; /* new and kept connections alike */
	}
	CHECK(failures >= 3);
	begin(&asked, "GET");
	wait_done(&asked);
	CHECK_STATUS(asked.status, WR_OK);
	close_rig();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_answers_are_understood_whole_and_byte_by_byte),
	WR_TEST_LIMIT(test_an_answer_that_is_cut_is_never_a_success, 30),
	WR_TEST(test_a_request_is_what_was_asked_for),
	WR_TEST(test_a_kept_connection_that_ended_costs_a_repeatable_call_nothing),
	WR_TEST(test_silence_ends_by_the_deadline),
	WR_TEST(test_nobody_listening_is_told_with_the_reason),
	WR_TEST(test_calls_wait_for_a_connection_and_all_are_answered),
	WR_TEST(test_a_queue_is_bounded_and_a_cancelled_call_is_silent),
	WR_TEST(test_a_streamed_body_is_handed_on_as_it_comes),
	WR_TEST(test_a_paused_call_is_read_no_further_and_has_no_deadline),
	WR_TEST(test_silence_counts_again_after_a_pause),
	WR_TEST(test_a_paused_call_can_be_cancelled),
	WR_TEST(test_failing_memory_loses_no_call),
	WR_TEST_END,
};
