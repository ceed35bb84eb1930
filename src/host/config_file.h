/*
 * config_file — the text of a configuration file, entry by entry: a part of TOML 1.0.
 *
 *	# a comment
 *	bind = "127.0.0.1:8650"         a string; escapes: \" \\ \b \t \n \f \r \uXXXX
 *	exec = './agent "as it stands"' a string without escapes
 *	max-workers = 100               digits; whatever has a unit is a string: "64K"
 *	quiet = true
 *	allow_origin = ["http://a", "http://b"]     strings, also over several lines
 *	[name]                          a section
 *	[[name]]                        a section that there may be any number of
 *
 * Whatever it reads means the same to every reader of TOML, and the rest of TOML is refused. Which
 * names there are, and how often each may stand, is for the caller.
 *
 * Strings are decoded where they stand, for no escape is shorter than what it means: so the text is
 * overwritten, and a string lives as long as it, with a NUL behind it and none in it.
 */
#ifndef WR_HOST_CONFIG_FILE_H
#define WR_HOST_CONFIG_FILE_H

#include "bytes/view.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	WR_CONFIG_FILE_BYTES_MAX = 1 << 20,
	WR_CONFIG_LINE_BYTES_MAX = 16384,
	WR_CONFIG_NAME_BYTES_MAX = 64
};

enum wr_config_kind {
	WR_CONFIG_END,
	WR_CONFIG_SECTION, /* [name] */
	WR_CONFIG_ELEMENT, /* [[name]] */
	WR_CONFIG_STRING,
	WR_CONFIG_NUMBER, /* its digits are `text`, without a NUL */
	WR_CONFIG_BOOLEAN,
	WR_CONFIG_LIST, /* name = [ ; what it has follows: */
	WR_CONFIG_ITEM	/* a string of it */
};

struct wr_config_entry {
	enum wr_config_kind kind;
	bool is_true;	     /* of a BOOLEAN */
	uint32_t line;	     /* from 1 */
	struct wr_view name; /* of an ITEM that of its LIST */
	struct wr_view text; /* of STRING, NUMBER, ITEM */
};

/* Of `line` and `detail` (static) the caller may read what is wrong. The rest is private. */
struct wr_config_reader {
	char *at, *end;
	uint32_t line;
	const char *detail;
	struct wr_view list_name; /* present: within that list */
	bool needs_comma;
};

/* Begins with a text that the caller keeps, and looks through all of it. WR_OK; WR_TOO_LARGE (a
 * line); WR_ENCODING (not UTF-8); WR_SYNTAX (a control character). */
enum wr_status wr_config_reader_init(struct wr_config_reader *self, char *text, size_t bytes);

/* The next entry, at last an END. WR_OK; WR_SYNTAX, after which it must not be called again. */
enum wr_status wr_config_reader_next(struct wr_config_reader *self, struct wr_config_entry *entry);

#endif
