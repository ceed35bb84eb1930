/* Goal: every example of the wire contract's sections 2 to 5 holds against the real process.
 * Method: the contract's fenced blocks are read from the shared folder; requests are sent as they
 * stand, answers are provoked and must have every member of the example with a value of the same
 * type (and, where the example says what was asked, the same value). Library-only examples
 * (eventbatch, diag) are tests of core. */
#include "check.h"
#include "codec/json/reader.h"
#include "harness/client.h"
#include "harness/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct wr_process server;

/* ---- the contract's blocks ---- */

struct block {
	struct wr_view tag, json;
};

/* Steps to the next block whose fence is "```json TAG" or "```jsonl TAG" in sections 2 to 5. */
static bool next_block(struct wr_view *rest, struct block *block)
{
	const char *at = rest->data, *end = rest->data + rest->bytes, *line_end, *close;

	for (;;) {
		at = strstr(at, "\n```json");
		if (at == NULL || at >= end)
			return false;
		at += strlen("\n```json");
		at += *at == 'l';
		line_end = strchr(at, '\n');
		close = strstr(line_end, "\n```");
		if (*at == ' ')
			break;
		at = close;
	}
	block->tag = wr_view_of(at + 1, (size_t)(line_end - at - 1));
	block->json = wr_view_of(line_end + 1, (size_t)(close - line_end - 1));
	*rest = wr_view_of(close + 4, (size_t)(end - close - 4));
	return true;
}

static struct wr_view sections_2_to_5(void)
{
	const char *shared = wr_test_shared();
	char path[512];
	struct wr_view text;
	const char *from, *to;

	if (shared == NULL)
		wr_test_skip("the shared folder with contract.md is not here");
	snprintf(path, sizeof path, "%s/contract.md", shared);
	text = wr_test_read_file(path);
	from = strstr(text.data, "\n# 2. ");
	to = strstr(text.data, "\n# 6. ");
	CHECK(from != NULL && to != NULL);
	return wr_view_of(from, (size_t)(to - from));
}

/* ---- comparing ---- */

struct path {
	char text[512];
	size_t bytes;
};

static void push_path(struct path *path, const char *separator, struct wr_view name)
{
	int more = snprintf(path->text + path->bytes, sizeof path->text - path->bytes, "%s%.*s",
			    path->bytes == 0 ? "" : separator, (int)name.bytes, name.data);

	CHECK(more > 0 && path->bytes + (size_t)more < sizeof path->text);
	path->bytes += (size_t)more;
}

static char type_of(struct wr_view value)
{
	if (value.bytes == 0)
		return 's'; /* an empty string: its quotes are not part of the view */
	if (value.data[-1] == '"')
		return 's';
	return value.data[0] == '-' || (value.data[0] >= '0' && value.data[0] <= '9')
		       ? 'n'
		       : value.data[0];
}

/* Values of these members are the example's own (ids, counters, texts for people). */
static bool is_example_only(const char *path)
{
	static const char *const names[] = {"runtime_id",  "worker_id", "event_id",	 "cursor",
					    "message",	   "_count",	"last_event_id", "id",
					    "worker_name", "provider",	"model",	 "purpose"};
	size_t bytes = strlen(path);

	for (size_t i = 0; i < WR_COUNT(names); i++) {
		size_t name = strlen(names[i]);
		if (bytes >= name && strcmp(path + bytes - name, names[i]) == 0)
			return true;
	}
	return false;
}

static void check_leaf(struct wr_view actual, struct wr_view expected, const char *path)
{
	struct wr_view found = wr_json_find(actual, path);
	struct wr_view wanted = wr_json_find(expected, path);

	wr_test_case(path);
	CHECK(found.data != NULL);
	if (type_of(wanted) == 'n' && type_of(found) == 'n') {
		if (is_example_only(path))
			return;
	} else if (type_of(wanted) == 's' && type_of(found) == 's') {
		if (is_example_only(path))
			return;
	}
	CHECK_VIEW(found, wanted);
}

/* Every member of `expected` is in `actual`. The walk keeps the path of each leaf. */
static void check_covers(struct wr_view actual, struct wr_view expected)
{
	struct wr_json_reader reader;
	struct path paths[16];
	unsigned indices[16] = {0}, depth = 0;
	bool is_array[16] = {false};

	paths[0].bytes = 0;
	wr_json_reader_init(&reader, expected, true);
	while (wr_json_reader_next(&reader) == WR_OK && reader.token != WR_JSON_TOKEN_END) {
		struct path path = paths[depth];
		char index[16];

		if (reader.token == WR_JSON_TOKEN_OBJECT_END ||
		    reader.token == WR_JSON_TOKEN_ARRAY_END) {
			depth--;
			continue;
		}
		if (reader.token == WR_JSON_TOKEN_NAME) {
			push_path(&path, ".", reader.text);
			CHECK(wr_json_reader_next(&reader) == WR_OK);
		} else if (is_array[depth]) {
			snprintf(index, sizeof index, "%u", indices[depth]++);
			push_path(&path, ".", wr_view_of_string(index));
		}
		if (reader.token == WR_JSON_TOKEN_OBJECT_BEGIN ||
		    reader.token == WR_JSON_TOKEN_ARRAY_BEGIN) {
			is_array[++depth] = reader.token == WR_JSON_TOKEN_ARRAY_BEGIN;
			indices[depth] = 0;
			CHECK(depth < 16);
			paths[depth] = path;
			if (path.bytes != 0)
				CHECK(wr_json_find(actual, path.text).data != NULL);
			continue;
		}
		check_leaf(actual, expected, path.text);
	}
	CHECK(reader.token == WR_JSON_TOKEN_END);
	wr_test_case(NULL);
}

/* ---- provoking an answer like an example ---- */

static void append_member(struct wr_buf *out, const char *name, struct wr_view worker,
			  const char *path)
{
	struct wr_view value = wr_json_find(worker, path);

	if (value.data == NULL)
		return;
	wr_buf_append_view(out, WR_VIEW(",\""));
	wr_buf_append_view(out, wr_view_of_string(name));
	wr_buf_append_view(out, WR_VIEW("\":"));
	wr_buf_append_view(out, value);
}

/* Creates a Worker as the example's Worker (at a path prefix in the example) was. A named profile,
 * which this Runtime does not have, becomes the default. */
static void create_like(struct wr_client *client, struct wr_view example, const char *prefix,
			char id[WR_CLIENT_ID_BYTES])
{
	static const char *const members[] = {"config_bundle", "requested_capabilities",
					      "workspace_refs", "mount_refs"};
	char path[128];
	struct wr_buf body;
	struct wr_answer answer;
	struct wr_view kind;

	wr_buf_init(&body, wr_test_allocator(), 65536);
	snprintf(path, sizeof path, "%s.intent", prefix);
	wr_buf_append_view(&body, WR_VIEW("{\"intent\":"));
	wr_buf_append_view(&body, wr_json_find(example, path));
	snprintf(path, sizeof path, "%s.profile.kind", prefix);
	kind = wr_json_find(example, path);
	snprintf(path, sizeof path, "%s.profile", prefix);
	if (wr_view_equal(kind, WR_VIEW("named")))
		wr_buf_append_view(&body, WR_VIEW(",\"profile\":{\"kind\":\"runtime_default\"}"));
	else
		append_member(&body, "profile", example, path);
	for (size_t i = 0; i < WR_COUNT(members); i++) {
		snprintf(path, sizeof path, "%s.%s", prefix, members[i]);
		append_member(&body, members[i], example, path);
	}
	wr_buf_append_view(&body, WR_VIEW("}"));
	wr_buf_append_byte(&body, '\0');
	wr_client_post(client, &answer, body.data, "/v1/workers");
	CHECK_U64(answer.status, 201);
	wr_json_copy(id, WR_CLIENT_ID_BYTES, answer.body, "worker.worker_id");
	wr_buf_deinit(&body);
}

/* The example without what another request would have made different. */
static void check_worker(struct wr_view actual, struct wr_view example)
{
	static const char *const members[] = {"worker.worker_ref.runtime_id", "worker.status",
					      "worker.transcript_len", "worker.last_event_id"};
	static const char *const asked[] = {"worker.intent", "worker.config_bundle",
					    "worker.requested_capabilities",
					    "worker.workspace_refs", "worker.mount_refs"};

	for (size_t i = 0; i < WR_COUNT(members); i++)
		CHECK(wr_json_find(actual, members[i]).data != NULL);
	for (size_t i = 0; i < WR_COUNT(asked); i++)
		CHECK_VIEW(wr_json_find(actual, asked[i]), wr_json_find(example, asked[i]));
}

static void replay_create(struct wr_client *client, struct wr_view json)
{
	struct wr_answer answer;
	char body[4096];

	snprintf(body, sizeof body, "%.*s", (int)json.bytes, json.data);
	wr_client_post(client, &answer, body, "/v1/workers");
	if (wr_view_equal(wr_json_find(json, "profile.kind"), WR_VIEW("named"))) {
		/* design 4: profiles that do not exist are refused by name */
		CHECK_U64(answer.status, 400);
		CHECK_STRING(wr_json_find(answer.body, "error.code"), "invalid_profile_selector");
	} else {
		CHECK_U64(answer.status, 201);
		CHECK_VIEW(wr_json_find(answer.body, "worker.intent"),
			   wr_json_find(json, "intent"));
	}
}

static void replay_transcript(struct wr_client *client, struct wr_view example)
{
	struct wr_answer answer;
	char id[WR_CLIENT_ID_BYTES], body[256], path[64];
	uint64_t total = wr_json_find_u64(example, "transcript.total_items");

	wr_client_create_worker(client, id);
	for (unsigned i = 0; i < total; i++) {
		struct wr_view role, content;
		snprintf(path, sizeof path, "transcript.items.%u.role", i);
		role = wr_json_find(example, path);
		snprintf(path, sizeof path, "transcript.items.%u.content", i);
		content = wr_json_find(example, path);
		if (role.data == NULL) { /* beyond the page of the example */
			role = WR_VIEW("user");
			content = WR_VIEW("more");
		}
		snprintf(body, sizeof body, "{\"kind\":\"%.*s\",\"content\":\"%.*s\"}",
			 (int)role.bytes, role.data, (int)content.bytes, content.data);
		wr_client_post(client, &answer, body, "/v1/workers/%s/input", id);
		CHECK_U64(answer.status, 200);
	}
	wr_client_get(client, &answer, "/v1/workers/%s/transcript?start=%u&limit=%u", id,
		      (unsigned)wr_json_find_u64(example, "transcript.start"),
		      (unsigned)wr_json_find_u64(example, "transcript.limit"));
	CHECK_U64(answer.status, 200);
	check_covers(answer.body, example);
}

static void replay_frame(struct wr_client *client, struct wr_view example)
{
	struct wr_test_ws stream;
	struct wr_view frame;
	char id[WR_CLIENT_ID_BYTES], target[256];

	if (wr_view_equal(wr_json_find(example, "envelope.payload.event"), WR_VIEW("text_delta")))
		return; /* test_protocol_events_pass_through */
	wr_client_create_worker(client, id);
	snprintf(target, sizeof target, "/v1/workers/%s/events/ws%s", id,
		 wr_view_equal(wr_json_find(example, "kind"), WR_VIEW("diagnostic"))
			 ? "?cursor=wo_ffffffffffffffff"
			 : "");
	CHECK_U64(wr_test_ws_open(&stream, &server, NULL, target), 101);
	frame = wr_test_ws_message(&stream);
	check_covers(frame, example);
	wr_test_ws_close(&stream);
}

static void replay_stopped(struct wr_client *client, struct wr_view example, bool is_frame)
{
	struct wr_test_ws stream;
	struct wr_answer answer;
	struct wr_view frame;
	char id[WR_CLIENT_ID_BYTES];

	wr_client_create_worker(client, id);
	CHECK_U64(wr_test_ws_open(&stream, &server, NULL, "/v1/events/ws"), 101);
	wr_test_ws_message(&stream);
	wr_client_post(client, &answer, "{\"reason\":\"done for today\"}", "/v1/workers/%s/stop",
		       id);
	CHECK_U64(answer.status, 200);
	frame = wr_test_ws_message(&stream);
	CHECK_STRING(wr_json_find(frame, "envelope.payload.message"), "done for today");
	check_covers(is_frame ? frame : wr_json_find(frame, "envelope.payload"), example);
	wr_test_ws_close(&stream);
}

static void replay_block(struct wr_client *client, const struct block *block)
{
	struct wr_answer answer;
	struct wr_view tag = block->tag, json = block->json;
	char id[WR_CLIENT_ID_BYTES], body[1024];

	snprintf(body, sizeof body, "%.*s", (int)json.bytes, json.data);
	if (wr_view_equal(tag, WR_VIEW("create"))) {
		replay_create(client, json);
	} else if (wr_view_equal(tag, WR_VIEW("input"))) {
		wr_client_create_worker(client, id);
		wr_client_post(client, &answer, body, "/v1/workers/%s/input", id);
		CHECK_U64(answer.status, 200);
	} else if (wr_view_equal(tag, WR_VIEW("lifecycle"))) {
		wr_client_create_worker(client, id);
		wr_client_post(client, &answer, body, "/v1/workers/%s/cancel", id);
		CHECK_U64(answer.status, 200);
	} else if (wr_view_equal(tag, WR_VIEW("runtime"))) {
		wr_client_get(client, &answer, "/v1/runtime");
		check_covers(answer.body, json);
	} else if (wr_view_equal(tag, WR_VIEW("workers"))) {
		create_like(client, json, "workers.0", id);
		wr_client_get(client, &answer, "/v1/workers");
		CHECK(wr_json_find(answer.body, "workers.0.requested_capability_count").data);
		CHECK(wr_json_find(answer.body, "workers.0.has_config_bundle").data);
		CHECK(wr_json_find(answer.body, "workers.0.transcript_len").data);
		CHECK(wr_json_find(answer.body, "workers.0.last_event_id").data);
		CHECK(wr_json_find(answer.body, "workers.0.worker_ref.worker_id").data);
		CHECK(wr_json_find(answer.body, "workers.0.intent.kind").data);
		CHECK(wr_json_find(answer.body, "workers.0.profile.kind").data);
		CHECK(wr_json_find(answer.body, "workers.0.status").data);
	} else if (wr_view_equal(tag, WR_VIEW("worker"))) {
		create_like(client, json, "worker", id);
		wr_client_get(client, &answer, "/v1/workers/%s", id);
		CHECK_U64(answer.status, 200);
		check_worker(answer.body, json);
	} else if (wr_view_equal(tag, WR_VIEW("inputack"))) {
		wr_client_create_worker(client, id);
		wr_client_post(client, &answer, "{\"kind\":\"user\",\"content\":\"x\"}",
			       "/v1/workers/%s/input", id);
		check_covers(answer.body, json);
	} else if (wr_view_equal(tag, WR_VIEW("lifecycleack"))) {
		wr_client_create_worker(client, id);
		wr_client_post(client, &answer, NULL, "/v1/workers/%s/stop", id);
		check_covers(answer.body, json);
	} else if (wr_view_equal(tag, WR_VIEW("transcript"))) {
		replay_transcript(client, json);
	} else if (wr_view_equal(tag, WR_VIEW("error"))) {
		wr_client_get(client, &answer, "/v1/workers/worker-000000ff");
		CHECK_U64(answer.status, 404);
		check_covers(answer.body, json);
		CHECK(strstr(answer.body.data, "worker-000000ff") != NULL);
	} else if (wr_view_equal(tag, WR_VIEW("wsframe"))) {
		replay_frame(client, json);
	} else if (wr_view_equal(tag, WR_VIEW("runtimeevent"))) {
		replay_stopped(client, json, false);
	} else if (wr_view_equal(tag, WR_VIEW("proposed"))) {
		replay_stopped(client, json, true);
	} else {
		CHECK(wr_view_equal(tag, WR_VIEW("event")) ||
		      wr_view_equal(tag, WR_VIEW("later")) ||	   /* the two tests below */
		      wr_view_equal(tag, WR_VIEW("eventbatch")) || /* library only */
		      wr_view_equal(tag, WR_VIEW("diag")));
	}
}

static void test_every_example_of_sections_2_to_5_holds(void)
{
	struct wr_view rest = sections_2_to_5();
	struct wr_client client;
	struct block block;
	unsigned count = 0;

	wr_process_start(&server, WR_ARGUMENTS("--display-name", "Build box"), NULL);
	wr_client_open(&client, &server, NULL);
	while (next_block(&rest, &block)) {
		replay_block(&client, &block);
		count++;
	}
	CHECK(count >= 20);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

/* ---- section 4: protocol events, emitted by a jsonl Worker; those of the Runtime itself are
 * replayed by tests/unit/wire, which sends every line through reader and writer ---- */

/* Two JSON texts of the same meaning, members in the same order. */
static void check_same_json(struct wr_view actual, struct wr_view expected)
{
	struct wr_json_reader a, b;

	wr_json_reader_init(&a, actual, true);
	wr_json_reader_init(&b, expected, true);
	do {
		CHECK_STATUS(wr_json_reader_next(&a), WR_OK);
		CHECK_STATUS(wr_json_reader_next(&b), WR_OK);
		CHECK(a.token == b.token);
		CHECK_VIEW(a.text, b.text);
	} while (a.token != WR_JSON_TOKEN_END);
}

static struct wr_view event_lines(void)
{
	struct wr_view rest = sections_2_to_5();
	struct block block;

	while (next_block(&rest, &block))
		if (wr_view_equal(block.tag, WR_VIEW("event")))
			return block.json;
	wr_test_fail(__FILE__, __LINE__, "no block of events");
}

/* Takes the first line off. */
static struct wr_view take_line(struct wr_view *rest)
{
	const char *end = memchr(rest->data, '\n', rest->bytes);
	size_t bytes = end == NULL ? rest->bytes : (size_t)(end - rest->data);
	struct wr_view line = wr_view_of(rest->data, bytes);

	*rest = wr_view_skip(*rest, bytes + (end != NULL));
	return line;
}

/* Events that tell about the Runtime's own decisions: a Worker's program cannot forge them. */
static bool is_runtimes_own(struct wr_view name)
{
	static const char *const names[] = {"user_message", "turn_start", "turn_end", "run_end",
					    "snapshot",	    "status",	  "shutdown"};

	for (size_t i = 0; i < WR_COUNT(names); i++)
		if (wr_view_equal(name, wr_view_of_string(names[i])))
			return true;
	return false;
}

static bool is_from_runtime(struct wr_view payload)
{
	return is_runtimes_own(wr_json_find(payload, "event"));
}

static void test_protocol_events_pass_through(void)
{
	struct wr_view rest = event_lines(), lines = rest, frame;
	struct wr_client client;
	struct wr_test_ws stream;
	char script[] = "/tmp/wr-events-XXXXXX", command[64], id[WR_CLIENT_ID_BYTES], target[256];
	FILE *file;
	int fd = mkstemp(script);

	CHECK(fd >= 0);
	file = fdopen(fd, "w");
	fprintf(file, "{\"type\":\"ready\"}\n");
	while (rest.bytes != 0) {
		struct wr_view line = take_line(&rest);
		fprintf(file, "{\"type\":\"event\",\"event\":%.*s}\n", (int)line.bytes, line.data);
	}
	fprintf(file, "{\"type\":\"done\"}\n");
	fclose(file);
	snprintf(command, sizeof command, "cat %s", script);
	wr_process_start(&server, WR_ARGUMENTS("--exec", command, "--exec-mode", "jsonl"), NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	snprintf(target, sizeof target, "/v1/workers/%s/events/ws", id);
	CHECK_U64(wr_test_ws_open(&stream, &server, NULL, target), 101);
	wr_test_ws_message(&stream);
	wr_client_input(&client, id, "go");
	for (struct wr_view line = take_line(&lines); line.bytes != 0; line = take_line(&lines)) {
		struct wr_view payload, name = wr_json_find(line, "event");
		/* What the Runtime itself says about the turn comes in between. */
		do {
			frame = wr_test_ws_message(&stream);
			payload = wr_json_find(frame, "envelope.payload");
		} while (is_from_runtime(payload));
		if (is_runtimes_own(name)) {
			CHECK_STRING(wr_json_find(payload, "event"), "error");
			CHECK_STRING(wr_json_find(payload, "data.message"),
				     "child_protocol_error: an event that only the Runtime sends");
		} else {
			check_same_json(payload, line);
		}
	}
	unlink(script);
	wr_test_ws_close(&stream);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

static void test_execution_member_is_the_contracts(void)
{
	struct wr_client client;
	struct wr_answer answer;
	char id[WR_CLIENT_ID_BYTES];

	wr_process_start(&server, WR_ARGUMENTS("--exec", "cat"), NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_create_worker(&client, id);
	wr_client_input(&client, id, "hello");
	wr_client_get(&client, &answer, "/v1/workers/%s", id);
	CHECK_STRING(wr_json_find(answer.body, "worker.execution.backend"), "connected");
	CHECK(wr_json_find(answer.body, "worker.execution.run_state").data != NULL);
	CHECK_STRING(wr_json_find(answer.body, "worker.execution.last_result.operation"), "input");
	CHECK_STRING(wr_json_find(answer.body, "worker.execution.last_result.outcome"), "accepted");
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_every_example_of_sections_2_to_5_holds, 60),
	WR_TEST_LIMIT(test_protocol_events_pass_through, 60),
	WR_TEST_LIMIT(test_execution_member_is_the_contracts, 30),
	WR_TEST_END,
};
