#include "core/in_flight.h"

#include "check.h"

#include <string.h>

static void deinit_block(struct wr_block *block)
{
	wr_buf_deinit(&block->id);
	wr_buf_deinit(&block->name);
	wr_buf_deinit(&block->text);
}

static size_t block_bytes(const struct wr_block *block)
{
	return block->id.bytes + block->name.bytes + block->text.bytes;
}

static void drop_block(struct wr_in_flight *self, uint32_t index)
{
	self->bytes -= block_bytes(&self->blocks[index]);
	deinit_block(&self->blocks[index]);
	self->count--;
	memmove(&self->blocks[index], &self->blocks[index + 1],
		(self->count - index) * sizeof self->blocks[0]);
}

void wr_in_flight_clear(struct wr_in_flight **in_flight, struct wr_allocator *allocator)
{
	struct wr_in_flight *self = *in_flight;

	if (self == NULL)
		return;
	while (self->count > 0)
		drop_block(self, self->count - 1);
	wr_allocator_free(allocator, self, sizeof *self);
	*in_flight = NULL;
}

static struct wr_block *add_block(struct wr_in_flight **in_flight, struct wr_allocator *allocator,
				  enum wr_block_kind kind)
{
	struct wr_in_flight *self = *in_flight;
	struct wr_block *block;

	if (self == NULL) {
		self = wr_allocator_take_zeroed(allocator, sizeof *self);
		if (self == NULL)
			return NULL;
		*in_flight = self;
	}
	if (self->count == WR_IN_FLIGHT_BLOCK_COUNT_MAX)
		drop_block(self, 0);
	block = &self->blocks[self->count++];
	*block = (struct wr_block){.kind = kind};
	wr_buf_init(&block->id, allocator, WR_IN_FLIGHT_BYTES_MAX);
	wr_buf_init(&block->name, allocator, WR_IN_FLIGHT_BYTES_MAX);
	wr_buf_init(&block->text, allocator, WR_IN_FLIGHT_BYTES_MAX);
	return block;
}

/* Cuts about half of a block's text off its front, at a character. */
static void forget_front(struct wr_in_flight *self, struct wr_block *block)
{
	size_t cut = block->text.bytes / 2;

	while (cut < block->text.bytes && ((unsigned char)block->text.data[cut] & 0xc0) == 0x80)
		cut++;
	wr_buf_consume(&block->text, cut);
	self->bytes -= cut;
}

static void forget_text(struct wr_in_flight *self, struct wr_block *block)
{
	self->bytes -= block->text.bytes;
	wr_buf_deinit(&block->text);
}

/* The end of a text, from a character on, of at most `bytes` bytes. */
static struct wr_view end_of(struct wr_view text, size_t bytes)
{
	size_t skip = text.bytes - bytes;

	while (skip < text.bytes && ((unsigned char)text.data[skip] & 0xc0) == 0x80)
		skip++;
	return wr_view_skip(text, skip);
}

/* What is kept is always the newest part, without a gap in it. */
static void append_text(struct wr_in_flight *self, struct wr_block *block, struct wr_view text)
{
	if (text.bytes > WR_IN_FLIGHT_BYTES_MAX / 2) {
		forget_text(self, block);
		text = end_of(text, WR_IN_FLIGHT_BYTES_MAX / 2);
	}
	while (self->bytes + text.bytes > WR_IN_FLIGHT_BYTES_MAX && self->count > 1 &&
	       block != &self->blocks[0]) {
		drop_block(self, 0);
		block--; /* the blocks moved up */
	}
	while (self->bytes + text.bytes > WR_IN_FLIGHT_BYTES_MAX && block->text.bytes > 1)
		forget_front(self, block);
	if (self->bytes + text.bytes <= WR_IN_FLIGHT_BYTES_MAX &&
	    wr_buf_append_view(&block->text, text) == WR_OK)
		self->bytes += text.bytes;
	else
		forget_text(self, block);
}

static void set_label(struct wr_in_flight *self, struct wr_buf *label, struct wr_view text)
{
	if (self->bytes + text.bytes <= WR_IN_FLIGHT_BYTES_MAX &&
	    wr_buf_append_view(label, text) == WR_OK)
		self->bytes += text.bytes;
}

/* The newest block of a kind that is still growing. */
static struct wr_block *open_block(struct wr_in_flight *self, enum wr_block_kind kind)
{
	struct wr_block *block =
		self == NULL || self->count == 0 ? NULL : &self->blocks[self->count - 1];

	return block != NULL && block->kind == kind && !block->is_finished ? block : NULL;
}

static struct wr_block *find_call(struct wr_in_flight *self, struct wr_view id)
{
	for (uint32_t i = self == NULL ? 0 : self->count; i-- > 0;)
		if (self->blocks[i].kind == WR_BLOCK_TOOL_CALL &&
		    wr_view_equal(wr_buf_view(&self->blocks[i].id), id))
			return &self->blocks[i];
	return NULL;
}

static void fold_delta(struct wr_in_flight **in_flight, struct wr_allocator *allocator,
		       enum wr_block_kind kind, struct wr_view text)
{
	struct wr_block *block = open_block(*in_flight, kind);

	if (block == NULL)
		block = add_block(in_flight, allocator, kind);
	if (block != NULL)
		append_text(*in_flight, block, text);
}

/* A finished message is in the transcript: its block goes. */
static void fold_text_done(struct wr_in_flight *self)
{
	struct wr_block *block = open_block(self, WR_BLOCK_TEXT);

	if (block != NULL)
		drop_block(self, self->count - 1);
}

static void fold_call_start(struct wr_in_flight **in_flight, struct wr_allocator *allocator,
			    const struct wr_output *output)
{
	struct wr_block *block = add_block(in_flight, allocator, WR_BLOCK_TOOL_CALL);

	if (block == NULL)
		return;
	set_label(*in_flight, &block->id, output->id);
	set_label(*in_flight, &block->name, output->name);
}

static void fold_call_part(struct wr_in_flight *self, const struct wr_output *output)
{
	struct wr_block *block = find_call(self, output->id);

	if (block == NULL)
		return;
	if (output->kind == WR_OUTPUT_TOOL_CALL_DONE) {
		block->state = WR_BLOCK_DONE;
		self->bytes -= block->text.bytes;
		wr_buf_reset(&block->text);
	} else {
		block->state = WR_BLOCK_STREAMING_ARGS;
	}
	append_text(self, block, output->text);
}

static void fold_result(struct wr_in_flight *self, struct wr_view id)
{
	struct wr_block *block = find_call(self, id);

	if (block != NULL)
		drop_block(self, (uint32_t)(block - self->blocks));
}

void wr_in_flight_fold(struct wr_in_flight **in_flight, struct wr_allocator *allocator,
		       const struct wr_output *output)
{
	struct wr_block *block;

	switch (output->kind) {
	case WR_OUTPUT_TEXT_DELTA:
		fold_delta(in_flight, allocator, WR_BLOCK_TEXT, output->text);
		break;
	case WR_OUTPUT_THINKING_START:
	case WR_OUTPUT_THINKING_DELTA:
		fold_delta(in_flight, allocator, WR_BLOCK_THINKING, output->text);
		break;
	case WR_OUTPUT_TEXT_DONE:
		fold_text_done(*in_flight);
		break;
	case WR_OUTPUT_THINKING_DONE:
		block = open_block(*in_flight, WR_BLOCK_THINKING);
		if (block != NULL)
			block->is_finished = true;
		break;
	case WR_OUTPUT_TOOL_CALL_START:
		fold_call_start(in_flight, allocator, output);
		break;
	case WR_OUTPUT_TOOL_CALL_ARGS_DELTA:
	case WR_OUTPUT_TOOL_CALL_DONE:
		fold_call_part(*in_flight, output);
		break;
	case WR_OUTPUT_TOOL_RESULT:
		fold_result(*in_flight, output->id);
		break;
	case WR_OUTPUT_RUN_END:
	case WR_OUTPUT_TURN_END:
		wr_in_flight_clear(in_flight, allocator);
		break;
	case WR_OUTPUT_ERROR:
	case WR_OUTPUT_USAGE:
	case WR_OUTPUT_TURN_START:
	case WR_OUTPUT_OPAQUE:
		break;
	}
	if (*in_flight != NULL && (*in_flight)->count == 0)
		wr_in_flight_clear(in_flight, allocator);
}
