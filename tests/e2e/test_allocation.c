/* Goal (T9): any allocation of worker-runtime may fail. Its start then ends with a message and
 * leaves nothing; a request is answered 503, and what can be seen of the Runtime and of
 * its log is what it was before; or its connection ends; what is asked again succeeds; nothing
 * leaks.
 *
 * Method: the whole server in this process (allocation.h). For each operation and each n the n-th
 * allocation fails, until none is left to fail; without and with a store. */
#include "e2e/allocation.h"

#include "harness/config.h"
#include "runtime_server/server.h"

enum { MESSAGE_BYTES = 1024 };

#define WORKER "/v1/workers/worker-00000001"
#define CREATE_BODY \
	"{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"runtime_default\"}}"
#define INPUT_BODY "{\"kind\":\"user\",\"content\":\"hello\"}"

/* ---- the server ---- */

static struct wr_config config;
static struct wr_tokens tokens;
static struct wr_server server;
static char message[MESSAGE_BYTES + 1];
static char folder[64]; /* empty: no store */

static void prepare_with(bool is_kept, const char *program)
{
	const char *argv[16] = {"worker-runtime", "--runtime-id", "rt-a", "--bind", "127.0.0.1:0"};
	int argc = 5;

	if (is_kept) {
		snprintf(folder, sizeof folder, "/tmp/wr-alloc-XXXXXX");
		wr_test_make_folder(folder);
		argv[argc++] = "--fs-root";
		argv[argc++] = folder;
		argv[argc++] = "--fs-segment-bytes";
		argv[argc++] = "5M";
	}
	if (program != NULL) {
		argv[argc++] = "--exec";
		argv[argc++] = program;
	}
	wr_test_config(&config, argc, argv);
}

static void prepare(bool is_kept)
{
	prepare_with(is_kept, NULL);
}

static bool try_start(void)
{
	struct wr_buf text;
	bool is_up;

	server = (struct wr_server){.config = NULL};
	wr_buf_init_fixed(&text, message, MESSAGE_BYTES);
	is_up = wr_server_init(&server, &config, &tokens, 0, &text);
	message[text.bytes] = '\0';
	if (is_up) {
		up.reactor = &server.reactor;
		up.http = server.http;
	}
	return is_up;
}

static void start(void)
{
	CHECK(try_start());
}

static void stop(void)
{
	wr_server_deinit(&server);
	CHECK_U64(server.allocator.used, 0);
}

static void forget_folder(void)
{
	char command[128];

	if (folder[0] == '\0')
		return;
	snprintf(command, sizeof command, "rm -r %s", folder);
	CHECK(system(command) == 0);
}

static void restart(void)
{
	stop();
	start();
}

/* ---- what can be seen ---- */

/* All Workers with their transcripts, and how far the log goes. */
static void look(char *out, size_t room)
{
	struct wr_runtime_summary summary;

	wr_runtime_summary(server.runtime, &summary);
	snprintf(out, room, "%llu\n", (unsigned long long)summary.last_sequence);
	look_at(out, room, "/v1/workers");
	look_at(out, room, WORKER);
	look_at(out, room, WORKER "/transcript");
	look_at(out, room, "/v1/workers/worker-00000002");
}

static bool says_no_memory(unsigned status)
{
	return status == 503;
}

/* ---- requests ---- */

static char large_input[40000];

static const struct operation operations[] = {
	{"the Runtime", "GET", "/v1/runtime", "", 200, 2},
	{"the list", "GET", "/v1/workers", "", 200, 1},
	{"a page of it", "GET", "/v1/workers?after=worker-00000000", "", 200, 1},
	{"a Worker", "GET", WORKER, "", 200, 1},
	{"its transcript", "GET", WORKER "/transcript", "", 200, 1},
	{"an id that is decoded", "GET", "/v1/workers/%77orker-00000001", "", 200, 2},
	{"no such Worker", "GET", "/v1/workers/none", "", 404, 1},
	{"no such route", "GET", "/nothing", "", 404, 1},
	{"input", "POST", WORKER "/input", INPUT_BODY, 200, 2},
	{"input with escapes", "POST", WORKER "/input",
	 "{\"kind\":\"user\",\"content\":\"a\\nb\\u00e9\"}", 200, 2},
	{"large input", "POST", WORKER "/input", large_input, 200, 3},
	{"input that is refused", "POST", WORKER "/input", "{\"kind\":\"user\"", 400, 1},
	{"create", "POST", "/v1/workers", CREATE_BODY, 201, 3},
	{"interrupt", "POST", WORKER "/interrupt", "{}", 501, 1},
	{"cancel", "POST", WORKER "/cancel", "{}", 200, 1},
	{"stop", "POST", WORKER "/stop", "{}", 200, 1},
};

static const struct operation keyed_input = {"input with a key", "POST", WORKER "/input",
					     INPUT_BODY,	 200,	 3};

static void make_large_input(void)
{
	size_t bytes = (size_t)snprintf(large_input, sizeof large_input,
					"{\"kind\":\"user\",\"content\":\"");

	memset(large_input + bytes, 'x', sizeof large_input - bytes);
	memcpy(large_input + sizeof large_input - 3, "\"}", 3);
}

static void serve_all_with_faults(bool is_kept)
{
	make_large_input();
	prepare(is_kept);
	start();
	CHECK_U64(ask("POST", "/v1/workers", CREATE_BODY), 201);
	CHECK_U64(ask("POST", WORKER "/input", INPUT_BODY), 200);
	ask_with_faults(&keyed_input, "Idempotency-Key: \"once\"\r\n");
	for (size_t i = 0; i < WR_COUNT(operations); i++)
		ask_with_faults(&operations[i], "");
	look(before, sizeof before);
	if (is_kept) {
		restart();
		check_nothing_changed();
	}
	stop();
	forget_folder();
}

static void test_a_request_without_memory_changes_nothing(void)
{
	serve_all_with_faults(false);
}

/* ---- programs ---- */

/* Until the Worker is at rest: it has answered, or it could not. */
static void turn_until_rest(void)
{
	const struct wr_worker *worker =
		wr_runtime_find(server.runtime, WR_VIEW("worker-00000001"));
	uint64_t end_ms = wr_process_now_ms() + wr_test_patience(FAULT_WAIT_MS);

	while (worker->now.phase == WR_PHASE_STARTING || worker->now.phase == WR_PHASE_BUSY)
		turn(end_ms);
}

/* Whatever fails while a program is started, given input and heard: the request says so, or the
 * Worker's log does; and the next one is served. */
static void test_a_program_without_memory_ends_no_more_than_its_worker(void)
{
	bool is_done = false;

	prepare_with(false, "cat");
	for (uint64_t n = 1; !is_done; n++) {
		unsigned status;

		CHECK(n < FAULT_N_MAX);
		start();
		CHECK_U64(ask("POST", "/v1/workers", CREATE_BODY), 201);
		fail_nth(n);
		status = ask("POST", WORKER "/input", INPUT_BODY);
		turn_until_rest();
		is_done = !has_failed();
		CHECK(status == 200 || (!is_done && (status == 503 || status == 0)));
		CHECK_U64(ask("POST", "/v1/workers", CREATE_BODY), 201);
		CHECK_U64(ask("POST", "/v1/workers/worker-00000002/input", INPUT_BODY), 200);
		stop();
	}
}

/* ---- streams ---- */

#if WR_WS_SERVER

/* Asks for a stream; gives the status. What comes goes to `got`. */
static unsigned watch(int *fd, const char *target)
{
	char head[1024];
	int bytes = snprintf(head, sizeof head,
			     "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
			     "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
			     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
			     target);

	*fd = dial();
	CHECK(bytes > 0 && (size_t)bytes < sizeof head);
	CHECK(send(*fd, head, (size_t)bytes, MSG_NOSIGNAL) == bytes);
	take_until(*fd, "\r\n\r\n");
	return status_of_got();
}

static void hang_up(int fd, uint32_t connections)
{
	close(fd);
	turn_until_connections(connections);
}

/* Opens the stream with the n-th allocation failing until none does: it is refused, or it ends, or
 * it brings what it would have brought. */
static void watch_with_faults(const char *target, const char *expected, unsigned refused_min)
{
	unsigned refused = 0;
	bool is_done = false;

	wr_test_case(target);
	for (uint64_t n = 1; !is_done; n++) {
		unsigned status;
		int fd;

		CHECK(n < FAULT_N_MAX);
		look(before, sizeof before);
		fail_nth(n);
		status = watch(&fd, target);
		if (status == 101)
			take_until(fd, expected);
		is_done = !has_failed();
		if (!has_got(expected)) {
			CHECK(status == 503 || status == 0 || (status == 101 && got.is_ended));
			CHECK(!is_done);
			refused++;
		}
		hang_up(fd, 0);
		check_nothing_changed();
	}
	CHECK(refused >= refused_min);
}

/* Where a stream of everything begins. */
static const char *from_the_beginning(const char *path)
{
	static char target[512];
	const char *mark = "\"cursor\":\"", *at;
	size_t bytes;
	int fd;

	CHECK_U64(watch(&fd, path), 101);
	take_until(fd, mark);
	at = strstr(got.data, mark);
	CHECK(at != NULL);
	at += strlen(mark);
	bytes = strcspn(at, "\"");
	snprintf(target, sizeof target, "%s?cursor=%.*s", path, (int)bytes, at);
	hang_up(fd, 0);
	return target;
}

static void watch_all_with_faults(bool is_kept)
{
	const char *target;

	prepare(is_kept);
	start();
	CHECK_U64(ask("POST", "/v1/workers", CREATE_BODY), 201);
	watch_with_faults(WORKER "/events/ws", "\"event\":\"snapshot\"", 4);
	watch_with_faults("/v1/events/ws", "\"kind\":", 1);
	target = from_the_beginning(WORKER "/events/ws");
	CHECK_U64(ask("POST", WORKER "/input", INPUT_BODY), 200);
	watch_with_faults(target, "hello", 1);
	if (is_kept) { /* read from the disk */
		restart();
		watch_with_faults(target, "hello", 1);
	}
	stop();
	forget_folder();
}

static void test_a_stream_without_memory_is_refused_or_ends(void)
{
	watch_all_with_faults(false);
}

/* What is taken reaches who watches, or their stream ends; what is refused is seen by nobody. */
static void test_who_watches_sees_exactly_what_was_taken(void)
{
	int fd;

	prepare(false);
	start();
	CHECK_U64(ask("POST", "/v1/workers", CREATE_BODY), 201);
	for (uint64_t n = 1;; n++) {
		unsigned status;
		bool is_done;

		CHECK(n < FAULT_N_MAX);
		CHECK_U64(watch(&fd, WORKER "/events/ws"), 101);
		take_until(fd, "snapshot");
		fail_nth(n);
		status = ask_beside(1, "POST", WORKER "/input", INPUT_BODY);
		is_done = !has_failed();
		got.bytes = 0;
		got.data[0] = '\0';
		got.is_ended = false;
		if (status == 200) {
			take_until(fd, "hello");
		} else {
			CHECK(status == 503 || status == 0);
			while (take(fd))
				CHECK(!got.is_ended);
			CHECK(!has_got("hello"));
		}
		hang_up(fd, 0);
		if (is_done)
			break;
	}
	stop();
}

#endif

/* ---- with a store ---- */

#if WR_FS_STORE

static void test_a_request_without_memory_changes_nothing_that_is_kept(void)
{
	serve_all_with_faults(true);
}

#if WR_WS_SERVER
static void test_a_stream_from_the_disk_without_memory_is_refused_or_ends(void)
{
	watch_all_with_faults(true);
}
#endif

#endif

/* ---- starting ---- */

/* Starts with the n-th allocation failing until none does. `has_workers`: `before` says what must
 * be seen whenever it starts. */
static void start_with_faults(bool has_workers)
{
	const int descriptor = next_descriptor();
	unsigned refused = 0;
	bool is_done = false;

	for (uint64_t n = 1; !is_done; n++) {
		bool is_up;

		CHECK(n < FAULT_N_MAX);
		fail_nth(n);
		is_up = try_start();
		is_done = !has_failed();
		if (is_up) {
			if (has_workers)
				check_nothing_changed();
			stop();
		} else {
			CHECK(!is_done && message[0] != '\0');
			CHECK_U64(server.allocator.used, 0);
			refused++;
		}
		CHECK_U64(next_descriptor(), descriptor);
	}
	CHECK(refused > 5);
}

static void test_a_start_without_memory_leaves_nothing(void)
{
	prepare(false);
	start_with_faults(false);
}

#if WR_FS_STORE

static void test_a_start_over_a_store_without_memory_leaves_it_as_it_was(void)
{
	prepare(true);
	start_with_faults(false);
	start();
	CHECK_U64(ask("POST", "/v1/workers", CREATE_BODY), 201);
	CHECK_U64(ask("POST", WORKER "/input", INPUT_BODY), 200);
	look(before, sizeof before);
	stop();
	start_with_faults(true);
	forget_folder();
}

#endif

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_a_request_without_memory_changes_nothing, 30),
	WR_TEST_LIMIT(test_a_program_without_memory_ends_no_more_than_its_worker, 60),
#if WR_WS_SERVER
	WR_TEST_LIMIT(test_a_stream_without_memory_is_refused_or_ends, 30),
	WR_TEST_LIMIT(test_who_watches_sees_exactly_what_was_taken, 30),
#endif
	WR_TEST_LIMIT(test_a_start_without_memory_leaves_nothing, 30),
#if WR_FS_STORE
	WR_TEST_LIMIT(test_a_request_without_memory_changes_nothing_that_is_kept, 60),
	WR_TEST_LIMIT(test_a_start_over_a_store_without_memory_leaves_it_as_it_was, 60),
#if WR_WS_SERVER
	WR_TEST_LIMIT(test_a_stream_from_the_disk_without_memory_is_refused_or_ends, 60),
#endif
#endif
	WR_TEST_END};
