/* See bench.h. */
#include "bench.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* ---- ending, time ---- */

_Noreturn void wr_bench_die(const char *what)
{
	if (errno != 0)
		fprintf(stderr, "bench: %s (%s)\n", what, strerror(errno));
	else
		fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

void wr_bench_require(bool is_so, const char *what)
{
	if (!is_so)
		wr_bench_die(what);
}

void wr_bench_pin(pid_t pid, enum wr_bench_place place)
{
	static cpu_set_t all; /* what we were given, before we chose */
	static bool is_known;
	cpu_set_t one;
	int cpu = -1;

	if (!is_known && sched_getaffinity(0, sizeof all, &all) != 0)
		return;
	is_known = true;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET((size_t)i, &all) && (cpu < 0 || place == WR_BENCH_PLACE_CLIENT))
			cpu = i;
	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	sched_setaffinity(pid, sizeof one, place == WR_BENCH_PLACE_ANY ? &all : &one);
}

void wr_bench_begin(unsigned seconds_max)
{
	struct rlimit limit;

	alarm(seconds_max);
	wr_bench_pin(0, WR_BENCH_PLACE_CLIENT);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	errno = 0;
}

uint64_t wr_bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

unsigned wr_bench_rounds(unsigned otherwise)
{
	const char *text = getenv("WR_BENCH_ITERS");
	unsigned long rounds = text != NULL ? strtoul(text, NULL, 10) : otherwise;

	if (rounds == 0)
		rounds = otherwise;
	return (unsigned)(rounds < WR_BENCH_ROUNDS_MAX ? rounds : WR_BENCH_ROUNDS_MAX);
}

/* ---- figures ---- */

void wr_bench_add(struct wr_bench_series *self, double value)
{
	wr_bench_require(self->count < WR_BENCH_ROUNDS_MAX, "too many rounds");
	self->values[self->count++] = value;
}

static int order(const void *a, const void *b)
{
	double x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

double wr_bench_median(const struct wr_bench_series *self)
{
	struct wr_bench_series sorted = *self;

	wr_bench_require(self->count > 0, "a figure without values");
	qsort(sorted.values, sorted.count, sizeof sorted.values[0], order);
	return sorted.values[sorted.count / 2];
}

void wr_bench_report(const char *name, const char *unit, const struct wr_bench_series *self,
		     const struct wr_bench_series *floor)
{
	struct wr_bench_series sorted = *self, ratios = {0};

	wr_bench_require(self->count > 0, "a figure without values");
	qsort(sorted.values, sorted.count, sizeof sorted.values[0], order);
	printf("%s,%.4g,%.4g,%.4g,%s,", name, sorted.values[0], sorted.values[sorted.count / 2],
	       sorted.values[sorted.count - 1], unit);
	if (floor != NULL) {
		for (unsigned i = 0; i < self->count && i < floor->count; i++)
			wr_bench_add(&ratios, self->values[i] / floor->values[i]);
		printf("%.3f", wr_bench_median(&ratios));
	}
	printf("\n");
}

void wr_bench_observe(struct wr_bench_histogram *self, uint64_t ns)
{
	unsigned power = 0;

	while (ns >> power >= 2 * WR_BENCH_STEPS)
		power++;
	/* Below 64 each value has its own bin, above 32 bins for each power of two. */
	self->bins[(uint64_t)power * WR_BENCH_STEPS + (ns >> power)]++;
	self->count++;
}

double wr_bench_quantile(const struct wr_bench_histogram *self, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)self->count), seen = 0;
	unsigned bin = 0, power;

	for (; bin < WR_BENCH_BINS - 1; bin++) {
		seen += self->bins[bin];
		if (seen > wanted)
			break;
	}
	if (bin < 2 * WR_BENCH_STEPS)
		return bin;
	power = bin / WR_BENCH_STEPS - 1;
	return (double)((uint64_t)(bin - power * WR_BENCH_STEPS) << power);
}
