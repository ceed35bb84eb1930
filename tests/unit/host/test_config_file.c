/*
 * Goal: a configuration file is read as any reader of TOML would read it, or refused with the line
 * and a word about it; no text makes the reader look behind its end.
 *
 * Method: every text lies against an unmapped page; what is read of it is written down as a line of
 * text. Then every beginning of it is read, too, which must end in good order.
 */
#include "bytes/buf.h"
#include "check.h"
#include "harness/harness.h"
#include "host/config_file.h"

/* ---- reading a text ---- */

struct outcome {
	enum wr_status status;
	uint32_t line;
	const char *detail;
	char dump[2048];
	size_t dump_bytes;
};

static void note(struct wr_buf *out, const struct wr_config_entry *entry)
{
	static const char *const kinds[] = {"end",    "section", "element", "string",
					    "number", "boolean", "list",    "item"};

	wr_buf_append_u64(out, entry->line);
	wr_buf_append_byte(out, ' ');
	wr_buf_append_view(out, wr_view_of_string(kinds[entry->kind]));
	if (entry->kind != WR_CONFIG_END) {
		wr_buf_append_byte(out, ' ');
		wr_buf_append_view(out, entry->name);
	}
	if (entry->kind == WR_CONFIG_BOOLEAN)
		wr_buf_append_view(out, entry->is_true ? WR_VIEW("=yes") : WR_VIEW("=no"));
	if (entry->text.data != NULL) {
		wr_buf_append_byte(out, '=');
		wr_buf_append_view(out, entry->text);
	}
	if (entry->kind == WR_CONFIG_STRING || entry->kind == WR_CONFIG_ITEM) {
		CHECK(entry->text.data[entry->text.bytes] == '\0');
		CHECK_U64(strlen(entry->text.data), entry->text.bytes);
	}
	wr_buf_append_byte(out, ';');
}

static void read_text(struct outcome *out, struct wr_view text)
{
	struct wr_view copy = wr_test_guarded(0, text);
	struct wr_config_reader reader;
	struct wr_config_entry entry = {.kind = WR_CONFIG_LIST};
	struct wr_buf dump;

	wr_buf_init_fixed(&dump, out->dump, sizeof out->dump);
	/* The copy is ours to be written to. */
	out->status = wr_config_reader_init(&reader, (char *)(uintptr_t)copy.data, copy.bytes);
	while (out->status == WR_OK && entry.kind != WR_CONFIG_END) {
		out->status = wr_config_reader_next(&reader, &entry);
		if (out->status == WR_OK)
			note(&dump, &entry);
	}
	out->line = reader.line;
	out->detail = reader.detail;
	out->dump_bytes = dump.bytes;
	CHECK((out->status == WR_OK) == (reader.detail == NULL));
}

static void read_every_beginning(struct wr_view text)
{
	struct outcome outcome;

	for (size_t bytes = 0; bytes < text.bytes; bytes++)
		read_text(&outcome, wr_view_of(text.data, bytes));
}

/* ---- what is read ---- */

static void test_entries_come_with_line_name_and_decoded_text(void)
{
	static const struct {
		const char *label, *text, *dump;
	} cases[] = {
		{"nothing", "", "1 end;"},
		{"blank lines", "\n \t\r\n\n", "4 end;"},
		{"a comment", "# one\n  # two = 2", "2 end;"},
		{"a string", "bind = \"127.0.0.1:0\"\n", "1 string bind=127.0.0.1:0;2 end;"},
		{"without a last newline", "a=\"b\"", "1 string a=b;1 end;"},
		{"lines of another system", "a=\"b\"\r\nc='d'\r\n",
		 "1 string a=b;2 string c=d;3 end;"},
		{"space around all", "\t a \t=\t 'b' \t# c\n", "1 string a=b;2 end;"},
		{"an empty string", "a = \"\"\nb = ''", "1 string a=;2 string b=;2 end;"},
		{"a comment sign in a string", "a = \"#\" # b", "1 string a=#;1 end;"},
		{"escapes", "a = \"\\\"\\\\\\t|\\u00e9\\u20AC\\n\"",
		 "1 string a=\"\\\t|\xc3\xa9\xe2\x82\xac\n;1 end;"},
		{"rarer escapes", "a = \"\\b\\f\\r\\u0001\"", "1 string a=\b\f\r\x01;1 end;"},
		{"no escapes", "a = 'C:\\n \"x\"'", "1 string a=C:\\n \"x\";1 end;"},
		{"the other quote", "a = \"it's\"", "1 string a=it's;1 end;"},
		{"UTF-8", "a = \"\xe6\x97\xa5\" # \xe6\x97\xa5", "1 string a=\xe6\x97\xa5;1 end;"},
		{"numbers", "a = 0\nb=18446744073709551616#",
		 "1 number a=0;2 number b="
		 "18446744073709551616;2 end;"},
		{"booleans", "a = true\nb = false", "1 boolean a=yes;2 boolean b=no;2 end;"},
		{"names", "A_b-9 = 1\n--1 = 2", "1 number A_b-9=1;2 number --1=2;2 end;"},
		{"the same name again", "a = 1\na = 2", "1 number a=1;2 number a=2;2 end;"},
		{"a list", "a = [\"b\", 'c']\nd = 1",
		 "1 list a;1 item a=b;1 item a=c;2 number d=1;2 end;"},
		{"an empty list", "a = []\n", "1 list a;2 end;"},
		{"an empty list of lines", "a = [ # x\n\n] # y\n", "1 list a;4 end;"},
		{"a list of lines", "a = [ # none\n  \"b\", # one\r\n\n 'c'\n ,\n]\nd='e'",
		 "1 list a;2 item a=b;4 item a=c;7 string d=e;7 end;"},
		{"a comma at the end", "a = ['b',]", "1 list a;1 item a=b;1 end;"},
		{"two lists", "a=['b']\nc=['d']", "1 list a;1 item a=b;2 list c;2 item c=d;2 end;"},
		{"a section", "[a]\nb = 1", "1 section a;2 number b=1;2 end;"},
		{"elements", "[[a]]\nb=1\n[[ a.c-d ]] # x\n",
		 "1 element a;2 number b=1;3 element a.c-d;4 end;"},
	};
	struct outcome outcome;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_view text = wr_view_of_string(cases[i].text);

		wr_test_case(cases[i].label);
		read_text(&outcome, text);
		CHECK_STATUS(outcome.status, WR_OK);
		CHECK_STRING(wr_view_of(outcome.dump, outcome.dump_bytes), cases[i].dump);
		read_every_beginning(text);
	}
}

/* ---- what is refused ---- */

#define NAME_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_all_else_is_refused_with_its_line(void)
{
	static const char form[] = "key = value", value[] = "a value is a string in quotes";
	static const char behind[] = "something behind the value", digits[] = "made of digits";
	static const char escape[] = "a backslash stands before", open[] = "does not end on its";
	static const char list[] = "a list is made of strings", section[] = "[name] or [[name]]";
	static const struct {
		const char *label, *text;
		uint32_t line;
		const char *says;
	} cases[] = {
		{"no value", "bind", 1, form},
		{"no key", "= 1", 1, form},
		{"a key in quotes", "\"a\" = 1", 1, form},
		{"a key with a dot", "a.b = 1", 1, form},
		{"two keys", "a b = 1", 1, form},
		{"a key not of ASCII", "\xc3\xa9 = 1", 1, form},
		{"a byte order mark",
		 "\xef\xbb\xbf"
		 "a = 1",
		 1, form},
		{"a key too long", NAME_63 "bb = 1", 1, form},
		{"a colon", "a: 1", 1, form},
		{"nothing behind the sign", "\na =\n", 2, value},
		{"a comment for a value", "a = # b", 1, value},
		{"a bare word", "a = memory", 1, value},
		{"true in other case", "a = True", 1, value},
		{"more than true", "a = truer", 1, value},
		{"a table", "a = {b = 1}", 1, value},
		{"a date", "a = 2026-01-01", 1, digits},
		{"below zero", "a = -1", 1, value},
		{"a plus", "a = +1", 1, value},
		{"a unit", "a = 64K", 1, digits},
		{"a fraction", "a = 1.5", 1, digits},
		{"hex", "a = 0x10", 1, digits},
		{"an underscore", "a = 1_000", 1, digits},
		{"an address", "a = 127.0.0.1", 1, digits},
		{"a number with a zero", "a = 01", 1, "does not begin with 0"},
		{"two values", "a = 1 2", 1, behind},
		{"two strings", "a = \"b\" \"c\"", 1, behind},
		{"text behind a string", "a = \"b\"c", 1, behind},
		{"a string of lines", "a = \"\"\"\nb\"\"\"", 1, behind},
		{"three quotes", "a = '''b'''", 1, behind},
		{"text behind true", "a = true x", 1, behind},
		{"no closing quote", "a = \"b", 1, open},
		{"a closing quote on another line", "x = 1\na = \"b\n\"", 2, open},
		{"no closing quote at CR LF", "a = 'b\r\n", 1, open},
		{"the wrong closing quote", "a = \"b'", 1, open},
		{"an escaped closing quote", "a = \"b\\\"", 1, open},
		{"a backslash at the end", "a = \"b\\", 1, escape},
		{"a backslash before a newline", "a = \"b\\\nc\"", 1, escape},
		{"an unknown escape", "a = \"\\x41\"", 1, escape},
		{"a path with backslashes", "a = \"C:\\dir\"", 1, escape},
		{"a long escape", "a = \"\\U0001f600\"", 1, escape},
		{"a short one", "a = \"\\u12\"", 1, escape},
		{"one without digits", "a = \"\\u", 1, escape},
		{"a NUL", "a = \"\\u0000\"", 1, escape},
		{"a surrogate", "a = \"\\ud83d\"", 1, escape},
		{"the last surrogate", "a = \"\\uDFFF\"", 1, escape},
		{"a list of numbers", "a = [1, 2]", 1, list},
		{"a list of lists", "a = [['b']]", 1, list},
		{"no comma", "a = ['b' 'c']", 1, list},
		{"no comma between lines", "a = [\n'b'\n'c']", 3, list},
		{"only a comma", "a = [,]", 1, list},
		{"two commas", "a = ['b',,]", 1, list},
		{"a list with the wrong end", "a = ['b'}", 1, list},
		{"a list without an end", "a = ['b',\n\n", 3, "a list does not end"},
		{"only the beginning of a list", "a = [", 1, "a list does not end"},
		{"a key within a list", "a = ['b',\nc = 1", 2, list},
		{"text behind a list", "a = ['b'] c", 1, "something behind the list"},
		{"text behind an empty list", "a = []]", 1, "something behind the list"},
		{"an open string in a list", "a = [\n\"b", 2, open},
		{"no name of a section", "[]", 1, section},
		{"no name of an element", "[[]]", 1, section},
		{"an open section", "[a", 1, section},
		{"an open element", "a = 1\n\n[[a]", 3, section},
		{"an end too many", "[a]]", 1, section},
		{"three of them", "[[[a]]]", 1, section},
		{"space between brackets", "[ [a]]", 1, section},
		{"space between the last", "[[a] ]", 1, section},
		{"a name in quotes", "[\"a\"]", 1, section},
		{"two names", "[a b]", 1, section},
		{"a value behind it", "[a] b = 1", 1, section},
		{"a name of lines", "[a\n]", 1, section},
	};
	struct outcome outcome;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_view text = wr_view_of_string(cases[i].text);

		wr_test_case(cases[i].label);
		read_text(&outcome, text);
		CHECK_STATUS(outcome.status, WR_SYNTAX);
		CHECK_U64(outcome.line, cases[i].line);
		CHECK(strstr(outcome.detail, cases[i].says) != NULL);
		read_every_beginning(text);
	}
}

static void test_a_text_that_is_no_text_is_refused_before_anything_is_read(void)
{
	static const struct {
		const char *label;
		struct wr_view text;
		enum wr_status status;
		uint32_t line;
	} cases[] = {
		{"a lone byte", WR_VIEW_INIT("a = 1\n# \xff\n"), WR_ENCODING, 2},
		{"half a character", WR_VIEW_INIT("a = \"\xc3\"\n"), WR_ENCODING, 1},
		{"half a character at the end", WR_VIEW_INIT("\n\n#\xe2\x82"), WR_ENCODING, 3},
		{"an overlong one", WR_VIEW_INIT("#\xc0\x80"), WR_ENCODING, 1},
		{"a NUL", WR_VIEW_INIT("a = 1\n\0"), WR_SYNTAX, 2},
		{"a NUL in a string", WR_VIEW_INIT("a = \"\0\""), WR_SYNTAX, 1},
		{"a bell", WR_VIEW_INIT("# \a"), WR_SYNTAX, 1},
		{"a delete", WR_VIEW_INIT("a = '\x7f'"), WR_SYNTAX, 1},
		{"CR alone", WR_VIEW_INIT("a = 1\rb = 2\n"), WR_SYNTAX, 1},
		{"CR at the end", WR_VIEW_INIT("a = 1\r"), WR_SYNTAX, 1},
		{"CR CR LF", WR_VIEW_INIT("a = 1\r\r\n"), WR_SYNTAX, 1},
	};
	struct outcome outcome;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		read_text(&outcome, cases[i].text);
		CHECK_STATUS(outcome.status, cases[i].status);
		CHECK_U64(outcome.line, cases[i].line);
		CHECK_U64(outcome.dump_bytes, 0);
	}
}

static void test_a_line_has_a_limit_and_names_have(void)
{
	static char text[WR_CONFIG_LINE_BYTES_MAX + 8];
	struct outcome outcome;

	memset(text, 'x', sizeof text);
	memcpy(text, "\n#", 2);
	read_text(&outcome, wr_view_of(text, 1 + WR_CONFIG_LINE_BYTES_MAX));
	CHECK_STATUS(outcome.status, WR_OK);
	read_text(&outcome, wr_view_of(text, 2 + WR_CONFIG_LINE_BYTES_MAX));
	CHECK_STATUS(outcome.status, WR_TOO_LARGE);
	CHECK_U64(outcome.line, 2);
	text[1 + WR_CONFIG_LINE_BYTES_MAX] = '\r';
	text[2 + WR_CONFIG_LINE_BYTES_MAX] = '\n';
	read_text(&outcome, wr_view_of(text, 3 + WR_CONFIG_LINE_BYTES_MAX));
	CHECK_STATUS(outcome.status, WR_OK);
	read_text(&outcome, WR_VIEW(NAME_63 "b = 1"));
	CHECK_STATUS(outcome.status, WR_OK);
}

/* Any bytes: an end in good order, each entry within the text. */
static void test_random_texts_are_read_or_refused(void)
{
	static const char alphabet[] = "ab=[]\"'\\u0\n# ,\r\tt1.-_\xc3\xa9";
	uint64_t state = wr_test_seed();
	struct outcome outcome;
	char text[24];

	for (unsigned i = 0; i < 200000; i++) {
		size_t bytes = (size_t)(wr_test_random(&state) % (sizeof text + 1));
		for (size_t at = 0; at < bytes; at++)
			text[at] = alphabet[wr_test_random(&state) % (sizeof alphabet - 1)];
		read_text(&outcome, wr_view_of(text, bytes));
		CHECK(outcome.status == WR_OK || outcome.status == WR_SYNTAX ||
		      outcome.status == WR_ENCODING);
		CHECK(outcome.line >= 1 && outcome.line <= bytes + 1);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_entries_come_with_line_name_and_decoded_text),
	WR_TEST(test_all_else_is_refused_with_its_line),
	WR_TEST(test_a_text_that_is_no_text_is_refused_before_anything_is_read),
	WR_TEST(test_a_line_has_a_limit_and_names_have),
	WR_TEST_LIMIT(test_random_texts_are_read_or_refused, 60),
	WR_TEST_END,
};
