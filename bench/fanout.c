/*
 * fanout — one event to N subscribers of one Worker: the server's CPU per delivered frame, and
 * latency.
 *
 * Frames have the same length on both sides: the floor publishes as many bytes as worker-runtime's
 * user_message frame has (as short as one can be, at least 200 bytes). A burst of 1, 32 or 128
 * events comes in one reactor turn, and the next one only when every subscriber has all frames;
 * every frame is counted, and the first subscriber checks their order by sequence.
 *
 * An event of worker-runtime is a POST, whose own cost (parsing, log, answer) is in the figure,
 * while the floor's is a WebSocket message. `.marginal` is without both: (cost at N subscribers -
 * cost at one) / (frames at N - frames at one).
 *
 * Expected (a sketch): a send of one frame over loopback is 4 us of kernel, and our own part some
 * 100 instructions, 0.03 us: 1.01 x the floor. The POST costs about 8 us, over 100 subscribers 0.08
 * us more. In bursts of 32 a send carries 13 KB: 0.2 us per frame, of which ours is a fraction of
 * one read of the log. Latency at 100 subscribers is the time of 100 sends: 0.5 ms.
 */
#include "audience.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZES = 3, BURSTS = 3, PERIOD_NS = 2000000, PACED_NS = 1000000000 };

static const unsigned sizes[SIZES] = {1, 100, 1000};
static const unsigned bursts[BURSTS] = {1, 32, 128};
/* Events of a round, so that each takes some 0.1 to 0.5 seconds. */
static const unsigned events[SIZES][BURSTS] = {
	{512, 2048, 4096}, {400, 2048, 3840}, {60, 480, 1024}};

struct pair {
	struct wr_bench_server server;
	struct wr_bench_audience audience;
};

struct figures {
	struct wr_bench_series total[BURSTS], marginal[BURSTS];
};

/* side 0: the floor, 1: worker-runtime */
static void run_round(struct pair pairs[SIZES][2], struct figures figures[SIZES][2], bool is_odd)
{
	double costs[2];

	for (unsigned burst = 0; burst < BURSTS; burst++) {
		double alone[2] = {0, 0};
		for (unsigned size = 0; size < SIZES; size++) {
			double frames = sizes[size];
			pairs[size][0].audience.frame_bytes = pairs[size][1].audience.frame_bytes;
			for (unsigned i = 0; i < 2; i++) {
				unsigned side = is_odd ? 1 - i : i;
				costs[side] =
					wr_bench_event_cost(&pairs[size][side].audience,
							    events[size][burst], bursts[burst]);
			}
			for (unsigned side = 0; side < 2; side++) {
				struct figures *into = &figures[size][side];
				if (size == 0)
					alone[side] = costs[side];
				else
					wr_bench_add(&into->marginal[burst],
						     (costs[side] - alone[side]) / (frames - 1));
				wr_bench_add(&into->total[burst], costs[side] / frames);
			}
		}
	}
}

static void report(struct figures figures[SIZES][2])
{
	static const char *const names[2] = {"floor", "runtime"};
	char name[96];

	for (unsigned size = 0; size < SIZES; size++)
		for (unsigned burst = 0; burst < BURSTS; burst++)
			for (unsigned side = 0; side < 2; side++) {
				const struct figures *own = &figures[size][side];
				const struct figures *floor = side == 1 ? &figures[size][0] : NULL;
				snprintf(name, sizeof name, "fanout.%s.subscribers%u.burst%u",
					 names[side], sizes[size], bursts[burst]);
				wr_bench_report(name, "ns/frame", &own->total[burst],
						floor != NULL ? &floor->total[burst] : NULL);
				if (size == 0)
					continue;
				snprintf(name, sizeof name,
					 "fanout.%s.subscribers%u.burst%u.marginal", names[side],
					 sizes[size], bursts[burst]);
				wr_bench_report(name, "ns/frame", &own->marginal[burst],
						floor != NULL ? &floor->marginal[burst] : NULL);
			}
}

/* 100 subscribers, 500 events a second, in alternated pairs. */
static void measure_latency(struct pair sides[2], unsigned rounds)
{
	static struct wr_bench_histogram histogram;
	static const char *const names[2] = {"floor", "runtime"};
	struct wr_bench_series p50[2] = {{0}, {0}}, p99[2] = {{0}, {0}};
	char name[96];

	/* Whoever else is on this machine must not hold up a process that could run beside it. */
	wr_bench_pin(0, WR_BENCH_PLACE_ANY);
	for (unsigned side = 0; side < 2; side++)
		wr_bench_pin(sides[side].server.pid, WR_BENCH_PLACE_ANY);
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned i = 0; i < 2; i++) {
			unsigned side = round % 2 == 0 ? i : 1 - i;
			struct wr_bench_audience *audience = &sides[side].audience;
			memset(&histogram, 0, sizeof histogram);
			sides[0].audience.frame_bytes = sides[1].audience.frame_bytes;
			wr_bench_renew(audience);
			wr_bench_burst(audience, 1);
			audience->latency = &histogram;
			wr_bench_pace(audience, PERIOD_NS, PACED_NS);
			audience->latency = NULL;
			wr_bench_add(&p50[side], wr_bench_quantile(&histogram, 0.5) / 1e3);
			wr_bench_add(&p99[side], wr_bench_quantile(&histogram, 0.99) / 1e3);
		}
	for (unsigned side = 0; side < 2; side++) {
		snprintf(name, sizeof name, "fanout.%s.latency.p50", names[side]);
		wr_bench_report(name, "us", &p50[side], side == 1 ? &p50[0] : NULL);
		snprintf(name, sizeof name, "fanout.%s.latency.p99", names[side]);
		wr_bench_report(name, "us", &p99[side], side == 1 ? &p99[0] : NULL);
	}
}

/* The content that makes a frame at least 200 bytes long. */
static size_t content_bytes_for(struct wr_bench_audience *audience)
{
	wr_bench_burst(audience, 1);
	return audience->frame_bytes < 200 ? 200 - audience->frame_bytes + 1 : 1;
}

int main(void)
{
	static struct pair pairs[SIZES][2];
	static struct figures figures[SIZES][2];
	static const struct wr_bench_floor floor = {200, 300, 200};
	unsigned rounds = wr_bench_rounds(7);

	wr_bench_begin(60 + 12 * rounds);
	for (unsigned size = 0; size < SIZES; size++) {
		struct pair *sides = pairs[size];
		wr_bench_start_floor(&sides[0].server, &floor);
		wr_bench_start_runtime(&sides[1].server, NULL);
		wr_bench_make_worker(&sides[1].server);
		for (unsigned side = 0; side < 2; side++)
			wr_bench_gather(&sides[side].audience, &sides[side].server, sizes[size], 0,
					false);
		sides[1].audience.content_bytes = content_bytes_for(&sides[1].audience);
		wr_bench_burst(&sides[1].audience, 1);
	}
	fprintf(stderr, "fanout: frames of %zu bytes; runtime figures include their POSTs\n",
		pairs[1][1].audience.frame_bytes);
	for (unsigned round = 0; round < rounds; round++)
		run_round(pairs, figures, round % 2 == 1);
	report(figures);
	measure_latency(pairs[1], rounds < 10 ? 10 : rounds);
	for (unsigned size = 0; size < SIZES; size++)
		for (unsigned side = 0; side < 2; side++) {
			wr_bench_dismiss(&pairs[size][side].audience);
			wr_bench_stop(&pairs[size][side].server);
		}
	return 0;
}
