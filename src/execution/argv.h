/*
 * argv — one line of text as the words of a command: what `--exec` says.
 *
 * Words are separated by spaces, tabs and newlines. Within '...' every byte stands for itself;
 * within "..." a backslash frees only \ " $ and `; outside of quotes it frees any byte. Nothing
 * else has a meaning: no shell runs, no variable, pattern, pipe or comment is looked at, and what
 * looks like one is passed on as it stands.
 */
#ifndef WR_EXECUTION_ARGV_H
#define WR_EXECUTION_ARGV_H

#include "bytes/allocator.h"
#include "bytes/view.h"
#include "status.h"

/* The longest text that is split. */
#define WR_ARGV_BYTES_MAX 65536u

struct wr_argv {
	char **words; /* NUL-terminated each, NULL behind the last */
	size_t count; /* at least one */
	size_t block_bytes;
	struct wr_allocator *allocator;
};

/* Splits `text`; the words are copies. WR_OK; WR_SYNTAX (error->offset is the quote that has no
 * end, or the backslash with nothing behind it); WR_INVALID (no word, an empty program name, a NUL
 * byte, whose offset is given); WR_TOO_LARGE; WR_NO_MEMORY. A failure leaves nothing to deinit. */
enum wr_status wr_argv_split(struct wr_argv *out, struct wr_allocator *allocator,
			     struct wr_view text, struct wr_error *error);
void wr_argv_deinit(struct wr_argv *self);

#endif
