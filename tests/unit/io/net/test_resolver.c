/*
 * Goal: a name becomes its addresses, in a useful order, whatever name servers do: answer late,
 * wrongly, twice, for somebody else, or not at all; nobody is told twice, or from within. Method:
 * two scripted name servers on loopback in the same thread, and files written here.
 */
#include "check.h"
#include "harness/harness.h"
#include "io/clock.h"
#include "io/descriptor.h"
#include "io/net/resolver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the name servers ---- */

enum { SERVER_COUNT = 2, ASKED_MAX = 256, TURNS_MAX = 20000 };

enum behaviour {
	ANSWERS,       /* A 192.0.2.1 and .2, AAAA 2001:db8::1 */
	ANSWERS_IPV4,  /* and says that there is no AAAA */
	DROPS_AAAA,    /* says nothing to that */
	DROPS_A,       /* likewise */
	IS_SILENT,     /* to everything */
	FAILS,	       /* SERVFAIL */
	FAILS_AAAA,    /* and answers A */
	KNOWS_NO_NAME, /* NXDOMAIN */
	KNOWS_NOTHING, /* no address of either kind */
	GARBLES,       /* an answer cut short */
	MISTAKES_ID,   /* an answer with another id first, with another address */
	MISTAKES_NAME, /* an answer to another question first */
	IS_CUT	       /* TC, and one address */
};

static struct server {
	int fd;
	enum behaviour behaviour;
	uint32_t ttl_s;
	unsigned asked, asked_a;
	struct {
		uint16_t id, port;
	} questions[ASKED_MAX];
} servers[SERVER_COUNT];

static uint16_t port;

static void open_servers(void)
{
	for (unsigned i = 0; i < SERVER_COUNT; i++) {
		struct sockaddr_in address = {.sin_family = AF_INET,
					      .sin_port = port,
					      .sin_addr.s_addr = htonl(0x7f000001u + i)};
		socklen_t bytes = sizeof address;

		servers[i] =
			(struct server){.fd = wr_descriptor_datagram_socket(AF_INET), .ttl_s = 60};
		if (bind(servers[i].fd, (struct sockaddr *)&address, bytes) != 0)
			wr_test_skip("127.0.0.2 is not an address of this system");
		CHECK(getsockname(servers[i].fd, (struct sockaddr *)&address, &bytes) == 0);
		port = address.sin_port;
	}
}

struct reply {
	uint8_t bytes[512];
	size_t count;
};

static void put(struct reply *self, const void *bytes, size_t count)
{
	memcpy(self->bytes + self->count, bytes, count);
	self->count += count;
}

/* An answer record of the name that was asked for. */
static void put_address(struct reply *self, uint32_t ttl_s, bool is_a, uint8_t last)
{
	static const uint8_t ipv6[15] = {0x20, 0x01, 0x0d, 0xb8};
	static const uint8_t ipv4[3] = {192, 0, 2};
	const uint8_t head[] = {0xc0, 0x0c, 0, (uint8_t)(is_a ? 1 : 28), 0, 1};
	const uint8_t ttl[] = {0, 0, (uint8_t)(ttl_s >> 8), (uint8_t)ttl_s};
	const uint8_t length[] = {0, (uint8_t)(is_a ? 4 : 16)};

	put(self, head, sizeof head);
	put(self, ttl, sizeof ttl);
	put(self, length, sizeof length);
	put(self, is_a ? ipv4 : ipv6, is_a ? sizeof ipv4 : sizeof ipv6);
	put(self, &last, 1);
	self->bytes[7]++;
}

static void send_reply(const struct server *self, const struct reply *reply,
		       const struct sockaddr_in *to)
{
	CHECK(sendto(self->fd, reply->bytes, reply->count, 0, (const struct sockaddr *)to,
		     sizeof *to) == (ssize_t)reply->count);
}

static void answer_well(const struct server *self, struct reply reply, bool is_a,
			const struct sockaddr_in *to)
{
	put_address(&reply, self->ttl_s, is_a, 1);
	if (is_a)
		put_address(&reply, self->ttl_s, is_a, 2);
	send_reply(self, &reply, to);
}

/* The header says yes, the question stands behind it. */
static void answer(const struct server *self, struct reply reply, bool is_a,
		   const struct sockaddr_in *to)
{
	struct reply wrong = reply;

	reply.bytes[2] = wrong.bytes[2] = 0x81;
	reply.bytes[3] = wrong.bytes[3] = 0x80;
	switch (self->behaviour) {
	case ANSWERS:
		break;
	case ANSWERS_IPV4:
		if (is_a)
			break;
		send_reply(self, &reply, to);
		return;
	case DROPS_AAAA:
		if (is_a)
			break;
		return;
	case DROPS_A:
		if (!is_a)
			break;
		return;
	case IS_SILENT:
		return;
	case FAILS_AAAA:
		if (is_a)
			break;
		reply.bytes[3] = 0x82;
		send_reply(self, &reply, to);
		return;
	case FAILS:
	case KNOWS_NO_NAME:
	case KNOWS_NOTHING:
		reply.bytes[3] = self->behaviour == FAILS	    ? 0x82
				 : self->behaviour == KNOWS_NO_NAME ? 0x83
								    : 0x80;
		send_reply(self, &reply, to);
		return;
	case GARBLES:
		put_address(&reply, 60, is_a, 1);
		reply.count -= 2;
		send_reply(self, &reply, to);
		return;
	case MISTAKES_ID:
		wrong.bytes[0] ^= 1;
		put_address(&wrong, 60, is_a, 99);
		send_reply(self, &wrong, to);
		break;
	case MISTAKES_NAME:
		wrong.bytes[13] ^= 1;
		put_address(&wrong, 60, is_a, 99);
		send_reply(self, &wrong, to);
		break;
	case IS_CUT:
		reply.bytes[2] |= 2;
		put_address(&reply, 60, is_a, 1);
		send_reply(self, &reply, to);
		return;
	}
	answer_well(self, reply, is_a, to);
}

static void turn_server(struct server *self)
{
	struct sockaddr_in from;
	socklen_t bytes = sizeof from;
	struct reply reply;
	ssize_t got;
	bool is_a;

	while (self->fd >= 0 &&
	       (got = recvfrom(self->fd, reply.bytes, sizeof reply.bytes, MSG_DONTWAIT,
			       (struct sockaddr *)&from, &bytes)) > 0) {
		CHECK(got > 16 && self->asked < ASKED_MAX);
		reply.count = (size_t)got;
		is_a = reply.bytes[got - 3] == 1;
		self->questions[self->asked].id = (uint16_t)(reply.bytes[0] << 8 | reply.bytes[1]);
		self->questions[self->asked++].port = from.sin_port;
		self->asked_a += is_a;
		answer(self, reply, is_a, &from);
	}
}

/* ---- the resolver ---- */

static struct wr_reactor reactor;
static struct wr_resolver *resolver;
static char hosts_path[] = "/tmp/wr-hosts-XXXXXX", resolv_path[] = "/tmp/wr-resolv-XXXXXX";

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static struct wr_resolver_config config_of_test(void)
{
	struct wr_resolver_config config;

	wr_resolver_defaults(&config);
	config.hosts_path = hosts_path;
	config.resolv_path = resolv_path;
	config.server_port = ntohs(port);
	/* Patient, so that a slow machine asks nobody twice. */
	config.try_ms_max = config.lookup_ms_max = 60000;
	return config;
}

static void begin_with(const struct wr_resolver_config *config)
{
	struct wr_error error;

	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_OK);
	resolver = wr_resolver_new(&reactor, wr_test_allocator(), config);
	CHECK(resolver != NULL);
}

static void open_files(void)
{
	int hosts = mkstemp(hosts_path), resolv = mkstemp(resolv_path);

	CHECK(hosts >= 0 && resolv >= 0);
	close(hosts);
	close(resolv);
	write_file(hosts_path, "192.0.2.77 box.test box\n2001:db8::77 box\n");
	write_file(resolv_path, "nameserver 127.0.0.1\nnameserver 127.0.0.2\n");
}

static void begin(void)
{
	struct wr_resolver_config config;

	open_servers();
	open_files();
	config = config_of_test();
	begin_with(&config);
}

/* Where servers do not answer. */
static void begin_hasty(void)
{
	struct wr_resolver_config config;

	open_servers();
	open_files();
	config = config_of_test();
	config.try_ms_max = 40;
	begin_with(&config);
}

static void end(void)
{
	wr_resolver_free(resolver);
	wr_reactor_deinit(&reactor);
	unlink(hosts_path);
	unlink(resolv_path);
}

/* ---- lookups ---- */

struct result {
	struct wr_lookup lookup;
	unsigned told;
	enum wr_status status;
	struct wr_address addresses[WR_LOOKUP_ADDRESS_COUNT_MAX];
	uint32_t count;
};

static void on_done(struct wr_lookup *lookup, enum wr_status status,
		    const struct wr_address *addresses, uint32_t count)
{
	struct result *self = wr_container_of(lookup, struct result, lookup);

	CHECK((status == WR_OK) == (count > 0) && count <= WR_LOOKUP_ADDRESS_COUNT_MAX);
	self->told++;
	self->status = status;
	self->count = count;
	if (count > 0)
		memcpy(self->addresses, addresses, count * sizeof *addresses);
}

static void look_up(struct result *self, const char *host)
{
	*self = (struct result){.lookup.on_done = on_done};
	CHECK_STATUS(wr_lookup_begin(&self->lookup, resolver,
				     wr_test_guarded(0, wr_view_of_string(host)), 8650),
		     WR_OK);
	CHECK_U64(self->told, 0);
}

static void turn(void)
{
	wr_reactor_turn(&reactor, 1);
	for (unsigned i = 0; i < SERVER_COUNT; i++)
		turn_server(&servers[i]);
}

static void await(const struct result *self)
{
	for (unsigned i = 0; i < TURNS_MAX && self->told == 0; i++)
		turn();
	CHECK_U64(self->told, 1);
}

static void check_address(const struct result *self, uint32_t at, const char *expected)
{
	char text[WR_ADDRESS_TEXT_BYTES_MAX];

	CHECK(at < self->count);
	CHECK_STRING(wr_view_of(text, wr_address_format(text, &self->addresses[at])), expected);
}

static bool has_address(const struct result *self, const char *expected)
{
	char text[WR_ADDRESS_TEXT_BYTES_MAX];

	for (uint32_t i = 0; i < self->count; i++)
		if (wr_view_equal(wr_view_of(text, wr_address_format(text, &self->addresses[i])),
				  wr_view_of_string(expected)))
			return true;
	return false;
}

static unsigned asked(void)
{
	return servers[0].asked + servers[1].asked;
}

/* ---- without a server ---- */

static void test_numbers_and_localhost_answer_themselves(void)
{
	static const struct {
		const char *host, *first;
		uint32_t count;
	} cases[] = {
		{"192.0.2.9", "192.0.2.9:8650", 1},    {"2001:db8::9", "[2001:db8::9]:8650", 1},
		{"localhost", "127.0.0.1:8650", 2},    {"LocalHost.", "127.0.0.1:8650", 2},
		{"me.localhost", "127.0.0.1:8650", 2},
	};
	struct result result;

	begin();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].host);
		CHECK(wr_lookup_takes(wr_view_of_string(cases[i].host)));
		look_up(&result, cases[i].host);
		await(&result);
		CHECK_STATUS(result.status, WR_OK);
		CHECK_U64(result.count, cases[i].count);
		check_address(&result, 0, cases[i].first);
	}
	CHECK_U64(asked(), 0);
	end();
}

static void test_the_hosts_file_comes_first_and_is_read_again(void)
{
	struct result result;

	begin();
	look_up(&result, "BOX");
	await(&result);
	CHECK_U64(result.count, 2);
	CHECK(has_address(&result, "192.0.2.77:8650") &&
	      has_address(&result, "[2001:db8::77]:8650"));
	write_file(hosts_path, "192.0.2.78 box\n");
	look_up(&result, "box");
	await(&result);
	CHECK_U64(result.count, 1);
	check_address(&result, 0, "192.0.2.78:8650");
	CHECK_U64(asked(), 0);
	end();
}

static void test_what_is_no_host_name_is_refused_at_once(void)
{
	static const char *const cases[] = {
		"",  ".",     "..",  "a..b", "a b", "192.0.2", "192.0.2.256", "1.2.3.4.5",
		"0", "[::1]", "::g", "a:80", "a/b", "a\nb",    "user@host",   "fe80::1%lo"};
	struct result result = {.lookup.on_done = on_done};

	begin();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i]);
		CHECK(!wr_lookup_takes(wr_test_guarded(0, wr_view_of_string(cases[i]))));
		CHECK_STATUS(wr_lookup_begin(&result.lookup, resolver,
					     wr_test_guarded(0, wr_view_of_string(cases[i])), 1),
			     WR_INVALID);
	}
	wr_lookup_cancel(&result.lookup);
	turn();
	CHECK_U64(result.told, 0);
	end();
}

/* ---- with servers ---- */

static void test_addresses_of_both_kinds_come_in_turns(void)
{
	struct result result;

	begin();
	look_up(&result, "www.test");
	await(&result);
	CHECK_STATUS(result.status, WR_OK);
	CHECK_U64(result.count, 3);
	CHECK(has_address(&result, "[2001:db8::1]:8650"));
	/* Which kind is first is a matter of this system's routes; the one IPv6 address is not the
	 * last in any case. */
	CHECK(result.addresses[2].storage.ss_family == AF_INET);
	CHECK_U64(servers[0].asked, 2);
	CHECK_U64(servers[0].asked_a, 1);
	CHECK_U64(servers[1].asked, 0);
	end();
}

static void test_servers_may_behave_in_any_way(void)
{
	static const struct {
		const char *what;
		enum behaviour first, second;
		enum wr_status expected;
		const char *has, *has_not;
	} cases[] = {
		{"no IPv6", ANSWERS_IPV4, IS_SILENT, WR_OK, "192.0.2.2:8650", "[2001:db8::1]:8650"},
		{"AAAA is dropped", DROPS_AAAA, IS_SILENT, WR_OK, "192.0.2.2:8650",
		 "[2001:db8::1]:8650"},
		{"A is dropped", DROPS_A, IS_SILENT, WR_OK, "[2001:db8::1]:8650", "192.0.2.2:8650"},
		{"AAAA fails", FAILS_AAAA, IS_SILENT, WR_OK, "192.0.2.2:8650", NULL},
		{"the first is silent", IS_SILENT, ANSWERS, WR_OK, "192.0.2.2:8650", NULL},
		{"the first fails", FAILS, ANSWERS, WR_OK, "192.0.2.2:8650", NULL},
		{"the first garbles", GARBLES, ANSWERS, WR_OK, "192.0.2.2:8650", NULL},
		{"a wrong id before the right one", MISTAKES_ID, IS_SILENT, WR_OK, "192.0.2.2:8650",
		 "192.0.2.99:8650"},
		{"a wrong name before the right one", MISTAKES_NAME, IS_SILENT, WR_OK,
		 "192.0.2.2:8650", "192.0.2.99:8650"},
		{"what is there of a cut answer", IS_CUT, IS_SILENT, WR_OK, "192.0.2.1:8650",
		 "192.0.2.2:8650"},
		{"no such name, and nobody else is asked", KNOWS_NO_NAME, ANSWERS, WR_NOT_FOUND,
		 NULL, NULL},
		{"no address, likewise", KNOWS_NOTHING, ANSWERS, WR_NOT_FOUND, NULL, NULL},
		{"all are silent", IS_SILENT, IS_SILENT, WR_TIMEOUT, NULL, NULL},
		{"all fail", FAILS, FAILS, WR_UNAVAILABLE, NULL, NULL},
		{"all garble", GARBLES, GARBLES, WR_UNAVAILABLE, NULL, NULL},
	};

	begin_hasty();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char name[] = "a.test";
		struct result result;

		name[0] = (char)('a' + i);
		wr_test_case(cases[i].what);
		servers[0].behaviour = cases[i].first;
		servers[1].behaviour = cases[i].second;
		look_up(&result, name);
		await(&result);
		CHECK_STATUS(result.status, cases[i].expected);
		if (cases[i].has != NULL)
			CHECK(has_address(&result, cases[i].has));
		if (cases[i].has_not != NULL)
			CHECK(!has_address(&result, cases[i].has_not));
	}
	end();
}

static void test_every_try_has_its_own_port_and_ids(void)
{
	struct result result;
	unsigned same = 0;

	begin_hasty();
	servers[0].behaviour = servers[1].behaviour = IS_SILENT;
	look_up(&result, "www.test");
	await(&result);
	CHECK_STATUS(result.status, WR_TIMEOUT);
	/* Three rounds of two questions each. */
	CHECK_U64(servers[0].asked, 6);
	CHECK_U64(servers[1].asked, 6);
	for (unsigned i = 0; i < 6; i += 2) {
		CHECK(servers[0].questions[i].port == servers[0].questions[i + 1].port);
		for (unsigned other = 0; other < i; other += 2)
			same += servers[0].questions[i].port == servers[0].questions[other].port &&
				servers[0].questions[i].id == servers[0].questions[other].id;
	}
	CHECK_U64(same, 0);
	end();
}

static void test_a_server_that_is_not_there_is_found_out_at_once(void)
{
	uint64_t began = wr_clock_monotonic_ms();
	struct wr_resolver_config config;
	struct result result;

	open_servers();
	open_files();
	config = config_of_test();
	config.try_ms_max = config.lookup_ms_max = 60000;
	begin_with(&config);
	close(servers[0].fd);
	servers[0].fd = -1;
	look_up(&result, "www.test");
	await(&result);
	CHECK_STATUS(result.status, WR_OK);
	CHECK_U64(servers[1].asked, 2);
	close(servers[1].fd);
	servers[1].fd = -1;
	look_up(&result, "other.test");
	await(&result);
	CHECK_STATUS(result.status, WR_UNAVAILABLE);
	CHECK(wr_clock_monotonic_ms() - began < 5000);
	end();
}

static void test_without_a_resolv_conf_the_machine_itself_is_asked(void)
{
	struct result result;

	begin();
	unlink(resolv_path);
	look_up(&result, "www.test");
	await(&result);
	CHECK_STATUS(result.status, WR_OK);
	CHECK_U64(servers[0].asked, 2);
	end();
}

static void test_a_lookup_has_its_own_deadline(void)
{
	struct wr_resolver_config config;
	struct result result;

	open_servers();
	open_files();
	config = config_of_test();
	config.try_ms_max = 60000;
	config.lookup_ms_max = 30;
	begin_with(&config);
	servers[0].behaviour = IS_SILENT;
	look_up(&result, "www.test");
	await(&result);
	CHECK_STATUS(result.status, WR_TIMEOUT);
	end();
}

/* ---- many lookups ---- */

static void test_equal_lookups_are_asked_once_and_told_each(void)
{
	struct result results[8];

	begin();
	for (unsigned i = 0; i < WR_COUNT(results); i++)
		look_up(&results[i], i % 2 == 0 ? "www.test" : "WWW.Test.");
	wr_lookup_cancel(&results[3].lookup);
	for (unsigned i = 0; i < WR_COUNT(results); i++)
		if (i != 3)
			await(&results[i]);
	CHECK_U64(results[3].told, 0);
	CHECK_U64(asked(), 2);
	end();
}

static void test_answers_are_kept_for_their_time(void)
{
	static const struct {
		uint32_t ttl_s, kept_ms_max;
		unsigned asked; /* by two lookups */
	} cases[] = {{60, 60000, 2}, {0, 60000, 4}, {60, 0, 4}};

	open_servers();
	open_files();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_resolver_config config = config_of_test();
		struct result result;

		config.kept_ms_max = cases[i].kept_ms_max;
		begin_with(&config);
		servers[0].asked = 0;
		servers[0].ttl_s = cases[i].ttl_s;
		for (unsigned times = 0; times < 2; times++) {
			look_up(&result, "www.test");
			await(&result);
			CHECK_STATUS(result.status, WR_OK);
			turn();
			turn(); /* the clock moves on */
		}
		CHECK_U64(servers[0].asked, cases[i].asked);
		wr_resolver_free(resolver);
		wr_reactor_deinit(&reactor);
	}
	unlink(hosts_path);
	unlink(resolv_path);
}

static void test_a_failure_is_kept_for_its_time(void)
{
	struct result result;

	begin();
	servers[0].behaviour = KNOWS_NO_NAME;
	for (unsigned times = 0; times < 3; times++) {
		look_up(&result, "www.test");
		await(&result);
		CHECK_STATUS(result.status, WR_NOT_FOUND);
	}
	CHECK_U64(servers[0].asked, 2);
	end();
}

static void test_no_more_names_are_kept_than_may_be(void)
{
	struct wr_resolver_config config;
	struct result result;
	char name[] = "a.test";

	open_servers();
	open_files();
	config = config_of_test();
	config.kept_count_max = 4;
	begin_with(&config);
	for (unsigned i = 0; i < 20; i++) {
		name[0] = (char)('a' + i);
		look_up(&result, name);
		await(&result);
		CHECK(wr_test_allocator()->used < 16384);
	}
	servers[0].asked = 0;
	look_up(&result, name); /* the last one is kept */
	await(&result);
	CHECK_U64(servers[0].asked, 0);
	end();
}

static void test_a_cancelled_lookup_leaves_nothing(void)
{
	struct result result;
	size_t before;

	begin();
	before = wr_test_allocator()->used;
	look_up(&result, "www.test");
	turn_server(&servers[0]);
	wr_lookup_cancel(&result.lookup);
	wr_lookup_cancel(&result.lookup);
	CHECK_U64(wr_test_allocator()->used, before);
	for (unsigned i = 0; i < 20; i++)
		turn();
	CHECK_U64(result.told, 0);
	look_up(&result, "www.test"); /* the struct may be used again */
	await(&result);
	end();
}

static struct result second;

static void begin_again(struct wr_lookup *lookup, enum wr_status status,
			const struct wr_address *addresses, uint32_t count)
{
	on_done(lookup, status, addresses, count);
	look_up(&second, "www.test");
}

static void test_a_lookup_may_be_begun_and_cancelled_from_within_another(void)
{
	struct result first = {.lookup.on_done = begin_again};

	begin();
	CHECK_STATUS(wr_lookup_begin(&first.lookup, resolver, WR_VIEW("www.test"), 1), WR_OK);
	await(&first);
	CHECK_U64(second.told, 0);
	await(&second);
	CHECK_U64(first.told, 1);
	CHECK_U64(asked(), 2);
	end();
}

static void test_the_resolver_may_go_while_lookups_wait(void)
{
	struct result results[3];

	begin();
	servers[0].behaviour = IS_SILENT;
	look_up(&results[0], "www.test");
	look_up(&results[1], "www.test");
	look_up(&results[2], "localhost");
	end();
	for (unsigned i = 0; i < WR_COUNT(results); i++) {
		CHECK(results[i].lookup.resolver == NULL);
		CHECK_U64(results[i].told, 0);
	}
}

static void test_memory_may_run_out_anywhere(void)
{
	open_servers();
	open_files();
	for (uint64_t n = 1; n < 100; n++) {
		struct wr_resolver_config config = config_of_test();
		struct result result = {.lookup.on_done = on_done};
		enum wr_status status;

		begin_with(&config);
		wr_test_fail_allocation(n, true);
		status = wr_lookup_begin(&result.lookup, resolver, WR_VIEW("www.test"), 1);
		if (status == WR_OK)
			await(&result);
		else
			CHECK_STATUS(status, WR_NO_MEMORY);
		wr_test_fail_allocation(0, false);
		wr_resolver_free(resolver);
		wr_reactor_deinit(&reactor);
		if (status == WR_OK && result.status == WR_OK)
			break;
		CHECK(n < 99);
	}
	unlink(hosts_path);
	unlink(resolv_path);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_numbers_and_localhost_answer_themselves),
	WR_TEST(test_the_hosts_file_comes_first_and_is_read_again),
	WR_TEST(test_what_is_no_host_name_is_refused_at_once),
	WR_TEST(test_addresses_of_both_kinds_come_in_turns),
	WR_TEST(test_servers_may_behave_in_any_way),
	WR_TEST(test_every_try_has_its_own_port_and_ids),
	WR_TEST(test_a_server_that_is_not_there_is_found_out_at_once),
	WR_TEST(test_without_a_resolv_conf_the_machine_itself_is_asked),
	WR_TEST(test_a_lookup_has_its_own_deadline),
	WR_TEST(test_equal_lookups_are_asked_once_and_told_each),
	WR_TEST(test_answers_are_kept_for_their_time),
	WR_TEST(test_a_failure_is_kept_for_its_time),
	WR_TEST(test_no_more_names_are_kept_than_may_be),
	WR_TEST(test_a_cancelled_lookup_leaves_nothing),
	WR_TEST(test_a_lookup_may_be_begun_and_cancelled_from_within_another),
	WR_TEST(test_the_resolver_may_go_while_lookups_wait),
	WR_TEST(test_memory_may_run_out_anywhere),
	WR_TEST_END};
