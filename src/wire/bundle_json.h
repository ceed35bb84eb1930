/*
 * bundle_json — config bundles on the wire (contract 9), for both ends: a Bundle read from a
 * request and written into one, what a Runtime answers, and that answer read by a client.
 *
 * Reading follows the rules of command_json.h: views point into the body and `texts`. What a bundle
 * says is judged by core (config_bundle.h), not here.
 */
#ifndef WR_WIRE_BUNDLE_JSON_H
#define WR_WIRE_BUNDLE_JSON_H

#include "bytes/buf.h"
#include "codec/json/writer.h"
#include "core/config_bundle.h"
#include "status.h"

/* {"bundle":Bundle}. WR_OK; WR_SYNTAX, WR_ENCODING, WR_INVALID, WR_TOO_LARGE (depth);
 * WR_NO_MEMORY. */
enum wr_status wr_bundle_json_read(struct wr_config_bundle *out, struct wr_buf *texts,
				   struct wr_view body, struct wr_error *error);
/* Appends the same. */
void wr_bundle_json_write(struct wr_buf *out, const struct wr_config_bundle *bundle);

/* What is told of a bundle: all of it but its rows. */
struct wr_bundle_summary {
	struct wr_view id, digest, revision, workspace_id, created_at;
	struct wr_view source, detail; /* detail may be absent */
	uint64_t profile_count, declaration_count;
};

struct wr_bundle_summary wr_bundle_summary_of(const struct wr_config_bundle *bundle);

/* Summary; and {"reference":{"id","digest"},"summary":Summary}. */
void wr_bundle_summary_json(struct wr_json_writer *writer, const struct wr_bundle_summary *summary);
void wr_bundle_availability_json(struct wr_json_writer *writer,
				 const struct wr_bundle_summary *summary);

/* {"availability":{...}} as an answer that is not trusted: reference and summary must name one
 * bundle, in a form that is one, by an algorithm that is ours, and its texts must be such that they
 * may be shown (wr_config_text_fault). Statuses as above; else WR_INVALID. */
enum wr_status wr_bundle_availability_read(struct wr_bundle_summary *out, struct wr_buf *texts,
					   struct wr_view body);

/* `digest` of a query, there once; decoded into `texts`. WR_OK, WR_INVALID; WR_NO_MEMORY,
 * WR_TOO_LARGE of `texts`. */
enum wr_status wr_digest_query_read(struct wr_view *digest, struct wr_buf *texts,
				    struct wr_view query);

#endif
