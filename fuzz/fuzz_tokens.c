/*
 * Files of bearer tokens. No options.
 *
 * Every token read is accepted with its rights and its name, and nothing near it is; written down
 * again the file says the same; read twice its tokens are there already; a refusal names a line.
 */
#include "bytes/buf.h"
#include "fuzz.h"
#include "host/tokens.h"

#include <string.h>

enum { ROOM = 65536 };

static struct wr_view secret_of(const struct wr_token *token)
{
	return wr_view_of(token->words, token->bytes);
}

static bool has(const struct wr_tokens *tokens, struct wr_view secret)
{
	for (uint32_t i = 0; i < tokens->count; i++)
		if (wr_view_equal(secret_of(&tokens->list[i]), secret))
			return true;
	return false;
}

/* "Bearer " and the secret, at the end of a page. */
static struct wr_view presented(struct wr_view secret)
{
	return fuzz_join(2, WR_VIEW("Bearer "), secret);
}

static void check_token(const struct wr_tokens *tokens, const struct wr_token *token)
{
	struct wr_view secret = secret_of(token), near;

	CHECK(secret.bytes >= 1 && secret.bytes <= WR_TOKEN_BYTES_MAX);
	for (size_t i = 0; i < secret.bytes; i++)
		CHECK(secret.data[i] > 0x20 && secret.data[i] < 0x7f);
	CHECK(token->may == WR_MAY_OBSERVE || token->may == (WR_MAY_OBSERVE | WR_MAY_COMMAND) ||
	      token->may == WR_MAY_ALL);
	CHECK_U64(wr_tokens_check(tokens, presented(secret)), token->may);
	CHECK_VIEW(wr_tokens_name(tokens, presented(secret)),
		   wr_view_of(token->name, token->name_bytes));
	CHECK(wr_tokens_shortest_bytes(tokens) <= secret.bytes);
	near = wr_view_of(secret.data, secret.bytes - 1);
	CHECK((wr_tokens_check(tokens, presented(near)) != 0) == has(tokens, near));
	near = fuzz_join(1, secret, WR_VIEW("\0"));
	CHECK_U64(wr_tokens_check(tokens, presented(near)), 0);
	CHECK_U64(wr_tokens_check(tokens, secret), 0);
}

static void put_token(struct wr_buf *out, const struct wr_token *token)
{
	wr_buf_append(out, token->name, token->name_bytes);
	wr_buf_append_view(out, token->may == WR_MAY_ALL       ? WR_VIEW(" admin ")
				: token->may == WR_MAY_OBSERVE ? WR_VIEW("\tobserve ")
							       : WR_VIEW(" observe,command\t"));
	wr_buf_append_view(out, secret_of(token));
	wr_buf_append_view(out, WR_VIEW("\r\n"));
}

static void check_written(const struct wr_tokens *tokens)
{
	static struct wr_tokens again;
	struct wr_buf out;
	const char *detail;
	unsigned line;

	wr_buf_init(&out, wr_test_allocator(), ROOM);
	for (uint32_t i = 0; i < tokens->count; i++)
		put_token(&out, &tokens->list[i]);
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	memset(&again, 0, sizeof again);
	CHECK_STATUS(wr_tokens_read(&again, wr_buf_view(&out), &line, &detail), WR_OK);
	CHECK(memcmp(&again, tokens, sizeof again) == 0);
	wr_buf_deinit(&out);
}

void fuzz_one(struct wr_view input)
{
	static struct wr_tokens tokens;
	const char *detail = NULL;
	unsigned line = 0, lines = 1;
	enum wr_status status;

	if (input.bytes > WR_TOKEN_FILE_BYTES_MAX)
		return;
	input = wr_test_guarded(0, input);
	for (size_t i = 0; i < input.bytes; i++)
		lines += input.data[i] == '\n';
	memset(&tokens, 0, sizeof tokens);
	status = wr_tokens_read(&tokens, input, &line, &detail);
	CHECK(line >= 1 && line <= lines + 1);
	CHECK(detail != NULL && tokens.count <= WR_TOKEN_COUNT_MAX);
	CHECK(status != WR_OK || tokens.count != 0);
	for (uint32_t i = 0; i < tokens.count; i++)
		check_token(&tokens, &tokens.list[i]);
	CHECK_U64(wr_tokens_check(&tokens, WR_VIEW("Bearer ")), 0);
	CHECK_U64(wr_tokens_check(&tokens, WR_VIEW_NULL), 0);
	if (status != WR_OK)
		return;
	check_written(&tokens);
	CHECK_STATUS(wr_tokens_read(&tokens, input, &line, &detail), WR_CONFLICT);
}
