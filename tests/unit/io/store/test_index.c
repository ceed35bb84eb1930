/* Goal: an index says the same in memory, in its file, and made again from the segment; and it says
 * what a naive list says. Method: random segments; every question asked of all three. */
#include "io/store/index_file.h"
#include "reading.h"

#include <errno.h>

/* ---- the naive list ---- */

static bool is_in(const struct wr_segment *segment, const struct reading *self, uint64_t sequence)
{
	uint64_t end =
		segment->next_sequence == UINT64_MAX ? self->head + 1 : segment->next_sequence;

	return sequence >= segment->first_sequence && sequence < end;
}

static uint64_t naive_find(const struct reading *self, const struct wr_segment *segment,
			   uint32_t stream, uint64_t after, uint32_t item)
{
	for (uint64_t i = segment->first_sequence; is_in(segment, self, i); i++)
		if (self->events[i].worker == stream &&
		    (item != 0 ? self->events[i].item == item : i > after))
			return i;
	return 0;
}

static void check_find(struct reading *self, struct wr_segment *segment, uint32_t stream,
		       uint64_t after, uint32_t item, uint32_t *hint)
{
	uint64_t expected = naive_find(self, segment, stream, after, item);
	struct wr_index_entry entry;
	enum wr_status status =
		wr_fs_index_find(self->store, segment, stream, after, item, hint, &entry);

	CHECK_STATUS(status, expected == 0 ? WR_NOT_FOUND : WR_OK);
	if (expected == 0)
		return;
	CHECK_U64(segment->first_sequence + entry.sequence_delta, expected);
	CHECK_U64(entry.stream, stream);
	CHECK_U64(entry.item, self->events[expected].item);
	CHECK_U64(entry.bytes, wr_record_bytes(self->events[expected].bytes));
	CHECK(entry.place >= WR_SEGMENT_HEADER_BYTES / WR_RECORD_ALIGN);
}

static void check_finds(struct reading *self, struct wr_segment *segment, uint32_t stream)
{
	uint32_t hint = 0, none = 0;
	uint64_t first = segment->first_sequence;

	for (uint64_t after = first < 2 ? 0 : first - 2;
	     after < first || is_in(segment, self, after); after++) {
		check_find(self, segment, stream, after, 0, &none);
		none = 0;
		/* A hint is from the lookup before, or from anywhere. */
		check_find(self, segment, stream, after, 0, &hint);
		if (reading_draw(self, 8) == 0)
			hint = (uint32_t)reading_draw(self, 1000);
	}
	check_find(self, segment, stream, UINT64_MAX, 0, &none);
}

static void check_items(struct reading *self, struct wr_segment *segment, uint32_t stream)
{
	uint32_t first = 0, last = 0, found_first = 0, found_last = 0, hint = 0;
	enum wr_status status;

	for (uint64_t i = segment->first_sequence; is_in(segment, self, i); i++) {
		if (self->events[i].worker != stream || self->events[i].item == 0)
			continue;
		if (first == 0)
			first = self->events[i].item;
		last = self->events[i].item;
	}
	status = wr_fs_index_items(self->store, segment, stream, &found_first, &found_last);
	CHECK_STATUS(status, first == 0 ? WR_NOT_FOUND : WR_OK);
	if (first != 0) {
		CHECK_U64(found_first, first);
		CHECK_U64(found_last, last);
	}
	for (uint32_t item = first == 0 ? 1 : first; item <= last + 1; item++)
		check_find(self, segment, stream, 0, item, &hint);
	check_find(self, segment, stream, 0, UINT32_MAX, &hint);
}

static uint64_t place_of(struct reading *self, struct wr_segment *segment, uint64_t sequence)
{
	struct wr_index_entry entry;
	uint32_t hint = 0;

	CHECK_STATUS(wr_fs_index_find(self->store, segment, self->events[sequence].worker,
				      sequence - 1, 0, &hint, &entry),
		     WR_OK);
	return (uint64_t)entry.place * WR_RECORD_ALIGN;
}

/* Near is not behind the first event above, and at most a sample's distance before it. */
static void check_near(struct reading *self, struct wr_segment *segment)
{
	uint64_t first = segment->first_sequence, offset;

	if (!is_in(segment, self, first)) {
		CHECK_STATUS(wr_fs_index_near(self->store, segment, 0, &offset), WR_NOT_FOUND);
		return;
	}
	for (uint64_t i = first; is_in(segment, self, i); i += 1 + reading_draw(self, 3)) {
		uint64_t low = i - first < WR_FS_INDEX_SAMPLE ? first : i - WR_FS_INDEX_SAMPLE + 1;
		struct wr_index_entry entry;

		CHECK_STATUS(wr_fs_index_near(self->store, segment, i - 1, &offset), WR_OK);
		CHECK(offset <= place_of(self, segment, i));
		CHECK(offset >= place_of(self, segment, low));
		CHECK_STATUS(wr_fs_index_at(self->store, segment, offset, &entry), WR_OK);
		CHECK_U64((uint64_t)entry.place * WR_RECORD_ALIGN, offset);
		CHECK_U64(entry.stream,
			  self->events[segment->first_sequence + entry.sequence_delta].worker);
	}
}

static void check_segment(struct reading *self, uint32_t index)
{
	for (uint32_t stream = 0; stream <= READING_WORKERS + 1; stream++) {
		check_finds(self, &self->store->segments[index], stream);
		check_items(self, &self->store->segments[index], stream);
	}
	check_near(self, &self->store->segments[index]);
}

static void check_all(struct reading *self)
{
	for (uint32_t i = 0; i < self->store->segment_count; i++)
		check_segment(self, i);
}

/* ---- tests ---- */

static void test_index_agrees_with_a_naive_list(void)
{
	struct reading *self = reading_new(wr_test_seed());

	self->config.segment_bytes = 32768;
	self->config.bytes_max = UINT64_C(32768) * 64;
	reading_open(self);
	for (unsigned i = 0; i < 3; i++) {
		reading_append_random(self, 300);
		check_all(self); /* in memory, as files, and in between */
		reading_rest(self);
	}
	for (uint32_t i = 0; i + 1 < self->store->segment_count; i++)
		CHECK(self->store->segments[i].has_index);
	check_all(self);
	reading_close(self);
	reading_open(self);
	check_all(self);
	reading_free(self);
}

static void test_many_streams_fill_several_blocks(void)
{
	struct reading *self = reading_new(1);
	struct wr_segment *segment;

	self->config.segment_bytes = 262144;
	self->config.bytes_max = UINT64_C(262144) * 8;
	reading_open(self);
	/* Two blocks of directory and more, one event of each stream in turn. */
	for (uint32_t i = 0; i < 2600; i++) {
		struct wr_store_record record = {i + 1, 1 + i % 700, 0, reading_payload(i, 8)};

		CHECK_STATUS(self->port.ops->append(self->port.context, &record, WR_STORE_ORDINARY),
			     WR_OK);
		self->events[i + 1] = (struct reading_event){1 + i % 700, 0, 8};
		self->head = i + 1;
	}
	CHECK_STATUS(wr_fs_settle(self->store), WR_OK);
	reading_rest(self);
	CHECK_STATUS(wr_fs_move_on(self->store, false), WR_OK);
	reading_rest(self);
	segment = &self->store->segments[0];
	CHECK(segment->has_index && wr_seal_find(self->store, segment->number) == NULL);
	CHECK_U64(segment->stream_count, 700);
	CHECK_U64(segment->index_bytes, wr_index_file_bytes(700, 2600));
	for (uint32_t stream = 0; stream <= 702; stream += stream < 250 || stream > 260 ? 13 : 1) {
		uint32_t hint = 0;

		for (uint64_t after = 0; after < 2600; after += 97)
			check_find(self, segment, stream, after, 0, &hint);
	}
	reading_free(self);
}

static void test_an_empty_segment_has_an_empty_index(void)
{
	struct reading *self = reading_new(1);
	struct wr_index_entry entry;
	uint64_t offset;

	reading_open(self);
	reading_rest(self);
	CHECK_STATUS(wr_fs_move_on(self->store, false), WR_OK);
	for (unsigned i = 0; i < 2; i++) {
		check_all(self);
		CHECK_STATUS(wr_fs_index_near(self->store, self->store->segments, 0, &offset),
			     WR_NOT_FOUND);
		CHECK_STATUS(wr_fs_index_at(self->store, self->store->segments, 0, &entry),
			     WR_NOT_FOUND);
		reading_rest(self);
	}
	CHECK_U64(self->store->segments[0].index_bytes, WR_FS_INDEX_BLOCK_BYTES);
	reading_free(self);
}

/* ---- files that are not what they should be ---- */

static struct reading *begin_damage(void)
{
	struct reading *self = reading_new(9);

	reading_open(self);
	reading_append_random(self, 400);
	reading_rest(self);
	CHECK(self->store->segment_count > 3 && self->store->segments[1].has_index);
	return self;
}

static void forget(struct reading *self, uint64_t number)
{
	wr_fs_forget_handles(self->store, number);
	wr_index_file_forget(self->store, number);
}

static void test_a_changed_byte_anywhere_is_noticed_and_made_good(void)
{
	struct reading *self = begin_damage();
	struct wr_segment *segment = &self->store->segments[1];
	char name[WR_FS_NAME_BYTES];
	struct wr_view file;
	char *whole;

	wr_fs_index_name(name, segment->number);
	CHECK(wr_sim_disk_file(self->sim, name, &file));
	whole = malloc(file.bytes);
	CHECK(whole != NULL);
	memcpy(whole, file.data, file.bytes);
	for (size_t i = 0; i < file.bytes; i += 61) {
		char *changed = malloc(file.bytes);

		CHECK(changed != NULL);
		memcpy(changed, whole, file.bytes);
		changed[i] = (char)(changed[i] ^ 16);
		wr_sim_disk_put(self->sim, name, wr_view_of(changed, file.bytes));
		free(changed);
		forget(self, segment->number);
		segment->is_index_loaded = false;
		check_segment(self, 1);
		CHECK(!segment->is_damaged);
		reading_rest(self);
		CHECK(segment->is_index_loaded);
		CHECK(wr_sim_disk_file(self->sim, name, &file));
	}
	/* What was damaged has been written anew, and is the same. */
	check_segment(self, 1);
	CHECK(memcmp(file.data, whole, file.bytes) == 0);
	free(whole);
	reading_free(self);
}

static void test_a_missing_short_or_foreign_index_is_made_again(void)
{
	static const char *const labels[] = {"missing", "empty", "cut in a block", "one block",
					     "of another segment"};
	struct reading *self = begin_damage();
	struct wr_segment *segment = &self->store->segments[1];
	char name[WR_FS_NAME_BYTES], other[WR_FS_NAME_BYTES];

	wr_fs_index_name(name, segment->number);
	wr_fs_index_name(other, self->store->segments[2].number);
	for (size_t i = 0; i < WR_COUNT(labels); i++) {
		struct wr_view file;
		char *copy;

		wr_test_case(labels[i]);
		CHECK(wr_sim_disk_file(self->sim, i == 4 ? other : name, &file));
		copy = malloc(file.bytes);
		CHECK(copy != NULL);
		memcpy(copy, file.data, file.bytes);
		if (i == 0)
			CHECK(wr_sim_disk_remove(self->sim, name));
		else
			wr_sim_disk_put(self->sim, name,
					wr_view_of(copy, i == 1	  ? 0
							 : i == 2 ? file.bytes - 100
							 : i == 3 ? 4096
								  : file.bytes));
		free(copy);
		forget(self, segment->number);
		segment->is_index_loaded = false;
		check_segment(self, 1);
		reading_rest(self);
		CHECK(segment->is_index_loaded && segment->has_index);
		check_segment(self, 1);
	}
	reading_free(self);
}

static void test_an_index_does_not_pass_for_another_version_of_its_segment(void)
{
	static const struct {
		const char *label;
		uint64_t last_number, epoch;
		uint32_t file_bytes;
	} cases[] = {
		{"stands for more numbers", 1, 0, 0},
		{"is shorter", 0, 0, 8},
		{"of another epoch", 0, 1, 0},
	};
	struct reading *self = begin_damage();

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_segment segment = self->store->segments[1];

		wr_test_case(cases[i].label);
		segment.last_number += cases[i].last_number;
		segment.file_bytes -= cases[i].file_bytes;
		segment.seed = wr_record_seed_make(self->store->store_id,
						   segment.epoch + cases[i].epoch, segment.number);
		segment.is_index_loaded = false;
		forget(self, segment.number);
		CHECK_STATUS(wr_fs_index_load(self->store, &segment), WR_CORRUPT);
	}
	self->store->segments[1].is_index_loaded = false;
	CHECK_STATUS(wr_fs_index_load(self->store, &self->store->segments[1]), WR_OK);
	reading_free(self);
}

static void test_an_index_that_cannot_be_written_stays_in_memory(void)
{
	static const int errors[] = {ENOSPC, EIO};

	for (size_t i = 0; i < WR_COUNT(errors); i++) {
		struct reading *self = reading_new(5);
		unsigned calls = WR_SIM_CREATE;
		uint64_t sealed;

		reading_open(self);
		reading_append_random(self, 60);
		reading_rest(self);
		CHECK_STATUS(wr_fs_move_on(self->store, false), WR_OK);
		sealed = self->store->segments[0].number;
		CHECK_STATUS(wr_fs_settle(self->store), WR_OK);
		wr_sim_disk_fail(self->sim, calls, 1, errors[i], true);
		while (wr_jobs_step(self->store->jobs))
			;
		wr_jobs_poll(self->store->jobs);
		wr_sim_disk_fail(self->sim, 0, 0, 0, false);
		if (!self->store->segments[0].has_index)
			CHECK(wr_seal_find(self->store, sealed) != NULL);
		check_all(self);
		reading_rest(self);
		reading_append_random(self, 200); /* the next one takes it along */
		reading_rest(self);
		CHECK(self->store->segments[0].has_index);
		CHECK(wr_seal_find(self->store, sealed) == NULL);
		check_all(self);
		reading_free(self);
	}
}

static void test_without_memory_an_index_is_made_when_asked_for(void)
{
	struct reading *self = reading_new(5);
	bool has_failed = true;
	uint64_t n = 1;

	reading_open(self);
	for (; has_failed; n++) {
		uint32_t sealed;

		reading_append_random(self, 40);
		CHECK_STATUS(wr_fs_settle(self->store), WR_OK);
		reading_rest(self);
		sealed = self->store->segment_count - 1;
		self->store->segments[sealed].next_sequence = self->head + 1;
		wr_test_fail_allocation(n, false);
		(void)wr_fs_index_seal(self->store, self->store->segments[sealed].number);
		has_failed = wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		reading_rest(self);
		check_segment(self, sealed);
		/* It was not really sealed. */
		self->store->segments[sealed].next_sequence = UINT64_MAX;
		wr_fs_index_forget(self->store, self->store->segments[sealed].number);
		reading_close(self);
		reading_open(self);
	}
	CHECK(n > 2);
	reading_free(self);
}

static void test_making_an_index_fails_cleanly_without_memory(void)
{
	struct reading *self = begin_damage();
	struct wr_segment *segment = &self->store->segments[1];
	bool has_failed = true;

	for (uint64_t n = 1; has_failed; n++) {
		char name[WR_FS_NAME_BYTES];
		uint32_t hint = 0;
		struct wr_index_entry entry;
		enum wr_status status;

		wr_fs_index_name(name, segment->number);
		wr_sim_disk_remove(self->sim, name);
		wr_fs_index_forget(self->store, segment->number);
		forget(self, segment->number);
		segment->is_index_loaded = false;
		wr_test_fail_allocation(n, false);
		status = wr_fs_index_find(self->store, segment, 1, 0, 0, &hint, &entry);
		has_failed = wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		/* Only the writing of it may do without. */
		CHECK(status == WR_NO_MEMORY || status == WR_OK);
		CHECK(has_failed || status == WR_OK);
		check_segment(self, 1);
		reading_rest(self);
	}
	reading_free(self);
}

static void test_a_lost_record_without_index_quarantines_the_stream_with_the_hole(void)
{
	struct reading *self = reading_new(5);
	char name[WR_FS_NAME_BYTES];
	struct wr_segment *segment;
	struct wr_view file;
	uint64_t offset;
	char *copy;

	reading_open(self);
	for (unsigned i = 0; i < 200; i++)
		reading_append(self, 1 + i % 3, false, 40);
	reading_rest(self);
	segment = &self->store->segments[1];
	offset = place_of(self, segment, segment->first_sequence + 10);
	wr_fs_segment_name(name, segment->number);
	CHECK(wr_sim_disk_file(self->sim, name, &file));
	copy = malloc(file.bytes);
	CHECK(copy != NULL);
	memcpy(copy, file.data, file.bytes);
	memset(copy + offset, 0, WR_RECORD_HEADER_BYTES);
	wr_sim_disk_put(self->sim, name, wr_view_of(copy, file.bytes));
	free(copy);
	wr_fs_index_name(name, segment->number);
	wr_sim_disk_remove(self->sim, name);
	forget(self, segment->number);
	segment->is_index_loaded = false;
	CHECK_STATUS(wr_fs_index_rebuild(self->store, segment), WR_CORRUPT);
	CHECK(segment->is_damaged);
	for (uint32_t worker = 1; worker <= 3; worker++)
		CHECK(wr_fs_store_is_quarantined(self->store, worker) ==
		      (worker == self->events[segment->first_sequence + 10].worker));
	reading_free(self);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_index_agrees_with_a_naive_list, 60),
	WR_TEST(test_many_streams_fill_several_blocks),
	WR_TEST(test_an_empty_segment_has_an_empty_index),
	WR_TEST_LIMIT(test_a_changed_byte_anywhere_is_noticed_and_made_good, 60),
	WR_TEST(test_a_missing_short_or_foreign_index_is_made_again),
	WR_TEST(test_an_index_does_not_pass_for_another_version_of_its_segment),
	WR_TEST(test_an_index_that_cannot_be_written_stays_in_memory),
	WR_TEST(test_without_memory_an_index_is_made_when_asked_for),
	WR_TEST(test_making_an_index_fails_cleanly_without_memory),
	WR_TEST(test_a_lost_record_without_index_quarantines_the_stream_with_the_hole),
	WR_TEST_END,
};
