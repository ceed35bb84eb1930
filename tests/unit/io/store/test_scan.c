/*
 * Walking a segment: every record that is there is given, whatever the sizes; nothing that is not
 * one ever is, wherever the file was cut, changed or filled with zeros. Files are made by hand.
 */
#include "bytes/crc32c.h"
#include "bytes/endian.h"
#include "check.h"
#include "harness/harness.h"
#include "io/store/store_private.h"
#include "open_kit.h"

#include <stdlib.h>
#include <string.h>

struct reader {
	struct wr_disk disk;
	int handle;
	struct wr_scan scan;
	struct wr_record record;
	struct wr_view payload;
	bool is_header_sound;
};

static struct wr_record_seed seed_of(const struct wr_kit *kit, uint64_t number)
{
	return wr_record_seed_make(kit->id, kit->epoch, number);
}

static void open_reader(struct reader *self, struct wr_kit *kit, uint64_t number, uint32_t max)
{
	self->disk = wr_sim_disk_port(kit->sim);
	self->handle = self->disk.ops->open(self->disk.context, wr_kit_log(number), WR_DISK_READ);
	CHECK(self->handle >= 0);
	CHECK_STATUS(wr_scan_begin(&self->scan, wr_test_allocator(), &self->disk, self->handle,
				   seed_of(kit, number), WR_SEGMENT_HEADER_BYTES, max),
		     WR_OK);
}

static void close_reader(struct reader *self)
{
	wr_scan_end(&self->scan);
	self->disk.ops->close(self->disk.context, self->handle);
}

static enum wr_status next(struct reader *self)
{
	return wr_scan_next(&self->scan, &self->record, &self->payload, &self->is_header_sound);
}

/* Segment 1 with these four events; returns where they begin and end. */
static void make_four(struct wr_kit *kit, uint64_t places[5])
{
	static const char *const texts[] = {"a", "seven..", "eight...",
					    "a longer one, of 26 bytes."};

	wr_kit_begin(kit, 1, 0);
	for (unsigned i = 0; i < 4; i++) {
		places[i] = kit->used;
		wr_kit_event(kit, 1 + i % 2, texts[i]);
	}
	places[4] = kit->used;
	wr_kit_end(kit);
}

/* ---- what is there ---- */

static void test_records_of_every_size_are_given_whole(void)
{
	enum { FILE_BYTES = 3 << 20, SIZE_MAX_OF_ONE = 300000 };
	struct wr_kit *kit = wr_kit_new();
	struct wr_record_seed seed = seed_of(kit, 1);
	char *file = calloc(1, FILE_BYTES);
	uint64_t state = wr_test_seed(), again;
	uint32_t count = 0;
	size_t used = WR_SEGMENT_HEADER_BYTES;
	struct reader reader;

	CHECK(file != NULL);
	again = state;
	for (;; count++) {
		uint32_t bytes = (uint32_t)(wr_test_random(&state) %
					    (count % 16 == 5 ? SIZE_MAX_OF_ONE : 400));
		struct wr_record record = {.kind = WR_RECORD_EVENT, .sequence = count};
		char *payload = file + used + WR_RECORD_HEADER_BYTES;

		if (used + wr_record_bytes(bytes) > FILE_BYTES)
			break;
		memset(payload, (int)(count % 251), bytes);
		wr_record_encode(file + used, &record, wr_view_of(payload, bytes), seed, used);
		used += (size_t)wr_record_bytes(bytes);
	}
	wr_sim_disk_put(kit->sim, wr_kit_log(1), wr_view_of(file, FILE_BYTES));
	open_reader(&reader, kit, 1, SIZE_MAX_OF_ONE);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t bytes =
			(uint32_t)(wr_test_random(&again) % (i % 16 == 5 ? SIZE_MAX_OF_ONE : 400));

		CHECK_STATUS(next(&reader), WR_OK);
		CHECK_U64(reader.record.sequence, i);
		CHECK_U64(reader.payload.bytes, bytes);
		for (size_t at = 0; at < bytes; at++)
			CHECK((unsigned char)reader.payload.data[at] == i % 251);
	}
	CHECK_U64(reader.scan.offset, used);
	CHECK_STATUS(next(&reader), WR_NOT_FOUND);
	close_reader(&reader);
	free(file);
	wr_kit_free(kit);
}

static void test_the_window_stays_as_small_as_its_largest_record(void)
{
	struct wr_kit *kit = wr_kit_new();
	uint64_t places[5];
	struct reader reader;

	make_four(kit, places);
	open_reader(&reader, kit, 1, UINT32_C(1) << 30);
	while (next(&reader) == WR_OK)
		;
	CHECK(reader.scan.window.capacity <= 262144);
	close_reader(&reader);
	wr_kit_free(kit);
}

/* ---- ends ---- */

static void test_a_file_cut_anywhere_gives_the_records_before(void)
{
	struct wr_kit *kit = wr_kit_new();
	uint64_t places[5];

	make_four(kit, places);
	for (uint64_t cut = WR_SEGMENT_HEADER_BYTES; cut <= places[4]; cut++) {
		struct wr_sim_disk *whole = kit->sim;
		struct reader reader;
		unsigned count = 0;
		enum wr_status status;

		kit->sim = wr_sim_disk_copy(whole);
		wr_kit_cut(kit->sim, wr_kit_log(1), cut);
		open_reader(&reader, kit, 1, 512);
		while ((status = next(&reader)) == WR_OK)
			count++;
		CHECK(places[count] <= cut && (count == 4 || cut < places[count + 1]));
		/* A piece of a record is none, and it is no end either. */
		CHECK_STATUS(status, places[count] == cut ? WR_NOT_FOUND : WR_CORRUPT);
		CHECK(reader.is_header_sound == (cut >= places[count] + WR_RECORD_HEADER_BYTES));
		CHECK_U64(reader.scan.offset, places[count]);
		close_reader(&reader);
		wr_sim_disk_free(kit->sim);
		kit->sim = whole;
	}
	wr_kit_free(kit);
}

static void test_every_changed_byte_is_seen_where_it_is(void)
{
	struct wr_kit *kit = wr_kit_new();
	uint64_t places[5];

	make_four(kit, places);
	for (uint64_t at = WR_SEGMENT_HEADER_BYTES; at < places[4]; at++) {
		struct wr_sim_disk *whole = kit->sim;
		unsigned count = 0, hit = 0;
		struct reader reader;
		enum wr_status status;

		while (places[hit + 1] <= at)
			hit++;
		kit->sim = wr_sim_disk_copy(whole);
		wr_kit_flip(kit->sim, wr_kit_log(1), at, (unsigned char)(1 << at % 8));
		open_reader(&reader, kit, 1, 512);
		while ((status = next(&reader)) == WR_OK)
			count++;
		if (status == WR_NOT_FOUND) {
			/* Padding belongs to nobody. */
			CHECK_U64(count, 4);
			CHECK(at >= places[hit + 1] - 7);
		} else {
			CHECK_STATUS(status, WR_CORRUPT);
			CHECK_U64(count, hit);
			CHECK(reader.is_header_sound ==
			      (at - places[hit] >= WR_RECORD_HEADER_BYTES));
		}
		close_reader(&reader);
		wr_sim_disk_free(kit->sim);
		kit->sim = whole;
	}
	wr_kit_free(kit);
}

static void test_a_length_that_cannot_be_is_refused_before_memory_is_asked_for(void)
{
	static const uint32_t lengths[] = {513, 2000, 65536, UINT32_MAX - 56, UINT32_MAX};

	for (size_t i = 0; i < WR_COUNT(lengths); i++) {
		struct wr_kit *kit = wr_kit_new();
		struct wr_record record = {.kind = WR_RECORD_EVENT, .sequence = 1};
		struct reader reader;
		size_t used;

		wr_kit_begin(kit, 1, 0);
		/* A sound header that says so. */
		wr_record_encode(kit->bytes + kit->used, &record, WR_VIEW("x"), seed_of(kit, 1),
				 kit->used);
		wr_store_le32(kit->bytes + kit->used + 4, lengths[i]);
		{
			char sum[8];
			uint32_t crc;

			wr_store_le64(sum, kit->used);
			crc = wr_crc32c(seed_of(kit, 1).crc, sum, sizeof sum);
			crc = wr_crc32c(crc, kit->bytes + kit->used, 48);
			wr_store_le32(kit->bytes + kit->used + 48, crc);
		}
		wr_kit_end(kit);
		open_reader(&reader, kit, 1, 512);
		used = wr_test_allocator()->used;
		CHECK_STATUS(next(&reader), WR_CORRUPT);
		CHECK(reader.is_header_sound);
		CHECK(wr_test_allocator()->used - used < 262144);
		close_reader(&reader);
		wr_kit_free(kit);
	}
}

/* ---- looking on ---- */

static void test_looking_on_finds_the_next_record_behind_anything(void)
{
	static const struct {
		const char *label;
		uint64_t from, to; /* records that are overwritten */
		char with;
		unsigned found; /* index of the record; 4: none */
	} cases[] = {
		{"the first is zeros", 0, 1, 0, 1}, {"the first is noise", 0, 1, 'W', 1},
		{"three are zeros", 0, 3, 0, 3},    {"three are noise", 0, 3, (char)0xff, 3},
		{"all are zeros", 0, 4, 0, 4},	    {"all are noise", 0, 4, 'R', 4},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_kit *kit = wr_kit_new();
		uint64_t places[5], from;
		struct reader reader;

		wr_test_case(cases[i].label);
		make_four(kit, places);
		from = places[cases[i].from];
		wr_kit_fill(kit->sim, wr_kit_log(1), from, places[cases[i].to] - from,
			    cases[i].with);
		open_reader(&reader, kit, 1, 512);
		reader.scan.offset = from;
		CHECK(next(&reader) != WR_OK);
		CHECK_STATUS(wr_scan_resume(&reader.scan),
			     cases[i].found == 4 ? WR_NOT_FOUND : WR_OK);
		CHECK_U64(reader.scan.offset, places[cases[i].found == 4 ? 0 : cases[i].found]);
		if (cases[i].found == 4)
			CHECK_U64(reader.scan.data_end, cases[i].with == 0 ? from : places[4]);
		else
			CHECK_STATUS(next(&reader), WR_OK);
		close_reader(&reader);
		wr_kit_free(kit);
	}
}

static void test_a_record_of_another_place_is_never_found(void)
{
	static const struct {
		const char *label;
		uint64_t number;
		uint32_t epoch;
		uint64_t shift;
	} cases[] = {
		{"eight bytes further on", 1, 1, 8},
		{"a record's length further on", 1, 1, 64},
		{"of another segment", 2, 1, 0},
		{"of another epoch", 1, 2, 0},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_kit *kit = wr_kit_new();
		struct wr_view whole;
		struct reader reader;
		uint64_t places[5];
		char *moved;

		wr_test_case(cases[i].label);
		make_four(kit, places);
		CHECK(wr_sim_disk_file(kit->sim, wr_kit_log(1), &whole));
		moved = calloc(1, whole.bytes + 64);
		CHECK(moved != NULL);
		memcpy(moved + cases[i].shift, whole.data, whole.bytes);
		wr_sim_disk_put(kit->sim, wr_kit_log(cases[i].number),
				wr_view_of(moved, whole.bytes + 64));
		kit->epoch = cases[i].epoch;
		open_reader(&reader, kit, cases[i].number, 512);
		CHECK_STATUS(next(&reader), WR_CORRUPT);
		CHECK_STATUS(wr_scan_resume(&reader.scan), WR_NOT_FOUND);
		/* The last one has six bytes of padding. */
		CHECK_U64(reader.scan.data_end, places[4] - 6 + cases[i].shift);
		close_reader(&reader);
		free(moved);
		wr_kit_free(kit);
	}
}

static void test_a_newer_record_is_told_apart_from_damage(void)
{
	struct wr_kit *kit = wr_kit_new();
	struct reader reader;

	wr_kit_begin(kit, 1, 0);
	wr_kit_event(kit, 1, "a");
	wr_kit_own(kit, (enum wr_record_kind)8, WR_VIEW("of a newer program"));
	wr_kit_end(kit);
	open_reader(&reader, kit, 1, 512);
	CHECK_STATUS(next(&reader), WR_OK);
	CHECK_STATUS(next(&reader), WR_UNSUPPORTED);
	CHECK_U64(reader.scan.offset, kit->before);
	close_reader(&reader);
	wr_kit_flip(kit->sim, wr_kit_log(1), WR_SEGMENT_HEADER_BYTES + 9, 1);
	open_reader(&reader, kit, 1, 512);
	CHECK_STATUS(next(&reader), WR_CORRUPT);
	CHECK_STATUS(wr_scan_resume(&reader.scan), WR_OK);
	CHECK_STATUS(next(&reader), WR_UNSUPPORTED);
	close_reader(&reader);
	wr_kit_free(kit);
}

static void test_looking_on_finds_a_record_wherever_the_window_ends(void)
{
	enum { FILE_BYTES = 300000, STEP = 8 };
	static char file[FILE_BYTES];
	struct wr_kit *kit = wr_kit_new();
	struct wr_record_seed seed = seed_of(kit, 1);

	/* Around the end of the first and of the second chunk that are read. */
	for (uint64_t base = 131072; base <= 262144; base += 131072)
		for (uint64_t at = base - 128; at <= base + 192; at += STEP) {
			struct wr_record record = {.kind = WR_RECORD_EVENT, .sequence = at};
			struct reader reader;

			memset(file, 0x5a, sizeof file);
			wr_record_encode(file + at, &record, WR_VIEW("found"), seed, at);
			memcpy(file + at + WR_RECORD_HEADER_BYTES, "found", 5);
			wr_sim_disk_put(kit->sim, wr_kit_log(1), wr_view_of(file, sizeof file));
			open_reader(&reader, kit, 1, 512);
			CHECK_STATUS(wr_scan_resume(&reader.scan), WR_OK);
			CHECK_U64(reader.scan.offset, at);
			CHECK_STATUS(next(&reader), WR_OK);
			CHECK_STRING(reader.payload, "found");
			close_reader(&reader);
		}
	wr_kit_free(kit);
}

/* ---- failures ---- */

static void test_a_read_that_fails_is_no_end(void)
{
	struct wr_kit *kit = wr_kit_new();
	uint64_t places[5];
	struct reader reader;

	make_four(kit, places);
	open_reader(&reader, kit, 1, 512);
	wr_sim_disk_fail(kit->sim, WR_SIM_READ, 1, 5, false);
	CHECK_STATUS(next(&reader), WR_IO);
	CHECK_U64(reader.scan.os_error, 5);
	CHECK_U64(reader.scan.offset, WR_SEGMENT_HEADER_BYTES);
	CHECK_STATUS(next(&reader), WR_OK);
	close_reader(&reader);
	open_reader(&reader, kit, 1, 512);
	wr_test_fail_allocation(1, false);
	CHECK_STATUS(next(&reader), WR_NO_MEMORY);
	CHECK_STATUS(wr_scan_resume(&reader.scan), WR_NO_MEMORY);
	close_reader(&reader);
	wr_kit_free(kit);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_records_of_every_size_are_given_whole),
	WR_TEST(test_the_window_stays_as_small_as_its_largest_record),
	WR_TEST(test_a_file_cut_anywhere_gives_the_records_before),
	WR_TEST(test_every_changed_byte_is_seen_where_it_is),
	WR_TEST(test_a_length_that_cannot_be_is_refused_before_memory_is_asked_for),
	WR_TEST(test_looking_on_finds_the_next_record_behind_anything),
	WR_TEST(test_a_record_of_another_place_is_never_found),
	WR_TEST(test_a_newer_record_is_told_apart_from_damage),
	WR_TEST(test_looking_on_finds_a_record_wherever_the_window_ends),
	WR_TEST(test_a_read_that_fails_is_no_end),
	WR_TEST_END};
