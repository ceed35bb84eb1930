/*
 * numtool — reads JSON numbers, one a line, from standard input, and writes the bits of the double
 * nearest to each as 16 hexadecimal digits, most significant first; `refused` for a line that is
 * not a JSON number (and nothing but one) of at most WR_JSON_NUMBER_BYTES_MAX characters. For
 * public suites of number conversions.
 */
#include "codec/json/number.h"
#include "codec/json/reader.h"

#include <stdio.h>
#include <stdlib.h>

static bool is_number(struct wr_view line)
{
	struct wr_json_reader reader;

	wr_json_reader_init(&reader, line, true);
	return wr_json_reader_next(&reader) == WR_OK && reader.token == WR_JSON_TOKEN_NUMBER &&
	       reader.text.bytes == line.bytes;
}

static void convert(struct wr_view line)
{
	uint64_t bits;
	double value;

	if (!is_number(line)) {
		puts("refused");
		return;
	}
	value = wr_json_parse_double(line);
	memcpy(&bits, &value, sizeof bits);
	printf("%016llx\n", (unsigned long long)bits);
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t bytes;

	while ((bytes = getline(&line, &room, stdin)) > 0) {
		struct wr_view view = wr_view_of(line, (size_t)bytes);

		if (view.data[view.bytes - 1] == '\n')
			view.bytes--;
		convert(view);
	}
	free(line);
	return ferror(stdin) != 0 || fflush(stdout) != 0;
}
