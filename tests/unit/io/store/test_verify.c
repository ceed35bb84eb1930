/*
 * What is said of a log by looking at it. Logs are made by hand (open_kit), damaged in one place
 * each and looked at: nothing is changed, everything that was changed is found, and what is said
 * goes with what a start makes of it.
 */
#include "io/store/verify.h"

#include "check.h"
#include "harness/harness.h"
#include "open_kit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES_MAX = 32 };

/* What was told. */
static struct {
	struct wr_verify_file list[FILES_MAX];
	char names[FILES_MAX][48];
	unsigned count;
	char story[4096];
	size_t story_bytes;
	unsigned parts;
	enum wr_status event_status;
	uint64_t bad_event;
} told;

static struct wr_verify_result result;
static struct wr_fs_error error;

static void on_file(void *context, const struct wr_verify_file *file)
{
	(void)context;
	CHECK(told.count < FILES_MAX);
	snprintf(told.names[told.count], sizeof told.names[0], "%s", file->name);
	told.list[told.count++] = *file;
}

static enum wr_status on_event(void *context, const struct wr_store_record *record)
{
	(void)context;
	told.story_bytes += (size_t)snprintf(
		told.story + told.story_bytes, sizeof told.story - told.story_bytes,
		"%llu.%u#%u:%.*s ", (unsigned long long)record->sequence, (unsigned)record->worker,
		(unsigned)record->item, (int)record->payload.bytes, record->payload.data);
	return record->sequence == told.bad_event ? told.event_status : WR_OK;
}

static void on_part(void *context, struct wr_view part)
{
	(void)context;
	CHECK_STRING(part, "part");
	told.parts++;
}

static enum wr_status try_look(struct wr_sim_disk *sim)
{
	const struct wr_verify_visitor visitor = {
		.file = on_file, .event = on_event, .part = on_part};
	struct wr_disk disk = wr_sim_disk_port(sim);
	size_t open_count = wr_sim_disk_open_count(sim);
	enum wr_status status;

	told.count = told.parts = 0;
	told.story_bytes = 0;
	told.story[0] = '\0';
	status = wr_verify_run(&result, wr_test_allocator(), &disk, &visitor, &error);
	CHECK_U64(wr_sim_disk_open_count(sim), open_count);
	CHECK_STATUS(error.status, status);
	return status;
}

/* Looks; and nothing is changed by it. */
static void look(struct wr_sim_disk *sim)
{
	struct wr_sim_disk *before = wr_sim_disk_copy(sim);

	CHECK_STATUS(try_look(sim), WR_OK);
	CHECK(wr_sim_disk_is_equal(sim, before));
	wr_sim_disk_free(before);
}

static const struct wr_verify_file *file_of(const char *name)
{
	for (unsigned i = 0; i < told.count; i++)
		if (strcmp(told.names[i], name) == 0)
			return &told.list[i];
	return NULL;
}

static const struct wr_verify_file *check_file(const char *name, enum wr_verify_state state)
{
	static const struct wr_verify_file none;
	const struct wr_verify_file *file = file_of(name);

	wr_test_case(name);
	CHECK(file != NULL);
	CHECK_U64(file->state, state);
	return file != NULL ? file : &none;
}

/* Three segments, the last one with a checkpoint at its head; indexes; a prepared one. */
static struct wr_kit *make_log(enum wr_kit_end end)
{
	static struct wr_kit_outcome out;
	struct wr_kit *kit = wr_kit_new();

	wr_kit_begin(kit, 1, 0);
	wr_kit_event(kit, 0, "a");
	wr_kit_item(kit, 2, "b");
	wr_kit_end(kit);
	wr_kit_begin(kit, 2, 0);
	wr_kit_event(kit, 1, "c");
	wr_kit_end(kit);
	wr_kit_begin(kit, 3, WR_SEGMENT_CHECKPOINT);
	wr_kit_checkpoint(kit, "part");
	wr_kit_item(kit, 2, "d");
	wr_kit_end(kit);
	wr_kit_prepared(kit, 4);
	wr_kit_mark(kit);
	wr_kit_open(kit->sim, &out, end);
	CHECK_STATUS(out.status, WR_OK);
	return kit;
}

static const char all[] = "1.0#0:a 2.2#1:b 3.1#0:c 4.2#2:d ";

static void test_a_sound_log_is_told_whole_and_left_alone(void)
{
	struct wr_kit *kit = make_log(WR_KIT_CLOSE);
	const struct wr_verify_file *file;

	wr_sim_disk_put(kit->sim, "lock", WR_VIEW(""));
	wr_sim_disk_put(kit->sim, "torn-00000000000000000001", WR_VIEW("x"));
	wr_sim_disk_put(kit->sim, "00000000000000000009.log.tmp.00112233", WR_VIEW("x"));
	wr_sim_disk_put(kit->sim, wr_kit_index(7), WR_VIEW("x"));
	look(kit->sim);
	CHECK_STRING(wr_view_of(told.story, told.story_bytes), all);
	CHECK_U64(told.parts, 1);
	CHECK_U64(result.state, WR_VERIFY_SOUND);
	CHECK(result.is_clean && !result.is_merged && result.what == NULL);
	CHECK_U64(result.event_count, 4);
	CHECK_U64(result.segment_count, 3);
	CHECK_U64(result.last_sequence, 4);
	CHECK_U64(result.bad_count, 0);
	CHECK(memcmp(result.log_id, kit->id, sizeof result.log_id) == 0);
	file = check_file(wr_kit_log(1), WR_VERIFY_SOUND);
	CHECK_U64(file->event_count, 2);
	CHECK_U64(file->first_sequence, 1);
	CHECK_U64(file->last_sequence, 2);
	check_file(wr_kit_log(2), WR_VERIFY_SOUND);
	CHECK_U64(check_file(wr_kit_log(3), WR_VERIFY_SOUND)->checkpoint_count, 1);
	check_file(wr_kit_log(4), WR_VERIFY_PREPARED);
	check_file(wr_kit_index(1), WR_VERIFY_SOUND);
	check_file(wr_kit_index(2), WR_VERIFY_SOUND);
	check_file(wr_kit_index(7), WR_VERIFY_SPARE);
	check_file("clean", WR_VERIFY_SOUND);
	check_file("lock", WR_VERIFY_FOREIGN);
	check_file("torn-00000000000000000001", WR_VERIFY_FOREIGN);
	check_file("00000000000000000009.log.tmp.00112233", WR_VERIFY_SPARE);
	wr_kit_free(kit);
}

static void test_a_log_that_was_left_in_haste_is_sound(void)
{
	struct wr_kit *kit = make_log(WR_KIT_KILL);

	look(kit->sim);
	CHECK_STRING(wr_view_of(told.story, told.story_bytes), all);
	CHECK_U64(result.state, WR_VERIFY_SOUND);
	CHECK(!result.is_clean);
	wr_kit_free(kit);
}

static void test_what_the_next_start_cuts_off_is_torn(void)
{
	static struct wr_kit_outcome out;
	struct wr_kit *kit = make_log(WR_KIT_KILL);
	struct wr_view content;
	uint64_t offset;

	/* Behind its last record the last segment has a page of something. */
	look(kit->sim);
	CHECK(wr_sim_disk_file(kit->sim, wr_kit_log(3), &content));
	wr_kit_fill(kit->sim, wr_kit_log(3), content.bytes - 64, 8, 'x');
	look(kit->sim);
	CHECK_U64(result.state, WR_VERIFY_TORN);
	CHECK_U64(result.bad_count, 0);
	offset = check_file(wr_kit_log(3), WR_VERIFY_TORN)->offset;
	CHECK_STRING(wr_view_of(told.story, told.story_bytes), all);
	wr_kit_open(kit->sim, &out, WR_KIT_KILL);
	CHECK(out.info.recovery.is_torn);
	CHECK_U64(out.info.recovery.offset, offset);
	look(kit->sim);
	CHECK_U64(result.state, WR_VERIFY_SOUND);
	wr_kit_free(kit);
}

/* Every byte of every file is spoken for. */
static void test_every_flipped_byte_is_found(void)
{
	static struct wr_kit_outcome out;
	const char *const names[] = {wr_kit_log(1),   wr_kit_log(2),   wr_kit_log(3), wr_kit_log(4),
				     wr_kit_index(1), wr_kit_index(2), "clean"};
	char name[48];

	for (unsigned is_killed = 0; is_killed < 2; is_killed++) {
		struct wr_kit *kit = make_log(is_killed ? WR_KIT_KILL : WR_KIT_CLOSE);

		for (size_t n = 0; n < WR_COUNT(names); n++) {
			struct wr_view content;

			snprintf(name, sizeof name, "%s", names[n]);
			if (!wr_sim_disk_file(kit->sim, name, &content))
				continue; /* the mark of one that was killed */
			for (size_t at = 0; at < content.bytes; at++) {
				struct wr_sim_disk *copy = wr_sim_disk_copy(kit->sim);
				enum wr_status status;
				const struct wr_verify_file *file;

				wr_kit_flip(copy, name, at, (unsigned char)(1u << at % 8));
				status = try_look(copy);
				wr_test_case(name);
				file = file_of(name);
				if (status == WR_OK) {
					CHECK(file == NULL || (file->state != WR_VERIFY_SOUND &&
							       file->state != WR_VERIFY_PREPARED));
					CHECK(result.bad_count <= 2); /* and the mark */
				} else {
					CHECK(status == WR_UNSUPPORTED || status == WR_CORRUPT);
				}
				if (at % 13 == 0) {
					/* A start may find less, as it does not look at all of
					 * it; but never more. */
					wr_kit_open(copy, &out, WR_KIT_KILL);
					if (status == WR_OK && out.status == WR_OK &&
					    result.state == WR_VERIFY_SOUND)
						CHECK(!out.info.recovery.is_torn &&
						      !out.info.recovery.is_damaged);
					if (out.status != WR_OK && status == WR_OK)
						CHECK_U64(result.state, WR_VERIFY_DAMAGED);
				}
				wr_sim_disk_free(copy);
			}
		}
		wr_kit_free(kit);
	}
}

static void test_missing_files_are_named(void)
{
	for (uint64_t n = 1; n <= 3; n++) {
		struct wr_kit *kit = make_log(WR_KIT_CLOSE);

		CHECK(wr_sim_disk_remove(kit->sim, wr_kit_log(n)));
		look(kit->sim);
		CHECK_U64(result.state, WR_VERIFY_DAMAGED);
		if (n < 3) {
			check_file(wr_kit_log(n), WR_VERIFY_MISSING);
			check_file(wr_kit_log(3), WR_VERIFY_SOUND);
		}
		wr_kit_free(kit);
	}
}

static void test_where_there_is_no_log_is_said(void)
{
	struct wr_kit *kit = wr_kit_new();

	look(kit->sim);
	CHECK_U64(result.state, WR_VERIFY_MISSING);
	CHECK(result.what == NULL);
	wr_sim_disk_put(kit->sim, "clean", WR_VIEW("x"));
	look(kit->sim);
	CHECK_U64(result.state, WR_VERIFY_MISSING);
	CHECK(result.what != NULL);
	wr_sim_disk_put(kit->sim, wr_kit_log(1), WR_VIEW("nothing that was ever a segment"));
	CHECK_STATUS(try_look(kit->sim), WR_CORRUPT);
	CHECK_STRING(wr_view_of_string(error.file), wr_kit_log(1));
	wr_kit_free(kit);
}

static void test_events_that_are_none_are_damage(void)
{
	static const enum wr_status statuses[] = {WR_CORRUPT, WR_UNSUPPORTED};

	for (size_t i = 0; i < WR_COUNT(statuses); i++) {
		struct wr_kit *kit = make_log(WR_KIT_CLOSE);

		told.bad_event = 3;
		told.event_status = statuses[i];
		look(kit->sim);
		CHECK_U64(result.state, WR_VERIFY_DAMAGED);
		check_file(wr_kit_log(2), WR_VERIFY_DAMAGED);
		CHECK_STRING(wr_view_of(told.story, told.story_bytes), all);
		wr_kit_free(kit);
	}
}

static void test_whoever_listens_can_end_it(void)
{
	struct wr_kit *kit = make_log(WR_KIT_CLOSE);

	told.bad_event = 2;
	told.event_status = WR_CLOSED;
	CHECK_STATUS(try_look(kit->sim), WR_CLOSED);
	CHECK_STRING(wr_view_of(told.story, told.story_bytes), "1.0#0:a 2.2#1:b ");
	wr_kit_free(kit);
}

static void test_a_lack_of_memory_is_told_and_leaves_nothing(void)
{
	struct wr_kit *kit = make_log(WR_KIT_CLOSE);

	for (uint64_t n = 1;; n++) {
		enum wr_status status;

		wr_test_fail_allocation(n, false);
		status = try_look(kit->sim);
		if (!wr_test_allocation_failed()) {
			CHECK_STATUS(status, WR_OK);
			break;
		}
		CHECK_STATUS(status, WR_NO_MEMORY);
	}
	wr_test_fail_allocation(0, false);
	wr_kit_free(kit);
}

static void test_a_disk_that_cannot_be_read_is_told(void)
{
	struct wr_kit *kit = make_log(WR_KIT_CLOSE);

	for (unsigned call = 0; call < WR_SIM_CALLS; call++) {
		for (uint64_t n = 1;; n++) {
			enum wr_status status;

			wr_sim_disk_fail(kit->sim, 1u << call, n, EIO, false);
			status = try_look(kit->sim);
			if (wr_sim_disk_failed_count(kit->sim) == 0) {
				CHECK_STATUS(status, WR_OK);
				break;
			}
			CHECK_STATUS(status, WR_IO);
			CHECK_U64((uint64_t)error.os_error, EIO);
		}
		wr_sim_disk_fail(kit->sim, 0, 0, 0, false);
	}
	wr_kit_free(kit);
}

/* ---- who listens ---- */

static struct {
	unsigned begun, progress;
	enum wr_status status;
} heard;

static enum wr_status on_begin(void *context, const struct wr_verify_result *so_far)
{
	(void)context;
	CHECK(so_far->bytes != 0);
	heard.begun++;
	return heard.status;
}

static void on_progress(void *context, uint64_t done, uint64_t of)
{
	(void)context;
	CHECK(done <= of);
	heard.progress++;
}

static enum wr_status run_with(struct wr_sim_disk *sim, const struct wr_verify_visitor *visitor)
{
	struct wr_disk disk = wr_sim_disk_port(sim);

	heard.begun = heard.progress = 0;
	return wr_verify_run(&result, wr_test_allocator(), &disk, visitor, &error);
}

static void test_nobody_has_to_listen(void)
{
	const struct wr_verify_visitor nobody = {.file = NULL};
	const struct wr_verify_visitor files = {.file = on_file};
	struct wr_kit *kit = make_log(WR_KIT_CLOSE);

	CHECK_STATUS(run_with(kit->sim, &nobody), WR_OK);
	CHECK_U64(result.state, WR_VERIFY_SOUND);
	CHECK_U64(result.last_sequence, 4);
	told.count = 0;
	CHECK_STATUS(run_with(kit->sim, &files), WR_OK);
	CHECK(told.count > 3);
	wr_kit_free(kit);
}

static void test_the_beginning_is_told_and_may_be_the_end(void)
{
	const struct wr_verify_visitor visitor = {.begin = on_begin, .progress = on_progress};
	struct wr_kit *kit = make_log(WR_KIT_CLOSE);

	CHECK_STATUS(run_with(kit->sim, &visitor), WR_OK);
	CHECK(heard.begun == 1 && heard.progress > 0);
	heard.status = WR_CLOSED;
	CHECK_STATUS(run_with(kit->sim, &visitor), WR_CLOSED);
	CHECK_STATUS(error.status, WR_CLOSED);
	CHECK(heard.begun == 1 && heard.progress == 0);
	wr_kit_free(kit);
}

static void test_a_checkpoint_without_an_end_is_told(void)
{
	struct wr_kit *kit = wr_kit_new();

	wr_kit_begin(kit, 1, 0);
	wr_kit_event(kit, 1, "a");
	wr_kit_end(kit);
	wr_kit_begin(kit, 2, WR_SEGMENT_CHECKPOINT);
	wr_kit_checkpoint(kit, NULL);
	wr_kit_end(kit);
	wr_kit_begin(kit, 3, 0);
	wr_kit_event(kit, 1, "b");
	wr_kit_end(kit);
	look(kit->sim);
	CHECK_STRING(wr_view_of_string(check_file(wr_kit_log(2), WR_VERIFY_SOUND)->what),
		     "its checkpoint has no end");
	wr_kit_free(kit);
}

/* ---- headers that lie ---- */

static struct wr_kit *make_lying(uint64_t number, int by)
{
	struct wr_kit *kit = wr_kit_new();

	for (uint64_t i = 1; i <= 3; i++) {
		wr_kit_begin(kit, i, 0);
		if (i == number)
			kit->header.first_sequence += (uint64_t)by;
		wr_kit_event(kit, 1, "a");
		wr_kit_event(kit, 1, "b");
		wr_kit_end(kit);
	}
	return kit;
}

/* Checksum and all are right, and what it says is not. */
static void test_a_header_that_names_another_first_event_is_damage(void)
{
	static const struct {
		uint64_t number;
		int by;
	} cases[] = {{1, 3}, {2, -1}, {2, 1}, {2, 3}, {3, -1}, {3, 3}, {3, 1000}};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_kit *kit = make_lying(cases[i].number, cases[i].by);

		look(kit->sim);
		CHECK(result.state == WR_VERIFY_DAMAGED);
		CHECK_STRING(
			wr_view_of_string(
				check_file(wr_kit_log(cases[i].number), WR_VERIFY_DAMAGED)->what),
			"its header names another first event");
		wr_kit_free(kit);
	}
}

/* ---- whether somebody writes it ---- */

static void test_a_log_is_in_use_while_another_has_its_lock(void)
{
	char folder[] = "/tmp/wr-verify-XXXXXX", lock[64], too_long[8192];
	struct wr_posix_disk posix;
	struct wr_disk disk;
	int os_error;

	wr_test_make_folder(folder);
	snprintf(lock, sizeof lock, "%s/lock", folder);
	CHECK(!wr_verify_is_in_use(folder)); /* there is no lock */
	CHECK(wr_posix_disk_open(&posix, folder, false, &os_error));
	disk = wr_posix_disk_port(&posix);
	CHECK(disk.ops->lock(disk.context) == 0);
	CHECK(wr_verify_is_in_use(folder));
	wr_posix_disk_close(&posix);
	CHECK(!wr_verify_is_in_use(folder));
	memset(too_long, 'x', sizeof too_long);
	too_long[sizeof too_long - 1] = '\0';
	CHECK(!wr_verify_is_in_use(too_long));
	CHECK(unlink(lock) == 0 && rmdir(folder) == 0);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_sound_log_is_told_whole_and_left_alone),
	WR_TEST(test_a_log_that_was_left_in_haste_is_sound),
	WR_TEST(test_what_the_next_start_cuts_off_is_torn),
	WR_TEST_LIMIT(test_every_flipped_byte_is_found, 120),
	WR_TEST(test_missing_files_are_named),
	WR_TEST(test_where_there_is_no_log_is_said),
	WR_TEST(test_events_that_are_none_are_damage),
	WR_TEST(test_whoever_listens_can_end_it),
	WR_TEST(test_a_lack_of_memory_is_told_and_leaves_nothing),
	WR_TEST(test_a_disk_that_cannot_be_read_is_told),
	WR_TEST(test_nobody_has_to_listen),
	WR_TEST(test_the_beginning_is_told_and_may_be_the_end),
	WR_TEST(test_a_checkpoint_without_an_end_is_told),
	WR_TEST(test_a_header_that_names_another_first_event_is_damage),
	WR_TEST(test_a_log_is_in_use_while_another_has_its_lock),
	WR_TEST_END,
};
