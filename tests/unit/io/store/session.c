#include "session.h"

#include "bytes/endian.h"
#include "check.h"
#include "harness/harness.h"
#include "io/store/store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PART_HEAD_BYTES = 16, PARTS_MAX = 4, PAYLOAD_BYTES_MAX = 8192, TURNS_MAX = 400, SLACK = 64 };

/* ---- the world ---- */

static uint64_t clock_ms = 1000;
static uint64_t entropy_state = 1;

static uint64_t now_ms(void)
{
	return clock_ms;
}

static int64_t wall_ms(void)
{
	return 1700000000000 + (int64_t)clock_ms;
}

static enum wr_status fill_entropy(void *out, size_t bytes)
{
	unsigned char *to = out;

	for (size_t i = 0; i < bytes; i++)
		to[i] = (unsigned char)wr_test_random(&entropy_state);
	return WR_OK;
}

void wr_session_pass_ms(uint64_t ms)
{
	clock_ms += ms;
}

static uint64_t draw(struct wr_session *self, uint64_t below)
{
	return wr_test_random(&self->random) % below;
}

/* ---- bytes that follow from a number ---- */

static void fill(char *out, size_t bytes, uint64_t nonce)
{
	for (size_t i = 0; i < bytes; i++) {
		if (i % 8 == 0)
			wr_test_random(&nonce);
		out[i] = (char)(nonce >> i % 8 * 8);
	}
}

static bool is_filled(const char *data, size_t bytes, uint64_t nonce)
{
	for (size_t i = 0; i < bytes; i++) {
		if (i % 8 == 0)
			wr_test_random(&nonce);
		if (data[i] != (char)(nonce >> i % 8 * 8))
			return false;
	}
	return true;
}

/* A part of a checkpoint: sequence u64, index u32, count u32, and more that follows from these.
 * Some checkpoints are so long that a segment has to grow for them. */
static size_t make_part(const struct wr_session *self, char out[PAYLOAD_BYTES_MAX],
			uint64_t sequence, uint32_t index, uint32_t count)
{
	uint64_t more = sequence % 4 == 0 ? self->options.payload_bytes_max - PART_HEAD_BYTES : 48;
	size_t bytes = PART_HEAD_BYTES + (size_t)((sequence * 7 + index * 13) % more);

	wr_store_le64(out, sequence);
	wr_store_le32(out + 8, index);
	wr_store_le32(out + 12, count);
	fill(out + PART_HEAD_BYTES, bytes - PART_HEAD_BYTES, sequence + index);
	return bytes;
}

static void check_event(const struct wr_session *self, const struct wr_store_record *record)
{
	const struct wr_session_event *event;

	CHECK(record->sequence > 0 && record->sequence <= self->head);
	event = &self->events[record->sequence];
	CHECK_U64(record->worker, event->worker);
	CHECK_U64(record->item, event->item);
	CHECK_U64(record->payload.bytes, event->bytes);
	CHECK(is_filled(record->payload.data, record->payload.bytes, event->nonce));
}

/* ---- opening ---- */

struct replayed {
	struct wr_session *session;
	uint64_t last;
	uint32_t part_count, parts_left;
	bool has_event;
};

static enum wr_status take_part(void *context, const struct wr_store_record *record)
{
	struct replayed *self = context;
	char expected[PAYLOAD_BYTES_MAX];
	uint32_t count;
	size_t bytes;

	CHECK(!self->has_event && record->worker == 0 && record->item == 0);
	CHECK(record->sequence <= self->session->head);
	CHECK(record->payload.bytes >= PART_HEAD_BYTES);
	count = wr_load_le32(record->payload.data + 12);
	if (self->part_count == 0) {
		CHECK(count > 0 && count <= PARTS_MAX);
		self->part_count = self->parts_left = count;
		self->last = record->sequence;
	}
	CHECK(self->parts_left > 0 && record->sequence == self->last);
	bytes = make_part(self->session, expected, record->sequence,
			  self->part_count - self->parts_left, self->part_count);
	self->parts_left--;
	CHECK_VIEW(record->payload, wr_view_of(expected, bytes));
	return WR_OK;
}

static enum wr_status take_event(void *context, const struct wr_store_record *record)
{
	struct replayed *self = context;

	CHECK_U64(self->parts_left, 0);
	CHECK_U64(record->sequence, self->last + 1);
	check_event(self->session, record);
	self->last = record->sequence;
	self->has_event = true;
	return WR_OK;
}

static enum wr_status take_quarantine(void *context, uint32_t worker)
{
	struct replayed *self = context;

	(void)worker;
	CHECK(self->session->may_not_read);
	return WR_OK;
}

static void count_items(struct wr_session *self)
{
	memset(self->items, 0, sizeof self->items);
	for (uint64_t i = 1; i <= self->head; i++)
		if (self->events[i].item != 0)
			self->items[self->events[i].worker] = self->events[i].item;
}

static void check_generation_ends(const struct wr_session *self, uint32_t generation,
				  uint32_t first_ended)
{
	void *context = self->port.context;

	for (uint32_t g = 1; g < generation; g++)
		CHECK_U64(self->port.ops->generation_end(context, g),
			  g < first_ended ? self->generation_ends[g] : self->head);
	CHECK_U64(self->port.ops->generation_end(context, generation + 1), 0);
}

/* What the opening says of itself, against what it may. */
static void check_bounds(struct wr_session *self, const struct wr_session_bounds *bounds,
			 const struct wr_store_log *log, uint64_t last)
{
	struct wr_fs_info info;

	wr_fs_store_info(self->store, &info);
	CHECK(!info.recovery.is_damaged || self->may_not_read);
	CHECK(info.recovery.quarantined_count == 0 || self->may_not_read);
	CHECK(last >= bounds->shown);
	CHECK(last <= bounds->head);
	CHECK_U64(info.recovery.last_sequence, last);
	CHECK_U64(self->port.ops->visible(self->port.context), last);
	if (info.recovery.was_new) {
		CHECK(bounds->shown == 0 && !bounds->must_be_clean);
		CHECK_U64(log->generation, 1);
		CHECK_U64(last, 0);
		return;
	}
	CHECK(bounds->shown == 0 || memcmp(log->log_id, self->log_id, WR_LOG_ID_BYTES) == 0);
	if (info.recovery.was_clean) {
		CHECK(bounds->may_be_clean || bounds->must_be_clean);
		CHECK(log->generation >= bounds->generation);
		CHECK(log->generation <= bounds->generation + bounds->unclean_count);
		CHECK_U64(last, bounds->head);
	} else {
		CHECK(!bounds->must_be_clean);
		CHECK(log->generation >= bounds->generation + 1);
		CHECK(log->generation <= bounds->generation + 1 + bounds->unclean_count);
	}
}

/* The history is what the store has. */
static void go_on_from(struct wr_session *self, const struct wr_session_bounds *bounds,
		       const struct wr_store_log *log, uint64_t last)
{
	self->head = self->shown = self->durable = self->recovered = last;
	count_items(self);
	CHECK(log->generation < WR_SESSION_GENERATIONS_MAX);
	if (memcmp(self->log_id, log->log_id, WR_LOG_ID_BYTES) == 0 && log->generation > 1)
		check_generation_ends(self, log->generation,
				      bounds->generation == 0 ? 1 : bounds->generation);
	for (uint32_t g = bounds->generation; g < log->generation; g++)
		self->generation_ends[g] = last;
	memcpy(self->log_id, log->log_id, WR_LOG_ID_BYTES);
	self->generation = log->generation;
	for (uint32_t i = 0; i <= WR_SESSION_WORKERS; i++) {
		self->evicted_seen[i] = self->port.ops->evicted(self->port.context, i);
		self->first_item_seen[i] = self->port.ops->first_item(self->port.context, i);
	}
	self->phase = WR_SESSION_OPEN;
}

bool wr_session_try_open(struct wr_session *self, const struct wr_session_bounds *bounds,
			 enum wr_status *status)
{
	struct replayed replayed = {.session = self};
	struct wr_store_replay to = {&replayed, take_part, take_event, take_quarantine};
	struct wr_store_log log = {.generation = 0};
	struct wr_fs_config config;
	struct wr_fs_error error;
	uint64_t head = self->head;

	CHECK(self->store == NULL);
	wr_fs_defaults(&config);
	config.disk = &self->disk;
	config.is_inline = !self->options.has_thread;
	config.durability = self->options.durability;
	config.segment_bytes = self->options.segment_bytes;
	config.bytes_max = self->options.bytes_max;
	config.payload_bytes_max = self->options.payload_bytes_max;
	config.interval_ms = 100;
	config.now_ms = now_ms;
	config.wall_ms = wall_ms;
	config.entropy = fill_entropy;
	self->phase = self->is_clean ? WR_SESSION_OPENING_CLEAN : WR_SESSION_OPENING;
	self->head = bounds->head;
	*status = wr_fs_store_open(&self->store, wr_test_allocator(), &config, &error);
	if (*status == WR_OK) {
		self->port = wr_fs_store_port(self->store);
		*status = self->port.ops->replay(self->port.context, &log, &to);
		if (*status != WR_OK) {
			error = *wr_fs_store_error(self->store);
			wr_fs_store_close(self->store);
		}
	}
	if (*status != WR_OK) {
		CHECK_U64(wr_sim_disk_open_count(self->sim), 0);
		self->store = NULL;
		self->head = head;
		self->error = error;
		return false;
	}
	CHECK_U64(replayed.parts_left, 0);
	check_bounds(self, bounds, &log, replayed.last);
	go_on_from(self, bounds, &log, replayed.last);
	return true;
}

void wr_session_open(struct wr_session *self, const struct wr_session_bounds *bounds)
{
	enum wr_status status;

	if (wr_session_try_open(self, bounds, &status))
		return;
	fprintf(stderr, "%s: %s, %s at %llu, errno %d\n", wr_status_name(status),
		self->error.what == NULL ? "" : self->error.what, self->error.file,
		(unsigned long long)self->error.offset, self->error.os_error);
	wr_sim_disk_print(self->sim);
	CHECK_STATUS(status, WR_OK);
}

struct wr_session_bounds wr_session_bounds_now(const struct wr_session *self)
{
	struct wr_session_bounds bounds = {
		.shown = self->durable, .head = self->head, .generation = self->generation};

	switch (self->phase) {
	case WR_SESSION_OPENING:
		bounds.unclean_count = 1;
		break;
	case WR_SESSION_OPENING_CLEAN:
	case WR_SESSION_CLOSING:
		bounds.may_be_clean = true;
		break;
	case WR_SESSION_OPEN:
		break;
	case WR_SESSION_CLOSED:
		bounds.must_be_clean = self->is_clean;
		break;
	}
	return bounds;
}

/* ---- turns ---- */

enum wr_fs_state wr_session_state(const struct wr_session *self)
{
	struct wr_fs_info info;

	wr_fs_store_info(self->store, &info);
	return info.state;
}

/* What may be shown only grows, and not at all in a store that has failed. */
static void note_visible(struct wr_session *self, bool had_failed)
{
	uint64_t visible = self->port.ops->visible(self->port.context);
	struct wr_fs_info info;

	wr_fs_store_info(self->store, &info);
	CHECK(visible >= self->shown && visible <= self->head);
	CHECK(!had_failed || visible == self->shown);
	CHECK(info.head == self->head && info.written <= info.head);
	CHECK(info.durable >= self->durable && info.durable <= info.written);
	CHECK_U64(visible,
		  self->options.durability == WR_DURABILITY_ALWAYS ? info.durable : info.written);
	self->shown = visible;
	self->durable = info.durable;
}

static enum wr_status append_event(struct wr_session *self)
{
	char payload[PAYLOAD_BYTES_MAX]; /* not static: a watcher may play another session */
	struct wr_session_event *event = &self->events[self->head + 1];
	bool had_room = self->port.ops->has_room(self->port.context);
	struct wr_store_record record;
	enum wr_store_urgency urgency = draw(self, 8) == 0 ? WR_STORE_RESERVED : WR_STORE_ORDINARY;
	uint64_t bytes_max = draw(self, 8) == 0 ? self->options.payload_bytes_max : 64;
	enum wr_status status;

	CHECK(self->head < WR_SESSION_EVENTS_MAX && bytes_max <= PAYLOAD_BYTES_MAX);
	event->nonce = wr_test_random(&self->random);
	event->worker = (uint32_t)draw(self, WR_SESSION_WORKERS + 1);
	event->bytes = (uint32_t)draw(self, bytes_max + 1);
	event->item = event->worker != 0 && draw(self, 3) == 0 ? self->items[event->worker] + 1 : 0;
	fill(payload, event->bytes, event->nonce);
	record = (struct wr_store_record){.sequence = self->head + 1,
					  .worker = event->worker,
					  .item = event->item,
					  .payload = wr_view_of(payload, event->bytes)};
	status = self->port.ops->append(self->port.context, &record, urgency);
	CHECK(status == WR_OK || !had_room || wr_session_state(self) == WR_FS_FAILED);
	if (status == WR_OK) {
		self->head++;
		if (event->item != 0)
			self->items[event->worker] = event->item;
	} else {
		CHECK(status == WR_FULL || status == WR_OVERLOAD || status == WR_IO);
		CHECK(status != WR_IO || wr_session_state(self) == WR_FS_FAILED);
		self->refused_count++;
	}
	return status;
}

static void write_checkpoint(struct wr_session *self)
{
	char part[PAYLOAD_BYTES_MAX];
	uint32_t count = 1 + (uint32_t)draw(self, PARTS_MAX);
	void *context = self->port.context;
	enum wr_status status = self->port.ops->checkpoint_begin(context);

	if (status != WR_OK)
		return;
	for (uint32_t i = 0; i < count && status == WR_OK; i++) {
		size_t bytes = make_part(self, part, self->head, i, count);

		status = self->port.ops->checkpoint_add(context, wr_view_of(part, bytes));
	}
	if (status == WR_OK)
		status = self->port.ops->checkpoint_end(context);
	self->checkpoint_count += status == WR_OK;
}

/* What an opening of the same disk said was given up, this store has decided. */
static void check_given_up(const struct wr_session *self)
{
	for (uint32_t i = 0; i <= WR_SESSION_WORKERS; i++) {
		CHECK(self->port.ops->evicted(self->port.context, i) >= self->evicted_seen[i]);
		CHECK(self->port.ops->first_item(self->port.context, i) >=
		      self->first_item_seen[i]);
	}
}

bool wr_session_turn(struct wr_session *self)
{
	uint64_t events = draw(self, self->options.events_per_turn + 1);
	uint64_t steps = draw(self, 4);
	bool had_failed = wr_session_state(self) == WR_FS_FAILED;

	while (events-- > 0)
		append_event(self);
	if (self->port.ops->wants_checkpoint(self->port.context))
		write_checkpoint(self);
	wr_fs_store_turn(self->store);
	note_visible(self, had_failed);
	while (steps-- > 0 && !self->options.has_thread && wr_jobs_step(self->store->jobs))
		;
	clock_ms += draw(self, 40);
	check_given_up(self);
	return wr_session_state(self) != WR_FS_FAILED;
}

void wr_session_rest(struct wr_session *self)
{
	uint64_t before;
	unsigned quiet = 0;

	for (unsigned i = 0; i < TURNS_MAX && quiet < 2; i++) {
		bool had_failed = wr_session_state(self) == WR_FS_FAILED;

		before = wr_sim_disk_call_count(self->sim, WR_SIM_ALL);
		wr_jobs_drain(self->store->jobs);
		if (self->port.ops->wants_checkpoint(self->port.context))
			write_checkpoint(self);
		wr_fs_store_turn(self->store);
		note_visible(self, had_failed);
		quiet = wr_sim_disk_call_count(self->sim, WR_SIM_ALL) == before ? quiet + 1 : 0;
	}
	CHECK(quiet == 2 || self->may_not_read); /* it comes to rest */
	check_given_up(self);
	if (wr_session_state(self) != WR_FS_FAILED)
		CHECK_U64(self->shown, self->head);
}

/* ---- reading ---- */

/* Whether retention has kept an event, by what the port says of its Worker. The Runtime's own
 * events have no such answer: what is below that of all may be there or not. */
static bool is_kept(const struct wr_session *self, uint64_t sequence, bool *may_be)
{
	const struct wr_session_event *event = &self->events[sequence];
	const struct wr_store_ops *ops = self->port.ops;

	/* Its damage was told before: it is not asked for any more. */
	if (self->may_not_read && wr_fs_store_is_quarantined(self->store, event->worker)) {
		*may_be = true;
		return false;
	}
	if (sequence > ops->evicted(self->port.context, event->worker))
		return true;
	if (event->worker == 0)
		*may_be = true;
	return event->item != 0 &&
	       event->item >= ops->first_item(self->port.context, event->worker);
}

/* A disk that cannot be read is said to be one. */
static bool is_excused(const struct wr_session *self, enum wr_status status)
{
	return self->may_not_read &&
	       (status == WR_IO || status == WR_CORRUPT || status == WR_NO_MEMORY);
}

/* Everything after `after`, of one Worker or of all. */
static void check_walk(struct wr_session *self, uint32_t worker, uint64_t after)
{
	struct wr_store_place place = {0};
	struct wr_store_record record = {0};
	enum wr_status status = WR_OK;
	uint64_t next = after + 1;

	while (status == WR_OK) {
		uint64_t found;

		status =
			self->port.ops->next(self->port.context, worker, next - 1, &place, &record);
		if (is_excused(self, status))
			return;
		CHECK(status == WR_OK || status == WR_NOT_FOUND);
		found = status == WR_OK ? record.sequence : self->shown + 1;
		CHECK(found >= next && found <= self->shown + 1);
		for (; next < found; next++) {
			bool may_be = false;

			CHECK((worker != 0 && self->events[next].worker != worker) ||
			      !is_kept(self, next, &may_be));
		}
		if (status == WR_OK) {
			bool may_be = false;

			CHECK(worker == 0 || record.worker == worker);
			CHECK(is_kept(self, found, &may_be) || may_be);
			check_event(self, &record);
			next = found + 1;
		}
	}
}

static void check_items(struct wr_session *self, uint32_t worker)
{
	uint32_t first = self->port.ops->first_item(self->port.context, worker);
	struct wr_store_place place = {0};
	struct wr_store_record record = {0};
	enum wr_status status;
	uint64_t before = 0;

	CHECK(first >= 1 && first <= self->items[worker] + 1);
	for (uint32_t item = first; item <= self->items[worker]; item++) {
		status = self->port.ops->item(self->port.context, worker, item, &place, &record);
		if (is_excused(self, status))
			return;
		/* An item that is not visible yet is not found. */
		if (status == WR_NOT_FOUND && self->shown < self->head)
			return;
		CHECK_STATUS(status, WR_OK);
		CHECK(record.worker == worker && record.item == item && record.sequence > before);
		CHECK(record.sequence <= self->shown);
		check_event(self, &record);
		before = record.sequence;
	}
	status = self->port.ops->item(self->port.context, worker, self->items[worker] + 1, &place,
				      &record);
	CHECK(status == WR_NOT_FOUND || is_excused(self, status));
}

void wr_session_check_reading(struct wr_session *self)
{
	check_walk(self, 0, 0);
	for (uint32_t worker = 1; worker <= WR_SESSION_WORKERS; worker++) {
		check_walk(self, worker, self->shown > 0 ? draw(self, self->shown) : 0);
		check_items(self, worker);
	}
}

/* ---- the end ---- */

void wr_session_close(struct wr_session *self)
{
	bool had_failed = wr_session_state(self) == WR_FS_FAILED;

	self->phase = WR_SESSION_CLOSING;
	wr_fs_store_close(self->store);
	self->store = NULL;
	/* Whether it then failed, a test that makes faults knows. */
	self->is_clean = !had_failed;
	self->phase = WR_SESSION_CLOSED;
	if (self->is_clean && !self->may_fail)
		self->shown = self->durable = self->head;
	CHECK_U64(wr_sim_disk_open_count(self->sim), 0);
}

void wr_session_kill(struct wr_session *self)
{
	wr_sim_disk_stop(self->sim);
	wr_fs_store_close(self->store);
	self->store = NULL;
	self->is_clean = false;
	self->phase = WR_SESSION_CLOSED;
	wr_sim_disk_kill(self->sim);
}

struct wr_session *wr_session_new(const struct wr_session_options *options)
{
	struct wr_session *self = calloc(1, sizeof *self);

	CHECK(self != NULL);
	self->options = *options;
	self->events = calloc(WR_SESSION_EVENTS_MAX + SLACK, sizeof self->events[0]);
	CHECK(self->events != NULL);
	self->sim = wr_sim_disk_new();
	self->disk = wr_sim_disk_port(self->sim);
	self->random = options->seed;
	return self;
}

struct wr_session *wr_session_copy(const struct wr_session *self, struct wr_sim_disk *sim)
{
	struct wr_session *copy = calloc(1, sizeof *copy);
	size_t bytes = (WR_SESSION_EVENTS_MAX + SLACK) * sizeof self->events[0];

	CHECK(copy != NULL);
	*copy = *self;
	copy->store = NULL;
	copy->events = malloc(bytes);
	CHECK(copy->events != NULL);
	memcpy(copy->events, self->events, bytes);
	copy->sim = wr_sim_disk_copy(sim);
	copy->disk = wr_sim_disk_port(copy->sim);
	return copy;
}

void wr_session_free(struct wr_session *self)
{
	if (self->store != NULL)
		wr_session_kill(self);
	wr_sim_disk_free(self->sim);
	free(self->events);
	free(self);
}

/* ---- looking at what another opening finds ---- */

static void note_given_up(struct wr_session *self, const struct wr_session *other)
{
	for (uint32_t i = 0; i <= WR_SESSION_WORKERS; i++) {
		if (self->evicted_seen[i] < other->evicted_seen[i])
			self->evicted_seen[i] = other->evicted_seen[i];
		if (self->first_item_seen[i] < other->first_item_seen[i])
			self->first_item_seen[i] = other->first_item_seen[i];
	}
}

void wr_session_check_disk(struct wr_session *self, struct wr_sim_disk *sim,
			   const struct wr_session_bounds *bounds, uint64_t seed, bool goes_on)
{
	enum { TURNS = 3 };
	struct wr_session shadow = *self;
	struct wr_session_event kept[TURNS * 16];
	size_t kept_bytes = sizeof kept;
	struct wr_session_bounds again;
	uint64_t last;

	CHECK(self->options.events_per_turn * TURNS <= WR_COUNT(kept) && WR_COUNT(kept) < SLACK);
	shadow.sim = sim;
	shadow.disk = wr_sim_disk_port(sim);
	shadow.store = NULL;
	shadow.random = seed;
	shadow.is_clean = false;
	shadow.may_fail = shadow.may_not_read = false;
	wr_session_open(&shadow, bounds);
	wr_sim_disk_watch(sim, NULL, NULL); /* it is for the opening */
	note_given_up(self, &shadow);
	last = shadow.head;
	wr_session_check_reading(&shadow);
	memcpy(kept, &self->events[last + 1], kept_bytes);
	if (goes_on) {
		for (unsigned i = 0; i < TURNS; i++)
			CHECK(wr_session_turn(&shadow));
		wr_session_rest(&shadow);
		wr_session_check_reading(&shadow);
	}
	if (seed % 2 == 0) {
		wr_session_close(&shadow);
		wr_sim_disk_kill(sim);
	} else {
		wr_session_kill(&shadow);
	}
	again = wr_session_bounds_now(&shadow);
	again.shown = again.head; /* all of it was there */
	wr_session_open(&shadow, &again);
	wr_session_check_reading(&shadow);
	CHECK(goes_on || shadow.head == last);
	wr_session_kill(&shadow);
	memcpy(&self->events[last + 1], kept, kept_bytes);
}
