/*
 * The input of a client: the answer to the handshake, then frames.
 *
 * What is being handled lies on the stack or in a buffer that was taken out of the client, so an
 * owner that aborts and opens again within on_data does not take it away from under itself. Every
 * function here that returns false says: the client is closed, gone or another connection now.
 */
#include "check.h"
#include "codec/ws/handshake.h"
#include "conn/ws_client_private.h"
#include "io/net/connect.h"

enum {
	/* Reads of one connection in one turn. */
	TURN_READS_MAX = 4,
	/* 1xx answers before the one. */
	INTERIM_MAX = 8
};

/* ---- frames ---- */

static void take_event(struct wr_ws_client *self, const struct wr_ws_result *result)
{
	const struct wr_ws_client_config *config = &self->config;

	switch (result->event) {
	case WR_WS_EVENT_NONE:
	case WR_WS_EVENT_FRAME:
	case WR_WS_EVENT_PONG:
		return;
	case WR_WS_EVENT_DATA:
		if (self->state == WR_WS_CLIENT_OPEN)
			config->on_data(config->context, self, result->data, result->is_text,
					result->is_message_end);
		return;
	case WR_WS_EVENT_PING:
		if (!self->has_sent_close && wr_ws_client_pong(self, result->data) != WR_OK)
			wr_ws_client_doom(self, WR_IO);
		return;
	case WR_WS_EVENT_CLOSE:
		wr_ws_client_take_close(self, result->close_code);
		return;
	}
	wr_unreachable();
}

/* Feeds all that came. False: the connection is over, or the owner opened another one. */
static bool take_frames(struct wr_ws_client *self, char *data, size_t bytes)
{
	uint64_t life = self->life;
	struct wr_ws_result result;
	size_t at = 0;

	do {
		size_t used;
		enum wr_status status =
			wr_ws_receiver_feed(&self->receiver, &result, &used, data + at, bytes - at);
		at += used;
		if (status != WR_OK) {
			wr_ws_client_fail(self, status);
			return self->life == life;
		}
		take_event(self, &result);
		if (self->life != life)
			return false;
	} while (result.event != WR_WS_EVENT_NONE);
	wr_assert(bytes - at <= sizeof self->rest);
	self->rest_bytes = (uint8_t)(bytes - at);
	memcpy(self->rest, data + at, bytes - at);
	return true;
}

/* ---- the answer to the handshake ---- */

/* The handshake is done; frames may have come with the answer. */
static bool begin_frames(struct wr_ws_client *self, size_t head_bytes)
{
	struct wr_buf in = self->in;
	uint64_t life = self->life;
	bool goes_on;

	wr_buf_init(&self->in, self->allocator, 1);
	self->state = WR_WS_CLIENT_OPEN;
	wr_ws_client_set_due(self);
	self->config.on_open(self->config.context, self);
	goes_on = self->life == life &&
		  take_frames(self, in.data + head_bytes, in.bytes - head_bytes);
	wr_buf_deinit(&in);
	return goes_on;
}

/* What the head says that is in `in`. */
static bool take_head(struct wr_ws_client *self, const struct wr_http_head *head, size_t head_bytes)
{
	if (head->status != 101)
		wr_ws_client_finish(self, WR_REJECTED, head->status);
	else if (wr_ws_handshake_verify(head, self->nonce, self->config.protocol) != WR_OK)
		wr_ws_client_finish(self, WR_INVALID, head->status);
	else
		return begin_frames(self, head_bytes);
	return false;
}

/* The answer to the handshake. */
static bool take_answer(struct wr_ws_client *self)
{
	struct wr_http_head head;
	size_t head_bytes;

	for (;;) { /* interim answers (RFC 9110 15.2) are dropped, but for the one asked for */
		enum wr_status status = wr_http_response_parse(&self->parser, &head, &head_bytes,
							       wr_buf_view(&self->in), false);
		if (status == WR_MORE)
			return true;
		if (status == WR_OK && (head.status == 101 || head.status >= 200))
			return take_head(self, &head, head_bytes);
		if (status == WR_OK && ++self->interim_count > INTERIM_MAX)
			status = WR_TOO_LARGE;
		if (status != WR_OK) {
			wr_ws_client_finish(self, status, 0);
			return false;
		}
		wr_buf_consume(&self->in, head_bytes);
		self->parser = (struct wr_http_head_parser){0};
	}
}

/* ---- bytes ---- */

/* The remote ended the connection. */
static void end_input(struct wr_ws_client *self)
{
	enum wr_status status = self->close_code != 0 ? WR_OK : WR_CLOSED;

	if (self->state == WR_WS_CLIENT_FAILED)
		status = (enum wr_status)self->failure;
	wr_ws_client_finish(self, status, 0);
}

/* Bytes came, behind those that were kept. */
static bool take(struct wr_ws_client *self, char *data, size_t bytes)
{
	self->heard_ms = self->reactor->now_ms;
	if (self->is_pinged && self->state == WR_WS_CLIENT_OPEN) {
		self->is_pinged = false;
		wr_ws_client_set_due(self); /* the next ping may be nearer than the end was */
	}
	if (self->state == WR_WS_CLIENT_FAILED)
		return true;
	if (self->state != WR_WS_CLIENT_HANDSHAKE)
		return take_frames(self, data, bytes);
	if (wr_buf_append(&self->in, data, bytes) == WR_OK)
		return take_answer(self);
	wr_ws_client_finish(self, self->in.status, 0);
	return false;
}

/* One recv. False: nothing more now, or as above. */
static bool receive(struct wr_ws_client *self)
{
	char bytes[WR_WS_REST_BYTES_MAX + WR_WS_CLIENT_READ_BYTES];
	size_t kept = self->rest_bytes, got;
	enum wr_status status =
		wr_stream_receive(&self->stream, bytes + kept, WR_WS_CLIENT_READ_BYTES, &got);

	if (status == WR_MORE)
		return false;
	if (status != WR_OK) {
		end_input(self);
		return false;
	}
	memcpy(bytes, self->rest, kept);
	self->rest_bytes = 0;
	return take(self, bytes, kept + got) && got == WR_WS_CLIENT_READ_BYTES;
}

void wr_ws_client_on_ready(struct wr_watch *watch, unsigned ready)
{
	struct wr_ws_client *self = wr_container_of(watch, struct wr_ws_client, watch);

	if (self->state == WR_WS_CLIENT_CONNECTING) { /* of TLS: the handshake is decided */
		if (wr_stream_connected(&self->stream, &self->os_error) != WR_OK) {
			wr_ws_client_finish(self, WR_UNAVAILABLE, 0);
			return;
		}
		self->state = WR_WS_CLIENT_HANDSHAKE;
	}
	if ((ready & WR_WRITABLE) != 0)
		wr_ws_client_flush(self);
	for (unsigned i = 0; (ready & WR_READABLE) != 0 && i < TURN_READS_MAX; i++)
		if (!receive(self))
			return;
}
