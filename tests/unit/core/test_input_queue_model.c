/*
 * Goal: whatever happens in whatever order, an input is given at most once, in order, and only when
 * it is visible; a queue takes what its bound lets in and nothing else; and every input has one end
 * in the log, which tells what waits as the Runtime has it, live, seen from outside, and after
 * every crash. Method: random steps; the log itself, read by a few lines that know nothing of the
 * Runtime's lists, is the model. Every input has a text of its own.
 */
#include "unit/core/turns.h"

#include "bytes/endian.h"

enum { STEP_COUNT = 40000, WORKERS_MAX = 8, TEXTS_MAX = 200000, RECORDS_MAX = 900 };

/* What a log says of a Worker up to a record. */
struct told {
	bool is_there, is_running;
	uint64_t waiting[WR_QUEUE_TRACKED_MAX];
	unsigned count;
	uint64_t dropped[WR_QUEUE_TRACKED_MAX]; /* by its end */
	unsigned dropped_count;
};

struct model {
	struct turns turns;
	uint64_t random, texts;
	struct told told;
	/* By text: the record that accepted it, and whether it was given. */
	uint64_t accepted[TEXTS_MAX];
	bool is_given[TEXTS_MAX];
	unsigned given, refused, queued, dropped, crashes;
};

static uint64_t draw(struct model *self, uint64_t below)
{
	return wr_test_random(&self->random) % below;
}

/* ---- reading the log ---- */

static void take_off(struct told *told, uint64_t sequence, bool must_be_there)
{
	for (unsigned i = 0; i < told->count; i++)
		if (told->waiting[i] == sequence) {
			told->count--;
			memmove(&told->waiting[i], &told->waiting[i + 1],
				(told->count - i) * sizeof told->waiting[0]);
			return;
		}
	CHECK(!must_be_there);
}

static void read_dropped(struct told *told, struct wr_view dropped, bool is_end)
{
	uint64_t sequence;

	while (wr_sequences_next(&dropped, &sequence)) {
		take_off(told, sequence, true);
		if (is_end)
			told->dropped[told->dropped_count++] = sequence;
	}
}

static void read_event(struct told *told, const struct wr_event *event)
{
	while (event->delivered != 0 && told->count != 0 && told->waiting[0] <= event->delivered)
		take_off(told, told->waiting[0], true);
	switch (event->kind) {
	case WR_EVENT_WORKER_CREATED:
		told->is_there = told->is_running = true;
		break;
	case WR_EVENT_INPUT_ACCEPTED:
		CHECK(event->as.input.waits_for_turn && told->is_running);
		told->waiting[told->count++] = event->sequence;
		break;
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		CHECK(told->is_running);
		told->is_running = false;
		read_dropped(told, event->as.ended.dropped, true);
		break;
	case WR_EVENT_PHASE_CHANGED:
		read_dropped(told, event->as.phase.dropped, false);
		break;
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
	case WR_EVENT_OUTPUT:
	case WR_EVENT_REPEATABLE:
	case WR_EVENT_BUNDLE_STORED:
		break;
	}
}

static const struct told *read_log(struct model *self, uint32_t worker, uint64_t up_to)
{
	const struct kept_list *log = &self->turns.store.log;
	struct told *told = &self->told;
	struct wr_event event;

	memset(told, 0, sizeof *told);
	for (size_t i = 0; i < log->count && log->records[i].sequence <= up_to; i++) {
		if (log->records[i].worker != worker)
			continue;
		CHECK_STATUS(wr_event_decode(&event, log->records[i].payload), WR_OK);
		read_event(told, &event);
	}
	return told;
}

/* ---- the Runtime against it ---- */

static void check_waiting(struct model *self, const struct wr_worker *worker)
{
	const struct told *told = read_log(self, worker->number, UINT64_MAX);
	const struct wr_queued_input *input = worker->queue.first;
	unsigned i = 0;

	CHECK(told->is_running == (worker->now.status == WR_WORKER_RUNNING));
	for (; input != NULL && told->is_running; input = input->next)
		if (input->gone == 0)
			CHECK(i < told->count && told->waiting[i++] == input->sequence);
	CHECK(!told->is_running || i == told->count);
	CHECK_U64(wr_sequences_count(worker->dropped), told->dropped_count);
	for (i = 0; i < told->dropped_count; i++)
		CHECK_U64(wr_load_le64(worker->dropped.data + 8 * i), told->dropped[i]);
}

static void check_shown(struct model *self, const struct wr_worker *worker)
{
	const struct told *told = read_log(self, worker->number, worker->shown.last_sequence);
	const struct wr_queued_input *input = NULL;
	unsigned i = 0;

	/* One that stops takes what came before with it, in its time. */
	if (worker->shown.last_sequence == 0 || !told->is_running ||
	    worker->now.status != WR_WORKER_RUNNING)
		return;
	while ((input = wr_input_queue_shown(&worker->queue, input, worker->shown.last_sequence)) !=
	       NULL)
		CHECK(i < told->count && told->waiting[i++] == input->sequence);
	CHECK_U64(i, told->count);
}

static uint64_t text_number(const char *text)
{
	uint64_t number = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		number = number * 10 + (uint64_t)(*text - '0');
	return number;
}

/* Calls since the last step: what was given was waiting, is visible, and comes in order. */
static void check_given(struct model *self)
{
	char *at = self->turns.calls;
	uint64_t last[TURNS_WORKERS] = {0};

	while ((at = strstr(at, "deliver(")) != NULL) {
		uint64_t worker = text_number(at + 8), text;
		at = strchr(at, ' ') + 1;
		text = text_number(at);
		CHECK(text < TEXTS_MAX && self->accepted[text] != 0 && !self->is_given[text]);
		CHECK(self->accepted[text] <= wr_runtime_visible(self->turns.fixture.runtime));
		CHECK(text > last[worker]);
		last[worker] = text;
		self->is_given[text] = true;
		self->given++;
	}
	self->turns.calls[0] = '\0';
}

static void check_all(struct model *self)
{
	struct wr_runtime *runtime = self->turns.fixture.runtime;

	check_given(self);
	for (uint32_t number = 1; number <= runtime->catalog.count; number++) {
		const struct wr_worker *worker = wr_catalog_at(&runtime->catalog, number);
		check_waiting(self, worker);
		check_shown(self, worker);
	}
}

/* ---- steps ---- */

static struct wr_worker *choose(struct model *self)
{
	struct wr_catalog *catalog = &self->turns.fixture.runtime->catalog;

	return catalog->count == 0
		       ? NULL
		       : wr_catalog_at(catalog, 1 + (uint32_t)draw(self, catalog->count));
}

static void create(struct model *self)
{
	static const struct wr_busy_policy policies[] = {
		{WR_BUSY_UNSAID, 0}, {WR_BUSY_QUEUE, 1}, {WR_BUSY_QUEUE, 3}, {WR_BUSY_QUEUE, 16}};
	const struct wr_create request = {.busy = policies[draw(self, WR_COUNT(policies))]};
	const struct wr_worker *worker;
	struct wr_error error;

	if (self->turns.fixture.runtime->catalog.count < WORKERS_MAX)
		CHECK_STATUS(wr_runtime_create(self->turns.fixture.runtime, &request, NULL, &worker,
					       &error),
			     WR_OK);
}

/* How many of those that wait had to queue: all that were not admitted at once. */
static enum wr_status expect(const struct model *self, const struct wr_worker *worker)
{
	const struct turns *turns = &self->turns;
	unsigned undelivered = 0, queued = 0;

	for (const struct wr_queued_input *input = worker->queue.first; input != NULL;
	     input = input->next)
		if (input->gone == 0 && !input->is_delivered) {
			undelivered++;
			queued += !input->is_admitted;
		}
	if (worker->now.status != WR_WORKER_RUNNING)
		return WR_CONFLICT;
	if (!turns->is_busy[worker->number] && !turns->has_no_place && undelivered == 0)
		return WR_OK;
	return worker->busy.kind == WR_BUSY_QUEUE && queued < worker->busy.inputs_max ? WR_OK
										      : WR_BUSY;
}

static void say(struct model *self)
{
	const struct wr_worker *worker = choose(self);
	char text[32];
	struct wr_input input = {WR_INPUT_USER, {text, 0}};
	enum wr_status expected, status;
	struct wr_error error;
	struct wr_ack ack;

	if (worker == NULL)
		return;
	expected = expect(self, worker);
	input.content.bytes = (size_t)snprintf(text, sizeof text, "%" PRIu64, ++self->texts);
	status = wr_runtime_input(self->turns.fixture.runtime, worker->id, &input, NULL, &ack,
				  &error);
	CHECK_STATUS(status, expected);
	if (status == WR_OK)
		self->accepted[self->texts] = ack.event_id;
	self->refused += status == WR_BUSY;
	self->queued += status == WR_OK && worker->queue.queued.count != 0;
}

static void end_turn(struct model *self)
{
	static const enum wr_phase phases[] = {WR_PHASE_IDLE, WR_PHASE_IDLE, WR_PHASE_FAILED,
					       WR_PHASE_INTERRUPTED};
	const struct wr_worker *worker = choose(self);
	struct wr_runtime *runtime = self->turns.fixture.runtime;
	struct wr_ack ack;

	if (worker == NULL || !self->turns.is_busy[worker->number] ||
	    worker->now.status != WR_WORKER_RUNNING || worker->now.phase != WR_PHASE_BUSY)
		return;
	if (draw(self, 4) == 0) {
		CHECK_STATUS(wr_runtime_interrupt(runtime, worker->id, NULL, &ack), WR_OK);
		return;
	}
	self->turns.is_busy[worker->number] = false;
	CHECK_STATUS(
		wr_runtime_phase(runtime, worker->number, phases[draw(self, 4)], WR_VIEW("done")),
		WR_OK);
}

static void end_worker(struct model *self)
{
	const struct wr_worker *worker = choose(self);
	struct wr_runtime *runtime = self->turns.fixture.runtime;
	bool is_cancel = draw(self, 2) == 0;
	struct wr_ack ack, again;

	if (worker == NULL)
		return;
	CHECK_STATUS(
		is_cancel ? wr_runtime_cancel_worker(runtime, worker->id, WR_VIEW_NULL, NULL, &ack)
			  : wr_runtime_stop_worker(runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		WR_OK);
	CHECK_STATUS(wr_runtime_cancel_worker(runtime, worker->id, WR_VIEW_NULL, NULL, &again),
		     WR_OK);
	CHECK(again.event_id == ack.event_id && again.status == ack.status);
	CHECK_VIEW(again.dropped, ack.dropped);
	self->dropped += ack.dropped.data != NULL;
}

static void show(struct model *self)
{
	struct kept_store *store = &self->turns.store;
	uint64_t visible = wr_runtime_visible(self->turns.fixture.runtime);
	uint64_t head = kept_head(store);

	store->is_held = true;
	store->shown =
		visible + (draw(self, 3) == 0 ? head - visible : draw(self, head - visible + 1));
	store->wants_checkpoint = draw(self, 10) == 0;
	wr_runtime_settle(self->turns.fixture.runtime);
}

/* Some of what nobody could see is lost; nothing of what a checkpoint has. */
static void crash(struct model *self)
{
	struct turns *turns = &self->turns;
	uint64_t visible = wr_runtime_visible(turns->fixture.runtime);
	uint64_t head = kept_head(&turns->store), kept = visible;

	if (turns->store.parts.count != 0 && turns->store.parts.records[0].sequence > kept)
		kept = turns->store.parts.records[0].sequence;
	fixture_close(&turns->fixture);
	kept_store_cut(&turns->store, (size_t)draw(self, head - kept + 1));
	turns->store.is_held = false;
	turns->store.wants_checkpoint = false;
	turns->store.ignores_checkpoint = draw(self, 4) == 0;
	turns_start(turns);
	self->crashes++;
	/* Whoever runs waits for nothing: all was named. */
	for (uint32_t number = 1; number <= turns->fixture.runtime->catalog.count; number++) {
		const struct told *told = read_log(self, number, UINT64_MAX);
		CHECK(!told->is_running || told->count == 0);
	}
}

static void begin_anew(struct model *self)
{
	turns_close(&self->turns);
	turns_open(&self->turns, true);
}

static void step(struct model *self)
{
	uint64_t kind = draw(self, 200);

	if (self->turns.store.log.count > RECORDS_MAX || draw(self, 700) == 0)
		begin_anew(self);
	if (kind < 8)
		create(self);
	else if (kind < 90)
		say(self);
	else if (kind < 130)
		end_turn(self);
	else if (kind < 190)
		show(self);
	else if (kind < 194)
		self->turns.has_no_place = draw(self, 3) == 0;
	else if (kind < 196)
		end_worker(self);
	else if (draw(self, 3) == 0)
		crash(self);
}

static void test_every_input_has_one_end(void)
{
	static struct model model;

	model.random = wr_test_seed();
	turns_open(&model.turns, true);
	for (unsigned i = 0; i < STEP_COUNT; i++) {
		step(&model);
		check_all(&model);
	}
	turns_close(&model.turns);
	CHECK(model.given > 1000 && model.refused > 1000 && model.queued > 1000 &&
	      model.dropped > 20 && model.crashes > 100);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_every_input_has_one_end, 120),
	WR_TEST_END,
};
