/* Goal: a ticket is good once, in time, for what it was bought with; and nothing else is one.
 * Method: a clock moved by hand. */
#include "backend/tickets.h"

#include "check.h"
#include "harness/harness.h"
#include "host/tokens.h"

enum { NOW = 1000000 };

static struct wr_tickets tickets;

static struct wr_view issue(char text[WR_TICKET_TEXT_BYTES], unsigned may, uint64_t now_ms)
{
	CHECK_STATUS(wr_tickets_issue(&tickets, text, may, now_ms), WR_OK);
	return wr_view_of(text, WR_TICKET_TEXT_BYTES);
}

static void test_a_ticket_is_good_once(void)
{
	char text[WR_TICKET_TEXT_BYTES], other[WR_TICKET_TEXT_BYTES];
	struct wr_view ticket = issue(text, WR_MAY_OBSERVE, NOW);
	struct wr_view second = issue(other, WR_MAY_ALL, NOW);

	CHECK(!wr_view_equal(ticket, second));
	CHECK_U64(wr_tickets_redeem(&tickets, ticket, NOW), WR_MAY_OBSERVE);
	CHECK_U64(wr_tickets_redeem(&tickets, ticket, NOW), 0);
	CHECK_U64(wr_tickets_redeem(&tickets, second, NOW), WR_MAY_ALL);
	CHECK_U64(wr_tickets_redeem(&tickets, second, NOW), 0);
}

static void test_a_ticket_expires(void)
{
	static const struct {
		const char *label;
		uint64_t after_ms;
		unsigned may;
	} cases[] = {
		{"at once", 0, WR_MAY_COMMAND},
		{"just in time", WR_TICKET_MS - 1, WR_MAY_COMMAND},
		{"just too late", WR_TICKET_MS, 0},
		{"much too late", 1000000000, 0},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char text[WR_TICKET_TEXT_BYTES];
		struct wr_view ticket = issue(text, WR_MAY_COMMAND, NOW);

		wr_test_case(cases[i].label);
		CHECK_U64(wr_tickets_redeem(&tickets, ticket, NOW + cases[i].after_ms),
			  cases[i].may);
		/* Nor does one that came too late come to life again. */
		CHECK_U64(wr_tickets_redeem(&tickets, ticket, NOW), 0);
	}
}

static void test_what_is_no_ticket_allows_nothing(void)
{
	static const char *const cases[] = {
		"",
		"A",
		"AAAAAAAAAAAAAAAAAAAAAA", /* all zeros, as slots are that were never used */
		"AAAAAAAAAAAAAAAAAAAAAB", /* bits beyond the last byte */
		"AAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAA==",
		"AAAAAAAAAAAAAAAAAAAA+/",
		"AAAAAAAAAAAAAAAAAAAA A",
		"%41AAAAAAAAAAAAAAAAAAA",
	};
	char text[WR_TICKET_TEXT_BYTES], wrong[WR_TICKET_TEXT_BYTES];
	struct wr_view ticket;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i]);
		CHECK_U64(wr_tickets_redeem(&tickets, wr_view_of_string(cases[i]), NOW), 0);
	}
	/* Every character counts. */
	ticket = issue(text, WR_MAY_ALL, NOW);
	for (size_t i = 0; i + 1 < sizeof text; i++) {
		memcpy(wrong, text, sizeof text);
		wrong[i] = text[i] == 'A' ? 'B' : 'A';
		CHECK_U64(wr_tickets_redeem(&tickets, wr_view_of(wrong, sizeof wrong), NOW), 0);
		CHECK_U64(wr_tickets_redeem(&tickets, wr_view_of(text, i), NOW), 0);
	}
	CHECK_U64(wr_tickets_redeem(&tickets, ticket, NOW), WR_MAY_ALL);
}

static void test_the_oldest_go_when_there_are_too_many(void)
{
	static char texts[WR_TICKET_COUNT_MAX + 2][WR_TICKET_TEXT_BYTES];

	for (size_t i = 0; i < WR_COUNT(texts); i++)
		issue(texts[i], WR_MAY_OBSERVE, NOW);
	for (size_t i = 0; i < WR_COUNT(texts); i++)
		CHECK_U64(wr_tickets_redeem(&tickets, wr_view_of(texts[i], sizeof texts[i]), NOW),
			  i < 2 ? 0 : WR_MAY_OBSERVE);
}

static void test_cleared_tickets_are_void(void)
{
	char text[WR_TICKET_TEXT_BYTES];
	struct wr_view ticket = issue(text, WR_MAY_ALL, NOW);

	wr_tickets_clear(&tickets);
	CHECK_U64(wr_tickets_redeem(&tickets, ticket, NOW), 0);
	ticket = issue(text, WR_MAY_ALL, NOW);
	CHECK_U64(wr_tickets_redeem(&tickets, ticket, NOW), WR_MAY_ALL);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_ticket_is_good_once),
	WR_TEST(test_a_ticket_expires),
	WR_TEST(test_what_is_no_ticket_allows_nothing),
	WR_TEST(test_the_oldest_go_when_there_are_too_many),
	WR_TEST(test_cleared_tickets_are_void),
	WR_TEST_END,
};
