/* listening — the HTTP server of a program of ours, at the address that it was told. */
#ifndef WR_HOST_LISTENING_H
#define WR_HOST_LISTENING_H

#include "conn/http_server.h"

/* wr_http_server_new; NULL: why, and what to do, was appended to `message`. The address is what
 * `text` says, given with the option `flag` ("--bind"). */
struct wr_http_server *wr_listen(struct wr_reactor *reactor, struct wr_allocator *allocator,
				 const struct wr_http_server_config *config,
				 const struct wr_http_app *app, const struct wr_address *address,
				 const char *text, const char *flag, struct wr_buf *message);

#endif
