/* ws_client_private — what the files of a client share: how it opens, its life, its input, its
 * output. */
#ifndef WR_CONN_WS_CLIENT_PRIVATE_H
#define WR_CONN_WS_CLIENT_PRIVATE_H

#include "conn/ws_client.h"

/* Of one recv. */
enum { WR_WS_CLIENT_READ_BYTES = 16384 };

/* struct wr_ws_client, state */
enum {
	WR_WS_CLIENT_CLOSED,	 /* zero-initialised */
	WR_WS_CLIENT_CONNECTING, /* or its host is looked up */
	WR_WS_CLIENT_HANDSHAKE,	 /* the request leaves, or its answer is awaited */
	WR_WS_CLIENT_OPEN,
	WR_WS_CLIENT_CLOSING, /* a Close went either way */
	WR_WS_CLIENT_FAILED,  /* the remote broke the protocol: its input is dropped */
	WR_WS_CLIENT_DOOMED   /* nothing is left but to tell on_end */
};

/* ---- ws_client.c ---- */

/* Ends it and tells on_end. The caller returns to the reactor without another look at the client:
 * it may be gone. */
void wr_ws_client_finish(struct wr_ws_client *self, enum wr_status status, unsigned http_status);
/* It is over, but who calls may be the owner: the timer tells on_end. */
void wr_ws_client_doom(struct wr_ws_client *self, enum wr_status status);
/* The remote broke the protocol: it is told, and nothing it says counts any more (RFC 6455 7.1.7).
 */
void wr_ws_client_fail(struct wr_ws_client *self, enum wr_status status);
/* The remote's Close came. */
void wr_ws_client_take_close(struct wr_ws_client *self, unsigned code);
/* Closes the socket and gives all back, and tells nobody. */
void wr_ws_client_drop(struct wr_ws_client *self, bool is_reset);
/* Of the timer. */
void wr_ws_client_on_due(struct wr_timer *timer);

/* ---- ws_client_input.c ---- */

/* Of the watch. */
wr_watch_fn wr_ws_client_on_ready;

/* ---- ws_client_output.c ---- */

/* Makes the queue with the room that control frames never have to ask for. WR_OK, WR_NO_MEMORY. */
enum wr_status wr_ws_client_init_output(struct wr_ws_client *self);
bool wr_ws_client_has_output(const struct wr_ws_client *self);
/* Sends what the socket takes and sees what is wanted next. A connection that is broken is found
 * out by reading, never here. */
void wr_ws_client_flush(struct wr_ws_client *self);
/* When an open connection has been still for too long, or for long enough to be pinged. */
uint64_t wr_ws_client_due_ms(const struct wr_ws_client *self);
/* Sets the timer to that. */
void wr_ws_client_set_due(struct wr_ws_client *self);
/* Sends or queues one masked frame. WR_OK; WR_TOO_LARGE: more than waiting_bytes_max would wait;
 * WR_NO_MEMORY; WR_IO: no entropy. */
enum wr_status wr_ws_client_put(struct wr_ws_client *self, enum wr_ws_opcode opcode,
				struct wr_view payload, size_t waiting_bytes_max);
/* The same for Close and ping, which have room when the queue is full. */
enum wr_status wr_ws_client_put_control(struct wr_ws_client *self, enum wr_ws_opcode opcode,
					struct wr_view payload);
/* Answers a ping, in place of an earlier one whose answer has not begun to leave (RFC 6455 5.5.3).
 * WR_OK, WR_IO. */
enum wr_status wr_ws_client_pong(struct wr_ws_client *self, struct wr_view payload);

#endif
