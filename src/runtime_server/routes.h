/*
 * routes — from a request to the function that serves it: guard, route, scope, then one call.
 *
 * Requests that need no body are answered when their head is there; a command waits for its body.
 * The order of checks is that of contract 2.2 as design 6 amends it: framing (conn), Origin and
 * Host, token, route, method, scope, and then what the route itself asks for.
 */
#ifndef WR_RUNTIME_SERVER_ROUTES_H
#define WR_RUNTIME_SERVER_ROUTES_H

#include "conn/http_server.h"
#include "runtime_server/server.h"
#include "wire/error_json.h"

/* What a route's function is given; views live for the call. */
struct wr_request {
	struct wr_server *server;
	struct wr_http_exchange *exchange;
	struct wr_view worker_id; /* of the path, decoded; valid UTF-8 */
	struct wr_view body;
	const struct wr_key *key; /* of a command that may be repeated; NULL: it may not */
};

typedef void wr_route_fn(struct wr_request *request);

/* The app that the HTTP server is made with. */
struct wr_http_app wr_routes_app(struct wr_server *server);

/* ---- for the functions of routes ---- */

/* Answers with an error; `message` absent: its default one. */
void wr_refuse(struct wr_request *request, enum wr_wire_error error, struct wr_view message);

/* Answers with the error of a core status; what core had to say is the message. */
void wr_refuse_status(struct wr_request *request, enum wr_status status,
		      const struct wr_error *error);
/* What became of reading the query: it is wrong, or there is no memory for what it says. */
void wr_refuse_query(struct wr_request *request, enum wr_status status);

/* Answers that the body cannot be read. */
void wr_refuse_json(struct wr_request *request, enum wr_status status,
		    const struct wr_error *error);
/* What is answered next waits until all that it depends on is visible: of the Worker of the path,
 * or of the Runtime. Whatever came of a command, it was decided by what may still be lost
 * (design 2). */
void wr_hold(struct wr_request *request);

/* False, and answered: the path's id is blank. */
bool wr_request_has_worker_id(struct wr_request *request);
/* The Worker of the path; NULL, and answered: there is none. */
const struct wr_worker *wr_request_worker(struct wr_request *request);
/* The same; and NULL, and answered, when records of it are damaged: what is left of its story would
 * pass for all of it (reliability 4.4). */
const struct wr_worker *wr_request_whole_worker(struct wr_request *request);

/* ---- the functions, by file; those of the Runtime itself are in routes.c ---- */

/* worker_routes.c */
wr_route_fn wr_serve_worker_list, wr_serve_worker_create, wr_serve_worker_detail,
	wr_serve_worker_input, wr_serve_worker_stop, wr_serve_worker_cancel,
	wr_serve_worker_interrupt, wr_serve_worker_transcript;

/* bundle_routes.c */
wr_route_fn wr_serve_bundle_list, wr_serve_bundle_store, wr_serve_bundle_availability;

/* idempotency.c: serves a command whose Idempotency-Key is to be taken first. */
void wr_serve_with_key(struct wr_request *request, wr_route_fn *serve);

/* event_routes.c */
wr_route_fn wr_serve_worker_events, wr_serve_runtime_events;

#endif
