/* The other half of a checkpoint: bytes back into state, believing nothing. */
#include "core/checkpoint.h"

#include "bytes/utf8.h"
#include "check.h"
#include "core/fields.h"

static enum wr_status take_runtime(struct wr_runtime *self, struct wr_restore *restore,
				   struct wr_take *from, uint64_t sequence, unsigned version)
{
	uint64_t own = wr_take_u64(from);

	self->last_event_id = wr_take_u64(from);
	self->uptime_s = wr_take_u32(from);
	restore->workers_left = wr_take_u32(from);
	restore->keys_left = wr_take_u32(from);
	self->is_stopped = wr_take_u8(from, 1) != 0;
	for (unsigned i = 0; i < 3; i++)
		(void)wr_take_u8(from, 0);
	if (version == 2) {
		restore->bundles_left = wr_take_u32(from);
		if (restore->bundles_left == 0)
			from->is_bad = true;
	}
	if (!wr_take_is_whole(from) || own != sequence || self->last_event_id > sequence ||
	    self->log.last_sequence != 0 || sequence == 0)
		return WR_CORRUPT;
	restore->has_begun = true;
	restore->sequence = sequence;
	self->log.last_sequence = sequence;
	return WR_OK;
}

/* ---- Workers ---- */

struct row {
	struct wr_event created;
	struct wr_face face;
	bool is_quarantined;
	bool has_queue;
	struct wr_row_queue queue;
};

static unsigned take_row_flags(struct wr_take *from, unsigned version)
{
	const unsigned known = version == 1 ? WR_ROW_QUARANTINED
					    : WR_ROW_QUARANTINED | WR_ROW_QUEUE | WR_ROW_DIGEST;
	unsigned flags = wr_take_u8(from, known);

	if ((flags & ~known) != 0)
		from->is_bad = true;
	return flags;
}

static void take_worker(struct wr_take *from, struct row *row, unsigned version)
{
	unsigned flags;

	row->queue = (struct wr_row_queue){.waiting_count = 0};
	row->created = (struct wr_event){.kind = WR_EVENT_WORKER_CREATED};
	row->created.sequence = wr_take_u64(from);
	row->created.wall_ms = (int64_t)wr_take_u64(from);
	row->face.last_event_id = wr_take_u64(from);
	row->face.last_sequence = wr_take_u64(from);
	row->face.turn_count = wr_take_u64(from);
	row->face.item_count = wr_take_u64(from);
	row->face.status = (enum wr_worker_status)wr_take_u8(from, WR_WORKER_CANCELLED);
	row->face.phase = (enum wr_phase)wr_take_u8(from, WR_PHASE_COUNT - 1);
	flags = take_row_flags(from, version);
	row->is_quarantined = (flags & WR_ROW_QUARANTINED) != 0;
	(void)wr_take_u8(from, 0);
	row->created.as.created.worker_id = wr_take_text(from);
	wr_take_request(from, &row->created.as.created.request, (flags & WR_ROW_DIGEST) != 0);
	row->has_queue = (flags & WR_ROW_QUEUE) != 0;
	if (row->has_queue)
		wr_take_row_queue(from, &row->queue);
	row->created.as.created.request.busy = row->queue.busy;
}

static bool phase_fits(const struct wr_face *face)
{
	switch (face->status) {
	case WR_WORKER_RUNNING:
		return !wr_phase_is_end(face->phase);
	case WR_WORKER_STOPPED:
		return face->phase == WR_PHASE_STOPPING || face->phase == WR_PHASE_STOPPED;
	case WR_WORKER_CANCELLED:
		return face->phase == WR_PHASE_CANCELLED;
	}
	wr_unreachable();
}

/* Only an end drops for good, and only who runs waits. */
static bool queue_fits(const struct row *row)
{
	bool is_running = row->face.status == WR_WORKER_RUNNING;

	return is_running ? row->queue.dropped.data == NULL : row->queue.waiting_count == 0;
}

static bool worker_fits(const struct wr_runtime *self, const struct row *row, uint64_t head)
{
	const struct wr_worker *before = wr_catalog_at(&self->catalog, self->catalog.count);
	uint64_t created = row->created.sequence;
	struct wr_view id = row->created.as.created.worker_id;

	return created > (before == NULL ? 0 : before->created_sequence) &&
	       row->face.last_event_id >= created &&
	       row->face.last_sequence >= row->face.last_event_id &&
	       row->face.last_sequence <= head && row->face.item_count <= head &&
	       row->face.item_count < UINT32_MAX && row->face.turn_count <= head &&
	       phase_fits(&row->face) && queue_fits(row) &&
	       !(self->is_stopped && row->face.status == WR_WORKER_RUNNING) &&
	       !wr_utf8_is_blank(id) && wr_catalog_find(&self->catalog, id) == NULL;
}

/* Inputs that wait, in their order. */
static enum wr_status add_waiting(struct wr_runtime *self, struct wr_worker *worker,
				  const struct row *row)
{
	struct wr_take from = {.rest = row->queue.waiting};
	uint64_t before = row->created.sequence;

	for (uint32_t i = 0; i < row->queue.waiting_count; i++) {
		uint64_t sequence = wr_take_u64(&from);
		uint32_t bytes = wr_take_u32(&from);
		enum wr_input_kind kind = (enum wr_input_kind)wr_take_u8(&from, WR_INPUT_SYSTEM);
		struct wr_queued_input *input;

		if (from.is_bad || sequence <= before || sequence > row->face.last_sequence ||
		    bytes > WR_EVENT_BYTES_MAX)
			return WR_CORRUPT;
		input = wr_queued_input_new_left(self->ports.allocator, kind, bytes);
		if (input == NULL)
			return WR_NO_MEMORY;
		wr_input_queue_push(&worker->queue, input, sequence);
		before = sequence;
	}
	return WR_OK;
}

static enum wr_status add_worker(struct wr_runtime *self, struct row *row)
{
	struct wr_worker *worker = NULL;
	enum wr_status status;

	row->created.worker = self->catalog.count + 1;
	status = wr_fold_prepare_worker(self, &worker, &row->created);
	if (status != WR_OK)
		return status;
	wr_fold_worker(self, worker, &row->created);
	wr_catalog_set_status(&self->catalog, worker, row->face.status);
	worker->now = row->face;
	/* In a new process nothing is left that could end later. */
	if (worker->now.phase == WR_PHASE_STOPPING)
		worker->now.phase = WR_PHASE_STOPPED;
	worker->is_end_told = worker->now.status != WR_WORKER_RUNNING;
	worker->is_quarantined = row->is_quarantined;
	worker->is_lost = row->is_quarantined;
	status = wr_fold_copy_dropped(self, &worker->dropped, row->queue.dropped);
	return status == WR_OK ? add_waiting(self, worker, row) : status;
}

static enum wr_status take_workers(struct wr_runtime *self, struct wr_restore *restore,
				   struct wr_take *from, uint32_t rows, unsigned version)
{
	struct row row;
	enum wr_status status;
	unsigned needed = 1; /* the version */

	if (rows > restore->workers_left)
		return WR_CORRUPT;
	restore->workers_left -= rows;
	while (rows-- > 0) {
		take_worker(from, &row, version);
		if (from->is_bad || !worker_fits(self, &row, restore->sequence))
			return WR_CORRUPT;
		status = add_worker(self, &row);
		if (status != WR_OK)
			return status;
		if (row.has_queue ||
		    row.created.as.created.request.config_bundle_digest.data != NULL)
			needed = 2;
	}
	return wr_take_is_whole(from) && version == needed ? WR_OK : WR_CORRUPT;
}

/* ---- keys ---- */

/* A command is one of those to a Worker, or to the Runtime. */
static bool owner_fits(const struct wr_runtime *self, const struct wr_kept_key *kept)
{
	if (kept->operation == WR_OPERATION_STORE_BUNDLE)
		return kept->worker == 0;
	return kept->operation >= WR_OPERATION_CREATE &&
	       kept->operation <= WR_OPERATION_INTERRUPT &&
	       wr_catalog_at(&self->catalog, kept->worker) != NULL;
}

static bool key_fits(const struct wr_runtime *self, const struct wr_kept_key *kept, uint64_t head)
{
	uint32_t count = wr_keys_count(&self->keys);

	return kept->event_id != 0 && kept->event_id <= head && owner_fits(self, kept) &&
	       kept->uptime_s <= self->uptime_s && count < WR_KEY_COUNT_MAX &&
	       (count == 0 || kept->uptime_s >= wr_keys_at(&self->keys, count - 1)->uptime_s) &&
	       wr_keys_find(&self->keys, &kept->key) == NULL;
}

static enum wr_status take_keys(struct wr_runtime *self, struct wr_restore *restore,
				struct wr_take *from, uint32_t rows, unsigned version)
{
	unsigned needed = 1; /* the version */

	if (rows > restore->keys_left || restore->workers_left != 0)
		return WR_CORRUPT;
	restore->keys_left -= rows;
	while (rows-- > 0) {
		struct wr_kept_key kept = {.event_id = 0};
		wr_take_key(from, &kept.key);
		kept.event_id = wr_take_u64(from);
		kept.transcript_sequence = wr_take_u64(from);
		kept.worker = wr_take_u32(from);
		kept.uptime_s = wr_take_u32(from);
		kept.operation = wr_take_u8(from, WR_OPERATION_STORE_BUNDLE);
		kept.status = wr_take_u8(from, WR_WORKER_CANCELLED);
		if (kept.operation == WR_OPERATION_STORE_BUNDLE)
			needed = 2;
		if (from->is_bad || !key_fits(self, &kept, restore->sequence))
			return WR_CORRUPT;
		if (wr_keys_reserve(&self->keys) != WR_OK)
			return WR_NO_MEMORY;
		wr_keys_add(&self->keys, &kept);
	}
	return wr_take_is_whole(from) && version == needed ? WR_OK : WR_CORRUPT;
}

/* ---- config bundles ---- */

static bool bundle_fits(const struct wr_runtime *self, const struct wr_config_bundle *bundle,
			uint64_t sequence, uint64_t head)
{
	uint32_t count = self->bundles.count;

	return sequence != 0 && sequence <= head && wr_config_bundle_id_is_valid(bundle->id) &&
	       wr_config_digest_is_valid(bundle->digest) &&
	       (count == 0 || wr_view_compare(wr_bundles_at(&self->bundles, count - 1)->value.id,
					      bundle->id) < 0);
}

static enum wr_status take_bundles(struct wr_runtime *self, struct wr_restore *restore,
				   struct wr_take *from, uint32_t rows)
{
	if (rows > restore->bundles_left)
		return WR_CORRUPT;
	restore->bundles_left -= rows;
	while (rows-- > 0) {
		uint64_t sequence = wr_take_u64(from);
		struct wr_config_bundle value;
		struct wr_bundle *bundle;

		wr_take_bundle(from, &value);
		if (from->is_bad || !bundle_fits(self, &value, sequence, restore->sequence))
			return WR_CORRUPT;
		bundle = wr_bundles_prepare(&self->bundles, &value);
		if (bundle == NULL)
			return WR_NO_MEMORY;
		wr_bundles_add(&self->bundles, bundle, sequence);
	}
	return wr_take_is_whole(from) ? WR_OK : WR_CORRUPT;
}

/* ---- */

enum wr_status wr_checkpoint_restore(struct wr_runtime *self, struct wr_restore *restore,
				     const struct wr_store_record *part)
{
	struct wr_take from = {.rest = part->payload};
	unsigned version = wr_take_u8(&from, UINT8_MAX), kind;
	uint32_t rows;

	if (!from.is_bad && version > WR_CHECKPOINT_VERSION)
		return WR_UNSUPPORTED;
	kind = wr_take_u8(&from, WR_PART_BUNDLES);
	(void)wr_take_u8(&from, 0);
	(void)wr_take_u8(&from, 0);
	rows = wr_take_u32(&from);
	if (from.is_bad || version == 0 || restore->has_begun == (kind == WR_PART_RUNTIME) ||
	    (restore->has_begun && part->sequence != restore->sequence))
		return WR_CORRUPT;
	if (kind == WR_PART_RUNTIME)
		return rows != 0 ? WR_CORRUPT
				 : take_runtime(self, restore, &from, part->sequence, version);
	if (kind == WR_PART_WORKERS)
		return take_workers(self, restore, &from, rows, version);
	if (kind == WR_PART_KEYS)
		return take_keys(self, restore, &from, rows, version);
	return kind == WR_PART_BUNDLES && version == 2 ? take_bundles(self, restore, &from, rows)
						       : WR_CORRUPT;
}

bool wr_checkpoint_is_whole(const struct wr_restore *restore)
{
	return restore->workers_left == 0 && restore->keys_left == 0 && restore->bundles_left == 0;
}
