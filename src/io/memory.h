/* memory — the allocator port over malloc. */
#ifndef WR_IO_MEMORY_H
#define WR_IO_MEMORY_H

#include "bytes/allocator.h"

/* An allocator that never gives out more than `max` bytes in all (SIZE_MAX: no limit). */
void wr_memory_init(struct wr_allocator *self, size_t max);

#endif
