/*
 * Goal: an option takes the values of its kind and range, and no others; what is refused changes
 * nothing; the options of a hosted Runtime have the defaults of bounds.h and go together.
 *
 * Method: one row for each text, read over a value that is known.
 */
#include "bounds.h"
#include "check.h"
#include "harness/harness.h"
#include "host/hosting_options.h"
#include "host/texts.h"

#include <string.h>

static bool is_short(struct wr_view text)
{
	return text.bytes < 3;
}

#define OPTION(k)                                                                         \
	{                                                                                 \
		.name = "x", .value = "X", .help = "", .kind = (k), .min = 2, .max = 4096 \
	}

static const struct wr_option counts[] = {OPTION(WR_OPTION_COUNT)};
static const struct wr_option all_counts[] = {
	{.name = "x", .value = "X", .kind = WR_OPTION_COUNT, .max = UINT64_MAX}};
static const struct wr_option times[] = {OPTION(WR_OPTION_MS)};
static const struct wr_option sizes[] = {OPTION(WR_OPTION_BYTES)};
static const struct wr_option all_sizes[] = {
	{.name = "x", .value = "X", .kind = WR_OPTION_BYTES, .max = UINT64_MAX}};
static const struct wr_option words[] = {
	{.name = "x", .kind = WR_OPTION_CHOICE, .choices = "one|two|second", .max = 1}};

static void test_numbers(void)
{
	static const struct {
		const struct wr_option *option;
		const char *text;
		bool is_good;
		uint64_t number;
		const char *prints;
	} cases[] = {
		{counts, "2", true, 2, "2"},
		{counts, "4096", true, 4096, "4096"},
		{counts, "0004", true, 4, "4"},
		{counts, "1", false, 0, NULL},
		{counts, "4097", false, 0, NULL},
		{counts, "", false, 0, NULL},
		{counts, "-2", false, 0, NULL},
		{counts, "+2", false, 0, NULL},
		{counts, " 2", false, 0, NULL},
		{counts, "2 ", false, 0, NULL},
		{counts, "2K", false, 0, NULL},
		{counts, "0x2", false, 0, NULL},
		{counts, "2.0", false, 0, NULL},
		{counts, "\xd9\xa3", false, 0, NULL},
		{counts, "99999999999999999999", false, 0, NULL},
		{all_counts, "18446744073709551615", true, UINT64_MAX, "18446744073709551615"},
		{all_counts, "18446744073709551616", false, 0, NULL},
		{all_counts, "18446744073709551620", false, 0, NULL},
		{times, "1000", true, 1000, "1000"},
		{times, "10s", false, 0, NULL},
		{sizes, "1000", true, 1000, "1000"},
		{sizes, "2K", true, 2048, "2K"},
		{sizes, "2k", true, 2048, "2K"},
		{sizes, "2KB", true, 2048, "2K"},
		{sizes, "2kiB", true, 2048, "2K"},
		{sizes, "5K", false, 0, NULL},
		{sizes, "1M", false, 0, NULL},
		{sizes, "K", false, 0, NULL},
		{sizes, "2 K", false, 0, NULL},
		{sizes, "2Ki", false, 0, NULL},
		{sizes, "2b", false, 0, NULL},
		{sizes, "2KK", false, 0, NULL},
		{sizes, "2kb", false, 0, NULL},
		{sizes, "2T", false, 0, NULL},
		{all_sizes, "0", true, 0, "0"},
		{all_sizes, "3M", true, 3u << 20, "3M"},
		{all_sizes, "17179869183G", true, UINT64_MAX - ((1u << 30) - 1), "17179869183G"},
		{all_sizes, "17179869184G", false, 0, NULL},
		{words, "one", true, 0, "one"},
		{words, "two", true, 1, "two"},
		{words, "second", true, 1, "two"},
		{words, "", false, 0, NULL},
		{words, "One", false, 0, NULL},
		{words, "on", false, 0, NULL},
		{words, "ones", false, 0, NULL},
		{words, "one|two", false, 0, NULL},
		{words, "1", false, 0, NULL},
	};
	char storage[64];
	struct wr_buf out;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		uint64_t value = 77;

		wr_test_case(cases[i].text);
		CHECK(wr_option_read(cases[i].option, &value, wr_view_of_string(cases[i].text)) ==
		      cases[i].is_good);
		CHECK_U64(value, cases[i].is_good ? cases[i].number : 77);
		if (!cases[i].is_good)
			continue;
		wr_buf_init_fixed(&out, storage, sizeof storage);
		wr_option_put_value(cases[i].option, &out, &value);
		CHECK_STRING(wr_buf_view(&out), cases[i].prints);
	}
}

static void test_durabilities(void)
{
	static const struct wr_option option = OPTION(WR_OPTION_DURABILITY);
	static const struct {
		const char *text;
		bool is_good;
		uint64_t kind, interval_ms;
	} cases[] = {
		{"always", true, 0, 0},
		{"never", true, 2, 0},
		{"interval=1", true, 1, 1},
		{"interval=60000", true, 1, 60000},
		{"interval=60001", false, 0, 0},
		{"interval=0", false, 0, 0},
		{"interval=", false, 0, 0},
		{"interval", false, 0, 0},
		{"interval=5ms", false, 0, 0},
		{"interval=99999999999999999999", false, 0, 0},
		{"Always", false, 0, 0},
		{"always=1", false, 0, 0},
		{"", false, 0, 0},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_durability_setting value = {.kind = 1, .interval_ms = 77};

		wr_test_case(cases[i].text);
		CHECK(wr_option_read(&option, &value, wr_view_of_string(cases[i].text)) ==
		      cases[i].is_good);
		CHECK_U64(value.kind, cases[i].is_good ? cases[i].kind : 1);
		CHECK_U64(value.interval_ms, cases[i].is_good ? cases[i].interval_ms : 77);
	}
}

static void test_texts(void)
{
	static const struct wr_option text = OPTION(WR_OPTION_TEXT), name = OPTION(WR_OPTION_NAME),
				      label = OPTION(WR_OPTION_LABEL),
				      secret = OPTION(WR_OPTION_SECRET),
				      address = OPTION(WR_OPTION_ADDRESS),
				      url = OPTION(WR_OPTION_URL),
				      checked = {.name = "x", .is_good = is_short};
	static const struct {
		const struct wr_option *option;
		const char *text;
		bool is_good;
	} cases[] = {
		{&text, "x", true},
		{&text, " ", true},
		{&text, "", false},
		{&name, "x", true},
		{&name, "\xe6\x97\xa5", true},
		{&name, "", false},
		{&name, " \t\xe3\x80\x80", false},
		{&name, "x\xff", false},
		{&label, "", true},
		{&label, " ", true},
		{&label, "\xc3", false},
		{&secret, "x", true},
		{&secret, "", false},
		{&address, "127.0.0.1:0", true},
		{&address, "[::1]:80", true},
		{&address, "unix:/x", true},
		{&address, "localhost:80", false},
		{&address, "127.0.0.1", false},
		{&address, "", false},
		{&url, "http://h", true},
		{&url, "https://h:1/p", true},
		{&url, "h:1", false},
		{&url, "http://", false},
		{&url, "http://u@h", false},
		{&url, "", false},
		{&checked, "ab", true},
		{&checked, "abc", false},
		{&checked, "", false},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		const char *value = "before";

		wr_test_case(cases[i].text);
		CHECK(wr_option_read(cases[i].option, &value, wr_view_of_string(cases[i].text)) ==
		      cases[i].is_good);
		CHECK(strcmp(value, cases[i].is_good ? cases[i].text : "before") == 0);
	}
}

static void test_switches(void)
{
	static const struct wr_option option = OPTION(WR_OPTION_SWITCH);
	static const char *const refused[] = {"", "yes", "True", "1", "true ", "falsee"};
	bool value = false;

	CHECK(wr_option_read(&option, &value, WR_VIEW("true")) && value);
	for (size_t i = 0; i < WR_COUNT(refused); i++) {
		wr_test_case(refused[i]);
		CHECK(!wr_option_read(&option, &value, wr_view_of_string(refused[i])) && value);
	}
	CHECK(wr_option_read(&option, &value, WR_VIEW("false")) && !value);
}

/* ---- those of a hosted Runtime ---- */

static const struct wr_option_part parts[] = {{wr_hosting_name_options, 0},
					      {wr_hosting_options, 0},
					      {wr_hosting_limit_options, 0},
					      {NULL, 0}};
static const struct wr_options hosting_options = {.parts = parts};

static void reset(struct wr_hosting *hosting)
{
	const struct wr_option *option;
	size_t place;

	*hosting = (struct wr_hosting){.exec = NULL};
	for (uint32_t i = 0; (option = wr_options_at(&hosting_options, i, &place)) != NULL; i++)
		wr_option_reset(option, (char *)hosting + place);
}

/* Each has a name of its own, and a default that it would take itself. */
static void test_the_options_of_a_hosted_Runtime_are_sound(void)
{
	const struct wr_option *option, *other;
	char storage[64];
	struct wr_hosting hosting, copy;
	struct wr_buf out;
	size_t place, elsewhere;

	reset(&hosting);
	copy = hosting;
	for (uint32_t i = 0; (option = wr_options_at(&hosting_options, i, &place)) != NULL; i++) {
		wr_test_case(option->name);
		CHECK(option->help != NULL && option->value != NULL);
		for (uint32_t k = 0; k < i; k++) {
			other = wr_options_at(&hosting_options, k, &elsewhere);
			CHECK(strcmp(option->name, other->name) != 0 && place != elsewhere);
		}
		if (wr_option_is_text(option))
			continue;
		wr_buf_init_fixed(&out, storage, sizeof storage);
		wr_option_put_value(option, &out, (char *)&hosting + place);
		CHECK(wr_option_read(option, (char *)&copy + place, wr_buf_view(&out)));
	}
	CHECK(memcmp(&copy, &hosting, sizeof copy) == 0);
	CHECK(wr_hosting_is_sound(&hosting, &out));
	CHECK_U64(hosting.workers_max, WR_WORKER_COUNT_MAX);
}

static void test_a_Runtime_is_made_with_what_was_given(void)
{
	struct wr_runtime_config defaults, made;
	struct wr_runtime_ports ports;
	struct wr_hosting hosting;
	uint64_t random[2] = {0, 0};

	reset(&hosting);
	wr_runtime_defaults(&defaults);
	made = wr_hosting_runtime_config(&hosting);
	CHECK(made.runtime_id.data == NULL && made.display_name.data == NULL);
	CHECK_U64(made.worker_count_max, defaults.worker_count_max);
	CHECK_U64(made.transcript_items_max, defaults.transcript_items_max);
	CHECK_U64(made.event_batch_items_max, defaults.event_batch_items_max);
	CHECK_U64(made.retention.stream_events_max, defaults.retention.stream_events_max);
	CHECK_U64(made.retention.stream_bytes_max, defaults.retention.stream_bytes_max);
	CHECK_U64(made.retention.events_max, defaults.retention.events_max);
	CHECK_U64(made.retention.bytes_max, defaults.retention.bytes_max);
	CHECK_U64(made.worker_transcript_bytes_max, defaults.worker_transcript_bytes_max);
	CHECK_U64(made.transcript_bytes_max, defaults.transcript_bytes_max);
	hosting.runtime_id = "a";
	hosting.display_name = "";
	made = wr_hosting_runtime_config(&hosting);
	CHECK_STRING(made.runtime_id, "a");
	CHECK(made.display_name.data != NULL && made.display_name.bytes == 0);

	wr_hosting_ports(&ports, wr_test_allocator());
	CHECK(ports.allocator == wr_test_allocator() && ports.store.ops == NULL);
	CHECK(ports.wall_ms(ports.context) > 1600000000000);
	CHECK(ports.uptime_ms(ports.context) <= ports.uptime_ms(ports.context));
	CHECK_STATUS(ports.entropy(ports.context, random, sizeof random), WR_OK);
	CHECK(random[0] != random[1]);
}

static void test_what_does_not_go_together_is_refused(void)
{
	static const struct {
		const char *label;
		uint64_t store, fs_bytes, segment_bytes;
		const char *root, *says;
	} cases[] = {
		{"a store without a folder", WR_STORE_FS, 64u << 20, 8u << 20, NULL, "--fs-root"},
		{"three segments", WR_STORE_FS, 31u << 20, 8u << 20, "/x", "four times"},
		{"also in memory", WR_STORE_MEMORY, 31u << 20, 8u << 20, NULL, "four times"},
		{"all is well", WR_STORE_FS, 32u << 20, 8u << 20, "/x", NULL},
	};
	struct wr_hosting hosting;
	struct wr_buf message;
	char said[256];

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		reset(&hosting);
		hosting.store = cases[i].store;
		hosting.fs_bytes = cases[i].fs_bytes;
		hosting.fs_segment_bytes = cases[i].segment_bytes;
		hosting.fs_root = cases[i].root;
		memset(said, 0, sizeof said);
		wr_buf_init_fixed(&message, said, sizeof said - 1);
		CHECK(wr_hosting_is_sound(&hosting, &message) == (cases[i].says == NULL));
		CHECK(cases[i].says == NULL ? message.bytes == 0
					    : strstr(said, cases[i].says) != NULL);
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_numbers),
	WR_TEST(test_durabilities),
	WR_TEST(test_texts),
	WR_TEST(test_switches),
	WR_TEST(test_the_options_of_a_hosted_Runtime_are_sound),
	WR_TEST(test_a_Runtime_is_made_with_what_was_given),
	WR_TEST(test_what_does_not_go_together_is_refused),
	WR_TEST_END,
};
