/*
 * text_frame — an unmasked, final WebSocket text frame (RFC 6455 5.2), made around its payload.
 *
 * begin leaves room for the header, the caller appends the payload, end writes the header. The room
 * is that of a payload of 126 to 65,535 bytes, as nearly all of ours are; others are moved.
 */
#ifndef WR_WIRE_TEXT_FRAME_H
#define WR_WIRE_TEXT_FRAME_H

#include "bytes/buf.h"
#include "status.h"

#define WR_TEXT_FRAME_ROOM_BYTES 4u

/* Returns where the frame begins in `out`. */
size_t wr_text_frame_begin(struct wr_buf *out);

/* Status of the buffer; after a failure there is nothing of the frame in it. */
enum wr_status wr_text_frame_end(struct wr_buf *out, size_t start);

#endif
