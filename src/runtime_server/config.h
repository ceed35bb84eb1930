/*
 * config — the command line of worker-runtime: one table of flags, their values, help.
 *
 * `--flag VALUE` and `--flag=VALUE` mean the same, the later of two wins, those that may repeat add
 * up. Sizes take K, M and G (KiB, MiB, GiB). Texts are borrowed from argv.
 */
#ifndef WR_RUNTIME_SERVER_CONFIG_H
#define WR_RUNTIME_SERVER_CONFIG_H

#include "bytes/buf.h"
#include "io/net/address.h"
#include "runtime_server/guard.h"

#include <stdbool.h>
#include <stdint.h>

enum wr_store_kind { WR_STORE_MEMORY, WR_STORE_FS };
enum wr_exec_mode { WR_EXEC_LINE, WR_EXEC_JSONL };
enum wr_on_store_failure { WR_ON_STORE_FAILURE_EXIT, WR_ON_STORE_FAILURE_READONLY };

/* What --durability says: `always`, `interval=MS` or `never`. */
struct wr_durability_setting {
	uint64_t kind; /* enum wr_durability of io/store/fs_store.h */
	uint64_t interval_ms;
};

struct wr_disk;

/* Every number is 64 bits wide, so that one table can say where it goes. */
struct wr_config {
	const char *bind;
	struct wr_address address; /* what `bind` says */
	const char *runtime_id, *display_name;
	uint64_t store; /* enum wr_store_kind */
	const char *fs_root;
	struct wr_durability_setting durability;
	uint64_t fs_bytes, fs_segment_bytes;
	uint64_t on_store_failure;  /* enum wr_on_store_failure */
	const struct wr_disk *disk; /* no flag: of a test; NULL: the system's */
	const char *local_token, *local_token_env, *token_file;
	struct wr_texts origins, hosts;
	const char *exec;
	uint64_t exec_mode; /* enum wr_exec_mode */
	uint64_t children_max;
	uint64_t transcript_items_max, event_batch_items_max;
	uint64_t worker_retention_events, worker_retention_bytes;
	uint64_t retention_events, retention_bytes;
	uint64_t worker_transcript_bytes, transcript_bytes;
	uint64_t memory_max; /* 0: no limit */
	uint64_t workers_max, connections_max;
	uint64_t idle_ms, head_ms, body_ms, send_ms, ping_ms, drain_ms;
	uint64_t compat;    /* enum wr_compat */
	uint64_t log_level; /* enum wr_log_level */
	bool wants_help, wants_version, wants_print;
};

/* Reads the command line. False: what is wrong was appended to `message`. Asked for help or version
 * it looks no further. */
bool wr_config_parse(struct wr_config *self, struct wr_buf *message, int argc,
		     const char *const *argv);

/* Overwrites the values of secret flags in argv, where other users could read them; call it when
 * they have been used. */
void wr_config_wipe_secrets(struct wr_config *self, int argc, char **argv);

/* What --help prints; the short form for usage errors. */
void wr_config_help(struct wr_buf *out);
void wr_config_usage(struct wr_buf *out);

/* Every flag with its effective value, one a line as it could be given; secrets are hidden. */
void wr_config_print(const struct wr_config *self, struct wr_buf *out);

#endif
