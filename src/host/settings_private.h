/* settings_private — what the files of settings share: settings.c has the values,
 * settings_arguments.c reads the command line, settings_environment.c the environment,
 * settings_file.c the file, settings_print.c tells what came of it, and from where. */
#ifndef WR_HOST_SETTINGS_PRIVATE_H
#define WR_HOST_SETTINGS_PRIVATE_H

#include "host/settings.h"

/* An option of this program or of a section, its number there, and its value. */
struct wr_found {
	const struct wr_option *option;
	uint32_t index;
	void *value;
};

/* Reads a value that comes from `line`. False: it is not one of this option. */
bool wr_settings_set(struct wr_settings *self, const struct wr_found *at, struct wr_view text,
		     uint32_t line);

/* Sets what an option implies that came from `line`. */
void wr_settings_imply(struct wr_settings *self, const struct wr_option *option, uint32_t line);

/* ---- the environment (settings_environment.c) ---- */

/* The file that it names; NULL: none. */
const char *wr_settings_environment_path(const struct wr_settings *self);
/* Reads it, without what means nothing to it: that is asked for when all is read, for settings name
 * variables, too. False: what is wrong was appended to `message`. */
bool wr_settings_read_environment(struct wr_settings *self, struct wr_buf *message);
bool wr_settings_check_environment(const struct wr_settings *self, struct wr_buf *message);
/* Appends the variable of an option. */
void wr_settings_put_variable(const struct wr_settings *self, struct wr_buf *out,
			      const struct wr_option *option);

/* ---- the file (settings_file.c) ---- */

/* Reads the file at self->path. False: what is wrong was appended to `message`. */
bool wr_settings_read_file(struct wr_settings *self, struct wr_buf *message);

#endif
