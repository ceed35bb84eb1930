/*
 * tokens — the bearer tokens that a Runtime accepts, each with a name and what its holder may do.
 *
 * They come from the command line, the environment or a file; a file has one line for each:
 *
 *	# comment
 *	NAME SCOPES TOKEN      SCOPES: observe, command, admin, joined with commas
 *	TOKEN                  may do everything
 *
 * A presented token is compared with all of them, in full, over a buffer whose width depends on the
 * configuration only: the time tells nothing about how much of it was right, nor which one it was.
 */
#ifndef WR_HOST_TOKENS_H
#define WR_HOST_TOKENS_H

#include "bytes/buf.h"
#include "bytes/view.h"
#include "bounds.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

/* What a holder may do: bits. */
enum {
	WR_MAY_OBSERVE = 1, /* read and watch */
	WR_MAY_COMMAND = 2, /* create, input, stop, cancel, interrupt */
	WR_MAY_ADMIN = 4,   /* whatever else there will be */
	WR_MAY_ALL = 7
};

enum { WR_TOKEN_NAME_BYTES_MAX = 32, WR_TOKEN_FILE_BYTES_MAX = 32768 };

struct wr_token {
	uint64_t words[WR_TOKEN_BYTES_MAX / sizeof(uint64_t)]; /* padded with zeros */
	uint16_t bytes;
	uint8_t may;
	uint8_t name_bytes;
	char name[WR_TOKEN_NAME_BYTES_MAX];
};

/* Zero-initialised: none. Fields may be read. */
struct wr_tokens {
	uint32_t count;
	uint32_t word_count; /* of the longest */
	struct wr_token list[WR_TOKEN_COUNT_MAX];
};

/* Adds one. WR_OK; WR_INVALID: empty, or not made of visible ASCII; WR_TOO_LARGE; WR_CONFLICT: it
 * is there already; WR_FULL. */
enum wr_status wr_tokens_add(struct wr_tokens *self, struct wr_view name, unsigned may,
			     struct wr_view secret);

/* Forgets all but the first `count`. */
void wr_tokens_truncate(struct wr_tokens *self, uint32_t count);

/* Adds those of a file's text. WR_OK with at least one; otherwise *line and a static *detail say
 * what is wrong, and the list is to be thrown away. */
enum wr_status wr_tokens_read(struct wr_tokens *self, struct wr_view text, unsigned *line,
			      const char **detail);

/* Reads a file, which nobody but its owner may be able to read. False with a message for people,
 * which names the remedy, appended to `message`. */
bool wr_tokens_load(struct wr_tokens *self, const char *path, struct wr_buf *message);

/* Reads a file, under the same condition, that has one token on a line of its own: what we present
 * to somebody else. Appends it to `out`, which the caller wipes. False with a message, as above;
 * `out` is as it was. */
bool wr_tokens_load_one(struct wr_buf *out, const char *path, struct wr_buf *message);

/* What the value of an Authorization field allows: bits, 0 for nothing. Exactly `Bearer TOKEN`. */
unsigned wr_tokens_check(const struct wr_tokens *self, struct wr_view authorization);

/* The name of the token in the value of an Authorization field; absent when it is none of these. */
struct wr_view wr_tokens_name(const struct wr_tokens *self, struct wr_view authorization);

/* Length of the shortest; 0 when there is none. */
size_t wr_tokens_shortest_bytes(const struct wr_tokens *self);

/* Overwrites memory that held a secret. */
void wr_tokens_wipe(void *memory, size_t bytes);

#endif
