/* settings_private — what the files of settings share: settings.c reads the command line,
 * settings_file.c the file, settings_print.c tells what came of it. */
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

/* Reads the file at self->path. False: what is wrong was appended to `message`. */
bool wr_settings_read_file(struct wr_settings *self, struct wr_buf *message);

#endif
