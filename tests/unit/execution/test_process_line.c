/* Goal: the line mode is a pipe without turns, and whatever a program does, it is events of its own
 * Worker and nothing else; nothing it started outlives it. Method: real programs with a real
 * reactor and Runtime; the events as a story. */
#include "unit/execution/world.h"

#include "bounds.h"
#include "execution/orphans.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char cat[] = "cat";
static char *cat_argv[] = {cat, NULL};

/* ---- the ordinary life ---- */

static void test_lines_go_in_and_come_back_as_messages(void)
{
	start_world(cat_argv, WR_PROCESS_LINE, 1);
	input("hello");
	wait_for("text hello\n");
	input("two\nlines\n");
	wait_for("text lines\n");
	stop_worker();
	wait_for("phase stopped");
	check_trace("> hello\n"
		    "phase starting: input\n"
		    "phase idle: started\n"
		    "text hello\n"
		    "> two\nlines\n\n"
		    "text two\n"
		    "text lines\n"
		    "stopped\n"
		    "phase stopped: execution ended\n");
	CHECK_U64(worker->transcript.total, 5);
	end_world();
}

static void test_nothing_starts_before_the_first_input_of_a_user(void)
{
	struct wr_input note = {WR_INPUT_SYSTEM, WR_VIEW("note")};
	struct wr_error error;
	struct wr_ack ack;

	start_world(cat_argv, WR_PROCESS_LINE, 1);
	CHECK_STATUS(wr_runtime_input(runtime, worker->id, &note, NULL, &ack, &error), WR_OK);
	for (unsigned i = 0; i < 10; i++)
		wr_reactor_turn(&reactor, 1);
	CHECK_U64(wr_processes_live_count(&processes), 0);
	CHECK_STATUS(interrupt_worker(), WR_CONFLICT);
	stop_worker();
	check_trace("> note\nstopped\n");
	end_world();
}

static void test_a_filter_of_the_examples_answers_each_line(void)
{
	static char name[] = "sh", path[] = "tests/examples/shout.sh";
	static char *argv[] = {name, path, NULL};

	start_world(argv, WR_PROCESS_LINE, 1);
	input("one");
	wait_for("text ONE\n");
	input("two");
	wait_for("text TWO\n");
	end_world();
}

static void test_a_last_line_without_newline_and_an_exit_with_0(void)
{
	start_shell("read -r x; printf 'a\\r\\n\\nb'", WR_PROCESS_LINE);
	input("go");
	run_until(has_no_child, "the exit");
	check_trace("> go\n"
		    "phase starting: input\n"
		    "phase idle: started\n"
		    "text a\n"
		    "text \n"
		    "text b\n"
		    "run_end r0\n");
	CHECK(worker->now.phase == WR_PHASE_IDLE && !worker->is_execution_live);
	input("again");
	run_until(has_no_child, "the second exit");
	CHECK(strstr(trace, "> again\nphase starting: input\nphase idle: started\ntext a\n"));
	stop_worker();
	CHECK(worker->now.phase == WR_PHASE_STOPPED);
	end_world();
}

/* ---- hostile output ---- */

static void test_garbage_becomes_text(void)
{
	start_shell("read -r x; printf 'a\\377\\376b\\n\\303(\\n'; exec cat", WR_PROCESS_LINE);
	input("go");
	wait_for("text a\xef\xbf\xbd\xef\xbf\xbd"
		 "b\ntext \xef\xbf\xbd(\n");
	end_world();
}

static void test_a_line_that_is_too_long_is_told_and_dropped(void)
{
	start_shell("read -r x; head -c 1048577 /dev/zero | tr '\\0' x; echo; echo short;"
		    "head -c 1048576 /dev/zero | tr '\\0' y; echo;"
		    "head -c 400000 /dev/zero | tr '\\0' '\\377'; echo; echo end; exec cat",
		    WR_PROCESS_LINE);
	input("go");
	wait_for("text end\n");
	CHECK(strstr(trace, "error child_protocol_error: line over 1048576 bytes\ntext short\n"));
	CHECK(strstr(trace, "text yyyyyy"));
	/* As text it would be 1.2 MB: over the limit of an event. */
	CHECK(strstr(trace, "error child_protocol_error: line over 1048576 bytes\ntext end\n"));
	end_world();
}

static void test_a_flood_stays_with_its_worker(void)
{
	const struct wr_worker *flooding;

	start_shell("read -r x; case $x in flood) exec yes;; *) echo $x; exec cat;; esac",
		    WR_PROCESS_LINE);
	flooding = make_worker();
	CHECK_STATUS(try_input_to(flooding, WR_VIEW("flood")), WR_OK);
	wait_for("text y\n");
	input("calm");
	wait_for("text calm\n");
	for (unsigned i = 0; i < 20; i++)
		wr_reactor_turn(&reactor, 10);
	CHECK(flooding->events.count <= WR_WORKER_RETENTION_EVENTS);
	CHECK(wr_test_allocator()->used < 16u << 20);
	CHECK(flooding->now.phase == WR_PHASE_IDLE && worker->now.phase == WR_PHASE_IDLE);
	end_world();
}

/* ---- ends of all kinds ---- */

static void test_a_death_by_signal_is_an_error_event(void)
{
	start_shell("read -r x; kill -9 $$", WR_PROCESS_LINE);
	input("go");
	wait_for("phase failed");
	check_trace("> go\n"
		    "phase starting: input\n"
		    "phase idle: started\n"
		    "error process ended by signal 9\n"
		    "phase failed: process ended by signal 9\n");
	end_world();
}

static void test_a_bad_exit_tells_the_end_of_stderr(void)
{
	start_shell("read -r x; printf 'first\\nse\\033cond\\n' >&2; exit 3", WR_PROCESS_LINE);
	input("go");
	wait_for("phase failed");
	CHECK(strstr(trace, "error process exited with status 3: first\nse cond\n"
			    "phase failed: process exited with status 3\n"));
	end_world();
}

static void test_a_long_stderr_is_cut_at_a_line(void)
{
	start_shell("read -r x; i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done;"
		    "exit 1",
		    WR_PROCESS_LINE);
	input("go");
	wait_for("phase failed");
	CHECK(strstr(trace, "status 1: line 1") != NULL); /* not in the middle of one */
	end_world();
}

static void test_a_worker_that_failed_starts_again(void)
{
	start_shell("read -r x; [ $x = die ] && exit 1; echo $x", WR_PROCESS_LINE);
	input("die");
	wait_for("phase failed");
	input("live");
	wait_for("text live\n");
	CHECK(strstr(trace, "phase starting: waits, as it died early before\n"
			    "phase idle: started\n"
			    "text live\n"));
	end_world();
}

static void test_who_dies_often_waits_ever_longer(void)
{
	uint64_t began_ms;

	start_shell("read -r x; exit 1", WR_PROCESS_LINE);
	profile.backoff_ms_min = 20;
	profile.backoff_ms_max = 80;
	began_ms = wr_clock_monotonic_ms();
	for (unsigned i = 0; i < 5; i++) { /* waits 0 + 20 + 40 + 80 + 80 */
		trace_bytes = 0;
		input("go");
		wait_for("phase failed");
	}
	CHECK(wr_clock_monotonic_ms() - began_ms >= 215);
	end_world();
}

static void test_an_interrupted_wait_starts_nothing(void)
{
	start_shell("read -r x; exit 1", WR_PROCESS_LINE);
	profile.backoff_ms_min = profile.backoff_ms_max = 60000;
	input("go");
	wait_for("phase failed");
	input("again");
	input("and again");
	CHECK(worker->now.phase == WR_PHASE_STARTING);
	CHECK_STATUS(interrupt_worker(), WR_OK);
	CHECK(worker->now.phase == WR_PHASE_INTERRUPTED);
	CHECK_STATUS(interrupt_worker(), WR_CONFLICT);
	CHECK_U64(processes.count, 0);
	input("once more");
	stop_worker();
	CHECK(worker->now.phase == WR_PHASE_STOPPED);
	CHECK_U64(processes.count, 0);
	end_world();
}

static void check_start_fails(char *const *argv, const char *cwd, const char *expected)
{
	start_world(argv, WR_PROCESS_LINE, 1);
	profile.cwd = cwd;
	input("go");
	wait_for("phase failed");
	if (strstr(trace, expected) == NULL || processes.count != 0)
		fail_with_trace(expected);
	CHECK_U64(processes.count, 0);
	input("again");
	wait_for("phase failed");
	end_world();
}

static void test_a_program_that_cannot_start_is_named_with_the_reason(void)
{
	static char missing[] = "no-such-program", path[] = "/no/such/folder/thing",
		    folder[] = "/usr", data[] = "/etc/passwd";
	static char *argvs[][2] = {{missing, NULL}, {path, NULL}, {folder, NULL}, {data, NULL}};

	check_start_fails(argvs[0], NULL,
			  "error cannot start no-such-program: ENOENT\n"
			  "phase failed: cannot start no-such-program: ENOENT\n");
	check_start_fails(argvs[1], NULL, "error cannot start thing: ENOENT\n");
	check_start_fails(argvs[2], NULL, "error cannot start usr: EISDIR\n");
	check_start_fails(argvs[3], NULL, "error cannot start passwd: EACCES\n");
	check_start_fails(cat_argv, "/no/such/folder",
			  "error cannot start cat: its folder: ENOENT\n");
}

static void test_without_descriptors_a_start_fails_and_a_later_one_works(void)
{
	struct rlimit before, limit;
	int first;

	start_world(cat_argv, WR_PROCESS_LINE, 1);
	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	first = open("/dev/null", O_RDONLY);
	close(first);
	limit = before;
	limit.rlim_cur = (rlim_t)first + 5;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	input("go");
	wait_for("error cannot start cat: EMFILE\nphase failed");
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	input("again");
	wait_for("text again\n");
	end_world();
}

static void test_who_closes_its_output_is_ended_in_good_order(void)
{
	start_shell("read -r x; echo one; exec >&-; while read -r x; do :; done; exit 0",
		    WR_PROCESS_LINE);
	input("go");
	wait_for("run_end r0\n");
	CHECK(strstr(trace, "text one\nrun_end r0\n"));
	CHECK(worker->now.phase == WR_PHASE_IDLE && !worker->is_execution_live);
	end_world();
}

static void test_who_closes_its_output_and_stays_is_killed_with_the_cause(void)
{
	start_shell("read -r x; echo one; exec >&-; exec sleep 1000", WR_PROCESS_LINE);
	input("go");
	wait_for("phase failed");
	CHECK(strstr(trace, "text one\n"
			    "error process ended by signal 15 after it had closed its output\n"
			    "phase failed: process ended by signal 15 after it had closed its "
			    "output\n"));
	end_world();
}

static void test_input_for_one_that_is_about_to_end_is_for_the_next(void)
{
	start_shell("read -r x; echo got $x; exec >&-; sleep 0.2; exit 0", WR_PROCESS_LINE);
	profile.grace_ms = 5000;
	input("one");
	wait_for("text got one\n");
	for (unsigned i = 0; i < 3; i++)
		wr_reactor_turn(&reactor, 20);
	input("two");
	wait_for("text got two\n");
	CHECK(strstr(trace, "error") == NULL);
	end_world();
}

/* ---- stopping ---- */

static void test_who_ignores_everything_is_killed_in_time(void)
{
	uint64_t began_ms;

	start_shell("trap '' TERM INT HUP; echo $$; while :; do sleep 1000; done", WR_PROCESS_LINE);
	input("go");
	wait_for("text ");
	began_ms = reactor.now_ms; /* what graces begin at */
	stop_worker();
	CHECK(worker->now.phase == WR_PHASE_STOPPING);
	wait_for("phase stopped");
	CHECK(reactor.now_ms - began_ms >= 190); /* two graces */
	wait_gone(said_pid("text "));
	end_world();
}

static void test_output_until_the_end_of_a_stop_is_kept(void)
{
	start_shell("while read -r x; do echo $x; done; echo last words", WR_PROCESS_LINE);
	input("go");
	wait_for("text go\n");
	stop_worker();
	wait_for("phase stopped");
	CHECK(strstr(trace, "stopped\ntext last words\nphase stopped"));
	end_world();
}

static void test_a_cancel_kills_at_once_and_hears_no_more(void)
{
	start_shell("trap '' TERM; echo up; while :; do echo noise; done", WR_PROCESS_LINE);
	input("go");
	wait_for("text up\n");
	trace_bytes = 0;
	cancel_worker();
	CHECK(worker->now.phase == WR_PHASE_CANCELLED);
	run_until(has_no_child, "the end");
	check_trace("cancelled\n");
	end_world();
}

static void test_a_stopped_process_can_be_stopped_and_cancelled(void)
{
	for (unsigned i = 0; i < 2; i++) {
		start_shell("echo pid $$; exec cat", WR_PROCESS_LINE);
		input("go");
		wait_for("text go\n");
		CHECK(kill(said_pid("text pid "), SIGSTOP) == 0);
		if (i == 0)
			stop_worker();
		else
			cancel_worker();
		run_until(has_no_child, "the end");
		end_world();
	}
}

static void test_an_interrupt_ends_the_program_and_the_next_input_starts_it(void)
{
	start_world(cat_argv, WR_PROCESS_LINE, 1);
	input("one");
	wait_for("text one\n");
	CHECK_STATUS(interrupt_worker(), WR_OK);
	CHECK_STATUS(interrupt_worker(), WR_OK);
	CHECK_STATUS(try_input("too early"), WR_BUSY);
	wait_for("phase interrupted");
	CHECK_STATUS(interrupt_worker(), WR_CONFLICT);
	input("two");
	wait_for("text two\n");
	CHECK(strstr(trace, "error") == NULL);
	end_world();
}

static void test_an_interrupt_that_is_ignored_becomes_a_kill(void)
{
	start_shell("trap '' INT TERM; echo up; while :; do sleep 1000; done", WR_PROCESS_LINE);
	input("go");
	wait_for("text up\n");
	CHECK_STATUS(interrupt_worker(), WR_OK);
	wait_for("phase interrupted: interrupted\n");
	end_world();
}

/* ---- what it leaves behind ---- */

static void test_the_end_is_the_death_not_the_end_of_output(void)
{
	start_shell("read -r x; sleep 1000 & echo left $!; exit 0", WR_PROCESS_LINE);
	input("go");
	run_until(has_no_child, "the exit");
	wait_gone(said_pid("text left "));
	CHECK(worker->now.phase == WR_PHASE_IDLE);
	end_world();
}

static void test_grandchildren_end_with_a_cancel(void)
{
	start_shell("sleep 1000 & echo one $!; (trap '' HUP TERM; sleep 1000 & echo two $!);"
		    "echo up; exec cat",
		    WR_PROCESS_LINE);
	input("go");
	wait_for("text go\n");
	cancel_worker();
	wait_gone(said_pid("text one "));
	wait_gone(said_pid("text two "));
	end_world();
}

static void test_who_leaves_group_and_session_ends_too(void)
{
#ifdef __linux__
	wr_test_program("setsid");
	if (!wr_orphans_adopt())
		wr_test_skip("needs a subreaper");
	/* A daemon the old way, with a child of its own: each lives in another session. */
	start_shell("setsid sh -c 'echo daemon $$; setsid sleep 1000 & echo inner $!; "
		    "exec sleep 1000' & exec cat",
		    WR_PROCESS_LINE);
	input("go");
	wait_for("text go\n");
	wait_for("text inner ");
	wait_for("text daemon ");
	cancel_worker();
	wait_gone(said_pid("text daemon "));
	wait_gone(said_pid("text inner "));
	end_world();
#else
	wr_test_skip("needs a subreaper");
#endif
}

static void test_the_children_of_a_living_worker_are_left_alone(void)
{
	const struct wr_worker *other;
	pid_t background;

	start_shell("sh -c 'sleep 1000 & echo kept $!'; exec cat", WR_PROCESS_LINE);
	input("one");
	wait_for("text one\n");
	background = said_pid("text kept ");
	other = make_worker();
	CHECK_STATUS(try_input_to(other, WR_VIEW("two")), WR_OK);
	wait_for("text two\n");
	worker = other;
	cancel_worker();
	CHECK(wr_processes_live_count(&processes) == 2);
	for (unsigned i = 0; wr_processes_live_count(&processes) == 2 && i < 400; i++)
		wr_reactor_turn(&reactor, 20);
	CHECK_U64(wr_processes_live_count(&processes), 1);
	CHECK(kill(background, 0) == 0);
	end_world();
}

/* Each walk costs as much as there are processes. */
static void test_the_walks_over_all_processes_are_few(void)
{
	uint64_t last_ms = 0, began_ms;
	unsigned walks = 0;

	if (!wr_test_find_file("/proc/self/stat"))
		wr_test_skip("needs /proc");
	start_shell("read -r x; i=0; while [ $i -lt 100 ]; do i=$((i+1)); (sleep 0.01 &) ; done;"
		    "echo done; exec cat",
		    WR_PROCESS_LINE);
	input("go");
	began_ms = wr_clock_monotonic_ms();
	while (strstr(trace, "text done\n") == NULL) {
		wr_reactor_turn(&reactor, 20);
		if (processes.swept_ms == last_ms)
			continue;
		CHECK(last_ms == 0 || processes.swept_ms - last_ms >= 20);
		last_ms = processes.swept_ms;
		walks++;
	}
	CHECK(walks <= (wr_clock_monotonic_ms() - began_ms) / 20 + 1);
	end_world();
}

/* ---- bounds ---- */

static void test_input_that_is_not_read_makes_it_busy(void)
{
	static char much[WR_EVENT_BYTES_MAX / 2];
	enum wr_status status = WR_OK;
	unsigned count = 0;

	memset(much, 'x', sizeof much);
	start_shell("echo up; exec sleep 1000", WR_PROCESS_LINE);
	input("go");
	wait_for("text up\n");
	for (; status == WR_OK && count < 10; count++)
		status = try_input_to(worker, wr_view_of(much, sizeof much));
	CHECK_STATUS(status, WR_BUSY);
	CHECK(count >= 3 && count <= 6); /* what a pipe and the queue hold */
	input("a short one fits still");
	cancel_worker();
	end_world();
}

static void test_input_that_is_read_late_is_read_whole(void)
{
	static char much[WR_EVENT_BYTES_MAX];

	memset(much, 'x', sizeof much);
	start_shell("read -r x; echo up; read -r y; wc -c", WR_PROCESS_LINE);
	profile.grace_ms = 5000; /* a shell reads byte by byte */
	input("go");
	wait_for("text up\n");
	CHECK_STATUS(try_input_to(worker, wr_view_of(much, sizeof much)), WR_OK);
	input("now");
	stop_worker();
	/* `read` takes the long line, and `now` and its newline are left for wc. */
	wait_for("text 4\n");
	wait_for("phase stopped");
	end_world();
}

static void test_more_children_than_allowed_are_busy(void)
{
	const struct wr_worker *second;

	start_world(cat_argv, WR_PROCESS_LINE, 1);
	second = make_worker();
	input("one");
	CHECK_STATUS(try_input_to(second, WR_VIEW("two")), WR_BUSY);
	wait_for("text one\n");
	CHECK_STATUS(try_input_to(second, WR_VIEW("two")), WR_BUSY);
	stop_worker();
	run_until(has_no_child, "the end of the first");
	CHECK_STATUS(try_input_to(second, WR_VIEW("two")), WR_OK);
	wait_for("text two\n");
	end_world();
}

static void test_who_closes_its_input_makes_room_for_another(void)
{
	start_shell("read -r x; echo got $x; exec 0<&-; echo closed; exec sleep 1000",
		    WR_PROCESS_LINE);
	input("one");
	wait_for("text closed\n");
	input("two");
	wait_for("text got two\n");
	end_world();
}

static void test_input_that_nobody_took_is_told(void)
{
	static char much[WR_EVENT_BYTES_MAX];

	memset(much, 'x', sizeof much);
	start_shell("exit 0", WR_PROCESS_LINE);
	CHECK_STATUS(try_input_to(worker, wr_view_of(much, sizeof much)), WR_OK);
	wait_for("phase failed");
	CHECK(strstr(trace, "error process exited with status 0, "));
	CHECK(strstr(trace, " bytes of its input were not read"));
	CHECK_U64(processes.count, 0); /* and it is not tried again */
	end_world();
}

/* ---- the end of the Runtime ---- */

static unsigned drained;

static void on_drained(void *context)
{
	CHECK(context == &drained);
	drained++;
}

static bool is_drained(void)
{
	return drained != 0;
}

static void test_a_drain_ends_all_and_stops_nobody(void)
{
	const struct wr_worker *second;

	start_shell("while read -r x; do echo $x; done; echo bye", WR_PROCESS_LINE);
	second = make_worker();
	input("one");
	CHECK_STATUS(try_input_to(second, WR_VIEW("two")), WR_OK);
	wait_for("text one\n");
	wait_for("text two\n");
	CHECK_U64(wr_processes_drain(&processes, on_drained, &drained), 2);
	CHECK_STATUS(try_input("late"), WR_UNAVAILABLE);
	run_until(is_drained, "the end of the drain");
	CHECK_U64(drained, 1);
	CHECK_U64(wr_processes_live_count(&processes), 0);
	CHECK(strstr(trace, "text bye\ntext bye\n"));
	CHECK(worker->now.status == WR_WORKER_RUNNING && second->now.status == WR_WORKER_RUNNING);
	CHECK_U64(wr_processes_drain(&processes, on_drained, &drained), 0);
	end_world();
}

static void test_a_kill_ends_a_drain_at_once(void)
{
	start_shell("trap '' TERM; echo up; while :; do sleep 1000; done", WR_PROCESS_LINE);
	profile.grace_ms = 60000;
	input("go");
	wait_for("text up\n");
	CHECK_U64(wr_processes_drain(&processes, on_drained, &drained), 1);
	wr_processes_kill(&processes);
	run_until(is_drained, "the end of the drain");
	CHECK(strstr(trace, "error") == NULL);
	end_world();
}

static void test_what_still_runs_is_killed_by_deinit(void)
{
	pid_t pid;

	start_shell("echo pid $$; exec cat", WR_PROCESS_LINE);
	input("go");
	wait_for("text go\n");
	pid = said_pid("text pid ");
	wr_processes_deinit(&processes);
	wait_gone(pid); /* as an orphan of the processes that are no more */
	end_world();
}

/* Whatever allocation fails: the session ends, nothing leaks, and the Runtime goes on. */
static void test_each_allocation_may_fail(void)
{
	bool has_failed = true;

	for (uint64_t n = 1; has_failed && n < 200; n++) {
		enum wr_status status;

		start_world(cat_argv, WR_PROCESS_LINE, 1);
		wr_test_fail_allocation(n, false);
		status = try_input("hello");
		if (status == WR_OK) {
			for (unsigned i = 0;
			     i < 400 && strstr(trace, "text hello\n") == NULL &&
			     strstr(trace, "error ") == NULL && strstr(trace, "failed") == NULL &&
			     !wr_test_allocation_failed();
			     i++)
				wr_reactor_turn(&reactor, 20);
		}
		has_failed = wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		cancel_worker();
		end_world();
		CHECK(n < 199);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_lines_go_in_and_come_back_as_messages),
	WR_TEST(test_nothing_starts_before_the_first_input_of_a_user),
	WR_TEST(test_a_filter_of_the_examples_answers_each_line),
	WR_TEST(test_a_last_line_without_newline_and_an_exit_with_0),
	WR_TEST(test_garbage_becomes_text),
	WR_TEST(test_a_line_that_is_too_long_is_told_and_dropped),
	WR_TEST_LIMIT(test_a_flood_stays_with_its_worker, 20),
	WR_TEST(test_a_death_by_signal_is_an_error_event),
	WR_TEST(test_a_bad_exit_tells_the_end_of_stderr),
	WR_TEST(test_a_long_stderr_is_cut_at_a_line),
	WR_TEST(test_a_worker_that_failed_starts_again),
	WR_TEST(test_who_dies_often_waits_ever_longer),
	WR_TEST(test_an_interrupted_wait_starts_nothing),
	WR_TEST(test_a_program_that_cannot_start_is_named_with_the_reason),
	WR_TEST(test_without_descriptors_a_start_fails_and_a_later_one_works),
	WR_TEST(test_who_closes_its_output_is_ended_in_good_order),
	WR_TEST(test_who_closes_its_output_and_stays_is_killed_with_the_cause),
	WR_TEST(test_input_for_one_that_is_about_to_end_is_for_the_next),
	WR_TEST(test_who_ignores_everything_is_killed_in_time),
	WR_TEST(test_output_until_the_end_of_a_stop_is_kept),
	WR_TEST(test_a_cancel_kills_at_once_and_hears_no_more),
	WR_TEST(test_a_stopped_process_can_be_stopped_and_cancelled),
	WR_TEST(test_an_interrupt_ends_the_program_and_the_next_input_starts_it),
	WR_TEST(test_an_interrupt_that_is_ignored_becomes_a_kill),
	WR_TEST(test_the_end_is_the_death_not_the_end_of_output),
	WR_TEST(test_grandchildren_end_with_a_cancel),
	WR_TEST(test_who_leaves_group_and_session_ends_too),
	WR_TEST(test_the_children_of_a_living_worker_are_left_alone),
	WR_TEST(test_the_walks_over_all_processes_are_few),
	WR_TEST(test_input_that_is_not_read_makes_it_busy),
	WR_TEST(test_input_that_is_read_late_is_read_whole),
	WR_TEST(test_more_children_than_allowed_are_busy),
	WR_TEST(test_who_closes_its_input_makes_room_for_another),
	WR_TEST(test_input_that_nobody_took_is_told),
	WR_TEST(test_a_drain_ends_all_and_stops_nobody),
	WR_TEST(test_a_kill_ends_a_drain_at_once),
	WR_TEST(test_what_still_runs_is_killed_by_deinit),
	WR_TEST_LIMIT(test_each_allocation_may_fail, 60),
	WR_TEST_END,
};
