/*
 * ws_private — what ws_conn.c and ws_output.c (one connection) and ws_group.c (all of a kind)
 * share.
 *
 * What an idle connection does not need lies in a block of its own, `pending`, that exists only
 * while input is unfinished or output waits. Within an app function nothing is freed: flags tell
 * whoever comes after it that the connection is over.
 */
#ifndef WR_CONN_WS_PRIVATE_H
#define WR_CONN_WS_PRIVATE_H

#include "conn/http_private.h"
#include "conn/ws_conn.h"

#include <stdalign.h>
#include <stddef.h>

/* struct wr_ws_conn, flags */
enum {
	WR_WS_BLOCKED = 1u << 0,     /* a stream call was short: on_writable is due */
	WR_WS_HELD = 1u << 1,	     /* the stream stands inside a frame */
	WR_WS_QUEUED = 1u << 2,	     /* `pending` has output */
	WR_WS_CLOSING = 1u << 3,     /* our Close is sent or queued */
	WR_WS_PEER_CLOSED = 1u << 4, /* the peer's Close came */
	WR_WS_FAILED = 1u << 5,	     /* the peer broke the protocol: its input is dropped */
	WR_WS_SHUT = 1u << 6,	     /* the output side is shut down */
	WR_WS_PINGED = 1u << 7,	     /* nothing was heard since our ping */
	WR_WS_CHOKED = 1u << 8,	     /* too much output waits to read on */
	WR_WS_EARLY = 1u << 9,	     /* `pending` has input that no event will announce */
	WR_WS_IN_CALL = 1u << 10,    /* an app function of this connection runs */
	/* The connection is over, and will go as soon as nobody stands in it: */
	WR_WS_OVER = 1u << 11,	 /* orderly */
	WR_WS_BROKEN = 1u << 12, /* with a reset, or gone already */
	WR_WS_ENDED = WR_WS_OVER | WR_WS_BROKEN
};

struct wr_ws_pending {
	struct wr_list work; /* of the group, while WR_WS_EARLY */
	struct wr_ws_conn *conn;
	struct wr_buf in;  /* what the receiver left unconsumed, or early input */
	struct wr_buf out; /* finished frames, from out_at on */
	size_t out_at;
	size_t out_charge; /* in the server's sum of outputs */
	uint8_t pong_bytes, close_bytes;
	uint8_t pong[2 + WR_WS_CONTROL_BYTES_MAX]; /* for the newest ping that waits */
	uint8_t close[2 + WR_WS_CONTROL_BYTES_MAX];
};

struct wr_ws_conn {
	/* As well aligned as the block, and so is what follows. */
	alignas(max_align_t) struct wr_watch watch;
	struct wr_stream stream;
	uint16_t flags;
	uint8_t control_minute; /* of the reactor's clock, its low bits */
	uint8_t control_count;	/* in it, up to 255 */
	uint32_t heard_ms;	/* the last byte received; see ws_conn.c about pings */
	uint32_t waits_ms;	/* last progress of output that waits; when Close went out */
	struct wr_ws_receiver receiver;
	struct wr_ws_group *group;
	struct wr_list link; /* in the group */
	struct wr_ws_pending *pending;
	/* the app's bytes follow */
};

_Static_assert(sizeof(struct wr_ws_conn) <= (WR_TLS ? 112 : 96), "one per idle subscriber");

struct wr_ws_group {
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	struct wr_http_server *server;
	struct wr_ws_config config;
	struct wr_ws_app app;
	struct wr_turn_hook hook;
	struct wr_timer sweep;
	uint32_t sweep_ms;
	uint32_t count;
	bool has_broken; /* some connection is over, and nobody stands in it */
	struct wr_list conns;
	struct wr_list early; /* connections (by their pending) with early input */
};

static inline bool wr_ws_is(const struct wr_ws_conn *self, unsigned flags)
{
	return (self->flags & flags) != 0;
}

static inline void wr_ws_set(struct wr_ws_conn *self, unsigned flags)
{
	self->flags = (uint16_t)(self->flags | flags);
}

static inline void wr_ws_clear(struct wr_ws_conn *self, unsigned flags)
{
	self->flags = (uint16_t)(self->flags & ~flags);
}

static inline uint32_t wr_ws_now(const struct wr_ws_conn *self)
{
	return (uint32_t)self->group->reactor->now_ms;
}

/* ---- ws_output.c ---- */

/* It is broken; whoever stands in it, or its group at the end of the turn, sees to the end. */
void wr_ws_doom(struct wr_ws_conn *self);
/* The block of what waits; NULL without memory for it. */
struct wr_ws_pending *wr_ws_need_pending(struct wr_ws_conn *self);
void wr_ws_drop_pending(struct wr_ws_conn *self);
bool wr_ws_has_output(const struct wr_ws_conn *self);
/* Whether somebody else's bytes go first. */
bool wr_ws_must_queue(const struct wr_ws_conn *self);
/* `pending` has got output. */
void wr_ws_mark_queued(struct wr_ws_conn *self);
/* Sends a control frame now, or keeps the part that does not go. */
void wr_ws_send_control(struct wr_ws_conn *self, uint8_t *frame, size_t bytes);
/* Sends what waits in `pending`, between frames of the stream only. */
void wr_ws_flush(struct wr_ws_conn *self);
/* What the connection waits for, after anything that may have changed it. */
void wr_ws_update_wants(struct wr_ws_conn *self);

/* ---- ws_conn.c ---- */

/* Handles input that came with the handshake. */
void wr_ws_conn_take_early(struct wr_ws_conn *self);
/* Applies the deadlines; may end it. */
void wr_ws_conn_sweep(struct wr_ws_conn *self);
/* Ends it when it is over. */
void wr_ws_conn_bury(struct wr_ws_conn *self);

#endif
