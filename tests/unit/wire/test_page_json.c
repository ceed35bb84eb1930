/* Goal: pages have the contract's items and ends (2.4, 2.9), in pieces that are one document.
 * Method: real Runtimes with few, many, dropped and large items; the whole answer by meaning, piece
 * by piece with the world going on in between. */
#include "check.h"
#include "harness/harness.h"
#include "unit/wire/fixture.h"
#include "unit/wire/json_equal.h"
#include "unit/wire/stored_fixture.h"
#include "wire/worker_json.h"

enum { OUT_BYTES = 16 * 1048576, PIECE_BYTES_MAX = 16384 + 4096 };

static struct fixture fixture;
static struct wr_buf out;

static void begin(const struct wr_runtime_config *config)
{
	fixture_init(&fixture, config);
	wr_buf_init(&out, wr_test_allocator(), OUT_BYTES);
}

static void end(void)
{
	wr_buf_deinit(&out);
	fixture_deinit(&fixture);
}

static void check_member(const char *path, const char *expected)
{
	CHECK_STRING(json_at(wr_buf_view(&out), path), expected);
}

static size_t count_elements(struct wr_view list)
{
	struct wr_json_reader reader;
	struct wr_view element;
	size_t count = 0;

	wr_json_reader_init(&reader, list, true);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	while (json_element(&reader, &element))
		count++;
	return count;
}

/* ---- lists ---- */

static void write_list(const struct wr_list_query *query)
{
	struct wr_worker_list_page page;
	size_t before = 0;

	wr_buf_reset(&out);
	wr_worker_list_begin(&page, fixture.runtime, query);
	while (wr_worker_list_next(&page, &out)) {
		CHECK(out.bytes > before && out.bytes - before < PIECE_BYTES_MAX);
		before = out.bytes;
	}
	CHECK_U64(out.bytes, before);
	CHECK(!wr_worker_list_next(&page, &out));
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
}

static void test_an_empty_list_is_a_list(void)
{
	struct wr_list_query query = {.has_limit = false};
	char cursor[WR_CURSOR_BYTES];

	begin(NULL);
	write_list(&query);
	CHECK_U64(json_count(wr_buf_view(&out)), 2);
	check_member("workers", "[]");
	wr_runtime_cursor(fixture.runtime, 0, 1, cursor);
	CHECK(wr_view_equal(
		wr_view_of(json_at(wr_buf_view(&out), "cursor").data + 1, WR_CURSOR_BYTES),
		wr_view_of(cursor, sizeof cursor)));
	query = (struct wr_list_query){.has_limit = true, .limit = 5};
	write_list(&query);
	check_member("workers", "[]");
	check_member("next_after", "null");
	end();
}

static void test_lists_are_cut_by_limit_and_after(void)
{
	static const struct {
		const char *after; /* NULL: absent */
		uint64_t limit;
		size_t count;
		const char *next;
	} cases[] = {
		{NULL, 2, 2, "\"worker-00000002\""},
		{NULL, 5, 5, "null"},
		{NULL, 6, 5, "null"},
		{NULL, UINT64_MAX, 5, "null"},
		{NULL, 0, 0, "null"},
		{"", 1, 1, "\"worker-00000001\""},
		{"worker-00000002", 2, 2, "\"worker-00000004\""},
		{"worker-00000002", 3, 3, "null"},
		{"worker-00000002", 0, 0, "\"worker-00000002\""},
		{"worker-000000020", 1, 1, "\"worker-00000003\""},
		{"worker-00000005", 1, 0, "null"},
		{"x", 1, 0, "null"},
		{"a\"", 1, 1, "\"worker-00000001\""},
	};

	begin(NULL);
	for (unsigned i = 0; i < 5; i++)
		fixture_create(&fixture, NULL);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_list_query query = {.has_limit = true,
					      .limit = cases[i].limit,
					      .after = wr_view_of_string(cases[i].after)};

		write_list(&query);
		CHECK_U64(count_elements(json_at(wr_buf_view(&out), "workers")), cases[i].count);
		check_member("next_after", cases[i].next);
	}
	end();
}

/* No id is longer than an id may be: a longer `after` still has its place in the order. */
static void test_an_after_longer_than_any_id_has_its_place(void)
{
	char after[2 * WR_ID_BYTES_MAX];
	struct wr_list_query query = {.after = {after, sizeof after}};

	begin(NULL);
	fixture_create(&fixture, NULL);
	memset(after, 'a', sizeof after);
	write_list(&query);
	CHECK_U64(count_elements(json_at(wr_buf_view(&out), "workers")), 1);
	memset(after, 'z', sizeof after);
	write_list(&query);
	CHECK_U64(count_elements(json_at(wr_buf_view(&out), "workers")), 0);
	end();
}

static void test_a_long_list_comes_in_pieces_in_the_order_of_ids(void)
{
	enum { COUNT = 300 };
	struct wr_list_query query = {.has_limit = false};
	struct wr_json_reader reader;
	struct wr_view element;

	begin(NULL);
	for (unsigned i = 0; i < COUNT; i++)
		fixture_create(&fixture, NULL);
	write_list(&query);
	wr_json_reader_init(&reader, json_at(wr_buf_view(&out), "workers"), true);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	for (uint32_t i = 1; i <= COUNT; i++) {
		struct wr_view id;

		CHECK(json_element(&reader, &element));
		id = json_at(element, "worker_id");
		CHECK_VIEW(wr_view_of(id.data + 1, id.bytes - 2),
			   wr_runtime_worker(fixture.runtime, i)->id);
	}
	CHECK(!json_element(&reader, &element));
	end();
}

static void test_workers_made_between_two_pieces_join_the_list(void)
{
	struct wr_list_query query = {.has_limit = false};
	struct wr_worker_list_page page;

	begin(NULL);
	for (unsigned i = 0; i < 100; i++)
		fixture_create(&fixture, NULL);
	wr_worker_list_begin(&page, fixture.runtime, &query);
	CHECK(wr_worker_list_next(&page, &out));
	fixture_create(&fixture, NULL);
	while (wr_worker_list_next(&page, &out))
		continue;
	CHECK_U64(count_elements(json_at(wr_buf_view(&out), "workers")), 101);
	end();
}

/* ---- transcripts ---- */

static void write_transcript(const struct wr_worker *worker, uint64_t start, uint64_t limit,
			     enum wr_compat compat)
{
	struct wr_page_query query = {.start = start, .limit = limit, .has_limit = true};
	struct wr_transcript_page page;
	size_t before = 0;

	wr_buf_reset(&out);
	CHECK_STATUS(wr_transcript_page_begin(&page, fixture.runtime, worker, &query, compat),
		     WR_OK);
	while (wr_transcript_page_next(&page, &out)) {
		CHECK(out.bytes > before);
		before = out.bytes;
	}
	CHECK_U64(out.bytes, before);
	CHECK(!wr_transcript_page_next(&page, &out));
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
}

static void test_a_page_is_the_contracts_and_more(void)
{
	static const char expected[] =
		"{\"transcript\":{\"worker_ref\":{\"runtime_id\":\"rt-a\",\"worker_id\":\"worker-"
		"00000001\"},\"start\":0,\"limit\":2,\"total_items\":3,\"items\":[{\"sequence\":1,"
		"\"worker_ref\":{\"runtime_id\":\"rt-a\",\"worker_id\":\"worker-00000001\"},"
		"\"role\":"
		"\"user\",\"content\":\"hello\",\"event_id\":3},{\"sequence\":2,\"worker_ref\":{"
		"\"runtime_id\":\"rt-a\",\"worker_id\":\"worker-00000001\"},\"role\":\"system\","
		"\"content\":\"note: read-only\",\"event_id\":4}],\"next_start\":2,"
		"\"first_retained\":0,\"cursor\":\"wo_";
	const struct wr_worker *worker;
	struct wr_view cursor;
	uint64_t sequence;

	begin(NULL);
	worker = fixture_create(&fixture, NULL);
	fixture_say(&fixture, worker, WR_INPUT_USER, "hello");
	fixture_say(&fixture, worker, WR_INPUT_SYSTEM, "note: read-only");
	fixture_output(&fixture, worker, WR_OUTPUT_TEXT_DONE, "answer");
	write_transcript(worker, 0, 2, WR_COMPAT_NONE);
	CHECK_STRING(wr_view_of(out.data, sizeof expected - 1), expected);
	cursor = json_at(wr_buf_view(&out), "transcript.cursor");
	CHECK_STATUS(wr_runtime_judge_cursor(fixture.runtime, worker->number,
					     wr_view_of(cursor.data + 1, cursor.bytes - 2),
					     &sequence),
		     WR_OK);
	CHECK_U64(sequence, 5);
	end();
}

static struct wr_view role_of_first(void)
{
	struct wr_json_reader reader;
	struct wr_view item;

	wr_json_reader_init(&reader, json_at(wr_buf_view(&out), "transcript.items"), true);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK(json_element(&reader, &item));
	return json_at(item, "role");
}

static void test_old_clients_see_the_assistant_as_system(void)
{
	const struct wr_worker *worker;

	begin(NULL);
	worker = fixture_create(&fixture, NULL);
	fixture_output(&fixture, worker, WR_OUTPUT_TEXT_DONE, "a");
	write_transcript(worker, 0, 1, WR_COMPAT_NONE);
	CHECK_STRING(role_of_first(), "\"assistant\"");
	write_transcript(worker, 0, 1, WR_COMPAT_YOI_2026_06);
	CHECK_STRING(role_of_first(), "\"system\"");
	end();
}

static void test_start_and_limit_cut_the_page(void)
{
	static const struct {
		uint64_t start, limit;
		size_t count;
		const char *next;
	} cases[] = {
		{0, 256, 5, "null"},
		{0, 5, 5, "null"},
		{0, 4, 4, "4"},
		{0, 0, 0, "0"},
		{2, 0, 0, "2"},
		{2, 2, 2, "4"},
		{2, 3, 3, "null"},
		{4, 1, 1, "null"},
		{5, 1, 0, "null"},
		{5, 0, 0, "null"},
		{6, 1, 0, "null"},
		{UINT64_MAX, UINT64_MAX, 0, "null"},
		{1, UINT64_MAX, 4, "null"},
		{0, UINT64_MAX, 5, "null"},
	};
	const struct wr_worker *worker;
	char number[24];

	begin(NULL);
	worker = fixture_create(&fixture, NULL);
	for (unsigned i = 0; i < 5; i++)
		fixture_say(&fixture, worker, WR_INPUT_USER, "x");
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_buf text;

		write_transcript(worker, cases[i].start, cases[i].limit, WR_COMPAT_NONE);
		CHECK_U64(count_elements(json_at(wr_buf_view(&out), "transcript.items")),
			  cases[i].count);
		check_member("transcript.next_start", cases[i].next);
		check_member("transcript.total_items", "5");
		wr_buf_init_fixed(&text, number, sizeof number);
		wr_buf_append_u64(&text, cases[i].start);
		CHECK_VIEW(json_at(wr_buf_view(&out), "transcript.start"), wr_buf_view(&text));
		wr_buf_reset(&text);
		wr_buf_append_u64(&text, cases[i].limit);
		CHECK_VIEW(json_at(wr_buf_view(&out), "transcript.limit"), wr_buf_view(&text));
	}
	end();
}

/* A Worker whose transcript keeps only its newest items. */
static const struct wr_worker *with_short_memory(void)
{
	static char content[1001];
	struct wr_runtime_config config;
	const struct wr_worker *worker;

	wr_runtime_defaults(&config);
	config.runtime_id = WR_VIEW("rt-a");
	config.worker_transcript_bytes_max = 4000;
	begin(&config);
	worker = fixture_create(&fixture, NULL);
	memset(content, 'x', sizeof content - 1);
	for (unsigned i = 0; i < 10; i++)
		fixture_say(&fixture, worker, WR_INPUT_USER, content);
	CHECK_U64(worker->transcript.total, 10);
	CHECK_U64(worker->transcript.first, 7);
	return worker;
}

static void test_a_start_below_what_is_kept_begins_there(void)
{
	static const struct {
		uint64_t start, limit;
		size_t count;
		const char *next;
	} cases[] = {
		{0, 256, 3, "null"}, {0, 2, 2, "9"}, {6, 2, 2, "9"},	{7, 2, 2, "9"},
		{8, 2, 2, "null"},   {0, 0, 0, "7"}, {3, 3, 3, "null"}, {9, 5, 1, "null"},
	};
	const struct wr_worker *worker = with_short_memory();

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		write_transcript(worker, cases[i].start, cases[i].limit, WR_COMPAT_NONE);
		CHECK_U64(count_elements(json_at(wr_buf_view(&out), "transcript.items")),
			  cases[i].count);
		check_member("transcript.next_start", cases[i].next);
		check_member("transcript.first_retained", "7");
		check_member("transcript.total_items", "10");
	}
	end();
}

static void test_items_dropped_between_two_pieces_are_left_out_and_told(void)
{
	static char content[9001];
	struct wr_page_query query = {.limit = 256};
	struct wr_transcript_page page;
	struct wr_runtime_config config;
	const struct wr_worker *worker;
	struct wr_view items;

	wr_runtime_defaults(&config);
	config.runtime_id = WR_VIEW("rt-a");
	config.worker_transcript_bytes_max = 60000;
	begin(&config);
	worker = fixture_create(&fixture, NULL);
	memset(content, 'x', sizeof content - 1);
	for (unsigned i = 0; i < 6; i++)
		fixture_say(&fixture, worker, WR_INPUT_USER, content);
	wr_transcript_page_begin(&page, fixture.runtime, worker, &query, WR_COMPAT_NONE);
	CHECK(wr_transcript_page_next(&page, &out)); /* items 0 and 1 */
	for (unsigned i = 0; i < 4; i++)
		fixture_say(&fixture, worker, WR_INPUT_USER, content);
	CHECK_U64(worker->transcript.first, 4);
	while (wr_transcript_page_next(&page, &out))
		continue;
	items = json_at(wr_buf_view(&out), "transcript.items");
	CHECK_U64(count_elements(items), 4); /* 0, 1, 4, 5 */
	check_member("transcript.total_items", "6");
	check_member("transcript.first_retained", "4");
	check_member("transcript.next_start", "null");
	end();
}

static void test_a_page_ends_early_when_its_bytes_are_used_up(void)
{
	enum { ITEM_BYTES = 300000 };
	static char content[ITEM_BYTES + 1];
	const struct wr_worker *worker;
	uint64_t start = 0;
	unsigned pages = 0;

	begin(NULL);
	worker = fixture_create(&fixture, NULL);
	memset(content, 'x', ITEM_BYTES);
	for (unsigned i = 0; i < 7; i++)
		fixture_say(&fixture, worker, WR_INPUT_USER, content);
	for (; start < 7; pages++) { /* three of them are below 1 MiB, four are not */
		write_transcript(worker, start, 256, WR_COMPAT_NONE);
		CHECK_U64(count_elements(json_at(wr_buf_view(&out), "transcript.items")),
			  start + 3 > 7 ? 7 - start : 3);
		start += 3;
		check_member("transcript.next_start", start == 3 ? "3" : start == 6 ? "6" : "null");
	}
	CHECK_U64(pages, 3);
	end();
}

static void test_a_single_item_of_the_largest_size_is_a_page(void)
{
	static char content[WR_EVENT_BYTES_MAX + 1];
	const struct wr_worker *worker;

	begin(NULL);
	worker = fixture_create(&fixture, NULL);
	memset(content, 'x', WR_EVENT_BYTES_MAX);
	fixture_say(&fixture, worker, WR_INPUT_USER, content);
	fixture_say(&fixture, worker, WR_INPUT_USER, "y");
	write_transcript(worker, 0, 256, WR_COMPAT_NONE);
	CHECK_U64(count_elements(json_at(wr_buf_view(&out), "transcript.items")), 1);
	check_member("transcript.next_start", "1");
	end();
}

/* ---- transcripts from the store ---- */

static struct scripted_store store;

static const struct wr_worker *begin_stored(unsigned count)
{
	const struct wr_worker *worker;

	stored_fixture_open(&fixture, &store, 1000);
	wr_buf_init(&out, wr_test_allocator(), OUT_BYTES);
	worker = fixture_create(&fixture, NULL);
	stored_fixture_say(&fixture, worker, count);
	return worker;
}

static void end_stored(void)
{
	end();
	scripted_store_deinit(&store);
	store = (struct scripted_store){.count = 0};
}

/* Pages of every length from every start: the items of a Runtime that has them all in memory. */
static void test_pages_from_the_store_are_those_of_memory(void)
{
	enum { COUNT = 40 };
	static struct wr_buf expected[COUNT + 1];
	const struct wr_worker *worker;

	begin(NULL);
	worker = fixture_create(&fixture, NULL);
	stored_fixture_say(&fixture, worker, COUNT);
	for (uint64_t start = 0; start <= COUNT; start++) {
		wr_buf_init(&expected[start], wr_test_allocator(), OUT_BYTES);
		write_transcript(worker, start, 1 + start * 7 % 20, WR_COMPAT_NONE);
		wr_buf_append_view(&expected[start], wr_buf_view(&out));
	}
	end();
	worker = begin_stored(COUNT);
	CHECK(worker->transcript.first > COUNT - 20);
	for (uint64_t start = 0; start <= COUNT; start++) {
		store.read_count = 0;
		write_transcript(worker, start, 1 + start * 7 % 20, WR_COMPAT_NONE);
		CHECK_VIEW(wr_buf_view(&out), wr_buf_view(&expected[start]));
		CHECK(store.read_count <= 2 + start * 7 % 20); /* the first one twice */
		wr_buf_deinit(&expected[start]);
	}
	end_stored();
}

static void test_what_the_store_gave_up_is_told_by_first_retained(void)
{
	static const struct {
		uint64_t start, limit;
		size_t count;
		const char *next;
	} cases[] = {
		{0, 256, 32, "null"}, {0, 2, 2, "20"},	  {18, 1, 1, "19"},
		{17, 1, 1, "19"},     {49, 5, 1, "null"}, {50, 5, 0, "null"},
	};
	const struct wr_worker *worker = begin_stored(50);

	scripted_evict(&store, 20); /* items 1..18 and the creation */
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		write_transcript(worker, cases[i].start, cases[i].limit, WR_COMPAT_NONE);
		CHECK_U64(count_elements(json_at(wr_buf_view(&out), "transcript.items")),
			  cases[i].count);
		check_member("transcript.next_start", cases[i].next);
		check_member("transcript.first_retained", "18");
		check_member("transcript.total_items", "50");
	}
	end_stored();
}

static void test_what_is_held_back_is_on_no_page(void)
{
	const struct wr_worker *worker = begin_stored(10);

	store.is_held = true;
	scripted_show(&store);
	stored_fixture_say(&fixture, worker, 5);
	write_transcript(worker, 0, 256, WR_COMPAT_NONE);
	CHECK_U64(count_elements(json_at(wr_buf_view(&out), "transcript.items")), 10);
	check_member("transcript.total_items", "10");
	check_member("transcript.next_start", "null");
	write_transcript(worker, 10, 256, WR_COMPAT_NONE);
	CHECK_U64(count_elements(json_at(wr_buf_view(&out), "transcript.items")), 0);
	end_stored();
}

static const struct {
	enum wr_status mood;
	const char *code;
} damages[] = {
	{WR_CORRUPT, "\"store_corrupt\""},
	{WR_IO, "\"store_io\""},
	{WR_NO_MEMORY, "\"overloaded\""},
};

/* So that the answer can still be another one. */
static void test_damage_of_the_first_item_is_told_before_the_page(void)
{
	for (size_t i = 0; i < WR_COUNT(damages); i++) {
		const struct wr_worker *worker = begin_stored(30);
		struct wr_page_query query = {.start = 6, .limit = 5};
		struct wr_transcript_page page;

		wr_test_case(damages[i].code);
		stored_fixture_damage(&store, 7, damages[i].mood);
		CHECK_STATUS(wr_transcript_page_begin(&page, fixture.runtime, worker, &query,
						      WR_COMPAT_NONE),
			     damages[i].mood);
		while (wr_transcript_page_next(&page, &out))
			continue;
		check_member("transcript.items", "[]");
		check_member("transcript.next_start", "6");
		check_member("transcript.error.code", damages[i].code);
		/* Nothing of it is asked for by a page without items, or by a later one. */
		write_transcript(worker, 6, 0, WR_COMPAT_NONE);
		write_transcript(worker, 7, 5, WR_COMPAT_NONE);
		CHECK_U64(count_elements(json_at(wr_buf_view(&out), "transcript.items")), 5);
		end_stored();
	}
}

static void test_damage_of_a_later_item_ends_the_page(void)
{
	for (size_t i = 0; i < WR_COUNT(damages); i++) {
		const struct wr_worker *worker = begin_stored(30);

		wr_test_case(damages[i].code);
		stored_fixture_damage(&store, 7, damages[i].mood);
		write_transcript(worker, 2, 256, WR_COMPAT_NONE);
		CHECK_U64(count_elements(json_at(wr_buf_view(&out), "transcript.items")), 4);
		check_member("transcript.next_start", "6");
		check_member("transcript.error.code", damages[i].code);
		CHECK(json_at(wr_buf_view(&out), "transcript.error.message").bytes > 10);
		check_member("transcript.first_retained", "0");
		end_stored();
	}
}

static void check_cursor_sequence(const char *path, uint32_t scope, uint64_t expected)
{
	struct wr_view cursor = json_at(wr_buf_view(&out), path);
	uint64_t sequence;

	CHECK_STATUS(wr_runtime_judge_cursor(fixture.runtime, scope,
					     wr_view_of(cursor.data + 1, cursor.bytes - 2),
					     &sequence),
		     WR_OK);
	CHECK_U64(sequence, expected);
}

/* What happens between two pieces is behind the cursor: who goes on from it misses nothing. */
static void test_a_cursor_is_of_the_moment_when_the_page_began(void)
{
	struct wr_list_query list_query = {.has_limit = false};
	struct wr_page_query query = {.limit = 256};
	struct wr_worker_list_page list_page;
	struct wr_transcript_page page;
	const struct wr_worker *worker = NULL;

	begin(NULL);
	for (unsigned i = 0; i < 100; i++)
		worker = fixture_create(&fixture, NULL);
	for (unsigned i = 0; i < 200; i++)
		fixture_say(&fixture, worker, WR_INPUT_USER, "a content of some length");
	CHECK_STATUS(
		wr_transcript_page_begin(&page, fixture.runtime, worker, &query, WR_COMPAT_NONE),
		WR_OK);
	CHECK(wr_transcript_page_next(&page, &out) && !page.is_done);
	fixture_say(&fixture, worker, WR_INPUT_USER, "meanwhile");
	while (wr_transcript_page_next(&page, &out))
		continue;
	check_member("transcript.total_items", "200");
	check_cursor_sequence("transcript.cursor", worker->number, 301);
	wr_buf_reset(&out);
	wr_worker_list_begin(&list_page, fixture.runtime, &list_query);
	CHECK(wr_worker_list_next(&list_page, &out) && !list_page.is_done);
	fixture_say(&fixture, worker, WR_INPUT_USER, "meanwhile");
	while (wr_worker_list_next(&list_page, &out))
		continue;
	check_cursor_sequence("cursor", 0, 302);
	end();
}

static void test_a_failed_buffer_ends_the_page(void)
{
	struct wr_list_query list = {.has_limit = false};
	struct wr_page_query query = {.limit = 256};
	struct wr_worker_list_page list_page;
	struct wr_transcript_page page;
	const struct wr_worker *worker;
	char storage[600];
	struct wr_buf small;

	begin(NULL);
	worker = fixture_create(&fixture, NULL);
	fixture_say(&fixture, worker, WR_INPUT_USER, "x");
	for (size_t room = 1; room < 250; room++) {
		wr_buf_init_fixed(&small, storage, room);
		wr_worker_list_begin(&list_page, fixture.runtime, &list);
		while (wr_worker_list_next(&list_page, &small))
			continue;
		CHECK_STATUS(wr_buf_status(&small), WR_TOO_LARGE);
		wr_buf_init_fixed(&small, storage, room);
		wr_transcript_page_begin(&page, fixture.runtime, worker, &query, WR_COMPAT_NONE);
		while (wr_transcript_page_next(&page, &small))
			continue;
		CHECK_STATUS(wr_buf_status(&small), WR_TOO_LARGE);
	}
	end();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_an_empty_list_is_a_list),
	WR_TEST(test_lists_are_cut_by_limit_and_after),
	WR_TEST(test_an_after_longer_than_any_id_has_its_place),
	WR_TEST(test_a_long_list_comes_in_pieces_in_the_order_of_ids),
	WR_TEST(test_workers_made_between_two_pieces_join_the_list),
	WR_TEST(test_a_page_is_the_contracts_and_more),
	WR_TEST(test_old_clients_see_the_assistant_as_system),
	WR_TEST(test_start_and_limit_cut_the_page),
	WR_TEST(test_a_start_below_what_is_kept_begins_there),
	WR_TEST(test_items_dropped_between_two_pieces_are_left_out_and_told),
	WR_TEST(test_a_page_ends_early_when_its_bytes_are_used_up),
	WR_TEST(test_a_single_item_of_the_largest_size_is_a_page),
	WR_TEST(test_pages_from_the_store_are_those_of_memory),
	WR_TEST(test_what_the_store_gave_up_is_told_by_first_retained),
	WR_TEST(test_what_is_held_back_is_on_no_page),
	WR_TEST(test_damage_of_the_first_item_is_told_before_the_page),
	WR_TEST(test_damage_of_a_later_item_ends_the_page),
	WR_TEST(test_a_cursor_is_of_the_moment_when_the_page_began),
	WR_TEST(test_a_failed_buffer_ends_the_page),
	WR_TEST_END,
};
