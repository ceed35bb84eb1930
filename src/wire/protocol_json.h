/*
 * protocol_json — a protocol event coming in (contract 4): checked member by member against one
 * table.
 *
 * What core has a use for becomes a typed output; every other known event becomes WR_OUTPUT_OPAQUE
 * with its data as (validated, minified or verbatim) JSON text without unknown-event tolerance: old
 * Backends close on names they do not know.
 */
#ifndef WR_WIRE_PROTOCOL_JSON_H
#define WR_WIRE_PROTOCOL_JSON_H

#include "bytes/buf.h"
#include "core/event.h"
#include "status.h"

/* Reads one {"event":NAME,"data":{...}}. Views point into `texts` (reset first) or `json`. WR_OK;
 * WR_SYNTAX, WR_ENCODING, WR_TOO_LARGE; WR_INVALID (unknown name, wrong types, missing member),
 * with a static detail; WR_NO_MEMORY. */
enum wr_status wr_protocol_event_read(struct wr_output *out, struct wr_buf *texts,
				      struct wr_view json, struct wr_error *error);

#endif
