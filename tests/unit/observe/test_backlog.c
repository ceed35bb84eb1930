/* Goal: a reader behind memory gets what the store has, whole, in order, once, and then what comes,
 * wherever its socket cut it; it costs nothing while it stalls, and nobody starves. Method: sockets
 * that take what they are told, byte for byte; all bytes against those of a witness. */
#include "unit/observe/backlog.h"

static bool is_backlogged(const struct reader *reader)
{
	return reader->bytes < witness_from(&witnesses[reader->worker], 0).bytes;
}

static void test_an_old_cursor_is_served_from_the_store(void)
{
	rig_prepare();
	begin();
	say(50, 100);
	for (uint32_t worker = 0; worker <= 1; worker++)
		for (size_t index = 0; index < 50; index++) {
			struct reader reader;

			CHECK(wr_runtime_worker_events(rig.runtime, 1)->count <= 5);
			reader_open(&reader, worker, cursor_behind(worker, index), RIG_UNLIMITED);
			reader_settle(&reader);
			check_all(&reader, index + 1);
			reader_close(&reader);
		}
	end();
}

/* A budget that ends at each byte of two frames and a bit; what follows comes byte for byte, too,
 * with news in between. */
static void cut_everywhere(uint32_t worker, size_t step)
{
	const size_t index = 2;
	size_t bytes, cut;

	rig_prepare();
	begin();
	say(8, 30);
	bytes = witness_frame(&witnesses[worker], index + 1).bytes +
		witness_frame(&witnesses[worker], index + 2).bytes + 3;
	for (cut = 0; cut <= bytes; cut += step) {
		struct reader reader;

		reader_open(&reader, worker, cursor_behind(worker, index), cut);
		reader_settle(&reader);
		CHECK_U64(reader.bytes, cut);
		if (cut % 8 == 0)
			say(1, 20 + cut % 50);
		reader_allow(&reader, 7);
		reader_settle(&reader);
		CHECK_U64(reader.bytes, cut + 7);
		reader_allow(&reader, RIG_UNLIMITED);
		reader_await(&reader, witness_from(&witnesses[worker], index + 1).bytes);
		check_all(&reader, index + 1);
		reader_close(&reader);
	}
	end();
}

static void test_cuts_at_every_byte_of_a_workers_backlog(void)
{
	cut_everywhere(1, 1);
}

static void test_cuts_at_every_byte_of_the_runtime_wide_backlog(void)
{
	cut_everywhere(0, 1);
}

/* A reader of what is in memory stops at each byte; memory goes on without it. */
static void overtake_everywhere(uint32_t worker)
{
	size_t index, bytes, cut = 0;

	rig_prepare();
	begin();
	say(1, 30);
	do {
		struct reader reader;

		index = witnesses[worker].count;
		reader_open(&reader, worker, cursor_behind(worker, index - 1), cut);
		reader_settle(&reader);
		rig_say(1, 30);
		rig_say(1, 40);
		look();
		reader_settle(&reader);
		bytes = witness_from(&witnesses[worker], index).bytes;
		CHECK_U64(reader.bytes, cut < bytes ? cut : bytes);
		say(12, 50); /* far beyond what memory keeps */
		CHECK(!reader.is_ended && !reader.is_reset);
		reader_allow(&reader, RIG_UNLIMITED);
		reader_await(&reader, witness_from(&witnesses[worker], index).bytes);
		check_all(&reader, index);
		say(2, 10); /* live again */
		reader_settle(&reader);
		check_all(&reader, index);
		reader_close(&reader);
	} while (cut++ <= bytes);
	end();
}

static void test_a_worker_reader_overtaken_anywhere_goes_on_from_the_store(void)
{
	overtake_everywhere(1);
}

static void test_a_runtime_reader_overtaken_anywhere_goes_on_from_the_store(void)
{
	overtake_everywhere(0);
}

/* The chunk in which a reader stands is still there, but its frame is evicted. */
static void test_an_evicted_frame_in_a_living_chunk_is_finished(void)
{
	for (uint32_t worker = 0; worker <= 1; worker++) {
		struct reader reader;
		size_t index;

		rig_prepare();
		rig.config.retention.stream_events_max = 2;
		begin();
		say(1, 10);
		index = witnesses[worker].count;
		reader_open(&reader, worker, cursor_behind(worker, index - 1), 100);
		say(4, 10);
		reader_settle(&reader);
		CHECK_U64(reader.bytes, 100);
		reader_allow(&reader, RIG_UNLIMITED);
		reader_settle(&reader);
		check_all(&reader, index);
		reader_close(&reader);
		end();
	}
}

static void test_a_reader_catches_up_while_news_arrive(void)
{
	for (uint32_t worker = 0; worker <= 1; worker++) {
		struct reader reader;

		rig_prepare();
		begin();
		for (unsigned i = 0; i < 300; i++)
			say(1, 1 + i * 7 % 900);
		reader_open(&reader, worker, cursor_behind(worker, 0), 0);
		for (unsigned i = 0; i < 2000 && is_backlogged(&reader); i++) {
			reader_allow(&reader, i * 37 % 2000);
			say(i % 3 == 0, 1 + i % 500);
			reader_receive(&reader);
			check_prefix(&reader, 0, &witnesses[worker], 1);
		}
		reader_allow(&reader, RIG_UNLIMITED);
		reader_settle(&reader);
		check_all(&reader, 1);
		reader_close(&reader);
		end();
	}
}

/* Frames beyond 64 KiB each, and many in one send. */
static void test_large_frames_come_whole(void)
{
	for (uint32_t worker = 0; worker <= 1; worker++) {
		struct reader reader;

		rig_prepare();
		begin();
		for (unsigned i = 0; i < 12; i++)
			say(1, i % 2 == 0 ? 200000 : 10);
		reader_open(&reader, worker, cursor_behind(worker, 0), 150000);
		reader_settle(&reader);
		for (unsigned i = 0; i < 40; i++) {
			reader_allow(&reader, 65537);
			reader_settle(&reader);
		}
		check_all(&reader, 1);
		CHECK(rig.fanout->rendered->bytes.capacity <= 2 * WR_RENDERED_BYTES);
		reader_close(&reader);
		end();
	}
}

/* Frames from the store lie in the shared buffer, up to the newest; a reader of memory comes. */
static void test_readers_of_memory_and_store_do_not_mix(void)
{
	struct reader old, live;
	size_t index;

	rig_prepare();
	begin();
	say(30, 30);
	reader_open(&old, 0, cursor_behind(0, 2), 100);
	reader_settle(&old);
	index = witnesses[0].count - 2;
	reader_open(&live, 0, cursor_behind(0, index - 1), 50);
	reader_settle(&live);
	CHECK_U64(live.bytes, 50);
	reader_allow(&live, RIG_UNLIMITED);
	reader_settle(&live);
	check_all(&live, index);
	reader_allow(&old, RIG_UNLIMITED);
	reader_settle(&old);
	check_all(&old, 3);
	reader_close(&old);
	reader_close(&live);
	end();
}

/* ---- many ---- */

static void test_all_together_take_their_share_of_a_turn_and_nobody_starves(void)
{
	enum { READERS = 12 };
	struct reader readers[READERS];
	size_t bytes;
	uint64_t turns = 0;

	rig_prepare();
	begin();
	for (unsigned i = 0; i < 400; i++)
		say(1, 10000);
	bytes = witness_from(&witnesses[1], 1).bytes;
	for (unsigned i = 0; i < READERS; i++)
		reader_open(&readers[i], 1, cursor_behind(1, 0), 0);
	for (unsigned i = 0; i < READERS; i++)
		reader_allow(&readers[i], RIG_UNLIMITED);
	for (bool is_done = false; !is_done;) {
		uint64_t sum = 0;

		is_done = true;
		turns++;
		rig_turn();
		for (unsigned i = 0; i < READERS; i++) {
			/* What was sent arrives in this turn, or on a busy machine in a later one.
			 */
			reader_receive(&readers[i]);
			sum += readers[i].bytes;
			CHECK(readers[i].bytes <= turns * WR_SUBSCRIBER_TURN_BYTES_MAX);
			is_done = is_done && readers[i].bytes == bytes;
		}
		CHECK(sum <= turns * (WR_SUBSCRIBER_TURN_BYTES_MAX + WR_RENDERED_BYTES + 20000));
		for (unsigned i = 1; i < READERS; i++) /* side by side */
			CHECK(readers[i].bytes + 3 * (WR_RENDERED_BYTES + 20000) >
			      readers[0].bytes);
		CHECK(turns < 10000);
	}
	for (unsigned i = 0; i < READERS; i++) {
		check_all(&readers[i], 1);
		reader_close(&readers[i]);
	}
	/* Those who stand at the same place share what was read. */
	CHECK(rig.store.read_count < READERS * 400 / 2);
	end();
}

static void raise_descriptor_limit(rlim_t count)
{
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	if (limit.rlim_max < count)
		wr_test_skip("too few descriptors");
	limit.rlim_cur = count;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void test_a_thousand_stalled_readers_cost_nothing(void)
{
	enum { READERS = 1000, LARGE = 10000, COUNT = 1000 };
	static struct reader readers[READERS];
	size_t idle_bytes;

	raise_descriptor_limit(2 * READERS + 64);
	rig_prepare();
	rig.config.retention.stream_bytes_max = 32768;
	rig.config.worker_transcript_bytes_max = 16384;
	begin();
	say(40, 1000);
	for (unsigned i = 0; i < READERS; i++)
		reader_open(&readers[i], i % 2, cursor_behind(i % 2, witnesses[i % 2].count - 1),
			    10 + i);
	/* The buffers that readers behind share, whatever their number. */
	CHECK(wr_flow_rendered(rig.fanout) != NULL);
	CHECK(wr_buf_reserve(&rig.fanout->rendered->bytes, 2 * WR_RENDERED_BYTES) != NULL);
	idle_bytes = wr_test_allocator()->used;
	for (unsigned i = 0; i < COUNT; i++) {
		rig_say(1, LARGE);
		rig_turn();
		witness_look(&witnesses[0]);
		witness_look(&witnesses[1]);
	}
	for (unsigned i = 0; i < 40; i++)
		say(1, 1000); /* memory is as before */
	CHECK(wr_test_allocator()->used < idle_bytes + 65536);
	CHECK_U64(wr_fanout_count(rig.fanout), READERS + 2);
	for (unsigned i = 0; i < READERS; i += 97) {
		size_t index = witnesses[i % 2].count - 40 - COUNT;

		reader_allow(&readers[i], RIG_UNLIMITED);
		reader_await(&readers[i], witness_from(&witnesses[i % 2], index).bytes);
		check_all(&readers[i], index);
	}
	for (unsigned i = 0; i < READERS; i++)
		reader_close(&readers[i]);
	end();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_an_old_cursor_is_served_from_the_store),
	WR_TEST_LIMIT(test_cuts_at_every_byte_of_a_workers_backlog, 60),
	WR_TEST_LIMIT(test_cuts_at_every_byte_of_the_runtime_wide_backlog, 60),
	WR_TEST_LIMIT(test_a_worker_reader_overtaken_anywhere_goes_on_from_the_store, 60),
	WR_TEST_LIMIT(test_a_runtime_reader_overtaken_anywhere_goes_on_from_the_store, 60),
	WR_TEST(test_an_evicted_frame_in_a_living_chunk_is_finished),
	WR_TEST_LIMIT(test_a_reader_catches_up_while_news_arrive, 60),
	WR_TEST_LIMIT(test_large_frames_come_whole, 60),
	WR_TEST(test_readers_of_memory_and_store_do_not_mix),
	WR_TEST_LIMIT(test_all_together_take_their_share_of_a_turn_and_nobody_starves, 60),
	WR_TEST_LIMIT(test_a_thousand_stalled_readers_cost_nothing, 120),
	WR_TEST_END,
};
