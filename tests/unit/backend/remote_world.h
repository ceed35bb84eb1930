/*
 * remote_world — a scripted Runtime, the streams of a Backend over it, and browsers, in one thread
 * and with a clock that is moved by hand.
 *
 * A browser is judged with every frame that it gets: by the cursor and the text it is a record, and
 * of the log as it was when that record was made it must be the next one of its Worker behind what
 * the browser had. So nothing is missing, nothing comes twice, and nothing is mixed with what was
 * lost.
 */
#ifndef WR_TESTS_BACKEND_REMOTE_WORLD_H
#define WR_TESTS_BACKEND_REMOTE_WORLD_H

#include "backend/remote_parts.h"
#include "io/clock.h"
#include "unit/backend/scripted_runtime.h"

enum { WORLD_FDS = 4096, WORLD_BROWSERS = 256 };
struct browser;
#define WORLD_UNLIMITED UINT64_MAX

static struct world {
	struct wr_reactor reactor;
	struct wr_http_server *server;
	struct wr_remote_stream *remote;
	struct wr_remote_stream_config config;
	uint64_t now_ms;
	uint64_t budgets[WORLD_FDS];
	uint64_t next_budget;
	int opened_fd;
	struct browser *browsers[WORLD_BROWSERS]; /* that are open */
	unsigned states, changes;
	enum wr_remote_state state;
} world;

/* ---- the clock ---- */

uint64_t wr_clock_monotonic_ms(void)
{
	return world.now_ms;
}

int64_t wr_clock_wall_ms(void)
{
	return 1782400000000 + (int64_t)world.now_ms;
}

/* ---- sockets: how much a browser takes is decided here, byte for byte ---- */

static inline ssize_t world_pass(int fd, const void *data, size_t bytes, int flags)
{
	ssize_t n;

	CHECK(fd >= 0 && fd < WORLD_FDS);
	if (bytes > 12 && memcmp(data, "HTTP/1.1 101", 12) == 0) {
		world.opened_fd = fd;
		world.budgets[fd] = world.next_budget;
		return sendto(fd, data, bytes, flags, NULL, 0);
	}
	if (bytes > 4 && memcmp(data, "GET ", 4) == 0) /* no browser's any more */
		world.budgets[fd] = WORLD_UNLIMITED;
	if (bytes > world.budgets[fd])
		bytes = (size_t)world.budgets[fd];
	if (bytes == 0) {
		errno = EAGAIN;
		return -1;
	}
	n = sendto(fd, data, bytes, flags, NULL, 0);
	if (n > 0 && world.budgets[fd] != WORLD_UNLIMITED)
		world.budgets[fd] -= (uint64_t)n;
	return n;
}

ssize_t send(int fd, const void *data, size_t bytes, int flags)
{
	return world_pass(fd, data, bytes, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t sum = 0;

	for (size_t i = 0; i < (size_t)message->msg_iovlen; i++) {
		const struct iovec *part = &message->msg_iov[i];
		ssize_t n = world_pass(fd, part->iov_base, part->iov_len, flags);
		if (n < 0)
			return sum != 0 ? sum : n;
		sum += n;
		if ((size_t)n != part->iov_len)
			break;
	}
	return sum;
}

/* ---- the Backend ---- */

/* The path is "/" and the Worker's id. */
static inline void world_on_head(void *context, struct wr_http_exchange *exchange)
{
	struct wr_view query = exchange->target.query, cursor = WR_VIEW_NULL;

	(void)context;
	CHECK(wr_ws_handshake_check(exchange->head) == WR_WS_HANDSHAKE_OK);
	if (wr_view_starts(query, WR_VIEW("cursor=")))
		cursor = wr_view_skip(query, 7);
	wr_remote_stream_observe(world.remote, exchange, wr_view_skip(exchange->target.path, 1),
				 cursor);
}

static inline void world_on_request(void *context, struct wr_http_exchange *exchange,
				    struct wr_view body)
{
	(void)context, (void)body;
	wr_http_answer(exchange, 404, WR_VIEW_NULL);
}

static inline void world_on_abandon(void *context, struct wr_http_exchange *exchange)
{
	(void)context, (void)exchange;
}

static inline void world_on_fault(void *context, struct wr_buf *body, unsigned status,
				  enum wr_http_server_fault kind, enum wr_http_fault fault)
{
	(void)context, (void)body, (void)status, (void)kind, (void)fault;
}

static inline void world_on_state(void *context, enum wr_remote_state state)
{
	(void)context;
	world.states++;
	world.state = state;
}

static inline void world_on_change(void *context)
{
	(void)context;
	world.changes++;
}

static inline void world_start(void)
{
	CHECK_STATUS(wr_remote_stream_new(&world.remote, &world.reactor, wr_test_allocator(),
					  world.server, &world.config),
		     WR_OK);
}

/* The config may be changed between world_prepare and world_start. */
static inline void world_prepare(void)
{
	static const struct wr_http_app app = {NULL, world_on_head, world_on_request,
					       world_on_abandon, world_on_fault};
	struct wr_http_server_config config;
	struct wr_address address;
	struct wr_error error;
	char text[64];
	int bytes;

	memset(&world, 0, sizeof world);
	world.now_ms = 1000000;
	world.next_budget = WORLD_UNLIMITED;
	for (unsigned i = 0; i < WORLD_FDS; i++)
		world.budgets[i] = WORLD_UNLIMITED;
	far_open();
	wr_http_server_defaults(&config);
	bytes = snprintf(text, sizeof text, "unix:%s/near", far.folder);
	CHECK_STATUS(wr_address_parse(&address, wr_view_of(text, (size_t)bytes)), WR_OK);
	CHECK_STATUS(wr_reactor_init(&world.reactor, wr_test_allocator(), &error), WR_OK);
	world.server = wr_http_server_new(&world.reactor, wr_test_allocator(), &config, &app,
					  &address, &error);
	CHECK(world.server != NULL);
	world.config = (struct wr_remote_stream_config){
		.to.address = far.address,
		.host = WR_VIEW("far.example"),
		.target_prefix = WR_VIEW("/base"),
		.authorization = WR_VIEW("Bearer secret"),
		.runtime_id = WR_VIEW("remote:a"),
		.retention = {64, 1 << 20, 4096, 8 << 20},
		.ms_max = 2000,
		.on_state = world_on_state,
		.on_change = world_on_change,
	};
}

static inline void world_close(void)
{
	wr_remote_stream_free(world.remote);
	wr_http_server_free(world.server);
	wr_reactor_deinit(&world.reactor);
	far_close();
}

/* ---- browsers ---- */

struct browser {
	int fd, server_fd;
	uint32_t worker;
	char *data;
	size_t bytes, capacity, seen; /* seen: cut into frames */
	bool is_upgraded, is_ended, is_reset;
	/* Up to where it has everything, and when that was so. */
	bool has_begun, had_cursor;
	uint64_t position;
	uint32_t as_of;			  /* number of records then */
	char cursor[WR_CURSOR_BYTES + 1]; /* of its newest frame */
	unsigned events, snapshots;
	char diagnostic[512]; /* what it was told at last */
	unsigned close_code;
};

static inline void browser_receive(struct browser *self)
{
	while (!self->is_ended && !self->is_reset) {
		ssize_t n;
		if (self->capacity - self->bytes < 65536) {
			self->capacity = self->capacity * 2 + 65536;
			self->data = realloc(self->data, self->capacity);
			CHECK(self->data != NULL);
		}
		n = recv(self->fd, self->data + self->bytes, self->capacity - self->bytes, 0);
		if (n < 0 && errno == EAGAIN)
			return;
		self->is_ended = n == 0;
		self->is_reset = n < 0;
		if (n > 0)
			self->bytes += (size_t)n;
	}
}

static inline const char *text_behind(struct wr_view frame, const char *name)
{
	const char *found = memmem(frame.data, frame.bytes, name, strlen(name));

	return found == NULL ? NULL : found + strlen(name);
}

/* The next record of the Worker behind `position`, of the log as it was when `as_of` had been
 * written. */
static inline const struct far_record *record_behind(uint32_t worker, uint64_t position,
						     uint32_t as_of)
{
	const struct far_record *next = NULL;

	for (uint32_t i = 0; i < as_of; i++) {
		const struct far_record *record = &far.records[i];
		if (record->worker == worker && far_is_shown(record) && record->lost_at >= as_of &&
		    record->sequence > position &&
		    (next == NULL || record->sequence < next->sequence))
			next = record;
	}
	return next;
}

/* Nothing that it knows, as of then, was lost before `as_of`. */
static inline void check_nothing_lost(const struct browser *self, uint32_t as_of)
{
	for (uint32_t i = 0; i < self->as_of; i++) {
		const struct far_record *record = &far.records[i];
		CHECK(record->worker != self->worker || !far_is_shown(record) ||
		      record->sequence > self->position || record->lost_at < self->as_of ||
		      record->lost_at >= as_of);
	}
}

static inline struct wr_backend_cursor browser_cursor(const char *token)
{
	struct wr_backend_cursor cursor;
	struct wr_cursor_mask mask;

	wr_cursor_mask_init(&mask, WR_VIEW("remote:a"));
	CHECK_STATUS(wr_backend_cursor_parse(&cursor, &mask, wr_view_of(token, WR_CURSOR_BYTES)),
		     WR_OK);
	return cursor;
}

static inline void browser_take_event(struct browser *self, struct wr_view frame,
				      const struct wr_backend_cursor *cursor)
{
	const char *text = text_behind(frame, "{\"text\":\"#");
	const struct far_record *record, *expected;

	CHECK(self->has_begun);
	if (text != NULL) {
		record = &far.records[strtoul(text, NULL, 10)];
	} else {
		CHECK(text_behind(frame, "{\"event\":\"shutdown\"}") != NULL);
		record = record_behind(self->worker, self->position, far.count);
		/* Of several with this sequence, the one that was of that generation. */
		for (uint32_t i = 0; i < far.count; i++)
			if (far.records[i].sequence == cursor->sequence &&
			    far.records[i].generation == cursor->generation &&
			    far.records[i].log == cursor->log_tag[0] &&
			    far.records[i].kind == FAR_STOPPED)
				record = &far.records[i];
		CHECK(record != NULL && record->kind == FAR_STOPPED);
	}
	CHECK(cursor->sequence == record->sequence && cursor->generation == record->generation &&
	      cursor->log_tag[0] == record->log);
	expected =
		record_behind(self->worker, self->position, (uint32_t)(record - far.records) + 1);
	CHECK(expected == record && record->lost_at >= self->as_of);
	if ((uint32_t)(record - far.records) + 1 > self->as_of) {
		check_nothing_lost(self, (uint32_t)(record - far.records) + 1);
		self->as_of = (uint32_t)(record - far.records) + 1;
	}
	self->position = record->sequence;
	self->events++;
}

static inline void browser_take_frame(struct browser *self, struct wr_view frame)
{
	const char *token, *when;
	struct wr_backend_cursor cursor;

	if ((frame.data[0] & 0x0f) == WR_WS_OPCODE_PING) {
		CHECK(sendto(self->fd, "\x8a\x80mask", 6, MSG_NOSIGNAL, NULL, 0) == 6);
		return;
	}
	if ((frame.data[0] & 0x0f) == WR_WS_OPCODE_CLOSE) {
		self->close_code =
			(unsigned)(unsigned char)frame.data[2] << 8 | (unsigned char)frame.data[3];
		return;
	}
	CHECK(self->close_code == 0 && self->diagnostic[0] == '\0');
	if (text_behind(frame, "\"kind\":\"diagnostic\"") != NULL) {
		when = memchr(frame.data, '{', frame.bytes);
		CHECK(when != NULL && frame.bytes < sizeof self->diagnostic);
		memcpy(self->diagnostic, when, (size_t)(frame.data + frame.bytes - when));
		return;
	}
	token = text_behind(frame, "\"cursor\":\"");
	CHECK(token != NULL && text_behind(frame, "\"runtime_id\":\"remote:a\"") != NULL);
	CHECK(text_behind(frame, "wo_") == NULL && text_behind(frame, "re_") == NULL);
	cursor = browser_cursor(token);
	memcpy(self->cursor, token, WR_CURSOR_BYTES);
	when = text_behind(frame, "\"cwd\":\"@");
	if (when == NULL) {
		browser_take_event(self, frame, &cursor);
		return;
	}
	CHECK(!self->has_begun && !self->had_cursor);
	self->has_begun = true;
	self->position = cursor.sequence;
	self->as_of = (uint32_t)strtoul(when, NULL, 10);
	self->snapshots++;
}

static inline void browser_look(struct browser *self)
{
	const char *head;

	if (self->fd < 0)
		return;
	browser_receive(self);
	if (!self->is_upgraded) {
		head = self->bytes < 4 ? NULL : memmem(self->data, self->bytes, "\r\n\r\n", 4);
		if (head == NULL)
			return;
		CHECK(memcmp(self->data, "HTTP/1.1 101", 12) == 0);
		self->is_upgraded = true;
		self->seen = (size_t)(head + 4 - self->data);
	}
	for (;;) {
		struct wr_ws_frame_header header;
		struct wr_view rest = wr_view_of(self->data + self->seen, self->bytes - self->seen);
		size_t bytes;
		if (rest.bytes == 0 ||
		    wr_ws_frame_header_decode(&header, &bytes, rest, WR_WS_ROLE_CLIENT) != WR_OK ||
		    header.payload_bytes > rest.bytes - bytes)
			return;
		bytes += (size_t)header.payload_bytes;
		browser_take_frame(self, wr_view_of(rest.data, bytes));
		self->seen += bytes;
	}
}

static inline void world_turn(void)
{
	wr_reactor_turn(&world.reactor, 0);
	far_turn();
	for (unsigned i = 0; i < WORLD_BROWSERS; i++)
		if (world.browsers[i] != NULL)
			browser_look(world.browsers[i]);
}

/* As often as anything may still be under way. */
static inline void world_settle(void)
{
	for (unsigned i = 0; i < 40; i++)
		world_turn();
}

/* Time goes by, in steps. */
static inline void world_pass_ms(uint64_t ms)
{
	for (uint64_t step; ms != 0; ms -= step) {
		step = ms < 50 ? ms : 50;
		world.now_ms += step;
		for (unsigned i = 0; i < 6; i++)
			world_turn();
	}
	world_settle();
}

static inline void world_open(void)
{
	world_prepare();
	world_start();
	world_settle();
}

/* Begins; the answer is not here on return. `cursor` as it is in the request; NULL: none. */
static inline void browser_ask(struct browser *self, uint32_t worker, const char *cursor)
{
	const struct wr_address *address = wr_http_server_address(world.server);
	char request[512];
	unsigned i = 0;
	int bytes =
		snprintf(request, sizeof request,
			 "GET /w-%u%s%s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: "
			 "websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
			 "dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
			 worker, cursor == NULL ? "" : "?cursor=", cursor == NULL ? "" : cursor);

	*self = (struct browser){.fd = socket(AF_UNIX, SOCK_STREAM, 0), .worker = worker};
	CHECK(self->fd >= 0 && self->fd < WORLD_FDS);
	world.budgets[self->fd] = WORLD_UNLIMITED;
	CHECK(connect(self->fd, (const struct sockaddr *)&address->storage, address->bytes) == 0);
	CHECK(fcntl(self->fd, F_SETFL, O_NONBLOCK) == 0);
	CHECK(sendto(self->fd, request, (size_t)bytes, 0, NULL, 0) == bytes);
	self->had_cursor = cursor != NULL;
	while (world.browsers[i] != NULL)
		i++;
	CHECK(i < WORLD_BROWSERS);
	world.browsers[i] = self;
}

static inline void browser_await_upgrade(struct browser *self, uint64_t budget)
{
	world.next_budget = budget;
	for (unsigned i = 0; i < 1000 && !self->is_upgraded; i++) {
		world_turn();
		browser_look(self);
	}
	CHECK(self->is_upgraded);
	self->server_fd = world.opened_fd;
	world.next_budget = WORLD_UNLIMITED;
}

static inline void browser_open(struct browser *self, uint32_t worker)
{
	browser_ask(self, worker, NULL);
	browser_await_upgrade(self, WORLD_UNLIMITED);
}

/* With a cursor that was good `as_of` then. */
static inline void browser_resume(struct browser *self, uint32_t worker, const char *cursor,
				  uint32_t as_of, uint64_t budget)
{
	char copy[WR_CURSOR_BYTES + 1];

	memcpy(copy, cursor, sizeof copy);
	browser_ask(self, worker, copy);
	self->has_begun = true;
	self->position = browser_cursor(copy).sequence;
	self->as_of = as_of;
	memcpy(self->cursor, copy, sizeof copy);
	browser_await_upgrade(self, budget);
}

static inline void browser_allow(const struct browser *self, uint64_t bytes)
{
	world.budgets[self->server_fd] = bytes;
}

static inline void browser_close(struct browser *self)
{
	for (unsigned i = 0; i < WORLD_BROWSERS; i++)
		if (world.browsers[i] == self)
			world.browsers[i] = NULL;
	if (self->fd >= 0)
		close(self->fd);
	free(self->data);
	self->data = NULL;
	self->fd = -1;
}

static inline void browser_settle(struct browser *self)
{
	world_settle();
	browser_look(self);
}

/* It has everything that there is. */
static inline bool browser_is_up_to_date(const struct browser *self)
{
	return self->has_begun && !self->is_ended && !self->is_reset &&
	       record_behind(self->worker, self->position, far.count) == NULL;
}

static inline bool browser_was_told(const struct browser *self, const char *text)
{
	return strstr(self->diagnostic, text) != NULL;
}

#endif
