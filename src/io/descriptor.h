/* descriptor — the two flags that every descriptor of ours has, where one call cannot set them. */
#ifndef WR_IO_DESCRIPTOR_H
#define WR_IO_DESCRIPTOR_H

#include <stdbool.h>
#include <sys/socket.h>

/* Whether socket and accept4 take the flags themselves: Linux and the BSDs, not macOS. */
#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
#define WR_HAS_SOCKET_FLAGS 1
#else
#define WR_HAS_SOCKET_FLAGS 0
#endif

/* Close-on-exec, and with `nonblocking` that too. False with errno. */
bool wr_descriptor_prepare(int fd, bool nonblocking);

/* A non-blocking, close-on-exec stream socket of the family, or -1 with errno. */
int wr_descriptor_socket(int family);
/* The same for datagrams. */
int wr_descriptor_datagram_socket(int family);

/* accept with both flags set, or -1 with errno. */
int wr_descriptor_accept(int fd, struct sockaddr *peer, socklen_t *bytes);

/* EAGAIN or EWOULDBLOCK, which are two numbers on a few systems. */
bool wr_descriptor_is_again(int number);

#endif
