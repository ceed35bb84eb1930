#include "host/config_file.h"

#include "bytes/utf8.h"
#include "check.h"

static enum wr_status refuse(struct wr_config_reader *self, const char *detail)
{
	self->detail = detail;
	return WR_SYNTAX;
}

/* ---- the whole text ---- */

/* One line, without its end. */
static enum wr_status check_line(struct wr_config_reader *self, struct wr_view line)
{
	if (line.bytes > WR_CONFIG_LINE_BYTES_MAX) {
		self->detail = "this line is too long";
		return WR_TOO_LARGE;
	}
	if (!wr_utf8_is_valid(line)) {
		self->detail = "this line is not UTF-8";
		return WR_ENCODING;
	}
	for (size_t i = 0; i < line.bytes; i++) {
		unsigned char byte = (unsigned char)line.data[i];
		/* TOML: neither in strings nor in comments. */
		if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
			return refuse(self, "there is a control character in this line");
	}
	return WR_OK;
}

enum wr_status wr_config_reader_init(struct wr_config_reader *self, char *text, size_t bytes)
{
	struct wr_view rest = wr_view_of(text, bytes);

	wr_assert(text != NULL || bytes == 0);
	*self = (struct wr_config_reader){.at = text, .line = 1};
	if (text != NULL)
		self->end = text + bytes;
	while (rest.bytes > 0) {
		const char *end = memchr(rest.data, '\n', rest.bytes);
		size_t length = end != NULL ? (size_t)(end - rest.data) : rest.bytes;
		struct wr_view line = wr_view_of(rest.data, length);
		enum wr_status status;

		if (end != NULL && length > 0 && end[-1] == '\r')
			line.bytes--;
		status = check_line(self, line);
		if (status != WR_OK)
			return status;
		rest = wr_view_skip(rest, length + (end != NULL));
		self->line++;
	}
	self->line = 1;
	return WR_OK;
}

/* ---- between the values ---- */

/* The byte at hand; a newline at the end of the text. */
static char peek(const struct wr_config_reader *self)
{
	return self->at == self->end ? '\n' : *self->at;
}

static void skip_space(struct wr_config_reader *self)
{
	while (peek(self) == ' ' || peek(self) == '\t')
		self->at++;
}

/* A comment, if there is one, and the end of the line. */
static bool skip_line_end(struct wr_config_reader *self)
{
	skip_space(self);
	if (peek(self) == '#')
		while (peek(self) != '\n' && peek(self) != '\r')
			self->at++;
	/* Within a line there is none (check_line). */
	if (peek(self) == '\r')
		self->at++;
	if (peek(self) != '\n')
		return false;
	if (self->at != self->end) {
		self->at++;
		self->line++;
	}
	return true;
}

/* Empty lines and comments up to the next thing; false at the end of the text. */
static bool skip_blank(struct wr_config_reader *self)
{
	do
		skip_space(self);
	while (self->at != self->end && skip_line_end(self));
	return self->at != self->end;
}

static bool is_name_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

static bool read_name(struct wr_config_reader *self, struct wr_view *name, bool has_dots)
{
	const char *start = self->at;

	while (is_name_byte(peek(self)) || (has_dots && peek(self) == '.'))
		self->at++;
	*name = wr_view_of(start, (size_t)(self->at - start));
	return name->bytes > 0 && name->bytes <= WR_CONFIG_NAME_BYTES_MAX;
}

static enum wr_status read_section(struct wr_config_reader *self, struct wr_config_entry *entry)
{
	unsigned brackets = 0;

	for (; brackets < 2 && peek(self) == '['; brackets++)
		self->at++;
	entry->kind = brackets == 2 ? WR_CONFIG_ELEMENT : WR_CONFIG_SECTION;
	skip_space(self);
	if (!read_name(self, &entry->name, true))
		return refuse(self, "expected [name] or [[name]]");
	skip_space(self);
	for (; brackets > 0 && peek(self) == ']'; brackets--)
		self->at++;
	if (brackets != 0 || !skip_line_end(self))
		return refuse(self, "expected [name] or [[name]], and nothing behind it");
	return WR_OK;
}

/* ---- values ---- */

static int hex_digit(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte = wr_ascii_lower(byte);
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The four digits of \uXXXX; 0 for what is no character, or none that may be in a string. */
static uint32_t read_scalar(struct wr_config_reader *self)
{
	uint32_t scalar = 0;

	for (unsigned i = 0; i < 4; i++) {
		int digit = hex_digit(peek(self));
		if (digit < 0)
			return 0;
		scalar = scalar << 4 | (uint32_t)digit;
		self->at++;
	}
	return scalar >= 0xd800 && scalar < 0xe000 ? 0 : scalar;
}

/* What follows a backslash, written to `to`; bytes written, 0 for what is none. */
static size_t read_escape(struct wr_config_reader *self, char *to)
{
	static const char letters[] = "\"\\btnfr", meanings[] = "\"\\\b\t\n\f\r";
	const char *found;
	uint32_t scalar;

	if (self->at == self->end)
		return 0;
	if (*self->at == 'u') {
		self->at++;
		scalar = read_scalar(self);
		return scalar == 0 ? 0 : wr_utf8_encode(to, scalar);
	}
	found = memchr(letters, *self->at, sizeof letters - 1);
	if (found == NULL)
		return 0;
	self->at++;
	*to = meanings[found - letters];
	return 1;
}

/* A string with either quote; what it means stands at its start afterwards, a NUL behind it at the
 * latest where the closing quote was. */
static enum wr_status read_string(struct wr_config_reader *self, struct wr_view *text)
{
	char quote = *self->at++;
	char *start = self->at, *to = start;

	while (peek(self) != quote) {
		size_t bytes;

		if (peek(self) == '\n' || peek(self) == '\r')
			return refuse(self, "a string does not end on its line");
		if (*self->at != '\\' || quote == '\'') {
			*to++ = *self->at++;
			continue;
		}
		self->at++;
		bytes = read_escape(self, to);
		if (bytes == 0)
			return refuse(self, "a backslash stands before \" \\ b t n f r or uXXXX; "
					    "in '...' it is one");
		to += bytes;
	}
	self->at++;
	*to = '\0';
	*text = wr_view_of(start, (size_t)(to - start));
	return WR_OK;
}

static enum wr_status read_digits(struct wr_config_reader *self, struct wr_view *text)
{
	const char *start = self->at;

	while (peek(self) >= '0' && peek(self) <= '9')
		self->at++;
	*text = wr_view_of(start, (size_t)(self->at - start));
	if (is_name_byte(peek(self)) || peek(self) == '.')
		return refuse(self, "a number is made of digits; anything else is put in quotes");
	if (text->bytes > 1 && *start == '0')
		return refuse(self, "a number does not begin with 0");
	return WR_OK;
}

static bool read_boolean(struct wr_config_reader *self, bool *is_true)
{
	struct wr_view word;

	*is_true = false;
	if (!read_name(self, &word, false))
		return false;
	*is_true = wr_view_equal(word, WR_VIEW("true"));
	return *is_true || wr_view_equal(word, WR_VIEW("false"));
}

/* Anything but a list, and the rest of its line. */
static enum wr_status read_scalar_value(struct wr_config_reader *self,
					struct wr_config_entry *entry)
{
	enum wr_status status = WR_OK;

	if (peek(self) == '"' || peek(self) == '\'') {
		entry->kind = WR_CONFIG_STRING;
		status = read_string(self, &entry->text);
	} else if (peek(self) >= '0' && peek(self) <= '9') {
		entry->kind = WR_CONFIG_NUMBER;
		status = read_digits(self, &entry->text);
	} else {
		entry->kind = WR_CONFIG_BOOLEAN;
		if (!read_boolean(self, &entry->is_true))
			status = refuse(self, "a value is a string in quotes, a number, true, "
					      "false, or a list of strings: [\"a\", \"b\"]");
	}
	if (status != WR_OK || skip_line_end(self))
		return status;
	return refuse(self, "there is something behind the value");
}

static enum wr_status read_key(struct wr_config_reader *self, struct wr_config_entry *entry)
{
	static const char key_form[] = "expected key = value; a key is made of letters, digits, _ "
				       "and -";

	if (!read_name(self, &entry->name, false))
		return refuse(self, key_form);
	skip_space(self);
	if (peek(self) != '=')
		return refuse(self, key_form);
	self->at++;
	skip_space(self);
	if (peek(self) != '[')
		return read_scalar_value(self, entry);
	self->at++;
	entry->kind = WR_CONFIG_LIST;
	self->list_name = entry->name;
	self->needs_comma = false;
	return WR_OK;
}

/* The next string of the list. Kind END: there was none, and it is behind us. */
static enum wr_status read_item(struct wr_config_reader *self, struct wr_config_entry *entry)
{
	*entry = (struct wr_config_entry){.kind = WR_CONFIG_END, .name = self->list_name};
	skip_blank(self);
	if (self->needs_comma && peek(self) == ',') {
		self->needs_comma = false;
		self->at++;
		skip_blank(self);
	}
	if (self->at == self->end)
		return refuse(self, "a list does not end");
	if (*self->at == ']') {
		self->at++;
		self->list_name = WR_VIEW_NULL;
		return skip_line_end(self) ? WR_OK
					   : refuse(self, "there is something behind the list");
	}
	if (self->needs_comma || (*self->at != '"' && *self->at != '\''))
		return refuse(self, "a list is made of strings in quotes, with commas between");
	self->needs_comma = true;
	entry->kind = WR_CONFIG_ITEM;
	entry->line = self->line;
	return read_string(self, &entry->text);
}

enum wr_status wr_config_reader_next(struct wr_config_reader *self, struct wr_config_entry *entry)
{
	if (self->list_name.data != NULL) {
		enum wr_status status = read_item(self, entry);
		if (status != WR_OK || entry->kind == WR_CONFIG_ITEM)
			return status;
	}
	if (!skip_blank(self)) {
		*entry = (struct wr_config_entry){.kind = WR_CONFIG_END, .line = self->line};
		return WR_OK;
	}
	*entry = (struct wr_config_entry){.kind = WR_CONFIG_END, .line = self->line};
	return *self->at == '[' ? read_section(self, entry) : read_key(self, entry);
}
