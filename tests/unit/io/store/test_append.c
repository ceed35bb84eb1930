/* Goal: what is taken is written whole, in order, once a turn; nobody is shown a record before its
 * durability is what was promised; after a failure nothing is written or shown any more. Method: a
 * store on a simulated disk, its helper stepped by hand, files read back with codec/record. */
#include "writing.h"

#include <errno.h>

/* ---- visibility ---- */

static void test_nothing_is_shown_before_its_sync_is_done(void)
{
	struct writing w;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	writing_append_small(&w, 3);
	CHECK_U64(writing_info(&w).head, 3);
	CHECK_U64(writing_info(&w).written, 0);
	wr_fs_store_turn(w.store);
	CHECK_U64(writing_info(&w).written, 3);
	CHECK_U64(writing_visible(&w), 0);
	CHECK(wr_jobs_step(w.store->jobs));
	CHECK_U64(writing_visible(&w), 0); /* the reactor has not been told yet */
	wr_fs_store_turn(w.store);
	CHECK_U64(writing_visible(&w), 3);
	writing_close(&w);
}

static void test_weaker_durabilities_show_what_is_written(void)
{
	static const enum wr_durability cases[] = {WR_DURABILITY_INTERVAL, WR_DURABILITY_NEVER};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct writing w;

		writing_begin(&w, cases[i]);
		writing_append_small(&w, 3);
		CHECK_U64(writing_visible(&w), 0);
		wr_fs_store_turn(w.store);
		CHECK_U64(writing_visible(&w), 3);
		CHECK_U64(writing_info(&w).durable, 0);
		writing_close(&w);
	}
}

static void test_many_records_are_one_write_and_one_sync(void)
{
	struct writing w;
	uint64_t writes, syncs, folder_syncs;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	writes = wr_sim_disk_call_count(w.sim, WR_SIM_WRITE);
	syncs = wr_sim_disk_call_count(w.sim, WR_SIM_SYNC);
	folder_syncs = wr_sim_disk_call_count(w.sim, WR_SIM_SYNC_FOLDER);
	writing_append_small(&w, 64);
	writing_rest(&w);
	CHECK_U64(writing_visible(&w), 64);
	CHECK_U64(wr_sim_disk_call_count(w.sim, WR_SIM_WRITE) - writes, 1);
	CHECK_U64(wr_sim_disk_call_count(w.sim, WR_SIM_SYNC) - syncs, 1);
	CHECK_U64(wr_sim_disk_call_count(w.sim, WR_SIM_SYNC_FOLDER) - folder_syncs, 0);
	/* And a turn without records is none of either. */
	wr_fs_store_turn(w.store);
	CHECK(!wr_jobs_step(w.store->jobs));
	CHECK_U64(wr_sim_disk_call_count(w.sim, WR_SIM_WRITE) - writes, 1);
	writing_close(&w);
}

static void test_records_of_a_running_sync_wait_for_the_next(void)
{
	struct writing w;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	writing_append_small(&w, 2);
	wr_fs_store_turn(w.store); /* posts a sync for 2 */
	writing_append_small(&w, 3);
	wr_fs_store_turn(w.store); /* writes 3 more */
	CHECK_U64(writing_info(&w).written, 5);
	CHECK(wr_jobs_step(w.store->jobs));
	CHECK(!wr_jobs_step(w.store->jobs)); /* there is one at a time */
	writing_append_small(&w, 1);
	wr_fs_store_turn(w.store);
	CHECK_U64(writing_visible(&w), 2);
	CHECK(wr_jobs_step(w.store->jobs)); /* posted in that turn, with all that was written */
	wr_fs_store_turn(w.store);
	CHECK_U64(writing_visible(&w), 6);
	writing_close(&w);
}

static void test_a_sync_covers_what_is_written_not_what_waits(void)
{
	struct writing w;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	writing_append_small(&w, 2);
	CHECK_STATUS(wr_fs_flush(w.store), WR_OK);
	writing_append_small(&w, 3);
	wr_fs_ask_sync(w.store);
	CHECK(wr_jobs_step(w.store->jobs));
	wr_jobs_poll(w.store->jobs);
	CHECK_U64(writing_visible(&w), 2);
	CHECK_STATUS(wr_fs_settle(w.store), WR_OK);
	CHECK_U64(writing_visible(&w), 5);
	writing_close(&w);
}

static void test_what_is_shown_survives_a_power_cut(void)
{
	struct writing w;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	for (unsigned turn = 0; turn < 200; turn++) {
		struct wr_sim_disk *cut, *sim = w.sim;
		uint64_t shown, last = 0, number = wr_fs_active(w.store)->number;
		struct writing_reader reader;

		writing_append_small(&w, 1 + turn % 7);
		wr_fs_store_turn(w.store);
		for (unsigned steps = turn % 4; steps != 0; steps--)
			wr_jobs_step(w.store->jobs);
		shown = writing_visible(&w);
		cut = wr_sim_disk_power_cut(w.sim, WR_SIM_CUT_NONE, turn);
		w.sim = cut;
		for (uint64_t i = 1; i < number; i++) {
			writing_read(&reader, &w, i);
			while (writing_next(&reader))
				last = reader.record.sequence;
		}
		if (writing_file(&w, number).data[0] != 0) {
			writing_read(&reader, &w, number);
			while (writing_next(&reader))
				last = reader.record.sequence;
		}
		CHECK(last >= shown);
		w.sim = sim;
		wr_sim_disk_free(cut);
	}
	CHECK(wr_fs_active(w.store)->number > 3);
	writing_close(&w);
}

/* ---- interval and never ---- */

static void test_an_interval_syncs_when_it_is_over(void)
{
	struct writing w;
	uint64_t syncs;

	writing_init(&w, WR_DURABILITY_INTERVAL);
	w.config.interval_ms = 50;
	writing_open(&w);
	writing_rest(&w);
	syncs = writing_info(&w).sync_count;
	CHECK_U64(wr_fs_store_due_in_ms(w.store), UINT64_MAX);
	writing_append_small(&w, 1);
	wr_fs_store_turn(w.store);
	CHECK_U64(wr_fs_store_due_in_ms(w.store), 50);
	writing_now_ms += 49;
	writing_append_small(&w, 1);
	wr_fs_store_turn(w.store);
	CHECK_U64(wr_fs_store_due_in_ms(w.store), 1);
	CHECK(!wr_jobs_step(w.store->jobs));
	writing_now_ms += 1;
	CHECK_U64(wr_fs_store_due_in_ms(w.store), 0);
	wr_fs_store_turn(w.store);
	/* A sync that takes longer than the interval is waited for, not spun on. */
	writing_append_small(&w, 1);
	wr_fs_store_turn(w.store);
	writing_now_ms += 500;
	CHECK_U64(wr_fs_store_due_in_ms(w.store), UINT64_MAX);
	CHECK(wr_jobs_step(w.store->jobs));
	wr_fs_store_turn(w.store); /* takes the report, and posts the next */
	CHECK_U64(writing_info(&w).durable, 2);
	CHECK(wr_jobs_step(w.store->jobs));
	wr_fs_store_turn(w.store);
	CHECK_U64(writing_info(&w).durable, 3);
	CHECK_U64(writing_info(&w).sync_count, syncs + 2);
	CHECK_U64(wr_fs_store_due_in_ms(w.store), UINT64_MAX);
	writing_close(&w);
}

static void test_without_durability_only_records_of_the_store_are_synced(void)
{
	char rows[16] = {0};
	struct writing w;

	writing_begin(&w, WR_DURABILITY_NEVER);
	writing_append_small(&w, 9);
	wr_fs_store_turn(w.store);
	writing_now_ms += 100000;
	wr_fs_store_turn(w.store);
	CHECK(!wr_jobs_step(w.store->jobs));
	CHECK_U64(wr_fs_store_due_in_ms(w.store), UINT64_MAX);
	rows[4] = 1; /* the first item kept */
	CHECK_STATUS(wr_fs_append_own(w.store, WR_RECORD_RETIRED, wr_view_of(rows, sizeof rows)),
		     WR_OK);
	wr_fs_store_turn(w.store);
	CHECK(wr_jobs_step(w.store->jobs));
	wr_fs_store_turn(w.store);
	CHECK_U64(writing_info(&w).durable, 9);
	CHECK(w.store->durable_position == w.store->written_position);
	writing_append_small(&w, 1);
	wr_fs_store_turn(w.store);
	CHECK(!wr_jobs_step(w.store->jobs));
	writing_close(&w);
}

static void test_closing_makes_everything_durable(void)
{
	static const enum wr_durability cases[] = {WR_DURABILITY_ALWAYS, WR_DURABILITY_INTERVAL,
						   WR_DURABILITY_NEVER};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_sim_disk *cut;
		struct writing_reader reader;
		struct writing w;

		writing_begin(&w, cases[i]);
		writing_append_small(&w, 5);
		wr_fs_store_close(w.store);
		cut = wr_sim_disk_power_cut(w.sim, WR_SIM_CUT_NONE, 1);
		CHECK(wr_sim_disk_is_equal(w.sim, cut));
		writing_read(&reader, &w, 1);
		for (unsigned n = 0; n < 5; n++)
			CHECK(writing_next(&reader));
		CHECK(!writing_next(&reader));
		wr_sim_disk_free(cut);
		wr_sim_disk_free(w.sim);
	}
}

/* ---- what is in the file ---- */

static void test_every_record_reads_back_as_it_was_given(void)
{
	struct writing w;
	struct writing_reader reader;
	uint64_t streams[4] = {0}, sequence = 0, state = wr_test_seed();
	uint32_t items[4] = {0};
	struct {
		uint32_t worker, item;
		size_t bytes;
	} given[512];

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	for (unsigned i = 0; i < WR_COUNT(given); i++) {
		uint64_t random = wr_test_random(&state);

		given[i].worker = (uint32_t)(random % 4);
		given[i].item = random >> 8 & 1 ? ++items[given[i].worker] : 0;
		/* Every length of padding, none and the longest payload among them. */
		given[i].bytes = i < 20 ? i : i == 20 ? 1024 : (size_t)(random >> 16) % 600;
		CHECK_STATUS(writing_append(&w, given[i].worker, given[i].item, given[i].bytes,
					    WR_STORE_ORDINARY),
			     WR_OK);
		if (random >> 40 & 1)
			writing_rest(&w);
	}
	writing_rest(&w);
	for (uint64_t number = 1; number <= wr_fs_active(w.store)->number; number++) {
		writing_read(&reader, &w, number);
		CHECK_U64(reader.header.epoch, 1);
		CHECK_U64(reader.header.last_number, number);
		CHECK_U64(reader.header.first_sequence, sequence + 1);
		CHECK_U64(reader.header.next_sequence, 0);
		CHECK_U64(reader.header.flags, 0);
		CHECK_U64(reader.header.created_wall_ms, 1700000000000);
		while (writing_next(&reader)) {
			uint32_t worker = given[sequence].worker;

			CHECK_U64(reader.record.kind, WR_RECORD_EVENT);
			CHECK_U64(reader.record.flags, 0);
			CHECK_U64(reader.record.stream, worker);
			CHECK_U64(reader.record.item, given[sequence].item);
			CHECK_U64(reader.record.sequence, ++sequence);
			CHECK_U64(reader.record.stream_sequence, ++streams[worker]);
			CHECK_VIEW(reader.payload,
				   writing_payload(sequence, given[sequence - 1].bytes));
		}
	}
	CHECK_U64(sequence, WR_COUNT(given));
	writing_close(&w);
}

static void test_rows_count_what_is_on_disk(void)
{
	struct writing w;
	const struct wr_stream_row *row;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	CHECK_STATUS(writing_append(&w, 3, 0, 9, WR_STORE_ORDINARY), WR_OK);
	CHECK_STATUS(writing_append(&w, 3, 1, 100, WR_STORE_ORDINARY), WR_OK);
	CHECK_STATUS(writing_append(&w, 3, 2, 8, WR_STORE_RESERVED), WR_OK);
	row = wr_fs_row_find(w.store, 3);
	CHECK(row != NULL);
	CHECK_U64(row->stream_sequence, 3);
	CHECK_U64(row->event_bytes, 72);
	CHECK_U64(row->item_bytes, 160 + 64);
	CHECK_U64(row->first_item, 1);
	CHECK_U64(row->last_item, 2);
	CHECK_U64(row->evicted, 0);
	CHECK(wr_fs_row_find(w.store, 4) == NULL);
	CHECK(wr_fs_row(w.store, WR_FS_STREAM_MAX + 1) == NULL);
	writing_close(&w);
}

static void test_records_say_what_was_durable_when_they_were_made(void)
{
	struct writing w;
	struct writing_reader reader;
	uint64_t begin;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	begin = wr_position(1, wr_fs_active(w.store)->bytes);
	writing_append_small(&w, 1);
	wr_fs_store_turn(w.store);
	writing_append_small(&w, 1); /* the sync of the first is on its way */
	wr_fs_store_turn(w.store);
	CHECK(wr_jobs_step(w.store->jobs));
	writing_append_small(&w, 1); /* done, but not reported */
	wr_fs_store_turn(w.store);
	writing_append_small(&w, 1);
	writing_rest(&w);
	writing_append_small(&w, 1);
	writing_rest(&w);
	writing_read(&reader, &w, 1);
	CHECK(writing_next(&reader));
	CHECK_U64(reader.record.durable_upto, begin);
	CHECK(writing_next(&reader));
	CHECK_U64(reader.record.durable_upto, begin);
	CHECK(writing_next(&reader));
	CHECK_U64(reader.record.durable_upto, begin);
	CHECK(writing_next(&reader));
	CHECK_U64(reader.record.durable_upto, begin + 64);
	CHECK(writing_next(&reader));
	CHECK_U64(reader.record.durable_upto, begin + 4 * 64);
	writing_close(&w);
}

static void test_short_writes_are_continued(void)
{
	static const size_t cases[] = {1, 7, 8, 63, 64, 65, 511, 4096};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct writing w;
		struct writing_reader reader;
		uint64_t count = 0;

		writing_begin(&w, WR_DURABILITY_ALWAYS);
		wr_sim_disk_write_max(w.sim, cases[i]);
		writing_append_small(&w, 30);
		wr_fs_store_turn(w.store);
		wr_sim_disk_write_max(w.sim, 0);
		writing_rest(&w);
		writing_read(&reader, &w, 1);
		while (writing_next(&reader))
			CHECK_U64(reader.record.sequence, ++count);
		CHECK_U64(count, 30);
		writing_close(&w);
	}
}

static void test_a_long_batch_is_written_before_the_turn_ends(void)
{
	struct writing w;
	uint64_t writes;

	writing_init(&w, WR_DURABILITY_ALWAYS);
	w.config.segment_bytes = 8 << 20;
	w.config.payload_bytes_max = 1 << 20;
	writing_open(&w);
	writes = wr_sim_disk_call_count(w.sim, WR_SIM_WRITE);
	CHECK_STATUS(writing_append(&w, 1, 0, 1 << 20, WR_STORE_ORDINARY), WR_OK);
	CHECK_U64(wr_sim_disk_call_count(w.sim, WR_SIM_WRITE) - writes, 0);
	CHECK_STATUS(writing_append(&w, 1, 0, 1 << 20, WR_STORE_ORDINARY), WR_OK);
	CHECK_U64(wr_sim_disk_call_count(w.sim, WR_SIM_WRITE) - writes, 1);
	CHECK_U64(writing_info(&w).written, 1);
	CHECK_U64(writing_visible(&w), 0);
	writing_rest(&w);
	CHECK_U64(writing_visible(&w), 2);
	writing_close(&w);
}

/* ---- refusals and failures ---- */

static void test_a_record_over_the_limit_is_refused(void)
{
	struct writing w;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	CHECK_STATUS(writing_append(&w, 1, 0, 1025, WR_STORE_ORDINARY), WR_TOO_LARGE);
	CHECK_STATUS(writing_append(&w, 1, 0, 100000, WR_STORE_RESERVED), WR_TOO_LARGE);
	CHECK_U64(writing_info(&w).head, 0);
	CHECK(wr_fs_row_find(w.store, 1) == NULL);
	CHECK_STATUS(writing_append(&w, 1, 0, 1024, WR_STORE_ORDINARY), WR_OK);
	writing_close(&w);
}

static void test_sizes_that_do_not_go_together_are_refused(void)
{
	static const struct {
		const char *label;
		uint64_t segment_bytes, bytes_max;
		uint32_t payload_bytes_max;
		enum wr_status expected;
	} cases[] = {
		/* 96 + 1080 + 1/8 of 1344 = 1344 */
		{"the smallest segment", 1344, 5376, 1024, WR_OK},
		{"a record less room", 1336, 5376, 1024, WR_INVALID},
		{"fewer than four segments", 1344, 5375, 1024, WR_INVALID},
		{"records too small for rows", 8192, 65536, 63, WR_INVALID},
		{"no room at all", 0, 0, 64, WR_INVALID},
		{"a segment beyond positions", (UINT64_C(1) << 30) + 8, UINT64_MAX, 64, WR_INVALID},
		{"a record beyond any segment", 8192, 65536, UINT32_MAX, WR_INVALID},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_fs_error error;
		struct writing w;

		wr_test_case(cases[i].label);
		writing_init(&w, WR_DURABILITY_ALWAYS);
		w.config.segment_bytes = cases[i].segment_bytes;
		w.config.bytes_max = cases[i].bytes_max;
		w.config.payload_bytes_max = cases[i].payload_bytes_max;
		CHECK_STATUS(wr_fs_store_open(&w.store, wr_test_allocator(), &w.config, &error),
			     cases[i].expected);
		CHECK_STATUS(error.status, cases[i].expected);
		if (cases[i].expected == WR_OK)
			wr_fs_store_close(w.store);
		CHECK(wr_sim_disk_file_count(w.sim) == 0 || cases[i].expected == WR_OK);
		wr_sim_disk_free(w.sim);
	}
}

static void test_a_second_process_is_refused(void)
{
	struct wr_fs_error error;
	struct writing w;

	writing_init(&w, WR_DURABILITY_ALWAYS);
	wr_sim_disk_occupy(w.sim, true);
	CHECK_STATUS(wr_fs_store_open(&w.store, wr_test_allocator(), &w.config, &error),
		     WR_CONFLICT);
	CHECK_STRING(wr_view_of_string(error.what), "another process uses it");
	CHECK_U64(wr_sim_disk_call_count(w.sim, WR_SIM_ALL & ~(unsigned)WR_SIM_LOCK), 0);
	wr_sim_disk_occupy(w.sim, false);
	writing_open(&w);
	writing_close(&w);
}

/* Nothing is taken, written, shown or marked from here on. */
static void check_failed(struct writing *w, uint64_t visible, int os_error)
{
	uint64_t writes = wr_sim_disk_call_count(w->sim, WR_SIM_WRITE);
	uint64_t syncs = wr_sim_disk_call_count(w->sim, WR_SIM_SYNC);
	struct wr_view mark;

	wr_sim_disk_fail(w->sim, 0, 0, 0, false);
	CHECK(writing_info(w).state == WR_FS_FAILED);
	CHECK_STATUS(wr_fs_fail(w->store, ENOENT, "again"), WR_IO); /* the first counts */
	CHECK_U64(writing_info(w).os_error, os_error);
	CHECK_STATUS(writing_append(w, 1, 0, 8, WR_STORE_ORDINARY), WR_IO);
	CHECK_STATUS(writing_append(w, 1, 0, 8, WR_STORE_RESERVED), WR_IO);
	CHECK(!w->port.ops->has_room(w->port.context));
	CHECK(!w->port.ops->wants_checkpoint(w->port.context));
	CHECK_STATUS(w->port.ops->checkpoint_begin(w->port.context), WR_IO);
	writing_now_ms += 10000;
	writing_rest(w);
	CHECK_U64(wr_fs_store_due_in_ms(w->store), UINT64_MAX);
	CHECK_U64(writing_visible(w), visible);
	CHECK_U64(wr_sim_disk_call_count(w->sim, WR_SIM_WRITE), writes);
	CHECK_U64(wr_sim_disk_call_count(w->sim, WR_SIM_SYNC), syncs);
	wr_fs_store_close(w->store);
	CHECK(!wr_sim_disk_file(w->sim, "clean", &mark));
	CHECK_U64(wr_sim_disk_call_count(w->sim, WR_SIM_WRITE), writes);
	CHECK_U64(wr_sim_disk_call_count(w->sim, WR_SIM_SYNC), syncs);
	CHECK_U64(wr_sim_disk_open_count(w->sim), 0);
	wr_sim_disk_free(w->sim);
}

static void test_an_error_of_a_sync_is_final(void)
{
	static const int errors[] = {EIO, ENOSPC, EDQUOT, EROFS};

	for (size_t i = 0; i < WR_COUNT(errors); i++) {
		struct writing w;

		writing_begin(&w, WR_DURABILITY_ALWAYS);
		writing_append_small(&w, 2);
		writing_rest(&w);
		writing_append_small(&w, 2);
		wr_sim_disk_fail(w.sim, WR_SIM_SYNC, 1, errors[i], false);
		wr_fs_store_turn(w.store);
		CHECK(wr_jobs_step(w.store->jobs));
		wr_fs_store_turn(w.store);
		check_failed(&w, 2, errors[i]);
	}
}

static void test_an_error_of_a_write_is_final(void)
{
	static const int errors[] = {EIO, ENOSPC, EDQUOT, EFBIG};

	for (size_t i = 0; i < WR_COUNT(errors); i++) {
		struct writing w;

		writing_begin(&w, WR_DURABILITY_INTERVAL);
		writing_append_small(&w, 2);
		writing_rest(&w);
		writing_append_small(&w, 2);
		wr_sim_disk_fail(w.sim, WR_SIM_WRITE, 1, errors[i], false);
		wr_fs_store_turn(w.store);
		check_failed(&w, 2, errors[i]);
	}
}

static void test_a_sync_that_ends_well_after_a_failure_shows_nothing(void)
{
	struct writing w;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	writing_append_small(&w, 2);
	wr_fs_store_turn(w.store);
	writing_append_small(&w, 2);
	wr_sim_disk_fail(w.sim, WR_SIM_WRITE, 1, EIO, false);
	wr_fs_store_turn(w.store); /* this write fails, the sync is on its way */
	CHECK(writing_info(&w).state == WR_FS_FAILED);
	CHECK(wr_jobs_step(w.store->jobs));
	wr_fs_store_turn(w.store);
	check_failed(&w, 0, EIO);
}

static void test_without_memory_a_record_is_refused_and_nothing_else(void)
{
	for (uint64_t n = 1;; n++) {
		struct writing w;
		struct writing_reader reader;
		uint64_t count = 0, refused = 0;
		bool has_failed;

		writing_begin(&w, WR_DURABILITY_ALWAYS);
		wr_test_fail_allocation(n, false);
		for (uint32_t i = 0; i < 40; i++) {
			enum wr_status status = writing_append(&w, i, 0, 1000, WR_STORE_ORDINARY);

			if (status != WR_OK) {
				CHECK_STATUS(status, WR_NO_MEMORY);
				refused++;
			}
			if (i % 4 == 3)
				writing_rest(&w);
		}
		has_failed = wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		writing_rest(&w);
		CHECK(refused <= 1);
		CHECK_U64(writing_visible(&w), w.sequence);
		CHECK_U64(w.sequence, 40 - refused);
		for (uint64_t i = 1; i <= wr_fs_active(w.store)->number; i++) {
			writing_read(&reader, &w, i);
			while (writing_next(&reader))
				CHECK_U64(reader.record.sequence, ++count);
		}
		CHECK_U64(count, w.sequence);
		writing_close(&w);
		if (!has_failed)
			break;
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_nothing_is_shown_before_its_sync_is_done),
	WR_TEST(test_weaker_durabilities_show_what_is_written),
	WR_TEST(test_many_records_are_one_write_and_one_sync),
	WR_TEST(test_records_of_a_running_sync_wait_for_the_next),
	WR_TEST(test_a_sync_covers_what_is_written_not_what_waits),
	WR_TEST(test_what_is_shown_survives_a_power_cut),
	WR_TEST(test_an_interval_syncs_when_it_is_over),
	WR_TEST(test_without_durability_only_records_of_the_store_are_synced),
	WR_TEST(test_closing_makes_everything_durable),
	WR_TEST(test_every_record_reads_back_as_it_was_given),
	WR_TEST(test_rows_count_what_is_on_disk),
	WR_TEST(test_records_say_what_was_durable_when_they_were_made),
	WR_TEST(test_short_writes_are_continued),
	WR_TEST(test_a_long_batch_is_written_before_the_turn_ends),
	WR_TEST(test_a_record_over_the_limit_is_refused),
	WR_TEST(test_sizes_that_do_not_go_together_are_refused),
	WR_TEST(test_a_second_process_is_refused),
	WR_TEST(test_an_error_of_a_sync_is_final),
	WR_TEST(test_an_error_of_a_write_is_final),
	WR_TEST(test_a_sync_that_ends_well_after_a_failure_shows_nothing),
	WR_TEST(test_without_memory_a_record_is_refused_and_nothing_else),
	WR_TEST_END,
};
