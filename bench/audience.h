/*
 * audience — the subscribers of one server, and who speaks to them.
 *
 * Every frame is counted, each subscriber must get every event, and nobody more; the first
 * subscriber's frames must come in the order of their sequence.
 */
#ifndef WR_BENCH_AUDIENCE_H
#define WR_BENCH_AUDIENCE_H

#include "bench.h"
#include "client.h"

enum { WR_BENCH_SPEAKERS = 4, WR_BENCH_SPEAKER_BURST = 32, WR_BENCH_SENT_MAX = 1u << 16 };

struct wr_bench_audience {
	const struct wr_bench_server *server;
	int epoll_fd;
	bool wants_posts; /* of a floor too: speak by POST instead of /pub */
	bool is_wide;	  /* of a Runtime: the stream of all its Workers */
	bool spins;	  /* wait without sleeping, so that no send of the server has to wake us */
	unsigned count;	  /* subscribers */
	unsigned stalled; /* of them, the last ones: never read */
	size_t frame_bytes;   /* of the last frame that came; for a floor's /pub: to be sent */
	size_t content_bytes; /* of a POST's content */
	struct wr_bench_peer *subscribers;
	struct wr_bench_peer speakers[WR_BENCH_SPEAKERS];
	uint64_t said, heard, answered, due; /* events; frames; answers; frames to come */
	uint64_t received_bytes;
	uint64_t *sent_ns;		    /* when event k was sent, at k % WR_BENCH_SENT_MAX */
	struct wr_bench_histogram *latency; /* NULL: not measured */
	char *out;
	size_t out_bytes;
	size_t sequence_place; /* of the sequence in a frame; 0: not known yet */
	char cursor[48];       /* of the first frame that the first subscriber was sent */
};

/* Subscribes; a runtime's snapshots have been read when it returns. */
enum wr_bench_way {
	WR_BENCH_ONE_WORKER = 0,
	WR_BENCH_WIDE = 1,  /* subscribe to the stream of all Workers (a floor has only one) */
	WR_BENCH_POSTS = 2, /* speak to a floor too by POST */
};
void wr_bench_gather(struct wr_bench_audience *self, const struct wr_bench_server *server,
		     unsigned count, unsigned stalled, enum wr_bench_way way);
/* One subscriber, resumed from a cursor; `frames` will come without anybody speaking. (A floor
 * sends what it has always ready, GET /raw.) */
void wr_bench_resume(struct wr_bench_audience *self, const struct wr_bench_server *server,
		     const char *cursor, uint64_t frames);
void wr_bench_dismiss(struct wr_bench_audience *self);

/* Sends so many events at once and waits until each subscriber that reads has all of them. Up to
 * WR_BENCH_SPEAKER_BURST go over one connection, so that a server takes them in one turn; for more
 * (up to four times as many) the server is held (SIGSTOP) until they are all there. */
void wr_bench_burst(struct wr_bench_audience *self, unsigned events);

/* CPU of the server in ns for one event, over `events` of them in bursts, with new speakers.
 * `latency`, which may be NULL, gets the time from each send to each frame. */
double wr_bench_event_cost(struct wr_bench_audience *self, unsigned events, unsigned burst,
			   struct wr_bench_histogram *latency);

/* Waits for what is due. */
void wr_bench_catch_up(struct wr_bench_audience *self);

/* Sends one event every `period_ns` for `duration_ns`, whatever comes back. */
void wr_bench_pace(struct wr_bench_audience *self, uint64_t period_ns, uint64_t duration_ns);

/* New speaker connections; between measurements, since a server ends them after 10,000 requests. */
void wr_bench_renew(struct wr_bench_audience *self);

#endif
