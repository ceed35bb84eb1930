/* Goal: a checkpoint is the whole state, in small parts and fast, and bytes that are none are
 * refused without harm (that histories restore to the same is in test_replay.c). Method: parts
 * taken from a Runtime, cut, left out, exchanged, every byte changed; the layout written out by
 * hand. */
#include "unit/core/turns.h"

#include "core/checkpoint.h"

#include <time.h>

static void store_init(struct kept_store *store)
{
	*store = (struct kept_store){.generation = 1};
}

static void open_over(struct fixture *fixture, struct kept_store *store)
{
	fixture_init(fixture, 1);
	fixture->config.worker_count_max = 20000;
	fixture->ports.store = (struct wr_store){&kept_store_ops, store};
	fixture_open(fixture);
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
	CHECK_U64(wr_test_allocator()->used, 0);
	return status;
}

static const struct wr_worker *create(struct fixture *fixture, const struct wr_create *request)
{
	const struct wr_worker *worker = NULL;
	struct wr_error error;

	CHECK_STATUS(wr_runtime_create(fixture->runtime, request, NULL, &worker, &error), WR_OK);
	return worker;
}

static void take_checkpoint(struct fixture *fixture, struct kept_store *store)
{
	unsigned count = store->checkpoint_count;

	store->wants_checkpoint = true;
	wr_runtime_settle(fixture->runtime);
	CHECK_U64(store->checkpoint_count, count + 1);
}

/* A few Workers in different states, with and without texts, and a key. */
static void make_store(struct kept_store *store)
{
	const struct wr_create task = {.intent = WR_INTENT_TASK,
				       .objective = WR_VIEW_INIT("do it"),
				       .purpose = WR_VIEW_INIT(""),
				       .worker_id = WR_VIEW_INIT("chosen"),
				       .config_bundle_id = WR_VIEW_INIT("b")};
	const struct wr_key key = fixture_key(1, 1);
	const struct wr_input input = {WR_INPUT_USER, WR_VIEW_INIT("hello")};
	const struct wr_worker *worker;
	struct fixture fixture;
	struct wr_error error;
	struct wr_ack ack;

	store_init(store);
	open_over(&fixture, store);
	create(&fixture, &task);
	worker = fixture_create(&fixture);
	CHECK_STATUS(wr_runtime_input(fixture.runtime, worker->id, &input, &key, &ack, &error),
		     WR_OK);
	worker = fixture_create(&fixture);
	CHECK_STATUS(
		wr_runtime_cancel_worker(fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	CHECK_STATUS(wr_runtime_phase(fixture.runtime, 2, WR_PHASE_BUSY, WR_VIEW("x")), WR_OK);
	CHECK_STATUS(wr_runtime_phase(fixture.runtime, 2, WR_PHASE_IDLE, WR_VIEW("x")), WR_OK);
	take_checkpoint(&fixture, store);
	fixture_close(&fixture);
}

/* ---- tests ---- */

static void test_the_layout_stays_what_it_is(void)
{
	static const char runtime[] = "\1\1\0\0\0\0\0\0"
				      "\2\0\0\0\0\0\0\0" /* sequence */
				      "\2\0\0\0\0\0\0\0" /* last event id */
				      "\7\0\0\0"	 /* uptime */
				      "\1\0\0\0"	 /* Workers */
				      "\1\0\0\0"	 /* keys */
				      "\0\0\0",		 /* not stopped, and the NUL */
		workers[] = "\1\2\0\0\1\0\0\0"
			    "\2\0\0\0\0\0\0\0"	 /* created at */
			    "\352\3\0\0\0\0\0\0" /* 1002 ms */
			    "\2\0\0\0\0\0\0\0"	 /* last event id */
			    "\2\0\0\0\0\0\0\0"	 /* last sequence */
			    "\0\0\0\0\0\0\0\0"	 /* turns */
			    "\0\0\0\0\0\0\0\0"	 /* items */
			    "\0\1\0\0"		 /* running, idle, no flags */
			    "\1\0\0\0a"
			    "\2\0"
			    "\377\377\377\377"
			    "\1\0\0\0v"
			    "\377\377\377\377\377\377\377\377\377\377\377\377"
			    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	const struct wr_create request = {.intent = WR_INTENT_ROLE,
					  .role = WR_VIEW_INIT("v"),
					  .worker_id = WR_VIEW_INIT("a")};
	const struct wr_key key = fixture_key(1, 5);
	const struct wr_worker *worker;
	struct kept_store store;
	struct fixture fixture;
	struct wr_error error;
	struct wr_view part;

	store_init(&store);
	open_over(&fixture, &store);
	fixture.uptime_ms = 7999;
	CHECK_STATUS(wr_runtime_create(fixture.runtime, &request, &key, &worker, &error), WR_OK);
	take_checkpoint(&fixture, &store);
	CHECK_U64(store.parts.count, 3);
	CHECK_VIEW(store.parts.records[0].payload, wr_view_of(runtime, sizeof runtime));
	part = store.parts.records[1].payload;
	CHECK_U64(part.bytes, sizeof workers);
	memcpy((char *)(uintptr_t)part.data + 16, workers + 16, 8); /* the clock went on */
	CHECK_VIEW(part, wr_view_of(workers, sizeof workers));
	part = store.parts.records[2].payload;
	CHECK_U64(part.bytes, 8 + 32 + 26);
	CHECK_VIEW(wr_view_of(part.data, 8), wr_view_of("\1\3\0\0\1\0\0\0", 8));
	CHECK_VIEW(wr_view_of(part.data + 8, 32), wr_view_of(&key, 32));
	CHECK_VIEW(wr_view_of(part.data + 40, 26),
		   wr_view_of("\2\0\0\0\0\0\0\0" /* event */
			      "\0\0\0\0\0\0\0\0" /* no item */
			      "\1\0\0\0\7\0\0\0" /* Worker, uptime */
			      "\1\0",		 /* create, running */
			      26));
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

/* ---- queues: rows with more members, and parts of the second version ---- */

/* A Worker whose inputs wait (3 delivered, 5 and 6 not), and one whose end took back what waited.
 */
static void make_queues(struct turns *turns)
{
	const struct wr_worker *worker;
	struct wr_ack ack;

	turns_open(turns, true);
	worker = turns_create(turns, WR_BUSY_QUEUE, 4);
	turns_say(turns, worker, "one");
	turns_say(turns, worker, "two");
	turns_say(turns, worker, "three");
	worker = turns_create(turns, WR_BUSY_UNSAID, 0); /* 7 */
	turns_hold(turns);
	turns_say(turns, worker, "four"); /* 8 */
	CHECK_STATUS(wr_runtime_cancel_worker(turns->fixture.runtime, worker->id, WR_VIEW_NULL,
					      NULL, &ack),
		     WR_OK); /* 9 */
	take_checkpoint(&turns->fixture, &turns->store);
	fixture_close(&turns->fixture);
}

/* From the policy to the end of a row. */
static const char first_end[] = "\2\4\0\0\0"
				"\377\377\377\377"
				"\2\0\0\0"
				"\5\0\0\0\0\0\0\0\3\0\0\0\0"
				"\6\0\0\0\0\0\0\0\5\0\0\0"; /* and the NUL: user */
static const char second_end[] = "\0\0\0\0\0"
				 "\10\0\0\0\10\0\0\0\0\0\0\0"
				 "\0\0\0"; /* and the NUL */
enum { FIRST_AT = 8 + 52 + 19 + 22 + 24, FIRST_END = FIRST_AT + sizeof first_end };

static void test_the_layout_of_queues_stays_what_it_is(void)
{
	struct turns turns;
	struct wr_view part;

	make_queues(&turns);
	CHECK_U64(turns.store.parts.count, 2);
	CHECK_U64(turns.store.parts.records[0].payload.data[0], 1);
	part = turns.store.parts.records[1].payload;
	CHECK_VIEW(wr_view_of(part.data, 8), wr_view_of("\2\2\0\0\2\0\0\0", 8));
	CHECK_U64(part.data[8 + 50], 2); /* flags */
	CHECK_VIEW(wr_view_of(part.data + FIRST_AT, sizeof first_end),
		   wr_view_of(first_end, sizeof first_end));
	CHECK_VIEW(wr_view_skip(part, part.bytes - sizeof second_end),
		   wr_view_of(second_end, sizeof second_end));
	kept_store_deinit(&turns.store);
}

static void test_queues_that_cannot_be_are_damage(void)
{
	static const struct {
		const char *what;
		size_t at;
		char value;
		enum wr_status expected;
	} cases[] = {
		{"as it was", 0, 2, WR_OK},
		{"the first version", 0, 1, WR_CORRUPT},
		{"a newer version", 0, 3, WR_UNSUPPORTED},
		{"flags without the queue", 8 + 50, 0, WR_CORRUPT},
		{"an unknown flag", 8 + 50, 6, WR_CORRUPT},
		{"policy three", FIRST_AT, 3, WR_CORRUPT},
		{"reject with a queue", FIRST_AT, 1, WR_CORRUPT},
		{"unsaid with a queue", FIRST_AT, 0, WR_CORRUPT},
		{"a queue for nothing", FIRST_AT + 1, 0, WR_CORRUPT},
		{"a queue without end", FIRST_AT + 3, 1, WR_CORRUPT},
		{"dropped by who runs", FIRST_AT + 5, 0, WR_CORRUPT},
		{"one less", FIRST_AT + 9, 1, WR_CORRUPT},
		{"one more", FIRST_AT + 9, 3, WR_CORRUPT},
		{"more than can wait", FIRST_AT + 10, 4, WR_CORRUPT},
		{"waits since before its Worker", FIRST_AT + 13, 2, WR_CORRUPT},
		{"in another order", FIRST_AT + 13, 6, WR_CORRUPT},
		{"of the future", FIRST_AT + 26, 9, WR_CORRUPT},
		{"longer than an input", FIRST_AT + 24, 1, WR_CORRUPT},
		{"of a kind that is not", FIRST_AT + 25, 2, WR_CORRUPT},
		{"of the other kind", FIRST_AT + 25, 1, WR_OK},
		{"cancelled and waiting", 8 + 48, WR_WORKER_CANCELLED, WR_CORRUPT},
	};
	struct turns turns;
	char *bytes;

	make_queues(&turns);
	bytes = (char *)(uintptr_t)turns.store.parts.records[1].payload.data;
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char before = bytes[cases[i].at];
		wr_test_case(cases[i].what);
		bytes[cases[i].at] = cases[i].value;
		CHECK_STATUS(open_status(&turns.store), cases[i].expected);
		bytes[cases[i].at] = before;
	}
	kept_store_deinit(&turns.store);
}

static void test_parts_are_small_unless_one_worker_is_large(void)
{
	static char text[200000];
	const struct wr_create large = {.intent = WR_INTENT_TASK, .objective = {text, sizeof text}};
	struct kept_store store;
	struct fixture fixture;
	char *expected, *actual;
	unsigned above = 0;

	memset(text, 'x', sizeof text);
	store_init(&store);
	open_over(&fixture, &store);
	for (unsigned i = 0; i < 2000; i++) {
		fixture_create(&fixture);
		if (i % 900 == 0)
			create(&fixture, &large);
	}
	take_checkpoint(&fixture, &store);
	for (size_t i = 0; i < store.parts.count; i++)
		if (store.parts.records[i].payload.bytes > 65536) {
			above++;
			/* It is alone in its part. */
			CHECK_U64((unsigned char)store.parts.records[i].payload.data[4], 1);
		}
	CHECK(above == 3 && store.parts.count > 6 && store.parts.count < 15);
	expected = dump(fixture.runtime, DUMP_STORY);
	fixture_close(&fixture);
	open_over(&fixture, &store);
	actual = dump(fixture.runtime, DUMP_STORY);
	check_dumps(actual, expected, "restored");
	free(actual);
	free(expected);
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Loose bounds: the figures are in bench/. What must not happen is a quadratic one. */
static void test_ten_thousand_workers_are_quick(void)
{
	struct kept_store store;
	struct fixture fixture;
	uint64_t from;

	store_init(&store);
	open_over(&fixture, &store);
	for (unsigned i = 0; i < 10000; i++)
		fixture_create(&fixture);
	from = now_us();
	take_checkpoint(&fixture, &store);
	CHECK(now_us() - from < 1000000);
	fixture_close(&fixture);
	kept_store_cut(&store, 0);
	from = now_us();
	open_over(&fixture, &store);
	CHECK(now_us() - from < 2000000);
	CHECK(wr_runtime_worker(fixture.runtime, 10000) != NULL);
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

static void test_a_checkpoint_that_fails_is_tried_again(void)
{
	struct kept_store store;
	struct fixture fixture;
	uint64_t n;

	store_init(&store);
	open_over(&fixture, &store);
	fixture_create(&fixture);
	store.wants_checkpoint = true;
	store.checkpoint_mood = WR_FULL;
	wr_runtime_settle(fixture.runtime);
	CHECK_U64(store.checkpoint_count, 0);
	store.checkpoint_mood = WR_OK;
	wr_runtime_settle(fixture.runtime);
	CHECK_U64(store.checkpoint_count, 1);
	wr_runtime_settle(fixture.runtime);
	CHECK_U64(store.checkpoint_count, 1); /* only when the store wants one */
	/* The buffer that it is made in may not be had: before it is begun, as each that is begun
	 * costs the store a segment. */
	fixture_close(&fixture);
	open_over(&fixture, &store);
	store.wants_checkpoint = true;
	store.begun_count = 0;
	for (n = 1; store.checkpoint_count < 2; n++) {
		wr_test_fail_allocation(n, false);
		wr_runtime_settle(fixture.runtime);
		wr_test_fail_allocation(0, false);
	}
	CHECK(n > 2);
	CHECK_U64(store.begun_count, 1);
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

static void test_a_checkpoint_holds_what_is_not_yet_visible(void)
{
	struct kept_store store;
	struct fixture fixture;
	struct wr_ack ack;

	store_init(&store);
	open_over(&fixture, &store);
	fixture_create(&fixture);
	store.is_held = true;
	store.shown = 2;
	CHECK_STATUS(fixture_input(&fixture, wr_runtime_worker(fixture.runtime, 1), "x", &ack),
		     WR_OK);
	take_checkpoint(&fixture, &store);
	CHECK_U64(wr_runtime_visible(fixture.runtime), 2);
	fixture_close(&fixture);
	store.is_held = false;
	open_over(&fixture, &store);
	CHECK_U64(wr_runtime_worker(fixture.runtime, 1)->shown.item_count, 1);
	CHECK_U64(wr_runtime_visible(fixture.runtime), 3);
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

/* ---- parts that are not ours ---- */

static void test_parts_left_out_repeated_or_exchanged_are_damage(void)
{
	struct kept_store good;

	make_store(&good);
	CHECK_STATUS(open_status(&good), WR_OK);
	CHECK_U64(good.parts.count, 3);
	for (unsigned order = 0; order < 4 * 4 * 4 * 4; order++) {
		/* Each digit names a part, 3 none. */
		unsigned rest = order, picked[4], count = 0;
		struct kept_store store;
		for (unsigned i = 0; i < 4; i++, rest /= 4)
			if (rest % 4 != 3)
				picked[count++] = rest % 4;
		kept_store_copy(&store, &good);
		kept_list_deinit(&store.parts);
		for (unsigned i = 0; i < count; i++) {
			struct wr_store_record part = kept_lend(&good.parts.records[picked[i]]);
			kept_list_add(&store.parts, &part, WR_STORE_ORDINARY);
		}
		CHECK_STATUS(open_status(&store), count == 0 || (count == 3 && picked[0] == 0 &&
								 picked[1] == 1 && picked[2] == 2)
							  ? WR_OK
							  : WR_CORRUPT);
		kept_store_deinit(&store);
	}
	kept_store_deinit(&good);
}

static void test_parts_cut_anywhere_or_longer_are_damage(void)
{
	struct kept_store good;

	make_store(&good);
	for (size_t place = 0; place < good.parts.count; place++) {
		struct wr_view whole = good.parts.records[place].payload;
		char *longer = malloc(whole.bytes + 1);
		CHECK(longer != NULL);
		memcpy(longer, whole.data, whole.bytes);
		longer[whole.bytes] = 0;
		for (size_t bytes = 0; bytes <= whole.bytes + 1; bytes++) {
			good.parts.records[place].payload =
				wr_test_guarded(0, wr_view_of(longer, bytes));
			CHECK_STATUS(open_status(&good), bytes == whole.bytes ? WR_OK : WR_CORRUPT);
		}
		good.parts.records[place].payload = whole;
		free(longer);
	}
	kept_store_deinit(&good);
}

/* Whatever is changed, it is refused or makes a Runtime that works. */
static unsigned change_every_bit(struct kept_store *good)
{
	unsigned refused = 0;

	for (size_t place = 0; place < good->parts.count; place++) {
		struct wr_view whole = good->parts.records[place].payload;
		for (size_t at = 0; at < whole.bytes; at++)
			for (unsigned bit = 0; bit < 8; bit++) {
				char *byte = (char *)(uintptr_t)whole.data + at;
				enum wr_status status;
				*byte = (char)(*byte ^ (1 << bit));
				status = open_status(good);
				*byte = (char)(*byte ^ (1 << bit));
				CHECK(status == WR_OK || status == WR_CORRUPT ||
				      (status == WR_UNSUPPORTED && at == 0));
				refused += status != WR_OK;
			}
	}
	return refused;
}

static void test_any_changed_byte_is_harmless(void)
{
	struct kept_store good;
	struct turns turns;

	make_store(&good);
	CHECK(change_every_bit(&good) > 1000);
	kept_store_deinit(&good);
	make_queues(&turns);
	CHECK(change_every_bit(&turns.store) > 1000);
	kept_store_deinit(&turns.store);
}

enum { WORKER_AT = 8, TEXTS_AT = 52, KEY_AT = 8 };

static void test_states_that_cannot_be_are_damage(void)
{
	static const struct {
		const char *what;
		size_t part, at;
		char value;
		enum wr_status expected;
	} cases[] = {
		{"as it was", 0, 0, 1, WR_OK},
		{"a newer version", 0, 0, 3, WR_UNSUPPORTED},
		{"the second version without need", 0, 0, 2, WR_CORRUPT},
		{"the second version without need", 1, 0, 2, WR_CORRUPT},
		{"the second version without need", 2, 0, 2, WR_CORRUPT},
		{"version zero", 0, 0, 0, WR_CORRUPT},
		{"kind zero", 1, 1, 0, WR_CORRUPT},
		{"kind four", 1, 1, 4, WR_CORRUPT},
		{"flags of a part", 1, 2, 1, WR_CORRUPT},
		{"a row in the first part", 0, 4, 1, WR_CORRUPT},
		{"one row less", 1, 4, 2, WR_CORRUPT},
		{"one row more", 1, 4, 4, WR_CORRUPT},
		{"another sequence", 0, 8, 3, WR_CORRUPT},
		{"an event id beyond it", 0, 16, 99, WR_CORRUPT},
		{"one Worker less", 0, 28, 2, WR_CORRUPT},
		{"one Worker more", 0, 28, 4, WR_CORRUPT},
		{"one key less", 0, 32, 0, WR_CORRUPT},
		{"stopped, with Workers running", 0, 36, 1, WR_CORRUPT},
		{"stopped twice", 0, 36, 2, WR_CORRUPT},
		{"created at zero", 1, WORKER_AT, 0, WR_CORRUPT},
		{"created behind its last event", 1, WORKER_AT, 9, WR_CORRUPT},
		{"last event before its creation", 1, WORKER_AT + 16, 1, WR_CORRUPT},
		{"last event beyond the last sequence", 1, WORKER_AT + 16, 99, WR_CORRUPT},
		{"last sequence beyond the head", 1, WORKER_AT + 24, 99, WR_CORRUPT},
		{"more turns than events", 1, WORKER_AT + 32, 99, WR_CORRUPT},
		{"more items than events", 1, WORKER_AT + 40, 99, WR_CORRUPT},
		{"status three", 1, WORKER_AT + 48, 3, WR_CORRUPT},
		{"cancelled and idle", 1, WORKER_AT + 48, WR_WORKER_CANCELLED, WR_CORRUPT},
		{"stopped and idle", 1, WORKER_AT + 48, WR_WORKER_STOPPED, WR_CORRUPT},
		{"running and stopped", 1, WORKER_AT + 49, WR_PHASE_STOPPED, WR_CORRUPT},
		{"running and failed", 1, WORKER_AT + 49, WR_PHASE_FAILED, WR_OK},
		{"phase beyond the last", 1, WORKER_AT + 49, WR_PHASE_COUNT, WR_CORRUPT},
		{"in quarantine", 1, WORKER_AT + 50, 1, WR_OK},
		{"unknown flag", 1, WORKER_AT + 50, 2, WR_CORRUPT},
		{"reserved byte", 1, WORKER_AT + 51, 1, WR_CORRUPT},
		{"no id", 1, WORKER_AT + TEXTS_AT, 0, WR_CORRUPT},
		{"intent three", 1, WORKER_AT + TEXTS_AT + 4 + 6, 3, WR_CORRUPT},
		{"another key", 2, KEY_AT, 3, WR_OK},
		{"a key of no event", 2, KEY_AT + 32, 0, WR_CORRUPT},
		{"a key of the future", 2, KEY_AT + 32, 99, WR_CORRUPT},
		{"a key of Worker zero", 2, KEY_AT + 48, 0, WR_CORRUPT},
		{"a key of nobody", 2, KEY_AT + 48, 4, WR_CORRUPT},
		{"a key used later than now", 2, KEY_AT + 52, 9, WR_CORRUPT},
		{"operation zero", 2, KEY_AT + 56, 0, WR_CORRUPT},
		{"operation six", 2, KEY_AT + 56, 6, WR_CORRUPT},
		{"answered status three", 2, KEY_AT + 57, 3, WR_CORRUPT},
	};
	struct kept_store store;

	make_store(&store);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_view part = store.parts.records[cases[i].part].payload;
		char *byte = (char *)(uintptr_t)part.data + cases[i].at, before = *byte;
		wr_test_case(cases[i].what);
		CHECK(cases[i].at < part.bytes);
		*byte = cases[i].value;
		CHECK_STATUS(open_status(&store), cases[i].expected);
		*byte = before;
	}
	store.parts.records[1].sequence++;
	wr_test_case("parts of two checkpoints");
	CHECK_STATUS(open_status(&store), WR_CORRUPT);
	kept_store_deinit(&store);
}

static void test_the_same_worker_or_key_twice_is_damage(void)
{
	for (unsigned part_index = 1; part_index < 3; part_index++) {
		struct kept_store store;
		struct wr_view part;
		char *twice, *counts;
		size_t row;

		make_store(&store);
		part = store.parts.records[part_index].payload;
		row = part.bytes - 8;
		twice = malloc(8 + 2 * row);
		CHECK(twice != NULL);
		memcpy(twice, part.data, 8 + row);
		memcpy(twice + 8 + row, part.data + 8, row);
		twice[4] = (char)(2 * twice[4]);
		counts = (char *)(uintptr_t)store.parts.records[0].payload.data;
		counts[part_index == 1 ? 28 : 32] = twice[4];
		free((void *)(uintptr_t)part.data);
		store.parts.records[part_index].payload = wr_view_of(twice, 8 + 2 * row);
		CHECK_STATUS(open_status(&store), WR_CORRUPT);
		kept_store_deinit(&store);
	}
}

static void test_restoring_without_memory_leaves_nothing(void)
{
	struct kept_store store;
	unsigned refused = 0;

	make_store(&store);
	for (uint64_t n = 1;; n++) {
		enum wr_status status;
		wr_test_fail_allocation(n, false);
		status = open_status(&store);
		wr_test_fail_allocation(0, false);
		if (status == WR_OK)
			break;
		CHECK_STATUS(status, WR_NO_MEMORY);
		refused++;
	}
	CHECK(refused > 8);
	kept_store_deinit(&store);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_the_layout_stays_what_it_is),
	WR_TEST(test_the_layout_of_queues_stays_what_it_is),
	WR_TEST(test_queues_that_cannot_be_are_damage),
	WR_TEST(test_parts_are_small_unless_one_worker_is_large),
	WR_TEST_LIMIT(test_ten_thousand_workers_are_quick, 60),
	WR_TEST(test_a_checkpoint_that_fails_is_tried_again),
	WR_TEST(test_a_checkpoint_holds_what_is_not_yet_visible),
	WR_TEST(test_parts_left_out_repeated_or_exchanged_are_damage),
	WR_TEST_LIMIT(test_parts_cut_anywhere_or_longer_are_damage, 60),
	WR_TEST_LIMIT(test_any_changed_byte_is_harmless, 120),
	WR_TEST(test_states_that_cannot_be_are_damage),
	WR_TEST(test_the_same_worker_or_key_twice_is_damage),
	WR_TEST(test_restoring_without_memory_leaves_nothing),
	WR_TEST_END,
};
