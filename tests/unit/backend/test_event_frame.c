/* Goal: browsers are sent exactly the contract's frames (8.11), after the policy and never around
 * it. Method: frames taken with a client's decoder and compared byte for byte; a policy that does
 * as a table says; every size at which a frame's header changes; no memory at every allocation. */
#include "backend/event_frame.h"

#include "bounds.h"
#include "check.h"
#include "harness/harness.h"
#include "unit/wire/frame_payload.h"
#include "unit/wire/json_equal.h"

#define CURSOR "bo_u7jtsj6QLyJiHQzH68iQ4vygujKz"
_Static_assert(sizeof CURSOR - 1 == WR_CURSOR_BYTES, "a cursor's length");

#define FRONT                                                                                \
	"{\"kind\":\"event\",\"envelope\":{\"cursor\":\"" CURSOR "\",\"event_id\":\"" CURSOR \
	"\",\"runtime_id\":\"remote:build-box\",\"worker_id\":\"worker-00000001\",\"payload\":"
#define DELTA "{\"event\":\"text_delta\",\"data\":{\"text\":\"Hel\"}}"
#define SNAPSHOT "{\"event\":\"snapshot\",\"data\":{\"entries\":[1]}}"
#define EMPTY_SNAPSHOT                                                                         \
	"{\"event\":\"snapshot\",\"data\":{\"entries\":[],\"greeting\":{\"worker_name\":\"\"," \
	"\"cwd\":\"\",\"provider\":\"\",\"model\":\"\",\"scope_summary\":\"\",\"tools\":[],"   \
	"\"context_window\":0,\"context_tokens\":0},\"status\":\"idle\"}}"

static struct wr_buf out, scratch;

static void begin(void)
{
	wr_buf_init(&out, wr_test_allocator(), WR_FRAME_BYTES_MAX);
	wr_buf_init(&scratch, wr_test_allocator(), WR_FRAME_BYTES_MAX);
}

static void end(void)
{
	wr_buf_deinit(&out);
	wr_buf_deinit(&scratch);
}

static struct wr_envelope usual_envelope(void)
{
	struct wr_envelope envelope = {.runtime_id = WR_VIEW("remote:build-box"),
				       .worker_id = WR_VIEW("worker-00000001")};

	memcpy(envelope.cursor, CURSOR, WR_CURSOR_BYTES);
	return envelope;
}

/* ---- a policy that does as it is told ---- */

struct script {
	enum wr_policy_verdict verdict;
	struct wr_view replacement;
	unsigned asked;
};

static enum wr_policy_verdict on_event(void *context, const struct wr_policy_event *event,
				       struct wr_buf *replacement)
{
	struct script *self = context;

	CHECK_STRING(event->runtime_id, "remote:build-box");
	CHECK_STRING(event->worker_id, "worker-00000001");
	CHECK(event->name.bytes != 0 && event->payload.bytes != 0);
	CHECK_U64(replacement->bytes, 0);
	self->asked++;
	wr_buf_append_view(replacement, self->replacement);
	return self->verdict;
}

static enum wr_status show(const struct wr_policy *policy, const char *name, struct wr_view payload,
			   bool *is_shown)
{
	struct wr_envelope envelope = usual_envelope();

	wr_buf_reset(&out);
	return wr_backend_event_frame(&out, &scratch, policy, &envelope, wr_view_of_string(name),
				      payload, is_shown);
}

/* What is shown under a rule; NULL: nothing. */
static void check_shown(struct script *script, const char *name, struct wr_view payload,
			const char *expected)
{
	struct wr_policy policy = {.context = script, .on_event = on_event};
	bool is_shown = expected == NULL;
	struct wr_view json;

	script->asked = 0;
	CHECK_STATUS(show(&policy, name, payload, &is_shown), WR_OK);
	CHECK_U64(script->asked, 1);
	CHECK(is_shown == (expected != NULL));
	CHECK(is_shown == (out.bytes != 0));
	if (expected == NULL)
		return;
	json = frame_payload(wr_buf_view(&out));
	CHECK_STRING(wr_view_of(json.data, sizeof FRONT - 1), FRONT);
	CHECK_STRING(json_at(json, "envelope.payload"), expected);
	CHECK_U64(json_count(json_at(json, "envelope")), 5);
	CHECK_U64(json_count(json), 2);
}

/* ---- events ---- */

static void test_an_event_is_the_contracts_frame(void)
{
	static const char *const payloads[] = {DELTA, "{\"event\":\"shutdown\"}",
					       "{ \"data\" :\n{} , \"event\":\"x\" }"};
	static const struct wr_policy no_rule = {.context = NULL};

	begin();
	for (size_t i = 0; i < WR_COUNT(payloads); i++) {
		const struct wr_policy *const policies[] = {NULL, &no_rule};
		bool is_shown = false;
		struct wr_view json;

		wr_test_case(payloads[i]);
		for (size_t k = 0; k < WR_COUNT(policies); k++) {
			CHECK_STATUS(show(policies[k], "text_delta", wr_view_of_string(payloads[i]),
					  k == 0 ? &is_shown : NULL),
				     WR_OK);
			CHECK(is_shown);
			json = frame_payload(wr_buf_view(&out));
			CHECK_STRING(wr_view_of(json.data, sizeof FRONT - 1), FRONT);
			json = wr_view_skip(json, sizeof FRONT - 1);
			CHECK_STRING(wr_view_of(json.data, json.bytes - 2), payloads[i]);
			CHECK_STRING(wr_view_skip(json, json.bytes - 2), "}}");
		}
	}
	end();
}

static void test_ids_are_escaped(void)
{
	struct wr_envelope envelope = usual_envelope();
	struct wr_view json;

	begin();
	envelope.runtime_id = WR_VIEW("a\"b\\c\n");
	envelope.worker_id = WR_VIEW("\x01w\xc3\xb6rker");
	CHECK_STATUS(wr_backend_event_frame(&out, &scratch, NULL, &envelope, WR_VIEW("x"),
					    WR_VIEW("{}"), NULL),
		     WR_OK);
	json = frame_payload(wr_buf_view(&out));
	CHECK_STRING(json_at(json, "envelope.runtime_id"), "\"a\\\"b\\\\c\\n\"");
	CHECK_STRING(json_at(json, "envelope.worker_id"), "\"\\u0001w\xc3\xb6rker\"");
	end();
}

static void test_frames_of_all_sizes_follow_each_other(void)
{
	static const size_t sizes[] = {2, 65200, 65310, 65311, 65312, 65313, 65400, 200000};
	struct wr_envelope envelope = usual_envelope();
	struct wr_buf payload;

	begin();
	wr_buf_init(&payload, wr_test_allocator(), 1 << 20);
	for (size_t size = 65300; size < 65420; size++) {
		size_t bytes = size < 65300 + WR_COUNT(sizes) ? sizes[size - 65300] : size;
		size_t start = out.bytes;
		struct wr_view json;

		wr_buf_reset(&payload);
		wr_buf_append_byte(&payload, '{');
		while (payload.bytes < bytes - 1)
			wr_buf_append_byte(&payload, ' ');
		wr_buf_append_byte(&payload, '}');
		CHECK_STATUS(wr_backend_event_frame(&out, &scratch, NULL, &envelope, WR_VIEW("x"),
						    wr_buf_view(&payload), NULL),
			     WR_OK);
		json = frame_payload(wr_view_of(out.data + start, out.bytes - start));
		CHECK_U64(json.bytes, sizeof FRONT - 1 + bytes + 2);
		CHECK(memcmp(json.data + sizeof FRONT - 1, payload.data, bytes) == 0);
		if (out.bytes > WR_FRAME_BYTES_MAX / 2)
			wr_buf_reset(&out);
	}
	wr_buf_deinit(&payload);
	end();
}

/* ---- the policy ---- */

static void test_what_passes_is_unchanged(void)
{
	struct script script = {.verdict = WR_POLICY_PASS, .replacement = WR_VIEW("left behind")};

	begin();
	check_shown(&script, "text_delta", WR_VIEW(DELTA), DELTA);
	check_shown(&script, "snapshot", WR_VIEW(SNAPSHOT), SNAPSHOT);
	end();
}

static void test_what_is_denied_is_not_shown_and_a_snapshot_is_empty(void)
{
	struct script script = {.verdict = WR_POLICY_DENY, .replacement = WR_VIEW("{\"x\":1}")};

	begin();
	check_shown(&script, "text_delta", WR_VIEW(DELTA), NULL);
	check_shown(&script, "snapshots", WR_VIEW(SNAPSHOT), NULL);
	check_shown(&script, "snapshot", WR_VIEW(SNAPSHOT), EMPTY_SNAPSHOT);
	end();
}

static const char *const replacements[] = {
	DELTA,
	"{}",
	" {\"event\":\"x\"}\n",
	"{\"event\":\"text_delta\",\"data\":{\"text\":\"\xe5\xa4\x9c\"}}",
};

static void test_a_rule_may_replace(void)
{
	struct script script = {.verdict = WR_POLICY_REPLACE};

	begin();
	for (size_t i = 0; i < WR_COUNT(replacements); i++) {
		struct wr_view text = wr_view_of_string(replacements[i]);

		wr_test_case(replacements[i]);
		script.replacement = text;
		check_shown(&script, "text_delta", WR_VIEW("{\"event\":\"secret\"}"),
			    i == 2 ? "{\"event\":\"x\"}" : replacements[i]);
	}
	end();
}

/* A rule that goes wrong hides: it never shows what it meant to replace. */
static void test_a_bad_replacement_is_a_denial(void)
{
	static const char *const bad[] = {
		"",
		" ",
		"[]",
		"null",
		"5",
		"\"{}\"",
		"{",
		"}",
		"{}{}",
		"{},",
		"{\"a\":}",
		"{\"a\":1,}",
		"{'a':1}",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\n\"}",
		"{}}},\"x\":{{{}",
		"\xef\xbb\xbf{}",
	};
	struct script script = {.verdict = WR_POLICY_REPLACE};

	begin();
	for (size_t i = 0; i < WR_COUNT(bad); i++) {
		wr_test_case(bad[i]);
		script.replacement = wr_view_of_string(bad[i]);
		check_shown(&script, "text_delta", WR_VIEW(DELTA), NULL);
		check_shown(&script, "snapshot", WR_VIEW(SNAPSHOT), EMPTY_SNAPSHOT);
	}
	/* Every front of a good one, too. */
	for (size_t bytes = 0; bytes < sizeof DELTA - 1; bytes++) {
		script.replacement = wr_view_of(DELTA, bytes);
		check_shown(&script, "text_delta", WR_VIEW(DELTA), NULL);
	}
	/* A verdict that there is not. */
	script = (struct script){.verdict = (enum wr_policy_verdict)(WR_POLICY_REPLACE + 1),
				 .replacement = WR_VIEW("{}")};
	check_shown(&script, "text_delta", WR_VIEW(DELTA), NULL);
	end();
}

/* A frame around it makes two levels. */
static void test_a_replacement_stays_readable_in_its_frame(void)
{
	struct script script = {.verdict = WR_POLICY_REPLACE};
	char text[1024];

	begin();
	for (size_t levels = WR_JSON_DEPTH_MAX - 4; levels < WR_JSON_DEPTH_MAX; levels++) {
		struct wr_buf json;

		wr_buf_init_fixed(&json, text, sizeof text - 1);
		wr_buf_append_view(&json, WR_VIEW("{\"a\":"));
		for (size_t i = 0; i < levels; i++)
			wr_buf_append_byte(&json, '[');
		for (size_t i = 0; i < levels; i++)
			wr_buf_append_byte(&json, ']');
		wr_buf_append_byte(&json, '}');
		text[json.bytes] = '\0';
		script.replacement = wr_buf_view(&json);
		check_shown(&script, "text_delta", WR_VIEW(DELTA),
			    levels + 3 <= WR_JSON_DEPTH_MAX ? text : NULL);
	}
	end();
}

static void test_a_replacement_without_room_is_a_denial(void)
{
	struct script script = {.verdict = WR_POLICY_REPLACE, .replacement = WR_VIEW(DELTA)};
	char storage[sizeof DELTA - 2];

	begin();
	wr_buf_deinit(&scratch);
	wr_buf_init_fixed(&scratch, storage, sizeof storage);
	check_shown(&script, "text_delta", WR_VIEW(DELTA), NULL);
	check_shown(&script, "snapshot", WR_VIEW(SNAPSHOT), EMPTY_SNAPSHOT);
	end();
}

static void test_a_full_buffer_keeps_what_was_there(void)
{
	struct wr_envelope envelope = usual_envelope();
	enum { BYTES = 4 + sizeof FRONT - 1 + sizeof DELTA - 1 + 2 };
	char storage[BYTES + 3];

	begin();
	for (size_t room = 0; room < BYTES; room++) {
		struct wr_buf small;
		bool is_shown = true;

		wr_buf_init_fixed(&small, storage, 3 + room);
		wr_buf_append(&small, "abc", 3);
		CHECK_STATUS(wr_backend_event_frame(&small, &scratch, NULL, &envelope,
						    WR_VIEW("text_delta"), WR_VIEW(DELTA),
						    &is_shown),
			     WR_TOO_LARGE);
		CHECK(!is_shown);
		CHECK_STRING(wr_buf_view(&small), "abc");
	}
	end();
}

static void test_no_memory_is_told_at_every_allocation(void)
{
	struct script script = {.verdict = WR_POLICY_REPLACE, .replacement = WR_VIEW(DELTA)};
	struct wr_policy policy = {.context = &script, .on_event = on_event};
	unsigned refused = 0;

	for (uint64_t n = 1;; n++, refused++) {
		enum wr_status status;
		bool is_shown = false;

		begin();
		wr_test_fail_allocation(n, false);
		status = show(&policy, "text_delta", WR_VIEW(DELTA), &is_shown);
		CHECK(is_shown == (status == WR_OK));
		CHECK(is_shown == (out.bytes != 0));
		end();
		if (!wr_test_allocation_failed())
			break;
		CHECK_STATUS(status, WR_NO_MEMORY);
	}
	wr_test_fail_allocation(0, false);
	CHECK(refused >= 2);
}

/* ---- diagnostics ---- */

#define DIAGNOSTIC(code, message, detail)                                                       \
	"{\"kind\":\"diagnostic\",\"diagnostic\":{\"code\":\"" code "\",\"message\":\"" message \
	"\"" detail "}}"

static void test_diagnostics_are_the_contracts(void)
{
	static const struct {
		enum wr_backend_news news;
		const char *reason, *json;
	} cases[] = {
		{WR_BACKEND_NEWS_CURSOR_MALFORMED, NULL,
		 DIAGNOSTIC("backend.cursor_malformed", "this is not a cursor of this Backend",
			    "")},
		{WR_BACKEND_NEWS_CURSOR_UNKNOWN, "expired",
		 DIAGNOSTIC("backend.cursor_unknown_or_expired", "reconnect without a cursor",
			    ",\"detail\":{\"reason\":\"expired\"}")},
		{WR_BACKEND_NEWS_WORKER_NOT_FOUND, NULL,
		 DIAGNOSTIC("backend.worker_not_found", "there is no such Worker", "")},
		{WR_BACKEND_NEWS_RUNTIME_UNAVAILABLE, NULL,
		 DIAGNOSTIC("backend.runtime_unavailable",
			    "the Runtime cannot be reached now: try again later", "")},
		{WR_BACKEND_NEWS_UPSTREAM_DISCONNECT, NULL,
		 DIAGNOSTIC("backend.upstream_disconnect",
			    "the Runtime ended this stream: reconnect with your cursor", "")},
		{WR_BACKEND_NEWS_MALFORMED_FRAME, NULL,
		 DIAGNOSTIC("backend.malformed_frame", "the Runtime sent what cannot be understood",
			    "")},
		{WR_BACKEND_NEWS_OBSERVATION_ONLY, NULL,
		 DIAGNOSTIC("backend.observation_only",
			    "this stream carries observation only: send commands over the API",
			    "")},
	};

	begin();
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].json);
		wr_buf_reset(&out);
		CHECK_STATUS(wr_backend_diagnostic_frame(&out, cases[i].news,
							 wr_view_of_string(cases[i].reason)),
			     WR_OK);
		CHECK_STRING(frame_payload(wr_buf_view(&out)), cases[i].json);
	}
	end();
}

static void test_refusals_become_news(void)
{
	static const struct {
		enum wr_status status;
		enum wr_backend_news news;
		const char *reason;
	} cases[] = {
		{WR_MALFORMED, WR_BACKEND_NEWS_CURSOR_MALFORMED, "malformed"},
		{WR_SCOPE_MISMATCH, WR_BACKEND_NEWS_CURSOR_UNKNOWN, "scope_mismatch"},
		{WR_UNKNOWN, WR_BACKEND_NEWS_CURSOR_UNKNOWN, "unknown"},
		{WR_AHEAD, WR_BACKEND_NEWS_CURSOR_UNKNOWN, "ahead"},
		{WR_LOST_TAIL, WR_BACKEND_NEWS_CURSOR_UNKNOWN, "lost_tail"},
		{WR_EXPIRED, WR_BACKEND_NEWS_CURSOR_UNKNOWN, "expired"},
		{WR_NOT_FOUND, WR_BACKEND_NEWS_WORKER_NOT_FOUND, NULL},
	};

	for (unsigned status = WR_OK; status <= WR_NO_MEMORY; status++) {
		struct wr_view reason = WR_VIEW("?");
		enum wr_backend_news news = wr_backend_news_of((enum wr_status)status, &reason);
		size_t i = 0;

		wr_test_case(wr_status_name((enum wr_status)status));
		while (i < WR_COUNT(cases) && (unsigned)cases[i].status != status)
			i++;
		CHECK_U64(news, i < WR_COUNT(cases) ? cases[i].news
						    : WR_BACKEND_NEWS_RUNTIME_UNAVAILABLE);
		CHECK_VIEW(reason,
			   i < WR_COUNT(cases) ? wr_view_of_string(cases[i].reason) : WR_VIEW_NULL);
		CHECK((reason.data == NULL) == (i >= WR_COUNT(cases) || cases[i].reason == NULL));
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_an_event_is_the_contracts_frame),
	WR_TEST(test_ids_are_escaped),
	WR_TEST(test_frames_of_all_sizes_follow_each_other),
	WR_TEST(test_what_passes_is_unchanged),
	WR_TEST(test_what_is_denied_is_not_shown_and_a_snapshot_is_empty),
	WR_TEST(test_a_rule_may_replace),
	WR_TEST(test_a_bad_replacement_is_a_denial),
	WR_TEST(test_a_replacement_stays_readable_in_its_frame),
	WR_TEST(test_a_replacement_without_room_is_a_denial),
	WR_TEST(test_a_full_buffer_keeps_what_was_there),
	WR_TEST(test_no_memory_is_told_at_every_allocation),
	WR_TEST(test_diagnostics_are_the_contracts),
	WR_TEST(test_refusals_become_news),
	WR_TEST_END,
};
