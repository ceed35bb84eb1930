/*
 * Goal: the console works in a real browser, and a reload, a restart of the Backend and one of the
 * Runtime neither lose nor double a line; and what goes wrong is told, with its remedy. Method:
 * console_test.py and console_trouble.py drive headless Chromium; when they want a program started
 * again they say so through a pipe, and this test kills that program and starts it.
 */
#include "harness/backend.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SKIPPED = 77, WAIT_MS = 90000 };

static struct wr_place place;
static struct wr_process runtime, backend, driver;
static char runtime_address[128], listen_address[128], store[128], embedded_store[128], agent[512];
static int asked_fd, done_fd;

static int open_pipe(const char *name)
{
	char path[160];
	int fd;

	snprintf(path, sizeof path, "%s/%s", place.root, name);
	CHECK(mkfifo(path, 0600) == 0);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC); /* both ends: it never ends */
	CHECK(fd >= 0);
	return fd;
}

static void start_runtime(const char *address)
{
	wr_process_start(&runtime,
			 WR_ARGUMENTS("--bind", address, "--fs-root", store, "--exec", agent,
				      "--exec-mode", "jsonl"),
			 NULL);
}

static void start_backend(const char *address)
{
	wr_backend_start(&backend, &place,
			 WR_ARGUMENTS("--listen", address, "--fs-root", embedded_store, "--exec",
				      agent, "--exec-mode", "jsonl"));
}

static void restart(struct wr_process *process)
{
	wr_process_signal(process, SIGKILL);
	wr_process_wait(process, WR_PROCESS_WAIT_MS);
	if (process == &runtime)
		start_runtime(runtime_address);
	else
		start_backend(listen_address);
	CHECK(write(done_fd, "\n", 1) == 1);
}

/* Does what the driver asks for until it ends; gives its exit code. */
static int serve_driver(void)
{
	uint64_t until = wr_process_now_ms() + WAIT_MS;
	char letter;

	while (wr_process_is_alive(&driver)) {
		CHECK(wr_process_now_ms() < until);
		wr_process_wait_text(&driver, "never said", 50); /* collects what it prints */
		if (read(asked_fd, &letter, 1) == 1 && letter != '\n')
			restart(letter == 'r' ? &runtime : &backend);
	}
	return wr_process_wait(&driver, WR_PROCESS_WAIT_MS);
}

static void start_driver(const char *script, const char *runtime_id)
{
	char base[160], backend_command[400], runtime_command[400];

	if (!wr_test_find_file(script))
		wr_test_skip("run from the root of the repository");
	snprintf(base, sizeof base, "http://%s", listen_address);
	snprintf(backend_command, sizeof backend_command, "echo b >%s/asked; read x <%s/done",
		 place.root, place.root);
	snprintf(runtime_command, sizeof runtime_command, "echo r >%s/asked; read x <%s/done",
		 place.root, place.root);
	wr_process_spawn(&driver, wr_test_program("env"),
			 WR_ARGUMENTS("python3", script, base, "--runtime", runtime_id,
				      "--restart-backend", backend_command, "--restart-runtime",
				      runtime_command, "--interrupt"),
			 NULL);
}

static void use_console(const char *script, const char *runtime_id)
{
	int code;

	wr_place_make(&place);
	asked_fd = open_pipe("asked");
	done_fd = open_pipe("done");
	snprintf(agent, sizeof agent, "%.*s/examples/agent",
		 (int)(strrchr(wr_process_program(), '/') - wr_process_program()),
		 wr_process_program());
	snprintf(store, sizeof store, "%s/store", place.root);
	snprintf(embedded_store, sizeof embedded_store, "%s/embedded", place.root);
	start_runtime("127.0.0.1:0");
	snprintf(runtime_address, sizeof runtime_address, "%s", runtime.address);
	wr_place_configure(&place, runtime_address);
	start_backend("127.0.0.1:0");
	snprintf(listen_address, sizeof listen_address, "%s", backend.address);
	start_driver(script, runtime_id);
	code = serve_driver();
	CHECK_U64(wr_process_stop(&backend), 0);
	CHECK_U64(wr_process_stop(&runtime), 0);
	wr_place_remove(&place);
	if (code == SKIPPED)
		wr_test_skip("there is no Chromium here, or it does not start");
	if (code != 0)
		printf("%s%s", driver.out, driver.err);
	CHECK_U64((uint64_t)code, 0);
}

static void test_the_console_shows_a_remote_runtime(void)
{
	use_console("tests/e2e/console_test.py", "remote:box");
}

static void test_the_console_shows_the_embedded_runtime(void)
{
	use_console("tests/e2e/console_test.py", "backend-internal");
}

static void test_the_console_says_what_went_wrong(void)
{
	use_console("tests/e2e/console_trouble.py", "remote:box");
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_the_console_shows_a_remote_runtime, 120),
	WR_TEST_LIMIT(test_the_console_shows_the_embedded_runtime, 120),
	WR_TEST_LIMIT(test_the_console_says_what_went_wrong, 120),
	WR_TEST_END,
};
