/* Goal: inputs that are sent while a turn runs wait for theirs, in order and within their bound,
 * and are named by whatever takes them back: a cancel, a stop, a crash, an orderly end. Method: the
 * real program with the example agent, whose turns that begin with "wait" last until they are
 * interrupted, over a folder and without; streams read from their beginning. */
#include "e2e/store_folder.h"

#define QUEUE(more)                                                                       \
	"{\"worker_id\":\"w\",\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":" \
	"\"runtime_default\"},\"busy_policy\":{\"kind\":\"queue\"" more "}}"
#define ZEROS "wo_0000000000000000" /* everything that is kept */

static struct wr_test_ws stream;

static void run(bool has_store)
{
	const char *program = wr_process_program();
	char agent[512];

	snprintf(agent, sizeof agent, "%.*sexamples/agent",
		 (int)(strrchr(program, '/') + 1 - program), program);
	if (access(agent, X_OK) != 0)
		wr_test_skip("the example agent is not built");
	if (has_store)
		wr_process_start(&server,
				 WR_ARGUMENTS("--exec", agent, "--exec-mode", "jsonl", "--fs-root",
					      folder, "--fs-segment-bytes", "5M"),
				 NULL);
	else
		wr_process_start(&server, WR_ARGUMENTS("--exec", agent, "--exec-mode", "jsonl"),
				 NULL);
	wr_client_open(&client, &server, NULL);
}

static uint64_t say(const char *content)
{
	wr_client_input(&client, "w", content);
	get("/v1/workers/w");
	return wr_json_find_u64(answer.body, "worker.last_event_id");
}

static bool has(struct wr_view text, const char *part)
{
	size_t bytes = strlen(part);

	for (size_t i = 0; i + bytes <= text.bytes; i++)
		if (memcmp(text.data + i, part, bytes) == 0)
			return true;
	return false;
}

static void watch(void)
{
	CHECK_U64(wr_test_ws_open(&stream, &server, NULL, "/v1/workers/w/events/ws?cursor=" ZEROS),
		  101);
}

/* Reads on until an event has the text. */
static void await(const char *text)
{
	while (!has(wr_test_ws_message(&stream), text))
		;
}

/* Creates the Worker and begins a turn that does not end. */
static void begin(const char *create)
{
	post("/v1/workers", create);
	CHECK_U64(answer.status, 201);
	watch();
	say("wait");
	await("waiting to be cancelled");
}

static void cancel(const char *key)
{
	char fields[128];

	snprintf(fields, sizeof fields, "Content-Type: application/json\r\n%s%s%s",
		 key == NULL ? "" : "Idempotency-Key: ", key == NULL ? "" : key,
		 key == NULL ? "" : "\r\n");
	wr_client_ask(&client, &answer, "POST", "/v1/workers/w/cancel", fields, "{}");
	CHECK_U64(answer.status, 200);
}

static void check_ids(const char *path, uint64_t first, uint64_t second)
{
	char expected[64];

	snprintf(expected, sizeof expected, "[%llu,%llu]", (unsigned long long)first,
		 (unsigned long long)second);
	check_member(path, expected);
}

static void await_ids(const char *before, uint64_t first, uint64_t second)
{
	char text[128];

	snprintf(text, sizeof text, "%s\"dropped_inputs\":[%llu,%llu]", before,
		 (unsigned long long)first, (unsigned long long)second);
	await(text);
}

static void test_inputs_wait_for_their_turn(void)
{
	for (unsigned has_store = 0; has_store < 2; has_store++) {
		uint64_t second, third;
		make_folder();
		run(has_store != 0);
		begin(QUEUE(",\"max_inputs\":2"));
		second = say("run me");
		third = say("wait again");
		post("/v1/workers/w/input", "{\"kind\":\"user\",\"content\":\"full\"}");
		check_error(409, "worker_busy");
		CHECK(wr_answer_field(&answer, "Retry-After").bytes != 0);
		get("/v1/workers/w");
		check_member("worker.queue.policy", "queue");
		check_member("worker.queue.max_inputs", "2");
		CHECK_U64(wr_json_find_u64(answer.body, "worker.queue.inputs.0.event_id"), second);
		CHECK_U64(wr_json_find_u64(answer.body, "worker.queue.inputs.1.event_id"), third);
		check_member("worker.queue.inputs.1.kind", "user");
		check_member("worker.queue.inputs.1.bytes", "10");
		check_member("worker.transcript_len", "3");
		get("/v1/workers");
		check_member("workers.0.queued_inputs", "2");
		/* They are seen at once, and run when it is their turn. */
		await("\"content\":\"run me\"");
		await("\"content\":\"wait again\"");
		post("/v1/workers/w/interrupt", "{}");
		CHECK_U64(answer.status, 200);
		await("\"phase\":\"interrupted\"");
		await("\"event\":\"text_done\",\"data\":{\"text\":\"run me\"}");
		await("\"event\":\"turn_start\",\"data\":{\"turn\":3}");
		await("waiting to be cancelled");
		get("/v1/workers/w");
		check_member("worker.queue.inputs", "[]");
		post("/v1/workers/w/interrupt", "{}");
		CHECK_U64(answer.status, 200);
		await("\"phase\":\"interrupted\"");
		post("/v1/workers/w/interrupt", "{}");
		CHECK_U64(answer.status, 409);
		wr_test_ws_close(&stream);
		stop();
		remove_folder();
	}
}

static void test_a_cancel_names_what_never_ran(void)
{
	for (unsigned has_store = 0; has_store < 2; has_store++) {
		uint64_t first, second, ended;
		char body[1024];
		make_folder();
		run(has_store != 0);
		begin(QUEUE(""));
		first = say("one");
		second = say("two");
		cancel("k-1");
		ended = wr_json_find_u64(answer.body, "ack.event_id");
		check_ids("ack.dropped_inputs", first, second);
		snprintf(body, sizeof body, "%.*s", (int)answer.body.bytes, answer.body.data);
		await_ids("\"event\":\"shutdown\",", first, second);
		wr_test_ws_close(&stream);
		for (unsigned again = 0; again < 4; again++) {
			if (again == 2 && has_store != 0) {
				kill_it();
				run(true);
			}
			cancel(again % 2 == 0 ? "k-1" : NULL);
			CHECK_U64(wr_json_find_u64(answer.body, "ack.event_id"), ended);
			CHECK_STRING(answer.body,
				     body); /* also its cursor, of a later generation */
		}
		watch();
		if (has_store != 0)
			await_ids("\"event\":\"shutdown\",", first, second);
		wr_test_ws_close(&stream);
		stop();
		remove_folder();
	}
}

/* Killed, or ended in good order: what waited is named, and does not run. */
static void test_what_waits_when_the_process_ends_is_named(void)
{
	for (unsigned is_killed = 0; is_killed < 2; is_killed++) {
		uint64_t first, second, head;
		make_folder();
		run(true);
		begin(QUEUE(""));
		first = say("one");
		second = say("two");
		wr_test_ws_close(&stream);
		if (is_killed != 0)
			kill_it();
		else
			stop();
		for (unsigned life = 0; life < 2; life++) {
			run(true);
			watch();
			await_ids(is_killed != 0 ? "\"the Runtime ended during this turn\","
						 : "\"the Runtime is stopping\",",
				  first, second);
			wr_test_ws_close(&stream);
			get("/v1/workers/w");
			check_member("worker.status", "running");
			check_member("worker.phase", "interrupted");
			check_member("worker.queue.inputs", "[]");
			check_member("worker.transcript_len", "3");
			if (life == 0)
				kill_it();
		}
		head = say("hello");
		CHECK(head > second);
		watch();
		await("\"event\":\"text_done\",\"data\":{\"text\":\"hello\"}");
		wr_test_ws_close(&stream);
		stop();
		remove_folder();
	}
}

static void test_policies_that_are_none_are_refused(void)
{
	static const char *const bad[] = {
		"\"queue\"",
		"{\"kind\":\"wait\"}",
		"{\"kind\":\"queue\",\"max_inputs\":0}",
		"{\"kind\":\"queue\",\"max_inputs\":257}",
		"{\"kind\":\"reject\",\"max_inputs\":1}",
	};
	char body[300];

	make_folder();
	run(false);
	for (size_t i = 0; i < WR_COUNT(bad); i++) {
		wr_test_case(bad[i]);
		snprintf(body, sizeof body,
			 "{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":"
			 "\"runtime_default\"},\"busy_policy\":%s}",
			 bad[i]);
		post("/v1/workers", body);
		check_error(400, "invalid_json");
	}
	stop();
	remove_folder();
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_inputs_wait_for_their_turn, 40),
	WR_TEST_LIMIT(test_a_cancel_names_what_never_ran, 40),
	WR_TEST_LIMIT(test_what_waits_when_the_process_ends_is_named, 60),
	WR_TEST_LIMIT(test_policies_that_are_none_are_refused, 20),
	WR_TEST_END,
};
