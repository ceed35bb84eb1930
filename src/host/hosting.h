/*
 * hosting — how a Runtime is hosted by a program of ours: the settings that worker-runtime and the
 * embedded Runtime of workspace-server share.
 *
 * Their flags and their keys in a configuration file are one table (hosting_options.h). Numbers are
 * 64 bits wide, so that a table can say where they go. Texts are borrowed for life.
 */
#ifndef WR_HOST_HOSTING_H
#define WR_HOST_HOSTING_H

#include "core/runtime.h"
#include "host/profile_settings.h"

#include <stdint.h>

enum wr_store_kind { WR_STORE_MEMORY, WR_STORE_FS };
enum wr_exec_mode { WR_EXEC_LINE, WR_EXEC_JSONL };
enum wr_on_store_failure { WR_ON_STORE_FAILURE_EXIT, WR_ON_STORE_FAILURE_READONLY };

/* `always`, `interval=MS` or `never`. */
struct wr_durability_setting {
	uint64_t kind; /* enum wr_durability of io/store/fs_store.h */
	uint64_t interval_ms;
};

struct wr_disk;

struct wr_hosting {
	const char *runtime_id, *display_name; /* NULL: not given */
	uint64_t store;			       /* enum wr_store_kind */
	const char *fs_root;
	struct wr_durability_setting durability;
	uint64_t fs_bytes, fs_segment_bytes;
	uint64_t on_store_failure;  /* enum wr_on_store_failure */
	const struct wr_disk *disk; /* no option: of a test; NULL: the system's */
	const char *exec;
	uint64_t exec_mode; /* enum wr_exec_mode */
	uint64_t children_max;
	const char *default_profile; /* name of the one that is the default */
	struct wr_profile_setting profiles[WR_PROFILE_COUNT_MAX];
	uint32_t profile_count;
	/* No options: found by wr_hosting_is_sound. What is run without a name (NULL: the program
	 * of `exec`, or nothing), and the file that the profiles stand in, for messages. */
	const struct wr_profile_setting *default_setting;
	const char *profile_file;
	uint64_t workers_max;
	uint64_t transcript_items_max, event_batch_items_max;
	uint64_t worker_retention_events, worker_retention_bytes;
	uint64_t retention_events, retention_bytes;
	uint64_t worker_transcript_bytes, transcript_bytes;
};

/* Whether any Worker is run by a program; by a model. */
bool wr_hosting_has_programs(const struct wr_hosting *self);
bool wr_hosting_has_models(const struct wr_hosting *self);

/* What a Runtime is made with. */
struct wr_runtime_config wr_hosting_runtime_config(const struct wr_hosting *self);
/* Fills the ports that are the same for every Runtime of ours: memory, clocks, entropy. There are
 * none of the others yet. */
void wr_hosting_ports(struct wr_runtime_ports *ports, struct wr_allocator *allocator);

#endif
