/*
 * Goal (T5): a reader gets exactly the retained events after its cursor, each once and in order, or
 * the typed outcome that is the right one: never a silent gap, never a false expiry. Method: random
 * steps against a model that keeps the whole history of the log, also what was evicted and what an
 * unclean stop took away. Every event carries an id that is never used again, so that a sequence
 * which was used twice (before and after a lost tail) is told apart. Over a store, events become
 * visible late, readers that memory has left behind go on from the store, and the store retires.
 */
#include "unit/core/fixture.h"

enum {
	STEP_COUNT = 100000,
	WORKERS_MAX = 9,
	READERS = 12,
	TEXT_BYTES = 400,
	RECORDS_MAX = 1500 /* then the store is replaced: keeps replays short */
};

/* ---- the model: all that ever happened in this log ---- */

struct told {
	uint64_t id, sequence;
	uint32_t worker;
	bool in_worker, in_runtime;
};

struct history {
	struct told *events;
	size_t count, capacity;
	uint64_t ids;
};

static bool is_in_scope(const struct told *event, uint32_t scope)
{
	return scope == 0 ? event->in_runtime : event->in_worker && event->worker == scope;
}

/* The first event of a scope behind a sequence; NULL: none. */
static const struct told *history_next(const struct history *self, uint32_t scope,
				       uint64_t sequence)
{
	size_t low = 0, high = self->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (self->events[middle].sequence > sequence)
			high = middle;
		else
			low = middle + 1;
	}
	for (; low < self->count; low++)
		if (is_in_scope(&self->events[low], scope))
			return &self->events[low];
	return NULL;
}

static void history_add(struct history *self, const struct told *event)
{
	if (self->count == self->capacity) {
		self->capacity = self->capacity == 0 ? 1024 : self->capacity * 2;
		self->events = realloc(self->events, self->capacity * sizeof self->events[0]);
		CHECK(self->events != NULL);
	}
	self->events[self->count++] = *event;
}

/* ---- readers ---- */

struct reader {
	bool has_token, is_connected;
	uint32_t scope, generation;
	uint8_t log_tag[WR_LOG_TAG_BYTES];
	uint64_t sequence, id; /* of the last event it has; id 0: none of its own */
	/* While connected. */
	bool is_behind; /* what comes next is not in memory: read from the store */
	uint64_t position;
	uint32_t hint;
	char partial[4096]; /* of a frame */
	size_t partial_bytes;
};

struct model {
	struct fixture fixture;
	struct kept_store store;
	bool has_store;
	struct history history;
	struct reader readers[READERS];
	uint64_t random;
	uint32_t worker_count;
	struct {
		unsigned ok, delivered, stored, cut_off, outcomes[40];
	} seen;
};

static uint64_t draw(struct model *self, uint64_t below)
{
	return wr_test_random(&self->random) % below;
}

static struct wr_runtime *runtime_of(struct model *self)
{
	return self->fixture.runtime;
}

/* ---- what is retained, found by reading all of it ---- */

/* The id of an event: the number at the front of its text. */
static uint64_t id_of(struct wr_view text)
{
	uint64_t id = 0;

	for (size_t i = 0; i < text.bytes && text.data[i] >= '0' && text.data[i] <= '9'; i++)
		id = id * 10 + (uint64_t)(text.data[i] - '0');
	return id;
}

static uint64_t id_of_event(const struct wr_event *event)
{
	switch (event->kind) {
	case WR_EVENT_WORKER_CREATED:
		return id_of(event->as.created.request.purpose);
	case WR_EVENT_INPUT_ACCEPTED:
		return id_of(event->as.input.input.content);
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		return id_of(event->as.ended.reason);
	case WR_EVENT_OUTPUT:
		return id_of(event->as.output.text);
	case WR_EVENT_PHASE_CHANGED:
		return id_of(event->as.phase.cause);
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
	case WR_EVENT_REPEATABLE:
	case WR_EVENT_BUNDLE_STORED:
		return 0;
	}
	return 0;
}

/* The highest sequence of a scope that cannot be read any more: what the model says is evicted. */
static uint64_t highest_missing(struct model *self, uint32_t scope)
{
	struct wr_event_log *log = wr_runtime_log(runtime_of(self));
	uint64_t missing = 0, at = 0, position = 0, visible = wr_runtime_visible(runtime_of(self));
	const struct told *event;
	uint32_t hint = 0;

	if (self->has_store)
		return kept_evicted(&self->store, scope);
	if (scope != 0)
		position = wr_runtime_worker_events(runtime_of(self), scope)->begin;
	for (event = history_next(&self->history, scope, 0); event != NULL;
	     event = history_next(&self->history, scope, event->sequence)) {
		struct wr_order_frame frame;
		CHECK(event->sequence <= visible);
		if (scope != 0) {
			const struct wr_event_stream *stream =
				wr_runtime_worker_events(runtime_of(self), scope);
			uint64_t place = wr_event_stream_position(stream, event->sequence);
			if (place == UINT64_MAX || place < position)
				missing = event->sequence;
			continue;
		}
		if (at < event->sequence &&
		    wr_event_log_next(log, event->sequence - 1, &hint, &frame))
			at = frame.sequence;
		if (at != event->sequence)
			missing = event->sequence;
	}
	return missing;
}

/* ---- the right outcome of a token ---- */

static enum wr_status right_outcome(struct model *self, uint32_t scope,
				    const struct wr_cursor *cursor, uint64_t *from)
{
	struct wr_runtime_summary summary;
	struct wr_cursor ours;
	char token[WR_CURSOR_BYTES];
	uint64_t missing;

	wr_runtime_summary(runtime_of(self), &summary);
	wr_runtime_cursor(runtime_of(self), 0, 0, token);
	CHECK_STATUS(wr_cursor_parse(&ours, wr_view_of(token, sizeof token)), WR_OK);
	if (cursor->is_runtime != (scope == 0))
		return WR_SCOPE_MISMATCH;
	if (cursor->is_legacy) {
		*from = highest_missing(self, scope);
		return cursor->sequence == 0 ? WR_OK : WR_UNKNOWN;
	}
	if (memcmp(cursor->log_tag, ours.log_tag, WR_LOG_TAG_BYTES) != 0)
		return WR_UNKNOWN;
	if (cursor->worker != scope)
		return WR_SCOPE_MISMATCH;
	if (cursor->generation == 0 || cursor->generation > summary.generation)
		return WR_UNKNOWN;
	if (cursor->generation < summary.generation &&
	    cursor->sequence > self->store.ends[cursor->generation])
		return WR_LOST_TAIL;
	if (cursor->sequence > summary.last_sequence)
		return WR_AHEAD;
	missing = highest_missing(self, scope);
	*from = missing > cursor->sequence ? missing : cursor->sequence;
	return missing > cursor->sequence ? WR_EXPIRED : WR_OK;
}

static enum wr_status judge(struct model *self, uint32_t scope, struct wr_view token,
			    uint64_t *from)
{
	struct wr_cursor cursor;
	uint64_t right_from = 0;
	enum wr_status right = WR_MALFORMED, status;

	if (wr_cursor_parse(&cursor, token) == WR_OK)
		right = right_outcome(self, scope, &cursor, &right_from);
	*from = 0;
	status = wr_runtime_judge_cursor(runtime_of(self), scope, token, from);
	CHECK_STATUS(status, right);
	if (status == WR_OK || status == WR_EXPIRED)
		CHECK_U64(*from, right_from);
	self->seen.outcomes[status]++;
	return status;
}

/* ---- steps: things happen ---- */

static struct wr_view next_text(struct model *self, char out[TEXT_BYTES])
{
	int digits = snprintf(out, TEXT_BYTES, "%" PRIu64 " ", ++self->history.ids);
	size_t more = (size_t)draw(self, draw(self, 20) == 0 ? TEXT_BYTES - 30 : 40);

	memset(out + digits, 'x', more);
	return wr_view_of(out, (size_t)digits + more);
}

static void add_worker(struct model *self)
{
	char text[TEXT_BYTES];
	const struct wr_create request = {.purpose = next_text(self, text)};
	const struct wr_worker *worker;
	struct wr_error error;

	/* Seen at once, so that the number of Workers is what readers can ask for. */
	self->store.is_held = false;
	CHECK_STATUS(wr_runtime_create(runtime_of(self), &request, NULL, &worker, &error), WR_OK);
	wr_runtime_settle(runtime_of(self));
	self->worker_count++;
	history_add(&self->history, &(struct told){.id = self->history.ids,
						   .sequence = fixture_head(&self->fixture),
						   .worker = worker->number,
						   .in_runtime = true});
}

/* Worker 1 speaks half of the time, 2 a quarter, ...: chatty ones and quiet ones. */
static uint32_t draw_worker(struct model *self)
{
	uint64_t bits = wr_test_random(&self->random);
	uint32_t worker = 1;

	while ((bits & 1u) != 0 && worker < self->worker_count) {
		bits >>= 1;
		worker++;
	}
	return worker;
}

static void step_append(struct model *self)
{
	uint32_t number = draw_worker(self);
	const struct wr_worker *worker = wr_runtime_worker(runtime_of(self), number);
	char text[TEXT_BYTES];
	struct wr_output output = {.kind = WR_OUTPUT_TEXT_DELTA};
	struct wr_input input = {.kind = WR_INPUT_USER};
	struct wr_error error;
	struct wr_ack ack;
	uint64_t kind = draw(self, 200);

	if (self->worker_count < 3 || (kind == 0 && self->worker_count < WORKERS_MAX)) {
		add_worker(self);
		return;
	}
	output.text = input.content = next_text(self, text);
	if (worker->now.status == WR_WORKER_RUNNING && kind == 1 && number > 2)
		CHECK_STATUS(wr_runtime_stop_worker(runtime_of(self), worker->id, input.content,
						    NULL, &ack),
			     WR_OK);
	else if (worker->now.status == WR_WORKER_RUNNING && kind < 60)
		CHECK_STATUS(
			wr_runtime_input(runtime_of(self), worker->id, &input, NULL, &ack, &error),
			WR_OK);
	else
		CHECK_STATUS(wr_runtime_output(runtime_of(self), number, &output), WR_OK);
	history_add(&self->history, &(struct told){self->history.ids, fixture_head(&self->fixture),
						   number, true, true});
}

/* ---- steps: reading ---- */

static void disconnect(struct reader *reader)
{
	reader->is_connected = false;
	reader->partial_bytes = 0;
}

/* One event has arrived: it must be the next one. */
static void deliver(struct model *self, struct reader *reader, struct wr_view bytes)
{
	const struct told *expected = history_next(&self->history, reader->scope, reader->sequence);
	struct wr_cursor cursor;
	char token[WR_CURSOR_BYTES];
	struct wr_event event;

	CHECK_STATUS(wr_event_decode(&event, bytes), WR_OK);
	CHECK(expected != NULL);
	CHECK_U64(event.sequence, expected->sequence);
	CHECK_U64(id_of_event(&event), expected->id);
	CHECK_U64(event.worker, expected->worker);
	/* It remembers the cursor that came with the event. */
	wr_runtime_cursor(runtime_of(self), reader->scope, event.sequence, token);
	CHECK_STATUS(wr_cursor_parse(&cursor, wr_view_of(token, sizeof token)), WR_OK);
	memcpy(reader->log_tag, cursor.log_tag, WR_LOG_TAG_BYTES);
	reader->generation = cursor.generation;
	reader->has_token = true;
	reader->sequence = event.sequence;
	reader->id = expected->id;
	self->seen.delivered++;
}

static void take_bytes(struct model *self, struct reader *reader, struct wr_view bytes)
{
	struct wr_view rest, frame;

	CHECK(bytes.bytes <= sizeof reader->partial - reader->partial_bytes);
	memcpy(reader->partial + reader->partial_bytes, bytes.data, bytes.bytes);
	reader->partial_bytes += bytes.bytes;
	rest = wr_view_of(reader->partial, reader->partial_bytes);
	while (wr_event_frame_next(&rest, &frame))
		deliver(self, reader, frame);
	reader->partial_bytes = rest.bytes;
	memmove(reader->partial, rest.data, rest.bytes);
}

/* There is no event that it could be told now. */
static void check_all_seen(struct model *self, const struct reader *reader)
{
	const struct told *next = history_next(&self->history, reader->scope, reader->sequence);

	CHECK(next == NULL || next->sequence > wr_runtime_visible(runtime_of(self)));
}

/* Goes on from memory when it has come that far. */
static void catch_up(struct model *self, struct reader *reader)
{
	const struct wr_event_stream *stream =
		wr_runtime_worker_events(runtime_of(self), reader->scope);
	uint64_t gone =
		reader->scope == 0 ? wr_runtime_log(runtime_of(self))->evicted : stream->evicted;

	if (reader->sequence < gone)
		return;
	reader->is_behind = false;
	reader->hint = 0;
	if (reader->scope != 0)
		reader->position = wr_event_stream_seek(stream, reader->sequence);
}

static void poll_store(struct model *self, struct reader *reader)
{
	struct wr_store_place place = {0, 0};
	struct wr_view frame, bytes;
	enum wr_status status;
	uint64_t sequence;

	if (reader->sequence < wr_runtime_evicted(runtime_of(self), reader->scope)) {
		self->seen.cut_off++;
		disconnect(reader);
		return;
	}
	for (uint64_t n = 1 + draw(self, 6); n > 0; n--) {
		status = wr_runtime_stored_frame(runtime_of(self), reader->scope, reader->sequence,
						 &place, &sequence, &frame);
		if (status == WR_NOT_FOUND) {
			check_all_seen(self, reader);
			reader->sequence = wr_runtime_visible(runtime_of(self));
			reader->id = 0;
			break;
		}
		CHECK_STATUS(status, WR_OK);
		CHECK(wr_event_frame_next(&frame, &bytes) && frame.bytes == 0);
		deliver(self, reader, bytes);
		CHECK_U64(reader->sequence, sequence);
		self->seen.stored++;
	}
	catch_up(self, reader);
}

static void poll_worker(struct model *self, struct reader *reader)
{
	const struct wr_event_stream *stream =
		wr_runtime_worker_events(runtime_of(self), reader->scope);
	uint64_t max = draw(self, 3) == 0 ? 2000 : draw(self, 90);
	struct wr_view parts[3];
	unsigned count;

	if (reader->position < stream->begin) { /* typed: the stream says that it was cut off */
		if (self->has_store) {
			reader->is_behind = true;
			reader->partial_bytes = 0;
			return;
		}
		CHECK(highest_missing(self, reader->scope) > reader->sequence);
		self->seen.cut_off++;
		disconnect(reader);
		return;
	}
	if (max > stream->shown - reader->position)
		max = stream->shown - reader->position;
	count = wr_event_stream_read(stream, reader->position, parts, 3, max);
	for (unsigned i = 0; i < count; i++) {
		take_bytes(self, reader, parts[i]);
		reader->position += parts[i].bytes;
	}
	CHECK(count > 0 || max == 0 || reader->position == stream->shown);
	if (reader->position == stream->shown)
		check_all_seen(self, reader);
}

static void poll_runtime(struct model *self, struct reader *reader)
{
	struct wr_event_log *log = wr_runtime_log(runtime_of(self));
	struct wr_order_frame frame;
	struct wr_view bytes;

	if (reader->sequence < log->evicted) {
		if (self->has_store) {
			reader->is_behind = true;
			return;
		}
		CHECK(highest_missing(self, 0) > reader->sequence);
		self->seen.cut_off++;
		disconnect(reader);
		return;
	}
	for (uint64_t n = draw(self, 6); n > 0; n--) {
		if (!wr_event_log_next(log, reader->sequence, &reader->hint, &frame)) {
			check_all_seen(self, reader);
			return;
		}
		CHECK(wr_event_frame_next(&frame.bytes, &bytes) && frame.bytes.bytes == 0);
		deliver(self, reader, bytes);
	}
}

/* The event that a reader holds still is what it was: same id at the same sequence. */
static bool is_its_event_still_told(const struct model *self, const struct reader *reader)
{
	const struct told *event =
		history_next(&self->history, reader->scope, reader->sequence - 1);

	return event != NULL && event->sequence == reader->sequence && event->id == reader->id;
}

static void connect_reader(struct model *self, struct reader *reader)
{
	struct wr_cursor cursor = {.is_runtime = reader->scope == 0,
				   .generation = reader->generation,
				   .worker = reader->scope,
				   .sequence = reader->sequence};
	char token[WR_CURSOR_BYTES];
	uint64_t from = wr_runtime_visible(runtime_of(self));

	if (reader->scope > self->worker_count)
		return; /* 404 before any cursor */
	if (reader->has_token) {
		memcpy(cursor.log_tag, reader->log_tag, WR_LOG_TAG_BYTES);
		wr_cursor_format(token, &cursor);
		if (judge(self, reader->scope, wr_view_of(token, sizeof token), &from) != WR_OK) {
			reader->has_token = false; /* it starts anew, and knows that */
			return;
		}
		CHECK_U64(from, reader->sequence);
		/* What it saw was not lost or replaced behind its back. */
		CHECK(reader->id == 0 || is_its_event_still_told(self, reader));
	} else { /* a snapshot, whose cursor is the visible end */
		reader->sequence = from;
		reader->id = 0;
	}
	self->seen.ok++;
	reader->is_connected = true;
	reader->is_behind = true;
	catch_up(self, reader);
	CHECK(!reader->is_behind || self->has_store);
}

static void step_read(struct model *self)
{
	struct reader *reader = &self->readers[draw(self, READERS)];

	/* Some readers are slow: they come by rarely and hold their position meanwhile. */
	if (reader - self->readers < READERS / 3 && draw(self, 8) != 0)
		return;
	if (!reader->is_connected) {
		if (!reader->has_token && draw(self, 4) == 0)
			reader->scope = (uint32_t)draw(self, self->worker_count + 1);
		connect_reader(self, reader);
	} else if (draw(self, 25) == 0) {
		disconnect(reader); /* the line was cut, perhaps within a frame */
	} else if (reader->is_behind) {
		poll_store(self, reader);
	} else if (reader->scope != 0) {
		poll_worker(self, reader);
	} else {
		poll_runtime(self, reader);
	}
}

/* ---- steps: tokens from anywhere ---- */

static void step_foreign(struct model *self)
{
	const struct reader *reader = &self->readers[draw(self, READERS)];
	struct wr_cursor cursor = {.generation = reader->generation,
				   .worker = (uint32_t)draw(self, self->worker_count + 2),
				   .sequence = draw(self, fixture_head(&self->fixture) + 3)};
	uint32_t scope = (uint32_t)draw(self, self->worker_count + 1);
	char token[WR_CURSOR_BYTES];
	uint64_t from, kind = draw(self, 8);

	memcpy(cursor.log_tag, reader->log_tag, WR_LOG_TAG_BYTES);
	cursor.is_runtime = cursor.worker == 0;
	if (kind == 0)
		cursor.is_runtime = !cursor.is_runtime;
	if (kind == 1)
		cursor.generation = (uint32_t)draw(self, 9);
	if (kind == 2)
		cursor.sequence += draw(self, 2) == 0 ? 1000000 : UINT64_MAX / 2;
	if (kind >= 3) /* as if it were of this scope: old ones, expired ones, the head */
		cursor.is_runtime = (cursor.worker = scope) == 0;
	wr_cursor_format(token, &cursor);
	if (kind == 4)
		token[draw(self, sizeof token)] = (char)draw(self, 256);
	judge(self, scope, wr_view_of(token, sizeof token), &from);
	if (kind == 5)
		judge(self, scope,
		      draw(self, 2) == 0 ? WR_VIEW("wo_0000000000000000")
					 : WR_VIEW("wo_00000000000000a7"),
		      &from);
	if (kind == 6)
		judge(self, scope, wr_view_of(token, (size_t)draw(self, sizeof token)), &from);
}

/* ---- steps: the store ---- */

/* Visibility moves, or stands still for a while. */
static void step_settle(struct model *self)
{
	uint64_t visible = wr_runtime_visible(runtime_of(self));
	uint64_t hidden = fixture_head(&self->fixture) - visible;

	self->store.is_held = draw(self, 3) != 0;
	self->store.shown = visible + draw(self, hidden + 1);
	wr_runtime_settle(runtime_of(self));
	if (self->has_store)
		CHECK_U64(wr_runtime_visible(runtime_of(self)), kept_visible(&self->store));
	wr_runtime_trim(runtime_of(self));
}

/* The store gives up the oldest of a Worker. */
static void step_retire(struct model *self)
{
	uint32_t worker = 1 + (uint32_t)draw(self, self->worker_count);
	uint64_t visible = wr_runtime_visible(runtime_of(self));
	const struct told *event =
		history_next(&self->history, worker, self->store.evicted[worker]);

	if (!self->has_store)
		return;
	for (uint64_t n = draw(self, 6); event != NULL && n > 0; n--)
		if (event->sequence + 60 < visible) {
			self->store.evicted[worker] = event->sequence;
			event = history_next(&self->history, worker, event->sequence);
		}
}

/* ---- steps: restarts ---- */

static void open_runtime(struct model *self)
{
	fixture_open(&self->fixture);
	for (unsigned i = 0; i < READERS; i++)
		disconnect(&self->readers[i]);
}

/* Everything is new: the log of a memory store, or a store that was replaced. */
static void begin_log(struct model *self)
{
	struct kept_store *store = &self->store;

	kept_store_deinit(store);
	*store = (struct kept_store){.generation = 1};
	for (size_t i = 0; i < sizeof store->log_id; i++)
		store->log_id[i] = (uint8_t)wr_test_random(&self->random);
	self->has_store = draw(self, 3) != 0;
	self->fixture.ports.store = (struct wr_store){self->has_store ? &kept_store_ops : NULL,
						      self->has_store ? store : NULL};
	self->history.count = 0;
	self->worker_count = 0;
	open_runtime(self);
	history_add(&self->history, &(struct told){.sequence = 1, .in_runtime = true});
	for (int i = 0; i < 3; i++)
		add_worker(self);
}

/* An unclean stop: the newest records are gone, and the generations know where they ended. */
static void lose_tail(struct model *self)
{
	struct kept_store *store = &self->store;
	size_t most = store->log.count - 10, lost;
	uint64_t last;

	lost = (size_t)draw(self, most < 60 ? most + 1 : 60);
	kept_store_cut(store, lost);
	last = store->log.records[store->log.count - 1].sequence;
	while (self->history.events[self->history.count - 1].sequence > last)
		self->history.count--;
	for (unsigned i = 0; i < KEPT_WORKERS; i++)
		CHECK(store->evicted[i] <= last);
	store->ends[store->generation++] = last;
	for (uint32_t g = 1; g < store->generation; g++)
		if (store->ends[g] > last)
			store->ends[g] = last;
}

static void step_restart(struct model *self)
{
	fixture_close(&self->fixture);
	self->store.is_held = false;
	if (!self->has_store || self->store.log.count > RECORDS_MAX || draw(self, 12) == 0) {
		begin_log(self);
		return;
	}
	if (self->store.generation < 7 && self->store.log.count > 20 && draw(self, 2) == 0)
		lose_tail(self);
	open_runtime(self);
	self->worker_count = 0;
	while (wr_runtime_worker(runtime_of(self), self->worker_count + 1) != NULL)
		self->worker_count++;
}

static void test_readers_miss_nothing_and_expire_exactly(void)
{
	static struct model self;
	static const enum wr_status outcomes[] = {WR_OK,      WR_MALFORMED, WR_SCOPE_MISMATCH,
						  WR_UNKNOWN, WR_AHEAD,	    WR_LOST_TAIL,
						  WR_EXPIRED};

	self.random = wr_test_seed();
	/* Another sequence: two logs that drew the same id would not be told apart. */
	fixture_init(&self.fixture, ~self.random * 0x2545f4914f6cdd1du);
	self.fixture.config.retention = (struct wr_retention){.stream_events_max = 24,
							      .stream_bytes_max = 4000,
							      .events_max = 70,
							      .bytes_max = 9000};
	for (unsigned i = 0; i < READERS; i++)
		self.readers[i].scope = i % 4;
	begin_log(&self);
	for (unsigned step = 0; step < STEP_COUNT; step++) {
		uint64_t kind = draw(&self, 1000);
		if (kind < 2)
			step_restart(&self);
		else if (kind < 60)
			step_foreign(&self);
		else if (kind < 120)
			step_settle(&self);
		else if (kind < 130)
			step_retire(&self);
		else if (kind < 500)
			step_append(&self);
		else
			step_read(&self);
	}
	/* The run was about something: all of it happened, and often. */
	CHECK(self.seen.ok > 500 && self.seen.delivered > 10000 && self.seen.cut_off > 50);
	CHECK(self.seen.stored > 2000);
	for (size_t i = 0; i < WR_COUNT(outcomes); i++) {
		wr_test_case(wr_status_name(outcomes[i]));
		CHECK(self.seen.outcomes[outcomes[i]] > 20);
	}
	fixture_close(&self.fixture);
	kept_store_deinit(&self.store);
	free(self.history.events);
}

/* ---- lost tails, step by step ---- */

static void test_a_cursor_beyond_what_was_recovered_is_a_lost_tail_for_ever(void)
{
	struct kept_store store = {.generation = 1, .log_id = {9}};
	char token[6][WR_CURSOR_BYTES];
	const struct wr_worker *worker;
	struct fixture fixture;
	struct wr_ack ack;
	uint64_t from;

	fixture_init(&fixture, 1);
	fixture.ports.store = (struct wr_store){&kept_store_ops, &store};
	fixture_open(&fixture);
	worker = fixture_create(&fixture);
	for (int i = 0; i < 4; i++) /* sequences 3 to 6 */
		CHECK_STATUS(fixture_input(&fixture, worker, "hello", &ack), WR_OK);
	for (unsigned i = 0; i < 6; i++)
		wr_runtime_cursor(fixture.runtime, 1, i + 1, token[i]);
	fixture_close(&fixture);
	kept_store_cut(&store, 2); /* 5 and 6 are gone */
	store.generation = 2;
	store.ends[1] = 4;
	fixture_open(&fixture);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 6; i++) {
			struct wr_view view = wr_view_of(token[i], sizeof token[i]);
			CHECK_STATUS(wr_runtime_judge_cursor(fixture.runtime, 1, view, &from),
				     i < 4 ? WR_OK : WR_LOST_TAIL);
		}
		/* New events take the numbers 5 to 8: they are not what the old cursors saw. */
		for (int i = 0; i < 4; i++)
			CHECK_STATUS(fixture_input(&fixture, wr_runtime_worker(fixture.runtime, 1),
						   "new", &ack),
				     WR_OK);
	}
	fixture_close(&fixture);
	kept_store_deinit(&store);
}

static void test_a_quiet_workers_cursor_outlives_any_chatter(void)
{
	const struct wr_worker *quiet, *chatty;
	char token[WR_CURSOR_BYTES], wide[WR_CURSOR_BYTES];
	struct fixture fixture;
	struct wr_ack ack;
	uint64_t from;

	fixture_init(&fixture, 1);
	fixture.config.retention = (struct wr_retention){100, 10000, 30, 5000};
	fixture_open(&fixture);
	quiet = fixture_create(&fixture);
	chatty = fixture_create(&fixture);
	CHECK_STATUS(fixture_input(&fixture, quiet, "one", &ack), WR_OK);
	wr_runtime_cursor(fixture.runtime, 1, ack.event_id - 1, token);
	wr_runtime_cursor(fixture.runtime, 0, ack.event_id - 1, wide);
	for (int i = 0; i < 5000; i++)
		CHECK_STATUS(fixture_input(&fixture, chatty, "more and more", &ack), WR_OK);
	CHECK_STATUS(
		wr_runtime_judge_cursor(fixture.runtime, 1, wr_view_of(token, sizeof token), &from),
		WR_OK);
	CHECK_STATUS(
		wr_runtime_judge_cursor(fixture.runtime, 0, wr_view_of(wide, sizeof wide), &from),
		WR_EXPIRED);
	/* The oldest usable one is usable, the one before it is not. */
	wr_runtime_cursor(fixture.runtime, 0, from, wide);
	CHECK_STATUS(
		wr_runtime_judge_cursor(fixture.runtime, 0, wr_view_of(wide, sizeof wide), &from),
		WR_OK);
	wr_runtime_cursor(fixture.runtime, 0, from - 1, wide);
	CHECK_STATUS(
		wr_runtime_judge_cursor(fixture.runtime, 0, wr_view_of(wide, sizeof wide), &from),
		WR_EXPIRED);
	fixture_close(&fixture);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_readers_miss_nothing_and_expire_exactly, 120),
	WR_TEST(test_a_cursor_beyond_what_was_recovered_is_a_lost_tail_for_ever),
	WR_TEST(test_a_quiet_workers_cursor_outlives_any_chatter),
	WR_TEST_END,
};
