/* Goal: a Runtime opens over whatever the last process left: open turns become interrupted, by a
 * record; Workers whose records are damaged are kept apart and the others go on; a store that takes
 * nothing does not keep it from opening. Method: stores made by a first process, opened by a next.
 */
#include "unit/core/fixture.h"

static void store_init(struct kept_store *store)
{
	*store = (struct kept_store){.generation = 1};
}

static void open_over(struct fixture *fixture, struct kept_store *store)
{
	fixture_init(fixture, 1);
	fixture->ports.store = (struct wr_store){&kept_store_ops, store};
	fixture_open(fixture);
}

static void restart(struct fixture *fixture, struct kept_store *store, bool has_checkpoint)
{
	store->wants_checkpoint = has_checkpoint;
	wr_runtime_settle(fixture->runtime);
	fixture_close(fixture);
	open_over(fixture, store);
}

/* The shortest way into each phase. */
static void lead_to(struct fixture *fixture, uint32_t worker, enum wr_phase phase)
{
	struct wr_view id = wr_runtime_worker(fixture->runtime, worker)->id;
	struct wr_view cause = WR_VIEW("test");
	struct wr_ack ack;

	if (phase == WR_PHASE_IDLE)
		return;
	CHECK_STATUS(wr_runtime_phase(fixture->runtime, worker, WR_PHASE_STARTING, cause), WR_OK);
	if (phase == WR_PHASE_CANCELLED) {
		CHECK_STATUS(wr_runtime_cancel_worker(fixture->runtime, id, cause, NULL, &ack),
			     WR_OK);
	} else if (phase == WR_PHASE_STOPPING || phase == WR_PHASE_STOPPED) {
		CHECK_STATUS(wr_runtime_stop_worker(fixture->runtime, id, cause, NULL, &ack),
			     WR_OK);
		if (phase == WR_PHASE_STOPPED)
			CHECK_STATUS(wr_runtime_execution_ended(fixture->runtime, worker), WR_OK);
	} else if (phase != WR_PHASE_STARTING) {
		CHECK_STATUS(wr_runtime_phase(fixture->runtime, worker, WR_PHASE_BUSY, cause),
			     WR_OK);
		CHECK_STATUS(wr_runtime_phase(fixture->runtime, worker, phase, cause), WR_OK);
	}
	wr_runtime_settle(fixture->runtime);
}

static void test_open_turns_become_interrupted_and_nothing_else_does(void)
{
	static const enum wr_phase expected[WR_PHASE_COUNT] = {
		[WR_PHASE_STARTING] = WR_PHASE_INTERRUPTED,
		[WR_PHASE_IDLE] = WR_PHASE_IDLE,
		[WR_PHASE_BUSY] = WR_PHASE_INTERRUPTED,
		[WR_PHASE_WAITING] = WR_PHASE_INTERRUPTED,
		[WR_PHASE_STOPPING] = WR_PHASE_STOPPED,
		[WR_PHASE_STOPPED] = WR_PHASE_STOPPED,
		[WR_PHASE_FAILED] = WR_PHASE_FAILED,
		[WR_PHASE_INTERRUPTED] = WR_PHASE_INTERRUPTED,
		[WR_PHASE_CANCELLED] = WR_PHASE_CANCELLED,
	};

	for (unsigned has_checkpoint = 0; has_checkpoint < 2; has_checkpoint++) {
		struct kept_store store;
		struct fixture fixture;
		struct wr_event event;
		uint64_t head;
		store_init(&store);
		open_over(&fixture, &store);
		for (uint32_t worker = 1; worker <= WR_PHASE_COUNT; worker++) {
			fixture_create(&fixture);
			lead_to(&fixture, worker, (enum wr_phase)(worker - 1));
		}
		head = fixture_head(&fixture);
		restart(&fixture, &store, has_checkpoint != 0);
		CHECK_U64(fixture_head(&fixture), head + 3);
		for (uint32_t worker = 1; worker <= WR_PHASE_COUNT; worker++) {
			wr_test_case(wr_phase_name((enum wr_phase)(worker - 1)));
			CHECK(wr_runtime_worker(fixture.runtime, worker)->shown.phase ==
			      expected[worker - 1]);
		}
		for (size_t i = 0; i < 3; i++) {
			const struct kept_record *record = &store.log.records[head + i];
			CHECK_STATUS(wr_event_decode(&event, record->payload), WR_OK);
			CHECK(event.kind == WR_EVENT_PHASE_CHANGED);
			CHECK(event.as.phase.to == WR_PHASE_INTERRUPTED);
			CHECK_U64(event.as.phase.from, event.worker - 1);
			CHECK_STRING(event.as.phase.cause, "the Runtime ended during this turn");
			CHECK(record->urgency == WR_STORE_RESERVED);
			/* The only frames in memory. */
			CHECK_U64(wr_runtime_worker_events(fixture.runtime, event.worker)->count,
				  1);
		}
		restart(&fixture, &store, false);
		CHECK_U64(fixture_head(&fixture), head + 3); /* once */
		fixture_close(&fixture);
		kept_store_deinit(&store);
	}
}

static void test_a_store_that_takes_nothing_puts_interrupted_off(void)
{
	static const enum wr_status moods[] = {WR_FULL, WR_OVERLOAD};

	for (unsigned i = 0; i < WR_COUNT(moods); i++) {
		const struct wr_worker *worker;
		struct wr_runtime *runtime = NULL;
		struct kept_store store;
		struct fixture fixture;
		struct wr_error error;
		struct wr_ack ack;
		store_init(&store);
		open_over(&fixture, &store);
		for (uint32_t number = 1; number < 4; number++) {
			fixture_create(&fixture);
			lead_to(&fixture, number, WR_PHASE_BUSY);
		}
		fixture_close(&fixture);
		store.mood = moods[i];
		open_over(&fixture, &store);
		worker = wr_runtime_worker(fixture.runtime, 1);
		CHECK(worker->shown.phase == WR_PHASE_BUSY);
		store.mood = WR_OK;
		/* One of them ends, one is taken up again, before the record could be written. */
		CHECK_STATUS(wr_runtime_stop_worker(fixture.runtime,
						    wr_runtime_worker(fixture.runtime, 2)->id,
						    WR_VIEW_NULL, NULL, &ack),
			     WR_OK);
		CHECK_STATUS(wr_runtime_phase(fixture.runtime, 3, WR_PHASE_BUSY, WR_VIEW("x")),
			     WR_OK);
		wr_runtime_settle(fixture.runtime);
		CHECK(worker->shown.phase == WR_PHASE_INTERRUPTED);
		CHECK(wr_runtime_worker(fixture.runtime, 2)->shown.phase == WR_PHASE_STOPPED);
		CHECK(wr_runtime_worker(fixture.runtime, 3)->shown.phase == WR_PHASE_BUSY);
		CHECK(!fixture.runtime->has_open_turns);
		fixture_close(&fixture);
		/* A store that has failed is another matter. */
		store.mood = WR_IO;
		CHECK_STATUS(wr_runtime_new(&runtime, &fixture.config, &fixture.ports, &error),
			     WR_IO);
		kept_store_deinit(&store);
	}
}

/* ---- quarantine ---- */

static void test_a_worker_with_damaged_records_is_kept_apart(void)
{
	for (unsigned has_checkpoint = 0; has_checkpoint < 2; has_checkpoint++) {
		const struct wr_worker *worker;
		struct kept_store store;
		struct fixture fixture;
		struct wr_ack ack;
		uint64_t from, event_id;
		store_init(&store);
		open_over(&fixture, &store);
		for (unsigned i = 0; i < 3; i++)
			fixture_create(&fixture);
		for (unsigned i = 0; i < 9; i++)
			CHECK_STATUS(fixture_input(&fixture,
						   wr_runtime_worker(fixture.runtime, 1 + i % 3),
						   "hello", &ack),
				     WR_OK);
		lead_to(&fixture, 2, WR_PHASE_BUSY);
		from = fixture_head(&fixture); /* busy */
		CHECK_STATUS(fixture_input(&fixture, wr_runtime_worker(fixture.runtime, 2),
					   "the newest record of all", &ack),
			     WR_OK);
		store.wants_checkpoint = has_checkpoint != 0;
		if (has_checkpoint != 0) { /* the damage is behind it */
			wr_runtime_settle(fixture.runtime);
			from = fixture_head(&fixture) + 1;
			CHECK_STATUS(fixture_input(&fixture, wr_runtime_worker(fixture.runtime, 2),
						   "lost", &ack),
				     WR_OK);
		}
		fixture_close(&fixture);
		store.quarantined_from[2] = from;
		open_over(&fixture, &store);
		worker = wr_runtime_find(fixture.runtime, WR_VIEW("worker-00000002"));
		CHECK(worker != NULL && worker->is_quarantined);
		CHECK_STATUS(fixture_input(&fixture, worker, "x", &ack), WR_CORRUPT);
		/* It is not interrupted, and the head is that of the store. */
		CHECK(worker->shown.phase == (has_checkpoint ? WR_PHASE_BUSY : WR_PHASE_STARTING));
		CHECK_U64(wr_runtime_visible(fixture.runtime), kept_head(&store));
		CHECK_U64(store.log.count, kept_head(&store));
		CHECK(!wr_runtime_worker(fixture.runtime, 1)->is_quarantined);
		CHECK_STATUS(
			fixture_input(&fixture, wr_runtime_worker(fixture.runtime, 3), "on", &ack),
			WR_OK);
		CHECK_U64(ack.event_id, store.log.count);
		CHECK_U64(ack.transcript_sequence, 4);
		/* A checkpoint remembers it, also when the store does not say so again. */
		store.quarantined_from[2] = 0;
		restart(&fixture, &store, true);
		CHECK(wr_runtime_worker(fixture.runtime, 2)->is_quarantined);
		CHECK_STATUS(wr_runtime_stop(fixture.runtime, &event_id), WR_OK);
		restart(&fixture, &store, false);
		CHECK(wr_runtime_worker(fixture.runtime, 2)->shown.status == WR_WORKER_STOPPED);
		fixture_close(&fixture);
		kept_store_deinit(&store);
	}
}

static void test_without_the_creation_of_a_worker_nothing_opens(void)
{
	struct wr_runtime *runtime = NULL;
	struct kept_store store;
	struct fixture fixture;
	struct wr_error error;

	for (uint32_t worker = 0; worker < 3; worker++) {
		store_init(&store);
		open_over(&fixture, &store);
		fixture_create(&fixture);
		fixture_create(&fixture);
		fixture_close(&fixture);
		store.quarantined_from[worker] = 1;
		CHECK_STATUS(wr_runtime_new(&runtime, &fixture.config, &fixture.ports, &error),
			     WR_CORRUPT);
		CHECK(runtime == NULL && error.status == WR_CORRUPT);
		kept_store_deinit(&store);
	}
}

/* ---- memory ---- */

static void test_a_restart_takes_the_memory_of_workers_just_created(void)
{
	struct wr_output delta = {.kind = WR_OUTPUT_TEXT_DELTA, .text = WR_VIEW_INIT("some text")};
	struct kept_store store, fresh;
	struct fixture fixture;
	struct wr_ack ack;
	size_t used;

	store_init(&store);
	open_over(&fixture, &store);
	for (uint32_t worker = 1; worker <= 50; worker++) {
		fixture_create(&fixture);
		for (unsigned i = 0; i < 40; i++) {
			CHECK_STATUS(fixture_input(&fixture,
						   wr_runtime_worker(fixture.runtime, worker),
						   "hello", &ack),
				     WR_OK);
			CHECK_STATUS(wr_runtime_output(fixture.runtime, worker, &delta), WR_OK);
		}
	}
	fixture_close(&fixture);
	store_init(&fresh);
	open_over(&fixture, &fresh);
	for (uint32_t worker = 1; worker <= 50; worker++)
		fixture_create(&fixture);
	used = wr_test_allocator()->used;
	fixture_close(&fixture);
	for (unsigned has_checkpoint = 0; has_checkpoint < 2; has_checkpoint++) {
		open_over(&fixture, &store);
		CHECK(wr_test_allocator()->used <= used);
		restart(&fixture, &store, true);
		fixture_close(&fixture);
	}
	kept_store_deinit(&store);
	kept_store_deinit(&fresh);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_open_turns_become_interrupted_and_nothing_else_does),
	WR_TEST(test_a_store_that_takes_nothing_puts_interrupted_off),
	WR_TEST(test_a_worker_with_damaged_records_is_kept_apart),
	WR_TEST(test_without_the_creation_of_a_worker_nothing_opens),
	WR_TEST(test_a_restart_takes_the_memory_of_workers_just_created),
	WR_TEST_END,
};
