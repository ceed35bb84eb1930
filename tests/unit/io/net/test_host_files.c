/*
 * Goal: the two files of a system that name hosts and name servers are read as their manuals say,
 * also when they are long or not quite in order. Method: tables of lines, each against an unmapped
 * page; files written here, cut by the blocks in which they are read.
 */
#include "check.h"
#include "harness/harness.h"
#include "io/net/host_files.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void check_address(const struct wr_address *address, const char *expected)
{
	char text[WR_ADDRESS_TEXT_BYTES_MAX];

	CHECK_STRING(wr_view_of(text, wr_address_format(text, address)), expected);
}

static void test_lines_of_a_hosts_file_are_read(void)
{
	static const struct {
		const char *line, *name, *expected; /* NULL: says nothing of the name */
	} cases[] = {
		{"192.0.2.7 box", "box", "192.0.2.7:0"},
		{"192.0.2.7\tbox.example box", "box", "192.0.2.7:0"},
		{"  192.0.2.7   box  \r", "box", "192.0.2.7:0"},
		{"192.0.2.7 Box.Example # mine", "bOX.example", "192.0.2.7:0"},
		{"192.0.2.7 box#x", "box", "192.0.2.7:0"},
		{"2001:db8::7 box", "box", "[2001:db8::7]:0"},
		{"192.0.2.7 box.example", "box", NULL},
		{"192.0.2.7 box", "ox", NULL},
		{"192.0.2.7 # box", "box", NULL},
		{"# 192.0.2.7 box", "box", NULL},
		{"192.0.2.7", "box", NULL},
		{"box", "box", NULL},
		{"box box", "box", NULL},
		{"", "box", NULL},
		{" \t", "box", NULL},
		{"192.0.2.256 box", "box", NULL},
		{"192.0.2.7:80 box", "box", NULL},
		{"[2001:db8::7] box", "box", NULL},
		{"fe80::1%lo0 box", "box", NULL},
		{"192.0.2.7,192.0.2.8 box", "box", NULL},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_view line = wr_test_guarded(0, wr_view_of_string(cases[i].line));
		struct wr_address address;

		wr_test_case(cases[i].line);
		CHECK(wr_hosts_line(&address, line, wr_view_of_string(cases[i].name)) ==
		      (cases[i].expected != NULL));
		if (cases[i].expected != NULL)
			check_address(&address, cases[i].expected);
	}
}

static void test_lines_that_name_a_server_are_read(void)
{
	static const struct {
		const char *line, *expected;
	} cases[] = {
		{"nameserver 192.0.2.53", "192.0.2.53:53"},
		{"nameserver\t2001:db8::53", "[2001:db8::53]:53"},
		{"nameserver 192.0.2.53 # the first", "192.0.2.53:53"},
		{"nameserver 192.0.2.53;x", "192.0.2.53:53"},
		{"nameserver", NULL},
		{"nameserver fe80::1%eth0", NULL},
		{"nameserver dns.example", NULL},
		{"#nameserver 192.0.2.53", NULL},
		{"; nameserver 192.0.2.53", NULL},
		{"Nameserver 192.0.2.53", NULL},
		{"nameservers 192.0.2.53", NULL},
		{"search example.org", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_view line = wr_test_guarded(0, wr_view_of_string(cases[i].line));
		struct wr_address address;

		wr_test_case(cases[i].line);
		CHECK(wr_resolv_line(&address, line, 53) == (cases[i].expected != NULL));
		if (cases[i].expected != NULL)
			check_address(&address, cases[i].expected);
	}
}

/* ---- files ---- */

static struct {
	unsigned count, count_max;
	size_t bytes; /* of the last */
	char first[8];
} seen;

static bool on_line(void *context, struct wr_view line)
{
	CHECK(context == &seen);
	seen.bytes = line.bytes;
	if (seen.count++ == 0 && line.bytes < sizeof seen.first)
		memcpy(seen.first, line.data, line.bytes);
	return seen.count < seen.count_max;
}

static void read_text(struct wr_view text, unsigned count_max)
{
	char path[] = "/tmp/wr-host-files-XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	CHECK(write(fd, text.data, text.bytes) == (ssize_t)text.bytes);
	close(fd);
	memset(&seen, 0, sizeof seen);
	seen.count_max = count_max;
	wr_host_file_read(path, on_line, &seen);
	unlink(path);
}

static void test_every_line_of_a_file_is_given_once(void)
{
	static char text[100000];
	unsigned expected = 0;
	size_t at = 0;

	/* Lines of every length, so that blocks end everywhere. */
	for (unsigned length = 0; length < 400; length++) {
		memset(text + at, 'a', length);
		at += length;
		text[at++] = '\n';
		expected++;
	}
	read_text(wr_view_of(text, at), UINT32_MAX);
	CHECK_U64(seen.count, expected);
	CHECK_U64(seen.bytes, 399);
	read_text(wr_view_of(text, at - 1), UINT32_MAX); /* the last without its end */
	CHECK_U64(seen.count, expected);
	CHECK_U64(seen.bytes, 399);
	read_text(wr_view_of(text, at), 7);
	CHECK_U64(seen.count, 7);
}

static void test_a_line_that_is_too_long_is_left_out_alone(void)
{
	for (size_t length = WR_HOST_LINE_BYTES_MAX - 2; length < 3 * WR_HOST_LINE_BYTES_MAX + 2;
	     length++) {
		static char text[4 * WR_HOST_LINE_BYTES_MAX];
		bool fits = length < WR_HOST_LINE_BYTES_MAX;

		memset(text, 'a', length);
		memcpy(text + length, "\nnext", 5);
		read_text(wr_view_of(text, length + 5), UINT32_MAX);
		CHECK_U64(seen.count, fits ? 2 : 1);
		CHECK_U64(seen.bytes, 4);
		CHECK(fits || memcmp(seen.first, "next", 4) == 0);
	}
}

static void test_a_file_that_is_not_there_or_empty_says_nothing(void)
{
	memset(&seen, 0, sizeof seen);
	wr_host_file_read("/nonexistent/hosts", on_line, &seen);
	wr_host_file_read("/", on_line, &seen);
	read_text(WR_VIEW(""), UINT32_MAX);
	CHECK_U64(seen.count, 0);
}

const struct wr_test wr_tests[] = {WR_TEST(test_lines_of_a_hosts_file_are_read),
				   WR_TEST(test_lines_that_name_a_server_are_read),
				   WR_TEST(test_every_line_of_a_file_is_given_once),
				   WR_TEST(test_a_line_that_is_too_long_is_left_out_alone),
				   WR_TEST(test_a_file_that_is_not_there_or_empty_says_nothing),
				   WR_TEST_END};
