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

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

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

/* ---- the manual ---- */

static const char manual_path[] = "src/runtime_server/worker-runtime.8";

/* The text of the section between its title and the next one. */
static const char *read_section(char text[65536])
{
	struct wr_view manual;
	const char *from, *to;

	if (!wr_test_find_file(manual_path))
		wr_test_skip("run from the root of the repository");
	manual = wr_test_read_file(manual_path);
	from = strstr(manual.data, "\n.Sh PROFILES\n");
	CHECK(from != NULL);
	to = strstr(from + 1, "\n.Sh ");
	CHECK(to != NULL && to - from < 65535);
	memcpy(text, from, (size_t)(to - from + 1));
	text[to - from + 1] = '\0';
	return text;
}

static void test_every_key_of_a_profile_is_in_the_manual(void)
{
	static char section[65536];
	const char *at;
	unsigned count = 0;

	read_section(section);
	CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--help"), NULL), 0);
	at = strstr(run.out, "each [[profile]]\n");
	CHECK(at != NULL);
	for (at = strchr(at, '\n'); strncmp(at, "\n  ", 3) == 0; at = strchr(at + 1, '\n')) {
		char entry[64];
		snprintf(entry, sizeof entry, ".It Li %.*s\n", (int)strcspn(at + 3, " "), at + 3);
		wr_test_case(entry);
		CHECK(has(section, entry));
		count++;
	}
	CHECK(count >= 35);
}

static void write_at(const char *root, const char *name, const char *text, mode_t mode)
{
	char path[256];
	int fd;

	snprintf(path, sizeof path, "%s/%s", root, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(fchmod(fd, mode) == 0);
	close(fd);
}

static void test_the_example_of_the_readme_can_be_used(void)
{
	static const char begin[] = "```toml\n# runtime.conf\n";
	const char *from, *to;
	char text[TEXT_ROOM];

	if (!wr_test_find_file("README.md"))
		wr_test_skip("run from the root of the repository");
	from = strstr(wr_test_read_file("README.md").data, begin);
	CHECK(from != NULL);
	from += strlen("```toml\n");
	to = strstr(from, "```\n");
	CHECK(to != NULL);
	snprintf(text, sizeof text, "%.*s", (int)(to - from), from);
	write_config(text);
	CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--config", config, "--check-config"), NULL),
		  0);
	unlink(config);
}

static void test_every_example_of_the_manual_can_be_used(void)
{
	static const char *const names[] = {"agent", "coder.txt", "cloud.key", "example.conf"};
	static char section[65536], program[4096];
	char root[] = "/tmp/wr-examples-XXXXXX", path[256];
	unsigned count = 0;

	read_section(section);
	CHECK(realpath(wr_process_program(), program) != NULL);
	wr_test_make_folder(root);
	CHECK(chdir(root) == 0);
	write_at(root, "agent", "#!/bin/sh\n", 0755);
	write_at(root, "coder.txt", "Write C.\n", 0644);
	write_at(root, "cloud.key", "sk-x\n", 0600);
	for (const char *at = section; (at = strstr(at, "\n.Bd ")) != NULL; count++) {
		const char *from = strchr(at + 1, '\n') + 1, *to = strstr(from, ".Ed\n");
		char example[4096];

		CHECK(to != NULL);
		snprintf(example, sizeof example, "%.*s", (int)(to - from), from);
		CHECK(strchr(example, '\\') == NULL); /* as it stands */
		wr_test_case(example);
		at = to;
		if (!WR_TLS && has(example, "https://"))
			continue;
		write_at(root, "example.conf", example, 0644);
		wr_process_spawn(&run, program,
				 WR_ARGUMENTS("--config", "example.conf", "--check-config"), NULL);
		if (wr_process_wait(&run, WR_PROCESS_WAIT_MS) != 0)
			wr_test_fail(__FILE__, __LINE__, run.err);
		CHECK(strcmp(run.out, "ok\n") == 0);
	}
	CHECK(count >= 5);
	for (size_t i = 0; i < WR_COUNT(names); i++) {
		snprintf(path, sizeof path, "%s/%s", root, names[i]);
		CHECK(unlink(path) == 0);
	}
	CHECK(rmdir(root) == 0);
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
	CHECK(has(run.out, "\n# restart = \"on-input\"  # default\n"));
	CHECK(!has(run.out, "base-url"));
	snprintf(line, sizeof line, "\n[[profile]]  # %s:6\nname = \"n\"  # %s:7\nkind = \"none\"",
		 config, config);
	CHECK(has(run.out, line));
	wr_test_case("which is a file that says the same");
	write_config(run.out);
	CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--check-config", "--config", config), NULL),
		  0);
	unlink(config);
}

/* ---- models ---- */

/* A model server that the test plays itself: a listener, and one request and answer of it. */
struct model {
	int listener, fd;
	char address[64], request[8192];
};

static void open_model(struct model *self)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t bytes = sizeof address;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(self->listener >= 0);
	CHECK(bind(self->listener, (const struct sockaddr *)&address, sizeof address) == 0);
	CHECK(listen(self->listener, 4) == 0);
	CHECK(getsockname(self->listener, (struct sockaddr *)&address, &bytes) == 0);
	snprintf(self->address, sizeof self->address, "127.0.0.1:%u",
		 (unsigned)ntohs(address.sin_port));
	self->fd = -1;
}

static void await_readable(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	CHECK(poll(&ready, 1, (int)WR_PROCESS_WAIT_MS) == 1);
}

/* Until the whole request is there, which ends as such a body does. */
static void take_request(struct model *self)
{
	size_t bytes = 0;

	if (self->fd < 0) {
		await_readable(self->listener);
		self->fd = accept(self->listener, NULL, NULL);
		CHECK(self->fd >= 0);
	}
	do {
		ssize_t got;
		await_readable(self->fd);
		got = recv(self->fd, self->request + bytes, sizeof self->request - 1 - bytes, 0);
		CHECK(got > 0);
		bytes += (size_t)got;
		self->request[bytes] = '\0';
	} while (!has(self->request, "\r\n\r\n") || !has(self->request, "\"stream\":true") ||
		 self->request[bytes - 1] != '}');
}

static void answer_request(const struct model *self, const char *words)
{
	char text[512], head[256];
	int bytes =
		snprintf(text, sizeof text,
			 "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"}}]}\n\n"
			 "data: [DONE]\n\n",
			 words);

	snprintf(head, sizeof head,
		 "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
		 "Content-Length: %d\r\n\r\n",
		 bytes);
	CHECK(wr_send_all(self->fd, wr_view_of_string(head), WR_CLIENT_WAIT_MS));
	CHECK(wr_send_all(self->fd, wr_view_of_string(text), WR_CLIENT_WAIT_MS));
}

static void close_model(struct model *self)
{
	close(self->fd);
	close(self->listener);
}

static const char *file_of(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "/tmp/wr-profiles-%ld-%s", (long)getpid(), name);
	return path;
}

static const char *write_secret(const char *name, const char *text, mode_t mode)
{
	const char *path = file_of(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(fchmod(fd, mode) == 0);
	close(fd);
	return path;
}

/* Of a process; "" without /proc. */
static const char *environment_of(const struct wr_process *process)
{
	static char text[65536];
	char path[64];
	FILE *file;
	size_t bytes = 0;

	snprintf(path, sizeof path, "/proc/%ld/environ", (long)process->pid);
	file = fopen(path, "r");
	if (file != NULL) {
		bytes = fread(text, 1, sizeof text - 1, file);
		fclose(file);
	}
	for (size_t i = 0; i < bytes; i++)
		if (text[i] == '\0')
			text[i] = '|';
	text[bytes] = '\0';
	return text;
}

static void test_a_model_answers_and_its_key_is_told_to_nobody_else(void)
{
	static struct model model;
	char id[WR_CLIENT_ID_BYTES], text[TEXT_ROOM];
	const char *key_file = write_secret("key", "sk-of-a-file\n", 0600);
	const char *prompt = write_secret("prompt", "You are brief.\n", 0644);

	open_model(&model);
	snprintf(text, sizeof text,
		 "default_profile = 'file'\n"
		 "[[profile]]\nname = 'file'\nkind = 'openai'\nbase_url = 'http://%s/v1/'\n"
		 "model = 'small'\nkey_file = '%s'\nsystem_prompt_file = '%s'\n"
		 "temperature = '0.25'\nmax_tokens = 99\n"
		 "[[profile]]\nname = 'variable'\nkind = 'openai'\nbase_url = 'http://%s/v1'\n"
		 "key_env = 'WORKER_RUNTIME_KEY'\nsystem_prompt = 'Be long.'\n"
		 "[[profile]]\nname = 'same'\nkind = 'openai'\nbase_url = 'http://%s/v1'\n"
		 "key_env = 'WORKER_RUNTIME_KEY'\n",
		 model.address, key_file, prompt, model.address, model.address);
	write_config(text);
	CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--config", config, "--print-config"),
				 WR_ARGUMENTS("WORKER_RUNTIME_KEY=sk-of-a-variable")),
		  0);
	CHECK(has(run.out, "key-env = \"WORKER_RUNTIME_KEY\"") && !has(run.out, "sk-of"));
	wr_process_start(&server, WR_ARGUMENTS("--config", config, "--log-level=debug"),
			 WR_ARGUMENTS("WORKER_RUNTIME_KEY=sk-of-a-variable"));
	wr_client_open(&client, &server, NULL);
	unlink(config);
	unlink(key_file);
	unlink(prompt);
	CHECK(wr_process_is_emulated(&server) || !has(environment_of(&server), "sk-of"));

	CHECK_U64(create(RUNTIME_DEFAULT, id), 201);
	CHECK_U64(say(id, "hello"), 200);
	take_request(&model);
	CHECK(strncmp(model.request, "POST /v1/chat/completions HTTP/1.1\r\n", 36) == 0);
	CHECK(has(model.request, "Bearer sk-of-a-file\r\n"));
	CHECK(has(model.request, "\"model\":\"small\""));
	CHECK(has(model.request, "You are brief."));
	CHECK(has(model.request, "\"temperature\":0.25") && has(model.request, ":99"));
	CHECK(has(model.request, "\"hello\""));
	answer_request(&model, "good day");
	await_item(id, 1, text);
	CHECK_STRING(wr_view_of_string(text), "good day");
	close(model.fd);
	model.fd = -1;
	/* The same server and key: one connection for both. */
	for (unsigned i = 0; i < 2; i++) {
		CHECK_U64(create(i == 0 ? NAMED("variable") : NAMED("same"), id), 201);
		CHECK_U64(say(id, "hello"), 200);
		take_request(&model);
		CHECK(has(model.request, "Bearer sk-of-a-variable\r\n"));
		CHECK(has(model.request, "Be long.") == (i == 0));
		answer_request(&model, "again");
		await_item(id, 1, text);
	}
	end();
	CHECK(!has(server.err, "sk-of"));
	close_model(&model);
}

static void test_input_queues_behind_the_turn_of_a_model(void)
{
	static struct model model;
	char id[WR_CLIENT_ID_BYTES], text[TEXT_ROOM];

	open_model(&model);
	snprintf(text, sizeof text,
		 "[[profile]]\nname = 'default'\nkind = 'openai'\nbase_url = 'http://%s'\n"
		 "busy = 'queue'\nqueue_inputs = 1\n",
		 model.address);
	start_configured(text);
	CHECK_U64(create(RUNTIME_DEFAULT, id), 201);
	CHECK_U64(say(id, "first"), 200);
	take_request(&model);
	CHECK_U64(say(id, "second"), 200);
	CHECK_U64(say(id, "third"), 409);
	answer_request(&model, "one");
	take_request(&model);
	CHECK(has(model.request, "second") && has(model.request, "\"one\""));
	answer_request(&model, "two");
	await_item(id, 3, text);
	CHECK_STRING(wr_view_of_string(text), "two");
	end();
	close_model(&model);
}

#if WR_TLS
static void test_over_https_a_key_does_not_leave_in_the_clear(void)
{
	static struct model model;
	char id[WR_CLIENT_ID_BYTES], text[TEXT_ROOM], hello[4096];
	ssize_t got;

	open_model(&model);
	snprintf(text, sizeof text,
		 "[[profile]]\nname = 'default'\nkind = 'openai'\nbase_url = 'https://%s/v1'\n"
		 "key_env = 'WR_KEY'\nretries = 0\ntls_name = 'models.example'\n"
		 "tls_pin = 'sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='\n",
		 model.address);
	write_config(text);
	wr_process_start(&server, WR_ARGUMENTS("--config", config),
			 WR_ARGUMENTS("WR_KEY=sk-in-the-clear"));
	wr_client_open(&client, &server, NULL);
	unlink(config);
	CHECK_U64(create(RUNTIME_DEFAULT, id), 201);
	CHECK_U64(say(id, "hello"), 200);
	await_readable(model.listener);
	model.fd = accept(model.listener, NULL, NULL);
	CHECK(model.fd >= 0);
	await_readable(model.fd);
	got = recv(model.fd, hello, sizeof hello, 0);
	/* A handshake record of TLS with a ClientHello in it (RFC 5246 6.2.1, 7.4), for this host.
	 */
	CHECK(got > 6 && hello[0] == 22 && hello[1] == 3 && hello[5] == 1);
	CHECK(memmem(hello, (size_t)got, "models.example", 14) != NULL);
	CHECK(memmem(hello, (size_t)got, "sk-in", 5) == NULL);
	CHECK(memmem(hello, (size_t)got, "hello", 5) == NULL);
	close_model(&model);
	await_item(id, 1, text);
	CHECK(strncmp(text, "the model server cannot be reached", 34) == 0);
	end();
}
#endif

static void test_an_end_does_not_wait_for_a_model(void)
{
	static struct model model;
	char id[WR_CLIENT_ID_BYTES], text[TEXT_ROOM];
	uint64_t began_ms;

	open_model(&model);
	snprintf(text, sizeof text,
		 "[[profile]]\nname = 'default'\nkind = 'openai'\nbase_url = 'http://%s'\n",
		 model.address);
	start_configured(text);
	CHECK_U64(create(RUNTIME_DEFAULT, id), 201);
	CHECK_U64(say(id, "hello"), 200);
	take_request(&model);
	began_ms = wr_process_now_ms();
	end();
	CHECK(wr_process_now_ms() - began_ms < WR_PROCESS_WAIT_MS);
	close_model(&model);
}

static void test_a_model_that_cannot_be_is_told_with_its_line(void)
{
	static const struct {
		const char *label, *text, *says;
	} cases[] =
	{ {"a host name without http", "base_url = '127.0.0.1:1'\n",
	   ":4: `base_url` cannot be that"},
	  {"a query", "base_url = 'http://127.0.0.1:1/?a'\n",
	   ":4: [[profile]] `a`: base_url must not have a query"},
	  {"a WebSocket", "base_url = 'ws://127.0.0.1:1'\n",
	   ":4: [[profile]] `a`: base_url must be an http or https URL"},
	  {"no such key", "base_url = 'http://127.0.0.1:1'\nkey_file = '/nowhere'\n",
	   ":5: [[profile]] `a`: /nowhere: No such file or directory"},
	  {"an open key", "base_url = 'http://127.0.0.1:1'\nkey_file = '%s'\n",
	   "others than its owner can use it; say: chmod 600"},
	  {"an empty key", "base_url = 'http://127.0.0.1:1'\nkey_file = '%s-empty'\n",
	   ":5: [[profile]] `a`: there is no key in it"},
	  {"two words", "base_url = 'http://127.0.0.1:1'\nkey_file = '%s-words'\n",
	   ":5: [[profile]] `a`: a key is one word of visible ASCII"},
	  {"two keys", "base_url = 'http://127.0.0.1:1'\nkey_file = '%s'\nkey_env = 'K'\n",
	   ":6: [[profile]] `a`: `key-file` and `key-env`; keep one"},
	  {"no such variable", "base_url = 'http://127.0.0.1:1'\nkey_env = 'WR_NO_SUCH'\n",
	   ":5: [[profile]] `a`: the variable WR_NO_SUCH is not set; set it to the key"},
	  {"no name of a variable", "base_url = 'http://127.0.0.1:1'\nkey_env = '$KEY'\n",
	   ":5: `key_env` cannot be that"},
	  {"two prompts",
	   "base_url = 'http://127.0.0.1:1'\nsystem_prompt = 'a'\nsystem_prompt_file = 'b'\n",
	   ":6: [[profile]] `a`: `system-prompt` and `system-prompt-file`; keep one"},
	  {"no such prompt", "base_url = 'http://127.0.0.1:1'\nsystem_prompt_file = '/nowhere'\n",
	   ":5: [[profile]] `a`: /nowhere: No such file"},
	  {"a blank prompt", "base_url = 'http://127.0.0.1:1'\nsystem_prompt = ' '\n",
	   ":5: [[profile]] `a`: system_prompt must not be blank"},
	  {"a temperature", "base_url = 'http://127.0.0.1:1'\ntemperature = 'warm'\n",
	   ":5: [[profile]] `a`: temperature must be a number"},
	  {"a temperature without quotes", "base_url = 'http://127.0.0.1:1'\ntemperature = 0.7\n",
	   ":5: a number is made of digits; anything else is put in quotes"},
	  {"TLS without it", "base_url = 'http://127.0.0.1:1'\ntls_name = 'a'\n",
	   ":5: [[profile]] `a`: keys of TLS, and a `base-url` that is not https"},
	  {"two that vouch", "base_url = 'https://127.0.0.1:1'\ntls_ca = 'a'\ntls_pin = 'b'\n",
	   ":6: [[profile]] `a`: `tls-ca` and `tls-pin`; keep one"},
#if !WR_TLS
	  {"no TLS", "base_url = 'https://127.0.0.1:1'\n",
	   ":4: [[profile]] `a`: base_url is https, which needs a build with TLS"},
#endif
	};
	const char *open_key = write_secret("open", "sk-hunter2\n", 0644);
	const char *empty = write_secret("open-empty", "\n", 0600);
	const char *words = write_secret("open-words", "sk hunter2\n", 0600);
	char text[TEXT_ROOM], body[512];

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		const char *at = strstr(cases[i].text, "%s");
		wr_test_case(cases[i].label);
		snprintf(body, sizeof body, "%.*s%s%s",
			 at == NULL ? (int)strlen(cases[i].text) : (int)(at - cases[i].text),
			 cases[i].text, at == NULL ? "" : open_key, at == NULL ? "" : at + 2);
		snprintf(text, sizeof text, "[[profile]]\nname = 'a'\nkind = 'openai'\n%s", body);
		write_config(text);
		CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--check-config", "--config", config),
					 NULL),
			  2);
		if (!has(run.err, cases[i].says)) {
			printf("%s", run.err);
			wr_test_fail(__FILE__, __LINE__, cases[i].says);
		}
		CHECK(!has(run.err, "hunter2"));
		unlink(config);
	}
	unlink(open_key);
	unlink(empty);
	unlink(words);
}

/* Every allocation of the start fails at one of these limits, and every one behind it at another.
 */
static void test_with_little_memory_profiles_are_there_or_it_is_said(void)
{
	unsigned refused = 0, served = 0;
	const char *prompt = write_secret("prompt", "You are brief.", 0644);
	char text[TEXT_ROOM];

	snprintf(text, sizeof text,
		 "[[profile]]\nname = 'a'\nkind = 'process'\nexec = 'cat -u'\n"
		 "[[profile]]\nname = 'b'\nkind = 'openai'\nbase_url = 'http://localhost:1/v1'\n"
		 "system_prompt_file = '%s'\n"
		 "[[profile]]\nname = 'c'\nkind = 'openai'\nbase_url = 'http://a.example'\n",
		 prompt);
	write_config(text);
	for (unsigned bytes = 1000; bytes < 300000; bytes += bytes / 8) {
		char limit[32];

		snprintf(limit, sizeof limit, "%u", bytes);
		wr_test_case(limit);
		wr_process_spawn(&run, NULL,
				 WR_ARGUMENTS("--max-memory", limit, "--config", config), NULL);
		if (wr_process_wait_text(&run, "; runtime", WR_PROCESS_WAIT_MS)) {
			CHECK_U64(wr_process_stop(&run), 0);
			served++;
		} else {
			CHECK_U64(wr_process_wait(&run, WR_PROCESS_WAIT_MS), 1);
			CHECK(has(run.err, "memory"));
			refused++;
		}
	}
	CHECK(refused > 10 && served > 0);
	unlink(config);
	unlink(prompt);
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
	await_gone(far_off); /* or any other life that began meanwhile has ended it */
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
	await_gone(ended);
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
		poll(NULL, 0, 5);
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
	WR_TEST(test_every_key_of_a_profile_is_in_the_manual),
	WR_TEST(test_every_example_of_the_manual_can_be_used),
	WR_TEST(test_the_example_of_the_readme_can_be_used),
	WR_TEST_LIMIT(test_a_wrong_profile_is_told_with_its_line, 30),
	WR_TEST(test_too_many_profiles_are_refused),
	WR_TEST(test_what_counts_of_a_profile_is_printed_with_its_place),
	WR_TEST(test_a_model_answers_and_its_key_is_told_to_nobody_else),
	WR_TEST(test_input_queues_behind_the_turn_of_a_model),
#if WR_TLS
	WR_TEST(test_over_https_a_key_does_not_leave_in_the_clear),
#endif
	WR_TEST(test_an_end_does_not_wait_for_a_model),
	WR_TEST_LIMIT(test_a_model_that_cannot_be_is_told_with_its_line, 30),
	WR_TEST_LIMIT(test_with_little_memory_profiles_are_there_or_it_is_said, 60),
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
