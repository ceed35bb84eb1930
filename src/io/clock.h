/* clock — the two clocks. Timers use the monotonic one; wall time is a field in records only. */
#ifndef WR_IO_CLOCK_H
#define WR_IO_CLOCK_H

#include <stdint.h>

uint64_t wr_clock_monotonic_ms(void);
/* Milliseconds since the epoch. */
int64_t wr_clock_wall_ms(void);

#endif
