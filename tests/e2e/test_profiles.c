/*
 * Goal: a Worker is run as the profile says that its creator chose, in both programs; what a
 * profile says wrongly is told with its place and nothing starts; nothing of a program outlives the
 * Runtime, however that ends.
 *
 * Method: the real programs with configuration files of each case. What a profile's program sees of
 * its world it says itself.
 */
#include "e2e/store_folder.h"
#include "execution/proc.h"
#include "harness/backend.h"

#include <poll.h>

enum { TEXT_ROOM = 4096 };

static struct wr_process run;
static char config[64];

static bool has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

static void write_config(const char *text)
{
	FILE *file;

	snprintf(config, sizeof config, "/tmp/wr-profiles-%ld.conf", (long)getpid());
	file = fopen(config, "w");
	CHECK(file != NULL);
	CHECK(fputs(text, file) >= 0);
	CHECK(fclose(file) == 0);
}

static void start_configured(const char *text)
{
	write_config(text);
	wr_process_start(&server, WR_ARGUMENTS("--config", config), NULL);
	wr_client_open(&client, &server, NULL);
	unlink(config);
}

static void end(void)
{
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

/* Creates a Worker of this profile (the JSON of its selector); gives the status. */
static unsigned create(const char *selector, char id[WR_CLIENT_ID_BYTES])
{
	char body[512];

	snprintf(body, sizeof body, "{\"intent\":{\"kind\":\"assistant\"},\"profile\":%s}",
		 selector);
	wr_client_post(&client, &answer, body, "/v1/workers");
	if (answer.status == 201)
		wr_json_copy(id, WR_CLIENT_ID_BYTES, answer.body, "worker.worker_id");
	return answer.status;
}

static unsigned say(const char *id, const char *content)
{
	char body[512];

	snprintf(body, sizeof body, "{\"kind\":\"user\",\"content\":\"%s\"}", content);
	wr_client_post(&client, &answer, body, "/v1/workers/%s/input", id);
	return answer.status;
}

/* The content of the item of its transcript, when it is there. */
static void await_item(const char *id, unsigned item, char text[TEXT_ROOM])
{
	uint64_t end_ms = wr_process_now_ms() + WR_PROCESS_WAIT_MS;
	char path[64];

	snprintf(path, sizeof path, "transcript.items.%u.content", item);
	for (;;) {
		wr_client_get(&client, &answer, "/v1/workers/%s/transcript", id);
		CHECK_U64(answer.status, 200);
		if (wr_json_find(answer.body, path).data != NULL)
			break;
		CHECK(wr_process_now_ms() < end_ms);
		poll(NULL, 0, 5);
	}
	wr_json_copy(text, TEXT_ROOM, answer.body, path);
}

#define NAMED(name) "{\"kind\":\"named\",\"value\":\"" name "\"}"
#define BUILTIN(name) "{\"kind\":\"builtin\",\"value\":\"" name "\"}"
#define RUNTIME_DEFAULT "{\"kind\":\"runtime_default\"}"

/* ---- choosing ---- */

static void test_workers_are_run_as_the_profile_of_their_name_says(void)
{
	static const struct {
		const char *label, *selector, *answers; /* NULL: nothing answers */
	} cases[] = {
		{"named", NAMED("shout"), "hello!"},
		{"another", NAMED("quote"), "> hello"},
		{"nothing", NAMED("notes"), NULL},
		{"the default", RUNTIME_DEFAULT, "> hello"},
		{"the builtin default", BUILTIN("builtin:default"), "> hello"},
		{"a builtin without its own", BUILTIN("builtin:intake"), "> hello"},
		{"a builtin with its own", BUILTIN("builtin:coder"), "coder: hello"},
	};
	static const char *const refused[] = {
		NAMED("nobody"),	  NAMED("Shout"),	 NAMED("default"),
		NAMED("builtin:coder"),	  BUILTIN("shout"),	 BUILTIN("builtin:shout"),
		BUILTIN("builtin:quote"), NAMED("shout\\u0000"), BUILTIN("default"),
	};
	char id[WR_CLIENT_ID_BYTES], text[TEXT_ROOM];

	start_configured(
		"default_profile = 'quote'\n"
		"[[profile]]\nname = 'shout'\nkind = 'process'\n"
		"argv = ['sh', '-c', 'while read -r x; do echo \"$x!\"; done']\n"
		"[[profile]]\nname = 'quote'\nkind = 'process'\nexec = \"sed -u 's/^/> /'\"\n"
		"[[profile]]\nname = 'notes'\nkind = 'none'\n"
		"[[profile]]\nname = 'builtin:coder'\nkind = 'process'\n"
		"exec = \"sed -u 's/^/coder: /'\"\n");
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		CHECK_U64(create(cases[i].selector, id), 201);
		CHECK_U64(say(id, "hello"), 200);
		await_item(id, cases[i].answers == NULL ? 0 : 1, text);
		CHECK_STRING(wr_view_of_string(text),
			     cases[i].answers == NULL ? "hello" : cases[i].answers);
	}
	for (size_t i = 0; i < WR_COUNT(refused); i++) {
		wr_test_case(refused[i]);
		CHECK_U64(create(refused[i], id), 400);
		wr_json_copy(text, TEXT_ROOM, answer.body, "error.code");
		CHECK_STRING(wr_view_of_string(text), "invalid_profile_selector");
	}
	end();
}

#define DEFAULT_IS(words) \
	"[[profile]]\nname = 'default'\nkind = 'process'\nexec = \"sed -u 's/^/" words " /'\"\n"

static void test_of_two_defaults_the_one_of_the_better_place_counts(void)
{
	static const struct {
		const char *label, *file, *flag, *variable, *answers;
	} cases[] = {
		{"the profile", DEFAULT_IS("profile"), NULL, NULL, "profile hello"},
		{"a flag", DEFAULT_IS("profile"), "--exec=sed -u 's/^/flag /'", NULL, "flag hello"},
		{"a variable", DEFAULT_IS("profile"), NULL,
		 "WORKER_RUNTIME_EXEC=sed -u 's/^/variable /'", "variable hello"},
		{"a flag that names one",
		 "exec = \"sed -u 's/^/exec /'\"\n"
		 "[[profile]]\nname = 'a'\nkind = 'process'\nexec = \"sed -u 's/^/a /'\"\n",
		 "--default-profile=a", NULL, "a hello"},
		{"a flag against a variable", DEFAULT_IS("profile"), "--default-profile=default",
		 "WORKER_RUNTIME_EXEC=sed -u 's/^/variable /'", "profile hello"},
	};
	char id[WR_CLIENT_ID_BYTES], text[TEXT_ROOM];

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		write_config(cases[i].file);
		wr_process_start(&server, WR_ARGUMENTS("--config", config, cases[i].flag),
				 WR_ARGUMENTS(cases[i].variable));
		wr_client_open(&client, &server, NULL);
		unlink(config);
		CHECK_U64(create(RUNTIME_DEFAULT, id), 201);
		CHECK_U64(say(id, "hello"), 200);
		await_item(id, 1, text);
		CHECK_STRING(wr_view_of_string(text), cases[i].answers);
		end();
	}
}

static void test_a_program_sees_what_its_profile_lets_it_see(void)
{
	char id[WR_CLIENT_ID_BYTES], text[TEXT_ROOM];

	write_config(
		"[[profile]]\nname = 'a'\nkind = 'process'\ncwd = '/usr'\n"
		"environment = ['PATH', 'WR_LET_IN', 'WR_NOT_THERE']\n"
		"open_files = 77\nfile_bytes = '1M'\ncpu_seconds = 100\n"
		"argv = ['sh', '-c', 'read -r x; echo $WR_LET_IN-$WR_KEPT_OUT-$HOME $PWD "
		"$(ulimit -n) $(ulimit -f) $(ulimit -Ht)']\n"
		"[[profile]]\nname = 'b'\nkind = 'process'\nenvironment = []\n"
		"argv = ['/bin/sh', '-c', 'read -r x; /usr/bin/env | grep -v PWD | grep -v _=; "
		"echo that was all']\n");
	wr_process_start(&server, WR_ARGUMENTS("--config", config),
			 WR_ARGUMENTS("WR_LET_IN=in", "WR_KEPT_OUT=out"));
	wr_client_open(&client, &server, NULL);
	unlink(config);
	CHECK_U64(create(NAMED("a"), id), 201);
	CHECK_U64(say(id, "go"), 200);
	await_item(id, 1, text);
	CHECK_STRING(wr_view_of_string(text), "in-- /usr 77 2048 100");
	CHECK_U64(create(NAMED("b"), id), 201);
	CHECK_U64(say(id, "go"), 200);
	await_item(id, 1, text);
	CHECK_STRING(wr_view_of_string(text), "that was all");
	end();
}

static void test_a_profile_says_whether_input_queues(void)
{
	static const char agent[] = "while read -r x; do case $x in *init*) echo "
				    "'{\\\"type\\\":\\\"ready\\\"}';; esac; done";
	char id[WR_CLIENT_ID_BYTES], text[TEXT_ROOM];

	snprintf(text, sizeof text,
		 "[[profile]]\nname = 'queues'\nkind = 'process'\nmode = 'jsonl'\nbusy = 'queue'\n"
		 "queue_inputs = 1\nargv = ['sh', '-c', \"%s\"]\n"
		 "[[profile]]\nname = 'refuses'\nkind = 'process'\nmode = 'jsonl'\n"
		 "argv = ['sh', '-c', \"%s\"]\n",
		 agent, agent);
	start_configured(text);
	CHECK_U64(create(NAMED("queues"), id), 201);
	CHECK_U64(say(id, "one"), 200);
	CHECK_U64(say(id, "two"), 200);
	CHECK_U64(say(id, "three"), 409);
	CHECK_U64(create(NAMED("refuses"), id), 201);
	CHECK_U64(say(id, "one"), 200);
	CHECK_U64(say(id, "two"), 409);
	end();
}

/* ---- what is refused ---- */

#define PROCESS "[[profile]]\nname = 'a'\nkind = 'process'\n"
#define OPENAI "[[profile]]\nname = 'a'\nkind = 'openai'\nbase_url = 'http://127.0.0.1:1/v1'\n"

static void test_a_wrong_profile_is_told_with_its_line(void)
{
	static const struct {
		const char *label, *text, *says;
	} cases[] = {
		{"no name", "[[profile]]\nkind = 'none'\n", ":1: this [[profile]] needs `name`"},
		{"no kind", "[[profile]]\nname = 'a'\n", ":1: this [[profile]] needs `kind`"},
		{"an unknown kind", "[[profile]]\nname = 'a'\nkind = 'acp'\n",
		 ":3: `kind` cannot be that; it takes none|process|openai"},
		{"an unknown key", PROCESS "colour = 1\n",
		 ":4: there is no key `colour` in [[profile]]"},
		{"one section", "[profile]\n", ":1: there is no section [profile]; it is written"},
		{"a name with a space", "[[profile]]\nname = 'a b'\n", ":2: `name` cannot be that"},
		{"a name with a slash", "[[profile]]\nname = '../a'\n",
		 ":2: `name` cannot be that"},
		{"a name with a colon", "[[profile]]\nname = 'a:b'\n", ":2: `name` cannot be that"},
		{"the builtin default", "[[profile]]\nname = 'builtin:default'\n",
		 ":2: `name` cannot be that"},
		{"an unknown builtin", "[[profile]]\nname = 'builtin:boss'\n",
		 ":2: `name` cannot be that"},
		{"two of a name", PROCESS "exec = 'cat'\n" PROCESS "exec = 'cat'\n",
		 ":5: [[profile]] `a`: there is one of this name on line 1"},
		{"a key of a model for a program", PROCESS "exec = 'cat'\nmodel = 'm'\n",
		 ":5: `model` is for the kind openai, and this [[profile]] is of the kind process"},
		{"a key of a program for a model", OPENAI "argv = ['cat']\n",
		 ":5: `argv` is for the kind process, and this [[profile]] is of the kind openai"},
		{"a key of both for nothing",
		 "[[profile]]\nname = 'a'\nbusy = 'queue'\nkind = 'none'\n",
		 ":3: `busy` is for the kind process or openai, and this [[profile]] is of the "
		 "kind "
		 "none"},
		{"no program", PROCESS, ":1: [[profile]] `a`: it needs `argv` or `exec`"},
		{"two programs", PROCESS "argv = ['cat']\nexec = 'cat'\n",
		 ":5: [[profile]] `a`: `argv` and `exec` say the same; keep one"},
		{"no words", PROCESS "argv = []\n",
		 ":4: [[profile]] `a`: `argv` begins with a program"},
		{"an empty word", PROCESS "argv = ['']\n", ":4: `argv` cannot be that"},
		{"a text for words", PROCESS "argv = 'cat'\n",
		 ":4: `argv` takes a list of strings"},
		{"no such program", PROCESS "argv = ['/nowhere/agent', '-x']\n",
		 ":4: [[profile]] `a`: /nowhere/agent: No such file or directory; give the path"},
		{"no such program in PATH", PROCESS "exec = 'wr-no-such-program'\n",
		 ":4: [[profile]] `a`: wr-no-such-program: No such file"},
		{"a quote", PROCESS "exec = \"cat 'x\"\n",
		 ":4: [[profile]] `a`: a quote or backslash has no end"},
		{"no such folder", PROCESS "exec = 'cat'\ncwd = '/nowhere'\n",
		 ":5: [[profile]] `a`: /nowhere: No such file or directory; give a folder"},
		{"a mode", PROCESS "mode = 'json'\n",
		 ":4: `mode` cannot be that; it takes line|jsonl"},
		{"a policy", PROCESS "restart = 'sometimes'\n",
		 ":4: `restart` cannot be that; it takes on-input|always|never"},
		{"no variable", PROCESS "environment = ['A=b']\n",
		 ":4: `environment` cannot be that; it takes [NAME, ...]: names of variables"},
		{"our mark", PROCESS "environment = ['WORKER_RUNTIME_CHILD']\n",
		 ":4: `environment` cannot be that"},
		{"too few descriptors", PROCESS "open_files = 3\n",
		 ":4: `open_files` cannot be that"},
		{"times", PROCESS "exec = 'cat'\nbackoff_min_ms = 500\nbackoff_max_ms = 100\n",
		 ":6: [[profile]] `a`: `backoff-min-ms` is above `backoff-max-ms`"},
		{"one of them", PROCESS "exec = 'cat'\nbackoff_min_ms = 80000000\n",
		 ":5: [[profile]] `a`: `backoff-min-ms` is above `backoff-max-ms`"},
		{"no time at all", PROCESS "backoff_min_ms = 0\n",
		 ":4: `backoff_min_ms` cannot be that; it takes MS, from 10 to"},
		{"a queue without turns", PROCESS "exec = 'cat'\nbusy = 'queue'\n",
		 ":5: [[profile]] `a`: only who has turns can queue: mode = \"jsonl\""},
		{"a length without a queue",
		 PROCESS "exec = 'cat'\nmode = 'jsonl'\nqueue_inputs = 5\n",
		 ":6: [[profile]] `a`: `queue-inputs` needs busy = \"queue\""},
		{"no URL", "[[profile]]\nname = 'a'\nkind = 'openai'\n",
		 ":1: this [[profile]] needs `base-url`"},
		{"no such default", "default_profile = 'b'\n" PROCESS "exec = 'cat'\n",
		 "--default-profile: there is no [[profile]] of that name in the configuration "
		 "file"},
		{"two defaults", "exec = 'cat'\n[[profile]]\nname = 'default'\nkind = 'none'\n",
		 "--exec and [[profile]] `default` both say what is run without a name; keep one"},
		{"two named defaults",
		 "exec = 'cat'\ndefault_profile = 'a'\n[[profile]]\nname = 'a'\nkind = 'none'\n",
		 "--exec and --default-profile both say what is run without a name"},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		write_config(cases[i].text);
		CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--check-config", "--config", config),
					 NULL),
			  2);
		if (!has(run.err, cases[i].says)) {
			printf("%s", run.err);
			wr_test_fail(__FILE__, __LINE__, cases[i].says);
		}
		CHECK(cases[i].says[0] != ':' || has(run.err, config));
		CHECK_U64(run.out_bytes, 0);
		unlink(config);
	}
}

static void test_too_many_profiles_are_refused(void)
{
	static char text[8192];

	for (unsigned i = 0; i < 65; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text),
			 "[[profile]]\nname = 'p%u'\nkind = 'none'\n", i);
	write_config(text);
	CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--check-config", "--config", config), NULL),
		  2);
	CHECK(has(run.err, ":193: there are too many [[profile]]; at most 64"));
	*strstr(text, "[[profile]]\nname = 'p64'") = '\0';
	write_config(text);
	CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--check-config", "--config", config), NULL),
		  0);
	unlink(config);
}

static void test_what_counts_of_a_profile_is_printed_with_its_place(void)
{
	char line[256];

	write_config(PROCESS "argv = ['cat', '-u']\nmode = 'line'\n"
			     "[[profile]]\nname = 'n'\nkind = 'none'\n");
	CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--print-config", "--config", config), NULL),
		  0);
	snprintf(line, sizeof line,
		 "\n[[profile]]  # %s:1\nname = \"a\"  # %s:2\nkind = \"process\"  # %s:3\n",
		 config, config, config);
	CHECK(has(run.out, line));
	snprintf(line, sizeof line, "argv = [\"cat\", \"-u\"]  # %s:4\nmode = \"line\"  # %s:5\n",
		 config, config);
	CHECK(has(run.out, line));
	CHECK(has(run.out, "restart = \"on-input\"  # default\n"));
	CHECK(!has(run.out, "base-url"));
	snprintf(line, sizeof line, "\n[[profile]]  # %s:6\nname = \"n\"  # %s:7\nkind = \"none\"",
		 config, config);
	CHECK(has(run.out, line));
	unlink(config);
}

/* ---- over a restart ---- */

#if WR_FS_STORE
static void start_life(const char *text)
{
	write_config(text);
	start_with("--config", config);
	unlink(config);
}

static void test_a_profile_that_is_gone_leaves_its_workers_readable_and_deaf(void)
{
	char kept[WR_CLIENT_ID_BYTES], gone[WR_CLIENT_ID_BYTES], text[TEXT_ROOM];

	make_folder();
	start_life("[[profile]]\nname = 'kept'\nkind = 'process'\nexec = 'cat'\n"
		   "[[profile]]\nname = 'gone'\nkind = 'process'\nexec = 'cat'\n");
	CHECK_U64(create(NAMED("kept"), kept), 201);
	CHECK_U64(create(NAMED("gone"), gone), 201);
	CHECK_U64(say(kept, "hello"), 200);
	CHECK_U64(say(gone, "hello"), 200);
	await_item(kept, 1, text);
	await_item(gone, 1, text);
	stop();
	start_life("[[profile]]\nname = 'kept'\nkind = 'process'\nexec = 'cat'\n");
	CHECK_U64(say(kept, "again"), 200);
	await_item(kept, 3, text);
	await_item(gone, 1, text);
	CHECK_U64(say(gone, "again"), 409);
	wr_json_copy(text, TEXT_ROOM, answer.body, "error.code");
	CHECK_STRING(wr_view_of_string(text), "worker_execution_unavailable");
	wr_client_post(&client, &answer, "{}", "/v1/workers/%s/stop", gone);
	CHECK_U64(answer.status, 200);
	wr_client_get(&client, &answer, "/v1/workers/%s", gone);
	wr_json_copy(text, TEXT_ROOM, answer.body, "worker.phase");
	CHECK_STRING(wr_view_of_string(text), "stopped");
	CHECK_U64(create(NAMED("gone"), gone), 400);
	stop();
	remove_folder();
}

static void test_never_started_again_holds_over_a_restart(void)
{
	static const char profiles[] = "[[profile]]\nname = 'once'\nkind = 'process'\n"
				       "restart = 'never'\nexec = 'cat'\n";
	char id[WR_CLIENT_ID_BYTES], fresh[WR_CLIENT_ID_BYTES], text[TEXT_ROOM];

	make_folder();
	start_life(profiles);
	CHECK_U64(create(NAMED("once"), id), 201);
	CHECK_U64(create(NAMED("once"), fresh), 201);
	CHECK_U64(say(id, "hello"), 200);
	await_item(id, 1, text);
	stop();
	start_life(profiles);
	CHECK_U64(say(id, "again"), 409);
	wr_json_copy(text, TEXT_ROOM, answer.body, "error.code");
	CHECK_STRING(wr_view_of_string(text), "worker_execution_rejected");
	CHECK_U64(say(fresh, "hello"), 200);
	await_item(fresh, 1, text);
	stop();
	remove_folder();
}
#endif

/* ---- after kill -9 ---- */

#define FAR_OFF                                                                  \
	"[[profile]]\nname = 'default'\nkind = 'process'\nargv = ['sh', '-c', '" \
	"setsid sh -c \"setsid sleep 1000 & echo far \\$!; exec sleep 1000\" & exec cat']\n"

static pid_t start_far_off(const char *id)
{
	char text[TEXT_ROOM];
	long pid;

	CHECK_U64(say(id, "go"), 200);
	for (unsigned item = 1;; item++) {
		await_item(id, item, text);
		if (sscanf(text, "far %ld", &pid) == 1)
			return (pid_t)pid;
	}
}

static void await_gone(pid_t pid)
{
	uint64_t end_ms = wr_process_now_ms() + WR_PROCESS_WAIT_MS;
	struct wr_proc proc;

	while (wr_proc_read(&proc, pid) && !proc.is_dead) {
		CHECK(wr_process_now_ms() < end_ms);
		poll(NULL, 0, 5);
	}
}

static bool can_be_tried(void)
{
	struct wr_proc self;

	return wr_proc_read(&self, getpid()) && wr_test_find_file("/usr/bin/setsid");
}

static void kill_server(void)
{
	wr_process_signal(&server, SIGKILL);
	CHECK_U64(wr_process_wait(&server, WR_PROCESS_WAIT_MS), WR_PROCESS_SIGNALLED + SIGKILL);
	wr_client_close(&client);
}

static void test_in_memory_the_next_life_ends_what_a_killed_one_left_where_there_are_groups(void)
{
	char id[WR_CLIENT_ID_BYTES];
	struct wr_proc proc;
	pid_t far_off;

	if (!can_be_tried())
		wr_test_skip("needs /proc and a setsid program");
	start_configured(FAR_OFF);
	CHECK_U64(create(RUNTIME_DEFAULT, id), 201);
	far_off = start_far_off(id);
	if (has(server.err, "no_cgroups")) {
		end();
		await_gone(far_off);
		wr_test_skip("our control group is not ours to divide");
	}
	kill_server();
	CHECK(wr_proc_read(&proc, far_off) && !proc.is_dead);
	start_configured(FAR_OFF);
	CHECK(wr_process_wait_text(&server, "cgroups_ended", WR_PROCESS_WAIT_MS));
	await_gone(far_off);
	end();
}

#if WR_FS_STORE
static void test_with_a_store_the_next_life_ends_what_a_killed_one_left(void)
{
	char id[WR_CLIENT_ID_BYTES];
	pid_t far_off;

	if (!can_be_tried())
		wr_test_skip("needs /proc and a setsid program");
	make_folder();
	start_life(FAR_OFF);
	CHECK_U64(create(RUNTIME_DEFAULT, id), 201);
	far_off = start_far_off(id);
	kill_server();
	start_life(FAR_OFF);
	await_gone(far_off);
	stop();
	remove_folder();
}
#endif

static void test_a_cancel_and_an_orderly_end_leave_nobody(void)
{
	char id[WR_CLIENT_ID_BYTES];
	pid_t cancelled, ended;

	if (!can_be_tried())
		wr_test_skip("needs /proc and a setsid program");
	start_configured(FAR_OFF);
	CHECK_U64(create(RUNTIME_DEFAULT, id), 201);
	cancelled = start_far_off(id);
	wr_client_post(&client, &answer, "{}", "/v1/workers/%s/cancel", id);
	CHECK_U64(answer.status, 200);
	await_gone(cancelled);
	CHECK_U64(create(RUNTIME_DEFAULT, id), 201);
	ended = start_far_off(id);
	end();
	CHECK(kill(ended, 0) != 0);
}

/* ---- the Backend ---- */

#if WR_WS_SERVER
static void test_the_embedded_runtime_has_profiles_of_its_own(void)
{
	static struct wr_place place;
	static struct wr_process backend;
	char id[WR_CLIENT_ID_BYTES];
	uint64_t end_ms;

	wr_place_make(&place);
	wr_place_write(place.config, "[[profile]]\nname = 'builtin:coder'\nkind = 'process'\n"
				     "exec = \"sed -u 's/^/coder: /'\"\n"
				     "[[profile]]\nname = 'default'\nkind = 'none'\n");
	wr_backend_start(&backend, &place, WR_ARGUMENTS("--no-local"));
	wr_client_open(&client, &backend, NULL);
	wr_backend_spawn(&client, "backend-internal", id);
	CHECK(wr_backend_say(&client, "backend-internal", id, "hello", "k1"));
	end_ms = wr_process_now_ms() + WR_PROCESS_WAIT_MS;
	do {
		CHECK(wr_process_now_ms() < end_ms);
		wr_client_get(&client, &answer,
			      "/api/runtimes/backend-internal/workers/%s/transcript", id);
		CHECK_U64(answer.status, 200);
	} while (memmem(answer.body.data, answer.body.bytes, "coder: hello", 12) == NULL);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&backend), 0);
	wr_place_remove(&place);
}
#endif

const struct wr_test wr_tests[] = {
	WR_TEST(test_workers_are_run_as_the_profile_of_their_name_says),
	WR_TEST_LIMIT(test_of_two_defaults_the_one_of_the_better_place_counts, 30),
	WR_TEST(test_a_program_sees_what_its_profile_lets_it_see),
	WR_TEST(test_a_profile_says_whether_input_queues),
	WR_TEST_LIMIT(test_a_wrong_profile_is_told_with_its_line, 30),
	WR_TEST(test_too_many_profiles_are_refused),
	WR_TEST(test_what_counts_of_a_profile_is_printed_with_its_place),
#if WR_FS_STORE
	WR_TEST(test_a_profile_that_is_gone_leaves_its_workers_readable_and_deaf),
	WR_TEST(test_never_started_again_holds_over_a_restart),
#endif
	WR_TEST(test_in_memory_the_next_life_ends_what_a_killed_one_left_where_there_are_groups),
#if WR_FS_STORE
	WR_TEST(test_with_a_store_the_next_life_ends_what_a_killed_one_left),
#endif
	WR_TEST(test_a_cancel_and_an_orderly_end_leave_nobody),
#if WR_WS_SERVER
	WR_TEST(test_the_embedded_runtime_has_profiles_of_its_own),
#endif
	WR_TEST_END,
};
