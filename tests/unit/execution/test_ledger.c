/* Goal: what a process leaves behind when it is killed is ended by the next one, and nobody else is
 * ever signalled (reliability 10, P15). Method: a process of ours that starts programs, notes them
 * and is killed; files with rows that are wrong in each way; bystanders that have to live. */
#include "execution/ledger.h"

#include "bytes/crc32c.h"
#include "bytes/endian.h"
#include "check.h"
#include "execution/spawn.h"
#include "harness/harness.h"
#include "io/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FILE_BYTES = 4096, ROWS_AT = 96, ROW_BYTES = 16, PLACE_AT = 24, HEAD_CRC_AT = 88 };

static char folder[] = "/tmp/wr-ledger-XXXXXX";
static char path[64];
static struct wr_ledger ledger;

static void make_folder(void)
{
	wr_test_make_folder(folder);
	snprintf(path, sizeof path, "%s/children", folder);
}

static void remove_folder(void)
{
	CHECK(unlink(path) == 0 || errno == ENOENT);
	CHECK(rmdir(folder) == 0);
}

static void open_ledger(void)
{
	struct wr_error error;

	CHECK_STATUS(wr_ledger_open(&ledger, wr_test_allocator(), path, &error), WR_OK);
}

static struct wr_view read_ledger(void)
{
	return wr_test_read_file(path);
}

static unsigned count_rows(void)
{
	static const char empty[ROW_BYTES];
	struct wr_view file = read_ledger();
	unsigned count = 0;

	for (size_t at = ROWS_AT; at + ROW_BYTES <= file.bytes; at += ROW_BYTES)
		count += memcmp(file.data + at, empty, ROW_BYTES) != 0;
	return count;
}

static void write_at(off_t at, const void *bytes, size_t count)
{
	int fd = open(path, O_WRONLY);

	CHECK(fd >= 0 && pwrite(fd, bytes, count, at) == (ssize_t)count);
	close(fd);
}

/* ---- processes ---- */

static bool is_alive(pid_t pid)
{
	struct wr_proc proc;

	return wr_proc_read(&proc, pid) && !proc.is_dead;
}

static void need_proc(void)
{
	if (!is_alive(getpid()))
		wr_test_skip("needs /proc");
}

static _Noreturn void wait_for_the_end(void)
{
	alarm(600); /* a test that failed leaves sessions of their own behind */
	for (;;)
		pause();
}

/* A child of the test that leads a session, and lives. */
static pid_t fork_bystander(void)
{
	int fds[2];
	char byte;
	pid_t pid;

	CHECK(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		if (setsid() > 0 && write(fds[1], "", 1) == 1)
			wait_for_the_end();
		_exit(1);
	}
	CHECK(pid > 0 && read(fds[0], &byte, 1) == 1);
	close(fds[0]);
	close(fds[1]);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static uint64_t start_of(pid_t pid)
{
	struct wr_proc proc;

	CHECK(wr_proc_read(&proc, pid));
	return proc.start;
}

static int note(void *context, pid_t pid)
{
	uint32_t row;
	int os_error;

	(void)context;
	CHECK_STATUS(wr_ledger_add(&ledger, &row, pid, &os_error), WR_OK);
	CHECK(row != WR_LEDGER_NONE);
	return os_error;
}

/* Starts `sh -c script` as this process's Workers are started, noted in the ledger. */
static struct wr_spawned spawn_noted(const char *script)
{
	static char sh[] = "sh", dash_c[] = "-c", search[] = "PATH=/usr/bin:/bin";
	char text[512], mark[WR_LEDGER_MARK_BYTES];
	char *argv[] = {sh, dash_c, text, NULL}, *environment[] = {search, mark, NULL};
	const struct wr_spawn spawn = {
		.path = "/bin/sh", .argv = argv, .environment = environment, .may_begin = note};
	struct wr_spawned spawned;
	struct wr_error error;

	snprintf(text, sizeof text, "%s", script);
	snprintf(mark, sizeof mark, "%s", wr_ledger_mark(&ledger));
	CHECK_STATUS(wr_spawn(&spawned, &spawn, &error), WR_OK);
	return spawned;
}

/* The numbers that a program says, one a line. */
static void read_pids(pid_t *pids, unsigned count, int fd)
{
	char text[256];
	size_t bytes = 0;
	const char *at = text;

	CHECK(fcntl(fd, F_SETFL, 0) == 0);
	for (unsigned lines = 0; lines < count; bytes++) {
		CHECK(bytes + 1 < sizeof text && read(fd, text + bytes, 1) == 1);
		lines += text[bytes] == '\n';
	}
	text[bytes] = '\0';
	for (unsigned i = 0; i < count; i++) {
		char *end;
		pids[i] = (pid_t)strtol(at, &end, 10);
		CHECK(pids[i] > 1 && *end == '\n');
		at = end + 1;
	}
}

/* A process that opens the ledger, starts the script, tells the numbers it says and its child's,
 * and is killed. */
static void kill_one_that_ran(const char *script, pid_t *pids, unsigned count)
{
	int fds[2];
	pid_t daemon_pid;

	CHECK(pipe(fds) == 0);
	daemon_pid = fork();
	if (daemon_pid == 0) {
		struct wr_spawned spawned;
		open_ledger();
		spawned = spawn_noted(script);
		pids[0] = spawned.pid;
		read_pids(pids + 1, count - 1, spawned.stdout_fd);
		if (write(fds[1], pids, count * sizeof *pids) == (ssize_t)(count * sizeof *pids))
			wait_for_the_end();
		_exit(1);
	}
	CHECK(daemon_pid > 0);
	CHECK(read(fds[0], pids, count * sizeof *pids) == (ssize_t)(count * sizeof *pids));
	end_child(daemon_pid);
	close(fds[0]);
	close(fds[1]);
}

static void wait_dead(pid_t pid)
{
	const struct timespec pause_ms = {.tv_nsec = 1000000};

	while (is_alive(pid)) /* the limit of the test ends it */
		nanosleep(&pause_ms, NULL);
}

/* ---- the file ---- */

static void test_a_new_file_is_ours_alone_and_has_no_rows(void)
{
	struct stat about;
	struct wr_view first;
	char mark[WR_LEDGER_MARK_BYTES];

	make_folder();
	open_ledger();
	CHECK(stat(path, &about) == 0 && (about.st_mode & 07777) == 0600);
	first = read_ledger();
	CHECK_U64(first.bytes, FILE_BYTES);
	CHECK(memcmp(first.data, "WRCHILD1", 8) == 0);
	CHECK_U64(count_rows(), 0);
	memcpy(mark, wr_ledger_mark(&ledger), sizeof mark);
	CHECK(strncmp(mark, "WORKER_RUNTIME_CHILD=", 21) == 0 && strlen(mark) == 21 + 32);
	CHECK(fcntl(ledger.fd, F_GETFD) == FD_CLOEXEC);
	wr_ledger_close(&ledger);
	CHECK(chmod(path, 0666) == 0);
	open_ledger();
	CHECK(stat(path, &about) == 0 && (about.st_mode & 07777) == 0600);
	CHECK(strcmp(mark, wr_ledger_mark(&ledger)) != 0); /* each life has its own */
	wr_ledger_close(&ledger);
	remove_folder();
}

static void test_without_a_path_there_is_no_ledger(void)
{
	struct wr_error error;
	uint32_t row;
	int os_error;

	CHECK_STATUS(wr_ledger_open(&ledger, wr_test_allocator(), NULL, &error), WR_OK);
	CHECK(wr_ledger_mark(&ledger) == NULL);
	CHECK_STATUS(wr_ledger_add(&ledger, &row, getpid(), &os_error), WR_OK);
	CHECK(row == WR_LEDGER_NONE && os_error == 0);
	wr_ledger_note_death(&ledger, row);
	CHECK(!wr_ledger_wants_sweep(&ledger));
	wr_ledger_sweep_begin(&ledger);
	wr_ledger_sweep_end(&ledger, false);
	wr_ledger_clear(&ledger);
	wr_ledger_close(&ledger);
}

static void test_rows_come_and_go_and_places_are_used_again(void)
{
	pid_t pid = fork_bystander();
	uint32_t rows[300], again;
	int os_error;

	need_proc();
	make_folder();
	open_ledger();
	for (unsigned i = 0; i < WR_COUNT(rows); i++) {
		CHECK_STATUS(wr_ledger_add(&ledger, &rows[i], pid, &os_error), WR_OK);
		CHECK_U64(rows[i], i);
	}
	CHECK_U64(count_rows(), WR_COUNT(rows));
	CHECK(wr_load_le32(read_ledger().data + ROWS_AT) == (uint32_t)pid);
	CHECK(wr_load_le64(read_ledger().data + ROWS_AT + 8) == start_of(pid));
	wr_ledger_note_death(&ledger, rows[7]);
	CHECK(wr_ledger_wants_sweep(&ledger));
	wr_ledger_sweep_begin(&ledger);
	wr_ledger_sweep_end(&ledger, true); /* others are still being ended */
	CHECK_U64(count_rows(), WR_COUNT(rows));
	wr_ledger_sweep_begin(&ledger);
	wr_ledger_sweep_end(&ledger, false);
	CHECK_U64(count_rows(), WR_COUNT(rows) - 1);
	CHECK(!wr_ledger_wants_sweep(&ledger));
	CHECK_STATUS(wr_ledger_add(&ledger, &again, pid, &os_error), WR_OK);
	CHECK_U64(again, 7);
	wr_ledger_clear(&ledger);
	CHECK_U64(count_rows(), 0);
	wr_ledger_close(&ledger);
	CHECK(is_alive(pid));
	end_child(pid);
	remove_folder();
}

static void test_a_row_stays_while_anybody_of_its_session_lives(void)
{
	struct wr_proc member = {.pid = 70000, .session = 60000, .start = 5},
		       other = {.pid = 60000, .session = 50000, .start = 9}, dead = member;
	uint32_t row;
	int os_error;

	make_folder();
	open_ledger();
	CHECK_STATUS(wr_ledger_add(&ledger, &row, 60000, &os_error), WR_OK);
	wr_ledger_note_death(&ledger, row);
	wr_ledger_sweep_begin(&ledger);
	wr_ledger_sweep_see(&ledger, &member);
	wr_ledger_sweep_end(&ledger, false);
	CHECK(wr_ledger_wants_sweep(&ledger));
	/* Another process has the number by now: then the session is its own. */
	wr_ledger_sweep_begin(&ledger);
	wr_ledger_sweep_see(&ledger, &member);
	wr_ledger_sweep_see(&ledger, &other);
	wr_ledger_sweep_end(&ledger, false);
	CHECK(!wr_ledger_wants_sweep(&ledger));
	CHECK_STATUS(wr_ledger_add(&ledger, &row, 60000, &os_error), WR_OK);
	wr_ledger_note_death(&ledger, row);
	dead.is_dead = true;
	wr_ledger_sweep_begin(&ledger);
	wr_ledger_sweep_see(&ledger, &dead);
	wr_ledger_sweep_end(&ledger, false);
	CHECK(!wr_ledger_wants_sweep(&ledger));
	wr_ledger_close(&ledger);
	remove_folder();
}

static void test_what_cannot_be_written_lets_nobody_begin(void)
{
	pid_t pid = fork_bystander();
	struct wr_error error;
	uint32_t row = 5;
	int os_error;

	make_folder();
	CHECK(rmdir(folder) == 0);
	CHECK_STATUS(wr_ledger_open(&ledger, wr_test_allocator(), path, &error), WR_IO);
	CHECK_U64(error.os_error, ENOENT);
	CHECK_STATUS(wr_ledger_add(&ledger, &row, pid, &os_error), WR_IO);
	CHECK(row == WR_LEDGER_NONE && os_error == ENOENT);
	CHECK(mkdir(folder, 0700) == 0);
	CHECK_STATUS(wr_ledger_add(&ledger, &row, pid, &os_error), WR_OK);
	CHECK(row == 0 && count_rows() == 1);
	wr_ledger_close(&ledger);
	end_child(pid);
	remove_folder();
}

static void check_not_a_file(int expected)
{
	struct wr_error error;

	CHECK_STATUS(wr_ledger_open(&ledger, wr_test_allocator(), path, &error), WR_IO);
	CHECK_U64(error.os_error, expected);
	wr_ledger_close(&ledger);
}

static void test_links_folders_and_pipes_are_no_ledger(void)
{
	char target[64];

	make_folder();
	snprintf(target, sizeof target, "%s/target", folder);
	CHECK(symlink(target, path) == 0);
	check_not_a_file(ELOOP);
	CHECK(access(target, F_OK) != 0);
	CHECK(unlink(path) == 0 && mkdir(path, 0700) == 0);
	check_not_a_file(EISDIR);
	CHECK(rmdir(path) == 0 && mkfifo(path, 0600) == 0);
	check_not_a_file(EINVAL);
	remove_folder();
}

/* ---- what a killed process leaves ---- */

static void test_grandchildren_of_a_killed_process_are_ended(void)
{
	pid_t pids[4];

	need_proc();
	wr_test_program("setsid");
	wr_test_program("env");
	make_folder();
	/* In the session; in it without the mark; in a session of its own with the mark. */
	kill_one_that_ran("sleep 1000 & echo $!; env -i sleep 1000 & echo $!;"
			  "setsid sh -c 'echo $$; exec sleep 1000' & wait",
			  pids, WR_COUNT(pids));
	wait_dead(pids[0]); /* by the kernel: it was a child */
	for (unsigned i = 1; i < WR_COUNT(pids); i++)
		CHECK(is_alive(pids[i]));
	CHECK_U64(count_rows(), 1);
	open_ledger();
	for (unsigned i = 1; i < WR_COUNT(pids); i++)
		CHECK(!is_alive(pids[i]));
	CHECK_U64(count_rows(), 0);
	wr_ledger_close(&ledger);
	remove_folder();
}

static unsigned member_count;

static void count_member(void *context, const struct wr_proc *proc)
{
	if (proc->session == *(const pid_t *)context && !proc->is_dead)
		member_count++;
}

static void test_who_forks_while_being_ended_is_ended_too(void)
{
	pid_t pids[2];
	uint64_t began_ms;

	need_proc();
	make_folder();
	/* Starts one process after the other, as fast as it can, for a while. */
	kill_one_that_ran("(echo $$; i=0; while [ $i -lt 300 ]; do sleep 30 & i=$((i+1)); done) &"
			  "wait",
			  pids, WR_COUNT(pids));
	wr_proc_each(count_member, &pids[0]);
	CHECK(member_count > 1);
	began_ms = wr_clock_monotonic_ms();
	open_ledger();
	CHECK(wr_clock_monotonic_ms() - began_ms <= WR_LEDGER_KILL_MS_MAX + 500);
	member_count = 0;
	wr_proc_each(count_member, &pids[0]);
	CHECK_U64(member_count, 0);
	wr_ledger_close(&ledger);
	remove_folder();
}

static void test_a_leader_that_lives_is_ended(void)
{
	pid_t pid = fork_bystander();

	need_proc();
	make_folder();
	open_ledger();
	CHECK(note(NULL, pid) == 0);
	wr_ledger_close(&ledger);
	open_ledger();
	CHECK(!is_alive(pid));
	wr_ledger_close(&ledger);
	end_child(pid);
	remove_folder();
}

static void test_this_process_itself_is_never_ended(void)
{
	make_folder();
	open_ledger();
	CHECK(note(NULL, getpid()) == 0);
	wr_ledger_close(&ledger);
	open_ledger();
	wr_ledger_close(&ledger);
	remove_folder();
}

/* ---- bystanders ---- */

static void seal_row(uint8_t row[ROW_BYTES], pid_t pid, uint64_t start)
{
	wr_store_le32(row, (uint32_t)pid);
	wr_store_le64(row + 8, start);
	wr_store_le32(row + 4, wr_crc32c(wr_crc32c(0, row, 4), row + 8, 8));
}

/* Opens a ledger whose first row says this; the process must live. */
static void check_spared(const char *label, pid_t pid, pid_t row_pid, uint64_t start)
{
	uint8_t row[ROW_BYTES];

	wr_test_case(label);
	seal_row(row, row_pid, start);
	write_at(ROWS_AT, row, sizeof row);
	open_ledger();
	CHECK(is_alive(pid));
	CHECK_U64(count_rows(), 0);
	wr_ledger_close(&ledger);
}

static void test_who_started_at_another_time_is_somebody_else(void)
{
	pid_t pid = fork_bystander(), member;
	uint64_t start = start_of(pid);
	int fds[2];

	need_proc();
	make_folder();
	open_ledger();
	wr_ledger_close(&ledger);
	check_spared("earlier", pid, pid, start - 1);
	check_spared("later", pid, pid, start + 1);
	check_spared("never", pid, pid, 0);
	check_spared("at the end of time", pid, pid, UINT64_MAX);
	check_spared("the first process", 1, 1, start_of(1));
	check_spared("nobody", pid, 0, start);
	end_child(pid);

	/* A session whose leader is somebody else's, and one older than the row. */
	CHECK(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		setsid();
		member = fork();
		if (member == 0)
			wait_for_the_end();
		if (write(fds[1], &member, sizeof member) == sizeof member)
			wait_for_the_end();
		_exit(1);
	}
	CHECK(read(fds[0], &member, sizeof member) == sizeof member);
	check_spared("of a foreign session", member, pid, start_of(pid) - 1);
	start = start_of(member);
	end_child(pid);
	check_spared("of a session before the row", member, pid, start + 1);
	kill(member, SIGKILL);
	wait_dead(member);
	remove_folder();
}

static void test_rows_of_another_boot_mean_nothing(void)
{
	pid_t pid = fork_bystander();
	char file[FILE_BYTES], head[HEAD_CRC_AT + 4];

	need_proc();
	make_folder();
	open_ledger();
	CHECK(note(NULL, pid) == 0);
	wr_ledger_close(&ledger);
	memcpy(file, read_ledger().data, sizeof file);
	/* The boot, and the first process of the namespace, are in there: each byte counts. */
	for (unsigned i = 0; i < WR_PROC_PLACE_BYTES; i++) {
		write_at(0, file, sizeof file);
		memcpy(head, file, sizeof head);
		head[PLACE_AT + i] ^= 1;
		wr_store_le32(head + HEAD_CRC_AT, wr_crc32c(0, head, HEAD_CRC_AT));
		write_at(0, head, sizeof head);
		open_ledger();
		CHECK(is_alive(pid));
		CHECK_U64(count_rows(), 0);
		wr_ledger_close(&ledger);
	}
	write_at(0, file, sizeof file);
	open_ledger();
	CHECK(!is_alive(pid));
	wr_ledger_close(&ledger);
	end_child(pid);
	remove_folder();
}

static void test_a_damaged_file_is_not_believed(void)
{
	pid_t pid = fork_bystander();
	char file[FILE_BYTES];

	need_proc();
	make_folder();
	open_ledger();
	CHECK(note(NULL, pid) == 0);
	wr_ledger_close(&ledger);
	memcpy(file, read_ledger().data, sizeof file);
	/* Each byte of head and row, but the four that mean nothing. */
	for (unsigned i = 0; i < ROWS_AT + ROW_BYTES; i++) {
		if (i >= HEAD_CRC_AT + 4 && i < ROWS_AT)
			continue;
		file[i] ^= 0x10;
		write_at(0, file, sizeof file);
		file[i] ^= 0x10;
		open_ledger();
		CHECK(is_alive(pid));
		wr_ledger_close(&ledger);
	}
	for (unsigned size = 0; size < ROWS_AT + ROW_BYTES; size++) {
		write_at(0, file, sizeof file);
		CHECK(truncate(path, (off_t)size) == 0);
		open_ledger();
		CHECK(is_alive(pid));
		CHECK_U64(read_ledger().bytes, FILE_BYTES);
		wr_ledger_close(&ledger);
	}
	end_child(pid);
	remove_folder();
}

static void test_of_a_damaged_row_the_bearers_of_the_mark_are_known(void)
{
	pid_t pids[2];

	need_proc();
	make_folder();
	kill_one_that_ran("sleep 1000 & echo $!; wait", pids, WR_COUNT(pids));
	write_at(ROWS_AT, "x", 1);
	open_ledger();
	CHECK(!is_alive(pids[1]));
	wr_ledger_close(&ledger);
	remove_folder();
}

static void test_who_has_another_mark_or_is_older_is_left_alone(void)
{
	static const char *const variables[] = {
		"WORKER_RUNTIME_CHILD=00000000000000000000000000000000",
		"WORKER_RUNTIME_CHILD=", "X"};
	pid_t pids[WR_COUNT(variables)], leader;
	const char *sleep_path;

	need_proc();
	sleep_path = wr_test_program("sleep");
	for (unsigned i = 0; i < WR_COUNT(variables); i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			char *const environment[] = {(char *)(uintptr_t)variables[i], NULL};
			execle(sleep_path, "sleep", "1000", (char *)NULL, environment);
			_exit(1);
		}
	}
	make_folder();
	open_ledger();
	leader = fork_bystander();
	CHECK(note(NULL, leader) == 0);
	wr_ledger_close(&ledger);
	open_ledger();
	CHECK(!is_alive(leader));
	end_child(leader);
	for (unsigned i = 0; i < WR_COUNT(variables); i++) {
		CHECK(is_alive(pids[i]));
		end_child(pids[i]);
	}
	wr_ledger_close(&ledger);
	remove_folder();
}

/* ---- between fork and exec ---- */

static int refuse(void *context, pid_t pid)
{
	(void)pid;
	return *(const int *)context;
}

/* A program that would leave a file, if it ever began. */
static char touched[80];

static struct wr_spawned spawn_touching(int (*may_begin)(void *, pid_t), void *context)
{
	static char touch[] = "touch", search[] = "PATH=/usr/bin:/bin";
	static char *argv[] = {touch, touched, NULL}, *environment[] = {search, NULL};
	const struct wr_spawn spawn = {.path = wr_test_program("touch"),
				       .argv = argv,
				       .environment = environment,
				       .may_begin = may_begin,
				       .context = context};
	struct wr_spawned spawned;
	struct wr_error error;

	snprintf(touched, sizeof touched, "%s/touched", folder);
	CHECK_STATUS(wr_spawn(&spawned, &spawn, &error), WR_OK);
	return spawned;
}

static void test_who_may_not_begin_ends_with_the_reason(void)
{
	int reason = ENOSPC, status;
	struct wr_spawn_failure failure;
	struct wr_spawned spawned;

	make_folder();
	spawned = spawn_touching(refuse, &reason);
	CHECK(waitpid(spawned.pid, &status, 0) == spawned.pid);
	CHECK_STATUS(wr_spawn_read_failure(&failure, spawned.status_fd), WR_OK);
	CHECK(failure.stage == WR_SPAWN_SETUP && failure.os_error == ENOSPC);
	CHECK(access(touched, F_OK) != 0);
	reason = 0;
	spawned = spawn_touching(refuse, &reason);
	CHECK(waitpid(spawned.pid, &status, 0) == spawned.pid && status == 0);
	CHECK(access(touched, F_OK) == 0 && unlink(touched) == 0);
	remove_folder();
}

static int die(void *context, pid_t pid)
{
	if (write(*(const int *)context, &pid, sizeof pid) != sizeof pid)
		_exit(1);
	kill(getpid(), SIGKILL);
	return 0;
}

static void test_who_was_not_noted_never_begins(void)
{
	int fds[2];
	pid_t daemon_pid, child;

	need_proc();
	make_folder();
	CHECK(pipe(fds) == 0);
	daemon_pid = fork();
	if (daemon_pid == 0) {
		spawn_touching(die, &fds[1]);
		_exit(1);
	}
	CHECK(read(fds[0], &child, sizeof child) == sizeof child);
	CHECK(waitpid(daemon_pid, NULL, 0) == daemon_pid);
	wait_dead(child);
	snprintf(touched, sizeof touched, "%s/touched", folder);
	CHECK(access(touched, F_OK) != 0);
	remove_folder();
}

/* ---- memory ---- */

static void test_without_memory_nobody_begins_and_nothing_is_forgotten(void)
{
	pid_t pid = fork_bystander();
	struct wr_error error;
	char file[FILE_BYTES];
	uint32_t row;
	int os_error;

	need_proc();
	make_folder();
	open_ledger();
	wr_test_fail_allocation(1, true);
	CHECK_STATUS(wr_ledger_add(&ledger, &row, pid, &os_error), WR_NO_MEMORY);
	CHECK(row == WR_LEDGER_NONE && os_error == ENOMEM);
	wr_test_fail_allocation(0, false);
	CHECK(note(NULL, pid) == 0);
	wr_ledger_close(&ledger);
	memcpy(file, read_ledger().data, sizeof file);
	for (uint64_t n = 1; n <= 2; n++) {
		wr_test_fail_allocation(n, false);
		CHECK_STATUS(wr_ledger_open(&ledger, wr_test_allocator(), path, &error),
			     WR_NO_MEMORY);
		wr_test_fail_allocation(0, false);
		wr_ledger_close(&ledger);
		CHECK(is_alive(pid) && memcmp(file, read_ledger().data, sizeof file) == 0);
	}
	end_child(pid);
	remove_folder();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_new_file_is_ours_alone_and_has_no_rows),
	WR_TEST(test_without_a_path_there_is_no_ledger),
	WR_TEST(test_rows_come_and_go_and_places_are_used_again),
	WR_TEST(test_a_row_stays_while_anybody_of_its_session_lives),
	WR_TEST(test_what_cannot_be_written_lets_nobody_begin),
	WR_TEST(test_links_folders_and_pipes_are_no_ledger),
	WR_TEST(test_grandchildren_of_a_killed_process_are_ended),
	WR_TEST(test_who_forks_while_being_ended_is_ended_too),
	WR_TEST(test_a_leader_that_lives_is_ended),
	WR_TEST(test_this_process_itself_is_never_ended),
	WR_TEST(test_who_started_at_another_time_is_somebody_else),
	WR_TEST(test_rows_of_another_boot_mean_nothing),
	WR_TEST(test_a_damaged_file_is_not_believed),
	WR_TEST(test_of_a_damaged_row_the_bearers_of_the_mark_are_known),
	WR_TEST(test_who_has_another_mark_or_is_older_is_left_alone),
	WR_TEST(test_who_may_not_begin_ends_with_the_reason),
	WR_TEST(test_who_was_not_noted_never_begins),
	WR_TEST(test_without_memory_nobody_begins_and_nothing_is_forgotten),
	WR_TEST_END,
};
