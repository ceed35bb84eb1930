/* The tests of test_ws_client.c, over TLS (relay.h): what the server is told behind half an end, or
 * takes longer than a test may, is left out. */
#define RIG_TLS 1
#define wr_tests wr_plain_tests
#include "unit/conn/test_ws_client.c"
#undef wr_tests

extern const struct wr_test wr_tests[];
const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_handshakes_are_judged_whole_and_byte_by_byte, 30),
	WR_TEST_LIMIT(test_the_request_is_what_was_asked_for_with_a_fresh_key, 30),
	WR_TEST_LIMIT(test_texts_that_do_not_belong_in_a_head_are_refused, 30),
	WR_TEST_LIMIT(test_nobody_listening_is_told_with_the_reason, 30),
	WR_TEST_LIMIT(test_a_handshake_has_its_time, 30),
	WR_TEST_LIMIT(test_frames_that_are_cut_are_never_more_than_what_came, 30),
	WR_TEST_LIMIT(test_too_many_fragments_are_refused, 30),
	WR_TEST_LIMIT(test_a_failure_is_told_and_then_waits_for_the_server_but_not_for_ever, 30),
	WR_TEST_LIMIT(test_messages_leave_as_they_are_each_with_its_own_mask, 30),
	WR_TEST_LIMIT(test_a_slow_server_gets_everything_in_order, 30),
	WR_TEST_LIMIT(test_only_the_newest_ping_that_waits_is_answered_and_messages_do_not_delay_it,
		      30),
	WR_TEST_LIMIT(test_control_frames_find_room_when_the_queue_is_full, 30),
	WR_TEST_LIMIT(test_our_close_is_answered_or_ends_in_time, 30),
	WR_TEST_LIMIT(test_what_comes_after_our_close_is_not_handed_on, 30),
	WR_TEST_LIMIT(test_a_close_before_it_is_open_ends_it, 30),
	WR_TEST_LIMIT(test_silence_gets_a_ping_and_then_the_end, 30),
	WR_TEST_LIMIT(test_a_pong_or_anything_else_keeps_it_alive, 30),
	WR_TEST_LIMIT(test_the_owner_may_do_anything_from_within, 30),
	WR_TEST_LIMIT(test_the_client_may_be_freed_when_it_ends_however_that_comes, 30),
	WR_TEST_LIMIT(test_failing_memory_ends_it_once_or_takes_nothing, 30),
	WR_TEST_LIMIT(test_a_close_without_memory_still_ends_it, 30),
	WR_TEST_END,
};
