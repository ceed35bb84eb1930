/*
 * remotes — the remote Runtimes of a configuration as handles in the registry: made at the start,
 * and kept, changed or removed when the configuration is read again (contract 8.7).
 *
 * A remote whose settings, credential and certificates are the same as before is not touched: its
 * streams go on.
 */
#ifndef WR_BACKEND_REMOTES_H
#define WR_BACKEND_REMOTES_H

#include "backend/policy.h"
#include "backend/registry.h"
#include "conn/ws_conn.h"
#include "core/event_log.h"
#include "io/net/resolver.h"
#include "io/reactor/reactor.h"

enum { WR_REMOTE_COUNT_MAX = 64 };

/* A [[remote]] of the configuration. Texts are NULL when not given. */
struct wr_remote_setting {
	const char *id, *display_name, *base_url, *token_file;
	/* Of https. */
	const char *tls_name, *tls_ca, *tls_pin, *tls_cert, *tls_key;
	uint64_t timeout_ms;
	uint32_t line; /* where it begins in the file */
};

struct wr_remote_entry {
	struct wr_runtime_handle *handle;
	uint8_t fingerprint[32]; /* of everything that it was made of */
};

/* Placed by the owner; what it borrows is set before the first apply. */
struct wr_remotes {
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	struct wr_http_server *server;
	struct wr_registry *registry;
	const struct wr_policy *policy;
	const struct wr_ws_config *streams;
	struct wr_resolver *resolver;
	struct wr_retention retention; /* of each one's mirror */
	struct wr_remote_entry entries[WR_REMOTE_COUNT_MAX];
	uint32_t count;
};

/* Whether these settings could be applied: addresses, credentials, ids, and with a reactor also the
 * files of TLS. False, and why, with the file and line: they cannot. */
bool wr_remotes_check(const struct wr_remote_setting *settings, uint32_t count, const char *file,
		      struct wr_reactor *reactor, struct wr_allocator *allocator,
		      struct wr_buf *message);

/* Makes the registry's remotes these, in this order. False, with a message: nothing has changed, or
 * (no memory) some of them are missing. Not from within a call of a handle. */
bool wr_remotes_apply(struct wr_remotes *self, const struct wr_remote_setting *settings,
		      uint32_t count, const char *file, struct wr_buf *message);

#endif
