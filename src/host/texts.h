/* texts — a short list of strings, as an option that may be given several times makes it. */
#ifndef WR_HOST_TEXTS_H
#define WR_HOST_TEXTS_H

#include <stdint.h>

enum { WR_TEXT_COUNT_MAX = 32 };

/* Borrowed for life. */
struct wr_texts {
	uint32_t count;
	const char *items[WR_TEXT_COUNT_MAX];
};

#endif
