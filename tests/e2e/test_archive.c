/* Goal: the core is a library for anybody: the embedding example works as it says, and the archive
 * asks the system for nothing but memory and string calls. Method: run the example; read `nm` of
 * the plain release archive. */
#include "harness/harness.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { OUTPUT_BYTES = 1 << 20, SYMBOLS_MAX = 4096 };

/* Runs a shell command and returns what it printed; *code is its exit code, -1 when it died. */
static char *run(const char *command, int *code)
{
	static char output[OUTPUT_BYTES];
	FILE *pipe = popen(command, "r");
	size_t bytes;
	int state;

	CHECK(pipe != NULL);
	bytes = fread(output, 1, sizeof output - 1, pipe);
	CHECK(bytes < sizeof output - 1);
	output[bytes] = '\0';
	state = pclose(pipe);
	*code = WIFEXITED(state) ? WEXITSTATUS(state) : -1;
	return output;
}

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	return value == NULL || value[0] == '\0' ? NULL : value;
}

static void test_the_embedding_example_does_what_it_says(void)
{
	static const char expected[] = "worker worker-00000001 is running\n"
				       "accepted as event 3\n"
				       "event 3: input \"Hello, who is there?\"\n"
				       "refused: INVALID (content must not be blank)\n"
				       "event 4: output \"A Worker.\"\n"
				       "event 5: worker_stopped\n"
				       "worker is stopped\n"
				       "1 user: Hello, who is there?\n"
				       "2 assistant: A Worker.\n"
				       "0 bytes are still in use\n";
	const char *build = setting("WR_BUILD");
	char command[1000];
	char *output;
	int code;

	if (build == NULL)
		wr_test_skip("WR_BUILD is not set");
	snprintf(command, sizeof command, "'%s/examples/embed' 2>&1", build);
	output = run(command, &code);
	CHECK_STRING(wr_view_of_string(output), expected);
	CHECK_U64(code, 0);
}

/* ---- what the archive needs ---- */

/* C11 7.24, abort, and what a compiler may put into any object by itself. */
static const char *const allowed_names[] = {
	"memcpy",   "memmove",	"memset", "memcmp", "memchr", "strlen",
	"strcmp",   "strncmp",	"strchr", "abort",  "bcmp",   "_GLOBAL_OFFSET_TABLE_",
	"_DYNAMIC", "_gp_disp",
};

/* Stack protector, fortified calls, the compiler's own arithmetic. */
static bool is_of_the_compiler(const char *name)
{
	static const char *const arithmetic[] = {
		"__udivdi3",	 "__umoddi3", "__udivmoddi4", "__divdi3", "__moddi3",
		"__ashldi3",	 "__lshrdi3", "__ashrdi3",    "__muldi3", "__popcountdi2",
		"__popcountsi2", "__clzdi2",  "__ctzdi2",     "__clzsi2", "__ctzsi2",
		"__bswapsi2",	 "__bswapdi2"};
	size_t bytes = strlen(name);

	for (size_t i = 0; i < WR_COUNT(arithmetic); i++)
		if (strcmp(name, arithmetic[i]) == 0)
			return true;
	return strncmp(name, "__stack_chk_", 12) == 0 || strncmp(name, "__aeabi_", 8) == 0 ||
	       strncmp(name, "__x86.", 6) == 0 ||
	       (strncmp(name, "__", 2) == 0 && bytes > 6 && strcmp(name + bytes - 4, "_chk") == 0);
}

static bool is_allowed(const char *name)
{
	for (size_t i = 0; i < WR_COUNT(allowed_names); i++)
		if (strcmp(name, allowed_names[i]) == 0)
			return true;
	return is_of_the_compiler(name);
}

struct symbol {
	const char *name;
	bool is_needed; /* by a member, wherever it is defined */
};

/* `nm -P` prints "name type ..." a line, and "archive[member]:" between. Cuts the line at *rest
 * off; false when it has no symbol. */
static bool take_symbol(char **rest, struct symbol *symbol)
{
	char *line = *rest, *end = strchr(line, '\n'), *blank;

	*rest = end == NULL ? line + strlen(line) : end + 1;
	if (end != NULL)
		*end = '\0';
	blank = strchr(line, ' ');
	if (blank == NULL)
		return false;
	*blank = '\0';
	symbol->is_needed = strchr("Uwv", blank[1]) != NULL;
	/* Mach-O has an underscore before every name. */
	symbol->name = line[0] == '_' && (strncmp(line + 1, "wr_", 3) == 0 || is_allowed(line + 1))
			       ? line + 1
			       : line;
	return true;
}

/* All external symbols of the archive; ends the test as skipped when there is no way to know. */
static size_t list_symbols(struct symbol symbols[SYMBOLS_MAX])
{
	const char *nm = setting("NM"), *archive = setting("WR_RELEASE_LIB");
	char command[1000];
	size_t count = 0;
	char *text;
	int code;

	if (archive == NULL)
		wr_test_skip("WR_RELEASE_LIB is not set");
	snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", nm == NULL ? "nm" : nm);
	run(command, &code);
	if (code != 0)
		wr_test_skip("there is no nm");
	snprintf(command, sizeof command, "%s -P -g '%s' 2>/dev/null", nm == NULL ? "nm" : nm,
		 archive);
	text = run(command, &code);
	CHECK_U64(code, 0);
	while (*text != '\0') {
		struct symbol symbol;
		if (!take_symbol(&text, &symbol))
			continue;
		CHECK(count < SYMBOLS_MAX);
		symbols[count++] = symbol;
	}
	return count;
}

static bool is_defined(const struct symbol *symbols, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!symbols[i].is_needed && strcmp(symbols[i].name, name) == 0)
			return true;
	return false;
}

static void test_the_core_asks_only_for_memory_and_string_calls(void)
{
	static struct symbol symbols[SYMBOLS_MAX];
	size_t count = list_symbols(symbols);
	unsigned needed = 0, refused = 0;

	CHECK(is_defined(symbols, count, "wr_runtime_new"));
	for (size_t i = 0; i < count; i++) {
		const char *name = symbols[i].name;
		needed += symbols[i].is_needed;
		if (!symbols[i].is_needed || is_allowed(name) || is_defined(symbols, count, name))
			continue;
		fprintf(stderr, "the archive needs %s\n", name);
		refused++;
	}
	CHECK(needed > 0);
	CHECK_U64(refused, 0);
}

/* Two libraries must fit one program: nothing of ours without our prefix. */
static void test_every_name_of_the_archive_has_our_prefix(void)
{
	static struct symbol symbols[SYMBOLS_MAX];
	size_t count = list_symbols(symbols);
	unsigned refused = 0;

	for (size_t i = 0; i < count; i++) {
		if (symbols[i].is_needed || strncmp(symbols[i].name, "wr_", 3) == 0)
			continue;
		fprintf(stderr, "the archive defines %s\n", symbols[i].name);
		refused++;
	}
	CHECK_U64(refused, 0);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_the_embedding_example_does_what_it_says),
	WR_TEST(test_the_core_asks_only_for_memory_and_string_calls),
	WR_TEST(test_every_name_of_the_archive_has_our_prefix),
	WR_TEST_END,
};
