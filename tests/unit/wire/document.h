/*
 * document — JSON documents made of their members, one of which is left out, repeated or replaced,
 * in any order: what a reader must refuse, made from what it must accept.
 */
#ifndef WR_TESTS_UNIT_WIRE_DOCUMENT_H
#define WR_TESTS_UNIT_WIRE_DOCUMENT_H

#include "bytes/buf.h"
#include "check.h"
#include "harness/harness.h"

#include <stdio.h>
#include <string.h>

/* `types`: s string, u whole number, o object, a list, b true or false, 0 null (absent). A
 * container has no value: what stands below its path is in it. */
struct member {
	const char *path, *value, *types;
	bool is_required;
};

/* `front` and `back` are around the object of the members. */
struct document {
	const struct member *members;
	unsigned count;
	const char *front, *back;
};
#define DOCUMENT(members, front, back)                  \
	{                                               \
		members, WR_COUNT(members), front, back \
	}

/* Indexes of members; DOCUMENT_NONE: none. */
enum { DOCUMENT_NONE = 99, DOCUMENT_MEMBERS_MAX = 32 };
struct change {
	unsigned dropped, repeated, replaced;
	const char *value; /* of the replaced one */
	uint64_t order;	   /* a seed; 0: as they stand */
};
static const struct change document_unchanged = {DOCUMENT_NONE, DOCUMENT_NONE, DOCUMENT_NONE, NULL,
						 0};

/* Values of all types; f: a number that is no whole one. */
static const struct {
	char type;
	const char *value;
} document_values[] = {
	{'0', "null"},	       {'b', "true"},
	{'b', "false"},	       {'u', "7"},
	{'f', "-1"},	       {'f', "1.5"},
	{'f', "1e400"},	       {'s', "\"x\""},
	{'s', "\"\""},	       {'o', "{}"},
	{'o', "{\"x\":[{}]}"}, {'a', "[]"},
	{'a', "[{}]"},	       {'f', "18446744073709551616"},
};

/* Whether the member stands right below the prefix ("" or "envelope."). */
static inline bool document_is_below(const struct member *member, const char *prefix)
{
	size_t bytes = strlen(prefix);

	return strncmp(member->path, prefix, bytes) == 0 &&
	       strchr(member->path + bytes, '.') == NULL;
}

static inline void document_write_members(struct wr_buf *out, const struct document *document,
					  const char *prefix, const struct change *change);

static inline void document_write_member(struct wr_buf *out, const struct document *document,
					 unsigned index, const char *prefix,
					 const struct change *change)
{
	const struct member *member = &document->members[index];
	const char *value = change->replaced == index ? change->value : member->value;
	char below[64];

	if (out->data[out->bytes - 1] != '{')
		wr_buf_append_byte(out, ',');
	wr_buf_append_byte(out, '"');
	wr_buf_append_view(out, wr_view_of_string(member->path + strlen(prefix)));
	wr_buf_append(out, "\":", 2);
	if (value != NULL) {
		wr_buf_append_view(out, wr_view_of_string(value));
		return;
	}
	snprintf(below, sizeof below, "%s.", member->path);
	wr_buf_append_byte(out, '{');
	document_write_members(out, document, below, change);
	wr_buf_append_byte(out, '}');
}

static inline void document_write_members(struct wr_buf *out, const struct document *document,
					  const char *prefix, const struct change *change)
{
	unsigned order[DOCUMENT_MEMBERS_MAX], count = 0;
	uint64_t random = change->order;

	CHECK(document->count < DOCUMENT_MEMBERS_MAX);
	for (unsigned i = 0; i < document->count; i++) {
		if (!document_is_below(&document->members[i], prefix) || change->dropped == i)
			continue;
		order[count++] = i;
		if (change->repeated == i)
			order[count++] = i;
	}
	for (unsigned i = count; change->order != 0 && i > 1; i--) {
		unsigned other = (unsigned)(wr_test_random(&random) % i), kept = order[other];

		order[other] = order[i - 1];
		order[i - 1] = kept;
	}
	for (unsigned i = 0; i < count; i++)
		document_write_member(out, document, order[i], prefix, change);
}

static inline void document_write(struct wr_buf *out, const struct document *document,
				  const struct change *change)
{
	wr_buf_append_view(out, wr_view_of_string(document->front));
	wr_buf_append_byte(out, '{');
	document_write_members(out, document, "", change);
	wr_buf_append_byte(out, '}');
	wr_buf_append_view(out, wr_view_of_string(document->back));
}

#endif
