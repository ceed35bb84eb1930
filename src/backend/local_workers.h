/*
 * local_workers — the Workers of an older local tool, as its folder tells them now (contract 8.12).
 *
 * A folder per Worker. Reading is bounded: so many folders, lowest names first, and so many bytes
 * of each; what cannot be read or belongs to another workspace leaves a notice. Whether a Worker
 * still runs is not known.
 */
#ifndef WR_BACKEND_LOCAL_WORKERS_H
#define WR_BACKEND_LOCAL_WORKERS_H

#include "backend/runtime_handle.h"
#include "io/folder.h"

enum { WR_LOCAL_WORKER_COUNT_MAX = 200, WR_LOCAL_FILE_BYTES_MAX = 65536 };

struct wr_local_place {
	struct wr_allocator *allocator;
	const char *folder;	       /* which has the folders */
	struct wr_view workspace_root; /* only its Workers are shown */
};

/* Private: its texts stand one after the other. */
struct wr_local_worker {
	uint32_t start;
	uint16_t bytes[6];
	bool has_role, has_profile, is_active, has_segment;
};

/* Placed by the caller; private but for count and notices. */
struct wr_local_workers {
	struct wr_notices notices;
	uint32_t count;
	struct wr_local_worker items[WR_LOCAL_WORKER_COUNT_MAX];
	struct wr_buf texts;
};

void wr_local_workers_init(struct wr_local_workers *self, struct wr_allocator *allocator);
void wr_local_workers_deinit(struct wr_local_workers *self);

/* Replaces the content by all Workers of the place, in byte order of their folders' names. WR_OK,
 * also when there is no such folder (a notice says so); WR_NO_MEMORY: there is no content. */
enum wr_status wr_local_workers_read(struct wr_local_workers *self,
				     const struct wr_local_place *place);

/* Replaces the content by one Worker. WR_OK; WR_NOT_FOUND: it cannot be shown, or there is none;
 * WR_NO_MEMORY. */
enum wr_status wr_local_workers_read_one(struct wr_local_workers *self,
					 const struct wr_local_place *place, const char *name);

/* The name of the folder that an id is made of: every one is tried. WR_OK, WR_NOT_FOUND. */
enum wr_status wr_local_workers_find(char name[WR_FOLDER_NAME_BYTES_MAX + 1],
				     const struct wr_local_place *place, struct wr_view worker_id);

/* Views are lent until the next change. */
void wr_local_workers_overview(const struct wr_local_workers *self, uint32_t index,
			       struct wr_worker_overview *out);
struct wr_view wr_local_workers_id(const struct wr_local_workers *self, uint32_t index);
struct wr_view wr_local_workers_name(const struct wr_local_workers *self, uint32_t index);

#endif
