/*
 * bundles — the config bundles of a Runtime, by id in byte order. Bundles never leave; one that is
 * stored again takes the place of the one before.
 *
 * What is decided may not be visible yet (design 2): of each id the newest version is kept, and as
 * long as that is not visible, those before it too. Decisions look at the newest, readers at the
 * newest that is visible.
 */
#ifndef WR_CORE_BUNDLES_H
#define WR_CORE_BUNDLES_H

#include "bytes/allocator.h"
#include "core/config_bundle.h"
#include "status.h"

/* One version. Fields are read only outside. */
struct wr_bundle {
	struct wr_bundle *newer; /* of the same id */
	uint64_t sequence;	 /* of its record */
	size_t text_bytes;
	struct wr_config_bundle value; /* views of the block behind this struct */
};

struct wr_bundles {
	struct wr_allocator *allocator;
	struct wr_bundle **slots; /* the oldest kept version of each, in byte order of ids */
	uint32_t count, capacity;
	uint64_t bytes; /* texts of the newest versions */
};

void wr_bundles_init(struct wr_bundles *self, struct wr_allocator *allocator);
void wr_bundles_deinit(struct wr_bundles *self);

/* The newest version; NULL: none. Lent until the next change, like all that follows. */
const struct wr_bundle *wr_bundles_find(const struct wr_bundles *self, struct wr_view id);
/* The newest version up to a sequence; NULL: none was there then. */
const struct wr_bundle *wr_bundles_find_at(const struct wr_bundles *self, struct wr_view id,
					   uint64_t sequence);
/* The same of the first id above `after` (absent: the very first) that was there then. */
const struct wr_bundle *wr_bundles_next_at(const struct wr_bundles *self, struct wr_view after,
					   uint64_t sequence);
/* The newest version of the bundle with this index, which is below `count`. */
const struct wr_bundle *wr_bundles_at(const struct wr_bundles *self, uint32_t index);

/* Whether one more, or another in the place of the one of its id, would be within
 * WR_CONFIG_BUNDLE_COUNT_MAX and WR_CONFIG_BUNDLES_BYTES_MAX. */
bool wr_bundles_have_room(const struct wr_bundles *self, const struct wr_config_bundle *value);

/* Makes a version that is not in the catalog yet, and room for it there, so that add cannot fail.
 * NULL: no memory. */
struct wr_bundle *wr_bundles_prepare(struct wr_bundles *self, const struct wr_config_bundle *value);
void wr_bundles_discard(struct wr_bundles *self, struct wr_bundle *bundle);
/* Takes over the version that was prepared last. Sequences grow. */
void wr_bundles_add(struct wr_bundles *self, struct wr_bundle *bundle, uint64_t sequence);

/* All up to a sequence is visible: frees what nobody reads any more. */
void wr_bundles_show(struct wr_bundles *self, uint64_t sequence);

#endif
