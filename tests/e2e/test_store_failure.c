/* Goal: a disk that says no (reliability 5). A failed sync ends all writing, typed and for good,
 * and nothing that was not acknowledged is; a full disk refuses writes only, and only while it is
 * full. Method: the program's own server in a process of this test, over the real folder, with a
 * disk that fails when it is told to. */
#include "e2e/store_folder.h"
#include "harness/config.h"
#include "io/store/disk.h"
#include "runtime_server/server.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* Shared with the server's process. */
static struct orders {
	atomic_int sync_error;	/* of every sync from now on */
	atomic_int space_error; /* of every new file */
} * orders;

static struct wr_posix_disk real;
static struct wr_disk real_port, told;
static struct wr_disk_ops told_ops;

static int sync_as_told(void *context, int handle)
{
	int error = atomic_load(&orders->sync_error);

	return error != 0 ? -error : real_port.ops->sync(context, handle);
}

static int open_as_told(void *context, const char *name, enum wr_disk_open how)
{
	int error = atomic_load(&orders->space_error);

	return how == WR_DISK_CREATE && error != 0 ? -error
						   : real_port.ops->open(context, name, how);
}

static void open_disk(void)
{
	int os_error;

	CHECK(wr_posix_disk_open(&real, folder, false, &os_error));
	real_port = wr_posix_disk_port(&real);
	told_ops = *real_port.ops;
	told_ops.sync = sync_as_told;
	told_ops.open = open_as_told;
	told = (struct wr_disk){&told_ops, real_port.context};
}

static const char *program; /* of --exec, or NULL */

static _Noreturn void serve(int address_fd, const char *on_failure)
{
	static struct wr_config config;
	static struct wr_tokens tokens;
	static struct wr_server self;
	const char *const argv[] = {"worker-runtime",
				    "--fs-root",
				    folder,
				    "--fs-segment-bytes",
				    "5M",
				    "--fs-bytes",
				    "40M",
				    "--on-store-failure",
				    on_failure,
				    "--log-level",
				    "error",
				    "--exec",
				    program};
	char storage[512], address[WR_ADDRESS_TEXT_BYTES_MAX];
	struct wr_buf message;
	bool is_orderly;

	wr_buf_init_fixed(&message, storage, sizeof storage);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	open_disk();
	wr_test_config(&config, (int)WR_COUNT(argv) - (program == NULL ? 2 : 0), argv);
	config.hosting.disk = &told;
	CHECK(wr_server_init(&self, &config, &tokens, 0, &message));
	wr_address_format(address, wr_http_server_address(self.http));
	CHECK(write(address_fd, address, strlen(address) + 1) > 0);
	is_orderly = wr_server_run(&self);
	wr_server_deinit(&self);
	wr_posix_disk_close(&real);
	_exit(is_orderly ? 0 : 1);
}

static void start_told(const char *on_failure)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	if (orders == NULL) {
		orders = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		CHECK(orders != MAP_FAILED);
	}
	atomic_store(&orders->sync_error, 0);
	atomic_store(&orders->space_error, 0);
	memset(&server, 0, sizeof server);
	server.pid = fork();
	CHECK(server.pid >= 0);
	if (server.pid == 0)
		serve(fds[1], on_failure);
	close(fds[1]);
	CHECK(read(fds[0], server.address, sizeof server.address) > 0);
	close(fds[0]);
	server.is_running = true;
	server.out_fd = server.err_fd = -1;
	wr_client_open(&client, &server, NULL);
}

static void input(const char *text)
{
	char body[64];

	snprintf(body, sizeof body, "{\"kind\":\"user\",\"content\":\"%s\"}", text);
	post("/v1/workers/worker-00000001/input", body);
}

/* ---- failed ---- */

static void test_a_failed_sync_ends_the_process_and_acknowledges_nothing(void)
{
	struct wr_test_ws stream;
	struct wr_client other;
	int stopped;

	make_folder();
	start_told("exit");
	wr_client_open(&other, &server, NULL);
	post("/v1/workers", CREATE_BODY);
	input("kept");
	CHECK_U64(answer.status, 200);
	CHECK_U64(wr_test_ws_open(&stream, &server, NULL, "/v1/workers/worker-00000001/events/ws"),
		  101);
	wr_test_ws_message(&stream);
	/* Two in one turn, and what stands behind one of them: a connection that is still idle when
	 * the end begins may be closed without an answer. */
	wr_process_signal(&server, SIGSTOP);
	CHECK(waitpid(server.pid, &stopped, WUNTRACED) == server.pid && WIFSTOPPED(stopped));
	/* Not before: what is synced ahead of need would be refused first. */
	atomic_store(&orders->sync_error, EIO);
	wr_client_send_request(&client, "POST", "/v1/workers/worker-00000001/input",
			       "Content-Type: application/json\r\n",
			       "{\"kind\":\"user\",\"content\":\"lost too\"}");
	wr_client_send_request(&other, "POST", "/v1/workers/worker-00000001/input",
			       "Content-Type: application/json\r\n",
			       "{\"kind\":\"user\",\"content\":\"lost\"}");
	wr_client_send_request(&other, "GET", "/healthz", NULL, NULL);
	wr_process_signal(&server, SIGCONT);
	wr_client_receive(&client, &answer);
	check_error(500, "store_io");
	wr_client_receive(&other, &answer);
	check_error(500, "store_io");
	CHECK_STRING(wr_answer_field(&answer, "Connection"), "close");
	CHECK(wr_client_is_ended(&other));
	/* What was not acknowledged was not shown either. */
	wr_test_ws_expect_close(&stream, 1001);
	wr_test_ws_close(&stream);
	CHECK_U64((uint64_t)wr_process_wait(&server, WR_PROCESS_WAIT_MS), 1);
	wr_client_close(&client);
	wr_client_close(&other);
	CHECK(access(path_of("clean"), F_OK) != 0);

	start();
	get("/v1/runtime");
	CHECK(!wr_view_equal(wr_json_find(answer.body, "runtime.store.recovery.result"),
			     WR_VIEW("clean")));
	get("/v1/workers/worker-00000001/transcript");
	check_member("transcript.items.0.content", "kept");
	stop();
	remove_folder();
}

static void test_readonly_lets_everything_be_read(void)
{
	static const char *const commands[] = {"/v1/workers", "/v1/workers/worker-00000001/input",
					       "/v1/workers/worker-00000001/stop",
					       "/v1/workers/worker-00000009/cancel",
					       "/v1/workers/worker-00000001/interrupt"};
	struct wr_test_ws stream;

	make_folder();
	start_told("readonly");
	post("/v1/workers", CREATE_BODY);
	input("kept");
	get("/readyz");
	CHECK_U64(answer.status, 200);
	atomic_store(&orders->sync_error, EIO);
	input("lost");
	check_error(500, "store_io");
	CHECK(wr_client_is_ended(&client));
	wr_client_close(&client);
	wr_client_open(&client, &server, NULL);
	for (size_t i = 0; i < WR_COUNT(commands); i++) {
		wr_test_case(commands[i]);
		post(commands[i], CREATE_BODY);
		check_error(500, "store_io");
	}
	/* Nothing that is lost is shown, and it is not forgotten that it is. */
	get("/v1/workers/worker-00000001/transcript");
	check_member("transcript.total_items", "1");
	check_member("transcript.items.0.content", "kept");
	get("/v1/workers");
	check_member("workers.0.transcript_len", "1");
	get("/v1/runtime");
	check_member("runtime.store.state", "failed");
	get("/readyz");
	check_error(503, "runtime_unavailable");
	get("/healthz");
	CHECK_U64(answer.status, 200);
	CHECK_U64(wr_test_ws_open(&stream, &server, NULL, "/v1/workers/worker-00000001/events/ws"),
		  101);
	CHECK_STRING(wr_json_find(wr_test_ws_message(&stream), "envelope.payload.event"),
		     "snapshot");
	CHECK(kill(server.pid, SIGTERM) == 0);
	wr_test_ws_expect_close(&stream, 1001);
	wr_test_ws_close(&stream);
	wr_client_close(&client);
	CHECK_U64((uint64_t)wr_process_wait(&server, WR_PROCESS_WAIT_MS), 0);
	CHECK(access(path_of("clean"), F_OK) != 0);
	remove_folder();
}

/* A sync is believed once: what failed is not tried again when the disk is well. */
static void test_a_failed_sync_is_never_tried_again(void)
{
	char durable[24];

	make_folder();
	start_told("readonly");
	post("/v1/workers", CREATE_BODY);
	atomic_store(&orders->sync_error, EIO);
	input("lost");
	check_error(500, "store_io");
	atomic_store(&orders->sync_error, 0);
	wr_client_close(&client);
	wr_client_open(&client, &server, NULL);
	get("/v1/runtime");
	wr_json_copy(durable, sizeof durable, answer.body, "runtime.store.durable_sequence");
	for (unsigned i = 0; i < 5; i++) {
		input("more");
		check_error(500, "store_io");
	}
	get("/v1/runtime");
	check_member("runtime.store.state", "failed");
	check_member("runtime.store.durable_sequence", durable);
	wr_client_close(&client);
	CHECK(kill(server.pid, SIGTERM) == 0);
	CHECK_U64((uint64_t)wr_process_wait(&server, WR_PROCESS_WAIT_MS), 0);
	CHECK(access(path_of("clean"), F_OK) != 0);
	remove_folder();
}

/* The end of a program cannot be recorded any more: nobody waits for that. */
static void await_items(uint64_t count)
{
	const uint64_t end_ms = wr_process_now_ms() + WR_PROCESS_WAIT_MS;

	do {
		CHECK(wr_process_now_ms() < end_ms);
		get("/v1/workers/worker-00000001/transcript");
	} while (wr_json_find_u64(answer.body, "transcript.total_items") < count);
}

static void test_programs_do_not_hold_up_the_end_of_a_failed_store(void)
{
	static const char *const policies[] = {"exit", "readonly"};

	program = "cat";
	for (unsigned i = 0; i < WR_COUNT(policies); i++) {
		uint64_t begin;

		wr_test_case(policies[i]);
		make_folder();
		start_told(policies[i]);
		post("/v1/workers", CREATE_BODY);
		input("to a program");
		CHECK_U64(answer.status, 200);
		await_items(2); /* what the program said is not what fails */
		atomic_store(&orders->sync_error, EIO);
		input("lost");
		CHECK(answer.status == 500 || answer.status == 503);
		begin = wr_process_now_ms();
		wr_client_close(&client);
		CHECK(i == 0 || kill(server.pid, SIGTERM) == 0);
		CHECK_U64((uint64_t)wr_process_wait(&server, WR_PROCESS_WAIT_MS), i == 0 ? 1 : 0);
		CHECK(wr_process_now_ms() - begin < 5000);
		remove_folder();
	}
}

/* ---- full ---- */

static char large[1000000];

/* Gives input until it is refused; gives how many were taken. */
static unsigned fill(void)
{
	unsigned count = 0;

	memcpy(large, "{\"kind\":\"user\",\"content\":\"", 26);
	memset(large + 26, 'x', sizeof large - 29);
	memcpy(large + sizeof large - 3, "\"}", 3);
	for (; count < 100; count++) {
		post("/v1/workers/worker-00000001/input", large);
		if (answer.status == 503) {
			/* The next file is being prepared. */
			CHECK(wr_answer_field(&answer, "Retry-After").bytes != 0);
			poll(NULL, 0, 5);
		} else if (answer.status != 200) {
			break;
		}
	}
	return count;
}

static void test_a_full_disk_refuses_writes_and_takes_them_again(void)
{
	uint64_t end;
	char total[24];

	make_folder();
	start_told("exit");
	post("/v1/workers", CREATE_BODY);
	post("/v1/workers", CREATE_BODY);
	atomic_store(&orders->space_error, ENOSPC);
	CHECK(fill() < 100);
	check_error(507, "store_full");
	get("/v1/runtime");
	check_member("runtime.store.state", "full");
	/* Workers can be ended, and everything be read. */
	post("/v1/workers/worker-00000002/stop", "{}");
	CHECK_U64(answer.status, 200);
	get("/v1/workers/worker-00000001");
	CHECK_U64(answer.status, 200);
	wr_json_copy(total, sizeof total, answer.body, "worker.transcript_len");
	get("/readyz");
	CHECK_U64(answer.status, 200);
	atomic_store(&orders->space_error, 0);
	end = wr_process_now_ms() + WR_PROCESS_WAIT_MS;
	do {
		CHECK(wr_process_now_ms() < end);
		poll(NULL, 0, 20);
		post("/v1/workers/worker-00000001/input", large);
	} while (answer.status == 507 || answer.status == 503);
	CHECK_U64(answer.status, 200);
	get("/v1/runtime");
	check_member("runtime.store.state", "ok");
	wr_client_close(&client);
	CHECK(kill(server.pid, SIGTERM) == 0);
	CHECK_U64((uint64_t)wr_process_wait(&server, WR_PROCESS_WAIT_MS), 0);

	/* What was refused did not happen. */
	start();
	get("/v1/workers/worker-00000001");
	CHECK_U64(wr_json_find_u64(answer.body, "worker.transcript_len"),
		  strtoul(total, NULL, 10) + 1);
	get("/v1/workers/worker-00000002");
	check_member("worker.status", "stopped");
	stop();
	remove_folder();
}

/* ---- damaged ---- */

/* Changes one byte of the first place where the log says that. */
static void damage(const char *text)
{
	const char *path = path_of("00000000000000000001.log");
	struct wr_view bytes = wr_test_read_file(path);
	const char *at = memmem(bytes.data, bytes.bytes, text, strlen(text));
	int fd = open(path, O_WRONLY);

	CHECK(at != NULL && fd >= 0);
	CHECK(pwrite(fd, "~", 1, (off_t)(at - bytes.data)) == 1);
	close(fd);
}

static void test_a_damaged_worker_is_named_and_the_others_serve(void)
{
	static const char *const routes[] = {"transcript", "events/ws"};
	static const char *const commands[] = {"input", "stop", "cancel", "interrupt"};

	make_folder();
	start();
	for (unsigned i = 0; i < 2; i++)
		post("/v1/workers", CREATE_BODY);
	input("to be lost");
	input("kept");
	wr_client_input(&client, "worker-00000002", "of another");
	stop();
	damage("to be lost");
	for (unsigned life = 0; life < 2; life++) {
		start();
		get("/v1/runtime");
		check_member("runtime.store.recovery.result", "damaged");
		check_member("runtime.store.recovery.file", "00000000000000000001.log");
		check_member("runtime.store.recovery.quarantined", "1");
		get("/v1/workers");
		check_member("workers.0.store", "corrupt");
		CHECK(wr_json_find(answer.body, "workers.1.store").data == NULL);
		get("/v1/workers/worker-00000001");
		CHECK_U64(answer.status, 200);
		check_member("worker.store", "corrupt");
		for (size_t i = 0; i < WR_COUNT(routes); i++) {
			wr_client_ask(&client, &answer, "GET",
				      i == 0 ? "/v1/workers/worker-00000001/transcript"
					     : "/v1/workers/worker-00000001/events/ws",
				      "Connection: Upgrade\r\nUpgrade: websocket\r\n"
				      "Sec-WebSocket-Version: 13\r\n"
				      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
				      NULL);
			check_error(500, "store_corrupt");
		}
		for (size_t i = 0; i < WR_COUNT(commands); i++) {
			wr_test_case(commands[i]);
			wr_client_post(&client, &answer,
				       i == 0 ? "{\"kind\":\"user\",\"content\":\"x\"}" : "{}",
				       "/v1/workers/worker-00000001/%s", commands[i]);
			check_error(500, "store_corrupt");
		}
		wr_client_input(&client, "worker-00000002", "more");
		get("/v1/workers/worker-00000002/transcript");
		CHECK_U64(answer.status, 200);
		check_member("transcript.items.0.content", "of another");
		stop();
	}
	remove_folder();
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_a_failed_sync_ends_the_process_and_acknowledges_nothing, 30),
	WR_TEST_LIMIT(test_readonly_lets_everything_be_read, 30),
	WR_TEST_LIMIT(test_a_failed_sync_is_never_tried_again, 30),
	WR_TEST_LIMIT(test_programs_do_not_hold_up_the_end_of_a_failed_store, 60),
	WR_TEST_LIMIT(test_a_full_disk_refuses_writes_and_takes_them_again, 60),
	WR_TEST_LIMIT(test_a_damaged_worker_is_named_and_the_others_serve, 30),
	WR_TEST_END,
};
