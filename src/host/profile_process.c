#include "host/profile_process.h"

#include "execution/program.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#ifndef __linux__
extern char **environ; /* elsewhere unistd.h leaves that to its user */
#endif

static void put(struct wr_buf *out, const char *text)
{
	wr_buf_append_view(out, wr_view_of_string(text));
}

static void fill_list(const char **out, const struct wr_texts *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		out[i] = list->items[i];
	out[list->count] = NULL;
}

static bool split_exec(struct wr_profile_process *self, struct wr_allocator *allocator,
		       const struct wr_profile_setting *setting, const char *file,
		       struct wr_buf *message)
{
	struct wr_error error = {0};
	enum wr_status status =
		wr_argv_split(&self->argv, allocator, wr_view_of_string(setting->exec), &error);

	if (status == WR_OK)
		return true;
	wr_profile_setting_blame(setting, file, wr_profile_setting_line(setting, &setting->exec),
				 message);
	put(message,
	    status == WR_SYNTAX ? "a quote or backslash has no end" : wr_status_text(status));
	return false;
}

/* Where the child will look for it. A path from its own folder on can only be looked at there. */
static enum wr_status find_program(const struct wr_process_profile *profile, struct wr_error *error)
{
	char path[WR_PROGRAM_PATH_BYTES_MAX];
	char *environment[WR_ENVIRONMENT_COUNT_MAX + 1];
	const char *name = profile->argv[0];

	if (profile->cwd != NULL && name[0] != '/' && strchr(name, '/') != NULL)
		return WR_OK;
	wr_environment_select(environment, environ, profile->environment_names);
	return wr_program_find(path, name, wr_environment_value(environment, "PATH"), error);
}

static bool check_program(const struct wr_profile_process *self,
			  const struct wr_profile_setting *setting, const char *file,
			  struct wr_buf *message)
{
	struct wr_error error = {0};
	enum wr_status status = find_program(&self->profile, &error);
	const void *key = setting->exec != NULL ? (const void *)&setting->exec : &setting->argv;

	if (status == WR_OK)
		return true;
	wr_profile_setting_blame(setting, file, wr_profile_setting_line(setting, key), message);
	put(message, self->profile.argv[0]);
	put(message, ": ");
	put(message, error.os_error != 0 ? strerror(error.os_error) : wr_status_text(status));
	put(message, "; give the path of a program");
	return false;
}

static bool check_folder(const struct wr_profile_setting *setting, const char *file,
			 struct wr_buf *message)
{
	if (setting->cwd == NULL || access(setting->cwd, X_OK) == 0)
		return true;
	wr_profile_setting_blame(setting, file, wr_profile_setting_line(setting, &setting->cwd),
				 message);
	put(message, setting->cwd);
	put(message, ": ");
	put(message, strerror(errno));
	put(message, "; give a folder that is there");
	return false;
}

static void fill_profile(struct wr_process_profile *self, const struct wr_profile_setting *setting)
{
	self->cwd = setting->cwd;
	self->restart = (enum wr_restart)setting->restart;
	self->grace_ms = (uint32_t)setting->grace_ms;
	self->interrupt_ms_max = (uint32_t)setting->interrupt_ms;
	self->ready_ms_max = (uint32_t)setting->ready_ms;
	self->backoff_ms_min = (uint32_t)setting->backoff_min_ms;
	self->backoff_ms_max = (uint32_t)setting->backoff_max_ms;
	self->stable_ms = (uint32_t)setting->stable_ms;
	self->address_space_bytes_max = setting->address_space;
	self->file_bytes_max = setting->file_bytes;
	self->cpu_seconds_max = setting->cpu_seconds;
	self->open_files_max = setting->open_files;
}

bool wr_profile_process_init(struct wr_profile_process *self, struct wr_allocator *allocator,
			     const struct wr_profile_setting *setting, const char *file,
			     struct wr_buf *message)
{
	char **words = self->words;

	if (setting->exec != NULL) {
		if (!split_exec(self, allocator, setting, file, message))
			return false;
		words = self->argv.words;
	} else {
		/* execve takes them without const, and changes nothing. */
		for (uint32_t i = 0; i < setting->argv.count; i++)
			memcpy(&self->words[i], &setting->argv.items[i], sizeof self->words[i]);
	}
	wr_process_profile_init(&self->profile, words, (enum wr_process_mode)setting->mode);
	fill_profile(&self->profile, setting);
	if (wr_profile_setting_has(setting, &setting->environment)) {
		fill_list(self->names, &setting->environment);
		self->profile.environment_names = self->names;
	}
	if (check_folder(setting, file, message) && check_program(self, setting, file, message))
		return true;
	wr_profile_process_deinit(self);
	return false;
}

void wr_profile_process_deinit(struct wr_profile_process *self)
{
	if (self->argv.words != NULL)
		wr_argv_deinit(&self->argv);
	self->argv.words = NULL;
}
