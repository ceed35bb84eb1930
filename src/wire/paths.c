#include "wire/paths.h"

#include "check.h"

/* The search goes from the top: what is asked for most stands first. */
const struct wr_http_route wr_routes[] = {
	{WR_HTTP_METHOD_GET, "/healthz", WR_ROUTE_HEALTHZ},
	{WR_HTTP_METHOD_GET, "/v1/workers/{}", WR_ROUTE_WORKER_DETAIL},
	{WR_HTTP_METHOD_POST, "/v1/workers/{}/input", WR_ROUTE_WORKER_INPUT},
	{WR_HTTP_METHOD_GET, "/v1/runtime", WR_ROUTE_RUNTIME},
	{WR_HTTP_METHOD_GET, "/v1/workers", WR_ROUTE_WORKER_LIST},
	{WR_HTTP_METHOD_POST, "/v1/workers", WR_ROUTE_WORKER_CREATE},
	{WR_HTTP_METHOD_POST, "/v1/workers/{}/stop", WR_ROUTE_WORKER_STOP},
	{WR_HTTP_METHOD_POST, "/v1/workers/{}/cancel", WR_ROUTE_WORKER_CANCEL},
	{WR_HTTP_METHOD_POST, "/v1/workers/{}/interrupt", WR_ROUTE_WORKER_INTERRUPT},
	{WR_HTTP_METHOD_GET, "/v1/workers/{}/transcript", WR_ROUTE_WORKER_TRANSCRIPT},
#if WR_WS_SERVER
	{WR_HTTP_METHOD_GET, "/v1/workers/{}/events/ws", WR_ROUTE_WORKER_EVENTS},
	{WR_HTTP_METHOD_GET, "/v1/events/ws", WR_ROUTE_RUNTIME_EVENTS},
#endif
	{WR_HTTP_METHOD_GET, "/readyz", WR_ROUTE_READYZ},
	{WR_HTTP_METHOD_GET, "/v1/config-bundles", WR_ROUTE_BUNDLE_LIST},
	{WR_HTTP_METHOD_POST, "/v1/config-bundles", WR_ROUTE_BUNDLE_STORE},
	{WR_HTTP_METHOD_GET, "/v1/config-bundles/{}/availability", WR_ROUTE_BUNDLE_AVAILABILITY},
};

const size_t wr_route_count = WR_COUNT(wr_routes);
