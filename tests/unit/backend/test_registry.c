/* Goal: sources keep their order, no id is there twice, and nobody is freed behind the back of
 * whoever calls it. Method: scripted sources. */
#include "backend/registry.h"

#include "unit/backend/scripted_source.h"

static struct wr_registry registry;
static struct scripted sources[WR_REGISTRY_COUNT_MAX + 1];

/* The ids in order, with commas. */
static struct wr_view ids_of(void)
{
	static char text[512];
	size_t bytes = 0;

	for (uint32_t i = 0; i < registry.count; i++) {
		struct wr_view id = registry.handles[i]->runtime_id;

		bytes += (size_t)snprintf(text + bytes, sizeof text - bytes, "%s%.*s",
					  i == 0 ? "" : ",", (int)id.bytes, id.data);
	}
	return wr_view_of(text, bytes);
}

static void add(unsigned i, const char *id)
{
	scripted_init(&sources[i], WR_SOURCE_REMOTE, id);
	CHECK_STATUS(wr_registry_add(&registry, &sources[i].handle), WR_OK);
}

static void test_sources_keep_their_order(void)
{
	CHECK_STRING(ids_of(), "");
	add(0, "local-worker-runtime");
	add(1, "backend-internal");
	add(2, "zeta");
	add(3, "alpha");
	CHECK_STRING(ids_of(), "local-worker-runtime,backend-internal,zeta,alpha");
	wr_registry_remove(&registry, &sources[1].handle);
	CHECK_STRING(ids_of(), "local-worker-runtime,zeta,alpha");
	CHECK_U64(sources[1].freed_as, 1);
	wr_registry_deinit(&registry);
}

static void test_an_id_is_there_once(void)
{
	static const char *const taken[] = {"local-worker-runtime", "a", "a:b"};

	for (unsigned i = 0; i < WR_COUNT(taken); i++)
		add(i, taken[i]);
	for (unsigned i = 0; i < WR_COUNT(taken); i++) {
		wr_test_case(taken[i]);
		scripted_init(&sources[9], WR_SOURCE_LOCAL, taken[i]);
		CHECK_STATUS(wr_registry_add(&registry, &sources[9].handle), WR_EXISTS);
	}
	CHECK_U64(sources[9].freed_as, 0);
	CHECK_U64(registry.count, 3);
	wr_registry_deinit(&registry);
}

static void test_a_full_registry_takes_no_more(void)
{
	static char names[WR_REGISTRY_COUNT_MAX + 1][8];

	for (unsigned i = 0; i < WR_REGISTRY_COUNT_MAX; i++) {
		snprintf(names[i], sizeof names[i], "r%u", i);
		add(i, names[i]);
	}
	scripted_init(&sources[WR_REGISTRY_COUNT_MAX], WR_SOURCE_REMOTE, "more");
	CHECK_STATUS(wr_registry_add(&registry, &sources[WR_REGISTRY_COUNT_MAX].handle), WR_FULL);
	CHECK(wr_registry_find(&registry, WR_VIEW("more")) == NULL);
	CHECK(wr_registry_find(&registry, WR_VIEW("r65")) == &sources[65].handle);
	/* The last place can be used again. */
	wr_registry_remove(&registry, &sources[65].handle);
	CHECK_STATUS(wr_registry_add(&registry, &sources[WR_REGISTRY_COUNT_MAX].handle), WR_OK);
	wr_registry_deinit(&registry);
	CHECK_U64(registry.count, 0);
}

static void test_only_whole_ids_are_found(void)
{
	static const char *const others[] = {"", "a", "ab", "abcd", "ABC", "abc ", "host-abc"};

	add(0, "abc");
	CHECK(wr_registry_find(&registry, WR_VIEW("abc")) == &sources[0].handle);
	CHECK(wr_registry_find_host(&registry, WR_VIEW("host-abc")) == &sources[0].handle);
	for (unsigned i = 0; i < WR_COUNT(others); i++) {
		wr_test_case(others[i]);
		CHECK(wr_registry_find(&registry, wr_view_of_string(others[i])) == NULL);
		if (strcmp(others[i], "host-abc") != 0)
			CHECK(wr_registry_find_host(&registry, wr_view_of_string(others[i])) ==
			      NULL);
	}
	wr_registry_deinit(&registry);
}

static void test_a_source_is_replaced_in_its_place(void)
{
	add(0, "a");
	add(1, "b");
	add(2, "c");
	/* By one of the same id, and by one of another. */
	scripted_init(&sources[3], WR_SOURCE_REMOTE, "b");
	CHECK_STATUS(wr_registry_replace(&registry, &sources[1].handle, &sources[3].handle), WR_OK);
	CHECK(wr_registry_find(&registry, WR_VIEW("b")) == &sources[3].handle);
	CHECK_U64(sources[1].freed_as, 1);
	scripted_init(&sources[4], WR_SOURCE_REMOTE, "d");
	CHECK_STATUS(wr_registry_replace(&registry, &sources[0].handle, &sources[4].handle), WR_OK);
	CHECK_STRING(ids_of(), "d,b,c");
	/* Not by one of a third's id; then nothing has changed. */
	scripted_init(&sources[5], WR_SOURCE_REMOTE, "c");
	CHECK_STATUS(wr_registry_replace(&registry, &sources[4].handle, &sources[5].handle),
		     WR_EXISTS);
	CHECK_STRING(ids_of(), "d,b,c");
	CHECK_U64(sources[4].freed_as, 0);
	wr_registry_deinit(&registry);
}

static unsigned told_count;

static void on_remove(void *context, struct wr_runtime_handle *handle)
{
	CHECK(context == &told_count);
	CHECK_U64(scripted_of(handle)->freed_as, 0);
	CHECK(wr_registry_find(&registry, handle->runtime_id) != handle);
	told_count++;
}

static void test_whoever_calls_is_told_before_a_source_is_freed(void)
{
	registry.on_remove = on_remove;
	registry.context = &told_count;
	add(0, "a");
	add(1, "b");
	add(2, "c");
	wr_registry_remove(&registry, &sources[0].handle);
	scripted_init(&sources[3], WR_SOURCE_REMOTE, "b");
	CHECK_STATUS(wr_registry_replace(&registry, &sources[1].handle, &sources[3].handle), WR_OK);
	CHECK_U64(told_count, 2);
	wr_registry_deinit(&registry);
	CHECK_U64(told_count, 4);
	/* The last one first. */
	CHECK_U64(sources[2].freed_as, 3);
	CHECK_U64(sources[3].freed_as, 4);
}

static void test_streams_are_counted_and_drained_where_there_are_any(void)
{
	CHECK_U64(wr_registry_stream_count(&registry), 0);
	add(0, "a");
	add(1, "b");
	add(2, "c");
	sources[1].ops.stream_count = NULL;
	sources[1].ops.drain = NULL;
	CHECK_U64(wr_registry_stream_count(&registry), 6);
	wr_registry_drain(&registry);
	CHECK_U64(sources[0].drain_count + sources[2].drain_count, 2);
	wr_registry_deinit(&registry);
}

static void test_a_source_moves_to_its_place(void)
{
	static const char *const ids[] = {"a", "b", "c", "d"};
	static const struct {
		unsigned from, to;
		const char *order;
	} moves[] = {{0, 3, "bcda"}, {3, 0, "dabc"}, {1, 2, "acbd"}, {2, 2, "abcd"}};

	for (size_t i = 0; i < WR_COUNT(moves); i++) {
		struct wr_registry some = {0};
		struct wr_runtime_handle handles[4];
		wr_test_case(moves[i].order);
		for (unsigned n = 0; n < 4; n++) {
			handles[n] =
				(struct wr_runtime_handle){.runtime_id = wr_view_of_string(ids[n])};
			CHECK_STATUS(wr_registry_add(&some, &handles[n]), WR_OK);
		}
		wr_registry_place(&some, &handles[moves[i].from], moves[i].to);
		for (unsigned n = 0; n < 4; n++)
			CHECK_VIEW(some.handles[n]->runtime_id, wr_view_of(&moves[i].order[n], 1));
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_source_moves_to_its_place),
	WR_TEST(test_sources_keep_their_order),
	WR_TEST(test_an_id_is_there_once),
	WR_TEST(test_a_full_registry_takes_no_more),
	WR_TEST(test_only_whole_ids_are_found),
	WR_TEST(test_a_source_is_replaced_in_its_place),
	WR_TEST(test_whoever_calls_is_told_before_a_source_is_freed),
	WR_TEST(test_streams_are_counted_and_drained_where_there_are_any),
	WR_TEST_END,
};
