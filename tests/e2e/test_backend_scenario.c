/*
 * Goal (design 7, P6): the same script gives the same events through an embedded Runtime and
 * through a remote one that is killed and started again in the middle; cursors outlive the Backend.
 * Method: the real programs, spoken to as a browser does.
 */
#include "harness/backend.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { INPUTS = 100, CUT_AT = 30, KILL_AT = 50, EVENT_ROOM = 96, EVENTS_MAX = 256 };

static struct wr_place place;
static struct wr_remote remote;
static struct wr_process backend;

static struct story {
	char events[EVENTS_MAX][EVENT_ROOM];
	unsigned count;
} of_embedded, of_remote;

/* Takes events until one is `last`. */
static void follow(struct wr_test_ws *stream, struct story *story, const char *last,
		   char cursor[WR_CURSOR_ROOM])
{
	do {
		CHECK(story->count < EVENTS_MAX);
		wr_backend_event(stream, story->events[story->count], EVENT_ROOM, cursor);
	} while (strcmp(story->events[story->count++], last) != 0);
}

/* Says it until it is accepted: the key makes sure that it is said once. */
static void say(struct wr_client *client, const char *runtime_id, const char *worker_id,
		unsigned number)
{
	uint64_t until = wr_process_now_ms() + WR_PROCESS_WAIT_MS;
	char content[32], key[32];

	snprintf(content, sizeof content, "input %u", number);
	snprintf(key, sizeof key, "%s-%u", runtime_id[0] == 'r' ? "r" : "e", number);
	while (!wr_backend_say(client, runtime_id, worker_id, content, key))
		CHECK(wr_process_now_ms() < until);
}

static void play(const char *runtime_id, bool is_remote, struct story *story)
{
	char worker[WR_CLIENT_ID_BYTES], cursor[WR_CURSOR_ROOM], last[32];
	struct wr_test_ws stream;
	struct wr_client client;
	struct wr_answer answer;

	wr_client_open(&client, &backend, NULL);
	wr_backend_await_status(&client, runtime_id, "running");
	wr_backend_spawn(&client, runtime_id, worker);
	wr_backend_observe(&stream, &backend, runtime_id, worker, NULL);
	follow(&stream, story, "snapshot: idle", cursor);
	for (unsigned i = 1; i <= INPUTS; i++) {
		if (i == KILL_AT && is_remote) {
			wr_remote_kill(&remote);
			wr_remote_restart(&remote);
		}
		say(&client, runtime_id, worker, i);
		if (i == CUT_AT) {
			follow(&stream, story, "user_message: input 20", cursor);
			wr_test_ws_close(&stream);
			wr_backend_observe(&stream, &backend, runtime_id, worker, cursor);
		}
	}
	snprintf(last, sizeof last, "user_message: input %u", (unsigned)INPUTS);
	follow(&stream, story, last, cursor);
	wr_client_post(&client, &answer, "{\"reason\":\"done\"}",
		       "/api/runtimes/%s/workers/%s/stop", runtime_id, worker);
	CHECK_U64(answer.status, 200);
	CHECK_STRING(wr_json_find(answer.body, "state"), "accepted");
	follow(&stream, story, "shutdown: ", cursor);
	wr_test_ws_expect_silence(&stream, 50);
	wr_client_get(&client, &answer, "/api/runtimes/%s/workers/%s/transcript?start=90",
		      runtime_id, worker);
	CHECK_U64(wr_json_find_u64(answer.body, "total_items"), INPUTS);
	CHECK_STRING(wr_json_find(answer.body, "items.9.content"), "input 100");
	wr_test_ws_close(&stream);
	wr_client_close(&client);
}

static void start(void)
{
	wr_place_make(&place);
	wr_remote_start(&remote, &place, "a-credential-of-the-box-0123456789");
	wr_place_configure(&place, remote.address);
	wr_backend_start(&backend, &place, NULL);
}

static void end(void)
{
	CHECK_U64(wr_process_stop(&backend), 0);
	CHECK_U64(wr_process_stop(&remote.process), 0);
	wr_place_remove(&place);
}

static void test_embedded_and_remote_tell_the_same_story(void)
{
	start();
	play("backend-internal", false, &of_embedded);
	play("remote:box", true, &of_remote);
	CHECK_U64(of_embedded.count, of_remote.count);
	for (unsigned i = 0; i < of_embedded.count; i++)
		CHECK_STRING(wr_view_of_string(of_remote.events[i]), of_embedded.events[i]);
	CHECK_U64(of_embedded.count, 1 + INPUTS + 1);
	end();
}

/* Every cursor of a story still goes on exactly, after the Backend and then the Runtime were killed
 * and started again. */
static void check_cursors(const char *runtime_id, const char *worker,
			  char cursors[][WR_CURSOR_ROOM], unsigned count)
{
	char text[EVENT_ROOM], cursor[WR_CURSOR_ROOM], expected[EVENT_ROOM];
	struct wr_test_ws stream;

	for (unsigned i = 0; i < count; i++) {
		wr_backend_observe(&stream, &backend, runtime_id, worker, cursors[i]);
		for (unsigned next = i + 1; next <= count; next++) {
			wr_backend_event(&stream, text, sizeof text, cursor);
			snprintf(expected, sizeof expected, "user_message: input %u", next);
			CHECK_STRING(wr_view_of_string(text), expected);
			if (next < count)
				CHECK_STRING(wr_view_of_string(cursor), cursors[next]);
		}
		wr_test_ws_expect_silence(&stream, 20);
		wr_test_ws_close(&stream);
	}
}

static void kill_backend(void)
{
	wr_process_signal(&backend, SIGKILL);
	wr_process_wait(&backend, WR_PROCESS_WAIT_MS);
}

static void cursors_survive(const char *runtime_id, const char *const *arguments)
{
	enum { COUNT = 8 };
	static char cursors[COUNT + 1][WR_CURSOR_ROOM];
	char worker[WR_CLIENT_ID_BYTES], text[EVENT_ROOM];
	struct wr_test_ws stream;
	struct wr_client client;

	wr_client_open(&client, &backend, NULL);
	wr_backend_await_status(&client, runtime_id, "running");
	wr_backend_spawn(&client, runtime_id, worker);
	wr_backend_observe(&stream, &backend, runtime_id, worker, NULL);
	wr_backend_event(&stream, text, sizeof text, cursors[0]);
	for (unsigned i = 1; i <= COUNT; i++) {
		say(&client, runtime_id, worker, i);
		wr_backend_event(&stream, text, sizeof text, cursors[i]);
	}
	wr_test_ws_close(&stream);
	wr_client_close(&client);
	kill_backend();
	wr_backend_start(&backend, &place, arguments);
	wr_client_open(&client, &backend, NULL);
	wr_backend_await_status(&client, runtime_id, "running");
	wr_client_close(&client);
	check_cursors(runtime_id, worker, cursors, COUNT);
	wr_remote_kill(&remote);
	wr_remote_restart(&remote);
	check_cursors(runtime_id, worker, cursors, COUNT);
}

static void test_cursors_of_a_remote_survive_both_programs(void)
{
	start();
	cursors_survive("remote:box", NULL);
	end();
}

static void test_cursors_of_the_embedded_runtime_survive_with_a_store(void)
{
	char folder[128];
	const char *const arguments[] = {"--fs-root", folder, NULL};

	wr_place_make(&place);
	wr_remote_start(&remote, &place, NULL);
	snprintf(folder, sizeof folder, "%s/embedded", place.root);
	wr_backend_start(&backend, &place, arguments);
	cursors_survive("backend-internal", arguments);
	end();
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_embedded_and_remote_tell_the_same_story, 60),
	WR_TEST_LIMIT(test_cursors_of_a_remote_survive_both_programs, 60),
	WR_TEST_LIMIT(test_cursors_of_the_embedded_runtime_survive_with_a_store, 60), WR_TEST_END};
