/* Goal: who is let in and who is trusted is exactly who should be, both ways, and a refusal says
 * why. Method: handshakes between sides with every fixture, told what they must come to. */
#include "io/tls/tls_private.h"
#include "unit/io/tls/tls_rig.h"

#if defined(__linux__) && defined(__LP64__)
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#endif

static bool is_over(void)
{
	return is_open() || (rig.a.is_ended && rig.b.is_ended);
}

/* Shakes hands; true when a byte went both ways. */
static bool shake(const char *name)
{
	open_ends(name);
	end_say(&rig.a, "a", 1);
	end_say(&rig.b, "b", 1);
	run(EVERYTHING, NULL);
	/* Who has had enough goes; no alert says why. */
	if (rig.a.is_ended)
		end_close(&rig.a, 0);
	if (rig.b.is_ended)
		end_close(&rig.b, 0);
	run(EVERYTHING, NULL);
	CHECK(is_over());
	CHECK((rig.a.got_bytes == 1) == (rig.b.got_bytes == 1));
	return rig.a.got_bytes == 1;
}

static void check_fault(const struct end *end, const char *text)
{
	const char *fault = end->fault;

	if (fault == NULL || strstr(fault, text) == NULL)
		fprintf(stderr, "not \"%s\": %s\n", text, fault != NULL ? fault : "nothing");
	CHECK(fault != NULL && strstr(fault, text) != NULL);
	CHECK(end->is_ended && !end->is_orderly);
}

static void test_certificates_of_servers(void)
{
	static const struct {
		const char *identity, *ca, *name, *fault; /* NULL: trusted */
	} cases[] = {
		{"rsa", "ca", "localhost", NULL},
		{"rsa4096", "ca", "runtime.test", NULL},
		{"ec", "ca", "localhost", NULL},
		{"ec", "ca", "LocalHost", NULL},
		{"ec384", "ca", "localhost", NULL},
		{"ec521", "ca", "localhost", NULL},
		{"chained", "ca", "localhost", NULL},
		{"common_name", "ca", "localhost", NULL},
		{"ec", "ca", "example.test", "X509_BAD_SERVER_NAME (56)"},
		{"ec", "ca", "localhost.test", "X509_BAD_SERVER_NAME (56)"},
		{"other_name", "ca", "localhost", "X509_BAD_SERVER_NAME (56)"},
		{"common_name", "ca", "other", "X509_BAD_SERVER_NAME (56)"},
		{"address", "ca", "127.0.0.1", "X509_BAD_SERVER_NAME (56)"},
		{"address", "ca", "::1", "X509_BAD_SERVER_NAME (56)"},
		{"ec", "ca", "127.0.0.1", "X509_BAD_SERVER_NAME (56)"},
		/* RFC 6125 6.4.3, B.2: no name is an address, and no wildcard. */
		{"number", "ca", "127.0.0.1", "X509_BAD_SERVER_NAME (56)"},
		{"number", "ca", "10.0.0.1", "X509_BAD_SERVER_NAME (56)"},
		{"number_name", "ca", "127.0.0.1", "X509_BAD_SERVER_NAME (56)"},
		{"number", "ca", "localhost", NULL},
		{"ec", "ca", "localhost.", NULL},
		{"ec", "ca", "localhost..", "X509_BAD_SERVER_NAME (56)"},
		{"expired", "ca", "localhost", "X509_EXPIRED (54)"},
		{"foreign", "ca", "localhost", "X509_NOT_TRUSTED (62)"},
		{"ec", "foreign_ca", "localhost", "X509_NOT_TRUSTED (62)"},
		{"ec", "client_ca", "localhost", "X509_NOT_TRUSTED (62)"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char ca[32];
		memset(&rig, 0, sizeof rig);
		wr_test_case(cases[i].identity);
		open_rig();
		snprintf(ca, sizeof ca, "%s.pem", cases[i].ca);
		rig.client_config.ca_file = fixture(ca);
		open_server(cases[i].identity);
		open_client();
		CHECK(shake(cases[i].name) == (cases[i].fault == NULL));
		if (cases[i].fault != NULL) {
			check_fault(&rig.a, cases[i].fault);
			CHECK(rig.b.is_ended && rig.b.fault != NULL);
		}
		close_rig();
		remove_folder();
	}
}

static void test_a_pin_is_all_that_counts(void)
{
	static const struct {
		const char *identity, *pin, *name;
		bool is_trusted;
	} cases[] = {
		{"ec", "ec.pin", "localhost", true},
		{"ec", "ec.pin", "nobody.test", true},
		{"ec", "ec.pin", "127.0.0.1", true},
		{"ec", "ec.pin", NULL, true},
		{"rsa", "rsa.pin", NULL, true},
		{"rsa4096", "rsa4096.pin", NULL, true},
		{"ec384", "ec384.pin", NULL, true},
		{"ec521", "ec521.pin", NULL, true},
		{"ec", "rsa.pin", "localhost", false},
		{"rsa", "ec.pin", "localhost", false},
		{"foreign", "ec.pin", "localhost", false},
		{"chained", "ec.pin", "localhost", false},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_tls_pin pin;
		memset(&rig, 0, sizeof rig);
		wr_test_case(cases[i].identity);
		open_rig();
		CHECK(wr_tls_pin_parse(&pin, wr_test_read_file(fixture(cases[i].pin))));
		rig.client_config.pin = &pin;
		open_server(cases[i].identity);
		open_client();
		CHECK(shake(cases[i].name) == cases[i].is_trusted);
		if (!cases[i].is_trusted)
			check_fault(&rig.a, "X509_NOT_TRUSTED (62)");
		close_rig();
		remove_folder();
	}
}

static void test_certificates_of_clients(void)
{
	static const struct {
		const char *client, *pin;
		const char *fault; /* of the server; NULL: let in */
	} cases[] = {
		{"client", NULL, NULL},
		{"client_rsa", NULL, NULL},
		{"client", "client.pin", NULL},
		{"client_rsa", "client_rsa.pin", NULL},
		/* The engine does not look at this use: hence a CA of its own, and pins. */
		{"client_server_use", NULL, NULL},
		{"client_server_use", "client.pin", "X509_NOT_TRUSTED (62)"},
		{"client_rsa", "client.pin", "X509_NOT_TRUSTED (62)"},
		{"client", "ec.pin", "X509_NOT_TRUSTED (62)"},
		{"client_critical_use", NULL, "X509_CRITICAL_EXTENSION (57)"},
		{"client_foreign", NULL, "X509_NOT_TRUSTED (62)"},
		{"client_expired", NULL, "X509_EXPIRED (54)"},
		{"ec", NULL, "X509_NOT_TRUSTED (62)"},
		{NULL, NULL, "NO_CLIENT_AUTH (29)"},
		{NULL, "client.pin", "NO_CLIENT_AUTH (29)"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_tls_pin pins[2] = {{.hash = {7}}};
		char name[64];
		memset(&rig, 0, sizeof rig);
		wr_test_case(cases[i].client != NULL ? cases[i].client : "none");
		open_rig();
		rig.server_config.client_ca_file = fixture("client_ca.pem");
		if (cases[i].pin != NULL) {
			CHECK(wr_tls_pin_parse(&pins[1], wr_test_read_file(fixture(cases[i].pin))));
			rig.server_config.client_pins = pins;
			rig.server_config.client_pin_count = 2;
		}
		open_server("ec");
		if (cases[i].client != NULL) {
			snprintf(name, sizeof name, "%s.pem", cases[i].client);
			rig.client_config.certificate_file = fixture(name);
			snprintf(name, sizeof name, "%s.key", cases[i].client);
			rig.client_config.key_file = key_file(name);
		}
		open_client();
		CHECK(shake("localhost") == (cases[i].fault == NULL));
		if (cases[i].fault != NULL)
			check_fault(&rig.b, cases[i].fault);
		close_rig();
		remove_folder();
	}
}

/* Shakes hands once more with what the first time left behind; whether it was resumed. */
static bool resume(void)
{
	static br_ssl_session_parameters kept;
	br_ssl_session_parameters now;
	struct wr_tls *tls;
	void *context;
	int fds[2];

	CHECK(shake("localhost"));
	br_ssl_engine_get_session_parameters(rig.a.stream.tls->engine, &kept);
	close_connection();
	turn();
	open_wire(fds);
	end_open(&rig.a, fds[0]);
	end_open(&rig.b, fds[1]);
	CHECK_STATUS(wr_tls_accept(rig.server, &rig.b.stream), WR_OK);
	CHECK_STATUS(wr_tls_connect(rig.client, &rig.a.stream, "localhost"), WR_OK);
	tls = rig.a.stream.tls;
	context = tls->engine;
	br_ssl_engine_set_session_parameters(tls->engine, &kept);
	CHECK(br_ssl_client_reset(context, "localhost", 1) == 1);
	end_watch(&rig.a);
	end_watch(&rig.b);
	run(EVERYTHING, NULL);
	CHECK(rig.a.stream.tls->state == WR_TLS_OPEN);
	br_ssl_engine_get_session_parameters(rig.a.stream.tls->engine, &now);
	close_connection();
	return kept.session_id_len != 0 && now.session_id_len == kept.session_id_len &&
	       memcmp(now.session_id, kept.session_id, now.session_id_len) == 0;
}

static void test_sessions_are_resumed(void)
{
	open_usual();
	CHECK(resume());
	close_rig();
}

static void test_no_session_is_resumed_where_clients_show_certificates(void)
{
	open_rig();
	rig.server_config.client_ca_file = fixture("client_ca.pem");
	open_server("ec");
	rig.client_config.certificate_file = fixture("client.pem");
	rig.client_config.key_file = key_file("client.key");
	open_client();
	CHECK(!resume());
	close_rig();
}

static void test_a_reload_forgets_sessions(void)
{
	static br_ssl_session_parameters kept;
	struct wr_tls_server_config config;
	br_ssl_session_parameters now;

	open_usual();
	CHECK(shake("localhost"));
	br_ssl_engine_get_session_parameters(rig.a.stream.tls->engine, &kept);
	close_connection();
	config = rig.server_config;
	rig_message(&rig.message);
	CHECK(wr_tls_server_reload(rig.server, &config, &rig.message));
	open_ends("localhost");
	br_ssl_engine_set_session_parameters(rig.a.stream.tls->engine, &kept);
	CHECK(br_ssl_client_reset((void *)rig.a.stream.tls->engine, "localhost", 1) == 1);
	run(EVERYTHING, NULL);
	br_ssl_engine_get_session_parameters(rig.a.stream.tls->engine, &now);
	CHECK(memcmp(now.session_id, kept.session_id, sizeof now.session_id) != 0);
	close_rig();
}

static void test_names_that_are_none_are_refused_before_anything_is_sent(void)
{
	static char long_name[300];
	int fds[2];

	memset(long_name, 'a', WR_TLS_NAME_BYTES_MAX + 1);
	open_usual();
	open_wire(fds);
	end_open(&rig.a, fds[0]);
	CHECK_STATUS(wr_tls_connect(rig.client, &rig.a.stream, ""), WR_INVALID);
	CHECK_STATUS(wr_tls_connect(rig.client, &rig.a.stream, "."), WR_INVALID);
	CHECK_STATUS(wr_tls_connect(rig.client, &rig.a.stream, long_name), WR_INVALID);
	CHECK(!wr_stream_is_tls(&rig.a.stream));
	long_name[WR_TLS_NAME_BYTES_MAX] = '\0';
	CHECK_STATUS(wr_tls_connect(rig.client, &rig.a.stream, long_name), WR_OK);
	close(fds[1]);
	close_rig();
}

static void test_an_address_is_no_server_name_on_the_wire(void)
{
	static const struct {
		const char *name;
		bool is_sent;
	} cases[] = {{"localhost", true}, {"127.0.0.1", false}, {"::1", false}, {"1.test", true}};

	open_usual();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char hello[1024];
		ssize_t n;
		open_ends(cases[i].name);
		turns(2);
		n = recv(rig.wire_a, hello, sizeof hello, MSG_DONTWAIT);
		CHECK(n > 100);
		CHECK((memmem(hello, (size_t)n, cases[i].name, strlen(cases[i].name)) != NULL) ==
		      cases[i].is_sent);
		close_connection();
	}
	close_rig();
}

#if defined(__linux__) && defined(__LP64__)
/* In place of libc's: what the clock on the wall shows, if not 0. */
static time_t wall_s;

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result;

	*now = (struct timespec){.tv_sec = 0};
	result = (int)syscall(SYS_clock_gettime, clock, now);
	if (clock == CLOCK_REALTIME && wall_s != 0)
		now->tv_sec = wall_s;
	return result;
}

static void test_a_clock_that_was_never_set_is_told_from_a_certificate_that_is_over(void)
{
	static const struct {
		int64_t wall_s;
		const char *fault;
	} cases[] = {
		{1000, "clock_unset"},
		{1500000000, "clock_unset"},  /* 2017 */
		{INT32_MAX, NULL},	      /* 2038 */
		{5000000000, "X509_EXPIRED"}, /* 2128 */
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		memset(&rig, 0, sizeof rig);
		wr_test_case(cases[i].fault != NULL ? cases[i].fault : "good");
		open_usual();
		wall_s = (time_t)cases[i].wall_s;
		CHECK(shake("localhost") == (cases[i].fault == NULL));
		if (cases[i].fault != NULL)
			check_fault(&rig.a, cases[i].fault);
		wall_s = 0;
		close_rig();
		remove_folder();
	}
}
#endif

static void test_every_error_has_a_text(void)
{
	CHECK(wr_tls_error_text(0) == NULL);
	for (unsigned error = 1; error < 800; error++)
		CHECK(wr_tls_error_text(error) != NULL);
	CHECK(strstr(wr_tls_error_text(BR_ERR_X509_TIME_UNKNOWN), "clock_unset") != NULL);
	CHECK(strstr(wr_tls_error_text(256 + 120), "no_application_protocol") != NULL);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_certificates_of_servers, 30),
	WR_TEST_LIMIT(test_a_pin_is_all_that_counts, 30),
	WR_TEST_LIMIT(test_certificates_of_clients, 30),
	WR_TEST(test_sessions_are_resumed),
	WR_TEST(test_no_session_is_resumed_where_clients_show_certificates),
	WR_TEST(test_a_reload_forgets_sessions),
	WR_TEST(test_names_that_are_none_are_refused_before_anything_is_sent),
	WR_TEST(test_an_address_is_no_server_name_on_the_wire),
#if defined(__linux__) && defined(__LP64__)
	WR_TEST(test_a_clock_that_was_never_set_is_told_from_a_certificate_that_is_over),
#endif
	WR_TEST(test_every_error_has_a_text),
	WR_TEST_END,
};
