/*
 * rest — what a request costs: GET, POST input, and the way from a POST to one subscriber.
 *
 * The floor gives answers of the same length to the same requests and looks at nothing. Requests
 * carry a token; every answer's status is checked. 16 connections, each with 1 or 16 requests
 * outstanding.
 *
 * Expected (a sketch): a request at depth 1 is one epoll_wait in part, one recv, one send: 3 to 5
 * us of kernel; ours is below 900 instructions, 0.15 us: 1.04 x. At depth 16 the system calls are
 * shared by 16, 0.3 us each, and the same 0.15 us less what is warm make 1.25 x. A POST has JSON,
 * the log and a frame besides: 2,500 instructions, 0.5 us.
 */
#include "audience.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUEST_BYTES_MAX = 1024, DEPTHS = 2 };

static const unsigned depths[DEPTHS] = {1, 16};
/* Below 10,000 for each of 16 connections, after which a server ends them. */
static const unsigned counts[DEPTHS] = {8192, 32768};

/* One request, sent to both sides. */
struct subject {
	const char *name;
	struct wr_bench_server servers[2]; /* the floor, worker-runtime */
	char requests[2][REQUEST_BYTES_MAX];
	size_t request_bytes[2];
	struct wr_bench_series cpu[2][DEPTHS], rate[2][DEPTHS];
};

static const char *const sides[2] = {"floor", "runtime"};

static void prepare(struct subject *self, const char *name, const struct wr_bench_server *runtime,
		    const char *method, const char *path, const char *body, size_t frame_bytes)
{
	struct wr_bench_floor floor = {0, 0, frame_bytes};
	unsigned status;

	self->name = name;
	self->servers[1] = *runtime;
	self->request_bytes[1] =
		wr_bench_request(self->requests[1], REQUEST_BYTES_MAX, runtime, method, path, body);
	floor.request_bytes = self->request_bytes[1];
	floor.answer_bytes =
		wr_bench_roundtrip(runtime, self->requests[1], self->request_bytes[1], &status);
	wr_bench_require(status == 200, "not the answer that is measured");
	wr_bench_start_floor(&self->servers[0], &floor);
	self->request_bytes[0] = wr_bench_request(self->requests[0], REQUEST_BYTES_MAX,
						  &self->servers[0], method, path, body);
	wr_bench_require(self->request_bytes[0] == self->request_bytes[1], "unequal requests");
	fprintf(stderr, "rest: %s: request %zu bytes, answer %zu bytes\n", name,
		floor.request_bytes, floor.answer_bytes);
}

static void run_round(struct subject *self, bool is_odd)
{
	for (unsigned depth = 0; depth < DEPTHS; depth++)
		for (unsigned i = 0; i < 2; i++) {
			unsigned side = is_odd ? 1 - i : i;
			struct wr_bench_cost cost = wr_bench_ask(
				&self->servers[side], self->requests[side],
				self->request_bytes[side], depths[depth], counts[depth], 200);
			wr_bench_add(&self->cpu[side][depth], cost.cpu_ns);
			wr_bench_add(&self->rate[side][depth], 1e9 / cost.wall_ns);
		}
}

static void report(const struct subject *self)
{
	char name[96];

	for (unsigned depth = 0; depth < DEPTHS; depth++)
		for (unsigned side = 0; side < 2; side++) {
			snprintf(name, sizeof name, "rest.%s.%s.depth%u", sides[side], self->name,
				 depths[depth]);
			wr_bench_report(name, "ns/request", &self->cpu[side][depth],
					side == 1 ? &self->cpu[0][depth] : NULL);
			snprintf(name, sizeof name, "rest.%s.%s.depth%u.rate", sides[side],
				 self->name, depths[depth]);
			wr_bench_report(name, "requests/s", &self->rate[side][depth],
					side == 1 ? &self->rate[0][depth] : NULL);
		}
}

/* ---- POST -> event at one subscriber ---- */

struct way {
	struct wr_bench_audience audiences[2];
	struct wr_bench_series cpu[2], p50[2], p99[2];
};

static void walk(struct way *self, unsigned side)
{
	static struct wr_bench_histogram histogram;
	enum { EVENTS = 4000 };
	struct wr_bench_audience *audience = &self->audiences[side];
	uint64_t before;

	audience->spins = true;
	wr_bench_renew(audience);
	wr_bench_burst(audience, 1);
	memset(&histogram, 0, sizeof histogram);
	audience->latency = &histogram;
	before = wr_bench_cpu_ns(audience->server);
	for (unsigned i = 0; i < EVENTS; i++)
		wr_bench_burst(audience, 1);
	before = wr_bench_cpu_ns(audience->server) - before;
	audience->latency = NULL;
	wr_bench_add(&self->cpu[side], (double)before / EVENTS);
	wr_bench_add(&self->p50[side], wr_bench_quantile(&histogram, 0.5) / 1e3);
	wr_bench_add(&self->p99[side], wr_bench_quantile(&histogram, 0.99) / 1e3);
}

static void report_way(const struct way *self)
{
	char name[96];

	for (unsigned side = 0; side < 2; side++) {
		snprintf(name, sizeof name, "rest.%s.post_to_event.cpu", sides[side]);
		wr_bench_report(name, "ns/event", &self->cpu[side],
				side == 1 ? &self->cpu[0] : NULL);
		snprintf(name, sizeof name, "rest.%s.post_to_event.p50", sides[side]);
		wr_bench_report(name, "us", &self->p50[side], side == 1 ? &self->p50[0] : NULL);
		snprintf(name, sizeof name, "rest.%s.post_to_event.p99", sides[side]);
		wr_bench_report(name, "us", &self->p99[side], side == 1 ? &self->p99[0] : NULL);
	}
}

int main(void)
{
	enum { SUBJECTS = 4 };
	static struct subject subjects[SUBJECTS];
	static struct way way;
	const char *worker = "/v1/workers/worker-00000001";
	const char *input = "/v1/workers/worker-00000001/input";
	const char *body = "{\"kind\":\"user\",\"content\":\"x\"}"; /* what an audience says */
	struct wr_bench_server runtime;
	unsigned rounds = wr_bench_rounds(5);

	wr_bench_begin(60 + 15 * rounds);
	wr_bench_start_runtime(&runtime, NULL);
	wr_bench_make_worker(&runtime);
	wr_bench_gather(&way.audiences[1], &runtime, 1, 0, WR_BENCH_POSTS);
	wr_bench_burst(&way.audiences[1], 1);
	prepare(&subjects[0], "healthz", &runtime, "GET", "/healthz", NULL, 200);
	prepare(&subjects[1], "get_worker", &runtime, "GET", worker, NULL, 200);
	prepare(&subjects[2], "get_runtime", &runtime, "GET", "/v1/runtime", NULL, 200);
	prepare(&subjects[3], "post_input", &runtime, "POST", input, body,
		way.audiences[1].frame_bytes);
	way.audiences[1].due++; /* that of the last prepare */
	way.audiences[1].said++;
	way.audiences[1].answered++;
	wr_bench_gather(&way.audiences[0], &subjects[3].servers[0], 1, 0, WR_BENCH_POSTS);
	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned side = 0; side < 2; side++)
			walk(&way, round % 2 == 0 ? side : 1 - side);
	}
	for (unsigned side = 0; side < 2; side++)
		wr_bench_dismiss(&way.audiences[side]);
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned i = 0; i < SUBJECTS; i++)
			run_round(&subjects[i], round % 2 == 1);
	for (unsigned i = 0; i < SUBJECTS; i++)
		report(&subjects[i]);
	report_way(&way);
	for (unsigned i = 0; i < SUBJECTS; i++)
		wr_bench_stop(&subjects[i].servers[0]);
	wr_bench_stop(&runtime);
	return 0;
}
