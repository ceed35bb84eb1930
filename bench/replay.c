/*
 * replay — a subscriber that comes back with a cursor 100,000 events old, all of which are in
 * memory (`runtime`), or nearly all on disk only (`disk`): frames per second, and the server's CPU
 * per frame. Every frame is counted and its order checked.
 *
 * The floor sends as many frames of the same length, 64 KiB in a send, without ever looking at
 * them.
 *
 * Expected: 30 MB straight out of the log's chunks, no copy and no work per frame of our own, so
 * what the kernel takes for a byte, 0.1 ns, or 30 ns for a frame of 300: 10 million frames a second
 * and more, as far as the receiver keeps up. From disk (the page cache) a frame is a checksum, a
 * decode and an encoding more, some 0.3 us.
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

	wr_bench_gather(&audience, server, 1, 0, WR_BENCH_ONE_WORKER);
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

static void start(struct side *self, const char *const *flags, char cursor[48], size_t *frame_bytes)
{
	wr_bench_start_runtime(&self->server, flags);
	wr_bench_make_worker(&self->server);
	fill(&self->server, cursor, 48, frame_bytes);
}

static void report(const struct side *self, const char *name, const struct side *floor)
{
	char full[64];

	snprintf(full, sizeof full, "replay.%s.cpu", name);
	wr_bench_report(full, "ns/frame", &self->cpu, floor != NULL ? &floor->cpu : NULL);
	snprintf(full, sizeof full, "replay.%s.rate", name);
	wr_bench_report(full, "frames/s", &self->rate, floor != NULL ? &floor->rate : NULL);
}

int main(void)
{
	enum { SIDES = 3 };
	static const char *const names[SIDES] = {"floor", "runtime", "disk"};
	static struct side sides[SIDES];
	struct wr_bench_floor floor = {200, FRAMES - 1, 0};
	/* The second Runtime keeps the newest few in memory only. */
	unsigned rounds = wr_bench_rounds(15), count = WR_FS_STORE ? SIDES : SIDES - 1;
	const char *build = getenv("WR_BUILD");
	char cursors[SIDES][48], folder[256], command[300];
	const char *memory[] = {"--worker-retention-events=200000", "--worker-retention-bytes=128M",
				"--retention-bytes=256M", NULL};
	const char *disk[] = {"--store=fs", "--durability=never", "--fs-root", folder, NULL};

	wr_bench_begin(60 + rounds);
	snprintf(folder, sizeof folder, "%s/bench/replay-XXXXXX",
		 build != NULL ? build : "build/release");
	wr_bench_require(mkdtemp(folder) != NULL, "cannot make a folder for the log");
	start(&sides[1], memory, cursors[1], &floor.frame_bytes);
	if (count == SIDES)
		start(&sides[2], disk, cursors[2], &floor.frame_bytes);
	wr_bench_start_floor(&sides[0].server, &floor);
	fprintf(stderr, "replay: frames of %zu bytes\n", floor.frame_bytes);
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned i = 0; i < count; i++)
			replay(&sides[(round + i) % count], cursors[(round + i) % count]);
	for (unsigned i = 0; i < count; i++) {
		report(&sides[i], names[i], i > 0 ? &sides[0] : NULL);
		wr_bench_stop(&sides[i].server);
	}
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command) == 0 ? 0 : 1;
}
