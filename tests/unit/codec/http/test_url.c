/* Goal: a URL is taken apart exactly, or refused. Method: a table, each text against the end of
 * mapped memory. */
#include "check.h"
#include "codec/http/url.h"
#include "harness/harness.h"

#include <string.h>

struct row {
	const char *text;
	bool is_good, is_secure, is_websocket, is_ipv6;
	const char *host;
	unsigned port;
	const char *authority, *target; /* target NULL: absent */
};

static const struct row rows[] = {
	{"http://127.0.0.1:8650", true, false, false, false, "127.0.0.1", 8650, "127.0.0.1:8650",
	 NULL},
	{"HTTP://Pi.local/v1/runtime?x=1", true, false, false, false, "Pi.local", 80, "Pi.local",
	 "/v1/runtime?x=1"},
	{"https://a_b-c.example:65535/", true, true, false, false, "a_b-c.example", 65535,
	 "a_b-c.example:65535", "/"},
	{"ws://[::1]:1/x", true, false, true, true, "::1", 1, "[::1]:1", "/x"},
	{"wss://[fe80::1.2.3.4]", true, true, true, true, "fe80::1.2.3.4", 443, "[fe80::1.2.3.4]",
	 NULL},
	{"http://a/%7e%20", true, false, false, false, "a", 80, "a", "/%7e%20"},
};

static const char *const refused[] = {
	"",
	"http:",
	"http:/",
	"http://",
	"http:///x",
	"http://:80",
	"ftp://a",
	"//a",
	"a:80",
	"http://a:",
	"http://a:0",
	"http://a:65536",
	"http://a:99999999999999999999",
	"http://a:000080",
	"http://a:8x",
	"http://a:80x",
	"http://user@a",
	"http://user:secret@a/",
	"http://a#f",
	"http://a/x#f",
	"http://a?x=1",
	"http://a/ x",
	"http://a/\x7f",
	"http://a/\xc3\xa4",
	"http://a/\r\nHost: b",
	"http://\xc3\xa4/",
	"http://a b/",
	"http://[::1",
	"http://[]",
	"http://[::g]",
	"http://::1",
	"http://a%41",
	" http://a",
	"http://a\\b",
};

static void test_urls_are_taken_apart(void)
{
	for (size_t i = 0; i < WR_COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct wr_url url;

		wr_test_case(row->text);
		CHECK_STATUS(wr_url_parse(&url, wr_test_guarded(0, wr_view_of_string(row->text))),
			     WR_OK);
		CHECK(url.is_secure == row->is_secure && url.is_websocket == row->is_websocket &&
		      url.is_ipv6 == row->is_ipv6);
		CHECK_STRING(url.host, row->host);
		CHECK_U64(url.port, row->port);
		CHECK_STRING(url.authority, row->authority);
		CHECK((url.target.data == NULL) == (row->target == NULL));
		if (row->target != NULL)
			CHECK_STRING(url.target, row->target);
	}
}

static void test_what_is_no_url_is_refused(void)
{
	for (size_t i = 0; i < WR_COUNT(refused); i++) {
		struct wr_url url;

		wr_test_case(refused[i]);
		CHECK_STATUS(wr_url_parse(&url, wr_test_guarded(0, wr_view_of_string(refused[i]))),
			     WR_INVALID);
	}
}

/* A front of a URL is a URL of its own or none; never is anything read behind it. */
static void test_every_front_is_judged(void)
{
	for (size_t i = 0; i < WR_COUNT(rows); i++)
		for (size_t bytes = 0; bytes < strlen(rows[i].text); bytes++) {
			struct wr_url url;
			struct wr_view text = wr_test_guarded(0, wr_view_of(rows[i].text, bytes));

			if (wr_url_parse(&url, text) == WR_OK)
				CHECK(url.host.bytes != 0 && url.port != 0);
		}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_urls_are_taken_apart),
	WR_TEST(test_what_is_no_url_is_refused),
	WR_TEST(test_every_front_is_judged),
	WR_TEST_END,
};
