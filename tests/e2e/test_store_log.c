/* Goal: `log verify` and `log dump` tell the truth about a log on disk, and leave it alone, also
 * beside the process that has it. Method: logs made by the real program, ended, killed or running,
 * and damaged by hand. */
#include "e2e/store_folder.h"

#include <fcntl.h>
#include <poll.h>

static struct wr_process run;

static int verify(void)
{
	return wr_process_run(&run, WR_ARGUMENTS("log", "verify", folder), NULL);
}

static bool says(const char *text)
{
	return strstr(run.out, text) != NULL;
}

static bool tells(const char *text)
{
	return strstr(run.err, text) != NULL;
}

/* Two Workers, five inputs, an end: nine events. */
static void make_log(void)
{
	char id[WR_CLIENT_ID_BYTES];

	make_folder();
	start();
	wr_client_create_worker(&client, id);
	post("/v1/workers",
	     "{\"worker_id\":\"w/\\u00e9\",\"intent\":{\"kind\":\"task\",\"objective\":"
	     "\"o\"},\"profile\":{\"kind\":\"runtime_default\"}}");
	CHECK_U64(answer.status, 400);
	post("/v1/workers", "{\"worker_id\":\"chosen\",\"intent\":{\"kind\":\"task\",\"objective\":"
			    "\"o \\\"x\\\"\"},\"profile\":{\"kind\":\"runtime_default\"},"
			    "\"config_bundle\":{\"id\":\"b\"}}");
	CHECK_U64(answer.status, 201);
	for (unsigned i = 0; i < 4; i++) {
		char text[32];
		snprintf(text, sizeof text, "text %u", i);
		wr_client_input(&client, i % 2 == 0 ? "chosen" : id, text);
	}
	wr_client_ask(&client, &answer, "POST", "/v1/workers/chosen/input",
		      "Content-Type: application/json\r\nIdempotency-Key: k\r\n",
		      "{\"kind\":\"system\",\"content\":\"line\\none\"}");
	CHECK_U64(answer.status, 200);
	post("/v1/workers/chosen/stop", "{\"reason\":\"enough\"}");
	CHECK_U64(answer.status, 200);
}

enum { EVENTS = 9 };

/* ---- what is in the folder ---- */

struct content {
	uint64_t hash, count;
};

/* Names, bytes and times of all files but the lock. */
static struct content look_at_files(void)
{
	struct content seen = {0};
	DIR *dir = opendir(folder);

	CHECK(dir != NULL);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		struct stat info;
		struct wr_view bytes;
		uint64_t hash = 14695981039346656037u;

		if (entry->d_name[0] == '.')
			continue;
		CHECK(stat(path_of(entry->d_name), &info) == 0);
		bytes = wr_test_read_file(path_of(entry->d_name));
		for (size_t i = 0; i < bytes.bytes; i++)
			hash = (hash ^ (unsigned char)bytes.data[i]) * 1099511628211u;
		for (const char *at = entry->d_name; *at != '\0'; at++)
			hash = (hash ^ (unsigned char)*at) * 1099511628211u;
		seen.hash += hash ^ (uint64_t)info.st_mtim.tv_nsec ^ (uint64_t)info.st_ino;
		seen.count++;
	}
	closedir(dir);
	return seen;
}

static void check_untouched(struct content before)
{
	struct content now = look_at_files();

	CHECK_U64(now.count, before.count);
	CHECK_U64(now.hash, before.hash);
}

static void test_a_log_that_was_ended_or_killed_is_sound(void)
{
	struct content before;

	make_log();
	stop();
	before = look_at_files();
	CHECK_U64((uint64_t)verify(), 0);
	CHECK(says("00000000000000000001.log: sound; records 9, events 9 (1 to 9)\n"));
	CHECK(says("00000000000000000002.log: prepared\n"));
	CHECK(says("clean: sound\n"));
	CHECK(says("sound; segments 1, records 9, events 9, last sequence 9, generation 1; "
		   "ended in good order\n"));
	CHECK_U64(run.err_bytes, 0);
	check_untouched(before);
	start();
	kill_it();
	before = look_at_files();
	CHECK_U64((uint64_t)verify(), 0);
	CHECK(says("; not ended in good order\n"));
	CHECK(!says("clean:"));
	check_untouched(before);
	remove_folder();
}

/* Its second file is made beside its work, and gets its name last. */
static void wait_until_prepared(void)
{
	uint64_t end = wr_process_now_ms() + WR_PROCESS_WAIT_MS;

	while (access(path_of("00000000000000000002.log"), F_OK) != 0) {
		CHECK(wr_process_now_ms() < end);
		poll(NULL, 0, 2);
	}
}

static void test_a_running_process_is_not_disturbed(void)
{
	struct content before;

	make_log();
	wait_until_prepared();
	before = look_at_files();
	CHECK_U64((uint64_t)verify(), 0);
	CHECK(says("events 9 (1 to 9)\n") && says("; in use\n"));
	CHECK(tells("a process has this log"));
	check_untouched(before);
	CHECK_U64((uint64_t)wr_process_run(&run, WR_ARGUMENTS("log", "dump", folder), NULL), 0);
	CHECK(says("{\"sequence\":9,"));
	check_untouched(before);
	/* It has its lock, and goes on. */
	post("/v1/workers", CREATE_BODY);
	CHECK_U64(answer.status, 201);
	stop();
	remove_folder();
}

/* ---- dump ---- */

static void dump(const char *const *arguments)
{
	CHECK_U64((uint64_t)wr_process_run(&run, arguments, NULL), 0);
	CHECK_U64(run.err_bytes, 0);
}

/* The n-th line, from 0; absent behind the last. */
static struct wr_view line_of(unsigned n)
{
	const char *at = run.out, *end;

	for (; n > 0 && at != NULL; n--) {
		at = strchr(at, '\n');
		at = at == NULL ? NULL : at + 1;
	}
	end = at == NULL ? NULL : strchr(at, '\n');
	return end == NULL ? WR_VIEW_NULL : wr_view_of(at, (size_t)(end - at));
}

static void check_line(unsigned n, const char *path, const char *expected)
{
	CHECK(line_of(n).data != NULL);
	CHECK_STRING(wr_json_find(line_of(n), path), expected);
}

static void test_a_dump_has_every_event_in_order(void)
{
	make_log();
	stop();
	dump(WR_ARGUMENTS("log", "dump", folder));
	for (unsigned i = 0; i < EVENTS; i++) {
		CHECK_U64(wr_json_find_u64(line_of(i), "sequence"), i + 1);
		CHECK(wr_json_find_u64(line_of(i), "time") > 1600000000000);
	}
	CHECK(line_of(EVENTS).data == NULL);
	check_line(0, "kind", "runtime_started");
	check_line(0, "worker", "null");
	check_line(1, "kind", "worker_created");
	check_line(1, "worker", "worker-00000001");
	check_line(1, "intent.kind", "assistant");
	check_line(2, "worker", "chosen");
	check_line(2, "intent.objective", "o \\\"x\\\"");
	check_line(2, "config_bundle.id", "b");
	check_line(3, "kind", "worker_input_accepted");
	check_line(3, "worker", "chosen");
	check_line(3, "transcript_sequence", "1");
	check_line(3, "input.content", "text 0");
	check_line(4, "worker", "worker-00000001");
	CHECK(wr_json_find(line_of(4), "key").data == NULL);
	check_line(7, "input.kind", "system");
	check_line(7, "input.content", "line\\none");
	CHECK_U64(wr_json_find(line_of(7), "key").bytes, 32);
	check_line(8, "kind", "worker_stopped");
	check_line(8, "reason", "enough");
	remove_folder();
}

static void test_a_dump_can_be_of_one_worker_and_from_a_sequence_on(void)
{
	make_log();
	stop();
	dump(WR_ARGUMENTS("log", "dump", folder, "--worker", "worker-00000001"));
	check_line(0, "sequence", "2");
	check_line(1, "sequence", "5");
	check_line(2, "sequence", "7");
	CHECK(line_of(3).data == NULL);
	dump(WR_ARGUMENTS("log", "dump", "--worker=chosen", "--from=8", folder));
	check_line(0, "sequence", "8");
	check_line(1, "sequence", "9");
	CHECK(line_of(2).data == NULL);
	dump(WR_ARGUMENTS("log", "dump", folder, "--from", "10"));
	CHECK_U64(run.out_bytes, 0);
	CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("log", "dump", folder, "--worker", "nobody"),
				 NULL),
		  0);
	CHECK(strstr(run.err, "no such event of a Worker of that id") != NULL);
	CHECK_U64(run.out_bytes, 0);
	remove_folder();
}

/* Ids are known of Workers whose creation stands before what is asked for. */
static void test_a_dump_knows_workers_of_lives_before(void)
{
	make_log();
	stop();
	start();
	wr_client_input(&client, "worker-00000001", "later");
	kill_it();
	start();
	wr_client_input(&client, "worker-00000001", "much later");
	stop();
	dump(WR_ARGUMENTS("log", "dump", folder, "--from", "10"));
	check_line(0, "worker", "worker-00000001");
	check_line(0, "input.content", "later");
	check_line(1, "input.content", "much later");
	CHECK(line_of(2).data == NULL);
	remove_folder();
}

/* Nor of those whose creation was given up when the disk's share was used up: a checkpoint has
 * them. Files come and go meanwhile. */
static void test_a_merged_log_is_sound_and_its_workers_are_known(void)
{
	static const char front[] = "{\"kind\":\"user\",\"content\":\"";
	static char body[900000];
	char id[WR_CLIENT_ID_BYTES];

	memset(body, 'x', sizeof body);
	memcpy(body, front, sizeof front - 1);
	memcpy(body + sizeof body - 3, "\"}", 3);
	make_folder();
	start_with("--fs-bytes", "20M");
	wr_client_create_worker(&client, id);
	for (unsigned i = 0; i < 30;) {
		wr_client_post(&client, &answer, body, "/v1/workers/%s/input", id);
		if (answer.status == 200)
			i++;
		else
			CHECK(answer.status == 503 || answer.status == 507);
		if (i % 10 == 5)
			CHECK_U64((uint64_t)verify(), 0);
	}
	wr_client_input(&client, id, "the last one");
	CHECK_U64((uint64_t)verify(), 0);
	stop();
	CHECK_U64((uint64_t)verify(), 0);
	CHECK(says("; ended in good order\n"));
	CHECK(!says("events 33, last")); /* some were given up */
	dump(WR_ARGUMENTS("log", "dump", folder, "--worker", id, "--from", "33"));
	check_line(0, "sequence", "33");
	check_line(0, "worker", id);
	check_line(0, "input.content", "the last one");
	remove_folder();
}

/* ---- damage ---- */

static void change(const char *name, off_t at, const char *bytes, size_t count)
{
	int fd = open(path_of(name), O_WRONLY);

	CHECK(fd >= 0);
	CHECK(pwrite(fd, bytes, count, at) == (ssize_t)count);
	close(fd);
}

static void test_damage_is_named_and_ends_with_1(void)
{
	static const struct {
		const char *label, *file;
		long at;
		const char *says;
		bool is_readable; /* by a dump, which leaves it out */
	} cases[] = {
		{"a header of a segment", "00000000000000000001.log", 40,
		 "no segment has a sound header", false},
		{"a header of a record", "00000000000000000001.log", 100,
		 "00000000000000000001.log: damaged at byte 96: there is no record; records 8",
		 true},
		{"a payload", "00000000000000000001.log", 160,
		 "00000000000000000001.log: damaged at byte 96: a record is damaged; records 8",
		 true},
		{"the mark", "clean", 20, "clean: damaged: it counts as absent\n", true},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct content before;
		char byte;

		wr_test_case(cases[i].label);
		make_log();
		stop();
		byte = (char)~wr_test_read_file(path_of(cases[i].file)).data[cases[i].at];
		change(cases[i].file, cases[i].at, &byte, 1);
		before = look_at_files();
		CHECK_U64((uint64_t)verify(), 1);
		CHECK(says(cases[i].says) || tells(cases[i].says));
		CHECK_U64((uint64_t)wr_process_run(&run, WR_ARGUMENTS("log", "dump", folder), NULL),
			  strcmp(cases[i].file, "clean") == 0 ? 0 : 1);
		CHECK(cases[i].is_readable ==
		      (run.out_bytes != 0 && says("\"reason\":\"enough\"")));
		check_untouched(before);
		remove_folder();
	}
}

static void test_a_torn_end_is_no_damage(void)
{
	make_log();
	kill_it();
	change("00000000000000000001.log", 4096, "half a page of nothing", 22);
	CHECK_U64((uint64_t)verify(), 0);
	CHECK(says("00000000000000000001.log: torn at byte ") && says("\ntorn; segments 1"));
	CHECK_U64((uint64_t)wr_process_run(&run, WR_ARGUMENTS("log", "dump", folder), NULL), 0);
	CHECK(says("{\"sequence\":9,"));
	start();
	get("/v1/runtime");
	check_member("runtime.store.recovery.result", "torn");
	check_member("runtime.store.recovery.file", "00000000000000000001.log");
	get("/v1/workers/chosen");
	check_member("worker.status", "stopped");
	stop();
	CHECK_U64((uint64_t)verify(), 0);
	CHECK(says("torn-") && says("not checked: a tail that was cut off\n"));
	remove_folder();
}

/* ---- what cannot be done ---- */

static void test_wrong_command_lines_end_with_2(void)
{
	static const char *const cases[][6] = {
		{"log"},
		{"log", "verify"},
		{"log", "dump"},
		{"log", "check", "/tmp"},
		{"log", "verify", "/tmp", "/tmp"},
		{"log", "verify", ""},
		{"log", "verify", "/tmp", "--from=1"},
		{"log", "verify", "--fs-root", "/tmp"},
		{"log", "dump", "/tmp", "--from"},
		{"log", "dump", "/tmp", "--from", "-1"},
		{"log", "dump", "/tmp", "--from", "1x"},
		{"log", "dump", "/tmp", "--from="},
		{"log", "dump", "/tmp", "--from", "18446744073709551616"},
		{"log", "dump", "/tmp", "--workers", "a"},
		{"log", "dump", "--worker", "a"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i][1] != NULL ? cases[i][1] : "log");
		CHECK_U64((uint64_t)wr_process_run(&run, cases[i], NULL), 2);
		CHECK_U64(run.out_bytes, 0);
		CHECK(tells("worker-runtime: it is `log verify DIR` or `log dump DIR"));
		CHECK(tells("\nusage: "));
	}
}

static void test_where_there_is_no_log_the_folder_is_named(void)
{
	static const char *const commands[] = {"verify", "dump"};
	char path[128];

	make_folder();
	for (size_t i = 0; i < WR_COUNT(commands); i++) {
		CHECK_U64((uint64_t)wr_process_run(&run, WR_ARGUMENTS("log", commands[i], folder),
						   NULL),
			  1);
		CHECK(tells(folder) && tells("there is no log in it"));
		CHECK_U64(look_at_files().count, 0);
		snprintf(path, sizeof path, "%s/not/there", folder);
		CHECK_U64((uint64_t)wr_process_run(&run, WR_ARGUMENTS("log", commands[i], path),
						   NULL),
			  1);
		CHECK(tells("the folder cannot be read: No such file"));
		CHECK_U64(look_at_files().count, 0);
		CHECK_U64((uint64_t)wr_process_run(
				  &run, WR_ARGUMENTS("log", commands[i], "/dev/null"), NULL),
			  1);
		CHECK(tells("/dev/null: the folder cannot be read"));
	}
	remove_folder();
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_a_log_that_was_ended_or_killed_is_sound, 30),
	WR_TEST_LIMIT(test_a_running_process_is_not_disturbed, 30),
	WR_TEST(test_a_dump_has_every_event_in_order),
	WR_TEST(test_a_dump_can_be_of_one_worker_and_from_a_sequence_on),
	WR_TEST_LIMIT(test_a_dump_knows_workers_of_lives_before, 30),
	WR_TEST_LIMIT(test_a_merged_log_is_sound_and_its_workers_are_known, 60),
	WR_TEST_LIMIT(test_damage_is_named_and_ends_with_1, 30),
	WR_TEST_LIMIT(test_a_torn_end_is_no_damage, 30),
	WR_TEST(test_wrong_command_lines_end_with_2),
	WR_TEST(test_where_there_is_no_log_the_folder_is_named),
	WR_TEST_END,
};
