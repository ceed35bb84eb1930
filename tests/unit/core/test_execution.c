/* Goal: an execution is asked before, told after, and only what it may do has effects. Method: a
 * scripted fake that writes down every call with what it saw of the Runtime at that moment. */
#include "unit/core/fixture.h"

struct fake {
	struct fixture fixture;
	enum wr_status admit, interrupt;
	char calls[2000];
	/* What deliver, stop and cancel report at once. */
	bool answers_at_once, ends_at_once;
};

static void note(struct fake *self, const char *what, uint32_t worker)
{
	size_t used = strlen(self->calls);

	snprintf(self->calls + used, sizeof self->calls - used, "%s%s(%u)@%u", used == 0 ? "" : " ",
		 what, worker, (unsigned)fixture_head(&self->fixture));
}

static void check_calls(struct fake *self, const char *expected)
{
	CHECK_STRING(wr_view_of_string(self->calls), expected);
	self->calls[0] = '\0';
}

static enum wr_status fake_admit(void *context, uint32_t worker, const struct wr_input *input,
				 const struct wr_undelivered *waiting)
{
	struct fake *self = context;

	CHECK(input->content.bytes != 0);
	CHECK(waiting->count == 0 && waiting->bytes == 0);
	note(self, "admit", worker);
	return self->admit;
}

static void fake_deliver(void *context, uint32_t worker, const struct wr_input *input,
			 uint64_t sequence)
{
	const struct wr_output done = {.kind = WR_OUTPUT_TEXT_DONE, .text = WR_VIEW_INIT("re: it")};
	struct fake *self = context;
	struct wr_runtime *runtime = self->fixture.runtime;
	const struct wr_worker *target = wr_runtime_worker(runtime, worker);
	const struct wr_transcript_item *item =
		wr_transcript_at(&target->transcript, target->transcript.total - 1);

	/* The record is there before its effects are. */
	CHECK_U64(sequence, fixture_head(&self->fixture));
	CHECK_U64(item->event_id, sequence);
	CHECK_VIEW(wr_view_of(item->content, item->bytes), input->content);
	note(self, "deliver", worker);
	if (!self->answers_at_once)
		return;
	CHECK_STATUS(wr_runtime_phase(runtime, worker, WR_PHASE_BUSY, WR_VIEW("input")), WR_OK);
	CHECK_STATUS(wr_runtime_output(runtime, worker, &done), WR_OK);
	CHECK_STATUS(wr_runtime_phase(runtime, worker, WR_PHASE_IDLE, WR_VIEW("done")), WR_OK);
}

static enum wr_status fake_interrupt(void *context, uint32_t worker)
{
	struct fake *self = context;

	note(self, "interrupt", worker);
	return self->interrupt;
}

static void end(struct fake *self, const char *what, uint32_t worker)
{
	note(self, what, worker);
	if (self->ends_at_once)
		CHECK_STATUS(wr_runtime_execution_ended(self->fixture.runtime, worker), WR_OK);
}

static void fake_stop(void *context, uint32_t worker)
{
	end(context, "stop", worker);
}

static void fake_cancel(void *context, uint32_t worker)
{
	end(context, "cancel", worker);
}

static const struct wr_execution_ops fake_ops = {fake_admit, fake_deliver, fake_interrupt,
						 fake_stop, fake_cancel};

/* Knows "fake" (this) and "none" (nothing runs it). */
static enum wr_status fake_find(void *context, struct wr_execution *out, enum wr_profile_kind kind,
				struct wr_view value)
{
	if (kind == WR_PROFILE_NAMED && wr_view_equal(value, WR_VIEW("none")))
		return WR_OK;
	if (kind == WR_PROFILE_NAMED && !wr_view_equal(value, WR_VIEW("fake")))
		return WR_INVALID;
	*out = (struct wr_execution){.ops = &fake_ops, .context = context};
	return WR_OK;
}

static void fake_open(struct fake *self)
{
	memset(self, 0, sizeof *self);
	fixture_init(&self->fixture, 1);
	self->fixture.ports.profiles = (struct wr_profiles){fake_find, self};
	fixture_open(&self->fixture);
}

static void check_result(const struct wr_worker *worker, enum wr_execution_operation operation,
			 enum wr_execution_outcome outcome)
{
	CHECK(worker->has_last_result);
	CHECK_U64(worker->last_result.operation, operation);
	CHECK_U64(worker->last_result.outcome, outcome);
}

static enum wr_status report(struct fake *self, uint32_t worker, enum wr_phase phase)
{
	return wr_runtime_phase(self->fixture.runtime, worker, phase, WR_VIEW("told"));
}

/* ---- tests ---- */

static void test_profiles_decide_what_runs_a_worker(void)
{
	struct wr_create request = {.profile = WR_PROFILE_NAMED};
	const struct wr_worker *worker = NULL;
	struct wr_error error;
	struct fake fake;

	fake_open(&fake);
	request.profile_value = WR_VIEW("other");
	CHECK_STATUS(wr_runtime_create(fake.fixture.runtime, &request, NULL, &worker, &error),
		     WR_NOT_FOUND);
	request.profile_value = WR_VIEW("none");
	CHECK_STATUS(wr_runtime_create(fake.fixture.runtime, &request, NULL, &worker, &error),
		     WR_OK);
	CHECK(worker->execution.ops == NULL && !worker->has_last_result);
	request.profile_value = WR_VIEW("fake");
	CHECK_STATUS(wr_runtime_create(fake.fixture.runtime, &request, NULL, &worker, &error),
		     WR_OK);
	check_result(worker, WR_EXECUTION_SPAWN, WR_EXECUTION_ACCEPTED);
	CHECK(!worker->is_execution_live && worker->now.phase == WR_PHASE_IDLE);
	check_calls(&fake, ""); /* nothing starts before the first input */
	fixture_close(&fake.fixture);
}

static void test_an_input_is_admitted_recorded_delivered_once(void)
{
	const struct wr_worker *worker;
	struct wr_ack ack;
	struct fake fake;

	fake_open(&fake);
	worker = fixture_create(&fake.fixture);
	CHECK_STATUS(fixture_input(&fake.fixture, worker, "hello", &ack), WR_OK);
	check_calls(&fake, "admit(1)@2 deliver(1)@3");
	check_result(worker, WR_EXECUTION_INPUT, WR_EXECUTION_ACCEPTED);
	fake.answers_at_once = true;
	CHECK_STATUS(fixture_input(&fake.fixture, worker, "again", &ack), WR_OK);
	check_calls(&fake, "admit(1)@3 deliver(1)@4");
	/* The acknowledgement is that of the input, not of what followed at once. */
	CHECK(ack.event_id == 4 && ack.transcript_sequence == 2);
	CHECK_U64(fixture_head(&fake.fixture), 7);
	CHECK_U64(worker->transcript.total, 3);
	CHECK_U64(worker->now.turn_count, 1);
	fixture_close(&fake.fixture);
}

static void test_a_refused_input_shows_only_in_the_last_result(void)
{
	static const struct {
		enum wr_status status;
		enum wr_execution_outcome outcome;
	} cases[] = {
		{WR_BUSY, WR_EXECUTION_BUSY},
		{WR_REJECTED, WR_EXECUTION_REJECTED},
		{WR_UNAVAILABLE, WR_EXECUTION_REJECTED},
	};
	const struct wr_worker *worker;
	char *before, *after;
	struct wr_ack ack;
	struct fake fake;

	fake_open(&fake);
	worker = fixture_create(&fake.fixture);
	before = dump(fake.fixture.runtime, DUMP_STATE);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		fake.admit = cases[i].status;
		CHECK_STATUS(fixture_input(&fake.fixture, worker, "hello", &ack), cases[i].status);
		check_calls(&fake, "admit(1)@2");
		check_result(worker, WR_EXECUTION_INPUT, cases[i].outcome);
	}
	after = dump(fake.fixture.runtime, DUMP_STATE);
	check_dumps(after, before, "refused by the execution");
	free(before);
	free(after);
	fixture_close(&fake.fixture);
}

static void test_no_execution_is_asked_about_an_input_that_is_refused_before(void)
{
	const struct wr_worker *worker;
	struct wr_ack ack;
	struct fake fake;

	fake_open(&fake);
	worker = fixture_create(&fake.fixture);
	CHECK_STATUS(fixture_input(&fake.fixture, worker, " ", &ack), WR_INVALID);
	CHECK_STATUS(wr_runtime_cancel_worker(fake.fixture.runtime, worker->id, WR_VIEW_NULL, NULL,
					      &ack),
		     WR_OK);
	check_calls(&fake, "cancel(1)@3");
	CHECK_STATUS(fixture_input(&fake.fixture, worker, "hello", &ack), WR_CONFLICT);
	check_calls(&fake, "");
	check_result(worker, WR_EXECUTION_CANCEL, WR_EXECUTION_ACCEPTED);
	fixture_close(&fake.fixture);
}

static void test_an_input_that_cannot_be_recorded_is_not_delivered(void)
{
	struct kept_store store = {.generation = 1};
	const struct wr_worker *worker;
	struct wr_ack ack;
	char *before, *after;
	struct fake fake;

	memset(&fake, 0, sizeof fake);
	fixture_init(&fake.fixture, 1);
	fake.fixture.ports.profiles = (struct wr_profiles){fake_find, &fake};
	fake.fixture.ports.store = (struct wr_store){&kept_store_ops, &store};
	fixture_open(&fake.fixture);
	worker = fixture_create(&fake.fixture);
	before = dump(fake.fixture.runtime, DUMP_LIVE);
	store.failure = WR_FULL;
	store.fail_at = store.append_count + 1;
	CHECK_STATUS(fixture_input(&fake.fixture, worker, "hello", &ack), WR_FULL);
	check_calls(&fake, "admit(1)@2");
	store.fail_at = store.append_count + 1;
	CHECK_STATUS(
		wr_runtime_stop_worker(fake.fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		WR_FULL);
	check_calls(&fake, "");
	after = dump(fake.fixture.runtime, DUMP_LIVE); /* also the last result is as before */
	check_dumps(after, before, "not recorded");
	free(before);
	free(after);
	fixture_close(&fake.fixture);
	kept_store_deinit(&store);
}

static void test_stop_waits_for_a_live_execution(void)
{
	const struct wr_worker *worker;
	struct wr_ack ack;
	struct fake fake;

	fake_open(&fake);
	worker = fixture_create(&fake.fixture);
	CHECK_STATUS(report(&fake, 1, WR_PHASE_STARTING), WR_OK);
	CHECK_STATUS(report(&fake, 1, WR_PHASE_BUSY), WR_OK);
	CHECK(worker->is_execution_live);
	CHECK_STATUS(
		wr_runtime_stop_worker(fake.fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	CHECK(ack.status == WR_WORKER_STOPPED && ack.event_id == 5);
	check_calls(&fake, "stop(1)@5");
	check_result(worker, WR_EXECUTION_STOP, WR_EXECUTION_ACCEPTED);
	CHECK(worker->now.status == WR_WORKER_STOPPED && worker->now.phase == WR_PHASE_STOPPING);
	/* On its way down it can only end. */
	CHECK_STATUS(report(&fake, 1, WR_PHASE_IDLE), WR_CONFLICT);
	CHECK_STATUS(report(&fake, 1, WR_PHASE_FAILED), WR_CONFLICT);
	CHECK_STATUS(report(&fake, 1, WR_PHASE_CANCELLED), WR_CONFLICT);
	CHECK_STATUS(
		wr_runtime_stop_worker(fake.fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	check_calls(&fake, ""); /* told once */
	CHECK_STATUS(wr_runtime_execution_ended(fake.fixture.runtime, 1), WR_OK);
	CHECK(worker->now.phase == WR_PHASE_STOPPED && !worker->is_execution_live);
	CHECK_U64(fixture_head(&fake.fixture), 6);
	CHECK_STATUS(wr_runtime_execution_ended(fake.fixture.runtime, 1), WR_OK);
	CHECK_U64(fixture_head(&fake.fixture), 6);
	fixture_close(&fake.fixture);
}

static void test_an_execution_may_end_from_within_stop(void)
{
	const struct wr_worker *worker;
	struct wr_ack ack;
	struct fake fake;

	fake_open(&fake);
	fake.ends_at_once = true;
	worker = fixture_create(&fake.fixture);
	CHECK_STATUS(report(&fake, 1, WR_PHASE_BUSY), WR_OK);
	CHECK_STATUS(
		wr_runtime_stop_worker(fake.fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	CHECK(ack.event_id == 4 && worker->now.phase == WR_PHASE_STOPPED);
	fixture_close(&fake.fixture);
}

/* Line programs never leave idle: their first report changes no phase, but they are live. */
static void test_a_report_of_idle_alone_makes_an_execution_live(void)
{
	const struct wr_worker *worker;
	struct wr_ack ack;
	struct fake fake;

	fake_open(&fake);
	worker = fixture_create(&fake.fixture);
	CHECK_STATUS(report(&fake, 1, WR_PHASE_IDLE), WR_OK);
	CHECK_U64(fixture_head(&fake.fixture), 2);
	CHECK(worker->is_execution_live);
	CHECK_STATUS(
		wr_runtime_stop_worker(fake.fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	CHECK(worker->now.phase == WR_PHASE_STOPPING);
	fixture_close(&fake.fixture);
}

static void test_cancel_is_at_once(void)
{
	const struct wr_output late = {.kind = WR_OUTPUT_TEXT_DELTA, .text = WR_VIEW_INIT("late")};
	const struct wr_worker *worker;
	struct wr_ack ack;
	struct fake fake;

	fake_open(&fake);
	worker = fixture_create(&fake.fixture);
	CHECK_STATUS(report(&fake, 1, WR_PHASE_BUSY), WR_OK);
	CHECK_STATUS(wr_runtime_output(fake.fixture.runtime, 1, &late), WR_OK);
	CHECK(worker->in_flight != NULL);
	CHECK_STATUS(wr_runtime_cancel_worker(fake.fixture.runtime, worker->id, WR_VIEW_NULL, NULL,
					      &ack),
		     WR_OK);
	CHECK(worker->now.phase == WR_PHASE_CANCELLED && worker->in_flight == NULL);
	check_calls(&fake, "cancel(1)@5");
	/* What still comes is an event, but no unfinished output that nobody would ever finish. */
	CHECK_STATUS(wr_runtime_output(fake.fixture.runtime, 1, &late), WR_OK);
	CHECK(worker->in_flight == NULL);
	CHECK_STATUS(report(&fake, 1, WR_PHASE_STOPPED), WR_CONFLICT);
	CHECK_STATUS(wr_runtime_execution_ended(fake.fixture.runtime, 1), WR_OK);
	CHECK(worker->now.phase == WR_PHASE_CANCELLED);
	CHECK_U64(fixture_head(&fake.fixture), 6);
	fixture_close(&fake.fixture);
}

static void test_an_execution_cannot_end_a_worker_by_itself(void)
{
	static const enum wr_phase ends[] = {WR_PHASE_STOPPING, WR_PHASE_STOPPED,
					     WR_PHASE_CANCELLED};
	const struct wr_worker *worker;
	struct fake fake;

	fake_open(&fake);
	worker = fixture_create(&fake.fixture);
	for (size_t i = 0; i < WR_COUNT(ends); i++)
		CHECK_STATUS(report(&fake, 1, ends[i]), WR_CONFLICT);
	CHECK(worker->now.status == WR_WORKER_RUNNING && worker->now.phase == WR_PHASE_IDLE);
	CHECK_STATUS(report(&fake, 1, WR_PHASE_FAILED), WR_OK);
	CHECK_STATUS(wr_runtime_execution_ended(fake.fixture.runtime, 1), WR_OK);
	CHECK(worker->now.status == WR_WORKER_RUNNING && worker->now.phase == WR_PHASE_FAILED);
	CHECK_STATUS(report(&fake, 0, WR_PHASE_IDLE), WR_NOT_FOUND);
	CHECK_STATUS(report(&fake, 2, WR_PHASE_IDLE), WR_NOT_FOUND);
	CHECK_STATUS(wr_runtime_execution_ended(fake.fixture.runtime, 2), WR_NOT_FOUND);
	CHECK_U64(fixture_head(&fake.fixture), 3);
	fixture_close(&fake.fixture);
}

static void test_turns_are_counted_and_waiting_is_part_of_one(void)
{
	static const enum wr_phase moves[] = {WR_PHASE_BUSY, WR_PHASE_WAITING, WR_PHASE_BUSY,
					      WR_PHASE_IDLE, WR_PHASE_BUSY,    WR_PHASE_INTERRUPTED,
					      WR_PHASE_BUSY};
	const struct wr_worker *worker;
	struct fake fake;

	fake_open(&fake);
	worker = fixture_create(&fake.fixture);
	for (size_t i = 0; i < WR_COUNT(moves); i++)
		CHECK_STATUS(report(&fake, 1, moves[i]), WR_OK);
	CHECK_U64(worker->now.turn_count, 3);
	CHECK_U64(worker->now.last_event_id, 2); /* phases are no events of the contract */
	fixture_close(&fake.fixture);
}

static void test_unfinished_output_is_forgotten_when_the_turn_is_over(void)
{
	static const struct {
		enum wr_phase phase;
		bool is_kept;
	} moves[] = {{WR_PHASE_WAITING, true}, {WR_PHASE_BUSY, true},
		     {WR_PHASE_IDLE, false},   {WR_PHASE_BUSY, true},
		     {WR_PHASE_FAILED, false}, {WR_PHASE_STARTING, false},
		     {WR_PHASE_BUSY, true},    {WR_PHASE_INTERRUPTED, false}};
	const struct wr_output part = {.kind = WR_OUTPUT_TEXT_DELTA, .text = WR_VIEW_INIT("un")};
	const struct wr_worker *worker;
	struct fake fake;

	fake_open(&fake);
	worker = fixture_create(&fake.fixture);
	CHECK_STATUS(report(&fake, 1, WR_PHASE_BUSY), WR_OK);
	for (size_t i = 0; i < WR_COUNT(moves); i++) {
		CHECK_STATUS(wr_runtime_output(fake.fixture.runtime, 1, &part), WR_OK);
		CHECK_STATUS(report(&fake, 1, moves[i].phase), WR_OK);
		CHECK((worker->in_flight != NULL) == moves[i].is_kept);
	}
	fixture_close(&fake.fixture);
}

static void test_interrupt_ends_only_the_turn(void)
{
	const struct wr_worker *worker;
	struct wr_ack ack;
	struct fake fake;

	fake_open(&fake);
	worker = fixture_create(&fake.fixture);
	fake.interrupt = WR_CONFLICT;
	CHECK_STATUS(wr_runtime_interrupt(fake.fixture.runtime, worker->id, NULL, &ack),
		     WR_CONFLICT);
	fake.interrupt = WR_OK;
	CHECK_STATUS(wr_runtime_interrupt(fake.fixture.runtime, worker->id, NULL, &ack), WR_OK);
	check_calls(&fake, "interrupt(1)@2 interrupt(1)@2");
	CHECK(ack.status == WR_WORKER_RUNNING && worker->now.phase == WR_PHASE_IDLE);
	fixture_close(&fake.fixture);
}

static void test_a_runtime_stop_tells_each_execution_once(void)
{
	struct wr_ack ack;
	struct fake fake;
	uint64_t event_id;

	fake_open(&fake);
	for (int i = 0; i < 4; i++)
		fixture_create(&fake.fixture);
	CHECK_STATUS(report(&fake, 4, WR_PHASE_BUSY), WR_OK);
	CHECK_STATUS(wr_runtime_stop_worker(fake.fixture.runtime, WR_VIEW("worker-00000001"),
					    WR_VIEW_NULL, NULL, &ack),
		     WR_OK);
	CHECK_STATUS(wr_runtime_cancel_worker(fake.fixture.runtime, WR_VIEW("worker-00000002"),
					      WR_VIEW_NULL, NULL, &ack),
		     WR_OK);
	check_calls(&fake, "stop(1)@7 cancel(2)@8");
	fake.ends_at_once = true;
	CHECK_STATUS(wr_runtime_stop(fake.fixture.runtime, &event_id), WR_OK);
	check_calls(&fake, "stop(3)@9 stop(4)@9");
	CHECK_U64(event_id, 9);
	CHECK(wr_runtime_worker(fake.fixture.runtime, 4)->now.phase == WR_PHASE_STOPPED);
	CHECK_U64(fixture_head(&fake.fixture), 10);
	CHECK_STATUS(wr_runtime_stop(fake.fixture.runtime, &event_id), WR_OK);
	check_calls(&fake, "");
	fixture_close(&fake.fixture);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_profiles_decide_what_runs_a_worker),
	WR_TEST(test_an_input_is_admitted_recorded_delivered_once),
	WR_TEST(test_a_refused_input_shows_only_in_the_last_result),
	WR_TEST(test_no_execution_is_asked_about_an_input_that_is_refused_before),
	WR_TEST(test_an_input_that_cannot_be_recorded_is_not_delivered),
	WR_TEST(test_stop_waits_for_a_live_execution),
	WR_TEST(test_an_execution_may_end_from_within_stop),
	WR_TEST(test_a_report_of_idle_alone_makes_an_execution_live),
	WR_TEST(test_cancel_is_at_once),
	WR_TEST(test_an_execution_cannot_end_a_worker_by_itself),
	WR_TEST(test_turns_are_counted_and_waiting_is_part_of_one),
	WR_TEST(test_unfinished_output_is_forgotten_when_the_turn_is_over),
	WR_TEST(test_interrupt_ends_only_the_turn),
	WR_TEST(test_a_runtime_stop_tells_each_execution_once),
	WR_TEST_END,
};
