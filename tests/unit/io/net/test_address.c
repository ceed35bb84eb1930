/* Goal: only exact numeric addresses are read, and what is written reads back the same. Method:
 * tables of texts; each input lies against an unmapped page. */
#include "io/net/address.h"
#include "harness/harness.h"

#include "check.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static enum wr_status parse(struct wr_address *address, struct wr_view text)
{
	return wr_address_parse(address, wr_test_guarded(0, text));
}

static struct wr_address address_of(const char *text)
{
	struct wr_address address;

	wr_test_case(text);
	CHECK_STATUS(parse(&address, wr_view_of_string(text)), WR_OK);
	return address;
}

static void test_good_addresses_are_read_and_written(void)
{
	static const struct {
		const char *text, *written; /* NULL: the same */
		int family;
	} cases[] = {
		{"127.0.0.1:8080", NULL, AF_INET},
		{"0.0.0.0:0", NULL, AF_INET},
		{"255.255.255.255:65535", NULL, AF_INET},
		{"10.20.30.40:1", NULL, AF_INET},
		{"[::1]:0", NULL, AF_INET6},
		{"[::]:443", NULL, AF_INET6},
		{"[1::]:1", NULL, AF_INET6},
		{"[2001:db8::1]:80", NULL, AF_INET6},
		{"[2001:DB8:0:0:0:0:0:1]:80", "[2001:db8::1]:80", AF_INET6},
		{"[2001:0db8:0000:0000:0001:0000:0000:0001]:80", "[2001:db8::1:0:0:1]:80",
		 AF_INET6},
		{"[2001:db8:0:1:1:1:1:1]:80", NULL, AF_INET6}, /* RFC 5952 4.2.2 */
		{"[2001:0:0:1:0:0:0:1]:80", "[2001:0:0:1::1]:80", AF_INET6},
		{"[1:2:3:4:5:6:7:8]:9", NULL, AF_INET6},
		{"[1:2:3:4:5:6::]:9", NULL, AF_INET6},
		{"[::ffff:192.0.2.1]:80", NULL, AF_INET6},
		{"[::ffff:c000:201]:80", "[::ffff:192.0.2.1]:80", AF_INET6},
		{"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", NULL, AF_INET6},
		{"unix:/run/worker.sock", NULL, AF_UNIX},
		{"unix:relative", NULL, AF_UNIX},
		{"unix:/a b:80", NULL, AF_UNIX},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_address address = address_of(cases[i].text), again;
		const char *expected = cases[i].written;
		char text[WR_ADDRESS_TEXT_BYTES_MAX];
		size_t bytes = wr_address_format(text, &address);

		CHECK(address.storage.ss_family == cases[i].family);
		CHECK_STRING(wr_view_of(text, bytes), expected != NULL ? expected : cases[i].text);
		CHECK_U64(strlen(text), bytes);
		CHECK_STATUS(parse(&again, wr_view_of(text, bytes)), WR_OK);
		CHECK(again.bytes == address.bytes);
		CHECK(memcmp(&again.storage, &address.storage, sizeof again.storage) == 0);
	}
}

static void test_bad_addresses_are_refused(void)
{
	static const char *const cases[] = {
		"",
		":",
		"80",
		":80",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:65536",
		"127.0.0.1:99999",
		"127.0.0.1:100000",
		"127.0.0.1:4294967376",
		"127.0.0.1:-1",
		"127.0.0.1:+1",
		"127.0.0.1: 1",
		"127.0.0.1:1 ",
		"127.0.0.1:0x50",
		"127.0.0.1:080",
		"127.0.0.1:00",
		"127.0.0.1:8a",
		" 127.0.0.1:80",
		"127.0.0.1 :80",
		"127.1:80",
		"127.0.0.1.:80",
		"127.0.0.1.1:80",
		"127.0.0.01:80",
		"127.0.0.256:80",
		"2130706433:80",
		"0x7f.0.0.1:80",
		"localhost:80",
		"*:80",
		"::1:80",
		"[::1]",
		"[::1]80",
		"[::1]:",
		"[::1:80",
		"::1]:80",
		"[]:80",
		"[:80",
		"[127.0.0.1]:80",
		"[::1%lo]:80",
		"[fe80::1%1]:80",
		"[fe80::1%25eth0]:80",
		"[::1]x:80",
		"[[::1]]:80",
		"[ ::1]:80",
		"[1:2:3:4:5:6:7]:80",
		"[1:2:3:4:5:6:7:8:9]:80",
		"[1::2::3]:80",
		"[12345::]:80",
		"[:::]:80",
		"[::ffff:1.2.3]:80",
		"[1111:1111:1111:1111:1111:1111:1111:1111:1111:1111]:80",
		"unix:",
		"UNIX:/x",
		"unix",
		"/run/x.sock",
	};
	struct wr_address address;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i]);
		CHECK_STATUS(parse(&address, wr_view_of_string(cases[i])), WR_INVALID);
	}
	wr_test_case("NUL");
	CHECK_STATUS(parse(&address, WR_VIEW("127.0.0.1\0:80")), WR_INVALID);
	CHECK_STATUS(parse(&address, WR_VIEW("127.0.0.1:80\0")), WR_INVALID);
	CHECK_STATUS(parse(&address, WR_VIEW("[::1\0]:80")), WR_INVALID);
	CHECK_STATUS(parse(&address, WR_VIEW("unix:/a\0b")), WR_INVALID);
	CHECK_STATUS(parse(&address, WR_VIEW_NULL), WR_INVALID);
}

static void test_the_longest_unix_path_fits_and_no_longer_one(void)
{
	enum { PATH_BYTES_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) - 1 };
	char path[5 + PATH_BYTES_MAX + 1], text[WR_ADDRESS_TEXT_BYTES_MAX];
	struct wr_address address;

	memset(path, 'p', sizeof path);
	memcpy(path, "unix:", 5);
	CHECK_STATUS(parse(&address, wr_view_of(path, sizeof path)), WR_INVALID);
	CHECK_STATUS(parse(&address, wr_view_of(path, sizeof path - 1)), WR_OK);
	CHECK_U64(wr_address_format(text, &address), sizeof path - 1);
	CHECK(memcmp(text, path, sizeof path - 1) == 0);
}

static void test_an_unnamed_unix_peer_has_no_path(void)
{
	struct wr_address address = {.bytes = sizeof(sa_family_t)};
	char text[WR_ADDRESS_TEXT_BYTES_MAX];

	address.storage.ss_family = AF_UNIX;
	CHECK_U64(wr_address_format(text, &address), 5);
	CHECK_STRING(wr_view_of_string(text), "unix:");
	CHECK(wr_address_is_unix(&address) && wr_address_is_local(&address));
}

static void test_an_unknown_family_is_nothing(void)
{
	struct wr_address address = {.bytes = 0}, ipv4 = address_of("127.0.0.1:1");
	char text[WR_ADDRESS_TEXT_BYTES_MAX];

	CHECK_U64(wr_address_format(text, &address), 0);
	CHECK(!wr_address_is_local(&address) && !wr_address_is_unix(&address));
	CHECK(!wr_address_same_host(&address, &address));
	CHECK(!wr_address_same_host(&address, &ipv4));
}

static void test_local_addresses(void)
{
	static const struct {
		const char *text;
		bool is_local;
	} cases[] = {
		{"127.0.0.1:80", true},
		{"127.255.0.3:80", true},
		{"[::1]:80", true},
		{"[::ffff:127.0.0.9]:80", true},
		{"unix:/x", true},
		{"0.0.0.0:80", false},
		{"128.0.0.1:80", false},
		{"126.255.255.255:80", false},
		{"192.168.0.1:80", false},
		{"[::]:80", false},
		{"[::2]:80", false},
		{"[1::1]:80", false},
		{"[::ffff:128.0.0.1]:80", false},
		{"[::127.0.0.1]:80", false},
		{"[::fffe:127.0.0.1]:80", false},
		{"[fe80::1]:80", false},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_address address = address_of(cases[i].text);
		CHECK(wr_address_is_local(&address) == cases[i].is_local);
	}
}

static void test_same_hosts(void)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} cases[] = {
		{"10.0.0.1:1", "10.0.0.1:2", true},
		{"[2001:db8::1]:1", "[2001:db8:0::1]:2", true},
		{"[::ffff:10.0.0.1]:1", "10.0.0.1:2", true},
		{"unix:/a", "unix:/b", true},
		{"10.0.0.1:1", "10.0.0.2:1", false},
		{"10.0.0.1:1", "[::10.0.0.1]:1", false},
		{"[::1]:1", "127.0.0.1:1", false},
		{"[2001:db8::1]:1", "[2001:db8::2]:1", false},
		{"unix:/a", "127.0.0.1:1", false},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_address a = address_of(cases[i].a), b = address_of(cases[i].b);
		CHECK(wr_address_same_host(&a, &b) == cases[i].is_same);
		CHECK(wr_address_same_host(&b, &a) == cases[i].is_same);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_good_addresses_are_read_and_written),
	WR_TEST(test_bad_addresses_are_refused),
	WR_TEST(test_the_longest_unix_path_fits_and_no_longer_one),
	WR_TEST(test_an_unnamed_unix_peer_has_no_path),
	WR_TEST(test_an_unknown_family_is_nothing),
	WR_TEST(test_local_addresses),
	WR_TEST(test_same_hosts),
	WR_TEST_END,
};
