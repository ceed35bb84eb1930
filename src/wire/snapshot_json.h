/*
 * snapshot_json — the frames that are made for one subscriber: snapshots and diagnostics
 * (contract 3.3, 3.5, 3.6, 3.9). Each call but one appends one finished, unmasked, final text frame
 * to `out`.
 */
#ifndef WR_WIRE_SNAPSHOT_JSON_H
#define WR_WIRE_SNAPSHOT_JSON_H

#include "core/runtime.h"
#include "wire/worker_json.h"

/* A Worker's snapshot: cursor = `sequence`, its watermark; entries from the newest transcript items
 * (bounded: WR_SNAPSHOT_ENTRY_*), from memory or store; status from the phase, in_flight. Where the
 * store is damaged or cannot be read the entries begin behind that place: `entries_truncated` is
 * true, and `entries_error` has code and message. With WR_COMPAT_YOI_2026_06 the entries are empty,
 * and the cursor is the one the client resumed from. Status of the buffer. */
enum wr_status wr_worker_snapshot_frame(struct wr_buf *out, struct wr_runtime *runtime,
					const struct wr_worker *worker, uint64_t sequence,
					enum wr_compat compat);

/* The payload of that frame alone, {"event":"snapshot","data":{...}}: for a Backend's envelope.
 * After a failure the buffer has a part of it. Status of the buffer. */
enum wr_status wr_worker_snapshot_payload(struct wr_buf *out, struct wr_runtime *runtime,
					  const struct wr_worker *worker, enum wr_compat compat);

/* The runtime-wide snapshot: at most WR_SNAPSHOT_WORKER_COUNT_MAX Workers or WR_SNAPSHOT_BYTES_MAX.
 */
enum wr_status wr_runtime_snapshot_frame(struct wr_buf *out, const struct wr_runtime *runtime,
					 uint64_t sequence, enum wr_compat compat);

/* A diagnostic; `reason` is detail.reason or absent, `oldest` the oldest usable cursor or absent.
 */
enum wr_status wr_diagnostic_frame(struct wr_buf *out, struct wr_view code, struct wr_view message,
				   struct wr_view reason, struct wr_view oldest);

/* The diagnostic before Close 1011: the store could not be read (WR_CORRUPT, else WR_IO). */
enum wr_status wr_store_failure_frame(struct wr_buf *out, enum wr_status why);

/* The diagnostic for a refused cursor: code, message and reason from the outcome of
 * wr_runtime_judge_cursor; for WR_EXPIRED with the oldest usable cursor of the scope. */
enum wr_status wr_cursor_refusal_frame(struct wr_buf *out, const struct wr_runtime *runtime,
				       uint32_t worker, enum wr_status outcome, uint64_t oldest);

#endif
