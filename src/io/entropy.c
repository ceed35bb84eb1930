#include "io/entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/random.h>
#endif

enum {
	/* What one getentropy may be asked for (POSIX 2024). */
	ENTROPY_BYTES_MAX = 256
};

/* For kernels without the system call. */
static enum wr_status read_device(unsigned char *out, size_t bytes)
{
	enum wr_status status = WR_OK;
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return WR_IO;
	while (bytes > 0 && status == WR_OK) {
		ssize_t got = read(fd, out, bytes);
		if (got > 0) {
			out += got;
			bytes -= (size_t)got;
		} else if (got == 0 || errno != EINTR) {
			status = WR_IO;
		}
	}
	close(fd);
	return status;
}

enum wr_status wr_entropy_fill(void *out, size_t bytes)
{
	unsigned char *at = out;

	while (bytes > 0) {
		size_t part = bytes < ENTROPY_BYTES_MAX ? bytes : ENTROPY_BYTES_MAX;
		if (getentropy(at, part) != 0)
			return errno == ENOSYS ? read_device(at, bytes) : WR_IO;
		at += part;
		bytes -= part;
	}
	return WR_OK;
}
