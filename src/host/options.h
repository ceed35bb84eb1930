/*
 * options — what a program can be told, as tables: name, value, default, range, place, help.
 *
 * A row is a flag of the command line and a key of the configuration file (settings.h reads both).
 * Help and --print-config are made from it, and a test compares it with the manual.
 *
 * A program's options are a list of tables, each for one struct in its settings: so those of the
 * Runtime that a program hosts (hosting_options.h) are written once. Tables are constant; they end
 * with WR_OPTION_END.
 */
#ifndef WR_HOST_OPTIONS_H
#define WR_HOST_OPTIONS_H

#include "bytes/buf.h"
#include "bytes/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	WR_OPTION_COUNT_MAX = 96,	  /* of a program */
	WR_OPTION_SECTION_COUNT_MAX = 48, /* in a section */
	WR_OPTION_INTERVAL_MS_MAX = 60000 /* of a durability */
};

enum wr_option_kind {
	WR_OPTION_TEXT,	      /* const char *; not empty */
	WR_OPTION_NAME,	      /* const char *; UTF-8, not blank */
	WR_OPTION_LABEL,      /* const char *; UTF-8, may be empty */
	WR_OPTION_ADDRESS,    /* const char *; wr_address_parse takes it */
	WR_OPTION_URL,	      /* const char *; wr_url_parse takes it */
	WR_OPTION_VARIABLE,   /* const char *; the name of an environment variable */
	WR_OPTION_SECRET,     /* const char *; not empty, no key, wiped, never printed */
	WR_OPTION_CONFIG,     /* const char *; no key: the configuration file */
	WR_OPTION_LIST,	      /* struct wr_texts */
	WR_OPTION_COUNT,      /* uint64_t */
	WR_OPTION_BYTES,      /* uint64_t; with K, M, G */
	WR_OPTION_MS,	      /* uint64_t */
	WR_OPTION_CHOICE,     /* uint64_t: index of a word in `choices` */
	WR_OPTION_DURABILITY, /* struct wr_durability_setting */
	WR_OPTION_SWITCH,     /* bool: --x, --x=true, --x=false */
	WR_OPTION_ACTION,     /* bool; no key, takes no value */
	WR_OPTION_SHOW	      /* the same, and what follows it is not even read */
};

struct wr_option {
	const char *name, *value, *help; /* without a name: the title of a group */
	enum wr_option_kind kind;
	size_t place;		   /* in its struct */
	uint64_t number, min, max; /* of numbers; `number` is the default */
	const char *text;	   /* default of texts; NULL: none */
	const char *choices;	   /* words, joined with | in the order of their numbers */
	bool (*is_good)(struct wr_view text); /* NULL: of texts, all that its kind takes */
	const char *implies;		      /* an option with choices, and what it is set to */
	uint64_t implied_number;
	bool is_required;    /* in a section */
	const char *form;    /* what a text must be, in words; NULL: its kind says it */
	unsigned belongs_to; /* in a section with kinds: a bit for each it is for; 0: all */
};

/* Of a CHOICE the words beyond `max` are other names of that one. */
#define WR_OPTION_GROUP(title)  \
	{                       \
		.help = (title) \
	}
#define WR_OPTION_STRING(type, field, n, v, k, h)                    \
	{                                                            \
		.name = (n), .value = (v), .help = (h), .kind = (k), \
		.place = offsetof(type, field)                       \
	}
#define WR_OPTION_REQUIRED(type, field, n, v, k, h)                  \
	{                                                            \
		.name = (n), .value = (v), .help = (h), .kind = (k), \
		.place = offsetof(type, field), .is_required = true  \
	}
#define WR_OPTION_NUMBER(type, field, n, v, k, low, default_value, high, h)              \
	{                                                                                \
		.name = (n), .value = (v), .help = (h), .kind = (k),                     \
		.place = offsetof(type, field), .number = (default_value), .min = (low), \
		.max = (high)                                                            \
	}
#define WR_OPTION_WORD(type, field, n, words, default_index, index_max, h)      \
	{                                                                       \
		.name = (n), .value = (words), .choices = (words), .help = (h), \
		.kind = WR_OPTION_CHOICE, .place = offsetof(type, field),       \
		.number = (default_index), .max = (index_max)                   \
	}
#define WR_OPTION_BOOLEAN(type, field, n, k, h)                                       \
	{                                                                             \
		.name = (n), .help = (h), .kind = (k), .place = offsetof(type, field) \
	}
#define WR_OPTION_END        \
	{                    \
		.name = NULL \
	}

/* Of a section with kinds: whether it is for an element of this kind. */
static inline bool wr_option_belongs_to(const struct wr_option *self, uint64_t kind)
{
	return self->belongs_to == 0 || (self->belongs_to >> kind & 1) != 0;
}

/* A table, and where its struct is in the program's settings. */
struct wr_option_part {
	const struct wr_option *list; /* NULL: the end of the parts */
	size_t place;
};

/* What stands under [[name]] in a configuration file: the elements of an array in the settings. */
struct wr_option_section {
	const char *name, *help;      /* NULL: the end of the sections */
	const struct wr_option *list; /* places are in an element */
	size_t place;		      /* of the array */
	size_t count_place;	      /* of its uint32_t count */
	size_t line_place;	      /* in an element: of the uint32_t line where it begins */
	size_t element_bytes;
	uint32_t count_max;
	/* Its elements are of kinds, by the CHOICE of this name; and where the lines of their keys
	 * are kept, a uint32_t for each row of `list`. NULL: of one kind. */
	const char *kind;
	size_t lines_place;
};

/* The choice that tells its elements' kind; NULL: they are of one. */
const struct wr_option *wr_option_section_kind(const struct wr_option_section *self);

struct wr_options {
	const char *usage, *about, *examples; /* whole lines */
	/* Options may stand in the environment, behind this: PREFIX_X_Y for --x-y. NULL: not. */
	const char *variable_prefix;
	const char *variable_reserved; /* behind it, and no option; NULL: none */
	const struct wr_option_part *parts;
	const struct wr_option_section *sections; /* NULL: none */
};

/* The option with this number, counted through all parts without their titles, and the place of its
 * value in the settings; NULL: there are no more. */
const struct wr_option *wr_options_at(const struct wr_options *self, uint32_t index, size_t *place);

static inline bool wr_option_is_end(const struct wr_option *self)
{
	return self->name == NULL && self->help == NULL;
}

/* Kinds of the same form. */
bool wr_option_is_text(const struct wr_option *self);	/* const char * */
bool wr_option_is_number(const struct wr_option *self); /* uint64_t */
bool wr_option_is_action(const struct wr_option *self); /* ACTION, SHOW */

/* Gives a value its default: none, when there is none. */
void wr_option_reset(const struct wr_option *self, void *value);
/* Reads a value; a text is borrowed for life, with a NUL behind it. False: it is not one of this
 * option, and nothing was changed. Not for actions. */
bool wr_option_read(const struct wr_option *self, void *value, struct wr_view text);

/* Appends what it takes, for messages: "MS, from 1 to 60000". */
void wr_option_put_form(const struct wr_option *self, struct wr_buf *out);
/* Appends a value as it could be given. Not of lists and secrets. */
void wr_option_put_value(const struct wr_option *self, struct wr_buf *out, const void *value);

/* What --help prints; the short form for usage errors. */
void wr_options_help(const struct wr_options *self, struct wr_buf *out);
void wr_options_usage(const struct wr_options *self, struct wr_buf *out);

#endif
