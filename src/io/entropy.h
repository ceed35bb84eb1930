/* entropy — random bytes of the operating system. */
#ifndef WR_IO_ENTROPY_H
#define WR_IO_ENTROPY_H

#include "status.h"

#include <stddef.h>

/* Fills `out`. WR_OK, or WR_IO when the system has none to give. */
enum wr_status wr_entropy_fill(void *out, size_t bytes);

#endif
