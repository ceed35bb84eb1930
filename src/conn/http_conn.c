/*
 * One HTTP connection: its phases, deadlines and end. What it receives is http_input.c's, what it
 * sends http_output.c's.
 */
#include "check.h"
#include "conn/http_private.h"
#include "bounds.h"

enum {
	/* Beyond its free time a body's rate is looked at in windows of this part of that time. */
	RATE_WINDOW_PART = 6
};

static uint32_t now_of(const struct wr_http_conn *self)
{
	return (uint32_t)self->server->reactor->now_ms;
}

/* ---- phases ---- */

void wr_http_conn_enter(struct wr_http_conn *self, enum wr_http_phase phase)
{
	self->phase = (uint8_t)phase;
	self->since_ms = now_of(self);
	self->mark_bytes = 0;
	if (phase == WR_HTTP_PHASE_HEAD)
		self->parser = (struct wr_http_head_parser){0};
}

void wr_http_conn_conclude(struct wr_http_conn *self)
{
	if (self->phase == WR_HTTP_PHASE_GONE)
		return;
	if (!self->exchange.is_answered)
		wr_http_conn_enter(self, WR_HTTP_PHASE_ANSWER);
	else if (self->is_producing)
		wr_http_conn_enter(self, WR_HTTP_PHASE_PRODUCE);
	else if (self->is_last)
		wr_http_conn_enter(self, WR_HTTP_PHASE_FLUSH);
	else
		wr_http_conn_enter(self,
				   self->is_body_ahead ? WR_HTTP_PHASE_SKIP : WR_HTTP_PHASE_HEAD);
}

bool wr_http_conn_is_idle(const struct wr_http_conn *self)
{
	return self->phase == WR_HTTP_PHASE_HEAD && self->in.bytes == 0 && self->held_until == 0 &&
	       wr_http_output_bytes(self) == 0;
}

/* ---- the end ---- */

void wr_http_conn_end(struct wr_http_conn *self, bool reset)
{
	struct wr_http_server *server = self->server;
	bool is_kept = self->phase == WR_HTTP_PHASE_ANSWER && !self->exchange.is_answered;

	if (self->phase == WR_HTTP_PHASE_GONE)
		return;
	self->phase = WR_HTTP_PHASE_GONE;
	wr_stream_unwatch(&self->stream, server->reactor, &self->watch);
	wr_stream_close(&self->stream, reset);
	wr_http_input_release(self);
	wr_http_output_drop(self);
	wr_list_remove(&self->link);
	wr_list_remove(&self->held);
	wr_list_remove(&self->work);
	wr_list_push(&server->graves, &self->work);
	server->count--;
	if (!self->is_known)
		server->unknown_count--;
	if (server->peer_of == self)
		server->peer_of = NULL;
	if (server->fields_of == &self->exchange)
		server->fields_of = NULL;
	wr_http_release_producer(self);
	if (is_kept)
		server->app.on_abandon(server->app.context, &self->exchange);
}

void wr_http_conn_free(struct wr_http_conn *self)
{
	wr_list_remove(&self->work);
	wr_buf_deinit(&self->in);
	wr_allocator_free(self->server->allocator, self, sizeof *self);
}

/* ---- faults ---- */

/* Answers once more and serves nothing that follows. */
void wr_http_conn_fail(struct wr_http_conn *self, unsigned status, enum wr_http_server_fault kind,
		       enum wr_http_fault fault)
{
	wr_http_answer_fault(self, status, kind, fault, false);
	wr_http_conn_conclude(self);
}

/* Of a head that was not understood: nothing is known about the request. */
void wr_http_conn_fail_head(struct wr_http_conn *self, unsigned status,
			    enum wr_http_server_fault kind, enum wr_http_fault fault)
{
	self->minor_version = 1;
	self->is_to_head = self->is_keep_alive = self->is_body_ahead = false;
	self->exchange.is_answered = false;
	wr_http_conn_fail(self, status, kind, fault);
}

/* ---- what comes next ---- */

static bool wants_input(const struct wr_http_conn *self)
{
	switch ((enum wr_http_phase)self->phase) {
	case WR_HTTP_PHASE_HEAD:
		return !self->is_ended && !self->is_choked && !wr_http_input_has_requests(self);
	case WR_HTTP_PHASE_BODY:
	case WR_HTTP_PHASE_SKIP:
	case WR_HTTP_PHASE_DRAIN:
		return true;
	case WR_HTTP_PHASE_ANSWER:
	case WR_HTTP_PHASE_PRODUCE:
		return !self->is_ended && self->in.bytes < WR_HTTP_AHEAD_BYTES_MAX;
	case WR_HTTP_PHASE_FLUSH:
	case WR_HTTP_PHASE_GONE:
		return false;
	}
	wr_unreachable();
}

/* All output is gone: whether this is the end. Returns false when the connection ended. */
static bool advance_flushed(struct wr_http_conn *self)
{
	bool is_over = self->is_ended && !wr_http_input_has_requests(self);

	if (self->phase == WR_HTTP_PHASE_HEAD &&
	    (is_over || (self->server->is_draining && self->in.bytes == 0))) {
		wr_http_conn_end(self, false);
		return false;
	}
	if (self->phase != WR_HTTP_PHASE_FLUSH)
		return true;
	wr_http_input_drop(self);
	if (self->is_ended) {
		wr_http_conn_end(self, false);
		return false;
	}
	wr_stream_shutdown(&self->stream);
	wr_http_conn_enter(self, WR_HTTP_PHASE_DRAIN);
	return true;
}

/* The case that nearly always is: idle, and watched for just what it has to be. */
static bool rests(const struct wr_http_conn *self)
{
	return self->phase == WR_HTTP_PHASE_HEAD && self->in.bytes == 0 && !self->is_ended &&
	       !self->is_choked && !self->server->is_draining && self->watch.wanted == WR_READABLE;
}

void wr_http_conn_settle(struct wr_http_conn *self)
{
	struct wr_http_server *server = self->server;
	size_t waiting;

	if (self->phase == WR_HTTP_PHASE_GONE)
		return;
	wr_http_output_flush(self);
	if (self->phase == WR_HTTP_PHASE_GONE)
		return;
	waiting = wr_http_output_bytes(self);
	if (WR_LIKELY(waiting == 0 && rests(self)))
		return;
	if (waiting == 0 && !advance_flushed(self))
		return;
	if (waiting > WR_CONN_OUTPUT_BYTES_MAX || self->held_count == WR_HTTP_HELD_COUNT_MAX)
		self->is_choked = true;
	else if (waiting <= WR_CONN_OUTPUT_BYTES_RESUME)
		self->is_choked = false;
	if (wr_http_input_has_requests(self)
		    ? !self->is_choked
		    : self->phase == WR_HTTP_PHASE_PRODUCE && waiting < WR_CONN_OUTPUT_BYTES_RESUME)
		wr_http_server_queue(server, self);
	wr_stream_want(&self->stream, server->reactor, &self->watch,
		       (wants_input(self) ? (unsigned)WR_READABLE : 0u) |
			       (wr_http_output_sendable(self) != 0 ? (unsigned)WR_WRITABLE : 0u));
}

void wr_http_conn_continue(struct wr_http_conn *self)
{
	self->is_queued = false;
	self->server->requests_left =
		self->held_count == WR_HTTP_HELD_COUNT_MAX ? 0 : WR_TURN_REQUEST_COUNT_MAX;
	if (wr_http_input_has_requests(self))
		wr_http_input_take_kept(self);
	else if (self->phase == WR_HTTP_PHASE_PRODUCE)
		wr_http_produce(self);
	wr_http_conn_settle(self);
}

static void on_ready(struct wr_watch *watch, unsigned ready)
{
	struct wr_http_conn *self = wr_container_of(watch, struct wr_http_conn, watch);

	self->server->requests_left = WR_TURN_REQUEST_COUNT_MAX;
	if (ready & WR_READABLE)
		wr_http_input_receive(self);
	wr_http_conn_settle(self);
}

/* ---- deadlines ---- */

static void sweep_head(struct wr_http_conn *self, uint32_t elapsed_ms)
{
	const struct wr_http_server_config *config = &self->server->config;
	/* Half a request must not hold up the end of the process. */
	uint32_t head_ms_max =
		self->server->is_draining ? WR_HTTP_DRAIN_REQUEST_MS_MAX : config->head_ms_max;

	if (self->is_partial && elapsed_ms > head_ms_max) {
		wr_http_input_drop(self);
		self->is_partial = false;
		wr_http_conn_fail_head(self, 408, WR_HTTP_SERVER_FAULT_TIMEOUT, WR_HTTP_FAULT_NONE);
		wr_http_conn_settle(self);
	} else if (wr_http_conn_is_idle(self) &&
		   (elapsed_ms > config->idle_ms_max || self->server->is_draining)) {
		wr_http_conn_end(self, false);
	}
}

/* Progress, not bytes: beyond its free time a body must keep a rate in every window. */
static bool body_is_slow(struct wr_http_conn *self, uint32_t elapsed_ms)
{
	uint32_t free_ms = self->server->config.body_ms_max;
	uint32_t window_ms = free_ms / RATE_WINDOW_PART + 1;
	uint32_t payload = (uint32_t)self->body.payload_bytes;
	uint64_t least = (uint64_t)elapsed_ms * WR_HTTP_BODY_BYTES_PER_SECOND_MIN / 1000;

	if (elapsed_ms <= (self->is_late ? window_ms : free_ms))
		return false;
	if (self->is_late && payload - self->mark_bytes < least)
		return true;
	self->is_late = true;
	self->since_ms = now_of(self);
	self->mark_bytes = payload;
	return false;
}

void wr_http_conn_sweep(struct wr_http_conn *self)
{
	const struct wr_http_server_config *config = &self->server->config;
	uint32_t elapsed_ms = now_of(self) - self->since_ms;

	if (wr_http_output_sendable(self) != 0 &&
	    now_of(self) - self->sent_ms > config->send_ms_max) {
		wr_http_conn_end(self, true);
		return;
	}
	switch ((enum wr_http_phase)self->phase) {
	case WR_HTTP_PHASE_HEAD:
		sweep_head(self, elapsed_ms);
		return;
	case WR_HTTP_PHASE_BODY:
		if (body_is_slow(self, elapsed_ms) ||
		    (self->server->is_draining && elapsed_ms > WR_HTTP_DRAIN_REQUEST_MS_MAX)) {
			wr_http_conn_fail(self, 408, WR_HTTP_SERVER_FAULT_TIMEOUT,
					  WR_HTTP_FAULT_NONE);
			wr_http_conn_settle(self);
		}
		return;
	case WR_HTTP_PHASE_SKIP:
		if (elapsed_ms > config->body_ms_max) {
			wr_http_conn_enter(self, WR_HTTP_PHASE_FLUSH);
			wr_http_conn_settle(self);
		}
		return;
	case WR_HTTP_PHASE_DRAIN:
		if (elapsed_ms > config->drain_ms_max)
			wr_http_conn_end(self, false);
		return;
	case WR_HTTP_PHASE_ANSWER:
	case WR_HTTP_PHASE_PRODUCE:
	case WR_HTTP_PHASE_FLUSH:
	case WR_HTTP_PHASE_GONE:
		return;
	}
	wr_unreachable();
}

/* ---- the beginning ---- */

struct wr_view wr_http_conn_refusal(struct wr_http_server *server)
{
#if WR_TLS
	if (server->config.tls != NULL)
		return wr_tls_refusal();
#endif
	return wr_http_refusal(server);
}

void wr_http_conn_refuse(struct wr_http_server *server, int fd)
{
	struct wr_view answer = wr_http_conn_refusal(server);
	struct wr_stream stream;
	struct iovec part = {.iov_len = answer.bytes};
	size_t sent;

	memcpy(&part.iov_base, &answer.data, sizeof answer.data);
	wr_stream_open(&stream, fd);
	(void)wr_stream_send(&stream, &part, 1, &sent);
	wr_stream_close(&stream, 0);
}

/* TLS begins before the first byte, where the server has it. */
static enum wr_status protect(struct wr_http_conn *self)
{
#if WR_TLS
	if (self->server->config.tls != NULL)
		return wr_tls_accept(self->server->config.tls, &self->stream);
#else
	(void)self;
#endif
	return WR_OK;
}

void wr_http_conn_new(struct wr_http_server *server, int fd, const struct wr_address *peer)
{
	struct wr_http_conn *self = wr_allocator_take_zeroed(server->allocator, sizeof *self);

	if (self == NULL) {
		wr_http_conn_refuse(server, fd);
		return;
	}
	self->server = server;
	self->watch.on_ready = on_ready;
	self->peer_bytes =
		(uint8_t)(peer->bytes < sizeof self->peer ? peer->bytes : sizeof self->peer);
	if (peer->storage.ss_family == AF_UNIX)
		self->peer_bytes = sizeof peer->storage.ss_family;
	memcpy(self->peer, &peer->storage, self->peer_bytes);
	wr_buf_init(&self->in, server->allocator, WR_HTTP_HEAD_BYTES_MAX);
	wr_buf_init(&self->out, server->allocator, SIZE_MAX);
	wr_list_init(&self->work);
	wr_list_init(&self->held);
	self->is_known = server->config.unauthenticated_count_max == 0;
	wr_list_push(self->is_known ? &server->known : &server->unknown, &self->link);
	server->count++;
	if (!self->is_known)
		server->unknown_count++;
	wr_http_conn_enter(self, WR_HTTP_PHASE_HEAD);
	wr_stream_open(&self->stream, fd);
	if (protect(self) != WR_OK ||
	    wr_stream_watch(&self->stream, server->reactor, &self->watch, WR_READABLE) != WR_OK) {
		wr_stream_forget(&self->stream);
		wr_http_conn_end(self, false);
		wr_http_conn_refuse(server, fd);
	}
}
