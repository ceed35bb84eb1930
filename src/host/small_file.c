#include "host/small_file.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 4096 };

static bool refuse(struct wr_buf *message, const char *path, const char *what)
{
	wr_buf_append_view(message, wr_view_of_string(path));
	wr_buf_append_view(message, WR_VIEW(": "));
	wr_buf_append_view(message, wr_view_of_string(what));
	return false;
}

static bool is_acceptable(int fd, const char *path, bool is_private, struct wr_buf *message)
{
	struct stat info;

	if (fstat(fd, &info) != 0)
		return refuse(message, path, strerror(errno));
	if (!S_ISREG(info.st_mode))
		return refuse(message, path, "not a file");
	if (!is_private || (info.st_mode & (S_IRWXG | S_IRWXO)) == 0)
		return true;
	refuse(message, path, "others than its owner can use it; say: chmod 600 ");
	wr_buf_append_view(message, wr_view_of_string(path));
	return false;
}

/* Up to `room` bytes; 0 at the end. */
static ssize_t read_some(int fd, char *to, size_t room)
{
	ssize_t got;

	do
		got = read(fd, to, room);
	while (got < 0 && errno == EINTR);
	return got;
}

static bool read_all(int fd, struct wr_buf *out, const char *path, size_t bytes_max,
		     struct wr_buf *message)
{
	size_t left = bytes_max;
	ssize_t got = 1;
	char beyond;

	while (got > 0 && left > 0) {
		size_t room = left < READ_BYTES ? left : READ_BYTES;
		char *to = wr_buf_reserve(out, room);

		if (to == NULL)
			return refuse(message, path, wr_status_text(wr_buf_status(out)));
		got = read_some(fd, to, room);
		if (got > 0) {
			wr_buf_commit(out, (size_t)got);
			left -= (size_t)got;
		}
	}
	if (got > 0)
		got = read_some(fd, &beyond, 1);
	if (got == 0)
		return true;
	if (got < 0)
		return refuse(message, path, strerror(errno));
	refuse(message, path, "too large; it may have ");
	wr_buf_append_u64(message, bytes_max);
	wr_buf_append_view(message, WR_VIEW(" bytes"));
	return false;
}

bool wr_small_file_read(struct wr_buf *out, const char *path, size_t bytes_max, bool is_private,
			struct wr_buf *message)
{
	/* Of a pipe nobody writes to, we would wait for the other end. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool is_read;

	wr_assert(bytes_max > 0);
	if (fd < 0)
		return refuse(message, path, strerror(errno));
	is_read = is_acceptable(fd, path, is_private, message) &&
		  read_all(fd, out, path, bytes_max, message);
	close(fd);
	return is_read;
}
