/*
 * backend/server — a Backend: its sources, its face for browsers and its listener, wired together.
 *
 * Life: init (everything is made, the socket listens) -> run (until a signal) -> deinit. SIGTERM
 * and SIGINT drain as worker-runtime does: programs of the embedded Runtime first, then every
 * stream gets what is pending and a Close 1001. SIGHUP reads the token file, certificates and the
 * configuration again; remotes that it says nothing new about are not touched.
 */
#ifndef WR_BACKEND_SERVER_H
#define WR_BACKEND_SERVER_H

#include "backend/browser_routes.h"
#include "backend/config.h"
#include "backend/remotes.h"
#include "backend/workspace.h"
#include "host/guard.h"
#include "io/reactor/reactor.h"

/* Zero-initialised, placed by main; must not move. */
struct wr_backend {
	const struct wr_backend_config *config;
	struct wr_allocator allocator;
	struct wr_reactor reactor;
	struct wr_workspace workspace;
	struct wr_policy policy; /* everything passes, unless set before init */
	struct wr_ws_config streams;
	struct wr_registry registry;
	struct wr_remotes remotes;
	struct wr_resolver *resolver;
	struct wr_runtime_handle *embedded; /* in the registry; NULL: none */
	struct wr_browser_face *face;
	struct wr_tls_server *tls; /* NULL: plain */
	struct wr_http_server *http;
	struct wr_tokens *tokens;
	uint32_t fixed_token_count; /* those that are not from the file */
	struct wr_guard guard;
	struct wr_turn_hook hook;
	struct wr_timer deadline; /* of draining */
	/* Reads the configuration file anew, for SIGHUP: the remotes that it has now, valid until
	 * the next call. False, with a message. NULL: there is nothing to read. */
	bool (*reload)(const struct wr_remote_setting **remotes, uint32_t *count,
		       struct wr_buf *message);
	bool is_draining, has_signals, has_reactor, has_hook, are_streams_told, is_failing;
	bool wants_reload;
};

/* Makes everything; `tokens` are the fixed ones and those of the file. False: nothing is left, and
 * the message for people says why and what to do. */
bool wr_backend_init(struct wr_backend *self, const struct wr_backend_config *config,
		     struct wr_tokens *tokens, uint32_t fixed_token_count, struct wr_buf *message);
void wr_backend_deinit(struct wr_backend *self);

/* Serves until it has drained. False: because the store failed. */
bool wr_backend_run(struct wr_backend *self);

#endif
