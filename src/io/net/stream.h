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

#if WR_TLS
#include "io/tls/tls_stream.h"
#endif

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
 * its side (errno is as it was) or the connection is gone (with an errno). */
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
#if WR_TLS
	if (self->tls != NULL) {
		wr_tls_watch(self->tls, watch, wanted);
		return WR_OK;
	}
#endif
	return wr_reactor_watch(reactor, watch, self->fd, wanted);
}
static inline void wr_stream_want(struct wr_stream *self, struct wr_reactor *reactor,
				  struct wr_watch *watch, unsigned wanted)
{
#if WR_TLS
	if (self->tls != NULL) {
		wr_tls_want(self->tls, watch, wanted);
		return;
	}
#else
	(void)self;
#endif
	wr_reactor_want(reactor, watch, wanted);
}
static inline void wr_stream_unwatch(struct wr_stream *self, struct wr_reactor *reactor,
				     struct wr_watch *watch)
{
#if WR_TLS
	if (self->tls != NULL) {
		wr_tls_unwatch(self->tls, watch);
		return;
	}
#else
	(void)self;
#endif
	wr_reactor_unwatch(reactor, watch);
}

/* Why it is closed, when there is more to say than that: static text for people and logs, without
 * foreign bytes; or NULL. */
static inline const char *wr_stream_fault(const struct wr_stream *self)
{
#if WR_TLS
	if (self->tls != NULL)
		return wr_tls_fault(self->tls);
#else
	(void)self;
#endif
	return NULL;
}

/* Whether it is a filter's end, and not the socket itself. */
static inline bool wr_stream_is_tls(const struct wr_stream *self)
{
#if WR_TLS
	return self->tls != NULL;
#else
	(void)self;
	return false;
#endif
}

/* It was moved away from here, unwatched: this one is closed. */
static inline void wr_stream_forget(struct wr_stream *self)
{
	self->fd = -1;
#if WR_TLS
	self->tls = NULL;
#endif
}

/* No more output will follow; input goes on. (With TLS, that says so to the peer, what is still
 * received is dropped, and only its end is told.) */
void wr_stream_shutdown(struct wr_stream *self);

/* Closes; with `reset` the peer gets a RST instead of waiting for the rest. Harmless when closed.
 */
void wr_stream_close(struct wr_stream *self, int reset);

#endif
