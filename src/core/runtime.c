#include "core/runtime.h"

#include "bytes/hex.h"
#include "bytes/utf8.h"
#include "core/commit.h"
#include "core/open.h"

#include <string.h>

void wr_runtime_defaults(struct wr_runtime_config *config)
{
	*config = (struct wr_runtime_config){
		.transcript_items_max = WR_TRANSCRIPT_PAGE_ITEMS_MAX,
		.event_batch_items_max = WR_EVENT_BATCH_ITEMS_MAX,
		.worker_count_max = WR_WORKER_COUNT_MAX,
		.retention = {.stream_events_max = WR_WORKER_RETENTION_EVENTS,
			      .stream_bytes_max = WR_WORKER_RETENTION_BYTES,
			      .events_max = WR_RETENTION_EVENTS,
			      .bytes_max = WR_RETENTION_BYTES},
		.worker_transcript_bytes_max = WR_WORKER_TRANSCRIPT_BYTES,
		.transcript_bytes_max = WR_TRANSCRIPT_BYTES,
	};
}

/* ---- a Runtime's beginning and end ---- */

enum { ID_RANDOM_BYTES = 8 };

/* An id from nothing: of the log, so that it stays the same over restarts; without a store random,
 * so that no two processes share it. */
static enum wr_status make_id(struct wr_runtime *self)
{
	uint8_t random[ID_RANDOM_BYTES];
	char digits[2 * sizeof random];
	bool has_store = wr_has_store(self);

	if (has_store)
		memcpy(random, self->log_id, sizeof random);
	else if (self->ports.entropy(self->ports.context, random, sizeof random) != WR_OK)
		return WR_IO;
	wr_hex_write(digits, random, sizeof random);
	wr_buf_append_view(&self->texts,
			   has_store ? WR_VIEW("runtime-fs-") : WR_VIEW("runtime-mem-"));
	return wr_buf_append(&self->texts, digits, sizeof digits);
}

/* Copies the id, or makes one, and the name. The log is open. */
static enum wr_status keep_names(struct wr_runtime *self, const struct wr_runtime_config *config)
{
	struct wr_buf *texts = &self->texts;
	size_t id_bytes;
	enum wr_status status;

	status = config->runtime_id.data != NULL ? wr_buf_append_view(texts, config->runtime_id)
						 : make_id(self);
	if (status != WR_OK)
		return status;
	id_bytes = texts->bytes;
	wr_buf_append_view(texts, config->display_name);
	if (texts->status != WR_OK)
		return texts->status;
	self->config.runtime_id = wr_view_of(texts->data, id_bytes);
	if (config->display_name.data != NULL)
		self->config.display_name =
			wr_view_of(texts->data + id_bytes, texts->bytes - id_bytes);
	return WR_OK;
}

static void init_parts(struct wr_runtime *self, const struct wr_runtime_config *config,
		       const struct wr_runtime_ports *ports)
{
	struct wr_allocator *allocator = ports->allocator;

	self->config = *config;
	self->config.display_name = WR_VIEW_NULL;
	self->ports = *ports;
	if (self->ports.encoding == NULL)
		self->ports.encoding = &wr_event_bytes_encoding;
	wr_buf_init(&self->texts, allocator, WR_EVENT_BYTES_MAX);
	wr_buf_init(&self->worker_frame, allocator, WR_FRAME_BYTES_MAX);
	wr_buf_init(&self->runtime_frame, allocator, WR_FRAME_BYTES_MAX);
	wr_buf_init(&self->record, allocator, WR_FRAME_BYTES_MAX);
	wr_buf_init(&self->text, allocator, 2 * WR_EVENT_BYTES_MAX);
	wr_buf_init(&self->dropped, allocator,
		    WR_QUEUE_TRACKED_MAX * (size_t)WR_PACKED_SEQUENCE_BYTES);
	wr_list_init(&self->queued);
	wr_catalog_init(&self->catalog, allocator);
	wr_bundles_init(&self->bundles, allocator);
	wr_event_log_init(&self->log, allocator, &config->retention);
	self->log.observer = ports->observer;
	self->log.is_shown_late = wr_has_store(self);
	wr_transcript_budget_init(&self->transcripts, allocator,
				  config->worker_transcript_bytes_max,
				  config->transcript_bytes_max);
	wr_pending_init(&self->pending, allocator);
	wr_keys_init(&self->keys, allocator);
	if (ports->uptime_ms != NULL)
		self->uptime_ms = ports->uptime_ms(ports->context);
}

enum wr_status wr_runtime_new(struct wr_runtime **out, const struct wr_runtime_config *config,
			      const struct wr_runtime_ports *ports, struct wr_error *error)
{
	struct wr_runtime *self;
	struct wr_event started = {.kind = WR_EVENT_RUNTIME_STARTED};
	enum wr_status status;

	*error = (struct wr_error){.status = WR_OK};
	if (config->runtime_id.data != NULL && wr_utf8_is_blank(config->runtime_id)) {
		*error = (struct wr_error){.status = WR_INVALID, .detail = "blank runtime id"};
		return WR_INVALID;
	}
	self = wr_allocator_take_zeroed(ports->allocator, sizeof *self);
	if (self == NULL)
		return error->status = WR_NO_MEMORY;
	init_parts(self, config, ports);
	status = wr_open_log(self);
	if (status == WR_OK)
		status = keep_names(self, config);
	if (status == WR_OK && self->log.last_sequence == 0)
		status = wr_commit(self, &started);
	if (status == WR_OK)
		status = wr_open_interrupt_turns(self);
	if (status != WR_OK) {
		error->status = status;
		wr_runtime_free(self);
		return status;
	}
	*out = self;
	return WR_OK;
}

void wr_runtime_free(struct wr_runtime *self)
{
	struct wr_allocator *allocator = self->ports.allocator;

	for (uint32_t number = self->catalog.count; number > 0; number--)
		wr_worker_free(self, wr_catalog_at(&self->catalog, number));
	wr_catalog_deinit(&self->catalog);
	wr_bundles_deinit(&self->bundles);
	wr_transcript_budget_deinit(&self->transcripts);
	wr_event_log_deinit(&self->log);
	wr_pending_deinit(&self->pending);
	wr_keys_deinit(&self->keys);
	wr_buf_deinit(&self->texts);
	wr_buf_deinit(&self->worker_frame);
	wr_buf_deinit(&self->runtime_frame);
	wr_buf_deinit(&self->record);
	wr_buf_deinit(&self->text);
	wr_buf_deinit(&self->dropped);
	wr_allocator_free(allocator, self, sizeof *self);
}
