/*
 * The life of a client: how it closes and ends, and its times.
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
#include "conn/ws_client_private.h"

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

void wr_ws_client_drop(struct wr_ws_client *self, bool is_reset)
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
	wr_ws_client_drop(self, status == WR_TIMEOUT);
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
		wr_ws_client_drop(self, false);
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

/* What is heard does not move the timer; it looks, when it is due, how long that was ago. */
static void check_silence(struct wr_ws_client *self)
{
	enum wr_status status = WR_OK;

	if (wr_ws_client_due_ms(self) <= self->reactor->now_ms) {
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

void wr_ws_client_on_due(struct wr_timer *timer)
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
