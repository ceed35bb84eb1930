/* A Worker's program from the wish to start it until it runs: its place among the children, its
 * file and environment, its row in the ledger. */
#include "execution/worker_process.h"

#include "check.h"
#include "execution/jsonl.h"
#include "io/log.h"
#include "bounds.h"

#include <errno.h>
#include <string.h>

/* Between fork and exec: noted on disk first. */
static int may_begin(void *context, pid_t pid)
{
	struct wr_worker_process *self = context;
	int os_error = 0;

	if (self->set->ledger != NULL)
		wr_ledger_add(self->set->ledger, &self->running->ledger_row, pid, &os_error);
	if (self->set->cgroups != NULL && os_error == 0)
		self->running->cgroup = wr_cgroups_add(self->set->cgroups, pid);
	return os_error;
}

/* A path from the profile's own folder on can only be looked at there, by the child. */
static enum wr_status find_program(char path[WR_PROGRAM_PATH_BYTES_MAX],
				   const struct wr_process_profile *profile,
				   char *const *environment, struct wr_error *error)
{
	const char *name = profile->argv[0];
	size_t bytes = strlen(name);

	if (profile->cwd != NULL && name[0] != '/' && strchr(name, '/') != NULL &&
	    bytes < WR_PROGRAM_PATH_BYTES_MAX) {
		memcpy(path, name, bytes + 1);
		return WR_OK;
	}
	return wr_program_find(path, name, wr_environment_value(environment, "PATH"), error);
}

/* What it inherits, and the mark of the ledger. wr_spawn only reads it. */
static void make_environment(char *out[WR_ENVIRONMENT_COUNT_MAX + 2],
			     const struct wr_worker_process *self)
{
	const char *mark = self->set->ledger == NULL ? NULL : wr_ledger_mark(self->set->ledger);
	size_t count = 0;

	wr_environment_select(out, self->set->environment, self->profile->environment_names);
	while (out[count] != NULL)
		count++;
	out[count] = (char *)(uintptr_t)mark;
	out[count + 1] = NULL;
}

static enum wr_status start_child(struct wr_worker_process *self, struct wr_error *error)
{
	const struct wr_process_profile *profile = self->profile;
	const struct wr_child_config config = {
		.reactor = self->set->reactor,
		.allocator = self->set->allocator,
		.events = &wr_worker_child_events,
		.context = self,
		.input_bytes_max = profile->mode == WR_PROCESS_LINE ? WR_CHILD_INPUT_BYTES_MAX
								    : WR_FRAME_BYTES_MAX,
		.grace_ms = profile->grace_ms,
	};
	char path[WR_PROGRAM_PATH_BYTES_MAX];
	char *environment[WR_ENVIRONMENT_COUNT_MAX + 2];
	struct wr_spawn spawn = {
		.path = path,
		.argv = profile->argv,
		.environment = environment,
		.cwd = profile->cwd,
		.address_space_bytes_max = profile->address_space_bytes_max,
		.file_bytes_max = profile->file_bytes_max,
		.cpu_seconds_max = profile->cpu_seconds_max,
		.open_files_max = profile->open_files_max,
		.may_begin = may_begin,
		.context = self,
	};
	enum wr_status status;

	make_environment(environment, self);
	status = find_program(path, profile, environment, error);
	if (status != WR_OK)
		return status;
	return wr_child_start(&self->running->child, &config, &spawn, error);
}

static void write_init(struct wr_worker_process *self)
{
	const struct wr_worker *worker = wr_crew_worker(&self->member);
	struct wr_buf message;

	wr_buf_init(&message, self->set->allocator, WR_FRAME_BYTES_MAX);
	wr_jsonl_write_init(&message, worker->id);
	if (wr_worker_input_write(self, &message) != WR_OK ||
	    wr_timer_set(self->set->reactor, &self->timer, self->profile->ready_ms_max) != WR_OK)
		wr_worker_process_end(self, WR_PROCESS_BY_ITSELF, WR_CHILD_TERMINATING);
}

static uint64_t wait_ms(const struct wr_worker_process *self)
{
	uint64_t now_ms = self->set->reactor->now_ms;

	return now_ms < self->not_before_ms ? self->not_before_ms - now_ms : 0;
}

static bool restarts_itself(const struct wr_worker_process *self)
{
	return self->profile->restart == WR_RESTART_ALWAYS && !self->set->crew.is_draining;
}

/* What could not even be tried is tried again, in its place. False: it has no place any more. */
static bool wait_and_try_again(struct wr_worker_process *self)
{
	if (!restarts_itself(self) || wr_worker_process_has_reports(self) ||
	    wr_timer_set(self->set->reactor, &self->timer, wait_ms(self)) != WR_OK)
		return false;
	self->state = WR_PROCESS_WAITING;
	return true;
}

void wr_worker_process_want_start(struct wr_worker_process *self)
{
	self->wants_start = restarts_itself(self);
}

void wr_worker_process_launch(struct wr_worker_process *self)
{
	struct wr_processes *set = self->set;
	struct wr_error error = {.os_error = ENOMEM};

	self->started_ms = set->reactor->now_ms;
	self->reason = WR_PROCESS_BY_ITSELF;
	self->is_ready = self->is_in_turn = self->is_cancelling = false;
	self->lost_bytes = 0;
	self->running = wr_allocator_take_zeroed(set->allocator, sizeof *self->running);
	if (self->running != NULL) {
		wr_line_reader_init(&self->running->lines, set->allocator, WR_CHILD_LINE_BYTES_MAX);
		wr_buf_init(&self->running->texts, set->allocator, WR_EVENT_BYTES_MAX);
		self->running->ledger_row = WR_LEDGER_NONE;
	}
	if (self->running == NULL || start_child(self, &error) != WR_OK) {
		if (self->running != NULL)
			wr_allocator_free(set->allocator, self->running, sizeof *self->running);
		self->running = NULL;
		self->state = WR_PROCESS_NONE;
		wr_worker_input_drop(self);
		wr_worker_process_fail_start(self, error.os_error);
		if (!wait_and_try_again(self))
			wr_worker_process_give_place_back(self);
		return;
	}
	self->state = WR_PROCESS_STARTING;
	WR_LOG(WR_LOG_INFO, "child_started", WR_LOG_NUMBER("worker", self->member.reports.worker),
	       WR_LOG_NUMBER("pid", self->running->child.pid));
	if (self->profile->mode == WR_PROCESS_JSONL)
		write_init(self);
}

void wr_worker_process_begin(struct wr_worker_process *self)
{
	wr_list_remove(&self->queue_node);
	self->set->count++;
	self->state = WR_PROCESS_WAITING;
	self->wants_start = false;
	if (wait_ms(self) != 0 &&
	    wr_timer_set(self->set->reactor, &self->timer, wait_ms(self)) == WR_OK) {
		/* How it has ended stays to be seen while nobody waits for it. */
		if (self->has_pending)
			wr_worker_process_phase(self, WR_PHASE_STARTING,
						WR_VIEW("waits, as it died early before"));
		return;
	}
	wr_worker_process_phase(self, WR_PHASE_STARTING,
				self->has_pending ? WR_VIEW("input") : WR_VIEW("again"));
	wr_worker_process_launch(self);
}

/* Inputs of several Workers may be accepted while none of them is visible, and pass the limit
 * together: who comes late waits for a place. */
void wr_worker_process_start(struct wr_worker_process *self)
{
	struct wr_processes *set = self->set;

	wr_assert(self->state == WR_PROCESS_NONE);
	if (set->count < set->count_max && wr_list_is_empty(&set->queue)) {
		wr_worker_process_begin(self);
		return;
	}
	self->state = WR_PROCESS_QUEUED;
	wr_list_push(&set->queue, &self->queue_node);
	if (self->has_pending)
		wr_worker_process_phase(self, WR_PHASE_STARTING, WR_VIEW("waits for a free place"));
}
