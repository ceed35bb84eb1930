/*
 * Goal (reliability P19, T10): tokens, keys and contents are told to nobody whom they are not for:
 * not in argv, environments, logs, the store, answers and events of others, nor a core file.
 *
 * Method: both programs with distinctive tokens, keys and contents, before a model that says the
 * key back in every way; every route of both, good and bad, with the right credential, a wrong one,
 * and one in a wrong place; reloads of broken files, kill -9, another life. Every byte that comes
 * out is searched, and what /proc and the store have.
 */
#include "e2e/conversation_rig.h"
#include "execution/proc.h"

#include <sys/resource.h>

#define RUNTIME_ENV_TOKEN "e2e-runtime-variable-token-0d9b7c52"
#define BROWSER_ENV_TOKEN "e2e-browser-variable-token-77c2ab4e"
#define VARIABLE_KEY "sk-e2e-variable-key-4c80f2d97a15"
#define WRONG_TOKEN "e2e-wrong-token-a3f61e9028bd7c54"
#define NEXT_TOKEN "e2e-next-token-5be80c2197da43f6"
#define CONTENT "e2e-content-e07a5512c3bb"

enum { SECRETS_MAX = 16, QUIET_MS = 150, PROFILES_ROOM = 2048 };

static const char *secrets[SECRETS_MAX];
static unsigned secret_count, searched_count, child_count;
static char asked[WR_CLIENT_ID_BYTES], other[WR_CLIENT_ID_BYTES], agent[WR_CLIENT_ID_BYTES];

static const char *const runtime_environment[] = {"WORKER_RUNTIME_LOCAL_TOKEN=" RUNTIME_ENV_TOKEN,
						  "WR_E2E_KEY=" VARIABLE_KEY, NULL};
static const char *const backend_environment[] = {"WORKSPACE_SERVER_LOCAL_TOKEN=" BROWSER_ENV_TOKEN,
						  "WR_E2E_KEY=" VARIABLE_KEY, NULL};

/* ---- searching ---- */

static void search_for(const char *what, struct wr_view bytes, const char *secret)
{
	const char *at = memmem(bytes.data, bytes.bytes, secret, strlen(secret));

	if (at == NULL)
		return;
	printf("%s tells `%s`: ...%.*s\n", what, secret, 120,
	       at - bytes.data > 60 ? at - 60 : bytes.data);
	wr_test_fail(__FILE__, __LINE__, "a secret was told");
}

/* Tokens and keys. */
static void search(const char *what, struct wr_view bytes)
{
	searched_count++;
	for (unsigned i = 0; i < secret_count && bytes.bytes != 0; i++)
		search_for(what, bytes, secrets[i]);
}

/* And what was said, where it is nobody's business. */
static void search_all(const char *what, struct wr_view bytes)
{
	search(what, bytes);
	if (bytes.bytes != 0)
		search_for(what, bytes, CONTENT);
}

/* A line of the key's file that is its own. */
static const char *piece_of_key(const char *name)
{
	static char piece[24];
	const char *text = wr_test_read_file(key(name)).data;
	const char *line = strchr(text, '\n');

	CHECK(line != NULL && (line = strchr(line + 1, '\n')) != NULL);
	snprintf(piece, sizeof piece, "%s", line + 1);
	CHECK(strlen(piece) == sizeof piece - 1 && strchr(piece, '\n') == NULL);
	return piece;
}

static void know_secrets(void)
{
	const char *const all[] = {RUNTIME_TOKEN,     BROWSER_TOKEN, RUNTIME_ENV_TOKEN,
				   BROWSER_ENV_TOKEN, PROVIDER_KEY,  VARIABLE_KEY,
				   WRONG_TOKEN,	      NEXT_TOKEN,    piece_of_key("ec.key")};

	for (size_t i = 0; i < WR_COUNT(all); i++)
		secrets[secret_count++] = all[i];
}

/* ---- what the system tells ---- */

static struct wr_view read_proc(pid_t pid, const char *name)
{
	static char bytes[1 << 16];
	char path[64];
	size_t got = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
	file = fopen(path, "r");
	if (file != NULL) {
		got = fread(bytes, 1, sizeof bytes, file);
		fclose(file);
	}
	return wr_view_of(bytes, got);
}

static void search_process(pid_t pid)
{
	search_all("argv", read_proc(pid, "cmdline"));
	search_all("environment", read_proc(pid, "environ"));
}

static void search_child(void *context, const struct wr_proc *proc)
{
	const struct wr_process *parent = context;

	if (proc->parent != parent->pid || proc->is_dead)
		return;
	search_process(proc->pid);
	child_count++;
}

/* Nor would there be a core file: of who may not be looked at only the superuser reads these. */
static void check_no_core(const struct wr_process *process)
{
	struct wr_view limits = read_proc(process->pid, "limits");
	static const char line[] = "Max core file size        0                    0  ";
	char path[64];
	struct stat state;

	if (limits.bytes == 0)
		return; /* not this system */
	CHECK(memmem(limits.data, limits.bytes, line, sizeof line - 1) != NULL);
	snprintf(path, sizeof path, "/proc/%ld/environ", (long)process->pid);
	CHECK(stat(path, &state) == 0 && state.st_uid == 0);
}

/* Of an emulator /proc has what started it. */
static bool shows_itself(const struct wr_process *process)
{
	return wr_test_find_file("/proc/self/stat") && !wr_process_is_emulated(process);
}

static void search_program(struct wr_process *process)
{
	wr_process_wait_text(process, "never said", 50); /* collects what it prints */
	CHECK(process->err_bytes < WR_PROCESS_OUTPUT_BYTES_MAX);
	search_all("stderr", wr_view_of(process->err, process->err_bytes));
	search_all("stdout", wr_view_of(process->out, process->out_bytes));
	if (!process->is_running || !shows_itself(process))
		return;
	search_process(process->pid);
	wr_proc_each(search_child, process);
	check_no_core(process);
}

/* Everything below a folder: what was said may be there. */
static void search_folder(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	char name[WR_PATH_ROOM];
	struct stat state;

	CHECK(folder != NULL);
	while ((entry = readdir(folder)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		CHECK(lstat(name, &state) == 0);
		if (S_ISDIR(state.st_mode))
			search_folder(name);
		else if (S_ISREG(state.st_mode) && state.st_size > 0)
			search(name, wr_test_read_file(name));
	}
	closedir(folder);
}

/* ---- what the programs answer ---- */

static void ask_with(const struct wr_process *through, const char *token, const char *method,
		     const char *target, const char *fields, const char *body)
{
	struct wr_client client;
	struct wr_answer answer;

	wr_client_open(&client, through, token);
	wr_client_ask(&client, &answer, method, target, fields, body);
	search(target, wr_view_of(client.in.data, client.in.bytes));
	search(target, answer.body);
	if (answer.status >= 300 || strstr(target, asked) == NULL) {
		search_all(target, wr_view_of(client.in.data, client.in.bytes));
		search_all(target, answer.body);
	}
	wr_client_close(&client);
}

struct question {
	const char *method, *path, *body; /* `*` in the path: the id of a Worker */
};

/* Below the path of a Worker, at either program. */
static const struct question of_worker[] = {
	{"GET", "", NULL},
	{"GET", "/transcript", NULL},
	{"GET", "/transcript?start=" CONTENT, NULL},
	{"GET", "/transcript?token=" WRONG_TOKEN, NULL},
	{"GET", "/" WRONG_TOKEN, NULL},
	{"PUT", "", "{\"content\":\"" CONTENT "\"}"},
	{"POST", "/input", "{\"kind\":\"user\",\"content\":[\"" CONTENT "\"]}"},
	{"POST", "/input", "{\"kind\":\"" CONTENT "\",\"content\":\"x\"}"},
	{"POST", "/input", "{\"" CONTENT "\":1,\"" CONTENT "\":2}"},
	{"POST", "/input", "{\"kind\":\"user\",\"content\":\"" CONTENT "\\u0000\\ud800\"}"},
	{"POST", "/input", "\"" CONTENT},
	{"POST", "/input", "{\"kind\":\"user\",\"content\":\"" CONTENT "\",\"x\":"},
	{"POST", "/interrupt", "{\"reason\":[\"" CONTENT "\"]}"},
	{"POST", "/stop", "{\"reason\":{\"a\":\"" CONTENT "\"}}"},
	{"POST", "/cancel", "[\"" CONTENT "\"]"},
};

static const struct question of_runtime[] = {
	{"GET", "/v1/runtime", NULL},
	{"GET", "/v1/workers", NULL},
	{"GET", "/v1/workers?limit=" CONTENT, NULL},
	{"GET", "/v1/workers?access_token=" WRONG_TOKEN, NULL},
	{"POST", "/v1/workers", "{\"intent\":{\"kind\":\"" CONTENT "\"}}"},
	{"POST", "/v1/workers",
	 "{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"named\",\"value\":"
	 "\"" CONTENT "\"}}"},
	{"GET", "/v1/workers/nobody", NULL},
	{"GET", "/v1/config-bundles", NULL},
	{"POST", "/v1/config-bundles", "{\"id\":\"" CONTENT "\"}"},
	{"GET", "/healthz", NULL},
	{"GET", "/readyz", NULL},
	{"GET", "/" CONTENT, NULL},
};

static const struct question of_backend[] = {
	{"GET", "/", NULL},
	{"GET", "/api/runtimes", NULL},
	{"GET", "/api/runtimes/box", NULL},
	{"GET", "/api/runtimes/backend-internal", NULL},
	{"GET", "/api/runtimes/nobody", NULL},
	{"GET", "/api/hosts", NULL},
	{"GET", "/api/workers", NULL},
	{"GET", "/api/workspace", NULL},
	{"GET", "/api/runtimes/box/workers", NULL},
	{"POST", "/api/runtimes/box/workers", "{\"intent\":{\"kind\":\"" CONTENT "\"}}"},
	{"POST", "/api/runtimes/box/config-bundles", "{\"id\":\"" CONTENT "\"}"},
	{"GET", "/healthz", NULL},
	{"GET", "/readyz", NULL},
	{"GET", "/" CONTENT, NULL},
};

/* With the right token, with a wrong one, and with what is no credential at all. */
static void ask_each(const struct wr_process *through, const char *token, const char *before,
		     const struct question *questions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char target[2 * WR_PATH_ROOM];
		const struct question *question = &questions[i];

		snprintf(target, sizeof target, "%s%s", before, question->path);
		ask_with(through, token, question->method, target, NULL, question->body);
		ask_with(through, i % 2 == 0 ? WRONG_TOKEN : NULL, question->method, target, NULL,
			 question->body);
	}
}

/* Tokens in wrong places. */
static void ask_wrongly(const struct wr_process *through, const char *target)
{
	static const char *const fields[] = {
		"Authorization: Basic " RUNTIME_TOKEN "\r\n",
		"Authorization: Bearer " RUNTIME_TOKEN " " BROWSER_TOKEN "\r\n",
		"Authorization: Bearer " RUNTIME_TOKEN "\r\nAuthorization: Bearer " BROWSER_TOKEN
		"\r\n",
		"Cookie: token=" RUNTIME_TOKEN "\r\n",
		"X-" WRONG_TOKEN ": " BROWSER_TOKEN "\r\n",
		"Origin: https://" WRONG_TOKEN ".example\r\n",
		"Idempotency-Key: \"" RUNTIME_TOKEN "\r\n",
		"Content-Type: " RUNTIME_TOKEN "\r\n",
		"Upgrade: " BROWSER_TOKEN "\r\nConnection: " BROWSER_TOKEN "\r\n",
	};

	for (size_t i = 0; i < WR_COUNT(fields); i++) {
		ask_with(through, NULL, "GET", target, fields[i], NULL);
		ask_with(through, NULL, "POST", target, fields[i], "{}");
	}
}

/* Everything that a stream says until it is quiet. */
static void watch(const struct wr_process *through, const char *token, const char *target,
		  bool is_of_asked)
{
	struct wr_test_ws stream;
	struct wr_ws_news news;

	wr_test_ws_open(&stream, through, token, target);
	search(target, wr_buf_view(&stream.in));
	if (stream.status != 101)
		search_all(target, wr_buf_view(&stream.message));
	while (stream.status == 101) {
		wr_test_ws_next(&stream, &news, QUIET_MS);
		if (news.kind != WR_WS_NEWS_MESSAGE)
			break;
		if (is_of_asked)
			search(target, news.data);
		else
			search_all(target, news.data);
	}
	wr_test_ws_close(&stream);
}

static void watch_worker(const char *worker, bool is_of_asked)
{
	char target[WR_PATH_ROOM];

	snprintf(target, sizeof target, "/v1/workers/%s/events/ws", worker);
	watch(&talk.to_runtime, RUNTIME_TOKEN, target, is_of_asked);
	watch(&talk.to_runtime, WRONG_TOKEN, target, false);
	snprintf(target, sizeof target, "/v1/workers/%s/events/ws?cursor=" WRONG_TOKEN, worker);
	watch(&talk.to_runtime, RUNTIME_TOKEN, target, is_of_asked);
	snprintf(target, sizeof target, "/api/runtimes/box/workers/%s/events/ws", worker);
	watch(&talk.to_backend, BROWSER_TOKEN, target, is_of_asked);
	snprintf(target, sizeof target,
		 "/api/runtimes/box/workers/%s/events/ws?ticket=" WRONG_TOKEN, worker);
	watch(&talk.to_backend, NULL, target, false);
}

static void ask_about(const char *worker)
{
	char path[WR_PATH_ROOM];

	snprintf(path, sizeof path, "/v1/workers/%s", worker);
	ask_each(&talk.to_runtime, RUNTIME_TOKEN, path, of_worker, WR_COUNT(of_worker));
	snprintf(path, sizeof path, "/api/runtimes/box/workers/%s", worker);
	ask_each(&talk.to_backend, BROWSER_TOKEN, path, of_worker, WR_COUNT(of_worker));
}

/* A ticket is for one who asked, and is no word for a log. */
static void use_ticket(void)
{
	static char ticket[256];
	char target[2 * WR_PATH_ROOM];
	struct wr_client client;
	struct wr_answer answer;

	wr_client_open(&client, &talk.to_backend, BROWSER_TOKEN);
	wr_client_post(&client, &answer, "{}", "/api/tickets");
	CHECK_U64(answer.status, 201);
	wr_json_copy(ticket, sizeof ticket, answer.body, "ticket");
	wr_client_close(&client);
	snprintf(target, sizeof target, "/api/runtimes/box/workers/%s/events/ws?ticket=%s", asked,
		 ticket);
	watch(&talk.to_backend, NULL, target, true);
	wr_process_wait_text(&talk.backend, "never said", 50);
	search_for("stderr", wr_view_of(talk.backend.err, talk.backend.err_bytes), ticket);
}

static void ask_everything(void)
{
	ask_each(&talk.to_runtime, RUNTIME_TOKEN, "", of_runtime, WR_COUNT(of_runtime));
	ask_each(&talk.to_backend, BROWSER_TOKEN, "", of_backend, WR_COUNT(of_backend));
	ask_wrongly(&talk.to_runtime, "/v1/workers");
	ask_wrongly(&talk.to_backend, "/api/runtimes/box/workers");
	ask_about(asked);
	ask_about(other);
	watch_worker(asked, true);
	watch_worker(other, false);
	watch_worker(agent, false);
	watch(&talk.to_runtime, RUNTIME_TOKEN, "/v1/events/ws", true);
	watch(&talk.to_runtime, RUNTIME_TOKEN, "/v1/events/ws?cursor=" CONTENT, false);
	use_ticket();
	search_program(&talk.runtime);
	search_program(&talk.backend);
	CHECK(child_count > 0 || !shows_itself(&talk.runtime));
}

/* ---- the model that says the key back ---- */

static void create(const char *profile, char id[WR_CLIENT_ID_BYTES])
{
	struct wr_client client;
	struct wr_answer answer;
	char body[256];

	snprintf(body, sizeof body,
		 "{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"named\","
		 "\"value\":\"%s\"}}",
		 profile);
	wr_client_open(&client, &talk.to_runtime, RUNTIME_ENV_TOKEN);
	wr_client_post(&client, &answer, body, "/v1/workers");
	CHECK_U64(answer.status, 201);
	wr_json_copy(id, WR_CLIENT_ID_BYTES, answer.body, "worker.worker_id");
	wr_client_close(&client);
}

static void say(const char *id, const char *content)
{
	struct wr_client client;

	wr_client_open(&client, &talk.to_runtime, RUNTIME_TOKEN);
	wr_client_input(&client, id, content);
	wr_client_close(&client);
}

static void hear_end(struct follower *follower)
{
	const struct heard *heard;

	do
		heard = hear(follower);
	while (!is_event(heard, "status") || strstr(heard->payload, "\"busy\"") != NULL);
}

/* A turn that the model ends by `end`; everything told of it is searched by ask_everything. */
static void take_turn(const char *id, const char *content, const char *secret,
		      void (*end)(const char *secret))
{
	struct follower follower = {&talk.to_runtime, RUNTIME_TOKEN, NULL, .count = 0};
	char target[WR_PATH_ROOM];

	snprintf(target, sizeof target, "/v1/workers/%s/events/ws", id);
	follower.target = target;
	follow(&follower);
	say(id, content);
	take_request(&talk.model);
	CHECK(strstr(talk.model.request, secret) != NULL);
	end(secret);
	hear_end(&follower);
	for (unsigned i = 0; i < follower.count; i++)
		search(target, wr_view_of_string(follower.heard[i].payload));
	unfollow(&follower);
	forget_heard(&follower);
}

static void answer_well(const char *secret)
{
	(void)secret;
	model_begins(&talk.model);
	model_says(&talk.model, CONTENT " is what you said");
	model_ends(&talk.model);
}

static void refuse(const char *status, const char *secret)
{
	char body[512];

	snprintf(body, sizeof body,
		 "{\"error\":{\"message\":\"Incorrect key %s: not %s\",\"code\":\"%s\"}}", secret,
		 secret, secret);
	model_answers(&talk.model, status, "application/json", body);
}

static void refuse_key(const char *secret)
{
	refuse("401 Unauthorized", secret);
}

static void refuse_request(const char *secret)
{
	char status[128];

	snprintf(status, sizeof status, "400 No %s", secret);
	refuse(status, secret);
}

static void fail_badly(const char *secret)
{
	refuse("500 Oh", secret);
}

static void redirect(const char *secret)
{
	char status[256];

	snprintf(status, sizeof status, "302 There\r\nLocation: https://%s.example/%s", secret,
		 secret);
	refuse(status, secret);
}

static void fail_within(const char *secret)
{
	char body[512];

	snprintf(body, sizeof body,
		 "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"well\"}}]}\n\n"
		 "data: {\"error\":{\"message\":\"key %s is bad\",\"code\":\"%s\"}}\n\n",
		 secret, secret);
	model_answers(&talk.model, "200 OK", "text/event-stream", body);
}

static void talk_with_model(void)
{
	void (*const ends[])(const char *) = {answer_well, refuse_key, refuse_request,
					      fail_badly,  redirect,   fail_within};

	create("default", asked);
	create("variable", other);
	for (size_t i = 0; i < WR_COUNT(ends); i++) {
		take_turn(asked, CONTENT, PROVIDER_KEY, ends[i]);
		take_turn(other, "hello", VARIABLE_KEY, i == 0 ? fail_badly : ends[i]);
	}
}

/* What a program sees of its world, it says itself. */
static void use_agent(void)
{
	struct follower follower = {&talk.to_runtime, RUNTIME_TOKEN, NULL, .count = 0};
	char target[WR_PATH_ROOM];

	create("agent", agent);
	snprintf(target, sizeof target, "/v1/workers/%s/events/ws", agent);
	follower.target = target;
	follow(&follower);
	say(agent, "tell");
	hear_until(&follower, "text_done", "that is all");
	for (unsigned i = 0; i < follower.count; i++)
		search_all(target, wr_view_of_string(follower.heard[i].payload));
	CHECK(follower.count > 8);
	unfollow(&follower);
	forget_heard(&follower);
}

/* ---- files that are read again ---- */

static unsigned count_of(const char *text, const char *word)
{
	unsigned count = 0;

	while ((text = strstr(text, word)) != NULL) {
		text += strlen(word);
		count++;
	}
	return count;
}

static void reload(struct wr_process *process, const char *name, const char *text)
{
	uint64_t until = wr_process_now_ms() + WR_PROCESS_WAIT_MS;
	unsigned before = count_of(process->err, " tokens_");

	wr_place_write(key(name), text);
	wr_process_signal(process, SIGHUP);
	while (count_of(process->err, " tokens_") == before) {
		CHECK(wr_process_now_ms() < until);
		wr_process_wait_text(process, "never said", 20);
	}
}

static void reload_all(struct wr_process *process, const char *name, const char *good)
{
	static const char *const texts[] = {
		"a nothing " NEXT_TOKEN "\n",
		"a admin " NEXT_TOKEN " more\n",
		NEXT_TOKEN "\n" NEXT_TOKEN "\n",
		"a admin " NEXT_TOKEN "\xff\n",
		"\x01" NEXT_TOKEN "\n",
		"a b c d " NEXT_TOKEN "\n",
		"" NEXT_TOKEN "\n",
	};

	for (size_t i = 0; i < WR_COUNT(texts); i++) {
		wr_test_case(texts[i]);
		reload(process, name, texts[i]);
	}
	wr_test_case("reloaded");
	reload(process, name, good);
	CHECK(count_of(process->err, " tokens_kept") >= 4);
	search_program(process);
}

/* ---- command lines ---- */

static void search_output(const char *path, const char *const *arguments,
			  const char *const *environment, int code)
{
	static struct wr_process process;

	wr_process_spawn(&process, path, arguments, environment);
	CHECK_U64((uint64_t)wr_process_wait(&process, WR_PROCESS_WAIT_MS), (uint64_t)code);
	CHECK(process.out_bytes + process.err_bytes > 0);
	search(arguments[0], wr_view_of(process.out, process.out_bytes));
	search(arguments[0], wr_view_of(process.err, process.err_bytes));
}

static void search_command_lines(void)
{
	char backend[4096];

	snprintf(backend, sizeof backend, "%.*s/workspace-server",
		 (int)(strrchr(wr_process_program(), '/') - wr_process_program()),
		 wr_process_program());
	search_output(NULL,
		      WR_ARGUMENTS("--print-config", "--config", talk.runtime_config,
				   "--token-file", key("runtime.tokens")),
		      runtime_environment, 0);
	search_output(NULL, WR_ARGUMENTS("--print-config", "--local-token", WRONG_TOKEN), NULL, 0);
	search_output(NULL, WR_ARGUMENTS("--check-config", "--no-such-flag"), runtime_environment,
		      2);
	search_output(backend,
		      WR_ARGUMENTS("--print-config", "--config", tls.place.config, "--token-file",
				   key("browser.tokens")),
		      backend_environment, 0);
	search_output(NULL, WR_ARGUMENTS("log", "dump", tls.place.store), NULL, 0);
	search_output(NULL, WR_ARGUMENTS("log", "verify", tls.place.store), NULL, 0);
}

/* ---- the end of it ---- */

/* An end by a signal leaves no core, though we may have one. */
static void check_abort(struct wr_process *process)
{
	siginfo_t info;

	wr_process_signal(process, SIGABRT);
	CHECK(waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOWAIT) == 0);
	CHECK(info.si_code == CLD_KILLED);
	CHECK_U64((uint64_t)wr_process_wait(process, WR_PROCESS_WAIT_MS),
		  WR_PROCESS_SIGNALLED + SIGABRT);
	search_program(process);
}

static void live_again(void)
{
	char listen[128], bind[128];

	snprintf(bind, sizeof bind, "%s", talk.runtime_address);
	snprintf(listen, sizeof listen, "%s", talk.backend_address);
	say(asked, CONTENT);
	take_request(&talk.model);
	model_begins(&talk.model);
	model_says(&talk.model, CONTENT);
	kill_program(&talk.runtime);
	kill_program(&talk.backend);
	search_program(&talk.runtime);
	search_program(&talk.backend);
	search_folder(tls.place.store);
	search_folder(tls.place.workspace);
	wr_place_write(key("runtime.tokens"), RUNTIME_TOKEN "\n");
	wr_place_write(key("browser.tokens"), BROWSER_TOKEN "\n");
	start_runtime(bind);
	start_backend_of_talk(listen);
}

/* The model under another key, and a program that tells all it can find out. */
static void write_profiles(char text[PROFILES_ROOM])
{
	snprintf(text, PROFILES_ROOM,
		 "[[profile]]\nname = \"variable\"\nkind = \"openai\"\n"
		 "base_url = \"%s://localhost:%s/v1\"\nkey_env = \"WR_E2E_KEY\"\nretries = 0\n%s"
		 "[[profile]]\nname = \"agent\"\nkind = \"process\"\n"
		 "argv = ['sh', '-c', 'read -r x; env; case $(readlink /proc/$PPID/exe) in "
		 "*/qemu-*) ;; *) you=$PPID ;; esac; for i in self $you; do cat -v "
		 "/proc/$i/cmdline; echo; cat -v /proc/$i/environ; echo; ls -l /proc/$i/fd; done; "
		 "echo that is all; read -r y']\n",
		 SCHEME, port_of(&talk.model.as), line_of_ca());
}

static void use_everything(void)
{
	talk_with_model();
	use_agent();
	ask_everything();
	reload_all(&talk.runtime, "runtime.tokens", RUNTIME_TOKEN "\n");
	reload_all(&talk.backend, "browser.tokens", BROWSER_TOKEN "\n");
}

static void test_secrets_are_told_to_nobody(void)
{
	char profiles[PROFILES_ROOM];
	struct rlimit core;

	CHECK(getrlimit(RLIMIT_CORE, &core) == 0);
	core.rlim_cur = core.rlim_max; /* what the programs are given */
	CHECK(setrlimit(RLIMIT_CORE, &core) == 0);
	open_talk();
	talk.model.is_hasty = true;
	know_secrets();
	write_profiles(profiles);
	talk.runtime_environment = runtime_environment;
	talk.backend_environment = backend_environment;
	start_talk(profiles, profiles);
	use_everything();
	search_command_lines();
	live_again();
	use_everything();
	check_abort(&talk.runtime);
	check_abort(&talk.backend);
	search_folder(tls.place.store);
	search_folder(tls.place.workspace);
	CHECK(searched_count > 1000);
	end_talk();
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_secrets_are_told_to_nobody, 180),
	WR_TEST_END,
};
