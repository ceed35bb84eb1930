/* Goal: many who wait, and who learn all at once where they begin, are each opened once, hold
 * nobody up, and when memory runs out only they go. Method: a scripted feed that may be slow;
 * allocations that fail from the n-th on. */
#include "unit/observe/scripted_feed.h"

enum { STORM = 120 };

static void test_a_storm_of_those_who_wait_is_opened_once_each(void)
{
	static struct reader readers[STORM];

	feed_begin();
	for (uint32_t scope = 1; scope < FEED_SCOPES; scope++)
		feed.scopes[scope].opens_with = WR_MORE;
	for (unsigned i = 0; i < STORM; i++) {
		uint32_t scope = 1 + i % (FEED_SCOPES - 1);
		if (i % 3 == 0)
			reader_open_at(&readers[i], scope, WR_VIEW_NULL, RIG_UNLIMITED);
		else
			feed_reader(&readers[i], scope, i % FEED_PAST, i % 5 == 0 ? i : UINT64_MAX);
	}
	for (uint32_t scope = 1; scope < FEED_SCOPES; scope++) {
		for (unsigned i = 0; i < STORM; i += 7) /* some give up, at any time */
			if (i % (FEED_SCOPES - 1) + 1 == scope)
				shutdown(readers[i].fd, SHUT_RDWR);
		feed.scopes[scope].opens_with = WR_OK;
		wr_fanout_resume(rig.fanout, scope);
		feed_append(scope);
		wr_fanout_resume(rig.fanout, scope);
		rig_turn();
	}
	for (unsigned i = 0; i < STORM; i++) {
		uint32_t scope = 1 + i % (FEED_SCOPES - 1);
		size_t at = 0;
		uint64_t after = i % FEED_PAST;

		if (i % 7 == 0) {
			reader_close(&readers[i]);
			continue;
		}
		if (i % 3 != 0 && i % 5 == 0)
			reader_allow(&readers[i], RIG_UNLIMITED);
		reader_settle(&readers[i]);
		if (i % 3 == 0) {
			after = strtoull(readers[i].data + 2 + sizeof "snapshot of scope 1 at " - 1,
					 NULL, 10);
			at = check_snapshot(&readers[i], after);
		}
		CHECK_U64(check_story(&readers[i], at, after, UINT64_MAX), readers[i].bytes);
		CHECK(feed.scopes[scope].asked >= 1);
		reader_close(&readers[i]);
	}
	rig_turns(5);
	CHECK_U64(wr_fanout_count(rig.fanout), 0);
	feed_end();
}

/* Each takes 4 ms to open: a turn opens a few, and what comes goes out meanwhile. */
static void test_a_storm_does_not_hold_up_who_reads(void)
{
	enum { COUNT = 12 };
	struct reader readers[COUNT], live;
	unsigned turns = 0;

	feed_begin();
	feed_reader(&live, 2, FEED_PAST, RIG_UNLIMITED);
	feed.scopes[1].opens_with = WR_MORE;
	for (unsigned i = 0; i < COUNT; i++)
		feed_reader(&readers[i], 1, FEED_PAST, RIG_UNLIMITED);
	feed_append(1);
	feed.scopes[1].opens_with = WR_OK;
	feed.scopes[1].asked = 0;
	feed.open_ms = 4;
	wr_fanout_resume(rig.fanout, 1);
	while (feed.scopes[1].asked < COUNT) {
		unsigned before = feed.scopes[1].asked;
		feed_append(2);
		rig_turn();
		CHECK(feed.scopes[1].asked > before && feed.scopes[1].asked <= before + 4);
		reader_receive(&live);
		CHECK_U64(check_story(&live, 0, FEED_PAST, UINT64_MAX), live.bytes);
		turns++;
	}
	CHECK(turns >= 3);
	for (unsigned i = 0; i < COUNT; i++) {
		reader_settle(&readers[i]);
		CHECK_U64(check_story(&readers[i], 0, FEED_PAST, UINT64_MAX), readers[i].bytes);
		reader_close(&readers[i]);
	}
	reader_close(&live);
	feed_end();
}

/* ---- memory ---- */

/* The n-th allocation after each open fails, and all after it: that reader may go for it, without a
 * wrong byte; what comes after it is well. */
static void test_exhaustion_ends_no_more_than_who_waits(void)
{
	for (uint64_t n = 1;; n++) {
		struct scripted_scope *scope = &feed.scopes[1];
		struct reader reader, after;
		bool has_failed = false;

		feed_begin();
		feed_append(1);
		scope->opens_with = WR_MORE;
		feed.fail_n = n;
		feed_reader(&reader, 1, 2, 150);
		reader_settle(&reader);
		has_failed = wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		CHECK(!has_failed || reader.is_reset);
		scope->opens_with = WR_OK;
		wr_fanout_resume(rig.fanout, 1);
		reader_settle(&reader);
		reader_allow(&reader, RIG_UNLIMITED);
		reader_settle(&reader);
		has_failed = has_failed || wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		feed.fail_n = 0;
		if (!reader.is_reset)
			CHECK_U64(check_story(&reader, 0, 2, UINT64_MAX), reader.bytes);
		CHECK(scope->count == !reader.is_reset);
		feed_reader(&after, 1, 2, RIG_UNLIMITED);
		reader_settle(&after);
		CHECK_U64(check_story(&after, 0, 2, UINT64_MAX), after.bytes);
		reader_close(&reader);
		reader_close(&after);
		feed_end();
		if (!has_failed)
			break;
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_a_storm_of_those_who_wait_is_opened_once_each, 60),
	WR_TEST(test_a_storm_does_not_hold_up_who_reads),
	WR_TEST_LIMIT(test_exhaustion_ends_no_more_than_who_waits, 60),
	WR_TEST_END,
};
