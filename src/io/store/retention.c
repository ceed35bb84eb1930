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
 * All of one pass is one RETIRED record: what streams have given up, and what they have left.
 */
#include "bytes/endian.h"
#include "check.h"
#include "io/store/store_private.h"

enum {
	ROW_BYTES = 32,
	ROWS_MAX = 32,	 /* of one record */
	UNITS_MAX = 128, /* of one pass */
	TRIES_MAX = 256,
	EASY_PART = 4, /* cleaning that frees this part of what it reads */
	/* Entries looked at in one pass: some milliseconds. */
	LOOKS_MAX = 32768
};

enum what { EVENTS, ITEMS };

/* What a stream would be like after this pass. */
struct change {
	uint32_t stream;
	struct wr_stream_row row;
	bool is_over[2]; /* nothing more to give, by what */
};

struct unit {
	struct wr_segment *segment;
	uint64_t evicted;
	uint32_t first_item;
	uint32_t event_bytes, item_bytes;
	bool has_newest; /* event or item, which stays: there is nothing behind */
};

struct pass {
	struct wr_fs_store *store;
	struct change changes[ROWS_MAX];
	uint32_t change_count;
	struct {
		uint32_t segment; /* index */
		uint32_t bytes;
	} units[UNITS_MAX];
	uint32_t unit_count;
	uint64_t gained;
	uint32_t looks;
	uint32_t rows_max;
	bool is_last_resort;	  /* nothing can be written, and nothing else would help */
	uint64_t bytes[2];	  /* of all streams, by what */
	uint32_t stream_count[2]; /* that have some */
};

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

/* After an opening it has to be found out, of one segment after the other. False: it is known. */
static bool learn_dead(struct wr_fs_store *self)
{
	for (uint32_t i = 0; i < self->segment_count; i++) {
		struct wr_segment *segment = &self->segments[i];

		if (segment->is_dead_known || !wr_fs_is_cleanable(self, segment))
			continue;
		/* What cannot be read now is not cleaned now. */
		return wr_fs_index_learn_dead(self, segment) == WR_OK;
	}
	return false;
}

/* ---- rows, as this pass leaves them ---- */

static struct change *find_change(struct pass *self, uint32_t stream)
{
	for (uint32_t i = 0; i < self->change_count; i++)
		if (self->changes[i].stream == stream)
			return &self->changes[i];
	return NULL;
}

static const struct wr_stream_row *row_of(struct pass *self, uint32_t stream)
{
	const struct change *change = find_change(self, stream);

	return change != NULL ? &change->row : &self->store->rows[stream];
}

/* NULL: the record is full. */
static struct change *take_change(struct pass *self, uint32_t stream)
{
	struct change *change = find_change(self, stream);

	if (change != NULL)
		return change;
	if (self->change_count == self->rows_max)
		return NULL;
	change = &self->changes[self->change_count++];
	*change = (struct change){.stream = stream, .row = self->store->rows[stream]};
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
static enum wr_status has_newer(struct pass *self, uint32_t stream, uint32_t index,
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

			self->looks += 16;
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
static void count_entry(struct unit *unit, const struct wr_stream_row *row, enum what what,
			uint64_t sequence, const struct wr_index_entry *entry, uint32_t *pending)
{
	if (entry->item == 0 && sequence > row->evicted)
		*pending += entry->bytes;
	if (what == EVENTS && entry->item == 0 && sequence > row->evicted) {
		unit->evicted = sequence;
		unit->event_bytes = *pending;
	}
	if (what == ITEMS && entry->item != 0 && entry->item == row->last_item)
		unit->has_newest = true;
	if (what == ITEMS && entry->item >= row->first_item && entry->item < row->last_item) {
		unit->item_bytes += entry->bytes;
		unit->first_item = entry->item + 1;
		unit->event_bytes = *pending;
		if (unit->evicted < sequence)
			unit->evicted = sequence;
	}
}

/* What giving up this stream's events within this segment would be. WR_NOT_FOUND: nothing. */
static enum wr_status measure(struct pass *self, uint32_t stream, enum what what, uint32_t index,
			      struct unit *unit)
{
	struct wr_fs_store *store = self->store;
	const struct wr_stream_row *row = row_of(self, stream);
	struct wr_segment *segment = &store->segments[index];
	uint64_t after = what == EVENTS ? row->evicted : 0;
	uint32_t hint = 0, pending = 0;
	struct wr_index_entry entry, next;
	enum wr_status status = wr_fs_index_find(store, segment, stream, after, 0, &hint, &entry);

	*unit = (struct unit){
		.segment = segment, .evicted = row->evicted, .first_item = row->first_item};
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
			count_entry(unit, row, what, sequence, &entry, &pending);
		entry = next;
	}
	if (status != WR_NOT_FOUND)
		return status;
	return unit->event_bytes + unit->item_bytes != 0 ? WR_OK : WR_NOT_FOUND;
}

/* The oldest unit of this stream that can be cleaned. */
static enum wr_status find_unit(struct pass *self, uint32_t stream, enum what what,
				struct unit *unit)
{
	struct wr_fs_store *store = self->store;
	uint32_t i = first_index(store, &store->rows[stream], what);

	for (; i < store->segment_count; i++) {
		struct wr_segment *segment = &store->segments[i];
		enum wr_status status;

		if (segment->last_number >= store->checkpoint_segment[1])
			break;
		status = measure(self, stream, what, i, unit);
		if (status != WR_NOT_FOUND || unit->has_newest)
			return status;
		store->rows[stream].searched[what] = segment->last_number + 1;
	}
	return WR_NOT_FOUND;
}

static void lower(uint64_t *bytes, uint32_t by)
{
	*bytes -= *bytes < by ? *bytes : by;
}

static bool take_unit(struct pass *self, uint32_t stream, const struct unit *unit)
{
	struct change *change = take_change(self, stream);
	uint32_t bytes = unit->event_bytes + unit->item_bytes;
	struct wr_stream_row *row;

	if (change == NULL)
		return false;
	row = &change->row;
	row->evicted = unit->evicted;
	row->first_item = unit->first_item;
	lower(&row->event_bytes, unit->event_bytes);
	lower(&row->item_bytes, unit->item_bytes);
	lower(&self->bytes[EVENTS], unit->event_bytes);
	lower(&self->bytes[ITEMS], unit->item_bytes);
	self->units[self->unit_count].segment = (uint32_t)(unit->segment - self->store->segments);
	self->units[self->unit_count++].bytes = bytes;
	/* What is in a damaged segment is given up with the rest, but gives no room. */
	if (!unit->segment->is_damaged)
		self->gained += bytes;
	return true;
}

/* ---- whose ---- */

static uint64_t bytes_of(const struct wr_stream_row *row, enum what what)
{
	return what == EVENTS ? row->event_bytes : row->item_bytes;
}

/* The stream with the most that has something to give; `is_fair`, of those that have at least the
 * average. */
static bool choose(struct pass *self, enum what what, bool is_fair, uint32_t *stream)
{
	uint64_t share = 0, most = 0;

	if (self->stream_count[what] != 0 && is_fair)
		share = self->bytes[what] / self->stream_count[what];
	for (uint32_t i = 0; i < self->store->row_count; i++) {
		const struct wr_stream_row *row = &self->store->rows[i];
		const struct change *change;
		uint64_t bytes = bytes_of(row, what); /* a change only makes it less */

		if (bytes <= most || bytes < share ||
		    row->searched[what] >= self->store->checkpoint_segment[1])
			continue;
		change = find_change(self, i);
		if (change != NULL)
			bytes = bytes_of(&change->row, what);
		if (bytes <= most || bytes < share || (change != NULL && change->is_over[what]))
			continue;
		most = bytes;
		*stream = i;
	}
	return most != 0;
}

/* One unit more. WR_NOT_FOUND: no stream has one. WR_FULL: this pass cannot take more. */
static enum wr_status give_up(struct pass *self, enum what what, bool is_fair)
{
	for (unsigned tries = 0; tries < TRIES_MAX && self->looks < LOOKS_MAX; tries++) {
		struct unit unit;
		struct change *change;
		uint32_t stream;
		enum wr_status status;

		if (!choose(self, what, is_fair, &stream))
			return WR_NOT_FOUND;
		status = find_unit(self, stream, what, &unit);
		/* Items fall with the events before them: those of older segments first. */
		if (status == WR_OK && what == ITEMS &&
		    row_of(self, stream)->evicted < unit.segment->first_sequence) {
			struct unit older;
			enum wr_status found = find_unit(self, stream, EVENTS, &older);

			if (found == WR_OK && older.segment < unit.segment)
				unit = older;
			else if (found != WR_OK && found != WR_NOT_FOUND)
				status = found;
		}
		if (status == WR_OK)
			return take_unit(self, stream, &unit) ? WR_OK : WR_FULL;
		if (status != WR_NOT_FOUND)
			return status;
		change = take_change(self, stream);
		if (change == NULL)
			return WR_FULL;
		change->is_over[what] = true;
	}
	return WR_FULL;
}

/* Whether transcripts have more than their half: of the room that is left for what may be kept,
 * which is most of it, unless the disk's share is only a few segments. Or whether they have all
 * that there is: other events would not even fill a segment. */
static bool is_item_heavy(const struct pass *self)
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
static enum wr_status give_up_any(struct pass *self)
{
	enum what what = is_item_heavy(self) ? ITEMS : EVENTS;
	enum wr_status status = give_up(self, what, true);

	if (status == WR_NOT_FOUND && self->is_last_resort)
		status = give_up(self, what, false);
	if (status == WR_NOT_FOUND && self->is_last_resort)
		status = give_up(self, what == ITEMS ? EVENTS : ITEMS, false);
	return status;
}

static void plan(struct pass *self, uint64_t target)
{
	enum wr_status status = WR_OK;

	while (status == WR_OK && self->gained < target && self->unit_count < UNITS_MAX)
		status = give_up_any(self);
}

/* ---- the record ---- */

static bool is_changed(const struct pass *self, const struct change *change)
{
	const struct wr_stream_row *before = &self->store->rows[change->stream];

	return before->evicted != change->row.evicted ||
	       before->first_item != change->row.first_item;
}

static void apply_change(struct wr_fs_store *self, const struct change *change)
{
	struct wr_stream_row *row = &self->rows[change->stream];

	row->evicted = change->row.evicted;
	row->first_item = change->row.first_item;
	row->event_bytes = change->row.event_bytes;
	row->item_bytes = change->row.item_bytes;
	if (self->evicted < row->evicted)
		self->evicted = row->evicted;
}

/* Nothing has changed before the record is taken, and all has after. */
static void commit(struct pass *self)
{
	struct wr_fs_store *store = self->store;
	char rows[ROWS_MAX * ROW_BYTES];
	const struct wr_segment *active;
	size_t bytes = 0;

	for (uint32_t i = 0; i < self->change_count; i++) {
		const struct change *change = &self->changes[i];

		if (!is_changed(self, change))
			continue;
		wr_store_le32(rows + bytes, change->stream);
		wr_store_le32(rows + bytes + 4, change->row.first_item);
		wr_store_le64(rows + bytes + 8, change->row.evicted);
		wr_store_le64(rows + bytes + 16, change->row.event_bytes);
		wr_store_le64(rows + bytes + 24, change->row.item_bytes);
		bytes += ROW_BYTES;
	}
	if (bytes == 0 ||
	    wr_fs_append_own(store, WR_RECORD_RETIRED, wr_view_of(rows, bytes)) != WR_OK)
		return;
	for (uint32_t i = 0; i < self->change_count; i++)
		if (is_changed(self, &self->changes[i]))
			apply_change(store, &self->changes[i]);
	for (uint32_t i = 0; i < self->unit_count; i++)
		store->segments[self->units[i].segment].dead_bytes += self->units[i].bytes;
	active = wr_fs_active(store);
	store->retired_position = wr_position(active->number, active->bytes);
}

/* Rows of one record. Of a store that is full it must fit what is left of the active segment: a few
 * streams that give something up are better than a record that cannot be written. */
static uint32_t rows_that_fit(struct wr_fs_store *self)
{
	const struct wr_segment *active = wr_fs_active(self);
	uint32_t bytes = self->config.payload_bytes_max;
	uint32_t room = active->file_bytes - active->bytes;

	room -= room < WR_RECORD_HEADER_BYTES ? room : WR_RECORD_HEADER_BYTES;
	if (!wr_fs_has_prepared(self) && bytes > room)
		bytes = room;
	return bytes / ROW_BYTES < ROWS_MAX ? bytes / ROW_BYTES : ROWS_MAX;
}

void wr_fs_retain(struct wr_fs_store *self)
{
	struct pass pass = {.store = self};
	uint64_t dead, target = wr_fs_next_bytes(self);

	wr_fs_read_rest(self);
	if (!wr_fs_is_pressed(self) || wr_fs_is_cleaning(self) || self->is_in_checkpoint ||
	    self->checkpoint_segment[1] == 0 || learn_dead(self))
		return;
	dead = wr_fs_dead_bytes(self);
	/* What is easily had is had first. */
	if (dead >= target || wr_fs_has_cleaning(self, EASY_PART))
		return;
	pass.is_last_resort = self->state == WR_FS_FULL && !wr_fs_has_cleaning(self, UINT32_MAX);
	for (uint32_t i = 0; i < self->row_count; i++) {
		for (unsigned what = EVENTS; what <= ITEMS; what++) {
			uint64_t bytes = bytes_of(&self->rows[i], (enum what)what);

			pass.bytes[what] += bytes;
			pass.stream_count[what] += bytes != 0;
		}
	}
	pass.rows_max = rows_that_fit(self);
	plan(&pass, target - dead);
	commit(&pass);
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
