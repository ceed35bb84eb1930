/* Goal: every kind of signal is reported from the loop, none is lost when many come, and what is
 * not ours is left alone. Method: raise, then turns. */
#include "io/reactor/signal.h"
#include "unit/io/sockets.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

static struct wr_reactor reactor;
static unsigned counts[65];
static bool closes;

static void on_signal(void *context, int number)
{
	CHECK(context == counts);
	counts[number]++;
	if (closes)
		wr_signals_close();
}

static void open_signals(void)
{
	static const int numbers[] = {SIGTERM, SIGUSR1, SIGUSR2, 0};
	struct wr_error error;

	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_OK);
	CHECK_STATUS(wr_signals_open(&reactor, numbers, on_signal, counts, &error), WR_OK);
}

static void close_signals(void)
{
	wr_signals_close();
	wr_reactor_deinit(&reactor);
}

static void test_a_signal_is_reported_from_the_loop_and_not_before(void)
{
	open_signals();
	raise(SIGTERM);
	CHECK_U64(counts[SIGTERM], 0);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(counts[SIGTERM], 1);
	wr_reactor_turn(&reactor, 0);
	CHECK_U64(counts[SIGTERM], 1);
	raise(SIGTERM);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(counts[SIGTERM], 2);
	CHECK_U64(counts[SIGUSR1], 0);
	close_signals();
}

static void test_a_flood_of_one_signal_hides_no_other(void)
{
	open_signals();
	for (int i = 0; i < 70000; i++) /* a pipe takes 65536 bytes */
		raise(SIGUSR1);
	raise(SIGUSR2);
	for (int i = 0; i < 3; i++)
		wr_reactor_turn(&reactor, 0);
	CHECK(counts[SIGUSR1] >= 1);
	CHECK_U64(counts[SIGUSR2], 1);
	close_signals();
}

static void test_errno_survives_a_signal(void)
{
	open_signals();
	for (int i = 0; i < 70000; i++) {
		errno = ENOTTY;
		if (raise(SIGUSR1) == 0)
			CHECK(errno == ENOTTY); /* also when the pipe is full: EAGAIN */
	}
	close_signals();
}

static void test_a_broken_pipe_is_an_error_and_no_signal(void)
{
	int fds[2];

	open_signals();
	CHECK(pipe(fds) == 0);
	close(fds[0]);
	CHECK(write(fds[1], "x", 1) < 0 && errno == EPIPE);
	wr_signals_close();
	CHECK(write(fds[1], "x", 1) < 0 && errno == EPIPE);
	close_signals();
}

static void test_a_signal_to_a_forked_child_is_not_reported_here(void)
{
	struct pollfd asked = {.events = POLLIN};
	pid_t pid;
	int state;

	open_signals();
	asked.fd = reactor.poller.fd;
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		raise(SIGUSR1);
		_exit(7);
	}
	CHECK(waitpid(pid, &state, 0) == pid);
	CHECK(WIFEXITED(state) && WEXITSTATUS(state) == 7);
	CHECK(poll(&asked, 1, 0) == 0); /* not even awake */
	wr_reactor_turn(&reactor, 0);
	CHECK_U64(counts[SIGUSR1], 0);
	close_signals();
}

static void test_close_restores_the_default_dispositions(void)
{
	static const int numbers[] = {SIGTERM, SIGUSR1, SIGUSR2};
	struct sigaction action;

	open_signals();
	wr_signals_close();
	wr_signals_close();
	for (int i = 0; i < 3; i++) {
		CHECK(sigaction(numbers[i], NULL, &action) == 0);
		CHECK(action.sa_handler == SIG_DFL);
	}
	wr_reactor_deinit(&reactor);
}

static void test_the_report_may_close_and_signals_can_be_opened_again(void)
{
	open_signals();
	closes = true;
	raise(SIGTERM);
	raise(SIGUSR1);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(counts[SIGTERM] + counts[SIGUSR1], 1);
	wr_reactor_deinit(&reactor);
	closes = false;
	open_signals();
	raise(SIGUSR2);
	wr_reactor_turn(&reactor, 1000);
	CHECK_U64(counts[SIGUSR2], 1);
	CHECK_U64(counts[SIGTERM] + counts[SIGUSR1], 1);
	close_signals();
}

static void test_a_number_that_is_no_signal_is_refused_and_nothing_stays(void)
{
	static const int numbers[] = {SIGUSR1, 12345, 0};
	struct sigaction action;
	struct wr_error error;

	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_OK);
	CHECK_STATUS(wr_signals_open(&reactor, numbers, on_signal, counts, &error), WR_IO);
	CHECK_U64(error.os_error, EINVAL);
	CHECK_STRING(wr_view_of_string(error.detail), "sigaction");
	CHECK(sigaction(SIGUSR1, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
	wr_reactor_deinit(&reactor);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_signal_is_reported_from_the_loop_and_not_before),
	WR_TEST(test_a_flood_of_one_signal_hides_no_other),
	WR_TEST(test_errno_survives_a_signal),
	WR_TEST(test_a_broken_pipe_is_an_error_and_no_signal),
	WR_TEST(test_a_signal_to_a_forked_child_is_not_reported_here),
	WR_TEST(test_close_restores_the_default_dispositions),
	WR_TEST(test_the_report_may_close_and_signals_can_be_opened_again),
	WR_TEST(test_a_number_that_is_no_signal_is_refused_and_nothing_stays),
	WR_TEST_END,
};
