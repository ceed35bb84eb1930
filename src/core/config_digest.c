/*
 * The digest of a config bundle (contract 9): every field and every row is a line of parts with NUL
 * between them, the lines are sorted bytewise, and hashed, each with a line feed behind it.
 *
 * No line is ever written out. A line is a number: what field it is, or where its row begins in its
 * list; what it says is found again from that. Sorting is a heap sort over those numbers: bounded,
 * without recursion, and a bundle that was made to be slow costs no more than another.
 */
#include "core/config_bundle.h"

#include "bytes/hex.h"
#include "check.h"
#include "bounds.h"

enum {
	FIELD_LINES = 6,
	LINES_MAX = FIELD_LINES + WR_CONFIG_PROFILE_COUNT_MAX + WR_CONFIG_DECLARATION_COUNT_MAX,
	PARTS_MAX = 4
};

/* How the number of a line is made: rows of the lists by their offset. */
#define PROFILE_LINE 0x40000000u
#define DECLARATION_LINE 0x80000000u
#define OFFSET_MASK 0x3fffffffu
_Static_assert(WR_CONFIG_BUNDLE_BYTES_MAX < PROFILE_LINE, "an offset and a list fit a number");

struct line {
	struct wr_view parts[PARTS_MAX];
	unsigned count;
};

static void add_part(struct line *line, struct wr_view part)
{
	line->parts[line->count++] = part;
}

static void get_field(struct line *line, const struct wr_config_bundle *bundle, uint32_t number)
{
	const struct {
		struct wr_view name, value;
	} fields[FIELD_LINES] = {
		{WR_VIEW_INIT("id"), bundle->id},
		{WR_VIEW_INIT("revision"), bundle->revision},
		{WR_VIEW_INIT("workspace_id"), bundle->workspace_id},
		{WR_VIEW_INIT("created_at"), bundle->created_at},
		{WR_VIEW_INIT("provenance.source"), bundle->source},
		{WR_VIEW_INIT("provenance.detail"), bundle->detail},
	};

	add_part(line, fields[number].name);
	add_part(line, fields[number].value);
}

static void get_profile(struct line *line, const struct wr_row *row)
{
	add_part(line, WR_VIEW("profile"));
	switch ((enum wr_profile_kind)row->kind) {
	case WR_PROFILE_RUNTIME_DEFAULT:
		add_part(line, WR_VIEW("runtime_default"));
		break;
	case WR_PROFILE_BUILTIN:
		add_part(line, WR_VIEW("builtin"));
		add_part(line, row->first);
		break;
	case WR_PROFILE_NAMED:
		add_part(line, WR_VIEW("named"));
		add_part(line, row->first);
		break;
	}
	add_part(line, row->second);
}

static void get_declaration(struct line *line, const struct wr_row *row)
{
	add_part(line, WR_VIEW("declaration"));
	add_part(line, wr_declaration_word((enum wr_declaration_kind)row->kind));
	add_part(line, row->first);
	add_part(line, row->second);
}

static void get_line(struct line *line, const struct wr_config_bundle *bundle, uint32_t number)
{
	bool is_profile = (number & PROFILE_LINE) != 0;
	struct wr_view rest = is_profile ? bundle->profiles.packed : bundle->declarations.packed;
	struct wr_row row;
	bool is_there;

	line->count = 0;
	if (number < FIELD_LINES) {
		get_field(line, bundle, number);
		return;
	}
	rest = wr_view_skip(rest, number & OFFSET_MASK);
	is_there = wr_rows_next(&rest, &row);
	wr_assert(is_there);
	if (is_profile)
		get_profile(line, &row);
	else
		get_declaration(line, &row);
}

/* ---- order ---- */

/* A line as bytes, one run at a time: a part, a NUL, a part, ... */
struct walk {
	const struct line *line;
	unsigned next;	     /* twice the part, plus one at the NUL behind it */
	struct wr_view rest; /* of the run */
};

/* False at the end of the line. */
static bool has_rest(struct walk *self)
{
	while (self->rest.bytes == 0) {
		if (self->next >= 2 * self->line->count - 1)
			return false;
		self->rest =
			self->next % 2 == 0 ? self->line->parts[self->next / 2] : wr_view_of("", 1);
		self->next++;
	}
	return true;
}

static int compare_lines(const struct line *a, const struct line *b)
{
	struct walk left = {.line = a}, right = {.line = b};

	for (;;) {
		bool has_left = has_rest(&left), has_right = has_rest(&right);
		size_t bytes;
		int order;

		if (!has_left || !has_right)
			return (int)has_left - (int)has_right;
		bytes = left.rest.bytes < right.rest.bytes ? left.rest.bytes : right.rest.bytes;
		order = memcmp(left.rest.data, right.rest.data, bytes);
		if (order != 0)
			return order;
		left.rest = wr_view_skip(left.rest, bytes);
		right.rest = wr_view_skip(right.rest, bytes);
	}
}

static bool is_below(const struct wr_config_bundle *bundle, uint32_t a, uint32_t b)
{
	struct line left, right;

	get_line(&left, bundle, a);
	get_line(&right, bundle, b);
	return compare_lines(&left, &right) < 0;
}

/* Lets lines[root] sink until both below it are no greater. */
static void sink(const struct wr_config_bundle *bundle, uint32_t *lines, uint32_t root,
		 uint32_t count)
{
	uint32_t line = lines[root];

	for (;;) {
		uint32_t child = 2 * root + 1;

		if (child >= count)
			break;
		if (child + 1 < count && is_below(bundle, lines[child], lines[child + 1]))
			child++;
		if (!is_below(bundle, line, lines[child]))
			break;
		lines[root] = lines[child];
		root = child;
	}
	lines[root] = line;
}

static void sort_lines(const struct wr_config_bundle *bundle, uint32_t *lines, uint32_t count)
{
	for (uint32_t root = count / 2; root-- > 0;)
		sink(bundle, lines, root, count);
	for (uint32_t end = count - 1; end > 0; end--) {
		uint32_t greatest = lines[0];

		lines[0] = lines[end];
		lines[end] = greatest;
		sink(bundle, lines, 0, end);
	}
}

/* ---- all of it ---- */

static uint32_t number_rows(uint32_t *lines, uint32_t count, const struct wr_rows *rows,
			    uint32_t list)
{
	struct wr_view rest = rows->packed;
	struct wr_row row;
	const char *begin = rest.data;

	for (;;) {
		uint32_t offset = (uint32_t)(rest.data - begin);

		if (!wr_rows_next(&rest, &row))
			return count;
		wr_assert(count < LINES_MAX);
		lines[count++] = list | offset;
	}
}

static void feed_line(struct wr_sha256 *hash, const struct line *line)
{
	for (unsigned i = 0; i < line->count; i++) {
		if (i != 0)
			wr_sha256_feed(hash, wr_view_of("", 1));
		wr_sha256_feed(hash, line->parts[i]);
	}
	wr_sha256_feed(hash, WR_VIEW("\n"));
}

void wr_config_bundle_digest(const struct wr_config_bundle *bundle,
			     char out[WR_CONFIG_DIGEST_BYTES])
{
	uint32_t lines[LINES_MAX], count = 0;
	uint8_t digest[WR_SHA256_BYTES];
	struct wr_sha256 hash;
	struct line line;

	while (count < FIELD_LINES) {
		lines[count] = count;
		count++;
	}
	count = number_rows(lines, count, &bundle->profiles, PROFILE_LINE);
	count = number_rows(lines, count, &bundle->declarations, DECLARATION_LINE);
	sort_lines(bundle, lines, count);
	wr_sha256_init(&hash);
	for (uint32_t i = 0; i < count; i++) {
		get_line(&line, bundle, lines[i]);
		feed_line(&hash, &line);
	}
	wr_sha256_finish(&hash, digest);
	wr_hex_write(out, digest, sizeof digest);
}
