/* Goal: items keep their numbers for ever, the budget takes the oldest of whoever has most and
 * never the newest of anybody, and no failed allocation changes anything. Method: edges by hand,
 * then a random run against the rule itself. */
#include "core/transcript.h"
#include "harness/harness.h"

#include "check.h"

#include <stdio.h>
#include <string.h>

enum { ITEM_BYTES = sizeof(struct wr_transcript_item) };

static struct wr_transcript_item *prepare(struct wr_transcript *transcript,
					  struct wr_transcript_budget *budget, const char *text,
					  size_t bytes)
{
	return wr_transcript_prepare(transcript, budget, WR_ROLE_USER, wr_view_of(text, bytes));
}

static void append(struct wr_transcript *transcript, struct wr_transcript_budget *budget,
		   const char *text)
{
	struct wr_transcript_item *item = prepare(transcript, budget, text, strlen(text));

	CHECK(item != NULL);
	item->event_id = transcript->total + 100;
	wr_transcript_append(transcript, budget, item);
}

static struct wr_view content_at(const struct wr_transcript *transcript, uint64_t index)
{
	const struct wr_transcript_item *item = wr_transcript_at(transcript, index);

	CHECK(item != NULL);
	CHECK_U64(item->event_id, index + 100);
	return wr_view_of(item->content, item->bytes);
}

static void test_items_come_back_by_their_index(void)
{
	struct wr_transcript_budget budget;
	struct wr_transcript transcript;

	wr_transcript_budget_init(&budget, wr_test_allocator(), 1000, 1000);
	wr_transcript_init(&transcript);
	CHECK(wr_transcript_at(&transcript, 0) == NULL);
	append(&transcript, &budget, "one");
	append(&transcript, &budget, "");
	append(&transcript, &budget, "three");
	CHECK_STRING(content_at(&transcript, 0), "one");
	CHECK_STRING(content_at(&transcript, 1), "");
	CHECK_STRING(content_at(&transcript, 2), "three");
	CHECK(wr_transcript_at(&transcript, 3) == NULL);
	CHECK(wr_transcript_at(&transcript, UINT64_MAX) == NULL);
	CHECK_U64(transcript.bytes, 3 * ITEM_BYTES + 8);
	wr_transcript_deinit(&transcript, &budget);
	CHECK_U64(budget.bytes, 0);
	wr_transcript_budget_deinit(&budget);
}

static void test_the_ring_grows_around_its_seam(void)
{
	struct wr_transcript_budget budget;
	struct wr_transcript transcript;
	char text[24];

	/* Room for 11 items of 8 bytes: the ring is full, wraps, and must grow while it wraps. */
	wr_transcript_budget_init(&budget, wr_test_allocator(), 11 * (ITEM_BYTES + 8), UINT64_MAX);
	wr_transcript_init(&transcript);
	for (uint64_t i = 0; i < 1000; i++) {
		if (i == 500)
			budget.worker_bytes_max = 40 * (ITEM_BYTES + 8);
		snprintf(text, sizeof text, "%08u", (unsigned)i);
		append(&transcript, &budget, text);
		CHECK_U64(transcript.total, i + 1);
		for (uint64_t k = transcript.first; k <= i; k++) {
			snprintf(text, sizeof text, "%08u", (unsigned)k);
			CHECK_STRING(content_at(&transcript, k), text);
		}
	}
	CHECK_U64(transcript.first, 960);
	CHECK(wr_transcript_at(&transcript, 959) == NULL);
	CHECK_U64(transcript.ring_capacity, 64);
	wr_transcript_deinit(&transcript, &budget);
	wr_transcript_budget_deinit(&budget);
}

static void check_newest_is_kept(uint64_t worker_bytes_max, uint64_t bytes_max)
{
	struct wr_transcript_budget budget;
	struct wr_transcript transcript;
	static char large[5000];

	wr_transcript_budget_init(&budget, wr_test_allocator(), worker_bytes_max, bytes_max);
	wr_transcript_init(&transcript);
	memset(large, 'x', sizeof large - 1);
	append(&transcript, &budget, "small");
	append(&transcript, &budget, large);
	CHECK_U64(transcript.first, 1);
	CHECK_U64(content_at(&transcript, 1).bytes, sizeof large - 1);
	append(&transcript, &budget, "small again");
	CHECK_U64(transcript.first, 2);
	CHECK_U64(transcript.bytes, ITEM_BYTES + 11);
	wr_transcript_deinit(&transcript, &budget);
	wr_transcript_budget_deinit(&budget);
}

static void test_the_newest_item_is_kept_however_large_it_is(void)
{
	check_newest_is_kept(ITEM_BYTES + 11, UINT64_MAX);
	check_newest_is_kept(UINT64_MAX, ITEM_BYTES + 11);
	check_newest_is_kept(0, 0);
}

static void test_the_largest_transcript_loses_first(void)
{
	struct wr_transcript_budget budget;
	struct wr_transcript chatty, quiet;

	wr_transcript_budget_init(&budget, wr_test_allocator(), UINT64_MAX, 10 * (ITEM_BYTES + 4));
	wr_transcript_init(&chatty);
	wr_transcript_init(&quiet);
	append(&quiet, &budget, "keep");
	append(&quiet, &budget, "this");
	for (int i = 0; i < 500; i++) {
		append(&chatty, &budget, "talk");
		CHECK_U64(quiet.first, 0);
		CHECK(budget.bytes <= budget.bytes_max);
	}
	CHECK_U64(chatty.first, 492);
	wr_transcript_deinit(&chatty, &budget);
	wr_transcript_deinit(&quiet, &budget);
	wr_transcript_budget_deinit(&budget);
}

static void test_what_is_given_up_leaves_no_trace(void)
{
	struct wr_transcript_budget budget;
	struct wr_transcript transcript;

	wr_transcript_budget_init(&budget, wr_test_allocator(), 1000, 1000);
	wr_transcript_init(&transcript);
	append(&transcript, &budget, "one");
	wr_transcript_discard(&budget, prepare(&transcript, &budget, "gone", 4));
	wr_transcript_discard(&budget, NULL);
	CHECK_U64(transcript.total, 1);
	CHECK_U64(budget.bytes, ITEM_BYTES + 3);
	append(&transcript, &budget, "two");
	CHECK_STRING(content_at(&transcript, 1), "two");
	wr_transcript_deinit(&transcript, &budget);
	wr_transcript_budget_deinit(&budget);
}

static void test_a_failed_allocation_changes_nothing(void)
{
	struct wr_transcript_budget budget;
	struct wr_transcript transcript;

	wr_transcript_budget_init(&budget, wr_test_allocator(), 10000, 10000);
	wr_transcript_init(&transcript);
	for (uint64_t i = 0; i < 40; i++) {
		for (uint64_t n = 1;; n++) {
			struct wr_transcript_item *item;
			wr_test_fail_allocation(n, false);
			item = prepare(&transcript, &budget, "item", 4);
			if (item != NULL) {
				CHECK(!wr_test_allocation_failed());
				wr_test_fail_allocation(0, false);
				wr_transcript_discard(&budget, item);
				break;
			}
			CHECK(wr_test_allocation_failed());
			CHECK_U64(transcript.total, i);
			CHECK_U64(budget.bytes, i * (ITEM_BYTES + 4));
			for (uint64_t k = 0; k < i; k++)
				CHECK_STRING(content_at(&transcript, k), "item");
		}
		/* A prepared item needs no memory any more. */
		struct wr_transcript_item *item = prepare(&transcript, &budget, "item", 4);
		item->event_id = i + 100;
		wr_test_fail_allocation(1, true);
		wr_transcript_append(&transcript, &budget, item);
		CHECK(!wr_test_allocation_failed());
		wr_test_fail_allocation(0, false);
	}
	wr_transcript_deinit(&transcript, &budget);
	wr_transcript_budget_deinit(&budget);
}

/* ---- a random run against the rule ---- */

enum { TRANSCRIPT_COUNT = 7, STEP_COUNT = 20000, WORKER_MAX = 3000, TOTAL_MAX = 9000 };

static uint64_t kept_count(const struct wr_transcript *transcript)
{
	return transcript->total - transcript->first;
}

/* Who lost an item to the total had, before its last loss, at least what anybody has now. */
static void check_losses(const struct wr_transcript *all, const struct wr_transcript *before,
			 const uint64_t *last_lost, unsigned appended)
{
	for (unsigned i = 0; i < TRANSCRIPT_COUNT; i++) {
		CHECK(all[i].first >= before[i].first && kept_count(&all[i]) >= (all[i].total > 0));
		if (all[i].first == before[i].first || i == appended)
			continue;
		for (unsigned k = 0; k < TRANSCRIPT_COUNT; k++)
			if (kept_count(&all[k]) > 1)
				CHECK(all[i].bytes + last_lost[i] >= all[k].bytes);
	}
}

static void test_random_appends_keep_within_budget_and_fair(void)
{
	struct wr_transcript_budget budget;
	struct wr_transcript all[TRANSCRIPT_COUNT], before[TRANSCRIPT_COUNT];
	static uint32_t sizes[TRANSCRIPT_COUNT][STEP_COUNT];
	static char text[600];
	uint64_t random = wr_test_seed(), lost[TRANSCRIPT_COUNT];

	wr_transcript_budget_init(&budget, wr_test_allocator(), WORKER_MAX, TOTAL_MAX);
	for (unsigned i = 0; i < TRANSCRIPT_COUNT; i++)
		wr_transcript_init(&all[i]);
	for (unsigned step = 0; step < STEP_COUNT; step++) {
		unsigned at = (unsigned)(wr_test_random(&random) % TRANSCRIPT_COUNT);
		uint32_t bytes = (uint32_t)(wr_test_random(&random) % (at < 3 ? 600 : 40));
		uint64_t sum = 0, spare = 0;
		struct wr_transcript_item *item = prepare(&all[at], &budget, text, bytes);

		memcpy(before, all, sizeof all);
		sizes[at][all[at].total] = bytes;
		item->event_id = all[at].total + 100;
		wr_transcript_append(&all[at], &budget, item);
		for (unsigned i = 0; i < TRANSCRIPT_COUNT; i++) {
			uint64_t own = 0;
			for (uint64_t k = all[i].first; k < all[i].total; k++) {
				CHECK_U64(content_at(&all[i], k).bytes, sizes[i][k]);
				own += ITEM_BYTES + sizes[i][k];
			}
			CHECK_U64(all[i].bytes, own);
			CHECK(own <= WORKER_MAX || kept_count(&all[i]) == 1);
			sum += own;
			spare += kept_count(&all[i]) > 1;
			lost[i] = all[i].first == 0 ? 0 : ITEM_BYTES + sizes[i][all[i].first - 1];
		}
		CHECK_U64(budget.bytes, sum);
		CHECK(sum <= TOTAL_MAX || spare == 0);
		CHECK_U64(budget.shares.count, spare);
		check_losses(all, before, lost, at);
	}
	for (unsigned i = 0; i < TRANSCRIPT_COUNT; i++)
		wr_transcript_deinit(&all[i], &budget);
	CHECK_U64(budget.bytes, 0);
	wr_transcript_budget_deinit(&budget);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_items_come_back_by_their_index),
	WR_TEST(test_the_ring_grows_around_its_seam),
	WR_TEST(test_the_newest_item_is_kept_however_large_it_is),
	WR_TEST(test_the_largest_transcript_loses_first),
	WR_TEST(test_what_is_given_up_leaves_no_trace),
	WR_TEST(test_a_failed_allocation_changes_nothing),
	WR_TEST_LIMIT(test_random_appends_keep_within_budget_and_fair, 60),
	WR_TEST_END,
};
