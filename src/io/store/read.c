/*
 * Reading what is kept and visible, record by record; none is given whose checksums, stream and
 * sequence are not right. What is found wrong is never passed over in silence: its stream is
 * quarantined and the caller told, once; all others go on.
 *
 * One stream is read through the indexes, all streams by walking from record to record. A place
 * remembers where the next record is likely to be; it is a hint that is checked.
 */
#include "check.h"
#include "io/log.h"
#include "io/store/store_private.h"

void wr_fs_quarantine(struct wr_fs_store *self, uint32_t stream, uint64_t segment, uint64_t offset)
{
	struct wr_stream_row *row = wr_fs_row(self, stream);
	char name[WR_FS_NAME_BYTES];

	if (row == NULL || row->is_quarantined)
		return;
	row->is_quarantined = true;
	self->recovery.quarantined_count++;
	wr_fs_segment_name(name, segment);
	WR_LOG(WR_LOG_ERROR, "store_corrupt", WR_LOG_TEXT("file", wr_view_of_string(name)),
	       WR_LOG_NUMBER("offset", offset), WR_LOG_NUMBER("worker", stream));
}

/* ---- records ---- */

/* Names the stream that something is missing of. */
static enum wr_status report(struct wr_fs_store *self, const struct wr_segment *segment,
			     uint64_t offset, uint32_t stream, struct wr_store_record *out)
{
	wr_fs_quarantine(self, stream, segment->number, offset);
	*out = (struct wr_store_record){.worker = stream};
	return WR_CORRUPT;
}

static enum wr_status give(struct wr_fs_store *self, const struct wr_segment *segment,
			   uint64_t offset, const struct wr_record *record,
			   struct wr_store_record *out)
{
	struct wr_view payload = WR_VIEW_NULL;
	enum wr_status status = wr_fs_read_payload(self, segment, offset, record, &payload);

	if (status == WR_CORRUPT)
		return report(self, segment, offset, record->stream, out);
	*out = (struct wr_store_record){
		.sequence = record->sequence,
		.worker = record->stream,
		.item = record->item,
		.payload = payload,
	};
	return status;
}

/* ---- places ---- */

/* What goes on from `after` must find the files as they were, and have got as far as `after`. */
static uint64_t place_token(const struct wr_fs_store *self, uint64_t after)
{
	return after ^ self->layout * UINT64_C(0x9e3779b97f4a7c15);
}

/* The segment that a place names, and the number with it; NULL: search. */
static struct wr_segment *segment_of_place(struct wr_fs_store *self,
					   const struct wr_store_place *place, uint64_t after,
					   uint32_t *number)
{
	if (place->segment == 0 || place->index != place_token(self, after))
		return NULL;
	*number = (uint32_t)place->segment;
	return wr_fs_segment(self, place->segment >> 32);
}

static void set_place(const struct wr_fs_store *self, struct wr_store_place *place,
		      const struct wr_segment *segment, uint64_t number, uint64_t after)
{
	place->segment = wr_position(segment->number, number);
	place->index = place_token(self, after);
}

/* Index of the first segment that may have an event above `after`. */
static uint32_t first_segment_above(const struct wr_fs_store *self, uint64_t after)
{
	uint32_t low = 0, high = self->segment_count;

	while (low + 1 < high) {
		uint32_t middle = low + (high - low) / 2;

		if (self->segments[middle].first_sequence <= after + 1)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static uint32_t index_of(const struct wr_fs_store *self, const struct wr_segment *segment)
{
	return (uint32_t)(segment - self->segments);
}

/* ---- one stream ---- */

/* The first kept one above `after` in this segment. */
static enum wr_status find_kept(struct wr_fs_store *self, struct wr_segment *segment,
				uint32_t stream, uint64_t after, uint32_t *hint,
				struct wr_index_entry *entry)
{
	const struct wr_stream_row *row = wr_fs_row_find(self, stream);
	bool may_have_items = true;

	for (;;) {
		uint64_t sequence;
		uint32_t first, last = 0;
		enum wr_status status =
			wr_fs_index_find(self, segment, stream, after, 0, hint, entry);

		if (status != WR_OK)
			return status;
		sequence = segment->first_sequence + entry->sequence_delta;
		if (wr_fs_is_kept(row, sequence, entry->item))
			return WR_OK;
		/* Of what was given up only items may have stayed. */
		if (may_have_items) {
			status = wr_fs_index_items(self, segment, stream, &first, &last);
			if (status != WR_OK && status != WR_NOT_FOUND)
				return status;
			may_have_items = status == WR_OK && last >= row->first_item;
		}
		after = may_have_items ? sequence : row->evicted;
	}
}

/* The record of an entry. */
static enum wr_status give_entry(struct wr_fs_store *self, const struct wr_segment *segment,
				 const struct wr_index_entry *entry, struct wr_record *record,
				 struct wr_store_record *out)
{
	uint64_t offset = (uint64_t)entry->place * WR_RECORD_ALIGN;
	enum wr_status status = wr_fs_read_header(self, segment, offset, record);

	if (status == WR_OK &&
	    (record->kind != WR_RECORD_EVENT || record->stream != entry->stream ||
	     record->sequence != segment->first_sequence + entry->sequence_delta ||
	     record->item != entry->item))
		status = WR_CORRUPT;
	if (status == WR_CORRUPT)
		return report(self, segment, offset, entry->stream, out);
	return status == WR_OK ? give(self, segment, offset, record, out) : status;
}

/* A stream has no holes above what was given up. Indexes are complete; but one that was made again
 * from a damaged segment can lack an event whose stream nobody knew. */
static enum wr_status check_hole(struct wr_fs_store *self, const struct wr_segment *segment,
				 const struct wr_index_entry *entry, const struct wr_record *record,
				 uint64_t after, struct wr_store_record *out)
{
	const struct wr_stream_row *row = wr_fs_row_find(self, record->stream);
	bool goes_on = self->given.stream == record->stream && self->given.sequence == after &&
		       after != 0 && after >= row->evicted;

	if (goes_on && record->stream_sequence != self->given.stream_sequence + 1)
		return report(self, segment, (uint64_t)entry->place * WR_RECORD_ALIGN,
			      record->stream, out);
	self->given.stream = record->stream;
	self->given.sequence = record->sequence;
	self->given.stream_sequence = record->stream_sequence;
	return WR_OK;
}

static enum wr_status next_of_stream(struct wr_fs_store *self, uint32_t stream, uint64_t after,
				     struct wr_store_place *place, struct wr_store_record *out)
{
	uint32_t hint = 0, i;
	struct wr_segment *segment = segment_of_place(self, place, after, &hint);
	uint64_t visible = wr_fs_visible(self);
	struct wr_stream_row *row = wr_fs_row(self, stream);
	struct wr_index_entry entry;
	struct wr_record record;
	enum wr_status status;

	if (row == NULL)
		return WR_NO_MEMORY;
	if (after >= visible || (row->last_sequence != 0 && after >= row->last_sequence))
		return WR_NOT_FOUND;
	i = segment != NULL ? index_of(self, segment) : first_segment_above(self, after);
	for (; i < self->segment_count; i++, hint = 0) {
		segment = &self->segments[i];
		status = find_kept(self, segment, stream, after, &hint, &entry);
		if (status == WR_NOT_FOUND)
			continue;
		if (status != WR_OK)
			return status;
		if (segment->first_sequence + entry.sequence_delta > visible)
			return WR_NOT_FOUND;
		status = give_entry(self, segment, &entry, &record, out);
		if (status == WR_OK)
			status = check_hole(self, segment, &entry, &record, after, out);
		if (status == WR_OK)
			set_place(self, place, segment, hint, record.sequence);
		return status;
	}
	/* So that this is not searched for again; but `after` may be no event of this stream. */
	if (row->last_sequence == 0 && self->given.stream == stream &&
	    self->given.sequence == after)
		row->last_sequence = after;
	return WR_NOT_FOUND;
}

/* ---- all streams ---- */

/* No record is at this offset, though one must be. Either it was none of an event, and the offset
 * moves to the next event, or the event's stream is named, unless nobody needs it any more. */
static enum wr_status pass_damage(struct wr_fs_store *self, struct wr_segment *segment,
				  uint64_t after, uint64_t *offset, struct wr_store_record *out)
{
	struct wr_index_entry entry;
	enum wr_status status = wr_fs_index_at(self, segment, *offset, &entry);
	const struct wr_stream_row *row;
	uint64_t damaged = *offset, sequence;

	if (status == WR_NOT_FOUND) {
		*offset = wr_fs_readable_end(self, segment);
		return WR_MORE;
	}
	if (status != WR_OK)
		return status;
	*offset = (uint64_t)entry.place * WR_RECORD_ALIGN;
	if (*offset != damaged)
		return WR_MORE;
	sequence = segment->first_sequence + entry.sequence_delta;
	row = wr_fs_row_find(self, entry.stream);
	*offset += entry.bytes;
	if (sequence <= after || (row != NULL && row->is_quarantined) ||
	    !wr_fs_is_kept(row, sequence, entry.item))
		return WR_MORE;
	return report(self, segment, damaged, entry.stream, out);
}

/* Walks through one segment. WR_NOT_FOUND: nothing is visible of it above `after`, and what comes
 * behind must be looked at; with *is_end, not even that. */
static enum wr_status walk(struct wr_fs_store *self, struct wr_segment *segment, uint64_t offset,
			   uint64_t after, struct wr_store_place *place, bool *is_end,
			   struct wr_store_record *out)
{
	uint64_t visible = wr_fs_visible(self);
	enum wr_status status = WR_OK;

	while (offset < wr_fs_readable_end(self, segment)) {
		const struct wr_stream_row *row;
		struct wr_record record;

		status = wr_fs_read_header(self, segment, offset, &record);
		if (status == WR_CORRUPT) {
			status = pass_damage(self, segment, after, &offset, out);
			if (status == WR_MORE)
				continue;
		}
		if (status != WR_OK)
			return status;
		if (record.kind == WR_RECORD_EVENT && record.sequence > after) {
			*is_end = record.sequence > visible;
			row = wr_fs_row_find(self, record.stream);
			if (*is_end)
				return WR_NOT_FOUND;
			if (wr_fs_is_kept(row, record.sequence, record.item) &&
			    (row == NULL || !row->is_quarantined)) {
				status = give(self, segment, offset, &record, out);
				if (status == WR_OK)
					set_place(self, place, segment,
						  offset + wr_record_bytes(record.payload_bytes),
						  record.sequence);
				return status;
			}
		}
		offset += wr_record_bytes(record.payload_bytes);
	}
	return WR_NOT_FOUND;
}

/* The offset that a place gives, when a record or the end of the segment is there. */
static bool is_place_sound(struct wr_fs_store *self, const struct wr_segment *segment,
			   uint64_t offset)
{
	struct wr_record record;

	return offset == wr_fs_readable_end(self, segment) ||
	       (offset >= WR_SEGMENT_HEADER_BYTES && offset % WR_RECORD_ALIGN == 0 &&
		wr_fs_read_header(self, segment, offset, &record) == WR_OK);
}

static enum wr_status next_of_all(struct wr_fs_store *self, uint64_t after,
				  struct wr_store_place *place, struct wr_store_record *out)
{
	uint32_t number = 0, i;
	uint64_t offset = 0;
	struct wr_segment *segment = segment_of_place(self, place, after, &number);
	enum wr_status status = WR_NOT_FOUND;
	bool is_end = after >= wr_fs_visible(self);

	if (segment != NULL && !is_end && is_place_sound(self, segment, number)) {
		i = index_of(self, segment);
		offset = number;
	} else {
		i = first_segment_above(self, after);
	}
	for (; !is_end && i < self->segment_count; i++, offset = 0) {
		segment = &self->segments[i];
		status = WR_OK;
		if (offset == 0)
			status = wr_fs_index_near(self, segment, after, &offset);
		if (status == WR_OK)
			status = walk(self, segment, offset, after, place, &is_end, out);
		if (status != WR_NOT_FOUND)
			return status;
	}
	return WR_NOT_FOUND;
}

enum wr_status wr_fs_next(void *context, uint32_t worker, uint64_t after,
			  struct wr_store_place *place, struct wr_store_record *record)
{
	struct wr_fs_store *self = context;
	const struct wr_stream_row *row = wr_fs_row_find(self, worker);

	if (worker == 0)
		return next_of_all(self, after, place, record);
	if (row == NULL)
		return WR_NOT_FOUND;
	if (row->is_quarantined) {
		*record = (struct wr_store_record){.worker = worker};
		return WR_CORRUPT;
	}
	return next_of_stream(self, worker, after, place, record);
}

/* ---- items ---- */

/* The segment that adds this item: they rise from segment to segment, but a stream need not be in
 * each of them. */
static enum wr_status find_item_segment(struct wr_fs_store *self, uint32_t stream, uint32_t item,
					struct wr_segment **out)
{
	uint32_t low = 0, high = self->segment_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2, at = middle;
		uint32_t first = 0, last = 0;
		enum wr_status status = WR_NOT_FOUND;

		for (; status == WR_NOT_FOUND && at < high; at++)
			status =
				wr_fs_index_items(self, &self->segments[at], stream, &first, &last);
		if (status != WR_OK && status != WR_NOT_FOUND)
			return status;
		if (status == WR_NOT_FOUND || item < first) {
			high = middle;
		} else if (item > last) {
			low = at;
		} else {
			*out = &self->segments[at - 1];
			return WR_OK;
		}
	}
	return WR_NOT_FOUND;
}

static enum wr_status find_item(struct wr_fs_store *self, uint32_t stream, uint32_t item,
				const struct wr_store_place *place, struct wr_segment **segment,
				uint32_t *hint, struct wr_index_entry *entry)
{
	enum wr_status status = WR_NOT_FOUND;

	/* Pages go up: the next item is near the one before. */
	*segment = segment_of_place(self, place, item - 1, hint);
	if (*segment != NULL)
		status = wr_fs_index_find(self, *segment, stream, 0, item, hint, entry);
	if (status != WR_NOT_FOUND)
		return status;
	*hint = 0;
	status = find_item_segment(self, stream, item, segment);
	if (status == WR_OK)
		status = wr_fs_index_find(self, *segment, stream, 0, item, hint, entry);
	return status;
}

enum wr_status wr_fs_item(void *context, uint32_t worker, uint32_t item,
			  struct wr_store_place *place, struct wr_store_record *record)
{
	struct wr_fs_store *self = context;
	const struct wr_stream_row *row = wr_fs_row_find(self, worker);
	struct wr_segment *segment = NULL;
	struct wr_index_entry entry;
	struct wr_record header;
	uint32_t hint = 0;
	enum wr_status status;

	if (row == NULL || item == 0 || item < row->first_item || item > row->last_item)
		return WR_NOT_FOUND;
	if (row->is_quarantined) {
		*record = (struct wr_store_record){.worker = worker};
		return WR_CORRUPT;
	}
	status = find_item(self, worker, item, place, &segment, &hint, &entry);
	if (status != WR_OK)
		return status;
	if (segment->first_sequence + entry.sequence_delta > wr_fs_visible(self))
		return WR_NOT_FOUND;
	status = give_entry(self, segment, &entry, &header, record);
	if (status == WR_OK)
		set_place(self, place, segment, hint, item);
	return status;
}

/* ---- what is not kept ---- */

uint64_t wr_fs_evicted(void *context, uint32_t worker)
{
	const struct wr_fs_store *self = context;
	const struct wr_stream_row *row = wr_fs_row_find(self, worker);

	if (worker == 0)
		return self->evicted;
	return row == NULL ? 0 : row->evicted;
}

uint32_t wr_fs_first_item(void *context, uint32_t worker)
{
	const struct wr_stream_row *row = wr_fs_row_find(context, worker);

	return row == NULL ? 1 : row->first_item;
}
