#include "host/profiles.h"

#include "check.h"

#include <string.h>
#include <unistd.h>

enum { PATH_BYTES_MAX = 4096 };

#ifndef __linux__
extern char **environ; /* elsewhere unistd.h leaves that to its user */
#endif

static void say(struct wr_buf *message, const char *text)
{
	wr_buf_append_view(message, wr_view_of_string(text));
}

/* The words of --exec, and that its program exists now: better said here than at the first input.
 */
static bool read_command(struct wr_argv *argv, struct wr_allocator *allocator, const char *command,
			 struct wr_buf *message)
{
	char path[WR_PROGRAM_PATH_BYTES_MAX];
	struct wr_error error = {0};
	enum wr_status status = wr_argv_split(argv, allocator, wr_view_of_string(command), &error);

	if (status != WR_OK) {
		say(message, "--exec: ");
		say(message, status == WR_SYNTAX ? "a quote or backslash has no end"
						 : wr_status_text(status));
		return false;
	}
	status = wr_program_find(path, argv->words[0], wr_environment_value(environ, "PATH"),
				 &error);
	if (status == WR_OK)
		return true;
	say(message, "--exec: ");
	say(message, argv->words[0]);
	say(message, ": ");
	say(message, error.os_error != 0 ? strerror(error.os_error) : wr_status_text(status));
	say(message, "; give the path of a program");
	wr_argv_deinit(argv);
	return false;
}

/* The programs of this life, and those of an earlier one, are known by a file in the store's
 * folder. It is no reason not to start: it says itself what is wrong, and a program without a row
 * in it does not begin. */
static bool open_ledger(struct wr_profile_table *self, struct wr_allocator *allocator,
			const struct wr_hosting *hosting, struct wr_buf *message)
{
	struct wr_error error = {0};

	if (hosting->store != WR_STORE_FS)
		return true;
	wr_buf_init(&self->ledger_path, allocator, PATH_BYTES_MAX);
	wr_buf_append_view(&self->ledger_path, wr_view_of_string(hosting->fs_root));
	wr_buf_append(&self->ledger_path, "/children", sizeof "/children");
	if (wr_buf_status(&self->ledger_path) != WR_OK) {
		wr_buf_deinit(&self->ledger_path);
		say(message, "--fs-root: the path is too long, or there is no memory for it");
		return false;
	}
	(void)wr_ledger_open(&self->ledger, allocator, self->ledger_path.data, &error);
	self->has_ledger = true;
	return true;
}

bool wr_profiles_init(struct wr_profile_table *self, struct wr_reactor *reactor,
		      struct wr_allocator *allocator, const struct wr_hosting *hosting,
		      struct wr_buf *message)
{
	if (!open_ledger(self, allocator, hosting, message))
		return false;
	if (hosting->exec == NULL)
		return true;
	if (!read_command(&self->argv, allocator, hosting->exec, message))
		return false;
	wr_process_profile_init(&self->profile, self->argv.words,
				hosting->exec_mode == WR_EXEC_JSONL ? WR_PROCESS_JSONL
								    : WR_PROCESS_LINE);
	wr_processes_init(&self->processes, reactor, allocator, (uint32_t)hosting->children_max,
			  environ);
	if (self->has_ledger)
		wr_processes_use_ledger(&self->processes, &self->ledger);
	self->has_exec = true;
	return true;
}

bool wr_profiles_check(const struct wr_hosting *hosting, struct wr_allocator *allocator,
		       struct wr_buf *message)
{
	struct wr_argv argv = {.words = NULL};

	if (hosting->exec == NULL)
		return true;
	if (!read_command(&argv, allocator, hosting->exec, message))
		return false;
	wr_argv_deinit(&argv);
	return true;
}

void wr_profiles_attach(struct wr_profile_table *self, struct wr_runtime *runtime)
{
	if (self->has_exec)
		wr_processes_attach(&self->processes, runtime);
}

void wr_profiles_deinit(struct wr_profile_table *self)
{
	if (self->has_exec) {
		wr_processes_deinit(&self->processes);
		wr_argv_deinit(&self->argv);
	}
	if (self->has_ledger) {
		wr_ledger_close(&self->ledger);
		wr_buf_deinit(&self->ledger_path);
	}
	self->has_exec = self->has_ledger = false;
}

/* ---- finding ---- */

static bool is_default(enum wr_profile_kind kind, struct wr_view value)
{
	static const struct wr_view names[] = {
		WR_VIEW_INIT("builtin:default"), WR_VIEW_INIT("builtin:coder"),
		WR_VIEW_INIT("builtin:intake"), WR_VIEW_INIT("builtin:orchestrator"),
		WR_VIEW_INIT("builtin:reviewer")};

	if (kind == WR_PROFILE_RUNTIME_DEFAULT)
		return true;
	for (size_t i = 0; kind == WR_PROFILE_BUILTIN && i < WR_COUNT(names); i++)
		if (wr_view_equal(value, names[i]))
			return true;
	return false;
}

static enum wr_status find(void *context, struct wr_execution *out, enum wr_profile_kind kind,
			   struct wr_view value)
{
	struct wr_profile_table *self = context;

	if (!is_default(kind, value))
		return WR_INVALID;
	*out = self->has_exec ? wr_processes_execution(&self->processes, &self->profile)
			      : (struct wr_execution){.ops = NULL};
	return WR_OK;
}

struct wr_profiles wr_profiles_port(struct wr_profile_table *self)
{
	return (struct wr_profiles){.find = find, .context = self};
}

/* ---- living and ending ---- */

void wr_profiles_reap(struct wr_profile_table *self)
{
	if (self->has_exec)
		wr_processes_on_child_signal(&self->processes);
}

/* The server looks at the live count at the end of every turn, so nobody need call it. */
static void on_drained(void *context)
{
	(void)context;
}

void wr_profiles_drain(struct wr_profile_table *self)
{
	if (self->has_exec)
		wr_processes_drain(&self->processes, on_drained, NULL);
}

uint32_t wr_profiles_live_count(const struct wr_profile_table *self)
{
	return self->has_exec ? wr_processes_live_count(&self->processes) : 0;
}
