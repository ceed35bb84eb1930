/*
 * What a WebSocket connection sends. Two writers share its socket: we, with control frames and
 * queued messages, and the app, with a stream of bytes that it keeps elsewhere. Between frames of
 * the stream either may write; inside one (WR_WS_HELD) only the app may, and a pong or Close waits
 * in `pending`. While `pending` has output the stream is put off, so bytes leave in the order they
 * were given.
 */
#include "check.h"
#include "conn/ws_private.h"
#include "bounds.h"

void wr_ws_doom(struct wr_ws_conn *self)
{
	wr_ws_set(self, WR_WS_BROKEN);
	self->group->has_broken = true;
	wr_reactor_again(self->group->reactor);
}

/* ---- pending ---- */

struct wr_ws_pending *wr_ws_need_pending(struct wr_ws_conn *self)
{
	struct wr_allocator *allocator = self->group->allocator;

	if (self->pending != NULL)
		return self->pending;
	self->pending = wr_allocator_take_zeroed(allocator, sizeof *self->pending);
	if (self->pending == NULL)
		return NULL;
	self->pending->conn = self;
	wr_list_init(&self->pending->work);
	wr_buf_init(&self->pending->in, allocator, WR_TURN_READ_BYTES_MAX);
	wr_buf_init(&self->pending->out, allocator, SIZE_MAX);
	return self->pending;
}

static size_t queued_bytes(const struct wr_ws_conn *self)
{
	return self->pending == NULL ? 0 : self->pending->out.bytes - self->pending->out_at;
}

bool wr_ws_has_output(const struct wr_ws_conn *self)
{
	const struct wr_ws_pending *pending = self->pending;

	return pending != NULL &&
	       (queued_bytes(self) != 0 || pending->pong_bytes != 0 || pending->close_bytes != 0);
}

void wr_ws_drop_pending(struct wr_ws_conn *self)
{
	struct wr_ws_pending *pending = self->pending;

	if (pending == NULL)
		return;
	self->pending = NULL;
	wr_list_remove(&pending->work);
	self->group->server->outputs_bytes -= pending->out_charge;
	wr_buf_deinit(&pending->in);
	wr_buf_deinit(&pending->out);
	wr_allocator_free(self->group->allocator, pending, sizeof *pending);
}

/* ---- output ---- */

void wr_ws_update_wants(struct wr_ws_conn *self)
{
	unsigned wanted = 0;

	if (wr_ws_is(self, WR_WS_ENDED))
		return;
	if (queued_bytes(self) > WR_CONN_OUTPUT_BYTES_MAX)
		wr_ws_set(self, WR_WS_CHOKED);
	else if (queued_bytes(self) <= WR_CONN_OUTPUT_BYTES_RESUME)
		wr_ws_clear(self, WR_WS_CHOKED);
	if (!wr_ws_is(self, WR_WS_CHOKED))
		wanted |= WR_READABLE;
	if (wr_ws_is(self, WR_WS_BLOCKED) ||
	    (wr_ws_is(self, WR_WS_QUEUED) && !wr_ws_is(self, WR_WS_HELD)))
		wanted |= WR_WRITABLE;
	wr_stream_want(&self->stream, self->group->reactor, &self->watch, wanted);
}

static void charge(struct wr_ws_conn *self)
{
	struct wr_http_server *server = self->group->server;

	server->outputs_bytes += queued_bytes(self) - self->pending->out_charge;
	self->pending->out_charge = queued_bytes(self);
	if (server->outputs_bytes > WR_CONN_OUTPUTS_BYTES_MAX)
		wr_ws_doom(self);
}

void wr_ws_mark_queued(struct wr_ws_conn *self)
{
	if (!wr_ws_is(self, WR_WS_QUEUED | WR_WS_BLOCKED))
		self->waits_ms = wr_ws_now(self);
	wr_ws_set(self, WR_WS_QUEUED);
}

/* Sends from the queue; true when it is empty. */
static bool send_queue(struct wr_ws_conn *self)
{
	struct wr_ws_pending *pending = self->pending;
	struct iovec part = {.iov_len = queued_bytes(self)};
	size_t sent;

	if (part.iov_len == 0)
		return true;
	part.iov_base = pending->out.data + pending->out_at;
	if (wr_stream_send(&self->stream, &part, 1, &sent) == WR_CLOSED) {
		wr_ws_doom(self);
		return false;
	}
	if (sent != 0)
		self->waits_ms = wr_ws_now(self);
	pending->out_at += sent;
	if (queued_bytes(self) == 0) {
		wr_buf_deinit(&pending->out);
		pending->out_at = 0;
	} else if (pending->out_at > pending->out.bytes / 2) {
		wr_buf_consume(&pending->out, pending->out_at);
		pending->out_at = 0;
	}
	charge(self);
	return queued_bytes(self) == 0;
}

/* Moves the control frames that wait into the empty queue: only now is it certain which ping is the
 * newest. */
static void queue_control(struct wr_ws_conn *self)
{
	struct wr_ws_pending *pending = self->pending;

	if (wr_buf_append(&pending->out, pending->pong, pending->pong_bytes) != WR_OK ||
	    wr_buf_append(&pending->out, pending->close, pending->close_bytes) != WR_OK)
		wr_ws_doom(self);
	pending->pong_bytes = pending->close_bytes = 0;
	charge(self);
}

void wr_ws_flush(struct wr_ws_conn *self)
{
	if (!wr_ws_is(self, WR_WS_QUEUED) || wr_ws_is(self, WR_WS_HELD | WR_WS_ENDED))
		return;
	if (!send_queue(self))
		return;
	queue_control(self);
	if (wr_ws_is(self, WR_WS_ENDED) || !send_queue(self))
		return;
	wr_ws_clear(self, WR_WS_QUEUED);
	if (self->pending->in.bytes == 0)
		wr_ws_drop_pending(self);
}

/* Appends what lies behind the first `skip` bytes of the parts. */
static bool queue_parts(struct wr_ws_conn *self, const struct iovec *parts, int count, size_t skip)
{
	struct wr_ws_pending *pending = wr_ws_need_pending(self);
	size_t mark;

	if (pending == NULL)
		return false;
	mark = pending->out.bytes;
	for (int i = 0; i < count; i++) {
		size_t bytes = parts[i].iov_len, past = skip < bytes ? skip : bytes;
		skip -= past;
		if (past == bytes)
			continue;
		if (wr_buf_append(&pending->out, (const char *)parts[i].iov_base + past,
				  bytes - past) != WR_OK) {
			wr_buf_truncate(&pending->out, mark);
			pending->out.status = WR_OK;
			return false;
		}
	}
	wr_ws_mark_queued(self);
	charge(self);
	return true;
}

bool wr_ws_must_queue(const struct wr_ws_conn *self)
{
	return wr_ws_is(self, WR_WS_BLOCKED | WR_WS_QUEUED | WR_WS_HELD);
}

enum wr_status wr_ws_conn_send(struct wr_ws_conn *self, const struct iovec *parts, int count)
{
	size_t bytes = 0, sent = 0, room = self->group->config.queued_bytes_max;

	wr_assert(count > 0 && !wr_ws_is(self, WR_WS_HELD));
	if (wr_ws_is(self, WR_WS_CLOSING | WR_WS_ENDED))
		return WR_CLOSED;
	for (int i = 0; i < count; i++) {
		if (parts[i].iov_len > SIZE_MAX - bytes)
			return WR_TOO_LARGE;
		bytes += parts[i].iov_len;
	}
	if (queued_bytes(self) > room || bytes > room - queued_bytes(self))
		return WR_TOO_LARGE;
	if (!wr_ws_must_queue(self) &&
	    wr_stream_send(&self->stream, parts, count, &sent) == WR_CLOSED) {
		wr_ws_doom(self);
		return WR_CLOSED;
	}
	if (sent == bytes)
		return WR_OK;
	if (!queue_parts(self, parts, count, sent)) {
		if (sent == 0)
			return WR_NO_MEMORY;
		/* Half a frame is out and the other half cannot be kept. */
		wr_ws_doom(self);
		return WR_CLOSED;
	}
	wr_ws_update_wants(self);
	return wr_ws_is(self, WR_WS_ENDED) ? WR_CLOSED : WR_OK;
}

/* Why a stream call cannot just send: WR_OK when it can all the same. */
static enum wr_status check_stream(struct wr_ws_conn *self)
{
	if (wr_ws_is(self, WR_WS_ENDED))
		return WR_CLOSED;
	/* The rest of a frame that has begun is still sent, or nothing could follow it. */
	if (wr_ws_is(self, WR_WS_CLOSING) && !wr_ws_is(self, WR_WS_HELD))
		return WR_CLOSED;
	if (wr_ws_is(self, WR_WS_BLOCKED))
		return WR_MORE;
	if (wr_ws_is(self, WR_WS_QUEUED) && !wr_ws_is(self, WR_WS_HELD)) {
		wr_ws_set(self, WR_WS_BLOCKED);
		wr_ws_update_wants(self);
		return WR_MORE;
	}
	return WR_OK;
}

static enum wr_status stop_stream(struct wr_ws_conn *self, enum wr_status status, size_t sent)
{
	if (status == WR_CLOSED) {
		wr_ws_doom(self);
		return WR_CLOSED;
	}
	if (sent != 0 || !wr_ws_is(self, WR_WS_QUEUED))
		self->waits_ms = wr_ws_now(self);
	wr_ws_set(self, WR_WS_BLOCKED);
	wr_ws_update_wants(self);
	return WR_MORE;
}

enum wr_status wr_ws_conn_stream(struct wr_ws_conn *self, const struct iovec *parts, int count,
				 size_t bytes, size_t *sent)
{
	unsigned rare = WR_WS_BLOCKED | WR_WS_QUEUED | WR_WS_HELD | WR_WS_CLOSING | WR_WS_ENDED;
	enum wr_status status;

	if (WR_UNLIKELY(wr_ws_is(self, rare))) {
		*sent = 0;
		status = check_stream(self);
		if (status != WR_OK)
			return status;
	}
	status = wr_stream_send(&self->stream, parts, count, sent);
	if (WR_UNLIKELY(status != WR_OK || *sent != bytes))
		return stop_stream(self, status, *sent);
	return WR_OK;
}

void wr_ws_conn_hold(struct wr_ws_conn *self, bool is_inside_frame)
{
	if (wr_ws_is(self, WR_WS_HELD) == is_inside_frame)
		return;
	if (is_inside_frame)
		wr_ws_set(self, WR_WS_HELD);
	else
		wr_ws_clear(self, WR_WS_HELD);
	/* What waited for the end of the frame leaves with the next event, not within a call. */
	if (wr_ws_is(self, WR_WS_QUEUED))
		wr_ws_update_wants(self);
}

void wr_ws_conn_await(struct wr_ws_conn *self)
{
	if (check_stream(self) != WR_OK)
		return; /* awaited already, or in vain */
	if (!wr_ws_is(self, WR_WS_QUEUED))
		self->waits_ms = wr_ws_now(self);
	wr_ws_set(self, WR_WS_BLOCKED);
	wr_ws_update_wants(self);
}

bool wr_ws_conn_is_blocked(const struct wr_ws_conn *self)
{
	return wr_ws_is(self, WR_WS_BLOCKED);
}

void wr_ws_send_control(struct wr_ws_conn *self, uint8_t *frame, size_t bytes)
{
	struct iovec part = {frame, bytes};
	size_t sent;

	if (wr_stream_send(&self->stream, &part, 1, &sent) == WR_CLOSED) {
		wr_ws_doom(self);
		return;
	}
	if (sent != bytes && !queue_parts(self, &part, 1, sent))
		wr_ws_doom(self);
	wr_ws_update_wants(self);
}
