#include "observe/saved_frame.h"

#include "check.h"

void wr_saved_frames_init(struct wr_saved_frames *self, struct wr_allocator *allocator,
			  size_t bytes_max)
{
	*self = (struct wr_saved_frames){.allocator = allocator, .bytes_max = bytes_max};
	wr_list_init(&self->list);
}

struct wr_saved_frame *wr_saved_frame_join(struct wr_saved_frames *self, uint32_t scope,
					   uint64_t sequence, uint32_t bytes, bool *is_new)
{
	struct wr_saved_frame *frame;
	size_t block = sizeof *frame + bytes;

	*is_new = false;
	wr_list_each (node, after, &self->list) {
		frame = wr_list_entry(node, struct wr_saved_frame, place);
		if (frame->scope == scope && frame->sequence == sequence) {
			frame->readers++;
			return frame;
		}
	}
	if (block > self->bytes_max - self->bytes)
		return NULL;
	frame = wr_allocator_take(self->allocator, block);
	if (frame == NULL)
		return NULL;
	*frame = (struct wr_saved_frame){
		.scope = scope, .sequence = sequence, .readers = 1, .bytes = bytes};
	wr_list_init(&frame->place);
	wr_list_push(&self->list, &frame->place);
	self->bytes += block;
	*is_new = true;
	return frame;
}

void wr_saved_frame_leave(struct wr_saved_frames *self, struct wr_saved_frame *frame)
{
	size_t block = sizeof *frame + frame->bytes;

	wr_assert(frame->readers > 0);
	if (--frame->readers != 0)
		return;
	wr_list_remove(&frame->place);
	self->bytes -= block;
	wr_allocator_free(self->allocator, frame, block);
}
