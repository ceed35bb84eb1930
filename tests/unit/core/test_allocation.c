/* Goal (T9): every allocation of a session may fail. The operation then says WR_NO_MEMORY, nothing
 * that can be seen has changed, nothing leaks, and the same operation succeeds afterwards. Method:
 * for each step of a script and each n, a fresh Runtime goes up to the step, whose n-th allocation
 * fails; dumps before, after, and at the end against a run without faults. */
#include "unit/core/fixture.h"
#include "unit/core/made_bundle.h"

#include "bytes/buf.h"

static char large_text[200000];

static struct wr_view large(size_t bytes)
{
	memset(large_text, 'x', sizeof large_text);
	return wr_view_of(large_text, bytes);
}

/* ---- the script ---- */

static enum wr_status do_create(struct fixture *fixture, size_t bytes)
{
	char list[40];
	struct wr_buf pairs;
	struct wr_create request = {.intent = WR_INTENT_TASK, .objective = large(bytes)};
	const struct wr_worker *worker = NULL;
	struct wr_error error;

	wr_buf_init_fixed(&pairs, list, sizeof list);
	CHECK_STATUS(wr_pairs_append(&pairs, WR_VIEW("read"), WR_VIEW("why")), WR_OK);
	request.capabilities = (struct wr_pairs){wr_buf_view(&pairs), 1};
	return wr_runtime_create(fixture->runtime, &request, NULL, &worker, &error);
}

static enum wr_status do_input(struct fixture *fixture, size_t bytes)
{
	const struct wr_input input = {WR_INPUT_USER, large(bytes)};
	struct wr_error error;
	struct wr_ack ack;

	return wr_runtime_input(fixture->runtime, WR_VIEW("worker-00000001"), &input, NULL, &ack,
				&error);
}

/* A key takes room in the table, and more of it for every sixteenth. */
static enum wr_status do_keyed_input(struct fixture *fixture, size_t number)
{
	const struct wr_input input = {WR_INPUT_USER, large(30)};
	const struct wr_key key = fixture_key(number, 1);
	struct wr_error error;
	struct wr_ack ack;

	return wr_runtime_input(fixture->runtime, WR_VIEW("worker-00000001"), &input, &key, &ack,
				&error);
}

static enum wr_status do_keyed_inputs(struct fixture *fixture, size_t count)
{
	enum wr_status status = WR_OK;

	while (count-- > 0 && status == WR_OK)
		status = do_keyed_input(fixture, 100 + count);
	return status;
}

static enum wr_status do_stop_again(struct fixture *fixture, size_t number)
{
	const struct wr_worker *worker = wr_runtime_worker(fixture->runtime, (uint32_t)number);
	const struct wr_key key = fixture_key(1000, 1);
	struct wr_ack ack;

	return wr_runtime_stop_worker(fixture->runtime, worker->id, WR_VIEW("enough"), &key, &ack);
}

static enum wr_status do_inputs(struct fixture *fixture, size_t count)
{
	enum wr_status status = WR_OK;

	while (count-- > 0 && status == WR_OK)
		status = do_input(fixture, 20);
	return status;
}

static enum wr_status do_delta(struct fixture *fixture, size_t bytes)
{
	const struct wr_output output = {.kind = WR_OUTPUT_TEXT_DELTA, .text = large(bytes)};

	return wr_runtime_output(fixture->runtime, 2, &output);
}

static enum wr_status do_call(struct fixture *fixture, size_t bytes)
{
	const struct wr_output output = {.kind = WR_OUTPUT_TOOL_CALL_START,
					 .id = WR_VIEW_INIT("call-1"),
					 .name = large(bytes)};

	return wr_runtime_output(fixture->runtime, 2, &output);
}

static enum wr_status do_result(struct fixture *fixture, size_t bytes)
{
	const struct wr_output output = {
		.kind = WR_OUTPUT_TOOL_RESULT, .id = WR_VIEW_INIT("call-1"), .name = large(bytes)};

	return wr_runtime_output(fixture->runtime, 2, &output);
}

static enum wr_status do_message(struct fixture *fixture, size_t bytes)
{
	const struct wr_output output = {.kind = WR_OUTPUT_TEXT_DONE, .text = large(bytes)};

	return wr_runtime_output(fixture->runtime, 2, &output);
}

static enum wr_status do_phase(struct fixture *fixture, size_t phase)
{
	return wr_runtime_phase(fixture->runtime, 2, (enum wr_phase)phase, WR_VIEW("told"));
}

static enum wr_status do_stop(struct fixture *fixture, size_t number)
{
	const struct wr_worker *worker = wr_runtime_worker(fixture->runtime, (uint32_t)number);
	struct wr_ack ack;

	return wr_runtime_stop_worker(fixture->runtime, worker->id, WR_VIEW("enough"), NULL, &ack);
}

static enum wr_status do_cancel(struct fixture *fixture, size_t number)
{
	const struct wr_worker *worker = wr_runtime_worker(fixture->runtime, (uint32_t)number);
	struct wr_ack ack;

	return wr_runtime_cancel_worker(fixture->runtime, worker->id, large(3000), NULL, &ack);
}

static enum wr_status do_end(struct fixture *fixture, size_t number)
{
	return wr_runtime_execution_ended(fixture->runtime, (uint32_t)number);
}

static enum wr_status do_bundle(struct fixture *fixture, size_t number)
{
	struct made_bundle made;
	const struct wr_key key = fixture_key(2000 + number, 1);
	struct wr_error error;

	make_bundle(&made, number % 2 == 0 ? "even" : "odd", (unsigned)number);
	return wr_runtime_store_bundle(fixture->runtime, &made.value, &key, &error);
}

static enum wr_status do_stop_all(struct fixture *fixture, size_t unused)
{
	uint64_t event_id;

	(void)unused;
	return wr_runtime_stop(fixture->runtime, &event_id);
}

/* `is_compound`: several operations, of which the first ones stay done when a later one fails. */
static const struct step {
	const char *name;
	enum wr_status (*run)(struct fixture *fixture, size_t argument);
	size_t argument;
	bool is_compound;
} steps[] = {
	{"create", do_create, 10, false},
	{"create with a large request", do_create, 70000, false},
	{"input", do_input, 5, false},
	{"large input", do_input, 150000, false},
	{"inputs", do_inputs, 12, true},
	{"input behind them", do_input, 300, false},
	{"input with a key", do_keyed_input, 1, false},
	{"inputs with keys", do_keyed_inputs, 15, true},
	{"input with one key more", do_keyed_input, 2, false},
	{"create", do_create, 30, false},
	{"starting", do_phase, WR_PHASE_STARTING, false},
	{"busy", do_phase, WR_PHASE_BUSY, false},
	{"delta", do_delta, 10, false},
	{"large delta", do_delta, 150000, false},
	{"delta", do_delta, 100, false},
	{"message", do_message, 3000, false},
	{"call", do_call, 500, false},
	{"result", do_result, 700, false},
	{"idle", do_phase, WR_PHASE_IDLE, false},
	{"creates", do_create, 1, false},
	{"creates", do_create, 1, false},
	{"creates", do_create, 1, false},
	{"creates", do_create, 1, false},
	{"creates", do_create, 1, false},
	{"ninth worker", do_create, 1, false},
	{"inputs over retention", do_inputs, 60, true},
	{"input at retention", do_input, 900, false},
	{"stop a live one", do_stop, 2, false},
	{"late message", do_message, 40, false},
	{"its end", do_end, 2, false},
	{"stop it again, with a key", do_stop_again, 2, false},
	{"cancel", do_cancel, 3, false},
	{"config bundle", do_bundle, 1, false},
	{"another config bundle", do_bundle, 2, false},
	{"one in the place of another", do_bundle, 3, false},
	{"the same with another key", do_bundle, 1003, false},
	{"stop the runtime", do_stop_all, 0, false},
	{"message after the stop", do_message, 40, false},
};

static void prepare(struct fixture *fixture, struct kept_store *store)
{
	*store = (struct kept_store){.generation = 1};
	fixture_init(fixture, 1);
	fixture->config.display_name = WR_VIEW("name");
	fixture->config.retention = (struct wr_retention){30, 400000, 60, 400000};
	fixture->config.worker_transcript_bytes_max = 300000;
	fixture->config.transcript_bytes_max = 400000;
	fixture->ports.store = (struct wr_store){&kept_store_ops, store};
}

static void run_steps(struct fixture *fixture, size_t from, size_t to)
{
	for (; from < to; from++) {
		wr_test_case(steps[from].name);
		CHECK_STATUS(steps[from].run(fixture, steps[from].argument), WR_OK);
		wr_runtime_settle(fixture->runtime);
	}
}

/* The dump of a run without faults. */
static char *reference(size_t step_count)
{
	struct kept_store store;
	struct fixture fixture;
	char *text;

	prepare(&fixture, &store);
	fixture_open(&fixture);
	run_steps(&fixture, 0, step_count);
	text = dump(fixture.runtime, DUMP_STORY);
	fixture_close(&fixture);
	kept_store_deinit(&store);
	return text;
}

/* Times differ by the failed attempts: the clock is put back. */
static enum wr_status run_failing(struct fixture *fixture, const struct step *step, uint64_t n,
				  bool forever)
{
	int64_t now_ms = fixture->now_ms;
	enum wr_status status;

	wr_test_fail_allocation(n, forever);
	status = step->run(fixture, step->argument);
	wr_runtime_settle(fixture->runtime);
	wr_test_fail_allocation(0, false);
	if (status != WR_OK)
		fixture->now_ms = now_ms;
	return status;
}

/* Runs up to the step, fails its n-th allocation; false when it has no n-th. */
static bool fail_step(size_t index, uint64_t n, bool forever, const char *expected)
{
	const struct step *step = &steps[index];
	struct kept_store store;
	struct fixture fixture;
	char *before, *after;
	bool has_failed;
	enum wr_status status;

	prepare(&fixture, &store);
	fixture_open(&fixture);
	run_steps(&fixture, 0, index);
	wr_test_case(step->name);
	before = dump(fixture.runtime, DUMP_LIVE);
	status = run_failing(&fixture, step, n, forever);
	has_failed = wr_test_allocation_failed() || status != WR_OK;
	if (status != WR_OK) {
		uint64_t count = store.log.count;
		CHECK_STATUS(status, WR_NO_MEMORY);
		CHECK_U64(count, fixture_head(&fixture)); /* nothing recorded that did not happen */
		after = dump(fixture.runtime, DUMP_LIVE);
		check_dumps(after, before, step->name);
		free(after);
		CHECK_STATUS(step->run(&fixture, step->argument), WR_OK);
		wr_runtime_settle(fixture.runtime);
	}
	/* Otherwise a part that is allowed to be forgotten: unfinished output. */
	run_steps(&fixture, index + 1, WR_COUNT(steps));
	after = dump(fixture.runtime, DUMP_STORY);
	check_dumps(after, expected, step->name);
	free(after);
	free(before);
	fixture_close(&fixture);
	CHECK_U64(wr_test_allocator()->used, 0);
	kept_store_deinit(&store);
	return has_failed;
}

static void test_every_allocation_of_a_session_may_fail(void)
{
	char *expected = reference(WR_COUNT(steps));
	unsigned failed = 0;

	for (size_t index = 0; index < WR_COUNT(steps); index++)
		for (unsigned forever = 0; forever < 2 && !steps[index].is_compound; forever++)
			for (uint64_t n = 1; fail_step(index, n, forever != 0, expected); n++)
				failed++;
	CHECK(failed > 100);
	free(expected);
}

static enum wr_status open_failing(struct fixture *fixture, uint64_t n)
{
	struct wr_error error;
	enum wr_status status;

	wr_test_fail_allocation(n, false);
	status = wr_runtime_new(&fixture->runtime, &fixture->config, &fixture->ports, &error);
	if (wr_test_allocation_failed()) {
		CHECK_STATUS(error.status, status);
		CHECK(status == WR_NO_MEMORY || status == WR_OK);
	}
	return status;
}

static void test_a_start_without_memory_leaves_nothing(void)
{
	struct kept_store store;
	struct fixture fixture;
	uint64_t n = 1;

	prepare(&fixture, &store);
	while (open_failing(&fixture, n) != WR_OK) {
		CHECK_U64(wr_test_allocator()->used, 0);
		CHECK_U64(store.log.count, 0);
		n++;
	}
	CHECK(n > 3 && !wr_test_allocation_failed());
	wr_test_fail_allocation(0, false);
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

static void test_a_replay_without_memory_leaves_nothing(void)
{
	struct kept_store store;
	struct fixture fixture;
	char *expected, *actual;
	uint64_t n = 1, refused = 0;
	size_t count;

	prepare(&fixture, &store);
	fixture_open(&fixture);
	run_steps(&fixture, 0, WR_COUNT(steps));
	expected = dump(fixture.runtime, DUMP_STORY);
	fixture_close(&fixture);
	count = store.log.count;
	for (bool has_failed = true; has_failed; n++) {
		enum wr_status status = open_failing(&fixture, n);
		has_failed = wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		if (status == WR_OK) {
			actual = dump(fixture.runtime, DUMP_STORY);
			check_dumps(actual, expected, "replayed");
			free(actual);
			fixture_close(&fixture);
		} else {
			refused++;
		}
		CHECK_U64(wr_test_allocator()->used, 0);
		CHECK_U64(store.log.count, count);
	}
	CHECK(refused > 15);
	free(expected);
	kept_store_deinit(&store);
}

static void test_a_budget_that_is_used_up_refuses_and_recovers(void)
{
	struct kept_store store;
	struct fixture fixture;
	char *before, *after;

	prepare(&fixture, &store);
	fixture_open(&fixture);
	CHECK_STATUS(do_create(&fixture, 10), WR_OK);
	before = dump(fixture.runtime, DUMP_LIVE);
	wr_test_allocator()->max = wr_test_allocator()->used + 1000;
	CHECK_STATUS(do_input(&fixture, 50000), WR_NO_MEMORY);
	CHECK_STATUS(do_create(&fixture, 50000), WR_NO_MEMORY);
	after = dump(fixture.runtime, DUMP_LIVE);
	check_dumps(after, before, "over the budget");
	wr_test_allocator()->max = SIZE_MAX;
	CHECK_STATUS(do_input(&fixture, 50000), WR_OK);
	free(before);
	free(after);
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_every_allocation_of_a_session_may_fail, 120),
	WR_TEST(test_a_start_without_memory_leaves_nothing),
	WR_TEST_LIMIT(test_a_replay_without_memory_leaves_nothing, 60),
	WR_TEST(test_a_budget_that_is_used_up_refuses_and_recovers),
	WR_TEST_END,
};
