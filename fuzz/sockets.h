/*
 * sockets — the other end of a connection of ours, in the same thread: a unix socket, because the
 * ports of TCP would be used up within seconds.
 */
#ifndef WR_FUZZ_SOCKETS_H
#define WR_FUZZ_SOCKETS_H

#include "fuzz.h"
#include "io/net/address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Where this process listens. */
static inline void sockets_address(struct wr_address *address)
{
	char text[64];

	snprintf(text, sizeof text, "unix:/tmp/wr-fuzz-%ld", (long)getpid());
	CHECK_STATUS(wr_address_parse(address, wr_view_of_string(text)), WR_OK);
}

static inline const struct sockaddr *sockets_name(const struct wr_address *address)
{
	return (const struct sockaddr *)(const void *)&address->storage;
}

static inline int sockets_open(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
	return fd;
}

static inline void sockets_nonblocking(int fd)
{
	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
}

/* Bytes that went; 0: the peer takes none now, or is gone. */
static inline size_t sockets_send(int fd, struct wr_view bytes)
{
	ssize_t sent = send(fd, bytes.data, bytes.bytes, MSG_NOSIGNAL);

	return sent > 0 ? (size_t)sent : 0;
}

#endif
