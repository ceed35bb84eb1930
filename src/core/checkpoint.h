/*
 * checkpoint — the state of a Runtime as bytes, so that opening need not fold the whole log.
 *
 * A list of parts, each about 64 KiB (more only for one large Worker). Little-endian; a part begins
 * with version u8 · kind u8 · 0 u16 · rows u32, then
 *
 *	kind 1, first, no rows: sequence u64 · last event id u64 · uptime s u32 · Workers u32 ·
 *		keys u32 · is stopped u8 · 0 u8[3] · in version 2 config bundles u32, not 0
 *	kind 2, Workers in the order of their numbers, each: created at u64 · created wall ms u64 ·
 *		last event id u64 · last sequence u64 · turns u64 · items u64 · status u8 ·
 *		phase u8 · flags u8 (1 quarantined, 2 queue, 32 the request has a digest) · 0 u8 ·
 *		id text · request as in event_bytes; with flag 2 its busy policy, kind u8 (0: none)
 *		and inputs u32 · what its end has dropped, a text of sequences u64 or absent ·
 *		count u32 of inputs that wait for their turn, each: sequence u64 · bytes u32 ·
 *		kind u8
 *	kind 3, keys from the oldest, each: id and fingerprint u8[32] · event id u64 ·
 *		transcript sequence u64 · Worker u32 · uptime s u32 · operation u8 · status u8
 *	kind 8, config bundles in the order of their ids, each: sequence u64 · bundle as in
 *		event_bytes
 *
 * The version of a part is the lowest that can say what is in it: 1, but 2 with the count of kind
 *1, flag 2 or 32, operation 10, and of kind 8.
 *
 * Diagnostics follow from the Workers. Restoring believes nothing: what cannot be is WR_CORRUPT.
 */
#ifndef WR_CORE_CHECKPOINT_H
#define WR_CORE_CHECKPOINT_H

#include "core/state.h"

#define WR_CHECKPOINT_VERSION 2u

/* Gives the store a checkpoint when it wants one. When that fails, the next turn tries again. */
void wr_checkpoint_write(struct wr_runtime *self);

enum wr_checkpoint_part {
	WR_PART_RUNTIME = 1,
	WR_PART_WORKERS = 2,
	WR_PART_KEYS = 3,
	WR_PART_BUNDLES = 8
};

/* How far the parts of a checkpoint have come. Zero-initialised. */
struct wr_restore {
	bool has_begun;
	uint64_t sequence;
	uint32_t workers_left, keys_left, bundles_left;
};

/* Takes one part. WR_OK, WR_CORRUPT, WR_UNSUPPORTED (a newer version), WR_NO_MEMORY. */
enum wr_status wr_checkpoint_restore(struct wr_runtime *self, struct wr_restore *restore,
				     const struct wr_store_record *part);
/* Whether nothing is missing; also when there was no checkpoint. */
bool wr_checkpoint_is_whole(const struct wr_restore *restore);

#endif
