/*
 * bench — what the benchmark programs share: clocks, figures, servers under test, and load clients.
 *
 * A program starts the servers it compares, measures them in alternation, round after round, and
 * prints one line for each figure:
 *
 *	name,min,median,max,unit,ratio
 *
 * `ratio` is the median over the rounds of this figure divided by the floor's of the same round
 * (bench/floor.c); empty where there is no floor. The server's CPU is that of its process, all
 * threads, read from its CPU clock, so that load of the machine changes it little.
 *
 * Environment: WR_BUILD, folder of the programs (build/release); WR_BENCH_ITERS, rounds of every
 * figure; WR_BENCH_PREFIX, words before the command of worker-runtime, such as a profiler.
 *
 * Everything here ends the program with a message when something is not as expected: a wrong
 * answer, a missing frame, a server that does not start. Servers end with the program. Linux only
 * (epoll, process clocks, /proc). Loopback only.
 */
#ifndef WR_BENCH_BENCH_H
#define WR_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- ending, time ---- */

/* Says what is wrong, with errno when it is set, and ends the program. */
_Noreturn void wr_bench_die(const char *what);
void wr_bench_require(bool is_so, const char *what);

/* Bounds the whole program to so many seconds, and pins it to the last processor; servers run on
 * the first one. To be called first. */
void wr_bench_begin(unsigned seconds_max);

uint64_t wr_bench_now_ns(void);

/* WR_BENCH_ITERS, or else `otherwise`; at most WR_BENCH_ROUNDS_MAX. */
unsigned wr_bench_rounds(unsigned otherwise);

/* ---- figures ---- */

enum { WR_BENCH_ROUNDS_MAX = 256 };

/* One value for each round. Zero-initialise. */
struct wr_bench_series {
	unsigned count;
	double values[WR_BENCH_ROUNDS_MAX];
};

void wr_bench_add(struct wr_bench_series *self, double value);
double wr_bench_median(const struct wr_bench_series *self);
/* Prints the line. `floor`, NULL for none, has a value for each of ours. */
void wr_bench_report(const char *name, const char *unit, const struct wr_bench_series *self,
		     const struct wr_bench_series *floor);

/* Durations for percentiles: steps of 1/32 of a power of two. Zero-initialise. */
enum { WR_BENCH_STEPS = 32, WR_BENCH_BINS = 64 * WR_BENCH_STEPS };
struct wr_bench_histogram {
	uint64_t count;
	uint64_t bins[WR_BENCH_BINS];
};
void wr_bench_observe(struct wr_bench_histogram *self, uint64_t ns);
double wr_bench_quantile(const struct wr_bench_histogram *self, double share);

/* ---- servers ---- */

struct wr_bench_server {
	bool is_floor;
	pid_t pid;
	uint16_t port;
};

/* What the floor answers and publishes; equal to what worker-runtime sends. */
struct wr_bench_floor {
	size_t answer_bytes;  /* of a GET or POST, head and body */
	size_t request_bytes; /* every POST has this length, head and body */
	size_t frame_bytes;   /* published for every POST */
};

/* Starts a server; returns when it answers. `flags` NULL, or up to 8 of worker-runtime's, ending
 * with NULL. A runtime has a token and, once made, the Worker worker-00000001. */
void wr_bench_start_floor(struct wr_bench_server *self, const struct wr_bench_floor *floor);
void wr_bench_start_runtime(struct wr_bench_server *self, const char *const *flags);
/* Starts without waiting; for the time to the first answer. */
void wr_bench_spawn(struct wr_bench_server *self, bool is_floor,
		    const struct wr_bench_floor *floor, const char *const *flags);
void wr_bench_make_worker(const struct wr_bench_server *self);
/* Ends it and waits for its end. */
void wr_bench_stop(struct wr_bench_server *self);

/* User and system time of the process so far. */
uint64_t wr_bench_cpu_ns(const struct wr_bench_server *self);
/* A value of /proc/PID/smaps_rollup ("Rss:", "Private_Dirty:", "Anonymous:") in bytes. */
uint64_t wr_bench_memory(const struct wr_bench_server *self, const char *key);

/* ---- a connection of ours, non-blocking ---- */

struct wr_bench_peer {
	int fd;
	uint64_t items; /* whole frames or answers that came */
	uint64_t last_sequence;
	size_t rest_bytes; /* of an unfinished item */
	uint8_t *rest;
	size_t rest_capacity;
};

/* Connects from 127.0.0.(2 + source). */
void wr_bench_connect(struct wr_bench_peer *self, const struct wr_bench_server *server,
		      unsigned source);
void wr_bench_disconnect(struct wr_bench_peer *self);
void wr_bench_send(struct wr_bench_peer *self, const void *data, size_t bytes);

/* Writes a request; `path` and `body` may be NULL where the floor does not look. Returns its length. */
size_t wr_bench_request(char *out, size_t bytes_max, const struct wr_bench_server *server,
			const char *method, const char *path, const char *body);
/* Length of the whole answer at the front of `data`, 0 when some is missing. */
size_t wr_bench_answer(const uint8_t *data, size_t bytes, unsigned *status);
/* Sends one request, waits for the answer; gives its length and, when asked for, its bytes. */
size_t wr_bench_roundtrip(const struct wr_bench_server *server, const char *request, size_t bytes,
			  unsigned *status);

/* ---- many askers: the same request over and over ---- */

enum { WR_BENCH_ASKERS = 16 };

/* Sends `count` requests over WR_BENCH_ASKERS connections, `depth` outstanding on each; every
 * answer must have `status`. Connections are made before and closed after what is measured. */
struct wr_bench_cost {
	double cpu_ns, wall_ns; /* of one request: the server's CPU; time that passed */
};
struct wr_bench_cost wr_bench_ask(const struct wr_bench_server *server, const char *request,
				  size_t bytes, unsigned depth, uint64_t count, unsigned status);

/* ---- an audience: subscribers of one server, and who speaks to them ---- */

enum { WR_BENCH_SPEAKERS = 4, WR_BENCH_SPEAKER_BURST = 32, WR_BENCH_SENT_MAX = 1u << 16 };

struct wr_bench_audience {
	const struct wr_bench_server *server;
	int epoll_fd;
	bool wants_posts;	   /* of a floor too: speak by POST instead of /pub */
	unsigned count;		   /* subscribers */
	unsigned stalled;	   /* of them, the last ones: never read */
	size_t frame_bytes;	   /* of the last frame that came; for a floor's /pub: to be sent */
	size_t content_bytes;	   /* of a POST's content */
	struct wr_bench_peer *subscribers;
	struct wr_bench_peer speakers[WR_BENCH_SPEAKERS];
	uint64_t said, heard, answered, due; /* events; frames; answers; frames to come */
	uint64_t received_bytes;
	uint64_t *sent_ns; /* when event k was sent, at k % WR_BENCH_SENT_MAX */
	struct wr_bench_histogram *latency; /* NULL: not measured */
	char *out;
	size_t out_bytes;
};

/* Subscribes; a runtime's snapshots have been read when it returns. */
void wr_bench_gather(struct wr_bench_audience *self, const struct wr_bench_server *server,
		     unsigned count, unsigned stalled, bool wants_posts);
void wr_bench_dismiss(struct wr_bench_audience *self);

/* Sends so many events at once and waits until each subscriber that reads has all of them. Up to
 * WR_BENCH_SPEAKER_BURST go over one connection, so that a server takes them in one turn; for more
 * (up to four times as many) the server is held (SIGSTOP) until they are all there. */
void wr_bench_burst(struct wr_bench_audience *self, unsigned events);

/* Sends one event every `period_ns` for `duration_ns`, whatever comes back. */
void wr_bench_pace(struct wr_bench_audience *self, uint64_t period_ns, uint64_t duration_ns);

/* New speaker connections; between measurements, since a server ends them after 10,000 requests. */
void wr_bench_renew(struct wr_bench_audience *self);

#endif
