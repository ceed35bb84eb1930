/* Goal: a process is what /proc says of it, whatever it calls itself, and who is dead or somebody
 * else is never killed. Method: children in known states; one with a name that tries to look like
 * the rest of the line; environments made for the purpose. */
#include "execution/proc.h"

#include "check.h"
#include "execution/orphans.h"
#include "harness/harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

enum { FOUND_MAX = 8 };

static struct wr_proc found[FOUND_MAX];
static unsigned found_count;

static void note_child(void *context, const struct wr_proc *proc)
{
	(void)context;
	if (proc->parent != getpid())
		return;
	CHECK(found_count < FOUND_MAX);
	found[found_count++] = *proc;
}

static const struct wr_proc *find(pid_t pid)
{
	for (unsigned i = 0; i < found_count; i++)
		if (found[i].pid == pid)
			return &found[i];
	wr_test_fail(__FILE__, __LINE__, "no such child was found");
}

static void look(void)
{
	found_count = 0;
	wr_proc_each(note_child, NULL);
}

static void need_proc(void)
{
	struct wr_proc self;

	if (!wr_proc_read(&self, getpid()))
		wr_test_skip("needs /proc");
}

static _Noreturn void wait_for_the_end(void)
{
	alarm(600); /* a test that failed leaves sessions of their own behind */
	for (;;)
		pause();
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static void call_oneself(const char *name)
{
#ifdef __linux__
	prctl(PR_SET_NAME, name);
#else
	(void)name;
#endif
}

/* ---- reading ---- */

static void test_children_are_found_alive_or_dead(void)
{
	pid_t living, named, dead;
	siginfo_t about;
	int fds[2];
	char bytes[2];

	need_proc();
	CHECK(pipe(fds) == 0);
	living = fork();
	if (living == 0) {
		if (setsid() > 0 && write(fds[1], "", 1) == 1)
			wait_for_the_end();
		_exit(1);
	}
	CHECK(read(fds[0], bytes, 1) == 1);
	named = fork();
	if (named == 0) {
		call_oneself(") Z 1 1 (");
		if (write(fds[1], "", 1) == 1)
			wait_for_the_end();
		_exit(1);
	}
	CHECK(read(fds[0], bytes, 1) == 1);
	dead = fork();
	if (dead == 0)
		_exit(0);
	CHECK(waitid(P_PID, (id_t)dead, &about, WEXITED | WNOWAIT) == 0);
	look();
	CHECK_U64(found_count, 3);
	CHECK(!find(living)->is_dead && !find(named)->is_dead && find(dead)->is_dead);
	CHECK(find(living)->session == living && find(living)->group == living);
	CHECK(find(named)->session == getsid(0) && find(named)->group == getpgrp());
	CHECK(find(living)->start != 0 && find(living)->start <= find(dead)->start);
	end_child(living);
	end_child(named);
	end_child(dead);
	look();
	CHECK_U64(found_count, 0);
}

static void test_nobody_is_nobody(void)
{
	static const pid_t nobody[] = {0, -1, INT32_MAX, INT32_MIN};
	struct wr_proc proc;

	for (unsigned i = 0; i < WR_COUNT(nobody); i++)
		CHECK(!wr_proc_read(&proc, nobody[i]));
	CHECK(!wr_proc_has_variable(INT32_MAX, "A=b"));
}

static void test_an_adopted_orphan_is_a_child(void)
{
	int fds[2], status;
	pid_t middle, orphan = 0;

	need_proc();
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
	look();
	CHECK_U64(found_count, 1);
	CHECK(find(orphan)->pid == orphan);
	end_child(orphan);
}

/* ---- environments ---- */

static void test_an_entry_is_found_only_as_a_whole(void)
{
	static char long_value[9001];
	static const char *const entries[] = {"A=1",	 "MARK=0123",	   "X=MARK=01234",
					      "MARK=0",	 "MARKMARK=01234", long_value,
					      "LAST=yes"};
	static const struct {
		const char *entry;
		bool is_there;
	} cases[] = {
		{"A=1", true},	    {"MARK=0123", true},   {"LAST=yes", true},	 {"MARK=0", true},
		{"MARK=01", false}, {"MARK=01234", false}, {"ARK=0123", false},	 {"MARK=", false},
		{"MARK", false},    {"LAST=ye", false},	   {"LAST=yess", false}, {"L=", false},
		{"=1", false},	    {"B=1", false},
	};
	char *environment[WR_COUNT(entries) + 1] = {NULL};
	int fds[2];
	char byte;
	pid_t pid;

	need_proc();
	memset(long_value, 'L', sizeof long_value - 1); /* more than one piece of reading */
	long_value[1] = '=';
	for (unsigned i = 0; i < WR_COUNT(entries); i++)
		environment[i] = (char *)(uintptr_t)entries[i];
	CHECK(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		execle("/bin/sh", "sh", "-c", "echo; while :; do sleep 1; done", (char *)NULL,
		       environment);
		_exit(1);
	}
	CHECK(read(fds[0], &byte, 1) == 1);
	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].entry);
		CHECK(wr_proc_has_variable(pid, cases[i].entry) == cases[i].is_there);
	}
	end_child(pid);
}

/* ---- killing ---- */

static void test_only_the_very_process_is_killed(void)
{
	struct wr_proc proc, other;
	siginfo_t about;
	pid_t pid = fork();

	if (pid == 0)
		wait_for_the_end();
	need_proc();
	CHECK(wr_proc_read(&proc, pid));
	other = proc;
	other.start++;
	wr_proc_kill(&other);
	other.start -= 2;
	wr_proc_kill(&other);
	other = proc;
	other.pid = INT32_MAX;
	wr_proc_kill(&other);
	CHECK(wr_proc_read(&other, pid) && !other.is_dead);
	memset(&about, 0, sizeof about);
	CHECK(waitid(P_PID, (id_t)pid, &about, WEXITED | WNOHANG | WNOWAIT) == 0);
	CHECK(about.si_pid == 0);
	wr_proc_kill(&proc);
	CHECK(waitid(P_PID, (id_t)pid, &about, WEXITED) == 0);
	CHECK(about.si_code == CLD_KILLED && about.si_status == SIGKILL);
	wr_proc_kill(&proc); /* nobody any more */
}

static void test_the_place_is_the_same_every_time(void)
{
	char first[WR_PROC_PLACE_BYTES], second[WR_PROC_PLACE_BYTES];

	need_proc();
	wr_proc_place(first);
	memset(second, 'x', sizeof second);
	wr_proc_place(second);
	CHECK(memcmp(first, second, sizeof first) == 0);
	CHECK(strlen(first) > 37 && first[36] == ' ' && first[sizeof first - 1] == '\0');
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_children_are_found_alive_or_dead),
	WR_TEST(test_nobody_is_nobody),
	WR_TEST(test_an_adopted_orphan_is_a_child),
	WR_TEST(test_an_entry_is_found_only_as_a_whole),
	WR_TEST(test_only_the_very_process_is_killed),
	WR_TEST(test_the_place_is_the_same_every_time),
	WR_TEST_END,
};
