/* The tests of test_http_held.c, over TLS (relay.h): half an end, and deadlines shorter than a
 * handshake, are left out. */
#define RIG_TLS 1
#define wr_tests wr_plain_tests
#include "unit/conn/test_http_held.c"
#undef wr_tests

extern const struct wr_test wr_tests[];
const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_a_held_answer_leaves_when_its_number_is_reached, 30),
	WR_TEST_LIMIT(test_what_is_reached_already_is_not_held, 30),
	WR_TEST_LIMIT(test_answers_keep_their_order_around_a_held_one, 30),
	WR_TEST_LIMIT(test_of_several_numbers_the_highest_counts, 30),
	WR_TEST_LIMIT(test_connections_wait_each_for_its_own_number, 30),
	WR_TEST_LIMIT(test_cuts_do_not_matter, 30),
	WR_TEST_LIMIT(test_beyond_eight_held_answers_nothing_more_is_served, 30),
	WR_TEST_LIMIT(test_output_behind_a_held_answer_is_bounded, 30),
	WR_TEST_LIMIT(test_a_peer_that_takes_nothing_of_what_may_leave_is_cut_off, 30),
	WR_TEST_LIMIT(test_draining_waits_for_held_answers, 30),
	WR_TEST_LIMIT(test_a_peer_that_resets_is_forgotten, 30),
	WR_TEST_LIMIT(test_an_upgrade_waits_until_all_before_it_has_left, 30),
	WR_TEST_LIMIT(test_an_upgrade_behind_a_failed_answer_is_never_served, 30),
	WR_TEST_LIMIT(test_one_500_stands_for_all_that_was_held, 30),
	WR_TEST_LIMIT(test_what_is_not_held_does_not_fail, 30),
	WR_TEST_LIMIT(test_a_server_ends_with_answers_held, 30),
	WR_TEST_LIMIT(test_a_lack_of_memory_ends_the_connection_and_leaves_nothing, 30),
	WR_TEST_END,
};
