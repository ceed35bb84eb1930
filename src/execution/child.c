#include "execution/child.h"

#include "check.h"
#include "io/descriptor.h"
#include "bounds.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	READ_BYTES = WR_CHILD_READ_BYTES,
	/* What is read of a dead child's output: the largest that a pipe may hold. */
	LAST_READS_MAX = 1048576 / READ_BYTES,
	QUEUE_BYTES_KEPT = 4096,
	/* A write to a pipe of up to so many bytes takes all or nothing (POSIX, PIPE_BUF). */
	WRITE_AT_ONCE_BYTES = 512
};
_Static_assert(READ_BYTES <= WR_CHILD_TURN_BYTES_MAX, "reading is bounded per turn");

/* ---- descriptors ---- */

static void close_watch(struct wr_child *self, struct wr_watch *watch)
{
	if (!watch->is_watched)
		return;
	wr_reactor_unwatch(self->reactor, watch);
	close(watch->fd);
	watch->fd = -1;
}

static void close_all(struct wr_child *self)
{
	wr_timer_cancel(self->reactor, &self->timer);
	close_watch(self, &self->status_watch);
	close_watch(self, &self->stdin_watch);
	close_watch(self, &self->stdout_watch);
	close_watch(self, &self->stderr_watch);
}

static bool is_open(const struct wr_watch *watch)
{
	return watch->is_watched;
}

static ssize_t read_some(int fd, char bytes[READ_BYTES])
{
	ssize_t got;

	do
		got = read(fd, bytes, READ_BYTES);
	while (got < 0 && errno == EINTR);
	return got;
}

/* ---- stdin ---- */

static void drop_queue(struct wr_child *self)
{
	self->input_at = 0;
	if (self->input.capacity > QUEUE_BYTES_KEPT)
		wr_buf_deinit(&self->input);
	wr_buf_reset(&self->input);
}

/* Writes what the pipe takes. False when nobody reads any more; then the queue stays as it is, so
 * that it can be told how much was not taken. */
static bool flush(struct wr_child *self)
{
	bool is_full = false;

	while (wr_child_queued(self) != 0 && !is_full) {
		ssize_t put = write(self->stdin_watch.fd, self->input.data + self->input_at,
				    wr_child_queued(self));
		if (put >= 0)
			self->input_at += (size_t)put;
		else if (wr_descriptor_is_again(errno))
			is_full = true;
		else if (errno != EINTR)
			return false;
	}
	if (!is_full)
		drop_queue(self);
	wr_reactor_want(self->reactor, &self->stdin_watch, is_full ? WR_WRITABLE : 0);
	return true;
}

static void close_input_when_written(struct wr_child *self)
{
	if (is_open(&self->stdin_watch) && self->closes_input && wr_child_queued(self) == 0)
		close_watch(self, &self->stdin_watch);
}

static void on_stdin_ready(struct wr_watch *watch, unsigned ready)
{
	struct wr_child *self = wr_container_of(watch, struct wr_child, stdin_watch);

	(void)ready;
	if (!flush(self))
		close_watch(self, watch);
	close_input_when_written(self);
}

/* All or nothing: so a usual input never sees the queue. WR_MORE: the pipe is full. */
static enum wr_status write_at_once(struct wr_child *self, struct wr_view bytes)
{
	ssize_t put;

	do
		put = write(self->stdin_watch.fd, bytes.data, bytes.bytes);
	while (put < 0 && errno == EINTR);
	if (put >= 0)
		return WR_OK;
	if (wr_descriptor_is_again(errno))
		return WR_MORE;
	close_watch(self, &self->stdin_watch);
	return WR_CLOSED;
}

enum wr_status wr_child_write(struct wr_child *self, struct wr_view bytes)
{
	size_t queued = wr_child_queued(self);
	enum wr_status status;

	if (!is_open(&self->stdin_watch) || self->closes_input)
		return WR_CLOSED;
	if (bytes.bytes > self->input.bytes_max - queued)
		return WR_TOO_LARGE;
	if (queued == 0 && bytes.bytes <= WRITE_AT_ONCE_BYTES) {
		status = write_at_once(self, bytes);
		if (status != WR_MORE)
			return status;
	}
	wr_buf_consume(&self->input, self->input_at);
	self->input_at = 0;
	status = wr_buf_append_view(&self->input, bytes);
	if (status != WR_OK) {
		self->input.status = WR_OK; /* a later, smaller one may fit */
		return status;
	}
	if (flush(self))
		return WR_OK;
	close_watch(self, &self->stdin_watch);
	if (wr_child_queued(self) < bytes.bytes)
		return WR_OK; /* a part is gone: it was given to this child and to no other */
	wr_buf_truncate(&self->input, self->input.bytes - bytes.bytes);
	return WR_CLOSED;
}

/* ---- its beginning ---- */

/* An end of the status pipe without words is exec's success. A dead child closes it, too: then
 * on_started may come although nothing runs any more, which is what happened. */
static void ask_status(struct wr_child *self)
{
	if (!is_open(&self->status_watch) ||
	    wr_spawn_read_failure(&self->end.failure, self->status_watch.fd) == WR_MORE)
		return;
	close_watch(self, &self->status_watch);
	if (self->end.failure.stage != WR_SPAWN_NONE)
		return; /* on_end will tell */
	self->is_started = true;
	wr_spawn_offer(self->pid);
	self->events->on_started(self->context);
}

/* ---- stdout and stderr ---- */

void wr_child_hold(struct wr_child *self)
{
	self->is_held = true;
	if (is_open(&self->stdout_watch))
		wr_reactor_want(self->reactor, &self->stdout_watch, 0);
}

static bool may_read(struct wr_child *self)
{
	if (!self->is_held && !self->events->takes_output(self->context))
		wr_child_hold(self);
	return !self->is_held;
}

static void on_stdout_ready(struct wr_watch *watch, unsigned ready)
{
	struct wr_child *self = wr_container_of(watch, struct wr_child, stdout_watch);
	ssize_t got;

	(void)ready;
	if (!may_read(self))
		return;
	got = read_some(watch->fd, self->output);
	if (got > 0) {
		self->events->on_output(self->context, wr_view_of(self->output, (size_t)got));
	} else if (got == 0) {
		/* Of one that had little to say its beginning may not have been told yet. */
		ask_status(self);
		close_watch(self, watch);
		self->events->on_output_end(self->context);
	}
}

static void keep_tail(struct wr_child *self, const char *bytes, size_t count)
{
	size_t kept = self->tail_bytes;

	if (count > sizeof self->tail) {
		bytes += count - sizeof self->tail;
		count = sizeof self->tail;
	}
	if (kept > sizeof self->tail - count) {
		memmove(self->tail, self->tail + kept - (sizeof self->tail - count),
			sizeof self->tail - count);
		kept = sizeof self->tail - count;
	}
	memcpy(self->tail + kept, bytes, count);
	self->tail_bytes = kept + count;
}

static void on_stderr_ready(struct wr_watch *watch, unsigned ready)
{
	struct wr_child *self = wr_container_of(watch, struct wr_child, stderr_watch);
	char bytes[READ_BYTES];
	ssize_t got = read_some(watch->fd, bytes);

	(void)ready;
	if (got > 0)
		keep_tail(self, bytes, (size_t)got);
	else if (got == 0)
		close_watch(self, watch);
}

/* What a dead child has left in its pipes. Others may still hold them: so up to the first empty
 * moment, and no more than a pipe can hold. */
static void read_last_output(struct wr_child *self)
{
	ssize_t got;

	while (is_open(&self->stdout_watch) && self->last_read_count < LAST_READS_MAX &&
	       may_read(self)) {
		got = read_some(self->stdout_watch.fd, self->output);
		if (got <= 0)
			return;
		self->last_read_count++;
		self->events->on_output(self->context, wr_view_of(self->output, (size_t)got));
	}
}

static void read_last_errors(struct wr_child *self)
{
	char bytes[READ_BYTES];
	ssize_t got;

	for (unsigned i = 0; i < LAST_READS_MAX && is_open(&self->stderr_watch); i++) {
		got = read_some(self->stderr_watch.fd, bytes);
		if (got <= 0)
			return;
		keep_tail(self, bytes, (size_t)got);
	}
}

/* Its last call, when all it has said was taken. */
static void finish(struct wr_child *self)
{
	struct wr_child_end end;

	read_last_output(self);
	if (self->is_held)
		return;
	read_last_errors(self);
	close_all(self);
	self->is_over = false;
	end = self->end;
	end.stderr_tail = wr_view_of(self->tail, self->tail_bytes);
	self->events->on_end(self->context, &end);
}

bool wr_child_resume(struct wr_child *self)
{
	self->is_held = false;
	if (self->is_over) {
		finish(self);
		return true;
	}
	if (is_open(&self->stdout_watch)) {
		wr_reactor_want(self->reactor, &self->stdout_watch, WR_READABLE);
		self->is_held = self->stdout_watch.wanted == 0; /* a kernel without memory */
	}
	return !self->is_held;
}

/* ---- the start ---- */

static void on_status_ready(struct wr_watch *watch, unsigned ready)
{
	(void)ready;
	ask_status(wr_container_of(watch, struct wr_child, status_watch));
}

static void on_timer(struct wr_timer *timer)
{
	struct wr_child *self = wr_container_of(timer, struct wr_child, timer);

	wr_child_end(self,
		     self->stage < WR_CHILD_TERMINATING ? WR_CHILD_TERMINATING : WR_CHILD_KILLING);
}

/* All four; after a failure those that are not watched are closed. */
static enum wr_status watch_all(struct wr_child *self, const struct wr_spawned *spawned)
{
	const struct {
		struct wr_watch *watch;
		int fd;
		unsigned wanted;
	} all[] = {
		{&self->status_watch, spawned->status_fd, WR_READABLE},
		{&self->stdin_watch, spawned->stdin_fd, 0},
		{&self->stdout_watch, spawned->stdout_fd, WR_READABLE},
		{&self->stderr_watch, spawned->stderr_fd, WR_READABLE},
	};
	enum wr_status status = WR_OK;

	for (unsigned i = 0; i < WR_COUNT(all); i++) {
		if (status == WR_OK)
			status = wr_reactor_watch(self->reactor, all[i].watch, all[i].fd,
						  all[i].wanted);
		if (status != WR_OK)
			close(all[i].fd);
	}
	return status;
}

enum wr_status wr_child_start(struct wr_child *self, const struct wr_child_config *config,
			      const struct wr_spawn *spawn, struct wr_error *error)
{
	struct wr_spawned spawned;
	enum wr_status status;

	*error = (struct wr_error){.status = WR_OK};
	*self = (struct wr_child){
		.reactor = config->reactor,
		.events = config->events,
		.context = config->context,
		.grace_ms = config->grace_ms,
		.status_watch = {.on_ready = on_status_ready, .fd = -1},
		.stdin_watch = {.on_ready = on_stdin_ready, .fd = -1},
		.stdout_watch = {.on_ready = on_stdout_ready, .fd = -1},
		.stderr_watch = {.on_ready = on_stderr_ready, .fd = -1},
		.timer = {.on_due = on_timer},
	};
	wr_buf_init(&self->input, config->allocator, config->input_bytes_max);
	status = wr_spawn(&spawned, spawn, error);
	if (status != WR_OK)
		return status;
	self->pid = spawned.pid;
	if (watch_all(self, &spawned) == WR_OK)
		return WR_OK;
	/* What cannot be heard must not run. Its death is reported like that of any other. */
	close_all(self);
	self->end.failure = (struct wr_spawn_failure){WR_SPAWN_SETUP, ENOMEM};
	wr_child_end(self, WR_CHILD_KILLING);
	return WR_OK;
}

/* ---- the end ---- */

/* To the group; to the child alone while it has not yet made its group. Its number is its own until
 * it is reaped, which only we do. */
static void signal_group(const struct wr_child *self, int number)
{
	if (kill(-self->pid, number) != 0)
		kill(self->pid, number);
}

static void set_grace(struct wr_child *self)
{
	if (wr_timer_set(self->reactor, &self->timer, self->grace_ms) == WR_OK)
		return;
	/* Without memory for a timer nobody could go on with the end later: so it is now. */
	self->stage = WR_CHILD_KILLING;
	signal_group(self, SIGKILL);
}

void wr_child_end(struct wr_child *self, enum wr_child_stage stage)
{
	if (self->pid == 0 || stage <= self->stage)
		return;
	self->stage = stage;
	wr_timer_cancel(self->reactor, &self->timer);
	if (stage != WR_CHILD_INTERRUPTING) {
		self->closes_input = true;
		close_input_when_written(self);
	}
	switch (stage) {
	case WR_CHILD_RUNNING:
	case WR_CHILD_CLOSING:
		set_grace(self);
		break;
	case WR_CHILD_INTERRUPTING:
		signal_group(self, SIGINT);
		set_grace(self);
		break;
	case WR_CHILD_TERMINATING:
		signal_group(self, SIGTERM);
		signal_group(self, SIGCONT); /* a stopped one can only hear it so */
		set_grace(self);
		break;
	case WR_CHILD_KILLING:
		signal_group(self, SIGKILL);
		break;
	}
}

/* The group goes while the dead leader still holds its number: so the number cannot mean others. */
static bool is_dead(struct wr_child *self)
{
	siginfo_t about;

	memset(&about, 0, sizeof about);
	if (waitid(P_PID, (id_t)self->pid, &about, WEXITED | WNOHANG | WNOWAIT) != 0)
		return errno == ECHILD; /* somebody else reaped it: how it ended is not known */
	return about.si_pid == self->pid;
}

static void reap_status(struct wr_child *self)
{
	int status = 0;

	if (waitpid(self->pid, &status, WNOHANG) != self->pid)
		return;
	self->end.is_signalled = WIFSIGNALED(status);
	self->end.number = self->end.is_signalled ? WTERMSIG(status) : WEXITSTATUS(status);
}

bool wr_child_reap(struct wr_child *self)
{
	if (self->pid == 0 || !is_dead(self))
		return false;
	kill(-self->pid, SIGKILL);
	ask_status(self);
	reap_status(self);
	self->pid = 0;
	self->is_over = true;
	wr_timer_cancel(self->reactor, &self->timer);
	close_watch(self, &self->status_watch);
	close_watch(self, &self->stdin_watch);
	self->end.unread_bytes = wr_child_queued(self);
	wr_buf_deinit(&self->input);
	self->input_at = 0;
	if (!self->is_held)
		finish(self);
	return true;
}

void wr_child_deinit(struct wr_child *self)
{
	if (self->pid != 0)
		signal_group(self, SIGKILL);
	self->pid = 0;
	self->is_over = false;
	close_all(self);
	wr_buf_deinit(&self->input);
	self->input_at = 0;
}
