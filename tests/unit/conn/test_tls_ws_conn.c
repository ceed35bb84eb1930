/* The tests of test_ws_conn.c, over TLS (relay.h): what counts bytes of memory or descriptors, or
 * needs a reset behind a full socket to come through the relay, is left out. */
#define RIG_TLS 1
#define wr_tests wr_plain_tests
#include "unit/conn/test_ws_conn.c"
#undef wr_tests

extern const struct wr_test wr_tests[];
const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_conversations_do_not_depend_on_how_they_are_cut, 60),
	WR_TEST_LIMIT(test_an_observer_that_speaks_is_refused_by_its_frame_header, 30),
	WR_TEST_LIMIT(test_silence_is_pinged_and_then_ended, 30),
	WR_TEST_LIMIT(test_a_flood_of_control_frames_is_1008, 30),
	WR_TEST_LIMIT(test_our_close_waits_for_the_peers, 30),
	WR_TEST_LIMIT(test_a_peer_that_does_not_close_is_left, 30),
	WR_TEST_LIMIT(test_a_peer_that_vanishes_ends_the_connection, 30),
	WR_TEST_LIMIT(test_aborting_is_safe_anywhere, 30),
	WR_TEST_LIMIT(test_messages_queue_up_to_their_limit_and_stay_in_order, 30),
	WR_TEST_LIMIT(test_a_peer_that_asks_without_reading_is_not_read_from, 30),
	WR_TEST_LIMIT(test_pongs_wait_for_the_end_of_a_frame_and_only_the_newest_is_sent, 30),
	WR_TEST_LIMIT(test_a_stream_may_rest_inside_a_frame, 30),
	WR_TEST_LIMIT(test_a_stream_waits_for_queued_messages, 30),
	WR_TEST_LIMIT(test_a_close_of_the_peer_lets_the_frame_be_finished, 30),
	WR_TEST_LIMIT(test_a_close_behind_a_full_socket_still_arrives, 30),
	WR_TEST_END,
};
