#include "execution/program.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const wr_environment_names[] = {"PATH", "HOME", "LANG",   "LC_ALL", "LC_CTYPE",
					    "TERM", "TZ",   "TMPDIR", "USER",	NULL};

static bool is_entry_of(const char *entry, const char *name)
{
	size_t bytes = strlen(name);

	return strncmp(entry, name, bytes) == 0 && entry[bytes] == '=';
}

static bool is_listed(const char *entry, const char *const *names)
{
	for (; *names != NULL; names++)
		if (is_entry_of(entry, *names))
			return true;
	return false;
}

void wr_environment_select(char *out[WR_ENVIRONMENT_COUNT_MAX + 1], char *const *environment,
			   const char *const *names)
{
	size_t count = 0;

	for (; environment != NULL && *environment != NULL; environment++)
		if (count < WR_ENVIRONMENT_COUNT_MAX && is_listed(*environment, names))
			out[count++] = *environment;
	out[count] = NULL;
}

const char *wr_environment_value(char *const *environment, const char *name)
{
	for (; environment != NULL && *environment != NULL; environment++)
		if (is_entry_of(*environment, name))
			return *environment + strlen(name) + 1;
	return NULL;
}

/* ---- the search ---- */

/* 0, or what execve would say; of a folder it says EACCES, which helps nobody. */
static int check_program(const char *path)
{
	struct stat about;

	if (stat(path, &about) != 0)
		return errno;
	if (!S_ISREG(about.st_mode))
		return S_ISDIR(about.st_mode) ? EISDIR : EACCES;
	return access(path, X_OK) == 0 ? 0 : errno;
}

static enum wr_status refuse(struct wr_error *error, enum wr_status status, int os_error)
{
	*error = (struct wr_error){.status = status, .os_error = os_error, .detail = "find"};
	return status;
}

enum wr_status wr_program_find(char path[WR_PROGRAM_PATH_BYTES_MAX], const char *name,
			       const char *search, struct wr_error *error)
{
	size_t name_bytes = strlen(name);
	int os_error;

	if (name_bytes == 0)
		return refuse(error, WR_NOT_FOUND, ENOENT);
	if (name_bytes >= WR_PROGRAM_PATH_BYTES_MAX)
		return refuse(error, WR_TOO_LARGE, ENAMETOOLONG);
	if (strchr(name, '/') != NULL) {
		memcpy(path, name, name_bytes + 1);
		os_error = check_program(path);
		return os_error == 0 ? WR_OK : refuse(error, WR_NOT_FOUND, os_error);
	}
	if (search == NULL)
		search = "/usr/local/bin:/usr/bin:/bin";
	for (const char *end; *search != '\0'; search = *end == ':' ? end + 1 : end) {
		size_t bytes = strcspn(search, ":");

		end = search + bytes;
		/* A relative folder would mean whatever happens to be the current one. */
		if (search[0] != '/' || bytes + 1 + name_bytes >= WR_PROGRAM_PATH_BYTES_MAX)
			continue;
		memcpy(path, search, bytes);
		path[bytes] = '/';
		memcpy(path + bytes + 1, name, name_bytes + 1);
		if (check_program(path) == 0)
			return WR_OK;
	}
	return refuse(error, WR_NOT_FOUND, ENOENT);
}
