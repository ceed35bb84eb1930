/*
 * The life of a client: how it opens, closes and ends, and its times.
 *
 *	closed -> connecting -> handshake -> open --either side's Close--> closing -> on_end
 *	              |             |          '-----broken protocol-----> failed --> on_end
 *	              '-------------'--> on_end
 *
 * on_end is told from two places: by the watch, when the stream said something, and by the timer,
 * when a time is over or an end was found out within a call of the owner's (doomed). It is the last
 * thing that happens there, so the owner may do anything in it.
 */
#include "check.h"
#include "codec/http/message.h"
#include "codec/ws/handshake.h"
#include "conn/ws_client_private.h"
#include "io/entropy.h"
#if WR_TLS
#include "io/tls/tls.h"
#endif

enum {
	OPEN_MS = 10000,
	MESSAGE_BYTES_MAX = 16 << 20,
	FRAGMENT_COUNT_MAX = 65536,
	QUEUED_BYTES_MAX = 1 << 20,
	CLOSE_CODE_NONE = 1005
};

void wr_ws_client_defaults(struct wr_ws_client_config *config)
{
	*config = (struct wr_ws_client_config){
		.open_ms_max = OPEN_MS,
		.ping_ms = WR_WS_PING_MS,
		.pong_ms_max = WR_WS_PONG_MS_MAX,
		.close_ms_max = WR_WS_CLOSE_MS_MAX,
		.send_ms_max = WR_CONN_SEND_MS_MAX,
		.message_bytes_max = MESSAGE_BYTES_MAX,
		.fragment_count_max = FRAGMENT_COUNT_MAX,
		.queued_bytes_max = QUEUED_BYTES_MAX,
	};
}

/* ---- the end ---- */

/* Gives the connection and its memory back; the timer stays. */
static void release(struct wr_ws_client *self, bool is_reset)
{
	wr_dial_cancel(&self->dial);
	wr_stream_unwatch(&self->stream, self->reactor, &self->watch);
	if (self->fault == NULL)
		self->fault = wr_stream_fault(&self->stream);
	wr_stream_close(&self->stream, is_reset);
	wr_buf_deinit(&self->in);
	wr_buf_deinit(&self->out);
	self->life++;
}

static void drop(struct wr_ws_client *self, bool is_reset)
{
	release(self, is_reset);
	wr_timer_cancel(self->reactor, &self->timer);
	self->state = WR_WS_CLIENT_CLOSED;
}

/* The caller returns to the reactor without another look at the client: it may be gone. */
void wr_ws_client_finish(struct wr_ws_client *self, enum wr_status status, unsigned http_status)
{
	struct wr_ws_client_end how = {.status = status,
				       .os_error = self->os_error,
				       .http_status = http_status,
				       .close_code = self->close_code};

	/* After a timeout nobody would take what the kernel still holds. */
	drop(self, status == WR_TIMEOUT);
	how.fault = self->fault;
	self->config.on_end(self->config.context, self, &how);
}

/* It is over, but who calls may be the owner: the timer tells it. */
void wr_ws_client_doom(struct wr_ws_client *self, enum wr_status status)
{
	release(self, false);
	self->state = WR_WS_CLIENT_DOOMED;
	self->failure = (uint8_t)status;
	(void)wr_timer_set(self->reactor, &self->timer, 0); /* it is set: cannot fail */
}

/* ---- closing ---- */

/* From here on the remote has its time, once. */
static void begin_closing(struct wr_ws_client *self)
{
	if (self->state == WR_WS_CLIENT_OPEN)
		(void)wr_timer_set(self->reactor, &self->timer, self->config.close_ms_max);
	self->state = WR_WS_CLIENT_CLOSING;
}

/* The last thing to be done: it may doom the connection. */
static void send_close(struct wr_ws_client *self, unsigned code)
{
	const char bytes[2] = {(char)(code >> 8 & 0xff), (char)(code & 0xff)};
	bool has_code = code != 0 && code != CLOSE_CODE_NONE;
	enum wr_status status;

	wr_assert(!has_code || wr_ws_close_code_is_valid(code));
	if (self->has_sent_close)
		return;
	self->has_sent_close = true;
	status =
		wr_ws_client_put_control(self, WR_WS_OPCODE_CLOSE,
					 has_code ? wr_view_of(bytes, sizeof bytes) : WR_VIEW_NULL);
	if (status != WR_OK)
		wr_ws_client_doom(self, status);
}

void wr_ws_client_close(struct wr_ws_client *self, unsigned code)
{
	if (self->state == WR_WS_CLIENT_CONNECTING || self->state == WR_WS_CLIENT_HANDSHAKE)
		wr_ws_client_doom(self, WR_CLOSED);
	if (self->state != WR_WS_CLIENT_OPEN)
		return;
	begin_closing(self);
	send_close(self, code);
}

void wr_ws_client_abort(struct wr_ws_client *self)
{
	if (self->state != WR_WS_CLIENT_CLOSED)
		drop(self, false);
}

bool wr_ws_client_is_open(const struct wr_ws_client *self)
{
	return self->state == WR_WS_CLIENT_OPEN;
}

/* The remote broke the protocol: it is told, and nothing it says counts any more (7.1.7). */
void wr_ws_client_fail(struct wr_ws_client *self, enum wr_status status)
{
	begin_closing(self);
	self->state = WR_WS_CLIENT_FAILED;
	self->failure = (uint8_t)status;
	if (self->has_sent_close)
		wr_ws_client_flush(self); /* what is left to do may be the shutdown */
	else
		send_close(self, wr_ws_close_code_of(status));
}

/* 5.5.1: the answer has the code that came. Then the server ends the TCP connection (7.1.1). */
void wr_ws_client_take_close(struct wr_ws_client *self, unsigned code)
{
	self->close_code = code;
	begin_closing(self);
	send_close(self, code);
}

/* ---- times ---- */

/* When an open connection has been still for too long, or for long enough to be pinged. */
static uint64_t due_ms(const struct wr_ws_client *self)
{
	const struct wr_ws_client_config *config = &self->config;

	if (wr_ws_client_has_output(self))
		return self->sent_ms + config->send_ms_max;
	return self->is_pinged ? self->pinged_ms + config->pong_ms_max
			       : self->heard_ms + config->ping_ms;
}

void wr_ws_client_set_due(struct wr_ws_client *self)
{
	uint64_t due = due_ms(self), now = self->reactor->now_ms;

	(void)wr_timer_set(self->reactor, &self->timer, due > now ? due - now : 0);
}

/* What is heard does not move the timer; it looks, when it is due, how long that was ago. */
static void check_silence(struct wr_ws_client *self)
{
	enum wr_status status = WR_OK;

	if (due_ms(self) <= self->reactor->now_ms) {
		if (wr_ws_client_has_output(self) || self->is_pinged) {
			wr_ws_client_finish(self, WR_TIMEOUT, 0);
			return;
		}
		self->is_pinged = true;
		self->pinged_ms = self->reactor->now_ms;
		status = wr_ws_client_put_control(self, WR_WS_OPCODE_PING, WR_VIEW_NULL);
	}
	if (status == WR_OK)
		wr_ws_client_set_due(self);
	else
		wr_ws_client_finish(self, status, 0);
}

static void on_due(struct wr_timer *timer)
{
	struct wr_ws_client *self = wr_container_of(timer, struct wr_ws_client, timer);

	switch (self->state) {
	case WR_WS_CLIENT_OPEN:
		check_silence(self);
		return;
	case WR_WS_CLIENT_CLOSING:
		/* Both said Close: a server that leaves the TCP connection to us is no fault. */
		wr_ws_client_finish(self, self->close_code != 0 ? WR_OK : WR_TIMEOUT, 0);
		return;
	case WR_WS_CLIENT_FAILED:
	case WR_WS_CLIENT_DOOMED:
		wr_ws_client_finish(self, (enum wr_status)self->failure, 0);
		return;
	}
	wr_ws_client_finish(self, WR_TIMEOUT, 0); /* connecting, or in the handshake */
}

/* ---- opening ---- */

/* No byte below `first`, which would end a line or a word of the head. */
static bool belongs_in_head(struct wr_view text, unsigned char first)
{
	for (size_t i = 0; i < text.bytes; i++)
		if ((unsigned char)text.data[i] < first || text.data[i] == 0x7f)
			return false;
	return true;
}

static enum wr_status write_request(struct wr_ws_client *self)
{
	const struct wr_ws_client_config *config = &self->config;
	struct wr_buf *out = &self->out;

	if (config->target.bytes == 0 || !belongs_in_head(config->target, '!') ||
	    !belongs_in_head(config->host, '!') || !belongs_in_head(config->protocol, ' '))
		return WR_INVALID;
	wr_http_write_request_line(out, WR_VIEW("GET"), config->target);
	wr_http_write_field(out, WR_VIEW("Host"), config->host);
	wr_ws_handshake_request(out, self->nonce, config->protocol);
	wr_buf_append_view(out, config->fields);
	wr_http_write_head_end(out);
	return wr_buf_status(out);
}

/* What a connection is made with, before it is there. */
static enum wr_status prepare(struct wr_ws_client *self)
{
	const struct wr_ws_client_config *config = &self->config;
	enum wr_status status = wr_entropy_fill(self->nonce, sizeof self->nonce);

	self->watch.on_ready = wr_ws_client_on_ready;
	self->timer.on_due = on_due;
	self->stream.fd = -1;
	self->heard_ms = self->reactor->now_ms;
	wr_buf_init(&self->in, self->allocator, WR_HTTP_HEAD_BYTES_MAX + WR_WS_CLIENT_READ_BYTES);
	wr_ws_receiver_init(&self->receiver, WR_WS_ROLE_CLIENT, config->message_bytes_max,
			    config->fragment_count_max);
	if (status == WR_OK)
		status = wr_ws_client_init_output(self);
	if (status == WR_OK)
		status = write_request(self);
	if (status == WR_OK)
		status = wr_timer_set(self->reactor, &self->timer, config->open_ms_max);
	return status;
}

/* TLS begins where the owner has it. */
static enum wr_status protect(struct wr_ws_client *self)
{
#if WR_TLS
	if (self->config.tls != NULL)
		return wr_tls_connect(self->config.tls, &self->stream, self->config.tls_name);
#else
	(void)self;
#endif
	return WR_OK;
}

/* The connection is there: the request leaves with the first readiness. */
static enum wr_status begin_stream(struct wr_ws_client *self)
{
	enum wr_status status;

	self->stream = self->dial.stream;
	status = protect(self);
	if (status != WR_OK)
		return status;
	if (!wr_stream_is_tls(&self->stream))
		self->state = WR_WS_CLIENT_HANDSHAKE;
	return wr_stream_watch(&self->stream, self->reactor, &self->watch, WR_WRITABLE);
}

static void on_dialed(struct wr_dial *dial, enum wr_status status)
{
	struct wr_ws_client *self = wr_container_of(dial, struct wr_ws_client, dial);

	self->os_error = dial->os_error;
	if (status == WR_OK)
		status = begin_stream(self);
	if (status != WR_OK)
		wr_ws_client_finish(self, status, 0);
}

enum wr_status wr_ws_client_open(struct wr_ws_client *self, struct wr_reactor *reactor,
				 struct wr_allocator *allocator,
				 const struct wr_ws_client_config *config)
{
	const struct wr_dial_target target = {.address = config->address,
					      .resolver = config->resolver,
					      .host_name = config->host_name,
					      .port = config->port};
	uint64_t life = self->life;
	enum wr_status status;

	wr_assert(self->state == WR_WS_CLIENT_CLOSED);
	*self = (struct wr_ws_client){
		.config = *config, .reactor = reactor, .allocator = allocator, .life = life};
	status = prepare(self);
	if (status != WR_OK)
		goto failed;
	self->state = WR_WS_CLIENT_CONNECTING;
	self->dial.on_done = on_dialed;
	status = wr_dial_begin(&self->dial, reactor, allocator, &target);
	if (status == WR_UNAVAILABLE) {
		self->os_error = self->dial.os_error;
		wr_ws_client_doom(self, WR_UNAVAILABLE);
		return WR_OK;
	}
	if (status == WR_OK)
		status = begin_stream(self);
	if (status == WR_OK || status == WR_MORE)
		return WR_OK;
failed:
	drop(self, false);
	return status;
}
