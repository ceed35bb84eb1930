/* Goal: a checkpoint stands whole at the head of a segment, comes when it is time, and one that
 * cannot be finished does no harm. Method: small segments, files read back with codec/record. */
#include "writing.h"

#include "bytes/endian.h"

#include <errno.h>

static enum wr_status begin(struct writing *w)
{
	return w->port.ops->checkpoint_begin(w->port.context);
}

static enum wr_status add(struct writing *w, uint64_t part, size_t bytes)
{
	return w->port.ops->checkpoint_add(w->port.context, writing_payload(part, bytes));
}

static enum wr_status end(struct writing *w)
{
	return w->port.ops->checkpoint_end(w->port.context);
}

/* A checkpoint of so many parts of so many bytes. */
static void check_written(struct writing *w, unsigned parts, size_t bytes)
{
	CHECK_STATUS(begin(w), WR_OK);
	for (unsigned i = 0; i < parts; i++)
		CHECK_STATUS(add(w, i, bytes), WR_OK);
	CHECK_STATUS(end(w), WR_OK);
}

static void next_is(struct writing_reader *reader, enum wr_record_kind kind, uint64_t sequence)
{
	CHECK(writing_next(reader));
	CHECK_U64(reader->record.kind, kind);
	CHECK_U64(reader->record.sequence, sequence);
	if (kind != WR_RECORD_EVENT) {
		CHECK_U64(reader->record.stream, 0);
		CHECK_U64(reader->record.stream_sequence, 0);
		CHECK_U64(reader->record.item, 0);
	}
}

static bool wants(struct writing *w)
{
	return w->port.ops->wants_checkpoint(w->port.context);
}

/* ---- what is written ---- */

static void test_a_checkpoint_stands_at_the_head_of_a_segment(void)
{
	struct writing_reader reader;
	struct writing w;
	const char *row;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	CHECK_STATUS(wr_fs_generation_add(w.store, 3, 11), WR_OK);
	CHECK_STATUS(wr_fs_generation_add(w.store, 4, 12), WR_OK);
	CHECK_STATUS(writing_append(&w, 0, 0, 1, WR_STORE_ORDINARY), WR_OK);
	CHECK_STATUS(writing_append(&w, 2, 1, 9, WR_STORE_ORDINARY), WR_OK);
	CHECK_STATUS(writing_append(&w, 2, 0, 100, WR_STORE_ORDINARY), WR_OK);
	CHECK(wr_fs_row(w.store, 5) != NULL); /* never used: not told */
	wr_fs_row(w.store, 4)->is_quarantined = wr_fs_row(w.store, 4)->is_lost = true;
	wr_fs_row(w.store, 2)->evicted = 1;
	wr_fs_row(w.store, 2)->first_item = 7;
	check_written(&w, 2, 300);
	writing_append_small(&w, 1);
	writing_rest(&w);
	CHECK_U64(writing_visible(&w), 4);
	CHECK_U64(w.store->checkpoint_segment[0], 2);
	CHECK_U64(w.store->checkpoint_segment[1], 0);
	CHECK_U64(w.store->since_checkpoint, 64);

	writing_read(&reader, &w, 2);
	CHECK_U64(reader.header.flags, WR_SEGMENT_CHECKPOINT);
	CHECK_U64(reader.header.first_sequence, 4);
	next_is(&reader, WR_RECORD_CHECKPOINT_BEGIN, 3);
	CHECK_U64(reader.payload.bytes, 0);
	next_is(&reader, WR_RECORD_GENERATIONS, 3);
	CHECK_U64(reader.payload.bytes, 24);
	CHECK_U64(wr_load_le32(reader.payload.data), 3);
	CHECK_U64(wr_load_le64(reader.payload.data + 4), 11);
	CHECK_U64(wr_load_le32(reader.payload.data + 12), 4);
	CHECK_U64(wr_load_le64(reader.payload.data + 16), 12);
	next_is(&reader, WR_RECORD_CHECKPOINT_ROWS, 3);
	CHECK_U64(reader.payload.bytes, 3 * 48);
	CHECK_U64(wr_load_le32(reader.payload.data), 0);
	row = reader.payload.data + 48;
	CHECK_U64(wr_load_le32(row), 2);
	CHECK_U64(wr_load_le32(row + 4), 7);
	CHECK_U64(wr_load_le64(row + 8), 2);
	CHECK_U64(wr_load_le64(row + 16), 1);
	CHECK_U64(wr_load_le64(row + 24), 160);
	CHECK_U64(wr_load_le64(row + 32), 72);
	CHECK_U64(wr_load_le32(row + 40), 1);
	CHECK_U64(wr_load_le32(row + 44), 0);
	CHECK_U64(wr_load_le32(row + 48), 4);
	CHECK_U64(wr_load_le32(row + 48 + 44), 1);
	next_is(&reader, WR_RECORD_CHECKPOINT_PART, 3);
	CHECK_VIEW(reader.payload, writing_payload(0, 300));
	next_is(&reader, WR_RECORD_CHECKPOINT_PART, 3);
	CHECK_VIEW(reader.payload, writing_payload(1, 300));
	next_is(&reader, WR_RECORD_CHECKPOINT_END, 3);
	CHECK_U64(reader.payload.bytes, 8);
	CHECK_U64(wr_load_le64(reader.payload.data), 4);
	CHECK_U64(w.store->checkpoint_bytes, reader.offset - WR_SEGMENT_HEADER_BYTES);
	next_is(&reader, WR_RECORD_EVENT, 4);
	CHECK(!writing_next(&reader));
	writing_close(&w);
}

static void test_a_checkpoint_of_an_empty_runtime_is_whole(void)
{
	struct writing_reader reader;
	struct writing w;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	check_written(&w, 0, 0);
	writing_rest(&w);
	writing_read(&reader, &w, 2);
	next_is(&reader, WR_RECORD_CHECKPOINT_BEGIN, 0);
	next_is(&reader, WR_RECORD_GENERATIONS, 0);
	CHECK_U64(reader.payload.bytes, 0);
	next_is(&reader, WR_RECORD_CHECKPOINT_END, 0);
	CHECK_U64(wr_load_le64(reader.payload.data), 1);
	CHECK(!writing_next(&reader));
	writing_close(&w);
}

static void test_many_rows_are_cut_into_records(void)
{
	static const struct {
		uint32_t payload_bytes_max, streams, generations;
		uint32_t row_records, generation_records;
	} cases[] = {
		{1024, 21, 64, 1, 1},  {1024, 22, 65, 2, 2},   {64, 3, 6, 3, 2},
		{65536, 64, 64, 1, 1}, {65536, 65, 128, 2, 2}, {65536, 4096, 1024, 64, 16},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct writing_reader reader;
		struct writing w;
		uint32_t rows = 0, generations = 0;

		writing_init(&w, WR_DURABILITY_ALWAYS);
		w.config.segment_bytes = 1 << 20;
		w.config.payload_bytes_max = cases[i].payload_bytes_max;
		writing_open(&w);
		writing_rest(&w);
		for (uint32_t n = 1; n <= cases[i].streams; n++)
			CHECK_STATUS(writing_append(&w, n, 0, 1, WR_STORE_ORDINARY), WR_OK);
		for (uint32_t n = 1; n <= cases[i].generations; n++)
			CHECK_STATUS(wr_fs_generation_add(w.store, n, n), WR_OK);
		check_written(&w, 1, 50);
		writing_rest(&w);
		writing_read(&reader, &w, 2);
		next_is(&reader, WR_RECORD_CHECKPOINT_BEGIN, w.sequence);
		for (uint32_t n = 0; n < cases[i].generation_records; n++) {
			next_is(&reader, WR_RECORD_GENERATIONS, w.sequence);
			for (size_t at = 0; at < reader.payload.bytes; at += 12)
				CHECK_U64(wr_load_le32(reader.payload.data + at), ++generations);
		}
		for (uint32_t n = 0; n < cases[i].row_records; n++) {
			next_is(&reader, WR_RECORD_CHECKPOINT_ROWS, w.sequence);
			CHECK(reader.payload.bytes <= cases[i].payload_bytes_max);
			for (size_t at = 0; at < reader.payload.bytes; at += 48)
				CHECK_U64(wr_load_le32(reader.payload.data + at), ++rows);
		}
		next_is(&reader, WR_RECORD_CHECKPOINT_PART, w.sequence);
		next_is(&reader, WR_RECORD_CHECKPOINT_END, w.sequence);
		CHECK_U64(wr_load_le64(reader.payload.data),
			  cases[i].generation_records + cases[i].row_records + 1);
		CHECK_U64(rows, cases[i].streams);
		CHECK_U64(generations, cases[i].generations);
		writing_close(&w);
	}
}

static void test_a_checkpoint_is_durable_under_any_durability(void)
{
	static const enum wr_durability cases[] = {WR_DURABILITY_ALWAYS, WR_DURABILITY_INTERVAL,
						   WR_DURABILITY_NEVER};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct writing w;

		writing_begin(&w, cases[i]);
		writing_append_small(&w, 10);
		check_written(&w, 2, 200);
		writing_rest(&w);
		CHECK(w.store->durable_position == w.store->written_position);
		CHECK_U64(writing_info(&w).durable, 10);
		writing_close(&w);
	}
}

/* ---- when ---- */

static void test_a_checkpoint_is_wanted_once_a_segment_is_nearly_full(void)
{
	struct writing w;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	for (unsigned round = 0; round < 5; round++) {
		uint64_t number = wr_fs_active(w.store)->number;

		while (!wants(&w)) {
			CHECK(w.store->since_checkpoint < 8192);
			writing_append_small(&w, 1);
			writing_rest(&w);
		}
		/* So that its end is not given away. */
		CHECK_U64(wr_fs_active(w.store)->number, number);
		CHECK(writing_room(&w) <= 8192 / 4);
		check_written(&w, 1, 100);
		CHECK(!wants(&w));
		CHECK_U64(wr_fs_active(w.store)->number, number + 1);
		CHECK_U64(w.store->checkpoint_segment[0], number + 1);
		CHECK_U64(w.store->checkpoint_segment[1], round == 0 ? 0 : number);
		writing_rest(&w);
	}
	writing_close(&w);
}

static void test_a_large_checkpoint_is_wanted_less_often(void)
{
	struct writing w;
	uint64_t bytes;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	check_written(&w, 6, 1000);
	writing_rest(&w);
	bytes = w.store->checkpoint_bytes;
	CHECK(bytes > 6000);
	while (!wants(&w)) {
		writing_append_small(&w, 1);
		writing_rest(&w);
	}
	CHECK(w.store->since_checkpoint >= 4 * bytes);
	CHECK(w.store->since_checkpoint < 4 * bytes + 2 * 8192 + 2 * bytes);
	writing_close(&w);
}

static void test_a_missed_moment_is_not_waited_for_again(void)
{
	struct writing w;

	/* Turns that all end at the head of a segment. */
	writing_begin(&w, WR_DURABILITY_ALWAYS);
	for (uint64_t number = 1; number <= 2; number++) {
		CHECK(!wants(&w));
		while (wr_fs_active(w.store)->number == number)
			CHECK_STATUS(writing_append(&w, 1, 0, 1000, WR_STORE_ORDINARY), WR_OK);
		writing_rest(&w);
	}
	CHECK(wants(&w));
	CHECK(writing_room(&w) > 8192 / 2);
	check_written(&w, 1, 10);
	writing_close(&w);
}

static void test_no_checkpoint_without_a_segment_for_it(void)
{
	struct writing w;
	uint64_t room;

	writing_init(&w, WR_DURABILITY_ALWAYS);
	writing_open(&w);
	while (writing_append(&w, 1, 0, 100, WR_STORE_ORDINARY) == WR_OK)
		;
	room = writing_room(&w);
	CHECK(!wants(&w));
	CHECK_STATUS(begin(&w), WR_OVERLOAD);
	CHECK_U64(writing_room(&w), room);
	CHECK_U64(wr_fs_active(w.store)->number, 1);
	wr_sim_disk_fail(w.sim, WR_SIM_WRITE, 2, ENOSPC, true); /* the batch is the first */
	writing_rest(&w);
	CHECK(!wants(&w));
	CHECK_STATUS(begin(&w), WR_FULL);
	wr_sim_disk_fail(w.sim, 0, 0, 0, false);
	writing_now_ms += WR_FS_RETRY_MS;
	writing_rest(&w);
	CHECK(wants(&w));
	check_written(&w, 1, 10);
	writing_close(&w);
}

static void test_only_a_checkpoint_begins_the_last_segment_of_the_share(void)
{
	struct writing_reader reader;
	struct writing w;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	w.store->config.bytes_max = w.store->file_bytes; /* no more than what is there */
	CHECK(wr_fs_has_prepared(w.store));
	CHECK(w.port.ops->has_room(w.port.context));
	writing_append_small(&w, 50);
	CHECK(!wants(&w)); /* it is not needed yet */
	while (w.port.ops->has_room(w.port.context))
		writing_append_small(&w, 1);
	CHECK(wants(&w));
	CHECK(writing_append(&w, 1, 0, 1024, WR_STORE_ORDINARY) == WR_OVERLOAD);
	CHECK(writing_room(&w) >= wr_fs_tail_bytes(w.store));
	CHECK_STATUS(writing_append(&w, 1, 0, 300, WR_STORE_RESERVED), WR_OK);
	/* Who has no checkpoint for it is told that there is no more room. */
	writing_rest(&w);
	CHECK(writing_info(&w).state == WR_FS_FULL);
	CHECK_U64(writing_info(&w).os_error, 0);
	CHECK_STATUS(writing_append(&w, 1, 0, 1024, WR_STORE_ORDINARY), WR_FULL);
	CHECK(wants(&w));
	check_written(&w, 1, 100);
	CHECK_U64(wr_fs_active(w.store)->number, 2);
	CHECK_STATUS(writing_append(&w, 1, 0, 1024, WR_STORE_ORDINARY), WR_OK);
	w.store->config.bytes_max = 1 << 20;
	writing_rest(&w);
	CHECK(writing_info(&w).state == WR_FS_OK);
	CHECK(wr_fs_has_prepared(w.store));
	CHECK_U64(writing_visible(&w), w.sequence);
	writing_read(&reader, &w, 2);
	CHECK_U64(reader.header.flags, WR_SEGMENT_CHECKPOINT);
	next_is(&reader, WR_RECORD_CHECKPOINT_BEGIN, w.sequence - 1);
	writing_close(&w);
}

static void test_a_store_at_its_share_goes_on(void)
{
	static const struct {
		const char *label;
		uint64_t segments; /* of the share */
		size_t payload, part;
		unsigned parts;
	} cases[] = {
		{"the smallest share", 4, 100, 500, 2},
		{"records that leave ends", 4, 1000, 500, 2},
		{"a checkpoint of half a segment", 6, 100, 1000, 30},
		{"a checkpoint as long as a segment", 8, 100, 1000, 60},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct writing w;
		unsigned refused = 0;

		wr_test_case(cases[i].label);
		writing_init(&w, WR_DURABILITY_ALWAYS);
		w.config.segment_bytes = 65536;
		w.config.bytes_max = cases[i].segments * 65536;
		writing_open(&w);
		for (unsigned turn = 0; w.sequence * cases[i].payload < 3 << 20; turn++) {
			enum wr_status status = WR_OK;

			for (unsigned n = 0; n < 20 && status == WR_OK; n++)
				status = writing_append(&w, 1 + n % 5, 0, cases[i].payload,
							WR_STORE_ORDINARY);
			/* It may be refused once, but not in the turn after a checkpoint. */
			refused = status == WR_OK ? 0 : refused + 1;
			CHECK(refused <= 1);
			if (wants(&w))
				check_written(&w, cases[i].parts, cases[i].part);
			writing_rest(&w);
			writing_now_ms += 5;
		}
		CHECK(writing_info(&w).cleaned_count > 0);
		CHECK(writing_info(&w).segment_count <= cases[i].segments);
		writing_close(&w);
	}
}

/* ---- larger than its segment ---- */

static void test_a_checkpoint_may_outgrow_its_segment(void)
{
	struct writing_reader reader;
	struct writing w;
	uint64_t parts = 0;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	writing_append_small(&w, 3);
	check_written(&w, 100, 1000);
	CHECK(wr_fs_active(w.store)->file_bytes > 100000);
	CHECK(writing_room(&w) >= wr_fs_tail_bytes(w.store));
	writing_append_small(&w, 1);
	writing_rest(&w);
	CHECK_U64(writing_visible(&w), 4);
	/* The next one will not. */
	CHECK(wr_fs_prepared_bytes(w.store) >= 2 * w.store->checkpoint_bytes);
	CHECK_U64(writing_info(&w).bytes, 8192 + wr_fs_segment(w.store, 1)->index_bytes +
						  wr_fs_active(w.store)->file_bytes +
						  wr_fs_prepared_bytes(w.store));
	writing_read(&reader, &w, 2);
	CHECK_U64(reader.file.bytes, wr_fs_active(w.store)->file_bytes);
	while (writing_next(&reader))
		if (reader.record.kind == WR_RECORD_CHECKPOINT_PART)
			CHECK_VIEW(reader.payload, writing_payload(parts++, 1000));
	CHECK_U64(parts, 100);
	CHECK_U64(reader.record.sequence, 4);
	writing_close(&w);
}

static void test_a_checkpoint_without_room_is_given_up(void)
{
	struct writing_reader reader;
	enum wr_status status = WR_OK;
	struct writing w;
	unsigned parts = 0;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	writing_append_small(&w, 3);
	CHECK_STATUS(begin(&w), WR_OK);
	wr_sim_disk_capacity(w.sim, wr_sim_disk_used(w.sim) + 10000);
	while (status == WR_OK && parts < 1000) {
		status = add(&w, parts, 1000);
		parts += status == WR_OK;
	}
	CHECK_STATUS(status, WR_FULL);
	CHECK(parts >= 5);
	CHECK(writing_info(&w).state != WR_FS_FAILED);
	CHECK_U64(w.store->checkpoint_segment[0], 0);
	CHECK(!wants(&w));
	/* Events go on where it ended. */
	writing_append_small(&w, 2);
	wr_sim_disk_capacity(w.sim, UINT64_MAX);
	writing_now_ms += WR_FS_RETRY_MS;
	writing_rest(&w);
	CHECK_U64(writing_visible(&w), 5);
	writing_read(&reader, &w, 2);
	while (writing_next(&reader))
		CHECK(reader.record.kind != WR_RECORD_CHECKPOINT_END);
	CHECK_U64(reader.record.sequence, 5);
	/* The next attempt has a segment that is long enough. */
	CHECK(wr_fs_prepared_bytes(w.store) > 2 * parts * 1000);
	while (!wants(&w)) {
		writing_append_small(&w, 1);
		writing_rest(&w);
	}
	check_written(&w, parts + 1, 1000);
	writing_rest(&w);
	CHECK_U64(writing_visible(&w), w.sequence);
	writing_close(&w);
}

static void test_an_error_while_it_grows_is_final(void)
{
	struct writing w;
	enum wr_status status = WR_OK;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	writing_append_small(&w, 1);
	CHECK_STATUS(begin(&w), WR_OK);
	wr_sim_disk_fail(w.sim, WR_SIM_WRITE, 1, EIO, true);
	for (unsigned i = 0; status == WR_OK && i < 100; i++)
		status = add(&w, i, 1000);
	CHECK_STATUS(status, WR_IO);
	CHECK(writing_info(&w).state == WR_FS_FAILED);
	CHECK_STATUS(writing_append(&w, 1, 0, 8, WR_STORE_ORDINARY), WR_IO);
	writing_close(&w);
}

static void test_a_part_over_the_limit_is_refused(void)
{
	struct writing w;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	CHECK_STATUS(begin(&w), WR_OK);
	CHECK_STATUS(add(&w, 1, 1024), WR_OK);
	CHECK_STATUS(add(&w, 1, 1025), WR_TOO_LARGE);
	writing_append_small(&w, 1);
	writing_rest(&w);
	CHECK_U64(writing_visible(&w), 1);
	check_written(&w, 1, 1024);
	writing_close(&w);
}

static void test_without_memory_a_checkpoint_is_given_up(void)
{
	unsigned given_up = 0;

	for (uint64_t n = 1;; n++) {
		enum wr_status status;
		struct writing w;
		bool has_failed;

		writing_begin(&w, WR_DURABILITY_ALWAYS);
		writing_append_small(&w, 3);
		wr_test_fail_allocation(n, true);
		status = begin(&w);
		for (unsigned i = 0; status == WR_OK && i < 20; i++)
			status = add(&w, i, 1000);
		if (status == WR_OK)
			status = end(&w);
		has_failed = wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		if (status != WR_OK) {
			CHECK_STATUS(status, WR_NO_MEMORY);
			CHECK_U64(w.store->checkpoint_segment[0], 0);
			given_up++;
		}
		writing_append_small(&w, 1);
		writing_rest(&w);
		CHECK_U64(writing_visible(&w), 4);
		check_written(&w, 1, 10);
		writing_rest(&w);
		writing_close(&w);
		if (!has_failed)
			break;
	}
	CHECK(given_up > 0);
}

/* Its owner may lack the memory for a part, and then says no more. */
static void test_one_that_is_neither_added_to_nor_ended_is_given_up(void)
{
	for (unsigned with_turn = 0; with_turn < 2; with_turn++) {
		struct writing w;

		writing_begin(&w, WR_DURABILITY_ALWAYS);
		writing_append_small(&w, 3);
		CHECK_STATUS(begin(&w), WR_OK);
		CHECK_STATUS(add(&w, 1, 1000), WR_OK);
		if (with_turn != 0)
			writing_rest(&w);
		writing_append_small(&w, 1);
		writing_rest(&w);
		CHECK_U64(writing_visible(&w), 4);
		CHECK_U64(w.store->checkpoint_segment[0], 0);
		check_written(&w, 1, 10);
		writing_close(&w);
	}
}

/* ---- reading ---- */

static void test_rows_are_loaded_as_they_were_written(void)
{
	struct writing_reader reader;
	struct writing w, other;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	for (uint32_t i = 0; i < 40; i++)
		CHECK_STATUS(
			writing_append(&w, i % 9, i % 3 == 0 ? 1 + i : 0, i, WR_STORE_ORDINARY),
			WR_OK);
	wr_fs_row(w.store, 3)->evicted = 20;
	wr_fs_row(w.store, 3)->first_item = 5;
	wr_fs_row(w.store, 4)->evicted = 30;
	wr_fs_row(w.store, 8)->is_quarantined = wr_fs_row(w.store, 8)->is_lost = true;
	/* Found by a reading: not for ever. */
	wr_fs_row(w.store, 4)->is_quarantined = true;
	CHECK_STATUS(wr_fs_generation_add(w.store, 1, 7), WR_OK);
	check_written(&w, 0, 0);
	writing_rest(&w);
	writing_begin(&other, WR_DURABILITY_ALWAYS);
	writing_read(&reader, &w, 2);
	while (writing_next(&reader)) {
		if (reader.record.kind == WR_RECORD_CHECKPOINT_ROWS)
			CHECK_STATUS(wr_fs_rows_load(other.store, reader.payload), WR_OK);
		if (reader.record.kind == WR_RECORD_GENERATIONS)
			CHECK_STATUS(wr_fs_generations_load(other.store, reader.payload), WR_OK);
	}
	CHECK_U64(other.store->row_count, w.store->row_count);
	for (uint32_t i = 0; i < w.store->row_count; i++) {
		const struct wr_stream_row *a = wr_fs_row_find(w.store, i);
		const struct wr_stream_row *b = wr_fs_row_find(other.store, i);

		CHECK_U64(a->stream_sequence, b->stream_sequence);
		CHECK_U64(a->evicted, b->evicted);
		CHECK_U64(a->event_bytes, b->event_bytes);
		CHECK_U64(a->item_bytes, b->item_bytes);
		CHECK_U64(a->first_item, b->first_item);
		CHECK_U64(a->last_item, b->last_item);
		CHECK(a->is_lost == b->is_lost && b->is_quarantined == b->is_lost);
	}
	CHECK_U64(other.store->evicted, 30);
	CHECK(wr_fs_store_is_quarantined(other.store, 8));
	CHECK(wr_fs_store_is_quarantined(other.store, 0));
	CHECK(!wr_fs_store_is_quarantined(other.store, 3));
	CHECK_U64(other.store->generation_count, 1);
	CHECK_U64(other.store->generations[0].last_sequence, 7);
	writing_close(&other);
	writing_close(&w);
}

static void test_rows_that_nobody_wrote_are_refused(void)
{
	static const struct {
		const char *label;
		size_t bytes;
		uint32_t stream, first_item, flags;
		enum wr_status expected;
	} cases[] = {
		{"none", 0, 0, 0, 0, WR_OK},
		{"a row", 48, 1, 1, 0, WR_OK},
		{"quarantined", 48, 1, 1, 1, WR_OK},
		{"half a row", 47, 1, 1, 0, WR_CORRUPT},
		{"a row and a byte", 49, 1, 1, 0, WR_CORRUPT},
		{"a byte", 1, 1, 1, 0, WR_CORRUPT},
		{"items from 0", 48, 1, 0, 0, WR_CORRUPT},
		{"an unknown flag", 48, 1, 1, 2, WR_CORRUPT},
		{"a stream beyond all", 48, WR_FS_STREAM_MAX + 1, 1, 0, WR_CORRUPT},
		{"a stream far beyond", 48, UINT32_MAX, 1, 0, WR_CORRUPT},
	};
	struct writing w;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char row[49] = {0};

		wr_test_case(cases[i].label);
		wr_store_le32(row, cases[i].stream);
		wr_store_le32(row + 4, cases[i].first_item);
		wr_store_le32(row + 44, cases[i].flags);
		CHECK_STATUS(wr_fs_rows_load(w.store,
					     wr_test_guarded(0, wr_view_of(row, cases[i].bytes))),
			     cases[i].expected);
	}
	CHECK_STATUS(wr_fs_generations_load(w.store, writing_payload(0, 11)), WR_CORRUPT);
	CHECK_STATUS(wr_fs_generations_load(w.store, writing_payload(0, 13)), WR_CORRUPT);
	writing_close(&w);
}

static void test_generations_are_known_once_and_the_oldest_forgotten(void)
{
	struct writing w;

	writing_begin(&w, WR_DURABILITY_ALWAYS);
	for (uint32_t n = 1; n <= WR_FS_GENERATIONS_KEPT + 10; n++) {
		CHECK_STATUS(wr_fs_generation_add(w.store, n, n * 2), WR_OK);
		CHECK_STATUS(wr_fs_generation_add(w.store, n, n * 3), WR_OK);
		CHECK_STATUS(wr_fs_generation_add(w.store, n / 2, 1), WR_OK);
	}
	CHECK_U64(w.store->generation_count, WR_FS_GENERATIONS_KEPT);
	for (uint32_t i = 0; i < WR_FS_GENERATIONS_KEPT; i++) {
		CHECK_U64(w.store->generations[i].generation, 11 + i);
		CHECK_U64(w.store->generations[i].last_sequence, 2 * (11 + i));
	}
	writing_close(&w);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_checkpoint_stands_at_the_head_of_a_segment),
	WR_TEST(test_a_checkpoint_of_an_empty_runtime_is_whole),
	WR_TEST(test_many_rows_are_cut_into_records),
	WR_TEST(test_a_checkpoint_is_durable_under_any_durability),
	WR_TEST(test_a_checkpoint_is_wanted_once_a_segment_is_nearly_full),
	WR_TEST(test_a_large_checkpoint_is_wanted_less_often),
	WR_TEST(test_a_missed_moment_is_not_waited_for_again),
	WR_TEST(test_no_checkpoint_without_a_segment_for_it),
	WR_TEST(test_only_a_checkpoint_begins_the_last_segment_of_the_share),
	WR_TEST_LIMIT(test_a_store_at_its_share_goes_on, 60),
	WR_TEST(test_a_checkpoint_may_outgrow_its_segment),
	WR_TEST(test_a_checkpoint_without_room_is_given_up),
	WR_TEST(test_an_error_while_it_grows_is_final),
	WR_TEST(test_a_part_over_the_limit_is_refused),
	WR_TEST(test_without_memory_a_checkpoint_is_given_up),
	WR_TEST(test_one_that_is_neither_added_to_nor_ended_is_given_up),
	WR_TEST(test_rows_are_loaded_as_they_were_written),
	WR_TEST(test_rows_that_nobody_wrote_are_refused),
	WR_TEST(test_generations_are_known_once_and_the_oldest_forgotten),
	WR_TEST_END,
};
