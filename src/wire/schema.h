/*
 * schema — JSON objects read against a table of their members.
 *
 * Commands and protocol events are decoded by the same rules (contract 2.2): unknown members are
 * ignored at any level, also repeated ones; a known member twice, a required one missing or null, a
 * wrong type, an unknown word are refused, with a static text that names the member. A schema is
 * constant data. Reading an object gives the raw value of each of its known members, checked. What
 * is nested is either read where it stands, by a function of the table, or later, from its raw
 * value (wr_schema_begin_part).
 *
 * A union is an object whose member `kind` says which members it has. `kind` need not come first,
 * and what is a member of another kind is an unknown member: so what any kind may have is
 * collected, and judged when the kind is known.
 *
 * Values point into the document. Strings with escapes are decoded into `texts`, which is made
 * large enough for all of them at the first, and so never moves under a view.
 */
#ifndef WR_WIRE_SCHEMA_H
#define WR_WIRE_SCHEMA_H

#include "bytes/buf.h"
#include "codec/json/reader.h"
#include "status.h"

enum wr_schema_type {
	WR_SCHEMA_STRING,
	WR_SCHEMA_WORD, /* one of `of.words` */
	WR_SCHEMA_UUID, /* 8-4-4-4-12 hex digits */
	WR_SCHEMA_U64,
	WR_SCHEMA_U32,
	WR_SCHEMA_U16,
	WR_SCHEMA_I64,
	WR_SCHEMA_BOOL,
	WR_SCHEMA_ANY,
	WR_SCHEMA_NOTHING, /* null or absent */
	WR_SCHEMA_READ,	   /* read where it stands, by `of.read` */
	WR_SCHEMA_OBJECT,  /* `of.object` */
	WR_SCHEMA_STRINGS,
	WR_SCHEMA_ANYS,
	WR_SCHEMA_OBJECTS, /* `of.object` each */
	WR_SCHEMA_UNIONS   /* `of.variants` each */
};

enum wr_schema_rule {
	WR_SCHEMA_REQUIRED,
	WR_SCHEMA_OPTIONAL, /* null is absent; left out when absent */
	WR_SCHEMA_OMITTED,  /* the same, and left out when it is `otherwise` */
	WR_SCHEMA_NULLABLE, /* null is absent; written as null when absent */
	WR_SCHEMA_DEFAULTED /* null is refused; written as `otherwise` when absent */
};

struct wr_schema_field;
struct wr_schema_input;

/* Reads the value whose first token is the reader's current one, to its last token. Refuses it with
 * field->wrong when it has another type. */
typedef enum wr_status wr_schema_read_fn(struct wr_schema_input *input, void *context,
					 const struct wr_schema_field *field);

struct wr_schema_field {
	struct wr_view name;
	const char *missing, *repeated, *wrong; /* what to say */
	struct wr_view otherwise;		/* JSON */
	union {
		const struct wr_view *words; /* up to an absent one */
		const struct wr_schema *object;
		const struct wr_schema_union *variants;
		wr_schema_read_fn *read;
	} of;
	uint8_t type; /* enum wr_schema_type */
	uint8_t rule; /* enum wr_schema_rule */
	uint8_t slot; /* in a variant: its place among the union's names; else the user's */
};

/* The texts of a field, from literals. */
#define WR_SCHEMA_FIELD(literal, must_be)                                         \
	.name = WR_VIEW_INIT(literal), .missing = "missing member `" literal "`", \
	.repeated = "member `" literal "` appears twice",                         \
	.wrong = "`" literal "` must be " must_be

enum { WR_SCHEMA_FIELDS_MAX = 10 };

struct wr_schema {
	const struct wr_schema_field *fields;
	unsigned count; /* at most WR_SCHEMA_FIELDS_MAX */
};
#define WR_SCHEMA_INIT(fields)           \
	{                                \
		fields, WR_COUNT(fields) \
	}

struct wr_schema_variant {
	struct wr_view kind;
	struct wr_schema members; /* without `kind` */
};

struct wr_schema_union {
	struct wr_schema names; /* `kind`, and the members of all variants: by name only */
	const struct wr_schema_variant *variants;
	unsigned count;
	const char *unknown; /* what to say of another kind; NULL: accepted, index `count` */
};

/* The first of a union's names. */
#define WR_SCHEMA_KIND                              \
	{                                           \
		WR_SCHEMA_FIELD("kind", "a string") \
	}
#define WR_SCHEMA_NAME(literal)               \
	{                                     \
		.name = WR_VIEW_INIT(literal) \
	}

/* A document, or a part of one, that is being read. */
struct wr_schema_input {
	struct wr_json_reader reader;
	struct wr_view json; /* the whole document */
	struct wr_view part; /* what the reader has */
	struct wr_buf *texts;
	struct wr_error *error;
};

struct wr_schema_value {
	struct wr_view raw; /* its JSON (of READ: something); absent: no such member, or null */
	const char *repeat; /* where it stands once more, else NULL */
	uint64_t number;    /* U64, U32, U16: the value; WORD: the index; BOOL: 0 or 1 */
	bool has_escapes;   /* of a string */
};

/* Starts on a document: resets texts and error. */
void wr_schema_begin(struct wr_schema_input *self, struct wr_view json, struct wr_buf *texts,
		     struct wr_error *error);

/* Reads the document, which is one object, into `values`, one for each field. `wrong` is what to
 * say when it is no object; `context` is for the functions of the table. WR_OK; WR_SYNTAX,
 * WR_ENCODING, WR_TOO_LARGE (of the reader); WR_INVALID; what a function of the table returns. */
enum wr_status wr_schema_read_document(struct wr_schema_input *self, void *context,
				       struct wr_schema_value *values,
				       const struct wr_schema *schema, const char *wrong);

/* The same for a value whose first token is the current one. */
enum wr_status wr_schema_read(struct wr_schema_input *self, void *context,
			      struct wr_schema_value *values, const struct wr_schema *schema,
			      const char *wrong);

/* The same for an object of a union; *index is its variant, whose members are in `values`. */
enum wr_status wr_schema_read_union(struct wr_schema_input *self, unsigned *index,
				    struct wr_schema_value *values,
				    const struct wr_schema_union *variants, const char *wrong);

/* Goes to the first token of a raw value of `whole`. Status of the reader. */
enum wr_status wr_schema_begin_part(struct wr_schema_input *self,
				    const struct wr_schema_input *whole, struct wr_view raw);

/* Goes to the next token: to walk a list, from its first token to WR_JSON_TOKEN_ARRAY_END. */
enum wr_status wr_schema_next(struct wr_schema_input *self);

/* Takes the value whose first token is the current one, as it is. */
enum wr_status wr_schema_take(struct wr_schema_input *self, struct wr_schema_value *value);

/* The text of a string value; absent for an absent one. To be asked once for each value. WR_OK,
 * WR_TOO_LARGE, WR_NO_MEMORY. */
enum wr_status wr_schema_string(struct wr_schema_input *self, struct wr_view *text,
				const struct wr_schema_value *value);

/* Makes room in `texts` for all that can come out of the document. Status of the buffer. */
enum wr_status wr_schema_reserve(struct wr_schema_input *self);

/* Refuses the document because of the value whose first token is the current one. WR_INVALID. */
enum wr_status wr_schema_refuse(struct wr_schema_input *self, const char *detail);
/* The same, because of what stands at `at`. */
enum wr_status wr_schema_refuse_at(struct wr_schema_input *self, const char *at,
				   const char *detail);

#endif
