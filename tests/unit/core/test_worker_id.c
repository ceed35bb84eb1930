/* Goal: a client may choose a Worker's id, and creating the same again gives the same Worker;
 * another request under its id is refused, and ids that are made never collide with chosen ones. */
#include "unit/core/fixture.h"

static char long_id[WR_ID_BYTES_MAX + 2];

static enum wr_status create(struct fixture *fixture, const struct wr_create *request,
			     const struct wr_worker **worker)
{
	struct wr_error error;
	enum wr_status status = wr_runtime_create(fixture->runtime, request, NULL, worker, &error);

	CHECK_STATUS(error.status, status);
	CHECK(status != WR_INVALID || error.detail != NULL);
	return status;
}

static void test_ids_that_can_stand_in_a_path_are_taken(void)
{
	static const struct {
		const char *id;
		enum wr_status expected;
	} cases[] = {
		{"a", WR_OK},
		{"build-7.2_x", WR_OK},
		{"two words", WR_OK},
		{"\xc3\xa4rger \xe2\x82\xac", WR_OK},
		{"...", WR_OK},
		{"worker-00000001", WR_OK},
		{"", WR_INVALID},
		{" ", WR_INVALID},
		{"\xc2\xa0", WR_INVALID}, /* blank in Unicode */
		{".", WR_INVALID},
		{"..", WR_INVALID},
		{"a/b", WR_INVALID},
		{"a\tb", WR_INVALID},
		{"a\nb", WR_INVALID},
		{"a\x7f", WR_INVALID},
		{"\xff", WR_INVALID},
		{"a\xc3", WR_INVALID},
		{"\xed\xa0\x80", WR_INVALID}, /* a surrogate */
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_create request = {.worker_id = wr_view_of_string(cases[i].id)};
		const struct wr_worker *worker = NULL;
		struct fixture fixture;
		wr_test_case(cases[i].id);
		request.worker_id = wr_test_guarded(0, request.worker_id);
		fixture_init(&fixture, 1);
		fixture_open(&fixture);
		CHECK_STATUS(create(&fixture, &request, &worker), cases[i].expected);
		CHECK_U64(fixture_head(&fixture), cases[i].expected == WR_OK ? 2 : 1);
		if (worker != NULL) {
			CHECK_STRING(worker->id, cases[i].id);
			CHECK(worker->request.worker_id.data == NULL);
			CHECK(wr_runtime_find(fixture.runtime, worker->id) == worker);
		}
		fixture_close(&fixture);
	}
}

static void test_the_longest_id_is_the_limit(void)
{
	const struct wr_worker *worker;
	struct wr_create request;
	struct fixture fixture;

	memset(long_id, 'x', sizeof long_id);
	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	request = (struct wr_create){.worker_id = {long_id, WR_ID_BYTES_MAX}};
	CHECK_STATUS(create(&fixture, &request, &worker), WR_OK);
	request.worker_id.bytes++;
	CHECK_STATUS(create(&fixture, &request, &worker), WR_INVALID);
	fixture_close(&fixture);
}

static void test_the_same_create_again_gives_the_same_worker(void)
{
	char lists[3][40];
	struct wr_buf list;
	struct wr_create request = {.intent = WR_INTENT_TASK,
				    .objective = WR_VIEW_INIT("do it"),
				    .profile = WR_PROFILE_BUILTIN,
				    .profile_value = WR_VIEW_INIT("p"),
				    .worker_id = WR_VIEW_INIT("mine")},
			 others[9];
	const struct wr_worker *first, *again;
	struct kept_store store = {.generation = 1};
	struct fixture fixture;
	struct wr_ack ack;

	for (unsigned i = 0; i < 3; i++) {
		wr_buf_init_fixed(&list, lists[i], sizeof lists[i]);
		CHECK_STATUS(wr_pairs_append(&list, WR_VIEW("name"), WR_VIEW("x")), WR_OK);
		*(i == 0   ? &request.capabilities
		  : i == 1 ? &request.workspace_refs
			   : &request.mount_refs) = (struct wr_pairs){wr_buf_view(&list), 1};
	}
	for (unsigned i = 0; i < WR_COUNT(others); i++)
		others[i] = request;
	others[0].intent = WR_INTENT_ASSISTANT;
	others[1].objective = WR_VIEW("do that");
	others[2].role = WR_VIEW("");
	others[3].purpose = WR_VIEW("");
	others[4].profile_value = WR_VIEW("q");
	others[5].config_bundle_id = WR_VIEW("");
	others[6].capabilities = (struct wr_pairs){.count = 0};
	others[7].workspace_refs = (struct wr_pairs){.count = 0};
	others[8].mount_refs = (struct wr_pairs){.count = 0};
	fixture_init(&fixture, 1);
	fixture.config.worker_count_max = 1;
	fixture.ports.store = (struct wr_store){&kept_store_ops, &store};
	fixture_open(&fixture);
	CHECK_STATUS(create(&fixture, &request, &first), WR_OK);
	for (unsigned round = 0; round < 2; round++) {
		CHECK_STATUS(create(&fixture, &request, &again), WR_OK);
		CHECK(again == first); /* also while it is not yet visible */
		for (unsigned i = 0; i < WR_COUNT(others); i++)
			CHECK_STATUS(create(&fixture, &others[i], &again), WR_EXISTS);
		CHECK_U64(fixture_head(&fixture), 2);
		wr_runtime_settle(fixture.runtime);
		fixture_close(&fixture);
		fixture_open(&fixture);
		first = wr_runtime_find(fixture.runtime, WR_VIEW("mine"));
	}
	/* Whatever became of it: what is told is what it was when it was created. */
	CHECK_STATUS(wr_runtime_cancel_worker(fixture.runtime, first->id, WR_VIEW_NULL, NULL, &ack),
		     WR_OK);
	CHECK_STATUS(create(&fixture, &request, &again), WR_OK);
	CHECK(wr_runtime_created_face(again).status == WR_WORKER_RUNNING);
	CHECK_U64(wr_runtime_created_face(again).last_event_id, 2);
	request.worker_id = WR_VIEW("another");
	CHECK_STATUS(create(&fixture, &request, &again), WR_FULL);
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

static void test_a_refused_create_gives_nothing(void)
{
	const struct wr_create request = {.worker_id = WR_VIEW_INIT("a")},
			       other = {.worker_id = WR_VIEW_INIT("a"), .intent = WR_INTENT_ROLE};
	const struct wr_worker *worker = NULL, *none = NULL;
	struct fixture fixture;

	fixture_init(&fixture, 1);
	fixture_open(&fixture);
	CHECK_STATUS(create(&fixture, &request, &worker), WR_OK);
	CHECK_STATUS(create(&fixture, &other, &none), WR_EXISTS);
	CHECK(none == NULL);
	fixture_close(&fixture);
}

static void test_made_ids_go_around_chosen_ones(void)
{
	static const struct {
		const char *chosen; /* NULL: made */
		const char *expected;
	} steps[] = {
		{"worker-00000002", "worker-00000002"},
		{"worker-00000004", "worker-00000004"},
		{NULL, "worker-00000003"},
		{NULL, "worker-00000005"},
		{NULL, "worker-00000006"},
		{"worker-00000008", "worker-00000008"},
		{NULL, "worker-00000007"},
		{NULL, "worker-00000009"},
		{"worker-00000001", "worker-00000001"},
		{NULL, "worker-0000000a"},
	};
	struct kept_store store = {.generation = 1};
	struct fixture fixture;

	fixture_init(&fixture, 1);
	fixture.ports.store = (struct wr_store){&kept_store_ops, &store};
	fixture_open(&fixture);
	for (size_t i = 0; i < WR_COUNT(steps); i++) {
		struct wr_create request = {.worker_id = wr_view_of_string(steps[i].chosen)};
		const struct wr_worker *worker;
		CHECK_STATUS(create(&fixture, &request, &worker), WR_OK);
		CHECK_STRING(worker->id, steps[i].expected);
		wr_runtime_settle(fixture.runtime);
		fixture_close(&fixture);
		fixture_open(&fixture);
	}
	for (size_t i = 0; i < WR_COUNT(steps); i++) {
		struct wr_view id = wr_view_of_string(steps[i].expected);
		CHECK_U64(wr_runtime_find(fixture.runtime, id)->number, i + 1);
	}
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_ids_that_can_stand_in_a_path_are_taken),
	WR_TEST(test_the_longest_id_is_the_limit),
	WR_TEST(test_the_same_create_again_gives_the_same_worker),
	WR_TEST(test_a_refused_create_gives_nothing),
	WR_TEST(test_made_ids_go_around_chosen_ones),
	WR_TEST_END,
};
