/*
 * tidy — the house rules that no compiler checks, as a program: `tidy FILE ...`.
 *
 * For files under src/: includes point down only (src/README.md has the table), banned functions do
 * not appear, no line is wider than 100 columns (a tab counts 8), no trailing blanks, no words that
 * mark unfinished work. Prints file:line: what, and what to do instead. Exit 1 when anything was
 * found.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct layer {
	const char *folder;  /* under src/ */
	const char *allowed; /* folders it may include, space separated, "." is src itself */
};

/* The first row whose folder begins the path counts. */
static const struct layer layers[] = {
	{"bytes/", ". bytes/"},
	{"containers/", ". bytes/ containers/"},
	{"core/", ". bytes/ containers/ core/"},
	{"codec/http/", ". bytes/ containers/ codec/http/"},
	{"codec/ws/handshake", ". bytes/ containers/ codec/ws/ codec/http/head.h"},
	{"codec/ws/", ". bytes/ containers/ codec/ws/"},
	{"codec/json/", ". bytes/ containers/ codec/json/"},
	{"codec/record/", ". bytes/ containers/ codec/record/"},
	{"codec/sse/", ". bytes/ containers/ codec/sse/"},
	{"wire/", ". bytes/ containers/ core/ codec/ wire/"},
	{"io/store/", ". bytes/ containers/ core/store.h codec/record/ io/"},
	{"io/", ". bytes/ containers/ io/"},
	{"conn/", ". bytes/ containers/ codec/http/ codec/ws/ io/ conn/"},
	{"execution/openai", ". bytes/ containers/ core/ codec/ wire/ io/ conn/ execution/"},
	{"execution/", ". bytes/ containers/ core/ codec/ wire/ io/ execution/"},
	{"observe/", ". bytes/ containers/ core/ codec/ wire/ io/ conn/ observe/"},
	{"host/", ". bytes/ containers/ core/ codec/ wire/ io/ conn/ execution/ observe/ host/"},
	{"runtime_server/", ". bytes/ containers/ core/ codec/ wire/ io/ conn/ execution/ observe/ "
			    "host/ runtime_server/"},
	/* Of the core only what a Runtime in the same process needs. */
	{"backend/embedded_",
	 ". bytes/ containers/ core/ codec/ wire/ io/ conn/ execution/ observe/ host/ backend/"},
	{"backend/", ". bytes/ containers/ core/event_log.h core/cursor.h core/command.h "
		     "codec/ wire/ io/ conn/ observe/ host/ backend/"},
	{"", "."},
};

static const struct {
	const char *name, *instead;
} banned[] = {
	{"strcpy", "wr_buf_append"},
	{"strcat", "wr_buf_append"},
	{"sprintf", "wr_buf_append_*"},
	{"vsprintf", "wr_buf_append_*"},
	{"strncpy", "memcpy with a checked length"},
	{"strncat", "wr_buf_append"},
	{"strtok", "a view"},
	{"atoi", "wr_json_parse_u64 or a checked loop"},
	{"atol", "a checked loop"},
	{"strtol", "a checked loop"},
	{"strtoul", "a checked loop"},
	{"strtod", "wr_json_parse_double"},
	{"gets", "read"},
	{"alloca", "a bounded array"},
	{"rand", "wr_entropy_fill"},
	{"srand", "wr_entropy_fill"},
	{"gmtime", "wr_http_format_date"},
	{"localtime", "wr_http_format_date"},
	{"malloc", "struct wr_allocator"},
	{"calloc", "struct wr_allocator"},
	{"printf", "wr_log"},
	{"fprintf", "wr_log"},
};

static int found;

static void report(const char *file, unsigned line, const char *what, const char *instead)
{
	printf("%s:%u: %s; use %s\n", file, line, what, instead);
	found++;
}

static bool is_name(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* Whether the included path is covered by a space separated list of folders. */
static bool is_allowed(const char *list, const char *path, size_t bytes)
{
	while (*list != '\0') {
		size_t item = strcspn(list, " ");
		if (item == 1 && list[0] == '.') {
			if (memchr(path, '/', bytes) == NULL)
				return true;
		} else if (bytes >= item && memcmp(path, list, item) == 0) {
			return true;
		}
		list += item;
		list += strspn(list, " ");
	}
	return false;
}

/* What is not ours has one door. */
static void check_foreign(const char *file, unsigned number, const char *line)
{
	if (strncmp(line, "#include <bearssl", strlen("#include <bearssl")) == 0 &&
	    strncmp(file, "src/io/tls/", strlen("src/io/tls/")) != 0)
		report(file, number, "BearSSL outside of io/tls", "io/tls/tls.h");
}

static void check_include(const char *file, unsigned number, const char *line)
{
	const char *inside = strncmp(file, "src/", 4) == 0 ? file + 4 : NULL;
	const char *path = line + strlen("#include \"");
	const struct layer *layer = layers;

	if (inside == NULL || strncmp(line, "#include \"", strlen("#include \"")) != 0)
		return;
	while (strncmp(inside, layer->folder, strlen(layer->folder)) != 0)
		layer++;
	if (!is_allowed(layer->allowed, path, strcspn(path, "\"")))
		report(file, number, "this include points up or sideways",
		       "a function given at registration");
}

static void check_names(const char *file, unsigned number, const char *line)
{
	for (size_t i = 0; i < sizeof banned / sizeof banned[0]; i++) {
		size_t bytes = strlen(banned[i].name);
		for (const char *at = line; (at = strstr(at, banned[i].name)) != NULL;
		     at += bytes) {
			bool is_word = (at == line || !is_name(at[-1])) && at[bytes] == '(';
			if (is_word)
				report(file, number, banned[i].name, banned[i].instead);
		}
	}
}

static void check_line(const char *file, unsigned number, const char *line, size_t bytes)
{
	static const char *const words[] = {"TO"
					    "DO",
					    "FIX"
					    "ME",
					    "X"
					    "XX",
					    "place"
					    "holder"};
	unsigned column = 0;

	for (size_t i = 0; i < bytes; i++) {
		if (line[i] == '\t')
			column = (column / 8 + 1) * 8;
		else if (((unsigned char)line[i] & 0xc0) != 0x80)
			column++;
	}
	/* Tables of cases in tests may be wider: a case is one line. */
	if (column > 100 && strncmp(file, "src/", 4) == 0)
		report(file, number, "over 100 columns", "two lines");
	if (bytes > 0 && (line[bytes - 1] == ' ' || line[bytes - 1] == '\t'))
		report(file, number, "trailing blanks", "none");
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		const char *at = strstr(line, words[i]);
		bool is_word = at != NULL && (at == line || !is_name(at[-1])) &&
			       !is_name(at[strlen(words[i])]);
		if (is_word)
			report(file, number, "unfinished work is marked", "an issue");
	}
}

/* Blanks out comments and strings, so that names in prose are not taken for calls. */
static void strip(char *line, bool *in_comment)
{
	char quote = '\0';

	for (char *at = line; *at != '\0'; at++) {
		if (*in_comment) {
			if (at[0] == '*' && at[1] == '/') {
				*in_comment = false;
				at[0] = at[1] = ' ';
				at++;
			} else {
				*at = ' ';
			}
		} else if (quote != '\0') {
			if (*at == '\\' && at[1] != '\0')
				*at++ = ' ';
			else if (*at == quote)
				quote = '\0';
			*at = ' ';
		} else if (at[0] == '/' && at[1] == '*') {
			*in_comment = true;
			*at = ' ';
		} else if (*at == '"' || *at == '\'') {
			quote = *at;
		}
	}
}

static void check_file(const char *name)
{
	FILE *file = fopen(name, "r");
	char line[4096];
	bool in_comment = false;
	unsigned number = 0;

	if (file == NULL) {
		perror(name);
		found++;
		return;
	}
	while (fgets(line, sizeof line, file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		number++;
		check_line(name, number, line, strlen(line));
		check_include(name, number, line);
		check_foreign(name, number, line);
		strip(line, &in_comment);
		if (strncmp(name, "src/", 4) == 0)
			check_names(name, number, line);
	}
	fclose(file);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		check_file(argv[i]);
	return found == 0 ? 0 : 1;
}
