/*
 * Which events are given up when the disk's share is used up.
 *
 * What is given up is a unit: the events of one stream within one segment, oldest first, so that
 * what is gone lies together and cleaning gets whole segments' worth out of few files. Streams take
 * turns by what they have: the one with the most gives next, and none that has less than the
 * average ever does. So a chatty Worker pays for itself. Never the newest event of a stream; never
 * what could not be cleaned now. Items, which are events that stay for the transcript, go the same
 * way instead, when together they have more than half of all room. (Where the room is so little
 * that the store is full of what must stay for now, anybody's oldest go: full would be for ever.)
 *
 * All of one pass is one RETIRED record: what streams have given up, and what they have left. A
 * pass is planned over as many turns as it takes, a little in each, and changes nothing before its
 * end.
 */
#include "bytes/endian.h"
#include "check.h"
#include "io/store/store_private.h"

enum {
	ROW_BYTES = 32,
	ROWS_MAX = 2048, /* of one record */
	EASY_PART = 4,	 /* cleaning that frees this part of what it reads */
	/* Of a segment: a pass gains as much or is none; and when there is no next segment, as the
	 * room that is left then is not for little gains. */
	WORTH_PART = 64,
	TIGHT_PART = 8,
	TAIL_PART = 4,	/* of that room: what one record may take */
	REST_MS = 1000, /* when nothing was found, unless there is a new checkpoint */
	/* Entries looked at in one turn: some milliseconds. */
	LOOKS_MAX = 16384,
	SEARCH_LOOKS = 32,   /* what finding a stream in an index costs beside */
	ROWS_OF_A_LOOK = 16, /* streams that are compared in the time of one */
};

enum what { EVENTS, ITEMS };

/* What a stream gives up in this pass. */
struct change {
	uint32_t stream;
	uint32_t first_item;
	uint64_t evicted;
	uint64_t lost[2]; /* bytes, by what */
	bool is_over[2];  /* nothing more to give */
};

/* What a stream has, less that. */
struct state {
	uint64_t evicted;
	uint32_t first_item, last_item;
	uint64_t bytes[2];
};

struct unit {
	struct wr_segment *segment;
	uint64_t evicted;
	uint32_t first_item;
	uint32_t bytes[2];
	bool has_newest; /* event or item, which stays: there is nothing behind */
};

struct wr_retire {
	struct wr_fs_store *store;
	uint32_t stream_max; /* streams that there were when it began */
	uint16_t *slots;     /* per stream: 1 + index of its change, 0: none */
	struct change changes[ROWS_MAX];
	uint32_t change_count;
	uint64_t gained; /* the sum of planned_bytes of segments that are not damaged */

	/* of this turn */
	uint32_t looks;
	uint32_t rows_max;
	bool is_last_resort;	  /* nothing can be written, and nothing else would help */
	bool is_row_full;	  /* whoever gives already gives more */
	uint64_t bytes[2];	  /* of all streams, by what */
	uint32_t stream_count[2]; /* that have some */
};

_Static_assert(ROWS_MAX < UINT16_MAX, "slots are 16 bits");

/* ---- what there is to gain ---- */

bool wr_fs_is_cleanable(const struct wr_fs_store *self, const struct wr_segment *segment)
{
	/* Two checkpoints, and what lies behind the older of them, stay as they are. */
	return segment->next_sequence != UINT64_MAX && !segment->is_damaged &&
	       segment->last_number < self->checkpoint_segment[1];
}

bool wr_fs_is_pressed(const struct wr_fs_store *self)
{
	/* The next segment, and one more: cleaning comes before the store is full, and itself
	 * needs room. */
	return self->file_bytes + 2 * wr_fs_next_bytes(self) > self->config.bytes_max;
}

uint64_t wr_fs_dead_bytes(const struct wr_fs_store *self)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < self->segment_count; i++)
		if (wr_fs_is_cleanable(self, &self->segments[i]))
			bytes += self->segments[i].dead_bytes;
	return bytes;
}

/* After an opening it has to be found out, of one segment after the other. False: it is known, of
 * all that can be read. */
static bool learn_dead(struct wr_fs_store *self)
{
	for (uint32_t i = 0; i < self->segment_count; i++) {
		struct wr_segment *segment = &self->segments[i];

		if (segment->is_dead_known || !wr_fs_is_cleanable(self, segment))
			continue;
		/* What cannot be read now is not cleaned now. */
		if (wr_fs_index_learn_dead(self, segment) == WR_OK)
			return true;
	}
	return false;
}

/* ---- streams, as this pass leaves them ---- */

static struct change *find_change(struct wr_retire *self, uint32_t stream)
{
	return self->slots[stream] == 0 ? NULL : &self->changes[self->slots[stream] - 1];
}

static struct state state_of(struct wr_retire *self, uint32_t stream)
{
	const struct wr_stream_row *row = &self->store->rows[stream];
	const struct change *change = find_change(self, stream);
	struct state state = {
		row->evicted, row->first_item, row->last_item, {row->event_bytes, row->item_bytes}};

	if (change == NULL)
		return state;
	state.evicted = change->evicted;
	state.first_item = change->first_item;
	for (unsigned what = EVENTS; what <= ITEMS; what++)
		state.bytes[what] -= change->lost[what] < state.bytes[what] ? change->lost[what]
									    : state.bytes[what];
	return state;
}

/* NULL: the record is full. */
static struct change *take_change(struct wr_retire *self, uint32_t stream)
{
	const struct wr_stream_row *row = &self->store->rows[stream];
	struct change *change = find_change(self, stream);

	if (change != NULL)
		return change;
	if (self->change_count >= self->rows_max)
		return NULL;
	change = &self->changes[self->change_count++];
	self->slots[stream] = (uint16_t)self->change_count;
	*change = (struct change){
		.stream = stream, .first_item = row->first_item, .evicted = row->evicted};
	return change;
}

/* ---- one unit ---- */

/* The segment where the next unit of this stream can be. */
static uint32_t first_index(const struct wr_fs_store *self, const struct wr_stream_row *row,
			    enum what what)
{
	uint32_t i = 0;

	while (i < self->segment_count && self->segments[i].last_number < row->searched[what])
		i++;
	return i;
}

/* Whether this stream has an event above `sequence` behind this segment; when not, and it is not
 * known yet, `sequence` is its newest. */
static enum wr_status has_newer(struct wr_retire *self, uint32_t stream, uint32_t index,
				uint64_t sequence, bool *out)
{
	struct wr_fs_store *store = self->store;
	struct wr_stream_row *row = &store->rows[stream];
	enum wr_status status = WR_NOT_FOUND;

	if (row->last_sequence == 0) {
		for (uint32_t i = index + 1; status == WR_NOT_FOUND && i < store->segment_count;
		     i++) {
			struct wr_index_entry entry;
			uint32_t hint = 0;

			self->looks += SEARCH_LOOKS;
			status = wr_fs_index_find(store, &store->segments[i], stream, sequence, 0,
						  &hint, &entry);
		}
		if (status == WR_NOT_FOUND)
			row->last_sequence = sequence;
		*out = status == WR_OK;
		return status == WR_NOT_FOUND ? WR_OK : status;
	}
	*out = sequence < row->last_sequence;
	return WR_OK;
}

/* Counts one entry in. The newest item stays, as does the newest event. */
static void count_entry(struct unit *unit, const struct state *state, enum what what,
			uint64_t sequence, const struct wr_index_entry *entry, uint32_t *pending)
{
	if (entry->item == 0 && sequence > state->evicted)
		*pending += entry->bytes;
	if (what == EVENTS && entry->item == 0 && sequence > state->evicted) {
		unit->evicted = sequence;
		unit->bytes[EVENTS] = *pending;
	}
	if (what == ITEMS && entry->item != 0 && entry->item == state->last_item)
		unit->has_newest = true;
	if (what == ITEMS && entry->item >= state->first_item && entry->item < state->last_item) {
		unit->bytes[ITEMS] += entry->bytes;
		unit->first_item = entry->item + 1;
		unit->bytes[EVENTS] = *pending;
		if (unit->evicted < sequence)
			unit->evicted = sequence;
	}
}

/* What giving up this stream's events within this segment would be. WR_NOT_FOUND: nothing. */
static enum wr_status measure(struct wr_retire *self, uint32_t stream, enum what what,
			      uint32_t index, struct unit *unit)
{
	struct wr_fs_store *store = self->store;
	const struct state state = state_of(self, stream);
	struct wr_segment *segment = &store->segments[index];
	uint64_t after = what == EVENTS ? state.evicted : 0;
	uint32_t hint = 0, pending = 0;
	struct wr_index_entry entry, next;
	enum wr_status status = wr_fs_index_find(store, segment, stream, after, 0, &hint, &entry);

	self->looks += SEARCH_LOOKS;
	*unit = (struct unit){
		.segment = segment,
		.evicted = state.evicted,
		.first_item = state.first_item,
	};
	while (status == WR_OK) {
		uint64_t sequence = segment->first_sequence + entry.sequence_delta;
		bool is_old = true;

		self->looks++;
		status = wr_fs_index_find(store, segment, stream, sequence, 0, &hint, &next);
		if (status == WR_NOT_FOUND) {
			enum wr_status failure = has_newer(self, stream, index, sequence, &is_old);

			if (failure != WR_OK)
				return failure;
		}
		if (!is_old)
			unit->has_newest = true;
		else
			count_entry(unit, &state, what, sequence, &entry, &pending);
		entry = next;
	}
	if (status != WR_NOT_FOUND)
		return status;
	return unit->bytes[EVENTS] + unit->bytes[ITEMS] != 0 ? WR_OK : WR_NOT_FOUND;
}

/* The oldest unit of this stream that can be cleaned. */
static enum wr_status find_unit(struct wr_retire *self, uint32_t stream, enum what what,
				struct unit *unit)
{
	struct wr_fs_store *store = self->store;
	uint32_t i = first_index(store, &store->rows[stream], what);
	bool is_sure = true;

	for (; i < store->segment_count; i++) {
		struct wr_segment *segment = &store->segments[i];
		enum wr_status status;

		if (segment->last_number >= store->checkpoint_segment[1])
			break;
		status = measure(self, stream, what, i, unit);
		/* What cannot be read is given up with what is behind it, but gives no room. */
		if (status == WR_IO) {
			segment->is_dead_known = is_sure = false;
			continue;
		}
		if (status != WR_NOT_FOUND || unit->has_newest)
			return status;
		if (is_sure)
			store->rows[stream].searched[what] = segment->last_number + 1;
	}
	return WR_NOT_FOUND;
}

static bool take_unit(struct wr_retire *self, uint32_t stream, const struct unit *unit)
{
	struct change *change = take_change(self, stream);
	uint32_t bytes = unit->bytes[EVENTS] + unit->bytes[ITEMS];

	if (change == NULL)
		return false;
	change->evicted = unit->evicted;
	change->first_item = unit->first_item;
	for (unsigned what = EVENTS; what <= ITEMS; what++) {
		uint64_t *all = &self->bytes[what];

		change->lost[what] += unit->bytes[what];
		*all -= unit->bytes[what] < *all ? unit->bytes[what] : *all;
	}
	unit->segment->planned_bytes += bytes;
	/* What is in a damaged segment is given up with the rest, but gives no room. */
	if (!unit->segment->is_damaged)
		self->gained += bytes;
	return true;
}

/* ---- whose ---- */

/* The stream with the most that has something to give; `is_fair`, of those that have at least the
 * average. */
static bool choose(struct wr_retire *self, enum what what, bool is_fair, uint32_t *stream)
{
	uint64_t share = 0, most = 0;

	self->looks += self->stream_max / ROWS_OF_A_LOOK;
	if (self->stream_count[what] != 0 && is_fair)
		share = self->bytes[what] / self->stream_count[what];
	for (uint32_t i = 0; i < self->stream_max; i++) {
		const struct wr_stream_row *row = &self->store->rows[i];
		const struct change *change;
		/* A change only makes it less. */
		uint64_t bytes = what == EVENTS ? row->event_bytes : row->item_bytes;

		if (bytes <= most || bytes < share ||
		    row->searched[what] >= self->store->checkpoint_segment[1])
			continue;
		change = find_change(self, i);
		if (change == NULL ? self->is_row_full : change->is_over[what])
			continue;
		bytes = state_of(self, i).bytes[what];
		if (bytes <= most || bytes < share)
			continue;
		most = bytes;
		*stream = i;
	}
	return most != 0;
}

/* The next unit of this stream. Items fall with the events before them: those of older segments
 * first. */
static enum wr_status find_next(struct wr_retire *self, uint32_t stream, enum what what,
				struct unit *unit)
{
	enum wr_status status = find_unit(self, stream, what, unit), found;
	struct unit older;

	if (status != WR_OK || what == EVENTS ||
	    state_of(self, stream).evicted >= unit->segment->first_sequence)
		return status;
	found = find_unit(self, stream, EVENTS, &older);
	if (found != WR_OK)
		return found == WR_NOT_FOUND ? WR_OK : found;
	if (older.segment < unit->segment)
		*unit = older;
	return WR_OK;
}

/* One unit more. WR_NOT_FOUND: no stream has one. WR_FULL: this pass cannot take more. WR_MORE: it
 * is enough for this turn. */
static enum wr_status give_up(struct wr_retire *self, enum what what, bool is_fair)
{
	while (self->looks < LOOKS_MAX) {
		struct unit unit;
		struct change *change;
		uint32_t stream = 0;
		enum wr_status status;

		if (!choose(self, what, is_fair, &stream))
			return WR_NOT_FOUND;
		status = find_next(self, stream, what, &unit);
		if (status == WR_OK && take_unit(self, stream, &unit))
			return WR_OK;
		if (status != WR_OK && status != WR_NOT_FOUND)
			return status;
		change = take_change(self, stream);
		if (change != NULL)
			change->is_over[what] = true;
		else if (self->change_count == 0 || wr_fs_has_prepared(self->store))
			return WR_FULL;
		else
			self->is_row_full = true;
	}
	return WR_MORE;
}

/* Whether transcripts have more than their half: of the room that is left for what may be kept,
 * which is most of it, unless the disk's share is only a few segments. Or whether they have all
 * that there is: other events would not even fill a segment. */
static bool is_item_heavy(const struct wr_retire *self)
{
	const struct wr_fs_store *store = self->store;
	uint64_t taken = 2 * wr_fs_next_bytes(store), room = store->config.bytes_max;

	for (uint32_t i = 0; i < store->segment_count; i++)
		if (!wr_fs_is_cleanable(store, &store->segments[i]))
			taken += store->segments[i].file_bytes;
	room -= taken < room ? taken : room;
	return self->bytes[ITEMS] > self->bytes[EVENTS] &&
	       (self->bytes[ITEMS] > room / 2 || self->bytes[EVENTS] < wr_fs_next_bytes(store));
}

/* Each pays for its kind, though that may have to wait for a checkpoint, after which more can be
 * cleaned. */
static enum wr_status give_up_any(struct wr_retire *self)
{
	enum what what = is_item_heavy(self) ? ITEMS : EVENTS;
	enum wr_status status = give_up(self, what, true);

	if (status == WR_NOT_FOUND && self->is_last_resort)
		status = give_up(self, what, false);
	if (status == WR_NOT_FOUND && self->is_last_resort)
		status = give_up(self, what == ITEMS ? EVENTS : ITEMS, false);
	return status;
}

/* WR_MORE: to be continued. WR_OK: this is it. */
static enum wr_status plan(struct wr_retire *self, uint64_t target)
{
	enum wr_status status = WR_OK;

	while (status == WR_OK && self->gained < target)
		status = give_up_any(self);
	return status == WR_NOT_FOUND || status == WR_FULL ? WR_OK : status;
}

/* ---- the record ---- */

static bool is_changed(const struct wr_retire *self, const struct change *change)
{
	const struct wr_stream_row *before = &self->store->rows[change->stream];

	return before->evicted != change->evicted || before->first_item != change->first_item;
}

static void put_row(char *out, struct wr_retire *self, uint32_t stream)
{
	struct state state = state_of(self, stream);

	wr_store_le32(out, stream);
	wr_store_le32(out + 4, state.first_item);
	wr_store_le64(out + 8, state.evicted);
	wr_store_le64(out + 16, state.bytes[EVENTS]);
	wr_store_le64(out + 24, state.bytes[ITEMS]);
}

static void apply(struct wr_retire *self)
{
	struct wr_fs_store *store = self->store;

	for (uint32_t i = 0; i < self->change_count; i++) {
		const struct change *change = &self->changes[i];
		struct state state = state_of(self, change->stream);
		struct wr_stream_row *row = &store->rows[change->stream];

		row->evicted = state.evicted;
		row->first_item = state.first_item;
		row->event_bytes = state.bytes[EVENTS];
		row->item_bytes = state.bytes[ITEMS];
		if (store->evicted < row->evicted)
			store->evicted = row->evicted;
	}
	for (uint32_t i = 0; i < store->segment_count; i++) {
		store->segments[i].dead_bytes += store->segments[i].planned_bytes;
		store->segments[i].planned_bytes = 0;
	}
}

/* Nothing has changed before the record is taken, and all has after. False: it was not. */
static bool commit(struct wr_retire *self)
{
	struct wr_fs_store *store = self->store;
	size_t capacity = self->change_count * (size_t)ROW_BYTES, bytes = 0;
	const struct wr_segment *active;
	char *rows;

	if (capacity == 0)
		return false;
	rows = wr_allocator_take(store->allocator, capacity);
	if (rows == NULL)
		return false;
	for (uint32_t i = 0; i < self->change_count; i++)
		if (is_changed(self, &self->changes[i])) {
			put_row(rows + bytes, self, self->changes[i].stream);
			bytes += ROW_BYTES;
		}
	if (bytes != 0 &&
	    wr_fs_append_own(store, WR_RECORD_RETIRED, wr_view_of(rows, bytes)) == WR_OK) {
		apply(self);
		self->change_count = 0; /* they are the rows now */
		active = wr_fs_active(store);
		store->retired_position = wr_position(active->number, active->bytes);
	}
	wr_allocator_free(store->allocator, rows, capacity);
	return self->change_count == 0;
}

/* Rows of one record. Without a next segment it must fit what is left of the active one, and leave
 * most of that for others to come: what it gives up may not be enough. */
static uint32_t rows_that_fit(struct wr_fs_store *self)
{
	const struct wr_segment *active = wr_fs_active(self);
	uint32_t bytes = self->config.payload_bytes_max;
	uint32_t room = active->file_bytes - active->bytes;

	if (room / TAIL_PART >= WR_RECORD_HEADER_BYTES + ROW_BYTES)
		room /= TAIL_PART;
	room -= room < WR_RECORD_HEADER_BYTES ? room : WR_RECORD_HEADER_BYTES;
	if (!wr_fs_has_prepared(self) && bytes > room)
		bytes = room;
	return bytes / ROW_BYTES < ROWS_MAX ? bytes / ROW_BYTES : ROWS_MAX;
}

/* ---- passes ---- */

static struct wr_retire *begin(struct wr_fs_store *self)
{
	struct wr_retire *pass = wr_allocator_take_zeroed(self->allocator, sizeof *pass);

	if (pass == NULL)
		return NULL;
	for (uint32_t i = 0; i < self->segment_count; i++)
		self->segments[i].planned_bytes = 0;
	pass->store = self;
	pass->stream_max = self->row_count;
	pass->slots = wr_allocator_take_zeroed(self->allocator,
					       (pass->stream_max + 1) * sizeof *pass->slots);
	if (pass->slots != NULL)
		return pass;
	wr_allocator_free(self->allocator, pass, sizeof *pass);
	return NULL;
}

void wr_fs_retention_deinit(struct wr_fs_store *self)
{
	struct wr_retire *pass = self->retire;

	if (pass == NULL)
		return;
	/* What was found out on the way held for rows as they would have become. */
	for (uint32_t i = 0; i < pass->change_count; i++)
		for (unsigned what = EVENTS; what <= ITEMS; what++)
			self->rows[pass->changes[i].stream].searched[what] = 0;
	wr_allocator_free(self->allocator, pass->slots,
			  (pass->stream_max + 1) * sizeof *pass->slots);
	wr_allocator_free(self->allocator, pass, sizeof *pass);
	self->retire = NULL;
}

/* What is different in each turn: events come in meanwhile. */
static void begin_turn(struct wr_retire *self)
{
	struct wr_fs_store *store = self->store;

	self->looks = 0;
	self->rows_max = rows_that_fit(store);
	self->is_row_full = false;
	self->is_last_resort = store->state == WR_FS_FULL && !wr_fs_has_cleaning(store, UINT32_MAX);
	for (unsigned what = EVENTS; what <= ITEMS; what++)
		self->bytes[what] = self->stream_count[what] = 0;
	for (uint32_t i = 0; i < self->stream_max; i++) {
		struct state state = state_of(self, i);

		for (unsigned what = EVENTS; what <= ITEMS; what++) {
			self->bytes[what] += state.bytes[what];
			self->stream_count[what] += state.bytes[what] != 0;
		}
	}
}

static bool is_worth_it(const struct wr_retire *self, uint64_t dead)
{
	const struct wr_fs_store *store = self->store;
	uint64_t next = wr_fs_next_bytes(store);

	if (self->change_count > self->rows_max) /* the room was used for something else */
		return false;
	return wr_fs_has_prepared(store) ? self->gained >= next / WORTH_PART
					 : self->gained + dead >= next / TIGHT_PART;
}

/* Nothing was found, and nothing will be before something has changed. */
static bool must_rest(const struct wr_fs_store *self)
{
	return self->retire_boundary == self->checkpoint_segment[1] &&
	       self->config.now_ms() < self->retire_rest_until_ms;
}

static void rest(struct wr_fs_store *self)
{
	self->retire_boundary = self->checkpoint_segment[1];
	self->retire_rest_until_ms = self->config.now_ms() + REST_MS;
}

static void go_on(struct wr_fs_store *self, uint64_t dead, uint64_t target)
{
	struct wr_retire *pass = self->retire;
	enum wr_status status;

	begin_turn(pass);
	status = plan(pass, target - dead);
	if (status == WR_MORE)
		return;
	if (status != WR_OK || !is_worth_it(pass, dead) || !commit(pass))
		rest(self);
	wr_fs_retention_deinit(self);
}

void wr_fs_retain(struct wr_fs_store *self)
{
	uint64_t dead, target = wr_fs_next_bytes(self);

	wr_fs_read_rest(self);
	if (!wr_fs_is_pressed(self)) {
		wr_fs_retention_deinit(self);
		return;
	}
	if (wr_fs_is_cleaning(self) || self->is_in_checkpoint || self->checkpoint_segment[1] == 0 ||
	    learn_dead(self))
		return;
	dead = wr_fs_dead_bytes(self);
	/* What is easily had is had first. */
	if (dead >= target || wr_fs_has_cleaning(self, EASY_PART)) {
		wr_fs_retention_deinit(self);
		return;
	}
	if (self->retire == NULL && !must_rest(self))
		self->retire = begin(self);
	if (self->retire != NULL)
		go_on(self, dead, target);
}

enum wr_status wr_fs_retired_load(struct wr_fs_store *self, struct wr_view payload)
{
	if (payload.bytes % ROW_BYTES != 0)
		return WR_CORRUPT;
	for (; payload.bytes != 0; payload = wr_view_skip(payload, ROW_BYTES)) {
		const char *in = payload.data;
		uint32_t stream = wr_load_le32(in), first_item = wr_load_le32(in + 4);
		uint64_t evicted = wr_load_le64(in + 8);
		struct wr_stream_row *row;

		if (stream > WR_FS_STREAM_MAX || first_item == 0)
			return WR_CORRUPT;
		row = wr_fs_row(self, stream);
		if (row == NULL)
			return WR_NO_MEMORY;
		/* Records come in the order in which they were made. */
		if (row->first_item > first_item || row->evicted > evicted)
			return WR_CORRUPT;
		row->first_item = first_item;
		row->evicted = evicted;
		row->event_bytes = wr_load_le64(in + 16);
		row->item_bytes = wr_load_le64(in + 24);
		if (self->evicted < evicted)
			self->evicted = evicted;
	}
	return WR_OK;
}
