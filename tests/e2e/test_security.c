/* Who may, and what nobody can do to the real program: tokens, scopes, Origin, Host, reload; then
 * garbage, half a request, resets, floods and too little memory, each with a look afterwards
 * whether it lives, answers and leaks nothing. */
#include "check.h"
#include "harness/client.h"
#include "bounds.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CREATE_BODY \
	"{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"runtime_default\"}}"

static struct wr_process server;
static struct wr_client client;
static struct wr_answer answer;

static void check_error(unsigned status, const char *code)
{
	CHECK_U64(answer.status, status);
	CHECK_STRING(wr_json_find(answer.body, "error.code"), code);
}

static void stop(void)
{
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

/* A new connection and a request: that the program lives and serves. */
static void check_alive(const char *token)
{
	struct wr_client probe;

	wr_client_open(&probe, &server, token);
	wr_client_get(&probe, &answer, "/v1/runtime");
	CHECK_U64(answer.status, 200);
	wr_client_close(&probe);
}

static const char *token_path(void)
{
	static char path[128];

	snprintf(path, sizeof path, "/tmp/wr-security-%ld-tokens", (long)getpid());
	return path;
}

static void write_tokens(const char *text, mode_t mode)
{
	int fd;

	unlink(token_path());
	fd = open(token_path(), O_WRONLY | O_CREAT | O_EXCL, mode);
	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* ---- tokens ---- */

static void test_only_the_exact_token_is_let_in(void)
{
	static const struct {
		const char *label, *field;
		unsigned status;
	} cases[] = {
		{"exact", "Authorization: Bearer s3cret-Token.09\r\n", 200},
		{"field name in any case", "authorization: Bearer s3cret-Token.09\r\n", 200},
		{"white space behind", "Authorization: Bearer s3cret-Token.09 \t\r\n", 200},
		{"none", "", 401},
		{"empty", "Authorization:\r\n", 401},
		{"scheme only", "Authorization: Bearer\r\n", 401},
		{"scheme and space", "Authorization: Bearer \r\n", 401},
		{"scheme in other case", "Authorization: bearer s3cret-Token.09\r\n", 401},
		{"two spaces", "Authorization: Bearer  s3cret-Token.09\r\n", 401},
		{"a tab", "Authorization: Bearer\ts3cret-Token.09\r\n", 401},
		{"no scheme", "Authorization: s3cret-Token.09\r\n", 401},
		{"another scheme", "Authorization: Basic s3cret-Token.09\r\n", 401},
		{"one short", "Authorization: Bearer s3cret-Token.0\r\n", 401},
		{"one long", "Authorization: Bearer s3cret-Token.091\r\n", 401},
		{"first wrong", "Authorization: Bearer S3cret-Token.09\r\n", 401},
		{"last wrong", "Authorization: Bearer s3cret-Token.08\r\n", 401},
		{"padding", "Authorization: Bearer s3cret-Token.09=\r\n", 401},
		{"list", "Authorization: Bearer s3cret-Token.09, x\r\n", 401},
		{"in another field", "X-Authorization: Bearer s3cret-Token.09\r\n", 401},
	};

	wr_process_start(&server, WR_ARGUMENTS("--local-token", "s3cret-Token.09"), NULL);
	wr_client_open(&client, &server, NULL);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		wr_client_ask(&client, &answer, "GET", "/v1/runtime", cases[i].field, NULL);
		CHECK_U64(answer.status, cases[i].status);
		if (cases[i].status == 401) {
			check_error(401, "unauthorized");
			CHECK_STRING(wr_answer_field(&answer, "WWW-Authenticate"), "Bearer");
		}
	}
	wr_test_case("token in the query");
	wr_client_ask(&client, &answer, "GET", "/v1/runtime?token=s3cret-Token.09", NULL, NULL);
	check_error(401, "unauthorized");
	wr_test_case("a very long one");
	char field[4200] = "Authorization: Bearer s3cret-Token.09";
	memset(field + 37, 'x', 4000);
	memcpy(field + 4037, "\r\n", 3);
	wr_client_ask(&client, &answer, "GET", "/v1/runtime", field, NULL);
	check_error(401, "unauthorized");
	wr_test_case("twice");
	wr_client_ask(&client, &answer, "GET", "/v1/runtime",
		      "Authorization: Bearer s3cret-Token.09\r\n"
		      "Authorization: Bearer s3cret-Token.09\r\n",
		      NULL);
	check_error(400, "bad_request");
	stop();
}

static void test_the_token_comes_before_route_and_method(void)
{
	static const struct {
		const char *method, *target;
	} cases[] = {{"GET", "/v1/runtime"},	 {"GET", "/nothing"},
		     {"DELETE", "/v1/workers"},	 {"POST", "/v1/workers"},
		     {"GET", "/v1/events/ws"},	 {"GET", "/v1/workers/x/events/ws"},
		     {"GET", "/v1/workers/%ff"}, {"POST", "/v1/workers/%20/stop"},
		     {"OPTIONS", "/v1/runtime"}, {"GET", "/healthz/"},
		     {"POST", "/healthz"},	 {"GET", "/v1/workers?limit=x"}};

	wr_process_start(&server, WR_ARGUMENTS("--local-token", "secret"), NULL);
	wr_client_open(&client, &server, NULL);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].target);
		wr_client_ask(&client, &answer, cases[i].method, cases[i].target, NULL, NULL);
		check_error(401, "unauthorized");
	}
	stop();
}

static void test_scopes_allow_what_they_say(void)
{
	static const struct {
		const char *token, *method, *target, *body;
		unsigned status;
	} cases[] = {
		{"t-observe", "GET", "/v1/runtime", NULL, 200},
		{"t-observe", "GET", "/v1/workers", NULL, 200},
		{"t-observe", "GET", "/v1/workers/worker-00000001", NULL, 200},
		{"t-observe", "GET", "/v1/workers/worker-00000001/transcript", NULL, 200},
		{"t-observe", "POST", "/v1/workers", CREATE_BODY, 403},
		{"t-observe", "POST", "/v1/workers/worker-00000001/input", "{}", 403},
		{"t-observe", "POST", "/v1/workers/worker-00000001/stop", NULL, 403},
		{"t-observe", "POST", "/v1/workers/worker-00000001/cancel", NULL, 403},
		{"t-observe", "POST", "/v1/workers/worker-00000001/interrupt", NULL, 403},
		{"t-observe", "POST", "/nothing", NULL, 404},
		{"t-observe", "DELETE", "/v1/workers", NULL, 405},
		{"t-command", "GET", "/v1/runtime", NULL, 200},
		{"t-command", "POST", "/v1/workers", CREATE_BODY, 201},
		{"t-command", "POST", "/v1/workers/worker-00000001/interrupt", NULL, 501},
		{"t-admin", "GET", "/v1/runtime", NULL, 200},
		{"t-admin", "POST", "/v1/workers", CREATE_BODY, 201},
		{"t-both", "GET", "/v1/runtime", NULL, 200},
		{"t-both", "POST", "/v1/workers", CREATE_BODY, 201},
		{"t-bare", "GET", "/v1/runtime", NULL, 200},
		{"t-bare", "POST", "/v1/workers", CREATE_BODY, 201},
		{"t-none", "GET", "/v1/runtime", NULL, 401},
		{"reader", "GET", "/v1/runtime", NULL, 401},
	};

	write_tokens("# who        may       with\n"
		     "reader\tobserve\tt-observe\n"
		     "  writer     command   t-command  \r\n"
		     "\n"
		     "chief admin t-admin\n"
		     "both observe,command t-both\n"
		     "t-bare",
		     0600);
	wr_process_start(&server, WR_ARGUMENTS("--token-file", token_path()), NULL);
	wr_client_open(&client, &server, "t-admin");
	wr_client_ask(&client, &answer, "POST", "/v1/workers", NULL, CREATE_BODY);
	CHECK_U64(answer.status, 201);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].target);
		client.token = cases[i].token;
		wr_client_ask(&client, &answer, cases[i].method, cases[i].target, NULL,
			      cases[i].body);
		CHECK_U64(answer.status, cases[i].status);
		if (answer.status == 403)
			check_error(403, "forbidden");
	}
	unlink(token_path());
	stop();
}

static void test_as_many_tokens_as_there_may_be_are_all_good(void)
{
	char text[WR_TOKEN_COUNT_MAX * 64] = "", token[32];

	for (unsigned i = 0; i < WR_TOKEN_COUNT_MAX; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "n%u observe token-%u\n",
			 i, i * i);
	write_tokens(text, 0600);
	wr_process_start(&server, WR_ARGUMENTS("--token-file", token_path()), NULL);
	wr_client_open(&client, &server, token);
	for (unsigned i = 0; i < WR_TOKEN_COUNT_MAX; i++) {
		snprintf(token, sizeof token, "token-%u", i * i);
		wr_client_get(&client, &answer, "/v1/runtime");
		CHECK_U64(answer.status, 200);
	}
	unlink(token_path());
	stop();
}

static void test_a_hangup_reloads_a_good_file_and_keeps_the_old_for_a_bad_one(void)
{
	write_tokens("a admin old-token\n", 0600);
	wr_process_start(&server,
			 WR_ARGUMENTS("--token-file", token_path(), "--local-token", "fixed"),
			 NULL);
	wr_client_open(&client, &server, "old-token");
	wr_client_get(&client, &answer, "/v1/runtime");
	CHECK_U64(answer.status, 200);

	write_tokens("a admin new-token\n", 0600);
	wr_process_signal(&server, SIGHUP);
	CHECK(wr_process_wait_text(&server, "tokens_reloaded count=2", WR_PROCESS_WAIT_MS));
	wr_client_get(&client, &answer, "/v1/runtime");
	check_error(401, "unauthorized");
	client.token = "new-token";
	wr_client_get(&client, &answer, "/v1/runtime");
	CHECK_U64(answer.status, 200);

	static const struct {
		const char *label, *text;
		mode_t mode;
		const char *says;
	} bad[] = {
		{"syntax", "a admin new-token\nbroken line\n", 0600, "(line 2)"},
		{"open to all", "a admin x\n", 0644, "chmod"},
		{"empty", "", 0600, "no token"},
		{"the fixed one again", "a admin fixed\n", 0600, "given before"},
	};
	for (size_t i = 0; i < WR_COUNT(bad); i++) {
		wr_test_case(bad[i].label);
		write_tokens(bad[i].text, bad[i].mode);
		wr_process_signal(&server, SIGHUP);
		CHECK(wr_process_wait_text(&server, bad[i].says, WR_PROCESS_WAIT_MS));
		client.token = "new-token";
		wr_client_get(&client, &answer, "/v1/runtime");
		CHECK_U64(answer.status, 200);
		client.token = "fixed";
		wr_client_get(&client, &answer, "/v1/runtime");
		CHECK_U64(answer.status, 200);
	}
	unlink(token_path());
	wr_process_signal(&server, SIGHUP);
	CHECK(wr_process_wait_text(&server, "No such file", WR_PROCESS_WAIT_MS));
	wr_client_get(&client, &answer, "/v1/runtime");
	CHECK_U64(answer.status, 200);
	stop();
}

static void test_a_hangup_without_a_file_changes_nothing(void)
{
	wr_process_start(&server, NULL, NULL);
	wr_process_signal(&server, SIGHUP);
	CHECK(wr_process_wait_text(&server, "nothing_to_reload", WR_PROCESS_WAIT_MS));
	wr_client_open(&client, &server, NULL);
	check_alive(NULL);
	stop();
}

/* ---- Origin and Host ---- */

static void test_an_origin_that_is_not_listed_is_refused_before_the_token(void)
{
	static const struct {
		const char *origin;
		bool is_listed;
	} cases[] = {
		{"https://console.example", true},
		{"http://localhost:5173", true},
		{"null", false},
		{"", false},
		{"https://console.example/", false},
		{"https://console.example:443", false},
		{"http://console.example", false},
		{"https://Console.example", false},
		{"https://console.example.evil", false},
		{"https://evil.console.example", false},
		{"http://localhost", false},
		{"http://localhost:51731", false},
		{"http://127.0.0.1", false},
	};
	char fields[128];

	wr_process_start(&server,
			 WR_ARGUMENTS("--allow-origin", "https://console.example",
				      "--allow-origin=http://localhost:5173",
				      "--local-token=secret"),
			 NULL);
	wr_client_open(&client, &server, NULL);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].origin);
		snprintf(fields, sizeof fields, "Origin: %s\r\n", cases[i].origin);
		client.token = NULL;
		wr_client_ask(&client, &answer, "GET", "/v1/runtime", fields, NULL);
		if (cases[i].is_listed)
			check_error(401, "unauthorized");
		else
			check_error(403, "forbidden_origin");
		client.token = "secret";
		wr_client_ask(&client, &answer, "GET", "/v1/events/ws", fields, NULL);
		if (!cases[i].is_listed)
			check_error(403, "forbidden_origin");
		wr_client_ask(&client, &answer, "GET", "/healthz", fields, NULL);
		CHECK_U64(answer.status, cases[i].is_listed ? 200 : 403);
		wr_client_ask(&client, &answer, "POST", "/v1/workers", fields, CREATE_BODY);
		CHECK_U64(answer.status, cases[i].is_listed ? 201 : 403);
	}
	stop();
}

static void test_without_a_token_the_host_must_be_ours(void)
{
	const char *port;
	char own[4][64];
	const char *good[] = {"127.0.0.1",    "localhost",	"LocalHost",	"[::1]",
			      own[0],	      own[1],		own[2],		own[3],
			      "runtime.test", "runtime.test:9", "fixed.test:77"};
	static const char *const bad[] = {"evil.test",	   "evil.test:80",  "localhost.evil.test",
					  "127.0.0.2",	   "127.0.0.1:1",   "localhost:1",
					  "[::1]:1",	   "xlocalhost",    "fixed.test",
					  "fixed.test:78", "runtime.test.", "0.0.0.0",
					  "a.runtime.test"};

	wr_process_start(&server,
			 WR_ARGUMENTS("--allow-host", "runtime.test", "--allow-host=fixed.test:77"),
			 NULL);
	port = strrchr(server.address, ':') + 1;
	snprintf(own[0], sizeof own[0], "127.0.0.1:%s", port);
	snprintf(own[1], sizeof own[1], "localhost:%s", port);
	snprintf(own[2], sizeof own[2], "[::1]:%s", port);
	snprintf(own[3], sizeof own[3], "LOCALHOST:%s", port);
	wr_client_open(&client, &server, NULL);
	for (size_t i = 0; i < WR_COUNT(good); i++) {
		wr_test_case(good[i]);
		client.host = good[i];
		wr_client_get(&client, &answer, "/v1/runtime");
		CHECK_U64(answer.status, 200);
	}
	for (size_t i = 0; i < WR_COUNT(bad); i++) {
		wr_test_case(bad[i]);
		client.host = bad[i];
		wr_client_get(&client, &answer, "/v1/runtime");
		check_error(403, "forbidden_host");
		wr_client_get(&client, &answer, "/nothing");
		check_error(403, "forbidden_host");
	}
	stop();
}

static void test_with_a_token_any_host_will_do(void)
{
	wr_process_start(&server, WR_ARGUMENTS("--local-token=secret"), NULL);
	wr_client_open(&client, &server, "secret");
	client.host = "some.where.test:99";
	wr_client_get(&client, &answer, "/v1/runtime");
	CHECK_U64(answer.status, 200);
	stop();
}

static void test_an_upgrade_is_guarded_like_everything_else(void)
{
#if WR_WS_SERVER
	struct wr_test_ws stream;

	write_tokens("w observe watcher-token\nc command commander\n", 0600);
	wr_process_start(&server, WR_ARGUMENTS("--token-file", token_path()), NULL);
	wr_client_open(&client, &server, "commander");
	CHECK_U64(wr_test_ws_open(&stream, &server, NULL, "/v1/events/ws"), 401);
	wr_test_ws_close(&stream);
	CHECK_U64(wr_test_ws_open(&stream, &server, "wrong", "/v1/events/ws"), 401);
	wr_test_ws_close(&stream);
	CHECK_U64(wr_test_ws_open_with(&stream, &server, "watcher-token", "/v1/events/ws",
				       "Origin: https://evil.test\r\n", 0),
		  403);
	wr_test_ws_close(&stream);
	CHECK_U64(wr_test_ws_open(&stream, &server, "watcher-token", "/v1/events/ws"), 101);
	CHECK(wr_test_ws_message(&stream).bytes > 0);
	wr_test_ws_close(&stream);
	unlink(token_path());
	stop();
#else
	wr_test_skip("this build has no streams");
#endif
}

/* ---- bytes from outside ---- */

static void test_faulty_requests_are_answered_typed_and_ended(void)
{
	static char long_target[10000], long_field[10000], many_fields[4000];
	const struct {
		const char *label, *bytes;
		unsigned status;
		const char *code;
	} cases[] = {
		{"garbage", "\x01\x02\x03\r\n\r\n", 400, "bad_request"},
		{"TLS hello", "\x16\x03\x01\x02\x01\r\n\r\n", 400, "bad_request"},
		{"bare LF", "GET / HTTP/1.1\nHost: localhost\n\n", 400, "bad_request"},
		{"no version", "GET /\r\n\r\n", 400, "bad_request"},
		{"version 2", "GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505,
		 "http_version_not_supported"},
		{"no Host", "GET /v1/runtime HTTP/1.1\r\n\r\n", 400, "bad_request"},
		{"two Hosts", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400,
		 "bad_request"},
		{"two lengths",
		 "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: "
		 "1\r\n\r\nx",
		 400, "bad_request"},
		{"length and chunks",
		 "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: "
		 "chunked\r\n\r\n0\r\n\r\n",
		 400, "bad_request"},
		{"negative length",
		 "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400,
		 "bad_request"},
		{"unknown coding",
		 "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 501,
		 "unsupported_transfer_coding"},
		{"folded field", "GET / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n c\r\n\r\n", 400,
		 "bad_request"},
		{"expectation", "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\n\r\n", 417,
		 "expectation_failed"},
		{"bad chunk",
		 "POST /v1/workers HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
		 "application/json\r\n"
		 "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
		 400, "bad_request"},
		{"long target", long_target, 414, "uri_too_long"},
		{"long field", long_field, 431, "headers_too_large"},
		{"many fields", many_fields, 431, "headers_too_large"},
		{"asterisk", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "bad_request"},
	};

	memset(long_target, 'a', sizeof long_target - 1);
	memcpy(long_target, "GET /", 5);
	memset(long_field, 'a', sizeof long_field - 1);
	memcpy(long_field, "GET / HTTP/1.1\r\nHost: localhost\r\nX: ", 36);
	snprintf(many_fields, sizeof many_fields, "GET / HTTP/1.1\r\nHost: localhost\r\n");
	for (unsigned i = 0; i < 200; i++)
		snprintf(many_fields + strlen(many_fields),
			 sizeof many_fields - strlen(many_fields), "X%u: y\r\n", i);
	wr_process_start(&server, NULL, NULL);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		wr_client_open(&client, &server, NULL);
		wr_client_send(&client, cases[i].bytes);
		wr_client_receive(&client, &answer);
		check_error(cases[i].status, cases[i].code);
		CHECK_STRING(wr_answer_field(&answer, "Connection"), "close");
		CHECK(wr_client_is_ended(&client));
		wr_client_close(&client);
	}
	wr_client_open(&client, &server, NULL);
	check_alive(NULL);
	stop();
}

static void test_slow_heads_and_bodies_are_ended_in_time(void)
{
	static const struct {
		const char *label, *bytes;
	} cases[] = {
		{"half a head", "GET /v1/runtime HTTP/1.1\r\nHost: loc"},
		{"half a body", "POST /v1/workers/x/stop HTTP/1.1\r\nHost: localhost\r\n"
				"Content-Length: 5\r\n\r\n{"},
	};

	wr_process_start(&server, WR_ARGUMENTS("--head-ms=200", "--body-ms=200", "--idle-ms=400"),
			 NULL);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		wr_client_open(&client, &server, NULL);
		wr_client_send(&client, cases[i].bytes);
		wr_client_receive(&client, &answer);
		check_error(408, "request_timeout");
		CHECK(wr_client_is_ended(&client));
		wr_client_close(&client);
	}
	wr_test_case("nothing at all");
	wr_client_open(&client, &server, NULL);
	CHECK(wr_client_is_ended(&client));
	check_alive(NULL);
	stop();
}

/* Half-closed after a request: the answer still comes. */
static void test_a_half_closed_connection_gets_its_answers(void)
{
	wr_process_start(&server, NULL, NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_send(&client, "GET /v1/runtime HTTP/1.1\r\nHost: localhost\r\n\r\n"
				"GET /v1/workers HTTP/1.1\r\nHost: localhost\r\n\r\n");
	CHECK(shutdown(client.fd, SHUT_WR) == 0);
	wr_client_receive(&client, &answer);
	CHECK_U64(answer.status, 200);
	wr_client_receive(&client, &answer);
	CHECK_U64(answer.status, 200);
	CHECK(wr_client_is_ended(&client));
	check_alive(NULL);
	stop();
}

static void test_resets_at_every_byte_of_a_request_harm_nobody(void)
{
	static const char request[] =
		"POST /v1/workers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"Content-Length: 71\r\n\r\n" CREATE_BODY "GET /v1/runtime HTTP/1.1\r\n";

	wr_process_start(&server, NULL, NULL);
	for (size_t bytes = 0; bytes < sizeof request; bytes++) {
		int fd = wr_connect(server.address, 0);
		CHECK(fd >= 0);
		wr_send_all(fd, wr_view_of(request, bytes), WR_CLIENT_WAIT_MS);
		wr_close_reset(fd);
	}
	wr_client_open(&client, &server, NULL);
	check_alive(NULL);
	stop();
}

static void test_random_bytes_harm_nobody(void)
{
	static const char *const pieces[] = {"GET ",
					     "POST ",
					     "/v1/workers",
					     "/v1/runtime",
					     "?limit=",
					     " HTTP/1.1\r\n",
					     "Host: localhost\r\n",
					     "Content-Length: 5\r\n",
					     "Transfer-Encoding: chunked\r\n",
					     "\r\n",
					     "5\r\nhello\r\n",
					     "0\r\n\r\n",
					     "Connection: Upgrade\r\nUpgrade: websocket\r\n",
					     "%ff",
					     "Content-Type: application/json\r\n",
					     CREATE_BODY};
	uint64_t state = wr_test_seed();

	wr_process_start(&server, WR_ARGUMENTS("--log-level=error"), NULL);
	for (unsigned round = 0; round < 300; round++) {
		int fd = wr_connect(server.address, 0);
		char answer_bytes[4096];

		CHECK(fd >= 0);
		for (unsigned i = 0; i < 12; i++) {
			uint64_t number = wr_test_random(&state);
			const char *piece = pieces[number % WR_COUNT(pieces)];
			struct wr_view bytes = wr_view_of_string(piece);

			if (number >> 60 == 0)
				bytes = wr_view_of(&number, sizeof number);
			if (!wr_send_all(fd, bytes, WR_CLIENT_WAIT_MS))
				break;
		}
		wr_receive_some(fd, answer_bytes, sizeof answer_bytes, 0);
		if (round % 3 == 0)
			wr_close_reset(fd);
		else
			close(fd);
	}
	wr_client_open(&client, &server, NULL);
	check_alive(NULL);
	stop();
}

static void test_a_pipeline_is_answered_in_order(void)
{
	enum { COUNT = 500 };

	wr_process_start(&server, NULL, NULL);
	wr_client_open(&client, &server, NULL);
	for (unsigned i = 0; i < COUNT; i++)
		wr_client_send_request(&client, "GET", i % 2 == 0 ? "/v1/runtime" : "/nothing",
				       NULL, NULL);
	for (unsigned i = 0; i < COUNT; i++) {
		wr_client_receive(&client, &answer);
		CHECK_U64(answer.status, i % 2 == 0 ? 200 : 404);
	}
	stop();
}

static void test_beyond_the_connection_limit_there_is_a_typed_503(void)
{
	enum { COUNT = 8 };
	int fds[COUNT];

	wr_process_start(&server, WR_ARGUMENTS("--max-connections=8"), NULL);
	for (unsigned i = 0; i < COUNT; i++) {
		fds[i] = wr_connect(server.address, 0);
		CHECK(fds[i] >= 0);
		CHECK(wr_send_all(fds[i], WR_VIEW("GET / HTTP/1.1\r\nHo"), WR_CLIENT_WAIT_MS));
	}
	/* The last of them is accepted when something behind it was refused. */
	wr_client_open(&client, &server, NULL);
	wr_client_receive(&client, &answer);
	check_error(503, "overloaded");
	CHECK(wr_answer_field(&answer, "Retry-After").bytes == 1);
	CHECK_STRING(wr_answer_field(&answer, "Connection"), "close");
	CHECK(wr_client_is_ended(&client));
	for (unsigned i = 0; i < COUNT; i++)
		close(fds[i]);
	/* Room again as soon as the ends were seen. */
	for (uint64_t end = wr_process_now_ms() + WR_CLIENT_WAIT_MS;;) {
		struct wr_client probe;
		wr_client_open(&probe, &server, NULL);
		wr_client_get(&probe, &answer, "/v1/runtime");
		wr_client_close(&probe);
		if (answer.status == 200)
			break;
		CHECK(wr_process_now_ms() < end);
	}
	stop();
}

/* With descriptors for far fewer connections than come: it lives, does not spin, and recovers. */
static void test_a_flood_of_connections_is_outlived(void)
{
	enum { COUNT = 400 };
	static int fds[COUNT];
	unsigned open_count = 0;
	uint64_t cpu_ms;
	char command[512];

	snprintf(command, sizeof command, "ulimit -n 100; exec %s --bind 127.0.0.1:0",
		 wr_process_program());
	wr_process_spawn(&server, "/bin/sh", WR_ARGUMENTS("-c", command), NULL);
	CHECK(wr_process_wait_text(&server, "; runtime", WR_PROCESS_WAIT_MS));
	const char *at = strstr(server.err, "listening on ") + strlen("listening on ");
	snprintf(server.address, sizeof server.address, "%.*s", (int)strcspn(at, ";"), at);
	for (unsigned i = 0; i < COUNT; i++) {
		fds[i] = wr_connect(server.address, 0);
		open_count += fds[i] >= 0;
	}
	CHECK(open_count > 100);
	cpu_ms = wr_process_cpu_ms(&server);
	/* Half a second of nothing but the flood: what it uses then is spinning. */
	int idle = socket(AF_INET, SOCK_STREAM, 0);
	char byte;
	CHECK(idle >= 0);
	if (fds[0] >= 0)
		wr_receive_some(fds[0], &byte, 1, 500);
	CHECK(wr_process_cpu_ms(&server) - cpu_ms < 250);
	close(idle);
	for (unsigned i = 0; i < COUNT; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	for (uint64_t end = wr_process_now_ms() + WR_CLIENT_WAIT_MS;;) {
		struct wr_client probe;
		wr_client_open(&probe, &server, NULL);
		wr_client_get(&probe, &answer, "/v1/runtime");
		wr_client_close(&probe);
		if (answer.status == 200)
			break;
		CHECK(wr_process_now_ms() < end);
	}
	wr_client_open(&client, &server, NULL);
	stop();
}

static void test_unknown_clients_cannot_keep_known_ones_out(void)
{
	enum { COUNT = 200 };
	static int fds[COUNT];

	wr_process_start(&server, WR_ARGUMENTS("--local-token=secret", "--max-connections=100"),
			 NULL);
	for (unsigned i = 0; i < COUNT; i++)
		fds[i] = wr_connect(server.address, 0);
	wr_client_open(&client, &server, "secret");
	wr_client_get(&client, &answer, "/v1/runtime");
	CHECK_U64(answer.status, 200);
	for (unsigned i = 0; i < COUNT; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	stop();
}

static void test_connections_leave_no_descriptors_behind(void)
{
	size_t before, after;

	wr_process_start(&server, NULL, NULL);
	check_alive(NULL);
	before = wr_process_fd_count(&server);
	if (before == 0)
		wr_test_skip("descriptors cannot be counted here");
	for (unsigned i = 0; i < 100; i++)
		check_alive(NULL);
	/* Whoever asks now holds one; its predecessors' ends were seen before its request was. */
	wr_client_open(&client, &server, NULL);
	wr_client_get(&client, &answer, "/v1/runtime");
	wr_client_get(&client, &answer, "/v1/runtime");
	after = wr_process_fd_count(&server);
	CHECK(after <= before + 1);
	stop();
}

/* ---- memory ---- */

static void test_short_memory_refuses_typed_and_keeps_serving(void)
{
	static char content[60001];
	unsigned refused = 0, accepted = 0;
	char id[WR_CLIENT_ID_BYTES];

	memset(content, 'm', sizeof content - 1);
	wr_process_start(&server, WR_ARGUMENTS("--max-memory=4M"), NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	for (unsigned i = 0; i < 1000 && refused < 5; i++) {
		static char body[sizeof content + 64];
		snprintf(body, sizeof body, "{\"kind\":\"user\",\"content\":\"%s\"}", content);
		wr_client_post(&client, &answer, body, "/v1/workers/%s/input", id);
		if (answer.status == 200) {
			accepted++;
		} else {
			check_error(503, "overloaded");
			CHECK(wr_answer_field(&answer, "Retry-After").bytes > 0);
			refused++;
		}
		if (wr_answer_field(&answer, "Connection").bytes > 0) {
			wr_client_close(&client);
			wr_client_open(&client, &server, NULL);
		}
	}
	CHECK(accepted > 0 && refused == 5);
	wr_client_get(&client, &answer, "/v1/runtime");
	CHECK_U64(answer.status, 200);
	wr_client_get(&client, &answer, "/v1/workers/%s/transcript?limit=0", id);
	CHECK_U64(answer.status, 200);
	/* What was refused is not there. */
	CHECK_U64(wr_json_find_u64(answer.body, "transcript.total_items"), accepted);
	stop();
}

static void test_creates_end_at_the_memory_limit(void)
{
	unsigned accepted = 0;

	wr_process_start(&server, WR_ARGUMENTS("--max-memory=1M", "--max-workers=100000"), NULL);
	wr_client_open(&client, &server, NULL);
	for (;;) {
		wr_client_ask(&client, &answer, "POST", "/v1/workers", NULL, CREATE_BODY);
		if (answer.status != 201)
			break;
		accepted++;
		CHECK(accepted < 20000);
	}
	check_error(503, "overloaded");
	wr_client_get(&client, &answer, "/v1/runtime");
	CHECK_U64(answer.status, 200);
	CHECK_U64(wr_json_find_u64(answer.body, "runtime.worker_count"), accepted);
	stop();
}

static void test_half_a_request_does_not_hold_up_the_end(void)
{
	static const char *const halves[] = {
		"GET /",
		"POST /v1/workers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"Content-Length: 100\r\n\r\n{",
	};
	struct wr_process one;
	struct wr_client half, other;
	struct wr_answer health;

	for (size_t i = 0; i < WR_COUNT(halves); i++) {
		wr_test_case(halves[i]);
		wr_process_start(&one, NULL, NULL);
		wr_client_open(&half, &one, NULL);
		wr_client_send(&half, halves[i]);
		wr_client_open(&other, &one, NULL);
		wr_client_get(&other, &health, "/healthz"); /* by now the half was read */
		CHECK_U64(health.status, 200);
		wr_process_signal(&one, SIGTERM);
		CHECK_U64(wr_process_wait(&one, 5000), 0);
		wr_client_close(&half);
		wr_client_close(&other);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_only_the_exact_token_is_let_in),
	WR_TEST(test_the_token_comes_before_route_and_method),
	WR_TEST(test_scopes_allow_what_they_say),
	WR_TEST(test_as_many_tokens_as_there_may_be_are_all_good),
	WR_TEST(test_a_hangup_reloads_a_good_file_and_keeps_the_old_for_a_bad_one),
	WR_TEST(test_a_hangup_without_a_file_changes_nothing),
	WR_TEST(test_an_origin_that_is_not_listed_is_refused_before_the_token),
	WR_TEST(test_without_a_token_the_host_must_be_ours),
	WR_TEST(test_with_a_token_any_host_will_do),
	WR_TEST(test_an_upgrade_is_guarded_like_everything_else),
	WR_TEST_LIMIT(test_faulty_requests_are_answered_typed_and_ended, 20),
	WR_TEST(test_slow_heads_and_bodies_are_ended_in_time),
	WR_TEST(test_a_half_closed_connection_gets_its_answers),
	WR_TEST(test_resets_at_every_byte_of_a_request_harm_nobody),
	WR_TEST_LIMIT(test_random_bytes_harm_nobody, 30),
	WR_TEST(test_a_pipeline_is_answered_in_order),
	WR_TEST(test_beyond_the_connection_limit_there_is_a_typed_503),
	WR_TEST_LIMIT(test_a_flood_of_connections_is_outlived, 20),
	WR_TEST(test_unknown_clients_cannot_keep_known_ones_out),
	WR_TEST(test_connections_leave_no_descriptors_behind),
	WR_TEST_LIMIT(test_short_memory_refuses_typed_and_keeps_serving, 20),
	WR_TEST_LIMIT(test_creates_end_at_the_memory_limit, 30),
	WR_TEST_LIMIT(test_half_a_request_does_not_hold_up_the_end, 30),
	WR_TEST_END};
