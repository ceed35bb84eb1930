/*
 * The segment after the active one is made ahead: a file of zeros that is on the medium, and whose
 * name is, before the first record goes into it. So a commit syncs data and nothing else, and what
 * was decided can always be written: no room is found out here, where nothing waits for it.
 *
 *	idle --prepare_next--> running --done--> ready --take_prepared--> idle
 *	  ^                       |
 *	  '----- no room ---------'   tried again a second later
 */
#include "check.h"
#include "io/log.h"
#include "io/store/store_private.h"

#include <errno.h>

enum {
	/* Zeros that one step writes and syncs: what a commit may have to wait for. */
	STEP_BYTES = 524288,
	ZEROS_BYTES = 16384,
	/* A segment is made larger for a large checkpoint, but not beyond any measure: a log is
	 * several of them. */
	SEGMENT_BYTES_MAX = 1 << 30,
	SHARE_PART = 4,
	/* The log goes no further than this part of all room without a checkpoint. */
	LATE_PART = 8,
	/* Less at the end of the active segment takes no record of what is given up. */
	STUCK_BYTES = 256
};

enum phase { IDLE, RUNNING, READY };

struct wr_prepare {
	struct wr_job job;
	struct wr_fs_store *store; /* not for the helper */
	enum phase phase;	   /* not for the helper */
	uint64_t not_before_ms;	   /* not for the helper */

	struct wr_disk disk;
	uint64_t number;
	uint32_t bytes;
	bool is_paced; /* commits wait for syncs: never keep the medium busy for long */
	char name[WR_FS_NAME_BYTES], temporary[WR_FS_NAME_BYTES];

	int handle; /* -1: none */
	uint64_t done_bytes;
	int error;
	bool is_fatal; /* it was no lack of room, and the disk is not to be trusted any more */
};

bool wr_fs_is_room_error(int os_error)
{
	return os_error == ENOSPC || os_error == EDQUOT || os_error == EFBIG;
}

int wr_fs_write_zeros(const struct wr_disk *disk, int handle, uint64_t offset, uint64_t bytes)
{
	/* Never written. Not constant, or the program's file would be larger by them. */
	static char zeros[ZEROS_BYTES];
	int error = 0;

	while (error == 0 && bytes != 0) {
		size_t piece = bytes < sizeof zeros ? (size_t)bytes : sizeof zeros;

		error = wr_fs_write_all(disk, handle, zeros, piece, offset);
		offset += piece;
		bytes -= piece;
	}
	return error;
}

/* ---- on the helper ---- */

/* Nothing is left of it but the error. */
static bool give_up(struct wr_prepare *self, int error)
{
	self->disk.ops->close(self->disk.context, self->handle);
	self->handle = -1;
	self->disk.ops->unlink(self->disk.context, self->temporary);
	self->error = error;
	self->is_fatal = !wr_fs_is_room_error(-error);
	return true;
}

/* A descriptor, an inode or the memory for one may be missing: like room, it may come back. */
static bool create(struct wr_prepare *self)
{
	int handle = self->disk.ops->open(self->disk.context, self->temporary, WR_DISK_CREATE);

	if (handle < 0)
		self->error = handle;
	else
		self->handle = handle;
	return handle < 0;
}

static bool fill(struct wr_prepare *self)
{
	uint64_t left = self->bytes - self->done_bytes;
	uint64_t step = left < STEP_BYTES ? left : STEP_BYTES;
	int error = wr_fs_write_zeros(&self->disk, self->handle, self->done_bytes, step);

	if (error == 0 && (self->is_paced || step == left))
		error = self->disk.ops->sync(self->disk.context, self->handle);
	if (error != 0)
		return give_up(self, error);
	self->done_bytes += step;
	return false;
}

static bool give_name(struct wr_prepare *self)
{
	int error = self->disk.ops->rename(self->disk.context, self->temporary, self->name);

	if (error != 0)
		return give_up(self, error);
	error = self->disk.ops->sync_folder(self->disk.context);
	if (error != 0) {
		/* The name may be there or not, and no second sync would tell. */
		self->disk.ops->close(self->disk.context, self->handle);
		self->handle = -1;
		self->error = error;
		self->is_fatal = true;
	}
	return true;
}

static bool run(struct wr_job *job)
{
	struct wr_prepare *self = wr_container_of(job, struct wr_prepare, job);

	if (self->handle < 0)
		return create(self);
	if (self->done_bytes < self->bytes)
		return fill(self);
	return give_name(self);
}

/* ---- on the reactor's thread ---- */

uint64_t wr_fs_next_bytes(const struct wr_fs_store *self)
{
	uint64_t bytes = 2 * self->checkpoint_bytes + WR_SEGMENT_HEADER_BYTES;
	uint64_t share = self->config.bytes_max / SHARE_PART;

	if (bytes > share)
		bytes = share;
	if (bytes < self->config.segment_bytes)
		bytes = self->config.segment_bytes;
	if (bytes > SEGMENT_BYTES_MAX)
		bytes = SEGMENT_BYTES_MAX;
	return bytes & ~(uint64_t)(WR_RECORD_ALIGN - 1);
}

static bool is_over(const struct wr_fs_store *self)
{
	return self->file_bytes + wr_fs_next_bytes(self) > self->config.bytes_max;
}

/* Nothing can be written any more, not even what would be given up; nothing is left to clean, and
 * the share is used up: nobody would ever make room. Then the share yields by one segment, in which
 * a checkpoint and what is given up have room, and which is paid back before the next one. */
static bool is_stuck(const struct wr_fs_store *self)
{
	const struct wr_segment *active = &self->segments[self->segment_count - 1];

	return self->state == WR_FS_FULL && self->file_bytes <= self->config.bytes_max &&
	       active->file_bytes - active->bytes < STUCK_BYTES &&
	       self->checkpoint_segment[1] != 0 && !wr_fs_has_cleaning(self, UINT32_MAX);
}

/* Cleaning frees what lies before the older of two checkpoints. Beginning a segment without one
 * puts that off by a segment; so there must be room for it and for two that have one, behind all
 * that cannot be cleaned now, and for their indexes. What can be cleaned is not all free then:
 * under load, when each segment is used up as soon as it is there, checkpoints would come so late
 * that they keep most of the room for themselves. */
bool wr_fs_must_checkpoint(const struct wr_fs_store *self)
{
	uint64_t next = wr_fs_next_bytes(self), bytes = self->prepare->bytes;
	uint64_t late = self->config.bytes_max / LATE_PART;

	if (self->prepare->phase != READY)
		return false;
	/* Beyond the share: what was lent is for making room. */
	if (self->file_bytes > self->config.bytes_max)
		return true;
	if (self->since_checkpoint > late && self->since_checkpoint > 2 * next)
		return true;
	for (uint32_t i = self->segment_count; i > 0; i--) {
		const struct wr_segment *segment = &self->segments[i - 1];

		if (segment->last_number < self->checkpoint_segment[1])
			break;
		bytes += segment->file_bytes + segment->index_bytes;
	}
	return bytes + 2 * next + next / 2 > self->config.bytes_max;
}

static void become_full(struct wr_fs_store *self, int os_error)
{
	self->retry_due_ms = self->config.now_ms() + WR_FS_RETRY_MS;
	self->os_error = os_error;
	if (self->state == WR_FS_FULL)
		return;
	self->state = WR_FS_FULL;
	WR_LOG(WR_LOG_WARNING, "store_full", WR_LOG_NUMBER("bytes", self->file_bytes),
	       WR_LOG_NUMBER("bytes_max", self->config.bytes_max),
	       WR_LOG_NUMBER("errno", os_error));
}

static void become_ready(struct wr_prepare *self)
{
	struct wr_fs_store *store = self->store;

	self->phase = READY;
	if (store->state != WR_FS_FULL || !wr_fs_has_room(store))
		return;
	store->state = WR_FS_OK;
	store->os_error = 0;
	WR_LOG(WR_LOG_INFO, "store_has_room", WR_LOG_NUMBER("bytes", store->file_bytes));
}

static void done(struct wr_job *job)
{
	struct wr_prepare *self = wr_container_of(job, struct wr_prepare, job);
	struct wr_fs_store *store = self->store;

	self->phase = IDLE;
	if (self->error == 0) {
		become_ready(self);
		return;
	}
	store->file_bytes -= self->bytes;
	if (store->state == WR_FS_FAILED)
		return;
	if (self->is_fatal) {
		wr_fs_fail(store, -self->error, "preparing a segment");
		return;
	}
	become_full(store, -self->error);
	self->not_before_ms = store->retry_due_ms;
}

/* Whether cleaning is under way, after which there may be room. */
static bool is_cleaning(const struct wr_fs_store *self)
{
	for (uint32_t i = 0; i < self->segment_count; i++)
		if (self->segments[i].is_cleaning)
			return true;
	return false;
}

static void begin(struct wr_fs_store *self)
{
	struct wr_prepare *prepare = self->prepare;

	prepare->number = wr_fs_active(self)->last_number + 1;
	prepare->bytes = (uint32_t)wr_fs_next_bytes(self);
	prepare->is_paced = self->config.durability != WR_DURABILITY_NEVER;
	prepare->handle = -1;
	prepare->done_bytes = 0;
	prepare->error = 0;
	prepare->is_fatal = false;
	prepare->phase = RUNNING;
	wr_fs_segment_name(prepare->name, prepare->number);
	wr_fs_temporary_name(self, prepare->temporary, prepare->name);
	self->file_bytes += prepare->bytes;
	wr_jobs_post(self->jobs, &prepare->job);
}

void wr_fs_prepare_next(struct wr_fs_store *self)
{
	uint64_t now = self->config.now_ms();
	bool must_rest = self->prepare->not_before_ms > now, is_refused;

	if (self->retry_due_ms <= now)
		self->retry_due_ms = 0;
	if (self->state == WR_FS_FAILED || self->prepare->phase == RUNNING)
		return;
	is_refused = self->prepare->phase == READY ? wr_fs_must_checkpoint(self)
						   : is_over(self) && !is_stuck(self);
	/* Our own bound: retention has until the room at hand is used up. */
	if (is_refused && !is_cleaning(self) && !wr_fs_has_room(self))
		become_full(self, 0);
	else if (self->prepare->phase == READY)
		become_ready(self->prepare);
	else if (!is_refused && !must_rest)
		begin(self);
}

bool wr_fs_has_prepared(const struct wr_fs_store *self)
{
	return self->prepare->phase == READY;
}

uint32_t wr_fs_prepared_bytes(const struct wr_fs_store *self)
{
	return self->prepare->phase == READY ? self->prepare->bytes : 0;
}

int wr_fs_take_prepared(struct wr_fs_store *self, uint64_t *number, uint32_t *bytes)
{
	struct wr_prepare *prepare = self->prepare;
	int handle = prepare->handle;

	wr_assert(prepare->phase == READY && handle >= 0);
	*number = prepare->number;
	*bytes = prepare->bytes;
	prepare->handle = -1;
	prepare->phase = IDLE;
	return handle;
}

void wr_fs_adopt_prepared(struct wr_fs_store *self, uint64_t number, int handle, uint32_t bytes)
{
	struct wr_prepare *prepare = self->prepare;

	wr_assert(prepare->phase == IDLE && handle >= 0 && bytes > WR_SEGMENT_HEADER_BYTES);
	prepare->number = number;
	prepare->bytes = bytes & ~(uint32_t)(WR_RECORD_ALIGN - 1);
	prepare->handle = handle;
	prepare->phase = READY;
	self->file_bytes += prepare->bytes;
}

enum wr_status wr_fs_prepare_init(struct wr_fs_store *self)
{
	self->prepare = wr_allocator_take_zeroed(self->allocator, sizeof *self->prepare);
	if (self->prepare == NULL)
		return WR_NO_MEMORY;
	self->prepare->store = self;
	self->prepare->disk = self->disk;
	self->prepare->handle = -1;
	self->prepare->job.urgency = WR_JOB_BACKGROUND;
	self->prepare->job.run = run;
	self->prepare->job.done = done;
	wr_list_init(&self->prepare->job.place);
	return WR_OK;
}

void wr_fs_prepare_deinit(struct wr_fs_store *self)
{
	if (self->prepare == NULL)
		return;
	if (self->prepare->handle >= 0)
		self->disk.ops->close(self->disk.context, self->prepare->handle);
	wr_allocator_free(self->allocator, self->prepare, sizeof *self->prepare);
	self->prepare = NULL;
}
