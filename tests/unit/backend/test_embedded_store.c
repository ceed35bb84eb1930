/* Goal: an embedded Runtime keeps what worker-runtime keeps: cursors and streams go on after a
 * restart, to the byte and as the policy says, and an answer waits until it may be told. Method:
 * clients on real sockets over a store in a folder of its own, and a disk that says no. */
#include "unit/backend/embedded_client.h"

#include "io/store/disk.h"

#define W1 "worker-00000001"

/* ---- restarts ---- */

enum { INPUTS = 100 };

/* Memory keeps a few events only, so that most come from the store, by a second encoding. */
static void open_kept(void)
{
	rig_prepare();
	rig.hosting.worker_retention_events = 5;
	rig_use_store();
	rig_open();
}

static void test_a_cursor_is_good_after_a_restart(void)
{
	static const unsigned from[] = {0, 1, 2, 50, 93, 96, 99, 100};
	char cursor[WR_CURSOR_BYTES + 1];
	struct client first, again;

	open_kept();
	rig_create(1);
	client_open(&first, W1, NULL);
	client_await(&first, 1);
	for (unsigned i = 1; i <= INPUTS; i++) {
		say(W1, i);
		if (i % 7 == 0)
			client_await(&first, i);
	}
	client_await(&first, INPUTS + 1);
	check_frames(&first, W1);
	for (unsigned life = 0; life < 3; life++) {
		for (unsigned i = 0; i < WR_COUNT(from); i++) {
			frame_cursor(&first, from[i], cursor);
			client_open(&again, W1, cursor);
			client_await(&again, INPUTS - from[i]);
			client_settle(&again);
			CHECK_U64(again.count, INPUTS - from[i]);
			check_same_frames(&again, 0, &first, from[i] + 1, again.count);
			client_close(&again);
		}
		rig_stop();
		rig_start();
	}
	CHECK_U64(rig_page(W1, 0, 200), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.entry_count, INPUTS);
	CHECK_STRING(wr_view_of_string(got.entries[99].content), "input 100.");
	client_close(&first);
	rig_close();
}

static void test_a_stream_that_is_resumed_over_a_restart_lacks_nothing(void)
{
	char cursor[WR_CURSOR_BYTES + 1];
	struct client before, after;

	open_kept();
	rig_create(1);
	client_open(&before, W1, NULL);
	say(W1, 1);
	client_await(&before, 2);
	say(W1, 2);
	say(W1, 3);
	rig_stop();
	rig_start();
	frame_cursor(&before, 1, cursor);
	client_open(&after, W1, cursor);
	say(W1, 4);
	client_await(&after, 3);
	CHECK(frame_has(&after, 0, "input 2.") && frame_has(&after, 1, "input 3.") &&
	      frame_has(&after, 2, "input 4."));
	check_frames(&after, W1);
	client_close(&after);
	client_close(&before);
	rig_close();
}

static void test_a_policy_holds_for_what_comes_from_the_store(void)
{
	char cursor[WR_CURSOR_BYTES + 1];
	struct rules rules = {.count = 0};
	struct client client, again;

	rig_prepare();
	rig.policy = (struct wr_policy){.context = &rules, .on_event = rules_judge};
	rig.hosting.worker_retention_events = 2;
	rig_use_store();
	rig_open();
	rig_create(1);
	client_open(&client, W1, NULL);
	client_await(&client, 1);
	for (unsigned i = 1; i <= 30; i++)
		CHECK_U64(rig_input(W1, i % 3 == 0   ? "secret"
					: i % 3 == 1 ? "redact"
						     : "plain"),
			  WR_SOURCE_ACCEPTED);
	client_await(&client, 21);
	rig_stop();
	rig_start();
	frame_cursor(&client, 0, cursor);
	client_open(&again, W1, cursor);
	client_await(&again, 20);
	client_settle(&again);
	CHECK_U64(again.count, 20);
	check_same_frames(&again, 0, &client, 1, 20);
	for (unsigned i = 0; i < again.count; i++)
		CHECK(!frame_has(&again, i, "secret") && !frame_has(&again, i, "redact"));
	client_close(&again);
	client_close(&client);
	rig_close();
}

static void test_an_answer_waits_until_its_input_is_kept(void)
{
	const struct wr_spawn_request request = {.intent = WR_SPAWN_COMPANION};
	struct client client;

	open_kept();
	CHECK_U64(rig_spawn(&request), WR_SOURCE_ACCEPTED);
	CHECK(got.result.hold_until != 0);
	/* Nothing is told of what may still be lost. */
	CHECK_U64(rig_ask(WR_SOURCE_DETAIL, W1), WR_SOURCE_UNKNOWN_WORKER);
	CHECK(!wr_embedded_runtime_is_settled(rig.handle));
	client_ask(&client, "hold/" W1, "");
	client_await_head(&client);
	CHECK_U64(client.http, 200);
	CHECK(view_has(wr_view_of(client.data, client.bytes), "event "));
	CHECK(wr_embedded_runtime_is_settled(rig.handle));
	CHECK_U64(rig_page(W1, 0, 200), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.entry_count, 1);
	CHECK_STRING(wr_view_of_string(got.entries[0].content), "held");
	client_close(&client);
	rig_close();
}

/* ---- a disk that says no ---- */

#if WR_FS_STORE

static struct wr_posix_disk real_disk;
static struct wr_disk_ops failing_ops;
static bool is_disk_failing;

static int sync_as_told(void *context, int handle)
{
	struct wr_disk real = wr_posix_disk_port(&real_disk);

	return is_disk_failing ? -EIO : real.ops->sync(context, handle);
}

static void let_disk_fail(void)
{
	is_disk_failing = true;
}

static void test_a_store_that_fails_is_told_once_and_refuses_commands(void)
{
	struct wr_runtime_overview overview;
	struct wr_disk disk;
	struct client client;
	int os_error;

	rig_prepare();
	rig_use_store();
	CHECK(wr_posix_disk_open(&real_disk, rig.folder, false, &os_error));
	disk = wr_posix_disk_port(&real_disk);
	failing_ops = *disk.ops;
	failing_ops.sync = sync_as_told;
	disk.ops = &failing_ops;
	rig.hosting.disk = &disk;
	rig_open();
	rig_create(1);
	rig.on_held = let_disk_fail;
	client_ask(&client, "hold/" W1, "");
	client_await_head(&client);
	CHECK_U64(client.http, 500);
	CHECK_U64(rig.failed_count, 1);
	rig_input(W1, "more");
	check_refused(WR_SOURCE_FAILED, "embedded_runtime_store_error");
	rig_ask(WR_SOURCE_STOP, W1);
	check_refused(WR_SOURCE_FAILED, "embedded_runtime_store_error");
	CHECK_U64(rig_list(200), WR_SOURCE_ACCEPTED);
	CHECK_U64(got.worker_count, 1);
	rig.handle->ops->overview(rig.handle, &overview);
	CHECK_STRING(overview.status, "unavailable");
	CHECK(has_notice(&overview.notices, "embedded_runtime_store_error", WR_NOTICE_ERROR));
	check_notices(&overview.notices);
	CHECK(wr_embedded_runtime_is_settled(rig.handle));
	rig_wait();
	CHECK_U64(rig.failed_count, 1);
	client_close(&client);
	rig_stop();
	rig_close_loop();
	wr_posix_disk_close(&real_disk);
	rig_remove_folder();
}

#endif

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_a_cursor_is_good_after_a_restart, 60),
	WR_TEST_LIMIT(test_a_stream_that_is_resumed_over_a_restart_lacks_nothing, 60),
	WR_TEST_LIMIT(test_a_policy_holds_for_what_comes_from_the_store, 60),
	WR_TEST_LIMIT(test_an_answer_waits_until_its_input_is_kept, 60),
#if WR_FS_STORE
	WR_TEST_LIMIT(test_a_store_that_fails_is_told_once_and_refuses_commands, 60),
#endif
	WR_TEST_END,
};
