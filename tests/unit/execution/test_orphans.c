/* Goal: our living children are found, and only they. Method: children in known states, one of them
 * with a name that tries to look like the rest of the line. */
#include "execution/orphans.h"
#include "harness/harness.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

enum { FOUND_MAX = 8 };

struct found {
	unsigned count;
	pid_t pids[FOUND_MAX];
};

static void note(void *context, pid_t pid)
{
	struct found *found = context;

	CHECK(found->count < FOUND_MAX);
	found->pids[found->count++] = pid;
}

static bool has(const struct found *found, pid_t pid)
{
	for (unsigned i = 0; i < found->count; i++)
		if (found->pids[i] == pid)
			return true;
	return false;
}

static _Noreturn void wait_for_the_end(void)
{
	for (;;)
		pause();
}

static void test_living_children_are_found_and_dead_ones_are_not(void)
{
#ifdef __linux__
	struct found found = {0, {0}}, none = {0, {0}};
	pid_t living, named, dead;
	siginfo_t about;
	int fds[2];
	char byte;

	CHECK(pipe(fds) == 0);
	living = fork();
	if (living == 0)
		wait_for_the_end();
	named = fork();
	if (named == 0) {
		prctl(PR_SET_NAME, ") Z 1 1 (");
		if (write(fds[1], "", 1) == 1)
			wait_for_the_end();
		_exit(1);
	}
	dead = fork();
	if (dead == 0)
		_exit(0);
	CHECK(read(fds[0], &byte, 1) == 1);
	CHECK(waitid(P_PID, (id_t)dead, &about, WEXITED | WNOWAIT) == 0);
	wr_orphans_each_child(note, &found);
	CHECK_U64(found.count, 2);
	CHECK(has(&found, living) && has(&found, named));
	for (unsigned i = 0; i < found.count; i++)
		kill(found.pids[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	wr_orphans_each_child(note, &none);
	CHECK_U64(none.count, 0);
#else
	wr_test_skip("needs /proc");
#endif
}

static void test_an_adopted_orphan_is_a_child(void)
{
	struct found found = {0, {0}};
	int fds[2], status;
	pid_t middle, orphan = 0;

	if (!wr_orphans_adopt())
		wr_test_skip("needs a subreaper");
	CHECK(pipe(fds) == 0);
	middle = fork();
	if (middle == 0) {
		orphan = fork();
		if (orphan == 0)
			wait_for_the_end();
		if (write(fds[1], &orphan, sizeof orphan) != sizeof orphan)
			_exit(1);
		_exit(0);
	}
	CHECK(read(fds[0], &orphan, sizeof orphan) == sizeof orphan);
	CHECK(waitpid(middle, &status, 0) == middle && status == 0);
	wr_orphans_each_child(note, &found);
	CHECK_U64(found.count, 1);
	CHECK(has(&found, orphan));
	CHECK(kill(orphan, SIGKILL) == 0);
	CHECK(waitpid(orphan, &status, 0) == orphan);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_living_children_are_found_and_dead_ones_are_not),
	WR_TEST(test_an_adopted_orphan_is_a_child),
	WR_TEST_END,
};
