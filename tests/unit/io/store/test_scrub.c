/* Goal: damage that nobody has asked for is found by the slow scrub, costs the stream that it hit
 * and nothing else, and nothing sound is ever called damaged. Method: as in test_read.c; the clock
 * is moved by hand from slice to slice. */
#include "bounds.h"
#include "reading.h"

static struct reading *scrubbing_new(uint64_t seed)
{
	struct reading *self = reading_new(seed);

	self->config.scrub_ms = WR_STORE_SCRUB_MS;
	return self;
}

/* Goes on until this many passes are over. */
static void pass(struct reading *self, uint64_t count)
{
	while (self->store->scrub_count < count) {
		uint64_t due_ms = wr_fs_store_due_in_ms(self->store);

		CHECK(due_ms != UINT64_MAX);
		reading_now_ms += due_ms;
		reading_rest(self);
	}
}

static uint64_t sealed_bytes(const struct reading *self)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i + 1 < self->store->segment_count; i++)
		bytes += self->store->segments[i].bytes - WR_SEGMENT_HEADER_BYTES;
	return bytes;
}

static void test_a_pass_reads_all_that_is_sealed_and_finds_no_fault(void)
{
	struct reading *self = scrubbing_new(wr_test_seed());

	reading_open(self);
	reading_append_random(self, 900);
	reading_rest(self);
	CHECK(self->store->segment_count > 8);
	pass(self, 1);
	CHECK_U64(self->store->scrubbed_bytes, sealed_bytes(self));
	CHECK(!wr_fs_store_is_quarantined(self->store, 0));
	/* And after a day once more. */
	CHECK(wr_fs_store_due_in_ms(self->store) > self->config.scrub_rest_ms / 2);
	pass(self, 2);
	CHECK_U64(self->store->scrubbed_bytes, 2 * sealed_bytes(self));
	CHECK(!wr_fs_store_is_quarantined(self->store, 0));
	reading_check(self, true);
	reading_free(self);
}

/* Records longer than a chunk, headers across its end, slices that end within a segment. */
static void test_records_across_chunks_and_slices_are_sound(void)
{
	struct reading *self = scrubbing_new(wr_test_seed());

	self->config.segment_bytes = UINT64_C(1) << 20;
	self->config.bytes_max = UINT64_C(64) << 20;
	self->config.payload_bytes_max = READING_PAYLOAD_BYTES_MAX;
	reading_open(self);
	for (unsigned i = 0; i < 600; i++)
		reading_append(
			self, 1 + i % 3, i % 7 == 0,
			(size_t)reading_draw(self, i % 4 == 0 ? READING_PAYLOAD_BYTES_MAX : 90));
	reading_rest(self);
	CHECK(self->store->segment_count > 3);
	pass(self, 1);
	CHECK_U64(self->store->scrubbed_bytes, sealed_bytes(self));
	CHECK(!wr_fs_store_is_quarantined(self->store, 0));
	reading_free(self);
}

static void test_damage_costs_its_own_stream_before_anybody_reads_it(void)
{
	static const struct {
		const char *label;
		uint32_t at;
	} cases[] = {
		{"magic", 0},
		{"length", 4},
		{"kind", 8},
		{"stream", 12},
		{"sequence", 16},
		{"item", 40},
		{"payload sum", 44},
		{"header sum", 48},
		{"first of payload", 56},
		{"last of payload", 95},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct reading *self = scrubbing_new(7);
		uint64_t sequence = 60 + 7 * i;
		struct wr_segment *segment;
		char name[WR_FS_NAME_BYTES];
		uint64_t offset;

		wr_test_case(cases[i].label);
		reading_open(self);
		for (unsigned k = 0; k < 400; k++)
			reading_append(self, 1 + k % 5, k % 3 == 0, 40);
		reading_rest(self);
		offset = reading_offset(self, sequence, &segment);
		wr_fs_segment_name(name, segment->number);
		reading_flip(self, name, offset + cases[i].at);
		pass(self, 1);
		CHECK_U64(self->store->recovery.quarantined_count, 1);
		for (uint32_t worker = 1; worker <= 5; worker++)
			CHECK_U64(wr_fs_store_is_quarantined(self->store, worker),
				  worker == self->events[sequence].worker);
		CHECK(wr_fs_segment(self->store, segment->number)->is_damaged);
		CHECK(self->store->scrubbed_bytes > 0);
		for (uint32_t scope = 1; scope <= 5; scope++)
			if (scope != self->events[sequence].worker)
				reading_check_scope(self, scope, 0, true);
		reading_free(self);
	}
}

static void test_two_damaged_records_of_a_segment_are_both_found(void)
{
	struct reading *self = scrubbing_new(7);
	struct wr_segment *segment;
	char name[WR_FS_NAME_BYTES];

	reading_open(self);
	for (unsigned k = 0; k < 400; k++)
		reading_append(self, 1 + k % 5, false, 40);
	reading_rest(self);
	for (uint64_t sequence = 61; sequence <= 63; sequence += 2) {
		uint64_t offset = reading_offset(self, sequence, &segment);

		wr_fs_segment_name(name, segment->number);
		reading_flip(self, name, offset + 60);
	}
	pass(self, 1);
	CHECK_U64(self->store->recovery.quarantined_count, 2);
	CHECK(wr_fs_store_is_quarantined(self->store, self->events[61].worker));
	CHECK(wr_fs_store_is_quarantined(self->store, self->events[63].worker));
	reading_free(self);
}

static void test_a_damaged_checkpoint_is_replaced(void)
{
	struct reading *self = scrubbing_new(7);
	char name[WR_FS_NAME_BYTES];
	uint64_t damaged;

	reading_open(self);
	while (self->store->checkpoint_segment[1] == 0)
		reading_append(self, 1, false, 100);
	reading_rest(self);
	damaged = self->store->checkpoint_segment[1];
	wr_fs_segment_name(name, damaged);
	reading_flip(self, name, WR_SEGMENT_HEADER_BYTES + WR_RECORD_HEADER_BYTES + 4);
	CHECK(!self->port.ops->wants_checkpoint(self->port.context));
	pass(self, 1);
	/* No Worker has lost anything; but the log would stand on one leg. */
	CHECK(!wr_fs_store_is_quarantined(self->store, 0));
	CHECK(self->port.ops->wants_checkpoint(self->port.context));
	reading_checkpoint(self);
	reading_rest(self);
	CHECK(!self->port.ops->wants_checkpoint(self->port.context));
	CHECK(self->store->checkpoint_segment[1] > damaged);
	reading_check(self, true);
	reading_free(self);
}

static void test_what_the_system_lacks_now_is_no_damage(void)
{
	static const struct {
		unsigned call;
		int os_error;
	} cases[] = {
		{WR_SIM_OPEN, 24 /* EMFILE */},
		{WR_SIM_OPEN, 2 /* ENOENT: replaced, and this is not known yet */},
		{WR_SIM_READ, 12 /* ENOMEM */},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct reading *self = scrubbing_new(3);

		reading_open(self);
		reading_append_random(self, 400);
		reading_rest(self);
		wr_sim_disk_fail(self->sim, cases[i].call, 1, cases[i].os_error, false);
		pass(self, 1);
		CHECK_U64(wr_sim_disk_failed_count(self->sim), 1);
		if (cases[i].os_error != 2) {
			CHECK(!wr_fs_store_is_quarantined(self->store, 0));
			CHECK_U64(self->store->scrubbed_bytes, sealed_bytes(self));
		}
		reading_free(self);
	}
}

static void test_cleaning_beside_it_is_no_damage(void)
{
	struct reading *self = scrubbing_new(wr_test_seed());

	self->config.bytes_max = UINT64_C(8192) * 12;
	self->config.scrub_ms = 10; /* always at it */
	self->config.scrub_rest_ms = 10;
	reading_open(self);
	for (unsigned i = 0; i < 3000; i++) {
		reading_append_random(self, 1);
		if (i % 3 == 0)
			reading_rest(self);
	}
	reading_rest(self);
	CHECK(self->store->cleaned_count > 10);
	CHECK(self->store->scrub_count > 10);
	CHECK(!wr_fs_store_is_quarantined(self->store, 0));
	for (uint32_t i = 0; i < self->store->segment_count; i++)
		CHECK(!self->store->segments[i].is_damaged);
	reading_check(self, true);
	reading_free(self);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_pass_reads_all_that_is_sealed_and_finds_no_fault),
	WR_TEST(test_records_across_chunks_and_slices_are_sound),
	WR_TEST(test_damage_costs_its_own_stream_before_anybody_reads_it),
	WR_TEST(test_two_damaged_records_of_a_segment_are_both_found),
	WR_TEST(test_a_damaged_checkpoint_is_replaced),
	WR_TEST(test_what_the_system_lacks_now_is_no_damage),
	WR_TEST(test_cleaning_beside_it_is_no_damage),
	WR_TEST_END,
};
