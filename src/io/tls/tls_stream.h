/*
 * tls_stream — what stream.h and its files call for a stream that is one end of a TLS connection.
 * The meanings are those of stream.h; a user of streams never comes here.
 */
#ifndef WR_IO_TLS_STREAM_H
#define WR_IO_TLS_STREAM_H

#include "io/reactor/reactor.h"
#include "status.h"

#include <stddef.h>
#include <sys/uio.h>

struct wr_tls;

/* With WR_CLOSED errno is 0 after a close_notify, and not 0 when the connection was cut. */
enum wr_status wr_tls_receive(struct wr_tls *self, void *to, size_t room, size_t *got);
enum wr_status wr_tls_send(struct wr_tls *self, const struct iovec *parts, int count, size_t *sent);

void wr_tls_watch(struct wr_tls *self, struct wr_watch *watch, unsigned wanted);
void wr_tls_want(struct wr_tls *self, struct wr_watch *watch, unsigned wanted);
void wr_tls_unwatch(struct wr_tls *self, struct wr_watch *watch);

/* WR_OK: the handshake is done; WR_IO: it never will be, with the errno of the socket, or 0 when
 * that is not what failed; WR_MORE: not yet. */
enum wr_status wr_tls_connected(const struct wr_tls *self, int *os_error);
const char *wr_tls_fault(const struct wr_tls *self);

/* close_notify, and the socket's end when all records are out. */
void wr_tls_shutdown(struct wr_tls *self);
/* Takes the descriptor, too. What is left to send goes on for a bounded time without the user. */
void wr_tls_close(struct wr_tls *self, int reset);

#endif
