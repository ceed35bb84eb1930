/*
 * allocator — the port through which all memory comes.
 *
 * Core and codecs never call malloc: whoever owns the process gives them this struct. One function
 * serves allocation, growth and release, and is told the old size, so that the sum in use is known
 * exactly without a header per block. `used` and `max` are kept here; the function only has to
 * find the memory. When a request would take `used` over `max` it fails like an exhausted system.
 *
 * io/memory.h has the implementation over malloc; tests have one that fails at the n-th call.
 */
#ifndef WR_BYTES_ALLOCATOR_H
#define WR_BYTES_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>

struct wr_allocator {
	/* Like realloc: old NULL allocates, new_bytes 0 frees and returns NULL. On failure returns
	 * NULL and leaves `old` as it was. Shrinking may fail too. */
	void *(*resize)(struct wr_allocator *self, void *old, size_t old_bytes, size_t new_bytes);
	size_t used; /* bytes in use now */
	size_t peak; /* highest `used` so far */
	size_t max;  /* bytes; SIZE_MAX when unlimited */
};

/* `bytes` fresh bytes, not zeroed, aligned for any type; NULL when there are none. Release with
 * wr_allocator_free and the same size. `bytes` is not 0. */
void *wr_allocator_take(struct wr_allocator *self, size_t bytes);

/* The same, zeroed. */
void *wr_allocator_take_zeroed(struct wr_allocator *self, size_t bytes);

/* Changes the size of a block (NULL and 0 for a new one). NULL on failure: `old` is untouched. */
void *wr_allocator_resize(struct wr_allocator *self, void *old, size_t old_bytes, size_t new_bytes);

/* Gives a block back. NULL with 0 bytes is fine. */
void wr_allocator_free(struct wr_allocator *self, void *block, size_t bytes);

/* Whether `used` has reached `percent` (at most 100) of `max`. */
bool wr_allocator_is_above(const struct wr_allocator *self, unsigned percent);

#endif
