/*
 * restart — from exec to the first answer over a log that is there already, in milliseconds, and
 *the memory that is then in use:
 *
 *	clean	10^6 events of 10^4 Workers, after an orderly stop: checkpoint and what is behind it
 *	killed	the same after SIGKILL: the last segment is also written anew
 *	suffix	100 MB of events behind no checkpoint at all
 *
 * The memory is compared with that of a process that has just created as many Workers (ratio). The
 * floor of the suffix is reading as many bytes of a file in the page cache.
 *
 * Expected: clean and killed below 2 s, most of it the Workers' memory and at most 8 MiB of events;
 * a suffix costs a checksum, a decode and a fold per record, far below the 1 s that is promised.
 */
#include "audience.h"
#include "bench.h"
#include "client.h"
#include "core/runtime.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/memory.h"
#include "io/store/fs_store.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	WORKERS = 10000,
	EVENTS = 1000000,
	SUFFIX_BYTES = 100 << 20,
	CONTENT_BYTES = 100,
	PER_TURN = 64
};

static char folder[256];

/* ---- making a log ---- */

struct maker {
	struct wr_allocator allocator;
	struct wr_fs_store *store;
	struct wr_runtime *runtime;
};

static int64_t wall_ms(void *context)
{
	(void)context;
	return wr_clock_wall_ms();
}

static enum wr_status entropy(void *context, void *out, size_t bytes)
{
	(void)context;
	return wr_entropy_fill(out, bytes);
}

static void open_maker(struct maker *self, const char *root, uint64_t segment_bytes)
{
	struct wr_runtime_ports ports = {
		.allocator = &self->allocator, .wall_ms = wall_ms, .entropy = entropy};
	struct wr_runtime_config config;
	struct wr_fs_config fs;
	struct wr_fs_error fs_error;
	struct wr_error error;

	wr_memory_init(&self->allocator, SIZE_MAX);
	wr_fs_defaults(&fs);
	fs.root = root;
	fs.durability = WR_DURABILITY_NEVER;
	fs.segment_bytes = segment_bytes;
	fs.now_ms = wr_clock_monotonic_ms;
	fs.wall_ms = wr_clock_wall_ms;
	fs.entropy = wr_entropy_fill;
	wr_bench_require(wr_fs_store_open(&self->store, &self->allocator, &fs, &fs_error) == WR_OK,
			 "cannot open a store");
	ports.store = wr_fs_store_port(self->store);
	wr_runtime_defaults(&config);
	config.runtime_id = WR_VIEW("bench");
	config.worker_count_max = WORKERS;
	wr_bench_require(wr_runtime_new(&self->runtime, &config, &ports, &error) == WR_OK,
			 "cannot begin a log");
}

static void turn(struct maker *self)
{
	wr_fs_store_turn(self->store);
	wr_runtime_settle(self->runtime);
	while (!wr_runtime_takes_output(self->runtime)) {
		poll(&(struct pollfd){.fd = wr_fs_store_fd(self->store), .events = POLLIN}, 1,
		     1000);
		wr_fs_store_turn(self->store);
		wr_runtime_settle(self->runtime);
	}
}

static void make_workers(struct maker *self, unsigned count)
{
	const struct wr_create request = {.profile = WR_PROFILE_RUNTIME_DEFAULT};
	const struct wr_worker *worker;
	struct wr_error error;

	for (unsigned i = 0; i < count; i++) {
		wr_bench_require(
			wr_runtime_create(self->runtime, &request, NULL, &worker, &error) == WR_OK,
			"cannot create");
		if (i % PER_TURN == 0)
			turn(self);
	}
	turn(self);
}

static void make_events(struct maker *self, unsigned workers, unsigned count)
{
	char content[CONTENT_BYTES], id[32];
	struct wr_input input = {.content = wr_view_of(content, sizeof content)};
	struct wr_error error;
	struct wr_ack ack;

	memset(content, 'x', sizeof content);
	for (unsigned i = 0; i < count; i++) {
		snprintf(id, sizeof id, "worker-%08x", i % workers + 1);
		wr_bench_require(wr_runtime_input(self->runtime, wr_view_of_string(id), &input,
						  NULL, &ack, &error) == WR_OK,
				 "an input was refused");
		if (i % PER_TURN == 0)
			turn(self);
	}
	turn(self);
}

static void close_maker(struct maker *self)
{
	wr_runtime_free(self->runtime);
	wr_fs_store_close(self->store);
}

/* ---- starting over it ---- */

static void start_over(struct wr_bench_server *server, const char *root, const char *segment)
{
	const char *flags[] = {"--store=fs",	     "--fs-root", root,
			       "--fs-segment-bytes", segment,	  "--max-workers=20000",
			       "--runtime-id=bench", NULL};

	wr_bench_start_runtime(server, flags);
}

static double start_ms(struct wr_bench_server *server, const char *root, const char *segment)
{
	uint64_t since = wr_bench_now_ns();

	start_over(server, root, segment);
	return (double)(wr_bench_now_ns() - since) / 1e6;
}

static void kill_server(struct wr_bench_server *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
}

static void measure_many_workers(unsigned rounds)
{
	static struct wr_bench_series clean, killed, memory, fresh;
	static struct maker maker;
	struct wr_bench_server server;
	char root[300], young[300];

	snprintf(root, sizeof root, "%s/many", folder);
	open_maker(&maker, root, 8u << 20);
	make_workers(&maker, WORKERS);
	make_events(&maker, WORKERS, EVENTS);
	close_maker(&maker);
	for (unsigned round = 0; round < rounds; round++) {
		wr_bench_add(&clean, start_ms(&server, root, "8M"));
		wr_bench_add(&memory, (double)wr_bench_memory(&server, "Anonymous:") / 1024);
		kill_server(&server);
		wr_bench_add(&killed, start_ms(&server, root, "8M"));
		wr_bench_stop(&server);
		/* As many Workers that have just been created. */
		snprintf(young, sizeof young, "%s/young-%u", folder, round);
		open_maker(&maker, young, 8u << 20);
		make_workers(&maker, WORKERS);
		close_maker(&maker);
		start_over(&server, young, "8M");
		wr_bench_add(&fresh, (double)wr_bench_memory(&server, "Anonymous:") / 1024);
		wr_bench_stop(&server);
	}
	wr_bench_report("restart.clean", "ms", &clean, NULL);
	wr_bench_report("restart.killed", "ms", &killed, NULL);
	wr_bench_report("restart.young.memory", "KiB", &fresh, NULL);
	wr_bench_report("restart.clean.memory", "KiB", &memory, &fresh);
}

static double read_ms(const char *root)
{
	static char buffer[1 << 20];
	char path[400];
	uint64_t since, total = 0;
	int fd;

	snprintf(path, sizeof path, "%s/%020u.log", root, 1u);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	wr_bench_require(fd >= 0, "no segment");
	since = wr_bench_now_ns();
	while (total < SUFFIX_BYTES) {
		ssize_t got = read(fd, buffer, sizeof buffer);
		wr_bench_require(got > 0, "a short segment");
		total += (uint64_t)got;
	}
	close(fd);
	return (double)(wr_bench_now_ns() - since) / 1e6;
}

static void measure_suffix(unsigned rounds)
{
	static struct wr_bench_series ours, raw;
	static struct maker maker;
	struct wr_bench_server server;
	char root[300];

	snprintf(root, sizeof root, "%s/suffix", folder);
	open_maker(&maker, root, 128u << 20);
	make_workers(&maker, 100);
	make_events(&maker, 100, SUFFIX_BYTES / 200);
	close_maker(&maker);
	for (unsigned round = 0; round < rounds; round++) {
		wr_bench_add(&raw, read_ms(root));
		wr_bench_add(&ours, start_ms(&server, root, "128M"));
		wr_bench_stop(&server);
	}
	wr_bench_report("restart.suffix.floor", "ms/100MB", &raw, NULL);
	wr_bench_report("restart.suffix", "ms/100MB", &ours, &raw);
}

int main(void)
{
	const char *build = getenv("WR_BUILD");
	char command[300];

	wr_bench_begin(150);
	snprintf(folder, sizeof folder, "%s/bench/restart-XXXXXX",
		 build != NULL ? build : "build/release");
	wr_bench_require(mkdtemp(folder) != NULL, "cannot make a folder for the log");
	measure_many_workers(wr_bench_rounds(5));
	measure_suffix(wr_bench_rounds(5));
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command) == 0 ? 0 : 1;
}
