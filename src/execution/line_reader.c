#include "execution/line_reader.h"

#include "check.h"

#include <string.h>

/* A buffer above this is given back after its line: one long line must not stay for ever. */
enum { HELD_BYTES_KEPT = 4096 };

void wr_line_reader_init(struct wr_line_reader *self, struct wr_allocator *allocator,
			 size_t line_bytes_max)
{
	*self = (struct wr_line_reader){.is_dropping = false};
	wr_buf_init(&self->held, allocator, line_bytes_max);
}

void wr_line_reader_deinit(struct wr_line_reader *self)
{
	wr_buf_deinit(&self->held);
}

void wr_line_reader_feed(struct wr_line_reader *self, struct wr_view input)
{
	wr_assert(self->input.bytes == 0);
	self->input = input;
}

static void drop_held(struct wr_line_reader *self)
{
	self->is_lent = false;
	if (self->held.capacity > HELD_BYTES_KEPT)
		wr_buf_deinit(&self->held);
	wr_buf_reset(&self->held);
}

static struct wr_view without_cr(struct wr_view line)
{
	if (line.bytes != 0 && line.data[line.bytes - 1] == '\r')
		line.bytes--;
	return line;
}

/* Takes the bytes up to the next LF, which goes, or to the end of the piece. */
static struct wr_view take_part(struct wr_line_reader *self, bool *has_end)
{
	const char *end = memchr(self->input.data, '\n', self->input.bytes);
	struct wr_view part = self->input;

	*has_end = end != NULL;
	if (end == NULL) {
		self->input = WR_VIEW_NULL;
		return part;
	}
	part.bytes = (size_t)(end - part.data);
	self->input = wr_view_skip(self->input, part.bytes + 1);
	return part;
}

static enum wr_status refuse_line(struct wr_line_reader *self, enum wr_status status, bool has_end)
{
	self->is_dropping = !has_end;
	drop_held(self);
	return status;
}

enum wr_status wr_line_reader_next(struct wr_line_reader *self, struct wr_view *line)
{
	if (self->is_lent)
		drop_held(self);
	while (self->input.bytes != 0) {
		bool has_end;
		struct wr_view part = take_part(self, &has_end);

		if (self->is_dropping) {
			self->is_dropping = !has_end;
			continue;
		}
		if (part.bytes > self->held.bytes_max - self->held.bytes)
			return refuse_line(self, WR_TOO_LARGE, has_end);
		if (has_end && self->held.bytes == 0) {
			*line = without_cr(part);
			return WR_OK;
		}
		if (wr_buf_append_view(&self->held, part) != WR_OK)
			return refuse_line(self, WR_NO_MEMORY, has_end);
		if (has_end) {
			self->is_lent = true;
			*line = without_cr(wr_buf_view(&self->held));
			return WR_OK;
		}
	}
	return WR_MORE;
}

enum wr_status wr_line_reader_end(struct wr_line_reader *self, struct wr_view *line)
{
	wr_assert(self->input.bytes == 0);
	if (self->is_lent)
		drop_held(self);
	self->is_dropping = false;
	if (self->held.bytes == 0)
		return WR_MORE;
	self->is_lent = true;
	*line = without_cr(wr_buf_view(&self->held));
	return WR_OK;
}
