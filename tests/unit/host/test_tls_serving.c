/* Goal: what a program's settings make of TLS. Method: settings, and connections without a peer. */
#include "host/serving_tls.h"
#include "unit/io/tls/tls_rig.h"

static void test_no_more_connections_than_there_are_descriptors_for(void)
{
	static const struct {
		uint64_t connections_max, tls_max;
		unsigned count;
	} cases[] = {{1, 128, 1}, {3, 128, 3}, {128, 2, 2}};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_serving serving = {.connections_max = cases[i].connections_max,
					     .tls_connections_max = cases[i].tls_max,
					     .tls_handshake_ms = 1000};
		struct wr_stream streams[4];
		int fds[4][2];
		memset(&rig, 0, sizeof rig);
		open_rig();
		rig_message(&rig.message);
		serving.tls_cert = fixture("ec.pem");
		serving.tls_key = key_file("ec.key");
		CHECK(wr_serving_tls_open(&rig.server, &serving, &rig.reactor, wr_test_allocator(),
					  &rig.message));
		for (unsigned at = 0; at < cases[i].count; at++) {
			CHECK(!wr_tls_server_is_full(rig.server));
			open_pair(fds[at]);
			wr_stream_open(&streams[at], fds[at][0]);
			CHECK_STATUS(wr_tls_accept(rig.server, &streams[at]), WR_OK);
		}
		CHECK(wr_tls_server_is_full(rig.server));
		for (unsigned at = 0; at < cases[i].count; at++) {
			wr_stream_close(&streams[at], 1);
			close(fds[at][1]);
		}
		close_rig();
		remove_folder();
	}
}

/* A program that ends waits for these. */
static void test_records_that_are_left_count_as_a_connection(void)
{
	struct wr_serving serving = {
		.connections_max = 8, .tls_connections_max = 8, .tls_handshake_ms = 10000};
	size_t before;

	open_rig();
	rig_message(&rig.message);
	serving.tls_cert = fixture("ec.pem");
	serving.tls_key = key_file("ec.key");
	CHECK_U64(wr_serving_tls_connection_count(NULL), 0);
	CHECK(wr_serving_tls_open(&rig.server, &serving, &rig.reactor, wr_test_allocator(),
				  &rig.message));
	open_client();
	open_connection();
	CHECK_U64(wr_serving_tls_connection_count(rig.server), 1);
	end_say(&rig.b, pattern(), STORE_BYTES / 2);
	do {
		before = rig.b.sent_bytes;
		end_send(&rig.b);
	} while (rig.b.sent_bytes != before);
	end_close(&rig.b, 0);
	CHECK_U64(wr_serving_tls_connection_count(rig.server), 1);
	run(EVERYTHING, NULL);
	check_got(&rig.a, pattern(), before);
	CHECK_U64(wr_serving_tls_connection_count(rig.server), 0);
	close_rig();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_records_that_are_left_count_as_a_connection),
	WR_TEST(test_no_more_connections_than_there_are_descriptors_for),
	WR_TEST_END,
};
