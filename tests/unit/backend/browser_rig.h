/*
 * browser_rig — a face with scripted sources behind a real server on loopback, and browsers, in one
 * process and one thread. The clients are those of unit/conn/rig.h.
 */
#ifndef WR_TESTS_UNIT_BACKEND_BROWSER_RIG_H
#define WR_TESTS_UNIT_BACKEND_BROWSER_RIG_H

#include "backend/browser_routes.h"

#include "unit/backend/scripted_source.h"
#include "unit/conn/rig.h"
#include "unit/wire/json_equal.h"

#define ALL_KEY "all-key-0123456789abcdef"
#define WATCH_KEY "watch-key-0123456789abcdef"
#define OTHER_KEY "other-key-0123456789abcdef"

static struct faced {
	struct wr_browser_face *face;
	struct wr_browser_config config;
	struct wr_registry registry;
	struct wr_guard guard;
	struct wr_tokens tokens;
	struct wr_texts origins, hosts;
	struct wr_policy policy;
	struct scripted local, embedded, remote;
	/* of the policy */
	enum wr_policy_verdict verdict;
	unsigned policy_count;
	char asked[512];
} faced;

static const struct wr_console_file faced_files[] = {
	{"/", "text/html; charset=utf-8", "\"1-3\"", (const unsigned char *)"<p>", 3},
	{"/console.css", "text/css", "\"2-3\"", (const unsigned char *)"p{}", 3},
	{"/console.js", "text/javascript", "\"3-1\"", (const unsigned char *)"1", 1},
};

static inline enum wr_policy_verdict faced_on_command(void *context,
						      const struct wr_policy_command *command)
{
	CHECK(context == &faced);
	faced.policy_count++;
	snprintf(faced.asked, sizeof faced.asked, "%s %.*s/%.*s by `%.*s`: %.*s",
		 command->operation, (int)command->runtime_id.bytes, command->runtime_id.data,
		 (int)command->worker_id.bytes, command->worker_id.data, (int)command->caller.bytes,
		 command->caller.data, (int)command->content.bytes, command->content.data);
	return faced.verdict;
}

static inline void faced_add(struct scripted *source, enum wr_source_kind kind, const char *id)
{
	scripted_init(source, kind, id);
	CHECK_STATUS(wr_registry_add(&faced.registry, &source->handle), WR_OK);
}

/* The config may be changed before faced_open. */
static inline void faced_prepare(void)
{
	faced.config = (struct wr_browser_config){
		.registry = &faced.registry,
		.guard = &faced.guard,
		.policy = &faced.policy,
		.workspace_id = WR_VIEW("01978c52-1f3a-7c11-9b2e-5d0a6c4e8f01"),
		.display_name = WR_VIEW("project"),
		.files = faced_files,
		.file_count = WR_COUNT(faced_files),
	};
	wr_browser_defaults(&faced.config);
	faced.policy.context = &faced;
	faced.policy.on_command = faced_on_command;
}

static inline void faced_begin(void)
{
	static struct wr_http_app app;
	struct wr_address address;
	struct wr_error error;

	CHECK_STATUS(wr_browser_face_new(&faced.face, wr_test_allocator(), &faced.config), WR_OK);
	app = wr_browser_face_app(faced.face);
	CHECK_STATUS(wr_address_parse(&address, WR_VIEW("127.0.0.1:0")), WR_OK);
	CHECK_STATUS(wr_reactor_init(&rig.reactor, wr_test_allocator(), &error), WR_OK);
	rig_prepare();
	rig.config.content_type = WR_VIEW("application/json");
	rig.server = wr_http_server_new(&rig.reactor, wr_test_allocator(), &rig.config, &app,
					&address, &error);
	CHECK(rig.server != NULL);
	wr_guard_init(&faced.guard, &faced.tokens, &faced.origins, &faced.hosts,
		      wr_http_server_address(rig.server));
	faced.guard.admits_same_origin = true;
}

static inline void faced_open(void)
{
	faced_prepare();
	faced_add(&faced.local, WR_SOURCE_LOCAL, "local-worker-runtime");
	faced.local.ops.observe = NULL;
	faced_add(&faced.embedded, WR_SOURCE_EMBEDDED, "backend-internal");
	faced_add(&faced.remote, WR_SOURCE_REMOTE, "remote:build-box");
	faced_begin();
}

static inline void faced_with_keys(void)
{
	CHECK_STATUS(wr_tokens_add(&faced.tokens, WR_VIEW("all"), WR_MAY_ALL, WR_VIEW(ALL_KEY)),
		     WR_OK);
	CHECK_STATUS(
		wr_tokens_add(&faced.tokens, WR_VIEW("watch"), WR_MAY_OBSERVE, WR_VIEW(WATCH_KEY)),
		WR_OK);
	CHECK_STATUS(wr_tokens_add(&faced.tokens, WR_VIEW("other"), WR_MAY_ALL, WR_VIEW(OTHER_KEY)),
		     WR_OK);
}

static inline void faced_close(void)
{
	wr_http_server_free(rig.server);
	CHECK_U64(wr_browser_face_waiting_count(faced.face), 0);
	wr_browser_face_free(faced.face);
	wr_registry_deinit(&faced.registry);
	wr_reactor_deinit(&rig.reactor);
}

/* ---- browsers ---- */

/* Connects and sends a request whose answer is the last one there. `fields`: finished lines, or
 * NULL; one of them may be a Host. `body` NULL: none. */
static inline int browser_send(const char *method, const char *target, const char *fields,
			       const char *body)
{
	static char text[3 << 20];
	int fd = rig_connect(), n;
	bool has_host = fields != NULL && strstr(fields, "Host:") != NULL;
	bool has_type = body == NULL || (fields != NULL && strstr(fields, "Content-Type:") != NULL);

	n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\n%s%s%s", method, target,
		     has_host ? "" : "Host: localhost\r\n",
		     fields == NULL || strstr(fields, "Connection:") == NULL
			     ? "Connection: close\r\n"
			     : "",
		     fields != NULL ? fields : "");
	CHECK(n > 0 && (size_t)n < sizeof text);
	if (body != NULL)
		n += snprintf(text + n, sizeof text - (size_t)n, "%sContent-Length: %zu\r\n",
			      has_type ? "" : "Content-Type: application/json\r\n", strlen(body));
	CHECK((size_t)n < sizeof text);
	n += snprintf(text + n, sizeof text - (size_t)n, "\r\n%s", body != NULL ? body : "");
	CHECK((size_t)n < sizeof text);
	rig_send(fd, wr_view_of(text, (size_t)n));
	return fd;
}

/* The status of the answer that came. */
static inline unsigned browser_status(void)
{
	CHECK(got.bytes > 12 && strncmp(got.data, "HTTP/1.1 ", 9) == 0);
	return (unsigned)strtoul(got.data + 9, NULL, 10);
}

static inline struct wr_view browser_body(void)
{
	const char *end = strstr(got.data, "\r\n\r\n");

	CHECK(end != NULL);
	return wr_view_of(end + 4, got.bytes - (size_t)(end + 4 - got.data));
}

/* Whether the head has this line. */
static inline bool browser_has_field(const char *line)
{
	const char *at = strstr(got.data, line);

	return at != NULL && at < browser_body().data && strncmp(at + strlen(line), "\r\n", 2) == 0;
}

static inline unsigned browser_receive(int fd)
{
	rig_forget();
	got.is_ended = got.is_reset = false;
	rig_receive_all(fd);
	close(fd);
	return browser_status();
}

static inline unsigned browser_ask(const char *method, const char *target, const char *fields,
				   const char *body)
{
	return browser_receive(browser_send(method, target, fields, body));
}

static inline unsigned browser_get(const char *target)
{
	return browser_ask("GET", target, NULL, NULL);
}

static inline unsigned browser_post(const char *target, const char *body)
{
	return browser_ask("POST", target, NULL, body);
}

static inline struct wr_view browser_at(const char *path)
{
	return json_at(browser_body(), path);
}

/* Until the source has begun so many calls. */
static inline void turn_until_begun(const struct scripted *source, unsigned count)
{
	while (source->begin_count < count)
		rig_turn();
}

#endif
