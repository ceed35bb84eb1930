#include "bounds.h"
#include "check.h"
#include "io/log.h"
#include "io/store/store_private.h"

#include <errno.h>
#include <string.h>

enum {
	ROW_COUNT_MIN = 16,
	/* Rows of the store's own records are 48 bytes at most; each must fit one. */
	PAYLOAD_BYTES_MIN = 64,
	SEGMENT_COUNT_MIN = 4
};

#define SEGMENT_BYTES_MAX (UINT64_C(1) << 30)

/* ---- state ---- */

enum wr_status wr_fs_fail(struct wr_fs_store *self, int os_error, const char *what)
{
	if (self->state == WR_FS_FAILED)
		return WR_IO;
	self->state = WR_FS_FAILED;
	self->os_error = os_error;
	self->error = (struct wr_fs_error){.status = WR_IO, .os_error = os_error, .what = what};
	WR_LOG(WR_LOG_ERROR, "store_failed", WR_LOG_TEXT("what", wr_view_of_string(what)),
	       WR_LOG_TEXT("error", wr_view_of_string(strerror(os_error))));
	return WR_IO;
}

/* ---- streams ---- */

static bool grow_rows(struct wr_fs_store *self, uint32_t count)
{
	uint32_t capacity = self->row_capacity < ROW_COUNT_MIN ? ROW_COUNT_MIN : self->row_capacity;
	struct wr_stream_row *rows;

	while (capacity < count)
		capacity *= 2;
	rows = wr_allocator_resize(self->allocator, self->rows, self->row_capacity * sizeof *rows,
				   capacity * sizeof *rows);
	if (rows == NULL)
		return false;
	self->rows = rows;
	self->row_capacity = capacity;
	return true;
}

struct wr_stream_row *wr_fs_row(struct wr_fs_store *self, uint32_t stream)
{
	if (WR_LIKELY(stream < self->row_count))
		return &self->rows[stream];
	if (stream > WR_FS_STREAM_MAX)
		return NULL;
	if (stream >= self->row_capacity && !grow_rows(self, stream + 1))
		return NULL;
	while (self->row_count <= stream)
		self->rows[self->row_count++] = (struct wr_stream_row){.first_item = 1};
	return &self->rows[stream];
}

const struct wr_stream_row *wr_fs_row_find(const struct wr_fs_store *self, uint32_t stream)
{
	return stream < self->row_count ? &self->rows[stream] : NULL;
}

bool wr_fs_is_kept(const struct wr_stream_row *row, uint64_t sequence, uint32_t item)
{
	return row == NULL || sequence > row->evicted || (item != 0 && item >= row->first_item);
}

/* ---- life ---- */

void wr_fs_defaults(struct wr_fs_config *config)
{
	*config = (struct wr_fs_config){
		.durability = WR_DURABILITY_ALWAYS,
		.interval_ms = WR_STORE_INTERVAL_MS,
		.segment_bytes = WR_STORE_SEGMENT_BYTES,
		.bytes_max = WR_STORE_BYTES_MAX,
		.payload_bytes_max = WR_STORE_PAYLOAD_BYTES_MAX,
		.scrub_ms = WR_STORE_SCRUB_MS,
		.scrub_rest_ms = WR_STORE_SCRUB_REST_MS,
	};
}

/* Any record fits a segment of its own, with the reserved end behind it. */
static bool are_sizes_sound(const struct wr_fs_store *self)
{
	const struct wr_fs_config *config = &self->config;

	return config->payload_bytes_max >= PAYLOAD_BYTES_MIN &&
	       config->segment_bytes <= SEGMENT_BYTES_MAX &&
	       WR_SEGMENT_HEADER_BYTES + wr_record_bytes(config->payload_bytes_max) +
			       wr_fs_tail_bytes(self) <=
		       config->segment_bytes &&
	       config->bytes_max / SEGMENT_COUNT_MIN >= config->segment_bytes;
}

static enum wr_status refuse(struct wr_fs_error *error, enum wr_status status, int os_error,
			     const char *what)
{
	*error = (struct wr_fs_error){.status = status, .os_error = os_error, .what = what};
	return status;
}

static enum wr_status open_disk(struct wr_fs_store *self, struct wr_fs_error *error)
{
	int os_error = 0;

	if (self->config.disk != NULL) {
		self->disk = *self->config.disk;
	} else {
		if (!wr_posix_disk_open(&self->posix, self->config.root, false, &os_error))
			return refuse(error, WR_IO, os_error, "the folder cannot be opened");
		self->has_posix = true;
		self->disk = wr_posix_disk_port(&self->posix);
	}
	os_error = -self->disk.ops->lock(self->disk.context);
	if (os_error == EWOULDBLOCK)
		return refuse(error, WR_CONFLICT, os_error, "another process uses it");
	if (os_error != 0)
		return refuse(error, WR_IO, os_error, "it cannot be locked");
	return WR_OK;
}

static enum wr_status open_parts(struct wr_fs_store *self, struct wr_fs_error *error)
{
	enum wr_status status;

	wr_fs_read_init(self);
	wr_fs_append_init(self);
	status = wr_jobs_new(&self->jobs, self->allocator, self->config.is_inline);
	if (status == WR_IO)
		return refuse(error, status, 0, "the helper thread cannot be started");
	if (status == WR_OK)
		status = wr_fs_sync_init(self);
	if (status == WR_OK)
		status = wr_fs_prepare_init(self);
	if (status == WR_OK)
		status = wr_fs_scrub_init(self);
	return status == WR_OK ? WR_OK : refuse(error, status, 0, wr_status_text(status));
}

/* Everything that a store has, also one that is only half open. */
static void release(struct wr_fs_store *self)
{
	if (self->jobs != NULL)
		wr_jobs_free(self->jobs);
	wr_fs_scrub_deinit(self);
	wr_fs_retention_deinit(self);
	wr_fs_clean_deinit(self);
	wr_fs_index_deinit(self);
	wr_fs_prepare_deinit(self);
	wr_fs_sync_deinit(self);
	wr_fs_segments_deinit(self);
	wr_fs_append_deinit(self);
	wr_fs_checkpoint_deinit(self);
	wr_buf_deinit(&self->payload);
	wr_allocator_free(self->allocator, self->rows, self->row_capacity * sizeof *self->rows);
	if (self->has_posix)
		wr_posix_disk_close(&self->posix);
	wr_allocator_free(self->allocator, self, sizeof *self);
}

enum wr_status wr_fs_store_open(struct wr_fs_store **out, struct wr_allocator *allocator,
				const struct wr_fs_config *config, struct wr_fs_error *error)
{
	struct wr_fs_store *self = wr_allocator_take_zeroed(allocator, sizeof *self);
	enum wr_status status;

	wr_assert(config->now_ms != NULL && config->wall_ms != NULL && config->entropy != NULL);
	*error = (struct wr_fs_error){.status = WR_OK};
	if (self == NULL)
		return refuse(error, WR_NO_MEMORY, 0, wr_status_text(WR_NO_MEMORY));
	self->allocator = allocator;
	self->config = *config;
	self->config.segment_bytes &= ~(uint64_t)(WR_RECORD_ALIGN - 1);
	self->active_handle = -1;
	if (are_sizes_sound(self))
		status = open_disk(self, error);
	else
		status = refuse(error, WR_INVALID, 0, "its sizes do not go together");
	if (status == WR_OK)
		status = open_parts(self, error);
	if (status != WR_OK)
		release(self);
	else
		*out = self;
	return status;
}

void wr_fs_store_close(struct wr_fs_store *self)
{
	/* The mark says that the log ends exactly here: only what is durable may say so. */
	if (self->is_live) {
		wr_jobs_drain(self->jobs);
		if (wr_fs_settle(self) == WR_OK)
			wr_fs_leave_mark(self);
	}
	release(self);
}

/* ---- the port ---- */

static enum wr_status replay(void *context, struct wr_store_log *log,
			     const struct wr_store_replay *to)
{
	struct wr_fs_store *self = context;
	enum wr_status status;

	wr_assert(!self->is_live);
	status = wr_fs_replay(self, log, to);
	self->is_live = status == WR_OK;
	return status;
}

static const struct wr_store_ops ops = {
	.replay = replay,
	.append = wr_fs_append,
	.has_room = wr_fs_has_room,
	.visible = wr_fs_visible,
	.wants_checkpoint = wr_fs_wants_checkpoint,
	.checkpoint_begin = wr_fs_checkpoint_begin,
	.checkpoint_add = wr_fs_checkpoint_add,
	.checkpoint_end = wr_fs_checkpoint_end,
	.generation_end = wr_fs_generation_end,
	.next = wr_fs_next,
	.item = wr_fs_item,
	.evicted = wr_fs_evicted,
	.first_item = wr_fs_first_item,
};

struct wr_store wr_fs_store_port(struct wr_fs_store *self)
{
	return (struct wr_store){&ops, self};
}

const struct wr_fs_error *wr_fs_store_error(const struct wr_fs_store *self)
{
	return &self->error;
}

/* ---- turns ---- */

void wr_fs_store_turn(struct wr_fs_store *self)
{
	wr_jobs_poll(self->jobs);
	if (!self->is_live || self->state == WR_FS_FAILED)
		return;
	wr_fs_checkpoint_abandon(self);
	/* What is given up goes with the records of this turn. */
	wr_fs_retain(self);
	if (wr_fs_flush(self) != WR_OK)
		return;
	wr_fs_ask_sync(self);
	wr_fs_clean(self);
	wr_fs_prepare_next(self);
	wr_fs_scrub(self);
}

int wr_fs_store_fd(const struct wr_fs_store *self)
{
	return wr_jobs_fd(self->jobs);
}

uint64_t wr_fs_store_due_in_ms(const struct wr_fs_store *self)
{
	uint64_t now, due = wr_fs_sync_due_ms(self);

	if (self->state == WR_FS_FAILED)
		return UINT64_MAX;
	if (self->retry_due_ms != 0 && self->retry_due_ms < due)
		due = self->retry_due_ms;
	if (wr_fs_scrub_due_ms(self) < due)
		due = wr_fs_scrub_due_ms(self);
	if (due == UINT64_MAX)
		return due;
	now = self->config.now_ms();
	return due > now ? due - now : 0;
}

/* ---- what there is to say ---- */

void wr_fs_store_info(const struct wr_fs_store *self, struct wr_fs_info *out)
{
	*out = (struct wr_fs_info){
		.state = self->state,
		.os_error = self->os_error,
		.durability = self->config.durability,
		.interval_ms = self->config.interval_ms,
		.bytes = self->file_bytes,
		.bytes_max = self->config.bytes_max,
		.segment_count = self->segment_count,
		.head = self->head,
		.written = self->written,
		.durable = self->durable,
		.sync_count = self->sync_count,
		.cleaned_count = self->cleaned_count,
		.scrub_count = self->scrub_count,
		.scrubbed_bytes = self->scrubbed_bytes,
		.recovery = self->recovery,
	};
}

bool wr_fs_store_is_quarantined(const struct wr_fs_store *self, uint32_t worker)
{
	if (worker != 0)
		return worker < self->row_count && self->rows[worker].is_quarantined;
	for (uint32_t i = 0; i < self->row_count; i++)
		if (self->rows[i].is_quarantined)
			return true;
	return false;
}
