/* Goal: kqueue means here what it means on the BSDs, so that its poller can be trusted there.
 * Method: the promises of kqueue(2) one by one. Where there is no kqueue, real or in tests/shim,
 * this has nothing to say. */
#include "unit/io/sockets.h"

#include "check.h"

#ifdef __has_include
#if __has_include(<sys/event.h>)
#define HAS_KQUEUE 1
#endif
#endif

#ifdef HAS_KQUEUE

#include <errno.h>
#include <fcntl.h>
#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>

static int kq, fds[2], tag, other_tag;

static void open_queue(void)
{
	kq = kqueue();
	CHECK(kq >= 0);
	open_pair(fds);
}

/* One change without room for events: 0 or an errno. */
static int change(int fd, short filter, unsigned short flags, void *udata)
{
	struct kevent event;

	EV_SET(&event, (uintptr_t)fd, filter, flags, 0, 0, udata);
	return kevent(kq, &event, 1, NULL, 0, NULL) == 0 ? 0 : errno;
}

/* The next event without waiting; false when there is none. */
static bool next(struct kevent *event)
{
	struct timespec none = {.tv_sec = 0};
	int n = kevent(kq, NULL, 0, event, 1, &none);

	CHECK(n == 0 || n == 1);
	return n == 1;
}

static bool nothing_is_told(void)
{
	struct kevent event;

	return !next(&event);
}

static void poke(void)
{
	CHECK(write(fds[1], "abc", 3) == 3);
}

static void test_reading_is_told_with_tag_and_bytes(void)
{
	struct kevent event;

	open_queue();
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD, &tag), 0);
	CHECK(nothing_is_told());
	poke();
	for (int i = 0; i < 2; i++) { /* a level, not an edge */
		CHECK(next(&event));
		CHECK_U64(event.ident, fds[0]);
		CHECK(event.filter == EVFILT_READ && event.udata == &tag);
		CHECK_U64(event.data, 3);
		CHECK((event.flags & (EV_EOF | EV_ERROR)) == 0);
	}
	CHECK_U64(change(fds[0], EVFILT_READ, EV_DELETE, NULL), 0);
	CHECK(nothing_is_told());
}

static void test_writing_is_told_with_room(void)
{
	struct kevent event;

	open_queue();
	CHECK_U64(change(fds[0], EVFILT_WRITE, EV_ADD, &tag), 0);
	CHECK(next(&event));
	CHECK(event.filter == EVFILT_WRITE && event.udata == &tag && event.data > 0);
}

static void test_the_filters_of_one_descriptor_are_apart(void)
{
	struct kevent events[4];
	struct timespec none = {.tv_sec = 0};

	open_queue();
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD, &tag), 0);
	CHECK_U64(change(fds[0], EVFILT_WRITE, EV_ADD, &other_tag), 0);
	poke();
	CHECK(kevent(kq, NULL, 0, events, 4, &none) == 2);
	CHECK(events[0].filter != events[1].filter);
	for (int i = 0; i < 2; i++)
		CHECK(events[i].udata == (events[i].filter == EVFILT_READ ? &tag : &other_tag));
	CHECK_U64(change(fds[0], EVFILT_READ, EV_DELETE, NULL), 0);
	CHECK(kevent(kq, NULL, 0, events, 4, &none) == 1);
	CHECK(events[0].filter == EVFILT_WRITE);
}

static void test_adding_again_changes_the_tag_and_makes_no_second_event(void)
{
	struct kevent events[4];
	struct timespec none = {.tv_sec = 0};

	open_queue();
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD, &tag), 0);
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD, &other_tag), 0);
	poke();
	CHECK(kevent(kq, NULL, 0, events, 4, &none) == 1);
	CHECK(events[0].udata == &other_tag);
}

static void test_clear_tells_once_until_something_new_comes(void)
{
	struct kevent event;

	open_queue();
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD | EV_CLEAR, &tag), 0);
	poke();
	CHECK(next(&event) && event.data == 3);
	CHECK(nothing_is_told());
	poke();
	CHECK(next(&event) && event.data == 6);
	CHECK(nothing_is_told());
}

static void test_oneshot_is_deleted_by_its_event(void)
{
	struct kevent event;

	open_queue();
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD | EV_ONESHOT, &tag), 0);
	poke();
	CHECK(next(&event));
	CHECK(nothing_is_told());
	CHECK_U64(change(fds[0], EVFILT_READ, EV_DELETE, NULL), ENOENT);
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD, &tag), 0);
	CHECK(next(&event) && next(&event));
}

static void test_dispatch_is_disabled_by_its_event(void)
{
	struct kevent event;

	open_queue();
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD | EV_DISPATCH, &tag), 0);
	poke();
	CHECK(next(&event));
	CHECK(nothing_is_told());
	poke();
	CHECK(nothing_is_told());
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ENABLE, &tag), 0);
	CHECK(next(&event) && event.data == 6);
	CHECK(nothing_is_told());
	CHECK_U64(change(fds[0], EVFILT_READ, EV_DELETE, NULL), 0);
}

static void test_a_disabled_filter_tells_nothing_even_of_a_hang_up(void)
{
	struct kevent event;

	open_queue();
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD | EV_DISABLE, &tag), 0);
	poke();
	CHECK(nothing_is_told());
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ENABLE, &tag), 0);
	CHECK(next(&event));
	CHECK_U64(change(fds[0], EVFILT_READ, EV_DISABLE, &tag), 0);
	close(fds[1]);
	CHECK(nothing_is_told());
	CHECK(nothing_is_told());
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD, &tag), 0); /* enables, too */
	CHECK(next(&event) && (event.flags & EV_EOF) != 0);
}

static void test_the_end_of_a_stream_comes_with_what_is_left(void)
{
	struct kevent event;

	open_queue();
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD, &tag), 0);
	poke();
	CHECK(shutdown(fds[1], SHUT_WR) == 0);
	CHECK(next(&event));
	CHECK((event.flags & EV_EOF) != 0);
	CHECK_U64(event.data, 3);
	CHECK_U64(event.fflags, 0);
	CHECK_U64(change(fds[0], EVFILT_WRITE, EV_ADD, &tag), 0);
	CHECK_U64(change(fds[0], EVFILT_READ, EV_DELETE, &tag), 0);
	CHECK(next(&event) && (event.flags & EV_EOF) == 0); /* the other direction goes on */
	close(fds[1]);
	CHECK(next(&event) && (event.flags & EV_EOF) != 0);
}

static void test_a_reset_is_an_end_with_its_error(void)
{
	struct linger linger = {.l_onoff = 1};
	struct kevent event;
	char byte;

	open_queue();
	open_tcp_pair(fds);
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD, &tag), 0);
	CHECK(setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
	close(fds[1]);
	await_readable(fds[0]);
	CHECK(next(&event));
	CHECK((event.flags & EV_EOF) != 0);
	CHECK_U64(event.fflags, ECONNRESET);
	/* The error is still there for the owner. */
	CHECK(read(fds[0], &byte, 1) < 0 && errno == ECONNRESET);
}

static void test_the_end_of_a_pipe_is_told_at_either_end(void)
{
	struct kevent event;
	int in[2], out[2];

	open_queue();
	CHECK(pipe(in) == 0 && pipe(out) == 0);
	CHECK_U64(change(in[0], EVFILT_READ, EV_ADD, &tag), 0);
	CHECK(nothing_is_told());
	close(in[1]);
	CHECK(next(&event) && (event.flags & EV_EOF) != 0 && event.data == 0);
	CHECK_U64(change(in[0], EVFILT_READ, EV_DELETE, &tag), 0);
	CHECK_U64(change(out[1], EVFILT_WRITE, EV_ADD, &tag), 0);
	CHECK(next(&event) && (event.flags & EV_EOF) == 0 && event.data > 0);
	close(out[0]);
	CHECK(next(&event) && (event.flags & EV_EOF) != 0);
}

static void test_a_listening_socket_tells_how_many_wait(void)
{
	struct sockaddr_in address;
	struct kevent event;
	int client;

	open_queue();
	fds[0] = open_tcp_listener(&address);
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD, &tag), 0);
	CHECK(nothing_is_told());
	for (int i = 1; i <= 2; i++) {
		client = socket(AF_INET, SOCK_STREAM, 0);
		CHECK(connect(client, (const struct sockaddr *)&address, sizeof address) == 0);
		await_readable(fds[0]);
		CHECK(next(&event));
		CHECK_U64(event.data, i);
	}
}

static void test_bad_changes_fail(void)
{
	static const struct {
		short filter;
		unsigned short flags;
		bool is_closed;
		int expected;
	} cases[] = {
		{EVFILT_READ, EV_DELETE, false, ENOENT},
		{EVFILT_WRITE, EV_DELETE, false, ENOENT},
		{EVFILT_READ, EV_ENABLE, false, ENOENT},
		{EVFILT_READ, EV_DISABLE, false, ENOENT},
		{EVFILT_READ, EV_ADD, true, EBADF},
		{EVFILT_WRITE, EV_ADD, true, EBADF},
		{EVFILT_READ, EV_DELETE, true, EBADF},
		{-1000, EV_ADD, false, EINVAL},
		{1, EV_ADD, false, EINVAL},
		{0, EV_ADD, false, EINVAL},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		open_queue();
		if (cases[i].is_closed)
			close(fds[0]);
		CHECK_U64(change(fds[0], cases[i].filter, cases[i].flags, &tag), cases[i].expected);
		CHECK(nothing_is_told());
	}
	kq = fds[1];
	CHECK_U64(change(fds[1], EVFILT_READ, EV_ADD, &tag), EBADF);
}

static void test_failures_and_receipts_become_events_while_there_is_room(void)
{
	struct kevent changes[3], events[4];

	open_queue();
	poke();
	EV_SET(&changes[0], (uintptr_t)fds[0], EVFILT_READ, EV_ADD | EV_RECEIPT, 0, 0, &tag);
	EV_SET(&changes[1], (uintptr_t)fds[0], EVFILT_WRITE, EV_DELETE, 0, 0, &other_tag);
	EV_SET(&changes[2], (uintptr_t)fds[1], EVFILT_WRITE, EV_ADD, 0, 0, &other_tag);
	/* All three are applied, two are told, and nothing else although both are ready. */
	CHECK(kevent(kq, changes, 3, events, 4, NULL) == 2);
	CHECK(events[0].flags == EV_ERROR && events[0].data == 0 && events[0].udata == &tag);
	CHECK(events[1].flags == EV_ERROR && events[1].data == ENOENT);
	CHECK(events[1].filter == EVFILT_WRITE && events[1].udata == &other_tag);
	CHECK(kevent(kq, NULL, 0, events, 4, NULL) == 2);
	/* Without room the first failure ends the list. */
	changes[0].flags = EV_DELETE;
	CHECK(kevent(kq, changes + 1, 2, NULL, 0, NULL) < 0 && errno == ENOENT);
	CHECK(kevent(kq, changes, 1, NULL, 0, NULL) == 0);
	CHECK(kevent(kq, changes, 1, NULL, 0, NULL) < 0 && errno == ENOENT);
}

static void test_changes_and_events_go_in_one_call(void)
{
	struct kevent change_list, event;

	open_queue();
	poke();
	EV_SET(&change_list, (uintptr_t)fds[0], EVFILT_READ, EV_ADD, 0, 0, &tag);
	CHECK(kevent(kq, &change_list, 1, &event, 1, NULL) == 1);
	CHECK(event.udata == &tag && event.data == 3);
}

static void test_closing_a_descriptor_deletes_its_filters(void)
{
	struct kevent event;
	int number;

	open_queue();
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD, &tag), 0);
	CHECK_U64(change(fds[0], EVFILT_WRITE, EV_ADD | EV_DISABLE, &tag), 0);
	poke();
	number = fds[0];
	close(fds[0]);
	CHECK(nothing_is_told());
	open_pair(fds);
	CHECK(dup2(fds[0], number) == number);
	CHECK_U64(change(number, EVFILT_READ, EV_DELETE, &tag), ENOENT);
	CHECK_U64(change(number, EVFILT_WRITE, EV_ENABLE, &tag), ENOENT);
	CHECK_U64(change(number, EVFILT_READ, EV_ADD, &other_tag), 0);
	CHECK(nothing_is_told());
	poke();
	CHECK(next(&event) && event.udata == &other_tag);
}

static void test_a_wait_ends_at_its_timeout(void)
{
	struct timespec wait = {.tv_nsec = 20000000}, began, ended;
	struct kevent event;

	open_queue();
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD | EV_DISABLE, &tag), 0);
	close(fds[1]); /* a disabled hang-up must not end it */
	clock_gettime(CLOCK_MONOTONIC, &began);
	CHECK(kevent(kq, NULL, 0, &event, 1, &wait) == 0);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	CHECK((ended.tv_sec - began.tv_sec) * 1000 + (ended.tv_nsec - began.tv_nsec) / 1000000 >=
	      19);
	/* Without room nothing is waited for. */
	CHECK(kevent(kq, NULL, 0, NULL, 0, NULL) == 0);
}

static void test_a_new_queue_knows_nothing_of_the_one_with_its_number(void)
{
	int before;

	open_queue();
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD, &tag), 0);
	poke();
	before = kq;
	close(kq);
	CHECK_U64(change(fds[0], EVFILT_READ, EV_DELETE, &tag), EBADF);
	kq = kqueue();
	CHECK_U64(kq, before);
	CHECK(nothing_is_told());
	CHECK_U64(change(fds[0], EVFILT_READ, EV_DELETE, &tag), ENOENT);
}

static void test_neither_filter_crowds_out_the_other(void)
{
	struct kevent event;
	unsigned reads = 0, writes = 0;

	open_queue();
	CHECK_U64(change(fds[0], EVFILT_READ, EV_ADD, &tag), 0);
	CHECK_U64(change(fds[0], EVFILT_WRITE, EV_ADD, &tag), 0);
	poke();
	for (int i = 0; i < 10; i++) {
		CHECK(next(&event));
		*(event.filter == EVFILT_READ ? &reads : &writes) += 1;
	}
	CHECK(reads > 0 && writes > 0);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_reading_is_told_with_tag_and_bytes),
	WR_TEST(test_writing_is_told_with_room),
	WR_TEST(test_the_filters_of_one_descriptor_are_apart),
	WR_TEST(test_adding_again_changes_the_tag_and_makes_no_second_event),
	WR_TEST(test_clear_tells_once_until_something_new_comes),
	WR_TEST(test_oneshot_is_deleted_by_its_event),
	WR_TEST(test_dispatch_is_disabled_by_its_event),
	WR_TEST(test_a_disabled_filter_tells_nothing_even_of_a_hang_up),
	WR_TEST(test_the_end_of_a_stream_comes_with_what_is_left),
	WR_TEST(test_a_reset_is_an_end_with_its_error),
	WR_TEST(test_the_end_of_a_pipe_is_told_at_either_end),
	WR_TEST(test_a_listening_socket_tells_how_many_wait),
	WR_TEST(test_bad_changes_fail),
	WR_TEST(test_failures_and_receipts_become_events_while_there_is_room),
	WR_TEST(test_changes_and_events_go_in_one_call),
	WR_TEST(test_closing_a_descriptor_deletes_its_filters),
	WR_TEST(test_a_wait_ends_at_its_timeout),
	WR_TEST(test_a_new_queue_knows_nothing_of_the_one_with_its_number),
	WR_TEST(test_neither_filter_crowds_out_the_other),
	WR_TEST_END,
};

#else

const struct wr_test wr_tests[] = {
	WR_TEST_END,
};

#endif
