/*
 * reader — a client of a stream, which knows every byte that it got, and the witness.
 *
 * One witness per scope reads along from the start, through a socket that takes everything: what
 * all other readers get must be what it got.
 */
#ifndef WR_TESTS_OBSERVE_READER_H
#define WR_TESTS_OBSERVE_READER_H

#include "unit/observe/rig.h"

struct reader {
	int fd, server_fd;
	uint32_t worker;
	char *data; /* everything behind the handshake */
	size_t bytes, capacity;
	bool is_ended, is_reset;
};

static inline void reader_receive(struct reader *self)
{
	for (;;) {
		ssize_t n;

		if (self->capacity - self->bytes < 65536) {
			self->capacity = self->capacity * 2 + 65536;
			self->data = realloc(self->data, self->capacity);
			CHECK(self->data != NULL);
		}
		if (self->is_ended || self->is_reset)
			return;
		n = recv(self->fd, self->data + self->bytes, self->capacity - self->bytes, 0);
		if (n < 0 && errno == EAGAIN)
			return;
		self->is_ended = n == 0;
		self->is_reset = n < 0;
		if (n > 0)
			self->bytes += (size_t)n;
	}
}

/* Opens a stream; the cursor (absent: none) is sent as it is. The socket takes the answer, and then
 * `budget` bytes. It may have been reset on return. */
static inline void reader_open_at(struct reader *self, uint32_t worker, struct wr_view cursor,
				  uint64_t budget)
{
	const struct wr_address *address = wr_http_server_address(rig.server);
	char request[512];
	const char *end = NULL;
	int bytes = snprintf(request, sizeof request,
			     "GET /%u%s%.*s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: "
			     "websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
			     "dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
			     worker, cursor.data == NULL ? "" : "?cursor=", (int)cursor.bytes,
			     cursor.data == NULL ? "" : cursor.data);

	*self = (struct reader){.fd = socket(AF_INET, SOCK_STREAM, 0), .worker = worker};
	CHECK(self->fd >= 0 && self->fd < RIG_FDS);
	rig.budgets[self->fd] = RIG_UNLIMITED;
	rig.next_budget = budget;
	CHECK(connect(self->fd, (const struct sockaddr *)&address->storage, address->bytes) == 0);
	CHECK(fcntl(self->fd, F_SETFL, O_NONBLOCK) == 0);
	CHECK(sendto(self->fd, request, (size_t)bytes, 0, NULL, 0) == bytes);
	while (end == NULL && !self->is_reset) {
		rig_turn();
		reader_receive(self);
		CHECK(!self->is_ended);
		if (self->bytes > 4)
			end = memmem(self->data, self->bytes, "\r\n\r\n", 4);
	}
	end = end == NULL ? self->data + self->bytes : end + 4;
	self->bytes -= (size_t)(end - self->data);
	memmove(self->data, end, self->bytes);
	self->server_fd = rig.opened_fd;
}

/* The same with a cursor of the Runtime, or NULL. */
static inline void reader_open(struct reader *self, uint32_t worker, const char *cursor,
			       uint64_t budget)
{
	reader_open_at(self, worker,
		       cursor == NULL ? WR_VIEW_NULL : wr_view_of(cursor, WR_CURSOR_BYTES), budget);
	CHECK(!self->is_reset);
}

static inline void reader_allow(const struct reader *self, uint64_t bytes)
{
	rig.budgets[self->server_fd] = bytes;
}

static inline void reader_close(struct reader *self)
{
	close(self->fd);
	free(self->data);
	self->data = NULL;
}

/* Turns until it has so many bytes; fails when they do not come. */
static inline void reader_await(struct reader *self, size_t bytes)
{
	for (unsigned i = 0; i < 100000 && self->bytes < bytes; i++) {
		CHECK(!self->is_ended && !self->is_reset);
		rig_turn();
		reader_receive(self);
	}
	CHECK(self->bytes >= bytes);
}

/* Turns until the connection is over. */
static inline void reader_await_end(struct reader *self)
{
	for (unsigned i = 0; i < 100000 && !self->is_ended && !self->is_reset; i++) {
		rig_turn();
		reader_receive(self);
	}
	CHECK(self->is_ended || self->is_reset);
}

/* Turns as often as anything could still be under way to it, and takes what came. */
static inline void reader_settle(struct reader *self)
{
	for (unsigned i = 0; i < 20; i++) {
		rig_turn();
		reader_receive(self);
	}
}

/* The whole frame at `at`; absent when it is not all here. */
static inline struct wr_view frame_in(struct wr_view bytes, size_t at)
{
	struct wr_ws_frame_header header;
	struct wr_view rest = wr_view_skip(bytes, at);
	size_t head;

	if (rest.bytes == 0 ||
	    wr_ws_frame_header_decode(&header, &head, rest, WR_WS_ROLE_CLIENT) != WR_OK ||
	    header.payload_bytes > rest.bytes - head)
		return WR_VIEW_NULL;
	return wr_view_of(rest.data, head + (size_t)header.payload_bytes);
}

static inline bool frame_has(struct wr_view frame, const char *text)
{
	return frame.data != NULL && memmem(frame.data, frame.bytes, text, strlen(text)) != NULL;
}

/* The `sequence` of an envelope. */
static inline uint64_t frame_sequence(struct wr_view frame)
{
	static const char name[] = "\"sequence\":";
	const char *found = memmem(frame.data, frame.bytes, name, sizeof name - 1);

	CHECK(found != NULL);
	return strtoull(found + sizeof name - 1, NULL, 10);
}

/* The first cursor in a frame: its own, or the oldest usable one. */
static inline const char *frame_cursor(struct wr_view frame)
{
	static const char end[] = "cursor\":\"";
	const char *found = memmem(frame.data, frame.bytes, end, sizeof end - 1);

	CHECK(found != NULL);
	return found + sizeof end - 1;
}

/* What a Close frame is from us. */
static inline unsigned frame_close_code(struct wr_view frame)
{
	CHECK(frame.bytes >= 4 && (unsigned char)frame.data[0] == 0x88);
	return (unsigned)(unsigned char)frame.data[2] << 8 | (unsigned char)frame.data[3];
}

/* ---- witnesses ---- */

/* Reads a scope from the beginning; knows its frames. */
struct witness {
	struct reader reader;
	struct {
		uint64_t sequence;
		size_t at, end; /* in the reader's bytes */
	} * frames;
	size_t count;
	size_t seen; /* bytes cut into frames */
};

static inline void witness_open(struct witness *self, uint32_t worker)
{
	*self = (struct witness){.seen = 0};
	self->frames = malloc(RIG_FRAMES * sizeof self->frames[0]);
	CHECK(self->frames != NULL);
	reader_open(&self->reader, worker, NULL, RIG_UNLIMITED);
	while (frame_in(wr_view_of(self->reader.data, self->reader.bytes), 0).data == NULL)
		reader_await(&self->reader, self->reader.bytes + 1);
	self->seen = frame_in(wr_view_of(self->reader.data, self->reader.bytes), 0).bytes;
}

/* Takes what came: each frame whole, in order. */
static inline void witness_look(struct witness *self)
{
	struct wr_view frame;

	reader_receive(&self->reader);
	for (;;) {
		struct wr_view bytes = wr_view_of(self->reader.data, self->reader.bytes);
		frame = frame_in(bytes, self->seen);
		if (frame.data == NULL)
			return;
		CHECK(self->count < RIG_FRAMES);
		CHECK(frame_has(frame, "\"kind\":\"event\"") ||
		      frame_has(frame, "\"kind\":\"runtime_event\""));
		self->frames[self->count].sequence = frame_sequence(frame);
		self->frames[self->count].at = self->seen;
		self->seen += frame.bytes;
		self->frames[self->count].end = self->seen;
		CHECK(self->count == 0 ||
		      self->frames[self->count - 1].sequence < self->frames[self->count].sequence);
		self->count++;
	}
}

static inline struct wr_view witness_frame(const struct witness *self, size_t index)
{
	return wr_view_of(self->reader.data + self->frames[index].at,
			  self->frames[index].end - self->frames[index].at);
}

/* All it saw from a frame on. */
static inline struct wr_view witness_from(const struct witness *self, size_t index)
{
	size_t at = index == self->count ? self->seen : self->frames[index].at;

	return wr_view_of(self->reader.data + at, self->seen - at);
}

/* Index of the first frame behind a sequence. */
static inline size_t witness_behind(const struct witness *self, uint64_t sequence)
{
	size_t index = 0;

	while (index < self->count && self->frames[index].sequence <= sequence)
		index++;
	return index;
}

static inline void witness_close(struct witness *self)
{
	reader_close(&self->reader);
	free(self->frames);
}

/* The reader has, from its byte `at` on, exactly what the witness saw from a frame on, and no more
 * than that. */
static inline void check_prefix(const struct reader *reader, size_t at,
				const struct witness *witness, size_t index)
{
	struct wr_view expected = witness_from(witness, index);

	CHECK(reader->bytes - at <= expected.bytes);
	CHECK(reader->bytes == at ||
	      memcmp(reader->data + at, expected.data, reader->bytes - at) == 0);
}

#endif
