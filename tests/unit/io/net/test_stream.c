/* Goal: a stream tells bytes, nothing-yet and gone apart, never blocks and never raises SIGPIPE.
 * Method: pairs over loopback and unix sockets, driven over each edge. */
#include "io/net/stream.h"
#include "unit/io/sockets.h"

#include "check.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>

static struct wr_stream stream;
static int peer;

static void open_over(void (*open)(int fds[2]))
{
	int fds[2];

	open(fds);
	wr_stream_open(&stream, fds[0]);
	peer = fds[1];
}

static enum wr_status send_text(const char *text, size_t *sent)
{
	char bytes[16];
	struct iovec part = {.iov_base = bytes, .iov_len = strlen(text)};

	memcpy(bytes, text, part.iov_len);
	return wr_stream_send(&stream, &part, 1, sent);
}

static void check_peer_reads(const char *text)
{
	char bytes[64];

	CHECK_U64(recv(peer, bytes, strlen(text), MSG_WAITALL), strlen(text));
	CHECK(memcmp(bytes, text, strlen(text)) == 0);
}

static void test_received_bytes_then_nothing_then_the_end(void)
{
	void (*const opens[])(int fds[2]) = {open_pair, open_tcp_pair};

	for (size_t i = 0; i < WR_COUNT(opens); i++) {
		char bytes[4];
		size_t got = 9;

		open_over(opens[i]);
		CHECK_STATUS(wr_stream_receive(&stream, bytes, sizeof bytes, &got), WR_MORE);
		CHECK_U64(got, 0);
		CHECK(write(peer, "abcdef", 6) == 6);
		await_readable(stream.fd);
		CHECK_STATUS(wr_stream_receive(&stream, bytes, sizeof bytes, &got), WR_OK);
		CHECK_STRING(wr_view_of(bytes, got), "abcd");
		CHECK_STATUS(wr_stream_receive(&stream, bytes, sizeof bytes, &got), WR_OK);
		CHECK_STRING(wr_view_of(bytes, got), "ef");
		CHECK_STATUS(wr_stream_receive(&stream, bytes, sizeof bytes, &got), WR_MORE);
		close(peer);
		await_readable(stream.fd);
		CHECK_STATUS(wr_stream_receive(&stream, bytes, sizeof bytes, &got), WR_CLOSED);
		CHECK_U64(got, 0);
		wr_stream_close(&stream, 0);
		CHECK(stream.fd == -1);
		wr_stream_close(&stream, 0);
	}
}

static void test_parts_are_sent_in_order(void)
{
	char a[] = "one ", b[] = "two ", c[] = "three";
	struct iovec parts[] = {{a, 4}, {b, 4}, {c, 0}, {c, 5}};
	size_t sent;

	open_over(open_tcp_pair);
	CHECK_STATUS(wr_stream_send(&stream, parts, 4, &sent), WR_OK);
	CHECK_U64(sent, 13);
	check_peer_reads("one two three");
	CHECK_STATUS(wr_stream_send(&stream, parts + 3, 1, &sent), WR_OK);
	CHECK_U64(sent, 5);
	check_peer_reads("three");
}

static void test_more_parts_than_the_system_takes_are_sent_in_part(void)
{
	enum { COUNT = 5000 };
	static struct iovec parts[COUNT];
	static char bytes[COUNT], seen[COUNT];
	size_t sent = 0, done = 0;

	open_over(open_pair);
	for (unsigned i = 0; i < COUNT; i++) {
		bytes[i] = (char)('a' + i % 26);
		parts[i] = (struct iovec){&bytes[i], 1};
	}
	while (done < COUNT) {
		CHECK_STATUS(wr_stream_send(&stream, parts + done, (int)(COUNT - done), &sent),
			     WR_OK);
		CHECK(sent > 0);
		CHECK_U64(recv(peer, seen + done, sent, MSG_WAITALL), sent);
		done += sent;
	}
	CHECK(memcmp(seen, bytes, COUNT) == 0);
}

static void test_a_full_socket_takes_a_part_and_then_nothing(void)
{
	static char block[1 << 20], more[1 << 20];
	struct iovec parts[2] = {{block, sizeof block}, {more, sizeof more}};
	size_t sent, total = 0;
	enum wr_status status;
	unsigned call_count = 0;

	open_over(open_pair);
	while ((status = wr_stream_send(&stream, parts, 2, &sent)) == WR_OK) {
		CHECK(sent > 0 && ++call_count < 1000);
		total += sent;
	}
	CHECK_STATUS(status, WR_MORE);
	CHECK_U64(sent, 0);
	CHECK(total > 0 && total < sizeof block + sizeof more);
	CHECK_STATUS(wr_stream_send(&stream, parts, 1, &sent), WR_MORE);
	while (recv(peer, more, sizeof more, MSG_DONTWAIT) > 0)
		;
	CHECK_STATUS(wr_stream_send(&stream, parts, 1, &sent), WR_OK);
}

static void test_sending_to_a_peer_that_is_gone_raises_no_signal(void)
{
	char bytes[] = "x";
	struct iovec parts[2] = {{bytes, 1}, {bytes, 1}};
	size_t sent;

	CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	open_over(open_pair);
	close(peer);
	CHECK_STATUS(send_text("x", &sent), WR_CLOSED);
	CHECK_U64(sent, 0);
	CHECK_STATUS(wr_stream_send(&stream, parts, 2, &sent), WR_CLOSED);
	wr_stream_close(&stream, 0);
}

static void test_shutdown_ends_the_output_only(void)
{
	char byte;
	size_t got, sent;

	open_over(open_tcp_pair);
	CHECK_STATUS(send_text("last", &sent), WR_OK);
	wr_stream_shutdown(&stream);
	check_peer_reads("last");
	CHECK(recv(peer, &byte, 1, 0) == 0);
	CHECK_STATUS(send_text("x", &sent), WR_CLOSED);
	CHECK(write(peer, "y", 1) == 1);
	await_readable(stream.fd);
	CHECK_STATUS(wr_stream_receive(&stream, &byte, 1, &got), WR_OK);
	CHECK(byte == 'y');
	close(peer);
	wr_stream_close(&stream, 0);
}

static void test_a_reset_is_felt_by_the_peer_and_a_close_is_not(void)
{
	char byte;

	open_over(open_tcp_pair);
	wr_stream_close(&stream, 1);
	await_readable(peer);
	CHECK(recv(peer, &byte, 1, 0) < 0 && errno == ECONNRESET);
	close(peer);
	open_over(open_tcp_pair);
	wr_stream_close(&stream, 0);
	await_readable(peer);
	CHECK(recv(peer, &byte, 1, 0) == 0);
}

static void test_a_reset_by_the_peer_is_the_end(void)
{
	struct linger linger = {.l_onoff = 1};
	char byte;
	size_t got, sent;

	open_over(open_tcp_pair);
	CHECK(setsockopt(peer, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
	close(peer);
	await_readable(stream.fd);
	CHECK_STATUS(wr_stream_receive(&stream, &byte, 1, &got), WR_CLOSED);
	CHECK_STATUS(send_text("x", &sent), WR_CLOSED);
	wr_stream_close(&stream, 1);
}

static void test_small_answers_are_not_delayed(void)
{
	int value = 0;
	socklen_t bytes = sizeof value;

	open_over(open_tcp_pair);
	CHECK(getsockopt(stream.fd, IPPROTO_TCP, TCP_NODELAY, &value, &bytes) == 0);
	CHECK(value != 0);
#ifdef TCP_USER_TIMEOUT
	CHECK(getsockopt(stream.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &bytes) == 0);
	CHECK_U64(value, 30000);
#endif
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_received_bytes_then_nothing_then_the_end),
	WR_TEST(test_parts_are_sent_in_order),
	WR_TEST(test_more_parts_than_the_system_takes_are_sent_in_part),
	WR_TEST(test_a_full_socket_takes_a_part_and_then_nothing),
	WR_TEST(test_sending_to_a_peer_that_is_gone_raises_no_signal),
	WR_TEST(test_shutdown_ends_the_output_only),
	WR_TEST(test_a_reset_is_felt_by_the_peer_and_a_close_is_not),
	WR_TEST(test_a_reset_by_the_peer_is_the_end),
	WR_TEST(test_small_answers_are_not_delayed),
	WR_TEST_END,
};
