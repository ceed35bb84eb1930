/*
 * guard — who may talk to this Runtime: Origin, Host, token, in the order of design 6.
 *
 * A request with an Origin that is not on the list is refused, always: it comes from a web page.
 * Without a token the Host field must name us, or a page could reach a loopback port by making its
 * own name resolve to it (rebinding); with a token that gains the page nothing, and any Host is
 * fine. A server that has pages of its own may let them in: then an Origin that is the Host of the
 * same request is as good as that Host.
 */
#ifndef WR_HOST_GUARD_H
#define WR_HOST_GUARD_H

#include "codec/http/head.h"
#include "host/texts.h"
#include "host/tokens.h"
#include "io/net/address.h"
#include "wire/error_json.h"

enum { WR_GUARD_LAST_HOST_BYTES = 64 };

/* Fields are private but for `tokens`. Borrows its lists. */
struct wr_guard {
	struct wr_tokens *tokens;
	const struct wr_texts *origins, *hosts;
	char address[WR_ADDRESS_TEXT_BYTES_MAX];
	struct wr_view bound_name, bound_port; /* of the address; absent for a unix socket */
	/* The Host that was found ours last: most clients send it again. */
	char last_host[WR_GUARD_LAST_HOST_BYTES];
	size_t last_host_bytes;
	/* May be set after init. */
	bool admits_same_origin;
	bool is_secure; /* TLS is spoken by us: an origin of ours begins https */
};

/* `bound` is where the server listens, with the port the system chose. */
void wr_guard_init(struct wr_guard *self, struct wr_tokens *tokens, const struct wr_texts *origins,
		   const struct wr_texts *hosts, const struct wr_address *bound);

/* Whether the Origin and the Host of a request are ours to answer; otherwise *error says which is
 * not. */
bool wr_guard_admits(struct wr_guard *self, const struct wr_http_head *head,
		     enum wr_wire_error *error);

/* What the request's credential allows; everything when no token is configured. 0: nothing. */
unsigned wr_guard_may(const struct wr_guard *self, const struct wr_http_head *head);

/* The name of that credential; empty when no token is configured, or it is none of ours. */
struct wr_view wr_guard_name(const struct wr_guard *self, const struct wr_http_head *head);

/* Whether serving on `address` with these tokens is safe. If not, the message names the remedy. */
bool wr_guard_is_safe(const struct wr_tokens *tokens, const struct wr_address *address,
		      struct wr_buf *message);

#endif
