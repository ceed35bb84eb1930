#include "sim_disk.h"

#include "check.h"
#include "harness/harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR_BYTES = 512, NAME_BYTES = 64 };

/* What a sector held after some write. */
struct version {
	uint64_t sector;
	bool is_doubtful; /* a sync of it failed */
	unsigned char data[SECTOR_BYTES];
};

struct bytes {
	unsigned char *data;
	size_t bytes, capacity;
};

/* A file, whatever its names. */
struct file {
	struct bytes live, durable;
	struct version *versions; /* in the order of writing */
	size_t version_count, version_capacity;
	uint64_t *sizes; /* that it had since its size was durable */
	size_t size_count, size_capacity;
	size_t uses; /* by names, handles and pending operations */
};

struct name {
	char name[NAME_BYTES];
	struct file *file;
};

struct folder {
	struct name *names;
	size_t count, capacity;
};

/* An operation on names that is not on the medium for certain. */
struct change {
	enum wr_sim_call call; /* CREATE, RENAME, UNLINK */
	char name[NAME_BYTES], to[NAME_BYTES];
	struct file *file;
	bool is_doubtful; /* a sync of it failed */
};

struct fault {
	unsigned calls;
	uint64_t n;
	int os_error;
	bool forever;
	uint64_t failed_count;
};

struct wr_sim_disk {
	pthread_mutex_t mutex;
	struct folder live, durable;
	struct change *changes;
	size_t change_count, change_capacity;
	struct file **handles; /* NULL: free */
	size_t handle_count;
	bool is_locked, is_occupied, is_stopped;
	struct fault fault;
	uint64_t call_counts[WR_SIM_CALLS];
	size_t write_max;
	uint64_t capacity;
	wr_sim_watch_fn *watch;
	void *watch_context;
};

/* ---- memory ---- */

static void *resized(void *old, size_t bytes)
{
	void *block = realloc(old, bytes);

	CHECK(block != NULL);
	return block;
}

/* Room for one more in an array that grows. */
#define GROW(array, count, capacity)                                                 \
	do {                                                                         \
		if ((count) == (capacity)) {                                         \
			(capacity) = (capacity) == 0 ? 8 : (capacity)*2;             \
			(array) = resized((array), (capacity) * sizeof((array)[0])); \
		}                                                                    \
	} while (0)

/* Grows with zeros, or cuts. */
static void set_size(struct bytes *self, size_t bytes)
{
	if (bytes > self->capacity) {
		self->capacity = bytes + bytes / 2;
		self->data = resized(self->data, self->capacity);
	}
	if (bytes > self->bytes)
		memset(self->data + self->bytes, 0, bytes - self->bytes);
	self->bytes = bytes;
}

static void set_bytes(struct bytes *self, const void *data, size_t bytes)
{
	set_size(self, bytes);
	if (bytes > 0)
		memcpy(self->data, data, bytes);
}

/* ---- files ---- */

static struct file *use(struct file *file)
{
	file->uses++;
	return file;
}

static struct file *new_file(void)
{
	struct file *file = calloc(1, sizeof *file);

	CHECK(file != NULL);
	return file;
}

static void unuse(struct file *file)
{
	if (--file->uses > 0)
		return;
	free(file->live.data);
	free(file->durable.data);
	free(file->versions);
	free(file->sizes);
	free(file);
}

/* The bytes of a sector, zeros beyond the end. */
static void copy_sector(unsigned char out[SECTOR_BYTES], const struct bytes *from, uint64_t sector)
{
	size_t offset = (size_t)sector * SECTOR_BYTES;
	size_t bytes = 0;

	if (offset < from->bytes)
		bytes = from->bytes - offset < SECTOR_BYTES ? from->bytes - offset : SECTOR_BYTES;
	if (bytes > 0)
		memcpy(out, from->data + offset, bytes);
	memset(out + bytes, 0, SECTOR_BYTES - bytes);
}

/* As far as the file reaches. */
static void put_sector(struct bytes *to, uint64_t sector, const unsigned char data[SECTOR_BYTES])
{
	size_t offset = (size_t)sector * SECTOR_BYTES;

	if (offset >= to->bytes)
		return;
	memcpy(to->data + offset, data,
	       to->bytes - offset < SECTOR_BYTES ? to->bytes - offset : SECTOR_BYTES);
}

/* Remembers the sectors from `begin` to `end` as they are now. */
static void note_versions(struct file *file, uint64_t begin, uint64_t end)
{
	for (uint64_t sector = begin / SECTOR_BYTES; sector * SECTOR_BYTES < end; sector++) {
		struct version *version;

		GROW(file->versions, file->version_count, file->version_capacity);
		version = &file->versions[file->version_count++];
		version->sector = sector;
		version->is_doubtful = false;
		copy_sector(version->data, &file->live, sector);
	}
}

static void note_size(struct file *file)
{
	GROW(file->sizes, file->size_count, file->size_capacity);
	file->sizes[file->size_count++] = file->live.bytes;
}

/* The rule of a sync that failed: what was waiting for it will not be written by the next. */
static void doubt_file(struct file *file)
{
	for (size_t i = 0; i < file->version_count; i++)
		file->versions[i].is_doubtful = true;
}

/* Whether a sync writes this sector: it was written to since the last one, failed or not. */
static bool is_dirty(const struct file *file, uint64_t sector)
{
	for (size_t i = file->version_count; i-- > 0;)
		if (file->versions[i].sector == sector && !file->versions[i].is_doubtful)
			return true;
	return false;
}

static void sync_live(struct file *file)
{
	size_t kept = 0;

	set_size(&file->durable, file->live.bytes);
	file->size_count = 0;
	for (size_t i = 0; i < file->version_count; i++) {
		const struct version *version = &file->versions[i];
		unsigned char data[SECTOR_BYTES];

		if (version->is_doubtful && !is_dirty(file, version->sector)) {
			file->versions[kept++] = *version;
			continue;
		}
		copy_sector(data, &file->live, version->sector);
		put_sector(&file->durable, version->sector, data);
	}
	file->version_count = kept;
}

/* ---- names ---- */

static struct name *find_name(const struct folder *folder, const char *name)
{
	for (size_t i = 0; i < folder->count; i++)
		if (strcmp(folder->names[i].name, name) == 0)
			return &folder->names[i];
	return NULL;
}

static struct file *find_file(const struct folder *folder, const char *name)
{
	const struct name *found = find_name(folder, name);

	return found == NULL ? NULL : found->file;
}

static void remove_name(struct folder *folder, const char *name)
{
	struct name *found = find_name(folder, name);

	if (found == NULL)
		return;
	unuse(found->file);
	*found = folder->names[--folder->count];
}

static void set_name(struct folder *folder, const char *name, struct file *file)
{
	struct name *place;

	use(file);
	remove_name(folder, name);
	GROW(folder->names, folder->count, folder->capacity);
	place = &folder->names[folder->count++];
	CHECK(strlen(name) < NAME_BYTES && strchr(name, '/') == NULL);
	snprintf(place->name, sizeof place->name, "%s", name);
	place->file = file;
}

static void clear_folder(struct folder *folder)
{
	while (folder->count > 0)
		unuse(folder->names[--folder->count].file);
	free(folder->names);
	*folder = (struct folder){0};
}

static void copy_folder(struct folder *to, const struct folder *from)
{
	for (size_t i = 0; i < from->count; i++)
		set_name(to, from->names[i].name, from->names[i].file);
}

static void apply_change(struct folder *folder, const struct change *change)
{
	if (change->call == WR_SIM_CREATE) {
		set_name(folder, change->name, change->file);
	} else if (change->call == WR_SIM_RENAME) {
		if (find_file(folder, change->name) == change->file)
			remove_name(folder, change->name);
		set_name(folder, change->to, change->file);
	} else if (find_file(folder, change->name) == change->file) {
		remove_name(folder, change->name);
	}
}

/* Makes a change of names: seen at once, on the medium some time. */
static void change_names(struct wr_sim_disk *self, enum wr_sim_call call, const char *name,
			 const char *to, struct file *file)
{
	struct change *change;

	GROW(self->changes, self->change_count, self->change_capacity);
	change = &self->changes[self->change_count++];
	change->call = call;
	snprintf(change->name, sizeof change->name, "%s", name);
	snprintf(change->to, sizeof change->to, "%s", to);
	change->file = use(file);
	change->is_doubtful = false;
	apply_change(&self->live, change);
}

static void forget_changes(struct wr_sim_disk *self)
{
	while (self->change_count > 0)
		unuse(self->changes[--self->change_count].file);
}

/* ---- calls ---- */

static unsigned call_index(enum wr_sim_call call)
{
	unsigned index = 0;

	while ((unsigned)call >> index != 1)
		index++;
	return index;
}

/* Begins a call: takes the mutex, counts. A negated errno when it is to fail. */
static int begin_call(struct wr_sim_disk *self, enum wr_sim_call call)
{
	struct fault *fault = &self->fault;

	pthread_mutex_lock(&self->mutex);
	if (self->is_stopped)
		return -EIO;
	self->call_counts[call_index(call)]++;
	if (fault->n == 0 || (fault->calls & (unsigned)call) == 0)
		return 0;
	if (fault->n > 1) {
		fault->n--;
		return 0;
	}
	if (!fault->forever)
		fault->n = 0;
	fault->failed_count++;
	return -fault->os_error;
}

/* Ends it, and lets the watcher look. */
static int end_call(struct wr_sim_disk *self, enum wr_sim_call call, const char *name, int result)
{
	bool is_watched = ((unsigned)call & WR_SIM_CHANGES) != 0 && !self->is_stopped;
	wr_sim_watch_fn *watch = is_watched ? self->watch : NULL;
	void *context = self->watch_context;

	pthread_mutex_unlock(&self->mutex);
	if (watch != NULL)
		watch(context, self, call, name);
	return result;
}

static struct file *file_of(const struct wr_sim_disk *self, int handle)
{
	CHECK(handle >= 0 && (size_t)handle < self->handle_count);
	CHECK(self->handles[handle] != NULL); /* a closed handle is used */
	return self->handles[handle];
}

/* A name that it has, for messages. */
static const char *name_of(const struct wr_sim_disk *self, const struct file *file)
{
	for (size_t i = 0; i < self->live.count; i++)
		if (self->live.names[i].file == file)
			return self->live.names[i].name;
	return "(unlinked)";
}

static int new_handle(struct wr_sim_disk *self, struct file *file)
{
	size_t handle = 0;

	while (handle < self->handle_count && self->handles[handle] != NULL)
		handle++;
	if (handle == self->handle_count)
		self->handles =
			resized(self->handles, ++self->handle_count * sizeof self->handles[0]);
	self->handles[handle] = use(file);
	return (int)handle;
}

static int sim_open(void *context, const char *name, enum wr_disk_open how)
{
	struct wr_sim_disk *self = context;
	enum wr_sim_call call = how == WR_DISK_CREATE ? WR_SIM_CREATE : WR_SIM_OPEN;
	int failed = begin_call(self, call);
	struct file *file = find_file(&self->live, name);

	if (failed != 0)
		return end_call(self, call, name, failed);
	if ((file != NULL) == (how == WR_DISK_CREATE))
		return end_call(self, call, name, file != NULL ? -EEXIST : -ENOENT);
	if (file == NULL) {
		file = new_file();
		change_names(self, call, name, "", file);
	}
	return end_call(self, call, name, new_handle(self, file));
}

static void sim_close(void *context, int handle)
{
	struct wr_sim_disk *self = context;

	pthread_mutex_lock(&self->mutex);
	unuse(file_of(self, handle));
	self->handles[handle] = NULL;
	pthread_mutex_unlock(&self->mutex);
}

static int sim_read(void *context, int handle, void *out, size_t bytes, uint64_t offset,
		    size_t *got)
{
	struct wr_sim_disk *self = context;
	int failed = begin_call(self, WR_SIM_READ);
	const struct bytes *live = &file_of(self, handle)->live;

	*got = 0;
	if (failed == 0 && offset < live->bytes)
		*got = bytes < live->bytes - offset ? bytes : (size_t)(live->bytes - offset);
	if (*got > 0)
		memcpy(out, live->data + offset, *got);
	return end_call(self, WR_SIM_READ, "", failed);
}

static uint64_t used_bytes(const struct wr_sim_disk *self)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < self->live.count; i++)
		bytes += self->live.names[i].file->live.bytes;
	return bytes;
}

/* How much of a write there is room for: what lies within the file always has. */
static size_t room_for(const struct wr_sim_disk *self, const struct file *file, uint64_t offset,
		       size_t bytes)
{
	uint64_t used = used_bytes(self);
	uint64_t room = used < self->capacity ? self->capacity - used : 0;
	uint64_t end = file->live.bytes + room;

	if (self->capacity == UINT64_MAX || offset + bytes <= end)
		return bytes;
	return offset < end ? (size_t)(end - offset) : 0;
}

static int sim_write(void *context, int handle, const void *data, size_t bytes, uint64_t offset,
		     size_t *put)
{
	struct wr_sim_disk *self = context;
	int failed = begin_call(self, WR_SIM_WRITE);
	struct file *file = file_of(self, handle);
	const char *name = name_of(self, file);
	uint64_t begin = offset < file->live.bytes ? offset : file->live.bytes;
	size_t before = file->live.bytes;
	size_t taken = room_for(self, file, offset, bytes);

	*put = 0;
	if (failed == 0 && taken == 0 && bytes > 0)
		failed = -ENOSPC;
	if (failed != 0 || bytes == 0)
		return end_call(self, WR_SIM_WRITE, name, failed);
	if (self->write_max != 0 && taken > self->write_max)
		taken = self->write_max;
	if (offset + taken > before)
		set_size(&file->live, (size_t)offset + taken);
	memcpy(file->live.data + offset, data, taken);
	note_versions(file, begin, offset + taken);
	if (file->live.bytes != before)
		note_size(file);
	*put = taken;
	return end_call(self, WR_SIM_WRITE, name, 0);
}

static int sim_sync(void *context, int handle)
{
	struct wr_sim_disk *self = context;
	int failed = begin_call(self, WR_SIM_SYNC);
	struct file *file = file_of(self, handle);

	if (failed == 0)
		sync_live(file);
	else if (!self->is_stopped)
		doubt_file(file);
	return end_call(self, WR_SIM_SYNC, name_of(self, file), failed);
}

static int sim_size(void *context, int handle, uint64_t *bytes)
{
	struct wr_sim_disk *self = context;
	int failed = begin_call(self, WR_SIM_SIZE);

	*bytes = failed == 0 ? file_of(self, handle)->live.bytes : 0;
	return end_call(self, WR_SIM_SIZE, "", failed);
}

static int sim_truncate(void *context, int handle, uint64_t bytes)
{
	struct wr_sim_disk *self = context;
	int failed = begin_call(self, WR_SIM_TRUNCATE);
	struct file *file = file_of(self, handle);
	size_t before = file->live.bytes;

	if (failed == 0 && before != bytes) {
		set_size(&file->live, (size_t)bytes);
		note_versions(file, bytes < before ? bytes : before,
			      bytes < before ? before : bytes);
		note_size(file);
	}
	return end_call(self, WR_SIM_TRUNCATE, name_of(self, file), failed);
}

static int sim_rename(void *context, const char *from, const char *to)
{
	struct wr_sim_disk *self = context;
	int failed = begin_call(self, WR_SIM_RENAME);
	struct file *file = find_file(&self->live, from);

	if (failed == 0 && file == NULL)
		failed = -ENOENT;
	if (failed == 0)
		change_names(self, WR_SIM_RENAME, from, to, file);
	return end_call(self, WR_SIM_RENAME, to, failed);
}

static int sim_unlink(void *context, const char *name)
{
	struct wr_sim_disk *self = context;
	int failed = begin_call(self, WR_SIM_UNLINK);
	struct file *file = find_file(&self->live, name);

	if (failed == 0 && file == NULL)
		failed = -ENOENT;
	if (failed == 0)
		change_names(self, WR_SIM_UNLINK, name, "", file);
	return end_call(self, WR_SIM_UNLINK, name, failed);
}

static bool is_about(const struct change *change, const char *name)
{
	return name[0] != '\0' &&
	       (strcmp(change->name, name) == 0 || strcmp(change->to, name) == 0);
}

/* Whether a later change that is not in doubt is about the same names: then this one is over, too.
 */
static bool is_overtaken(const struct wr_sim_disk *self, size_t index)
{
	const struct change *change = &self->changes[index];

	for (size_t i = index + 1; i < self->change_count; i++)
		if (!self->changes[i].is_doubtful && (is_about(&self->changes[i], change->name) ||
						      is_about(&self->changes[i], change->to)))
			return true;
	return false;
}

/* What an earlier sync failed to write is not written by this one, either. */
static void sync_changes(struct wr_sim_disk *self)
{
	size_t kept = 0;

	for (size_t i = 0; i < self->change_count; i++) {
		struct change *change = &self->changes[i];

		if (change->is_doubtful && !is_overtaken(self, i)) {
			self->changes[kept++] = *change;
			continue;
		}
		apply_change(&self->durable, change);
		unuse(change->file);
	}
	self->change_count = kept;
}

static int sim_sync_folder(void *context)
{
	struct wr_sim_disk *self = context;
	int failed = begin_call(self, WR_SIM_SYNC_FOLDER);

	if (failed == 0)
		sync_changes(self);
	for (size_t i = 0; i < self->change_count && !self->is_stopped; i++)
		self->changes[i].is_doubtful = true; /* it failed, or it was before */
	return end_call(self, WR_SIM_SYNC_FOLDER, "", failed);
}

static int sim_list(void *context, wr_disk_list_fn *fn, void *fn_context)
{
	struct wr_sim_disk *self = context;
	int failed = begin_call(self, WR_SIM_LIST);
	size_t count = failed == 0 ? self->live.count : 0;
	struct name *names = NULL;

	/* A copy: the callee may use the disk. */
	if (count > 0) {
		names = resized(NULL, count * sizeof names[0]);
		memcpy(names, self->live.names, count * sizeof names[0]);
	}
	end_call(self, WR_SIM_LIST, "", failed);
	for (size_t i = 0; i < count; i++)
		fn(fn_context, names[i].name);
	free(names);
	return failed;
}

static int sim_lock(void *context)
{
	struct wr_sim_disk *self = context;
	int failed = begin_call(self, WR_SIM_LOCK);

	if (failed == 0 && (self->is_locked || self->is_occupied))
		failed = -EWOULDBLOCK;
	if (failed == 0) {
		self->is_locked = true;
		if (find_file(&self->live, "lock") == NULL)
			change_names(self, WR_SIM_CREATE, "lock", "", new_file());
	}
	return end_call(self, WR_SIM_LOCK, "lock", failed);
}

static const struct wr_disk_ops sim_ops = {
	.open = sim_open,
	.close = sim_close,
	.read = sim_read,
	.write = sim_write,
	.sync = sim_sync,
	.size = sim_size,
	.truncate = sim_truncate,
	.rename = sim_rename,
	.unlink = sim_unlink,
	.sync_folder = sim_sync_folder,
	.list = sim_list,
	.lock = sim_lock,
};

/* ---- life, and looking from the outside ---- */

struct wr_sim_disk *wr_sim_disk_new(void)
{
	struct wr_sim_disk *self = calloc(1, sizeof *self);

	CHECK(self != NULL);
	CHECK(pthread_mutex_init(&self->mutex, NULL) == 0);
	self->capacity = UINT64_MAX;
	return self;
}

static void close_all(struct wr_sim_disk *self)
{
	for (size_t i = 0; i < self->handle_count; i++)
		if (self->handles[i] != NULL)
			unuse(self->handles[i]);
	free(self->handles);
	self->handles = NULL;
	self->handle_count = 0;
}

void wr_sim_disk_free(struct wr_sim_disk *self)
{
	close_all(self);
	forget_changes(self);
	free(self->changes);
	clear_folder(&self->live);
	clear_folder(&self->durable);
	pthread_mutex_destroy(&self->mutex);
	free(self);
}

struct wr_disk wr_sim_disk_port(struct wr_sim_disk *self)
{
	return (struct wr_disk){.ops = &sim_ops, .context = self};
}

bool wr_sim_disk_file(struct wr_sim_disk *self, const char *name, struct wr_view *out)
{
	const struct file *file;

	pthread_mutex_lock(&self->mutex);
	file = find_file(&self->live, name);
	if (file != NULL)
		*out = wr_view_of(file->live.data, file->live.bytes);
	pthread_mutex_unlock(&self->mutex);
	return file != NULL;
}

void wr_sim_disk_put(struct wr_sim_disk *self, const char *name, struct wr_view content)
{
	struct file *file = new_file();

	set_bytes(&file->live, content.data, content.bytes);
	set_bytes(&file->durable, content.data, content.bytes);
	pthread_mutex_lock(&self->mutex);
	set_name(&self->live, name, file);
	set_name(&self->durable, name, file);
	pthread_mutex_unlock(&self->mutex);
}

bool wr_sim_disk_remove(struct wr_sim_disk *self, const char *name)
{
	bool was_there;

	pthread_mutex_lock(&self->mutex);
	was_there = find_name(&self->live, name) != NULL;
	remove_name(&self->live, name);
	remove_name(&self->durable, name);
	pthread_mutex_unlock(&self->mutex);
	return was_there;
}

void wr_sim_disk_settle(struct wr_sim_disk *self)
{
	pthread_mutex_lock(&self->mutex);
	forget_changes(self);
	clear_folder(&self->durable);
	copy_folder(&self->durable, &self->live);
	for (size_t i = 0; i < self->live.count; i++) {
		struct file *file = self->live.names[i].file;

		set_bytes(&file->durable, file->live.data, file->live.bytes);
		file->version_count = file->size_count = 0;
	}
	pthread_mutex_unlock(&self->mutex);
}

size_t wr_sim_disk_file_count(struct wr_sim_disk *self)
{
	size_t count;

	pthread_mutex_lock(&self->mutex);
	count = self->live.count;
	pthread_mutex_unlock(&self->mutex);
	return count;
}

size_t wr_sim_disk_open_count(struct wr_sim_disk *self)
{
	size_t count = 0;

	pthread_mutex_lock(&self->mutex);
	for (size_t i = 0; i < self->handle_count; i++)
		count += self->handles[i] != NULL;
	pthread_mutex_unlock(&self->mutex);
	return count;
}

void wr_sim_disk_stop(struct wr_sim_disk *self)
{
	pthread_mutex_lock(&self->mutex);
	self->is_stopped = true;
	pthread_mutex_unlock(&self->mutex);
}

void wr_sim_disk_kill(struct wr_sim_disk *self)
{
	pthread_mutex_lock(&self->mutex);
	close_all(self);
	self->is_locked = self->is_stopped = false;
	self->fault = (struct fault){0};
	self->watch = NULL;
	pthread_mutex_unlock(&self->mutex);
}

void wr_sim_disk_occupy(struct wr_sim_disk *self, bool is_occupied)
{
	pthread_mutex_lock(&self->mutex);
	self->is_occupied = is_occupied;
	pthread_mutex_unlock(&self->mutex);
}

/* ---- faults ---- */

void wr_sim_disk_fail(struct wr_sim_disk *self, unsigned calls, uint64_t n, int os_error,
		      bool forever)
{
	pthread_mutex_lock(&self->mutex);
	self->fault =
		(struct fault){.calls = calls, .n = n, .os_error = os_error, .forever = forever};
	pthread_mutex_unlock(&self->mutex);
}

uint64_t wr_sim_disk_failed_count(struct wr_sim_disk *self)
{
	uint64_t count;

	pthread_mutex_lock(&self->mutex);
	count = self->fault.failed_count;
	pthread_mutex_unlock(&self->mutex);
	return count;
}

uint64_t wr_sim_disk_call_count(struct wr_sim_disk *self, unsigned calls)
{
	uint64_t count = 0;

	pthread_mutex_lock(&self->mutex);
	for (unsigned i = 0; i < WR_SIM_CALLS; i++)
		if ((calls & 1u << i) != 0)
			count += self->call_counts[i];
	pthread_mutex_unlock(&self->mutex);
	return count;
}

void wr_sim_disk_write_max(struct wr_sim_disk *self, size_t bytes)
{
	pthread_mutex_lock(&self->mutex);
	self->write_max = bytes;
	pthread_mutex_unlock(&self->mutex);
}

void wr_sim_disk_capacity(struct wr_sim_disk *self, uint64_t bytes)
{
	pthread_mutex_lock(&self->mutex);
	self->capacity = bytes;
	pthread_mutex_unlock(&self->mutex);
}

uint64_t wr_sim_disk_used(struct wr_sim_disk *self)
{
	uint64_t bytes;

	pthread_mutex_lock(&self->mutex);
	bytes = used_bytes(self);
	pthread_mutex_unlock(&self->mutex);
	return bytes;
}

void wr_sim_disk_watch(struct wr_sim_disk *self, wr_sim_watch_fn *fn, void *context)
{
	pthread_mutex_lock(&self->mutex);
	self->watch = fn;
	self->watch_context = context;
	pthread_mutex_unlock(&self->mutex);
}

/* ---- power cuts ---- */

/* Which of the pending things arrive: each by a coin of some bias, all but one, one only, or all up
 * to some moment. */
struct choice {
	enum {
		CHOOSE_COIN,
		CHOOSE_MANY,
		CHOOSE_FEW,
		CHOOSE_BUT_ONE,
		CHOOSE_ONE,
		CHOOSE_PREFIX
	} how;
	uint64_t mark;
};

static struct choice make_choice(enum wr_sim_cut cut, uint64_t *random, size_t count)
{
	struct choice choice = {.how = CHOOSE_PREFIX, .mark = cut == WR_SIM_CUT_ALL ? count : 0};

	if (cut != WR_SIM_CUT_RANDOM)
		return choice;
	switch (wr_test_random(random) % 6) {
	case 0:
		choice.how = CHOOSE_COIN;
		break;
	case 1:
		choice.how = CHOOSE_MANY;
		break;
	case 2:
		choice.how = CHOOSE_FEW;
		break;
	case 3:
		choice.how = CHOOSE_BUT_ONE;
		break;
	case 4:
		choice.how = CHOOSE_ONE;
		break;
	case 5:
		choice.how = CHOOSE_PREFIX;
		break;
	}
	choice.mark = wr_test_random(random) % (count + 1);
	return choice;
}

static bool has_arrived(const struct choice *choice, uint64_t *random, size_t index)
{
	switch (choice->how) {
	case CHOOSE_COIN:
		return wr_test_random(random) % 2 == 0;
	case CHOOSE_MANY:
		return wr_test_random(random) % 8 != 0;
	case CHOOSE_FEW:
		return wr_test_random(random) % 8 == 0;
	case CHOOSE_BUT_ONE:
		return index != choice->mark;
	case CHOOSE_ONE:
		return index == choice->mark;
	case CHOOSE_PREFIX:
		break;
	}
	return index < choice->mark;
}

/* A size that the file may have on the medium. */
static size_t size_after(const struct file *file, enum wr_sim_cut cut, uint64_t *random)
{
	size_t index = 0; /* 0: as it was */

	if (cut == WR_SIM_CUT_ALL)
		index = file->size_count;
	else if (cut == WR_SIM_CUT_RANDOM)
		index = (size_t)(wr_test_random(random) % (file->size_count + 1));
	return index == 0 ? file->durable.bytes : (size_t)file->sizes[index - 1];
}

/* Versions that arrive are put down in their order: the last one of each sector stays. */
static struct file *file_after(const struct file *file, enum wr_sim_cut cut, uint64_t *random)
{
	struct choice choice = make_choice(cut, random, file->version_count);
	struct file *copy = new_file();

	set_bytes(&copy->live, file->durable.data, file->durable.bytes);
	set_size(&copy->live, size_after(file, cut, random));
	for (size_t i = 0; i < file->version_count; i++)
		if (has_arrived(&choice, random, i))
			put_sector(&copy->live, file->versions[i].sector, file->versions[i].data);
	set_bytes(&copy->durable, copy->live.data, copy->live.bytes);
	return copy;
}

struct wr_sim_disk *wr_sim_disk_power_cut(struct wr_sim_disk *self, enum wr_sim_cut cut,
					  uint64_t seed)
{
	struct wr_sim_disk *after = wr_sim_disk_new();
	struct folder names = {0};
	uint64_t random = seed;
	struct choice choice;

	pthread_mutex_lock(&self->mutex);
	copy_folder(&names, &self->durable);
	choice = make_choice(cut, &random, self->change_count);
	for (size_t i = 0; i < self->change_count; i++)
		if (has_arrived(&choice, &random, i))
			apply_change(&names, &self->changes[i]);
	for (size_t i = 0; i < names.count; i++) {
		struct file *file = file_after(names.names[i].file, cut, &random);

		set_name(&after->live, names.names[i].name, file);
		set_name(&after->durable, names.names[i].name, file);
	}
	clear_folder(&names);
	after->capacity = self->capacity;
	pthread_mutex_unlock(&self->mutex);
	return after;
}

struct wr_sim_disk *wr_sim_disk_copy(struct wr_sim_disk *self)
{
	struct wr_sim_disk *copy = wr_sim_disk_new();

	pthread_mutex_lock(&self->mutex);
	for (size_t i = 0; i < self->live.count; i++) {
		const struct name *name = &self->live.names[i];

		wr_sim_disk_put(copy, name->name,
				wr_view_of(name->file->live.data, name->file->live.bytes));
	}
	copy->capacity = self->capacity;
	pthread_mutex_unlock(&self->mutex);
	return copy;
}

bool wr_sim_disk_is_equal(struct wr_sim_disk *a, struct wr_sim_disk *b)
{
	struct wr_view in_b;

	if (wr_sim_disk_file_count(a) != wr_sim_disk_file_count(b))
		return false;
	for (size_t i = 0; i < a->live.count; i++) {
		const struct bytes *in_a = &a->live.names[i].file->live;

		if (!wr_sim_disk_file(b, a->live.names[i].name, &in_b) ||
		    in_b.bytes != in_a->bytes ||
		    (in_a->bytes > 0 && memcmp(in_b.data, in_a->data, in_a->bytes) != 0))
			return false;
	}
	return true;
}

void wr_sim_disk_print(struct wr_sim_disk *self)
{
	for (size_t i = 0; i < self->live.count; i++) {
		const struct file *file = self->live.names[i].file;

		fprintf(stderr, "  %s: %zu bytes, %zu durable, %zu sectors pending\n",
			self->live.names[i].name, file->live.bytes, file->durable.bytes,
			file->version_count);
	}
	fprintf(stderr, "  %zu changes of names pending\n", self->change_count);
}
