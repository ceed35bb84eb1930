/*
 * embedded_key — the Idempotency-Key of a command to a Runtime in this process, as core knows it
 * (design 5): what is asked of which Worker is part of it, the arguments are its fingerprint.
 */
#ifndef WR_BACKEND_EMBEDDED_KEY_H
#define WR_BACKEND_EMBEDDED_KEY_H

#include "backend/runtime_handle.h"
#include "core/command.h"

/* Fills *key and returns it; NULL when the call, a command, came without one. */
const struct wr_key *wr_embedded_key(struct wr_key *key, const struct wr_source_call *call);

#endif
