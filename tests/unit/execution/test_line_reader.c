/* Goal: the lines of a stream do not depend on where it was cut, and no line costs more than its
 * limit. Method: each stream whole, byte by byte, cut at every position and at random ones, against
 * a record of what must come. */
#include "execution/line_reader.h"
#include "harness/harness.h"

#include <string.h>

enum { LINE_MAX_BYTES = 5 };

/* Lines as `[text]`, refusals as `!`, the unfinished last line as `(text)`. */
struct record {
	char text[4096];
	size_t bytes;
};

static void note(struct record *record, const char *open, struct wr_view text, const char *close)
{
	CHECK(record->bytes + text.bytes + 2 < sizeof record->text);
	memcpy(record->text + record->bytes, open, strlen(open));
	record->bytes += strlen(open);
	if (text.bytes != 0)
		memcpy(record->text + record->bytes, text.data, text.bytes);
	record->bytes += text.bytes;
	memcpy(record->text + record->bytes, close, strlen(close));
	record->bytes += strlen(close);
}

static void feed(struct wr_line_reader *reader, struct record *record, struct wr_view piece)
{
	enum wr_status status;
	struct wr_view line;

	wr_line_reader_feed(reader, wr_test_guarded(0, piece));
	while ((status = wr_line_reader_next(reader, &line)) != WR_MORE) {
		if (status == WR_OK) {
			note(record, "[", line, "]");
		} else {
			CHECK_STATUS(status, WR_TOO_LARGE);
			note(record, "!", WR_VIEW_NULL, "");
		}
	}
}

static void finish(struct wr_line_reader *reader, struct record *record)
{
	struct wr_view line;

	if (wr_line_reader_end(reader, &line) == WR_OK)
		note(record, "(", line, ")");
	CHECK_STATUS(wr_line_reader_end(reader, &line), WR_MORE);
	wr_line_reader_deinit(reader);
}

static const struct {
	const char *stream, *lines;
} cases[] = {
	{"", ""},
	{"\n", "[]"},
	{"\n\n", "[][]"},
	{"a\n", "[a]"},
	{"a", "(a)"},
	{"a\nb", "[a](b)"},
	{"a\r\n", "[a]"},
	{"a\r", "(a)"},
	{"\r\n", "[]"},
	{"\r", "()"},
	{"a\r\r\n", "[a\r]"},
	{"\ra\n", "[\ra]"},
	{"abcde\n", "[abcde]"},
	{"abcd\r\n", "[abcd]"},
	{"abcde\r\n", "!"},
	{"abcdef\n", "!"},
	{"abcdef\ng\n", "![g]"},
	{"abcdef", "!"},
	{"abcde", "(abcde)"},
	{"abcdefghijklmnop\nq\n", "![q]"},
	{"abcdef\nabcdef\n\nabcde\nab", "!![][abcde](ab)"},
	{"\xff\xfe\n\x80", "[\xff\xfe](\x80)"},
};

static void run_pieces(struct wr_view stream, const size_t *cuts, unsigned count,
		       const char *expected)
{
	struct wr_line_reader reader;
	struct record record = {.bytes = 0};
	size_t at = 0;

	wr_line_reader_init(&reader, wr_test_allocator(), LINE_MAX_BYTES);
	for (unsigned i = 0; i < count; i++) {
		feed(&reader, &record, wr_view_of(stream.data + at, cuts[i] - at));
		at = cuts[i];
	}
	feed(&reader, &record, wr_view_skip(stream, at));
	finish(&reader, &record);
	CHECK_VIEW(wr_view_of(record.text, record.bytes), wr_view_of_string(expected));
}

static void test_lines_do_not_depend_on_the_cuts(void)
{
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wr_view stream = wr_view_of_string(cases[i].stream);
		size_t every[64];

		wr_test_case(cases[i].stream);
		run_pieces(stream, NULL, 0, cases[i].lines);
		for (size_t cut = 0; cut <= stream.bytes; cut++)
			for (size_t second = cut; second <= stream.bytes; second++)
				run_pieces(stream, (size_t[]){cut, second}, 2, cases[i].lines);
		for (size_t at = 0; at < stream.bytes; at++)
			every[at] = at;
		run_pieces(stream, every, (unsigned)stream.bytes, cases[i].lines);
	}
}

static void test_a_nul_byte_is_a_byte_like_any_other(void)
{
	struct wr_line_reader reader;
	struct record record = {.bytes = 0};

	wr_line_reader_init(&reader, wr_test_allocator(), LINE_MAX_BYTES);
	feed(&reader, &record, wr_view_of("a\0b\n\0", 5));
	finish(&reader, &record);
	CHECK_VIEW(wr_view_of(record.text, record.bytes), wr_view_of("[a\0b](\0)", 8));
}

static void test_random_streams_agree_however_they_are_cut(void)
{
	uint64_t seed = wr_test_seed();

	for (unsigned round = 0; round < 2000; round++) {
		struct record whole = {.bytes = 0}, pieces = {.bytes = 0};
		struct wr_line_reader reader;
		char stream[200];
		size_t at = 0, bytes = (size_t)(wr_test_random(&seed) % sizeof stream);

		for (size_t i = 0; i < bytes; i++)
			stream[i] = "\n\rab"[wr_test_random(&seed) % 4];
		wr_line_reader_init(&reader, wr_test_allocator(), LINE_MAX_BYTES);
		feed(&reader, &whole, wr_view_of(stream, bytes));
		finish(&reader, &whole);
		wr_line_reader_init(&reader, wr_test_allocator(), LINE_MAX_BYTES);
		while (at < bytes) {
			size_t more = 1 + (size_t)(wr_test_random(&seed) % 9);
			more = more > bytes - at ? bytes - at : more;
			feed(&reader, &pieces, wr_view_of(stream + at, more));
			at += more;
		}
		finish(&reader, &pieces);
		CHECK_VIEW(wr_view_of(pieces.text, pieces.bytes),
			   wr_view_of(whole.text, whole.bytes));
	}
}

static void test_a_long_line_costs_its_limit_and_no_more(void)
{
	struct wr_allocator *allocator = wr_test_allocator();
	struct wr_line_reader reader;
	struct wr_view line;
	unsigned refused = 0;
	char piece[1000];

	memset(piece, 'x', sizeof piece);
	wr_line_reader_init(&reader, allocator, 100000);
	for (unsigned i = 0; i < 10000; i++) {
		wr_line_reader_feed(&reader, wr_view_of(piece, sizeof piece));
		if (wr_line_reader_next(&reader, &line) == WR_TOO_LARGE)
			refused++;
		CHECK_STATUS(wr_line_reader_next(&reader, &line), WR_MORE);
	}
	CHECK_U64(refused, 1);
	CHECK(allocator->peak <= 100000);
	wr_line_reader_feed(&reader, WR_VIEW("\nshort\n"));
	CHECK_STATUS(wr_line_reader_next(&reader, &line), WR_OK);
	CHECK_STRING(line, "short");
	wr_line_reader_deinit(&reader);
}

static void test_a_line_without_memory_is_dropped_and_the_next_one_comes(void)
{
	struct wr_line_reader reader;
	struct wr_view line;

	wr_line_reader_init(&reader, wr_test_allocator(), 100);
	wr_test_fail_allocation(1, false);
	wr_line_reader_feed(&reader, WR_VIEW("lost "));
	CHECK_STATUS(wr_line_reader_next(&reader, &line), WR_NO_MEMORY);
	CHECK_STATUS(wr_line_reader_next(&reader, &line), WR_MORE);
	wr_line_reader_feed(&reader, WR_VIEW("too\nkept\n"));
	CHECK_STATUS(wr_line_reader_next(&reader, &line), WR_OK);
	CHECK_STRING(line, "kept");
	CHECK_STATUS(wr_line_reader_next(&reader, &line), WR_MORE);
	wr_line_reader_deinit(&reader);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_lines_do_not_depend_on_the_cuts),
	WR_TEST(test_a_nul_byte_is_a_byte_like_any_other),
	WR_TEST(test_random_streams_agree_however_they_are_cut),
	WR_TEST(test_a_long_line_costs_its_limit_and_no_more),
	WR_TEST(test_a_line_without_memory_is_dropped_and_the_next_one_comes),
	WR_TEST_END,
};
