/*
 * The grammar is a machine of ten states, one for each place in a document where the next byte that
 * is not white space means something else:
 *
 *	state          expects           then
 *	DOCUMENT       a value           DONE
 *	FIRST_ELEMENT  a value or `]`    AFTER_ELEMENT
 *	ELEMENT        a value           AFTER_ELEMENT
 *	AFTER_ELEMENT  `,` or `]`        ELEMENT
 *	FIRST_NAME     a name or `}`     COLON
 *	NAME           a name            COLON
 *	COLON          `:`               MEMBER
 *	MEMBER         a value           AFTER_MEMBER
 *	AFTER_MEMBER   `,` or `}`        NAME
 *	DONE           the end of the input
 *
 * White space, `,` and `:` are consumed when they are seen, a token only when all of it is there.
 * Every object and array remembers the state it stands in, one byte a level; nothing else grows
 * with the nesting.
 *
 * Speed: a command is some fifty tokens, most of them short, so what counts is the number of
 * instructions from call to return. The separator that nearly always follows a token is taken with
 * it; names and strings go one way through a table instead of two ways through branches; what is
 * rare leaves by a tail call, so that the usual way needs no stack frame.
 */
#include "codec/json/reader.h"

#include "check.h"
#include "codec/json/scan.h"
#include "codec/json/strings.h"

/* RARE: kept out of the way of what is usual; a frame for these would be paid by every token. */
#if defined(__GNUC__)
#define RARE __attribute__((noinline))
#else
#define RARE
#endif

enum state {
	DOCUMENT,
	FIRST_ELEMENT,
	ELEMENT,
	AFTER_ELEMENT,
	FIRST_NAME,
	NAME,
	COLON,
	MEMBER,
	AFTER_MEMBER,
	DONE
};

/* What a string is in a state, and where it or another value leads: to `next`, or past the
 * separator if that follows at once. Token NONE: nothing of the kind may stand there. Behind the
 * document white space takes the part of the separator. */
struct place {
	uint8_t token, next, next_separated;
	char separator;
};

static const struct place places[] = {
	[DOCUMENT] = {WR_JSON_TOKEN_STRING, DONE, DONE, '\n'},
	[FIRST_ELEMENT] = {WR_JSON_TOKEN_STRING, AFTER_ELEMENT, ELEMENT, ','},
	[ELEMENT] = {WR_JSON_TOKEN_STRING, AFTER_ELEMENT, ELEMENT, ','},
	[FIRST_NAME] = {WR_JSON_TOKEN_NAME, COLON, MEMBER, ':'},
	[NAME] = {WR_JSON_TOKEN_NAME, COLON, MEMBER, ':'},
	[MEMBER] = {WR_JSON_TOKEN_STRING, AFTER_MEMBER, NAME, ','},
	[AFTER_ELEMENT] = {.token = WR_JSON_TOKEN_NONE},
	[COLON] = {.token = WR_JSON_TOKEN_NONE},
	[AFTER_MEMBER] = {.token = WR_JSON_TOKEN_NONE},
	[DONE] = {.token = WR_JSON_TOKEN_NONE},
};

void wr_json_reader_init(struct wr_json_reader *self, struct wr_view input, bool is_last)
{
	const char *data = input.data != NULL ? input.data : "";

	/* Not the nesting: a level is written before it is read. */
	self->token = WR_JSON_TOKEN_NONE;
	self->text = wr_view_of(data, 0);
	self->has_escapes = false;
	self->state = DOCUMENT;
	self->is_last = is_last;
	self->depth = 0;
	self->status = WR_OK;
	self->input = data;
	self->at = data;
	self->end = data + input.bytes;
	self->base = 0;
	self->token_start = 0;
}

/* Where the current token begins in the input. */
static const char *token_begin(const struct wr_json_reader *self)
{
	bool is_quoted = self->token == WR_JSON_TOKEN_STRING || self->token == WR_JSON_TOKEN_NAME;

	return self->text.data - (is_quoted && self->status == WR_OK);
}

size_t wr_json_reader_offset(const struct wr_json_reader *self)
{
	if (self->text.data == NULL)
		return self->token_start;
	return self->base + (size_t)(token_begin(self) - self->input);
}

void wr_json_reader_feed(struct wr_json_reader *self, struct wr_view input, bool is_last)
{
	wr_assert(!self->is_last);
	if (self->status != WR_OK)
		return;
	self->token_start = wr_json_reader_offset(self);
	self->text = WR_VIEW_NULL;
	self->base += (size_t)(self->at - self->input);
	self->input = input.data != NULL ? input.data : "";
	self->at = self->input;
	self->end = self->input + input.bytes;
	self->is_last = is_last;
}

struct wr_view wr_json_reader_rest(const struct wr_json_reader *self)
{
	return wr_view_of(self->at, (size_t)(self->end - self->at));
}

/* ---- the ways out of next ---- */

static RARE enum wr_status fail(struct wr_json_reader *self, enum wr_status status, const char *at)
{
	self->status = status;
	self->at = at;
	self->end = at; /* so that next finds the end, and there the status */
	self->text = wr_view_of(at, 0);
	return status;
}

/* The input ends where a document cannot. `at` is the start of the unfinished token. */
static RARE enum wr_status end_early(struct wr_json_reader *self, const char *at)
{
	if (self->is_last)
		return fail(self, WR_SYNTAX, self->end);
	self->at = at;
	return WR_MORE;
}

static RARE enum wr_status end_of_input(struct wr_json_reader *self, const char *at)
{
	if (self->status != WR_OK)
		return self->status;
	if (self->state != DONE || !self->is_last)
		return end_early(self, at);
	self->token = WR_JSON_TOKEN_END;
	self->text = wr_view_of(at, 0);
	self->at = at;
	return WR_OK;
}

/* The token is complete. */
static inline enum wr_status accept(struct wr_json_reader *self, enum wr_json_token token,
				    const char *text, const char *text_end)
{
	self->token = token;
	self->text.data = text;
	self->text.bytes = (size_t)(text_end - text);
	return WR_OK;
}

/* Goes on behind a token that stood in `place`; at `end` there is a byte. */
static inline void leave_for(struct wr_json_reader *self, const struct place *place,
			     const char *end)
{
	uint8_t next = place->next;

	if (WR_LIKELY(*end == place->separator)) {
		next = place->next_separated;
		end++;
	}
	self->state = next;
	self->at = end;
}

/* The same where the input may end. */
static inline void leave(struct wr_json_reader *self, unsigned state, const char *end)
{
	if (end != self->end) {
		leave_for(self, &places[state], end);
		return;
	}
	self->state = places[state].next;
	self->at = end;
}

/* ---- tokens: `at` is the first byte of one ---- */

/* A string that is long, or near the end of the input, or has more in it than plain ASCII. */
static RARE enum wr_status read_any_string(struct wr_json_reader *self, const char *at)
{
	unsigned state = self->state;
	const char *stop = wr_json_plain_ascii_end(self->input, at + 1, self->end);
	bool has_escapes = false;
	enum wr_status status = WR_OK;

	if (stop == self->end || *stop != '"')
		status = wr_json_string_check(&stop, &has_escapes, self->end);
	if (status == WR_MORE)
		return end_early(self, at);
	if (status != WR_OK)
		return fail(self, status, stop);
	self->has_escapes = has_escapes;
	leave(self, state, stop + 1);
	return accept(self, (enum wr_json_token)places[state].token, at + 1, stop);
}

static inline enum wr_status read_string(struct wr_json_reader *self, const char *at)
{
	const struct place *place = &places[self->state];
	const char *stop;

	if (WR_UNLIKELY(place->token == WR_JSON_TOKEN_NONE))
		return fail(self, WR_SYNTAX, at);
	/* Room for the quotes, too, and for the separator. */
	if (WR_UNLIKELY(self->end - at < 1 + WR_JSON_SCAN_BYTES + 2))
		return read_any_string(self, at);
	stop = wr_json_short_end(at + 1);
	if (WR_UNLIKELY(*stop != '"'))
		return read_any_string(self, at);
	self->has_escapes = false;
	leave_for(self, place, stop + 1);
	return accept(self, (enum wr_json_token)place->token, at + 1, stop);
}

/* Whether a value other than a string may stand here. */
static inline bool expects_value(const struct wr_json_reader *self)
{
	return places[self->state].token == WR_JSON_TOKEN_STRING;
}

/* At least one digit. False, with *at on the end or on what is none, when there is not. */
static bool scan_digits(const char **at, const char *end)
{
	const char *from = *at, *to = from;

	while (to < end && *to >= '0' && *to <= '9')
		to++;
	*at = to;
	return to != from;
}

/* RFC 8259 section 6. *at goes behind the number, or to the first byte that cannot be in one. */
static bool scan_number(const char **at, const char *end)
{
	if (**at == '-')
		++*at;
	if (*at < end && **at == '0')
		++*at;
	else if (!scan_digits(at, end))
		return false;
	if (*at < end && **at == '.') {
		++*at;
		if (!scan_digits(at, end))
			return false;
	}
	if (*at < end && (**at == 'e' || **at == 'E')) {
		++*at;
		if (*at < end && (**at == '+' || **at == '-'))
			++*at;
		return scan_digits(at, end);
	}
	return true;
}

static RARE enum wr_status read_number(struct wr_json_reader *self, const char *at)
{
	const char *end = at;
	bool is_good;

	if (!expects_value(self))
		return fail(self, WR_SYNTAX, at);
	is_good = scan_number(&end, self->end);
	/* Before anything else, so that the answer does not depend on where the input was cut. */
	if ((size_t)(end - at) > WR_JSON_NUMBER_BYTES_MAX)
		return fail(self, WR_TOO_LARGE, at + WR_JSON_NUMBER_BYTES_MAX);
	if (end == self->end && !(is_good && self->is_last))
		return end_early(self, at);
	if (!is_good)
		return fail(self, WR_SYNTAX, end);
	leave(self, self->state, end);
	return accept(self, WR_JSON_TOKEN_NUMBER, at, end);
}

static RARE enum wr_status read_word(struct wr_json_reader *self, const char *at)
{
	struct wr_view word = *at == 't'   ? WR_VIEW("true")
			      : *at == 'f' ? WR_VIEW("false")
					   : WR_VIEW("null");
	enum wr_json_token token = *at == 't'	? WR_JSON_TOKEN_TRUE
				   : *at == 'f' ? WR_JSON_TOKEN_FALSE
						: WR_JSON_TOKEN_NULL;
	size_t same = 1;

	if (!expects_value(self))
		return fail(self, WR_SYNTAX, at);
	while (same < word.bytes && at + same < self->end && at[same] == word.data[same])
		same++;
	if (same < word.bytes)
		return at + same == self->end ? end_early(self, at)
					      : fail(self, WR_SYNTAX, at + same);
	leave(self, self->state, at + same);
	return accept(self, token, at, at + same);
}

static inline enum wr_status begin_nest(struct wr_json_reader *self, const char *at,
					enum wr_json_token token, enum state inside)
{
	unsigned level = self->depth;

	if (WR_UNLIKELY(!expects_value(self)))
		return fail(self, WR_SYNTAX, at);
	if (WR_UNLIKELY(level >= WR_JSON_DEPTH_MAX))
		return fail(self, WR_TOO_LARGE, at);
	self->nesting[level] = self->state;
	self->depth = (uint16_t)(level + 1);
	self->state = (uint8_t)inside;
	self->at = at + 1;
	return accept(self, token, at, at + 1);
}

static inline enum wr_status end_nest(struct wr_json_reader *self, const char *at,
				      enum wr_json_token token, enum state first, enum state after)
{
	unsigned level = self->depth - 1u;

	if (WR_UNLIKELY(self->state != first && self->state != after))
		return fail(self, WR_SYNTAX, at);
	self->depth = (uint16_t)level;
	leave(self, self->nesting[level], at + 1);
	return accept(self, token, at, at + 1);
}

/* The state behind a separator that was not taken with the token before it; DOCUMENT when none may
 * stand here. */
static enum state after_separator(const struct wr_json_reader *self, char separator)
{
	if (separator == ':')
		return self->state == COLON ? MEMBER : DOCUMENT;
	if (self->state == AFTER_ELEMENT)
		return ELEMENT;
	return self->state == AFTER_MEMBER ? NAME : DOCUMENT;
}

/* RFC 8259 section 2. */
static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Takes white space and separators from `at` on, then a token. `at` is not the end. */
static RARE enum wr_status read_spaced(struct wr_json_reader *self, const char *at)
{
	while (is_blank(*at) || *at == ',' || *at == ':') {
		if (!is_blank(*at)) {
			enum state next = after_separator(self, *at);

			if (next == DOCUMENT)
				return fail(self, WR_SYNTAX, at);
			self->state = (uint8_t)next;
		}
		if (++at == self->end)
			return end_of_input(self, at);
	}
	self->at = at; /* the first byte of a token: next does not come back here */
	return wr_json_reader_next(self);
}

enum wr_status wr_json_reader_next(struct wr_json_reader *self)
{
	const char *at = self->at;

	if (WR_UNLIKELY(at == self->end))
		return end_of_input(self, at);
	if (*at == '"')
		return read_string(self, at);
	switch (*at) {
	case '{':
		return begin_nest(self, at, WR_JSON_TOKEN_OBJECT_BEGIN, FIRST_NAME);
	case '}':
		return end_nest(self, at, WR_JSON_TOKEN_OBJECT_END, FIRST_NAME, AFTER_MEMBER);
	case '[':
		return begin_nest(self, at, WR_JSON_TOKEN_ARRAY_BEGIN, FIRST_ELEMENT);
	case ']':
		return end_nest(self, at, WR_JSON_TOKEN_ARRAY_END, FIRST_ELEMENT, AFTER_ELEMENT);
	case 't':
	case 'f':
	case 'n':
		return read_word(self, at);
	case ' ':
	case '\t':
	case '\n':
	case '\r':
	case ',':
	case ':':
		return read_spaced(self, at);
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		return read_number(self, at);
	default:
		return fail(self, WR_SYNTAX, at);
	}
}

/* ---- whole values ---- */

static bool begins_nest(enum wr_json_token token)
{
	return token == WR_JSON_TOKEN_OBJECT_BEGIN || token == WR_JSON_TOKEN_ARRAY_BEGIN;
}

static bool ends_nest(enum wr_json_token token)
{
	return token == WR_JSON_TOKEN_OBJECT_END || token == WR_JSON_TOKEN_ARRAY_END;
}

/* Goes to the first token of the value that skip and raw are about. */
static enum wr_status begin_value(struct wr_json_reader *self)
{
	wr_assert(self->is_last && !ends_nest(self->token) && self->token != WR_JSON_TOKEN_END);
	if (self->token == WR_JSON_TOKEN_NAME || self->token == WR_JSON_TOKEN_NONE)
		return wr_json_reader_next(self);
	return self->status;
}

static enum wr_status finish_value(struct wr_json_reader *self)
{
	enum wr_status status = WR_OK;
	unsigned depth = self->depth;

	if (!begins_nest(self->token))
		return WR_OK;
	while (status == WR_OK && self->depth >= depth)
		status = wr_json_reader_next(self);
	return status;
}

enum wr_status wr_json_reader_skip(struct wr_json_reader *self)
{
	enum wr_status status = begin_value(self);

	return status == WR_OK ? finish_value(self) : status;
}

/* Behind the last byte of the current token; `at` may already be behind a comma. */
static const char *token_end(const struct wr_json_reader *self)
{
	return self->text.data + self->text.bytes + (self->token == WR_JSON_TOKEN_STRING);
}

enum wr_status wr_json_reader_raw(struct wr_json_reader *self, struct wr_view *value)
{
	enum wr_status status = begin_value(self);
	const char *begin;

	if (status != WR_OK)
		return status;
	/* A value that began in an input which is gone cannot be lent. */
	wr_assert(self->text.data != NULL);
	begin = token_begin(self);
	status = finish_value(self);
	if (status == WR_OK)
		*value = wr_view_of(begin, (size_t)(token_end(self) - begin));
	return status;
}
