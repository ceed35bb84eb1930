/* http_client_private — what the files of the client share: its calls, its connections. */
#ifndef WR_CONN_HTTP_CLIENT_PRIVATE_H
#define WR_CONN_HTTP_CLIENT_PRIVATE_H

#include "conn/dial.h"
#include "conn/http_client.h"

enum { WR_CLIENT_READ_BYTES = 16384 };

enum wr_client_state {
	WR_CLIENT_CONNECTING, /* or its host is looked up */
	WR_CLIENT_HEAD,	      /* also while the request is not all out: an early answer is read */
	WR_CLIENT_BODY,
	WR_CLIENT_IDLE
};

struct wr_client_conn {
	struct wr_list place; /* in the client's list */
	struct wr_http_client *client;
	struct wr_http_call *call; /* NULL: idle */
	struct wr_dial dial;
	struct wr_watch watch;
	struct wr_stream stream; /* closed while connecting */
	struct wr_timer idle;
	enum wr_client_state state;
	bool was_used;	 /* an answer came over it before */
	bool has_input;	 /* of the answer */
	bool is_deaf;	 /* takes no more of the request */
	bool is_to_head; /* the request is HEAD */
	bool is_in_call; /* a function of its call runs */
	uint8_t interim_count;
	size_t sent;
	struct wr_buf in; /* the head, and what came with its end: views of `head` point here */
	struct wr_buf gathered; /* payload */
	struct wr_http_head_parser parser;
	struct wr_http_head head;
	size_t head_bytes;
	struct wr_http_body body;
};

struct wr_http_client {
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	struct wr_http_client_config config;
	struct wr_buf texts;
	struct wr_list conns;
	uint32_t conn_count;
	struct wr_list waiting; /* calls without a connection */
	uint32_t waiting_count;
	struct wr_timer kick; /* starts what waits, and tells failures, outside of begin */
};

/* ---- http_client_call.c ---- */

/* The call is no longer under way. */
void wr_http_call_detach(struct wr_http_call *call);
/* What waits is started outside of what runs now. */
void wr_http_client_kick(struct wr_http_client *self);
/* The call has ended: tells it, and lets the next one go. */
void wr_http_call_finish(struct wr_http_call *call, const struct wr_http_outcome *outcome);
/* The call waits for another connection. */
void wr_http_call_repeat(struct wr_http_call *call);

/* ---- http_client_conn.c ---- */

/* Begins to connect. NULL: no memory (*os_error 0), or the system refuses at once. */
struct wr_client_conn *wr_client_conn_open(struct wr_http_client *client, int *os_error);
/* Its call, if any, is only unlinked. */
void wr_client_conn_close(struct wr_client_conn *self);
/* The call leaves on this connection, which is idle or new. */
void wr_client_conn_attach(struct wr_client_conn *self, struct wr_http_call *call);
/* Watches for what it needs now, with a call. */
void wr_client_conn_want(struct wr_client_conn *self);
/* Closes it; its call ends so. */
void wr_client_conn_fail(struct wr_client_conn *self, enum wr_status status, int os_error);

#endif
