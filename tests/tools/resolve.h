/* resolve — the address of a URL's host, by the system's resolver: for probe programs, which may
 * wait for it. */
#ifndef WR_TESTS_TOOLS_RESOLVE_H
#define WR_TESTS_TOOLS_RESOLVE_H

#include "codec/http/url.h"
#include "io/net/address.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

static inline bool wr_resolve(struct wr_address *address, const struct wr_url *url)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	char host[256], port[8];

	if (url->host.bytes >= sizeof host)
		return false;
	snprintf(host, sizeof host, "%.*s", (int)url->host.bytes, url->host.data);
	snprintf(port, sizeof port, "%u", url->port);
	if (getaddrinfo(host, port, &hints, &found) != 0)
		return false;
	memcpy(&address->storage, found->ai_addr, found->ai_addrlen);
	address->bytes = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

#endif
