/* reload_tokens — the tokens of a file are read again while the program runs (SIGHUP). */
#ifndef WR_HOST_RELOAD_TOKENS_H
#define WR_HOST_RELOAD_TOKENS_H

#include "bytes/allocator.h"
#include "host/tokens.h"
#include "io/net/address.h"

/* Replaces all but the first `fixed_count` with those of the file (NULL: there is none). All of it
 * is read before anything of the old ones goes: a file with a fault, or with tokens that are not
 * safe at `address`, changes nothing. What came of it is logged. Whether they are the new ones. */
bool wr_reload_tokens(struct wr_tokens *tokens, uint32_t fixed_count, const char *path,
		      const struct wr_address *address, struct wr_allocator *allocator);

#endif
