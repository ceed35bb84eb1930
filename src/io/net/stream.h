/*
 * stream — a connected, non-blocking byte stream.
 *
 * Thin over a socket: every receive and send is one system call. TLS (tls.h) is a filter inside
 * this struct that no user of it can tell; so whoever watches a stream does it with the functions
 * here, for there may be bytes to read when the socket has none, and a record to send when the user
 * has nothing to say.
 */
#ifndef WR_IO_STREAM_H
#define WR_IO_STREAM_H

#include "io/reactor/reactor.h"
#include "status.h"

#include <stddef.h>
#include <sys/uio.h>

struct wr_tls;

/* May be moved while it is not watched. */
struct wr_stream {
	int fd; /* -1: closed */
#if WR_TLS
	struct wr_tls *tls; /* NULL: plain */
#endif
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

/* As wr_reactor_watch, want and unwatch do for its descriptor. A watch of a TLS stream is called
 * when there is plaintext, or room for some, maybe without an event of the socket. */
static inline enum wr_status wr_stream_watch(struct wr_stream *self, struct wr_reactor *reactor,
					     struct wr_watch *watch, unsigned wanted)
{
	return wr_reactor_watch(reactor, watch, self->fd, wanted);
}
static inline void wr_stream_want(struct wr_stream *self, struct wr_reactor *reactor,
				  struct wr_watch *watch, unsigned wanted)
{
	(void)self;
	wr_reactor_want(reactor, watch, wanted);
}
static inline void wr_stream_unwatch(struct wr_stream *self, struct wr_reactor *reactor,
				     struct wr_watch *watch)
{
	(void)self;
	wr_reactor_unwatch(reactor, watch);
}

/* Why it is closed, when there is more to say than that: static text for people and logs, without
 * foreign bytes; or NULL. */
static inline const char *wr_stream_fault(const struct wr_stream *self)
{
	(void)self;
	return NULL;
}

/* No more output will follow; input goes on. */
void wr_stream_shutdown(struct wr_stream *self);

/* Closes; with `reset` the peer gets a RST instead of waiting for the rest. Harmless when closed.
 */
void wr_stream_close(struct wr_stream *self, int reset);

#endif
