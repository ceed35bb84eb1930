/* Goal: what memory no longer has is read back from the store as it was: the same items, the same
 * frames with the same tokens, and damage is named. Method: an encoding that shows what it was
 * given; every frame that a live Runtime had is kept aside and compared with what the store gives,
 * in the same process, after a restart, and after an unclean one. */
#include "unit/core/fixture.h"

/* ---- an encoding that tells everything ---- */

enum { KIND_BYTES = 4 };

/* kind, then the cursor, then ids. Terminal phases show nothing, as in wire/. */
static enum wr_status encode(void *context, struct wr_buf *out, const struct wr_event *event,
			     const struct wr_identity *identity, enum wr_scope scope)
{
	char kind[KIND_BYTES + 1];

	(void)context;
	if (event->kind == WR_EVENT_PHASE_CHANGED &&
	    wr_phase_protocol_status((enum wr_phase)event->as.phase.to) == NULL)
		return WR_OK;
	CHECK(event->kind != WR_EVENT_REPEATABLE);
	snprintf(kind, sizeof kind, "%c%03u", scope == WR_SCOPE_WORKER ? 'w' : 'r',
		 (unsigned)event->kind);
	wr_buf_append(out, kind, KIND_BYTES);
	wr_buf_append(out, identity->cursor, WR_CURSOR_BYTES);
	wr_buf_append_view(out, identity->runtime_id);
	wr_buf_append_view(out, identity->worker_id);
	return wr_buf_append_view(out, identity->log_id);
}

static void patch(void *context, char *frame, size_t bytes, const char cursor[WR_CURSOR_BYTES])
{
	(void)context;
	CHECK(bytes > KIND_BYTES + WR_CURSOR_BYTES && frame[0] == 'w');
	memcpy(frame + KIND_BYTES, cursor, WR_CURSOR_BYTES);
}

static const struct wr_encoding encoding = {.encode = encode, .patch = patch};

/* ---- a Runtime over a store ---- */

static void store_init(struct kept_store *store)
{
	*store = (struct kept_store){.generation = 1, .log_id = {0xab, 1, 2, 3, 4, 5, 6, 0xcd}};
}

static void open_over(struct fixture *fixture, struct kept_store *store)
{
	fixture_init(fixture, 1);
	fixture->ports.store = (struct wr_store){&kept_store_ops, store};
	fixture->ports.encoding = &encoding;
	fixture_open(fixture);
}

/* Three Workers, all kinds of events. */
static void make_history(struct fixture *fixture)
{
	const struct wr_output done = {.kind = WR_OUTPUT_TEXT_DONE,
				       .text = WR_VIEW_INIT("an answer")},
			       result = {.kind = WR_OUTPUT_TOOL_RESULT,
					 .id = WR_VIEW_INIT("call"),
					 .name = WR_VIEW_INIT("summary"),
					 .flag = true},
			       error = {.kind = WR_OUTPUT_ERROR, .text = WR_VIEW_INIT("wrong")};
	const struct wr_key key = fixture_key(1, 1);
	const struct wr_worker *worker = fixture_create(fixture);
	struct wr_runtime *runtime = fixture->runtime;
	struct wr_ack ack;

	fixture_create(fixture);
	fixture_create(fixture);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_STATUS(fixture_input(fixture, worker, "a question", &ack), WR_OK);
		CHECK_STATUS(wr_runtime_phase(runtime, 1, WR_PHASE_BUSY, WR_VIEW("x")), WR_OK);
		CHECK_STATUS(wr_runtime_output(runtime, 1, &result), WR_OK);
		CHECK_STATUS(wr_runtime_output(runtime, 1 + i % 2, &done), WR_OK);
		CHECK_STATUS(wr_runtime_phase(runtime, 1, WR_PHASE_IDLE, WR_VIEW("x")), WR_OK);
	}
	CHECK_STATUS(wr_runtime_output(runtime, 3, &error), WR_OK);
	worker = wr_runtime_worker(runtime, 3);
	CHECK_STATUS(wr_runtime_phase(runtime, 3, WR_PHASE_BUSY, WR_VIEW("x")), WR_OK);
	CHECK_STATUS(wr_runtime_stop_worker(runtime, worker->id, WR_VIEW_NULL, NULL, &ack), WR_OK);
	CHECK_STATUS(wr_runtime_execution_ended(runtime, 3), WR_OK);
	CHECK_STATUS(wr_runtime_stop_worker(runtime, worker->id, WR_VIEW_NULL, &key, &ack), WR_OK);
	wr_runtime_settle(runtime);
}

/* ---- frames ---- */

struct seen {
	uint64_t sequence;
	char bytes[160];
	size_t count;
};

struct seen_list {
	struct seen frames[100];
	unsigned count;
};

static void see(struct seen_list *list, uint64_t sequence, struct wr_view bytes)
{
	struct seen *seen = &list->frames[list->count++];

	CHECK(list->count < WR_COUNT(list->frames) && bytes.bytes <= sizeof seen->bytes);
	seen->sequence = sequence;
	seen->count = bytes.bytes;
	memcpy(seen->bytes, bytes.data, bytes.bytes);
}

/* What the runtime-wide stream has in memory, as it goes out. */
static void see_live_order(struct seen_list *list, struct wr_runtime *runtime)
{
	struct wr_order_frame frame;
	uint64_t sequence = 0;
	uint32_t hint = 0;

	while (wr_event_log_next(wr_runtime_log(runtime), sequence, &hint, &frame)) {
		char bytes[200], cursor[WR_CURSOR_BYTES];
		memcpy(bytes, frame.bytes.data, frame.bytes.bytes);
		sequence = frame.sequence;
		wr_runtime_cursor(runtime, 0, sequence, cursor);
		if (frame.stream->worker != 0)
			patch(NULL, bytes, frame.bytes.bytes, cursor);
		see(list, sequence, wr_view_of(bytes, frame.bytes.bytes));
	}
}

static void see_live_worker(struct seen_list *list, struct wr_runtime *runtime, uint32_t worker)
{
	const struct wr_event_stream *stream = wr_runtime_worker_events(runtime, worker);

	for (uint64_t sequence = 1; sequence <= stream->last_sequence; sequence++) {
		struct wr_view bytes;
		if (wr_event_stream_find(stream, sequence, &bytes))
			see(list, sequence, bytes);
	}
}

static void see_stored(struct seen_list *list, struct wr_runtime *runtime, uint32_t worker)
{
	struct wr_store_place place = {0, 0};
	uint64_t sequence = 0;
	struct wr_view frame;
	enum wr_status status;

	while ((status = wr_runtime_stored_frame(runtime, worker, sequence, &place, &sequence,
						 &frame)) == WR_OK)
		see(list, sequence, frame);
	CHECK_STATUS(status, WR_NOT_FOUND);
}

static void check_same(const struct seen_list *actual, const struct seen_list *expected)
{
	CHECK_U64(actual->count, expected->count);
	for (unsigned i = 0; i < expected->count; i++) {
		CHECK_U64(actual->frames[i].sequence, expected->frames[i].sequence);
		CHECK_VIEW(wr_view_of(actual->frames[i].bytes, actual->frames[i].count),
			   wr_view_of(expected->frames[i].bytes, expected->frames[i].count));
	}
}

static void test_stored_frames_are_what_live_frames_were(void)
{
	static struct seen_list live[4], stored[4];
	struct kept_store store;
	struct fixture fixture;

	store_init(&store);
	open_over(&fixture, &store);
	make_history(&fixture);
	see_live_order(&live[0], fixture.runtime);
	for (uint32_t worker = 1; worker < 4; worker++)
		see_live_worker(&live[worker], fixture.runtime, worker);
	CHECK(live[0].count > 20 && live[1].count > 10 && live[2].count == 2 && live[3].count == 3);
	/* In this process; in the next one; after an unclean end, with tokens of their time. */
	for (unsigned round = 0; round < 3; round++) {
		for (uint32_t scope = 0; scope < 4; scope++) {
			stored[scope].count = 0;
			see_stored(&stored[scope], fixture.runtime, scope);
			check_same(&stored[scope], &live[scope]);
		}
		fixture_close(&fixture);
		if (round == 1) {
			store.ends[1] = kept_head(&store);
			store.generation = 2;
		}
		open_over(&fixture, &store);
		CHECK(wr_runtime_worker_events(fixture.runtime, 1)->count == 0);
	}
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

/* A frame's token names the generation in which it was made, which the frames before and behind an
 * unclean end do not share. */
static void test_tokens_of_stored_frames_are_of_their_generation(void)
{
	static const uint32_t expected[] = {0, 1, 1, 1, 3, 3, 4};
	struct kept_store store;
	struct fixture fixture;
	struct wr_ack ack;

	store_init(&store);
	open_over(&fixture, &store);
	CHECK_STATUS(fixture_input(&fixture, fixture_create(&fixture), "one", &ack), WR_OK);
	fixture_close(&fixture);
	store.ends[1] = store.ends[2] = 3; /* the second generation recorded nothing */
	store.generation = 3;
	open_over(&fixture, &store);
	for (unsigned i = 0; i < 2; i++)
		CHECK_STATUS(
			fixture_input(&fixture, wr_runtime_worker(fixture.runtime, 1), "two", &ack),
			WR_OK);
	fixture_close(&fixture);
	store.ends[3] = 5;
	store.generation = 4;
	open_over(&fixture, &store);
	CHECK_STATUS(fixture_input(&fixture, wr_runtime_worker(fixture.runtime, 1), "three", &ack),
		     WR_OK);
	for (uint64_t after = 0, sequence; after < 6; after = sequence) {
		struct wr_store_place place = {0, 0};
		struct wr_cursor cursor;
		struct wr_view frame;
		uint64_t from;
		CHECK_STATUS(wr_runtime_stored_frame(fixture.runtime, 0, after, &place, &sequence,
						     &frame),
			     WR_OK);
		frame = wr_view_of(frame.data + KIND_BYTES, WR_CURSOR_BYTES);
		CHECK_STATUS(wr_cursor_parse(&cursor, frame), WR_OK);
		CHECK_U64(cursor.generation, expected[sequence]);
		CHECK_U64(cursor.sequence, sequence);
		CHECK_STATUS(wr_runtime_judge_cursor(fixture.runtime, 0, frame, &from), WR_OK);
		CHECK_U64(from, sequence);
	}
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

static void test_frames_are_read_up_to_the_visible_end(void)
{
	struct wr_store_place place = {0, 0};
	struct kept_store store;
	struct fixture fixture;
	struct wr_view frame;
	struct wr_ack ack;
	uint64_t sequence;

	store_init(&store);
	open_over(&fixture, &store);
	fixture_create(&fixture);
	store.is_held = true;
	store.shown = 2;
	CHECK_STATUS(fixture_input(&fixture, wr_runtime_worker(fixture.runtime, 1), "x", &ack),
		     WR_OK);
	CHECK_STATUS(wr_runtime_stored_frame(fixture.runtime, 1, 0, &place, &sequence, &frame),
		     WR_NOT_FOUND);
	store.is_held = false; /* the store is further than what was settled */
	CHECK_STATUS(wr_runtime_stored_frame(fixture.runtime, 1, 0, &place, &sequence, &frame),
		     WR_NOT_FOUND);
	wr_runtime_settle(fixture.runtime);
	CHECK_STATUS(wr_runtime_stored_frame(fixture.runtime, 1, 0, &place, &sequence, &frame),
		     WR_OK);
	CHECK_U64(sequence, 3);
	CHECK_STATUS(wr_runtime_stored_frame(fixture.runtime, 1, 3, &place, &sequence, &frame),
		     WR_NOT_FOUND);
	fixture_close(&fixture);
	kept_store_deinit(&store);
	/* Without a store there is nothing beside memory. */
	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	CHECK_STATUS(wr_runtime_stored_frame(fixture.runtime, 0, 0, &place, &sequence, &frame),
		     WR_NOT_FOUND);
	fixture_close(&fixture);
}

/* ---- batches ---- */

static void see_event(void *context, uint64_t event_id, struct wr_view frame)
{
	see(context, event_id, frame);
}

static void see_batches(struct seen_list *list, struct wr_runtime *runtime, uint32_t limit)
{
	uint64_t next = 1;
	bool has_more = true;

	while (has_more) {
		unsigned before = list->count;
		CHECK_STATUS(wr_runtime_read_events(runtime, next, limit, see_event, list, &next,
						    &has_more),
			     WR_OK);
		CHECK(list->count - before == limit || !has_more);
	}
	CHECK_U64(next, list->frames[list->count - 1].sequence + 1);
}

static void test_batches_go_on_from_the_store_into_memory(void)
{
	static struct seen_list live, stored;
	struct kept_store store;
	struct fixture fixture;
	struct wr_ack ack;
	uint64_t next;
	bool has_more;

	store_init(&store);
	open_over(&fixture, &store);
	make_history(&fixture);
	see_batches(&live, fixture.runtime, 100);
	CHECK(live.count > 20);
	for (uint32_t limit = 1; limit < 30; limit += 7) {
		fixture_close(&fixture);
		open_over(&fixture, &store);
		CHECK_STATUS(fixture_input(&fixture, wr_runtime_worker(fixture.runtime, 2), "more",
					   &ack),
			     WR_OK);
		stored.count = 0;
		see_batches(&stored, fixture.runtime, limit);
		CHECK(stored.frames[stored.count - 1].sequence == ack.event_id);
		live.frames[live.count++] = stored.frames[stored.count - 1];
		check_same(&stored, &live);
	}
	store.evicted[1] = 6;
	CHECK_STATUS(
		wr_runtime_read_events(fixture.runtime, 6, 5, see_event, &stored, &next, &has_more),
		WR_EXPIRED);
	stored.count = 0;
	store.is_damaged[1] = true;
	CHECK_STATUS(
		wr_runtime_read_events(fixture.runtime, 7, 5, see_event, &stored, &next, &has_more),
		WR_CORRUPT);
	CHECK(stored.count == 0 && next == 7 && !has_more);
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

/* ---- items ---- */

static const struct {
	const char *text;
	enum wr_role role;
} items[] = {
	{"a question", WR_ROLE_USER},
	{"[call] error: summary", WR_ROLE_SYSTEM},
	{"an answer", WR_ROLE_ASSISTANT},
	{"a question", WR_ROLE_USER},
	{"[call] error: summary", WR_ROLE_SYSTEM},
};

static void test_items_come_from_memory_or_store_alike(void)
{
	struct wr_item live[sizeof items / sizeof items[0]], item;
	struct kept_store store;
	struct fixture fixture;

	store_init(&store);
	open_over(&fixture, &store);
	make_history(&fixture);
	for (unsigned round = 0; round < 2; round++) {
		const struct wr_worker *worker = wr_runtime_worker(fixture.runtime, 1);
		struct wr_store_place place = {0, 0};
		CHECK_U64(worker->shown.item_count, 10);
		for (unsigned i = 0; i < WR_COUNT(items); i++) {
			unsigned reads = store.read_count;
			CHECK_STATUS(wr_runtime_item(fixture.runtime, worker, i + 1, &place, &item),
				     WR_OK);
			CHECK_U64(store.read_count - reads, round);
			CHECK(item.number == i + 1 && item.role == items[i].role);
			CHECK_STRING(item.content, items[i].text);
			if (round == 0)
				live[i] = item;
			CHECK(item.event_id == live[i].event_id && item.wall_ms == live[i].wall_ms);
		}
		CHECK_STATUS(wr_runtime_item(fixture.runtime, worker, 0, &place, &item),
			     WR_NOT_FOUND);
		CHECK_STATUS(wr_runtime_item(fixture.runtime, worker, 11, &place, &item),
			     WR_NOT_FOUND);
		fixture_close(&fixture);
		open_over(&fixture, &store);
	}
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

static void test_the_numbers_of_items_go_on_and_the_oldest_go(void)
{
	const struct wr_worker *worker;
	struct wr_store_place place = {0, 0};
	struct kept_store store;
	struct fixture fixture;
	struct wr_item item;
	struct wr_ack ack;

	store_init(&store);
	open_over(&fixture, &store);
	make_history(&fixture);
	fixture_close(&fixture);
	store.first_item[1] = 4;
	open_over(&fixture, &store);
	worker = wr_runtime_worker(fixture.runtime, 1);
	CHECK_U64(wr_runtime_first_item(fixture.runtime, worker), 4);
	CHECK_STATUS(wr_runtime_item(fixture.runtime, worker, 3, &place, &item), WR_NOT_FOUND);
	CHECK_STATUS(wr_runtime_item(fixture.runtime, worker, 4, &place, &item), WR_OK);
	CHECK_STATUS(fixture_input(&fixture, worker, "next", &ack), WR_OK);
	CHECK_U64(ack.transcript_sequence, 11);
	CHECK_STATUS(wr_runtime_item(fixture.runtime, worker, 11, &place, &item), WR_OK);
	CHECK_STRING(item.content, "next");
	store.first_item[1] = 30;
	CHECK_U64(wr_runtime_first_item(fixture.runtime, worker), 12);
	CHECK_U64(wr_runtime_first_item(fixture.runtime, wr_runtime_worker(fixture.runtime, 2)), 1);
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

/* ---- what is gone, and what is damaged ---- */

static void test_what_memory_gave_up_is_not_expired(void)
{
	char token[WR_CURSOR_BYTES];
	struct kept_store store;
	struct fixture fixture;
	struct wr_ack ack;
	uint64_t from;

	store_init(&store);
	open_over(&fixture, &store);
	make_history(&fixture);
	fixture_close(&fixture);
	open_over(&fixture, &store);
	for (uint32_t scope = 0; scope < 2; scope++) {
		wr_runtime_cursor(fixture.runtime, scope, 5, token);
		CHECK_U64(wr_runtime_evicted(fixture.runtime, scope), 0);
		CHECK_STATUS(wr_runtime_judge_cursor(fixture.runtime, scope,
						     wr_view_of(token, sizeof token), &from),
			     WR_OK);
	}
	store.evicted[1] = 9;
	for (uint32_t scope = 0; scope < 3; scope++) {
		wr_runtime_cursor(fixture.runtime, scope, 5, token);
		CHECK_U64(wr_runtime_evicted(fixture.runtime, scope), scope < 2 ? 9 : 0);
		CHECK_STATUS(wr_runtime_judge_cursor(fixture.runtime, scope,
						     wr_view_of(token, sizeof token), &from),
			     scope < 2 ? WR_EXPIRED : WR_OK);
		CHECK_U64(from, scope < 2 ? 9 : 5);
	}
	CHECK_STATUS(
		wr_runtime_judge_cursor(fixture.runtime, 1, WR_VIEW("wo_0000000000000000"), &from),
		WR_OK);
	CHECK_U64(from, 9);
	/* New positions begin at nothing, and the first new event is the first frame. */
	CHECK_STATUS(fixture_input(&fixture, wr_runtime_worker(fixture.runtime, 1), "new", &ack),
		     WR_OK);
	CHECK_U64(wr_runtime_worker_events(fixture.runtime, 1)->count, 1);
	CHECK_U64(wr_event_stream_position(wr_runtime_worker_events(fixture.runtime, 1),
					   ack.event_id),
		  0);
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

static void check_refuses_commands(struct fixture *fixture, const struct wr_worker *worker)
{
	const struct wr_create again = {.worker_id = worker->id};
	const struct wr_worker *out;
	struct wr_error error;
	struct wr_ack ack;

	CHECK_STATUS(fixture_input(fixture, worker, "x", &ack), WR_CORRUPT);
	CHECK_STATUS(wr_runtime_stop_worker(fixture->runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		     WR_CORRUPT);
	CHECK_STATUS(
		wr_runtime_cancel_worker(fixture->runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		WR_CORRUPT);
	CHECK_STATUS(wr_runtime_interrupt(fixture->runtime, worker->id, NULL, &ack), WR_CORRUPT);
	CHECK_STATUS(wr_runtime_create(fixture->runtime, &again, NULL, &out, &error), WR_CORRUPT);
}

static void test_damage_that_is_read_puts_the_worker_in_quarantine(void)
{
	struct wr_store_place place = {0, 0};
	struct kept_store store;
	struct wr_ack ack;

	store_init(&store);
	for (unsigned how = 0; how < 3; how++) {
		struct fixture fixture;
		const struct wr_worker *worker;
		struct wr_item item;
		struct wr_view frame;
		uint64_t sequence;
		open_over(&fixture, &store);
		if (how == 0)
			make_history(&fixture);
		fixture_close(&fixture);
		open_over(&fixture, &store);
		store.is_damaged[1] = true;
		worker = wr_runtime_worker(fixture.runtime, 1);
		CHECK(!worker->is_quarantined);
		if (how == 0)
			CHECK_STATUS(wr_runtime_item(fixture.runtime, worker, 2, &place, &item),
				     WR_CORRUPT);
		else
			CHECK_STATUS(wr_runtime_stored_frame(fixture.runtime, how - 1, 4, &place,
							     &sequence, &frame),
				     WR_CORRUPT);
		store.is_damaged[1] = false;
		CHECK(worker->is_quarantined);
		check_refuses_commands(&fixture, worker);
		/* The others go on. */
		CHECK_STATUS(
			fixture_input(&fixture, wr_runtime_worker(fixture.runtime, 2), "x", &ack),
			WR_OK);
		fixture_close(&fixture);
	}
	kept_store_deinit(&store);
}

/* What the store takes for sound may still not be what we wrote. */
static void test_records_that_say_something_else_are_damage(void)
{
	static const struct {
		const char *what;
		size_t record; /* by place in the log */
		size_t byte;
		char value;
		bool is_item, is_frame; /* who notices */
	} cases[] = {
		{"as it was", 4, 1, WR_EVENT_INPUT_ACCEPTED, false, false},
		{"kind", 4, 1, 99, true, true},
		{"worker", 4, 4, 2, true, true},
		{"sequence", 4, 8, 77, true, true},
		{"number of the item", 4, 24 + 1 + 4 + 10, 9, true, false},
		{"blank output", 6, 24 + 0, WR_OUTPUT_USAGE, true, false},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_store_place place = {0, 0};
		const struct wr_worker *worker;
		struct kept_store store;
		struct fixture fixture;
		struct wr_item item;
		struct wr_view frame;
		uint64_t sequence;
		char *bytes;

		wr_test_case(cases[i].what);
		store_init(&store);
		open_over(&fixture, &store);
		make_history(&fixture);
		fixture_close(&fixture);
		open_over(&fixture, &store);
		worker = wr_runtime_worker(fixture.runtime, 1);
		bytes = (char *)(uintptr_t)store.log.records[cases[i].record].payload.data;
		bytes[cases[i].byte] = cases[i].value;
		CHECK_STATUS(wr_runtime_item(fixture.runtime, worker, cases[i].record == 4 ? 1 : 2,
					     &place, &item),
			     cases[i].is_item ? WR_CORRUPT : WR_OK);
		CHECK(worker->is_quarantined == cases[i].is_item);
		CHECK_STATUS(wr_runtime_stored_frame(fixture.runtime, 1, cases[i].record, &place,
						     &sequence, &frame),
			     cases[i].is_frame ? WR_CORRUPT : WR_OK);
		fixture_close(&fixture);
		kept_store_deinit(&store);
	}
}

static void test_reading_without_memory_says_so_and_works_later(void)
{
	struct kept_store store;
	struct fixture fixture;
	unsigned refused = 0;

	store_init(&store);
	open_over(&fixture, &store);
	make_history(&fixture);
	for (uint64_t n = 1;; n++) {
		struct wr_store_place place = {0, 0};
		struct wr_item item;
		struct wr_view frame;
		uint64_t sequence;
		enum wr_status status, second;
		fixture_close(&fixture);
		open_over(&fixture, &store);
		wr_test_fail_allocation(n, false);
		status = wr_runtime_item(fixture.runtime, wr_runtime_worker(fixture.runtime, 1), 2,
					 &place, &item);
		second = wr_runtime_stored_frame(fixture.runtime, 0, 4, &place, &sequence, &frame);
		wr_test_fail_allocation(0, false);
		CHECK(status == WR_OK || status == WR_NO_MEMORY);
		CHECK(second == WR_OK || second == WR_NO_MEMORY);
		CHECK(!wr_runtime_worker(fixture.runtime, 1)->is_quarantined);
		if (status == WR_OK && second == WR_OK)
			break;
		refused++;
		CHECK_STATUS(wr_runtime_item(fixture.runtime, wr_runtime_worker(fixture.runtime, 1),
					     2, &place, &item),
			     WR_OK);
		CHECK_STRING(item.content, items[1].text);
	}
	CHECK(refused > 1);
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_stored_frames_are_what_live_frames_were),
	WR_TEST(test_tokens_of_stored_frames_are_of_their_generation),
	WR_TEST(test_frames_are_read_up_to_the_visible_end),
	WR_TEST(test_batches_go_on_from_the_store_into_memory),
	WR_TEST(test_items_come_from_memory_or_store_alike),
	WR_TEST(test_the_numbers_of_items_go_on_and_the_oldest_go),
	WR_TEST(test_what_memory_gave_up_is_not_expired),
	WR_TEST(test_damage_that_is_read_puts_the_worker_in_quarantine),
	WR_TEST(test_records_that_say_something_else_are_damage),
	WR_TEST(test_reading_without_memory_says_so_and_works_later),
	WR_TEST_END,
};
