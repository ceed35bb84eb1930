/* Goal: the smallest key is always first, every node knows its place, and a failed allocation loses
 * nothing. Method: single moves at the edges, then long random runs against a plain array. */
#include "containers/heap.h"
#include "harness/harness.h"

#include "check.h"

enum { NODE_COUNT = 200, STEP_COUNT = 20000 };

static void check_whole(const struct wr_heap *heap)
{
	CHECK(heap->count <= heap->capacity);
	for (uint32_t i = 0; i < heap->count; i++) {
		CHECK_U64(heap->nodes[i]->place, i + 1);
		CHECK(i == 0 || heap->nodes[(i - 1) / 2]->key <= heap->nodes[i]->key);
	}
}

static void test_an_empty_heap_has_no_first(void)
{
	struct wr_heap_node node = {.key = 7};
	struct wr_heap heap;

	wr_heap_init(&heap, wr_test_allocator());
	CHECK(wr_heap_first(&heap) == NULL);
	wr_heap_remove(&heap, &node);
	CHECK(wr_heap_first(&heap) == NULL && !wr_heap_has(&node));
	wr_heap_deinit(&heap);
}

static void test_nodes_leave_in_the_order_of_their_keys(void)
{
	static const uint64_t keys[] = {5, 0, UINT64_MAX, 5, 1, UINT64_MAX - 1, 0, 9};
	struct wr_heap_node nodes[WR_COUNT(keys)] = {{0, 0}};
	struct wr_heap heap;
	uint64_t last = 0;

	wr_heap_init(&heap, wr_test_allocator());
	for (size_t i = 0; i < WR_COUNT(keys); i++)
		CHECK_STATUS(wr_heap_push(&heap, &nodes[i], keys[i]), WR_OK);
	for (size_t i = 0; i < WR_COUNT(keys); i++) {
		struct wr_heap_node *first = wr_heap_first(&heap);
		CHECK(first != NULL && first->key >= last);
		last = first->key;
		wr_heap_remove(&heap, first);
		CHECK(!wr_heap_has(first));
		check_whole(&heap);
	}
	CHECK_U64(last, UINT64_MAX);
	CHECK(wr_heap_first(&heap) == NULL);
	wr_heap_deinit(&heap);
}

static void test_a_failed_push_leaves_the_node_outside(void)
{
	struct wr_heap_node nodes[9] = {{0, 0}};
	struct wr_heap heap;

	wr_heap_init(&heap, wr_test_allocator());
	wr_test_fail_allocation(1, false);
	CHECK_STATUS(wr_heap_push(&heap, &nodes[0], 1), WR_NO_MEMORY);
	CHECK(!wr_heap_has(&nodes[0]) && wr_heap_first(&heap) == NULL);
	for (unsigned i = 0; i < 8; i++)
		CHECK_STATUS(wr_heap_push(&heap, &nodes[i], 10 - i), WR_OK);
	wr_test_fail_allocation(1, false);
	CHECK_STATUS(wr_heap_push(&heap, &nodes[8], 0), WR_NO_MEMORY);
	CHECK(!wr_heap_has(&nodes[8]));
	CHECK(wr_heap_first(&heap) != NULL && wr_heap_first(&heap)->key == 3);
	check_whole(&heap);
	CHECK_STATUS(wr_heap_push(&heap, &nodes[8], 0), WR_OK);
	CHECK(wr_heap_first(&heap) == &nodes[8]);
	wr_heap_deinit(&heap);
}

static void test_reserved_room_needs_no_memory_later(void)
{
	struct wr_heap_node nodes[NODE_COUNT] = {{0, 0}};
	struct wr_heap heap;

	wr_heap_init(&heap, wr_test_allocator());
	wr_test_fail_allocation(1, false);
	CHECK_STATUS(wr_heap_reserve(&heap, NODE_COUNT), WR_NO_MEMORY);
	CHECK_STATUS(wr_heap_reserve(&heap, NODE_COUNT), WR_OK);
	wr_test_fail_allocation(1, true);
	CHECK_STATUS(wr_heap_reserve(&heap, NODE_COUNT), WR_OK);
	for (unsigned i = 0; i < NODE_COUNT; i++)
		CHECK_STATUS(wr_heap_push(&heap, &nodes[i], i), WR_OK);
	CHECK(!wr_test_allocation_failed());
	wr_test_fail_allocation(0, false);
	wr_heap_deinit(&heap);
}

static void check_first(const struct wr_heap *heap, const struct wr_heap_node *nodes)
{
	const struct wr_heap_node *first = wr_heap_first(heap);
	uint32_t count = 0;

	for (unsigned i = 0; i < NODE_COUNT; i++) {
		if (!wr_heap_has(&nodes[i]))
			continue;
		count++;
		CHECK(first != NULL && first->key <= nodes[i].key);
	}
	CHECK_U64(heap->count, count);
	CHECK((first == NULL) == (count == 0));
}

static void test_random_pushes_updates_and_removals_keep_the_order(void)
{
	struct wr_heap_node nodes[NODE_COUNT] = {{0, 0}};
	uint64_t state = wr_test_seed();
	struct wr_heap heap;

	wr_heap_init(&heap, wr_test_allocator());
	for (unsigned step = 0; step < STEP_COUNT; step++) {
		struct wr_heap_node *node = &nodes[wr_test_random(&state) % NODE_COUNT];
		uint64_t key = wr_test_random(&state) % 50; /* many equal ones */
		if (!wr_heap_has(node))
			CHECK_STATUS(wr_heap_push(&heap, node, key), WR_OK);
		else if (wr_test_random(&state) % 2 == 0)
			wr_heap_update(&heap, node, key);
		else
			wr_heap_remove(&heap, node);
		check_whole(&heap);
		check_first(&heap, nodes);
	}
	wr_heap_deinit(&heap);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_an_empty_heap_has_no_first),
	WR_TEST(test_nodes_leave_in_the_order_of_their_keys),
	WR_TEST(test_a_failed_push_leaves_the_node_outside),
	WR_TEST(test_reserved_room_needs_no_memory_later),
	WR_TEST_LIMIT(test_random_pushes_updates_and_removals_keep_the_order, 60),
	WR_TEST_END,
};
