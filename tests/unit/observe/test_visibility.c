/* Goal: nothing leaves before it is visible, and everything leaves when it is, in order and once,
 * on both kinds of stream; a fresh stream's snapshot is as of its watermark. Method: a store that
 * shows records when it is told; readers' bytes against the frames in the log's memory. */
#include "unit/observe/reader.h"

static struct witness worker_witness, runtime_witness;

static void begin(void)
{
	rig_prepare();
	rig_open();
	rig_create();
	rig_turn();
	witness_open(&worker_witness, 1);
	witness_open(&runtime_witness, 0);
}

static void end(void)
{
	witness_close(&worker_witness);
	witness_close(&runtime_witness);
	rig_close();
}

static void look(void)
{
	rig_turns(3);
	witness_look(&worker_witness);
	witness_look(&runtime_witness);
}

static void hold(void)
{
	rig.store.is_held = true;
	scripted_show(&rig.store);
}

static void test_what_is_held_back_does_not_leave(void)
{
	uint64_t shown;

	begin();
	rig_say(1, 10);
	look();
	CHECK_U64(worker_witness.count, 1);
	hold();
	shown = rig.store.shown;
	for (unsigned i = 0; i < 12; i++)
		rig_say(1, 100);
	look();
	CHECK_U64(worker_witness.count, 1);
	CHECK_U64(runtime_witness.count, 1);
	CHECK_U64(worker_witness.reader.bytes, worker_witness.seen); /* not a byte */
	CHECK_U64(runtime_witness.reader.bytes, runtime_witness.seen);
	for (unsigned i = 1; i <= 12; i++) {
		rig.store.shown = shown + i;
		look();
		CHECK_U64(worker_witness.count, 1 + i);
		CHECK_U64(runtime_witness.count, 1 + i);
		CHECK_U64(worker_witness.frames[i].sequence, shown + i);
		CHECK_U64(runtime_witness.frames[i].sequence, shown + i);
		CHECK_U64(worker_witness.reader.bytes, worker_witness.seen);
		CHECK_U64(runtime_witness.reader.bytes, runtime_witness.seen);
	}
	end();
}

/* Two Workers, records of both in turn: each stream moves when its own are shown. */
static void test_streams_move_on_by_themselves(void)
{
	struct witness second;
	uint64_t shown;

	begin();
	rig_create();
	look();
	witness_open(&second, 2);
	hold();
	shown = rig.store.shown;
	for (unsigned i = 0; i < 8; i++)
		rig_say(1 + i % 2, 50);
	for (unsigned i = 1; i <= 8; i++) {
		rig.store.shown = shown + i;
		look();
		witness_look(&second);
		CHECK_U64(worker_witness.count, (i + 1) / 2);
		CHECK_U64(second.count, i / 2);
		CHECK_U64(runtime_witness.count, 1 + i); /* the creation, too */
	}
	witness_close(&second);
	end();
}

/* More is held back than memory may keep: none of it goes before it was shown. */
static void test_retention_waits_for_what_is_held_back(void)
{
	begin();
	hold();
	for (unsigned i = 0; i < 100; i++)
		rig_say(1, 100);
	look();
	CHECK_U64(worker_witness.count, 0);
	scripted_show(&rig.store);
	look();
	CHECK_U64(worker_witness.count, 100);
	CHECK_U64(runtime_witness.count, 100);
	CHECK(wr_runtime_worker_events(rig.runtime, 1)->count <= 5);
	end();
}

/* The watermark is what is visible; the rest comes as events. */
static void test_a_fresh_stream_begins_at_what_is_visible(void)
{
	for (uint32_t worker = 0; worker <= 1; worker++) {
		struct reader reader;
		struct wr_view snapshot;
		char cursor[WR_CURSOR_BYTES];

		begin();
		rig_say(1, 10);
		look();
		hold();
		for (unsigned i = 0; i < 3; i++)
			rig_say(1, 20);
		look();
		reader_open(&reader, worker, NULL, RIG_UNLIMITED);
		reader_settle(&reader);
		snapshot = frame_in(wr_view_of(reader.data, reader.bytes), 0);
		CHECK_U64(snapshot.bytes, reader.bytes);
		CHECK(frame_has(snapshot, "snapshot"));
		wr_runtime_cursor(rig.runtime, worker, rig.store.shown, cursor);
		CHECK(memcmp(frame_cursor(snapshot), cursor, sizeof cursor) == 0);
		if (worker == 1) {
			CHECK(frame_has(snapshot, "\"content\":\"cccccccccc\""));
			CHECK(!frame_has(snapshot, "dddddddddd"));
			CHECK(frame_has(snapshot, "\"entries_truncated\":false"));
		} else {
			CHECK(frame_has(snapshot, "\"transcript_len\":1") ||
			      !frame_has(snapshot, "transcript_len"));
		}
		scripted_show(&rig.store);
		look();
		reader_settle(&reader);
		check_prefix(&reader, snapshot.bytes,
			     worker == 0 ? &runtime_witness : &worker_witness, 1);
		CHECK_U64(reader.bytes - snapshot.bytes,
			  witness_from(worker == 0 ? &runtime_witness : &worker_witness, 1).bytes);
		reader_close(&reader);
		end();
	}
}

/* Whoever is ahead of memory's news, because the store showed it more, is not sent it twice. */
static void test_a_cursor_at_what_is_visible_repeats_nothing(void)
{
	struct reader reader;

	begin();
	hold();
	for (unsigned i = 0; i < 3; i++)
		rig_say(1, 20);
	rig.store.shown++;
	look();
	reader_open(&reader, 1, frame_cursor(witness_frame(&worker_witness, 0)), RIG_UNLIMITED);
	reader_settle(&reader);
	CHECK_U64(reader.bytes, 0);
	scripted_show(&rig.store);
	look();
	reader_settle(&reader);
	check_prefix(&reader, 0, &worker_witness, 1);
	CHECK_U64(reader.bytes, witness_from(&worker_witness, 1).bytes);
	reader_close(&reader);
	end();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_what_is_held_back_does_not_leave),
	WR_TEST(test_streams_move_on_by_themselves),
	WR_TEST(test_retention_waits_for_what_is_held_back),
	WR_TEST(test_a_fresh_stream_begins_at_what_is_visible),
	WR_TEST(test_a_cursor_at_what_is_visible_repeats_nothing),
	WR_TEST_END,
};
