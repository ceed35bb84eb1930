/*
 * naive_receiver — RFC 6455 once more, slowly: the second opinion for differential tests.
 *
 * It sees all input at once, copies every payload, and checks each rule where the RFC states it.
 * What happened is written to a log of readable lines, which the tested receiver's driver writes
 * too.
 */
#ifndef WR_TESTS_UNIT_CODEC_WS_NAIVE_RECEIVER_H
#define WR_TESTS_UNIT_CODEC_WS_NAIVE_RECEIVER_H

#include "codec/ws/frame.h"
#include "harness/harness.h"
#include "status.h"

#include <stdio.h>
#include <string.h>

enum { WS_LOG_BYTES = 1 << 21, WS_LOG_PAYLOAD_BYTES = 32, WS_INPUT_BYTES_MAX = 1 << 18 };

struct ws_log {
	size_t used;
	char text[WS_LOG_BYTES];
};

/* One line: `what`, a number when not 0, and the payload: escaped, or its length and a checksum. */
static inline void ws_log_add(struct ws_log *log, const char *what, unsigned number,
			      struct wr_view payload)
{
	uint32_t sum = 2166136261u; /* FNV-1a */
	int used;

	CHECK(log->used + 256 < sizeof log->text);
	used = snprintf(log->text + log->used, 64, number != 0 ? "%s %u" : "%s", what, number);
	log->used += (size_t)used;
	for (size_t i = 0; i < payload.bytes; i++) {
		uint8_t byte = (uint8_t)payload.data[i];
		bool is_plain = byte > 0x20 && byte < 0x7f && byte != '\\';

		sum = (sum ^ byte) * 16777619u;
		if (payload.bytes > WS_LOG_PAYLOAD_BYTES)
			continue;
		used = snprintf(log->text + log->used, 8, is_plain ? "%s%c" : "%s\\x%02x",
				i == 0 ? " " : "", byte);
		log->used += (size_t)used;
	}
	if (payload.bytes > WS_LOG_PAYLOAD_BYTES) {
		used = snprintf(log->text + log->used, 64, " (%zu bytes, %08x)", payload.bytes,
				(unsigned)sum);
		log->used += (size_t)used;
	}
	log->text[log->used++] = '\n';
}

/* Whether the text can still become valid (RFC 3629 section 4, its grammar word by word), and in
 * *is_whole whether it is already. */
static inline bool naive_utf8(const uint8_t *text, size_t bytes, bool *is_whole)
{
	static const uint8_t rows[][5] = {
		/* first byte from, to; second byte from, to; length */
		{0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	size_t at = 0;

	while (at < bytes) {
		size_t row = 0, rows_count = sizeof rows / sizeof rows[0];

		while (row < rows_count && (text[at] < rows[row][0] || text[at] > rows[row][1]))
			row++;
		if (row == rows_count)
			return false;
		for (size_t i = 1; i < rows[row][4] && at + i < bytes; i++) {
			uint8_t from = i == 1 ? rows[row][2] : 0x80;
			uint8_t to = i == 1 ? rows[row][3] : 0xbf;

			if (text[at + i] < from || text[at + i] > to)
				return false;
		}
		at += rows[row][4];
	}
	*is_whole = at == bytes;
	return true;
}

static inline enum wr_status naive_control(struct ws_log *log, unsigned opcode,
					   struct wr_view payload)
{
	const uint8_t *bytes = (const uint8_t *)payload.data;
	unsigned code;
	bool is_whole = true;

	if (opcode != 8) {
		ws_log_add(log, opcode == 9 ? "ping" : "pong", 0, payload);
		return WR_OK;
	}
	if (payload.bytes == 0) {
		ws_log_add(log, "close", 1005, payload);
		return WR_OK;
	}
	/* 7.4.1 and 7.4.2, with the codes registered since. */
	code = bytes[0] * 256u + bytes[1];
	if (code < 1000 || code >= 5000 || (code >= 1015 && code < 3000) || code == 1004 ||
	    code == 1005 || code == 1006)
		return WR_SYNTAX;
	if (!naive_utf8(bytes + 2, payload.bytes - 2, &is_whole) || !is_whole)
		return WR_ENCODING;
	ws_log_add(log, "close", code, wr_view_of(bytes + 2, payload.bytes - 2));
	return WR_OK;
}

/* Everything that the input says, into the log; the failure it ends with, or WR_OK. Longer than a
 * function should be, on purpose: it is read beside section 5 from top to bottom. */
static inline enum wr_status naive_receive(struct ws_log *log, struct wr_view input,
					   enum wr_ws_role role, uint64_t bytes_max,
					   uint64_t fragments_max)
{
	static uint8_t message[WS_INPUT_BYTES_MAX], payload[WS_INPUT_BYTES_MAX];
	const uint8_t *in = (const uint8_t *)input.data;
	size_t left = input.bytes, message_bytes = 0;
	uint64_t announced = 0, fragments = 0;
	unsigned message_opcode = 0;

	CHECK(input.bytes <= WS_INPUT_BYTES_MAX);
	while (left > 0) {
		bool is_final = in[0] >= 128, is_masked, is_whole = true;
		unsigned opcode = in[0] % 16, short_length;
		size_t header = 2, here;
		uint64_t length;
		enum wr_status status;

		if (in[0] / 16 % 8 != 0) /* 5.2: RSV1-3 */
			return WR_SYNTAX;
		if (opcode != 0 && opcode != 1 && opcode != 2 && opcode != 8 && opcode != 9 &&
		    opcode != 10)
			return WR_SYNTAX;
		if (opcode >= 8 && !is_final) /* 5.5 */
			return WR_SYNTAX;
		if (opcode < 8 && (opcode == 0) != (message_opcode != 0)) /* 5.4 */
			return WR_SYNTAX;
		if (left < 2)
			return WR_OK;
		is_masked = in[1] >= 128;
		if (is_masked == (role == WR_WS_ROLE_CLIENT)) /* 5.1 */
			return WR_SYNTAX;
		short_length = in[1] % 128;
		length = short_length;
		if (opcode >= 8 && short_length > 125) /* 5.5 */
			return WR_SYNTAX;
		if (short_length == 126) {
			if (left < 4)
				return WR_OK;
			length = in[2] * 256u + in[3];
			if (length < 126) /* 5.2: minimal */
				return WR_SYNTAX;
			header = 4;
		}
		if (short_length == 127) {
			if (left > 2 && in[2] >= 128) /* 5.2: bit 63 */
				return WR_SYNTAX;
			if (left >= 8 && in[2] + in[3] + in[4] + in[5] + in[6] + in[7] == 0)
				return WR_SYNTAX; /* below 65536, whatever follows */
			if (left < 10)
				return WR_OK;
			length = 0;
			for (size_t i = 2; i < 10; i++)
				length = length * 256 + in[i];
			header = 10;
		}
		if (is_masked)
			header += 4;
		if (left < header)
			return WR_OK;
		if (opcode == 8 && length == 1) /* 5.5.1 */
			return WR_SYNTAX;
		if (opcode < 8) {
			fragments++;
			if (fragments > fragments_max || length > bytes_max ||
			    announced + length > bytes_max)
				return WR_TOO_LARGE;
			announced += length;
			if (opcode != 0)
				message_opcode = opcode;
		}
		here = length < left - header ? (size_t)length : left - header;
		for (size_t i = 0; i < here; i++)
			payload[i] = in[header + i] ^ (is_masked ? in[header - 4 + i % 4] : 0);
		in += header + here;
		left -= header + here;
		if (opcode >= 8) {
			if (here < length)
				return WR_OK;
			status = naive_control(log, opcode, wr_view_of(payload, here));
			if (status != WR_OK || opcode == 8)
				return status;
			continue;
		}
		memcpy(message + message_bytes, payload, here);
		message_bytes += here;
		if (message_opcode == 1 && !naive_utf8(message, message_bytes, &is_whole))
			return WR_ENCODING;
		if (here < length)
			return WR_OK;
		if (!is_final)
			continue;
		if (!is_whole)
			return WR_ENCODING;
		ws_log_add(log, message_opcode == 1 ? "text" : "binary", 0,
			   wr_view_of(message, message_bytes));
		message_opcode = 0;
		message_bytes = 0;
		announced = 0;
		fragments = 0;
	}
	return WR_OK;
}

#endif
