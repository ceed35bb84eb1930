/*
 * stream_json — a text message of a Runtime's event stream, read by a client (contract 3.3, 3.6,
 * 3.9, design 3).
 *
 * Made once per event by whoever relays events, so it costs little more than finding out that the
 * document is one. The remote is not trusted: the whole document is checked, so that `payload` is
 * JSON by itself, without bytes that could not be sent on; its event is one of contract 4.
 */
#ifndef WR_WIRE_STREAM_JSON_H
#define WR_WIRE_STREAM_JSON_H

#include "bytes/buf.h"
#include "core/cursor.h"
#include "status.h"

enum wr_stream_frame_kind {
	WR_STREAM_EVENT,
	WR_STREAM_RUNTIME_EVENT,
	WR_STREAM_RUNTIME_SNAPSHOT,
	WR_STREAM_DIAGNOSTIC
};

struct wr_stream_frame {
	enum wr_stream_frame_kind kind;
	/* Of an envelope: 1 to 128 unreserved characters (RFC 3986), so it may stand in a request.
	 */
	struct wr_view cursor_text;
	struct wr_cursor cursor; /* when it is one of ours, also of the old form (is_legacy) */
	bool has_cursor;	 /* it is */
	/* event_id is "snapshot:" and the cursor: made for this reader, no event of the log. */
	bool is_snapshot;
	struct wr_view worker_id; /* absent: none; of an event always there, and not empty */
	/* Of the cursor, which must agree with the member when there; the member alone when the
	 * cursor is not ours; else 0. */
	uint64_t sequence;
	struct wr_view log_id;	       /* absent: an older Runtime */
	struct wr_view payload;	       /* raw JSON; of an event {"event":NAME,"data":...} */
	struct wr_view event;	       /* of an event: NAME */
	struct wr_view runtime_event;  /* of a runtime_event: payload.kind.kind */
	struct wr_view dropped_inputs; /* likewise: a JSON list of numbers; absent: none */
	/* Of a diagnostic. */
	struct wr_view code, message, reason; /* reason may be absent */
};

/* Views point into `json` or into `texts` (reset first). WR_OK; WR_SYNTAX, WR_ENCODING,
 * WR_TOO_LARGE; WR_INVALID (not a frame of the contract); WR_UNSUPPORTED: an event of a name that
 * contract 4 does not have, all else is filled; WR_NO_MEMORY. */
enum wr_status wr_stream_frame_read(struct wr_stream_frame *out, struct wr_buf *texts,
				    struct wr_view json);

#endif
