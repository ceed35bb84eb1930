/* Goal: a workspace gets its identity once and keeps it; a file that is not understood is left as
 * it is and named with its line. Method: folders in a temporary place, tables of contents. */
#include "backend/workspace.h"
#include "check.h"
#include "harness/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID "workspace_id = \"01978c52-1f3a-7c11-9b2e-5d0a6c4e8f01\"\n"
#define TIME "created_at = \"2026-06-26T06:00:00Z\"\n"
#define NAME "display_name = \"demo\"\n"

static char top[64];

static const char *path_of(const char *relative)
{
	static char path[2][512];
	static unsigned next;
	char *out = path[next++ % WR_COUNT(path)];

	snprintf(out, sizeof path[0], "%s/%s", top, relative);
	return out;
}

static void make_top(void)
{
	snprintf(top, sizeof top, "/tmp/wr-space-XXXXXX");
	wr_test_make_folder(top);
}

static void remove_top(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", top);
	CHECK(system(command) == 0);
}

static void write_file(const char *text)
{
	int fd;

	CHECK(mkdir(path_of(".yoi"), 0700) == 0 || errno == EEXIST);
	fd = open(path_of(".yoi/workspace.toml"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static bool open_at(struct wr_workspace *out, const char *root, struct wr_view *message)
{
	static char storage[4096];
	static struct wr_buf said;
	bool is_open;

	wr_buf_init_fixed(&said, storage, sizeof storage);
	is_open = wr_workspace_open(out, root, &said);
	*message = wr_buf_view(&said);
	CHECK(is_open == (said.bytes == 0));
	return is_open;
}

static bool contains(struct wr_view text, const char *part)
{
	struct wr_view wanted = wr_view_of_string(part);

	for (size_t at = 0; at + wanted.bytes <= text.bytes; at++)
		if (wr_view_starts(wr_view_skip(text, at), wanted))
			return true;
	return false;
}

static unsigned mode_of(const char *relative)
{
	struct stat found;

	CHECK(lstat(path_of(relative), &found) == 0);
	return found.st_mode & 0777;
}

static void test_the_first_start_makes_it_and_the_next_finds_it(void)
{
	struct wr_workspace first, second;
	struct wr_view message;

	make_top();
	(void)umask(0);
	CHECK(mkdir(path_of("my \"space"), 0700) == 0);
	CHECK(open_at(&first, path_of("my \"space/."), &message));
	CHECK_U64(mode_of("my \"space/.yoi"), 0700);
	CHECK_U64(mode_of("my \"space/.yoi/workspace.toml"), 0600);
	CHECK_STRING(first.display_name, "my \"space");
	CHECK_STRING(wr_view_of_string(first.root), path_of("my \"space"));
	CHECK_U64(first.workspace_id.bytes, 36);
	CHECK(first.workspace_id.data[14] == '7');
	CHECK(wr_view_starts(first.created_at, WR_VIEW("2")));
	CHECK_U64(first.created_at.bytes, 20);
	CHECK(open_at(&second, path_of("my \"space"), &message));
	CHECK_VIEW(second.workspace_id, first.workspace_id);
	CHECK_VIEW(second.created_at, first.created_at);
	CHECK_VIEW(second.display_name, first.display_name);
	/* Nothing else is left there. */
	CHECK(unlink(path_of("my \"space/.yoi/workspace.toml")) == 0);
	CHECK(rmdir(path_of("my \"space/.yoi")) == 0);
	CHECK(open_at(&second, path_of("my \"space"), &message));
	CHECK(!wr_view_equal(second.workspace_id, first.workspace_id));
	remove_top();
}

static void test_names_are_made_of_folders_that_have_odd_ones(void)
{
	static const struct {
		const char *folder, *name;
	} cases[] = {
		{"a\\b\x01", "ab"},
		{" ", "workspace"},
		{"\x01\x02", "workspace"},
		{"\345\244\234", "\345\244\234"},
		{"x\xff", "x"},
	};

	make_top();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_workspace space;
		struct wr_view message;

		wr_test_case(cases[i].folder);
		if (mkdir(path_of(cases[i].folder), 0700) != 0) {
			printf("this filesystem has no such name\n");
			continue;
		}
		CHECK(open_at(&space, path_of(cases[i].folder), &message));
		CHECK_STRING(space.display_name, cases[i].name);
	}
	remove_top();
}

static void test_what_stands_there_is_taken(void)
{
	static const struct {
		const char *text, *time, *name;
	} cases[] = {
		{ID TIME NAME, "2026-06-26T06:00:00Z", "demo"},
		{"# c\n\n  display_name=  '夜 居'  # x\n" ID
		 "created_at = \"1999-12-31T23:59:60.123456789Z\"",
		 "1999-12-31T23:59:60.123456789Z", "夜 居"},
		{ID TIME "display_name = \"a\\\"\\\\\"\r\n", "2026-06-26T06:00:00Z", "a\"\\"},
	};

	make_top();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_workspace space;
		struct wr_view message;

		wr_test_case(cases[i].text);
		write_file(cases[i].text);
		CHECK(open_at(&space, top, &message));
		CHECK_STRING(space.workspace_id, "01978c52-1f3a-7c11-9b2e-5d0a6c4e8f01");
		CHECK_STRING(space.created_at, cases[i].time);
		CHECK_STRING(space.display_name, cases[i].name);
	}
	remove_top();
}

static void test_what_is_not_understood_is_refused_with_its_line(void)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{"", ":1: workspace_id is missing"},
		{ID TIME, ":3: display_name is missing"},
		{ID NAME, ":3: created_at is missing"},
		{ID TIME NAME "owner = \"x\"\n", ":4: there may be"},
		{ID TIME NAME "[section]\n", ":4: there may be"},
		{ID TIME NAME "[display_name]\n", ":4: there may be"},
		{ID TIME NAME "[[display_name]]\n", ":4: there may be"},
		{ID TIME NAME NAME, ":4: this is set a second time"},
		{ID "created_at = 5\n" NAME, ":2: this must be a string"},
		{ID TIME "display_name = true\n", ":3: this must be a string"},
		{ID TIME "display_name = [\"x\"]\n", ":3: this must be a string"},
		{ID TIME "display_name\n", ":3: "},
		{ID TIME "display_name = \"x\n", ":3: "},
		{ID TIME "display_name = \"\xff\"\n", ":3: "},
		{ID TIME "display_name = \"\"\n", ":3: display_name must"},
		{ID TIME "display_name = \" \\t\"\n", ":3: display_name must"},
		{ID TIME "display_name = \"a\\u0001\"\n", ":3: display_name must"},
		{ID TIME "display_name = \"a\\u0085\"\n", ":3: display_name must"},
		{ID TIME "display_name = \"a\\u007f\"\n", ":3: display_name must"},
		{"workspace_id = \"01978c52-1f3a-4c11-9b2e-5d0a6c4e8f01\"\n" TIME NAME,
		 ":1: workspace_id must"},
		{"workspace_id = \"01978c52-1f3a-7c11-cb2e-5d0a6c4e8f01\"\n" TIME NAME,
		 ":1: workspace_id must"},
		{"workspace_id = \"01978C52-1f3a-7c11-9b2e-5d0a6c4e8f01\"\n" TIME NAME,
		 ":1: workspace_id must"},
		{"workspace_id = \"01978c5211f3a-7c11-9b2e-5d0a6c4e8f01\"\n" TIME NAME,
		 ":1: workspace_id must"},
		{"workspace_id = \"01978c52-1f3a-7c11-9b2e-5d0a6c4e8f0\"\n" TIME NAME,
		 ":1: workspace_id must"},
		{"workspace_id = \"\"\n" TIME NAME, ":1: workspace_id must"},
		{ID "created_at = \"2026-06-26T06:00:00+00:00\"\n" NAME, ":2: created_at must"},
		{ID "created_at = \"2026-06-26T06:00:00\"\n" NAME, ":2: created_at must"},
		{ID "created_at = \"2026-06-26T06:00:00.Z\"\n" NAME, ":2: created_at must"},
		{ID "created_at = \"2026-06-26 06:00:00Z\"\n" NAME, ":2: created_at must"},
		{ID "created_at = \"2026-06-26T06:00:00Zz\"\n" NAME, ":2: created_at must"},
		{ID "created_at = \"2026-13-26T06:00:00Z\"\n" NAME, ":2: created_at must"},
		{ID "created_at = \"2026-00-26T06:00:00Z\"\n" NAME, ":2: created_at must"},
		{ID "created_at = \"2026-06-32T06:00:00Z\"\n" NAME, ":2: created_at must"},
		{ID "created_at = \"2026-06-26T24:00:00Z\"\n" NAME, ":2: created_at must"},
		{ID "created_at = \"2026-06-26T06:60:00Z\"\n" NAME, ":2: created_at must"},
		{ID "created_at = \"202x-06-26T06:00:00Z\"\n" NAME, ":2: created_at must"},
		{ID "created_at = \"\"\n" NAME, ":2: created_at must"},
	};

	make_top();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_workspace space;
		struct wr_view message;

		wr_test_case(cases[i].text);
		write_file(cases[i].text);
		CHECK(!open_at(&space, top, &message));
		CHECK(contains(message, "/.yoi/workspace.toml:"));
		CHECK(contains(message, cases[i].said));
		CHECK_STRING(wr_test_read_file(path_of(".yoi/workspace.toml")), cases[i].text);
	}
	remove_top();
}

static void test_a_torn_file_is_refused_wherever_it_ends(void)
{
	static const char whole[] = ID TIME NAME;

	make_top();
	for (size_t bytes = 0; bytes + 2 < sizeof whole; bytes++) {
		struct wr_workspace space;
		struct wr_view message;
		char text[sizeof whole];

		memcpy(text, whole, bytes);
		text[bytes] = '\0';
		write_file(text);
		CHECK(!open_at(&space, top, &message));
	}
	remove_top();
}

static void test_other_things_of_that_name_are_not_read(void)
{
	struct wr_workspace space;
	struct wr_view message;
	static char large[4098];

	make_top();
	memset(large, '#', sizeof large - 1);
	write_file(large);
	CHECK(!open_at(&space, top, &message));
	CHECK(contains(message, "4096 bytes"));
	CHECK(unlink(path_of(".yoi/workspace.toml")) == 0);

	CHECK(mkfifo(path_of(".yoi/workspace.toml"), 0600) == 0);
	CHECK(!open_at(&space, top, &message));
	CHECK(contains(message, "no regular file"));
	CHECK(unlink(path_of(".yoi/workspace.toml")) == 0);

	CHECK(symlink("/dev/null", path_of(".yoi/workspace.toml")) == 0);
	CHECK(!open_at(&space, top, &message));
	CHECK(contains(message, "no regular file"));
	CHECK(unlink(path_of(".yoi/workspace.toml")) == 0);
	/* Nothing was left beside it. */
	CHECK(rmdir(path_of(".yoi")) == 0);

	CHECK(mkdir(path_of("elsewhere"), 0700) == 0);
	CHECK(symlink("elsewhere", path_of(".yoi")) == 0);
	CHECK(!open_at(&space, top, &message));
	CHECK(rmdir(path_of("elsewhere")) == 0);
	remove_top();
}

static void test_a_root_that_is_no_folder_is_refused(void)
{
	struct wr_workspace space;
	struct wr_view message;

	make_top();
	write_file("");
	CHECK(!open_at(&space, path_of("none"), &message));
	CHECK(contains(message, "none: No such file"));
	CHECK(!open_at(&space, path_of(".yoi/workspace.toml"), &message));
	CHECK(contains(message, "Not a directory"));
	CHECK(!open_at(&space, "", &message));
	remove_top();
}

static void test_links_in_the_root_are_resolved(void)
{
	struct wr_workspace space;
	struct wr_view message;

	make_top();
	CHECK(mkdir(path_of("real"), 0700) == 0);
	CHECK(symlink("real", path_of("link")) == 0);
	CHECK(open_at(&space, path_of("link/"), &message));
	CHECK_STRING(wr_view_of_string(space.root), path_of("real"));
	CHECK_STRING(space.display_name, "real");
	remove_top();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_the_first_start_makes_it_and_the_next_finds_it),
	WR_TEST(test_names_are_made_of_folders_that_have_odd_ones),
	WR_TEST(test_what_stands_there_is_taken),
	WR_TEST(test_what_is_not_understood_is_refused_with_its_line),
	WR_TEST(test_a_torn_file_is_refused_wherever_it_ends),
	WR_TEST(test_other_things_of_that_name_are_not_read),
	WR_TEST(test_a_root_that_is_no_folder_is_refused),
	WR_TEST(test_links_in_the_root_are_resolved),
	WR_TEST_END,
};
