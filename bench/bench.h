/*
 * bench — what all benchmark programs share: clocks and figures.
 *
 * A program starts the servers it compares, measures them in alternation, round after round, and
 * prints one line for each figure:
 *
 *	name,min,median,max,unit,ratio
 *
 * `ratio` is the median over the rounds of this figure divided by the floor's of the same round
 * (bench/floor.c); empty where there is no floor. The server's CPU is that of its process, all
 * threads, read from its CPU clock, so that load of the machine changes it little.
 *
 * Environment: WR_BUILD, folder of the programs (build/release); WR_BENCH_ITERS, rounds of every
 * figure; WR_BENCH_PREFIX, words before the command of worker-runtime (and of
 * workspace-server, where that is what is measured), such as a profiler;
 * WR_BENCH_VERBOSE, to see what servers say.
 *
 * Everything here ends the program with a message when something is not as expected: a wrong
 * answer, a missing frame, a server that does not start. Servers end with the program. Linux only
 * (epoll, process clocks, /proc). Loopback only.
 */
#ifndef WR_BENCH_BENCH_H
#define WR_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- ending, time ---- */

/* Says what is wrong, with errno when it is set, and ends the program. */
_Noreturn void wr_bench_die(const char *what);
void wr_bench_require(bool is_so, const char *what);

/* Bounds the whole program to so many seconds and pins it. To be called first. */
void wr_bench_begin(unsigned seconds_max);

/* Servers run on the first processor that we may use, clients on the last, so that they disturb
 * each other the same way every time. */
enum wr_bench_place { WR_BENCH_PLACE_SERVER, WR_BENCH_PLACE_CLIENT, WR_BENCH_PLACE_ANY };
void wr_bench_pin(pid_t pid, enum wr_bench_place place); /* pid 0: ourselves */

uint64_t wr_bench_now_ns(void);

/* WR_BENCH_ITERS, or else `otherwise`; at most WR_BENCH_ROUNDS_MAX. */
unsigned wr_bench_rounds(unsigned otherwise);

/* ---- figures ---- */

enum { WR_BENCH_ROUNDS_MAX = 256 };

/* One value for each round. Zero-initialise. */
struct wr_bench_series {
	unsigned count;
	double values[WR_BENCH_ROUNDS_MAX];
};

void wr_bench_add(struct wr_bench_series *self, double value);
double wr_bench_median(const struct wr_bench_series *self);
/* Prints the line. `floor`, NULL for none, has a value for each of ours. */
void wr_bench_report(const char *name, const char *unit, const struct wr_bench_series *self,
		     const struct wr_bench_series *floor);

/* Durations for percentiles: steps of 1/32 of a power of two. Zero-initialise. */
enum { WR_BENCH_STEPS = 32, WR_BENCH_BINS = 64 * WR_BENCH_STEPS };
struct wr_bench_histogram {
	uint64_t count;
	uint64_t bins[WR_BENCH_BINS];
};
void wr_bench_observe(struct wr_bench_histogram *self, uint64_t ns);
double wr_bench_quantile(const struct wr_bench_histogram *self, double share);

#endif
