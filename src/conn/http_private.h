/*
 * http_private — what the files of the HTTP server share: the server, one connection, its phases.
 *
 *	http_server.c  the server: accepting, refusing, deadlines, left-over work, draining
 *	http_conn.c    one connection: its phases, deadlines and end
 *	http_input.c   bytes on their way in, and the requests in them
 *	http_output.c  bytes on their way out
 *	http_answer.c  heads, bodies, faults, producers
 *	http_held.c    answers that may not leave yet
 *
 *	             head                  body whole                 answered
 *	   HEAD -----------------> BODY ----------------> ANSWER -----------------> HEAD
 *	     |  answered by its head                        |  by a producer          |
 *	     +---------------------> SKIP ----> HEAD        +------> PRODUCE ---> HEAD
 *	any, with the last answer: FLUSH --output taken, shut down--> DRAIN --end or bound--> GONE
 *
 * A block is freed by the server at the end of the turn in which its connection went, so that
 * whoever stands in one of its functions then may still look at the phase.
 */
#ifndef WR_CONN_HTTP_PRIVATE_H
#define WR_CONN_HTTP_PRIVATE_H

#include "codec/http/body.h"
#include "conn/http_server.h"
#include "containers/list.h"
#if WR_TLS
#include "io/tls/tls.h"
#endif

enum wr_http_phase {
	WR_HTTP_PHASE_HEAD,    /* idle, or a head is coming */
	WR_HTTP_PHASE_BODY,    /* `in` holds a head and the payload so far */
	WR_HTTP_PHASE_SKIP,    /* answered already; the rest of the body is dropped */
	WR_HTTP_PHASE_ANSWER,  /* the app has the exchange */
	WR_HTTP_PHASE_PRODUCE, /* a producer gives the rest of the answer */
	WR_HTTP_PHASE_FLUSH,   /* the last answer leaves */
	WR_HTTP_PHASE_DRAIN,   /* output side shut down; input is dropped until the peer ends */
	WR_HTTP_PHASE_GONE     /* closed; freed at the end of the turn */
};

enum {
	/* One recv while a head is awaited: dozens of requests, and few bytes left over. */
	WR_HTTP_HEAD_READ_BYTES = 16384,
	/* Kept of what a peer sends ahead while an answer is not given yet. */
	WR_HTTP_AHEAD_BYTES_MAX = 16384,
	/* Unfinished heads and input sent ahead are free up to this; more counts as body. */
	WR_HTTP_FREE_INPUT_BYTES = 8192,
	/* Held answers of a connection. Beyond: it serves nothing more until they have left. */
	WR_HTTP_HELD_COUNT_MAX = 8,
	/* A body that nobody wants is read up to this to keep the connection. */
	WR_HTTP_SKIP_BYTES_MAX = 65536,
	/* Of a sockaddr: all of IPv4 and IPv6; of a unix one the family, clients have no name. */
	WR_HTTP_PEER_BYTES = 28
};

struct wr_http_conn {
	struct wr_watch watch;
	struct wr_stream stream;
	uint8_t phase; /* enum wr_http_phase */
	uint8_t minor_version;
	uint8_t peer_bytes;
	bool is_to_head;      /* the request is HEAD: the answer has no body */
	bool is_keep_alive;   /* 1.0 that asked for it: the answer says so */
	bool is_last;	      /* the answer is the last: Connection: close */
	bool is_known;	      /* a credential was shown */
	bool is_partial;      /* a head has begun and needs more bytes */
	bool is_ended;	      /* the peer sends no more */
	bool is_choked;	      /* too much output waits to go on */
	bool is_queued;	      /* in the server's list of work */
	bool is_body_ahead;   /* the body is not complete */
	bool is_refusal_last; /* an answer before the body ends the connection */
	bool is_producing;
	bool is_late;	     /* the body is beyond its free time: its rate counts */
	uint8_t held_count;  /* held answers; at its limit also when an upgrade waits for them */
	uint32_t since_ms;   /* begin of what the phase's deadline is about */
	uint32_t sent_ms;    /* the last time the socket took output that waited */
	uint32_t mark_bytes; /* BODY: payload at since_ms; SKIP, DRAIN: bytes dropped */
	uint32_t request_count;
	struct wr_list link; /* in a list of the server by is_known */
	struct wr_list work; /* in a list of the server: work left over, or waiting to be freed */
	struct wr_http_server *server;
	struct wr_buf in;  /* HEAD: unparsed; BODY: head and payload; later: sent ahead */
	struct wr_buf out; /* what the socket did not take, from out_at on */
	size_t out_at;
	size_t in_charge;  /* of `in`, in the server's sum of bodies */
	size_t out_charge; /* of `out`, in its sum of outputs */
	/* Held: what must be reached before more than free_bytes of the output may leave. */
	uint64_t held_until; /* 0: nothing is held */
	size_t free_bytes;
	struct wr_list held; /* in a list of the server */
	size_t head_bytes;   /* of `in`, when it holds a body */
	union {
		struct wr_http_head_parser parser; /* HEAD; zero at its begin */
		struct wr_http_body body;	   /* from then on */
	};
	struct wr_http_producer producer;
	struct wr_http_exchange exchange;
	unsigned char peer[WR_HTTP_PEER_BYTES];
};

_Static_assert(sizeof(void *) > 8 || sizeof(struct wr_http_conn) <= 544, "one per connection");

struct wr_http_server {
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	struct wr_http_server_config config;
	struct wr_http_app app;
	struct wr_listener listener;
	struct wr_timer sweep;
	struct wr_turn_hook hook;
	uint32_t sweep_ms;
	struct wr_list known, unknown; /* connections by whether a credential was shown */
	struct wr_list work;	       /* connections that can go on without an event */
	struct wr_list graves;	       /* connections to be freed at the end of the turn */
	struct wr_list held;	       /* connections that have held answers */
	uint64_t held_reached;	       /* what they were told last */
	uint32_t count, unknown_count; /* count: with those that left HTTP */
	bool is_draining;
	size_t bodies_bytes, outputs_bytes;

	/* Lent to one connection at a time. */
	char *receive;		    /* WR_TURN_READ_BYTES_MAX */
	struct wr_buf out;	    /* answers of the event at hand */
	struct wr_http_conn *owner; /* of `out`, or NULL */
	struct wr_buf body;	    /* an answer's body in the making */
	struct wr_buf fields;	    /* extra fields, finished lines */
	const struct wr_http_exchange *fields_of;
	bool has_type_field;
	struct wr_http_conn *serving; /* whose request the app is being asked about, or NULL */
	struct wr_view rest;	      /* received behind that request */
	unsigned requests_left;	      /* of the connection at hand in this turn */
	struct wr_address peer;
	const struct wr_http_conn *peer_of;
	struct wr_http_head head;

	/* The head of a 200, up to the number of its Content-Length; see http_answer.c. */
	char *block;
	size_t block_bytes, block_used, type_at, date_at, length_at;
	uint64_t date_until_ms;
	/* The answer of a server that is full. */
	struct wr_buf refusal;
	size_t retry_at;
	uint32_t random;
	char refusal_bytes[768];
};

/* ---- http_server.c ---- */

/* The connection has work that no event will announce: it is called again at the end of a turn. */
void wr_http_server_queue(struct wr_http_server *self, struct wr_http_conn *conn);
/* A credential was shown. */
void wr_http_server_know(struct wr_http_server *self, struct wr_http_conn *conn);

/* ---- http_conn.c ---- */

/* Takes the descriptor; without memory the peer is refused. */
void wr_http_conn_new(struct wr_http_server *server, int fd, const struct wr_address *peer);
/* What is answered without a connection: a static 503, or an alert of TLS. */
struct wr_view wr_http_conn_refusal(struct wr_http_server *server);
/* Answers so and closes. */
void wr_http_conn_refuse(struct wr_http_server *server, int fd);
/* Closes at once; the block lives on until the end of the turn. */
void wr_http_conn_end(struct wr_http_conn *self, bool reset);
/* Frees a block that is gone. */
void wr_http_conn_free(struct wr_http_conn *self);
/* Does what was left over. */
void wr_http_conn_continue(struct wr_http_conn *self);
/* Applies the deadlines. */
void wr_http_conn_sweep(struct wr_http_conn *self);
/* Sends what there is and sees what the connection waits for next; may end it. */
void wr_http_conn_settle(struct wr_http_conn *self);
/* The app has had its say about the exchange: the next phase. */
void wr_http_conn_conclude(struct wr_http_conn *self);
/* Idle: nothing received, nothing to send. */
bool wr_http_conn_is_idle(const struct wr_http_conn *self);

/* Begins a phase, and what its deadline is about. */
void wr_http_conn_enter(struct wr_http_conn *self, enum wr_http_phase phase);
/* Answers in place of the app and serves nothing that follows. */
void wr_http_conn_fail(struct wr_http_conn *self, unsigned status, enum wr_http_server_fault kind,
		       enum wr_http_fault fault);
/* The same for a head that was not understood: nothing is known about the request. */
void wr_http_conn_fail_head(struct wr_http_conn *self, unsigned status,
			    enum wr_http_server_fault kind, enum wr_http_fault fault);

/* ---- http_input.c ---- */

/* Receives once, as the phase has it, and works on what came. Settle the connection then. */
void wr_http_input_receive(struct wr_http_conn *conn);
/* Works on the requests that were kept. */
void wr_http_input_take_kept(struct wr_http_conn *conn);
/* Whether there are any. */
bool wr_http_input_has_requests(const struct wr_http_conn *conn);
/* Takes what is kept out of the server's sum of bodies. */
void wr_http_input_release(struct wr_http_conn *conn);
/* Frees what is kept. */
void wr_http_input_drop(struct wr_http_conn *conn);

/* ---- http_output.c ---- */

/* Where the connection's next output goes, in order. */
struct wr_buf *wr_http_output(struct wr_http_conn *conn);
/* Bytes that wait, gathered ones included. */
size_t wr_http_output_bytes(const struct wr_http_conn *conn);
/* Bytes that wait for nothing but the socket, after a flush. */
size_t wr_http_output_sendable(const struct wr_http_conn *conn);
/* One send at most. What the socket does not take, or what is held, is kept; a connection that is
 * gone, or for which nothing can be kept, is ended. */
void wr_http_output_flush(struct wr_http_conn *conn);
/* Gives up all output and the shared buffer. */
void wr_http_output_drop(struct wr_http_conn *conn);
/* Gives up all output from the first held answer on; may end the connection for lack of memory. */
void wr_http_output_cut(struct wr_http_conn *conn);

/* ---- http_answer.c ---- */

enum wr_status wr_http_answer_init(struct wr_http_server *server);
void wr_http_answer_deinit(struct wr_http_server *server);
/* Answers for the server; unless `is_kept` the answer is the last. */
void wr_http_answer_fault(struct wr_http_conn *conn, unsigned status,
			  enum wr_http_server_fault kind, enum wr_http_fault fault, bool is_kept);
/* Answers 503 for a lack of memory, in place of the app. */
void wr_http_answer_overload(struct wr_http_exchange *exchange);
/* The static 503 with a fresh Retry-After. */
struct wr_view wr_http_refusal(struct wr_http_server *server);
/* Takes more from the producer, a bounded amount; the connection is then to be settled. */
void wr_http_produce(struct wr_http_conn *conn);
/* The producer is no longer needed. */
void wr_http_release_producer(struct wr_http_conn *conn);

#endif
