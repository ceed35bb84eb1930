#include "host/storage.h"

/* ---- in memory only: what is queued is asked for at the end of each turn ---- */

static void on_memory_turn(struct wr_turn_hook *hook)
{
	wr_runtime_settle(wr_container_of(hook, struct wr_storage, hook)->runtime);
}

static void attach_memory(struct wr_storage *self, struct wr_runtime *runtime)
{
	self->runtime = runtime;
	self->hook.on_turn = on_memory_turn;
	wr_reactor_add_hook(self->reactor, &self->hook);
}

#if WR_FS_STORE

#include "check.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/store/fs_store.h"

#include <string.h>

enum {
	/* What has become visible may be given to executions, which may append at once; that is
	 * written in the same turn so often, then in the next one. */
	FLUSH_COUNT_MAX = 4
};

/* ---- opening ---- */

static void say(struct wr_buf *message, const char *text)
{
	wr_buf_append_view(message, wr_view_of_string(text));
}

static const char *remedy_of(enum wr_status status)
{
	if (status == WR_CONFLICT)
		return "stop that one, or choose another --fs-root";
	if (status == WR_UNSUPPORTED)
		return "nothing was changed; start the version that wrote it, or a newer one";
	if (status == WR_CORRUPT)
		return "nothing was changed; `worker-runtime log verify` with that folder tells "
		       "more; restore it, or choose another --fs-root";
	if (status == WR_FULL)
		return "make room on its disk, or raise --fs-bytes";
	if (status == WR_NO_MEMORY)
		return "raise --max-memory";
	if (status == WR_INVALID)
		return "--fs-bytes must be at least four times --fs-segment-bytes";
	return "see to the folder, its disk and its permissions";
}

/* What, where, why, and what to do about it. */
static void explain(const struct wr_fs_error *error, const char *root, struct wr_buf *message)
{
	say(message, error->status == WR_CONFLICT ? "store_locked: the store in "
						  : "cannot open the store in ");
	say(message, root);
	say(message, ": ");
	say(message, error->what != NULL && error->status != WR_NO_MEMORY
			     ? error->what
			     : wr_status_text(error->status));
	if (error->file[0] != '\0') {
		say(message, ", file ");
		say(message, error->file);
		say(message, " at byte ");
		wr_buf_append_u64(message, error->offset);
	}
	if (error->os_error != 0 && error->status != WR_CONFLICT) {
		say(message, ": ");
		say(message, strerror(error->os_error));
	}
	say(message, "; ");
	say(message, remedy_of(error->status));
}

bool wr_storage_open(struct wr_storage *self, struct wr_reactor *reactor,
		     struct wr_allocator *allocator, const struct wr_hosting *hosting,
		     struct wr_runtime_ports *ports, struct wr_buf *message)
{
	struct wr_fs_config fs;
	struct wr_fs_error error = {.status = WR_OK};

	self->reactor = reactor;
	if (hosting->store != WR_STORE_FS)
		return true;
	wr_fs_defaults(&fs);
	fs.root = hosting->fs_root;
	fs.disk = hosting->disk;
	fs.durability = (enum wr_durability)hosting->durability.kind;
	fs.interval_ms = (uint32_t)hosting->durability.interval_ms;
	fs.segment_bytes = hosting->fs_segment_bytes;
	fs.bytes_max = hosting->fs_bytes;
	fs.now_ms = wr_clock_monotonic_ms;
	fs.wall_ms = wr_clock_wall_ms;
	fs.entropy = wr_entropy_fill;
	error.status = wr_fs_store_open(&self->store, allocator, &fs, &error);
	if (error.status != WR_OK) {
		self->store = NULL;
		explain(&error, hosting->fs_root, message);
		return false;
	}
	ports->store = wr_fs_store_port(self->store);
	return true;
}

bool wr_storage_explain(const struct wr_storage *self, const struct wr_hosting *hosting,
			enum wr_status status, struct wr_buf *message)
{
	struct wr_fs_error error;

	if (self->store == NULL)
		return false;
	error = *wr_fs_store_error(self->store);
	/* What the Runtime could not make sense of is no fault of a file. */
	if (error.status == WR_OK)
		error = (struct wr_fs_error){.status = status};
	explain(&error, hosting->fs_root, message);
	return true;
}

/* ---- turns ---- */

static enum wr_fs_state state_of(const struct wr_storage *self, uint64_t *head)
{
	struct wr_fs_info info;

	wr_fs_store_info(self->store, &info);
	*head = info.head;
	return info.state;
}

/* Writes what was appended and shows what has become visible, until that appends no more. */
static enum wr_fs_state flush(struct wr_storage *self)
{
	enum wr_fs_state state = WR_FS_OK;
	uint64_t before, after;

	for (unsigned i = 0; i < FLUSH_COUNT_MAX; i++) {
		wr_fs_store_turn(self->store);
		state_of(self, &before);
		wr_runtime_settle(self->runtime);
		state = state_of(self, &after);
		if (after == before)
			return state;
	}
	wr_reactor_again(self->reactor);
	return state;
}

static void fail(struct wr_storage *self)
{
	self->has_failed = true;
	wr_http_server_fail_held(self->http);
	self->on_failed(self->context);
}

/* The timer only makes a turn happen. It is moved forward, never back: too early a turn is
 * harmless, and the time that is left shrinks with every other one. */
static void set_timer(struct wr_storage *self)
{
	uint64_t due_in_ms = wr_fs_store_due_in_ms(self->store);

	if (due_in_ms == UINT64_MAX)
		return;
	if (!wr_timer_is_set(&self->timer) ||
	    self->timer.node.key > self->reactor->now_ms + due_in_ms)
		(void)wr_timer_set(self->reactor, &self->timer, due_in_ms);
}

static void on_turn(struct wr_turn_hook *hook)
{
	struct wr_storage *self = wr_container_of(hook, struct wr_storage, hook);
	enum wr_fs_state state = flush(self);

	wr_http_server_release_held(self->http, wr_runtime_visible(self->runtime));
	if (WR_UNLIKELY(state == WR_FS_FAILED && !self->has_failed))
		fail(self);
	set_timer(self);
}

/* Being awake is all: the turn's end does the work. */
static void on_due(struct wr_timer *timer)
{
	(void)timer;
}

static void on_report(struct wr_watch *watch, unsigned ready)
{
	(void)watch, (void)ready;
}

enum wr_status wr_storage_attach(struct wr_storage *self, struct wr_runtime *runtime,
				 struct wr_http_server *http, void (*on_failed)(void *context),
				 void *context)
{
	enum wr_status status;

	if (self->store == NULL) {
		attach_memory(self, runtime);
		return WR_OK;
	}
	self->runtime = runtime;
	self->http = http;
	self->on_failed = on_failed;
	self->context = context;
	self->watch.on_ready = on_report;
	self->timer.on_due = on_due;
	self->hook.on_turn = on_turn;
	status = wr_reactor_watch(self->reactor, &self->watch, wr_fs_store_fd(self->store),
				  WR_READABLE);
	if (status != WR_OK)
		return status;
	wr_reactor_add_hook(self->reactor, &self->hook);
	/* What the start itself has appended is written before anybody asks. */
	wr_reactor_again(self->reactor);
	return WR_OK;
}

void wr_storage_detach(struct wr_storage *self)
{
	if (self->runtime == NULL)
		return;
	wr_reactor_remove_hook(self->reactor, &self->hook);
	if (self->store != NULL) {
		wr_timer_cancel(self->reactor, &self->timer);
		wr_reactor_unwatch(self->reactor, &self->watch);
	}
	self->runtime = NULL;
}

void wr_storage_close(struct wr_storage *self)
{
	if (self->store != NULL)
		wr_fs_store_close(self->store);
	self->store = NULL;
}

bool wr_storage_is_settled(const struct wr_storage *self)
{
	struct wr_fs_info info;

	if (self->store == NULL || self->has_failed)
		return true;
	wr_fs_store_info(self->store, &info);
	return wr_runtime_visible(self->runtime) == info.head;
}

/* ---- telling ---- */

static const char *const durabilities[] = {
	[WR_DURABILITY_ALWAYS] = "always",
	[WR_DURABILITY_INTERVAL] = "interval",
	[WR_DURABILITY_NEVER] = "never",
};
static const char *const states[] = {
	[WR_FS_OK] = "ok",
	[WR_FS_FULL] = "full",
	[WR_FS_FAILED] = "failed",
};

static const char *result_of(const struct wr_fs_recovery *recovery)
{
	if (recovery->is_damaged)
		return "damaged";
	if (recovery->is_torn)
		return "torn";
	if (recovery->was_new)
		return "new";
	return recovery->was_clean ? "clean" : "unclean";
}

static void fill_recovery(struct wr_storage *self, struct wr_store_report *out,
			  const struct wr_fs_recovery *recovery)
{
	_Static_assert(sizeof self->file >= sizeof recovery->file, "the name fits");

	out->recovery = result_of(recovery);
	if (recovery->file[0] != '\0') {
		memcpy(self->file, recovery->file, sizeof recovery->file);
		out->file = wr_view_of_string(self->file);
	}
	out->offset = recovery->offset;
	out->bytes_there = recovery->bytes;
	out->record_count = recovery->record_count;
	out->last_sequence = recovery->last_sequence;
	out->quarantined_count = recovery->quarantined_count;
	out->is_maybe_incomplete = recovery->is_maybe_incomplete;
}

static void fill_state(struct wr_store_report *out, const struct wr_fs_info *info)
{
	out->state = states[info->state];
	out->bytes = info->bytes;
	out->segment_count = info->segment_count;
	out->durable_sequence = info->durable;
	out->scrub_count = info->scrub_count;
	out->scrubbed_bytes = info->scrubbed_bytes;
}

void wr_storage_report(struct wr_storage *self, struct wr_store_report *out)
{
	struct wr_fs_info info;

	*out = (struct wr_store_report){.is_kept = self->store != NULL};
	if (self->store == NULL)
		return;
	wr_fs_store_info(self->store, &info);
	out->durability = durabilities[info.durability];
	out->interval_ms = info.durability == WR_DURABILITY_INTERVAL ? info.interval_ms : 0;
	out->bytes_max = info.bytes_max;
	fill_state(out, &info);
	fill_recovery(self, out, &info.recovery);
	self->told = *out;
}

bool wr_storage_differs(const struct wr_storage *self)
{
	const struct wr_store_report *told = &self->told;
	struct wr_store_report now;
	struct wr_fs_info info;

	wr_fs_store_info(self->store, &info);
	fill_state(&now, &info);
	return now.state != told->state || now.bytes != told->bytes ||
	       now.segment_count != told->segment_count ||
	       now.durable_sequence != told->durable_sequence ||
	       now.scrubbed_bytes != told->scrubbed_bytes ||
	       info.recovery.quarantined_count != told->quarantined_count;
}

/* ---- answers ---- */

void wr_storage_hold_answer(const struct wr_storage *self, struct wr_http_exchange *exchange,
			    struct wr_view worker_id)
{
	uint64_t until = wr_runtime_head_of(self->runtime, worker_id);

	if (until > wr_runtime_visible(self->runtime))
		wr_http_answer_hold(exchange, until);
}

#else

bool wr_storage_open(struct wr_storage *self, struct wr_reactor *reactor,
		     struct wr_allocator *allocator, const struct wr_hosting *hosting,
		     struct wr_runtime_ports *ports, struct wr_buf *message)
{
	(void)allocator, (void)ports;
	self->reactor = reactor;
	if (hosting->store != WR_STORE_FS)
		return true;
	wr_buf_append_view(message, WR_VIEW("this build has no fs store; use --store memory, or "
					    "build with FS_STORE=1"));
	return false;
}

bool wr_storage_explain(const struct wr_storage *self, const struct wr_hosting *hosting,
			enum wr_status status, struct wr_buf *message)
{
	(void)self, (void)hosting, (void)status, (void)message;
	return false;
}

enum wr_status wr_storage_attach(struct wr_storage *self, struct wr_runtime *runtime,
				 struct wr_http_server *http, void (*on_failed)(void *context),
				 void *context)
{
	(void)http, (void)on_failed, (void)context;
	attach_memory(self, runtime);
	return WR_OK;
}

void wr_storage_detach(struct wr_storage *self)
{
	if (self->runtime != NULL)
		wr_reactor_remove_hook(self->reactor, &self->hook);
	self->runtime = NULL;
}

void wr_storage_close(struct wr_storage *self)
{
	(void)self;
}

bool wr_storage_is_settled(const struct wr_storage *self)
{
	(void)self;
	return true;
}

void wr_storage_report(struct wr_storage *self, struct wr_store_report *out)
{
	(void)self;
	*out = (struct wr_store_report){.is_kept = false};
}

bool wr_storage_differs(const struct wr_storage *self)
{
	(void)self;
	return false;
}

void wr_storage_hold_answer(const struct wr_storage *self, struct wr_http_exchange *exchange,
			    struct wr_view worker_id)
{
	(void)self, (void)exchange, (void)worker_id;
}

#endif
