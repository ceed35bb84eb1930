/* Two things pass from a handler to the loop: a flag per signal, which cannot overflow, and a byte
 * in a pipe, which wakes. A full pipe loses nothing: a byte is waiting already. */
#include "io/reactor/signal.h"

#include "check.h"
#include "io/descriptor.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum { SIGNAL_COUNT_MAX = 16 };

/* One per process, as dispositions are. A handler has no other way to its context. */
static struct {
	struct wr_watch watch;
	struct wr_reactor *reactor;
	wr_signal_fn *on_signal;
	void *context;
	pid_t pid;
	unsigned count;
	int numbers[SIGNAL_COUNT_MAX];
	volatile sig_atomic_t is_pending[SIGNAL_COUNT_MAX];
	int wake_fd; /* the writing end; the watch has the reading one */
} signals;

/* Async-signal-safe calls only, and errno as it was. */
static void note_signal(int number)
{
	int saved = errno;

	/* A child between fork and exec has this handler and the pipe, too: what it is sent is not
	 * ours. */
	if (getpid() == signals.pid) {
		for (unsigned i = 0; i < signals.count; i++)
			if (signals.numbers[i] == number)
				signals.is_pending[i] = 1;
		while (write(signals.wake_fd, "", 1) < 0 && errno == EINTR)
			;
	}
	errno = saved;
}

static void report_signals(struct wr_watch *watch, unsigned ready)
{
	char bytes[256];

	(void)ready;
	/* The bytes before the flags: whoever sets a flag after this leaves a byte, too. */
	while (read(watch->fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes)
		;
	for (unsigned i = 0; i < signals.count; i++) {
		if (!signals.is_pending[i])
			continue;
		signals.is_pending[i] = 0;
		signals.on_signal(signals.context, signals.numbers[i]);
	}
}

static bool set_disposition(int number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

	sigfillset(&action.sa_mask);
	return sigaction(number, &action, NULL) == 0;
}

static bool open_pipe(int fds[2])
{
	if (pipe(fds) != 0)
		return false;
	if (wr_descriptor_prepare(fds[0], true) && wr_descriptor_prepare(fds[1], true))
		return true;
	close(fds[0]);
	close(fds[1]);
	return false;
}

static enum wr_status fail(struct wr_error *error, enum wr_status status, const char *detail)
{
	*error = (struct wr_error){.status = status, .os_error = errno, .detail = detail};
	return status;
}

static bool catch_signals(const int *numbers)
{
	for (; *numbers != 0; numbers++) {
		wr_assert(signals.count < SIGNAL_COUNT_MAX);
		signals.is_pending[signals.count] = 0;
		signals.numbers[signals.count++] = *numbers;
		if (!set_disposition(*numbers, note_signal))
			return false;
	}
	/* A file over its limit is an error of the write, too. */
	return set_disposition(SIGPIPE, SIG_IGN) && set_disposition(SIGXFSZ, SIG_IGN);
}

enum wr_status wr_signals_open(struct wr_reactor *reactor, const int *numbers,
			       wr_signal_fn *on_signal, void *context, struct wr_error *error)
{
	int fds[2];
	enum wr_status status;

	wr_assert(!signals.watch.is_watched && signals.count == 0);
	if (!open_pipe(fds))
		return fail(error, WR_IO, "pipe");
	signals.reactor = reactor;
	signals.on_signal = on_signal;
	signals.context = context;
	signals.pid = getpid();
	signals.wake_fd = fds[1];
	signals.watch.on_ready = report_signals;
	status = wr_reactor_watch(reactor, &signals.watch, fds[0], WR_READABLE);
	if (status != WR_OK) {
		fail(error, status, "watch");
		close(fds[0]);
		close(fds[1]);
	} else if (!catch_signals(numbers)) {
		status = fail(error, WR_IO, "sigaction");
		wr_signals_close();
	}
	return status;
}

void wr_signals_close(void)
{
	if (!signals.watch.is_watched)
		return;
	for (unsigned i = 0; i < signals.count; i++)
		set_disposition(signals.numbers[i], SIG_DFL);
	signals.count = 0;
	wr_reactor_unwatch(signals.reactor, &signals.watch);
	close(signals.watch.fd);
	close(signals.wake_fd);
}
