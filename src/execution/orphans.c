#include "execution/orphans.h"

#ifdef __linux__

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
	/* Entries of /proc looked at in one walk. */
	ENTRY_COUNT_MAX = 65536,
	STAT_BYTES = 512
};

bool wr_orphans_adopt(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
}

/* A number from *at on, which moves behind it; -1 when there is none. */
static long take_number(const char **at)
{
	long value = -1;

	for (; **at >= '0' && **at <= '9'; (*at)++)
		value = (value < 0 ? 0 : value * 10) + (**at - '0');
	return value;
}

static bool read_stat(char out[STAT_BYTES], const char *entry)
{
	char path[32] = "/proc/";
	size_t bytes = strlen(entry);
	ssize_t got;
	int fd;

	if (bytes > 10)
		return false;
	memcpy(path + 6, entry, bytes);
	memcpy(path + 6 + bytes, "/stat", 6);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, out, STAT_BYTES - 1);
	close(fd);
	out[got > 0 ? got : 0] = '\0';
	return got > 0;
}

/* "pid (name) state ppid ...": the name may hold anything, also ") Z 1". */
static bool is_living_child(const char *entry)
{
	char text[STAT_BYTES];
	const char *at;

	if (!read_stat(text, entry))
		return false;
	at = strrchr(text, ')');
	if (at == NULL || at[1] != ' ' || at[2] == '\0' || at[3] != ' ')
		return false;
	if (at[2] == 'Z' || at[2] == 'X')
		return false;
	at += 4;
	return take_number(&at) == (long)getpid();
}

void wr_orphans_each_child(wr_orphans_fn *fn, void *context)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;

	if (folder == NULL)
		return;
	for (unsigned i = 0; i < ENTRY_COUNT_MAX && (entry = readdir(folder)) != NULL; i++) {
		const char *at = entry->d_name;
		long pid = take_number(&at);
		if (pid > 0 && *at == '\0' && is_living_child(entry->d_name))
			fn(context, (pid_t)pid);
	}
	closedir(folder);
}

#else

bool wr_orphans_adopt(void)
{
	return false;
}

void wr_orphans_each_child(wr_orphans_fn *fn, void *context)
{
	(void)fn;
	(void)context;
}

#endif
