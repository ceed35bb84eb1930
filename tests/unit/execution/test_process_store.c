/* Goal: with a store an input has effects only when it is visible, and whatever record the store
 * refuses for a while, the story is the same in the end: nothing said is lost, nothing is told
 * twice or out of order, no Worker stays where it is for ever. Method: real programs over a store
 * that shows late, is full, and refuses as it is told. */
#include "unit/execution/world.h"

#include "execution/worker_process.h"
#include "bounds.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char cat[] = "cat";
static char *cat_argv[] = {cat, NULL};

#define READY "read -r x; echo '{\"type\":\"ready\"}'; "
#define DONE "echo '{\"type\":\"done\"}'; "
/* Answers each input with two messages, until its input ends. */
#define ANSWER                                                                               \
	READY "while read -r x; do case $x in *shutdown*) exit 0;; *\\\"input*) "            \
	      "printf "                                                                      \
	      "'{\"type\":\"delta\",\"text\":\"d\"}\\n{\"type\":\"message\",\"text\":\"m\"}" \
	      "\\n{\"type\":\"done\"}\\n';; esac; done"

static void start_stored(char *const *argv, uint32_t count_max)
{
	uses_store = true;
	start_world(argv, WR_PROCESS_LINE, count_max);
}

static void start_stored_shell(const char *script, enum wr_process_mode mode)
{
	uses_store = true;
	start_shell(script, mode);
}

static enum wr_phase phase_of(const struct wr_worker *of)
{
	return of->now.phase;
}

static bool is_stopped(void)
{
	return phase_of(worker) == WR_PHASE_STOPPED;
}

/* ---- visible first ---- */

static void test_nothing_begins_before_the_input_is_visible(void)
{
	start_stored(cat_argv, 1);
	hide();
	input("one");
	input("two");
	run_a_while();
	CHECK_U64(wr_processes_live_count(&processes), 0);
	check_trace("> one\n> two\n");
	show();
	wait_for("text two\n");
	check_trace("> one\n"
		    "> two\n"
		    "phase starting: input\n"
		    "phase idle: started\n"
		    "text one\n"
		    "text two\n");
	hide();
	input("three");
	run_a_while();
	CHECK_U64(count_in_trace("text"), 2);
	show();
	wait_for("text three\n");
	end_world();
}

static void test_a_turn_waits_for_its_input_and_others_for_the_turn(void)
{
	start_stored_shell(ANSWER, WR_PROCESS_JSONL);
	hide();
	input("one");
	CHECK_STATUS(try_input("two"), WR_BUSY);
	run_a_while();
	CHECK_U64(wr_processes_live_count(&processes), 0);
	CHECK_STATUS(try_input("two"), WR_BUSY);
	show();
	wait_for("phase idle: turn done\n");
	hide();
	input("two");
	CHECK_STATUS(try_input("three"), WR_BUSY);
	run_a_while();
	CHECK_U64(count_in_trace("turn_start"), 1);
	show();
	wait_for("turn_end 2 r0\n");
	end_world();
}

static void test_inputs_that_wait_are_counted_with_their_newlines(void)
{
	static char much[WR_EVENT_BYTES_MAX];
	const size_t last = WR_EVENT_BYTES_MAX - 4; /* with three newlines one byte too many */
	struct wr_input note = {WR_INPUT_SYSTEM, WR_VIEW("note")};
	struct wr_error error;
	struct wr_ack ack;

	memset(much, 'x', sizeof much);
	start_stored_shell("exec wc -c", WR_PROCESS_LINE);
	hide();
	CHECK_STATUS(try_input_to(worker, wr_view_of(much, sizeof much)), WR_OK);
	input("y");
	CHECK_STATUS(try_input_to(worker, wr_view_of(much, sizeof much)), WR_BUSY);
	CHECK_STATUS(try_input_to(worker, wr_view_of(much, last + 1)), WR_BUSY);
	CHECK_STATUS(try_input_to(worker, wr_view_of(much, last)), WR_OK);
	CHECK_STATUS(try_input("z"), WR_BUSY);
	CHECK_STATUS(wr_runtime_input(runtime, worker->id, &note, NULL, &ack, &error), WR_OK);
	show();
	run_a_while();
	profile.grace_ms = 5000;
	stop_worker();
	wait_for("text 2097152\n");
	end_world();
}

/* ---- more than there are places ---- */

static void test_who_comes_too_late_waits_for_a_place(void)
{
	const struct wr_worker *others[2];

	start_stored(cat_argv, 1);
	others[0] = make_worker();
	others[1] = make_worker();
	run_a_while();
	hide();
	input("one");
	CHECK_STATUS(try_input_to(others[0], WR_VIEW("two")), WR_OK);
	CHECK_STATUS(try_input_to(others[1], WR_VIEW("three")), WR_OK);
	show();
	wait_for("text one\n");
	CHECK_U64(count_in_trace("phase starting: waits for a free place\n"), 2);
	CHECK_STATUS(try_input_to(others[0], WR_VIEW("more")), WR_OK);
	CHECK_U64(wr_processes_live_count(&processes), 1);
	stop_worker();
	wait_for("text two\ntext more\n");
	CHECK(phase_of(others[1]) == WR_PHASE_STARTING);
	worker = others[0];
	cancel_worker();
	wait_for("text three\n");
	CHECK_U64(processes.count, 1);
	CHECK(strstr(trace, "error") == NULL);
	end_world();
}

static void test_who_waits_for_a_place_can_be_ended(void)
{
	const struct wr_worker *others[4], *first;

	start_stored(cat_argv, 1);
	first = worker;
	for (unsigned i = 0; i < 4; i++)
		others[i] = make_worker();
	run_a_while();
	hide();
	input("one");
	for (unsigned i = 0; i < 4; i++)
		CHECK_STATUS(try_input_to(others[i], WR_VIEW("late")), WR_OK);
	show();
	wait_for("text one\n");
	worker = others[0];
	stop_worker();
	worker = others[1];
	cancel_worker();
	worker = others[2];
	CHECK_STATUS(interrupt_worker(), WR_OK);
	CHECK_STATUS(interrupt_worker(), WR_CONFLICT);
	run_a_while();
	CHECK(phase_of(others[0]) == WR_PHASE_STOPPED);
	CHECK(phase_of(others[1]) == WR_PHASE_CANCELLED);
	CHECK(phase_of(others[2]) == WR_PHASE_INTERRUPTED);
	CHECK(phase_of(others[3]) == WR_PHASE_STARTING);
	worker = first;
	stop_worker();
	wait_for("text late\n");
	CHECK_U64(count_in_trace("text late"), 1);
	end_world();
}

static void test_places_of_starts_that_fail_are_given_on(void)
{
	static char missing[] = "/no/such/program";
	static char *argv[] = {missing, NULL};

	start_stored(argv, 1);
	for (unsigned i = 0; i < 39; i++) /* more than are started in one turn */
		CHECK(make_worker() != NULL);
	run_a_while();
	hide();
	for (uint32_t number = 1; number <= 40; number++)
		CHECK_STATUS(try_input_to(wr_runtime_worker(runtime, number), WR_VIEW("go")),
			     WR_OK);
	show();
	run_a_while();
	CHECK_U64(count_in_trace("phase failed: cannot start program: ENOENT\n"), 40);
	CHECK_U64(processes.count, 0);
	CHECK(!processes.crew.has_hook);
	end_world();
}

/* ---- ends before the input is visible ---- */

static void test_a_cancel_takes_back_what_is_not_visible(void)
{
	start_stored(cat_argv, 1);
	hide();
	input("one");
	cancel_worker();
	show();
	run_a_while();
	check_trace("> one\ncancelled\n");
	CHECK_U64(processes.count, 0);
	end_world();
}

static void test_a_stop_comes_after_what_was_accepted_before(void)
{
	start_stored(cat_argv, 1);
	hide();
	input("one");
	stop_worker();
	CHECK(phase_of(worker) == WR_PHASE_STOPPING);
	run_a_while();
	CHECK_U64(wr_processes_live_count(&processes), 0);
	show();
	run_until(is_stopped, "the end");
	CHECK_U64(processes.count, 0);
	end_world();
}

static void test_a_note_that_nobody_runs_does_not_keep_a_worker_stopping(void)
{
	struct wr_input note = {WR_INPUT_SYSTEM, WR_VIEW("note")};
	struct wr_error error;
	struct wr_ack ack;

	start_stored(cat_argv, 1);
	hide();
	CHECK_STATUS(wr_runtime_input(runtime, worker->id, &note, NULL, &ack, &error), WR_OK);
	stop_worker();
	show();
	store.mood = WR_NO_MEMORY;
	run_a_while();
	CHECK(phase_of(worker) == WR_PHASE_STOPPING);
	store.mood = WR_OK;
	run_until(is_stopped, "the end");
	CHECK(processes.crew.by_worker[worker->number] == NULL);
	end_world();
}

/* ---- refused for a while ---- */

static void insist_on_input(const char *content)
{
	while (try_input(content) != WR_OK)
		wr_reactor_turn(&reactor, 20);
}

static void insist_on_stop(void)
{
	struct wr_ack ack;

	while (wr_runtime_stop_worker(runtime, worker->id, WR_VIEW_NULL, NULL, &ack) != WR_OK)
		wr_reactor_turn(&reactor, 20);
}

static void tell_turns(void)
{
	start_stored_shell(ANSWER, WR_PROCESS_JSONL);
}

static void live_turns(void)
{
	insist_on_input("one");
	wait_for("phase idle: turn done\n");
	insist_on_input("two");
	wait_for("turn_end 2 r0\nrun_end r0\nphase idle: turn done\n");
	insist_on_stop();
	run_until(is_stopped, "the stop");
}

static void tell_lines(void)
{
	start_stored_shell("read -r x; printf 'a\\nb\\nc\\nno newline'; echo why >&2; exit 3",
			   WR_PROCESS_LINE);
	profile.stable_ms = 0; /* or it would depend on the time whether it waits */
}

static bool has_failed_twice(void)
{
	return count_in_trace("phase failed") == 2;
}

static void live_lines(void)
{
	insist_on_input("one");
	wait_for("phase failed: process exited with status 3\n");
	insist_on_input("two");
	run_until(has_failed_twice, "the second end");
	run_until(has_no_child, "the end");
}

static void tell_garbage(void)
{
	start_stored_shell(READY "read -r x; printf 'x\\ny\\n'; " DONE DONE "read -r x; exit 1",
			   WR_PROCESS_JSONL);
}

static void live_garbage(void)
{
	insist_on_input("one");
	wait_for("error child_protocol_error: done outside of a turn\n");
	insist_on_input("two");
	wait_for("phase failed");
	run_until(has_no_child, "the end");
}

/* Whichever append is refused, once, with whatever: the story is the same. */
static void check_stories(void (*begin)(void), void (*live)(void))
{
	static const enum wr_status refusals[] = {WR_FULL, WR_OVERLOAD, WR_NO_MEMORY};
	static char expected[TRACE_BYTES];
	uint64_t count;

	begin();
	live();
	memcpy(expected, trace, trace_bytes + 1);
	count = store.append_count;
	end_world();
	for (uint64_t n = 3; n <= count; n++) { /* the first two are the Runtime's, the Worker's */
		char label[32];
		snprintf(label, sizeof label, "append %u", (unsigned)n);
		wr_test_case(label);
		begin();
		store.fail_at = n;
		store.failure = refusals[n % WR_COUNT(refusals)];
		live();
		check_trace(expected);
		CHECK(store.append_count == count + 1);
		CHECK(!processes.crew.has_hook && wr_list_is_empty(&processes.crew.reports.held));
		end_world();
	}
}

static void test_any_refused_record_of_turns_comes_in_its_place(void)
{
	check_stories(tell_turns, live_turns);
}

static void test_any_refused_record_of_lines_comes_in_its_place(void)
{
	check_stories(tell_lines, live_lines);
}

static void test_any_refused_record_of_garbage_comes_in_its_place(void)
{
	check_stories(tell_garbage, live_garbage);
}

static void test_a_store_that_has_failed_holds_nobody(void)
{
	static const struct {
		void (*begin)(void);
	} cases[] = {{tell_turns}, {tell_lines}, {tell_garbage}};

	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		cases[i].begin();
		input("one");
		wr_reactor_turn(&reactor, 0);
		store.mood = WR_IO;
		wr_processes_drain(&processes, NULL, NULL);
		run_until(has_no_child, "the end of the child");
		CHECK(wr_list_is_empty(&processes.crew.reports.held));
		end_world();
	}
}

/* ---- full ---- */

static bool is_child_dead(void)
{
	return wr_worker_process_pid(
		       wr_worker_process_of(processes.crew.by_worker[worker->number])) == 0;
}

static void check_counted_lines(unsigned count)
{
	const char *at = trace;
	char expected[32];

	for (unsigned i = 1; i <= count; i++) {
		snprintf(expected, sizeof expected, "text %u\n", i);
		at = strstr(at, "text ");
		CHECK(at != NULL && strncmp(at, expected, strlen(expected)) == 0);
		at += strlen(expected);
	}
	CHECK(strstr(at, "text ") == NULL);
}

static void test_who_has_much_to_say_waits_while_there_is_no_room(void)
{
	start_stored_shell("read -r x; i=0; while [ $i -lt 30000 ]; do i=$((i+1)); echo $i; done;"
			   "echo said >&2; exit 7",
			   WR_PROCESS_LINE);
	input("go");
	wait_for("text 100\n");
	for (unsigned round = 0; round < 5; round++) {
		size_t before;
		store.is_full = true;
		wr_reactor_turn(&reactor, 5);
		before = trace_bytes;
		run_a_while();
		CHECK(trace_bytes == before && !is_child_dead()); /* its pipe is full */
		store.is_full = false;
		wr_reactor_turn(&reactor, 5);
		wr_reactor_turn(&reactor, 5);
		CHECK(trace_bytes > before);
	}
	wait_for("phase failed");
	check_counted_lines(30000);
	CHECK(strstr(trace, "error process exited with status 7: said\n"));
	end_world();
}

static void test_the_last_words_of_the_dead_wait_too(void)
{
	start_stored_shell("read -r x; i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo $i; done;"
			   "printf last; exit 7",
			   WR_PROCESS_LINE);
	input("go");
	wait_for("phase idle: started\n");
	store.is_full = true;
	run_until(is_child_dead, "its death");
	run_a_while();
	CHECK(strstr(trace, "text") == NULL && phase_of(worker) == WR_PHASE_IDLE);
	CHECK_U64(processes.count, 1);
	CHECK_STATUS(try_input("more"), WR_FULL);
	store.is_full = false;
	wait_for("text last\nerror process exited with status 7\nphase failed");
	CHECK_U64(processes.count, 0);
	CHECK_U64(count_in_trace("text "), 3001);
	input("again");
	wait_for("> again\nphase starting");
	end_world();
}

static void test_orphans_are_buried_while_a_dead_one_waits(void)
{
	start_stored_shell("read -r x; sleep 1000 & (sleep 1000 & echo left $!); exit 0",
			   WR_PROCESS_LINE);
	input("go");
	wait_for("phase idle: started\n");
	store.is_full = true;
	run_until(is_child_dead, "its death");
	run_a_while();
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	store.is_full = false;
	run_until(has_no_child, "the end");
	wait_gone(said_pid("text left "));
	end_world();
}

static void test_a_stop_ends_in_a_full_store(void)
{
	start_stored(cat_argv, 1);
	input("one");
	wait_for("text one\n");
	store.is_full = true;
	stop_worker();
	run_until(is_stopped, "the stop");
	end_world();
}

static void test_a_stop_keeps_what_was_said_until_there_is_room(void)
{
	start_stored_shell("while read -r x; do echo $x; done; echo last words", WR_PROCESS_LINE);
	input("one");
	wait_for("text one\n");
	store.is_full = true;
	stop_worker();
	run_until(is_child_dead, "its death");
	run_a_while();
	CHECK(phase_of(worker) == WR_PHASE_STOPPING);
	store.is_full = false;
	run_until(is_stopped, "the stop");
	CHECK(strstr(trace, "text one\nstopped\ntext last words\nphase stopped"));
	end_world();
}

static void test_a_cancel_forgets_what_was_said(void)
{
	for (unsigned i = 0; i < 3; i++) {
		start_stored_shell(
			"read -r x; echo one; echo two; [ $x = die ] && exit 3; exec cat",
			WR_PROCESS_LINE);
		input(i == 0 ? "live" : "die");
		wait_for("phase idle: started\n");
		if (i == 2) { /* the first line is read, and refused */
			store.fail_at = store.append_count + 1;
			store.failure = WR_NO_MEMORY;
		} else {
			store.is_full = true;
		}
		if (i == 0)
			run_a_while();
		else
			run_until(is_child_dead, "its death");
		cancel_worker();
		run_until(has_no_child, "the end");
		CHECK(phase_of(worker) == WR_PHASE_CANCELLED && strstr(trace, "text") == NULL);
		CHECK_U64(processes.count, 0);
		run_a_while();
		CHECK(!processes.crew.has_hook);
		end_world();
	}
}

static void test_an_interrupt_is_recorded_in_a_full_store(void)
{
	start_stored(cat_argv, 1);
	input("one");
	wait_for("text one\n");
	store.is_full = true;
	CHECK_STATUS(interrupt_worker(), WR_OK);
	wait_for("phase interrupted: interrupted\n");
	end_world();
}

static void test_who_is_not_listened_to_is_not_late(void)
{
	start_stored_shell(ANSWER, WR_PROCESS_JSONL);
	profile.ready_ms_max = (uint32_t)wr_test_patience(50);
	input("one");
	while (wr_processes_live_count(&processes) == 0)
		wr_reactor_turn(&reactor, 1);
	store.is_full = true;
	for (unsigned i = 0; i < wr_test_patience(4); i++)
		run_a_while();
	CHECK(phase_of(worker) == WR_PHASE_STARTING);
	store.is_full = false;
	wait_for("phase idle: turn done\n");
	CHECK(strstr(trace, "error") == NULL);
	end_world();
}

/* Whichever allocation fails: the input is answered or what is wrong is told, once and in order. */
static void test_each_allocation_may_fail_with_a_store_too(void)
{
	bool has_failed = true;

	for (uint64_t n = 1; has_failed && n < 400; n++) {
		char label[32];
		snprintf(label, sizeof label, "allocation %u", (unsigned)n);
		wr_test_case(label);
		start_stored(cat_argv, 1);
		wr_test_fail_allocation(n, false);
		insist_on_input("one");
		while (strstr(trace, "text one\n") == NULL && strstr(trace, "error ") == NULL)
			wr_reactor_turn(&reactor, 20);
		insist_on_stop();
		run_until(is_stopped, "the stop");
		has_failed = wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		if (strstr(trace, "error ") == NULL)
			check_trace("> one\n"
				    "phase starting: input\n"
				    "phase idle: started\n"
				    "text one\n"
				    "stopped\n"
				    "phase stopped: execution ended\n");
		else
			CHECK(count_in_trace("error ") == 1 && count_in_trace("text ") <= 1);
		end_world();
		CHECK(n < 399);
	}
}

/* A line for which there never is memory is given up in the end. */
static void test_a_line_without_memory_for_long_is_lost_and_the_rest_is_not(void)
{
	start_stored_shell("read -r x; head -c 900000 /dev/zero | tr '\\0' y; echo; echo short;"
			   "exec cat",
			   WR_PROCESS_LINE);
	input("go");
	wait_for("phase idle: started\n");
	bytes_max = 65536;
	wait_for("text short\n");
	CHECK(strstr(trace, "text y") == NULL);
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

static void test_an_open_turn_is_recorded_as_interrupted_before_the_end(void)
{
	start_stored_shell(READY "read -r x; echo '{\"type\":\"delta\",\"text\":\"waiting\"}';"
				 "read -r x; exit 0",
			   WR_PROCESS_JSONL);
	input("go");
	wait_for("delta waiting");
	hide();
	store.is_full = true; /* there is reserved room for it */
	CHECK_U64(wr_processes_drain(&processes, on_drained, &drained), 1);
	CHECK(phase_of(worker) == WR_PHASE_INTERRUPTED);
	run_until(is_drained, "the end of the drain");
	CHECK(strstr(trace, "delta waiting\nphase interrupted: the Runtime is stopping\n"));
	end_world();
}

static void test_a_drain_waits_until_its_records_are_made(void)
{
	start_stored_shell(READY "read -r x; echo '{\"type\":\"delta\",\"text\":\"waiting\"}';"
				 "read -r x; exit 0",
			   WR_PROCESS_JSONL);
	input("go");
	wait_for("delta waiting");
	store.mood = WR_NO_MEMORY;
	CHECK_U64(wr_processes_drain(&processes, on_drained, &drained), 1);
	run_until(is_child_dead, "its death");
	run_a_while();
	CHECK(!is_drained() && phase_of(worker) == WR_PHASE_BUSY);
	store.mood = WR_OK;
	run_until(is_drained, "the end of the drain");
	CHECK(phase_of(worker) == WR_PHASE_INTERRUPTED);
	CHECK_U64(wr_processes_live_count(&processes), 0);
	end_world();
}

static void test_inputs_that_become_visible_in_a_drain_are_told_not_run(void)
{
	const struct wr_worker *failed;

	start_stored_shell("read -r x; exit 1", WR_PROCESS_LINE);
	failed = make_worker();
	run_a_while();
	CHECK_STATUS(try_input_to(failed, WR_VIEW("go")), WR_OK);
	wait_for("phase failed");
	hide();
	input("one");
	CHECK_STATUS(try_input_to(failed, WR_VIEW("two")), WR_OK);
	trace_bytes = 0;
	CHECK_U64(wr_processes_drain(&processes, on_drained, &drained), 0);
	show();
	run_a_while();
	check_trace("phase interrupted: the Runtime is stopping\n"
		    "phase starting: input\n"
		    "phase interrupted: the Runtime is stopping\n");
	CHECK_U64(wr_processes_live_count(&processes), 0);
	CHECK(worker->now.status == WR_WORKER_RUNNING && !worker->is_execution_live);
	CHECK(failed->now.status == WR_WORKER_RUNNING && !failed->is_execution_live);
	end_world();
}

static void test_who_waits_for_a_place_is_interrupted_by_a_drain(void)
{
	const struct wr_worker *second;

	start_stored(cat_argv, 1);
	second = make_worker();
	run_a_while();
	hide();
	input("one");
	CHECK_STATUS(try_input_to(second, WR_VIEW("two")), WR_OK);
	show();
	wait_for("text one\n");
	CHECK_U64(wr_processes_drain(&processes, on_drained, &drained), 1);
	CHECK(phase_of(second) == WR_PHASE_INTERRUPTED);
	run_until(is_drained, "the end of the drain");
	CHECK(strstr(trace, "text two") == NULL);
	end_world();
}

/* Supervisors do not wait for a disk: what there is no room for when the child is dead is lost. */
static void test_a_drain_does_not_wait_for_room(void)
{
	start_stored_shell("read -r x; echo one; read -r x; echo two; exit 3", WR_PROCESS_LINE);
	input("go");
	wait_for("phase idle: started\n");
	store.is_full = true;
	run_a_while();
	CHECK_U64(wr_processes_drain(&processes, on_drained, &drained), 1);
	run_until(is_drained, "the end of the drain");
	CHECK(strstr(trace, "text") == NULL);
	end_world();
}

/* But room that is just being made is waited for. */
static void test_a_drain_waits_for_room_that_is_being_made(void)
{
	start_stored_shell("read -r x; echo one; read -r x; echo two; exit 0", WR_PROCESS_LINE);
	input("go");
	wait_for("phase idle: started\n");
	store.mood = WR_OVERLOAD;
	CHECK_U64(wr_processes_drain(&processes, on_drained, &drained), 1);
	run_until(is_child_dead, "its death");
	run_a_while();
	CHECK(!is_drained());
	store.mood = WR_OK;
	run_until(is_drained, "the end of the drain");
	CHECK(strstr(trace, "text one\ntext two\n"));
	end_world();
}

/* ---- the ledger ---- */

static char ledger_folder[] = "/tmp/wr-noted-XXXXXX", ledger_path[64];
static struct wr_ledger noted;

static void use_ledger(void)
{
	struct wr_error error;

	wr_test_make_folder(ledger_folder);
	snprintf(ledger_path, sizeof ledger_path, "%s/children", ledger_folder);
	CHECK_STATUS(wr_ledger_open(&noted, wr_test_allocator(), ledger_path, &error), WR_OK);
	ledger = &noted;
}

static void drop_ledger(void)
{
	wr_ledger_close(&noted);
	CHECK(unlink(ledger_path) == 0 && rmdir(ledger_folder) == 0);
}

static unsigned noted_count(void)
{
	struct wr_view file = wr_test_read_file(ledger_path);
	unsigned count = 0;

	for (size_t at = 96; at + 16 <= file.bytes; at += 16)
		count += memcmp(file.data + at, "\0\0\0\0", 4) != 0;
	return count;
}

static bool is_none_noted(void)
{
	return noted_count() == 0;
}

static void test_a_child_is_noted_from_its_start_until_its_session_is_gone(void)
{
	use_ledger();
	start_stored_shell("env | grep ^WORKER_RUNTIME_CHILD=; sleep 1000 & echo left $!; exec cat",
			   WR_PROCESS_LINE);
	CHECK_U64(noted_count(), 0);
	input("go");
	wait_for("text go\n");
	CHECK_U64(noted_count(), 1);
	CHECK(strstr(trace, wr_ledger_mark(&noted)));
	stop_worker();
	run_until(is_stopped, "the stop");
	wait_gone(said_pid("text left "));
	run_until(is_none_noted, "an empty ledger");
	end_world();
	drop_ledger();
}

static void test_deinit_leaves_an_empty_ledger(void)
{
	use_ledger();
	start_stored_shell("echo pid $$; sleep 1000 & exec cat", WR_PROCESS_LINE);
	input("go");
	wait_for("text go\n");
	CHECK_U64(noted_count(), 1);
	wr_processes_deinit(&processes);
	CHECK_U64(noted_count(), 0);
	wait_gone(said_pid("text pid "));
	end_world();
	drop_ledger();
}

static void test_who_cannot_be_noted_does_not_start(void)
{
	use_ledger();
	wr_ledger_close(&noted);
	CHECK(unlink(ledger_path) == 0 && mkdir(ledger_path, 0700) == 0);
	{
		struct wr_error error;
		CHECK_STATUS(wr_ledger_open(&noted, wr_test_allocator(), ledger_path, &error),
			     WR_IO);
	}
	start_stored(cat_argv, 1);
	input("go");
	wait_for("phase failed: cannot start cat: EISDIR\n");
	run_until(has_no_child, "the end");
	CHECK(strstr(trace, "text") == NULL);
	CHECK(rmdir(ledger_path) == 0);
	input("again");
	wait_for("text again\n");
	CHECK_U64(noted_count(), 1);
	end_world();
	drop_ledger();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_nothing_begins_before_the_input_is_visible),
	WR_TEST(test_a_turn_waits_for_its_input_and_others_for_the_turn),
	WR_TEST(test_inputs_that_wait_are_counted_with_their_newlines),
	WR_TEST(test_who_comes_too_late_waits_for_a_place),
	WR_TEST(test_who_waits_for_a_place_can_be_ended),
	WR_TEST(test_places_of_starts_that_fail_are_given_on),
	WR_TEST(test_a_cancel_takes_back_what_is_not_visible),
	WR_TEST(test_a_stop_comes_after_what_was_accepted_before),
	WR_TEST(test_a_note_that_nobody_runs_does_not_keep_a_worker_stopping),
	WR_TEST_LIMIT(test_any_refused_record_of_turns_comes_in_its_place, 60),
	WR_TEST_LIMIT(test_any_refused_record_of_lines_comes_in_its_place, 60),
	WR_TEST_LIMIT(test_any_refused_record_of_garbage_comes_in_its_place, 60),
	WR_TEST(test_a_store_that_has_failed_holds_nobody),
	WR_TEST_LIMIT(test_who_has_much_to_say_waits_while_there_is_no_room, 30),
	WR_TEST(test_the_last_words_of_the_dead_wait_too),
	WR_TEST(test_orphans_are_buried_while_a_dead_one_waits),
	WR_TEST(test_a_stop_ends_in_a_full_store),
	WR_TEST(test_a_stop_keeps_what_was_said_until_there_is_room),
	WR_TEST(test_a_cancel_forgets_what_was_said),
	WR_TEST(test_an_interrupt_is_recorded_in_a_full_store),
	WR_TEST(test_who_is_not_listened_to_is_not_late),
	WR_TEST_LIMIT(test_each_allocation_may_fail_with_a_store_too, 60),
	WR_TEST_LIMIT(test_a_line_without_memory_for_long_is_lost_and_the_rest_is_not, 20),
	WR_TEST(test_an_open_turn_is_recorded_as_interrupted_before_the_end),
	WR_TEST(test_a_drain_waits_until_its_records_are_made),
	WR_TEST(test_inputs_that_become_visible_in_a_drain_are_told_not_run),
	WR_TEST(test_who_waits_for_a_place_is_interrupted_by_a_drain),
	WR_TEST(test_a_drain_does_not_wait_for_room),
	WR_TEST(test_a_drain_waits_for_room_that_is_being_made),
	WR_TEST(test_a_child_is_noted_from_its_start_until_its_session_is_gone),
	WR_TEST(test_deinit_leaves_an_empty_ledger),
	WR_TEST(test_who_cannot_be_noted_does_not_start),
	WR_TEST_END,
};
