/*
 * Goal (design 3, P6, P7): cursors of before a restart go on exactly, or are refused with the exact
 * reason. Method: the real program over a real folder, ended in good order, killed, and killed with
 * the end of its log taken away as a power cut would without syncs.
 */
#include "harness/client.h"
#include "harness/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INPUTS = 10, CURSOR_ROOM = 64 };

static struct wr_process server;
static char root[] = "/tmp/wr-cursor-XXXXXX";
static char id[WR_CLIENT_ID_BYTES];
static char cursors[INPUTS + 1][CURSOR_ROOM]; /* [i]: of input i, from 1 */

static void start(const char *durability)
{
	wr_process_start(&server,
			 WR_ARGUMENTS("--store", "fs", "--fs-root", root, "--durability",
				      durability, "--fs-segment-bytes", "5M"),
			 NULL);
}

static void kill_server(void)
{
	wr_process_signal(&server, SIGKILL);
	wr_process_wait(&server, WR_PROCESS_WAIT_MS);
}

static void say(struct wr_client *client, unsigned number, char *cursor)
{
	struct wr_answer answer;
	char body[64];

	snprintf(body, sizeof body, "{\"kind\":\"user\",\"content\":\"input %u\"}", number);
	wr_client_post(client, &answer, body, "/v1/workers/%s/input", id);
	CHECK_U64(answer.status, 200);
	wr_json_copy(cursor, CURSOR_ROOM, answer.body, "ack.cursor");
}

static void make_history(void)
{
	struct wr_client client;

	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	for (unsigned i = 1; i <= INPUTS; i++)
		say(&client, i, cursors[i]);
	wr_client_close(&client);
}

static void open_stream(struct wr_test_ws *stream, const char *cursor)
{
	char target[256];

	snprintf(target, sizeof target, "/v1/workers/%s/events/ws%s%s", id,
		 cursor == NULL ? "" : "?cursor=", cursor == NULL ? "" : cursor);
	CHECK_U64(wr_test_ws_open(stream, &server, NULL, target), 101);
}

/* The stream behind input `from` gives inputs from + 1 to `to`, then nothing. */
static void expect_inputs(unsigned from, unsigned to)
{
	struct wr_test_ws stream;

	open_stream(&stream, cursors[from]);
	for (unsigned i = from + 1; i <= to; i++) {
		struct wr_view frame = wr_test_ws_message(&stream);
		char content[32];
		snprintf(content, sizeof content, "input %u", i);
		CHECK_STRING(wr_json_find(frame, "envelope.payload.event"), "user_message");
		CHECK_STRING(wr_json_find(frame, "envelope.payload.data.segments.0.content"),
			     content);
	}
	wr_test_ws_expect_silence(&stream, 30);
	wr_test_ws_close(&stream);
}

static void expect_refusal(const char *cursor, const char *reason)
{
	struct wr_test_ws stream;
	struct wr_view frame;

	open_stream(&stream, cursor);
	frame = wr_test_ws_message(&stream);
	CHECK_STRING(wr_json_find(frame, "kind"), "diagnostic");
	CHECK_STRING(wr_json_find(frame, "diagnostic.detail.reason"), reason);
	wr_test_ws_expect_close(&stream, 1008);
	wr_test_ws_close(&stream);
}

static uint64_t generation(void)
{
	struct wr_client client;
	struct wr_answer answer;
	uint64_t found;

	wr_client_open(&client, &server, NULL);
	wr_client_get(&client, &answer, "/v1/runtime");
	found = wr_json_find_u64(answer.body, "runtime.generation");
	wr_client_close(&client);
	return found;
}

/* What the page cache had and no disk: the last `bytes` written bytes of the newest segment. */
static void lose_tail(size_t bytes)
{
	char path[128];
	struct stat info;
	char *content;
	size_t end;
	int fd;

	snprintf(path, sizeof path, "%s/%020u.log", root, 1u);
	fd = open(path, O_RDWR);
	CHECK(fd >= 0 && fstat(fd, &info) == 0);
	content = malloc((size_t)info.st_size);
	CHECK(content != NULL && read(fd, content, (size_t)info.st_size) == info.st_size);
	for (end = (size_t)info.st_size; end > bytes && content[end - 1] == 0;)
		end--;
	memset(content, 0, bytes);
	CHECK(pwrite(fd, content, bytes, (off_t)(end - bytes)) == (ssize_t)bytes);
	free(content);
	close(fd);
}

static void begin(const char *durability)
{
	wr_test_make_folder(root);
	start(durability);
	make_history();
}

static void finish(void)
{
	char command[64];

	CHECK_U64((uint64_t)wr_process_stop(&server), 0);
	snprintf(command, sizeof command, "rm -r %s", root);
	CHECK(system(command) == 0);
}

/* ---- */

static void test_an_orderly_stop_keeps_generation_and_cursors(void)
{
	begin("always");
	CHECK_U64((uint64_t)wr_process_stop(&server), 0);
	start("always");
	CHECK_U64(generation(), 1);
	for (unsigned i = 1; i <= INPUTS; i++)
		expect_inputs(i, INPUTS);
	finish();
}

static void read_runtime_id(char *out, size_t room)
{
	struct wr_client client;
	struct wr_answer answer;

	wr_client_open(&client, &server, NULL);
	wr_client_get(&client, &answer, "/v1/runtime");
	wr_json_copy(out, room, answer.body, "runtime.runtime_id");
	wr_client_close(&client);
}

/* References to its Workers name it: they must hold over restarts. */
static void test_an_id_that_was_made_stays_the_same(void)
{
	char first[64], again[64];

	begin("always");
	read_runtime_id(first, sizeof first);
	CHECK(strncmp(first, "runtime-fs-", 11) == 0);
	CHECK_U64((uint64_t)wr_process_stop(&server), 0);
	start("always");
	read_runtime_id(again, sizeof again);
	CHECK_STRING(wr_view_of_string(again), first);
	kill_server();
	start("always");
	read_runtime_id(again, sizeof again);
	CHECK_STRING(wr_view_of_string(again), first);
	finish();
}

static void test_a_killed_process_keeps_every_cursor(void)
{
	begin("always");
	for (unsigned life = 2; life < 5; life++) {
		kill_server();
		start("always");
		CHECK_U64(generation(), life);
		for (unsigned i = 1; i <= INPUTS; i++)
			expect_inputs(i, INPUTS);
	}
	finish();
}

static void test_a_cursor_beyond_a_lost_tail_is_never_matched_to_a_new_event(void)
{
	struct wr_client client;
	char fresh[CURSOR_ROOM];

	begin("never");
	kill_server();
	lose_tail(40); /* into the last record */
	start("never");
	CHECK_U64(generation(), 2);
	expect_inputs(1, INPUTS - 1);
	expect_refusal(cursors[INPUTS], "lost_tail");
	/* Its sequence is given again. The old token still names what is lost. */
	wr_client_open(&client, &server, NULL);
	say(&client, INPUTS, fresh);
	wr_client_close(&client);
	CHECK(strcmp(fresh, cursors[INPUTS]) != 0);
	expect_refusal(cursors[INPUTS], "lost_tail");
	expect_inputs(INPUTS - 1, INPUTS);
	CHECK_U64((uint64_t)wr_process_stop(&server), 0);
	start("never");
	CHECK_U64(generation(), 2);
	expect_refusal(cursors[INPUTS], "lost_tail");
	expect_inputs(1, INPUTS);
	finish();
}

static void test_another_folder_is_another_log(void)
{
	char other[] = "/tmp/wr-cursor-other-XXXXXX", command[64];

	begin("always");
	CHECK_U64((uint64_t)wr_process_stop(&server), 0);
	wr_test_make_folder(other);
	wr_process_start(&server, WR_ARGUMENTS("--store", "fs", "--fs-root", other), NULL);
	{
		struct wr_client client;
		wr_client_open(&client, &server, NULL);
		wr_client_create_worker(&client, id);
		wr_client_close(&client);
	}
	expect_refusal(cursors[1], "unknown");
	CHECK_U64((uint64_t)wr_process_stop(&server), 0);
	snprintf(command, sizeof command, "rm -r %s %s", root, other);
	CHECK(system(command) == 0);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_an_orderly_stop_keeps_generation_and_cursors, 30),
	WR_TEST_LIMIT(test_an_id_that_was_made_stays_the_same, 30),
	WR_TEST_LIMIT(test_a_killed_process_keeps_every_cursor, 60),
	WR_TEST_LIMIT(test_a_cursor_beyond_a_lost_tail_is_never_matched_to_a_new_event, 30),
	WR_TEST_LIMIT(test_another_folder_is_another_log, 30),
	WR_TEST_END,
};
