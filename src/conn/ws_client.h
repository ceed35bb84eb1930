/*
 * ws_client — one WebSocket connection in the client role (RFC 6455): connect, handshake, messages
 * in pieces, closing handshake, keep-alive. Reconnecting is its owner's business.
 *
 * The owner places the struct and is told what happens by its functions: on_open once, then on_data
 * for each piece of a message, at last on_end, exactly once for every open that returned WR_OK,
 * unless it was aborted. From within any of them the owner may send, close, abort, and after an
 * abort or within on_end open again. The struct must stay until on_open and on_data have returned;
 * on_end may free it.
 *
 * The remote is not trusted: sizes are limited, an answer to the handshake that is not a 101 is
 * given with its status and nothing else, and a breach of the protocol fails the connection: our
 * Close tells its code, what comes after is dropped until the remote has gone or close_ms_max is
 * over (RFC 6455 7.1.7). Frames sent are masked, each with fresh entropy (10.3).
 *
 * Silence of ping_ms gets a ping, silence of pong_ms_max after it ends the connection. While output
 * waits the socket must take some of it every send_ms_max instead.
 */
#ifndef WR_CONN_WS_CLIENT_H
#define WR_CONN_WS_CLIENT_H

#include "bytes/buf.h"
#include "codec/http/head.h"
#include "codec/ws/message.h"
#include "conn/dial.h"
#include "io/net/address.h"
#include "io/net/stream.h"
#include "io/reactor/reactor.h"

struct wr_ws_client;
struct wr_tls_client;

/* Why a connection ended. */
struct wr_ws_client_end {
	enum wr_status status; /* WR_OK: closing handshake; WR_UNAVAILABLE: cannot connect
				  (os_error; there is no such host: 0); WR_REJECTED: another answer
				  than 101 (http_status); WR_INVALID: a 101 that does not complete
				  the handshake; WR_TIMEOUT; WR_CLOSED: without a closing handshake;
				  WR_SYNTAX, WR_ENCODING, WR_TOO_LARGE, WR_UNSUPPORTED: breaches by
				  the remote; WR_NO_MEMORY; WR_IO: no entropy */
	int os_error;
	const char *fault;    /* static text, when TLS has more to say; or NULL */
	unsigned http_status; /* of a final answer to the handshake, when the end is due to it */
	unsigned close_code;  /* the remote's, 1005 when it gave none; 0: no Close came */
};

struct wr_ws_client_config {
	struct wr_address address;    /* without a resolver */
	struct wr_resolver *resolver; /* not NULL: host_name is looked up first; copied by open */
	struct wr_view host_name;
	uint16_t port;			     /* of host_name */
	struct wr_view host, target, fields; /* fields: finished lines, or absent; copied by open */
	struct wr_view protocol;	     /* asked for, or absent; must outlive the connection */
	struct wr_tls_client *tls; /* NULL: plain; must outlive the connection, as the name */
	const char *tls_name; /* whom the remote's certificate must name; NULL only with a pin */
	uint32_t open_ms_max; /* connecting and handshake */
	uint32_t ping_ms, pong_ms_max, close_ms_max, send_ms_max;
	uint32_t message_bytes_max, fragment_count_max;
	size_t queued_bytes_max; /* of output that the socket does not take; a frame has to fit */
	void *context;
	void (*on_open)(void *context, struct wr_ws_client *client);
	/* A piece of a message; is_end on the last, maybe empty, one. Not called after close. */
	void (*on_data)(void *context, struct wr_ws_client *client, struct wr_view data,
			bool is_text, bool is_end);
	/* The client is closed; it may be opened again from within. */
	void (*on_end)(void *context, struct wr_ws_client *client,
		       const struct wr_ws_client_end *end);
};

/* Times and sizes; the rest is absent. */
void wr_ws_client_defaults(struct wr_ws_client_config *config);

/* A masked control frame at its largest. */
#define WR_WS_CLIENT_CONTROL_BYTES_MAX (2u + 4u + WR_WS_CONTROL_BYTES_MAX)

/* Zero-initialised, placed by the owner, must not move. Fields are private. */
struct wr_ws_client {
	struct wr_ws_client_config config;
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	struct wr_dial dial;
	struct wr_watch watch;
	struct wr_stream stream; /* closed while connecting */
	struct wr_timer timer;	 /* of the state: opening, silence, closing; set while not closed */
	struct wr_buf in;	 /* the answer to the handshake */
	struct wr_buf out;	 /* output that waits: frames from out_at on */
	size_t out_at, pong_at;
	uint64_t heard_ms, pinged_ms, sent_ms;
	uint64_t life; /* moves on when a connection is over, so that who stands in it sees it */
	struct wr_http_head_parser parser;
	struct wr_ws_receiver receiver;
	unsigned close_code; /* the remote's */
	int os_error;
	const char *fault;
	uint8_t state, failure, interim_count;
	uint8_t rest_bytes, pong_bytes;
	bool is_pinged, is_waiting, has_sent_close, is_shut;
	uint8_t nonce[16];
	uint8_t pong[WR_WS_CLIENT_CONTROL_BYTES_MAX]; /* goes when out_at has come to pong_at */
	char rest[WR_WS_REST_BYTES_MAX];	      /* input to be seen again with more behind */
};

/* Begins to connect; on_end is never called from within, also when that fails at once. WR_OK;
 * WR_INVALID: a text that does not belong in a head, or is no name for TLS; WR_TOO_LARGE: texts
 * over the size of a head; WR_NO_MEMORY; WR_IO (entropy, or the kernel will not watch): nothing was
 * begun. */
enum wr_status wr_ws_client_open(struct wr_ws_client *self, struct wr_reactor *reactor,
				 struct wr_allocator *allocator,
				 const struct wr_ws_client_config *config);
bool wr_ws_client_is_open(const struct wr_ws_client *self);

/* Sends one message (text is the caller's to be UTF-8), or a ping or pong of at most 125 bytes.
 * WR_OK; WR_TOO_LARGE (too much output waits), WR_NO_MEMORY, WR_IO: nothing was taken; WR_CLOSED:
 * not open, or closing. */
enum wr_status wr_ws_client_send(struct wr_ws_client *self, enum wr_ws_opcode opcode,
				 struct wr_view payload);

/* The closing handshake with a code that may be sent (frame.h), or 0 for none; on_end comes, not
 * from within, when it is done or close_ms_max is over. Before on_open it just ends (WR_CLOSED).
 * Harmless when closed or closing. */
void wr_ws_client_close(struct wr_ws_client *self, unsigned code);
/* Closes at once, without on_end. Harmless when closed. */
void wr_ws_client_abort(struct wr_ws_client *self);

#endif
