/*
 * http/body — the body of an HTTP/1.1 message: by length, chunked (RFC 9112 7.1), or until close.
 *
 * A sans-I/O decoder: it is given bytes, and says which part of them is payload. It neither buffers
 * nor copies. Chunk sizes are 1 to 16 hex digits with overflow checked, extensions are skipped up
 * to WR_HTTP_CHUNK_LINE_BYTES_MAX, CRLF must follow the data, trailers are dropped (bounded like a
 * head), and framing may cost at most WR_HTTP_CHUNK_OVERHEAD_BYTES_MAX plus an eighth of the
 * payload.
 */
#ifndef WR_CODEC_HTTP_BODY_H
#define WR_CODEC_HTTP_BODY_H

#include "bytes/view.h"
#include "codec/http/head.h"
#include "status.h"

/* Placed by the caller. Only `is_complete` and `payload_bytes` may be read. */
struct wr_http_body {
	enum wr_http_framing framing;
	bool is_complete;
	uint8_t state;
	uint8_t digits;
	uint16_t line_bytes;
	uint64_t remaining;	 /* of the body or of the chunk */
	uint64_t payload_bytes;	 /* given out so far */
	uint64_t overhead_bytes; /* chunk framing so far */
};

/* A body as `head` announces it; a body of none is complete at once. */
void wr_http_body_init(struct wr_http_body *self, enum wr_http_framing framing,
		       uint64_t body_bytes);

/* Takes from the front of `input`: *payload is the next piece of payload in it (may be empty) and
 * *consumed how many bytes of the input are done with, both for this call. WR_OK: progress was made
 * or is_complete; call again with the rest while there is any. WR_MORE: all of it was consumed and
 * more is needed. Failures (sticky): WR_SYNTAX, WR_TOO_LARGE (a size that overflows, a size line,
 * trailers or overhead over their limit); nothing was consumed then. */
enum wr_status wr_http_body_feed(struct wr_http_body *self, struct wr_view *payload,
				 size_t *consumed, struct wr_view input);

/* The connection ended. WR_OK when the body is complete or ends with the connection, else
 * WR_CLOSED: it was cut. */
enum wr_status wr_http_body_end(struct wr_http_body *self);

#endif
