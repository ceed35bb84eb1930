/*
 * floor — the least that a single-threaded epoll process can do and still answer our load clients.
 *
 * Not a server to use: it believes every byte, has no limits, and knows the clients' fixed
 *WebSocket key only. What it costs is what the kernel and a shared ring cost; what another server
 *costs above it in the same run is that server's own work. Expected on one core of a 2026 x86-64
 *VM: about 4 us per frame when each goes out in its own send (one system call), below 0.2 us in
 *bursts of 32.
 *
 *	floor PORT ANSWER_BYTES REQUEST_BYTES FRAME_BYTES
 *
 *	GET /...     an answer of ANSWER_BYTES, head and body
 *	GET /sub     WebSocket: every published frame
 *	GET /pub     WebSocket: each message is published (one publisher at a time)
 *	GET /raw     WebSocket: REQUEST_BYTES frames of FRAME_BYTES, 64 KiB in a send
 *	POST ...     every REQUEST_BYTES bytes: an answer, and a frame of FRAME_BYTES is published
 *
 * A frame is written once into a ring that is mapped twice, one behind the other, so that any span
 *of it is contiguous. A subscriber is a position; one send per subscriber and turn brings it up to
 *date.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CONNECTIONS_MAX = 65536,
	RING_BYTES = 8 << 20,
	INPUT_BYTES = 256 << 10,
	OUTPUT_BYTES = 512 << 10,
	POUR_BYTES = 64 << 10,
	TURN_EVENTS_MAX = 256
};

enum role { ROLE_NEW, ROLE_ASKER, ROLE_POSTER, ROLE_SUBSCRIBER, ROLE_PUBLISHER, ROLE_RAW };

struct connection {
	uint64_t position;  /* subscriber: next byte of the ring; raw: bytes sent */
	uint32_t place;	    /* subscriber: index in `subscribers` */
	uint16_t remainder; /* poster: bytes of an unfinished request */
	uint8_t role;
	bool is_waiting; /* for room in its socket */
};

struct floor {
	int epoll_fd, listen_fd;
	size_t answer_bytes, request_bytes, frame_bytes;
	uint8_t *ring;
	uint64_t head;
	unsigned subscriber_count;
	size_t rest_bytes; /* publisher: of an unfinished frame, at the front of `input` */
	struct connection connections[CONNECTIONS_MAX]; /* by descriptor; touched when used */
	int subscribers[CONNECTIONS_MAX];
	uint8_t input[INPUT_BYTES], rest[INPUT_BYTES], output[OUTPUT_BYTES], answer[65536];
	uint8_t frame[65536];
};

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- out ---- */

static void watch(struct floor *self, int fd, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events};

	event.data.fd = fd;
	epoll_ctl(self->epoll_fd, operation, fd, &event);
}

/* As much of the raw stream as the socket takes; its frames fill the ring, so that they are no
 * warmer in the caches than a log is. */
static void pour(struct floor *self, int fd)
{
	struct connection *connection = &self->connections[fd];
	uint64_t end = (uint64_t)self->request_bytes * self->frame_bytes;
	size_t block = RING_BYTES / self->frame_bytes * self->frame_bytes;
	ssize_t sent = 0;

	while (sent >= 0 && connection->position < end) {
		size_t at = (size_t)(connection->position % block), left = block - at;
		if (left > POUR_BYTES)
			left = POUR_BYTES;
		if (left > end - connection->position)
			left = (size_t)(end - connection->position);
		sent = send(fd, self->ring + at, left, MSG_NOSIGNAL);
		if (sent > 0)
			connection->position += (uint64_t)sent;
	}
	watch(self, fd, EPOLL_CTL_MOD, sent < 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void push(struct floor *self, int fd)
{
	struct connection *connection = &self->connections[fd];
	const uint8_t *data = self->ring + (connection->position & (RING_BYTES - 1));
	ssize_t sent = send(fd, data, (size_t)(self->head - connection->position), MSG_NOSIGNAL);
	bool is_behind;

	if (sent > 0)
		connection->position += (uint64_t)sent;
	is_behind = connection->position < self->head;
	if (is_behind == connection->is_waiting)
		return;
	connection->is_waiting = is_behind;
	watch(self, fd, EPOLL_CTL_MOD, is_behind ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void flush(struct floor *self)
{
	for (unsigned i = 0; i < self->subscriber_count; i++) {
		int fd = self->subscribers[i];
		const struct connection *connection = &self->connections[fd];
		if (connection->position < self->head && !connection->is_waiting)
			push(self, fd);
	}
}

static void drop(struct floor *self, int fd)
{
	struct connection *connection = &self->connections[fd];

	if (connection->role == ROLE_SUBSCRIBER) {
		int last = self->subscribers[--self->subscriber_count];
		self->subscribers[connection->place] = last;
		self->connections[last].place = connection->place;
	}
	if (connection->role == ROLE_PUBLISHER)
		self->rest_bytes = 0;
	memset(connection, 0, sizeof *connection);
	close(fd);
}

/* ---- in ---- */

static size_t answer(struct floor *self, size_t at)
{
	memcpy(self->output + at, self->answer, self->answer_bytes);
	return at + self->answer_bytes;
}

/* Every blank line ends a request. */
static void on_questions(struct floor *self, int fd, size_t bytes)
{
	const uint8_t *at = self->input, *end = self->input + bytes;
	size_t out = 0;

	while ((at = memmem(at, (size_t)(end - at), "\r\n\r\n", 4)) != NULL) {
		at += 4;
		out = answer(self, out);
	}
	send(fd, self->output, out, MSG_NOSIGNAL);
}

static void on_posts(struct floor *self, int fd, size_t bytes)
{
	struct connection *connection = &self->connections[fd];
	size_t out = 0;

	bytes += connection->remainder;
	for (; bytes >= self->request_bytes; bytes -= self->request_bytes) {
		memcpy(self->ring + (self->head & (RING_BYTES - 1)), self->frame,
		       self->frame_bytes);
		self->head += self->frame_bytes;
		out = answer(self, out);
	}
	connection->remainder = (uint16_t)bytes;
	if (out > 0)
		send(fd, self->output, out, MSG_NOSIGNAL);
}

static void unmask(uint8_t *to, const uint8_t *from, size_t bytes, const uint8_t *key)
{
	uint64_t word, mask;
	size_t i = 0;

	memcpy(&mask, key, 4);
	memcpy((uint8_t *)&mask + 4, key, 4);
	for (; i + 8 <= bytes; i += 8) {
		memcpy(&word, from + i, 8);
		word ^= mask;
		memcpy(to + i, &word, 8);
	}
	for (; i < bytes; i++)
		to[i] = from[i] ^ key[i & 3];
}

/* Publishes the client frame at the front, at most 64 KiB; returns its length, 0 when it is not all
 * there. */
static size_t publish(struct floor *self, const uint8_t *data, size_t bytes)
{
	uint8_t *to = self->ring + (self->head & (RING_BYTES - 1));
	size_t head = 2, payload;

	if (bytes < 8)
		return 0;
	payload = data[1] & 127u;
	if (payload == 126) {
		head = 4;
		payload = (size_t)data[2] << 8 | data[3];
	}
	if (bytes < head + 4 + payload)
		return 0;
	memcpy(to, data, head);
	to[1] &= 127u;
	unmask(to + head, data + head + 4, payload, data + head);
	self->head += head + payload;
	return head + 4 + payload;
}

static void on_publication(struct floor *self, size_t bytes)
{
	size_t at = 0, used;

	while ((used = publish(self, self->input + at, bytes - at)) > 0)
		at += used;
	self->rest_bytes = bytes - at;
	if (self->rest_bytes > 0)
		memcpy(self->rest, self->input + at, self->rest_bytes);
}

static void fill_ring(struct floor *self)
{
	for (size_t at = 0; at + self->frame_bytes <= RING_BYTES; at += self->frame_bytes)
		memcpy(self->ring + at, self->frame, self->frame_bytes);
}

/* The first bytes tell what a connection is for. */
static void on_first(struct floor *self, int fd)
{
	/* The accept value of RFC 6455 1.3's example key. */
	static const char upgrade[] = "HTTP/1.1 101 Switching Protocols\r\n"
				      "Upgrade: websocket\r\nConnection: Upgrade\r\n"
				      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
	struct connection *connection = &self->connections[fd];
	const uint8_t *input = self->input;

	if (input[0] == 'P') {
		connection->role = ROLE_POSTER;
		return;
	}
	connection->role = memcmp(input, "GET /sub", 8) == 0   ? ROLE_SUBSCRIBER
			   : memcmp(input, "GET /pub", 8) == 0 ? ROLE_PUBLISHER
			   : memcmp(input, "GET /raw", 8) == 0 ? ROLE_RAW
							       : ROLE_ASKER;
	if (connection->role == ROLE_ASKER)
		return;
	send(fd, upgrade, sizeof upgrade - 1, MSG_NOSIGNAL);
	if (connection->role == ROLE_RAW) {
		if (self->head == 0)
			fill_ring(self);
		self->head = RING_BYTES; /* filled */
		pour(self, fd);
	}
	if (connection->role == ROLE_SUBSCRIBER) {
		connection->position = self->head;
		connection->place = self->subscriber_count;
		self->subscribers[self->subscriber_count++] = fd;
	}
}

static void on_readable(struct floor *self, int fd)
{
	struct connection *connection = &self->connections[fd];
	size_t kept = connection->role == ROLE_PUBLISHER ? self->rest_bytes : 0, bytes;
	ssize_t got;

	if (kept > 0)
		memcpy(self->input, self->rest, kept);
	got = recv(fd, self->input + kept, INPUT_BYTES - kept, 0);
	if (got <= 0) {
		if (got == 0 || errno != EAGAIN)
			drop(self, fd);
		return;
	}
	bytes = kept + (size_t)got;
	if (connection->role == ROLE_NEW) {
		on_first(self, fd);
		if (connection->role >= ROLE_SUBSCRIBER)
			return;
	}
	if (connection->role == ROLE_ASKER)
		on_questions(self, fd, bytes);
	else if (connection->role == ROLE_POSTER)
		on_posts(self, fd, bytes);
	else if (connection->role == ROLE_PUBLISHER)
		on_publication(self, bytes);
}

static void on_connection(struct floor *self)
{
	int one = 1, fd;

	while ((fd = accept4(self->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (fd >= CONNECTIONS_MAX) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		watch(self, fd, EPOLL_CTL_ADD, EPOLLIN);
	}
}

/* ---- life ---- */

static void map_ring(struct floor *self)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);
	const int access = PROT_READ | PROT_WRITE;
	uint8_t *at;

	if (fd < 0 || ftruncate(fd, RING_BYTES) != 0)
		die("floor: ring");
	at = mmap(NULL, (size_t)2 * RING_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED ||
	    mmap(at, RING_BYTES, access, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED ||
	    mmap(at + RING_BYTES, RING_BYTES, access, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		die("floor: ring");
	self->ring = at;
}

/* A body of just the length that makes the whole answer as long as it should be. */
static void make_answer(struct floor *self, size_t bytes)
{
	static const char format[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
				     "Content-Length: %zu\r\n\r\n";
	char head[160];
	size_t body = bytes, head_bytes;

	do {
		body--;
		head_bytes = (size_t)snprintf(head, sizeof head, format, body);
	} while (body > 2 && head_bytes + body > bytes);
	memset(self->answer, 'x', bytes);
	memcpy(self->answer, head, head_bytes);
	self->answer[head_bytes] = '"';
	self->answer[head_bytes + body - 1] = '"';
	self->answer_bytes = head_bytes + body;
}

static void make_frame(struct floor *self, size_t bytes)
{
	size_t payload = bytes - (bytes < 128 ? 2 : 4);

	memset(self->frame, 'x', bytes);
	self->frame[0] = 0x81;
	self->frame[1] = (uint8_t)(bytes < 128 ? payload : 126);
	if (bytes >= 128) {
		self->frame[2] = (uint8_t)(payload >> 8);
		self->frame[3] = (uint8_t)payload;
	}
	self->frame_bytes = bytes;
}

static void open_listener(struct floor *self, unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int one = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	self->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(self->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(self->listen_fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
	    listen(self->listen_fd, 4096) != 0)
		die("floor: listen");
	self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	watch(self, self->listen_fd, EPOLL_CTL_ADD, EPOLLIN);
}

static void turn(struct floor *self)
{
	struct epoll_event events[TURN_EVENTS_MAX];
	int count = epoll_wait(self->epoll_fd, events, TURN_EVENTS_MAX, -1);

	for (int i = 0; i < count; i++) {
		int fd = events[i].data.fd;
		if (fd == self->listen_fd) {
			on_connection(self);
			continue;
		}
		if ((events[i].events & EPOLLOUT) != 0 && self->connections[fd].role == ROLE_RAW)
			pour(self, fd);
		else if ((events[i].events & EPOLLOUT) != 0)
			push(self, fd);
		if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
			on_readable(self, fd);
	}
	flush(self);
}

int main(int argc, char **argv)
{
	static struct floor floor;

	if (argc != 5) {
		fputs("usage: floor PORT ANSWER_BYTES REQUEST_BYTES FRAME_BYTES\n", stderr);
		return 2;
	}
	make_answer(&floor, strtoul(argv[2], NULL, 10));
	floor.request_bytes = strtoul(argv[3], NULL, 10);
	make_frame(&floor, strtoul(argv[4], NULL, 10));
	map_ring(&floor);
	open_listener(&floor, (unsigned)strtoul(argv[1], NULL, 10));
	for (;;)
		turn(&floor);
}
