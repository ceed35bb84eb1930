/* Goal: config bundles over REST (contract 9): stored, listed, asked for by digest, named in
 * creates; typed errors in their order; there after every end of the process. Method: the real
 * program, over a folder where it is killed. */
#include "e2e/store_folder.h"

#define DIGEST "7197561351779ab6535109f9589a77ffaa14c6f829b195591051d954f3062d6d"
#define METADATA(id, digest, revision)                                                       \
	"\"metadata\":{\"id\":\"" id "\",\"digest\":\"" digest "\",\"revision\":\"" revision \
	"\",\"workspace_id\":\"ws-1\",\"created_at\":\"2026-06-26T00:00:00Z\","              \
	"\"provenance\":{\"source\":\"backend\"}}"
#define ROWS                                                                              \
	"\"profiles\":[{\"selector\":{\"kind\":\"builtin\",\"value\":\"builtin:coder\"}," \
	"\"label\":\"Coder\"}],\"declarations\":[{\"kind\":\"capability_grant\","         \
	"\"name\":\"read\",\"reference\":\"capability:read\"}]"
#define BUNDLE_OF(id, digest, revision) "{\"bundle\":{" METADATA(id, digest, revision) "," ROWS "}}"
#define BUNDLE BUNDLE_OF("bundle-a", DIGEST, "r1")
/* The same with revision r2: made by the sorted lines of contract 9 and sha256sum. */
#define DIGEST_2 "7cd39a5dd146b56db67585e3f88c30939aafdd9a405715e87545932b1621adb1"
#define BUNDLE_2 BUNDLE_OF("bundle-a", DIGEST_2, "r2")
#define BUNDLES "/v1/config-bundles"
#define AVAILABILITY BUNDLES "/bundle-a/availability?digest="
#define CREATE(profile, bundle) \
	"{\"intent\":{\"kind\":\"assistant\"},\"profile\":" profile ",\"config_bundle\":" bundle "}"
#define CODER "{\"kind\":\"builtin\",\"value\":\"builtin:coder\"}"
#define REFERENCE "{\"id\":\"bundle-a\",\"digest\":\"" DIGEST "\"}"

static void post_with_key(const char *target, const char *key, const char *body)
{
	char fields[256];

	snprintf(fields, sizeof fields, "Content-Type: application/json\r\nIdempotency-Key: %s\r\n",
		 key);
	wr_client_ask(&client, &answer, "POST", target, fields, body);
}

static void start_in_memory(void)
{
	wr_process_start(&server, WR_ARGUMENTS("--runtime-id", "rt-a"), NULL);
	wr_client_open(&client, &server, NULL);
}

static void test_a_bundle_is_stored_listed_and_available(void)
{
	start_in_memory();
	get(BUNDLES);
	CHECK_U64(answer.status, 200);
	CHECK_STRING(answer.body, "{\"bundles\":[]}");
	post(BUNDLES, BUNDLE);
	CHECK_U64(answer.status, 200);
	check_member("availability.reference.id", "bundle-a");
	check_member("availability.reference.digest", DIGEST);
	check_member("availability.summary.digest_algorithm", "sha256");
	check_member("availability.summary.provenance.source", "backend");
	check_member("availability.summary.profile_count", "1");
	get(AVAILABILITY DIGEST);
	CHECK_U64(answer.status, 200);
	check_member("availability.summary.revision", "r1");
	get(BUNDLES);
	check_member("bundles.0.id", "bundle-a");
	CHECK(wr_json_find(answer.body, "bundles.1").data == NULL);
	/* In the place of the old one. */
	post(BUNDLES, BUNDLE_2);
	CHECK_U64(answer.status, 200);
	get(AVAILABILITY DIGEST);
	check_error(400, "config_bundle_digest_mismatch");
	get(AVAILABILITY DIGEST_2);
	CHECK_U64(answer.status, 200);
	get(BUNDLES);
	check_member("bundles.0.revision", "r2");
	CHECK(wr_json_find(answer.body, "bundles.1").data == NULL);
	stop();
}

static void test_errors_of_availability(void)
{
	static const struct {
		const char *target, *code;
		unsigned status;
	} cases[] = {
		{BUNDLES "/bundle-a/availability", "invalid_query", 400},
		{BUNDLES "/bundle-a/availability?digest=a&digest=a", "invalid_query", 400},
		{BUNDLES "/bundle-a/availability?digest=%ff", "invalid_query", 400},
		{BUNDLES "/nobody/availability", "invalid_query", 400},
		{BUNDLES "/nobody/availability?digest=" DIGEST, "config_bundle_missing", 404},
		{BUNDLES "/%ff/availability?digest=" DIGEST, "config_bundle_missing", 404},
		{BUNDLES "//availability?digest=" DIGEST, "config_bundle_missing", 404},
		{BUNDLES "/bundle-a/availability?digest=", "config_bundle_digest_mismatch", 400},
		{BUNDLES "/bundle-a/availability?digest=" DIGEST_2, "config_bundle_digest_mismatch",
		 400},
		{BUNDLES "/bundle-a", "not_found", 404},
		{BUNDLES "/", "not_found", 404},
	};

	start_in_memory();
	post(BUNDLES, BUNDLE);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].target);
		get(cases[i].target);
		check_error(cases[i].status, cases[i].code);
	}
	get(BUNDLES "/bundle%2da/availability?digest=" DIGEST);
	CHECK_U64(answer.status, 200);
	wr_client_ask(&client, &answer, "DELETE", BUNDLES, NULL, NULL);
	check_error(405, "method_not_allowed");
	CHECK_STRING(wr_answer_field(&answer, "Allow"), "GET, HEAD, POST");
	stop();
}

static void test_errors_of_storing_in_their_order(void)
{
	static const struct {
		const char *body, *code;
		unsigned status;
	} cases[] = {
		{"", "invalid_json", 400},
		{"{}", "invalid_json", 400},
		{"{\"bundle\":{" METADATA("-", "x", "") "}}", "invalid_request", 400},
		{"{\"bundle\":{" METADATA("a", "x", "") "}}", "invalid_request", 400},
		{"{\"bundle\":{" METADATA("a", DIGEST, "") "}}", "invalid_request", 400},
		{"{\"bundle\":{" METADATA("a", DIGEST, "/etc") "}}", "invalid_request", 400},
		{"{\"bundle\":{" METADATA("a", DIGEST, "r1") "}}", "config_bundle_digest_mismatch",
		 400},
		{BUNDLE_OF("bundle-a", DIGEST, "r2"), "config_bundle_digest_mismatch", 400},
		{"{\"bundle\":{" METADATA("a", DIGEST, "r1") ",\"declarations\":[{\"kind\":\"x\","
							     "\"name\":\"\",\"reference\":\"\"}]}}",
		 "invalid_json", 400},
		{"{\"bundle\":{" METADATA(
			 "bundle-a",
			 "dbd43d4534fba4f3ee598c00b24ae52eb0f64224b9c218c3c5d4bb2fa0c5731d",
			 "r1") ",\"profiles\":[{\"selector\":{\"kind\":\"named\",\"value\":\" "
			       "\"}}],"
			       "\"declarations\":[{\"kind\":\"unsupported\",\"name\":\"\","
			       "\"reference\":\"\"}]}}",
		 "invalid_profile_selector", 400},
		{"{\"bundle\":{" METADATA(
			 "bundle-a",
			 "a34552699fca30ec5f894594c0bc2c175950b85338da136ac2b64d4be55f3c79",
			 "r1") ",\"declarations\":[{\"kind\":\"unsupported\",\"name\":\"\","
			       "\"reference\":\"\"}]}}",
		 "invalid_request", 400},
		{"{\"bundle\":{" METADATA(
			 "bundle-a",
			 "bcfe90230dabb59361209a99b4c341f0365709f69cb48482980f501a87b184e4",
			 "r1") ",\"declarations\":[{\"kind\":\"unsupported\",\"name\":\"n\","
			       "\"reference\":\"\"}]"
			       "}}",
		 "unsupported_config_declaration", 400},
	};

	start_in_memory();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].body);
		post(BUNDLES, cases[i].body);
		check_error(cases[i].status, cases[i].code);
	}
	wr_client_ask(&client, &answer, "POST", BUNDLES, "Content-Type: text/plain\r\n", BUNDLE);
	check_error(415, "unsupported_media_type");
	get(BUNDLES);
	CHECK_STRING(answer.body, "{\"bundles\":[]}");
	stop();
}

static void test_a_create_is_held_against_its_bundle(void)
{
	static const struct {
		const char *body, *code;
		unsigned status;
	} cases[] = {
		{CREATE(CODER, REFERENCE), NULL, 201},
		{CREATE(CODER, "{\"id\":\"nobody\"}"), NULL, 201},
		{CREATE("{\"kind\":\"runtime_default\"}", "{\"id\":\"bundle-a\"}"), NULL, 201},
		{CREATE(CODER, "{\"id\":\"nobody\",\"digest\":\"" DIGEST "\"}"),
		 "config_bundle_missing", 404},
		{CREATE(CODER, "{\"id\":\"bundle-a\",\"digest\":\"" DIGEST_2 "\"}"),
		 "config_bundle_digest_mismatch", 400},
		{CREATE("{\"kind\":\"runtime_default\"}", REFERENCE), "invalid_profile_selector",
		 400},
		{CREATE("{\"kind\":\"named\",\"value\":\"builtin:coder\"}", REFERENCE),
		 "invalid_profile_selector", 400},
		{CREATE("{\"kind\":\"named\",\"value\":\"x\"}", "null"), "invalid_profile_selector",
		 400},
		{CREATE(CODER, "{\"id\":\"bundle-a\",\"digest\":1}"), "invalid_json", 400},
	};

	start_in_memory();
	post(BUNDLES, BUNDLE);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].body);
		post("/v1/workers", cases[i].body);
		if (cases[i].code != NULL)
			check_error(cases[i].status, cases[i].code);
		CHECK_U64(answer.status, cases[i].status);
	}
	get("/v1/workers/worker-00000001");
	check_member("worker.config_bundle.id", "bundle-a");
	check_member("worker.config_bundle.digest", DIGEST);
	get("/v1/workers/worker-00000002");
	check_member("worker.config_bundle.id", "nobody");
	CHECK(wr_json_find(answer.body, "worker.config_bundle.digest").data == NULL);
	get("/v1/workers");
	check_member("workers.0.has_config_bundle", "true");
	check_member("workers.0.config_bundle.digest", DIGEST);
	check_member("workers.1.config_bundle.id", "nobody");
	stop();
}

static void test_bundles_need_the_scope_of_what_they_do(void)
{
	static const char tokens[] = "observer observe 0123456789abcdefghijkl\n"
				     "commander command abcdefghijkl0123456789\n";
	char path[512];
	int fd;

	make_folder();
	snprintf(path, sizeof path, "%s", path_of("tokens"));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0 && write(fd, tokens, sizeof tokens - 1) == (ssize_t)(sizeof tokens - 1));
	close(fd);
	wr_process_start(&server, WR_ARGUMENTS("--token-file", path), NULL);
	wr_client_open(&client, &server, NULL);
	get(BUNDLES);
	check_error(401, "unauthorized");
	client.token = "0123456789abcdefghijkl";
	get(BUNDLES);
	CHECK_U64(answer.status, 200);
	post(BUNDLES, BUNDLE);
	check_error(403, "forbidden");
	client.token = "abcdefghijkl0123456789";
	post(BUNDLES, BUNDLE);
	CHECK_U64(answer.status, 200);
	client.token = "0123456789abcdefghijkl";
	get(AVAILABILITY DIGEST);
	CHECK_U64(answer.status, 200);
	stop();
	remove_folder();
}

static void test_keys_and_bundles_hold_across_every_end_of_the_process(void)
{
	make_folder();
	start();
	for (unsigned life = 0; life < 4; life++) {
		/* The answer of the first time, although it is another one by now. */
		post_with_key(BUNDLES, "key-1", BUNDLE);
		CHECK_U64(answer.status, 200);
		check_member("availability.summary.revision", "r1");
		post_with_key(BUNDLES, "key-1", BUNDLE_2);
		check_error(422, "idempotency_mismatch");
		if (life == 0)
			post(BUNDLES, BUNDLE_2);
		get(BUNDLES);
		check_member("bundles.0.digest", DIGEST_2);
		CHECK(wr_json_find(answer.body, "bundles.1").data == NULL);
		post("/v1/workers",
		     CREATE(CODER, "{\"id\":\"bundle-a\",\"digest\":\"" DIGEST_2 "\"}"));
		CHECK_U64(answer.status, 201);
		post("/v1/workers", CREATE(CODER, REFERENCE));
		check_error(400, "config_bundle_digest_mismatch");
		if (life % 2 == 0)
			kill_it();
		else
			stop();
		start();
		get("/v1/workers/worker-00000001");
		check_member("worker.config_bundle.digest", DIGEST_2);
	}
	stop();
	remove_folder();
}

static void test_a_drain_refuses_bundles(void)
{
	struct wr_client half, probe;

	start_in_memory();
	/* One request that is half here keeps the process for a moment, another asks then. */
	wr_client_open(&half, &server, NULL);
	wr_client_send(&half, "POST " BUNDLES " HTTP/1.1\r\nHost: localhost\r\n"
			      "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{");
	wr_client_send(&client, "POST " BUNDLES " HTTP/1.1\r\nHost: localhost\r\n");
	/* Both are with the server once it has answered something that was sent later. */
	wr_client_open(&probe, &server, NULL);
	wr_client_get(&probe, &answer, "/healthz");
	wr_process_signal(&server, SIGTERM);
	CHECK(wr_process_wait_text(&server, "draining", WR_PROCESS_WAIT_MS));
	wr_client_send(&client, "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
	wr_client_receive(&client, &answer);
	check_error(503, "runtime_unavailable");
	CHECK(wr_answer_field(&answer, "Retry-After").bytes > 0);
	wr_client_close(&probe);
	wr_client_close(&half);
	wr_client_close(&client);
	CHECK_U64(wr_process_wait(&server, WR_PROCESS_WAIT_MS), 0);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_bundle_is_stored_listed_and_available),
	WR_TEST(test_errors_of_availability),
	WR_TEST(test_errors_of_storing_in_their_order),
	WR_TEST(test_a_create_is_held_against_its_bundle),
	WR_TEST(test_bundles_need_the_scope_of_what_they_do),
	WR_TEST(test_keys_and_bundles_hold_across_every_end_of_the_process),
	WR_TEST(test_a_drain_refuses_bundles),
	WR_TEST_END,
};
