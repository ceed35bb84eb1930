/* Goal: what is read is what was written, whole, in order, and nothing else; damage is named and
 * stays with the stream that it hit. Method: random logs of many small segments beside a list of
 * what they were given; then bytes changed under the store. */
#include "io/store/index_file.h"
#include "reading.h"

static void test_streams_read_what_was_written(void)
{
	struct reading *self = reading_new(wr_test_seed());

	reading_open(self);
	for (unsigned i = 0; i < 8; i++) {
		reading_append_random(self, 150);
		/* In all states: not yet written, not yet durable, index being written. */
		reading_check(self, true);
		wr_fs_store_turn(self->store);
		reading_check(self, false);
		reading_rest(self);
		reading_check(self, true);
	}
	CHECK(self->store->segment_count > 8);
	reading_close(self);
	reading_open(self);
	reading_check(self, true);
	reading_check(self, false);
	reading_free(self);
}

static void test_any_cursor_finds_the_next_event(void)
{
	struct reading *self = reading_new(wr_test_seed());
	struct wr_store_place place = {0, 0};
	struct wr_store_record record;

	reading_open(self);
	reading_append_random(self, 900);
	reading_rest(self);
	/* One place for everything, used wildly: it is a hint and no more. */
	for (unsigned i = 0; i < 3000; i++) {
		uint32_t scope = (uint32_t)reading_draw(self, READING_WORKERS + 1);
		uint64_t after = reading_draw(self, self->head + 3);
		uint64_t expected = reading_expected(self, scope, after);

		for (unsigned more = 0; more < 3; more++) {
			CHECK_STATUS(self->port.ops->next(self->port.context, scope, after, &place,
							  &record),
				     expected == 0 ? WR_NOT_FOUND : WR_OK);
			if (expected == 0)
				break;
			reading_check_record(self, &record, expected);
			after = expected;
			expected = reading_expected(self, scope, after);
		}
	}
	reading_free(self);
}

static void test_nothing_is_shown_before_it_is_visible(void)
{
	struct reading *self = reading_new(1);
	struct wr_store_place place = {0, 0};
	struct wr_store_record record;

	reading_open(self);
	reading_append(self, 1, true, 10);
	for (unsigned i = 0; i < 2; i++) {
		for (uint32_t scope = 0; scope < 2; scope++)
			CHECK_STATUS(
				self->port.ops->next(self->port.context, scope, 0, &place, &record),
				WR_NOT_FOUND);
		CHECK_STATUS(self->port.ops->item(self->port.context, 1, 1, &place, &record),
			     WR_NOT_FOUND);
		wr_fs_store_turn(self->store); /* written, and not yet durable */
	}
	reading_rest(self);
	reading_check(self, true);
	reading_free(self);
}

static void test_what_never_was_is_not_found(void)
{
	static const struct {
		const char *label;
		uint32_t worker, item;
		uint64_t after;
	} cases[] = {
		{"a Worker that never was", 77, 1, 0},
		{"the largest Worker number", UINT32_MAX, 1, 0},
		{"item 0", 1, 0, 100},
		{"an item to come", 1, 3, 100},
		{"the largest item", 1, UINT32_MAX, 100},
		{"an item of a Worker without", 2, 1, 100},
		{"after the largest sequence", 1, UINT32_MAX, UINT64_MAX},
	};
	struct reading *self = reading_new(1);

	reading_open(self);
	reading_append(self, 1, true, 10);
	reading_append(self, 1, true, 10);
	reading_append(self, 2, false, 10);
	reading_rest(self);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_store_place place = {0, 0};
		struct wr_store_record record;

		wr_test_case(cases[i].label);
		CHECK_STATUS(self->port.ops->next(self->port.context, cases[i].worker,
						  cases[i].after, &place, &record),
			     WR_NOT_FOUND);
		CHECK_STATUS(self->port.ops->item(self->port.context, cases[i].worker,
						  cases[i].item, &place, &record),
			     WR_NOT_FOUND);
	}
	reading_free(self);
}

/* ---- damage ---- */

/* Handles and windows of the files that were changed. */
static void forget_all(struct reading *self)
{
	for (uint32_t i = 0; i < self->store->segment_count; i++) {
		uint64_t number = self->store->segments[i].number;

		wr_fs_forget_handles(self->store, number);
		wr_index_file_forget(self->store, number);
		wr_fs_read_forget(self->store, number);
	}
}

/* Reads all: one report of this Worker, and everything of the others. */
static void check_all_but(struct reading *self, uint32_t worker)
{
	struct wr_store_place place = {0, 0};
	struct wr_store_record record;
	unsigned reports = 0;
	uint64_t after = 0;

	for (uint64_t i = 1; i <= self->head;) {
		enum wr_status status =
			self->port.ops->next(self->port.context, 0, after, &place, &record);

		if (status == WR_CORRUPT) {
			CHECK_U64(record.worker, worker);
			CHECK_U64(reports++, 0);
			continue;
		}
		while (i <= self->head && self->events[i].worker == worker &&
		       (status == WR_NOT_FOUND || record.sequence != i))
			i++;
		if (i > self->head) {
			CHECK_STATUS(status, WR_NOT_FOUND);
			break;
		}
		CHECK_STATUS(status, WR_OK);
		reading_check_record(self, &record, i);
		after = i++;
	}
	CHECK_U64(reports, 1);
	CHECK(wr_fs_store_is_quarantined(self->store, worker));
	CHECK_U64(self->store->recovery.quarantined_count, 1);
	CHECK_STATUS(self->port.ops->next(self->port.context, worker, 0, &place, &record),
		     WR_CORRUPT);
	CHECK_U64(record.worker, worker);
	for (uint32_t scope = 1; scope <= READING_WORKERS; scope++)
		if (scope != worker)
			reading_check_scope(self, scope, 0, true);
}

static void test_a_damaged_record_costs_its_own_stream_only(void)
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
		{"payload checksum", 44},
		{"header checksum", 48},
		{"payload", 60},
	};
	struct reading *self = reading_new(7);

	reading_open(self);
	for (unsigned i = 0; i < 400; i++)
		reading_append(self, 1 + i % 5, i % 3 == 0, 40);
	reading_rest(self);
	reading_close(self);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_sim_disk *whole = wr_sim_disk_copy(self->sim), *mine = self->sim;
		struct wr_segment *segment;
		char name[WR_FS_NAME_BYTES];
		uint64_t offset;

		wr_test_case(cases[i].label);
		self->sim = whole;
		self->disk = wr_sim_disk_port(whole);
		reading_open(self);
		offset = reading_offset(self, 60 + 7 * i, &segment);
		wr_fs_segment_name(name, segment->number);
		reading_flip(self, name, offset + cases[i].at);
		forget_all(self);
		check_all_but(self, self->events[60 + 7 * i].worker);
		reading_close(self);
		wr_sim_disk_free(whole);
		self->sim = mine;
		self->disk = wr_sim_disk_port(mine);
	}
	reading_free(self);
}

static void test_a_damaged_item_is_told(void)
{
	struct reading *self = reading_new(7);
	struct wr_store_place place = {0, 0};
	struct wr_store_record record;
	struct wr_segment *segment;
	char name[WR_FS_NAME_BYTES];
	uint64_t offset;

	reading_open(self);
	for (unsigned i = 0; i < 300; i++)
		reading_append(self, 1 + i % 2, true, 40);
	reading_rest(self);
	offset = reading_offset(self, 21, &segment); /* item 11 of Worker 1 */
	wr_fs_segment_name(name, segment->number);
	reading_flip(self, name, offset + 70);
	forget_all(self);
	CHECK_STATUS(self->port.ops->item(self->port.context, 1, 10, &place, &record), WR_OK);
	CHECK_STATUS(self->port.ops->item(self->port.context, 1, 11, &place, &record), WR_CORRUPT);
	CHECK_U64(record.worker, 1);
	CHECK_STATUS(self->port.ops->item(self->port.context, 1, 12, &place, &record), WR_CORRUPT);
	CHECK_STATUS(self->port.ops->item(self->port.context, 2, 12, &place, &record), WR_OK);
	reading_free(self);
}

/* Index and record gone at once: nobody knows any more whose it was, but for the hole that it left.
 */
static void test_a_hole_that_no_index_knows_of_is_told(void)
{
	struct reading *self = reading_new(7);
	struct wr_store_place place = {0, 0};
	struct wr_store_record record;
	struct wr_segment *segment;
	char name[WR_FS_NAME_BYTES];
	uint64_t offset;

	reading_open(self);
	for (unsigned i = 0; i < 500; i++)
		reading_append(self, i % 100 == 20 ? 3 : 1, false, 40);
	reading_rest(self);
	offset = reading_offset(self, 221, &segment);
	wr_fs_segment_name(name, segment->number);
	reading_flip(self, name, offset + 12);
	wr_fs_index_name(name, segment->number);
	CHECK(wr_sim_disk_remove(self->sim, name));
	segment->is_index_loaded = false;
	forget_all(self);
	CHECK_STATUS(self->port.ops->next(self->port.context, 3, 0, &place, &record), WR_OK);
	CHECK_STATUS(self->port.ops->next(self->port.context, 3, 21, &place, &record), WR_OK);
	CHECK_STATUS(self->port.ops->next(self->port.context, 3, 121, &place, &record), WR_CORRUPT);
	CHECK_U64(record.worker, 3);
	CHECK(wr_fs_store_is_quarantined(self->store, 3));
	CHECK(segment->is_damaged);
	reading_free(self);
}

static void test_what_the_system_lacks_now_is_no_damage(void)
{
	static const struct {
		unsigned call;
		int os_error;
		enum wr_status status;
	} cases[] = {
		{WR_SIM_OPEN, 24 /* EMFILE */, WR_NO_MEMORY},
		{WR_SIM_OPEN, 23 /* ENFILE */, WR_NO_MEMORY},
		{WR_SIM_OPEN, 12 /* ENOMEM */, WR_NO_MEMORY},
		{WR_SIM_READ, 12 /* ENOMEM */, WR_NO_MEMORY},
		{WR_SIM_OPEN, 13 /* EACCES */, WR_IO},
	};
	struct reading *self = reading_new(3);
	struct wr_store_record record;

	reading_open(self);
	for (unsigned i = 0; i < 300; i++)
		reading_append(self, 1 + i % 3, i % 5 == 0, 60);
	reading_rest(self);
	for (size_t i = 0; i < WR_COUNT(cases); i++)
		for (uint32_t scope = 0; scope < 3; scope++) {
			struct wr_store_place place = {0, 0};

			forget_all(self);
			wr_sim_disk_fail(self->sim, cases[i].call, 1, cases[i].os_error, true);
			CHECK_STATUS(
				self->port.ops->next(self->port.context, scope, 9, &place, &record),
				cases[i].status);
			CHECK(scope == 0 ||
			      self->port.ops->item(self->port.context, scope, 2, &place, &record) ==
				      cases[i].status);
			wr_sim_disk_fail(self->sim, 0, 0, 0, false);
		}
	CHECK(!wr_fs_store_is_quarantined(self->store, 0));
	reading_check(self, true);
	reading_free(self);
}

static void test_failed_allocations_lose_nothing(void)
{
	struct reading *self = reading_new(3);
	bool has_failed = true;

	reading_open(self);
	for (unsigned i = 0; i < 300; i++)
		reading_append(self, 1 + i % 3, i % 5 == 0, 60);
	reading_rest(self);
	for (uint64_t n = 1; has_failed; n++) {
		struct wr_store_place place = {0, 0};
		struct wr_store_record record;
		enum wr_status status;

		reading_close(self);
		reading_open(self);
		wr_test_fail_allocation(n, false);
		status = self->port.ops->next(self->port.context, 2, 50, &place, &record);
		has_failed = wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		CHECK_STATUS(status, has_failed ? WR_NO_MEMORY : WR_OK);
		CHECK_STATUS(self->port.ops->next(self->port.context, 2, 50, &place, &record),
			     WR_OK);
		reading_check_record(self, &record, 53);
	}
	reading_free(self);
}

static void test_memory_for_large_records_is_given_back(void)
{
	struct reading *self = reading_new(3);

	self->config.segment_bytes = 262144;
	self->config.payload_bytes_max = READING_PAYLOAD_BYTES_MAX;
	reading_open(self);
	for (unsigned i = 0; i < 20; i++)
		reading_append(self, 1, i % 2 == 0, 65000);
	reading_rest(self);
	reading_check(self, true);
	CHECK(self->store->payload.capacity != 0);
	reading_rest(self);
	CHECK(self->store->payload.capacity <= 65536);
	reading_check(self, true);
	reading_free(self);
}

/* What is looked for in vain behind any place says nothing of where a stream ends; and retention
 * must know that. */
static void test_looking_behind_a_stream_does_not_move_its_end(void)
{
	struct reading *self = reading_new(1);
	struct wr_store_place place = {0, 0};
	struct wr_store_record record;

	reading_open(self);
	for (unsigned i = 0; i < 400; i++)
		reading_append(self, i == 5 ? 1 : 2, false, 60);
	reading_rest(self);
	reading_close(self);
	self->head = 400;
	reading_open(self);
	self->store->rows[1].last_sequence = 0; /* as when a checkpoint told of it */
	CHECK_STATUS(self->port.ops->next(self->port.context, 1, 300, &place, &record),
		     WR_NOT_FOUND);
	CHECK(self->store->rows[1].last_sequence == 0 || self->store->rows[1].last_sequence == 6);
	CHECK_STATUS(self->port.ops->next(self->port.context, 1, 0, &place, &record), WR_OK);
	CHECK_U64(record.sequence, 6);
	CHECK_STATUS(self->port.ops->next(self->port.context, 1, 6, &place, &record), WR_NOT_FOUND);
	CHECK_U64(self->store->rows[1].last_sequence, 6);
	reading_free(self);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_streams_read_what_was_written, 60),
	WR_TEST_LIMIT(test_any_cursor_finds_the_next_event, 60),
	WR_TEST(test_nothing_is_shown_before_it_is_visible),
	WR_TEST(test_what_never_was_is_not_found),
	WR_TEST(test_a_damaged_record_costs_its_own_stream_only),
	WR_TEST(test_a_damaged_item_is_told),
	WR_TEST(test_a_hole_that_no_index_knows_of_is_told),
	WR_TEST(test_what_the_system_lacks_now_is_no_damage),
	WR_TEST(test_failed_allocations_lose_nothing),
	WR_TEST(test_looking_behind_a_stream_does_not_move_its_end),
	WR_TEST(test_memory_for_large_records_is_given_back),
	WR_TEST_END,
};
