/* json_equal — whether two JSON texts mean the same, and a member of an object by name. For tests:
 * quadratic, recursive, aborts on what is no JSON. */
#ifndef WR_TESTS_UNIT_WIRE_JSON_EQUAL_H
#define WR_TESTS_UNIT_WIRE_JSON_EQUAL_H

#include "codec/json/reader.h"
#include "harness/harness.h"

#include <stdlib.h>

/* The value without white space around it. */
static inline struct wr_view json_trim(struct wr_view json)
{
	struct wr_json_reader reader;
	struct wr_view raw = WR_VIEW_NULL;

	wr_json_reader_init(&reader, json, true);
	CHECK_STATUS(wr_json_reader_raw(&reader, &raw), WR_OK);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK(reader.token == WR_JSON_TOKEN_END);
	return raw;
}

static inline bool json_same_string(struct wr_view a, struct wr_view b)
{
	char *decoded = malloc(a.bytes + b.bytes + 1);
	size_t a_bytes, b_bytes;
	bool is_same;

	CHECK(decoded != NULL);
	a_bytes = wr_json_decode_string_to(decoded, a);
	b_bytes = wr_json_decode_string_to(decoded + a_bytes, b);
	is_same =
		wr_view_equal(wr_view_of(decoded, a_bytes), wr_view_of(decoded + a_bytes, b_bytes));
	free(decoded);
	return is_same;
}

/* Whether the object has the member, and its value. */
static inline bool json_member(struct wr_view object, struct wr_view name, struct wr_view *value)
{
	struct wr_json_reader reader;

	wr_json_reader_init(&reader, object, true);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	CHECK(reader.token == WR_JSON_TOKEN_OBJECT_BEGIN);
	while (wr_json_reader_next(&reader) == WR_OK && reader.token == WR_JSON_TOKEN_NAME) {
		bool is_it = json_same_string(reader.text, name);

		CHECK_STATUS(wr_json_reader_raw(&reader, value), WR_OK);
		if (is_it)
			return true;
	}
	return false;
}

/* A member at a path such as "envelope.payload.event". */
static inline struct wr_view json_at(struct wr_view json, const char *path)
{
	while (*path != '\0') {
		size_t bytes = strcspn(path, ".");

		CHECK(json_member(json, wr_view_of(path, bytes), &json));
		path += bytes + (path[bytes] == '.');
	}
	return json;
}

static inline size_t json_count(struct wr_view object)
{
	struct wr_json_reader reader;
	size_t count = 0;

	wr_json_reader_init(&reader, object, true);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	while (wr_json_reader_next(&reader) == WR_OK && reader.token == WR_JSON_TOKEN_NAME) {
		CHECK_STATUS(wr_json_reader_skip(&reader), WR_OK);
		count++;
	}
	return count;
}

/* Takes the next element off a list; false at its end. Start with a reader on ARRAY_BEGIN. */
static inline bool json_element(struct wr_json_reader *reader, struct wr_view *value)
{
	CHECK_STATUS(wr_json_reader_next(reader), WR_OK);
	if (reader->token == WR_JSON_TOKEN_ARRAY_END)
		return false;
	CHECK_STATUS(wr_json_reader_raw(reader, value), WR_OK);
	return true;
}

static inline bool json_covers(struct wr_view expected, struct wr_view actual, bool is_exact);

static inline bool json_object_covers(struct wr_view expected, struct wr_view actual, bool is_exact)
{
	struct wr_json_reader reader;
	struct wr_view name, value, other;

	if (is_exact && json_count(expected) != json_count(actual))
		return false;
	wr_json_reader_init(&reader, expected, true);
	CHECK_STATUS(wr_json_reader_next(&reader), WR_OK);
	while (wr_json_reader_next(&reader) == WR_OK && reader.token == WR_JSON_TOKEN_NAME) {
		name = reader.text;
		CHECK_STATUS(wr_json_reader_raw(&reader, &value), WR_OK);
		if (!json_member(actual, name, &other) || !json_covers(value, other, is_exact))
			return false;
	}
	return true;
}

static inline bool json_list_covers(struct wr_view expected, struct wr_view actual, bool is_exact)
{
	struct wr_json_reader a, b;
	struct wr_view left, right;

	wr_json_reader_init(&a, expected, true);
	wr_json_reader_init(&b, actual, true);
	CHECK_STATUS(wr_json_reader_next(&a), WR_OK);
	CHECK_STATUS(wr_json_reader_next(&b), WR_OK);
	for (;;) {
		bool has_left = json_element(&a, &left), has_right = json_element(&b, &right);

		if (has_left != has_right)
			return false;
		if (!has_left)
			return true;
		if (!json_covers(left, right, is_exact))
			return false;
	}
}

/* Whether `actual` says everything that `expected` says (member order aside), and with is_exact
 * nothing more. */
static inline bool json_covers(struct wr_view expected, struct wr_view actual, bool is_exact)
{
	expected = json_trim(expected);
	actual = json_trim(actual);
	if (*expected.data == '{' && *actual.data == '{')
		return json_object_covers(expected, actual, is_exact);
	if (*expected.data == '[' && *actual.data == '[')
		return json_list_covers(expected, actual, is_exact);
	if (*expected.data == '"' && *actual.data == '"')
		return json_same_string(wr_view_of(expected.data + 1, expected.bytes - 2),
					wr_view_of(actual.data + 1, actual.bytes - 2));
	return wr_view_equal(expected, actual);
}

static inline bool json_equal(struct wr_view a, struct wr_view b)
{
	return json_covers(a, b, true);
}

#endif
