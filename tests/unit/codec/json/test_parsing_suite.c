/* Goal: agreement with the test_parsing folder of nst/JSONTestSuite, which shared reference data
 * may hold. Method: y_ files are accepted, n_ files refused; i_ files, which RFC 8259 leaves open,
 * have their verdicts written down here; all of them read the same in pieces. */
#include "check.h"
#include "harness/harness.h"
#include "unit/codec/json/naive.h"
#include "unit/codec/json/trace.h"

#include <dirent.h>
#include <stdio.h>

/* Ours for the i_ files: any number is grammar, whatever it is worth; text is UTF-8 without a byte
 * order mark, surrogate escapes come in pairs; nesting has a limit. */
static const struct {
	const char *name, *end;
} open_verdicts[] = {
	{"i_number_double_huge_neg_exp.json", "."},
	{"i_number_huge_exp.json", "."},
	{"i_number_neg_int_huge_exp.json", "."},
	{"i_number_pos_double_huge_exp.json", "."},
	{"i_number_real_neg_overflow.json", "."},
	{"i_number_real_pos_overflow.json", "."},
	{"i_number_real_underflow.json", "."},
	{"i_number_too_big_neg_int.json", "."},
	{"i_number_too_big_pos_int.json", "."},
	{"i_number_very_big_negative_int.json", "."},
	{"i_object_key_lone_2nd_surrogate.json", "!ENCODING"},
	{"i_string_1st_surrogate_but_2nd_missing.json", "!ENCODING"},
	{"i_string_1st_valid_surrogate_2nd_invalid.json", "!ENCODING"},
	{"i_string_UTF-16LE_with_BOM.json", "!SYNTAX"},
	{"i_string_UTF-8_invalid_sequence.json", "!ENCODING"},
	{"i_string_UTF8_surrogate_U+D800.json", "!ENCODING"},
	{"i_string_incomplete_surrogate_and_escape_valid.json", "!ENCODING"},
	{"i_string_incomplete_surrogate_pair.json", "!ENCODING"},
	{"i_string_incomplete_surrogates_escape_valid.json", "!ENCODING"},
	{"i_string_invalid_lonely_surrogate.json", "!ENCODING"},
	{"i_string_invalid_surrogate.json", "!ENCODING"},
	{"i_string_invalid_utf-8.json", "!ENCODING"},
	{"i_string_inverted_surrogates_U+1D11E.json", "!ENCODING"},
	{"i_string_iso_latin_1.json", "!ENCODING"},
	{"i_string_lone_second_surrogate.json", "!ENCODING"},
	{"i_string_lone_utf8_continuation_byte.json", "!ENCODING"},
	{"i_string_not_in_unicode_range.json", "!ENCODING"},
	{"i_string_overlong_sequence_2_bytes.json", "!ENCODING"},
	{"i_string_overlong_sequence_6_bytes.json", "!ENCODING"},
	{"i_string_overlong_sequence_6_bytes_null.json", "!ENCODING"},
	{"i_string_truncated-utf-8.json", "!ENCODING"},
	{"i_string_utf16BE_no_BOM.json", "!SYNTAX"},
	{"i_string_utf16LE_no_BOM.json", "!SYNTAX"},
	{"i_structure_500_nested_arrays.json", "!TOO_LARGE"},
	{"i_structure_UTF-8_BOM_empty_object.json", "!SYNTAX"},
};

static const char *open_verdict(const char *name)
{
	for (size_t i = 0; i < WR_COUNT(open_verdicts); i++)
		if (strcmp(name, open_verdicts[i].name) == 0)
			return open_verdicts[i].end;
	wr_test_fail(__FILE__, __LINE__, "an i_ file without a verdict here");
}

/* The last word of the whole document's trace: "." or "!STATUS@offset". */
static struct wr_view read_end(struct wr_buf *trace, struct wr_view document)
{
	struct wr_view end;

	trace_document(trace, document, document.bytes, 1, false);
	end = wr_buf_view(trace);
	for (size_t at = end.bytes; at > 0; at--)
		if (end.data[at - 1] == ' ')
			return wr_view_skip(end, at);
	return end;
}

static void check_file(const char *name, struct wr_view document)
{
	struct wr_view end;
	struct wr_buf trace;
	const char *expected;

	wr_test_case(name);
	expected = name[0] == 'y' ? "." : name[0] == 'n' ? "!" : open_verdict(name);
	wr_buf_init(&trace, wr_test_allocator(), SIZE_MAX / 2);
	end = read_end(&trace, document);
	CHECK(wr_view_starts(end, wr_view_of_string(expected)));
	/* The large files are deep ones, which the naive parser, being recursive, should not see.
	 */
	if (document.bytes < 4096) {
		CHECK(naive_is_json(document) == (end.data[0] == '.'));
		trace_check_pieces(document, 1);
	} else {
		trace_check_pieces(document, document.bytes / 16);
	}
	wr_buf_deinit(&trace);
}

/* What was read stays until the process ends: kept here, it is not taken for a leak. */
enum { FILE_COUNT = 318 };
static struct wr_view documents[FILE_COUNT];

static void test_every_file_has_its_verdict(void)
{
	const char *shared = wr_test_shared();
	size_t count = 0, open_count = 0;
	char folder[256], path[600];
	struct dirent *entry;
	DIR *dir;

	if (shared == NULL)
		wr_test_skip("no shared reference data: JSONTestSuite is not tested");
	snprintf(folder, sizeof folder, "%s/data/json/test_parsing", shared);
	dir = opendir(folder);
	if (dir == NULL)
		wr_test_skip("no data/json/test_parsing: JSONTestSuite is not tested");
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		CHECK(count < FILE_COUNT);
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		documents[count] = wr_test_read_file(path);
		check_file(entry->d_name, documents[count]);
		open_count += entry->d_name[0] == 'i';
		count++;
	}
	closedir(dir);
	wr_test_case(NULL);
	CHECK_U64(count, FILE_COUNT);
	CHECK_U64(open_count, WR_COUNT(open_verdicts));
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_every_file_has_its_verdict, 60),
	WR_TEST_END,
};
