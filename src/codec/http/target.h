/*
 * http/target — a request target in origin form (RFC 9112 3.2.1): path segments and query
 * parameters.
 *
 * The target is split first and decoded once afterwards. Matching is done on the raw path: percent
 * signs in fixed parts are not decoded (they match nothing), and so a decoded "/" or ".." can never
 * change the route.
 */
#ifndef WR_CODEC_HTTP_TARGET_H
#define WR_CODEC_HTTP_TARGET_H

#include "bytes/buf.h"
#include "bytes/view.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

struct wr_http_target {
	struct wr_view path;  /* raw, begins with "/"; of ours, static, when the target has none */
	struct wr_view query; /* raw, without "?"; absent when there is no "?" */
};

/* Splits. Absolute form ("http://host/path") is accepted and its authority dropped, as RFC
 * 9112 3.2.2 asks of servers; "*" and authority form are WR_SYNTAX, as are bytes that a target
 * cannot have (controls, space, non-ASCII, a fragment). */
enum wr_status wr_http_target_split(struct wr_http_target *out, struct wr_view target);

/* Decodes %XX in `text` into `out` (room for text.bytes); *bytes is the length. An undecodable
 * "%zz" stays literal (contract 2.2). With is_form, "+" is a space (query parameters). WR_OK, or
 * WR_ENCODING when the result is not UTF-8. */
enum wr_status wr_http_percent_decode(char *out, size_t *bytes, struct wr_view text, bool is_form);

/* Appends `text` with everything but unreserved characters (RFC 3986 2.3) as %XX. */
enum wr_status wr_http_percent_encode(struct wr_buf *out, struct wr_view text);

/* One step through a query: takes the first parameter off *rest; name and value are raw views
 * (value is absent when there was no "="). False when none is left. */
bool wr_http_query_next(struct wr_view *rest, struct wr_view *name, struct wr_view *value);

#endif
