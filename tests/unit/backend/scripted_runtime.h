/*
 * scripted_runtime — a remote Runtime that does what a test tells it, on a unix socket (what is
 * sent there is there at once) in the same thread: streams with the cursors, snapshots and refusals
 * of design 3, over a log whose records are known to the test. It can be away, restart with or
 * without its newest records, forget, say nonsense, and send by any number of bytes.
 *
 * Records are never removed from `records`: what an unclean stop took away says when (`lost_at`),
 * so that what somebody saw can be judged by what was true then.
 */
#ifndef WR_TESTS_BACKEND_SCRIPTED_RUNTIME_H
#define WR_TESTS_BACKEND_SCRIPTED_RUNTIME_H

#include "backend/backfill.h"
#include "check.h"
#include "codec/ws/frame.h"
#include "codec/ws/handshake.h"
#include "core/cursor.h"
#include "harness/harness.h"
#include "io/descriptor.h"
#include "io/net/address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FAR_WORKERS = 60, FAR_CONNS = 64, FAR_RECORDS = 1 << 17, FAR_GENERATIONS = 256 };
enum { FAR_ENDING = 4 };   /* connections whose end it may not have seen yet */
enum { FAR_NUMBER = 100 }; /* a Worker's number in the Runtime is this and its index */
#define FAR_NEVER UINT32_MAX

enum far_kind {
	FAR_OUTPUT,
	FAR_STOPPED, /* shutdown; runtime_event on the runtime-wide stream */
	FAR_CREATED, /* runtime_event there only */
	FAR_SILENT,  /* nowhere */
	FAR_NOVELTY  /* an event of a name that nobody knows */
};

struct far_record {
	uint64_t sequence;
	uint32_t generation, worker, bytes; /* worker: index from 1 */
	uint32_t lost_at;		    /* number of records when it was lost */
	uint8_t kind, log;		    /* log: each byte of its id */
	bool is_hidden;			    /* by a rule of the Backend */
};

struct far_conn {
	int fd;
	bool is_upgraded, is_over, is_saying_goodbye;
	uint32_t scope; /* index of a Worker, 0: the Runtime */
	uint64_t position;
	char in[16384];
	size_t in_bytes;
	char *out;
	size_t out_at, out_bytes, out_capacity;
	size_t budget; /* bytes that still go before it is cut; SIZE_MAX */
	char request[2048];
	const char *refusal; /* not yet said */
	unsigned refuses_in; /* turns */
};

static struct far_runtime {
	int listener;
	struct wr_address address;
	uint8_t log_id[WR_LOG_ID_BYTES];
	uint32_t generation;
	uint64_t head;
	uint64_t generation_end[FAR_GENERATIONS];
	uint64_t evicted[FAR_WORKERS + 1]; /* 0: runtime-wide */
	struct far_record *records;
	uint32_t count;
	struct far_conn conns[FAR_CONNS];
	bool is_away;	      /* nobody answers */
	unsigned refuses;     /* not 0: answers this status instead of 101 */
	size_t step;	      /* bytes per connection and turn; 0: all */
	size_t backlog;	      /* bytes made ahead of what was sent */
	const char *nonsense; /* sent as the next message of a runtime-wide stream, then NULL */
	bool is_mute;	      /* snapshots are not sent */
	const char *worker_nonsense; /* the first and only message of every Worker's stream */
	bool is_rude;	/* a Close of the client is answered by the end of the connection */
	unsigned tardy; /* turns until a Worker's cursor is refused; or when the client closes */
	bool is_mute_upstream; /* the runtime-wide stream stands still */
	unsigned wide_count, worker_count, wide_opened, worker_opened, worker_peak;
	unsigned snapshots_sent, frames_sent, pings;
	char last_target[512];
	char folder[32]; /* of sockets */
} far;

/* ---- the log ---- */

static inline struct far_record *far_append(uint32_t worker, enum far_kind kind, uint32_t bytes)
{
	struct far_record *record = &far.records[far.count];

	CHECK(far.count < FAR_RECORDS);
	*record = (struct far_record){.sequence = ++far.head,
				      .generation = far.generation,
				      .worker = worker,
				      .bytes = bytes,
				      .lost_at = FAR_NEVER,
				      .kind = (uint8_t)kind,
				      .log = far.log_id[0]};
	far.count++;
	return record;
}

static inline bool far_is_shown(const struct far_record *record)
{
	return !record->is_hidden && (record->kind == FAR_OUTPUT || record->kind == FAR_STOPPED);
}

static inline bool far_is_on(const struct far_record *record, uint32_t scope)
{
	if (record->kind == FAR_SILENT)
		return false;
	return scope == 0 || (record->worker == scope && record->kind != FAR_CREATED);
}

/* The index of the first record of the present log with a sequence above; count: none. The present
 * log is sorted by sequence, if those that were lost are left out. */
static inline uint32_t far_next(uint64_t sequence, uint32_t scope)
{
	uint32_t low = 0;

	/* Lost ones make it only roughly sorted: from far enough back. */
	if (far.count > 4096 && far.records[far.count - 4096].sequence < sequence &&
	    far.records[far.count - 1].sequence > 4096)
		low = far.count - 4096;
	for (uint32_t i = low; i < far.count; i++) {
		const struct far_record *record = &far.records[i];
		if (record->lost_at == FAR_NEVER && record->sequence > sequence &&
		    far_is_on(record, scope))
			return i;
	}
	return far.count;
}

/* ---- texts ---- */

struct far_text {
	char *data;
	size_t bytes, capacity;
};

static inline void far_put(struct far_text *out, const char *data, size_t bytes)
{
	while (out->capacity - out->bytes < bytes) {
		out->capacity = out->capacity * 2 + 4096;
		out->data = realloc(out->data, out->capacity);
		CHECK(out->data != NULL);
	}
	memcpy(out->data + out->bytes, data, bytes);
	out->bytes += bytes;
}

static inline void far_put_string(struct far_text *out, const char *text)
{
	far_put(out, text, strlen(text));
}

static inline void far_put_log_id(struct far_text *out)
{
	char text[2 * WR_LOG_ID_BYTES + 1];

	for (unsigned i = 0; i < WR_LOG_ID_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", far.log_id[i]);
	far_put_string(out, text);
}

static inline void far_cursor(char out[WR_CURSOR_BYTES + 1], uint32_t scope, uint32_t generation,
			      uint64_t sequence)
{
	struct wr_cursor cursor = {
		.is_runtime = scope == 0,
		.generation = generation,
		.worker = scope == 0 ? 0 : FAR_NUMBER + scope,
		.sequence = sequence,
	};

	memcpy(cursor.log_tag, far.log_id, WR_LOG_TAG_BYTES);
	wr_cursor_format(out, &cursor);
	out[WR_CURSOR_BYTES] = '\0';
}

/* Envelope of an event or snapshot up to its payload. */
static inline void far_put_envelope(struct far_text *out, const char *kind, const char *prefix,
				    uint32_t scope, uint32_t worker, uint32_t generation,
				    uint64_t sequence)
{
	char cursor[WR_CURSOR_BYTES + 1], text[512];

	far_cursor(cursor, scope, generation, sequence);
	snprintf(text, sizeof text,
		 "{\"kind\":\"%s\",\"envelope\":{\"cursor\":\"%s\",\"event_id\":\"%s%s\","
		 "%s\"worker_id\":\"w-%u\",\"sequence\":%llu,\"log_id\":\"",
		 kind, cursor, prefix, cursor,
		 strcmp(kind, "event") == 0 ? "" : "\"runtime_id\":\"rt\",", worker,
		 (unsigned long long)sequence);
	far_put_string(out, text);
	far_put_log_id(out);
	far_put_string(out, "\",\"payload\":");
}

/* The text of an output tells which record it is, whatever its sequence. */
static inline void far_put_payload(struct far_text *out, const struct far_record *record)
{
	char text[64];

	if (record->kind == FAR_STOPPED) {
		far_put_string(out, "{\"event\":\"shutdown\"}");
		return;
	}
	snprintf(text, sizeof text, "{\"event\":\"%s\",\"data\":{\"text\":\"#%u ",
		 record->kind == FAR_NOVELTY ? "novelty" : "text_delta",
		 (unsigned)(record - far.records));
	far_put_string(out, text);
	for (uint32_t i = 0; i < record->bytes; i += 16)
		far_put(out, &"abcdefghijklmnopabcdefghijklmnop"[record->sequence & 15],
			record -> bytes - i < 16 ? record -> bytes - i : 16);
	far_put_string(out, "\"}}");
}

static inline void far_put_record(struct far_text *out, const struct far_record *record,
				  uint32_t scope)
{
	char text[256];

	if (scope != 0 || record->kind == FAR_OUTPUT || record->kind == FAR_NOVELTY) {
		far_put_envelope(out, "event", "", scope, record->worker, record->generation,
				 record->sequence);
		far_put_payload(out, record);
	} else {
		far_put_envelope(out, "runtime_event", "", 0, record->worker, record->generation,
				 record->sequence);
		snprintf(text, sizeof text,
			 "{\"id\":%llu,\"kind\":{\"kind\":\"%s\"},\"message\":\"\"}",
			 (unsigned long long)record->sequence,
			 record->kind == FAR_STOPPED ? "worker_stopped" : "worker_created");
		far_put_string(out, text);
	}
	far_put_string(out, "}}");
}

static inline void far_put_snapshot(struct far_text *out, uint32_t scope)
{
	char text[512];

	if (scope == 0) {
		char cursor[WR_CURSOR_BYTES + 1];
		far_cursor(cursor, 0, far.generation, far.head);
		snprintf(text, sizeof text,
			 "{\"kind\":\"runtime_snapshot\",\"envelope\":{\"cursor\":\"%s\","
			 "\"event_id\":\"snapshot:%s\",\"runtime_id\":\"rt\",\"sequence\":%llu,"
			 "\"log_id\":\"",
			 cursor, cursor, (unsigned long long)far.head);
		far_put_string(out, text);
		far_put_log_id(out);
		far_put_string(out, "\",\"payload\":{\"runtime\":{},\"workers\":[],"
				    "\"workers_truncated\":false}}}");
		return;
	}
	far_put_envelope(out, "event", "snapshot:", scope, scope, far.generation, far.head);
	/* `cwd` says when it was made. */
	snprintf(text, sizeof text,
		 "{\"event\":\"snapshot\",\"data\":{\"entries\":[],\"greeting\":{\"worker_name\":"
		 "\"w-%u\",\"cwd\":\"@%u\",\"provider\":\"p\",\"model\":\"m\",\"scope_summary\":"
		 "\"s\","
		 "\"tools\":[],\"context_window\":0,\"context_tokens\":0},\"status\":\"idle\"}}}}",
		 scope, far.count);
	far_put_string(out, text);
}

/* ---- connections ---- */

static inline void far_send_frame(struct far_conn *self, enum wr_ws_opcode opcode, const char *data,
				  size_t bytes)
{
	struct wr_ws_frame_header header = {
		.payload_bytes = bytes, .opcode = (uint8_t)opcode, .is_final = true};
	uint8_t head[WR_WS_FRAME_HEADER_BYTES_MAX];
	struct far_text out = {self->out, self->out_bytes, self->out_capacity};

	far_put(&out, (const char *)head, wr_ws_frame_header_encode(head, &header));
	far_put(&out, data, bytes);
	self->out = out.data;
	self->out_bytes = out.bytes;
	self->out_capacity = out.capacity;
}

static inline void far_send_text(struct far_conn *self, const struct far_text *text)
{
	far_send_frame(self, WR_WS_OPCODE_TEXT, text->data, text->bytes);
	far.frames_sent++;
}

static inline void far_say_goodbye(struct far_conn *self, unsigned code)
{
	const char bytes[2] = {(char)(code >> 8), (char)(code & 255)};

	if (self->is_saying_goodbye)
		return;
	far_send_frame(self, WR_WS_OPCODE_CLOSE, bytes, 2);
	self->is_saying_goodbye = true;
}

static inline void far_diagnose(struct far_conn *self, const char *code, const char *reason,
				unsigned close_code)
{
	char text[256];

	snprintf(text, sizeof text,
		 "{\"kind\":\"diagnostic\",\"diagnostic\":{\"code\":\"%s\",\"message\":\"m\","
		 "\"detail\":{\"reason\":\"%s\"}}}",
		 code, reason);
	far_send_frame(self, WR_WS_OPCODE_TEXT, text, strlen(text));
	far_say_goodbye(self, close_code);
}

static inline void far_drop(struct far_conn *self)
{
	if (self->fd < 0)
		return;
	close(self->fd);
	free(self->out);
	if (self->is_upgraded && self->scope == 0)
		far.wide_count--;
	else if (self->is_upgraded)
		far.worker_count--;
	*self = (struct far_conn){.fd = -1};
}

/* As core/runtime_view.c judges; NULL: it is good. */
static inline const char *far_judge(uint32_t scope, const char *token, uint64_t *position)
{
	struct wr_cursor cursor;

	CHECK_STATUS(wr_cursor_parse(&cursor, wr_view_of(token, strlen(token))), WR_OK);
	if (cursor.is_runtime != (scope == 0))
		return "scope_mismatch";
	if (memcmp(cursor.log_tag, far.log_id, WR_LOG_TAG_BYTES) != 0)
		return "unknown";
	if (cursor.worker != (scope == 0 ? 0 : FAR_NUMBER + scope))
		return "scope_mismatch";
	if (cursor.generation == 0 || cursor.generation > far.generation)
		return "unknown";
	if (cursor.generation < far.generation &&
	    cursor.sequence > far.generation_end[cursor.generation])
		return "lost_tail";
	if (cursor.sequence > far.head)
		return "ahead";
	*position = cursor.sequence;
	return cursor.sequence < far.evicted[scope] ? "expired" : NULL;
}

static inline void far_begin_stream(struct far_conn *self, const char *token)
{
	struct far_text text = {NULL, 0, 0};
	const char *refusal;

	self->position = far.head;
	if (token != NULL) {
		refusal = far_judge(self->scope, token, &self->position);
		self->refusal = far.tardy != 0 && self->scope != 0 ? refusal : NULL;
		self->refuses_in = far.tardy;
		if (refusal != NULL && self->refusal == NULL)
			far_diagnose(self, "runtime.cursor_unknown_or_expired", refusal, 1008);
		return;
	}
	if (far.is_mute || (self->scope != 0 && far.worker_nonsense != NULL))
		return;
	if (self->scope != 0)
		far.snapshots_sent++;
	far_put_snapshot(&text, self->scope);
	far_send_text(self, &text);
	free(text.data);
}

static inline void far_answer(struct far_conn *self, const char *head)
{
	struct far_text out = {self->out, self->out_bytes, self->out_capacity};

	far_put_string(&out, head);
	self->out = out.data;
	self->out_bytes = out.bytes;
	self->out_capacity = out.capacity;
}

static inline void far_take_request(struct far_conn *self)
{
	char accept_value[WR_WS_ACCEPT_BYTES], head[512], *token, *end;
	const char *key = strstr(self->request, "Sec-WebSocket-Key: ");
	char *target = self->request + 4;

	CHECK(key != NULL && strncmp(self->request, "GET ", 4) == 0);
	CHECK(strstr(self->request, "Authorization: Bearer secret\r\n") != NULL);
	wr_ws_accept_key(accept_value, wr_view_of(key + 19, 24));
	end = strchr(target, ' ');
	*end = '\0';
	snprintf(far.last_target, sizeof far.last_target, "%s", target);
	token = strstr(target, "?cursor=");
	if (token != NULL) {
		*token = '\0';
		token += 8;
	}
	CHECK(strncmp(target, "/base/v1/", 9) == 0);
	self->scope =
		strcmp(target, "/base/v1/events/ws") == 0
			? 0
			: (uint32_t)strtoul(target + sizeof "/base/v1/workers/w-" - 1, NULL, 10);
	if (far.refuses != 0 || self->scope > FAR_WORKERS ||
	    (self->scope == 0 && strcmp(target, "/base/v1/events/ws") != 0)) {
		snprintf(head, sizeof head, "HTTP/1.1 %u No\r\nContent-Length: 0\r\n\r\n",
			 far.refuses != 0 ? far.refuses : 404);
		far_answer(self, head);
		self->is_over = true;
		return;
	}
	snprintf(head, sizeof head,
		 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
		 "Upgrade\r\nSec-WebSocket-Accept: %.*s\r\n\r\n",
		 (int)WR_WS_ACCEPT_BYTES, accept_value);
	far_answer(self, head);
	self->is_upgraded = true;
	if (self->scope == 0) {
		far.wide_count++;
		far.wide_opened++;
	} else {
		far.worker_opened++;
		if (++far.worker_count > far.worker_peak)
			far.worker_peak = far.worker_count;
	}
	far_begin_stream(self, token);
}

/* Frames of the client: it may ping and close, and say nothing else. */
static inline void far_take_frames(struct far_conn *self)
{
	for (;;) {
		struct wr_ws_frame_header header;
		size_t head;
		unsigned code = 1000;
		if (self->in_bytes == 0 ||
		    wr_ws_frame_header_decode(&header, &head, wr_view_of(self->in, self->in_bytes),
					      WR_WS_ROLE_SERVER) != WR_OK ||
		    self->in_bytes - head < header.payload_bytes)
			return;
		wr_ws_mask(self->in + head, (size_t)header.payload_bytes, header.mask, 0);
		if (header.opcode == WR_WS_OPCODE_CLOSE && header.payload_bytes >= 2)
			code = (unsigned)(unsigned char)self->in[head] << 8 |
			       (unsigned char)self->in[head + 1];
		CHECK(header.opcode == WR_WS_OPCODE_CLOSE || header.opcode == WR_WS_OPCODE_PING ||
		      header.opcode == WR_WS_OPCODE_PONG);
		if (header.opcode == WR_WS_OPCODE_CLOSE && far.is_rude) {
			far_drop(self);
			return;
		}
		if (header.opcode == WR_WS_OPCODE_CLOSE && self->refusal != NULL)
			far_diagnose(self, "runtime.cursor_unknown_or_expired", self->refusal,
				     1008);
		if (header.opcode == WR_WS_OPCODE_CLOSE)
			far_say_goodbye(self, code);
		if (header.opcode == WR_WS_OPCODE_PING) {
			far.pings++;
			far_send_frame(self, WR_WS_OPCODE_PONG, self->in + head,
				       (size_t)header.payload_bytes);
		}
		head += (size_t)header.payload_bytes;
		self->in_bytes -= head;
		memmove(self->in, self->in + head, self->in_bytes);
	}
}

static inline void far_read(struct far_conn *self)
{
	char *end;
	ssize_t n = recv(self->fd, self->in + self->in_bytes, sizeof self->in - self->in_bytes, 0);

	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		far_drop(self);
		return;
	}
	if (n > 0)
		self->in_bytes += (size_t)n;
	if (self->is_upgraded) {
		far_take_frames(self);
		return;
	}
	end = memmem(self->in, self->in_bytes, "\r\n\r\n", 4);
	if (end == NULL)
		return;
	end += 4;
	memcpy(self->request, self->in, (size_t)(end - self->in));
	self->request[end - self->in] = '\0';
	self->in_bytes -= (size_t)(end - self->in);
	memmove(self->in, end, self->in_bytes);
	far_take_request(self);
}

/* Makes what follows, a little ahead of what has gone. */
static inline void far_fill(struct far_conn *self)
{
	struct far_text text = {NULL, 0, 0};

	if (self->scope == 0 && far.nonsense != NULL && !self->is_saying_goodbye) {
		far_send_frame(self, WR_WS_OPCODE_TEXT, far.nonsense, strlen(far.nonsense));
		far.nonsense = NULL;
	}
	if (self->scope == 0 && far.is_mute_upstream)
		return;
	if (self->refusal != NULL) {
		if (self->refuses_in-- == 0)
			far_diagnose(self, "runtime.cursor_unknown_or_expired", self->refusal,
				     1008);
		return;
	}
	if (self->scope != 0 && far.worker_nonsense != NULL) {
		if (self->out_bytes == 0 && !self->is_saying_goodbye)
			far_send_frame(self, WR_WS_OPCODE_TEXT, far.worker_nonsense,
				       strlen(far.worker_nonsense));
		return;
	}
	while (!self->is_saying_goodbye && self->out_bytes - self->out_at < far.backlog) {
		uint32_t next = far_next(self->position, self->scope);
		if (self->position < far.evicted[self->scope]) {
			far_diagnose(self, "runtime.cursor_expired", "expired", 1013);
			break;
		}
		if (next == far.count)
			break;
		text.bytes = 0;
		far_put_record(&text, &far.records[next], self->scope);
		far_send_text(self, &text);
		self->position = far.records[next].sequence;
	}
	free(text.data);
}

static inline void far_write(struct far_conn *self)
{
	size_t left = self->out_bytes - self->out_at;
	ssize_t n;

	if (far.step != 0 && left > far.step)
		left = far.step;
	if (left > self->budget)
		left = self->budget;
	if (left != 0) {
		n = sendto(self->fd, self->out + self->out_at, left, MSG_NOSIGNAL, NULL, 0);
		if (n < 0 && errno != EAGAIN) {
			far_drop(self);
			return;
		}
		if (n > 0) {
			self->out_at += (size_t)n;
			self->budget -= self->budget == SIZE_MAX ? 0 : (size_t)n;
		}
	}
	if (self->out_at == self->out_bytes) {
		self->out_at = self->out_bytes = 0;
		if (self->is_over || self->is_saying_goodbye) {
			shutdown(self->fd, SHUT_WR);
			self->is_over = true;
		}
	}
	if (self->budget == 0)
		far_drop(self);
}

static inline void far_accept(void)
{
	for (;;) {
		int fd = wr_descriptor_accept(far.listener, NULL, NULL);
		unsigned i = 0;
		if (fd < 0)
			return;
		while (i < FAR_CONNS && far.conns[i].fd >= 0)
			i++;
		CHECK(i < FAR_CONNS);
		if (far.is_away) {
			close(fd);
			continue;
		}
		far.conns[i] = (struct far_conn){.fd = fd, .budget = SIZE_MAX};
	}
}

static inline void far_turn(void)
{
	far_accept();
	for (unsigned i = 0; i < FAR_CONNS; i++) {
		struct far_conn *conn = &far.conns[i];
		if (conn->fd >= 0)
			far_read(conn);
		if (conn->fd >= 0 && conn->is_upgraded)
			far_fill(conn);
		if (conn->fd >= 0)
			far_write(conn);
	}
	CHECK(far.wide_count <= 1 && far.worker_count <= WR_BACKFILL_CONNECTIONS + FAR_ENDING);
}

/* ---- its life ---- */

static inline void far_new_log(uint8_t seed)
{
	memset(far.log_id, seed, sizeof far.log_id);
	memset(far.evicted, 0, sizeof far.evicted);
	for (uint32_t i = 0; i < far.count; i++)
		if (far.records[i].lost_at == FAR_NEVER)
			far.records[i].lost_at = far.count;
	far.generation = 1;
	far.head = 0;
}

static inline void far_open(void)
{
	char text[64];
	int bytes;

	memset(&far, 0, sizeof far);
	far.records = calloc(FAR_RECORDS, sizeof far.records[0]);
	CHECK(far.records != NULL);
	memcpy(far.folder, "/tmp/wr-test-XXXXXX", sizeof "/tmp/wr-test-XXXXXX");
	wr_test_make_folder(far.folder);
	bytes = snprintf(text, sizeof text, "unix:%s/far", far.folder);
	CHECK_STATUS(wr_address_parse(&far.address, wr_view_of(text, (size_t)bytes)), WR_OK);
	far.listener = wr_descriptor_socket(AF_UNIX);
	CHECK(bind(far.listener, (struct sockaddr *)&far.address.storage, far.address.bytes) == 0);
	CHECK(listen(far.listener, 256) == 0);
	for (unsigned i = 0; i < FAR_CONNS; i++)
		far.conns[i].fd = -1;
	far.backlog = 65536;
	far_new_log(1);
}

/* Every connection is cut. */
static inline void far_cut(void)
{
	for (unsigned i = 0; i < FAR_CONNS; i++)
		far_drop(&far.conns[i]);
}

static inline struct far_conn *far_wide(void)
{
	for (unsigned i = 0; i < FAR_CONNS; i++)
		if (far.conns[i].fd >= 0 && far.conns[i].is_upgraded && far.conns[i].scope == 0)
			return &far.conns[i];
	return NULL;
}

/* An unclean stop, which takes the newest records away: those above `kept`. */
static inline void far_crash(uint64_t kept)
{
	far_cut();
	far.generation_end[far.generation] = kept;
	for (uint32_t i = 0; i < far.count; i++)
		if (far.records[i].lost_at == FAR_NEVER && far.records[i].sequence > kept)
			far.records[i].lost_at = far.count;
	far.head = kept;
	far.generation++;
	CHECK(far.generation < FAR_GENERATIONS);
}

static inline void far_close(void)
{
	char path[64];

	far_cut();
	close(far.listener);
	snprintf(path, sizeof path, "%s/far", far.folder);
	CHECK(unlink(path) == 0 && rmdir(far.folder) == 0);
	free(far.records);
}

#endif
