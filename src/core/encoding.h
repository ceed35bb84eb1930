/*
 * encoding — port: how an event becomes the bytes that streams carry.
 *
 * The log keeps, per record, opaque bytes made here and never reads them back; so core knows no
 * JSON and every subscriber is sent the same bytes. A server registers an encoder that makes
 * finished WebSocket frames, an embedder without one gets versioned event bytes
 * (core/event_bytes.h).
 */
#ifndef WR_CORE_ENCODING_H
#define WR_CORE_ENCODING_H

#include "bytes/buf.h"
#include "core/cursor.h"
#include "core/event.h"

#include <stdbool.h>

/* Who is speaking; all views are valid during the call. */
struct wr_identity {
	struct wr_view runtime_id;
	struct wr_view worker_id;     /* absent for events of the Runtime itself */
	struct wr_view log_id;	      /* 32 hex digits */
	char cursor[WR_CURSOR_BYTES]; /* of this event in the scope it is encoded for */
};

enum wr_scope { WR_SCOPE_WORKER, WR_SCOPE_RUNTIME };

struct wr_encoding {
	/* Appends what a stream of `scope` shows of the event; nothing when it shows nothing. For
	 * kinds whose frame is the same on both streams only WR_SCOPE_WORKER is asked for. Status
	 * of the buffer. */
	enum wr_status (*encode)(void *context, struct wr_buf *out, const struct wr_event *event,
				 const struct wr_identity *identity, enum wr_scope scope);
	/* Turns a frame of a Worker's stream into that of the runtime-wide stream, in place and at
	 * the same length, by putting the other cursor where the first one stands. */
	void (*patch)(void *context, char *frame, size_t bytes, const char cursor[WR_CURSOR_BYTES]);
	void *context;
	/* Frames carry no cursor: identity.cursor is not filled. */
	bool is_cursorless;
};

#endif
