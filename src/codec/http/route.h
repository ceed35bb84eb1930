/*
 * http/route — a table of methods and path patterns.
 *
 * A pattern is a path in which "{}" stands for one non-empty or empty raw segment, for example
 * "/v1/workers/{}/input". Matching is exact on raw bytes: no decoding, no case folding, no trailing
 * slash. The table is constant data of the program; the handler is an index the program switches on
 * or uses itself.
 */
#ifndef WR_CODEC_HTTP_ROUTE_H
#define WR_CODEC_HTTP_ROUTE_H

#include "bytes/view.h"
#include "codec/http/head.h"
#include "status.h"

enum { WR_HTTP_ROUTE_PARAMETER_COUNT_MAX = 3, WR_HTTP_ROUTE_PATTERN_BYTES = 40 };

struct wr_http_route {
	enum wr_http_method method;		   /* GET also serves HEAD */
	char pattern[WR_HTTP_ROUTE_PATTERN_BYTES]; /* a string: padded with zeros */
	int handler;
};

struct wr_http_match {
	int handler;
	struct wr_view parameters[WR_HTTP_ROUTE_PARAMETER_COUNT_MAX]; /* raw segments, in order */
	/* After WR_UNSUPPORTED: value for Allow, e.g. "GET, HEAD, POST". */
	char allow[48];
};

/* WR_OK; WR_NOT_FOUND: no pattern has this path; WR_UNSUPPORTED: patterns do, but not with this
 * method (405). Several patterns may match a path: the first one in the table wins per method. */
enum wr_status wr_http_route_find(struct wr_http_match *match, const struct wr_http_route *routes,
				  size_t count, enum wr_http_method method, struct wr_view path);

#endif
