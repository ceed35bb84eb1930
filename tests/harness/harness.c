/* See harness.h. The parent forks once per test, keeps up to `jobs` of them running, reads what
 * they print through a pipe each, and shows it only when the test failed or was skipped. */
#include "harness.h"

#include "check.h"
#include "folders.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_SKIPPED = 77, JOBS_MAX = 16, OUTPUT_MAX = 16384 };

static const char *current_case;
static uint64_t seed;
static bool seed_used;

/* ---- inside a test ---- */

static void report_place(const char *file, int line)
{
	fprintf(stderr, "%s:%d: ", file, line);
	if (current_case != NULL)
		fprintf(stderr, "[%s] ", current_case);
}

static _Noreturn void end_failed(void)
{
	if (seed_used)
		fprintf(stderr, "(seed %llu)\n", (unsigned long long)seed);
	fflush(NULL);
	_exit(1);
}

_Noreturn void wr_test_fail(const char *file, int line, const char *what)
{
	report_place(file, line);
	fprintf(stderr, "%s\n", what);
	end_failed();
}

void wr_test_check_status(const char *file, int line, const char *what, enum wr_status actual,
			  enum wr_status expected)
{
	if (actual == expected)
		return;
	report_place(file, line);
	fprintf(stderr, "%s is %s, expected %s\n", what, wr_status_name(actual),
		wr_status_name(expected));
	end_failed();
}

void wr_test_check_u64(const char *file, int line, const char *what, uint64_t actual,
		       uint64_t expected)
{
	if (actual == expected)
		return;
	report_place(file, line);
	fprintf(stderr, "%s is %llu, expected %llu\n", what, (unsigned long long)actual,
		(unsigned long long)expected);
	end_failed();
}

static void print_view(struct wr_view view)
{
	for (size_t i = 0; i < view.bytes && i < 2000; i++) {
		unsigned char c = (unsigned char)view.data[i];
		if (c >= 0x20 && c < 0x7f)
			fputc(c, stderr);
		else
			fprintf(stderr, "\\x%02x", c);
	}
	fprintf(stderr, " (%zu bytes)\n", view.bytes);
}

void wr_test_check_view(const char *file, int line, const char *what, struct wr_view actual,
			struct wr_view expected)
{
	if (wr_view_equal(actual, expected))
		return;
	report_place(file, line);
	fprintf(stderr, "%s\n    is       ", what);
	print_view(actual);
	fprintf(stderr, "    expected ");
	print_view(expected);
	end_failed();
}

void wr_test_case(const char *label)
{
	current_case = label;
}

_Noreturn void wr_test_skip(const char *reason)
{
	fprintf(stderr, "%s\n", reason);
	fflush(NULL);
	_exit(EXIT_SKIPPED);
}

bool wr_test_is_in_valgrind(void)
{
	return getenv("WR_TEST_VALGRIND") != NULL;
}

uint64_t wr_test_seed(void)
{
	seed_used = true;
	return seed;
}

uint64_t wr_test_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static double time_factor(void)
{
	const char *factor = getenv("WR_TEST_TIME_FACTOR");

	return factor != NULL ? atof(factor) : 1.0;
}

uint64_t wr_test_patience(uint64_t ms)
{
	return (uint64_t)((double)ms * time_factor());
}

/* ---- the test allocator ---- */

static struct {
	uint64_t countdown; /* 0: never fail */
	bool forever, failed;
} faults;

static void *test_resize(struct wr_allocator *self, void *old, size_t old_bytes, size_t new_bytes)
{
	(void)self;
	(void)old_bytes;
	if (new_bytes == 0) {
		free(old);
		return NULL;
	}
	if (new_bytes > old_bytes && faults.countdown != 0) {
		if (--faults.countdown == 0) {
			faults.failed = true;
			faults.countdown = faults.forever ? 1 : 0;
			return NULL;
		}
	}
	return realloc(old, new_bytes);
}

static struct wr_allocator test_allocator = {.resize = test_resize, .max = SIZE_MAX};

struct wr_allocator *wr_test_allocator(void)
{
	return &test_allocator;
}

void wr_test_fail_allocation(uint64_t n, bool forever)
{
	faults.countdown = n;
	faults.forever = forever;
	faults.failed = false;
}

bool wr_test_allocation_failed(void)
{
	return faults.failed;
}

/* ---- bytes ---- */

struct wr_view wr_test_guarded(unsigned slot, struct wr_view bytes)
{
	static struct {
		char *map;
		size_t bytes;
	} slots[4];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = (bytes.bytes + page - 1) / page * page;
	char *end;

	if (slot >= 4)
		wr_test_fail(__FILE__, __LINE__, "slot");
	if (slots[slot].map == NULL || slots[slot].bytes < room + page) {
		if (slots[slot].map != NULL)
			munmap(slots[slot].map, slots[slot].bytes);
		slots[slot].bytes = room + page;
		slots[slot].map = mmap(NULL, slots[slot].bytes, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (slots[slot].map == MAP_FAILED)
			wr_test_fail(__FILE__, __LINE__, "mmap");
		if (mprotect(slots[slot].map + slots[slot].bytes - page, page, PROT_NONE) != 0)
			wr_test_fail(__FILE__, __LINE__, "mprotect");
	}
	end = slots[slot].map + slots[slot].bytes - page;
	if (bytes.bytes != 0)
		memcpy(end - bytes.bytes, bytes.data, bytes.bytes);
	return wr_view_of(end - bytes.bytes, bytes.bytes);
}

bool wr_test_find_file(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0;
}

static char *files[1024];
static size_t files_read;

struct wr_view wr_test_read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *data = NULL;
	size_t bytes = 0, room = 0;

	if (file == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		wr_test_fail(__FILE__, __LINE__, "cannot open");
	}
	for (;;) {
		size_t got;
		if (room - bytes < 2) {
			room = room == 0 ? 4096 : room * 2;
			data = realloc(data, room);
			if (data == NULL)
				wr_test_fail(__FILE__, __LINE__, "memory");
		}
		got = fread(data + bytes, 1, room - bytes - 1, file);
		if (got == 0)
			break;
		bytes += got;
	}
	fclose(file);
	data[bytes] = '\0';
	if (files_read == WR_COUNT(files))
		wr_test_fail(__FILE__, __LINE__, "too many files");
	files[files_read++] = data; /* reachable, so no leak: kept until the process ends */
	return wr_view_of(data, bytes);
}

const char *wr_test_program(const char *name)
{
	static char paths[4][1024], reason[1100];
	static unsigned turn;
	const char *search = getenv("PATH");
	char *path = paths[turn++ % WR_COUNT(paths)];

	if (search == NULL)
		search = "/usr/bin:/bin";
	while (*search != '\0') {
		size_t bytes = strcspn(search, ":");

		snprintf(path, sizeof paths[0], "%.*s/%s", (int)bytes, search, name);
		if (bytes != 0 && access(path, X_OK) == 0)
			return path;
		search += bytes;
		search += *search == ':';
	}
	snprintf(reason, sizeof reason, "there is no %s program", name);
	wr_test_skip(reason);
}

const char *wr_test_shared(void)
{
	const char *folder = getenv("WR_SHARED");

	if (folder == NULL)
		folder = "../shared";
	return wr_test_find_file(folder) ? folder : NULL;
}

/* ---- the runner ---- */

struct job {
	const struct wr_test *test;
	pid_t pid;
	int fd;
	struct wr_test_folders *folders;
	double deadline_s;
	bool timed_out;
	size_t bytes;
	char output[OUTPUT_MAX];
};

static struct {
	struct job jobs[JOBS_MAX];
	unsigned job_count, job_max;
	unsigned passed, failed, skipped;
	bool verbose;
} runner;

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static _Noreturn void run_here(const struct wr_test *test)
{
	test->run();
	if (test_allocator.used != 0) {
		fprintf(stderr, "%zu bytes of the test allocator were not freed\n",
			test_allocator.used);
		end_failed();
	}
	fflush(NULL);
	exit(0); /* not _exit: the leak checker of the sanitizer runs at exit */
}

/* A runner that is killed leaves no test running behind it. */
static void die_with_parent(void)
{
#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

static void start(const struct wr_test *test)
{
	struct job *job = &runner.jobs[runner.job_count++];
	int fds[2];

	if (pipe(fds) != 0) {
		perror("pipe");
		exit(2);
	}
	fflush(NULL);
	job->test = test;
	job->fd = fds[0];
	job->bytes = 0;
	job->timed_out = false;
	job->folders = wr_test_folders_new();
	job->deadline_s = now_s() + test->limit_s * time_factor();
	job->pid = fork();
	if (job->pid < 0) {
		perror("fork");
		exit(2);
	}
	if (job->pid == 0) {
		close(fds[0]);
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		if (fds[1] > 2)
			close(fds[1]);
		setpgid(0, 0);
		die_with_parent();
		wr_test_folders_use(job->folders);
		run_here(test);
	}
	setpgid(job->pid, job->pid);
	close(fds[1]);
}

static void finish(struct job *job, int state)
{
	bool ok = WIFEXITED(state) && WEXITSTATUS(state) == 0 && !job->timed_out;
	bool skip = WIFEXITED(state) && WEXITSTATUS(state) == EXIT_SKIPPED;

	kill(-job->pid, SIGKILL); /* what the test left behind, by its own process group */
	wr_test_folders_free(job->folders);
	if (ok) {
		runner.passed++;
		if (runner.verbose)
			printf("ok      %s\n", job->test->name);
	} else if (skip) {
		runner.skipped++;
		printf("skipped %s: %.*s", job->test->name, (int)job->bytes, job->output);
	} else {
		runner.failed++;
		printf("FAILED  %s", job->test->name);
		if (job->timed_out)
			printf(" (over its limit of %u s)", job->test->limit_s);
		else if (WIFSIGNALED(state))
			printf(" (signal %d)", WTERMSIG(state));
		printf("\n%.*s", (int)job->bytes, job->output);
	}
	fflush(stdout);
	close(job->fd);
	*job = runner.jobs[--runner.job_count];
}

/* Keeps the first and, when there is too much, overwrites the middle: the end tells most. */
static bool collect(struct job *job)
{
	char bytes[4096];
	ssize_t got = read(job->fd, bytes, sizeof bytes);

	if (got <= 0)
		return false;
	if (job->bytes + (size_t)got > OUTPUT_MAX) {
		size_t keep = OUTPUT_MAX / 2;
		memmove(job->output, job->output + job->bytes - keep, keep);
		job->bytes = keep;
	}
	memcpy(job->output + job->bytes, bytes, (size_t)got);
	job->bytes += (size_t)got;
	return true;
}

/* Waits until at least one job ended or half a second passed. */
static void reap_some(void)
{
	struct pollfd fds[JOBS_MAX];

	for (unsigned i = 0; i < runner.job_count; i++)
		fds[i] = (struct pollfd){.fd = runner.jobs[i].fd, .events = POLLIN};
	poll(fds, runner.job_count, 100);
	for (unsigned i = runner.job_count; i-- > 0;) {
		struct job *job = &runner.jobs[i];
		int state;

		if (fds[i].revents != 0)
			collect(job);
		if (waitpid(job->pid, &state, WNOHANG) == job->pid) {
			struct pollfd rest = {.fd = job->fd, .events = POLLIN};
			while (poll(&rest, 1, 0) > 0 && collect(job))
				;
			finish(job, state);
		} else if (!job->timed_out && now_s() > job->deadline_s) {
			job->timed_out = true;
			kill(-job->pid, SIGKILL);
			kill(job->pid, SIGKILL);
		}
	}
}

static void usage(const char *program)
{
	printf("usage: %s [--list] [-j N] [-v] [--seed N] [--no-fork] [NAME ...]\n"
	       "Runs the tests whose name contains one of the NAMEs, or all.\n",
	       program);
}

static bool is_wanted(const char *name, char **filters, int count)
{
	for (int i = 0; i < count; i++)
		if (strstr(name, filters[i]) != NULL)
			return true;
	return count == 0;
}

int main(int argc, char **argv)
{
	bool list = false, no_fork = false;
	int first = 1;
	const char *jobs = getenv("WR_TEST_JOBS");

	seed = (uint64_t)time(NULL) * 1000003u ^ (uint64_t)getpid();
	if (getenv("WR_TEST_SEED") != NULL)
		seed = strtoull(getenv("WR_TEST_SEED"), NULL, 10);
	runner.job_max = jobs != NULL ? (unsigned)atoi(jobs) : 2;
	for (; first < argc && argv[first][0] == '-'; first++) {
		if (strcmp(argv[first], "--list") == 0)
			list = true;
		else if (strcmp(argv[first], "-v") == 0)
			runner.verbose = true;
		else if (strcmp(argv[first], "--no-fork") == 0)
			no_fork = true;
		else if (strcmp(argv[first], "-j") == 0 && first + 1 < argc)
			runner.job_max = (unsigned)atoi(argv[++first]);
		else if (strcmp(argv[first], "--seed") == 0 && first + 1 < argc)
			seed = strtoull(argv[++first], NULL, 10);
		else {
			usage(argv[0]);
			return strcmp(argv[first], "--help") == 0 ? 0 : 2;
		}
	}
	if (runner.job_max < 1 || runner.job_max > JOBS_MAX)
		runner.job_max = 1;
	for (const struct wr_test *test = wr_tests; test->name != NULL; test++) {
		if (!is_wanted(test->name, argv + first, argc - first))
			continue;
		if (list) {
			printf("%s\n", test->name);
			continue;
		}
		if (no_fork)
			run_here(test);
		start(test);
		while (runner.job_count == runner.job_max)
			reap_some();
	}
	while (runner.job_count > 0)
		reap_some();
	if (!list)
		printf("%u passed, %u failed, %u skipped\n", runner.passed, runner.failed,
		       runner.skipped);
	return runner.failed == 0 ? 0 : 1;
}
