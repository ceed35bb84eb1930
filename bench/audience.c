/* See audience.h. */
#include "audience.h"

#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_PATH "/v1/workers/worker-00000001/events/ws"
#define WIDE_EVENTS_PATH "/v1/events/ws"
#define BACKEND_EVENTS_PATH "/api/runtimes/remote:box/workers/worker-00000001/events/ws"

enum { STALLED_RECEIVE_BYTES = 4096, EVENTS_MAX = 256 };

/* Length of the unmasked frame at the front, 0 when some is missing. Text frames only: anything
 * else (Close, ping) has no place in a benchmark. */
static size_t frame_at(const uint8_t *data, size_t bytes)
{
	size_t head = 2, payload;

	if (bytes < 4)
		return 0;
	wr_bench_require(data[0] == 0x81 && data[1] < 128, "not a whole, unmasked text frame");
	payload = data[1];
	if (payload == 126) {
		head = 4;
		payload = (size_t)data[2] << 8 | data[3];
	} else if (payload == 127) {
		if (bytes < 10)
			return 0;
		head = 10;
		payload = 0;
		for (unsigned i = 2; i < 10; i++)
			payload = payload << 8 | data[i];
	}
	return head + payload <= bytes ? head + payload : 0;
}

/* Where the value of a member begins in a frame. What stands before it has one length in all frames
 * of a Worker, so it is searched once. */
static const uint8_t *member(const uint8_t *frame, size_t bytes, const char *name, size_t *place)
{
	size_t length = strlen(name);
	const uint8_t *at;

	if (*place != 0 && *place < bytes && memcmp(frame + *place - length, name, length) == 0)
		return frame + *place;
	at = memmem(frame, bytes, name, length);
	wr_bench_require(at != NULL, "a frame lacks a member");
	*place = (size_t)(at - frame) + length;
	return at + length;
}

static void check_order(struct wr_bench_audience *self, struct wr_bench_peer *peer,
			const uint8_t *frame, size_t bytes)
{
	const uint8_t *at = member(frame, bytes, "\"sequence\":", &self->sequence_place);
	uint64_t sequence = 0;

	for (; *at >= '0' && *at <= '9'; at++)
		sequence = sequence * 10 + (uint64_t)(*at - '0');
	wr_bench_require(sequence > peer->last_sequence, "frames out of order");
	peer->last_sequence = sequence;
}

static void note_cursor(struct wr_bench_audience *self, const uint8_t *frame, size_t bytes)
{
	size_t place = 0, length = 0;
	const uint8_t *at = member(frame, bytes, "\"cursor\":\"", &place);

	for (; at[length] != '"' && length < sizeof self->cursor - 1; length++)
		self->cursor[length] = (char)at[length];
	self->cursor[length] = '\0';
}

static size_t take_frames(void *context, struct wr_bench_peer *peer, const uint8_t *data,
			  size_t bytes)
{
	struct wr_bench_audience *self = context;
	uint64_t now = self->latency != NULL ? wr_bench_now_ns() : 0;
	size_t at = 0, used;

	while ((used = frame_at(data + at, bytes - at)) > 0) {
		/* The first of them stands for all: it is the slowest check. A Backend's frames
		 * carry no number to look at. */
		if (!self->server->is_floor && self->server->behind == NULL &&
		    peer == self->subscribers)
			check_order(self, peer, data + at, used);
		if (!self->server->is_floor && self->heard == 0)
			note_cursor(self, data + at, used);
		if (self->latency != NULL)
			wr_bench_observe(self->latency,
					 now - self->sent_ns[peer->items % WR_BENCH_SENT_MAX]);
		if (!self->server->is_floor)
			self->frame_bytes = used;
		peer->items++;
		self->heard++;
		at += used;
	}
	return at;
}

static size_t take_acknowledgements(void *context, struct wr_bench_peer *peer, const uint8_t *data,
				    size_t bytes)
{
	struct wr_bench_audience *self = context;
	unsigned wanted = 200;
	uint64_t before = peer->items;
	size_t used = wr_bench_take_answers(&wanted, peer, data, bytes);

	self->answered += peer->items - before;
	return used;
}

static size_t take_upgrade(void *context, struct wr_bench_peer *peer, const uint8_t *data,
			   size_t bytes)
{
	const uint8_t *end = memmem(data, bytes, "\r\n\r\n", 4);
	bool *is_done = context;

	if (end == NULL)
		return 0;
	(void)peer;
	wr_bench_require(memcmp(data, "HTTP/1.1 101 ", 13) == 0, "no upgrade");
	wr_bench_require(memmem(data, bytes, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28) != NULL,
			 "wrong Sec-WebSocket-Accept");
	*is_done = true;
	return (size_t)(end - data) + 4;
}

static size_t take_snapshot(void *context, struct wr_bench_peer *peer, const uint8_t *data,
			    size_t bytes)
{
	size_t used = frame_at(data, bytes);

	(void)peer;
	if (used > 0) {
		wr_bench_require(memmem(data, used, "snapshot\"", 9) != NULL, "no snapshot");
		*(bool *)context = true;
	}
	return used;
}

/* What came together with the head is kept in `rest`; look there before waiting for more. */
static void take_one(struct wr_bench_peer *peer, wr_bench_take_fn *take)
{
	bool is_done = false;
	size_t used = peer->rest_bytes > 0 ? take(&is_done, peer, peer->rest, peer->rest_bytes) : 0;

	if (used > 0) {
		memmove(peer->rest, peer->rest + used, peer->rest_bytes - used);
		peer->rest_bytes -= used;
	}
	while (!is_done) {
		wr_bench_await(peer->fd);
		wr_bench_receive(peer, take, &is_done);
	}
}

/* On a connection that was made. */
static void upgrade(struct wr_bench_peer *peer, const struct wr_bench_server *server,
		    const char *path)
{
	char request[512];
	int bytes = snprintf(
		request, sizeof request,
		"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAuthorization: Bearer " WR_BENCH_TOKEN
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		path, server->port);

	wr_bench_send(peer, request, (size_t)bytes);
	take_one(peer, take_upgrade);
}

static void add_peer(const struct wr_bench_audience *self, struct wr_bench_peer *peer)
{
	struct epoll_event event = {.events = EPOLLIN};

	event.data.ptr = peer;
	epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, peer->fd, &event);
}

/* Whom to speak to: the Runtime itself. */
static const struct wr_bench_server *listener(const struct wr_bench_audience *self)
{
	return self->server->behind != NULL ? self->server->behind : self->server;
}

static void seat(struct wr_bench_audience *self, unsigned index)
{
	struct wr_bench_peer *peer = &self->subscribers[index];
	bool is_floor = self->server->is_floor, is_stalled = index >= self->count - self->stalled;

	wr_bench_connect(peer, self->server, 1 + index / 4096,
			 is_stalled ? STALLED_RECEIVE_BYTES : 0);
	upgrade(peer, self->server,
		is_floor		       ? "/sub"
		: self->server->behind != NULL ? BACKEND_EVENTS_PATH
		: self->is_wide		       ? WIDE_EVENTS_PATH
					       : EVENTS_PATH);
	if (!is_floor)
		take_one(peer, take_snapshot);
	if (!is_stalled)
		add_peer(self, peer);
}

void wr_bench_renew(struct wr_bench_audience *self)
{
	for (unsigned i = 0; i < WR_BENCH_SPEAKERS; i++) {
		struct wr_bench_peer *peer = &self->speakers[i];
		if (peer->fd >= 0)
			wr_bench_disconnect(peer);
		if (i > 0 && !self->wants_posts)
			break;
		wr_bench_connect(peer, listener(self), 0, 0);
		if (!self->wants_posts)
			upgrade(peer, self->server, "/pub");
		add_peer(self, peer);
	}
}

static void open_audience(struct wr_bench_audience *self, const struct wr_bench_server *server,
			  unsigned count, unsigned stalled, enum wr_bench_way way)
{
	memset(self, 0, sizeof *self);
	self->server = server;
	self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	self->count = count;
	self->stalled = stalled;
	self->wants_posts = way == WR_BENCH_POSTS || !server->is_floor;
	self->is_wide = way == WR_BENCH_WIDE;
	self->content_bytes = 1;
	self->frame_bytes = 200;
	self->subscribers = calloc(count + 1, sizeof self->subscribers[0]);
	self->sent_ns = calloc(WR_BENCH_SENT_MAX, sizeof self->sent_ns[0]);
	self->out_bytes = 1 << 20;
	self->out = malloc(self->out_bytes);
	wr_bench_require(self->subscribers != NULL && self->sent_ns != NULL && self->out != NULL,
			 "memory");
	for (unsigned i = 0; i < WR_BENCH_SPEAKERS; i++)
		self->speakers[i].fd = -1;
}

void wr_bench_gather(struct wr_bench_audience *self, const struct wr_bench_server *server,
		     unsigned count, unsigned stalled, enum wr_bench_way way)
{
	open_audience(self, server, count, stalled, way);
	for (unsigned i = 0; i < count; i++)
		seat(self, i);
	wr_bench_renew(self);
	errno = 0;
}

/* Takes whole frames off what came with the head. */
static void take_kept(struct wr_bench_audience *self, struct wr_bench_peer *peer)
{
	size_t used = take_frames(self, peer, peer->rest, peer->rest_bytes);

	if (used > 0)
		memmove(peer->rest, peer->rest + used, peer->rest_bytes - used);
	peer->rest_bytes -= used;
}

void wr_bench_resume(struct wr_bench_audience *self, const struct wr_bench_server *server,
		     const char *cursor, uint64_t frames)
{
	char path[160];

	open_audience(self, server, 1, 0, WR_BENCH_ONE_WORKER);
	snprintf(path, sizeof path, EVENTS_PATH "?cursor=%s", cursor);
	wr_bench_connect(&self->subscribers[0], server, 0, 0);
	upgrade(&self->subscribers[0], server, server->is_floor ? "/raw" : path);
	add_peer(self, &self->subscribers[0]);
	self->due = frames;
	if (self->subscribers[0].rest_bytes > 0)
		take_kept(self, &self->subscribers[0]);
}

void wr_bench_dismiss(struct wr_bench_audience *self)
{
	for (unsigned i = 0; i < self->count; i++)
		wr_bench_disconnect(&self->subscribers[i]);
	for (unsigned i = 0; i < WR_BENCH_SPEAKERS; i++)
		if (self->speakers[i].fd >= 0)
			wr_bench_disconnect(&self->speakers[i]);
	close(self->epoll_fd);
	free(self->subscribers);
	free(self->sent_ns);
	free(self->out);
}

/* A masked text frame whose unmasked form has frame_bytes bytes. */
static size_t write_publication(const struct wr_bench_audience *self, char *out)
{
	static const char mask[4] = {0x12, 0x34, 0x56, 0x78};
	size_t head = self->frame_bytes < 128 ? 2 : 4, payload = self->frame_bytes - head;

	out[0] = (char)0x81;
	out[1] = (char)(0x80 | (head == 2 ? payload : 126));
	if (head == 4) {
		out[2] = (char)(payload >> 8);
		out[3] = (char)payload;
	}
	memcpy(out + head, mask, sizeof mask);
	for (size_t i = 0; i < payload; i++)
		out[head + 4 + i] = (char)('x' ^ mask[i & 3]);
	return head + 4 + payload;
}

static size_t write_post(const struct wr_bench_audience *self, char *out, size_t bytes_max)
{
	char *body = malloc(self->content_bytes + 64);
	size_t at, bytes;

	wr_bench_require(body != NULL, "memory");
	at = (size_t)snprintf(body, 64, "{\"kind\":\"user\",\"content\":\"");
	memset(body + at, 'x', self->content_bytes);
	memcpy(body + at + self->content_bytes, "\"}", 3);
	bytes = wr_bench_request(out, bytes_max, listener(self), "POST",
				 "/v1/workers/worker-00000001/input", body);
	free(body);
	return bytes;
}

/* Sends `events` at once: over one connection, or, with the server held, over several. */
static void say(struct wr_bench_audience *self, unsigned events)
{
	size_t each = self->wants_posts ? write_post(self, self->out, self->out_bytes)
					: write_publication(self, self->out);
	unsigned share = self->wants_posts ? WR_BENCH_SPEAKER_BURST : events, speaker = 0;
	bool is_held = events > WR_BENCH_SPEAKER_BURST;
	uint64_t now;

	wr_bench_require(each * events <= self->out_bytes, "a burst is too large");
	for (unsigned i = 1; i < events && i < share; i++)
		memcpy(self->out + i * each, self->out, each);
	if (is_held)
		wr_bench_hold(listener(self));
	now = wr_bench_now_ns();
	for (unsigned i = 0; i < events; i++)
		self->sent_ns[(self->said + i) % WR_BENCH_SENT_MAX] = now;
	for (unsigned left = events; left > 0; speaker++) {
		unsigned now_sent = left < share ? left : share;
		wr_bench_require(speaker < WR_BENCH_SPEAKERS, "a burst is too large");
		wr_bench_send(&self->speakers[speaker], self->out, now_sent * each);
		left -= now_sent;
	}
	if (is_held)
		wr_bench_release(listener(self));
	self->said += events;
	self->due += (uint64_t)events * (self->count - self->stalled);
}

static bool is_speaker(const struct wr_bench_audience *self, const struct wr_bench_peer *peer)
{
	return peer >= self->speakers && peer < self->speakers + WR_BENCH_SPEAKERS;
}

static void listen_once(struct wr_bench_audience *self, struct wr_bench_peer *extra, bool *is_extra)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t end =
		self->spins ? wr_bench_now_ns() + WR_BENCH_SILENCE_MS_MAX * (uint64_t)1000000 : 0;
	int count;

	do {
		count = epoll_wait(self->epoll_fd, events, EVENTS_MAX,
				   self->spins ? 0 : WR_BENCH_SILENCE_MS_MAX);
	} while (count == 0 && self->spins && wr_bench_now_ns() < end);
	wr_bench_require(count > 0, "frames are missing");
	for (int i = 0; i < count; i++) {
		struct wr_bench_peer *peer = events[i].data.ptr;
		if (peer == extra) {
			*is_extra = true;
			continue;
		}
		if (is_speaker(self, peer))
			wr_bench_receive(peer, take_acknowledgements, self);
		else
			self->received_bytes += wr_bench_receive(peer, take_frames, self);
	}
}

static bool has_all(const struct wr_bench_audience *self)
{
	wr_bench_require(self->heard <= self->due && self->answered <= self->said,
			 "more frames than events");
	return self->heard == self->due && (!self->wants_posts || self->answered == self->said);
}

void wr_bench_burst(struct wr_bench_audience *self, unsigned events)
{
	say(self, events);
	wr_bench_catch_up(self);
}

void wr_bench_catch_up(struct wr_bench_audience *self)
{
	struct wr_bench_peer none;
	bool is_none = false;

	while (!has_all(self))
		listen_once(self, &none, &is_none);
}

double wr_bench_event_cost(struct wr_bench_audience *self, unsigned events, unsigned burst,
			   struct wr_bench_histogram *latency)
{
	unsigned count = events / burst;
	uint64_t before;

	wr_bench_renew(self);
	wr_bench_burst(self, burst);
	self->latency = latency;
	before = wr_bench_cpu_ns(self->server);
	for (unsigned i = 0; i < count; i++)
		wr_bench_burst(self, burst);
	before = wr_bench_cpu_ns(self->server) - before;
	self->latency = NULL;
	return (double)before / (double)(count * burst);
}

void wr_bench_pace(struct wr_bench_audience *self, uint64_t period_ns, uint64_t duration_ns)
{
	struct itimerspec times = {{0, (long)period_ns}, {0, (long)period_ns}};
	struct wr_bench_peer timer = {0};
	uint64_t events = duration_ns / period_ns, passed = 0, fired;

	timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	wr_bench_require(timer.fd >= 0, "timerfd");
	add_peer(self, &timer);
	timerfd_settime(timer.fd, 0, &times, NULL);
	while (passed < events) {
		bool is_time = false;
		listen_once(self, &timer, &is_time);
		if (!is_time || read(timer.fd, &fired, sizeof fired) != (ssize_t)sizeof fired)
			continue;
		passed += fired;
		say(self,
		    (unsigned)(fired < WR_BENCH_SPEAKER_BURST ? fired : WR_BENCH_SPEAKER_BURST));
	}
	close(timer.fd);
	wr_bench_catch_up(self);
}
