/*
 * Goal: a question is spelled as RFC 1035 wants it, and of an answer exactly the addresses of the
 * name that was asked for are taken; whatever is cut, garbled, looped or for somebody else is
 * refused by name. Method: answers as tables of bytes with the header in front, each whole and cut
 * at every position, lying against an unmapped page.
 */
#include "check.h"
#include "harness/harness.h"
#include "io/net/dns_message.h"

#include <string.h>

enum { ID = 0x1234, MESSAGE_BYTES_MAX = 2048 };

#define NAME "\3www\7example\3org\0"
#define ASKED_A NAME "\0\1\0\1"
#define ASKED_AAAA NAME "\0\34\0\1"
/* Pointers to the name asked for, and to "example.org" in it. */
#define SELF "\xc0\x0c"
#define ORIGIN "\xc0\x10"
#define IN_A "\0\1\0\1"
#define IN_AAAA "\0\34\0\1"
#define IN_CNAME "\0\5\0\1"
#define TTL_60 "\0\0\0\74"
#define ADDRESS_7 "\0\4\xc0\0\2\7"
#define OK_FLAGS 0x8180

static struct wr_view asked(void)
{
	return WR_VIEW("www.example.org");
}

/* id, flags, one question, `count` answers, then what is given. */
static struct wr_view message_of(uint16_t flags, uint8_t count, struct wr_view rest)
{
	static char bytes[MESSAGE_BYTES_MAX];
	const char header[12] = {ID >> 8, ID & 0xff, (char)(flags >> 8), (char)flags, 0,
				 1,	  0,	     (char)count};

	CHECK(sizeof header + rest.bytes <= sizeof bytes);
	memcpy(bytes, header, sizeof header);
	memcpy(bytes + sizeof header, rest.data, rest.bytes);
	return wr_view_of(bytes, sizeof header + rest.bytes);
}

static enum wr_status read_answer(struct wr_dns_answer *answer, struct wr_view message)
{
	return wr_dns_answer_read(answer, wr_test_guarded(0, message), ID, asked(), WR_DNS_A);
}

static void test_a_question_is_spelled_as_rfc_1035_wants_it(void)
{
	static const char expected[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0" NAME "\0\34\0\1";
	char bytes[WR_DNS_QUESTION_BYTES_MAX];
	struct wr_buf out;

	wr_buf_init_fixed(&out, bytes, sizeof bytes);
	CHECK_STATUS(wr_dns_question_write(&out, ID, WR_VIEW("WWW.example.org"), WR_DNS_AAAA),
		     WR_OK);
	CHECK_VIEW(wr_buf_view(&out), wr_view_of(expected, sizeof expected - 1));
	wr_buf_init_fixed(&out, bytes, 20);
	CHECK_STATUS(wr_dns_question_write(&out, ID, asked(), WR_DNS_A), WR_TOO_LARGE);
}

static void test_names_are_what_a_question_can_carry(void)
{
	static const char label[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const char *const good[] = {"a",	     "A",  "a.b",     "xn--bcher-kva.example",
					   "_sip.x", "1a", "a-b_c.9", label + 1};
	static const char *const bad[] = {"",	 ".",	"a.",	     ".a",   "a..b", "a b",
					  "a/b", "a:1", "a\xc3\xa4", "a\\b", "a\n",  label};
	char longest[WR_DNS_NAME_BYTES_MAX + 1];
	char bytes[WR_DNS_QUESTION_BYTES_MAX];
	struct wr_buf out;

	for (size_t i = 0; i < WR_COUNT(good); i++) {
		wr_test_case(good[i]);
		CHECK(wr_dns_name_is_valid(wr_test_guarded(0, wr_view_of_string(good[i]))));
	}
	for (size_t i = 0; i < WR_COUNT(bad); i++) {
		wr_test_case(bad[i]);
		CHECK(!wr_dns_name_is_valid(wr_test_guarded(0, wr_view_of_string(bad[i]))));
	}
	CHECK(!wr_dns_name_is_valid(wr_view_of("a\0b", 3)));
	for (size_t i = 0; i < sizeof longest; i++)
		longest[i] = i % 2 == 0 ? 'a' : '.';
	CHECK(!wr_dns_name_is_valid(wr_view_of(longest, sizeof longest)));
	CHECK(wr_dns_name_is_valid(wr_view_of(longest, sizeof longest - 1)));
	/* What fits the one is the longest that fits the other. */
	wr_buf_init_fixed(&out, bytes, sizeof bytes);
	CHECK_STATUS(
		wr_dns_question_write(&out, ID, wr_view_of(longest, sizeof longest - 1), WR_DNS_A),
		WR_OK);
	CHECK_U64(out.bytes, sizeof bytes);
}

static const struct {
	const char *what;
	struct wr_view rest;
	uint8_t count;	   /* of answers that the header tells of */
	uint32_t expected; /* addresses */
	uint32_t ttl_s;
	uint8_t last; /* byte of the last address */
} good_answers[] = {
	{"one address", WR_VIEW_INIT(ASKED_A SELF IN_A TTL_60 ADDRESS_7), 1, 1, 60, 7},
	{"the name in full", WR_VIEW_INIT(ASKED_A NAME IN_A TTL_60 ADDRESS_7), 1, 1, 60, 7},
	{"the name half in full", WR_VIEW_INIT(ASKED_A "\3www" ORIGIN IN_A TTL_60 ADDRESS_7), 1, 1,
	 60, 7},
	{"in capitals", WR_VIEW_INIT("\3WWW\7Example\3ORG\0\0\1\0\1" SELF IN_A TTL_60 ADDRESS_7), 1,
	 1, 60, 7},
	{"two addresses, and the shorter life",
	 WR_VIEW_INIT(ASKED_A SELF IN_A TTL_60 ADDRESS_7 SELF IN_A "\0\0\0\5\0\4\xc0\0\2\x8"), 2, 2,
	 5, 8},
	{"behind an alias",
	 WR_VIEW_INIT(ASKED_A SELF IN_CNAME TTL_60 "\0\4\1w" ORIGIN "\1w" ORIGIN IN_A
						   "\0\0\0\7" ADDRESS_7),
	 2, 1, 7, 7},
	{"in front of its alias",
	 WR_VIEW_INIT(ASKED_A "\1w" ORIGIN IN_A "\0\0\1\0" ADDRESS_7 SELF IN_CNAME TTL_60
			      "\0\4\1w" ORIGIN),
	 2, 1, 60, 7},
	{"among those of others",
	 WR_VIEW_INIT(ASKED_A "\3ftp" ORIGIN IN_A TTL_60
			      "\0\4\xc0\0\2\x9" SELF IN_A TTL_60 ADDRESS_7 ORIGIN IN_A TTL_60
			      "\0\4\xc0\0\2\x9"),
	 3, 1, 60, 7},
	{"beside another type",
	 WR_VIEW_INIT(ASKED_A SELF "\0\x10\0\1" TTL_60 "\0\2\1x" SELF IN_A TTL_60 ADDRESS_7), 2, 1,
	 60, 7},
	{"beside another class",
	 WR_VIEW_INIT(ASKED_A SELF "\0\1\0\3" TTL_60 "\0\2\1x" SELF IN_A TTL_60 ADDRESS_7), 2, 1,
	 60, 7},
	{"a life with its highest bit set is none (RFC 2181 8)",
	 WR_VIEW_INIT(ASKED_A SELF IN_A "\x80\0\0\1" ADDRESS_7), 1, 1, 0, 7},
	{"more behind it than is told of",
	 WR_VIEW_INIT(ASKED_A SELF IN_A TTL_60 ADDRESS_7 "\0\0\x29\4\xd0\0\0\0\0\0\0"), 1, 1, 60,
	 7},
};

static void test_addresses_are_found(void)
{
	for (size_t i = 0; i < WR_COUNT(good_answers); i++) {
		struct wr_view message =
			message_of(OK_FLAGS, good_answers[i].count, good_answers[i].rest);
		struct wr_dns_answer answer;

		wr_test_case(good_answers[i].what);
		CHECK_STATUS(read_answer(&answer, message), WR_OK);
		CHECK_U64(answer.count, good_answers[i].expected);
		CHECK_U64(answer.ttl_s, good_answers[i].ttl_s);
		CHECK_U64(answer.addresses[answer.count - 1][3], good_answers[i].last);
		CHECK(!answer.is_cut);
	}
}

static void test_an_answer_cut_anywhere_is_none_unless_it_says_so(void)
{
	for (size_t i = 0; i + 1 < WR_COUNT(good_answers); i++) {
		struct wr_view rest = good_answers[i].rest;
		for (size_t cut = 0; cut < 12 + rest.bytes; cut++) {
			struct wr_view message = message_of(OK_FLAGS, good_answers[i].count, rest);
			struct wr_dns_answer answer;
			enum wr_status status;

			wr_test_case(good_answers[i].what);
			message.bytes = cut;
			status = read_answer(&answer, message);
			CHECK(status == WR_MISMATCH || status == WR_SYNTAX);
			CHECK_U64(answer.count, 0);
			CHECK_STATUS(status,
				     cut < 12 + sizeof ASKED_A - 1 ? WR_MISMATCH : WR_SYNTAX);
			message = message_of(OK_FLAGS | 0x0200, good_answers[i].count, rest);
			message.bytes = cut;
			status = read_answer(&answer, message);
			CHECK(status == WR_MISMATCH || status == WR_UNAVAILABLE || status == WR_OK);
			CHECK(status != WR_OK || (answer.is_cut && answer.count > 0));
		}
	}
}

static void test_what_is_whole_of_a_cut_answer_counts(void)
{
	struct wr_view rest =
		WR_VIEW(ASKED_A SELF IN_A TTL_60 ADDRESS_7 SELF IN_A TTL_60 "\0\4\xc0");
	struct wr_dns_answer answer;

	CHECK_STATUS(read_answer(&answer, message_of(OK_FLAGS | 0x0200, 2, rest)), WR_OK);
	CHECK_U64(answer.count, 1);
	CHECK(answer.is_cut);
	CHECK_STATUS(read_answer(&answer, message_of(OK_FLAGS, 2, rest)), WR_SYNTAX);
	CHECK_STATUS(read_answer(&answer, message_of(OK_FLAGS | 0x0200, 0, WR_VIEW(ASKED_A))),
		     WR_UNAVAILABLE);
}

static void test_bad_answers_are_refused_by_name(void)
{
	static const struct {
		const char *what;
		uint16_t flags;
		uint8_t count;
		struct wr_view rest;
		enum wr_status expected;
	} cases[] = {
		{"a question", 0x0100, 0, WR_VIEW_INIT(ASKED_A), WR_MISMATCH},
		{"another kind of message", 0xa180, 0, WR_VIEW_INIT(ASKED_A), WR_MISMATCH},
		{"no question", OK_FLAGS, 1, WR_VIEW_INIT(""), WR_MISMATCH},
		{"another name", OK_FLAGS, 1,
		 WR_VIEW_INIT("\3www\7example\3net\0\0\1\0\1" SELF IN_A TTL_60 ADDRESS_7),
		 WR_MISMATCH},
		{"a longer name", OK_FLAGS, 1,
		 WR_VIEW_INIT("\1a\3www\7example\3org\0\0\1\0\1" SELF IN_A TTL_60 ADDRESS_7),
		 WR_MISMATCH},
		{"the same letters with a dot in a label", OK_FLAGS, 1,
		 WR_VIEW_INIT("\13www.example\3org\0\0\1\0\1" SELF IN_A TTL_60 ADDRESS_7),
		 WR_MISMATCH},
		{"another type", OK_FLAGS, 1, WR_VIEW_INIT(ASKED_AAAA SELF IN_A TTL_60 ADDRESS_7),
		 WR_MISMATCH},
		{"another class", OK_FLAGS, 1,
		 WR_VIEW_INIT(NAME "\0\1\0\3" SELF IN_A TTL_60 ADDRESS_7), WR_MISMATCH},
		{"a question that is a pointer to itself", OK_FLAGS, 1,
		 WR_VIEW_INIT("\xc0\x0c\0\1\0\1"), WR_MISMATCH},
		{"no such name", 0x8183, 0, WR_VIEW_INIT(ASKED_A), WR_NOT_FOUND},
		{"no such name, and yet an address", 0x8183, 1,
		 WR_VIEW_INIT(ASKED_A SELF IN_A TTL_60 ADDRESS_7), WR_SYNTAX},
		{"no address", OK_FLAGS, 0, WR_VIEW_INIT(ASKED_A), WR_NOT_FOUND},
		{"an address of another name", OK_FLAGS, 1,
		 WR_VIEW_INIT(ASKED_A ORIGIN IN_A TTL_60 ADDRESS_7), WR_NOT_FOUND},
		{"an address of the other kind", OK_FLAGS, 1,
		 WR_VIEW_INIT(ASKED_A SELF IN_AAAA TTL_60 "\0\20aaaaaaaaaaaaaaaa"), WR_NOT_FOUND},
		{"an alias of nothing", OK_FLAGS, 1,
		 WR_VIEW_INIT(ASKED_A SELF IN_CNAME TTL_60 "\0\2" ORIGIN), WR_NOT_FOUND},
		{"nothing, from who neither knows nor asks", 0x8100, 0, WR_VIEW_INIT(ASKED_A),
		 WR_UNAVAILABLE},
		{"format error", 0x8181, 0, WR_VIEW_INIT(ASKED_A), WR_UNAVAILABLE},
		{"server failure", 0x8182, 0, WR_VIEW_INIT(ASKED_A), WR_UNAVAILABLE},
		{"refused", 0x8185, 0, WR_VIEW_INIT(ASKED_A), WR_UNAVAILABLE},
		{"fewer answers than told", OK_FLAGS, 2,
		 WR_VIEW_INIT(ASKED_A SELF IN_A TTL_60 ADDRESS_7), WR_SYNTAX},
		{"an address of three bytes", OK_FLAGS, 1,
		 WR_VIEW_INIT(ASKED_A SELF IN_A TTL_60 "\0\3\xc0\0\2"), WR_SYNTAX},
		{"an address of five bytes", OK_FLAGS, 1,
		 WR_VIEW_INIT(ASKED_A SELF IN_A TTL_60 "\0\5\xc0\0\2\7\7"), WR_SYNTAX},
		{"an owner that points to itself", OK_FLAGS, 1,
		 WR_VIEW_INIT(ASKED_A "\xc0\x21" IN_A TTL_60 ADDRESS_7), WR_SYNTAX},
		{"an owner that points ahead", OK_FLAGS, 1,
		 WR_VIEW_INIT(ASKED_A "\xc0\x23" IN_A TTL_60 ADDRESS_7), WR_SYNTAX},
		{"an owner that points into the header", OK_FLAGS, 1,
		 WR_VIEW_INIT(ASKED_A "\xc0\x02" IN_A TTL_60 ADDRESS_7), WR_SYNTAX},
		{"a label that points back to itself", OK_FLAGS, 1,
		 WR_VIEW_INIT(ASKED_A "\1a\xc0\x21" IN_A TTL_60 ADDRESS_7), WR_SYNTAX},
		{"a label with reserved bits", OK_FLAGS, 1,
		 WR_VIEW_INIT(ASKED_A "\x41" IN_A TTL_60 ADDRESS_7), WR_SYNTAX},
		{"an alias of itself", OK_FLAGS, 1,
		 WR_VIEW_INIT(ASKED_A SELF IN_CNAME TTL_60 "\0\2" SELF), WR_SYNTAX},
		{"two aliases of each other", OK_FLAGS, 2,
		 WR_VIEW_INIT(ASKED_A SELF IN_CNAME TTL_60 "\0\2" ORIGIN ORIGIN IN_CNAME TTL_60
							   "\0\2" SELF),
		 WR_SYNTAX},
		{"an alias with something behind it", OK_FLAGS, 1,
		 WR_VIEW_INIT(ASKED_A SELF IN_CNAME TTL_60 "\0\3" ORIGIN "x"), WR_SYNTAX},
		{"an alias longer than its data", OK_FLAGS, 1,
		 WR_VIEW_INIT(ASKED_A SELF IN_CNAME TTL_60 "\0\1" ORIGIN), WR_SYNTAX},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_dns_answer answer;

		wr_test_case(cases[i].what);
		CHECK_STATUS(read_answer(&answer,
					 message_of(cases[i].flags, cases[i].count, cases[i].rest)),
			     cases[i].expected);
		CHECK_U64(answer.count, 0);
	}
}

static void test_another_id_is_not_our_answer(void)
{
	struct wr_view rest = WR_VIEW(ASKED_A SELF IN_A TTL_60 ADDRESS_7);
	struct wr_view message = wr_test_guarded(0, message_of(OK_FLAGS, 1, rest));
	struct wr_dns_answer answer;

	CHECK_STATUS(wr_dns_answer_read(&answer, message, ID + 1, asked(), WR_DNS_A), WR_MISMATCH);
	CHECK_STATUS(wr_dns_answer_read(&answer, message, ID, asked(), WR_DNS_AAAA), WR_MISMATCH);
	CHECK_STATUS(wr_dns_answer_read(&answer, message, ID, asked(), WR_DNS_A), WR_OK);
}

/* A chain of aliases, each the one before with a label more. */
static struct wr_view chain_of(unsigned aliases)
{
	static char bytes[MESSAGE_BYTES_MAX];
	struct wr_buf out;
	char owner[2] = {'\xc0', '\x0c'};

	wr_buf_init_fixed(&out, bytes, sizeof bytes);
	wr_buf_append_view(&out, WR_VIEW(ASKED_A));
	for (unsigned i = 0; i < aliases; i++) {
		wr_buf_append(&out, owner, 2);
		wr_buf_append_view(&out, WR_VIEW(IN_CNAME TTL_60 "\0\4\1w"));
		wr_buf_append(&out, owner, 2);
		owner[0] = (char)(0xc0 | (12 + out.bytes - 4) >> 8);
		owner[1] = (char)(12 + out.bytes - 4);
	}
	wr_buf_append(&out, owner, 2);
	wr_buf_append_view(&out, WR_VIEW(IN_A TTL_60 ADDRESS_7));
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	return wr_buf_view(&out);
}

static void test_aliases_are_followed_so_far_and_no_further(void)
{
	for (unsigned aliases = 0; aliases <= 12; aliases++) {
		struct wr_dns_answer answer;

		CHECK_STATUS(read_answer(&answer, message_of(OK_FLAGS, (uint8_t)(aliases + 1),
							     chain_of(aliases))),
			     aliases <= WR_DNS_ALIAS_COUNT_MAX ? WR_OK : WR_SYNTAX);
	}
}

static void test_more_addresses_than_are_kept_are_left_out(void)
{
	static char bytes[MESSAGE_BYTES_MAX];
	struct wr_dns_answer answer;
	struct wr_buf out;

	wr_buf_init_fixed(&out, bytes, sizeof bytes);
	wr_buf_append_view(&out, WR_VIEW(ASKED_A));
	for (unsigned i = 0; i < 20; i++) {
		wr_buf_append_view(&out, WR_VIEW(SELF IN_A TTL_60 "\0\4\xc0\0\2"));
		wr_buf_append_byte(&out, (char)i);
	}
	CHECK_STATUS(read_answer(&answer, message_of(OK_FLAGS, 20, wr_buf_view(&out))), WR_OK);
	CHECK_U64(answer.count, WR_DNS_ADDRESS_COUNT_MAX);
	CHECK_U64(answer.addresses[WR_DNS_ADDRESS_COUNT_MAX - 1][3], WR_DNS_ADDRESS_COUNT_MAX - 1);
}

const struct wr_test wr_tests[] = {WR_TEST(test_a_question_is_spelled_as_rfc_1035_wants_it),
				   WR_TEST(test_names_are_what_a_question_can_carry),
				   WR_TEST(test_addresses_are_found),
				   WR_TEST(test_an_answer_cut_anywhere_is_none_unless_it_says_so),
				   WR_TEST(test_what_is_whole_of_a_cut_answer_counts),
				   WR_TEST(test_bad_answers_are_refused_by_name),
				   WR_TEST(test_another_id_is_not_our_answer),
				   WR_TEST(test_aliases_are_followed_so_far_and_no_further),
				   WR_TEST(test_more_addresses_than_are_kept_are_left_out),
				   WR_TEST_END};
