/* The file of the last life: what it names is ended, as far as that still lives. */
#include "execution/ledger_private.h"

#include "io/clock.h"
#include "io/log.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum {
	/* Orphans that are ended together; the rest in another round. */
	ORPHAN_COUNT_MAX = 256,
	PAUSE_NS = 1000000
};

/* ---- what it says ---- */

/* A child, and the session that it leads. */
struct session {
	pid_t pid;
	uint64_t start;
};

struct former {
	struct session *sessions;
	uint32_t count;
	uint64_t start_min;
	bool is_damaged; /* some rows: of theirs only the bearers of the mark are known */
	char mark[WR_LEDGER_MARK_BYTES];
};

static void say_damaged(const struct wr_ledger *self, uint64_t offset)
{
	WR_LOG(WR_LOG_WARNING, "ledger_damaged", WR_LOG_TEXT("file", wr_view_of_string(self->path)),
	       WR_LOG_NUMBER("offset", offset));
}

static void read_rows(struct former *former, const struct wr_ledger *self, const uint8_t *bytes,
		      size_t count)
{
	wr_ledger_write_mark(former->mark, bytes + WR_LEDGER_MARK_AT);
	for (size_t at = WR_LEDGER_HEAD_BYTES; at + WR_LEDGER_ROW_BYTES <= count;
	     at += WR_LEDGER_ROW_BYTES) {
		struct session session;
		if (!wr_ledger_read_row(&session.pid, &session.start, bytes + at)) {
			if (!former->is_damaged)
				say_damaged(self, at);
			former->is_damaged = true;
			former->start_min = 0;
		} else if (session.pid != 0) {
			former->sessions[former->count++] = session;
			if (session.start < former->start_min)
				former->start_min = session.start;
		}
	}
}

static bool read_whole(int fd, uint8_t *out, size_t bytes)
{
	size_t at = 0;

	while (at < bytes) {
		ssize_t got = pread(fd, out + at, bytes - at, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += (size_t)got;
	}
	return true;
}

/* ---- ending what it left behind ---- */

struct hunt {
	const struct former *former;
	unsigned count;
	struct wr_proc orphans[ORPHAN_COUNT_MAX];
};

/*
 * A row means its leader, and after that one's death whoever is left of the session: the kernel
 * gives a number to nobody else while a session has it. If it is another's by now, the session is
 * gone, and what lives in a session of that number is that other one's.
 */
static bool is_of_session(const struct session *session, const struct wr_proc *proc)
{
	struct wr_proc leader;

	if (proc->pid == session->pid)
		return proc->start == session->start;
	if (proc->session != session->pid || proc->start < session->start)
		return false;
	return !wr_proc_read(&leader, session->pid) || leader.start == session->start;
}

static bool is_orphan(const struct former *former, const struct wr_proc *proc)
{
	if (proc->is_dead || proc->pid <= 1 || proc->pid == getpid() ||
	    proc->start < former->start_min)
		return false;
	for (uint32_t i = 0; i < former->count; i++)
		if (is_of_session(&former->sessions[i], proc))
			return true;
	return wr_proc_has_variable(proc->pid, former->mark);
}

static void collect_orphan(void *context, const struct wr_proc *proc)
{
	struct hunt *hunt = context;

	if (hunt->count < ORPHAN_COUNT_MAX && is_orphan(hunt->former, proc))
		hunt->orphans[hunt->count++] = *proc;
}

/* False when some are alive at the deadline: in the middle of a device's work, which ends with
 * them. */
static bool await_deaths(const struct hunt *hunt, uint64_t deadline_ms)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};

	for (unsigned i = 0; i < hunt->count; i++)
		while (wr_proc_is_alive(&hunt->orphans[i])) {
			if (wr_clock_monotonic_ms() >= deadline_ms)
				return false;
			nanosleep(&pause, NULL);
		}
	return true;
}

/* Rounds, until a walk finds nobody: who is killed may have forked a moment before. Where rows are
 * damaged, until two in a row do: who is in the midst of exec has no environment to be known by. */
static void end_orphans(const struct former *former)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	const unsigned quiet_min = former->is_damaged ? 2 : 1;
	uint64_t deadline_ms = wr_clock_monotonic_ms() + WR_LEDGER_KILL_MS_MAX;
	struct hunt hunt = {.former = former};
	unsigned killed = 0, quiet = 0;

	while (quiet < quiet_min) {
		hunt.count = 0;
		wr_proc_each(collect_orphan, &hunt);
		for (unsigned i = 0; i < hunt.count; i++)
			wr_proc_kill(&hunt.orphans[i]);
		killed += hunt.count;
		if (hunt.count == 0) {
			if (++quiet < quiet_min)
				nanosleep(&pause, NULL);
			continue;
		}
		quiet = 0;
		if (!await_deaths(&hunt, deadline_ms) || wr_clock_monotonic_ms() >= deadline_ms)
			break;
	}
	if (killed != 0)
		WR_LOG(WR_LOG_INFO, "orphans_killed", WR_LOG_NUMBER("count", killed));
	if (hunt.count != 0)
		WR_LOG(WR_LOG_WARNING, "orphans_left", WR_LOG_NUMBER("count", hunt.count));
}

/* A process that ended in good order has left an empty ledger. */
enum wr_status wr_ledger_end_former_life(const struct wr_ledger *self)
{
	int fd = open(self->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	off_t size = fd < 0 ? -1 : wr_ledger_file_size(fd);
	size_t bytes = size > 0 ? (size_t)size : 0,
	       sessions_bytes = bytes / WR_LEDGER_ROW_BYTES * sizeof(struct session);
	struct former former = {.start_min = UINT64_MAX};
	enum wr_status status = WR_OK;
	uint8_t *file = NULL;

	if (bytes < WR_LEDGER_HEAD_BYTES) {
		if (bytes != 0)
			say_damaged(self, 0);
		goto done;
	}
	file = wr_allocator_take(self->allocator, bytes);
	former.sessions = wr_allocator_take(self->allocator, sessions_bytes);
	if (file == NULL || former.sessions == NULL)
		status = WR_NO_MEMORY;
	else if (!read_whole(fd, file, bytes) || !wr_ledger_is_head_sound(file))
		say_damaged(self, 0);
	else if (wr_ledger_is_of_this_place(file))
		read_rows(&former, self, file, bytes);
	if (former.count != 0 || former.is_damaged)
		end_orphans(&former);
done:
	if (former.sessions != NULL)
		wr_allocator_free(self->allocator, former.sessions, sessions_bytes);
	if (file != NULL)
		wr_allocator_free(self->allocator, file, bytes);
	if (fd >= 0)
		close(fd);
	return status;
}
