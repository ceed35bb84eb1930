/*
 * client — connections of ours to a server, requests and answers, and a load of many requests.
 */
#ifndef WR_BENCH_CLIENT_H
#define WR_BENCH_CLIENT_H

#include "server.h"

struct wr_bench_peer {
	int fd;
	uint64_t items; /* whole frames or answers that came */
	uint64_t last_sequence;
	size_t rest_bytes; /* of an unfinished item */
	uint8_t *rest;
	size_t rest_capacity;
};

/* Connects from 127.0.0.(2 + source), with a receive buffer of so many bytes (0: what is usual). */
void wr_bench_connect(struct wr_bench_peer *self, const struct wr_bench_server *server,
		      unsigned source, int receive_bytes);
void wr_bench_disconnect(struct wr_bench_peer *self);
/* Requests are small and answered before the next: a full socket is an error. */
void wr_bench_send(struct wr_bench_peer *self, const void *data, size_t bytes);

/* Takes whole items off the front; returns how many bytes they were. */
typedef size_t wr_bench_take_fn(void *context, struct wr_bench_peer *peer, const uint8_t *data,
				size_t bytes);
/* One recv, given to `take` with what was kept before it; what that leaves is kept. Returns the
 * bytes received, 0 when there was nothing. */
size_t wr_bench_receive(struct wr_bench_peer *self, wr_bench_take_fn *take, void *context);
/* Waits until a descriptor is readable, at most WR_BENCH_SILENCE_MS_MAX. */
enum { WR_BENCH_SILENCE_MS_MAX = 20000 };
void wr_bench_await(int fd);

/* Writes a request; `path` and `body` may be NULL where the floor does not look. Returns its
 * length. */
size_t wr_bench_request(char *out, size_t bytes_max, const struct wr_bench_server *server,
			const char *method, const char *path, const char *body);
/* Length of the whole answer at the front of `data`, 0 when some is missing. */
size_t wr_bench_answer(const uint8_t *data, size_t bytes, unsigned *status);
/* Sends one request, waits for the answer; gives its length and, when asked for, its bytes. */
size_t wr_bench_roundtrip(const struct wr_bench_server *server, const char *request, size_t bytes,
			  unsigned *status);

/* A wr_bench_take_fn for answers, all of which must have the status at `context` (unsigned). */
size_t wr_bench_take_answers(void *context, struct wr_bench_peer *peer, const uint8_t *data,
			     size_t bytes);

/* Creates the Worker of a new worker-runtime, worker-00000001. */
void wr_bench_make_worker(const struct wr_bench_server *server);

/* ---- many askers: the same request over and over ---- */

enum { WR_BENCH_ASKERS = 16 };

/* Sends `count` requests over WR_BENCH_ASKERS connections, `depth` outstanding on each; every
 * answer must have `status`. Connections are made before and closed after what is measured. */
struct wr_bench_cost {
	double cpu_ns, wall_ns; /* of one request: the server's CPU; time that passed */
};
struct wr_bench_cost wr_bench_ask(const struct wr_bench_server *server, const char *request,
				  size_t bytes, unsigned depth, uint64_t count, unsigned status);

#endif
