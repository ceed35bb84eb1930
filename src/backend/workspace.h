/*
 * workspace — who the workspace is: its folder and WORKSPACE/.yoi/workspace.toml, which is made at
 * the first start (contract 8.14).
 *
 * The file is made whole or not at all, and never replaced: what stands in it is for its user, and
 * whatever is not understood is an error that names its line.
 */
#ifndef WR_BACKEND_WORKSPACE_H
#define WR_BACKEND_WORKSPACE_H

#include "bytes/buf.h"

#include <stdbool.h>

enum {
	WR_WORKSPACE_ID_BYTES = 36,
	WR_WORKSPACE_TIME_BYTES_MAX = 40,
	WR_WORKSPACE_NAME_BYTES_MAX = 256,
	WR_WORKSPACE_ROOT_BYTES_MAX = 4096 /* with a NUL */
};

struct wr_workspace {
	struct wr_view workspace_id; /* a UUIDv7, in lower case */
	struct wr_view created_at;   /* RFC 3339, in UTC: ends in Z */
	struct wr_view display_name; /* not blank, no control characters */
	const char *root;	     /* absolute, without links. Never told */
	char id_storage[WR_WORKSPACE_ID_BYTES];
	char time_storage[WR_WORKSPACE_TIME_BYTES_MAX];
	char name_storage[WR_WORKSPACE_NAME_BYTES_MAX];
	char root_storage[WR_WORKSPACE_ROOT_BYTES_MAX];
};

/* Reads or makes the file. False: `message` says what, where and why. `out`, which is lent by its
 * own views, must not be moved. */
bool wr_workspace_open(struct wr_workspace *out, const char *root, struct wr_buf *message);

#endif
