/* Goal: queries are decoded as the contract says (2.9, 3.1). Method: tables; refused ones outnumber
 * the accepted ones. */
#include "check.h"
#include "harness/harness.h"
#include "bounds.h"
#include "wire/command_json.h"

#define MAX "18446744073709551615"

static void test_transcript_query_is_read(void)
{
	static const struct {
		const char *query;
		uint64_t start, limit;
		bool has_limit;
	} cases[] = {
		{"", 0, WR_TRANSCRIPT_PAGE_ITEMS_MAX, false},
		{"start=3", 3, WR_TRANSCRIPT_PAGE_ITEMS_MAX, false},
		{"start=0&limit=0", 0, 0, true},
		{"limit=256&start=7", 7, 256, true},
		{"start=0007&limit=00", 7, 0, true},
		{"start=%2B7&limit=%2b1", 7, 1, true},
		{"start=%31%32", 12, WR_TRANSCRIPT_PAGE_ITEMS_MAX, false},
		{"%73tart=4&li%6Dit=5", 4, 5, true},
		{"start=" MAX "&limit=" MAX, UINT64_MAX, UINT64_MAX, true},
		{"x=1&x=2&start=1&START=9&starts=9&&limit=2&", 1, 2, true},
		{"star%74t=9&=5&x", 0, WR_TRANSCRIPT_PAGE_ITEMS_MAX, false},
		{"%ff=1&start=2", 2, WR_TRANSCRIPT_PAGE_ITEMS_MAX, false},
		{"start=00000000000000000000000000000000000000000000000000001", 1,
		 WR_TRANSCRIPT_PAGE_ITEMS_MAX, false},
	};
	struct wr_page_query query;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_view text = wr_view_of_string(cases[i].query);

		wr_test_case(cases[i].query);
		CHECK_STATUS(wr_transcript_query_read(&query, wr_test_guarded(0, text)), WR_OK);
		CHECK_U64(query.start, cases[i].start);
		CHECK_U64(query.limit, cases[i].limit);
		CHECK(query.has_limit == cases[i].has_limit);
	}
	CHECK_STATUS(wr_transcript_query_read(&query, WR_VIEW_NULL), WR_OK);
}

static void test_bad_numbers_are_refused(void)
{
	static const char *const queries[] = {
		"start=",
		"start",
		"limit=",
		"limit",
		"start=-1",
		"start=%2D1",
		"start=+1",
		"start= 1",
		"start=1+",
		"start=%2B",
		"start=%2B%2B1",
		"start=1.0",
		"start=1e3",
		"start=0x10",
		"start=a",
		"start=1%00",
		"start=%zz",
		"start=1%",
		"start=%ff",
		"start=1=1",
		"start=18446744073709551616",
		"limit=99999999999999999999",
		"start=1&start=1",
		"start=1&st%61rt=2",
		"limit=1&x=&limit=1",
		"start=&start=1",
		"start&start=1",
	};
	struct wr_page_query query;

	for (size_t i = 0; i < WR_COUNT(queries); i++) {
		wr_test_case(queries[i]);
		CHECK_STATUS(wr_transcript_query_read(
				     &query, wr_test_guarded(0, wr_view_of_string(queries[i]))),
			     WR_INVALID);
	}
}

static void test_list_query_is_read(void)
{
	static const struct {
		const char *query, *after; /* NULL: absent */
		uint64_t limit;
		bool has_limit;
	} cases[] = {
		{"", NULL, 0, false},
		{"limit=5", NULL, 5, true},
		{"after=worker-00000001", "worker-00000001", 0, false},
		{"after=a%2Fb+c%2B&limit=1", "a/b c+", 1, true},
		{"after=", "", 0, false},
		{"after", "", 0, false},
		{"after=%zz", "%zz", 0, false},
		{"before=1&start=x", NULL, 0, false},
	};
	struct wr_list_query query;
	struct wr_buf texts;

	wr_buf_init(&texts, wr_test_allocator(), WR_HTTP_TARGET_BYTES_MAX);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].query);
		CHECK_STATUS(wr_list_query_read(&query, &texts, wr_view_of_string(cases[i].query)),
			     WR_OK);
		CHECK((query.after.data == NULL) == (cases[i].after == NULL));
		if (cases[i].after != NULL)
			CHECK_STRING(query.after, cases[i].after);
		CHECK(query.has_limit == cases[i].has_limit);
		if (query.has_limit)
			CHECK_U64(query.limit, cases[i].limit);
	}
	wr_buf_deinit(&texts);
}

static void test_bad_list_queries_are_refused(void)
{
	static const char *const queries[] = {"limit=",	   "limit=-1",	      "limit=1&limit=1",
					      "after=%ff", "after=a&after=a", "after&after=%80",
					      "limit=x"};
	struct wr_list_query query;
	struct wr_buf texts;

	wr_buf_init(&texts, wr_test_allocator(), WR_HTTP_TARGET_BYTES_MAX);
	for (size_t i = 0; i < WR_COUNT(queries); i++) {
		wr_test_case(queries[i]);
		CHECK_STATUS(wr_list_query_read(&query, &texts, wr_view_of_string(queries[i])),
			     WR_INVALID);
	}
	wr_buf_deinit(&texts);
}

static void test_cursor_query_tells_absent_from_empty(void)
{
	static const struct {
		const char *query, *cursor; /* NULL: absent */
		enum wr_status status;
	} cases[] = {
		{"", NULL, WR_OK},
		{"x=1", NULL, WR_OK},
		{"Cursor=a", NULL, WR_OK},
		{"cursor=", "", WR_OK},
		{"cursor", "", WR_OK},
		{"cursor=wo_0000000000000000", "wo_0000000000000000", WR_OK},
		{"a=b&%63ursor=wo%5Fx&c=d", "wo_x", WR_OK},
		{"cursor=a&cursor=a", NULL, WR_INVALID},
		{"cursor=&cursor", NULL, WR_INVALID},
		{"cursor=a&curso%72=b", NULL, WR_INVALID},
		{"cursor=%ff", NULL, WR_INVALID},
		{"cursor=%c3", NULL, WR_INVALID},
	};
	struct wr_view cursor;
	struct wr_buf texts;

	wr_buf_init(&texts, wr_test_allocator(), WR_HTTP_TARGET_BYTES_MAX);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].query);
		CHECK_STATUS(
			wr_cursor_query_read(&cursor, &texts, wr_view_of_string(cases[i].query)),
			cases[i].status);
		if (cases[i].status != WR_OK)
			continue;
		CHECK((cursor.data == NULL) == (cases[i].cursor == NULL));
		if (cases[i].cursor != NULL)
			CHECK_STRING(cursor, cases[i].cursor);
	}
	wr_buf_deinit(&texts);
}

static void test_lack_of_memory_is_told(void)
{
	struct wr_view cursor;
	struct wr_buf texts;

	wr_buf_init(&texts, wr_test_allocator(), WR_HTTP_TARGET_BYTES_MAX);
	wr_test_fail_allocation(1, false);
	CHECK_STATUS(wr_cursor_query_read(&cursor, &texts, WR_VIEW("cursor=abc")), WR_NO_MEMORY);
	CHECK(wr_test_allocation_failed());
	wr_buf_deinit(&texts);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_transcript_query_is_read),
	WR_TEST(test_bad_numbers_are_refused),
	WR_TEST(test_list_query_is_read),
	WR_TEST(test_bad_list_queries_are_refused),
	WR_TEST(test_cursor_query_tells_absent_from_empty),
	WR_TEST(test_lack_of_memory_is_told),
	WR_TEST_END,
};
