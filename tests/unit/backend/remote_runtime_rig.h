/*
 * remote_runtime_rig — a scripted Runtime on loopback, and a handle that speaks with it, in one
 * process and one thread. Whoever waits turns both, so that nothing sleeps.
 *
 * The peer answers every request with one text: whole, in steps, or cut. What it is asked by the
 * handle of its own accord (GET /v1/runtime, the stream) has scripts apart, so that a test sees
 * only its own requests.
 */
#ifndef WR_TESTS_BACKEND_REMOTE_RUNTIME_RIG_H
#define WR_TESTS_BACKEND_REMOTE_RUNTIME_RIG_H

#include "backend/remote_runtime.h"
#include "check.h"
#include "codec/ws/handshake.h"
#include "core/cursor.h"
#include "harness/harness.h"
#include "io/descriptor.h"
#include "bounds.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEER_CONNECTIONS_MAX = 64, PEER_REQUEST_BYTES_MAX = 16384, PEER_FRAME_BYTES_MAX = 1024 };
#define PEER_SECRET "s3cret-of-the-remote"
/* A word that a remote's answers have and nothing that we tell may have. */
#define PEER_MARK "remote-mark"

/* ---- the peer ---- */

enum peer_stream {
	PEER_STREAM_UP,
	PEER_STREAM_ABSENT,  /* 404 */
	PEER_STREAM_REFUSED, /* 401 */
	PEER_STREAM_GARBAGE
};

struct peer_connection {
	int fd; /* -1: none */
	bool is_stream;
	char request[PEER_REQUEST_BYTES_MAX];
	size_t request_bytes;
	const char *answer; /* NULL: no request is open */
	size_t answer_bytes, sent;
};

static struct {
	int listener; /* -1: nobody is there */
	struct sockaddr_in address;
	struct peer_connection connections[PEER_CONNECTIONS_MAX];
	/* What it does. */
	enum peer_stream stream;
	const char *runtime_answer; /* to GET /v1/runtime; NULL: silence */
	const char *answer;	    /* to all else; NULL: silence */
	size_t answer_bytes;	    /* 0: up to its NUL */
	size_t step;		    /* bytes per turn; 0: all */
	size_t cut;		    /* ends after so many bytes; SIZE_MAX: never */
	bool is_endless;	    /* begins the answer's last 1024 bytes again and again */
	bool ends_before;	    /* the next request is not answered: its connection ends */
	const char *silent_for;	    /* requests that begin so get no answer; NULL: none */
	/* What it saw. */
	unsigned accepted, request_count, runtime_count, stream_count;
	char last_request[PEER_REQUEST_BYTES_MAX];
	char frame[PEER_FRAME_BYTES_MAX];
	uint64_t sequence; /* of the stream */
} peer;

static inline void peer_listen(void)
{
	socklen_t bytes = sizeof peer.address;
	int on = 1;

	peer.listener = wr_descriptor_socket(AF_INET);
	CHECK(setsockopt(peer.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
	peer.address.sin_family = AF_INET;
	peer.address.sin_addr.s_addr = htonl(0x7f000001);
	CHECK(bind(peer.listener, (struct sockaddr *)&peer.address, bytes) == 0);
	CHECK(listen(peer.listener, PEER_CONNECTIONS_MAX) == 0);
	CHECK(getsockname(peer.listener, (struct sockaddr *)&peer.address, &bytes) == 0);
}

static inline void peer_drop(struct peer_connection *self)
{
	close(self->fd);
	self->fd = -1;
}

/* It dies: nobody is there any more. */
static inline void peer_die(void)
{
	close(peer.listener);
	peer.listener = -1;
	for (unsigned i = 0; i < PEER_CONNECTIONS_MAX; i++)
		if (peer.connections[i].fd >= 0)
			peer_drop(&peer.connections[i]);
}

static inline void peer_accept(void)
{
	int fd = wr_descriptor_accept(peer.listener, NULL, NULL);

	for (unsigned i = 0; fd >= 0 && i < PEER_CONNECTIONS_MAX; i++)
		if (peer.connections[i].fd < 0) {
			peer.connections[i].fd = fd;
			peer.connections[i].is_stream = false;
			peer.connections[i].request_bytes = 0;
			peer.connections[i].answer = NULL;
			peer.accepted++;
			return;
		}
	CHECK(fd < 0);
}

static inline void peer_send_now(struct peer_connection *self, const char *data, size_t bytes)
{
	CHECK(send(self->fd, data, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)bytes);
}

/* One frame of the runtime-wide stream (contract 3.9), with a payload of its kind. */
static inline void peer_send_frame(struct peer_connection *self, const char *kind,
				   const char *payload)
{
	const struct wr_cursor cursor = {.is_runtime = true,
					 .log_tag = {1, 1, 1, 1, 1, 1},
					 .generation = 1,
					 .sequence = ++peer.sequence};
	char token[WR_CURSOR_BYTES];
	unsigned char head[4] = {0x81, 126};
	int bytes;

	wr_cursor_format(token, &cursor);
	bytes = snprintf(
		peer.frame, sizeof peer.frame,
		"{\"kind\":\"%s\",\"envelope\":{\"cursor\":\"%.31s\",\"event_id\":\"%s%.31s\","
		"\"runtime_id\":\"rt-a\",\"worker_id\":null,\"sequence\":%u,"
		"\"log_id\":\"01010101010101010101010101010101\",\"payload\":%s}}",
		kind, token, strcmp(kind, "runtime_snapshot") == 0 ? "snapshot:" : "", token,
		(unsigned)peer.sequence, payload);
	CHECK(bytes > 126 && (size_t)bytes < sizeof peer.frame);
	head[2] = (unsigned char)(bytes >> 8);
	head[3] = (unsigned char)(bytes & 255);
	peer_send_now(self, (const char *)head, sizeof head);
	peer_send_now(self, peer.frame, (size_t)bytes);
}

#define PEER_RUNTIME_SUMMARY                                                                  \
	"{\"runtime_id\":\"rt-a\",\"display_name\":\"Build /box\",\"backend\":\"memory\","    \
	"\"status\":\"running\",\"worker_count\":0,\"active_worker_count\":0,"                \
	"\"stopped_worker_count\":0,\"cancelled_worker_count\":0,\"diagnostic_count\":0,"     \
	"\"limits\":{\"max_transcript_projection_items\":256,\"max_event_batch_items\":256}," \
	"\"log_id\":\"01010101010101010101010101010101\"}"

static inline void peer_open_stream(struct peer_connection *self)
{
	struct wr_http_head_parser parser = {0};
	struct wr_http_head head;
	size_t head_bytes;
	char storage[512];
	struct wr_buf out;

	CHECK_STATUS(wr_http_request_parse(&parser, &head, &head_bytes,
					   wr_view_of(self->request, self->request_bytes)),
		     WR_OK);
	wr_buf_init_fixed(&out, storage, sizeof storage);
	wr_ws_handshake_answer(&out, head.ws_key, WR_VIEW_NULL);
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	peer_send_now(self, out.data, out.bytes);
	/* Who comes with a cursor is sent what follows it: nothing. */
	if (strstr(self->request, "?cursor=") == NULL)
		peer_send_frame(self, "runtime_snapshot",
				"{\"runtime\":" PEER_RUNTIME_SUMMARY
				",\"workers\":[],\"workers_truncated\":false}");
	self->is_stream = true;
}

static inline void peer_serve_stream(struct peer_connection *self)
{
	static const char *const answers[] = {
		[PEER_STREAM_ABSENT] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
		[PEER_STREAM_REFUSED] = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
		[PEER_STREAM_GARBAGE] = "SSH-2.0-" PEER_MARK "\r\n\r\n",
	};

	peer.stream_count++;
	if (peer.stream == PEER_STREAM_UP) {
		peer_open_stream(self);
		return;
	}
	peer_send_now(self, answers[peer.stream], strlen(answers[peer.stream]));
	peer_drop(self);
}

static inline bool peer_request_is(const struct peer_connection *self, const char *start)
{
	return strncmp(self->request, start, strlen(start)) == 0;
}

/* A whole request is there. */
static inline void peer_serve(struct peer_connection *self)
{
	self->sent = 0;
	if (peer_request_is(self, "GET /base/v1/events/ws")) {
		peer_serve_stream(self);
	} else if (peer_request_is(self, "GET /base/v1/runtime ")) {
		peer.runtime_count++;
		self->answer = peer.runtime_answer;
		self->answer_bytes = self->answer != NULL ? strlen(self->answer) : 0;
	} else {
		peer.request_count++;
		memcpy(peer.last_request, self->request, self->request_bytes + 1);
		self->answer = peer.answer;
		if (peer.silent_for != NULL && peer_request_is(self, peer.silent_for))
			self->answer = NULL;
		if (self->answer != NULL)
			self->answer_bytes =
				peer.answer_bytes != 0 ? peer.answer_bytes : strlen(peer.answer);
		if (peer.ends_before) {
			peer.ends_before = false;
			peer_drop(self);
		}
	}
	self->request_bytes = 0;
}

static inline size_t peer_body_bytes(const struct peer_connection *self)
{
	const char *length = strstr(self->request, "Content-Length: ");
	size_t bytes = 0;

	for (length = length != NULL ? length + 16 : ""; *length >= '0' && *length <= '9'; length++)
		bytes = 10 * bytes + (size_t)(*length - '0');
	return bytes;
}

static inline void peer_receive(struct peer_connection *self)
{
	ssize_t got = recv(self->fd, self->request + self->request_bytes,
			   sizeof self->request - 1 - self->request_bytes, MSG_DONTWAIT);
	const char *end;

	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		peer_drop(self);
		return;
	}
	if (self->is_stream)
		return;
	self->request_bytes += (size_t)got;
	self->request[self->request_bytes] = '\0';
	end = strstr(self->request, "\r\n\r\n");
	if (end != NULL &&
	    (size_t)(end + 4 - self->request) + peer_body_bytes(self) <= self->request_bytes)
		peer_serve(self);
}

static inline void peer_answer(struct peer_connection *self)
{
	bool is_own = self->answer == peer.runtime_answer;
	size_t end = self->answer_bytes, bytes;

	if (!is_own && peer.cut < end)
		end = peer.cut;
	bytes = end - self->sent;
	if (!is_own && peer.step != 0 && bytes > peer.step)
		bytes = peer.step;
	if (bytes != 0) {
		ssize_t n = send(self->fd, self->answer + self->sent, bytes,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			peer_drop(self);
			return;
		}
		self->sent += (size_t)n;
	}
	if (self->sent != end)
		return;
	if (!is_own && peer.is_endless) {
		self->sent = end - 1024;
		return;
	}
	self->answer = NULL;
	if (!is_own && peer.cut != SIZE_MAX)
		peer_drop(self);
}

static inline void peer_turn(void)
{
	if (peer.listener >= 0)
		peer_accept();
	for (unsigned i = 0; i < PEER_CONNECTIONS_MAX; i++) {
		struct peer_connection *connection = &peer.connections[i];
		if (connection->fd >= 0 && connection->answer == NULL)
			peer_receive(connection);
		if (connection->fd >= 0 && connection->answer != NULL)
			peer_answer(connection);
	}
}

/* The stream's connection; NULL when there is none. */
static inline struct peer_connection *peer_stream_connection(void)
{
	for (unsigned i = 0; i < PEER_CONNECTIONS_MAX; i++)
		if (peer.connections[i].fd >= 0 && peer.connections[i].is_stream)
			return &peer.connections[i];
	return NULL;
}

/* ---- answers ---- */

/* What is answered from now on: that status with this body. */
static inline void peer_will_answer(const char *status, const char *body)
{
	static char text[65536];
	int bytes = snprintf(text, sizeof text,
			     "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
			     "Content-Length: %zu\r\n\r\n%s",
			     status, strlen(body), body);

	CHECK(bytes > 0 && (size_t)bytes < sizeof text);
	peer.answer = text;
	peer.answer_bytes = 0;
}

/* The same for GET /v1/runtime. */
static inline void peer_will_say(const char *status, const char *body)
{
	static char text[4096];
	int bytes = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s",
			     status, strlen(body), body);

	CHECK(bytes > 0 && (size_t)bytes < sizeof text);
	peer.runtime_answer = text;
}

static inline void peer_will_refuse(const char *status, const char *code)
{
	char body[512];

	CHECK(snprintf(body, sizeof body,
		       "{\"error\":{\"code\":\"%s\",\"message\":\"" PEER_MARK
		       " /var/lib/store metadata.json " PEER_SECRET "\"}}",
		       code) < (int)sizeof body);
	peer_will_answer(status, body);
}

/* ---- the handle ---- */

static struct wr_reactor reactor;
static struct wr_http_server *server;
static struct wr_runtime_handle *handle;
static struct wr_remote_config config;
static const struct wr_policy no_policy;

static inline void rig_on_head(void *context, struct wr_http_exchange *exchange)
{
	(void)context;
	if (handle != NULL && wr_ws_handshake_check(exchange->head) == WR_WS_HANDSHAKE_OK)
		handle->ops->observe(handle, exchange, WR_VIEW("worker-1"), WR_VIEW_NULL);
	else
		wr_http_answer(exchange, 404, WR_VIEW_NULL);
}
static inline void rig_on_request(void *context, struct wr_http_exchange *exchange,
				  struct wr_view body)
{
	(void)context, (void)exchange, (void)body;
}
static inline void rig_on_abandon(void *context, struct wr_http_exchange *exchange)
{
	(void)context, (void)exchange;
}
static inline void rig_on_fault(void *context, struct wr_buf *body, unsigned status,
				enum wr_http_server_fault kind, enum wr_http_fault fault)
{
	(void)context, (void)body, (void)status, (void)kind, (void)fault;
}

static inline void rig_turn(void)
{
	wr_reactor_turn(&reactor, 1);
	peer_turn();
}

static inline void rig_overview(struct wr_runtime_overview *out)
{
	handle->ops->overview(handle, out);
}

static inline bool rig_status_is(const char *status)
{
	struct wr_runtime_overview overview;

	rig_overview(&overview);
	return wr_view_equal(overview.status, wr_view_of_string(status));
}

/* Turns until the handle says so; the test's time limit is the patience. */
static inline void rig_await(const char *status)
{
	while (!rig_status_is(status))
		rig_turn();
}

/* A peer, and nothing yet that speaks with it. The script may be changed before rig_start. */
static inline void rig_prepare(void)
{
	static const struct wr_http_app app = {NULL, rig_on_head, rig_on_request, rig_on_abandon,
					       rig_on_fault};
	struct wr_http_server_config server_config;
	struct wr_address address;
	struct wr_error error;

	for (unsigned i = 0; i < PEER_CONNECTIONS_MAX; i++)
		peer.connections[i].fd = -1;
	peer.cut = SIZE_MAX;
	peer_listen();
	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_OK);
	CHECK_STATUS(wr_address_parse(&address, WR_VIEW("127.0.0.1:0")), WR_OK);
	wr_http_server_defaults(&server_config);
	server = wr_http_server_new(&reactor, wr_test_allocator(), &server_config, &app, &address,
				    &error);
	CHECK(server != NULL);
	config = (struct wr_remote_config){
		.runtime_id = WR_VIEW("remote:box"),
		.display_name = WR_VIEW("The\\ box"),
		.host = WR_VIEW("remote.example:1"),
		.target_prefix = WR_VIEW("/base"),
		.credential = WR_VIEW(PEER_SECRET),
		.ms_max = (uint32_t)wr_test_patience(5000),
		.policy = &no_policy,
		.retention = {.stream_events_max = 100,
			      .stream_bytes_max = 100000,
			      .events_max = 1000,
			      .bytes_max = 1000000},
	};
	memcpy(&config.to.address.storage, &peer.address, sizeof peer.address);
	config.to.address.bytes = sizeof peer.address;
}

static inline void rig_start(void)
{
	CHECK_STATUS(wr_remote_runtime_new(&handle, &reactor, wr_test_allocator(), server, &config),
		     WR_OK);
}

/* All of it, and the Runtime is known to run. */
static inline void rig_open(void)
{
	rig_prepare();
	peer_will_say("200 OK", "{\"runtime\":" PEER_RUNTIME_SUMMARY "}");
	rig_start();
	rig_await("running");
}

static inline void rig_free_handle(void)
{
	handle->ops->free(handle);
	handle = NULL;
}

static inline void rig_close(void)
{
	if (handle != NULL)
		rig_free_handle();
	wr_http_server_free(server);
	wr_reactor_deinit(&reactor);
	if (peer.listener >= 0)
		peer_die();
}

#endif
