/* Goal: what queues behind a turn is accepted, bounded, given in order and once, and whatever ends
 * it names it. Method: an execution with turns that the test ends, with and without a store;
 * restarts over what was recorded; every allocation failed. The long random form is in
 * test_input_queue_model.c. */
#include "unit/core/turns.h"

#include "bytes/endian.h"

static enum wr_status end_worker(struct turns *turns, const struct wr_worker *worker,
				 bool is_cancel, const struct wr_key *key, struct wr_ack *ack)
{
	struct wr_runtime *runtime = turns->fixture.runtime;
	enum wr_status status =
		is_cancel ? wr_runtime_cancel_worker(runtime, worker->id, WR_VIEW_NULL, key, ack)
			  : wr_runtime_stop_worker(runtime, worker->id, WR_VIEW_NULL, key, ack);

	wr_runtime_settle(runtime);
	return status;
}

/* The newest record. */
static struct wr_event last_event(const struct turns *turns)
{
	struct wr_event event;

	CHECK_STATUS(wr_event_decode(&event,
				     turns->store.log.records[turns->store.log.count - 1].payload),
		     WR_OK);
	return event;
}

/* ---- queueing ---- */

static void test_inputs_queue_behind_a_turn_and_are_given_in_order(void)
{
	for (unsigned has_store = 0; has_store < 2; has_store++) {
		const struct wr_worker *worker;
		struct turns turns;
		turns_open(&turns, has_store != 0);
		worker = turns_create(&turns, WR_BUSY_QUEUE, 16);
		CHECK_U64(turns_say(&turns, worker, "one"), 3);
		turns_check(&turns, "deliver(1 one)");
		turns_check_queue(worker, "");
		CHECK_U64(turns_say(&turns, worker, "two"), 5);
		CHECK_U64(turns_say(&turns, worker, "three"), 6);
		CHECK_U64(worker->shown.item_count, 3);
		turns_check(&turns, "");
		turns_check_queue(worker, "5 6");
		CHECK(worker->queue.queued.count == 2 && worker->queue.queued.bytes == 8);
		turns_end(&turns, worker, WR_PHASE_IDLE);
		turns_check(&turns, "deliver(1 two)");
		turns_check_queue(worker, "6");
		turns_end(&turns, worker, WR_PHASE_FAILED);
		turns_check(&turns, "deliver(1 three)");
		turns_check_queue(worker, "");
		turns_end(&turns, worker, WR_PHASE_IDLE);
		CHECK_U64(worker->now.turn_count, 3);
		CHECK(worker->queue.first == NULL && worker->queue.queued.bytes == 0);
		CHECK(wr_list_is_empty(&turns.fixture.runtime->queued));
		turns_say(&turns, worker, "four");
		turns_check(&turns, "deliver(1 four)");
		turns_close(&turns);
	}
}

static void test_who_rejects_is_as_ever(void)
{
	static const struct wr_busy_policy policies[] = {{WR_BUSY_UNSAID, 0}, {WR_BUSY_REJECT, 0}};

	for (unsigned i = 0; i < WR_COUNT(policies); i++) {
		const struct wr_worker *worker;
		struct turns turns;
		char *before, *after;
		struct wr_ack ack;
		turns_open(&turns, true);
		worker = turns_create(&turns, policies[i].kind, 0);
		turns_say(&turns, worker, "one");
		before = dump(turns.fixture.runtime, DUMP_STATE);
		CHECK_STATUS(fixture_input(&turns.fixture, worker, "two", &ack), WR_BUSY);
		after = dump(turns.fixture.runtime, DUMP_STATE);
		check_dumps(after, before, "refused");
		free(before);
		free(after);
		turns_close(&turns);
	}
}

static void test_a_queue_has_a_bound_of_inputs_and_of_bytes(void)
{
	static char large[WR_EVENT_BYTES_MAX];
	struct wr_input input = {WR_INPUT_SYSTEM, {large, sizeof large}};
	const struct wr_worker *worker;
	struct wr_error error;
	struct turns turns;
	struct wr_ack ack;

	memset(large, 'x', sizeof large);
	for (uint32_t max = 1; max <= WR_QUEUE_INPUTS_MAX;
	     max = max * 4 - 1 > 255 ? 256 : max * 4) {
		turns_open(&turns, true);
		worker = turns_create(&turns, WR_BUSY_QUEUE, max);
		for (uint32_t i = 0; i <= max; i++)
			turns_say(&turns, worker, "x");
		CHECK_STATUS(fixture_input(&turns.fixture, worker, "x", &ack), WR_BUSY);
		CHECK(worker->last_result.outcome == WR_EXECUTION_BUSY);
		turns_end(&turns, worker, WR_PHASE_IDLE);
		turns_say(&turns, worker, "x");
		CHECK_STATUS(fixture_input(&turns.fixture, worker, "x", &ack), WR_BUSY);
		turns_close(&turns);
		if (max == WR_QUEUE_INPUTS_MAX)
			break;
	}
	turns_open(&turns, true);
	worker = turns_create(&turns, WR_BUSY_QUEUE, 16);
	turns_say(&turns, worker, "x");
	for (unsigned i = 0; i < WR_QUEUE_BYTES_MAX / WR_EVENT_BYTES_MAX; i++)
		CHECK_STATUS(wr_runtime_input(turns.fixture.runtime, worker->id, &input, NULL, &ack,
					      &error),
			     WR_OK);
	CHECK_U64(worker->queue.queued.bytes, WR_QUEUE_BYTES_MAX);
	CHECK_STATUS(fixture_input(&turns.fixture, worker, "x", &ack), WR_BUSY);
	turns_close(&turns);
}

/* Until all of them have no more room, and how many inputs of a MiB that takes. */
static unsigned fill_queues(struct turns *turns, const struct wr_worker *const *workers,
			    unsigned count)
{
	static char large[WR_EVENT_BYTES_MAX];
	const struct wr_input input = {WR_INPUT_SYSTEM, {large, sizeof large}};
	unsigned taken = 0;

	memset(large, 'x', sizeof large);
	for (unsigned i = 0; i < count; i++)
		for (unsigned k = 0; k < WR_QUEUE_BYTES_MAX / WR_EVENT_BYTES_MAX; k++) {
			struct wr_error error;
			struct wr_ack ack;
			enum wr_status status = wr_runtime_input(
				turns->fixture.runtime, workers[i]->id, &input, NULL, &ack, &error);
			CHECK(status == WR_OK || status == WR_BUSY);
			taken += status == WR_OK;
		}
	return taken;
}

/* What a turn or an end takes off one of them is room for all. */
static void test_all_queues_have_a_bound_of_bytes_together(void)
{
	enum { WORKERS = WR_QUEUES_BYTES_MAX / WR_QUEUE_BYTES_MAX + 2 };
	const unsigned most = WR_QUEUES_BYTES_MAX / (WR_EVENT_BYTES_MAX + WR_QUEUE_ENTRY_BYTES);
	const struct wr_worker *workers[WORKERS];
	struct turns turns;
	struct wr_ack ack;

	turns_open(&turns, false);
	for (unsigned i = 0; i < WORKERS; i++) {
		workers[i] = turns_create(&turns, WR_BUSY_QUEUE, 16);
		turns_say(&turns, workers[i], "x");
	}
	CHECK_U64(fill_queues(&turns, workers, WORKERS), most);
	turns_end(&turns, workers[0], WR_PHASE_IDLE);
	CHECK_U64(fill_queues(&turns, workers, WORKERS), 1);
	CHECK_STATUS(end_worker(&turns, workers[1], true, NULL, &ack), WR_OK);
	CHECK_U64(fill_queues(&turns, workers + 2, WORKERS - 2), 2);
	for (unsigned i = 0; i < WORKERS; i++)
		CHECK_STATUS(end_worker(&turns, workers[i], true, NULL, &ack), WR_OK);
	CHECK_U64(turns.fixture.runtime->queued_bytes, 0);
	turns_close(&turns);
}

static void test_a_bound_that_cannot_be_is_refused(void)
{
	static const struct wr_busy_policy cases[] = {
		{WR_BUSY_QUEUE, 0},	     {WR_BUSY_QUEUE, WR_QUEUE_INPUTS_MAX + 1},
		{WR_BUSY_QUEUE, UINT32_MAX}, {WR_BUSY_REJECT, 1},
		{WR_BUSY_UNSAID, 1},
	};
	struct turns turns;

	turns_open(&turns, true);
	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		const struct wr_create request = {.busy = cases[i]};
		const struct wr_worker *worker = NULL;
		struct wr_error error;
		CHECK_STATUS(
			wr_runtime_create(turns.fixture.runtime, &request, NULL, &worker, &error),
			WR_INVALID);
	}
	CHECK_U64(fixture_head(&turns.fixture), 1);
	turns_close(&turns);
}

/* A request says more than a profile, and is kept; a profile counts as it is configured now. */
static void test_the_policy_is_that_of_the_request_else_of_the_profile(void)
{
	static const struct {
		struct wr_busy_policy profile, request, expected;
	} cases[] = {
		{{WR_BUSY_UNSAID, 0}, {WR_BUSY_UNSAID, 0}, {WR_BUSY_REJECT, 0}},
		{{WR_BUSY_REJECT, 0}, {WR_BUSY_UNSAID, 0}, {WR_BUSY_REJECT, 0}},
		{{WR_BUSY_QUEUE, 4}, {WR_BUSY_UNSAID, 0}, {WR_BUSY_QUEUE, 4}},
		{{WR_BUSY_QUEUE, 4}, {WR_BUSY_REJECT, 0}, {WR_BUSY_REJECT, 0}},
		{{WR_BUSY_REJECT, 0}, {WR_BUSY_QUEUE, 9}, {WR_BUSY_QUEUE, 9}},
		{{WR_BUSY_QUEUE, 4}, {WR_BUSY_QUEUE, 9}, {WR_BUSY_QUEUE, 9}},
	};

	for (unsigned i = 0; i < WR_COUNT(cases); i++)
		for (unsigned way = 0; way < 2; way++) {
			const struct wr_worker *worker;
			struct turns turns;
			turns_open(&turns, true);
			turns.policy = cases[i].profile;
			worker = turns_create(&turns, cases[i].request.kind,
					      cases[i].request.inputs_max);
			CHECK(worker->busy.kind == cases[i].expected.kind);
			CHECK_U64(worker->busy.inputs_max, cases[i].expected.inputs_max);
			CHECK(wr_worker_names_dropped(worker) ==
			      (cases[i].request.kind == WR_BUSY_QUEUE));
			turns.policy = (struct wr_busy_policy){WR_BUSY_QUEUE, 2};
			turns_restart(&turns, way != 0);
			worker = wr_runtime_worker(turns.fixture.runtime, 1);
			CHECK(wr_worker_names_dropped(worker) ==
			      (cases[i].request.kind == WR_BUSY_QUEUE));
			CHECK(worker->request.busy.kind == cases[i].request.kind);
			if (cases[i].request.kind != WR_BUSY_UNSAID)
				CHECK(worker->busy.kind == cases[i].expected.kind &&
				      worker->busy.inputs_max == cases[i].expected.inputs_max);
			else
				CHECK(worker->busy.kind == WR_BUSY_QUEUE &&
				      worker->busy.inputs_max == 2);
			turns_close(&turns);
		}
}

static void test_creating_again_with_another_policy_is_another_request(void)
{
	struct wr_create request = {.worker_id = WR_VIEW_INIT("w"), .busy = {WR_BUSY_QUEUE, 4}};
	const struct wr_worker *worker = NULL;
	struct wr_runtime *runtime;
	struct wr_error error;
	struct turns turns;

	turns_open(&turns, true);
	runtime = turns.fixture.runtime;
	CHECK_STATUS(wr_runtime_create(runtime, &request, NULL, &worker, &error), WR_OK);
	CHECK_STATUS(wr_runtime_create(runtime, &request, NULL, &worker, &error), WR_OK);
	request.busy.inputs_max = 5;
	CHECK_STATUS(wr_runtime_create(runtime, &request, NULL, &worker, &error), WR_EXISTS);
	request.busy = (struct wr_busy_policy){WR_BUSY_UNSAID, 0};
	CHECK_STATUS(wr_runtime_create(runtime, &request, NULL, &worker, &error), WR_EXISTS);
	turns_close(&turns);
}

/* Nothing runs it, or what does has no turns: it means nothing. */
static void test_without_turns_nothing_queues(void)
{
	static const char *const profiles[] = {"none", "pipe"};

	for (unsigned i = 0; i < WR_COUNT(profiles); i++) {
		struct wr_create request = {.profile = WR_PROFILE_NAMED,
					    .profile_value = wr_view_of_string(profiles[i]),
					    .busy = {WR_BUSY_QUEUE, 4}};
		const struct wr_worker *worker = NULL;
		struct wr_error error;
		struct turns turns;
		struct wr_ack ack;
		turns_open(&turns, true);
		CHECK_STATUS(
			wr_runtime_create(turns.fixture.runtime, &request, NULL, &worker, &error),
			WR_OK);
		wr_runtime_settle(turns.fixture.runtime);
		turns_say(&turns, worker, "one");
		CHECK_STATUS(fixture_input(&turns.fixture, worker, "two", &ack),
			     i == 0 ? WR_OK : WR_BUSY);
		CHECK(!last_event(&turns).as.input.waits_for_turn || i != 0);
		turns_check_queue(worker, "");
		turns_close(&turns);
	}
}

static void test_what_waits_for_a_place_is_given_when_there_is_one(void)
{
	const struct wr_worker *first, *second;
	struct turns turns;

	turns_open(&turns, false);
	first = turns_create(&turns, WR_BUSY_QUEUE, 4);
	second = turns_create(&turns, WR_BUSY_QUEUE, 4);
	turns.has_no_place = true;
	turns_say(&turns, first, "a");
	turns_say(&turns, second, "b");
	turns_say(&turns, first, "c");
	turns_check(&turns, "");
	turns.has_no_place = false;
	wr_runtime_settle(turns.fixture.runtime);
	turns_check(&turns, "deliver(1 a) deliver(2 b)");
	turns_end(&turns, first, WR_PHASE_IDLE);
	turns_check(&turns, "deliver(1 c)");
	turns_close(&turns);
}

static void test_nothing_is_given_before_it_is_visible_or_listed_before_it_is(void)
{
	const struct wr_worker *worker;
	struct turns turns;
	struct wr_ack ack;

	turns_open(&turns, true);
	worker = turns_create(&turns, WR_BUSY_QUEUE, 4);
	turns_say(&turns, worker, "one"); /* 3, busy is 4 */
	turns_hold(&turns);
	turns_say(&turns, worker, "two");   /* 5 */
	turns_say(&turns, worker, "three"); /* 6 */
	turns_check(&turns, "deliver(1 one)");
	turns_check_queue(worker, "");
	turns_end(&turns, worker, WR_PHASE_IDLE); /* 7 */
	turns_check(&turns, "");
	turns_show(&turns, 6);
	turns_check(&turns, ""); /* its turn builds on the one before, which is not yet visible */
	turns_check_queue(worker, "5 6");
	turns_show(&turns, 7);
	turns_check(&turns, "deliver(1 two)"); /* 8: busy */
	turns_check_queue(worker, "5 6");      /* that it was given is not yet visible */
	turns_show(&turns, 8);
	turns_check_queue(worker, "6");
	CHECK_STATUS(end_worker(&turns, worker, true, NULL, &ack), WR_OK); /* 9 */
	turns_check_list(ack.dropped, "6");
	turns_check_queue(worker, "6");
	turns_check(&turns, "cancel(1)");
	turns_show(&turns, 9);
	turns_check_queue(worker, "");
	CHECK(worker->queue.first == NULL);
	turns_close(&turns);
}

static void test_an_interrupt_ends_the_turn_and_the_next_input_runs(void)
{
	for (unsigned has_store = 0; has_store < 2; has_store++) {
		const struct wr_worker *worker;
		struct wr_runtime *runtime;
		struct turns turns;
		struct wr_ack ack;
		turns_open(&turns, has_store != 0);
		runtime = turns.fixture.runtime;
		worker = turns_create(&turns, WR_BUSY_QUEUE, 4);
		CHECK_STATUS(wr_runtime_interrupt(runtime, worker->id, NULL, &ack), WR_CONFLICT);
		turns_say(&turns, worker, "one");
		turns_say(&turns, worker, "two");
		CHECK_STATUS(wr_runtime_interrupt(runtime, worker->id, NULL, &ack), WR_OK);
		CHECK(ack.dropped.data == NULL);
		wr_runtime_settle(runtime);
		turns_check(&turns, "deliver(1 one) interrupt(1) deliver(1 two)");
		CHECK(worker->now.phase == WR_PHASE_BUSY);
		turns_close(&turns);
	}
}

/* ---- ends ---- */

static void test_a_cancel_and_a_stop_name_what_they_take_back(void)
{
	for (unsigned has_store = 0; has_store < 2; has_store++)
		for (unsigned is_cancel = 0; is_cancel < 2; is_cancel++) {
			const struct wr_key key = fixture_key(1, 1), other = fixture_key(2, 1);
			const struct wr_worker *worker;
			struct turns turns;
			struct wr_ack ack;
			turns_open(&turns, has_store != 0);
			worker = turns_create(&turns, WR_BUSY_QUEUE, 4);
			turns_say(&turns, worker, "one");   /* 3, 4 */
			turns_say(&turns, worker, "two");   /* 5 */
			turns_say(&turns, worker, "three"); /* 6 */
			CHECK_STATUS(end_worker(&turns, worker, is_cancel != 0, &key, &ack), WR_OK);
			for (unsigned again = 0; again < 5; again++) {
				CHECK_U64(ack.event_id, 7);
				turns_check_list(ack.dropped, "5 6");
				if (again == 3 && has_store != 0) {
					turns_restart(&turns, is_cancel != 0);
					worker = wr_runtime_worker(turns.fixture.runtime, 1);
				}
				memset(&ack, 0xff, sizeof ack);
				CHECK_STATUS(end_worker(&turns, worker,
							(again % 2 == 0) == (is_cancel != 0),
							again == 0   ? &key
							: again == 1 ? &other
								     : NULL,
							&ack),
					     WR_OK);
			}
			CHECK(worker->queue.first == NULL);
			turns_close(&turns);
		}
}

/* Of who rejects only a cancel takes back, and only what nobody could see yet. */
static void test_a_cancel_names_what_was_not_yet_visible(void)
{
	for (unsigned is_cancel = 0; is_cancel < 2; is_cancel++) {
		const struct wr_worker *worker;
		struct turns turns;
		struct wr_ack ack;
		turns_open(&turns, true);
		worker = turns_create(&turns, WR_BUSY_REJECT, 0);
		turns_hold(&turns);
		turns_say(&turns, worker, "one"); /* 3 */
		CHECK_STATUS(end_worker(&turns, worker, is_cancel != 0, NULL, &ack), WR_OK);
		turns_check_list(ack.dropped, is_cancel != 0 ? "3" : "");
		turns_show(&turns, 4);
		turns_check(&turns, is_cancel != 0 ? "cancel(1)" : "deliver(1 one) stop(1)");
		turns_close(&turns);
	}
}

static void test_a_stop_of_the_runtime_stops_who_has_a_queue_by_name(void)
{
	for (unsigned has_store = 0; has_store < 2; has_store++) {
		const struct wr_worker *queueing, *other;
		struct turns turns;
		uint64_t event_id;
		struct wr_ack ack;
		turns_open(&turns, has_store != 0);
		queueing = turns_create(&turns, WR_BUSY_QUEUE, 4);
		other = turns_create(&turns, WR_BUSY_QUEUE, 4);
		turns_say(&turns, queueing, "one");
		turns_say(&turns, queueing, "two");
		turns_say(&turns, other, "one");
		CHECK_STATUS(wr_runtime_stop(turns.fixture.runtime, &event_id), WR_OK);
		wr_runtime_settle(turns.fixture.runtime);
		turns_check_list(queueing->dropped, "6");
		CHECK(queueing->now.status == WR_WORKER_STOPPED &&
		      queueing->now.last_event_id < event_id);
		CHECK(other->now.status == WR_WORKER_STOPPED && other->dropped.data == NULL);
		turns_check(&turns, "deliver(1 one) deliver(2 one) stop(1) stop(2)");
		CHECK_STATUS(end_worker(&turns, queueing, true, NULL, &ack), WR_STOPPED);
		turns_close(&turns);
	}
}

/* ---- another process ---- */

/* Deliveries that were recorded are turns; all else that was accepted is named, once, and nothing
 * is given again. */
static void test_what_a_crash_leaves_is_named_and_not_run(void)
{
	static const struct {
		enum wr_busy_kind kind;
		uint32_t max;
		unsigned inputs;
		enum wr_phase ended; /* the first turn, before the others come; BUSY: it runs */
		bool is_shown;	     /* the inputs behind it */
		const char *dropped;
		unsigned records;
	} cases[] = {
		{WR_BUSY_QUEUE, 4, 3, WR_PHASE_BUSY, true, "5 6", 1},
		{WR_BUSY_QUEUE, 4, 1, WR_PHASE_BUSY, true, "", 1},
		{WR_BUSY_QUEUE, 4, 3, WR_PHASE_BUSY, false, "5 6", 1},
		{WR_BUSY_QUEUE, 4, 2, WR_PHASE_IDLE, false, "6", 1},
		{WR_BUSY_QUEUE, 4, 3, WR_PHASE_IDLE, false, "6 7", 1},
		{WR_BUSY_QUEUE, 4, 2, WR_PHASE_FAILED, false, "6", 2},
		{WR_BUSY_QUEUE, 4, 2, WR_PHASE_INTERRUPTED, false, "6", 2},
		{WR_BUSY_REJECT, 0, 2, WR_PHASE_IDLE, false, "6", 1},
		{WR_BUSY_REJECT, 0, 2, WR_PHASE_FAILED, false, "6", 2},
		{WR_BUSY_REJECT, 0, 1, WR_PHASE_IDLE, false, "", 0},
	};

	for (unsigned i = 0; i < 2 * WR_COUNT(cases); i++) {
		unsigned at = i / 2;
		const struct wr_worker *worker;
		struct wr_event event;
		struct turns turns;
		uint64_t head;
		turns_open(&turns, true);
		worker = turns_create(&turns, cases[at].kind, cases[at].max);
		turns_say(&turns, worker, "one"); /* 3, busy is 4 */
		if (cases[at].ended != WR_PHASE_BUSY)
			turns_end(&turns, worker, cases[at].ended); /* 5 */
		if (!cases[at].is_shown)
			turns_hold(&turns);
		for (unsigned input = 1; input < cases[at].inputs; input++)
			turns_say(&turns, worker, "more");
		turns_check(&turns, "deliver(1 one)");
		head = fixture_head(&turns.fixture);
		for (unsigned again = 0; again < 3; again++) {
			turns_restart(&turns, i % 2 != 0);
			CHECK_U64(fixture_head(&turns.fixture), head + cases[at].records);
		}
		worker = wr_runtime_worker(turns.fixture.runtime, 1);
		if (cases[at].records != 0) {
			event = last_event(&turns);
			CHECK(event.kind == WR_EVENT_PHASE_CHANGED);
			CHECK(event.as.phase.to == WR_PHASE_INTERRUPTED);
			turns_check_list(event.as.phase.dropped, cases[at].dropped);
			CHECK(worker->shown.phase == WR_PHASE_INTERRUPTED);
		}
		CHECK(worker->queue.first == NULL);
		turns_check(&turns, "");
		turns_say(&turns, worker, "go on");
		turns_check(&turns, "deliver(1 go on)");
		turns_close(&turns);
	}
}

/* It was given, but nothing was recorded since: it is not known to have begun. */
static void test_a_delivery_that_nobody_told_of_counts_as_none(void)
{
	const struct wr_worker *worker;
	struct turns turns;

	turns_open(&turns, true);
	turns.is_silent = true;
	worker = turns_create(&turns, WR_BUSY_QUEUE, 4);
	turns_say(&turns, worker, "one");
	turns_check(&turns, "deliver(1 one)");
	turns_restart(&turns, true);
	turns_check_list(last_event(&turns).as.phase.dropped, "3");
	turns_close(&turns);
}

/* Any record of the Worker tells it, also one of a command. */
static void test_the_next_record_tells_of_a_delivery(void)
{
	const struct wr_output output = {.kind = WR_OUTPUT_TEXT_DELTA, .text = WR_VIEW_INIT("x")};
	const struct wr_worker *worker;
	struct turns turns;
	struct wr_ack ack;

	turns_open(&turns, true);
	turns.is_silent = true;
	worker = turns_create(&turns, WR_BUSY_QUEUE, 4);
	turns_say(&turns, worker, "one"); /* 3 */
	CHECK_U64(worker->queue.delivered, 3);
	turns_say(&turns, worker, "two"); /* 4 */
	CHECK_U64(last_event(&turns).delivered, 3);
	CHECK_STATUS(wr_runtime_output(turns.fixture.runtime, 1, &output), WR_OK);
	CHECK_U64(last_event(&turns).delivered, 0);
	CHECK_STATUS(end_worker(&turns, worker, true, NULL, &ack), WR_OK);
	turns_check_list(ack.dropped, "4");
	turns_close(&turns);
}

static void test_what_is_left_is_named_before_anything_new_is_taken(void)
{
	static const enum wr_status moods[] = {WR_FULL, WR_OVERLOAD};

	for (unsigned i = 0; i < 2 * WR_COUNT(moods); i++) {
		const struct wr_worker *worker;
		struct turns turns;
		struct wr_ack ack;
		turns_open(&turns, true);
		worker = turns_create(&turns, WR_BUSY_QUEUE, 4);
		turns_hold(&turns);
		turns_say(&turns, worker, "one"); /* 3 */
		fixture_close(&turns.fixture);
		turns.store.mood = moods[i / 2];
		turns.store.is_held = false;
		turns_start(&turns);
		worker = wr_runtime_worker(turns.fixture.runtime, 1);
		CHECK_STATUS(fixture_input(&turns.fixture, worker, "two", &ack), moods[i / 2]);
		turns_check_queue(worker, "3");
		turns.store.mood = WR_OK;
		if (i % 2 == 0) {
			struct wr_input input = {WR_INPUT_USER, WR_VIEW_INIT("two")};
			struct wr_error error;
			CHECK_STATUS(wr_runtime_input(turns.fixture.runtime, worker->id, &input,
						      NULL, &ack, &error),
				     WR_OK);
			CHECK_U64(ack.event_id, 5); /* behind the interrupted */
			turns_check_queue(worker, "3");
			wr_runtime_settle(turns.fixture.runtime);
			turns_check(&turns, "deliver(1 two)");
		} else {
			CHECK_STATUS(end_worker(&turns, worker, false, NULL, &ack), WR_OK);
			turns_check_list(ack.dropped, "3");
		}
		turns_check_queue(worker, "");
		turns_close(&turns);
	}
}

static void test_a_drain_names_what_will_not_run(void)
{
	const struct wr_worker *busy, *idle, *failed, *done;
	struct turns turns;
	uint64_t head;

	turns_open(&turns, true);
	busy = turns_create(&turns, WR_BUSY_QUEUE, 4);
	idle = turns_create(&turns, WR_BUSY_REJECT, 0);
	failed = turns_create(&turns, WR_BUSY_QUEUE, 4);
	done = turns_create(&turns, WR_BUSY_QUEUE, 4);
	turns_say(&turns, failed, "x");
	turns_end(&turns, failed, WR_PHASE_FAILED);
	turns_say(&turns, done, "x");
	turns_end(&turns, done, WR_PHASE_IDLE);
	turns_say(&turns, busy, "one");
	turns_hold(&turns);
	turns_say(&turns, busy, "two");
	turns_say(&turns, idle, "three");
	turns_say(&turns, failed, "four");
	turns.calls[0] = '\0';
	wr_runtime_drain(turns.fixture.runtime);
	CHECK(idle->now.phase == WR_PHASE_INTERRUPTED && failed->now.phase == WR_PHASE_INTERRUPTED);
	CHECK(busy->now.phase == WR_PHASE_BUSY && done->now.phase == WR_PHASE_IDLE);
	turns.is_busy[busy->number] = false;
	CHECK_STATUS(wr_runtime_phase(turns.fixture.runtime, busy->number, WR_PHASE_INTERRUPTED,
				      WR_VIEW("the Runtime is stopping")),
		     WR_OK);
	CHECK_U64(wr_sequences_count(last_event(&turns).as.phase.dropped), 1);
	turns.store.is_held = false;
	wr_runtime_settle(turns.fixture.runtime);
	turns_check(&turns, "");
	head = fixture_head(&turns.fixture);
	for (uint32_t number = 1; number <= 4; number++)
		CHECK(wr_runtime_worker(turns.fixture.runtime, number)->queue.first == NULL);
	turns_restart(&turns, false);
	CHECK_U64(fixture_head(&turns.fixture), head);
	turns_close(&turns);
}

/* ---- what may be told ---- */

static void check_result(const struct wr_worker *worker, enum wr_execution_operation operation)
{
	const struct wr_execution_result *result = wr_worker_last_result(worker);

	CHECK(result != NULL && result->operation == operation);
}

static void test_the_last_result_is_told_when_what_it_depends_on_is_visible(void)
{
	const struct wr_worker *worker;
	struct turns turns;
	struct wr_ack ack;

	turns_open(&turns, true);
	worker = turns_create(&turns, WR_BUSY_REJECT, 0);
	turns_hold(&turns);
	turns_say(&turns, worker, "one"); /* 3 */
	CHECK_STATUS(fixture_input(&turns.fixture, worker, "two", &ack), WR_BUSY);
	check_result(worker, WR_EXECUTION_SPAWN);
	CHECK_STATUS(end_worker(&turns, worker, true, NULL, &ack), WR_OK); /* 4 */
	turns_check(&turns, "cancel(1)");
	check_result(worker, WR_EXECUTION_SPAWN);
	turns_show(&turns, 3);
	check_result(worker, WR_EXECUTION_SPAWN);
	turns_show(&turns, 4);
	check_result(worker, WR_EXECUTION_CANCEL);
	worker = turns_create(&turns, WR_BUSY_REJECT, 0); /* 5 */
	CHECK(wr_worker_last_result(worker) == NULL);
	turns_show(&turns, 5);
	check_result(worker, WR_EXECUTION_SPAWN);
	turns_close(&turns);
}

/* ---- damage ---- */

/* Replaces the newest record by one that cannot have followed. */
static enum wr_status open_with(struct turns *turns, const struct wr_event *event)
{
	struct wr_runtime *runtime = NULL;
	struct kept_store copy;
	struct wr_error error;
	struct wr_buf bytes;
	enum wr_status status;

	kept_store_copy(&copy, &turns->store);
	wr_buf_init(&bytes, wr_test_allocator(), 4096);
	CHECK_STATUS(wr_event_encode(&bytes, event), WR_OK);
	kept_list_add(&copy.log,
		      &(struct wr_store_record){.sequence = event->sequence,
						.worker = event->worker,
						.payload = wr_buf_view(&bytes)},
		      WR_STORE_ORDINARY);
	wr_buf_deinit(&bytes);
	turns->fixture.ports.store.context = &copy;
	status = wr_runtime_new(&runtime, &turns->fixture.config, &turns->fixture.ports, &error);
	if (status == WR_OK)
		wr_runtime_free(runtime);
	turns->fixture.ports.store.context = &turns->store;
	kept_store_deinit(&copy);
	return status;
}

static void test_ends_of_what_does_not_wait_are_damage(void)
{
	static const struct {
		const char *what;
		enum wr_event_kind kind;
		uint64_t delivered;
		uint64_t dropped[3];
		unsigned count;
		enum wr_status expected;
	} cases[] = {
		{"nothing", WR_EVENT_PHASE_CHANGED, 0, {0}, 0, WR_OK},
		{"the first delivered", WR_EVENT_PHASE_CHANGED, 3, {0}, 0, WR_OK},
		{"all dropped", WR_EVENT_WORKER_CANCELLED, 0, {3, 4, 5}, 3, WR_OK},
		{"all dropped", WR_EVENT_WORKER_STOPPED, 0, {3, 4, 5}, 3, WR_OK},
		{"all dropped", WR_EVENT_PHASE_CHANGED, 0, {3, 4, 5}, 3, WR_OK},
		{"one delivered, the others dropped", WR_EVENT_PHASE_CHANGED, 3, {4, 5}, 2, WR_OK},
		{"a creation delivered", WR_EVENT_PHASE_CHANGED, 2, {0}, 0, WR_CORRUPT},
		{"the future delivered", WR_EVENT_PHASE_CHANGED, 6, {0}, 0, WR_CORRUPT},
		{"delivered and dropped", WR_EVENT_PHASE_CHANGED, 3, {3}, 1, WR_CORRUPT},
		{"dropped before one delivered", WR_EVENT_PHASE_CHANGED, 5, {4}, 1, WR_CORRUPT},
		{"a creation dropped", WR_EVENT_WORKER_CANCELLED, 0, {2}, 1, WR_CORRUPT},
		{"the future dropped", WR_EVENT_WORKER_CANCELLED, 0, {5, 6}, 2, WR_CORRUPT},
	};
	const struct wr_worker *worker;
	struct turns turns;

	turns_open(&turns, true);
	worker = turns_create(&turns, WR_BUSY_QUEUE, 4);
	turns_hold(&turns);
	for (unsigned i = 0; i < 3; i++)
		turns_say(&turns, worker, "x"); /* 3, 4, 5 */
	fixture_close(&turns.fixture);
	turns.store.is_held = false;
	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		struct wr_event event = {.kind = cases[i].kind,
					 .sequence = 6,
					 .worker = 1,
					 .delivered = cases[i].delivered};
		char packed[24];
		struct wr_view dropped = wr_view_of(packed, 8 * (size_t)cases[i].count);
		wr_test_case(cases[i].what);
		for (unsigned k = 0; k < cases[i].count; k++)
			wr_store_le64(packed + 8 * k, cases[i].dropped[k]);
		if (cases[i].count == 0)
			dropped = WR_VIEW_NULL;
		if (cases[i].kind == WR_EVENT_PHASE_CHANGED) {
			event.as.phase.from = WR_PHASE_IDLE;
			event.as.phase.to = WR_PHASE_INTERRUPTED;
			event.as.phase.cause = WR_VIEW("x");
			event.as.phase.dropped = dropped;
		} else {
			event.as.ended.dropped = dropped;
		}
		CHECK_STATUS(open_with(&turns, &event), cases[i].expected);
	}
	kept_store_deinit(&turns.store);
}

/* ---- memory ---- */

enum step { STEP_FIRST, STEP_QUEUE, STEP_KEYED, STEP_END, STEP_CANCEL, STEP_STOP, STEP_COUNT };

static enum wr_status do_step(struct turns *turns, enum step step, struct wr_ack *ack)
{
	static const struct wr_view id = WR_VIEW_INIT("worker-00000001");
	const struct wr_input input = {WR_INPUT_USER, WR_VIEW_INIT("some text that is kept")};
	const struct wr_key key = fixture_key(9, 1);
	struct wr_runtime *runtime = turns->fixture.runtime;
	struct wr_error error;
	uint64_t event_id;

	switch (step) {
	case STEP_FIRST:
	case STEP_QUEUE:
		return wr_runtime_input(runtime, id, &input, NULL, ack, &error);
	case STEP_KEYED:
		return wr_runtime_input(runtime, id, &input, &key, ack, &error);
	case STEP_END:
		turns->is_busy[1] = false;
		return wr_runtime_phase(runtime, 1, WR_PHASE_IDLE, WR_VIEW("done"));
	case STEP_CANCEL:
		return wr_runtime_cancel_worker(runtime, id, WR_VIEW_NULL, NULL, ack);
	case STEP_STOP:
		return wr_runtime_stop(runtime, &event_id);
	case STEP_COUNT:
		break;
	}
	wr_unreachable();
}

/* Runs up to the step and fails its n-th allocation; false when it has none. */
static bool fail_step(bool has_store, enum step failing, uint64_t n)
{
	struct turns turns;
	struct wr_ack ack = {.event_id = 0};
	char *before, *after;
	enum wr_status status;
	bool has_failed;

	turns_open(&turns, has_store);
	turns_create(&turns, WR_BUSY_QUEUE, 4);
	for (enum step step = STEP_FIRST; step < failing; step++) {
		if (step == STEP_CANCEL)
			continue;
		CHECK_STATUS(do_step(&turns, step, &ack), WR_OK);
		wr_runtime_settle(turns.fixture.runtime);
		if (step == STEP_QUEUE)
			CHECK_STATUS(do_step(&turns, step, &ack), WR_OK);
	}
	wr_runtime_settle(turns.fixture.runtime);
	before = dump(turns.fixture.runtime, DUMP_LIVE);
	wr_test_fail_allocation(n, false);
	status = do_step(&turns, failing, &ack);
	has_failed = wr_test_allocation_failed();
	wr_test_fail_allocation(0, false);
	if (status != WR_OK) {
		CHECK_STATUS(status, WR_NO_MEMORY);
		after = dump(turns.fixture.runtime, DUMP_LIVE);
		check_dumps(after, before, "no memory");
		free(after);
		CHECK_STATUS(do_step(&turns, failing, &ack), WR_OK);
	}
	wr_runtime_settle(turns.fixture.runtime);
	free(before);
	turns_close(&turns);
	CHECK_U64(wr_test_allocator()->used, 0);
	return has_failed;
}

static void test_every_allocation_may_fail(void)
{
	unsigned failed = 0;

	for (unsigned has_store = 0; has_store < 2; has_store++)
		for (enum step step = STEP_FIRST; step < STEP_COUNT; step++)
			for (uint64_t n = 1; fail_step(has_store != 0, step, n); n++)
				failed++;
	CHECK(failed > 20);
}

/* Also when what a crash left is told, and when a restart reads it. */
static void test_a_restart_without_memory_leaves_nothing(void)
{
	for (unsigned has_checkpoint = 0; has_checkpoint < 2; has_checkpoint++) {
		struct wr_runtime *runtime = NULL;
		const struct wr_worker *worker;
		enum wr_status status = WR_NO_MEMORY;
		struct wr_error error;
		struct turns turns;
		struct wr_ack ack;
		turns_open(&turns, true);
		worker = turns_create(&turns, WR_BUSY_QUEUE, 4);
		for (unsigned i = 0; i < 4; i++)
			turns_say(&turns, worker, "x");
		worker = turns_create(&turns, WR_BUSY_QUEUE, 4);
		for (unsigned i = 0; i < 3; i++)
			turns_say(&turns, worker, "x");
		CHECK_STATUS(end_worker(&turns, worker, true, NULL, &ack), WR_OK);
		turns.store.wants_checkpoint = has_checkpoint != 0;
		wr_runtime_settle(turns.fixture.runtime);
		fixture_close(&turns.fixture);
		for (uint64_t n = 1; status != WR_OK; n++) {
			struct kept_store copy;
			kept_store_copy(&copy, &turns.store);
			turns.fixture.ports.store.context = &copy;
			wr_test_fail_allocation(n, false);
			status = wr_runtime_new(&runtime, &turns.fixture.config,
						&turns.fixture.ports, &error);
			wr_test_fail_allocation(0, false);
			if (status == WR_OK) {
				turns_check_list(wr_runtime_worker(runtime, 2)->dropped, "11 12");
				wr_runtime_free(runtime);
			} else {
				CHECK_STATUS(status, WR_NO_MEMORY);
			}
			CHECK_U64(wr_test_allocator()->used, 0);
			kept_store_deinit(&copy);
		}
		kept_store_deinit(&turns.store);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_inputs_queue_behind_a_turn_and_are_given_in_order),
	WR_TEST(test_who_rejects_is_as_ever),
	WR_TEST_LIMIT(test_a_queue_has_a_bound_of_inputs_and_of_bytes, 60),
	WR_TEST(test_all_queues_have_a_bound_of_bytes_together),
	WR_TEST(test_a_bound_that_cannot_be_is_refused),
	WR_TEST(test_the_policy_is_that_of_the_request_else_of_the_profile),
	WR_TEST(test_creating_again_with_another_policy_is_another_request),
	WR_TEST(test_without_turns_nothing_queues),
	WR_TEST(test_what_waits_for_a_place_is_given_when_there_is_one),
	WR_TEST(test_nothing_is_given_before_it_is_visible_or_listed_before_it_is),
	WR_TEST(test_an_interrupt_ends_the_turn_and_the_next_input_runs),
	WR_TEST(test_a_cancel_and_a_stop_name_what_they_take_back),
	WR_TEST(test_a_cancel_names_what_was_not_yet_visible),
	WR_TEST(test_a_stop_of_the_runtime_stops_who_has_a_queue_by_name),
	WR_TEST(test_what_a_crash_leaves_is_named_and_not_run),
	WR_TEST(test_a_delivery_that_nobody_told_of_counts_as_none),
	WR_TEST(test_the_next_record_tells_of_a_delivery),
	WR_TEST(test_what_is_left_is_named_before_anything_new_is_taken),
	WR_TEST(test_a_drain_names_what_will_not_run),
	WR_TEST(test_the_last_result_is_told_when_what_it_depends_on_is_visible),
	WR_TEST(test_ends_of_what_does_not_wait_are_damage),
	WR_TEST_LIMIT(test_every_allocation_may_fail, 60),
	WR_TEST_LIMIT(test_a_restart_without_memory_leaves_nothing, 60),
	WR_TEST_END,
};
