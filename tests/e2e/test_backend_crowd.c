/*
 * Goal (design 7): 500 browsers on one Worker of a remote Runtime cost that Runtime one connection.
 * Method: the real programs; the Runtime's descriptors are counted in /proc.
 */
#include "harness/backend.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { BROWSERS = 500, INPUTS = 20 };

static struct wr_place place;
static struct wr_remote remote;
static struct wr_process backend;
static struct wr_test_ws streams[BROWSERS];

static void raise_descriptors(void)
{
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = limit.rlim_max;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(limit.rlim_cur >= 2 * BROWSERS);
}

/* What short connections took is given back: waits for that many descriptors. */
static void await_descriptors(size_t count)
{
	uint64_t until = wr_process_now_ms() + WR_PROCESS_WAIT_MS;

	while (wr_process_fd_count(&remote.process) > count) {
		if (wr_process_now_ms() > until)
			CHECK_U64(wr_process_fd_count(&remote.process), count);
		poll(NULL, 0, 10);
	}
}

static void test_a_crowd_of_browsers_is_one_connection_to_the_runtime(void)
{
	char worker[WR_CLIENT_ID_BYTES], cursor[WR_CURSOR_ROOM], text[96], expected[96];
	struct wr_client client;
	size_t before;

	raise_descriptors();
	wr_place_make(&place);
	wr_remote_start(&remote, &place, NULL);
	wr_place_configure(&place, remote.address);
	wr_backend_start(&backend, &place, WR_ARGUMENTS("--max-connections", "1000"));
	wr_client_open(&client, &backend, NULL);
	wr_backend_await_status(&client, "remote:box", "running");
	wr_backend_spawn(&client, "remote:box", worker);
	wr_backend_observe(&streams[0], &backend, "remote:box", worker, NULL);
	wr_backend_event(&streams[0], text, sizeof text, cursor);
	before = wr_process_fd_count(&remote.process); /* one browser */
	for (unsigned i = 1; i < BROWSERS; i++)
		wr_backend_observe(&streams[i], &backend, "remote:box", worker, NULL);
	for (unsigned i = 1; i < BROWSERS; i++) {
		wr_backend_event(&streams[i], text, sizeof text, cursor);
		CHECK_STRING(wr_view_of_string(text), "snapshot: idle");
	}
	await_descriptors(before);
	for (unsigned number = 0; number < INPUTS; number++) {
		snprintf(text, sizeof text, "input %u", number);
		CHECK(wr_backend_say(&client, "remote:box", worker, text, text + 6));
	}
	for (unsigned i = 0; i < BROWSERS; i++)
		for (unsigned number = 0; number < INPUTS; number++) {
			wr_backend_event(&streams[i], text, sizeof text, cursor);
			snprintf(expected, sizeof expected, "user_message: input %u", number);
			CHECK_STRING(wr_view_of_string(text), expected);
		}
	CHECK(wr_process_fd_count(&remote.process) <= before);
	for (unsigned i = 0; i < BROWSERS; i++)
		wr_test_ws_close(&streams[i]);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&backend), 0);
	CHECK_U64(wr_process_stop(&remote.process), 0);
	wr_place_remove(&place);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_a_crowd_of_browsers_is_one_connection_to_the_runtime, 60), WR_TEST_END};
