/* Goal: a target is split before it is decoded, and decoded once. Method: tables, each text with an
 * unmapped page behind it. */
#include "codec/http/target.h"

#include "harness/harness.h"

static struct wr_view guarded(const char *text)
{
	return wr_test_guarded(0, wr_view_of_string(text));
}

static void test_targets_are_split_at_the_first_question_mark(void)
{
	static const struct {
		const char *target, *path, *query;
	} rows[] = {
		{"/", "/", NULL},
		{"//", "//", NULL},
		{"/a/b", "/a/b", NULL},
		{"/?", "/", ""},
		{"/a?b=c&d", "/a", "b=c&d"},
		{"/a?b?c", "/a", "b?c"},
		{"/a?/b", "/a", "/b"},
		{"/a-path-of-more-than-16-bytes?and?a?query?of-more-than-16-bytes?",
		 "/a-path-of-more-than-16-bytes", "and?a?query?of-more-than-16-bytes?"},
		{"/%2e%2e/%zz%", "/%2e%2e/%zz%", NULL},
		{"/../a/./b", "/../a/./b", NULL},
		{"/v1/workers/a%2Fb/stop?x", "/v1/workers/a%2Fb/stop", "x"},
		{"/http://a/b", "/http://a/b", NULL},
		{"http://a/b", "/b", NULL},
		{"HTTP://user-agent.example:80/b?c", "/b", "c"},
		{"https://[::1]:8650/", "/", NULL},
		{"http://a", "/", NULL},
		{"http://a?b", "/", "b"},
		{"http://a//b", "//b", NULL},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wr_http_target target;

		wr_test_case(rows[i].target);
		CHECK_STATUS(wr_http_target_split(&target, guarded(rows[i].target)), WR_OK);
		CHECK_STRING(target.path, rows[i].path);
		CHECK((target.query.data == NULL) == (rows[i].query == NULL));
		CHECK_STRING(target.query, rows[i].query);
	}
}

static void test_other_targets_are_refused(void)
{
	static const char *const rows[] = {
		"",
		"*",
		"a",
		"a/b",
		"a:80",
		"?",
		"?a",
		"#",
		"/#",
		"/a#b",
		"/a?b#c",
		"/a-path-of-more-than-16-bytes#",
		"/a-path-of-more-than-16-bytes?a#",
		"/a-path-of-more-than-16-bytes?and-a?query-of-more-than-16-bytes#a",
		"/a b",
		" /",
		"/ ",
		"/a\tb",
		"/a\r\nb",
		"/\001",
		"/\177",
		"/\303\251",
		"/\377",
		"/\200",
		"http:",
		"http:/",
		"http://",
		"http:///a",
		"http://?a",
		"ftp://a/",
		"ws://a/",
		"http:a/b",
		"http://a b/",
		"http://user@a/",
		"http://a:b/",
		"http://a:99999/",
		"http://[::1/",
		"://a/",
		"javascript:alert(1)",
		"file:///etc/passwd",
		"http://a,b/",
		"http://a#b",
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wr_http_target target;

		wr_test_case(rows[i]);
		CHECK_STATUS(wr_http_target_split(&target, guarded(rows[i])), WR_SYNTAX);
	}
	for (unsigned byte = 0; byte < 256; byte++) {
		char text[40] = "/0123456789abcdef0123456789abcdef012345";
		struct wr_http_target target;
		bool is_good = byte > 0x20 && byte < 0x7f && byte != '#';

		for (size_t place = 1; place < sizeof text - 1; place += 7) {
			char old = text[place];
			text[place] = (char)byte;
			CHECK_STATUS(
				wr_http_target_split(&target, wr_view_of(text, sizeof text - 1)),
				is_good ? WR_OK : WR_SYNTAX);
			text[place] = old;
		}
	}
}

static void test_percent_signs_are_decoded_once(void)
{
	static const struct {
		const char *text;
		struct wr_view decoded;
		bool is_form;
		enum wr_status status;
	} rows[] = {
		{"", {"", 0}, false, WR_OK},
		{"abc", {"abc", 3}, false, WR_OK},
		{"a%20b", {"a b", 3}, false, WR_OK},
		{"%2F%2f", {"//", 2}, false, WR_OK},
		{"%252F", {"%2F", 3}, false, WR_OK},
		{"%25zz", {"%zz", 3}, false, WR_OK},
		{"%zz", {"%zz", 3}, false, WR_OK},
		{"%z0%0z", {"%z0%0z", 6}, false, WR_OK},
		{"%", {"%", 1}, false, WR_OK},
		{"%4", {"%4", 2}, false, WR_OK},
		{"a%", {"a%", 2}, false, WR_OK},
		{"%%41", {"%A", 2}, false, WR_OK},
		{"%4%41", {"%4A", 3}, false, WR_OK},
		{"%00", {"\0", 1}, false, WR_OK},
		{"%0d%0A", {"\r\n", 2}, false, WR_OK},
		{"%2e%2E", {"..", 2}, false, WR_OK},
		{"%C3%A9", {"\303\251", 2}, false, WR_OK},
		{"%f0%9f%98%80", {"\360\237\230\200", 4}, false, WR_OK},
		{"a+b", {"a+b", 3}, false, WR_OK},
		{"a+b%2B+", {"a b+ ", 5}, true, WR_OK},
		{"%+", {"% ", 2}, true, WR_OK},
		{"%C3", {"\303", 1}, false, WR_ENCODING},
		{"%ff", {"\377", 1}, false, WR_ENCODING},
		{"%C0%AF", {"\300\257", 2}, false, WR_ENCODING},
		{"%ED%A0%80", {"\355\240\200", 3}, false, WR_ENCODING},
		{"%F4%90%80%80", {"\364\220\200\200", 4}, false, WR_ENCODING},
		{"%80", {"\200", 1}, true, WR_ENCODING},
		{"%C3%zz", {"\303%zz", 4}, false, WR_ENCODING},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wr_view text = guarded(rows[i].text);
		char zeros[32] = "";
		struct wr_view out = wr_test_guarded(1, wr_view_of(zeros, text.bytes));
		size_t bytes = 99;

		wr_test_case(rows[i].text);
		/* The slot is ours to write to, and has exactly the room that is asked for. */
		CHECK_STATUS(wr_http_percent_decode((char *)(uintptr_t)out.data, &bytes, text,
						    rows[i].is_form),
			     rows[i].status);
		CHECK_VIEW(wr_view_of(out.data, bytes), rows[i].decoded);
	}
}

static void test_everything_but_unreserved_characters_is_encoded(void)
{
	struct wr_buf buf;

	wr_buf_init(&buf, wr_test_allocator(), 1000);
	CHECK_STATUS(wr_http_percent_encode(&buf, WR_VIEW("aZ09-._~ /?%+&=#\0\377\303\251")),
		     WR_OK);
	CHECK_STRING(wr_buf_view(&buf), "aZ09-._~%20%2F%3F%25%2B%26%3D%23%00%FF%C3%A9");
	wr_buf_deinit(&buf);

	wr_buf_init(&buf, wr_test_allocator(), 4);
	CHECK_STATUS(wr_http_percent_encode(&buf, WR_VIEW("ab/")), WR_TOO_LARGE);
	wr_buf_deinit(&buf);
}

static void test_encoding_and_decoding_are_inverse(void)
{
	uint64_t state = wr_test_seed();
	struct wr_buf buf;

	wr_buf_init(&buf, wr_test_allocator(), 10000);
	for (int i = 0; i < 2000; i++) {
		char text[64], decoded[3 * sizeof text];
		size_t bytes = (size_t)(wr_test_random(&state) % sizeof text), decoded_bytes;

		for (size_t j = 0; j < bytes; j++)
			text[j] = (char)(wr_test_random(&state) % 128);
		wr_buf_reset(&buf);
		CHECK_STATUS(wr_http_percent_encode(&buf, wr_view_of(text, bytes)), WR_OK);
		CHECK_STATUS(wr_http_percent_decode(decoded, &decoded_bytes, wr_buf_view(&buf),
						    (i & 1) != 0),
			     WR_OK);
		CHECK_VIEW(wr_view_of(decoded, decoded_bytes), wr_view_of(text, bytes));
	}
	wr_buf_deinit(&buf);
}

static void test_queries_are_walked_parameter_by_parameter(void)
{
	static const struct {
		const char *query;
		const char *expected; /* each as name=value; or name; */
	} rows[] = {
		{"", ""},
		{"&", ""},
		{"&&", ""},
		{"a", "a;"},
		{"a=", "a=;"},
		{"=", "=;"},
		{"=b", "=b;"},
		{"a=b", "a=b;"},
		{"a=b=c", "a=b=c;"},
		{"a=b&c", "a=b;c;"},
		{"&a=b&&c=d&", "a=b;c=d;"},
		{"a=1&a=2", "a=1;a=2;"},
		{"cursor=wo_00%26x&limit=+5", "cursor=wo_00%26x;limit=+5;"},
		{"a;b=c", "a;b=c;"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wr_view rest = guarded(rows[i].query), name, value;
		char storage[100];
		struct wr_buf buf;

		wr_test_case(rows[i].query);
		wr_buf_init_fixed(&buf, storage, sizeof storage);
		while (wr_http_query_next(&rest, &name, &value)) {
			wr_buf_append_view(&buf, name);
			if (value.data != NULL)
				wr_buf_append_byte(&buf, '=');
			wr_buf_append_view(&buf, value);
			wr_buf_append_byte(&buf, ';');
		}
		CHECK_STRING(wr_buf_view(&buf), rows[i].expected);
	}
	{
		struct wr_view rest = WR_VIEW_NULL, name, value;
		CHECK(!wr_http_query_next(&rest, &name, &value));
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_targets_are_split_at_the_first_question_mark),
	WR_TEST(test_other_targets_are_refused),
	WR_TEST(test_percent_signs_are_decoded_once),
	WR_TEST(test_everything_but_unreserved_characters_is_encoded),
	WR_TEST(test_encoding_and_decoding_are_inverse),
	WR_TEST(test_queries_are_walked_parameter_by_parameter),
	WR_TEST_END,
};
