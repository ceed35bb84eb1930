/*
 * flags — every flag of worker-runtime, as one table: name, value, default, range, place, help.
 *
 * Parsing, help and --print-config are all made from it (config.c); a test compares it with the
 * manual.
 */
#ifndef WR_RUNTIME_SERVER_FLAGS_H
#define WR_RUNTIME_SERVER_FLAGS_H

#include <stddef.h>
#include <stdint.h>

enum wr_flag_kind {
	WR_FLAG_TEXT,	    /* const char *; not empty */
	WR_FLAG_NAME,	    /* const char *; UTF-8, not blank */
	WR_FLAG_LABEL,	    /* const char *; UTF-8, may be empty */
	WR_FLAG_SECRET,	    /* const char *; not empty, wiped, never printed */
	WR_FLAG_ADDRESS,    /* const char *; checked by wr_address_parse */
	WR_FLAG_FOLDER,	    /* const char *; choosing the fs store, too */
	WR_FLAG_LIST,	    /* struct wr_texts */
	WR_FLAG_COUNT,	    /* uint64_t */
	WR_FLAG_BYTES,	    /* uint64_t; with K, M, G */
	WR_FLAG_MS,	    /* uint64_t */
	WR_FLAG_CHOICE,	    /* uint64_t: index of a word in `choices` */
	WR_FLAG_DURABILITY, /* struct wr_durability_setting */
	WR_FLAG_SWITCH	    /* bool; takes no value */
};

struct wr_flag {
	const char *name, *value, *help;
	const char *choices; /* words, joined with | in the order of their numbers */
	enum wr_flag_kind kind;
	size_t place; /* in struct wr_config */
	uint64_t number, min, max;
};

/* In the order of the help text; an entry without a name is the title of a group. */
extern const struct wr_flag wr_flags[];
extern const size_t wr_flag_count;

#endif
