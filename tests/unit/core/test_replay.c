/* Goal: state = fold(log). What a store kept makes the same Runtime again; what it could not keep
 * never happened; what cannot have happened is refused. Method: random operations, a second Runtime
 * over the same records, dumps compared; stores that fail at every call; records written by hand.
 */
#include "unit/core/fixture.h"

static void store_init(struct kept_store *store)
{
	*store = (struct kept_store){.generation = 1, .log_id = {0xab, 1, 2, 3, 4, 5, 6, 0xcd}};
}

static void open_over(struct fixture *fixture, struct kept_store *store)
{
	fixture_init(fixture, 1);
	fixture->ports.store = (struct wr_store){&kept_store_ops, store};
	fixture->config.retention = (struct wr_retention){.stream_events_max = 50,
							  .stream_bytes_max = 10000,
							  .events_max = 200,
							  .bytes_max = 20000};
	fixture->config.worker_transcript_bytes_max = 3000;
	fixture->config.transcript_bytes_max = 9000;
	fixture_open(fixture);
}

/* ---- random operations ---- */

static struct wr_view random_text(uint64_t *random)
{
	static const char text[] = "a text that is long enough to be cut anywhere, and is";

	return wr_view_of(text, (size_t)(wr_test_random(random) % (sizeof text - 1)));
}

/* One of a few keys of an operation on a Worker, or none: some are used again, soon or late. */
static const struct wr_key *random_key(uint64_t *random, struct wr_key *key,
				       enum wr_operation operation, uint32_t worker)
{
	uint64_t drawn = wr_test_random(random) % 60;

	if (drawn >= 20)
		return NULL;
	*key = fixture_key(drawn * 100000 + operation * 1000 + worker, 1);
	return key;
}

static enum wr_status random_create(struct fixture *fixture, uint64_t *random)
{
	char id[8] = {'w', '-', (char)('a' + wr_test_random(random) % 26),
		      (char)('a' + wr_test_random(random) % 26)};
	const struct wr_create request = {
		.intent = (enum wr_intent_kind)(wr_test_random(random) % 3),
		.objective = random_text(random),
		.role = random_text(random),
		.config_bundle_id =
			wr_test_random(random) % 2 != 0 ? WR_VIEW_NULL : random_text(random),
		.worker_id = wr_test_random(random) % 3 != 0 ? WR_VIEW_NULL : wr_view_of(id, 4),
	};
	const struct wr_worker *worker;
	struct wr_error error;
	struct wr_key key;

	return wr_runtime_create(fixture->runtime, &request,
				 random_key(random, &key, WR_OPERATION_CREATE, 0), &worker, &error);
}

static enum wr_status random_output(struct fixture *fixture, uint64_t *random, uint32_t worker)
{
	const struct wr_output output = {
		.kind = (enum wr_output_kind)(1 + wr_test_random(random) % WR_OUTPUT_OPAQUE),
		.id = WR_VIEW_INIT("call-1"),
		.name = random_text(random),
		.text = random_text(random),
		.flag = wr_test_random(random) % 2 != 0,
		.numbers = {wr_test_random(random)},
		.has_number = {true},
	};

	return wr_runtime_output(fixture->runtime, worker, &output);
}

static enum wr_status random_end(struct fixture *fixture, uint64_t *random,
				 const struct wr_worker *worker)
{
	bool is_stop = wr_test_random(random) % 3 != 0;
	struct wr_view reason = worker->number % 2 != 0 ? WR_VIEW_NULL : random_text(random);
	struct wr_key key;
	struct wr_ack ack;

	if (worker->now.status == WR_WORKER_RUNNING && wr_test_random(random) % 4 != 0)
		return WR_OK;
	if (!is_stop)
		return wr_runtime_cancel_worker(
			fixture->runtime, worker->id, reason,
			random_key(random, &key, WR_OPERATION_CANCEL, worker->number), &ack);
	return wr_runtime_stop_worker(fixture->runtime, worker->id, reason,
				      random_key(random, &key, WR_OPERATION_STOP, worker->number),
				      &ack);
}

static enum wr_status random_operation(struct fixture *fixture, uint64_t *random)
{
	struct wr_runtime_summary summary;
	const struct wr_worker *worker;
	struct wr_input input = {WR_INPUT_USER, random_text(random)};
	struct wr_error error;
	struct wr_key key;
	struct wr_ack ack;
	uint32_t number;

	wr_runtime_summary(fixture->runtime, &summary);
	if (summary.worker_count == 0 || wr_test_random(random) % 40 == 0)
		return random_create(fixture, random);
	number = 1 + (uint32_t)(wr_test_random(random) % summary.worker_count);
	worker = wr_runtime_worker(fixture->runtime, number);
	switch (wr_test_random(random) % 16) {
	case 0:
	case 1:
		return random_end(fixture, random, worker);
	case 2:
		return wr_runtime_execution_ended(fixture->runtime, number);
	case 3:
	case 4:
	case 5:
	case 6:
		return wr_runtime_phase(fixture->runtime, number,
					(enum wr_phase)(wr_test_random(random) % WR_PHASE_COUNT),
					random_text(random));
	case 7:
	case 8:
	case 9:
		input.kind = (enum wr_input_kind)(wr_test_random(random) % 2);
		return wr_runtime_input(fixture->runtime, worker->id, &input,
					random_key(random, &key, WR_OPERATION_INPUT, number), &ack,
					&error);
	default:
		return random_output(fixture, random, number);
	}
}

/* What the store and the clock do meanwhile. */
static void random_surroundings(struct fixture *fixture, struct kept_store *store, uint64_t *random)
{
	uint64_t drawn = wr_test_random(random) % 40;

	if (drawn < 3) {
		store->is_held = true;
		store->shown = wr_runtime_visible(fixture->runtime) + drawn;
	} else if (drawn < 6) {
		store->is_held = false;
	} else if (drawn < 8) {
		store->wants_checkpoint = true;
	} else if (drawn < 10) {
		fixture->uptime_ms += wr_test_random(random) % (20 * 3600 * 1000);
	}
	if (drawn % 2 == 0)
		wr_runtime_settle(fixture->runtime);
}

static void check_same_cursors(struct fixture *a, struct fixture *b)
{
	uint64_t head = fixture_head(a);

	for (uint32_t worker = 0; worker == 0 || wr_runtime_worker(a->runtime, worker) != NULL;
	     worker++)
		for (uint64_t sequence = 0; sequence <= head + 1; sequence += 1 + head / 50) {
			char token[WR_CURSOR_BYTES], other[WR_CURSOR_BYTES];
			uint64_t from = 0, from_other = 0;
			struct wr_view view = wr_view_of(token, sizeof token);
			wr_runtime_cursor(a->runtime, worker, sequence, token);
			wr_runtime_cursor(b->runtime, worker, sequence, other);
			CHECK(memcmp(token, other, sizeof token) == 0);
			CHECK_STATUS(
				wr_runtime_judge_cursor(a->runtime, worker, view, &from),
				wr_runtime_judge_cursor(b->runtime, worker, view, &from_other));
			CHECK_U64(from, from_other);
		}
}

/* Leaves nothing that a restart would change: no open turn, nothing invisible, and the newest
 * record with the uptime of now. */
static void come_to_rest(struct fixture *live, struct kept_store *store, uint64_t *random)
{
	static const struct wr_create request = {.intent = WR_INTENT_ASSISTANT};
	const struct wr_worker *worker = NULL;
	struct wr_key key = fixture_key(wr_test_random(random), 1);
	struct wr_error error;

	store->is_held = false;
	(void)wr_runtime_create(live->runtime, &request, &key, &worker, &error);
	wr_runtime_settle(live->runtime);
	for (uint32_t number = 1; (worker = wr_runtime_worker(live->runtime, number)) != NULL;
	     number++)
		if (worker->now.phase == WR_PHASE_STARTING || worker->now.phase == WR_PHASE_BUSY ||
		    worker->now.phase == WR_PHASE_WAITING)
			CHECK_STATUS(wr_runtime_phase(live->runtime, number, WR_PHASE_INTERRUPTED,
						      WR_VIEW("at rest")),
				     WR_OK);
	wr_runtime_settle(live->runtime);
	CHECK_U64(wr_runtime_visible(live->runtime), kept_head(store));
}

/* From everything, and from the newest checkpoint with what is behind it. */
static void check_replays_to_the_same(struct fixture *live, const struct kept_store *store)
{
	char *expected = dump(live->runtime, DUMP_STORY), *actual, *memory[2];

	for (unsigned i = 0; i < 2; i++) {
		struct kept_store copy;
		struct fixture again;
		kept_store_copy(&copy, store);
		copy.ignores_checkpoint = i == 0;
		copy.wants_checkpoint = false;
		open_over(&again, &copy);
		actual = dump(again.runtime, DUMP_STORY);
		check_dumps(actual, expected, i == 0 ? "replayed" : "restored");
		check_same_cursors(live, &again);
		CHECK_U64(copy.log.count, store->log.count);
		memory[i] = dump(again.runtime, DUMP_LIVE);
		free(actual);
		fixture_close(&again);
		kept_store_deinit(&copy);
	}
	check_dumps(memory[1], memory[0], "in memory");
	free(memory[0]);
	free(memory[1]);
	free(expected);
}

static void test_a_replay_makes_the_same_runtime(void)
{
	uint64_t random = wr_test_seed(), event_id;
	unsigned checkpoints = 0;

	for (unsigned round = 0; round < 12; round++) {
		struct kept_store store;
		struct fixture live;
		store_init(&store);
		open_over(&live, &store);
		for (unsigned step = 0; step < 800; step++) {
			random_operation(&live, &random);
			random_surroundings(&live, &store, &random);
			if (step % 200 != 37)
				continue;
			come_to_rest(&live, &store, &random);
			check_replays_to_the_same(&live, &store);
		}
		come_to_rest(&live, &store, &random);
		CHECK_STATUS(wr_runtime_stop(live.runtime, &event_id), WR_OK);
		random_operation(&live, &random);
		come_to_rest(&live, &store, &random);
		check_replays_to_the_same(&live, &store);
		checkpoints += store.checkpoint_count;
		fixture_close(&live);
		kept_store_deinit(&store);
	}
	CHECK(checkpoints > 100);
}

static void test_a_replayed_runtime_goes_on_where_it_was(void)
{
	struct kept_store store;
	struct fixture fixture;
	struct wr_ack ack;

	store_init(&store);
	open_over(&fixture, &store);
	CHECK_STATUS(fixture_input(&fixture, fixture_create(&fixture), "one", &ack), WR_OK);
	fixture_close(&fixture);
	open_over(&fixture, &store);
	CHECK_U64(fixture_head(&fixture), 3); /* no second runtime_started */
	CHECK_STATUS(fixture_input(&fixture, wr_runtime_worker(fixture.runtime, 1), "two", &ack),
		     WR_OK);
	CHECK(ack.event_id == 4 && ack.transcript_sequence == 2);
	CHECK_STRING(fixture_create(&fixture)->id, "worker-00000002");
	CHECK_U64(store.log.count, 5);
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

static void test_a_worker_that_was_stopping_is_stopped_after_a_restart(void)
{
	const struct wr_worker *worker;
	struct kept_store store;
	struct fixture fixture;
	struct wr_ack ack;

	store_init(&store);
	open_over(&fixture, &store);
	worker = fixture_create(&fixture);
	CHECK_STATUS(wr_runtime_phase(fixture.runtime, 1, WR_PHASE_BUSY, WR_VIEW("x")), WR_OK);
	CHECK_STATUS(wr_runtime_stop_worker(fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		     WR_OK);
	CHECK(worker->now.phase == WR_PHASE_STOPPING);
	fixture_close(&fixture);
	open_over(&fixture, &store);
	worker = wr_runtime_worker(fixture.runtime, 1);
	CHECK(worker->now.status == WR_WORKER_STOPPED && worker->now.phase == WR_PHASE_STOPPED);
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

static enum wr_status only_defaults(void *context, struct wr_execution *out,
				    enum wr_profile_kind kind, struct wr_view value)
{
	(void)context;
	(void)out;
	(void)value;
	return kind == WR_PROFILE_NAMED ? WR_INVALID : WR_OK;
}

static enum wr_status everything(void *context, struct wr_execution *out, enum wr_profile_kind kind,
				 struct wr_view value)
{
	(void)context;
	(void)out;
	(void)value;
	(void)kind;
	return WR_OK;
}

static void test_a_worker_outlives_its_profile(void)
{
	const struct wr_create request = {.profile = WR_PROFILE_NAMED,
					  .profile_value = WR_VIEW_INIT("gone")};
	const struct wr_worker *worker;
	struct kept_store store;
	struct fixture fixture;
	struct wr_error error;
	struct wr_ack ack;

	store_init(&store);
	fixture_init(&fixture, 1);
	fixture.ports.store = (struct wr_store){&kept_store_ops, &store};
	fixture.ports.profiles.find = everything;
	fixture_open(&fixture);
	CHECK_STATUS(wr_runtime_create(fixture.runtime, &request, NULL, &worker, &error), WR_OK);
	fixture_close(&fixture);
	fixture.ports.profiles.find = only_defaults;
	fixture_open(&fixture);
	worker = wr_runtime_worker(fixture.runtime, 1);
	CHECK_STRING(worker->request.profile_value, "gone");
	CHECK_STATUS(fixture_input(&fixture, worker, "still here", &ack), WR_OK);
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

/* ---- a store that fails ---- */

static void test_what_the_store_refuses_changes_nothing(void)
{
	static const enum wr_status failures[] = {WR_FULL, WR_IO};
	uint64_t random = wr_test_seed();
	struct kept_store store;
	struct fixture fixture;

	store_init(&store);
	open_over(&fixture, &store);
	for (unsigned step = 0; step < 600; step++) {
		char *before = dump(fixture.runtime, DUMP_LIVE), *after;
		uint64_t same = random;
		enum wr_status status;

		store.failure = failures[step % 2];
		store.fail_at = store.append_count + 1;
		status = random_operation(&fixture, &random);
		wr_runtime_settle(fixture.runtime);
		after = dump(fixture.runtime, DUMP_LIVE);
		if (store.append_count == store.fail_at) { /* it came as far as the store */
			CHECK_STATUS(status, store.failure);
			check_dumps(after, before, "refused by the store");
			store.fail_at = 0;
			CHECK_STATUS(random_operation(&fixture, &same), WR_OK);
			wr_runtime_settle(fixture.runtime);
			CHECK_U64(store.append_count, fixture_head(&fixture) + step + 1);
		} else {
			store.append_count++; /* keeps the sum of the line above */
		}
		free(before);
		free(after);
	}
	come_to_rest(&fixture, &store, &random);
	check_replays_to_the_same(&fixture, &store);
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

static void test_a_runtime_whose_first_event_cannot_be_kept_does_not_begin(void)
{
	struct wr_runtime *runtime = NULL;
	struct kept_store store;
	struct fixture fixture;
	struct wr_error error;

	store_init(&store);
	fixture_init(&fixture, 1);
	fixture.ports.store = (struct wr_store){&kept_store_ops, &store};
	store.failure = WR_FULL;
	store.fail_at = 1;
	CHECK_STATUS(wr_runtime_new(&runtime, &fixture.config, &fixture.ports, &error), WR_FULL);
	CHECK(runtime == NULL && error.status == WR_FULL);
	kept_store_deinit(&store);
}

/* ---- records that are not ours ---- */

static enum wr_status keep_bytes(struct kept_store *store, uint64_t sequence, uint32_t worker,
				 struct wr_view payload)
{
	return kept_append(store,
			   &(struct wr_store_record){
				   .sequence = sequence, .worker = worker, .payload = payload},
			   WR_STORE_ORDINARY);
}

static void keep_event(struct kept_store *store, const struct wr_event *event)
{
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), 10000);
	CHECK_STATUS(wr_event_encode(&out, event), WR_OK);
	CHECK_STATUS(keep_bytes(store, event->sequence, event->worker, wr_buf_view(&out)), WR_OK);
	wr_buf_deinit(&out);
}

static enum wr_status open_status(struct kept_store *store)
{
	struct wr_runtime *runtime = NULL;
	struct fixture fixture;
	struct wr_error error;
	enum wr_status status;

	fixture_init(&fixture, 1);
	fixture.ports.store = (struct wr_store){&kept_store_ops, store};
	status = wr_runtime_new(&runtime, &fixture.config, &fixture.ports, &error);
	CHECK_STATUS(error.status, status);
	if (status == WR_OK)
		wr_runtime_free(runtime);
	return status;
}

#define CREATED(number, id)                                        \
	{                                                          \
		.kind = WR_EVENT_WORKER_CREATED, .worker = number, \
		.as.created.worker_id = WR_VIEW_INIT(id)           \
	}
#define INPUT(number, text, at)                                                  \
	{                                                                        \
		.kind = WR_EVENT_INPUT_ACCEPTED, .worker = number, .as.input = { \
			.input = {WR_INPUT_USER, WR_VIEW_INIT(text)},            \
			.transcript_sequence = at                                \
		}                                                                \
	}
#define ENDED(which, number)                               \
	{                                                  \
		.kind = WR_EVENT_##which, .worker = number \
	}
#define PHASE(number, before, after)                                            \
	{                                                                       \
		.kind = WR_EVENT_PHASE_CHANGED, .worker = number, .as.phase = { \
			.from = WR_PHASE_##before,                              \
			.to = WR_PHASE_##after                                  \
		}                                                               \
	}
#define OUTPUT(number)                                                                            \
	{                                                                                         \
		.kind = WR_EVENT_OUTPUT, .worker = number, .as.output.kind = WR_OUTPUT_TEXT_DELTA \
	}

static void test_records_that_cannot_follow_each_other_are_damage(void)
{
	static const struct {
		const char *what;
		enum wr_status expected;
		struct wr_event events[5];
	} cases[] = {
		{"nothing", WR_OK, {ENDED(RUNTIME_STARTED, 0)}},
		{"one worker", WR_OK, {ENDED(RUNTIME_STARTED, 0), CREATED(1, "w1")}},
		{"started by a worker", WR_CORRUPT, {ENDED(RUNTIME_STARTED, 1)}},
		{"started twice",
		 WR_CORRUPT,
		 {ENDED(RUNTIME_STARTED, 0), ENDED(RUNTIME_STARTED, 0)}},
		{"stopped by a worker",
		 WR_CORRUPT,
		 {ENDED(RUNTIME_STARTED, 0), CREATED(1, "w1"), ENDED(RUNTIME_STOPPED, 1)}},
		{"stopped twice",
		 WR_CORRUPT,
		 {ENDED(RUNTIME_STOPPED, 0), ENDED(RUNTIME_STOPPED, 0)}},
		{"worker zero", WR_CORRUPT, {CREATED(0, "w0")}},
		{"worker left out", WR_CORRUPT, {CREATED(2, "w2")}},
		{"worker again", WR_CORRUPT, {CREATED(1, "w1"), CREATED(1, "w2")}},
		{"worker id again", WR_CORRUPT, {CREATED(1, "w1"), CREATED(2, "w1")}},
		{"worker without id", WR_CORRUPT, {CREATED(1, "")}},
		{"worker with a blank id", WR_CORRUPT, {CREATED(1, " ")}},
		{"worker after the stop",
		 WR_CORRUPT,
		 {ENDED(RUNTIME_STOPPED, 0), CREATED(1, "w1")}},
		{"input of nobody", WR_CORRUPT, {INPUT(1, "x", 1)}},
		{"input of the runtime", WR_CORRUPT, {INPUT(0, "x", 1)}},
		{"input", WR_OK, {CREATED(1, "w1"), INPUT(1, "x", 1), INPUT(1, "x", 2)}},
		{"input left out", WR_CORRUPT, {CREATED(1, "w1"), INPUT(1, "x", 2)}},
		{"input again", WR_CORRUPT, {CREATED(1, "w1"), INPUT(1, "x", 1), INPUT(1, "x", 1)}},
		{"blank input", WR_CORRUPT, {CREATED(1, "w1"), INPUT(1, "", 1)}},
		{"input after the end",
		 WR_CORRUPT,
		 {CREATED(1, "w1"), ENDED(WORKER_STOPPED, 1), INPUT(1, "x", 1)}},
		{"input after the stop",
		 WR_CORRUPT,
		 {CREATED(1, "w1"), ENDED(RUNTIME_STOPPED, 0), INPUT(1, "x", 1)}},
		{"end of nobody", WR_CORRUPT, {ENDED(WORKER_STOPPED, 1)}},
		{"end of the runtime", WR_CORRUPT, {ENDED(WORKER_CANCELLED, 0)}},
		{"second end",
		 WR_CORRUPT,
		 {CREATED(1, "w1"), ENDED(WORKER_STOPPED, 1), ENDED(WORKER_CANCELLED, 1)}},
		{"phases", WR_OK, {CREATED(1, "w1"), PHASE(1, IDLE, BUSY), PHASE(1, BUSY, IDLE)}},
		{"phase of nobody", WR_CORRUPT, {PHASE(1, IDLE, BUSY)}},
		{"phase of the runtime", WR_CORRUPT, {PHASE(0, IDLE, BUSY)}},
		{"phase from elsewhere", WR_CORRUPT, {CREATED(1, "w1"), PHASE(1, BUSY, IDLE)}},
		{"phase that is not allowed",
		 WR_CORRUPT,
		 {CREATED(1, "w1"), PHASE(1, IDLE, WAITING)}},
		{"phase that ends", WR_CORRUPT, {CREATED(1, "w1"), PHASE(1, IDLE, STOPPED)}},
		{"end of a stop",
		 WR_OK,
		 {CREATED(1, "w1"), ENDED(WORKER_STOPPED, 1), PHASE(1, STOPPING, STOPPED)}},
		{"life after a stop",
		 WR_CORRUPT,
		 {CREATED(1, "w1"), ENDED(WORKER_STOPPED, 1), PHASE(1, IDLE, BUSY)}},
		{"phase of a cancelled one",
		 WR_CORRUPT,
		 {CREATED(1, "w1"), ENDED(WORKER_CANCELLED, 1), PHASE(1, STOPPING, STOPPED)}},
		{"output", WR_OK, {CREATED(1, "w1"), ENDED(WORKER_CANCELLED, 1), OUTPUT(1)}},
		{"output of nobody", WR_CORRUPT, {OUTPUT(1)}},
		{"output of the runtime", WR_CORRUPT, {OUTPUT(0)}},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct kept_store store;
		wr_test_case(cases[i].what);
		store_init(&store);
		for (unsigned k = 0; k < 5 && cases[i].events[k].kind != 0; k++) {
			struct wr_event event = cases[i].events[k];
			event.sequence = k + 1;
			keep_event(&store, &event);
		}
		CHECK_STATUS(open_status(&store), cases[i].expected);
		kept_store_deinit(&store);
	}
}

static void test_records_that_do_not_match_their_place_are_damage(void)
{
	static const struct {
		const char *what;
		uint64_t sequence; /* in the payload */
		uint64_t place;	   /* as the store has it */
		uint32_t worker;
		enum wr_status expected;
	} cases[] = {
		{"as it should be", 2, 2, 1, WR_OK},
		{"a gap", 7, 7, 1, WR_OK},
		{"payload of another place", 2, 3, 1, WR_CORRUPT},
		{"place of another payload", 3, 2, 1, WR_CORRUPT},
		{"sequence zero", 0, 0, 1, WR_CORRUPT},
		{"the same sequence", 1, 1, 1, WR_CORRUPT},
		{"another worker", 2, 2, 2, WR_CORRUPT},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_event started = {.kind = WR_EVENT_RUNTIME_STARTED, .sequence = 1};
		struct wr_event created = CREATED(1, "w1");
		struct kept_store store, payloads;

		wr_test_case(cases[i].what);
		store_init(&store);
		store_init(&payloads);
		keep_event(&store, &started);
		created.sequence = cases[i].sequence;
		keep_event(&payloads, &created);
		CHECK_STATUS(keep_bytes(&store, 2, 1, payloads.log.records[0].payload), WR_OK);
		store.log.records[1].sequence = cases[i].place;
		store.log.records[1].worker = cases[i].worker;
		CHECK_STATUS(open_status(&store), cases[i].expected);
		kept_store_deinit(&store);
		kept_store_deinit(&payloads);
	}
}

static void test_a_damaged_or_newer_record_is_told_apart(void)
{
	struct wr_event event = {.kind = WR_EVENT_RUNTIME_STARTED, .sequence = 1};
	struct kept_store store;
	char *bytes;

	store_init(&store);
	keep_event(&store, &event);
	bytes = (char *)(uintptr_t)store.log.records[0].payload.data;
	CHECK_STATUS(open_status(&store), WR_OK);
	bytes[1] = 99;
	CHECK_STATUS(open_status(&store), WR_CORRUPT);
	bytes[1] = WR_EVENT_RUNTIME_STARTED;
	bytes[0] = WR_EVENT_BYTES_VERSION + 1;
	CHECK_STATUS(open_status(&store), WR_UNSUPPORTED);
	kept_store_deinit(&store);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_a_replay_makes_the_same_runtime, 60),
	WR_TEST(test_a_replayed_runtime_goes_on_where_it_was),
	WR_TEST(test_a_worker_that_was_stopping_is_stopped_after_a_restart),
	WR_TEST(test_a_worker_outlives_its_profile),
	WR_TEST_LIMIT(test_what_the_store_refuses_changes_nothing, 60),
	WR_TEST(test_a_runtime_whose_first_event_cannot_be_kept_does_not_begin),
	WR_TEST(test_records_that_cannot_follow_each_other_are_damage),
	WR_TEST(test_records_that_do_not_match_their_place_are_damage),
	WR_TEST(test_a_damaged_or_newer_record_is_told_apart),
	WR_TEST_END,
};
