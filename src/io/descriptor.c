#include "io/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool wr_descriptor_prepare(int fd, bool nonblocking)
{
	int flags;

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return false;
	if (!nonblocking)
		return true;
	flags = fcntl(fd, F_GETFL);
	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

int wr_descriptor_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | WR_SOCKET_FLAGS, 0);

#if !WR_SOCKET_FLAGS
	if (fd >= 0 && !wr_descriptor_prepare(fd, true)) {
		int failed = errno;
		close(fd);
		errno = failed;
		fd = -1;
	}
#endif
	return fd;
}

bool wr_descriptor_is_again(int number)
{
#if EAGAIN != EWOULDBLOCK
	if (number == EWOULDBLOCK)
		return true;
#endif
	return number == EAGAIN;
}
