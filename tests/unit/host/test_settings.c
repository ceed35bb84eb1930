/*
 * Goal: a flag counts more than the environment, that more than the file, and the file more than
 * the default; whatever is wrong with either is told with its place and what to do; what is printed
 * is what counts.
 *
 * Method: a small program's options, with a section, are read from an argv and a file of each case;
 * all of it is compared with what --print-config says.
 */
#include "check.h"
#include "harness/harness.h"
#include "host/settings.h"
#include "host/texts.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { ELEMENTS_MAX = 3, ARGUMENTS_MAX = 8 };

struct element {
	uint32_t line;
	const char *id, *url, *key_env;
	uint64_t wait_ms, room;
	struct wr_texts tags;
	bool is_quiet;
};

struct inner {
	uint64_t store;
	const char *root;
};

struct values {
	const char *bind, *name, *secret, *config, *variable;
	struct wr_texts origins;
	uint64_t count, bytes;
	struct inner inner;
	bool is_quiet, wants_print, wants_help;
	uint32_t element_count;
	struct element elements[ELEMENTS_MAX];
};

static bool is_lower(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes; i++)
		if (text.data[i] < 'a' || text.data[i] > 'z')
			return false;
	return true;
}

static const struct wr_option own[] = {
	WR_OPTION_GROUP("Own"),
	{.name = "bind",
	 .value = "ADDR",
	 .help = "where",
	 .kind = WR_OPTION_ADDRESS,
	 .place = offsetof(struct values, bind),
	 .text = "127.0.0.1:0"},
	WR_OPTION_STRING(struct values, name, "name", "NAME", WR_OPTION_NAME, "who"),
	WR_OPTION_STRING(struct values, secret, "the-secret", "TOKEN", WR_OPTION_SECRET, "hush"),
	WR_OPTION_STRING(struct values, variable, "token-env", "NAME", WR_OPTION_VARIABLE, "in it"),
	WR_OPTION_STRING(struct values, origins, "allow-origin", "ORIGIN", WR_OPTION_LIST, "from"),
	WR_OPTION_NUMBER(struct values, count, "max-count", "N", WR_OPTION_COUNT, 1, 5, 100, "all"),
	WR_OPTION_NUMBER(struct values, bytes, "max-bytes", "SIZE", WR_OPTION_BYTES, 0, 1024,
			 1 << 20, "of it"),
	WR_OPTION_BOOLEAN(struct values, is_quiet, "quiet", WR_OPTION_SWITCH, "say nothing"),
	WR_OPTION_STRING(struct values, config, "config", "FILE", WR_OPTION_CONFIG, "a file"),
	WR_OPTION_BOOLEAN(struct values, wants_print, "print-config", WR_OPTION_ACTION, "print"),
	WR_OPTION_BOOLEAN(struct values, wants_help, "help", WR_OPTION_SHOW, "help"),
	WR_OPTION_END,
};

static const struct wr_option shared[] = {
	WR_OPTION_GROUP("Shared"),
	WR_OPTION_WORD(struct inner, store, "store", "memory|fs|fs-store", 0, 1, "kept where"),
	{.name = "fs-root",
	 .value = "DIR",
	 .help = "folder",
	 .place = offsetof(struct inner, root),
	 .implies = "store",
	 .implied_number = 1},
	WR_OPTION_END,
};

static const struct wr_option of_element[] = {
	{.name = "id",
	 .value = "ID",
	 .help = "its id",
	 .place = offsetof(struct element, id),
	 .is_good = is_lower,
	 .is_required = true},
	WR_OPTION_REQUIRED(struct element, url, "base_url", "URL", WR_OPTION_URL, "its place"),
	WR_OPTION_NUMBER(struct element, wait_ms, "wait-ms", "MS", WR_OPTION_MS, 1, 10, 1000, "so"),
	WR_OPTION_NUMBER(struct element, room, "room", "SIZE", WR_OPTION_BYTES, 1, 2048, 1 << 20,
			 "so much"),
	WR_OPTION_STRING(struct element, key_env, "key-env", "NAME", WR_OPTION_VARIABLE, "its key"),
	WR_OPTION_STRING(struct element, tags, "tags", "TAG", WR_OPTION_LIST, "of it"),
	WR_OPTION_BOOLEAN(struct element, is_quiet, "quiet", WR_OPTION_SWITCH, "no word"),
	WR_OPTION_END,
};

static const struct wr_option_part parts[] = {
	{own, 0}, {shared, offsetof(struct values, inner)}, {NULL, 0}};

static const struct wr_option_section sections[] = {
	{.name = "remote",
	 .help = "In the file, for each [[remote]]",
	 .list = of_element,
	 .place = offsetof(struct values, elements),
	 .count_place = offsetof(struct values, element_count),
	 .line_place = offsetof(struct element, line),
	 .element_bytes = sizeof(struct element),
	 .count_max = ELEMENTS_MAX},
	{.name = NULL}};

static const struct wr_options options = {.usage = "usage: test\n",
					  .about = "About.\n",
					  .examples = "Examples\n",
					  .variable_prefix = "WR_T_",
					  .variable_reserved = "CHILD",
					  .parts = parts,
					  .sections = sections};

/* ---- one reading ---- */

static struct values values;
static struct wr_settings settings;
static char said[4096];
static struct wr_buf message;
static char path[64];
static char *const *environment; /* of the next reading */

static void write_file(struct wr_view text)
{
	int fd;

	if (path[0] == '\0')
		snprintf(path, sizeof path, "/tmp/wr-settings-%ld", (long)getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0);
	CHECK(write(fd, text.data, text.bytes) == (ssize_t)text.bytes);
	close(fd);
}

/* Reads the flags, which end with NULL, and a file with this text (NULL: there is none). */
static bool read_all(const char *const *flags, const char *file)
{
	static const char *argv[ARGUMENTS_MAX + 3];
	int argc = 0;

	argv[argc++] = "test";
	if (file != NULL) {
		write_file(wr_view_of_string(file));
		argv[argc++] = "--config";
		argv[argc++] = path;
	}
	for (int i = 0; i < ARGUMENTS_MAX && flags[i] != NULL; i++)
		argv[argc++] = flags[i];
	values = (struct values){.bind = NULL};
	wr_buf_init_fixed(&message, said, sizeof said - 1);
	memset(said, 0, sizeof said);
	wr_settings_init(&settings, &options, &values, wr_test_allocator());
	settings.environment = environment;
	return wr_settings_read(&settings, &message, argc, argv);
}

static void end(void)
{
	wr_settings_deinit(&settings);
	if (path[0] != '\0')
		unlink(path);
}

/* What --print-config says, with the path of the file written as FILE. */
static const char *printed(void)
{
	static char storage[8192], out[8192];
	struct wr_buf buf;
	char *to = out;

	wr_buf_init_fixed(&buf, storage, sizeof storage - 1);
	wr_settings_print(&settings, &buf);
	CHECK_STATUS(wr_buf_status(&buf), WR_OK);
	storage[buf.bytes] = '\0';
	for (const char *at = storage; *at != '\0';) {
		if (path[0] != '\0' && strncmp(at, path, strlen(path)) == 0) {
			memcpy(to, "FILE", 4);
			to += 4;
			at += strlen(path);
		} else {
			*to++ = *at++;
		}
	}
	*to = '\0';
	return out;
}

/* Without comments. */
static const char *bare(char *out, const char *text)
{
	char *to = out;

	while (*text != '\0') {
		size_t bytes = strcspn(text, "\n") + 1;
		const char *comment = strstr(text, "  # ");
		size_t kept = comment != NULL && comment < text + bytes ? (size_t)(comment - text)
									: bytes - 1;
		if (text[0] != '#') {
			memcpy(to, text, kept);
			to[kept] = '\n';
			to += kept + 1;
		}
		text += bytes;
	}
	*to = '\0';
	return out;
}

/* What was printed is a file that says the same. */
static void check_it_is_a_file(void)
{
	static const char *const no_flags[ARGUMENTS_MAX] = {NULL};
	static char text[8192], first[8192], second[8192];

	snprintf(text, sizeof text, "%s", printed());
	end();
	CHECK(read_all(no_flags, text));
	CHECK_STRING(wr_view_of_string(bare(second, printed())), bare(first, text));
}

/* ---- what counts ---- */

static void test_values_come_from_flags_then_the_file_then_defaults(void)
{
	static const struct {
		const char *label;
		const char *flags[ARGUMENTS_MAX];
		const char *file, *prints;
	} cases[] = {
		{"defaults",
		 {NULL},
		 NULL,
		 "bind = \"127.0.0.1:0\"\nmax-count = 5\nmax-bytes = \"1K\"\nquiet = false\n"
		 "store = \"memory\"\n"},
		{"flags",
		 {"--name=a", "--max-count", "7", "--quiet", "--the-secret=x", "--max-count=8",
		  "--store=fs-store"},
		 NULL,
		 "bind = \"127.0.0.1:0\"\nname = \"a\"\n# the-secret = (hidden)\nmax-count = 8\n"
		 "max-bytes = \"1K\"\nquiet = true\nstore = \"fs\"\n"},
		{"a list of flags",
		 {"--allow-origin", "a", "--allow-origin=b", "--quiet=true", "--quiet=false"},
		 NULL,
		 "bind = \"127.0.0.1:0\"\nallow-origin = [\"a\", \"b\"]\nmax-count = 5\n"
		 "max-bytes = \"1K\"\nquiet = false\nstore = \"memory\"\n"},
		{"an empty file",
		 {NULL},
		 "",
		 "bind = \"127.0.0.1:0\"  # default\nmax-count = 5  # default\n"
		 "max-bytes = \"1K\"  # default\nquiet = false  # default\n# config = \"FILE\"  # "
		 "flag\n"
		 "store = \"memory\"  # default\n"},
		{"a file and flags",
		 {"--max-count=9", "--quiet=false"},
		 "name = \"b\"\nmax-count = 7\nmax_bytes = \"64K\"\nquiet = true\n",
		 "bind = \"127.0.0.1:0\"  # default\nname = \"b\"  # FILE:1\nmax-count = 9  # "
		 "flag\n"
		 "max-bytes = \"64K\"  # FILE:3\nquiet = false  # flag\n# config = \"FILE\"  # "
		 "flag\n"
		 "store = \"memory\"  # default\n"},
		{"lists of both",
		 {"--allow-origin=c"},
		 "allow_origin = [\"a\", \"b\"]\nmax_count = \"7\"\nmax-bytes = 3072",
		 "bind = \"127.0.0.1:0\"  # default\nallow-origin = [\"c\"]  # flag\n"
		 "max-count = 7  # FILE:2\nmax-bytes = \"3K\"  # FILE:3\nquiet = false  # default\n"
		 "# config = \"FILE\"  # flag\nstore = \"memory\"  # default\n"},
		{"a list of the file",
		 {NULL},
		 "\nallow_origin = [\n  \"a\", # one\n  \"b\"\n]\nquiet = true",
		 "bind = \"127.0.0.1:0\"  # default\nallow-origin = [\"a\", \"b\"]  # "
		 "FILE:2\nmax-count = 5  # default\n"
		 "max-bytes = \"1K\"  # default\nquiet = true  # FILE:6\n# config = \"FILE\"  # "
		 "flag\n"
		 "store = \"memory\"  # default\n"},
		{"a flag that implies another",
		 {"--store=memory", "--fs-root=/x"},
		 NULL,
		 "bind = \"127.0.0.1:0\"\nmax-count = 5\nmax-bytes = \"1K\"\nquiet = false\nstore "
		 "= \"fs\"\n"
		 "fs-root = \"/x\"\n"},
		{"and is overridden",
		 {"--fs-root=/x", "--store=memory"},
		 NULL,
		 "bind = \"127.0.0.1:0\"\nmax-count = 5\nmax-bytes = \"1K\"\nquiet = false\n"
		 "store = \"memory\"\nfs-root = \"/x\"\n"},
		{"a key that implies another",
		 {NULL},
		 "fs_root = \"/x\"",
		 "bind = \"127.0.0.1:0\"  # default\nmax-count = 5  # default\n"
		 "max-bytes = \"1K\"  # default\nquiet = false  # default\n# config = \"FILE\"  # "
		 "flag\n"
		 "store = \"fs\"  # FILE:1\nfs-root = \"/x\"  # FILE:1\n"},
		{"which the file says, too",
		 {NULL},
		 "store = \"memory\"\nfs_root = \"/x\"",
		 "bind = \"127.0.0.1:0\"  # default\nmax-count = 5  # default\n"
		 "max-bytes = \"1K\"  # default\nquiet = false  # default\n# config = \"FILE\"  # "
		 "flag\n"
		 "store = \"memory\"  # FILE:1\nfs-root = \"/x\"  # FILE:2\n"},
		{"in the other order",
		 {NULL},
		 "fs_root = \"/x\"\nstore = \"memory\"",
		 "bind = \"127.0.0.1:0\"  # default\nmax-count = 5  # default\n"
		 "max-bytes = \"1K\"  # default\nquiet = false  # default\n# config = \"FILE\"  # "
		 "flag\n"
		 "store = \"memory\"  # FILE:2\nfs-root = \"/x\"  # FILE:1\n"},
		{"against a flag",
		 {"--store=memory"},
		 "fs_root = \"/x\"",
		 "bind = \"127.0.0.1:0\"  # default\nmax-count = 5  # default\n"
		 "max-bytes = \"1K\"  # default\nquiet = false  # default\n# config = \"FILE\"  # "
		 "flag\n"
		 "store = \"memory\"  # flag\nfs-root = \"/x\"  # FILE:1\n"},
		{"sections",
		 {"--max-count=6"},
		 "[[remote]]\nid = \"a\"\nbase_url = \"http://h:1/p\"\nroom = 5000\n"
		 "tags = ['x', 'say \"y\"\t']\n\n"
		 "[[remote]]\nbase-url = 'http://i'\nwait_ms = 99\nid = \"b\"\nquiet = true\n",
		 "bind = \"127.0.0.1:0\"  # default\nmax-count = 6  # flag\n"
		 "max-bytes = \"1K\"  # default\nquiet = false  # default\n# config = \"FILE\"  # "
		 "flag\n"
		 "store = \"memory\"  # default\n"
		 "\n[[remote]]  # FILE:1\nid = \"a\"\nbase_url = \"http://h:1/p\"\nwait-ms = 10\n"
		 "room = \"5000\"\ntags = [\"x\", \"say \\\"y\\\"\\u0009\"]\nquiet = false\n"
		 "\n[[remote]]  # FILE:7\nid = \"b\"\nbase_url = \"http://i\"\nwait-ms = 99\n"
		 "room = \"2K\"\ntags = []\nquiet = true\n"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		CHECK(read_all(cases[i].flags, cases[i].file));
		CHECK_U64(message.bytes, 0);
		CHECK(!settings.is_file_wrong);
		CHECK_STRING(wr_view_of_string(printed()), cases[i].prints);
		check_it_is_a_file();
		end();
	}
}

static void test_asked_for_help_it_looks_no_further(void)
{
	static const struct {
		const char *label;
		const char *flags[ARGUMENTS_MAX];
		const char *file;
	} cases[] = {
		{"alone", {"--help"}, NULL},
		{"the short one", {"-h"}, NULL},
		{"before what is wrong", {"--help", "--bogus", "x"}, NULL},
		{"with a wrong file", {"--help"}, "bogus"},
		{"behind other flags", {"--max-count", "7", "--help"}, NULL},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		CHECK(read_all(cases[i].flags, cases[i].file));
		CHECK(values.wants_help && !values.wants_print);
		end();
	}
}

/* ---- the environment ---- */

enum { VARIABLES_MAX = 6 };

/* Copies, as a process has them: what is wiped is written. */
static void set_environment(const char *const *variables)
{
	static char texts[VARIABLES_MAX][4096];
	static char *pointers[VARIABLES_MAX + 1];
	size_t count = 0;

	for (; count < VARIABLES_MAX && variables[count] != NULL; count++) {
		snprintf(texts[count], sizeof texts[count], "%s", variables[count]);
		pointers[count] = texts[count];
	}
	pointers[count] = NULL;
	environment = pointers;
}

static void test_the_environment_stands_between_flags_and_the_file(void)
{
	static const struct {
		const char *label;
		const char *variables[VARIABLES_MAX];
		const char *flags[ARGUMENTS_MAX];
		const char *file, *prints;
	} cases[] = {
		{"others' variables",
		 {"PATH=/bin", "WR_TX=1", "WR_T", "XWR_T_NAME=a", "wr_t_name=a"},
		 {NULL},
		 NULL,
		 "bind = \"127.0.0.1:0\"\nmax-count = 5\nmax-bytes = \"1K\"\nquiet = false\n"
		 "store = \"memory\"\n"},
		{"every kind",
		 {"WR_T_NAME=a=b", "WR_T_THE_SECRET=x", "WR_T_ALLOW_ORIGIN=a,b", "WR_T_MAX_COUNT=7",
		  "WR_T_QUIET=true", "WR_T_STORE=fs-store"},
		 {NULL},
		 NULL,
		 "bind = \"127.0.0.1:0\"  # default\nname = \"a=b\"  # WR_T_NAME\n"
		 "# the-secret = (hidden)  # WR_T_THE_SECRET\n"
		 "allow-origin = [\"a\", \"b\"]  # WR_T_ALLOW_ORIGIN\n"
		 "max-count = 7  # WR_T_MAX_COUNT\nmax-bytes = \"1K\"  # default\n"
		 "quiet = true  # WR_T_QUIET\nstore = \"fs\"  # WR_T_STORE\n"},
		{"against flags and a file",
		 {"WR_T_MAX_COUNT=7", "WR_T_NAME=e", "WR_T_ALLOW_ORIGIN=e,f"},
		 {"--max-count=8", "--allow-origin=g"},
		 "max_count = 6\nname = 'f'\nallow_origin = ['a', 'b', 'c']\nmax_bytes = 9",
		 "bind = \"127.0.0.1:0\"  # default\nname = \"e\"  # WR_T_NAME\n"
		 "allow-origin = [\"g\"]  # flag\nmax-count = 8  # flag\nmax-bytes = \"9\"  # "
		 "FILE:4\n"
		 "quiet = false  # default\n# config = \"FILE\"  # flag\nstore = \"memory\"  # "
		 "default\n"},
		{"a list against one of the file",
		 {"WR_T_ALLOW_ORIGIN=e"},
		 {NULL},
		 "allow_origin = ['a', 'b', 'c']",
		 "bind = \"127.0.0.1:0\"  # default\nallow-origin = [\"e\"]  # WR_T_ALLOW_ORIGIN\n"
		 "max-count = 5  # default\nmax-bytes = \"1K\"  # default\nquiet = false  # "
		 "default\n"
		 "# config = \"FILE\"  # flag\nstore = \"memory\"  # default\n"},
		{"implying",
		 {"WR_T_FS_ROOT=/x"},
		 {NULL},
		 "store = 'memory'",
		 "bind = \"127.0.0.1:0\"  # default\nmax-count = 5  # default\n"
		 "max-bytes = \"1K\"  # default\nquiet = false  # default\n# config = \"FILE\"  # "
		 "flag\n"
		 "store = \"fs\"  # WR_T_STORE\nfs-root = \"/x\"  # WR_T_FS_ROOT\n"},
		{"implying, and said otherwise there",
		 {"WR_T_STORE=memory", "WR_T_FS_ROOT=/x"},
		 {NULL},
		 NULL,
		 "bind = \"127.0.0.1:0\"  # default\nmax-count = 5  # default\n"
		 "max-bytes = \"1K\"  # default\nquiet = false  # default\n"
		 "store = \"memory\"  # WR_T_STORE\nfs-root = \"/x\"  # WR_T_FS_ROOT\n"},
		{"implying, in the other order and against a flag",
		 {"WR_T_FS_ROOT=/x"},
		 {"--store=memory"},
		 NULL,
		 "bind = \"127.0.0.1:0\"  # default\nmax-count = 5  # default\n"
		 "max-bytes = \"1K\"  # default\nquiet = false  # default\n"
		 "store = \"memory\"  # flag\nfs-root = \"/x\"  # WR_T_FS_ROOT\n"},
		{"what is there for others",
		 {"WR_T_CHILD=x", "WR_T_SERVICE_HOST=10.0.0.1", "WR_T_PORT=tcp://10.0.0.1:80",
		  "WR_T_PORT_80_TCP_ADDR=10.0.0.1", "WR_T_SERVICE_PORT_HTTP=80",
		  "WR_T_SERVICE_PORT=80"},
		 {NULL},
		 NULL,
		 "bind = \"127.0.0.1:0\"\nmax-count = 5\nmax-bytes = \"1K\"\nquiet = false\n"
		 "store = \"memory\"\n"},
		{"what settings name",
		 {"WR_T_TOKEN=hunter2", "WR_T_KEY=hunter2"},
		 {"--token-env=WR_T_TOKEN"},
		 "[[remote]]\nid = 'a'\nbase_url = 'http://h'\nkey_env = 'WR_T_KEY'",
		 "bind = \"127.0.0.1:0\"  # default\ntoken-env = \"WR_T_TOKEN\"  # flag\n"
		 "max-count = 5  # default\nmax-bytes = \"1K\"  # default\nquiet = false  # "
		 "default\n"
		 "# config = \"FILE\"  # flag\nstore = \"memory\"  # default\n"
		 "\n[[remote]]  # FILE:1\nid = \"a\"\nbase_url = \"http://h\"\nwait-ms = 10\n"
		 "room = \"2K\"\nkey-env = \"WR_T_KEY\"\ntags = []\nquiet = false\n"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		set_environment(cases[i].variables);
		CHECK(read_all(cases[i].flags, cases[i].file));
		CHECK_U64(message.bytes, 0);
		CHECK_STRING(wr_view_of_string(printed()), cases[i].prints);
		end();
	}
}

static void test_the_environment_can_name_the_file_unless_a_flag_does(void)
{
	static const char *const no_flags[] = {NULL};
	const char *flags[] = {"--config", "/nowhere/at/all", NULL};
	char variable[128];

	write_file(WR_VIEW("max_count = 6"));
	snprintf(variable, sizeof variable, "WR_T_CONFIG=%s", path);
	set_environment((const char *const[]){variable, NULL});
	CHECK(read_all(no_flags, NULL));
	CHECK_U64(values.count, 6);
	CHECK(strcmp(settings.path, path) == 0);
	wr_settings_deinit(&settings);
	CHECK(!read_all(flags, NULL));
	CHECK_STRING(wr_buf_view(&message), "/nowhere/at/all: No such file or directory");
	end();
}

static void test_a_wrong_environment_is_told_by_its_names(void)
{
	static const struct {
		const char *label, *variable, *says;
	} cases[] = {
		{"unknown", "WR_T_MAX_COUNTS=1",
		 "the environment has WR_T_MAX_COUNTS, and there is no such setting; unset it; "
		 "--help tells which there are: WR_T_X_Y for --x-y"},
		{"in other case", "WR_T_max_count=1", "the environment has WR_T_max_count, and"},
		{"with a dash", "WR_T_MAX-COUNT=1", "the environment has WR_T_MAX-COUNT, and"},
		{"the prefix alone", "WR_T_=1", "the environment has WR_T_, and"},
		{"no value", "WR_T_NAME", "the environment has WR_T_NAME, and"},
		{"an action", "WR_T_HELP=true", "the environment has WR_T_HELP, and"},
		{"another action", "WR_T_PRINT_CONFIG=true",
		 "the environment has WR_T_PRINT_CONFIG, and"},
		{"a key of a section", "WR_T_ID=a", "the environment has WR_T_ID, and"},
		{"more than what is reserved", "WR_T_CHILDREN=a",
		 "the environment has WR_T_CHILDREN, and"},
		{"a port that is nobody's service", "WR_T_PORT=8650",
		 "the environment has WR_T_PORT, and"},
		{"another of the kind", "WR_T_PORT_X=1", "the environment has WR_T_PORT_X, and"},
		{"out of range", "WR_T_MAX_COUNT=hunter2",
		 "WR_T_MAX_COUNT in the environment cannot be that; it takes N, from 1 to 100"},
		{"empty",
		 "WR_T_BIND=", "WR_T_BIND in the environment cannot be that; it takes ADDR"},
		{"a switch", "WR_T_QUIET=1",
		 "WR_T_QUIET in the environment cannot be that; it takes true or false"},
		{"an empty list", "WR_T_ALLOW_ORIGIN=",
		 "WR_T_ALLOW_ORIGIN in the environment cannot be that; it takes ORIGIN, not empty, "
		 "and at most 32 of them, with commas between"},
		{"an empty item", "WR_T_ALLOW_ORIGIN=a,,b", "WR_T_ALLOW_ORIGIN in the environment"},
		{"a comma at the end", "WR_T_ALLOW_ORIGIN=a,", "WR_T_ALLOW_ORIGIN in the"},
		{"an empty secret",
		 "WR_T_THE_SECRET=", "WR_T_THE_SECRET in the environment cannot"},
		{"no name of a variable", "WR_T_TOKEN_ENV=2X",
		 "WR_T_TOKEN_ENV in the environment cannot be that; it takes NAME: of an "
		 "environment variable"},
		{"wrong, though a flag counts",
		 "WR_T_NAME= ", "WR_T_NAME in the environment cannot"},
		{"no such file", "WR_T_CONFIG=/nowhere", "/nowhere: No such file"},
	};
	static const char *const flags[] = {"--name=b", NULL};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		set_environment((const char *const[]){cases[i].variable, NULL});
		CHECK(!read_all(flags, NULL));
		CHECK(settings.is_file_wrong);
		CHECK(strncmp(said, cases[i].says, strlen(cases[i].says)) == 0);
		CHECK(strstr(said, "hunter2") == NULL);
		end();
	}
}

static void test_lists_of_the_environment_stay_when_there_are_many(void)
{
	static const char *const no_flags[] = {NULL};
	char variable[2200] = "WR_T_ALLOW_ORIGIN=";

	for (unsigned i = 0; i < WR_TEXT_COUNT_MAX; i++)
		snprintf(variable + strlen(variable), sizeof variable - strlen(variable),
			 "%shttp://a-host-with-a-rather-long-name-%u.example", i == 0 ? "" : ",",
			 i);
	set_environment((const char *const[]){variable, NULL});
	CHECK(read_all(no_flags, NULL));
	CHECK_U64(values.origins.count, WR_TEXT_COUNT_MAX);
	CHECK(strcmp(values.origins.items[0], "http://a-host-with-a-rather-long-name-0.example") ==
	      0);
	CHECK(strcmp(values.origins.items[31],
		     "http://a-host-with-a-rather-long-name-31.example") == 0);
	end();
	strcat(variable, ",b");
	set_environment((const char *const[]){variable, NULL});
	CHECK(!read_all(no_flags, NULL));
	end();
	wr_test_case("no memory");
	wr_test_fail_allocation(1, true);
	CHECK(!read_all(no_flags, NULL));
	CHECK(wr_test_allocation_failed());
	CHECK_STRING(wr_buf_view(&message), "the lists in the environment: out of memory");
	wr_test_fail_allocation(0, false);
	end();
}

static void test_secrets_of_the_environment_are_wiped(void)
{
	static const char *const no_flags[] = {NULL};

	set_environment((const char *const[]){"WR_T_THE_SECRET=abc", "WR_T_NAME=n", NULL});
	CHECK(read_all(no_flags, NULL));
	CHECK(strcmp(values.secret, "abc") == 0);
	wr_settings_wipe_environment(&settings);
	CHECK(memcmp(environment[0], "WR_T_THE_SECRET=\0\0\0", 20) == 0);
	CHECK(strcmp(environment[1], "WR_T_NAME=n") == 0);
	end();
}

/* ---- what is refused ---- */

static void test_a_wrong_command_line_is_told_as_flags(void)
{
	static const struct {
		const char *label;
		const char *flags[ARGUMENTS_MAX];
		const char *says;
	} cases[] = {
		{"unknown", {"--bogus"}, "there is no flag --bogus"},
		{"unknown with a value", {"--bogus=hunter2"}, "there is no flag --bogus"},
		{"an argument", {"x"}, "there is no use for the argument x; flags begin with --"},
		{"an underscore", {"--max_count=1"}, "there is no flag --max_count"},
		{"a key of a section", {"--base-url=http://h"}, "there is no flag --base-url"},
		{"no value", {"--name"}, "--name needs NAME"},
		{"no file", {"--config"}, "--config needs FILE"},
		{"an empty file name", {"--config="}, "--config cannot be that; it takes FILE"},
		{"a value for an action", {"--print-config=1"}, "--print-config takes no value"},
		{"a value for help", {"--help=1"}, "--help takes no value"},
		{"neither true nor false",
		 {"--quiet=yes"},
		 "--quiet cannot be that; it takes true or false"},
		{"nothing for a switch",
		 {"--quiet="},
		 "--quiet cannot be that; it takes true or false"},
		{"a value behind a switch",
		 {"--quiet", "true"},
		 "there is no use for the argument true; flags begin with --"},
		{"below",
		 {"--max-count=0"},
		 "--max-count cannot be that; it takes N, from 1 to 100"},
		{"above",
		 {"--max-count=101"},
		 "--max-count cannot be that; it takes N, from 1 to 100"},
		{"an empty item",
		 {"--allow-origin="},
		 "--allow-origin cannot be that; it takes ORIGIN, not empty, and at most 32 of "
		 "them"},
		{"an empty secret",
		 {"--the-secret="},
		 "--the-secret cannot be that; it takes TOKEN"},
		{"the later one",
		 {"--max-count=1", "--max-count=x"},
		 "--max-count cannot be that; it takes N, from 1 to 100"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		CHECK(!read_all(cases[i].flags, NULL));
		CHECK(!settings.is_file_wrong);
		CHECK_STRING(wr_buf_view(&message), cases[i].says);
		end();
	}
}

#define REMOTE "[[remote]]\nid = 'a'\nbase_url = 'http://h'\n"

static void test_a_wrong_file_is_told_with_its_line(void)
{
	static const struct {
		const char *label, *file, *says;
	} cases[] = {
		{"unknown", "# x\nbindd = 'x'",
		 "2: there is no key `bindd`; --help tells which there are"},
		{"in other case", "Name = 'x'",
		 "1: there is no key `Name`; --help tells which there are"},
		{"an action", "help = true",
		 "1: there is no key `help`; --help tells which there are"},
		{"another file", "config = '/x'",
		 "1: there is no key `config`; --help tells which there are"},
		{"a secret", "the_secret = 'x'",
		 "1: `the_secret` is a secret, and belongs into a file of its own"},
		{"twice", "name = 'a'\n\nname = 'a'", "3: `name` stands on line 1 already"},
		{"in both spellings", "max-count = 1\nmax_count = 1",
		 "2: `max_count` stands on line 1 already"},
		{"an empty list twice", "allow_origin = []\nallow_origin = ['a']",
		 "2: `allow_origin` stands on line 1 already"},
		{"a number for a text", "name = 5", "1: `name` takes a string in quotes"},
		{"true for a text", "name = true", "1: `name` takes a string in quotes"},
		{"a list for a text", "name = ['a']", "1: `name` takes a string in quotes"},
		{"a number for a choice", "store = 1", "1: `store` takes a string in quotes"},
		{"a list for a number", "max_count = ['1']", "1: `max_count` takes a number"},
		{"true for a number", "max_count = true", "1: `max_count` takes a number"},
		{"true for bytes", "max_bytes = true",
		 "1: `max_bytes` takes a number, or a string with a unit: \"64K\""},
		{"a text for a list", "allow_origin = 'a'",
		 "1: `allow_origin` takes a list of strings: [\"a\", \"b\"]"},
		{"a text for a switch", "quiet = 'true'", "1: `quiet` takes true or false"},
		{"a number for a switch", "quiet = 1", "1: `quiet` takes true or false"},
		{"out of range", "max_count = 101",
		 "1: `max_count` cannot be that; it takes N, from 1 to 100"},
		{"a number with a unit", "max_count = '1K'",
		 "1: `max_count` cannot be that; it takes N, from 1 to 100"},
		{"a host name", "bind = 'localhost:1'",
		 "1: `bind` cannot be that; it takes ADDR: IP:PORT, [v6]:PORT or unix:PATH, and no "
		 "host names"},
		{"an empty folder", "fs_root = ''",
		 "1: `fs_root` cannot be that; it takes DIR: not empty"},
		{"an empty item", "allow_origin = [\n'a',\n'']",
		 "3: `allow_origin` cannot be that; it takes ORIGIN, not empty, and at most 32 of "
		 "them"},
		{"wrong, though a flag counts", "name = ' '",
		 "1: `name` cannot be that; it takes NAME: not blank, in UTF-8"},
		{"no text", "name = 'a'\n\xff", "2: this line is not UTF-8"},
		{"no TOML", "\nname",
		 "2: expected key = value; a key is made of letters, digits, _ "
		 "and -"},
		{"an unknown section", "[x]", "1: there is no section [x]"},
		{"unknown elements", "[[remotes]]", "1: there is no section [remotes]"},
		{"a section for elements", "[remote]",
		 "1: there is no section [remote]; it is written [[remote]]"},
		{"an unknown key of an element", REMOTE "x = 1",
		 "4: there is no key `x` in [[remote]]; --help tells which there are"},
		{"one that stands too late", REMOTE "max_count = 1",
		 "4: there is no key `max_count` in [[remote]]; it belongs before the first "
		 "section"},
		{"twice in an element", REMOTE "id = 'b'", "4: `id` stands on line 2 already"},
		{"a list twice in an element", REMOTE "tags = []\ntags = []",
		 "5: `tags` stands on line 4 already"},
		{"an empty element", "[[remote]]\n", "1: this [[remote]] needs `id`"},
		{"an element without one", REMOTE "[[remote]]\nid = 'b'\n[[remote]]\n",
		 "4: this [[remote]] needs `base_url`"},
		{"the last element", REMOTE "\n[[remote]]\nbase_url = 'http://h'",
		 "5: this [[remote]] needs `id`"},
		{"not good", "[[remote]]\nid = 'A'", "2: `id` cannot be that; it takes ID"},
		{"no URL", "[[remote]]\nbase_url = 'h:1'",
		 "2: `base_url` cannot be that; it takes URL: http://HOST:PORT, and a path when it "
		 "has one"},
		{"out of an element's range", REMOTE "wait_ms = 0",
		 "4: `wait_ms` cannot be that; it takes MS, from 1 to 1000"},
		{"too many elements", REMOTE REMOTE REMOTE REMOTE,
		 "10: there are too many [[remote]]; at most 3"},
	};
	static const char *const flags[] = {"--name=b", NULL};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		size_t length;

		wr_test_case(cases[i].label);
		CHECK(!read_all(flags, cases[i].file));
		CHECK(settings.is_file_wrong);
		length = strlen(path);
		CHECK(strncmp(said, path, length) == 0 && said[length] == ':');
		CHECK_STRING(wr_view_of_string(said + length + 1), cases[i].says);
		end();
	}
}

static void test_lists_hold_so_many(void)
{
	static const char *const no_flags[] = {NULL};
	char text[512] = "allow_origin = [";

	for (unsigned i = 0; i < WR_TEXT_COUNT_MAX; i++)
		strncat(text, "'a',", sizeof text - strlen(text) - 1);
	strncat(text, "\n]", sizeof text - strlen(text) - 1);
	CHECK(read_all(no_flags, text));
	CHECK_U64(values.origins.count, WR_TEXT_COUNT_MAX);
	end();
	text[strlen(text) - 1] = '\0';
	strncat(text, "'b']", sizeof text - strlen(text) - 1);
	CHECK(!read_all(no_flags, text));
	CHECK(strstr(said, ":2: `allow_origin` cannot be that") != NULL);
	end();
}

static void test_a_file_that_cannot_be_read_is_named(void)
{
	static const struct {
		const char *label, *path, *says;
	} cases[] = {
		{"none", "/nowhere/at/all", "/nowhere/at/all: No such file or directory"},
		{"a folder", "/tmp", "/tmp: not a file"},
		{"a device", "/dev/null", "/dev/null: not a file"},
	};
	static char large[WR_TEXT_COUNT_MAX * 40000];
	static const char *const no_flags[] = {NULL};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		const char *flags[] = {"--config", cases[i].path, NULL};

		wr_test_case(cases[i].label);
		CHECK(!read_all(flags, NULL));
		CHECK(settings.is_file_wrong);
		CHECK_STRING(wr_buf_view(&message), cases[i].says);
		end();
	}
	wr_test_case("a large one");
	memset(large, '\n', sizeof large - 1);
	CHECK(!read_all(no_flags, large));
	CHECK(strstr(said, "too large; it may have 1048576 bytes") != NULL);
	end();
	wr_test_case("the largest");
	large[1048576] = '\0';
	CHECK(read_all(no_flags, large));
	end();
	wr_test_case("no memory");
	wr_test_fail_allocation(1, true);
	CHECK(!read_all(no_flags, large));
	CHECK(wr_test_allocation_failed());
	CHECK(strstr(said, "out of memory") != NULL);
	wr_test_fail_allocation(0, false);
	end();
}

/* ---- secrets ---- */

static void test_secrets_are_wiped_and_can_be_left_out_of_a_second_reading(void)
{
	static char name[] = "test", joined[] = "--the-secret=abc", flag[] = "--the-secret",
		    apart[] = "defg", other[] = "--name", harmless[] = "--the-secret=h",
		    unknown[] = "--bogus=i", last[] = "--the-secret";
	static char *argv[] = {name, joined, flag, apart, other, harmless, unknown, last, NULL};
	static const char *const flags[] = {"--the-secret=", "--name=a", NULL};

	CHECK(wr_settings_wipe_secrets(&options, 8, argv));
	CHECK(!wr_settings_wipe_secrets(&options, 1, argv));
	CHECK(strcmp(joined, "--the-secret=") == 0 && joined[15] == '\0');
	CHECK(apart[0] == '\0' && apart[3] == '\0');
	CHECK(strcmp(harmless, "--the-secret=h") == 0);
	CHECK(strcmp(unknown, "--bogus=i") == 0);

	CHECK(!read_all(flags, NULL));
	end();
	values = (struct values){.bind = NULL};
	wr_settings_init(&settings, &options, &values, wr_test_allocator());
	settings.ignores_secrets = true;
	CHECK(wr_settings_read(&settings, &message, 3,
			       (const char *const[]){"test", "--the-secret=", "--name=a"}));
	CHECK(values.secret == NULL && strcmp(values.name, "a") == 0);
	end();
}

static void test_help_names_every_option_and_key(void)
{
	char storage[4096];
	struct wr_buf out;

	wr_buf_init_fixed(&out, storage, sizeof storage);
	wr_options_help(&options, &out);
	CHECK_STRING(wr_buf_view(&out),
		     "usage: test\n"
		     "About.\n"
		     "\nOwn\n"
		     "  --bind ADDR                           where\n"
		     "  --name NAME                           who\n"
		     "  --the-secret TOKEN                    hush\n"
		     "  --token-env NAME                      in it\n"
		     "  --allow-origin ORIGIN                 from\n"
		     "  --max-count N                         all [5]\n"
		     "  --max-bytes SIZE                      of it [1K]\n"
		     "  --quiet                               say nothing\n"
		     "  --config FILE                         a file\n"
		     "  --print-config                        print\n"
		     "  --help                                help\n"
		     "\nShared\n"
		     "  --store memory|fs|fs-store            kept where [memory]\n"
		     "  --fs-root DIR                         folder\n"
		     "\nIn the environment: WR_T_X_Y for --x-y, lists with commas between. A flag "
		     "counts more than\nthat, and that more than the configuration file.\n"
		     "\nIn the file, for each [[remote]]\n"
		     "  id = ID                               its id\n"
		     "  base_url = URL                        its place\n"
		     "  wait-ms = MS                          so [10]\n"
		     "  room = SIZE                           so much [2K]\n"
		     "  key-env = NAME                        its key\n"
		     "  tags = TAG                            of it\n"
		     "  quiet                                 no word\n"
		     "\nExamples\n");
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_values_come_from_flags_then_the_file_then_defaults),
	WR_TEST(test_the_environment_stands_between_flags_and_the_file),
	WR_TEST(test_the_environment_can_name_the_file_unless_a_flag_does),
	WR_TEST(test_a_wrong_environment_is_told_by_its_names),
	WR_TEST(test_lists_of_the_environment_stay_when_there_are_many),
	WR_TEST(test_secrets_of_the_environment_are_wiped),
	WR_TEST(test_asked_for_help_it_looks_no_further),
	WR_TEST(test_a_wrong_command_line_is_told_as_flags),
	WR_TEST(test_a_wrong_file_is_told_with_its_line),
	WR_TEST(test_lists_hold_so_many),
	WR_TEST(test_a_file_that_cannot_be_read_is_named),
	WR_TEST(test_secrets_are_wiped_and_can_be_left_out_of_a_second_reading),
	WR_TEST(test_help_names_every_option_and_key),
	WR_TEST_END,
};
