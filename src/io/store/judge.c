/*
 * Where the log ends. A bad place at B is a *tear*, of a write that no sync covered, unless
 * something proves that B was durable:
 *
 *	a sound record behind it, in this or a later segment, that says so (durable_upto > B)
 *	the mark of a clean stop beyond it
 *	a segment behind it that was merged of others: only what is durable is
 *	a file that is missing or shorter than it was made: names and sizes were durable before use
 *
 * Holes with sound records behind them are normal in a tear: pages reach the disk in any order.
 *
 *	  sound  |B   bad    sound, durable_upto <= B   |            --> cut at B
 *	  sound  |B   bad    sound, durable_upto >  B   |            --> damage: nothing is cut
 *
 * Reading begins at the newest whole checkpoint. That all before it is durable must be shown as
 * well: a checkpoint may have arrived before events that it counts on. So reading begins further
 * back until it is.
 */
#include "bytes/endian.h"
#include "check.h"
#include "io/store/open_private.h"

/* ---- checkpoints ---- */

/* Whether this segment begins with a whole one, and where that ends. */
static enum wr_status check_checkpoint(struct wr_fs_store *self, uint32_t index, uint64_t *end,
				       bool *is_whole)
{
	enum wr_walk_kind kind;
	enum wr_status status;
	struct wr_walk walk;
	uint64_t count = 0;

	*is_whole = false;
	wr_walk_begin(&walk, self, index);
	status = wr_walk_next(&walk, &kind);
	if (status == WR_OK)
		status = wr_walk_next(&walk, &kind);
	if (kind != WR_WALK_RECORD || walk.record.kind != WR_RECORD_CHECKPOINT_BEGIN)
		goto done;
	while (status == WR_OK) {
		status = wr_walk_next(&walk, &kind);
		if (status != WR_OK || kind != WR_WALK_RECORD ||
		    walk.record.kind == WR_RECORD_EVENT ||
		    walk.record.kind == WR_RECORD_CHECKPOINT_END)
			break;
		count++;
	}
	if (status == WR_OK && kind == WR_WALK_RECORD &&
	    walk.record.kind == WR_RECORD_CHECKPOINT_END && walk.payload.bytes == 8) {
		*is_whole = wr_load_le64(walk.payload.data) == count;
		*end = walk.scan.offset;
	}
done:
	wr_walk_end(&walk);
	return status;
}

enum wr_status wr_open_find_checkpoint(struct wr_fs_store *self, uint32_t before, uint64_t position,
				       uint32_t *index, uint64_t *bytes)
{
	for (uint32_t i = before; i-- > 0;) {
		const struct wr_segment *segment = &self->segments[i];
		enum wr_status status;
		uint64_t end = 0;
		bool is_whole;

		if (!segment->has_checkpoint || segment->is_missing)
			continue;
		status = check_checkpoint(self, i, &end, &is_whole);
		if (status != WR_OK)
			return status;
		if (!is_whole || wr_position(segment->number, end) > position)
			continue;
		*index = i;
		*bytes = end - WR_SEGMENT_HEADER_BYTES;
		return WR_OK;
	}
	return WR_NOT_FOUND;
}

/* ---- reading to the end ---- */

static void note_bad(struct wr_judgement *judged, uint32_t index, uint64_t offset)
{
	if (judged->last_bad_index < index)
		judged->last_bad_index = index;
	if (judged->has_bad)
		return;
	judged->has_bad = true;
	judged->bad_index = judged->last_bad_index = index;
	judged->bad_offset = offset;
	judged->bad_sequence = judged->last_sequence;
}

/* Behind the last sound record something is not there. */
static void note_bad_end(struct wr_judgement *judged)
{
	note_bad(judged, judged->end_index, judged->end_offset);
}

static void judge_segment(struct wr_judgement *judged, const struct wr_fs_store *self,
			  uint32_t index)
{
	const struct wr_segment *segment = &self->segments[index];

	if (index == judged->start) {
		judged->last_sequence = segment->first_sequence - 1;
	} else if (!segment->is_headless && !segment->is_missing &&
		   segment->first_sequence != judged->last_sequence + 1) {
		note_bad_end(judged);
		/* There were events up to here, though none of them can be read. */
		if (judged->last_sequence + 1 < segment->first_sequence)
			judged->last_sequence = segment->first_sequence - 1;
	}
	if (segment->is_missing || segment->file_bytes < WR_SEGMENT_HEADER_BYTES ||
	    segment->file_bytes < segment->made_bytes)
		judged->is_missing = true;
	if (segment->is_headless || segment->is_missing)
		note_bad(judged, index, 0);
	judged->is_in_checkpoint = false;
	judged->end_index = index;
	judged->end_offset =
		segment->is_headless || segment->is_missing ? 0 : WR_SEGMENT_HEADER_BYTES;
}

static void judge_record(struct wr_judgement *judged, const struct wr_walk *walk, bool is_sound)
{
	const struct wr_record *record = &walk->record;
	bool is_event = record->kind == WR_RECORD_EVENT;

	if (!is_sound)
		note_bad(judged, walk->index, walk->offset);
	else if (record->sequence != judged->last_sequence + (is_event ? 1 : 0))
		note_bad_end(judged);
	if (judged->last_sequence < record->sequence)
		judged->last_sequence = record->sequence;
	if (judged->durable < record->durable_upto)
		judged->durable = record->durable_upto;
	if (record->kind == WR_RECORD_CHECKPOINT_BEGIN) {
		judged->is_in_checkpoint = true;
		judged->begin_offset = walk->offset;
	} else if (is_event || record->kind == WR_RECORD_RETIRED ||
		   (is_sound && record->kind == WR_RECORD_CHECKPOINT_END)) {
		judged->is_in_checkpoint = false;
	}
	judged->end_index = walk->index;
	judged->end_offset = walk->scan.offset;
	if (judged->end_offset > walk->scan.file_bytes)
		judged->end_offset = walk->scan.file_bytes;
}

/* Reads from a segment on to the end. */
static enum wr_status judge_from(struct wr_opening *self, uint32_t start)
{
	struct wr_judgement *judged = &self->judged;
	struct wr_fs_store *store = self->store;
	enum wr_walk_kind kind = WR_WALK_SEGMENT;
	enum wr_status status = WR_OK;
	struct wr_walk walk;

	*judged = (struct wr_judgement){.start = start};
	wr_walk_begin(&walk, store, start);
	while (status == WR_OK && kind != WR_WALK_END) {
		status = wr_walk_next(&walk, &kind);
		if (status != WR_OK)
			break;
		switch (kind) {
		case WR_WALK_SEGMENT:
			judge_segment(judged, store, walk.index);
			break;
		case WR_WALK_RECORD:
		case WR_WALK_BAD:
			judge_record(judged, &walk, kind == WR_WALK_RECORD);
			break;
		case WR_WALK_HOLE:
			note_bad(judged, walk.index, walk.offset);
			break;
		case WR_WALK_END:
			break;
		}
	}
	wr_walk_end(&walk);
	return status;
}

/* ---- the verdict ---- */

static uint64_t proven(const struct wr_opening *self)
{
	uint64_t position = self->judged.durable;

	if (self->mark.state == WR_MARK_SOUND && position < self->mark.position)
		position = self->mark.position;
	return position;
}

/* The lowest segment that reading can begin at: none behind it was merged. */
static uint32_t lowest_start(const struct wr_fs_store *self, uint32_t index)
{
	while (index > 0 && !self->segments[index - 1].is_compacted)
		index--;
	return index;
}

/* Reads from `start`, and from further back until all before is known to be durable. */
static enum wr_status judge_back(struct wr_opening *self, uint32_t start)
{
	const struct wr_fs_store *store = self->store;
	uint32_t lowest = lowest_start(store, start), back = 1;
	enum wr_status status = judge_from(self, start);

	while (status == WR_OK && start > lowest &&
	       proven(self) < wr_position(store->segments[start].number, 0)) {
		start -= back < start - lowest ? back : start - lowest;
		back *= 2;
		status = judge_from(self, start);
	}
	return status;
}

/* The log ends within a checkpoint, which is worth nothing without its end. */
static void note_unfinished(struct wr_judgement *judged)
{
	if (!judged->has_bad) {
		note_bad(judged, judged->end_index, judged->begin_offset);
	} else if (judged->bad_index == judged->end_index &&
		   judged->bad_offset > judged->begin_offset) {
		judged->bad_offset = judged->begin_offset;
	}
}

/* An end before it is damage; also when a start that saw that was interrupted after it had begun a
 * new segment. */
static void check_mark(struct wr_opening *self, uint64_t end)
{
	struct wr_judgement *judged = &self->judged;
	const struct wr_mark *mark = &self->mark;
	const struct wr_fs_store *store = self->store;

	if (mark->position > end) {
		note_bad_end(judged);
		judged->is_missing = true;
		return;
	}
	for (uint32_t i = judged->start; i < judged->end_index; i++)
		if (store->segments[i].number == mark->position >> 32 &&
		    store->segments[i].bytes < (mark->position & UINT32_MAX)) {
			note_bad(judged, i, store->segments[i].bytes);
			judged->is_missing = true;
			self->is_cut_before_mark = true;
		}
}

static void judge_end(struct wr_opening *self)
{
	struct wr_judgement *judged = &self->judged;
	const struct wr_segment *segments = self->store->segments;
	const struct wr_mark *mark = &self->mark;
	uint64_t end = wr_position(segments[judged->end_index].number, judged->end_offset);
	uint64_t begin = wr_position(segments[judged->end_index].number, judged->begin_offset);
	uint64_t bad;

	if (mark->state == WR_MARK_SOUND)
		check_mark(self, end);
	self->is_clean = mark->state == WR_MARK_SOUND && mark->position == end &&
			 mark->sequence == judged->last_sequence;
	if (judged->is_in_checkpoint && !self->is_clean && proven(self) <= begin)
		note_unfinished(judged);
	if (!judged->has_bad)
		return;
	bad = wr_position(segments[judged->bad_index].number, judged->bad_offset);
	self->is_torn = !judged->is_missing && proven(self) <= bad &&
			!(judged->bad_index == 0 && judged->bad_offset == 0);
	for (uint32_t i = judged->bad_index; i < self->store->segment_count; i++)
		if (segments[i].is_compacted)
			self->is_torn = false;
	self->is_damaged = !self->is_torn;
	if (self->is_torn)
		self->is_clean = false;
}

/* Events can be folded only when none of them was left out. */
static enum wr_status check_foldable(struct wr_opening *self)
{
	struct wr_fs_store *store = self->store;
	uint32_t first = self->has_checkpoint ? self->checkpoint : 0;

	for (uint32_t i = first; i < store->segment_count; i++)
		if (store->segments[i].is_compacted || (i == 0 && store->segments[0].is_missing))
			return wr_open_fail_at(store, WR_CORRUPT, 0,
					       "the catalogue cannot be rebuilt from it",
					       store->segments[i].number, 0);
	return WR_OK;
}

/* The checkpoint to begin with, and the one before it. */
static enum wr_status choose_checkpoints(struct wr_opening *self, uint64_t position)
{
	struct wr_fs_store *store = self->store;
	uint64_t bytes = 0;
	uint32_t older;
	enum wr_status status;

	status = wr_open_find_checkpoint(store, store->segment_count, position, &self->checkpoint,
					 &bytes);
	self->has_checkpoint = status == WR_OK;
	store->checkpoint_segment[0] = store->checkpoint_segment[1] = 0;
	store->checkpoint_bytes = bytes;
	if (status != WR_OK)
		return status == WR_NOT_FOUND ? WR_OK : status;
	store->checkpoint_segment[0] = store->segments[self->checkpoint].number;
	status = wr_open_find_checkpoint(store, self->checkpoint, position, &older, &bytes);
	if (status == WR_OK)
		store->checkpoint_segment[1] = store->segments[older].number;
	return status == WR_NOT_FOUND ? WR_OK : status;
}

enum wr_status wr_open_judge(struct wr_opening *self)
{
	const struct wr_judgement *judged = &self->judged;
	enum wr_status status = choose_checkpoints(self, UINT64_MAX);

	if (status == WR_OK)
		status = check_foldable(self);
	if (status == WR_OK)
		status = judge_back(self, self->has_checkpoint ? self->checkpoint : 0);
	if (status != WR_OK)
		return status;
	judge_end(self);
	if (!self->is_torn)
		return WR_OK;
	status = choose_checkpoints(
		self,
		wr_position(self->store->segments[judged->bad_index].number, judged->bad_offset));
	return status == WR_OK ? check_foldable(self) : status;
}
