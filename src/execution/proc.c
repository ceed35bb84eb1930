#include "execution/proc.h"

#ifdef __linux__

#include "bytes/buf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	/* Entries of /proc looked at in one walk. */
	ENTRY_COUNT_MAX = 65536,
	STAT_BYTES = 512,
	PATH_BYTES = 40,
	/* Of an environment: what exec takes at most, usually. */
	ENVIRONMENT_BYTES_MAX = 2097152
};

/* ---- files of /proc ---- */

/* "/proc/PID/name" */
static void make_path(char out[PATH_BYTES], pid_t pid, const char *name)
{
	struct wr_buf path;

	memset(out, 0, PATH_BYTES);
	wr_buf_init_fixed(&path, out, PATH_BYTES - 1);
	wr_buf_append_view(&path, WR_VIEW("/proc/"));
	wr_buf_append_u64(&path, (uint64_t)pid);
	wr_buf_append_view(&path, wr_view_of_string(name));
}

/* The beginning of a small file as a string. */
static bool read_text(char *out, size_t bytes, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	out[0] = '\0';
	if (fd < 0)
		return false;
	got = read(fd, out, bytes - 1);
	close(fd);
	out[got > 0 ? got : 0] = '\0';
	return got > 0;
}

/* ---- one process ---- */

/* A number from *at on, which moves behind it; false when there is none. */
static bool take_number(const char **at, uint64_t *value)
{
	const char *from = *at;

	for (*value = 0; **at >= '0' && **at <= '9'; (*at)++)
		*value = *value * 10 + (uint64_t)(**at - '0');
	return *at != from;
}

static bool take_pid(const char **at, pid_t *pid)
{
	uint64_t value;
	bool is_number = take_number(at, &value);

	*pid = (pid_t)value;
	return is_number && value <= INT32_MAX && *(*at)++ == ' ';
}

static bool skip_fields(const char **at, unsigned count)
{
	for (; count != 0; count--) {
		*at = strchr(*at, ' ');
		if (*at == NULL)
			return false;
		(*at)++;
	}
	return true;
}

/* proc(5): "pid (name) state ppid pgrp session ...", the start being field 22. The name may hold
 * anything, also ") Z 1". */
static bool parse_stat(struct wr_proc *out, const char *text)
{
	const char *at = strrchr(text, ')');

	if (at == NULL || at[1] != ' ' || at[2] == '\0' || at[3] != ' ')
		return false;
	out->is_dead = at[2] == 'Z' || at[2] == 'X';
	at += 4;
	return take_pid(&at, &out->parent) && take_pid(&at, &out->group) &&
	       take_pid(&at, &out->session) && skip_fields(&at, 15) &&
	       take_number(&at, &out->start);
}

bool wr_proc_read(struct wr_proc *out, pid_t pid)
{
	char path[PATH_BYTES], text[STAT_BYTES];

	out->pid = pid;
	if (pid <= 0)
		return false;
	make_path(path, pid, "/stat");
	return read_text(text, sizeof text, path) && parse_stat(out, text);
}

bool wr_proc_is_alive(const struct wr_proc *proc)
{
	struct wr_proc now;

	return wr_proc_read(&now, proc->pid) && now.start == proc->start && !now.is_dead;
}

void wr_proc_each(wr_proc_fn *fn, void *context)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;

	if (folder == NULL)
		return;
	for (unsigned i = 0; i < ENTRY_COUNT_MAX && (entry = readdir(folder)) != NULL; i++) {
		const char *at = entry->d_name;
		struct wr_proc proc;
		uint64_t pid;
		if (strlen(at) <= 9 && take_number(&at, &pid) && *at == '\0' &&
		    wr_proc_read(&proc, (pid_t)pid))
			fn(context, &proc);
	}
	closedir(folder);
}

/* ---- its environment ---- */

/* Entries end with NUL; `matched` is how much of the current one is as it should be, or -1. */
static bool find_entry(const char *bytes, size_t count, const char *entry, ptrdiff_t *matched)
{
	for (size_t i = 0; i < count; i++) {
		if (*matched >= 0 && bytes[i] == entry[*matched]) {
			if (bytes[i] == '\0')
				return true;
			(*matched)++;
		} else {
			*matched = bytes[i] == '\0' ? 0 : -1;
		}
	}
	return false;
}

bool wr_proc_has_variable(pid_t pid, const char *entry)
{
	char path[PATH_BYTES], bytes[4096];
	ptrdiff_t matched = 0;
	bool is_found = false;
	size_t total = 0;
	ssize_t got;
	int fd;

	make_path(path, pid, "/environ");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while (!is_found && total < ENVIRONMENT_BYTES_MAX &&
	       ((got = read(fd, bytes, sizeof bytes)) > 0 || (got < 0 && errno == EINTR)))
		if (got > 0) {
			is_found = find_entry(bytes, (size_t)got, entry, &matched);
			total += (size_t)got;
		}
	close(fd);
	return is_found;
}

/* ---- killing ---- */

/* A descriptor of a process means that one for ever: once it is open, looking at the start time
 * settles who it is. An old kernel has none; there a few microseconds are left between the look
 * and the signal. */
void wr_proc_kill(const struct wr_proc *proc)
{
#if defined(SYS_pidfd_open) && defined(SYS_pidfd_send_signal)
	int fd = (int)syscall(SYS_pidfd_open, proc->pid, 0);

	if (fd >= 0) {
		long sent = wr_proc_is_alive(proc)
				    ? syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0)
				    : 0;
		close(fd);
		if (sent == 0)
			return;
	}
#endif
	if (wr_proc_is_alive(proc))
		kill(proc->pid, SIGKILL);
}

/* ---- where we are ---- */

void wr_proc_place(char out[WR_PROC_PLACE_BYTES])
{
	char boot[WR_PROC_PLACE_BYTES - 24];
	struct wr_proc first = {.start = 0};
	struct wr_buf place;

	memset(out, 0, WR_PROC_PLACE_BYTES);
	if (!read_text(boot, sizeof boot, "/proc/sys/kernel/random/boot_id"))
		return;
	/* Where it cannot be read (hidepid) it never can, and the boot alone has to do. */
	if (!wr_proc_read(&first, 1))
		first.start = 0;
	wr_buf_init_fixed(&place, out, WR_PROC_PLACE_BYTES - 1);
	wr_buf_append(&place, boot, strcspn(boot, "\n"));
	wr_buf_append_byte(&place, ' ');
	wr_buf_append_u64(&place, first.start);
}

#else

#include <string.h>

bool wr_proc_read(struct wr_proc *out, pid_t pid)
{
	out->pid = pid;
	return false;
}

bool wr_proc_is_alive(const struct wr_proc *proc)
{
	(void)proc;
	return false;
}

void wr_proc_each(wr_proc_fn *fn, void *context)
{
	(void)fn;
	(void)context;
}

bool wr_proc_has_variable(pid_t pid, const char *entry)
{
	(void)pid;
	(void)entry;
	return false;
}

void wr_proc_kill(const struct wr_proc *proc)
{
	(void)proc;
}

void wr_proc_place(char out[WR_PROC_PLACE_BYTES])
{
	memset(out, 0, WR_PROC_PLACE_BYTES);
}

#endif
