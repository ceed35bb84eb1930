/* Goal: both pollers tell the same readiness, and never anything of a descriptor that is wanted for
 * nothing, whatever happens to its peer. Method: socket pairs and pipes, one poll at a time. */
#include "io/reactor/poller.h"
#include "unit/io/sockets.h"

#include "check.h"

#include <fcntl.h>

static struct wr_poller poller;

static void open_poller(void)
{
	struct wr_error error;

	CHECK_STATUS(wr_poller_open(&poller, &error), WR_OK);
	CHECK((fcntl(poller.fd, F_GETFD) & FD_CLOEXEC) != 0);
}

/* What is told of the tag within `ms`, all events together; no other tag may come. */
static unsigned wait_for(const void *tag, int ms)
{
	struct wr_poller_event events[8];
	unsigned ready = 0, count = wr_poller_wait(&poller, events, WR_COUNT(events), ms);

	for (unsigned i = 0; i < count; i++) {
		CHECK(events[i].tag == tag);
		CHECK(events[i].ready != 0);
		ready |= events[i].ready;
	}
	return ready;
}

static void test_only_what_is_wanted_is_told(void)
{
	int fds[2], tag;

	open_poller();
	open_pair(fds);
	CHECK_STATUS(wr_poller_add(&poller, fds[0], WR_READABLE, &tag), WR_OK);
	CHECK_U64(wait_for(&tag, 0), 0);
	CHECK(write(fds[1], "x", 1) == 1);
	CHECK_U64(wait_for(&tag, 1000), WR_READABLE);
	CHECK_U64(wait_for(&tag, 0), WR_READABLE); /* level-triggered */
	CHECK_STATUS(wr_poller_change(&poller, fds[0], WR_READABLE, WR_WRITABLE, &tag), WR_OK);
	CHECK_U64(wait_for(&tag, 0), WR_WRITABLE);
	CHECK_STATUS(
		wr_poller_change(&poller, fds[0], WR_WRITABLE, WR_READABLE | WR_WRITABLE, &tag),
		WR_OK);
	CHECK_U64(wait_for(&tag, 0), WR_READABLE | WR_WRITABLE);
	wr_poller_remove(&poller, fds[0], WR_READABLE | WR_WRITABLE);
	CHECK_U64(wait_for(&tag, 0), 0);
	wr_poller_close(&poller);
}

static void test_nothing_wanted_is_nothing_told_of_a_peer_that_is_gone(void)
{
	int fds[2], tag;

	open_poller();
	open_tcp_pair(fds);
	CHECK_STATUS(wr_poller_add(&poller, fds[0], WR_READABLE, &tag), WR_OK);
	CHECK_STATUS(wr_poller_change(&poller, fds[0], WR_READABLE, 0, &tag), WR_OK);
	CHECK(write(fds[0], "x", 1) == 1);
	await_readable(fds[1]);
	close(fds[1]); /* unread bytes make it a reset */
	await_readable(fds[0]);
	CHECK_U64(wait_for(&tag, 0), 0);
	CHECK_STATUS(wr_poller_change(&poller, fds[0], 0, WR_READABLE, &tag), WR_OK);
	CHECK((wait_for(&tag, 1000) & WR_READABLE) != 0);
	wr_poller_remove(&poller, fds[0], WR_READABLE);
	CHECK_U64(wait_for(&tag, 0), 0);
	wr_poller_close(&poller);
}

static void test_nothing_wanted_from_the_start_can_be_changed_and_removed(void)
{
	int fds[2], tag;

	open_poller();
	open_pair(fds);
	CHECK_STATUS(wr_poller_add(&poller, fds[0], 0, &tag), WR_OK);
	close(fds[1]);
	CHECK_U64(wait_for(&tag, 0), 0);
	CHECK_STATUS(wr_poller_change(&poller, fds[0], 0, WR_WRITABLE, &tag), WR_OK);
	CHECK((wait_for(&tag, 1000) & WR_WRITABLE) != 0);
	CHECK_STATUS(wr_poller_change(&poller, fds[0], WR_WRITABLE, 0, &tag), WR_OK);
	wr_poller_remove(&poller, fds[0], 0);
	CHECK_U64(wait_for(&tag, 0), 0);
	wr_poller_close(&poller);
}

static void test_the_end_of_a_pipe_is_ready_at_either_end(void)
{
	int in[2], out[2], tag;

	open_poller();
	CHECK(pipe(in) == 0 && pipe(out) == 0);
	CHECK_STATUS(wr_poller_add(&poller, in[0], WR_READABLE, &tag), WR_OK);
	CHECK_U64(wait_for(&tag, 0), 0);
	close(in[1]);
	CHECK((wait_for(&tag, 1000) & WR_READABLE) != 0);
	wr_poller_remove(&poller, in[0], WR_READABLE);
	CHECK(fcntl(out[1], F_SETFL, O_NONBLOCK) == 0);
	while (write(out[1], "0123456789abcdef", 16) == 16)
		;
	CHECK_STATUS(wr_poller_add(&poller, out[1], WR_WRITABLE, &tag), WR_OK);
	CHECK_U64(wait_for(&tag, 0), 0);
	close(out[0]);
	CHECK((wait_for(&tag, 1000) & WR_WRITABLE) != 0);
	wr_poller_close(&poller);
}

static void test_a_descriptor_that_is_not_open_cannot_be_watched(void)
{
	static const unsigned wanted[] = {WR_READABLE, WR_WRITABLE, WR_READABLE | WR_WRITABLE};
	int fds[2], tag;

	open_poller();
	open_pair(fds);
	close(fds[0]);
	close(fds[1]);
	for (size_t i = 0; i < WR_COUNT(wanted); i++) {
		CHECK_STATUS(wr_poller_add(&poller, fds[0], wanted[i], &tag), WR_IO);
		CHECK_STATUS(wr_poller_add(&poller, -1, wanted[i], &tag), WR_IO);
	}
	CHECK_U64(wait_for(&tag, 0), 0);
	wr_poller_close(&poller);
}

static void test_what_does_not_fit_one_wait_comes_with_the_next(void)
{
	enum { PAIR_COUNT = 8 };
	int pairs[PAIR_COUNT][2];
	unsigned seen[PAIR_COUNT] = {0};

	open_poller();
	for (int i = 0; i < PAIR_COUNT; i++) {
		open_pair(pairs[i]);
		CHECK_STATUS(wr_poller_add(&poller, pairs[i][0], WR_READABLE, &seen[i]), WR_OK);
		CHECK(write(pairs[i][1], "x", 1) == 1);
	}
	for (int turn = 0; turn < PAIR_COUNT; turn++) {
		struct wr_poller_event events[3];
		unsigned count = wr_poller_wait(&poller, events, 3, 1000);
		CHECK_U64(count, 3);
		for (unsigned i = 0; i < count; i++)
			++*(unsigned *)events[i].tag;
	}
	for (int i = 0; i < PAIR_COUNT; i++)
		CHECK(seen[i] >= 2);
	wr_poller_close(&poller);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_only_what_is_wanted_is_told),
	WR_TEST(test_nothing_wanted_is_nothing_told_of_a_peer_that_is_gone),
	WR_TEST(test_nothing_wanted_from_the_start_can_be_changed_and_removed),
	WR_TEST(test_the_end_of_a_pipe_is_ready_at_either_end),
	WR_TEST(test_a_descriptor_that_is_not_open_cannot_be_watched),
	WR_TEST(test_what_does_not_fit_one_wait_comes_with_the_next),
	WR_TEST_END,
};
