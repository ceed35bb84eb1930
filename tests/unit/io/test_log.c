/* Goal: a line is one line whatever it tells of, floods are summed up, and a stderr that is full or
 * gone never holds the program. Method: the log on pipes and sockets that the test reads. */
#include "io/log.h"
#include "unit/io/sockets.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static int reader, writer;
static char text[1 << 18];

static void open_log(enum wr_log_level level)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	reader = fds[0];
	writer = fds[1];
	CHECK(fcntl(reader, F_SETFL, O_NONBLOCK) == 0);
	wr_log_open("prog", writer, level);
}

/* All that has been written since, lent. */
static struct wr_view read_all(void)
{
	size_t bytes = 0;
	ssize_t n;

	while ((n = read(reader, text + bytes, sizeof text - bytes)) > 0)
		bytes += (size_t)n;
	return wr_view_of(text, bytes);
}

static unsigned count_of(struct wr_view view, const char *word)
{
	unsigned count = 0;
	size_t bytes = strlen(word);

	for (size_t i = 0; i + bytes <= view.bytes; i++)
		count += memcmp(view.data + i, word, bytes) == 0;
	return count;
}

/* Fills the pipe without leaving it non-blocking; returns how many bytes. */
static size_t fill_pipe(void)
{
	char block[4096];
	size_t bytes = 0;
	ssize_t n;

	memset(block, '#', sizeof block);
	CHECK(fcntl(writer, F_SETFL, O_NONBLOCK) == 0);
	while ((n = write(writer, block, sizeof block)) > 0)
		bytes += (size_t)n;
	while (write(writer, block, 1) == 1)
		bytes++;
	CHECK(fcntl(writer, F_SETFL, 0) == 0);
	return bytes;
}

static void test_a_line_has_level_kind_and_values(void)
{
	open_log(WR_LOG_DEBUG);
	WR_LOG(WR_LOG_INFO, "started", WR_LOG_TEXT("address", WR_VIEW("127.0.0.1:80")),
	       WR_LOG_NUMBER("workers", 3), WR_LOG_NUMBER("most", UINT64_MAX));
	wr_log(WR_LOG_DEBUG, "plain", NULL, 0);
	wr_log_flush();
	CHECK_STRING(read_all(), "prog: info started address=127.0.0.1:80 workers=3 "
				 "most=18446744073709551615\n"
				 "prog: debug plain\n");
}

static void test_only_errors_are_written_before_the_flush(void)
{
	open_log(WR_LOG_INFO);
	wr_log(WR_LOG_INFO, "first", NULL, 0);
	CHECK_U64(read_all().bytes, 0);
	wr_log(WR_LOG_ERROR, "second", NULL, 0);
	CHECK_STRING(read_all(), "prog: info first\nprog: error second\n");
}

static void test_lines_above_the_level_are_not_kept(void)
{
	open_log(WR_LOG_WARNING);
	wr_log(WR_LOG_INFO, "info", NULL, 0);
	wr_log(WR_LOG_DEBUG, "debug", NULL, 0);
	wr_log(WR_LOG_WARNING, "warning", NULL, 0);
	wr_log_flush();
	CHECK_STRING(read_all(), "prog: warning warning\n");
}

static void test_a_log_that_is_not_open_keeps_nothing(void)
{
	wr_log(WR_LOG_ERROR, "early", NULL, 0);
	wr_log_flush();
	wr_log_close();
	open_log(WR_LOG_DEBUG);
	wr_log_flush();
	CHECK_U64(read_all().bytes, 0);
	wr_log_close();
	wr_log(WR_LOG_ERROR, "late", NULL, 0);
	wr_log_flush();
	CHECK_U64(read_all().bytes, 0);
}

static void test_foreign_bytes_are_written_so_that_they_do_nothing(void)
{
	static const struct {
		struct wr_view value;
		const char *written;
	} cases[] = {
		{{"plain-~!", 8}, "plain-~!"},
		{{"", 0}, "\"\""},
		{{"two words", 9}, "\"two words\""},
		{{"k=v", 3}, "\"k=v\""},
		{{"a\"b", 3}, "\"a\\x22b\""},
		{{"a\\x22", 5}, "a\\x5cx22"},
		{{"a\nprog: error b", 15}, "\"a\\x0aprog: error b\""},
		{{"\r\t\0", 3}, "\\x0d\\x09\\x00"},
		{{"\x1b[31m", 5}, "\\x1b[31m"},
		{{"\x7f\x80\x9b\xff", 4}, "\\x7f\\x80\\x9b\\xff"},
		{{"\xe2\x80\xae", 3}, "\\xe2\\x80\\xae"}, /* U+202E, right-to-left override */
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char expected[128];

		wr_test_case(cases[i].written);
		open_log(WR_LOG_DEBUG);
		WR_LOG(WR_LOG_ERROR, "k", WR_LOG_TEXT("v", wr_test_guarded(0, cases[i].value)));
		snprintf(expected, sizeof expected, "prog: error k v=%s\n", cases[i].written);
		CHECK_STRING(read_all(), expected);
	}
}

static void test_long_values_are_cut(void)
{
	static char value[300];
	struct wr_view seen;

	memset(value, 'v', sizeof value);
	open_log(WR_LOG_DEBUG);
	WR_LOG(WR_LOG_ERROR, "k", WR_LOG_TEXT("v", wr_view_of(value, 256)));
	seen = read_all();
	CHECK_U64(count_of(seen, "v") - 1, 256);
	CHECK_U64(count_of(seen, "..."), 0);
	WR_LOG(WR_LOG_ERROR, "k", WR_LOG_TEXT("v", wr_view_of(value, 257)));
	seen = read_all();
	CHECK_U64(count_of(seen, "v") - 1, 256);
	CHECK_U64(count_of(seen, "v...\n"), 1);
}

static void test_values_beyond_the_longest_line_are_left_out_whole(void)
{
	static char value[256];
	struct wr_log_value values[4];
	struct wr_view seen;

	memset(value, 0xff, sizeof value);
	for (unsigned i = 0; i < WR_COUNT(values); i++)
		values[i] = WR_LOG_TEXT("v", wr_view_of(value, sizeof value));
	open_log(WR_LOG_DEBUG);
	wr_log(WR_LOG_ERROR, "k", values, WR_COUNT(values));
	seen = read_all();
	CHECK_U64(count_of(seen, "\\xff") % 256, 0);
	CHECK_U64(count_of(seen, "\n"), 1);
	CHECK(seen.bytes <= 2048 && seen.data[seen.bytes - 1] == '\n');
}

static void test_ten_lines_of_a_kind_are_told_and_then_their_sum(void)
{
	struct wr_view seen;

	open_log(WR_LOG_DEBUG);
	for (int i = 0; i < 1000; i++)
		wr_log(WR_LOG_INFO, "flood", NULL, 0);
	wr_log(WR_LOG_INFO, "other", NULL, 0);
	wr_log_close();
	seen = read_all();
	/* All of it takes far less than the second after which the next ten may come. */
	CHECK_U64(count_of(seen, "prog: info flood\n"), 10);
	CHECK_U64(count_of(seen, "prog: info other\n"), 1);
	CHECK_U64(count_of(seen, "prog: warning log_held kind=flood count=990\n"), 1);
}

static void test_more_kinds_than_places_lose_no_count(void)
{
	static char names[100][8];
	struct wr_view seen;
	unsigned told, at = 0, held = 0;

	open_log(WR_LOG_DEBUG);
	for (unsigned kind = 0; kind < WR_COUNT(names); kind++) {
		snprintf(names[kind], sizeof names[kind], "k%u", kind);
		for (unsigned i = 0; i < 12; i++)
			wr_log(WR_LOG_INFO, names[kind], NULL, 0);
	}
	wr_log_close();
	seen = read_all();
	told = count_of(seen, "prog: info k");
	for (; at < seen.bytes; at++)
		if (wr_view_starts(wr_view_skip(seen, at), WR_VIEW(" count=2\n")))
			held += 2;
	CHECK_U64(told, 1000);
	CHECK_U64(held, 200);
}

static void test_a_full_pipe_drops_and_counts_and_never_blocks(void)
{
	static const char *const kinds[] = {"a", "b", "c", "d", "e"};
	static char value[256];
	unsigned told, dropped = 0;
	struct wr_view seen;
	size_t filled;

	memset(value, 0xff, sizeof value);
	open_log(WR_LOG_DEBUG);
	filled = fill_pipe();
	for (unsigned i = 0; i < 50; i++)
		WR_LOG(WR_LOG_ERROR, kinds[i / 10], WR_LOG_TEXT("v", wr_view_of(value, 256)));
	wr_log_flush();
	CHECK_U64(read_all().bytes, filled);
	wr_log_flush();
	seen = read_all();
	told = count_of(seen, "prog: error ");
	CHECK(told > 0 && told < 50);
	CHECK_U64(count_of(seen, "\\xff"), told * 256);
	CHECK_U64(count_of(seen, "prog: warning log_dropped count="), 1);
	for (size_t at = 0; at < seen.bytes; at++) {
		struct wr_view rest = wr_view_skip(seen, at), word = WR_VIEW("dropped count=");
		if (wr_view_starts(rest, word))
			dropped = (unsigned)strtoul(rest.data + word.bytes, NULL, 10);
	}
	CHECK_U64(told + dropped, 50);
	CHECK(seen.data[seen.bytes - 1] == '\n');
	WR_LOG(WR_LOG_ERROR, "after", WR_LOG_NUMBER("n", 1));
	CHECK_STRING(read_all(), "prog: error after n=1\n");
}

static void test_the_flags_of_the_descriptor_are_left_alone(void)
{
	open_log(WR_LOG_DEBUG);
	fill_pipe();
	wr_log(WR_LOG_ERROR, "k", NULL, 0);
	wr_log_close();
	CHECK((fcntl(writer, F_GETFL) & O_NONBLOCK) == 0);
}

static void test_a_full_socket_never_blocks_either(void)
{
	int fds[2], small = 4096;
	char byte;

	open_pair(fds);
	CHECK(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
	while (send(fds[0], "#", 1, MSG_DONTWAIT) == 1)
		;
	wr_log_open("prog", fds[0], WR_LOG_DEBUG);
	wr_log(WR_LOG_ERROR, "k", NULL, 0);
	while (recv(fds[1], &byte, 1, MSG_DONTWAIT) == 1)
		CHECK(byte == '#');
	wr_log_flush();
	reader = fds[1];
	CHECK(fcntl(reader, F_SETFL, O_NONBLOCK) == 0);
	CHECK_STRING(read_all(), "prog: error k\n");
	CHECK((fcntl(fds[0], F_GETFL) & O_NONBLOCK) == 0);
}

static void test_a_reader_that_is_gone_silences_the_log(void)
{
	CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR); /* as wr_signals_open does */
	open_log(WR_LOG_DEBUG);
	close(reader);
	for (int i = 0; i < 100; i++)
		wr_log(WR_LOG_ERROR, "k", NULL, 0);
	wr_log_flush();
	close(writer);
	wr_log_open("prog", writer, WR_LOG_DEBUG); /* not even open */
	wr_log(WR_LOG_ERROR, "k", NULL, 0);
	wr_log_close();
	open_log(WR_LOG_DEBUG);
	wr_log(WR_LOG_ERROR, "back", NULL, 0);
	CHECK_STRING(read_all(), "prog: error back\n");
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_line_has_level_kind_and_values),
	WR_TEST(test_only_errors_are_written_before_the_flush),
	WR_TEST(test_lines_above_the_level_are_not_kept),
	WR_TEST(test_a_log_that_is_not_open_keeps_nothing),
	WR_TEST(test_foreign_bytes_are_written_so_that_they_do_nothing),
	WR_TEST(test_long_values_are_cut),
	WR_TEST(test_values_beyond_the_longest_line_are_left_out_whole),
	WR_TEST(test_ten_lines_of_a_kind_are_told_and_then_their_sum),
	WR_TEST(test_more_kinds_than_places_lose_no_count),
	WR_TEST(test_a_full_pipe_drops_and_counts_and_never_blocks),
	WR_TEST(test_the_flags_of_the_descriptor_are_left_alone),
	WR_TEST(test_a_full_socket_never_blocks_either),
	WR_TEST(test_a_reader_that_is_gone_silences_the_log),
	WR_TEST_END,
};
