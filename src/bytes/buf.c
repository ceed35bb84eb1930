#include "bytes/buf.h"

#include "check.h"

enum {
	/* The first allocation: below it the allocator's own overhead would dominate. */
	FIRST_BYTES = 64
};

void wr_buf_init(struct wr_buf *self, struct wr_allocator *allocator, size_t bytes_max)
{
	wr_assert(allocator != NULL && bytes_max != 0);
	*self = (struct wr_buf){.bytes_max = bytes_max, .allocator = allocator, .status = WR_OK};
}

void wr_buf_init_fixed(struct wr_buf *self, void *storage, size_t bytes)
{
	*self = (struct wr_buf){
		.data = storage, .capacity = bytes, .bytes_max = bytes, .status = WR_OK};
}

void wr_buf_deinit(struct wr_buf *self)
{
	if (self->allocator != NULL && self->data != NULL)
		wr_allocator_free(self->allocator, self->data, self->capacity);
	if (self->allocator != NULL) {
		self->data = NULL;
		self->capacity = 0;
	}
	self->bytes = 0;
	self->status = WR_OK;
}

void wr_buf_reset(struct wr_buf *self)
{
	self->bytes = 0;
	self->status = WR_OK;
}

/* Makes room for `more` bytes; the buffer fails when that cannot be. */
static bool grow(struct wr_buf *self, size_t more)
{
	size_t want, capacity;
	char *data;

	if (self->status != WR_OK)
		return false;
	if (more > self->bytes_max - self->bytes) {
		self->status = WR_TOO_LARGE;
		return false;
	}
	want = self->bytes + more;
	capacity = self->capacity < FIRST_BYTES ? FIRST_BYTES : self->capacity;
	while (capacity < want)
		capacity = capacity > self->bytes_max / 2 ? self->bytes_max : capacity * 2;
	if (capacity > self->bytes_max)
		capacity = self->bytes_max;
	data = self->allocator == NULL
		       ? NULL
		       : wr_allocator_resize(self->allocator, self->data, self->capacity, capacity);
	if (data == NULL) {
		self->status = WR_NO_MEMORY;
		return false;
	}
	self->data = data;
	self->capacity = capacity;
	return true;
}

char *wr_buf_reserve(struct wr_buf *self, size_t more)
{
	bool fits =
		self->status == WR_OK && self->data != NULL && more <= self->capacity - self->bytes;

	if (WR_UNLIKELY(!fits) && !grow(self, more))
		return NULL;
	return self->data + self->bytes;
}

enum wr_status wr_buf_append(struct wr_buf *self, const void *data, size_t bytes)
{
	char *room;

	if (bytes == 0)
		return self->status;
	room = wr_buf_reserve(self, bytes);
	if (room == NULL)
		return self->status;
	memcpy(room, data, bytes);
	self->bytes += bytes;
	return WR_OK;
}

enum wr_status wr_buf_append_view(struct wr_buf *self, struct wr_view view)
{
	return wr_buf_append(self, view.data, view.bytes);
}

enum wr_status wr_buf_append_byte(struct wr_buf *self, char byte)
{
	return wr_buf_append(self, &byte, 1);
}

enum wr_status wr_buf_append_u64(struct wr_buf *self, uint64_t value)
{
	char digits[20];
	size_t first = sizeof digits;

	do {
		digits[--first] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	return wr_buf_append(self, digits + first, sizeof digits - first);
}

void wr_buf_consume(struct wr_buf *self, size_t bytes)
{
	wr_assert(bytes <= self->bytes);
	if (bytes == 0)
		return;
	self->bytes -= bytes;
	memmove(self->data, self->data + bytes, self->bytes);
}

void wr_buf_truncate(struct wr_buf *self, size_t bytes)
{
	wr_assert(bytes <= self->bytes);
	self->bytes = bytes;
}
