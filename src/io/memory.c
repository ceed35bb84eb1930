#include "io/memory.h"

#include <stdlib.h>

static void *resize(struct wr_allocator *self, void *old, size_t old_bytes, size_t new_bytes)
{
	(void)self;
	(void)old_bytes;
	if (new_bytes != 0)
		return realloc(old, new_bytes);
	free(old); /* realloc to 0 means different things to different libraries */
	return NULL;
}

void wr_memory_init(struct wr_allocator *self, size_t max)
{
	*self = (struct wr_allocator){.resize = resize, .max = max};
}
