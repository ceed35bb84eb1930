/*
 * backend/config — what workspace-server can be told: its options as tables (host/options.h), and
 * the remote Runtimes that only its configuration file can name.
 */
#ifndef WR_BACKEND_CONFIG_H
#define WR_BACKEND_CONFIG_H

#include "backend/remotes.h"
#include "host/hosting.h"
#include "host/options.h"
#include "host/serving.h"

struct wr_backend_config {
	struct wr_serving serving;
	struct wr_hosting embedded;
	const char *workspace;
	bool has_no_embedded, has_no_local;
	uint64_t list_ms;
	uint64_t mirror_bytes;
	struct wr_remote_setting remotes[WR_REMOTE_COUNT_MAX];
	uint32_t remote_count;
};

extern const struct wr_options wr_backend_options;

#endif
