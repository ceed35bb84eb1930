/* The command line, and in which order all that counts is read. */
#include "host/settings_private.h"

#include "host/tokens.h"

static void put(struct wr_buf *out, const char *text)
{
	wr_buf_append_view(out, wr_view_of_string(text));
}

struct argument {
	struct wr_found found;
	const char *value; /* NULL: none */
	int value_at;	   /* its place in argv */
};

/* The option that an argument names; *value is what follows its `=`, else NULL. */
static bool find_flag(const struct wr_options *options, const char *argument, struct wr_found *out,
		      size_t *place, const char **value)
{
	size_t bytes;

	*value = NULL;
	if (strcmp(argument, "-h") == 0)
		argument = "--help";
	if (argument[0] != '-' || argument[1] != '-')
		return false;
	argument += 2;
	bytes = strcspn(argument, "=");
	for (out->index = 0; (out->option = wr_options_at(options, out->index, place)) != NULL;
	     out->index++)
		if (strlen(out->option->name) == bytes &&
		    memcmp(out->option->name, argument, bytes) == 0) {
			if (argument[bytes] == '=')
				*value = argument + bytes + 1;
			return true;
		}
	return false;
}

static bool is_boolean(const struct wr_option *option)
{
	return option->kind == WR_OPTION_SWITCH || wr_option_is_action(option);
}

/* Takes the option at argv[*i], and its value; *i is moved to the last of them. */
static bool next_argument(const struct wr_options *options, int argc, const char *const *argv,
			  int *i, struct argument *out, size_t *place)
{
	if (!find_flag(options, argv[*i], &out->found, place, &out->value))
		return false;
	if (out->value == NULL && !is_boolean(out->found.option) && *i + 1 < argc)
		out->value = argv[++*i];
	out->value_at = *i;
	return true;
}

static bool refuse_flag(struct wr_buf *message, const struct wr_option *option, const char *what)
{
	put(message, "--");
	put(message, option->name);
	put(message, " ");
	put(message, what);
	return false;
}

static bool refuse_unknown(struct wr_buf *message, const char *argument)
{
	bool is_flag = argument[0] == '-';

	put(message, is_flag ? "there is no flag " : "there is no use for the argument ");
	wr_buf_append(message, argument, strcspn(argument, "="));
	put(message, is_flag ? "" : "; flags begin with --");
	return false;
}

static bool check_argument(const struct argument *argument, struct wr_buf *message)
{
	const struct wr_option *option = argument->found.option;

	if (wr_option_is_action(option))
		return argument->value == NULL || refuse_flag(message, option, "takes no value");
	if (argument->value != NULL || option->kind == WR_OPTION_SWITCH)
		return true;
	refuse_flag(message, option, "needs ");
	put(message, option->value);
	return false;
}

/* A value is never repeated in the message: it may be a secret that stands at the wrong place. */
static bool set_flag(struct wr_settings *self, const struct argument *argument,
		     struct wr_buf *message)
{
	const struct wr_option *option = argument->found.option;
	const char *value = argument->value;

	if (option->kind == WR_OPTION_SECRET && self->ignores_secrets)
		return true;
	if (option->kind == WR_OPTION_SWITCH && value == NULL)
		value = "true";
	if (!wr_settings_set(self, &argument->found, wr_view_of_string(value), WR_FROM_FLAG)) {
		refuse_flag(message, option, "cannot be that; it takes ");
		wr_option_put_form(option, message);
		return false;
	}
	if (option->implies != NULL)
		wr_settings_imply(self, option, WR_FROM_FLAG);
	return true;
}

typedef bool argument_fn(struct wr_settings *self, const struct argument *argument,
			 struct wr_buf *message);

/* Calls `fn` for every argument that has a value, and sets actions. *is_shown: it is asked to show
 * something, and what follows does not matter. */
static bool each_argument(struct wr_settings *self, struct wr_buf *message, int argc,
			  const char *const *argv, bool *is_shown, argument_fn *fn)
{
	*is_shown = false;
	for (int i = 1; i < argc && !*is_shown; i++) {
		struct argument argument;
		size_t place;
		int at = i;

		if (!next_argument(self->options, argc, argv, &i, &argument, &place))
			return refuse_unknown(message, argv[at]);
		if (!check_argument(&argument, message))
			return false;
		argument.found.value = (char *)self->values + place;
		if (!wr_option_is_action(argument.found.option)) {
			if (!fn(self, &argument, message))
				return false;
			continue;
		}
		*(bool *)argument.found.value = true;
		*is_shown = argument.found.option->kind == WR_OPTION_SHOW;
	}
	return true;
}

static bool note_path(struct wr_settings *self, const struct argument *argument,
		      struct wr_buf *message)
{
	(void)message;
	if (argument->found.option->kind == WR_OPTION_CONFIG && *argument->value != '\0')
		self->path = argument->value;
	return true;
}

bool wr_settings_read(struct wr_settings *self, struct wr_buf *message, int argc,
		      const char *const *argv)
{
	bool is_shown;

	if (!each_argument(self, message, argc, argv, &is_shown, note_path))
		return false;
	if (is_shown)
		return true;
	if (self->options->variable_prefix == NULL)
		self->environment = NULL;
	if (self->path == NULL)
		self->path = wr_settings_environment_path(self);
	self->has_origins = self->path != NULL;
	self->is_file_wrong = true;
	if ((self->path != NULL && !wr_settings_read_file(self, message)) ||
	    !wr_settings_read_environment(self, message))
		return false;
	self->is_file_wrong = false;
	if (!each_argument(self, message, argc, argv, &is_shown, set_flag))
		return false;
	self->is_file_wrong = !wr_settings_check_environment(self, message);
	return !self->is_file_wrong;
}

bool wr_settings_wipe_secrets(const struct wr_options *options, int argc, char **argv)
{
	bool had_secret = false;

	for (int i = 1; i < argc; i++) {
		struct argument argument;
		size_t place;

		if (!next_argument(options, argc, (const char *const *)argv, &i, &argument, &place))
			continue;
		if (argument.found.option->kind == WR_OPTION_SECRET && argument.value != NULL) {
			char *text = argv[argument.value_at];
			wr_tokens_wipe(text + (argument.value - text), strlen(argument.value));
			had_secret = true;
		}
	}
	return had_secret;
}
