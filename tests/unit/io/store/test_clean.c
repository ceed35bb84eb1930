/* Goal: cleaning takes away what was given up and nothing else, whatever stops it and wherever.
 * Method: logs in little room beside the list of everything that was written; power cuts after
 * every change of the disk, every call failing once and for ever, damage, and readers in between.
 */
#include "io/store/clean.h"
#include "reading.h"

#include <errno.h>
#include <poll.h>

/* Room for 12 segments of 8 KiB; one loud Worker, some quiet ones with items. */
static struct reading *begin(uint64_t seed)
{
	struct reading *self = reading_new(seed);

	self->config.bytes_max = 8192 * 12;
	reading_open(self);
	return self;
}

static void append_some(struct reading *self, unsigned count)
{
	while (count-- != 0) {
		uint32_t worker = reading_draw(self, 4) != 0
					  ? 1
					  : (uint32_t)reading_draw(self, READING_WORKERS + 1);

		reading_append(self, worker, reading_draw(self, 6) == 0,
			       (size_t)reading_draw(self, 200));
	}
}

/* Goes on until a run was just chosen, and nothing done for it; then so many more. */
static void run_until_cleaning(struct reading *self, unsigned times)
{
	for (unsigned i = 0; i < 20000; i++) {
		if (i % 20 == 0)
			append_some(self, 20);
		wr_fs_store_turn(self->store);
		if (wr_fs_is_cleaning(self->store) && self->store->clean->phase == WR_CLEAN_COPY &&
		    !self->store->clean->has_temporary && times-- == 1)
			return;
		wr_jobs_step(self->store->jobs);
	}
	wr_test_fail(__FILE__, __LINE__, "cleaning begins");
}

/* The segments in the table are all numbers from 1 on, and so are the files. */
static void check_numbers(struct reading *self)
{
	uint64_t next = 1;

	for (uint32_t i = 0; i < self->store->segment_count; i++) {
		const struct wr_segment *segment = &self->store->segments[i];
		char name[WR_FS_NAME_BYTES];
		struct wr_view file;

		CHECK_U64(segment->number, next);
		next = segment->last_number + 1;
		wr_fs_segment_name(name, segment->number);
		CHECK(wr_sim_disk_file(self->sim, name, &file));
		CHECK_U64(file.bytes, segment->file_bytes);
	}
}

/* What the disk has is what the store counts. */
static void check_bytes(struct reading *self)
{
	reading_rest(self);
	CHECK(!wr_fs_is_cleaning(self->store));
	CHECK_U64(wr_sim_disk_used(self->sim), self->store->file_bytes);
}

static void test_cleaning_goes_on_for_long(void)
{
	struct reading *self = begin(wr_test_seed());

	for (unsigned round = 0; round < 6; round++) {
		append_some(self, 700);
		check_bytes(self);
		check_numbers(self);
		reading_check(self, round % 2 == 0);
		CHECK(self->store->segment_count < 24);
	}
	CHECK(self->store->cleaned_count > 20);
	CHECK(self->store->segments[0].last_number > 1);
	reading_close(self);
	reading_open(self);
	check_bytes(self);
	check_numbers(self);
	reading_check(self, true);
	reading_free(self);
}

static void test_readers_go_on_at_every_step(void)
{
	struct reading *self = begin(wr_test_seed());
	struct wr_store_place places[READING_WORKERS + 1] = {{0, 0}};
	uint64_t at[READING_WORKERS + 1] = {0}, done;

	run_until_cleaning(self, 2);
	done = self->store->cleaned_count + 2;
	while (self->store->cleaned_count < done) {
		/* Places that outlive the turn, which they need not: they are hints. */
		for (uint32_t scope = 0; scope <= READING_WORKERS; scope++) {
			uint64_t expected = reading_expected(self, scope, at[scope]);
			struct wr_store_record record;

			CHECK_STATUS(self->port.ops->next(self->port.context, scope, at[scope],
							  &places[scope], &record),
				     expected == 0 ? WR_NOT_FOUND : WR_OK);
			if (expected != 0)
				reading_check_record(self, &record, expected);
			at[scope] = expected;
		}
		reading_check(self, true);
		if (!wr_jobs_step(self->store->jobs))
			append_some(self, 10);
		if (reading_draw(self, 2) == 0)
			wr_fs_store_turn(self->store);
	}
	reading_check(self, true);
	reading_free(self);
}

/* ---- power cuts ---- */

/* Opens what a power cut has left, twice, and checks it against the list up to where it goes. */
static void check_cut(struct reading *self, struct wr_sim_disk *cut, uint64_t shown)
{
	struct reading before = {.sim = self->sim, .store = self->store, .port = self->port};
	uint64_t head = self->head;

	self->sim = cut;
	self->disk = wr_sim_disk_port(cut);
	for (unsigned i = 0; i < 2; i++) {
		CHECK_STATUS(reading_try_open(self), WR_OK);
		CHECK(self->store->head >= shown && self->store->head <= head);
		CHECK(!wr_fs_store_is_quarantined(self->store, 0));
		CHECK(!self->store->recovery.is_damaged);
		self->head = self->store->head;
		reading_check(self, true);
		reading_rest(self); /* goes on cleaning where that was interrupted */
		check_numbers(self);
		if (i == 1)
			reading_check(self, true);
		reading_close(self);
	}
	self->sim = before.sim;
	self->disk = wr_sim_disk_port(before.sim);
	self->store = before.store;
	self->port = before.port;
	self->head = head;
}

struct cutter {
	struct reading *reading;
	unsigned count;
};

static void cut_power(void *context, struct wr_sim_disk *disk, enum wr_sim_call call,
		      const char *name)
{
	static const enum wr_sim_cut cuts[] = {WR_SIM_CUT_NONE, WR_SIM_CUT_ALL, WR_SIM_CUT_RANDOM,
					       WR_SIM_CUT_RANDOM};
	struct cutter *cutter = context;

	(void)call;
	(void)name;
	for (size_t i = 0; i < WR_COUNT(cuts); i++) {
		struct wr_sim_disk *cut = wr_sim_disk_power_cut(
			disk, cuts[i], wr_test_random(&cutter->reading->random));

		check_cut(cutter->reading, cut, cutter->reading->store->durable);
		wr_sim_disk_free(cut);
		cutter->count++;
	}
}

static void test_power_may_fail_after_every_change(void)
{
	struct reading *self = begin(wr_test_seed());
	struct cutter cutter = {.reading = self};

	for (unsigned times = 1; times <= 3; times++) {
		uint64_t cleaned = self->store->cleaned_count + 1;

		run_until_cleaning(self, 2);
		wr_sim_disk_watch(self->sim, cut_power, &cutter);
		while (self->store->cleaned_count < cleaned || wr_fs_is_cleaning(self->store)) {
			wr_jobs_step(self->store->jobs);
			wr_jobs_poll(self->store->jobs);
		}
		wr_sim_disk_watch(self->sim, NULL, NULL);
		reading_check(self, true);
	}
	CHECK(cutter.count > 3 * 4 * 10);
	reading_free(self);
}

/* Goes on until cleaning would begin at once. */
static void run_until_ready(struct reading *self)
{
	struct wr_fs_store *store = self->store;

	while (!wr_fs_is_pressed(store) || !wr_fs_has_cleaning(store, UINT32_MAX) ||
	       wr_fs_is_cleaning(store)) {
		append_some(self, 1);
		wr_fs_retain(store);
		CHECK_STATUS(wr_fs_settle(store), WR_OK);
		wr_fs_prepare_next(store);
		wr_jobs_drain(store->jobs);
	}
}

/* What was given up is gone for good only when that is on the medium, and so is the state that does
 * without it. */
static void test_nothing_is_cleaned_before_that_is_durable(void)
{
	struct reading *self = begin(wr_test_seed());
	struct wr_fs_store *store = self->store;
	uint64_t durable;

	run_until_ready(self);
	durable = store->durable_position;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t retired = store->retired_position, bytes = store->checkpoint_bytes;

		if (i == 0)
			store->retired_position = durable + 8;
		else if (i == 1)
			store->checkpoint_bytes = (durable & UINT32_MAX) + 8192 * 64;
		wr_fs_clean(store);
		CHECK(wr_fs_is_cleaning(store) == (i == 2));
		store->retired_position = retired;
		store->checkpoint_bytes = bytes;
	}
	reading_rest(self);
	reading_check(self, true);
	reading_free(self);
}

/* ---- a disk that says no ---- */

static void test_any_call_may_fail(void)
{
	static const struct {
		unsigned call;
		int os_error;
	} cases[] = {
		{WR_SIM_CREATE, ENOSPC},   {WR_SIM_CREATE, EMFILE}, {WR_SIM_WRITE, ENOSPC},
		{WR_SIM_WRITE, EIO},	   {WR_SIM_SYNC, EIO},	    {WR_SIM_OPEN, EMFILE},
		{WR_SIM_RENAME, EIO},	   {WR_SIM_RENAME, ENOSPC}, {WR_SIM_READ, ENOMEM},
		{WR_SIM_SYNC_FOLDER, EIO}, {WR_SIM_UNLINK, EIO},
	};
	struct reading *self = begin(11);

	for (size_t i = 0; i < WR_COUNT(cases); i++)
		for (uint64_t n = 1; n <= 6; n++) {
			struct wr_sim_disk *disk;
			uint64_t shown;

			run_until_cleaning(self, 1);
			/* Only the calls of cleaning are to fail. */
			CHECK_STATUS(wr_fs_flush(self->store), WR_OK);
			wr_sim_disk_fail(self->sim, cases[i].call, n, cases[i].os_error,
					 n % 2 == 0);
			while (wr_jobs_step(self->store->jobs))
				wr_jobs_poll(self->store->jobs);
			wr_sim_disk_fail(self->sim, 0, 0, 0, false);
			reading_check(self, true);
			shown = self->port.ops->visible(self->port.context);
			reading_now_ms += 100000;
			if (self->store->state != WR_FS_FAILED) {
				reading_rest(self);
				reading_check(self, true);
				continue;
			}
			/* What the process leaves, opens. */
			disk = wr_sim_disk_copy(self->sim);
			check_cut(self, disk, shown);
			wr_sim_disk_free(disk);
			wr_fs_store_close(self->store);
			wr_sim_disk_kill(self->sim);
			CHECK_STATUS(reading_try_open(self), WR_OK);
			self->head = self->store->head;
			for (uint32_t worker = 0; worker <= READING_WORKERS; worker++)
				self->items[worker] = worker < self->store->row_count
							      ? self->store->rows[worker].last_item
							      : 0;
		}
	/* Files that could not be removed are, by the next start. */
	append_some(self, 300);
	reading_rest(self);
	reading_close(self);
	reading_open(self);
	append_some(self, 300);
	check_bytes(self);
	reading_free(self);
}

static void test_without_memory_it_waits(void)
{
	struct reading *self = begin(5);
	bool has_begun = false;

	for (uint64_t n = 1; !has_begun; n++) {
		struct wr_fs_store *store = self->store;

		run_until_ready(self);
		wr_test_fail_allocation(n, false);
		wr_fs_clean(store);
		has_begun = wr_fs_is_cleaning(store);
		CHECK(has_begun != wr_test_allocation_failed());
		wr_test_fail_allocation(0, false);
		wr_fs_clean(store);
		CHECK(wr_fs_is_cleaning(store) == has_begun); /* not at once again */
		reading_now_ms += 1000;
		reading_check(self, true);
	}
	reading_rest(self);
	reading_check(self, true);
	reading_free(self);
}

/* ---- damage ---- */

static void flip(struct reading *self, const char *name, uint64_t offset)
{
	struct wr_view file;
	char *copy;

	CHECK(wr_sim_disk_file(self->sim, name, &file));
	CHECK(offset < file.bytes);
	copy = malloc(file.bytes);
	CHECK(copy != NULL);
	memcpy(copy, file.data, file.bytes);
	copy[offset] = (char)(copy[offset] ^ 4);
	wr_sim_disk_put(self->sim, name, wr_view_of(copy, file.bytes));
	free(copy);
}

static void test_a_damaged_segment_is_left_as_it_is(void)
{
	struct reading *self = begin(5);
	struct wr_segment *segment;
	char name[WR_FS_NAME_BYTES];
	struct wr_view file;
	uint64_t number;
	size_t bytes;
	char *copy;

	run_until_cleaning(self, 3);
	segment = &self->store->segments[self->store->clean->first];
	number = segment->number;
	wr_fs_segment_name(name, number);
	flip(self, name, segment->bytes - 20);
	CHECK(wr_sim_disk_file(self->sim, name, &file));
	bytes = file.bytes;
	copy = malloc(bytes);
	CHECK(copy != NULL);
	memcpy(copy, file.data, bytes);
	for (unsigned i = 0; i < 10; i++) {
		append_some(self, 100);
		reading_rest(self);
	}
	segment = wr_fs_segment(self->store, number);
	CHECK(segment != NULL && segment->number == number && segment->is_damaged);
	CHECK(wr_sim_disk_file(self->sim, name, &file));
	CHECK(wr_view_equal(file, wr_view_of(copy, bytes)));
	CHECK(self->store->segments[self->store->segment_count - 1].number > 20);
	free(copy);
	reading_free(self);
}

/* Found by a disk that could not be read for a while: the store had come to believe that a segment
 * ended at once, cleaned it into nothing, and lost it. */
static void test_what_an_index_knows_and_a_segment_lacks_is_damage(void)
{
	struct reading *self = begin(5);
	struct wr_segment *segment;
	uint64_t cleaned;

	run_until_cleaning(self, 3);
	cleaned = self->store->cleaned_count;
	segment = &self->store->segments[self->store->clean->first];
	self->store->clean->sources[0].end = WR_SEGMENT_HEADER_BYTES;
	while (wr_jobs_step(self->store->jobs))
		wr_jobs_poll(self->store->jobs);
	CHECK(segment->is_damaged);
	CHECK_U64(self->store->cleaned_count, cleaned);
	reading_check(self, true);
	reading_free(self);
}

static void test_a_segment_that_cannot_be_read_for_a_while_stays(void)
{
	struct reading *self = begin(5);
	struct wr_store_record record;
	uint64_t reads = 0;

	run_until_cleaning(self, 3);
	reading_rest(self);
	for (uint32_t i = 0; i + 1 < self->store->segment_count; i++) {
		struct wr_segment *segment = &self->store->segments[i];
		struct wr_store_place place = {0, 0};
		uint32_t bytes = segment->bytes;

		wr_fs_forget_handles(self->store, segment->number);
		wr_index_file_forget(self->store, segment->number);
		wr_fs_read_forget(self->store, segment->number);
		wr_sim_disk_fail(self->sim, WR_SIM_READ, 1, EIO, true);
		for (unsigned again = 0; again < 2; again++) {
			reads = wr_sim_disk_call_count(self->sim, WR_SIM_READ);
			CHECK_STATUS(self->port.ops->next(self->port.context, 1,
							  segment->first_sequence - 1, &place,
							  &record),
				     WR_IO);
		}
		/* The second time the whole segment was not tried again. */
		CHECK(wr_sim_disk_call_count(self->sim, WR_SIM_READ) - reads <= 1);
		wr_sim_disk_fail(self->sim, 0, 0, 0, false);
		CHECK_U64(segment->bytes, bytes);
		reading_now_ms += WR_FS_RETRY_MS;
	}
	append_some(self, 600);
	reading_rest(self);
	CHECK(!wr_fs_store_is_quarantined(self->store, 0));
	reading_check(self, true);
	reading_free(self);
}

static void test_the_helper_thread_cleans_beside_readers(void)
{
	struct reading *self = reading_new(wr_test_seed());
	struct pollfd report = {.events = POLLIN};
	unsigned rounds = 0;

	self->config.bytes_max = 8192 * 12;
	self->config.is_inline = false;
	reading_open(self);
	report.fd = wr_fs_store_fd(self->store);
	while (self->store->cleaned_count < 12 && rounds++ < 100000) {
		uint32_t scope = (uint32_t)reading_draw(self, READING_WORKERS + 1);
		uint64_t after = reading_draw(self, self->head + 1);
		uint64_t expected = reading_expected(self, scope, after);
		struct wr_store_place place = {0, 0};
		struct wr_store_record record;

		CHECK_STATUS(
			self->port.ops->next(self->port.context, scope, after, &place, &record),
			expected == 0 ? WR_NOT_FOUND : WR_OK);
		if (expected != 0)
			reading_check_record(self, &record, expected);
		/* Without room there is nothing to do but to wait for the helper. */
		if (!self->port.ops->has_room(self->port.context))
			poll(&report, 1, 10);
		else if (reading_try_append(self, rounds % 4 != 0 ? 1 : 2, rounds % 7 == 0,
					    (size_t)reading_draw(self, 200)) == WR_OK)
			reading_checkpoint(self);
		reading_now_ms += 1;
		wr_fs_store_turn(self->store);
	}
	wr_jobs_drain(self->store->jobs);
	CHECK(self->store->cleaned_count >= 12);
	CHECK_STATUS(wr_fs_settle(self->store), WR_OK);
	reading_check(self, true);
	reading_free(self);
}

static void test_an_index_made_meanwhile_does_no_harm(void)
{
	struct reading *self = begin(5);

	for (unsigned steps = 0; steps < 10; steps++) {
		char name[WR_FS_NAME_BYTES];
		const struct wr_segment *segment;
		uint32_t first, last;

		run_until_cleaning(self, 1);
		segment = &self->store->segments[self->store->clean->first];
		for (unsigned i = 0; i < steps; i++)
			wr_jobs_step(self->store->jobs);
		/* The old index turns out to be damaged: it is made again, at an awkward time. */
		wr_fs_index_name(name, segment->number);
		if (wr_fs_is_cleaning(self->store)) {
			flip(self, name, 5);
			wr_index_file_forget(self->store, segment->number);
			wr_fs_index_items(self->store, &self->store->segments[0], 1, &first, &last);
		}
		reading_check(self, true);
		reading_rest(self);
		reading_check(self, true);
		CHECK(!wr_fs_store_is_quarantined(self->store, 0));
	}
	reading_close(self);
	reading_open(self);
	reading_check(self, true);
	reading_free(self);
}

static void test_records_longer_than_new_ones_may_be_are_cleaned_too(void)
{
	struct reading *self = reading_new(5);

	self->config.segment_bytes = 524288;
	self->config.payload_bytes_max = READING_PAYLOAD_BYTES_MAX + 4096;
	self->config.bytes_max = 524288 * 6;
	reading_open(self);
	for (unsigned i = 0; i < 30; i++)
		reading_append(self, 1 + i % 2, true, READING_PAYLOAD_BYTES_MAX);
	reading_rest(self);
	reading_close(self);
	self->config.payload_bytes_max = 1024;
	reading_open(self);
	for (unsigned i = 0; i < 6000; i++) {
		reading_append(self, 1, false, 500);
		if (i % 100 == 0)
			reading_rest(self);
	}
	CHECK(self->store->cleaned_count != 0);
	CHECK(self->store->clean_record_bytes > READING_PAYLOAD_BYTES_MAX);
	CHECK(self->store->segments[0].is_compacted);
	reading_check_scope(self, 2, 0, true);
	reading_check_items(self, 2, true);
	reading_free(self);
}

/* An index has 32 bits for a sequence, counted from the first one of its segment. */
static void test_no_segment_stands_for_more_sequences_than_an_index_can_tell(void)
{
	const uint64_t leap = UINT64_C(3) << 31;
	struct reading *self = begin(1);
	struct wr_fs_store *store = self->store;
	struct wr_store_record record;
	uint64_t sequence = 0, later = 0;

	for (unsigned i = 0; i < 3000; i++) {
		uint32_t worker = i == 0 ? 2 : later == 0 && sequence > leap ? 3 : 1;
		enum wr_status status = WR_OVERLOAD;

		if (i > 300 && sequence < leap && store->entry_count == 0) {
			/* As if that many events had come and gone. */
			wr_fs_active(store)->first_sequence += leap;
			store->head += leap;
			sequence += leap;
		}
		record = (struct wr_store_record){++sequence, worker, worker == 2 ? 1 : 0,
						  reading_payload(1, 60)};
		while (status != WR_OK) {
			status = self->port.ops->append(self->port.context, &record,
							WR_STORE_ORDINARY);
			reading_checkpoint(self);
			if (i % 20 == 0 || status != WR_OK)
				reading_rest(self);
		}
		if (worker == 3)
			later = sequence;
	}
	CHECK(later > leap && store->cleaned_count > 5);
	for (uint32_t i = 0; i + 1 < store->segment_count; i++)
		CHECK(store->segments[i].next_sequence - store->segments[i].first_sequence <=
		      UINT32_MAX);
	CHECK_STATUS(self->port.ops->item(self->port.context, 2, 1, &(struct wr_store_place){0, 0},
					  &record),
		     WR_OK);
	CHECK_U64(record.sequence, 1);
	CHECK_STATUS(self->port.ops->next(self->port.context, 3, 0, &(struct wr_store_place){0, 0},
					  &record),
		     WR_OK);
	CHECK_U64(record.sequence, later);
	reading_free(self);
}

/* A segment that nobody can read for as long as it takes stays as it is, and keeps its room; but
 * others give theirs. */
static void test_an_unreadable_segment_does_not_keep_others_from_being_cleaned(void)
{
	struct reading *self = begin(wr_test_seed());
	struct wr_segment *segment;
	char name[WR_FS_NAME_BYTES];
	uint64_t cleaned, number;

	append_some(self, 2000);
	reading_rest(self);
	reading_close(self);
	reading_open(self);
	segment = &self->store->segments[1];
	number = segment->number;
	wr_fs_index_name(name, number);
	wr_sim_disk_put(self->sim, name, WR_VIEW("nothing"));
	wr_fs_forget_handles(self->store, number);
	wr_fs_index_forget(self->store, number);
	segment->is_index_loaded = false;
	segment->rest_until_ms = UINT64_MAX; /* as if reading it had failed just now */
	cleaned = self->store->cleaned_count;
	append_some(self, 3000);
	reading_rest(self);
	CHECK(self->store->cleaned_count > cleaned + 5);
	CHECK(wr_fs_segment(self->store, number)->number == number);
	CHECK(!wr_fs_segment(self->store, number)->is_dead_known);
	reading_free(self);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_cleaning_goes_on_for_long, 120),
	WR_TEST_LIMIT(test_readers_go_on_at_every_step, 120),
	WR_TEST_LIMIT(test_power_may_fail_after_every_change, 240),
	WR_TEST_LIMIT(test_nothing_is_cleaned_before_that_is_durable, 60),
	WR_TEST_LIMIT(test_any_call_may_fail, 120),
	WR_TEST_LIMIT(test_without_memory_it_waits, 60),
	WR_TEST_LIMIT(test_a_damaged_segment_is_left_as_it_is, 60),
	WR_TEST_LIMIT(test_what_an_index_knows_and_a_segment_lacks_is_damage, 60),
	WR_TEST_LIMIT(test_a_segment_that_cannot_be_read_for_a_while_stays, 60),
	WR_TEST_LIMIT(test_the_helper_thread_cleans_beside_readers, 60),
	WR_TEST_LIMIT(test_an_index_made_meanwhile_does_no_harm, 120),
	WR_TEST_LIMIT(test_records_longer_than_new_ones_may_be_are_cleaned_too, 60),
	WR_TEST_LIMIT(test_an_unreadable_segment_does_not_keep_others_from_being_cleaned, 60),
	WR_TEST_LIMIT(test_no_segment_stands_for_more_sequences_than_an_index_can_tell, 60),
	WR_TEST_END,
};
