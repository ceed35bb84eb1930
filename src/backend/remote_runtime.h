/*
 * remote_runtime — a Runtime in another process, as its REST and WebSocket client (contract 8.7 to
 * 8.10): the handle `remote_http`.
 *
 * One upstream request per operation. What is down is known from its stream, and then answered at
 * once. Texts of the remote are never passed on: its codes are mapped to ours.
 */
#ifndef WR_BACKEND_REMOTE_RUNTIME_H
#define WR_BACKEND_REMOTE_RUNTIME_H

#include "backend/policy.h"
#include "backend/runtime_handle.h"
#include "conn/dial.h"
#include "conn/ws_conn.h"
#include "core/event_log.h"
#include "io/reactor/reactor.h"

struct wr_tls_client;

/* Texts are copied; the credential is wiped at the end. */
struct wr_remote_config {
	struct wr_view runtime_id;    /* valid by contract 8.2 */
	struct wr_view display_name;  /* absent: the id */
	struct wr_dial_target to;     /* of the base URL */
	struct wr_view host;	      /* its authority: the Host field */
	struct wr_view target_prefix; /* its path without trailing slashes, or absent */
	struct wr_view credential;    /* the bearer token, or absent */
	struct wr_tls_client *tls;    /* NULL: plain; taken, when it is made */
	struct wr_view tls_name;      /* whom its certificate must name; absent only with a pin */
	uint32_t ms_max;	      /* for a whole request */
	const struct wr_policy *policy;
	const struct wr_ws_config *streams; /* of browsers; NULL: the defaults */
	struct wr_retention retention;	    /* of the mirror */
};

/* WR_OK, WR_NO_MEMORY, WR_INVALID. Begins to connect. */
enum wr_status wr_remote_runtime_new(struct wr_runtime_handle **out, struct wr_reactor *reactor,
				     struct wr_allocator *allocator, struct wr_http_server *server,
				     const struct wr_remote_config *config);

#endif
