/* Goal: a program begins in the state that reliability 10 promises, whatever state we are in, and
 * what prevents its beginning is told. Method: shells that print what they see of themselves. */
#include "execution/spawn.h"
#include "harness/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

static char *empty[] = {NULL};
static char sh[] = "sh", dash_c[] = "-c";

static struct wr_spawned spawn_shell(char *script, struct wr_spawn spawn)
{
	char *argv[] = {sh, dash_c, script, NULL};
	struct wr_spawned spawned;
	struct wr_error error;

	spawn.path = "/bin/sh";
	spawn.argv = argv;
	spawn.environment = spawn.environment == NULL ? empty : spawn.environment;
	CHECK_STATUS(wr_spawn(&spawned, &spawn, &error), WR_OK);
	return spawned;
}

static void wait_readable(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	CHECK(poll(&ready, 1, 8000) == 1);
}

/* All it writes until it ends, which must be with this status. */
static struct wr_view read_all(const struct wr_spawned *spawned, int expected_status)
{
	static char bytes[65536];
	size_t count = 0;
	int status;
	ssize_t got;

	do {
		wait_readable(spawned->stdout_fd);
		got = read(spawned->stdout_fd, bytes + count, sizeof bytes - 1 - count);
		count += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	CHECK(got == 0);
	bytes[count] = '\0';
	CHECK(waitpid(spawned->pid, &status, 0) == spawned->pid);
	CHECK(WIFEXITED(status));
	CHECK_U64(WEXITSTATUS(status), expected_status);
	close(spawned->stdin_fd);
	close(spawned->stdout_fd);
	close(spawned->stderr_fd);
	close(spawned->status_fd);
	return wr_view_of(bytes, count);
}

static struct wr_view run_shell(const char *script, struct wr_spawn spawn)
{
	char text[1024];
	struct wr_spawned spawned;

	CHECK(strlen(script) < sizeof text);
	memcpy(text, script, strlen(script) + 1);
	spawned = spawn_shell(text, spawn);
	return read_all(&spawned, 0);
}

static struct wr_spawn_failure failure_of(const struct wr_spawned *spawned)
{
	struct wr_spawn_failure failure;

	wait_readable(spawned->status_fd);
	CHECK_STATUS(wr_spawn_read_failure(&failure, spawned->status_fd), WR_OK);
	return failure;
}

static void test_a_program_reads_writes_and_complains_through_its_pipes(void)
{
	char script[] = "read -r line; echo \"out $line\"; echo err >&2";
	struct wr_spawned spawned = spawn_shell(script, (struct wr_spawn){.cwd = NULL});
	char bytes[16];

	CHECK_U64(failure_of(&spawned).stage, WR_SPAWN_NONE);
	CHECK(write(spawned.stdin_fd, "x y\n", 4) == 4);
	wait_readable(spawned.stderr_fd);
	CHECK(read(spawned.stderr_fd, bytes, sizeof bytes) == 4);
	CHECK_STRING(read_all(&spawned, 0), "out x y\n");
}

static void test_a_child_has_three_descriptors(void)
{
	int extra = open("/dev/null", O_RDONLY); /* not close-on-exec */
	int high = fcntl(extra, F_DUPFD, 200);

	CHECK(extra >= 0 && high >= 200);
	CHECK_STRING(run_shell("for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 20 200; do "
			       "[ -e /proc/$$/fd/$i ] && printf '%s ' $i; done; echo",
			       (struct wr_spawn){.cwd = NULL}),
		     "0 1 2 \n");
	close(extra);
	close(high);
}

static void test_a_child_has_three_descriptors_even_if_we_have_none(void)
{
	int kept = fcntl(2, F_DUPFD_CLOEXEC, 100);
	struct wr_view all;

	close(0);
	close(1);
	close(2);
	all = run_shell("for i in 0 1 2 3 4 5 6 7 8 9 100; do "
			"[ -e /proc/$$/fd/$i ] && printf '%s ' $i; done; echo; echo lost >&2",
			(struct wr_spawn){.cwd = NULL});
	dup2(kept, 2);
	CHECK_STRING(all, "0 1 2 \n");
	close(kept);
}

static void test_a_child_sees_the_environment_it_is_given(void)
{
	char path[] = "PATH=/bin:/usr/bin", word[] = "WORD=a b";
	char *environment[] = {path, word, NULL};

	CHECK(setenv("API_TOKEN", "secret", 1) == 0);
	CHECK_STRING(run_shell("tr '\\0' '\\n' </proc/$$/environ",
			       (struct wr_spawn){.environment = environment}),
		     "PATH=/bin:/usr/bin\nWORD=a b\n");
}

static void ignore(int number)
{
	struct sigaction action = {.sa_handler = SIG_IGN};

	CHECK(sigaction(number, &action, NULL) == 0);
}

static void test_signals_are_as_at_the_beginning_of_the_world(void)
{
#ifdef __linux__
	/* libc keeps 32 and 33 to itself: a parent that used posix_spawn leaves them ignored, and
	 * no call of libc can change that. */
	const unsigned long long libc_own = 3ull << 31;
	unsigned long long blocked_mask, ignored_mask;
	struct wr_view output;
	char text[200];
	sigset_t blocked;

	ignore(SIGPIPE);
	ignore(SIGINT);
	ignore(SIGHUP);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	output = run_shell("exec grep -E '^Sig(Blk|Ign)' /proc/self/status",
			   (struct wr_spawn){.cwd = NULL});
	snprintf(text, sizeof text, "%.*s", (int)output.bytes, output.data);
	CHECK(sscanf(text, "SigBlk: %llx SigIgn: %llx", &blocked_mask, &ignored_mask) == 2);
	CHECK_U64(blocked_mask, 0);
	CHECK_U64(ignored_mask & ~libc_own, 0);
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	CHECK(sigismember(&blocked, SIGTERM) && !sigismember(&blocked, SIGINT));
#else
	wr_test_skip("needs /proc");
#endif
}

static void test_limits_umask_folder_and_privileges_are_set(void)
{
	struct wr_spawn spawn = {.cwd = "/usr",
				 .file_bytes_max = 1048576,
				 .cpu_seconds_max = 100,
				 .open_files_max = 256};

	if (wr_test_is_in_valgrind())
		wr_test_skip("valgrind keeps the limit of descriptors to itself");
	CHECK_STRING(
		run_shell("ulimit -n; ulimit -c; ulimit -f; ulimit -Ht; ulimit -St; umask; pwd",
			  spawn),
		"256\n0\n2048\n100\n99\n0077\n/usr\n");
#ifdef __linux__
	CHECK_STRING(
		run_shell("grep NoNewPrivs /proc/self/status; cat /proc/self/oom_score_adj", spawn),
		"NoNewPrivs:\t1\n500\n");
#endif
}

static void test_a_child_leads_its_session_and_group(void)
{
	char script[] = "read -r x";
	struct wr_spawned spawned = spawn_shell(script, (struct wr_spawn){.cwd = NULL});

	CHECK_U64(failure_of(&spawned).stage, WR_SPAWN_NONE);
	CHECK(getsid(spawned.pid) == spawned.pid);
	CHECK(getpgid(spawned.pid) == spawned.pid);
	CHECK(write(spawned.stdin_fd, "\n", 1) == 1);
	read_all(&spawned, 0);
}

static void check_failure(const char *path, const char *cwd, enum wr_spawn_stage stage, int number)
{
	char *argv[] = {sh, NULL};
	struct wr_spawn spawn = {.path = path, .argv = argv, .environment = empty, .cwd = cwd};
	struct wr_spawn_failure failure;
	struct wr_spawned spawned;
	struct wr_error error;

	CHECK_STATUS(wr_spawn(&spawned, &spawn, &error), WR_OK);
	failure = failure_of(&spawned);
	CHECK_U64(failure.stage, stage);
	CHECK_U64(failure.os_error, number);
	read_all(&spawned, 127);
}

static void test_what_cannot_be_executed_says_why(void)
{
	char script[] = "/tmp/wr-spawn-XXXXXX";
	FILE *file = fdopen(mkstemp(script), "w");

	CHECK(file != NULL && fputs("echo no interpreter\n", file) >= 0 && fclose(file) == 0);
	CHECK(chmod(script, 0755) == 0);
	check_failure("/no/such/program", NULL, WR_SPAWN_EXEC, ENOENT);
	check_failure("/", NULL, WR_SPAWN_EXEC, EACCES);
	check_failure("/etc/passwd", NULL, WR_SPAWN_EXEC, EACCES);
	check_failure("/etc/passwd/x", NULL, WR_SPAWN_EXEC, ENOTDIR);
	check_failure(script, NULL, WR_SPAWN_EXEC, ENOEXEC);
	check_failure("/bin/sh", "/no/such/folder", WR_SPAWN_CWD, ENOENT);
	check_failure("/bin/sh", "/etc/passwd", WR_SPAWN_CWD, ENOTDIR);
	CHECK(unlink(script) == 0);
	CHECK_STRING(wr_view_of_string(wr_os_error_name(ENOENT)), "ENOENT");
	CHECK_STRING(wr_view_of_string(wr_os_error_name(9999)), "errno");
}

/* A failed start must leave no descriptor behind, whichever of the pipes fails. */
static void test_without_descriptors_a_start_fails_and_leaves_nothing(void)
{
	char *argv[] = {sh, NULL};
	struct wr_spawn spawn = {.path = "/bin/sh", .argv = argv, .environment = empty};
	struct rlimit before, limit;
	struct wr_spawned spawned;
	struct wr_error error;
	int first = open("/dev/null", O_RDONLY), again;

	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	close(first);
	for (unsigned free_count = 0; free_count < 8; free_count++) {
		limit = before;
		limit.rlim_cur = (rlim_t)first + free_count;
		CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
		CHECK_STATUS(wr_spawn(&spawned, &spawn, &error), WR_IO);
		CHECK_U64(error.os_error, EMFILE);
		CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
		again = open("/dev/null", O_RDONLY);
		CHECK_U64(again, first);
		close(again);
	}
}

static void test_a_child_dies_with_us(void)
{
#ifdef __linux__
	char script[] = "trap '' TERM HUP; while :; do sleep 1000; done";
	int fds[2], status;
	pid_t middle, pid = 0;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		wr_test_skip("needs a subreaper");
	CHECK(pipe(fds) == 0);
	middle = fork();
	if (middle == 0) {
		struct wr_spawned spawned = spawn_shell(script, (struct wr_spawn){.cwd = NULL});
		failure_of(&spawned);
		if (write(fds[1], &spawned.pid, sizeof spawned.pid) != sizeof spawned.pid)
			_exit(1);
		_exit(0);
	}
	CHECK(middle > 0);
	CHECK(read(fds[0], &pid, sizeof pid) == sizeof pid);
	CHECK(waitpid(middle, &status, 0) == middle && status == 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	kill(-pid, SIGKILL); /* the shell's own child */
	while (wait(NULL) > 0)
		;
#else
	wr_test_skip("needs PR_SET_PDEATHSIG");
#endif
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_program_reads_writes_and_complains_through_its_pipes),
	WR_TEST(test_a_child_has_three_descriptors),
	WR_TEST(test_a_child_has_three_descriptors_even_if_we_have_none),
	WR_TEST(test_a_child_sees_the_environment_it_is_given),
	WR_TEST(test_signals_are_as_at_the_beginning_of_the_world),
	WR_TEST(test_limits_umask_folder_and_privileges_are_set),
	WR_TEST(test_a_child_leads_its_session_and_group),
	WR_TEST(test_what_cannot_be_executed_says_why),
	WR_TEST(test_without_descriptors_a_start_fails_and_leaves_nothing),
	WR_TEST(test_a_child_dies_with_us),
	WR_TEST_END,
};
