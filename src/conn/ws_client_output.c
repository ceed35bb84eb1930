/*
 * The output of a client: a queue of finished, masked frames, and a place in it for one pong.
 *
 *	0          HEADROOM   out_at              pong_at               out.bytes
 *	|  free       |  sent   |  frames that wait  |  frames that wait   |
 *	                                             ^ pong[pong_bytes]
 *
 * A pong takes its place when the ping comes, and its content when its turn comes: then all before
 * it has left, and it is written into the free bytes just before out_at. So it neither needs memory
 * nor moves anything, a newer ping costs nothing, and no stream of messages can keep it back.
 */
#include "check.h"
#include "conn/ws_client_private.h"
#include "io/entropy.h"

enum {
	HEADROOM = WR_WS_CLIENT_CONTROL_BYTES_MAX,
	/* Over the limit of the owner's frames: a Close and a ping. */
	CONTROL_RESERVE = 2 * WR_WS_CLIENT_CONTROL_BYTES_MAX,
	/* What a queue without content keeps. */
	KEPT_BYTES = 16384
};

enum wr_status wr_ws_client_init_output(struct wr_ws_client *self)
{
	size_t waiting_bytes_max = self->config.queued_bytes_max;

	wr_assert(waiting_bytes_max <= SIZE_MAX / 4);
	/* Twice: what has left is kept until it is as much as what waits. */
	wr_buf_init(&self->out, self->allocator,
		    HEADROOM + 2 * (waiting_bytes_max + CONTROL_RESERVE) + WR_HTTP_HEAD_BYTES_MAX);
	if (wr_buf_reserve(&self->out, HEADROOM + CONTROL_RESERVE) == NULL)
		return WR_NO_MEMORY;
	wr_buf_commit(&self->out, HEADROOM);
	self->out_at = HEADROOM;
	return WR_OK;
}

bool wr_ws_client_has_output(const struct wr_ws_client *self)
{
	return self->out_at < self->out.bytes || self->pong_bytes != 0;
}

static void place_pong(struct wr_ws_client *self)
{
	wr_assert(self->out_at >= self->pong_bytes);
	self->out_at -= self->pong_bytes;
	memcpy(self->out.data + self->out_at, self->pong, self->pong_bytes);
	self->pong_bytes = 0;
}

/* Everything has left: begin again at the front. A large message does not stay for ever. */
static void rewind_queue(struct wr_ws_client *self)
{
	struct wr_buf *out = &self->out;
	char *data;

	wr_buf_truncate(out, HEADROOM);
	self->out_at = HEADROOM;
	if (out->capacity <= KEPT_BYTES)
		return;
	data = wr_allocator_resize(self->allocator, out->data, out->capacity, KEPT_BYTES);
	if (data == NULL)
		return;
	out->data = data;
	out->capacity = KEPT_BYTES;
}

uint64_t wr_ws_client_due_ms(const struct wr_ws_client *self)
{
	const struct wr_ws_client_config *config = &self->config;

	if (wr_ws_client_has_output(self))
		return self->sent_ms + config->send_ms_max;
	return self->is_pinged ? self->pinged_ms + config->pong_ms_max
			       : self->heard_ms + config->ping_ms;
}

void wr_ws_client_set_due(struct wr_ws_client *self)
{
	uint64_t due = wr_ws_client_due_ms(self), now = self->reactor->now_ms;

	(void)wr_timer_set(self->reactor, &self->timer, due > now ? due - now : 0);
}

/* What follows from there being output or not. */
static void settle(struct wr_ws_client *self)
{
	bool waits = wr_ws_client_has_output(self);

	if (!waits)
		rewind_queue(self);
	wr_stream_want(&self->stream, self->reactor, &self->watch,
		       waits ? WR_READABLE | WR_WRITABLE : WR_READABLE);
	/* A remote that was not read from is not yet late with its pong. */
	if (self->is_waiting && !waits)
		self->pinged_ms = self->reactor->now_ms;
	if (self->state == WR_WS_CLIENT_OPEN && (waits || self->is_waiting))
		wr_ws_client_set_due(self);
	self->is_waiting = waits;
	if (self->state == WR_WS_CLIENT_FAILED && !waits && !self->is_shut) {
		/* In two steps, or bytes that nobody reads would turn the end into a reset and the
		 * remote would not see why. */
		self->is_shut = true;
		wr_stream_shutdown(&self->stream);
	}
}

void wr_ws_client_flush(struct wr_ws_client *self)
{
	enum wr_status status = WR_OK;

	while (status == WR_OK && wr_ws_client_has_output(self)) {
		struct iovec part;
		size_t sent, end;

		if (self->pong_bytes != 0 && self->out_at == self->pong_at)
			place_pong(self);
		end = self->pong_bytes != 0 ? self->pong_at : self->out.bytes;
		part = (struct iovec){self->out.data + self->out_at, end - self->out_at};
		status = wr_stream_send(&self->stream, &part, 1, &sent);
		self->out_at += sent;
		if (sent != 0)
			self->sent_ms = self->reactor->now_ms;
	}
	settle(self);
}

/* Moves what waits to the front once as much has left: each byte is moved about once. */
static void compact(struct wr_ws_client *self)
{
	size_t waiting_bytes = self->out.bytes - self->out_at, by;

	if (self->out_at <= HEADROOM || self->out_at - HEADROOM < waiting_bytes)
		return;
	by = self->out_at - HEADROOM;
	memmove(self->out.data + HEADROOM, self->out.data + self->out_at, waiting_bytes);
	wr_buf_truncate(&self->out, HEADROOM + waiting_bytes);
	self->out_at = HEADROOM;
	self->pong_at -= self->pong_bytes != 0 ? by : 0;
}

/* Writes a frame's header and masked payload (RFC 6455 5.3); returns its length. */
static size_t write_frame(void *to, const struct wr_ws_frame_header *header, struct wr_view payload)
{
	uint8_t *bytes = to;
	uint8_t head[WR_WS_FRAME_HEADER_BYTES_MAX];
	size_t head_bytes = wr_ws_frame_header_encode(head, header);

	memcpy(bytes, head, head_bytes);
	if (payload.bytes != 0) {
		memcpy(bytes + head_bytes, payload.data, payload.bytes);
		wr_ws_mask(bytes + head_bytes, payload.bytes, header->mask, 0);
	}
	return head_bytes + payload.bytes;
}

/* With a fresh key. */
static enum wr_status make_header(struct wr_ws_frame_header *header, enum wr_ws_opcode opcode,
				  struct wr_view payload)
{
	*header = (struct wr_ws_frame_header){.payload_bytes = payload.bytes,
					      .opcode = (uint8_t)opcode,
					      .is_final = true,
					      .is_masked = true};
	return wr_entropy_fill(header->mask, sizeof header->mask);
}

/* Output is there that was not: its time begins. */
static void begin_output(struct wr_ws_client *self)
{
	self->sent_ms = self->reactor->now_ms;
	wr_ws_client_flush(self);
}

enum wr_status wr_ws_client_put(struct wr_ws_client *self, enum wr_ws_opcode opcode,
				struct wr_view payload, size_t waiting_bytes_max)
{
	struct wr_ws_frame_header header;
	size_t waiting_bytes = self->out.bytes - self->out_at;
	bool had_output = wr_ws_client_has_output(self);
	size_t frame_bytes_max;
	char *to;

	if (waiting_bytes > waiting_bytes_max || payload.bytes > waiting_bytes_max)
		return WR_TOO_LARGE;
	frame_bytes_max =
		wr_ws_frame_header_bytes(payload.bytes) + sizeof header.mask + payload.bytes;
	if (frame_bytes_max > waiting_bytes_max - waiting_bytes)
		return WR_TOO_LARGE;
	if (make_header(&header, opcode, payload) != WR_OK)
		return WR_IO;
	compact(self);
	to = wr_buf_reserve(&self->out, frame_bytes_max);
	if (to == NULL) {
		wr_assert(self->out.status == WR_NO_MEMORY);
		self->out.status = WR_OK; /* what waits is whole; only this was not taken */
		return WR_NO_MEMORY;
	}
	wr_buf_commit(&self->out, write_frame(to, &header, payload));
	if (!had_output)
		begin_output(self);
	return WR_OK;
}

enum wr_status wr_ws_client_put_control(struct wr_ws_client *self, enum wr_ws_opcode opcode,
					struct wr_view payload)
{
	return wr_ws_client_put(self, opcode, payload,
				self->config.queued_bytes_max + CONTROL_RESERVE);
}

enum wr_status wr_ws_client_pong(struct wr_ws_client *self, struct wr_view payload)
{
	struct wr_ws_frame_header header;
	bool had_output = wr_ws_client_has_output(self);

	wr_assert(payload.bytes <= WR_WS_CONTROL_BYTES_MAX);
	if (make_header(&header, WR_WS_OPCODE_PONG, payload) != WR_OK)
		return WR_IO;
	if (self->pong_bytes == 0)
		self->pong_at = self->out.bytes;
	self->pong_bytes = (uint8_t)write_frame(self->pong, &header, payload);
	if (!had_output)
		begin_output(self);
	return WR_OK;
}

enum wr_status wr_ws_client_send(struct wr_ws_client *self, enum wr_ws_opcode opcode,
				 struct wr_view payload)
{
	bool is_control = opcode == WR_WS_OPCODE_PING || opcode == WR_WS_OPCODE_PONG;

	wr_assert(is_control || opcode == WR_WS_OPCODE_TEXT || opcode == WR_WS_OPCODE_BINARY);
	wr_assert(!is_control || payload.bytes <= WR_WS_CONTROL_BYTES_MAX);
	if (self->state != WR_WS_CLIENT_OPEN)
		return WR_CLOSED;
	return wr_ws_client_put(self, opcode, payload, self->config.queued_bytes_max);
}
