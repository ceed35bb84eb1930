#include "io/folder.h"

#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 4096 };

/* -1 with errno. */
static int open_at(int fd, const char *name, int flags)
{
	int opened;

	do
		opened = openat(fd, name, flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	while (opened < 0 && errno == EINTR);
	return opened;
}

/* ELOOP (EMLINK on FreeBSD): a symbolic link where none is followed. ENXIO: a socket. */
static enum wr_status refusal(void)
{
	if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EMLINK ||
	    errno == ENXIO)
		return WR_NOT_FOUND;
	return WR_IO;
}

enum wr_status wr_folder_open(struct wr_folder *self, const char *path)
{
	self->fd = open_at(AT_FDCWD, path, O_DIRECTORY);
	return self->fd >= 0 ? WR_OK : refusal();
}

void wr_folder_close(struct wr_folder *self)
{
	wr_assert(self->fd >= 0);
	close(self->fd);
	self->fd = -1;
}

/* ---- names ---- */

static bool is_real_folder(int fd, const struct dirent *entry)
{
	struct stat found;

	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
	    strlen(entry->d_name) > WR_FOLDER_NAME_BYTES_MAX)
		return false;
#ifdef DT_DIR
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
#endif
	return fstatat(fd, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(found.st_mode);
}

enum wr_status wr_folder_each(const struct wr_folder *self, wr_folder_fn *fn, void *context)
{
	enum wr_status status = WR_OK;
	struct dirent *entry;
	DIR *stream;
	/* One of its own: fdopendir takes it, and its place is the reader's. */
	int fd = open_at(self->fd, ".", O_DIRECTORY);

	if (fd < 0)
		return WR_IO;
	stream = fdopendir(fd);
	if (stream == NULL) {
		close(fd);
		return WR_IO;
	}
	errno = 0;
	for (unsigned i = 0; (entry = readdir(stream)) != NULL; i++) {
		if (i == WR_FOLDER_ENTRIES_MAX) {
			status = WR_LIMIT;
			break;
		}
		if (is_real_folder(self->fd, entry) && !fn(context, entry->d_name))
			break;
		errno = 0;
	}
	if (entry == NULL && errno != 0)
		status = WR_IO;
	closedir(stream);
	return status;
}

/* ---- files ---- */

/* To the end, or until `out` is full: the size that fstat gave may be out of date. */
static enum wr_status read_all(int fd, struct wr_buf *out)
{
	for (;;) {
		char piece[PIECE_BYTES];
		ssize_t got = read(fd, piece, sizeof piece);

		if (got == 0)
			return WR_OK;
		if (got < 0 && errno != EINTR)
			return WR_IO;
		if (got > 0 && wr_buf_append(out, piece, (size_t)got) != WR_OK)
			return wr_buf_status(out);
	}
}

static enum wr_status read_regular(int fd, struct wr_buf *out)
{
	struct stat found;

	if (fstat(fd, &found) != 0)
		return WR_IO;
	if (!S_ISREG(found.st_mode))
		return WR_NOT_FOUND;
	if ((uint64_t)found.st_size > out->bytes_max - out->bytes)
		return WR_TOO_LARGE;
	return read_all(fd, out);
}

enum wr_status wr_folder_read(const struct wr_folder *self, struct wr_buf *out, const char *folder,
			      const char *file)
{
	enum wr_status status;
	int inner, fd = -1;

	inner = open_at(self->fd, folder, O_DIRECTORY | O_NOFOLLOW);
	if (inner >= 0)
		fd = open_at(inner, file, O_NOFOLLOW);
	status = fd >= 0 ? read_regular(fd, out) : refusal();
	if (fd >= 0)
		close(fd);
	if (inner >= 0)
		close(inner);
	return status;
}
