#include "io/net/stream.h"

#include "check.h"
#include "io/descriptor.h"
#include "bounds.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/* IOV_MAX of Linux, the BSDs and macOS. More is not an error here, the rest goes next time.
	 */
	PART_COUNT_MAX = 1024,
#ifdef MSG_NOSIGNAL
	SEND_FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL
#else
	SEND_FLAGS = MSG_DONTWAIT /* SO_NOSIGPIPE below */
#endif
};

_Static_assert(PART_COUNT_MAX <= UINT16_MAX, "the cast in send_parts");

static void set_option(int fd, int level, int name, int value)
{
	/* May fail where it means nothing, as on a unix socket. */
	(void)setsockopt(fd, level, name, &value, sizeof value);
}

void wr_stream_open(struct wr_stream *self, int fd)
{
	self->fd = fd;
#if WR_TLS
	self->tls = NULL;
#endif
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
#ifdef TCP_USER_TIMEOUT
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)WR_TCP_USER_TIMEOUT_MS);
#endif
#ifdef SO_NOSIGPIPE
	set_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
}

enum wr_status wr_stream_receive(struct wr_stream *self, void *to, size_t room, size_t *got)
{
	ssize_t n;

#if WR_TLS
	if (self->tls != NULL)
		return wr_tls_receive(self->tls, to, room, got);
#endif
	wr_assert(room > 0);
	*got = 0;
	do
		n = recv(self->fd, to, room, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return wr_descriptor_is_again(errno) ? WR_MORE : WR_CLOSED;
	*got = (size_t)n;
	return n == 0 ? WR_CLOSED : WR_OK;
}

static ssize_t send_many(int fd, const struct iovec *parts, int count)
{
	/* An int on some systems, a size_t on others: a uint16_t becomes either. */
	struct msghdr message = {
		.msg_iovlen = (uint16_t)(count < PART_COUNT_MAX ? count : PART_COUNT_MAX)};

	/* sendmsg does not write there, its struct only forgot to say so. */
	memcpy(&message.msg_iov, &parts, sizeof parts);
	return sendmsg(fd, &message, SEND_FLAGS);
}

enum wr_status wr_stream_send(struct wr_stream *self, const struct iovec *parts, int count,
			      size_t *sent)
{
	ssize_t n;

#if WR_TLS
	if (self->tls != NULL)
		return wr_tls_send(self->tls, parts, count, sent);
#endif
	wr_assert(count > 0);
	*sent = 0;
	do
		/* One part spares the kernel the copy of a header and a vector. */
		n = WR_LIKELY(count == 1)
			    ? send(self->fd, parts[0].iov_base, parts[0].iov_len, SEND_FLAGS)
			    : send_many(self->fd, parts, count);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return wr_descriptor_is_again(errno) ? WR_MORE : WR_CLOSED;
	*sent = (size_t)n;
	return n == 0 ? WR_MORE : WR_OK;
}

void wr_stream_shutdown(struct wr_stream *self)
{
#if WR_TLS
	if (self->tls != NULL) {
		wr_tls_shutdown(self->tls);
		return;
	}
#endif
	(void)shutdown(self->fd, SHUT_WR); /* a connection that is gone needs none */
}

void wr_stream_close(struct wr_stream *self, int reset)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (self->fd < 0)
		return;
#if WR_TLS
	if (self->tls != NULL) {
		wr_tls_close(self->tls, reset);
		wr_stream_forget(self);
		return;
	}
#endif
	if (reset)
		(void)setsockopt(self->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(self->fd);
	self->fd = -1;
}
