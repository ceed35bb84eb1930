/*
 * Goal: each child has a control group where there are such, whoever is in it ends with it, however
 * he was forked, groups of processes that are gone are ended and those of the living left alone,
 * and without any of this everything goes on.
 *
 * Method: a folder of this test as if it were a cgroup, whose files are looked at; and, where the
 * machine lets us divide our own, real groups with real processes.
 */
#include "check.h"
#include "execution/cgroups.h"
#include "execution/proc.h"
#include "harness/harness.h"
#include "io/clock.h"

#ifdef __linux__

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEADLINE_MS = 8000 };

static struct wr_cgroups cgroups;
static char folder[64];

static void make_folder(void)
{
	snprintf(folder, sizeof folder, "/tmp/wr-cgroups-%ld", (long)getpid());
	CHECK(mkdir(folder, 0700) == 0);
}

/* What stands in a file of a group; "" when there is none. */
static const char *read_file(const char *group, const char *file)
{
	static char text[64];
	char path[256];
	ssize_t got;
	int fd;

	snprintf(path, sizeof path, "%s/%s/%s", folder, group, file);
	fd = open(path, O_RDONLY);
	got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	CHECK(got >= 0);
	text[got] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

/* As the kernel does when nobody is in it any more: then it can be removed. */
static void empty_group(const char *group)
{
	static const char *const files[] = {"cgroup.procs", "cgroup.kill"};

	for (size_t i = 0; i < 2; i++) {
		char path[256];
		snprintf(path, sizeof path, "%s/%s/%s", folder, group, files[i]);
		CHECK(unlink(path) == 0 || errno == ENOENT);
	}
}

static bool has_group(const char *group)
{
	char path[256];
	struct stat about;

	snprintf(path, sizeof path, "%s/%s", folder, group);
	return stat(path, &about) == 0;
}

/* "wr-NAMESPACE-PID-START-NUMBER" */
static const char *name_of(uint64_t namespace, uint64_t pid, uint64_t start, uint64_t number)
{
	static char names[4][128];
	static unsigned next;
	char *name = names[next++ % 4];

	snprintf(name, sizeof names[0], "wr-%llu-%llu-%llu-%llu", (unsigned long long)namespace,
		 (unsigned long long)pid, (unsigned long long)start, (unsigned long long)number);
	return name;
}

static uint64_t our_namespace(void)
{
	struct stat about;

	CHECK(stat("/proc/self/ns/pid", &about) == 0);
	return (uint64_t)about.st_ino;
}

static const char *our_name(uint64_t number)
{
	struct wr_proc self;

	CHECK(wr_proc_read(&self, getpid()));
	return name_of(our_namespace(), (uint64_t)getpid(), self.start, number);
}

static void make_group(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	CHECK(mkdir(path, 0700) == 0);
}

static void remove_folder(void)
{
	DIR *stream = opendir(folder);
	struct dirent *entry;

	CHECK(stream != NULL);
	while ((entry = readdir(stream)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		empty_group(entry->d_name);
		unlinkat(dirfd(stream), entry->d_name, AT_REMOVEDIR);
	}
	closedir(stream);
	CHECK(rmdir(folder) == 0);
}

/* ---- a folder as if ---- */

static void test_a_child_gets_a_group_which_is_killed_and_removed(void)
{
	uint64_t first, second;

	make_folder();
	CHECK(wr_cgroups_open(&cgroups, folder));
	first = wr_cgroups_add(&cgroups, 1234);
	second = wr_cgroups_add(&cgroups, 5678);
	CHECK(first != WR_CGROUP_NONE && second != WR_CGROUP_NONE && first != second);
	CHECK(strcmp(read_file(our_name(first), "cgroup.procs"), "1234") == 0);
	CHECK(strcmp(read_file(our_name(second), "cgroup.procs"), "5678") == 0);
	CHECK(!wr_cgroups_want_sweep(&cgroups));
	wr_cgroups_end(&cgroups, first);
	CHECK(strcmp(read_file(our_name(first), "cgroup.kill"), "1") == 0);
	CHECK(read_file(our_name(second), "cgroup.kill")[0] == '\0');
	CHECK(wr_cgroups_want_sweep(&cgroups));
	wr_cgroups_sweep(&cgroups); /* somebody in it has not died yet */
	CHECK(wr_cgroups_want_sweep(&cgroups) && has_group(our_name(first)));
	empty_group(our_name(first));
	wr_cgroups_sweep(&cgroups);
	CHECK(!wr_cgroups_want_sweep(&cgroups) && !has_group(our_name(first)));
	CHECK(has_group(our_name(second)));
	wr_cgroups_close(&cgroups);
	CHECK(strcmp(read_file(our_name(second), "cgroup.kill"), "1") == 0);
	remove_folder();
}

/* Somebody else took it away, or all of them: there is nothing to wait for. */
static void test_a_group_that_is_gone_is_not_waited_for(void)
{
	uint64_t first, second, third;
	char path[256];

	make_folder();
	CHECK(wr_cgroups_open(&cgroups, folder));
	first = wr_cgroups_add(&cgroups, 1234);
	second = wr_cgroups_add(&cgroups, 5678);
	third = wr_cgroups_add(&cgroups, 9012);
	empty_group(our_name(first));
	snprintf(path, sizeof path, "%s/%s", folder, our_name(first));
	CHECK(rmdir(path) == 0);
	wr_cgroups_end(&cgroups, first);
	CHECK(!wr_cgroups_want_sweep(&cgroups));
	/* One that is empty but has not ended is not taken for one that has. */
	wr_cgroups_end(&cgroups, second);
	empty_group(our_name(third));
	wr_cgroups_sweep(&cgroups);
	CHECK(wr_cgroups_want_sweep(&cgroups) && has_group(our_name(third)));
	empty_group(our_name(second));
	snprintf(path, sizeof path, "%s/%s", folder, our_name(second));
	CHECK(rmdir(path) == 0);
	wr_cgroups_sweep(&cgroups);
	CHECK(!wr_cgroups_want_sweep(&cgroups));
	wr_cgroups_close(&cgroups);
	remove_folder();
}

static void test_more_groups_than_are_remembered_go_at_the_end(void)
{
	uint64_t groups[WR_CGROUP_LEAVING_MAX + 1];

	make_folder();
	CHECK(wr_cgroups_open(&cgroups, folder));
	for (unsigned i = 0; i < WR_COUNT(groups); i++) {
		groups[i] = wr_cgroups_add(&cgroups, 1000 + (pid_t)i);
		wr_cgroups_end(&cgroups, groups[i]);
	}
	for (unsigned i = 0; i < WR_COUNT(groups); i++)
		empty_group(our_name(groups[i]));
	wr_cgroups_sweep(&cgroups);
	CHECK(!wr_cgroups_want_sweep(&cgroups));
	for (unsigned i = 0; i < WR_COUNT(groups); i++)
		CHECK(has_group(our_name(groups[i])) == (i == 0));
	wr_cgroups_close(&cgroups);
	remove_folder();
}

static void test_groups_of_who_is_gone_are_ended_at_the_start(void)
{
	struct wr_proc self;
	const char *gone, *reused, *living, *emulated, *elsewhere, *ours;
	char names[6][128];

	make_folder();
	CHECK(wr_proc_read(&self, getpid()));
	gone = strcpy(names[0], name_of(our_namespace(), 999999999, 5, 1));
	reused = strcpy(names[1],
			name_of(our_namespace(), (uint64_t)getpid(), self.start + 100000, 7));
	elsewhere = strcpy(names[3], name_of(our_namespace() + 1, 999999999, 5, 1));
	ours = strcpy(names[4], our_name(1));
	CHECK(wr_proc_read(&self, getppid()));
	living = strcpy(names[2], name_of(our_namespace(), (uint64_t)getppid(), self.start, 1));
	/* Which says something else of its start than others see. */
	emulated =
		strcpy(names[5], name_of(our_namespace(), (uint64_t)getppid(), self.start + 9, 2));
	make_group(gone);
	make_group(reused);
	make_group(living);
	make_group(emulated);
	make_group(elsewhere);
	make_group(ours);
	CHECK(wr_cgroups_open(&cgroups, folder));
	/* In this folder what was written keeps the group. */
	CHECK(strcmp(read_file(gone, "cgroup.kill"), "1") == 0);
	CHECK(strcmp(read_file(reused, "cgroup.kill"), "1") == 0);
	CHECK(read_file(living, "cgroup.kill")[0] == '\0' && has_group(living));
	CHECK(read_file(emulated, "cgroup.kill")[0] == '\0' && has_group(emulated));
	CHECK(read_file(elsewhere, "cgroup.kill")[0] == '\0' && has_group(elsewhere));
	CHECK(read_file(ours, "cgroup.kill")[0] == '\0');
	wr_cgroups_close(&cgroups);
	remove_folder();
}

/* Where the name has 1. */
static const char *with_our_namespace(const char *name)
{
	static char out[128];

	if (strncmp(name, "wr-1", 4) == 0)
		snprintf(out, sizeof out, "wr-%llu%s", (unsigned long long)our_namespace(),
			 name + 4);
	else
		snprintf(out, sizeof out, "%s", name);
	return out;
}

static void test_names_of_others_are_left_alone(void)
{
	static const char *const names[] = {
		"wr-1-999999999-5",
		"wr-1-999999999-5-1-1",
		"wr-1-999999999-5-",
		"wr--999999999-5-1",
		"wr-1-999999999-5-x",
		"wr-1-999999999-5-1.scope",
		"xwr-1-999999999-5-1",
		"system.slice",
		"wr-",
		"wr-1-9999999999999999999999-5-1",
	};

	make_folder();
	for (size_t i = 0; i < WR_COUNT(names); i++)
		make_group(with_our_namespace(names[i]));
	CHECK(wr_cgroups_open(&cgroups, folder));
	wr_cgroups_close(&cgroups);
	for (size_t i = 0; i < WR_COUNT(names); i++) {
		const char *name = with_our_namespace(names[i]);
		wr_test_case(name);
		CHECK(has_group(name) && read_file(name, "cgroup.kill")[0] == '\0');
	}
	remove_folder();
}

static void test_what_cannot_be_made_is_none(void)
{
	make_folder();
	CHECK(!wr_cgroups_open(&cgroups, "/nowhere/at/all"));
	CHECK(wr_cgroups_add(&cgroups, 1234) == WR_CGROUP_NONE);
	wr_cgroups_end(&cgroups, 1);
	wr_cgroups_sweep(&cgroups);
	wr_cgroups_close(&cgroups);
	CHECK(!wr_cgroups_open(&cgroups, "/etc/passwd"));
	wr_cgroups_close(&cgroups);
	/* It goes while we are there. */
	CHECK(wr_cgroups_open(&cgroups, folder));
	remove_folder();
	CHECK(wr_cgroups_add(&cgroups, 1234) == WR_CGROUP_NONE);
	CHECK(wr_cgroups_add(&cgroups, 1234) == WR_CGROUP_NONE);
	wr_cgroups_end(&cgroups, WR_CGROUP_NONE);
	CHECK(!wr_cgroups_want_sweep(&cgroups));
	wr_cgroups_close(&cgroups);
}

/* ---- real ones ---- */

static bool is_gone(pid_t pid)
{
	struct wr_proc proc;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return !wr_proc_read(&proc, pid) || proc.is_dead;
}

/* A process that has left session and parents: it is told by a pipe. */
static pid_t fork_far(int ready_fd, int hold_fd)
{
	pid_t child = fork();
	char byte;

	CHECK(child >= 0);
	if (child != 0)
		return child;
	if (read(hold_fd, &byte, 1) != 1 || setsid() < 0)
		_exit(1);
	if (fork() != 0)
		pause();
	if (setsid() < 0 || fork() != 0)
		_exit(0);
	{
		pid_t self = getpid();
		if (write(ready_fd, &self, sizeof self) != (ssize_t)sizeof self)
			_exit(1);
	}
	for (;;)
		pause();
}

static void test_who_forks_twice_and_leaves_his_session_ends_with_the_group(void)
{
	uint64_t end_ms = wr_clock_monotonic_ms() + DEADLINE_MS;
	int ready[2], hold[2];
	pid_t child, far_off;
	uint64_t cgroup;

	if (!wr_cgroups_open(&cgroups, NULL))
		wr_test_skip("our control group is not ours to divide");
	/* Their corpses are for us to bury. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		wr_test_skip("needs a subreaper");
	CHECK(pipe(ready) == 0 && pipe(hold) == 0);
	child = fork_far(ready[1], hold[0]);
	cgroup = wr_cgroups_add(&cgroups, child);
	if (cgroup == WR_CGROUP_NONE) {
		kill(child, SIGKILL);
		wr_cgroups_close(&cgroups);
		wr_test_skip("no group can be made here");
	}
	CHECK(write(hold[1], "", 1) == 1);
	CHECK(read(ready[0], &far_off, sizeof far_off) == (ssize_t)sizeof far_off);
	CHECK(!is_gone(child) && !is_gone(far_off));
	wr_cgroups_end(&cgroups, cgroup);
	while (!is_gone(child) || !is_gone(far_off)) {
		CHECK(wr_clock_monotonic_ms() < end_ms);
		poll(NULL, 0, 1);
	}
	while (wr_cgroups_want_sweep(&cgroups)) {
		CHECK(wr_clock_monotonic_ms() < end_ms);
		is_gone(child);
		wr_cgroups_sweep(&cgroups);
		poll(NULL, 0, 1);
	}
	wr_cgroups_close(&cgroups);
}

#else

static void test_there_are_none_here(void)
{
	struct wr_cgroups none;

	CHECK(!wr_cgroups_open(&none, NULL));
	CHECK(wr_cgroups_add(&none, 1234) == WR_CGROUP_NONE);
	wr_cgroups_close(&none);
}

#endif

const struct wr_test wr_tests[] = {
#ifdef __linux__
	WR_TEST(test_a_child_gets_a_group_which_is_killed_and_removed),
	WR_TEST(test_a_group_that_is_gone_is_not_waited_for),
	WR_TEST(test_more_groups_than_are_remembered_go_at_the_end),
	WR_TEST(test_groups_of_who_is_gone_are_ended_at_the_start),
	WR_TEST(test_names_of_others_are_left_alone),
	WR_TEST(test_what_cannot_be_made_is_none),
	WR_TEST(test_who_forks_twice_and_leaves_his_session_ends_with_the_group),
#else
	WR_TEST(test_there_are_none_here),
#endif
	WR_TEST_END,
};
