/* Goal: who must wait for its feed gets nothing before, and then exactly what it asked for; who has
 * more than the log is never sent a frame twice; what has to be fetched comes whole and in order,
 * and every subscriber is counted in and out. Method: a feed that knows what it is told to know;
 * sockets that take what they are told, byte for byte. */
#include "unit/observe/scripted_feed.h"

/* A masked ping "x", and what answers it. */
static void check_alive(struct reader *reader)
{
	size_t before = reader->bytes;

	CHECK(sendto(reader->fd, "\x89\x81\0\0\0\0x", 7, 0, NULL, 0) == 7);
	reader_await(reader, before + 3);
	CHECK_U64(reader->bytes, before + 3);
	CHECK(memcmp(reader->data + before, "\x8a\x01x", 3) == 0);
	reader->bytes = before;
}

/* ---- waiting for open ---- */

static const struct cursor_case {
	const char *label, *text; /* NULL: none */
	uint64_t sequence;
} cursor_cases[] = {
	{"none", NULL, FEED_PAST + 2},
	{"short", "12", 12},
	{"as long as ours", "0000000000000000000000000000011", 11},
	{"the longest", "0000000000000000000000000000000000000000000000000000000000000003", 3},
	{"of nothing", "", 0},
};

static void test_one_who_waits_gets_what_it_asked_for_when_the_feed_knows(void)
{
	for (size_t i = 0; i < WR_COUNT(cursor_cases); i++)
		for (unsigned again = 0; again < 3; again++) {
			const struct cursor_case *c = &cursor_cases[i];
			struct scripted_scope *scope = &feed.scopes[1];
			struct reader reader;
			size_t at = 0;

			wr_test_case(c->label);
			feed_begin();
			scope->opens_with = WR_MORE;
			reader_open_at(&reader, 1,
				       c->text == NULL ? WR_VIEW_NULL : wr_view_of_string(c->text),
				       RIG_UNLIMITED);
			feed_append(1);
			feed_append(1);
			/* Told to ask again, or of others: it is still the same. */
			for (unsigned n = 0; n < again; n++) {
				wr_fanout_resume(rig.fanout, 1);
				reader_settle(&reader);
				wr_fanout_resume(rig.fanout, 2);
				wr_fanout_resume(rig.fanout, 1 + WR_WAITING_LISTS);
				reader_settle(&reader);
			}
			reader_settle(&reader);
			CHECK_U64(reader.bytes, 0);
			check_alive(&reader);
			CHECK_U64(scope->asked, 1 + again);
			CHECK(scope->count == 1 && !scope->is_accepted);
			scope->opens_with = WR_OK;
			wr_fanout_resume(rig.fanout, 1);
			reader_settle(&reader);
			CHECK_U64(scope->asked, 2 + again);
			CHECK_STRING(wr_view_of_string(scope->cursor), c->text ? c->text : "-");
			if (c->text == NULL)
				at = check_snapshot(&reader, c->sequence);
			at = check_story(&reader, at, c->sequence, UINT64_MAX);
			CHECK_U64(reader.bytes, at);
			feed_append(1);
			reader_settle(&reader);
			CHECK_U64(check_story(&reader, at, FEED_PAST + 2, UINT64_MAX),
				  reader.bytes);
			CHECK(scope->count == 1);
			reader_close(&reader);
			rig_turns(3);
			CHECK(scope->count == 0);
			feed_end();
		}
}

static void test_a_cursor_beyond_all_bounds_is_malformed_at_once(void)
{
	static const char text[] =
		"00000000000000000000000000000000000000000000000000000000000000003";
	struct reader reader;

	_Static_assert(sizeof text - 1 == WR_WAITING_CURSOR_BYTES_MAX + 1, "one more");
	feed_begin();
	reader_open_at(&reader, 1, wr_view_of_string(text), RIG_UNLIMITED);
	reader_settle(&reader);
	check_news(&reader, 0, WR_FEED_REFUSED, WR_MALFORMED, 0, 1008);
	CHECK_U64(feed.scopes[1].asked, 0);
	reader_close(&reader);
	feed_end();
}

static void test_a_refusal_is_told_at_once_or_after_waiting(void)
{
	static const struct {
		enum wr_status status;
		unsigned code; /* 0: reset without a word */
	} cases[] = {
		{WR_MALFORMED, 1008},	{WR_SCOPE_MISMATCH, 1008}, {WR_UNKNOWN, 1008},
		{WR_AHEAD, 1008},	{WR_LOST_TAIL, 1008},	   {WR_EXPIRED, 1008},
		{WR_NOT_FOUND, 1008},	{WR_UNAVAILABLE, 1013},	   {WR_TOO_LARGE, 1008},
		{WR_UNSUPPORTED, 1008}, {WR_NO_MEMORY, 0},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++)
		for (unsigned waits = 0; waits <= 1; waits++) {
			struct scripted_scope *scope = &feed.scopes[2];
			struct reader reader;

			wr_test_case(wr_status_name(cases[i].status));
			feed_begin();
			scope->opens_with = waits ? WR_MORE : cases[i].status;
			reader_open_at(&reader, 2, WR_VIEW("5"), RIG_UNLIMITED);
			scope->opens_with = cases[i].status;
			wr_fanout_resume(rig.fanout, 2);
			reader_settle(&reader);
			CHECK_U64(scope->asked, 1 + waits);
			CHECK_U64(scope->refused, cases[i].code != 0);
			CHECK(!scope->is_accepted);
			CHECK(reader.is_reset == (cases[i].code == 0));
			if (cases[i].code != 0)
				check_news(&reader, 0, WR_FEED_REFUSED, cases[i].status,
					   FEED_REFUSAL_SEQUENCE, cases[i].code);
			else
				CHECK_U64(reader.bytes, 0);
			reader_close(&reader);
			rig_turns(3);
			CHECK(scope->count == 0);
			feed_end();
		}
}

static void test_a_snapshot_that_finds_no_memory_ends_with_a_reset(void)
{
	struct reader reader;

	feed_begin();
	feed.is_out_of_scratch = true;
	reader_open_at(&reader, 1, WR_VIEW_NULL, RIG_UNLIMITED);
	reader_await_end(&reader);
	CHECK(reader.is_reset && feed.scopes[1].refused == 0 && feed.scopes[1].count == 0);
	reader_close(&reader);
	feed_end();
}

/* ---- ahead of the log ---- */

/* Opened at each distance ahead of the log, at once or after waiting, with frames of its own and of
 * another scope, shown at once or late: exactly what lies behind its sequence. */
static void go_ahead(uint64_t ahead, bool waits, bool is_late, uint64_t budget)
{
	struct scripted_scope *scope = &feed.scopes[1];
	struct reader reader, other;
	uint64_t sequence = FEED_PAST + 2 + ahead;

	feed_begin();
	feed.log.is_shown_late = is_late;
	feed_append(1);
	feed_append(2);
	scope->opens_with = waits ? WR_MORE : WR_OK;
	feed_reader(&reader, 1, sequence, budget);
	feed_reader(&other, 1, FEED_PAST, RIG_UNLIMITED);
	scope->opens_with = WR_OK;
	for (unsigned i = 0; i < 12; i++) {
		feed_append(1 + i % 2);
		if (is_late && i % 3 == 2)
			wr_event_log_show(&feed.log, feed.next - 2);
		if (i == 1)
			wr_fanout_resume(rig.fanout, 1);
		reader_settle(&reader);
		if (feed.log.shown_sequence <= sequence)
			CHECK_U64(reader.bytes, 0);
		else if (i > 1 && budget == RIG_UNLIMITED)
			CHECK_U64(check_story(&reader, 0, sequence, feed.log.shown_sequence),
				  reader.bytes);
		else if (budget != RIG_UNLIMITED)
			CHECK(reader.bytes <= budget);
	}
	reader_allow(&reader, RIG_UNLIMITED);
	for (unsigned i = 0; i < 30; i++) /* at last also more than memory keeps, in one turn */
		feed_append(1);
	if (is_late)
		wr_event_log_show(&feed.log, feed.next - 1);
	reader_settle(&reader);
	reader_settle(&other);
	CHECK_U64(check_story(&reader, 0, sequence, UINT64_MAX), reader.bytes);
	CHECK_U64(check_story(&other, 0, FEED_PAST, UINT64_MAX), other.bytes);
	CHECK_U64(feed.scopes[1].refused, 0);
	reader_close(&reader);
	reader_close(&other);
	feed_end();
}

static void test_one_who_is_ahead_joins_exactly(void)
{
	static const uint64_t budgets[] = {RIG_UNLIMITED, 0, 100, 700};

	for (uint64_t ahead = 0; ahead <= 14; ahead++)
		for (unsigned how = 0; how < 4; how++)
			for (size_t i = 0; i < WR_COUNT(budgets); i++)
				go_ahead(ahead, how & 1, how & 2, budgets[i]);
}

/* Without a frame of its own in the log there is nothing to stand behind. */
static void test_one_who_is_ahead_waits_for_as_long_as_it_takes(void)
{
	struct reader reader;

	feed_begin();
	feed_reader(&reader, 1, 1000, RIG_UNLIMITED);
	for (unsigned i = 0; i < 40; i++) {
		feed_append(1);
		feed_append(3);
		reader_settle(&reader);
		CHECK_U64(subscription_of_scope(1)->state, WR_SUBSCRIPTION_AHEAD);
	}
	CHECK_U64(reader.bytes, 0);
	check_alive(&reader);
	feed.next = 1000;
	feed_append(1);
	feed_append(1);
	feed_append(1);
	reader_settle(&reader);
	CHECK_U64(check_story(&reader, 0, 1000, UINT64_MAX), reader.bytes);
	CHECK_U64(subscription_of_scope(1)->state, WR_SUBSCRIPTION_LIVE);
	reader_close(&reader);
	feed_end();
}

/* The stream begins behind where it stands: what lies between is stored, or is gone. */
static void test_one_who_was_ahead_gets_what_the_log_left_out(void)
{
	for (unsigned is_gone = 0; is_gone <= 1; is_gone++) {
		struct scripted_scope *scope = &feed.scopes[1];
		struct reader reader;

		feed_begin();
		feed_reader(&reader, 1, 15, RIG_UNLIMITED);
		reader_settle(&reader);
		CHECK_U64(subscription_of_scope(1)->state, WR_SUBSCRIPTION_AHEAD);
		while (feed.next <= 20)
			scope->story[scope->length++] = feed.next++;
		wr_event_stream_begin_at(&scope->stream, 20);
		scope->evicted = is_gone ? 16 : 15;
		feed_append(1);
		reader_settle(&reader);
		if (is_gone)
			check_news(&reader, 0, WR_FEED_EXPIRED, WR_EXPIRED, 16, 1013);
		else
			CHECK_U64(check_story(&reader, 0, 15, 21), reader.bytes);
		reader_close(&reader);
		feed_end();
	}
}

/* ---- waiting for a stored frame ---- */

static void test_what_must_be_fetched_comes_as_it_is_there(void)
{
	struct scripted_scope *scope = &feed.scopes[1];
	struct reader reader;

	feed_begin();
	feed_append(1);
	scope->ready = 0;
	feed_reader(&reader, 1, 2, RIG_UNLIMITED);
	for (uint64_t ready = 0; ready <= FEED_PAST; ready += 1 + ready % 3) {
		scope->ready = ready;
		reader_settle(&reader);
		CHECK_U64(subscription_of_scope(1)->state, WR_SUBSCRIPTION_PARKED);
		wr_fanout_resume(rig.fanout, 1);
		wr_fanout_resume(rig.fanout, 1);
		feed_append(1); /* memory moves on meanwhile */
		reader_settle(&reader);
		CHECK_U64(check_story(&reader, 0, 2, ready), reader.bytes);
		check_alive(&reader);
	}
	scope->ready = UINT64_MAX;
	reader_settle(&reader);
	CHECK_U64(subscription_of_scope(1)->state, WR_SUBSCRIPTION_PARKED);
	wr_fanout_resume(rig.fanout, 1);
	reader_settle(&reader);
	CHECK_U64(check_story(&reader, 0, 2, UINT64_MAX), reader.bytes);
	CHECK_U64(subscription_of_scope(1)->state, WR_SUBSCRIPTION_LIVE);
	reader_close(&reader);
	feed_end();
}

/* The socket stops at every byte, and the feed forgets each time what it had. */
static void test_a_frame_that_was_half_sent_is_fetched_again(void)
{
	struct scripted_scope *scope = &feed.scopes[1];
	size_t bytes = 0;

	for (size_t cut = 0; cut == 0 || cut <= bytes; cut++) {
		struct reader reader;

		feed_begin();
		feed_append(1);
		scope->ready = 4;
		feed_reader(&reader, 1, 2, cut);
		reader_settle(&reader);
		CHECK_U64(reader.bytes, cut);
		scope->ready = 0;
		if (rig.fanout->rendered != NULL)
			rig.fanout->rendered->count = 0;
		reader_allow(&reader, RIG_UNLIMITED);
		reader_settle(&reader);
		CHECK_U64(subscription_of_scope(1)->state, WR_SUBSCRIPTION_PARKED);
		CHECK_U64(reader.bytes, cut);
		scope->ready = 4;
		wr_fanout_resume(rig.fanout, 1);
		reader_settle(&reader);
		bytes = check_story(&reader, 0, 2, 4);
		CHECK_U64(reader.bytes, bytes);
		scope->ready = UINT64_MAX;
		wr_fanout_resume(rig.fanout, 1);
		reader_settle(&reader);
		CHECK_U64(check_story(&reader, 0, 2, UINT64_MAX), reader.bytes);
		reader_close(&reader);
		feed_end();
	}
}

static void test_what_cannot_be_fetched_after_all_is_told(void)
{
	static const struct {
		enum wr_status status;
		enum wr_feed_news news;
		uint64_t sequence;
		unsigned code; /* 0: reset */
	} cases[] = {
		{WR_EXPIRED, WR_FEED_EXPIRED, 1, 1013}, {WR_CORRUPT, WR_FEED_FAILED, 0, 1011},
		{WR_IO, WR_FEED_FAILED, 0, 1011},	{WR_UNAVAILABLE, WR_FEED_FAILED, 0, 1011},
		{WR_NO_MEMORY, WR_FEED_FAILED, 0, 0},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++)
		for (unsigned is_inside = 0; is_inside <= 1; is_inside++) {
			struct scripted_scope *scope = &feed.scopes[1];
			struct reader reader;
			bool is_told = cases[i].code != 0 && !is_inside;

			wr_test_case(wr_status_name(cases[i].status));
			feed_begin();
			feed_append(1);
			scope->ready = 3;
			scope->evicted = 1;
			feed_reader(&reader, 1, 2, is_inside ? 40 : RIG_UNLIMITED);
			reader_settle(&reader);
			scope->stored_with = cases[i].status;
			rig.fanout->rendered->count = 0;
			reader_allow(&reader, RIG_UNLIMITED);
			wr_fanout_resume(rig.fanout, 1);
			reader_settle(&reader);
			CHECK(reader.is_reset == !is_told);
			if (is_told)
				check_news(&reader, check_story(&reader, 0, 2, 3), cases[i].news,
					   cases[i].status, cases[i].sequence, cases[i].code);
			else
				CHECK_U64(reader.bytes,
					  is_inside ? 40 : check_story(&reader, 0, 2, 3));
			reader_close(&reader);
			feed_end();
		}
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_one_who_waits_gets_what_it_asked_for_when_the_feed_knows, 60),
	WR_TEST(test_a_cursor_beyond_all_bounds_is_malformed_at_once),
	WR_TEST_LIMIT(test_a_refusal_is_told_at_once_or_after_waiting, 60),
	WR_TEST(test_a_snapshot_that_finds_no_memory_ends_with_a_reset),
	WR_TEST_LIMIT(test_one_who_is_ahead_joins_exactly, 60),
	WR_TEST(test_one_who_is_ahead_waits_for_as_long_as_it_takes),
	WR_TEST(test_one_who_was_ahead_gets_what_the_log_left_out),
	WR_TEST(test_what_must_be_fetched_comes_as_it_is_there),
	WR_TEST_LIMIT(test_a_frame_that_was_half_sent_is_fetched_again, 60),
	WR_TEST(test_what_cannot_be_fetched_after_all_is_told),
	WR_TEST_END,
};
