/*
 * Goal (reliability 11, T12): TLS is what it says, to strangers: versions, suites, names, client
 * certificates; whatever comes over a connection, or ends it, costs that connection only. Method:
 * the real programs with the keys of tests/fixtures/tls, openssl s_client and curl as clients, raw
 * bytes recorded from them, and relays that cut and crumble. Where a tool is not there its tests
 * say so.
 */
#include "e2e/tls_rig.h"

/* ---- what is spoken ---- */

static void test_only_tls_1_2_is_spoken(void)
{
	static const char *const others[] = {"-tls1 -cipher DEFAULT@SECLEVEL=0",
					     "-tls1_1 -cipher DEFAULT@SECLEVEL=0", "-tls1_3"};

	need("openssl");
	open_rig();
	start_server("ec", NULL);
	CHECK(shakes_hands("-tls1_2") && printed("Protocol  : TLSv1.2"));
	CHECK(shakes_hands("") && printed("Protocol  : TLSv1.2")); /* up to 1.3 offered */
	for (size_t i = 0; i < WR_COUNT(others); i++) {
		wr_test_case(others[i]);
		CHECK(!shakes_hands(others[i]));
		CHECK(printed("CONNECTED") || printed("ption"));
	}
	CHECK(shakes_hands("-tls1_2"));
	stop_server();
	close_rig();
}

static void test_only_suites_with_forward_secrecy_and_authenticated_encryption(void)
{
	static const struct {
		const char *name;
		bool is_spoken;
		const char *suite;
	} cases[] = {
		{"ec", true, "ECDHE-ECDSA-AES128-GCM-SHA256"},
		{"ec", true, "ECDHE-ECDSA-AES256-GCM-SHA384"},
		{"ec", true, "ECDHE-ECDSA-CHACHA20-POLY1305"},
		{"ec", false, "ECDHE-ECDSA-AES128-SHA"},
		{"ec", false, "ECDHE-ECDSA-AES128-SHA256"},
		{"ec", false, "ECDHE-ECDSA-AES256-SHA384"},
		{"ec", false, "ECDHE-ECDSA-AES128-CCM"},
		{"ec", false, "ECDHE-RSA-AES128-GCM-SHA256"}, /* its key is another */
		{"rsa", true, "ECDHE-RSA-AES128-GCM-SHA256"},
		{"rsa", true, "ECDHE-RSA-AES256-GCM-SHA384"},
		{"rsa", true, "ECDHE-RSA-CHACHA20-POLY1305"},
		{"rsa", false, "ECDHE-RSA-AES128-SHA"},
		{"rsa", false, "AES128-GCM-SHA256"},
		{"rsa", false, "AES128-SHA"},
		{"rsa", false, "DHE-RSA-AES128-GCM-SHA256"},
		{"rsa", false, "NULL-SHA256"},
		{"rsa", false, "ADH-AES128-GCM-SHA256"},
	};
	const char *name = "";

	need("openssl");
	open_rig();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char options[128];

		wr_test_case(cases[i].suite);
		if (strcmp(name, cases[i].name) != 0) {
			if (i > 0)
				stop_server();
			name = cases[i].name;
			start_server(name, NULL);
		}
		snprintf(options, sizeof options, "-tls1_2 -cipher %s:@SECLEVEL=0", cases[i].suite);
		CHECK(shakes_hands(options) == cases[i].is_spoken);
		CHECK(!cases[i].is_spoken || printed(cases[i].suite));
	}
	stop_server();
	close_rig();
}

static void test_a_client_of_http_2_only_is_refused(void)
{
	need("openssl");
	open_rig();
	start_server("ec", NULL);
	CHECK(!shakes_hands("-alpn h2"));
	CHECK(printed("alert number 120"));
	CHECK(shakes_hands("-alpn h2,http/1.1") && printed("ALPN protocol: http/1.1"));
	CHECK(shakes_hands("-alpn http/1.1") && printed("ALPN protocol: http/1.1"));
	CHECK(shakes_hands("") && printed("No ALPN negotiated"));
	stop_server();
	close_rig();
}

static void test_a_handshake_is_not_done_twice(void)
{
	struct wr_process client;
	char command[TLS_COMMAND_ROOM];
	int fd;

	need("openssl");
	open_rig();
	start_server("ec", NULL);
	CHECK(mkfifo(key("fifo"), 0600) == 0);
	fd = open(key("fifo"), O_RDWR);
	CHECK(fd >= 0);
	snprintf(command, sizeof command,
		 "exec timeout 20 openssl s_client -tls1_2 -connect %s <%s 1>&2",
		 tls.server.address, key("fifo"));
	wr_process_spawn(&client, "/bin/sh", WR_ARGUMENTS("-c", command), NULL);
	CHECK(wr_process_wait_text(&client, "Verify return code", WR_PROCESS_WAIT_MS));
	CHECK(write(fd, "R\n", 2) == 2);
	CHECK(wr_process_wait_text(&client, "RENEGOTIATING", WR_PROCESS_WAIT_MS));
	CHECK(wr_process_wait_text(&client, "no renegotiation", WR_PROCESS_WAIT_MS));
	close(fd);
	wr_process_wait(&client, WR_PROCESS_WAIT_MS);
	CHECK(shakes_hands(""));
	stop_server();
	close_rig();
}

static void test_sessions_are_resumed_by_id_and_never_by_ticket(void)
{
	char options[TLS_PATH_ROOM + 64];

	need("openssl");
	open_rig();
	start_server("ec", NULL);
	snprintf(options, sizeof options, "-tls1_2 -sess_out %s", key("session"));
	CHECK(shakes_hands(options) && printed("New, TLSv1.2"));
	CHECK(!printed("session ticket"));
	snprintf(options, sizeof options, "-tls1_2 -sess_in %s", key("session"));
	CHECK(shakes_hands(options) && printed("Reused, TLSv1.2"));
	wr_process_signal(&tls.server, SIGHUP);
	CHECK(wr_process_wait_text(&tls.server, "certificates_reloaded", WR_PROCESS_WAIT_MS));
	CHECK(shakes_hands(options) && printed("New, TLSv1.2")); /* of another life */
	stop_server();

	/* A session that is resumed shows no certificate: with client certificates there is none.
	 */
	start_server("ec", WR_ARGUMENTS("--tls-client-ca", key("client_ca.pem")));
	snprintf(options, sizeof options, "-tls1_2 -cert %s -key %s -sess_out %s",
		 key("client.pem"), key("client.key"), key("session"));
	CHECK(shakes_hands(options) && printed("New, TLSv1.2"));
	snprintf(options, sizeof options, "-tls1_2 -cert %s -key %s -sess_in %s", key("client.pem"),
		 key("client.key"), key("session"));
	if (shakes_hands(options))
		CHECK(printed("New, TLSv1.2"));
	stop_server();
	close_rig();
}

/* ---- who may ---- */

struct shown {
	const char *name; /* NULL: none */
	bool is_let_in, is_let_in_by_pin;
};

static const struct shown clients[] = {
	{"client", true, true},
	{"client_rsa", true, false},
	{"client_server_use", true, false}, /* extended key usage is not looked at */
	{"client_critical_use", false, false},
	{"client_expired", false, false},
	{"client_foreign", false, false},
	{"ec", false, false}, /* the server's own authority is not that of clients */
	{NULL, false, false},
};

static void check_clients(bool by_pin)
{
	for (size_t i = 0; i < WR_COUNT(clients); i++) {
		char options[3 * TLS_PATH_ROOM] = "", certificate[64], secret[64];
		unsigned status;
		int code;
		bool is_let_in = by_pin ? clients[i].is_let_in_by_pin : clients[i].is_let_in;

		wr_test_case(clients[i].name != NULL ? clients[i].name : "none");
		if (clients[i].name != NULL) {
			snprintf(certificate, sizeof certificate, "%s.pem", clients[i].name);
			snprintf(secret, sizeof secret, "%s.key", clients[i].name);
			snprintf(options, sizeof options, "--cert %s --key %s", key(certificate),
				 key(secret));
		}
		code = curl(options, "/v1/runtime", &status);
		CHECK((code == 0) == is_let_in);
		CHECK_U64(status, is_let_in ? 200 : 0);
	}
}

static void test_client_certificates_are_judged_by_their_authority_and_by_their_keys(void)
{
	char options[3 * TLS_PATH_ROOM];
	unsigned status;

	need("curl");
	open_rig();
	start_server("ec", WR_ARGUMENTS("--tls-client-ca", key("client_ca.pem")));
	check_clients(false);
	/* It is no token. */
	snprintf(options, sizeof options, "-H 'Authorization:' --cert %s --key %s",
		 key("client.pem"), key("client.key"));
	CHECK_U64((unsigned)curl(options, "/v1/runtime", &status), 0);
	CHECK_U64(status, 401);
	stop_server();
	start_server("ec", WR_ARGUMENTS("--tls-client-ca", key("client_ca.pem"), "--tls-client-key",
					pin("client.pin")));
	check_clients(true);
	stop_server();
	close_rig();
}

static void test_curl_trusts_what_it_should(void)
{
	unsigned status;

	need("curl");
	open_rig();
	start_server("chained", NULL);
	CHECK(is_well(""));
	CHECK(is_well("--tls-max 1.2"));
	CHECK(curl("--cacert tests/fixtures/tls/foreign_ca.pem", "/v1/runtime", &status) != 0);
	CHECK(curl("--tls-max 1.1", "/v1/runtime", &status) != 0);
	CHECK(is_well(""));
	stop_server();
	close_rig();
}

static void test_plain_http_over_the_port_of_tls_is_no_harm(void)
{
	static const char *const cases[] = {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
					    "\x16",
					    "\x80",
					    "\x16\x03\x01\xff\xff",
					    "\x15\x03\x03\x00\x02\x02\x28",
					    "\x17\x03\x03\x00\x05hello",
					    "SSH-2.0-x\r\n"};

	need("curl");
	open_rig();
	start_server("ec", NULL);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		int fd = wr_connect(tls.server.address, 0);
		CHECK(fd >= 0);
		CHECK(wr_send_all(fd, wr_view_of_string(cases[i]), 1000));
		shutdown(fd, SHUT_WR);
		CHECK(wr_wait_end(fd, WR_PROCESS_WAIT_MS));
		close(fd);
	}
	CHECK(is_well(""));
	stop_server();
	close_rig();
}

/* ---- how it is carried ---- */

static void test_a_connection_byte_by_byte_is_as_good_as_any(void)
{
	struct wire wire = {.step = 1};
	struct wr_process relay;

	need("curl");
	open_rig();
	start_server("ec", NULL);
	wire.address = tls.server.address;
	start_relay(&relay, serve_wire, &wire);
	CHECK_U64((unsigned)run("curl -sS --max-time 60 --noproxy '*' --cacert %s --connect-to "
				"localhost:%s:%s -H 'Authorization: Bearer " TLS_TOKEN
				"' https://localhost:%s/v1/runtime",
				key("ca.pem"), port_of(&tls.server), relay.address,
				port_of(&tls.server)),
		  0);
	CHECK(printed("\"runtime_id\""));
	end_relay(&relay);
	stop_server();
	close_rig();
}

/* curl and OpenSSL send what they have in records of 16 KiB. */
static void test_large_records_come_whole_both_ways(void)
{
	enum { CONTENT_BYTES = 300000 };
	char options[2 * TLS_PATH_ROOM];
	char *text = malloc(CONTENT_BYTES + 64);
	unsigned status;
	FILE *file;

	need("curl");
	open_rig();
	start_server("rsa", NULL);
	CHECK(curl("-H 'Content-Type: application/json' -d "
		   "'{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"runtime_"
		   "default\"}"
		   "}'",
		   "/v1/workers", &status) == 0);
	CHECK_U64(status, 201);
	CHECK(text != NULL);
	memcpy(text, "{\"kind\":\"user\",\"content\":\"", 26);
	memset(text + 26, 'y', CONTENT_BYTES);
	memcpy(text + 26 + CONTENT_BYTES, "\"}", 3);
	wr_place_write(key("body"), text);
	snprintf(options, sizeof options, "-H 'Content-Type: application/json' -d @%s",
		 key("body"));
	CHECK(curl(options, "/v1/workers/worker-00000001/input", &status) == 0);
	CHECK_U64(status, 200);
	snprintf(options, sizeof options, "-o %s", key("answer"));
	CHECK(curl(options, "/v1/workers/worker-00000001/transcript", &status) == 0);
	CHECK_U64(status, 200);
	file = fopen(key("answer"), "r");
	CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0 && ftell(file) > CONTENT_BYTES);
	fclose(file);
	free(text);
	stop_server();
	close_rig();
}

static void test_a_handshake_cut_at_every_byte_ends_at_once(void)
{
	struct wire wire = {.step = 0};
	struct wr_process relay;
	struct wr_view flight;
	size_t step = getenv("WR_TEST_LONG") != NULL ? 1 : 7;

	need("curl");
	open_rig();
	start_server("ec", NULL);
	wire.address = tls.server.address;
	wire.record = key("flight");
	start_relay(&relay, serve_wire, &wire);
	CHECK_U64((unsigned)run("curl -sS --max-time 20 --noproxy '*' --cacert %s --connect-to "
				"localhost:%s:%s https://localhost:%s/healthz",
				key("ca.pem"), port_of(&tls.server), relay.address,
				port_of(&tls.server)),
		  0);
	end_relay(&relay);
	flight = wr_test_read_file(key("flight"));
	CHECK(flight.bytes > 300);
	for (size_t bytes = 0; bytes <= flight.bytes; bytes += step) {
		int fd = wr_connect(tls.server.address, 0);
		CHECK(fd >= 0);
		wr_send_all(fd, wr_view_of(flight.data, bytes), 1000);
		if (bytes % 2 == 0)
			shutdown(fd, SHUT_WR);
		if (bytes % 2 == 0)
			CHECK(wr_wait_end(fd, WR_PROCESS_WAIT_MS));
		wr_close_reset(fd);
	}
	CHECK(is_well(""));
	CHECK(wr_process_fd_count(&tls.server) < 40);
	stop_server();
	close_rig();
}

static void test_an_answer_that_is_cut_is_an_error_of_that_client_only(void)
{
	need("curl");
	open_rig();
	start_server("ec", NULL);
	for (size_t cut = 1; cut < 2500; cut += 311) {
		struct wire wire = {.address = tls.server.address, .cut = cut};
		struct wr_process relay;

		start_relay(&relay, serve_wire, &wire);
		run("curl -sS --max-time 20 --noproxy '*' --cacert %s --connect-to localhost:%s:%s "
		    "-H 'Authorization: Bearer " TLS_TOKEN "' https://localhost:%s/v1/runtime",
		    key("ca.pem"), port_of(&tls.server), relay.address, port_of(&tls.server));
		end_relay(&relay);
	}
	CHECK(is_well(""));
	stop_server();
	close_rig();
}

enum { HANGING = 16 };

static void test_handshakes_that_hang_delay_an_honest_client_for_their_time_at_most(void)
{
	static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
	int fds[HANGING];
	uint64_t began;

	need("curl");
	open_rig();
	start_server("ec", WR_ARGUMENTS("--tls-handshake-ms", "3000"));
	for (unsigned i = 0; i < HANGING; i++) {
		fds[i] = wr_connect(tls.server.address, 0);
		CHECK(fds[i] >= 0);
		CHECK(wr_send_all(fds[i], wr_view_of(hello, sizeof hello - 1), 1000));
	}
	began = wr_process_now_ms();
	while (!is_well(""))
		CHECK(wr_process_now_ms() - began < 6000);
	CHECK(wr_process_now_ms() - began < 6000);
	for (unsigned i = 0; i < HANGING; i++) {
		CHECK(wr_wait_end(fds[i], WR_PROCESS_WAIT_MS));
		close(fds[i]);
	}
	stop_server();
	close_rig();
}

/* ---- streams ---- */

/* The next event of a Runtime's own stream that says `content`; its cursor. */
static void await_content(struct wr_test_ws *stream, const char *content,
			  char cursor[WR_CURSOR_ROOM])
{
	for (;;) {
		struct wr_view frame = wr_test_ws_message(stream);
		struct wr_view found = wr_json_find(frame, "envelope.cursor");
		if (found.data == NULL ||
		    memmem(frame.data, frame.bytes, content, strlen(content)) == NULL)
			continue;
		wr_json_copy(cursor, WR_CURSOR_ROOM, frame, "envelope.cursor");
		return;
	}
}

static void open_events(struct wr_test_ws *stream, const struct wr_process *through,
			const char *worker, const char *cursor)
{
	char target[WR_PATH_ROOM];

	snprintf(target, sizeof target, "/v1/workers/%s/events/ws%s%s", worker,
		 cursor != NULL ? "?cursor=" : "", cursor != NULL ? cursor : "");
	CHECK_U64(wr_test_ws_open(stream, through, TLS_TOKEN, target), 101);
}

static void test_create_input_stream_and_resume_over_https(void)
{
	char worker[WR_CLIENT_ID_BYTES], cursor[WR_CURSOR_ROOM], second[WR_CURSOR_ROOM];
	struct tunnel tunnel;
	struct wr_process through;
	struct wr_test_ws stream;
	struct wr_client client;

	need("openssl");
	open_rig();
	start_server("ec", WR_ARGUMENTS("--tls-client-ca", key("client_ca.pem")));
	tunnel = (struct tunnel){tls.server.address, key("ca.pem"), key("client.pem"),
				 key("client.key")};
	open_tunnel(&through, &tunnel);
	wr_client_open(&client, &through, TLS_TOKEN);
	wr_client_create_worker(&client, worker);
	open_events(&stream, &through, worker, NULL);
	wr_client_input(&client, worker, "first words");
	await_content(&stream, "first words", cursor);
	wr_test_ws_close(&stream); /* the tunnel's end dies without close_notify */
	wr_client_input(&client, worker, "second words");
	open_events(&stream, &through, worker, cursor);
	await_content(&stream, "second words", second);
	CHECK(strcmp(cursor, second) != 0);
	wr_test_ws_close(&stream);
	wr_client_close(&client);
	end_relay(&through);
	stop_server();
	close_rig();
}

static void test_the_example_observer_speaks_tls(void)
{
	static const struct {
		const char *ca, *name;
		bool is_let_in;
	} cases[] = {{"ca.pem", "localhost", true},
		     {"ca.pem", "other.test", false},
		     {"foreign_ca.pem", "localhost", false}};
	char worker[WR_CLIENT_ID_BYTES];
	struct wr_process through;
	struct wr_client client;
	struct tunnel tunnel;

	need("openssl");
	need("python3");
	open_rig();
	start_server("ec", NULL);
	tunnel = (struct tunnel){tls.server.address, key("ca.pem"), NULL, NULL};
	open_tunnel(&through, &tunnel);
	wr_client_open(&client, &through, TLS_TOKEN);
	wr_client_create_worker(&client, worker);
	wr_client_close(&client);
	end_relay(&through);
	wr_place_write(key("token"), TLS_TOKEN "\n");
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].name);
		CHECK((run("timeout 20 python3 tests/examples/watch.py %s %s --count 1 "
			   "--token-file %s --tls-ca %s --tls-name %s",
			   tls.server.address, worker, key("token"), key(cases[i].ca),
			   cases[i].name) == 0) == cases[i].is_let_in);
		CHECK(printed("\"snapshot\"") == cases[i].is_let_in);
	}
	wr_test_case("without TLS it is told, and does not wait");
	CHECK(run("timeout 20 python3 tests/examples/watch.py %s %s --token-file %s",
		  tls.server.address, worker, key("token")) == 1);
	CHECK(printed("give --tls-ca"));
	stop_server();
	close_rig();
}

static void replace_key(const char *from, const char *to)
{
	char certificate[64], secret[64];

	snprintf(certificate, sizeof certificate, "%s.pem", from);
	snprintf(secret, sizeof secret, "%s.key", from);
	wr_place_write(key("live.key"), wr_test_read_file(key(secret)).data);
	snprintf(certificate, sizeof certificate, "%s.pem", to);
	wr_place_write(key("live.pem"), wr_test_read_file(key(certificate)).data);
}

static void test_a_hangup_takes_new_certificates_and_no_broken_ones(void)
{
	char worker[WR_CLIENT_ID_BYTES], cursor[WR_CURSOR_ROOM];
	struct tunnel tunnel;
	struct wr_process through;
	struct wr_test_ws stream;
	struct wr_client client;

	need("openssl");
	need("curl");
	open_rig();
	replace_key("ec", "ec");
	start_server("live", NULL);
	tunnel = (struct tunnel){tls.server.address, key("ca.pem"), NULL, NULL};
	open_tunnel(&through, &tunnel);
	wr_client_open(&client, &through, TLS_TOKEN);
	wr_client_create_worker(&client, worker);
	open_events(&stream, &through, worker, NULL);
	CHECK(shakes_hands("-tls1_2") && printed("ECDHE-ECDSA"));

	replace_key("rsa", "ec"); /* the key of another certificate */
	wr_process_signal(&tls.server, SIGHUP);
	CHECK(wr_process_wait_text(&tls.server, "certificates_kept", WR_PROCESS_WAIT_MS));
	CHECK(shakes_hands("-tls1_2") && printed("ECDHE-ECDSA"));
	wr_client_input(&client, worker, "still here");
	await_content(&stream, "still here", cursor);

	replace_key("rsa", "rsa");
	wr_process_signal(&tls.server, SIGHUP);
	CHECK(wr_process_wait_text(&tls.server, "certificates_reloaded", WR_PROCESS_WAIT_MS));
	CHECK(shakes_hands("-tls1_2") && printed("ECDHE-RSA"));
	wr_client_input(&client, worker, "and after that");
	await_content(&stream, "and after that", cursor);
	wr_test_ws_close(&stream);
	wr_client_close(&client);
	end_relay(&through);
	stop_server();
	close_rig();
}

/* Tokens and certificates: one that is broken keeps the other, too. */
static void test_a_hangup_takes_all_or_nothing(void)
{
	unsigned status;

	need("curl");
	open_rig();
	replace_key("ec", "ec");
	wr_place_write(key("tokens"), "another-token-0123456789abcdef\n");
	start_server("live", WR_ARGUMENTS("--token-file", key("tokens")));
	wr_place_write(key("tokens"), "third-token-0123456789abcdef\n");
	replace_key("rsa", "ec");
	wr_process_signal(&tls.server, SIGHUP);
	CHECK(wr_process_wait_text(&tls.server, "tokens_kept", WR_PROCESS_WAIT_MS));
	CHECK(wr_process_wait_text(&tls.server, "certificates_kept", WR_PROCESS_WAIT_MS));
	CHECK(curl("-H 'Authorization: Bearer third-token-0123456789abcdef'", "/v1/runtime",
		   &status) == 0);
	CHECK_U64(status, 401);
	replace_key("ec", "ec");
	wr_process_signal(&tls.server, SIGHUP);
	CHECK(wr_process_wait_text(&tls.server, "tokens_reloaded", WR_PROCESS_WAIT_MS));
	CHECK(wr_process_wait_text(&tls.server, "certificates_reloaded", WR_PROCESS_WAIT_MS));
	stop_server();
	close_rig();
}

static void test_files_that_cannot_be_used_are_told_before_serving(void)
{
	static const struct {
		const char *certificate, *secret, *ca, *says;
	} cases[] = {
		{"ec.pem", "rsa.key", NULL, "rsa.key"},
		{"nothing.pem", "ec.key", NULL, "nothing.pem"},
		{"ec.pem", "nothing.key", NULL, "nothing.key"},
		{"ec.key", "ec.key", NULL, "ec.key"},
		{"ec.pem", "ec.pem", NULL, "ec.pem"},
		{"ec.pem", "encrypted.key", NULL, "encrypted.key"},
		{"ed25519.pem", "ed25519.key", NULL, "ed25519"},
		{"ec.pem", "ec.key", "nothing.pem", "nothing.pem"},
		{"ec.pem", "ec.key", "ec.key", "ec.key"},
	};
	struct wr_process check;

	open_rig();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		const char *list[] = {"--check-config",
				      "--tls-cert",
				      key(cases[i].certificate),
				      "--tls-key",
				      key(cases[i].secret),
				      NULL,
				      NULL,
				      NULL};

		wr_test_case(cases[i].says);
		if (cases[i].ca != NULL) {
			list[5] = "--tls-client-ca";
			list[6] = key(cases[i].ca);
		}
		CHECK_U64(wr_process_run(&check, list, NULL), 2);
		CHECK(strstr(check.err, cases[i].says) != NULL);
	}
	CHECK(chmod(key("ec.key"), 0644) == 0);
	CHECK_U64(wr_process_run(&check,
				 WR_ARGUMENTS("--check-config", "--tls-cert", key("ec.pem"),
					      "--tls-key", key("ec.key")),
				 NULL),
		  2);
	CHECK(strstr(check.err, "chmod 600") != NULL);
	CHECK(chmod(key("ec.key"), 0600) == 0);
	CHECK_U64(wr_process_run(&check,
				 WR_ARGUMENTS("--check-config", "--tls-cert", key("ec.pem"),
					      "--tls-key", key("ec.key"), "--tls-client-ca",
					      key("client_ca.pem"), "--tls-client-key",
					      pin("client.pin")),
				 NULL),
		  0);
	close_rig();
}

/* ---- the Backend ---- */

/* Runtimes that are one and the same, known in several ways. */
static void configure_remotes(void)
{
	static const struct {
		const char *id, *settings;
		bool shows_certificate;
	} remotes[] = {
		{"good", "tls_ca = \"%s/ca.pem\"\n", true},
		{"pinned", "tls_pin = \"%s\"\n", true},
		{"foreign", "tls_ca = \"%s/foreign_ca.pem\"\n", true},
		{"system", "", true},
		{"named", "tls_ca = \"%s/ca.pem\"\ntls_name = \"other.test\"\n", true},
		{"silent", "tls_ca = \"%s/ca.pem\"\n", false},
	};
	char text[8192], settings[512];
	size_t used = 0;

	for (size_t i = 0; i < WR_COUNT(remotes); i++) {
		bool is_pinned = strstr(remotes[i].settings, "tls_pin") != NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(settings, sizeof settings, remotes[i].settings,
			 is_pinned ? pin("ec.pin") : tls.place.root);
#pragma GCC diagnostic pop
		used += (size_t)snprintf(text + used, sizeof text - used,
					 "[[remote]]\nid = \"%s\"\n"
					 "base_url = \"https://localhost:%s\"\n"
					 "token_file = \"%s\"\n%s",
					 remotes[i].id, port_of(&tls.server), tls.place.token_file,
					 settings);
		if (remotes[i].shows_certificate)
			used += (size_t)snprintf(text + used, sizeof text - used,
						 "tls_cert = \"%s/client.pem\"\n"
						 "tls_key = \"%s/client.key\"\n",
						 tls.place.root, tls.place.root);
	}
	wr_place_write(tls.place.config, text);
	wr_place_write(tls.place.token_file, TLS_TOKEN);
}

static void start_backend(struct wr_process *backend)
{
	wr_backend_start(backend, &tls.place,
			 WR_ARGUMENTS("--no-local", "--tls-cert", key("rsa.pem"), "--tls-key",
				      key("rsa.key")));
	CHECK(wr_process_wait_text(backend, "; TLS\n", WR_PROCESS_WAIT_MS));
}

static void check_unavailable(struct wr_client *client, const char *id)
{
	struct wr_answer answer;

	wr_test_case(id);
	wr_backend_await_status(client, id, "unavailable");
	wr_client_get(client, &answer, "/api/runtimes/%s", id);
	CHECK(memmem(answer.body.data, answer.body.bytes, "remote_runtime_tls_failed",
		     strlen("remote_runtime_tls_failed")) != NULL);
	/* Nothing of the certificate, nor where it is. */
	CHECK(memmem(answer.body.data, answer.body.bytes, "localhost", 9) == NULL);
	wr_client_get(client, &answer, "/api/runtimes/%s/workers/worker-00000001", id);
	CHECK_U64(answer.status, 502);
	CHECK_STRING(wr_json_find(answer.body, "code"), "remote_runtime_tls_failed");
}

static void test_a_backend_over_https_before_a_runtime_over_https(void)
{
	char worker[WR_CLIENT_ID_BYTES], text[WR_PATH_ROOM], cursor[WR_CURSOR_ROOM];
	struct wr_process backend, through;
	struct wr_test_ws stream;
	struct wr_client client;
	struct tunnel tunnel;

	need("openssl");
	open_rig();
	start_server("ec", WR_ARGUMENTS("--tls-client-ca", key("client_ca.pem"), "--tls-client-key",
					pin("client.pin")));
	configure_remotes();
	start_backend(&backend);
	tunnel = (struct tunnel){backend.address, key("ca.pem"), NULL, NULL};
	open_tunnel(&through, &tunnel);
	wr_client_open(&client, &through, NULL);
	wr_backend_await_status(&client, "good", "running");
	wr_backend_await_status(&client, "pinned", "running");
	check_unavailable(&client, "foreign");
	check_unavailable(&client, "system");
	check_unavailable(&client, "named");
	wr_backend_await_status(&client, "silent", "unavailable");

	wr_backend_spawn(&client, "good", worker);
	wr_backend_observe(&stream, &through, "good", worker, NULL);
	wr_backend_event(&stream, text, sizeof text, cursor); /* the snapshot */
	CHECK(wr_backend_say(&client, "good", worker, "hello", "k1"));
	do
		wr_backend_event(&stream, text, sizeof text, cursor);
	while (strcmp(text, "user_message: hello") != 0);
	wr_test_ws_close(&stream);
	CHECK(wr_backend_say(&client, "pinned", worker, "again", "k2"));
	wr_backend_observe(&stream, &through, "good", worker, cursor);
	do
		wr_backend_event(&stream, text, sizeof text, cursor);
	while (strcmp(text, "user_message: again") != 0);
	wr_test_ws_close(&stream);
	end_relay(&through);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&backend), 0);
	stop_server();
	close_rig();
}

static void test_a_page_is_of_ours_when_its_origin_is_https(void)
{
	static const struct {
		const char *scheme;
		unsigned expected;
	} cases[] = {{"https", 200}, {"http", 403}, {"null", 403}};
	struct wr_process backend;

	need("curl");
	open_rig();
	start_backend(&backend);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char expected[32];

		wr_test_case(cases[i].scheme);
		snprintf(expected, sizeof expected, "status=%u", cases[i].expected);
		CHECK_U64((unsigned)run("curl -sS --max-time 20 --noproxy '*' --cacert %s "
					"--resolve localhost:%s:127.0.0.1 -H "
					"'Origin: %s://localhost:%s' -w '\\nstatus=%%{http_code}' "
					"https://localhost:%s/api/runtimes",
					key("ca.pem"), port_of(&backend), cases[i].scheme,
					port_of(&backend), port_of(&backend)),
			  0);
		CHECK(printed(expected));
	}
	CHECK_U64((unsigned)run("curl -sS --max-time 20 --noproxy '*' --cacert %s --resolve "
				"localhost:%s:127.0.0.1 https://localhost:%s/",
				key("ca.pem"), port_of(&backend), port_of(&backend)),
		  0);
	CHECK(printed("<!doctype html>") || printed("<!DOCTYPE html>"));
	CHECK_U64(wr_process_stop(&backend), 0);
	close_rig();
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_only_tls_1_2_is_spoken, 60),
	WR_TEST_LIMIT(test_only_suites_with_forward_secrecy_and_authenticated_encryption, 90),
	WR_TEST_LIMIT(test_a_client_of_http_2_only_is_refused, 60),
	WR_TEST_LIMIT(test_a_handshake_is_not_done_twice, 60),
	WR_TEST_LIMIT(test_sessions_are_resumed_by_id_and_never_by_ticket, 60),
	WR_TEST_LIMIT(test_client_certificates_are_judged_by_their_authority_and_by_their_keys, 60),
	WR_TEST_LIMIT(test_curl_trusts_what_it_should, 60),
	WR_TEST_LIMIT(test_plain_http_over_the_port_of_tls_is_no_harm, 60),
	WR_TEST_LIMIT(test_a_connection_byte_by_byte_is_as_good_as_any, 90),
	WR_TEST_LIMIT(test_large_records_come_whole_both_ways, 60),
	WR_TEST_LIMIT(test_a_handshake_cut_at_every_byte_ends_at_once, 300),
	WR_TEST_LIMIT(test_an_answer_that_is_cut_is_an_error_of_that_client_only, 60),
	WR_TEST_LIMIT(test_handshakes_that_hang_delay_an_honest_client_for_their_time_at_most, 60),
	WR_TEST_LIMIT(test_create_input_stream_and_resume_over_https, 60),
	WR_TEST_LIMIT(test_the_example_observer_speaks_tls, 60),
	WR_TEST_LIMIT(test_a_hangup_takes_new_certificates_and_no_broken_ones, 60),
	WR_TEST_LIMIT(test_a_hangup_takes_all_or_nothing, 60),
	WR_TEST_LIMIT(test_files_that_cannot_be_used_are_told_before_serving, 60),
	WR_TEST_LIMIT(test_a_page_is_of_ours_when_its_origin_is_https, 60),
	WR_TEST_LIMIT(test_a_backend_over_https_before_a_runtime_over_https, 90),
	WR_TEST_END};
