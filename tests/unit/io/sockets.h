/* sockets — pairs of connected descriptors for the tests of the io layer. */
#ifndef WR_TESTS_UNIT_IO_SOCKETS_H
#define WR_TESTS_UNIT_IO_SOCKETS_H

#include "harness/harness.h"

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Two ends of a unix stream. */
static inline void open_pair(int fds[2])
{
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
}

/* A listening TCP socket on a free port of 127.0.0.1. */
static inline int open_tcp_listener(struct sockaddr_in *address)
{
	socklen_t bytes = sizeof *address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	memset(address, 0, sizeof *address);
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(fd >= 0);
	CHECK(bind(fd, (const struct sockaddr *)address, bytes) == 0);
	CHECK(listen(fd, 64) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)address, &bytes) == 0);
	return fd;
}

/* Two ends of a TCP connection over loopback. */
static inline void open_tcp_pair(int fds[2])
{
	struct sockaddr_in address;
	int listener = open_tcp_listener(&address);

	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(fds[0] >= 0);
	CHECK(connect(fds[0], (const struct sockaddr *)&address, sizeof address) == 0);
	fds[1] = accept(listener, NULL, NULL);
	CHECK(fds[1] >= 0);
	close(listener);
}

/* Waits until the descriptor has something to read, at most five seconds. */
static inline void await_readable(int fd)
{
	struct pollfd asked = {.fd = fd, .events = POLLIN};

	CHECK(poll(&asked, 1, 5000) == 1);
}

#endif
