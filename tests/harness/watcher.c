/* See watcher.h. */
#include "harness/watcher.h"

#if WR_WS_SERVER

#include "check.h"
#include "harness/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BYTES_MAX = 64 << 20, REQUEST_BYTES_MAX = 1024 };

static void take_frame(struct wr_watcher *self, const struct wr_ws_frame_header *header,
		       struct wr_view payload)
{
	CHECK(header->is_final && self->close_code == 0);
	switch (header->opcode) {
	case WR_WS_OPCODE_TEXT:
		CHECK(self->count < WR_WATCHER_FRAMES_MAX);
		self->frames[self->count].at = (size_t)(payload.data - self->in.data);
		self->frames[self->count++].bytes = payload.bytes;
		wr_handles_check_text(self->world, payload);
		break;
	case WR_WS_OPCODE_CLOSE:
		CHECK(payload.bytes >= 2);
		self->close_code = (unsigned)(unsigned char)payload.data[0] << 8 |
				   (unsigned char)payload.data[1];
		wr_handles_check_text(self->world, wr_view_skip(payload, 2));
		break;
	case WR_WS_OPCODE_PONG:
		self->pongs++;
		break;
	default:
		CHECK(header->opcode == WR_WS_OPCODE_PING);
	}
}

/* Cuts what came into the head and frames. */
static void look(struct wr_watcher *self)
{
	struct wr_ws_frame_header header;
	struct wr_view in = wr_buf_view(&self->in), rest;
	const char *end;
	size_t head;

	if (self->http == 0) {
		end = in.bytes < 4 ? NULL : memmem(in.data, in.bytes, "\r\n\r\n", 4);
		if (end == NULL)
			return;
		CHECK(wr_view_starts(in, WR_VIEW("HTTP/1.1 ")));
		self->seen = self->body = (size_t)(end + 4 - in.data);
		self->http = (unsigned)strtoul(in.data + 9, NULL, 10);
	}
	while (self->http == 101 && self->seen < in.bytes) {
		rest = wr_view_skip(in, self->seen);
		switch ((int)wr_ws_frame_header_decode(&header, &head, rest, WR_WS_ROLE_CLIENT)) {
		case WR_MORE:
			return;
		case WR_OK:
			break;
		default:
			wr_test_fail(__FILE__, __LINE__, "no frame of RFC 6455");
		}
		if (header.payload_bytes > rest.bytes - head)
			return;
		rest = wr_view_of(rest.data + head, (size_t)header.payload_bytes);
		self->seen += head + rest.bytes;
		take_frame(self, &header, rest);
	}
}

static void on_ready(struct wr_watch *watch, unsigned ready)
{
	enum { PIECE = 65536 };
	struct wr_watcher *self = wr_container_of(watch, struct wr_watcher, watch);
	char *to = wr_buf_reserve(&self->in, PIECE);
	ssize_t n;

	(void)ready;
	CHECK(to != NULL);
	n = recv(self->fd, to, PIECE, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0) {
		wr_buf_commit(&self->in, (size_t)n);
		look(self);
		return;
	}
	self->is_ended = true;
	wr_reactor_unwatch(&self->world->reactor, watch);
}

/* Sends it, and turns until there is an answer. */
void wr_watcher_request(struct wr_handles *self, struct wr_watcher *watcher, const char *target,
			const char *fields)
{
	const struct wr_address *address = wr_http_server_address(self->server);
	char text[REQUEST_BYTES_MAX];
	int bytes =
		snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", target, fields);

	memset(watcher, 0, sizeof *watcher);
	watcher->world = self;
	watcher->watch.on_ready = on_ready;
	wr_buf_init(&watcher->in, wr_test_allocator(), BYTES_MAX);
	watcher->fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(watcher->fd >= 0 && bytes > 0 && (size_t)bytes < sizeof text);
	CHECK(connect(watcher->fd, (const struct sockaddr *)&address->storage, address->bytes) ==
	      0);
	CHECK(fcntl(watcher->fd, F_SETFL, O_NONBLOCK) == 0);
	CHECK(send(watcher->fd, text, (size_t)bytes, 0) == bytes);
	CHECK_STATUS(wr_reactor_watch(&self->reactor, &watcher->watch, watcher->fd, WR_READABLE),
		     WR_OK);
	wr_handles_wait(self);
	while (watcher->http == 0) {
		CHECK(!watcher->is_ended);
		wr_handles_turn(self);
	}
}

void wr_watcher_open(struct wr_handles *self, struct wr_watcher *watcher, const char *worker_id,
		     const char *cursor)
{
	char target[512];

	snprintf(target, sizeof target, "/stream/%s%s%s", worker_id,
		 cursor == NULL ? "" : "?cursor=", cursor == NULL ? "" : cursor);
	wr_watcher_request(
		self, watcher, target,
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
}

void wr_watcher_close(struct wr_watcher *self)
{
	wr_reactor_unwatch(&self->world->reactor, &self->watch);
	close(self->fd);
	wr_buf_deinit(&self->in);
}

void wr_watcher_await(struct wr_watcher *self, unsigned count)
{
	CHECK_U64(self->http, 101);
	wr_handles_wait(self->world);
	while (self->count < count) {
		CHECK(!self->is_ended && self->close_code == 0);
		wr_handles_turn(self->world);
	}
	CHECK_U64(self->count, count);
}

void wr_watcher_await_first(struct wr_watcher *self)
{
	CHECK_U64(self->http, 101);
	wr_handles_wait(self->world);
	while (self->count == 0) {
		CHECK(!self->is_ended && self->close_code == 0);
		wr_handles_turn(self->world);
	}
}

void wr_watcher_send(struct wr_watcher *self, enum wr_ws_opcode opcode, struct wr_view payload)
{
	struct wr_ws_frame_header header = {.payload_bytes = payload.bytes,
					    .opcode = (uint8_t)opcode,
					    .is_final = true,
					    .is_masked = true,
					    .mask = {0x5a, 0x01, 0xc3, 0x7e}};
	uint8_t frame[WR_WS_FRAME_HEADER_BYTES_MAX + 125];
	size_t head = wr_ws_frame_header_encode(frame, &header);

	CHECK(payload.bytes <= 125);
	if (payload.bytes != 0)
		memcpy(frame + head, payload.data, payload.bytes);
	wr_ws_mask(frame + head, payload.bytes, header.mask, 0);
	CHECK(send(self->fd, frame, head + payload.bytes, MSG_NOSIGNAL) ==
	      (ssize_t)(head + payload.bytes));
}

void wr_watcher_await_close(struct wr_watcher *self, unsigned code)
{
	const char payload[] = {(char)(code >> 8), (char)code};

	CHECK_U64(self->http, 101);
	wr_handles_wait(self->world);
	while (self->close_code == 0) {
		CHECK(!self->is_ended);
		wr_handles_turn(self->world);
	}
	CHECK_U64(self->close_code, code);
	wr_watcher_send(self, WR_WS_OPCODE_CLOSE, wr_view_of(payload, sizeof payload));
	while (!self->is_ended)
		wr_handles_turn(self->world);
}

struct wr_view wr_watcher_frame(const struct wr_watcher *self, unsigned index)
{
	CHECK(index < self->count);
	return wr_view_of(self->in.data + self->frames[index].at, self->frames[index].bytes);
}

void wr_watcher_cursor(const struct wr_watcher *self, unsigned index, char out[WR_CURSOR_BYTES + 1])
{
	struct wr_view frame = wr_watcher_frame(self, index);

	wr_json_copy(out, WR_CURSOR_BYTES + 1, frame, "envelope.cursor");
	CHECK_U64(strlen(out), WR_CURSOR_BYTES);
	CHECK_VIEW(wr_json_find(frame, "envelope.event_id"), wr_view_of_string(out));
}

struct wr_view wr_watcher_body(const struct wr_watcher *self)
{
	struct wr_view body = wr_view_skip(wr_buf_view(&self->in), self->body);

	wr_handles_check_text(self->world, body);
	return body;
}

#endif
