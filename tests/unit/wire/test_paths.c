/* Goal: the table has the contract's routes (2.1), each reachable, and none of them hides another.
 * Method: method and path against the expected route. */
#include "check.h"
#include "harness/harness.h"
#include "wire/paths.h"

static const struct {
	enum wr_http_method method;
	const char *path;
	enum wr_status status;
	int route;
	const char *parameter; /* NULL: none is expected */
} cases[] = {
	{WR_HTTP_METHOD_GET, "/v1/runtime", WR_OK, WR_ROUTE_RUNTIME, NULL},
	{WR_HTTP_METHOD_HEAD, "/v1/runtime", WR_OK, WR_ROUTE_RUNTIME, NULL},
	{WR_HTTP_METHOD_GET, "/v1/workers", WR_OK, WR_ROUTE_WORKER_LIST, NULL},
	{WR_HTTP_METHOD_POST, "/v1/workers", WR_OK, WR_ROUTE_WORKER_CREATE, NULL},
	{WR_HTTP_METHOD_GET, "/v1/workers/w", WR_OK, WR_ROUTE_WORKER_DETAIL, "w"},
	{WR_HTTP_METHOD_POST, "/v1/workers/w/input", WR_OK, WR_ROUTE_WORKER_INPUT, "w"},
	{WR_HTTP_METHOD_GET, "/v1/workers/{}", WR_OK, WR_ROUTE_WORKER_DETAIL, "{}"},
	{WR_HTTP_METHOD_POST, "/v1/workers/{}/input", WR_OK, WR_ROUTE_WORKER_INPUT, "{}"},
	{WR_HTTP_METHOD_POST, "/v1/workers//stop", WR_OK, WR_ROUTE_WORKER_STOP, ""},
	{WR_HTTP_METHOD_POST, "/v1/workers/%20/cancel", WR_OK, WR_ROUTE_WORKER_CANCEL, "%20"},
	{WR_HTTP_METHOD_POST, "/v1/workers/w/interrupt", WR_OK, WR_ROUTE_WORKER_INTERRUPT, "w"},
	{WR_HTTP_METHOD_GET, "/v1/workers/w/transcript", WR_OK, WR_ROUTE_WORKER_TRANSCRIPT, "w"},
#if WR_WS_SERVER
	{WR_HTTP_METHOD_GET, "/v1/workers/w/events/ws", WR_OK, WR_ROUTE_WORKER_EVENTS, "w"},
	{WR_HTTP_METHOD_GET, "/v1/events/ws", WR_OK, WR_ROUTE_RUNTIME_EVENTS, NULL},
	{WR_HTTP_METHOD_POST, "/v1/events/ws", WR_UNSUPPORTED, 0, NULL},
#else
	{WR_HTTP_METHOD_GET, "/v1/workers/w/events/ws", WR_NOT_FOUND, 0, NULL},
	{WR_HTTP_METHOD_GET, "/v1/events/ws", WR_NOT_FOUND, 0, NULL},
#endif
	{WR_HTTP_METHOD_GET, "/healthz", WR_OK, WR_ROUTE_HEALTHZ, NULL},
	{WR_HTTP_METHOD_GET, "/readyz", WR_OK, WR_ROUTE_READYZ, NULL},
	{WR_HTTP_METHOD_POST, "/v1/runtime", WR_UNSUPPORTED, 0, NULL},
	{WR_HTTP_METHOD_DELETE, "/v1/workers/w", WR_UNSUPPORTED, 0, NULL},
	{WR_HTTP_METHOD_GET, "/v1/workers/w/input", WR_UNSUPPORTED, 0, NULL},
	{WR_HTTP_METHOD_POST, "/v1/workers/w/transcript", WR_UNSUPPORTED, 0, NULL},
	{WR_HTTP_METHOD_OPTIONS, "/healthz", WR_UNSUPPORTED, 0, NULL},
	{WR_HTTP_METHOD_GET, "/", WR_NOT_FOUND, 0, NULL},
	{WR_HTTP_METHOD_GET, "/v1", WR_NOT_FOUND, 0, NULL},
	{WR_HTTP_METHOD_GET, "/v1/workers/", WR_NOT_FOUND, 0, NULL},
	{WR_HTTP_METHOD_GET, "/v1/runtime/", WR_NOT_FOUND, 0, NULL},
	{WR_HTTP_METHOD_GET, "/V1/runtime", WR_NOT_FOUND, 0, NULL},
	{WR_HTTP_METHOD_GET, "//v1/runtime", WR_NOT_FOUND, 0, NULL},
	{WR_HTTP_METHOD_GET, "/v1/./runtime", WR_NOT_FOUND, 0, NULL},
	{WR_HTTP_METHOD_GET, "/v1/%72untime", WR_NOT_FOUND, 0, NULL},
	{WR_HTTP_METHOD_GET, "/v1/workers/w/", WR_NOT_FOUND, 0, NULL},
	{WR_HTTP_METHOD_POST, "/v1/workers/a/b/input", WR_NOT_FOUND, 0, NULL},
	{WR_HTTP_METHOD_GET, "/v1/workers/w/events", WR_NOT_FOUND, 0, NULL},
	{WR_HTTP_METHOD_GET, "/metrics", WR_NOT_FOUND, 0, NULL},
};

static void test_every_path_leads_where_the_contract_says(void)
{
	struct wr_http_match match;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].path);
		CHECK_STATUS(wr_http_route_find(&match, wr_routes, wr_route_count, cases[i].method,
						wr_view_of_string(cases[i].path)),
			     cases[i].status);
		if (cases[i].status != WR_OK)
			continue;
		CHECK(match.handler == cases[i].route);
		if (cases[i].parameter != NULL)
			CHECK_STRING(match.parameters[0], cases[i].parameter);
	}
}

static void test_a_refused_method_is_told_the_others(void)
{
	struct wr_http_match match;

	CHECK_STATUS(wr_http_route_find(&match, wr_routes, wr_route_count, WR_HTTP_METHOD_PUT,
					WR_VIEW("/v1/workers")),
		     WR_UNSUPPORTED);
	CHECK_STRING(wr_view_of_string(match.allow), "GET, HEAD, POST");
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_every_path_leads_where_the_contract_says),
	WR_TEST(test_a_refused_method_is_told_the_others),
	WR_TEST_END,
};
