/*
 * idle — what is spent on doing nothing: memory at the start, of an idle subscriber, of a stalled
 * one; and the time from start to the first answer.
 *
 * Memory is Private_Dirty of smaps_rollup (pages of this process's own, in 4 KiB steps, so over
 * 10,000 subscribers exact to a byte) and Anonymous. Stalled: 1,000 subscribers that never read,
 * with the smallest socket buffers, while 100 MB of events flow to one that does and must get every
 * frame in order. The same flow with the healthy one alone is taken off: what the log keeps is not
 * theirs.
 *
 * Expected: below 128 bytes for an idle subscriber (connection, watch, position); 0 for a stalled
 * one, since nothing is queued; 200 kB at the start when linked statically with musl, more with a
 * shared glibc whose own pages count; start to answer 1.2 x a floor that only maps a ring, below 1
 * ms.
 */
#include "audience.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *const sides[2] = {"floor", "runtime"};
static const struct wr_bench_floor floor_shape = {200, 300, 200};

/* ---- start ---- */

/* From fork to the first byte of an answer; we try to connect every 50 us. */
static double start_once(struct wr_bench_server *server, bool is_floor)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	char request[512], answer[4096];
	const struct timespec pause = {.tv_nsec = 50000};
	uint64_t begin = wr_bench_now_ns();
	size_t bytes;
	int fd;

	wr_bench_spawn(server, is_floor, &floor_shape);
	to.sin_port = htons(server->port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (;;) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
			break;
		close(fd);
		wr_bench_require(wr_bench_now_ns() - begin < 5000000000u, "does not start");
		nanosleep(&pause, NULL);
	}
	errno = 0;
	bytes = wr_bench_request(request, sizeof request, server, "GET", "/healthz", NULL);
	wr_bench_require(send(fd, request, bytes, MSG_NOSIGNAL) == (ssize_t)bytes, "send");
	wr_bench_require(recv(fd, answer, sizeof answer, 0) > 12, "no answer");
	begin = wr_bench_now_ns() - begin;
	wr_bench_require(memcmp(answer, "HTTP/1.1 200", 12) == 0, "not a good answer");
	close(fd);
	return (double)begin / 1e6;
}

static void measure_start(unsigned rounds)
{
	static const char *const keys[3] = {"Rss:", "Private_Dirty:", "Anonymous:"};
	static const char *const names[3] = {"rss", "private_dirty", "anonymous"};
	static struct wr_bench_series times[2], memory[2][3];
	char name[96];

	for (unsigned round = 0; round < rounds; round++)
		for (unsigned i = 0; i < 2; i++) {
			unsigned side = round % 2 == 0 ? i : 1 - i;
			struct wr_bench_server server;
			wr_bench_add(&times[side], start_once(&server, side == 0));
			for (unsigned key = 0; key < 3; key++)
				wr_bench_add(&memory[side][key],
					     (double)wr_bench_memory(&server, keys[key]) / 1e3);
			wr_bench_stop(&server);
		}
	for (unsigned side = 0; side < 2; side++) {
		snprintf(name, sizeof name, "idle.%s.start_to_answer", sides[side]);
		wr_bench_report(name, "ms", &times[side], side == 1 ? &times[0] : NULL);
		for (unsigned key = 0; key < 3; key++) {
			snprintf(name, sizeof name, "idle.%s.start.%s", sides[side], names[key]);
			wr_bench_report(name, "kB", &memory[side][key],
					side == 1 ? &memory[0][key] : NULL);
		}
	}
}

/* ---- idle subscribers ---- */

static unsigned subscriber_count(unsigned wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted + 200)
		return (unsigned)limit.rlim_cur - 200;
	return wanted;
}

static void start(struct wr_bench_server *server, bool is_floor)
{
	if (is_floor) {
		wr_bench_start_floor(server, &floor_shape);
		return;
	}
	wr_bench_start_runtime(server, NULL);
	wr_bench_make_worker(server);
}

static void measure_idle(unsigned rounds)
{
	static struct wr_bench_series dirty[2], anonymous[2];
	unsigned count = subscriber_count(10000);
	char name[96];

	for (unsigned round = 0; round < rounds; round++)
		for (unsigned side = 0; side < 2; side++) {
			struct wr_bench_server server;
			struct wr_bench_audience first, all;
			uint64_t before[2];
			start(&server, side == 0);
			wr_bench_gather(&first, &server, 8, 0, WR_BENCH_ONE_WORKER);
			wr_bench_burst(&first, 1);
			before[0] = wr_bench_memory(&server, "Private_Dirty:");
			before[1] = wr_bench_memory(&server, "Anonymous:");
			wr_bench_gather(&all, &server, count, 0, WR_BENCH_ONE_WORKER);
			wr_bench_add(&dirty[side],
				     ((double)wr_bench_memory(&server, "Private_Dirty:") -
				      (double)before[0]) /
					     count);
			wr_bench_add(&anonymous[side],
				     ((double)wr_bench_memory(&server, "Anonymous:") -
				      (double)before[1]) /
					     count);
			wr_bench_burst(&all, 1); /* they are all there, and alive */
			wr_bench_dismiss(&first);
			wr_bench_dismiss(&all);
			wr_bench_stop(&server);
		}
	for (unsigned side = 0; side < 2; side++) {
		snprintf(name, sizeof name, "idle.%s.subscriber%u.private_dirty", sides[side],
			 count);
		wr_bench_report(name, "B/subscriber", &dirty[side], NULL);
		snprintf(name, sizeof name, "idle.%s.subscriber%u.anonymous", sides[side], count);
		wr_bench_report(name, "B/subscriber", &anonymous[side], NULL);
	}
}

/* ---- stalled subscribers ---- */

/* Growth of the process, from all subscribed to 100 MB later. */
static double flow(unsigned stalled, double *seconds)
{
	enum { CONTENT_BYTES = 4000, BURST = 32, RENEW_EVERY = 256 };
	const uint64_t bytes_wanted = 100000000;
	struct wr_bench_server server;
	struct wr_bench_audience audience;
	uint64_t begin, before;
	double growth;

	wr_bench_start_runtime(&server, NULL);
	wr_bench_make_worker(&server);
	wr_bench_gather(&audience, &server, 1 + stalled, stalled, WR_BENCH_ONE_WORKER);
	audience.content_bytes = CONTENT_BYTES;
	before = wr_bench_memory(&server, "Private_Dirty:");
	begin = wr_bench_now_ns();
	for (unsigned i = 1; audience.received_bytes < bytes_wanted; i++) {
		wr_bench_burst(&audience, BURST);
		if (i % RENEW_EVERY == 0)
			wr_bench_renew(&audience);
	}
	*seconds = (double)(wr_bench_now_ns() - begin) / 1e9;
	growth = (double)wr_bench_memory(&server, "Private_Dirty:") - (double)before;
	wr_bench_require(audience.subscribers[0].items == audience.said, "frames were lost");
	wr_bench_dismiss(&audience);
	wr_bench_stop(&server);
	return growth;
}

static void measure_stalled(unsigned rounds)
{
	enum { STALLED = 1000 };
	static struct wr_bench_series alone, together, each, slowdown;
	double seconds[2];

	for (unsigned round = 0; round < rounds; round++) {
		wr_bench_add(&alone, flow(0, &seconds[0]) / 1e3);
		wr_bench_add(&together, flow(STALLED, &seconds[1]) / 1e3);
		wr_bench_add(&each, (together.values[round] - alone.values[round]) * 1e3 / STALLED);
		wr_bench_add(&slowdown, seconds[1] / seconds[0]);
	}
	wr_bench_report("idle.runtime.flow100MB.growth", "kB", &alone, NULL);
	wr_bench_report("idle.runtime.flow100MB.stalled1000.growth", "kB", &together, NULL);
	wr_bench_report("idle.runtime.flow100MB.stalled1000.each", "B/subscriber", &each, NULL);
	wr_bench_report("idle.runtime.flow100MB.stalled1000.time", "x", &slowdown, NULL);
}

int main(void)
{
	unsigned rounds = wr_bench_rounds(3);

	wr_bench_begin(90 + 20 * rounds);
	measure_start(5 * rounds);
	measure_idle(rounds);
	measure_stalled(rounds);
	return 0;
}
