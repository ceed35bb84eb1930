/*
 * serving — how a program of ours serves: its address, who may talk to it, its limits and times.
 *
 * The options are the same for both programs but for the name of the address; the tables are for a
 * struct wr_serving. Numbers are 64 bits wide, so that a table can say where they go.
 */
#ifndef WR_HOST_SERVING_H
#define WR_HOST_SERVING_H

#include "conn/http_server.h"
#include "host/options.h"
#include "host/texts.h"
#include "host/tokens.h"
#include "io/net/address.h"

struct wr_serving {
	const char *listen;
	struct wr_address address; /* what `listen` says */
	const char *local_token, *local_token_env, *token_file;
	struct wr_texts origins, hosts;
	const char *tls_cert, *tls_key, *tls_client_ca; /* files; NULL: none */
	struct wr_texts tls_client_keys;		/* pins of the clients that may come */
	uint64_t tls_connections_max, tls_handshake_ms;
	uint64_t memory_max; /* 0: no limit */
	uint64_t connections_max;
	uint64_t idle_ms, head_ms, body_ms, send_ms, ping_ms, drain_ms;
	const char *config_file;
	uint64_t log_level; /* enum wr_log_level */
	bool wants_help, wants_version, wants_print, wants_check;
};

extern const struct wr_option wr_serving_access_options[]; /* a group */
extern const struct wr_option wr_serving_tls_options[];	   /* a group */
extern const struct wr_option wr_serving_limit_options[];  /* rows without a title */
extern const struct wr_option wr_serving_time_options[];   /* a group */
extern const struct wr_option wr_serving_other_options[];  /* a group */

/* What its HTTP server is made with. */
struct wr_http_server_config wr_serving_http(const struct wr_serving *self, bool has_tokens);
/* Its memory. */
void wr_serving_memory(const struct wr_serving *self, struct wr_allocator *allocator);

/* All tokens that are configured; *fixed_count of them do not come from the file. False, with a
 * message: one of them cannot be, or it is not safe to serve without. A variable that has one is
 * emptied. */
bool wr_serving_tokens(const struct wr_serving *self, struct wr_tokens *tokens,
		       uint32_t *fixed_count, struct wr_buf *message);

#endif
