/* The Workers of one execution together: a crew whose Workers do nothing but say what they are
 * told. */
#include "unit/execution/world.h"

#include "execution/crew.h"

enum { MANY = 40 };

/* What this execution has for a Worker. */
struct run {
	unsigned made_as; /* how many were made before it, and itself */
	bool runs;
	uint64_t sequence;
	struct wr_crew_member member;
	struct wr_crew_port *port;
};

static struct wr_crew crew;
static struct wr_crew_port port;
static unsigned made, freed, went_on;
static unsigned rounds; /* of work that is left for the ends of turns */

static struct run *run_of(struct wr_crew_member *member)
{
	return wr_container_of(member, struct run, member);
}

static struct run *find_run(const struct wr_worker *of)
{
	struct wr_crew_member *member = wr_crew_find(&crew, of->number);

	return member == NULL ? NULL : run_of(member);
}

/* Of one that has run. */
static struct run *run_of_worker(const struct wr_worker *of)
{
	struct run *run = find_run(of);

	CHECK(run != NULL);
	return run;
}

static void report(struct run *self, enum wr_phase phase, const char *cause)
{
	wr_reports_put(&self->member.reports, WR_REPORT_PHASE, (uint8_t)phase,
		       wr_view_of_string(cause));
}

static void init(struct wr_crew_member *member, struct wr_crew_port *its_port)
{
	struct run *self = run_of(member);

	CHECK(self->made_as == 0 && !self->runs && self->port == NULL && !member->is_released);
	self->made_as = ++made;
	self->port = its_port;
}

static void deinit(struct wr_crew_member *member)
{
	CHECK(run_of(member)->port == &port);
	freed++;
}

static void deliver(struct wr_crew_member *member, const struct wr_input *content,
		    uint64_t sequence)
{
	struct run *self = run_of(member);

	CHECK_STRING(content->content, "go");
	self->runs = true;
	self->sequence = sequence;
	report(self, WR_PHASE_BUSY, "input");
}

static void finish(struct run *self, enum wr_phase phase, const char *cause)
{
	self->runs = false;
	report(self, phase, cause);
}

static enum wr_status interrupt(struct wr_crew_member *member)
{
	struct run *self = run_of(member);

	if (!self->runs)
		return WR_CONFLICT;
	finish(self, WR_PHASE_INTERRUPTED, "interrupted");
	return WR_OK;
}

static void stop(struct wr_crew_member *member)
{
	run_of(member)->runs = false;
	wr_crew_release(member);
}

static void drain(struct wr_crew_member *member)
{
	trace_text(run_of(member)->runs ? "drained, runs\n" : "drained, rests\n");
}

static void refuse(struct wr_crew_member *member)
{
	report(run_of(member), WR_PHASE_INTERRUPTED, "not run any more");
}

static void go_on(struct wr_crew_member *member)
{
	went_on++;
	if (member->is_released)
		wr_crew_remove(member);
}

static bool is_live(struct wr_crew_member *member)
{
	return run_of(member)->runs || wr_reports_are_waiting(&member->reports);
}

static bool gives_up(struct wr_reports *reports, enum wr_status status)
{
	(void)reports;
	(void)status;
	return false;
}

static bool on_turn(struct wr_crew *self)
{
	CHECK(self == &crew);
	if (rounds != 0 && --rounds != 0)
		wr_reactor_again(&reactor);
	return rounds != 0;
}

static const struct wr_crew_ops crew_ops = {
	.bytes = sizeof(struct run),
	.member_at = offsetof(struct run, member),
	.init = init,
	.deinit = deinit,
	.deliver = deliver,
	.interrupt = interrupt,
	.stop = stop,
	.cancel = stop,
	.drain = drain,
	.refuse = refuse,
	.go_on = go_on,
	.is_live = is_live,
	.gives_up = gives_up,
	.on_turn = on_turn,
	.no_memory = "no memory to run it",
};

/* ---- the world ---- */

static enum wr_status admit(void *context, uint32_t number, const struct wr_input *content,
			    const struct wr_undelivered *waiting)
{
	(void)context;
	(void)number;
	(void)content;
	return waiting->count == 0 ? WR_OK : WR_BUSY;
}

static void deliver_to_crew(void *context, uint32_t number, const struct wr_input *content,
			    uint64_t sequence)
{
	CHECK(context == &port);
	wr_crew_deliver(context, number, content, sequence);
}

static enum wr_status find_crew(void *context, struct wr_execution *out, enum wr_profile_kind kind,
				struct wr_view value)
{
	static const struct wr_execution_ops ops = {
		.admit = admit,
		.deliver = deliver_to_crew,
		.interrupt = wr_crew_interrupt,
		.stop = wr_crew_stop,
		.cancel = wr_crew_cancel,
	};

	(void)context;
	(void)kind;
	(void)value;
	*out = (struct wr_execution){.ops = &ops, .context = &port, .has_turns = true};
	return WR_OK;
}

static void start(void)
{
	struct wr_runtime_ports ports = {
		.allocator = wr_test_allocator(),
		.wall_ms = wall_ms,
		.entropy = entropy,
		.encoding = &encoding,
		.profiles = {.find = find_crew},
	};
	struct wr_runtime_config config;
	struct wr_error error;

	made = freed = went_on = rounds = 0;
	uses_store = true;
	ports.store = open_store();
	trace_bytes = 0;
	trace[0] = '\0';
	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_OK);
	wr_reactor_add_hook(&reactor, &settle_hook);
	wr_crew_init(&crew, &crew_ops, &reactor, wr_test_allocator());
	port.crew = &crew;
	wr_runtime_defaults(&config);
	CHECK_STATUS(wr_runtime_new(&runtime, &config, &ports, &error), WR_OK);
	wr_crew_attach(&crew, runtime);
	worker = make_worker();
	wr_runtime_settle(runtime);
}

static void end(void)
{
	wr_crew_deinit(&crew);
	CHECK_U64(freed, made);
	wr_runtime_free(runtime);
	kept_store_deinit(&store);
	wr_reactor_remove_hook(&reactor, &settle_hook);
	wr_reactor_deinit(&reactor);
}

static void stop_one(const struct wr_worker *of)
{
	struct wr_ack ack;

	CHECK_STATUS(wr_runtime_stop_worker(runtime, of->id, WR_VIEW_NULL, NULL, &ack), WR_OK);
}

/* ---- members ---- */

static void test_a_member_is_made_at_the_first_input_and_goes_with_its_worker(void)
{
	start();
	CHECK(find_run(worker) == NULL && made == 0);
	input("go");
	wr_runtime_settle(runtime);
	CHECK(run_of_worker(worker)->runs && made == 1);
	CHECK_U64(run_of_worker(worker)->sequence, 3); /* the Runtime, the Worker, its input */
	CHECK_U64(wr_crew_live_count(&crew), 1);
	finish(run_of_worker(worker), WR_PHASE_IDLE, "done");
	CHECK_U64(wr_crew_live_count(&crew), 0);
	input("go");
	wr_runtime_settle(runtime);
	CHECK_U64(made, 1);
	stop_worker();
	wr_runtime_settle(runtime);
	CHECK(find_run(worker) == NULL && freed == 1);
	check_trace("> go\n"
		    "phase busy: input\n"
		    "phase idle: done\n"
		    "> go\n"
		    "phase busy: input\n"
		    "stopped\n"
		    "phase stopped: execution ended\n");
	CHECK(!crew.has_hook);
	end();
}

static void test_each_of_many_workers_is_found_by_its_number(void)
{
	const struct wr_worker *all[MANY];
	struct wr_crew_member *member;
	uint32_t at = 0, count = 0;

	start();
	all[0] = worker;
	for (unsigned i = 1; i < MANY; i++)
		all[i] = make_worker();
	wr_runtime_settle(runtime);
	CHECK(wr_crew_next(&crew, &at) == NULL);
	/* The last comes first: the table grows by more than one step, and has gaps. */
	for (unsigned i = MANY; i-- > 0;)
		if (i % 3 == 0) {
			CHECK_STATUS(try_input_to(all[i], WR_VIEW("go")), WR_OK);
			wr_runtime_settle(runtime);
		}
	for (unsigned i = 0; i < MANY; i++)
		CHECK((find_run(all[i]) != NULL) == (i % 3 == 0));
	CHECK(run_of_worker(all[MANY - 1])->made_as == 1);
	for (unsigned i = 0; i < MANY; i += 6)
		stop_one(all[i]);
	wr_runtime_settle(runtime);
	for (at = 0; (member = wr_crew_next(&crew, &at)) != NULL; count++) {
		CHECK(member == wr_crew_find(&crew, member->reports.worker));
		CHECK(wr_crew_worker(member) == all[3 + 6 * count]);
	}
	CHECK_U64(count, MANY / 6 + 1);
	CHECK_U64(wr_crew_live_count(&crew), count);
	CHECK(wr_crew_find(&crew, UINT32_MAX) == NULL);
	end();
}

static void test_who_never_ran_ends_without_a_member(void)
{
	start();
	CHECK_STATUS(interrupt_worker(), WR_CONFLICT);
	CHECK_STATUS(wr_crew_interrupt(&port, UINT32_MAX), WR_CONFLICT);
	stop_worker();
	worker = make_worker();
	wr_runtime_settle(runtime);
	cancel_worker();
	check_trace("stopped\ncancelled\n");
	CHECK(made == 0 && crew.by_worker == NULL);
	end();
}

static void test_an_interrupt_is_for_who_runs(void)
{
	start();
	input("go");
	wr_runtime_settle(runtime);
	CHECK_STATUS(interrupt_worker(), WR_OK);
	CHECK_STATUS(interrupt_worker(), WR_CONFLICT);
	check_trace("> go\nphase busy: input\nphase interrupted: interrupted\n");
	end();
}

/* ---- what cannot be recorded ---- */

static void test_an_end_that_cannot_be_recorded_is_kept_by_a_member(void)
{
	static const struct {
		const char *label;
		bool has_run; /* in this life */
	} cases[] = {{"who runs", true}, {"who ran before", false}};

	for (unsigned i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].label);
		start();
		if (cases[i].has_run) {
			input("go");
			wr_runtime_settle(runtime);
		} else {
			CHECK_STATUS(wr_runtime_phase(runtime, worker->number, WR_PHASE_STARTING,
						      WR_VIEW("before")),
				     WR_OK);
		}
		hide();
		stop_worker();
		store.mood = WR_NO_MEMORY;
		show();
		wr_runtime_settle(runtime);
		CHECK(run_of_worker(worker)->member.is_released);
		CHECK_U64(wr_crew_live_count(&crew), 1);
		run_a_while();
		CHECK(crew.has_hook && went_on == 0);
		store.mood = WR_OK;
		wait_for("phase stopped: execution ended\n");
		CHECK(find_run(worker) == NULL && went_on == 1 && freed == 1);
		wr_reactor_turn(&reactor, 0);
		CHECK(!crew.has_hook);
		end();
	}
}

static void test_who_has_waited_goes_on_when_all_is_recorded(void)
{
	start();
	input("go");
	wr_runtime_settle(runtime);
	store.mood = WR_NO_MEMORY;
	finish(run_of_worker(worker), WR_PHASE_IDLE, "done");
	CHECK_U64(wr_crew_live_count(&crew), 1);
	run_a_while();
	CHECK(crew.has_hook && went_on == 0);
	store.mood = WR_OK;
	wait_for("phase idle: done\n");
	CHECK(went_on == 1 && freed == 0);
	CHECK_U64(wr_crew_live_count(&crew), 0);
	wr_reactor_turn(&reactor, 0);
	CHECK(!crew.has_hook);
	end();
}

/* Whichever allocation fails, the input is run, or it is told that it is not; and the end is the
 * same. */
static void test_each_allocation_may_fail(void)
{
	bool has_failed = true;
	unsigned told = 0;

	for (uint64_t n = 1; has_failed; n++) {
		char label[32];
		snprintf(label, sizeof label, "allocation %u", (unsigned)n);
		wr_test_case(label);
		start();
		wr_test_fail_allocation(n, false);
		if (try_input("go") != WR_OK)
			CHECK_STATUS(try_input("go"), WR_OK);
		run_a_while();
		has_failed = wr_test_allocation_failed();
		wr_test_fail_allocation(0, false);
		if (find_run(worker) == NULL) {
			check_trace("> go\nerror no memory to run it\n");
			CHECK(made == 0);
			told++;
		} else {
			check_trace("> go\nphase busy: input\n");
		}
		stop_worker();
		run_a_while();
		CHECK(worker->now.phase == WR_PHASE_STOPPED);
		CHECK(find_run(worker) == NULL);
		end();
		CHECK(n < 100);
	}
	CHECK_U64(told, 2); /* the table, the member */
}

/* ---- the end of the Runtime ---- */

static unsigned drained;

static void on_drained(void *context)
{
	CHECK(context == &drained);
	drained++;
}

static void test_a_drain_tells_once_when_nothing_runs_any_more(void)
{
	const struct wr_worker *other;

	start();
	other = make_worker();
	wr_runtime_settle(runtime);
	input("go");
	CHECK_STATUS(try_input_to(other, WR_VIEW("go")), WR_OK);
	wr_runtime_settle(runtime);
	drained = 0;
	CHECK_U64(wr_crew_drain(&crew, on_drained, &drained), 2);
	wr_crew_tell_drained(&crew);
	finish(run_of_worker(worker), WR_PHASE_IDLE, "done");
	wr_crew_tell_drained(&crew);
	CHECK_U64(drained, 0);
	/* The last one's end has to be recorded first, and nobody has to ask. */
	store.mood = WR_NO_MEMORY;
	finish(run_of_worker(other), WR_PHASE_IDLE, "done too");
	run_a_while();
	CHECK_U64(drained, 0);
	store.mood = WR_OK;
	wait_for("phase idle: done too\n");
	CHECK_U64(drained, 1);
	wr_crew_tell_drained(&crew);
	run_a_while();
	CHECK_U64(drained, 1);
	CHECK_U64(count_in_trace("drained, runs\n"), 2);
	end();
}

static void test_a_drain_of_nobody_who_runs_tells_by_its_result(void)
{
	start();
	drained = 0;
	CHECK_U64(wr_crew_drain(&crew, on_drained, &drained), 0);
	run_a_while();
	CHECK_U64(drained, 0);
	end();
	start();
	input("go");
	wr_runtime_settle(runtime);
	finish(run_of_worker(worker), WR_PHASE_IDLE, "done");
	CHECK_U64(wr_crew_drain(&crew, on_drained, &drained), 0);
	wr_crew_tell_drained(&crew);
	CHECK_U64(drained, 0);
	CHECK_U64(count_in_trace("drained, rests\n"), 1);
	end();
	start();
	input("go");
	wr_runtime_settle(runtime);
	CHECK_U64(wr_crew_drain(&crew, NULL, NULL), 1);
	finish(run_of_worker(worker), WR_PHASE_IDLE, "done");
	wr_crew_tell_drained(&crew); /* nobody wants to know */
	end();
}

static void test_an_input_that_becomes_visible_at_the_end_is_refused(void)
{
	start();
	hide();
	input("go");
	wr_runtime_settle(runtime);
	CHECK_U64(wr_crew_drain(&crew, NULL, NULL), 0);
	CHECK(find_run(worker) == NULL);
	show();
	wr_runtime_settle(runtime);
	check_trace("> go\nphase interrupted: not run any more\n");
	CHECK(!run_of_worker(worker)->runs);
	end();
}

/* ---- the end of a turn ---- */

static void test_turns_end_here_as_long_as_there_is_work(void)
{
	start();
	rounds = 3;
	wr_crew_want_turn(&crew);
	wr_crew_want_turn(&crew);
	CHECK(crew.has_hook);
	for (unsigned left = 3; left-- > 0;) {
		CHECK(crew.has_hook);
		wr_reactor_turn(&reactor, 0);
		CHECK_U64(rounds, left);
	}
	CHECK(!crew.has_hook);
	wr_crew_want_turn(&crew);
	end(); /* with the hook */
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_a_member_is_made_at_the_first_input_and_goes_with_its_worker),
	WR_TEST(test_each_of_many_workers_is_found_by_its_number),
	WR_TEST(test_who_never_ran_ends_without_a_member),
	WR_TEST(test_an_interrupt_is_for_who_runs),
	WR_TEST(test_an_end_that_cannot_be_recorded_is_kept_by_a_member),
	WR_TEST(test_who_has_waited_goes_on_when_all_is_recorded),
	WR_TEST(test_each_allocation_may_fail),
	WR_TEST(test_a_drain_tells_once_when_nothing_runs_any_more),
	WR_TEST(test_a_drain_of_nobody_who_runs_tells_by_its_result),
	WR_TEST(test_an_input_that_becomes_visible_at_the_end_is_refused),
	WR_TEST(test_turns_end_here_as_long_as_there_is_work),
	WR_TEST_END,
};
