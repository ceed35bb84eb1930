/*
 * An index is in memory, in the order of sequences, while its segment is active and until its file
 * is written; then it is in its file. Both answer the same questions.
 */
#include "check.h"
#include "io/store/index_file.h"

enum { ENTRY_COUNT_MIN = 64 };

/* ---- the active segment ---- */

enum wr_status wr_fs_index_reserve(struct wr_fs_store *self)
{
	uint32_t capacity = self->entry_capacity;
	struct wr_index_entry *entries;

	if (WR_LIKELY(self->entry_count < capacity))
		return WR_OK;
	if (capacity > UINT32_MAX / 2 / sizeof *entries)
		return WR_NO_MEMORY;
	capacity = capacity == 0 ? ENTRY_COUNT_MIN : capacity * 2;
	entries = wr_allocator_resize(self->allocator, self->entries,
				      self->entry_capacity * sizeof *entries,
				      capacity * sizeof *entries);
	if (entries == NULL)
		return WR_NO_MEMORY;
	self->entries = entries;
	self->entry_capacity = capacity;
	return WR_OK;
}

void wr_fs_index_add(struct wr_fs_store *self, const struct wr_record *record, uint64_t offset)
{
	struct wr_segment *active = wr_fs_active(self);

	wr_assert(self->entry_count < self->entry_capacity);
	wr_assert(record->sequence >= active->first_sequence && offset % WR_RECORD_ALIGN == 0);
	self->entries[self->entry_count++] = (struct wr_index_entry){
		.stream = record->stream,
		.sequence_delta = (uint32_t)(record->sequence - active->first_sequence),
		.place = (uint32_t)(offset / WR_RECORD_ALIGN),
		.item = record->item,
		.bytes = (uint32_t)wr_record_bytes(record->payload_bytes),
	};
	active->event_count = self->entry_count;
	if (record->stream < self->row_count)
		self->rows[record->stream].last_sequence = record->sequence;
}

/* ---- questions ---- */

struct question {
	enum { FIND, NEAR, ITEMS, AT, DEAD } kind;
	uint32_t stream, item;
	uint64_t after; /* FIND, NEAR: a sequence */
	uint64_t from;	/* AT: an offset */

	uint32_t *hint;		    /* FIND */
	struct wr_index_entry *out; /* FIND, AT */
	uint64_t *offset;	    /* NEAR */
	uint32_t *first, *last;	    /* ITEMS */
	uint64_t *bytes;	    /* DEAD */
};

/* ---- in memory ---- */

struct entries {
	const struct wr_index_entry *at;
	uint32_t count;
	uint64_t first_sequence;
};

/* Index of the first entry above `after`. */
static uint32_t first_above(const struct entries *entries, uint64_t after)
{
	uint32_t low = 0, high = entries->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (entries->first_sequence + entries->at[middle].sequence_delta <= after)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static enum wr_status find_in_memory(const struct entries *entries, const struct question *question)
{
	uint32_t i = question->item != 0 ? 0 : first_above(entries, question->after);

	*question->hint = 0;
	for (; i < entries->count; i++) {
		const struct wr_index_entry *entry = &entries->at[i];

		if (entry->stream == question->stream &&
		    (question->item == 0 || entry->item == question->item)) {
			*question->out = *entry;
			return WR_OK;
		}
	}
	return WR_NOT_FOUND;
}

static enum wr_status near_in_memory(const struct entries *entries, const struct question *question)
{
	uint32_t i = first_above(entries, question->after);

	if (i == entries->count)
		return WR_NOT_FOUND;
	*question->offset = (uint64_t)entries->at[i].place * WR_RECORD_ALIGN;
	return WR_OK;
}

static enum wr_status items_in_memory(const struct entries *entries,
				      const struct question *question)
{
	bool has_any = false;

	for (uint32_t i = 0; i < entries->count; i++) {
		const struct wr_index_entry *entry = &entries->at[i];

		if (entry->stream != question->stream || entry->item == 0)
			continue;
		if (!has_any)
			*question->first = entry->item;
		*question->last = entry->item;
		has_any = true;
	}
	return has_any ? WR_OK : WR_NOT_FOUND;
}

static enum wr_status at_in_memory(const struct entries *entries, const struct question *question)
{
	for (uint32_t i = 0; i < entries->count; i++)
		if ((uint64_t)entries->at[i].place * WR_RECORD_ALIGN >= question->from) {
			*question->out = entries->at[i];
			return WR_OK;
		}
	return WR_NOT_FOUND;
}

static enum wr_status dead_in_memory(const struct wr_fs_store *self, const struct entries *entries,
				     const struct question *question)
{
	*question->bytes = 0;
	for (uint32_t i = 0; i < entries->count; i++) {
		const struct wr_index_entry *entry = &entries->at[i];

		if (!wr_fs_is_kept(wr_fs_row_find(self, entry->stream),
				   entries->first_sequence + entry->sequence_delta, entry->item))
			*question->bytes += entry->bytes;
	}
	return WR_OK;
}

static enum wr_status ask_memory(const struct wr_fs_store *self, const struct entries *entries,
				 const struct question *question)
{
	switch (question->kind) {
	case FIND:
		return find_in_memory(entries, question);
	case NEAR:
		return near_in_memory(entries, question);
	case ITEMS:
		return items_in_memory(entries, question);
	case AT:
		return at_in_memory(entries, question);
	case DEAD:
		return dead_in_memory(self, entries, question);
	}
	wr_unreachable();
}

/* Whether they are in memory. */
static bool take_entries(struct wr_fs_store *self, const struct wr_segment *segment,
			 struct entries *out)
{
	const struct wr_seal *seal;

	if (segment->is_missing) { /* what it had is told by those who miss it */
		*out = (struct entries){.count = 0};
		return true;
	}
	if (segment->next_sequence == UINT64_MAX) {
		*out = (struct entries){self->entries, self->entry_count, segment->first_sequence};
		return true;
	}
	seal = wr_seal_find(self, segment->number);
	if (seal != NULL)
		*out = (struct entries){seal->entries, seal->count, segment->first_sequence};
	return seal != NULL;
}

/* ---- in the file ---- */

enum wr_status wr_fs_index_load(struct wr_fs_store *self, struct wr_segment *segment)
{
	enum wr_status status;

	if (segment->is_index_loaded || segment->is_missing ||
	    wr_seal_find(self, segment->number) != NULL)
		return WR_OK;
	status = wr_index_file_load(self, segment);
	segment->has_index = status == WR_OK;
	if (status != WR_OK)
		return status;
	self->file_bytes -= segment->index_bytes;
	segment->index_bytes =
		(uint32_t)wr_index_file_bytes(segment->stream_count, segment->event_count);
	self->file_bytes += segment->index_bytes;
	return WR_OK;
}

static enum wr_status ask_file(struct wr_fs_store *self, struct wr_segment *segment,
			       const struct question *question)
{
	enum wr_status status = wr_fs_index_load(self, segment);

	if (status != WR_OK)
		return status;
	switch (question->kind) {
	case FIND:
		return wr_index_file_find(self, segment, question->stream, question->after,
					  question->item, question->hint, question->out);
	case NEAR:
		return wr_index_file_near(self, segment, question->after, question->offset);
	case ITEMS:
		return wr_index_file_items(self, segment, question->stream, question->first,
					   question->last);
	case AT:
		return wr_index_file_at(self, segment, question->from, question->out);
	case DEAD:
		return wr_index_file_dead(self, segment, question->bytes);
	}
	wr_unreachable();
}

static enum wr_status ask(struct wr_fs_store *self, struct wr_segment *segment,
			  const struct question *question)
{
	struct entries entries;
	enum wr_status status;

	if (take_entries(self, segment, &entries))
		return ask_memory(self, &entries, question);
	status = ask_file(self, segment, question);
	if (status != WR_CORRUPT)
		return status;
	segment->is_index_loaded = false;
	/* What the segment itself still has is told also when that is not all: those whose records
	 * are missing are quarantined. */
	status = wr_seal_recover(self, segment);
	if (status != WR_OK && status != WR_CORRUPT)
		return status;
	wr_assert(take_entries(self, segment, &entries));
	return ask_memory(self, &entries, question);
}

enum wr_status wr_fs_index_find(struct wr_fs_store *self, struct wr_segment *segment,
				uint32_t stream, uint64_t after, uint32_t item, uint32_t *hint,
				struct wr_index_entry *out)
{
	struct question question = {.kind = FIND,
				    .stream = stream,
				    .after = after,
				    .item = item,
				    .hint = hint,
				    .out = out};

	return ask(self, segment, &question);
}

enum wr_status wr_fs_index_near(struct wr_fs_store *self, struct wr_segment *segment,
				uint64_t after, uint64_t *offset)
{
	struct question question = {.kind = NEAR, .after = after, .offset = offset};

	return ask(self, segment, &question);
}

enum wr_status wr_fs_index_items(struct wr_fs_store *self, struct wr_segment *segment,
				 uint32_t stream, uint32_t *first, uint32_t *last)
{
	struct question question = {.kind = ITEMS, .stream = stream, .first = first, .last = last};

	return ask(self, segment, &question);
}

enum wr_status wr_fs_index_at(struct wr_fs_store *self, struct wr_segment *segment, uint64_t offset,
			      struct wr_index_entry *out)
{
	struct question question = {.kind = AT, .from = offset, .out = out};

	return ask(self, segment, &question);
}

enum wr_status wr_fs_index_learn_dead(struct wr_fs_store *self, struct wr_segment *segment)
{
	uint64_t bytes = 0;
	struct question question = {.kind = DEAD, .bytes = &bytes};
	enum wr_status status = ask(self, segment, &question);

	if (status != WR_OK)
		return status;
	segment->dead_bytes = bytes < segment->event_bytes ? (uint32_t)bytes : segment->event_bytes;
	segment->is_dead_known = true;
	return WR_OK;
}
