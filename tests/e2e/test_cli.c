/* The command line of the real program: what it prints, what it refuses and with which words, what
 * it gives up at its start. Run with the arguments, look at exit code and output. */
#include "check.h"
#include "harness/client.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 8 };

static bool has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

/* A file of its own for this test, with the mode. */
static const char *write_file(const char *name, const char *text, mode_t mode)
{
	static char path[256];
	int fd;

	snprintf(path, sizeof path, "/tmp/wr-cli-%ld-%s", (long)getpid(), name);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(fchmod(fd, mode) == 0);
	close(fd);
	return path;
}

/* ---- what it prints ---- */

/* Calls fn for every flag that --help shows. */
static unsigned each_flag(const char *help, void (*fn)(const char *name, const char *line))
{
	unsigned count = 0;

	for (const char *at = help; (at = strstr(at, "\n  --")) != NULL; at++) {
		char name[64];
		size_t bytes = strcspn(at + 3, " \n");
		CHECK(bytes < sizeof name);
		memcpy(name, at + 3, bytes);
		name[bytes] = '\0';
		fn(name, at + 1);
		count++;
	}
	return count;
}

static void check_help_line(const char *name, const char *line)
{
	size_t bytes = strcspn(line, "\n");

	wr_test_case(name);
	CHECK(bytes > 40 && bytes <= 116);
	CHECK(line[39] == ' ' && line[40] != ' ');
}

static void test_help_has_one_line_for_each_flag_and_goes_to_stdout(void)
{
	static const char *const spellings[] = {"--help", "-h"};
	struct wr_process run;

	for (size_t i = 0; i < 2; i++) {
		CHECK_U64(wr_process_run(&run, WR_ARGUMENTS(spellings[i]), NULL), 0);
		CHECK_U64(run.err_bytes, 0);
		CHECK(has(run.out, "usage: worker-runtime"));
		CHECK(has(run.out, "Examples"));
		CHECK(each_flag(run.out, check_help_line) >= 35);
	}
}

static struct wr_view manual;

static void check_manual(const char *name, const char *line)
{
	char entry[80];

	(void)line;
	wr_test_case(name);
	snprintf(entry, sizeof entry, ".It Fl -%s", name + 2);
	for (char *at = entry + strlen(".It Fl -"); *at != '\0'; at++)
		CHECK(*at == '-' || (*at >= 'a' && *at <= 'z'));
	CHECK(has(manual.data, entry));
}

static void test_every_flag_is_in_the_manual(void)
{
	static const char path[] = "src/runtime_server/worker-runtime.8";
	struct wr_process run;

	if (!wr_test_find_file(path))
		wr_test_skip("run from the root of the repository");
	manual = wr_test_read_file(path);
	CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--help"), NULL), 0);
	each_flag(run.out, check_manual);
}

static void test_version_goes_to_stdout(void)
{
	struct wr_process run;

	CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--version"), NULL), 0);
	CHECK(strncmp(run.out, "worker-runtime ", 15) == 0);
	CHECK_U64(run.err_bytes, 0);
}

static void test_print_config_shows_what_counts_and_hides_secrets(void)
{
	struct wr_process run;

	CHECK_U64(wr_process_run(&run,
				 WR_ARGUMENTS("--print-config", "--idle-ms=1", "--idle-ms", "77",
					      "--retention-bytes=3M", "--max-memory", "1GiB",
					      "--worker-retention-bytes", "1000",
					      "--compat=yoi-2026-06", "--allow-origin=http://a",
					      "--allow-origin", "http://b",
					      "--durability=interval=250", "--fs-bytes=40M",
					      "--local-token=correct-horse"),
				 NULL),
		  0);
	CHECK(has(run.out, "idle-ms = 77\n"));
	CHECK(has(run.out, "retention-bytes = \"3M\"\n"));
	CHECK(has(run.out, "max-memory = \"1G\"\n"));
	CHECK(has(run.out, "worker-retention-bytes = \"1000\"\n"));
	CHECK(has(run.out, "compat = \"yoi-2026-06\"\n"));
	CHECK(has(run.out, "allow-origin = [\"http://a\", \"http://b\"]\n"));
	CHECK(has(run.out, "# local-token = (hidden)\n"));
	CHECK(has(run.out, "store = \"memory\"\n"));
	CHECK(has(run.out, "durability = \"interval=250\"\n"));
	CHECK(has(run.out, "fs-bytes = \"40M\"\nfs-segment-bytes = \"8M\"\n"));
	CHECK(has(run.out, "on-store-failure = \"exit\"\n"));
	CHECK(has(run.out, "bind = \"127.0.0.1:0\"\n"));
	CHECK(has(run.out, "drain-ms = 30000\n"));
	CHECK(!has(run.out, "correct-horse"));
}

static void test_connections_are_no_more_than_descriptors_leave(void)
{
	struct wr_process run;
	const char *line;

	wr_process_spawn(&run, "/bin/sh",
			 WR_ARGUMENTS("-c", "ulimit -n 200; exec \"$0\" --print-config",
				      wr_process_program()),
			 NULL);
	CHECK_U64(wr_process_wait(&run, WR_PROCESS_WAIT_MS), 0);
	line = strstr(run.out, "\nmax-connections = ");
	CHECK(line != NULL && atoi(line + strlen("\nmax-connections = ")) == 200 - 32);
}

static void test_what_could_not_be_told_is_a_failure(void)
{
	static const char *const asks[] = {"--help", "--version", "--print-config",
					   "--check-config"};
	struct wr_process run;
	char command[64];

	if (access("/dev/full", W_OK) != 0)
		wr_test_skip("there is no /dev/full");
	for (size_t i = 0; i < WR_COUNT(asks); i++) {
		wr_test_case(asks[i]);
		snprintf(command, sizeof command, "exec \"$0\" %s >/dev/full", asks[i]);
		wr_process_spawn(&run, "/bin/sh", WR_ARGUMENTS("-c", command, wr_process_program()),
				 NULL);
		CHECK_U64(wr_process_wait(&run, WR_PROCESS_WAIT_MS), 1);
	}
}

/* ---- what it refuses ---- */

static void test_usage_errors_say_why_and_end_with_2(void)
{
	static const struct {
		const char *label;
		const char *arguments[ARGUMENTS_MAX];
		const char *says;
	} cases[] = {
		{"unknown flag", {"--colour"}, "no flag --colour"},
		{"unknown flag with a value", {"--pasword=hunter2"}, "no flag --pasword\n"},
		{"a prefix is not the flag", {"--bin", "127.0.0.1:0"}, "no flag --bin\n"},
		{"one dash", {"-bind", "127.0.0.1:0"}, "no flag -bind"},
		{"short flag", {"-x"}, "no flag -x"},
		{"argument", {"serve"}, "argument serve"},
		{"empty argument", {""}, "argument"},
		{"no value", {"--bind"}, "--bind needs ADDR"},
		{"no value at the end", {"--idle-ms=5", "--runtime-id"}, "--runtime-id needs ID"},
		{"value of a switch", {"--print-config=yes"}, "--print-config takes no value"},
		{"host name", {"--bind", "localhost:80"}, "no host names"},
		{"no port", {"--bind", "127.0.0.1"}, "IP:PORT"},
		{"port too large", {"--bind", "127.0.0.1:65536"}, "IP:PORT"},
		{"empty bind", {"--bind="}, "IP:PORT"},
		{"v6 without brackets", {"--bind", "::1:80"}, "IP:PORT"},
		{"empty id", {"--runtime-id="}, "--runtime-id cannot be that"},
		{"blank id", {"--runtime-id", " \t\xe3\x80\x80"}, "--runtime-id cannot be that"},
		{"id not UTF-8", {"--runtime-id", "a\xff"}, "--runtime-id cannot be that"},
		{"name not UTF-8", {"--display-name", "a\xc3"}, "--display-name cannot be that"},
		{"empty token", {"--local-token", ""}, "--local-token cannot be that"},
		{"empty variable name", {"--local-token-env="}, "--local-token-env cannot be"},
		{"empty token file", {"--token-file="}, "--token-file cannot be that"},
		{"unknown store", {"--store", "disk"}, "memory|fs|fs-store"},
		{"store in other case", {"--store", "Memory"}, "memory|fs|fs-store"},
		{"part of a choice", {"--store", "mem"}, "memory|fs|fs-store"},
		{"a joined choice", {"--store", "memory|fs"}, "memory|fs|fs-store"},
		{"fs without a folder", {"--store", "fs"}, "--fs-root"},
		{"fs-store without a folder", {"--store=fs-store"}, "--fs-root"},
		{"empty folder", {"--fs-root", ""}, "--fs-root cannot be that"},
		{"an origin with a path", {"--allow-origin", "http://a/"}, "without a slash"},
		{"an origin without a scheme", {"--allow-origin", "a:80"}, "https://HOST"},
		{"the origin of nobody", {"--allow-origin", "null"}, "https://HOST"},
		{"any origin", {"--allow-origin", "*"}, "https://HOST"},
		{"a pattern", {"--allow-origin", "https://*.test"}, "https://HOST"},
		{"in upper case", {"--allow-origin", "https://A.test"}, "in lower case"},
		{"the port of http", {"--allow-origin", "http://a:80"}, "as a browser sends it"},
		{"of https", {"--allow-origin", "https://a:443"}, "as a browser sends it"},
		{"two origins", {"--allow-origin", "http://a http://b"}, "https://HOST"},
		{"no host", {"--allow-origin", "http://"}, "https://HOST"},
		{"no scheme", {"--allow-origin", "://a"}, "https://HOST"},
		{"a host that is a URL", {"--allow-host", "http://a"}, "nothing else of a URL"},
		{"a host with a path", {"--allow-host", "a/"}, "nothing else of a URL"},
		{"any host", {"--allow-host", "*"}, "nothing else of a URL"},
		{"two hosts", {"--allow-host", "a b"}, "nothing else of a URL"},
		{"durability", {"--durability", "Always"}, "always|interval=MS|never"},
		{"no interval", {"--durability", "interval"}, "always|interval=MS|never"},
		{"empty interval", {"--durability=interval="}, "1 to 60000 milliseconds"},
		{"interval of nothing", {"--durability=interval=0"}, "1 to 60000"},
		{"interval of hours", {"--durability=interval=60001"}, "1 to 60000"},
		{"interval with a unit", {"--durability", "interval=5ms"}, "1 to 60000"},
		{"always with a number", {"--durability", "always=5"}, "1 to 60000"},
		{"small segments", {"--fs-segment-bytes", "1M"}, "number of bytes"},
		{"large segments", {"--fs-segment-bytes", "2G"}, "number of bytes"},
		{"a small store", {"--fs-bytes", "19M"}, "from 20M to 65536G"},
		{"fewer than four segments",
		 {"--fs-bytes", "31M", "--fs-segment-bytes", "8M"},
		 "--fs-bytes must be at least four times --fs-segment-bytes"},
		{"on failure", {"--on-store-failure", "retry"}, "exit|readonly"},
		{"exec mode", {"--exec-mode", "json"}, "line|jsonl"},
		{"compat", {"--compat", "yoi"}, "none|yoi-2026-06"},
		{"log level", {"--log-level", "loud"}, "error|warning|info|debug"},
		{"not a number", {"--idle-ms", "soon"}, "--idle-ms cannot be that"},
		{"empty number", {"--idle-ms="}, "--idle-ms cannot be that"},
		{"negative", {"--max-workers", "-1"}, "--max-workers cannot be that"},
		{"plus", {"--max-workers", "+1"}, "--max-workers cannot be that"},
		{"fraction", {"--max-workers", "1.5"}, "--max-workers cannot be that"},
		{"space before", {"--max-workers", " 1"}, "--max-workers cannot be that"},
		{"space behind", {"--max-workers", "1 "}, "--max-workers cannot be that"},
		{"hex", {"--max-workers", "0x10"}, "--max-workers cannot be that"},
		{"a count with a unit", {"--max-workers", "1K"}, "--max-workers cannot be that"},
		{"above the range", {"--max-connections", "99999999"}, "from 1 to 1048576"},
		{"below the range", {"--max-connections", "0"}, "from 1 to 1048576"},
		{"beyond 64 bits", {"--max-memory", "18446744073709551616"}, "number of bytes"},
		{"beyond 64 bits with unit", {"--max-memory", "18446744073709551615G"}, "bytes"},
		{"unknown unit", {"--max-memory", "5T"}, "with K, M or G"},
		{"half a unit", {"--max-memory", "5Ki"}, "with K, M or G"},
		{"unit only", {"--max-memory", "K"}, "with K, M or G"},
#if WR_TLS
		{"a certificate without a key", {"--tls-cert", "x"}, "belong together"},
		{"a key without a certificate", {"--tls-key", "x"}, "belong together"},
		{"clients without a certificate", {"--tls-client-ca", "x"}, "needs --tls-cert"},
		{"pins without an authority",
		 {"--tls-cert=x", "--tls-key=x", "--tls-client-key=sha256//x"},
		 "needs --tls-client-ca"},
#else
		{"no TLS here", {"--tls-cert=x", "--tls-key=x"}, "make TLS=bearssl"},
		{"no TLS here, of clients", {"--tls-client-ca=x"}, "make TLS=bearssl"},
		{"no TLS here, of pins", {"--tls-client-key=x"}, "make TLS=bearssl"},
#endif
	};
	struct wr_process run;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		CHECK_U64(wr_process_run(&run, cases[i].arguments, NULL), 2);
		CHECK_U64(run.out_bytes, 0);
		CHECK(strncmp(run.err, "worker-runtime: ", 16) == 0);
		CHECK(has(run.err, cases[i].says));
		CHECK(has(run.err, "\nusage: worker-runtime"));
		CHECK(!has(run.err, "hunter2"));
	}
}

static void test_unsafe_and_impossible_starts_name_the_remedy_and_end_with_1(void)
{
	static const struct {
		const char *label;
		const char *arguments[ARGUMENTS_MAX];
		const char *says;
	} cases[] = {
		{"everywhere without a token", {"--bind", "0.0.0.0:0"}, "--token-file"},
		{"everywhere over v6", {"--bind", "[::]:0"}, "--token-file"},
		{"a public address", {"--bind", "192.0.2.1:8650"}, "--token-file"},
		{"everywhere with a short token",
		 {"--bind=0.0.0.0:0", "--local-token", "123456789012345678901"},
		 "22 characters"},
		{"a token that no field can hold", {"--local-token", "a b"}, "visible ASCII"},
#if WR_FS_STORE
		{"a store in a file", {"--fs-root", "/dev/null"}, "see to the folder"},
		{"a store in no folder", {"--fs-root=/dev/null/x"}, "cannot open the store in"},
		{"a store named", {"--store=fs-store", "--fs-root=/dev/null"}, "/dev/null"},
#else
		{"fs store", {"--fs-root", "/tmp/x"}, "no fs store"},
		{"fs store named", {"--store=fs-store", "--fs-root=/tmp/x"}, "--store memory"},
#endif
		{"no such variable", {"--local-token-env", "WR_NO_SUCH"}, "WR_NO_SUCH is not set"},
		{"no such file", {"--token-file", "/nowhere/at/all"}, "No such file"},
		{"a folder", {"--token-file", "/tmp"}, "not a file"},
		{"an address that is not ours",
		 {"--bind=192.0.2.1:1", "--local-token=1234567890123456789012"},
		 "another --bind"},
		{"a socket in no folder", {"--bind", "unix:/nowhere/at/all"}, "another --bind"},
		{"a program that is not there", {"--exec", "/nowhere/agent"}, "path of a program"},
		{"a program not in PATH", {"--exec", "wr-no-such-program x"}, "path of a program"},
		{"a folder for a program", {"--exec", "/tmp x"}, "Is a directory"},
		{"a file that cannot run", {"--exec", "/etc/passwd"}, "Permission denied"},
		{"a quote without end", {"--exec", "agent 'x"}, "has no end"},
		{"no words", {"--exec", "  "}, "--exec: "},
		{"memory for nothing", {"--max-memory", "1K"}, "memory"},
	};
	struct wr_process run;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		const char *line_end;

		wr_test_case(cases[i].label);
		CHECK_U64(wr_process_run(&run, cases[i].arguments, NULL), 1);
		CHECK_U64(run.out_bytes, 0);
		line_end = strrchr(run.err, '\n');
		CHECK(line_end != NULL && line_end[1] == '\0');
		CHECK(has(run.err, cases[i].says));
		CHECK(!has(run.err, "usage:"));
		CHECK(!has(run.err, "listening on"));
	}
}

static void test_a_bound_address_is_refused_with_a_remedy(void)
{
	struct wr_process first, second;

	wr_process_start(&first, NULL, NULL);
	CHECK_U64(wr_process_run(&second, WR_ARGUMENTS("--bind", first.address), NULL), 1);
	CHECK(has(second.err, first.address));
	CHECK(has(second.err, "choose another --bind"));
	CHECK_U64(wr_process_stop(&first), 0);
}

static void test_token_files_that_cannot_be_trusted_or_read_are_refused(void)
{
	static const struct {
		const char *label, *text;
		mode_t mode;
		const char *says;
	} cases[] = {
		{"readable by the group", "secret-secret-secret-secret\n", 0640, "chmod 600"},
		{"readable by all", "secret-secret-secret-secret\n", 0604, "chmod 600"},
		{"writable by all", "secret-secret-secret-secret\n", 0602, "chmod 600"},
		{"empty", "", 0600, "no token in it"},
		{"comments only", "# one\n\n  # two\n", 0600, "no token in it"},
		{"two words", "backend secret\n", 0600, "NAME SCOPES TOKEN"},
		{"four words", "backend observe secret more\n", 0600, "NAME SCOPES TOKEN"},
		{"unknown scope", "ok admin t1\nbackend read t2\n", 0600, "(line 2)"},
		{"empty scope", "backend observe, t\n", 0600, "observe, command and admin"},
		{"scope in other case", "backend Observe t\n", 0600, "observe, command and admin"},
		{"twice", "a observe same\nb admin same\n", 0600, "(line 2)"},
		{"not ASCII", "schl\xc3\xbcssel\n", 0600, "visible ASCII"},
		{"a control byte", "to\x01ken\n", 0600, "visible ASCII"},
		{"a name too long", "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn admin t\n", 0600,
		 "too long"},
	};
	struct wr_process run;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		const char *path = write_file("tokens", cases[i].text, cases[i].mode);

		wr_test_case(cases[i].label);
		CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--token-file", path), NULL), 1);
		CHECK(has(run.err, path));
		CHECK(has(run.err, cases[i].says));
		CHECK(!has(run.err, "secret-secret"));
		unlink(path);
	}
}

static void test_a_token_longer_than_the_longest_is_refused(void)
{
	char token[600];
	struct wr_process run;
	const char *path;

	memset(token, 't', sizeof token - 1);
	token[sizeof token - 1] = '\0';
	CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--local-token", token), NULL), 1);
	CHECK(has(run.err, "too long"));
	path = write_file("tokens", token, 0600);
	CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--token-file", path), NULL), 1);
	CHECK(has(run.err, "too long"));
	unlink(path);
}

/* ---- the configuration file ---- */

static void test_a_file_counts_less_than_flags_and_every_line_says_what_counted(void)
{
	const char *path =
		write_file("config",
			   "# of a test\nbind = \"127.0.0.1:0\"\nruntime_id = 'rt-file'\n"
			   "idle-ms = 77\nretention_bytes = \"3M\"\n"
			   "allow_origin = [\n  \"http://a\",\n  \"http://b\",\n]\n"
			   "log_level = \"error\"\ndurability = \"interval=250\"\n",
			   0644);
	struct wr_process run;
	char line[512];

	CHECK_U64(wr_process_run(&run,
				 WR_ARGUMENTS("--print-config", "--idle-ms=5", "--config", path,
					      "--local-token=correct-horse"),
				 NULL),
		  0);
	CHECK(has(run.out, "idle-ms = 5  # flag\n"));
	CHECK(has(run.out, "drain-ms = 30000  # default\n"));
	CHECK(has(run.out, "# local-token = (hidden)  # flag\n"));
	CHECK(!has(run.out, "correct-horse"));
	snprintf(line, sizeof line,
		 "bind = \"127.0.0.1:0\"  # %s:2\nruntime-id = \"rt-file\"  # %s:3\n", path, path);
	CHECK(has(run.out, line));
	snprintf(line, sizeof line, "allow-origin = [\"http://a\", \"http://b\"]  # %s:6\n", path);
	CHECK(has(run.out, line));
	snprintf(line, sizeof line, "retention-bytes = \"3M\"  # %s:5\n", path);
	CHECK(has(run.out, line));

	wr_process_start(&run, WR_ARGUMENTS("--config", path), NULL);
	CHECK(wr_process_wait_text(&run, "; runtime rt-file\n", WR_PROCESS_WAIT_MS));
	CHECK_U64(wr_process_stop(&run), 0);
	unlink(path);
}

static void test_the_environment_counts_less_than_flags_and_must_mean_something(void)
{
	static const struct {
		const char *label, *variable, *says;
	} cases[] = {
		{"unknown", "WORKER_RUNTIME_BINDD=hunter2",
		 "worker-runtime: the environment has WORKER_RUNTIME_BINDD, and there is no such "
		 "setting; unset it"},
		{"one that only asks", "WORKER_RUNTIME_HELP=true", "has WORKER_RUNTIME_HELP, and"},
		{"a value", "WORKER_RUNTIME_IDLE_MS=hunter2",
		 "WORKER_RUNTIME_IDLE_MS in the environment cannot be that; it takes MS"},
		{"a file", "WORKER_RUNTIME_CONFIG=/nowhere/at/all", "/nowhere/at/all: No such"},
		{"not with the rest", "WORKER_RUNTIME_STORE=fs",
		 "worker-runtime: WORKER_RUNTIME_STORE: --store fs needs --fs-root DIR"},
	};
	struct wr_process run;

	CHECK_U64(
		wr_process_run(&run,
			       WR_ARGUMENTS("--print-config", "--idle-ms=5",
					    "--local-token-env=WORKER_RUNTIME_TOKEN"),
			       WR_ARGUMENTS("WORKER_RUNTIME_IDLE_MS=6", "WORKER_RUNTIME_DRAIN_MS=7",
					    "WORKER_RUNTIME_ALLOW_ORIGIN=http://a,http://b",
					    "WORKER_RUNTIME_LOCAL_TOKEN=correct-horse",
					    "WORKER_RUNTIME_TOKEN=correct-horse",
					    "WORKER_RUNTIME_CHILD=0123")),
		0);
	CHECK(has(run.out, "idle-ms = 5  # flag\n"));
	CHECK(has(run.out, "drain-ms = 7  # WORKER_RUNTIME_DRAIN_MS\n"));
	CHECK(has(run.out,
		  "allow-origin = [\"http://a\", \"http://b\"]  # WORKER_RUNTIME_ALLOW_ORIGIN\n"));
	CHECK(has(run.out, "# local-token = (hidden)  # WORKER_RUNTIME_LOCAL_TOKEN\n"));
	CHECK(has(run.out, "body-ms = 30000  # default\n"));
	CHECK(!has(run.out, "correct-horse"));
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--check-config"),
					 WR_ARGUMENTS(cases[i].variable)),
			  2);
		CHECK(has(run.err, cases[i].says));
		CHECK(!has(run.err, "usage:") && !has(run.err, "hunter2"));
		CHECK_U64(run.out_bytes, 0);
	}
}

static void test_wrong_files_are_told_with_their_line_and_end_with_2(void)
{
	static const struct {
		const char *label, *text, *says;
	} cases[] = {
		{"unknown key", "# x\nbindd = 'x'\n", ":2: there is no key `bindd`"},
		{"a secret", "local_token = 'hunter2'\n", ":1: `local_token` is a secret"},
		{"a value", "\n\nidle_ms = 'hunter2'\n",
		 ":3: `idle_ms` cannot be that; it takes MS"},
		{"a form", "idle_ms = hunter2\n", ":1: a value is a string in quotes, a number"},
		{"a section", "[[remote]]\n", ":1: there is no section [remote]"},
		{"twice", "bind = '[::1]:0'\nbind = '[::1]:0'\n", ":2: `bind` stands on line 1"},
		{"not UTF-8", "# \xff\n", ":1: this line is not UTF-8"},
		{"not with the rest", "\nstore = 'fs'\n", ":2: --store fs needs --fs-root DIR"},
		{"a profile of no name", "default_profile = 'x'\n", ":1: --default-profile: "},
	};
	struct wr_process run;
	char begins[300];

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		const char *path = write_file("config", cases[i].text, 0644);

		wr_test_case(cases[i].label);
		CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--config", path), NULL), 2);
		snprintf(begins, sizeof begins, "worker-runtime: %s%s", path, cases[i].says);
		CHECK(strncmp(run.err, begins, strlen(begins)) == 0);
		CHECK(strchr(run.err, '\n')[1] == '\0');
		CHECK(!has(run.err, "hunter2"));
		CHECK_U64(run.out_bytes, 0);
		unlink(path);
	}
	CHECK_U64(wr_process_run(&run, WR_ARGUMENTS("--config", "/nowhere/at/all"), NULL), 2);
	CHECK(has(run.err, "/nowhere/at/all: No such file"));
}

static void test_check_config_says_ok_or_what_is_wrong(void)
{
	static const struct {
		const char *label;
		const char *arguments[ARGUMENTS_MAX];
		const char *says; /* NULL: ok */
	} cases[] = {
		{"defaults", {"--check-config"}, NULL},
		{"a program", {"--check-config", "--exec", "sh -c 'exit 1'"}, NULL},
		{"a store that is not there yet", {"--fs-root=/nowhere", "--check-config"}, NULL},
		{"no such flag", {"--check-config", "--colour"}, "no flag --colour"},
		{"no such file", {"--check-config", "--config=/nowhere"}, "/nowhere: No such file"},
		{"no such tokens", {"--check-config", "--token-file=/nowhere"}, "No such file"},
		{"no such program",
		 {"--exec=/nowhere/agent", "--check-config"},
		 "path of a program"},
		{"a quote", {"--exec", "agent 'x", "--check-config"}, "has no end"},
		{"not safe", {"--bind=0.0.0.0:0", "--check-config"}, "--token-file"},
		{"fs without a folder", {"--check-config", "--store=fs"}, "--fs-root"},
	};
	struct wr_process run;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		CHECK_U64(wr_process_run(&run, cases[i].arguments, NULL),
			  cases[i].says == NULL ? 0 : 2);
		CHECK(strcmp(run.out, cases[i].says == NULL ? "ok\n" : "") == 0);
		CHECK(cases[i].says == NULL ? run.err_bytes == 0 : has(run.err, cases[i].says));
	}
}

/* ---- what it says and gives up when it starts ---- */

static void test_the_first_line_names_address_and_runtime(void)
{
	struct wr_process run;

	wr_process_start(&run, WR_ARGUMENTS("--runtime-id", "rt-a", "--log-level=error"), NULL);
	CHECK(strncmp(run.address, "127.0.0.1:", 10) == 0 && atoi(run.address + 10) > 0);
	CHECK(wr_process_wait_text(&run, "; runtime rt-a\n", WR_PROCESS_WAIT_MS));
	CHECK(has(run.err, "worker-runtime: listening on 127.0.0.1:"));
	CHECK_U64(run.out_bytes, 0);
	CHECK_U64(wr_process_stop(&run), 0);
}

static void test_two_processes_make_different_ids(void)
{
	struct wr_process first, second;
	const char *a, *b;

	wr_process_start(&first, NULL, NULL);
	wr_process_start(&second, NULL, NULL);
	CHECK(wr_process_wait_text(&first, "; runtime runtime-mem-", WR_PROCESS_WAIT_MS));
	CHECK(wr_process_wait_text(&second, "; runtime runtime-mem-", WR_PROCESS_WAIT_MS));
	a = strstr(first.err, "runtime-mem-");
	b = strstr(second.err, "runtime-mem-");
	CHECK(memcmp(a, b, 28) != 0);
	CHECK_U64(wr_process_stop(&first), 0);
	CHECK_U64(wr_process_stop(&second), 0);
}

static void test_it_serves_on_v6_and_on_a_unix_socket(void)
{
	char unix_address[64];
	const char *addresses[2] = {"[::1]:0", unix_address};

	snprintf(unix_address, sizeof unix_address, "unix:/tmp/wr-cli-%ld.sock", (long)getpid());
	for (size_t i = 0; i < 2; i++) {
		struct wr_process server;
		struct wr_client client;
		struct wr_answer answer;

		wr_test_case(addresses[i]);
		wr_process_start(&server, WR_ARGUMENTS("--bind", addresses[i]), NULL);
		wr_client_open(&client, &server, NULL);
		wr_client_get(&client, &answer, "/v1/runtime");
		CHECK_U64(answer.status, 200);
		wr_client_close(&client);
		CHECK_U64(wr_process_stop(&server), 0);
	}
	CHECK(!wr_test_find_file(unix_address + strlen("unix:")));
}

/* A file of /proc about the process, NUL bytes made visible. */
static const char *read_proc(const struct wr_process *process, const char *name)
{
	static char text[65536];
	char path[64];
	FILE *file;
	size_t bytes;

	snprintf(path, sizeof path, "/proc/%ld/%s", (long)process->pid, name);
	file = fopen(path, "r");
	if (file == NULL)
		return NULL;
	bytes = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	for (size_t i = 0; i < bytes; i++)
		if (text[i] == '\0')
			text[i] = '|';
	text[bytes] = '\0';
	return text;
}

static void test_a_secret_is_not_in_arguments_environment_or_log(void)
{
	static const char *const environment[] = {"WR_TEST_TOKEN=battery-staple-env",
						  "WORKER_RUNTIME_LOCAL_TOKEN=battery-staple-x",
						  NULL};
	struct wr_process server;
	struct wr_client client;
	struct wr_answer answer;
	const char *text;

	wr_process_start(&server,
			 WR_ARGUMENTS("--local-token", "correct-horse-one",
				      "--local-token=correct-horse-two", "--local-token-env",
				      "WR_TEST_TOKEN", "--log-level=debug"),
			 environment);
	if (wr_process_is_emulated(&server))
		wr_test_skip("/proc shows the emulator");
	text = read_proc(&server, "cmdline");
	if (text == NULL)
		wr_test_skip("no /proc here");
	CHECK(has(text, "--local-token"));
	CHECK(!has(text, "correct-horse"));
	text = read_proc(&server, "environ");
	CHECK(text == NULL || !has(text, "battery-staple"));
	wr_client_open(&client, &server, "battery-staple-env");
	wr_client_get(&client, &answer, "/v1/runtime");
	CHECK_U64(answer.status, 200);
	client.token = "correct-horse-two";
	wr_client_get(&client, &answer, "/v1/runtime");
	CHECK_U64(answer.status, 200);
	client.token = "correct-horse-one"; /* the later one wins */
	wr_client_get(&client, &answer, "/v1/runtime");
	CHECK_U64(answer.status, 401);
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
	CHECK(has(server.err, "token_in_arguments"));
	CHECK(!has(server.err, "correct-horse") && !has(server.err, "battery-staple"));
}

static void test_root_is_warned_and_served(void)
{
	struct wr_process server;

	wr_process_start(&server, NULL, NULL);
	CHECK_U64(wr_process_stop(&server), 0);
	CHECK(has(server.err, "running_as_root") == (geteuid() == 0));
}

static void test_the_process_gives_up_privileges_and_core_files(void)
{
	struct wr_process server;
	const char *text, *line;
	unsigned long soft, hard;

	wr_process_start(&server, NULL, NULL);
	text = read_proc(&server, "status");
	if (text == NULL)
		wr_test_skip("no /proc here");
	CHECK(has(text, "NoNewPrivs:\t1"));
	text = read_proc(&server, "limits");
	CHECK(text != NULL);
	line = strstr(text, "Max core file size");
	CHECK(line != NULL && sscanf(line + 18, "%lu %lu", &soft, &hard) == 2);
	CHECK_U64(soft, 0);
	CHECK_U64(hard, 0);
	line = strstr(text, "Max open files");
	CHECK(line != NULL && sscanf(line + 14, "%lu %lu", &soft, &hard) == 2);
	CHECK_U64(soft, hard);
	CHECK_U64(wr_process_stop(&server), 0);
}

/* Resident after a first answer; *is_shared: with a libc that others share. */
static size_t resident_bytes(bool *is_shared)
{
	struct wr_process server;
	struct wr_client client;
	struct wr_answer answer;
	const char *maps;
	size_t bytes;

	wr_process_start(&server, NULL, NULL);
	wr_client_open(&client, &server, NULL);
	wr_client_get(&client, &answer, "/v1/runtime");
	bytes = wr_process_is_emulated(&server) ? 0 : wr_process_rss_bytes(&server);
	maps = read_proc(&server, "maps");
	*is_shared = maps == NULL || has(maps, ".so");
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
	return bytes;
}

static int compare_sizes(const void *a, const void *b)
{
	const size_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* The kernel maps the pages around a touched one, too, and where they lie is drawn at every start:
 * so the median of some starts is looked at. */
static void test_it_needs_about_a_mebibyte(void)
{
	size_t bytes[7];
	bool is_shared = false;

	if (getenv("WR_RELEASE") != NULL)
		setenv("WR_BUILD", getenv("WR_RELEASE"), 1);
	else if (wr_process_is_sanitized())
		wr_test_skip("a sanitizer's own memory hides the program's");
	for (unsigned i = 0; i < WR_COUNT(bytes); i++)
		bytes[i] = resident_bytes(&is_shared);
	qsort(bytes, WR_COUNT(bytes), sizeof bytes[0], compare_sizes);
	if (bytes[0] == 0)
		wr_test_skip("no /proc here, or it shows an emulator");
	/* A shared libc costs more than a mebibyte by itself, and a thread of a static one, which
	 * only the store needs, a quarter; so do the tables of TLS, where they are relocated. */
	CHECK(bytes[WR_COUNT(bytes) / 2] <
	      (is_shared ? 3u << 20
			 : (9u << 17) + (WR_FS_STORE ? 1u << 18 : 0) + (WR_TLS ? 1u << 18 : 0)));
}

/* Every allocation of the start fails at one of these limits, and every one behind it at another.
 */
static void test_every_memory_limit_is_enough_or_refused(void)
{
	unsigned refused = 0, served = 0;

	for (unsigned bytes = 1000; bytes < 200000; bytes += bytes / 8) {
		struct wr_process run;
		char limit[32];

		snprintf(limit, sizeof limit, "%u", bytes);
		wr_test_case(limit);
		wr_process_spawn(
			&run, NULL,
			WR_ARGUMENTS("--max-memory", limit, "--exec", "cat", "--log-level=error"),
			NULL);
		if (!wr_process_wait_text(&run, "; runtime", WR_PROCESS_WAIT_MS)) {
			CHECK_U64(wr_process_wait(&run, WR_PROCESS_WAIT_MS), 1);
			CHECK(has(run.err, "memory"));
			refused++;
			continue;
		}
		served++;
		/* An answer may be too much then, but not the end of it. */
		const char *at = strstr(run.err, "listening on ") + strlen("listening on ");
		char address[64];
		snprintf(address, sizeof address, "%.*s", (int)strcspn(at, ";"), at);
		int fd = wr_connect(address, 0);
		char byte;
		CHECK(fd >= 0);
		wr_send_all(fd, WR_VIEW("GET /v1/runtime HTTP/1.0\r\n\r\n"), WR_CLIENT_WAIT_MS);
		CHECK(wr_receive_some(fd, &byte, 1, WR_CLIENT_WAIT_MS) >= 0);
		close(fd);
		CHECK_U64(wr_process_stop(&run), 0);
	}
	CHECK(refused > 10 && served > 0);
}

static void test_a_closed_stderr_is_survived(void)
{
	struct wr_process server;
	int fd;

	wr_process_start(&server, WR_ARGUMENTS("--local-token=x"), NULL);
	fd = server.err_fd;
	close(fd);
	server.err_fd = -1;
	for (int i = 0; i < 20; i++) {
		struct wr_client client;
		struct wr_answer answer;
		wr_client_open(&client, &server, "wrong"); /* each a line of the log */
		wr_client_get(&client, &answer, "/v1/runtime");
		CHECK_U64(answer.status, 401);
		wr_client_close(&client);
	}
	CHECK_U64(wr_process_stop(&server), 0);
}

static void test_closed_standard_descriptors_are_not_given_to_clients(void)
{
	struct wr_process server;
	struct wr_client client;
	struct wr_answer answer;
	char command[512];
	uint64_t end = wr_process_now_ms() + WR_PROCESS_WAIT_MS;
	int fd;

	snprintf(command, sizeof command,
		 "exec %s --bind unix:/tmp/wr-closed-%ld.sock --local-token t 0<&- 1>&- 2>&-",
		 wr_process_program(), (long)getpid());
	wr_process_spawn(&server, "/bin/sh", WR_ARGUMENTS("-c", command), NULL);
	snprintf(server.address, sizeof server.address, "unix:/tmp/wr-closed-%ld.sock",
		 (long)getpid());
	/* It cannot say that it listens. */
	while ((fd = wr_connect(server.address, 0)) < 0) {
		CHECK(wr_process_now_ms() < end);
		poll(NULL, 0, 5);
	}
	close(fd);
	wr_client_open(&client, &server, "wrong");
	for (int i = 0; i < 3; i++) {
		wr_client_get(&client, &answer, "/v1/runtime"); /* each is a line of the log */
		CHECK_U64(answer.status, 401);
	}
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_help_has_one_line_for_each_flag_and_goes_to_stdout),
	WR_TEST(test_every_flag_is_in_the_manual),
	WR_TEST(test_version_goes_to_stdout),
	WR_TEST(test_print_config_shows_what_counts_and_hides_secrets),
	WR_TEST(test_what_could_not_be_told_is_a_failure),
	WR_TEST(test_connections_are_no_more_than_descriptors_leave),
	WR_TEST_LIMIT(test_usage_errors_say_why_and_end_with_2, 30),
	WR_TEST_LIMIT(test_unsafe_and_impossible_starts_name_the_remedy_and_end_with_1, 30),
	WR_TEST(test_a_bound_address_is_refused_with_a_remedy),
	WR_TEST_LIMIT(test_token_files_that_cannot_be_trusted_or_read_are_refused, 30),
	WR_TEST(test_a_token_longer_than_the_longest_is_refused),
	WR_TEST(test_a_file_counts_less_than_flags_and_every_line_says_what_counted),
	WR_TEST(test_the_environment_counts_less_than_flags_and_must_mean_something),
	WR_TEST(test_wrong_files_are_told_with_their_line_and_end_with_2),
	WR_TEST(test_check_config_says_ok_or_what_is_wrong),
	WR_TEST(test_the_first_line_names_address_and_runtime),
	WR_TEST(test_two_processes_make_different_ids),
	WR_TEST(test_it_serves_on_v6_and_on_a_unix_socket),
	WR_TEST(test_a_secret_is_not_in_arguments_environment_or_log),
	WR_TEST(test_root_is_warned_and_served),
	WR_TEST(test_the_process_gives_up_privileges_and_core_files),
	WR_TEST(test_it_needs_about_a_mebibyte),
	WR_TEST_LIMIT(test_every_memory_limit_is_enough_or_refused, 60),
	WR_TEST(test_a_closed_stderr_is_survived),
	WR_TEST(test_closed_standard_descriptors_are_not_given_to_clients),
	WR_TEST_END};
