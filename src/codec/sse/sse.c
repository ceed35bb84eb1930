#include "codec/sse/sse.h"

#include "check.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";
enum { MARK_BYTES = 3, NO_MARK = MARK_BYTES + 1 };

void wr_sse_reader_init(struct wr_sse_reader *self, struct wr_buf *buf, size_t line_bytes_max,
			size_t data_bytes_max)
{
	wr_assert(buf->bytes == 0 && line_bytes_max >= MARK_BYTES);
	wr_assert(buf->bytes_max >= line_bytes_max &&
		  buf->bytes_max - line_bytes_max >= data_bytes_max);
	*self = (struct wr_sse_reader){
		.buf = buf,
		.line_bytes_max = line_bytes_max,
		.data_bytes_max = data_bytes_max,
	};
}

void wr_sse_reader_feed(struct wr_sse_reader *self, struct wr_view input)
{
	wr_assert(self->input.bytes == 0);
	self->input = input;
}

struct wr_view wr_sse_reader_take_rest(struct wr_sse_reader *self)
{
	struct wr_view rest = self->input;

	self->input = WR_VIEW_NULL;
	return rest;
}

/* ---- fields ---- */

/* Data comes directly behind data: the beginning of the line that held it has left the buffer. */
static enum wr_status add_data(struct wr_sse_reader *self, struct wr_view value)
{
	if (value.bytes >= self->data_bytes_max - self->data_bytes)
		return WR_TOO_LARGE;
	wr_buf_append_view(self->buf, value);
	wr_buf_append_byte(self->buf, '\n');
	self->data_bytes = self->buf->bytes;
	return wr_buf_status(self->buf);
}

static enum wr_status set_name(char *name, uint8_t *bytes, struct wr_view value)
{
	if (value.bytes > WR_SSE_NAME_BYTES_MAX)
		return WR_TOO_LARGE;
	if (value.bytes != 0)
		memcpy(name, value.data, value.bytes);
	*bytes = (uint8_t)value.bytes;
	return WR_OK;
}

/* Digits only; what no number here can hold is no number. */
static void set_retry(struct wr_sse_reader *self, struct wr_view value)
{
	uint64_t number = 0;

	for (size_t i = 0; i < value.bytes; i++) {
		unsigned digit = (unsigned)value.data[i] - '0';

		if (digit > 9 || number > (UINT64_MAX - digit) / 10)
			return;
		number = number * 10 + digit;
	}
	if (value.bytes == 0)
		return;
	self->has_retry = true;
	self->retry_ms = number;
}

static enum wr_status take_field(struct wr_sse_reader *self, struct wr_view line)
{
	const char *colon = memchr(line.data, ':', line.bytes);
	struct wr_view name = line, value = WR_VIEW("");

	if (colon != NULL) {
		name.bytes = (size_t)(colon - line.data);
		value = wr_view_skip(line, name.bytes + 1);
		if (value.bytes != 0 && value.data[0] == ' ')
			value = wr_view_skip(value, 1);
	}
	if (wr_view_equal(name, WR_VIEW("data")))
		return add_data(self, value);
	if (wr_view_equal(name, WR_VIEW("event")))
		return set_name(self->type, &self->type_bytes, value);
	if (wr_view_equal(name, WR_VIEW("id")) &&
	    (value.bytes == 0 || memchr(value.data, '\0', value.bytes) == NULL))
		return set_name(self->id, &self->id_bytes, value);
	if (wr_view_equal(name, WR_VIEW("retry")))
		set_retry(self, value);
	return WR_OK;
}

/* The data has one line end more than there are between its lines. */
static enum wr_status dispatch(struct wr_sse_reader *self, struct wr_sse_event *out)
{
	if (self->data_bytes == 0) {
		self->type_bytes = 0;
		return WR_MORE;
	}
	*out = (struct wr_sse_event){
		.type = {self->type, self->type_bytes},
		.data = {self->buf->data, self->data_bytes - 1},
		.id = {self->id, self->id_bytes},
	};
	self->is_lent = true;
	return WR_OK;
}

/* ---- lines ---- */

/* A data line in the buffer: its value is moved down to where it belongs. */
static enum wr_status move_data(struct wr_sse_reader *self, struct wr_view line)
{
	struct wr_buf *buf = self->buf;
	struct wr_view value = wr_view_skip(line, sizeof "data:" - 1);

	if (value.bytes != 0 && value.data[0] == ' ')
		value = wr_view_skip(value, 1);
	if (value.bytes >= self->data_bytes_max - self->data_bytes)
		return WR_TOO_LARGE;
	memmove(buf->data + self->data_bytes, value.data, value.bytes);
	wr_buf_truncate(buf, self->data_bytes + value.bytes);
	return add_data(self, WR_VIEW(""));
}

/* A line that lay partly in the buffer. */
static enum wr_status take_held_line(struct wr_sse_reader *self)
{
	struct wr_buf *buf = self->buf;
	struct wr_view line = {buf->data + self->data_bytes, buf->bytes - self->data_bytes};
	bool is_data = wr_view_equal(line, WR_VIEW("data"));
	enum wr_status status = WR_OK;

	if (wr_view_starts(line, WR_VIEW("data:")))
		return move_data(self, line);
	if (!is_data)
		status = take_field(self, line);
	wr_buf_truncate(buf, self->data_bytes);
	return is_data ? add_data(self, WR_VIEW("")) : status;
}

/* The rest of a line, `end` bytes of the input, and its line end. WR_MORE: it made no event. */
static enum wr_status end_line(struct wr_sse_reader *self, struct wr_sse_event *out, size_t end)
{
	struct wr_view line = {self->input.data, end};
	size_t held = self->buf->bytes - self->data_bytes;
	enum wr_status status = WR_OK;

	self->skips_lf = self->input.data[end] == '\r';
	self->input = wr_view_skip(self->input, end + 1);
	if (self->is_comment) {
		self->is_comment = false;
		return WR_MORE;
	}
	if (held == 0) {
		if (line.bytes == 0)
			return dispatch(self, out);
		if (line.data[0] != ':')
			status = take_field(self, line);
	} else {
		status = wr_buf_append_view(self->buf, line);
		if (status == WR_OK)
			status = take_held_line(self);
	}
	return status == WR_OK ? WR_MORE : status;
}

/* The piece ends within a line. */
static enum wr_status hold_rest(struct wr_sse_reader *self)
{
	struct wr_view rest = self->input;

	self->input = WR_VIEW_NULL;
	if (rest.bytes == 0)
		return WR_MORE;
	if (self->buf->bytes == self->data_bytes && !self->is_comment && rest.data[0] == ':') {
		self->is_comment = true;
		self->comment_bytes = 0;
	}
	if (self->is_comment) {
		self->comment_bytes += rest.bytes;
		return WR_MORE;
	}
	return wr_buf_append_view(self->buf, rest) == WR_OK ? WR_MORE : wr_buf_status(self->buf);
}

static size_t held_bytes(const struct wr_sse_reader *self)
{
	return self->is_comment ? self->comment_bytes : self->buf->bytes - self->data_bytes;
}

static size_t find_line_end(struct wr_view input)
{
	size_t at = 0;

	while (at < input.bytes && input.data[at] != '\n' && input.data[at] != '\r')
		at++;
	return at;
}

/* A mark that turns out to be none is the beginning of the first line. */
static enum wr_status skip_mark(struct wr_sse_reader *self)
{
	while (self->mark_bytes < MARK_BYTES && self->input.bytes != 0) {
		if (self->input.data[0] != byte_order_mark[self->mark_bytes]) {
			wr_buf_append(self->buf, byte_order_mark, self->mark_bytes);
			self->mark_bytes = NO_MARK;
			return wr_buf_status(self->buf);
		}
		self->input = wr_view_skip(self->input, 1);
		self->mark_bytes++;
	}
	return WR_OK;
}

static enum wr_status next_event(struct wr_sse_reader *self, struct wr_sse_event *out)
{
	enum wr_status status = skip_mark(self);

	while (status == WR_OK || status == WR_MORE) {
		size_t end;

		if (self->skips_lf && self->input.bytes != 0) {
			self->skips_lf = false;
			if (self->input.data[0] == '\n')
				self->input = wr_view_skip(self->input, 1);
		}
		end = find_line_end(self->input);
		if (end > self->line_bytes_max - held_bytes(self))
			return WR_TOO_LARGE;
		if (end == self->input.bytes)
			return hold_rest(self);
		status = end_line(self, out, end);
		if (status == WR_OK)
			return WR_OK;
	}
	return status;
}

enum wr_status wr_sse_reader_next(struct wr_sse_reader *self, struct wr_sse_event *out)
{
	enum wr_status status;

	if (self->is_lent) {
		self->is_lent = false;
		self->data_bytes = 0;
		self->type_bytes = 0;
		wr_buf_reset(self->buf);
	}
	if (self->status != WR_OK)
		return self->status;
	status = next_event(self, out);
	if (status != WR_OK && status != WR_MORE)
		self->status = status;
	return status;
}
