/*
 * keys — which commands were done under an Idempotency-Key, and what they were answered (design 5).
 *
 * The newest WR_KEY_COUNT_MAX keys, each for WR_KEY_S_MAX of logged uptime: a ring in the order of
 * their records, and an index by hash into it. A key is a digest already, so that its first bytes
 * are its hash.
 */
#ifndef WR_CORE_KEYS_H
#define WR_CORE_KEYS_H

#include "bytes/allocator.h"
#include "core/command.h"
#include "status.h"

enum { WR_KEY_COUNT_MAX = 4096, WR_KEY_S_MAX = 24 * 60 * 60 };

struct wr_kept_key {
	struct wr_key key;
	uint64_t event_id;	      /* that the command was answered with */
	uint64_t transcript_sequence; /* of an input */
	uint32_t worker;	      /* number */
	uint32_t uptime_s;	      /* when it was used */
	uint8_t operation;	      /* enum wr_operation */
	uint8_t status;		      /* enum wr_worker_status, as answered */
};

struct wr_keys {
	struct wr_allocator *allocator;
	struct wr_kept_key *ring;
	uint16_t *slots; /* twice the capacity: place in the ring + 1, 0: free */
	uint32_t capacity;
	uint64_t first, total; /* those used as number first..total-1 are kept */
};

void wr_keys_init(struct wr_keys *self, struct wr_allocator *allocator);
void wr_keys_deinit(struct wr_keys *self);

/* Forgets what is too old at this uptime. */
void wr_keys_expire(struct wr_keys *self, uint32_t uptime_s);

/* What was done under the id of a key; lent until the next change. NULL: nothing that is known. */
const struct wr_kept_key *wr_keys_find(const struct wr_keys *self, const struct wr_key *key);

/* Room for one more, so that add cannot fail. WR_OK or WR_NO_MEMORY. */
enum wr_status wr_keys_reserve(struct wr_keys *self);
/* Adds the newest; its id is not known yet. The oldest goes when there are too many. */
void wr_keys_add(struct wr_keys *self, const struct wr_kept_key *kept);

/* How many there are, and each, from the oldest; lent until the next change. */
uint32_t wr_keys_count(const struct wr_keys *self);
const struct wr_kept_key *wr_keys_at(const struct wr_keys *self, uint32_t index);

#endif
