/*
 * server — one Runtime behind one listener: reactor, memory, core, streams, children, wired
 * together.
 *
 * Life: init (everything is made, the socket listens) -> run (until a signal) -> deinit. SIGTERM
 * and SIGINT drain (reliability 9): no new connections, commands are refused, children are stopped,
 * streams get what is pending and a Close 1001; a second one, or the end of the drain time, ends it
 * at once. SIGHUP reads the token file
 * and certificates again. A store that fails ends it, too, in bad order, unless
 * it is told to go on reading.
 */
#ifndef WR_RUNTIME_SERVER_SERVER_H
#define WR_RUNTIME_SERVER_SERVER_H

#include "conn/http_server.h"
#include "core/runtime.h"
#include "io/reactor/reactor.h"
#include "runtime_server/config.h"
#include "runtime_server/event_routes.h"
#include "host/guard.h"
#include "host/profiles.h"
#include "host/storage.h"

/* Zero-initialised, placed by main; must not move. The files of this folder may read it. */
struct wr_server {
	const struct wr_config *config;
	struct wr_allocator allocator;
	struct wr_reactor reactor;
	struct wr_profile_table profiles;
	struct wr_streams streams;
	struct wr_storage storage;
	struct wr_runtime *runtime;
	struct wr_tls_server *tls; /* NULL: plain */
	struct wr_http_server *http;
	struct wr_tokens *tokens;
	uint32_t fixed_token_count; /* those that are not from the file */
	struct wr_guard guard;
	struct wr_view runtime_id;
	struct wr_buf texts;	  /* decoded strings of the request at hand */
	struct wr_buf id_text;	  /* the decoded id of its path */
	struct wr_view worker_id; /* the same, from on_head to on_request */
	struct wr_key key;	  /* of it, when it may be repeated */
	struct wr_buf
		runtime_text; /* the Runtime's description, as of a sequence; empty: not made */
	uint64_t runtime_text_sequence;
	struct wr_turn_hook hook;
	struct wr_timer deadline; /* of draining */
	bool is_draining, has_signals, has_reactor, are_streams_told, is_failing;
};

/* Makes everything; `tokens` are the fixed ones and those of the file. False: nothing is left, and
 * the message for people says why and what to do. */
bool wr_server_init(struct wr_server *self, const struct wr_config *config,
		    struct wr_tokens *tokens, uint32_t fixed_token_count, struct wr_buf *message);
void wr_server_deinit(struct wr_server *self);

/* Serves until it has drained. False: because the store failed. */
bool wr_server_run(struct wr_server *self);

#endif
