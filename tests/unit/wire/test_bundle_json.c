/* Goal: a config bundle and what is told of it are spelled as contract 9 has it, and read by the
 * rules of contract 2.2, nothing looser. Method: tables of bodies against an unmapped page, cut at
 * every position; bodies made of members, each left out, repeated and replaced, in every order;
 * what was written is read back; the contract's own example. */
#include "wire/bundle_json.h"

#include "check.h"
#include "harness/harness.h"
#include "unit/core/made_bundle.h"
#include "unit/wire/document.h"
#include "unit/wire/json_equal.h"

enum { TEXTS_BYTES = 1 << 20 };

#define DIGEST "7197561351779ab6535109f9589a77ffaa14c6f829b195591051d954f3062d6d"
#define METADATA                                                                           \
	"\"metadata\":{\"id\":\"bundle-a\",\"digest\":\"" DIGEST "\",\"revision\":\"r1\"," \
	"\"workspace_id\":\"ws-1\",\"created_at\":\"2026-06-26T00:00:00Z\","               \
	"\"provenance\":{\"source\":\"backend\"}}"
#define PROFILE \
	"{\"selector\":{\"kind\":\"builtin\",\"value\":\"builtin:coder\"},\"label\":\"Coder\"}"
#define DECLARATION \
	"{\"kind\":\"capability_grant\",\"name\":\"read\",\"reference\":\"capability:read\"}"
#define BUNDLE                                                  \
	"{\"bundle\":{" METADATA ",\"profiles\":[" PROFILE "]," \
	"\"declarations\":[" DECLARATION "]}}"
#define SUMMARY                                                                            \
	"{\"id\":\"bundle-a\",\"digest\":\"" DIGEST "\",\"digest_algorithm\":\"sha256\","  \
	"\"revision\":\"r1\",\"workspace_id\":\"ws-1\","                                   \
	"\"created_at\":\"2026-06-26T00:00:00Z\",\"provenance\":{\"source\":\"backend\"}," \
	"\"profile_count\":1,\"declaration_count\":1}"
#define REFERENCE "{\"id\":\"bundle-a\",\"digest\":\"" DIGEST "\"}"
#define AVAILABILITY "{\"availability\":{\"reference\":" REFERENCE ",\"summary\":" SUMMARY "}}"

static struct wr_buf texts, out;

static void begin(void)
{
	wr_buf_init(&texts, wr_test_allocator(), TEXTS_BYTES);
	wr_buf_init(&out, wr_test_allocator(), TEXTS_BYTES);
}

static void end(void)
{
	wr_buf_deinit(&texts);
	wr_buf_deinit(&out);
}

static enum wr_status read_bundle(struct wr_config_bundle *bundle, struct wr_view json)
{
	struct wr_error error;
	enum wr_status status =
		wr_bundle_json_read(bundle, &texts, wr_test_guarded(0, json), &error);

	CHECK_STATUS(error.status, status);
	CHECK((error.detail == NULL) == (status == WR_OK || status == WR_NO_MEMORY));
	return status;
}

/* ---- bundles ---- */

static void test_a_bundle_is_read_as_it_was_meant(void)
{
	struct wr_config_bundle bundle;
	struct wr_error error;

	begin();
	CHECK_STATUS(read_bundle(&bundle, WR_VIEW(BUNDLE)), WR_OK);
	CHECK_STATUS(wr_config_bundle_check(&bundle, &error), WR_OK);
	CHECK_STRING(bundle.id, "bundle-a");
	CHECK(bundle.detail.data == NULL);
	CHECK(wr_config_bundle_declares(&bundle, WR_PROFILE_BUILTIN, WR_VIEW("builtin:coder")));
	CHECK_U64(bundle.profiles.count, 1);
	CHECK_U64(bundle.declarations.count, 1);
	end();
}

/* In any spelling: escapes, white space, members in another order, unknown members. */
static void test_the_same_bundle_in_other_spellings(void)
{
	static const char *const spellings[] = {
		" {\n\"bundle\" : {" METADATA " , \"declarations\":[" DECLARATION
		"],\t\"profiles\":[" PROFILE "] } } \r\n",
		"{\"x\":[{}],\"x\":1,\"bundle\":{\"declarations\":[{\"x\":{},\"reference\":"
		"\"capability:re\\u0061d\",\"name\":\"r\\u0065ad\","
		"\"kind\":\"c\\u0061pability_grant\"}],"
		"\"profiles\":[{\"label\":\"C\\u006fder\",\"selector\":{\"value\":"
		"\"builtin\\u003acoder\",\"x\":null,\"kind\":\"built\\u0069n\"}}]," METADATA "}}",
		"{\"bundle\":{\"metadata\":{\"provenance\":{\"detail\":null,\"source\":"
		"\"back\\u0065nd\"},\"created_at\":\"2026-06-26T00:00:00\\u005a\","
		"\"workspace_id\":\"\\u0077s-1\",\"revision\":\"r\\u0031\","
		"\"digest\":\"" DIGEST "\",\"id\":\"bundle\\u002da\"},"
		"\"profiles\":[" PROFILE "],\"declarations\":[" DECLARATION "]}}",
	};
	struct wr_config_bundle bundle;
	struct wr_error error;

	begin();
	for (size_t i = 0; i < WR_COUNT(spellings); i++) {
		wr_test_case(spellings[i]);
		CHECK_STATUS(read_bundle(&bundle, wr_view_of_string(spellings[i])), WR_OK);
		/* It is: its digest is that of the contract. */
		CHECK_STATUS(wr_config_bundle_check(&bundle, &error), WR_OK);
		CHECK_STRING(bundle.digest, DIGEST);
		CHECK_U64(bundle.profiles.count + bundle.declarations.count, 2);
	}
	end();
}

static void test_lists_may_be_absent_or_empty(void)
{
	static const char *const spellings[] = {
		"{\"bundle\":{" METADATA "}}",
		"{\"bundle\":{\"profiles\":[]," METADATA ",\"declarations\":[]}}",
	};
	struct wr_config_bundle bundle;

	begin();
	for (size_t i = 0; i < WR_COUNT(spellings); i++) {
		CHECK_STATUS(read_bundle(&bundle, wr_view_of_string(spellings[i])), WR_OK);
		CHECK_U64(bundle.profiles.count + bundle.declarations.count, 0);
		CHECK(wr_config_bundle_is_sound(&bundle));
	}
	end();
}

static void test_bodies_that_are_no_bundle_are_refused(void)
{
	static const struct {
		const char *json;
		enum wr_status status;
	} cases[] = {
		{"", WR_SYNTAX},
		{"null", WR_INVALID},
		{"[]", WR_INVALID},
		{"{}", WR_INVALID},
		{"{\"bundle\":null}", WR_INVALID},
		{"{\"bundle\":[]}", WR_INVALID},
		{"{\"bundle\":{}}", WR_INVALID},
		{BUNDLE "x", WR_SYNTAX},
		{BUNDLE "{}", WR_SYNTAX},
		{"{\"bundle\":{" METADATA "},\"bundle\":{" METADATA "}}", WR_INVALID},
		{"{\"bundle\":{" METADATA "," METADATA "}}", WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"profiles\":null}}", WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"profiles\":{}}}", WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"profiles\":[],\"profiles\":[]}}", WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"profiles\":[1]}}", WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"profiles\":[{}]}}", WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"profiles\":[{\"selector\":null}]}}", WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"profiles\":[{\"selector\":{}}]}}", WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"profiles\":[{\"selector\":{\"kind\":\"x\"}}]}}",
		 WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"profiles\":[{\"selector\":{\"kind\":\"builtin\"}}]}}",
		 WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"profiles\":[{\"selector\":"
		 "{\"kind\":\"runtime_default\",\"value\":\"x\"}}]}}",
		 WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"profiles\":[{\"selector\":"
		 "{\"kind\":\"runtime_default\"},\"label\":1}]}}",
		 WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"declarations\":null}}", WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"declarations\":[null]}}", WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"declarations\":[{\"kind\":\"Git_policy\","
		 "\"name\":\"n\",\"reference\":\"git:x\"}]}}",
		 WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"declarations\":[{\"kind\":\"git_policy\","
		 "\"name\":\"n\"}]}}",
		 WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"declarations\":[{\"kind\":\"git_policy\","
		 "\"reference\":\"git:x\"}]}}",
		 WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"declarations\":[{\"kind\":\"git_policy\","
		 "\"name\":null,\"reference\":\"git:x\"}]}}",
		 WR_INVALID},
		{"{\"bundle\":{" METADATA ",\"x\":\"\xff\"}}", WR_ENCODING},
		{"{\"bundle\":{" METADATA ",\"x\":\"\\ud800\"}}", WR_ENCODING},
	};
	struct wr_config_bundle bundle;

	begin();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].json);
		CHECK_STATUS(read_bundle(&bundle, wr_view_of_string(cases[i].json)),
			     cases[i].status);
	}
	for (size_t cut = 0; cut < sizeof BUNDLE - 1; cut++)
		CHECK(read_bundle(&bundle, wr_view_of(BUNDLE, cut)) == WR_SYNTAX);
	end();
}

static const struct member members[] = {
	{"metadata", NULL, "o", true},
	{"metadata.id", "\"bundle-a\"", "s", true},
	{"metadata.digest", "\"" DIGEST "\"", "s", true},
	{"metadata.revision", "\"r1\"", "s", true},
	{"metadata.workspace_id", "\"ws-1\"", "s", true},
	{"metadata.created_at", "\"2026-06-26T00:00:00Z\"", "s", true},
	{"metadata.provenance", NULL, "o", true},
	{"metadata.provenance.source", "\"backend\"", "s", true},
	{"metadata.provenance.detail", "\"d\"", "s0", false},
	{"profiles", "[" PROFILE "]", "a", false},
	{"declarations", "[" DECLARATION "]", "a", false},
};

static enum wr_status read_document(const struct change *change)
{
	static const struct document document = DOCUMENT(members, "{\"bundle\":", "}");
	struct wr_config_bundle bundle;

	wr_buf_reset(&out);
	document_write(&out, &document, change);
	return read_bundle(&bundle, wr_buf_view(&out));
}

/* An object or list of another content may be refused, too. */
static void check_replaced(unsigned i, unsigned value)
{
	struct change change = document_unchanged;
	char type = document_values[value].type;
	enum wr_status status;

	change.replaced = i;
	change.value = document_values[value].value;
	status = read_document(&change);
	if (strchr(members[i].types, type) == NULL)
		CHECK_STATUS(status, WR_INVALID);
	else if (type == 's' || type == '0')
		CHECK_STATUS(status, WR_OK);
}

static void test_every_member_is_needed_once_and_of_its_type(void)
{
	begin();
	CHECK_STATUS(read_document(&document_unchanged), WR_OK);
	for (unsigned i = 0; i < WR_COUNT(members); i++) {
		struct change change = document_unchanged;

		wr_test_case(members[i].path);
		change.dropped = i;
		CHECK_STATUS(read_document(&change), members[i].is_required ? WR_INVALID : WR_OK);
		change = document_unchanged;
		change.repeated = i;
		CHECK_STATUS(read_document(&change), WR_INVALID);
		for (unsigned value = 0; value < WR_COUNT(document_values); value++)
			check_replaced(i, value);
	}
	for (uint64_t order = 1; order <= 200; order++) {
		struct change change = document_unchanged;

		change.order = order;
		CHECK_STATUS(read_document(&change), WR_OK);
	}
	end();
}

static void test_what_is_written_is_read_back(void)
{
	struct wr_config_bundle back;
	struct made_bundle made;
	struct wr_error error;
	struct wr_buf other;

	begin();
	wr_buf_init(&other, wr_test_allocator(), TEXTS_BYTES);
	make_bundle(&made, "b", 1);
	made.value.detail = WR_VIEW("\"quoted\" \xe5\xa4\x9c");
	add_profile(&made, WR_PROFILE_NAMED, "n \"x\"", NULL);
	add_declaration(&made, WR_DECLARATION_SECRET_REF, "key", "vault:a.b");
	seal_bundle(&made);
	wr_bundle_json_write(&out, &made.value);
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	CHECK_STATUS(read_bundle(&back, wr_buf_view(&out)), WR_OK);
	CHECK(wr_config_bundle_is_same(&back, &made.value));
	CHECK_STATUS(wr_config_bundle_check(&back, &error), WR_OK);
	wr_bundle_json_write(&other, &back);
	CHECK_VIEW(wr_buf_view(&other), wr_buf_view(&out));
	wr_buf_deinit(&other);
	end();
}

static void test_running_out_of_memory_is_told(void)
{
	static const char escaped[] =
		"{\"bundle\":{" METADATA ",\"profiles\":[" PROFILE "],\"x\":\"\\n\"}}";
	struct wr_config_bundle bundle;
	enum wr_status status = WR_NO_MEMORY;
	unsigned refused = 0;

	for (uint64_t n = 1; status != WR_OK; n++) {
		begin();
		wr_test_fail_allocation(n, false);
		status = read_bundle(&bundle, wr_view_of_string(escaped));
		CHECK_STATUS(status, wr_test_allocation_failed() ? WR_NO_MEMORY : WR_OK);
		wr_test_fail_allocation(0, false);
		refused += status != WR_OK;
		end();
	}
	CHECK(refused == 1);
}

/* ---- availability ---- */

static struct wr_view write_availability(const struct wr_bundle_summary *summary)
{
	struct wr_json_writer writer;

	wr_buf_reset(&out);
	wr_json_writer_init(&writer, &out);
	wr_json_object_begin(&writer);
	wr_json_name(&writer, WR_VIEW("availability"));
	wr_bundle_availability_json(&writer, summary);
	wr_json_object_end(&writer);
	CHECK_STATUS(wr_buf_status(&out), WR_OK);
	return wr_buf_view(&out);
}

static void test_availability_is_told_as_the_contract_shows_it(void)
{
	const char *folder = wr_test_shared();
	struct wr_config_bundle bundle;
	struct wr_bundle_summary summary;
	struct wr_view text;
	const char *at, *back;
	char path[512];

	begin();
	CHECK_STATUS(read_bundle(&bundle, WR_VIEW(BUNDLE)), WR_OK);
	summary = wr_bundle_summary_of(&bundle);
	CHECK_STRING(write_availability(&summary), AVAILABILITY);
	if (folder == NULL)
		wr_test_skip("no folder of shared reference data");
	snprintf(path, sizeof path, "%s/contract.md", folder);
	if (!wr_test_find_file(path))
		wr_test_skip("contract.md is not there");
	text = wr_test_read_file(path);
	at = strstr(text.data, "\n```json phase2\n");
	CHECK(at != NULL);
	at = strchr(at + 1, '\n') + 1;
	back = strstr(at, "\n```");
	CHECK_VIEW(wr_buf_view(&out), wr_view_of(at, (size_t)(back - at)));
	CHECK_STATUS(
		wr_bundle_availability_read(&summary, &texts, wr_view_of(at, (size_t)(back - at))),
		WR_OK);
	end();
}

static void test_a_summary_has_its_detail_when_there_is_one(void)
{
	struct wr_json_writer writer;
	struct wr_config_bundle bundle;
	struct wr_bundle_summary summary;

	begin();
	CHECK_STATUS(read_bundle(&bundle, WR_VIEW(BUNDLE)), WR_OK);
	bundle.detail = WR_VIEW("a \"b\"");
	summary = wr_bundle_summary_of(&bundle);
	wr_json_writer_init(&writer, &out);
	wr_bundle_summary_json(&writer, &summary);
	CHECK_STRING(json_at(json_at(wr_buf_view(&out), "provenance"), "detail"),
		     "\"a \\\"b\\\"\"");
	CHECK_STATUS(wr_bundle_availability_read(&summary, &texts, write_availability(&summary)),
		     WR_OK);
	end();
}

/* What is hostile in an answer: one replacement in the good one. */
static void test_answers_that_may_not_be_passed_on_are_refused(void)
{
	static const struct {
		const char *what, *to;
		enum wr_status status;
	} cases[] = {
		{"\"revision\":\"r1\"", "\"revision\":\"r1\"", WR_OK},
		{"\"revision\":\"r1\"", "\"revision\":\"\",\"more\":{}", WR_OK},
		{"\"profile_count\":1", "\"profile_count\":18446744073709551615", WR_OK},
		{"{\"source\":\"backend\"}", "{\"source\":\"b\",\"detail\":null}", WR_OK},
		{"\"revision\":\"r1\"", "\"revision\":\"/etc/passwd\"", WR_INVALID},
		{"\"revision\":\"r1\"", "\"revision\":\"http://127.0.0.1:1\"", WR_INVALID},
		{"\"revision\":\"r1\"", "\"revision\":\"my session\"", WR_INVALID},
		{"\"revision\":\"r1\"", "\"revision\":\"a\\u0000b\"", WR_INVALID},
		{"\"revision\":\"r1\"", "\"revision\":\"a\\u0085b\"", WR_INVALID},
		{"\"workspace_id\":\"ws-1\"", "\"workspace_id\":\"C:\\\\x\"", WR_INVALID},
		{"\"created_at\":\"2026-06-26T00:00:00Z\"", "\"created_at\":\"x.sock\"",
		 WR_INVALID},
		{"{\"source\":\"backend\"}", "{\"source\":\"~/x\"}", WR_INVALID},
		{"{\"source\":\"backend\"}", "{\"source\":\"b\",\"detail\":\"\\n\"}", WR_INVALID},
		{"{\"source\":\"backend\"}", "{\"detail\":\"b\"}", WR_INVALID},
		{"{\"source\":\"backend\"}", "null", WR_INVALID},
		{"\"sha256\"", "\"md5\"", WR_INVALID},
		{"\"sha256\"", "null", WR_INVALID},
		{"\"profile_count\":1", "\"profile_count\":-1", WR_INVALID},
		{"\"profile_count\":1", "\"profile_count\":\"1\"", WR_INVALID},
		{"\"declaration_count\":1", "\"declaration_count\":1.5", WR_INVALID},
		{",\"declaration_count\":1", "", WR_INVALID},
		{REFERENCE, "{\"id\":\"bundle-b\",\"digest\":\"" DIGEST "\"}", WR_INVALID},
		{REFERENCE, "{\"id\":\"bundle-a\",\"digest\":\"7\"}", WR_INVALID},
		{REFERENCE, "{\"id\":\"bundle-a\"}", WR_INVALID},
		{REFERENCE, "null", WR_INVALID},
		{SUMMARY, "null", WR_INVALID},
		{SUMMARY, "[]", WR_INVALID},
		{"{\"availability\":", "{\"available\":", WR_INVALID},
		{"}}}", "}}", WR_SYNTAX},
	};
	struct wr_bundle_summary summary;

	begin();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		const char *good = AVAILABILITY, *at = strstr(good, cases[i].what);

		wr_test_case(cases[i].to);
		CHECK(at != NULL);
		wr_buf_reset(&out);
		wr_buf_append(&out, good, (size_t)(at - good));
		wr_buf_append_view(&out, wr_view_of_string(cases[i].to));
		wr_buf_append_view(&out, wr_view_of_string(at + strlen(cases[i].what)));
		CHECK_STATUS(wr_bundle_availability_read(&summary, &texts,
							 wr_test_guarded(0, wr_buf_view(&out))),
			     cases[i].status);
	}
	for (size_t cut = 0; cut < sizeof AVAILABILITY - 1; cut++)
		CHECK_STATUS(wr_bundle_availability_read(
				     &summary, &texts,
				     wr_test_guarded(0, wr_view_of(AVAILABILITY, cut))),
			     WR_SYNTAX);
	end();
}

static void test_ids_in_answers_are_those_of_bundles(void)
{
	struct wr_bundle_summary summary, back;
	struct wr_config_bundle bundle;

	begin();
	CHECK_STATUS(read_bundle(&bundle, WR_VIEW(BUNDLE)), WR_OK);
	summary = wr_bundle_summary_of(&bundle);
	summary.id = WR_VIEW("../x");
	CHECK_STATUS(wr_bundle_availability_read(&back, &texts, write_availability(&summary)),
		     WR_INVALID);
	summary.id = WR_VIEW("x");
	summary.digest = WR_VIEW("DIGEST");
	CHECK_STATUS(wr_bundle_availability_read(&back, &texts, write_availability(&summary)),
		     WR_INVALID);
	end();
}

/* ---- the query ---- */

static void test_a_digest_is_asked_for_once(void)
{
	static const struct {
		const char *query, *digest; /* NULL: refused */
	} cases[] = {
		{"digest=abc", "abc"},
		{"x=1&digest=abc&y", "abc"},
		{"digest=%61b%63", "abc"},
		{"%64igest=abc", "abc"},
		{"digest=", ""},
		{"digest", ""},
		{"", NULL},
		{"x=1", NULL},
		{"Digest=abc", NULL},
		{"digest=a&digest=a", NULL},
		{"digest=%zz", "%zz"},
		{"digest=%ff", NULL},
	};
	struct wr_view digest;

	begin();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].query);
		CHECK_STATUS(
			wr_digest_query_read(&digest, &texts,
					     wr_test_guarded(0, wr_view_of_string(cases[i].query))),
			cases[i].digest != NULL ? WR_OK : WR_INVALID);
		if (cases[i].digest != NULL)
			CHECK_STRING(digest, cases[i].digest);
	}
	end();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_bundle_is_read_as_it_was_meant),
	WR_TEST(test_the_same_bundle_in_other_spellings),
	WR_TEST(test_lists_may_be_absent_or_empty),
	WR_TEST(test_bodies_that_are_no_bundle_are_refused),
	WR_TEST(test_every_member_is_needed_once_and_of_its_type),
	WR_TEST(test_what_is_written_is_read_back),
	WR_TEST(test_running_out_of_memory_is_told),
	WR_TEST(test_availability_is_told_as_the_contract_shows_it),
	WR_TEST(test_a_summary_has_its_detail_when_there_is_one),
	WR_TEST(test_answers_that_may_not_be_passed_on_are_refused),
	WR_TEST(test_ids_in_answers_are_those_of_bundles),
	WR_TEST(test_a_digest_is_asked_for_once),
	WR_TEST_END,
};
