/* limit_process — what this process gives up at its start, and what it may use. */
#ifndef WR_RUNTIME_SERVER_LIMIT_PROCESS_H
#define WR_RUNTIME_SERVER_LIMIT_PROCESS_H

#include "runtime_server/config.h"

/* No new privileges, no core files, no reading of our memory by others of our user; as many
 * descriptors as the hard limit gives, and no more connections than they leave (reliability 8, 13).
 * The descriptors 0 to 2 are there afterwards. With `exec` orphans of our children become ours. */
void wr_limit_process(struct wr_config *config);

#endif
