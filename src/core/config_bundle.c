#include "core/config_bundle.h"

#include "bytes/endian.h"
#include "check.h"
#include "bounds.h"

/* ---- rows ---- */

enum { LENGTH_BYTES = 4 };
#define ABSENT 0xffffffffu

static void append_text(struct wr_buf *out, struct wr_view text)
{
	char length[LENGTH_BYTES];

	wr_store_le32(length, text.data == NULL ? ABSENT : (uint32_t)text.bytes);
	wr_buf_append(out, length, sizeof length);
	if (text.data != NULL)
		wr_buf_append_view(out, text);
}

enum wr_status wr_rows_append(struct wr_buf *out, const struct wr_row *row)
{
	wr_buf_append_byte(out, (char)row->kind);
	append_text(out, row->first);
	append_text(out, row->second);
	return wr_buf_status(out);
}

static bool take_text(struct wr_view *rest, struct wr_view *text)
{
	uint32_t bytes;

	if (rest->bytes < LENGTH_BYTES)
		return false;
	bytes = wr_load_le32(rest->data);
	*rest = wr_view_skip(*rest, LENGTH_BYTES);
	*text = WR_VIEW_NULL;
	if (bytes == ABSENT)
		return true;
	if (bytes > rest->bytes)
		return false;
	*text = wr_view_of(rest->data, bytes);
	*rest = wr_view_skip(*rest, bytes);
	return true;
}

bool wr_rows_next(struct wr_view *rest, struct wr_row *row)
{
	struct wr_view ahead = *rest;

	if (ahead.bytes == 0)
		return false;
	row->kind = (uint8_t)*ahead.data;
	ahead = wr_view_skip(ahead, 1);
	if (!take_text(&ahead, &row->first) || !take_text(&ahead, &row->second))
		return false;
	*rest = ahead;
	return true;
}

bool wr_rows_are_whole(const struct wr_rows *rows, unsigned kind_max)
{
	struct wr_view rest = rows->packed;
	struct wr_row row;
	uint32_t count = 0;

	while (wr_rows_next(&rest, &row)) {
		if (row.kind > kind_max)
			return false;
		count++;
	}
	return count == rows->count && rest.bytes == 0;
}

/* ---- words ---- */

struct wr_view wr_declaration_word(enum wr_declaration_kind kind)
{
	static const struct wr_view words[] = {
#define WORD(name, word) WR_VIEW_INIT(word),
		WR_DECLARATION_LIST(WORD)
#undef WORD
	};

	wr_assert((unsigned)kind < WR_COUNT(words));
	return words[kind];
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(char c, const char *others)
{
	return c != '\0' && strchr(others, c) != NULL;
}

/* Whether there is nothing but letters, digits and `others`. */
static bool has_only(struct wr_view text, const char *others)
{
	for (size_t i = 0; i < text.bytes; i++)
		if (!is_alphanumeric(text.data[i]) && !is_one_of(text.data[i], others))
			return false;
	return true;
}

bool wr_config_bundle_id_is_valid(struct wr_view id)
{
	return id.bytes != 0 && id.bytes <= WR_CONFIG_BUNDLE_ID_BYTES_MAX &&
	       is_alphanumeric(*id.data) && has_only(id, "._:-");
}

bool wr_config_reference_is_valid(struct wr_view reference)
{
	return has_only(reference, ":._@+-");
}

bool wr_config_digest_is_valid(struct wr_view digest)
{
	for (size_t i = 0; i < digest.bytes; i++) {
		char c = digest.data[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return digest.bytes == WR_CONFIG_DIGEST_BYTES;
}

/* ---- texts ---- */

/* C0, DEL, and C1, which UTF-8 spells C2 80 to C2 9F. */
static bool has_control(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c < 0x20 || c == 0x7f)
			return true;
		if (c == 0xc2 && i + 1 < text.bytes && (unsigned char)text.data[i + 1] < 0xa0)
			return true;
	}
	return false;
}

/* Whether `word`, in lower case, stands at the beginning of `text` in any case. */
static bool starts_nocase(struct wr_view text, struct wr_view word)
{
	return text.bytes >= word.bytes &&
	       wr_view_equal_nocase(wr_view_of(text.data, word.bytes), word);
}

static bool has_host_word(struct wr_view text)
{
	static const struct wr_view words[] = {WR_VIEW_INIT("cache"), WR_VIEW_INIT("session"),
					       WR_VIEW_INIT("socket"), WR_VIEW_INIT(".sock"),
					       WR_VIEW_INIT("file:")};

	for (; text.bytes != 0; text = wr_view_skip(text, 1))
		for (size_t i = 0; i < WR_COUNT(words); i++)
			if (starts_nocase(text, words[i]))
				return true;
	return false;
}

/* Whether a word of a text begins behind this byte. */
static bool is_between_words(char c)
{
	return !is_alphanumeric(c) && !is_one_of(c, "._~/");
}

/* Of the rest of a text from the beginning of a word on. */
static bool begins_path(struct wr_view word)
{
	return *word.data == '/' || *word.data == '~' || wr_view_starts(word, WR_VIEW("./"));
}

static bool has_path(struct wr_view text)
{
	bool is_start = true;

	for (; text.bytes != 0; text = wr_view_skip(text, 1)) {
		if (*text.data == '\\' || wr_view_starts(text, WR_VIEW("../")) ||
		    (is_start && begins_path(text)))
			return true;
		is_start = is_between_words(*text.data);
	}
	return false;
}

const char *wr_config_text_fault(struct wr_view text)
{
	if (text.bytes > WR_CONFIG_TEXT_BYTES_MAX)
		return "a text of the bundle is over 2048 bytes";
	if (has_control(text))
		return "a text of the bundle has a control character";
	if (has_path(text))
		return "a text of the bundle looks like a path of a host";
	if (has_host_word(text))
		return "a text of the bundle looks like a cache, session, socket or file of a host";
	return NULL;
}

/* ---- whole bundles ---- */

enum { FIELDS = 7 };

static void fields_of(const struct wr_config_bundle *bundle, struct wr_view fields[FIELDS])
{
	fields[0] = bundle->id;
	fields[1] = bundle->digest;
	fields[2] = bundle->revision;
	fields[3] = bundle->workspace_id;
	fields[4] = bundle->created_at;
	fields[5] = bundle->source;
	fields[6] = bundle->detail;
}

size_t wr_config_bundle_bytes(const struct wr_config_bundle *bundle)
{
	struct wr_view fields[FIELDS];
	size_t bytes = bundle->profiles.packed.bytes + bundle->declarations.packed.bytes;

	fields_of(bundle, fields);
	for (unsigned i = 0; i < FIELDS; i++)
		bytes += fields[i].bytes;
	return bytes;
}

bool wr_config_bundle_is_sound(const struct wr_config_bundle *bundle)
{
	return bundle->profiles.count <= WR_CONFIG_PROFILE_COUNT_MAX &&
	       bundle->declarations.count <= WR_CONFIG_DECLARATION_COUNT_MAX &&
	       wr_config_bundle_bytes(bundle) <= WR_CONFIG_BUNDLE_BYTES_MAX &&
	       wr_rows_are_whole(&bundle->profiles, WR_PROFILE_NAMED) &&
	       wr_rows_are_whole(&bundle->declarations, WR_DECLARATION_UNSUPPORTED);
}

static bool is_same_text(struct wr_view a, struct wr_view b)
{
	if (a.data == NULL || b.data == NULL)
		return a.data == b.data;
	return wr_view_equal(a, b);
}

static bool is_same_list(const struct wr_rows *a, const struct wr_rows *b)
{
	return a->count == b->count && wr_view_equal(a->packed, b->packed);
}

bool wr_config_bundle_is_same(const struct wr_config_bundle *a, const struct wr_config_bundle *b)
{
	struct wr_view left[FIELDS], right[FIELDS];

	fields_of(a, left);
	fields_of(b, right);
	for (unsigned i = 0; i < FIELDS; i++)
		if (!is_same_text(left[i], right[i]))
			return false;
	return is_same_list(&a->profiles, &b->profiles) &&
	       is_same_list(&a->declarations, &b->declarations);
}

bool wr_config_bundle_declares(const struct wr_config_bundle *bundle, enum wr_profile_kind kind,
			       struct wr_view value)
{
	struct wr_view rest = bundle->profiles.packed;
	struct wr_row row;

	while (wr_rows_next(&rest, &row))
		if (row.kind == kind &&
		    (kind == WR_PROFILE_RUNTIME_DEFAULT || wr_view_equal(row.first, value)))
			return true;
	return false;
}
