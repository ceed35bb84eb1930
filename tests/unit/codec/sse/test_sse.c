/* Goal: a stream of events is read exactly as WHATWG HTML 9.2.6 says, wherever its bytes are cut,
 * within its bounds. Method: tables of streams and what they say; each is read whole, byte by byte,
 * cut at every position, and by a second, naive reader. Most streams are those of the standard's
 * own examples (9.2.6), or wrong. */
#include "codec/sse/sse.h"
#include "harness/harness.h"
#include "naive/sse.h"

#include <stdio.h>
#include <string.h>

enum { LINE_MAX_BYTES = 40, DATA_MAX_BYTES = 60, STORY_BYTES = 8192 };

/* What was read, as text: `type|data|id` of each event, and how it ended. */
struct story {
	char text[STORY_BYTES];
	size_t bytes;
};

static void tell(struct story *self, struct wr_view text)
{
	CHECK(self->bytes + text.bytes < sizeof self->text);
	if (text.bytes != 0)
		memcpy(self->text + self->bytes, text.data, text.bytes);
	self->bytes += text.bytes;
}

static void tell_event(void *context, struct wr_view type, struct wr_view data, struct wr_view id)
{
	struct story *self = context;

	tell(self, type);
	tell(self, WR_VIEW("|"));
	tell(self, data);
	tell(self, WR_VIEW("|"));
	tell(self, id);
	tell(self, WR_VIEW(";"));
}

/* Reads pieces that end at `cut` and at the end; 0: single bytes. */
static void read_cut(struct story *self, struct wr_view text, size_t cut)
{
	struct wr_sse_reader reader;
	struct wr_sse_event event;
	struct wr_buf buf;
	enum wr_status status = WR_MORE;

	self->bytes = 0;
	wr_buf_init(&buf, wr_test_allocator(), LINE_MAX_BYTES + DATA_MAX_BYTES);
	wr_sse_reader_init(&reader, &buf, LINE_MAX_BYTES, DATA_MAX_BYTES);
	for (size_t at = 0; at < text.bytes && status == WR_MORE;) {
		size_t end = cut == 0 ? at + 1 : at < cut ? cut : text.bytes;

		wr_sse_reader_feed(&reader,
				   wr_test_guarded(0, wr_view_of(text.data + at, end - at)));
		while ((status = wr_sse_reader_next(&reader, &event)) == WR_OK)
			tell_event(self, event.type, event.data, event.id);
		at = end;
	}
	if (status != WR_MORE) {
		CHECK_STATUS(wr_sse_reader_next(&reader, &event), status); /* it stays */
		tell(self, wr_view_of_string(wr_status_name(status)));
	}
	CHECK(buf.bytes <= LINE_MAX_BYTES + DATA_MAX_BYTES);
	wr_buf_deinit(&buf);
}

static void read_naively(struct story *self, struct wr_view text)
{
	const struct naive_sse_limits limits = {LINE_MAX_BYTES, DATA_MAX_BYTES,
						WR_SSE_NAME_BYTES_MAX};

	self->bytes = 0;
	if (!naive_sse_read(limits, text, tell_event, self))
		tell(self, WR_VIEW("TOO_LARGE"));
}

static struct wr_view said(const struct story *self)
{
	return wr_view_of(self->text, self->bytes);
}

struct stream_case {
	struct wr_view text, story;
};

/* 40 and 41 characters. */
#define LINE_40 "data: 7890123456789012345678901234567890"
#define LINE_41 LINE_40 "1"

/* clang-format off */
static const struct stream_case cases[] = {
	{WR_VIEW_INIT(""), WR_VIEW_INIT("")},
	{WR_VIEW_INIT("data: a\n\n"), WR_VIEW_INIT("|a|;")},
	{WR_VIEW_INIT("data:a\n\n"), WR_VIEW_INIT("|a|;")},
	{WR_VIEW_INIT("data:  a \n\n"), WR_VIEW_INIT("| a |;")},
	{WR_VIEW_INIT("data: a\r\r"), WR_VIEW_INIT("|a|;")},
	{WR_VIEW_INIT("data: a\r\n\r\n"), WR_VIEW_INIT("|a|;")},
	{WR_VIEW_INIT("data: a\r\n\n"), WR_VIEW_INIT("|a|;")},
	{WR_VIEW_INIT("data: a\n\r\n"), WR_VIEW_INIT("|a|;")},
	{WR_VIEW_INIT("data: a\n\rdata: b\n\n"), WR_VIEW_INIT("|a|;|b|;")},
	{WR_VIEW_INIT("data: a\r\ndata: b\r\n\r\n"), WR_VIEW_INIT("|a\nb|;")},
	{WR_VIEW_INIT("\xef\xbb\xbf" "data: a\n\n"), WR_VIEW_INIT("|a|;")},
	{WR_VIEW_INIT("\xef\xbb\xbf\xef\xbb\xbf" "data: a\n\n"), WR_VIEW_INIT("")},
	{WR_VIEW_INIT("\xef\xbb" "data: a\n\n"), WR_VIEW_INIT("")},
	{WR_VIEW_INIT("\xef\xbb"), WR_VIEW_INIT("")},
	{WR_VIEW_INIT("\xef\xbb\xbf"), WR_VIEW_INIT("")},
	{WR_VIEW_INIT("data: a\n\n\xef\xbb\xbf" "data: b\n\ndata: c\n\n"), WR_VIEW_INIT("|a|;|c|;")},
	/* WHATWG HTML 9.2.6, its examples */
	{WR_VIEW_INIT("data: YHOO\ndata: +2\ndata: 10\n\n"), WR_VIEW_INIT("|YHOO\n+2\n10|;")},
	{WR_VIEW_INIT(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n"), WR_VIEW_INIT("|first event|1;|second event|;")},
	{WR_VIEW_INIT("data\n\ndata\ndata\n\ndata:"), WR_VIEW_INIT("||;|\n|;")},
	{WR_VIEW_INIT("data:test\n\ndata: test\n\n"), WR_VIEW_INIT("|test|;|test|;")},
	/* fields */
	{WR_VIEW_INIT("event: error\ndata: x\n\ndata: y\n\n"), WR_VIEW_INIT("error|x|;|y|;")},
	{WR_VIEW_INIT("event: a\nevent: b\ndata: x\n\n"), WR_VIEW_INIT("b|x|;")},
	{WR_VIEW_INIT("event: a\nevent\ndata: x\n\n"), WR_VIEW_INIT("|x|;")},
	{WR_VIEW_INIT("event: lost\n\ndata: x\n\n"), WR_VIEW_INIT("|x|;")},
	{WR_VIEW_INIT("id: 7\n\ndata: x\n\ndata: y\n\n"), WR_VIEW_INIT("|x|7;|y|7;")},
	{WR_VIEW_INIT("id: 7\nid: a\0b\ndata: x\n\n"), WR_VIEW_INIT("|x|7;")},
	{WR_VIEW_INIT("Data: x\nDATA: y\n data: z\ndata : w\n\n"), WR_VIEW_INIT("")},
	{WR_VIEW_INIT("other: x\ndata: y\n\n"), WR_VIEW_INIT("|y|;")},
	{WR_VIEW_INIT(":\n:data: x\n: y\n\n"), WR_VIEW_INIT("")},
	{WR_VIEW_INIT("data: a\n:in between\ndata: b\n\n"), WR_VIEW_INIT("|a\nb|;")},
	{WR_VIEW_INIT("data: {\"a\":\"b:c\"}\n\n"), WR_VIEW_INIT("|{\"a\":\"b:c\"}|;")},
	{WR_VIEW_INIT("data: a\0b\n\n"), WR_VIEW_INIT("|a\0b|;")},
	{WR_VIEW_INIT("data: \xff\xfe\n\n"), WR_VIEW_INIT("|\xff\xfe|;")},
	/* unfinished ones are none */
	{WR_VIEW_INIT("data: a"), WR_VIEW_INIT("")},
	{WR_VIEW_INIT("data: a\n"), WR_VIEW_INIT("")},
	{WR_VIEW_INIT("data: a\r"), WR_VIEW_INIT("")},
	{WR_VIEW_INIT("data: a\n\ndata: b\n"), WR_VIEW_INIT("|a|;")},
	{WR_VIEW_INIT("\n\n\r\r\n\n"), WR_VIEW_INIT("")},
	/* limits: 40 a line, 60 an event */
	{WR_VIEW_INIT(LINE_40 "\n\n"), WR_VIEW_INIT("|7890123456789012345678901234567890|;")},
	{WR_VIEW_INIT(LINE_41 "\n\n"), WR_VIEW_INIT("TOO_LARGE")},
	{WR_VIEW_INIT("data: a\n\n" LINE_41), WR_VIEW_INIT("|a|;TOO_LARGE")},
	{WR_VIEW_INIT(LINE_40), WR_VIEW_INIT("")},
	{WR_VIEW_INIT(LINE_40 "\n" LINE_40 "\n\n"), WR_VIEW_INIT("TOO_LARGE")},
	{WR_VIEW_INIT(LINE_40 "\ndata: 789012345678901234567890\n\n"), WR_VIEW_INIT("|7890123456789012345678901234567890\n789012345678901234567890|;")},
	{WR_VIEW_INIT(LINE_40 "\ndata: 7890123456789012345678901\n\n"), WR_VIEW_INIT("TOO_LARGE")},
	{WR_VIEW_INIT(LINE_40 "\n\n" LINE_40 "\n\n"), WR_VIEW_INIT("|7890123456789012345678901234567890|;|7890123456789012345678901234567890|;")},
	{WR_VIEW_INIT(": 34567890123456789012345678901234567890\ndata: a\n\n"), WR_VIEW_INIT("|a|;")},
	{WR_VIEW_INIT(": 345678901234567890123456789012345678901\ndata: a\n\n"), WR_VIEW_INIT("TOO_LARGE")},
	{WR_VIEW_INIT("x: 34567890123456789012345678901234567890\r\n"), WR_VIEW_INIT("TOO_LARGE")},
};
/* clang-format on */

static void test_streams_say_what_the_standard_says(void)
{
	static struct story story;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wr_view text = cases[i].text;

		wr_test_case(text.data);
		read_cut(&story, text, text.bytes);
		CHECK_VIEW(said(&story), cases[i].story);
	}
}

static void test_cuts_change_nothing(void)
{
	static struct story whole, cut;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wr_view text = cases[i].text;

		wr_test_case(text.data);
		read_naively(&whole, text);
		for (size_t at = 0; at <= text.bytes; at++) {
			read_cut(&cut, text, at);
			CHECK_VIEW(said(&cut), said(&whole));
		}
	}
}

static void test_a_cr_ends_its_event_before_the_next_byte_is_there(void)
{
	struct wr_sse_reader reader;
	struct wr_sse_event event;
	struct wr_buf buf;

	wr_buf_init(&buf, wr_test_allocator(), 200);
	wr_sse_reader_init(&reader, &buf, 100, 100);
	wr_sse_reader_feed(&reader, WR_VIEW("data: a\r\r"));
	CHECK_STATUS(wr_sse_reader_next(&reader, &event), WR_OK);
	CHECK_STRING(event.data, "a");
	CHECK_STATUS(wr_sse_reader_next(&reader, &event), WR_MORE);
	wr_sse_reader_feed(&reader, WR_VIEW("\ndata: b\n\n"));
	CHECK_STATUS(wr_sse_reader_next(&reader, &event), WR_OK);
	CHECK_STRING(event.data, "b");
	wr_buf_deinit(&buf);
}

static void test_retry_is_a_number_or_nothing(void)
{
	static const struct {
		const char *text;
		bool has;
		uint64_t ms;
	} rows[] = {
		{"retry: 1000\n", true, 1000},
		{"retry:0\n", true, 0},
		{"retry: 18446744073709551615\n", true, UINT64_MAX},
		{"retry: 18446744073709551616\n", false, 0},
		{"retry: -1\n", false, 0},
		{"retry: 1.5\n", false, 0},
		{"retry: 10 \n", false, 0},
		{"retry:  10\n", false, 0},
		{"retry: ten\n", false, 0},
		{"retry:\n", false, 0},
		{"retry\n", false, 0},
		{"retry: 10\nretry: x\n", true, 10},
		{"retry: 10", false, 0},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wr_sse_reader reader;
		struct wr_sse_event event;
		struct wr_buf buf;

		wr_test_case(rows[i].text);
		wr_buf_init(&buf, wr_test_allocator(), 200);
		wr_sse_reader_init(&reader, &buf, 100, 100);
		for (const char *at = rows[i].text; *at != '\0'; at++) {
			wr_sse_reader_feed(&reader, wr_view_of(at, 1));
			CHECK_STATUS(wr_sse_reader_next(&reader, &event), WR_MORE);
		}
		CHECK(reader.has_retry == rows[i].has);
		CHECK_U64(reader.retry_ms, rows[i].ms);
		wr_buf_deinit(&buf);
	}
}

static void test_names_are_bounded(void)
{
	static const char *const fields[] = {"event: ", "id: "};
	char line[WR_SSE_NAME_BYTES_MAX + 32];

	for (unsigned i = 0; i < 2; i++)
		for (size_t bytes = WR_SSE_NAME_BYTES_MAX; bytes <= WR_SSE_NAME_BYTES_MAX + 1;
		     bytes++) {
			struct wr_sse_reader reader;
			struct wr_sse_event event;
			struct wr_buf buf;
			size_t prefix = strlen(fields[i]);
			bool is_good = bytes == WR_SSE_NAME_BYTES_MAX;

			memcpy(line, fields[i], prefix);
			memset(line + prefix, 'n', bytes);
			memcpy(line + prefix + bytes, "\ndata:\n\n", 8);
			wr_buf_init(&buf, wr_test_allocator(), 600);
			wr_sse_reader_init(&reader, &buf, 300, 300);
			wr_sse_reader_feed(&reader, wr_view_of(line, prefix + bytes + 8));
			CHECK_STATUS(wr_sse_reader_next(&reader, &event),
				     is_good ? WR_OK : WR_TOO_LARGE);
			if (is_good)
				CHECK_U64((i == 0 ? event.type : event.id).bytes, bytes);
			wr_buf_deinit(&buf);
		}
}

static void test_without_memory_it_says_so_and_goes_no_further(void)
{
	struct wr_sse_reader reader;
	struct wr_sse_event event;
	struct wr_buf buf;

	wr_buf_init(&buf, wr_test_allocator(), 200);
	wr_sse_reader_init(&reader, &buf, 100, 100);
	wr_test_fail_allocation(1, false);
	wr_sse_reader_feed(&reader, WR_VIEW("data: a\n\ndata: b\n\n"));
	CHECK_STATUS(wr_sse_reader_next(&reader, &event), WR_NO_MEMORY);
	CHECK(wr_test_allocation_failed());
	CHECK_STATUS(wr_sse_reader_next(&reader, &event), WR_NO_MEMORY);
	wr_buf_deinit(&buf);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_streams_say_what_the_standard_says),
	WR_TEST(test_cuts_change_nothing),
	WR_TEST(test_a_cr_ends_its_event_before_the_next_byte_is_there),
	WR_TEST(test_retry_is_a_number_or_nothing),
	WR_TEST(test_names_are_bounded),
	WR_TEST(test_without_memory_it_says_so_and_goes_no_further),
	WR_TEST_END,
};
