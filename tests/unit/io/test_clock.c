/* Goal: one clock never goes back, the other is about now. Method: many readings. */
#include "io/clock.h"
#include "harness/harness.h"

#include <time.h>

static void test_the_monotonic_clock_never_goes_back(void)
{
	uint64_t before = wr_clock_monotonic_ms(), first = before, readings = 0;

	while (before < first + 3) {
		uint64_t now = wr_clock_monotonic_ms();
		CHECK(now >= before);
		before = now;
		readings++;
	}
	CHECK(readings > 3);
}

static void test_the_wall_clock_is_that_of_the_system(void)
{
	int64_t before = (int64_t)time(NULL) - 1, now = wr_clock_wall_ms();

	CHECK(now >= before * 1000);
	CHECK(now <= ((int64_t)time(NULL) + 2) * 1000);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_the_monotonic_clock_never_goes_back),
	WR_TEST(test_the_wall_clock_is_that_of_the_system),
	WR_TEST_END,
};
