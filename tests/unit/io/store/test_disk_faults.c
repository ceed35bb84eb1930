/* Goal (T3 of the reliability rules): whichever call of the disk fails, with whatever errno, once
 * or for ever, nothing that was shown is lost, nothing that was refused appears, the store says
 * full or failed as the rules have it, and on a sound disk all goes on. Method: the same session
 * again and again, the n-th call of a kind failing, n growing until no fault fires. Some n are left
 * out unless WR_TEST_LONG=1 is in the environment. */
#include "harness/harness.h"
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_long(void)
{
	const char *text = getenv("WR_TEST_LONG");

	return text != NULL && text[0] == '1';
}

static struct wr_session_options small_options(uint64_t seed)
{
	return (struct wr_session_options){
		.seed = seed,
		.durability = WR_DURABILITY_ALWAYS,
		.segment_bytes = 4096,
		.bytes_max = 8 * 4096, /* soon used up: cleaning is part of it all */
		.payload_bytes_max = 512,
		.events_per_turn = 4,
	};
}

struct fault {
	const char *what;
	unsigned calls;
	int os_error;
	bool forever;
	uint64_t n;
};

/* The name of the file at which it struck, for the rules that depend on it. */
struct struck {
	uint64_t count;
	enum wr_sim_call call;
	char name[64];
};

static void note_strike(void *context, struct wr_sim_disk *disk, enum wr_sim_call call,
			const char *name)
{
	struct struck *struck = context;
	uint64_t count = wr_sim_disk_failed_count(disk);

	if (count == struck->count)
		return;
	struck->count = count;
	struck->call = call;
	snprintf(struck->name, sizeof struck->name, "%s", name);
}

static void say_case(const struct fault *fault)
{
	static char label[128];

	snprintf(label, sizeof label, "%s number %llu fails %s: %s", fault->what,
		 (unsigned long long)fault->n, fault->forever ? "for ever" : "once",
		 strerror(fault->os_error));
	wr_test_case(label);
}

/* There may be room again. */
static bool is_room(int os_error)
{
	return os_error == ENOSPC || os_error == EDQUOT || os_error == EFBIG;
}

/* What the state may be after the fault: full when there may be room again, or when no file could
 * be made (of which nothing depends yet); failed for certain when the log itself was not written or
 * not synced. */
static void check_state(struct wr_session *session, const struct fault *fault,
			const struct struck *struck)
{
	struct wr_fs_info info;
	const char *end = strrchr(struck->name, '.');
	bool is_known = (fault->calls & ~WR_SIM_CHANGES) == 0;

	wr_fs_store_info(session->store, &info);
	if (info.state == WR_FS_FULL)
		CHECK(info.os_error == 0 || is_room(fault->os_error) ||
		      (fault->calls & (unsigned)WR_SIM_CREATE) != 0);
	if (info.state != WR_FS_OK && info.os_error != 0)
		CHECK(info.os_error == fault->os_error);
	if (struck->count > 0 && is_known && end != NULL && strcmp(end, ".log") == 0 &&
	    (struck->call == WR_SIM_WRITE || struck->call == WR_SIM_SYNC))
		CHECK(info.state == WR_FS_FAILED);
}

/* On a sound disk, and on what a power cut left of it, everything is there, and goes on. */
static void check_afterwards(struct wr_session *session, const struct wr_session_bounds *bounds,
			     uint64_t seed)
{
	static const enum wr_sim_cut cuts[] = {WR_SIM_CUT_NONE, WR_SIM_CUT_ALL, WR_SIM_CUT_RANDOM,
					       WR_SIM_CUT_RANDOM};
	struct wr_session_bounds again;

	for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
		struct wr_sim_disk *after = wr_sim_disk_power_cut(session->sim, cuts[i], seed + i);

		wr_session_check_disk(session, after, bounds, seed + i, false);
		wr_sim_disk_free(after);
	}
	wr_session_open(session, bounds);
	wr_session_check_reading(session);
	for (unsigned i = 0; i < 4; i++)
		CHECK(wr_session_turn(session));
	wr_session_rest(session);
	wr_session_close(session);
	wr_sim_disk_kill(session->sim);
	again = wr_session_bounds_now(session);
	wr_session_open(session, &again);
	wr_session_check_reading(session);
	wr_session_kill(session);
}

/* Whatever the last opening came to, it may have made the generation rise, and a close that failed
 * may have left the mark. */
static struct wr_session_bounds loose_bounds(const struct wr_session *session)
{
	struct wr_session_bounds bounds = wr_session_bounds_now(session);

	bounds.shown = session->shown;
	bounds.may_be_clean = true;
	bounds.must_be_clean = false;
	bounds.unclean_count = 1;
	return bounds;
}

/* One session with one fault. False: it never fired. */
static bool run_with_fault(const struct wr_session *base, const struct fault *fault, unsigned turns)
{
	struct wr_session *session = wr_session_copy(base, base->sim);
	struct wr_session_bounds bounds = wr_session_bounds_now(session);
	struct struck struck = {.count = 0};
	enum wr_status status;
	bool has_fired;

	say_case(fault);
	bounds.shown = session->shown;
	wr_sim_disk_watch(session->sim, note_strike, &struck);
	wr_sim_disk_fail(session->sim, fault->calls, fault->n, fault->os_error, fault->forever);
	session->may_fail = true;
	session->may_not_read = (fault->calls & ((unsigned)WR_SIM_READ | (unsigned)WR_SIM_OPEN |
						 (unsigned)WR_SIM_SIZE)) != 0;
	if (wr_session_try_open(session, &bounds, &status)) {
		/* A fault that the opening lived with is not one of the session. */
		struck.call = (enum wr_sim_call)0;
		struck.name[0] = '\0';
		for (unsigned i = 0; i < turns; i++)
			wr_session_turn(session);
		wr_session_check_reading(session);
		wr_session_rest(session);
		wr_session_check_reading(session);
		check_state(session, fault, &struck);
		CHECK(!wr_fs_store_is_quarantined(session->store, 0) || session->may_not_read);
		wr_session_close(session);
	} else {
		CHECK(status == WR_IO || status == WR_FULL || status == WR_NO_MEMORY);
		CHECK(session->error.os_error == fault->os_error ||
		      session->error.os_error == EIO || session->error.os_error == 0);
		CHECK(session->error.what != NULL);
	}
	has_fired = wr_sim_disk_failed_count(session->sim) > 0;
	session->may_fail = session->may_not_read = false;
	wr_sim_disk_kill(session->sim);
	bounds = loose_bounds(session);
	/* What could not be read once can be read again. */
	check_afterwards(session, &bounds, fault->n);
	wr_session_free(session);
	return has_fired;
}

static void run_with_faults(const struct wr_session *base, struct fault fault, unsigned turns)
{
	uint64_t random = wr_test_seed() + fault.calls;
	uint64_t step = is_long() ? 1 : 8;
	uint64_t fired_count = 0;

	fault.n = 1;
	while (run_with_fault(base, &fault, turns)) {
		fired_count++;
		/* The first few are all looked at: the start is there. */
		fault.n += fault.n < 4 ? 1 : 1 + wr_test_random(&random) % step;
	}
	if (is_long())
		fprintf(stderr, "%s, errno %d: %llu sessions\n", fault.what, fault.os_error,
			(unsigned long long)fired_count);
}

/* Whether the log on this disk ends in a torn tail. */
static bool is_torn(const struct wr_session *session, struct wr_sim_disk *disk)
{
	struct wr_session_bounds bounds = wr_session_bounds_now(session);
	struct wr_session *probe = wr_session_copy(session, disk);
	struct wr_fs_info info;

	wr_session_open(probe, &bounds);
	wr_fs_store_info(probe->store, &info);
	wr_session_free(probe);
	return info.recovery.is_torn;
}

/* The power fails in such a way that a tail is torn, which takes some tries. */
static void tear(struct wr_session *session)
{
	struct wr_sim_disk *after = NULL;
	uint64_t seed = session->options.seed;

	for (unsigned i = 0; i < 400 && after == NULL; i++) {
		wr_session_turn(session);
		after = wr_sim_disk_power_cut(session->sim, WR_SIM_CUT_RANDOM,
					      wr_test_random(&seed));
		if (!is_torn(session, after)) {
			wr_sim_disk_free(after);
			after = NULL;
		}
	}
	CHECK(after != NULL);
	wr_session_kill(session);
	wr_sim_disk_free(session->sim);
	session->sim = after;
	session->disk = wr_sim_disk_port(after);
}

static bool has_cleaned(const struct wr_session *session)
{
	struct wr_fs_info info;

	wr_fs_store_info(session->store, &info);
	return info.cleaned_count > 0;
}

/* What the faults strike: a folder without a log; one that was left in good order; one with a tail
 * that is torn. */
static struct wr_session *new_base(bool has_log, bool is_clean)
{
	struct wr_session_options options = small_options(wr_test_seed());
	struct wr_session *session = wr_session_new(&options);
	struct wr_session_bounds bounds = wr_session_bounds_now(session);

	if (!has_log)
		return session;
	wr_session_open(session, &bounds);
	for (unsigned i = 0; i < 400 && !has_cleaned(session); i++)
		CHECK(wr_session_turn(session));
	CHECK(has_cleaned(session));
	if (is_clean)
		wr_session_close(session);
	else
		tear(session);
	wr_sim_disk_kill(session->sim);
	return session;
}

static void run_all(const char *what, unsigned calls, const int *os_errors, size_t count)
{
	for (unsigned which = 0; which < 3; which++) {
		struct wr_session *base = new_base(which != 0, which == 1);

		for (size_t i = 0; i < count; i++)
			for (unsigned forever = 0; forever < 2; forever++)
				run_with_faults(base,
						(struct fault){.what = what,
							       .calls = calls,
							       .os_error = os_errors[i],
							       .forever = forever != 0},
						which == 0 ? 50 : 25);
		wr_session_free(base);
	}
}
#define RUN_ALL(what, calls, ...)                                      \
	run_all((what), (unsigned)(calls), (const int[]){__VA_ARGS__}, \
		sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void test_any_write_may_fail(void)
{
	RUN_ALL("write", WR_SIM_WRITE, EIO, ENOSPC, EDQUOT, EFBIG);
}

static void test_any_sync_may_fail(void)
{
	RUN_ALL("sync", WR_SIM_SYNC, EIO, ENOSPC);
}

static void test_any_sync_of_the_folder_may_fail(void)
{
	RUN_ALL("sync of the folder", WR_SIM_SYNC_FOLDER, EIO, ENOSPC);
}

static void test_any_rename_may_fail(void)
{
	RUN_ALL("rename", WR_SIM_RENAME, EIO, ENOSPC, EACCES);
}

static void test_any_file_may_not_be_made(void)
{
	RUN_ALL("making a file", WR_SIM_CREATE, EIO, ENOSPC, EMFILE, ENOMEM, EACCES);
}

static void test_any_file_may_not_be_opened(void)
{
	RUN_ALL("opening a file", WR_SIM_OPEN, EIO, EMFILE, EACCES);
}

static void test_any_read_may_fail(void)
{
	RUN_ALL("read", WR_SIM_READ, EIO);
}

static void test_any_other_call_may_fail(void)
{
	RUN_ALL("unlink", WR_SIM_UNLINK, EIO, EACCES);
	RUN_ALL("truncate", WR_SIM_TRUNCATE, EIO);
	RUN_ALL("asking for a size", WR_SIM_SIZE, EIO);
	RUN_ALL("list", WR_SIM_LIST, EIO, EMFILE);
	RUN_ALL("lock", WR_SIM_LOCK, EIO, ENOLCK);
}

static void test_any_call_may_be_the_last_that_works(void)
{
	RUN_ALL("call", WR_SIM_ALL, EIO);
}

static void test_writes_of_any_length_make_the_same_log(void)
{
	static const size_t lengths[] = {1, 2, 3, 7, 8, 55, 56, 57, 96, 511, 512, 513, 4095};

	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		struct wr_session_options options = small_options(wr_test_seed());
		struct wr_session *session = wr_session_new(&options);
		struct wr_session_bounds bounds = wr_session_bounds_now(session);

		wr_sim_disk_write_max(session->sim, lengths[i]);
		wr_session_open(session, &bounds);
		for (unsigned turn = 0; turn < 40; turn++)
			CHECK(wr_session_turn(session));
		wr_session_rest(session);
		wr_session_check_reading(session);
		if (i % 2 == 0)
			wr_session_close(session);
		else
			wr_session_kill(session);
		wr_sim_disk_kill(session->sim);
		bounds = wr_session_bounds_now(session);
		bounds.shown = session->shown;
		wr_session_open(session, &bounds);
		wr_session_check_reading(session);
		wr_session_free(session);
	}
}

/* A disk that fills up, at any place, and has room again. */
static void fill_and_free(uint64_t capacity, uint64_t seed)
{
	struct wr_session_options options = small_options(seed);
	struct wr_session *session = wr_session_new(&options);
	struct wr_session_bounds bounds = wr_session_bounds_now(session);
	enum wr_status status;
	bool is_open;

	wr_sim_disk_capacity(session->sim, capacity);
	is_open = wr_session_try_open(session, &bounds, &status);
	CHECK(is_open || status == WR_FULL || status == WR_IO);
	/* Room for the last event of a turn may be there to the byte: until one is refused. */
	for (unsigned i = 0; is_open && (i < 60 || (session->refused_count == 0 && i < 600)); i++)
		CHECK(wr_session_turn(session));
	if (is_open) {
		wr_session_rest(session);
		wr_session_check_reading(session); /* it reads on */
		CHECK(wr_session_state(session) == WR_FS_FULL);
		CHECK(session->refused_count > 0);
		wr_sim_disk_capacity(session->sim, UINT64_MAX);
		wr_session_pass_ms(1001);
		wr_session_rest(session);
		CHECK(wr_session_state(session) == WR_FS_OK);
		CHECK(session->port.ops->has_room(session->port.context));
		for (unsigned i = 0; i < 30; i++)
			CHECK(wr_session_turn(session));
		wr_session_rest(session);
		wr_session_check_reading(session);
		wr_session_kill(session);
	}
	wr_sim_disk_capacity(session->sim, UINT64_MAX);
	wr_sim_disk_kill(session->sim);
	bounds = loose_bounds(session);
	check_afterwards(session, &bounds, seed);
	wr_session_free(session);
}

static void test_a_full_disk_ends_writing_until_there_is_room(void)
{
	uint64_t random = wr_test_seed();
	uint64_t step = is_long() ? 64 : 1024;

	for (uint64_t capacity = 0; capacity < 6 * 4096;
	     capacity += 1 + wr_test_random(&random) % step) {
		static char label[64];

		snprintf(label, sizeof label, "room for %llu bytes", (unsigned long long)capacity);
		wr_test_case(label);
		fill_and_free(capacity, wr_test_seed() + capacity);
	}
}

/* A full disk must not keep a start from being a start: what is there is served. Where the tail
 * must be written anew, for which there may be no room, nothing is changed and that is said. */
static void open_on_full_disk(bool is_clean)
{
	struct wr_session *base = new_base(true, is_clean);
	struct wr_session_bounds bounds = wr_session_bounds_now(base);
	enum wr_status status;

	wr_sim_disk_capacity(base->sim, wr_sim_disk_used(base->sim));
	bounds.shown = base->shown;
	if (!wr_session_try_open(base, &bounds, &status)) {
		CHECK(!is_clean);
		CHECK_STATUS(status, WR_FULL);
		wr_sim_disk_kill(base->sim);
		wr_sim_disk_capacity(base->sim, UINT64_MAX);
		bounds.unclean_count = 1;
		wr_session_open(base, &bounds);
	}
	wr_session_check_reading(base);
	for (unsigned i = 0; i < 40; i++)
		CHECK(wr_session_turn(base));
	wr_session_rest(base);
	wr_session_check_reading(base);
	wr_sim_disk_capacity(base->sim, UINT64_MAX);
	wr_session_free(base);
}

static void test_a_log_opens_on_a_full_disk(void)
{
	open_on_full_disk(true);
}

static void test_a_torn_log_on_a_full_disk_opens_or_waits_for_room(void)
{
	open_on_full_disk(false);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_any_write_may_fail, 1200),
	WR_TEST_LIMIT(test_any_sync_may_fail, 1200),
	WR_TEST_LIMIT(test_any_sync_of_the_folder_may_fail, 1200),
	WR_TEST_LIMIT(test_any_rename_may_fail, 1200),
	WR_TEST_LIMIT(test_any_file_may_not_be_made, 1200),
	WR_TEST_LIMIT(test_any_file_may_not_be_opened, 1200),
	WR_TEST_LIMIT(test_any_read_may_fail, 1200),
	WR_TEST_LIMIT(test_any_other_call_may_fail, 1200),
	WR_TEST_LIMIT(test_any_call_may_be_the_last_that_works, 1200),
	WR_TEST_LIMIT(test_writes_of_any_length_make_the_same_log, 60),
	WR_TEST_LIMIT(test_a_full_disk_ends_writing_until_there_is_room, 1200),
	WR_TEST_LIMIT(test_a_log_opens_on_a_full_disk, 60),
	WR_TEST_LIMIT(test_a_torn_log_on_a_full_disk_opens_or_waits_for_room, 60),
	WR_TEST_END,
};
