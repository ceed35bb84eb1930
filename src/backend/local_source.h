/*
 * local_source — a read-only view of the Worker metadata files of an older local tool (contract
 * 8.12): the handle `local_compatibility`, id `local-worker-runtime`.
 *
 * Files are read when somebody asks, at once and bounded (local_workers.h); what a list has found
 * serves for a second, so that many browsers cost no more than one.
 */
#ifndef WR_BACKEND_LOCAL_SOURCE_H
#define WR_BACKEND_LOCAL_SOURCE_H

#include "backend/runtime_handle.h"

enum { WR_LOCAL_LIST_MS = 1000 };

struct wr_local_config {
	struct wr_view data_folder;    /* absent: there is none to look into. Copied */
	struct wr_view workspace_root; /* canonical path of the workspace. Copied, never told */
	struct wr_view workspace_id;   /* of the host's id. Copied */
	uint64_t (*now_ms)(void);      /* NULL: the monotonic clock */
};

/* The data folder by the environment (YOI_DATA_DIR, else YOI_HOME, else $HOME/.yoi), or absent. An
 * empty variable is one that is not set. */
struct wr_view wr_local_data_folder(const char *data_dir, const char *home_dir, const char *home,
				    struct wr_buf *out);

/* WR_OK, WR_NO_MEMORY. */
enum wr_status wr_local_source_new(struct wr_runtime_handle **out, struct wr_allocator *allocator,
				   const struct wr_local_config *config);

#endif
