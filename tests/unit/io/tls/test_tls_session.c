/* Goal: a TLS stream is a stream: what is sent arrives, whole and in order, however the wire cuts
 * it; its end, its faults and its refusals are told; nothing is lost, leaked or called in vain.
 * Method: both ends in one reactor with the wire between them in the test's hand. */
#include "unit/io/tls/tls_rig.h"

static void test_a_handshake_and_a_word_each_way(void)
{
	open_usual();
	open_connection();
	end_say(&rig.a, "ping", 4);
	run(EVERYTHING, NULL);
	check_got(&rig.b, "ping", 4);
	end_say(&rig.b, "pong!", 5);
	run(EVERYTHING, NULL);
	check_got(&rig.a, "pong!", 5);
	CHECK(wr_stream_fault(&rig.a.stream) == NULL && wr_stream_fault(&rig.b.stream) == NULL);
	close_rig();
}

static bool all_arrived(void)
{
	return rig.b.got_bytes == rig.a.out_bytes && rig.a.got_bytes == rig.b.out_bytes;
}

static void test_both_ways_at_once_and_in_pieces(void)
{
	static const struct {
		size_t bytes, piece, room;
	} cases[] = {
		{1 << 20, EVERYTHING, WIRE_BYTES},
		{1 << 20, EVERYTHING, 1000},
		{300000, 4099, 16384},
		{40000, 7, 16384},
		{20000, 1, 16384},
		{20000, EVERYTHING, 1},
	};

	open_usual();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		rig.a.room = rig.b.room = cases[i].room;
		rig.a.out = rig.b.out = NULL;
		rig.a.out_bytes = rig.b.out_bytes = 0;
		open_ends("localhost");
		end_say(&rig.a, pattern(), cases[i].bytes);
		end_say(&rig.b, pattern() + 1000, cases[i].bytes);
		run(cases[i].piece, all_arrived);
		check_got(&rig.b, pattern(), cases[i].bytes);
		check_got(&rig.a, pattern() + 1000, cases[i].bytes);
		close_connection();
		turn();
	}
	CHECK_U64(wr_tls_server_counts(rig.server)->opened_count, WR_COUNT(cases));
	CHECK_U64(wr_tls_server_counts(rig.server)->failed_count, 0);
	close_rig();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_handshake_and_a_word_each_way),
	WR_TEST_LIMIT(test_both_ways_at_once_and_in_pieces, 60),
	WR_TEST_END,
};
