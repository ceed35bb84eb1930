#include "backend/workspace.h"

#include "backend/ids.h"
#include "bytes/endian.h"
#include "bytes/utf8.h"
#include "check.h"
#include "codec/http/message.h"
#include "host/config_file.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER ".yoi"
#define FILE_NAME "workspace.toml"

enum { FILE_BYTES_MAX = 4096, NEW_NAME_BYTES = 40, UUID_VERSION_AT = 14, UUID_VARIANT_AT = 19 };

_Static_assert(PATH_MAX <= WR_WORKSPACE_ROOT_BYTES_MAX, "realpath has room");
_Static_assert(WR_DISPLAY_BYTES_MAX > WR_WORKSPACE_NAME_BYTES_MAX, "a made name is cut, too");

/* ---- what is wrong ---- */

static void say(struct wr_buf *message, const char *text)
{
	(void)wr_buf_append_view(message, wr_view_of_string(text));
}

/* What and where; the caller says why. */
static void say_where(struct wr_buf *message, const char *what, const char *root)
{
	say(message, what);
	say(message, root);
	say(message, "/" FOLDER "/" FILE_NAME);
}

static bool refuse_line(struct wr_buf *message, const char *root, uint32_t line, const char *why)
{
	say_where(message, "", root);
	say(message, ":");
	(void)wr_buf_append_u64(message, line);
	say(message, ": ");
	say(message, why);
	return false;
}

static bool refuse(struct wr_buf *message, const char *what, const char *root, const char *why)
{
	say_where(message, what, root);
	say(message, ": ");
	say(message, why);
	return false;
}

/* ---- values ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 9562: version 7, variant 10, in lower case. */
static bool is_uuid7(struct wr_view text)
{
	if (text.bytes != WR_WORKSPACE_ID_BYTES || text.data[UUID_VERSION_AT] != '7' ||
	    strchr("89ab", text.data[UUID_VARIANT_AT]) == NULL)
		return false;
	for (unsigned i = 0; i < WR_WORKSPACE_ID_BYTES; i++) {
		char c = text.data[i];
		bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_hyphen ? c != '-' : !is_digit(c) && (c < 'a' || c > 'f'))
			return false;
	}
	return true;
}

/* Two digits at a place, at most `max`. */
static bool is_pair(struct wr_view text, size_t at, unsigned min, unsigned max)
{
	unsigned value;

	if (!is_digit(text.data[at]) || !is_digit(text.data[at + 1]))
		return false;
	value = (unsigned)(text.data[at] - '0') * 10 + (unsigned)(text.data[at + 1] - '0');
	return value >= min && value <= max;
}

/* RFC 3339 section 5.6, in UTC; the day of the month is not held against its month. */
static bool is_time(struct wr_view text)
{
	static const char form[] = "    -  -  T  :  :  ";
	size_t at = sizeof form - 1;

	if (text.bytes <= at || text.bytes > WR_WORKSPACE_TIME_BYTES_MAX)
		return false;
	for (size_t i = 0; i < at; i++)
		if (form[i] != ' ' && text.data[i] != form[i])
			return false;
	if (!is_pair(text, 0, 0, 99) || !is_pair(text, 2, 0, 99) || !is_pair(text, 5, 1, 12) ||
	    !is_pair(text, 8, 1, 31) || !is_pair(text, 11, 0, 23) || !is_pair(text, 14, 0, 59) ||
	    !is_pair(text, 17, 0, 60))
		return false;
	if (text.data[at] == '.') {
		size_t digits = ++at;

		while (at < text.bytes && is_digit(text.data[at]))
			at++;
		if (at == digits)
			return false;
	}
	return at + 1 == text.bytes && text.data[at] == 'Z';
}

static bool is_name(struct wr_view text)
{
	if (text.bytes > WR_WORKSPACE_NAME_BYTES_MAX || wr_utf8_is_blank(text))
		return false;
	for (size_t i = 0; i < text.bytes; i++) {
		uint8_t c = (uint8_t)text.data[i];

		/* C0, DEL, and C1, which are two bytes each. */
		if (c < 0x20 || c == 0x7f ||
		    (c == 0xc2 && i + 1 < text.bytes && (uint8_t)text.data[i + 1] < 0xa0))
			return false;
	}
	return true;
}

/* ---- the file ---- */

enum field { ID, TIME, NAME, FIELDS };

static const struct {
	struct wr_view key;
	bool (*is_valid)(struct wr_view text);
	const char *invalid, *missing;
} fields[FIELDS] = {
	[ID] = {WR_VIEW_INIT("workspace_id"), is_uuid7,
		"workspace_id must be a UUID of version 7, in lower case",
		"workspace_id is missing"},
	[TIME] = {WR_VIEW_INIT("created_at"), is_time,
		  "created_at must be a time in UTC, as \"2026-06-26T06:00:00Z\"",
		  "created_at is missing"},
	[NAME] = {WR_VIEW_INIT("display_name"), is_name,
		  "display_name must have 1 to 256 bytes, not all blank, no control characters",
		  "display_name is missing"},
};

static void keep(struct wr_workspace *out, enum field field, struct wr_view text)
{
	char *const storages[FIELDS] = {out->id_storage, out->time_storage, out->name_storage};
	struct wr_view *const views[FIELDS] = {&out->workspace_id, &out->created_at,
					       &out->display_name};

	memcpy(storages[field], text.data, text.bytes);
	*views[field] = wr_view_of(storages[field], text.bytes);
}

/* NULL, or what is wrong with an entry. */
static const char *take_entry(struct wr_workspace *out, bool seen[FIELDS],
			      const struct wr_config_entry *entry)
{
	unsigned i = 0;

	while (i < FIELDS && !wr_view_equal(fields[i].key, entry->name))
		i++;
	if (i == FIELDS || entry->kind == WR_CONFIG_SECTION || entry->kind == WR_CONFIG_ELEMENT)
		return "there may be workspace_id, created_at and display_name only";
	if (seen[i])
		return "this is set a second time";
	if (entry->kind != WR_CONFIG_STRING)
		return "this must be a string";
	if (!fields[i].is_valid(entry->text))
		return fields[i].invalid;
	seen[i] = true;
	keep(out, (enum field)i, entry->text);
	return NULL;
}

static bool parse(struct wr_workspace *out, char *text, size_t bytes, struct wr_buf *message)
{
	struct wr_config_reader reader;
	struct wr_config_entry entry;
	bool seen[FIELDS] = {false};

	if (wr_config_reader_init(&reader, text, bytes) != WR_OK)
		return refuse_line(message, out->root, reader.line, reader.detail);
	for (;;) {
		const char *wrong;

		if (wr_config_reader_next(&reader, &entry) != WR_OK)
			return refuse_line(message, out->root, reader.line, reader.detail);
		if (entry.kind == WR_CONFIG_END)
			break;
		wrong = take_entry(out, seen, &entry);
		if (wrong != NULL)
			return refuse_line(message, out->root, entry.line, wrong);
	}
	for (unsigned i = 0; i < FIELDS; i++)
		if (!seen[i])
			return refuse_line(message, out->root, entry.line, fields[i].missing);
	return true;
}

/* ---- its first content ---- */

static void put_hex(struct wr_buf *out, const uint8_t *data, size_t bytes)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes; i++) {
		(void)wr_buf_append_byte(out, digits[data[i] >> 4]);
		(void)wr_buf_append_byte(out, digits[data[i] & 15]);
	}
}

/* RFC 9562 section 5.7: 48 bits of milliseconds, version, 12 random bits, variant, 62 more. */
static void put_uuid7(struct wr_buf *out, uint64_t wall_ms, const uint8_t random[10])
{
	uint8_t id[16];
	static const uint8_t ends[] = {0, 4, 6, 8, 10, 16};

	wr_store_be64(id, wall_ms << 16);
	memcpy(id + 6, random, 10);
	id[6] = (uint8_t)(0x70 | (id[6] & 0x0f));
	id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
	for (unsigned i = 0; i + 1 < WR_COUNT(ends); i++) {
		if (i > 0)
			(void)wr_buf_append_byte(out, '-');
		put_hex(out, id + ends[i], (size_t)(ends[i + 1] - ends[i]));
	}
}

/* From "Sun, 06 Nov 1994 08:49:37 GMT". */
static void put_time(struct wr_buf *out, int64_t wall_ms)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char date[WR_HTTP_DATE_BYTES];
	unsigned month = 0;

	wr_http_format_date(date, wall_ms / 1000);
	while (month < 11 && memcmp(months + (size_t)3 * month, date + 8, 3) != 0)
		month++;
	(void)wr_buf_append(out, date + 12, 4);
	(void)wr_buf_append_byte(out, '-');
	(void)wr_buf_append_byte(out, (char)('0' + (month + 1) / 10));
	(void)wr_buf_append_byte(out, (char)('0' + (month + 1) % 10));
	(void)wr_buf_append_byte(out, '-');
	(void)wr_buf_append(out, date + 5, 2);
	(void)wr_buf_append_byte(out, 'T');
	(void)wr_buf_append(out, date + 17, 8);
	(void)wr_buf_append_byte(out, 'Z');
}

/* The last component of the root, as far as it is fit for a name. It has no backslash then. */
static void put_name(struct wr_buf *out, const char *root)
{
	const char *slash = strrchr(root, '/');
	char storage[WR_DISPLAY_BYTES_MAX];
	struct wr_view name;
	struct wr_buf shown;

	wr_assert(slash != NULL);
	wr_buf_init_fixed(&shown, storage, sizeof storage);
	wr_display_append(&shown, wr_view_of_string(slash + 1));
	name = wr_buf_view(&shown);
	if (name.bytes > WR_WORKSPACE_NAME_BYTES_MAX)
		name.bytes =
			wr_utf8_valid_prefix(wr_view_of(name.data, WR_WORKSPACE_NAME_BYTES_MAX));
	if (wr_utf8_is_blank(name))
		name = WR_VIEW("workspace");
	for (size_t i = 0; i < name.bytes; i++) {
		if (name.data[i] == '"')
			(void)wr_buf_append_byte(out, '\\');
		(void)wr_buf_append_byte(out, name.data[i]);
	}
}

static bool compose(struct wr_buf *out, const char *root)
{
	uint8_t random[10];
	int64_t wall_ms = wr_clock_wall_ms();

	if (wr_entropy_fill(random, sizeof random) != WR_OK)
		return false;
	say(out, "# Who this workspace is. It was made once, and is not changed by the server.\n"
		 "workspace_id = \"");
	put_uuid7(out, wall_ms > 0 ? (uint64_t)wall_ms : 0, random);
	say(out, "\"\ncreated_at = \"");
	put_time(out, wall_ms > 0 ? wall_ms : 0);
	say(out, "\"\ndisplay_name = \"");
	put_name(out, root);
	say(out, "\"\n");
	wr_assert(wr_buf_status(out) == WR_OK);
	return true;
}

/* ---- making it ---- */

static bool sync_folder(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_synced;

	if (fd < 0)
		return false;
	/* Some filesystems have no such thing. */
	is_synced = fsync(fd) == 0 || errno == EINVAL;
	close(fd);
	return is_synced;
}

static bool write_whole(int fd, struct wr_view text)
{
	while (text.bytes > 0) {
		ssize_t written = write(fd, text.data, text.bytes);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0)
			text = wr_view_skip(text, (size_t)written);
	}
	return fsync(fd) == 0;
}

/* Gives a finished file its name, unless there is one of that name. Where there are no links, a
 * second server that starts in the same moment is not noticed. */
static bool publish(int folder, const char *new_name)
{
	if (linkat(folder, new_name, folder, FILE_NAME, 0) == 0)
		return true;
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
		return false;
	return renameat(folder, new_name, folder, FILE_NAME) == 0;
}

/* False with errno. A file that is there already is nobody's fault: it is read then. */
static bool write_file(int folder, struct wr_view text, const char *new_name)
{
	int fd = openat(folder, new_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
	bool is_written;
	int failed;

	if (fd < 0)
		return false;
	is_written = write_whole(fd, text);
	failed = errno;
	close(fd);
	if (is_written) {
		is_written = publish(folder, new_name) || errno == EEXIST;
		failed = errno;
	}
	(void)unlinkat(folder, new_name, 0);
	errno = failed;
	return is_written && sync_folder(folder, ".");
}

/* False with errno. */
static bool create(const struct wr_folder *root, struct wr_view text)
{
	char name_storage[NEW_NAME_BYTES];
	uint8_t random[8];
	struct wr_buf name;
	int folder, failed;
	bool is_written;

	if (mkdirat(root->fd, FOLDER, 0700) != 0 && errno != EEXIST)
		return false;
	if (wr_entropy_fill(random, sizeof random) != WR_OK)
		return false;
	wr_buf_init_fixed(&name, name_storage, sizeof name_storage);
	say(&name, ".new-");
	put_hex(&name, random, sizeof random);
	(void)wr_buf_append_byte(&name, '\0');
	folder = openat(root->fd, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return false;
	is_written = write_file(folder, text, name_storage);
	failed = errno;
	close(folder);
	errno = failed;
	return is_written && sync_folder(root->fd, ".");
}

/* ---- opening ---- */

static bool read_file(struct wr_workspace *out, const struct wr_folder *root, bool *is_missing,
		      struct wr_buf *message)
{
	char text[FILE_BYTES_MAX];
	struct wr_buf file;
	enum wr_status status;

	*is_missing = false;
	wr_buf_init_fixed(&file, text, sizeof text);
	status = wr_folder_read(root, &file, FOLDER, FILE_NAME);
	if (status == WR_OK)
		return parse(out, text, file.bytes, message);
	if (status == WR_NOT_FOUND)
		*is_missing = true;
	else if (status == WR_TOO_LARGE)
		(void)refuse(message, "cannot read ", out->root, "it has more than 4096 bytes");
	else
		(void)refuse(message, "cannot read ", out->root, strerror(errno));
	return false;
}

static bool open_in(struct wr_workspace *out, const struct wr_folder *root, struct wr_buf *message)
{
	char text[FILE_BYTES_MAX];
	struct wr_buf made;
	bool is_missing;

	if (read_file(out, root, &is_missing, message))
		return true;
	if (!is_missing)
		return false;
	wr_buf_init_fixed(&made, text, sizeof text);
	if (!compose(&made, out->root))
		return refuse(message, "cannot make ", out->root, "the system has no random bytes");
	if (!create(root, wr_buf_view(&made)))
		return refuse(message, "cannot make ", out->root, strerror(errno));
	if (read_file(out, root, &is_missing, message))
		return true;
	if (is_missing)
		(void)refuse(message, "cannot read ", out->root,
			     "something that is no regular file, or a link, has its name");
	return false;
}

static bool refuse_root(struct wr_buf *message, const char *root)
{
	const char *why = strerror(errno);

	say(message, "cannot open the workspace ");
	say(message, root);
	say(message, ": ");
	say(message, why);
	return false;
}

bool wr_workspace_open(struct wr_workspace *out, const char *root, struct wr_buf *message)
{
	struct wr_folder folder;
	bool is_open;

	out->root = out->root_storage;
	if (realpath(root, out->root_storage) == NULL)
		return refuse_root(message, root);
	if (wr_folder_open(&folder, out->root) != WR_OK)
		return refuse_root(message, root);
	is_open = open_in(out, &folder, message);
	wr_folder_close(&folder);
	return is_open;
}
