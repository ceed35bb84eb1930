/* Goal: config bundles of a Runtime are stored once and for good, seen when they are visible, and
 * what a create is held against. Method: a Runtime over a store in memory that shows late, is full,
 * restarts with and without its checkpoint; logs and parts that cannot be. */
#include "unit/core/fixture.h"
#include "unit/core/made_bundle.h"

#include "bounds.h"

struct bed {
	struct kept_store store;
	struct fixture fixture;
};

static void bed_open(struct bed *self)
{
	self->store = (struct kept_store){.generation = 1};
	fixture_init(&self->fixture, 1);
	self->fixture.ports.store = (struct wr_store){&kept_store_ops, &self->store};
	fixture_open(&self->fixture);
}

static void bed_close(struct bed *self)
{
	fixture_close(&self->fixture);
	CHECK_U64(wr_test_allocator()->used, 0);
	kept_store_deinit(&self->store);
}

static void reopen(struct bed *self)
{
	fixture_close(&self->fixture);
	CHECK_U64(wr_test_allocator()->used, 0);
	fixture_open(&self->fixture);
}

static enum wr_status store_with(struct fixture *fixture, const char *id, unsigned number,
				 const struct wr_key *key)
{
	struct made_bundle made;
	struct wr_error error;
	enum wr_status status;

	make_bundle(&made, id, number);
	status = wr_runtime_store_bundle(fixture->runtime, &made.value, key, &error);
	CHECK_STATUS(error.status, status);
	return status;
}

static enum wr_status store(struct fixture *fixture, const char *id, unsigned number)
{
	enum wr_status status = store_with(fixture, id, number, NULL);

	wr_runtime_settle(fixture->runtime);
	return status;
}

/* The number of the bundle that is shown; -1: none is. */
static int shown(const struct fixture *fixture, const char *id)
{
	const struct wr_config_bundle *bundle =
		wr_runtime_find_bundle(fixture->runtime, wr_view_of_string(id));

	CHECK(bundle == NULL || wr_view_equal(bundle->id, wr_view_of_string(id)));
	return bundle == NULL ? -1 : bundle->revision.data[1] - '0';
}

static struct wr_create request_for(const struct made_bundle *made)
{
	return (struct wr_create){
		.intent = WR_INTENT_ASSISTANT,
		.profile = WR_PROFILE_BUILTIN,
		.profile_value = WR_VIEW("builtin:coder"),
		.config_bundle_id = made->value.id,
		.config_bundle_digest = made->value.digest,
	};
}

static enum wr_status create(struct fixture *fixture, const struct wr_create *request,
			     const struct wr_worker **out)
{
	struct wr_error error;

	return wr_runtime_create(fixture->runtime, request, NULL, out, &error);
}

/* Any profile but this one is there. */
static enum wr_status find_profile(void *context, struct wr_execution *out,
				   enum wr_profile_kind kind, struct wr_view value)
{
	(void)context;
	(void)kind;
	*out = (struct wr_execution){.ops = NULL};
	return wr_view_equal(value, WR_VIEW("missing")) ? WR_INVALID : WR_OK;
}

/* ---- storing ---- */

static void test_a_bundle_is_one_record_and_the_same_again_none(void)
{
	struct bed bed;
	uint64_t head;

	bed_open(&bed);
	head = fixture_head(&bed.fixture);
	CHECK_U64(store(&bed.fixture, "b", 1), WR_OK);
	CHECK_U64(fixture_head(&bed.fixture), head + 1);
	CHECK_U64(shown(&bed.fixture, "b"), 1);
	CHECK_STATUS(store(&bed.fixture, "b", 1), WR_OK);
	CHECK_U64(fixture_head(&bed.fixture), head + 1);
	CHECK_STATUS(store(&bed.fixture, "b", 2), WR_OK);
	CHECK_U64(fixture_head(&bed.fixture), head + 2);
	CHECK_U64(shown(&bed.fixture, "b"), 2);
	CHECK(shown(&bed.fixture, "a") == -1 && shown(&bed.fixture, "bb") == -1);
	/* No stream shows anything of it. */
	CHECK_U64(wr_runtime_log(bed.fixture.runtime)->runtime.last_sequence, 1);
	bed_close(&bed);
}

static void test_bundles_are_listed_by_their_ids(void)
{
	static const char *const ids[] = {"m", "a", "z", "b.1", "b", "B", "b-1"},
				 *const sorted[] = {"B", "a", "b", "b-1", "b.1", "m", "z"};
	const struct wr_config_bundle *bundle = NULL;
	struct bed bed;

	bed_open(&bed);
	CHECK(wr_runtime_next_bundle(bed.fixture.runtime, WR_VIEW_NULL) == NULL);
	for (unsigned i = 0; i < WR_COUNT(ids); i++)
		CHECK_STATUS(store(&bed.fixture, ids[i], i), WR_OK);
	for (unsigned i = 0; i < WR_COUNT(sorted); i++) {
		bundle = wr_runtime_next_bundle(bed.fixture.runtime,
						bundle == NULL ? WR_VIEW_NULL : bundle->id);
		CHECK(bundle != NULL);
		CHECK_STRING(bundle->id, sorted[i]);
	}
	CHECK(wr_runtime_next_bundle(bed.fixture.runtime, bundle->id) == NULL);
	CHECK(wr_runtime_next_bundle(bed.fixture.runtime, WR_VIEW("c")) != NULL);
	bed_close(&bed);
}

static void test_a_bundle_is_seen_when_it_is_visible(void)
{
	const struct wr_worker *worker;
	struct made_bundle made;
	struct wr_create request;
	struct bed bed;

	bed_open(&bed);
	CHECK_STATUS(store(&bed.fixture, "b", 1), WR_OK);
	bed.store.is_held = true;
	bed.store.shown = fixture_head(&bed.fixture);
	for (unsigned number = 2; number <= 4; number++)
		CHECK_STATUS(store(&bed.fixture, "b", number), WR_OK);
	CHECK_STATUS(store(&bed.fixture, "c", 1), WR_OK);
	CHECK_U64(shown(&bed.fixture, "b"), 1);
	CHECK(shown(&bed.fixture, "c") == -1);
	CHECK_U64(wr_view_equal(wr_runtime_next_bundle(bed.fixture.runtime, WR_VIEW_NULL)->id,
				WR_VIEW("b")),
		  1);
	CHECK(wr_runtime_next_bundle(bed.fixture.runtime, WR_VIEW("b")) == NULL);
	/* Decisions see the head. */
	make_bundle(&made, "b", 4);
	request = request_for(&made);
	CHECK_STATUS(create(&bed.fixture, &request, &worker), WR_OK);
	make_bundle(&made, "b", 1);
	request = request_for(&made);
	CHECK_STATUS(create(&bed.fixture, &request, &worker), WR_DIGEST_MISMATCH);
	for (unsigned number = 2; number <= 4; number++) {
		bed.store.shown++;
		wr_runtime_settle(bed.fixture.runtime);
		CHECK_U64(shown(&bed.fixture, "b"), number);
	}
	bed.store.shown++;
	wr_runtime_settle(bed.fixture.runtime);
	CHECK_U64(shown(&bed.fixture, "c"), 1);
	bed_close(&bed);
}

static void test_without_a_store_a_bundle_is_visible_at_once(void)
{
	struct fixture fixture;

	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	for (unsigned number = 1; number < 9; number++) {
		CHECK_STATUS(store_with(&fixture, "b", number, NULL), WR_OK);
		CHECK_U64(shown(&fixture, "b"), number);
	}
	fixture_close(&fixture);
	CHECK_U64(wr_test_allocator()->used, 0);
}

static void test_availability_is_by_digest(void)
{
	const struct wr_config_bundle *bundle;
	struct made_bundle made;
	struct bed bed;

	bed_open(&bed);
	CHECK_STATUS(store(&bed.fixture, "b", 1), WR_OK);
	make_bundle(&made, "b", 1);
	CHECK_STATUS(wr_runtime_judge_bundle(bed.fixture.runtime, WR_VIEW("b"), made.value.digest,
					     &bundle),
		     WR_OK);
	CHECK(wr_config_bundle_is_same(bundle, &made.value));
	CHECK_STATUS(wr_runtime_judge_bundle(bed.fixture.runtime, WR_VIEW("c"), made.value.digest,
					     &bundle),
		     WR_NO_BUNDLE);
	CHECK_STATUS(
		wr_runtime_judge_bundle(bed.fixture.runtime, WR_VIEW_NULL, WR_VIEW_NULL, &bundle),
		WR_NO_BUNDLE);
	CHECK_STATUS(
		wr_runtime_judge_bundle(bed.fixture.runtime, WR_VIEW("b"), WR_VIEW(""), &bundle),
		WR_DIGEST_MISMATCH);
	make_bundle(&made, "b", 2);
	CHECK_STATUS(wr_runtime_judge_bundle(bed.fixture.runtime, WR_VIEW("b"), made.value.digest,
					     &bundle),
		     WR_DIGEST_MISMATCH);
	bed_close(&bed);
}

static void test_a_refused_bundle_changes_nothing(void)
{
	struct made_bundle made;
	struct wr_error error;
	char *before, *after;
	struct bed bed;

	bed_open(&bed);
	CHECK_STATUS(store(&bed.fixture, "b", 1), WR_OK);
	before = dump(bed.fixture.runtime, DUMP_LIVE);
	make_bundle(&made, "b", 2);
	made.digest[0] ^= 1;
	CHECK_STATUS(wr_runtime_store_bundle(bed.fixture.runtime, &made.value, NULL, &error),
		     WR_DIGEST_MISMATCH);
	bed.store.is_full = true;
	CHECK_STATUS(store(&bed.fixture, "b", 2), WR_FULL);
	CHECK_STATUS(store(&bed.fixture, "c", 1), WR_FULL);
	bed.store.is_full = false;
	bed.store.mood = WR_IO;
	CHECK_STATUS(store(&bed.fixture, "c", 1), WR_IO);
	bed.store.mood = WR_OK;
	bed.fixture.now_ms = 1000;
	after = dump(bed.fixture.runtime, DUMP_LIVE);
	check_dumps(after, before, "refused");
	free(before);
	free(after);
	CHECK_STATUS(store(&bed.fixture, "c", 1), WR_OK);
	bed_close(&bed);
}

static void test_there_may_be_so_many_and_no_more(void)
{
	struct made_bundle made;
	struct wr_error error;
	struct bed bed;
	char id[16];

	bed_open(&bed);
	for (unsigned i = 0; i < WR_CONFIG_BUNDLE_COUNT_MAX; i++) {
		snprintf(id, sizeof id, "b%u", i);
		CHECK_STATUS(store(&bed.fixture, id, i), WR_OK);
	}
	make_bundle(&made, "one-more", 1);
	CHECK_STATUS(wr_runtime_store_bundle(bed.fixture.runtime, &made.value, NULL, &error),
		     WR_FULL);
	CHECK(error.detail != NULL); /* not the store */
	CHECK_STATUS(store(&bed.fixture, "b7", 8), WR_OK);
	bed_close(&bed);
}

static void test_together_they_may_be_so_large_and_no_larger(void)
{
	static char text[2000], rows[130000];
	const struct wr_row row = {WR_PROFILE_NAMED, {text, sizeof text}, WR_VIEW_NULL};
	struct made_bundle made;
	struct wr_error error;
	struct wr_buf list;
	unsigned count = 0;
	struct bed bed;
	char id[16];

	memset(text, 'x', sizeof text);
	wr_buf_init_fixed(&list, rows, sizeof rows);
	while (wr_rows_append(&list, &row) == WR_OK)
		count++;
	wr_buf_reset(&list);
	for (unsigned i = 0; i < count; i++)
		CHECK_STATUS(wr_rows_append(&list, &row), WR_OK);
	bed_open(&bed);
	for (unsigned i = 0;; i++) {
		enum wr_status status;

		snprintf(id, sizeof id, "b%u", i);
		make_bundle(&made, id, i);
		made.value.profiles = (struct wr_rows){wr_buf_view(&list), count};
		seal_bundle(&made);
		status = wr_runtime_store_bundle(bed.fixture.runtime, &made.value, NULL, &error);
		CHECK(bed.fixture.runtime->bundles.bytes <= WR_CONFIG_BUNDLES_BYTES_MAX);
		if (status == WR_OK)
			continue;
		CHECK_STATUS(status, WR_FULL);
		CHECK(i > 10 && i < 30);
		break;
	}
	/* One in the place of another takes what that leaves. */
	make_bundle(&made, "b0", 1);
	made.value.profiles = (struct wr_rows){wr_buf_view(&list), count};
	seal_bundle(&made);
	CHECK_STATUS(wr_runtime_store_bundle(bed.fixture.runtime, &made.value, NULL, &error),
		     WR_OK);
	CHECK_STATUS(store(&bed.fixture, "b1", 1), WR_OK);
	bed_close(&bed);
}

static void test_a_stopped_runtime_takes_none_but_tells_of_them(void)
{
	const struct wr_key key = fixture_key(1, 1);
	struct made_bundle made;
	struct wr_error error;
	struct bed bed;
	uint64_t event_id;

	bed_open(&bed);
	CHECK_STATUS(store_with(&bed.fixture, "b", 1, &key), WR_OK);
	CHECK_STATUS(wr_runtime_stop(bed.fixture.runtime, &event_id), WR_OK);
	CHECK_STATUS(store(&bed.fixture, "b", 2), WR_STOPPED);
	CHECK_STATUS(store(&bed.fixture, "b", 1), WR_STOPPED);
	/* Before anything of it is judged; but what was done is done. */
	make_bundle(&made, "-", 2);
	CHECK_STATUS(wr_runtime_store_bundle(bed.fixture.runtime, &made.value, NULL, &error),
		     WR_STOPPED);
	CHECK_STATUS(store_with(&bed.fixture, "b", 1, &key), WR_OK);
	reopen(&bed);
	CHECK_U64(shown(&bed.fixture, "b"), 1);
	bed_close(&bed);
}

/* ---- keys ---- */

static void test_a_key_is_for_one_bundle_only_once(void)
{
	const struct wr_key key = fixture_key(1, 1), changed = fixture_key(1, 2),
			    other = fixture_key(2, 1);
	struct wr_ack ack;
	struct bed bed;
	uint64_t head;

	bed_open(&bed);
	fixture_create(&bed.fixture);
	CHECK_STATUS(store_with(&bed.fixture, "b", 1, &key), WR_OK);
	head = fixture_head(&bed.fixture);
	CHECK_STATUS(store_with(&bed.fixture, "b", 1, &key), WR_OK);
	CHECK_STATUS(store_with(&bed.fixture, "b", 1, &changed), WR_MISMATCH);
	CHECK_STATUS(wr_runtime_stop_worker(bed.fixture.runtime, WR_VIEW("worker-00000001"),
					    WR_VIEW_NULL, &key, &ack),
		     WR_MISMATCH);
	CHECK_U64(fixture_head(&bed.fixture), head);
	/* What is there already leaves only that the key was used. */
	CHECK_STATUS(store_with(&bed.fixture, "b", 1, &other), WR_OK);
	CHECK_U64(fixture_head(&bed.fixture), head + 1);
	CHECK_STATUS(store(&bed.fixture, "b", 2), WR_OK);
	/* An old answer again: nothing goes back. */
	for (unsigned i = 0; i < 3; i++) {
		CHECK_STATUS(store_with(&bed.fixture, "b", 1, &key), WR_OK);
		CHECK_STATUS(store_with(&bed.fixture, "b", 1, &other), WR_OK);
		CHECK_STATUS(store_with(&bed.fixture, "b", 1, &changed), WR_MISMATCH);
		CHECK_U64(shown(&bed.fixture, "b"), 2);
		bed.store.wants_checkpoint = i == 1;
		wr_runtime_settle(bed.fixture.runtime);
		reopen(&bed);
	}
	CHECK_U64(bed.store.checkpoint_count, 1);
	bed_close(&bed);
}

/* ---- restarts ---- */

static void test_bundles_outlive_the_process(void)
{
	const struct wr_worker *worker;
	char *before, *after;
	struct made_bundle made;
	struct wr_create request;
	struct bed bed;

	bed_open(&bed);
	CHECK_STATUS(store(&bed.fixture, "m", 1), WR_OK);
	CHECK_STATUS(store(&bed.fixture, "a", 1), WR_OK);
	CHECK_STATUS(store(&bed.fixture, "m", 2), WR_OK);
	make_bundle(&made, "m", 2);
	request = request_for(&made);
	CHECK_STATUS(create(&bed.fixture, &request, &worker), WR_OK);
	wr_runtime_settle(bed.fixture.runtime);
	for (unsigned round = 0; round < 4; round++) {
		before = dump(bed.fixture.runtime, DUMP_STORY);
		reopen(&bed);
		after = dump(bed.fixture.runtime, DUMP_STORY);
		check_dumps(after, before, "reopened");
		free(before);
		free(after);
		CHECK_VIEW(wr_runtime_worker(bed.fixture.runtime, 1)->request.config_bundle_digest,
			   made.value.digest);
		/* From the log, from a checkpoint, from that and what came later, from the log. */
		if (round == 0) {
			bed.store.wants_checkpoint = true;
			wr_runtime_settle(bed.fixture.runtime);
			CHECK_U64(bed.store.parts.count, 3);
		} else if (round == 1) {
			CHECK_STATUS(store(&bed.fixture, "a", 3), WR_OK);
			CHECK_STATUS(store(&bed.fixture, "b", 4), WR_OK);
		} else {
			bed.store.ignores_checkpoint = true;
		}
	}
	CHECK_U64(shown(&bed.fixture, "a"), 3);
	bed_close(&bed);
}

static void test_a_checkpoint_of_version_one_is_written_while_it_will_do(void)
{
	struct bed bed;

	bed_open(&bed);
	fixture_create(&bed.fixture);
	for (unsigned has_bundle = 0; has_bundle < 2; has_bundle++) {
		bed.store.wants_checkpoint = true;
		wr_runtime_settle(bed.fixture.runtime);
		CHECK_U64(bed.store.parts.count, 2 + has_bundle);
		CHECK_U64((unsigned char)bed.store.parts.records[0].payload.data[0],
			  1 + has_bundle);
		CHECK_U64((unsigned char)bed.store.parts.records[1].payload.data[0], 1);
		CHECK_STATUS(store(&bed.fixture, "b", 1), WR_OK);
	}
	CHECK_U64((unsigned char)bed.store.parts.records[2].payload.data[0], 2);
	CHECK_U64((unsigned char)bed.store.parts.records[2].payload.data[1], 8);
	bed_close(&bed);
}

static void test_bundles_are_a_part_of_their_own_for_each_64_kib(void)
{
	static char text[2000], rows[60000];
	const struct wr_row row = {WR_PROFILE_NAMED, {text, sizeof text}, WR_VIEW_NULL};
	struct made_bundle made;
	struct wr_error error;
	uint32_t count = 0;
	struct wr_buf list;
	struct bed bed;
	char id[16];

	memset(text, 'x', sizeof text);
	wr_buf_init_fixed(&list, rows, sizeof rows);
	for (; count < 20; count++)
		CHECK_STATUS(wr_rows_append(&list, &row), WR_OK);
	bed_open(&bed);
	for (unsigned i = 0; i < 8; i++) {
		snprintf(id, sizeof id, "b%u", i);
		make_bundle(&made, id, i);
		made.value.profiles = (struct wr_rows){wr_buf_view(&list), count};
		seal_bundle(&made);
		CHECK_STATUS(
			wr_runtime_store_bundle(bed.fixture.runtime, &made.value, NULL, &error),
			WR_OK);
	}
	bed.store.wants_checkpoint = true;
	wr_runtime_settle(bed.fixture.runtime);
	CHECK_U64(bed.store.parts.count, 9);
	reopen(&bed);
	CHECK_U64(shown(&bed.fixture, "b7"), 7);
	bed_close(&bed);
}

/* ---- what cannot be ---- */

static enum wr_status open_status(struct kept_store *store)
{
	struct wr_runtime *runtime = NULL;
	struct fixture fixture;
	struct wr_error error;
	enum wr_status status;

	fixture_init(&fixture, 1);
	fixture.ports.store = (struct wr_store){&kept_store_ops, store};
	status = wr_runtime_new(&runtime, &fixture.config, &fixture.ports, &error);
	if (status == WR_OK)
		wr_runtime_free(runtime);
	CHECK_U64(wr_test_allocator()->used, 0);
	return status;
}

/* Of a log with one event of ours behind the first. */
static enum wr_status open_with(const struct wr_event *event)
{
	struct kept_store store = {.generation = 1};
	struct wr_event events[2] = {{.kind = WR_EVENT_RUNTIME_STARTED}, *event};
	enum wr_status status;
	char bytes[1000];

	for (unsigned i = 0; i < 2; i++) {
		struct wr_buf out;
		struct wr_store_record record = {.sequence = i + 1, .worker = events[i].worker};

		events[i].sequence = i + 1;
		wr_buf_init_fixed(&out, bytes, sizeof bytes);
		CHECK_STATUS(wr_event_encode(&out, &events[i]), WR_OK);
		record.payload = wr_buf_view(&out);
		kept_list_add(&store.log, &record, WR_STORE_ORDINARY);
	}
	status = open_status(&store);
	kept_store_deinit(&store);
	return status;
}

static void test_records_of_bundles_that_cannot_be_are_damage(void)
{
	struct wr_event event = {.kind = WR_EVENT_BUNDLE_STORED};
	struct made_bundle made;

	make_bundle(&made, "b", 1);
	event.as.bundle = made.value;
	CHECK_STATUS(open_with(&event), WR_OK);
	event.worker = 1;
	CHECK_STATUS(open_with(&event), WR_CORRUPT);
	event.worker = 0;
	event.as.bundle.revision = WR_VIEW("r2");
	CHECK_STATUS(open_with(&event), WR_CORRUPT); /* its digest is another */
	made.value.id = WR_VIEW("-");
	seal_bundle(&made);
	event.as.bundle = made.value;
	CHECK_STATUS(open_with(&event), WR_CORRUPT);
	/* What was stored by older rules stays. */
	make_bundle(&made, "b", 1);
	made.value.detail = WR_VIEW("a socket");
	seal_bundle(&made);
	event.as.bundle = made.value;
	CHECK_STATUS(open_with(&event), WR_OK);
	/* A key of the Runtime's own command belongs to no Worker, others do. */
	event = (struct wr_event){.kind = WR_EVENT_REPEATABLE, .has_key = true};
	event.as.repeatable.operation = WR_OPERATION_STORE_BUNDLE;
	CHECK_STATUS(open_with(&event), WR_OK);
	event.has_key = false;
	CHECK_STATUS(open_with(&event), WR_CORRUPT);
	event.has_key = true;
	event.as.repeatable.operation = WR_OPERATION_STOP;
	CHECK_STATUS(open_with(&event), WR_CORRUPT);
	event.worker = 1;
	event.as.repeatable.operation = WR_OPERATION_STORE_BUNDLE;
	CHECK_STATUS(open_with(&event), WR_CORRUPT);
}

static void make_checkpoint(struct kept_store *store_)
{
	const struct wr_key key = fixture_key(1, 1);
	struct bed bed;

	bed_open(&bed);
	CHECK_STATUS(store_with(&bed.fixture, "a", 1, &key), WR_OK);
	CHECK_STATUS(store(&bed.fixture, "b", 2), WR_OK);
	bed.store.wants_checkpoint = true;
	wr_runtime_settle(bed.fixture.runtime);
	fixture_close(&bed.fixture);
	*store_ = bed.store;
}

static void test_parts_left_out_repeated_or_cut_are_damage(void)
{
	struct kept_store good, store_;

	make_checkpoint(&good);
	CHECK_U64(good.parts.count, 3); /* the Runtime, keys, bundles */
	CHECK_STATUS(open_status(&good), WR_OK);
	kept_store_copy(&store_, &good);
	kept_list_cut(&store_.parts, 1);
	CHECK_STATUS(open_status(&store_), WR_CORRUPT);
	for (unsigned i = 0; i < 2; i++) {
		struct wr_store_record part = kept_lend(&good.parts.records[2]);

		kept_list_add(&store_.parts, &part, WR_STORE_ORDINARY);
		CHECK_STATUS(open_status(&store_), i == 0 ? WR_OK : WR_CORRUPT);
	}
	kept_store_deinit(&store_);
	for (size_t place = 0; place < good.parts.count; place++) {
		struct wr_view whole = good.parts.records[place].payload;

		for (size_t bytes = 0; bytes < whole.bytes; bytes++) {
			good.parts.records[place].payload =
				wr_test_guarded(0, wr_view_of(whole.data, bytes));
			CHECK_STATUS(open_status(&good), WR_CORRUPT);
		}
		good.parts.records[place].payload = whole;
	}
	kept_store_deinit(&good);
}

/* Whatever is changed, it is refused or makes a Runtime that works. */
static void test_changed_bytes_of_parts_do_no_harm(void)
{
	struct kept_store good;
	unsigned refused = 0;

	make_checkpoint(&good);
	for (size_t place = 0; place < good.parts.count; place++) {
		struct wr_view part = good.parts.records[place].payload;

		for (size_t i = 0; i < part.bytes; i++) {
			char *at = (char *)(uintptr_t)part.data + i, old = *at;

			for (unsigned bit = 0; bit < 8; bit++) {
				*at = (char)(old ^ 1 << bit);
				refused += open_status(&good) != WR_OK;
			}
			*at = old;
		}
	}
	CHECK(refused > 300);
	kept_store_deinit(&good);
}

/* ---- creates ---- */

static void test_a_create_is_held_against_the_bundle_that_it_means(void)
{
	static const struct {
		const char *what, *id;
		enum wr_profile_kind profile;
		const char *value;
		int number; /* of the digest; -1: none is given */
		enum wr_status status;
	} cases[] = {
		{"declared", "b", WR_PROFILE_BUILTIN, "builtin:coder", 2, WR_OK},
		{"declared", "b", WR_PROFILE_RUNTIME_DEFAULT, NULL, 2, WR_OK},
		{"named and declared", "named", WR_PROFILE_NAMED, "here", 1, WR_OK},
		{"no such bundle", "c", WR_PROFILE_BUILTIN, "builtin:coder", 2, WR_NO_BUNDLE},
		{"no such bundle, nor profile", "c", WR_PROFILE_NAMED, "missing", 2, WR_NO_BUNDLE},
		{"blank id", "", WR_PROFILE_BUILTIN, "builtin:coder", 2, WR_NO_BUNDLE},
		{"replaced", "b", WR_PROFILE_BUILTIN, "builtin:coder", 1, WR_DIGEST_MISMATCH},
		{"mismatch first", "b", WR_PROFILE_NAMED, "missing", 1, WR_DIGEST_MISMATCH},
		{"not declared", "b", WR_PROFILE_BUILTIN, "builtin:reviewer", 2, WR_NOT_FOUND},
		{"other kind", "b", WR_PROFILE_NAMED, "builtin:coder", 2, WR_NOT_FOUND},
		{"declared, not there", "named", WR_PROFILE_NAMED, "missing", 1, WR_NOT_FOUND},
		{"there, not declared", "named", WR_PROFILE_RUNTIME_DEFAULT, NULL, 1, WR_NOT_FOUND},
		/* By its id alone it is only named (design 4). */
		{"only named", "b", WR_PROFILE_BUILTIN, "builtin:reviewer", -1, WR_OK},
		{"only named, not there", "zz", WR_PROFILE_NAMED, "here", -1, WR_OK},
		{"only named, no profile", "b", WR_PROFILE_NAMED, "missing", -1, WR_NOT_FOUND},
		/* Without a bundle the table of profiles decides alone. */
		{"none", NULL, WR_PROFILE_NAMED, "here", -1, WR_OK},
		{"none", NULL, WR_PROFILE_NAMED, "missing", -1, WR_NOT_FOUND},
	};
	const struct wr_worker *worker;
	struct made_bundle made;
	struct wr_error error;
	struct bed bed;

	bed_open(&bed);
	fixture_close(&bed.fixture);
	bed.fixture.ports.profiles = (struct wr_profiles){.find = find_profile};
	fixture_open(&bed.fixture);
	CHECK_STATUS(store(&bed.fixture, "b", 1), WR_OK);
	CHECK_STATUS(store(&bed.fixture, "b", 2), WR_OK);
	make_bundle(&made, "named", 1);
	made.value.profiles = (struct wr_rows){.count = 0};
	add_profile(&made, WR_PROFILE_NAMED, "here", NULL);
	add_profile(&made, WR_PROFILE_NAMED, "missing", NULL);
	seal_bundle(&made);
	CHECK_STATUS(wr_runtime_store_bundle(bed.fixture.runtime, &made.value, NULL, &error),
		     WR_OK);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct made_bundle meant = made;
		struct wr_create request = {
			.intent = WR_INTENT_ASSISTANT,
			.profile = cases[i].profile,
			.profile_value = wr_view_of_string(cases[i].value),
			.config_bundle_id = wr_view_of_string(cases[i].id),
		};

		wr_test_case(cases[i].what);
		if (cases[i].number >= 0) {
			if (strcmp(cases[i].id, "named") != 0)
				make_bundle(&meant, "b", (unsigned)cases[i].number);
			request.config_bundle_digest =
				wr_view_of(meant.digest, sizeof meant.digest);
		}
		CHECK_STATUS(create(&bed.fixture, &request, &worker), cases[i].status);
		if (cases[i].status == WR_OK)
			CHECK_VIEW(worker->request.config_bundle_digest,
				   request.config_bundle_digest);
	}
	bed_close(&bed);
}

/* A create that is known is what it was, whatever the bundle has become. */
static void test_a_create_again_does_not_ask_the_bundle_again(void)
{
	const struct wr_key key = fixture_key(1, 1);
	const struct wr_worker *worker, *again;
	struct made_bundle made, other;
	struct wr_create request;
	struct wr_error error;
	struct bed bed;

	bed_open(&bed);
	CHECK_STATUS(store(&bed.fixture, "b", 1), WR_OK);
	make_bundle(&made, "b", 1);
	request = request_for(&made);
	request.worker_id = WR_VIEW("chosen");
	CHECK_STATUS(wr_runtime_create(bed.fixture.runtime, &request, &key, &worker, &error),
		     WR_OK);
	CHECK_STATUS(store(&bed.fixture, "b", 2), WR_OK);
	CHECK_STATUS(wr_runtime_create(bed.fixture.runtime, &request, &key, &again, &error), WR_OK);
	CHECK(worker == again);
	CHECK_STATUS(create(&bed.fixture, &request, &again), WR_OK);
	CHECK(worker == again);
	make_bundle(&other, "b", 2);
	request.config_bundle_digest = other.value.digest;
	CHECK_STATUS(create(&bed.fixture, &request, &again), WR_EXISTS);
	request.config_bundle_digest = WR_VIEW_NULL;
	CHECK_STATUS(create(&bed.fixture, &request, &again), WR_EXISTS);
	bed_close(&bed);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_bundle_is_one_record_and_the_same_again_none),
	WR_TEST(test_bundles_are_listed_by_their_ids),
	WR_TEST(test_a_bundle_is_seen_when_it_is_visible),
	WR_TEST(test_without_a_store_a_bundle_is_visible_at_once),
	WR_TEST(test_availability_is_by_digest),
	WR_TEST(test_a_refused_bundle_changes_nothing),
	WR_TEST(test_there_may_be_so_many_and_no_more),
	WR_TEST(test_together_they_may_be_so_large_and_no_larger),
	WR_TEST(test_a_stopped_runtime_takes_none_but_tells_of_them),
	WR_TEST(test_a_key_is_for_one_bundle_only_once),
	WR_TEST(test_bundles_outlive_the_process),
	WR_TEST(test_a_checkpoint_of_version_one_is_written_while_it_will_do),
	WR_TEST(test_bundles_are_a_part_of_their_own_for_each_64_kib),
	WR_TEST(test_records_of_bundles_that_cannot_be_are_damage),
	WR_TEST(test_parts_left_out_repeated_or_cut_are_damage),
	WR_TEST(test_changed_bytes_of_parts_do_no_harm),
	WR_TEST(test_a_create_is_held_against_the_bundle_that_it_means),
	WR_TEST(test_a_create_again_does_not_ask_the_bundle_again),
	WR_TEST_END,
};
