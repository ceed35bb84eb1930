#include "runtime_server/flags.h"

#include "check.h"
#include "io/log.h"
#include "runtime_server/config.h"
#include "wire/worker_json.h"

/* What stands in the table between two groups. */
#define GROUP(title)            \
	{                       \
		.help = (title) \
	}
#define TEXT(n, v, k, field, h)                                      \
	{                                                            \
		.name = (n), .value = (v), .help = (h), .kind = (k), \
		.place = offsetof(struct wr_config, field)           \
	}
#define NUMBER(n, v, k, field, low, default_value, high, h)                            \
	{                                                                              \
		.name = (n), .value = (v), .help = (h), .kind = (k),                   \
		.place = offsetof(struct wr_config, field), .number = (default_value), \
		.min = (low), .max = (high)                                            \
	}
#define CHOICE(n, words, field, default_index, h)                                   \
	{                                                                           \
		.name = (n), .value = (words), .choices = (words), .help = (h),     \
		.kind = WR_FLAG_CHOICE, .place = offsetof(struct wr_config, field), \
		.number = (default_index)                                           \
	}
#define SWITCH(n, field, h)                                       \
	{                                                         \
		.name = (n), .help = (h), .kind = WR_FLAG_SWITCH, \
		.place = offsetof(struct wr_config, field)        \
	}

#define HOUR_MS ((uint64_t)3600000)
#define BYTES_MAX ((uint64_t)1 << 46)
/* A segment holds several records of any size. */
#define SEGMENT_BYTES_MIN ((uint64_t)5 << 20)
_Static_assert(SEGMENT_BYTES_MIN / 4 > WR_STORE_PAYLOAD_BYTES_MAX, "records fit a segment");

#if WR_FS_STORE
#define STORE_HELP "where the log is kept"
#else
#define STORE_HELP "where the log is kept (fs is not in this build)"
#endif

const struct wr_flag wr_flags[] = {
	GROUP("Serving"),
	TEXT("bind", "ADDR", WR_FLAG_ADDRESS, bind,
	     "IP:PORT, [v6]:PORT or unix:PATH (127.0.0.1:0: a free port)"),
	TEXT("runtime-id", "ID", WR_FLAG_NAME, runtime_id,
	     "id of this Runtime (made at random, or of the log)"),
	TEXT("display-name", "NAME", WR_FLAG_LABEL, display_name, "a label for people"),
	CHOICE("compat", "none|yoi-2026-06", compat, WR_COMPAT_NONE,
	       "speak to a Backend of that month"),

	GROUP("Access"),
	TEXT("token-file", "FILE", WR_FLAG_TEXT, token_file,
	     "lines `NAME SCOPES TOKEN` or `TOKEN`; SIGHUP reads it again"),
	TEXT("local-token-env", "NAME", WR_FLAG_TEXT, local_token_env,
	     "a token from this environment variable"),
	TEXT("local-token", "TOKEN", WR_FLAG_SECRET, local_token,
	     "a token that others may see while we start: rather use a file"),
	TEXT("allow-origin", "ORIGIN", WR_FLAG_LIST, origins,
	     "pages of this origin may ask us (may repeat)"),
	TEXT("allow-host", "HOST", WR_FLAG_LIST, hosts,
	     "further Host that is ours when there is no token (may repeat)"),

	GROUP("Workers"),
	TEXT("exec", "COMMAND", WR_FLAG_TEXT, exec,
	     "program that runs each Worker, without a shell (none: input is only kept)"),
	CHOICE("exec-mode", "line|jsonl", exec_mode, WR_EXEC_LINE,
	       "one message per line, or one JSON object per line"),
	NUMBER("max-children", "N", WR_FLAG_COUNT, children_max, 1, WR_CHILD_COUNT_MAX, 4096,
	       "programs running at once"),
	NUMBER("max-workers", "N", WR_FLAG_COUNT, workers_max, 0, WR_WORKER_COUNT_MAX, 1u << 24,
	       "Workers of this Runtime"),

	GROUP("Where it is kept"),
	CHOICE("store", "memory|fs|fs-store", store, WR_STORE_MEMORY, STORE_HELP),
	TEXT("fs-root", "DIR", WR_FLAG_FOLDER, fs_root, "folder of the fs store, which it implies"),
	TEXT("durability", "always|interval=MS|never", WR_FLAG_DURABILITY, durability,
	     "on the disk before an answer, within MS, or some time"),
	NUMBER("fs-bytes", "SIZE", WR_FLAG_BYTES, fs_bytes, 4 * SEGMENT_BYTES_MIN,
	       WR_STORE_BYTES_MAX, BYTES_MAX, "all files of the fs store"),
	NUMBER("fs-segment-bytes", "SIZE", WR_FLAG_BYTES, fs_segment_bytes, SEGMENT_BYTES_MIN,
	       WR_STORE_SEGMENT_BYTES, (uint64_t)1 << 30, "one file of it"),
	CHOICE("on-store-failure", "exit|readonly", on_store_failure, WR_ON_STORE_FAILURE_EXIT,
	       "when the disk fails: end with 1, or let it be read"),

	GROUP("How much is kept"),
	NUMBER("worker-retention-events", "N", WR_FLAG_COUNT, worker_retention_events, 1,
	       WR_WORKER_RETENTION_EVENTS, UINT32_MAX, "newest events kept of each Worker"),
	NUMBER("worker-retention-bytes", "SIZE", WR_FLAG_BYTES, worker_retention_bytes, 0,
	       WR_WORKER_RETENTION_BYTES, BYTES_MAX, "and bytes of them"),
	NUMBER("retention-events", "N", WR_FLAG_COUNT, retention_events, 1, WR_RETENTION_EVENTS,
	       UINT32_MAX, "events kept of all Workers together"),
	NUMBER("retention-bytes", "SIZE", WR_FLAG_BYTES, retention_bytes, 0, WR_RETENTION_BYTES,
	       BYTES_MAX, "and bytes of them"),
	NUMBER("worker-transcript-bytes", "SIZE", WR_FLAG_BYTES, worker_transcript_bytes, 0,
	       WR_WORKER_TRANSCRIPT_BYTES, BYTES_MAX, "transcript kept of each Worker"),
	NUMBER("transcript-bytes", "SIZE", WR_FLAG_BYTES, transcript_bytes, 0, WR_TRANSCRIPT_BYTES,
	       BYTES_MAX, "transcripts kept of all Workers together"),

	GROUP("Limits"),
	NUMBER("max-transcript-projection-items", "N", WR_FLAG_COUNT, transcript_items_max, 0,
	       WR_TRANSCRIPT_PAGE_ITEMS_MAX, UINT32_MAX, "items of one transcript page"),
	NUMBER("max-event-batch-items", "N", WR_FLAG_COUNT, event_batch_items_max, 0,
	       WR_EVENT_BATCH_ITEMS_MAX, UINT32_MAX, "events of one batch"),
	NUMBER("max-memory", "SIZE", WR_FLAG_BYTES, memory_max, 0, 0, BYTES_MAX,
	       "all memory; what goes beyond is refused (0: no limit)"),
	NUMBER("max-connections", "N", WR_FLAG_COUNT, connections_max, 1, WR_CONN_COUNT_MAX,
	       1u << 20, "connections; lowered to what the descriptor limit leaves"),

	GROUP("Times"),
	NUMBER("idle-ms", "MS", WR_FLAG_MS, idle_ms, 1, WR_HTTP_IDLE_MS_MAX, 24 * HOUR_MS,
	       "between two requests of a connection"),
	NUMBER("head-ms", "MS", WR_FLAG_MS, head_ms, 1, WR_HTTP_HEAD_MS_MAX, HOUR_MS,
	       "for the head of a request"),
	NUMBER("body-ms", "MS", WR_FLAG_MS, body_ms, 1, WR_HTTP_BODY_MS_MAX, HOUR_MS,
	       "for its body, then 1 KiB a second"),
	NUMBER("send-ms", "MS", WR_FLAG_MS, send_ms, 1, WR_CONN_SEND_MS_MAX, HOUR_MS,
	       "for a reader that takes nothing"),
	NUMBER("ping-ms", "MS", WR_FLAG_MS, ping_ms, 1, WR_WS_PING_MS, HOUR_MS,
	       "of silence before a stream is pinged"),
	NUMBER("drain-ms", "MS", WR_FLAG_MS, drain_ms, 0, WR_DRAIN_MS_MAX, HOUR_MS,
	       "from SIGTERM to the end"),

	GROUP("Other"),
	CHOICE("log-level", "error|warning|info|debug", log_level, WR_LOG_INFO,
	       "what is told on stderr"),
	SWITCH("print-config", wants_print, "print every flag with its value, and end"),
	SWITCH("version", wants_version, "print the version, and end"),
	SWITCH("help", wants_help, "print this, and end"),
};

const size_t wr_flag_count = WR_COUNT(wr_flags);
