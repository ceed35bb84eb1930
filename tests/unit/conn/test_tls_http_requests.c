/* The tests of test_http_requests.c, over TLS (relay.h): what is counted in single turns, or is
 * told behind half an end, is left out. */
#define RIG_TLS 1
#define wr_tests wr_plain_tests
#include "unit/conn/test_http_requests.c"
#undef wr_tests

extern const struct wr_test wr_tests[];
const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_conversations_do_not_depend_on_how_they_are_cut, 60),
	WR_TEST_LIMIT(test_answers_after_the_maximum_of_requests_say_close, 30),
	WR_TEST_LIMIT(test_a_reset_abandons_the_exchange, 30),
	WR_TEST_LIMIT(test_an_exchange_is_abandoned_when_the_server_goes, 30),
	WR_TEST_LIMIT(test_a_reset_at_any_phase_leaves_nothing, 30),
	WR_TEST_LIMIT(test_answers_may_cross_between_connections, 30),
	WR_TEST_LIMIT(test_continue_is_sent_when_the_body_is_wanted_and_not_there, 30),
	WR_TEST_LIMIT(test_a_body_of_the_limit_is_taken_and_a_longer_one_is_413, 30),
	WR_TEST_LIMIT(test_a_body_over_the_limit_of_its_route_is_413, 30),
	WR_TEST_LIMIT(test_heads_over_their_limits_are_refused, 30),
	WR_TEST_LIMIT(test_an_upgrade_gives_the_stream_and_what_came_early, 30),
	WR_TEST_LIMIT(test_an_upgrade_with_a_body_is_not_one, 30),
	WR_TEST_LIMIT(test_draining_ends_idle_connections_and_closes_after_answers, 30),
	WR_TEST_END,
};
