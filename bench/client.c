/* See client.h. */
#include "client.h"

#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECEIVE_BYTES = 1 << 20 };

void wr_bench_connect(struct wr_bench_peer *self, const struct wr_bench_server *server,
		      unsigned source, int receive_bytes)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(server->port)};
	struct sockaddr_in from = {.sin_family = AF_INET};
	int one = 1;

	memset(self, 0, sizeof *self);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + source);
	self->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (self->fd < 0)
		wr_bench_die("socket");
	setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(self->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	if (receive_bytes > 0)
		setsockopt(self->fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
	if (bind(self->fd, (struct sockaddr *)&from, sizeof from) != 0 ||
	    connect(self->fd, (struct sockaddr *)&to, sizeof to) != 0)
		wr_bench_die("connect");
	fcntl(self->fd, F_SETFL, O_NONBLOCK);
	errno = 0;
}

void wr_bench_disconnect(struct wr_bench_peer *self)
{
	close(self->fd);
	free(self->rest);
	memset(self, 0, sizeof *self);
	self->fd = -1;
}

/* Our requests are small and the window is closed before the next: a full socket is a bug. */
void wr_bench_send(struct wr_bench_peer *self, const void *data, size_t bytes)
{
	ssize_t sent = send(self->fd, data, bytes, MSG_NOSIGNAL);

	wr_bench_require(sent == (ssize_t)bytes, "send");
}

static void keep(struct wr_bench_peer *self, const uint8_t *data, size_t bytes)
{
	if (bytes > self->rest_capacity) {
		free(self->rest);
		self->rest_capacity = bytes < 4096 ? 4096 : 2 * bytes;
		self->rest = malloc(self->rest_capacity);
		wr_bench_require(self->rest != NULL, "memory");
	}
	if (bytes > 0)
		memcpy(self->rest, data, bytes);
	self->rest_bytes = bytes;
}

size_t wr_bench_receive(struct wr_bench_peer *self, wr_bench_take_fn *take, void *context)
{
	static uint8_t buffer[RECEIVE_BYTES];
	size_t kept = self->rest_bytes, used;
	ssize_t got;

	if (kept > 0)
		memcpy(buffer, self->rest, kept);
	got = recv(self->fd, buffer + kept, sizeof buffer - kept, 0);
	if (got < 0 && errno == EAGAIN) {
		errno = 0;
		return 0;
	}
	wr_bench_require(got > 0, "a server closed a connection");
	used = take(context, self, buffer, kept + (size_t)got);
	wr_bench_require(used > 0 || kept + (size_t)got < sizeof buffer, "an item is too large");
	keep(self, buffer + used, kept + (size_t)got - used);
	return (size_t)got;
}

/* ---- HTTP ---- */

size_t wr_bench_request(char *out, size_t bytes_max, const struct wr_bench_server *server,
			const char *method, const char *path, const char *body)
{
	char type[96] = "";
	int bytes;

	if (body != NULL)
		snprintf(type, sizeof type,
			 "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
	bytes = snprintf(
		out, bytes_max,
		"%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAuthorization: Bearer " WR_BENCH_TOKEN
		"\r\nAccept: application/json\r\nUser-Agent: bench\r\n%s\r\n%s",
		method, path, server->port, type, body != NULL ? body : "");
	wr_bench_require(bytes > 0 && (size_t)bytes < bytes_max, "a request is too long");
	return (size_t)bytes;
}

size_t wr_bench_answer(const uint8_t *data, size_t bytes, unsigned *status)
{
	static const char length[] = "\r\nContent-Length: ";
	const uint8_t *end = memmem(data, bytes, "\r\n\r\n", 4), *at;
	size_t head, body = 0;

	if (end == NULL)
		return 0;
	head = (size_t)(end - data) + 4;
	wr_bench_require(memcmp(data, "HTTP/1.1 ", 9) == 0, "not an HTTP answer");
	*status = (unsigned)((data[9] - '0') * 100 + (data[10] - '0') * 10 + (data[11] - '0'));
	at = memmem(data, head, length, sizeof length - 1);
	if (at != NULL)
		for (at += sizeof length - 1; *at >= '0' && *at <= '9'; at++)
			body = body * 10 + (size_t)(*at - '0');
	return head + body <= bytes ? head + body : 0;
}

void wr_bench_await(int fd)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN};

	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
	wr_bench_require(epoll_wait(epoll_fd, &event, 1, WR_BENCH_SILENCE_MS_MAX) == 1,
			 "no answer");
	close(epoll_fd);
}

struct single {
	unsigned status;
	size_t bytes;
};

static size_t take_single(void *context, struct wr_bench_peer *peer, const uint8_t *data,
			  size_t bytes)
{
	struct single *single = context;

	single->bytes = wr_bench_answer(data, bytes, &single->status);
	if (single->bytes > 0)
		peer->items++;
	return single->bytes;
}

size_t wr_bench_roundtrip(const struct wr_bench_server *server, const char *request, size_t bytes,
			  unsigned *status)
{
	struct wr_bench_peer peer;
	struct single single = {0};

	wr_bench_connect(&peer, server, 0, 0);
	wr_bench_send(&peer, request, bytes);
	while (peer.items == 0) {
		wr_bench_await(peer.fd);
		wr_bench_receive(&peer, take_single, &single);
	}
	wr_bench_disconnect(&peer);
	*status = single.status;
	return single.bytes;
}

/* ---- many askers ---- */

size_t wr_bench_take_answers(void *context, struct wr_bench_peer *peer, const uint8_t *data,
			     size_t bytes)
{
	const unsigned *wanted = context;
	size_t at = 0, used;
	unsigned status;

	while ((used = wr_bench_answer(data + at, bytes - at, &status)) > 0) {
		wr_bench_require(status == *wanted, "an answer has another status");
		peer->items++;
		at += used;
	}
	return at;
}

static int watch_peers(struct wr_bench_peer *peers, unsigned count)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	for (unsigned i = 0; i < count; i++) {
		struct epoll_event event = {.events = EPOLLIN};
		event.data.ptr = &peers[i];
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, peers[i].fd, &event);
	}
	return epoll_fd;
}

/* Closed loop: a connection that has all its answers is given the next batch in one send. */
static void ask(int epoll_fd, const char *batch, size_t batch_bytes, unsigned depth,
		uint64_t batches, unsigned status)
{
	struct epoll_event events[WR_BENCH_ASKERS];
	uint64_t sent = WR_BENCH_ASKERS, done = 0;

	while (done < batches) {
		int count = epoll_wait(epoll_fd, events, WR_BENCH_ASKERS, WR_BENCH_SILENCE_MS_MAX);
		wr_bench_require(count > 0, "answers are missing");
		for (int i = 0; i < count; i++) {
			struct wr_bench_peer *peer = events[i].data.ptr;
			wr_bench_receive(peer, wr_bench_take_answers, &status);
			if (peer->items < depth)
				continue;
			wr_bench_require(peer->items == depth, "too many answers");
			peer->items = 0;
			done++;
			if (sent++ < batches)
				wr_bench_send(peer, batch, batch_bytes);
		}
	}
}

struct wr_bench_cost wr_bench_ask(const struct wr_bench_server *server, const char *request,
				  size_t bytes, unsigned depth, uint64_t count, unsigned status)
{
	struct wr_bench_peer peers[WR_BENCH_ASKERS];
	struct wr_bench_cost cost;
	uint64_t batches = count / depth, cpu, wall;
	char *batch = malloc(bytes * depth);
	int epoll_fd;

	wr_bench_require(batch != NULL && batches >= WR_BENCH_ASKERS, "too few requests");
	for (unsigned i = 0; i < depth; i++)
		memcpy(batch + i * bytes, request, bytes);
	for (unsigned i = 0; i < WR_BENCH_ASKERS; i++) {
		wr_bench_connect(&peers[i], server, i, 0);
		wr_bench_send(&peers[i], request, bytes); /* so that it is warm and accepted */
		while (peers[i].items == 0) {
			wr_bench_await(peers[i].fd);
			wr_bench_receive(&peers[i], wr_bench_take_answers, &status);
		}
		peers[i].items = 0;
	}
	epoll_fd = watch_peers(peers, WR_BENCH_ASKERS);
	wall = wr_bench_now_ns();
	cpu = wr_bench_cpu_ns(server);
	for (unsigned i = 0; i < WR_BENCH_ASKERS; i++)
		wr_bench_send(&peers[i], batch, bytes * depth);
	ask(epoll_fd, batch, bytes * depth, depth, batches, status);
	cost.cpu_ns = (double)(wr_bench_cpu_ns(server) - cpu) / (double)(batches * depth);
	cost.wall_ns = (double)(wr_bench_now_ns() - wall) / (double)(batches * depth);
	close(epoll_fd);
	for (unsigned i = 0; i < WR_BENCH_ASKERS; i++)
		wr_bench_disconnect(&peers[i]);
	free(batch);
	return cost;
}

void wr_bench_make_worker(const struct wr_bench_server *self)
{
	char request[512];
	unsigned status;
	size_t bytes = wr_bench_request(request, sizeof request, self, "POST", "/v1/workers",
					"{\"intent\":{\"kind\":\"assistant\"},"
					"\"profile\":{\"kind\":\"runtime_default\"}}");

	wr_bench_roundtrip(self, request, bytes, &status);
	wr_bench_require(status == 201, "a Worker cannot be created");
}
