/* Goal: every kind of event is one JSON object, with what it means in words. Method: events as a
 * log has them, written out; the objects are exact. */
#include "wire/log_json.h"

#include "check.h"
#include "harness/harness.h"
#include "unit/wire/json_equal.h"

#define AT "\"time\":1782400000000,\"kind\":"

static const struct {
	struct wr_event event;
	const char *worker_id, *json;
} cases[] = {
	{{.kind = WR_EVENT_RUNTIME_STARTED},
	 NULL,
	 "{\"sequence\":7,\"worker\":null," AT "\"runtime_started\"}"},
	{{.kind = WR_EVENT_RUNTIME_STOPPED},
	 NULL,
	 "{\"sequence\":7,\"worker\":null," AT "\"runtime_stopped\"}"},
	{{.kind = WR_EVENT_WORKER_CREATED,
	  .worker = 1,
	  .as.created = {.worker_id = WR_VIEW_INIT("a\"b"),
			 .request = {.intent = WR_INTENT_ROLE,
				     .role = WR_VIEW_INIT("coder"),
				     .purpose = WR_VIEW_INIT("p"),
				     .profile = WR_PROFILE_NAMED,
				     .profile_value = WR_VIEW_INIT("v"),
				     .config_bundle_id = WR_VIEW_INIT("c")}}},
	 NULL,
	 "{\"sequence\":7,\"worker\":\"a\\\"b\"," AT
	 "\"worker_created\",\"intent\":{\"kind\":\"role\",\"role\":\"coder\",\"purpose\":\"p\"},"
	 "\"profile\":{\"kind\":\"named\",\"value\":\"v\"},\"config_bundle\":{\"id\":\"c\"}}"},
	{{.kind = WR_EVENT_INPUT_ACCEPTED,
	  .worker = 2,
	  .as.input = {.input = {WR_INPUT_SYSTEM, WR_VIEW_INIT("x\n")}, .transcript_sequence = 5}},
	 "w",
	 "{\"sequence\":7,\"worker\":\"w\"," AT
	 "\"worker_input_accepted\",\"transcript_sequence\":5,"
	 "\"input\":{\"kind\":\"system\",\"content\":\"x\\n\"}}"},
	{{.kind = WR_EVENT_INPUT_ACCEPTED,
	  .worker = 2,
	  .has_key = true,
	  .key = {.id = {0, 0x12, 0xff}},
	  .as.input = {.input = {WR_INPUT_USER, WR_VIEW_INIT("")}, .transcript_sequence = 1}},
	 NULL,
	 "{\"sequence\":7,\"worker\":null,\"worker_number\":2," AT
	 "\"worker_input_accepted\",\"key\":\"0012ff00000000000000000000000000\","
	 "\"transcript_sequence\":1,\"input\":{\"kind\":\"user\",\"content\":\"\"}}"},
	{{.kind = WR_EVENT_WORKER_STOPPED, .worker = 1, .as.ended.reason = WR_VIEW_INIT("done")},
	 "w",
	 "{\"sequence\":7,\"worker\":\"w\"," AT "\"worker_stopped\",\"reason\":\"done\"}"},
	{{.kind = WR_EVENT_WORKER_CANCELLED, .worker = 1},
	 "w",
	 "{\"sequence\":7,\"worker\":\"w\"," AT "\"worker_cancelled\",\"reason\":null}"},
	{{.kind = WR_EVENT_WORKER_CANCELLED,
	  .worker = 1,
	  .delivered = 4,
	  .as.ended.dropped = WR_VIEW_INIT("\5\0\0\0\0\0\0\0")},
	 "w",
	 "{\"sequence\":7,\"worker\":\"w\"," AT
	 "\"worker_cancelled\",\"delivered\":4,\"reason\":null,\"dropped_inputs\":[5]}"},
	{{.kind = WR_EVENT_INPUT_ACCEPTED,
	  .worker = 2,
	  .as.input = {.input = {WR_INPUT_SYSTEM, WR_VIEW_INIT("x")},
		       .transcript_sequence = 5,
		       .waits_for_turn = true}},
	 "w",
	 "{\"sequence\":7,\"worker\":\"w\"," AT
	 "\"worker_input_accepted\",\"transcript_sequence\":5,"
	 "\"input\":{\"kind\":\"system\",\"content\":\"x\"},\"waits_for_turn\":true}"},
	{{.kind = WR_EVENT_WORKER_CREATED,
	  .worker = 1,
	  .as.created = {.worker_id = WR_VIEW_INIT("a"), .request.busy = {WR_BUSY_QUEUE, 4}}},
	 NULL,
	 "{\"sequence\":7,\"worker\":\"a\"," AT
	 "\"worker_created\",\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":"
	 "\"runtime_default\"},\"busy_policy\":{\"kind\":\"queue\",\"max_inputs\":4}}"},
	{{.kind = WR_EVENT_PHASE_CHANGED,
	  .worker = 1,
	  .as.phase = {.from = WR_PHASE_BUSY,
		       .to = WR_PHASE_INTERRUPTED,
		       .cause = WR_VIEW_INIT("x"),
		       .dropped = WR_VIEW_INIT("\5\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0")}},
	 "w",
	 "{\"sequence\":7,\"worker\":\"w\"," AT "\"phase_changed\",\"from\":\"busy\","
	 "\"to\":\"interrupted\",\"cause\":\"x\",\"dropped_inputs\":[5,6]}"},
	{{.kind = WR_EVENT_PHASE_CHANGED,
	  .worker = 1,
	  .as.phase = {.from = WR_PHASE_BUSY,
		       .to = WR_PHASE_FAILED,
		       .cause = WR_VIEW_INIT("the program ended")}},
	 "w",
	 "{\"sequence\":7,\"worker\":\"w\"," AT "\"phase_changed\",\"from\":\"busy\","
	 "\"to\":\"failed\",\"cause\":\"the program ended\"}"},
	{{.kind = WR_EVENT_OUTPUT,
	  .worker = 1,
	  .as.output = {.kind = WR_OUTPUT_TEXT_DONE, .text = WR_VIEW_INIT("hi")}},
	 "w",
	 "{\"sequence\":7,\"worker\":\"w\"," AT
	 "\"output\",\"event\":{\"event\":\"text_done\",\"data\":{\"text\":\"hi\"}}}"},
	{{.kind = WR_EVENT_REPEATABLE,
	  .worker = 1,
	  .as.repeatable = {WR_OPERATION_INTERRUPT, WR_WORKER_RUNNING, 3}},
	 "w",
	 "{\"sequence\":7,\"worker\":\"w\"," AT "\"key_used\",\"operation\":\"interrupt\","
	 "\"status\":\"running\",\"event_id\":3}"},
	{{.kind = WR_EVENT_REPEATABLE, .as.repeatable = {WR_OPERATION_STORE_BUNDLE, 0, 3}},
	 NULL,
	 "{\"sequence\":7,\"worker\":null," AT "\"key_used\","
	 "\"operation\":\"store_config_bundle\",\"event_id\":3}"},
	{{.kind = WR_EVENT_BUNDLE_STORED,
	  .as.bundle = {.id = WR_VIEW_INIT("b"),
			.digest = WR_VIEW_INIT("d"),
			.revision = WR_VIEW_INIT("r"),
			.workspace_id = WR_VIEW_INIT("w"),
			.created_at = WR_VIEW_INIT("c"),
			.source = WR_VIEW_INIT("s"),
			.profiles = {.count = 2}}},
	 NULL,
	 "{\"sequence\":7,\"worker\":null," AT "\"config_bundle_stored\",\"config_bundle\":{"
	 "\"id\":\"b\",\"digest\":\"d\",\"digest_algorithm\":\"sha256\",\"revision\":\"r\","
	 "\"workspace_id\":\"w\",\"created_at\":\"c\",\"provenance\":{\"source\":\"s\"},"
	 "\"profile_count\":2,\"declaration_count\":0}}"},
};

static void test_every_kind_of_event_is_one_object(void)
{
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), 4096);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_event event = cases[i].event;

		wr_test_case(cases[i].json);
		event.sequence = 7;
		event.wall_ms = 1782400000000;
		wr_buf_reset(&out);
		wr_log_event_json(&out, &event, wr_view_of_string(cases[i].worker_id));
		CHECK_STRING(wr_buf_view(&out), cases[i].json);
		CHECK(json_equal(wr_buf_view(&out), wr_view_of_string(cases[i].json)));
	}
	wr_buf_deinit(&out);
}

static void test_every_operation_has_a_word(void)
{
	static const char *const words[] = {"create", "input", "stop", "cancel", "interrupt"};
	struct wr_event event = {.kind = WR_EVENT_REPEATABLE, .worker = 1};
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), 4096);
	for (uint8_t i = 0; i < WR_COUNT(words); i++) {
		event.as.repeatable.operation = (uint8_t)(WR_OPERATION_CREATE + i);
		wr_buf_reset(&out);
		wr_log_event_json(&out, &event, WR_VIEW("w"));
		CHECK_STRING(wr_view_of(json_at(wr_buf_view(&out), "operation").data + 1,
					json_at(wr_buf_view(&out), "operation").bytes - 2),
			     words[i]);
	}
	wr_buf_deinit(&out);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_every_kind_of_event_is_one_object),
	WR_TEST(test_every_operation_has_a_word),
	WR_TEST_END,
};
