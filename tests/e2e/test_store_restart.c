/* Goal: with the fs store, what was acknowledged is there after any end of the process, once, and
 * the streams go on from their cursors. Method: the real program over a folder, ended in good order
 * and by kill -9, and asked the same things before and after. */
#include "e2e/store_folder.h"

/* ---- before and after ---- */

static const char *const views[] = {
	"/v1/workers",
	"/v1/workers/worker-00000001",
	"/v1/workers/worker-00000001/transcript",
	"/v1/workers/worker-00000002/transcript",
	"/v1/workers/worker-00000003",
	"/v1/workers/chosen:by-us_1/transcript",
};
static char seen[WR_COUNT(views)][8192];

/* Cursors name a generation, which an unclean end raises: what they name is checked by streams. */
static void hide_cursors(char *text)
{
	for (char *at = text; (at = strstr(at, "\"cursor\":\"")) != NULL;) {
		at += 10;
		memset(at, '.', strcspn(at, "\""));
	}
}

static void look(char (*into)[8192])
{
	for (size_t i = 0; i < WR_COUNT(views); i++) {
		get(views[i]);
		CHECK_U64(answer.status, 200);
		CHECK(answer.body.bytes < sizeof into[i]);
		memcpy(into[i], answer.body.data, answer.body.bytes);
		into[i][answer.body.bytes] = '\0';
		hide_cursors(into[i]);
	}
}

static void check_same_views(void)
{
	static char now[WR_COUNT(views)][8192];

	look(now);
	for (size_t i = 0; i < WR_COUNT(views); i++) {
		wr_test_case(views[i]);
		CHECK(strcmp(now[i], seen[i]) == 0);
	}
}

/* Something of every kind. */
static void do_things(void)
{
	char id[WR_CLIENT_ID_BYTES];

	for (unsigned i = 0; i < 3; i++)
		wr_client_create_worker(&client, id);
	post("/v1/workers", "{\"worker_id\":\"chosen:by-us_1\",\"intent\":{\"kind\":\"task\","
			    "\"objective\":\"o\\n\"},\"profile\":{\"kind\":\"runtime_default\"},"
			    "\"requested_capabilities\":[{\"name\":\"read\"}]}");
	CHECK_U64(answer.status, 201);
	CHECK_STRING(wr_answer_field(&answer, "Location"), "/v1/workers/chosen%3Aby-us_1");
	for (unsigned i = 0; i < 10; i++) {
		char text[32];
		snprintf(text, sizeof text, "text %u", i);
		wr_client_input(&client, "worker-00000001", text);
		if (i % 3 == 0)
			wr_client_input(&client, "chosen:by-us_1", text);
	}
	post("/v1/workers/worker-00000002/input",
	     "{\"kind\":\"system\",\"content\":\"s \\u00e9\"}");
	CHECK_U64(answer.status, 200);
	post("/v1/workers/worker-00000002/stop", "{\"reason\":\"done\"}");
	CHECK_U64(answer.status, 200);
	post("/v1/workers/worker-00000003/cancel", "");
	CHECK_U64(answer.status, 200);
}

static void check_runtime(const char *generation, const char *result)
{
	get("/v1/runtime");
	check_member("runtime.backend", "fs_store");
	check_member("runtime.store.kind", "fs");
	check_member("runtime.store.durability", "always");
	check_member("runtime.store.state", "ok");
	check_member("runtime.generation", generation);
	check_member("runtime.store.recovery.result", result);
	check_member("runtime.store.recovery.quarantined", "0");
}

static void test_an_orderly_restart_changes_nothing(void)
{
	make_folder();
	start();
	check_runtime("1", "new");
	do_things();
	look(seen);
	for (unsigned i = 0; i < 3; i++) {
		stop();
		start();
		check_runtime("1", "clean");
		check_same_views();
	}
	stop();
	remove_folder();
}

static void test_a_kill_loses_nothing_that_was_acknowledged(void)
{
	make_folder();
	start();
	do_things();
	look(seen);
	for (unsigned i = 0; i < 3; i++) {
		char generation[2] = {(char)('2' + i), '\0'};
		kill_it();
		start();
		check_runtime(generation, "unclean");
		check_same_views();
	}
	/* And it goes on. */
	wr_client_input(&client, "worker-00000001", "more");
	get("/v1/workers/worker-00000001/transcript");
	check_member("transcript.total_items", "11");
	check_member("transcript.items.10.content", "more");
	post("/v1/workers", CREATE_BODY);
	check_member("worker.worker_id", "worker-00000005");
	stop();
	remove_folder();
}

static void test_other_durabilities_survive_a_kill_of_the_process(void)
{
	static const char *const durabilities[] = {"interval=50", "never"};

	for (size_t i = 0; i < WR_COUNT(durabilities); i++) {
		wr_test_case(durabilities[i]);
		make_folder();
		start_with("--durability", durabilities[i]);
		get("/v1/runtime");
		check_member("runtime.store.durability", i == 0 ? "interval" : "never");
		do_things();
		look(seen);
		kill_it();
		start_with("--durability", durabilities[i]);
		check_same_views();
		stop();
		remove_folder();
	}
}

/* ---- streams ---- */

static void expect_text(struct wr_test_ws *stream, const char *text, char *cursor)
{
	struct wr_view frame = wr_test_ws_message(stream);

	CHECK_STRING(wr_json_find(frame, "envelope.payload.event"), "user_message");
	CHECK_STRING(wr_json_find(frame, "envelope.payload.data.segments.0.content"), text);
	if (cursor != NULL)
		wr_json_copy(cursor, 64, frame, "envelope.cursor");
}

static void open_stream(struct wr_test_ws *stream, const char *id, const char *cursor)
{
	char target[256];

	snprintf(target, sizeof target, "/v1/workers/%s/events/ws?cursor=%s", id, cursor);
	CHECK_U64(wr_test_ws_open(stream, &server, NULL, target), 101);
}

static void test_a_stream_goes_on_from_its_cursor(void)
{
	char id[WR_CLIENT_ID_BYTES], cursor[64];
	struct wr_test_ws stream;

	for (unsigned is_killed = 0; is_killed < 2; is_killed++) {
		make_folder();
		start();
		wr_client_create_worker(&client, id);
		CHECK_U64(wr_test_ws_open(&stream, &server, NULL,
					  "/v1/workers/worker-00000001/events/ws"),
			  101);
		wr_test_ws_message(&stream); /* the snapshot */
		wr_client_input(&client, id, "one");
		expect_text(&stream, "one", cursor);
		wr_client_input(&client, id, "two");
		wr_client_input(&client, id, "three");
		wr_test_ws_close(&stream);
		if (is_killed)
			kill_it();
		else
			stop();
		start();
		open_stream(&stream, id, cursor);
		expect_text(&stream, "two", NULL);
		expect_text(&stream, "three", cursor);
		wr_test_ws_expect_silence(&stream, 50);
		wr_client_input(&client, id, "four");
		expect_text(&stream, "four", NULL);
		wr_test_ws_close(&stream);
		/* The newest event of the life before is no lost tail. */
		open_stream(&stream, id, cursor);
		expect_text(&stream, "four", NULL);
		wr_test_ws_close(&stream);
		stop();
		remove_folder();
	}
}

static void test_a_cursor_of_another_store_is_unknown(void)
{
	char cursor[64];
	struct wr_test_ws stream;
	struct wr_view frame;

	make_folder();
	start();
	post("/v1/workers", CREATE_BODY);
	wr_json_copy(cursor, sizeof cursor, answer.body, "worker.cursor");
	stop();
	remove_folder();
	make_folder();
	start();
	post("/v1/workers", CREATE_BODY);
	open_stream(&stream, "worker-00000001", cursor);
	frame = wr_test_ws_message(&stream);
	CHECK_STRING(wr_json_find(frame, "diagnostic.code"), "runtime.cursor_unknown_or_expired");
	CHECK_STRING(wr_json_find(frame, "diagnostic.detail.reason"), "unknown");
	wr_test_ws_close(&stream);
	stop();
	remove_folder();
}

/* ---- many lives ---- */

enum { LIVES = 6, CONNECTIONS = 4, PER_LIFE = 40 };

/* What was acknowledged: content by transcript place, from 1. */
static char acknowledged[LIVES * CONNECTIONS * PER_LIFE + 1][24];
static uint64_t acknowledged_max;

static void note_acknowledged(const struct wr_answer *got, const char *content)
{
	uint64_t place = wr_json_find_u64(got->body, "ack.transcript_sequence");

	CHECK(place > 0 && place < WR_COUNT(acknowledged));
	CHECK(acknowledged[place][0] == '\0');
	snprintf(acknowledged[place], sizeof acknowledged[place], "%s", content);
	if (place > acknowledged_max)
		acknowledged_max = place;
}

/* Several clients at once; the process goes away while their last inputs are on their way. */
static void live(unsigned number)
{
	struct wr_client clients[CONNECTIONS];
	char content[24], body[64];

	for (unsigned c = 0; c < CONNECTIONS; c++)
		wr_client_open(&clients[c], &server, NULL);
	for (unsigned i = 0; i < PER_LIFE; i++) {
		for (unsigned c = 0; c < CONNECTIONS; c++) {
			snprintf(body, sizeof body, "{\"kind\":\"user\",\"content\":\"%u-%u-%u\"}",
				 number, c, i);
			wr_client_send_request(&clients[c], "POST",
					       "/v1/workers/worker-00000001/input", NULL, body);
		}
		if (i == PER_LIFE - 1)
			break; /* nobody learns what became of these */
		for (unsigned c = 0; c < CONNECTIONS; c++) {
			struct wr_answer got;
			wr_client_receive(&clients[c], &got);
			CHECK_U64(got.status, 200);
			snprintf(content, sizeof content, "%u-%u-%u", number, c, i);
			note_acknowledged(&got, content);
		}
	}
	kill_it();
	for (unsigned c = 0; c < CONNECTIONS; c++)
		wr_client_close(&clients[c]);
}

static void check_acknowledged(void)
{
	uint64_t total, start_at = 0;

	do {
		wr_client_get(&client, &answer,
			      "/v1/workers/worker-00000001/transcript?limit=64&start=%llu",
			      (unsigned long long)start_at);
		total = wr_json_find_u64(answer.body, "transcript.total_items");
		CHECK(total >= acknowledged_max && total < WR_COUNT(acknowledged));
		for (unsigned i = 0; i < 64 && start_at + i < total; i++) {
			char path[64];
			const char *known = acknowledged[start_at + i + 1];
			snprintf(path, sizeof path, "transcript.items.%u.content", i);
			if (known[0] != '\0')
				CHECK_STRING(wr_json_find(answer.body, path), known);
		}
		start_at += 64;
	} while (start_at < total);
}

static void test_many_lives_keep_every_acknowledged_input_in_its_place(void)
{
	make_folder();
	start();
	post("/v1/workers", CREATE_BODY);
	for (unsigned i = 0; i < LIVES; i++) {
		live(i);
		start();
		check_acknowledged();
	}
	stop();
	CHECK(access(path_of("clean"), F_OK) == 0);
	remove_folder();
}

/* ---- who may have it ---- */

static void test_a_second_process_is_refused_and_changes_nothing(void)
{
	struct wr_process other;

	make_folder();
	start();
	do_things();
	look(seen);
	CHECK_U64(wr_process_run(&other, WR_ARGUMENTS("--fs-root", folder), NULL), 1);
	CHECK(strstr(other.err, "store_locked") != NULL);
	CHECK(strstr(other.err, folder) != NULL);
	CHECK(strstr(other.err, "another process uses it; stop that one") != NULL);
	check_same_views();
	stop();
	start();
	check_same_views();
	stop();
	remove_folder();
}

static void test_a_folder_that_cannot_be_one_is_refused_with_a_remedy(void)
{
	struct wr_process run;
	int fd;

	make_folder();
	fd = open(path_of("file"), O_WRONLY | O_CREAT, 0600);
	CHECK(fd >= 0);
	close(fd);
	CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--fs-root", path_of("file")), NULL), 1);
	CHECK(strstr(run.err, "cannot open the store in ") != NULL);
	CHECK(strstr(run.err, "see to the folder") != NULL);
	CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--fs-root", path_of("file/deeper")), NULL), 1);
	remove_folder();
}

static void test_nobody_else_may_look_into_the_folder(void)
{
	struct stat info;

	make_folder();
	CHECK(rmdir(folder) == 0);
	start();
	post("/v1/workers", CREATE_BODY);
	stop();
	CHECK(stat(folder, &info) == 0 && (info.st_mode & 0777) == 0700);
	CHECK(stat(path_of("00000000000000000001.log"), &info) == 0 &&
	      (info.st_mode & 0777) == 0600);
	remove_folder();
}

/* Old clients cannot read of another backend than memory. */
static void test_old_backends_are_told_of_memory(void)
{
	make_folder();
	start_with("--compat", "yoi-2026-06");
	get("/v1/runtime");
	check_member("runtime.backend", "memory");
	check_member("runtime.store.kind", "fs");
	stop();
	remove_folder();
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_an_orderly_restart_changes_nothing, 30),
	WR_TEST_LIMIT(test_a_kill_loses_nothing_that_was_acknowledged, 30),
	WR_TEST_LIMIT(test_other_durabilities_survive_a_kill_of_the_process, 30),
	WR_TEST_LIMIT(test_a_stream_goes_on_from_its_cursor, 30),
	WR_TEST(test_a_cursor_of_another_store_is_unknown),
	WR_TEST_LIMIT(test_many_lives_keep_every_acknowledged_input_in_its_place, 60),
	WR_TEST_LIMIT(test_a_second_process_is_refused_and_changes_nothing, 30),
	WR_TEST(test_a_folder_that_cannot_be_one_is_refused_with_a_remedy),
	WR_TEST(test_nobody_else_may_look_into_the_folder),
	WR_TEST(test_old_backends_are_told_of_memory),
	WR_TEST_END,
};
