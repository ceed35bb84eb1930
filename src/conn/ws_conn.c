/*
 * One WebSocket connection: what it receives, how it closes, when it ends. Its output is
 * ws_output.c's.
 *
 *	open ---our Close sent--> wait for the peer's, close_ms_max -------------------> end
 *	 |-----peer's Close-----> echo ------------------------------------------------> end
 *	 '-----broken protocol--> Close 1002/1007/1009, shut down, drop input till EOF -> end
 *
 * The server ends the TCP connection first (RFC 6455 7.1.1). After a failure it does so in two
 * steps: bytes of the peer that nobody has read would turn the end into a reset, and then the
 * peer would not see why.
 *
 * heard_ms is when the last byte came. A ping sets it to such a time that silence of ping_ms +
 * pong_ms_max ends just pong_ms_max later, however late the ping was.
 */
#include "check.h"
#include "codec/ws/handshake.h"
#include "conn/ws_private.h"
#include "bounds.h"

enum { ANSWER_BYTES_MAX = 512, CONTROL_COUNT_MAX = UINT8_MAX, MINUTE_MS = 60000 };

/* ---- the end ---- */

static void end(struct wr_ws_conn *self)
{
	struct wr_ws_group *group = self->group;

	wr_assert(wr_ws_is(self, WR_WS_ENDED) && !wr_ws_is(self, WR_WS_IN_CALL));
	wr_ws_set(self, WR_WS_IN_CALL); /* what on_end calls for it has no effect any more */
	wr_stream_unwatch(&self->stream, group->reactor, &self->watch);
	wr_stream_close(&self->stream, wr_ws_is(self, WR_WS_BROKEN));
	group->app.on_end(group->app.context, self);
	wr_list_remove(&self->link);
	wr_ws_drop_pending(self);
	group->count--;
	wr_http_server_release(group->server);
	wr_allocator_free(group->allocator, self, sizeof *self + group->app.app_bytes);
}

void wr_ws_conn_bury(struct wr_ws_conn *self)
{
	if (wr_ws_is(self, WR_WS_ENDED) && !wr_ws_is(self, WR_WS_IN_CALL))
		end(self);
}

static void pong(struct wr_ws_conn *self, struct wr_view payload)
{
	uint8_t frame[2 + WR_WS_CONTROL_BYTES_MAX];
	size_t bytes = wr_ws_control_frame(frame, WR_WS_OPCODE_PONG, payload);

	if (!wr_ws_must_queue(self)) {
		wr_ws_send_control(self, frame, bytes);
		return;
	}
	if (wr_ws_need_pending(self) == NULL) {
		wr_ws_doom(self);
		return;
	}
	/* Over the one of an earlier ping (5.5.3). */
	memcpy(self->pending->pong, frame, bytes);
	self->pending->pong_bytes = (uint8_t)bytes;
	wr_ws_mark_queued(self);
}

/* ---- closing ---- */

/* Puts our Close behind everything that is queued. */
static void begin_close(struct wr_ws_conn *self, unsigned code, struct wr_view reason)
{
	uint8_t frame[2 + WR_WS_CONTROL_BYTES_MAX];
	size_t bytes = wr_ws_close_frame(frame, code, reason);

	if (!wr_ws_is(self, WR_WS_HELD)) /* else the stream has still to finish its frame */
		wr_ws_clear(self, WR_WS_BLOCKED);
	wr_ws_set(self, WR_WS_CLOSING);
	if (!wr_ws_is(self, WR_WS_QUEUED | WR_WS_HELD)) {
		self->waits_ms = wr_ws_now(self);
		wr_ws_send_control(self, frame, bytes);
		return;
	}
	if (wr_ws_need_pending(self) == NULL) {
		wr_ws_doom(self);
		return;
	}
	memcpy(self->pending->close, frame, bytes);
	self->pending->close_bytes = (uint8_t)bytes;
	wr_ws_mark_queued(self);
	wr_ws_update_wants(self);
}

void wr_ws_conn_close(struct wr_ws_conn *self, unsigned code, struct wr_view reason)
{
	if (wr_ws_is(self, WR_WS_CLOSING | WR_WS_ENDED))
		return;
	if (wr_ws_is(self, WR_WS_HELD))
		wr_ws_doom(self);
	else
		begin_close(self, code, reason);
}

bool wr_ws_conn_is_closing(const struct wr_ws_conn *self)
{
	return wr_ws_is(self, WR_WS_CLOSING | WR_WS_ENDED);
}

void wr_ws_conn_abort(struct wr_ws_conn *self)
{
	wr_ws_set(self, WR_WS_BROKEN);
	wr_ws_conn_bury(self);
}

/* Our Close is out: what the handshake still needs. */
static void advance_close(struct wr_ws_conn *self)
{
	if (!wr_ws_is(self, WR_WS_CLOSING) ||
	    wr_ws_is(self, WR_WS_QUEUED | WR_WS_HELD | WR_WS_ENDED))
		return;
	if (wr_ws_is(self, WR_WS_PEER_CLOSED)) {
		wr_ws_set(self, WR_WS_OVER);
	} else if (wr_ws_is(self, WR_WS_FAILED) && !wr_ws_is(self, WR_WS_SHUT)) {
		wr_stream_shutdown(&self->stream);
		wr_ws_set(self, WR_WS_SHUT);
		self->waits_ms = wr_ws_now(self);
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
	if (self->control_count <= max || max >= CONTROL_COUNT_MAX || wr_ws_is(self, WR_WS_CLOSING))
		return;
	wr_ws_set(self, WR_WS_FAILED);
	begin_close(self, 1008, WR_VIEW("too many control frames"));
}

static void fail(struct wr_ws_conn *self, enum wr_status status)
{
	struct wr_ws_app *app = &self->group->app;

	wr_ws_set(self, WR_WS_FAILED);
	if (wr_ws_is(self, WR_WS_CLOSING))
		return;
	if (app->on_violation != NULL && !wr_ws_is(self, WR_WS_HELD)) {
		wr_ws_set(self, WR_WS_IN_CALL);
		app->on_violation(app->context, self, status);
		wr_ws_clear(self, WR_WS_IN_CALL);
	}
	if (!wr_ws_is(self, WR_WS_CLOSING | WR_WS_ENDED))
		begin_close(self, wr_ws_close_code_of(status), WR_VIEW_NULL);
}

static void take_frame(struct wr_ws_conn *self, const struct wr_ws_result *result)
{
	struct wr_ws_group *group = self->group;
	bool is_wanted;

	if (!result->is_message_start)
		return;
	wr_ws_set(self, WR_WS_IN_CALL);
	is_wanted = group->app.on_message(group->app.context, self, result->is_text);
	wr_ws_clear(self, WR_WS_IN_CALL);
	if (!is_wanted)
		wr_ws_conn_close(self, 1003, WR_VIEW_NULL); /* unless the app has done so */
}

static void take_data(struct wr_ws_conn *self, const struct wr_ws_result *result)
{
	struct wr_ws_group *group = self->group;

	if (group->app.on_data == NULL)
		return;
	wr_ws_set(self, WR_WS_IN_CALL);
	group->app.on_data(group->app.context, self, result->data, result->is_message_end);
	wr_ws_clear(self, WR_WS_IN_CALL);
}

static void take_event(struct wr_ws_conn *self, const struct wr_ws_result *result)
{
	/* 5.5.1: after our Close only the peer's counts. */
	if (wr_ws_is(self, WR_WS_CLOSING) && result->event != WR_WS_EVENT_CLOSE)
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
		if (!wr_ws_is(self, WR_WS_CLOSING))
			pong(self, result->data);
		return;
	case WR_WS_EVENT_PONG:
		if (wr_ws_is(self, WR_WS_PINGED))
			wr_ws_clear(self, WR_WS_PINGED);
		else
			count_control(self);
		return;
	case WR_WS_EVENT_CLOSE:
		wr_ws_set(self, WR_WS_PEER_CLOSED);
		if (!wr_ws_is(self, WR_WS_CLOSING))
			begin_close(self, result->close_code, WR_VIEW_NULL);
		return;
	}
	wr_unreachable();
}

/* Feeds input until it is used up; what must be seen again with more behind it is kept. */
static void take(struct wr_ws_conn *self, char *data, size_t bytes)
{
	size_t at = 0;

	while (!wr_ws_is(self, WR_WS_FAILED | WR_WS_ENDED)) {
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
	if (at == bytes || wr_ws_is(self, WR_WS_FAILED | WR_WS_ENDED))
		return;
	wr_assert(bytes - at <= WR_WS_REST_BYTES_MAX);
	if (wr_ws_need_pending(self) == NULL ||
	    wr_buf_append(&self->pending->in, data + at, bytes - at) != WR_OK)
		wr_ws_doom(self);
}

/* After any event: sends, sees what is next, and ends what is over. */
static void settle(struct wr_ws_conn *self)
{
	wr_ws_flush(self);
	advance_close(self);
	if (wr_ws_is(self, WR_WS_ENDED)) {
		end(self);
		return;
	}
	if (self->pending != NULL && !wr_ws_has_output(self) && self->pending->in.bytes == 0)
		wr_ws_drop_pending(self);
	wr_ws_update_wants(self);
}

/* Takes the bytes kept for this moment away from `pending`. */
static struct wr_buf take_kept(struct wr_ws_conn *self)
{
	struct wr_buf kept = self->pending->in;

	wr_buf_init(&self->pending->in, self->group->allocator, WR_TURN_READ_BYTES_MAX);
	wr_list_remove(&self->pending->work);
	wr_ws_clear(self, WR_WS_EARLY);
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
		wr_ws_set(self, WR_WS_OVER);
	if (status != WR_OK)
		return;
	if (before != 0) {
		struct wr_buf kept = take_kept(self);
		memcpy(data, kept.data, before);
		wr_buf_deinit(&kept);
	}
	take(self, data, before + got);
	self->heard_ms = wr_ws_now(self);
	wr_ws_clear(self, WR_WS_PINGED);
}

static void on_writable(struct wr_ws_conn *self)
{
	struct wr_ws_group *group = self->group;

	wr_ws_flush(self);
	if (!wr_ws_is(self, WR_WS_BLOCKED) || wr_ws_is(self, WR_WS_ENDED) ||
	    (wr_ws_is(self, WR_WS_QUEUED) && !wr_ws_is(self, WR_WS_HELD)))
		return;
	wr_ws_clear(self, WR_WS_BLOCKED);
	wr_ws_set(self, WR_WS_IN_CALL);
	group->app.on_writable(group->app.context, self);
	wr_ws_clear(self, WR_WS_IN_CALL);
}

static void on_ready(struct wr_watch *watch, unsigned ready)
{
	struct wr_ws_conn *self = wr_container_of(watch, struct wr_ws_conn, watch);

	if (ready & WR_READABLE)
		on_readable(self);
	if ((ready & WR_WRITABLE) && !wr_ws_is(self, WR_WS_ENDED))
		on_writable(self);
	settle(self);
}

/* ---- deadlines ---- */

static void ping(struct wr_ws_conn *self)
{
	uint8_t frame[2 + WR_WS_CONTROL_BYTES_MAX];
	size_t bytes = wr_ws_control_frame(frame, WR_WS_OPCODE_PING, WR_VIEW_NULL);

	wr_ws_set(self, WR_WS_PINGED);
	self->heard_ms = wr_ws_now(self) - self->group->config.ping_ms;
	wr_ws_send_control(self, frame, bytes);
}

static void sweep_silence(struct wr_ws_conn *self)
{
	const struct wr_ws_config *config = &self->group->config;
	uint32_t silent_ms = wr_ws_now(self) - self->heard_ms;

	if (wr_ws_is(self, WR_WS_CHOKED)) {
		/* Nothing is heard because nothing is read. */
		self->heard_ms = wr_ws_now(self);
	} else if (wr_ws_is(self, WR_WS_PINGED)) {
		if (silent_ms - config->ping_ms > config->pong_ms_max)
			wr_ws_set(self, WR_WS_BROKEN);
	} else if (silent_ms >= config->ping_ms && !wr_ws_must_queue(self)) {
		/* While output waits its own deadline tells the dead from the living. */
		ping(self);
	}
}

void wr_ws_conn_sweep(struct wr_ws_conn *self)
{
	const struct wr_ws_config *config = &self->group->config;
	uint32_t waited_ms = wr_ws_now(self) - self->waits_ms;

	if (wr_ws_is(self, WR_WS_BLOCKED | WR_WS_QUEUED)) {
		if (waited_ms > config->send_ms_max)
			wr_ws_set(self, WR_WS_BROKEN);
	} else if (wr_ws_is(self, WR_WS_CLOSING)) {
		if (waited_ms > config->close_ms_max)
			wr_ws_set(self, WR_WS_OVER);
	}
	if (!wr_ws_is(self, WR_WS_CLOSING | WR_WS_ENDED))
		sweep_silence(self);
	wr_ws_conn_bury(self);
}

/* ---- the beginning ---- */

/* What the peer sent behind its handshake, before it could know the answer. */
static bool keep_early(struct wr_ws_conn *self, struct wr_view early)
{
	if (early.bytes == 0)
		return true;
	if (wr_ws_need_pending(self) == NULL ||
	    wr_buf_append_view(&self->pending->in, early) != WR_OK)
		return false;
	wr_ws_set(self, WR_WS_EARLY);
	wr_list_push(&self->group->early, &self->pending->work);
	wr_reactor_again(self->group->reactor);
	return true;
}

static void init(struct wr_ws_conn *self, struct wr_ws_group *group)
{
	self->watch.on_ready = on_ready;
	self->stream.fd = -1;
	self->group = group;
	self->heard_ms = self->waits_ms = wr_ws_now(self);
	wr_ws_receiver_init(&self->receiver, WR_WS_ROLE_SERVER, group->config.message_bytes_max,
			    group->config.fragment_count_max);
}

/* After the 101: false when the connection cannot be had after all. */
static bool open_stream(struct wr_ws_conn *self, struct wr_view early)
{
	if (wr_stream_watch(&self->stream, self->group->reactor, &self->watch, WR_READABLE) ==
		    WR_OK &&
	    keep_early(self, early))
		return true;
	wr_stream_unwatch(&self->stream, self->group->reactor, &self->watch);
	wr_stream_close(&self->stream, 1);
	wr_ws_drop_pending(self);
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
