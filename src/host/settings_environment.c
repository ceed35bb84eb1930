/* The layer between the file and the flags: a variable for each option, and none that means
 * nothing. A value is never repeated in a message: it may be a secret that stands at the wrong
 * place. */
#include "host/settings_private.h"

#include "check.h"
#include "host/texts.h"
#include "host/tokens.h"

#include <string.h>

static void put(struct wr_buf *out, const char *text)
{
	wr_buf_append_view(out, wr_view_of_string(text));
}

/* An option's name as a variable has it. */
static char upper(char byte)
{
	if (byte == '-')
		return '_';
	return byte >= 'a' && byte <= 'z' ? (char)(byte - 'a' + 'A') : byte;
}

void wr_settings_put_variable(const struct wr_settings *self, struct wr_buf *out,
			      const struct wr_option *option)
{
	put(out, self->options->variable_prefix);
	for (const char *at = option->name; *at != '\0'; at++)
		wr_buf_append_byte(out, upper(*at));
}

/* What follows the prefix in NAME=VALUE; NULL: it is no variable of ours. */
static const char *skip_prefix(const struct wr_settings *self, const char *entry)
{
	size_t bytes = strlen(self->options->variable_prefix);

	return strncmp(entry, self->options->variable_prefix, bytes) == 0 ? entry + bytes : NULL;
}

/* An option that only asks for something has none: it would be asked for ever. */
static bool is_variable_of(const struct wr_option *option, struct wr_view name)
{
	if (wr_option_is_action(option) || strlen(option->name) != name.bytes)
		return false;
	for (size_t i = 0; i < name.bytes; i++)
		if (upper(option->name[i]) != name.data[i])
			return false;
	return true;
}

/* The option of NAME=VALUE, as it stands behind the prefix; *value is what it is set to. */
static bool find_variable(const struct wr_settings *self, const char *entry, struct wr_found *out,
			  const char **value)
{
	struct wr_view name = wr_view_of(entry, strcspn(entry, "="));
	size_t place;

	if (entry[name.bytes] != '=')
		return false;
	*value = entry + name.bytes + 1;
	for (out->index = 0;
	     (out->option = wr_options_at(self->options, out->index, &place)) != NULL; out->index++)
		if (is_variable_of(out->option, name)) {
			out->value = (char *)self->values + place;
			return true;
		}
	return false;
}

/* ---- values ---- */

static bool refuse_value(const struct wr_settings *self, struct wr_buf *message,
			 const struct wr_option *option)
{
	wr_settings_put_variable(self, message, option);
	put(message, " in the environment cannot be that; it takes ");
	wr_option_put_form(option, message);
	if (option->kind == WR_OPTION_LIST)
		put(message, ", with commas between");
	return false;
}

/* The items of a list need a NUL each, so they are copied; there is room for all of them. */
static bool set_list(struct wr_settings *self, const struct wr_found *at, const char *value)
{
	for (;; value++) {
		size_t bytes = strcspn(value, ",");
		char *item = wr_buf_reserve(&self->items, bytes + 1);

		wr_assert(item != NULL);
		memcpy(item, value, bytes);
		item[bytes] = '\0';
		wr_buf_commit(&self->items, bytes + 1);
		if (!wr_settings_set(self, at, wr_view_of(item, bytes), WR_FROM_ENVIRONMENT))
			return false;
		value += bytes;
		if (*value == '\0')
			return true;
	}
}

static bool set_variable(struct wr_settings *self, const struct wr_found *at, const char *value,
			 struct wr_buf *message)
{
	bool is_set;

	if (at->option->kind == WR_OPTION_SECRET && self->ignores_secrets)
		return true;
	self->has_origins = true;
	is_set = at->option->kind == WR_OPTION_LIST
			 ? set_list(self, at, value)
			 : wr_settings_set(self, at, wr_view_of_string(value), WR_FROM_ENVIRONMENT);
	return is_set || refuse_value(self, message, at->option);
}

/* Room for all items at once: a list points at them. */
static bool make_room(struct wr_settings *self, struct wr_buf *message)
{
	size_t bytes = 0;

	for (char *const *entry = self->environment; *entry != NULL; entry++) {
		const char *name = skip_prefix(self, *entry), *value;
		struct wr_found at;
		if (name != NULL && find_variable(self, name, &at, &value) &&
		    at.option->kind == WR_OPTION_LIST)
			bytes += strlen(value) + 1;
	}
	if (bytes == 0 || wr_buf_reserve(&self->items, bytes) != NULL)
		return true;
	put(message, "the lists in the environment: ");
	put(message, wr_status_text(wr_buf_status(&self->items)));
	return false;
}

bool wr_settings_read_environment(struct wr_settings *self, struct wr_buf *message)
{
	const struct wr_option *option;
	size_t place;

	if (self->environment == NULL)
		return true;
	if (!make_room(self, message))
		return false;
	for (char *const *entry = self->environment; *entry != NULL; entry++) {
		const char *name = skip_prefix(self, *entry), *value;
		struct wr_found at;
		if (name != NULL && find_variable(self, name, &at, &value) &&
		    !set_variable(self, &at, value, message))
			return false;
	}
	for (uint32_t i = 0; (option = wr_options_at(self->options, i, &place)) != NULL; i++)
		if (option->implies != NULL && self->lines[i] == WR_FROM_ENVIRONMENT)
			wr_settings_imply(self, option, WR_FROM_ENVIRONMENT);
	return true;
}

const char *wr_settings_environment_path(const struct wr_settings *self)
{
	for (char *const *entry = self->environment; entry != NULL && *entry != NULL; entry++) {
		const char *name = skip_prefix(self, *entry), *value;
		struct wr_found at;
		if (name != NULL && find_variable(self, name, &at, &value) &&
		    at.option->kind == WR_OPTION_CONFIG)
			return value;
	}
	return NULL;
}

/* ---- what means nothing ---- */

/* Some setting says itself that this variable has something for it. */
static bool is_named_by(const struct wr_option *option, const void *value, struct wr_view name)
{
	const char *text;

	if (option->kind != WR_OPTION_VARIABLE)
		return false;
	text = *(const char *const *)value;
	return text != NULL && wr_view_equal(wr_view_of_string(text), name);
}

static bool is_named_by_section(const struct wr_settings *self,
				const struct wr_option_section *section, struct wr_view name)
{
	const char *values = self->values, *element = values + section->place;
	uint32_t count;

	memcpy(&count, values + section->count_place, sizeof count);
	for (; count > 0; count--, element += section->element_bytes)
		for (const struct wr_option *at = section->list; !wr_option_is_end(at); at++)
			if (is_named_by(at, element + at->place, name))
				return true;
	return false;
}

static bool is_named(const struct wr_settings *self, struct wr_view name)
{
	const struct wr_option_section *section = self->options->sections;
	const struct wr_option *option;
	size_t place;

	for (uint32_t i = 0; (option = wr_options_at(self->options, i, &place)) != NULL; i++)
		if (is_named_by(option, (const char *)self->values + place, name))
			return true;
	for (; section != NULL && section->name != NULL; section++)
		if (is_named_by_section(self, section, name))
			return true;
	return false;
}

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Kubernetes tells every pod of the services around it, and one of them may be called as we are:
 * NAME_SERVICE_HOST=, NAME_SERVICE_PORT=, NAME_SERVICE_PORT_HTTP=, NAME_PORT=tcp://...,
 * NAME_PORT_80_TCP_ADDR=... */
static bool is_service_link(const char *name)
{
	if (starts(name, "SERVICE_HOST=") || starts(name, "SERVICE_PORT=") ||
	    starts(name, "SERVICE_PORT_") || starts(name, "PORT=tcp://") ||
	    starts(name, "PORT=udp://"))
		return true;
	return starts(name, "PORT_") && name[5] >= '0' && name[5] <= '9';
}

static bool is_reserved(const struct wr_settings *self, struct wr_view name)
{
	const char *reserved = self->options->variable_reserved;

	return reserved != NULL && wr_view_equal(name, wr_view_of_string(reserved));
}

static bool refuse_unknown(const struct wr_settings *self, struct wr_view whole,
			   struct wr_buf *message)
{
	put(message, "the environment has ");
	wr_buf_append_view(message, whole);
	put(message, ", and there is no such setting; unset it; --help tells which there are: ");
	put(message, self->options->variable_prefix);
	put(message, "X_Y for --x-y");
	return false;
}

bool wr_settings_check_environment(const struct wr_settings *self, struct wr_buf *message)
{
	for (char *const *entry = self->environment; entry != NULL && *entry != NULL; entry++) {
		const char *name = skip_prefix(self, *entry), *value;
		struct wr_view whole = wr_view_of(*entry, strcspn(*entry, "="));
		struct wr_found at;
		if (name == NULL || find_variable(self, name, &at, &value) ||
		    is_reserved(self, wr_view_skip(whole, (size_t)(name - *entry))) ||
		    is_service_link(name) || is_named(self, whole))
			continue;
		return refuse_unknown(self, whole, message);
	}
	return true;
}

void wr_settings_wipe_environment(const struct wr_settings *self)
{
	for (char *const *entry = self->environment; entry != NULL && *entry != NULL; entry++) {
		const char *name = skip_prefix(self, *entry), *value;
		struct wr_found at;
		if (name != NULL && find_variable(self, name, &at, &value) &&
		    at.option->kind == WR_OPTION_SECRET)
			wr_tokens_wipe(*entry + (value - *entry), strlen(value));
	}
}
