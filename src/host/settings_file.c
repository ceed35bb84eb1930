#include "host/settings_private.h"

#include "check.h"
#include "host/config_file.h"
#include "host/small_file.h"

static void put(struct wr_buf *out, const char *text)
{
	wr_buf_append_view(out, wr_view_of_string(text));
}

void wr_settings_put_line(const struct wr_settings *self, struct wr_buf *message, uint32_t line)
{
	put(message, self->path);
	put(message, ":");
	wr_buf_append_u64(message, line);
	put(message, ": ");
}

/* What of the file has been read. */
struct progress {
	struct wr_settings *settings;
	struct wr_buf *message;
	const struct wr_option_section *section; /* NULL: before the first one */
	char *element;
	uint32_t lines[WR_OPTION_SECTION_COUNT_MAX]; /* of the element's keys */
	struct wr_found list;			     /* whose items come next */
	uint32_t list_line;
};

/* "FILE:LINE: ", and then what is wrong; false. */
static bool refuse(const struct progress *self, uint32_t line, const char *what)
{
	wr_settings_put_line(self->settings, self->message, line);
	put(self->message, what);
	return false;
}

static void put_name(const struct progress *self, struct wr_view name)
{
	put(self->message, "`");
	wr_buf_append_view(self->message, name);
	put(self->message, "`");
}

static void put_section(const struct progress *self, const struct wr_option_section *section)
{
	put(self->message, "[[");
	put(self->message, section->name);
	put(self->message, "]]");
}

static char without_underscore(char byte)
{
	return byte == '_' ? '-' : byte;
}

/* A key is the option's name, with _ or - as one likes. */
static bool is_key_of(const struct wr_option *option, struct wr_view name)
{
	if (option->kind == WR_OPTION_CONFIG || wr_option_is_action(option) ||
	    strlen(option->name) != name.bytes)
		return false;
	for (size_t i = 0; i < name.bytes; i++)
		if (without_underscore(name.data[i]) != without_underscore(option->name[i]))
			return false;
	return true;
}

static bool find_key(const struct progress *self, struct wr_view name, struct wr_found *out)
{
	struct wr_settings *settings = self->settings;
	size_t place;

	for (out->index = 0;
	     (out->option = wr_options_at(settings->options, out->index, &place)) != NULL;
	     out->index++)
		if (is_key_of(out->option, name)) {
			out->value = (char *)settings->values + place;
			return true;
		}
	return false;
}

static bool find_element_key(const struct progress *self, struct wr_view name, struct wr_found *out)
{
	out->option = self->section->list;
	for (out->index = 0; !wr_option_is_end(out->option); out->index++, out->option++)
		if (is_key_of(out->option, name)) {
			out->value = self->element + out->option->place;
			return true;
		}
	return false;
}

static bool refuse_key(const struct progress *self, const struct wr_config_entry *entry)
{
	struct wr_found elsewhere;

	refuse(self, entry->line, "there is no key ");
	put_name(self, entry->name);
	if (self->section != NULL) {
		put(self->message, " in ");
		put_section(self, self->section);
		if (find_key(self, entry->name, &elsewhere)) {
			put(self->message, "; it belongs before the first section");
			return false;
		}
	}
	put(self->message, "; --help tells which there are");
	return false;
}

static const char *form_in_file(const struct wr_option *option)
{
	switch (option->kind) {
	case WR_OPTION_COUNT:
	case WR_OPTION_MS:
		return " takes a number";
	case WR_OPTION_BYTES:
		return " takes a number, or a string with a unit: \"64K\"";
	case WR_OPTION_LIST:
		return " takes a list of strings: [\"a\", \"b\"]";
	case WR_OPTION_SWITCH:
		return " takes true or false";
	case WR_OPTION_TEXT:
	case WR_OPTION_NAME:
	case WR_OPTION_LABEL:
	case WR_OPTION_ADDRESS:
	case WR_OPTION_URL:
	case WR_OPTION_VARIABLE:
	case WR_OPTION_SECRET:
	case WR_OPTION_CONFIG:
	case WR_OPTION_CHOICE:
	case WR_OPTION_DURABILITY:
	case WR_OPTION_ACTION:
	case WR_OPTION_SHOW:
		break;
	}
	return " takes a string in quotes";
}

static bool has_form(const struct wr_option *option, enum wr_config_kind kind)
{
	if (option->kind == WR_OPTION_LIST)
		return kind == WR_CONFIG_LIST || kind == WR_CONFIG_ITEM;
	if (option->kind == WR_OPTION_SWITCH)
		return kind == WR_CONFIG_BOOLEAN;
	if (wr_option_is_number(option) && option->kind != WR_OPTION_CHOICE)
		return kind == WR_CONFIG_NUMBER || kind == WR_CONFIG_STRING;
	return kind == WR_CONFIG_STRING;
}

static struct wr_view text_of(const struct wr_config_entry *entry)
{
	if (entry->kind != WR_CONFIG_BOOLEAN)
		return entry->text;
	return entry->is_true ? WR_VIEW("true") : WR_VIEW("false");
}

/* The value of the key on this line, or an item of its list. */
static bool set_key(struct progress *self, const struct wr_found *at,
		    const struct wr_config_entry *entry, uint32_t line)
{
	bool is_set = self->section == NULL
			      ? wr_settings_set(self->settings, at, text_of(entry), line)
			      : wr_option_read(at->option, at->value, text_of(entry));

	if (is_set)
		return true;
	refuse(self, entry->line, "");
	put_name(self, entry->name);
	put(self->message, " cannot be that; it takes ");
	wr_option_put_form(at->option, self->message);
	return false;
}

static bool refuse_repeat(const struct progress *self, const struct wr_config_entry *entry,
			  uint32_t line)
{
	refuse(self, entry->line, "");
	put_name(self, entry->name);
	put(self->message, " stands on line ");
	wr_buf_append_u64(self->message, line);
	put(self->message, " already");
	return false;
}

static bool read_key(struct progress *self, const struct wr_config_entry *entry)
{
	uint32_t *lines = self->section == NULL ? self->settings->lines : self->lines;
	struct wr_found at;

	if (!(self->section == NULL ? find_key(self, entry->name, &at)
				    : find_element_key(self, entry->name, &at)))
		return refuse_key(self, entry);
	if (lines[at.index] != 0)
		return refuse_repeat(self, entry, lines[at.index]);
	if (at.option->kind == WR_OPTION_SECRET || !has_form(at.option, entry->kind)) {
		refuse(self, entry->line, "");
		put_name(self, entry->name);
		put(self->message, at.option->kind == WR_OPTION_SECRET
					   ? " is a secret, and belongs into a file of its own"
					   : form_in_file(at.option));
		return false;
	}
	if (entry->kind != WR_CONFIG_LIST && !set_key(self, &at, entry, entry->line))
		return false;
	lines[at.index] = entry->line;
	self->list = at;
	self->list_line = entry->line;
	return true;
}

/* ---- kinds of elements ---- */

static uint64_t kind_of(const struct progress *self, const struct wr_option *kind)
{
	uint64_t value = 0;

	if (kind != NULL)
		memcpy(&value, self->element + kind->place, sizeof value);
	return value;
}

/* The kinds that an option is for, joined with "or". */
static void put_kinds(const struct progress *self, const struct wr_option *option,
		      const struct wr_option *kind)
{
	bool is_first = true;

	for (uint64_t i = 0; i <= kind->max; i++) {
		if (!wr_option_belongs_to(option, i))
			continue;
		put(self->message, is_first ? "" : " or ");
		wr_option_put_value(kind, self->message, &i);
		is_first = false;
	}
}

static bool refuse_kind(const struct progress *self, const struct wr_option *option,
			const struct wr_option *kind, uint32_t line)
{
	uint64_t value = kind_of(self, kind);

	refuse(self, line, "");
	put_name(self, wr_view_of_string(option->name));
	put(self->message, " is for the kind ");
	put_kinds(self, option, kind);
	put(self->message, ", and this ");
	put_section(self, self->section);
	put(self->message, " is of the kind ");
	wr_option_put_value(kind, self->message, &value);
	return false;
}

static size_t row_count(const struct wr_option_section *section)
{
	size_t count = 0;

	while (!wr_option_is_end(&section->list[count]))
		count++;
	return count;
}

/* What an element must have, and what it must not. */
static bool end_element(const struct progress *self)
{
	const struct wr_option *option, *kind;
	uint64_t kind_value;
	uint32_t line;

	if (self->section == NULL)
		return true;
	option = self->section->list;
	kind = wr_option_section_kind(self->section);
	kind_value = kind_of(self, kind);
	memcpy(&line, self->element + self->section->line_place, sizeof line);
	if (kind != NULL)
		memcpy(self->element + self->section->lines_place, self->lines,
		       row_count(self->section) * sizeof self->lines[0]);
	for (uint32_t i = 0; !wr_option_is_end(option); i++, option++) {
		bool is_its_own = wr_option_belongs_to(option, kind_value);
		if (kind != NULL && !is_its_own && self->lines[i] != 0)
			return refuse_kind(self, option, kind, self->lines[i]);
		if (option->is_required && is_its_own && self->lines[i] == 0) {
			refuse(self, line, "this ");
			put_section(self, self->section);
			put(self->message, " needs ");
			put_name(self, wr_view_of_string(option->name));
			return false;
		}
	}
	return true;
}

static bool refuse_section(const struct progress *self, const struct wr_config_entry *entry,
			   const struct wr_option_section *known)
{
	refuse(self, entry->line, "there is no section [");
	wr_buf_append_view(self->message, entry->name);
	put(self->message, known != NULL ? "]; it is written " : "]");
	if (known != NULL)
		put_section(self, known);
	return false;
}

static const struct wr_option_section *find_section(const struct progress *self,
						    struct wr_view name)
{
	const struct wr_option_section *section = self->settings->options->sections;

	for (; section != NULL && section->name != NULL; section++)
		if (wr_view_equal(name, wr_view_of_string(section->name)))
			return section;
	return NULL;
}

static bool begin_element(struct progress *self, const struct wr_config_entry *entry)
{
	const struct wr_option_section *section = find_section(self, entry->name);
	char *values = self->settings->values;
	uint32_t *count;

	if (!end_element(self))
		return false;
	if (section == NULL || entry->kind != WR_CONFIG_ELEMENT)
		return refuse_section(self, entry, section);
	count = (uint32_t *)(void *)(values + section->count_place);
	if (*count == section->count_max) {
		refuse(self, entry->line, "there are too many ");
		put_section(self, section);
		put(self->message, "; at most ");
		wr_buf_append_u64(self->message, section->count_max);
		return false;
	}
	self->section = section;
	self->element = values + section->place + *count * section->element_bytes;
	++*count;
	memset(self->element, 0, section->element_bytes);
	memset(self->lines, 0, sizeof self->lines);
	memcpy(self->element + section->line_place, &entry->line, sizeof entry->line);
	for (const struct wr_option *at = section->list; !wr_option_is_end(at); at++)
		wr_option_reset(at, self->element + at->place);
	return true;
}

static bool read_entry(struct progress *self, const struct wr_config_entry *entry)
{
	switch (entry->kind) {
	case WR_CONFIG_SECTION:
	case WR_CONFIG_ELEMENT:
		return begin_element(self, entry);
	case WR_CONFIG_STRING:
	case WR_CONFIG_NUMBER:
	case WR_CONFIG_BOOLEAN:
	case WR_CONFIG_LIST:
		return read_key(self, entry);
	case WR_CONFIG_ITEM:
		return set_key(self, &self->list, entry, self->list_line);
	case WR_CONFIG_END:
		break;
	}
	return end_element(self);
}

/* When all of the file is there: in it, the order of keys means nothing. */
static void imply_all(struct wr_settings *self)
{
	const struct wr_option *option;
	size_t place;

	for (uint32_t i = 0; (option = wr_options_at(self->options, i, &place)) != NULL; i++)
		if (option->implies != NULL && self->lines[i] != WR_FROM_DEFAULT)
			wr_settings_imply(self, option, self->lines[i]);
}

bool wr_settings_read_file(struct wr_settings *self, struct wr_buf *message)
{
	struct progress progress = {.settings = self, .message = message};
	struct wr_config_reader reader;
	struct wr_config_entry entry = {.kind = WR_CONFIG_SECTION};

	if (!wr_small_file_read(&self->file, self->path, WR_CONFIG_FILE_BYTES_MAX, false, message))
		return false;
	if (wr_config_reader_init(&reader, self->file.data, self->file.bytes) != WR_OK)
		return refuse(&progress, reader.line, reader.detail);
	while (entry.kind != WR_CONFIG_END) {
		if (wr_config_reader_next(&reader, &entry) != WR_OK)
			return refuse(&progress, reader.line, reader.detail);
		if (!read_entry(&progress, &entry))
			return false;
	}
	imply_all(self);
	return true;
}
