/*
 * server — the servers under test as child processes: the floor, worker-runtime, and a
 * workspace-server over one.
 *
 * A child is pinned, bounded by the life of this program (it is killed when we end, however), and
 * silent unless WR_BENCH_VERBOSE is set. Programs are found in WR_BUILD.
 */
#ifndef WR_BENCH_SERVER_H
#define WR_BENCH_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct wr_bench_server {
	bool is_floor;
	const struct wr_bench_server *behind; /* of a Backend: the Runtime; else NULL */
	pid_t pid;
	uint16_t port;
	char folder[32]; /* of a Backend: what is removed with it; else empty */
};

/* What the floor answers and publishes; equal to what worker-runtime sends. */
struct wr_bench_floor {
	size_t answer_bytes;  /* of a GET or POST, head and body */
	size_t request_bytes; /* every POST has this length, head and body */
	size_t frame_bytes;   /* published for every POST */
};

/* The token that worker-runtime is given and our requests carry. */
#define WR_BENCH_TOKEN "5d2c1f0e9b8a7766554433221100ffee"

/* Starts a server; returns when it listens. `flags` NULL, or up to 8 of worker-runtime's, ending
 * with NULL. */
void wr_bench_start_floor(struct wr_bench_server *self, const struct wr_bench_floor *floor);
void wr_bench_start_runtime(struct wr_bench_server *self, const char *const *flags);
/* A workspace-server with one remote, `remote:box`, that runtime. */
void wr_bench_start_backend(struct wr_bench_server *self, const struct wr_bench_server *runtime);
/* Starts without waiting, on any processor; for the time to the first answer. */
void wr_bench_spawn(struct wr_bench_server *self, bool is_floor,
		    const struct wr_bench_floor *floor);
/* Ends it and waits for its end. */
void wr_bench_stop(struct wr_bench_server *self);

/* User and system time of the process so far. */
uint64_t wr_bench_cpu_ns(const struct wr_bench_server *self);
/* A value of /proc/PID/smaps_rollup ("Rss:", "Private_Dirty:", "Anonymous:") in bytes. */
uint64_t wr_bench_memory(const struct wr_bench_server *self, const char *key);

/* Holds a server (SIGSTOP) until everything for its next turn is there. */
void wr_bench_hold(const struct wr_bench_server *self);
void wr_bench_release(const struct wr_bench_server *self);

#endif
