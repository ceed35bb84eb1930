/* connect — a stream to a listening address, without waiting for it. */
#ifndef WR_IO_CONNECT_H
#define WR_IO_CONNECT_H

#include "io/net/address.h"
#include "io/net/stream.h"

/* Begins to connect. WR_OK: connected; WR_MORE: the stream becomes writable when it is decided, ask
 * wr_stream_connected then; WR_IO with the errno in *os_error: nothing is left. */
enum wr_status wr_stream_connect(struct wr_stream *self, const struct wr_address *address,
				 int *os_error);

/* WR_OK, or WR_IO with the errno; the stream is still to be closed. Of a TLS stream the handshake
 * counts, too: WR_MORE: it lasts; WR_IO with errno 0: it failed (wr_stream_fault). */
enum wr_status wr_stream_connected(const struct wr_stream *self, int *os_error);

#endif
