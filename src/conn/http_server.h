/*
 * http_server — HTTP/1.1 connections of one listener, driven by the reactor; knows no Worker.
 *
 * Bytes come in through one receive buffer of the server; a request that is whole in it is parsed
 * and answered in place. Only what is unfinished is kept, in a private buffer of its connection.
 * Answers of one readable event are gathered and leave in one send.
 *
 * Per request the app is called twice: on_head when the head is complete (checks that need no body:
 * Origin, token, route, type, size; it may answer at once) and, when it did not answer,
 * on_request with the whole body. When the body comes in pieces, on_head is called once more just
 * before on_request, because every view into the head has moved; so on_head must be repeatable.
 * Views of the exchange live for the duration of the call they are given in.
 *
 * An app that cannot answer yet simply returns; it keeps the exchange and answers later, while the
 * server reads no further request of that connection. When the connection ends first, on_abandon
 * says so and the exchange is gone. An app that can answer, but may not tell yet, holds the answer.
 *
 * After a framing error the server answers once (on_fault writes the body) and closes; nothing that
 * follows is served. Closing drains: after the last answer the output side is shut down and input
 * is read and dropped for a bounded time, so that the peer sees the answer instead of a reset.
 *
 * Limits: WR_HTTP_*, WR_CONN_*, WR_TURN_* of bounds.h, some of them settable by the config.
 */
#ifndef WR_CONN_HTTP_SERVER_H
#define WR_CONN_HTTP_SERVER_H

#include "bytes/buf.h"
#include "codec/http/head.h"
#include "codec/http/route.h"
#include "codec/http/target.h"
#include "io/net/listener.h"
#include "io/net/stream.h"
#include "io/reactor/reactor.h"

struct wr_http_server;
struct wr_tls_server;

/* What an app puts into an answer piece by piece: a page that is never whole in memory. */
struct wr_http_producer {
	void *context;
	/* Appends some more of the body to `out` (some 10 KiB at a time); false when that was the
	 * last of it. */
	bool (*produce)(void *context, struct wr_buf *out);
	/* Called once, when the body is done or the connection is gone. May be NULL. */
	void (*release)(void *context);
};

/* One request and its answer. The app may read `head`, `target`, `peer`, and owns `app_*`. */
struct wr_http_exchange {
	const struct wr_http_head *head; /* lent as described above */
	struct wr_http_target target;
	struct wr_http_match match; /* for the app: its route */
	const struct wr_address *peer;
	/* For the app, across on_head, on_request and a later answer; zero at the start. */
	void *app_pointer;
	uint64_t app_number;
	/* Set by on_head: the body may have at most this many bytes (0: none is read; a request
	 * that announces more is answered by fault 413). Default 0. */
	size_t body_bytes_max;
	/* Set by the app when a valid credential was shown: the connection is no longer among those
	 * that go first when there are too many. */
	bool is_authenticated;
	bool is_answered; /* read only */
};

enum wr_http_server_fault {
	WR_HTTP_SERVER_FAULT_HEAD,	  /* `fault` of the parser tells which */
	WR_HTTP_SERVER_FAULT_BODY,	  /* 400: chunked framing broken */
	WR_HTTP_SERVER_FAULT_BODY_SIZE,	  /* 413 */
	WR_HTTP_SERVER_FAULT_BODIES_FULL, /* 503: bodies of all connections are at their limit */
	WR_HTTP_SERVER_FAULT_TIMEOUT,	  /* 408 */
	WR_HTTP_SERVER_FAULT_MEMORY,	  /* 503: no memory, or no connection left */
	WR_HTTP_SERVER_FAULT_HELD	  /* 500: what a held answer waited for will never come */
};

/* The functions the app gives at registration. All are called from the loop. */
struct wr_http_app {
	void *context;
	void (*on_head)(void *context, struct wr_http_exchange *exchange);
	void (*on_request)(void *context, struct wr_http_exchange *exchange, struct wr_view body);
	/* The exchange, kept unanswered by the app after on_request, is gone. */
	void (*on_abandon)(void *context, struct wr_http_exchange *exchange);
	/* Appends the body of an answer that the server itself must give, for `status`. */
	void (*on_fault)(void *context, struct wr_buf *body, unsigned status,
			 enum wr_http_server_fault kind, enum wr_http_fault fault);
};

/* Settable limits; wr_http_server_defaults fills them from bounds.h. */
struct wr_http_server_config {
	uint32_t connection_count_max;
	uint32_t unauthenticated_count_max; /* 0: no such class (no token configured) */
	uint32_t head_ms_max, body_ms_max, idle_ms_max, send_ms_max, drain_ms_max;
	size_t bodies_bytes_max;
	struct wr_tls_server
		*tls; /* NULL: plain; borrowed (io/tls/tls.h, built with TLS=bearssl) */
	struct wr_view content_type; /* of all answers with a body that do not say otherwise */
};

void wr_http_server_defaults(struct wr_http_server_config *config);

/* A server that listens on `address`. All pointers are borrowed for its life; it must not move. */
struct wr_http_server *wr_http_server_new(struct wr_reactor *reactor,
					  struct wr_allocator *allocator,
					  const struct wr_http_server_config *config,
					  const struct wr_http_app *app,
					  const struct wr_address *address, struct wr_error *error);
/* Closes everything at once; on_abandon is called for what was kept. */
void wr_http_server_free(struct wr_http_server *self);

/* The bound address. */
const struct wr_address *wr_http_server_address(const struct wr_http_server *self);
/* Connections now open, of every kind (WebSocket ones included). */
uint32_t wr_http_server_connection_count(const struct wr_http_server *self);

/* Stops accepting; idle connections close, every further answer says Connection: close. */
void wr_http_server_drain(struct wr_http_server *self);

/* ---- answering; each exchange exactly once ---- */

/* An extra field of the answer about to be given (within the same call of the app), e.g. Location.
 * Name and value are copied. */
void wr_http_answer_field(struct wr_http_exchange *exchange, struct wr_view name,
			  struct wr_view value);
/* The same for Retry-After, in seconds (RFC 9110 10.2.3). */
void wr_http_answer_retry_after(struct wr_http_exchange *exchange, unsigned seconds);
/* This answer is the last of its connection. */
void wr_http_answer_close(struct wr_http_exchange *exchange);

/* A buffer to build a body in, empty; lent within one call of the app, until the answer. */
struct wr_buf *wr_http_answer_body(struct wr_http_exchange *exchange);

/* The whole answer; the body (copied) may lie in the buffer above. A 204 or 304 has none; a HEAD
 * request gets the head only. Content-Type is the config's, unless a field of that name was given;
 * an empty body has none. When memory fails, or failed in the buffers above, it is a 503. */
void wr_http_answer(struct wr_http_exchange *exchange, unsigned status, struct wr_view body);

/* The answer's body comes from a producer, as fast as the socket takes it. When its first part is
 * the last one it is sent with a length, else chunked (or until close, for HTTP/1.0). */
void wr_http_answer_produced(struct wr_http_exchange *exchange, unsigned status,
			     const struct wr_http_producer *producer);

/* ---- answers that may not leave yet ---- */

/*
 * A barrier for answers that tell of what is not yet durable: they are given as ever, and wait on
 * this side of the socket for a number to be reached. Requests behind them are read and served
 * meanwhile, up to the limits of output and WR_HTTP_HELD_COUNT_MAX held ones; answers stay in their
 * order. No deadline runs while nothing may leave, and draining waits. A request for an upgrade is
 * not served before everything has left.
 */

/* From the answer that this exchange is given next on no byte of its connection leaves before
 * `until` is reached; of several the highest counts. Nothing happens when it is reached already. */
void wr_http_answer_hold(struct wr_http_exchange *exchange, uint64_t until);
/* `reached` is: sends what waited for no more. Only grows. Not from within a call of the app. */
void wr_http_server_release_held(struct wr_http_server *self, uint64_t reached);
/* What held answers wait for will never come: each connection that has some is given one 500 in
 * their place, by on_fault, and closes. Not from within a call of the app. */
void wr_http_server_fail_held(struct wr_http_server *self);

/* ---- leaving HTTP ---- */

/* Takes the connection out of HTTP after a 101 (`answer` is the whole answer, sent first). What the
 * peer already sent behind the request is in *early, lent until the next return to the loop. The
 * exchange is gone afterwards; the slot still counts as a connection of the server until
 * wr_http_server_release. WR_OK or WR_CLOSED (then nothing was taken). */
enum wr_status wr_http_upgrade(struct wr_http_exchange *exchange, struct wr_view answer,
			       struct wr_stream *stream, struct wr_view *early);
/* A connection taken out by wr_http_upgrade has ended. */
void wr_http_server_release(struct wr_http_server *self);

/* The server of an exchange. */
struct wr_http_server *wr_http_exchange_server(struct wr_http_exchange *exchange);

#endif
