/*
 * The disk of the system. Everything is opened relative to the folder's descriptor, never through a
 * link, and closed on exec.
 */
#include "io/store/disk.h"

#include "check.h"
#include "io/descriptor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(off_t) == 8, "offsets of files have 64 bits");

/* One call of the system takes no more than this anywhere (macOS refuses more than INT_MAX). */
enum { CALL_BYTES_MAX = 1 << 30 };

static struct wr_posix_disk *disk_of(void *context)
{
	return context;
}

/* Not a folder, a pipe or a device that took the name. */
static bool is_file(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/* A pipe that took the name would block an opening without O_NONBLOCK; files ignore it. */
static int open_file(void *context, const char *name, enum wr_disk_open how)
{
	int flags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	int fd;

	switch (how) {
	case WR_DISK_READ:
		flags |= O_RDONLY;
		break;
	case WR_DISK_WRITE:
		flags |= O_RDWR;
		break;
	case WR_DISK_CREATE:
		flags |= O_RDWR | O_CREAT | O_EXCL;
		break;
	}
	do
		fd = openat(disk_of(context)->folder, name, flags, 0600);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	if (is_file(fd))
		return fd;
	close(fd);
	return -EINVAL;
}

static void close_file(void *context, int handle)
{
	(void)context;
	close(handle);
}

static int read_file(void *context, int handle, void *out, size_t bytes, uint64_t offset,
		     size_t *got)
{
	size_t done = 0;
	ssize_t n;

	(void)context;
	*got = 0;
	while (done < bytes) {
		size_t wanted = bytes - done < CALL_BYTES_MAX ? bytes - done : CALL_BYTES_MAX;

		n = pread(handle, (char *)out + done, wanted, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	*got = done;
	return 0;
}

static int write_file(void *context, int handle, const void *data, size_t bytes, uint64_t offset,
		      size_t *put)
{
	size_t wanted = bytes < CALL_BYTES_MAX ? bytes : CALL_BYTES_MAX;
	ssize_t n;

	(void)context;
	*put = 0;
	do
		n = pwrite(handle, data, wanted, (off_t)offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0 && bytes > 0)
		return -EIO; /* POSIX knows no such answer for a file */
	*put = (size_t)n;
	return 0;
}

/* A sync that was interrupted has not failed: it is the one error after which it is called again.
 */
static int sync_descriptor(int fd)
{
	int failed;

#ifdef F_FULLFSYNC
	do
		failed = fcntl(fd, F_FULLFSYNC);
	while (failed < 0 && errno == EINTR);
	/* Only a filesystem that does not know it is asked the weaker way. */
	if (failed >= 0 || (errno != ENOTSUP && errno != EINVAL && errno != ENOTTY))
		return failed < 0 ? -errno : 0;
#endif
	do
#if defined(_POSIX_SYNCHRONIZED_IO) && _POSIX_SYNCHRONIZED_IO > 0 && !defined(__APPLE__)
		failed = fdatasync(fd);
#else
		failed = fsync(fd);
#endif
	while (failed < 0 && errno == EINTR);
	return failed < 0 ? -errno : 0;
}

static int sync_file(void *context, int handle)
{
	(void)context;
	return sync_descriptor(handle);
}

static int size_of_file(void *context, int handle, uint64_t *bytes)
{
	struct stat status;

	(void)context;
	if (fstat(handle, &status) != 0)
		return -errno;
	*bytes = (uint64_t)status.st_size;
	return 0;
}

static int truncate_file(void *context, int handle, uint64_t bytes)
{
	int failed;

	(void)context;
	do
		failed = ftruncate(handle, (off_t)bytes);
	while (failed != 0 && errno == EINTR);
	return failed != 0 ? -errno : 0;
}

static int rename_file(void *context, const char *from, const char *to)
{
	int folder = disk_of(context)->folder;

	return renameat(folder, from, folder, to) != 0 ? -errno : 0;
}

static int unlink_file(void *context, const char *name)
{
	return unlinkat(disk_of(context)->folder, name, 0) != 0 ? -errno : 0;
}

/* A folder is synced by fsync: its names are metadata, of which fdatasync need not tell. */
static int sync_folder_descriptor(int fd)
{
	int failed;

#ifdef F_FULLFSYNC
	failed = sync_descriptor(fd);
	if (failed == 0)
		return 0;
#endif
	do
		failed = fsync(fd);
	while (failed != 0 && errno == EINTR);
	return failed != 0 ? -errno : 0;
}

static int sync_folder(void *context)
{
	return sync_folder_descriptor(disk_of(context)->folder);
}

static int list_folder(void *context, wr_disk_list_fn *fn, void *fn_context)
{
	struct dirent *entry;
	DIR *folder;
	int fd, failed;

	/* A descriptor of its own: fdopendir takes it, and its place is the reader's. */
	do
		fd = openat(disk_of(context)->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	folder = fdopendir(fd);
	if (folder == NULL) {
		failed = -errno;
		close(fd);
		return failed;
	}
	for (errno = 0; (entry = readdir(folder)) != NULL; errno = 0)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			fn(fn_context, entry->d_name);
	failed = -errno;
	closedir(folder);
	return failed;
}

/* Without flock two processes could write one log: a filesystem that has none is refused. */
static int lock_folder(void *context)
{
	struct wr_posix_disk *self = disk_of(context);
	int failed;

	wr_assert(self->lock < 0);
	do
		self->lock = openat(self->folder, "lock",
				    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	while (self->lock < 0 && errno == EINTR);
	if (self->lock < 0)
		return -errno;
	do
		failed = flock(self->lock, LOCK_EX | LOCK_NB) != 0 ? -errno : 0;
	while (failed == -EINTR);
	if (failed == 0)
		return 0;
	close(self->lock);
	self->lock = -1;
	return wr_descriptor_is_again(-failed) ? -EWOULDBLOCK : failed;
}

static const struct wr_disk_ops posix_ops = {
	.open = open_file,
	.close = close_file,
	.read = read_file,
	.write = write_file,
	.sync = sync_file,
	.size = size_of_file,
	.truncate = truncate_file,
	.rename = rename_file,
	.unlink = unlink_file,
	.sync_folder = sync_folder,
	.list = list_folder,
	.lock = lock_folder,
};

static int open_folder(const char *path)
{
	int fd;

	do
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

/* The parent of a path, in place: "/" of "/a", "." of "a". False: it has none. */
static bool cut_last_name(char *path)
{
	size_t end = strlen(path);

	while (end > 1 && path[end - 1] == '/')
		end--;
	if (end == 1 && (path[0] == '/' || path[0] == '.'))
		return false;
	while (end > 0 && path[end - 1] != '/')
		end--;
	while (end > 1 && path[end - 1] == '/')
		end--;
	if (end == 0)
		path[end++] = '.';
	path[end] = '\0';
	return true;
}

/* Makes what is missing of a path, from its beginning. */
static int make_folders(const char *path)
{
	char part[PATH_MAX];
	size_t bytes = strlen(path);
	struct stat status;

	if (bytes == 0 || bytes >= sizeof part)
		return bytes == 0 ? -ENOENT : -ENAMETOOLONG;
	for (size_t end = 1; end <= bytes; end++) {
		if (path[end] != '/' && path[end] != '\0')
			continue;
		memcpy(part, path, end);
		part[end] = '\0';
		/* Whether what is there is a folder, opening it tells. */
		if (mkdir(part, 0700) != 0 && errno != EEXIST && stat(part, &status) != 0)
			return -errno;
	}
	return 0;
}

/* Syncs a folder and all above it: what it holds is durable only when its own name is (reliability
 * 3). All, because an earlier start may have made them and died before this. Folders that may not
 * be read were not made by us. */
static int sync_path(const char *path)
{
	char part[PATH_MAX];
	int fd, failed;

	if (strlen(path) >= sizeof part)
		return -ENAMETOOLONG;
	memcpy(part, path, strlen(path) + 1);
	do {
		fd = open_folder(part);
		if (fd == -EACCES)
			continue;
		if (fd < 0)
			return fd;
		failed = sync_folder_descriptor(fd);
		close(fd);
		if (failed != 0)
			return failed;
	} while (cut_last_name(part));
	return 0;
}

/* The lock's file is made behind this step: where there is one, this has been done. */
static bool was_locked_before(int folder)
{
	struct stat status;

	return fstatat(folder, "lock", &status, AT_SYMLINK_NOFOLLOW) == 0;
}

bool wr_posix_disk_open(struct wr_posix_disk *self, const char *path, bool is_read_only,
			int *os_error)
{
	int failed = 0;

	self->lock = -1;
	self->folder = open_folder(path);
	if (self->folder == -ENOENT && !is_read_only) {
		failed = make_folders(path);
		self->folder = failed == 0 ? open_folder(path) : failed;
	}
	if (self->folder >= 0 && !is_read_only && !was_locked_before(self->folder)) {
		failed = sync_path(path);
		if (failed != 0) {
			close(self->folder);
			self->folder = failed;
		}
	}
	if (self->folder >= 0)
		return true;
	*os_error = -self->folder;
	self->folder = -1;
	return false;
}

void wr_posix_disk_close(struct wr_posix_disk *self)
{
	if (self->lock >= 0)
		close(self->lock);
	if (self->folder >= 0)
		close(self->folder);
	self->lock = self->folder = -1;
}

struct wr_disk wr_posix_disk_port(struct wr_posix_disk *self)
{
	return (struct wr_disk){.ops = &posix_ops, .context = self};
}
