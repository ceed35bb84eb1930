/*
 * reload — tokens and certificates are read again while the program runs (SIGHUP).
 *
 * All files are read before anything of the old goes: when one of them has a fault, nothing
 * changes, and what it was is logged.
 */
#ifndef WR_HOST_RELOAD_H
#define WR_HOST_RELOAD_H

#include "bytes/allocator.h"
#include "host/serving.h"
#include "host/tokens.h"

struct wr_tls_server;

/* What there is to be read again; borrowed. */
struct wr_reload {
	const struct wr_serving *serving;
	struct wr_tokens *tokens;
	uint32_t fixed_token_count; /* those that are not from the file */
	struct wr_tls_server *tls;  /* NULL: none */
	struct wr_allocator *allocator;
	bool has_more; /* the caller reads more again: nothing here is nothing to tell */
};

/* Whether there are new tokens. */
bool wr_reload(const struct wr_reload *self);

#endif
