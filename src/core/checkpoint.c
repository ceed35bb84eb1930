#include "core/checkpoint.h"

#include "check.h"
#include "core/fields.h"
#include "core/frames.h"

enum {
	PART_BYTES = 65536, /* a part is closed when the next row would take it above */
	HEADER_BYTES = 8,
	RUNTIME_BYTES = 2 * 8 + 3 * 4 + 4,
	WORKER_BYTES = 6 * 8 + 4, /* and texts */
	KEY_ROW_BYTES = WR_KEY_FIELD_BYTES + 2 * 8 + 2 * 4 + 2
};

/* A part that is being made, in the scratch buffer for records. */
struct part {
	struct wr_runtime *runtime;
	enum wr_checkpoint_part kind;
	uint8_t version; /* the first one that can say it */
	uint32_t rows;
	enum wr_status status;
};

static void begin_part(struct part *self, enum wr_checkpoint_part kind)
{
	struct wr_buf *out = &self->runtime->record;
	char *at;

	wr_scratch_reset(out);
	self->kind = kind;
	self->version = kind == WR_PART_BUNDLES ? 2 : 1;
	self->rows = 0;
	at = wr_buf_reserve(out, HEADER_BYTES);
	if (at == NULL) {
		self->status = out->status;
		return;
	}
	at = wr_put_u8(at, 0); /* version: known at the end */
	at = wr_put_u8(at, kind);
	at = wr_put_u8(at, 0);
	at = wr_put_u8(at, 0);
	wr_put_u32(at, 0); /* rows: known at the end */
	wr_buf_commit(out, HEADER_BYTES);
}

static void end_part(struct part *self)
{
	const struct wr_store *port = &self->runtime->ports.store;
	struct wr_buf *out = &self->runtime->record;

	if (self->status != WR_OK || (self->rows == 0 && self->kind != WR_PART_RUNTIME))
		return;
	wr_put_u8(out->data, self->version);
	wr_store_le32(out->data + 4, self->rows);
	self->status = port->ops->checkpoint_add(port->context, wr_buf_view(out));
}

/* Room for a row of exactly these bytes, in this part or a new one; NULL when there is none. */
static char *begin_row(struct part *self, size_t bytes)
{
	struct wr_buf *out = &self->runtime->record;
	char *at;

	if (self->status == WR_OK && self->rows != 0 && out->bytes + bytes > PART_BYTES) {
		end_part(self);
		begin_part(self, self->kind);
	}
	if (self->status != WR_OK)
		return NULL;
	at = wr_buf_reserve(out, bytes);
	if (at == NULL) {
		self->status = out->status;
		return NULL;
	}
	wr_buf_commit(out, bytes);
	self->rows++;
	return at;
}

static void put_runtime(struct part *self)
{
	const struct wr_runtime *runtime = self->runtime;
	uint32_t bundles = runtime->bundles.count;
	char *at;

	begin_part(self, WR_PART_RUNTIME);
	at = begin_row(self, RUNTIME_BYTES + (bundles == 0 ? 0u : 4u));
	if (at == NULL)
		return;
	self->rows = 0; /* it is no row */
	at = wr_put_u64(at, runtime->log.last_sequence);
	at = wr_put_u64(at, runtime->last_event_id);
	at = wr_put_u32(at, wr_uptime_s(runtime));
	at = wr_put_u32(at, runtime->catalog.count);
	at = wr_put_u32(at, wr_keys_count(&runtime->keys));
	at = wr_put_u8(at, runtime->is_stopped);
	at = wr_put_bytes(at, WR_VIEW("\0\0\0"));
	if (bundles != 0) {
		wr_put_u32(at, bundles);
		self->version = 2;
	}
	end_part(self);
}

/* What ended waits for nothing. */
static uint32_t waiting_count(const struct wr_worker *worker)
{
	return worker->now.status == WR_WORKER_RUNNING ? worker->queue.tracked_count : 0;
}

static bool has_queue(const struct wr_worker *worker)
{
	return worker->request.busy.kind != WR_BUSY_UNSAID || worker->dropped.data != NULL ||
	       waiting_count(worker) != 0;
}

static size_t worker_bytes(const struct wr_worker *worker)
{
	size_t bytes =
		WORKER_BYTES + wr_text_bytes(worker->id) + wr_request_bytes(&worker->request);

	if (has_queue(worker))
		bytes += WR_BUSY_FIELD_BYTES + wr_text_bytes(worker->dropped) + 4 +
			 (size_t)waiting_count(worker) * WR_ROW_WAITING_BYTES;
	return bytes;
}

static char *put_waiting(char *at, const struct wr_worker *worker)
{
	at = wr_put_u32(at, waiting_count(worker));
	if (waiting_count(worker) == 0)
		return at;
	for (const struct wr_queued_input *input = worker->queue.first; input != NULL;
	     input = input->next) {
		if (!input->is_tracked || input->gone != 0)
			continue;
		at = wr_put_u64(at, input->sequence);
		at = wr_put_u32(at, input->bytes);
		at = wr_put_u8(at, input->kind);
	}
	return at;
}

static void put_worker(struct part *self, const struct wr_worker *worker)
{
	size_t bytes = worker_bytes(worker);
	char *at = begin_row(self, bytes), *begin = at;
	unsigned flags = (worker->is_lost ? WR_ROW_QUARANTINED : 0u) |
			 (has_queue(worker) ? WR_ROW_QUEUE : 0u) |
			 (worker->request.config_bundle_digest.data != NULL ? WR_ROW_DIGEST : 0u);

	if (at == NULL)
		return;
	if ((flags & ~(unsigned)WR_ROW_QUARANTINED) != 0)
		self->version = 2;
	at = wr_put_u64(at, worker->created_sequence);
	at = wr_put_u64(at, (uint64_t)worker->created_wall_ms);
	at = wr_put_u64(at, worker->now.last_event_id);
	at = wr_put_u64(at, worker->now.last_sequence);
	at = wr_put_u64(at, worker->now.turn_count);
	at = wr_put_u64(at, worker->now.item_count);
	at = wr_put_u8(at, worker->now.status);
	at = wr_put_u8(at, worker->now.phase);
	at = wr_put_u8(at, flags);
	at = wr_put_u8(at, 0);
	at = wr_put_text(at, worker->id);
	at = wr_put_request(at, &worker->request);
	if ((flags & WR_ROW_QUEUE) != 0) {
		at = wr_put_busy(at, &worker->request.busy);
		at = wr_put_text(at, worker->dropped);
		at = put_waiting(at, worker);
	}
	wr_assert(at == begin + bytes);
}

static void put_key(struct part *self, const struct wr_kept_key *kept)
{
	char *at = begin_row(self, KEY_ROW_BYTES);

	if (at == NULL)
		return;
	if (kept->operation == WR_OPERATION_STORE_BUNDLE)
		self->version = 2;
	at = wr_put_key(at, &kept->key);
	at = wr_put_u64(at, kept->event_id);
	at = wr_put_u64(at, kept->transcript_sequence);
	at = wr_put_u32(at, kept->worker);
	at = wr_put_u32(at, kept->uptime_s);
	at = wr_put_u8(at, kept->operation);
	wr_put_u8(at, kept->status);
}

static size_t bundle_bytes(const struct wr_bundle *bundle)
{
	return 8 + wr_bundle_bytes(&bundle->value);
}

static void put_bundle(struct part *self, const struct wr_bundle *bundle)
{
	char *at = begin_row(self, bundle_bytes(bundle));

	if (at == NULL)
		return;
	at = wr_put_u64(at, bundle->sequence);
	wr_put_bundle(at, &bundle->value);
}

/* Memory for the largest part is found before the checkpoint is begun: one that cannot be ended
 * costs the store a segment, and a store that is nearly full has none to lose. */
static bool has_memory(struct wr_runtime *self)
{
	size_t bytes = PART_BYTES;

	for (uint32_t number = 1; number <= self->catalog.count; number++) {
		size_t row = HEADER_BYTES + worker_bytes(wr_catalog_at(&self->catalog, number));

		if (bytes < row)
			bytes = row;
	}
	for (uint32_t i = 0; i < self->bundles.count; i++) {
		size_t row = HEADER_BYTES + bundle_bytes(wr_bundles_at(&self->bundles, i));

		if (bytes < row)
			bytes = row;
	}
	wr_scratch_reset(&self->record);
	return wr_buf_reserve(&self->record, bytes) != NULL;
}

void wr_checkpoint_write(struct wr_runtime *self)
{
	const struct wr_store *port = &self->ports.store;
	struct part part = {.runtime = self, .status = WR_OK};

	if (!port->ops->wants_checkpoint(port->context) || !has_memory(self) ||
	    port->ops->checkpoint_begin(port->context) != WR_OK)
		return;
	wr_keys_expire(&self->keys, wr_uptime_s(self));
	put_runtime(&part);
	begin_part(&part, WR_PART_WORKERS);
	for (uint32_t number = 1; number <= self->catalog.count; number++)
		put_worker(&part, wr_catalog_at(&self->catalog, number));
	end_part(&part);
	begin_part(&part, WR_PART_KEYS);
	for (uint32_t i = 0; i < wr_keys_count(&self->keys); i++)
		put_key(&part, wr_keys_at(&self->keys, i));
	end_part(&part);
	begin_part(&part, WR_PART_BUNDLES);
	for (uint32_t i = 0; i < self->bundles.count; i++)
		put_bundle(&part, wr_bundles_at(&self->bundles, i));
	end_part(&part);
	/* One that is not ended does not count. */
	if (part.status == WR_OK)
		(void)port->ops->checkpoint_end(port->context);
}
