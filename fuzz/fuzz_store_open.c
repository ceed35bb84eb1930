/*
 * Opening a log that somebody damaged, on a simulated disk. Options: which log to begin with; what
 * fails while it is opened; then a list of changes (store_changes.h), among them records and
 * segment headers that are sound but say what no program of ours would.
 *
 * A log opens or is refused; what verify calls sound or torn opens; a second start says the same; a
 * start during which the disk or memory failed changes nothing of what the next one says; what can
 * be read is in order and comes to an end; what opens can be gone on with.
 */
#include "check.h"
#include "fuzz.h"
#include "io/store/verify.h"
#include "store_changes.h"

#include <errno.h>
#include <string.h>

enum { READS_MAX = 1000 };

/* ---- what is asked of it ---- */

/* Reads a scope to its end. */
static void read_scope(const struct wr_store *port, uint32_t worker, uint64_t head)
{
	struct wr_store_place place = {0};
	struct wr_store_record record;
	uint64_t after = 0;

	for (unsigned i = 0; i < READS_MAX; i++) {
		enum wr_status status =
			port->ops->next(port->context, worker, after, &place, &record);

		if (status != WR_OK) {
			CHECK(status == WR_NOT_FOUND || status == WR_CORRUPT || status == WR_IO);
			return;
		}
		CHECK(record.sequence > after && record.sequence <= head);
		CHECK(worker == 0 || record.worker == worker);
		after = record.sequence;
	}
	wr_test_fail(__FILE__, __LINE__, "reading comes to no end");
}

static void look(const struct wr_store *port, const struct wr_kit_outcome *out)
{
	for (uint32_t worker = 0; worker < 5; worker++) {
		read_scope(port, worker, out->info.head);
		port->ops->evicted(port->context, worker);
		port->ops->first_item(port->context, worker);
		for (uint32_t item = 1; item < 6; item++) {
			struct wr_store_place place = {0};
			struct wr_store_record record;
			enum wr_status status =
				port->ops->item(port->context, worker, item, &place, &record);

			CHECK(status == WR_OK || status == WR_NOT_FOUND || status == WR_CORRUPT ||
			      status == WR_IO);
			if (status == WR_OK)
				CHECK(record.item == item && record.worker == worker);
		}
	}
	CHECK(port->ops->visible(port->context) <= out->info.head);
}

static void open_log(struct wr_sim_disk *sim, struct wr_kit_outcome *out, enum wr_kit_end end)
{
	wr_kit_look = look;
	CHECK(wr_kit_try(sim, out, end));
	wr_kit_look = NULL;
	CHECK_U64(wr_sim_disk_open_count(sim), 0);
	CHECK(out->status == WR_OK || out->status == WR_CORRUPT || out->status == WR_UNSUPPORTED);
	if (out->status != WR_OK)
		CHECK(out->error.what != NULL);
	if (out->status != WR_OK && !has_lies)
		CHECK(out->error.file[0] != '\0');
}

static enum wr_status ignore_event(void *context, const struct wr_store_record *record)
{
	(void)context;
	(void)record;
	return WR_OK;
}

static void check_verify(struct wr_sim_disk *sim, const struct wr_kit_outcome *opened)
{
	const struct wr_verify_visitor visitor = {.event = ignore_event};
	struct wr_disk disk = wr_sim_disk_port(sim);
	struct wr_verify_result result = {.state = WR_VERIFY_DAMAGED};
	struct wr_fs_error error;
	enum wr_status status =
		wr_verify_run(&result, wr_test_allocator(), &disk, &visitor, &error);

	CHECK_U64(wr_sim_disk_open_count(sim), 0);
	CHECK(status == WR_OK || status == WR_CORRUPT || status == WR_UNSUPPORTED);
	if (status == WR_OK && !has_lies &&
	    (result.state == WR_VERIFY_SOUND || result.state == WR_VERIFY_TORN))
		CHECK_STATUS(opened->status, WR_OK);
	/* The same program opens what is not of a newer one. */
	if (opened->status == WR_UNSUPPORTED)
		CHECK(status != WR_OK || result.state != WR_VERIFY_SOUND);
}

/* A start during which something fails. */
static void start_failing(struct wr_sim_disk *sim, uint8_t kind, uint8_t n)
{
	static const int errors[] = {EIO, ENOSPC, EMFILE, EDQUOT};
	static struct wr_kit_outcome out;

	if (kind % 3 == 1)
		wr_sim_disk_fail(sim, WR_SIM_ALL, n, errors[kind / 8 % 4], kind >= 128);
	if (kind % 3 == 2)
		wr_test_fail_allocation(n, kind >= 128);
	if (kind % 3 != 0)
		wr_kit_try(sim, &out, kind % 2 == 0 ? WR_KIT_KILL : WR_KIT_CLOSE);
	wr_test_fail_allocation(0, false);
	wr_sim_disk_kill(sim);
}

/* `may_find_more`: indexes may have gone, which are a cache; to make one again, a segment is read
 * that nobody read before, and so what was wrong with it is found. */
static void check_same(const struct wr_kit_outcome *a, const struct wr_kit_outcome *b,
		       bool may_find_more)
{
	if (has_lies)
		return;
	CHECK_STATUS(a->status, b->status);
	if (a->status != WR_OK)
		return;
	CHECK_U64(a->info.head, b->info.head);
	if (!may_find_more)
		CHECK_VIEW(wr_view_of(a->story, a->story_bytes),
			   wr_view_of(b->story, b->story_bytes));
}

/* What opens can be gone on with, and opens with what was added. */
static void check_going_on(struct wr_sim_disk *sim, const struct wr_kit_outcome *opened)
{
	static struct wr_kit_outcome out;

	if (opened->status != WR_OK || has_lies || strstr(opened->story, "!1 ") != NULL)
		return;
	open_log(sim, &out, WR_KIT_GO_ON);
	check_same(&out, opened, true);
	for (unsigned i = 0; i < 2; i++) {
		open_log(sim, &out, i == 0 ? WR_KIT_CLOSE : WR_KIT_KILL);
		CHECK_STATUS(out.status, WR_OK);
		CHECK_U64(out.info.head, opened->info.head + 1);
	}
}

void fuzz_one(struct wr_view input)
{
	static struct wr_kit_outcome first, second;
	struct wr_sim_disk *sim = begin_with(fuzz_u8(&input)), *copy;
	uint8_t kind = fuzz_u8(&input), n = fuzz_u8(&input);

	has_lies = false;
	for (unsigned i = 0; i < CHANGES_MAX && input.bytes != 0; i++)
		change_one(sim, &input);
	wr_sim_disk_settle(sim);
	copy = wr_sim_disk_copy(sim);
	open_log(copy, &first, WR_KIT_KILL);
	if (first.status != WR_OK && !has_lies)
		CHECK(wr_sim_disk_is_equal(copy, sim));
	check_verify(sim, &first);
	start_failing(sim, kind, n);
	open_log(sim, &second, WR_KIT_CLOSE);
	check_same(&second, &first, kind % 3 != 0);
	if (first.status == WR_OK) {
		open_log(sim, &second, WR_KIT_KILL);
		check_same(&second, &first, true);
		CHECK(has_lies || !second.info.recovery.is_torn);
	}
	if (kind % 3 == 0)
		check_going_on(sim, &first);
	wr_sim_disk_free(copy);
	wr_sim_disk_free(sim);
}
