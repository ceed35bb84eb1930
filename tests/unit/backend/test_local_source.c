/* Goal: what an older tool left is shown as contract 8.12 says, whatever else lies there, and no
 * path, file name, or id of its inside is ever told. Method: a folder in a temporary place with
 * every kind of entry; all texts that come out are searched. */
#include "backend/local_source.h"
#include "backend/platform.h"
#include "check.h"
#include "harness/harness.h"
#include "io/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ROOT "/secret-root/project"
#define SESSION "01978c52-1f3a-7c11-9b2e-5d0a6c4e8f09"
#define SCRIBE "local-worker-scribe-ffb301e28a65f304"
#define IN_ROOT(rest) "{\"worker_name\":\"w\",\"workspace_root\":\"" ROOT "\"" rest "}"

/* ---- a data folder ---- */

static char top[64];

static const char *path_of(const char *relative)
{
	static char path[4][512];
	static unsigned next;
	char *out = path[next++ % WR_COUNT(path)];

	snprintf(out, sizeof path[0], "%s/%s", top, relative);
	return out;
}

static void make_folder(const char *relative)
{
	CHECK(mkdir(path_of(relative), 0700) == 0 || errno == EEXIST);
}

static void write_file(const char *relative, const void *data, size_t bytes)
{
	int fd = open(path_of(relative), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK(write(fd, data, bytes) == (ssize_t)bytes);
	close(fd);
}

static void add_worker(const char *name, const char *json)
{
	char relative[400];

	snprintf(relative, sizeof relative, "pods/%s", name);
	make_folder(relative);
	snprintf(relative, sizeof relative, "pods/%s/metadata.json", name);
	write_file(relative, json, strlen(json));
}

static void make_top(void)
{
	snprintf(top, sizeof top, "/tmp/wr-local-XXXXXX");
	wr_test_make_folder(top);
	make_folder("pods");
}

static void remove_top(void)
{
	char command[192];

	snprintf(command, sizeof command, "chmod -R u+rwx %s; rm -rf %s", top, top);
	CHECK(system(command) == 0);
}

/* ---- a caller ---- */

static uint64_t now = 1000;
static uint64_t tell_now(void)
{
	return now;
}

/* What has been told, line by line: everything a browser could see. */
struct told {
	struct wr_source_call call;
	struct wr_buf text;
	unsigned worker_count, done_count;
	struct wr_source_result result;
};

static void note(struct told *told, struct wr_view text)
{
	wr_buf_append_view(&told->text, text.data != NULL ? text : WR_VIEW("null"));
	wr_buf_append_byte(&told->text, ' ');
}

static void note_notices(struct told *told, const struct wr_notices *notices)
{
	static const char *const severities[] = {"info", "warning", "error"};

	for (uint32_t i = 0; i < notices->count; i++) {
		note(told, wr_view_of_string(notices->items[i].code));
		note(told, wr_view_of_string(severities[notices->items[i].severity]));
		wr_buf_append_byte(&told->text, '\n');
	}
}

static const char *const private_words[] = {"metadata.json", "socket",	   "session",  "01978c52",
					    "/tmp",	     "wr-local",   "pods",     "/",
					    "secret-root",   "credential", "provider", "token"};

static void check_is_public(struct wr_view text)
{
	for (size_t i = 0; i < WR_COUNT(private_words); i++) {
		struct wr_view word = wr_view_of_string(private_words[i]);

		wr_test_case(private_words[i]);
		for (size_t at = 0; at + word.bytes <= text.bytes; at++)
			CHECK(!wr_view_starts(wr_view_skip(text, at), word));
	}
	wr_test_case("");
}

static void check_notices_are_public(const struct wr_notices *notices)
{
	for (uint32_t i = 0; i < notices->count; i++) {
		check_is_public(wr_view_of_string(notices->items[i].code));
		check_is_public(wr_view_of_string(notices->items[i].message));
	}
}

static void on_worker(struct wr_source_call *call, const struct wr_worker_overview *worker)
{
	struct told *told = call->context;

	CHECK_U64(told->done_count, 0);
	told->worker_count++;
	note(told, worker->worker_id);
	note(told, worker->label);
	note(told, worker->display_hint);
	note(told, worker->role);
	note(told, worker->profile);
	note(told, worker->state);
	note(told, worker->status);
	wr_buf_append_byte(&told->text, '\n');
	CHECK_U64(worker->can, 0);
	CHECK_U64(worker->notices.count, 1);
	CHECK_STRING(wr_view_of_string(worker->notices.items[0].code),
		     "worker_actions_not_implemented");
	CHECK(worker->notices.items[0].severity == WR_NOTICE_INFO);
	check_notices_are_public(&worker->notices);
}

static void on_done(struct wr_source_call *call, const struct wr_source_result *result)
{
	struct told *told = call->context;

	told->done_count++;
	told->result = *result;
	note_notices(told, &result->notices);
	check_notices_are_public(&result->notices);
}

static void ask(struct told *told, struct wr_runtime_handle *source,
		enum wr_source_operation operation, const char *worker_id)
{
	*told = (struct told){.call = {.operation = operation,
				       .worker_id = wr_view_of_string(worker_id),
				       .on_worker = on_worker,
				       .on_done = on_done}};
	told->call.context = told;
	if (operation == WR_SOURCE_LIST)
		told->call.as.list.limit = 200;
	wr_buf_init(&told->text, wr_test_allocator(), 1u << 20);
	source->ops->begin(source, &told->call);
	CHECK_U64(told->done_count, 1);
	CHECK_STATUS(wr_buf_status(&told->text), WR_OK);
	check_is_public(wr_buf_view(&told->text));
}

static struct wr_runtime_handle *open_source(const char *folder)
{
	struct wr_local_config config = {.data_folder = wr_view_of_string(folder),
					 .workspace_root = WR_VIEW(ROOT),
					 .workspace_id = WR_VIEW("local:demo"),
					 .now_ms = tell_now};
	struct wr_runtime_handle *source = NULL;

	CHECK_STATUS(wr_local_source_new(&source, wr_test_allocator(), &config), WR_OK);
	return source;
}

static void check_list(const char *expected)
{
	struct wr_runtime_handle *source = open_source(top);
	struct told told;

	ask(&told, source, WR_SOURCE_LIST, NULL);
	CHECK(told.result.outcome == WR_SOURCE_ACCEPTED);
	CHECK_STRING(wr_buf_view(&told.text), expected);
	wr_buf_deinit(&told.text);
	source->ops->free(source);
}

/* ---- lists ---- */

static void test_workers_are_listed_in_byte_order_of_their_folders(void)
{
	make_top();
	add_worker("scribe", IN_ROOT(",\"active\":{\"session_id\":\"" SESSION "\"}"));
	add_worker("Zed", IN_ROOT(",\"active\":{\"session_id\":\"" SESSION
				  "\",\"segment_id\":\"" SESSION "\"}"));
	add_worker("alpha.one",
		   IN_ROOT(",\"resolved_manifest_snapshot\":{\"role\":{\"name\":\"co/der\"},"
			   "\"profile\":\"builtin:\\\\x\"},\"spawned_children\":[{\"worker_name\":"
			   "\"c\",\"socket_path\":\"/tmp/socket\"}]"));
	add_worker("\345\244\234", "{\"worker_name\":\"\345\244\234\\u0007/\",\"workspace_root\":"
				   "\"\\\\secret-root\\\\project\\\\/\","
				   "\"resolved_manifest_snapshot\":{\"role\":\"/\"}}");
	check_list("local-worker-zed-a90e4dc685583c72 w Zed null null active active:segment \n"
		   "local-worker-alpha-one-0bf5e15764606526 w alpha.one coder builtin:x "
		   "metadata_only metadata_only \n" SCRIBE
		   " w scribe null null active active:pending_segment \n"
		   "local-worker-id-a519542a5fb41635 \345\244\234 \345\244\234 null null "
		   "metadata_only metadata_only \n");
	remove_top();
}

static void test_what_cannot_be_shown_leaves_a_notice_or_nothing(void)
{
	static char huge[WR_FOLDER_NAME_BYTES_MAX * 400];

	make_top();
	/* No Workers, and nothing to say. */
	write_file("pods/file", "x", 1);
	CHECK(symlink("scribe", path_of("pods/link")) == 0);
	CHECK(symlink("nowhere", path_of("pods/dangling")) == 0);
	CHECK(mkfifo(path_of("pods/fifo"), 0600) == 0);
	if (mkdir(path_of("pods/\xff\xfe"), 0700) != 0)
		printf("this filesystem has no names that are not UTF-8\n");
	/* Notices, in byte order of the names. */
	make_folder("pods/a-empty");
	make_folder("pods/b-folder");
	make_folder("pods/b-folder/metadata.json");
	make_folder("pods/c-fifo");
	CHECK(mkfifo(path_of("pods/c-fifo/metadata.json"), 0600) == 0);
	make_folder("pods/d-link");
	CHECK(symlink("../scribe/metadata.json", path_of("pods/d-link/metadata.json")) == 0);
	memset(huge, ' ', sizeof huge);
	memcpy(huge, IN_ROOT(""), sizeof IN_ROOT("") - 1);
	make_folder("pods/e-huge");
	write_file("pods/e-huge/metadata.json", huge, sizeof huge);
	add_worker("f-torn", "{\"worker_name\":\"w\",\"workspace_root\":\"" ROOT);
	add_worker("g-none", "");
	add_worker("h-rootless", "{\"worker_name\":\"w\"}");
	add_worker("i-other", "{\"worker_name\":\"w\",\"workspace_root\":\"/secret-root/other\"}");
	add_worker("j-above", "{\"worker_name\":\"w\",\"workspace_root\":\"/secret-root\"}");
	add_worker("scribe", IN_ROOT(""));
	check_list(SCRIBE " w scribe null null metadata_only metadata_only \n"
			  "local_pod_metadata_unreadable warning \n"
			  "local_pod_metadata_unreadable warning \n"
			  "local_pod_metadata_unreadable warning \n"
			  "local_pod_metadata_unreadable warning \n"
			  "local_pod_metadata_unreadable warning \n"
			  "local_pod_metadata_invalid warning \n"
			  "local_pod_metadata_invalid warning \n"
			  "local_pod_workspace_root_missing warning \n"
			  "local_pod_workspace_not_visible info \n"
			  "local_pod_workspace_not_visible info \n");
	remove_top();
}

static void test_a_file_that_is_exactly_as_large_as_allowed_is_read(void)
{
	static char large[65536 + 1];
	static const char json[] = IN_ROOT("");

	make_top();
	memset(large, ' ', sizeof large);
	memcpy(large, json, sizeof json - 1);
	make_folder("pods/scribe");
	write_file("pods/scribe/metadata.json", large, 65536);
	check_list(SCRIBE " w scribe null null metadata_only metadata_only \n");
	write_file("pods/scribe/metadata.json", large, 65537);
	check_list("local_pod_metadata_unreadable warning \n");
	remove_top();
}

static void test_a_socket_is_no_file(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	make_top();
	make_folder("pods/scribe");
	snprintf(address.sun_path, sizeof address.sun_path, "%s/pods/scribe/metadata.json", top);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
	check_list("local_pod_metadata_unreadable warning \n");
	close(fd);
	remove_top();
}

static void test_what_may_not_be_read_leaves_a_notice(void)
{
	if (geteuid() == 0)
		wr_test_skip("everything may be read by root");
	make_top();
	add_worker("scribe", IN_ROOT(""));
	CHECK(chmod(path_of("pods/scribe/metadata.json"), 0) == 0);
	check_list("local_pod_metadata_unreadable warning \n");
	CHECK(chmod(path_of("pods/scribe"), 0) == 0);
	check_list("local_pod_metadata_unreadable warning \n");
	CHECK(chmod(path_of("pods"), 0) == 0);
	check_list("local_pod_registry_unreadable warning \n");
	remove_top();
}

static void test_without_the_folder_there_is_a_notice(void)
{
	make_top();
	CHECK(rmdir(path_of("pods")) == 0);
	check_list("local_pod_registry_unreadable warning \n");
	write_file("pods", "", 0);
	check_list("local_pod_registry_unreadable warning \n");
	remove_top();
}

static void test_only_the_first_two_hundred_folders_are_looked_at(void)
{
	struct wr_runtime_handle *source;
	struct told told;

	make_top();
	/* Made in an order that is none. */
	for (unsigned i = 0; i < 220; i++) {
		char name[16];

		snprintf(name, sizeof name, "w%03u", i * 97 % 220);
		add_worker(name, i * 97 % 220 == 199 || i * 97 % 220 >= 200 ? "?" : IN_ROOT(""));
	}
	source = open_source(top);
	ask(&told, source, WR_SOURCE_LIST, NULL);
	CHECK_U64(told.worker_count, 199);
	CHECK_U64(told.result.notices.count, 2);
	CHECK_STRING(wr_view_of_string(told.result.notices.items[0].code),
		     "local_pod_registry_truncated");
	CHECK_STRING(wr_view_of_string(told.result.notices.items[1].code),
		     "local_pod_metadata_invalid");
	wr_buf_deinit(&told.text);

	/* Fewer when fewer are asked for. */
	told.call.as.list.limit = 0;
	for (uint32_t limit = 0; limit < 3; limit++) {
		told = (struct told){.call = {.operation = WR_SOURCE_LIST,
					      .as.list.limit = limit,
					      .on_worker = on_worker,
					      .on_done = on_done}};
		told.call.context = &told;
		wr_buf_init(&told.text, wr_test_allocator(), 1u << 20);
		source->ops->begin(source, &told.call);
		CHECK_U64(told.worker_count, limit);
		wr_buf_deinit(&told.text);
	}
	source->ops->free(source);
	remove_top();
}

static void test_notices_are_at_most_sixteen(void)
{
	struct wr_runtime_handle *source;
	struct told told;

	make_top();
	for (unsigned i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof name, "w%03u", i);
		add_worker(name, "?");
	}
	source = open_source(top);
	ask(&told, source, WR_SOURCE_LIST, NULL);
	CHECK_U64(told.result.notices.count, WR_NOTICE_COUNT_MAX);
	wr_buf_deinit(&told.text);
	source->ops->free(source);
	remove_top();
}

static void test_a_list_serves_for_a_second(void)
{
	struct wr_runtime_handle *source;
	struct told told;

	make_top();
	source = open_source(top);
	for (unsigned i = 0; i < 3; i++) {
		ask(&told, source, WR_SOURCE_LIST, NULL);
		CHECK_U64(told.worker_count, i < 2 ? 0 : 1);
		wr_buf_deinit(&told.text);
		add_worker("scribe", IN_ROOT(""));
		now += WR_LOCAL_LIST_MS / 2 + i;
	}
	source->ops->free(source);
	remove_top();
}

/* ---- one Worker ---- */

static enum wr_source_outcome look_at(struct wr_runtime_handle *source, const char *worker_id,
				      const char *expected)
{
	struct told told;

	ask(&told, source, WR_SOURCE_DETAIL, worker_id);
	CHECK_STRING(wr_buf_view(&told.text), expected);
	wr_buf_deinit(&told.text);
	return told.result.outcome;
}

static void test_a_worker_is_found_by_its_id(void)
{
	struct wr_runtime_handle *source;
	struct told told;

	make_top();
	add_worker("scribe", IN_ROOT(""));
	add_worker("torn", "{");
	source = open_source(top);
	/* Before and after a list has seen it, and as it is now. */
	for (unsigned i = 0; i < 2; i++) {
		CHECK(look_at(source, SCRIBE,
			      SCRIBE " w scribe null null metadata_only metadata_only \n") ==
		      WR_SOURCE_ACCEPTED);
		ask(&told, source, WR_SOURCE_LIST, NULL);
		wr_buf_deinit(&told.text);
	}
	add_worker("scribe", IN_ROOT(",\"resolved_manifest_snapshot\":{\"role\":\"r\"}"));
	CHECK(look_at(source, SCRIBE, SCRIBE " w scribe r null metadata_only metadata_only \n") ==
	      WR_SOURCE_ACCEPTED);
	/* Unusable, gone, never there. */
	CHECK(look_at(source, "local-worker-torn-00cc10cc5ab0a89f", "") ==
	      WR_SOURCE_UNKNOWN_WORKER);
	add_worker("scribe", "{");
	CHECK(look_at(source, SCRIBE, "") == WR_SOURCE_UNKNOWN_WORKER);
	CHECK(unlink(path_of("pods/scribe/metadata.json")) == 0);
	CHECK(look_at(source, SCRIBE, "") == WR_SOURCE_UNKNOWN_WORKER);
	CHECK(rmdir(path_of("pods/scribe")) == 0);
	CHECK(look_at(source, SCRIBE, "") == WR_SOURCE_UNKNOWN_WORKER);
	CHECK(look_at(source, "scribe", "") == WR_SOURCE_UNKNOWN_WORKER);
	CHECK(look_at(source, "local-worker-", "") == WR_SOURCE_UNKNOWN_WORKER);
	source->ops->free(source);
	remove_top();
}

static void test_nothing_can_be_done_with_a_worker(void)
{
	static const struct {
		enum wr_source_operation operation;
		const char *told;
	} cases[] = {
		{WR_SOURCE_SPAWN, "worker_spawn_resolver_pending info \n"},
		{WR_SOURCE_INPUT, "worker_input_pending info \n"},
		{WR_SOURCE_STOP, "worker_stop_pending info \n"},
		{WR_SOURCE_CANCEL, "worker_cancel_pending info \n"},
		{WR_SOURCE_INTERRUPT, "worker_interrupt_pending info \n"},
		{WR_SOURCE_TRANSCRIPT, "worker_transcript_pending info \n"},
		{WR_SOURCE_STORE_BUNDLE, "config_bundle_sync_pending info \n"},
		{WR_SOURCE_BUNDLE_AVAILABILITY, "config_bundle_sync_pending info \n"},
	};
	struct wr_runtime_handle *source;

	make_top();
	add_worker("scribe", IN_ROOT(""));
	source = open_source(top);
	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct told told;

		ask(&told, source, cases[i].operation, SCRIBE);
		wr_test_case(cases[i].told);
		CHECK(told.result.outcome == WR_SOURCE_UNSUPPORTED);
		CHECK_STRING(wr_buf_view(&told.text), cases[i].told);
		wr_buf_deinit(&told.text);
		if (cases[i].operation == WR_SOURCE_SPAWN ||
		    cases[i].operation >= WR_SOURCE_STORE_BUNDLE)
			continue;
		ask(&told, source, cases[i].operation, "local-worker-nobody-0000000000000000");
		CHECK(told.result.outcome == WR_SOURCE_UNKNOWN_WORKER);
		CHECK_U64(told.text.bytes, 0);
		wr_buf_deinit(&told.text);
	}
	CHECK(source->ops->observe == NULL && source->ops->stream_count == NULL &&
	      source->ops->drain == NULL);
	source->ops->free(source);
	remove_top();
}

/* ---- the source ---- */

static void check_overview(const char *folder, const char *host_status, const char *inspection,
			   unsigned can, unsigned notice_count)
{
	struct wr_runtime_handle *source = open_source(folder);
	struct wr_runtime_overview seen;

	source->ops->overview(source, &seen);
	CHECK_STRING(source->runtime_id, "local-worker-runtime");
	CHECK(source->kind == WR_SOURCE_LOCAL && seen.kind == WR_SOURCE_LOCAL);
	CHECK_STRING(seen.runtime_id, "local-worker-runtime");
	CHECK_STRING(seen.status, "available");
	CHECK_STRING(seen.host_id, "local-local-demo-f117d05509091025");
	CHECK_STRING(seen.host_label, "project");
	CHECK_STRING(seen.host_status, host_status);
	CHECK_STRING(seen.local_pod_inspection, inspection);
	CHECK_STRING(seen.os, WR_PLATFORM_OS);
	CHECK_STRING(seen.arch, WR_PLATFORM_ARCH);
	CHECK_U64(seen.can, can);
	CHECK_U64(seen.notices.count, notice_count);
	CHECK_U64(seen.host_notices.count, notice_count);
	check_is_public(seen.label);
	check_notices_are_public(&seen.notices);
	check_notices_are_public(&seen.host_notices);
	source->ops->free(source);
}

static void test_the_source_says_what_it_can(void)
{
	check_overview("/nowhere", "available", "available",
		       WR_CAN_LIST_HOSTS | WR_CAN_LIST_WORKERS | WR_CAN_GET_WORKER, 0);
	check_overview(NULL, "degraded", "unavailable", WR_CAN_LIST_HOSTS, 1);
}

static void test_without_a_data_folder_nothing_is_looked_into(void)
{
	struct wr_runtime_handle *source = open_source(NULL);
	struct told told;

	ask(&told, source, WR_SOURCE_LIST, NULL);
	CHECK(told.result.outcome == WR_SOURCE_ACCEPTED);
	CHECK_STRING(wr_buf_view(&told.text), "local_pod_registry_unavailable warning \n");
	wr_buf_deinit(&told.text);
	CHECK(look_at(source, SCRIBE, "") == WR_SOURCE_UNKNOWN_WORKER);
	source->ops->free(source);
}

static void test_the_data_folder_is_found_by_the_environment(void)
{
	static const struct {
		const char *data_dir, *home_dir, *home, *found;
	} cases[] = {
		{"/a", "/b", "/c", "/a"},  {NULL, "/b", "/c", "/b"}, {NULL, NULL, "/c", "/c/.yoi"},
		{"", "", "/c", "/c/.yoi"}, {NULL, NULL, NULL, NULL}, {"", "", "", NULL},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		char storage[64];
		struct wr_buf out;
		struct wr_view found;

		wr_buf_init_fixed(&out, storage, sizeof storage);
		found = wr_local_data_folder(cases[i].data_dir, cases[i].home_dir, cases[i].home,
					     &out);
		CHECK((found.data == NULL) == (cases[i].found == NULL));
		if (cases[i].found != NULL)
			CHECK_STRING(found, cases[i].found);
	}
}

static void test_no_memory_is_said_and_passes(void)
{
	struct wr_local_config config = {.data_folder = WR_VIEW("/nowhere"),
					 .workspace_root = WR_VIEW("/")};
	struct wr_runtime_handle *source = NULL;
	struct told told;

	for (uint64_t n = 1; n <= 2; n++) {
		wr_test_fail_allocation(n, false);
		CHECK_STATUS(wr_local_source_new(&source, wr_test_allocator(), &config),
			     WR_NO_MEMORY);
	}
	wr_test_fail_allocation(0, false);
	make_top();
	add_worker("scribe", IN_ROOT(",\"x\":\"\\u0061\""));
	source = open_source(top);
	for (uint64_t n = 1;; n++) {
		struct wr_source_result result;

		now += WR_LOCAL_LIST_MS;
		told = (struct told){.call = {.operation = WR_SOURCE_LIST,
					      .as.list.limit = 200,
					      .on_worker = on_worker,
					      .on_done = on_done}};
		told.call.context = &told;
		wr_buf_init(&told.text, wr_test_allocator(), 1u << 16);
		CHECK(wr_buf_reserve(&told.text, 4096) != NULL);
		wr_test_fail_allocation(n, false);
		source->ops->begin(source, &told.call);
		result = told.result;
		wr_buf_deinit(&told.text);
		if (!wr_test_allocation_failed()) {
			CHECK(n > 2 && result.outcome == WR_SOURCE_ACCEPTED);
			break;
		}
		CHECK(result.outcome == WR_SOURCE_FAILED);
		CHECK(result.notices.items[0].severity == WR_NOTICE_ERROR);
		CHECK_U64(told.worker_count, 0);
	}
	wr_test_fail_allocation(0, false);
	source->ops->free(source);
	remove_top();
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_workers_are_listed_in_byte_order_of_their_folders),
	WR_TEST(test_what_cannot_be_shown_leaves_a_notice_or_nothing),
	WR_TEST(test_a_file_that_is_exactly_as_large_as_allowed_is_read),
	WR_TEST(test_a_socket_is_no_file),
	WR_TEST(test_what_may_not_be_read_leaves_a_notice),
	WR_TEST(test_without_the_folder_there_is_a_notice),
	WR_TEST(test_only_the_first_two_hundred_folders_are_looked_at),
	WR_TEST(test_notices_are_at_most_sixteen),
	WR_TEST(test_a_list_serves_for_a_second),
	WR_TEST(test_a_worker_is_found_by_its_id),
	WR_TEST(test_nothing_can_be_done_with_a_worker),
	WR_TEST(test_the_source_says_what_it_can),
	WR_TEST(test_without_a_data_folder_nothing_is_looked_into),
	WR_TEST(test_the_data_folder_is_found_by_the_environment),
	WR_TEST(test_no_memory_is_said_and_passes),
	WR_TEST_END,
};
