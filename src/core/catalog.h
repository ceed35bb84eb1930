/*
 * catalog — all Workers of a Runtime: by number, and by id in byte order. Workers never leave.
 *
 * Ids are kept in one sorted array: it answers lookups, ordered lists and paging alike, and no
 * client string keys a hash table.
 */
#ifndef WR_CORE_CATALOG_H
#define WR_CORE_CATALOG_H

#include "core/worker.h"

struct wr_catalog {
	struct wr_allocator *allocator;
	struct wr_worker **by_number; /* [number - 1] */
	struct wr_worker **by_id;     /* sorted */
	uint32_t count, capacity;
	uint32_t status_counts[3]; /* by enum wr_worker_status */
};

void wr_catalog_init(struct wr_catalog *self, struct wr_allocator *allocator);
/* Frees the arrays, not the Workers. */
void wr_catalog_deinit(struct wr_catalog *self);

/* Room for one more, so that add cannot fail. WR_OK or WR_NO_MEMORY. */
enum wr_status wr_catalog_reserve(struct wr_catalog *self);
/* Adds a running Worker whose number is count + 1 and whose id is new. */
void wr_catalog_add(struct wr_catalog *self, struct wr_worker *worker);

void wr_catalog_set_status(struct wr_catalog *self, struct wr_worker *worker,
			   enum wr_worker_status status);

/* NULL when there is none. */
struct wr_worker *wr_catalog_find(const struct wr_catalog *self, struct wr_view id);
struct wr_worker *wr_catalog_at(const struct wr_catalog *self, uint32_t number);
/* The first whose id is above `after`; absent: the very first. */
struct wr_worker *wr_catalog_next(const struct wr_catalog *self, struct wr_view after);

#endif
