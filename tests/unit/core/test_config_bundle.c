/* Goal: what a config bundle may say, in the order in which it is judged, and the digest over it
 * (contract 9). Method: tables; the contract's vector; rows in every order; a plain second way to
 * the same digest. */
#include "core/config_bundle.h"

#include "check.h"
#include "bounds.h"
#include "unit/core/made_bundle.h"

#include <stdlib.h>
#include <string.h>

/* ---- the digest ---- */

/* contract 9 */
static const char vector[] = "7197561351779ab6535109f9589a77ffaa14c6f829b195591051d954f3062d6d";

static void make_vector(struct made_bundle *made)
{
	made->value = (struct wr_config_bundle){
		.id = WR_VIEW("bundle-a"),
		.revision = WR_VIEW("r1"),
		.workspace_id = WR_VIEW("ws-1"),
		.created_at = WR_VIEW("2026-06-26T00:00:00Z"),
		.source = WR_VIEW("backend"),
	};
	add_profile(made, WR_PROFILE_BUILTIN, "builtin:coder", "Coder");
	add_declaration(made, WR_DECLARATION_CAPABILITY_GRANT, "read", "capability:read");
	seal_bundle(made);
}

static void test_the_digest_is_that_of_the_contract(void)
{
	struct made_bundle made;

	make_vector(&made);
	CHECK_STRING(made.value.digest, vector);
	/* Absent is empty to it. */
	made.value.detail = WR_VIEW("");
	seal_bundle(&made);
	CHECK_STRING(made.value.digest, vector);
	made.value.detail = WR_VIEW("x");
	seal_bundle(&made);
	CHECK(!wr_view_equal(made.value.digest, wr_view_of_string(vector)));
}

/* The same by the words of the contract: lines written out, sorted, hashed. */
enum { LINES = 700, LINE_BYTES = 96 };
static char lines[LINES][LINE_BYTES];
static size_t line_bytes[LINES], line_count;

static void add_line(const struct wr_view *parts, unsigned count)
{
	char *at = lines[line_count];

	for (unsigned i = 0; i < count; i++) {
		if (i != 0)
			*at++ = '\0';
		if (parts[i].bytes != 0)
			memcpy(at, parts[i].data, parts[i].bytes);
		at += parts[i].bytes;
	}
	line_bytes[line_count] = (size_t)(at - lines[line_count]);
	CHECK(line_bytes[line_count] <= LINE_BYTES);
	line_count++;
}

#define LINE(...)                                              \
	do {                                                   \
		const struct wr_view parts_[] = {__VA_ARGS__}; \
		add_line(parts_, WR_COUNT(parts_));            \
	} while (0)

static int compare_indices(const void *a, const void *b)
{
	size_t left = *(const size_t *)a, right = *(const size_t *)b;

	return wr_view_compare(wr_view_of(lines[left], line_bytes[left]),
			       wr_view_of(lines[right], line_bytes[right]));
}

static void plain_digest(const struct wr_config_bundle *bundle, char out[WR_CONFIG_DIGEST_BYTES])
{
	struct wr_view rest = bundle->profiles.packed;
	uint8_t digest[WR_SHA256_BYTES];
	size_t order[LINES];
	struct wr_sha256 hash;
	struct wr_row row;

	line_count = 0;
	LINE(WR_VIEW("id"), bundle->id);
	LINE(WR_VIEW("revision"), bundle->revision);
	LINE(WR_VIEW("workspace_id"), bundle->workspace_id);
	LINE(WR_VIEW("created_at"), bundle->created_at);
	LINE(WR_VIEW("provenance.source"), bundle->source);
	LINE(WR_VIEW("provenance.detail"), bundle->detail);
	while (wr_rows_next(&rest, &row)) {
		if (row.kind == WR_PROFILE_RUNTIME_DEFAULT)
			LINE(WR_VIEW("profile"), WR_VIEW("runtime_default"), row.second);
		else
			LINE(WR_VIEW("profile"),
			     row.kind == WR_PROFILE_BUILTIN ? WR_VIEW("builtin") : WR_VIEW("named"),
			     row.first, row.second);
	}
	rest = bundle->declarations.packed;
	while (wr_rows_next(&rest, &row))
		LINE(WR_VIEW("declaration"),
		     wr_declaration_word((enum wr_declaration_kind)row.kind), row.first,
		     row.second);
	for (size_t i = 0; i < line_count; i++)
		order[i] = i;
	qsort(order, line_count, sizeof *order, compare_indices);
	wr_sha256_init(&hash);
	for (size_t i = 0; i < line_count; i++) {
		wr_sha256_feed(&hash, wr_view_of(lines[order[i]], line_bytes[order[i]]));
		wr_sha256_feed(&hash, WR_VIEW("\n"));
	}
	wr_sha256_finish(&hash, digest);
	for (size_t i = 0; i < sizeof digest; i++) {
		out[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
}

static struct wr_view random_word(uint64_t *random)
{
	static const char text[] = "aab\0abab";
	uint64_t bits = wr_test_random(random);

	return bits % 5 == 0 ? WR_VIEW_NULL
			     : wr_view_of(text + bits / 8 % 4, (size_t)(bits / 64 % 5));
}

static void fill(struct wr_buf *out, struct wr_rows *rows, uint64_t *random, uint32_t count,
		 unsigned kinds)
{
	wr_buf_reset(out);
	for (uint32_t i = 0; i < count; i++) {
		const struct wr_row row = {(uint8_t)(wr_test_random(random) % kinds),
					   random_word(random), random_word(random)};
		CHECK_STATUS(wr_rows_append(out, &row), WR_OK);
	}
	*rows = (struct wr_rows){wr_buf_view(out), count};
}

static void test_the_digest_is_that_of_sorted_lines(void)
{
	char actual[WR_CONFIG_DIGEST_BYTES], expected[WR_CONFIG_DIGEST_BYTES];
	struct wr_config_bundle bundle = {.source = WR_VIEW("s")};
	uint64_t random = wr_test_seed();
	struct wr_buf profiles, declarations;

	wr_buf_init(&profiles, wr_test_allocator(), WR_CONFIG_BUNDLE_BYTES_MAX);
	wr_buf_init(&declarations, wr_test_allocator(), WR_CONFIG_BUNDLE_BYTES_MAX);
	for (unsigned round = 0; round < 200; round++) {
		uint32_t most = round % 20 == 0 ? WR_CONFIG_PROFILE_COUNT_MAX : 8;

		bundle.id = random_word(&random);
		bundle.detail = random_word(&random);
		fill(&profiles, &bundle.profiles, &random,
		     (uint32_t)(wr_test_random(&random) % (most + 1)), WR_PROFILE_NAMED + 1);
		fill(&declarations, &bundle.declarations, &random, 4 * most,
		     WR_DECLARATION_UNSUPPORTED + 1);
		CHECK(wr_config_bundle_is_sound(&bundle));
		wr_config_bundle_digest(&bundle, actual);
		plain_digest(&bundle, expected);
		CHECK_VIEW(wr_view_of(actual, sizeof actual),
			   wr_view_of(expected, sizeof expected));
	}
	wr_buf_deinit(&profiles);
	wr_buf_deinit(&declarations);
}

static void test_every_change_of_content_changes_the_digest(void)
{
	static const struct {
		const char *what;
		size_t field; /* of struct wr_config_bundle */
	} cases[] = {
		{"id", offsetof(struct wr_config_bundle, id)},
		{"revision", offsetof(struct wr_config_bundle, revision)},
		{"workspace", offsetof(struct wr_config_bundle, workspace_id)},
		{"time", offsetof(struct wr_config_bundle, created_at)},
		{"source", offsetof(struct wr_config_bundle, source)},
		{"detail", offsetof(struct wr_config_bundle, detail)},
	};
	struct made_bundle made;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].what);
		make_vector(&made);
		*(struct wr_view *)(void *)((char *)&made.value + cases[i].field) = WR_VIEW("y");
		seal_bundle(&made);
		CHECK(!wr_view_equal(made.value.digest, wr_view_of_string(vector)));
	}
	make_vector(&made);
	add_profile(&made, WR_PROFILE_RUNTIME_DEFAULT, NULL, NULL);
	seal_bundle(&made);
	CHECK(!wr_view_equal(made.value.digest, wr_view_of_string(vector)));
	/* Its own digest is no part of it. */
	make_vector(&made);
	made.value.digest = WR_VIEW("other");
	seal_bundle(&made);
	CHECK_STRING(made.value.digest, vector);
}

/* ---- ids and digests ---- */

static void test_ids_are_short_words(void)
{
	char text[WR_CONFIG_BUNDLE_ID_BYTES_MAX + 1];
	static const struct {
		const char *id;
		bool is_valid;
	} cases[] = {
		{"a", true},	     {"0", true},     {"Z", true},    {"a.b_c:d-e", true},
		{"bundle-a", true},  {"", false},     {" a", false},  {"a ", false},
		{".a", false},	     {"_a", false},   {":a", false},  {"-a", false},
		{"a/b", false},	     {"a\\b", false}, {"a b", false}, {"a\xc3\xa4", false},
		{"\xc3\xa4", false}, {"a\n", false},  {"a%", false},  {"a@", false},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].id);
		CHECK(wr_config_bundle_id_is_valid(wr_test_guarded(
			      0, wr_view_of_string(cases[i].id))) == cases[i].is_valid);
	}
	memset(text, 'x', sizeof text);
	CHECK(wr_config_bundle_id_is_valid(wr_view_of(text, sizeof text - 1)));
	CHECK(!wr_config_bundle_id_is_valid(wr_view_of(text, sizeof text)));
	CHECK(!wr_config_bundle_id_is_valid(WR_VIEW_NULL));
	CHECK(!wr_config_bundle_id_is_valid(wr_view_of("a\0b", 3)));
}

static void test_digests_are_64_lower_case_digits(void)
{
	char text[WR_CONFIG_DIGEST_BYTES + 1];

	memcpy(text, vector, WR_CONFIG_DIGEST_BYTES);
	text[WR_CONFIG_DIGEST_BYTES] = '0';
	for (size_t bytes = 0; bytes <= sizeof text; bytes++)
		CHECK(wr_config_digest_is_valid(wr_test_guarded(0, wr_view_of(text, bytes))) ==
		      (bytes == WR_CONFIG_DIGEST_BYTES));
	for (unsigned c = 0; c < 256; c++) {
		text[40] = (char)c;
		CHECK(wr_config_digest_is_valid(wr_view_of(text, WR_CONFIG_DIGEST_BYTES)) ==
		      ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')));
	}
}

/* ---- texts ---- */

static void test_texts_that_name_something_of_a_host_are_refused(void)
{
	static const struct {
		const char *text;
		bool is_good;
	} cases[] = {
		{"", true},
		{"Coder, the second", true},
		{"r1/2 of 3", true},
		{"team/coder", true},
		{"2026-06-26T00:00:00+02:00", true},
		{"builtin:coder", true},
		{"a...b", true},
		{"a~b", true},
		{"\xe5\xa4\x9c\xe5\xb1\x85", true},
		{"\xc2\xa0\xc3\xbc", true}, /* U+00A0 is no control character */
		{"profile", true},
		{"/", false},
		{"/etc/passwd", false},
		{"see /etc", false},
		{"(/etc)", false},
		{"x=/etc", false},
		{"\"/etc\"", false},
		{"a:/b", false},
		{"c:/windows", false},
		{"https://host/x", false},
		{"-/x", false},
		{"\xc2\xa0/etc", false},
		{"\xe3\x80\x80/etc", false},
		{"~", false},
		{"~/x", false},
		{"in ~root", false},
		{"./x", false},
		{"in ./x", false},
		{"../x", false},
		{"a/../b", false},
		{"a..b/../c", false},
		{"c:\\windows", false},
		{"a\\b", false},
		{"\\\\host\\share", false},
		{"file:x", false},
		{"FILE:x", false},
		{"cache", false},
		{"my-Caches", false},
		{"session", false},
		{"a SESSION id", false},
		{"websocket", false},
		{"run.sock", false},
		{"run.SOCK.1", false},
		{"a\tb", false},
		{"a\nb", false},
		{"\x01", false},
		{"a\x7f", false},
		{"\xc2\x80", false}, /* C1 */
		{"a\xc2\x9f", false},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].text);
		CHECK((wr_config_text_fault(wr_test_guarded(0, wr_view_of_string(cases[i].text))) ==
		       NULL) == cases[i].is_good);
	}
	CHECK(wr_config_text_fault(wr_view_of("a\0b", 3)) != NULL);
	CHECK(wr_config_text_fault(WR_VIEW_NULL) == NULL);
}

static void test_texts_of_2048_bytes_are_the_longest(void)
{
	static char text[WR_CONFIG_TEXT_BYTES_MAX + 1];

	memset(text, 'x', sizeof text);
	CHECK(wr_config_text_fault(wr_view_of(text, sizeof text - 1)) == NULL);
	CHECK(wr_config_text_fault(wr_view_of(text, sizeof text)) != NULL);
}

/* ---- bundles, in the order of the checks ---- */

/* Each step makes one thing wrong that no later check would have to see: with all of them done, and
 * then mended one by one from the first, each is what is told. */
enum fault {
	FAULT_ID,
	FAULT_DIGEST_FORM,
	FAULT_BLANK,
	FAULT_TEXT,
	FAULT_DIGEST,
	FAULT_PROFILE,
	FAULT_NAME,
	FAULT_REFERENCE,
	FAULTS
};

static const enum wr_status fault_status[FAULTS] = {
	[FAULT_ID] = WR_INVALID,
	[FAULT_DIGEST_FORM] = WR_INVALID,
	[FAULT_BLANK] = WR_INVALID,
	[FAULT_TEXT] = WR_INVALID,
	[FAULT_DIGEST] = WR_DIGEST_MISMATCH,
	[FAULT_PROFILE] = WR_NOT_FOUND,
	[FAULT_NAME] = WR_INVALID,
	[FAULT_REFERENCE] = WR_NO_DECLARATION,
};

static void make_faulty(struct made_bundle *made, unsigned faults)
{
	make_vector(made);
	if ((faults >> FAULT_REFERENCE & 1) != 0)
		add_declaration(made, WR_DECLARATION_UNSUPPORTED, "x", "y");
	if ((faults >> FAULT_NAME & 1) != 0)
		add_declaration(made, WR_DECLARATION_GIT_POLICY, " ", "git:x");
	if ((faults >> FAULT_PROFILE & 1) != 0)
		add_profile(made, WR_PROFILE_NAMED, "\xc2\xa0", NULL);
	if ((faults >> FAULT_TEXT & 1) != 0)
		made->value.detail = WR_VIEW("/etc");
	if ((faults >> FAULT_BLANK & 1) != 0)
		made->value.source = WR_VIEW(" ");
	if ((faults >> FAULT_ID & 1) != 0)
		made->value.id = WR_VIEW("-");
	seal_bundle(made);
	if ((faults >> FAULT_DIGEST & 1) != 0)
		made->digest[0] = made->digest[0] == '0' ? '1' : '0';
	if ((faults >> FAULT_DIGEST_FORM & 1) != 0)
		made->digest[1] = 'X';
}

static void test_the_first_fault_is_told_in_the_order_of_the_contract(void)
{
	for (unsigned faults = 0; faults < 1u << FAULTS; faults++) {
		enum wr_status expected = WR_OK;
		struct made_bundle made;
		struct wr_error error;

		for (unsigned i = FAULTS; i-- > 0;)
			if ((faults >> i & 1) != 0)
				expected = fault_status[i];
		make_faulty(&made, faults);
		CHECK_STATUS(wr_config_bundle_check(&made.value, &error), expected);
		CHECK_STATUS(error.status, expected);
		CHECK((error.detail != NULL) == (expected != WR_OK));
	}
}

static void test_every_text_is_looked_at(void)
{
	struct made_bundle made;
	struct wr_error error;

	for (unsigned place = 0; place < 8; place++) {
		make_vector(&made);
		if (place == 0)
			made.value.revision = WR_VIEW("a socket");
		if (place == 1)
			made.value.workspace_id = WR_VIEW("a socket");
		if (place == 2)
			made.value.created_at = WR_VIEW("a socket");
		if (place == 3)
			made.value.source = WR_VIEW("a socket");
		if (place == 4)
			made.value.detail = WR_VIEW("a socket");
		if (place == 5)
			add_profile(&made, WR_PROFILE_NAMED, "a socket", NULL);
		if (place == 6)
			add_profile(&made, WR_PROFILE_RUNTIME_DEFAULT, NULL, "a socket");
		if (place == 7)
			add_declaration(&made, WR_DECLARATION_GIT_POLICY, "a socket", "git:x");
		seal_bundle(&made);
		CHECK_STATUS(wr_config_bundle_check(&made.value, &error), WR_INVALID);
	}
	for (unsigned place = 0; place < 4; place++) {
		make_vector(&made);
		if (place == 0)
			made.value.revision = WR_VIEW("");
		if (place == 1)
			made.value.workspace_id = WR_VIEW("\xe3\x80\x80");
		if (place == 2)
			made.value.created_at = WR_VIEW("  ");
		if (place == 3)
			made.value.source = WR_VIEW_NULL;
		seal_bundle(&made);
		CHECK_STATUS(wr_config_bundle_check(&made.value, &error), WR_INVALID);
	}
}

static void test_references_begin_as_those_of_their_kind(void)
{
	static const struct {
		enum wr_declaration_kind kind;
		const char *reference;
		enum wr_status status;
	} cases[] = {
		{WR_DECLARATION_SECRET_REF, "secret:x", WR_OK},
		{WR_DECLARATION_SECRET_REF, "secret-ref:x", WR_OK},
		{WR_DECLARATION_SECRET_REF, "vault:a.b@c+d_e-f:g", WR_OK},
		{WR_DECLARATION_SECRET_REF, "keyring:session", WR_OK},
		{WR_DECLARATION_MOUNT_GRANT, "mount:x", WR_OK},
		{WR_DECLARATION_MOUNT_GRANT, "mount-grant:x", WR_OK},
		{WR_DECLARATION_NETWORK_POLICY, "network:x", WR_OK},
		{WR_DECLARATION_NETWORK_POLICY, "network-policy:x", WR_OK},
		{WR_DECLARATION_SHELL_POLICY, "shell:x", WR_OK},
		{WR_DECLARATION_SHELL_POLICY, "shell-policy:x", WR_OK},
		{WR_DECLARATION_GIT_POLICY, "git:x", WR_OK},
		{WR_DECLARATION_GIT_POLICY, "git-policy:x", WR_OK},
		{WR_DECLARATION_CAPABILITY_GRANT, "capability:x", WR_OK},
		{WR_DECLARATION_CAPABILITY_GRANT, "capability-grant:x", WR_OK},
		{WR_DECLARATION_SECRET_REF, "mount:x", WR_NO_DECLARATION},
		{WR_DECLARATION_MOUNT_GRANT, "secret:x", WR_NO_DECLARATION},
		{WR_DECLARATION_GIT_POLICY, "x", WR_NO_DECLARATION},
		{WR_DECLARATION_GIT_POLICY, "git", WR_NO_DECLARATION},
		{WR_DECLARATION_GIT_POLICY, "GIT:x", WR_NO_DECLARATION},
		{WR_DECLARATION_GIT_POLICY, "", WR_NO_DECLARATION},
		{WR_DECLARATION_UNSUPPORTED, "git:x", WR_NO_DECLARATION},
		{WR_DECLARATION_UNSUPPORTED, "", WR_NO_DECLARATION},
		{WR_DECLARATION_GIT_POLICY, "git:", WR_INVALID},
		{WR_DECLARATION_GIT_POLICY, "git-policy:", WR_INVALID},
		{WR_DECLARATION_GIT_POLICY, "git:a/b", WR_INVALID},
		{WR_DECLARATION_GIT_POLICY, "git:a b", WR_INVALID},
		{WR_DECLARATION_GIT_POLICY, "git:\\", WR_INVALID},
		{WR_DECLARATION_GIT_POLICY, "git:\xc3\xbc", WR_INVALID},
		{WR_DECLARATION_GIT_POLICY, "git:\n", WR_INVALID},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct made_bundle made;
		struct wr_error error;

		wr_test_case(cases[i].reference);
		make_vector(&made);
		add_declaration(&made, cases[i].kind, "n", cases[i].reference);
		seal_bundle(&made);
		CHECK_STATUS(wr_config_bundle_check(&made.value, &error), cases[i].status);
	}
}

static void test_bundles_over_their_bounds_are_too_large(void)
{
	static char large[WR_CONFIG_BUNDLE_BYTES_MAX];
	const struct wr_row small = {WR_PROFILE_RUNTIME_DEFAULT, WR_VIEW_NULL, WR_VIEW_NULL};
	struct made_bundle made;
	struct wr_error error;
	struct wr_buf rows;

	wr_buf_init(&rows, wr_test_allocator(), WR_CONFIG_BUNDLE_BYTES_MAX);
	for (uint32_t count = 1; count <= WR_CONFIG_DECLARATION_COUNT_MAX + 1; count++) {
		CHECK_STATUS(wr_rows_append(&rows, &small), WR_OK);
		make_vector(&made);
		made.value.profiles = (struct wr_rows){wr_buf_view(&rows), count};
		CHECK(wr_config_bundle_is_sound(&made.value) ==
		      (count <= WR_CONFIG_PROFILE_COUNT_MAX));
		made.value.declarations = made.value.profiles;
		made.value.profiles = (struct wr_rows){.count = 0};
		CHECK(wr_config_bundle_is_sound(&made.value) ==
		      (count <= WR_CONFIG_DECLARATION_COUNT_MAX));
	}
	CHECK_STATUS(wr_config_bundle_check(&made.value, &error), WR_TOO_LARGE);
	wr_buf_deinit(&rows);
	make_vector(&made);
	memset(large, 'x', sizeof large);
	made.value.detail = wr_view_of(large, sizeof large);
	CHECK_STATUS(wr_config_bundle_check(&made.value, &error), WR_TOO_LARGE);
}

static void test_damaged_rows_are_not_whole(void)
{
	static const struct {
		const char *bytes;
		size_t count;
		uint32_t rows;
	} cases[] = {
		{"", 0, 1},
		{"\0", 1, 1},
		{"\0\0\0\0\0", 5, 1},
		{"\0\1\0\0\0x\1\0\0\0", 10, 1},
		{"\0\376\377\377\377\0\0\0\0", 9, 1},
		{"\0\0\0\0\0\0\0\0\0\0", 10, 1},
		{"\0\0\0\0\0\0\0\0\0", 9, 2},
		{"\3\0\0\0\0\0\0\0\0", 9, 1}, /* a kind beyond the last */
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_rows rows = {
			wr_test_guarded(0, wr_view_of(cases[i].bytes, cases[i].count)),
			cases[i].rows};
		CHECK(!wr_rows_are_whole(&rows, WR_PROFILE_NAMED));
	}
}

static void test_a_profile_is_declared_by_kind_and_value(void)
{
	static const struct {
		enum wr_profile_kind kind;
		const char *value;
		bool is_declared;
	} cases[] = {
		{WR_PROFILE_BUILTIN, "builtin:coder", true},
		{WR_PROFILE_BUILTIN, "builtin:code", false},
		{WR_PROFILE_BUILTIN, "Builtin:coder", false},
		{WR_PROFILE_NAMED, "builtin:coder", false},
		{WR_PROFILE_NAMED, "x", true},
		{WR_PROFILE_BUILTIN, "x", false},
		{WR_PROFILE_RUNTIME_DEFAULT, NULL, false},
	};
	struct made_bundle made;

	make_vector(&made);
	add_profile(&made, WR_PROFILE_NAMED, "x", NULL);
	for (size_t i = 0; i < WR_COUNT(cases); i++)
		CHECK(wr_config_bundle_declares(&made.value, cases[i].kind,
						wr_view_of_string(cases[i].value)) ==
		      cases[i].is_declared);
	add_profile(&made, WR_PROFILE_RUNTIME_DEFAULT, NULL, NULL);
	CHECK(wr_config_bundle_declares(&made.value, WR_PROFILE_RUNTIME_DEFAULT, WR_VIEW_NULL));
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_the_digest_is_that_of_the_contract),
	WR_TEST(test_the_digest_is_that_of_sorted_lines),
	WR_TEST(test_every_change_of_content_changes_the_digest),
	WR_TEST(test_ids_are_short_words),
	WR_TEST(test_digests_are_64_lower_case_digits),
	WR_TEST(test_texts_that_name_something_of_a_host_are_refused),
	WR_TEST(test_texts_of_2048_bytes_are_the_longest),
	WR_TEST(test_the_first_fault_is_told_in_the_order_of_the_contract),
	WR_TEST(test_every_text_is_looked_at),
	WR_TEST(test_references_begin_as_those_of_their_kind),
	WR_TEST(test_bundles_over_their_bounds_are_too_large),
	WR_TEST(test_damaged_rows_are_not_whole),
	WR_TEST(test_a_profile_is_declared_by_kind_and_value),
	WR_TEST_END,
};
