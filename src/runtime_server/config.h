/* config — the settings of worker-runtime: its command line and its configuration file. */
#ifndef WR_RUNTIME_SERVER_CONFIG_H
#define WR_RUNTIME_SERVER_CONFIG_H

#include "host/hosting.h"
#include "host/options.h"
#include "host/serving.h"

struct wr_config {
	struct wr_serving serving;
	struct wr_hosting hosting;
	uint64_t compat; /* enum wr_compat */
};

extern const struct wr_options wr_config_options;

#endif
