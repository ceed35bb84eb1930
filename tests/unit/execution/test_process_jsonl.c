/* Goal: the jsonl mode has turns that begin with an input and end with `done`, an interrupt or the
 * death of the program; what a program says wrongly is told and harms nothing. Method: the example
 * programs and small shells with a real reactor and Runtime; the events as a story. */
#include "unit/execution/world.h"

#include "bounds.h"

#define READY "read -r init; echo '{\"type\":\"ready\"}'; "
#define DONE "echo '{\"type\":\"done\"}'; "

static char agent_path[256];
static char *agent_argv[] = {agent_path, NULL};

/* The example in C, which the build puts beside the tests. */
static void start_agent(void)
{
	const char *build = getenv("WR_BUILD");

	snprintf(agent_path, sizeof agent_path, "%s/examples/agent",
		 build == NULL ? "build/debug" : build);
	if (!wr_test_find_file(agent_path))
		wr_test_skip("the example agent is not built");
	start_world(agent_argv, WR_PROCESS_JSONL, 4);
}

static bool is_idle(void)
{
	return worker->now.phase == WR_PHASE_IDLE;
}

/* ---- turns ---- */

static void test_a_turn_is_an_input_and_its_output(void)
{
	start_agent();
	input("hello \"there\"");
	run_until(is_idle, "the end of the turn");
	input("again");
	wait_for("text again\n");
	run_until(is_idle, "the end of the turn");
	stop_worker();
	wait_for("phase stopped");
	check_trace("> hello \"there\"\n"
		    "phase starting: input\n"
		    "phase busy: input\n"
		    "turn_start 1\n"
		    "delta hello \n"
		    "delta \"there\"\n"
		    "text hello \"there\"\n"
		    "turn_end 1 r0\n"
		    "run_end r0\n"
		    "phase idle: turn done\n"
		    "> again\n"
		    "phase busy: input\n"
		    "turn_start 2\n"
		    "delta again\n"
		    "text again\n"
		    "turn_end 2 r0\n"
		    "run_end r0\n"
		    "phase idle: turn done\n"
		    "stopped\n"
		    "phase stopped: execution ended\n");
	CHECK_U64(worker->now.turn_count, 2);
	end_world();
}

static void test_the_example_in_python_speaks_the_same(void)
{
	static char name[] = "python3", path[] = "tests/examples/agent.py";
	static char *argv[] = {name, path, NULL};

	start_world(argv, WR_PROCESS_JSONL, 1);
	input("hello");
	while (worker->now.phase == WR_PHASE_STARTING)
		wr_reactor_turn(&reactor, 20);
	if (worker->now.phase == WR_PHASE_FAILED)
		wr_test_skip("no python3");
	run_until(is_idle, "the end of the turn");
	CHECK(strstr(trace, "turn_start 1\ndelta hello \ntext hello\nturn_end 1 r0\n"));
	input("wait");
	wait_for("delta waiting");
	CHECK_STATUS(interrupt_worker(), WR_OK);
	wait_for("phase interrupted");
	stop_worker();
	wait_for("phase stopped");
	end_world();
}

static void test_a_system_input_is_a_turn_too(void)
{
	struct wr_input note = {WR_INPUT_SYSTEM, WR_VIEW("note")};
	struct wr_error error;
	struct wr_ack ack;

	start_shell(READY "read -r x; echo \"$x\" | grep -q '\"kind\":\"system\"' && "
			  "echo '{\"type\":\"message\",\"text\":\"noted\"}'; " DONE "read -r x",
		    WR_PROCESS_JSONL);
	CHECK_STATUS(wr_runtime_input(runtime, worker->id, &note, NULL, &ack, &error), WR_OK);
	wait_for("text noted\nturn_end 1 r0\n");
	end_world();
}

static void test_a_second_input_within_a_turn_is_busy(void)
{
	start_agent();
	input("wait");
	CHECK_STATUS(try_input("too early"), WR_BUSY); /* it has not even started */
	wait_for("delta waiting");
	CHECK_STATUS(try_input("too early"), WR_BUSY);
	CHECK(strstr(trace, "too early") == NULL);
	end_world();
}

static unsigned count_of(const char *words)
{
	unsigned count = 0;

	for (const char *at = trace; (at = strstr(at, words)) != NULL; at++)
		count++;
	return count;
}

/* ---- inputs that queue ---- */

static void start_agent_with_a_queue(void)
{
	busy_policy = (struct wr_busy_policy){WR_BUSY_QUEUE, 4};
	start_agent();
}

static void test_inputs_queue_from_the_start_on_and_run_one_by_one(void)
{
	for (unsigned way = 0; way < 2; way++) {
		uses_store = way != 0;
		start_agent_with_a_queue();
		input("one");
		input("two");
		input("three");
		wait_for("text three\n");
		wait_for("turn_end 3 r0\nrun_end r0\nphase idle");
		CHECK(strstr(trace, "text one\n") < strstr(trace, "text two\n"));
		CHECK(strstr(trace, "text two\n") < strstr(trace, "text three\n"));
		CHECK_U64(count_of("phase starting"), 1);
		CHECK_U64(worker->now.turn_count, 3);
		end_world();
	}
}

/* However a turn ends, the next one runs, with another program when this one is gone. */
static void test_the_next_input_runs_after_an_interrupt_and_after_a_death(void)
{
	start_agent_with_a_queue();
	input("wait");
	wait_for("delta waiting");
	input("die");
	input("hello");
	CHECK_STATUS(interrupt_worker(), WR_OK);
	wait_for("phase failed");
	wait_for("text hello\n");
	CHECK_U64(count_of("phase interrupted"), 1);
	CHECK_U64(count_of("phase starting"), 2);
	end_world();
}

static void test_what_queues_for_a_place_runs_when_one_is_free(void)
{
	const struct wr_worker *first;

	start_agent_with_a_queue();
	processes.count_max = 1;
	first = worker;
	input("wait");
	wait_for("delta waiting");
	worker = make_worker();
	input("hello");
	run_a_while();
	CHECK(strstr(trace, "text hello") == NULL);
	CHECK_U64(worker->queue.queued.count, 1);
	worker = first;
	cancel_worker();
	wait_for("text hello\n");
	end_world();
}

static void test_a_cancel_takes_back_what_queues(void)
{
	struct wr_ack ack;

	start_agent_with_a_queue();
	input("wait");
	wait_for("delta waiting");
	input("one");
	input("two");
	CHECK_STATUS(wr_runtime_cancel_worker(runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		     WR_OK);
	CHECK_U64(wr_sequences_count(ack.dropped), 2);
	run_until(has_no_child, "the end of the program");
	CHECK(strstr(trace, "text one") == NULL);
	end_world();
}

static void test_what_a_program_says_becomes_typed_events(void)
{
	start_shell(READY
		    "read -r x; "
		    "echo '{\"type\":\"thinking\",\"text\":\"hm\"}'; "
		    "echo '{\"type\":\"thinking\",\"text\":\"hm.\",\"done\":true}'; "
		    "echo '{\"type\":\"tool\",\"id\":\"c\",\"name\":\"Read\"}'; "
		    "echo '{\"type\":\"tool\",\"id\":\"c\",\"name\":\"Read\",\"arguments\":{}}'; "
		    "echo '{\"type\":\"tool\",\"id\":\"c\",\"summary\":\"12 lines\"}'; "
		    "echo '{\"type\":\"usage\",\"input_tokens\":1,\"output_tokens\":2}'; "
		    "echo '{\"type\":\"event\",\"event\":{\"event\":\"compact_start\"}}'; "
		    "echo '{\"type\":\"error\",\"message\":\"no model\"}'; "
		    "echo; "
		    "echo '{\"type\":\"done\",\"result\":\"limit_reached\"}'; "
		    "echo '{\"type\":\"delta\",\"text\":\"after\"}'; "
		    "read -r x",
		    WR_PROCESS_JSONL);
	input("go");
	wait_for("delta after\n");
	CHECK(strstr(trace, "turn_start 1\n"
			    "thinking hm\n"
			    "thinking_done hm.\n"
			    "call_start c Read\n"
			    "call_done c Read {}\n"
			    "result c 12 lines\n"
			    "usage 1 2\n"
			    "event compact_start\n"
			    "error no model\n"
			    "turn_end 1 r0\n"
			    "run_end r2\n"
			    "phase idle: turn done\n"
			    "delta after\n"));
	end_world();
}

static void test_the_largest_input_is_given_whole(void)
{
	static char much[WR_EVENT_BYTES_MAX];

	/* Each byte is six in JSON. */
	memset(much, 1, sizeof much);
	memcpy(much, "wait", 4);
	start_agent();
	CHECK_STATUS(try_input_to(worker, wr_view_of(much, sizeof much)), WR_OK);
	wait_for("delta waiting");
	CHECK_STATUS(interrupt_worker(), WR_OK);
	wait_for("phase interrupted");
	end_world();
}

/* ---- what it says wrongly ---- */

static void test_garbage_is_told_a_few_times_and_the_turn_goes_on(void)
{
	start_shell(READY "while read -r x; do i=0; while [ $i -lt 50 ]; do echo '{\"type\":'; "
			  "i=$((i+1)); done; echo '{\"type\":\"message\",\"text\":\"fine\"}'; " DONE
			  "done",
		    WR_PROCESS_JSONL);
	input("go");
	run_until(is_idle, "the end of the turn");
	CHECK_U64(count_of("error child_protocol_error: "), 8);
	CHECK_U64(count_of("text fine\n"), 1);
	input("again");
	wait_for("run_end r0\nphase idle: turn done\n> again");
	run_until(is_idle, "the end of the turn");
	CHECK_U64(count_of("error child_protocol_error: "), 16);
	CHECK_U64(count_of("text fine\n"), 2);
	end_world();
}

static void test_each_kind_of_nonsense_has_its_words(void)
{
	start_shell(READY
		    "read -r x; "
		    "echo '{\"type\":\"made_up\"}'; "
		    "echo '[]'; "
		    "echo '{\"type\":\"delta\"}'; "
		    "printf '{\"type\":\"delta\",\"text\":\"\\377\"}\\n'; "
		    "head -c 1100000 /dev/zero; echo; "
		    "echo '{\"type\":\"event\",\"event\":{\"event\":\"shutdown\"}}'; " DONE DONE
		    "read -r x",
		    WR_PROCESS_JSONL);
	input("go");
	wait_for("done outside of a turn\n");
	CHECK(strstr(trace, "error child_protocol_error: unknown type\n"
			    "error child_protocol_error: not an object\n"
			    "error child_protocol_error: text must be a string\n"
			    "error child_protocol_error: bytes are not valid UTF-8\n"
			    "error child_protocol_error: line over 1048576 bytes\n"
			    "error child_protocol_error: an event that only the Runtime sends\n"
			    "turn_end 1 r0\n"
			    "run_end r0\n"
			    "phase idle: turn done\n"
			    "error child_protocol_error: done outside of a turn\n"));
	end_world();
}

/* ---- interrupts ---- */

static void test_an_interrupt_ends_the_turn_and_not_the_program(void)
{
	start_agent();
	CHECK_STATUS(interrupt_worker(), WR_CONFLICT);
	input("wait");
	wait_for("delta waiting");
	CHECK_STATUS(interrupt_worker(), WR_OK);
	CHECK_STATUS(interrupt_worker(), WR_OK);
	wait_for("phase interrupted");
	CHECK(strstr(trace, "turn_end 1 r1\nrun_end r1\nphase interrupted: interrupted\n"));
	CHECK_STATUS(interrupt_worker(), WR_CONFLICT);
	input("hello");
	wait_for("text hello\n");
	CHECK_U64(count_of("phase starting"), 1);
	CHECK_U64(count_of("error"), 0);
	end_world();
}

static void test_who_does_not_hear_an_interrupt_is_ended(void)
{
	start_shell(READY
		    "trap '' TERM; read -r x; case $x in *hang*) echo "
		    "'{\"type\":\"delta\",\"text\":\"hanging\"}'; while :; do sleep 1000; done;; "
		    "esac; " DONE "read -r x",
		    WR_PROCESS_JSONL);
	input("hang");
	wait_for("delta hanging\n");
	CHECK_STATUS(interrupt_worker(), WR_OK);
	wait_for("phase interrupted: interrupted\n");
	CHECK_U64(count_of("error"), 0);
	input("hello");
	wait_for("turn_end 2 r0\n");
	CHECK_U64(count_of("phase starting"), 2);
	end_world();
}

static void test_who_dies_of_an_interrupt_was_interrupted(void)
{
	start_shell(READY
		    "read -r x; echo '{\"type\":\"delta\",\"text\":\"on\"}'; read -r x; exit 7",
		    WR_PROCESS_JSONL);
	input("go");
	wait_for("delta on\n");
	CHECK_STATUS(interrupt_worker(), WR_OK);
	wait_for("phase interrupted: interrupted\n");
	CHECK_U64(count_of("error"), 0);
	end_world();
}

static void test_an_interrupt_before_ready_takes_the_input_back(void)
{
	/* It becomes ready when a file says so, which is after the interrupt. */
	start_shell("read -r init; while [ ! -e /tmp/wr-ready-$PPID ]; do sleep 0.01; done; "
		    "echo '{\"type\":\"ready\"}'; while read -r x; do " DONE "done",
		    WR_PROCESS_JSONL);
	input("too late");
	CHECK_STATUS(interrupt_worker(), WR_OK);
	CHECK(worker->now.phase == WR_PHASE_INTERRUPTED);
	CHECK_STATUS(interrupt_worker(), WR_CONFLICT);
	{
		char path[64];
		FILE *file;
		snprintf(path, sizeof path, "/tmp/wr-ready-%ld", (long)getpid());
		file = fopen(path, "w");
		CHECK(file != NULL && fclose(file) == 0);
		run_until(is_idle, "ready");
		CHECK(unlink(path) == 0);
	}
	CHECK(strstr(trace, "phase idle: ready\n"));
	input("now");
	wait_for("turn_end 1 r0\n");
	CHECK_U64(count_of("turn_start"), 1);
	end_world();
}

/* ---- deaths ---- */

static void test_a_death_within_a_turn_fails_the_worker(void)
{
	start_agent();
	input("die");
	wait_for("phase failed");
	CHECK(strstr(trace, "error process exited with status 3 within a turn: agent: told to die\n"
			    "phase failed: process exited with status 3 within a turn\n"));
	input("hello");
	wait_for("text hello\n");
	end_world();
}

static void test_an_exit_with_0_within_a_turn_is_a_failure(void)
{
	start_shell(READY "read -r x; echo '{\"type\":\"delta\",\"text\":\"half\"}'",
		    WR_PROCESS_JSONL);
	input("go");
	wait_for("error process exited with status 0 within a turn\nphase failed");
	end_world();
}

static void test_an_exit_between_turns_is_none(void)
{
	start_shell(READY "read -r x; " DONE, WR_PROCESS_JSONL);
	input("one");
	run_until(has_no_child, "the exit");
	CHECK(worker->now.phase == WR_PHASE_IDLE);
	input("two");
	wait_for("turn_end 2 r0\n");
	CHECK_U64(count_of("error"), 0);
	CHECK_U64(count_of("phase starting: input\n"), 2);
	end_world();
}

static void test_who_ends_before_it_is_ready_has_failed(void)
{
	start_shell("read -r init; exit 0", WR_PROCESS_JSONL);
	input("go");
	wait_for("error process exited with status 0 before it was ready\nphase failed");
	CHECK_U64(processes.count, 0); /* the input is not tried again */
	end_world();
}

static void test_who_is_never_ready_is_ended(void)
{
	start_shell("trap '' TERM; while :; do sleep 1000; done", WR_PROCESS_JSONL);
	profile.ready_ms_max = 50;
	input("go");
	wait_for("error child_protocol_error: not ready in time\n"
		 "phase failed: ended for breaking the protocol\n");
	CHECK_U64(count_of("error child"), 1);
	end_world();
}

static void test_who_is_ready_too_late_is_not_tried_again(void)
{
	start_shell("trap 'echo \"{\\\"type\\\":\\\"ready\\\"}\"; exit 0' TERM; "
		    "while :; do sleep 0.01; done",
		    WR_PROCESS_JSONL);
	profile.ready_ms_max = 50;
	input("go");
	wait_for("phase failed: ended for breaking the protocol\n");
	CHECK_U64(count_of("error child"), 1);
	CHECK_U64(processes.count, 0);
	end_world();
}

static void test_who_closes_its_output_within_a_turn_is_ended(void)
{
	start_shell(READY "read -r x; exec 1>&-; exec sleep 1000", WR_PROCESS_JSONL);
	input("go");
	wait_for("error process ended by signal 15 within a turn after it had closed its "
		 "output\nphase failed");
	end_world();
}

/* ---- stop and drain ---- */

static void test_a_stop_within_a_turn_lets_the_program_finish(void)
{
	start_shell(READY "read -r x; read -r y; echo \"$y\" | grep -q shutdown && "
			  "echo '{\"type\":\"message\",\"text\":\"last words\"}'; " DONE,
		    WR_PROCESS_JSONL);
	profile.grace_ms = 5000;
	input("go");
	wait_for("turn_start 1\n");
	stop_worker();
	wait_for("phase stopped");
	CHECK(strstr(trace, "stopped\n"
			    "text last words\n"
			    "turn_end 1 r0\n"
			    "run_end r0\n"
			    "phase stopped: execution ended\n"));
	end_world();
}

static void test_a_stop_before_the_start_is_done_delivers_nothing(void)
{
	start_agent();
	input("never read");
	stop_worker();
	wait_for("phase stopped");
	CHECK_U64(count_of("turn_start"), 0);
	end_world();
}

static void on_drained(void *context)
{
	*(bool *)context = true;
}

static bool drained;

static bool is_drained(void)
{
	return drained;
}

static void test_a_drain_records_an_open_turn_as_interrupted(void)
{
	start_agent();
	input("wait");
	wait_for("delta waiting");
	CHECK_U64(wr_processes_drain(&processes, on_drained, &drained), 1);
	CHECK(worker->now.phase == WR_PHASE_INTERRUPTED && worker->now.status == WR_WORKER_RUNNING);
	run_until(is_drained, "the end of the drain");
	CHECK(strstr(trace, "phase interrupted: the Runtime is stopping\n"));
	CHECK_U64(count_of("error"), 0);
	CHECK(worker->now.phase == WR_PHASE_INTERRUPTED);
	end_world();
}

static void test_each_allocation_may_fail(void)
{
	bool has_failed = true;

	for (uint64_t n = 1; has_failed && n < 200; n++) {
		start_agent();
		wr_test_fail_allocation(n, false);
		if (try_input("a\\b") == WR_OK)
			for (unsigned i = 0;
			     i < 400 && strstr(trace, "phase idle") == NULL &&
			     strstr(trace, "phase failed") == NULL && !wr_test_allocation_failed();
			     i++)
				wr_reactor_turn(&reactor, 20);
		has_failed = wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		stop_worker();
		end_world();
		CHECK(n < 199);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_turn_is_an_input_and_its_output),
	WR_TEST(test_the_example_in_python_speaks_the_same),
	WR_TEST(test_a_system_input_is_a_turn_too),
	WR_TEST(test_a_second_input_within_a_turn_is_busy),
	WR_TEST(test_inputs_queue_from_the_start_on_and_run_one_by_one),
	WR_TEST(test_the_next_input_runs_after_an_interrupt_and_after_a_death),
	WR_TEST(test_what_queues_for_a_place_runs_when_one_is_free),
	WR_TEST(test_a_cancel_takes_back_what_queues),
	WR_TEST(test_what_a_program_says_becomes_typed_events),
	WR_TEST(test_the_largest_input_is_given_whole),
	WR_TEST(test_garbage_is_told_a_few_times_and_the_turn_goes_on),
	WR_TEST(test_each_kind_of_nonsense_has_its_words),
	WR_TEST(test_an_interrupt_ends_the_turn_and_not_the_program),
	WR_TEST(test_who_does_not_hear_an_interrupt_is_ended),
	WR_TEST(test_who_dies_of_an_interrupt_was_interrupted),
	WR_TEST(test_an_interrupt_before_ready_takes_the_input_back),
	WR_TEST(test_a_death_within_a_turn_fails_the_worker),
	WR_TEST(test_an_exit_with_0_within_a_turn_is_a_failure),
	WR_TEST(test_an_exit_between_turns_is_none),
	WR_TEST(test_who_ends_before_it_is_ready_has_failed),
	WR_TEST(test_who_is_never_ready_is_ended),
	WR_TEST(test_who_is_ready_too_late_is_not_tried_again),
	WR_TEST(test_who_closes_its_output_within_a_turn_is_ended),
	WR_TEST(test_a_stop_within_a_turn_lets_the_program_finish),
	WR_TEST(test_a_stop_before_the_start_is_done_delivers_nothing),
	WR_TEST(test_a_drain_records_an_open_turn_as_interrupted),
	WR_TEST_LIMIT(test_each_allocation_may_fail, 60),
	WR_TEST_END,
};
