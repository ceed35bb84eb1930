/*
 * relay — one event of a remote Runtime to N browsers of a Backend: the Backend's CPU per delivered
 * frame, beside the floor's.
 *
 * The event is a POST to the Runtime; the Backend gets it over its one stream, makes the browsers'
 * frame of it, and sends that. Its figure has all of that in it, while the floor is told what to
 * publish by a WebSocket message of the frame's length. `.marginal` is without: (cost at N browsers
 * - cost at one) / (frames at N - frames at one).
 *
 * Expected (a sketch): reading a frame of 300 B and making one of 250 B costs about 1 us, next to a
 * receive of 2 us; over 100 browsers 0.03 us of the 4.2 us of a send: 1.01 to 1.03 x the floor. A
 * burst of 32 comes with one receive or two: 1.1 x at 100 browsers, less at 500.
 */
#include "audience.h"

#include <stdio.h>

enum { SIZES = 3, BURSTS = 2 };

static const unsigned sizes[SIZES] = {1, 100, 500};
static const unsigned bursts[BURSTS] = {1, 32};
static const unsigned events[SIZES][BURSTS] = {{512, 2048}, {400, 2048}, {120, 960}};

struct figures {
	struct wr_bench_series total[BURSTS], marginal[BURSTS];
};

/* side 0: the floor, 1: the Backend */
static void run_round(struct wr_bench_audience audiences[SIZES][2],
		      struct figures figures[SIZES][2], bool is_odd)
{
	for (unsigned burst = 0; burst < BURSTS; burst++) {
		double alone[2] = {0, 0};
		for (unsigned size = 0; size < SIZES; size++) {
			audiences[size][0].frame_bytes = audiences[size][1].frame_bytes;
			for (unsigned i = 0; i < 2; i++) {
				unsigned side = is_odd ? 1 - i : i;
				double cost = wr_bench_event_cost(
					&audiences[size][side], events[size][burst], bursts[burst]);
				struct figures *into = &figures[size][side];
				if (size == 0)
					alone[side] = cost;
				else
					wr_bench_add(&into->marginal[burst],
						     (cost - alone[side]) / (sizes[size] - 1));
				wr_bench_add(&into->total[burst], cost / sizes[size]);
			}
		}
	}
}

static void report(struct figures figures[SIZES][2])
{
	static const char *const names[2] = {"floor", "backend"};
	char name[96];

	for (unsigned size = 0; size < SIZES; size++)
		for (unsigned burst = 0; burst < BURSTS; burst++)
			for (unsigned side = 0; side < 2; side++) {
				const struct figures *own = &figures[size][side];
				const struct figures *floor = side == 1 ? &figures[size][0] : NULL;
				snprintf(name, sizeof name, "relay.%s.browsers%u.burst%u",
					 names[side], sizes[size], bursts[burst]);
				wr_bench_report(name, "ns/frame", &own->total[burst],
						floor != NULL ? &floor->total[burst] : NULL);
				if (size == 0)
					continue;
				snprintf(name, sizeof name, "relay.%s.browsers%u.burst%u.marginal",
					 names[side], sizes[size], bursts[burst]);
				wr_bench_report(name, "ns/frame", &own->marginal[burst],
						floor != NULL ? &floor->marginal[burst] : NULL);
			}
}

int main(void)
{
	static struct wr_bench_server servers[SIZES][3]; /* floor, Backend, Runtime */
	static struct wr_bench_audience audiences[SIZES][2];
	static struct figures figures[SIZES][2];
	static const struct wr_bench_floor floor = {200, 300, 200};
	unsigned rounds = wr_bench_rounds(7);

	wr_bench_begin(60 + 8 * rounds);
	for (unsigned size = 0; size < SIZES; size++) {
		struct wr_bench_server *three = servers[size];
		wr_bench_start_floor(&three[0], &floor);
		wr_bench_start_runtime(&three[2], NULL);
		wr_bench_make_worker(&three[2]);
		wr_bench_start_backend(&three[1], &three[2]);
		for (unsigned side = 0; side < 2; side++)
			wr_bench_gather(&audiences[size][side], &three[side], sizes[size], 0,
					false);
		wr_bench_burst(&audiences[size][1], 1);
	}
	fprintf(stderr, "relay: frames of %zu bytes\n", audiences[1][1].frame_bytes);
	for (unsigned round = 0; round < rounds; round++)
		run_round(audiences, figures, round % 2 == 1);
	report(figures);
	for (unsigned size = 0; size < SIZES; size++)
		for (unsigned side = 0; side < 3; side++) {
			if (side < 2)
				wr_bench_dismiss(&audiences[size][side]);
			wr_bench_stop(&servers[size][side]);
		}
	return 0;
}
