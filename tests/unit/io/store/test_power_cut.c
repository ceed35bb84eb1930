/* Goal (T2 of the reliability rules): wherever the power fails, what was shown is there, byte for
 * byte, once and in order; what was refused is not; the log opens by itself, and opening it again
 * gives the same; generations tell where a tail may be missing. Method: sessions on the simulated
 * disk; after each change of the disk what may be on the medium is opened and read whole: nothing
 * of what was pending, all of it, and some of it by chance; in one of four cases the power fails
 * again while that is being opened. WR_TEST_LONG=1 in the environment makes more of everything. */
#include "harness/harness.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>

struct cutter {
	struct wr_session *session;
	uint64_t random;
	unsigned random_cuts; /* per change */
	unsigned every;	      /* of so many changes one is looked at */
	uint64_t change_count, cut_count, interrupted_count;
	bool is_busy;
};

static bool is_long(void)
{
	const char *text = getenv("WR_TEST_LONG");

	return text != NULL && text[0] == '1';
}

/* ---- a cut within the opening that follows a cut ---- */

struct interrupter {
	uint64_t left;
	uint64_t seed;
	struct wr_sim_disk *second;
};

static void interrupt(void *context, struct wr_sim_disk *disk, enum wr_sim_call call,
		      const char *name)
{
	struct interrupter *self = context;

	(void)call;
	(void)name;
	if (--self->left > 0)
		return;
	self->second = wr_sim_disk_power_cut(disk, WR_SIM_CUT_RANDOM, self->seed);
	wr_sim_disk_watch(disk, NULL, NULL);
}

/* The first opening is checked as any other; the second is of what the cut in it left. */
static void check_interrupted(struct cutter *self, struct wr_sim_disk *disk,
			      const struct wr_session_bounds *bounds, uint64_t seed)
{
	struct interrupter interrupter = {.left = 1 + seed % 16, .seed = seed};
	struct wr_session_bounds again = *bounds;

	wr_sim_disk_watch(disk, interrupt, &interrupter);
	wr_session_check_disk(self->session, disk, bounds, seed, false);
	if (interrupter.second == NULL)
		return;
	self->interrupted_count++;
	/* The mark may have been taken away by then, or not. */
	again.may_be_clean |= again.must_be_clean;
	again.must_be_clean = false;
	again.unclean_count++;
	/* The first of the openings may have been over, and its tail is what it found. */
	wr_session_check_disk(self->session, interrupter.second, &again, seed, false);
	wr_sim_disk_free(interrupter.second);
}

static void check_cut(struct cutter *self, enum wr_sim_cut cut, const char *what, const char *name)
{
	static char label[128];
	struct wr_session_bounds bounds = wr_session_bounds_now(self->session);
	uint64_t seed = wr_test_random(&self->random);
	struct wr_sim_disk *after = wr_sim_disk_power_cut(self->session->sim, cut, seed);

	snprintf(label, sizeof label, "change %llu: %s %s, cut %d, seed %llx",
		 (unsigned long long)self->change_count, what, name, (int)cut,
		 (unsigned long long)seed);
	wr_test_case(label);
	self->cut_count++;
	if (seed % 4 == 1)
		check_interrupted(self, after, &bounds, seed / 4);
	else
		wr_session_check_disk(self->session, after, &bounds, seed, seed % 8 == 0);
	wr_test_case(NULL);
	wr_sim_disk_free(after);
}

static const char *name_of_call(enum wr_sim_call call)
{
	static const char *const names[WR_SIM_CALLS] = {
		"open",	    "create", "read",	"write",       "sync", "size",
		"truncate", "rename", "unlink", "sync_folder", "list", "lock"};
	unsigned i = 0;

	while ((unsigned)call >> i != 1)
		i++;
	return names[i];
}

static void on_change(void *context, struct wr_sim_disk *disk, enum wr_sim_call call,
		      const char *name)
{
	struct cutter *self = context;

	CHECK(disk == self->session->sim && !self->is_busy);
	self->change_count++;
	if (self->change_count % self->every != 0)
		return;
	self->is_busy = true;
	check_cut(self, WR_SIM_CUT_NONE, name_of_call(call), name);
	check_cut(self, WR_SIM_CUT_ALL, name_of_call(call), name);
	for (unsigned i = 0; i < self->random_cuts; i++)
		check_cut(self, WR_SIM_CUT_RANDOM, name_of_call(call), name);
	self->is_busy = false;
}

/* ---- sessions ---- */

static struct wr_session_options small_options(void)
{
	uint64_t seed = wr_test_seed();

	return (struct wr_session_options){
		.seed = seed,
		.durability = WR_DURABILITY_ALWAYS,
		.segment_bytes = 4096 + seed % 3 * 1000,
		.bytes_max = 1 << 20,
		.payload_bytes_max = 512 + (uint32_t)(seed % 5 * 100),
		.events_per_turn = 4,
	};
}

static void begin(struct cutter *self, const struct wr_session_options *options)
{
	*self = (struct cutter){
		.session = wr_session_new(options),
		.random = options->seed + 1,
		.random_cuts = is_long() ? 8 : 2,
		.every = 1,
	};
}

static void watch(struct cutter *self)
{
	wr_sim_disk_watch(self->session->sim, on_change, self);
}

static void open_session(struct cutter *self)
{
	struct wr_session_bounds bounds = wr_session_bounds_now(self->session);

	watch(self);
	wr_session_open(self->session, &bounds);
}

static void turn_often(struct cutter *self, unsigned turns)
{
	for (unsigned i = 0; i < turns; i++)
		CHECK(wr_session_turn(self->session));
}

static void end(struct cutter *self)
{
	CHECK(self->cut_count > 0);
	if (is_long())
		fprintf(stderr, "%llu changes, %llu cuts, %llu of them twice, %llu events\n",
			(unsigned long long)self->change_count, (unsigned long long)self->cut_count,
			(unsigned long long)self->interrupted_count,
			(unsigned long long)self->session->head);
	wr_session_free(self->session);
}

/* The power fails, and the session goes on with what is left. */
static void cut_session(struct cutter *self)
{
	struct wr_session *session = self->session;
	struct wr_sim_disk *after = wr_sim_disk_power_cut(session->sim, WR_SIM_CUT_RANDOM,
							  wr_test_random(&self->random));

	wr_session_kill(session);
	wr_sim_disk_free(session->sim);
	session->sim = after;
	session->disk = wr_sim_disk_port(after);
}

static void test_a_new_log_and_its_first_records_survive_any_cut(void)
{
	struct wr_session_options options = small_options();
	struct cutter cutter;

	begin(&cutter, &options);
	cutter.random_cuts *= 4;
	open_session(&cutter);
	turn_often(&cutter, 10);
	end(&cutter);
}

static void test_cuts_while_records_are_written_and_segments_change(void)
{
	struct wr_session_options options = small_options();
	struct cutter cutter;

	begin(&cutter, &options);
	open_session(&cutter);
	turn_often(&cutter, is_long() ? 120 : 60);
	wr_session_rest(cutter.session);
	wr_session_check_reading(cutter.session);
	CHECK(cutter.session->head > 50);
	end(&cutter);
}

static void test_cuts_around_a_clean_stop_and_the_start_behind_it(void)
{
	struct wr_session_options options = small_options();
	struct cutter cutter;

	begin(&cutter, &options);
	for (unsigned life = 0; life < (is_long() ? 12u : 4u); life++) {
		cutter.every = 1;
		open_session(&cutter);
		check_cut(&cutter, WR_SIM_CUT_NONE, "opened", ""); /* the mark is gone */
		cutter.every = 16;
		turn_often(&cutter, 12);
		cutter.every = 1;
		wr_session_close(cutter.session);
		check_cut(&cutter, WR_SIM_CUT_NONE, "closed", "");
		wr_sim_disk_kill(cutter.session->sim);
	}
	CHECK_U64(cutter.session->generation, 1); /* it was never killed */
	end(&cutter);
}

/* `segments`: room for so many; with few of them old events are given up and cleaned. */
static void kill_often(unsigned segments, unsigned lives)
{
	struct wr_session_options options = small_options();
	struct cutter cutter;

	options.bytes_max = segments * options.segment_bytes;
	begin(&cutter, &options);
	for (unsigned life = 0; life < lives; life++) {
		struct wr_session_bounds bounds = wr_session_bounds_now(cutter.session);

		bounds.shown = cutter.session->shown;
		watch(&cutter);
		cutter.every = 1;
		wr_session_open(cutter.session, &bounds);
		CHECK_U64(cutter.session->generation, life + 1);
		cutter.every = 64;
		turn_often(&cutter, segments < 16 ? 24 : 8);
		wr_session_kill(cutter.session);
	}
	end(&cutter);
}

static void test_cuts_in_the_start_behind_a_kill(void)
{
	kill_often(256, is_long() ? 16 : 8);
}

static void test_cuts_in_the_start_behind_a_kill_while_cleaning(void)
{
	kill_often(8, is_long() ? 20 : 8);
}

static void cut_often(unsigned segments, unsigned lives)
{
	struct wr_session_options options = small_options();
	struct cutter cutter;

	options.bytes_max = segments * options.segment_bytes;
	begin(&cutter, &options);
	for (unsigned life = 0; life < lives; life++) {
		struct wr_session_bounds bounds = wr_session_bounds_now(cutter.session);

		watch(&cutter);
		cutter.every = is_long() ? 8 : 32;
		wr_session_open(cutter.session, &bounds);
		wr_session_check_reading(cutter.session);
		turn_often(&cutter, segments < 16 ? 24 : 10);
		cut_session(&cutter);
	}
	end(&cutter);
}

static void test_lives_that_end_in_cuts_keep_what_they_have_shown(void)
{
	cut_often(256, is_long() ? 24 : 12);
}

static void test_lives_that_end_in_cuts_while_cleaning(void)
{
	cut_often(8, is_long() ? 60 : 16);
}

static void test_cuts_while_old_events_are_given_up_and_cleaned(void)
{
	struct wr_session_options options = small_options();
	struct cutter cutter;
	struct wr_fs_info info;

	options.bytes_max = 8 * options.segment_bytes;
	begin(&cutter, &options);
	cutter.every = 16;
	open_session(&cutter);
	turn_often(&cutter, 100); /* until it is full of them */
	cutter.every = is_long() ? 1 : 3;
	turn_often(&cutter, is_long() ? 150 : 40);
	wr_session_rest(cutter.session);
	wr_session_check_reading(cutter.session);
	wr_fs_store_info(cutter.session->store, &info);
	CHECK(info.cleaned_count > 0);
	CHECK_U64(info.bytes, wr_sim_disk_used(cutter.session->sim));
	/* Indexes are made when there was room for their segments. */
	CHECK(info.bytes <= info.bytes_max + options.segment_bytes);
	end(&cutter);
}

static void test_under_weaker_modes_what_was_synced_survives(void)
{
	static const enum wr_durability modes[] = {WR_DURABILITY_INTERVAL, WR_DURABILITY_NEVER};

	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		struct wr_session_options options = small_options();
		struct cutter cutter;

		options.durability = modes[i];
		begin(&cutter, &options);
		open_session(&cutter);
		cutter.every = 2;
		turn_often(&cutter, is_long() ? 200 : 40);
		wr_session_close(cutter.session);
		check_cut(&cutter, WR_SIM_CUT_NONE, "closed", "");
		end(&cutter);
	}
}

/* Killed, not cut: what was written is there under every mode. */
static void test_a_kill_loses_nothing_that_was_shown(void)
{
	static const enum wr_durability modes[] = {WR_DURABILITY_ALWAYS, WR_DURABILITY_INTERVAL,
						   WR_DURABILITY_NEVER};

	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		struct wr_session_options options = small_options();
		struct wr_session *session;

		options.durability = modes[i];
		session = wr_session_new(&options);
		for (unsigned life = 0; life < 10; life++) {
			struct wr_session_bounds bounds = wr_session_bounds_now(session);

			bounds.shown = session->shown;
			wr_session_open(session, &bounds);
			wr_session_check_reading(session);
			for (unsigned turn = 0; turn < 20; turn++)
				CHECK(wr_session_turn(session));
			wr_session_kill(session);
		}
		CHECK_U64(session->generation, 10);
		wr_session_free(session);
	}
}

/* The helper as it is in the process: what is shown is still there, whenever the power fails. To be
 * run under ThreadSanitizer, too. */
static void test_with_a_thread_the_same_holds(void)
{
	struct wr_session_options options = small_options();
	struct cutter cutter;

	options.has_thread = true;
	options.bytes_max = 8 * options.segment_bytes;
	begin(&cutter, &options);
	for (unsigned life = 0; life < (is_long() ? 30u : 6u); life++) {
		struct wr_session_bounds bounds = wr_session_bounds_now(cutter.session);

		wr_session_open(cutter.session, &bounds);
		wr_session_check_reading(cutter.session);
		for (unsigned turn = 0; turn < 40; turn++) {
			CHECK(wr_session_turn(cutter.session));
			if (turn % 4 == 0)
				check_cut(&cutter, WR_SIM_CUT_RANDOM, "turn", "");
			if (turn % 16 == 0)
				wr_session_rest(cutter.session);
		}
		if (life % 3 == 0)
			wr_session_close(cutter.session);
		else
			cut_session(&cutter);
		wr_sim_disk_kill(cutter.session->sim);
	}
	end(&cutter);
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_a_new_log_and_its_first_records_survive_any_cut, 600),
	WR_TEST_LIMIT(test_cuts_while_records_are_written_and_segments_change, 600),
	WR_TEST_LIMIT(test_cuts_around_a_clean_stop_and_the_start_behind_it, 600),
	WR_TEST_LIMIT(test_cuts_in_the_start_behind_a_kill, 600),
	WR_TEST_LIMIT(test_cuts_in_the_start_behind_a_kill_while_cleaning, 600),
	WR_TEST_LIMIT(test_lives_that_end_in_cuts_keep_what_they_have_shown, 600),
	WR_TEST_LIMIT(test_lives_that_end_in_cuts_while_cleaning, 600),
	WR_TEST_LIMIT(test_cuts_while_old_events_are_given_up_and_cleaned, 600),
	WR_TEST_LIMIT(test_under_weaker_modes_what_was_synced_survives, 600),
	WR_TEST_LIMIT(test_a_kill_loses_nothing_that_was_shown, 60),
	WR_TEST_LIMIT(test_with_a_thread_the_same_holds, 120),
	WR_TEST_END,
};
