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

#if WR_HAS_SOCKET_FLAGS
int wr_descriptor_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int wr_descriptor_datagram_socket(int family)
{
	return socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int wr_descriptor_accept(int fd, struct sockaddr *peer, socklen_t *bytes)
{
	return accept4(fd, peer, bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
#else
static int prepare_or_close(int fd)
{
	int failed;

	if (fd < 0 || wr_descriptor_prepare(fd, true))
		return fd;
	failed = errno;
	close(fd);
	errno = failed;
	return -1;
}

int wr_descriptor_socket(int family)
{
	return prepare_or_close(socket(family, SOCK_STREAM, 0));
}

int wr_descriptor_datagram_socket(int family)
{
	return prepare_or_close(socket(family, SOCK_DGRAM, 0));
}

int wr_descriptor_accept(int fd, struct sockaddr *peer, socklen_t *bytes)
{
	return prepare_or_close(accept(fd, peer, bytes));
}
#endif

bool wr_descriptor_is_again(int number)
{
#if EAGAIN != EWOULDBLOCK
	if (number == EWOULDBLOCK)
		return true;
#endif
	return number == EAGAIN;
}
