/* See process.h. */
#include "harness/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 64 };

uint64_t wr_process_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool wr_process_is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
	return true;
#else
	return false;
#endif
#else
	return false;
#endif
}

const char *wr_process_program(void)
{
	static char path[4096];
	const char *build = getenv("WR_BUILD");
	ssize_t bytes;
	char *folder;

	if (build != NULL) {
		snprintf(path, sizeof path, "%s/worker-runtime", build);
		return path;
	}
	bytes = readlink("/proc/self/exe", path, sizeof path - 32);
	if (bytes > 0) {
		path[bytes] = '\0';
		folder = strstr(path, "/tests/");
		if (folder != NULL) {
			memcpy(folder, "/worker-runtime", sizeof "/worker-runtime");
			return path;
		}
	}
	wr_test_fail(__FILE__, __LINE__, "set WR_BUILD to the folder of the programs");
}

/* ---- starting ---- */

/* In the child, between fork and exec. */
static _Noreturn void become(const char *path, char *const *arguments,
			     const char *const *environment, int out, int err)
{
	int null = open("/dev/null", O_RDONLY);

	dup2(null, 0);
	dup2(out, 1);
	dup2(err, 2);
	for (; environment != NULL && *environment != NULL; environment++)
		putenv((char *)(uintptr_t)*environment);
	execv(path, arguments);
	_exit(127);
}

static void open_pipe(int fds[2])
{
	CHECK(pipe(fds) == 0);
	CHECK(fcntl(fds[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(fds[1], F_SETFD, FD_CLOEXEC) == 0);
}

void wr_process_spawn(struct wr_process *self, const char *path, const char *const *arguments,
		      const char *const *environment)
{
	char *list[ARGUMENTS_MAX];
	size_t count = 0;
	int out[2], err[2];

	if (path == NULL)
		path = wr_process_program();
	list[count++] = (char *)(uintptr_t)path;
	for (; arguments != NULL && *arguments != NULL && count < ARGUMENTS_MAX - 1; arguments++)
		list[count++] = (char *)(uintptr_t)*arguments;
	list[count] = NULL;
	memset(self, 0, sizeof *self);
	open_pipe(out);
	open_pipe(err);
	fflush(NULL);
	self->pid = fork();
	CHECK(self->pid >= 0);
	if (self->pid == 0)
		become(path, list, environment, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	self->out_fd = out[0];
	self->err_fd = err[0];
	self->is_running = true;
}

static bool take(int *fd, char *text, size_t *bytes)
{
	char rest[4096];
	size_t room = WR_PROCESS_OUTPUT_BYTES_MAX - *bytes;
	ssize_t got = room > 0 ? read(*fd, text + *bytes, room) : read(*fd, rest, sizeof rest);

	if (got <= 0) {
		close(*fd);
		*fd = -1;
		return false;
	}
	if (room > 0)
		*bytes += (size_t)got;
	text[*bytes] = '\0';
	return true;
}

/* Collects output for up to `ms`, or until some came; false when both streams have ended. */
static bool collect(struct wr_process *self, unsigned ms)
{
	struct pollfd fds[2] = {{.fd = self->out_fd, .events = POLLIN},
				{.fd = self->err_fd, .events = POLLIN}};

	if (self->out_fd < 0 && self->err_fd < 0)
		return false;
	if (poll(fds, 2, (int)ms) <= 0)
		return true;
	if (fds[0].revents != 0)
		take(&self->out_fd, self->out, &self->out_bytes);
	if (fds[1].revents != 0)
		take(&self->err_fd, self->err, &self->err_bytes);
	return true;
}

bool wr_process_is_alive(struct wr_process *self)
{
	int state;

	if (!self->is_running)
		return false;
	if (waitpid(self->pid, &state, WNOHANG) != self->pid)
		return true;
	self->is_running = false;
	self->exit_code =
		WIFEXITED(state) ? WEXITSTATUS(state) : WR_PROCESS_SIGNALLED + WTERMSIG(state);
	while (collect(self, 200))
		;
	return false;
}

static void show(const struct wr_process *self)
{
	fprintf(stderr, "---- the program ended with %d and had printed:\n%s%s----\n",
		self->exit_code, self->out, self->err);
}

bool wr_process_wait_text(struct wr_process *self, const char *text, unsigned ms)
{
	uint64_t end = wr_process_now_ms() + ms;

	for (;;) {
		bool is_alive = wr_process_is_alive(self);
		collect(self, 0);
		if (strstr(self->err, text) != NULL)
			return true;
		if (!is_alive || wr_process_now_ms() >= end)
			return false;
		collect(self, 10);
	}
}

/* Starts a program of ours with an address flag in front, and waits until it listens. */
static void start(struct wr_process *self, const char *path, const char *flag,
		  const char *const *arguments, const char *const *environment)
{
	const char *list[ARGUMENTS_MAX] = {flag, "127.0.0.1:0"};
	const char *word = "listening on ", *address;
	size_t count = 2, bytes;

	for (; arguments != NULL && *arguments != NULL && count < ARGUMENTS_MAX - 1; arguments++)
		list[count++] = *arguments;
	wr_process_spawn(self, path, list, environment);
	if (!wr_process_wait_text(self, word, WR_PROCESS_WAIT_MS)) {
		show(self);
		wr_test_fail(__FILE__, __LINE__, "the program does not listen");
	}
	CHECK(wr_process_wait_text(self, ";", WR_PROCESS_WAIT_MS));
	address = strstr(self->err, word) + strlen(word);
	bytes = strcspn(address, ";\n");
	CHECK(address[bytes] == ';' && bytes < sizeof self->address);
	memcpy(self->address, address, bytes);
	self->address[bytes] = '\0';
}

void wr_process_start(struct wr_process *self, const char *const *arguments,
		      const char *const *environment)
{
	start(self, NULL, "--bind", arguments, environment);
}

void wr_process_start_backend(struct wr_process *self, const char *const *arguments,
			      const char *const *environment)
{
	char path[4096];
	const char *program = wr_process_program();
	const char *slash = strrchr(program, '/');

	CHECK(slash != NULL);
	snprintf(path, sizeof path, "%.*s/workspace-server", (int)(slash - program), program);
	start(self, path, "--listen", arguments, environment);
}

/* ---- ending ---- */

void wr_process_signal(struct wr_process *self, int number)
{
	CHECK(self->is_running);
	CHECK(kill(self->pid, number) == 0);
}

int wr_process_wait(struct wr_process *self, unsigned ms)
{
	uint64_t end = wr_process_now_ms() + ms;

	while (wr_process_is_alive(self)) {
		if (wr_process_now_ms() >= end) {
			show(self);
			wr_test_fail(__FILE__, __LINE__, "the program does not end");
		}
		if (!collect(self, 5))
			poll(NULL, 0, 5);
	}
	if (self->exit_code > 2)
		show(self);
	return self->exit_code;
}

int wr_process_stop(struct wr_process *self)
{
	wr_process_signal(self, SIGTERM);
	return wr_process_wait(self, WR_PROCESS_WAIT_MS);
}

int wr_process_run(struct wr_process *self, const char *const *arguments,
		   const char *const *environment)
{
	wr_process_spawn(self, NULL, arguments, environment);
	return wr_process_wait(self, WR_PROCESS_WAIT_MS);
}

/* ---- looking at it ---- */

bool wr_process_is_emulated(const struct wr_process *self)
{
	char path[64], program[4096];
	ssize_t bytes;

	snprintf(path, sizeof path, "/proc/%ld/exe", (long)self->pid);
	bytes = readlink(path, program, sizeof program - 1);
	if (bytes <= 0)
		return false;
	program[bytes] = '\0';
	return strstr(program, "/qemu-") != NULL;
}

static bool read_proc(const struct wr_process *self, const char *name, char *text, size_t room)
{
	char path[64];
	FILE *file;
	size_t bytes;

	snprintf(path, sizeof path, "/proc/%ld/%s", (long)self->pid, name);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	bytes = fread(text, 1, room - 1, file);
	text[bytes] = '\0';
	fclose(file);
	return true;
}

size_t wr_process_rss_bytes(const struct wr_process *self)
{
	char text[8192];
	const char *line;

	if (!read_proc(self, "status", text, sizeof text))
		return 0;
	line = strstr(text, "VmRSS:");
	return line == NULL ? 0 : (size_t)strtoull(line + strlen("VmRSS:"), NULL, 10) * 1024;
}

size_t wr_process_fd_count(const struct wr_process *self)
{
	char path[64];
	size_t count = 0;

	for (int fd = 0; fd < 4096; fd++) {
		char target[8];
		snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)self->pid, fd);
		if (readlink(path, target, sizeof target) >= 0)
			count++;
	}
	return count;
}

uint64_t wr_process_cpu_ms(const struct wr_process *self)
{
	char text[1024];
	char *at;
	unsigned long long user, system;

	if (!read_proc(self, "stat", text, sizeof text) || (at = strrchr(text, ')')) == NULL)
		return 0;
	if (sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
		   &system) != 2)
		return 0;
	return (uint64_t)((user + system) * 1000 / (unsigned long long)sysconf(_SC_CLK_TCK));
}
