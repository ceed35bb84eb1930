/*
 * Targets: split, decoded, taken apart as a query, matched with routes. Options: variant (0: split;
 * 1: decode; 2: query; 3: route, whose method follows).
 *
 * A second parser says the same; what was encoded comes back; parts lie in the input and together
 * are all of it; a route is what matching segment by segment finds.
 */
#include "bytes/utf8.h"
#include "check.h"
#include "codec/http/route.h"
#include "codec/http/target.h"
#include "fuzz.h"
#include "naive/target.h"

static void check_split(struct wr_view text)
{
	struct wr_http_target target = {WR_VIEW_NULL, WR_VIEW_NULL};
	struct naive_target naive;
	enum wr_status status = wr_http_target_split(&target, text);

	CHECK_STATUS(status, naive_target_split(&naive, text) ? WR_OK : WR_SYNTAX);
	if (status != WR_OK)
		return;
	if (naive.path_bytes != 0) {
		CHECK(fuzz_lies_in(target.path, text));
		CHECK_VIEW(target.path, wr_view_of(text.data + naive.path, naive.path_bytes));
	} else {
		CHECK_STRING(target.path, "/");
	}
	CHECK((target.query.data == NULL) == (naive.query == SIZE_MAX));
	if (naive.query == SIZE_MAX)
		return;
	CHECK(fuzz_lies_in(target.query, text));
	CHECK_VIEW(target.query, wr_view_of(text.data + naive.query, naive.query_bytes));
}

static void check_decode(struct wr_view text, bool is_form)
{
	static char out[NAIVE_TEXT_BYTES], expected[NAIVE_TEXT_BYTES];
	size_t bytes = 0, expected_bytes = naive_percent_decode(expected, text, is_form);
	enum wr_status status = wr_http_percent_decode(out, &bytes, text, is_form);
	struct wr_view decoded = wr_view_of(out, bytes);

	CHECK(bytes <= text.bytes);
	CHECK_VIEW(decoded, wr_view_of(expected, expected_bytes));
	CHECK_STATUS(status, wr_utf8_is_valid(decoded) ? WR_OK : WR_ENCODING);
}

/* Also of bytes that are no text. */
static void check_encode(struct wr_view text)
{
	static char out[3 * NAIVE_TEXT_BYTES];
	struct wr_buf encoded;
	size_t bytes = 0;

	wr_buf_init(&encoded, wr_test_allocator(), 3 * NAIVE_TEXT_BYTES);
	CHECK_STATUS(wr_http_percent_encode(&encoded, text), WR_OK);
	for (size_t i = 0; i < encoded.bytes; i++)
		CHECK(strchr(NAIVE_UNRESERVED "%", encoded.data[i]) != NULL &&
		      encoded.data[i] != '\0');
	CHECK_STATUS(wr_http_percent_decode(out, &bytes, wr_buf_view(&encoded), true),
		     wr_utf8_is_valid(text) ? WR_OK : WR_ENCODING);
	CHECK_VIEW(wr_view_of(out, bytes), text);
	wr_buf_deinit(&encoded);
}

/* Parameters with what separates them are the query again. */
static void check_query(struct wr_view text)
{
	struct wr_view rest = text, name, value;
	size_t at = 0;

	for (;;) {
		bool has_one = wr_http_query_next(&rest, &name, &value);

		while (at < text.bytes && text.data[at] == '&')
			at++;
		if (!has_one)
			break;
		CHECK(fuzz_lies_in(rest, text));
		CHECK(name.data == text.data + at);
		CHECK(name.bytes == 0 || (memchr(name.data, '&', name.bytes) == NULL &&
					  memchr(name.data, '=', name.bytes) == NULL));
		at += name.bytes;
		if (value.data != NULL) {
			CHECK(text.data[at] == '=' && value.data == text.data + at + 1);
			CHECK(value.bytes == 0 || memchr(value.data, '&', value.bytes) == NULL);
			at += 1 + value.bytes;
		}
		CHECK(at == text.bytes || text.data[at] == '&');
	}
	CHECK_U64(at, text.bytes);
	CHECK_U64(rest.bytes, 0);
}

static const struct wr_http_route routes[] = {
	{WR_HTTP_METHOD_GET, "/v1/workers", 1},
	{WR_HTTP_METHOD_POST, "/v1/workers", 2},
	{WR_HTTP_METHOD_GET, "/v1/workers/{}", 3},
	{WR_HTTP_METHOD_POST, "/v1/workers/{}/input", 4},
	{WR_HTTP_METHOD_DELETE, "/v1/workers/{}/input", 5},
	{WR_HTTP_METHOD_GET, "/{}/b/{}", 6},
	{WR_HTTP_METHOD_GET, "/", 7},
	{WR_HTTP_METHOD_PUT, "/v1/workers/x", 8},
};

/* Segment by segment; parameters as views. */
static bool naive_match(struct wr_view *parameters, const char *pattern, struct wr_view path)
{
	const char *end = path.data + path.bytes, *at = path.data;
	unsigned count = 0;

	for (;;) {
		size_t part = strcspn(pattern, "/"), here = 0;

		while (at + here < end && at[here] != '/')
			here++;
		if (part == 2 && pattern[0] == '{') {
			/* A path that ends in "/" ends in no segment. */
			if (at == end)
				return false;
			parameters[count++] = wr_view_of(at, here);
		} else if (!wr_view_equal(wr_view_of(pattern, part), wr_view_of(at, here))) {
			return false;
		}
		pattern += part;
		at += here;
		if (*pattern == '\0' || at == end)
			return *pattern == '\0' && at == end;
		pattern++;
		at++;
	}
}

static void check_route(enum wr_http_method method, struct wr_view path)
{
	enum wr_http_method served = method == WR_HTTP_METHOD_HEAD ? WR_HTTP_METHOD_GET : method;
	struct wr_view parameters[WR_HTTP_ROUTE_PARAMETER_COUNT_MAX];
	struct wr_http_match match = {.handler = 0};
	enum wr_status status = wr_http_route_find(&match, routes, WR_COUNT(routes), method, path);
	bool is_there = false;

	for (size_t i = 0; i < WR_COUNT(routes); i++) {
		if (!naive_match(parameters, routes[i].pattern, path))
			continue;
		is_there = true;
		if (routes[i].method != served)
			continue;
		CHECK_STATUS(status, WR_OK);
		CHECK(match.handler == routes[i].handler);
		for (const char *at = strchr(routes[i].pattern, '{'), *first = at; at != NULL;
		     at = strchr(at + 1, '{')) {
			unsigned n = at == first ? 0 : 1;
			CHECK(fuzz_lies_in(match.parameters[n], path));
			CHECK_VIEW(match.parameters[n], parameters[n]);
		}
		return;
	}
	CHECK_STATUS(status, is_there ? WR_UNSUPPORTED : WR_NOT_FOUND);
	CHECK(!is_there || match.allow[0] != '\0');
}

void fuzz_one(struct wr_view input)
{
	uint8_t variant = fuzz_u8(&input) % 4;
	uint8_t method = variant == 3 ? fuzz_u8(&input) : 0;

	if (input.bytes > NAIVE_TEXT_BYTES)
		return;
	input = wr_test_guarded(0, input);
	if (variant == 0) {
		check_split(input);
	} else if (variant == 1) {
		check_decode(input, true);
		check_decode(input, false);
		check_encode(input);
	} else if (variant == 2) {
		check_query(input);
	} else {
		/* Only what a target can be is matched. */
		for (size_t i = 0; i < input.bytes; i++)
			if (input.data[i] < 0x21 || input.data[i] > 0x7e)
				return;
		check_route((enum wr_http_method)(method % (WR_HTTP_METHOD_CONNECT + 1u)), input);
	}
}
