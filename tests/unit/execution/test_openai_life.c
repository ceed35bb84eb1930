/* Goal: a turn ends when and as it should, at once, in order and only once, whatever the store, the
 * memory and the server do meanwhile; and what is sent is the conversation. Method: a scripted
 * model server; every end at every stage; a store that is full, shows late and refuses; every
 * allocation failing. */
#include "unit/execution/openai_world.h"

#include "io/log.h"

enum { PADDING = 60000, PADDED_COUNT = 133 };

static void script_open(const char *text)
{
	script(text);
	server.answers[0].is_open = true;
}

/* ---- ends ---- */

static const char *const stages[] = {"", SSE_HEAD, SSE_HEAD DELTA("a")};

/* A turn that has come so far. */
static void open_turn(size_t stage)
{
	script_open(stages[stage]);
	input("hi");
	if (stage == 2)
		await("delta a\n");
	else
		await_asked(1);
	turns(3);
}

static void check_closed_at_once(uint64_t since_ms)
{
	while (server.ended == 0) {
		CHECK(wr_clock_monotonic_ms() - since_ms < 100);
		turn();
	}
	CHECK(server.ended_ms - since_ms < 100);
	CHECK_U64(wr_http_client_connection_count(openai_profile.origin->client), 0);
}

static void test_an_interrupt_ends_the_turn_at_once(void)
{
	for (size_t i = 0; i < WR_COUNT(stages); i++) {
		uint64_t now_ms;

		open_all();
		CHECK_STATUS(interrupt_worker(), WR_CONFLICT);
		open_turn(i);
		now_ms = wr_clock_monotonic_ms();
		CHECK_STATUS(interrupt_worker(), WR_OK);
		CHECK_STATUS(interrupt_worker(), WR_CONFLICT);
		check_closed_at_once(now_ms);
		check_story(i == 2 ? BEGUN "delta a\ntext a\n" CALL_END
					   "turn_end 1 r1\nrun_end r1\n"
					   "phase interrupted: interrupted\n"
				   : BEGUN CALL_END "turn_end 1 r1\nrun_end r1\n"
						    "phase interrupted: interrupted\n");
		CHECK_U64(wr_openai_live_count(&openai), 0);
		/* and the next one goes on from there */
		script(SSE_HEAD DELTA("b") DONE_LINE);
		server.asked = 0;
		input("go on");
		await("phase idle: turn done\n");
		CHECK(strstr(server.last_request,
			     i == 2 ? "{\"role\":\"user\",\"content\":\"hi\"},"
				      "{\"role\":\"assistant\",\"content\":\"a\"},"
				      "{\"role\":\"user\",\"content\":\"go on\"}]}"
				    : "[{\"role\":\"user\",\"content\":\"hi\\n\\ngo on\"}]}") !=
		      NULL);
		close_all();
	}
}

static void test_a_cancel_ends_everything_without_a_word(void)
{
	for (size_t i = 0; i < WR_COUNT(stages); i++) {
		uint64_t now_ms;

		open_all();
		open_turn(i);
		now_ms = wr_clock_monotonic_ms();
		cancel_worker();
		check_closed_at_once(now_ms);
		check_story(i == 2 ? BEGUN "delta a\ncancelled\n" : BEGUN "cancelled\n");
		CHECK(worker->now.phase == WR_PHASE_CANCELLED);
		CHECK_STATUS(try_input("more"), WR_CONFLICT);
		CHECK(openai.crew.by_worker[worker->number] == NULL);
		close_all();
	}
}

static void test_a_stop_keeps_what_was_said(void)
{
	for (size_t i = 0; i < WR_COUNT(stages); i++) {
		uint64_t now_ms;

		open_all();
		open_turn(i);
		now_ms = wr_clock_monotonic_ms();
		stop_worker();
		check_closed_at_once(now_ms);
		check_story(i == 2 ? BEGUN "delta a\nstopped\ntext a\n" CALL_END
					   "turn_end 1 r1\nrun_end r1\n"
					   "phase stopped: execution ended\n"
				   : BEGUN "stopped\n" CALL_END "turn_end 1 r1\nrun_end r1\n"
					   "phase stopped: execution ended\n");
		CHECK(openai.crew.by_worker[worker->number] == NULL);
		close_all();
	}
}

static void test_a_worker_without_a_turn_ends_at_once(void)
{
	const struct wr_worker *other;

	open_all();
	stop_worker();
	CHECK(worker->now.phase == WR_PHASE_STOPPED);
	other = make_worker();
	worker = other;
	script(SSE_HEAD DELTA("a") DONE_LINE);
	input("hi");
	await("phase idle: turn done\n");
	stop_worker();
	CHECK(worker->now.phase == WR_PHASE_STOPPED);
	worker = make_worker();
	cancel_worker();
	CHECK(worker->now.phase == WR_PHASE_CANCELLED);
	close_all();
}

static void test_an_end_within_a_pause_between_tries_is_at_once(void)
{
	for (unsigned i = 0; i < 3; i++) {
		open_all();
		openai_profile.retry_ms_min = openai_profile.retry_ms_max = 60000;
		script("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
		input("hi");
		await("event llm_retry");
		if (i == 0)
			CHECK_STATUS(interrupt_worker(), WR_OK);
		else if (i == 1)
			stop_worker();
		else
			cancel_worker();
		CHECK(worker->now.phase == (i == 0   ? WR_PHASE_INTERRUPTED
					    : i == 1 ? WR_PHASE_STOPPED
						     : WR_PHASE_CANCELLED));
		CHECK_U64(wr_openai_live_count(&openai), 0);
		close_all();
	}
}

static unsigned drained_count;

static void on_drained(void *context)
{
	(void)context;
	drained_count++;
}

static void test_the_end_of_the_runtime_interrupts_open_turns(void)
{
	const struct wr_worker *idle;

	open_all();
	idle = make_worker();
	open_turn(2);
	CHECK_U64(wr_openai_drain(&openai, on_drained, NULL), 0);
	check_story(BEGUN "delta a\ntext a\n" CALL_END "turn_end 1 r1\nrun_end r1\n"
			  "phase interrupted: the Runtime is stopping\n");
	CHECK_STATUS(try_input("more"), WR_UNAVAILABLE);
	CHECK_STATUS(try_input_to(idle, WR_VIEW("more")), WR_UNAVAILABLE);
	turns(3);
	CHECK_U64(server.ended, 1);
	CHECK_U64(drained_count, 0);
	close_all();
}

/* ---- one at a time ---- */

static void test_a_turn_under_way_refuses_others(void)
{
	open_all();
	open_turn(0);
	CHECK_STATUS(try_input("two"), WR_BUSY);
	CHECK_STATUS(try_input("three"), WR_BUSY);
	CHECK_U64(server.asked, 1);
	close_all();
}

static void test_turns_at_once_are_bounded(void)
{
	const struct wr_worker *workers[WR_OPENAI_TURN_COUNT_MAX + 1];

	open_all();
	script_open("");
	for (unsigned i = 0; i < WR_COUNT(workers); i++) {
		workers[i] = make_worker();
		CHECK_STATUS(try_input_to(workers[i], WR_VIEW("hi")),
			     i < WR_OPENAI_TURN_COUNT_MAX ? WR_OK : WR_BUSY);
	}
	await_asked(WR_OPENAI_TURN_COUNT_MAX);
	CHECK_U64(wr_openai_live_count(&openai), WR_OPENAI_TURN_COUNT_MAX);
	worker = workers[0];
	CHECK_STATUS(interrupt_worker(), WR_OK);
	CHECK_STATUS(try_input_to(workers[WR_OPENAI_TURN_COUNT_MAX], WR_VIEW("hi")), WR_OK);
	close_all();
}

/* ---- what is sent ---- */

static void check_messages(const char *expected)
{
	const char *at = strstr(server.last_request, "\"messages\":");

	CHECK(at != NULL);
	CHECK_STRING(wr_view_of_string(at + strlen("\"messages\":")), expected);
}

static void say_and_wait(const char *content)
{
	uint64_t turns_before = worker->now.turn_count;

	input(content);
	await_rest();
	CHECK_U64(worker->now.turn_count, turns_before + 1);
	CHECK(worker->now.phase == WR_PHASE_IDLE);
}

#define USER(text) "{\"role\":\"user\",\"content\":\"" text "\"}"
#define ASSISTANT(text) "{\"role\":\"assistant\",\"content\":\"" text "\"}"
#define SYSTEM(text) "{\"role\":\"system\",\"content\":\"" text "\"}"
#define MARKER(count) "[The first " count " messages of this conversation are left out here.]"

static void test_the_conversation_is_sent(void)
{
	struct wr_input note = {WR_INPUT_SYSTEM, WR_VIEW("the build is green")};
	struct wr_error error;
	struct wr_ack ack;

	open_all();
	script(SSE_HEAD DELTA("one") DONE_LINE);
	script_also(SSE_HEAD DELTA("two") DONE_LINE);
	say_and_wait("first");
	check_messages("[" USER("first") "]}");
	say_and_wait("second");
	check_messages("[" USER("first") "," ASSISTANT("one") "," USER("second") "]}");
	CHECK_STATUS(wr_runtime_input(runtime, worker->id, &note, NULL, &ack, &error), WR_OK);
	await_rest();
	check_messages("[" USER("first") "," ASSISTANT("one") "," USER("second") "," ASSISTANT(
		"two") "," SYSTEM("the build is green") "]}");
	say_and_wait("third");
	check_messages("[" USER("first") "," ASSISTANT("one") "," USER("second") "," ASSISTANT(
		"two") "," SYSTEM("the build is green") "," ASSISTANT("two") "," USER("third") "]"
											       "}");
	CHECK_U64(count_in_trace("event alert"), 0);
	close_all();
}

static void test_what_is_left_out_is_said_to_the_model_and_once_to_people(void)
{
	open_all();
	openai_profile.history_bytes_max = 11; /* "second" and "two" fit, "one" does not */
	openai_profile.system_prompt = "Be kind.";
	script(SSE_HEAD DELTA("one") DONE_LINE);
	script_also(SSE_HEAD DELTA("two") DONE_LINE);
	say_and_wait("first");
	say_and_wait("second");
	check_messages("[" SYSTEM("Be kind.") "," USER("first") "," ASSISTANT("one") "," USER(
		"second") "]}");
	CHECK_U64(count_in_trace("event alert"), 0);
	say_and_wait("third");
	check_messages("[" SYSTEM("Be kind.\\n\\n" MARKER("2")) "," USER("second") "," ASSISTANT(
		"two") "," USER("third") "]}");
	CHECK(strstr(trace, "event alert {\"level\":\"warn\",\"source\":\"engine\",\"message\":"
			    "\"the conversation is longer than what is sent: the first 2 messages "
			    "are left out from here on\",\"timestamp_ms\":") != NULL);
	say_and_wait("x");
	check_messages("[" SYSTEM("Be kind.\\n\\n" MARKER("4")) "," USER("third") "," ASSISTANT(
		"two") "," USER("x") "]}");
	CHECK_U64(count_in_trace("event alert"), 1);
	close_all();
}

/* They are in the transcript from the moment they are accepted, and said when it is their turn. */
static void test_inputs_that_queue_are_said_one_after_the_other(void)
{
	for (unsigned i = 0; i < 2; i++) {
		uses_store = i == 1;
		queues = true;
		open_all();
		script(SSE_HEAD DELTA("one") DONE_LINE);
		script_also(SSE_HEAD DELTA("two") DONE_LINE);
		script_also(SSE_HEAD DELTA("three") DONE_LINE);
		input("first");
		input("second");
		await_asked(1);
		check_messages("[" USER("first") "]}");
		await_asked(2);
		check_messages("[" USER("first") "," ASSISTANT("one") "," USER("second") "]}");
		input("third");
		await("\ntext three\n");
		await_rest();
		/* the second was accepted before the first was answered, and stands there */
		check_messages("[" USER("first\\n\\nsecond") "," ASSISTANT("one\\n\\ntwo") "," USER(
			"third") "]}");
		CHECK_U64(count_in_trace("phase idle: turn done\n"), 3);
		CHECK_U64(server.asked, 3);
		close_all();
	}
}

static void test_a_queue_goes_on_behind_an_interrupt_and_a_failure(void)
{
	queues = true;
	open_all();
	script_open(SSE_HEAD DELTA("one"));
	script_also("HTTP/1.1 400 No\r\n\r\n");
	script_also(SSE_HEAD DELTA("three") DONE_LINE);
	input("first");
	await("delta one\n");
	input("second");
	input("third");
	CHECK_STATUS(interrupt_worker(), WR_OK);
	await("\ntext three\n");
	await_rest();
	CHECK(strstr(trace, "phase interrupted: interrupted\n") != NULL);
	CHECK(strstr(trace, "phase failed: the model server refused the request (400)\n") != NULL);
	check_messages("[" USER("first\\n\\nsecond") "," ASSISTANT("one") "," USER("third") "]}");
	CHECK_U64(server.asked, 3);
	close_all();
}

/* A conversation is what is visible of it. */
static void test_what_queues_waits_until_the_answer_before_it_is_visible(void)
{
	uses_store = queues = true;
	open_all();
	script(SSE_HEAD DELTA("one") DONE_LINE);
	server.answers[0].cut = strlen(SSE_HEAD);
	script_also(SSE_HEAD DELTA("two") DONE_LINE);
	input("first");
	input("second");
	await_asked(1);
	wr_runtime_settle(runtime);
	hide();
	await("phase idle: turn done\n");
	for (unsigned i = 0; i < 20; i++)
		turn();
	CHECK_U64(server.asked, 1);
	show();
	await_asked(2);
	check_messages("[" USER("first") "," ASSISTANT("one") "," USER("second") "]}");
	await("\ntext two\n");
	await_rest();
	close_all();
}

static void test_an_input_is_sent_also_without_any_history(void)
{
	open_all();
	openai_profile.history_bytes_max = 0;
	script(SSE_HEAD DELTA("one") DONE_LINE);
	say_and_wait("first");
	check_messages("[" USER("first") "]}");
	say_and_wait("a long second");
	check_messages("[" SYSTEM(MARKER("2")) "," USER("a long second") "]}");
	close_all();
}

static void test_what_memory_does_not_have_is_left_out_or_read_from_the_store(void)
{
	for (unsigned i = 0; i < 2; i++) {
		uses_store = i == 1;
		transcript_bytes = 1; /* the newest item only */
		open_all();
		script(SSE_HEAD DELTA("one") DONE_LINE);
		say_and_wait("first");
		say_and_wait("second");
		check_messages(
			uses_store ? "[" USER("first") "," ASSISTANT("one") "," USER("second") "]}"
				   : "[" SYSTEM(MARKER("2")) "," USER("second") "]}");
		CHECK_U64(count_in_trace("event alert"), uses_store ? 0 : 1);
		close_all();
	}
}

static void test_a_stored_item_that_cannot_be_read_ends_the_history(void)
{
	uses_store = true;
	transcript_bytes = 1;
	open_all();
	script(SSE_HEAD DELTA("one") DONE_LINE);
	say_and_wait("first");
	hide();
	input("second");
	store.is_damaged[worker->number] = true;
	show();
	await_rest();
	check_messages("[" SYSTEM(MARKER("2")) "," USER("second") "]}");
	close_all();
}

/* ---- the store ---- */

static void test_nothing_is_sent_before_the_input_is_visible(void)
{
	uses_store = true;
	open_all();
	script(SSE_HEAD DELTA("a") DONE_LINE);
	hide();
	input("hi");
	CHECK_STATUS(try_input("two"), WR_BUSY);
	turns(10);
	CHECK_U64(server.accepted, 0);
	CHECK_STATUS(try_input("two"), WR_BUSY);
	show();
	await("phase idle: turn done\n");
	check_story(BEGUN "delta a\ntext a\n" FINISHED);
	close_all();
}

static void test_a_cancel_takes_back_what_is_not_visible(void)
{
	uses_store = true;
	open_all();
	hide();
	input("hi");
	cancel_worker();
	show();
	turns(5);
	check_story("> hi\ncancelled\n");
	worker = make_worker();
	turns(2);
	hide();
	input("hi");
	stop_worker();
	show();
	turns(5);
	CHECK(worker->now.phase == WR_PHASE_STOPPED);
	CHECK_U64(server.accepted, 0);
	close_all();
}

static void test_an_input_that_becomes_visible_at_the_end_is_told(void)
{
	uses_store = true;
	open_all();
	hide();
	input("hi");
	CHECK_U64(wr_openai_drain(&openai, on_drained, NULL), 0);
	show();
	turns(5);
	check_story("> hi\nphase interrupted: the Runtime is stopping\n");
	CHECK_U64(server.accepted, 0);
	close_all();
}

/* Much that is not said around each word. */
static struct wr_view padded_answer(void)
{
	static char text[PADDED_COUNT * (PADDING + 100) + 400];
	size_t at = (size_t)snprintf(text, sizeof text, "%s", SSE_HEAD);

	for (unsigned i = 0; i < PADDED_COUNT; i++) {
		at += (size_t)snprintf(text + at, sizeof text - at, "data: {\"x\":\"");
		memset(text + at, 'y', PADDING);
		at += PADDING;
		at += (size_t)snprintf(text + at, sizeof text - at,
				       "\",\"choices\":[{\"delta\":{\"content\":\"%c\"}}]}\n\n",
				       'a' + (char)(i % 26));
	}
	at += (size_t)snprintf(text + at, sizeof text - at, "%s", DONE_LINE);
	return wr_view_of(text, at);
}

static void test_while_there_is_no_room_the_server_waits(void)
{
	size_t used;

	uses_store = true;
	open_all();
	openai_profile.silence_ms_max = 100; /* which is not the server's, then */
	script("");
	server.answers[0].text = padded_answer();
	input("hi");
	await("delta b\n");
	store.is_full = true;
	used = wr_test_allocator()->used;
	turns(400); /* longer than the silence that would be an end */
	CHECK_U64(count_in_trace("error"), 0);
	CHECK(wr_test_allocator()->used < used + 300000);
	CHECK(wr_openai_worker_of(openai.crew.by_worker[worker->number])->turn->held.bytes <
	      100000);
	CHECK(server.connections[0].sent < server.answers[0].text.bytes);
	store.is_full = false;
	await_rest();
	CHECK_U64(count_in_trace("delta "), PADDED_COUNT);
	CHECK(strstr(trace, "\ntext abcdefghijklmnopqrstuvwxyzabc") != NULL);
	CHECK(strstr(trace, "phase idle: turn done\n") != NULL);
	close_all();
}

/* Each record of a turn is refused once, for each of the reasons that pass. */
static void test_whatever_is_refused_for_a_while_the_story_is_the_same(void)
{
	static const enum wr_status passing[] = {WR_FULL, WR_OVERLOAD, WR_NO_MEMORY};
	static const char answer[] = SSE_HEAD THOUGHT("hm") DELTA("a") DELTA(
		"b") "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c\","
		     "\"function\":{\"name\":\"A\",\"arguments\":\"{}\"}}]}}],\"usage\":"
		     "{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\n" DONE_LINE;
	static const char expected[] = BEGUN
		"thinking_start\nthinking hm\nthinking_done hm\ndelta a\ndelta b\n"
		"call_start c A\ncall_args c {}\ncall_done c A {}\ntext ab\nusage 1 2\n" FINISHED;

	uses_store = true;
	for (unsigned i = 0; i < WR_COUNT(passing); i++)
		for (unsigned record = 1; record <= 17; record++) {
			open_all();
			script(answer);
			input("hi");
			store.fail_at = store.append_count + record;
			store.failure = passing[i];
			await_rest();
			check_story(expected);
			CHECK(store.append_count >= store.fail_at);
			close_all();
		}
}

static void test_ends_wait_for_room_in_order(void)
{
	uses_store = true;
	open_all();
	open_turn(2);
	store.is_full = true;
	CHECK_STATUS(interrupt_worker(), WR_OK);
	CHECK_STATUS(interrupt_worker(), WR_OK);
	CHECK_STATUS(try_input("more"), WR_BUSY);
	turns(5);
	CHECK_U64(server.ended, 1);
	check_story(BEGUN "delta a\n");
	CHECK_U64(wr_openai_live_count(&openai), 1);
	store.is_full = false;
	await_rest();
	check_story(BEGUN "delta a\ntext a\n" CALL_END "turn_end 1 r1\nrun_end r1\n"
			  "phase interrupted: interrupted\n");
	turns(2);
	CHECK(!openai.crew.has_hook);
	close_all();
}

static void test_a_stop_behind_an_end_that_waits_changes_only_what_follows(void)
{
	uses_store = true;
	open_all();
	script(SSE_HEAD DELTA("a") DONE_LINE);
	server.answers[0].cut = strlen(SSE_HEAD DELTA("a"));
	input("hi");
	await("delta a\n");
	store.is_full = true;
	turns(5);
	stop_worker();
	turns(5);
	store.is_full = false;
	await_rest();
	check_story(BEGUN "delta a\nstopped\ntext a\n" CALL_END "turn_end 1 r0\nrun_end r0\n"
			  "phase stopped: execution ended\n");
	CHECK(openai.crew.by_worker[worker->number] == NULL);
	close_all();
}

static void test_a_full_store_does_not_keep_the_runtime(void)
{
	uses_store = true;
	open_all();
	open_turn(2);
	store.is_full = true;
	CHECK_U64(wr_openai_drain(&openai, on_drained, NULL), 0);
	check_story(BEGUN "delta a\nphase interrupted: the Runtime is stopping\n");
	close_all();
}

static void test_who_waits_for_room_when_the_runtime_ends_is_waited_for(void)
{
	uses_store = true;
	open_all();
	open_turn(2);
	store.mood = WR_OVERLOAD; /* room is being made */
	CHECK_U64(wr_openai_drain(&openai, on_drained, NULL), 1);
	turns(3);
	CHECK_U64(drained_count, 0);
	store.mood = WR_OK;
	await_rest();
	turns(2);
	CHECK_U64(drained_count, 1);
	CHECK(strstr(trace, "text a\n") != NULL);
	CHECK(strstr(trace, "phase interrupted: the Runtime is stopping\n") != NULL);
	close_all();
}

/* ---- memory ---- */

static void test_each_allocation_may_fail(void)
{
	bool has_failed = true;

	for (uint64_t n = 1; has_failed; n++) {
		enum wr_status status;

		CHECK(n < 1000);
		open_all();
		openai_profile.retry_count_max = 0;
		script(chunked(THOUGHT("hm") "data: {\"choices\":[{\"delta\":{\"content\":\"\\n\","
					     "\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":"
					     "\"A\",\"arguments\":\"{}\"}}]}}]}\n\n" DONE_LINE));
		wr_test_fail_allocation(n, false);
		status = try_input("hi");
		CHECK(status == WR_OK || status == WR_NO_MEMORY);
		if (status == WR_OK)
			await_rest();
		has_failed = wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		CHECK(worker->now.phase == WR_PHASE_IDLE || worker->now.phase == WR_PHASE_FAILED);
		CHECK(has_failed || worker->now.phase == WR_PHASE_IDLE);
		input("again"); /* it is as good as new */
		await_rest();
		CHECK(worker->now.phase == WR_PHASE_IDLE);
		CHECK_U64(openai.turn_count, 0);
		close_all();
	}
}

/* ---- secrets ---- */

static void test_the_key_is_in_the_request_and_nowhere_else(void)
{
	static const char *const answers[] = {
		"HTTP/1.1 401 No\r\nContent-Type: application/json\r\n\r\n"
		"{\"error\":{\"message\":\"Bearer " KEY "\"}}",
		"HTTP/1.1 500 No " KEY "\r\nContent-Type: application/json\r\nX-Key: " KEY
		"\r\n\r\n{\"error\":{\"message\":\"got " KEY "\",\"code\":500}}",
		SSE_HEAD "data: {\"error\":{\"message\":\"header Bearer " KEY "\"}}\n\n",
		SSE_HEAD "data: " KEY "\n\n",
		"" KEY "\r\n\r\n",
	};
	static char logged[65536];
	int ends[2];
	ssize_t got;

	CHECK(pipe(ends) == 0);
	CHECK(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
	wr_log_open("test", ends[1], WR_LOG_DEBUG);
	for (size_t i = 0; i < WR_COUNT(answers); i++) {
		open_all();
		script(answers[i]);
		input("hi");
		await_rest();
		CHECK(strstr(server.last_request, KEY) != NULL);
		CHECK(strstr(trace, KEY) == NULL);
		for (uint64_t number = 1; number <= worker->shown.item_count; number++) {
			const struct wr_transcript_item *item =
				wr_transcript_at(&worker->transcript, number - 1);

			CHECK(item != NULL && item->bytes < 1000);
			memcpy(logged, item->content, item->bytes);
			logged[item->bytes] = '\0';
			CHECK(strstr(logged, KEY) == NULL);
		}
		close_all();
	}
	wr_log_flush();
	wr_log_close();
	got = read(ends[0], logged, sizeof logged - 1);
	CHECK(got > 0);
	logged[got] = '\0';
	CHECK(strstr(logged, "model_call_failed") != NULL);
	CHECK(strstr(logged, "why=\"the model server refused the key") != NULL);
	CHECK(strstr(logged, KEY) == NULL);
	CHECK(strstr(logged, "127.0.0.1") == NULL);
}

/* ---- profiles ---- */

static void test_profiles_that_cannot_be_used_are_refused_with_the_member(void)
{
	static const struct {
		const char *member, *base_url, *model, *key, *prompt, *temperature;
	} rows[] = {
		{NULL, "http://127.0.0.1:1/v1", "m", "k", "p", "0.5"},
		{NULL, "http://[::1]:1", NULL, NULL, NULL, NULL},
		{NULL, "http://localhost/v1/", NULL, NULL, NULL, "1"},
		{"base_url", NULL, "m", NULL, NULL, NULL},
		{"base_url", "", "m", NULL, NULL, NULL},
		{"base_url", "127.0.0.1:8080", "m", NULL, NULL, NULL},
		{"base_url", "ws://127.0.0.1/", "m", NULL, NULL, NULL},
		{"base_url", "ftp://127.0.0.1/", "m", NULL, NULL, NULL},
		{"base_url", "http://user:pw@127.0.0.1/", "m", NULL, NULL, NULL},
		{"base_url", "http://127.0.0.1/v1?x=1", "m", NULL, NULL, NULL},
		{"base_url", "http://127.0.0.1/v1#x", "m", NULL, NULL, NULL},
		{"base_url", "http://127.0.0.1:0/", "m", NULL, NULL, NULL},
		{"base_url", "https://127.0.0.1/v1", "m", NULL, NULL, NULL},
		{"base_url", "http://api.example/v1", "m", NULL, NULL, NULL},
		{"model", "http://127.0.0.1/", "", NULL, NULL, NULL},
		{"model", "http://127.0.0.1/", " ", NULL, NULL, NULL},
		{"model", "http://127.0.0.1/", "\xff", NULL, NULL, NULL},
		{"api_key", "http://127.0.0.1/", "m", "", NULL, NULL},
		{"api_key", "http://127.0.0.1/", "m", "a b", NULL, NULL},
		{"api_key", "http://127.0.0.1/", "m", "a\r\nX: y", NULL, NULL},
		{"api_key", "http://127.0.0.1/", "m", "\xc3\xa4", NULL, NULL},
		{"system_prompt", "http://127.0.0.1/", "m", NULL, "", NULL},
		{"system_prompt", "http://127.0.0.1/", "m", NULL, "\xc0\x80", NULL},
		{"temperature", "http://127.0.0.1/", "m", NULL, NULL, ""},
		{"temperature", "http://127.0.0.1/", "m", NULL, NULL, "warm"},
		{"temperature", "http://127.0.0.1/", "m", NULL, NULL, "0.5,\"x\":1"},
	};

	for (size_t i = 0; i < WR_COUNT(rows); i++) {
		const char *fault;

		wr_test_case(rows[i].base_url);
		wr_openai_profile_init(&openai_profile);
		openai_profile.base_url = rows[i].base_url;
		openai_profile.model = rows[i].model;
		openai_profile.api_key = rows[i].key;
		openai_profile.system_prompt = rows[i].prompt;
		openai_profile.temperature = rows[i].temperature;
		fault = wr_openai_profile_fault(&openai_profile);
		CHECK((fault == NULL) == (rows[i].member == NULL));
		CHECK(fault == NULL || strncmp(fault, rows[i].member, strlen(rows[i].member)) == 0);
	}
}

static void test_numbers_of_a_profile_are_bounded(void)
{
	static const struct {
		size_t member;
		uint64_t bad;
	} rows[] = {
		{offsetof(struct wr_openai_profile, output_tokens_max), (uint64_t)UINT32_MAX + 1},
		{offsetof(struct wr_openai_profile, history_bytes_max), UINT64_MAX},
		{offsetof(struct wr_openai_profile, answer_bytes_max), 0},
		{offsetof(struct wr_openai_profile, answer_bytes_max), WR_EVENT_BYTES_MAX + 1},
		{offsetof(struct wr_openai_profile, first_token_ms_max), 0},
		{offsetof(struct wr_openai_profile, first_token_ms_max), 86400001},
		{offsetof(struct wr_openai_profile, silence_ms_max), 0},
		{offsetof(struct wr_openai_profile, silence_ms_max), 86400001},
		{offsetof(struct wr_openai_profile, retry_count_max), 101},
		{offsetof(struct wr_openai_profile, retry_ms_min), 30001},
		{offsetof(struct wr_openai_profile, retry_ms_max), 86400001},
		{offsetof(struct wr_openai_profile, retry_after_ms_max), 86400001},
	};

	for (size_t i = 0; i < WR_COUNT(rows); i++) {
		struct wr_execution execution;

		wr_openai_profile_init(&openai_profile);
		openai_profile.base_url = "http://127.0.0.1:1/";
		CHECK(wr_openai_profile_fault(&openai_profile) == NULL);
		memcpy((char *)&openai_profile + rows[i].member, &rows[i].bad, sizeof rows[i].bad);
		CHECK(wr_openai_profile_fault(&openai_profile) != NULL);
		CHECK_STATUS(wr_openai_execution(&openai, &openai_profile, &execution), WR_INVALID);
	}
}

/* Only a client that speaks TLS may have the key of such a profile. */
static void test_a_key_is_not_sent_in_the_clear_to_a_server_behind_tls(void)
{
	struct wr_openai_profile secure;
	struct wr_execution execution;
	char text[64];

	open_all();
	secure = openai_profile;
	snprintf(text, sizeof text, "https://127.0.0.1:%u/v1", server.port);
	secure.base_url = text;
	secure.origin = NULL;
	CHECK_STATUS(wr_openai_execution(&openai, &secure, &execution), WR_INVALID);
	CHECK(wr_openai_profile_fault(&secure) != NULL);
	if (!WR_TLS) {
		secure.tls = (struct wr_tls_client *)(uintptr_t)8; /* is not looked at */
		CHECK(wr_openai_profile_fault(&secure) != NULL);
		CHECK_STATUS(wr_openai_execution(&openai, &secure, &execution), WR_INVALID);
	}
	turns(3);
	CHECK_U64(server.accepted, 0);
	close_all();
}

static void test_profiles_of_one_origin_share_its_connections(void)
{
	struct wr_openai_profile other, with_key;
	struct wr_execution execution;
	char text[64];

	open_all();
	CHECK_STATUS(wr_openai_execution(&openai, &openai_profile, &execution), WR_OK);
	set_profile();
	other = openai_profile;
	snprintf(text, sizeof text, "HTTP://127.0.0.1:%u/other/", server.port);
	other.base_url = text;
	other.model = "another";
	with_key = openai_profile;
	with_key.api_key = "sk-another";
	CHECK_STATUS(wr_openai_execution(&openai, &openai_profile, &execution), WR_OK);
	CHECK_STATUS(wr_openai_execution(&openai, &other, &execution), WR_OK);
	CHECK_STATUS(wr_openai_execution(&openai, &with_key, &execution), WR_OK);
	CHECK(openai_profile.origin == other.origin);
	CHECK(openai_profile.origin != with_key.origin);
	close_all();
}

static void test_a_base_url_keeps_its_path(void)
{
	static const char *const rows[][2] = {
		{"", "POST /chat/completions "},
		{"/", "POST /chat/completions "},
		{"/v1", "POST /v1/chat/completions "},
		{"/v1/", "POST /v1/chat/completions "},
		{"/api/v1//", "POST /api/v1/chat/completions "},
	};

	for (size_t i = 0; i < WR_COUNT(rows); i++) {
		char text[64];

		open_server();
		set_profile();
		snprintf(text, sizeof text, "http://localhost:%u%s", server.port, rows[i][0]);
		openai_profile.base_url = text;
		openai_profile.api_key = NULL;
		open_reactor();
		open_runtime();
		script(SSE_HEAD DELTA("a") DONE_LINE);
		say_and_wait("hi");
		CHECK(strstr(server.last_request, rows[i][1]) == server.last_request);
		CHECK(strstr(server.last_request, "\r\nHost: localhost:") != NULL);
		CHECK(strstr(server.last_request, "Authorization") == NULL);
		close_all();
	}
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_an_interrupt_ends_the_turn_at_once),
	WR_TEST(test_a_cancel_ends_everything_without_a_word),
	WR_TEST(test_a_stop_keeps_what_was_said),
	WR_TEST(test_a_worker_without_a_turn_ends_at_once),
	WR_TEST(test_an_end_within_a_pause_between_tries_is_at_once),
	WR_TEST(test_the_end_of_the_runtime_interrupts_open_turns),
	WR_TEST(test_a_turn_under_way_refuses_others),
	WR_TEST(test_turns_at_once_are_bounded),
	WR_TEST(test_the_conversation_is_sent),
	WR_TEST(test_what_is_left_out_is_said_to_the_model_and_once_to_people),
	WR_TEST(test_inputs_that_queue_are_said_one_after_the_other),
	WR_TEST(test_a_queue_goes_on_behind_an_interrupt_and_a_failure),
	WR_TEST(test_what_queues_waits_until_the_answer_before_it_is_visible),
	WR_TEST(test_an_input_is_sent_also_without_any_history),
	WR_TEST(test_what_memory_does_not_have_is_left_out_or_read_from_the_store),
	WR_TEST(test_a_stored_item_that_cannot_be_read_ends_the_history),
	WR_TEST(test_nothing_is_sent_before_the_input_is_visible),
	WR_TEST(test_a_cancel_takes_back_what_is_not_visible),
	WR_TEST(test_an_input_that_becomes_visible_at_the_end_is_told),
	WR_TEST(test_while_there_is_no_room_the_server_waits),
	WR_TEST_LIMIT(test_whatever_is_refused_for_a_while_the_story_is_the_same, 30),
	WR_TEST(test_ends_wait_for_room_in_order),
	WR_TEST(test_a_stop_behind_an_end_that_waits_changes_only_what_follows),
	WR_TEST(test_a_full_store_does_not_keep_the_runtime),
	WR_TEST(test_who_waits_for_room_when_the_runtime_ends_is_waited_for),
	WR_TEST_LIMIT(test_each_allocation_may_fail, 60),
	WR_TEST(test_the_key_is_in_the_request_and_nowhere_else),
	WR_TEST(test_profiles_that_cannot_be_used_are_refused_with_the_member),
	WR_TEST(test_numbers_of_a_profile_are_bounded),
	WR_TEST(test_a_key_is_not_sent_in_the_clear_to_a_server_behind_tls),
	WR_TEST(test_profiles_of_one_origin_share_its_connections),
	WR_TEST(test_a_base_url_keeps_its_path),
	WR_TEST_END,
};
