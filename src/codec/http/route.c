#include "codec/http/route.h"

#include "check.h"

static const char *method_name(enum wr_http_method method)
{
	switch (method) {
	case WR_HTTP_METHOD_GET:
		return "GET";
	case WR_HTTP_METHOD_HEAD:
		return "HEAD";
	case WR_HTTP_METHOD_POST:
		return "POST";
	case WR_HTTP_METHOD_PUT:
		return "PUT";
	case WR_HTTP_METHOD_DELETE:
		return "DELETE";
	case WR_HTTP_METHOD_OPTIONS:
		return "OPTIONS";
	case WR_HTTP_METHOD_PATCH:
		return "PATCH";
	case WR_HTTP_METHOD_TRACE:
		return "TRACE";
	case WR_HTTP_METHOD_CONNECT:
		return "CONNECT";
	case WR_HTTP_METHOD_OTHER:
		break;
	}
	wr_unreachable(); /* no table has a route for it */
}

/* An empty segment is one like any other, but a path that ends in "/" ends in no segment: so
 * "/v1/workers//stop" has an empty parameter, and "/v1/workers/" matches nothing (contract 2.2). */
static bool is_match(struct wr_view *parameters, const char *pattern, struct wr_view path)
{
	const char *at = path.data, *end = at + path.bytes;
	size_t count = 0;

	while (*pattern != '\0') {
		const char *start = at;

		if (*pattern != '{') {
			if (at == end || *at++ != *pattern++)
				return false;
			continue;
		}
		wr_assert(pattern[1] == '}' && count < WR_HTTP_ROUTE_PARAMETER_COUNT_MAX);
		pattern += 2;
		while (at < end && *at != '/')
			at++;
		if (at == end && at == start)
			return false;
		parameters[count++] = wr_view_of(start, (size_t)(at - start));
	}
	return at == end;
}

static bool serves(enum wr_http_method route, enum wr_http_method method)
{
	return route == method || (route == WR_HTTP_METHOD_GET && method == WR_HTTP_METHOD_HEAD);
}

static void write_allow(char *out, size_t room, unsigned methods)
{
	size_t bytes = 0;

	for (unsigned method = WR_HTTP_METHOD_GET; method <= WR_HTTP_METHOD_CONNECT; method++) {
		const char *name = method_name((enum wr_http_method)method);
		size_t more = strlen(name) + (bytes == 0 ? 0 : 2);

		if ((methods >> method & 1) == 0)
			continue;
		wr_assert(bytes + more < room);
		if (bytes != 0)
			memcpy(out + bytes, ", ", 2);
		memcpy(out + bytes + more - strlen(name), name, strlen(name));
		bytes += more;
	}
	out[bytes] = '\0';
}

enum wr_status wr_http_route_find(struct wr_http_match *match, const struct wr_http_route *routes,
				  size_t count, enum wr_http_method method, struct wr_view path)
{
	unsigned methods = 0;

	for (size_t i = 0; i < count; i++) {
		if (!serves(routes[i].method, method) ||
		    !is_match(match->parameters, routes[i].pattern, path))
			continue;
		match->handler = routes[i].handler;
		match->allow[0] = '\0';
		return WR_OK;
	}
	for (size_t i = 0; i < count; i++)
		if (is_match(match->parameters, routes[i].pattern, path))
			methods |= 1u << routes[i].method;
	if (methods == 0)
		return WR_NOT_FOUND;
	if ((methods >> WR_HTTP_METHOD_GET & 1) != 0)
		methods |= 1u << WR_HTTP_METHOD_HEAD;
	write_allow(match->allow, sizeof match->allow, methods);
	return WR_UNSUPPORTED;
}
