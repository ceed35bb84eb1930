/* The tests of test_http_limits.c, over TLS (relay.h): what counts bytes of memory or descriptors,
 * reads a refusal in plaintext, or needs a reset behind a full socket to come through the relay, is
 * left out. */
#define RIG_TLS 1
#define wr_tests wr_plain_tests
#include "unit/conn/test_http_limits.c"
#undef wr_tests

extern const struct wr_test wr_tests[];
const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_an_idle_connection_is_closed, 30),
	WR_TEST_LIMIT(test_a_head_that_takes_too_long_is_408, 30),
	WR_TEST_LIMIT(test_a_body_that_stops_is_408, 30),
	WR_TEST_LIMIT(test_a_body_with_progress_may_take_longer, 30),
	WR_TEST_LIMIT(test_a_dropped_body_that_stops_ends_the_connection, 30),
	WR_TEST_LIMIT(test_a_producer_of_a_stalled_reader_is_released, 30),
	WR_TEST_LIMIT(test_a_peer_that_does_not_end_is_left_after_the_drain, 30),
	WR_TEST_LIMIT(test_a_peer_that_floods_the_drain_is_left_sooner, 30),
	WR_TEST_LIMIT(test_a_peer_that_does_not_read_is_not_read_from, 30),
	WR_TEST_END,
};
