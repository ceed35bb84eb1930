#include "codec/http/route.h"

#include "check.h"
#include "codec/http/chars.h"

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

enum { FRONT_BYTES = 16 };

/* How many bytes of `front`, the first of a path, are as the pattern says in front of its first
 * parameter. */
static inline size_t common_bytes(const char *pattern, const char *front)
{
#ifdef __SSE2__
	__m128i block = wr_http_load_block(pattern);
	__m128i equal = _mm_cmpeq_epi8(block, wr_http_load_block(front));
	__m128i brace = _mm_cmpeq_epi8(block, _mm_set1_epi8('{'));
	__m128i nul = _mm_cmpeq_epi8(block, _mm_setzero_si128());
	__m128i good = _mm_andnot_si128(_mm_or_si128(brace, nul), equal);

	/* The bit above the block stops the search there. */
	return (size_t)__builtin_ctz(~(unsigned)_mm_movemask_epi8(good));
#else
	size_t i = 0;

	while (i < FRONT_BYTES && pattern[i] == front[i] && pattern[i] != '{' && pattern[i] != '\0')
		i++;
	return i;
#endif
}

/* An empty segment is one like any other, but a path that ends in "/" ends in no segment: so
 * "/v1/workers//stop" has an empty parameter, and "/v1/workers/" matches nothing (contract 2.2). */
static bool is_match(struct wr_view *parameters, const char *pattern, size_t common,
		     struct wr_view path)
{
	const char *at = path.data + common, *end = path.data + path.bytes;
	struct wr_view *parameter = parameters;

	for (pattern += common;; pattern += 2) {
		const char *start;

		/* A pattern ends at its zero, also when a path has one there. */
		while (at < end && *at == *pattern && *pattern != '{' && *pattern != '\0') {
			at++;
			pattern++;
		}
		if (at == end || *pattern != '{')
			return at == end && *pattern == '\0';
		wr_assert(parameter < parameters + WR_HTTP_ROUTE_PARAMETER_COUNT_MAX);
		start = at;
		at = memchr(at, '/', (size_t)(end - at));
		if (at == NULL)
			at = end;
		*parameter++ = wr_view_of(start, (size_t)(at - start));
	}
}

/* The second byte tells most patterns and paths apart. */
static inline bool is_near(const char *pattern, const char *front)
{
	return pattern[1] == front[1] || pattern[1] == '{';
}

/* Matches what the front does not rule out already. */
static inline bool is_like(struct wr_view *parameters, const char *pattern, const char *front,
			   struct wr_view path)
{
	size_t common = common_bytes(pattern, front);

	if (common < FRONT_BYTES && pattern[common] != '{')
		return common == path.bytes && pattern[common] == '\0';
	return is_match(parameters, pattern, common, path);
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

/* No route serves the method: are there any for the path? */
static enum wr_status find_others(struct wr_http_match *match, const struct wr_http_route *routes,
				  size_t count, const char *front, struct wr_view path)
{
	unsigned methods = 0;

	for (size_t i = 0; i < count; i++)
		if (is_like(match->parameters, routes[i].pattern, front, path))
			methods |= 1u << routes[i].method;
	if (methods == 0)
		return WR_NOT_FOUND;
	if ((methods >> WR_HTTP_METHOD_GET & 1) != 0)
		methods |= 1u << WR_HTTP_METHOD_HEAD;
	write_allow(match->allow, sizeof match->allow, methods);
	return WR_UNSUPPORTED;
}

enum wr_status wr_http_route_find(struct wr_http_match *match, const struct wr_http_route *routes,
				  size_t count, enum wr_http_method method, struct wr_view path)
{
	enum wr_http_method served = method == WR_HTTP_METHOD_HEAD ? WR_HTTP_METHOD_GET : method;
	char front[FRONT_BYTES] = {0};
	const struct wr_http_route *end = routes + count;

	if (path.bytes != 0)
		memcpy(front, path.data, path.bytes < FRONT_BYTES ? path.bytes : FRONT_BYTES);
	for (const struct wr_http_route *route = routes; route < end; route++) {
		if (!is_near(route->pattern, front) ||
		    (route->method != method && route->method != served) ||
		    !is_like(match->parameters, route->pattern, front, path))
			continue;
		match->handler = route->handler;
		match->allow[0] = '\0';
		return WR_OK;
	}
	return find_others(match, routes, count, front, path);
}
