#include "backend/mirror.h"

#include "backend/cursor.h"
#include "bounds.h"
#include "check.h"

#include <string.h>

enum { CAPACITY_MIN = 16 };

/* ---- life ---- */

void wr_mirror_init(struct wr_mirror *self, struct wr_allocator *allocator,
		    const struct wr_retention *retention, uint32_t count_max)
{
	*self = (struct wr_mirror){.allocator = allocator, .count_max = count_max};
	wr_event_log_init(&self->log, allocator, retention);
	wr_list_init(&self->ages);
}

void wr_mirror_observe(struct wr_mirror *self, const struct wr_observer *observer)
{
	self->observer = *observer;
	self->log.observer = *observer;
}

static void free_worker(struct wr_mirror *self, struct wr_mirror_worker *worker)
{
	wr_event_stream_deinit(&worker->events, &self->log);
	wr_remote_fetch_deinit(&worker->fetch);
	wr_list_remove(&worker->age);
	wr_allocator_free(self->allocator, worker, sizeof *worker + worker->id.bytes);
}

void wr_mirror_deinit(struct wr_mirror *self)
{
	for (uint32_t i = 0; i < self->count; i++)
		free_worker(self, self->by_id[i]);
	wr_allocator_free(self->allocator, self->by_id, self->capacity * sizeof(self->by_id[0]));
	wr_allocator_free(self->allocator, self->by_number,
			  self->capacity * sizeof(self->by_number[0]));
	wr_event_log_deinit(&self->log);
}

/* ---- streams ---- */

void wr_mirror_restart(struct wr_mirror *self, struct wr_mirror_worker *worker)
{
	wr_event_stream_clear(&worker->events, &self->log);
	if (worker->is_kept)
		wr_event_stream_begin_at(&worker->events, worker->newest);
}

void wr_mirror_keep(struct wr_mirror *self, struct wr_mirror_worker *worker, uint64_t now_ms)
{
	worker->used_ms = now_ms;
	if (worker->is_kept)
		return;
	worker->is_kept = true;
	self->kept_count++;
	wr_mirror_restart(self, worker);
}

static void drop_stream(struct wr_mirror *self, struct wr_mirror_worker *worker)
{
	worker->is_kept = false;
	self->kept_count--;
	wr_mirror_restart(self, worker);
}

static bool is_in_use(const struct wr_mirror_worker *worker)
{
	return worker->subscriber_count != 0 || wr_backfill_is_under_way(&worker->fetch.job);
}

bool wr_mirror_forget(struct wr_mirror *self, struct wr_mirror_worker *worker, uint64_t now_ms)
{
	if (!worker->is_kept || is_in_use(worker) ||
	    now_ms - worker->used_ms < WR_MIRROR_UNWATCHED_MS)
		return false;
	drop_stream(self, worker);
	return true;
}

/* ---- logs ---- */

static void begin_log(struct wr_mirror *self, uint64_t floor)
{
	struct wr_retention retention = self->log.retention;

	self->floor = floor;
	for (uint32_t i = 0; i < self->count; i++) {
		struct wr_mirror_worker *worker = self->by_id[i];
		worker->newest = floor;
		worker->has_event = false;
		wr_mirror_restart(self, worker);
		wr_remote_fetch_reset(&worker->fetch);
	}
	/* Sequences may begin again below those that were. */
	wr_event_log_deinit(&self->log);
	wr_event_log_init(&self->log, self->allocator, &retention);
	self->log.observer = self->observer;
	self->seen_count = 0;
}

void wr_mirror_begin(struct wr_mirror *self, const struct wr_cursor *position)
{
	begin_log(self, position->sequence);
	self->has_log = true;
	wr_mirror_move(self, position);
}

void wr_mirror_lose(struct wr_mirror *self)
{
	begin_log(self, 0);
	self->has_log = false;
}

/* ---- Workers ---- */

/* Index of the first Worker whose id is not below `id`. */
static uint32_t place_of(const struct wr_mirror *self, struct wr_view id)
{
	uint32_t low = 0, high = self->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (wr_view_compare(self->by_id[middle]->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct wr_mirror_worker *wr_mirror_find(const struct wr_mirror *self, struct wr_view id)
{
	uint32_t place = place_of(self, id);

	return place < self->count && wr_view_equal(self->by_id[place]->id, id) ? self->by_id[place]
										: NULL;
}

struct wr_mirror_worker *wr_mirror_at(const struct wr_mirror *self, uint32_t number)
{
	return number == 0 || number > self->capacity ? NULL : self->by_number[number - 1];
}

static void remove_worker(struct wr_mirror *self, struct wr_mirror_worker *worker)
{
	uint32_t place = place_of(self, worker->id);

	wr_assert(self->by_id[place] == worker);
	if (self->on_remove != NULL)
		self->on_remove(self->context, worker);
	if (worker->is_kept)
		drop_stream(self, worker);
	if (worker->newest > self->floor)
		self->floor = worker->newest;
	if (self->last == worker)
		self->last = NULL;
	self->count--;
	memmove(&self->by_id[place], &self->by_id[place + 1],
		(self->count - place) * sizeof self->by_id[0]);
	self->by_number[worker->number - 1] = NULL;
	free_worker(self, worker);
}

/* The one that is not in use and whose newest event is oldest goes; for somebody who watches, when
 * all have streams, the one that was not watched for longest. */
static bool make_room(struct wr_mirror *self, bool is_to_watch)
{
	struct wr_mirror_worker *unwatched = NULL;

	wr_list_each (node, after, &self->ages) {
		struct wr_mirror_worker *worker = wr_list_entry(node, struct wr_mirror_worker, age);
		if (is_in_use(worker))
			continue;
		if (!worker->is_kept) {
			remove_worker(self, worker);
			return true;
		}
		if (unwatched == NULL || worker->used_ms < unwatched->used_ms)
			unwatched = worker;
	}
	if (!is_to_watch || unwatched == NULL)
		return false;
	remove_worker(self, unwatched);
	return true;
}

static bool grow(struct wr_mirror *self)
{
	uint32_t capacity = self->capacity == 0 ? CAPACITY_MIN : self->capacity * 2;
	size_t old_bytes = self->capacity * sizeof(self->by_id[0]);
	size_t new_bytes = capacity * sizeof(self->by_id[0]);
	struct wr_mirror_worker **by_id = wr_allocator_take(self->allocator, new_bytes);
	struct wr_mirror_worker **by_number =
		wr_allocator_resize(self->allocator, self->by_number, old_bytes, new_bytes);

	if (by_number != NULL) {
		for (uint32_t i = self->capacity; i < capacity; i++)
			by_number[i] = NULL;
		self->by_number = by_number;
	}
	if (by_id == NULL || by_number == NULL) {
		if (by_id != NULL)
			wr_allocator_free(self->allocator, by_id, new_bytes);
		if (by_number != NULL) /* both have one size */
			self->by_number = wr_allocator_resize(self->allocator, by_number, new_bytes,
							      old_bytes);
		return false;
	}
	if (self->count != 0)
		memcpy(by_id, self->by_id, self->count * sizeof by_id[0]);
	wr_allocator_free(self->allocator, self->by_id, old_bytes);
	self->by_id = by_id;
	self->capacity = capacity;
	return true;
}

static uint32_t free_number(const struct wr_mirror *self)
{
	uint32_t number = self->count + 1; /* the usual one */

	if (self->by_number[number - 1] == NULL)
		return number;
	for (number = 1; self->by_number[number - 1] != NULL;)
		number++;
	return number;
}

static void insert(struct wr_mirror *self, struct wr_mirror_worker *worker)
{
	uint32_t place = place_of(self, worker->id);

	memmove(&self->by_id[place + 1], &self->by_id[place],
		(self->count - place) * sizeof self->by_id[0]);
	self->by_id[place] = worker;
	self->count++;
	self->by_number[worker->number - 1] = worker;
	/* Nothing of it is behind the floor: among the oldest. */
	worker->age.next = self->ages.next;
	worker->age.prev = &self->ages;
	self->ages.next->prev = &worker->age;
	self->ages.next = &worker->age;
}

static struct wr_mirror_worker *take(struct wr_mirror *self, struct wr_view id, bool is_to_watch)
{
	struct wr_mirror_worker *worker = wr_mirror_find(self, id);
	char *copy;

	if (worker != NULL)
		return worker;
	if (self->count >= self->count_max && !make_room(self, is_to_watch))
		return NULL;
	if (self->count == self->capacity && !grow(self))
		return NULL;
	worker = wr_allocator_take_zeroed(self->allocator, sizeof *worker + id.bytes);
	if (worker == NULL)
		return NULL;
	copy = (char *)(worker + 1);
	memcpy(copy, id.data, id.bytes);
	worker->id = wr_view_of(copy, id.bytes);
	worker->number = free_number(self);
	worker->tag = wr_worker_tag(worker->id);
	worker->newest = self->floor;
	wr_event_stream_init(&worker->events, worker->number);
	wr_remote_fetch_init(&worker->fetch, self->allocator, worker->id);
	insert(self, worker);
	return worker;
}

struct wr_mirror_worker *wr_mirror_take(struct wr_mirror *self, struct wr_view id)
{
	return take(self, id, true);
}

/* ---- events ---- */

void wr_mirror_move(struct wr_mirror *self, const struct wr_cursor *position)
{
	self->position = *position;
	wr_mirror_saw(self, position->generation, position->sequence);
}

struct wr_mirror_worker *wr_mirror_note(struct wr_mirror *self, struct wr_view id)
{
	struct wr_mirror_worker *worker = self->last;

	if (id.bytes > WR_ID_BYTES_MAX)
		return NULL; /* nobody can ask for it */
	if (worker == NULL || !wr_view_equal(worker->id, id))
		worker = take(self, id, false);
	if (worker == NULL) {
		/* Of a Worker that is not here there is something at the position. */
		self->floor = self->position.sequence;
		return NULL;
	}
	self->last = worker;
	worker->newest = self->position.sequence;
	worker->has_event = true;
	wr_list_remove(&worker->age);
	wr_list_push(&self->ages, &worker->age);
	return worker->is_kept ? worker : NULL;
}

enum wr_status wr_mirror_append(struct wr_mirror *self, struct wr_mirror_worker *worker,
				struct wr_view bytes)
{
	const struct wr_frame frame = {.stream = &worker->events, .bytes = bytes};

	if (wr_event_log_reserve(&self->log, &frame, 1) != WR_OK)
		return WR_NO_MEMORY;
	wr_event_log_append(&self->log, self->position.sequence, &frame, 1);
	return WR_OK;
}

/* ---- cursors ---- */

static void remove_seen(struct wr_mirror *self, unsigned place)
{
	self->seen_count--;
	memmove(&self->seen[place], &self->seen[place + 1],
		(self->seen_count - place) * sizeof self->seen[0]);
}

void wr_mirror_saw(struct wr_mirror *self, uint32_t generation, uint64_t sequence)
{
	unsigned place = 0;

	while (place < self->seen_count && self->seen[place].generation < generation)
		place++;
	if (place < self->seen_count && self->seen[place].generation == generation) {
		if (self->seen[place].sequence < sequence)
			self->seen[place].sequence = sequence;
		return;
	}
	if (self->seen_count == WR_MIRROR_GENERATIONS) {
		remove_seen(self, 0); /* the oldest: the Runtime can always be asked */
		place = place == 0 ? 0 : place - 1;
	}
	memmove(&self->seen[place + 1], &self->seen[place],
		(self->seen_count - place) * sizeof self->seen[0]);
	self->seen[place].generation = generation;
	self->seen[place].sequence = sequence;
	self->seen_count++;
}

bool wr_mirror_has_seen(const struct wr_mirror *self, uint32_t generation, uint64_t sequence)
{
	for (unsigned i = 0; i < self->seen_count; i++)
		if (self->seen[i].generation == generation)
			return sequence <= self->seen[i].sequence;
	return false;
}

bool wr_mirror_is_ahead(const struct wr_mirror *self, uint32_t generation)
{
	for (unsigned i = 0; i < self->seen_count; i++)
		if (self->seen[i].generation < generation &&
		    self->seen[i].sequence > self->position.sequence)
			return true;
	return false;
}
