/*
 * relay — a TLS peer for tests that speak plaintext: what they write into a socket goes over TLS to
 * the other side, and what that says comes back. So the tests of HTTP and WebSocket connections are
 * run over TLS as they are (test_tls_*.c include them).
 *
 * It lives in the reactor of the test and has memory of its own, so that a test may count, or deny,
 * what the side under test takes. An orderly end is carried over as one, anything else as a reset.
 * What TLS does not have is half an end: after a close_notify nothing comes back. So one is told
 * only when the other side has said nothing more for a moment.
 */
#ifndef WR_TESTS_UNIT_CONN_RELAY_H
#define WR_TESTS_UNIT_CONN_RELAY_H

#include "check.h"
#include "harness/harness.h"
#include "io/memory.h"
#include "io/net/stream.h"
#include "io/tls/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RELAY_BYTES = 16384, RELAY_END_MS = 60 };

struct relay_half {
	struct wr_stream stream;
	struct wr_watch watch;
	struct relay *relay;
	char bytes[RELAY_BYTES]; /* received here, to be sent by the other half */
	size_t count, at;
	bool is_ended, is_told; /* received, and told to the other half */
};

struct relay {
	struct relay_half plain, tls;
	struct relay *next;
	struct wr_timer end; /* of the half end */
	bool is_over, is_server;
};

static struct {
	struct wr_reactor *reactor;
	struct wr_allocator allocator;
	struct wr_tls_server *server;
	struct wr_tls_client *client;
	struct relay *all;
	char key[64];
} relays;

/* ---- one relay ---- */

static inline void relay_end(struct relay *self, int reset)
{
	if (self->is_over)
		return;
	self->is_over = true; /* freed with all others: somebody may stand in it */
	wr_stream_unwatch(&self->plain.stream, relays.reactor, &self->plain.watch);
	wr_stream_unwatch(&self->tls.stream, relays.reactor, &self->tls.watch);
	wr_stream_close(&self->plain.stream, reset);
	wr_stream_close(&self->tls.stream, reset);
	wr_timer_cancel(relays.reactor, &self->end);
}

static inline void relay_on_end(struct wr_timer *timer)
{
	struct relay *self = wr_container_of(timer, struct relay, end);

	self->plain.is_told = true;
	wr_stream_shutdown(&self->tls.stream);
}

/* Takes what `from` has on to `to`; false when the relay is over. */
static inline bool relay_move(struct relay_half *from, struct relay_half *to)
{
	enum wr_status status = WR_OK;

	while (status == WR_OK) {
		struct iovec part = {from->bytes + from->at, from->count - from->at};
		size_t moved;
		if (part.iov_len != 0) {
			status = wr_stream_send(&to->stream, &part, 1, &moved);
			from->at += moved;
		} else if (from->is_ended) {
			if (from == &from->relay->plain && !from->is_told &&
			    !from->relay->is_server) {
				CHECK_STATUS(wr_timer_set(relays.reactor, &from->relay->end,
							  RELAY_END_MS),
					     WR_OK);
			} else if (!from->is_told) {
				from->is_told = true;
				wr_stream_shutdown(&to->stream);
			}
			break;
		} else {
			from->at = 0;
			errno = 0;
			status = wr_stream_receive(&from->stream, from->bytes, RELAY_BYTES,
						   &from->count);
			if (status == WR_CLOSED && errno == 0) {
				from->is_ended = true;
				status = WR_OK;
			}
		}
	}
	if (status == WR_CLOSED)
		relay_end(from->relay, 1);
	return status != WR_CLOSED;
}

static inline unsigned relay_wants(const struct relay_half *self, const struct relay_half *other)
{
	unsigned wanted = 0;

	if (self->count == self->at && !self->is_ended)
		wanted |= WR_READABLE;
	if (other->count != other->at)
		wanted |= WR_WRITABLE;
	return wanted;
}

static inline void relay_on_ready(struct wr_watch *watch, unsigned ready)
{
	struct relay_half *half = wr_container_of(watch, struct relay_half, watch);
	struct relay *self = half->relay;
	struct relay_half *plain = &self->plain, *tls = &self->tls;

	(void)ready;
	/* What came counts before whether more can be sent. */
	if (!relay_move(tls, plain))
		return;
	/* A close_notify is an end of both ways; what is still said is dropped. */
	if (tls->is_told) {
		wr_stream_unwatch(&tls->stream, relays.reactor, &tls->watch);
		wr_stream_close(&tls->stream, 0);
		wr_timer_cancel(relays.reactor, &self->end);
		plain->at = plain->count = 0;
		while (wr_stream_receive(&plain->stream, plain->bytes, RELAY_BYTES,
					 &plain->count) == WR_OK)
			;
		plain->count = 0;
		return;
	}
	if (!relay_move(plain, tls))
		return;
	wr_stream_want(&plain->stream, relays.reactor, &plain->watch, relay_wants(plain, tls));
	wr_stream_want(&tls->stream, relays.reactor, &tls->watch, relay_wants(tls, plain));
}

/* Puts a relay behind the connected descriptor; returns the one to be used in its place. -1: TLS
 * would not have it. */
static inline int relay_over(int fd, bool is_server, int receive_bytes)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t bytes = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), near = socket(AF_INET, SOCK_STREAM, 0);
	struct relay *self = calloc(1, sizeof *self);
	enum wr_status status;

	CHECK(self != NULL && listener >= 0 && near >= 0);
	CHECK(bind(listener, (struct sockaddr *)&address, bytes) == 0 && listen(listener, 1) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&address, &bytes) == 0);
	if (receive_bytes != 0)
		CHECK(setsockopt(near, SOL_SOCKET, SO_RCVBUF, &receive_bytes,
				 sizeof receive_bytes) == 0);
	CHECK(connect(near, (struct sockaddr *)&address, bytes) == 0);
	wr_stream_open(&self->plain.stream, accept(listener, NULL, NULL));
	wr_stream_open(&self->tls.stream, fd);
	close(listener);
	self->plain.relay = self->tls.relay = self;
	self->end.on_due = relay_on_end;
	self->plain.watch.on_ready = self->tls.watch.on_ready = relay_on_ready;
	self->is_server = is_server;
	self->next = relays.all;
	relays.all = self;
	status = is_server ? wr_tls_accept(relays.server, &self->tls.stream)
			   : wr_tls_connect(relays.client, &self->tls.stream, "localhost");
	CHECK_STATUS(status, WR_OK);
	CHECK_STATUS(wr_stream_watch(&self->plain.stream, relays.reactor, &self->plain.watch,
				     WR_READABLE),
		     WR_OK);
	CHECK_STATUS(
		wr_stream_watch(&self->tls.stream, relays.reactor, &self->tls.watch, WR_READABLE),
		WR_OK);
	return near;
}

/* ---- both sides ---- */

static inline void relay_remove_key(void)
{
	unlink(relays.key);
}

static inline struct wr_tls_server *relay_make_server(struct wr_reactor *reactor,
						      struct wr_allocator *allocator)
{
	struct wr_view key = wr_test_read_file("tests/fixtures/tls/ec.key");
	struct wr_tls_server_config config;
	struct wr_buf message;
	char storage[256];
	int fd;

	wr_tls_server_defaults(&config);
	config.certificate_file = "tests/fixtures/tls/ec.pem";
	config.connection_count_max = config.handshake_count_max = UINT32_MAX;
	if (relays.key[0] == '\0') {
		memcpy(relays.key, "/tmp/wr-relay-XXXXXX", sizeof "/tmp/wr-relay-XXXXXX");
		fd = mkstemp(relays.key);
		CHECK(fd >= 0 && write(fd, key.data, key.bytes) == (ssize_t)key.bytes);
		close(fd);
		atexit(relay_remove_key);
	}
	config.key_file = relays.key;
	wr_buf_init_fixed(&message, storage, sizeof storage);
	return wr_tls_server_new(reactor, allocator, &config, &message);
}

static inline struct wr_tls_client *relay_make_client(struct wr_reactor *reactor,
						      struct wr_allocator *allocator)
{
	struct wr_tls_client_config config;
	struct wr_buf message;
	char storage[256];

	wr_tls_client_defaults(&config);
	config.ca_file = "tests/fixtures/tls/ca.pem";
	wr_buf_init_fixed(&message, storage, sizeof storage);
	return wr_tls_client_new(reactor, allocator, &config, &message);
}

static inline void relays_open(struct wr_reactor *reactor)
{
	relays.reactor = reactor;
	wr_memory_init(&relays.allocator, SIZE_MAX);
	relays.server = relay_make_server(reactor, &relays.allocator);
	relays.client = relay_make_client(reactor, &relays.allocator);
	CHECK(relays.server != NULL && relays.client != NULL);
}

static inline void relays_close(void)
{
	while (relays.all != NULL) {
		struct relay *next = relays.all->next;
		relay_end(relays.all, 1);
		free(relays.all);
		relays.all = next;
	}
	wr_tls_client_free(relays.client);
	wr_tls_server_free(relays.server);
	CHECK_U64(relays.allocator.used, 0);
}

#endif
