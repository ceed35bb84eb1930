/*
 * http/url — absolute http and https URLs (RFC 9110 4.2, RFC 3986), as a client needs them.
 *
 * Strict: scheme http, https, ws or wss in any case; a host that is a name, an IPv4 address or an
 * IPv6 address in brackets; a port of digits, 1 to 65535; a path and query of visible ASCII.
 * Refused: user information (a secret does not belong in a URL), fragments, empty hosts, anything
 * else. Views point into the text.
 */
#ifndef WR_CODEC_HTTP_URL_H
#define WR_CODEC_HTTP_URL_H

#include "bytes/view.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

struct wr_url {
	bool is_secure;		  /* https, wss */
	bool is_websocket;	  /* ws, wss */
	bool is_ipv6;		  /* the host stood in brackets */
	struct wr_view host;	  /* without brackets */
	uint16_t port;		  /* also when it was left out */
	struct wr_view authority; /* host and port as written: the value of Host */
	struct wr_view target;	  /* path and query; absent when there is none */
};

/* WR_OK or WR_INVALID. */
enum wr_status wr_url_parse(struct wr_url *self, struct wr_view text);

#endif
