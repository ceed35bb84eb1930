/*
 * ws/message — the receiving side of a WebSocket: fragments, control frames between them, UTF-8
 * across fragments, the close rules (RFC 6455 5.4-5.5, 7.1, 8.1).
 *
 * Feed it received bytes; each call gives one thing that happened. Payload is unmasked in place
 * (the input is writable) and lent as views into it. Nothing is allocated, collected or assembled:
 * a frame header or a control frame that is not whole yet is left unconsumed, and the caller keeps
 * those bytes (at most WR_WS_REST_BYTES_MAX) and gives them again with more behind them; who wants
 * whole messages appends the pieces. The length of a data frame is told before its payload
 * (WR_WS_EVENT_FRAME), so that a receiver can refuse it without buffering.
 *
 * Limits are arguments: payload of a whole message, and fragments of one. Beyond: WR_TOO_LARGE
 * (1009).
 */
#ifndef WR_CODEC_WS_MESSAGE_H
#define WR_CODEC_WS_MESSAGE_H

#include "bytes/utf8.h"
#include "bytes/view.h"
#include "codec/ws/frame.h"
#include "bounds.h"
#include "status.h"

enum wr_ws_event {
	WR_WS_EVENT_NONE,  /* nothing (more) can be said before more bytes come */
	WR_WS_EVENT_FRAME, /* header of a valid data frame: is_text, frame_bytes, message start? */
	WR_WS_EVENT_DATA,  /* `data`: next piece of the message; is_message_end on the last */
	WR_WS_EVENT_PING,  /* `data`: payload, at most 125 bytes: answer with a pong */
	WR_WS_EVENT_PONG,  /* `data`: payload */
	WR_WS_EVENT_CLOSE  /* peer's close: close_code (1005 when it gave none), `data`: reason */
};

/* What may stay unconsumed: a header, or a header and control payload, short of one byte. */
#define WR_WS_REST_BYTES_MAX (WR_WS_FRAME_HEADER_BYTES_MAX + WR_WS_CONTROL_BYTES_MAX)

/* Placed by the caller, kept for the life of the connection; small on purpose (there is one per
 * idle subscriber). Private. */
struct wr_ws_receiver {
	uint32_t message_bytes_max;
	uint32_t fragment_count_max;
	uint32_t message_bytes; /* announced by the headers of the message so far */
	uint32_t fragment_count;
	uint32_t remaining; /* of the current data frame's payload; <= message_bytes */
	wr_utf8_state utf8;
	uint8_t mask[4]; /* rotated: mask[0] belongs to the next payload byte */
	uint8_t role;
	uint8_t state;
	uint8_t message_opcode; /* of the message, 0 between messages */
	uint8_t failure;	/* enum wr_status; WR_OK while there is none */
};

/* One result; views are valid until the next feed or until the input goes away. */
struct wr_ws_result {
	enum wr_ws_event event;
	bool is_text;
	bool is_message_start;
	bool is_message_end;
	uint16_t close_code;
	uint64_t frame_bytes;
	struct wr_view data;
};

void wr_ws_receiver_init(struct wr_ws_receiver *self, enum wr_ws_role role,
			 uint32_t message_bytes_max, uint32_t fragment_count_max);

/* Takes from the front of `input` (writable: it is unmasked in place) until something happened or
 * nothing more can be said (WR_WS_EVENT_NONE); *consumed tells how much was taken. An event may
 * need no further byte (the empty DATA of an empty message): feed until NONE, also with 0 bytes.
 *
 * The order is FRAME, then that frame's DATA in one or more pieces (for a final frame without
 * payload one empty piece, for another such frame none); control events stand between frames only.
 *
 * WR_SYNTAX (1002), WR_ENCODING (1007), WR_TOO_LARGE (1009): *consumed is 0, and every later feed
 * gives the same. After CLOSE all further input is consumed without events. */
enum wr_status wr_ws_receiver_feed(struct wr_ws_receiver *self, struct wr_ws_result *result,
				   size_t *consumed, char *input, size_t bytes);

/* The close code for a failure status of feed; 1011 for any other failure. */
unsigned wr_ws_close_code_of(enum wr_status status);

/* ---- sending ---- */

/* Writes an unmasked close frame for a code and a short reason (valid UTF-8, at most 123 bytes) to
 * `out`, which has room for 127 bytes; returns its length. Code 0 or 1005, which stands for "none"
 * in a result and may not be sent, gives a frame without code and reason. */
size_t wr_ws_close_frame(uint8_t *out, unsigned code, struct wr_view reason);

/* An unmasked ping or pong; room for 127 bytes. */
size_t wr_ws_control_frame(uint8_t *out, enum wr_ws_opcode opcode, struct wr_view payload);

#endif
