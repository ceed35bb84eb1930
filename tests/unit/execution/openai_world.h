/*
 * openai_world — a real reactor and Runtime, one Worker that is a conversation, and a model server
 * that says exactly what a script has, in pieces of any size. The story is that of world.h.
 *
 * The server lives in the same thread and takes its turn after each one of the reactor, so that no
 * test sleeps. Its script has one answer for each request, the last one for all that follow.
 */
#ifndef WR_TESTS_EXECUTION_OPENAI_WORLD_H
#define WR_TESTS_EXECUTION_OPENAI_WORLD_H

#define WORLD_SHOWN_BYTES 800

#include "execution/openai_private.h"
#include "io/descriptor.h"
#include "unit/execution/world.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { ANSWERS_MAX = 16, CONNECTIONS_MAX = 80, REQUEST_BYTES = 1 << 18, STORY_BYTES = 65536 };

/* ---- the server ---- */

struct answer {
	struct wr_view text;
	size_t step;  /* bytes of one piece; 0: all at once */
	size_t cut;   /* the first piece; 0: as the others */
	bool is_open; /* the connection is not closed behind it */
};

struct connection {
	int fd;
	char request[REQUEST_BYTES];
	size_t bytes;
	const struct answer *answer; /* NULL: the request is not whole */
	size_t sent;
};

static struct {
	int listener;
	uint16_t port;
	struct answer answers[ANSWERS_MAX];
	unsigned answer_count;
	struct connection connections[CONNECTIONS_MAX];
	unsigned accepted, asked, ended; /* ended: by the client */
	uint64_t ended_ms;
	char last_request[REQUEST_BYTES];
} server;

static struct wr_openai openai;
static struct wr_openai_profile openai_profile;
static char base_url[64];
static bool queues;		  /* inputs that come while a turn runs */
static uint64_t transcript_bytes; /* kept in memory of a Worker; 0: as usual */

#define KEY "sk-0123456789abcdef"

static inline void open_server(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t bytes = sizeof address;

	server.listener = wr_descriptor_socket(AF_INET);
	CHECK(bind(server.listener, (struct sockaddr *)&address, bytes) == 0);
	CHECK(listen(server.listener, 128) == 0);
	CHECK(getsockname(server.listener, (struct sockaddr *)&address, &bytes) == 0);
	server.port = ntohs(address.sin_port);
	server.accepted = server.asked = server.ended = 0;
	server.last_request[0] = '\0';
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
		server.connections[i].fd = -1;
}

static inline void close_connection(struct connection *self)
{
	close(self->fd);
	self->fd = -1;
}

static inline void close_server(void)
{
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
		if (server.connections[i].fd >= 0)
			close_connection(&server.connections[i]);
	if (server.listener >= 0)
		close(server.listener);
	server.listener = -1;
}

static inline bool accept_one(void)
{
	int fd = wr_descriptor_accept(server.listener, NULL, NULL);

	if (fd < 0)
		return false;
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
		if (server.connections[i].fd < 0) {
			server.connections[i].fd = fd;
			server.connections[i].bytes = server.connections[i].sent = 0;
			server.connections[i].answer = NULL;
			server.accepted++;
			return true;
		}
	wr_test_fail(__FILE__, __LINE__, "too many connections");
}

static inline bool is_whole(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n");
	const char *length = strstr(request, "Content-Length: ");

	return end != NULL && length != NULL &&
	       strlen(end + 4) >= strtoul(length + strlen("Content-Length: "), NULL, 10);
}

/* True: something happened. */
static inline bool read_request(struct connection *self)
{
	char *to = self->request + self->bytes;
	ssize_t got = recv(self->fd, to, sizeof self->request - 1 - self->bytes, MSG_DONTWAIT);

	if (got < 0)
		return false;
	if (got == 0) {
		server.ended++;
		server.ended_ms = wr_clock_monotonic_ms();
		close_connection(self);
		return true;
	}
	self->bytes += (size_t)got;
	self->request[self->bytes] = '\0';
	if (self->answer != NULL || !is_whole(self->request))
		return true;
	memcpy(server.last_request, self->request, self->bytes + 1);
	CHECK(server.answer_count != 0);
	self->answer =
		&server.answers[server.asked < server.answer_count ? server.asked
								   : server.answer_count - 1];
	self->sent = 0;
	server.asked++;
	return true;
}

static inline bool send_some(struct connection *self)
{
	const struct answer *answer = self->answer;
	size_t bytes = answer->text.bytes - self->sent;
	ssize_t sent;

	if (bytes == 0 && answer->is_open) {
		if (self->bytes != 0 && strstr(answer->text.data, "0\r\n\r\n") != NULL) {
			self->answer = NULL; /* the next request */
			self->bytes = 0;
		}
		return false;
	}
	if (answer->cut != 0 && self->sent == 0)
		bytes = answer->cut;
	else if (answer->step != 0 && bytes > answer->step)
		bytes = answer->step;
	sent = bytes == 0 ? 0
			  : send(self->fd, answer->text.data + self->sent, bytes,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno == EAGAIN)
		return false;
	if (sent < 0) {
		server.ended++;
		server.ended_ms = wr_clock_monotonic_ms();
		close_connection(self);
		return true;
	}
	self->sent += (size_t)sent;
	if (self->sent == answer->text.bytes && !answer->is_open)
		close_connection(self);
	return true;
}

static inline bool turn_server(void)
{
	bool is_busy = accept_one();

	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *connection = &server.connections[i];

		if (connection->fd >= 0)
			is_busy = read_request(connection) || is_busy;
		if (connection->fd >= 0 && connection->answer != NULL)
			is_busy = send_some(connection) || is_busy;
	}
	return is_busy;
}

/* ---- answers ---- */

static inline void script(const char *text)
{
	server.answers[0] = (struct answer){.text = wr_view_of_string(text)};
	server.answer_count = 1;
}

static inline void script_also(const char *text)
{
	CHECK(server.answer_count < ANSWERS_MAX);
	server.answers[server.answer_count++] = (struct answer){.text = wr_view_of_string(text)};
}

#define SSE_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
#define CHUNKED                                                                 \
	"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n" \
	"Transfer-Encoding: chunked\r\n\r\n"
#define JSON_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
/* `data` in two chunks, and the end of the body; one at a time. */
static inline const char *chunked(const char *data)
{
	static char text[4096];
	size_t half = strlen(data) / 2;

	CHECK((size_t)snprintf(text, sizeof text, CHUNKED "%zx\r\n%.*s\r\n%zx\r\n%s\r\n0\r\n\r\n",
			       half, (int)half, data, strlen(data) - half,
			       data + half) < sizeof text);
	return text;
}

#define DELTA(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define THOUGHT(text) "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"" text "\"}}]}\n\n"
#define STOP "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define DONE_LINE "data: [DONE]\n\n"

/* ---- the world ---- */

static inline enum wr_status find_model(void *context, struct wr_execution *out,
					enum wr_profile_kind kind, struct wr_view value)
{
	enum wr_status status = wr_openai_execution(&openai, &openai_profile, out);

	(void)context;
	(void)kind;
	(void)value;
	if (queues)
		out->busy = (struct wr_busy_policy){WR_BUSY_QUEUE, 8};
	return status;
}

/* Short of patience, but not of turns. */
static inline void set_profile(void)
{
	snprintf(base_url, sizeof base_url, "http://127.0.0.1:%u/v1", server.port);
	wr_openai_profile_init(&openai_profile);
	openai_profile.base_url = base_url;
	openai_profile.model = "m";
	openai_profile.api_key = KEY;
	openai_profile.first_token_ms_max = 5000;
	openai_profile.silence_ms_max = 5000;
	openai_profile.retry_count_max = 2;
	openai_profile.retry_ms_min = 1;
	openai_profile.retry_ms_max = 4;
	openai_profile.retry_after_ms_max = 8;
}

static inline void open_reactor(void)
{
	struct wr_error error;

	trace_bytes = 0;
	trace[0] = '\0';
	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_OK);
	wr_openai_init(&openai, &reactor, wr_test_allocator());
}

static inline void open_runtime(void)
{
	struct wr_runtime_ports ports = {
		.wall_ms = wall_ms,
		.entropy = entropy,
		.encoding = &encoding,
		.profiles = {.find = find_model},
		.allocator = wr_test_allocator(),
	};
	struct wr_runtime_config config;
	struct wr_error error;

	if (uses_store)
		ports.store = open_store();
	if (uses_store || queues)
		wr_reactor_add_hook(&reactor, &settle_hook);
	wr_runtime_defaults(&config);
	if (transcript_bytes != 0)
		config.worker_transcript_bytes_max = transcript_bytes;
	CHECK_STATUS(wr_runtime_new(&runtime, &config, &ports, &error), WR_OK);
	wr_openai_attach(&openai, runtime);
	worker = make_worker();
	wr_runtime_settle(runtime);
}

/* The profile may be changed between the two. */
static inline void open_all(void)
{
	open_server();
	set_profile();
	open_reactor();
	open_runtime();
}

static inline void close_runtime(void)
{
	wr_openai_deinit(&openai);
	wr_runtime_free(runtime);
	if (uses_store)
		kept_store_deinit(&store);
	wr_reactor_remove_hook(&reactor, &settle_hook);
}

static inline void close_reactor(void)
{
	wr_reactor_deinit(&reactor);
}

static inline void close_all(void)
{
	close_runtime();
	close_reactor();
	close_server();
}

static inline void turn(void)
{
	wr_reactor_turn(&reactor, turn_server() ? 0 : 1);
}

static inline void turns(unsigned count)
{
	while (count-- > 0)
		turn();
}

/* Turns until the story has these words. */
static inline void await(const char *words)
{
	uint64_t deadline_ms = wr_clock_monotonic_ms() + DEADLINE_MS;

	while (strstr(trace, words) == NULL) {
		if (wr_clock_monotonic_ms() > deadline_ms)
			fail_with_trace(words);
		turn();
	}
}

static inline bool is_resting(void)
{
	return wr_openai_live_count(&openai) == 0;
}

/* With a store an input begins at the end of a turn. */
static inline void await_rest(void)
{
	uint64_t deadline_ms = wr_clock_monotonic_ms() + DEADLINE_MS;

	turn();
	while (!is_resting()) {
		if (wr_clock_monotonic_ms() > deadline_ms)
			fail_with_trace("rest");
		turn();
	}
}

static inline void await_asked(unsigned count)
{
	uint64_t deadline_ms = wr_clock_monotonic_ms() + DEADLINE_MS;

	while (server.asked < count) {
		if (wr_clock_monotonic_ms() > deadline_ms)
			fail_with_trace("a request");
		turn();
	}
}

/* ---- the story ---- */

/* Times are different in every run. */
static inline struct wr_view story(void)
{
	static const char *const names[] = {"_ms\":"};
	static char text[STORY_BYTES];
	size_t bytes = 0;

	for (const char *at = trace; *at != '\0';) {
		bool is_time = strncmp(at, names[0], strlen(names[0])) == 0;

		CHECK(bytes + 8 < sizeof text);
		if (!is_time) {
			text[bytes++] = *at++;
			continue;
		}
		memcpy(text + bytes, names[0], strlen(names[0]));
		bytes += strlen(names[0]);
		text[bytes++] = 'T';
		at += strlen(names[0]);
		while (*at >= '0' && *at <= '9')
			at++;
	}
	return wr_view_of(text, bytes);
}

static inline void check_story(const char *expected)
{
	CHECK_VIEW(story(), wr_view_of_string(expected));
}

#define CALL_START "event llm_call_start {\"llm_call\":1}\n"
#define CALL_END "event llm_call_end {\"llm_call\":1}\n"
#define BEGUN "> hi\nphase busy: input\nturn_start 1\n" CALL_START
#define FINISHED CALL_END "turn_end 1 r0\nrun_end r0\nphase idle: turn done\n"
#define LIMITED CALL_END "turn_end 1 r0\nrun_end r2\nphase idle: turn done\n"
#define FAILED(text) CALL_END "error " text "\nphase failed: " text "\n"
#define FAILED_SAYING(text, said) CALL_END "error " text ": " said "\nphase failed: " text "\n"

#endif
