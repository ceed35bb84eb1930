/*
 * Goal: a secret that we present to others is read from a file of its own, whole and exact, or not
 * at all, and no message repeats it. (Files of many tokens are in tests/e2e/test_cli.c.)
 *
 * Method: a file of each case; what it says is compared with what was read.
 */
#include "check.h"
#include "harness/harness.h"
#include "host/tokens.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *write_file(struct wr_view text, mode_t mode)
{
	static char path[64];
	int fd;

	snprintf(path, sizeof path, "/tmp/wr-tokens-%ld", (long)getpid());
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0);
	CHECK(write(fd, text.data, text.bytes) == (ssize_t)text.bytes);
	CHECK(fchmod(fd, mode) == 0);
	close(fd);
	return path;
}

static void test_a_file_of_one_secret(void)
{
	static const struct {
		const char *label;
		struct wr_view text;
		mode_t mode;
		const char *secret, *says;
	} cases[] = {
		{"a line", WR_VIEW_INIT("hunter2\n"), 0600, "hunter2", NULL},
		{"no newline", WR_VIEW_INIT("hunter2"), 0400, "hunter2", NULL},
		{"a comment, space, CR LF", WR_VIEW_INIT("# of a\r\n\r\n \thunter2 \r\n\n"), 0600,
		 "hunter2", NULL},
		{"all signs", WR_VIEW_INIT("!~a#b=\"'\\\n"), 0600, "!~a#b=\"'\\", NULL},
		{"empty", WR_VIEW_INIT(""), 0600, NULL, "there is no token in it"},
		{"blank", WR_VIEW_INIT(" \n\t\n"), 0600, NULL, "there is no token in it"},
		{"a comment", WR_VIEW_INIT("# hunter2\n"), 0600, NULL, "there is no token in it"},
		{"two", WR_VIEW_INIT("hunter2\nhunter3\n"), 0600, NULL, "nothing else (line 2)"},
		{"twice the same", WR_VIEW_INIT("hunter2\nhunter2\n"), 0600, NULL, "(line 2)"},
		{"a name before it", WR_VIEW_INIT("a hunter2\n"), 0600, NULL,
		 "nothing else (line 1)"},
		{"a comment behind it", WR_VIEW_INIT("hunter2 # a\n"), 0600, NULL, "nothing else"},
		{"not ASCII", WR_VIEW_INIT("hunt\xc3\xa9r2\n"), 0600, NULL, "visible ASCII"},
		{"a control byte", WR_VIEW_INIT("hun\x01ter2\n"), 0600, NULL, "visible ASCII"},
		{"a NUL", WR_VIEW_INIT("hunter2\0\n"), 0600, NULL, "visible ASCII"},
		{"of the group", WR_VIEW_INIT("hunter2\n"), 0640, NULL, "chmod 600"},
		{"of all", WR_VIEW_INIT("hunter2\n"), 0604, NULL, "chmod 600"},
		{"written by all", WR_VIEW_INIT("hunter2\n"), 0602, NULL, "chmod 600"},
	};
	char storage[64], said[512];
	struct wr_buf out, message;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		const char *path = write_file(cases[i].text, cases[i].mode);

		wr_test_case(cases[i].label);
		memset(said, 0, sizeof said);
		wr_buf_init_fixed(&message, said, sizeof said - 1);
		wr_buf_init_fixed(&out, storage, sizeof storage);
		wr_buf_append(&out, "x", 1);
		CHECK(wr_tokens_load_one(&out, path, &message) == (cases[i].secret != NULL));
		CHECK_STRING(wr_view_of(out.data + 1, out.bytes - 1),
			     cases[i].secret != NULL ? cases[i].secret : "");
		CHECK((message.bytes == 0) == (cases[i].says == NULL));
		if (cases[i].says != NULL) {
			CHECK(strncmp(said, path, strlen(path)) == 0);
			CHECK(strstr(said, cases[i].says) != NULL);
			CHECK(strstr(said, "hunter") == NULL);
		}
		unlink(path);
	}
}

static void test_a_secret_has_a_longest(void)
{
	static char text[WR_TOKEN_FILE_BYTES_MAX + 1];
	char storage[WR_TOKEN_BYTES_MAX], said[512];
	struct wr_buf out, message;

	memset(text, 't', sizeof text);
	for (size_t bytes = WR_TOKEN_BYTES_MAX - 1; bytes < WR_TOKEN_BYTES_MAX + 2; bytes++) {
		bool is_fine = bytes <= WR_TOKEN_BYTES_MAX;

		wr_buf_init_fixed(&message, said, sizeof said);
		wr_buf_init_fixed(&out, storage, sizeof storage);
		CHECK(wr_tokens_load_one(&out, write_file(wr_view_of(text, bytes), 0600),
					 &message) == is_fine);
		CHECK_U64(out.bytes, is_fine ? bytes : 0);
	}
	memset(text, '\n', sizeof text);
	text[0] = 't';
	wr_buf_init_fixed(&message, said, sizeof said);
	wr_buf_init_fixed(&out, storage, 1);
	CHECK(wr_tokens_load_one(&out, write_file(wr_view_of(text, sizeof text - 1), 0600),
				 &message));
	wr_test_case("one byte too many");
	CHECK(!wr_tokens_load_one(&out, write_file(wr_view_of(text, sizeof text), 0600), &message));
	CHECK(memmem(said, message.bytes, "too large", 9) != NULL);
	wr_test_case("no room for it");
	wr_buf_reset(&message);
	CHECK(!wr_tokens_load_one(&out, write_file(WR_VIEW("tt\n"), 0600), &message));
	CHECK_U64(out.bytes, 1);
	unlink(write_file(WR_VIEW("t"), 0600));
}

static void test_what_is_no_file_is_named(void)
{
	static const char *const paths[] = {"/nowhere/at/all", "/tmp", "/dev/null", ""};
	char storage[16], said[512];
	struct wr_buf out, message;

	for (size_t i = 0; i < WR_COUNT(paths); i++) {
		wr_test_case(paths[i]);
		wr_buf_init_fixed(&message, said, sizeof said);
		wr_buf_init_fixed(&out, storage, sizeof storage);
		CHECK(!wr_tokens_load_one(&out, paths[i], &message));
		CHECK(wr_view_starts(wr_buf_view(&message), wr_view_of_string(paths[i])));
		CHECK(message.bytes > strlen(paths[i]) + 2 && out.bytes == 0);
	}
}

static unsigned check(const struct wr_tokens *tokens, const char *scheme, const char *secret,
		      size_t bytes)
{
	char text[WR_TOKEN_BYTES_MAX + 64];
	size_t before = strlen(scheme);

	memcpy(text, scheme, before);
	memcpy(text + before, secret, bytes);
	return wr_tokens_check(tokens, wr_test_guarded(0, wr_view_of(text, before + bytes)));
}

/* Tokens of many lengths beside each other; what is presented ends at an unmapped page. */
static void test_only_the_whole_token_is_one(void)
{
	static const size_t lengths[] = {1, 7, 8, 9, 16, 31, 32, 33, WR_TOKEN_BYTES_MAX};
	static struct wr_tokens tokens;
	char text[WR_TOKEN_BYTES_MAX + 2];

	memset(text, 't', sizeof text);
	/* One more each round: the longest of them grows. */
	for (size_t i = 0; i < WR_COUNT(lengths); i++) {
		CHECK_STATUS(wr_tokens_add(&tokens, WR_VIEW("name"),
					   i % 2 == 0 ? WR_MAY_OBSERVE : WR_MAY_ALL,
					   wr_view_of(text, lengths[i])),
			     WR_OK);
		for (size_t bytes = 0; bytes <= WR_TOKEN_BYTES_MAX + 1; bytes++) {
			unsigned expected = 0;
			for (size_t k = 0; k <= i; k++)
				if (lengths[k] == bytes)
					expected = k % 2 == 0 ? WR_MAY_OBSERVE : WR_MAY_ALL;
			CHECK(check(&tokens, "Bearer ", text, bytes) == expected);
		}
		for (size_t place = 0; place < lengths[i]; place++) {
			text[place] ^= 1;
			CHECK(check(&tokens, "Bearer ", text, lengths[i]) == 0);
			text[place] = '\0';
			CHECK(check(&tokens, "Bearer ", text, lengths[i]) == 0);
			text[place] = 't';
		}
		CHECK(check(&tokens, "bearer ", text, lengths[i]) == 0);
		CHECK(check(&tokens, "Bearer", text, lengths[i]) == 0);
		CHECK(check(&tokens, "Basic ", text, lengths[i]) == 0);
		CHECK(check(&tokens, "", text, lengths[i]) == 0);
	}
	CHECK(wr_tokens_check(&tokens, WR_VIEW_NULL) == 0);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_only_the_whole_token_is_one),
	WR_TEST(test_a_file_of_one_secret),
	WR_TEST(test_a_secret_has_a_longest),
	WR_TEST(test_what_is_no_file_is_named),
	WR_TEST_END,
};
