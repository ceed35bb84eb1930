/* Goal: a ring keeps the order of its nodes, and a node may leave at any time, also during a walk.
 * Method: small lists compared with the order that is expected. */
#include "containers/list.h"
#include "harness/harness.h"

struct item {
	int number;
	struct wr_list node;
};

/* The numbers of the items, in order, as decimal digits of one number. */
static unsigned read_order(struct wr_list *head)
{
	unsigned order = 0, back = 0, scale = 1;

	wr_list_each (node, after, head)
		order = order * 10 + (unsigned)wr_list_entry(node, struct item, node)->number;
	for (struct wr_list *node = head->prev; node != head; node = node->prev) {
		back += scale * (unsigned)wr_list_entry(node, struct item, node)->number;
		scale *= 10;
	}
	CHECK_U64(back, order);
	return order;
}

static void fill(struct wr_list *head, struct item *items, int count)
{
	wr_list_init(head);
	for (int i = 0; i < count; i++) {
		items[i].number = i + 1;
		wr_list_init(&items[i].node);
		wr_list_push(head, &items[i].node);
	}
}

static void test_an_initialised_list_is_empty(void)
{
	struct wr_list head;

	wr_list_init(&head);
	CHECK(wr_list_is_empty(&head));
	CHECK_U64(read_order(&head), 0);
}

static void test_nodes_come_in_the_order_of_their_pushes(void)
{
	struct item items[4];
	struct wr_list head;

	fill(&head, items, 4);
	CHECK(!wr_list_is_empty(&head));
	CHECK_U64(read_order(&head), 1234);
}

static void test_any_node_can_be_removed(void)
{
	static const unsigned expected[] = {234, 134, 124, 123};

	for (int i = 0; i < 4; i++) {
		struct item items[4];
		struct wr_list head;

		fill(&head, items, 4);
		wr_list_remove(&items[i].node);
		CHECK_U64(read_order(&head), expected[i]);
		CHECK(wr_list_is_empty(&items[i].node));
	}
}

static void test_removing_twice_is_harmless(void)
{
	struct item items[2];
	struct wr_list head;

	fill(&head, items, 2);
	wr_list_remove(&items[0].node);
	wr_list_remove(&items[0].node);
	CHECK_U64(read_order(&head), 2);
	wr_list_push(&head, &items[0].node);
	CHECK_U64(read_order(&head), 21);
}

static void test_a_walk_survives_the_removal_of_its_node(void)
{
	struct item items[5];
	struct wr_list head, other;

	fill(&head, items, 5);
	wr_list_init(&other);
	wr_list_each (node, after, &head) {
		if (wr_list_entry(node, struct item, node)->number % 2 == 0)
			continue;
		wr_list_remove(node);
		wr_list_push(&other, node);
	}
	CHECK_U64(read_order(&head), 24);
	CHECK_U64(read_order(&other), 135);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_an_initialised_list_is_empty),
	WR_TEST(test_nodes_come_in_the_order_of_their_pushes),
	WR_TEST(test_any_node_can_be_removed),
	WR_TEST(test_removing_twice_is_harmless),
	WR_TEST(test_a_walk_survives_the_removal_of_its_node),
	WR_TEST_END,
};
