/*
 * program — what both programs do from main on: settings, credentials, messages, serving, the end.
 *
 * Exit codes: 0 after an orderly end; 1: it could not start, or ended in bad order; 2: the command
 * line or the configuration file is wrong. No stdio here: it would be a good part of the program.
 */
#ifndef WR_HOST_PROGRAM_H
#define WR_HOST_PROGRAM_H

#include "host/hosting.h"
#include "host/serving.h"
#include "host/settings.h"

enum { WR_EXIT_FAILED = 1, WR_EXIT_USAGE = 2 };

/* The first block is constant and filled by main; the rest is the program's state while it runs.
 * What is large is elsewhere, so that the program's file has no zeros for it. */
struct wr_program {
	const char *name;
	const struct wr_options *options;
	void *values; /* the settings that the options speak of, zeroed */
	struct wr_serving *serving;
	struct wr_hosting *hosting;
	struct wr_tokens *tokens;	   /* empty */
	const struct wr_allocator *memory; /* whose peak is told at the end */
	/* What no option can say alone; may be NULL. False, with a message. */
	bool (*is_sound)(struct wr_program *self, struct wr_buf *message);
	/* Makes everything, and listens. False, with a message: nothing is left. */
	bool (*open)(struct wr_program *self, struct wr_buf *message);
	/* Appends what is told of it behind "NAME: listening on ", up to the end of the line. */
	void (*announce)(struct wr_program *self, struct wr_buf *out);
	/* Serves. False: it ended in bad order. */
	bool (*run)(struct wr_program *self);
	void (*close)(struct wr_program *self);

	uint32_t fixed_token_count; /* those that are not from the file */
	struct wr_settings settings;
	struct wr_allocator allocator; /* of the file's text */
	bool has_settings;	       /* they were read: a fault names its flag first */
	int argc;		       /* to read them again */
	char **argv;
};

/* All of it; gives the exit code. */
int wr_program_main(struct wr_program *self, int argc, char **argv);

/* One line on stderr, whatever the message holds; gives `code`. With WR_EXIT_USAGE also how it is
 * used. */
int wr_program_fail(const struct wr_program *self, const struct wr_buf *message, int code);

/* Appends it with a `?` in place of what is not to reach a terminal, at most bytes_max of it. */
void wr_program_put_plain(struct wr_buf *out, struct wr_view text, size_t bytes_max);

#endif
