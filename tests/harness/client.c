/* See client.h. */
#include "harness/client.h"

#include "codec/http/body.h"
#include "codec/http/message.h"
#include "codec/json/reader.h"
#include "codec/ws/handshake.h"
#include "io/descriptor.h"
#include "io/net/address.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECEIVE_BYTES = 65536, BUFFER_BYTES_MAX = 256 << 20 };

/* ---- sockets ---- */

int wr_connect(const char *address, int receive_bytes)
{
	struct wr_address to;
	int fd;

	CHECK_STATUS(wr_address_parse(&to, wr_view_of_string(address)), WR_OK);
	fd = socket(to.storage.ss_family, SOCK_STREAM, 0);
	CHECK(fd >= 0);
	CHECK(fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
	if (receive_bytes != 0)
		CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes) ==
		      0);
	if (connect(fd, (const struct sockaddr *)&to.storage, to.bytes) != 0) {
		close(fd);
		return -1;
	}
	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	return fd;
}

bool wr_send_all(int fd, struct wr_view bytes, unsigned ms)
{
	while (bytes.bytes > 0) {
		struct pollfd wait = {.fd = fd, .events = POLLOUT};
		ssize_t sent = send(fd, bytes.data, bytes.bytes, MSG_NOSIGNAL);

		if (sent > 0)
			bytes = wr_view_skip(bytes, (size_t)sent);
		else if (sent < 0 && !wr_descriptor_is_again(errno) && errno != EINTR)
			return false;
		else if (poll(&wait, 1, (int)ms) == 0)
			return false;
	}
	return true;
}

int wr_receive_some(int fd, void *to, size_t room, unsigned ms)
{
	uint64_t end = wr_process_now_ms() + ms;

	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		uint64_t now = wr_process_now_ms();
		ssize_t got;

		if (poll(&wait, 1, now < end ? (int)(end - now) : 0) == 0)
			return -1;
		got = recv(fd, to, room, 0);
		if (got >= 0)
			return (int)got;
		if (!wr_descriptor_is_again(errno) && errno != EINTR)
			return 0;
	}
}

bool wr_wait_end(int fd, unsigned ms)
{
	uint64_t end = wr_process_now_ms() + ms;
	char bytes[4096];
	int got;

	do {
		uint64_t now = wr_process_now_ms();
		got = wr_receive_some(fd, bytes, sizeof bytes,
				      now < end ? (unsigned)(end - now) : 0);
	} while (got > 0);
	return got == 0;
}

void wr_close_reset(int fd)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(fd);
}

/* Appends what comes within `ms` to the buffer; as wr_receive_some. */
static int receive_into(int fd, struct wr_buf *in, unsigned ms)
{
	char *room = wr_buf_reserve(in, RECEIVE_BYTES);
	int got;

	CHECK(room != NULL);
	got = wr_receive_some(fd, room, RECEIVE_BYTES, ms);
	if (got > 0)
		wr_buf_commit(in, (size_t)got);
	return got;
}

/* ---- HTTP ---- */

void wr_client_open(struct wr_client *self, const struct wr_process *server, const char *token)
{
	memset(self, 0, sizeof *self);
	self->wait_ms = WR_CLIENT_WAIT_MS;
	self->token = token;
	self->host = "localhost";
	self->fd = wr_connect(server->address, 0);
	CHECK(self->fd >= 0);
	wr_buf_init(&self->in, wr_test_allocator(), BUFFER_BYTES_MAX);
	wr_buf_init(&self->body, wr_test_allocator(), BUFFER_BYTES_MAX);
}

void wr_client_close(struct wr_client *self)
{
	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
	wr_buf_deinit(&self->in);
	wr_buf_deinit(&self->body);
}

void wr_client_send_view(struct wr_client *self, struct wr_view bytes)
{
	CHECK(wr_send_all(self->fd, bytes, self->wait_ms));
}

void wr_client_send(struct wr_client *self, const char *bytes)
{
	wr_client_send_view(self, wr_view_of_string(bytes));
}

static bool has_content_type(const char *fields)
{
	return fields != NULL && strcasestr(fields, "content-type:") != NULL;
}

void wr_client_send_request(struct wr_client *self, const char *method, const char *target,
			    const char *fields, const char *body)
{
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), BUFFER_BYTES_MAX);
	wr_http_write_request_line(&out, wr_view_of_string(method), wr_view_of_string(target));
	wr_http_write_field(&out, WR_VIEW("Host"), wr_view_of_string(self->host));
	if (self->token != NULL) {
		wr_buf_append_view(&out, WR_VIEW("Authorization: Bearer "));
		wr_buf_append_view(&out, wr_view_of_string(self->token));
		wr_buf_append_view(&out, WR_VIEW("\r\n"));
	}
	if (fields != NULL)
		wr_buf_append_view(&out, wr_view_of_string(fields));
	if (body != NULL) {
		if (!has_content_type(fields))
			wr_http_write_field(&out, WR_VIEW("Content-Type"),
					    WR_VIEW("application/json"));
		wr_http_write_field_u64(&out, WR_VIEW("Content-Length"), strlen(body));
	}
	wr_http_write_head_end(&out);
	if (body != NULL)
		wr_buf_append_view(&out, wr_view_of_string(body));
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	wr_client_send_view(self, wr_buf_view(&out));
	wr_buf_deinit(&out);
}

static void receive_more(struct wr_client *self)
{
	int got = receive_into(self->fd, &self->in, self->wait_ms);

	if (got < 0)
		wr_test_fail(__FILE__, __LINE__, "no answer in time");
	if (got == 0)
		wr_test_fail(__FILE__, __LINE__, "the connection ended before the answer did");
}

/* Collects the body behind the head; the bytes used of `in` afterwards. */
static size_t receive_body(struct wr_client *self, const struct wr_http_head *head, size_t at)
{
	struct wr_http_body body;

	wr_http_body_init(&body, head->framing, head->body_bytes);
	while (!body.is_complete) {
		struct wr_view rest = wr_view_skip(wr_buf_view(&self->in), at), payload;
		size_t consumed;
		enum wr_status status = wr_http_body_feed(&body, &payload, &consumed, rest);

		CHECK(status == WR_OK || status == WR_MORE);
		wr_buf_append_view(&self->body, payload);
		at += consumed;
		if (status == WR_MORE && !body.is_complete) {
			if (head->framing == WR_HTTP_FRAMING_CLOSE) {
				int got = receive_into(self->fd, &self->in, self->wait_ms);
				CHECK(got >= 0);
				if (got == 0)
					break;
			} else {
				receive_more(self);
			}
		}
	}
	return at;
}

void wr_client_receive_for(struct wr_client *self, struct wr_answer *answer, bool to_head)
{
	struct wr_http_head_parser parser = {0};
	enum wr_status status;
	size_t head_bytes, total;

	wr_buf_consume(&self->in, self->used);
	self->used = 0;
	wr_buf_reset(&self->body);
	while ((status = wr_http_response_parse(&parser, &answer->head, &head_bytes,
						wr_buf_view(&self->in), to_head)) == WR_MORE)
		receive_more(self);
	CHECK_STATUS(status, WR_OK);
	total = receive_body(self, &answer->head, head_bytes);
	/* The body may have moved the head: its views are made anew. */
	parser = (struct wr_http_head_parser){0};
	CHECK_STATUS(wr_http_response_parse(&parser, &answer->head, &head_bytes,
					    wr_buf_view(&self->in), to_head),
		     WR_OK);
	self->used = total;
	answer->status = answer->head.status;
	answer->body = wr_buf_view(&self->body);
}

void wr_client_receive(struct wr_client *self, struct wr_answer *answer)
{
	wr_client_receive_for(self, answer, false);
}

void wr_client_ask(struct wr_client *self, struct wr_answer *answer, const char *method,
		   const char *target, const char *fields, const char *body)
{
	wr_client_send_request(self, method, target, fields, body);
	wr_client_receive_for(self, answer, strcmp(method, "HEAD") == 0);
}

void wr_client_get(struct wr_client *self, struct wr_answer *answer, const char *target, ...)
{
	char text[WR_CLIENT_TARGET_BYTES];
	va_list list;

	va_start(list, target);
	vsnprintf(text, sizeof text, target, list);
	va_end(list);
	wr_client_ask(self, answer, "GET", text, NULL, NULL);
}

void wr_client_post(struct wr_client *self, struct wr_answer *answer, const char *body,
		    const char *target, ...)
{
	char text[WR_CLIENT_TARGET_BYTES];
	va_list list;

	va_start(list, target);
	vsnprintf(text, sizeof text, target, list);
	va_end(list);
	wr_client_ask(self, answer, "POST", text, NULL, body);
}

bool wr_client_is_ended(struct wr_client *self)
{
	char byte;

	if (self->in.bytes > self->used)
		return false;
	return wr_receive_some(self->fd, &byte, 1, self->wait_ms) == 0;
}

void wr_client_create_worker(struct wr_client *self, char id[WR_CLIENT_ID_BYTES])
{
	struct wr_answer answer;

	wr_client_post(
		self, &answer,
		"{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"runtime_default\"}}",
		"/v1/workers");
	CHECK_U64(answer.status, 201);
	wr_json_copy(id, WR_CLIENT_ID_BYTES, answer.body, "worker.worker_id");
}

void wr_client_input(struct wr_client *self, const char *id, const char *content)
{
	struct wr_answer answer;
	size_t room = strlen(content) + 64;
	char *body = wr_allocator_take(wr_test_allocator(), room);

	CHECK(body != NULL);
	snprintf(body, room, "{\"kind\":\"user\",\"content\":\"%s\"}", content);
	wr_client_post(self, &answer, body, "/v1/workers/%s/input", id);
	wr_allocator_free(wr_test_allocator(), body, room);
	CHECK_U64(answer.status, 200);
}

struct wr_view wr_answer_field(const struct wr_answer *answer, const char *name)
{
	return wr_http_head_find(&answer->head, wr_view_of_string(name));
}

/* ---- JSON ---- */

static void next_token(struct wr_json_reader *reader)
{
	CHECK_STATUS(wr_json_reader_next(reader), WR_OK);
}

static void skip_value(struct wr_json_reader *reader)
{
	CHECK_STATUS(wr_json_reader_skip(reader), WR_OK);
}

/* From the begin of an object to the value of the member; false at its end. */
static bool enter_member(struct wr_json_reader *reader, struct wr_view name)
{
	for (;;) {
		next_token(reader);
		if (reader->token == WR_JSON_TOKEN_OBJECT_END)
			return false;
		if (wr_json_reader_is(reader, name))
			break;
		skip_value(reader);
	}
	next_token(reader);
	return true;
}

static bool enter_element(struct wr_json_reader *reader, struct wr_view name)
{
	unsigned long index = strtoul(name.data, NULL, 10);

	for (next_token(reader); reader->token != WR_JSON_TOKEN_ARRAY_END; next_token(reader)) {
		if (index-- == 0)
			return true;
		if (reader->token == WR_JSON_TOKEN_OBJECT_BEGIN ||
		    reader->token == WR_JSON_TOKEN_ARRAY_BEGIN)
			skip_value(reader);
	}
	return false;
}

static bool enter(struct wr_json_reader *reader, struct wr_view step)
{
	if (reader->token == WR_JSON_TOKEN_OBJECT_BEGIN)
		return enter_member(reader, step);
	if (reader->token == WR_JSON_TOKEN_ARRAY_BEGIN)
		return enter_element(reader, step);
	return false;
}

/* The value whose first token is the current one. */
static struct wr_view value_here(struct wr_json_reader *reader)
{
	struct wr_view value;

	if (reader->token != WR_JSON_TOKEN_OBJECT_BEGIN &&
	    reader->token != WR_JSON_TOKEN_ARRAY_BEGIN)
		return reader->text;
	CHECK_STATUS(wr_json_reader_raw(reader, &value), WR_OK);
	return value;
}

static void check_is_json(struct wr_view json)
{
	struct wr_json_reader reader;

	wr_json_reader_init(&reader, json, true);
	do
		next_token(&reader);
	while (reader.token != WR_JSON_TOKEN_END);
}

struct wr_view wr_json_find(struct wr_view json, const char *path)
{
	struct wr_json_reader reader;

	check_is_json(json);
	wr_json_reader_init(&reader, json, true);
	next_token(&reader);
	while (*path != '\0') {
		size_t bytes = strcspn(path, ".");
		if (!enter(&reader, wr_view_of(path, bytes)))
			return WR_VIEW_NULL;
		path += bytes + (path[bytes] == '.');
	}
	return value_here(&reader);
}

void wr_json_copy(char *out, size_t room, struct wr_view json, const char *path)
{
	struct wr_view value = wr_json_find(json, path);

	CHECK(value.data != NULL && value.bytes < room);
	memcpy(out, value.data, value.bytes);
	out[value.bytes] = '\0';
}

uint64_t wr_json_find_u64(struct wr_view json, const char *path)
{
	char text[32], *end;
	uint64_t value;

	wr_json_copy(text, sizeof text, json, path);
	value = strtoull(text, &end, 10);
	CHECK(text[0] >= '0' && text[0] <= '9' && *end == '\0');
	return value;
}

/* ---- WebSocket ---- */

static const uint8_t nonce[16] = "0123456789abcdef";
static const uint8_t frame_mask[4] = {0x37, 0xfa, 0x21, 0x3d};

static void send_upgrade(struct wr_test_ws *self, const char *token, const char *target,
			 const char *fields)
{
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), BUFFER_BYTES_MAX);
	wr_http_write_request_line(&out, WR_VIEW("GET"), wr_view_of_string(target));
	wr_http_write_field(&out, WR_VIEW("Host"), WR_VIEW("localhost"));
	if (token != NULL) {
		wr_buf_append_view(&out, WR_VIEW("Authorization: Bearer "));
		wr_buf_append_view(&out, wr_view_of_string(token));
		wr_buf_append_view(&out, WR_VIEW("\r\n"));
	}
	if (fields != NULL)
		wr_buf_append_view(&out, wr_view_of_string(fields));
	wr_ws_handshake_request(&out, nonce, WR_VIEW_NULL);
	wr_http_write_head_end(&out);
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	CHECK(wr_send_all(self->fd, wr_buf_view(&out), self->wait_ms));
	wr_buf_deinit(&out);
}

/* A refusal's body, as far as it has a length. */
static void receive_refusal(struct wr_test_ws *self, uint64_t bytes)
{
	while (self->in.bytes - self->used < bytes)
		CHECK(receive_into(self->fd, &self->in, self->wait_ms) > 0);
	wr_buf_append(&self->message, self->in.data + self->used, (size_t)bytes);
}

unsigned wr_test_ws_open_with(struct wr_test_ws *self, const struct wr_process *server,
			      const char *token, const char *target, const char *fields,
			      int receive_bytes)
{
	struct wr_http_head_parser parser = {0};
	struct wr_http_head head;
	enum wr_status status;

	memset(self, 0, sizeof *self);
	self->wait_ms = WR_CLIENT_WAIT_MS;
	wr_buf_init(&self->in, wr_test_allocator(), BUFFER_BYTES_MAX);
	wr_buf_init(&self->message, wr_test_allocator(), BUFFER_BYTES_MAX);
	wr_ws_receiver_init(&self->receiver, WR_WS_ROLE_CLIENT, BUFFER_BYTES_MAX, 1024);
	self->fd = wr_connect(server->address, receive_bytes);
	CHECK(self->fd >= 0);
	send_upgrade(self, token, target, fields);
	while ((status = wr_http_response_parse(&parser, &head, &self->used, wr_buf_view(&self->in),
						false)) == WR_MORE)
		CHECK(receive_into(self->fd, &self->in, self->wait_ms) > 0);
	CHECK_STATUS(status, WR_OK);
	self->status = head.status;
	if (head.status == 101)
		CHECK_STATUS(wr_ws_handshake_verify(&head, nonce, WR_VIEW_NULL), WR_OK);
	else
		receive_refusal(self, head.body_bytes);
	return self->status;
}

unsigned wr_test_ws_open(struct wr_test_ws *self, const struct wr_process *server,
			 const char *token, const char *target)
{
	return wr_test_ws_open_with(self, server, token, target, NULL, 0);
}

void wr_test_ws_close(struct wr_test_ws *self)
{
	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
	wr_buf_deinit(&self->in);
	wr_buf_deinit(&self->message);
}

/* Eats received bytes until something happened; false when more are needed. */
static bool feed(struct wr_test_ws *self, struct wr_ws_news *news)
{
	for (;;) {
		struct wr_ws_result result;
		size_t consumed;

		CHECK_STATUS(wr_ws_receiver_feed(&self->receiver, &result, &consumed,
						 self->in.data + self->used,
						 self->in.bytes - self->used),
			     WR_OK);
		self->used += consumed;
		news->data = result.data;
		switch (result.event) {
		case WR_WS_EVENT_NONE:
			return false;
		case WR_WS_EVENT_FRAME:
			if (result.is_message_start)
				wr_buf_reset(&self->message);
			break;
		case WR_WS_EVENT_DATA:
			CHECK_STATUS(wr_buf_append_view(&self->message, result.data), WR_OK);
			if (!result.is_message_end)
				break;
			news->kind = WR_WS_NEWS_MESSAGE;
			news->is_text = result.is_text;
			news->data = wr_buf_view(&self->message);
			return true;
		case WR_WS_EVENT_PING:
			self->ping_count++;
			news->kind = WR_WS_NEWS_PING;
			if (self->is_mute)
				return true;
			wr_test_ws_send(self, WR_WS_OPCODE_PONG, true, result.data);
			break;
		case WR_WS_EVENT_PONG:
			news->kind = WR_WS_NEWS_PONG;
			return true;
		case WR_WS_EVENT_CLOSE:
			news->kind = WR_WS_NEWS_CLOSE;
			news->close_code = result.close_code;
			return true;
		}
	}
}

void wr_test_ws_next(struct wr_test_ws *self, struct wr_ws_news *news, unsigned ms)
{
	uint64_t end = wr_process_now_ms() + ms;

	*news = (struct wr_ws_news){.kind = WR_WS_NEWS_NONE};
	while (!feed(self, news)) {
		uint64_t now = wr_process_now_ms();
		int got;

		wr_buf_consume(&self->in, self->used);
		self->used = 0;
		got = receive_into(self->fd, &self->in, now < end ? (unsigned)(end - now) : 0);
		if (got <= 0) {
			news->kind = got == 0 ? WR_WS_NEWS_END : WR_WS_NEWS_NONE;
			return;
		}
	}
}

struct wr_view wr_test_ws_message(struct wr_test_ws *self)
{
	struct wr_ws_news news;

	wr_test_ws_next(self, &news, self->wait_ms);
	CHECK_U64(news.kind, WR_WS_NEWS_MESSAGE);
	CHECK(news.is_text);
	return news.data;
}

void wr_test_ws_expect_close(struct wr_test_ws *self, unsigned code)
{
	struct wr_ws_news news;

	wr_test_ws_next(self, &news, self->wait_ms);
	CHECK_U64(news.kind, WR_WS_NEWS_CLOSE);
	CHECK_U64(news.close_code, code);
	wr_test_ws_send_close(self, code);
	CHECK(wr_wait_end(self->fd, self->wait_ms));
}

void wr_test_ws_expect_silence(struct wr_test_ws *self, unsigned ms)
{
	struct wr_ws_news news;

	wr_test_ws_next(self, &news, ms);
	CHECK_U64(news.kind, WR_WS_NEWS_NONE);
}

bool wr_test_ws_send_raw(struct wr_test_ws *self, struct wr_view bytes)
{
	return wr_send_all(self->fd, bytes, self->wait_ms);
}

bool wr_test_ws_send(struct wr_test_ws *self, enum wr_ws_opcode opcode, bool is_final,
		     struct wr_view payload)
{
	struct wr_ws_frame_header header = {.payload_bytes = payload.bytes,
					    .opcode = (uint8_t)opcode,
					    .is_final = is_final,
					    .is_masked = true};
	uint8_t head[WR_WS_FRAME_HEADER_BYTES_MAX];
	struct wr_buf out;
	size_t head_bytes;
	bool is_sent;

	memcpy(header.mask, frame_mask, sizeof header.mask);
	head_bytes = wr_ws_frame_header_encode(head, &header);
	wr_buf_init(&out, wr_test_allocator(), BUFFER_BYTES_MAX);
	wr_buf_append(&out, head, head_bytes);
	wr_buf_append_view(&out, payload);
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	wr_ws_mask(out.data + head_bytes, payload.bytes, frame_mask, 0);
	is_sent = wr_test_ws_send_raw(self, wr_buf_view(&out));
	wr_buf_deinit(&out);
	return is_sent;
}

bool wr_test_ws_send_close(struct wr_test_ws *self, unsigned code)
{
	char payload[2] = {(char)(code >> 8), (char)(code & 0xff)};

	return wr_test_ws_send(self, WR_WS_OPCODE_CLOSE, true,
			       wr_view_of(payload, code != 0 ? 2 : 0));
}
