/* Goal: the allocator over malloc keeps contents, counts, and stops at its limit. Method: blocks
 * that grow and shrink around it. */
#include "io/memory.h"
#include "harness/harness.h"

#include <string.h>

static void test_blocks_grow_shrink_and_keep_their_content(void)
{
	struct wr_allocator memory;
	char *block;

	wr_memory_init(&memory, SIZE_MAX);
	block = wr_allocator_take(&memory, 10);
	CHECK(block != NULL);
	memcpy(block, "0123456789", 10);
	block = wr_allocator_resize(&memory, block, 10, 100000);
	CHECK(block != NULL && memcmp(block, "0123456789", 10) == 0);
	block = wr_allocator_resize(&memory, block, 100000, 5);
	CHECK(block != NULL && memcmp(block, "01234", 5) == 0);
	CHECK_U64(memory.used, 5);
	CHECK_U64(memory.peak, 100000);
	wr_allocator_free(&memory, block, 5);
	CHECK_U64(memory.used, 0);
}

static void test_the_limit_is_exact_and_a_refusal_changes_nothing(void)
{
	struct wr_allocator memory;
	char *a, *b;

	wr_memory_init(&memory, 100);
	CHECK(wr_allocator_take(&memory, 101) == NULL);
	a = wr_allocator_take(&memory, 60);
	b = wr_allocator_take(&memory, 40);
	CHECK(a != NULL && b != NULL);
	CHECK(wr_allocator_take(&memory, 1) == NULL);
	memset(a, 'a', 60);
	CHECK(wr_allocator_resize(&memory, a, 60, 61) == NULL);
	CHECK(a[59] == 'a');
	CHECK_U64(memory.used, 100);
	wr_allocator_free(&memory, b, 40);
	a = wr_allocator_resize(&memory, a, 60, 100);
	CHECK(a != NULL && a[59] == 'a');
	wr_allocator_free(&memory, a, 100);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_blocks_grow_shrink_and_keep_their_content),
	WR_TEST(test_the_limit_is_exact_and_a_refusal_changes_nothing),
	WR_TEST_END,
};
