/* Goal: a path reaches its handler only when it is spelled exactly so, and what cannot be had says
 * what can. Method: a table like the Runtime's, and paths next to its own (contract 2.2). */
#include "codec/http/route.h"

#include "harness/harness.h"

enum handler {
	SHOW,
	LIST,
	CREATE,
	DETAIL,
	INPUT,
	STOP,
	EVENTS,
	THREE,
	ROOT,
	EXACT,
	LONG,
	LONGER,
	MANY
};

static const struct wr_http_route routes[] = {
	{WR_HTTP_METHOD_GET, "/v1/runtime", SHOW},
	{WR_HTTP_METHOD_GET, "/v1/workers", LIST},
	{WR_HTTP_METHOD_POST, "/v1/workers", CREATE},
	{WR_HTTP_METHOD_GET, "/v1/workers/{}", DETAIL},
	{WR_HTTP_METHOD_POST, "/v1/workers/{}/input", INPUT},
	{WR_HTTP_METHOD_POST, "/v1/workers/{}/stop", STOP},
	{WR_HTTP_METHOD_GET, "/v1/workers/{}/events/ws", EVENTS},
	{WR_HTTP_METHOD_PUT, "/{}/x/{}/{}", THREE},
	{WR_HTTP_METHOD_DELETE, "/", ROOT},
	{WR_HTTP_METHOD_PUT, "/v1/workers/exact", EXACT},
	{WR_HTTP_METHOD_PUT, "/sixteen-bytes-ab", LONG},
	{WR_HTTP_METHOD_PUT, "/sixteen-bytes-ab/{}/of/a/part", LONGER},
	{WR_HTTP_METHOD_PUT, "/many", MANY},
	{WR_HTTP_METHOD_DELETE, "/many", MANY},
	{WR_HTTP_METHOD_PATCH, "/many", MANY},
	{WR_HTTP_METHOD_OPTIONS, "/many", MANY},
	{WR_HTTP_METHOD_POST, "/many", MANY},
	{WR_HTTP_METHOD_GET, "/many", MANY},
};

static enum wr_status find_view(struct wr_http_match *match, enum wr_http_method method,
				struct wr_view path)
{
	memset(match, 0, sizeof *match);
	return wr_http_route_find(match, routes, sizeof routes / sizeof *routes, method,
				  wr_test_guarded(0, path));
}

static enum wr_status find(struct wr_http_match *match, enum wr_http_method method,
			   const char *path)
{
	wr_test_case(path);
	return find_view(match, method, wr_view_of_string(path));
}

static void test_exact_paths_reach_their_handler(void)
{
	static const struct {
		enum wr_http_method method;
		const char *path;
		enum handler handler;
		const char *parameters[WR_HTTP_ROUTE_PARAMETER_COUNT_MAX];
	} rows[] = {
		{WR_HTTP_METHOD_GET, "/v1/runtime", SHOW, {NULL}},
		{WR_HTTP_METHOD_HEAD, "/v1/runtime", SHOW, {NULL}},
		{WR_HTTP_METHOD_GET, "/v1/workers", LIST, {NULL}},
		{WR_HTTP_METHOD_POST, "/v1/workers", CREATE, {NULL}},
		{WR_HTTP_METHOD_GET, "/v1/workers/a", DETAIL, {"a"}},
		{WR_HTTP_METHOD_GET, "/v1/workers/%2F%20", DETAIL, {"%2F%20"}},
		{WR_HTTP_METHOD_GET, "/v1/workers/..", DETAIL, {".."}},
		{WR_HTTP_METHOD_GET, "/v1/workers/{}", DETAIL, {"{}"}},
		{WR_HTTP_METHOD_POST, "/v1/workers/a/stop", STOP, {"a"}},
		{WR_HTTP_METHOD_POST, "/v1/workers//stop", STOP, {""}},
		{WR_HTTP_METHOD_GET, "/v1/workers/worker-1/events/ws", EVENTS, {"worker-1"}},
		{WR_HTTP_METHOD_PUT, "/a/x/b/c", THREE, {"a", "b", "c"}},
		{WR_HTTP_METHOD_PUT, "//x//c", THREE, {"", "", "c"}},
		{WR_HTTP_METHOD_PUT, "/sixteen-bytes-ab", LONG, {NULL}},
		{WR_HTTP_METHOD_PUT, "/sixteen-bytes-ab/x/of/a/part", LONGER, {"x"}},
		{WR_HTTP_METHOD_DELETE, "/", ROOT, {NULL}},
		{WR_HTTP_METHOD_PUT, "/v1/workers/exact", EXACT, {NULL}},
		{WR_HTTP_METHOD_GET, "/v1/workers/exact", DETAIL, {"exact"}},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wr_http_match match;

		CHECK_STATUS(find(&match, rows[i].method, rows[i].path), WR_OK);
		CHECK_U64(match.handler, rows[i].handler);
		for (size_t j = 0; j < WR_HTTP_ROUTE_PARAMETER_COUNT_MAX; j++)
			if (rows[i].parameters[j] != NULL)
				CHECK_STRING(match.parameters[j], rows[i].parameters[j]);
	}
}

static void test_paths_next_to_ours_are_not_found(void)
{
	static const char *const paths[] = {
		"",
		"v1/runtime",
		"/v1",
		"/v1/",
		"/v1/runtime/",
		"/v1/runtim",
		"/v1/runtimes",
		"//v1/runtime",
		"/v1//runtime",
		"/V1/runtime",
		"/v1/Runtime",
		"/v1/runtim%65",
		"/v1/./runtime",
		"/v1/../v1/runtime",
		"/v1/workers/",
		"/v1/workers//",
		"/v1/workers/a/",
		"/v1/workers/a/b",
		"/v1/workers/a/stop/",
		"/v1/workers/a/Stop",
		"/v1/workers/a/sto",
		"/v1/workers/a/stopp",
		"/v1/workers/a/b/stop",
		"/v1/workers///stop",
		"/v1/workers/a/events",
		"/v1/workers/a/events/",
		"/v1/workers/a/events/ws/",
		"/a/x/b/",
		"/a/x/b",
		"/many/",
		"/sixteen-bytes-a",
		"/sixteen-bytes-",
		"/sixteen-bytes-abc",
		"/sixteen-bytes-ax",
		"/sixteen-bytes-ab/",
		"/sixteen-bytes-ab/x/of/a/par",
		"/sixteen-bytes-ab/x/of/a/partx",
		"*",
	};
	static const struct wr_view with_zeros[] = {
		WR_VIEW_INIT("/v1/runtime\0"),
		WR_VIEW_INIT("/v1/runtime\0\0\0\0\0"),
		WR_VIEW_INIT("/v1/workers/a/stop\0"),
		WR_VIEW_INIT("/v1/workers/a/stop\0\0\0"),
		WR_VIEW_INIT("\0"),
	};
	static const enum wr_http_method methods[] = {WR_HTTP_METHOD_GET, WR_HTTP_METHOD_POST,
						      WR_HTTP_METHOD_OTHER};

	for (size_t j = 0; j < sizeof methods / sizeof *methods; j++) {
		struct wr_http_match match;

		for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
			CHECK_STATUS(find(&match, methods[j], paths[i]), WR_NOT_FOUND);
		for (size_t i = 0; i < sizeof with_zeros / sizeof *with_zeros; i++)
			CHECK_STATUS(find_view(&match, methods[j], with_zeros[i]), WR_NOT_FOUND);
	}
}

static void test_other_methods_are_told_which_ones_are_allowed(void)
{
	static const struct {
		enum wr_http_method method;
		const char *path, *allow;
	} rows[] = {
		{WR_HTTP_METHOD_POST, "/v1/runtime", "GET, HEAD"},
		{WR_HTTP_METHOD_DELETE, "/v1/workers", "GET, HEAD, POST"},
		{WR_HTTP_METHOD_OTHER, "/v1/workers", "GET, HEAD, POST"},
		{WR_HTTP_METHOD_OPTIONS, "/v1/workers/a", "GET, HEAD"},
		{WR_HTTP_METHOD_GET, "/v1/workers/a/stop", "POST"},
		{WR_HTTP_METHOD_HEAD, "/v1/workers/a/stop", "POST"},
		{WR_HTTP_METHOD_GET, "/v1/workers//stop", "POST"},
		{WR_HTTP_METHOD_POST, "/v1/workers/exact", "GET, HEAD, PUT"},
		{WR_HTTP_METHOD_GET, "/", "DELETE"},
		{WR_HTTP_METHOD_TRACE, "/many", "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH"},
		{WR_HTTP_METHOD_CONNECT, "/many", "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wr_http_match match;

		CHECK_STATUS(find(&match, rows[i].method, rows[i].path), WR_UNSUPPORTED);
		CHECK_STRING(wr_view_of_string(match.allow), rows[i].allow);
	}
}

static void test_the_first_pattern_wins_per_method(void)
{
	static const struct wr_http_route table[] = {
		{WR_HTTP_METHOD_POST, "/a/{}", 1}, {WR_HTTP_METHOD_GET, "/a/b", 2},
		{WR_HTTP_METHOD_HEAD, "/a/b", 3},  {WR_HTTP_METHOD_GET, "/a/{}", 4},
		{WR_HTTP_METHOD_POST, "/a/b", 5},
	};
	struct wr_http_match match;

	CHECK_STATUS(wr_http_route_find(&match, table, 5, WR_HTTP_METHOD_GET, WR_VIEW("/a/b")),
		     WR_OK);
	CHECK_U64(match.handler, 2);
	CHECK_STATUS(wr_http_route_find(&match, table, 5, WR_HTTP_METHOD_HEAD, WR_VIEW("/a/b")),
		     WR_OK);
	CHECK_U64(match.handler, 2);
	CHECK_STATUS(wr_http_route_find(&match, table, 5, WR_HTTP_METHOD_POST, WR_VIEW("/a/b")),
		     WR_OK);
	CHECK_U64(match.handler, 1);
	CHECK_STATUS(wr_http_route_find(&match, table, 5, WR_HTTP_METHOD_GET, WR_VIEW("/a/c")),
		     WR_OK);
	CHECK_U64(match.handler, 4);
	CHECK_STATUS(wr_http_route_find(&match, table, 0, WR_HTTP_METHOD_GET, WR_VIEW("/a/c")),
		     WR_NOT_FOUND);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_exact_paths_reach_their_handler),
	WR_TEST(test_paths_next_to_ours_are_not_found),
	WR_TEST(test_other_methods_are_told_which_ones_are_allowed),
	WR_TEST(test_the_first_pattern_wins_per_method),
	WR_TEST_END,
};
