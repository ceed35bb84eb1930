/*
 * http/message — writing heads, chunks and dates.
 *
 * Requests and responses are appended to a buffer field by field. The writer does not judge; it
 * asserts that names and values hold no CR, LF or NUL (values from outside must have been checked).
 */
#ifndef WR_CODEC_HTTP_MESSAGE_H
#define WR_CODEC_HTTP_MESSAGE_H

#include "bytes/buf.h"
#include "bytes/view.h"

#include <stdint.h>

/* "HTTP/1.x STATUS REASON\r\n" with the standard reason phrase. */
void wr_http_write_status_line(struct wr_buf *out, unsigned minor_version, unsigned status);

/* "METHOD TARGET HTTP/1.1\r\n". */
void wr_http_write_request_line(struct wr_buf *out, struct wr_view method, struct wr_view target);

/* "NAME: VALUE\r\n". */
void wr_http_write_field(struct wr_buf *out, struct wr_view name, struct wr_view value);
void wr_http_write_field_u64(struct wr_buf *out, struct wr_view name, uint64_t value);

/* The empty line. */
void wr_http_write_head_end(struct wr_buf *out);

/* One chunk of a chunked body (not empty), and the end of such a body without trailers. */
void wr_http_write_chunk(struct wr_buf *out, struct wr_view payload);
void wr_http_write_last_chunk(struct wr_buf *out);

/* Bytes a chunk of that payload takes, and its framing in place: the caller leaves
 * WR_HTTP_CHUNK_HEAD_BYTES before the payload and two bytes behind it. */
#define WR_HTTP_CHUNK_HEAD_BYTES 10u
void wr_http_frame_chunk(char *start, size_t payload_bytes);

/* IMF-fixdate (RFC 9110 5.6.7) of a time in seconds since the epoch: exactly 29 bytes. */
#define WR_HTTP_DATE_BYTES 29u
void wr_http_format_date(char out[WR_HTTP_DATE_BYTES], int64_t unix_s);

/* Standard reason phrase; "Unknown" for a status that has none. */
struct wr_view wr_http_reason(unsigned status);

#endif
