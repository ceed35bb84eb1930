/*
 * embedded_client — a client of the streams behind embedded_rig.h, which cuts what comes into
 * frames, and a policy with rules that show.
 */
#ifndef WR_TESTS_BACKEND_EMBEDDED_CLIENT_H
#define WR_TESTS_BACKEND_EMBEDDED_CLIENT_H

#include "unit/backend/embedded_rig.h"

enum { CLIENT_FRAMES = 4096 };

struct client {
	int fd;
	char *data; /* everything that came */
	size_t bytes, capacity, seen;
	bool is_ended;
	unsigned http; /* status of the answer; 0: not yet */
	unsigned count;
	struct {
		size_t at, end;
	} frames[CLIENT_FRAMES]; /* behind a 101 */
};

static inline void client_receive(struct client *self)
{
	ssize_t n = 1;

	while (n > 0 && !self->is_ended) {
		if (self->capacity - self->bytes < 65536) {
			self->capacity = self->capacity * 2 + 65536;
			self->data = realloc(self->data, self->capacity);
			CHECK(self->data != NULL);
		}
		n = recv(self->fd, self->data + self->bytes, self->capacity - self->bytes - 1, 0);
		self->is_ended = n == 0 || (n < 0 && errno != EAGAIN);
		if (n > 0)
			self->bytes += (size_t)n;
	}
}

/* Cuts what came into the head and frames. */
static inline void client_look(struct client *self)
{
	struct wr_ws_frame_header header;
	size_t head;

	client_receive(self);
	if (self->http == 0) {
		const char *end = memmem(self->data, self->bytes, "\r\n\r\n", 4);
		if (end == NULL)
			return;
		self->seen = (size_t)(end + 4 - self->data);
		self->http = (unsigned)strtoul(self->data + 9, NULL, 10);
	}
	while (self->http == 101 && self->seen < self->bytes) {
		struct wr_view rest = wr_view_of(self->data + self->seen, self->bytes - self->seen);
		if (wr_ws_frame_header_decode(&header, &head, rest, WR_WS_ROLE_CLIENT) != WR_OK ||
		    header.payload_bytes > rest.bytes - head)
			return;
		CHECK(self->count < CLIENT_FRAMES);
		self->frames[self->count].at = self->seen + head;
		self->seen += head + (size_t)header.payload_bytes;
		self->frames[self->count++].end = self->seen;
	}
}

static inline void client_ask(struct client *self, const char *path, const char *fields)
{
	const struct wr_address *address = wr_http_server_address(rig.server);
	char request[1024];
	int bytes = snprintf(request, sizeof request, "GET /%s HTTP/1.1\r\nHost: x\r\n%s\r\n", path,
			     fields);

	memset(self, 0, sizeof *self);
	self->fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(self->fd >= 0 && bytes > 0 && (size_t)bytes < sizeof request);
	CHECK(connect(self->fd, (const struct sockaddr *)&address->storage, address->bytes) == 0);
	CHECK(fcntl(self->fd, F_SETFL, O_NONBLOCK) == 0);
	CHECK(send(self->fd, request, (size_t)bytes, 0) == bytes);
}

/* Turns until there is an answer. */
static inline void client_await_head(struct client *self)
{
	while (self->http == 0 && !self->is_ended) {
		rig_wait();
		client_look(self);
	}
	CHECK(self->http != 0);
}

/* Opens a stream; `cursor` NULL: none. */
static inline void client_open(struct client *self, const char *id, const char *cursor)
{
	char path[256];

	snprintf(path, sizeof path, "%s%s%s", id,
		 cursor == NULL ? "" : "?cursor=", cursor == NULL ? "" : cursor);
	client_ask(self, path,
		   "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
	client_await_head(self);
}

static inline void client_close(struct client *self)
{
	close(self->fd);
	free(self->data);
	self->data = NULL;
}

/* Turns until it has so many frames. */
static inline void client_await(struct client *self, unsigned count)
{
	CHECK_U64(self->http, 101);
	while (self->count < count && !self->is_ended) {
		rig_wait();
		client_look(self);
	}
	CHECK(self->count >= count);
}

/* Turns as often as anything could still be under way to it. */
static inline void client_settle(struct client *self)
{
	for (unsigned i = 0; i < 10; i++) {
		wr_reactor_turn(&rig.reactor, 0);
		client_look(self);
	}
}

/* Payload of a frame. */
static inline struct wr_view client_frame(const struct client *self, unsigned index)
{
	CHECK(index < self->count);
	return wr_view_of(self->data + self->frames[index].at,
			  self->frames[index].end - self->frames[index].at);
}

static inline bool view_has(struct wr_view view, const char *text)
{
	return view.bytes != 0 && memmem(view.data, view.bytes, text, strlen(text)) != NULL;
}

static inline bool frame_has(const struct client *self, unsigned index, const char *text)
{
	return view_has(client_frame(self, index), text);
}

/* The cursor of an event's frame, as a string. */
static inline void frame_cursor(const struct client *self, unsigned index,
				char out[WR_CURSOR_BYTES + 1])
{
	static const char front[] = "{\"kind\":\"event\",\"envelope\":{\"cursor\":\"";
	struct wr_view frame = client_frame(self, index);

	CHECK(wr_view_starts(frame, wr_view_of_string(front)));
	frame = wr_view_skip(frame, sizeof front - 1);
	CHECK(wr_view_starts(frame, WR_VIEW("bo_")) && frame.data[WR_CURSOR_BYTES] == '"');
	memcpy(out, frame.data, WR_CURSOR_BYTES);
	out[WR_CURSOR_BYTES] = '\0';
}

/* All frames are of this Runtime and Worker, and say nothing that is the Runtime's own. */
static inline void check_frames(const struct client *self, const char *worker_id)
{
	char text[128];

	snprintf(text, sizeof text, "\"runtime_id\":\"backend-internal\",\"worker_id\":\"%s\"",
		 worker_id);
	for (unsigned i = 0; i < self->count; i++) {
		CHECK(frame_has(self, i, text));
		CHECK(!frame_has(self, i, "\"wo_") && !frame_has(self, i, "\"re_"));
		CHECK(!frame_has(self, i, "log_id"));
		CHECK(rig.folder[0] == '\0' || !frame_has(self, i, rig.folder));
	}
}

/* The stream ended with this diagnostic and this Close, and nothing else from frame `from` on. */
static inline void check_ended(struct client *self, unsigned from, const char *code,
			       const char *reason, unsigned close_code)
{
	char text[128];
	struct wr_view end;

	client_await(self, from + 2);
	CHECK_U64(self->count, from + 2);
	snprintf(text, sizeof text, "{\"kind\":\"diagnostic\",\"diagnostic\":{\"code\":\"%s\"",
		 code);
	CHECK(wr_view_starts(client_frame(self, from), wr_view_of_string(text)));
	if (reason != NULL) {
		snprintf(text, sizeof text, "\"reason\":\"%s\"", reason);
		CHECK(frame_has(self, from, text));
	}
	end = client_frame(self, from + 1);
	CHECK(end.bytes >= 2);
	CHECK_U64((unsigned)(unsigned char)end.data[0] << 8 | (unsigned char)end.data[1],
		  close_code);
}

/* ---- what the tests of streams share ---- */

static inline void say(const char *id, unsigned number)
{
	char text[32];

	snprintf(text, sizeof text, "input %u.", number);
	CHECK_U64(rig_input(id, text), WR_SOURCE_ACCEPTED);
}

/* Frames [from, from + count) of one are frames [other_from, ...) of the other, to the byte. */
static inline void check_same_frames(const struct client *self, unsigned from,
				     const struct client *other, unsigned other_from,
				     unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		CHECK_VIEW(client_frame(self, from + i), client_frame(other, other_from + i));
}

struct rules {
	unsigned count;
	bool denies_snapshots;
};

/* Whatever has the word "secret" is not shown, whatever has the word "redact" is shown without. */
static inline enum wr_policy_verdict rules_judge(void *context, const struct wr_policy_event *event,
						 struct wr_buf *replacement)
{
	struct rules *rules = context;
	bool is_snapshot = wr_view_equal(event->name, WR_VIEW("snapshot"));

	rules->count++;
	CHECK_STRING(event->runtime_id, "backend-internal");
	CHECK(wr_view_starts(event->worker_id, WR_VIEW("worker-0000000")));
	CHECK(wr_view_starts(event->payload, WR_VIEW("{\"event\":\"")));
	CHECK(wr_view_starts(wr_view_skip(event->payload, 10), event->name));
	if (is_snapshot ? rules->denies_snapshots : view_has(event->payload, "secret"))
		return WR_POLICY_DENY;
	if (!view_has(event->payload, "redact"))
		return WR_POLICY_PASS;
	wr_buf_append_view(replacement, WR_VIEW("{\"event\":\""));
	wr_buf_append_view(replacement, event->name);
	wr_buf_append_view(replacement, WR_VIEW("\",\"data\":{\"by\":\"a rule\"}}"));
	return WR_POLICY_REPLACE;
}

#endif
