#include "host/tokens.h"

#include "check.h"
#include "host/small_file.h"

#include <string.h>

#define WORD_BYTES sizeof(uint64_t)

enum { SCHEME_BYTES = 7 /* "Bearer " */ };

static uint32_t words_of(size_t bytes)
{
	return (uint32_t)((bytes + WORD_BYTES - 1) / WORD_BYTES);
}

void wr_tokens_wipe(void *memory, size_t bytes)
{
	/* Through a volatile pointer, or the compiler would see that nobody reads it. */
	volatile char *at = memory;

	while (bytes-- > 0)
		*at++ = 0;
}

/* ---- filling the list ---- */

static bool is_visible(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++)
		if (text.data[i] < 0x21 || text.data[i] > 0x7e)
			return false;
	return text.bytes > 0;
}

static bool has_secret(const struct wr_tokens *self, struct wr_view secret)
{
	for (uint32_t i = 0; i < self->count; i++)
		if (wr_view_equal(wr_view_of(self->list[i].words, self->list[i].bytes), secret))
			return true;
	return false;
}

enum wr_status wr_tokens_add(struct wr_tokens *self, struct wr_view name, unsigned may,
			     struct wr_view secret)
{
	struct wr_token *token;

	wr_assert(may != 0 && (may & ~(unsigned)WR_MAY_ALL) == 0);
	if (!is_visible(secret))
		return WR_INVALID;
	if (secret.bytes > WR_TOKEN_BYTES_MAX || name.bytes > WR_TOKEN_NAME_BYTES_MAX)
		return WR_TOO_LARGE;
	if (has_secret(self, secret))
		return WR_CONFLICT;
	if (self->count == WR_TOKEN_COUNT_MAX)
		return WR_FULL;
	token = &self->list[self->count++];
	memset(token, 0, sizeof *token);
	memcpy(token->words, secret.data, secret.bytes);
	memcpy(token->name, name.data, name.bytes);
	token->bytes = (uint16_t)secret.bytes;
	token->name_bytes = (uint8_t)name.bytes;
	token->may = (uint8_t)may;
	if (words_of(secret.bytes) > self->word_count)
		self->word_count = words_of(secret.bytes);
	return WR_OK;
}

void wr_tokens_truncate(struct wr_tokens *self, uint32_t count)
{
	wr_assert(count <= self->count);
	while (self->count > count)
		wr_tokens_wipe(&self->list[--self->count], sizeof self->list[0]);
	self->word_count = 0;
	for (uint32_t i = 0; i < count; i++)
		if (words_of(self->list[i].bytes) > self->word_count)
			self->word_count = words_of(self->list[i].bytes);
}

/* ---- the file ---- */

/* Takes the next word off *rest; empty at the end. */
static struct wr_view next_word(struct wr_view *rest)
{
	struct wr_view word;

	while (rest->bytes > 0 && (*rest->data == ' ' || *rest->data == '\t'))
		*rest = wr_view_skip(*rest, 1);
	word = wr_view_of(rest->data, 0);
	while (rest->bytes > 0 && *rest->data != ' ' && *rest->data != '\t') {
		*rest = wr_view_skip(*rest, 1);
		word.bytes++;
	}
	return word;
}

static struct wr_view next_line(struct wr_view *rest)
{
	const char *end = memchr(rest->data, '\n', rest->bytes);
	size_t bytes = end != NULL ? (size_t)(end - rest->data) : rest->bytes;
	struct wr_view line = wr_view_of(rest->data, bytes);

	*rest = wr_view_skip(*rest, bytes + (end != NULL));
	if (line.bytes > 0 && line.data[line.bytes - 1] == '\r')
		line.bytes--;
	return line;
}

/* One scope's bits: command includes observe. 0: no such scope. */
static unsigned scope_bits(struct wr_view scope)
{
	if (wr_view_equal(scope, WR_VIEW("observe")))
		return WR_MAY_OBSERVE;
	if (wr_view_equal(scope, WR_VIEW("command")))
		return WR_MAY_COMMAND | WR_MAY_OBSERVE;
	if (wr_view_equal(scope, WR_VIEW("admin")))
		return WR_MAY_ALL;
	return 0;
}

/* The bits of a list with commas; 0 when any of it is no scope. */
static unsigned scopes_bits(struct wr_view list)
{
	unsigned all = 0;

	for (;;) {
		const char *comma = memchr(list.data, ',', list.bytes);
		size_t bytes = comma != NULL ? (size_t)(comma - list.data) : list.bytes;
		unsigned bits = scope_bits(wr_view_of(list.data, bytes));

		if (bits == 0)
			return 0;
		all |= bits;
		if (comma == NULL)
			return all;
		list = wr_view_skip(list, bytes + 1);
	}
}

/* Adds the token of a line that is neither empty nor a comment. */
static enum wr_status read_line(struct wr_tokens *self, struct wr_view first, struct wr_view rest,
				const char **detail)
{
	struct wr_view second = next_word(&rest), third = next_word(&rest);
	unsigned may = WR_MAY_ALL;
	enum wr_status status;

	*detail = "expected `NAME SCOPES TOKEN` or `TOKEN`";
	if (second.bytes != 0 && (third.bytes == 0 || next_word(&rest).bytes != 0))
		return WR_SYNTAX;
	if (second.bytes != 0) {
		may = scopes_bits(second);
		*detail = "the scopes are observe, command and admin, joined with commas";
		if (may == 0)
			return WR_INVALID;
		status = wr_tokens_add(self, first, may, third);
	} else {
		status = wr_tokens_add(self, WR_VIEW("token"), may, first);
	}
	*detail = status == WR_TOO_LARGE  ? "the name or the token is too long"
		  : status == WR_CONFLICT ? "this token was given before"
		  : status == WR_FULL	  ? "there are too many tokens"
					  : "a token is made of visible ASCII characters";
	return status;
}

enum wr_status wr_tokens_read(struct wr_tokens *self, struct wr_view text, unsigned *line,
			      const char **detail)
{
	uint32_t count = self->count;

	for (*line = 1; text.bytes > 0; (*line)++) {
		struct wr_view rest = next_line(&text), first = next_word(&rest);
		enum wr_status status;

		if (first.bytes == 0 || *first.data == '#')
			continue;
		status = read_line(self, first, rest, detail);
		if (status != WR_OK)
			return status;
	}
	*detail = "there is no token in it";
	return self->count > count ? WR_OK : WR_INVALID;
}

/* A buffer for a whole file of secrets, to be wiped. */
struct secrets {
	struct wr_buf buf;
	char text[WR_TOKEN_FILE_BYTES_MAX];
};

static bool read_secrets(struct secrets *self, const char *path, struct wr_buf *message)
{
	wr_buf_init_fixed(&self->buf, self->text, sizeof self->text);
	return wr_small_file_read(&self->buf, path, sizeof self->text, true, message);
}

static void blame(struct wr_buf *message, const char *path, const char *detail, unsigned line)
{
	wr_buf_append_view(message, wr_view_of_string(path));
	wr_buf_append_view(message, WR_VIEW(": "));
	wr_buf_append_view(message, wr_view_of_string(detail));
	wr_buf_append_view(message, WR_VIEW(" (line "));
	wr_buf_append_u64(message, line);
	wr_buf_append_byte(message, ')');
}

bool wr_tokens_load(struct wr_tokens *self, const char *path, struct wr_buf *message)
{
	struct secrets file;
	const char *detail;
	unsigned line;
	bool is_loaded = false;

	if (read_secrets(&file, path, message)) {
		is_loaded = wr_tokens_read(self, wr_buf_view(&file.buf), &line, &detail) == WR_OK;
		if (!is_loaded)
			blame(message, path, detail, line);
	}
	wr_tokens_wipe(file.text, file.buf.bytes);
	return is_loaded;
}

/* The only word of the only line that is neither empty nor a comment. */
static bool find_one(struct wr_view text, struct wr_view *secret, unsigned *line,
		     const char **detail)
{
	*secret = WR_VIEW_NULL;
	for (*line = 1; text.bytes > 0; (*line)++) {
		struct wr_view rest = next_line(&text), word = next_word(&rest);

		if (word.bytes == 0 || *word.data == '#')
			continue;
		*detail = "expected one token, and nothing else";
		if (secret->data != NULL || next_word(&rest).bytes != 0)
			return false;
		*detail = word.bytes > WR_TOKEN_BYTES_MAX
				  ? "the token is too long"
				  : "a token is made of visible ASCII characters";
		if (word.bytes > WR_TOKEN_BYTES_MAX || !is_visible(word))
			return false;
		*secret = word;
	}
	*detail = "there is no token in it";
	return secret->data != NULL;
}

bool wr_tokens_load_one(struct wr_buf *out, const char *path, struct wr_buf *message)
{
	struct secrets file;
	struct wr_view secret;
	const char *detail;
	unsigned line;
	bool is_loaded = false;

	if (read_secrets(&file, path, message)) {
		is_loaded = find_one(wr_buf_view(&file.buf), &secret, &line, &detail);
		if (is_loaded && wr_buf_append_view(out, secret) != WR_OK) {
			is_loaded = false;
			detail = wr_status_text(wr_buf_status(out));
		}
		if (!is_loaded)
			blame(message, path, detail, line);
	}
	wr_tokens_wipe(file.text, file.buf.bytes);
	return is_loaded;
}

/* ---- comparing ---- */

/* All ones when `difference` is 0, else 0, without a branch. */
static uint64_t mask_if_zero(uint64_t difference)
{
	return ((difference | (0 - difference)) >> 63) - 1;
}

static inline uint64_t word_at(const char *text, uint32_t place)
{
	uint64_t word;

	memcpy(&word, text + place * WORD_BYTES, WORD_BYTES);
	return word;
}

/* What it may do if it is one of these. `presented` has word_count words, zeros behind its end. */
static unsigned compare(const struct wr_token *list, uint32_t count, uint32_t word_count,
			const char *presented, size_t bytes)
{
	uint64_t may = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct wr_token *token = &list[i];
		uint64_t difference = token->bytes ^ (uint64_t)bytes;

		for (uint32_t word = 0; word < word_count; word++)
			difference |= token->words[word] ^ word_at(presented, word);
		may |= mask_if_zero(difference) & token->may;
	}
	return (unsigned)may;
}

/* The same for one that is shorter than the longest token. */
static unsigned compare_short(const struct wr_token *list, uint32_t count, uint32_t word_count,
			      struct wr_view secret)
{
	char presented[WR_TOKEN_BYTES_MAX];

	memset(presented, 0, word_count * WORD_BYTES);
	if (secret.bytes != 0)
		memcpy(presented, secret.data, secret.bytes);
	return compare(list, count, word_count, presented, secret.bytes);
}

/* What it may do if it is one of these. */
static unsigned check(const struct wr_token *list, uint32_t count, uint32_t word_count,
		      struct wr_view authorization)
{
	struct wr_view secret;

	if (authorization.bytes < SCHEME_BYTES ||
	    memcmp(authorization.data, "Bearer ", SCHEME_BYTES) != 0)
		return 0;
	secret = wr_view_skip(authorization, SCHEME_BYTES);
	if (WR_LIKELY(secret.bytes >= word_count * WORD_BYTES))
		return compare(list, count, word_count, secret.data, secret.bytes);
	return compare_short(list, count, word_count, secret);
}

unsigned wr_tokens_check(const struct wr_tokens *self, struct wr_view authorization)
{
	return check(self->list, self->count, self->word_count, authorization);
}

struct wr_view wr_tokens_name(const struct wr_tokens *self, struct wr_view authorization)
{
	uint32_t place = 0; /* from 1; no two are equal */

	/* To the end, too: it is a secret as before. */
	for (uint32_t i = 0; i < self->count; i++)
		if (check(&self->list[i], 1, self->word_count, authorization) != 0)
			place = i + 1;
	if (place == 0)
		return WR_VIEW_NULL;
	return wr_view_of(self->list[place - 1].name, self->list[place - 1].name_bytes);
}

size_t wr_tokens_shortest_bytes(const struct wr_tokens *self)
{
	size_t shortest = 0;

	for (uint32_t i = 0; i < self->count; i++)
		if (i == 0 || self->list[i].bytes < shortest)
			shortest = self->list[i].bytes;
	return shortest;
}
