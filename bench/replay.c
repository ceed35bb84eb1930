/*
 * replay — a subscriber that comes back with a cursor 100,000 events old: frames per second, and
 * the server's CPU per frame. Every frame is counted and its order checked.
 *
 * The floor sends as many frames of the same length, 64 KiB in a send, without ever looking at
 * them.
 *
 * Expected: 30 MB straight out of the log's chunks, no copy and no work per frame of our own, so
 * what the kernel takes for a byte, 0.1 ns, or 30 ns for a frame of 300: 10 million frames a second
 * and more, as far as the receiver keeps up.
 */
#include "audience.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 100000, BURST = 100, RENEW_EVERY = 64 };

struct side {
	struct wr_bench_server server;
	struct wr_bench_series cpu, rate;
};

static void fill(const struct wr_bench_server *server, char *cursor, size_t cursor_bytes,
		 size_t *frame_bytes)
{
	struct wr_bench_audience audience;

	wr_bench_gather(&audience, server, 1, 0, false);
	for (unsigned i = 1; i <= FRAMES / BURST; i++) {
		wr_bench_burst(&audience, BURST);
		if (i % RENEW_EVERY == 0)
			wr_bench_renew(&audience);
	}
	snprintf(cursor, cursor_bytes, "%s", audience.cursor);
	*frame_bytes = audience.frame_bytes;
	wr_bench_dismiss(&audience);
}

static void replay(struct side *self, const char *cursor)
{
	const uint64_t frames = FRAMES - 1; /* all behind the first */
	struct wr_bench_audience audience;
	uint64_t wall = wr_bench_now_ns(), used = wr_bench_cpu_ns(&self->server);

	wr_bench_resume(&audience, &self->server, cursor, frames);
	wr_bench_catch_up(&audience);
	used = wr_bench_cpu_ns(&self->server) - used;
	wall = wr_bench_now_ns() - wall;
	wr_bench_add(&self->cpu, (double)used / (double)frames);
	wr_bench_add(&self->rate, (double)frames / (double)wall * 1e9);
	wr_bench_dismiss(&audience);
}

int main(void)
{
	static const char *const flags[] = {"--worker-retention-events=200000",
					    "--worker-retention-bytes=128M",
					    "--retention-bytes=256M", NULL};
	static struct side sides[2]; /* the floor, worker-runtime */
	struct wr_bench_floor floor = {200, FRAMES - 1, 0};
	unsigned rounds = wr_bench_rounds(15);
	char cursor[48];

	wr_bench_begin(60 + rounds);
	wr_bench_start_runtime(&sides[1].server, flags);
	wr_bench_make_worker(&sides[1].server);
	fill(&sides[1].server, cursor, sizeof cursor, &floor.frame_bytes);
	wr_bench_start_floor(&sides[0].server, &floor);
	fprintf(stderr, "replay: frames of %zu bytes\n", floor.frame_bytes);
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned i = 0; i < 2; i++)
			replay(&sides[round % 2 == 0 ? i : 1 - i], cursor);
	wr_bench_report("replay.floor.cpu", "ns/frame", &sides[0].cpu, NULL);
	wr_bench_report("replay.floor.rate", "frames/s", &sides[0].rate, NULL);
	wr_bench_report("replay.runtime.cpu", "ns/frame", &sides[1].cpu, &sides[0].cpu);
	wr_bench_report("replay.runtime.rate", "frames/s", &sides[1].rate, &sides[0].rate);
	for (unsigned i = 0; i < 2; i++)
		wr_bench_stop(&sides[i].server);
	return 0;
}
