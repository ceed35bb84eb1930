/*
 * resolver — the addresses of a host name, without waiting for them.
 *
 * Names come from /etc/hosts, else from the name servers of /etc/resolv.conf by UDP (RFC 1035; AAAA
 * and A). Both files are read anew for every name that is not kept. Answers are kept for their TTL,
 * within bounds. Questions go from a fresh port with a random id, and an answer counts only when it
 * comes from the server that was asked, with that id and that question. No search domains, no mDNS:
 * a name is looked up as it stands.
 *
 * AAAA and A are asked together; an answer of one kind waits only shortly for the other. Lookups of
 * one name share its questions. An answer that is cut (TC) counts as far as it is whole: there are
 * no questions over TCP.
 */
#ifndef WR_IO_RESOLVER_H
#define WR_IO_RESOLVER_H

#include "bytes/allocator.h"
#include "bytes/view.h"
#include "containers/list.h"
#include "io/net/address.h"
#include "io/reactor/reactor.h"

struct wr_resolver;
struct wr_lookup;

enum { WR_LOOKUP_ADDRESS_COUNT_MAX = 8 };

/* May begin and cancel lookups, but not free the resolver. WR_OK (count > 0, in the order in which
 * to try them); WR_NOT_FOUND (there is no such name, or it has no address); WR_TIMEOUT;
 * WR_UNAVAILABLE (no name server, or none that answers sensibly); WR_NO_MEMORY. The addresses are
 * lent for the call. */
typedef void wr_lookup_fn(struct wr_lookup *lookup, enum wr_status status,
			  const struct wr_address *addresses, uint32_t count);

/* Placed by the caller, zeroed but for on_done. The rest is private. */
struct wr_lookup {
	wr_lookup_fn *on_done;
	struct wr_list place;
	struct wr_resolver *resolver; /* NULL: not under way */
	struct wr_timer due;
	void *question;
	uint16_t port;
};

struct wr_resolver_config {
	const char *hosts_path, *resolv_path; /* borrowed for life */
	uint16_t server_port;		      /* 53 */
	uint32_t try_ms_max;		      /* for one server */
	uint32_t lookup_ms_max;		      /* for all of it */
	uint32_t kept_count_max;	      /* names */
	uint32_t kept_ms_max;		      /* longest, whatever the TTL says */
	uint32_t failed_kept_ms;	      /* how long a failure is */
};
void wr_resolver_defaults(struct wr_resolver_config *config);

struct wr_resolver *wr_resolver_new(struct wr_reactor *reactor, struct wr_allocator *allocator,
				    const struct wr_resolver_config *config);
/* Lookups under way end without on_done. */
void wr_resolver_free(struct wr_resolver *self);

/* Whether it is a host that could be looked up. */
bool wr_lookup_takes(struct wr_view host);

/* Looks up a host: "localhost", a name of at most 253 characters, or a number, which is its own
 * answer. on_done is never called from within. WR_OK; WR_INVALID (not a host name), WR_NO_MEMORY:
 * nothing was begun.
 */
enum wr_status wr_lookup_begin(struct wr_lookup *lookup, struct wr_resolver *resolver,
			       struct wr_view host, uint16_t port);
/* Ends it without on_done. Harmless when it is not under way. */
void wr_lookup_cancel(struct wr_lookup *lookup);

#endif
