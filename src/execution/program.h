/*
 * program — which file a program's name means, and what of our environment it may see.
 *
 * Both are found in the parent, before fork, where memory and files may be used freely.
 */
#ifndef WR_EXECUTION_PROGRAM_H
#define WR_EXECUTION_PROGRAM_H

#include "status.h"

#include <stddef.h>

enum {
	WR_PROGRAM_PATH_BYTES_MAX = 4096,
	/* Entries of a child's environment. */
	WR_ENVIRONMENT_COUNT_MAX = 64
};

/* Names that a child inherits unless a profile says otherwise; NULL-terminated. Nothing that a
 * client said ever becomes a value here. */
extern const char *const wr_environment_names[];

/* Fills `out` with the entries "NAME=value" of `environment` (NULL: none) whose names are listed,
 * at most WR_ENVIRONMENT_COUNT_MAX, and a NULL. The entries themselves are lent, not copied. */
void wr_environment_select(char *out[WR_ENVIRONMENT_COUNT_MAX + 1], char *const *environment,
			   const char *const *names);

/* The value of a variable in such an array, or NULL. */
const char *wr_environment_value(char *const *environment, const char *name);

/* Finds the file of a program: a name with a slash is its path, from the current folder on; another
 * is looked for in the absolute folders of `search` (as PATH is written; NULL: a usual one). WR_OK:
 * it is there now, a plain file that may be executed; WR_NOT_FOUND, WR_TOO_LARGE, with os_error. */
enum wr_status wr_program_find(char path[WR_PROGRAM_PATH_BYTES_MAX], const char *name,
			       const char *search, struct wr_error *error);

#endif
