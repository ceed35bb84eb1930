#include "backend/local_workers.h"

#include "backend/ids.h"
#include "backend/local_metadata.h"
#include "bytes/utf8.h"
#include "check.h"

#define ID_PREFIX WR_VIEW("local-worker-")
#define FILE_NAME "metadata.json"

enum text { NAME, ID, LABEL, HINT, ROLE, PROFILE };
enum {
	TEXTS_BYTES_MAX =
		WR_LOCAL_WORKER_COUNT_MAX *
		(WR_FOLDER_NAME_BYTES_MAX + WR_BACKEND_ID_BYTES_MAX + 4 * (int)WR_DISPLAY_BYTES_MAX)
};

void wr_local_workers_init(struct wr_local_workers *self, struct wr_allocator *allocator)
{
	self->count = 0;
	self->notices.count = 0;
	wr_buf_init(&self->texts, allocator, TEXTS_BYTES_MAX);
}

void wr_local_workers_deinit(struct wr_local_workers *self)
{
	wr_buf_deinit(&self->texts);
}

static void clear(struct wr_local_workers *self)
{
	self->count = 0;
	self->notices.count = 0;
	wr_buf_reset(&self->texts);
}

/* ---- one Worker ---- */

/* What is read into, for all files of a place. */
struct reading {
	struct wr_folder folder;
	struct wr_buf file, texts;
};

static bool begin_reading(struct reading *self, const struct wr_local_place *place)
{
	if (wr_folder_open(&self->folder, place->folder) != WR_OK)
		return false;
	wr_buf_init(&self->file, place->allocator, WR_LOCAL_FILE_BYTES_MAX);
	wr_buf_init(&self->texts, place->allocator, WR_LOCAL_FILE_BYTES_MAX);
	return true;
}

static void end_reading(struct reading *self)
{
	wr_buf_deinit(&self->texts);
	wr_buf_deinit(&self->file);
	wr_folder_close(&self->folder);
}

static char forward_slash(char c)
{
	return (char)(c == '\\' ? '/' : c);
}

static struct wr_view without_slashes_behind(struct wr_view root)
{
	while (root.bytes > 0 && forward_slash(root.data[root.bytes - 1]) == '/')
		root.bytes--;
	return root;
}

/* Textually: what the older tool wrote may not be there any more. */
static bool is_same_root(struct wr_view a, struct wr_view b)
{
	a = without_slashes_behind(a);
	b = without_slashes_behind(b);
	if (a.bytes != b.bytes)
		return false;
	for (size_t i = 0; i < a.bytes; i++)
		if (forward_slash(a.data[i]) != forward_slash(b.data[i]))
			return false;
	return true;
}

static size_t make_id(char out[WR_BACKEND_ID_BYTES_MAX], const char *name)
{
	return wr_backend_id_make(out, ID_PREFIX, wr_view_of_string(name));
}

static enum wr_status add(struct wr_local_workers *self, const char *name,
			  const struct wr_local_metadata *metadata)
{
	struct wr_local_worker *worker = &self->items[self->count];
	struct wr_buf *texts = &self->texts;
	const struct wr_view shown[] = {[LABEL] = metadata->worker_name,
					[HINT] = wr_view_of_string(name),
					[ROLE] = metadata->role,
					[PROFILE] = metadata->profile};
	char id[WR_BACKEND_ID_BYTES_MAX];
	size_t start = texts->bytes;

	worker->start = (uint32_t)start;
	for (unsigned i = 0; i < WR_COUNT(worker->bytes); i++) {
		size_t before = texts->bytes;

		if (i == NAME)
			(void)wr_buf_append_view(texts, wr_view_of_string(name));
		else if (i == ID)
			(void)wr_buf_append(texts, id, make_id(id, name));
		else
			wr_display_append(texts, shown[i]);
		worker->bytes[i] = (uint16_t)(texts->bytes - before);
	}
	if (wr_buf_status(texts) != WR_OK)
		return WR_NO_MEMORY;
	worker->has_role = worker->bytes[ROLE] > 0;
	worker->has_profile = worker->bytes[PROFILE] > 0;
	worker->is_active = metadata->is_active;
	worker->has_segment = metadata->has_segment;
	self->count++;
	return WR_OK;
}

/* Adds the Worker, or a notice. WR_OK, WR_NO_MEMORY. */
static enum wr_status read_worker(struct wr_local_workers *self, struct reading *reading,
				  struct wr_view workspace_root, const char *name)
{
	struct wr_local_metadata metadata;
	struct wr_notices *notices = &self->notices;
	enum wr_status status;

	wr_buf_reset(&reading->file);
	status = wr_folder_read(&reading->folder, &reading->file, name, FILE_NAME);
	if (status == WR_NO_MEMORY)
		return status;
	if (status != WR_OK) {
		wr_notices_add(notices, "local_pod_metadata_unreadable", WR_NOTICE_WARNING,
			       "what describes a Worker is missing or cannot be read");
		return WR_OK;
	}
	status = wr_local_metadata_read(&metadata, &reading->texts, wr_buf_view(&reading->file));
	if (status == WR_NO_MEMORY)
		return status;
	if (status != WR_OK)
		wr_notices_add(notices, "local_pod_metadata_invalid", WR_NOTICE_WARNING,
			       "what describes a Worker cannot be understood");
	else if (metadata.workspace_root.data == NULL)
		wr_notices_add(notices, "local_pod_workspace_root_missing", WR_NOTICE_WARNING,
			       "a Worker does not say to which workspace it belongs");
	else if (!is_same_root(metadata.workspace_root, workspace_root))
		wr_notices_add(notices, "local_pod_workspace_not_visible", WR_NOTICE_INFO,
			       "a Worker belongs to another workspace");
	else
		return add(self, name, &metadata);
	return WR_OK;
}

enum wr_status wr_local_workers_read_one(struct wr_local_workers *self,
					 const struct wr_local_place *place, const char *name)
{
	struct reading reading;
	enum wr_status status;

	clear(self);
	if (!begin_reading(&reading, place))
		return WR_NOT_FOUND;
	status = read_worker(self, &reading, place->workspace_root, name);
	end_reading(&reading);
	if (status == WR_OK && self->count == 0)
		status = WR_NOT_FOUND;
	return status;
}

/* ---- all of them ---- */

/* The lowest names that have been seen, in byte order: `order` has their places. */
struct names {
	unsigned count;
	bool is_cut;
	uint8_t order[WR_LOCAL_WORKER_COUNT_MAX];
	char texts[WR_LOCAL_WORKER_COUNT_MAX][WR_FOLDER_NAME_BYTES_MAX + 1];
};
_Static_assert(WR_LOCAL_WORKER_COUNT_MAX <= UINT8_MAX, "a place is a byte");

/* Names are different from each other. */
static unsigned position_of(const struct names *self, const char *name)
{
	unsigned low = 0, high = self->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		/* strcmp compares unsigned characters: byte order. */
		if (strcmp(self->texts[self->order[middle]], name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool add_name(void *context, const char *name)
{
	struct names *self = context;
	unsigned at = position_of(self, name);
	uint8_t place;

	if (!wr_utf8_is_valid(wr_view_of_string(name)))
		return true;
	if (self->count < WR_LOCAL_WORKER_COUNT_MAX) {
		place = (uint8_t)self->count++;
	} else {
		self->is_cut = true;
		if (at == self->count)
			return true;
		place = self->order[self->count - 1];
	}
	memmove(self->order + at + 1, self->order + at, self->count - 1 - at);
	self->order[at] = place;
	memcpy(self->texts[place], name, strlen(name) + 1);
	return true;
}

static void say_unreadable(struct wr_local_workers *self)
{
	wr_notices_add(&self->notices, "local_pod_registry_unreadable", WR_NOTICE_WARNING,
		       "the folder of local Workers is missing or cannot be read");
}

static enum wr_status read_all(struct wr_local_workers *self, struct reading *reading,
			       struct names *names, struct wr_view workspace_root)
{
	enum wr_status status = wr_folder_each(&reading->folder, add_name, names);

	if (status == WR_IO) {
		say_unreadable(self);
		return WR_OK;
	}
	if (status == WR_LIMIT || names->is_cut)
		wr_notices_add(&self->notices, "local_pod_registry_truncated", WR_NOTICE_WARNING,
			       "there are more local Workers than can be looked at");
	status = WR_OK;
	for (unsigned i = 0; i < names->count && status == WR_OK; i++)
		status = read_worker(self, reading, workspace_root, names->texts[names->order[i]]);
	return status;
}

enum wr_status wr_local_workers_read(struct wr_local_workers *self,
				     const struct wr_local_place *place)
{
	struct reading reading;
	struct names *names;
	enum wr_status status = WR_NO_MEMORY;

	clear(self);
	if (!begin_reading(&reading, place)) {
		say_unreadable(self);
		return WR_OK;
	}
	names = wr_allocator_take(place->allocator, sizeof *names);
	if (names != NULL) {
		names->count = 0;
		names->is_cut = false;
		status = read_all(self, &reading, names, place->workspace_root);
		wr_allocator_free(place->allocator, names, sizeof *names);
	}
	end_reading(&reading);
	if (status != WR_OK)
		clear(self);
	return status;
}

/* ---- by id ---- */

struct search {
	struct wr_view worker_id;
	char *name; /* "" while it is not found */
};

static bool try_name(void *context, const char *name)
{
	struct search *self = context;
	char id[WR_BACKEND_ID_BYTES_MAX];

	if (!wr_utf8_is_valid(wr_view_of_string(name)) ||
	    !wr_view_equal(wr_view_of(id, make_id(id, name)), self->worker_id))
		return true;
	memcpy(self->name, name, strlen(name) + 1);
	return false;
}

enum wr_status wr_local_workers_find(char name[WR_FOLDER_NAME_BYTES_MAX + 1],
				     const struct wr_local_place *place, struct wr_view worker_id)
{
	struct search search = {worker_id, name};
	struct wr_folder folder;

	name[0] = '\0';
	if (!wr_view_starts(worker_id, ID_PREFIX) ||
	    wr_folder_open(&folder, place->folder) != WR_OK)
		return WR_NOT_FOUND;
	(void)wr_folder_each(&folder, try_name, &search);
	wr_folder_close(&folder);
	return name[0] != '\0' ? WR_OK : WR_NOT_FOUND;
}

/* ---- telling ---- */

static struct wr_view text_of(const struct wr_local_workers *self, uint32_t index, enum text text)
{
	const struct wr_local_worker *worker;
	size_t at;

	wr_assert(index < self->count);
	worker = &self->items[index];
	at = worker->start;
	for (unsigned i = 0; i < (unsigned)text; i++)
		at += worker->bytes[i];
	return wr_view_of(self->texts.data + at, worker->bytes[text]);
}

struct wr_view wr_local_workers_id(const struct wr_local_workers *self, uint32_t index)
{
	return text_of(self, index, ID);
}

struct wr_view wr_local_workers_name(const struct wr_local_workers *self, uint32_t index)
{
	return text_of(self, index, NAME);
}

static struct wr_view status_of(const struct wr_local_worker *worker)
{
	if (!worker->is_active)
		return WR_VIEW("metadata_only");
	if (!worker->has_segment)
		return WR_VIEW("active:pending_segment");
	return WR_VIEW("active:segment");
}

void wr_local_workers_overview(const struct wr_local_workers *self, uint32_t index,
			       struct wr_worker_overview *out)
{
	const struct wr_local_worker *worker;

	wr_assert(index < self->count);
	worker = &self->items[index];
	*out = (struct wr_worker_overview){
		.worker_id = text_of(self, index, ID),
		.label = text_of(self, index, LABEL),
		.display_hint = text_of(self, index, HINT),
		.role = worker->has_role ? text_of(self, index, ROLE) : WR_VIEW_NULL,
		.profile = worker->has_profile ? text_of(self, index, PROFILE) : WR_VIEW_NULL,
		.state = worker->is_active ? WR_VIEW("active") : WR_VIEW("metadata_only"),
		.status = status_of(worker),
	};
	wr_notices_add(&out->notices, "worker_actions_not_implemented", WR_NOTICE_INFO,
		       "shown as it was left: whether it runs is not known, and it cannot be acted "
		       "upon from here");
}
