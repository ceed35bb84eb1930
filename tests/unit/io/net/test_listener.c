/* Goal: connections are handed over or told no, and a process without descriptors neither dies nor
 * spins. Method: real listeners on loopback and in a temporary folder, clients in the same process,
 * turns counted one by one. */
#include "io/net/listener.h"
#include "unit/io/sockets.h"

#include "check.h"
#include "io/clock.h"
#include "bounds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { CLIENT_COUNT_MAX = 64 };

static struct wr_reactor reactor;
static struct wr_listener listener;
static int clients[CLIENT_COUNT_MAX];

/* What the owner did and shall do. */
static struct {
	unsigned admit_max, accept_count;
	int fds[CLIENT_COUNT_MAX];
	struct wr_address peer;
	bool closes;
} owner;

static bool admit(void *context, const struct wr_address *peer)
{
	CHECK(context == &owner);
	CHECK(wr_address_is_local(peer));
	return owner.accept_count < owner.admit_max;
}

static void on_accept(void *context, int fd, const struct wr_address *peer)
{
	CHECK(context == &owner);
	CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	owner.fds[owner.accept_count++] = fd;
	owner.peer = *peer;
	if (owner.closes)
		wr_listener_close(&listener);
}

static struct wr_view refusal(void *context)
{
	CHECK(context == &owner);
	return WR_VIEW("503 full");
}

static const struct wr_listener_owner methods = {&owner, admit, on_accept, refusal};

static enum wr_status try_listen(struct wr_listener *at, const char *text, struct wr_error *error)
{
	struct wr_address address;

	CHECK_STATUS(wr_address_parse(&address, wr_view_of_string(text)), WR_OK);
	return wr_listener_open(at, &reactor, &address, &methods, error);
}

static void open_listener(const char *text)
{
	struct wr_error error;

	owner.admit_max = CLIENT_COUNT_MAX;
	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_OK);
	CHECK_STATUS(try_listen(&listener, text, &error), WR_OK);
}

static void close_listener(void)
{
	wr_listener_close(&listener);
	wr_listener_close(&listener);
	wr_reactor_deinit(&reactor);
}

static void open_clients(int count)
{
	for (int i = 0; i < count; i++) {
		clients[i] = socket(listener.address.storage.ss_family, SOCK_STREAM, 0);
		CHECK(clients[i] >= 0);
	}
}

static void connect_clients(int first, int count)
{
	for (int i = first; i < first + count; i++)
		CHECK(connect(clients[i], (const struct sockaddr *)&listener.address.storage,
			      listener.address.bytes) == 0);
}

/* The client was told no, and then its connection ended in good order. */
static void check_refused(int fd)
{
	char bytes[64];

	CHECK_U64(recv(fd, bytes, sizeof bytes, MSG_WAITALL), 8);
	CHECK_STRING(wr_view_of(bytes, 8), "503 full");
	CHECK(recv(fd, bytes, 1, 0) == 0);
}

static bool is_readable(int fd)
{
	struct pollfd asked = {.fd = fd, .events = POLLIN};

	return poll(&asked, 1, 0) == 1;
}

/* ---- the ordinary ---- */

static void test_a_connection_is_handed_over_with_its_peer(void)
{
	struct sockaddr_storage name;
	socklen_t bytes = sizeof name;

	open_listener("127.0.0.1:0");
	open_clients(1);
	connect_clients(0, 1);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(owner.accept_count, 1);
	CHECK_U64(listener.accepted_count, 1);
	CHECK(getsockname(clients[0], (struct sockaddr *)&name, &bytes) == 0);
	CHECK(bytes == owner.peer.bytes && memcmp(&name, &owner.peer.storage, bytes) == 0);
	close_listener();
}

static void test_the_port_that_the_system_chose_is_told(void)
{
	char text[WR_ADDRESS_TEXT_BYTES_MAX];

	open_listener("127.0.0.1:0");
	wr_address_format(text, &listener.address);
	CHECK(wr_view_starts(wr_view_of_string(text), WR_VIEW("127.0.0.1:")));
	CHECK(strcmp(text, "127.0.0.1:0") != 0);
	close_listener();
}

static void test_ipv6_is_ipv6_only(void)
{
	struct wr_error error;
	int on = 0;
	socklen_t bytes = sizeof on;

	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_OK);
	owner.admit_max = 1;
	if (try_listen(&listener, "[::1]:0", &error) != WR_OK)
		wr_test_skip("no IPv6 on this machine");
	CHECK(getsockopt(listener.watch.fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, &bytes) == 0 && on);
	open_clients(1);
	connect_clients(0, 1);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(owner.accept_count, 1);
	CHECK(wr_address_is_local(&owner.peer));
	close_listener();
}

static void test_a_turn_accepts_its_share_and_the_next_the_rest(void)
{
	enum { COUNT = WR_TURN_ACCEPT_COUNT_MAX + 4 };

	open_listener("127.0.0.1:0");
	open_clients(COUNT);
	connect_clients(0, COUNT);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(owner.accept_count, WR_TURN_ACCEPT_COUNT_MAX);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(owner.accept_count, COUNT);
	close_listener();
}

static void test_the_owner_may_close_while_it_takes_a_connection(void)
{
	open_listener("127.0.0.1:0");
	owner.closes = true;
	open_clients(3);
	connect_clients(0, 3);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(owner.accept_count, 1);
	wr_reactor_turn(&reactor, 0);
	CHECK_U64(owner.accept_count, 1);
	close_listener();
}

static void test_an_address_in_use_is_an_error_that_names_the_call(void)
{
	static struct wr_listener second;
	char text[WR_ADDRESS_TEXT_BYTES_MAX];
	struct wr_error error;

	open_listener("127.0.0.1:0");
	wr_address_format(text, &listener.address);
	CHECK_STATUS(try_listen(&second, text, &error), WR_IO);
	CHECK_STATUS(error.status, WR_IO);
	CHECK_U64(error.os_error, EADDRINUSE);
	CHECK_STRING(wr_view_of_string(error.detail), "bind");
	wr_listener_close(&second);
	close_listener();
}

static void test_a_failed_open_leaves_no_descriptor(void)
{
	static struct wr_listener second;
	char text[WR_ADDRESS_TEXT_BYTES_MAX];
	struct wr_error error;
	int before, after;

	open_listener("127.0.0.1:0");
	wr_address_format(text, &listener.address);
	before = dup(0);
	close(before);
	CHECK_STATUS(try_listen(&second, text, &error), WR_IO);
	CHECK_STATUS(try_listen(&second, "203.0.113.1:1", &error), WR_IO);
	CHECK_STATUS(try_listen(&second, "unix:/nonexistent/folder/x", &error), WR_IO);
	after = dup(0);
	CHECK_U64(after, before);
	close_listener();
}

/* ---- refusals ---- */

static void test_a_refused_peer_is_told_and_closed(void)
{
	open_listener("127.0.0.1:0");
	owner.admit_max = 1;
	open_clients(3);
	connect_clients(0, 3);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(listener.accepted_count, 1);
	CHECK_U64(listener.refused_count, 2);
	check_refused(clients[1]);
	check_refused(clients[2]);
	CHECK(!is_readable(clients[0]));
	close_listener();
}

static void test_a_refused_peer_that_has_sent_already_gets_the_answer_and_no_reset(void)
{
	open_listener("127.0.0.1:0");
	owner.admit_max = 0;
	open_clients(1);
	connect_clients(0, 1);
	CHECK(write(clients[0], "GET / HTTP/1.1\r\n\r\n", 18) == 18);
	wr_reactor_turn(&reactor, 1000);
	check_refused(clients[0]);
	close_listener();
}

static void test_a_refused_peer_that_is_gone_does_no_harm(void)
{
	struct linger linger = {.l_onoff = 1};

	open_listener("127.0.0.1:0");
	owner.admit_max = 0;
	open_clients(2);
	connect_clients(0, 2);
	CHECK(setsockopt(clients[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
	close(clients[0]);
	wr_reactor_turn(&reactor, 1000);
	check_refused(clients[1]);
	close_listener();
}

/* ---- no descriptors ---- */

/* Lowers the limit so that not one more can be opened. */
static void use_up_descriptors(void)
{
	struct rlimit limit;
	int lowest = dup(0);

	if (wr_test_is_in_valgrind())
		wr_test_skip("valgrind accepts before it looks at the limit of descriptors");
	CHECK(lowest >= 0 && close(lowest) == 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = (rlim_t)lowest;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(dup(0) < 0 && errno == EMFILE);
}

static void restore_descriptors(void)
{
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = limit.rlim_max < 1024 ? limit.rlim_max : 1024;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void test_without_descriptors_peers_are_told_and_the_loop_rests(void)
{
	open_listener("127.0.0.1:0");
	open_clients(5);
	use_up_descriptors();
	connect_clients(0, 3);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(listener.refused_count, 3);
	CHECK_U64(listener.accepted_count, 0);
	CHECK_U64(listener.paused_count, 0);
	for (int i = 0; i < 3; i++)
		check_refused(clients[i]);
	CHECK(listener.reserve_fd >= 0);
	CHECK(!is_readable(reactor.poller.fd)); /* nothing waits, nothing turns */
	/* One descriptor comes free: one peer gets in, the next is refused. */
	close(clients[0]);
	connect_clients(3, 2);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(listener.accepted_count, 1);
	CHECK_U64(listener.refused_count, 4);
	check_refused(clients[4]);
	restore_descriptors();
	close_listener();
}

static void test_many_refusals_without_descriptors_come_in_shares(void)
{
	enum { COUNT = 2 * WR_TURN_ACCEPT_COUNT_MAX };

	open_listener("127.0.0.1:0");
	open_clients(COUNT);
	use_up_descriptors();
	connect_clients(0, COUNT);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(listener.refused_count, WR_TURN_ACCEPT_COUNT_MAX);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(listener.refused_count, COUNT);
	for (int i = 0; i < COUNT; i++)
		check_refused(clients[i]);
	restore_descriptors();
	close_listener();
}

static void test_without_the_reserve_the_listener_pauses_and_comes_back(void)
{
	uint64_t began_ms;
	unsigned turn_count = 0;

	open_listener("127.0.0.1:0");
	open_clients(2);
	close(listener.reserve_fd);
	listener.reserve_fd = -1; /* as if another thread had taken it in the meantime */
	use_up_descriptors();
	connect_clients(0, 2);
	began_ms = wr_clock_monotonic_ms();
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(listener.paused_count, 1);
	CHECK_U64(listener.refused_count + listener.accepted_count, 0);
	CHECK(!is_readable(reactor.poller.fd));
	restore_descriptors();
	for (; owner.accept_count < 2; turn_count++)
		wr_reactor_turn(&reactor, -1);
	CHECK(wr_clock_monotonic_ms() - began_ms >= WR_ACCEPT_PAUSE_MS - 1);
	CHECK(turn_count <= 4);
	CHECK(listener.reserve_fd >= 0);
	CHECK_U64(listener.paused_count, 1);
	close_listener();
}

static void test_a_paused_listener_can_be_closed(void)
{
	open_listener("127.0.0.1:0");
	open_clients(1);
	close(listener.reserve_fd);
	listener.reserve_fd = -1;
	use_up_descriptors();
	connect_clients(0, 1);
	wr_reactor_turn(&reactor, 1000);
	CHECK(wr_timer_is_set(&listener.pause));
	restore_descriptors();
	wr_listener_close(&listener);
	CHECK(!wr_timer_is_set(&listener.pause));
	close_listener();
}

/* ---- unix sockets ---- */

static char folder[64], path[80], text[96];

static void make_path(void)
{
	snprintf(folder, sizeof folder, "/tmp/wr-listener-XXXXXX");
	wr_test_make_folder(folder);
	snprintf(path, sizeof path, "%s/s", folder);
	snprintf(text, sizeof text, "unix:%s", path);
}

static void remove_path(void)
{
	unlink(path);
	CHECK(rmdir(folder) == 0);
}

/* A socket file as a process leaves it that was killed. */
static void leave_stale_socket(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(name.sun_path, path, strlen(path) + 1);
	CHECK(bind(fd, (const struct sockaddr *)&name, sizeof name) == 0);
	CHECK(listen(fd, 1) == 0);
	close(fd);
}

static void test_a_unix_socket_is_private_and_goes_with_its_listener(void)
{
	struct stat info;
	mode_t mask = umask(022);

	make_path();
	open_listener(text);
	CHECK(stat(path, &info) == 0 && S_ISSOCK(info.st_mode));
	CHECK_U64(info.st_mode & 0777, 0600);
	CHECK_U64(umask(mask), 022);
	open_clients(1);
	connect_clients(0, 1);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(owner.accept_count, 1);
	CHECK(wr_address_is_unix(&owner.peer));
	close_listener();
	CHECK(lstat(path, &info) < 0 && errno == ENOENT);
	remove_path();
}

static void test_a_stale_unix_socket_is_replaced(void)
{
	make_path();
	leave_stale_socket();
	open_listener(text);
	open_clients(1);
	connect_clients(0, 1);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(owner.accept_count, 1);
	close_listener();
	remove_path();
}

static void test_a_unix_socket_that_answers_is_not_replaced(void)
{
	static struct wr_listener second;
	struct wr_error error;
	struct stat before, after;

	make_path();
	open_listener(text);
	CHECK(lstat(path, &before) == 0);
	CHECK_STATUS(try_listen(&second, text, &error), WR_IO);
	CHECK_U64(error.os_error, EADDRINUSE);
	CHECK(lstat(path, &after) == 0 && after.st_ino == before.st_ino);
	close_listener();
	remove_path();
}

static void test_a_plain_file_is_never_removed(void)
{
	struct wr_error error;
	struct stat info;
	int fd;

	make_path();
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1);
	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_OK);
	CHECK_STATUS(try_listen(&listener, text, &error), WR_IO);
	CHECK_U64(error.os_error, EADDRINUSE);
	CHECK(lstat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == 1);
	close_listener();
	remove_path();
}

static void test_close_leaves_the_socket_file_of_another(void)
{
	char aside[96];
	struct stat info;

	make_path();
	open_listener(text);
	/* Moved, not removed: or the new file might get the number of ours. */
	snprintf(aside, sizeof aside, "%s.old", path);
	CHECK(rename(path, aside) == 0);
	leave_stale_socket();
	close_listener();
	CHECK(lstat(path, &info) == 0);
	CHECK(unlink(aside) == 0);
	remove_path();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_connection_is_handed_over_with_its_peer),
	WR_TEST(test_the_port_that_the_system_chose_is_told),
	WR_TEST(test_ipv6_is_ipv6_only),
	WR_TEST(test_a_turn_accepts_its_share_and_the_next_the_rest),
	WR_TEST(test_the_owner_may_close_while_it_takes_a_connection),
	WR_TEST(test_an_address_in_use_is_an_error_that_names_the_call),
	WR_TEST(test_a_failed_open_leaves_no_descriptor),
	WR_TEST(test_a_refused_peer_is_told_and_closed),
	WR_TEST(test_a_refused_peer_that_has_sent_already_gets_the_answer_and_no_reset),
	WR_TEST(test_a_refused_peer_that_is_gone_does_no_harm),
	WR_TEST(test_without_descriptors_peers_are_told_and_the_loop_rests),
	WR_TEST(test_many_refusals_without_descriptors_come_in_shares),
	WR_TEST(test_without_the_reserve_the_listener_pauses_and_comes_back),
	WR_TEST(test_a_paused_listener_can_be_closed),
	WR_TEST(test_a_unix_socket_is_private_and_goes_with_its_listener),
	WR_TEST(test_a_stale_unix_socket_is_replaced),
	WR_TEST(test_a_unix_socket_that_answers_is_not_replaced),
	WR_TEST(test_a_plain_file_is_never_removed),
	WR_TEST(test_close_leaves_the_socket_file_of_another),
	WR_TEST_END,
};
