/*
 * What an opening makes of a folder: logs are made by hand (open_kit), so that the writer is not
 * believed, damaged in one place each, opened, and opened again.
 */
#include "bytes/crc32c.h"
#include "bytes/endian.h"
#include "check.h"
#include "harness/harness.h"
#include "open_kit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct wr_kit_outcome first, second;

/* Two segments, four events; every record durable. */
static void make_plain(struct wr_kit *kit)
{
	wr_kit_begin(kit, 1, 0);
	wr_kit_event(kit, 1, "a");
	wr_kit_item(kit, 2, "b");
	wr_kit_end(kit);
	wr_kit_begin(kit, 2, 0);
	wr_kit_event(kit, 1, "c");
	wr_kit_item(kit, 2, "d");
	wr_kit_end(kit);
}

static const char plain[] = "1.1:a 2.2#1:b 3.1:c 4.2#2:d ";

static void check_story(const struct wr_kit_outcome *out, const char *expected)
{
	CHECK_STATUS(out->status, WR_OK);
	CHECK_STRING(wr_view_of(out->story, out->story_bytes), expected);
}

/* Opens, and once more after it was killed: the second says the same, and has nothing to repair. */
static void check_twice(struct wr_sim_disk *sim, const char *expected)
{
	wr_kit_open(sim, &first, WR_KIT_KILL);
	check_story(&first, expected);
	wr_kit_open(sim, &second, WR_KIT_CLOSE);
	check_story(&second, expected);
	CHECK(!second.info.recovery.is_torn);
	CHECK(second.info.recovery.is_damaged == first.info.recovery.is_damaged);
	CHECK(memcmp(first.log_id, second.log_id, sizeof first.log_id) == 0);
	CHECK_U64(second.info.head, first.info.head);
}

/* Refused with this status, and nothing was changed. */
static void check_refused(struct wr_sim_disk *sim, enum wr_status status, const char *file)
{
	struct wr_sim_disk *before = wr_sim_disk_copy(sim);

	wr_kit_open(sim, &first, WR_KIT_KILL);
	CHECK_STATUS(first.status, status);
	CHECK_STATUS(first.error.status, status);
	CHECK(first.error.what != NULL);
	CHECK_STRING(wr_view_of_string(first.error.file), file);
	CHECK_STRING(wr_view_of(first.story, first.story_bytes), "");
	CHECK(wr_sim_disk_is_equal(sim, before));
	wr_sim_disk_free(before);
}

/* ---- birth, life and death ---- */

static void test_an_empty_folder_becomes_a_log(void)
{
	struct wr_kit *kit = wr_kit_new();
	static const uint8_t zeros[WR_LOG_ID_BYTES];

	wr_kit_open(kit->sim, &first, WR_KIT_CLOSE);
	check_story(&first, "");
	CHECK(first.info.recovery.was_new && !first.info.recovery.is_torn);
	CHECK_U64(first.generation, 1);
	CHECK(memcmp(first.log_id, zeros, sizeof zeros) != 0);
	CHECK(wr_kit_has(kit->sim, wr_kit_log(1)) && wr_kit_has(kit->sim, "clean"));
	wr_kit_open(kit->sim, &second, WR_KIT_GO_ON);
	CHECK(!second.info.recovery.was_new && second.info.recovery.was_clean);
	CHECK_U64(second.generation, 1);
	CHECK(memcmp(first.log_id, second.log_id, sizeof zeros) == 0);
	wr_kit_open(kit->sim, &first, WR_KIT_CLOSE);
	check_story(&first, "1.1:more ");
	wr_kit_free(kit);
}

static void test_files_of_others_are_neither_read_nor_removed(void)
{
	static const char *const names[] = {
		"README",
		"1.log",
		"00000000000000000000.log",
		"0000000000000000001.log",
		"00000000000000000001.log.bak",
		"x.tmp.0011aabb",
		"clean.tmp.xyz",
		"lost+found",
		"00000000000000000001.log.tmp.0123456",
		"99999999999999999999.log",
	};
	struct wr_kit *kit = wr_kit_new();

	for (size_t i = 0; i < WR_COUNT(names); i++)
		wr_sim_disk_put(kit->sim, names[i], WR_VIEW("theirs"));
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	check_story(&first, "");
	CHECK(first.info.recovery.was_new);
	wr_kit_open(kit->sim, &first, WR_KIT_CLOSE);
	for (size_t i = 0; i < WR_COUNT(names); i++) {
		struct wr_view content;

		wr_test_case(names[i]);
		CHECK(wr_sim_disk_file(kit->sim, names[i], &content));
		CHECK_STRING(content, "theirs");
	}
	wr_kit_free(kit);
}

static void test_unfinished_files_are_removed(void)
{
	static const char *const names[] = {
		"00000000000000000003.log.tmp.00112233",
		"00000000000000000001.idx.tmp.aabbccdd",
		"clean.tmp.00000000",
		"torn-00000000000000000007.tmp.12345678",
		"00000000000000000009.idx",
	};
	struct wr_kit *kit = wr_kit_new();

	make_plain(kit);
	wr_kit_mark(kit);
	for (size_t i = 0; i < WR_COUNT(names); i++)
		wr_sim_disk_put(kit->sim, names[i], WR_VIEW("half of"));
	for (unsigned i = 0; i < 70; i++) { /* more than are removed at once */
		char name[40];

		snprintf(name, sizeof name, "clean.tmp.%08x", i);
		wr_sim_disk_put(kit->sim, name, WR_VIEW("half of"));
	}
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	check_story(&first, plain);
	for (size_t i = 0; i < WR_COUNT(names); i++)
		CHECK(!wr_kit_has(kit->sim, names[i]));
	CHECK(!wr_kit_has(kit->sim, "clean.tmp.00000045"));
	wr_kit_free(kit);
}

static void test_after_a_kill_the_last_segment_is_written_anew(void)
{
	struct wr_kit *kit = wr_kit_new();
	struct wr_view before, after;
	struct wr_sim_disk *old;

	make_plain(kit);
	old = wr_sim_disk_copy(kit->sim);
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	check_story(&first, plain);
	CHECK(!first.info.recovery.was_clean && !first.info.recovery.is_torn &&
	      !first.info.recovery.is_damaged);
	CHECK_U64(first.generation, 2);
	CHECK_U64(first.ends[1], 4);
	CHECK(wr_sim_disk_file(old, wr_kit_log(1), &before));
	CHECK(wr_sim_disk_file(kit->sim, wr_kit_log(1), &after));
	CHECK(wr_view_equal(before, after));
	CHECK(wr_sim_disk_file(old, wr_kit_log(2), &before));
	CHECK(wr_sim_disk_file(kit->sim, wr_kit_log(2), &after));
	CHECK(!wr_view_equal(before, after));
	CHECK_U64(after.bytes, WR_KIT_SEGMENT_BYTES);
	wr_kit_open(kit->sim, &second, WR_KIT_GO_ON);
	check_story(&second, plain);
	CHECK_U64(second.generation, 3);
	CHECK_U64(second.ends[1], 4);
	CHECK_U64(second.ends[2], 4);
	wr_kit_open(kit->sim, &second, WR_KIT_CLOSE);
	check_story(&second, "1.1:a 2.2#1:b 3.1:c 4.2#2:d 5.1:more ");
	CHECK_U64(second.generation, 3);
	CHECK_U64(second.ends[3], 0);
	wr_sim_disk_free(old);
	wr_kit_free(kit);
}

static void test_what_was_not_known_durable_is_written_anew_in_older_segments_too(void)
{
	struct wr_kit *kit = wr_kit_new();

	wr_kit_begin(kit, 1, 0);
	wr_kit_event(kit, 1, "a");
	wr_kit_event(kit, 1, "b");
	kit->durable = wr_kit_position(kit); /* the rest is one batch */
	wr_kit_event(kit, 2, "c");
	wr_kit_end(kit);
	wr_kit_begin(kit, 2, 0);
	wr_kit_event(kit, 2, "d");
	wr_kit_end(kit);
	wr_sim_disk_fail(kit->sim, WR_SIM_RENAME, 0, 0, false);
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	check_story(&first, "1.1:a 2.1:b 3.2:c 4.2:d ");
	/* And the index of the first. */
	CHECK_U64(wr_sim_disk_call_count(kit->sim, WR_SIM_RENAME), 3);
	/* Now it says that it is. */
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	check_story(&first, "1.1:a 2.1:b 3.2:c 4.2:d ");
	CHECK_U64(wr_sim_disk_call_count(kit->sim, WR_SIM_RENAME), 4);
	wr_kit_free(kit);
}

/* Writes what the kit has of this segment as a process does: into the page cache. */
static void write_unsynced(struct wr_kit *kit, uint64_t number, const char *bytes, size_t count,
			   uint64_t offset, bool sync_fails)
{
	struct wr_disk disk = wr_sim_disk_port(kit->sim);
	int handle = disk.ops->open(disk.context, wr_kit_log(number), WR_DISK_WRITE);
	size_t put = 0;

	CHECK(handle >= 0);
	CHECK(disk.ops->write(disk.context, handle, bytes, count, offset, &put) == 0);
	CHECK_U64(put, count);
	if (sync_fails) {
		wr_sim_disk_fail(kit->sim, WR_SIM_SYNC, 1, EIO, false);
		CHECK(disk.ops->sync(disk.context, handle) == -EIO);
		CHECK(disk.ops->sync(disk.context, handle) == 0); /* a lie */
	}
	disk.ops->close(disk.context, handle);
	wr_sim_disk_kill(kit->sim);
}

static void test_what_is_shown_after_a_kill_survives_a_power_failure(void)
{
	for (unsigned sync_fails = 0; sync_fails < 2; sync_fails++)
		for (unsigned over_two = 0; over_two < 2; over_two++) {
			struct wr_kit *kit = wr_kit_new();
			struct wr_sim_disk *left;

			make_plain(kit);
			kit->durable = wr_kit_position(kit);
			wr_kit_event(kit, 1, "e");
			write_unsynced(kit, 2, kit->bytes + kit->before, kit->used - kit->before,
				       kit->before, sync_fails != 0);
			if (over_two != 0) {
				wr_kit_prepared(kit, 3);
				wr_kit_begin(kit, 3, 0);
				wr_kit_event(kit, 1, "f");
				wr_segment_header_encode(kit->bytes, &kit->header);
				write_unsynced(kit, 3, kit->bytes, kit->used, 0, sync_fails != 0);
			}
			wr_kit_open(kit->sim, &first, WR_KIT_KILL);
			check_story(&first, over_two != 0
						    ? "1.1:a 2.2#1:b 3.1:c 4.2#2:d 5.1:e 6.1:f "
						    : "1.1:a 2.2#1:b 3.1:c 4.2#2:d 5.1:e ");
			for (uint64_t seed = 0; seed < 10; seed++) {
				left = wr_sim_disk_power_cut(
					kit->sim, seed == 0 ? WR_SIM_CUT_NONE : WR_SIM_CUT_RANDOM,
					seed);
				wr_kit_open(left, &second, WR_KIT_KILL);
				check_story(&second, first.story);
				wr_sim_disk_free(left);
			}
			wr_kit_free(kit);
		}
}

/* ---- the mark ---- */

static void test_after_a_clean_stop_nothing_is_written(void)
{
	struct wr_kit *kit = wr_kit_new();
	struct wr_sim_disk *before;

	make_plain(kit);
	before = wr_sim_disk_copy(kit->sim);
	wr_kit_mark(kit);
	wr_sim_disk_put(kit->sim, wr_kit_index(1), WR_VIEW("")); /* is made anew */
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	check_story(&first, plain);
	CHECK(first.info.recovery.was_clean);
	CHECK_U64(first.generation, 1);
	CHECK(wr_sim_disk_remove(kit->sim, wr_kit_index(1)));
	CHECK(wr_sim_disk_is_equal(kit->sim, before)); /* the mark is gone, too */
	wr_sim_disk_free(before);
	wr_kit_free(kit);
}

static void flip_mark(struct wr_kit *kit)
{
	wr_kit_flip(kit->sim, "clean", 33, 1);
}

static void shorten_mark(struct wr_kit *kit)
{
	wr_kit_cut(kit->sim, "clean", 63);
}

static void lengthen_mark(struct wr_kit *kit)
{
	char bytes[65] = {0};
	struct wr_view mark;

	CHECK(wr_sim_disk_file(kit->sim, "clean", &mark));
	memcpy(bytes, mark.data, mark.bytes);
	wr_sim_disk_put(kit->sim, "clean", wr_view_of(bytes, sizeof bytes));
}

static void empty_mark(struct wr_kit *kit)
{
	wr_kit_cut(kit->sim, "clean", 0);
}

static void change_identity(struct wr_kit *kit)
{
	kit->id[3] ^= 1;
	wr_kit_mark(kit);
	kit->id[3] ^= 1;
}

static void mark_before_the_end(struct wr_kit *kit)
{
	kit->used = kit->before;
	kit->sequence--;
	wr_kit_mark(kit);
}

static void mark_another_sequence(struct wr_kit *kit)
{
	kit->sequence--;
	wr_kit_mark(kit);
}

static void test_a_mark_that_is_not_right_counts_for_nothing(void)
{
	static const struct {
		const char *label;
		void (*change)(struct wr_kit *kit);
	} cases[] = {
		{"flipped", flip_mark},
		{"short", shorten_mark},
		{"long", lengthen_mark},
		{"empty", empty_mark},
		{"of another log", change_identity},
		{"the log goes on behind it", mark_before_the_end},
		{"another sequence", mark_another_sequence},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_kit *kit = wr_kit_new();

		wr_test_case(cases[i].label);
		make_plain(kit);
		wr_kit_mark(kit);
		cases[i].change(kit);
		wr_kit_open(kit->sim, &first, WR_KIT_KILL);
		check_story(&first, plain);
		CHECK(!first.info.recovery.was_clean && !first.info.recovery.is_damaged);
		CHECK_U64(first.generation, 2);
		CHECK(!wr_kit_has(kit->sim, "clean"));
		wr_kit_free(kit);
	}
}

static void test_an_end_before_the_mark_is_damage(void)
{
	struct wr_kit *kit = wr_kit_new();
	struct wr_view untouched, now;
	struct wr_sim_disk *old;

	make_plain(kit);
	wr_kit_mark(kit);
	wr_kit_fill(kit->sim, wr_kit_log(2), kit->before, 64, 0);
	old = wr_sim_disk_copy(kit->sim);
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	check_story(&first, "1.1:a 2.2#1:b 3.1:c ");
	CHECK(first.info.recovery.is_damaged && first.info.recovery.is_maybe_incomplete);
	CHECK(!first.info.recovery.is_torn && !first.info.recovery.was_clean);
	CHECK_U64(first.generation, 2);
	CHECK_U64(first.ends[1], 3);
	CHECK_STRING(wr_view_of_string(first.info.recovery.file), wr_kit_log(2));
	CHECK_U64(first.info.recovery.offset, kit->before);
	/* It stays as it was, and the log goes on in another file. */
	CHECK(wr_sim_disk_file(old, wr_kit_log(2), &untouched));
	CHECK(wr_sim_disk_file(kit->sim, wr_kit_log(2), &now));
	CHECK(wr_view_equal(untouched, now));
	CHECK(wr_kit_has(kit->sim, wr_kit_log(3)) && !wr_kit_has(kit->sim, "clean"));
	wr_kit_open(kit->sim, &second, WR_KIT_GO_ON);
	check_story(&second, "1.1:a 2.2#1:b 3.1:c ");
	wr_kit_open(kit->sim, &second, WR_KIT_CLOSE);
	check_story(&second, "1.1:a 2.2#1:b 3.1:c 4.1:more ");
	wr_sim_disk_free(old);
	wr_kit_free(kit);
}

static void test_an_end_before_the_mark_is_told_again_after_a_crash(void)
{
	struct wr_kit *kit = wr_kit_new();

	make_plain(kit);
	wr_kit_mark(kit);
	wr_kit_fill(kit->sim, wr_kit_log(2), kit->before, 64, 0);
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	/* As if the mark had not been removed yet. */
	wr_kit_mark(kit);
	wr_kit_open(kit->sim, &second, WR_KIT_KILL);
	check_story(&second, first.story);
	CHECK(second.info.recovery.is_damaged && second.info.recovery.is_maybe_incomplete);
	CHECK_STRING(wr_view_of_string(second.info.recovery.file), wr_kit_log(2));
	CHECK(!second.info.recovery.was_clean);
	wr_kit_free(kit);
}

/* ---- whose it is ---- */

static void make_newer(struct wr_sim_disk *sim, const char *name, uint32_t at)
{
	struct wr_view file;
	char *copy;

	CHECK(wr_sim_disk_file(sim, name, &file));
	copy = malloc(file.bytes);
	CHECK(copy != NULL);
	memcpy(copy, file.data, file.bytes);
	wr_store_le32(copy + 8, 2);
	wr_store_le32(copy + at, wr_crc32c(0, copy, at));
	wr_sim_disk_put(sim, name, wr_view_of(copy, file.bytes));
	free(copy);
}

static void test_a_newer_format_is_refused_and_nothing_touched(void)
{
	for (uint64_t number = 1; number <= 2; number++)
		for (unsigned with_mark = 0; with_mark < 2; with_mark++) {
			struct wr_kit *kit = wr_kit_new();

			make_plain(kit);
			if (with_mark != 0)
				wr_kit_mark(kit);
			wr_sim_disk_put(kit->sim, "clean.tmp.00000000", WR_VIEW("unfinished"));
			make_newer(kit->sim, wr_kit_log(number), 92);
			check_refused(kit->sim, WR_UNSUPPORTED, wr_kit_log(number));
			wr_kit_free(kit);
		}
}

static void test_a_newer_mark_and_a_newer_record_are_refused(void)
{
	struct wr_kit *kit = wr_kit_new();

	make_plain(kit);
	wr_kit_mark(kit);
	make_newer(kit->sim, "clean", 60);
	check_refused(kit->sim, WR_UNSUPPORTED, "clean");
	CHECK(wr_sim_disk_remove(kit->sim, "clean"));
	wr_kit_begin(kit, 3, 0);
	wr_kit_own(kit, (enum wr_record_kind)99, WR_VIEW("what is that"));
	wr_kit_event(kit, 1, "e");
	wr_kit_end(kit);
	check_refused(kit->sim, WR_UNSUPPORTED, wr_kit_log(3));
	/* Behind something torn, too. */
	wr_kit_flip(kit->sim, wr_kit_log(2), 96 + 20, 1);
	check_refused(kit->sim, WR_UNSUPPORTED, wr_kit_log(3));
	wr_kit_free(kit);
}

static void test_a_segment_of_another_log_is_refused(void)
{
	for (uint64_t number = 2; number <= 4; number++) {
		struct wr_kit *kit = wr_kit_new();

		make_plain(kit);
		kit->id[0] ^= 1;
		wr_kit_begin(kit, number, 0);
		wr_kit_event(kit, 1, "theirs");
		wr_kit_end(kit);
		check_refused(kit->sim, WR_CORRUPT, wr_kit_log(number));
		wr_kit_free(kit);
	}
}

/* ---- files that are missing, or too many ---- */

static void test_a_missing_file_is_damage_and_the_rest_goes_on(void)
{
	static const struct {
		const char *label;
		uint64_t missing;
		const char *story;
	} cases[] = {
		{"the second", 2, "1.1:a 2.2:b !1 6.2:f 7.3:g "},
		{"the third", 3, "1.1:a 2.2:b 3.1:c 4.1:d !2 7.3:g "},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_kit *kit = wr_kit_new();

		wr_test_case(cases[i].label);
		wr_kit_begin(kit, 1, 0);
		wr_kit_event(kit, 1, "a");
		wr_kit_event(kit, 2, "b");
		wr_kit_end(kit);
		wr_kit_begin(kit, 2, 0);
		wr_kit_event(kit, 1, "c");
		wr_kit_event(kit, 1, "d");
		wr_kit_end(kit);
		wr_kit_begin(kit, 3, 0);
		wr_kit_event(kit, cases[i].missing == 2 ? 1 : 2, "e");
		if (cases[i].missing == 3)
			wr_kit_event(kit, 2, "f");
		wr_kit_end(kit);
		wr_kit_begin(kit, 4, 0);
		if (cases[i].missing == 2)
			wr_kit_event(kit, 2, "f");
		if (cases[i].missing == 3)
			kit->places[2] = 3; /* what is missing of it shows here */
		wr_kit_event(kit, 3, "g");
		if (cases[i].missing == 3)
			wr_kit_event(kit, 2, "h");
		wr_kit_end(kit);
		CHECK(wr_sim_disk_remove(kit->sim, wr_kit_log(cases[i].missing)));
		wr_kit_open(kit->sim, &first, WR_KIT_KILL);
		CHECK_STATUS(first.status, WR_OK);
		CHECK(first.info.recovery.is_damaged && !first.info.recovery.is_torn);
		CHECK(first.info.recovery.is_maybe_incomplete);
		CHECK_STRING(wr_view_of_string(first.info.recovery.file),
			     wr_kit_log(cases[i].missing));
		CHECK_U64(first.info.recovery.quarantined_count, 1);
		check_twice(kit->sim, first.story);
		wr_kit_free(kit);
	}
}

static void test_without_the_first_file_only_a_checkpoint_helps(void)
{
	struct wr_kit *kit = wr_kit_new();

	make_plain(kit);
	CHECK(wr_sim_disk_remove(kit->sim, wr_kit_log(1)));
	check_refused(kit->sim, WR_CORRUPT, wr_kit_log(1));
	wr_kit_begin(kit, 3, WR_SEGMENT_CHECKPOINT);
	wr_kit_checkpoint(kit, "state");
	wr_kit_event(kit, 1, "e");
	wr_kit_event(kit, 1, "f");
	wr_kit_end(kit);
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	check_story(&first, "<state> 5.1:e 6.1:f ");
	CHECK(first.info.recovery.is_maybe_incomplete);
	wr_kit_free(kit);
}

static void test_a_folder_that_had_a_log_does_not_become_a_new_one(void)
{
	static const char *const remains[] = {"clean", "00000000000000000001.idx",
					      "torn-00000000000000000004"};

	for (size_t i = 0; i < WR_COUNT(remains); i++) {
		struct wr_kit *kit = wr_kit_new();

		wr_test_case(remains[i]);
		wr_sim_disk_put(kit->sim, remains[i], WR_VIEW("something"));
		check_refused(kit->sim, WR_CORRUPT, wr_kit_log(1));
		wr_kit_free(kit);
	}
}

static void test_the_last_file_missing_before_a_prepared_one_is_damage(void)
{
	struct wr_kit *kit = wr_kit_new();

	make_plain(kit);
	wr_kit_prepared(kit, 3);
	CHECK(wr_sim_disk_remove(kit->sim, wr_kit_log(2)));
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	check_story(&first, "1.1:a 2.2#1:b ");
	CHECK(first.info.recovery.is_damaged && first.info.recovery.is_maybe_incomplete);
	CHECK_STRING(wr_view_of_string(first.info.recovery.file), wr_kit_log(2));
	check_twice(kit->sim, "1.1:a 2.2#1:b ");
	wr_kit_free(kit);
}

/* 1 stands for 1 and 2; 2 was not yet removed. */
static void make_merged(struct wr_kit *kit)
{
	wr_kit_begin(kit, 1, 0);
	wr_kit_item(kit, 1, "a");
	wr_kit_event(kit, 1, "b");
	wr_kit_end(kit);
	wr_kit_begin(kit, 2, 0);
	wr_kit_item(kit, 1, "c");
	wr_kit_end(kit);
	wr_kit_begin(kit, 3, WR_SEGMENT_CHECKPOINT);
	wr_kit_checkpoint(kit, "state");
	wr_kit_event(kit, 2, "d");
	wr_kit_end(kit);
	wr_kit_begin(kit, 4, WR_SEGMENT_CHECKPOINT);
	wr_kit_checkpoint(kit, "later");
	wr_kit_event(kit, 2, "e");
	wr_kit_event(kit, 2, "f");
	wr_kit_end(kit);
	kit->sequence = 0;
	kit->items[1] = 0;
	kit->places[1] = 0;
	wr_kit_begin(kit, 1, WR_SEGMENT_COMPACTED);
	wr_kit_item(kit, 1, "a");
	kit->sequence = 2;
	kit->places[1] = 2;
	wr_kit_item(kit, 1, "c");
	kit->header.last_number = 2;
	kit->header.next_sequence = 4;
	kit->header.file_bytes = (uint32_t)kit->used;
	wr_kit_end(kit);
	wr_sim_disk_put(kit->sim, wr_kit_index(2), WR_VIEW("of before"));
}

/* The newest file has nothing yet but its header, which says what there was before it: that is
 * missing, and none of its sequences is given out again. */
static void test_what_only_a_header_tells_of_is_missing(void)
{
	for (unsigned i = 0; i < 4; i++) {
		struct wr_kit *kit = wr_kit_new();

		make_plain(kit);
		wr_kit_begin(kit, 3, 0);
		wr_kit_end(kit);
		if ((i & 1) != 0)
			wr_kit_mark(kit);
		if ((i & 2) != 0)
			wr_kit_prepared(kit, 4);
		CHECK(wr_sim_disk_remove(kit->sim, wr_kit_log(2)));
		wr_kit_open(kit->sim, &first, WR_KIT_GO_ON);
		check_story(&first, "1.1:a 2.2#1:b ");
		CHECK(first.info.recovery.is_damaged && first.info.recovery.is_maybe_incomplete);
		CHECK_STRING(wr_view_of_string(first.info.recovery.file), wr_kit_log(2));
		CHECK_U64(first.info.recovery.last_sequence, 4);
		check_twice(kit->sim, "1.1:a 2.2#1:b 5.1:more ");
		wr_kit_free(kit);
	}
}

/* A header of ours does not lie; one that does costs what comes behind it, and is told. */
static void test_a_header_that_names_another_first_event_is_damage(void)
{
	static const struct {
		uint64_t number;
		int by;
		const char *story;
	} cases[] = {
		{2, -1, "1.1:a 2.1:b 3.1:a 4.1:b 5.1:a 6.1:b "},
		{2, 1, "1.1:a 2.1:b !1 "},
		{3, -1, "1.1:a 2.1:b 3.1:a 4.1:b 5.1:a 6.1:b "},
		{3, 1, "1.1:a 2.1:b 3.1:a 4.1:b !1 "},
		{3, 3, "1.1:a 2.1:b 3.1:a 4.1:b "},
	};

	for (size_t i = 0; i < 2 * WR_COUNT(cases); i++) {
		struct wr_kit *kit = wr_kit_new();

		for (uint64_t number = 1; number <= 3; number++) {
			wr_kit_begin(kit, number, 0);
			if (number == cases[i / 2].number)
				kit->header.first_sequence += (uint64_t)cases[i / 2].by;
			wr_kit_event(kit, 1, "a");
			wr_kit_event(kit, 1, "b");
			wr_kit_end(kit);
		}
		if (i % 2 != 0)
			wr_kit_mark(kit);
		check_twice(kit->sim, cases[i / 2].story);
		CHECK(first.info.recovery.is_damaged);
		CHECK(first.info.head >= 6);
		wr_kit_free(kit);
	}
}

static void test_files_that_were_merged_into_another_are_removed(void)
{
	struct wr_kit *kit = wr_kit_new();

	make_merged(kit);
	check_twice(kit->sim, "<later> 5.2:e 6.2:f ");
	CHECK(!wr_kit_has(kit->sim, wr_kit_log(2)) && !wr_kit_has(kit->sim, wr_kit_index(2)));
	CHECK_U64(second.info.segment_count, 3);
	wr_kit_free(kit);
}

static void test_a_file_under_another_number_is_not_believed(void)
{
	struct wr_kit *kit = wr_kit_new();

	make_plain(kit);
	wr_kit_copy(kit->sim, wr_kit_log(1), wr_kit_log(3));
	check_twice(kit->sim, plain);
	CHECK(first.info.recovery.is_torn);
	CHECK_STRING(wr_view_of_string(first.info.recovery.file), wr_kit_log(3));
	CHECK(!wr_kit_has(kit->sim, wr_kit_log(3)));
	CHECK(wr_kit_has(kit->sim, "torn-00000000000000000004"));
	wr_kit_free(kit);
}

/* ---- a torn tail ---- */

/* Three durable events, and a batch of four that no sync covered; where each of these begins. */
static void make_batch(struct wr_kit *kit, uint64_t places[5])
{
	static const char *const texts[] = {"d", "e and more", "f", "g, the last one"};

	wr_kit_begin(kit, 1, 0);
	wr_kit_event(kit, 1, "a");
	wr_kit_event(kit, 2, "b");
	wr_kit_end(kit);
	wr_kit_begin(kit, 2, 0);
	wr_kit_event(kit, 1, "c");
	kit->durable = wr_kit_position(kit);
	for (unsigned i = 0; i < 4; i++) {
		places[i] = kit->used;
		wr_kit_event(kit, 1 + i % 2, texts[i]);
	}
	places[4] = kit->used;
	wr_kit_end(kit);
}

static const char *const batch_stories[] = {
	"1.1:a 2.2:b 3.1:c ",
	"1.1:a 2.2:b 3.1:c 4.1:d ",
	"1.1:a 2.2:b 3.1:c 4.1:d 5.2:e and more ",
	"1.1:a 2.2:b 3.1:c 4.1:d 5.2:e and more 6.1:f ",
	"1.1:a 2.2:b 3.1:c 4.1:d 5.2:e and more 6.1:f 7.2:g, the last one ",
};

static void check_batch(struct wr_sim_disk *sim, unsigned whole, uint64_t offset, bool is_torn)
{
	check_twice(sim, batch_stories[whole]);
	CHECK(first.info.recovery.is_torn == is_torn && !first.info.recovery.is_damaged);
	CHECK_U64(first.generation, 2);
	CHECK_U64(first.ends[1], 3 + whole);
	CHECK_U64(first.info.recovery.last_sequence, 3 + whole);
	if (is_torn) {
		CHECK_STRING(wr_view_of_string(first.info.recovery.file), wr_kit_log(2));
		CHECK_U64(first.info.recovery.offset, offset);
	}
}

static void test_a_tail_torn_at_any_byte_is_cut_there(void)
{
	struct wr_kit *kit = wr_kit_new();
	uint64_t places[5];

	make_batch(kit, places);
	for (uint64_t cut = places[0]; cut <= places[4]; cut++) {
		struct wr_sim_disk *sim = wr_sim_disk_copy(kit->sim);
		unsigned whole = 0;
		struct wr_view aside;
		char name[40];
		bool is_torn;

		wr_kit_fill(sim, wr_kit_log(2), cut, places[4] - cut, 0);
		while (whole < 4 && places[whole + 1] <= cut)
			whole++;
		/* Zeros at the end of a record may have been there before. */
		if (whole < 4 && cut > places[whole]) {
			struct wr_view old, now;

			CHECK(wr_sim_disk_file(kit->sim, wr_kit_log(2), &old));
			CHECK(wr_sim_disk_file(sim, wr_kit_log(2), &now));
			if (memcmp(old.data + cut, now.data + cut,
				   (size_t)(places[whole + 1] - cut)) == 0)
				whole++;
		}
		is_torn = whole < 4 && cut > places[whole];
		check_batch(sim, whole, places[whole], is_torn);
		snprintf(name, sizeof name, "torn-%020u", 3 + whole);
		CHECK(wr_sim_disk_file(sim, name, &aside) == is_torn);
		if (is_torn) {
			struct wr_view old;

			CHECK(wr_sim_disk_file(kit->sim, wr_kit_log(2), &old));
			CHECK(aside.bytes > 0 && aside.bytes <= cut - places[whole] + 7);
			if (aside.bytes > cut - places[whole])
				aside.bytes = (size_t)(cut - places[whole]);
			CHECK(memcmp(aside.data, old.data + places[whole], aside.bytes) == 0);
		}
		wr_sim_disk_free(sim);
	}
	wr_kit_free(kit);
}

static void test_holes_with_records_behind_are_a_tear_when_none_was_durable(void)
{
	for (unsigned pattern = 1; pattern < 16; pattern++) { /* bit i: record i is lost */
		struct wr_kit *kit = wr_kit_new();
		uint64_t places[5];
		unsigned whole = 0;

		make_batch(kit, places);
		for (unsigned i = 0; i < 4; i++)
			if ((pattern >> i & 1) != 0)
				wr_kit_fill(kit->sim, wr_kit_log(2), places[i],
					    places[i + 1] - places[i], 0);
		while ((pattern >> whole & 1) == 0)
			whole++;
		/* Only zeros from the last lost one on: that is how every log ends. */
		check_batch(kit->sim, whole, places[whole], (pattern >> whole) + 1 != 16u >> whole);
		wr_kit_free(kit);
	}
}

static void test_a_batch_over_two_segments_is_cut_as_one(void)
{
	static const struct {
		const char *label;
		uint64_t number, from, bytes; /* what is lost */
		const char *story;
		uint64_t at_number;
		bool is_torn;
	} cases[] = {
		{"nothing", 1, 2040, 8, "1.1:a 2.1:b 3.2:c 4.2:d 5.1:e ", 0, false},
		{"the tail of the first", 1, 224, 64, "1.1:a 2.1:b ", 1, true},
		{"its payload only", 1, 224 + 56, 1, "1.1:a 2.1:b ", 1, true},
		{"the header of the second", 2, 0, 96, "1.1:a 2.1:b 3.2:c ", 2, true},
		{"half of it", 2, 48, 48, "1.1:a 2.1:b 3.2:c ", 2, true},
		{"all of the second", 2, 0, 2048, "1.1:a 2.1:b 3.2:c ", 0, false},
		{"its first record", 2, 96, 64, "1.1:a 2.1:b 3.2:c ", 2, true},
		{"its last record", 2, 160, 64, "1.1:a 2.1:b 3.2:c 4.2:d ", 0, false},
		{"all of both", 1, 224, 64, "1.1:a 2.1:b ", 0, false},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_kit *kit = wr_kit_new();

		wr_test_case(cases[i].label);
		wr_kit_begin(kit, 1, 0);
		wr_kit_event(kit, 1, "a");
		wr_kit_event(kit, 1, "b");
		CHECK_U64(kit->used, 224);
		kit->durable = wr_kit_position(kit);
		wr_kit_event(kit, 2, "c");
		wr_kit_end(kit);
		wr_kit_begin(kit, 2, 0);
		wr_kit_event(kit, 2, "d");
		wr_kit_event(kit, 1, "e");
		wr_kit_end(kit);
		wr_kit_prepared(kit, 3);
		wr_kit_fill(kit->sim, wr_kit_log(cases[i].number), cases[i].from, cases[i].bytes,
			    0);
		if (i + 1 == WR_COUNT(cases))
			wr_kit_fill(kit->sim, wr_kit_log(2), 0, 2048, 0);
		check_twice(kit->sim, cases[i].story);
		CHECK(first.info.recovery.is_torn == cases[i].is_torn);
		CHECK(!first.info.recovery.is_damaged);
		if (cases[i].is_torn)
			CHECK_STRING(wr_view_of_string(first.info.recovery.file),
				     wr_kit_log(cases[i].at_number));
		wr_kit_free(kit);
	}
}

static void test_a_record_behind_that_says_so_makes_it_damage(void)
{
	static const struct {
		const char *label;
		unsigned lost;
		const char *story;
		uint32_t quarantined;
		bool is_maybe_incomplete;
	} cases[] = {
		{"the first of the batch", 0,
		 "1.1:a 2.2:b 3.1:c 5.2:e and more !1 7.2:g, the last one 8.2:h ", 1, false},
		{"the second", 1, "1.1:a 2.2:b 3.1:c 4.1:d 6.1:f !2 ", 1, false},
		{"the third, whose stream has none behind", 2,
		 "1.1:a 2.2:b 3.1:c 4.1:d 5.2:e and more 7.2:g, the last one 8.2:h ", 0, true},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_kit *kit = wr_kit_new();
		struct wr_view before, after;
		struct wr_sim_disk *old;
		uint64_t places[5];

		wr_test_case(cases[i].label);
		make_batch(kit, places);
		kit->durable = wr_kit_position(kit); /* the batch is durable by now */
		wr_kit_event(kit, 2, "h");
		wr_kit_end(kit);
		wr_kit_fill(kit->sim, wr_kit_log(2), places[cases[i].lost],
			    places[cases[i].lost + 1] - places[cases[i].lost], 0);
		old = wr_sim_disk_copy(kit->sim);
		check_twice(kit->sim, cases[i].story);
		CHECK(first.info.recovery.is_damaged && !first.info.recovery.is_torn);
		CHECK_STRING(wr_view_of_string(first.info.recovery.file), wr_kit_log(2));
		CHECK_U64(first.info.recovery.offset, places[cases[i].lost]);
		CHECK_U64(first.info.recovery.quarantined_count, cases[i].quarantined);
		CHECK(first.info.recovery.is_maybe_incomplete == cases[i].is_maybe_incomplete);
		CHECK(wr_sim_disk_file(old, wr_kit_log(2), &before));
		CHECK(wr_sim_disk_file(kit->sim, wr_kit_log(2), &after));
		CHECK(wr_view_equal(before, after));
		wr_sim_disk_free(old);
		wr_kit_free(kit);
	}
}

static void test_a_damaged_payload_names_its_stream(void)
{
	struct wr_kit *kit = wr_kit_new();

	make_plain(kit);
	wr_kit_flip(kit->sim, wr_kit_log(1), 160 + 56, 4); /* "b" of stream 2 */
	check_twice(kit->sim, "1.1:a !2 3.1:c ");
	CHECK(first.info.recovery.is_damaged && !first.info.recovery.is_maybe_incomplete);
	CHECK_STRING(wr_view_of_string(first.info.recovery.file), wr_kit_log(1));
	CHECK_U64(first.info.recovery.offset, 160);
	wr_kit_free(kit);
}

static void test_damage_that_the_runtime_cannot_do_without_refuses(void)
{
	struct wr_kit *kit = wr_kit_new();

	make_plain(kit);
	wr_kit_flip(kit->sim, wr_kit_log(1), 160 + 56, 4);
	wr_kit_needed_stream = 2;
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	CHECK_STATUS(first.status, WR_CORRUPT);
	CHECK_STRING(wr_view_of_string(first.error.file), wr_kit_log(1));
	CHECK_U64(first.error.offset, 160);
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	CHECK_STATUS(first.status, WR_CORRUPT);
	wr_kit_free(kit);
}

static void test_a_damaged_header_does_not_cost_the_records_behind_it(void)
{
	for (uint64_t number = 2; number <= 3; number++) {
		struct wr_kit *kit = wr_kit_new();

		make_plain(kit);
		wr_kit_begin(kit, 3, 0);
		wr_kit_event(kit, 3, "e");
		wr_kit_event(kit, 3, "f");
		wr_kit_end(kit);
		wr_kit_flip(kit->sim, wr_kit_log(number), 60, 1);
		check_twice(kit->sim, "1.1:a 2.2#1:b 3.1:c 4.2#2:d 5.3:e 6.3:f ");
		CHECK(first.info.recovery.is_damaged && !first.info.recovery.is_maybe_incomplete);
		CHECK_STRING(wr_view_of_string(first.info.recovery.file), wr_kit_log(number));
		CHECK_U64(first.info.recovery.offset, 0);
		wr_kit_free(kit);
	}
}

/* An unclean start writes the last segment under a generation that no other file knows: without its
 * header that is found out by its records. */
static void test_a_damaged_header_does_not_cost_the_generation_that_only_it_named(void)
{
	static const uint32_t epochs[] = {2, 3, 40, 3000};

	for (size_t i = 0; i < 2 * WR_COUNT(epochs); i++) {
		struct wr_kit *kit = wr_kit_new();
		uint32_t epoch = epochs[i / 2];

		wr_kit_begin(kit, 1, 0);
		wr_kit_event(kit, 1, "a");
		wr_kit_end(kit);
		kit->epoch = epoch;
		wr_kit_begin(kit, 2, 0);
		wr_kit_event(kit, 1, "b");
		wr_kit_event(kit, 1, "c");
		wr_kit_end(kit);
		if (i % 2 != 0)
			wr_kit_mark(kit);
		wr_kit_flip(kit->sim, wr_kit_log(2), 60, 1);
		wr_kit_open(kit->sim, &first, WR_KIT_GO_ON);
		check_story(&first, "1.1:a 2.1:b 3.1:c ");
		CHECK(first.info.recovery.is_damaged && !first.info.recovery.is_torn);
		CHECK_U64(first.generation, epoch + 1);
		wr_kit_open(kit->sim, &second, WR_KIT_CLOSE);
		check_story(&second, "1.1:a 2.1:b 3.1:c 4.1:more ");
		wr_kit_free(kit);
	}
}

/* Nothing is left of the newest generation but the mark that names it. */
static void test_the_mark_knows_its_generation(void)
{
	struct wr_kit *kit = wr_kit_new();

	wr_kit_begin(kit, 1, 0);
	wr_kit_event(kit, 1, "a");
	wr_kit_end(kit);
	kit->epoch = 5;
	wr_kit_begin(kit, 2, 0);
	wr_kit_event(kit, 1, "b");
	wr_kit_end(kit);
	wr_kit_mark(kit);
	wr_kit_fill(kit->sim, wr_kit_log(2), 0, WR_KIT_SEGMENT_BYTES, 7);
	wr_kit_open(kit->sim, &first, WR_KIT_CLOSE);
	check_story(&first, "1.1:a ");
	CHECK(first.info.recovery.is_damaged && first.info.recovery.is_maybe_incomplete);
	CHECK_U64(first.generation, 6);
	CHECK_U64(first.ends[5], 1);
	wr_kit_free(kit);
}

static void test_a_file_that_is_shorter_than_it_was_made_is_damaged(void)
{
	struct wr_kit *kit = wr_kit_new();
	uint64_t places[5];

	make_batch(kit, places);
	/* At the end of a record: nothing else would tell. */
	wr_kit_cut(kit->sim, wr_kit_log(2), places[2]);
	check_twice(kit->sim, batch_stories[2]);
	CHECK(first.info.recovery.is_damaged && !first.info.recovery.is_torn);
	CHECK(first.info.recovery.is_maybe_incomplete);
	wr_kit_free(kit);
}

static void test_the_newest_tails_are_kept_aside_and_no_more(void)
{
	struct wr_kit *kit = wr_kit_new();
	uint64_t places[5];
	unsigned count = 0;

	make_batch(kit, places);
	wr_kit_flip(kit->sim, wr_kit_log(2), places[2], 1);
	for (unsigned i = 100; i < 110; i++) {
		char name[40];

		snprintf(name, sizeof name, "torn-%020u", i);
		wr_sim_disk_put(kit->sim, name, WR_VIEW("an older one"));
	}
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	check_story(&first, batch_stories[2]);
	for (unsigned i = 0; i < 110; i++) {
		char name[40];

		snprintf(name, sizeof name, "torn-%020u", i);
		if (wr_kit_has(kit->sim, name))
			count++;
	}
	CHECK_U64(count, 8);
	CHECK(wr_kit_has(kit->sim, "torn-00000000000000000109"));
	wr_kit_free(kit);
}

static void test_a_tail_that_cannot_be_kept_does_not_stop_the_opening(void)
{
	static const int errors[] = {ENOSPC, EDQUOT, EIO};

	for (size_t i = 0; i < WR_COUNT(errors); i++) {
		struct wr_kit *kit = wr_kit_new();
		uint64_t places[5];

		make_batch(kit, places);
		wr_kit_flip(kit->sim, wr_kit_log(2), places[2], 1);
		wr_sim_disk_fail(kit->sim, WR_SIM_CREATE, 1, errors[i], false);
		wr_kit_open(kit->sim, &first, WR_KIT_KILL);
		check_story(&first, batch_stories[2]);
		CHECK(first.info.recovery.is_torn);
		CHECK(!wr_kit_has(kit->sim, "torn-00000000000000000005"));
		wr_kit_free(kit);
	}
}

/* ---- checkpoints ---- */

/* Segments 1, 2 and 3, the last two with checkpoints; two events in each. */
static void make_checkpoints(struct wr_kit *kit)
{
	wr_kit_begin(kit, 1, 0);
	wr_kit_event(kit, 1, "a");
	wr_kit_event(kit, 2, "b");
	wr_kit_end(kit);
	wr_kit_begin(kit, 2, WR_SEGMENT_CHECKPOINT);
	wr_kit_checkpoint(kit, "two");
	wr_kit_event(kit, 1, "c");
	wr_kit_event(kit, 2, "d");
	wr_kit_end(kit);
	wr_kit_begin(kit, 3, WR_SEGMENT_CHECKPOINT);
	wr_kit_checkpoint(kit, "three");
	wr_kit_event(kit, 1, "e");
	wr_kit_event(kit, 2, "f");
	wr_kit_end(kit);
}

static void test_the_newest_whole_checkpoint_counts(void)
{
	static const struct {
		const char *label;
		bool flip3, flip2;
		const char *story;
	} cases[] = {
		{"both whole", false, false, "<three> 5.1:e 6.2:f "},
		{"the newest damaged", true, false, "<two> 3.1:c 4.2:d 5.1:e 6.2:f "},
		{"the older damaged", false, true, "<three> 5.1:e 6.2:f "},
		{"both damaged", true, true, "1.1:a 2.2:b 3.1:c 4.2:d 5.1:e 6.2:f "},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++)
		for (uint64_t at = 96; at < 96 + 56 + 56 + 40; at += 17) {
			struct wr_kit *kit = wr_kit_new();

			wr_test_case(cases[i].label);
			make_checkpoints(kit);
			if (cases[i].flip3)
				wr_kit_flip(kit->sim, wr_kit_log(3), at, 1);
			if (cases[i].flip2)
				wr_kit_flip(kit->sim, wr_kit_log(2), at, 1);
			check_twice(kit->sim, cases[i].story);
			CHECK(first.info.recovery.is_damaged == (cases[i].flip3 || cases[i].flip2));
			/* What is not read is not known to be whole. */
			CHECK(first.info.recovery.is_maybe_incomplete ==
			      (cases[i].flip2 && !cases[i].flip3));
			CHECK(!first.info.recovery.is_torn);
			wr_kit_free(kit);
		}
}

static void test_without_a_checkpoint_nothing_may_have_been_cleaned(void)
{
	struct wr_kit *kit = wr_kit_new();

	make_checkpoints(kit);
	kit->sequence = kit->places[1] = kit->places[2] = 0;
	wr_kit_begin(kit, 1, WR_SEGMENT_COMPACTED);
	wr_kit_event(kit, 1, "a");
	kit->header.next_sequence = 3;
	kit->header.file_bytes = (uint32_t)kit->used;
	wr_kit_end(kit);
	wr_kit_flip(kit->sim, wr_kit_log(3), 96, 1);
	check_twice(kit->sim, "<two> 3.1:c 4.2:d 5.1:e 6.2:f ");
	CHECK(wr_sim_disk_remove(kit->sim, "clean"));
	wr_kit_flip(kit->sim, wr_kit_log(2), 96, 1);
	check_refused(kit->sim, WR_CORRUPT, wr_kit_log(1));
	wr_kit_free(kit);
}

static void test_a_checkpoint_that_was_not_finished_is_cut_off(void)
{
	struct wr_kit *kit = wr_kit_new();

	make_checkpoints(kit);
	wr_kit_begin(kit, 4, WR_SEGMENT_CHECKPOINT);
	kit->durable = UINT64_C(3) << 32 | 1000;
	wr_kit_checkpoint(kit, NULL);
	wr_kit_end(kit);
	check_twice(kit->sim, "<three> 5.1:e 6.2:f ");
	CHECK(first.info.recovery.is_torn && !first.info.recovery.is_damaged);
	CHECK_STRING(wr_view_of_string(first.info.recovery.file), wr_kit_log(4));
	CHECK_U64(first.info.recovery.offset, WR_SEGMENT_HEADER_BYTES);
	wr_kit_open(kit->sim, &first, WR_KIT_GO_ON);
	wr_kit_open(kit->sim, &first, WR_KIT_CLOSE);
	check_story(&first, "<three> 5.1:e 6.2:f 7.1:more ");
	wr_kit_free(kit);
}

static void test_a_checkpoint_that_was_given_up_is_passed_over(void)
{
	struct wr_kit *kit = wr_kit_new();

	make_checkpoints(kit);
	wr_kit_begin(kit, 4, WR_SEGMENT_CHECKPOINT);
	wr_kit_checkpoint(kit, NULL);
	wr_kit_event(kit, 1, "g");
	wr_kit_end(kit);
	check_twice(kit->sim, "<three> 5.1:e 6.2:f 7.1:g ");
	CHECK(!first.info.recovery.is_torn && !first.info.recovery.is_damaged);
	wr_kit_free(kit);
}

static void look_for_retired(const struct wr_store *port, const struct wr_kit_outcome *out)
{
	(void)out;
	CHECK_U64(port->ops->evicted(port->context, 1), 1);
}

/* What stands behind a checkpoint that was given up is not of it, though it is no event. */
static void test_a_retirement_behind_a_checkpoint_that_was_given_up_stays(void)
{
	struct wr_kit *kit = wr_kit_new();

	make_checkpoints(kit);
	wr_kit_begin(kit, 4, WR_SEGMENT_CHECKPOINT);
	kit->durable = UINT64_C(3) << 32 | 1000;
	wr_kit_checkpoint(kit, NULL);
	wr_kit_retired(kit, 1, 1);
	wr_kit_end(kit);
	wr_kit_look = look_for_retired;
	check_twice(kit->sim, "<three> 5.1:e 6.2:f ");
	wr_kit_look = NULL;
	CHECK(!first.info.recovery.is_torn && !first.info.recovery.is_damaged);
	wr_kit_free(kit);
}

/* The checkpoint arrived, and an event that it counts on did not. */
static void test_a_checkpoint_ahead_of_what_is_durable_does_not_count(void)
{
	struct wr_kit *kit = wr_kit_new();
	uint64_t lost;

	make_checkpoints(kit);
	kit->durable = wr_kit_position(kit);
	lost = kit->used;
	wr_kit_event(kit, 1, "lost");
	wr_kit_end(kit);
	wr_kit_begin(kit, 4, WR_SEGMENT_CHECKPOINT);
	wr_kit_checkpoint(kit, "four");
	wr_kit_end(kit);
	wr_kit_fill(kit->sim, wr_kit_log(3), lost, 64, 0);
	check_twice(kit->sim, "<three> 5.1:e 6.2:f ");
	CHECK(first.info.recovery.is_torn);
	CHECK(!wr_kit_has(kit->sim, wr_kit_log(4)));
	wr_kit_free(kit);
}

static void test_a_lost_retirement_gives_up_all_that_was_cleaned(void)
{
	struct wr_kit *kit = wr_kit_new();

	make_checkpoints(kit);
	kit->sequence = kit->places[1] = 0;
	wr_kit_begin(kit, 1, WR_SEGMENT_COMPACTED);
	kit->header.next_sequence = 3;
	kit->header.file_bytes = (uint32_t)kit->used;
	wr_kit_end(kit);
	kit->sequence = 6;
	kit->places[1] = kit->places[2] = 3;
	wr_kit_begin(kit, 4, 0);
	wr_kit_retired(kit, 1, 1);
	wr_kit_event(kit, 1, "g");
	wr_kit_end(kit);
	wr_kit_flip(kit->sim, wr_kit_log(4), 96 + 17, 1);
	check_twice(kit->sim, "<three> 5.1:e 6.2:f 7.1:g ");
	CHECK(first.info.recovery.is_damaged && !first.info.recovery.is_maybe_incomplete);
	wr_kit_free(kit);
}

/* ---- the prepared segment ---- */

static void test_a_prepared_segment_is_used(void)
{
	struct wr_kit *kit = wr_kit_new();
	struct wr_view index;

	make_plain(kit);
	wr_kit_mark(kit);
	wr_kit_prepared(kit, 3);
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	check_story(&first, plain);
	CHECK(first.info.recovery.was_clean);
	CHECK(wr_kit_has(kit->sim, wr_kit_log(3)));
	CHECK(wr_sim_disk_file(kit->sim, wr_kit_index(1), &index));
	CHECK_U64(first.info.bytes, 3 * WR_KIT_SEGMENT_BYTES + index.bytes);
	wr_kit_free(kit);
}

static void test_prepared_segments_that_do_not_fit_are_removed(void)
{
	struct wr_kit *kit = wr_kit_new();

	make_plain(kit);
	wr_kit_prepared(kit, 3);
	wr_kit_prepared(kit, 4);
	wr_kit_prepared(kit, 5);
	wr_kit_cut(kit->sim, wr_kit_log(3), WR_KIT_SEGMENT_BYTES - 8);
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	check_story(&first, plain);
	CHECK(!first.info.recovery.is_torn && !first.info.recovery.is_damaged);
	for (uint64_t number = 3; number <= 5; number++)
		CHECK(!wr_kit_has(kit->sim, wr_kit_log(number)));
	wr_kit_free(kit);
}

static void test_a_prepared_segment_that_is_not_zeros_is_not_used(void)
{
	for (unsigned with_mark = 0; with_mark < 2; with_mark++)
		for (uint64_t at = 0; at < WR_KIT_SEGMENT_BYTES; at += 137) {
			struct wr_kit *kit = wr_kit_new();

			make_plain(kit);
			if (with_mark != 0)
				wr_kit_mark(kit);
			wr_kit_prepared(kit, 3);
			wr_kit_flip(kit->sim, wr_kit_log(3), at, 16);
			wr_kit_open(kit->sim, &first, WR_KIT_GO_ON);
			check_story(&first, plain);
			CHECK(first.info.recovery.is_torn == (with_mark == 0));
			CHECK(first.info.recovery.was_clean == (with_mark != 0));
			wr_kit_open(kit->sim, &first, WR_KIT_CLOSE);
			check_story(&first, "1.1:a 2.2#1:b 3.1:c 4.2#2:d 5.1:more ");
			CHECK(first.info.recovery.was_clean);
			wr_kit_free(kit);
		}
}

/* Whatever is behind the mark was never part of the log: nothing is missing there. */
static void test_what_is_behind_the_mark_was_not_begun(void)
{
	static const size_t lengths[] = {0, 10, WR_SEGMENT_HEADER_BYTES, WR_KIT_SEGMENT_BYTES};

	for (unsigned i = 0; i < 2 * WR_COUNT(lengths); i++) {
		struct wr_kit *kit = wr_kit_new();

		make_plain(kit);
		wr_kit_mark(kit);
		wr_kit_prepared(kit, 3);
		if (i % 2 != 0)
			wr_kit_flip(kit->sim, wr_kit_log(3), 0, 16);
		wr_kit_cut(kit->sim, wr_kit_log(3), lengths[i / 2]);
		wr_kit_prepared(kit, 5);
		wr_kit_open(kit->sim, &first, WR_KIT_GO_ON);
		check_story(&first, plain);
		CHECK(first.info.recovery.was_clean && !first.info.recovery.is_damaged);
		CHECK(!wr_kit_has(kit->sim, wr_kit_log(5)));
		wr_kit_open(kit->sim, &second, WR_KIT_CLOSE);
		check_story(&second, "1.1:a 2.2#1:b 3.1:c 4.2#2:d 5.1:more ");
		CHECK(!second.info.recovery.is_damaged);
		wr_kit_free(kit);
	}
}

static void test_a_full_disk_opens_with_the_room_of_the_prepared_segment(void)
{
	struct wr_kit *kit = wr_kit_new();

	make_plain(kit);
	wr_kit_prepared(kit, 3);
	wr_sim_disk_capacity(kit->sim, wr_sim_disk_used(kit->sim));
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	check_story(&first, plain);
	CHECK(!wr_kit_has(kit->sim, wr_kit_log(3)));
	/* Without it the last segment is made as short as it can be. */
	wr_sim_disk_capacity(kit->sim, wr_sim_disk_used(kit->sim) + WR_KIT_SEGMENT_BYTES / 2);
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	check_story(&first, plain);
	CHECK_U64(first.info.head, 4);
	/* Without any room it is refused, and opens when there is some again. */
	wr_sim_disk_capacity(kit->sim, wr_sim_disk_used(kit->sim));
	wr_kit_open(kit->sim, &first, WR_KIT_KILL);
	CHECK_STATUS(first.status, WR_FULL);
	wr_sim_disk_capacity(kit->sim, UINT64_MAX);
	wr_kit_open(kit->sim, &first, WR_KIT_GO_ON);
	check_story(&first, plain);
	wr_kit_open(kit->sim, &first, WR_KIT_CLOSE);
	check_story(&first, "1.1:a 2.2#1:b 3.1:c 4.2#2:d 5.1:more ");
	wr_kit_free(kit);
}

/* ---- interrupted, failing, poor ---- */

typedef void make_fn(struct wr_kit *kit);

static void make_torn(struct wr_kit *kit)
{
	uint64_t places[5];

	make_batch(kit, places);
	wr_kit_flip(kit->sim, wr_kit_log(2), places[1], 1);
	wr_kit_prepared(kit, 3);
}

static void make_torn_over_two(struct wr_kit *kit)
{
	make_checkpoints(kit);
	kit->durable = wr_kit_position(kit);
	wr_kit_event(kit, 1, "lost");
	wr_kit_event(kit, 1, "lost, too");
	wr_kit_end(kit);
	wr_kit_begin(kit, 4, 0);
	wr_kit_event(kit, 1, "lost with it");
	wr_kit_end(kit);
	wr_kit_begin(kit, 5, 0);
	wr_kit_event(kit, 1, "and this");
	wr_kit_end(kit);
	wr_kit_prepared(kit, 6);
	wr_kit_flip(kit->sim, wr_kit_log(3), kit->durable & UINT32_MAX, 1);
}

static void make_damaged(struct wr_kit *kit)
{
	make_plain(kit);
	wr_kit_mark(kit);
	wr_kit_prepared(kit, 3);
	wr_kit_flip(kit->sim, wr_kit_log(2), kit->before + 56, 1);
}

static void make_sound(struct wr_kit *kit)
{
	kit->durable = 1;
	make_plain(kit);
	wr_sim_disk_put(kit->sim, "clean.tmp.00000000", WR_VIEW("unfinished"));
}

/* A tail to keep aside where there are more than enough already. */
static void make_torn_again(struct wr_kit *kit)
{
	make_torn(kit);
	for (unsigned i = 100; i < 109; i++) {
		char name[40];

		snprintf(name, sizeof name, "torn-%020u", i);
		wr_sim_disk_put(kit->sim, name, WR_VIEW("an older one"));
	}
}

/* Prepared ones that are of no use, before and behind one that is missing. */
static void make_unfit(struct wr_kit *kit)
{
	make_plain(kit);
	wr_kit_prepared(kit, 3);
	wr_kit_prepared(kit, 4);
	wr_kit_prepared(kit, 6);
	wr_kit_cut(kit->sim, wr_kit_log(3), WR_KIT_SEGMENT_BYTES - 8);
}

/* The last file lost its header, and with it its generation. */
static void make_headless(struct wr_kit *kit)
{
	make_plain(kit);
	wr_kit_flip(kit->sim, wr_kit_log(2), 60, 1);
}

static void make_nothing(struct wr_kit *kit)
{
	(void)kit;
}

static const struct {
	const char *label;
	make_fn *make;
	const char *story;
} worlds[] = {
	{"sound", make_sound, plain},
	{"torn", make_torn, "1.1:a 2.2:b 3.1:c 4.1:d "},
	{"torn over two", make_torn_over_two, "<three> 5.1:e 6.2:f "},
	{"damaged", make_damaged, "1.1:a 2.2#1:b 3.1:c !2 "},
	{"torn again", make_torn_again, "1.1:a 2.2:b 3.1:c 4.1:d "},
	{"merged", make_merged, "<later> 5.2:e 6.2:f "},
	{"unfit", make_unfit, plain},
	{"headless", make_headless, plain},
	{"nothing", make_nothing, ""},
};

struct cutter {
	const char *story;
	struct wr_sim_disk *kept;
	uint64_t count;
	unsigned depth;
};

static void check_cut(struct cutter *self, struct wr_sim_disk *disk, enum wr_sim_cut cut,
		      uint64_t seed)
{
	static struct wr_kit_outcome out;
	struct wr_sim_disk *left = wr_sim_disk_power_cut(disk, cut, seed);

	wr_kit_open(left, &out, seed % 2 == 0 ? WR_KIT_KILL : WR_KIT_CLOSE);
	check_story(&out, self->story);
	wr_kit_open(left, &out, WR_KIT_KILL);
	check_story(&out, self->story);
	wr_sim_disk_free(left);
}

static void on_change(void *context, struct wr_sim_disk *disk, enum wr_sim_call call,
		      const char *name)
{
	struct cutter *self = context;

	(void)call;
	(void)name;
	self->count++;
	check_cut(self, disk, WR_SIM_CUT_NONE, self->count);
	check_cut(self, disk, WR_SIM_CUT_ALL, self->count);
	for (unsigned i = 0; i < 4; i++)
		check_cut(self, disk, WR_SIM_CUT_RANDOM, wr_test_seed() + 17 * self->count + i);
}

static void test_recovery_can_be_cut_off_at_any_moment(void)
{
	for (size_t i = 0; i < WR_COUNT(worlds); i++) {
		struct wr_kit *kit = wr_kit_new();
		struct cutter cutter = {.story = worlds[i].story};

		wr_test_case(worlds[i].label);
		worlds[i].make(kit);
		wr_sim_disk_watch(kit->sim, on_change, &cutter);
		wr_kit_open(kit->sim, &first, WR_KIT_KILL);
		check_story(&first, worlds[i].story);
		CHECK(cutter.count > 3);
		wr_kit_free(kit);
	}
}

static void test_any_call_may_fail_and_the_next_start_is_as_good(void)
{
	static const int errors[] = {EIO, ENOSPC, EMFILE};

	for (size_t i = 0; i < WR_COUNT(worlds); i++)
		for (size_t e = 0; e < WR_COUNT(errors); e++)
			for (uint64_t n = 1;; n++) {
				struct wr_kit *kit = wr_kit_new();
				bool has_failed;

				wr_test_case(worlds[i].label);
				worlds[i].make(kit);
				wr_sim_disk_fail(kit->sim, WR_SIM_ALL, n, errors[e], false);
				if (wr_kit_try(kit->sim, &first, WR_KIT_KILL)) {
					if (first.status == WR_OK)
						check_story(&first, worlds[i].story);
					else
						CHECK(first.error.what != NULL &&
						      first.status != WR_CORRUPT &&
						      (first.error.os_error == errors[e] ||
						       first.error.os_error == 0));
				}
				has_failed = wr_sim_disk_failed_count(kit->sim) != 0;
				wr_sim_disk_kill(kit->sim);
				CHECK_U64(wr_sim_disk_open_count(kit->sim), 0);
				wr_kit_open(kit->sim, &second, WR_KIT_KILL);
				check_story(&second, worlds[i].story);
				wr_kit_free(kit);
				if (!has_failed)
					break;
			}
}

static void test_any_allocation_may_fail_and_the_next_start_is_as_good(void)
{
	for (size_t i = 0; i < WR_COUNT(worlds); i++)
		for (uint64_t n = 1;; n++) {
			struct wr_kit *kit = wr_kit_new();
			bool has_failed;

			wr_test_case(worlds[i].label);
			worlds[i].make(kit);
			wr_test_fail_allocation(n, false);
			if (wr_kit_try(kit->sim, &first, WR_KIT_KILL)) {
				if (first.status == WR_OK)
					check_story(&first, worlds[i].story);
				else
					CHECK_STATUS(first.status, WR_NO_MEMORY);
			}
			has_failed = wr_test_allocation_failed();
			wr_test_fail_allocation(0, false);
			wr_sim_disk_kill(kit->sim);
			wr_kit_open(kit->sim, &second, WR_KIT_KILL);
			check_story(&second, worlds[i].story);
			wr_kit_free(kit);
			if (!has_failed)
				break;
		}
}

static void test_generations_are_counted_over_many_kills(void)
{
	struct wr_kit *kit = wr_kit_new();

	make_plain(kit);
	/* More ends of generations than the segment has room for. */
	for (uint32_t i = 2; i < 40; i++) {
		wr_kit_open(kit->sim, &first, WR_KIT_KILL);
		check_story(&first, plain);
		CHECK_U64(first.generation, i);
		CHECK_U64(first.ends[i < 8 ? i - 1 : 7], 4);
	}
	wr_kit_free(kit);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_an_empty_folder_becomes_a_log),
	WR_TEST(test_files_of_others_are_neither_read_nor_removed),
	WR_TEST(test_unfinished_files_are_removed),
	WR_TEST(test_after_a_kill_the_last_segment_is_written_anew),
	WR_TEST(test_what_was_not_known_durable_is_written_anew_in_older_segments_too),
	WR_TEST(test_what_is_shown_after_a_kill_survives_a_power_failure),
	WR_TEST(test_after_a_clean_stop_nothing_is_written),
	WR_TEST(test_a_mark_that_is_not_right_counts_for_nothing),
	WR_TEST(test_an_end_before_the_mark_is_damage),
	WR_TEST(test_an_end_before_the_mark_is_told_again_after_a_crash),
	WR_TEST(test_a_newer_format_is_refused_and_nothing_touched),
	WR_TEST(test_a_newer_mark_and_a_newer_record_are_refused),
	WR_TEST(test_a_segment_of_another_log_is_refused),
	WR_TEST(test_a_missing_file_is_damage_and_the_rest_goes_on),
	WR_TEST(test_without_the_first_file_only_a_checkpoint_helps),
	WR_TEST(test_a_folder_that_had_a_log_does_not_become_a_new_one),
	WR_TEST(test_the_last_file_missing_before_a_prepared_one_is_damage),
	WR_TEST(test_what_only_a_header_tells_of_is_missing),
	WR_TEST(test_a_header_that_names_another_first_event_is_damage),
	WR_TEST(test_files_that_were_merged_into_another_are_removed),
	WR_TEST(test_a_file_under_another_number_is_not_believed),
	WR_TEST(test_a_tail_torn_at_any_byte_is_cut_there),
	WR_TEST(test_holes_with_records_behind_are_a_tear_when_none_was_durable),
	WR_TEST(test_a_batch_over_two_segments_is_cut_as_one),
	WR_TEST(test_a_record_behind_that_says_so_makes_it_damage),
	WR_TEST(test_a_damaged_payload_names_its_stream),
	WR_TEST(test_damage_that_the_runtime_cannot_do_without_refuses),
	WR_TEST(test_a_damaged_header_does_not_cost_the_records_behind_it),
	WR_TEST(test_a_damaged_header_does_not_cost_the_generation_that_only_it_named),
	WR_TEST(test_the_mark_knows_its_generation),
	WR_TEST(test_a_file_that_is_shorter_than_it_was_made_is_damaged),
	WR_TEST(test_the_newest_tails_are_kept_aside_and_no_more),
	WR_TEST(test_a_tail_that_cannot_be_kept_does_not_stop_the_opening),
	WR_TEST(test_the_newest_whole_checkpoint_counts),
	WR_TEST(test_without_a_checkpoint_nothing_may_have_been_cleaned),
	WR_TEST(test_a_checkpoint_that_was_not_finished_is_cut_off),
	WR_TEST(test_a_checkpoint_that_was_given_up_is_passed_over),
	WR_TEST(test_a_retirement_behind_a_checkpoint_that_was_given_up_stays),
	WR_TEST(test_a_checkpoint_ahead_of_what_is_durable_does_not_count),
	WR_TEST(test_a_lost_retirement_gives_up_all_that_was_cleaned),
	WR_TEST(test_a_prepared_segment_is_used),
	WR_TEST(test_prepared_segments_that_do_not_fit_are_removed),
	WR_TEST(test_a_prepared_segment_that_is_not_zeros_is_not_used),
	WR_TEST(test_what_is_behind_the_mark_was_not_begun),
	WR_TEST(test_a_full_disk_opens_with_the_room_of_the_prepared_segment),
	WR_TEST_LIMIT(test_recovery_can_be_cut_off_at_any_moment, 60),
	WR_TEST_LIMIT(test_any_call_may_fail_and_the_next_start_is_as_good, 60),
	WR_TEST_LIMIT(test_any_allocation_may_fail_and_the_next_start_is_as_good, 60),
	WR_TEST(test_generations_are_counted_over_many_kills),
	WR_TEST_END};
