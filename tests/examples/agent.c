/*
 * agent — a Worker program in plain C: it speaks the jsonl mode on stdin and stdout.
 *
 * It echoes: every input comes back word by word as deltas, then whole as a message. An input that
 * begins with "wait" is a turn that ends only when it is cancelled; one that begins with "die" ends
 * the program. Try it by hand:
 *
 *	worker-runtime --exec build/release/examples/agent --exec-mode jsonl
 *
 * Strings need no decoding here: JSON text that came within quotes may leave within quotes. A
 * program that looks into them takes a JSON library of its liking.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
	char *data; /* NUL-terminated, without LF */
	size_t bytes, capacity;
};

/* False at the end of the input, or without memory. */
static bool read_line(struct line *line)
{
	int c;

	line->bytes = 0;
	while ((c = getchar()) != EOF) {
		if (line->bytes + 1 >= line->capacity) {
			size_t capacity = line->capacity == 0 ? 256 : line->capacity * 2;
			char *data = realloc(line->data, capacity);
			if (data == NULL)
				return false;
			line->data = data;
			line->capacity = capacity;
		}
		line->data[line->bytes] = '\0';
		if (c == '\n')
			return true;
		line->data[line->bytes++] = (char)c;
	}
	return false;
}

/* Every message is one line, and leaves at once: the Runtime shows what it has. */
static void say(const char *message)
{
	puts(message);
	fflush(stdout);
}

static void say_text(const char *type, const char *text, size_t bytes)
{
	printf("{\"type\":\"%s\",\"text\":\"", type);
	fwrite(text, 1, bytes, stdout);
	say("\"}");
}

static bool is_type(const char *line, const char *type)
{
	const char *at = strstr(line, "\"type\":\"");
	size_t bytes = strlen(type);

	return at != NULL && strncmp(at + 8, type, bytes) == 0 && at[8 + bytes] == '"';
}

/* What stands between the quotes of "content", still as JSON spells it. */
static const char *find_content(const char *line, size_t *bytes)
{
	const char *begin = strstr(line, "\"content\":\"");
	const char *end;

	if (begin == NULL)
		return NULL;
	begin += 11;
	for (end = begin; *end != '"' && *end != '\0'; end++)
		if (*end == '\\' && end[1] != '\0')
			end++;
	*bytes = (size_t)(end - begin);
	return begin;
}

/* Cut at spaces, where neither an escape nor a character can be cut in two. */
static void say_deltas(const char *text, size_t bytes)
{
	size_t begin = 0;

	for (size_t at = 0; at < bytes; at++)
		if (text[at] == ' ' || at + 1 == bytes) {
			say_text("delta", text + begin, at + 1 - begin);
			begin = at + 1;
		}
}

/* Returns whether the turn is still open. */
static bool answer(const char *line)
{
	size_t bytes = 0;
	const char *content = find_content(line, &bytes);

	if (content == NULL) {
		say("{\"type\":\"error\",\"message\":\"an input without content\"}");
	} else if (bytes >= 4 && strncmp(content, "wait", 4) == 0) {
		say("{\"type\":\"delta\",\"text\":\"waiting to be cancelled\"}");
		return true;
	} else if (bytes >= 3 && strncmp(content, "die", 3) == 0) {
		fputs("agent: told to die\n", stderr);
		exit(3);
	} else {
		say_deltas(content, bytes);
		say_text("message", content, bytes);
	}
	say("{\"type\":\"done\"}");
	return false;
}

int main(void)
{
	struct line line = {NULL, 0, 0};
	bool is_in_turn = false;

	while (read_line(&line)) {
		if (is_type(line.data, "init")) {
			say("{\"type\":\"ready\"}");
		} else if (is_type(line.data, "input")) {
			is_in_turn = answer(line.data);
		} else if (is_type(line.data, "cancel")) {
			/* It may come when the turn has just ended: then there is nothing to do. */
			if (is_in_turn)
				say("{\"type\":\"done\",\"result\":\"paused\"}");
			is_in_turn = false;
		} else if (is_type(line.data, "shutdown")) {
			break;
		}
	}
	free(line.data);
	return 0;
}
