/*
 * sse — an incremental reader of text/event-stream (WHATWG HTML, "Server-sent events", 9.2.5 and
 * 9.2.6).
 *
 * Bytes come in pieces cut anywhere; events come out. Lines end with LF, CR LF or CR, one byte
 *order mark may stand first, comments and unknown fields are dropped, data lines are joined by LF,
 *an event without data is none, and what is unfinished at the end is none either. Whole and
 *piecewise reading give the same events and the same failures.
 *
 * Bytes are given as they came: text is UTF-8 in this format, and whoever reads it decides what
 * becomes of that which is not.
 *
 *	init -> (feed -> next* until WR_MORE)*
 *
 * The buffer that init is given holds the data of the event that is read, and a line that is cut
 * off; nothing else is kept.
 */
#ifndef WR_CODEC_SSE_H
#define WR_CODEC_SSE_H

#include "bytes/buf.h"
#include "bytes/view.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

/* Of an event's type, and of an id. Beyond: WR_TOO_LARGE. */
enum { WR_SSE_NAME_BYTES_MAX = 128 };

/* All lent until the next call. */
struct wr_sse_event {
	struct wr_view
		type; /* of its `event` field; empty: none was given, which means "message" */
	struct wr_view data;
	struct wr_view id; /* the last one given so far; empty: none */
};

/* Placed by the caller. `has_retry` and `retry_ms` (the last one given) may be read, the rest is
 * private. */
struct wr_sse_reader {
	bool has_retry;
	uint64_t retry_ms;
	struct wr_buf *buf; /* data, and behind it the beginning of a line */
	size_t data_bytes;
	size_t line_bytes_max, data_bytes_max;
	struct wr_view input;
	enum wr_status status; /* sticky failure */
	uint8_t mark_bytes;    /* of a byte order mark; more than 3: no more is looked for */
	bool skips_lf;	       /* the last byte was CR */
	bool is_comment;       /* the line that is cut off is one: only its length is kept */
	size_t comment_bytes;
	bool is_lent; /* the data is with the caller until the next call */
	uint8_t type_bytes, id_bytes;
	char type[WR_SSE_NAME_BYTES_MAX], id[WR_SSE_NAME_BYTES_MAX];
};

/* `buf` is empty, borrowed, and has room for both limits: of one line without its end, and of the
 * data of one event (every line of it counts one byte more). */
void wr_sse_reader_init(struct wr_sse_reader *self, struct wr_buf *buf, size_t line_bytes_max,
			size_t data_bytes_max);

/* Gives the next piece, borrowed until next says WR_MORE. The one before is used up. */
void wr_sse_reader_feed(struct wr_sse_reader *self, struct wr_view input);

/* What of the piece is not read yet, and is not read any more: to be kept by the caller, and given
 * again in front of what comes. */
struct wr_view wr_sse_reader_take_rest(struct wr_sse_reader *self);

/* WR_OK: an event; WR_MORE: the piece is used up. Failures (sticky): WR_TOO_LARGE (a line, the data
 * of an event, or a name over its limit), WR_NO_MEMORY. */
enum wr_status wr_sse_reader_next(struct wr_sse_reader *self, struct wr_sse_event *out);

#endif
