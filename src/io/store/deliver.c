/*
 * The second reading: the checkpoint and what is behind it, after all repair, for the store's own
 * tables and for the Runtime. In a damaged log it goes on behind each bad place; what was there
 * shows in the sequences, and whose it was in the sequences of the streams: a stream that misses
 * something is quarantined. When more is missing than streams say, some cannot prove that they are
 * whole.
 */
#include "check.h"
#include "io/log.h"
#include "io/store/open_private.h"

#include <string.h>

struct delivery {
	struct wr_opening *opening;
	struct wr_fs_store *store;
	const struct wr_store_replay *replay;
	struct wr_walk walk;
	uint64_t last_sequence;
	uint64_t missing, attributed; /* events */
	bool is_maybe_retired;	      /* a RETIRED record may be among what is damaged */
	/* Behind the last hole nothing came yet that its process has written: what later ones wrote
	 * does not tell how much was lost. */
	bool is_open_end;
	uint64_t open_epoch;
};

/* ---- what is wrong ---- */

static enum wr_status tell_quarantine(struct delivery *self, uint32_t stream)
{
	enum wr_status status = self->replay->quarantine(self->replay->context, stream);
	const struct wr_fs_recovery *recovery = &self->store->recovery;

	if (status == WR_CORRUPT)
		return wr_open_fail(self->store, status, 0,
				    "the catalogue cannot be rebuilt from it", recovery->file,
				    recovery->offset);
	return status;
}

/* Only what stands in the log as it is now; a tear is known already. */
static void note_damage(struct delivery *self, uint64_t offset)
{
	struct wr_segment *segment = &self->store->segments[self->walk.index];

	segment->is_damaged = true;
	self->opening->is_damaged = true;
	wr_open_note_damage(self->store, segment->number, offset);
}

static enum wr_status quarantine(struct delivery *self, uint32_t stream)
{
	const struct wr_fs_store *store = self->store;
	struct wr_stream_row *row = wr_fs_row(self->store, stream);

	if (row == NULL)
		return WR_NO_MEMORY;
	row->is_lost = true;
	if (row->is_quarantined)
		return WR_OK;
	note_damage(self, self->walk.offset);
	wr_fs_quarantine(self->store, stream, store->segments[self->walk.index].number,
			 self->walk.offset);
	return tell_quarantine(self, stream);
}

static void note_hole(struct delivery *self, uint64_t epoch)
{
	note_damage(self, self->walk.offset);
	self->is_maybe_retired = true;
	self->is_open_end = true;
	self->open_epoch = epoch;
}

/* What records were left out before this one, by its sequence. */
static void count_missing(struct delivery *self, uint64_t sequence)
{
	if (sequence > self->last_sequence) {
		self->missing += sequence - self->last_sequence;
		self->last_sequence = sequence;
		note_damage(self, self->walk.offset);
	}
	if (self->store->segments[self->walk.index].epoch == self->open_epoch)
		self->is_open_end = false;
}

/* ---- events ---- */

static void count_bytes(struct wr_stream_row *row, const struct wr_record *record)
{
	uint64_t bytes = wr_record_bytes(record->payload_bytes);

	row->stream_sequence = record->stream_sequence;
	row->last_sequence = record->sequence;
	if (record->item == 0) {
		row->event_bytes += bytes;
	} else {
		row->item_bytes += bytes;
		row->last_item = record->item;
	}
}

static enum wr_status add_to_index(struct delivery *self, const struct wr_record *record)
{
	struct wr_fs_store *store = self->store;
	enum wr_status status;

	if (self->walk.index + 1 != store->segment_count)
		return WR_OK;
	status = wr_fs_index_reserve(store);
	if (status == WR_OK)
		wr_fs_index_add(store, record, self->walk.offset);
	return status;
}

static enum wr_status deliver_event(struct delivery *self, bool is_sound)
{
	const struct wr_record *record = &self->walk.record;
	struct wr_stream_row *row;
	enum wr_status status = WR_OK;

	/* Sound, but not of this place: of no log of ours. */
	if (record->sequence <= self->last_sequence) {
		note_damage(self, self->walk.offset);
		return WR_OK;
	}
	if (record->stream > WR_FS_STREAM_MAX)
		return WR_CORRUPT;
	row = wr_fs_row(self->store, record->stream);
	if (row == NULL)
		return WR_NO_MEMORY;
	count_missing(self, record->sequence - 1);
	self->last_sequence = record->sequence;
	if (record->stream_sequence != row->stream_sequence + 1 || !is_sound) {
		if (record->stream_sequence > row->stream_sequence + 1)
			self->attributed += record->stream_sequence - row->stream_sequence - 1;
		status = quarantine(self, record->stream);
	}
	count_bytes(row, record);
	self->store->since_checkpoint += wr_record_bytes(record->payload_bytes);
	if (status == WR_OK)
		status = add_to_index(self, record);
	if (status != WR_OK || row->is_quarantined)
		return status;
	return self->replay->event(self->replay->context, &(struct wr_store_record){
								  .sequence = record->sequence,
								  .worker = record->stream,
								  .item = record->item,
								  .payload = self->walk.payload,
							  });
}

/* ---- records of the store ---- */

static enum wr_status deliver_own(struct delivery *self, bool is_sound)
{
	const struct wr_record *record = &self->walk.record;
	enum wr_status status = WR_OK;

	count_missing(self, record->sequence);
	self->store->since_checkpoint += wr_record_bytes(record->payload_bytes);
	if (!is_sound) {
		note_damage(self, self->walk.offset);
		if (record->kind == WR_RECORD_RETIRED)
			self->is_maybe_retired = true;
		return WR_OK;
	}
	if (record->kind == WR_RECORD_RETIRED)
		status = wr_fs_retired_load(self->store, self->walk.payload);
	else if (record->kind == WR_RECORD_GENERATIONS)
		status = wr_fs_generations_load(self->store, self->walk.payload);
	return status;
}

static enum wr_status deliver(struct delivery *self, enum wr_walk_kind kind)
{
	struct wr_fs_store *store = self->store;
	struct wr_fs_recovery *recovery = &store->recovery;
	bool is_sound = kind == WR_WALK_RECORD;

	if (kind == WR_WALK_SEGMENT) {
		const struct wr_segment *segment = &store->segments[self->walk.index];

		recovery->segment_count++;
		if (segment->is_missing)
			note_hole(self, self->walk.index == 0 ? 0 : segment[-1].epoch);
		else if (segment->is_headless)
			note_damage(self, 0);
		else
			count_missing(self, segment->first_sequence - 1);
		return WR_OK;
	}
	if (kind == WR_WALK_HOLE) {
		note_hole(self, store->segments[self->walk.index].epoch);
		return WR_OK;
	}
	recovery->record_count++;
	recovery->byte_count += wr_record_bytes(self->walk.record.payload_bytes);
	return self->walk.record.kind == WR_RECORD_EVENT ? deliver_event(self, is_sound)
							 : deliver_own(self, is_sound);
}

/* ---- the checkpoint ---- */

static enum wr_status take_part(struct delivery *self)
{
	struct wr_fs_store *store = self->store;
	const struct wr_record *record = &self->walk.record;

	self->last_sequence = record->sequence;
	switch ((enum wr_record_kind)record->kind) {
	case WR_RECORD_GENERATIONS:
		return wr_fs_generations_load(store, self->walk.payload);
	case WR_RECORD_CHECKPOINT_ROWS:
		return wr_fs_rows_load(store, self->walk.payload);
	case WR_RECORD_CHECKPOINT_PART:
		return self->replay->part(self->replay->context,
					  &(struct wr_store_record){
						  .sequence = record->sequence,
						  .payload = self->walk.payload,
					  });
	case WR_RECORD_CHECKPOINT_BEGIN:
	case WR_RECORD_CHECKPOINT_END:
	case WR_RECORD_EVENT:
	case WR_RECORD_RETIRED:
		return WR_OK;
	}
	return WR_OK;
}

static enum wr_status fail_at(struct delivery *self, enum wr_status status)
{
	const struct wr_fs_store *store = self->store;

	if (status != WR_CORRUPT || store->error.status != WR_OK)
		return status;
	return wr_open_fail_at(self->store, status, 0, "what it has cannot be taken",
			       store->segments[self->walk.index].number, self->walk.offset);
}

static enum wr_status deliver_checkpoint(struct delivery *self)
{
	struct wr_fs_store *store = self->store;
	enum wr_walk_kind kind = WR_WALK_SEGMENT;
	enum wr_status status = WR_OK;

	if (!self->opening->has_checkpoint)
		return WR_OK;
	while (status == WR_OK) {
		status = wr_walk_next(&self->walk, &kind);
		if (status != WR_OK || kind == WR_WALK_SEGMENT)
			continue;
		/* It was found whole a moment ago. */
		if (kind != WR_WALK_RECORD)
			return fail_at(self, WR_CORRUPT);
		store->recovery.record_count++;
		store->recovery.byte_count += wr_record_bytes(self->walk.record.payload_bytes);
		status = take_part(self);
		if (self->walk.record.kind == WR_RECORD_CHECKPOINT_END)
			break;
	}
	if (status == WR_OK)
		store->recovery.segment_count++;
	for (uint32_t i = 0; status == WR_OK && i < store->row_count; i++)
		if (store->rows[i].is_quarantined) {
			store->recovery.quarantined_count++;
			status = tell_quarantine(self, i);
		}
	return fail_at(self, status);
}

/* ---- indexes ---- */

static void say_unreadable(uint64_t number)
{
	char name[WR_FS_NAME_BYTES];

	wr_fs_index_name(name, number);
	WR_LOG(WR_LOG_WARNING, "store_index_unreadable",
	       WR_LOG_TEXT("file", wr_view_of_string(name)));
}

/* Making one can show holes of older records. */
static enum wr_status load_indexes(struct delivery *self)
{
	struct wr_fs_store *store = self->store;
	enum wr_status status = WR_OK;

	for (uint32_t i = 0; status == WR_OK && i + 1 < store->segment_count; i++) {
		struct wr_segment *segment = &store->segments[i];

		if (segment->is_missing)
			continue;
		/* Where its sequences begin is known to nobody but its header. */
		status = segment->is_headless ? WR_CORRUPT : wr_fs_index_load(store, segment);
		if (status == WR_CORRUPT)
			status = wr_fs_index_rebuild(store, segment);
		if (status == WR_CORRUPT) {
			wr_open_note_damage(store, segment->number, 0);
			/* Of those that were read just now it is known what is missing. */
			if (self->opening->has_checkpoint && i < self->opening->checkpoint)
				store->recovery.is_maybe_incomplete = true;
			status = WR_OK;
		}
		/* It is tried again when it is asked for. */
		if (status == WR_IO) {
			say_unreadable(segment->number);
			status = WR_OK;
		}
		if (status == WR_UNSUPPORTED)
			wr_open_fail_at(store, status, 0, "it was written by a newer version",
					segment->number, 0);
	}
	return status;
}

static enum wr_status load_indexes_and_tell(struct delivery *self)
{
	struct wr_fs_store *store = self->store;
	uint32_t row_count = store->row_count;
	uint32_t told_count = store->recovery.quarantined_count;
	enum wr_status status;
	bool *told = NULL;

	if (row_count != 0) {
		told = wr_allocator_take(store->allocator, row_count * sizeof *told);
		if (told == NULL)
			return WR_NO_MEMORY;
	}
	for (uint32_t i = 0; i < row_count; i++)
		told[i] = store->rows[i].is_quarantined;
	status = load_indexes(self);
	for (uint32_t i = 0; status == WR_OK && told_count != store->recovery.quarantined_count &&
			     i < store->row_count;
	     i++)
		if (store->rows[i].is_quarantined && (i >= row_count || !told[i]))
			status = tell_quarantine(self, i);
	wr_allocator_free(store->allocator, told, row_count * sizeof *told);
	return status;
}

/* ---- the end ---- */

/* What a lost RETIRED record gave up may have been cleaned away: all that can have been is told to
 * be given up, so that no reader misses it in silence. */
static void give_up_cleaned(struct wr_fs_store *self)
{
	uint64_t evicted = 0;

	for (uint32_t i = 0; i < self->segment_count; i++)
		if (self->segments[i].is_compacted && self->segments[i].next_sequence != UINT64_MAX)
			evicted = self->segments[i].next_sequence - 1;
	for (uint32_t i = 0; i < self->row_count; i++)
		if (self->rows[i].evicted < evicted)
			self->rows[i].evicted = evicted;
	if (self->evicted < evicted)
		self->evicted = evicted;
}

static void conclude(struct delivery *self)
{
	struct wr_fs_store *store = self->store;
	const struct wr_mark *mark = &self->opening->mark;
	struct wr_fs_recovery *recovery = &store->recovery;

	recovery->last_sequence = store->head;
	if (self->is_open_end || self->missing > self->attributed ||
	    self->opening->is_cut_before_mark ||
	    (mark->state == WR_MARK_SOUND && mark->sequence > store->head))
		recovery->is_maybe_incomplete = true;
	for (uint32_t i = 0; i < store->segment_count; i++)
		if (store->segments[i].is_missing)
			recovery->is_maybe_incomplete = true;
	if (self->is_maybe_retired)
		give_up_cleaned(store);
}

enum wr_status wr_open_deliver(struct wr_opening *opening)
{
	struct wr_fs_store *store = opening->store;
	struct delivery self = {.opening = opening, .store = store, .replay = opening->replay};
	enum wr_walk_kind kind = WR_WALK_SEGMENT;
	enum wr_status status;

	store->error = (struct wr_fs_error){.status = WR_OK};
	wr_walk_begin(&self.walk, store, opening->has_checkpoint ? opening->checkpoint : 0);
	status = deliver_checkpoint(&self);
	store->since_checkpoint = 0;
	while (status == WR_OK && kind != WR_WALK_END) {
		status = wr_walk_next(&self.walk, &kind);
		if (status == WR_OK && kind != WR_WALK_END)
			status = deliver(&self, kind);
	}
	if (status != WR_OK)
		fail_at(&self, status);
	wr_walk_end(&self.walk);
	/* Both readings came to the same end, unless somebody else writes to the files. */
	if (status == WR_OK && self.last_sequence != store->head)
		status = wr_open_fail(store, WR_CORRUPT, 0, "it changes while it is read", NULL, 0);
	if (status == WR_OK)
		conclude(&self);
	return status == WR_OK ? load_indexes_and_tell(&self) : status;
}
