#include "harness/backend.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the place ---- */

void wr_place_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	CHECK(file != NULL && fputs(text, file) >= 0);
	CHECK(fchmod(fileno(file), 0600) == 0);
	CHECK(fclose(file) == 0);
}

void wr_place_make(struct wr_place *self)
{
	snprintf(self->root, sizeof self->root, "/tmp/wr-backend-XXXXXX");
	wr_test_make_folder(self->root);
	snprintf(self->workspace, sizeof self->workspace, "%s/project", self->root);
	snprintf(self->config, sizeof self->config, "%s/backend.conf", self->root);
	snprintf(self->store, sizeof self->store, "%s/store", self->root);
	snprintf(self->token_file, sizeof self->token_file, "%s/secret", self->root);
	CHECK(mkdir(self->workspace, 0700) == 0);
	wr_place_write(self->config, "");
}

static void remove_all(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	char name[WR_PATH_ROOM];

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		if (unlink(name) != 0)
			remove_all(name);
	}
	if (folder != NULL)
		closedir(folder);
	rmdir(path);
}

void wr_place_remove(struct wr_place *self)
{
	remove_all(self->root);
}

/* ---- the programs ---- */

static void start_remote(struct wr_remote *self, const char *bind)
{
	const char *arguments[16] = {
		"--bind", bind,		"--fs-root", self->place->store, "--fs-segment-bytes",
		"5M",	  "--fs-bytes", "64M"};

	if (self->token != NULL) {
		arguments[8] = "--token-file";
		arguments[9] = self->place->token_file;
	}
	wr_process_start(&self->process, arguments, NULL);
}

void wr_remote_start(struct wr_remote *self, const struct wr_place *place, const char *token)
{
	self->place = place;
	self->token = token;
	if (token != NULL)
		wr_place_write(place->token_file, token);
	start_remote(self, "127.0.0.1:0");
	snprintf(self->address, sizeof self->address, "%s", self->process.address);
}

void wr_remote_restart(struct wr_remote *self)
{
	start_remote(self, self->address);
}

void wr_remote_kill(struct wr_remote *self)
{
	wr_process_signal(&self->process, SIGKILL);
	wr_process_wait(&self->process, WR_PROCESS_WAIT_MS);
}

void wr_place_configure(const struct wr_place *self, const char *address)
{
	char text[1024];
	bool has_token = access(self->token_file, R_OK) == 0;

	snprintf(text, sizeof text,
		 "[[remote]]\n"
		 "id = \"remote:box\"\n"
		 "display_name = \"Build box\"\n"
		 "base_url = \"http://%s\"\n"
		 "timeout_ms = 2000\n"
		 "%s%s%s",
		 address, has_token ? "token_file = \"" : "", has_token ? self->token_file : "",
		 has_token ? "\"\n" : "");
	wr_place_write(self->config, text);
}

void wr_backend_start(struct wr_process *backend, const struct wr_place *place,
		      const char *const *arguments)
{
	const char *list[24] = {"--workspace", place->workspace, "--config", place->config};
	size_t count = 4;

	for (; arguments != NULL && *arguments != NULL && count < 23; arguments++)
		list[count++] = *arguments;
	wr_process_start_backend(backend, list, NULL);
}

/* ---- as a browser does ---- */

void wr_backend_spawn(struct wr_client *client, const char *runtime_id,
		      char worker_id[WR_CLIENT_ID_BYTES])
{
	struct wr_answer answer;

	wr_client_post(client, &answer,
		       "{\"intent\":{\"kind\":\"ticket_role\",\"ticket_id\":\"T1\","
		       "\"role\":\"coder\"},\"acceptance\":{\"kind\":\"run_accepted\","
		       "\"expected_segments\":0}}",
		       "/api/runtimes/%s/workers", runtime_id);
	CHECK_U64(answer.status, 200);
	CHECK_STRING(wr_json_find(answer.body, "state"), "accepted");
	wr_json_copy(worker_id, WR_CLIENT_ID_BYTES, answer.body, "worker.worker_id");
}

bool wr_backend_say(struct wr_client *client, const char *runtime_id, const char *worker_id,
		    const char *content, const char *key)
{
	struct wr_answer answer;
	char target[WR_PATH_ROOM], fields[128], body[512];

	snprintf(target, sizeof target, "/api/runtimes/%s/workers/%s/input", runtime_id, worker_id);
	snprintf(fields, sizeof fields, "Idempotency-Key: %s\r\n", key);
	snprintf(body, sizeof body, "{\"kind\":\"user\",\"content\":\"%s\"}", content);
	wr_client_ask(client, &answer, "POST", target, fields, body);
	return answer.status == 200 &&
	       wr_view_equal(wr_json_find(answer.body, "state"), WR_VIEW("accepted"));
}

void wr_backend_observe(struct wr_test_ws *stream, const struct wr_process *backend,
			const char *runtime_id, const char *worker_id, const char *cursor)
{
	char target[WR_PATH_ROOM];

	snprintf(target, sizeof target, "/api/runtimes/%s/workers/%s/events/ws%s%s", runtime_id,
		 worker_id, cursor == NULL ? "" : "?cursor=", cursor == NULL ? "" : cursor);
	CHECK_U64(wr_test_ws_open(stream, backend, NULL, target), 101);
}

void wr_backend_event(struct wr_test_ws *stream, char *text, size_t room,
		      char cursor[WR_CURSOR_ROOM])
{
	struct wr_view frame = wr_test_ws_message(stream), name, content;

	CHECK_STRING(wr_json_find(frame, "kind"), "event");
	wr_json_copy(cursor, WR_CURSOR_ROOM, frame, "envelope.cursor");
	CHECK_VIEW(wr_json_find(frame, "envelope.event_id"), wr_view_of_string(cursor));
	name = wr_json_find(frame, "envelope.payload.event");
	content = wr_json_find(frame, "envelope.payload.data.segments.0.content");
	if (content.data == NULL)
		content = wr_json_find(frame, "envelope.payload.data.status");
	snprintf(text, room, "%.*s: %.*s", (int)name.bytes, name.data, (int)content.bytes,
		 content.data == NULL ? "" : content.data);
}

void wr_backend_await_status(struct wr_client *client, const char *runtime_id, const char *status)
{
	uint64_t until = wr_process_now_ms() + WR_PROCESS_WAIT_MS;
	struct wr_answer answer;

	do {
		wr_client_get(client, &answer, "/api/runtimes/%s", runtime_id);
		CHECK_U64(answer.status, 200);
		if (wr_view_equal(wr_json_find(answer.body, "status"), wr_view_of_string(status)))
			return;
		poll(NULL, 0, 10); /* it is polled, as a browser does */
	} while (wr_process_now_ms() < until);
	wr_test_fail(__FILE__, __LINE__, "the Runtime does not get that status");
}
