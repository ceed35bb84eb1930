/*
 * conversation_rig — a model that the test plays, a Runtime that asks it, a Backend before that,
 * and clients that follow: over TLS on every hop in builds with TLS, else without it.
 *
 * The model is the test itself, so that what it says comes when the test wants it to. Its TLS is
 * openssl's: an `s_server` that carries bytes. A follower keeps every event that it has heard, and
 * goes on from its last cursor when it is opened again.
 */
#ifndef WR_TESTS_E2E_CONVERSATION_RIG_H
#define WR_TESTS_E2E_CONVERSATION_RIG_H

#include "e2e/tls_rig.h"

#define RUNTIME_TOKEN "e2e-runtime-token-6b1f0c9d2a7e4835"
#define BROWSER_TOKEN "e2e-browser-token-93d5e1a8c07b4f26"
#define PROVIDER_KEY "sk-e2e-provider-key-51c7e09ab24d"
#define SCHEME (WR_TLS ? "https" : "http")

enum { MODEL_REQUEST_ROOM = 1 << 17, HEARD_MAX = 4096, TALK_TEXT_ROOM = 8192 };

/* ---- the model ---- */

struct model {
	int listener, fd; /* without TLS: of the connection; with it: of who carries its bytes */
	struct wr_process as;
	char request[MODEL_REQUEST_ROOM];
	const char *body; /* of the request taken last */
	bool is_hasty;	  /* ends its connection behind each answer */
};

static inline void await_readable(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	CHECK(poll(&ready, 1, (int)WR_PROCESS_WAIT_MS) == 1);
}

/* openssl's server on that port, its input and output one socket of ours. */
static inline void start_carrier(struct model *self)
{
	const char *list[] = {"openssl", "s_server", "-quiet", "-accept", self->as.address,
			      "-cert",	 NULL,	     "-key",   NULL,	  NULL};
	int pair[2], null = open("/dev/null", O_WRONLY);

	list[6] = key("rsa.pem");
	list[8] = key("rsa.key");
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	fflush(NULL);
	self->as.pid = fork();
	CHECK(self->as.pid >= 0);
	if (self->as.pid == 0) {
		dup2(pair[1], 0);
		dup2(pair[1], 1);
		dup2(null, 2);
		execvp(list[0], (char *const *)(uintptr_t)list);
		_exit(127);
	}
	close(pair[1]);
	close(null);
	self->fd = pair[0];
}

static inline void open_model(struct model *self)
{
	uint64_t end_ms = wr_process_now_ms() + wr_test_patience(WR_PROCESS_WAIT_MS);
	int fd;

	self->fd = -1;
	self->listener = listen_somewhere(&self->as);
	if (!WR_TLS)
		return;
	close(self->listener); /* the port is openssl's now */
	start_carrier(self);
	while ((fd = wr_connect(self->as.address, 0)) < 0) {
		CHECK(wr_process_now_ms() < end_ms && waitpid(self->as.pid, NULL, WNOHANG) == 0);
		poll(NULL, 0, 5);
	}
	close(fd);
}

static inline void close_model(struct model *self)
{
	if (self->fd >= 0)
		close(self->fd);
	if (WR_TLS)
		end_relay(&self->as);
	else
		close(self->listener);
}

/* Whether a whole request lies there. */
static inline bool is_whole(struct model *self, size_t bytes)
{
	const char *length = strstr(self->request, "\r\nContent-Length: ");
	const char *end = strstr(self->request, "\r\n\r\n");

	if (length == NULL || end == NULL)
		return false;
	self->body = end + 4;
	return bytes ==
	       (size_t)(self->body - self->request) + (size_t)strtoul(length + 18, NULL, 10);
}

/* The next request, over the connection that stands or over a new one. */
static inline void take_request(struct model *self)
{
	size_t bytes = 0;

	self->request[0] = '\0';
	while (!is_whole(self, bytes)) {
		ssize_t got;

		if (self->fd < 0) {
			await_readable(self->listener);
			self->fd = accept(self->listener, NULL, NULL);
			CHECK(self->fd >= 0);
		}
		await_readable(self->fd);
		got = recv(self->fd, self->request + bytes, sizeof self->request - 1 - bytes, 0);
		if (got <= 0 && bytes == 0 && !WR_TLS) {
			close(self->fd); /* it was kept for another request that never came */
			self->fd = -1;
			continue;
		}
		CHECK(got > 0);
		bytes += (size_t)got;
		self->request[bytes] = '\0';
	}
}

static inline void model_sends(const struct model *self, const char *text)
{
	CHECK(wr_send_all(self->fd, wr_view_of_string(text), WR_CLIENT_WAIT_MS));
}

/* One chunk of a body, as it comes. */
static inline void model_sends_chunk(const struct model *self, const char *text)
{
	char size[32];

	snprintf(size, sizeof size, "%zx\r\n", strlen(text));
	model_sends(self, size);
	model_sends(self, text);
	model_sends(self, "\r\n");
}

static inline void model_begins(const struct model *self)
{
	model_sends(self, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
			  "Transfer-Encoding: chunked\r\n");
	model_sends(self, self->is_hasty ? "Connection: close\r\n\r\n" : "\r\n");
}

/* A piece of the answer; `text` as it stands in JSON. */
static inline void model_says(const struct model *self, const char *text)
{
	char event[TALK_TEXT_ROOM];

	snprintf(event, sizeof event,
		 "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"}}]}\n\n", text);
	model_sends_chunk(self, event);
}

static inline void model_ends(const struct model *self)
{
	model_sends_chunk(self, "data: {\"choices\":[{\"index\":0,\"delta\":{},"
				"\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
	model_sends(self, "0\r\n\r\n");
}

/* A whole answer, in one piece: who sends more to one that has gone sends it to the next. */
static inline void model_answers(const struct model *self, const char *status, const char *type,
				 const char *body)
{
	char text[TALK_TEXT_ROOM];

	snprintf(text, sizeof text,
		 "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n%s", status, type,
		 strlen(body), self->is_hasty ? "Connection: close\r\n" : "", body);
	model_sends(self, text);
}

/* ---- the programs ---- */

static struct {
	struct model model;
	struct wr_process runtime, backend;
	struct wr_process to_runtime, to_backend; /* where plain clients reach them */
	struct tunnel runtime_tunnel, backend_tunnel;
	char runtime_config[TLS_PATH_ROOM];
	const char *const *runtime_environment, *const *backend_environment; /* or NULL */
	char backend_address[128], runtime_address[128];
} talk;

/* Of a configuration: who vouches. */
static inline const char *line_of_ca(void)
{
	static char line[TLS_PATH_ROOM + 32];

	if (WR_TLS)
		snprintf(line, sizeof line, "tls_ca = \"%s\"\n", key("ca.pem"));
	return line;
}

/* Files of tokens and keys, and the configuration of the Runtime; `more` stands behind the profile
 * `default`, which is the model. */
static inline void write_runtime_config(const char *more)
{
	char text[TALK_TEXT_ROOM];

	wr_place_write(key("runtime.tokens"), RUNTIME_TOKEN "\n");
	wr_place_write(key("browser.tokens"), BROWSER_TOKEN "\n");
	wr_place_write(key("provider.key"), PROVIDER_KEY "\n");
	wr_place_write(tls.place.token_file, RUNTIME_TOKEN "\n");
	snprintf(text, sizeof text,
		 "[[profile]]\nname = \"default\"\nkind = \"openai\"\n"
		 "base_url = \"%s://localhost:%s/v1\"\nmodel = \"scripted\"\n"
		 "key_file = \"%s\"\nsystem_prompt = \"You are brief.\"\nretries = 0\n%s%s",
		 SCHEME, port_of(&talk.model.as), key("provider.key"), line_of_ca(), more);
	snprintf(talk.runtime_config, sizeof talk.runtime_config, "%s", key("runtime.conf"));
	wr_place_write(talk.runtime_config, text);
}

static inline void start_runtime(const char *bind)
{
	const char *list[20] = {"--bind",	"",
				"--config",	talk.runtime_config,
				"--token-file", key("runtime.tokens"),
				"--fs-root",	tls.place.store,
				"--log-level",	"debug",
				"--tls-cert",	key("ec.pem"),
				"--tls-key",	key("ec.key")};

	list[1] = bind;
	if (!WR_TLS)
		list[10] = NULL;
	wr_process_start(&talk.runtime, list, talk.runtime_environment);
	snprintf(talk.runtime_address, sizeof talk.runtime_address, "%s", talk.runtime.address);
}

/* More remotes, or profiles of its own, in `more`. */
static inline void write_backend_config(const char *more)
{
	char text[TALK_TEXT_ROOM];

	snprintf(text, sizeof text,
		 "[[remote]]\nid = \"box\"\nbase_url = \"%s://localhost:%s\"\n"
		 "token_file = \"%s\"\n%s%s",
		 SCHEME, port_of(&talk.runtime), tls.place.token_file, line_of_ca(), more);
	wr_place_write(tls.place.config, text);
}

static inline void start_backend_of_talk(const char *listen)
{
	const char *list[24] = {"--listen",	"",
				"--workspace",	tls.place.workspace,
				"--config",	tls.place.config,
				"--token-file", key("browser.tokens"),
				"--log-level",	"debug",
				"--no-local",	"--tls-cert",
				key("ec.pem"),	"--tls-key",
				key("ec.key")};

	list[1] = listen;
	if (!WR_TLS)
		list[11] = NULL;
	wr_process_start_backend(&talk.backend, list, talk.backend_environment);
	snprintf(talk.backend_address, sizeof talk.backend_address, "%s", talk.backend.address);
}

/* Where a plain client reaches it: through a tunnel, or at itself. */
static inline void reach(struct wr_process *as, struct tunnel *tunnel, const char *address)
{
	if (WR_TLS) {
		*tunnel = (struct tunnel){address, key("ca.pem"), NULL, NULL};
		open_tunnel(as, tunnel);
	} else {
		memset(as, 0, sizeof *as);
		snprintf(as->address, sizeof as->address, "%s", address);
	}
}

/* A folder, and a model that listens. */
static inline void open_talk(void)
{
	if (WR_TLS)
		need("openssl");
	open_rig();
	open_model(&talk.model);
}

static inline void start_talk(const char *more_of_runtime, const char *more_of_backend)
{
	write_runtime_config(more_of_runtime);
	start_runtime("127.0.0.1:0");
	write_backend_config(more_of_backend);
	start_backend_of_talk("127.0.0.1:0");
	reach(&talk.to_runtime, &talk.runtime_tunnel, talk.runtime_address);
	reach(&talk.to_backend, &talk.backend_tunnel, talk.backend_address);
}

static inline void end_talk(void)
{
	if (talk.backend.is_running)
		CHECK_U64(wr_process_stop(&talk.backend), 0);
	if (talk.runtime.is_running)
		CHECK_U64(wr_process_stop(&talk.runtime), 0);
	if (WR_TLS) {
		end_relay(&talk.to_runtime);
		end_relay(&talk.to_backend);
	}
	close_model(&talk.model);
	close_rig();
}

static inline void kill_program(struct wr_process *process)
{
	wr_process_signal(process, SIGKILL);
	CHECK_U64(wr_process_wait(process, WR_PROCESS_WAIT_MS), WR_PROCESS_SIGNALLED + SIGKILL);
}

/* ---- followers ---- */

struct heard {
	char *name, *payload;
	char cursor[WR_CURSOR_ROOM];
};

/* Who follows a Worker, over all its connections. */
struct follower {
	const struct wr_process *through;
	const char *token, *target;
	struct wr_test_ws stream;
	struct heard *heard;
	unsigned count;
};

static inline char *copy_of(struct wr_view text)
{
	char *copy = malloc(text.bytes + 1);

	CHECK(copy != NULL && text.data != NULL);
	memcpy(copy, text.data, text.bytes);
	copy[text.bytes] = '\0';
	return copy;
}

/* Fresh, or behind what it has heard. */
static inline void follow(struct follower *self)
{
	char target[2 * WR_PATH_ROOM];

	if (self->heard == NULL)
		self->heard = calloc(HEARD_MAX, sizeof *self->heard);
	CHECK(self->heard != NULL);
	snprintf(target, sizeof target, "%s%s%s", self->target, self->count == 0 ? "" : "?cursor=",
		 self->count == 0 ? "" : self->heard[self->count - 1].cursor);
	CHECK_U64(wr_test_ws_open(&self->stream, self->through, self->token, target), 101);
}

static inline void unfollow(struct follower *self)
{
	wr_test_ws_close(&self->stream);
}

static inline void forget_heard(struct follower *self)
{
	for (unsigned i = 0; i < self->count; i++) {
		free(self->heard[i].name);
		free(self->heard[i].payload);
	}
	free(self->heard);
}

static inline const struct heard *hear(struct follower *self)
{
	struct wr_view frame = wr_test_ws_message(&self->stream);
	struct heard *heard = &self->heard[self->count++];

	CHECK(self->count < HEARD_MAX);
	CHECK_STRING(wr_json_find(frame, "kind"), "event");
	heard->name = copy_of(wr_json_find(frame, "envelope.payload.event"));
	heard->payload = copy_of(wr_json_find(frame, "envelope.payload"));
	wr_json_copy(heard->cursor, sizeof heard->cursor, frame, "envelope.cursor");
	return heard;
}

static inline bool is_event(const struct heard *heard, const char *name)
{
	return strcmp(heard->name, name) == 0;
}

static inline struct wr_view text_of(const struct heard *heard)
{
	return wr_json_find(wr_view_of_string(heard->payload), "data.text");
}

/* Hears until an event of this name, with this text unless NULL. */
static inline void hear_until(struct follower *self, const char *name, const char *text)
{
	for (;;) {
		const struct heard *heard = hear(self);

		if (is_event(heard, name) &&
		    (text == NULL || wr_view_equal(text_of(heard), wr_view_of_string(text))))
			return;
	}
}

#endif
