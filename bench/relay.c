/*
 * relay — one event of a remote Runtime to N browsers of a Backend: the Backend's CPU per delivered
 * frame, beside the floor's.
 *
 * The event is a POST to the Runtime; the Backend gets it over its one stream, makes the browsers'
 * frame of it, and sends that. Its figure has all of that in it, while the floor is told what to
 * publish by a WebSocket message of the frame's length. `.marginal` is without: (cost at N browsers
 * - cost at one) / (frames at N - frames at one). `.p50` and `.p99` are the time from the POST to
 * each frame, the Runtime's part included; `get_workers` is GET /api/workers of the Backend, which
 * asks the Runtime each time.
 *
 * Expected (a sketch): reading a frame of 300 B and making one of 250 B costs about 1 us, next to a
 * receive of 2 us; over 100 browsers 0.03 us of the 4.2 us of a send: 1.01 to 1.03 x the floor. A
 * burst of 32 comes with one receive or two: 1.1 x at 100 browsers, less at 500.
 */
#include "audience.h"

#include <stdio.h>
#include <string.h>

enum { SIZES = 3, BURSTS = 2 };

static const unsigned sizes[SIZES] = {1, 100, 500};
static const unsigned bursts[BURSTS] = {1, 32};
static const unsigned events[SIZES][BURSTS] = {{512, 2048}, {400, 2048}, {120, 960}};

struct figures {
	struct wr_bench_series total[BURSTS], marginal[BURSTS], p50[BURSTS], p99[BURSTS];
};

static const char *const sides[2] = {"floor", "backend"};
static struct wr_bench_histogram histogram;

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
				struct figures *into = &figures[size][side];
				double cost;
				memset(&histogram, 0, sizeof histogram);
				cost = wr_bench_event_cost(&audiences[size][side],
							   events[size][burst], bursts[burst],
							   &histogram);
				wr_bench_add(&into->p50[burst],
					     wr_bench_quantile(&histogram, 0.5) / 1e3);
				wr_bench_add(&into->p99[burst],
					     wr_bench_quantile(&histogram, 0.99) / 1e3);
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

static void report_one(unsigned size, unsigned side, unsigned burst, const char *what,
		       const char *unit, const struct wr_bench_series *own,
		       const struct wr_bench_series *floor)
{
	char name[96];

	snprintf(name, sizeof name, "relay.%s.browsers%u.burst%u%s", sides[side], sizes[size],
		 bursts[burst], what);
	wr_bench_report(name, unit, own, side == 1 ? floor : NULL);
}

static void report(struct figures figures[SIZES][2])
{
	for (unsigned size = 0; size < SIZES; size++)
		for (unsigned burst = 0; burst < BURSTS; burst++)
			for (unsigned side = 0; side < 2; side++) {
				const struct figures *own = &figures[size][side];
				const struct figures *floor = &figures[size][0];
				report_one(size, side, burst, "", "ns/frame", &own->total[burst],
					   &floor->total[burst]);
				if (size > 0)
					report_one(size, side, burst, ".marginal", "ns/frame",
						   &own->marginal[burst], &floor->marginal[burst]);
				report_one(size, side, burst, ".p50", "us", &own->p50[burst],
					   &floor->p50[burst]);
				report_one(size, side, burst, ".p99", "us", &own->p99[burst],
					   &floor->p99[burst]);
			}
}

/* ---- a list of Workers ---- */

static void measure_list(const struct wr_bench_server *backend, unsigned rounds)
{
	enum { DEPTHS = 2, REQUESTS = 4096 };
	static const unsigned depths[DEPTHS] = {1, 16};
	static struct wr_bench_series cpu[2][DEPTHS];
	struct wr_bench_server two[2];
	struct wr_bench_floor floor = {0, 0, 200};
	char request[1024], name[96];
	size_t bytes;
	unsigned status;

	two[1] = *backend;
	bytes = wr_bench_request(request, sizeof request, backend, "GET", "/api/workers", NULL);
	floor.answer_bytes = wr_bench_roundtrip(backend, request, bytes, &status);
	wr_bench_require(status == 200, "no list of Workers");
	wr_bench_start_floor(&two[0], &floor);
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned depth = 0; depth < DEPTHS; depth++)
			for (unsigned i = 0; i < 2; i++) {
				unsigned side = round % 2 == 0 ? i : 1 - i;
				struct wr_bench_cost cost = wr_bench_ask(
					&two[side], request, bytes, depths[depth], REQUESTS, 200);
				wr_bench_add(&cpu[side][depth], cost.cpu_ns);
			}
	for (unsigned depth = 0; depth < DEPTHS; depth++)
		for (unsigned side = 0; side < 2; side++) {
			snprintf(name, sizeof name, "relay.%s.get_workers.depth%u", sides[side],
				 depths[depth]);
			wr_bench_report(name, "ns/request", &cpu[side][depth],
					side == 1 ? &cpu[0][depth] : NULL);
		}
	wr_bench_stop(&two[0]);
}

int main(void)
{
	static struct wr_bench_server servers[SIZES][3]; /* floor, Backend, Runtime */
	static struct wr_bench_audience audiences[SIZES][2];
	static struct figures figures[SIZES][2];
	static const struct wr_bench_floor floor = {200, 300, 200};
	unsigned rounds = wr_bench_rounds(5);

	wr_bench_begin(60 + 8 * rounds);
	for (unsigned size = 0; size < SIZES; size++) {
		struct wr_bench_server *three = servers[size];
		wr_bench_start_floor(&three[0], &floor);
		wr_bench_start_runtime(&three[2], NULL);
		wr_bench_make_worker(&three[2]);
		wr_bench_start_backend(&three[1], &three[2]);
		for (unsigned side = 0; side < 2; side++)
			wr_bench_gather(&audiences[size][side], &three[side], sizes[size], 0,
					WR_BENCH_ONE_WORKER);
		wr_bench_burst(&audiences[size][1], 1);
	}
	fprintf(stderr, "relay: frames of %zu bytes\n", audiences[1][1].frame_bytes);
	for (unsigned round = 0; round < rounds; round++)
		run_round(audiences, figures, round % 2 == 1);
	report(figures);
	measure_list(&servers[0][1], rounds);
	for (unsigned size = 0; size < SIZES; size++)
		for (unsigned side = 0; side < 3; side++) {
			if (side < 2)
				wr_bench_dismiss(&audiences[size][side]);
			wr_bench_stop(&servers[size][side]);
		}
	return 0;
}
