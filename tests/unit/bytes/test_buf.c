/* Goal: a buffer never passes its maximum, remembers its first failure, and survives the failure of
 * every allocation. Method: small buffers driven over each edge. */
#include "bytes/buf.h"
#include "harness/harness.h"

static void test_append_beyond_the_maximum_changes_nothing(void)
{
	struct wr_buf buf;

	wr_buf_init(&buf, wr_test_allocator(), 5);
	CHECK_STATUS(wr_buf_append(&buf, "abc", 3), WR_OK);
	CHECK_STATUS(wr_buf_append(&buf, "def", 3), WR_TOO_LARGE);
	CHECK_STRING(wr_buf_view(&buf), "abc");
	CHECK_STATUS(wr_buf_append(&buf, "d", 1), WR_TOO_LARGE);
	wr_buf_reset(&buf);
	CHECK_STATUS(wr_buf_append(&buf, "defgh", 5), WR_OK);
	CHECK_STRING(wr_buf_view(&buf), "defgh");
	wr_buf_deinit(&buf);
}

static void test_fixed_buffer_never_allocates(void)
{
	char storage[4];
	struct wr_buf buf;

	wr_buf_init_fixed(&buf, storage, sizeof storage);
	CHECK_STATUS(wr_buf_append(&buf, "abcd", 4), WR_OK);
	CHECK_STATUS(wr_buf_append_byte(&buf, 'e'), WR_TOO_LARGE);
	wr_buf_deinit(&buf);
	CHECK(buf.data == storage);
}

static void test_failed_allocation_is_remembered(void)
{
	struct wr_buf buf;

	wr_buf_init(&buf, wr_test_allocator(), 1000);
	wr_test_fail_allocation(1, false);
	CHECK_STATUS(wr_buf_append(&buf, "abc", 3), WR_NO_MEMORY);
	CHECK_STATUS(wr_buf_append(&buf, "abc", 3), WR_NO_MEMORY);
	CHECK_U64(buf.bytes, 0);
	wr_buf_reset(&buf);
	CHECK_STATUS(wr_buf_append(&buf, "abc", 3), WR_OK);
	wr_buf_deinit(&buf);
}

static void test_numbers_are_decimal(void)
{
	struct wr_buf buf;

	wr_buf_init(&buf, wr_test_allocator(), 100);
	wr_buf_append_u64(&buf, 0);
	wr_buf_append_byte(&buf, ' ');
	wr_buf_append_u64(&buf, UINT64_MAX);
	CHECK_STRING(wr_buf_view(&buf), "0 18446744073709551615");
	wr_buf_consume(&buf, 2);
	wr_buf_truncate(&buf, 3);
	CHECK_STRING(wr_buf_view(&buf), "184");
	wr_buf_deinit(&buf);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_append_beyond_the_maximum_changes_nothing),
	WR_TEST(test_fixed_buffer_never_allocates),
	WR_TEST(test_failed_allocation_is_remembered),
	WR_TEST(test_numbers_are_decimal),
	WR_TEST_END,
};
