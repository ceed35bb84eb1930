/* Goal: every byte asked for is filled, and none beyond. Method: sizes around what one system call
 * gives. */
#include "io/entropy.h"
#include "harness/harness.h"

#include "check.h"

#include <string.h>

static void test_exactly_the_bytes_asked_for_are_filled(void)
{
	static const size_t sizes[] = {0, 1, 16, 255, 256, 257, 512, 1000};
	static unsigned char bytes[1008], seen[1008];

	for (size_t i = 0; i < WR_COUNT(sizes); i++) {
		memset(seen, 0, sizeof seen);
		/* A byte stays 0 in all of 32 fills with a chance of 2^-256. */
		for (int round = 0; round < 32; round++) {
			memset(bytes, 0, sizeof bytes);
			CHECK_STATUS(wr_entropy_fill(bytes, sizes[i]), WR_OK);
			for (size_t at = 0; at < sizeof bytes; at++)
				seen[at] |= bytes[at];
		}
		for (size_t at = 0; at < sizeof bytes; at++)
			CHECK((seen[at] != 0) == (at < sizes[i]));
	}
}

static void test_two_fills_differ(void)
{
	unsigned char a[32], b[32];

	CHECK_STATUS(wr_entropy_fill(a, sizeof a), WR_OK);
	CHECK_STATUS(wr_entropy_fill(b, sizeof b), WR_OK);
	CHECK(memcmp(a, b, sizeof a) != 0);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_exactly_the_bytes_asked_for_are_filled),
	WR_TEST(test_two_fills_differ),
	WR_TEST_END,
};
