/* Goal: of the metadata files of an older tool exactly what contract 8.12 projects is read, and
 * everything that is none is refused. Method: tables; each document also cut at every position,
 * its end at an unmapped page; every allocation failing once. */
#include "backend/local_metadata.h"
#include "check.h"
#include "harness/harness.h"

#define UUID "01978c52-1f3a-7c11-9b2e-5d0a6c4e8f09"

static enum wr_status read(struct wr_local_metadata *out, struct wr_buf *texts, const char *json)
{
	return wr_local_metadata_read(out, texts, wr_test_guarded(0, wr_view_of_string(json)));
}

static void check_text(struct wr_view text, const char *expected)
{
	if (expected == NULL)
		CHECK(text.data == NULL);
	else
		CHECK_STRING(text, expected);
}

static void test_what_is_shown_is_read(void)
{
	static const struct {
		const char *json, *name, *root, *role, *profile;
		bool is_active, has_segment;
	} cases[] = {
		{"{\"worker_name\":\"coder\",\"active\":{\"session_id\":\"" UUID "\"},"
		 "\"workspace_root\":\"/workspace/project\",\"resolved_manifest_snapshot\":"
		 "{\"role\":\"coder\",\"profile_selector\":\"builtin:coder\"}}",
		 "coder", "/workspace/project", "coder", "builtin:coder", true, false},
		{" {\"worker_name\" : \"\"}\n", "", NULL, NULL, NULL, false, false},
		{"{\"active\":{\"segment_id\":\"" UUID "\",\"x\":[],\"session_id\":\"" UUID
		 "\"},\"worker_name\":\"a\"}",
		 "a", NULL, NULL, NULL, true, true},
		{"{\"worker_name\":\"a\",\"active\":{\"session_id\":\"" UUID
		 "\",\"segment_id\":null}}",
		 "a", NULL, NULL, NULL, true, false},
		/* Null is absent, unknown members are ignored. */
		{"{\"worker_name\":\"a\",\"active\":null,\"workspace_root\":null,\"peers\":null,"
		 "\"resolved_manifest_snapshot\":null,\"x\":1,\"x\":{\"y\":[1]}}",
		 "a", NULL, NULL, NULL, false, false},
		/* Escapes. */
		{"{\"worker_name\":\"a\\u591c\\n\",\"workspace_root\":\"C:\\\\x\","
		 "\"resolved_manifest_snapshot\":{\"ro\\u006ce\":\"\\\"q\\\"\","
		 "\"profile\":{\"name\":\"p\\u0031\"}}}",
		 "a\345\244\234\n", "C:\\x", "\"q\"", "p1", false, false},
		/* The role, and what stands in for it. */
		{"{\"worker_name\":\"a\",\"resolved_manifest_snapshot\":{\"role\":{\"name\":\"r\","
		 "\"x\":1},\"role_claim\":{\"role\":\"other\"}}}",
		 "a", NULL, "r", NULL, false, false},
		{"{\"worker_name\":\"a\",\"resolved_manifest_snapshot\":{\"role\":7,"
		 "\"role_claim\":{\"role\":{\"name\":\"claimed\"}},\"profile_selector\":{\"name\":"
		 "5},"
		 "\"profile\":\"p\"}}",
		 "a", NULL, "claimed", "p", false, false},
		{"{\"worker_name\":\"a\",\"resolved_manifest_snapshot\":{\"role\":\"\","
		 "\"role_claim\":{\"role\":\"claimed\"}}}",
		 "a", NULL, "", NULL, false, false},
		{"{\"worker_name\":\"a\",\"resolved_manifest_snapshot\":{\"role_claim\":[\"role\"],"
		 "\"profile\":[\"name\"]}}",
		 "a", NULL, NULL, NULL, false, false},
		{"{\"worker_name\":\"a\",\"resolved_manifest_snapshot\":{\"role\":1,\"role\":\"2\"}"
		 "}",
		 "a", NULL, "2", NULL, false, false},
		{"{\"worker_name\":\"a\",\"resolved_manifest_snapshot\":[{\"role\":\"r\"}]}", "a",
		 NULL, NULL, NULL, false, false},
		{"{\"worker_name\":\"a\",\"resolved_manifest_snapshot\":\"role\"}", "a", NULL, NULL,
		 NULL, false, false},
		/* What is only checked. */
		{"{\"worker_name\":\"a\",\"spawned_children\":[{\"worker_name\":\"b\","
		 "\"socket_path\":\"/s\",\"scope_delegated\":[{\"target\":\"/t\"}],"
		 "\"callback_address\":\"c\"}],\"reclaimed_children\":[{\"worker_name\":\"c\","
		 "\"scope_delegated\":[]}],\"peers\":[{\"worker_name\":\"d\"},{\"worker_name\":"
		 "\"e\"}]}",
		 "a", NULL, NULL, NULL, false, false},
	};
	struct wr_buf texts;

	wr_buf_init(&texts, wr_test_allocator(), 4096);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_local_metadata found;

		wr_test_case(cases[i].json);
		CHECK_STATUS(read(&found, &texts, cases[i].json), WR_OK);
		check_text(found.worker_name, cases[i].name);
		check_text(found.workspace_root, cases[i].root);
		check_text(found.role, cases[i].role);
		check_text(found.profile, cases[i].profile);
		CHECK(found.is_active == cases[i].is_active);
		CHECK(found.has_segment == cases[i].has_segment);
	}
	wr_buf_deinit(&texts);
}

static void test_what_is_none_is_refused(void)
{
	static const struct {
		const char *json;
		enum wr_status status;
	} cases[] = {
		{"", WR_SYNTAX},
		{"\xef\xbb\xbf{\"worker_name\":\"a\"}", WR_SYNTAX},
		{"{\"worker_name\":\"a\"} x", WR_SYNTAX},
		{"{\"worker_name\":\"a\",}", WR_SYNTAX},
		{"{\"worker_name\":\"a\",\"x\":tru}", WR_SYNTAX},
		{"{\"worker_name\":\"a\",\"resolved_manifest_snapshot\":{\"role\"}}", WR_SYNTAX},
		{"{\"worker_name\":\"\xff\"}", WR_ENCODING},
		{"{\"worker_name\":\"\\ud800\"}", WR_ENCODING},
		{"{\"worker_name\":\"a\",\"x\":\"\xc0\xaf\"}", WR_ENCODING},
		{"[]", WR_INVALID},
		{"\"worker_name\"", WR_INVALID},
		{"null", WR_INVALID},
		{"{}", WR_INVALID},
		{"{\"worker_name\":null}", WR_INVALID},
		{"{\"worker_name\":1}", WR_INVALID},
		{"{\"worker_name\":{\"name\":\"a\"}}", WR_INVALID},
		{"{\"worker_name\":\"a\",\"worker_name\":\"a\"}", WR_INVALID},
		{"{\"Worker_name\":\"a\"}", WR_INVALID},
		{"{\"worker_name\":\"a\",\"workspace_root\":1}", WR_INVALID},
		{"{\"worker_name\":\"a\",\"workspace_root\":[\"/\"]}", WR_INVALID},
		{"{\"worker_name\":\"a\",\"active\":true}", WR_INVALID},
		{"{\"worker_name\":\"a\",\"active\":{}}", WR_INVALID},
		{"{\"worker_name\":\"a\",\"active\":[]}", WR_INVALID},
		{"{\"worker_name\":\"a\",\"active\":{\"session_id\":\"x\"}}", WR_INVALID},
		{"{\"worker_name\":\"a\",\"active\":{\"session_id\":null}}", WR_INVALID},
		{"{\"worker_name\":\"a\",\"active\":{\"session_id\":\"" UUID
		 "\",\"segment_id\":\"\"}}",
		 WR_INVALID},
		{"{\"worker_name\":\"a\",\"active\":{\"session_id\":\"" UUID
		 "\",\"segment_id\":1}}",
		 WR_INVALID},
		{"{\"worker_name\":\"a\",\"spawned_children\":{}}", WR_INVALID},
		{"{\"worker_name\":\"a\",\"spawned_children\":[1]}", WR_INVALID},
		{"{\"worker_name\":\"a\",\"spawned_children\":[{\"worker_name\":\"b\"}]}",
		 WR_INVALID},
		{"{\"worker_name\":\"a\",\"spawned_children\":[{\"worker_name\":\"b\","
		 "\"socket_path\":\"s\",\"scope_delegated\":{}}]}",
		 WR_INVALID},
		{"{\"worker_name\":\"a\",\"reclaimed_children\":[{}]}", WR_INVALID},
		{"{\"worker_name\":\"a\",\"peers\":[\"b\"]}", WR_INVALID},
		{"{\"worker_name\":\"a\",\"peers\":\"b\"}", WR_INVALID},
	};
	struct wr_buf texts;

	wr_buf_init(&texts, wr_test_allocator(), 4096);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_local_metadata found;

		wr_test_case(cases[i].json);
		CHECK_STATUS(read(&found, &texts, cases[i].json), cases[i].status);
	}
	wr_buf_deinit(&texts);
}

static const char whole[] =
	"{\"worker_name\":\"a\\u0062\",\"active\":{\"session_id\":\"" UUID "\"},"
	"\"workspace_root\":\"\\/w\",\"resolved_manifest_snapshot\":{\"role\":\"\\u0072\","
	"\"role_claim\":null,\"profile\":{\"name\":\"\\u0070\"}}}";

static void test_a_torn_file_is_refused_wherever_it_ends(void)
{
	struct wr_local_metadata found;
	struct wr_buf texts;

	wr_buf_init(&texts, wr_test_allocator(), 4096);
	for (size_t bytes = 0; bytes < sizeof whole - 1; bytes++)
		CHECK_STATUS(wr_local_metadata_read(&found, &texts,
						    wr_test_guarded(0, wr_view_of(whole, bytes))),
			     WR_SYNTAX);
	CHECK_STATUS(read(&found, &texts, whole), WR_OK);
	wr_buf_deinit(&texts);
}

static void test_nesting_is_bounded(void)
{
	char deep[4096];
	size_t bytes = 0;
	struct wr_local_metadata found;
	struct wr_buf texts;
	static const char start[] = "{\"worker_name\":\"a\",\"resolved_manifest_snapshot\":";

	memcpy(deep, start, sizeof start - 1);
	bytes = sizeof start - 1;
	memset(deep + bytes, '[', 2000);
	wr_buf_init(&texts, wr_test_allocator(), 4096);
	CHECK_STATUS(wr_local_metadata_read(&found, &texts, wr_view_of(deep, bytes + 2000)),
		     WR_TOO_LARGE);
	wr_buf_deinit(&texts);
}

static void test_no_memory_is_an_outcome(void)
{
	struct wr_local_metadata found;
	struct wr_buf texts;

	wr_buf_init(&texts, wr_test_allocator(), 4096);
	wr_test_fail_allocation(1, false);
	CHECK_STATUS(read(&found, &texts, whole), WR_NO_MEMORY);
	CHECK_STATUS(read(&found, &texts, whole), WR_OK);
	CHECK_STRING(found.worker_name, "ab");
	CHECK_STRING(found.role, "r");
	wr_buf_deinit(&texts);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_what_is_shown_is_read),
	WR_TEST(test_what_is_none_is_refused),
	WR_TEST(test_a_torn_file_is_refused_wherever_it_ends),
	WR_TEST(test_nesting_is_bounded),
	WR_TEST(test_no_memory_is_an_outcome),
	WR_TEST_END,
};
