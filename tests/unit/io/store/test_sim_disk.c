/* Goal: the simulated disk forgets what a real one may forget, keeps what it must, and fails when
 * told; all proofs of the store stand on it. Method: small files, and many seeds for each cut, of
 * which every outcome that is allowed must be seen and no other. */
#include "sim_disk.h"

#include "harness/harness.h"

#include <errno.h>
#include <string.h>

enum { SEEDS = 400 };

static struct wr_sim_disk *sim;
static struct wr_disk disk;

static void begin(void)
{
	sim = wr_sim_disk_new();
	disk = wr_sim_disk_port(sim);
}

static int open_file(const char *name, enum wr_disk_open how)
{
	return disk.ops->open(disk.context, name, how);
}

static int put(int handle, const char *text, uint64_t offset)
{
	size_t n;
	int failed = disk.ops->write(disk.context, handle, text, strlen(text), offset, &n);

	return failed != 0 ? failed : (int)n;
}

/* A sector of one letter. */
static void put_sectors(int handle, char letter, uint64_t sector, unsigned count)
{
	char data[4096];
	size_t n;

	memset(data, letter, sizeof data);
	CHECK(disk.ops->write(disk.context, handle, data, count * 512, sector * 512, &n) == 0);
	CHECK_U64(n, count * 512);
}

static int sync_file(int handle)
{
	return disk.ops->sync(disk.context, handle);
}

static int sync_folder(void)
{
	return disk.ops->sync_folder(disk.context);
}

static bool has(struct wr_sim_disk *which, const char *name)
{
	struct wr_view content;

	return wr_sim_disk_file(which, name, &content);
}

static void check_content(struct wr_sim_disk *which, const char *name, const char *content)
{
	struct wr_view found;

	CHECK(wr_sim_disk_file(which, name, &found));
	CHECK_STRING(found, content);
}

/* What a file is after a cut, in a few letters: the first of each sector, `-` for a zero, and what
 * is too short for a sector as it is; "none" without a name. */
static const char *outcome(enum wr_sim_cut cut, uint64_t seed, const char *name)
{
	static char text[64];
	struct wr_sim_disk *after = wr_sim_disk_power_cut(sim, cut, seed);
	struct wr_view content;
	size_t n = 0;

	memcpy(text, "none", 5);
	if (wr_sim_disk_file(after, name, &content)) {
		for (size_t at = 0; at < content.bytes; at += 512) {
			for (size_t i = at; i < at + 512 && i < content.bytes; i++)
				CHECK(content.data[i] == content.data[at]); /* whole or not */
			text[n++] = content.data[at] == '\0' ? '-' : content.data[at];
		}
		text[n] = '\0';
	}
	wr_sim_disk_free(after);
	return text;
}

/* Every outcome of the list is seen, and no other. */
static void check_outcomes(const char *name, const char *const *allowed, size_t count)
{
	unsigned seen = 0;
	uint64_t seed = wr_test_seed();

	for (unsigned i = 0; i < SEEDS; i++) {
		const char *text = outcome(WR_SIM_CUT_RANDOM, wr_test_random(&seed), name);
		size_t which = 0;

		wr_test_case(text);
		while (which < count && strcmp(allowed[which], text) != 0)
			which++;
		CHECK(which < count);
		seen |= 1u << which;
	}
	wr_test_case(NULL);
	CHECK_U64(seen, (1u << count) - 1);
}
#define CHECK_OUTCOMES(name, ...)                                  \
	check_outcomes((name), (const char *const[]){__VA_ARGS__}, \
		       sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void test_files_are_read_as_they_were_written(void)
{
	char out[16];
	uint64_t size;
	size_t n;
	int handle, second;

	begin();
	CHECK(open_file("f", WR_DISK_READ) == -ENOENT);
	CHECK(open_file("f", WR_DISK_WRITE) == -ENOENT);
	handle = open_file("f", WR_DISK_CREATE);
	CHECK(handle >= 0);
	CHECK(open_file("f", WR_DISK_CREATE) == -EEXIST);
	CHECK(put(handle, "hello", 2) == 5);
	second = open_file("f", WR_DISK_READ);
	CHECK(second >= 0 && second != handle);
	CHECK(disk.ops->size(disk.context, second, &size) == 0 && size == 7);
	CHECK(disk.ops->read(disk.context, second, out, sizeof out, 1, &n) == 0);
	CHECK_VIEW(wr_view_of(out, n), WR_VIEW("\0hello"));
	CHECK(disk.ops->read(disk.context, second, out, sizeof out, 7, &n) == 0 && n == 0);
	CHECK(disk.ops->truncate(disk.context, handle, 4) == 0);
	CHECK(disk.ops->truncate(disk.context, handle, 5) == 0);
	CHECK(disk.ops->read(disk.context, second, out, 4, 1, &n) == 0);
	CHECK_VIEW(wr_view_of(out, n), WR_VIEW("\0he\0"));
	CHECK_U64(wr_sim_disk_open_count(sim), 2);
	disk.ops->close(disk.context, handle);
	CHECK_U64(wr_sim_disk_open_count(sim), 1);
	wr_sim_disk_free(sim);
}

static void count_name(void *context, const char *name)
{
	CHECK(strlen(name) == 1);
	*(unsigned *)context += 1;
}

static void test_names_change_and_a_file_lives_as_long_as_its_handle(void)
{
	unsigned count = 0;
	int handle;

	begin();
	CHECK(disk.ops->rename(disk.context, "a", "b") == -ENOENT);
	CHECK(disk.ops->unlink(disk.context, "a") == -ENOENT);
	handle = open_file("a", WR_DISK_CREATE);
	CHECK(open_file("b", WR_DISK_CREATE) >= 0 && open_file("c", WR_DISK_CREATE) >= 0);
	CHECK(put(handle, "text", 0) == 4);
	CHECK(disk.ops->rename(disk.context, "a", "b") == 0);
	CHECK(disk.ops->list(disk.context, count_name, &count) == 0);
	CHECK_U64(count, 2);
	check_content(sim, "b", "text");
	CHECK(disk.ops->unlink(disk.context, "b") == 0);
	CHECK(!has(sim, "b") && !has(sim, "a"));
	CHECK(put(handle, "still", 0) == 5);
	wr_sim_disk_free(sim);
}

static void test_a_cut_takes_what_was_not_synced(void)
{
	int handle;

	begin();
	handle = open_file("f", WR_DISK_CREATE);
	put_sectors(handle, 'a', 0, 2);
	CHECK_STRING(wr_view_of_string(outcome(WR_SIM_CUT_NONE, 0, "f")), "none");
	CHECK_STRING(wr_view_of_string(outcome(WR_SIM_CUT_ALL, 0, "f")), "aa");
	CHECK(sync_file(handle) == 0); /* of the data, not of the name */
	CHECK_STRING(wr_view_of_string(outcome(WR_SIM_CUT_NONE, 0, "f")), "none");
	CHECK_OUTCOMES("f", "none", "aa");
	CHECK(sync_folder() == 0);
	CHECK_OUTCOMES("f", "aa");
	put_sectors(handle, 'b', 0, 1);
	CHECK_STRING(wr_view_of_string(outcome(WR_SIM_CUT_NONE, 0, "f")), "aa");
	CHECK_STRING(wr_view_of_string(outcome(WR_SIM_CUT_ALL, 0, "f")), "ba");
	CHECK_OUTCOMES("f", "aa", "ba");
	wr_sim_disk_free(sim);
}

static void test_a_name_may_be_there_without_its_data(void)
{
	int handle;

	begin();
	handle = open_file("f", WR_DISK_CREATE);
	put_sectors(handle, 'a', 0, 2);
	CHECK(sync_folder() == 0);
	CHECK_STRING(wr_view_of_string(outcome(WR_SIM_CUT_NONE, 0, "f")), "");
	CHECK_OUTCOMES("f", "", "--", "a-", "-a", "aa");
	wr_sim_disk_free(sim);
}

static void test_sectors_arrive_in_any_order_but_each_goes_forward(void)
{
	int handle;

	begin();
	handle = open_file("f", WR_DISK_CREATE);
	put_sectors(handle, 'a', 0, 2);
	CHECK(sync_file(handle) == 0 && sync_folder() == 0);
	put_sectors(handle, 'b', 0, 2);
	put_sectors(handle, 'c', 1, 1);
	CHECK_OUTCOMES("f", "aa", "ab", "ac", "ba", "bb", "bc");
	wr_sim_disk_free(sim);
}

static void test_a_part_of_a_sector_arrives_with_what_was_beside_it(void)
{
	uint64_t seed = wr_test_seed();
	int handle;

	begin();
	handle = open_file("f", WR_DISK_CREATE);
	CHECK(put(handle, "one.", 0) == 4);
	CHECK(sync_file(handle) == 0 && sync_folder() == 0);
	CHECK(put(handle, "two.", 4) == 4);
	CHECK(put(handle, "three", 8) == 5);
	for (unsigned i = 0; i < SEEDS; i++) {
		struct wr_sim_disk *after =
			wr_sim_disk_power_cut(sim, WR_SIM_CUT_RANDOM, wr_test_random(&seed));
		struct wr_view content;

		CHECK(wr_sim_disk_file(after, "f", &content));
		CHECK(content.bytes == 4 || content.bytes == 8 || content.bytes == 13);
		CHECK(memcmp(content.data, "one.", 4) == 0);
		/* the third is never there without the second */
		CHECK(content.bytes < 13 || content.data[8] == '\0' || content.data[4] == 't');
		wr_sim_disk_free(after);
	}
	wr_sim_disk_free(sim);
}

static void test_names_arrive_in_any_order_and_a_rename_whole(void)
{
	int old, fresh;

	begin();
	old = open_file("f", WR_DISK_CREATE);
	put_sectors(old, 'o', 0, 1);
	CHECK(sync_file(old) == 0 && sync_folder() == 0);
	fresh = open_file("f.tmp", WR_DISK_CREATE);
	put_sectors(fresh, 'n', 0, 1);
	CHECK(sync_file(fresh) == 0);
	CHECK(disk.ops->rename(disk.context, "f.tmp", "f") == 0);
	CHECK_OUTCOMES("f", "o", "n"); /* never none */
	CHECK_OUTCOMES("f.tmp", "none", "n");
	CHECK(sync_folder() == 0);
	CHECK_OUTCOMES("f", "n");
	CHECK_OUTCOMES("f.tmp", "none");
	CHECK(disk.ops->unlink(disk.context, "f") == 0);
	CHECK_OUTCOMES("f", "n", "none");
	CHECK(sync_folder() == 0);
	CHECK_OUTCOMES("f", "none");
	wr_sim_disk_free(sim);
}

static void test_a_shorter_file_may_still_be_long(void)
{
	int handle;

	begin();
	handle = open_file("f", WR_DISK_CREATE);
	put_sectors(handle, 'a', 0, 2);
	CHECK(sync_file(handle) == 0 && sync_folder() == 0);
	CHECK(disk.ops->truncate(disk.context, handle, 512) == 0);
	CHECK_OUTCOMES("f", "a", "aa", "a-");
	CHECK(sync_file(handle) == 0);
	CHECK_OUTCOMES("f", "a");
	wr_sim_disk_free(sim);
}

static void test_what_a_failed_sync_left_stays_in_doubt(void)
{
	int handle;

	begin();
	handle = open_file("f", WR_DISK_CREATE);
	put_sectors(handle, 'a', 0, 2);
	CHECK(sync_file(handle) == 0 && sync_folder() == 0);
	put_sectors(handle, 'b', 0, 2);
	wr_sim_disk_fail(sim, WR_SIM_SYNC, 1, EIO, false);
	CHECK(sync_file(handle) == -EIO);
	CHECK(sync_file(handle) == 0); /* a lie */
	CHECK_OUTCOMES("f", "aa", "ab", "ba", "bb");
	put_sectors(handle, 'c', 0, 1); /* dirty again */
	CHECK(sync_file(handle) == 0);
	CHECK_OUTCOMES("f", "ca", "cb");
	wr_sim_disk_free(sim);
}

static void test_names_of_a_failed_sync_stay_in_doubt(void)
{
	begin();
	CHECK(put(open_file("f", WR_DISK_CREATE), "f", 0) == 1);
	wr_sim_disk_settle(sim);
	CHECK(disk.ops->rename(disk.context, "f", "g") == 0);
	wr_sim_disk_fail(sim, WR_SIM_SYNC_FOLDER, 1, EIO, false);
	CHECK(sync_folder() == -EIO);
	CHECK(put(open_file("h", WR_DISK_CREATE), "h", 0) == 1);
	CHECK(sync_folder() == 0); /* of what came behind, but not of that */
	CHECK(has(sim, "g") && !has(sim, "f"));
	CHECK_OUTCOMES("f", "f", "none");
	CHECK_OUTCOMES("g", "f", "none");
	CHECK_OUTCOMES("h", "", "-", "h");
	CHECK(disk.ops->rename(disk.context, "g", "i") == 0);
	CHECK(sync_folder() == 0);
	CHECK_OUTCOMES("i", "f");
	CHECK_OUTCOMES("f", "none");
	CHECK_OUTCOMES("g", "none");
	wr_sim_disk_free(sim);
}

static void test_the_nth_call_fails_once_or_for_ever(void)
{
	int handle;

	begin();
	handle = open_file("f", WR_DISK_CREATE);
	wr_sim_disk_fail(sim, WR_SIM_WRITE | (unsigned)WR_SIM_SYNC, 3, EIO, false);
	CHECK(put(handle, "a", 0) == 1);
	CHECK(sync_file(handle) == 0);
	CHECK(sync_folder() == 0);
	CHECK_U64(wr_sim_disk_failed_count(sim), 0);
	CHECK(put(handle, "bcd", 0) == -EIO);
	check_content(sim, "f", "a");
	CHECK(put(handle, "b", 0) == 1);
	CHECK_U64(wr_sim_disk_failed_count(sim), 1);

	wr_sim_disk_fail(sim, WR_SIM_ALL, 2, ENOSPC, true);
	CHECK(put(handle, "c", 0) == 1);
	CHECK(put(handle, "d", 0) == -ENOSPC);
	CHECK(sync_file(handle) == -ENOSPC);
	CHECK(sync_folder() == -ENOSPC);
	CHECK(disk.ops->rename(disk.context, "f", "g") == -ENOSPC);
	CHECK(disk.ops->unlink(disk.context, "f") == -ENOSPC);
	CHECK(disk.ops->truncate(disk.context, handle, 0) == -ENOSPC);
	CHECK(open_file("h", WR_DISK_CREATE) == -ENOSPC);
	CHECK(open_file("f", WR_DISK_READ) == -ENOSPC);
	CHECK(disk.ops->lock(disk.context) == -ENOSPC);
	CHECK_U64(wr_sim_disk_failed_count(sim), 9);
	wr_sim_disk_fail(sim, 0, 0, 0, false);
	CHECK(sync_file(handle) == 0);
	check_content(sim, "f", "c");
	CHECK_U64(wr_sim_disk_file_count(sim), 1);
	wr_sim_disk_free(sim);
}

static void test_writes_may_be_short_and_room_may_end(void)
{
	int handle, other;

	begin();
	handle = open_file("f", WR_DISK_CREATE);
	other = open_file("g", WR_DISK_CREATE);
	wr_sim_disk_write_max(sim, 2);
	CHECK(put(handle, "abcd", 0) == 2);
	wr_sim_disk_write_max(sim, 0);
	wr_sim_disk_capacity(sim, 6);
	CHECK(put(other, "xyz", 0) == 3);
	CHECK(put(handle, "cdef", 2) == 1);
	CHECK(put(handle, "def", 3) == -ENOSPC);
	CHECK(put(handle, "ABC", 0) == 3); /* within the file there is room */
	CHECK_U64(wr_sim_disk_used(sim), 6);
	CHECK(disk.ops->unlink(disk.context, "g") == 0);
	CHECK(put(handle, "def", 3) == 3);
	check_content(sim, "f", "ABCdef");
	wr_sim_disk_free(sim);
}

static void test_a_killed_process_leaves_what_readers_saw(void)
{
	int handle;

	begin();
	CHECK(disk.ops->lock(disk.context) == 0);
	CHECK(disk.ops->lock(disk.context) == -EWOULDBLOCK);
	handle = open_file("f", WR_DISK_CREATE);
	CHECK(put(handle, "abc", 0) == 3);
	wr_sim_disk_stop(sim);
	CHECK(put(handle, "xyz", 0) == -EIO);
	CHECK(disk.ops->rename(disk.context, "f", "g") == -EIO);
	CHECK(sync_file(handle) == -EIO);
	wr_sim_disk_kill(sim);
	CHECK_U64(wr_sim_disk_open_count(sim), 0);
	handle = open_file("f", WR_DISK_READ);
	CHECK(sync_file(handle) == 0 && sync_folder() == 0); /* nothing is in doubt */
	check_content(sim, "f", "abc");
	CHECK_STRING(wr_view_of_string(outcome(WR_SIM_CUT_NONE, 0, "g")), "none");
	CHECK_OUTCOMES("h", "none");
	wr_sim_disk_kill(sim);
	CHECK(disk.ops->lock(disk.context) == 0);
	check_content(sim, "f", "abc");
	wr_sim_disk_kill(sim);
	wr_sim_disk_occupy(sim, true);
	CHECK(disk.ops->lock(disk.context) == -EWOULDBLOCK);
	wr_sim_disk_free(sim);
}

static void test_the_same_seed_cuts_the_same(void)
{
	uint64_t seed = wr_test_seed();

	begin();
	for (char name[2] = "a"; name[0] < 'f'; name[0]++)
		put_sectors(open_file(name, WR_DISK_CREATE), name[0], 0, 4);
	for (unsigned i = 0; i < SEEDS; i++) {
		uint64_t one = wr_test_random(&seed);
		struct wr_sim_disk *a = wr_sim_disk_power_cut(sim, WR_SIM_CUT_RANDOM, one);
		struct wr_sim_disk *b = wr_sim_disk_power_cut(sim, WR_SIM_CUT_RANDOM, one);

		CHECK(wr_sim_disk_is_equal(a, b));
		wr_sim_disk_free(a);
		wr_sim_disk_free(b);
	}
	wr_sim_disk_free(sim);
}

static void test_copies_are_equal_until_one_changes(void)
{
	struct wr_sim_disk *copy;

	begin();
	wr_sim_disk_put(sim, "f", WR_VIEW("abc"));
	CHECK(put(open_file("g", WR_DISK_CREATE), "xyz", 0) == 3);
	copy = wr_sim_disk_copy(sim);
	CHECK(wr_sim_disk_is_equal(sim, copy));
	wr_sim_disk_put(copy, "f", WR_VIEW("abd"));
	CHECK(!wr_sim_disk_is_equal(sim, copy));
	wr_sim_disk_put(copy, "f", WR_VIEW("abc"));
	CHECK(wr_sim_disk_is_equal(sim, copy));
	CHECK(wr_sim_disk_remove(copy, "g") && !wr_sim_disk_remove(copy, "g"));
	CHECK(!wr_sim_disk_is_equal(sim, copy));
	wr_sim_disk_settle(sim);
	wr_sim_disk_free(copy);
	wr_sim_disk_free(sim);
}

struct watched {
	unsigned calls, cuts;
};

static void watch(void *context, struct wr_sim_disk *which, enum wr_sim_call call, const char *name)
{
	struct watched *watched = context;

	CHECK(((unsigned)call & WR_SIM_CHANGES) != 0 && name != NULL);
	watched->calls++;
	wr_sim_disk_free(wr_sim_disk_power_cut(which, WR_SIM_CUT_ALL, 0));
	watched->cuts++;
}

static void test_a_watcher_sees_every_change(void)
{
	struct watched watched = {0};
	uint64_t size;
	int handle;

	begin();
	wr_sim_disk_watch(sim, watch, &watched);
	handle = open_file("f", WR_DISK_CREATE);
	CHECK(put(handle, "abc", 0) == 3);
	CHECK(disk.ops->size(disk.context, handle, &size) == 0); /* changes nothing */
	CHECK(sync_file(handle) == 0 && sync_folder() == 0);
	CHECK(disk.ops->truncate(disk.context, handle, 1) == 0);
	CHECK(disk.ops->rename(disk.context, "f", "g") == 0);
	CHECK(disk.ops->unlink(disk.context, "g") == 0);
	CHECK_U64(watched.calls, 7);
	CHECK_U64(watched.cuts, wr_sim_disk_call_count(sim, WR_SIM_CHANGES));
	wr_sim_disk_free(sim);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_files_are_read_as_they_were_written),
	WR_TEST(test_names_change_and_a_file_lives_as_long_as_its_handle),
	WR_TEST(test_a_cut_takes_what_was_not_synced),
	WR_TEST(test_a_name_may_be_there_without_its_data),
	WR_TEST(test_sectors_arrive_in_any_order_but_each_goes_forward),
	WR_TEST(test_a_part_of_a_sector_arrives_with_what_was_beside_it),
	WR_TEST(test_names_arrive_in_any_order_and_a_rename_whole),
	WR_TEST(test_a_shorter_file_may_still_be_long),
	WR_TEST(test_what_a_failed_sync_left_stays_in_doubt),
	WR_TEST(test_names_of_a_failed_sync_stay_in_doubt),
	WR_TEST(test_the_nth_call_fails_once_or_for_ever),
	WR_TEST(test_writes_may_be_short_and_room_may_end),
	WR_TEST(test_a_killed_process_leaves_what_readers_saw),
	WR_TEST(test_the_same_seed_cuts_the_same),
	WR_TEST(test_copies_are_equal_until_one_changes),
	WR_TEST(test_a_watcher_sees_every_change),
	WR_TEST_END,
};
