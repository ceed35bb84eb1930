/* Goal (T9): any allocation of workspace-server may fail. Its start then ends with a message and
 * leaves nothing; a request of a browser is answered 503 or 502, and what can be seen of its
 * sources is what it was before; or its connection ends; what is asked again succeeds; nothing
 * leaks.
 *
 * Method: the whole Backend with its embedded Runtime in this process (allocation.h). For each
 * operation and each n the n-th allocation fails, until none is left to fail. */
#include "e2e/allocation.h"

#include "backend/server.h"
#include "host/settings.h"

enum { MESSAGE_BYTES = 1024 };

#define SOURCE "/api/runtimes/rt-a"
#define WORKER SOURCE "/workers/worker-00000001"
#define SPAWN_BODY                                                       \
	"{\"intent\":{\"kind\":\"ticket_role\",\"ticket_id\":\"T1\","    \
	"\"role\":\"coder\"},\"acceptance\":{\"kind\":\"run_accepted\"," \
	"\"expected_segments\":0}}"
#define INPUT_BODY "{\"kind\":\"user\",\"content\":\"hello\"}"

static struct wr_backend_config config;
static struct wr_tokens tokens;
static struct wr_backend backend;
static char message[MESSAGE_BYTES + 1];
static char folder[64];

static void prepare(void)
{
	static struct wr_settings settings; /* its texts are these */
	const char *const argv[] = {"workspace-server", "--workspace",	folder, "--listen",
				    "127.0.0.1:0",	"--runtime-id", "rt-a", "--no-local"};
	struct wr_buf text;

	snprintf(folder, sizeof folder, "/tmp/wr-alloc-XXXXXX");
	wr_test_make_folder(folder);
	wr_buf_init_fixed(&text, message, MESSAGE_BYTES);
	wr_settings_init(&settings, &wr_backend_options, &config, wr_test_allocator());
	if (!wr_settings_read(&settings, &text, (int)WR_COUNT(argv), argv))
		wr_test_fail(__FILE__, __LINE__, message);
	wr_address_parse(&config.serving.address, wr_view_of_string(config.serving.listen));
}

static bool try_start(void)
{
	struct wr_buf text;
	bool is_up;

	backend = (struct wr_backend){.config = NULL};
	wr_buf_init_fixed(&text, message, MESSAGE_BYTES);
	is_up = wr_backend_init(&backend, &config, &tokens, 0, &text);
	message[text.bytes] = '\0';
	if (is_up) {
		up.reactor = &backend.reactor;
		up.http = backend.http;
	}
	return is_up;
}

static void stop(void)
{
	wr_backend_deinit(&backend);
	CHECK_U64(backend.allocator.used, 0);
}

static void forget_folder(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -r %s", folder);
	CHECK(system(command) == 0);
}

static void look(char *out, size_t room)
{
	*out = '\0';
	look_at(out, room, SOURCE "/workers");
	look_at(out, room, WORKER);
	look_at(out, room, WORKER "/transcript");
}

/* Of a source that was asked the contract has 502. */
static bool says_no_memory(unsigned status)
{
	return status == 503 || (status == 502 && has_got("\"embedded_runtime_overloaded\""));
}

static void test_a_start_without_memory_leaves_nothing(void)
{
	const int descriptor = next_descriptor();
	unsigned refused = 0;
	bool is_done = false;

	prepare();
	for (uint64_t n = 1; !is_done; n++) {
		bool is_up;

		CHECK(n < FAULT_N_MAX);
		fail_nth(n);
		is_up = try_start();
		is_done = !has_failed();
		if (is_up) {
			CHECK_U64(ask("GET", "/api/runtimes", ""), 200);
			stop();
		} else {
			CHECK(!is_done && message[0] != '\0');
			CHECK_U64(backend.allocator.used, 0);
			refused++;
		}
		CHECK_U64(next_descriptor(), descriptor);
	}
	CHECK(refused > 10);
	forget_folder();
}

static const struct operation operations[] = {
	{"sources", "GET", "/api/runtimes", "", 200, 1},
	{"a source", "GET", SOURCE, "", 200, 1},
	{"hosts", "GET", "/api/hosts", "", 200, 1},
	{"the workspace", "GET", "/api/workspace", "", 200, 1},
	{"all Workers", "GET", "/api/workers", "", 200, 1},
	{"Workers of a source", "GET", SOURCE "/workers", "", 200, 1},
	{"a Worker", "GET", WORKER, "", 200, 1},
	{"its transcript", "GET", WORKER "/transcript", "", 200, 1},
	{"no such Worker", "GET", SOURCE "/workers/none", "", 404, 1},
	{"no such source", "GET", "/api/runtimes/none", "", 404, 1},
	{"input", "POST", WORKER "/input", INPUT_BODY, 200, 1},
	{"input that is refused", "POST", WORKER "/input", "{\"kind\":\"user\"", 400, 1},
	{"spawn", "POST", SOURCE "/workers", SPAWN_BODY, 200, 1},
	{"cancel", "POST", WORKER "/cancel", "{}", 200, 1},
	{"stop", "POST", WORKER "/stop", "{}", 200, 1},
};

static void test_a_request_without_memory_changes_nothing(void)
{
	prepare();
	CHECK(try_start());
	CHECK_U64(ask("POST", SOURCE "/workers", SPAWN_BODY), 200);
	CHECK_U64(ask("POST", WORKER "/input", INPUT_BODY), 200);
	for (size_t i = 0; i < WR_COUNT(operations); i++)
		ask_with_faults(&operations[i], "");
	stop();
	forget_folder();
}

const struct wr_test wr_tests[] = {WR_TEST_LIMIT(test_a_start_without_memory_leaves_nothing, 30),
				   WR_TEST_LIMIT(test_a_request_without_memory_changes_nothing, 60),
				   WR_TEST_END};
