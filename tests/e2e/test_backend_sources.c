/*
 * Goal (design 7, contract 8.1): no source delays or ends another. Method: the real Backend beside
 * a Runtime that is killed, one that never answers, and one that answers nonsense.
 */
#include "harness/backend.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What an answer from what is known may take, on a busy machine. */
enum { AT_ONCE_MS = 1000 };

static struct wr_place place;
static struct wr_remote remote;
static struct wr_process backend;

/* Listens and never accepts: a connection is made by the kernel, and nothing ever comes. */
static int open_silent(char *address, size_t room)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t bytes = sizeof name;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof name) == 0);
	CHECK(listen(fd, 64) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&name, &bytes) == 0);
	snprintf(address, room, "127.0.0.1:%u", ntohs(name.sin_port));
	return fd;
}

static void configure_two(const char *first, const char *second)
{
	char text[1024];

	snprintf(
		text, sizeof text,
		"[[remote]]\nid = \"remote:first\"\nbase_url = \"http://%s\"\ntimeout_ms = 2000\n"
		"[[remote]]\nid = \"remote:second\"\nbase_url = \"http://%s\"\ntimeout_ms = 2000\n",
		first, second);
	wr_place_write(place.config, text);
}

/* GET and how long it took. */
static uint64_t get(struct wr_client *client, struct wr_answer *answer, const char *target)
{
	uint64_t before = wr_process_now_ms();

	wr_client_get(client, answer, "%s", target);
	return wr_process_now_ms() - before;
}

static void test_a_runtime_that_is_down_is_unavailable_at_once_and_comes_back(void)
{
	char worker[WR_CLIENT_ID_BYTES];
	struct wr_client client;
	struct wr_answer answer;

	wr_place_make(&place);
	wr_remote_start(&remote, &place, NULL);
	wr_place_configure(&place, remote.address);
	wr_backend_start(&backend, &place, WR_ARGUMENTS("--no-local"));
	wr_client_open(&client, &backend, NULL);
	wr_backend_await_status(&client, "remote:box", "running");
	wr_backend_spawn(&client, "remote:box", worker);
	wr_remote_kill(&remote);
	wr_backend_await_status(&client, "remote:box", "unavailable");

	CHECK(get(&client, &answer, "/api/workers") < AT_ONCE_MS);
	CHECK_U64(answer.status, 200);
	CHECK_STRING(wr_json_find(answer.body, "diagnostics.0.code"),
		     "remote_runtime_network_error");
	CHECK(get(&client, &answer, "/api/runtimes/remote:box/workers/worker-00000001") <
	      AT_ONCE_MS);
	CHECK_U64(answer.status, 502);
	CHECK_STRING(wr_json_find(answer.body, "code"), "remote_runtime_network_error");
	wr_backend_spawn(&client, "backend-internal", worker); /* is not concerned */

	wr_remote_restart(&remote);
	wr_backend_await_status(&client, "remote:box", "running");
	wr_client_get(&client, &answer, "/api/runtimes/remote:box/workers");
	CHECK_U64(answer.status, 200);
	CHECK(wr_json_find(answer.body, "items.0.worker_id").data != NULL);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&backend), 0);
	CHECK_U64(wr_process_stop(&remote.process), 0);
	wr_place_remove(&place);
}

/* "localhost" has two addresses, and both are tried. */
static void test_a_runtime_may_be_named_by_its_host(void)
{
	char worker[WR_CLIENT_ID_BYTES], text[WR_PATH_ROOM], cursor[WR_CURSOR_ROOM];
	char address[128];
	struct wr_test_ws stream;
	struct wr_client client;

	wr_place_make(&place);
	wr_remote_start(&remote, &place, NULL);
	snprintf(address, sizeof address, "localhost%s", strrchr(remote.address, ':'));
	wr_place_configure(&place, address);
	wr_backend_start(&backend, &place, NULL);
	wr_client_open(&client, &backend, NULL);
	wr_backend_await_status(&client, "remote:box", "running");
	wr_backend_spawn(&client, "remote:box", worker);
	wr_backend_observe(&stream, &backend, "remote:box", worker, NULL);
	wr_backend_event(&stream, text, sizeof text, cursor); /* the snapshot */
	CHECK(wr_backend_say(&client, "remote:box", worker, "hello", "k1"));
	do
		wr_backend_event(&stream, text, sizeof text, cursor);
	while (strcmp(text, "user_message: hello") != 0);
	wr_remote_kill(&remote);
	wr_backend_await_status(&client, "remote:box", "unavailable");
	wr_remote_restart(&remote);
	wr_backend_await_status(&client, "remote:box", "running");
	wr_test_ws_close(&stream);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&backend), 0);
	CHECK_U64(wr_process_stop(&remote.process), 0);
	wr_place_remove(&place);
}

static void test_a_runtime_that_never_answers_delays_nobody(void)
{
	char silent[64], worker[WR_CLIENT_ID_BYTES];
	struct wr_client client;
	struct wr_answer answer;
	int fd;

	wr_place_make(&place);
	fd = open_silent(silent, sizeof silent);
	wr_remote_start(&remote, &place, NULL);
	configure_two(silent, remote.address);
	wr_backend_start(&backend, &place, WR_ARGUMENTS("--no-local"));
	wr_client_open(&client, &backend, NULL);
	wr_backend_await_status(&client, "remote:second", "running");
	CHECK(get(&client, &answer, "/api/runtimes") < AT_ONCE_MS);
	wr_backend_spawn(&client, "remote:second", worker);
	CHECK(wr_backend_say(&client, "remote:second", worker, "hello", "k"));
	CHECK(get(&client, &answer, "/api/runtimes/remote:second/workers") < AT_ONCE_MS);
	CHECK_STRING(wr_json_find(answer.body, "items.0.worker_id"), worker);
	/* A list of all waits for it no longer than a list may take, and has the others. */
	wr_client_get(&client, &answer, "/api/workers");
	CHECK_U64(answer.status, 200);
	CHECK_STRING(wr_json_find(answer.body, "items.0.worker_id"), worker);
	CHECK_STRING(wr_json_find(answer.body, "items.0.runtime_id"), "remote:second");
	wr_backend_await_status(&client, "remote:first", "unavailable");
	CHECK(get(&client, &answer, "/api/workers") < AT_ONCE_MS);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&backend), 0);
	CHECK_U64(wr_process_stop(&remote.process), 0);
	close(fd);
	wr_place_remove(&place);
}

static void test_a_runtime_that_refuses_the_credential_says_so(void)
{
	struct wr_client client;
	struct wr_answer answer;

	wr_place_make(&place);
	wr_remote_start(&remote, &place, "the-right-credential-0123456789");
	wr_place_write(place.token_file, "another-credential-0123456789");
	wr_place_configure(&place, remote.address);
	wr_backend_start(&backend, &place, WR_ARGUMENTS("--no-local"));
	wr_client_open(&client, &backend, NULL);
	wr_backend_await_status(&client, "remote:box", "unavailable");
	wr_client_get(&client, &answer, "/api/runtimes/remote:box");
	CHECK_STRING(wr_json_find(answer.body, "diagnostics.0.code"), "remote_runtime_auth_failed");
	wr_client_get(&client, &answer, "/api/runtimes/remote:box/workers/worker-00000001");
	CHECK_U64(answer.status, 401);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&backend), 0);
	CHECK_U64(wr_process_stop(&remote.process), 0);
	wr_place_remove(&place);
}

/* SIGHUP: a remote more, one less, and the streams of the others go on. */
static void test_a_reload_drops_no_other_stream(void)
{
	char worker[WR_CLIENT_ID_BYTES], cursor[WR_CURSOR_ROOM], text[96];
	struct wr_test_ws embedded, stays;
	struct wr_client client;
	struct wr_answer answer;
	char other[WR_CLIENT_ID_BYTES];

	wr_place_make(&place);
	wr_remote_start(&remote, &place, NULL);
	configure_two(remote.address, "127.0.0.1:9");
	wr_backend_start(&backend, &place, WR_ARGUMENTS("--no-local"));
	wr_client_open(&client, &backend, NULL);
	wr_backend_await_status(&client, "remote:first", "running");
	wr_backend_spawn(&client, "backend-internal", worker);
	wr_backend_spawn(&client, "remote:first", other);
	wr_backend_observe(&embedded, &backend, "backend-internal", worker, NULL);
	wr_backend_event(&embedded, text, sizeof text, cursor);
	wr_backend_observe(&stays, &backend, "remote:first", other, NULL);
	wr_backend_event(&stays, text, sizeof text, cursor);

	/* What cannot be right changes nothing. */
	wr_place_write(place.config, "[[remote]]\nid = \"remote:first\"\nbase_url = 5\n");
	wr_process_signal(&backend, SIGHUP);
	CHECK(wr_process_wait_text(&backend, "backend.conf:3", WR_PROCESS_WAIT_MS));
	wr_client_get(&client, &answer, "/api/runtimes/remote:second");
	CHECK_U64(answer.status, 200);

	configure_two(remote.address, remote.address);
	{
		char changed[1024];
		snprintf(changed, sizeof changed,
			 "[[remote]]\nid = \"remote:first\"\nbase_url = \"http://%s\"\n"
			 "timeout_ms = 2000\n"
			 "[[remote]]\nid = \"remote:third\"\nbase_url = \"http://%s\"\n",
			 remote.address, remote.address);
		wr_place_write(place.config, changed);
	}
	wr_process_signal(&backend, SIGHUP);
	CHECK(wr_process_wait_text(&backend, "config_reloaded", WR_PROCESS_WAIT_MS));
	wr_backend_await_status(&client, "remote:third", "running");
	wr_client_get(&client, &answer, "/api/runtimes/remote:second");
	CHECK_U64(answer.status, 404);
	CHECK(wr_backend_say(&client, "backend-internal", worker, "one", "k1"));
	CHECK(wr_backend_say(&client, "remote:first", other, "two", "k2"));
	wr_backend_event(&embedded, text, sizeof text, cursor);
	CHECK_STRING(wr_view_of_string(text), "user_message: one");
	wr_backend_event(&stays, text, sizeof text, cursor);
	CHECK_STRING(wr_view_of_string(text), "user_message: two");
	wr_test_ws_close(&embedded);
	wr_test_ws_close(&stays);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&backend), 0);
	CHECK_U64(wr_process_stop(&remote.process), 0);
	wr_place_remove(&place);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_a_runtime_that_is_down_is_unavailable_at_once_and_comes_back, 60),
	WR_TEST_LIMIT(test_a_runtime_may_be_named_by_its_host, 60),
	WR_TEST_LIMIT(test_a_runtime_that_never_answers_delays_nobody, 60),
	WR_TEST_LIMIT(test_a_runtime_that_refuses_the_credential_says_so, 60),
	WR_TEST_LIMIT(test_a_reload_drops_no_other_stream, 60),
	WR_TEST_END};
