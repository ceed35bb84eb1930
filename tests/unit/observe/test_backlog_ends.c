/* Goal: a stream that the store cannot go on with ends in a typed way, or, inside a frame, with a
 * reset; a drain and a reader's own words end it as they end any other. Method: sockets that take
 * what they are told, byte for byte; a store that gives up and damages records. */
#include "unit/observe/backlog.h"

static void expect_expiry(struct reader *reader, size_t at)
{
	struct wr_view all, diagnostic, close;
	struct wr_cursor oldest;

	reader_settle(reader);
	all = wr_view_of(reader->data, reader->bytes);
	diagnostic = frame_in(all, at);
	close = frame_in(all, at + diagnostic.bytes);
	CHECK(frame_has(diagnostic, "\"code\":\"runtime.cursor_expired\""));
	/* The oldest usable one, as of when it was said. */
	CHECK_STATUS(
		wr_cursor_parse(&oldest, wr_view_of(frame_cursor(diagnostic), WR_CURSOR_BYTES)),
		WR_OK);
	CHECK(oldest.worker == reader->worker && oldest.sequence != 0 &&
	      oldest.sequence <= wr_runtime_evicted(rig.runtime, reader->worker));
	CHECK_U64(frame_close_code(close), 1013);
	CHECK_U64(reader->bytes, at + diagnostic.bytes + close.bytes);
}

/* ---- what the store no longer has ---- */

static void test_what_the_store_gives_up_expires_between_frames(void)
{
	for (uint32_t worker = 0; worker <= 1; worker++) {
		struct reader reader;
		size_t index = 9, bytes;

		rig_prepare();
		begin();
		say(30, 30);
		bytes = witness_frame(&witnesses[worker], index + 1).bytes;
		/* The last frame it has is gone, the next is not: all is well. */
		reader_open(&reader, worker, cursor_behind(worker, index), bytes);
		reader_settle(&reader);
		CHECK_U64(reader.bytes, bytes);
		scripted_evict(&rig.store, witnesses[worker].frames[index + 1].sequence);
		reader_allow(&reader, bytes);
		reader_settle(&reader);
		CHECK_U64(reader.bytes, 2 * bytes);
		scripted_evict(&rig.store, witnesses[worker].frames[index + 3].sequence);
		reader_allow(&reader, RIG_UNLIMITED);
		expect_expiry(&reader, 2 * bytes);
		reader_close(&reader);
		end();
	}
}

static void test_what_the_store_gives_up_inside_a_frame_ends_with_a_reset(void)
{
	for (uint32_t worker = 0; worker <= 1; worker++) {
		struct reader reader;
		size_t index = 9, bytes;

		rig_prepare();
		begin();
		say(30, 30);
		bytes = witness_frame(&witnesses[worker], index + 1).bytes;
		reader_open(&reader, worker, cursor_behind(worker, index), bytes + 1);
		reader_settle(&reader);
		scripted_evict(&rig.store, witnesses[worker].frames[index + 1].sequence);
		reader_allow(&reader, 1); /* its own frame is still kept */
		reader_settle(&reader);
		CHECK_U64(reader.bytes, bytes + 2);
		scripted_evict(&rig.store, witnesses[worker].frames[index + 2].sequence);
		reader_allow(&reader, RIG_UNLIMITED);
		reader_await_end(&reader);
		CHECK(reader.is_reset);
		CHECK_U64(reader.bytes, bytes + 2);
		reader_close(&reader);
		end();
	}
}

/* Memory has more than the store: a frame is finished from there, then the typed end. */
static void test_an_overtaken_reader_without_its_record_is_cut_as_without_a_store(void)
{
	for (uint32_t worker = 0; worker <= 1; worker++) {
		struct reader reader;
		size_t index, bytes;

		rig_prepare();
		begin();
		say(1, 30);
		index = witnesses[worker].count;
		reader_open(&reader, worker, cursor_behind(worker, index - 1), 100);
		say(2, 30);
		reader_settle(&reader);
		scripted_evict(&rig.store, rig.store.count);
		say(20, 30);
		CHECK_U64(reader.bytes, 100);
		reader_allow(&reader, RIG_UNLIMITED);
		bytes = witness_frame(&witnesses[worker], index).bytes;
		expect_expiry(&reader, bytes);
		CHECK(memcmp(reader.data, witness_frame(&witnesses[worker], index).data, bytes) ==
		      0);
		reader_close(&reader);
		end();
	}
}

/* Its frame is gone from the store, and evicted in memory, where its chunk still is; the rest is
 * kept. It stays in its frame, and then goes on. */
static void test_an_evicted_frame_is_finished_from_memory_in_small_steps(void)
{
	struct reader reader;
	size_t index;

	rig_prepare();
	rig.config.retention.stream_events_max = 2;
	begin();
	say(1, 10);
	index = witnesses[1].count;
	reader_open(&reader, 1, cursor_behind(1, index - 1), 100);
	say(1, 10);
	reader_settle(&reader);
	for (unsigned i = 0; i < 3; i++)
		rig_say(1, 10);
	scripted_evict(&rig.store, witnesses[1].frames[index].sequence);
	look();
	for (unsigned i = 0; i < 20; i++) {
		reader_allow(&reader, 3);
		reader_settle(&reader);
		check_prefix(&reader, 0, &witnesses[1], index);
	}
	say(20, 10);
	reader_allow(&reader, RIG_UNLIMITED);
	reader_await(&reader, witness_from(&witnesses[1], index).bytes);
	check_all(&reader, index);
	reader_close(&reader);
	end();
}

static void test_without_a_store_an_overtaken_reader_is_cut(void)
{
	for (uint32_t worker = 0; worker <= 1; worker++)
		for (size_t cut = 0; cut < 400; cut += 7) {
			struct reader reader;
			size_t index, bytes;

			rig_prepare();
			rig.has_store = false;
			begin();
			say(1, 30);
			index = witnesses[worker].count;
			reader_open(&reader, worker, cursor_behind(worker, index - 1), cut);
			rig_say(1, 30);
			rig_say(1, 30);
			look();
			reader_settle(&reader);
			say(20, 30);
			reader_allow(&reader, RIG_UNLIMITED);
			bytes = witness_frame(&witnesses[worker], index).bytes;
			expect_expiry(&reader, (cut + bytes - 1) / bytes * bytes);
			check_prefix(&(struct reader){.data = reader.data,
						      .bytes = (cut + bytes - 1) / bytes * bytes},
				     0, &witnesses[worker], index);
			reader_close(&reader);
			end();
		}
}

/* ---- what the store cannot read ---- */

static void test_damage_between_frames_is_told(void)
{
	static const struct {
		enum wr_status mood;
		const char *code;
	} cases[] = {
		{WR_CORRUPT, "\"code\":\"runtime.store_corrupt\""},
		{WR_IO, "\"code\":\"runtime.store_io\""},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++)
		for (uint32_t worker = 0; worker <= 1; worker++) {
			struct reader reader;
			struct wr_view all, diagnostic, close;
			size_t index = 9, bytes;
			uint64_t sequence;

			wr_test_case(cases[i].code);
			rig_prepare();
			begin();
			say(30, 30);
			sequence = witnesses[worker].frames[index + 4].sequence;
			rig.store.records[sequence - 1].mood = cases[i].mood;
			reader_open(&reader, worker, cursor_behind(worker, index), RIG_UNLIMITED);
			reader_settle(&reader);
			/* What is sound comes first. */
			bytes = witness_from(&witnesses[worker], index + 1).bytes -
				witness_from(&witnesses[worker], index + 4).bytes;
			all = wr_view_of(reader.data, reader.bytes);
			diagnostic = frame_in(all, bytes);
			close = frame_in(all, bytes + diagnostic.bytes);
			CHECK(frame_has(diagnostic, cases[i].code));
			CHECK_U64(frame_close_code(close), 1011);
			CHECK_U64(reader.bytes, bytes + diagnostic.bytes + close.bytes);
			reader.bytes = bytes;
			check_prefix(&reader, 0, &witnesses[worker], index + 1);
			reader_close(&reader);
			end();
		}
}

static void test_damage_inside_a_frame_ends_with_a_reset(void)
{
	for (uint32_t worker = 0; worker <= 1; worker++) {
		struct reader reader;
		uint64_t sequence;

		rig_prepare();
		begin();
		say(30, 30);
		reader_open(&reader, worker, cursor_behind(worker, 5), 50);
		reader_settle(&reader);
		sequence = witnesses[worker].frames[6].sequence;
		rig.store.records[sequence - 1].mood = WR_CORRUPT;
		rig.fanout->rendered->count = 0; /* nobody remembers it */
		reader_allow(&reader, RIG_UNLIMITED);
		reader_await_end(&reader);
		CHECK(reader.is_reset);
		CHECK_U64(reader.bytes, 50);
		reader_close(&reader);
		end();
	}
}

/* ---- ends ---- */

static void test_a_drain_waits_for_the_backlog(void)
{
	for (uint32_t worker = 0; worker <= 1; worker++) {
		struct reader reader;
		struct wr_view close;
		size_t bytes;

		rig_prepare();
		begin();
		say(30, 1000);
		reader_open(&reader, worker, cursor_behind(worker, 2), 1500);
		reader_settle(&reader);
		wr_fanout_drain(rig.fanout);
		reader_settle(&reader);
		CHECK_U64(reader.bytes, 1500);
		reader_allow(&reader, RIG_UNLIMITED);
		reader_settle(&reader);
		bytes = witness_from(&witnesses[worker], 3).bytes;
		close = frame_in(wr_view_of(reader.data, reader.bytes), bytes);
		CHECK_U64(frame_close_code(close), 1001);
		CHECK_U64(reader.bytes, bytes + close.bytes);
		reader.bytes = bytes;
		check_all(&reader, 3);
		reader_close(&reader);
		end();
	}
}

/* A masked text frame "x". */
static void speak(struct reader *reader)
{
	CHECK(sendto(reader->fd, "\x81\x81\0\0\0\0x", 7, 0, NULL, 0) == 7);
}

static void test_a_reader_that_speaks_is_refused_wherever_it_stands(void)
{
	for (uint32_t worker = 0; worker <= 1; worker++) {
		struct reader reader;
		struct wr_view all, diagnostic;
		size_t bytes;

		rig_prepare();
		begin();
		say(30, 30);
		bytes = witness_frame(&witnesses[worker], 3).bytes;
		reader_open(&reader, worker, cursor_behind(worker, 2), bytes);
		reader_settle(&reader);
		speak(&reader);
		reader_allow(&reader, RIG_UNLIMITED);
		reader_settle(&reader);
		all = wr_view_of(reader.data, reader.bytes);
		if (!frame_has(all, "runtime.observation_only"))
			check_prefix(&reader, 0, &witnesses[worker], 3);
		diagnostic = frame_in(all, bytes);
		CHECK(frame_has(diagnostic, "runtime.observation_only"));
		CHECK_U64(frame_close_code(frame_in(all, bytes + diagnostic.bytes)), 1008);
		reader_close(&reader);
		reader_open(&reader, worker, cursor_behind(worker, 2), bytes + 9);
		reader_settle(&reader);
		speak(&reader);
		reader_await_end(&reader);
		CHECK(reader.is_reset);
		reader_close(&reader);
		end();
	}
}

static void test_readers_may_go_at_any_moment(void)
{
	rig_prepare();
	begin();
	say(30, 1000);
	for (uint32_t worker = 0; worker <= 1; worker++)
		for (uint64_t budget = 0; budget < 4000; budget += 250) {
			struct reader reader;

			reader_open(&reader, worker, cursor_behind(worker, 2), budget);
			reader_close(&reader);
			rig_turns(2);
		}
	rig_turns(5);
	CHECK_U64(wr_fanout_count(rig.fanout), 2);
	end();
}

/* The n-th allocation fails: one reader may go for it, nothing else. */
static void test_exhaustion_ends_no_more_than_the_reader(void)
{
	for (uint32_t worker = 0; worker <= 1; worker++)
		for (uint64_t n = 1;; n++) {
			struct reader reader;
			bool has_failed;

			rig_prepare();
			begin();
			say(20, 30);
			reader_open(&reader, worker, cursor_behind(worker, 2), 0);
			reader_settle(&reader);
			wr_rendered_shrink(wr_flow_rendered(rig.fanout));
			wr_test_fail_allocation(n, true);
			reader_allow(&reader, RIG_UNLIMITED);
			reader_settle(&reader);
			has_failed = wr_test_allocation_failed();
			wr_test_fail_allocation(0, false);
			reader_settle(&reader);
			check_prefix(&reader, 0, &witnesses[worker], 3);
			if (!reader.is_reset)
				check_all(&reader, 3);
			say(3, 30);
			CHECK_U64(witnesses[worker].count, 23);
			reader_close(&reader);
			end();
			if (!has_failed)
				break;
		}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_what_the_store_gives_up_expires_between_frames),
	WR_TEST(test_what_the_store_gives_up_inside_a_frame_ends_with_a_reset),
	WR_TEST(test_an_overtaken_reader_without_its_record_is_cut_as_without_a_store),
	WR_TEST(test_an_evicted_frame_is_finished_from_memory_in_small_steps),
	WR_TEST_LIMIT(test_without_a_store_an_overtaken_reader_is_cut, 60),
	WR_TEST(test_damage_between_frames_is_told),
	WR_TEST(test_damage_inside_a_frame_ends_with_a_reset),
	WR_TEST(test_a_drain_waits_for_the_backlog),
	WR_TEST(test_a_reader_that_speaks_is_refused_wherever_it_stands),
	WR_TEST(test_readers_may_go_at_any_moment),
	WR_TEST_LIMIT(test_exhaustion_ends_no_more_than_the_reader, 60),
	WR_TEST_END,
};
