/*
 * Goal (design 7, contract 8.11): there is one place for rules between Runtimes and browsers, and
 * it is the same for all sources. Method: the program's own Backend in a process of this test, with
 * a policy that denies an event and a command and takes a word out of texts; the same story through
 * its embedded Runtime and a real remote one.
 */
#include "backend/server.h"
#include "harness/backend.h"
#include "host/settings.h"
#include "io/memory.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define WORD "hunter2"
#define STARS "*******"

enum { EVENT_ROOM = 96, EVENTS_MAX = 16 };

static struct wr_place place;
static struct wr_remote remote;
static struct wr_process backend;
static struct wr_client client;
static struct wr_answer answer;

static const char *const runtime_ids[] = {"backend-internal", "remote:box"};

/* ---- the rules ---- */

static const char *find(struct wr_view text, const char *part)
{
	size_t bytes = strlen(part);

	return text.bytes < bytes ? NULL : memmem(text.data, text.bytes, part, bytes);
}

/* A text with the word taken out; false: it has none. */
static bool take_out(struct wr_view rest, struct wr_buf *replacement)
{
	const char *at;

	if (find(rest, WORD) == NULL)
		return false;
	while ((at = find(rest, WORD)) != NULL) {
		wr_buf_append(replacement, rest.data, (size_t)(at - rest.data));
		wr_buf_append_view(replacement, WR_VIEW(STARS));
		rest = wr_view_skip(rest, (size_t)(at - rest.data) + strlen(WORD));
	}
	wr_buf_append_view(replacement, rest);
	return true;
}

static enum wr_policy_verdict judge_entry(void *context, const struct wr_policy_entry *entry,
					  struct wr_buf *replacement)
{
	(void)context;
	if (wr_view_equal(entry->role, WR_VIEW("system")))
		return WR_POLICY_DENY;
	return take_out(entry->content, replacement) ? WR_POLICY_REPLACE : WR_POLICY_PASS;
}

static enum wr_policy_verdict judge_event(void *context, const struct wr_policy_event *event,
					  struct wr_buf *replacement)
{
	(void)context;
	if (wr_view_equal(event->name, WR_VIEW("system_item")))
		return WR_POLICY_DENY;
	return take_out(event->payload, replacement) ? WR_POLICY_REPLACE : WR_POLICY_PASS;
}

static enum wr_policy_verdict judge_command(void *context, const struct wr_policy_command *command)
{
	(void)context;
	if (strcmp(command->operation, "cancel") == 0 || find(command->content, "never") != NULL)
		return WR_POLICY_DENY;
	return WR_POLICY_PASS;
}

/* ---- the Backend ---- */

static _Noreturn void serve(int address_fd)
{
	static struct wr_backend_config config;
	static struct wr_allocator allocator;
	static struct wr_settings settings;
	static struct wr_tokens tokens;
	static struct wr_backend self;
	const char *const argv[] = {"workspace-server", "--listen", "127.0.0.1:0", "--workspace",
				    place.workspace,	"--config", place.config,  "--no-local"};
	char storage[512], address[WR_ADDRESS_TEXT_BYTES_MAX];
	struct wr_buf message;
	bool is_orderly;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	wr_memory_init(&allocator, SIZE_MAX);
	wr_buf_init_fixed(&message, storage, sizeof storage);
	wr_settings_init(&settings, &wr_backend_options, &config, &allocator);
	CHECK(wr_settings_read(&settings, &message, (int)WR_COUNT(argv), argv));
	CHECK_STATUS(
		wr_address_parse(&config.serving.address, wr_view_of_string(config.serving.listen)),
		WR_OK);
	self.policy.on_event = judge_event;
	self.policy.on_entry = judge_entry;
	self.policy.on_command = judge_command;
	CHECK(wr_backend_init(&self, &config, &tokens, 0, &message));
	wr_address_format(address, wr_http_server_address(self.http));
	CHECK(write(address_fd, address, strlen(address) + 1) > 0);
	is_orderly = wr_backend_run(&self);
	wr_backend_deinit(&self);
	wr_settings_deinit(&settings);
	_exit(is_orderly ? 0 : 1);
}

static void start(void)
{
	int fds[2];

	wr_place_make(&place);
	wr_remote_start(&remote, &place, NULL);
	wr_place_configure(&place, remote.address);
	CHECK(pipe(fds) == 0);
	fflush(NULL);
	backend.pid = fork();
	CHECK(backend.pid >= 0);
	if (backend.pid == 0)
		serve(fds[1]);
	close(fds[1]);
	CHECK(read(fds[0], backend.address, sizeof backend.address) > 0);
	close(fds[0]);
	backend.is_running = true;
	backend.out_fd = backend.err_fd = -1;
	wr_client_open(&client, &backend, NULL);
	wr_backend_await_status(&client, "remote:box", "running");
}

static void end(void)
{
	wr_client_close(&client);
	CHECK_U64((uint64_t)wr_process_stop(&backend), 0);
	CHECK_U64((uint64_t)wr_process_stop(&remote.process), 0);
	wr_place_remove(&place);
}

/* ---- events ---- */

/* Of every role one, and one with the word. */
static void tell_story(const char *runtime_id, const char *worker)
{
	static const struct {
		const char *kind, *content;
	} inputs[] = {{"user", "before"},
		      {"system", "what nobody sees"},
		      {"user", "it is " WORD ", not " WORD "x"},
		      {"system", WORD},
		      {"user", "after"}};
	char body[128];

	for (unsigned i = 0; i < WR_COUNT(inputs); i++) {
		snprintf(body, sizeof body, "{\"kind\":\"%s\",\"content\":\"%s\"}", inputs[i].kind,
			 inputs[i].content);
		wr_client_post(&client, &answer, body, "/api/runtimes/%s/workers/%s/input",
			       runtime_id, worker);
		CHECK_U64(answer.status, 200);
		CHECK_STRING(wr_json_find(answer.body, "state"), "accepted");
	}
}

static const char *const shown[] = {"user_message: before",
				    "user_message: it is " STARS ", not " STARS "x",
				    "user_message: after"};

/* The rest of the story from `from` on, with nothing between; cursors of all of it. */
static void check_story(struct wr_test_ws *stream, unsigned from,
			char cursors[WR_COUNT(shown)][WR_CURSOR_ROOM])
{
	char text[EVENT_ROOM];

	for (unsigned i = from; i < WR_COUNT(shown); i++) {
		wr_backend_event(stream, text, sizeof text, cursors[i]);
		CHECK_STRING(wr_view_of_string(text), shown[i]);
	}
}

/* Who comes late: whatever of it is in the snapshot, and whatever comes behind that. */
static void check_late(const char *runtime_id, const char *worker)
{
	struct wr_test_ws stream;
	struct wr_view frame;
	bool has_stars = false, is_over = false;

	wr_backend_observe(&stream, &backend, runtime_id, worker, NULL);
	while (!is_over) {
		frame = wr_test_ws_message(&stream);
		CHECK(find(frame, WORD) == NULL);
		has_stars |= find(frame, "it is " STARS ", not " STARS "x") != NULL;
		is_over = find(frame, "\"after\"") != NULL;
	}
	CHECK(has_stars);
	wr_test_ws_close(&stream);
}

static void check_transcript(const char *runtime_id, const char *worker)
{
	wr_client_get(&client, &answer, "/api/runtimes/%s/workers/%s/transcript", runtime_id,
		      worker);
	CHECK_U64(answer.status, 200);
	CHECK(find(answer.body, WORD) == NULL);
	CHECK(find(answer.body, STARS) != NULL);
	CHECK(find(answer.body, "\"system\"") == NULL);
}

static void test_what_is_denied_or_taken_out_is_not_shown_by_any_source(void)
{
	char worker[WR_CLIENT_ID_BYTES], cursor[WR_CURSOR_ROOM], text[EVENT_ROOM];
	static char cursors[WR_COUNT(shown)][WR_CURSOR_ROOM],
		again[WR_COUNT(shown)][WR_CURSOR_ROOM];
	struct wr_test_ws stream;

	start();
	for (unsigned i = 0; i < WR_COUNT(runtime_ids); i++) {
		wr_test_case(runtime_ids[i]);
		wr_backend_spawn(&client, runtime_ids[i], worker);
		wr_backend_observe(&stream, &backend, runtime_ids[i], worker, NULL);
		wr_backend_event(&stream, text, sizeof text, cursor);
		CHECK_STRING(wr_view_of_string(text), "snapshot: idle");
		tell_story(runtime_ids[i], worker);
		check_story(&stream, 0, cursors);
		/* The end of the story shows that nothing of it is missing. */
		wr_client_post(&client, &answer, "{}", "/api/runtimes/%s/workers/%s/stop",
			       runtime_ids[i], worker);
		wr_backend_event(&stream, text, sizeof text, cursor);
		CHECK_STRING(wr_view_of_string(text), "shutdown: ");
		wr_test_ws_close(&stream);
		/* Cursors lead past what is denied. */
		for (unsigned from = 1; from <= WR_COUNT(shown); from++) {
			wr_backend_observe(&stream, &backend, runtime_ids[i], worker,
					   cursors[from - 1]);
			check_story(&stream, from, again);
			for (unsigned n = from; n < WR_COUNT(shown); n++)
				CHECK_STRING(wr_view_of_string(again[n]), cursors[n]);
			wr_backend_event(&stream, text, sizeof text, cursor);
			CHECK_STRING(wr_view_of_string(text), "shutdown: ");
			wr_test_ws_close(&stream);
		}
		check_late(runtime_ids[i], worker);
		check_transcript(runtime_ids[i], worker);
	}
	end();
}

/* ---- commands ---- */

static void check_denied(const char *runtime_id, const char *worker, const char *command,
			 const char *body)
{
	char target[WR_PATH_ROOM];

	snprintf(target, sizeof target, "/api/runtimes/%s/workers/%s/%s", runtime_id, worker,
		 command);
	for (unsigned i = 0; i < 2; i++) { /* no key remembers it */
		wr_client_ask(&client, &answer, "POST", target, "Idempotency-Key: k\r\n", body);
		CHECK_U64(answer.status, 403);
		CHECK_STRING(wr_json_find(answer.body, "error"), "Forbidden");
		CHECK_STRING(wr_json_find(answer.body, "code"), "denied_by_policy");
	}
}

static void test_a_command_that_is_denied_never_happens_at_any_source(void)
{
	char worker[WR_CLIENT_ID_BYTES], cursor[WR_CURSOR_ROOM], text[EVENT_ROOM];
	struct wr_test_ws stream;

	start();
	for (unsigned i = 0; i < WR_COUNT(runtime_ids); i++) {
		wr_test_case(runtime_ids[i]);
		wr_backend_spawn(&client, runtime_ids[i], worker);
		wr_backend_observe(&stream, &backend, runtime_ids[i], worker, NULL);
		wr_backend_event(&stream, text, sizeof text, cursor);
		check_denied(runtime_ids[i], worker, "cancel", "{}");
		check_denied(runtime_ids[i], worker, "cancel", "{\"reason\":\"enough\"}");
		check_denied(runtime_ids[i], worker, "input",
			     "{\"kind\":\"user\",\"content\":\"say never\"}");
		check_denied(runtime_ids[i], worker, "input",
			     "{\"kind\":\"system\",\"content\":\"n\\u0065ver\"}");
		wr_client_get(&client, &answer, "/api/runtimes/%s/workers/%s", runtime_ids[i],
			      worker);
		CHECK_STRING(wr_json_find(answer.body, "state"), "running");
		/* The first that happens is what is allowed, under the same key. */
		CHECK(wr_backend_say(&client, runtime_ids[i], worker, "say something", "k"));
		wr_backend_event(&stream, text, sizeof text, cursor);
		CHECK_STRING(wr_view_of_string(text), "user_message: say something");
		wr_client_get(&client, &answer, "/api/runtimes/%s/workers/%s/transcript",
			      runtime_ids[i], worker);
		CHECK_U64(wr_json_find_u64(answer.body, "total_items"), 1);
		wr_client_post(&client, &answer, "{}", "/api/runtimes/%s/workers/%s/stop",
			       runtime_ids[i], worker);
		CHECK_STRING(wr_json_find(answer.body, "state"), "accepted");
		wr_backend_event(&stream, text, sizeof text, cursor);
		CHECK_STRING(wr_view_of_string(text), "shutdown: ");
		wr_test_ws_close(&stream);
	}
	end();
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_what_is_denied_or_taken_out_is_not_shown_by_any_source, 60),
	WR_TEST_LIMIT(test_a_command_that_is_denied_never_happens_at_any_source, 60), WR_TEST_END};
