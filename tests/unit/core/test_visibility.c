/* Goal: nothing that depends on a record beyond the visible one can be seen, and nothing runs an
 * input before it is visible; what is visible is seen whole. Method: a store whose visible end the
 * test holds, a scripted execution that writes down its calls, and every reading function. */
#include "unit/core/fixture.h"

struct bed {
	struct fixture fixture;
	struct kept_store store;
	char calls[1000];
	struct wr_undelivered waiting; /* as the last admit was told */
	unsigned answers;	       /* outputs that deliver reports */
	bool settles_within, ends_at_once;
};

static void note(struct bed *self, const char *what, uint32_t worker, struct wr_view text)
{
	size_t used = strlen(self->calls);

	snprintf(self->calls + used, sizeof self->calls - used, "%s%s(%u%s%.*s)",
		 used == 0 ? "" : " ", what, worker, text.bytes == 0 ? "" : " ", (int)text.bytes,
		 text.bytes == 0 ? "" : text.data);
}

static void check_calls(struct bed *self, const char *expected)
{
	CHECK_STRING(wr_view_of_string(self->calls), expected);
	self->calls[0] = '\0';
}

static enum wr_status on_admit(void *context, uint32_t worker, const struct wr_input *input,
			       const struct wr_undelivered *waiting)
{
	struct bed *self = context;

	(void)worker, (void)input;
	self->waiting = *waiting;
	return WR_OK;
}

static void on_deliver(void *context, uint32_t worker, const struct wr_input *input,
		       uint64_t sequence)
{
	struct bed *self = context;
	struct wr_runtime *runtime = self->fixture.runtime;
	const struct wr_output output = {.kind = WR_OUTPUT_TEXT_DELTA, .text = WR_VIEW_INIT("re")};
	char copy[100] = "";
	struct wr_view text = wr_view_of(copy, input->content.bytes);

	CHECK(input->content.bytes <= sizeof copy);
	memcpy(copy, input->content.data, input->content.bytes);
	/* Visible, and shown to whoever asks. */
	CHECK(sequence <= wr_runtime_visible(runtime));
	CHECK(wr_runtime_worker(runtime, worker)->shown.last_sequence >= sequence);
	note(self, "deliver", worker, input->content);
	for (unsigned i = 0; i < self->answers; i++) {
		CHECK_STATUS(wr_runtime_output(runtime, worker, &output), WR_OK);
		if (self->settles_within)
			wr_runtime_settle(runtime);
	}
	CHECK_VIEW(input->content, text); /* what it was given stays, whatever is appended */
}

static enum wr_status on_interrupt(void *context, uint32_t worker)
{
	note(context, "interrupt", worker, WR_VIEW_NULL);
	return WR_OK;
}

static void on_stop(void *context, uint32_t worker)
{
	struct bed *self = context;

	note(self, "stop", worker, WR_VIEW_NULL);
	if (self->ends_at_once)
		CHECK_STATUS(wr_runtime_execution_ended(self->fixture.runtime, worker), WR_OK);
}

static void on_cancel(void *context, uint32_t worker)
{
	note(context, "cancel", worker, WR_VIEW_NULL);
}

static const struct wr_execution_ops ops = {on_admit, on_deliver, on_interrupt, on_stop, on_cancel};

static enum wr_status find(void *context, struct wr_execution *out, enum wr_profile_kind kind,
			   struct wr_view value)
{
	(void)value;
	*out = (struct wr_execution){.ops = kind == WR_PROFILE_RUNTIME_DEFAULT ? NULL : &ops,
				     .context = context};
	return WR_OK;
}

static void bed_open(struct bed *self)
{
	memset(self, 0, sizeof *self);
	self->store.generation = 1;
	fixture_init(&self->fixture, 1);
	self->fixture.ports.store = (struct wr_store){&kept_store_ops, &self->store};
	self->fixture.ports.profiles = (struct wr_profiles){find, self};
	fixture_open(&self->fixture);
}

static void bed_close(struct bed *self)
{
	fixture_close(&self->fixture);
	kept_store_deinit(&self->store);
}

static void hold(struct bed *self)
{
	self->store.is_held = true;
	self->store.shown = kept_head(&self->store);
}

/* Everything up to `sequence` becomes visible. */
static void show(struct bed *self, uint64_t sequence)
{
	self->store.is_held = true;
	self->store.shown = sequence;
	wr_runtime_settle(self->fixture.runtime);
	CHECK_U64(wr_runtime_visible(self->fixture.runtime), sequence);
}

/* A Worker that something runs. */
static const struct wr_worker *create_run(struct bed *self)
{
	const struct wr_create request = {.profile = WR_PROFILE_BUILTIN,
					  .profile_value = WR_VIEW_INIT("x")};
	const struct wr_worker *worker = NULL;
	struct wr_error error;

	CHECK_STATUS(wr_runtime_create(self->fixture.runtime, &request, NULL, &worker, &error),
		     WR_OK);
	wr_runtime_settle(self->fixture.runtime);
	return worker;
}

static void say(struct bed *self, const struct wr_worker *worker, const char *text)
{
	struct wr_ack ack;

	CHECK_STATUS(fixture_input(&self->fixture, worker, text, &ack), WR_OK);
}

static struct wr_runtime_summary summary_of(const struct bed *self)
{
	struct wr_runtime_summary summary;

	wr_runtime_summary(self->fixture.runtime, &summary);
	return summary;
}

/* ---- what is read ---- */

static void test_a_worker_is_there_when_its_creation_is_visible(void)
{
	const struct wr_worker *worker, *second;
	struct wr_diagnostic diagnostic;
	struct wr_runtime *runtime;
	struct bed bed;

	bed_open(&bed);
	runtime = bed.fixture.runtime;
	hold(&bed);
	worker = fixture_create(&bed.fixture);
	second = fixture_create(&bed.fixture);
	CHECK(wr_runtime_find(runtime, worker->id) == NULL);
	CHECK(wr_runtime_worker(runtime, 1) == NULL &&
	      wr_runtime_next(runtime, WR_VIEW_NULL) == NULL);
	CHECK(summary_of(&bed).worker_count == 0 && summary_of(&bed).running_count == 0);
	CHECK(summary_of(&bed).diagnostic_count == 0 &&
	      !wr_runtime_diagnostic(runtime, 0, &diagnostic));
	CHECK_U64(summary_of(&bed).last_sequence, 1);
	CHECK_U64(wr_runtime_head_of(runtime, worker->id), 2);
	CHECK_U64(wr_runtime_head_of(runtime, WR_VIEW_NULL), 3);
	CHECK_U64(wr_runtime_head_of(runtime, WR_VIEW("unknown")), 3);
	show(&bed, 2);
	CHECK(wr_runtime_find(runtime, worker->id) == worker);
	CHECK(wr_runtime_find(runtime, second->id) == NULL &&
	      wr_runtime_worker(runtime, 2) == NULL);
	CHECK(wr_runtime_next(runtime, WR_VIEW_NULL) == worker);
	CHECK(wr_runtime_next(runtime, worker->id) == NULL);
	CHECK(summary_of(&bed).worker_count == 1 && summary_of(&bed).running_count == 1);
	CHECK(summary_of(&bed).diagnostic_count == 2 &&
	      !wr_runtime_diagnostic(runtime, 2, &diagnostic));
	CHECK(wr_runtime_diagnostic(runtime, 1, &diagnostic) && diagnostic.worker == 1);
	show(&bed, 3);
	CHECK(wr_runtime_next(runtime, worker->id) == second && summary_of(&bed).worker_count == 2);
	bed_close(&bed);
}

static void test_a_hidden_worker_between_others_is_skipped(void)
{
	static const char *const names[] = {"b", "a"};
	const struct wr_worker *workers[2];
	struct wr_error error;
	struct bed bed;

	bed_open(&bed);
	for (unsigned i = 0; i < 2; i++) {
		const struct wr_create request = {.worker_id = wr_view_of_string(names[i])};
		CHECK_STATUS(
			wr_runtime_create(bed.fixture.runtime, &request, NULL, &workers[i], &error),
			WR_OK);
		if (i == 0)
			wr_runtime_settle(bed.fixture.runtime);
		hold(&bed);
		bed.store.shown = 2;
	}
	CHECK(wr_runtime_next(bed.fixture.runtime, WR_VIEW_NULL) == workers[0]);
	show(&bed, 3);
	CHECK(wr_runtime_next(bed.fixture.runtime, WR_VIEW_NULL) == workers[1]);
	bed_close(&bed);
}

static void test_faces_items_and_counts_follow_the_visible_end(void)
{
	const struct wr_worker *worker;
	struct wr_store_place place = {0, 0};
	struct wr_item item;
	struct wr_ack ack;
	struct bed bed;

	bed_open(&bed);
	worker = fixture_create(&bed.fixture);
	hold(&bed);
	say(&bed, worker, "one");
	CHECK_STATUS(wr_runtime_phase(bed.fixture.runtime, 1, WR_PHASE_BUSY, WR_VIEW("x")), WR_OK);
	CHECK_STATUS(
		wr_runtime_stop_worker(bed.fixture.runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	CHECK(ack.status == WR_WORKER_STOPPED && ack.event_id == 5); /* decisions see the head */
	CHECK(worker->now.phase == WR_PHASE_STOPPING && worker->now.item_count == 1);
	CHECK(worker->shown.phase == WR_PHASE_IDLE && worker->shown.item_count == 0);
	CHECK_STATUS(wr_runtime_item(bed.fixture.runtime, worker, 1, &place, &item), WR_NOT_FOUND);
	CHECK_U64(wr_runtime_first_item(bed.fixture.runtime, worker), 1);
	show(&bed, 3);
	CHECK(worker->shown.item_count == 1 && worker->shown.last_event_id == 3);
	CHECK_STATUS(wr_runtime_item(bed.fixture.runtime, worker, 1, &place, &item), WR_OK);
	CHECK_STRING(item.content, "one");
	show(&bed, 4);
	CHECK(worker->shown.phase == WR_PHASE_BUSY && worker->shown.turn_count == 1);
	CHECK(summary_of(&bed).running_count == 1 && summary_of(&bed).stopped_count == 0);
	show(&bed, 5);
	CHECK(worker->shown.status == WR_WORKER_STOPPED && worker->shown.last_sequence == 5);
	CHECK(summary_of(&bed).running_count == 0 && summary_of(&bed).stopped_count == 1);
	bed_close(&bed);
}

static void test_a_stop_of_the_runtime_is_seen_by_all_at_once(void)
{
	const struct wr_worker *quiet, *busy, *cancelled;
	struct wr_ack ack;
	struct bed bed;
	uint64_t event_id;

	bed_open(&bed);
	quiet = fixture_create(&bed.fixture);
	busy = fixture_create(&bed.fixture);
	cancelled = fixture_create(&bed.fixture);
	CHECK_STATUS(wr_runtime_phase(bed.fixture.runtime, 2, WR_PHASE_BUSY, WR_VIEW("x")), WR_OK);
	wr_runtime_settle(bed.fixture.runtime);
	hold(&bed);
	CHECK_STATUS(wr_runtime_cancel_worker(bed.fixture.runtime, cancelled->id, WR_VIEW_NULL,
					      NULL, &ack),
		     WR_OK);
	CHECK_STATUS(wr_runtime_stop(bed.fixture.runtime, &event_id), WR_OK);
	CHECK_STATUS(wr_runtime_execution_ended(bed.fixture.runtime, 2), WR_OK);
	CHECK_U64(event_id, 7);
	CHECK_STATUS(
		wr_runtime_stop_worker(bed.fixture.runtime, quiet->id, WR_VIEW_NULL, NULL, &ack),
		WR_STOPPED);
	CHECK(!summary_of(&bed).is_stopped && summary_of(&bed).running_count == 3);
	show(&bed, 6);
	CHECK(!summary_of(&bed).is_stopped && summary_of(&bed).cancelled_count == 1);
	CHECK(quiet->shown.status == WR_WORKER_RUNNING);
	show(&bed, 7);
	CHECK(summary_of(&bed).is_stopped && summary_of(&bed).stopped_count == 2);
	CHECK(summary_of(&bed).cancelled_count == 1 && summary_of(&bed).running_count == 0);
	CHECK(quiet->shown.phase == WR_PHASE_STOPPED && busy->shown.phase == WR_PHASE_STOPPING);
	CHECK(cancelled->shown.phase == WR_PHASE_CANCELLED);
	show(&bed, 8);
	CHECK(busy->shown.phase == WR_PHASE_STOPPED);
	bed_close(&bed);
}

static void test_unfinished_output_is_that_of_the_visible_end(void)
{
	static const struct wr_output delta = {.kind = WR_OUTPUT_TEXT_DELTA,
					       .text = WR_VIEW_INIT("ab")},
				      done = {.kind = WR_OUTPUT_TEXT_DONE,
					      .text = WR_VIEW_INIT("abab")};
	const struct wr_worker *worker;
	struct wr_runtime *runtime;
	struct bed bed;

	bed_open(&bed);
	runtime = bed.fixture.runtime;
	worker = fixture_create(&bed.fixture);
	CHECK_STATUS(wr_runtime_phase(runtime, 1, WR_PHASE_BUSY, WR_VIEW("x")), WR_OK);
	hold(&bed);
	for (int i = 0; i < 2; i++)
		CHECK_STATUS(wr_runtime_output(runtime, 1, &delta), WR_OK); /* 4, 5 */
	CHECK_STATUS(wr_runtime_output(runtime, 1, &done), WR_OK);	    /* 6 */
	CHECK_STATUS(wr_runtime_output(runtime, 1, &delta), WR_OK);	    /* 7 */
	CHECK_STATUS(wr_runtime_phase(runtime, 1, WR_PHASE_IDLE, WR_VIEW("x")), WR_OK);
	show(&bed, 3);
	CHECK(worker->in_flight == NULL);
	show(&bed, 4);
	CHECK(worker->in_flight != NULL);
	CHECK_STRING(wr_buf_view(&worker->in_flight->blocks[0].text), "ab");
	show(&bed, 5);
	CHECK_STRING(wr_buf_view(&worker->in_flight->blocks[0].text), "abab");
	show(&bed, 6);
	CHECK(worker->in_flight == NULL && worker->shown.item_count == 1);
	show(&bed, 7);
	CHECK_STRING(wr_buf_view(&worker->in_flight->blocks[0].text), "ab");
	show(&bed, 8);
	CHECK(worker->in_flight == NULL);
	bed_close(&bed);
}

static void count_event(void *context, uint64_t event_id, struct wr_view frame)
{
	(void)event_id, (void)frame;
	(*(unsigned *)context)++;
}

static void test_streams_and_cursors_end_where_it_is_visible(void)
{
	const struct wr_event_stream *stream;
	const struct wr_worker *worker;
	char token[WR_CURSOR_BYTES];
	struct wr_order_frame frame;
	struct wr_runtime *runtime;
	uint64_t next, from;
	uint32_t hint = 0;
	unsigned count = 0;
	bool has_more;
	struct bed bed;

	bed_open(&bed);
	runtime = bed.fixture.runtime;
	worker = fixture_create(&bed.fixture);
	stream = &worker->events;
	hold(&bed);
	say(&bed, worker, "one");
	say(&bed, worker, "two");
	CHECK(stream->shown == 0 && stream->end != 0);
	CHECK(!wr_event_log_next(wr_runtime_log(runtime), 2, &hint, &frame));
	CHECK_STATUS(wr_runtime_read_events(runtime, 1, 10, count_event, &count, &next, &has_more),
		     WR_OK);
	CHECK(count == 2 && next == 3 && !has_more);
	wr_runtime_cursor(runtime, 1, 3, token);
	CHECK_STATUS(wr_runtime_judge_cursor(runtime, 1, wr_view_of(token, sizeof token), &from),
		     WR_AHEAD);
	show(&bed, 3);
	CHECK(stream->shown != 0 && stream->shown == wr_event_stream_seek(stream, 3));
	CHECK(wr_event_log_next(wr_runtime_log(runtime), 2, &hint, &frame) && frame.sequence == 3);
	CHECK(!wr_event_log_next(wr_runtime_log(runtime), 3, &hint, &frame));
	CHECK_STATUS(wr_runtime_judge_cursor(runtime, 1, wr_view_of(token, sizeof token), &from),
		     WR_OK);
	show(&bed, 4);
	CHECK(stream->shown == stream->end);
	CHECK(wr_event_log_next(wr_runtime_log(runtime), 3, &hint, &frame) && frame.sequence == 4);
	bed_close(&bed);
}

static void test_retention_takes_nothing_that_nobody_could_see(void)
{
	const struct wr_event_stream *stream;
	const struct wr_worker *worker, *other;
	struct bed bed;

	bed_open(&bed);
	fixture_close(&bed.fixture);
	kept_store_deinit(&bed.store);
	bed.fixture.config.retention = (struct wr_retention){5, 100000, 12, 100000};
	fixture_open(&bed.fixture);
	worker = fixture_create(&bed.fixture);
	other = fixture_create(&bed.fixture);
	stream = &worker->events;
	hold(&bed);
	for (unsigned i = 0; i < 30; i++) {
		say(&bed, worker, "more");
		wr_runtime_trim(bed.fixture.runtime);
	}
	CHECK(stream->count == 30 && stream->evicted == 0);
	show(&bed, 13); /* ten of them */
	wr_runtime_trim(bed.fixture.runtime);
	CHECK(stream->count == 20 && stream->evicted == 13 && stream->begin == stream->shown);
	wr_runtime_trim(bed.fixture.runtime);
	show(&bed, 33);
	CHECK(stream->count == 5 && stream->evicted == 28);
	/* Also when only the sum of all is too much. */
	for (unsigned i = 0; i < 12; i++)
		say(&bed, i % 2 != 0 ? worker : other, "more");
	wr_runtime_trim(bed.fixture.runtime);
	CHECK(wr_runtime_log(bed.fixture.runtime)->count >= 12);
	show(&bed, 45);
	CHECK(wr_runtime_log(bed.fixture.runtime)->count <= 12);
	bed_close(&bed);
}

/* ---- what runs Workers ---- */

static void test_an_input_is_delivered_when_it_is_visible(void)
{
	const struct wr_worker *worker;
	struct bed bed;

	bed_open(&bed);
	hold(&bed);
	worker = create_run(&bed);
	CHECK(!worker->has_last_result);
	show(&bed, 2);
	CHECK(worker->has_last_result && worker->last_result.operation == WR_EXECUTION_SPAWN);
	say(&bed, worker, "one");
	CHECK(bed.waiting.count == 0);
	say(&bed, worker, "second");
	CHECK(bed.waiting.count == 1 && bed.waiting.bytes == 3);
	CHECK(worker->queue.undelivered.count == 2 && worker->queue.undelivered.bytes == 9);
	check_calls(&bed, "");
	CHECK(worker->last_result.operation == WR_EXECUTION_SPAWN);
	show(&bed, 3);
	check_calls(&bed, "deliver(1 one)");
	CHECK(worker->queue.undelivered.count == 1 && worker->queue.undelivered.bytes == 6);
	CHECK(worker->last_result.operation == WR_EXECUTION_INPUT);
	wr_runtime_settle(bed.fixture.runtime);
	check_calls(&bed, "");
	show(&bed, 4);
	check_calls(&bed, "deliver(1 second)");
	CHECK(worker->queue.undelivered.count == 0 && worker->queue.undelivered.bytes == 0);
	bed_close(&bed);
}

static void test_a_stop_waits_behind_inputs_and_a_cancel_does_not(void)
{
	const struct wr_worker *stopped, *cancelled;
	struct wr_ack ack;
	struct bed bed;

	bed_open(&bed);
	stopped = create_run(&bed);
	cancelled = create_run(&bed);
	hold(&bed);
	say(&bed, stopped, "one");   /* 4 */
	say(&bed, cancelled, "two"); /* 5 */
	CHECK_STATUS(
		wr_runtime_stop_worker(bed.fixture.runtime, stopped->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	CHECK_STATUS(wr_runtime_cancel_worker(bed.fixture.runtime, cancelled->id, WR_VIEW_NULL,
					      NULL, &ack),
		     WR_OK);
	check_calls(&bed, "cancel(2)");
	CHECK(cancelled->queue.undelivered.count == 0 && cancelled->queue.undelivered.bytes == 0);
	/* It will run, to take its input: it is stopping, not stopped. */
	CHECK(stopped->now.phase == WR_PHASE_STOPPING);
	bed.ends_at_once = true;
	show(&bed, 4);
	check_calls(&bed, "deliver(1 one)");
	show(&bed, 7);
	check_calls(&bed, "stop(1)");
	CHECK(stopped->now.phase == WR_PHASE_STOPPED && stopped->shown.phase == WR_PHASE_STOPPING);
	CHECK(cancelled->shown.status == WR_WORKER_CANCELLED);
	show(&bed, 8);
	check_calls(&bed, "");
	CHECK(stopped->shown.phase == WR_PHASE_STOPPED);
	bed_close(&bed);
}

static void test_a_stop_of_the_runtime_waits_behind_inputs(void)
{
	const struct wr_worker *first, *second;
	struct bed bed;
	uint64_t event_id;

	bed_open(&bed);
	first = create_run(&bed);
	second = create_run(&bed);
	hold(&bed);
	say(&bed, second, "one");
	say(&bed, first, "two");
	CHECK_STATUS(wr_runtime_stop(bed.fixture.runtime, &event_id), WR_OK);
	check_calls(&bed, "");
	CHECK(first->now.phase == WR_PHASE_STOPPING);
	bed.ends_at_once = true;
	bed.store.is_held = false;
	wr_runtime_settle(bed.fixture.runtime);
	check_calls(&bed, "deliver(2 one) deliver(1 two) stop(1) stop(2)");
	CHECK(first->shown.phase == WR_PHASE_STOPPED && second->shown.phase == WR_PHASE_STOPPED);
	CHECK_U64(wr_runtime_visible(bed.fixture.runtime), 8);
	bed_close(&bed);
}

static void test_what_is_reported_while_delivering_is_shown_in_its_turn(void)
{
	const struct wr_worker *worker, *other;
	struct bed bed;

	bed_open(&bed);
	worker = create_run(&bed);
	other = create_run(&bed);
	bed.answers = 300; /* far more than a block of the queue holds */
	bed.settles_within = true;
	hold(&bed);
	say(&bed, worker, "one");
	say(&bed, other, "two");
	bed.store.is_held = false;
	wr_runtime_settle(bed.fixture.runtime);
	check_calls(&bed, "deliver(1 one) deliver(2 two)");
	CHECK_U64(fixture_head(&bed.fixture), 605);
	CHECK_U64(wr_runtime_visible(bed.fixture.runtime), 605);
	CHECK(worker->shown.last_sequence == 305 && other->shown.last_sequence == 605);
	CHECK_U64(worker->in_flight->blocks[0].text.bytes, 600);
	bed_close(&bed);
}

static void test_the_queue_gives_its_memory_back(void)
{
	const struct wr_worker *worker;
	struct wr_error error;
	struct wr_ack ack;
	static char text[100000];
	struct wr_input input = {WR_INPUT_USER, {text, sizeof text}};
	struct bed bed;
	size_t used;

	memset(text, 'x', sizeof text);
	bed_open(&bed);
	fixture_close(&bed.fixture);
	kept_store_deinit(&bed.store);
	bed.fixture.config.worker_transcript_bytes_max = 1;
	bed.fixture.config.retention = (struct wr_retention){1, 1, 1, 1};
	fixture_open(&bed.fixture);
	worker = fixture_create(&bed.fixture);
	say(&bed, worker, "warm");
	used = wr_test_allocator()->used;
	hold(&bed);
	for (unsigned i = 0; i < 100; i++)
		say(&bed, worker, "hello");
	CHECK(wr_test_allocator()->used > used + 100 * sizeof(struct wr_face));
	bed.store.is_held = false;
	say(&bed, worker, "warm");
	CHECK(wr_test_allocator()->used < used + 20000); /* the heap of streams, the order */
	/* Room for a record that the store then refused, too. */
	CHECK(bed.fixture.runtime->pending.first == NULL);
	bed.store.mood = WR_FULL;
	CHECK_STATUS(wr_runtime_input(bed.fixture.runtime, worker->id, &input, NULL, &ack, &error),
		     WR_FULL);
	wr_runtime_settle(bed.fixture.runtime);
	CHECK(bed.fixture.runtime->pending.first == NULL);
	bed_close(&bed);
}

/* ---- what the store is told ---- */

static void test_records_carry_their_item_and_their_urgency(void)
{
	static const struct {
		enum wr_event_kind kind;
		uint32_t worker, item;
		enum wr_store_urgency urgency;
	} expected[] = {
		{WR_EVENT_RUNTIME_STARTED, 0, 0, WR_STORE_ORDINARY},
		{WR_EVENT_WORKER_CREATED, 1, 0, WR_STORE_ORDINARY},
		{WR_EVENT_INPUT_ACCEPTED, 1, 1, WR_STORE_ORDINARY},
		{WR_EVENT_PHASE_CHANGED, 1, 0, WR_STORE_ORDINARY}, /* busy */
		{WR_EVENT_OUTPUT, 1, 0, WR_STORE_ORDINARY},	   /* blank */
		{WR_EVENT_OUTPUT, 1, 2, WR_STORE_ORDINARY},
		{WR_EVENT_PHASE_CHANGED, 1, 0, WR_STORE_RESERVED}, /* interrupted */
		{WR_EVENT_PHASE_CHANGED, 1, 0, WR_STORE_RESERVED}, /* failed */
		{WR_EVENT_PHASE_CHANGED, 1, 0, WR_STORE_ORDINARY}, /* starting */
		{WR_EVENT_INPUT_ACCEPTED, 1, 3, WR_STORE_ORDINARY},
		{WR_EVENT_WORKER_STOPPED, 1, 0, WR_STORE_RESERVED},
		{WR_EVENT_PHASE_CHANGED, 1, 0, WR_STORE_RESERVED}, /* stopped */
		{WR_EVENT_REPEATABLE, 1, 0, WR_STORE_ORDINARY},
		{WR_EVENT_WORKER_CREATED, 2, 0, WR_STORE_ORDINARY},
		{WR_EVENT_REPEATABLE, 2, 0, WR_STORE_RESERVED}, /* interrupt */
		{WR_EVENT_WORKER_CANCELLED, 2, 0, WR_STORE_RESERVED},
		{WR_EVENT_RUNTIME_STOPPED, 0, 0, WR_STORE_RESERVED},
	};
	static const struct wr_output blank = {.kind = WR_OUTPUT_TEXT_DONE,
					       .text = WR_VIEW_INIT(" ")},
				      done = {.kind = WR_OUTPUT_TEXT_DONE,
					      .text = WR_VIEW_INIT("x")};
	const struct wr_key key = fixture_key(1, 1), other = fixture_key(2, 1);
	const struct wr_worker *worker, *run;
	struct wr_runtime *runtime;
	struct wr_event event;
	struct wr_ack ack;
	struct bed bed;
	uint64_t event_id;

	bed_open(&bed);
	runtime = bed.fixture.runtime;
	worker = fixture_create(&bed.fixture);
	say(&bed, worker, "one");
	CHECK_STATUS(wr_runtime_phase(runtime, 1, WR_PHASE_BUSY, WR_VIEW("x")), WR_OK);
	CHECK_STATUS(wr_runtime_output(runtime, 1, &blank), WR_OK);
	CHECK_STATUS(wr_runtime_output(runtime, 1, &done), WR_OK);
	CHECK_STATUS(wr_runtime_phase(runtime, 1, WR_PHASE_INTERRUPTED, WR_VIEW("x")), WR_OK);
	CHECK_STATUS(wr_runtime_phase(runtime, 1, WR_PHASE_FAILED, WR_VIEW("x")), WR_OK);
	CHECK_STATUS(wr_runtime_phase(runtime, 1, WR_PHASE_STARTING, WR_VIEW("x")), WR_OK);
	say(&bed, worker, "two");
	CHECK_STATUS(wr_runtime_stop_worker(runtime, worker->id, WR_VIEW_NULL, NULL, &ack), WR_OK);
	CHECK_STATUS(wr_runtime_execution_ended(runtime, 1), WR_OK);
	CHECK_STATUS(wr_runtime_stop_worker(runtime, worker->id, WR_VIEW_NULL, &key, &ack), WR_OK);
	run = create_run(&bed);
	CHECK_STATUS(wr_runtime_interrupt(runtime, run->id, &other, &ack), WR_OK);
	CHECK_STATUS(wr_runtime_cancel_worker(runtime, run->id, WR_VIEW_NULL, NULL, &ack), WR_OK);
	CHECK_STATUS(wr_runtime_stop(runtime, &event_id), WR_OK);
	CHECK_U64(bed.store.log.count, WR_COUNT(expected));
	for (size_t i = 0; i < WR_COUNT(expected); i++) {
		const struct kept_record *record = &bed.store.log.records[i];
		CHECK_STATUS(wr_event_decode(&event, record->payload), WR_OK);
		CHECK_U64(event.kind, expected[i].kind);
		CHECK_U64(record->sequence, i + 1);
		CHECK_U64(record->worker, expected[i].worker);
		CHECK_U64(record->item, expected[i].item);
		CHECK_U64(record->urgency, expected[i].urgency);
	}
	bed_close(&bed);
}

static void test_a_full_store_still_takes_what_ends_things(void)
{
	const struct wr_create request = {.intent = WR_INTENT_ASSISTANT};
	const struct wr_output output = {.kind = WR_OUTPUT_TEXT_DONE, .text = WR_VIEW_INIT("x")};
	const struct wr_worker *worker, *out;
	struct wr_runtime *runtime;
	struct wr_error error;
	struct wr_ack ack;
	struct bed bed;
	uint64_t event_id;

	bed_open(&bed);
	runtime = bed.fixture.runtime;
	worker = fixture_create(&bed.fixture);
	CHECK_STATUS(wr_runtime_phase(runtime, 1, WR_PHASE_BUSY, WR_VIEW("x")), WR_OK);
	CHECK(wr_runtime_takes_output(runtime));
	bed.store.is_full = true;
	CHECK(!wr_runtime_takes_output(runtime));
	CHECK_STATUS(wr_runtime_create(runtime, &request, NULL, &out, &error), WR_FULL);
	CHECK_STATUS(fixture_input(&bed.fixture, worker, "x", &ack), WR_FULL);
	CHECK_STATUS(wr_runtime_output(runtime, 1, &output), WR_FULL);
	CHECK_STATUS(wr_runtime_phase(runtime, 1, WR_PHASE_IDLE, WR_VIEW("x")), WR_FULL);
	CHECK_STATUS(wr_runtime_phase(runtime, 1, WR_PHASE_FAILED, WR_VIEW("x")), WR_OK);
	CHECK_STATUS(wr_runtime_stop_worker(runtime, worker->id, WR_VIEW_NULL, NULL, &ack), WR_OK);
	CHECK_STATUS(wr_runtime_stop(runtime, &event_id), WR_OK);
	bed_close(&bed);
}

static void test_what_the_store_says_is_passed_on(void)
{
	static const enum wr_status moods[] = {WR_FULL, WR_OVERLOAD, WR_NO_MEMORY, WR_IO};
	const struct wr_create request = {.intent = WR_INTENT_ASSISTANT};
	const struct wr_output output = {.kind = WR_OUTPUT_TEXT_DONE, .text = WR_VIEW_INIT("x")};
	const struct wr_worker *worker, *out;
	struct wr_error error;
	struct wr_ack ack;
	struct bed bed;

	bed_open(&bed);
	worker = fixture_create(&bed.fixture);
	for (unsigned i = 0; i < WR_COUNT(moods); i++) {
		struct wr_runtime *runtime = bed.fixture.runtime;
		uint64_t event_id, head = fixture_head(&bed.fixture);
		bed.store.mood = moods[i];
		CHECK_STATUS(wr_runtime_create(runtime, &request, NULL, &out, &error), moods[i]);
		CHECK_STATUS(fixture_input(&bed.fixture, worker, "x", &ack), moods[i]);
		CHECK_STATUS(wr_runtime_output(runtime, 1, &output), moods[i]);
		CHECK_STATUS(wr_runtime_phase(runtime, 1, WR_PHASE_BUSY, WR_VIEW("x")), moods[i]);
		CHECK_STATUS(wr_runtime_stop_worker(runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
			     moods[i]);
		CHECK_STATUS(wr_runtime_stop(runtime, &event_id), moods[i]);
		CHECK_U64(fixture_head(&bed.fixture), head);
		CHECK(!wr_runtime_takes_output(runtime));
	}
	bed_close(&bed);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_worker_is_there_when_its_creation_is_visible),
	WR_TEST(test_a_hidden_worker_between_others_is_skipped),
	WR_TEST(test_faces_items_and_counts_follow_the_visible_end),
	WR_TEST(test_a_stop_of_the_runtime_is_seen_by_all_at_once),
	WR_TEST(test_unfinished_output_is_that_of_the_visible_end),
	WR_TEST(test_streams_and_cursors_end_where_it_is_visible),
	WR_TEST(test_retention_takes_nothing_that_nobody_could_see),
	WR_TEST(test_an_input_is_delivered_when_it_is_visible),
	WR_TEST(test_a_stop_waits_behind_inputs_and_a_cancel_does_not),
	WR_TEST(test_a_stop_of_the_runtime_waits_behind_inputs),
	WR_TEST(test_what_is_reported_while_delivering_is_shown_in_its_turn),
	WR_TEST(test_the_queue_gives_its_memory_back),
	WR_TEST(test_records_carry_their_item_and_their_urgency),
	WR_TEST(test_a_full_store_still_takes_what_ends_things),
	WR_TEST(test_what_the_store_says_is_passed_on),
	WR_TEST_END,
};
