/* Goal: wherever a subscriber stands, it can be ended in a typed way, or inside a frame by a reset;
 * then nothing of it is left in the log, and it was counted in and out. Method: a scripted feed;
 * one reader is brought into each state, then each thing that may end it happens. */
#include "unit/observe/scripted_feed.h"

/* ---- how to get there ---- */

/* A frame of the past of scope 1, and its length. */
static uint64_t frame_bytes(uint64_t sequence)
{
	struct wr_buf frame;
	uint64_t bytes;

	wr_buf_init(&frame, wr_test_allocator(), SIZE_MAX);
	put_frame(&frame, 1, sequence);
	bytes = frame.bytes;
	wr_buf_deinit(&frame);
	return bytes;
}

static void enter_waiting(struct reader *reader)
{
	feed.scopes[1].opens_with = WR_MORE;
	feed_reader(reader, 1, 3, RIG_UNLIMITED);
	feed.scopes[1].opens_with = WR_OK;
}

static void enter_waiting_without_cursor(struct reader *reader)
{
	feed.scopes[1].opens_with = WR_MORE;
	reader_open_at(reader, 1, WR_VIEW_NULL, RIG_UNLIMITED);
	feed.scopes[1].opens_with = WR_OK;
}

static void enter_resumed(struct reader *reader)
{
	enter_waiting(reader);
	wr_fanout_resume(rig.fanout, 1);
}

static void enter_ahead(struct reader *reader)
{
	feed_reader(reader, 1, 100, RIG_UNLIMITED);
}

static void enter_live(struct reader *reader)
{
	feed_append(1);
	feed_reader(reader, 1, FEED_PAST + 1, RIG_UNLIMITED);
}

static void live_with(struct reader *reader, uint64_t budget)
{
	enter_live(reader);
	reader_allow(reader, budget);
	feed_append(1);
	feed_append(1);
}

static void enter_live_between(struct reader *reader)
{
	live_with(reader, frame_bytes(FEED_PAST + 2));
}

static void enter_live_inside(struct reader *reader)
{
	live_with(reader, 30);
}

static void enter_stored_between(struct reader *reader)
{
	feed_append(1);
	feed_reader(reader, 1, 3, frame_bytes(4));
}

static void enter_stored_inside(struct reader *reader)
{
	feed_append(1);
	feed_reader(reader, 1, 3, 30);
}

static void enter_parked_between(struct reader *reader)
{
	feed.scopes[1].ready = 4;
	feed_append(1);
	feed_reader(reader, 1, 3, RIG_UNLIMITED);
}

static void enter_parked_inside(struct reader *reader)
{
	enter_stored_inside(reader);
	feed.scopes[1].ready = 0;
	rig.fanout->rendered->count = 0;
	reader_allow(reader, RIG_UNLIMITED);
}

static void enter_unparked(struct reader *reader)
{
	enter_parked_between(reader);
	reader_settle(reader);
	wr_fanout_resume(rig.fanout, 1);
}

static void enter_cut(struct reader *reader)
{
	enter_live_inside(reader);
	rig_turns(3);
	feed.scopes[1].evicted = FEED_PAST + 2;
	for (unsigned i = 0; i < 40; i++) {
		feed_append(1);
		rig_turn();
	}
}

/* A masked text frame "x". */
static void speak(const struct reader *reader)
{
	CHECK(sendto(reader->fd, "\x81\x81\0\0\0\0x", 7, 0, NULL, 0) == 7);
}

static void enter_ended(struct reader *reader)
{
	enter_live(reader);
	speak(reader);
}

static const struct stand {
	const char *label;
	void (*enter)(struct reader *);
	enum wr_subscription_state state;
	bool is_inside;
	bool is_at_once;      /* what it is in does not last a turn */
	uint64_t after, upto; /* what it has by then, whole frames; 0: none */
	bool is_served;	      /* in a drain it still gets all that comes next */
} stands[] = {
	{"waiting", enter_waiting, WR_SUBSCRIPTION_WAITING, false, false, 0, 0, false},
	{"waiting without cursor", enter_waiting_without_cursor, WR_SUBSCRIPTION_WAITING, false,
	 false, 0, 0, false},
	{"resumed", enter_resumed, WR_SUBSCRIPTION_WAITING, false, true, 0, 0, false},
	{"ahead", enter_ahead, WR_SUBSCRIPTION_AHEAD, false, false, 0, 0, false},
	{"live", enter_live, WR_SUBSCRIPTION_LIVE, false, false, 0, 0, false},
	{"live between", enter_live_between, WR_SUBSCRIPTION_LIVE, false, false, FEED_PAST + 1,
	 FEED_PAST + 2, true},
	{"live inside", enter_live_inside, WR_SUBSCRIPTION_LIVE, true, false, FEED_PAST + 1,
	 FEED_PAST + 1, true},
	{"stored between", enter_stored_between, WR_SUBSCRIPTION_STORED, false, false, 3, 4, true},
	{"stored inside", enter_stored_inside, WR_SUBSCRIPTION_STORED, true, false, 3, 3, true},
	{"parked between", enter_parked_between, WR_SUBSCRIPTION_PARKED, false, false, 3, 4, false},
	{"parked inside", enter_parked_inside, WR_SUBSCRIPTION_PARKED, true, false, 3, 3, false},
	{"unparked", enter_unparked, WR_SUBSCRIPTION_STORED, false, true, 3, 4, false},
	{"cut", enter_cut, WR_SUBSCRIPTION_CUT, true, false, FEED_PAST + 1, FEED_PAST + 1, true},
	{"ended", enter_ended, WR_SUBSCRIPTION_ENDED, false, false, 0, 0, false},
};

static void stand(const struct stand *stand, struct reader *reader)
{
	const struct wr_subscription *subscription;

	wr_test_case(stand->label);
	feed_begin();
	stand->enter(reader);
	if (!stand->is_at_once)
		reader_settle(reader);
	subscription = subscription_of_scope(1);
	CHECK_U64(subscription->state, stand->state);
	CHECK(subscription->is_inside == stand->is_inside);
	CHECK(feed.scopes[1].count == 1);
	if (stand->state == WR_SUBSCRIPTION_ENDED)
		check_news(reader, 0, WR_FEED_OBSERVATION_ONLY, WR_REJECTED, 0, 1008);
	else if (stand->is_inside)
		CHECK_U64(reader->bytes, 30);
	else
		CHECK_U64(check_story(reader, 0, stand->after, stand->upto), reader->bytes);
}

static void leave(struct reader *reader)
{
	reader_close(reader);
	rig_turns(5);
	CHECK(feed.scopes[1].count == 0);
	CHECK_U64(rig.fanout->saved.bytes, 0);
	feed_end();
}

/* ---- what may happen there ---- */

/* Memory of the stream goes at once, and the scope begins another story. */
static void replace_stream(void)
{
	struct wr_event_stream *stream = &feed.scopes[1].stream;

	CHECK(wr_list_is_empty(&stream->subscribers));
	wr_event_stream_deinit(stream, &feed.log);
	memset(stream, 0xa5, sizeof *stream);
	wr_event_stream_init(stream, 1);
}

static void end_it(const struct stand *where, bool is_of_all)
{
	struct reader reader;
	unsigned refused;

	stand(where, &reader);
	refused = feed.scopes[1].refused;
	if (is_of_all)
		wr_fanout_end_all(rig.fanout, WR_UNKNOWN);
	else
		wr_fanout_end(rig.fanout, 1, WR_UNKNOWN);
	replace_stream();
	reader_allow(&reader, RIG_UNLIMITED);
	reader_settle(&reader);
	CHECK(reader.is_reset == where->is_inside);
	if (where->state == WR_SUBSCRIPTION_ENDED) {
		check_news(&reader, 0, WR_FEED_OBSERVATION_ONLY, WR_REJECTED, 0, 1008);
		CHECK_U64(feed.scopes[1].refused, refused);
	} else if (where->is_inside) {
		CHECK_U64(reader.bytes, 30);
		CHECK_U64(feed.scopes[1].refused, refused);
	} else {
		check_news(&reader, check_story(&reader, 0, where->after, where->upto),
			   WR_FEED_ENDED, WR_UNKNOWN, 0, 1013);
		CHECK_U64(feed.scopes[1].refused, refused + 1);
	}
	wr_fanout_end_all(rig.fanout, WR_IO); /* once is enough */
	CHECK(feed.scopes[1].refused <= refused + 1);
	leave(&reader);
}

static void test_an_end_reaches_everybody_wherever_they_stand(void)
{
	for (size_t i = 0; i < WR_COUNT(stands); i++)
		for (unsigned is_of_all = 0; is_of_all <= 1; is_of_all++)
			end_it(&stands[i], is_of_all);
}

static void test_an_end_of_another_scope_reaches_nobody(void)
{
	for (size_t i = 0; i < WR_COUNT(stands); i++) {
		struct reader reader, other;
		size_t bytes;

		stand(&stands[i], &reader);
		bytes = reader.bytes;
		feed_reader(&other, 2, FEED_PAST, RIG_UNLIMITED);
		wr_fanout_end(rig.fanout, 2, WR_UNKNOWN);
		wr_fanout_end(rig.fanout, 1 + WR_WAITING_LISTS, WR_UNKNOWN);
		reader_settle(&other);
		check_news(&other, 0, WR_FEED_ENDED, WR_UNKNOWN, 0, 1013);
		reader_receive(&reader);
		CHECK(reader.bytes == bytes || stands[i].is_at_once);
		CHECK(!reader.is_reset &&
		      (subscription_of_scope(1)->state == stands[i].state || stands[i].is_at_once));
		reader_close(&other);
		leave(&reader);
	}
}

/* Whoever can be brought up to date is; whoever would have to wait for the feed is not kept. */
static void test_a_drain_reaches_everybody_wherever_they_stand(void)
{
	for (size_t i = 0; i < WR_COUNT(stands); i++) {
		const struct stand *where = &stands[i];
		struct reader reader;
		size_t at;

		stand(where, &reader);
		wr_fanout_drain(rig.fanout);
		reader_allow(&reader, RIG_UNLIMITED);
		reader_settle(&reader);
		if (where->state == WR_SUBSCRIPTION_ENDED) {
			check_news(&reader, 0, WR_FEED_OBSERVATION_ONLY, WR_REJECTED, 0, 1008);
		} else if (where->is_inside && !where->is_served) {
			CHECK(reader.is_reset);
			CHECK_U64(reader.bytes, 30);
		} else {
			at = check_story(&reader, 0, where->after,
					 where->is_served ? UINT64_MAX : where->upto);
			check_goodbye(&reader, at);
		}
		leave(&reader);
	}
}

/* One who comes, or must wait, while the fan-out drains is not kept either. */
static void test_nobody_begins_to_wait_in_a_drain(void)
{
	struct reader reader;

	feed_begin();
	wr_fanout_drain(rig.fanout);
	enter_waiting(&reader);
	reader_settle(&reader);
	check_goodbye(&reader, 0);
	reader_close(&reader);
	feed.scopes[1].ready = 4;
	feed_reader(&reader, 1, 3, RIG_UNLIMITED);
	reader_settle(&reader);
	check_goodbye(&reader, check_story(&reader, 0, 3, 4));
	leave(&reader);
}

static void test_who_speaks_is_refused_wherever_it_stands(void)
{
	for (size_t i = 0; i < WR_COUNT(stands); i++) {
		const struct stand *where = &stands[i];
		struct reader reader;

		if (where->is_at_once || where->state == WR_SUBSCRIPTION_ENDED)
			continue;
		stand(where, &reader);
		speak(&reader);
		rig_turns(2);
		reader_allow(&reader, RIG_UNLIMITED);
		reader_settle(&reader);
		CHECK(reader.is_reset == where->is_inside);
		if (where->is_inside)
			CHECK_U64(reader.bytes, 30);
		else
			check_news(&reader, check_story(&reader, 0, where->after, where->upto),
				   WR_FEED_OBSERVATION_ONLY, WR_REJECTED, 0, 1008);
		leave(&reader);
	}
}

/* A masked Close 1000, and then what would have come. */
static void test_who_closes_is_let_go_wherever_it_stands(void)
{
	for (size_t i = 0; i < WR_COUNT(stands); i++)
		for (unsigned then = 0; then < 4; then++) {
			struct reader reader;

			stand(&stands[i], &reader);
			CHECK(sendto(reader.fd, "\x88\x82\0\0\0\0\x03\xe8", 8, 0, NULL, 0) == 8);
			if (then == 1)
				rig_turns(2);
			if (then == 2)
				wr_fanout_end(rig.fanout, 1, WR_UNKNOWN);
			if (then == 3)
				wr_fanout_drain(rig.fanout);
			feed.scopes[1].ready = UINT64_MAX;
			wr_fanout_resume(rig.fanout, 1);
			feed_append(1);
			rig_turns(3);
			reader_allow(&reader, RIG_UNLIMITED);
			reader_settle(&reader);
			CHECK(reader.is_ended || reader.is_reset);
			leave(&reader);
		}
}

/* Its Close is answered as soon as the socket takes that, whatever we have to say meanwhile. */
static void test_an_end_does_not_disturb_who_closes_already(void)
{
	for (size_t i = 0; i < WR_COUNT(stands); i++)
		for (unsigned is_of_feed = 0; is_of_feed <= 1; is_of_feed++) {
			const struct stand *where = &stands[i];
			struct reader reader;
			size_t at;

			if (where->is_inside || where->is_at_once ||
			    where->state == WR_SUBSCRIPTION_ENDED)
				continue;
			stand(where, &reader);
			at = reader.bytes;
			reader_allow(&reader, 0);
			CHECK(sendto(reader.fd, "\x88\x82\0\0\0\0\x03\xe8", 8, 0, NULL, 0) == 8);
			rig_turns(3);
			if (is_of_feed) {
				feed.scopes[1].ready = UINT64_MAX;
				wr_fanout_resume(rig.fanout, 1);
				feed_append(1);
			} else {
				wr_fanout_end(rig.fanout, 1, WR_UNKNOWN);
				replace_stream();
			}
			rig_turns(3);
			reader_allow(&reader, RIG_UNLIMITED);
			reader_await_end(&reader);
			CHECK(reader.is_ended);
			CHECK_U64(frame_close_code(
					  frame_in(wr_view_of(reader.data, reader.bytes), at)),
				  1000);
			CHECK_U64(reader.bytes, at + 4);
			leave(&reader);
		}
}

static void test_who_vanishes_is_forgotten_wherever_it_stands(void)
{
	for (size_t i = 0; i < WR_COUNT(stands); i++) {
		struct reader reader;

		stand(&stands[i], &reader);
		reader_close(&reader);
		wr_fanout_resume(rig.fanout, 1);
		feed_append(1);
		rig_turns(5);
		CHECK_U64(wr_fanout_count(rig.fanout), 0);
		CHECK(feed.scopes[1].count == 0);
		feed_end();
	}
}

static void test_a_fanout_may_go_wherever_its_readers_stand(void)
{
	for (size_t i = 0; i < WR_COUNT(stands); i++) {
		struct reader reader;

		stand(&stands[i], &reader);
		feed_end(); /* counts */
		reader_close(&reader);
	}
}

/* Frames that were read for the old story are not sent as those of the new one. */
static void test_what_was_read_is_forgotten_with_an_end(void)
{
	struct reader reader, next;

	feed_begin();
	feed_append(1);
	feed_reader(&reader, 1, 3, RIG_UNLIMITED);
	reader_settle(&reader);
	wr_fanout_end(rig.fanout, 1, WR_UNKNOWN);
	feed.scopes[1].story[4] = 50; /* what was 5 is no more */
	feed.scopes[1].length = 4;
	wr_event_stream_deinit(&feed.scopes[1].stream, &feed.log);
	wr_event_stream_init(&feed.scopes[1].stream, 1);
	wr_event_stream_begin_at(&feed.scopes[1].stream, 4);
	feed_reader(&next, 1, 3, RIG_UNLIMITED);
	reader_settle(&next);
	CHECK_U64(check_story(&next, 0, 3, 4), next.bytes);
	CHECK_U64(next.bytes, frame_bytes(4));
	reader_close(&next);
	leave(&reader);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_an_end_reaches_everybody_wherever_they_stand, 60),
	WR_TEST_LIMIT(test_an_end_of_another_scope_reaches_nobody, 60),
	WR_TEST_LIMIT(test_a_drain_reaches_everybody_wherever_they_stand, 60),
	WR_TEST(test_nobody_begins_to_wait_in_a_drain),
	WR_TEST_LIMIT(test_who_speaks_is_refused_wherever_it_stands, 60),
	WR_TEST_LIMIT(test_who_closes_is_let_go_wherever_it_stands, 60),
	WR_TEST_LIMIT(test_an_end_does_not_disturb_who_closes_already, 60),
	WR_TEST_LIMIT(test_who_vanishes_is_forgotten_wherever_it_stands, 60),
	WR_TEST_LIMIT(test_a_fanout_may_go_wherever_its_readers_stand, 60),
	WR_TEST(test_what_was_read_is_forgotten_with_an_end),
	WR_TEST_END,
};
