/*
 * Goal: the command line and the configuration file of workspace-server tell people what is wrong,
 * where, and what to do. Method: the real program, run to its end.
 */
#include "harness/backend.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct wr_place place;
static struct wr_process run;
static char program[512];

static int run_backend(const char *const *arguments)
{
	const char *worker_runtime = wr_process_program();

	snprintf(program, sizeof program, "%.*s/workspace-server",
		 (int)(strrchr(worker_runtime, '/') - worker_runtime), worker_runtime);
	wr_process_spawn(&run, program, arguments, NULL);
	return wr_process_wait(&run, WR_PROCESS_WAIT_MS);
}

static void test_every_flag_of_the_help_is_in_the_manual(void)
{
	static const char path[] = "src/backend/workspace-server.8";
	struct wr_view manual;
	unsigned count = 0;
	char entry[80];

	if (!wr_test_find_file(path))
		wr_test_skip("run from the root of the repository");
	manual = wr_test_read_file(path);
	CHECK_U64(run_backend(WR_ARGUMENTS("--help")), 0);
	CHECK_U64(run.err_bytes, 0);
	for (const char *at = run.out; (at = strstr(at, "\n  --")) != NULL; at += 5) {
		size_t bytes = strcspn(at + 5, " \n");
		snprintf(entry, sizeof entry, "Fl -%.*s", (int)bytes, at + 5);
		wr_test_case(entry);
		CHECK(memmem(manual.data, manual.bytes, entry, strlen(entry)) != NULL);
		count++;
	}
	CHECK(count > 40);
}

static void test_version_goes_to_stdout(void)
{
	CHECK_U64(run_backend(WR_ARGUMENTS("--version")), 0);
	CHECK(strncmp(run.out, "workspace-server ", 17) == 0);
}

static const struct {
	const char *file;
	const char *says[3]; /* all of them, on stderr */
} refused[] = {
	{"listen = 8787\n", {"backend.conf:1", "listen"}},
	{"lisen = \"127.0.0.1:0\"\n", {"backend.conf:1", "lisen"}},
	{"\n\n[remote]\n", {"backend.conf:3", "remote"}},
	{"[[remotes]]\n", {"backend.conf:1", "remotes"}},
	{"[[remote]]\nid = \"a\"\nbase_url = \"http://1.2.3.4:1\"\nurl = \"x\"\n",
	 {"backend.conf:4", "url"}},
	{"[[remote]]\nbase_url = \"http://1.2.3.4:1\"\n", {"backend.conf:1", "needs an id"}},
	{"[[remote]]\nid = \"a b\"\nbase_url = \"http://1.2.3.4:1\"\n", {"backend.conf:1", "a b"}},
	{"[[remote]]\nid = \"a\"\n", {"backend.conf:1", "needs a base_url"}},
	{"[[remote]]\nid = \"a\"\nbase_url = \"ftp://1.2.3.4\"\n",
	 {"backend.conf:1", "http://192.0.2.7:8650"}},
	{"[[remote]]\nid = \"a\"\nbase_url = \"http://1.2.3.4:1\"\ntls_name = \"b\"\n",
	 {"backend.conf:1", "does not begin https"}},
	{"[[remote]]\nid = \"a\"\nbase_url = \"unix:/tmp/x\"\ntls_ca = \"b\"\n",
	 {"backend.conf:1", "does not begin https"}},
#if WR_TLS
	{"[[remote]]\nid = \"a\"\nbase_url = \"https://1.2.3.4\"\n",
	 {"backend.conf:1", "tls_name", "tls_pin"}},
	{"[[remote]]\nid = \"a\"\nbase_url = \"https://b\"\ntls_name = \"1.2.3.4\"\n",
	 {"backend.conf:1", "not a host name"}},
	{"[[remote]]\nid = \"a\"\nbase_url = \"https://b\"\ntls_pin = \"sha256//x\"\n",
	 {"backend.conf:1", "44 characters"}},
	{"[[remote]]\nid = \"a\"\nbase_url = \"https://b\"\ntls_cert = \"x\"\n",
	 {"backend.conf:1", "belong together"}},
	{"[[remote]]\nid = \"a\"\nbase_url = \"https://b\"\ntls_ca = \"x\"\n"
	 "tls_pin = \"sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"\n",
	 {"backend.conf:1", "both"}},
	{"[[remote]]\nid = \"a\"\nbase_url = \"https://b\"\ntls_ca = \"/nowhere\"\n",
	 {"backend.conf:1", "/nowhere"}},
	{"[[remote]]\nid = \"a\"\nbase_url = \"https://b\"\n"
	 "tls_cert = \"/nowhere\"\ntls_key = \"/nowhere\"\n",
	 {"backend.conf:1", "/nowhere"}},
#else
	{"[[remote]]\nid = \"a\"\nbase_url = \"https://1.2.3.4\"\n",
	 {"backend.conf:1", "make TLS=bearssl"}},
#endif
	{"[[remote]]\nid = \"a\"\nbase_url = \"http://192.0.2:1\"\n",
	 {"backend.conf:1", "neither a name nor an address"}},
	{"[[remote]]\nid = \"a\"\nbase_url = \"http://a..b:1\"\n",
	 {"backend.conf:1", "neither a name nor an address"}},
	{"[[remote]]\nid = \"a\"\nbase_url = \"http://1.2.3.4:1/?q\"\n",
	 {"backend.conf:1", "query"}},
	{"[[remote]]\nid = \"a\"\nbase_url = \"http://1.2.3.4:1\"\ntoken_file = \"/nowhere\"\n",
	 {"backend.conf:1", "/nowhere"}},
	{"[[remote]]\nid = \"a\"\nbase_url = \"http://1.2.3.4:1\"\ntimeout_ms = 0\n",
	 {"backend.conf:4", "timeout"}},
	{"# two\n[[remote]]\nid = \"a\"\nbase_url = \"http://1.2.3.4:1\"\n"
	 "[[remote]]\nid = \"a\"\nbase_url = \"http://1.2.3.4:2\"\n",
	 {"backend.conf:5", "twice"}},
	{"[[remote]]\nid = \"a\nbase_url", {"backend.conf:2"}},
	{"# one\nruntime_id = \"a b\"\n", {"backend.conf:2", "--runtime-id", "1 to 120"}},
	{"\nworkspace = \"/nowhere/at/all\"\n", {"backend.conf:2", "No such file or directory"}},
};

static void test_what_is_wrong_with_a_file_is_told_with_its_line(void)
{
	wr_place_make(&place);
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		wr_test_case(refused[i].file);
		wr_place_write(place.config, refused[i].file);
		CHECK_U64(run_backend(WR_ARGUMENTS("--config", place.config, "--check-config")), 2);
		CHECK(strstr(run.err, "usage:") == NULL);
		for (unsigned k = 0; k < 3 && refused[i].says[k] != NULL; k++)
			if (strstr(run.err, refused[i].says[k]) == NULL) {
				printf("%s", run.err);
				wr_test_fail(__FILE__, __LINE__, refused[i].says[k]);
			}
	}
	wr_place_remove(&place);
}

static void test_a_remote_with_the_id_of_the_embedded_runtime_is_refused(void)
{
	wr_place_make(&place);
	wr_place_write(
		place.config,
		"[[remote]]\nid = \"backend-internal\"\nbase_url = \"http://127.0.0.1:9\"\n");
	CHECK_U64(run_backend(WR_ARGUMENTS("--config", place.config, "--listen", "127.0.0.1:0",
					   "--workspace", place.workspace)),
		  1);
	CHECK(strstr(run.err, "backend.conf:1") != NULL);
	CHECK(strstr(run.err, "backend-internal") != NULL);
	wr_test_case("and one with the id of the local Workers");
	wr_place_write(place.config, "\nruntime_id = \"local-worker-runtime\"\n");
	CHECK_U64(run_backend(WR_ARGUMENTS("--config", place.config, "--listen", "127.0.0.1:0",
					   "--workspace", place.workspace)),
		  1);
	CHECK(strstr(run.err, "backend.conf:2: --runtime-id: another source has the id") != NULL);
	wr_place_remove(&place);
}

static void test_a_good_file_is_ok_and_its_values_count_less_than_flags(void)
{
	wr_place_make(&place);
	wr_place_write(place.config,
		       "listen = \"127.0.0.1:1\"\nidle-ms = 77\nretention_bytes = \"3M\"\n"
		       "[[remote]]\nid = \"a\"\nbase_url = \"http://127.0.0.1:9/x/\"\n"
		       "[[remote]]\nid = \"b\"\nbase_url = \"unix:/run/b.sock\"\n");
	CHECK_U64(run_backend(WR_ARGUMENTS("--config", place.config, "--check-config")), 0);
	CHECK_STRING(wr_view_of_string(run.out), "ok\n");
	CHECK_U64(run_backend(WR_ARGUMENTS("--config", place.config, "--listen", "127.0.0.1:2",
					   "--print-config")),
		  0);
	CHECK(strstr(run.out, "listen = \"127.0.0.1:2\"  # flag\n") != NULL);
	CHECK(strstr(run.out, "idle-ms = 77  # ") != NULL);
	CHECK(strstr(run.out, "retention-bytes = \"3M\"  # ") != NULL);
	wr_place_remove(&place);
}

static void test_off_loopback_a_token_is_needed(void)
{
	wr_place_make(&place);
	CHECK_U64(
		run_backend(WR_ARGUMENTS("--listen", "0.0.0.0:0", "--workspace", place.workspace)),
		1);
	CHECK(strstr(run.err, "--token-file") != NULL);
	wr_place_remove(&place);
}

/* With a token: the console needs none, the API does, a stream takes a ticket once. */
static void test_tokens_and_tickets(void)
{
	static const char token[] = "browser-token-0123456789abcdef0123456789";
	struct wr_process backend;
	struct wr_client client;
	struct wr_answer answer;
	struct wr_test_ws stream;
	char worker[WR_CLIENT_ID_BYTES], ticket[64], target[WR_PATH_ROOM];

	wr_place_make(&place);
	wr_place_write(place.token_file, token);
	wr_backend_start(&backend, &place, WR_ARGUMENTS("--console-token-file", place.token_file));
	wr_client_open(&client, &backend, NULL);
	wr_client_get(&client, &answer, "/");
	CHECK_U64(answer.status, 200);
	CHECK(memmem(answer.body.data, answer.body.bytes, token, strlen(token)) == NULL);
	wr_client_get(&client, &answer, "/api/runtimes");
	CHECK_U64(answer.status, 401);
	client.token = token;
	wr_backend_spawn(&client, "backend-internal", worker);
	snprintf(target, sizeof target, "/api/runtimes/backend-internal/workers/%s/events/ws",
		 worker);
	CHECK_U64(wr_test_ws_open(&stream, &backend, NULL, target), 401);
	wr_test_ws_close(&stream);
	wr_client_post(&client, &answer, "{}", "/api/tickets");
	CHECK_U64(answer.status, 201);
	wr_json_copy(ticket, sizeof ticket, answer.body, "ticket");
	snprintf(target, sizeof target,
		 "/api/runtimes/backend-internal/workers/%s/events/ws?ticket=%s", worker, ticket);
	CHECK_U64(wr_test_ws_open(&stream, &backend, NULL, target), 101);
	wr_test_ws_message(&stream);
	wr_test_ws_close(&stream);
	CHECK_U64(wr_test_ws_open(&stream, &backend, NULL, target), 401);
	wr_test_ws_close(&stream);
	CHECK(strstr(backend.err, ticket) == NULL && strstr(backend.err, token) == NULL);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&backend), 0);
	wr_place_remove(&place);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_every_flag_of_the_help_is_in_the_manual),
	WR_TEST(test_version_goes_to_stdout),
	WR_TEST_LIMIT(test_what_is_wrong_with_a_file_is_told_with_its_line, 30),
	WR_TEST(test_a_remote_with_the_id_of_the_embedded_runtime_is_refused),
	WR_TEST(test_a_good_file_is_ok_and_its_values_count_less_than_flags),
	WR_TEST(test_off_loopback_a_token_is_needed),
	WR_TEST_LIMIT(test_tokens_and_tickets, 30),
	WR_TEST_END,
};
