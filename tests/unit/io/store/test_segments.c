/* Goal: a segment is there before it is needed, and what cannot be made ahead is refused before
 * anything was decided. Method: small segments filled to their edges, a disk without room, each
 * call of preparing failing in turn. */
#include "bounds.h"
#include "writing.h"

#include <errno.h>

/* ---- names ---- */

static void test_names_of_files_read_back(void)
{
	static const uint64_t numbers[] = {1, 9, 10, 4294967296, UINT64_MAX};

	for (size_t i = 0; i < WR_COUNT(numbers); i++) {
		char name[WR_FS_NAME_BYTES];
		uint64_t number;

		wr_fs_segment_name(name, numbers[i]);
		CHECK(wr_fs_segment_number(name, &number) && number == numbers[i]);
		CHECK(!wr_fs_index_number(name, &number));
		wr_fs_index_name(name, numbers[i]);
		CHECK(wr_fs_index_number(name, &number) && number == numbers[i]);
		CHECK(!wr_fs_segment_number(name, &number));
	}
}

static void test_other_names_are_not_taken_for_segments(void)
{
	static const char *const cases[] = {
		"",
		".log",
		"lock",
		"clean",
		"1.log",
		"00000000000000000000.log",
		"0000000000000000001.log",
		"000000000000000000001.log",
		"00000000000000000001.log.tmp.12345678",
		"00000000000000000001.LOG",
		"00000000000000000001.idx",
		"00000000000000000001log.",
		"0000000000000000000x.log",
		"-0000000000000000001.log",
		"+0000000000000000001.log",
		" 0000000000000000001.log",
		"18446744073709551616.log",
		"99999999999999999999.log",
		"torn-00000000000000000001",
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		uint64_t number = 77;

		wr_test_case(cases[i]);
		CHECK(!wr_fs_segment_number(cases[i], &number));
		CHECK_U64(number, 77);
	}
}

/* ---- the table and its handles ---- */

static void test_a_merged_segment_stands_for_its_numbers(void)
{
	static const struct {
		uint64_t asked, found; /* 0: none */
	} cases[] = {{0, 0}, {1, 1}, {2, 1}, {3, 1}, {4, 4}, {5, 5}, {6, 5}, {7, 7}, {8, 0}};
	struct writing w;
	struct wr_segment kept;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	kept = *wr_fs_active(w.store);
	w.store->segment_count = 0;
	for (uint64_t number = 1; number <= 7; number += number == 1 ? 3 : number == 5 ? 2 : 1) {
		struct wr_segment *segment = wr_fs_segment_add(w.store);

		CHECK(segment != NULL);
		segment->number = number;
		segment->last_number = number == 1 ? 3 : number == 5 ? 6 : number;
	}
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		const struct wr_segment *found = wr_fs_segment(w.store, cases[i].asked);

		CHECK_U64(found == NULL ? 0 : found->number, cases[i].found);
	}
	w.store->segment_count = 0;
	CHECK(wr_fs_segment(w.store, 1) == NULL);
	*wr_fs_segment_add(w.store) = kept;
	writing_close(&w);
}

static void test_handles_are_shared_and_few(void)
{
	struct writing w;
	size_t open_before;
	uint64_t opens;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	while (wr_fs_active(w.store)->number < 2 * WR_FS_HANDLES) {
		writing_append_small(&w, 32);
		writing_rest(&w);
	}
	open_before = wr_sim_disk_open_count(w.sim);
	for (unsigned round = 0; round < 3; round++) {
		for (uint64_t number = 1; number < 2 * WR_FS_HANDLES; number++) {
			char in[WR_SEGMENT_HEADER_BYTES];
			struct wr_segment_header header;
			int handle = wr_fs_handle(w.store, number, false);

			CHECK(handle >= 0);
			CHECK(wr_fs_handle(w.store, number, false) == handle);
			CHECK(wr_fs_read_all(&w.disk, handle, in, sizeof in, 0) == 0);
			CHECK_STATUS(wr_segment_header_decode(&header, in), WR_OK);
			CHECK_U64(header.number, number);
			CHECK(wr_sim_disk_open_count(w.sim) <= open_before + WR_FS_HANDLES);
		}
	}
	/* What is used often stays open. */
	CHECK(wr_fs_handle(w.store, 1, false) >= 0);
	for (uint64_t number = 2; number < 2 * WR_FS_HANDLES; number++) {
		CHECK(wr_fs_handle(w.store, number, false) >= 0);
		opens = wr_sim_disk_call_count(w.sim, WR_SIM_OPEN);
		CHECK(wr_fs_handle(w.store, 1, false) >= 0);
		CHECK_U64(wr_sim_disk_call_count(w.sim, WR_SIM_OPEN), opens);
	}
	CHECK(wr_fs_handle(w.store, wr_fs_active(w.store)->number, false) ==
	      w.store->active_handle);
	wr_fs_forget_handles(w.store, 3);
	CHECK(wr_fs_handle(w.store, 99, false) == -ENOENT);
	CHECK(wr_fs_handle(w.store, 99, true) == -ENOENT);
	for (uint64_t number = 1; number < 2 * WR_FS_HANDLES; number++)
		wr_fs_forget_handles(w.store, number);
	CHECK(wr_sim_disk_open_count(w.sim) <= open_before);
	writing_close(&w);
}

static void test_a_read_beyond_the_end_is_an_error(void)
{
	char in[16];
	struct writing w;
	int handle;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	handle = w.store->active_handle;
	CHECK(wr_fs_read_all(&w.disk, handle, in, 16, 8192 - 16) == 0);
	CHECK(wr_fs_read_all(&w.disk, handle, in, 16, 8192 - 15) == -EIO);
	CHECK(wr_fs_read_all(&w.disk, handle, in, 1, 8192) == -EIO);
	CHECK(wr_fs_read_all(&w.disk, handle, in, 0, 8192) == 0);
	writing_close(&w);
}

/* ---- preparing ---- */

static void test_a_prepared_segment_is_zeros_on_the_medium(void)
{
	struct wr_sim_disk *cut;
	struct writing w;
	struct wr_view file;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	CHECK(wr_fs_has_prepared(w.store));
	CHECK_U64(wr_fs_prepared_bytes(w.store), 8192);
	cut = wr_sim_disk_power_cut(w.sim, WR_SIM_CUT_NONE, 1);
	CHECK(wr_sim_disk_file(cut, "00000000000000000002.log", &file));
	CHECK_U64(file.bytes, 8192);
	writing_check_zeros(file);
	CHECK(wr_sim_disk_is_equal(w.sim, cut)); /* and nothing unfinished is left */
	wr_sim_disk_free(cut);
	writing_close(&w);
}

static void test_preparing_lets_commits_pass(void)
{
	struct writing w;
	uint64_t syncs;

	writing_init(&w, WR_DURABILITY_ALWAYS);
	w.config.segment_bytes = 4 << 20;
	w.config.bytes_max = 64 << 20;
	writing_open(&w);
	wr_fs_store_turn(w.store); /* posts it */
	CHECK(wr_jobs_step(w.store->jobs));
	for (unsigned i = 0; i < 5; i++) {
		uint64_t begin = wr_sim_disk_used(w.sim);

		CHECK(wr_jobs_step(w.store->jobs));
		CHECK(wr_sim_disk_used(w.sim) - begin <= 512 * 1024);
		writing_append_small(&w, 1);
		wr_fs_store_turn(w.store);
		syncs = wr_sim_disk_call_count(w.sim, WR_SIM_SYNC);
		CHECK(wr_jobs_step(w.store->jobs)); /* not the zeros */
		CHECK_U64(wr_sim_disk_call_count(w.sim, WR_SIM_SYNC), syncs + 1);
		wr_fs_store_turn(w.store);
		CHECK_U64(writing_visible(&w), i + 1);
	}
	CHECK(!wr_fs_has_prepared(w.store));
	writing_rest(&w);
	CHECK(wr_fs_has_prepared(w.store));
	writing_close(&w);
}

static void test_segments_grow_with_the_checkpoint(void)
{
	static const struct {
		uint64_t checkpoint_bytes, expected;
	} cases[] = {
		{0, 8192},
		{4048, 8192},
		{4052, 8200},
		{100000, 200096},
		{UINT64_C(1) << 40, WR_STORE_BYTES_MAX / 4},
	};
	struct writing w;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		w.store->checkpoint_bytes = cases[i].checkpoint_bytes;
		CHECK_U64(wr_fs_next_bytes(w.store), cases[i].expected);
	}
	w.store->checkpoint_bytes = 0;
	writing_close(&w);
}

/* ---- rotation ---- */

/* Fills the active segment until `bytes` are left, by records that all leave a multiple of 8. */
static void fill(struct writing *w, uint64_t bytes)
{
	while (writing_room(w) > bytes + 1024) {
		CHECK_STATUS(writing_append(w, 1, 0, 400, WR_STORE_ORDINARY), WR_OK);
	}
	if (writing_room(w) > bytes) {
		uint64_t payload = writing_room(w) - bytes - WR_RECORD_HEADER_BYTES;

		CHECK_STATUS(writing_append(w, 1, 0, (size_t)payload, WR_STORE_ORDINARY), WR_OK);
	}
	CHECK_U64(writing_room(w), bytes);
}

static void test_a_record_that_just_fits_stays_in_its_segment(void)
{
	static const struct {
		size_t room, payload;
		uint64_t segment;
	} cases[] = {
		{64, 8, 1},	 {64, 9, 2},	  {64, 1, 1}, {56, 0, 1}, {56, 1, 2},
		{1080, 1024, 1}, {1072, 1024, 2}, {8, 0, 2},  {0, 0, 2},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct writing_reader reader;
		struct writing w;
		uint64_t count = 0;

		writing_begin(&w, WR_DURABILITY_ALWAYS);
		fill(&w, cases[i].room);
		CHECK_STATUS(writing_append(&w, 2, 0, cases[i].payload, WR_STORE_ORDINARY), WR_OK);
		CHECK_U64(wr_fs_active(w.store)->number, cases[i].segment);
		writing_rest(&w);
		CHECK_U64(writing_visible(&w), w.sequence);
		writing_read(&reader, &w, 1);
		while (writing_next(&reader))
			count++;
		if (cases[i].segment == 2) {
			CHECK_U64(wr_fs_segment(w.store, 1)->next_sequence, w.sequence);
			CHECK_U64(reader.offset, 8192 - cases[i].room);
			writing_read(&reader, &w, 2);
			CHECK_U64(reader.header.first_sequence, w.sequence);
			CHECK(writing_next(&reader));
			count++;
		}
		CHECK_U64(reader.record.stream, 2);
		CHECK_U64(count, w.sequence);
		CHECK(!writing_next(&reader));
		writing_close(&w);
	}
}

static void test_a_sealed_segment_is_synced_with_the_next_and_closed(void)
{
	struct writing w;
	uint64_t syncs, open_count;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	open_count = wr_sim_disk_open_count(w.sim);
	fill(&w, 1000);
	writing_rest(&w);
	writing_append_small(&w, 30); /* goes on in the next */
	CHECK_U64(wr_fs_active(w.store)->number, 2);
	wr_fs_store_turn(w.store);
	CHECK_U64(w.store->dirty_segment, 1);
	syncs = wr_sim_disk_call_count(w.sim, WR_SIM_SYNC);
	CHECK(wr_jobs_step(w.store->jobs));
	CHECK_U64(wr_sim_disk_call_count(w.sim, WR_SIM_SYNC), syncs + 2);
	wr_fs_store_turn(w.store);
	CHECK_U64(writing_visible(&w), w.sequence);
	CHECK_U64(w.store->dirty_segment, 0);
	writing_rest(&w);
	CHECK(wr_sim_disk_open_count(w.sim) <= open_count);
	writing_close(&w);
}

static void test_a_sealed_segment_is_synced_under_any_durability(void)
{
	static const enum wr_durability cases[] = {WR_DURABILITY_ALWAYS, WR_DURABILITY_INTERVAL,
						   WR_DURABILITY_NEVER};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct writing w;

		writing_begin(&w, cases[i]);
		fill(&w, 0);
		wr_fs_store_turn(w.store);
		CHECK_U64(w.store->dirty_segment, 1);
		writing_append_small(&w, 1);
		CHECK_U64(wr_fs_active(w.store)->number, 2);
		writing_rest(&w);
		CHECK_U64(writing_info(&w).durable, w.sequence);
		CHECK_U64(w.store->dirty_segment, 0);
		writing_close(&w);
	}
}

static void test_an_error_in_the_sealed_segment_is_final(void)
{
	struct writing w;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	writing_append_small(&w, 1);
	writing_rest(&w);
	fill(&w, 0);
	writing_append_small(&w, 1);
	wr_fs_store_turn(w.store);
	wr_sim_disk_fail(w.sim, WR_SIM_SYNC, 1, EIO, false);
	writing_rest(&w);
	CHECK(writing_info(&w).state == WR_FS_FAILED);
	CHECK_U64(writing_visible(&w), 1);
	writing_close(&w);
}

static void test_syncs_that_do_not_come_hold_up_rotation(void)
{
	struct writing w;
	enum wr_status status = WR_OK;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	/* Turns are not taken, so that no sync is asked for; segments are made all the same. */
	for (unsigned i = 0; status == WR_OK && i < 1000; i++) {
		status = writing_append(&w, 1, 0, 1000, WR_STORE_ORDINARY);
		wr_fs_prepare_next(w.store);
		wr_jobs_drain(w.store->jobs);
	}
	CHECK_STATUS(status, WR_OVERLOAD);
	CHECK(wr_fs_has_prepared(w.store));
	CHECK(!w.port.ops->has_room(w.port.context));
	writing_rest(&w);
	CHECK_U64(writing_visible(&w), w.sequence);
	CHECK(w.port.ops->has_room(w.port.context));
	CHECK_STATUS(writing_append(&w, 1, 0, 1000, WR_STORE_ORDINARY), WR_OK);
	writing_close(&w);
}

/* ---- room ---- */

static void test_a_reserved_end_is_left_while_the_next_is_being_made(void)
{
	uint64_t tail = 8192 / 8;
	struct writing w;

	writing_init(&w, WR_DURABILITY_ALWAYS);
	writing_open(&w);
	wr_fs_store_turn(w.store); /* it is being made, and nobody lets it */
	CHECK(!wr_fs_has_prepared(w.store));
	CHECK(w.port.ops->has_room(w.port.context));
	fill(&w, tail + 1072);
	CHECK(!w.port.ops->has_room(w.port.context)); /* of the largest kind */
	CHECK_STATUS(writing_append(&w, 1, 0, 1024, WR_STORE_ORDINARY), WR_OVERLOAD);
	CHECK_STATUS(writing_append(&w, 1, 0, 1016, WR_STORE_ORDINARY), WR_OK);
	CHECK_U64(writing_room(&w), tail);
	CHECK_STATUS(writing_append(&w, 1, 0, 0, WR_STORE_ORDINARY), WR_OVERLOAD);
	/* What ends a turn may use three quarters of it, the store's own records the rest. */
	CHECK_STATUS(writing_append(&w, 1, 0, 704, WR_STORE_RESERVED), WR_OK);
	CHECK_U64(writing_room(&w), tail / 4 + 8);
	CHECK_STATUS(writing_append(&w, 1, 0, 0, WR_STORE_RESERVED), WR_OVERLOAD);
	CHECK_STATUS(wr_fs_append_own(w.store, WR_RECORD_RETIRED, writing_payload(0, 208)), WR_OK);
	CHECK_U64(writing_room(&w), 0);
	CHECK_STATUS(wr_fs_append_own(w.store, WR_RECORD_RETIRED, WR_VIEW_NULL), WR_OVERLOAD);
	CHECK_U64(wr_fs_active(w.store)->number, 1);
	writing_rest(&w);
	CHECK(w.port.ops->has_room(w.port.context));
	CHECK_STATUS(writing_append(&w, 1, 0, 1024, WR_STORE_ORDINARY), WR_OK);
	CHECK_U64(wr_fs_active(w.store)->number, 2);
	writing_close(&w);
}

static void test_a_full_disk_refuses_and_comes_back(void)
{
	struct writing w;
	uint64_t creates, shown;

	writing_init(&w, WR_DURABILITY_ALWAYS);
	writing_open(&w);
	wr_sim_disk_capacity(w.sim, wr_sim_disk_used(w.sim) + 5000);
	writing_rest(&w);
	CHECK(writing_info(&w).state == WR_FS_FULL);
	CHECK_U64(writing_info(&w).os_error, ENOSPC);
	CHECK_U64(writing_info(&w).bytes, 8192); /* nothing is left of it */
	CHECK_U64(wr_fs_store_due_in_ms(w.store), WR_FS_RETRY_MS);

	/* What was made before can still be used. */
	while (writing_append(&w, 1, 0, 400, WR_STORE_ORDINARY) == WR_OK)
		;
	CHECK_STATUS(writing_append(&w, 1, 0, 400, WR_STORE_ORDINARY), WR_FULL);
	CHECK(!w.port.ops->has_room(w.port.context));
	CHECK_STATUS(writing_append(&w, 1, 0, 400, WR_STORE_RESERVED), WR_OK);
	while (writing_append(&w, 1, 0, 8, WR_STORE_RESERVED) == WR_OK)
		;
	CHECK_STATUS(writing_append(&w, 1, 0, 8, WR_STORE_RESERVED), WR_FULL);
	shown = w.sequence;
	writing_rest(&w);
	CHECK_U64(writing_visible(&w), shown);

	/* One attempt a second, and no more. */
	creates = wr_sim_disk_call_count(w.sim, WR_SIM_CREATE);
	for (unsigned ms = 0; ms < 10 * WR_FS_RETRY_MS; ms += 100) {
		writing_now_ms += 100;
		writing_rest(&w);
		CHECK(wr_fs_store_due_in_ms(w.store) - 1 < WR_FS_RETRY_MS); /* never at once */
	}
	CHECK_U64(wr_sim_disk_call_count(w.sim, WR_SIM_CREATE) - creates, 10);
	CHECK(writing_info(&w).state == WR_FS_FULL);
	CHECK_STATUS(writing_append(&w, 1, 0, 8, WR_STORE_ORDINARY), WR_FULL);

	wr_sim_disk_capacity(w.sim, UINT64_MAX);
	CHECK_STATUS(writing_append(&w, 1, 0, 8, WR_STORE_ORDINARY), WR_FULL);
	writing_now_ms += WR_FS_RETRY_MS;
	writing_rest(&w);
	CHECK(writing_info(&w).state == WR_FS_OK);
	CHECK_U64(writing_info(&w).os_error, 0);
	CHECK_U64(wr_fs_store_due_in_ms(w.store), UINT64_MAX);
	CHECK(w.port.ops->has_room(w.port.context));
	CHECK_STATUS(writing_append(&w, 1, 0, 1024, WR_STORE_ORDINARY), WR_OK);
	writing_rest(&w);
	CHECK_U64(writing_visible(&w), shown + 1);
	writing_close(&w);
}

static void test_the_share_of_the_disk_is_kept(void)
{
	/* Nobody takes a checkpoint, so that nothing can be cleaned: it fills and stays full. The
	 * index of a segment is counted when it is written; here it is a third of it at most. */
	const uint64_t index_bytes = 65536 / 3;
	enum wr_status status = WR_OK;
	struct writing w;

	writing_init(&w, WR_DURABILITY_ALWAYS);
	w.config.segment_bytes = 65536;
	w.config.bytes_max = 5 * 65536;
	writing_open(&w);
	for (unsigned i = 0; i < 5000; i++) {
		status = writing_append(&w, 1 + i % 3, i + 1, 100, WR_STORE_ORDINARY);
		CHECK(status == WR_OK || status == WR_FULL || status == WR_OVERLOAD);
		wr_fs_store_turn(w.store);
		if (i % 3 == 0)
			wr_jobs_step(w.store->jobs);
		CHECK(writing_info(&w).bytes <= w.config.bytes_max + index_bytes);
	}
	CHECK_STATUS(status, WR_FULL);
	CHECK(writing_info(&w).state == WR_FS_FULL);
	CHECK_U64(writing_info(&w).os_error, 0);
	CHECK(wr_fs_store_due_in_ms(w.store) <= WR_FS_RETRY_MS);
	writing_rest(&w);
	CHECK_U64(writing_visible(&w), w.sequence);
	CHECK(w.sequence * 160 > 65536);
	writing_close(&w);
}

static void test_each_failure_of_preparing_has_its_outcome(void)
{
	static const struct {
		const char *label;
		enum wr_sim_call call;
		int os_error;
		enum wr_fs_state expected;
	} cases[] = {
		{"no inode", WR_SIM_CREATE, ENOSPC, WR_FS_FULL},
		{"no descriptor", WR_SIM_CREATE, EMFILE, WR_FS_FULL},
		{"no memory", WR_SIM_CREATE, ENOMEM, WR_FS_FULL},
		{"a name that is there", WR_SIM_CREATE, EEXIST, WR_FS_FULL},
		{"no room", WR_SIM_WRITE, ENOSPC, WR_FS_FULL},
		{"over the quota", WR_SIM_WRITE, EDQUOT, WR_FS_FULL},
		{"over the size of files", WR_SIM_WRITE, EFBIG, WR_FS_FULL},
		{"a medium that fails", WR_SIM_WRITE, EIO, WR_FS_FAILED},
		{"no room found late", WR_SIM_SYNC, ENOSPC, WR_FS_FULL},
		{"a sync that fails", WR_SIM_SYNC, EIO, WR_FS_FAILED},
		{"no room for the name", WR_SIM_RENAME, ENOSPC, WR_FS_FULL},
		{"a rename that fails", WR_SIM_RENAME, EIO, WR_FS_FAILED},
		{"a folder that fails", WR_SIM_SYNC_FOLDER, EIO, WR_FS_FAILED},
		{"a folder without room", WR_SIM_SYNC_FOLDER, ENOSPC, WR_FS_FAILED},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct writing w;
		size_t files;

		wr_test_case(cases[i].label);
		writing_init(&w, WR_DURABILITY_ALWAYS);
		writing_open(&w);
		files = wr_sim_disk_file_count(w.sim);
		wr_sim_disk_fail(w.sim, cases[i].call, 1, cases[i].os_error, true);
		writing_rest(&w);
		CHECK(writing_info(&w).state == cases[i].expected);
		CHECK_U64(writing_info(&w).os_error, cases[i].os_error);
		CHECK_U64(writing_info(&w).bytes, 8192);
		CHECK(!wr_fs_has_prepared(w.store));
		if (cases[i].call != WR_SIM_SYNC_FOLDER)
			CHECK_U64(wr_sim_disk_file_count(w.sim), files);
		wr_sim_disk_fail(w.sim, 0, 0, 0, false);
		if (cases[i].expected == WR_FS_FULL) {
			writing_append_small(&w, 1);
			writing_now_ms += WR_FS_RETRY_MS;
			writing_rest(&w);
			CHECK(writing_info(&w).state == WR_FS_OK);
			CHECK(wr_fs_has_prepared(w.store));
			CHECK_U64(writing_visible(&w), 1);
		}
		writing_close(&w);
	}
}

static void test_closing_while_a_segment_is_made_leaves_nothing_unfinished(void)
{
	for (unsigned steps = 0; steps < 5; steps++) {
		struct wr_view file;
		struct writing w;

		writing_init(&w, WR_DURABILITY_ALWAYS);
		writing_open(&w);
		writing_append_small(&w, 3);
		wr_fs_store_turn(w.store);
		for (unsigned i = 0; i < steps; i++)
			wr_jobs_step(w.store->jobs);
		wr_fs_store_close(w.store);
		CHECK(wr_sim_disk_file(w.sim, "00000000000000000002.log", &file));
		CHECK_U64(file.bytes, 8192);
		writing_check_zeros(file);
		CHECK_U64(wr_sim_disk_open_count(w.sim), 0);
		wr_sim_disk_free(w.sim);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_names_of_files_read_back),
	WR_TEST(test_other_names_are_not_taken_for_segments),
	WR_TEST(test_a_merged_segment_stands_for_its_numbers),
	WR_TEST(test_handles_are_shared_and_few),
	WR_TEST(test_a_read_beyond_the_end_is_an_error),
	WR_TEST(test_a_prepared_segment_is_zeros_on_the_medium),
	WR_TEST(test_preparing_lets_commits_pass),
	WR_TEST(test_segments_grow_with_the_checkpoint),
	WR_TEST(test_a_record_that_just_fits_stays_in_its_segment),
	WR_TEST(test_a_sealed_segment_is_synced_with_the_next_and_closed),
	WR_TEST(test_a_sealed_segment_is_synced_under_any_durability),
	WR_TEST(test_an_error_in_the_sealed_segment_is_final),
	WR_TEST(test_syncs_that_do_not_come_hold_up_rotation),
	WR_TEST(test_a_reserved_end_is_left_while_the_next_is_being_made),
	WR_TEST(test_a_full_disk_refuses_and_comes_back),
	WR_TEST(test_the_share_of_the_disk_is_kept),
	WR_TEST(test_each_failure_of_preparing_has_its_outcome),
	WR_TEST(test_closing_while_a_segment_is_made_leaves_nothing_unfinished),
	WR_TEST_END,
};
