#include "host/hosting_options.h"

#include "bounds.h"

#define TEXT(n, v, k, field, h) WR_OPTION_STRING(struct wr_hosting, field, n, v, k, h)
#define NUMBER(n, v, k, field, low, default_value, high, h) \
	WR_OPTION_NUMBER(struct wr_hosting, field, n, v, k, low, default_value, high, h)
#define CHOICE(n, words, field, default_index, index_max, h) \
	WR_OPTION_WORD(struct wr_hosting, field, n, words, default_index, index_max, h)

#define BYTES_MAX ((uint64_t)1 << 46)
/* A segment holds several records of any size. */
#define SEGMENT_BYTES_MIN ((uint64_t)5 << 20)
_Static_assert(SEGMENT_BYTES_MIN / 4 > WR_STORE_PAYLOAD_BYTES_MAX, "records fit a segment");

#if WR_FS_STORE
#define STORE_HELP "where the log is kept"
#else
#define STORE_HELP "where the log is kept (fs is not in this build)"
#endif

const struct wr_option wr_hosting_name_options[] = {
	TEXT("runtime-id", "ID", WR_OPTION_NAME, runtime_id,
	     "id of this Runtime (made at random, or of the log)"),
	TEXT("display-name", "NAME", WR_OPTION_LABEL, display_name, "a label for people"),
	WR_OPTION_END,
};

const struct wr_option wr_hosting_options[] = {
	WR_OPTION_GROUP("Workers"),
	TEXT("exec", "COMMAND", WR_OPTION_TEXT, exec,
	     "program that runs each Worker, without a shell (none: input is only kept)"),
	CHOICE("exec-mode", "line|jsonl", exec_mode, WR_EXEC_LINE, WR_EXEC_JSONL,
	       "one message per line, or one JSON object per line"),
	TEXT("default-profile", "NAME", WR_OPTION_NAME, default_profile,
	     "the [[profile]] that is meant without a name (`default`, or --exec)"),
	NUMBER("max-children", "N", WR_OPTION_COUNT, children_max, 1, WR_CHILD_COUNT_MAX, 4096,
	       "programs running at once"),
	NUMBER("max-workers", "N", WR_OPTION_COUNT, workers_max, 0, WR_WORKER_COUNT_MAX, 1u << 24,
	       "Workers of this Runtime"),

	WR_OPTION_GROUP("Where it is kept"),
	CHOICE("store", "memory|fs|fs-store", store, WR_STORE_MEMORY, WR_STORE_FS, STORE_HELP),
	{.name = "fs-root",
	 .value = "DIR",
	 .help = "folder of the fs store, which it implies",
	 .kind = WR_OPTION_TEXT,
	 .place = offsetof(struct wr_hosting, fs_root),
	 .implies = "store",
	 .implied_number = WR_STORE_FS},
	TEXT("durability", "always|interval=MS|never", WR_OPTION_DURABILITY, durability,
	     "on the disk before an answer, within MS, or some time"),
	NUMBER("fs-bytes", "SIZE", WR_OPTION_BYTES, fs_bytes, 4 * SEGMENT_BYTES_MIN,
	       WR_STORE_BYTES_MAX, BYTES_MAX, "all files of the fs store"),
	NUMBER("fs-segment-bytes", "SIZE", WR_OPTION_BYTES, fs_segment_bytes, SEGMENT_BYTES_MIN,
	       WR_STORE_SEGMENT_BYTES, (uint64_t)1 << 30, "one file of it"),
	CHOICE("on-store-failure", "exit|readonly", on_store_failure, WR_ON_STORE_FAILURE_EXIT,
	       WR_ON_STORE_FAILURE_READONLY, "when the disk fails: end with 1, or let it be read"),

	WR_OPTION_GROUP("How much is kept"),
	NUMBER("worker-retention-events", "N", WR_OPTION_COUNT, worker_retention_events, 1,
	       WR_WORKER_RETENTION_EVENTS, UINT32_MAX, "newest events kept of each Worker"),
	NUMBER("worker-retention-bytes", "SIZE", WR_OPTION_BYTES, worker_retention_bytes, 0,
	       WR_WORKER_RETENTION_BYTES, BYTES_MAX, "and bytes of them"),
	NUMBER("retention-events", "N", WR_OPTION_COUNT, retention_events, 1, WR_RETENTION_EVENTS,
	       UINT32_MAX, "events kept of all Workers together"),
	NUMBER("retention-bytes", "SIZE", WR_OPTION_BYTES, retention_bytes, 0, WR_RETENTION_BYTES,
	       BYTES_MAX, "and bytes of them"),
	NUMBER("worker-transcript-bytes", "SIZE", WR_OPTION_BYTES, worker_transcript_bytes, 0,
	       WR_WORKER_TRANSCRIPT_BYTES, BYTES_MAX, "transcript kept of each Worker"),
	NUMBER("transcript-bytes", "SIZE", WR_OPTION_BYTES, transcript_bytes, 0,
	       WR_TRANSCRIPT_BYTES, BYTES_MAX, "transcripts kept of all Workers together"),
	WR_OPTION_END,
};

const struct wr_option wr_hosting_limit_options[] = {
	NUMBER("max-transcript-projection-items", "N", WR_OPTION_COUNT, transcript_items_max, 0,
	       WR_TRANSCRIPT_PAGE_ITEMS_MAX, UINT32_MAX, "items of one transcript page"),
	NUMBER("max-event-batch-items", "N", WR_OPTION_COUNT, event_batch_items_max, 0,
	       WR_EVENT_BATCH_ITEMS_MAX, UINT32_MAX, "events of one batch"),
	WR_OPTION_END,
};

/* ---- what is run without a name ---- */

/* Of two places the one that counts more. */
static unsigned rank(uint32_t line)
{
	if (line == WR_FROM_DEFAULT)
		return 0;
	return line == WR_FROM_FLAG ? 3 : line == WR_FROM_ENVIRONMENT ? 2 : 1;
}

static bool refuse_default(const struct wr_hosting *hosting, struct wr_buf *message)
{
	wr_buf_append_view(message, WR_VIEW("--exec and "));
	if (hosting->default_profile != NULL)
		wr_buf_append_view(message, WR_VIEW("--default-profile"));
	else
		wr_buf_append_view(message, WR_VIEW("[[profile]] `default`"));
	wr_buf_append_view(message,
			   WR_VIEW(" both say what is run without a name; keep one of them"));
	return false;
}

/* Of --exec and a profile the one of the better place. */
static bool find_default(struct wr_hosting *hosting, const struct wr_settings *settings,
			 struct wr_buf *message)
{
	const char *name = hosting->default_profile != NULL ? hosting->default_profile : "default";
	const struct wr_profile_setting *setting = wr_profile_settings_find(
		hosting->profiles, hosting->profile_count, wr_view_of_string(name));
	unsigned of_exec = rank(wr_settings_line(settings, "exec"));
	unsigned of_profile = rank(setting == NULL ? WR_FROM_DEFAULT : setting->line);

	hosting->default_setting = NULL;
	if (hosting->default_profile != NULL) {
		of_profile = rank(wr_settings_line(settings, "default-profile"));
		if (setting == NULL) {
			wr_buf_append_view(message,
					   WR_VIEW("--default-profile: there is no [[profile]] of "
						   "that name in the configuration file"));
			return false;
		}
	}
	if (setting == NULL || of_exec > of_profile)
		return true;
	if (of_exec == of_profile)
		return refuse_default(hosting, message);
	hosting->default_setting = setting;
	return true;
}

bool wr_hosting_settle_profiles(struct wr_hosting *hosting, struct wr_settings *settings,
				struct wr_buf *message)
{
	hosting->profile_file = settings->path;
	settings->is_file_wrong = !wr_profile_settings_are_sound(
		hosting->profiles, hosting->profile_count, settings->path, message);
	return !settings->is_file_wrong && find_default(hosting, settings, message);
}

bool wr_hosting_is_sound(const struct wr_hosting *hosting, struct wr_buf *message)
{
	if (hosting->store == WR_STORE_FS && hosting->fs_root == NULL) {
		wr_buf_append_view(message, WR_VIEW("--store fs needs --fs-root DIR"));
		return false;
	}
	if (hosting->fs_segment_bytes > hosting->fs_bytes / 4) {
		wr_buf_append_view(message, WR_VIEW("--fs-bytes must be at least four times "
						    "--fs-segment-bytes"));
		return false;
	}
	return true;
}
