#include "core/input_queue.h"

#include "bytes/endian.h"
#include "check.h"

#include <string.h>

/* ---- one input ---- */

static size_t entry_bytes(bool is_left, uint32_t bytes)
{
	return sizeof(struct wr_queued_input) + (is_left ? 0 : bytes);
}

static struct wr_queued_input *make(struct wr_allocator *allocator, enum wr_input_kind kind,
				    uint32_t bytes, bool is_left)
{
	struct wr_queued_input *input = wr_allocator_take(allocator, entry_bytes(is_left, bytes));

	if (input != NULL)
		*input = (struct wr_queued_input){
			.bytes = bytes, .kind = (uint8_t)kind, .is_left = is_left};
	return input;
}

struct wr_queued_input *wr_queued_input_new(struct wr_allocator *allocator,
					    const struct wr_input *from, bool is_tracked)
{
	struct wr_queued_input *input =
		make(allocator, from->kind, (uint32_t)from->content.bytes, false);

	if (input == NULL)
		return NULL;
	input->is_tracked = is_tracked;
	input->is_admitted = true;
	if (from->content.bytes != 0)
		memcpy(input->content, from->content.data, from->content.bytes);
	return input;
}

struct wr_queued_input *wr_queued_input_new_left(struct wr_allocator *allocator,
						 enum wr_input_kind kind, uint32_t bytes)
{
	struct wr_queued_input *input = make(allocator, kind, bytes, true);

	if (input != NULL)
		input->is_tracked = true;
	return input;
}

void wr_queued_input_free(struct wr_allocator *allocator, struct wr_queued_input *input)
{
	if (input != NULL)
		wr_allocator_free(allocator, input, entry_bytes(input->is_left, input->bytes));
}

/* ---- what is counted ---- */

static void add(struct wr_undelivered *count, const struct wr_queued_input *input)
{
	count->count++;
	count->bytes += input->bytes;
}

static void subtract(struct wr_undelivered *count, const struct wr_queued_input *input)
{
	wr_assert(count->count != 0 && count->bytes >= input->bytes);
	count->count--;
	count->bytes -= input->bytes;
}

static bool is_deliverable(const struct wr_queued_input *input)
{
	return input->gone == 0 && !input->is_left && !input->is_delivered;
}

/* It can be delivered no more. */
static void uncount(struct wr_input_queue *self, const struct wr_queued_input *input)
{
	subtract(&self->undelivered, input);
	if (!input->is_admitted)
		subtract(&self->queued, input);
}

static void end(struct wr_input_queue *self, struct wr_queued_input *input, uint64_t sequence)
{
	wr_assert(input->gone == 0 && sequence != 0);
	if (is_deliverable(input))
		uncount(self, input);
	if (input->is_tracked)
		self->tracked_count--;
	if (input->is_left)
		self->left_count--;
	input->gone = sequence;
}

/* ---- in and out ---- */

void wr_input_queue_push(struct wr_input_queue *self, struct wr_queued_input *input,
			 uint64_t sequence)
{
	input->sequence = sequence;
	if (self->last == NULL)
		self->first = input;
	else
		self->last->next = input;
	self->last = input;
	if (input->is_tracked)
		self->tracked_count++;
	if (input->is_left)
		self->left_count++;
	else
		add(&self->undelivered, input);
}

void wr_input_queue_set_queued(struct wr_input_queue *self)
{
	wr_assert(self->last != NULL && self->last->is_admitted && is_deliverable(self->last));
	self->last->is_admitted = false;
	add(&self->queued, self->last);
}

struct wr_queued_input *wr_input_queue_next(const struct wr_input_queue *self)
{
	struct wr_queued_input *input = self->first;

	while (input != NULL && !is_deliverable(input))
		input = input->next;
	return input;
}

void wr_input_queue_set_delivered(struct wr_input_queue *self, struct wr_queued_input *input,
				  bool is_told_later)
{
	wr_assert(is_deliverable(input));
	if (is_told_later && input->is_tracked) {
		uncount(self, input);
		input->is_delivered = true;
		self->delivered = input->sequence;
	} else {
		end(self, input, input->sequence);
	}
}

const struct wr_queued_input *wr_input_queue_find(const struct wr_input_queue *self,
						  uint64_t sequence)
{
	const struct wr_queued_input *input = self->first;

	while (input != NULL && input->sequence != sequence)
		input = input->next;
	return input != NULL && input->is_tracked && input->gone == 0 ? input : NULL;
}

/* ---- ends ---- */

void wr_input_queue_fold_delivered(struct wr_input_queue *self, uint64_t delivered,
				   uint64_t sequence)
{
	for (struct wr_queued_input *input = self->first;
	     input != NULL && input->sequence <= delivered; input = input->next)
		if (input->is_tracked && input->gone == 0)
			end(self, input, sequence);
	if (self->delivered <= delivered)
		self->delivered = 0;
}

void wr_input_queue_fold_dropped(struct wr_input_queue *self, struct wr_view dropped,
				 uint64_t sequence)
{
	struct wr_queued_input *input = self->first;
	uint64_t one;

	while (wr_sequences_next(&dropped, &one)) {
		while (input != NULL && input->sequence < one)
			input = input->next;
		if (input != NULL && input->sequence == one && input->gone == 0)
			end(self, input, sequence);
	}
}

void wr_input_queue_drop_all(struct wr_input_queue *self, uint64_t sequence)
{
	for (struct wr_queued_input *input = self->first; input != NULL; input = input->next)
		if (is_deliverable(input) || (input->is_left && input->gone == 0))
			end(self, input, sequence);
}

void wr_input_queue_sweep_more(struct wr_input_queue *self, struct wr_allocator *allocator,
			       uint64_t shown)
{
	struct wr_queued_input **link = &self->first, *input, *before = NULL;

	while ((input = *link) != NULL) {
		if (input->gone == 0 || input->gone > shown || input == self->lent) {
			before = input;
			link = &input->next;
		} else {
			*link = input->next;
			wr_queued_input_free(allocator, input);
		}
	}
	self->last = before;
}

void wr_input_queue_deinit(struct wr_input_queue *self, struct wr_allocator *allocator)
{
	while (self->first != NULL) {
		struct wr_queued_input *input = self->first;
		self->first = input->next;
		wr_queued_input_free(allocator, input);
	}
	*self = (struct wr_input_queue){.first = NULL};
}

/* ---- telling ---- */

enum wr_status wr_input_queue_name(const struct wr_input_queue *self, struct wr_buf *out)
{
	char packed[WR_PACKED_SEQUENCE_BYTES];

	for (const struct wr_queued_input *input = self->first; input != NULL;
	     input = input->next) {
		if (!input->is_tracked || input->gone != 0 || input->is_delivered)
			continue;
		wr_store_le64(packed, input->sequence);
		wr_buf_append(out, packed, sizeof packed);
	}
	return out->status;
}

const struct wr_queued_input *wr_input_queue_shown(const struct wr_input_queue *self,
						   const struct wr_queued_input *before,
						   uint64_t shown)
{
	const struct wr_queued_input *input = before == NULL ? self->first : before->next;

	while (input != NULL && (!input->is_tracked || input->sequence > shown ||
				 (input->gone != 0 && input->gone <= shown)))
		input = input->next;
	return input;
}

bool wr_sequences_next(struct wr_view *rest, uint64_t *sequence)
{
	if (rest->bytes < WR_PACKED_SEQUENCE_BYTES)
		return false;
	*sequence = wr_load_le64(rest->data);
	*rest = wr_view_skip(*rest, WR_PACKED_SEQUENCE_BYTES);
	return true;
}
