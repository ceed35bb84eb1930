/*
 * Goal: a program that has ended is started again as its profile says: at the next input, at once
 * and ever later, or not at all; what was said to one is never said to another, and how it ended
 * stays to be seen.
 *
 * Method: shell scripts as programs, in both modes. What a later life of the Runtime makes of
 * `never` is in e2e/test_profiles.
 */
#include "unit/execution/world.h"

#include "execution/worker_process.h"

static void start_with(const char *script, enum wr_process_mode mode, enum wr_restart restart)
{
	start_shell(script, mode);
	profile.restart = restart;
}

/* ---- always ---- */

static void test_always_starts_again_without_an_input(void)
{
	start_with("echo up; read -r x; echo $x; exit 0", WR_PROCESS_LINE, WR_RESTART_ALWAYS);
	run_a_while();
	CHECK_U64(count_in_trace("text up\n"), 0); /* nothing before the first input */
	input("one");
	wait_for("phase starting: again\nphase idle: started\n");
	wait_for("text one\nrun_end r0\nphase starting: again\n");
	CHECK_U64(count_in_trace("text one\n"), 1); /* and nothing is said twice */
	trace_bytes = 0;
	input("two");
	wait_for("text two\n");
	end_world();
}

static void test_always_shows_how_it_ended_while_it_waits(void)
{
	start_with("read -r x; exit 1", WR_PROCESS_LINE, WR_RESTART_ALWAYS);
	profile.backoff_ms_min = profile.backoff_ms_max = 60000;
	input("one");
	wait_for("phase failed");
	run_a_while();
	CHECK(worker->now.phase == WR_PHASE_FAILED);
	CHECK_U64(processes.count, 1); /* its place is its own */
	CHECK_STATUS(interrupt_worker(), WR_CONFLICT);
	input("two");
	CHECK(worker->now.phase == WR_PHASE_STARTING);
	CHECK_STATUS(interrupt_worker(), WR_OK);
	CHECK(worker->now.phase == WR_PHASE_INTERRUPTED);
	CHECK_U64(processes.count, 0);
	end_world();
}

static bool has_failed_five_times(void)
{
	return count_in_trace("phase failed") == 5;
}

static void test_always_starts_ever_later(void)
{
	uint64_t began_ms = wr_clock_monotonic_ms();

	start_with("exit 1", WR_PROCESS_LINE, WR_RESTART_ALWAYS);
	profile.backoff_ms_min = 20;
	profile.backoff_ms_max = 80;
	input("go"); /* waits 20 + 40 + 80 + 80 */
	run_until(has_failed_five_times, "five ends");
	CHECK(wr_clock_monotonic_ms() - began_ms >= 215);
	end_world();
}

static void test_always_is_no_loop_when_it_ends_well(void)
{
	start_with("read -r x; exit 0", WR_PROCESS_LINE, WR_RESTART_ALWAYS);
	profile.backoff_ms_min = profile.backoff_ms_max = 60000;
	input("go");
	wait_for("run_end r0\n");
	run_a_while();
	CHECK_U64(count_in_trace("phase starting"), 1);
	end_world();
}

static void test_always_has_the_place_of_who_waits_longer(void)
{
	const struct wr_worker *other;

	start_with("echo pid $$; while read -r x; do [ $x = die ] && exit 0; echo $x; done",
		   WR_PROCESS_LINE, WR_RESTART_ALWAYS);
	processes.count_max = 1;
	other = make_worker();
	input("a");
	wait_for("text a\n");
	CHECK_STATUS(try_input_to(other, WR_VIEW("b")), WR_BUSY);
	input("die");
	wait_for("phase starting: again\nphase idle: started\n");
	end_world();
}

static void test_always_in_turns(void)
{
	start_with("read -r i; echo '{\"type\":\"ready\"}'; read -r x; exit 1", WR_PROCESS_JSONL,
		   WR_RESTART_ALWAYS);
	input("go");
	wait_for("phase failed: process exited with status 1 within a turn\n"
		 "phase starting: again\nphase idle: ready\n");
	CHECK_U64(count_in_trace("turn_start"), 1); /* the turn is over, not run again */
	trace_bytes = 0;
	input("more");
	wait_for("turn_start");
	end_world();
}

static void test_always_finds_a_program_that_was_away(void)
{
	char name[64], *argv[] = {name, NULL};

	snprintf(name, sizeof name, "/tmp/wr-restart-%ld", (long)getpid());
	start_world(argv, WR_PROCESS_LINE, 4);
	profile.restart = WR_RESTART_ALWAYS;
	input("go");
	wait_for("phase starting: again\nerror cannot start");
	CHECK(symlink("/bin/cat", name) == 0);
	wait_for("phase idle: started\n");
	CHECK_U64(count_in_trace("text go"), 0);
	input("here");
	wait_for("text here\n");
	unlink(name);
	end_world();
}

static void test_always_ends_with_stop_cancel_interrupt_and_drain(void)
{
	static const char *const labels[] = {"stop",
					     "cancel",
					     "interrupt",
					     "drain",
					     "stop while it waits",
					     "cancel while it waits",
					     "drain while it waits"};

	for (unsigned i = 0; i < WR_COUNT(labels); i++) {
		wr_test_case(labels[i]);
		start_with("echo up; while read -r x; do [ $x = die ] && exit 1; done",
			   WR_PROCESS_LINE, WR_RESTART_ALWAYS);
		input("go");
		wait_for("text up\n");
		if (i >= 4) {
			profile.backoff_ms_min = profile.backoff_ms_max = 60000;
			input("die");
			wait_for("phase failed");
		}
		trace_bytes = 0;
		trace[0] = '\0';
		if (i == 0 || i == 4)
			stop_worker();
		else if (i == 1 || i == 5)
			cancel_worker();
		else if (i == 2)
			CHECK_STATUS(interrupt_worker(), WR_OK);
		else
			wr_processes_drain(&processes, NULL, NULL);
		run_until(has_no_child, "its end");
		run_a_while();
		CHECK_U64(count_in_trace("phase starting"), 0);
		CHECK_U64(processes.count, 0);
		end_world();
	}
}

static void test_always_waits_for_what_has_to_be_recorded(void)
{
	const char *said;

	uses_store = true;
	start_with("echo pid $$; while read -r x; do :; done", WR_PROCESS_LINE, WR_RESTART_ALWAYS);
	wr_runtime_settle(runtime);
	input("go");
	wait_for("text pid ");
	said = strstr(trace, "text pid ");
	store.is_full = true;
	CHECK(kill((pid_t)atol(said + sizeof "text pid " - 1), SIGKILL) == 0);
	run_a_while();
	CHECK_U64(count_in_trace("phase failed"), 0);
	store.is_full = false;
	wait_for("phase failed");
	wait_for("phase starting: again\nphase idle: started\ntext pid ");
	end_world();
}

/* ---- never ---- */

/* Of the only one. */
static pid_t pid_of_child(void)
{
	uint32_t at = 0;
	struct wr_crew_member *member = wr_crew_next(&processes.crew, &at);

	return member == NULL ? 0 : wr_worker_process_pid(wr_worker_process_of(member));
}

static void test_never_refuses_input_after_its_end(void)
{
	start_with("read -r x; echo $x", WR_PROCESS_LINE, WR_RESTART_NEVER);
	input("one");
	wait_for("run_end r0\n");
	CHECK(worker->now.phase == WR_PHASE_IDLE);
	CHECK_STATUS(try_input("two"), WR_REJECTED);
	CHECK(worker->last_result.outcome == WR_EXECUTION_REJECTED);
	CHECK_U64(count_in_trace("two"), 0);
	stop_worker();
	CHECK(worker->now.phase == WR_PHASE_STOPPED);
	end_world();
}

static void test_never_refuses_it_after_every_kind_of_end(void)
{
	static const struct {
		const char *label, *script;
		enum wr_process_mode mode;
		bool is_interrupted;
	} cases[] = {
		{"a bad exit", "read -r x; exit 1", WR_PROCESS_LINE, false},
		{"a signal", "read -r x; kill -9 $$", WR_PROCESS_LINE, false},
		{"an interrupt", "read -r x; exec sleep 1000", WR_PROCESS_LINE, true},
		{"before it was ready", "read -r x; exit 0", WR_PROCESS_JSONL, false},
		{"within a turn", "read -r i; echo '{\"type\":\"ready\"}'; read -r x; exit 0",
		 WR_PROCESS_JSONL, false},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		start_with(cases[i].script, cases[i].mode, WR_RESTART_NEVER);
		input("one");
		if (cases[i].is_interrupted) {
			wait_for("phase idle");
			CHECK_STATUS(interrupt_worker(), WR_OK);
			wait_for("phase interrupted");
		} else {
			wait_for("phase failed");
		}
		run_until(has_no_child, "its end");
		CHECK_STATUS(try_input("two"), WR_REJECTED);
		end_world();
	}
}

static void test_never_tells_what_was_accepted_too_late(void)
{
	uses_store = true;
	start_with("while read -r x; do [ $x = die ] && exit 0; done", WR_PROCESS_LINE,
		   WR_RESTART_NEVER);
	input("one");
	wait_for("phase idle");
	input("die");
	hide();
	input("late");
	run_until(has_no_child, "its end");
	show();
	wait_for("error the input was not given: the program has ended, and its profile does not "
		 "start it again\nphase failed: the program has ended\n");
	CHECK_STATUS(try_input("two"), WR_REJECTED);
	end_world();
}

/* They were accepted, each as a turn of its own. */
static void test_never_tells_each_input_that_queues(void)
{
	struct wr_create request = {.intent = WR_INTENT_ASSISTANT, .busy = {WR_BUSY_QUEUE, 4}};
	struct wr_error error;

	uses_store = true;
	start_with("read -r i; echo '{\"type\":\"ready\"}'; read -r x; read -r stop; exit 0",
		   WR_PROCESS_JSONL, WR_RESTART_NEVER);
	CHECK_STATUS(wr_runtime_create(runtime, &request, NULL, &worker, &error), WR_OK);
	wr_runtime_settle(runtime);
	input("one");
	wait_for("turn_start");
	input("two");
	input("three");
	kill(pid_of_child(), SIGKILL);
	wait_for("phase failed: process ended by signal 9 within a turn\n"
		 "error the input was not given");
	run_a_while();
	CHECK_U64(count_in_trace("error the input was not given"), 2);
	CHECK_STATUS(try_input("four"), WR_REJECTED);
	end_world();
}

static void test_never_tries_again_what_has_never_run(void)
{
	static char missing[] = "/no/such/program", *argv[] = {missing, NULL};

	start_world(argv, WR_PROCESS_LINE, 4);
	profile.restart = WR_RESTART_NEVER;
	input("one");
	wait_for("phase failed");
	input("two");
	wait_for("phase failed");
	end_world();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_always_starts_again_without_an_input),
	WR_TEST(test_always_shows_how_it_ended_while_it_waits),
	WR_TEST(test_always_starts_ever_later),
	WR_TEST(test_always_is_no_loop_when_it_ends_well),
	WR_TEST(test_always_has_the_place_of_who_waits_longer),
	WR_TEST(test_always_in_turns),
	WR_TEST(test_always_finds_a_program_that_was_away),
	WR_TEST(test_always_ends_with_stop_cancel_interrupt_and_drain),
	WR_TEST(test_always_waits_for_what_has_to_be_recorded),
	WR_TEST(test_never_refuses_input_after_its_end),
	WR_TEST(test_never_refuses_it_after_every_kind_of_end),
	WR_TEST(test_never_tells_what_was_accepted_too_late),
	WR_TEST(test_never_tells_each_input_that_queues),
	WR_TEST(test_never_tries_again_what_has_never_run),
	WR_TEST_END,
};
