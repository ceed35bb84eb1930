/*
 * One sync at a time is on its way. It covers all that was written when it was posted: the sealed
 * segments that are not durable yet, oldest first, and the active one; so that a sync covers every
 * record of a turn, and those of all turns that went by while the one before it ran.
 */
#include "check.h"
#include "io/store/store_private.h"

/* Sealed segments that may wait for their sync; more than a helper that does one thing after the
 * other can leave behind. */
enum { SEALED_COUNT_MAX = 4 };

struct sealed {
	uint64_t end; /* position behind its last record */
	int handle;
};

struct wr_sync {
	struct wr_job job;
	struct wr_fs_store *store; /* not for the helper, like the next ones */
	bool is_running;
	bool is_wanted;
	struct sealed sealed[SEALED_COUNT_MAX]; /* oldest first */
	unsigned sealed_count;
	uint64_t target, target_position; /* what is durable when it is done */

	struct wr_disk disk;
	int handles[SEALED_COUNT_MAX + 1]; /* in the order of the log */
	unsigned handle_count;
	int error;
};

/* On the helper. */
static bool run(struct wr_job *job)
{
	struct wr_sync *self = wr_container_of(job, struct wr_sync, job);

	for (unsigned i = 0; i < self->handle_count && self->error == 0; i++)
		self->error = self->disk.ops->sync(self->disk.context, self->handles[i]);
	return true;
}

/* Closes the sealed ones that are durable to their end. */
static void close_durable(struct wr_fs_store *self)
{
	struct wr_sync *sync = self->sync;
	unsigned count = 0;

	while (count < sync->sealed_count && sync->sealed[count].end <= self->durable_position)
		self->disk.ops->close(self->disk.context, sync->sealed[count++].handle);
	sync->sealed_count -= count;
	memmove(sync->sealed, sync->sealed + count, sync->sealed_count * sizeof sync->sealed[0]);
	if (sync->sealed_count != 0)
		self->dirty_segment = sync->sealed[0].end >> 32;
	else if (self->written_position != self->durable_position)
		self->dirty_segment = self->written_position >> 32;
	else
		self->dirty_segment = 0;
}

static void done(struct wr_job *job)
{
	struct wr_sync *self = wr_container_of(job, struct wr_sync, job);
	struct wr_fs_store *store = self->store;

	self->is_running = false;
	/* A store that failed meanwhile shows nothing more, whatever this sync has done. */
	if (store->state == WR_FS_FAILED)
		return;
	if (self->error != 0) {
		wr_fs_fail(store, -self->error, "syncing");
		return;
	}
	store->sync_count++;
	store->durable = self->target;
	store->durable_position = self->target_position;
	close_durable(store);
}

static bool is_due(const struct wr_fs_store *self)
{
	if (self->sync->is_wanted || self->sync->sealed_count != 0)
		return true;
	switch (self->config.durability) {
	case WR_DURABILITY_ALWAYS:
		return true;
	case WR_DURABILITY_INTERVAL:
		return self->config.now_ms() >= self->sync_due_ms;
	case WR_DURABILITY_NEVER:
		return false;
	}
	wr_unreachable();
}

void wr_fs_ask_sync(struct wr_fs_store *self)
{
	struct wr_sync *sync = self->sync;
	unsigned count = 0;

	if (self->state == WR_FS_FAILED || sync->is_running ||
	    self->written_position == self->durable_position || !is_due(self))
		return;
	while (count < sync->sealed_count) {
		sync->handles[count] = sync->sealed[count].handle;
		count++;
	}
	sync->handles[count++] = self->active_handle;
	sync->handle_count = count;
	sync->error = 0;
	sync->target = self->written;
	sync->target_position = self->written_position;
	sync->is_running = true;
	if (self->batch.bytes == 0)
		sync->is_wanted = false;
	self->sync_due_ms = 0;
	wr_jobs_post(self->jobs, &sync->job);
}

enum wr_status wr_fs_settle(struct wr_fs_store *self)
{
	enum wr_status status = wr_fs_flush(self);

	while (status == WR_OK && self->written_position != self->durable_position) {
		wr_fs_want_sync(self);
		wr_fs_ask_sync(self);
		wr_jobs_drain(self->jobs);
		if (self->state == WR_FS_FAILED)
			status = WR_IO;
	}
	return status;
}

uint64_t wr_fs_sync_due_ms(const struct wr_fs_store *self)
{
	if (self->config.durability != WR_DURABILITY_INTERVAL || self->sync_due_ms == 0 ||
	    self->sync->is_running)
		return UINT64_MAX;
	return self->sync_due_ms;
}

void wr_fs_want_sync(struct wr_fs_store *self)
{
	self->sync->is_wanted = true;
}

bool wr_fs_sync_has_slot(const struct wr_fs_store *self)
{
	return self->sync->sealed_count < SEALED_COUNT_MAX;
}

void wr_fs_sync_sealed(struct wr_fs_store *self, uint64_t number, int handle)
{
	struct wr_sync *sync = self->sync;

	wr_assert(sync->sealed_count < SEALED_COUNT_MAX);
	wr_assert(self->written_position >> 32 == number);
	sync->sealed[sync->sealed_count++] = (struct sealed){self->written_position, handle};
}

enum wr_status wr_fs_sync_init(struct wr_fs_store *self)
{
	self->sync = wr_allocator_take_zeroed(self->allocator, sizeof *self->sync);
	if (self->sync == NULL)
		return WR_NO_MEMORY;
	self->sync->store = self;
	self->sync->disk = self->disk;
	self->sync->job.urgency = WR_JOB_SYNC;
	self->sync->job.run = run;
	self->sync->job.done = done;
	wr_list_init(&self->sync->job.place);
	return WR_OK;
}

void wr_fs_sync_deinit(struct wr_fs_store *self)
{
	struct wr_sync *sync = self->sync;

	if (sync == NULL)
		return;
	for (unsigned i = 0; i < sync->sealed_count; i++)
		self->disk.ops->close(self->disk.context, sync->sealed[i].handle);
	wr_allocator_free(self->allocator, sync, sizeof *sync);
	self->sync = NULL;
}
