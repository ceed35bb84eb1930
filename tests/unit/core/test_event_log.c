/* Goal: positions never move, reading gives exactly the bytes that were appended, retention takes
 * the oldest of whoever has most, and `evicted` is exact. Method: edges by hand, then random runs
 * against plain arrays that keep everything; the byte at a position is a function of stream and
 * position, so every read can be checked anywhere. */
#include "core/event_log.h"
#include "harness/harness.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>

enum { STREAM_COUNT = 6, FRAME_OVERHEAD = 16 + sizeof(struct wr_order_entry) };

static char byte_at(uint32_t worker, uint64_t position)
{
	return (char)(position * 131 + (position >> 7) * 31 + worker * 17);
}

static const char *frame_bytes(uint32_t worker, uint64_t position, size_t bytes)
{
	static char out[300000];

	CHECK(bytes <= sizeof out);
	for (size_t i = 0; i < bytes; i++)
		out[i] = byte_at(worker, position + i);
	return out;
}

static void check_bytes(uint32_t worker, uint64_t position, struct wr_view bytes)
{
	for (size_t i = 0; i < bytes.bytes; i++)
		if (bytes.data[i] != byte_at(worker, position + i))
			CHECK_U64(position + i, UINT64_MAX); /* shows where */
}

/* ---- the naive log: every frame ever, in arrays ---- */

struct model_frame {
	uint64_t sequence, begin, end;
	bool is_runtime_wide, is_gone;
};

struct model_stream {
	struct model_frame *frames;
	size_t count, first, capacity;
	uint64_t end, released;
};

struct model {
	struct wr_event_log log;
	struct wr_event_stream workers[STREAM_COUNT]; /* [0] is not used: the log's own */
	struct model_stream streams[STREAM_COUNT];
	uint64_t sequence, shown; /* head, and visible end */
};

static struct wr_event_stream *stream_of(struct model *self, uint32_t worker)
{
	return worker == 0 ? &self->log.runtime : &self->workers[worker];
}

/* The memory below `position` goes next: all of it must be evicted, and still be there. */
static void on_release(void *context, struct wr_event_stream *stream, uint64_t position)
{
	struct model *self = context;
	struct model_stream *model = &self->streams[stream->worker];
	static char copy[400000];

	CHECK(position <= stream->begin && position > model->released);
	CHECK(position - model->released <= sizeof copy);
	wr_event_stream_copy(stream, copy, model->released, position);
	check_bytes(stream->worker, model->released,
		    wr_view_of(copy, (size_t)(position - model->released)));
	model->released = position;
}

static void model_init(struct model *self, const struct wr_retention *retention)
{
	memset(self, 0, sizeof *self);
	wr_event_log_init(&self->log, wr_test_allocator(), retention);
	self->log.observer = (struct wr_observer){.context = self, .on_release = on_release};
	for (uint32_t worker = 1; worker < STREAM_COUNT; worker++)
		wr_event_stream_init(&self->workers[worker], worker);
}

static void model_deinit(struct model *self)
{
	for (uint32_t worker = 1; worker < STREAM_COUNT; worker++)
		wr_event_stream_deinit(&self->workers[worker], &self->log);
	wr_event_log_deinit(&self->log);
	for (uint32_t worker = 0; worker < STREAM_COUNT; worker++)
		free(self->streams[worker].frames);
}

static struct wr_frame make_frame(struct model *self, uint32_t worker, size_t bytes, bool is_wide)
{
	struct wr_event_stream *stream = stream_of(self, worker);

	return (struct wr_frame){stream, wr_view_of(frame_bytes(worker, stream->end, bytes), bytes),
				 is_wide};
}

static void model_add(struct model *self, uint32_t worker, size_t bytes, bool is_wide)
{
	struct model_stream *model = &self->streams[worker];

	if (model->count == model->capacity) {
		model->capacity = model->capacity == 0 ? 64 : model->capacity * 2;
		model->frames = realloc(model->frames, model->capacity * sizeof model->frames[0]);
		CHECK(model->frames != NULL);
	}
	model->frames[model->count++] = (struct model_frame){self->sequence, model->end,
							     model->end + bytes, is_wide, false};
	model->end += bytes;
}

static void append(struct model *self, uint32_t worker, size_t bytes, bool is_wide)
{
	struct wr_frame frame = make_frame(self, worker, bytes, is_wide);

	CHECK_STATUS(wr_event_log_reserve(&self->log, &frame, 1), WR_OK);
	if (!self->log.is_shown_late)
		self->shown = self->sequence + 1;
	/* What is reserved needs no memory any more. */
	wr_test_fail_allocation(1, true);
	wr_event_log_append(&self->log, ++self->sequence, &frame, 1);
	CHECK(!wr_test_allocation_failed());
	wr_test_fail_allocation(0, false);
	model_add(self, worker, bytes, is_wide);
}

static void reserve_only(struct model *self, uint32_t worker, size_t bytes)
{
	struct wr_frame frame = make_frame(self, worker, bytes, true);

	CHECK_STATUS(wr_event_log_reserve(&self->log, &frame, 1), WR_OK);
}

static uint64_t frame_cost(const struct model_frame *frame)
{
	return frame->end - frame->begin + FRAME_OVERHEAD;
}

/* Marks in the model what a trim took; the oldest must have gone first, the newest never. */
static void follow_evictions(struct model *self, uint32_t worker)
{
	const struct wr_event_stream *stream = stream_of(self, worker);
	struct model_stream *model = &self->streams[worker];

	while (model->first < model->count &&
	       model->frames[model->first].sequence <= stream->evicted)
		model->frames[model->first++].is_gone = true;
	CHECK_U64(stream->evicted,
		  model->first == 0 ? 0 : model->frames[model->first - 1].sequence);
	CHECK(model->count == 0 || model->first < model->count);
}

static void check_stream(struct model *self, uint32_t worker)
{
	const struct wr_event_stream *stream = stream_of(self, worker);
	const struct model_stream *model = &self->streams[worker];
	uint64_t bytes = 0;

	for (size_t i = model->first; i < model->count; i++)
		bytes += frame_cost(&model->frames[i]);
	CHECK_U64(stream->bytes, bytes);
	CHECK_U64(stream->count, model->count - model->first);
	CHECK_U64(stream->end, model->end);
	CHECK_U64(stream->begin, model->count == 0 ? 0 : model->frames[model->first].begin);
	CHECK_U64(stream->last_sequence,
		  model->count == 0 ? 0 : model->frames[model->count - 1].sequence);
	for (size_t i = model->count; i-- > 0;)
		if (model->frames[i].sequence <= self->shown) {
			CHECK_U64(stream->shown, model->frames[i].end);
			return;
		}
	CHECK_U64(stream->shown, 0);
}

/* Over a store, what is not yet shown is not given up; nor is ever the newest. */
static bool has_something_to_give(const struct wr_event_stream *stream)
{
	return stream->count > 1 && stream->begin < stream->shown;
}

/* Trims, and checks the rule of retention from what is left. */
static void trim(struct model *self)
{
	const struct wr_retention *limits = &self->log.retention;
	uint64_t bytes = 0, count = 0, evicted = 0, lost[STREAM_COUNT];
	bool can_give = false;

	/* Giving up events never needs memory. */
	wr_test_fail_allocation(1, true);
	wr_event_log_trim(&self->log);
	CHECK(!wr_test_allocation_failed());
	wr_test_fail_allocation(0, false);
	for (uint32_t worker = 0; worker < STREAM_COUNT; worker++) {
		const struct wr_event_stream *stream = stream_of(self, worker);
		const struct model_stream *model = &self->streams[worker];
		size_t first = model->first;

		follow_evictions(self, worker);
		check_stream(self, worker);
		CHECK(stream->evicted <= self->shown);
		CHECK(!has_something_to_give(stream) ||
		      (stream->count <= limits->stream_events_max &&
		       stream->bytes <= limits->stream_bytes_max));
		lost[worker] =
			model->first == first ? 0 : frame_cost(&model->frames[model->first - 1]);
		bytes += stream->bytes;
		count += stream->count;
		can_give |= has_something_to_give(stream);
		for (size_t i = 0; i < model->first; i++)
			if (model->frames[i].is_runtime_wide && model->frames[i].sequence > evicted)
				evicted = model->frames[i].sequence;
	}
	CHECK_U64(self->log.bytes, bytes);
	CHECK_U64(self->log.count, count);
	CHECK_U64(self->log.evicted, evicted);
	CHECK(!can_give || (bytes <= limits->bytes_max && count <= limits->events_max));
	for (uint32_t worker = 0; worker < STREAM_COUNT; worker++) {
		const struct wr_event_stream *stream = stream_of(self, worker);
		/* Nothing goes without need: with it back, one limit would be passed... */
		CHECK(lost[worker] == 0 || stream->count + 1 > limits->stream_events_max ||
		      stream->bytes + lost[worker] > limits->stream_bytes_max ||
		      bytes + FRAME_OVERHEAD + 20000 > limits->bytes_max ||
		      count + 1 > limits->events_max);
		/* ... and who lost to the total had most. */
		for (uint32_t other = 0; other < STREAM_COUNT; other++)
			CHECK(lost[worker] == 0 || !has_something_to_give(stream_of(self, other)) ||
			      stream->count + 1 > limits->stream_events_max ||
			      stream->bytes + lost[worker] > limits->stream_bytes_max ||
			      stream->bytes + lost[worker] >= stream_of(self, other)->bytes);
	}
}

/* ---- reading in all ways ---- */

static void check_seek(struct model *self, uint32_t worker, uint64_t sequence)
{
	const struct model_stream *model = &self->streams[worker];
	uint64_t expected = model->end;

	for (size_t i = model->count; i-- > model->first && model->frames[i].sequence > sequence;)
		expected = model->frames[i].begin;
	CHECK_U64(wr_event_stream_seek(stream_of(self, worker), sequence), expected);
}

static void check_read(struct model *self, uint32_t worker, uint64_t *random)
{
	const struct wr_event_stream *stream = stream_of(self, worker);
	uint64_t position = stream->begin, max, sum = 0, want;
	struct wr_view parts[5];
	unsigned count, filled;

	position += wr_test_random(random) % (stream->end - stream->begin + 1);
	count = (unsigned)(wr_test_random(random) % 6);
	max = wr_test_random(random) % 4 == 0 ? UINT64_MAX : wr_test_random(random) % 3000;
	filled = wr_event_stream_read(stream, position, parts, count, max);
	CHECK(filled <= count);
	for (unsigned i = 0; i < filled; i++) {
		CHECK(parts[i].bytes != 0);
		check_bytes(worker, position + sum, parts[i]);
		sum += parts[i].bytes;
	}
	want = stream->end - position < max ? stream->end - position : max;
	CHECK(sum <= want && (sum == want || filled == count));
}

static void check_frame_at(struct model *self, uint32_t worker, uint64_t position)
{
	const struct wr_event_stream *stream = stream_of(self, worker);
	const struct model_stream *model = &self->streams[worker];
	uint64_t begin = 7, end = 7;
	bool is_within = false;
	size_t at = 0;

	while (at < model->count && model->frames[at].end <= position)
		at++;
	is_within = at < model->count && model->frames[at].begin != position;
	CHECK(wr_event_stream_frame_at(stream, position, &begin, &end) == is_within);
	if (is_within) {
		CHECK_U64(begin, model->frames[at].begin);
		CHECK_U64(end, model->frames[at].end);
	}
}

static void check_find(struct model *self, uint32_t worker, const struct model_frame *frame)
{
	const struct wr_event_stream *stream = stream_of(self, worker);
	bool is_here = frame->begin >= self->streams[worker].released;
	struct wr_view bytes;

	CHECK_U64(wr_event_stream_position(stream, frame->sequence),
		  is_here ? frame->begin : UINT64_MAX);
	CHECK(wr_event_stream_find(stream, frame->sequence, &bytes) == is_here);
	if (is_here) {
		CHECK_U64(bytes.bytes, frame->end - frame->begin);
		check_bytes(worker, frame->begin, bytes);
	}
}

/* The next runtime-wide frame above a sequence, by looking at all of them. */
static const struct model_frame *model_next(const struct model *self, uint64_t sequence,
					    uint32_t *worker)
{
	const struct model_frame *best = NULL;

	for (uint32_t w = 0; w < STREAM_COUNT; w++) {
		const struct model_stream *model = &self->streams[w];
		for (size_t i = model->first; i < model->count; i++) {
			const struct model_frame *frame = &model->frames[i];
			if (frame->sequence <= sequence || !frame->is_runtime_wide)
				continue;
			if (frame->sequence > self->shown)
				break;
			if (best == NULL || frame->sequence < best->sequence) {
				best = frame;
				*worker = w;
			}
			break;
		}
	}
	return best;
}

static void check_next(struct model *self, uint64_t sequence, uint32_t *hint)
{
	uint32_t worker = 0;
	const struct model_frame *expected = model_next(self, sequence, &worker);
	struct wr_order_frame frame;

	CHECK(wr_event_log_next(&self->log, sequence, hint, &frame) == (expected != NULL));
	if (expected == NULL)
		return;
	CHECK_U64(frame.sequence, expected->sequence);
	CHECK(frame.stream == stream_of(self, worker));
	CHECK_U64(frame.position, expected->begin);
	CHECK_U64(frame.bytes.bytes, expected->end - expected->begin);
	check_bytes(worker, expected->begin, frame.bytes);
}

/* ---- by hand ---- */

static const struct wr_retention roomy = {1000000, UINT64_MAX, 1000000, UINT64_MAX};

static void test_an_empty_stream_has_nothing_to_read(void)
{
	struct wr_order_frame frame;
	struct wr_view part;
	uint64_t begin, end;
	uint32_t hint = 0;
	struct model model;

	model_init(&model, &roomy);
	CHECK_U64(wr_event_stream_seek(&model.workers[1], 0), 0);
	CHECK_U64(wr_event_stream_seek(&model.workers[1], UINT64_MAX), 0);
	CHECK_U64(wr_event_stream_read(&model.workers[1], 0, &part, 1, 100), 0);
	CHECK(!wr_event_stream_frame_at(&model.workers[1], 0, &begin, &end));
	CHECK(!wr_event_stream_find(&model.workers[1], 0, &part));
	CHECK(!wr_event_stream_find(&model.workers[1], 1, &part));
	CHECK_U64(wr_event_stream_position(&model.workers[1], 1), UINT64_MAX);
	CHECK(!wr_event_log_next(&model.log, 0, &hint, &frame));
	wr_event_stream_copy(&model.workers[1], NULL, 0, 0);
	trim(&model);
	model_deinit(&model);
}

static void test_a_frame_that_only_a_worker_shows_has_no_place_in_the_order(void)
{
	struct wr_order_frame frame;
	uint32_t hint = 0;
	struct model model;

	model_init(&model, &roomy);
	append(&model, 1, 10, true);
	append(&model, 1, 20, false);
	append(&model, 0, 30, true);
	CHECK(wr_event_log_next(&model.log, 0, &hint, &frame) && frame.sequence == 1);
	CHECK(wr_event_log_next(&model.log, 1, &hint, &frame) && frame.sequence == 3);
	CHECK(frame.stream == &model.log.runtime);
	CHECK(!wr_event_log_next(&model.log, 3, &hint, &frame));
	CHECK_U64(wr_event_stream_seek(&model.workers[1], 1), 10);
	model_deinit(&model);
}

static void test_one_event_may_show_in_two_streams(void)
{
	struct wr_frame frames[2];
	struct wr_order_frame frame;
	static char bytes[20];
	uint32_t hint = 0;
	struct model model;

	model_init(&model, &roomy);
	frames[0] = (struct wr_frame){&model.workers[1], wr_view_of(bytes, 5), false};
	frames[1] = (struct wr_frame){&model.log.runtime, wr_view_of(bytes, 9), true};
	CHECK_STATUS(wr_event_log_reserve(&model.log, frames, 2), WR_OK);
	wr_event_log_append(&model.log, 7, frames, 2);
	CHECK_U64(model.workers[1].end, 5);
	CHECK_U64(model.log.runtime.end, 9);
	CHECK(wr_event_log_next(&model.log, 0, &hint, &frame) && frame.sequence == 7);
	CHECK(frame.stream == &model.log.runtime);
	CHECK(!wr_event_log_next(&model.log, 7, &hint, &frame));
	/* An event may also show nowhere: it still counts. */
	wr_event_log_append(&model.log, 8, frames, 0);
	CHECK_U64(model.log.last_sequence, 8);
	model_deinit(&model);
}

static void test_frames_larger_than_any_chunk_are_kept_whole(void)
{
	static const size_t sizes[] = {1,     495,   496,   497,    511, 512,	513,
				       65535, 65536, 65537, 150000, 3,	 90000, 1};
	struct model model;

	model_init(&model, &roomy);
	for (size_t i = 0; i < WR_COUNT(sizes); i++) {
		struct wr_view bytes;
		append(&model, 1, sizes[i], true);
		CHECK(wr_event_stream_find(&model.workers[1], i + 1, &bytes));
		CHECK_U64(bytes.bytes, sizes[i]);
		check_bytes(1, model.streams[1].frames[i].begin, bytes);
	}
	CHECK_STATUS(wr_event_log_reserve(
			     &model.log,
			     &(struct wr_frame){&model.workers[1],
						wr_view_of("", (size_t)UINT32_MAX / 2 + 1), true},
			     1),
		     WR_TOO_LARGE);
	model_deinit(&model);
}

static void test_chunks_grow_with_what_a_stream_keeps(void)
{
	size_t quiet;
	struct model model;

	model_init(&model, &roomy);
	append(&model, 1, 100, true);
	quiet = wr_test_allocator()->used;
	CHECK(quiet < 2000); /* a quiet Worker costs little */
	for (int i = 0; i < 10000; i++)
		append(&model, 1, 100, true);
	/* Frames, entries, the order up to twice, and chunks that are full but for one frame. */
	CHECK(wr_test_allocator()->used < (uint64_t)10001 * (100 + 16 + 2 * 24) * 5 / 4);
	model_deinit(&model);
}

static void test_a_reservation_given_up_is_harmless(void)
{
	static const size_t given_up[] = {1, 600, 70000, 20, 100000, 400};
	struct model model;

	model_init(&model, &roomy);
	for (unsigned round = 0; round < 60; round++) {
		/* Larger and larger ones: each time the empty chunk of the last is too small. */
		for (unsigned times = 0; times <= round % 3; times++)
			reserve_only(&model, 1, given_up[round % 6] + times * 80000);
		check_stream(&model, 1);
		check_frame_at(&model, 1, model.streams[1].end);
		if (round % 4 != 3)
			append(&model, 1, round % 5 == 0 ? 30000 : 50 + round, true);
		for (size_t i = 0; i < model.streams[1].count; i++)
			check_find(&model, 1, &model.streams[1].frames[i]);
	}
	model_deinit(&model);
}

static void test_a_chatty_stream_never_costs_a_quiet_one_its_events(void)
{
	const struct wr_retention limits = {1000, 100000, 200, 20000};
	struct model model;

	model_init(&model, &limits);
	for (int i = 0; i < 10; i++)
		append(&model, 2, 20, true);
	for (int i = 0; i < 20000; i++) {
		append(&model, 1, 60, true);
		trim(&model);
		CHECK_U64(model.workers[2].evicted, 0);
		CHECK_U64(model.workers[2].count, 10);
	}
	model_deinit(&model);
}

static void test_the_newest_event_of_everybody_is_kept(void)
{
	const struct wr_retention limits = {1, 1, 1, 1};
	struct model model;

	model_init(&model, &limits);
	for (int i = 0; i < 200; i++) {
		append(&model, (uint32_t)i % STREAM_COUNT, 500, true);
		trim(&model);
	}
	CHECK_U64(model.log.count, STREAM_COUNT);
	model_deinit(&model);
}

static void test_a_reader_within_an_evicted_frame_can_still_finish_it(void)
{
	const struct wr_retention limits = {1, UINT64_MAX, 1000, UINT64_MAX};
	uint64_t begin, end;
	char rest[60];
	struct model model;

	model_init(&model, &limits);
	append(&model, 1, 100, true);
	append(&model, 1, 100, true);
	trim(&model);
	CHECK_U64(model.workers[1].begin, 100);
	CHECK(wr_event_stream_frame_at(&model.workers[1], 40, &begin, &end));
	CHECK(begin == 0 && end == 100);
	wr_event_stream_copy(&model.workers[1], rest, 40, 100);
	check_bytes(1, 40, wr_view_of(rest, sizeof rest));
	model_deinit(&model);
}

static void test_a_failed_reservation_changes_nothing_that_is_seen(void)
{
	const struct wr_retention limits = {50, 4000, 100, 8000};
	uint64_t random = wr_test_seed();
	struct model model;

	model_init(&model, &limits);
	for (int i = 0; i < 400; i++) {
		uint32_t worker = (uint32_t)(wr_test_random(&random) % STREAM_COUNT);
		size_t bytes = 1 + (size_t)(wr_test_random(&random) % 900);
		struct wr_frame frame = make_frame(&model, worker, bytes, true);
		for (uint64_t n = 1;; n++) {
			enum wr_status status;
			wr_test_fail_allocation(n, false);
			status = wr_event_log_reserve(&model.log, &frame, 1);
			if (!wr_test_allocation_failed())
				break;
			CHECK_STATUS(status, WR_NO_MEMORY);
			for (uint32_t w = 0; w < STREAM_COUNT; w++)
				check_stream(&model, w);
		}
		wr_test_fail_allocation(0, false);
		append(&model, worker, bytes, wr_test_random(&random) % 3 != 0);
		trim(&model);
	}
	model_deinit(&model);
}

/* ---- at random ---- */

struct profile {
	const char *name;
	struct wr_retention limits;
	unsigned steps, bytes_max, large_each, trim_each;
};

static void check_random(struct model *model, uint64_t *random, uint32_t *hint, uint64_t *walk)
{
	uint32_t worker = (uint32_t)(wr_test_random(random) % STREAM_COUNT);
	const struct model_stream *stream = &model->streams[worker];
	struct wr_order_frame frame;

	check_seek(model, worker, wr_test_random(random) % (model->sequence + 2));
	check_seek(model, worker, model->sequence - wr_test_random(random) % 20 % model->sequence);
	check_read(model, worker, random);
	if (stream->end > stream->released)
		check_frame_at(model, worker,
			       stream->released + wr_test_random(random) %
							  (stream->end - stream->released + 1));
	if (stream->count > 0)
		check_find(model, worker, &stream->frames[wr_test_random(random) % stream->count]);
	/* A walk with a hint that outlives evictions, and one with any hint. */
	check_next(model, *walk, hint);
	if (wr_event_log_next(&model->log, *walk, hint, &frame))
		*walk = frame.sequence;
	else if (wr_test_random(random) % 8 == 0)
		*walk = 0;
	check_next(model, wr_test_random(random) % (model->sequence + 2),
		   &(uint32_t){(uint32_t)wr_test_random(random) % 400});
}

/* What has become visible by now: all, nothing new, or up to anywhere in between. */
static void show(struct model *self, uint64_t bits)
{
	if (!self->log.is_shown_late || bits % 5 > 2)
		return;
	if (bits % 5 == 0)
		self->shown = self->sequence;
	else
		self->shown += (bits >> 10) % (self->sequence - self->shown + 1);
	wr_event_log_show(&self->log, self->shown);
}

static void run_profile(const struct profile *profile, bool is_shown_late, uint64_t random)
{
	uint64_t walk = 0;
	uint32_t hint = 0;
	struct model model;

	wr_test_case(profile->name);
	model_init(&model, &profile->limits);
	model.log.is_shown_late = is_shown_late;
	for (unsigned step = 0; step < profile->steps; step++) {
		uint64_t bits = wr_test_random(&random);
		/* Worker 1 speaks half of the time, 2 a quarter, ... */
		uint32_t worker = 1;
		size_t bytes = 1 + (size_t)(bits >> 32) % profile->bytes_max;
		while (worker < STREAM_COUNT && (bits >> worker & 1u) != 0)
			worker++;
		if (profile->large_each != 0 && step % profile->large_each == 0)
			bytes += 18000;
		if ((bits >> 50) % 4 == 0) /* what is given up must not show */
			reserve_only(&model, worker % STREAM_COUNT,
				     1 + (size_t)(bits >> 20) % (profile->bytes_max * 8));
		append(&model, worker % STREAM_COUNT, bytes, bits >> 40 & 3u);
		show(&model, bits >> 12);
		if (step % profile->trim_each == 0)
			trim(&model);
		check_random(&model, &random, &hint, &walk);
	}
	trim(&model);
	model_deinit(&model);
}

static void test_random_runs_agree_with_plain_arrays(void)
{
	static const struct profile profiles[] = {
		{"tiny", {3, 300, 9, 700}, 20000, 60, 0, 1},
		{"by count", {40, UINT64_MAX, 100, UINT64_MAX}, 20000, 100, 0, 1},
		{"by bytes", {100000, 6000, 100000, 16000}, 20000, 400, 0, 3},
		{"total alone", {100000, UINT64_MAX, 100000, 30000}, 20000, 200, 0, 7},
		{"large frames", {300, 60000, 1000, 100000}, 10000, 2000, 97, 2},
		{"everything is kept", {100000, UINT64_MAX, 100000, UINT64_MAX}, 3000, 90, 0, 1},
		{"bursts", {64, 8000, 150, 12000}, 15000, 150, 0, 300},
	};
	uint64_t seed = wr_test_seed();

	for (size_t i = 0; i < WR_COUNT(profiles); i++)
		for (unsigned is_late = 0; is_late < 2; is_late++)
			run_profile(&profiles[i], is_late != 0, seed + i);
}

static void test_what_is_elsewhere_is_evicted_here(void)
{
	uint32_t hint = 0;
	struct model model;

	model_init(&model, &roomy);
	wr_event_stream_begin_at(&model.workers[1], 40);
	model.sequence = model.log.last_sequence = 50;
	CHECK_U64(wr_event_stream_seek(&model.workers[1], 0), 0);
	CHECK(model.workers[1].evicted == 40 && model.workers[1].last_sequence == 40);
	append(&model, 1, 100, true);
	CHECK_U64(model.workers[1].evicted, 40);
	CHECK_U64(wr_event_stream_seek(&model.workers[1], 40), 0);
	CHECK_U64(wr_event_stream_seek(&model.workers[1], 51), 100);
	check_next(&model, 3, &hint);
	model_deinit(&model);
}

static void add_small(struct wr_event_log *log, struct wr_event_stream *stream)
{
	const struct wr_frame frame = {.stream = stream, .bytes = WR_VIEW("frame")};

	CHECK_STATUS(wr_event_log_reserve(log, &frame, 1), WR_OK);
	wr_event_log_append(log, log->last_sequence + 1, &frame, 1);
}

static void test_a_cleared_stream_leaves_nothing_in_the_log(void)
{
	const struct wr_retention retention = {100, 100000, 100, 100000};
	struct wr_event_stream stays, goes;
	struct wr_event_log log;
	uint64_t bytes;

	wr_event_log_init(&log, wr_test_allocator(), &retention);
	wr_event_stream_init(&stays, 1);
	wr_event_stream_init(&goes, 2);
	add_small(&log, &stays);
	bytes = log.bytes;
	for (unsigned round = 0; round < 3; round++) { /* changed, trimmed, and both */
		add_small(&log, &goes);
		if (round > 0)
			wr_event_log_trim(&log);
		if (round > 1)
			add_small(&log, &goes);
		wr_event_stream_clear(&goes, &log);
		CHECK_U64(log.bytes, bytes);
		CHECK_U64(log.count, 1);
		CHECK(goes.worker == 2 && goes.count == 0 && goes.last_sequence == 0);
	}
	wr_event_log_trim(&log);
	CHECK_U64(log.pending_shares, 0);
	wr_event_stream_deinit(&stays, &log);
	wr_event_stream_deinit(&goes, &log);
	wr_event_log_deinit(&log);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_cleared_stream_leaves_nothing_in_the_log),
	WR_TEST(test_an_empty_stream_has_nothing_to_read),
	WR_TEST(test_a_frame_that_only_a_worker_shows_has_no_place_in_the_order),
	WR_TEST(test_one_event_may_show_in_two_streams),
	WR_TEST(test_frames_larger_than_any_chunk_are_kept_whole),
	WR_TEST(test_chunks_grow_with_what_a_stream_keeps),
	WR_TEST(test_a_reservation_given_up_is_harmless),
	WR_TEST(test_a_chatty_stream_never_costs_a_quiet_one_its_events),
	WR_TEST(test_the_newest_event_of_everybody_is_kept),
	WR_TEST(test_a_reader_within_an_evicted_frame_can_still_finish_it),
	WR_TEST(test_a_failed_reservation_changes_nothing_that_is_seen),
	WR_TEST(test_what_is_elsewhere_is_evicted_here),
	WR_TEST_LIMIT(test_random_runs_agree_with_plain_arrays, 120),
	WR_TEST_END,
};
