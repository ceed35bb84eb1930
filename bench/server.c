/* See server.h. */
#include "server.h"

#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TOKEN_NAME "WR_BENCH_TOKEN"

enum { READY_MS_MAX = 20000 /* also under a profiler */, PREFIX_WORDS_MAX = 16, FLAGS_MAX = 8 };

static uint16_t free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t bytes = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &bytes) != 0)
		wr_bench_die("no free port");
	close(fd);
	return ntohs(address.sin_port);
}

static const char *build_folder(void)
{
	const char *folder = getenv("WR_BUILD");

	return folder != NULL ? folder : "build/release";
}

/* In the child. What servers say is not shown, unless WR_BENCH_VERBOSE is set. */
static _Noreturn void become(const char **words, bool is_pinned)
{
	static char *arguments[PREFIX_WORDS_MAX + 24];
	int null = open("/dev/null", O_RDWR), complaints = fcntl(2, F_DUPFD_CLOEXEC, 3);
	bool is_shown = getenv("WR_BENCH_VERBOSE") != NULL;
	size_t count = 0;

	for (; words[count] != NULL; count++)
		arguments[count] = (char *)(uintptr_t)words[count];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	wr_bench_pin(0, is_pinned ? WR_BENCH_PLACE_SERVER : WR_BENCH_PLACE_ANY);
	dup2(null, 0);
	dup2(is_shown ? 2 : null, 1);
	dup2(is_shown ? 2 : null, 2);
	execvp(arguments[0], arguments);
	dprintf(complaints, "bench: cannot run %s (%s)\n", arguments[0], strerror(errno));
	_exit(127);
}

static size_t add_prefix(const char **words, char *text, size_t bytes)
{
	const char *prefix = getenv("WR_BENCH_PREFIX");
	size_t count = 0;
	char *at = text;

	if (prefix == NULL)
		return 0;
	wr_bench_require((size_t)snprintf(text, bytes, "%s", prefix) < bytes, "prefix too long");
	while (count < PREFIX_WORDS_MAX) {
		at += strspn(at, " ");
		if (*at == '\0')
			break;
		words[count++] = at;
		at += strcspn(at, " ");
		if (*at != '\0')
			*at++ = '\0';
	}
	return count;
}

static void spawn(struct wr_bench_server *self, bool is_floor, const struct wr_bench_floor *floor,
		  const char *const *flags, bool is_pinned)
{
	const char *words[PREFIX_WORDS_MAX + 24];
	char prefix[1024], program[512], address[32], numbers[3][24];
	size_t count = 0;

	self->is_floor = is_floor;
	self->behind = NULL;
	self->folder[0] = '\0';
	self->port = free_port();
	if (is_floor) {
		snprintf(program, sizeof program, "%s/bench/floor", build_folder());
		snprintf(address, sizeof address, "%u", self->port);
		snprintf(numbers[0], sizeof numbers[0], "%zu", floor->answer_bytes);
		snprintf(numbers[1], sizeof numbers[1], "%zu", floor->request_bytes);
		snprintf(numbers[2], sizeof numbers[2], "%zu", floor->frame_bytes);
		words[count++] = program;
		words[count++] = address;
		for (unsigned i = 0; i < 3; i++)
			words[count++] = numbers[i];
	} else {
		count = add_prefix(words, prefix, sizeof prefix);
		snprintf(program, sizeof program, "%s/worker-runtime", build_folder());
		snprintf(address, sizeof address, "127.0.0.1:%u", self->port);
		words[count++] = program;
		words[count++] = "--bind";
		words[count++] = address;
		words[count++] = "--local-token-env=" TOKEN_NAME;
		words[count++] = "--log-level=error";
		/* Neither keep-alive nor idle limits while another server has its turn. */
		words[count++] = "--ping-ms=3600000";
		words[count++] = "--idle-ms=3600000";
		setenv(TOKEN_NAME, WR_BENCH_TOKEN, 1);
		for (unsigned i = 0; flags != NULL && flags[i] != NULL && i < FLAGS_MAX; i++)
			words[count++] = flags[i];
	}
	words[count] = NULL;
	fflush(NULL);
	self->pid = fork();
	wr_bench_require(self->pid >= 0, "fork");
	if (self->pid == 0)
		become(words, is_pinned);
	errno = 0;
}

void wr_bench_spawn(struct wr_bench_server *self, bool is_floor, const struct wr_bench_floor *floor)
{
	spawn(self, is_floor, floor, NULL, false);
}

static void wait_until_it_listens(const struct wr_bench_server *self)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(self->port)};
	uint64_t end = wr_bench_now_ns() + READY_MS_MAX * (uint64_t)1000000;
	const struct timespec pause = {.tv_nsec = 200000};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (;;) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int result = connect(fd, (struct sockaddr *)&address, sizeof address);
		close(fd);
		if (result == 0)
			break;
		if (waitpid(self->pid, NULL, WNOHANG) == self->pid)
			wr_bench_die("a server ended at its start");
		if (wr_bench_now_ns() > end)
			wr_bench_die("a server does not start");
		nanosleep(&pause, NULL);
	}
	errno = 0;
}

void wr_bench_start_floor(struct wr_bench_server *self, const struct wr_bench_floor *floor)
{
	spawn(self, true, floor, NULL, true);
	wait_until_it_listens(self);
}

void wr_bench_start_runtime(struct wr_bench_server *self, const char *const *flags)
{
	spawn(self, false, NULL, flags, true);
	wait_until_it_listens(self);
}

/* A file of ours that only we can read. */
static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t bytes = (ssize_t)strlen(text);

	wr_bench_require(fd >= 0 && write(fd, text, (size_t)bytes) == bytes, "a file");
	close(fd);
}

void wr_bench_start_backend(struct wr_bench_server *self, const struct wr_bench_server *runtime)
{
	char *folder = self->folder, config[64], secret[64], address[32], text[512];
	char program[512], prefix[1024];
	const char *const own[] = {program,
				   "--listen",
				   address,
				   "--workspace",
				   folder,
				   "--config",
				   config,
				   "--local-token-env=" TOKEN_NAME,
				   "--no-local",
				   "--no-embedded",
				   "--log-level=error",
				   "--ping-ms=3600000",
				   "--idle-ms=3600000",
				   NULL};
	const char *words[PREFIX_WORDS_MAX + sizeof own / sizeof own[0]];
	size_t before = add_prefix(words, prefix, sizeof prefix);

	memcpy(words + before, own, sizeof own);
	snprintf(folder, sizeof self->folder, "/tmp/wr-bench-XXXXXX");
	wr_bench_require(mkdtemp(folder) != NULL, "a folder");
	snprintf(config, sizeof config, "%s/config", folder);
	snprintf(secret, sizeof secret, "%s/secret", folder);
	write_file(secret, WR_BENCH_TOKEN);
	snprintf(text, sizeof text,
		 "[[remote]]\nid = \"remote:box\"\nbase_url = \"http://127.0.0.1:%u\"\n"
		 "token_file = \"%s\"\n",
		 runtime->port, secret);
	write_file(config, text);
	self->is_floor = false;
	self->behind = runtime;
	self->port = free_port();
	snprintf(program, sizeof program, "%s/workspace-server", build_folder());
	snprintf(address, sizeof address, "127.0.0.1:%u", self->port);
	setenv(TOKEN_NAME, WR_BENCH_TOKEN, 1);
	fflush(NULL);
	self->pid = fork();
	wr_bench_require(self->pid >= 0, "fork");
	if (self->pid == 0)
		become(words, true);
	wait_until_it_listens(self);
	errno = 0;
}

void wr_bench_stop(struct wr_bench_server *self)
{
	char command[64];

	kill(self->pid, self->is_floor ? SIGKILL : SIGTERM);
	waitpid(self->pid, NULL, 0);
	self->pid = 0;
	if (self->folder[0] != '\0') {
		snprintf(command, sizeof command, "rm -r %s", self->folder);
		wr_bench_require(system(command) == 0, "cannot remove a folder");
		self->folder[0] = '\0';
	}
	errno = 0;
}

uint64_t wr_bench_cpu_ns(const struct wr_bench_server *self)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(self->pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
		wr_bench_die("the server is gone");
	return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

uint64_t wr_bench_memory(const struct wr_bench_server *self, const char *key)
{
	char path[64], line[256];
	unsigned long long kib = 0;
	bool is_found = false;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)self->pid);
	file = fopen(path, "r");
	wr_bench_require(file != NULL, "no smaps_rollup");
	while (!is_found && fgets(line, sizeof line, file) != NULL)
		if (strncmp(line, key, strlen(key)) == 0) {
			kib = strtoull(line + strlen(key), NULL, 10);
			is_found = true;
		}
	fclose(file);
	wr_bench_require(is_found, "smaps_rollup lacks a value");
	return (uint64_t)kib * 1024;
}

void wr_bench_hold(const struct wr_bench_server *server)
{
	char path[64], text[512], *state;
	size_t bytes;
	FILE *file;

	kill(server->pid, SIGSTOP);
	snprintf(path, sizeof path, "/proc/%d/stat", (int)server->pid);
	do {
		file = fopen(path, "r");
		wr_bench_require(file != NULL, "the server is gone");
		bytes = fread(text, 1, sizeof text - 1, file);
		fclose(file);
		text[bytes] = '\0';
		state = strrchr(text, ')');
	} while (state == NULL || state[2] != 'T');
}

void wr_bench_release(const struct wr_bench_server *server)
{
	kill(server->pid, SIGCONT);
}
