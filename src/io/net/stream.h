/*
 * stream — a connected, non-blocking byte stream.
 *
 * Thin over a socket today; TLS is to become a filter inside this struct, which no user of it can
 * tell. Every receive and send is one system call.
 */
#ifndef WR_IO_STREAM_H
#define WR_IO_STREAM_H

#include "status.h"

#include <stddef.h>
#include <sys/uio.h>

struct wr_stream {
	int fd; /* -1: closed */
};

/* Takes a connected socket, made close-on-exec by its maker (as wr_listener does). Sets TCP_NODELAY
 * and the kernel's limit for unacknowledged data where they apply. No call here blocks, whatever
 * the descriptor's own flag says. */
void wr_stream_open(struct wr_stream *self, int fd);

/* Up to `room` bytes (room > 0). WR_OK with *got > 0; WR_MORE: none now; WR_CLOSED: the peer ended
 * its side or the connection is gone. */
enum wr_status wr_stream_receive(struct wr_stream *self, void *to, size_t room, size_t *got);

/* Sends what the socket takes of the parts, in order (count > 0). WR_OK with *sent > 0, maybe fewer
 * than all; WR_MORE: none now; WR_CLOSED: the connection is gone. Never raises SIGPIPE. */
enum wr_status wr_stream_send(struct wr_stream *self, const struct iovec *parts, int count,
			      size_t *sent);

/* No more output will follow; input goes on. */
void wr_stream_shutdown(struct wr_stream *self);

/* Closes; with `reset` the peer gets a RST instead of waiting for the rest. Harmless when closed.
 */
void wr_stream_close(struct wr_stream *self, int reset);

#endif
