#include "backend/frame_run.h"

#include "bounds.h"
#include "check.h"

#include <string.h>

struct mark {
	uint64_t sequence;
	size_t end; /* behind the frame */
};

enum { MARKS_BYTES_MAX = 16 << 20 };

void wr_frame_run_init(struct wr_frame_run *self, struct wr_allocator *allocator)
{
	*self = (struct wr_frame_run){.is_there = false};
	/* A run ends with the frame that passes its bound; frames of ours are a little longer. */
	wr_buf_init(&self->bytes, allocator, 2 * (size_t)WR_FRAME_BYTES_MAX);
	wr_buf_init(&self->marks, allocator, MARKS_BYTES_MAX);
}

void wr_frame_run_clear(struct wr_frame_run *self)
{
	wr_buf_deinit(&self->bytes);
	wr_buf_deinit(&self->marks);
	self->is_there = false;
}

void wr_frame_run_begin(struct wr_frame_run *self, uint64_t after)
{
	wr_buf_reset(&self->bytes);
	wr_buf_reset(&self->marks);
	self->after = self->upto = after;
	self->is_there = true;
}

static size_t count_of(const struct wr_frame_run *self)
{
	return self->marks.bytes / sizeof(struct mark);
}

static struct mark mark_at(const struct wr_frame_run *self, size_t index)
{
	struct mark mark;

	memcpy(&mark, self->marks.data + index * sizeof mark, sizeof mark);
	return mark;
}

static size_t start_of(const struct wr_frame_run *self, size_t index)
{
	return index == 0 ? 0 : mark_at(self, index - 1).end;
}

enum wr_status wr_frame_run_push(struct wr_frame_run *self, uint64_t sequence)
{
	size_t start = start_of(self, count_of(self));
	const struct mark mark = {sequence, self->bytes.bytes};
	enum wr_status status = wr_buf_status(&self->bytes);

	wr_assert(self->is_there && sequence > self->upto);
	if (status == WR_OK && self->bytes.bytes != start)
		status = wr_buf_append(&self->marks, &mark, sizeof mark);
	if (status == WR_OK) {
		self->upto = sequence;
		return WR_OK;
	}
	self->bytes.status = self->marks.status = WR_OK;
	wr_buf_truncate(&self->bytes, start);
	return WR_NO_MEMORY;
}

bool wr_frame_run_find(const struct wr_frame_run *self, uint64_t after, uint64_t *sequence,
		       struct wr_view *frame)
{
	size_t low = 0, high = count_of(self), start;

	wr_assert(wr_frame_run_covers(self, after));
	while (low < high) { /* the first one behind `after` */
		size_t middle = low + (high - low) / 2;
		if (mark_at(self, middle).sequence > after)
			high = middle;
		else
			low = middle + 1;
	}
	if (low == count_of(self))
		return false;
	start = start_of(self, low);
	*sequence = mark_at(self, low).sequence;
	*frame = wr_view_of(self->bytes.data + start, mark_at(self, low).end - start);
	return true;
}
