/* Goal: a refused cursor is refused again without asking, for a moment, and nothing else is.
 * Method: one that is kept, and everything that differs from it; a clock moved by hand. */
#include "backend/remote_refusals.h"

#include "harness/harness.h"

enum { NOW_MS = 5000, LATER_MS = NOW_MS + 60000 };

static const struct wr_cursor refused = {.generation = 2, .worker = 7, .sequence = 30};

static enum wr_status find(const struct wr_remote_refusals *refusals, uint32_t scope,
			   uint64_t sequence)
{
	return wr_remote_refusals_find(refusals, scope, refused.generation, sequence, NOW_MS);
}

static void test_only_the_same_cursor_of_the_same_scope_is_found(void)
{
	struct wr_remote_refusals refusals = {.at = 0};

	CHECK_STATUS(find(&refusals, 0, 0), WR_OK);
	CHECK_STATUS(find(&refusals, 1, 30), WR_OK);
	wr_remote_refusals_add(&refusals, 1, &refused, WR_AHEAD, NOW_MS);
	CHECK_STATUS(find(&refusals, 1, 30), WR_AHEAD);
	CHECK_STATUS(find(&refusals, 2, 30), WR_OK);
	CHECK_STATUS(find(&refusals, 1, 29), WR_OK);
	CHECK_STATUS(wr_remote_refusals_find(&refusals, 1, 3, 30, NOW_MS), WR_OK);
}

static void test_a_refusal_is_forgotten_after_a_moment(void)
{
	struct wr_remote_refusals refusals = {.at = 0};

	wr_remote_refusals_add(&refusals, 1, &refused, WR_LOST_TAIL, NOW_MS);
	CHECK_STATUS(wr_remote_refusals_find(&refusals, 1, 2, 30, NOW_MS + 1), WR_LOST_TAIL);
	CHECK_STATUS(wr_remote_refusals_find(&refusals, 1, 2, 30, LATER_MS), WR_OK);
}

static void test_the_newest_are_kept(void)
{
	struct wr_remote_refusals refusals = {.at = 0};

	for (uint64_t i = 0; i <= WR_REMOTE_REFUSALS; i++) {
		struct wr_cursor cursor = {.generation = 2, .sequence = i};
		wr_remote_refusals_add(&refusals, 1, &cursor, WR_UNKNOWN, NOW_MS);
	}
	CHECK_STATUS(find(&refusals, 1, 0), WR_OK);
	for (uint64_t i = 1; i <= WR_REMOTE_REFUSALS; i++)
		CHECK_STATUS(find(&refusals, 1, i), WR_UNKNOWN);
}

static void test_a_scope_or_all_are_forgotten(void)
{
	struct wr_remote_refusals refusals = {.at = 0};

	for (uint32_t scope = 1; scope <= 3; scope++)
		wr_remote_refusals_add(&refusals, scope, &refused, WR_EXPIRED, NOW_MS);
	wr_remote_refusals_forget(&refusals, 2);
	CHECK_STATUS(find(&refusals, 1, 30), WR_EXPIRED);
	CHECK_STATUS(find(&refusals, 2, 30), WR_OK);
	CHECK_STATUS(find(&refusals, 3, 30), WR_EXPIRED);
	wr_remote_refusals_clear(&refusals);
	CHECK_STATUS(find(&refusals, 1, 30), WR_OK);
	CHECK_STATUS(find(&refusals, 3, 30), WR_OK);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_only_the_same_cursor_of_the_same_scope_is_found),
	WR_TEST(test_a_refusal_is_forgotten_after_a_moment),
	WR_TEST(test_the_newest_are_kept),
	WR_TEST(test_a_scope_or_all_are_forgotten),
	WR_TEST_END,
};
