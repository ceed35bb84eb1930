/*
 * browser_json — what browsers are told of Runtimes, hosts and Workers (contract 8.1, 8.3, 8.4).
 *
 * Each function writes one value. Members stand in the contract's order; ours come behind those of
 * the contract. What depends on the kind of a source only is known here, as one table.
 */
#ifndef WR_BACKEND_BROWSER_JSON_H
#define WR_BACKEND_BROWSER_JSON_H

#include "backend/runtime_handle.h"
#include "codec/json/writer.h"

/* Whose Worker it is. Views are borrowed. */
struct wr_browser_source {
	enum wr_source_kind kind;
	struct wr_view runtime_id, host_id;
};

/* RuntimeSummary and HostSummary. `limit` is that of lists, which the contract shows as
 * max_workers. */
void wr_browser_runtime_write(struct wr_json_writer *out,
			      const struct wr_runtime_overview *overview, uint32_t limit);
void wr_browser_host_write(struct wr_json_writer *out, const struct wr_runtime_overview *overview,
			   uint32_t limit, int64_t wall_ms);
/* WorkerSummary. */
void wr_browser_worker_write(struct wr_json_writer *out, const struct wr_browser_source *source,
			     const struct wr_worker_overview *worker);

/* The wrapper of a list: the items stand between the two. */
void wr_browser_list_begin(struct wr_json_writer *out, struct wr_view workspace_id, uint32_t limit);
void wr_browser_list_end(struct wr_json_writer *out, const struct wr_notices *notices);

/* Results of operations: of the outcomes ACCEPTED, REJECTED and UNSUPPORTED. `worker` is a finished
 * WorkerSummary, or absent. */
void wr_browser_spawn_write(struct wr_json_writer *out, const struct wr_source_result *result,
			    struct wr_view worker);
void wr_browser_input_write(struct wr_json_writer *out, const struct wr_source_result *result,
			    struct wr_view runtime_id, struct wr_view worker_id);
void wr_browser_lifecycle_write(struct wr_json_writer *out, const struct wr_source_result *result,
				struct wr_view runtime_id, struct wr_view worker_id);

/* `availability` is that of the bundle, finished, or absent. */
void wr_browser_bundle_write(struct wr_json_writer *out, const struct wr_source_result *result,
			     struct wr_view availability);

/* One item of a transcript; and the page, whose items stand between the two. */
void wr_browser_entry_write(struct wr_json_writer *out, const struct wr_transcript_entry *entry);
void wr_browser_transcript_begin(struct wr_json_writer *out, const struct wr_source_result *result,
				 struct wr_view runtime_id, struct wr_view worker_id);
void wr_browser_transcript_end(struct wr_json_writer *out, const struct wr_source_result *result);

/* What is told of the workspace: never its place. */
struct wr_browser_workspace {
	struct wr_view workspace_id, display_name;
	bool is_token_configured;
	bool has_streams; /* some source has */
};
void wr_browser_workspace_write(struct wr_json_writer *out,
				const struct wr_browser_workspace *workspace);

#endif
