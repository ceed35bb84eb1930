#include "execution/spawn.h"

#include "bytes/buf.h"
#include "check.h"
#include "io/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

enum {
	STATUS_FD = 3, /* of the child until exec */
	PIPE_COUNT = 5,
	FIRST_FD_CLOSED = 4,
	/* Without close_range: how far the loop goes. All of ours are close-on-exec anyway. */
	LAST_FD_CLOSED = 65536
};

/* ---- pipes ---- */

struct pipes {
	/* Reading and writing end of stdin, stdout, stderr, status, and of what holds it back. */
	int fds[2 * PIPE_COUNT];
};

enum {
	STDIN_READ,
	STDIN_WRITE,
	STDOUT_READ,
	STDOUT_WRITE,
	STDERR_READ,
	STDERR_WRITE,
	STATUS_READ,
	STATUS_WRITE,
	HOLD_READ,
	HOLD_WRITE
};

static void close_pipes(struct pipes *self)
{
	for (unsigned i = 0; i < WR_COUNT(self->fds); i++)
		if (self->fds[i] >= 0)
			close(self->fds[i]);
}

/* Above the numbers that the child's own three will have, even if ours are closed. */
static bool move_up(int *fd)
{
	int moved;

	if (*fd > STATUS_FD)
		return true;
	moved = fcntl(*fd, F_DUPFD, FIRST_FD_CLOSED);
	if (moved < 0)
		return false;
	close(*fd);
	*fd = moved;
	return true;
}

static bool open_pipes(struct pipes *self)
{
	for (unsigned i = 0; i < WR_COUNT(self->fds); i++)
		self->fds[i] = -1;
	for (unsigned i = 0; i < WR_COUNT(self->fds); i += 2)
		if (pipe(&self->fds[i]) != 0)
			return false;
	for (unsigned i = 0; i < WR_COUNT(self->fds); i++) {
		/* The child's ends block, as programs expect of theirs. */
		bool is_ours = i == STDIN_WRITE || i == STDOUT_READ || i == STDERR_READ ||
			       i == STATUS_READ;
		if (!move_up(&self->fds[i]) || !wr_descriptor_prepare(self->fds[i], is_ours))
			return false;
	}
	return true;
}

/* ---- in the child: async-signal-safe calls only ---- */

static _Noreturn void fail_in_child(int status_fd, enum wr_spawn_stage stage)
{
	struct wr_spawn_failure failure = {.stage = (int32_t)stage, .os_error = (int32_t)errno};

	/* Smaller than PIPE_BUF: whole or not at all. */
	while (write(status_fd, &failure, sizeof failure) < 0 && errno == EINTR)
		;
	_exit(127);
}

/* Waits for leave to go on. Without a word the parent is gone, and nobody has noted that we are. */
static void await_leave(const struct pipes *pipes)
{
	int32_t refusal = ECANCELED;
	ssize_t got;

	/* Else we would hold it open ourselves, and never hear that the parent is gone. */
	close(pipes->fds[HOLD_WRITE]);
	do
		got = read(pipes->fds[HOLD_READ], &refusal, sizeof refusal);
	while (got < 0 && errno == EINTR);
	if (got == (ssize_t)sizeof refusal && refusal == 0)
		return;
	errno = refusal == 0 ? ECANCELED : (int)refusal;
	fail_in_child(pipes->fds[STATUS_WRITE], WR_SPAWN_SETUP);
}

static struct rlimit at_most(struct rlimit limit, uint64_t value)
{
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > (rlim_t)value)
		limit.rlim_max = (rlim_t)value;
	limit.rlim_cur = limit.rlim_max;
	return limit;
}

/* What is limited is an enumeration in some places and an int in others. 0: stays as it is. */
#define LOWER_LIMIT(which, value, lowered)                              \
	do {                                                            \
		struct rlimit limit_;                                   \
		if ((value) != 0 && getrlimit((which), &limit_) == 0) { \
			limit_ = lowered(limit_, (value));              \
			setrlimit((which), &limit_);                    \
		}                                                       \
	} while (0)

/* The soft limit is a second less: so the program hears of it (XCPU) before it is killed. */
static struct rlimit at_most_and_told(struct rlimit limit, uint64_t value)
{
	limit = at_most(limit, value);
	if (limit.rlim_max > 1)
		limit.rlim_cur = limit.rlim_max - 1;
	return limit;
}

static void lower_limits(const struct wr_spawn *spawn)
{
	struct rlimit limit = {0, 0};

	setrlimit(RLIMIT_CORE, &limit);
	LOWER_LIMIT(RLIMIT_NOFILE, spawn->open_files_max, at_most);
	LOWER_LIMIT(RLIMIT_FSIZE, spawn->file_bytes_max, at_most);
	LOWER_LIMIT(RLIMIT_CPU, spawn->cpu_seconds_max, at_most_and_told);
#ifdef RLIMIT_AS
	LOWER_LIMIT(RLIMIT_AS, spawn->address_space_bytes_max, at_most);
#endif
}

/* An ignored signal stays ignored through exec, and a handler of ours must not run in the child. */
static void reset_dispositions(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};

	sigemptyset(&action.sa_mask);
	for (int number = 1; number < NSIG; number++)
		sigaction(number, &action, NULL); /* KILL, STOP and libc's own refuse it */
}

static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_from(int first)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, (unsigned)first, ~0u, 0u) == 0)
		return;
#endif
	for (int fd = first; fd < LAST_FD_CLOSED; fd++)
		close(fd);
}

#ifdef __linux__
/* Not allowed here, or gone already: it only shifts who is chosen. */
static void offer(const char *path)
{
	static const char score[] = "500";
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, score, sizeof score - 1) < 0) {
		/* as above */
	}
	close(fd);
}

void wr_spawn_offer(pid_t pid)
{
	char path[64] = {0};
	struct wr_buf out;

	wr_buf_init_fixed(&out, path, sizeof path - 1);
	wr_buf_append_view(&out, WR_VIEW("/proc/"));
	wr_buf_append_u64(&out, (uint64_t)pid);
	wr_buf_append_view(&out, WR_VIEW("/oom_score_adj"));
	offer(path);
}

static void tie_to_parent(int status_fd, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* gone before the line above */
		fail_in_child(status_fd, WR_SPAWN_SETUP);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	offer("/proc/self/oom_score_adj");
}
#else
void wr_spawn_offer(pid_t pid)
{
	(void)pid;
}

static void tie_to_parent(int status_fd, pid_t parent)
{
	(void)status_fd;
	(void)parent;
}
#endif

static _Noreturn void run_child(const struct wr_spawn *spawn, const struct pipes *pipes,
				pid_t parent)
{
	int status_fd = pipes->fds[STATUS_WRITE];

	if (setsid() < 0)
		fail_in_child(status_fd, WR_SPAWN_SETUP);
	tie_to_parent(status_fd, parent);
	await_leave(pipes);
	reset_dispositions();
	if (dup2(pipes->fds[STDIN_READ], 0) < 0 || dup2(pipes->fds[STDOUT_WRITE], 1) < 0 ||
	    dup2(pipes->fds[STDERR_WRITE], 2) < 0 || dup2(status_fd, STATUS_FD) < 0)
		fail_in_child(status_fd, WR_SPAWN_SETUP);
	status_fd = STATUS_FD;
	if (fcntl(status_fd, F_SETFD, FD_CLOEXEC) != 0)
		fail_in_child(status_fd, WR_SPAWN_SETUP);
	close_from(FIRST_FD_CLOSED);
	lower_limits(spawn);
	umask(077);
	if (spawn->cwd != NULL && chdir(spawn->cwd) != 0)
		fail_in_child(status_fd, WR_SPAWN_CWD);
	unblock_signals();
	execve(spawn->path, spawn->argv, spawn->environment);
	fail_in_child(status_fd, WR_SPAWN_EXEC);
}

/* ---- in the parent ---- */

static enum wr_status fail(struct wr_error *error, const char *detail)
{
	*error = (struct wr_error){.status = WR_IO, .os_error = errno, .detail = detail};
	return WR_IO;
}

/* All signals wait while the child still has our handlers. */
static pid_t fork_child(const struct wr_spawn *spawn, const struct pipes *pipes)
{
	pid_t parent = getpid(), pid;
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		run_child(spawn, pipes, parent);
	failed = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = failed;
	return pid;
}

/* What is refused ends by itself, and tells why like any other failure. */
static void let_begin(const struct wr_spawn *spawn, const struct pipes *pipes, pid_t pid)
{
	int32_t refusal = spawn->may_begin == NULL ? 0 : spawn->may_begin(spawn->context, pid);

	/* Smaller than PIPE_BUF, into an empty pipe: whole. */
	while (write(pipes->fds[HOLD_WRITE], &refusal, sizeof refusal) < 0 && errno == EINTR)
		;
}

enum wr_status wr_spawn(struct wr_spawned *out, const struct wr_spawn *spawn,
			struct wr_error *error)
{
	struct pipes pipes;
	enum wr_status status = WR_OK;

	if (!open_pipes(&pipes)) {
		status = fail(error, "pipe");
		goto done;
	}
	out->pid = fork_child(spawn, &pipes);
	if (out->pid < 0) {
		status = fail(error, "fork");
		goto done;
	}
	let_begin(spawn, &pipes, out->pid);
	out->stdin_fd = pipes.fds[STDIN_WRITE];
	out->stdout_fd = pipes.fds[STDOUT_READ];
	out->stderr_fd = pipes.fds[STDERR_READ];
	out->status_fd = pipes.fds[STATUS_READ];
	pipes.fds[STDIN_WRITE] = pipes.fds[STDOUT_READ] = -1;
	pipes.fds[STDERR_READ] = pipes.fds[STATUS_READ] = -1;
done:
	close_pipes(&pipes);
	return status;
}

enum wr_status wr_spawn_read_failure(struct wr_spawn_failure *failure, int status_fd)
{
	struct wr_spawn_failure read_one;
	ssize_t got;

	do
		got = read(status_fd, &read_one, sizeof read_one);
	while (got < 0 && errno == EINTR);
	if (got < 0 && wr_descriptor_is_again(errno))
		return WR_MORE;
	*failure = (struct wr_spawn_failure){.stage = WR_SPAWN_NONE};
	if (got == (ssize_t)sizeof read_one)
		*failure = read_one;
	return WR_OK;
}

const char *wr_os_error_name(int number)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
		{ENOENT, "ENOENT"},   {EACCES, "EACCES"}, {ENOEXEC, "ENOEXEC"},
		{ENOTDIR, "ENOTDIR"}, {ELOOP, "ELOOP"},	  {ENAMETOOLONG, "ENAMETOOLONG"},
		{EPERM, "EPERM"},     {E2BIG, "E2BIG"},	  {EISDIR, "EISDIR"},
		{ETXTBSY, "ETXTBSY"}, {EINVAL, "EINVAL"}, {EIO, "EIO"},
		{ENOMEM, "ENOMEM"},   {EAGAIN, "EAGAIN"}, {EMFILE, "EMFILE"},
		{ENFILE, "ENFILE"},
	};

	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].number == number)
			return names[i].name;
	return "errno";
}
