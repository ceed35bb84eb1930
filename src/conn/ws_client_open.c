/* How a client opens: the connection, TLS where it is wanted, and the request of the handshake. */
#include "check.h"
#include "codec/http/message.h"
#include "codec/ws/handshake.h"
#include "conn/ws_client_private.h"
#include "io/entropy.h"
#if WR_TLS
#include "io/tls/tls.h"
#endif

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
	self->timer.on_due = wr_ws_client_on_due;
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
	wr_ws_client_drop(self, false);
	return status;
}
