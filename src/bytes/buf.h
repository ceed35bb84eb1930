/*
 * buf — bytes that grow at the end, up to a maximum given at birth.
 *
 * Full is an ordinary outcome, not a surprise: every buffer is made with the largest size it may
 * ever reach, and an append that would pass it changes nothing and says WR_TOO_LARGE.
 *
 * A failed append (WR_TOO_LARGE, WR_NO_MEMORY) also makes the buffer remember it: wr_buf_status()
 * gives the first failure, and later appends do nothing. So a writer may append twenty times and
 * check once. `data` is NULL until the first byte.
 */
#ifndef WR_BYTES_BUF_H
#define WR_BYTES_BUF_H

#include "bytes/allocator.h"
#include "bytes/view.h"
#include "status.h"

#include <stdint.h>

struct wr_buf {
	char *data;
	size_t bytes;	 /* in use */
	size_t capacity; /* allocated; bytes <= capacity <= bytes_max */
	size_t bytes_max;
	struct wr_allocator *allocator; /* borrowed for life; NULL for a fixed buffer */
	enum wr_status status;		/* first failure since init or reset, else WR_OK */
};

/* An empty buffer that allocates from `allocator` on demand. */
void wr_buf_init(struct wr_buf *self, struct wr_allocator *allocator, size_t bytes_max);

/* An empty buffer over `bytes` bytes at `storage` that the caller keeps; it never allocates. */
void wr_buf_init_fixed(struct wr_buf *self, void *storage, size_t bytes);

/* Gives all memory back. The buffer may be used again as after init. */
void wr_buf_deinit(struct wr_buf *self);

/* Drops content and remembered failure, keeps the memory. */
void wr_buf_reset(struct wr_buf *self);

/* Room for `more` bytes behind the content, to be written by the caller and then counted with
 * wr_buf_commit. NULL when the buffer is full, out of memory or failed before. */
char *wr_buf_reserve(struct wr_buf *self, size_t more);

/* Counts `bytes` bytes (at most the last reserve) as content. */
static inline void wr_buf_commit(struct wr_buf *self, size_t bytes)
{
	self->bytes += bytes;
}

/* Appends; WR_OK, WR_TOO_LARGE or WR_NO_MEMORY. The bytes may not lie in the buffer itself. */
enum wr_status wr_buf_append(struct wr_buf *self, const void *data, size_t bytes);
enum wr_status wr_buf_append_view(struct wr_buf *self, struct wr_view view);
enum wr_status wr_buf_append_byte(struct wr_buf *self, char byte);

/* Decimal, without sign or padding. */
enum wr_status wr_buf_append_u64(struct wr_buf *self, uint64_t value);

/* Drops the first `bytes` bytes (at most the content) and moves the rest to the front. */
void wr_buf_consume(struct wr_buf *self, size_t bytes);

/* Cuts the content to `bytes` bytes (at most what it has). */
void wr_buf_truncate(struct wr_buf *self, size_t bytes);

/* The content, lent until the next change. */
static inline struct wr_view wr_buf_view(const struct wr_buf *self)
{
	return (struct wr_view){self->data, self->bytes};
}

static inline enum wr_status wr_buf_status(const struct wr_buf *self)
{
	return self->status;
}

#endif
