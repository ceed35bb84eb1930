#include "execution/argv.h"

#include "check.h"

enum quote { QUOTE_NONE, QUOTE_SINGLE, QUOTE_DOUBLE };

struct splitter {
	char **words;
	size_t count;
	char *out; /* where the next byte of a word goes */
	bool is_in_word;
	bool is_freed; /* behind a backslash */
	enum quote quote;
	size_t quote_at, backslash_at;
};

static enum wr_status refuse(struct wr_error *error, enum wr_status status, size_t offset,
			     const char *detail)
{
	*error = (struct wr_error){.status = status, .offset = offset, .detail = detail};
	return status;
}

static bool is_separator(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void begin_word(struct splitter *self)
{
	if (self->is_in_word)
		return;
	self->is_in_word = true;
	self->words[self->count++] = self->out;
}

static void end_word(struct splitter *self)
{
	if (!self->is_in_word)
		return;
	self->is_in_word = false;
	*self->out++ = '\0';
}

static void put(struct splitter *self, char c)
{
	begin_word(self);
	*self->out++ = c;
}

static void put_freed(struct splitter *self, char c)
{
	self->is_freed = false;
	if (self->quote == QUOTE_DOUBLE && c != '\\' && c != '"' && c != '$' && c != '`')
		put(self, '\\');
	put(self, c);
}

static void step(struct splitter *self, char c, size_t at)
{
	enum quote opened = c == '\'' ? QUOTE_SINGLE : c == '"' ? QUOTE_DOUBLE : QUOTE_NONE;

	if (self->is_freed) {
		put_freed(self, c);
	} else if (c == '\\' && self->quote != QUOTE_SINGLE) {
		self->is_freed = true;
		self->backslash_at = at;
	} else if (opened != QUOTE_NONE && self->quote == opened) {
		self->quote = QUOTE_NONE;
	} else if (opened != QUOTE_NONE && self->quote == QUOTE_NONE) {
		begin_word(self); /* '' is a word, too */
		self->quote = opened;
		self->quote_at = at;
	} else if (self->quote == QUOTE_NONE && is_separator(c)) {
		end_word(self);
	} else {
		put(self, c);
	}
}

static enum wr_status split(struct splitter *self, struct wr_view text, struct wr_error *error)
{
	for (size_t at = 0; at < text.bytes; at++) {
		if (text.data[at] == '\0')
			return refuse(error, WR_INVALID, at, "NUL byte in a command");
		step(self, text.data[at], at);
	}
	if (self->is_freed)
		return refuse(error, WR_SYNTAX, self->backslash_at, "backslash at the end");
	if (self->quote != QUOTE_NONE)
		return refuse(error, WR_SYNTAX, self->quote_at, "quote without its end");
	end_word(self);
	if (self->count == 0)
		return refuse(error, WR_INVALID, text.bytes, "no program");
	if (self->words[0][0] == '\0')
		return refuse(error, WR_INVALID, 0, "empty program name");
	self->words[self->count] = NULL;
	return WR_OK;
}

enum wr_status wr_argv_split(struct wr_argv *out, struct wr_allocator *allocator,
			     struct wr_view text, struct wr_error *error)
{
	/* A word has at least one byte and, but for the last, a separator behind it. A word is
	 * never longer than its text, and its NUL stands where the separator stood. */
	size_t words_bytes = (text.bytes / 2 + 2) * sizeof(char *);
	struct splitter splitter = {.quote = QUOTE_NONE};
	enum wr_status status;

	*error = (struct wr_error){.status = WR_OK};
	if (text.bytes > WR_ARGV_BYTES_MAX)
		return refuse(error, WR_TOO_LARGE, WR_ARGV_BYTES_MAX, "command too long");
	*out = (struct wr_argv){.block_bytes = words_bytes + text.bytes + 1,
				.allocator = allocator};
	out->words = wr_allocator_take(allocator, out->block_bytes);
	if (out->words == NULL)
		return refuse(error, WR_NO_MEMORY, 0, NULL);
	splitter.words = out->words;
	splitter.out = (char *)out->words + words_bytes;
	status = split(&splitter, text, error);
	out->count = splitter.count;
	wr_assert(splitter.out <= (char *)out->words + out->block_bytes);
	if (status != WR_OK)
		wr_argv_deinit(out);
	return status;
}

void wr_argv_deinit(struct wr_argv *self)
{
	wr_allocator_free(self->allocator, self->words, self->block_bytes);
	self->words = NULL;
	self->count = 0;
}
