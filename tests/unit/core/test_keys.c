/* Goal (P4): a command repeated under its key has one effect and the same answer, also after a
 * restart; under another body it is refused. Method: the table against a list that is searched from
 * end to end; every command repeated at every point of its life, with and without a store. */
#include "unit/core/fixture.h"

#include "core/keys.h"

/* ---- the table ---- */

enum { MODEL_COUNT = 15000 };

static void test_the_table_is_a_list_of_the_newest(void)
{
	static struct wr_kept_key model[MODEL_COUNT];
	uint64_t random = wr_test_seed();
	uint32_t first = 0, total = 0, uptime_s = 0;
	struct wr_keys keys;

	wr_keys_init(&keys, wr_test_allocator());
	while (total < MODEL_COUNT) {
		struct wr_kept_key *kept = &model[total];
		uint32_t index = first + (uint32_t)(wr_test_random(&random) % (total - first + 1));
		const struct wr_kept_key *found;
		if (wr_test_random(&random) % 8 == 0)
			uptime_s += (uint32_t)(wr_test_random(&random) % 200);
		*kept = (struct wr_kept_key){
			.key = fixture_key(total, 1), .event_id = total + 1, .uptime_s = uptime_s};
		/* Eight times as many as usual have the same place to be in. */
		kept->key.id[0] &= 0xf8;
		CHECK_STATUS(wr_keys_reserve(&keys), WR_OK);
		wr_keys_expire(&keys, uptime_s);
		wr_keys_add(&keys, kept);
		total++;
		while (total - first > WR_KEY_COUNT_MAX ||
		       uptime_s - model[first].uptime_s >= WR_KEY_S_MAX)
			first++;
		CHECK_U64(wr_keys_count(&keys), total - first);
		found = wr_keys_find(&keys, &model[index].key);
		CHECK((found != NULL) == (index >= first));
		CHECK(found == NULL || found->event_id == model[index].event_id);
		if (total % 5000 == 0)
			for (uint32_t i = 0; i < total; i++) {
				found = wr_keys_find(&keys, &model[i].key);
				CHECK((found != NULL) == (i >= first));
				CHECK(i < first || wr_keys_at(&keys, i - first) == found);
			}
	}
	CHECK(first > 5000);
	wr_keys_expire(&keys, uptime_s + WR_KEY_S_MAX);
	CHECK_U64(wr_keys_count(&keys), 0);
	wr_keys_deinit(&keys);
}

static void test_the_table_grows_only_as_it_is_used(void)
{
	struct wr_keys keys;
	struct wr_kept_key kept = {.worker = 1};
	size_t before = wr_test_allocator()->used;

	wr_keys_init(&keys, wr_test_allocator());
	CHECK(wr_keys_find(&keys, &kept.key) == NULL);
	CHECK_U64(wr_test_allocator()->used, before);
	for (uint64_t n = 0; n < 3 * WR_KEY_COUNT_MAX; n++) {
		for (uint64_t fail = 1; fail < 3; fail++) { /* a failure changes nothing */
			wr_test_fail_allocation(fail, false);
			if (wr_keys_reserve(&keys) != WR_OK)
				CHECK_U64(wr_keys_count(&keys), n);
			wr_test_fail_allocation(0, false);
		}
		CHECK_STATUS(wr_keys_reserve(&keys), WR_OK);
		kept.key = fixture_key(n, 1);
		wr_keys_add(&keys, &kept);
		if (n == 9)
			CHECK(wr_test_allocator()->used - before < 2000);
	}
	CHECK_U64(wr_keys_count(&keys), WR_KEY_COUNT_MAX);
	CHECK(wr_test_allocator()->used - before <
	      WR_KEY_COUNT_MAX * (sizeof(struct wr_kept_key) + 4) + 1);
	wr_keys_deinit(&keys);
}

/* ---- commands ---- */

struct bed {
	struct fixture fixture;
	struct kept_store store;
	unsigned interrupts;
	enum wr_status interrupt;
};

static enum wr_status on_admit(void *context, uint32_t worker, const struct wr_input *input,
			       const struct wr_undelivered *waiting)
{
	(void)context, (void)worker, (void)input, (void)waiting;
	return WR_OK;
}

static void on_deliver(void *context, uint32_t worker, const struct wr_input *input,
		       uint64_t sequence)
{
	(void)context, (void)worker, (void)input, (void)sequence;
}

static enum wr_status on_interrupt(void *context, uint32_t worker)
{
	struct bed *self = context;

	(void)worker;
	self->interrupts++;
	return self->interrupt;
}

static void on_end(void *context, uint32_t worker)
{
	(void)context, (void)worker;
}

static enum wr_status find(void *context, struct wr_execution *out, enum wr_profile_kind kind,
			   struct wr_view value)
{
	static const struct wr_execution_ops ops = {on_admit, on_deliver, on_interrupt, on_end,
						    on_end};

	(void)kind, (void)value;
	*out = (struct wr_execution){.ops = &ops, .context = context};
	return WR_OK;
}

static void bed_open(struct bed *self, bool has_store)
{
	memset(self, 0, sizeof *self);
	self->store.generation = 1;
	fixture_init(&self->fixture, 1);
	if (has_store)
		self->fixture.ports.store = (struct wr_store){&kept_store_ops, &self->store};
	self->fixture.ports.profiles = (struct wr_profiles){find, self};
	fixture_open(&self->fixture);
}

static void bed_close(struct bed *self)
{
	fixture_close(&self->fixture);
	kept_store_deinit(&self->store);
}

/* A new process over the same store, from a checkpoint or from the records. */
static void restart(struct bed *self, bool has_checkpoint)
{
	self->store.wants_checkpoint = has_checkpoint;
	wr_runtime_settle(self->fixture.runtime);
	fixture_close(&self->fixture);
	fixture_open(&self->fixture);
}

/* Any command, as one. `worker` names it; create gives the number of what it made as event. */
static enum wr_status run(struct bed *self, enum wr_operation operation, const struct wr_key *key,
			  struct wr_ack *ack)
{
	const struct wr_create request = {.intent = WR_INTENT_ASSISTANT};
	const struct wr_input input = {WR_INPUT_USER, WR_VIEW_INIT("hello")};
	struct wr_runtime *runtime = self->fixture.runtime;
	struct wr_view id = WR_VIEW("worker-00000001");
	const struct wr_worker *worker;
	struct wr_error error;
	enum wr_status status = WR_OK;

	memset(ack, 0, sizeof *ack);
	switch (operation) {
	case WR_OPERATION_CREATE:
		status = wr_runtime_create(runtime, &request, key, &worker, &error);
		if (status == WR_OK)
			*ack = (struct wr_ack){.event_id = worker->number};
		break;
	case WR_OPERATION_INPUT:
		status = wr_runtime_input(runtime, id, &input, key, ack, &error);
		break;
	case WR_OPERATION_STOP:
		status = wr_runtime_stop_worker(runtime, id, WR_VIEW_NULL, key, ack);
		break;
	case WR_OPERATION_CANCEL:
		status = wr_runtime_cancel_worker(runtime, id, WR_VIEW_NULL, key, ack);
		break;
	case WR_OPERATION_INTERRUPT:
		status = wr_runtime_interrupt(runtime, id, key, ack);
		break;
	case WR_OPERATION_STORE_BUNDLE: /* to no Worker: test_bundles.c */
		break;
	}
	return status;
}

static const enum wr_operation operations[] = {WR_OPERATION_CREATE, WR_OPERATION_INPUT,
					       WR_OPERATION_STOP, WR_OPERATION_CANCEL,
					       WR_OPERATION_INTERRUPT};

static void check_repeats(struct bed *self, enum wr_operation operation, const struct wr_key *key,
			  const struct wr_ack *first)
{
	uint64_t head = fixture_head(&self->fixture);
	unsigned interrupts = self->interrupts;
	struct wr_ack again;

	CHECK_STATUS(run(self, operation, key, &again), WR_OK);
	CHECK(again.is_repeat == (operation != WR_OPERATION_CREATE));
	CHECK(again.status == first->status && again.event_id == first->event_id);
	CHECK_U64(again.transcript_sequence, first->transcript_sequence);
	CHECK_U64(fixture_head(&self->fixture), head);
	CHECK_U64(self->interrupts, interrupts);
}

static void test_a_repeated_command_has_one_effect_and_the_same_answer(void)
{
	for (unsigned i = 0; i < WR_COUNT(operations); i++)
		for (unsigned has_store = 0; has_store < 2; has_store++) {
			const struct wr_key key = fixture_key(1, 1);
			struct wr_ack first, other;
			uint64_t event_id;
			struct bed bed;
			bed_open(&bed, has_store != 0);
			fixture_create(&bed.fixture);
			CHECK_STATUS(run(&bed, operations[i], &key, &first), WR_OK);
			CHECK(!first.is_repeat);
			CHECK_U64(fixture_head(&bed.fixture), 3);
			check_repeats(&bed, operations[i], &key, &first);
			wr_runtime_settle(bed.fixture.runtime);
			/* Whatever happens in between. */
			CHECK_STATUS(run(&bed, WR_OPERATION_CREATE, NULL, &other), WR_OK);
			CHECK_STATUS(run(&bed, WR_OPERATION_CANCEL, NULL, &other), WR_OK);
			check_repeats(&bed, operations[i], &key, &first);
			for (unsigned k = 0; k < 2 && has_store != 0; k++) {
				restart(&bed, k != 0);
				check_repeats(&bed, operations[i], &key, &first);
			}
			CHECK_STATUS(wr_runtime_stop(bed.fixture.runtime, &event_id), WR_OK);
			check_repeats(&bed, operations[i], &key, &first);
			bed_close(&bed);
		}
}

static void test_another_body_operation_or_worker_is_a_mismatch(void)
{
	const struct wr_key key = fixture_key(1, 1), changed = fixture_key(1, 2);
	const struct wr_input input = {WR_INPUT_USER, WR_VIEW_INIT("hello")};

	for (unsigned i = 0; i < WR_COUNT(operations); i++) {
		struct wr_error error;
		struct wr_ack ack;
		struct bed bed;
		bed_open(&bed, true);
		fixture_create(&bed.fixture);
		fixture_create(&bed.fixture);
		CHECK_STATUS(run(&bed, operations[i], &key, &ack), WR_OK);
		for (unsigned k = 0; k < WR_COUNT(operations); k++) {
			CHECK_STATUS(run(&bed, operations[k], &changed, &ack), WR_MISMATCH);
			if (k != i)
				CHECK_STATUS(run(&bed, operations[k], &key, &ack), WR_MISMATCH);
		}
		if (operations[i] == WR_OPERATION_INPUT) {
			CHECK_STATUS(wr_runtime_input(bed.fixture.runtime,
						      WR_VIEW("worker-00000002"), &input, &key,
						      &ack, &error),
				     WR_MISMATCH);
			CHECK_STATUS(error.status, WR_MISMATCH);
		}
		CHECK_U64(fixture_head(&bed.fixture), 4);
		CHECK(bed.interrupts <= 1);
		bed_close(&bed);
	}
}

static void test_what_was_refused_is_not_remembered(void)
{
	const struct wr_key key = fixture_key(1, 1), other = fixture_key(1, 2);
	const struct wr_input blank = {WR_INPUT_USER, WR_VIEW_INIT(" ")};
	struct wr_error error;
	struct wr_ack ack;
	struct bed bed;

	bed_open(&bed, true);
	CHECK_STATUS(run(&bed, WR_OPERATION_INPUT, &other, &ack), WR_NOT_FOUND);
	fixture_create(&bed.fixture);
	CHECK_STATUS(wr_runtime_input(bed.fixture.runtime, WR_VIEW("worker-00000001"), &blank,
				      &other, &ack, &error),
		     WR_INVALID);
	bed.interrupt = WR_CONFLICT;
	CHECK_STATUS(run(&bed, WR_OPERATION_INTERRUPT, &other, &ack), WR_CONFLICT);
	bed.store.mood = WR_FULL;
	CHECK_STATUS(run(&bed, WR_OPERATION_INPUT, &other, &ack), WR_FULL);
	CHECK_STATUS(run(&bed, WR_OPERATION_STOP, &other, &ack), WR_FULL);
	bed.store.mood = WR_OK;
	CHECK_U64(wr_keys_count(&bed.fixture.runtime->keys), 0);
	CHECK_STATUS(run(&bed, WR_OPERATION_INPUT, &key, &ack), WR_OK);
	bed_close(&bed);
}

/* Commands that change nothing leave a record only for their key. */
static void test_a_stop_of_what_has_ended_is_remembered_too(void)
{
	const struct wr_key stop = fixture_key(1, 1), cancel = fixture_key(2, 1);
	struct wr_ack first, ack;
	struct bed bed;

	bed_open(&bed, true);
	fixture_create(&bed.fixture);
	CHECK_STATUS(run(&bed, WR_OPERATION_CANCEL, NULL, &first), WR_OK);
	CHECK_STATUS(run(&bed, WR_OPERATION_STOP, NULL, &ack), WR_OK);
	CHECK_U64(fixture_head(&bed.fixture), 3);
	CHECK_STATUS(run(&bed, WR_OPERATION_STOP, &stop, &ack), WR_OK);
	CHECK(ack.status == WR_WORKER_CANCELLED && ack.event_id == 3 && !ack.is_repeat);
	CHECK_U64(fixture_head(&bed.fixture), 4);
	CHECK_U64(wr_runtime_head_of(bed.fixture.runtime, WR_VIEW("worker-00000001")), 4);
	CHECK_STATUS(run(&bed, WR_OPERATION_CANCEL, &cancel, &ack), WR_OK);
	CHECK_U64(fixture_head(&bed.fixture), 5);
	for (unsigned i = 0; i < 2; i++) {
		check_repeats(&bed, WR_OPERATION_STOP, &stop, &first);
		check_repeats(&bed, WR_OPERATION_CANCEL, &cancel, &first);
		restart(&bed, i == 0);
	}
	CHECK_U64(wr_runtime_worker(bed.fixture.runtime, 1)->shown.last_event_id, 3);
	/* No stream shows it. */
	wr_runtime_settle(bed.fixture.runtime);
	bed_close(&bed);
}

static void test_a_twin_depends_on_the_same_record(void)
{
	const struct wr_key key = fixture_key(1, 1);
	struct wr_ack first;
	struct bed bed;

	bed_open(&bed, true);
	fixture_create(&bed.fixture);
	bed.store.is_held = true;
	bed.store.shown = 2;
	CHECK_STATUS(run(&bed, WR_OPERATION_INPUT, &key, &first), WR_OK);
	check_repeats(&bed, WR_OPERATION_INPUT, &key, &first);
	CHECK_U64(wr_runtime_head_of(bed.fixture.runtime, WR_VIEW("worker-00000001")), 3);
	CHECK_U64(wr_runtime_visible(bed.fixture.runtime), 2);
	bed_close(&bed);
}

static void test_keys_last_a_day_of_uptime_across_restarts(void)
{
	const struct wr_key key = fixture_key(1, 1), late = fixture_key(2, 1);
	struct wr_ack first, ack;

	for (unsigned has_checkpoint = 0; has_checkpoint < 2; has_checkpoint++) {
		struct bed bed;
		bed_open(&bed, true);
		fixture_create(&bed.fixture);
		bed.fixture.uptime_ms = 1000 * 1000;
		CHECK_STATUS(run(&bed, WR_OPERATION_INPUT, &key, &first), WR_OK);
		bed.fixture.uptime_ms += 20 * 3600 * 1000;
		check_repeats(&bed, WR_OPERATION_INPUT, &key, &first);
		/* The last that the log knows of the time: this key, or the checkpoint. */
		if (has_checkpoint == 0)
			CHECK_STATUS(run(&bed, WR_OPERATION_CREATE, &late, &ack), WR_OK);
		restart(&bed, has_checkpoint != 0);
		bed.fixture.uptime_ms += 4 * 3600 * 1000 - 1000;
		check_repeats(&bed, WR_OPERATION_INPUT, &key, &first);
		bed.fixture.uptime_ms += 1000;
		CHECK_STATUS(run(&bed, WR_OPERATION_INPUT, &key, &ack), WR_OK);
		CHECK(!ack.is_repeat && ack.transcript_sequence == 2);
		check_repeats(&bed, WR_OPERATION_INPUT, &key, &ack);
		/* Its second use replays, too. */
		restart(&bed, false);
		check_repeats(&bed, WR_OPERATION_INPUT, &key, &ack);
		bed_close(&bed);
	}
}

static void test_without_a_clock_keys_are_kept_by_count(void)
{
	struct wr_ack first, ack;
	struct bed bed;

	bed_open(&bed, true);
	fixture_close(&bed.fixture);
	bed.fixture.ports.uptime_ms = NULL;
	fixture_open(&bed.fixture);
	fixture_create(&bed.fixture);
	for (uint64_t n = 0; n < WR_KEY_COUNT_MAX + 1; n++) {
		const struct wr_key key = fixture_key(n, 1);
		CHECK_STATUS(run(&bed, WR_OPERATION_INPUT, &key, &ack), WR_OK);
		CHECK(!ack.is_repeat);
		if (n == 1)
			first = ack;
		wr_runtime_settle(bed.fixture.runtime);
	}
	for (unsigned i = 0; i < 2; i++) {
		const struct wr_key second = fixture_key(1, 1);
		check_repeats(&bed, WR_OPERATION_INPUT, &second, &first);
		restart(&bed, i == 0);
	}
	CHECK_STATUS(run(&bed, WR_OPERATION_INPUT, &(struct wr_key){{0}, {0}}, &ack), WR_OK);
	bed_close(&bed);
}

/* ---- records that are not ours ---- */

static enum wr_status open_with(const struct wr_event *events, unsigned count)
{
	struct kept_store store = {.generation = 1};
	struct wr_runtime *runtime = NULL;
	struct fixture fixture;
	struct wr_error error;
	enum wr_status status;
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), 10000);
	for (unsigned i = 0; i < count; i++) {
		struct wr_event event = events[i];
		event.sequence = i + 1;
		wr_buf_reset(&out);
		CHECK_STATUS(wr_event_encode(&out, &event), WR_OK);
		CHECK_STATUS(kept_append(&store,
					 &(struct wr_store_record){.sequence = i + 1,
								   .worker = event.worker,
								   .payload = wr_buf_view(&out)},
					 WR_STORE_ORDINARY),
			     WR_OK);
	}
	wr_buf_deinit(&out);
	fixture_init(&fixture, 1);
	fixture.ports.store = (struct wr_store){&kept_store_ops, &store};
	status = wr_runtime_new(&runtime, &fixture.config, &fixture.ports, &error);
	if (status == WR_OK)
		wr_runtime_free(runtime);
	kept_store_deinit(&store);
	return status;
}

static void test_keys_where_none_can_be_are_damage(void)
{
	const struct wr_event created = {.kind = WR_EVENT_WORKER_CREATED,
					 .worker = 1,
					 .as.created.worker_id = WR_VIEW_INIT("w")},
			      input = {.kind = WR_EVENT_INPUT_ACCEPTED,
				       .worker = 1,
				       .has_key = true,
				       .key = fixture_key(1, 1),
				       .as.input = {.input = {WR_INPUT_USER, WR_VIEW_INIT("x")},
						    .transcript_sequence = 1}},
			      repeatable = {.kind = WR_EVENT_REPEATABLE,
					    .worker = 1,
					    .has_key = true,
					    .key = fixture_key(2, 1),
					    .as.repeatable = {WR_OPERATION_STOP, 0, 1}};
	struct wr_event events[4] = {created, input, repeatable};

	CHECK_STATUS(open_with(events, 3), WR_OK);
	events[2].key = input.key;
	CHECK_STATUS(open_with(events, 3), WR_CORRUPT); /* used again */
	events[2].uptime_s = WR_KEY_S_MAX - 1;
	CHECK_STATUS(open_with(events, 3), WR_CORRUPT);
	events[2].uptime_s = WR_KEY_S_MAX;
	CHECK_STATUS(open_with(events, 3), WR_OK);
	/* A clock that went back keeps what is old behind what is not. */
	events[1] = events[3] = repeatable;
	events[1].uptime_s = 2 * WR_KEY_S_MAX;
	events[2] = input;
	events[3].uptime_s = WR_KEY_S_MAX;
	CHECK_STATUS(open_with(events, 3), WR_OK);
	events[3].key = input.key;
	CHECK_STATUS(open_with(events, 4), WR_CORRUPT);
	events[1] = input;
	events[2] = repeatable;
	events[2].has_key = false;
	CHECK_STATUS(open_with(events, 3), WR_CORRUPT); /* a record of nothing */
	events[2] = repeatable;
	events[2].worker = 2;
	CHECK_STATUS(open_with(events, 3), WR_CORRUPT);
	for (unsigned i = 0; i < 4; i++) {
		const struct wr_event others[] = {
			{.kind = WR_EVENT_OUTPUT, .worker = 1, .as.output.kind = WR_OUTPUT_USAGE},
			{.kind = WR_EVENT_PHASE_CHANGED,
			 .worker = 1,
			 .as.phase = {.from = WR_PHASE_IDLE, .to = WR_PHASE_BUSY}},
			{.kind = WR_EVENT_RUNTIME_STOPPED},
			{.kind = WR_EVENT_WORKER_STOPPED, .worker = 1}};
		events[2] = others[i];
		CHECK_STATUS(open_with(events, 3), WR_OK);
		events[2].has_key = true;
		events[2].key = fixture_key(2, 1);
		CHECK_STATUS(open_with(events, 3), i == 3 ? WR_OK : WR_CORRUPT);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_the_table_is_a_list_of_the_newest, 60),
	WR_TEST(test_the_table_grows_only_as_it_is_used),
	WR_TEST(test_a_repeated_command_has_one_effect_and_the_same_answer),
	WR_TEST(test_another_body_operation_or_worker_is_a_mismatch),
	WR_TEST(test_what_was_refused_is_not_remembered),
	WR_TEST(test_a_stop_of_what_has_ended_is_remembered_too),
	WR_TEST(test_a_twin_depends_on_the_same_record),
	WR_TEST(test_keys_last_a_day_of_uptime_across_restarts),
	WR_TEST(test_without_a_clock_keys_are_kept_by_count),
	WR_TEST(test_keys_where_none_can_be_are_damage),
	WR_TEST_END,
};
