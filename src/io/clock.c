#include "io/clock.h"

#include "check.h"

#include <time.h>

_Static_assert(sizeof(time_t) >= 8, "time_t holds every year");

static int64_t read_ms(clockid_t clock)
{
	struct timespec now;
	int result = clock_gettime(clock, &now);

	wr_assert(result == 0);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t wr_clock_monotonic_ms(void)
{
	return (uint64_t)read_ms(CLOCK_MONOTONIC);
}

int64_t wr_clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}
