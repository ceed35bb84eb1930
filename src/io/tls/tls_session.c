/*
 * One TLS connection: between the user of the stream, the engine, and the socket.
 *
 *	user  --send-->  | plaintext  |            | records |  --send-->  socket
 *	      <-receive- | up to 16 K |   engine   |         |  <--recv--
 *
 * The socket is watched by the connection itself, for as long as it lives; the user's watch is only
 * remembered, and called by us. So a stream may be moved while nobody watches it, a record that was
 * begun leaves although its user wants nothing, and plaintext that lies in the engine is told
 * although the socket has nothing to tell (by the hub, at the end of a turn).
 *
 * The engine takes no input while plaintext waits in it, and makes no record while another is to be
 * sent; it never blocks one direction for the other, as its two buffers are apart.
 *
 * A peer that takes no more may have said why before: then input is read to its end (is_deaf).
 *
 * Whoever calls the user counts itself in `depth`; the user may close the stream and free all that
 * is his from within, the block stays until the last has stepped out.
 */
#include "check.h"
#include "io/descriptor.h"
#include "io/log.h"
#include "io/tls/tls_private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/* Of one send: some 10 ms on a slow board. */
	SEND_BYTES_MAX = 131072,
	/* Records of one receive that say little or nothing. */
	RECEIVE_RECORDS_MAX = 16,
	/* A record with that much is probably followed by another one. */
	LONG_RECORD_BYTES = 4096,
	/* Dropped in one go after a shutdown. */
	DROP_COUNT_MAX = 4,
#ifdef MSG_NOSIGNAL
	SEND_FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL
#else
	SEND_FLAGS = MSG_DONTWAIT /* SO_NOSIGPIPE, by wr_stream_open */
#endif
};

static const char cut_fault[] = "the connection was cut: it ended without close_notify";
static const char early_fault[] = "the peer ended the connection during the handshake";

/* ---- the end ---- */

static void leave_handshake(struct wr_tls *self)
{
	struct wr_tls_hub *hub = self->hub;

	wr_list_remove(&self->place);
	hub->counts.handshake_count--;
	hub->release(hub, self);
	if (self->judge != NULL)
		wr_allocator_free(hub->allocator, self->judge, sizeof *self->judge);
	self->judge = NULL;
	br_ssl_engine_set_x509(self->engine, NULL);
}

/* A peer that is merely gone is no news. */
static void log_end(const struct wr_tls *self)
{
	bool is_shaking = self->state == WR_TLS_SHAKING;

	if (self->hub->is_logged && self->fault != NULL && (is_shaking || self->os_error == EPROTO))
		WR_LOG(WR_LOG_INFO, is_shaking ? "tls_handshake_failed" : "tls_failed",
		       WR_LOG_TEXT("fault", wr_view_of_string(self->fault)),
		       WR_LOG_NUMBER("os_error", self->os_error));
}

/* Nothing goes in or out from here on. */
static void end(struct wr_tls *self, const char *fault, int os_error)
{
	struct wr_tls_hub *hub = self->hub;

	if (self->state == WR_TLS_CLOSED)
		return;
	self->fault = fault;
	self->os_error = os_error;
	log_end(self);
	if (self->state == WR_TLS_SHAKING) {
		leave_handshake(self);
		hub->counts.failed_count++;
	}
	wr_list_remove(&self->place);
	wr_list_remove(&self->work);
	wr_reactor_unwatch(hub->reactor, &self->watch);
	self->state = WR_TLS_CLOSED;
}

/* After anything the engine was given: whether it is closed. */
static void look(struct wr_tls *self)
{
	unsigned error;

	if (br_ssl_engine_current_state(self->engine) != BR_SSL_CLOSED)
		return;
	error = (unsigned)br_ssl_engine_last_error(self->engine);
	if (error != 0)
		end(self, wr_tls_error_text(error), EPROTO);
	else
		end(self, self->state == WR_TLS_SHAKING ? early_fault : NULL, 0);
}

static void close_socket(struct wr_tls *self)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (self->is_reset)
		(void)setsockopt(self->watch.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	else /* what nobody has read would turn the end into a reset */
		(void)recv(self->watch.fd, self->in, WR_TLS_IN_BYTES, MSG_DONTWAIT);
	close(self->watch.fd);
}

static void destroy(struct wr_tls *self)
{
	struct wr_tls_hub *hub = self->hub;

	wr_assert(self->user == NULL && self->judge == NULL);
	wr_list_remove(&self->work); /* it may have been about to tell of its end */
	close_socket(self);
	hub->counts.connection_count--;
	/* Keys, and what was said: the next to have this memory is not to find them. */
	memset((void *)self, 0, hub->block_bytes);
	wr_allocator_free(hub->allocator, self, hub->block_bytes);
}

/* ---- what is awaited ---- */

static bool has_plaintext(const struct wr_tls *self)
{
	size_t bytes;

	return self->state == WR_TLS_OPEN &&
	       br_ssl_engine_recvapp_buf(self->engine, &bytes) != NULL;
}

static bool has_records(const struct wr_tls *self)
{
	size_t bytes;

	return !self->is_deaf && br_ssl_engine_sendrec_buf(self->engine, &bytes) != NULL;
}

static bool takes_records(const struct wr_tls *self)
{
	size_t bytes;

	return br_ssl_engine_recvrec_buf(self->engine, &bytes) != NULL;
}

static unsigned wants_of_socket(const struct wr_tls *self)
{
	unsigned user = self->user != NULL ? self->user->wanted : 0u, wanted = 0;

	if (has_records(self))
		wanted |= WR_WRITABLE;
	switch ((enum wr_tls_state)self->state) {
	case WR_TLS_SHAKING:
		return wanted | (takes_records(self) ? (unsigned)WR_READABLE : 0u);
	case WR_TLS_OPEN:
		if (((user & WR_READABLE) != 0 || self->is_deaf) && takes_records(self))
			wanted |= WR_READABLE;
		return wanted | (self->is_deaf ? 0u : user & WR_WRITABLE);
	case WR_TLS_ENDING:
		return wanted | (user & WR_READABLE);
	case WR_TLS_LINGERING:
		return wanted;
	case WR_TLS_CLOSED:
		return 0;
	}
	wr_unreachable();
}

/* What the user wants and can have, as far as no event of the socket has to tell. */
static unsigned wants_met(const struct wr_tls *self)
{
	unsigned wanted = self->user != NULL ? self->user->wanted : 0u;

	if (self->state == WR_TLS_CLOSED)
		return wanted;
	if (self->state == WR_TLS_SHAKING)
		return 0;
	/* Room there is none any more: the next send says so. */
	return wanted & ((has_plaintext(self) ? (unsigned)WR_READABLE : 0u) |
			 (self->is_deaf ? (unsigned)WR_WRITABLE : 0u));
}

static void end_of_input(struct wr_tls *self, int os_error)
{
	if (os_error == 0 && self->is_deaf)
		os_error = self->os_error;
	if (self->state == WR_TLS_SHAKING)
		end(self, early_fault, os_error);
	else
		end(self, cut_fault, os_error != 0 ? os_error : ECONNRESET);
}

/* Nobody takes what the engine has to say before it reads on: an answer to close_notify, or what is
 * in front of that. So nothing would ever be told of the peer any more. */
static bool is_stuck(const struct wr_tls *self)
{
	return self->is_deaf && (self->state == WR_TLS_SHAKING || self->state == WR_TLS_OPEN) &&
	       !has_plaintext(self) && !takes_records(self);
}

/* After anything that may have changed it. */
static void update(struct wr_tls *self)
{
	if (is_stuck(self) && self->engine->shutdown_recv)
		end(self, NULL, 0); /* the peer did say that it ends */
	else if (is_stuck(self))
		end_of_input(self, 0);
	if (self->state != WR_TLS_CLOSED)
		wr_reactor_want(self->hub->reactor, &self->watch, wants_of_socket(self));
	if (wants_met(self) != 0)
		wr_tls_hub_call(self->hub, self);
}

static void step_in(struct wr_tls *self)
{
	self->depth++;
}

static void step_out(struct wr_tls *self)
{
	wr_assert(self->depth > 0);
	if (--self->depth != 0)
		return;
	if (self->is_left && self->state == WR_TLS_CLOSED)
		destroy(self);
	else
		update(self);
}

static void call_user(struct wr_tls *self, unsigned ready)
{
	struct wr_watch *user = self->user;

	ready &= user != NULL ? user->wanted : 0u;
	if (ready != 0)
		user->on_ready(user, ready);
}

/* ---- records ---- */

static bool is_alive(const struct wr_tls *self)
{
	return self->state != WR_TLS_CLOSED;
}

/* Sends what there is. True: all of it, or the peer takes none any more. */
static bool send_records(struct wr_tls *self)
{
	while (is_alive(self) && !self->is_deaf) {
		size_t bytes;
		unsigned char *records = br_ssl_engine_sendrec_buf(self->engine, &bytes);
		ssize_t n;
		if (records == NULL)
			return true;
		n = send(self->watch.fd, records, bytes, SEND_FLAGS);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && wr_descriptor_is_again(errno))
			return false;
		if (n < 0) {
			self->is_deaf = true;
			self->os_error = errno;
		} else {
			br_ssl_engine_sendrec_ack(self->engine, (size_t)n);
			look(self);
		}
	}
	return true;
}

/* Receives what one record still needs, and no more: the rest stays in the kernel, which tells of
 * it again. */
static void receive_record(struct wr_tls *self)
{
	for (unsigned i = 0; i < 2 && is_alive(self); i++) { /* its head, then its content */
		size_t room;
		unsigned char *to = br_ssl_engine_recvrec_buf(self->engine, &room);
		ssize_t n;
		if (to == NULL)
			return;
		do
			n = recv(self->watch.fd, to, room, MSG_DONTWAIT);
		while (n < 0 && errno == EINTR);
		if (n < 0 && wr_descriptor_is_again(errno))
			return;
		if (n <= 0) {
			end_of_input(self, n < 0 ? errno : 0);
			return;
		}
		self->is_heard = true;
		br_ssl_engine_recvrec_ack(self->engine, (size_t)n);
		look(self);
		if ((size_t)n < room)
			return;
	}
}

/* ---- the handshake ---- */

static bool is_done(const struct wr_tls *self)
{
	size_t bytes;

	return br_ssl_engine_sendapp_buf(self->engine, &bytes) != NULL;
}

void wr_tls_step(struct wr_tls *self)
{
	wr_assert(self->state == WR_TLS_SHAKING);
	step_in(self);
	if (send_records(self))
		receive_record(self);
	(void)send_records(self);
	if (self->state == WR_TLS_SHAKING && is_done(self)) {
		leave_handshake(self);
		self->state = WR_TLS_OPEN;
		self->hub->counts.opened_count++;
	}
	if (!is_alive(self))
		call_user(self, wants_met(self));
	step_out(self);
}

/* ---- after a shutdown, or without a user ---- */

/* The records are out, or nobody takes them. */
static void end_output(struct wr_tls *self)
{
	if (self->state == WR_TLS_LINGERING) {
		end(self, NULL, 0);
	} else if (self->state == WR_TLS_ENDING && !self->is_shut) {
		self->is_shut = true;
		(void)shutdown(self->watch.fd, SHUT_WR);
	}
}

/* Says goodbye behind all that was sent. What the peer has said and nobody has read is dropped:
 * the engine would wait for it to be taken. */
static void say_end(struct wr_tls *self)
{
	size_t bytes;

	while (br_ssl_engine_recvapp_buf(self->engine, &bytes) != NULL)
		br_ssl_engine_recvapp_ack(self->engine, bytes);
	br_ssl_engine_close(self->engine);
	self->state = WR_TLS_ENDING;
}

/* Input after our close_notify counts for nothing but its end. */
static void drop_input(struct wr_tls *self)
{
	for (unsigned i = 0; i < DROP_COUNT_MAX; i++) {
		ssize_t n = recv(self->watch.fd, self->in, WR_TLS_IN_BYTES, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && wr_descriptor_is_again(errno))
			return;
		if (n <= 0) {
			end(self, NULL, n < 0 ? errno : 0);
			return;
		}
	}
}

/* ---- events ---- */

static void on_open_ready(struct wr_tls *self, unsigned ready)
{
	bool has_room = true;

	if (ready & WR_WRITABLE)
		has_room = send_records(self);
	if ((ready & WR_READABLE) && !has_plaintext(self)) {
		receive_record(self);
		has_room = send_records(self) && has_room; /* an answer to close_notify */
	}
	call_user(self, wants_met(self) | (has_room ? ready & WR_WRITABLE : 0u));
}

static void on_ready(struct wr_watch *watch, unsigned ready)
{
	struct wr_tls *self = wr_container_of(watch, struct wr_tls, watch);

	if (self->state == WR_TLS_SHAKING) {
		wr_tls_hub_shake(self->hub, self);
		return;
	}
	step_in(self);
	if (self->state == WR_TLS_OPEN) {
		on_open_ready(self, ready);
	} else {
		if ((ready & WR_WRITABLE) && send_records(self))
			end_output(self);
		if ((ready & WR_READABLE) && is_alive(self))
			drop_input(self);
		call_user(self, wants_met(self));
	}
	step_out(self);
}

void wr_tls_call(struct wr_tls *self)
{
	step_in(self);
	call_user(self, wants_met(self));
	step_out(self);
}

void wr_tls_expire(struct wr_tls *self, const char *fault)
{
	step_in(self);
	self->is_reset = self->state == WR_TLS_LINGERING;
	end(self, fault, ETIMEDOUT);
	call_user(self, wants_met(self));
	step_out(self);
}

void wr_tls_cut(struct wr_tls *self)
{
	wr_assert(self->is_left && self->depth == 0);
	self->is_reset = true;
	end(self, NULL, 0);
	destroy(self);
}

/* ---- the user's calls ---- */

static enum wr_status closed(const struct wr_tls *self)
{
	errno = self->os_error;
	if (self->fault != NULL && self->os_error == 0)
		errno = EPROTO;
	return WR_CLOSED;
}

enum wr_status wr_tls_receive(struct wr_tls *self, void *to, size_t room, size_t *got)
{
	unsigned char *place = to;
	size_t last = LONG_RECORD_BYTES;

	wr_assert(room > 0);
	*got = 0;
	for (unsigned records = 0; *got < room && records <= RECEIVE_RECORDS_MAX;) {
		size_t bytes = 0;
		const unsigned char *plain =
			self->state == WR_TLS_OPEN ? br_ssl_engine_recvapp_buf(self->engine, &bytes)
						   : NULL;
		if (plain != NULL) {
			last = bytes < room - *got ? bytes : room - *got;
			memcpy(place + *got, plain, last);
			br_ssl_engine_recvapp_ack(self->engine, last);
			*got += last;
		} else if (self->state == WR_TLS_OPEN && last >= LONG_RECORD_BYTES) {
			records++;
			last = 0;
			receive_record(self);
			(void)send_records(self);
			if (!has_plaintext(self))
				break;
		} else {
			break;
		}
	}
	update(self);
	if (*got != 0)
		return WR_OK;
	return is_alive(self) ? WR_MORE : closed(self);
}

/* Gives the engine as much of the part as the socket lets it have. */
static size_t send_part(struct wr_tls *self, const unsigned char *data, size_t bytes)
{
	size_t at = 0;

	while (at < bytes) {
		size_t room;
		unsigned char *to = br_ssl_engine_sendapp_buf(self->engine, &room);
		if (to == NULL) {
			if (!send_records(self) || self->state != WR_TLS_OPEN || self->is_deaf)
				break;
			to = br_ssl_engine_sendapp_buf(self->engine, &room);
			if (to == NULL)
				break;
		}
		if (room > bytes - at)
			room = bytes - at;
		memcpy(to, data + at, room);
		br_ssl_engine_sendapp_ack(self->engine, room);
		at += room;
	}
	return at;
}

enum wr_status wr_tls_send(struct wr_tls *self, const struct iovec *parts, int count, size_t *sent)
{
	wr_assert(count > 0);
	*sent = 0;
	if (self->state == WR_TLS_SHAKING)
		return WR_MORE;
	if (self->state != WR_TLS_OPEN || self->is_deaf)
		return WR_CLOSED;
	for (int i = 0; i < count && *sent < SEND_BYTES_MAX; i++) {
		size_t bytes = parts[i].iov_len, done;
		if (bytes > SEND_BYTES_MAX - *sent)
			bytes = SEND_BYTES_MAX - *sent;
		done = send_part(self, parts[i].iov_base, bytes);
		*sent += done;
		if (done != parts[i].iov_len)
			break;
	}
	if (self->state == WR_TLS_OPEN)
		br_ssl_engine_flush(self->engine, 0);
	(void)send_records(self);
	update(self);
	if (*sent != 0)
		return WR_OK;
	return self->state == WR_TLS_OPEN && !self->is_deaf ? WR_MORE : WR_CLOSED;
}

void wr_tls_watch(struct wr_tls *self, struct wr_watch *watch, unsigned wanted)
{
	wr_assert(self->user == NULL && watch->on_ready != NULL && !watch->is_watched);
	self->user = watch;
	watch->fd = self->watch.fd;
	watch->wanted = (uint8_t)wanted;
	update(self);
}

void wr_tls_want(struct wr_tls *self, struct wr_watch *watch, unsigned wanted)
{
	/* As for a plain stream: harmless when it is not watched. */
	if (self->user != watch || watch->wanted == wanted)
		return;
	watch->wanted = (uint8_t)wanted;
	update(self);
}

void wr_tls_unwatch(struct wr_tls *self, struct wr_watch *watch)
{
	if (self->user != watch)
		return;
	self->user = NULL;
	watch->wanted = 0;
	update(self);
}

enum wr_status wr_tls_connected(const struct wr_tls *self, int *os_error)
{
	*os_error = 0;
	if (self->state == WR_TLS_SHAKING)
		return WR_MORE;
	if (is_alive(self))
		return WR_OK;
	/* Of the socket, and not of what was said over it. */
	*os_error = self->os_error == EPROTO ? 0 : self->os_error;
	return WR_IO;
}

const char *wr_tls_fault(const struct wr_tls *self)
{
	return self->fault;
}

void wr_tls_shutdown(struct wr_tls *self)
{
	if (self->state == WR_TLS_SHAKING) {
		end(self, "the connection was given up during the handshake", ECONNABORTED);
	} else if (self->state == WR_TLS_OPEN) {
		say_end(self);
		if (send_records(self))
			end_output(self);
	}
	update(self);
}

/* Whether records are left that the peer may yet take. */
static bool lingers(struct wr_tls *self)
{
	if (self->state == WR_TLS_OPEN)
		say_end(self);
	if (send_records(self) || !is_alive(self))
		return false;
	self->state = WR_TLS_LINGERING;
	if (!wr_tls_hub_await(self->hub, &self->hub->lingering, self, WR_TLS_LINGER_MS_MAX))
		return false;
	self->hub->counts.lingered_count++;
	return true;
}

void wr_tls_close(struct wr_tls *self, int reset)
{
	wr_assert(!self->is_left);
	step_in(self);
	if (self->user != NULL)
		self->user->wanted = 0;
	self->user = NULL;
	self->is_left = true;
	self->is_reset = reset != 0;
	if (reset || (self->state != WR_TLS_OPEN && self->state != WR_TLS_ENDING) || !lingers(self))
		end(self, self->fault, self->os_error);
	step_out(self);
}

enum wr_status wr_tls_begin(struct wr_tls *self, struct wr_tls_hub *hub,
			    br_ssl_engine_context *engine, unsigned char *in,
			    struct wr_stream *stream)
{
	enum wr_status status;

	self->watch.on_ready = on_ready;
	self->hub = hub;
	self->engine = engine;
	self->in = in;
	self->state = WR_TLS_SHAKING;
	wr_list_init(&self->place);
	wr_list_init(&self->work);
	if (!wr_tls_hub_await(hub, &hub->shaking, self, hub->handshake_ms_max))
		return WR_NO_MEMORY;
	status = wr_reactor_watch(hub->reactor, &self->watch, stream->fd, wants_of_socket(self));
	if (status != WR_OK) {
		wr_list_remove(&self->place);
		return status;
	}
	hub->counts.connection_count++;
	hub->counts.handshake_count++;
	stream->tls = self;
	return WR_OK;
}
