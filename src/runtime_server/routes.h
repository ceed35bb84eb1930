/*
 * routes — from a request to the function that serves it: guard, route, scope, then one call.
 *
 * Requests that need no body are answered when their head is there; a command waits for its body.
 * The order of checks is that of contract 2.2 as design 6 amends it: framing (conn), Origin and
 * Host, token, route, method, scope, and then what the route itself asks for.
 */
#ifndef WR_RUNTIME_SERVER_ROUTES_H
#define WR_RUNTIME_SERVER_ROUTES_H

#include "runtime_server/request.h"

typedef void wr_route_fn(struct wr_request *request);

/* The app that the HTTP server is made with. */
struct wr_http_app wr_routes_app(struct wr_server *server);

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
