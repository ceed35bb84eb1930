/*
 * One WebSocket connection. Two writers share its socket: this file with control frames and queued
 * messages, and the app with a stream of bytes it keeps elsewhere. Between frames of the stream
 *either may write; inside one (WR_WS_HELD) only the app may, and a pong or Close waits in
 *`pending`. While `pending` has output the stream is put off, so bytes always leave in the order
 *they were given.
 *
 *	open ---our Close sent--> wait for the peer's, close_ms_max -------------------> end
 *	 |-----peer's Close-----> echo ------------------------------------------------> end
 *	 '-----broken protocol--> Close 1002/1007/1009, shut down, drop input till EOF -> end
 *
 * The server ends the TCP connection first (RFC 6455 7.1.1). After a failure it does so in two
 *steps, because bytes of the peer that nobody has read would turn the end into a reset, and the
 *peer would not see why.
 *
 * heard_ms is when the last byte came. A ping sets it to such a time that silence of ping_ms +
 * pong_ms_max ends just pong_ms_max later, however late the ping was.
 */
#include "check.h"
#include "codec/ws/handshake.h"
#include "conn/ws_private.h"
#include "limits.h"

enum {
	ANSWER_BYTES_MAX = 512,
	CONTROL_COUNT_MAX = UINT8_MAX,
	MINUTE_MS = 60000,
	/* Over in any way. */
	ENDED = WR_WS_OVER | WR_WS_BROKEN
};

static uint32_t now_of(const struct wr_ws_conn *self)
{
	return (uint32_t)self->group->reactor->now_ms;
}

static bool is(const struct wr_ws_conn *self, unsigned flags)
{
	return (self->flags & flags) != 0;
}

static void set(struct wr_ws_conn *self, unsigned flags)
{
	self->flags = (uint16_t)(self->flags | flags);
}

static void clear(struct wr_ws_conn *self, unsigned flags)
{
	self->flags = (uint16_t)(self->flags & ~flags);
}

/* ---- pending ---- */

/* The block of what waits; NULL without memory for it. */
static struct wr_ws_pending *need_pending(struct wr_ws_conn *self)
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

static bool has_output(const struct wr_ws_conn *self)
{
	const struct wr_ws_pending *pending = self->pending;

	return pending != NULL &&
	       (queued_bytes(self) != 0 || pending->pong_bytes != 0 || pending->close_bytes != 0);
}

static void drop_pending(struct wr_ws_conn *self)
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

/* ---- the end ---- */

/* It is over; whoever stands in it or in its group sees to the end. */
static void doom(struct wr_ws_conn *self, unsigned how)
{
	set(self, how);
	self->group->has_broken = true;
	wr_reactor_again(self->group->reactor);
}

static void end(struct wr_ws_conn *self)
{
	struct wr_ws_group *group = self->group;

	wr_assert(is(self, ENDED) && !is(self, WR_WS_IN_CALL));
	set(self, WR_WS_IN_CALL); /* what on_end calls for it has no effect any more */
	wr_reactor_unwatch(group->reactor, &self->watch);
	wr_stream_close(&self->stream, is(self, WR_WS_BROKEN));
	group->app.on_end(group->app.context, self);
	wr_list_remove(&self->link);
	drop_pending(self);
	group->count--;
	wr_http_server_release(group->server);
	wr_allocator_free(group->allocator, self, sizeof *self + group->app.app_bytes);
}

void wr_ws_conn_bury(struct wr_ws_conn *self)
{
	if (is(self, ENDED) && !is(self, WR_WS_IN_CALL))
		end(self);
}

/* ---- output ---- */

/* What the connection waits for, after anything that may have changed it. */
static void update_wants(struct wr_ws_conn *self)
{
	unsigned wanted = 0;

	if (is(self, ENDED))
		return;
	if (queued_bytes(self) > WR_CONN_OUTPUT_BYTES_MAX)
		set(self, WR_WS_CHOKED);
	else if (queued_bytes(self) <= WR_CONN_OUTPUT_BYTES_RESUME)
		clear(self, WR_WS_CHOKED);
	if (!is(self, WR_WS_CHOKED))
		wanted |= WR_READABLE;
	if (is(self, WR_WS_BLOCKED) || (is(self, WR_WS_QUEUED) && !is(self, WR_WS_HELD)))
		wanted |= WR_WRITABLE;
	wr_reactor_want(self->group->reactor, &self->watch, wanted);
}

static void charge(struct wr_ws_conn *self)
{
	struct wr_http_server *server = self->group->server;

	server->outputs_bytes += queued_bytes(self) - self->pending->out_charge;
	self->pending->out_charge = queued_bytes(self);
	if (server->outputs_bytes > WR_CONN_OUTPUTS_BYTES_MAX)
		doom(self, WR_WS_BROKEN);
}

static void mark_queued(struct wr_ws_conn *self)
{
	if (!is(self, WR_WS_QUEUED | WR_WS_BLOCKED))
		self->waits_ms = now_of(self);
	set(self, WR_WS_QUEUED);
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
		doom(self, WR_WS_BROKEN);
		return false;
	}
	if (sent != 0)
		self->waits_ms = now_of(self);
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
		doom(self, WR_WS_BROKEN);
	pending->pong_bytes = pending->close_bytes = 0;
	charge(self);
}

/* Sends what waits in `pending`, between frames of the stream only. */
static void flush(struct wr_ws_conn *self)
{
	if (!is(self, WR_WS_QUEUED) || is(self, WR_WS_HELD | ENDED))
		return;
	if (!send_queue(self))
		return;
	queue_control(self);
	if (is(self, ENDED) || !send_queue(self))
		return;
	clear(self, WR_WS_QUEUED);
	if (self->pending->in.bytes == 0)
		drop_pending(self);
}

/* Appends what lies behind the first `skip` bytes of the parts. */
static bool queue_parts(struct wr_ws_conn *self, const struct iovec *parts, int count, size_t skip)
{
	struct wr_ws_pending *pending = need_pending(self);
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
	mark_queued(self);
	charge(self);
	return true;
}

/* Whether somebody else's bytes go first. */
static bool must_queue(const struct wr_ws_conn *self)
{
	return is(self, WR_WS_BLOCKED | WR_WS_QUEUED | WR_WS_HELD);
}

enum wr_status wr_ws_conn_send(struct wr_ws_conn *self, const struct iovec *parts, int count)
{
	size_t bytes = 0, sent = 0, room = self->group->config.queued_bytes_max;

	wr_assert(count > 0 && !is(self, WR_WS_HELD));
	if (is(self, WR_WS_CLOSING | ENDED))
		return WR_CLOSED;
	for (int i = 0; i < count; i++) {
		if (parts[i].iov_len > SIZE_MAX - bytes)
			return WR_TOO_LARGE;
		bytes += parts[i].iov_len;
	}
	if (queued_bytes(self) > room || bytes > room - queued_bytes(self))
		return WR_TOO_LARGE;
	if (!must_queue(self) && wr_stream_send(&self->stream, parts, count, &sent) == WR_CLOSED) {
		doom(self, WR_WS_BROKEN);
		return WR_CLOSED;
	}
	if (sent == bytes)
		return WR_OK;
	if (!queue_parts(self, parts, count, sent)) {
		if (sent == 0)
			return WR_NO_MEMORY;
		/* Half a frame is out and the other half cannot be kept. */
		doom(self, WR_WS_BROKEN);
		return WR_CLOSED;
	}
	update_wants(self);
	return is(self, ENDED) ? WR_CLOSED : WR_OK;
}

/* Why a stream call cannot just send: WR_OK when it can all the same. */
static enum wr_status check_stream(struct wr_ws_conn *self)
{
	if (is(self, ENDED))
		return WR_CLOSED;
	/* The rest of a frame that has begun is still sent, or nothing could follow it. */
	if (is(self, WR_WS_CLOSING) && !is(self, WR_WS_HELD))
		return WR_CLOSED;
	if (is(self, WR_WS_BLOCKED))
		return WR_MORE;
	if (is(self, WR_WS_QUEUED) && !is(self, WR_WS_HELD)) {
		set(self, WR_WS_BLOCKED);
		update_wants(self);
		return WR_MORE;
	}
	return WR_OK;
}

static enum wr_status stop_stream(struct wr_ws_conn *self, enum wr_status status, size_t sent)
{
	if (status == WR_CLOSED) {
		doom(self, WR_WS_BROKEN);
		return WR_CLOSED;
	}
	if (sent != 0 || !is(self, WR_WS_QUEUED))
		self->waits_ms = now_of(self);
	set(self, WR_WS_BLOCKED);
	update_wants(self);
	return WR_MORE;
}

enum wr_status wr_ws_conn_stream(struct wr_ws_conn *self, const struct iovec *parts, int count,
				 size_t bytes, size_t *sent)
{
	unsigned rare = WR_WS_BLOCKED | WR_WS_QUEUED | WR_WS_HELD | WR_WS_CLOSING | ENDED;
	enum wr_status status;

	if (WR_UNLIKELY(is(self, rare))) {
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
	if (is(self, WR_WS_HELD) == is_inside_frame)
		return;
	if (is_inside_frame)
		set(self, WR_WS_HELD);
	else
		clear(self, WR_WS_HELD);
	/* What waited for the end of the frame leaves when the socket is ready, not within a call.
	 */
	if (is(self, WR_WS_QUEUED))
		update_wants(self);
}

void wr_ws_conn_await(struct wr_ws_conn *self)
{
	if (check_stream(self) != WR_OK)
		return; /* awaited already, or in vain */
	if (!is(self, WR_WS_QUEUED))
		self->waits_ms = now_of(self);
	set(self, WR_WS_BLOCKED);
	update_wants(self);
}

bool wr_ws_conn_is_blocked(const struct wr_ws_conn *self)
{
	return is(self, WR_WS_BLOCKED);
}

/* Sends a control frame now, or keeps the part that does not go. */
static void send_control(struct wr_ws_conn *self, uint8_t *frame, size_t bytes)
{
	struct iovec part = {frame, bytes};
	size_t sent;

	if (wr_stream_send(&self->stream, &part, 1, &sent) == WR_CLOSED) {
		doom(self, WR_WS_BROKEN);
		return;
	}
	if (sent != bytes && !queue_parts(self, &part, 1, sent))
		doom(self, WR_WS_BROKEN);
	update_wants(self);
}

static void pong(struct wr_ws_conn *self, struct wr_view payload)
{
	uint8_t frame[2 + WR_WS_CONTROL_BYTES_MAX];
	size_t bytes = wr_ws_control_frame(frame, WR_WS_OPCODE_PONG, payload);

	if (!must_queue(self)) {
		send_control(self, frame, bytes);
		return;
	}
	if (need_pending(self) == NULL) {
		doom(self, WR_WS_BROKEN);
		return;
	}
	/* Over the one of an earlier ping (5.5.3). */
	memcpy(self->pending->pong, frame, bytes);
	self->pending->pong_bytes = (uint8_t)bytes;
	mark_queued(self);
}

/* ---- closing ---- */

/* Puts our Close behind everything that is queued. */
static void begin_close(struct wr_ws_conn *self, unsigned code, struct wr_view reason)
{
	uint8_t frame[2 + WR_WS_CONTROL_BYTES_MAX];
	size_t bytes = wr_ws_close_frame(frame, code, reason);

	if (!is(self, WR_WS_HELD)) /* else the stream has still to finish its frame */
		clear(self, WR_WS_BLOCKED);
	set(self, WR_WS_CLOSING);
	if (!is(self, WR_WS_QUEUED | WR_WS_HELD)) {
		self->waits_ms = now_of(self);
		send_control(self, frame, bytes);
		return;
	}
	if (need_pending(self) == NULL) {
		doom(self, WR_WS_BROKEN);
		return;
	}
	memcpy(self->pending->close, frame, bytes);
	self->pending->close_bytes = (uint8_t)bytes;
	mark_queued(self);
	update_wants(self);
}

void wr_ws_conn_close(struct wr_ws_conn *self, unsigned code, struct wr_view reason)
{
	if (is(self, WR_WS_CLOSING | ENDED))
		return;
	if (is(self, WR_WS_HELD))
		doom(self, WR_WS_BROKEN);
	else
		begin_close(self, code, reason);
}

bool wr_ws_conn_is_closing(const struct wr_ws_conn *self)
{
	return is(self, WR_WS_CLOSING | ENDED);
}

void wr_ws_conn_abort(struct wr_ws_conn *self)
{
	set(self, WR_WS_BROKEN);
	wr_ws_conn_bury(self);
}

/* Our Close is out: what the handshake still needs. */
static void advance_close(struct wr_ws_conn *self)
{
	if (!is(self, WR_WS_CLOSING) || is(self, WR_WS_QUEUED | WR_WS_HELD | ENDED))
		return;
	if (is(self, WR_WS_PEER_CLOSED)) {
		set(self, WR_WS_OVER);
	} else if (is(self, WR_WS_FAILED) && !is(self, WR_WS_SHUT)) {
		wr_stream_shutdown(&self->stream);
		set(self, WR_WS_SHUT);
		self->waits_ms = now_of(self);
	}
}

/* ---- input ---- */

/* Control frames that answer nothing are counted per minute: they are cheap to send. */
static void count_control(struct wr_ws_conn *self)
{
	uint8_t minute = (uint8_t)(self->group->reactor->now_ms / MINUTE_MS);
	uint32_t max = self->group->config.control_per_minute_max;

	if (self->control_minute != minute) {
		self->control_minute = minute;
		self->control_count = 0;
	}
	if (self->control_count < CONTROL_COUNT_MAX)
		self->control_count++;
	if (self->control_count <= max || max >= CONTROL_COUNT_MAX || is(self, WR_WS_CLOSING))
		return;
	set(self, WR_WS_FAILED);
	begin_close(self, 1008, WR_VIEW("too many control frames"));
}

static void fail(struct wr_ws_conn *self, enum wr_status status)
{
	set(self, WR_WS_FAILED);
	if (!is(self, WR_WS_CLOSING))
		begin_close(self, wr_ws_close_code_of(status), WR_VIEW_NULL);
}

static void take_frame(struct wr_ws_conn *self, const struct wr_ws_result *result)
{
	struct wr_ws_group *group = self->group;
	bool is_wanted;

	if (!result->is_message_start)
		return;
	set(self, WR_WS_IN_CALL);
	is_wanted = group->app.on_message(group->app.context, self, result->is_text);
	clear(self, WR_WS_IN_CALL);
	if (!is_wanted)
		wr_ws_conn_close(self, 1003, WR_VIEW_NULL); /* unless the app has done so */
}

static void take_data(struct wr_ws_conn *self, const struct wr_ws_result *result)
{
	struct wr_ws_group *group = self->group;

	if (group->app.on_data == NULL)
		return;
	set(self, WR_WS_IN_CALL);
	group->app.on_data(group->app.context, self, result->data, result->is_message_end);
	clear(self, WR_WS_IN_CALL);
}

static void take_event(struct wr_ws_conn *self, const struct wr_ws_result *result)
{
	/* 5.5.1: after our Close only the peer's counts. */
	if (is(self, WR_WS_CLOSING) && result->event != WR_WS_EVENT_CLOSE)
		return;
	switch (result->event) {
	case WR_WS_EVENT_NONE:
		return;
	case WR_WS_EVENT_FRAME:
		take_frame(self, result);
		return;
	case WR_WS_EVENT_DATA:
		take_data(self, result);
		return;
	case WR_WS_EVENT_PING:
		count_control(self);
		if (!is(self, WR_WS_CLOSING))
			pong(self, result->data);
		return;
	case WR_WS_EVENT_PONG:
		if (is(self, WR_WS_PINGED))
			clear(self, WR_WS_PINGED);
		else
			count_control(self);
		return;
	case WR_WS_EVENT_CLOSE:
		set(self, WR_WS_PEER_CLOSED);
		if (!is(self, WR_WS_CLOSING))
			begin_close(self, result->close_code, WR_VIEW_NULL);
		return;
	}
	wr_unreachable();
}

/* Feeds input until it is used up; what must be seen again with more behind it is kept. */
static void take(struct wr_ws_conn *self, char *data, size_t bytes)
{
	size_t at = 0;

	while (!is(self, WR_WS_FAILED | ENDED)) {
		struct wr_ws_result result;
		size_t used;
		enum wr_status status =
			wr_ws_receiver_feed(&self->receiver, &result, &used, data + at, bytes - at);
		at += used;
		if (status != WR_OK)
			fail(self, status);
		else if (result.event != WR_WS_EVENT_NONE)
			take_event(self, &result);
		else
			break;
	}
	if (at == bytes || is(self, WR_WS_FAILED | ENDED))
		return;
	wr_assert(bytes - at <= WR_WS_REST_BYTES_MAX);
	if (need_pending(self) == NULL ||
	    wr_buf_append(&self->pending->in, data + at, bytes - at) != WR_OK)
		doom(self, WR_WS_BROKEN);
}

/* After any event: sends, sees what is next, and ends what is over. */
static void settle(struct wr_ws_conn *self)
{
	flush(self);
	advance_close(self);
	if (is(self, ENDED)) {
		end(self);
		return;
	}
	if (self->pending != NULL && !has_output(self) && self->pending->in.bytes == 0)
		drop_pending(self);
	update_wants(self);
}

/* Takes the bytes kept for this moment away from `pending`. */
static struct wr_buf take_kept(struct wr_ws_conn *self)
{
	struct wr_buf kept = self->pending->in;

	wr_buf_init(&self->pending->in, self->group->allocator, WR_TURN_READ_BYTES_MAX);
	wr_list_remove(&self->pending->work);
	clear(self, WR_WS_EARLY);
	return kept;
}

void wr_ws_conn_take_early(struct wr_ws_conn *self)
{
	struct wr_buf kept = take_kept(self);

	take(self, kept.data, kept.bytes);
	wr_buf_deinit(&kept);
	settle(self);
}

static void on_readable(struct wr_ws_conn *self)
{
	char *data = self->group->server->receive;
	size_t before = self->pending == NULL ? 0 : self->pending->in.bytes, got;
	enum wr_status status;

	wr_assert(before < WR_TURN_READ_BYTES_MAX);
	status = wr_stream_receive(&self->stream, data + before, WR_TURN_READ_BYTES_MAX - before,
				   &got);
	if (status == WR_CLOSED)
		set(self, WR_WS_OVER);
	if (status != WR_OK)
		return;
	if (before != 0) {
		struct wr_buf kept = take_kept(self);
		memcpy(data, kept.data, before);
		wr_buf_deinit(&kept);
	}
	take(self, data, before + got);
	self->heard_ms = now_of(self);
	clear(self, WR_WS_PINGED);
}

static void on_writable(struct wr_ws_conn *self)
{
	struct wr_ws_group *group = self->group;

	flush(self);
	if (!is(self, WR_WS_BLOCKED) || is(self, ENDED) ||
	    (is(self, WR_WS_QUEUED) && !is(self, WR_WS_HELD)))
		return;
	clear(self, WR_WS_BLOCKED);
	set(self, WR_WS_IN_CALL);
	group->app.on_writable(group->app.context, self);
	clear(self, WR_WS_IN_CALL);
}

static void on_ready(struct wr_watch *watch, unsigned ready)
{
	struct wr_ws_conn *self = wr_container_of(watch, struct wr_ws_conn, watch);

	if (ready & WR_READABLE)
		on_readable(self);
	if ((ready & WR_WRITABLE) && !is(self, ENDED))
		on_writable(self);
	settle(self);
}

/* ---- deadlines ---- */

static void ping(struct wr_ws_conn *self)
{
	uint8_t frame[2 + WR_WS_CONTROL_BYTES_MAX];
	size_t bytes = wr_ws_control_frame(frame, WR_WS_OPCODE_PING, WR_VIEW_NULL);

	set(self, WR_WS_PINGED);
	self->heard_ms = now_of(self) - self->group->config.ping_ms;
	send_control(self, frame, bytes);
}

static void sweep_silence(struct wr_ws_conn *self)
{
	const struct wr_ws_config *config = &self->group->config;
	uint32_t silent_ms = now_of(self) - self->heard_ms;

	if (is(self, WR_WS_CHOKED)) {
		/* Nothing is heard because nothing is read. */
		self->heard_ms = now_of(self);
	} else if (is(self, WR_WS_PINGED)) {
		if (silent_ms - config->ping_ms > config->pong_ms_max)
			set(self, WR_WS_BROKEN);
	} else if (silent_ms >= config->ping_ms && !must_queue(self)) {
		/* While output waits its own deadline tells the dead from the living. */
		ping(self);
	}
}

void wr_ws_conn_sweep(struct wr_ws_conn *self)
{
	const struct wr_ws_config *config = &self->group->config;
	uint32_t waited_ms = now_of(self) - self->waits_ms;

	if (is(self, WR_WS_BLOCKED | WR_WS_QUEUED)) {
		if (waited_ms > config->send_ms_max)
			set(self, WR_WS_BROKEN);
	} else if (is(self, WR_WS_CLOSING)) {
		if (waited_ms > config->close_ms_max)
			set(self, WR_WS_OVER);
	}
	if (!is(self, WR_WS_CLOSING | ENDED))
		sweep_silence(self);
	wr_ws_conn_bury(self);
}

/* ---- the beginning ---- */

/* What the peer sent behind its handshake, before it could know the answer. */
static bool keep_early(struct wr_ws_conn *self, struct wr_view early)
{
	if (early.bytes == 0)
		return true;
	if (need_pending(self) == NULL || wr_buf_append_view(&self->pending->in, early) != WR_OK)
		return false;
	set(self, WR_WS_EARLY);
	wr_list_push(&self->group->early, &self->pending->work);
	wr_reactor_again(self->group->reactor);
	return true;
}

static void init(struct wr_ws_conn *self, struct wr_ws_group *group)
{
	self->watch.on_ready = on_ready;
	self->stream.fd = -1;
	self->group = group;
	self->heard_ms = self->waits_ms = now_of(self);
	wr_ws_receiver_init(&self->receiver, WR_WS_ROLE_SERVER, group->config.message_bytes_max,
			    group->config.fragment_count_max);
}

/* After the 101: false when the connection cannot be had after all. */
static bool open_stream(struct wr_ws_conn *self, struct wr_view early)
{
	if (wr_reactor_watch(self->group->reactor, &self->watch, self->stream.fd, WR_READABLE) ==
		    WR_OK &&
	    keep_early(self, early))
		return true;
	wr_reactor_unwatch(self->group->reactor, &self->watch);
	wr_stream_close(&self->stream, 1);
	drop_pending(self);
	wr_http_server_release(self->group->server);
	return false;
}

struct wr_ws_conn *wr_ws_conn_accept(struct wr_ws_group *group, struct wr_http_exchange *exchange,
				     struct wr_view protocol)
{
	size_t block_bytes = sizeof(struct wr_ws_conn) + group->app.app_bytes;
	struct wr_ws_conn *self = NULL;
	struct wr_view early;
	struct wr_buf answer;
	char storage[ANSWER_BYTES_MAX];

	wr_assert(wr_http_exchange_server(exchange) == group->server);
	wr_buf_init_fixed(&answer, storage, sizeof storage);
	wr_ws_handshake_answer(&answer, exchange->head->ws_key, protocol);
	wr_assert(wr_buf_status(&answer) == WR_OK);
	if (wr_timer_is_set(&group->sweep) ||
	    wr_timer_set(group->reactor, &group->sweep, group->sweep_ms) == WR_OK)
		self = wr_allocator_take_zeroed(group->allocator, block_bytes);
	if (self == NULL) {
		wr_http_answer_overload(exchange);
		return NULL;
	}
	init(self, group);
	if (wr_http_upgrade(exchange, wr_buf_view(&answer), &self->stream, &early) != WR_OK ||
	    !open_stream(self, early)) {
		wr_allocator_free(group->allocator, self, block_bytes);
		return NULL;
	}
	wr_list_push(&group->conns, &self->link);
	group->count++;
	return self;
}

void *wr_ws_conn_app(struct wr_ws_conn *self)
{
	return self + 1;
}

struct wr_ws_conn *wr_ws_conn_of(void *app)
{
	return (struct wr_ws_conn *)app - 1;
}
