#include "host/settings_private.h"

#include "check.h"
#include "host/config_file.h"
#include "host/texts.h"

void wr_settings_init(struct wr_settings *self, const struct wr_options *options, void *values,
		      struct wr_allocator *allocator)
{
	const struct wr_option_section *section = options->sections;
	const struct wr_option *option;
	size_t place;
	uint32_t index = 0;

	*self = (struct wr_settings){.options = options, .values = values};
	wr_buf_init(&self->file, allocator, WR_CONFIG_FILE_BYTES_MAX);
	wr_buf_init(&self->items, allocator, WR_CONFIG_FILE_BYTES_MAX);
	for (; (option = wr_options_at(options, index, &place)) != NULL; index++)
		wr_option_reset(option, (char *)values + place);
	wr_assert(index <= WR_OPTION_COUNT_MAX);
	for (; section != NULL && section->name != NULL; section++) {
		size_t count = 0;
		while (!wr_option_is_end(&section->list[count]))
			count++;
		wr_assert(count <= WR_OPTION_SECTION_COUNT_MAX);
	}
}

void wr_settings_deinit(struct wr_settings *self)
{
	wr_buf_deinit(&self->file);
	wr_buf_deinit(&self->items);
}

/* ---- values ---- */

static bool find_choice(struct wr_settings *self, const char *name, struct wr_found *out)
{
	size_t place;

	for (uint32_t i = 0; (out->option = wr_options_at(self->options, i, &place)) != NULL; i++)
		if (strcmp(out->option->name, name) == 0) {
			out->index = i;
			out->value = (char *)self->values + place;
			return true;
		}
	return false;
}

uint32_t wr_settings_line(const struct wr_settings *self, const char *name)
{
	const struct wr_option *option;
	uint32_t index = 0;
	size_t place;

	while ((option = wr_options_at(self->options, index, &place)) != NULL &&
	       strcmp(option->name, name) != 0)
		index++;
	wr_assert(option != NULL);
	return self->lines[index];
}

void wr_settings_imply(struct wr_settings *self, const struct wr_option *option, uint32_t line)
{
	struct wr_found implied;
	bool is_there = find_choice(self, option->implies, &implied);

	wr_assert(is_there && wr_option_is_number(implied.option));
	/* In a file and in the environment the order is of no importance. */
	if (line == WR_FROM_ENVIRONMENT && self->lines[implied.index] == line)
		return;
	if (line != WR_FROM_FLAG && line != WR_FROM_ENVIRONMENT &&
	    self->lines[implied.index] != WR_FROM_DEFAULT)
		return;
	*(uint64_t *)implied.value = option->implied_number;
	self->lines[implied.index] = line;
}

bool wr_settings_set(struct wr_settings *self, const struct wr_found *at, struct wr_view text,
		     uint32_t line)
{
	struct wr_texts *list = at->value;

	if (at->option->kind == WR_OPTION_LIST && self->lines[at->index] != line)
		list->count = 0;
	if (!wr_option_read(at->option, at->value, text))
		return false;
	self->lines[at->index] = line;
	return true;
}
