/* reference_json — how answers and frames name things: a Worker, a place in the log. */
#ifndef WR_WIRE_REFERENCE_JSON_H
#define WR_WIRE_REFERENCE_JSON_H

#include "codec/json/writer.h"
#include "core/runtime.h"

/* The member "worker_ref":{"runtime_id","worker_id"}. */
void wr_worker_ref_json(struct wr_json_writer *writer, struct wr_view runtime_id,
			struct wr_view worker_id);

/* The member "cursor" of a sequence in a scope: a Worker's number, or 0 for the whole Runtime. */
void wr_cursor_json(struct wr_json_writer *writer, const struct wr_runtime *runtime,
		    uint32_t worker, uint64_t sequence);

#endif
