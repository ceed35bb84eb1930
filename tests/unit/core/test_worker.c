/* Goal: exactly the listed moves between phases are allowed, and every value has its contract name.
 * Method: all pairs against a table that is written out here. */
#include "core/worker.h"
#include "harness/harness.h"

#include "check.h"

#include <string.h>

static const char *const phase_names[WR_PHASE_COUNT] = {"starting", "idle",	   "busy",
							"waiting",  "stopping",	   "stopped",
							"failed",   "interrupted", "cancelled"};

/* Rows: from; columns: to, in the order of the names; x: allowed. */
static const char edges[WR_PHASE_COUNT][WR_PHASE_COUNT + 1] = {
	/*               SIBWSSFIC */
	/* starting  */ ".xx.xxxxx",
	/* idle      */ "x.x.xxxxx",
	/* busy      */ ".x.xxxxxx",
	/* waiting   */ ".xx.xxxxx",
	/* stopping  */ ".....x...",
	/* stopped   */ ".........",
	/* failed    */ "x...xx..x",
	/* interrupt */ "xxx.xxx.x",
	/* cancelled */ ".........",
};

static void test_exactly_the_listed_moves_are_allowed(void)
{
	for (unsigned from = 0; from < WR_PHASE_COUNT; from++)
		for (unsigned to = 0; to < WR_PHASE_COUNT; to++) {
			wr_test_case(phase_names[from]);
			CHECK(wr_phase_allows((enum wr_phase)from, (enum wr_phase)to) ==
			      (edges[from][to] == 'x'));
		}
}

static void test_no_phase_may_move_to_itself(void)
{
	for (unsigned phase = 0; phase < WR_PHASE_COUNT; phase++)
		CHECK(!wr_phase_allows((enum wr_phase)phase, (enum wr_phase)phase));
}

static void test_ends_are_stopping_stopped_and_cancelled(void)
{
	for (unsigned phase = 0; phase < WR_PHASE_COUNT; phase++)
		CHECK(wr_phase_is_end((enum wr_phase)phase) ==
		      (phase == WR_PHASE_STOPPING || phase == WR_PHASE_STOPPED ||
		       phase == WR_PHASE_CANCELLED));
}

static void test_from_an_end_no_way_leads_back(void)
{
	for (unsigned from = 0; from < WR_PHASE_COUNT; from++)
		for (unsigned to = 0; to < WR_PHASE_COUNT; to++)
			if (wr_phase_is_end((enum wr_phase)from) &&
			    !wr_phase_is_end((enum wr_phase)to))
				CHECK(!wr_phase_allows((enum wr_phase)from, (enum wr_phase)to));
}

static void test_every_phase_has_its_name(void)
{
	for (unsigned phase = 0; phase < WR_PHASE_COUNT; phase++)
		CHECK(strcmp(wr_phase_name((enum wr_phase)phase), phase_names[phase]) == 0);
}

static void test_status_and_role_names_are_those_of_the_contract(void)
{
	CHECK(strcmp(wr_worker_status_name(WR_WORKER_RUNNING), "running") == 0);
	CHECK(strcmp(wr_worker_status_name(WR_WORKER_STOPPED), "stopped") == 0);
	CHECK(strcmp(wr_worker_status_name(WR_WORKER_CANCELLED), "cancelled") == 0);
	CHECK(strcmp(wr_role_name(WR_ROLE_USER), "user") == 0);
	CHECK(strcmp(wr_role_name(WR_ROLE_SYSTEM), "system") == 0);
	CHECK(strcmp(wr_role_name(WR_ROLE_ASSISTANT), "assistant") == 0);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_exactly_the_listed_moves_are_allowed),
	WR_TEST(test_no_phase_may_move_to_itself),
	WR_TEST(test_ends_are_stopping_stopped_and_cancelled),
	WR_TEST(test_from_an_end_no_way_leads_back),
	WR_TEST(test_every_phase_has_its_name),
	WR_TEST(test_status_and_role_names_are_those_of_the_contract),
	WR_TEST_END,
};
