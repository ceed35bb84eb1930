#include "host/settings_private.h"
#include "host/texts.h"

static void put(struct wr_buf *out, const char *text)
{
	wr_buf_append_view(out, wr_view_of_string(text));
}

void wr_settings_put_place(const struct wr_settings *self, struct wr_buf *message,
			   struct wr_view name)
{
	const struct wr_option *option;
	uint32_t line = WR_FROM_DEFAULT;
	size_t place;

	for (uint32_t i = 0; (option = wr_options_at(self->options, i, &place)) != NULL; i++)
		if (wr_view_equal(wr_view_of_string(option->name), name)) {
			line = self->lines[i];
			break;
		}
	if (line == WR_FROM_ENVIRONMENT) {
		wr_settings_put_variable(self, message, option);
		put(message, ": ");
	} else if (line != WR_FROM_DEFAULT && line != WR_FROM_FLAG) {
		wr_settings_put_line(self, message, line);
	}
}

/* Of an option, or (NULL) of a section. */
static void put_origin(const struct wr_settings *self, struct wr_buf *out,
		       const struct wr_option *option, uint32_t line)
{
	if (!self->has_origins) {
		put(out, "\n");
		return;
	}
	put(out, "  # ");
	if (line == WR_FROM_ENVIRONMENT && option != NULL) {
		wr_settings_put_variable(self, out, option);
	} else if (line == WR_FROM_DEFAULT || line == WR_FROM_FLAG) {
		put(out, line == WR_FROM_FLAG ? "flag" : "default");
	} else {
		put(out, self->path);
		put(out, ":");
		wr_buf_append_u64(out, line);
	}
	put(out, "\n");
}

static bool is_absent(const struct wr_option *option, const void *value)
{
	return wr_option_is_action(option) ||
	       (wr_option_is_text(option) && *(const char *const *)value == NULL);
}

/* As a string of the file. */
static void put_quoted(struct wr_buf *out, const char *text)
{
	static const char hex[] = "0123456789abcdef";

	put(out, "\"");
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;
		if (byte < 0x20 || byte == 0x7f) {
			put(out, "\\u00");
			wr_buf_append_byte(out, hex[byte >> 4]);
			wr_buf_append_byte(out, hex[byte & 15]);
			continue;
		}
		if (byte == '"' || byte == '\\')
			put(out, "\\");
		wr_buf_append_byte(out, *text);
	}
	put(out, "\"");
}

static void print_key(struct wr_buf *out, const struct wr_option *option, const void *value)
{
	const struct wr_texts *list = value;

	put(out, option->name);
	put(out, " = ");
	if (option->kind == WR_OPTION_LIST) {
		put(out, "[");
		for (uint32_t i = 0; i < list->count; i++) {
			put(out, i == 0 ? "" : ", ");
			put_quoted(out, list->items[i]);
		}
		put(out, "]");
	} else if (wr_option_is_text(option)) {
		put_quoted(out, *(const char *const *)value);
	} else {
		bool is_bare = option->kind == WR_OPTION_COUNT || option->kind == WR_OPTION_MS ||
			       option->kind == WR_OPTION_SWITCH;
		put(out, is_bare ? "" : "\"");
		wr_option_put_value(option, out, value);
		put(out, is_bare ? "" : "\"");
	}
}

/* As a key of the file; what cannot be one, as a comment. */
static void print_option(const struct wr_settings *self, struct wr_buf *out,
			 const struct wr_option *option, const void *value, uint32_t line)
{
	if (is_absent(option, value) ||
	    (option->kind == WR_OPTION_LIST && ((const struct wr_texts *)value)->count == 0))
		return;
	if (option->kind == WR_OPTION_SECRET || option->kind == WR_OPTION_CONFIG)
		put(out, "# ");
	if (option->kind == WR_OPTION_SECRET) {
		put(out, option->name);
		put(out, " = (hidden)");
	} else {
		print_key(out, option, value);
	}
	put_origin(self, out, option, line);
}

/* Of those with kinds, what is for theirs, and where each comes from; defaults as comments, for
 * some cannot be given where they mean nothing. */
static void print_element(const struct wr_settings *self, struct wr_buf *out,
			  const struct wr_option_section *section, const char *element)
{
	const struct wr_option *at = section->list, *kind = wr_option_section_kind(section);
	uint64_t kind_value = 0;
	uint32_t line;

	if (kind != NULL)
		memcpy(&kind_value, element + kind->place, sizeof kind_value);
	for (uint32_t i = 0; !wr_option_is_end(at); i++, at++) {
		if (is_absent(at, element + at->place) || !wr_option_belongs_to(at, kind_value))
			continue;
		if (kind == NULL) {
			print_key(out, at, element + at->place);
			put(out, "\n");
			continue;
		}
		memcpy(&line, element + section->lines_place + i * sizeof line, sizeof line);
		/* A list that is not given need not mean an empty one. */
		if (line == WR_FROM_DEFAULT && at->kind == WR_OPTION_LIST)
			continue;
		put(out, line == WR_FROM_DEFAULT ? "# " : "");
		print_key(out, at, element + at->place);
		put_origin(self, out, at, line);
	}
}

static void print_section(const struct wr_settings *self, struct wr_buf *out,
			  const struct wr_option_section *section)
{
	const char *values = self->values, *element = values + section->place;
	uint32_t count, line;

	memcpy(&count, values + section->count_place, sizeof count);
	for (; count > 0; count--, element += section->element_bytes) {
		memcpy(&line, element + section->line_place, sizeof line);
		put(out, "\n[[");
		put(out, section->name);
		put(out, "]]");
		put_origin(self, out, NULL, line);
		print_element(self, out, section, element);
	}
}

void wr_settings_print(const struct wr_settings *self, struct wr_buf *out)
{
	const struct wr_option_section *section = self->options->sections;
	const struct wr_option *option;
	size_t place;

	for (uint32_t i = 0; (option = wr_options_at(self->options, i, &place)) != NULL; i++)
		print_option(self, out, option, (const char *)self->values + place, self->lines[i]);
	for (; section != NULL && section->name != NULL; section++)
		print_section(self, out, section);
}
