#include "runtime_server/log_command.h"

#include "check.h"

enum { EXIT_SOUND = 0, EXIT_BAD = 1, EXIT_USAGE = 2 };

static void say(struct wr_buf *out, const char *text)
{
	wr_buf_append_view(out, wr_view_of_string(text));
}

#if WR_FS_STORE

#include "core/event_bytes.h"
#include "core/fields.h"
#include "io/clock.h"
#include "io/memory.h"
#include "io/store/verify.h"
#include "wire/log_json.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
	FLUSH_BYTES = 65536,
	LOOKS_MAX = 10,
	/* A log is long when it takes more than this. */
	PROGRESS_AFTER_MS = 1000,
	PROGRESS_EVERY_MS = 200
};

/* What is asked for, and what is on its way out. */
struct look {
	const char *path;
	bool is_dump, is_in_use;
	struct wr_view worker_id; /* absent: all */
	uint64_t from;

	struct wr_allocator allocator;
	struct wr_buf out;
	bool is_closed; /* nobody reads what we write */
	bool has_written;
	bool has_shown; /* an event that was asked for */
	/* Ids of Workers by their number, from 1: one behind the other, and where each ends. */
	struct wr_buf ids;
	struct wr_buf ends;	/* u32, little-endian */
	uint32_t number_before; /* of the Worker before the next row of a checkpoint */
	uint64_t begun_ms, told_ms;
	bool has_progress;
};

static void flush(struct look *self)
{
	size_t at = 0;

	while (!self->is_closed && at < self->out.bytes) {
		ssize_t written = write(1, self->out.data + at, self->out.bytes - at);
		self->has_written = true;
		if (written > 0)
			at += (size_t)written;
		else if (written == 0 || errno != EINTR)
			self->is_closed = true;
	}
	wr_buf_reset(&self->out);
}

/* ---- progress ---- */

static void write_err(const char *text)
{
	ssize_t written = write(2, text, strlen(text));

	(void)written; /* it is for people that happen to look */
}

static void on_progress(void *context, uint64_t bytes, uint64_t all_bytes)
{
	struct look *self = context;
	uint64_t now_ms = wr_clock_monotonic_ms();
	char storage[64];
	struct wr_buf line;

	if (now_ms < self->begun_ms + PROGRESS_AFTER_MS ||
	    now_ms < self->told_ms + PROGRESS_EVERY_MS || all_bytes == 0)
		return;
	self->told_ms = now_ms;
	self->has_progress = true;
	wr_buf_init_fixed(&line, storage, sizeof storage);
	say(&line, "\r");
	wr_buf_append_u64(&line, (bytes < all_bytes ? bytes : all_bytes) / (all_bytes / 100 + 1));
	say(&line, " % ");
	wr_buf_append_byte(&line, '\0');
	write_err(line.data);
}

static void end_progress(const struct look *self)
{
	if (self->has_progress)
		write_err("\r      \r");
}

/* ---- which Worker is whose ---- */

enum {
	END_BYTES = 4,
	WORKER_COUNT_MAX = 1 << 24 /* no log has more: see --max-workers */
};

static uint32_t end_of(const struct look *self, uint32_t number)
{
	return number == 0 ? 0 : wr_load_le32(self->ends.data + (size_t)END_BYTES * (number - 1));
}

static struct wr_view id_of(const struct look *self, uint32_t number)
{
	uint32_t begin, end;

	if (number == 0 || number > self->ends.bytes / END_BYTES)
		return WR_VIEW_NULL;
	begin = end_of(self, number - 1);
	end = end_of(self, number);
	return begin == end ? WR_VIEW_NULL : wr_view_of(self->ids.data + begin, end - begin);
}

/* Workers come in the order of their numbers; of one that is left out nothing is known. */
static void learn_id(struct look *self, uint32_t number, struct wr_view id)
{
	if (number > WORKER_COUNT_MAX)
		return;
	for (uint64_t count = self->ends.bytes / END_BYTES; count < number; count++) {
		char end[END_BYTES];
		if (count + 1 == number)
			wr_buf_append_view(&self->ids, id);
		wr_store_le32(end, (uint32_t)self->ids.bytes);
		wr_buf_append(&self->ends, end, sizeof end);
	}
}

/* The rows of Workers in a checkpoint, for their ids (core/checkpoint.h has the layout). Its parts
 * follow each other, and so do the Workers in them. */
static void on_part(void *context, struct wr_view part)
{
	enum { KIND_RUNTIME = 1, KIND_WORKERS = 2, NUMBERS_BYTES = 6 * 8 + 2 };
	struct look *self = context;
	struct wr_take from = {.rest = part};
	uint8_t kind;

	wr_take_u8(&from, 0xff);
	kind = wr_take_u8(&from, 0xff);
	wr_take_bytes(&from, 2);
	if (kind == KIND_RUNTIME)
		self->number_before = 0;
	if (kind != KIND_WORKERS)
		return;
	for (uint32_t rows = wr_take_u32(&from); rows > 0 && !from.is_bad; rows--) {
		struct wr_row_queue queue;
		struct wr_create request;
		struct wr_view id;
		uint8_t flags;

		wr_take_bytes(&from, NUMBERS_BYTES);
		flags = wr_take_u8(&from, WR_ROW_QUARANTINED | WR_ROW_QUEUE | WR_ROW_DIGEST);
		wr_take_u8(&from, 0);
		id = wr_take_text(&from);
		wr_take_request(&from, &request, (flags & WR_ROW_DIGEST) != 0);
		if ((flags & WR_ROW_QUEUE) != 0)
			wr_take_row_queue(&from, &queue);
		if (!from.is_bad)
			learn_id(self, ++self->number_before, id);
	}
}

/* ---- dump ---- */

static enum wr_status on_dump_event(void *context, const struct wr_store_record *record)
{
	struct look *self = context;
	struct wr_event event;
	enum wr_status status = wr_event_decode(&event, record->payload);
	struct wr_view id;

	if (status != WR_OK)
		return status;
	if (event.kind == WR_EVENT_WORKER_CREATED)
		learn_id(self, event.worker, event.as.created.worker_id);
	if (record->sequence < self->from)
		return WR_OK;
	id = id_of(self, event.worker);
	if (self->worker_id.data != NULL &&
	    (id.data == NULL || !wr_view_equal(id, self->worker_id)))
		return WR_OK;
	self->has_shown = true;
	wr_log_event_json(&self->out, &event, id);
	wr_buf_append_byte(&self->out, '\n');
	if (self->out.bytes >= FLUSH_BYTES)
		flush(self);
	return self->is_closed ? WR_CLOSED : wr_buf_status(&self->out);
}

/* ---- verify ---- */

static const char *const state_words[] = {
	[WR_VERIFY_SOUND] = "sound",	     [WR_VERIFY_PREPARED] = "prepared",
	[WR_VERIFY_SPARE] = "left over",     [WR_VERIFY_USELESS] = "useless, made again",
	[WR_VERIFY_FOREIGN] = "not checked", [WR_VERIFY_TORN] = "torn",
	[WR_VERIFY_MISSING] = "missing",     [WR_VERIFY_DAMAGED] = "damaged",
};

static const char *word_of(const struct look *self, enum wr_verify_state state)
{
	return state == WR_VERIFY_TORN && self->is_in_use ? "being written" : state_words[state];
}

static void say_number(struct wr_buf *out, const char *before, uint64_t number)
{
	say(out, before);
	wr_buf_append_u64(out, number);
}

static void on_file(void *context, const struct wr_verify_file *file)
{
	struct look *self = context;
	struct wr_buf *out = &self->out;

	say(out, file->name);
	say(out, ": ");
	say(out, word_of(self, file->state));
	if (file->is_segment && (file->state == WR_VERIFY_TORN || file->state == WR_VERIFY_DAMAGED))
		say_number(out, " at byte ", file->offset);
	if (file->what != NULL) {
		say(out, ": ");
		say(out, file->what);
	}
	if (file->is_segment && file->state != WR_VERIFY_MISSING) {
		say_number(out, "; records ", file->record_count);
		say_number(out, ", events ", file->event_count);
		if (file->event_count != 0) {
			say_number(out, " (", file->first_sequence);
			say_number(out, " to ", file->last_sequence);
			say(out, ")");
		}
		if (file->checkpoint_count != 0)
			say(out, ", checkpoint");
	}
	say(out, "\n");
	if (out->bytes >= FLUSH_BYTES)
		flush(self);
}

/* That it is an event is checked, too. */
static enum wr_status on_verify_event(void *context, const struct wr_store_record *record)
{
	struct wr_event event;
	enum wr_status status = wr_event_decode(&event, record->payload);

	(void)context;
	if (status == WR_OK &&
	    (event.sequence != record->sequence || event.worker != record->worker))
		return WR_CORRUPT;
	return status;
}

static void say_verdict(struct look *self, const struct wr_verify_result *result)
{
	struct wr_buf *out = &self->out;

	say(out, word_of(self, result->state));
	if (result->bad_count != 0)
		say_number(out, ": files ", result->bad_count);
	if (result->what != NULL) {
		say(out, ": ");
		say(out, result->what);
	}
	say_number(out, "; segments ", result->segment_count);
	say_number(out, ", records ", result->record_count);
	say_number(out, ", events ", result->event_count);
	say_number(out, ", last sequence ", result->last_sequence);
	say_number(out, ", generation ", result->generation);
	if (self->is_in_use)
		say(out, "; in use\n");
	else
		say(out,
		    result->is_clean ? "; ended in good order\n" : "; not ended in good order\n");
}

/* ---- both ---- */

static enum wr_status run(struct look *self, struct wr_verify_result *result,
			  const struct wr_verify_visitor *visitor, struct wr_fs_error *error)
{
	struct wr_posix_disk posix;
	struct wr_disk disk;
	enum wr_status status;
	int os_error;

	if (!wr_posix_disk_open(&posix, self->path, true, &os_error)) {
		*error = (struct wr_fs_error){
			.status = WR_IO, .os_error = os_error, .what = "the folder cannot be read"};
		return WR_IO;
	}
	disk = wr_posix_disk_port(&posix);
	self->begun_ms = wr_clock_monotonic_ms();
	status = wr_verify_run(result, &self->allocator, &disk, visitor, error);
	wr_posix_disk_close(&posix);
	return status;
}

static enum wr_status only_if_merged(void *context, const struct wr_verify_result *so_far)
{
	(void)context;
	return so_far->is_merged ? WR_OK : WR_CLOSED;
}

/* Creations that were given up are in no event any more: their ids are in the checkpoints. */
static enum wr_status learn_ids(struct look *self, struct wr_fs_error *error)
{
	const struct wr_verify_visitor visitor = {
		.context = self, .begin = only_if_merged, .part = on_part};
	struct wr_verify_result result;
	enum wr_status status = run(self, &result, &visitor, error);

	return status == WR_CLOSED ? WR_OK : status;
}

static void explain(const struct look *self, const struct wr_fs_error *error,
		    struct wr_buf *message)
{
	say(message, self->path);
	say(message, ": ");
	say(message, error->what);
	if (error->file[0] != '\0') {
		say(message, ", file ");
		say(message, error->file);
		say_number(message, " at byte ", error->offset);
	}
	if (error->os_error != 0) {
		say(message, ": ");
		say(message, strerror(error->os_error));
	}
	if (error->os_error == ENOENT && self->is_in_use)
		say(message, "; the process that has it has just removed it: try again");
}

/* One look, from the beginning. */
static enum wr_status look_once(struct look *self, struct wr_verify_result *result,
				struct wr_fs_error *error)
{
	struct wr_verify_visitor visitor = {.context = self};
	enum wr_status status = WR_OK;

	wr_buf_reset(&self->out);
	wr_buf_reset(&self->ids);
	wr_buf_reset(&self->ends);
	if (isatty(2))
		visitor.progress = on_progress;
	if (self->is_dump) {
		visitor.event = on_dump_event;
		status = learn_ids(self, error);
	} else {
		visitor.file = on_file;
		visitor.event = on_verify_event;
	}
	return status == WR_OK ? run(self, result, &visitor, error) : status;
}

/* What the process that has the log removes meanwhile is in another file by now. */
static enum wr_status look_again(struct look *self, struct wr_verify_result *result,
				 struct wr_fs_error *error)
{
	enum wr_status status = WR_OK;

	for (unsigned i = 0; i < LOOKS_MAX; i++) {
		status = look_once(self, result, error);
		if (status != WR_IO || error->os_error != ENOENT || !self->is_in_use ||
		    self->has_written)
			break;
	}
	return status;
}

static int conclude(struct look *self, const struct wr_verify_result *result,
		    struct wr_buf *message)
{
	if (result->state == WR_VERIFY_MISSING) {
		say(message, self->path);
		say(message, ": ");
		say(message, result->what != NULL ? result->what : "there is no log in it");
		return EXIT_BAD;
	}
	if (!self->is_dump)
		say_verdict(self, result);
	flush(self);
	if (self->is_dump && self->worker_id.data != NULL && !self->has_shown)
		write_err("worker-runtime: the log has no such event of a Worker of that id\n");
	if (result->state != WR_VERIFY_DAMAGED)
		return self->is_closed ? EXIT_BAD : EXIT_SOUND;
	if (self->is_dump)
		say(message, "the log is damaged, and what is damaged is left out; "
			     "`worker-runtime log verify` tells more");
	return EXIT_BAD;
}

static int look_at(struct look *self, struct wr_buf *message)
{
	struct wr_verify_result result;
	struct wr_fs_error error = {.status = WR_OK};
	enum wr_status status;

	self->is_in_use = wr_verify_is_in_use(self->path);
	if (self->is_in_use)
		write_err("worker-runtime: a process has this log: what is there by now is looked "
			  "at\n");
	status = look_again(self, &result, &error);
	end_progress(self);
	if (status == WR_OK)
		return conclude(self, &result, message);
	if (status != WR_CLOSED) {
		flush(self);
		explain(self, &error, message);
	}
	return EXIT_BAD;
}

/* ---- the command line ---- */

static bool read_sequence(const char *text, uint64_t *out)
{
	*out = 0;
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		uint64_t digit = (uint64_t)(unsigned char)*text - '0';
		if (digit > 9 || *out > (UINT64_MAX - digit) / 10)
			return false;
		*out = *out * 10 + digit;
	}
	return true;
}

/* What stands behind `=`, or in the next argument; NULL: it is another flag, or has no value. */
static const char *flag_value(const char *argument, const char *name, const char *next)
{
	size_t bytes = strlen(name);

	if (strncmp(argument, name, bytes) != 0)
		return NULL;
	if (argument[bytes] == '=')
		return argument + bytes + 1;
	return argument[bytes] == '\0' ? next : NULL;
}

/* Takes one argument; gives how many that was with its value, 0: it means nothing here. */
static int take_argument(struct look *self, const char *argument, const char *next)
{
	const char *worker = flag_value(argument, "--worker", next);
	const char *from = flag_value(argument, "--from", next);

	if (self->is_dump && worker != NULL) {
		self->worker_id = wr_view_of_string(worker);
		return worker == next ? 2 : 1;
	}
	if (self->is_dump && from != NULL) {
		if (!read_sequence(from, &self->from))
			return 0;
		return from == next ? 2 : 1;
	}
	if (self->path != NULL || argument[0] == '-' || argument[0] == '\0')
		return 0;
	self->path = argument;
	return 1;
}

static bool parse(struct look *self, int argc, const char *const *argv)
{
	int taken;

	if (argc < 1)
		return false;
	self->is_dump = strcmp(argv[0], "dump") == 0;
	if (!self->is_dump && strcmp(argv[0], "verify") != 0)
		return false;
	for (int i = 1; i < argc; i += taken) {
		taken = take_argument(self, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
		if (taken == 0)
			return false;
	}
	return self->path != NULL;
}

int wr_log_command(int argc, const char *const *argv, struct wr_buf *message)
{
	struct look self = {.path = NULL};
	int code;

	if (!parse(&self, argc, argv)) {
		say(message, "it is `log verify DIR` or `log dump DIR [--worker ID] [--from "
			     "SEQUENCE]`");
		return EXIT_USAGE;
	}
	wr_memory_init(&self.allocator, SIZE_MAX);
	wr_buf_init(&self.out, &self.allocator, SIZE_MAX);
	wr_buf_init(&self.ids, &self.allocator, UINT32_MAX);
	wr_buf_init(&self.ends, &self.allocator, UINT32_MAX);
	code = look_at(&self, message);
	wr_buf_deinit(&self.out);
	wr_buf_deinit(&self.ids);
	wr_buf_deinit(&self.ends);
	return code;
}

#else

int wr_log_command(int argc, const char *const *argv, struct wr_buf *message)
{
	(void)argc, (void)argv;
	say(message, "this build has no fs store, and so no log to be looked at");
	return EXIT_USAGE;
}

#endif
