/*
 * drive — a bounded load on one program, for counting its instructions (bench/instructions.sh).
 *
 *	drive healthz|get_worker|get_runtime|post_input COUNT
 *	drive fanout COUNT SUBSCRIBERS BURST
 *	drive backend_healthz|backend_get_workers COUNT
 *	drive relay COUNT BROWSERS BURST
 *
 * Starts worker-runtime with WR_BENCH_PREFIX before it, or, for the last two lines,
 *workspace-server so, over a worker-runtime without; sends the load, ends it with SIGTERM and
 *waits. Two runs of different COUNT give the cost of one item without that of the start.
 */
#include "audience.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
	const char *kind, *method, *path, *body;
};

static const struct request requests[] = {
	{"healthz", "GET", "/healthz", NULL},
	{"get_worker", "GET", "/v1/workers/worker-00000001", NULL},
	{"get_runtime", "GET", "/v1/runtime", NULL},
	{"post_input", "POST", "/v1/workers/worker-00000001/input",
	 "{\"kind\":\"user\",\"content\":\"x\"}"},
	{"backend_healthz", "GET", "/healthz", NULL},
	{"backend_get_workers", "GET", "/api/workers", NULL},
};

static void drive_requests(const struct wr_bench_server *server, const char *kind, uint64_t count)
{
	const struct request *request = requests,
			     *end = requests + sizeof requests / sizeof *requests;
	char text[1024];
	size_t bytes;

	while (request < end && strcmp(request->kind, kind) != 0)
		request++;
	wr_bench_require(request < end, "unknown kind");
	bytes = wr_bench_request(text, sizeof text, server, request->method, request->path,
				 request->body);
	wr_bench_ask(server, text, bytes, 1, count, 200);
}

static void drive_fanout(const struct wr_bench_server *server, uint64_t count, unsigned subscribers,
			 unsigned burst)
{
	enum { REQUESTS_MAX = 8000 };
	struct wr_bench_audience audience;

	wr_bench_gather(&audience, server, subscribers, 0, WR_BENCH_ONE_WORKER);
	for (uint64_t i = 0, said = 0; i < count / burst; i++) {
		wr_bench_burst(&audience, burst);
		said += burst;
		if (said >= REQUESTS_MAX) {
			wr_bench_renew(&audience);
			said = 0;
		}
	}
	wr_bench_dismiss(&audience);
}

/* WR_BENCH_PREFIX is for what is measured. */
static void start_runtime(struct wr_bench_server *self, bool is_bare)
{
	const char *given = is_bare ? getenv("WR_BENCH_PREFIX") : NULL;
	char prefix[1024];

	if (given != NULL) {
		wr_bench_require((size_t)snprintf(prefix, sizeof prefix, "%s", given) <
					 sizeof prefix,
				 "prefix too long");
		unsetenv("WR_BENCH_PREFIX");
	}
	wr_bench_start_runtime(self, NULL);
	wr_bench_make_worker(self);
	if (given != NULL)
		setenv("WR_BENCH_PREFIX", prefix, 1);
}

int main(int argc, char **argv)
{
	struct wr_bench_server runtime, backend, *server = &runtime;
	bool is_stream, is_backend;
	uint64_t count;

	if (argc < 3) {
		fputs("usage: drive KIND COUNT [SUBSCRIBERS BURST]\n", stderr);
		return 2;
	}
	wr_bench_begin(180);
	count = strtoull(argv[2], NULL, 10);
	is_stream = argc == 5;
	is_backend = strcmp(argv[1], "relay") == 0 || strncmp(argv[1], "backend_", 8) == 0;
	start_runtime(&runtime, is_backend);
	if (is_backend) {
		wr_bench_start_backend(&backend, &runtime);
		server = &backend;
	}
	if (is_stream)
		drive_fanout(server, count, (unsigned)strtoul(argv[3], NULL, 10),
			     (unsigned)strtoul(argv[4], NULL, 10));
	else
		drive_requests(server, argv[1], count);
	wr_bench_stop(server);
	if (is_backend)
		wr_bench_stop(&runtime);
	return 0;
}
