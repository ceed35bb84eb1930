/*
 * Opening a log: look, judge, repair, deliver, tidy (reliability 4). Until it is judged nothing is
 * changed; each step can be interrupted and is taken again by the next start.
 */
#include "check.h"
#include "io/log.h"
#include "io/store/open_private.h"

#include <string.h>

/* ---- what there is to say ---- */

static void put_file(char *out, size_t bytes, const char *name)
{
	size_t used = strlen(name);

	if (used >= bytes)
		used = bytes - 1;
	memcpy(out, name, used);
	out[used] = '\0';
}

enum wr_status wr_open_fail(struct wr_fs_store *self, enum wr_status status, int os_error,
			    const char *what, const char *name, uint64_t offset)
{
	struct wr_fs_error error = {
		.status = status, .os_error = os_error, .what = what, .offset = offset};

	if (name != NULL)
		put_file(error.file, sizeof error.file, name);
	self->error = error;
	return status;
}

enum wr_status wr_open_fail_at(struct wr_fs_store *self, enum wr_status status, int os_error,
			       const char *what, uint64_t number, uint64_t offset)
{
	char name[WR_FS_NAME_BYTES];

	wr_fs_segment_name(name, number);
	return wr_open_fail(self, status, os_error, what, name, offset);
}

void wr_open_note_damage(struct wr_fs_store *self, uint64_t number, uint64_t offset)
{
	struct wr_fs_recovery *recovery = &self->recovery;
	char name[WR_FS_NAME_BYTES];

	if (recovery->is_damaged)
		return;
	recovery->is_damaged = true;
	if (recovery->is_torn)
		return;
	wr_fs_segment_name(name, number);
	put_file(recovery->file, sizeof recovery->file, name);
	recovery->offset = offset;
}

/* What was judged: before the repair, as that may take the file away. */
static void note_verdict(const struct wr_opening *self)
{
	struct wr_fs_store *store = self->store;
	const struct wr_judgement *judged = &self->judged;
	char name[WR_FS_NAME_BYTES];

	store->recovery.was_clean = self->is_clean;
	if (!judged->has_bad)
		return;
	store->recovery.is_torn = self->is_torn;
	store->recovery.is_damaged = self->is_damaged;
	wr_fs_segment_name(name, store->segments[judged->bad_index].number);
	put_file(store->recovery.file, sizeof store->recovery.file, name);
	store->recovery.offset = judged->bad_offset;
}

static void say(const struct wr_opening *self)
{
	const struct wr_fs_recovery *found = &self->store->recovery;
	struct wr_view file = wr_view_of_string(found->file);

	if (self->mark.state == WR_MARK_DAMAGED)
		WR_LOG(WR_LOG_WARNING, "store_mark_damaged",
		       WR_LOG_TEXT("file", WR_VIEW(WR_MARK_NAME)));
	if (found->is_torn)
		WR_LOG(WR_LOG_INFO, "store_tail_torn", WR_LOG_TEXT("file", file),
		       WR_LOG_NUMBER("offset", found->offset), WR_LOG_NUMBER("bytes", found->bytes),
		       WR_LOG_NUMBER("last_sequence", found->last_sequence));
	if (found->is_damaged)
		WR_LOG(WR_LOG_ERROR, "store_corrupt", WR_LOG_TEXT("file", file),
		       WR_LOG_NUMBER("offset", found->offset),
		       WR_LOG_NUMBER("quarantined", found->quarantined_count));
	if (found->is_maybe_incomplete)
		WR_LOG(WR_LOG_WARNING, "store_maybe_incomplete", WR_LOG_TEXT("file", file));
	WR_LOG(WR_LOG_INFO, found->was_new ? "store_born" : "store_open",
	       WR_LOG_NUMBER("clean", found->was_clean),
	       WR_LOG_NUMBER("generation", self->store->generation),
	       WR_LOG_NUMBER("last_sequence", found->last_sequence),
	       WR_LOG_NUMBER("records", found->record_count),
	       WR_LOG_NUMBER("bytes", found->byte_count));
}

static void say_refused(struct wr_fs_store *self, enum wr_status status)
{
	if (self->error.status == WR_OK)
		wr_open_fail(self, status, 0, wr_status_text(status), NULL, 0);
	if (status != WR_CORRUPT)
		return;
	WR_LOG(WR_LOG_ERROR, "store_corrupt",
	       WR_LOG_TEXT("file", wr_view_of_string(self->error.file)),
	       WR_LOG_NUMBER("offset", self->error.offset),
	       WR_LOG_TEXT("what", wr_view_of_string(self->error.what)));
}

/* ---- the steps ---- */

static enum wr_status find(struct wr_opening *self)
{
	struct wr_fs_store *store = self->store;
	enum wr_status status = wr_open_survey(self);

	if (status != WR_OK)
		return status;
	if (self->found_count == 0) {
		if (self->has_remains)
			return wr_open_fail_at(store, WR_CORRUPT, 0, "all segments are missing", 1,
					       0);
		store->recovery.was_new = true;
		return wr_open_birth(self);
	}
	status = wr_open_tabulate(self);
	if (status == WR_OK)
		status = wr_open_judge(self);
	if (status != WR_OK)
		return status;
	note_verdict(self);
	return wr_open_repair(self);
}

static void count_bytes(struct wr_fs_store *self)
{
	for (uint32_t i = 0; i < self->segment_count; i++)
		self->file_bytes += self->segments[i].file_bytes;
}

enum wr_status wr_fs_replay(void *context, struct wr_store_log *log,
			    const struct wr_store_replay *replay)
{
	struct wr_fs_store *self = context;
	struct wr_opening opening = {.store = self, .replay = replay};
	enum wr_status status;

	_Static_assert(sizeof log->log_id == sizeof self->store_id, "the log's id");
	status = find(&opening);
	if (status == WR_OK) {
		memcpy(log->log_id, self->store_id, sizeof log->log_id);
		log->generation = self->generation;
		count_bytes(self);
		status = wr_open_deliver(&opening);
	}
	if (status == WR_OK)
		status = wr_open_tidy(&opening);
	if (status == WR_OK)
		say(&opening);
	else
		say_refused(self, status);
	wr_open_survey_deinit(&opening);
	return status;
}

uint64_t wr_fs_generation_end(void *context, uint32_t generation)
{
	const struct wr_fs_store *self = context;
	uint32_t low = 0, high = self->generation_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (self->generations[middle].generation < generation)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == self->generation_count || self->generations[low].generation != generation)
		return 0;
	return self->generations[low].last_sequence;
}
