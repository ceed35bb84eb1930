/*
 * store_json — what GET /v1/runtime says of where the log is kept (reliability 4.7): an additional
 * member, which old clients pass over.
 */
#ifndef WR_WIRE_STORE_JSON_H
#define WR_WIRE_STORE_JSON_H

#include "bytes/view.h"
#include "codec/json/writer.h"

#include <stdbool.h>
#include <stdint.h>

/* Filled by whoever has the store; all zeros: memory only. */
struct wr_store_report {
	bool is_kept;		/* on a disk; else nothing below counts */
	const char *durability; /* "always", "interval", "never" */
	uint64_t interval_ms;	/* of "interval" */
	const char *state;	/* "ok", "full", "failed" */
	uint64_t bytes, bytes_max;
	uint64_t segment_count;
	uint64_t durable_sequence;
	uint64_t scrub_count, scrubbed_bytes; /* passes of the slow scrub; what it has read */
	/* What the last start found. */
	const char *recovery; /* "new", "clean", "unclean", "torn", "damaged" */
	struct wr_view file;  /* where the tear or the first damage is; absent: nowhere */
	uint64_t offset, bytes_there;
	uint64_t record_count, last_sequence;
	uint64_t quarantined_count;
	bool is_maybe_incomplete;
};

/* Its value. */
void wr_store_json(struct wr_json_writer *writer, const struct wr_store_report *report);

#endif
