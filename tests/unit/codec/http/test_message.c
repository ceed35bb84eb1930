/* Goal: what is written is read back as the same by our own parsers, and dates are right on the
 * days that calendars get wrong. Method: exact bytes, random messages through write and parse, a
 * naive calendar that counts day by day, and every failure of an allocation. */
#include "codec/http/message.h"

#include "codec/http/body.h"
#include "codec/http/head.h"
#include "harness/harness.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_an_answer_is_written_byte_for_byte(void)
{
	struct wr_buf buf;

	wr_buf_init(&buf, wr_test_allocator(), 1000);
	wr_http_write_status_line(&buf, 1, 201);
	wr_http_write_field(&buf, WR_VIEW("Content-Type"), WR_VIEW("application/json"));
	wr_http_write_field_u64(&buf, WR_VIEW("Content-Length"), 0);
	wr_http_write_field_u64(&buf, WR_VIEW("X"), UINT64_MAX);
	wr_http_write_field(&buf, WR_VIEW("Empty"), WR_VIEW_NULL);
	wr_http_write_head_end(&buf);
	CHECK_STRING(wr_buf_view(&buf), "HTTP/1.1 201 Created\r\n"
					"Content-Type: application/json\r\n"
					"Content-Length: 0\r\n"
					"X: 18446744073709551615\r\n"
					"Empty: \r\n\r\n");
	wr_buf_deinit(&buf);
}

static void test_a_request_is_written_byte_for_byte(void)
{
	struct wr_buf buf;

	wr_buf_init(&buf, wr_test_allocator(), 1000);
	wr_http_write_request_line(&buf, WR_VIEW("POST"), WR_VIEW("/v1/workers"));
	wr_http_write_field(&buf, WR_VIEW("Host"), WR_VIEW("a:1"));
	wr_http_write_head_end(&buf);
	CHECK_STRING(wr_buf_view(&buf), "POST /v1/workers HTTP/1.1\r\nHost: a:1\r\n\r\n");
	wr_buf_deinit(&buf);
}

static void test_status_lines_have_their_phrase(void)
{
	static const struct {
		unsigned minor_version, status;
		const char *line;
	} rows[] = {
		{1, 100, "HTTP/1.1 100 Continue\r\n"},
		{1, 101, "HTTP/1.1 101 Switching Protocols\r\n"},
		{0, 200, "HTTP/1.0 200 OK\r\n"},
		{1, 404, "HTTP/1.1 404 Not Found\r\n"},
		{1, 413, "HTTP/1.1 413 Content Too Large\r\n"},
		{1, 422, "HTTP/1.1 422 Unprocessable Content\r\n"},
		{0, 431, "HTTP/1.0 431 Request Header Fields Too Large\r\n"},
		{1, 507, "HTTP/1.1 507 Insufficient Storage\r\n"},
		{1, 299, "HTTP/1.1 299 Unknown\r\n"},
		{0, 599, "HTTP/1.0 599 Unknown\r\n"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char storage[100];
		struct wr_buf buf;

		wr_buf_init_fixed(&buf, storage, sizeof storage);
		wr_http_write_status_line(&buf, rows[i].minor_version, rows[i].status);
		CHECK_STRING(wr_buf_view(&buf), rows[i].line);
	}
	CHECK_STRING(wr_http_reason(503), "Service Unavailable");
	CHECK_STRING(wr_http_reason(299), "Unknown");
	CHECK_STRING(wr_http_reason(0), "Unknown");
}

static void test_every_status_is_read_back(void)
{
	for (unsigned status = 100; status <= 599; status++) {
		char storage[100];
		struct wr_buf buf;
		struct wr_http_head_parser parser = {0};
		struct wr_http_head head;
		size_t bytes = 0;

		wr_buf_init_fixed(&buf, storage, sizeof storage);
		wr_http_write_status_line(&buf, status & 1, status);
		wr_http_write_head_end(&buf);
		CHECK_STATUS(
			wr_http_response_parse(&parser, &head, &bytes, wr_buf_view(&buf), false),
			WR_OK);
		CHECK_U64(bytes, buf.bytes);
		CHECK_U64(head.status, status);
		CHECK_U64(head.minor_version, status & 1);
		CHECK_VIEW(head.reason, wr_http_reason(status));
	}
}

/* ---- write, then parse ---- */

static uint64_t state;

static size_t below(size_t limit)
{
	return (size_t)(wr_test_random(&state) % limit);
}

/* Random characters from `set`, which neither begins nor ends with what a reader takes off. */
static struct wr_view random_text(char *room, size_t bytes_max, const char *set)
{
	size_t bytes = 1 + below(bytes_max), count = strlen(set);

	for (size_t i = 0; i < bytes; i++)
		room[i] = set[below(count)];
	room[0] = room[bytes - 1] = 'x';
	return wr_view_of(room, bytes);
}

static void test_what_is_written_is_read_back(void)
{
	static const char name_set[] = "abcXYZ019-_.!~";
	static const char value_set[] = "abc XYZ\t019-_.:;,\"\377\200{}";
	struct wr_buf buf;

	state = wr_test_seed();
	wr_buf_init(&buf, wr_test_allocator(), 100000);
	for (int round = 0; round < 2000; round++) {
		static char rooms[20][2][60];
		struct wr_view names[20], values[20];
		char target_room[200];
		struct wr_view target = random_text(target_room, sizeof target_room, "/a%?&=#~");
		size_t count = below(20), bytes = 0;
		struct wr_http_head_parser parser = {0};
		struct wr_http_head head;
		uint64_t length = wr_test_random(&state);

		wr_buf_reset(&buf);
		wr_http_write_request_line(&buf, WR_VIEW("PUT"), target);
		for (size_t i = 0; i < count; i++) {
			names[i] = random_text(rooms[i][0], 30, name_set);
			values[i] = random_text(rooms[i][1], 60, value_set);
			wr_http_write_field(&buf, names[i], values[i]);
		}
		wr_http_write_field(&buf, WR_VIEW("Host"), WR_VIEW("h"));
		wr_http_write_field_u64(&buf, WR_VIEW("Content-Length"), length);
		wr_http_write_head_end(&buf);
		CHECK_STATUS(wr_http_request_parse(&parser, &head, &bytes, wr_buf_view(&buf)),
			     WR_OK);
		CHECK_U64(bytes, buf.bytes);
		CHECK_U64(head.method, WR_HTTP_METHOD_PUT);
		CHECK_VIEW(head.target, target);
		CHECK_U64(head.body_bytes, length);
		CHECK_U64(head.field_count, count + 2);
		for (size_t i = 0; i < count; i++) {
			CHECK_VIEW(head.fields[i].name, names[i]);
			CHECK_VIEW(head.fields[i].value, values[i]);
		}
	}
	wr_buf_deinit(&buf);
}

static void test_chunks_are_read_back(void)
{
	static const size_t sizes[] = {1, 2, 9, 10, 15, 16, 255, 4096, 65537};
	struct wr_buf buf, all, read;
	struct wr_http_body body;
	struct wr_view rest;

	wr_buf_init(&buf, wr_test_allocator(), 1000000);
	wr_buf_init(&all, wr_test_allocator(), 1000000);
	wr_buf_init(&read, wr_test_allocator(), 1000000);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t before = all.bytes;
		for (size_t j = 0; j < sizes[i]; j++)
			wr_buf_append_byte(&all, (char)(j * 7 + i));
		wr_http_write_chunk(&buf, wr_view_of(all.data + before, sizes[i]));
	}
	wr_http_write_last_chunk(&buf);
	CHECK_STATUS(wr_buf_status(&buf), WR_OK);

	wr_http_body_init(&body, WR_HTTP_FRAMING_CHUNKED, 0);
	for (rest = wr_buf_view(&buf); !body.is_complete;) {
		struct wr_view payload;
		size_t consumed;
		CHECK_STATUS(wr_http_body_feed(&body, &payload, &consumed, rest), WR_OK);
		wr_buf_append_view(&read, payload);
		rest = wr_view_skip(rest, consumed);
	}
	CHECK_U64(rest.bytes, 0);
	CHECK_VIEW(wr_buf_view(&read), wr_buf_view(&all));
	wr_buf_deinit(&buf);
	wr_buf_deinit(&all);
	wr_buf_deinit(&read);
}

static void test_a_chunk_is_framed_in_place(void)
{
	char bytes[WR_HTTP_CHUNK_HEAD_BYTES + 5 + 2 + 1];

	memset(bytes, '#', sizeof bytes);
	memcpy(bytes + WR_HTTP_CHUNK_HEAD_BYTES, "hello", 5);
	wr_http_frame_chunk(bytes, 5);
	CHECK_STRING(wr_view_of(bytes, sizeof bytes), "00000005\r\nhello\r\n#");
}

static void test_a_full_buffer_is_remembered(void)
{
	static const char whole[] = "HTTP/1.1 200 OK\r\nA: b\r\n00000001\r\nx\r\n0\r\n\r\n";

	for (size_t room = 1; room <= sizeof whole; room++) {
		char storage[sizeof whole];
		struct wr_buf buf;

		wr_buf_init_fixed(&buf, storage, room);
		wr_http_write_status_line(&buf, 1, 200);
		wr_http_write_field(&buf, WR_VIEW("A"), WR_VIEW("b"));
		wr_http_write_chunk(&buf, WR_VIEW("x"));
		wr_http_write_last_chunk(&buf);
		CHECK_STATUS(wr_buf_status(&buf), room >= sizeof whole - 1 ? WR_OK : WR_TOO_LARGE);
		CHECK_VIEW(wr_buf_view(&buf), wr_view_of(whole, buf.bytes));
	}
}

static void test_failed_allocations_are_remembered(void)
{
	bool has_failed = true;

	for (uint64_t n = 1; has_failed; n++) {
		struct wr_buf buf;

		wr_buf_init(&buf, wr_test_allocator(), 10000);
		wr_test_fail_allocation(n, false);
		wr_http_write_request_line(&buf, WR_VIEW("GET"), WR_VIEW("/"));
		wr_http_write_field_u64(&buf, WR_VIEW("A"), 1);
		for (int i = 0; i < 100; i++)
			wr_http_write_chunk(&buf, WR_VIEW("hello"));
		has_failed = wr_test_allocation_failed();
		CHECK_STATUS(wr_buf_status(&buf), has_failed ? WR_NO_MEMORY : WR_OK);
		wr_test_fail_allocation(0, false);
		wr_buf_deinit(&buf);
	}
}

/* ---- what the caller must not do ---- */

static bool aborts(struct wr_view name, struct wr_view value)
{
	int state_of_child = 0;
	pid_t child;

	fflush(NULL);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		char storage[100];
		struct wr_buf buf;
		wr_buf_init_fixed(&buf, storage, sizeof storage);
		wr_http_write_field(&buf, name, value);
		_exit(0);
	}
	CHECK(waitpid(child, &state_of_child, 0) == child);
	return WIFSIGNALED(state_of_child) && WTERMSIG(state_of_child) == SIGABRT;
}

static void test_a_field_that_would_end_its_line_is_a_bug(void)
{
	CHECK(!aborts(WR_VIEW("A"), WR_VIEW("b\tc\001\177\377")));
	CHECK(aborts(WR_VIEW("A"), WR_VIEW("b\r\nEvil: c")));
	CHECK(aborts(WR_VIEW("A"), WR_VIEW("\001b\nEvil: c")));
	CHECK(aborts(WR_VIEW("A"), WR_VIEW("0123456789abcdef0123456789\r")));
	CHECK(aborts(WR_VIEW("A"), WR_VIEW("b\0c")));
	CHECK(aborts(WR_VIEW("A\r\nB"), WR_VIEW("c")));
	CHECK(aborts(WR_VIEW(""), WR_VIEW("c")));
}

/* ---- dates ---- */

static void check_date(int64_t unix_s, const char *expected)
{
	char date[WR_HTTP_DATE_BYTES];

	wr_http_format_date(date, unix_s);
	CHECK_STRING(wr_view_of(date, sizeof date), expected);
}

static void test_dates_are_right_where_calendars_go_wrong(void)
{
	check_date(0, "Thu, 01 Jan 1970 00:00:00 GMT");
	check_date(784111777, "Sun, 06 Nov 1994 08:49:37 GMT"); /* RFC 9110 5.6.7 */
	check_date(951782399, "Mon, 28 Feb 2000 23:59:59 GMT");
	check_date(951782400, "Tue, 29 Feb 2000 00:00:00 GMT");
	check_date(951868800, "Wed, 01 Mar 2000 00:00:00 GMT");
	check_date(1000000000, "Sun, 09 Sep 2001 01:46:40 GMT");
	check_date(2147483647, "Tue, 19 Jan 2038 03:14:07 GMT");
	check_date(2147483648, "Tue, 19 Jan 2038 03:14:08 GMT");
	check_date(4107542399, "Sun, 28 Feb 2100 23:59:59 GMT");
	check_date(4107542400, "Mon, 01 Mar 2100 00:00:00 GMT");
	check_date(4294967296, "Sun, 07 Feb 2106 06:28:16 GMT");
	check_date(253402300799, "Fri, 31 Dec 9999 23:59:59 GMT");
	check_date(253402300800, "Fri, 31 Dec 9999 23:59:59 GMT");
	check_date(INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT");
	check_date(-1, "Thu, 01 Jan 1970 00:00:00 GMT");
	check_date(INT64_MIN, "Thu, 01 Jan 1970 00:00:00 GMT");
}

static void put_number(char *to, unsigned value, size_t digits)
{
	for (; digits > 0; value /= 10)
		to[--digits] = (char)('0' + value % 10);
}

static void test_dates_agree_with_counting_the_days(void)
{
	static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	unsigned year = 1970, month = 0, day = 1;

	for (int64_t count = 0; year < 2600; count++) {
		bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
		char expected[] = "Xxx, 00 Xxx 0000 12:34:56 GMT";

		memcpy(expected, days[count % 7], 3);
		put_number(expected + 5, day, 2);
		memcpy(expected + 8, months[month], 3);
		put_number(expected + 12, year, 4);
		check_date(count * 86400 + 45296, expected);
		if (++day > lengths[month] + (month == 1 && is_leap)) {
			day = 1;
			month = (month + 1) % 12;
			year += month == 0;
		}
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_an_answer_is_written_byte_for_byte),
	WR_TEST(test_a_request_is_written_byte_for_byte),
	WR_TEST(test_status_lines_have_their_phrase),
	WR_TEST(test_every_status_is_read_back),
	WR_TEST(test_what_is_written_is_read_back),
	WR_TEST(test_chunks_are_read_back),
	WR_TEST(test_a_chunk_is_framed_in_place),
	WR_TEST(test_a_full_buffer_is_remembered),
	WR_TEST(test_failed_allocations_are_remembered),
	WR_TEST(test_a_field_that_would_end_its_line_is_a_bug),
	WR_TEST(test_dates_are_right_where_calendars_go_wrong),
	WR_TEST(test_dates_agree_with_counting_the_days),
	WR_TEST_END,
};
