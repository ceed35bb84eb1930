#include "runtime_server/config.h"

#include "bytes/utf8.h"
#include "check.h"
#include "runtime_server/flags.h"

enum {
	HELP_COLUMN = 40,
	/* Of `durabilities`, as enum wr_durability has them. */
	DURABILITY_INTERVAL = 1,
	INTERVAL_MS_MAX = 60000
};

static const char *const durabilities[] = {"always", "interval", "never"};

static void *place_of(struct wr_config *config, const struct wr_flag *flag)
{
	return (char *)config + flag->place;
}

static const void *value_of(const struct wr_config *config, const struct wr_flag *flag)
{
	return (const char *)config + flag->place;
}

static bool is_text(enum wr_flag_kind kind)
{
	return kind <= WR_FLAG_FOLDER;
}

static bool is_number(enum wr_flag_kind kind)
{
	return kind >= WR_FLAG_COUNT && kind <= WR_FLAG_CHOICE;
}

static void put(struct wr_buf *out, const char *text)
{
	wr_buf_append_view(out, wr_view_of_string(text));
}

/* ---- values ---- */

/* The word with this number in a list joined with |. */
static struct wr_view choice_word(const char *choices, uint64_t index)
{
	for (;; index--) {
		size_t bytes = strcspn(choices, "|");
		if (index == 0)
			return wr_view_of(choices, bytes);
		wr_assert(choices[bytes] == '|');
		choices += bytes + 1;
	}
}

static bool read_choice(const char *choices, struct wr_view text, uint64_t *index)
{
	for (*index = 0;; (*index)++) {
		struct wr_view word = choice_word(choices, *index);
		if (wr_view_equal(word, text))
			return true;
		if (word.data[word.bytes] == '\0')
			return false;
	}
}

/* Digits; false on anything else and beyond 64 bits. */
static bool read_digits(struct wr_view *text, uint64_t *number)
{
	size_t digits = 0;

	*number = 0;
	for (; digits < text->bytes && text->data[digits] >= '0' && text->data[digits] <= '9';
	     digits++) {
		uint64_t digit = (uint64_t)(text->data[digits] - '0');
		if (*number > (UINT64_MAX - digit) / 10)
			return false;
		*number = *number * 10 + digit;
	}
	*text = wr_view_skip(*text, digits);
	return digits > 0;
}

static unsigned unit_shift(char letter)
{
	switch (wr_ascii_lower(letter)) {
	case 'k':
		return 10;
	case 'm':
		return 20;
	case 'g':
		return 30;
	default:
		return 0;
	}
}

/* K, KB and KiB are 1024 bytes, and so on. */
static bool read_unit(struct wr_view text, uint64_t *number)
{
	unsigned shift;

	if (text.bytes == 0)
		return true;
	shift = unit_shift(text.data[0]);
	if (shift == 0)
		return false;
	text = wr_view_skip(text, 1);
	if (text.bytes != 0 && !wr_view_equal(text, WR_VIEW("iB")) &&
	    !wr_view_equal(text, WR_VIEW("B")))
		return false;
	if (*number > UINT64_MAX >> shift)
		return false;
	*number <<= shift;
	return true;
}

static bool read_number(const struct wr_flag *flag, struct wr_view text, uint64_t *number)
{
	if (flag->kind == WR_FLAG_CHOICE)
		return read_choice(flag->choices, text, number);
	if (!read_digits(&text, number))
		return false;
	if (flag->kind == WR_FLAG_BYTES ? !read_unit(text, number) : text.bytes != 0)
		return false;
	return *number >= flag->min && *number <= flag->max;
}

/* `always`, `never`, or `interval=MS`. */
static bool read_durability(struct wr_view text, struct wr_durability_setting *out)
{
	const struct wr_view prefix = WR_VIEW("interval=");

	for (out->kind = 0; out->kind < WR_COUNT(durabilities); out->kind++)
		if (wr_view_equal(text, wr_view_of_string(durabilities[out->kind])))
			break;
	out->interval_ms = 0;
	if (out->kind != DURABILITY_INTERVAL && out->kind < WR_COUNT(durabilities))
		return true;
	out->kind = DURABILITY_INTERVAL;
	if (!wr_view_starts(text, prefix))
		return false;
	text = wr_view_skip(text, prefix.bytes);
	return read_digits(&text, &out->interval_ms) && text.bytes == 0 && out->interval_ms >= 1 &&
	       out->interval_ms <= INTERVAL_MS_MAX;
}

static bool is_good_text(const struct wr_flag *flag, const char *text)
{
	struct wr_view view = wr_view_of_string(text);
	struct wr_address address;

	if (flag->kind == WR_FLAG_ADDRESS)
		return wr_address_parse(&address, view) == WR_OK;
	if (flag->kind == WR_FLAG_NAME)
		return wr_utf8_is_valid(view) && !wr_utf8_is_blank(view);
	if (flag->kind == WR_FLAG_LABEL)
		return wr_utf8_is_valid(view);
	return view.bytes > 0;
}

/* Takes a value; false when it is not one of this flag. */
static bool set(struct wr_config *self, const struct wr_flag *flag, const char *text)
{
	if (is_number(flag->kind)) {
		uint64_t number;
		if (!read_number(flag, wr_view_of_string(text), &number))
			return false;
		/* `fs-store` is another name of `fs`. */
		if (flag->place == offsetof(struct wr_config, store) && number > WR_STORE_FS)
			number = WR_STORE_FS;
		*(uint64_t *)place_of(self, flag) = number;
		return true;
	}
	if (flag->kind == WR_FLAG_DURABILITY)
		return read_durability(wr_view_of_string(text), place_of(self, flag));
	if (!is_good_text(flag, text))
		return false;
	if (flag->kind == WR_FLAG_LIST) {
		struct wr_texts *list = place_of(self, flag);
		if (list->count == WR_GUARD_LIST_MAX)
			return false;
		list->items[list->count++] = text;
		return true;
	}
	*(const char **)place_of(self, flag) = text;
	if (flag->kind == WR_FLAG_FOLDER)
		self->store = WR_STORE_FS;
	return true;
}

static void set_defaults(struct wr_config *self)
{
	*self = (struct wr_config){.bind = "127.0.0.1:0"};
	for (size_t i = 0; i < wr_flag_count; i++)
		if (wr_flags[i].name != NULL && is_number(wr_flags[i].kind))
			*(uint64_t *)place_of(self, &wr_flags[i]) = wr_flags[i].number;
}

/* ---- the command line ---- */

/* The flag that an argument names; *value is what follows its `=`, else NULL. */
static const struct wr_flag *find(const char *argument, const char **value)
{
	size_t bytes;

	*value = NULL;
	if (strcmp(argument, "-h") == 0)
		argument = "--help";
	if (argument[0] != '-' || argument[1] != '-')
		return NULL;
	argument += 2;
	bytes = strcspn(argument, "=");
	for (size_t i = 0; i < wr_flag_count; i++) {
		if (wr_flags[i].name == NULL || strlen(wr_flags[i].name) != bytes ||
		    memcmp(wr_flags[i].name, argument, bytes) != 0)
			continue;
		if (argument[bytes] == '=')
			*value = argument + bytes + 1;
		return &wr_flags[i];
	}
	return NULL;
}

static bool refuse(struct wr_buf *message, const struct wr_flag *flag, const char *what)
{
	put(message, "--");
	put(message, flag->name);
	put(message, " ");
	put(message, what);
	return false;
}

/* A value is never repeated in the message: it may be a secret that stands at the wrong place. */
static bool refuse_value(struct wr_buf *message, const struct wr_flag *flag)
{
	refuse(message, flag, "cannot be that; it takes ");
	put(message, flag->value);
	if (flag->kind == WR_FLAG_ADDRESS)
		put(message, ": IP:PORT, [v6]:PORT or unix:PATH, and no host names");
	if (flag->kind == WR_FLAG_DURABILITY)
		put(message, ", with 1 to 60000 milliseconds");
	if (flag->kind == WR_FLAG_BYTES)
		put(message, ": a number of bytes, or one with K, M or G");
	if (flag->kind == WR_FLAG_COUNT || flag->kind == WR_FLAG_MS ||
	    flag->kind == WR_FLAG_BYTES) {
		put(message, ", from ");
		wr_buf_append_u64(message, flag->min);
		put(message, " to ");
		wr_buf_append_u64(message, flag->max);
	}
	return false;
}

/* What no flag can say alone. */
static bool check_together(struct wr_config *self, struct wr_buf *message)
{
	wr_address_parse(&self->address, wr_view_of_string(self->bind));
	if (self->store == WR_STORE_FS && self->fs_root == NULL) {
		put(message, "--store fs needs --fs-root DIR");
		return false;
	}
	if (self->fs_segment_bytes > self->fs_bytes / 4) {
		put(message, "--fs-bytes must be at least four times --fs-segment-bytes");
		return false;
	}
	return true;
}

bool wr_config_parse(struct wr_config *self, struct wr_buf *message, int argc,
		     const char *const *argv)
{
	set_defaults(self);
	for (int i = 1; i < argc; i++) {
		const char *value;
		const struct wr_flag *flag = find(argv[i], &value);

		if (flag == NULL) {
			put(message, argv[i][0] == '-' ? "there is no flag "
						       : "what is meant by the argument ");
			wr_buf_append(message, argv[i], strcspn(argv[i], "="));
			return false;
		}
		if (flag->kind == WR_FLAG_SWITCH) {
			if (value != NULL)
				return refuse(message, flag, "takes no value");
			*(bool *)place_of(self, flag) = true;
			if (self->wants_help || self->wants_version)
				return true;
			continue;
		}
		if (value == NULL && ++i < argc)
			value = argv[i];
		if (value == NULL) {
			refuse(message, flag, "needs ");
			put(message, flag->value);
			return false;
		}
		if (!set(self, flag, value))
			return refuse_value(message, flag);
	}
	return check_together(self, message);
}

void wr_config_wipe_secrets(struct wr_config *self, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value;
		const struct wr_flag *flag = find(argv[i], &value);

		if (flag == NULL || flag->kind == WR_FLAG_SWITCH)
			continue;
		if (value != NULL && flag->kind == WR_FLAG_SECRET)
			wr_tokens_wipe(argv[i] + (value - argv[i]), strlen(value));
		if (value == NULL && ++i < argc && flag->kind == WR_FLAG_SECRET)
			wr_tokens_wipe(argv[i], strlen(argv[i]));
	}
	self->local_token = NULL;
}

/* ---- telling ---- */

static void put_number(struct wr_buf *out, const struct wr_flag *flag, uint64_t number)
{
	static const char units[] = "KMG";
	unsigned unit = 0;

	if (flag->kind == WR_FLAG_CHOICE) {
		wr_buf_append_view(out, choice_word(flag->choices, number));
		return;
	}
	for (; flag->kind == WR_FLAG_BYTES && unit < 3 && number != 0 && number % 1024 == 0; unit++)
		number /= 1024;
	wr_buf_append_u64(out, number);
	if (unit > 0)
		wr_buf_append_byte(out, units[unit - 1]);
}

static void put_durability(struct wr_buf *out, const struct wr_durability_setting *value)
{
	put(out, durabilities[value->kind]);
	if (value->kind == DURABILITY_INTERVAL) {
		put(out, "=");
		wr_buf_append_u64(out, value->interval_ms);
	}
}

static void put_help_line(struct wr_buf *out, const struct wr_flag *flag)
{
	size_t start = out->bytes;

	put(out, "  --");
	put(out, flag->name);
	if (flag->value != NULL) {
		put(out, " ");
		put(out, flag->value);
	}
	do
		put(out, " ");
	while (out->bytes < start + HELP_COLUMN);
	put(out, flag->help);
	if (is_number(flag->kind) || flag->kind == WR_FLAG_DURABILITY) {
		put(out, " [");
		if (flag->kind == WR_FLAG_DURABILITY)
			put(out, durabilities[0]);
		else
			put_number(out, flag, flag->number);
		put(out, "]");
	}
	put(out, "\n");
}

void wr_config_usage(struct wr_buf *out)
{
	put(out,
	    "usage: worker-runtime [--bind ADDR] [--token-file FILE] [--exec COMMAND] [FLAG ...]\n"
	    "       worker-runtime log verify DIR\n"
	    "       worker-runtime log dump DIR [--worker ID] [--from SEQUENCE]\n"
	    "       worker-runtime --help\n");
}

void wr_config_help(struct wr_buf *out)
{
	wr_config_usage(out);
	put(out, "Hosts LLM Workers behind REST and WebSocket.\n");
	for (size_t i = 0; i < wr_flag_count; i++) {
		if (wr_flags[i].name != NULL) {
			put_help_line(out, &wr_flags[i]);
			continue;
		}
		put(out, "\n");
		put(out, wr_flags[i].help);
		put(out, "\n");
	}
	put(out, "\nExamples\n"
		 "  worker-runtime --bind 127.0.0.1:8650 --exec ./agent --exec-mode jsonl\n"
		 "  worker-runtime --bind 0.0.0.0:8650 --token-file /etc/worker-runtime/tokens\n");
}

static void put_setting(struct wr_buf *out, const struct wr_flag *flag)
{
	put(out, "--");
	put(out, flag->name);
	put(out, "=");
}

static void print_flag(struct wr_buf *out, const struct wr_flag *flag, const void *value)
{
	if (flag->kind == WR_FLAG_LIST) {
		const struct wr_texts *list = value;
		for (uint32_t i = 0; i < list->count; i++) {
			put_setting(out, flag);
			put(out, list->items[i]);
			put(out, "\n");
		}
		return;
	}
	if (flag->kind == WR_FLAG_SWITCH ||
	    (is_text(flag->kind) && *(const char *const *)value == NULL))
		return;
	put_setting(out, flag);
	if (flag->kind == WR_FLAG_SECRET)
		put(out, "(hidden)");
	else if (is_number(flag->kind))
		put_number(out, flag, *(const uint64_t *)value);
	else if (flag->kind == WR_FLAG_DURABILITY)
		put_durability(out, value);
	else
		put(out, *(const char *const *)value);
	put(out, "\n");
}

void wr_config_print(const struct wr_config *self, struct wr_buf *out)
{
	for (size_t i = 0; i < wr_flag_count; i++)
		if (wr_flags[i].name != NULL)
			print_flag(out, &wr_flags[i], value_of(self, &wr_flags[i]));
}
