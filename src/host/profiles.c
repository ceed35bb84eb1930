#include "host/profiles.h"

#include "check.h"
#include "host/profile_openai.h"
#include "host/profile_process.h"
#include "io/net/resolver.h"

#include <unistd.h>

enum { PATH_BYTES_MAX = 4096 };

#ifndef __linux__
extern char **environ; /* elsewhere unistd.h leaves that to its user */
#endif

struct wr_profile_entry {
	const struct wr_profile_setting *setting;
	union {
		struct wr_profile_process process;
		struct wr_profile_openai openai;
	} as; /* by the runner of the setting */
};

static void say(struct wr_buf *message, const char *text)
{
	wr_buf_append_view(message, wr_view_of_string(text));
}

/* ---- entries ---- */

static bool has_exec(const struct wr_hosting *hosting)
{
	return hosting->exec != NULL && hosting->default_setting == NULL;
}

static bool init_entry(struct wr_profile_table *self, const struct wr_profile_setting *setting,
		       struct wr_buf *message)
{
	struct wr_profile_entry *entry = &self->entries[self->count];
	bool is_made = true;

	entry->setting = setting;
	switch ((enum wr_runner)setting->runner) {
	case WR_RUNNER_NONE:
		break;
	case WR_RUNNER_PROCESS:
		is_made = wr_profile_process_init(&entry->as.process, self->allocator, setting,
						  self->hosting->profile_file, message);
		break;
	case WR_RUNNER_OPENAI:
		is_made = wr_profile_openai_init(&entry->as.openai, self->reactor, self->allocator,
						 self->resolver, setting,
						 self->hosting->profile_file, message);
		break;
	}
	if (!is_made)
		return false;
	self->count++;
	if (setting == self->hosting->default_setting || setting == &self->of_exec)
		self->default_entry = entry;
	return true;
}

static void free_entries(struct wr_profile_table *self)
{
	while (self->count > 0) {
		struct wr_profile_entry *entry = &self->entries[--self->count];

		if (entry->setting->runner == WR_RUNNER_PROCESS)
			wr_profile_process_deinit(&entry->as.process);
		else if (entry->setting->runner == WR_RUNNER_OPENAI)
			wr_profile_openai_deinit(&entry->as.openai);
	}
	wr_allocator_free(self->allocator, self->entries, self->capacity * sizeof *self->entries);
	self->entries = NULL;
	self->default_entry = NULL;
	self->capacity = 0;
}

static bool make_entries(struct wr_profile_table *self, struct wr_buf *message)
{
	const struct wr_hosting *hosting = self->hosting;
	bool is_made = true;

	self->capacity = hosting->profile_count + has_exec(hosting);
	if (self->capacity == 0)
		return true;
	self->entries =
		wr_allocator_take_zeroed(self->allocator, self->capacity * sizeof *self->entries);
	if (self->entries == NULL) {
		self->capacity = 0;
		say(message, "no memory for profiles");
		return false;
	}
	for (uint32_t i = 0; i < hosting->profile_count && is_made; i++)
		is_made = init_entry(self, &hosting->profiles[i], message);
	if (is_made && has_exec(hosting)) {
		wr_profile_setting_of_exec(&self->of_exec, hosting->exec, hosting->exec_mode);
		is_made = init_entry(self, &self->of_exec, message);
	}
	/* Two may have the same key: so when all have theirs. */
	for (uint32_t i = 0; i < hosting->profile_count; i++)
		wr_profile_openai_wipe_variable(&hosting->profiles[i]);
	if (!is_made)
		free_entries(self);
	return is_made;
}

static bool open_names(struct wr_profile_table *self, struct wr_buf *message)
{
	struct wr_resolver_config config;

	if (!wr_hosting_has_models(self->hosting))
		return true;
	wr_resolver_defaults(&config);
	self->resolver = wr_resolver_new(self->reactor, self->allocator, &config);
	if (self->resolver == NULL)
		say(message, "no memory for profiles");
	return self->resolver != NULL;
}

bool wr_profiles_check(const struct wr_hosting *hosting, struct wr_allocator *allocator,
		       struct wr_buf *message)
{
	struct wr_profile_table *table = wr_allocator_take_zeroed(allocator, sizeof *table);
	struct wr_reactor reactor; /* in which nothing happens */
	struct wr_error error;
	bool is_fine;

	if (table == NULL || wr_reactor_init(&reactor, allocator, &error) != WR_OK) {
		say(message, "no memory for profiles");
		wr_allocator_free(allocator, table, sizeof *table);
		return false;
	}
	table->reactor = &reactor;
	table->allocator = allocator;
	table->hosting = hosting;
	is_fine = open_names(table, message) && make_entries(table, message);
	free_entries(table);
	wr_resolver_free(table->resolver);
	wr_reactor_deinit(&reactor);
	wr_allocator_free(allocator, table, sizeof *table);
	return is_fine;
}

/* ---- beginning and end ---- */

/* The programs of this life, and those of an earlier one, are known by a file in the store's
 * folder. It is no reason not to start: it says itself what is wrong, and a program without a row
 * in it does not begin. */
static bool open_ledger(struct wr_profile_table *self, struct wr_buf *message)
{
	struct wr_error error = {0};

	if (self->hosting->store != WR_STORE_FS)
		return true;
	wr_buf_init(&self->ledger_path, self->allocator, PATH_BYTES_MAX);
	wr_buf_append_view(&self->ledger_path, wr_view_of_string(self->hosting->fs_root));
	wr_buf_append(&self->ledger_path, "/children", sizeof "/children");
	if (wr_buf_status(&self->ledger_path) != WR_OK) {
		wr_buf_deinit(&self->ledger_path);
		say(message, "--fs-root: the path is too long, or there is no memory for it");
		return false;
	}
	(void)wr_ledger_open(&self->ledger, self->allocator, self->ledger_path.data, &error);
	self->has_ledger = true;
	return true;
}

static void init_processes(struct wr_profile_table *self, const struct wr_hosting *hosting)
{
	wr_processes_init(&self->processes, self->reactor, self->allocator,
			  (uint32_t)hosting->children_max, environ);
	if (self->has_ledger)
		wr_processes_use_ledger(&self->processes, &self->ledger);
	if (wr_cgroups_open(&self->cgroups, NULL))
		wr_processes_use_cgroups(&self->processes, &self->cgroups);
	self->has_processes = true;
}

/* Each finds its server once, so that no Worker has to be refused for that later. */
static bool init_openai(struct wr_profile_table *self, struct wr_buf *message)
{
	struct wr_execution execution;
	enum wr_status status = WR_OK;

	wr_openai_init(&self->openai, self->reactor, self->allocator);
	self->has_openai = true;
	for (uint32_t i = 0; i < self->count && status == WR_OK; i++)
		if (self->entries[i].setting->runner == WR_RUNNER_OPENAI)
			status = wr_openai_execution(
				&self->openai, &self->entries[i].as.openai.profile, &execution);
	if (status == WR_OK)
		return true;
	say(message, "profiles: ");
	say(message, wr_status_text(status));
	return false;
}

bool wr_profiles_init(struct wr_profile_table *self, struct wr_reactor *reactor,
		      struct wr_allocator *allocator, const struct wr_hosting *hosting,
		      struct wr_buf *message)
{
	self->reactor = reactor;
	self->allocator = allocator;
	self->hosting = hosting;
	if (!open_ledger(self, message) || !open_names(self, message) ||
	    !make_entries(self, message))
		return false;
	if (wr_hosting_has_programs(hosting))
		init_processes(self, hosting);
	return !wr_hosting_has_models(hosting) || init_openai(self, message);
}

void wr_profiles_attach(struct wr_profile_table *self, struct wr_runtime *runtime)
{
	self->runtime = runtime;
	if (self->has_processes)
		wr_processes_attach(&self->processes, runtime);
	if (self->has_openai)
		wr_openai_attach(&self->openai, runtime);
}

void wr_profiles_deinit(struct wr_profile_table *self)
{
	if (self->has_processes) {
		wr_processes_deinit(&self->processes);
		wr_cgroups_close(&self->cgroups);
	}
	if (self->has_openai)
		wr_openai_deinit(&self->openai);
	if (self->entries != NULL)
		free_entries(self);
	wr_resolver_free(self->resolver);
	self->resolver = NULL;
	if (self->has_ledger) {
		wr_ledger_close(&self->ledger);
		wr_buf_deinit(&self->ledger_path);
	}
	self->has_processes = self->has_openai = self->has_ledger = false;
}

/* ---- what is no longer there ---- */

static enum wr_status admit_nothing(void *context, uint32_t worker, const struct wr_input *input,
				    const struct wr_undelivered *waiting)
{
	(void)context;
	(void)worker;
	(void)input;
	(void)waiting;
	return WR_UNAVAILABLE;
}

static void deliver_nothing(void *context, uint32_t worker, const struct wr_input *input,
			    uint64_t sequence)
{
	(void)context;
	(void)worker;
	(void)input;
	(void)sequence;
}

static enum wr_status interrupt_nothing(void *context, uint32_t worker)
{
	(void)context;
	(void)worker;
	return WR_CONFLICT;
}

static void end_nothing(void *context, uint32_t worker)
{
	const struct wr_profile_table *self = context;

	(void)wr_runtime_execution_ended(self->runtime, worker);
}

static const struct wr_execution_ops missing_ops = {
	.admit = admit_nothing,
	.deliver = deliver_nothing,
	.interrupt = interrupt_nothing,
	.stop = end_nothing,
	.cancel = end_nothing,
};

/* ---- finding ---- */

static const struct wr_profile_entry *find_entry(const struct wr_profile_table *self,
						 struct wr_view name)
{
	for (uint32_t i = 0; i < self->hosting->profile_count; i++)
		if (wr_view_equal(wr_view_of_string(self->entries[i].setting->name), name))
			return &self->entries[i];
	return NULL;
}

static bool is_builtin(struct wr_view value)
{
	static const struct wr_view names[] = {
		WR_VIEW_INIT("builtin:default"), WR_VIEW_INIT("builtin:coder"),
		WR_VIEW_INIT("builtin:intake"), WR_VIEW_INIT("builtin:orchestrator"),
		WR_VIEW_INIT("builtin:reviewer")};

	for (size_t i = 0; i < WR_COUNT(names); i++)
		if (wr_view_equal(value, names[i]))
			return true;
	return false;
}

/* False: there is no such profile. An entry of NULL: nothing runs it. */
static bool select_entry(const struct wr_profile_table *self, enum wr_profile_kind kind,
			 struct wr_view value, const struct wr_profile_entry **out)
{
	*out = self->default_entry;
	switch (kind) {
	case WR_PROFILE_RUNTIME_DEFAULT:
		return true;
	case WR_PROFILE_BUILTIN: {
		const struct wr_profile_entry *own = find_entry(self, value);
		if (!is_builtin(value))
			return false;
		if (own != NULL)
			*out = own;
		return true;
	}
	case WR_PROFILE_NAMED:
		*out = is_builtin(value) ? NULL : find_entry(self, value);
		return *out != NULL;
	}
	wr_unreachable();
}

static enum wr_status find(void *context, struct wr_execution *out, enum wr_profile_kind kind,
			   struct wr_view value)
{
	struct wr_profile_table *self = context;
	const struct wr_profile_entry *entry;
	struct wr_profile_entry *found;

	/* Refused when it is to be made; of one that is there already this is what it has. */
	*out = (struct wr_execution){.ops = &missing_ops, .context = self};
	if (!select_entry(self, kind, value, &entry))
		return WR_INVALID;
	*out = (struct wr_execution){.ops = NULL};
	if (entry == NULL)
		return WR_OK;
	found = &self->entries[entry - self->entries];
	switch ((enum wr_runner)entry->setting->runner) {
	case WR_RUNNER_NONE:
		break;
	case WR_RUNNER_PROCESS:
		*out = wr_processes_execution(&self->processes, &found->as.process.profile);
		break;
	case WR_RUNNER_OPENAI:
		if (wr_openai_execution(&self->openai, &found->as.openai.profile, out) != WR_OK)
			return WR_INVALID;
		break;
	}
	out->busy = wr_profile_setting_busy(entry->setting);
	return WR_OK;
}

struct wr_profiles wr_profiles_port(struct wr_profile_table *self)
{
	return (struct wr_profiles){.find = find, .context = self};
}

/* ---- living and ending ---- */

void wr_profiles_reap(struct wr_profile_table *self)
{
	if (self->has_processes)
		wr_processes_on_child_signal(&self->processes);
}

/* The server looks at the live count at the end of every turn, so nobody need call it. */
static void on_drained(void *context)
{
	(void)context;
}

void wr_profiles_drain(struct wr_profile_table *self)
{
	if (self->has_processes)
		wr_processes_drain(&self->processes, on_drained, NULL);
	if (self->has_openai)
		wr_openai_drain(&self->openai, on_drained, NULL);
}

uint32_t wr_profiles_live_count(const struct wr_profile_table *self)
{
	return (self->has_processes ? wr_processes_live_count(&self->processes) : 0) +
	       (self->has_openai ? wr_openai_live_count(&self->openai) : 0);
}
