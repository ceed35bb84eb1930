/* Goal: a child sees what is allowed and nothing else, and a name means the file that PATH says.
 * Method: made-up environments; a folder made for the purpose. */
#include "execution/program.h"
#include "check.h"
#include "harness/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path_entry[] = "PATH=/bin", home_entry[] = "HOME=/root", bad_home[] = "HOMES=/x",
	    secret[] = "API_TOKEN=secret", no_value[] = "PATHS",
	    lang[] = "LANG=", preload[] = "LD_PRELOAD=/tmp/x.so";

static void test_only_listed_names_are_inherited(void)
{
	char *all[] = {secret, path_entry, bad_home, preload, no_value, lang, home_entry, NULL};
	char *out[WR_ENVIRONMENT_COUNT_MAX + 1];

	wr_environment_select(out, all, wr_environment_names);
	CHECK(out[0] == path_entry && out[1] == lang && out[2] == home_entry && out[3] == NULL);
	CHECK_STRING(wr_view_of_string(wr_environment_value(all, "HOME")), "/root");
	CHECK(wr_environment_value(all, "HOM") == NULL);
	CHECK(wr_environment_value(all, "PATHS") == NULL);
}

static void test_without_an_environment_nothing_is_inherited(void)
{
	char *out[WR_ENVIRONMENT_COUNT_MAX + 1];

	wr_environment_select(out, NULL, wr_environment_names);
	CHECK(out[0] == NULL);
	CHECK(wr_environment_value(NULL, "PATH") == NULL);
}

static void test_an_environment_that_repeats_itself_is_cut(void)
{
	char *all[200], *out[WR_ENVIRONMENT_COUNT_MAX + 1];

	for (unsigned i = 0; i < 199; i++)
		all[i] = path_entry;
	all[199] = NULL;
	wr_environment_select(out, all, wr_environment_names);
	CHECK(out[WR_ENVIRONMENT_COUNT_MAX - 1] == path_entry);
	CHECK(out[WR_ENVIRONMENT_COUNT_MAX] == NULL);
}

static char folder[] = "/tmp/wr-program-XXXXXX";

static void make_file(const char *name, mode_t mode)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "w");
	CHECK(file != NULL);
	fclose(file);
	CHECK(chmod(path, mode) == 0);
}

static void remove_file(const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	CHECK(remove(path) == 0);
}

static void test_a_name_is_looked_for_in_absolute_folders(void)
{
	char path[WR_PROGRAM_PATH_BYTES_MAX], search[256], expected[64];
	struct wr_error error;

	wr_test_make_folder(folder);
	make_file("prog", 0755);
	make_file("data", 0644);
	CHECK(chdir(folder) == 0);
	snprintf(search, sizeof search, "/nowhere::.:%s:/bin", folder);
	snprintf(expected, sizeof expected, "%s/prog", folder);
	CHECK_STATUS(wr_program_find(path, "prog", search, &error), WR_OK);
	CHECK_STRING(wr_view_of_string(path), expected);
	CHECK_STATUS(wr_program_find(path, "prog", ".", &error), WR_NOT_FOUND);
	CHECK_STATUS(wr_program_find(path, "prog", "", &error), WR_NOT_FOUND);
	CHECK_STATUS(wr_program_find(path, "prog", "::", &error), WR_NOT_FOUND);
	CHECK_STATUS(wr_program_find(path, "data", search, &error), WR_NOT_FOUND);
	CHECK_U64(error.os_error, ENOENT);
	CHECK_STATUS(wr_program_find(path, "..", search, &error), WR_NOT_FOUND);
	CHECK_STATUS(wr_program_find(path, "", search, &error), WR_NOT_FOUND);
	CHECK_STATUS(wr_program_find(path, "sh", NULL, &error), WR_OK);
	CHECK_STATUS(wr_program_find(path, "./prog", search, &error), WR_OK);
	CHECK_STRING(wr_view_of_string(path), "./prog");
	remove_file("prog");
	remove_file("data");
	CHECK(chdir("/") == 0 && rmdir(folder) == 0);
}

static void test_a_path_that_is_no_program_is_refused_with_the_reason(void)
{
	static const struct {
		const char *name;
		int os_error;
	} cases[] = {
		{"./not/here", ENOENT}, {"/no/such", ENOENT},	{"/tmp", EISDIR},
		{"/tmp/", EISDIR},	{"./", EISDIR},		{"/dev/null", EACCES},
		{"./data", EACCES},	{"./prog/", ENOTDIR},	{"./prog/x", ENOTDIR},
		{"./loop", ELOOP},	{"./dangling", ENOENT},
	};
	char path[WR_PROGRAM_PATH_BYTES_MAX];
	struct wr_error error;

	wr_test_make_folder(folder);
	make_file("prog", 0755);
	make_file("data", 0644);
	CHECK(chdir(folder) == 0);
	CHECK(symlink("loop", "loop") == 0 && symlink("nothing", "dangling") == 0);
	CHECK(symlink("prog", "link") == 0);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].name);
		error.os_error = 0;
		CHECK_STATUS(wr_program_find(path, cases[i].name, NULL, &error), WR_NOT_FOUND);
		CHECK_U64(error.os_error, cases[i].os_error);
	}
	CHECK_STATUS(wr_program_find(path, "./link", NULL, &error), WR_OK);
	for (size_t i = 0; i < 5; i++)
		CHECK(unlink((const char *[]){"prog", "data", "loop", "dangling", "link"}[i]) == 0);
	CHECK(chdir("/") == 0 && rmdir(folder) == 0);
}

static void test_names_and_folders_that_are_too_long_are_refused(void)
{
	static char name[WR_PROGRAM_PATH_BYTES_MAX + 1], search[2 * WR_PROGRAM_PATH_BYTES_MAX];
	char path[WR_PROGRAM_PATH_BYTES_MAX];
	struct wr_error error;

	memset(name, 'n', WR_PROGRAM_PATH_BYTES_MAX);
	CHECK_STATUS(wr_program_find(path, name, "/bin", &error), WR_TOO_LARGE);
	name[WR_PROGRAM_PATH_BYTES_MAX - 1] = '\0';
	CHECK_STATUS(wr_program_find(path, name, "/bin", &error), WR_NOT_FOUND);
	memset(search, '/', sizeof search - 1);
	CHECK_STATUS(wr_program_find(path, "sh", search, &error), WR_NOT_FOUND);
	memcpy(search + WR_PROGRAM_PATH_BYTES_MAX, ":/bin", 6);
	CHECK_STATUS(wr_program_find(path, "sh", search, &error), WR_OK);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_only_listed_names_are_inherited),
	WR_TEST(test_without_an_environment_nothing_is_inherited),
	WR_TEST(test_an_environment_that_repeats_itself_is_cut),
	WR_TEST(test_a_name_is_looked_for_in_absolute_folders),
	WR_TEST(test_a_path_that_is_no_program_is_refused_with_the_reason),
	WR_TEST(test_names_and_folders_that_are_too_long_are_refused),
	WR_TEST_END,
};
