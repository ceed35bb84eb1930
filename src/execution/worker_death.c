/* Why a program ended, in words, and what that means to its Worker and to the next start. */
#include "execution/worker_process.h"

#include "execution/lossy.h"

#include <string.h>

enum { MESSAGE_BYTES = 512 + WR_CHILD_STDERR_TAIL_BYTES };

/* The last part of the path: where programs lie is nobody's business. */
static struct wr_view program_name(const struct wr_worker_process *self)
{
	const char *path = self->profile->argv[0];
	const char *slash = strrchr(path, '/');

	return wr_view_of_string(slash == NULL ? path : slash + 1);
}

static void note_early_death(struct wr_worker_process *self)
{
	const struct wr_process_profile *profile = self->profile;
	uint64_t now_ms = self->set->reactor->now_ms, wait_ms = profile->backoff_ms_min;

	if (now_ms - self->started_ms >= profile->stable_ms) {
		self->early_deaths = 0;
		return;
	}
	for (uint32_t i = 0; i < self->early_deaths && wait_ms < profile->backoff_ms_max; i++)
		wait_ms *= 2;
	if (wait_ms > profile->backoff_ms_max)
		wait_ms = profile->backoff_ms_max;
	self->early_deaths++;
	self->not_before_ms = now_ms + wait_ms;
}

/* Who goes on by himself may not go on too often either. */
static void note_good_end(struct wr_worker_process *self)
{
	if (self->profile->restart == WR_RESTART_ALWAYS)
		note_early_death(self);
	else
		self->early_deaths = 0;
}

void wr_worker_process_fail(struct wr_worker_process *self, struct wr_view cause)
{
	note_early_death(self);
	wr_worker_process_phase(self, WR_PHASE_FAILED, cause);
}

static void describe_failure(struct wr_buf *out, const struct wr_worker_process *self,
			     const struct wr_spawn_failure *failure)
{
	wr_buf_append_view(out, WR_VIEW("cannot start "));
	wr_lossy_append_message(out, program_name(self));
	if (failure->stage == WR_SPAWN_CWD)
		wr_buf_append_view(out, WR_VIEW(": its folder"));
	wr_buf_append_view(out, WR_VIEW(": "));
	wr_buf_append_view(out, wr_view_of_string(wr_os_error_name(failure->os_error)));
}

static void describe_death(struct wr_buf *out, const struct wr_worker_process *self,
			   const struct wr_child_end *end, uint64_t unread_bytes)
{
	wr_buf_append_view(out, end->is_signalled ? WR_VIEW("process ended by signal ")
						  : WR_VIEW("process exited with status "));
	wr_buf_append_u64(out, (uint64_t)end->number);
	if (!self->is_ready)
		wr_buf_append_view(out, WR_VIEW(" before it was ready"));
	else if (self->is_in_turn)
		wr_buf_append_view(out, WR_VIEW(" within a turn"));
	if (self->running->has_closed_output && self->running->child.stage >= WR_CHILD_TERMINATING)
		wr_buf_append_view(out, WR_VIEW(" after it had closed its output"));
	if (unread_bytes == 0)
		return;
	wr_buf_append_view(out, WR_VIEW(", "));
	wr_buf_append_u64(out, unread_bytes);
	wr_buf_append_view(out, WR_VIEW(" bytes of its input were not read"));
}

/* The last lines of what it said to stderr, without the half line that the ring has cut. */
static void append_stderr(struct wr_buf *out, struct wr_view tail)
{
	const char *end = tail.bytes < WR_CHILD_STDERR_TAIL_BYTES
				  ? NULL
				  : memchr(tail.data, '\n', tail.bytes - 1);

	if (end != NULL)
		tail = wr_view_skip(tail, (size_t)(end + 1 - tail.data));
	while (tail.bytes != 0 &&
	       (tail.data[tail.bytes - 1] == '\n' || tail.data[tail.bytes - 1] == '\r'))
		tail.bytes--;
	if (tail.bytes == 0)
		return;
	wr_buf_append_view(out, WR_VIEW(": "));
	wr_lossy_append_message(out, tail);
}

void wr_worker_process_judge(struct wr_worker_process *self, const struct wr_child_end *end)
{
	uint64_t unread_bytes = end->unread_bytes + self->lost_bytes;
	char storage[MESSAGE_BYTES];
	struct wr_buf message;
	size_t cause_bytes;

	if (end->failure.stage == WR_SPAWN_NONE && !end->is_signalled && end->number == 0 &&
	    self->is_ready && !self->is_in_turn && unread_bytes == 0) {
		note_good_end(self);
		/* Idle it was, and idle it stays: the end itself is the event. */
		wr_worker_process_say(self, WR_REPORT_RUN_END, WR_RUN_FINISHED);
		wr_worker_process_phase(self, WR_PHASE_IDLE, WR_VIEW("exited with status 0"));
		return;
	}
	wr_buf_init_fixed(&message, storage, sizeof storage);
	if (end->failure.stage != WR_SPAWN_NONE)
		describe_failure(&message, self, &end->failure);
	else
		describe_death(&message, self, end, unread_bytes);
	cause_bytes = message.bytes;
	append_stderr(&message, end->stderr_tail);
	wr_worker_process_error(self, wr_buf_view(&message));
	wr_worker_process_fail(self, wr_view_of(storage, cause_bytes));
}

void wr_worker_process_fail_start(struct wr_worker_process *self, int os_error)
{
	const struct wr_spawn_failure failure = {WR_SPAWN_EXEC, (int32_t)os_error};
	char storage[MESSAGE_BYTES];
	struct wr_buf message;

	wr_buf_init_fixed(&message, storage, sizeof storage);
	describe_failure(&message, self, &failure);
	wr_worker_process_error(self, wr_buf_view(&message));
	wr_worker_process_fail(self, wr_buf_view(&message));
	wr_worker_process_ended(self);
}
