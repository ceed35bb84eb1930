/*
 * fanout — one event to N subscribers of one Worker, or (`wide`) of the stream of all Workers: the
 * server's CPU per delivered frame, and latency.
 *
 * Frames have the same length on both sides: the floor publishes as many bytes as worker-runtime's
 * user_message frame has (as short as one can be, at least 200 bytes). A burst of 1, 32 or 128
 * events comes in one reactor turn, and the next one only when every subscriber has all frames;
 * every frame is counted, and the first subscriber checks their order by sequence.
 *
 * An event of worker-runtime is a POST, whose own cost (parsing, log, answer) is in the figure,
 * while the floor's is a WebSocket message. `.marginal` is without both: (cost at N subscribers -
 * cost at one) / (frames at N - frames at one). `.p50` and `.p99` are the time from the sending of
 * a burst to each of its frames; `latency` is that of events that come every 2 ms, whatever comes
 * back.
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

enum { CROWDS = 4, BURSTS = 3, PERIOD_NS = 2000000, PACED_NS = 500000000 };

/* The first is who all others are compared with. */
static const struct {
	const char *name;
	unsigned count;
	enum wr_bench_way way;
	unsigned events[BURSTS]; /* of a round, so that each takes some 0.05 to 0.3 seconds */
} crowds[CROWDS] = {
	{"subscribers1", 1, WR_BENCH_ONE_WORKER, {512, 2048, 4096}},
	{"subscribers100", 100, WR_BENCH_ONE_WORKER, {400, 2048, 3840}},
	{"subscribers1000", 1000, WR_BENCH_ONE_WORKER, {60, 480, 1024}},
	{"wide100", 100, WR_BENCH_WIDE, {400, 2048, 3840}},
};
enum { PACED_CROWD = 1 };
static const unsigned bursts[BURSTS] = {1, 32, 128};

struct pair {
	struct wr_bench_server server;
	struct wr_bench_audience audience;
};

struct figures {
	struct wr_bench_series total[BURSTS], marginal[BURSTS], p50[BURSTS], p99[BURSTS];
};

static const char *const sides[2] = {"floor", "runtime"};
static struct wr_bench_histogram histogram;

/* CPU of one event; side 0 is the floor, 1 worker-runtime. */
static double measure(struct pair *pair, struct figures *into, unsigned crowd, unsigned burst)
{
	double cost;

	memset(&histogram, 0, sizeof histogram);
	cost = wr_bench_event_cost(&pair->audience, crowds[crowd].events[burst], bursts[burst],
				   &histogram);
	wr_bench_add(&into->total[burst], cost / crowds[crowd].count);
	wr_bench_add(&into->p50[burst], wr_bench_quantile(&histogram, 0.5) / 1e3);
	wr_bench_add(&into->p99[burst], wr_bench_quantile(&histogram, 0.99) / 1e3);
	return cost;
}

static void run_round(struct pair pairs[CROWDS][2], struct figures figures[CROWDS][2], bool is_odd)
{
	for (unsigned burst = 0; burst < BURSTS; burst++) {
		double alone[2] = {0, 0};
		for (unsigned crowd = 0; crowd < CROWDS; crowd++) {
			pairs[crowd][0].audience.frame_bytes = pairs[crowd][1].audience.frame_bytes;
			for (unsigned i = 0; i < 2; i++) {
				unsigned side = is_odd ? 1 - i : i;
				struct figures *into = &figures[crowd][side];
				double cost = measure(&pairs[crowd][side], into, crowd, burst);
				if (crowd == 0)
					alone[side] = cost;
				else
					wr_bench_add(&into->marginal[burst],
						     (cost - alone[side]) /
							     (crowds[crowd].count - 1));
			}
		}
	}
}

static void report_one(unsigned crowd, unsigned side, unsigned burst, const char *what,
		       const char *unit, const struct wr_bench_series *own,
		       const struct wr_bench_series *floor)
{
	char name[96];

	snprintf(name, sizeof name, "fanout.%s.%s.burst%u%s", sides[side], crowds[crowd].name,
		 bursts[burst], what);
	wr_bench_report(name, unit, own, side == 1 ? floor : NULL);
}

static void report(struct figures figures[CROWDS][2])
{
	for (unsigned crowd = 0; crowd < CROWDS; crowd++)
		for (unsigned burst = 0; burst < BURSTS; burst++)
			for (unsigned side = 0; side < 2; side++) {
				const struct figures *own = &figures[crowd][side];
				const struct figures *floor = &figures[crowd][0];
				report_one(crowd, side, burst, "", "ns/frame", &own->total[burst],
					   &floor->total[burst]);
				if (crowd > 0)
					report_one(crowd, side, burst, ".marginal", "ns/frame",
						   &own->marginal[burst], &floor->marginal[burst]);
				report_one(crowd, side, burst, ".p50", "us", &own->p50[burst],
					   &floor->p50[burst]);
				report_one(crowd, side, burst, ".p99", "us", &own->p99[burst],
					   &floor->p99[burst]);
			}
}

/* 100 subscribers, 500 events a second, in alternated pairs. */
static void measure_latency(struct pair pair[2], unsigned rounds)
{
	struct wr_bench_series p50[2] = {{0}, {0}}, p99[2] = {{0}, {0}};
	char name[96];

	/* Whoever else is on this machine must not hold up a process that could run beside it. */
	wr_bench_pin(0, WR_BENCH_PLACE_ANY);
	for (unsigned side = 0; side < 2; side++)
		wr_bench_pin(pair[side].server.pid, WR_BENCH_PLACE_ANY);
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned i = 0; i < 2; i++) {
			unsigned side = round % 2 == 0 ? i : 1 - i;
			struct wr_bench_audience *audience = &pair[side].audience;
			memset(&histogram, 0, sizeof histogram);
			pair[0].audience.frame_bytes = pair[1].audience.frame_bytes;
			wr_bench_renew(audience);
			wr_bench_burst(audience, 1);
			audience->latency = &histogram;
			wr_bench_pace(audience, PERIOD_NS, PACED_NS);
			audience->latency = NULL;
			wr_bench_add(&p50[side], wr_bench_quantile(&histogram, 0.5) / 1e3);
			wr_bench_add(&p99[side], wr_bench_quantile(&histogram, 0.99) / 1e3);
		}
	for (unsigned side = 0; side < 2; side++) {
		snprintf(name, sizeof name, "fanout.%s.latency.p50", sides[side]);
		wr_bench_report(name, "us", &p50[side], side == 1 ? &p50[0] : NULL);
		snprintf(name, sizeof name, "fanout.%s.latency.p99", sides[side]);
		wr_bench_report(name, "us", &p99[side], side == 1 ? &p99[0] : NULL);
	}
}

/* The content that makes a frame at least 200 bytes long. */
static size_t content_bytes_for(struct wr_bench_audience *audience)
{
	wr_bench_burst(audience, 1);
	return audience->frame_bytes < 200 ? 200 - audience->frame_bytes + 1 : 1;
}

static void start(struct pair *pair, unsigned crowd)
{
	static const struct wr_bench_floor floor = {200, 300, 200};

	wr_bench_start_floor(&pair[0].server, &floor);
	wr_bench_start_runtime(&pair[1].server, NULL);
	wr_bench_make_worker(&pair[1].server);
	for (unsigned side = 0; side < 2; side++)
		wr_bench_gather(&pair[side].audience, &pair[side].server, crowds[crowd].count, 0,
				crowds[crowd].way);
	pair[1].audience.content_bytes = content_bytes_for(&pair[1].audience);
	wr_bench_burst(&pair[1].audience, 1);
}

int main(void)
{
	static struct pair pairs[CROWDS][2];
	static struct figures figures[CROWDS][2];
	unsigned rounds = wr_bench_rounds(5);

	wr_bench_begin(60 + 15 * rounds);
	for (unsigned crowd = 0; crowd < CROWDS; crowd++)
		start(pairs[crowd], crowd);
	fprintf(stderr, "fanout: frames of %zu bytes; runtime figures include their POSTs\n",
		pairs[1][1].audience.frame_bytes);
	for (unsigned round = 0; round < rounds; round++)
		run_round(pairs, figures, round % 2 == 1);
	report(figures);
	measure_latency(pairs[PACED_CROWD], rounds < 10 ? 10 : rounds);
	for (unsigned crowd = 0; crowd < CROWDS; crowd++)
		for (unsigned side = 0; side < 2; side++) {
			wr_bench_dismiss(&pairs[crowd][side].audience);
			wr_bench_stop(&pairs[crowd][side].server);
		}
	return 0;
}
