/* stored_fixture — the fixture's Runtime over a scripted store, with a short memory. */
#ifndef WR_TESTS_UNIT_WIRE_STORED_FIXTURE_H
#define WR_TESTS_UNIT_WIRE_STORED_FIXTURE_H

#include "unit/observe/scripted_store.h"
#include "unit/wire/fixture.h"

/* Opens the Runtime: a new one, or what the store has of it. Memory keeps about `bytes` of items.
 */
static inline void stored_fixture_open(struct fixture *self, struct scripted_store *store,
				       uint64_t bytes)
{
	struct wr_runtime_ports ports = {
		.allocator = wr_test_allocator(),
		.wall_ms = fixture_clock,
		.entropy = fixture_entropy,
		.encoding = &wr_frame_encoding,
		.store = scripted_store_port(store),
	};
	struct wr_runtime_config config;
	struct wr_error error;

	wr_runtime_defaults(&config);
	config.runtime_id = WR_VIEW("rt-a");
	config.worker_transcript_bytes_max = bytes;
	CHECK_STATUS(wr_runtime_new(&self->runtime, &config, &ports, &error), WR_OK);
	wr_runtime_settle(self->runtime);
}

/* Items with contents of many sizes, all different. */
static inline void stored_fixture_say(struct fixture *self, const struct wr_worker *worker,
				      unsigned count)
{
	static char content[4096];

	for (unsigned i = 0; i < count; i++) {
		size_t bytes = 1 + (size_t)(worker->now.item_count * 37 % 300);
		memset(content, 'a' + (int)(worker->now.item_count % 26), bytes);
		content[bytes] = '\0';
		fixture_say(self, worker,
			    worker->now.item_count % 3 == 0 ? WR_INPUT_SYSTEM : WR_INPUT_USER,
			    content);
	}
	wr_runtime_settle(self->runtime);
}

/* What comes of reading the record with that item. */
static inline void stored_fixture_damage(struct scripted_store *store, uint32_t item,
					 enum wr_status mood)
{
	for (uint64_t i = 0; i < store->count; i++)
		if (store->records[i].record.item == item)
			store->records[i].mood = mood;
}

#endif
