/*
 * stream_client — one event stream of a remote Runtime (contract 3): connects, gathers messages,
 * reads them, and says in one word why it ended.
 *
 * The remote is not trusted. What is not a text message, or not a frame of the contract, ends the
 * connection with 1002 or 1007. A diagnostic ends it, too: after one nothing else counts.
 *
 * The owner places the struct, which must not move, and is told: on_open once, on_frame for each
 * frame but diagnostics, at last on_end, once, unless it was aborted. Within on_open and on_frame
 * it may close or abort, within on_end open again or do anything else.
 */
#ifndef WR_BACKEND_STREAM_CLIENT_H
#define WR_BACKEND_STREAM_CLIENT_H

#include "conn/ws_client.h"
#include "wire/stream_json.h"

/* The Runtime that is spoken to; all borrowed for life. */
struct wr_stream_peer {
	struct wr_dial_target to;
	struct wr_tls_client *tls; /* NULL: plain */
	const char *tls_name;
	struct wr_view host;	      /* of the Host field */
	struct wr_view target_prefix; /* before every target, or absent */
	struct wr_view fields;	      /* finished lines of every request, or absent */
	uint32_t ms_max;	      /* for connecting and a handshake */
};

/* What is asked for. */
struct wr_stream_target {
	struct wr_view worker_id; /* absent: the whole Runtime */
	struct wr_view cursor;	  /* absent: none */
};

struct wr_stream_client;

struct wr_stream_client_ops {
	void (*on_open)(void *context, struct wr_stream_client *client);
	/* `is_known` false: an event of a name that this program does not know. False ends the
	 * connection: such a frame may not come here. */
	bool (*on_frame)(void *context, struct wr_stream_client *client,
			 const struct wr_stream_frame *frame, bool is_known);
	/*
	 * WR_OK: both sides said Close, ours with 1000 was answered with 1000.
	 * WR_UNAUTHENTICATED (401, 403), WR_NOT_FOUND (404), WR_UNSUPPORTED (405, 501): another
	 * answer than 101.
	 * WR_MALFORMED, WR_SCOPE_MISMATCH, WR_UNKNOWN, WR_AHEAD, WR_LOST_TAIL, WR_EXPIRED: the
	 * Runtime refused the cursor. WR_CORRUPT: it cannot read what comes next.
	 * WR_SYNTAX: what came is not the protocol. WR_FORBIDDEN: TLS failed (`fault` of the
	 * client).
	 * WR_NO_MEMORY: of ours. WR_UNAVAILABLE: everything else.
	 */
	void (*on_end)(void *context, struct wr_stream_client *client, enum wr_status why);
};

/* Zero-initialised, placed by the owner, must not move. Fields are private. */
struct wr_stream_client {
	struct wr_ws_client ws;
	const struct wr_stream_client_ops *ops;
	void *context;
	struct wr_buf message, texts;
	enum wr_status failure; /* why we closed it; WR_OK: we did not */
	uint64_t life;		/* moves on with every abort */
	const char *fault;	/* static text on how TLS failed, or NULL */
};

/* Begins to connect; nothing is told from within. WR_OK; WR_NO_MEMORY, WR_IO, WR_INVALID (texts
 * that do not belong in a head): nothing was begun. */
enum wr_status wr_stream_client_open(struct wr_stream_client *self, struct wr_reactor *reactor,
				     struct wr_allocator *allocator,
				     const struct wr_stream_peer *peer,
				     const struct wr_stream_target *target,
				     const struct wr_stream_client_ops *ops, void *context);
/* Close 1000; on_end comes. No frame is told any more. */
void wr_stream_client_close(struct wr_stream_client *self);
/* At once, without on_end. Harmless when it is not open. */
void wr_stream_client_abort(struct wr_stream_client *self);

#endif
