#include "host/options.h"

#include "bytes/utf8.h"
#include "check.h"
#include "codec/http/url.h"
#include "host/hosting.h"
#include "host/texts.h"
#include "io/net/address.h"

enum {
	HELP_COLUMN = 40,
	DURABILITY_INTERVAL = 1 /* of `durabilities`, as enum wr_durability has them */
};

static const char *const durabilities[] = {"always", "interval", "never"};

const struct wr_option *wr_options_at(const struct wr_options *self, uint32_t index, size_t *place)
{
	for (const struct wr_option_part *part = self->parts; part->list != NULL; part++)
		for (const struct wr_option *at = part->list; !wr_option_is_end(at); at++)
			if (at->name != NULL && index-- == 0) {
				*place = part->place + at->place;
				return at;
			}
	return NULL;
}

const struct wr_option *wr_option_section_kind(const struct wr_option_section *self)
{
	const struct wr_option *option = self->list;

	if (self->kind == NULL)
		return NULL;
	while (strcmp(option->name, self->kind) != 0)
		option++;
	return option;
}

bool wr_option_is_text(const struct wr_option *self)
{
	return self->kind <= WR_OPTION_CONFIG;
}

bool wr_option_is_number(const struct wr_option *self)
{
	return self->kind >= WR_OPTION_COUNT && self->kind <= WR_OPTION_CHOICE;
}

bool wr_option_is_action(const struct wr_option *self)
{
	return self->kind == WR_OPTION_ACTION || self->kind == WR_OPTION_SHOW;
}

static bool is_boolean(const struct wr_option *self)
{
	return self->kind >= WR_OPTION_SWITCH;
}

static void put(struct wr_buf *out, const char *text)
{
	wr_buf_append_view(out, wr_view_of_string(text));
}

/* ---- reading ---- */

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

static bool read_choice(const struct wr_option *self, struct wr_view text, uint64_t *index)
{
	for (*index = 0;; (*index)++) {
		struct wr_view word = choice_word(self->choices, *index);
		if (wr_view_equal(word, text))
			break;
		if (word.data[word.bytes] == '\0')
			return false;
	}
	if (*index > self->max)
		*index = self->max;
	return true;
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

static bool read_number(const struct wr_option *self, struct wr_view text, uint64_t *value)
{
	uint64_t number;

	if (self->kind == WR_OPTION_CHOICE) {
		if (!read_choice(self, text, &number))
			return false;
	} else {
		if (!read_digits(&text, &number))
			return false;
		if (self->kind == WR_OPTION_BYTES ? !read_unit(text, &number) : text.bytes != 0)
			return false;
		if (number < self->min || number > self->max)
			return false;
	}
	*value = number;
	return true;
}

/* `always`, `never`, or `interval=MS`. */
static bool read_durability(struct wr_view text, struct wr_durability_setting *value)
{
	static const struct wr_view prefix = WR_VIEW_INIT("interval=");
	uint64_t ms;

	for (uint64_t i = 0; i < WR_COUNT(durabilities); i++)
		if (i != DURABILITY_INTERVAL &&
		    wr_view_equal(text, wr_view_of_string(durabilities[i]))) {
			*value = (struct wr_durability_setting){.kind = i};
			return true;
		}
	if (!wr_view_starts(text, prefix))
		return false;
	text = wr_view_skip(text, prefix.bytes);
	if (!read_digits(&text, &ms) || text.bytes != 0 || ms < 1 || ms > WR_OPTION_INTERVAL_MS_MAX)
		return false;
	*value = (struct wr_durability_setting){.kind = DURABILITY_INTERVAL, .interval_ms = ms};
	return true;
}

/* As a shell takes them. */
static bool is_variable_name(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++) {
		char byte = wr_ascii_lower(text.data[i]);
		bool is_digit = byte >= '0' && byte <= '9';

		if (byte != '_' && (byte < 'a' || byte > 'z') && (!is_digit || i == 0))
			return false;
	}
	return text.bytes > 0;
}

static bool is_good_text(const struct wr_option *self, struct wr_view text)
{
	struct wr_address address;
	struct wr_url url;

	if (self->is_good != NULL && !self->is_good(text))
		return false;
	if (self->kind == WR_OPTION_ADDRESS)
		return wr_address_parse(&address, text) == WR_OK;
	if (self->kind == WR_OPTION_URL)
		return wr_url_parse(&url, text) == WR_OK;
	if (self->kind == WR_OPTION_NAME)
		return wr_utf8_is_valid(text) && !wr_utf8_is_blank(text);
	if (self->kind == WR_OPTION_LABEL)
		return wr_utf8_is_valid(text);
	if (self->kind == WR_OPTION_VARIABLE)
		return is_variable_name(text);
	return text.bytes > 0;
}

static bool read_boolean(struct wr_view text, bool *value)
{
	bool is_true = wr_view_equal(text, WR_VIEW("true"));

	if (!is_true && !wr_view_equal(text, WR_VIEW("false")))
		return false;
	*value = is_true;
	return true;
}

void wr_option_reset(const struct wr_option *self, void *value)
{
	if (wr_option_is_text(self))
		*(const char **)value = self->text;
	else if (wr_option_is_number(self))
		*(uint64_t *)value = self->number;
	else if (self->kind == WR_OPTION_LIST)
		*(struct wr_texts *)value = (struct wr_texts){.count = 0};
	else if (self->kind == WR_OPTION_DURABILITY)
		*(struct wr_durability_setting *)value = (struct wr_durability_setting){.kind = 0};
	else
		*(bool *)value = false;
}

bool wr_option_read(const struct wr_option *self, void *value, struct wr_view text)
{
	struct wr_texts *list = value;

	wr_assert(!wr_option_is_action(self));
	if (wr_option_is_number(self))
		return read_number(self, text, value);
	if (self->kind == WR_OPTION_DURABILITY)
		return read_durability(text, value);
	if (self->kind == WR_OPTION_SWITCH)
		return read_boolean(text, value);
	if (!is_good_text(self, text))
		return false;
	wr_assert(text.data[text.bytes] == '\0');
	if (self->kind != WR_OPTION_LIST) {
		*(const char **)value = text.data;
		return true;
	}
	if (list->count == WR_TEXT_COUNT_MAX)
		return false;
	list->items[list->count++] = text.data;
	return true;
}

/* ---- telling ---- */

static void put_number(const struct wr_option *self, struct wr_buf *out, uint64_t number)
{
	static const char units[] = "KMG";
	unsigned unit = 0;

	if (self->kind == WR_OPTION_CHOICE) {
		wr_buf_append_view(out, choice_word(self->choices, number));
		return;
	}
	for (; self->kind == WR_OPTION_BYTES && unit < 3 && number != 0 && number % 1024 == 0;
	     unit++)
		number /= 1024;
	wr_buf_append_u64(out, number);
	if (unit > 0)
		wr_buf_append_byte(out, units[unit - 1]);
}

void wr_option_put_form(const struct wr_option *self, struct wr_buf *out)
{
	put(out, self->kind == WR_OPTION_SWITCH ? "true or false" : self->value);
	if (self->form != NULL) {
		put(out, ": ");
		put(out, self->form);
	}
	if (self->kind == WR_OPTION_ADDRESS)
		put(out, ": IP:PORT, [v6]:PORT or unix:PATH, and no host names");
	if (self->kind == WR_OPTION_URL)
		put(out, ": http://HOST:PORT, and a path when it has one");
	if (self->kind == WR_OPTION_VARIABLE)
		put(out, ": of an environment variable");
	if (self->kind == WR_OPTION_DURABILITY)
		put(out, ", with 1 to 60000 milliseconds");
	if (self->kind == WR_OPTION_LIST) {
		put(out, self->form == NULL ? ", not empty, and at most " : "; at most ");
		wr_buf_append_u64(out, WR_TEXT_COUNT_MAX);
		put(out, " of them");
	}
	if (self->kind == WR_OPTION_NAME)
		put(out, ": not blank, in UTF-8");
	if (self->kind == WR_OPTION_TEXT && self->form == NULL && self->is_good == NULL)
		put(out, ": not empty");
	if (self->kind == WR_OPTION_BYTES)
		put(out, ": a number of bytes, or one with K, M or G");
	if (wr_option_is_number(self) && self->kind != WR_OPTION_CHOICE) {
		put(out, ", from ");
		put_number(self, out, self->min);
		put(out, " to ");
		put_number(self, out, self->max);
	}
}

static void put_durability(struct wr_buf *out, const struct wr_durability_setting *value)
{
	put(out, durabilities[value->kind]);
	if (value->kind == DURABILITY_INTERVAL) {
		put(out, "=");
		wr_buf_append_u64(out, value->interval_ms);
	}
}

void wr_option_put_value(const struct wr_option *self, struct wr_buf *out, const void *value)
{
	wr_assert(self->kind != WR_OPTION_LIST && self->kind != WR_OPTION_SECRET);
	if (wr_option_is_number(self))
		put_number(self, out, *(const uint64_t *)value);
	else if (self->kind == WR_OPTION_DURABILITY)
		put_durability(out, value);
	else if (is_boolean(self))
		put(out, *(const bool *)value ? "true" : "false");
	else
		put(out, *(const char *const *)value);
}

/* `before` and `between` are what stands around the name. */
static void put_help_line(const struct wr_option *self, struct wr_buf *out, const char *before,
			  const char *between)
{
	size_t start = out->bytes;

	put(out, before);
	put(out, self->name);
	if (self->value != NULL) {
		put(out, between);
		put(out, self->value);
	}
	do
		put(out, " ");
	while (out->bytes < start + HELP_COLUMN && wr_buf_status(out) == WR_OK);
	put(out, self->help);
	if ((wr_option_is_number(self) && !self->is_required) ||
	    self->kind == WR_OPTION_DURABILITY) {
		put(out, " [");
		if (self->kind == WR_OPTION_DURABILITY)
			put(out, durabilities[0]);
		else
			put_number(self, out, self->number);
		put(out, "]");
	}
	put(out, "\n");
}

static void put_title(struct wr_buf *out, const char *title)
{
	put(out, "\n");
	put(out, title);
	put(out, "\n");
}

void wr_options_usage(const struct wr_options *self, struct wr_buf *out)
{
	put(out, self->usage);
}

void wr_options_help(const struct wr_options *self, struct wr_buf *out)
{
	const struct wr_option_section *section = self->sections;

	put(out, self->usage);
	put(out, self->about);
	for (const struct wr_option_part *part = self->parts; part->list != NULL; part++)
		for (const struct wr_option *at = part->list; !wr_option_is_end(at); at++) {
			if (at->name == NULL)
				put_title(out, at->help);
			else
				put_help_line(at, out, "  --", " ");
		}
	if (self->variable_prefix != NULL) {
		put(out, "\nIn the environment: ");
		put(out, self->variable_prefix);
		put(out, "X_Y for --x-y, lists with commas between. A flag counts more than\n"
			 "that, and that more than the configuration file.\n");
	}
	for (; section != NULL && section->name != NULL; section++) {
		put_title(out, section->help);
		for (const struct wr_option *at = section->list; !wr_option_is_end(at); at++)
			put_help_line(at, out, "  ", " = ");
	}
	put(out, "\n");
	put(out, self->examples);
}
