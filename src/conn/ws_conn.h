/*
 * ws_conn — one WebSocket connection in the server role, after its handshake; knows no Worker.
 *
 * Control frames are answered here: a ping gets one pong (only the newest unanswered ping is
 * answered), a close is echoed and ends the connection, silence gets a ping and then an end. Data
 * goes to the app. What the app sends is finished frames: one message by wr_ws_conn_send, which
 * queues what the socket does not take, or a stream of frames that live elsewhere by
 * wr_ws_conn_stream, which never queues: it says how much went, and the app continues from there
 * when on_writable says so. Control frames never land inside a frame that is half sent: the app
 * tells, with each stream call, whether its position is between frames.
 *
 * An idle connection is one small block (this struct and the app's bytes behind it) and one
 * descriptor; buffers exist only while something is partial or waiting.
 *
 * wr_ws_group holds what all connections of one kind share: the app's functions, limits, the sweep
 * that finds stalled, silent and dead ones once a second.
 */
#ifndef WR_CONN_WS_CONN_H
#define WR_CONN_WS_CONN_H

#include "codec/ws/message.h"
#include "conn/http_server.h"

struct wr_ws_conn;

struct wr_ws_app {
	void *context;
	/* Bytes for the app in every connection's block (wr_ws_conn_app). */
	size_t app_bytes;
	/* The header of the first frame of a valid message came. False refuses it without reading
	 * its payload: the app has then closed the connection itself (wr_ws_conn_close). */
	bool (*on_message)(void *context, struct wr_ws_conn *conn, bool is_text);
	/* A piece of a message; `is_end` on the last (maybe empty) one. May be NULL when on_message
	 * never accepts. */
	void (*on_data)(void *context, struct wr_ws_conn *conn, struct wr_view data, bool is_end);
	/* The socket takes bytes again, after a stream call that did not send all. */
	void (*on_writable)(void *context, struct wr_ws_conn *conn);
	/* The connection is about to go (block freed on return), for whatever reason. */
	void (*on_end)(void *context, struct wr_ws_conn *conn);
	/* The peer broke the protocol, and our Close comes next (wr_ws_close_code_of(why)): the app
	 * may say something before it. Or NULL. Not called inside a frame of the stream. */
	void (*on_violation)(void *context, struct wr_ws_conn *conn, enum wr_status why);
};

struct wr_ws_config {
	uint32_t message_bytes_max;
	uint32_t fragment_count_max;
	uint32_t ping_ms;		 /* silence before a ping */
	uint32_t pong_ms_max;		 /* for the answer */
	uint32_t send_ms_max;		 /* without a byte taken while output waits: reset */
	uint32_t close_ms_max;		 /* for the peer's close after ours */
	uint32_t control_per_minute_max; /* 255 and more: no limit */
	size_t queued_bytes_max;	 /* of wr_ws_conn_send, per connection */
};

void wr_ws_defaults(struct wr_ws_config *config);

struct wr_ws_group;

/* WR_OK, WR_NO_MEMORY. All borrowed for life. */
enum wr_status wr_ws_group_new(struct wr_ws_group **out, struct wr_reactor *reactor,
			       struct wr_allocator *allocator, struct wr_http_server *server,
			       const struct wr_ws_config *config, const struct wr_ws_app *app);
/* Ends all connections at once (reset) and frees the group. */
void wr_ws_group_free(struct wr_ws_group *self);
uint32_t wr_ws_group_count(const struct wr_ws_group *self);
/* Calls fn for every connection; fn may end the one it is given. */
void wr_ws_group_each(struct wr_ws_group *self, void (*fn)(void *context, struct wr_ws_conn *conn),
		      void *context);

/* Answers the exchange with 101 and makes the connection. The head must have passed
 * wr_ws_handshake_check. Bytes of the app start zeroed. What the peer sent early is handled at the
 * next turn, not inside this call. NULL (with the exchange answered 503 or gone) when memory or the
 * peer is gone. */
struct wr_ws_conn *wr_ws_conn_accept(struct wr_ws_group *group, struct wr_http_exchange *exchange,
				     struct wr_view protocol);

/* The app's bytes in the connection's block, and back. */
void *wr_ws_conn_app(struct wr_ws_conn *conn);
struct wr_ws_conn *wr_ws_conn_of(void *app);

/* Sends one finished frame (or several) now if the socket takes it, else queues the rest. Only
 * between frames of the stream, or before any. WR_OK; WR_TOO_LARGE: the queue would pass its limit,
 * nothing was taken; WR_NO_MEMORY; WR_CLOSED (closing, or the peer is gone: on_end comes when the
 * turn ends). */
enum wr_status wr_ws_conn_send(struct wr_ws_conn *conn, const struct iovec *parts, int count);

/* Sends what the socket takes of `bytes` bytes in the parts. *sent tells how much. WR_OK: all;
 * WR_MORE: not all (or nothing, because queued bytes go first): on_writable will be called;
 * WR_CLOSED. After WR_MORE the app must say with wr_ws_conn_hold where it stands. */
enum wr_status wr_ws_conn_stream(struct wr_ws_conn *conn, const struct iovec *parts, int count,
				 size_t bytes, size_t *sent);

/* Whether the stream stands inside a frame (nothing else may be sent until it is finished). It
 * holds until the app says otherwise, over any number of stream calls. When the peer closes
 * meanwhile, the stream goes on until the app no longer holds; only then our Close follows. */
void wr_ws_conn_hold(struct wr_ws_conn *conn, bool is_inside_frame);

/* Asks for on_writable as soon as the socket takes bytes, usually in the next turn: for an app that
 * has more to stream but has used up its share of this turn. */
void wr_ws_conn_await(struct wr_ws_conn *conn);

/* Whether on_writable is awaited: sending now would be in vain. */
bool wr_ws_conn_is_blocked(const struct wr_ws_conn *conn);

/* The closing handshake: sends Close with the code (and a static reason, at most 123 bytes) behind
 * what is queued, waits close_ms_max for the peer's, then ends. When the stream stands inside a
 * frame that will never be finished the connection is reset instead, when the turn ends. Later
 * calls do nothing. */
void wr_ws_conn_close(struct wr_ws_conn *conn, unsigned code, struct wr_view reason);
bool wr_ws_conn_is_closing(const struct wr_ws_conn *conn);

/* Ends it at once with a reset. The block is freed before return unless called from within an app
 * function of this connection, then right after that function returns. */
void wr_ws_conn_abort(struct wr_ws_conn *conn);

#endif
