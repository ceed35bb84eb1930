/* limit_process — what this process gives up at its start, and what it may use. */
#ifndef WR_HOST_LIMIT_PROCESS_H
#define WR_HOST_LIMIT_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* No new privileges, no core files, no reading of our memory by others of our user; as many
 * descriptors as the hard limit gives, and no more children and connections than they leave
 * (reliability 8, 13): both numbers are lowered to that. The descriptors 0 to 2 are there
 * afterwards. With `has_exec` there will be children, and orphans of them become ours; with
 * `has_models` connections of our own. */
void wr_limit_process(uint64_t *children_max, uint64_t *connections_max, bool has_exec,
		      bool has_models);

#endif
