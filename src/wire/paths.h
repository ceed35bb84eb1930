/* paths — the routes of the Runtime, as one table (contract 2.1, 3, design 4-5). */
#ifndef WR_WIRE_PATHS_H
#define WR_WIRE_PATHS_H

#include "codec/http/route.h"

enum wr_route {
	WR_ROUTE_RUNTIME,
	WR_ROUTE_WORKER_LIST,
	WR_ROUTE_WORKER_CREATE,
	WR_ROUTE_WORKER_DETAIL,
	WR_ROUTE_WORKER_INPUT,
	WR_ROUTE_WORKER_STOP,
	WR_ROUTE_WORKER_CANCEL,
	WR_ROUTE_WORKER_INTERRUPT,
	WR_ROUTE_WORKER_TRANSCRIPT,
	WR_ROUTE_WORKER_EVENTS,	 /* WebSocket */
	WR_ROUTE_RUNTIME_EVENTS, /* WebSocket */
	WR_ROUTE_HEALTHZ,
	WR_ROUTE_READYZ,
	WR_ROUTE_BUNDLE_LIST,
	WR_ROUTE_BUNDLE_STORE,
	WR_ROUTE_BUNDLE_AVAILABILITY
};

/* Without WS_SERVER the two event routes are not in the table. */
extern const struct wr_http_route wr_routes[];
extern const size_t wr_route_count;

#endif
