/*
 * settings — a program's settings, read from its command line and its configuration file.
 *
 *	wr_settings_init -> wr_settings_read -> (the values are used) -> wr_settings_deinit
 *
 * A flag counts more than the environment, that more than the file, and that more than the default.
 * `--flag VALUE` and `--flag=VALUE` mean the same, the later of two wins, lists add up; a list of
 * one place replaces that of a lesser one. A variable is PREFIX_FLAG=VALUE, a list with commas
 * between; one with the prefix that is no option's is an error. The file (config_file.h) has the
 * same names, with - or _; its keys stand once and in any order. What is wrong with it is told as
 * FILE:LINE.
 *
 * To read everything again, read into a second one and take that when it is fine: texts live in
 * argv, and in the settings whose file they came from.
 */
#ifndef WR_HOST_SETTINGS_H
#define WR_HOST_SETTINGS_H

#include "host/options.h"

/* Where a value comes from; any other number is a line of the file. */
#define WR_FROM_DEFAULT 0u
#define WR_FROM_FLAG UINT32_MAX
#define WR_FROM_ENVIRONMENT (UINT32_MAX - 1)

/* Placed by the caller; must not move. Fields may be read. */
struct wr_settings {
	const struct wr_options *options;
	void *values;			     /* the struct that the options speak of */
	const char *path;		     /* of the configuration file; NULL: there is none */
	struct wr_buf file;		     /* its text */
	char *const *environment;	     /* set it to have its variables counted; borrowed */
	struct wr_buf items;		     /* of its lists */
	bool ignores_secrets;		     /* set it to read an argv again that was wiped */
	bool has_origins;		     /* of values: a file, or the environment */
	bool is_file_wrong;		     /* or the environment: not the command line */
	uint32_t lines[WR_OPTION_COUNT_MAX]; /* where each value comes from */
};

/* All values get their defaults; `values` was zeroed by the caller. */
void wr_settings_init(struct wr_settings *self, const struct wr_options *options, void *values,
		      struct wr_allocator *allocator);

/* Reads the command line, and the file that it names. False: what is wrong was appended to
 * `message`. Asked to show something (help, version) it looks no further. */
bool wr_settings_read(struct wr_settings *self, struct wr_buf *message, int argc,
		      const char *const *argv);

/* Where the value of the option of this name comes from. */
uint32_t wr_settings_line(const struct wr_settings *self, const char *name);

/* Appends where the setting of this name was given, for what is found to be wrong with it later:
 * "FILE:LINE: " or "VARIABLE: "; nothing for a flag, a default, or a name that is none. */
void wr_settings_put_place(const struct wr_settings *self, struct wr_buf *message,
			   struct wr_view name);

/* Appends "FILE:LINE: ", for what is found to be wrong with a section later. */
void wr_settings_put_line(const struct wr_settings *self, struct wr_buf *message, uint32_t line);

/* Appends every option that has a value, one a line, and sections, as a file that says the same:
 * secrets, hidden, and the file that was read are comments of it. With a file, or where the
 * environment says something, every line says where its value comes from. */
void wr_settings_print(const struct wr_settings *self, struct wr_buf *out);

/* Gives the file's text back, and with it the values that came from it. */
void wr_settings_deinit(struct wr_settings *self);

/* Overwrites the values of secret flags in argv, where other users could read them; call it when
 * they have been used. True: there was one. */
bool wr_settings_wipe_secrets(const struct wr_options *options, int argc, char **argv);
/* The same for those in the environment, which children of other programs would inherit. */
void wr_settings_wipe_environment(const struct wr_settings *self);

#endif
