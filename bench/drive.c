/*
 * drive — a bounded load on worker-runtime, for counting its instructions (bench/instructions.sh).
 *
 *	drive get COUNT | post COUNT | fanout COUNT SUBSCRIBERS BURST
 *
 * Starts worker-runtime, with WR_BENCH_PREFIX before it, sends the load, ends it with SIGTERM and waits.
 * Two runs of different COUNT give the cost of one item without that of the start.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void drive_requests(const struct wr_bench_server *server, bool is_post, uint64_t count)
{
	const char *worker = "/v1/workers/worker-00000001";
	const char *input = "/v1/workers/worker-00000001/input";
	const char *body = "{\"kind\":\"user\",\"content\":\"x\"}";
	char request[1024];
	size_t bytes = wr_bench_request(request, sizeof request, server, is_post ? "POST" : "GET",
					is_post ? input : worker, is_post ? body : NULL);

	wr_bench_ask(server, request, bytes, 1, count, 200);
}

static void drive_fanout(const struct wr_bench_server *server, uint64_t count, unsigned subscribers,
			 unsigned burst)
{
	enum { REQUESTS_MAX = 8000 };
	struct wr_bench_audience audience;

	wr_bench_gather(&audience, server, subscribers, 0, false);
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

int main(int argc, char **argv)
{
	struct wr_bench_server server;
	uint64_t count;

	if (argc < 3) {
		fputs("usage: drive get COUNT | post COUNT | fanout COUNT SUBSCRIBERS BURST\n",
		      stderr);
		return 2;
	}
	wr_bench_begin(180);
	count = strtoull(argv[2], NULL, 10);
	wr_bench_start_runtime(&server, NULL);
	if (strcmp(argv[1], "fanout") == 0 && argc == 5)
		drive_fanout(&server, count, (unsigned)strtoul(argv[3], NULL, 10),
			     (unsigned)strtoul(argv[4], NULL, 10));
	else
		drive_requests(&server, strcmp(argv[1], "post") == 0, count);
	wr_bench_stop(&server);
	return 0;
}
