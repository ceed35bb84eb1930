/*
 * Goal (contract 8.13, P19, T10): nothing of a source's inside reaches a browser. Method: every
 * route, good and bad, through all three sources, with and without the remote; every byte of every
 * head, body and frame is searched for what must not be there.
 */
#include "harness/backend.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SECRET "the-remote-secret-7c1d9b2e5d0a6c4e"

static struct wr_place place;
static struct wr_remote remote;
static struct wr_process backend;
static const char *forbidden[24];
static unsigned forbidden_count, searched_count;

/* Words that belong to the protocol itself, where they may stand. */
static const char *const allowed[] = {
	"\"provider\":\"worker-runtime\"", /* member of a snapshot's greeting */
	"embedded_runtime_no_socket",	   /* codes of the contract, for who asks for sockets */
	"remote_runtime_no_socket_ready_acceptance",
	"sockets",	    /* their messages */
	"context_tokens",   /* another member of the greeting, a number */
	"token_configured", /* member of the workspace's record */
	"LocalDevToken",
};

static void forbid(const char *text)
{
	CHECK(forbidden_count < sizeof forbidden / sizeof forbidden[0]);
	forbidden[forbidden_count++] = text;
}

static bool is_allowed(const char *at, const char *begin)
{
	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
		for (size_t back = 0; back < strlen(allowed[i]); back++)
			if (at >= begin + back &&
			    strncmp(at - back, allowed[i], strlen(allowed[i])) == 0)
				return true;
	return false;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static void search(const char *what, struct wr_view bytes)
{
	static char text[1 << 20];

	CHECK(bytes.bytes < sizeof text);
	memcpy(text, bytes.data, bytes.bytes);
	text[bytes.bytes] = '\0';
	searched_count++;
	for (unsigned i = 0; i < forbidden_count; i++)
		for (const char *at = text; at < text + bytes.bytes; at++) {
			size_t same = 0;
			while (forbidden[i][same] != '\0' &&
			       lower(at[same]) == lower(forbidden[i][same]))
				same++;
			if (forbidden[i][same] == '\0' && !is_allowed(at, text)) {
				printf("%s tells `%s`: ...%.120s\n", what, forbidden[i],
				       at - text > 60 ? at - 60 : text);
				wr_test_fail(__FILE__, __LINE__, "something inside was told");
			}
		}
}

static void ask(const char *method, const char *target, const char *body)
{
	struct wr_answer answer;
	struct wr_client fresh;

	wr_client_open(&fresh, &backend, NULL);
	wr_client_ask(&fresh, &answer, method, target, NULL, body);
	search(target, wr_view_of(fresh.in.data, fresh.in.bytes));
	search(target, answer.body);
	wr_client_close(&fresh);
}

/* A path below a Runtime, its `*` the id of the Worker. */
static void make_target(char target[WR_PATH_ROOM], const char *runtime_id, const char *path,
			const char *worker_id)
{
	const char *star = strchr(path, '*');
	int before = star == NULL ? (int)strlen(path) : (int)(star - path);

	snprintf(target, WR_PATH_ROOM, "/api/runtimes/%s%.*s%s%s", runtime_id, before, path,
		 star == NULL ? "" : worker_id, star == NULL ? "" : star + 1);
}

static void ask_about(const char *runtime_id, const char *worker_id)
{
	static const char *const gets[] = {"",
					   "/workers",
					   "/workers/*",
					   "/workers/*/transcript",
					   "/workers/*/transcript?start=x",
					   "/workers/no-such",
					   "/workers/bad%20id",
					   "/nothing"};
	static const struct {
		const char *path, *body;
	} posts[] = {
		{"/workers",
		 "{\"intent\":{\"kind\":\"workspace_companion\"},\"acceptance\":{\"kind\":"
		 "\"socket_ready\"}}"},
		{"/workers",
		 "{\"intent\":{\"kind\":\"workspace_orchestrator\"},"
		 "\"requested_worker_name\":\"x\",\"acceptance\":{\"kind\":\"run_accepted\","
		 "\"expected_segments\":2}}"},
		{"/workers", "{"},
		{"/workers/*/input", "{\"content\":\"hello\"}"},
		{"/workers/*/input", "{\"content\":\"\"}"},
		{"/workers/*/input", "{\"kind\":null,\"content\":\"hello\"}"},
		{"/workers/*/interrupt", "{}"},
		{"/workers/*/stop", "{\"reason\":\"enough\"}"},
		{"/workers/*/cancel", "{}"},
		{"/workers/*/input", "{\"content\":\"too late\"}"},
		{"/workers/none/stop", "{}"},
	};
	char target[WR_PATH_ROOM];

	for (size_t i = 0; i < sizeof gets / sizeof gets[0]; i++) {
		make_target(target, runtime_id, gets[i], worker_id);
		ask("GET", target, NULL);
	}
	for (size_t i = 0; i < sizeof posts / sizeof posts[0]; i++) {
		make_target(target, runtime_id, posts[i].path, worker_id);
		ask("POST", target, posts[i].body);
	}
}

static void ask_generally(void)
{
	static const char *const gets[] = {"/api/runtimes",	   "/api/hosts",   "/api/workers",
					   "/api/workspace",	   "/api/nothing", "/nothing",
					   "/api/hosts/x/workers", "/readyz",	   "/healthz"};

	for (size_t i = 0; i < sizeof gets / sizeof gets[0]; i++)
		ask("GET", gets[i], NULL);
	ask("POST", "/api/runtimes", "{}");
	ask("POST", "/api/tickets", "{}");
}

/* Everything that a stream says until it is quiet. */
static void watch(const char *runtime_id, const char *worker_id, const char *cursor)
{
	char target[WR_PATH_ROOM];
	struct wr_test_ws stream;
	struct wr_ws_news news;

	snprintf(target, sizeof target, "/api/runtimes/%s/workers/%s/events/ws%s%s", runtime_id,
		 worker_id, cursor == NULL ? "" : "?cursor=", cursor == NULL ? "" : cursor);
	if (wr_test_ws_open(&stream, &backend, NULL, target) != 101) {
		search(target, wr_buf_view(&stream.message));
		wr_test_ws_close(&stream);
		return;
	}
	for (;;) {
		wr_test_ws_next(&stream, &news, 300);
		if (news.kind != WR_WS_NEWS_MESSAGE)
			break;
		search(target, news.data);
	}
	wr_test_ws_close(&stream);
}

static void watch_all(const char *runtime_id, const char *worker_id)
{
	watch(runtime_id, worker_id, NULL);
	watch(runtime_id, worker_id, "bo_0000000000000001");
	watch(runtime_id, worker_id, "wo_AAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	watch(runtime_id, worker_id, "nonsense");
	watch(runtime_id, "none", NULL);
}

/* A Worker of the old tool, for the local source. */
static void make_local(char *data, size_t room)
{
	char path[300], text[512];

	snprintf(data, room, "%s/data", place.root);
	CHECK(mkdir(data, 0700) == 0);
	snprintf(path, sizeof path, "%s/pods", data);
	CHECK(mkdir(path, 0700) == 0);
	snprintf(path, sizeof path, "%s/pods/coder", data);
	CHECK(mkdir(path, 0700) == 0);
	snprintf(path, sizeof path, "%s/pods/coder/metadata.json", data);
	snprintf(text, sizeof text,
		 "{\"worker_name\":\"coder\",\"active\":{\"session_id\":"
		 "\"01978c52-1f3a-7c11-9b2e-5d0a6c4e8f09\"},\"workspace_root\":\"%s\"}",
		 place.workspace);
	wr_place_write(path, text);
}

static void test_nothing_of_a_source_reaches_a_browser(void)
{
	char embedded[WR_CLIENT_ID_BYTES], of_remote[WR_CLIENT_ID_BYTES], local[WR_CLIENT_ID_BYTES];
	char data[128], variable[160];
	struct wr_client client;
	struct wr_answer answer;

	wr_place_make(&place);
	make_local(data, sizeof data);
	snprintf(variable, sizeof variable, "YOI_DATA_DIR=%s", data);
	wr_remote_start(&remote, &place, SECRET);
	wr_place_configure(&place, remote.address);
	wr_process_start_backend(
		&backend, WR_ARGUMENTS("--workspace", place.workspace, "--config", place.config),
		WR_ARGUMENTS(variable));
	forbid(SECRET);
	forbid(remote.address);
	forbid(place.root);
	forbid("wo_");
	forbid("\"re_");
	forbid("01978c52-1f3a-7c11-9b2e-5d0a6c4e8f09");
	forbid("metadata.json");
	forbid("socket");
	forbid("session");
	forbid("token");
	forbid("credential");
	forbid("provider");
	forbid("log_id");

	wr_client_open(&client, &backend, NULL);
	wr_backend_await_status(&client, "remote:box", "running");
	wr_backend_spawn(&client, "backend-internal", embedded);
	wr_backend_spawn(&client, "remote:box", of_remote);
	wr_client_get(&client, &answer, "/api/runtimes/local-worker-runtime/workers");
	wr_json_copy(local, sizeof local, answer.body, "items.0.worker_id");
	CHECK_STRING(wr_json_find(answer.body, "items.0.label"), "coder");
	wr_client_close(&client);

	ask_generally();
	ask_about("local-worker-runtime", local);
	ask_about("no-such-runtime", "worker");
	watch_all("local-worker-runtime", local);
	ask_about("backend-internal", embedded);
	watch_all("backend-internal", embedded);
	ask_about("remote:box", of_remote);
	watch_all("remote:box", of_remote);
	wr_remote_kill(&remote);
	ask_generally();
	ask_about("remote:box", of_remote);
	watch_all("remote:box", of_remote);
	CHECK(searched_count > 100);

	/* Its own log neither, but for where it was started. */
	CHECK(strstr(backend.err, SECRET) == NULL);
	CHECK_U64(wr_process_stop(&backend), 0);
	wr_place_remove(&place);
}

const struct wr_test wr_tests[] = {WR_TEST_LIMIT(test_nothing_of_a_source_reaches_a_browser, 60),
				   WR_TEST_END};
