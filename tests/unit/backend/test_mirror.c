/* Goal: the mirror says of every Worker, watched or forgotten, up to where nothing of it is
 * missing, and never more than that. Method: a random story of many Workers through a small table
 * against the whole story; and the edges by hand. */
#include "backend/mirror.h"
#include "harness/harness.h"

#include <stdio.h>

static const struct wr_retention retention = {8, 1 << 20, 64, 1 << 20};

static struct wr_cursor place(uint32_t generation, uint64_t sequence)
{
	return (struct wr_cursor){
		.is_runtime = true, .generation = generation, .sequence = sequence};
}

static struct wr_view name_of(char out[16], unsigned worker)
{
	return wr_view_of(out, (size_t)snprintf(out, 16, "w-%u", worker));
}

static struct wr_mirror_worker *event_of(struct wr_mirror *mirror, uint64_t sequence,
					 const char *id)
{
	struct wr_cursor cursor = place(1, sequence);

	wr_mirror_move(mirror, &cursor);
	return wr_mirror_note(mirror, wr_view_of_string(id));
}

static void begin(struct wr_mirror *mirror, uint32_t count_max, uint64_t sequence)
{
	struct wr_cursor cursor = place(1, sequence);

	wr_mirror_init(mirror, wr_test_allocator(), &retention, count_max);
	wr_mirror_begin(mirror, &cursor);
}

static void test_a_stream_begins_behind_the_newest_event(void)
{
	struct wr_mirror mirror;
	struct wr_mirror_worker *worker;

	begin(&mirror, 16, 100);
	CHECK(event_of(&mirror, 101, "a") == NULL);
	CHECK(event_of(&mirror, 105, "b") == NULL);
	worker = wr_mirror_take(&mirror, WR_VIEW("a"));
	CHECK_U64(worker->newest, 101);
	wr_mirror_keep(&mirror, worker, 0);
	CHECK_U64(worker->events.evicted, 101);
	CHECK(event_of(&mirror, 106, "a") == worker);
	CHECK_STATUS(wr_mirror_append(&mirror, worker, WR_VIEW("frame")), WR_OK);
	CHECK_U64(worker->events.last_sequence, 106);
	CHECK_U64(worker->newest, 106);
	/* One of whom nothing was ever seen: nothing since the floor. */
	worker = wr_mirror_take(&mirror, WR_VIEW("c"));
	wr_mirror_keep(&mirror, worker, 0);
	CHECK_U64(worker->events.evicted, 100);
	wr_mirror_deinit(&mirror);
}

static void test_a_stream_that_is_forgotten_leaves_nothing_behind(void)
{
	struct wr_mirror mirror;
	struct wr_mirror_worker *worker;

	begin(&mirror, 16, 0);
	worker = wr_mirror_take(&mirror, WR_VIEW("a"));
	wr_mirror_keep(&mirror, worker, 1000);
	for (uint64_t i = 1; i <= 20; i++) {
		CHECK(event_of(&mirror, i, "a") == worker);
		CHECK_STATUS(wr_mirror_append(&mirror, worker, WR_VIEW("frame")), WR_OK);
	}
	wr_event_log_trim(&mirror.log);
	CHECK_U64(worker->events.count, 8);
	worker->subscriber_count = 1;
	CHECK(!wr_mirror_forget(&mirror, worker, 1000 + WR_MIRROR_UNWATCHED_MS));
	worker->subscriber_count = 0;
	CHECK(!wr_mirror_forget(&mirror, worker, 999 + WR_MIRROR_UNWATCHED_MS));
	CHECK(wr_mirror_forget(&mirror, worker, 1000 + WR_MIRROR_UNWATCHED_MS));
	CHECK(mirror.log.count == 0 && mirror.log.bytes == 0 && mirror.log.pending_shares == 0);
	CHECK_U64(mirror.kept_count, 0);
	CHECK(event_of(&mirror, 21, "a") == NULL);
	/* And untrimmed. */
	wr_mirror_keep(&mirror, worker, 2000);
	CHECK_U64(worker->events.evicted, 21);
	CHECK(event_of(&mirror, 22, "a") == worker);
	CHECK_STATUS(wr_mirror_append(&mirror, worker, WR_VIEW("frame")), WR_OK);
	wr_mirror_restart(&mirror, worker);
	CHECK(mirror.log.count == 0 && mirror.log.bytes == 0 && mirror.log.pending_shares == 0);
	CHECK_U64(worker->events.evicted, 22);
	wr_mirror_deinit(&mirror);
}

static void test_a_new_log_keeps_numbers_and_nothing_else(void)
{
	struct wr_mirror mirror;
	struct wr_mirror_worker *worker;
	struct wr_cursor cursor = place(1, 5);
	uint32_t number;

	begin(&mirror, 16, 1000);
	worker = wr_mirror_take(&mirror, WR_VIEW("a"));
	number = worker->number;
	wr_mirror_keep(&mirror, worker, 0);
	CHECK(event_of(&mirror, 1001, "a") == worker);
	CHECK_STATUS(wr_mirror_append(&mirror, worker, WR_VIEW("frame")), WR_OK);
	worker->fetch.remote_number = 7;
	wr_mirror_lose(&mirror);
	CHECK(!mirror.has_log && !wr_mirror_has_seen(&mirror, 1, 1));
	wr_mirror_begin(&mirror, &cursor);
	CHECK(wr_mirror_at(&mirror, number) == worker && worker->is_kept);
	CHECK_U64(worker->newest, 5);
	CHECK_U64(worker->events.evicted, 5);
	CHECK_U64(worker->fetch.remote_number, 0);
	CHECK(event_of(&mirror, 6, "a") == worker);
	CHECK_STATUS(wr_mirror_append(&mirror, worker, WR_VIEW("frame")), WR_OK);
	CHECK(!wr_mirror_has_seen(&mirror, 1, 7) && wr_mirror_has_seen(&mirror, 1, 6));
	wr_mirror_deinit(&mirror);
}

static void test_a_table_of_watched_workers_is_full(void)
{
	struct wr_mirror mirror;
	struct wr_mirror_worker *workers[4];
	char name[16];

	begin(&mirror, 4, 10);
	for (unsigned i = 0; i < 4; i++) {
		workers[i] = wr_mirror_take(&mirror, name_of(name, i));
		CHECK(workers[i] != NULL && workers[i]->number == i + 1);
		wr_mirror_keep(&mirror, workers[i], 0);
		workers[i]->subscriber_count = 1;
	}
	CHECK(wr_mirror_take(&mirror, WR_VIEW("one more")) == NULL);
	CHECK(event_of(&mirror, 11, "one more") == NULL);
	CHECK_U64(mirror.floor, 11);
	CHECK(wr_mirror_take(&mirror, WR_VIEW("w-2")) == workers[2]);
	workers[2]->subscriber_count = 0;
	CHECK(wr_mirror_forget(&mirror, workers[2], WR_MIRROR_UNWATCHED_MS));
	/* The number is free again; what is there begins where nothing is missing. */
	workers[2] = wr_mirror_take(&mirror, WR_VIEW("one more"));
	CHECK(workers[2] != NULL && workers[2]->number == 3 && workers[2]->newest == 11);
	CHECK(wr_mirror_find(&mirror, WR_VIEW("w-2")) == NULL);
	wr_mirror_deinit(&mirror);
}

static void note_removal(void *context, struct wr_mirror_worker *worker)
{
	uint32_t *number = context;

	CHECK(worker->subscriber_count == 0);
	*number = worker->number;
}

static void test_who_is_not_watched_makes_room_for_who_is(void)
{
	struct wr_mirror mirror;
	struct wr_mirror_worker *workers[3], *other;
	uint32_t removed = 0;
	char name[16];

	begin(&mirror, 3, 10);
	mirror.on_remove = note_removal;
	mirror.context = &removed;
	for (unsigned i = 0; i < 3; i++) {
		workers[i] = wr_mirror_take(&mirror, name_of(name, i));
		wr_mirror_keep(&mirror, workers[i], 100 - i);
		CHECK(event_of(&mirror, 11 + i, name) == workers[i]);
		CHECK_STATUS(wr_mirror_append(&mirror, workers[i], WR_VIEW("frame")), WR_OK);
	}
	workers[2]->subscriber_count = 1;
	/* An event is no reason: who was there may come back. */
	CHECK(event_of(&mirror, 20, "other") == NULL);
	CHECK(wr_mirror_find(&mirror, WR_VIEW("other")) == NULL && removed == 0);
	other = wr_mirror_take(&mirror, WR_VIEW("other"));
	CHECK(other != NULL && removed == 2 && other->number == 2 && !other->is_kept);
	CHECK_U64(other->newest, 20);
	CHECK(wr_mirror_find(&mirror, WR_VIEW("w-1")) == NULL);
	CHECK(mirror.kept_count == 2 && mirror.log.count == 2);
	wr_event_log_trim(&mirror.log);
	wr_mirror_deinit(&mirror);
}

static void test_an_id_that_nobody_can_ask_for_is_not_noted(void)
{
	struct wr_mirror mirror;
	char id[WR_ID_BYTES_MAX + 2];

	begin(&mirror, 4, 10);
	memset(id, 'x', sizeof id - 1);
	id[sizeof id - 1] = '\0';
	CHECK(event_of(&mirror, 11, id) == NULL);
	CHECK(mirror.count == 0 && mirror.floor == 10);
	wr_mirror_deinit(&mirror);
}

static void test_generations_that_were_seen(void)
{
	struct wr_mirror mirror;

	begin(&mirror, 4, 10);
	CHECK(wr_mirror_has_seen(&mirror, 1, 10) && wr_mirror_has_seen(&mirror, 1, 0));
	CHECK(!wr_mirror_has_seen(&mirror, 1, 11) && !wr_mirror_has_seen(&mirror, 2, 1));
	wr_mirror_saw(&mirror, 3, 50);
	wr_mirror_saw(&mirror, 2, 30);
	wr_mirror_saw(&mirror, 2, 20);
	CHECK(wr_mirror_has_seen(&mirror, 2, 30) && !wr_mirror_has_seen(&mirror, 2, 31));
	CHECK(wr_mirror_is_ahead(&mirror, 4) && wr_mirror_is_ahead(&mirror, 3));
	CHECK(!wr_mirror_is_ahead(&mirror, 2) && !wr_mirror_is_ahead(&mirror, 1));
	for (uint32_t generation = 4; generation < 40; generation++) {
		wr_mirror_saw(&mirror, generation, generation * 20);
		CHECK(wr_mirror_has_seen(&mirror, generation, generation * 20));
	}
	CHECK(!wr_mirror_has_seen(&mirror, 2, 1)); /* forgotten: the Runtime is asked */
	wr_mirror_saw(&mirror, 1, 5);
	CHECK(wr_mirror_has_seen(&mirror, 1, 5) && wr_mirror_has_seen(&mirror, 39, 780));
	wr_mirror_deinit(&mirror);
}

/* Of every Worker: nothing between its newest, or the floor, and the position. */
static void check_story(const struct wr_mirror *mirror, const uint64_t *newest, unsigned workers)
{
	char name[16];

	for (unsigned i = 0; i < workers; i++) {
		const struct wr_mirror_worker *worker = wr_mirror_find(mirror, name_of(name, i));
		uint64_t known = worker == NULL ? mirror->floor : worker->newest;
		CHECK(newest[i] <= known);
		CHECK(known <= mirror->position.sequence);
		if (worker != NULL && worker->is_kept)
			CHECK_U64(newest[i] > worker->events.evicted ? newest[i]
								     : worker->events.last_sequence,
				  worker->events.last_sequence);
	}
}

static void test_a_random_story_through_a_small_table(void)
{
	enum { WORKERS = 40, STEPS = 20000 };
	static uint64_t newest[WORKERS];
	struct wr_mirror mirror;
	struct wr_mirror_worker *worker;
	uint64_t random = wr_test_seed(), sequence = 0;
	char name[16];

	begin(&mirror, 12, 0);
	for (unsigned n = 0; n < STEPS; n++) {
		unsigned i = (unsigned)(wr_test_random(&random) % WORKERS);
		wr_test_fail_allocation(wr_test_random(&random) % 20 == 0 ? 1 : 0, false);
		name_of(name, i);
		switch (wr_test_random(&random) % 8) {
		default:
			sequence += 1 + wr_test_random(&random) % 3;
			newest[i] = sequence;
			worker = event_of(&mirror, sequence, name);
			if (worker != NULL &&
			    wr_mirror_append(&mirror, worker, WR_VIEW("frame")) != WR_OK)
				wr_mirror_restart(&mirror, worker);
			break;
		case 5:
			worker = wr_mirror_take(&mirror, wr_view_of_string(name));
			if (worker != NULL)
				wr_mirror_keep(&mirror, worker, n);
			break;
		case 6:
			worker = wr_mirror_find(&mirror, wr_view_of_string(name));
			if (worker != NULL)
				wr_mirror_forget(&mirror, worker, n + WR_MIRROR_UNWATCHED_MS);
			break;
		case 7:
			wr_event_log_trim(&mirror.log);
			break;
		}
		wr_test_fail_allocation(0, false);
		CHECK(mirror.count <= 12);
		check_story(&mirror, newest, WORKERS);
	}
	wr_mirror_deinit(&mirror);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_stream_begins_behind_the_newest_event),
	WR_TEST(test_a_stream_that_is_forgotten_leaves_nothing_behind),
	WR_TEST(test_a_new_log_keeps_numbers_and_nothing_else),
	WR_TEST(test_a_table_of_watched_workers_is_full),
	WR_TEST(test_who_is_not_watched_makes_room_for_who_is),
	WR_TEST(test_an_id_that_nobody_can_ask_for_is_not_noted),
	WR_TEST(test_generations_that_were_seen),
	WR_TEST_LIMIT(test_a_random_story_through_a_small_table, 60),
	WR_TEST_END,
};
