#include "io/net/connect.h"

#include "io/descriptor.h"

#include <errno.h>
#include <unistd.h>

enum wr_status wr_stream_connect(struct wr_stream *self, const struct wr_address *address,
				 int *os_error)
{
	int fd = wr_descriptor_socket(address->storage.ss_family);
	int result;

	wr_stream_forget(self);
	*os_error = errno;
	if (fd < 0)
		return WR_IO;
	wr_stream_open(self, fd);
	do
		result = connect(fd, (const struct sockaddr *)&address->storage, address->bytes);
	while (result != 0 && errno == EINTR);
	if (result == 0)
		return WR_OK;
	/* EALREADY: the call that was interrupted goes on by itself. */
	if (errno == EINPROGRESS || errno == EALREADY)
		return WR_MORE;
	*os_error = errno;
	wr_stream_close(self, 0);
	return WR_IO;
}

enum wr_status wr_stream_connected(const struct wr_stream *self, int *os_error)
{
	socklen_t bytes = sizeof *os_error;

#if WR_TLS
	if (self->tls != NULL)
		return wr_tls_connected(self->tls, os_error);
#endif
	if (getsockopt(self->fd, SOL_SOCKET, SO_ERROR, os_error, &bytes) != 0)
		*os_error = errno;
	return *os_error == 0 ? WR_OK : WR_IO;
}
