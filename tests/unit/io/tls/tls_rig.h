/*
 * tls_rig — both ends of a TLS connection in one reactor, with a wire between them that the test
 * holds in its hand: it carries what it is told to, cuts where it is told to, and counts.
 *
 * The keys of tests/fixtures/tls are copied with the mode that a key must have. Each test runs in a
 * process of its own, so there is one rig, in static storage.
 */
#ifndef WR_TESTS_UNIT_IO_TLS_RIG_H
#define WR_TESTS_UNIT_IO_TLS_RIG_H

#include "check.h"
#include "io/net/connect.h"
#include "io/tls/tls.h"
#include "unit/io/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { WIRE_BYTES = 65536, STORE_BYTES = 1 << 21, EVERYTHING = 1 << 30 };

/* One user of a stream. */
struct end {
	struct wr_stream stream;
	struct wr_watch watch;
	size_t room;	   /* of one receive */
	unsigned wants;	   /* what it is watched for, WR_WRITABLE aside */
	char *got;	   /* STORE_BYTES */
	size_t got_bytes;  /* and their end: */
	bool is_ended;	   /* WR_CLOSED came */
	bool is_orderly;   /* without errno */
	const char *fault; /* then */
	const char *out;   /* what is to be sent */
	size_t out_bytes, sent_bytes;
	bool is_refused;				   /* a send said WR_CLOSED */
	unsigned call_count;				   /* of the watch */
	void (*on_call)(struct end *self, unsigned ready); /* in place of what is usual */
};

static struct rig {
	struct wr_reactor reactor;
	struct wr_tls_server_config server_config;
	struct wr_tls_client_config client_config;
	struct wr_tls_server *server;
	struct wr_tls_client *client;
	struct end a, b;       /* client's, server's */
	int wire_a, wire_b;    /* other ends of their sockets */
	struct wr_buf message; /* of what was refused */
	char folder[64];
	char paths[64][160];
	unsigned path_count;
} rig;

/* ---- files ---- */

static inline const char *fixture(const char *name)
{
	char *path = rig.paths[rig.path_count++ % WR_COUNT(rig.paths)];

	snprintf(path, sizeof rig.paths[0], "tests/fixtures/tls/%s", name);
	return path;
}

static inline void remove_folder(void)
{
	static const char *const names[] = {"rsa.key", "ec.key", "file.key", "file.pem"};

	if (rig.folder[0] == '\0')
		return;
	for (size_t i = 0; i < WR_COUNT(names); i++) {
		char path[128];
		snprintf(path, sizeof path, "%s/%s", rig.folder, names[i]);
		unlink(path);
	}
	rmdir(rig.folder);
}

/* A file of ours, with that content and mode. */
static inline const char *write_file(const char *name, struct wr_view content, mode_t mode)
{
	char *path = rig.paths[rig.path_count++ % WR_COUNT(rig.paths)];
	int fd;

	if (rig.folder[0] == '\0') {
		snprintf(rig.folder, sizeof rig.folder, "/tmp/wr-tls-XXXXXX");
		wr_test_make_folder(rig.folder);
		atexit(remove_folder);
	}
	snprintf(path, sizeof rig.paths[0], "%s/%s", rig.folder, name);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0 && write(fd, content.data, content.bytes) == (ssize_t)content.bytes);
	CHECK(fchmod(fd, mode) == 0 && close(fd) == 0);
	return path;
}

/* A private copy of a key. */
static inline const char *key_file(const char *name)
{
	return write_file("file.key", wr_test_read_file(fixture(name)), 0600);
}

/* ---- both sides ---- */

static inline void rig_message(struct wr_buf *message)
{
	static char storage[512];

	wr_buf_init_fixed(message, storage, sizeof storage);
}

static inline void open_server(const char *identity)
{
	char name[64];

	snprintf(name, sizeof name, "%s.pem", identity);
	rig.server_config.certificate_file = fixture(name);
	snprintf(name, sizeof name, "%s.key", identity);
	rig.server_config.key_file = key_file(name);
	rig_message(&rig.message);
	rig.server = wr_tls_server_new(&rig.reactor, wr_test_allocator(), &rig.server_config,
				       &rig.message);
	if (rig.server == NULL)
		fprintf(stderr, "%.*s\n", (int)rig.message.bytes, rig.message.data);
	CHECK(rig.server != NULL);
}

static inline void open_client(void)
{
	rig_message(&rig.message);
	rig.client = wr_tls_client_new(&rig.reactor, wr_test_allocator(), &rig.client_config,
				       &rig.message);
	if (rig.client == NULL)
		fprintf(stderr, "%.*s\n", (int)rig.message.bytes, rig.message.data);
	CHECK(rig.client != NULL);
}

/* A reactor, and configs that only want their files. */
static inline void open_rig(void)
{
	struct wr_error error;

	CHECK_STATUS(wr_reactor_init(&rig.reactor, wr_test_allocator(), &error), WR_OK);
	wr_tls_server_defaults(&rig.server_config);
	wr_tls_client_defaults(&rig.client_config);
	rig.client_config.ca_file = fixture("ca.pem");
	rig.a.stream.fd = rig.b.stream.fd = rig.wire_a = rig.wire_b = -1;
}

/* The usual: an EC server, and a client that trusts its CA. */
static inline void open_usual(void)
{
	open_rig();
	open_server("ec");
	open_client();
}

/* ---- ends ---- */

static inline void end_update(struct end *self)
{
	if (self->watch.on_ready == NULL || self->stream.fd < 0)
		return;
	wr_stream_want(&self->stream, &rig.reactor, &self->watch,
		       (self->is_ended ? 0u : self->wants) |
			       (self->sent_bytes < self->out_bytes && !self->is_refused
					? (unsigned)WR_WRITABLE
					: 0u));
}

static inline void end_receive(struct end *self)
{
	size_t room = STORE_BYTES - self->got_bytes, got;
	enum wr_status status;

	if (room > self->room)
		room = self->room;
	CHECK(room > 0);
	errno = 0;
	status = wr_stream_receive(&self->stream, self->got + self->got_bytes, room, &got);
	self->got_bytes += got;
	CHECK((status == WR_OK) == (got > 0));
	if (status == WR_CLOSED) {
		self->is_ended = true;
		self->is_orderly = errno == 0;
		self->fault = wr_stream_fault(&self->stream);
	}
}

static inline void end_send(struct end *self)
{
	/* In three parts, as who sends frames does. */
	size_t bytes = self->out_bytes - self->sent_bytes, third = bytes / 3, sent;
	struct iovec parts[3];
	enum wr_status status;

	for (unsigned i = 0; i < 3; i++) {
		const char *from = self->out + self->sent_bytes + i * third;
		memcpy(&parts[i].iov_base, &from, sizeof from);
		parts[i].iov_len = i < 2 ? third : bytes - 2 * third;
	}
	status = wr_stream_send(&self->stream, parts, 3, &sent);
	CHECK(sent <= bytes && (status == WR_OK) == (sent > 0));
	self->sent_bytes += sent;
	self->is_refused = self->is_refused || status == WR_CLOSED;
}

static inline void end_on_ready(struct wr_watch *watch, unsigned ready)
{
	struct end *self = wr_container_of(watch, struct end, watch);

	self->call_count++;
	CHECK((ready & ~(unsigned)watch->wanted) == 0 && ready != 0);
	if (self->on_call != NULL) {
		self->on_call(self, ready);
		return;
	}
	if (ready & WR_READABLE)
		end_receive(self);
	if ((ready & WR_WRITABLE) && self->sent_bytes < self->out_bytes)
		end_send(self);
	end_update(self);
}

static inline void end_open(struct end *self, int fd)
{
	if (self->got == NULL)
		self->got = malloc(STORE_BYTES);
	CHECK(self->got != NULL);
	self->got_bytes = self->sent_bytes = self->call_count = 0;
	self->is_ended = self->is_orderly = self->is_refused = false;
	self->fault = NULL;
	if (self->room == 0)
		self->room = WIRE_BYTES;
	if (self->wants == 0)
		self->wants = WR_READABLE;
	self->watch.on_ready = end_on_ready;
	wr_stream_open(&self->stream, fd);
}

static inline void end_watch(struct end *self)
{
	CHECK_STATUS(
		wr_stream_watch(&self->stream, &rig.reactor, &self->watch,
				self->wants | (self->out_bytes != 0 ? (unsigned)WR_WRITABLE : 0u)),
		WR_OK);
}

static inline void end_close(struct end *self, int reset)
{
	wr_stream_unwatch(&self->stream, &rig.reactor, &self->watch);
	wr_stream_close(&self->stream, reset);
}

/* ---- the wire ---- */

static inline void set_buffers(int fd, int bytes)
{
	CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0);
}

/* Both sockets, with the wire in the test's hand between them. */
static inline void open_wire(int fds[2])
{
	int pair[2];

	open_pair(pair);
	fds[0] = pair[0];
	rig.wire_a = pair[1];
	open_pair(pair);
	fds[1] = pair[0];
	rig.wire_b = pair[1];
}

/* Carries up to `bytes_max` bytes that way, and what an end is there; returns how many. */
static inline size_t carry(int *from, int *to, size_t bytes_max)
{
	static char bytes[WIRE_BYTES];
	ssize_t n, sent;

	if (*from < 0 || *to < 0 || bytes_max == 0)
		return 0;
	n = recv(*from, bytes, bytes_max < sizeof bytes ? bytes_max : sizeof bytes,
		 MSG_DONTWAIT | MSG_PEEK);
	if (n == 0)
		shutdown(*to, SHUT_WR);
	if (n <= 0)
		return 0;
	sent = send(*to, bytes, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent <= 0)
		return 0;
	CHECK(recv(*from, bytes, (size_t)sent, 0) == sent);
	return (size_t)sent;
}

static inline void turn(void)
{
	wr_reactor_turn(&rig.reactor, 0);
}

static inline void turns(unsigned count)
{
	while (count-- != 0)
		turn();
}

/* Turns, and carries at most `piece` bytes each way between two turns, until nothing has moved for
 * some turns, or `is_done` says so. */
static inline void run(size_t piece, bool (*is_done)(void))
{
	for (unsigned still = 0; still < 8 && !(is_done != NULL && is_done()); still++) {
		turn();
		if (carry(&rig.wire_a, &rig.wire_b, piece) +
			    carry(&rig.wire_b, &rig.wire_a, piece) !=
		    0)
			still = 0;
		if (rig.reactor.again)
			still = 0;
	}
}

/* ---- a connection ---- */

/* Both ends over the wire, watched; the handshake has not begun. */
static inline void open_ends(const char *name)
{
	int fds[2];

	open_wire(fds);
	end_open(&rig.a, fds[0]);
	end_open(&rig.b, fds[1]);
	CHECK_STATUS(wr_tls_accept(rig.server, &rig.b.stream), WR_OK);
	CHECK_STATUS(wr_tls_connect(rig.client, &rig.a.stream, name), WR_OK);
	end_watch(&rig.a);
	end_watch(&rig.b);
}

static inline bool is_open(void)
{
	return wr_tls_server_counts(rig.server)->opened_count != 0 &&
	       wr_tls_client_counts(rig.client)->opened_count != 0;
}

/* The handshake done. */
static inline void open_connection(void)
{
	open_ends("localhost");
	run(EVERYTHING, is_open);
	CHECK(is_open());
}

static inline void close_wire(void)
{
	if (rig.wire_a >= 0)
		close(rig.wire_a);
	if (rig.wire_b >= 0)
		close(rig.wire_b);
	rig.wire_a = rig.wire_b = -1;
}

static inline void close_connection(void)
{
	end_close(&rig.a, 0);
	end_close(&rig.b, 0);
	close_wire();
}

static inline void close_rig(void)
{
	close_connection();
	turn();
	if (rig.client != NULL)
		wr_tls_client_free(rig.client);
	if (rig.server != NULL)
		wr_tls_server_free(rig.server);
	free(rig.a.got);
	free(rig.b.got);
	wr_reactor_deinit(&rig.reactor);
}

/* ---- what is sent ---- */

static inline const char *pattern(void)
{
	static char bytes[STORE_BYTES];
	uint64_t random = 7;

	if (bytes[0] == '\0')
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (char)(wr_test_random(&random) % 255 + 1);
	return bytes;
}

static inline void end_say(struct end *self, const char *data, size_t bytes)
{
	self->out = data;
	self->out_bytes = bytes;
	self->sent_bytes = 0;
	end_update(self);
}

static inline void check_got(const struct end *self, const char *data, size_t bytes)
{
	CHECK_U64(self->got_bytes, bytes);
	CHECK(memcmp(self->got, data, bytes) == 0);
}

#endif
