/* Goal: the reader accepts RFC 8259 and nothing else, says where it goes wrong, and does not care
 * how the input is cut. Method: tables of documents, each read whole, byte by byte and cut at every
 * position against an unmapped page; damaged documents judged by a second, naive parser. */
#include "codec/json/reader.h"

#include "harness/harness.h"
#include "unit/codec/json/naive.h"
#include "unit/codec/json/trace.h"

#include "check.h"

#include <stdio.h>

static struct wr_buf new_buf(void)
{
	struct wr_buf buf;

	wr_buf_init(&buf, wr_test_allocator(), SIZE_MAX / 2);
	return buf;
}

/* ---- what is accepted ---- */

static const struct {
	const char *document, *trace;
} accepted[] = {
	{"{}", "{ } ."},
	{"[]", "[ ] ."},
	{"\"\"", "S\"\" ."},
	{"0", "#0 ."},
	{"-0", "#-0 ."},
	{"true", "T ."},
	{"false", "F ."},
	{"null", "0 ."},
	{" \t\r\n0 \t\r\n", "#0 ."},
	{"[1]", "[ #1 ] ."},
	{"[1,2]", "[ #1 #2 ] ."},
	{" [ 1 , 2 ] ", "[ #1 #2 ] ."},
	{"[[],{}]", "[ [ ] { } ] ."},
	{"[[[]],[]]", "[ [ [ ] ] [ ] ] ."},
	{"{\"a\":1}", "{ N\"a\" #1 } ."},
	{"{ \"a\" : 1 , \"b\" : [ ] }", "{ N\"a\" #1 N\"b\" [ ] } ."},
	{"{\"\":\"\"}", "{ N\"\" S\"\" } ."},
	{"{\"a\":1,\"a\":2}", "{ N\"a\" #1 N\"a\" #2 } ."},
	{"{\"a\":{\"b\":{\"c\":null}},\"d\":true}",
	 "{ N\"a\" { N\"b\" { N\"c\" 0 } } N\"d\" T } ."},
	{"[{\"a\":[{\"b\":[]}]},false]", "[ { N\"a\" [ { N\"b\" [ ] } ] } F ] ."},
	{"[true,false,null]", "[ T F 0 ] ."},
	{"[\n1\n,\n2\n]\n", "[ #1 #2 ] ."},
	{"{\n\t\"a\"\n:\r\n1\n}", "{ N\"a\" #1 } ."},
	{"123456789", "#123456789 ."},
	{"-1", "#-1 ."},
	{"1.5", "#1.5 ."},
	{"0.0", "#0.0 ."},
	{"-0.10", "#-0.10 ."},
	{"1e5", "#1e5 ."},
	{"1E5", "#1E5 ."},
	{"1e+5", "#1e+5 ."},
	{"1e-5", "#1e-5 ."},
	{"0e0", "#0e0 ."},
	{"1.25e-007", "#1.25e-007 ."},
	{"1e99999", "#1e99999 ."},
	{"[0,-0,0.5,10]", "[ #0 #-0 #0.5 #10 ] ."},
	{"\"a\"", "S\"a\" ."},
	{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "S\"\\\"\\\\\\/\\b\\f\\n\\r\\t\" ."},
	{"\"\\u0000\"", "S\"\\u0000\" ."},
	{"\"\\u00e9\\uABCD\\uabcd\"", "S\"\\u00e9\\uABCD\\uabcd\" ."},
	{"\"\\ud7ff\\ue000\\uffff\"", "S\"\\ud7ff\\ue000\\uffff\" ."},
	{"\"\\uD83D\\uDE00\"", "S\"\\uD83D\\uDE00\" ."},
	{"\"\\uD800\\uDC00\\udbff\\udfff\"", "S\"\\uD800\\uDC00\\udbff\\udfff\" ."},
	{"\"x\\ud834\\udd1ey\"", "S\"x\\ud834\\udd1ey\" ."},
	{"\"\x7f\"", "S\"\x7f\" ."},
	{"\"\xc2\x80\xdf\xbf\"", "S\"\xc2\x80\xdf\xbf\" ."},
	{"\"\xe0\xa0\x80\xef\xbf\xbf\"", "S\"\xe0\xa0\x80\xef\xbf\xbf\" ."},
	{"\"\xed\x9f\xbf\xee\x80\x80\"", "S\"\xed\x9f\xbf\xee\x80\x80\" ."},
	{"\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"", "S\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\" ."},
	{"\"\xe5\xa4\x9c\xe5\xb1\x85\"", "S\"\xe5\xa4\x9c\xe5\xb1\x85\" ."},
	{"\"\xef\xbb\xbf\"", "S\"\xef\xbb\xbf\" ."},
	{"{\"\xc3\xa9\\n\":1}", "{ N\"\xc3\xa9\\n\" #1 } ."},
	{"\"0123456789abcdef0123456789abcdef\"", "S\"0123456789abcdef0123456789abcdef\" ."},
	{"[\"{\",\"}\",\"[\",\"]\",\":\",\",\"]",
	 "[ S\"{\" S\"}\" S\"[\" S\"]\" S\":\" S\",\" ] ."},
};

static void test_accepted_documents_give_their_tokens(void)
{
	struct wr_buf trace = new_buf();

	for (size_t i = 0; i < WR_COUNT(accepted); i++) {
		struct wr_view document = wr_view_of_string(accepted[i].document);

		wr_test_case(accepted[i].document);
		trace_document(&trace, document, document.bytes, 1, false);
		CHECK_STRING(wr_buf_view(&trace), accepted[i].trace);
		trace_check_pieces(document, 1);
		CHECK(naive_is_json(document));
	}
	wr_buf_deinit(&trace);
}

/* ---- what is refused ---- */

/* A document in two parts: what could still become one, and the rest, whose first byte is the
 * offending one. An empty rest is a document that ends too early. */
#define BAD(good, rest, status)                                                           \
	{                                                                                 \
		good rest, sizeof(good) - 1, sizeof(good) + sizeof(rest) - 2, WR_##status \
	}

static const struct {
	const char *document;
	size_t offset, bytes;
	enum wr_status status;
} refused[] = {
	/* Nothing, or too early an end. */
	BAD("", "", SYNTAX),
	BAD(" ", "", SYNTAX),
	BAD("\n\n\t ", "", SYNTAX),
	BAD("[", "", SYNTAX),
	BAD("[ ", "", SYNTAX),
	BAD("[1", "", SYNTAX),
	BAD("[1 ", "", SYNTAX),
	BAD("[1,", "", SYNTAX),
	BAD("[1, ", "", SYNTAX),
	BAD("[[]", "", SYNTAX),
	BAD("[[],", "", SYNTAX),
	BAD("[\"", "", SYNTAX),
	BAD("[\"a", "", SYNTAX),
	BAD("[\"a\"", "", SYNTAX),
	BAD("[{}", "", SYNTAX),
	BAD("{", "", SYNTAX),
	BAD("{ ", "", SYNTAX),
	BAD("{\"", "", SYNTAX),
	BAD("{\"a", "", SYNTAX),
	BAD("{\"a\"", "", SYNTAX),
	BAD("{\"a\" ", "", SYNTAX),
	BAD("{\"a\":", "", SYNTAX),
	BAD("{\"a\": ", "", SYNTAX),
	BAD("{\"a\":1", "", SYNTAX),
	BAD("{\"a\":1,", "", SYNTAX),
	BAD("{\"a\":1,\"b\"", "", SYNTAX),
	BAD("{\"a\":{}", "", SYNTAX),
	BAD("\"", "", SYNTAX),
	BAD("\"abc", "", SYNTAX),
	BAD("\"0123456789abcdef0123456789abcdef", "", SYNTAX),
	BAD("\"\\", "", SYNTAX),
	BAD("\"\\\"", "", SYNTAX),
	BAD("\"\\u", "", SYNTAX),
	BAD("\"\\u0", "", SYNTAX),
	BAD("\"\\u00", "", SYNTAX),
	BAD("\"\\u000", "", SYNTAX),
	BAD("\"\\u0000", "", SYNTAX),
	BAD("\"\\ud", "", SYNTAX),
	BAD("\"\\ud8", "", SYNTAX),
	BAD("\"\\ud800", "", SYNTAX),
	BAD("\"\\ud800\\", "", SYNTAX),
	BAD("\"\\ud800\\u", "", SYNTAX),
	BAD("\"\\ud800\\ud", "", SYNTAX),
	BAD("\"\\ud800\\udc", "", SYNTAX),
	BAD("\"\\ud800\\udc0", "", SYNTAX),
	BAD("\"\\ud800\\udc00", "", SYNTAX),
	BAD("\"\xc3", "", SYNTAX),
	BAD("\"\xe2\x82", "", SYNTAX),
	BAD("\"\xf0\x9f\x98", "", SYNTAX),
	BAD("t", "", SYNTAX),
	BAD("tru", "", SYNTAX),
	BAD("fals", "", SYNTAX),
	BAD("nul", "", SYNTAX),
	BAD("[true", "", SYNTAX),
	BAD("-", "", SYNTAX),
	BAD("1.", "", SYNTAX),
	BAD("1e", "", SYNTAX),
	BAD("1e+", "", SYNTAX),
	BAD("1E-", "", SYNTAX),
	BAD("1.5e", "", SYNTAX),
	BAD("-0.", "", SYNTAX),
	BAD("[-", "", SYNTAX),
	BAD("[1.", "", SYNTAX),
	/* Structure. */
	BAD("", "]", SYNTAX),
	BAD("", "}", SYNTAX),
	BAD("", ",", SYNTAX),
	BAD("", ":", SYNTAX),
	BAD("[", ",", SYNTAX),
	BAD("[", ",1]", SYNTAX),
	BAD("[", ":1]", SYNTAX),
	BAD("[", "}", SYNTAX),
	BAD("[1", "}", SYNTAX),
	BAD("[1,", "]", SYNTAX),
	BAD("[1,", ",2]", SYNTAX),
	BAD("[1,", "}", SYNTAX),
	BAD("[1", ":2]", SYNTAX),
	BAD("[1 ", "2]", SYNTAX),
	BAD("[1 ", "\"a\"]", SYNTAX),
	BAD("[\"a\"", "\"b\"]", SYNTAX),
	BAD("[\"a\"", ":1]", SYNTAX),
	BAD("[\"a\", ", ",1]", SYNTAX),
	BAD("[[]", "[]]", SYNTAX),
	BAD("[{}", "{}]", SYNTAX),
	BAD("[true", "false]", SYNTAX),
	BAD("{", ",", SYNTAX),
	BAD("{", ":", SYNTAX),
	BAD("{", "]", SYNTAX),
	BAD("{", "1:1}", SYNTAX),
	BAD("{", "a:1}", SYNTAX),
	BAD("{", "'a':1}", SYNTAX),
	BAD("{", "null:1}", SYNTAX),
	BAD("{", "{}:1}", SYNTAX),
	BAD("{", "[]:1}", SYNTAX),
	BAD("{\"a\"", "}", SYNTAX),
	BAD("{\"a\"", ",1}", SYNTAX),
	BAD("{\"a\"", "1}", SYNTAX),
	BAD("{\"a\" ", "\"b\"}", SYNTAX),
	BAD("{\"a\"", "{}}", SYNTAX),
	BAD("{\"a\"", "=1}", SYNTAX),
	BAD("{\"a\":", "}", SYNTAX),
	BAD("{\"a\":", "]", SYNTAX),
	BAD("{\"a\":", ",", SYNTAX),
	BAD("{\"a\":", ":1}", SYNTAX),
	BAD("{\"a\": ", ":1}", SYNTAX),
	BAD("{\"a\":1", "]", SYNTAX),
	BAD("{\"a\":1", ":2}", SYNTAX),
	BAD("{\"a\":1 ", "\"b\":2}", SYNTAX),
	BAD("{\"a\":1,", "}", SYNTAX),
	BAD("{\"a\":1,", ",\"b\":2}", SYNTAX),
	BAD("{\"a\":1,", "2}", SYNTAX),
	BAD("{\"a\":1,", "]", SYNTAX),
	BAD("{\"a\":\"b\"", "\"c\"}", SYNTAX),
	BAD("{\"a\":\"b\"", ":1}", SYNTAX),
	BAD("{\"a\":[]", "[]}", SYNTAX),
	/* After the document. */
	BAD("{}", "{}", SYNTAX),
	BAD("{} ", "x", SYNTAX),
	BAD("{}", "}", SYNTAX),
	BAD("{}", ",", SYNTAX),
	BAD("[]", "]", SYNTAX),
	BAD("[]\n", "[]", SYNTAX),
	BAD("1 ", "2", SYNTAX),
	BAD("1", ",", SYNTAX),
	BAD("\"a\"", "\"b\"", SYNTAX),
	BAD("\"a\"", ":", SYNTAX),
	BAD("null", "null", SYNTAX),
	BAD("true", "x", SYNTAX),
	BAD("{}", "\0", SYNTAX),
	BAD("1", "\0", SYNTAX),
	BAD("{}\n", "# end", SYNTAX),
	/* What other languages allow. */
	BAD("", "'a'", SYNTAX),
	BAD("", "/* */ 1", SYNTAX),
	BAD("", "// x\n1", SYNTAX),
	BAD("[1", "/* */]", SYNTAX),
	BAD("", "NaN", SYNTAX),
	BAD("", "Infinity", SYNTAX),
	BAD("-", "Infinity", SYNTAX),
	BAD("", "+1", SYNTAX),
	BAD("", ".5", SYNTAX),
	BAD("-", ".5", SYNTAX),
	BAD("", "undefined", SYNTAX),
	BAD("", "True", SYNTAX),
	BAD("", "a", SYNTAX),
	BAD("", "\xef\xbb\xbf{}", SYNTAX),
	BAD("", "\xff\xfe{\0}\0", SYNTAX),
	BAD("", "\0", SYNTAX),
	BAD("", "\v1", SYNTAX),
	BAD("", "\f1", SYNTAX),
	BAD("",
	    "\xc2\xa0"
	    "1",
	    SYNTAX),
	BAD("[", "\xe2\x80\xa8]", SYNTAX),
	BAD("[1,\n", "\x1f]", SYNTAX),
	BAD("", "\x7f", SYNTAX),
	BAD("", "\x80", SYNTAX),
	BAD("[", "\\u0031]", SYNTAX),
	BAD("", "<x/>", SYNTAX),
	/* Words. */
	BAD("t", "Rue", SYNTAX),
	BAD("tr", "ea", SYNTAX),
	BAD("tru", "\"", SYNTAX),
	BAD("tru", " e", SYNTAX),
	BAD("f", "lase", SYNTAX),
	BAD("fals", "y", SYNTAX),
	BAD("n", "il", SYNTAX),
	BAD("nul", "]", SYNTAX),
	BAD("[n", "]", SYNTAX),
	BAD("[tru", "]", SYNTAX),
	BAD("[true", "r]", SYNTAX),
	BAD("nul", "\0", SYNTAX),
	/* Numbers. */
	BAD("0", "1", SYNTAX),
	BAD("-0", "1", SYNTAX),
	BAD("0", "0", SYNTAX),
	BAD("0", "x1f", SYNTAX),
	BAD("0", "b1", SYNTAX),
	BAD("1", "_000", SYNTAX),
	BAD("1", "a", SYNTAX),
	BAD("1", "f", SYNTAX),
	BAD("-", "-1", SYNTAX),
	BAD("-", "+1", SYNTAX),
	BAD("-", "a", SYNTAX),
	BAD("-", " 1", SYNTAX),
	BAD("[-", "]", SYNTAX),
	BAD("[-", ",1]", SYNTAX),
	BAD("1.", "e5", SYNTAX),
	BAD("1.", ".5", SYNTAX),
	BAD("1.", "-5", SYNTAX),
	BAD("[1.", "]", SYNTAX),
	BAD("1.5", ".5", SYNTAX),
	BAD("1.5", "-", SYNTAX),
	BAD("1e", "e5", SYNTAX),
	BAD("1e", ".5", SYNTAX),
	BAD("1e5", ".5", SYNTAX),
	BAD("1e5", "e5", SYNTAX),
	BAD("1e+", "-5", SYNTAX),
	BAD("1e-", "+5", SYNTAX),
	BAD("[1e", "]", SYNTAX),
	BAD("[1e+", "]", SYNTAX),
	BAD("1", "-", SYNTAX),
	BAD("1", "+1", SYNTAX),
	BAD("1", "\xc2\xb2", SYNTAX),
	BAD("", "\xef\xbc\x91", SYNTAX),
	/* Strings. */
	BAD("\"", "\0\"", SYNTAX),
	BAD("\"", "\x01\"", SYNTAX),
	BAD("\"", "\x1f\"", SYNTAX),
	BAD("\"", "\n\"", SYNTAX),
	BAD("\"a", "\t\"", SYNTAX),
	BAD("\"a\\n", "\r\"", SYNTAX),
	BAD("{\"a", "\x08\":1}", SYNTAX),
	BAD("\"0123456789abcde", "\x1f\"", SYNTAX),
	BAD("\"0123456789abcdef", "\x1f\"", SYNTAX),
	BAD("\"0123456789abcdef0123456", "\n89abcdef\"", SYNTAX),
	BAD("\"\\", "x\"", SYNTAX),
	BAD("\"\\", "a\"", SYNTAX),
	BAD("\"\\", "v\"", SYNTAX),
	BAD("\"\\", "0\"", SYNTAX),
	BAD("\"\\", "'\"", SYNTAX),
	BAD("\"\\", "U0000\"", SYNTAX),
	BAD("\"\\", " \"", SYNTAX),
	BAD("\"\\", "\n\"", SYNTAX),
	BAD("\"\\", "\0\"", SYNTAX),
	BAD("\"\\", "\xc3\xa9\"", SYNTAX),
	BAD("\"\\u", "\"", SYNTAX),
	BAD("\"\\u", "g000\"", SYNTAX),
	BAD("\"\\u", "{61}\"", SYNTAX),
	BAD("\"\\u", "+061\"", SYNTAX),
	BAD("\"\\u", " 061\"", SYNTAX),
	BAD("\"\\u0", "\"", SYNTAX),
	BAD("\"\\u00", "x0\"", SYNTAX),
	BAD("\"\\u006", "\"", SYNTAX),
	BAD("\"\\u006", "\\u0061\"", SYNTAX),
	BAD("\"\\u006", "\0\"", SYNTAX),
	BAD("[\"a\\u00a", "\xff\"]", SYNTAX),
	/* Surrogate escapes. */
	BAD("\"\\ud800", "\"", ENCODING),
	BAD("\"\\ud800", "a\"", ENCODING),
	BAD("\"\\ud800", " \\udc00\"", ENCODING),
	BAD("\"\\ud800", "\x80\"", ENCODING),
	BAD("\"\\uDBFF", "\xed\xb0\x80\"", ENCODING),
	BAD("\"\\ud800", "\n\"", SYNTAX),
	BAD("\"\\ud800\\", "n\"", ENCODING),
	BAD("\"\\ud800\\", "\\\"", ENCODING),
	BAD("\"\\ud800\\", "x\"", SYNTAX),
	BAD("\"\\ud800\\u", "0061\"", ENCODING),
	BAD("\"\\ud800\\u", "e000\"", ENCODING),
	BAD("\"\\ud800\\u", "x000\"", SYNTAX),
	BAD("\"\\ud800\\ud", "800\"", ENCODING),
	BAD("\"\\ud800\\uD", "BFF\"", ENCODING),
	BAD("\"\\ud800\\ud", "x00\"", SYNTAX),
	BAD("\"\\ud800\\udc", "x0\"", SYNTAX),
	BAD("\"\\ud800\\udc0", "\"", SYNTAX),
	BAD("\"\\ud", "c00\"", ENCODING),
	BAD("\"\\ud", "c", ENCODING),
	BAD("\"\\uD", "FFF\"", ENCODING),
	BAD("\"\\ud", "fxx\"", ENCODING),
	BAD("\"a\\ud800\\udc00\\ud", "c00\"", ENCODING),
	BAD("{\"\\ud800", "\":1}", ENCODING),
	/* UTF-8 (RFC 3629). */
	BAD("\"", "\x80\"", ENCODING),
	BAD("\"", "\xbf\"", ENCODING),
	BAD("\"", "\xc0\x80\"", ENCODING),
	BAD("\"", "\xc1\xbf\"", ENCODING),
	BAD("\"\xc2", "\"", ENCODING),
	BAD("\"\xc2", "\xc2\"", ENCODING),
	BAD("\"\xdf", "\x7f\"", ENCODING),
	BAD("\"\xe0", "\x80\x80\"", ENCODING),
	BAD("\"\xe0", "\x9f\xbf\"", ENCODING),
	BAD("\"\xe2", "\"", ENCODING),
	BAD("\"\xe2\x82", "\"", ENCODING),
	BAD("\"\xe2\x82", "\n\"", ENCODING),
	BAD("\"\xed", "\xa0\x80\"", ENCODING),
	BAD("\"\xed", "\xbf\xbf\"", ENCODING),
	BAD("\"\xef\xbf", "\xc0\"", ENCODING),
	BAD("\"\xf0", "\x80\x80\x80\"", ENCODING),
	BAD("\"\xf0", "\x8f\xbf\xbf\"", ENCODING),
	BAD("\"\xf0\x9f", "\"", ENCODING),
	BAD("\"\xf0\x9f\x98", "\"", ENCODING),
	BAD("\"\xf4", "\x90\x80\x80\"", ENCODING),
	BAD("\"", "\xf5\x80\x80\x80\"", ENCODING),
	BAD("\"", "\xfe\"", ENCODING),
	BAD("\"", "\xff\"", ENCODING),
	BAD("\"\xc3\xa9", "\xa9\"", ENCODING),
	BAD("\"0123456789abcdef", "\xff\"", ENCODING),
	BAD("\"0123456789abcde\xc3", "\"", ENCODING),
	BAD("[\"a\\n\xe5\xa4", "]\"", ENCODING),
	BAD("{\"\xe5", "\":1}", ENCODING),
};

static void test_refused_documents_say_where(void)
{
	struct wr_buf trace = new_buf();
	struct wr_buf expected = new_buf();

	CHECK(WR_COUNT(refused) >= 150 && WR_COUNT(refused) > WR_COUNT(accepted));
	for (size_t i = 0; i < WR_COUNT(refused); i++) {
		struct wr_view document = wr_view_of(refused[i].document, refused[i].bytes);
		char label[32];
		struct wr_view end;

		snprintf(label, sizeof label, "refused[%zu]", i);
		wr_test_case(label);
		wr_buf_reset(&expected);
		wr_buf_append_byte(&expected, '!');
		trace_text(&expected, wr_status_name(refused[i].status));
		wr_buf_append_byte(&expected, '@');
		wr_buf_append_u64(&expected, refused[i].offset);
		trace_document(&trace, document, document.bytes, 1, false);
		end = wr_buf_view(&trace);
		CHECK(end.bytes >= expected.bytes);
		CHECK_VIEW(wr_view_skip(end, end.bytes - expected.bytes), wr_buf_view(&expected));
		trace_check_pieces(document, 1);
		CHECK(!naive_is_json(document));
	}
	wr_buf_deinit(&trace);
	wr_buf_deinit(&expected);
}

/* ---- limits ---- */

static void check_end(struct wr_view document, const char *end)
{
	struct wr_buf trace = new_buf();
	struct wr_view whole;

	trace_document(&trace, document, document.bytes, 1, false);
	whole = wr_buf_view(&trace);
	CHECK(whole.bytes >= strlen(end));
	CHECK_STRING(wr_view_skip(whole, whole.bytes - strlen(end)), end);
	trace_check_pieces(document, 1);
	wr_buf_deinit(&trace);
}

static void test_depth_has_a_limit(void)
{
	static const struct {
		const char *open, *close, *end;
	} cases[] = {{"[", "]", "] ."}, {"{\"\":", "}", "} ."}};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_buf document = new_buf();
		size_t deepest;
		char failure[32];

		wr_test_case(cases[i].open);
		for (unsigned level = 1; level < WR_JSON_DEPTH_MAX; level++)
			trace_text(&document, cases[i].open);
		trace_text(&document, "[");
		deepest = document.bytes;
		trace_text(&document, "]");
		for (unsigned level = 1; level < WR_JSON_DEPTH_MAX; level++)
			trace_text(&document, cases[i].close);
		check_end(wr_buf_view(&document), cases[i].end);

		snprintf(failure, sizeof failure, "!TOO_LARGE@%zu", deepest);
		wr_buf_truncate(&document, deepest);
		trace_text(&document, "[");
		check_end(wr_buf_view(&document), failure);
		document.data[deepest] = '{';
		check_end(wr_buf_view(&document), failure);
		wr_buf_deinit(&document);
	}
}

static void test_number_length_has_a_limit(void)
{
	static const struct {
		const char *head;
		unsigned digits;
		const char *tail, *end;
	} cases[] = {
		{"", 256, "", "."},
		{"", 256, " ", "."},
		{"", 255, "e", "!SYNTAX@256"},
		{"", 256, "x", "!SYNTAX@256"},
		{"", 254, "e1", "."},
		{"", 254, "e+", "!SYNTAX@256"},
		{"", 254, "e+x", "!SYNTAX@256"},
		{"", 257, "", "!TOO_LARGE@256"},
		{"", 400, "", "!TOO_LARGE@256"},
		{"", 400, "x", "!TOO_LARGE@256"},
		{"", 255, "e1", "!TOO_LARGE@256"},
		{"", 255, "e+x", "!TOO_LARGE@256"},
		{"", 256, ".", "!TOO_LARGE@256"},
		{"", 256, "e", "!TOO_LARGE@256"},
		{"-", 255, "", "."},
		{"-", 256, "", "!TOO_LARGE@256"},
		{"[0.", 254, "]", "] ."},
		{"[0.", 255, "]", "!TOO_LARGE@257"},
		{"[1e", 254, "]", "] ."},
		{"[1e", 255, "", "!TOO_LARGE@257"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_buf document = new_buf();
		char label[32];

		snprintf(label, sizeof label, "cases[%zu]", i);
		wr_test_case(label);
		trace_text(&document, cases[i].head);
		for (unsigned digit = 0; digit < cases[i].digits; digit++)
			wr_buf_append_byte(&document, '7');
		trace_text(&document, cases[i].tail);
		check_end(wr_buf_view(&document), cases[i].end);
		wr_buf_deinit(&document);
	}
}

/* ---- pieces ---- */

static void test_unfinished_token_is_not_consumed(void)
{
	struct wr_json_reader reader;

	wr_json_reader_init(&reader, WR_VIEW(" { \"name\" : \"val"), false);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK(wr_json_reader_is(&reader, WR_VIEW("name")));
	CHECK_STATUS(wr_json_reader_next(&reader), WR_MORE);
	CHECK_STRING(wr_json_reader_rest(&reader), "\"val");
	CHECK_U64(wr_json_reader_offset(&reader), 3);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_MORE);
	wr_json_reader_feed(&reader, WR_VIEW("\"value\" } "), false);
	CHECK_U64(wr_json_reader_offset(&reader), 3);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK_STRING(reader.text, "value");
	CHECK_U64(wr_json_reader_offset(&reader), 12);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_MORE);
	CHECK_U64(wr_json_reader_rest(&reader).bytes, 0);
	wr_json_reader_feed(&reader, WR_VIEW_NULL, true);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK(reader.token == WR_JSON_TOKEN_END);
	CHECK_U64(wr_json_reader_offset(&reader), 22);
}

static void test_number_at_the_end_of_a_piece_is_unfinished(void)
{
	struct wr_json_reader reader;

	wr_json_reader_init(&reader, WR_VIEW("12"), false);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_MORE);
	wr_json_reader_feed(&reader, WR_VIEW("123"), false);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_MORE);
	wr_json_reader_feed(&reader, WR_VIEW("123"), true);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK_STRING(reader.text, "123");
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK(reader.token == WR_JSON_TOKEN_END);
}

static void test_failure_stays_when_more_comes(void)
{
	struct wr_json_reader reader;

	wr_json_reader_init(&reader, WR_VIEW("[1,]"), false);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_SYNTAX);
	wr_json_reader_feed(&reader, WR_VIEW("2]"), true);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_SYNTAX);
	CHECK_U64(wr_json_reader_offset(&reader), 3);
}

/* ---- damage ---- */

static const char *const sound[] = {
	"{\"intent\":{\"kind\":\"task\",\"objective\":\"port the "
	"store\"},\"list\":[{\"name\":\"a\"},1.5e3]}",
	" [ 0, -1.25E+10 , true , false , null , \"\\ud83d\\ude00 \\u00e9\\n\" , { } , [ ] ] ",
	"[\"\xe5\xa4\x9c\xe5\xb1\x85 and 0123456789 "
	"\xf0\x9f\x98\x80\xc3\xa9\",{\"\\\"\":\"\\\\\"}]",
	"{\"a\":{\"b\":[[[1,2],3],{\"c\":\"0123456789abcdef0123456789abcdef0123456789\"}],\"d\":-0}"
	"}",
};

static void test_damaged_documents_are_judged_like_a_naive_parser(void)
{
	static const char bytes[] =
		"\"\\{}[],:0123456789-+.eEtrufalsn \n\t\0\x1f\x7f\x80\xbf\xc3\xe0"
		"\xed\xf0\xf4\xffud8DCx";
	uint64_t state = wr_test_seed();
	unsigned accepted_count = 0;

	for (unsigned round = 0; round < 20000; round++) {
		const char *from = sound[wr_test_random(&state) % WR_COUNT(sound)];
		char copy[128];
		struct wr_view document = wr_view_of(copy, strlen(from));
		bool is_json;
		struct wr_buf trace = new_buf();

		CHECK(document.bytes < sizeof copy);
		memcpy(copy, from, document.bytes);
		for (uint64_t n = 1 + wr_test_random(&state) % 2; n > 0; n--) {
			size_t at = (size_t)(wr_test_random(&state) % document.bytes);

			if (wr_test_random(&state) % 3 == 0) {
				memmove(copy + at, copy + at + 1, document.bytes - at - 1);
				document.bytes--;
			} else {
				copy[at] = bytes[wr_test_random(&state) % (sizeof bytes - 1)];
			}
		}
		trace_document(&trace, document, document.bytes, 1, false);
		is_json = trace.data[trace.bytes - 1] == '.';
		accepted_count += is_json;
		CHECK(is_json == naive_is_json(document));
		trace_check_pieces(document, 1 + (size_t)(wr_test_random(&state) % document.bytes));
		wr_buf_deinit(&trace);
	}
	CHECK(accepted_count > 100);
}

/* ---- skip and raw ---- */

static void test_skip_and_raw_take_one_value(void)
{
	static const char *const values[] = {
		"1",
		"-1.5e3",
		"true",
		"null",
		"\"\"",
		"\"a\"",
		"\"\\\"\"",
		"[]",
		"{}",
		"[1,2,[3,{\"a\":[]}]]",
		"{ }",
		"[ 1 ]",
		"{\"x\" : {}}",
		"[[[[]]],\"]\"]",
		"{\"x\":1,\"y\":[true]}",
	};

	for (size_t i = 0; i < WR_COUNT(values); i++) {
		char document[100];
		struct wr_json_reader reader;
		struct wr_view value;

		wr_test_case(values[i]);
		for (int is_raw = 0; is_raw < 2; is_raw++) {
			snprintf(document, sizeof document, "{\"a\" : %s , \"b\":[%s,%s]}",
				 values[i], values[i], values[i]);
			wr_json_reader_init(&reader, wr_view_of_string(document), true);
			CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
			CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
			/* After a name. */
			if (is_raw) {
				CHECK_STATUS(wr_json_reader_raw(&reader, &value), WR_OK);
				CHECK_STRING(value, values[i]);
			} else {
				CHECK_STATUS(wr_json_reader_skip(&reader), WR_OK);
			}
			CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
			CHECK(wr_json_reader_is(&reader, WR_VIEW("b")));
			CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
			for (int element = 0; element < 2; element++) {
				/* On the value's first token. */
				CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
				if (is_raw) {
					CHECK_STATUS(wr_json_reader_raw(&reader, &value), WR_OK);
					CHECK_STRING(value, values[i]);
				} else {
					CHECK_STATUS(wr_json_reader_skip(&reader), WR_OK);
				}
			}
			CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
			CHECK(reader.token == WR_JSON_TOKEN_ARRAY_END);
			CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
			CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
			CHECK(reader.token == WR_JSON_TOKEN_END);
		}
	}
}

static void test_skip_finds_what_is_wrong_inside(void)
{
	struct wr_json_reader reader;
	struct wr_view value;

	wr_json_reader_init(&reader, WR_VIEW("{\"a\":[1,{\"b\":tru}]}"), true);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK_STATUS(wr_json_reader_skip(&reader), WR_SYNTAX);
	CHECK_U64(wr_json_reader_offset(&reader), 16);
	CHECK_STATUS(wr_json_reader_skip(&reader), WR_SYNTAX);
	CHECK_STATUS(wr_json_reader_raw(&reader, &value), WR_SYNTAX);

	wr_json_reader_init(&reader, WR_VIEW(" [1, 2 ] "), true);
	CHECK_STATUS(wr_json_reader_raw(&reader, &value), WR_OK);
	CHECK_STRING(value, "[1, 2 ]");
	wr_json_reader_init(&reader, WR_VIEW(""), true);
	CHECK_STATUS(wr_json_reader_raw(&reader, &value), WR_SYNTAX);
}

/* ---- decoding ---- */

static const struct {
	const char *text;
	struct wr_view decoded;
} spelled[] = {
	{"", {"", 0}},
	{"abc", {"abc", 3}},
	{"\\\"\\\\\\/\\b\\f\\n\\r\\t", {"\"\\/\b\f\n\r\t", 8}},
	{"\\u0000", {"\0", 1}},
	{"a\\u0041\\u007f\\u0080", {"aA\x7f\xc2\x80", 5}},
	{"\\u07ff\\u0800\\uffff", {"\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", 8}},
	{"\\uD800\\uDC00\\uDBFF\\uDFFF", {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8}},
	{"x\\ud83D\\ude00y", {"x\xf0\x9f\x98\x80y", 6}},
	{"\xe5\xa4\x9c\\n\xe5\xb1\x85", {"\xe5\xa4\x9c\n\xe5\xb1\x85", 7}},
	{"\\\\u0041\\\\", {"\\u0041\\", 7}},
	{"line one\\nline two\\n0123456789012345678901234567890\\\\",
	 {"line one\nline two\n0123456789012345678901234567890\\", 50}},
};

static void test_decoding_undoes_every_escape(void)
{
	for (size_t i = 0; i < WR_COUNT(spelled); i++) {
		struct wr_view text = wr_view_of_string(spelled[i].text);
		struct wr_view decoded = spelled[i].decoded;
		char storage[64], exact[64];
		struct wr_buf buf;

		wr_test_case(spelled[i].text);
		CHECK(text.bytes <= sizeof storage);
		CHECK_U64(wr_json_decode_string_to(storage, wr_test_guarded(0, text)),
			  decoded.bytes);
		CHECK_VIEW(wr_view_of(storage, decoded.bytes), decoded);
		/* In place. */
		memcpy(storage, text.data, text.bytes);
		CHECK_U64(wr_json_decode_string_to(storage, wr_view_of(storage, text.bytes)),
			  decoded.bytes);
		CHECK_VIEW(wr_view_of(storage, decoded.bytes), decoded);
		/* Into a buffer that has room for the decoded form only, and for less. */
		wr_buf_init_fixed(&buf, exact, decoded.bytes);
		CHECK_STATUS(wr_json_decode_string(&buf, text), WR_OK);
		CHECK_VIEW(wr_buf_view(&buf), decoded);
		if (decoded.bytes == 0)
			continue;
		wr_buf_init_fixed(&buf, exact, decoded.bytes - 1);
		CHECK_STATUS(wr_json_decode_string(&buf, text), WR_TOO_LARGE);
		CHECK_U64(buf.bytes, 0);
		CHECK_STATUS(wr_json_decode_string(&buf, WR_VIEW("")), WR_TOO_LARGE);
	}
}

static void test_names_compare_decoded(void)
{
	for (size_t i = 0; i < WR_COUNT(spelled); i++) {
		struct wr_view decoded = spelled[i].decoded;
		char document[80], other[64];
		struct wr_json_reader reader;

		wr_test_case(spelled[i].text);
		snprintf(document, sizeof document, "{\"%s\":1}", spelled[i].text);
		wr_json_reader_init(&reader, wr_view_of_string(document), true);
		CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
		CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
		CHECK(reader.has_escapes == (strchr(spelled[i].text, '\\') != NULL));
		CHECK(wr_json_reader_is(&reader, decoded));
		memcpy(other, decoded.data, decoded.bytes);
		other[decoded.bytes] = 'x';
		CHECK(!wr_json_reader_is(&reader, wr_view_of(other, decoded.bytes + 1)));
		for (size_t at = 0; at < decoded.bytes; at++) {
			CHECK(!wr_json_reader_is(&reader, wr_view_of(other, at)));
			other[at] = (char)(other[at] ^ 1);
			CHECK(!wr_json_reader_is(&reader, wr_view_of(other, decoded.bytes)));
			other[at] = (char)(other[at] ^ 1);
		}
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_accepted_documents_give_their_tokens),
	WR_TEST(test_refused_documents_say_where),
	WR_TEST(test_depth_has_a_limit),
	WR_TEST_LIMIT(test_number_length_has_a_limit, 30),
	WR_TEST(test_unfinished_token_is_not_consumed),
	WR_TEST(test_number_at_the_end_of_a_piece_is_unfinished),
	WR_TEST(test_failure_stays_when_more_comes),
	WR_TEST_LIMIT(test_damaged_documents_are_judged_like_a_naive_parser, 60),
	WR_TEST(test_skip_and_raw_take_one_value),
	WR_TEST(test_skip_finds_what_is_wrong_inside),
	WR_TEST(test_decoding_undoes_every_escape),
	WR_TEST(test_names_compare_decoded),
	WR_TEST_END,
};
