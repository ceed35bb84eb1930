/*
 * Goal: a client comes to the first address of a host that takes it, whatever the others do, and
 * hears exactly once how that ended. Method: a hosts file written here, listeners on loopback that
 * take, refuse or swallow connections; no name server is asked.
 */
#include "check.h"
#include "conn/dial.h"
#include "conn/http_client.h"
#include "harness/harness.h"
#include "io/clock.h"
#include "io/descriptor.h"
#if WR_WS_SERVER
#include "conn/ws_client.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURNS_MAX = 20000, FILLERS = 8 };

static struct wr_reactor reactor;
static struct wr_resolver *resolver;
static char hosts_path[] = "/tmp/wr-dial-XXXXXX";
static uint16_t port;
static int listener = -1, fillers[FILLERS];

static void write_hosts(void)
{
	static const char text[] = "127.0.0.1 here\n"
				   "127.0.0.2 second\n127.0.0.1 second\n"
				   "127.0.0.2 third\n127.0.0.3 third\n127.0.0.1 third\n"
				   "127.0.0.2 closed\n127.0.0.3 closed\n"
				   "127.0.0.4 swallowed\n127.0.0.1 swallowed\n";
	int fd = mkstemp(hosts_path);

	CHECK(fd >= 0 && write(fd, text, sizeof text - 1) == sizeof text - 1);
	close(fd);
}

static int listen_at(uint32_t host, int backlog)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(host)};
	socklen_t bytes = sizeof address;
	int fd = wr_descriptor_socket(AF_INET);

	if (bind(fd, (struct sockaddr *)&address, bytes) != 0)
		wr_test_skip("127.0.0.4 is not an address of this system");
	CHECK(listen(fd, backlog) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&address, &bytes) == 0);
	port = ntohs(address.sin_port);
	return fd;
}

static void begin(void)
{
	struct wr_resolver_config config;
	struct wr_error error;

	write_hosts();
	wr_resolver_defaults(&config);
	config.hosts_path = hosts_path;
	config.resolv_path = "/nonexistent";
	config.server_port = 9; /* of nobody */
	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_OK);
	resolver = wr_resolver_new(&reactor, wr_test_allocator(), &config);
	CHECK(resolver != NULL);
	listener = listen_at(0x7f000001, 64);
}

static void end(void)
{
	wr_resolver_free(resolver);
	wr_reactor_deinit(&reactor);
	close(listener);
	unlink(hosts_path);
}

static struct result {
	struct wr_dial dial;
	unsigned told;
	enum wr_status status;
} result;

static void on_done(struct wr_dial *dial, enum wr_status status)
{
	CHECK(dial == &result.dial);
	result.told++;
	result.status = status;
}

static enum wr_status dial(const char *host)
{
	const struct wr_dial_target target = {
		.resolver = resolver, .host_name = wr_view_of_string(host), .port = port};

	result = (struct result){.dial.on_done = on_done};
	return wr_dial_begin(&result.dial, &reactor, wr_test_allocator(), &target);
}

static void await(const unsigned *told)
{
	for (unsigned i = 0; i < TURNS_MAX && *told == 0; i++)
		wr_reactor_turn(&reactor, 10);
	CHECK_U64(*told, 1);
}

static void test_the_first_address_that_takes_it_has_it(void)
{
	static const struct {
		const char *host;
		enum wr_status expected;
		int os_error;
	} cases[] = {
		{"here", WR_OK, 0},
		{"127.0.0.1", WR_OK, 0},
		{"localhost", WR_OK, 0},
		{"second", WR_OK, 0},
		{"third", WR_OK, 0},
		{"closed", WR_UNAVAILABLE, ECONNREFUSED},
		{"127.0.0.2", WR_UNAVAILABLE, ECONNREFUSED},
		{"nobody", WR_UNAVAILABLE, 0},
	};

	begin();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].host);
		CHECK_STATUS(dial(cases[i].host), WR_MORE);
		CHECK_U64(result.told, 0);
		await(&result.told);
		CHECK_STATUS(result.status, cases[i].expected);
		CHECK_U64(result.dial.os_error, cases[i].os_error);
		CHECK((result.dial.stream.fd >= 0) == (result.status == WR_OK));
		if (result.status == WR_OK)
			CHECK(accept(listener, NULL, NULL) >= 0);
		wr_stream_close(&result.dial.stream, 0);
	}
	end();
}

static void test_what_is_no_host_is_unavailable_at_once(void)
{
	begin();
	CHECK_STATUS(dial("not a host"), WR_UNAVAILABLE);
	CHECK_U64(result.dial.os_error, EINVAL);
	wr_dial_cancel(&result.dial);
	CHECK_U64(result.told, 0);
	end();
}

static void test_an_address_needs_no_resolver(void)
{
	struct wr_dial_target target = {.resolver = NULL};

	begin();
	result = (struct result){.dial.on_done = on_done};
	CHECK_STATUS(wr_address_of_number(&target.address, WR_VIEW("127.0.0.1"), port), WR_OK);
	CHECK_STATUS(wr_dial_begin(&result.dial, &reactor, wr_test_allocator(), &target), WR_MORE);
	await(&result.told);
	CHECK_STATUS(result.status, WR_OK);
	wr_stream_close(&result.dial.stream, 0);
	end();
}

/* A listener whose queue is full swallows what comes (Linux; elsewhere it may refuse). */
static void fill(int full, uint32_t host)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(host)};

	(void)full;
	for (unsigned i = 0; i < FILLERS; i++) {
		fillers[i] = wr_descriptor_socket(AF_INET);
		(void)connect(fillers[i], (struct sockaddr *)&address, sizeof address);
	}
}

static void test_an_address_that_says_nothing_costs_little(void)
{
	uint64_t began;
	int full;

	begin();
	full = listen_at(0x7f000004, 0);
	fill(full, 0x7f000004);
	began = wr_clock_monotonic_ms();
	CHECK_STATUS(dial("swallowed"), WR_MORE);
	await(&result.told);
	CHECK_STATUS(result.status, WR_OK);
	CHECK(wr_clock_monotonic_ms() - began < 6000);
	CHECK(accept(listener, NULL, NULL) >= 0);
	wr_stream_close(&result.dial.stream, 0);
	for (unsigned i = 0; i < FILLERS; i++)
		close(fillers[i]);
	close(full);
	end();
}

static void test_a_dial_may_be_cancelled_at_any_time(void)
{
	begin();
	for (unsigned turns = 0; turns < 6; turns++) {
		size_t before = wr_test_allocator()->used;
		CHECK_STATUS(dial("third"), WR_MORE);
		for (unsigned i = 0; i < turns && result.told == 0; i++)
			wr_reactor_turn(&reactor, 10);
		if (result.told != 0)
			wr_stream_close(&result.dial.stream, 0);
		wr_dial_cancel(&result.dial);
		wr_dial_cancel(&result.dial);
		CHECK_U64(wr_test_allocator()->used, before);
	}
	end();
}

static void test_memory_may_run_out_anywhere(void)
{
	begin();
	for (uint64_t n = 1; n < 50; n++) {
		enum wr_status status;

		wr_test_fail_allocation(n, true);
		status = dial("second");
		if (status == WR_MORE)
			await(&result.told);
		else
			CHECK_STATUS(status, WR_NO_MEMORY);
		wr_test_fail_allocation(0, false);
		if (status == WR_MORE && result.status == WR_OK) {
			wr_stream_close(&result.dial.stream, 0);
			break;
		}
		CHECK(status == WR_NO_MEMORY || result.status == WR_NO_MEMORY);
		CHECK(n < 49);
	}
	end();
}

/* ---- through the clients ---- */

static struct {
	unsigned told;
	enum wr_status status;
} ended;

static void on_http_done(struct wr_http_call *call, const struct wr_http_outcome *outcome)
{
	(void)call;
	ended.told++;
	ended.status = outcome->status;
}

/* One request whole, one answer whole. */
static void serve_one(const char *answer)
{
	char request[4096];
	ssize_t got = -1;
	int fd = -1;

	for (unsigned i = 0; i < TURNS_MAX && got <= 0; i++) {
		wr_reactor_turn(&reactor, 1);
		if (fd < 0)
			fd = wr_descriptor_accept(listener, NULL, NULL);
		else
			got = recv(fd, request, sizeof request, MSG_DONTWAIT);
	}
	CHECK(got > 0);
	CHECK(send(fd, answer, strlen(answer), 0) == (ssize_t)strlen(answer));
	close(fd);
}

static void test_an_http_call_looks_its_host_up(void)
{
	static const struct {
		const char *host;
		enum wr_status expected;
	} cases[] = {{"second", WR_OK},
		     {"closed", WR_UNAVAILABLE},
		     {"nobody", WR_UNAVAILABLE},
		     {"..", WR_UNAVAILABLE}};

	begin();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_http_client_config config;
		struct wr_http_client *client;
		struct wr_http_call call = {.method = WR_VIEW("GET"),
					    .target = WR_VIEW("/"),
					    .ms_max = 5000,
					    .body_bytes_max = 100,
					    .on_done = on_http_done};
		char name[16] = {0};

		wr_test_case(cases[i].host);
		memset(&ended, 0, sizeof ended);
		memcpy(name, cases[i].host, strlen(cases[i].host));
		wr_http_client_defaults(&config);
		config.resolver = resolver;
		config.host_name = wr_view_of_string(name);
		config.port = port;
		config.host = WR_VIEW("x");
		CHECK_STATUS(wr_http_client_new(&client, &reactor, wr_test_allocator(), &config),
			     WR_OK);
		memset(name, 'z', sizeof name); /* it was copied */
		CHECK_STATUS(wr_http_call_begin(&call, client), WR_OK);
		if (cases[i].expected == WR_OK)
			serve_one("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
		await(&ended.told);
		CHECK_STATUS(ended.status, cases[i].expected);
		wr_http_client_free(client);
	}
	end();
}

static void test_an_http_call_may_end_while_its_host_is_looked_up(void)
{
	struct wr_http_client_config config;
	struct wr_http_client *client;
	struct wr_http_call call = {
		.method = WR_VIEW("GET"), .target = WR_VIEW("/"), .on_done = on_http_done};

	begin();
	wr_http_client_defaults(&config);
	config.resolver = resolver;
	config.host_name = WR_VIEW("here");
	config.port = port;
	CHECK_STATUS(wr_http_client_new(&client, &reactor, wr_test_allocator(), &config), WR_OK);
	for (unsigned turns = 0; turns < 3; turns++) {
		call.ms_max = 5000;
		CHECK_STATUS(wr_http_call_begin(&call, client), WR_OK);
		for (unsigned i = 0; i < turns; i++)
			wr_reactor_turn(&reactor, 1);
		wr_http_call_cancel(&call);
	}
	CHECK_U64(wr_http_client_connection_count(client), 0);
	CHECK_STATUS(wr_http_call_begin(&call, client), WR_OK);
	wr_reactor_turn(&reactor, 1);
	wr_http_client_free(client);
	CHECK_U64(ended.told, 0);
	end();
}

#if WR_WS_SERVER
static void on_ws_open(void *context, struct wr_ws_client *client)
{
	(void)context;
	(void)client;
}

static void on_ws_data(void *context, struct wr_ws_client *client, struct wr_view data,
		       bool is_text, bool is_end)
{
	(void)context;
	(void)client;
	(void)data;
	(void)is_text;
	(void)is_end;
}

static void on_ws_end(void *context, struct wr_ws_client *client,
		      const struct wr_ws_client_end *end)
{
	(void)context;
	(void)client;
	ended.told++;
	ended.status = end->status;
}

static void test_a_websocket_looks_its_host_up(void)
{
	static const struct {
		const char *host;
		enum wr_status expected;
	} cases[] = {{"second", WR_REJECTED},
		     {"closed", WR_UNAVAILABLE},
		     {"nobody", WR_UNAVAILABLE},
		     {"..", WR_UNAVAILABLE}};

	begin();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_ws_client_config config;
		struct wr_ws_client client = {.state = 0};

		wr_test_case(cases[i].host);
		memset(&ended, 0, sizeof ended);
		wr_ws_client_defaults(&config);
		config.resolver = resolver;
		config.host_name = wr_view_of_string(cases[i].host);
		config.port = port;
		config.host = WR_VIEW("x");
		config.target = WR_VIEW("/");
		config.on_open = on_ws_open;
		config.on_data = on_ws_data;
		config.on_end = on_ws_end;
		CHECK_STATUS(wr_ws_client_open(&client, &reactor, wr_test_allocator(), &config),
			     WR_OK);
		wr_ws_client_abort(&client);
		CHECK_STATUS(wr_ws_client_open(&client, &reactor, wr_test_allocator(), &config),
			     WR_OK);
		if (cases[i].expected == WR_REJECTED)
			serve_one("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
		await(&ended.told);
		CHECK_STATUS(ended.status, cases[i].expected);
	}
	end();
}
#endif

const struct wr_test wr_tests[] = {WR_TEST(test_the_first_address_that_takes_it_has_it),
				   WR_TEST(test_what_is_no_host_is_unavailable_at_once),
				   WR_TEST(test_an_address_needs_no_resolver),
				   WR_TEST(test_an_address_that_says_nothing_costs_little),
				   WR_TEST(test_a_dial_may_be_cancelled_at_any_time),
				   WR_TEST(test_memory_may_run_out_anywhere),
				   WR_TEST(test_an_http_call_looks_its_host_up),
				   WR_TEST(test_an_http_call_may_end_while_its_host_is_looked_up),
				   WR_TEST(test_a_websocket_looks_its_host_up),
				   WR_TEST_END};
