/*
 * Bit rot (T4): a small log with checkpoints, indexes, a prepared segment and, or not, a mark of a
 * clean stop; every byte of every file is flipped, every file cut at every byte, its sectors
 * zeroed and exchanged, its tail doubled, the file emptied and taken away.
 *
 * Whatever was done, an opening gives all, or less and says so, or refuses by name; what it gives
 * is true, what can be read afterwards is true or is typed, the log goes on, and the next start
 * says the same. `make test` takes samples by a seed; WR_TEST_LONG=1 does all of it.
 */
#include "check.h"
#include "harness/harness.h"
#include "open_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS = 22, WORKERS = 3, SECTOR = 512, CHECKPOINT = 13, OLDER = 7, READS_MAX = 200 };

/* The truth: event n of `worker` has the text "e<n>-", repeated; every third adds an item. */
struct truth {
	uint32_t worker, item;
	char text[96];
};

static struct truth truth[EVENTS + 2];

static void make_truth(void)
{
	uint32_t items[WORKERS + 1] = {0};

	for (uint32_t n = 1; n <= EVENTS; n++) {
		char one[16];

		truth[n].worker = n % 7 == 6 ? WORKERS : n % 2 + 1;
		truth[n].item = n % 3 == 0 ? ++items[truth[n].worker] : 0;
		snprintf(one, sizeof one, "e%u-", (unsigned)n);
		for (uint32_t i = 0; i < n % 5 + 1; i++)
			strcat(truth[n].text, one);
	}
	/* What a log that lost nothing takes next. */
	truth[EVENTS + 1] = (struct truth){1, 0, "more"};
}

static void put_events(struct wr_kit *kit, uint32_t up_to)
{
	while (kit->sequence < up_to) {
		const struct truth *event = &truth[kit->sequence + 1];

		if (event->item != 0)
			wr_kit_item(kit, event->worker, event->text);
		else
			wr_kit_event(kit, event->worker, event->text);
	}
}

static struct wr_kit *make_log(bool is_clean)
{
	static struct wr_kit_outcome out;
	struct wr_kit *kit = wr_kit_new();

	make_truth();
	wr_kit_begin(kit, 1, 0);
	put_events(kit, OLDER);
	wr_kit_end(kit);
	wr_kit_begin(kit, 2, WR_SEGMENT_CHECKPOINT);
	wr_kit_checkpoint(kit, "older");
	put_events(kit, CHECKPOINT);
	wr_kit_end(kit);
	wr_kit_begin(kit, 3, WR_SEGMENT_CHECKPOINT);
	wr_kit_checkpoint(kit, "newer");
	put_events(kit, 18);
	wr_kit_end(kit);
	wr_kit_begin(kit, 4, 0);
	put_events(kit, EVENTS);
	wr_kit_end(kit);
	wr_kit_mark(kit);
	wr_kit_prepared(kit, 5);
	/* This makes the indexes. */
	wr_kit_open(kit->sim, &out, is_clean ? WR_KIT_CLOSE : WR_KIT_KILL);
	CHECK_STATUS(out.status, WR_OK);
	CHECK(wr_kit_has(kit->sim, wr_kit_index(3)));
	CHECK(wr_kit_has(kit->sim, "clean") == is_clean);
	return kit;
}

/* ---- what an opening told ---- */

/* Every event that was given is true; the sequences rise. Returns how many of the newest state are
 * missing; *last: the newest that was given. */
static uint64_t check_told(const struct wr_kit_outcome *out, uint64_t *last)
{
	const char *at = out->story;
	uint64_t given = 0, base = 0;

	*last = 0;
	if (strncmp(at, "<newer> ", 8) == 0) {
		base = *last = CHECKPOINT;
		at += 8;
	} else if (strncmp(at, "<older> ", 8) == 0) {
		base = *last = OLDER;
		at += 8;
	}
	while (*at != '\0') {
		char expected[160];
		unsigned long long sequence = 0;
		int used = 0;

		if (*at == '!') {
			at = strchr(at, ' ') + 1;
			continue;
		}
		CHECK(sscanf(at, "%llu.%n", &sequence, &used) == 1 && used > 0);
		CHECK(sequence > *last && sequence <= EVENTS + 1);
		if (truth[sequence].item != 0)
			snprintf(expected, sizeof expected, "%llu.%u#%u:%s ", sequence,
				 (unsigned)truth[sequence].worker, (unsigned)truth[sequence].item,
				 truth[sequence].text);
		else
			snprintf(expected, sizeof expected, "%llu.%u:%s ", sequence,
				 (unsigned)truth[sequence].worker, truth[sequence].text);
		CHECK(strncmp(at, expected, strlen(expected)) == 0);
		at += strlen(expected);
		*last = sequence;
		given++;
	}
	return EVENTS - base - (given > EVENTS - base ? EVENTS - base : given);
}

/* Less than all is said. */
static void check_said(const struct wr_kit_outcome *out)
{
	const struct wr_fs_recovery *found = &out->info.recovery;
	uint64_t last, missing = check_told(out, &last);

	CHECK(!found->was_new);
	if (found->is_torn || found->is_damaged)
		CHECK(found->file[0] != '\0');
	if (missing == 0)
		return;
	/* The end that no record and no mark speaks for: the generation says where it ended. */
	if (!found->was_clean && missing == EVENTS - last &&
	    out->ends[out->generation - 1] == last && out->info.head == last)
		return;
	CHECK(found->is_torn || found->quarantined_count != 0 || found->is_maybe_incomplete);
	CHECK(found->is_torn != found->is_damaged);
	if (found->is_torn)
		CHECK_U64(missing, EVENTS - last);
}

/* ---- what can be read ---- */

static void check_record(const struct wr_store_record *record, uint64_t after, uint64_t head)
{
	CHECK(record->sequence > after && record->sequence <= head);
	CHECK(record->sequence <= EVENTS + 1);
	CHECK_U64(record->worker, truth[record->sequence].worker);
	CHECK_U64(record->item, truth[record->sequence].item);
	CHECK_STRING(record->payload, truth[record->sequence].text);
}

static uint64_t count_of(uint32_t worker, uint64_t head)
{
	uint64_t count = 0;

	for (uint64_t n = 1; n <= head && n <= EVENTS; n++)
		if (worker == 0 || truth[n].worker == worker)
			count++;
	return count;
}

/* Reads a scope to its end; true when something was said to be missing. */
static bool read_all(const struct wr_store *port, uint32_t worker, uint64_t head, uint64_t *count)
{
	struct wr_store_place place = {0};
	struct wr_store_record record;
	uint64_t after = 0;
	bool is_said = false;

	*count = 0;
	for (unsigned i = 0; i < READS_MAX; i++) {
		enum wr_status status =
			port->ops->next(port->context, worker, after, &place, &record);

		if (status == WR_NOT_FOUND)
			return is_said;
		if (status == WR_OK) {
			check_record(&record, after, head);
			CHECK(worker == 0 || record.worker == worker);
			after = record.sequence;
			++*count;
			continue;
		}
		CHECK(status == WR_CORRUPT || status == WR_IO);
		is_said = true;
		if (worker != 0 || status == WR_IO)
			return true;
	}
	wr_test_fail(__FILE__, __LINE__, "reading comes to no end");
}

static void look(const struct wr_store *port, const struct wr_kit_outcome *out)
{
	const struct wr_fs_recovery *found = &out->info.recovery;
	bool may_miss = found->is_maybe_incomplete || found->quarantined_count != 0;
	uint64_t head = out->info.head, count;
	bool is_said[WORKERS + 1];
	struct wr_store_record record;

	for (uint32_t worker = 1; worker <= WORKERS; worker++) {
		is_said[worker] = read_all(port, worker, head, &count);
		CHECK(is_said[worker] || found->is_maybe_incomplete ||
		      count >= count_of(worker, head));
		may_miss = may_miss || is_said[worker];
	}
	if (!read_all(port, 0, head, &count) && !may_miss)
		CHECK(count >= count_of(0, head));
	for (uint64_t n = 1; n <= EVENTS && n <= head; n++) {
		struct wr_store_place place = {0};
		enum wr_status status;

		if (truth[n].item == 0)
			continue;
		status = port->ops->item(port->context, truth[n].worker, truth[n].item, &place,
					 &record);
		if (status == WR_OK) {
			CHECK_U64(record.sequence, n);
			check_record(&record, 0, head);
		} else {
			CHECK(status == WR_CORRUPT || status == WR_IO ||
			      (status == WR_NOT_FOUND &&
			       (found->is_maybe_incomplete || is_said[truth[n].worker])));
		}
	}
}

/* ---- one damage ---- */

static uint64_t full_count, less_count, refused_count;

static void check_refusal(struct wr_sim_disk *sim, struct wr_sim_disk *before,
			  const struct wr_kit_outcome *out)
{
	static struct wr_kit_outcome again;

	CHECK_STATUS(out->status, WR_CORRUPT);
	CHECK(out->error.file[0] != '\0' && out->error.what != NULL);
	CHECK(wr_sim_disk_is_equal(sim, before));
	wr_kit_open(sim, &again, WR_KIT_KILL);
	CHECK_STATUS(again.status, out->status);
	CHECK(strcmp(again.error.file, out->error.file) == 0);
	refused_count++;
}

/* The same again; then one more event, which is there the time after. */
static void check_again(struct wr_sim_disk *sim, const struct wr_kit_outcome *out, uint64_t seed)
{
	static struct wr_kit_outcome again, last;
	uint64_t newest, newest_again;

	wr_kit_open(sim, &again, seed % 2 == 0 ? WR_KIT_GO_ON : WR_KIT_CLOSE);
	CHECK_STATUS(again.status, WR_OK);
	check_told(out, &newest);
	check_told(&again, &newest_again);
	CHECK_STRING(wr_view_of(again.story, again.story_bytes), out->story);
	CHECK(!again.info.recovery.is_torn && again.info.head == out->info.head);
	if (out->info.head < EVENTS || seed % 2 != 0)
		return; /* its next event is none of the truth */
	wr_kit_open(sim, &last, WR_KIT_CLOSE);
	CHECK_STATUS(last.status, WR_OK);
	CHECK_U64(last.info.head, out->info.head + 1);
}

static void check_damaged(struct wr_sim_disk *sim, uint64_t seed)
{
	static struct wr_kit_outcome out;
	struct wr_sim_disk *before = wr_sim_disk_copy(sim);
	uint64_t last;

	wr_kit_look = look;
	wr_kit_open(sim, &out, seed % 4 < 2 ? WR_KIT_KILL : WR_KIT_CLOSE);
	wr_kit_look = NULL;
	if (out.status != WR_OK) {
		check_refusal(sim, before, &out);
	} else {
		check_said(&out);
		check_again(sim, &out, seed);
		if (check_told(&out, &last) == 0)
			full_count++;
		else
			less_count++;
	}
	CHECK_U64(wr_sim_disk_open_count(sim), 0);
	wr_sim_disk_free(before);
}

/* ---- all damages ---- */

typedef void damage_fn(struct wr_sim_disk *sim, const char *name, uint64_t at, uint64_t seed);

static void flip(struct wr_sim_disk *sim, const char *name, uint64_t at, uint64_t seed)
{
	wr_kit_flip(sim, name, at, (unsigned char)(1 << seed / 4 % 8));
}

static void cut(struct wr_sim_disk *sim, const char *name, uint64_t at, uint64_t seed)
{
	(void)seed;
	wr_kit_cut(sim, name, at);
}

static uint64_t bytes_of(struct wr_sim_disk *sim, const char *name)
{
	struct wr_view file;

	CHECK(wr_sim_disk_file(sim, name, &file));
	return file.bytes;
}

static uint64_t sector_at(struct wr_sim_disk *sim, const char *name, uint64_t at)
{
	uint64_t left = bytes_of(sim, name) - at;

	return left < SECTOR ? left : SECTOR;
}

static void zero_sector(struct wr_sim_disk *sim, const char *name, uint64_t at, uint64_t seed)
{
	(void)seed;
	wr_kit_fill(sim, name, at, sector_at(sim, name, at), 0);
}

static void fill_sector(struct wr_sim_disk *sim, const char *name, uint64_t at, uint64_t seed)
{
	wr_kit_fill(sim, name, at, sector_at(sim, name, at), (char)seed);
}

/* With the one behind it, around the end. */
static void exchange_sectors(struct wr_sim_disk *sim, const char *name, uint64_t at, uint64_t seed)
{
	uint64_t bytes = bytes_of(sim, name), other = at + SECTOR;
	char *copy = malloc((size_t)bytes + SECTOR), sector[SECTOR];
	struct wr_view file;

	(void)seed;
	CHECK(copy != NULL && wr_sim_disk_file(sim, name, &file));
	memcpy(copy, file.data, file.bytes);
	if (other + SECTOR > bytes)
		other = 0;
	if (at + SECTOR <= bytes && other + SECTOR <= bytes) {
		memcpy(sector, copy + at, SECTOR);
		memcpy(copy + at, copy + other, SECTOR);
		memcpy(copy + other, sector, SECTOR);
	}
	wr_sim_disk_put(sim, name, wr_view_of(copy, (size_t)bytes));
	free(copy);
}

/* What comes from here on stands there twice. */
static void double_tail(struct wr_sim_disk *sim, const char *name, uint64_t at, uint64_t seed)
{
	uint64_t bytes = bytes_of(sim, name);
	struct wr_view file;
	char *copy = malloc((size_t)(2 * bytes));

	(void)seed;
	CHECK(copy != NULL && wr_sim_disk_file(sim, name, &file));
	memcpy(copy, file.data, file.bytes);
	memcpy(copy + bytes, file.data + at, (size_t)(bytes - at));
	wr_sim_disk_put(sim, name, wr_view_of(copy, (size_t)(2 * bytes - at)));
	free(copy);
}

static void take_away(struct wr_sim_disk *sim, const char *name, uint64_t at, uint64_t seed)
{
	(void)at;
	(void)seed;
	CHECK(wr_sim_disk_remove(sim, name));
}

static const struct {
	const char *label;
	damage_fn *fn;
	uint64_t step;	  /* from one place to the next; 0: once */
	uint64_t sampled; /* that many steps at once in short runs */
} damages[] = {
	{"flip", flip, 1, 53},
	{"cut", cut, 1, 61},
	{"zero a sector", zero_sector, SECTOR, 1},
	{"fill a sector", fill_sector, SECTOR, 3},
	{"exchange sectors", exchange_sectors, SECTOR, 1},
	{"double the tail", double_tail, 64, 7},
	{"take away", take_away, 0, 0},
};

static void damage_file(struct wr_kit *kit, const char *name, uint64_t *seed, bool is_long)
{
	uint64_t bytes = bytes_of(kit->sim, name);

	for (size_t i = 0; i < WR_COUNT(damages); i++) {
		uint64_t step = damages[i].step * (is_long ? 1 : damages[i].sampled);
		uint64_t at = step > 1 && damages[i].step == 1 ? wr_test_random(seed) % step : 0;

		for (; at < bytes; at += step) {
			struct wr_sim_disk *sim = wr_sim_disk_copy(kit->sim);
			char label[96];

			snprintf(label, sizeof label, "%s %s at %llu, %llx", damages[i].label, name,
				 (unsigned long long)at, (unsigned long long)*seed);
			wr_test_case(label);
			wr_test_random(seed);
			damages[i].fn(sim, name, at, *seed);
			check_damaged(sim, *seed);
			wr_sim_disk_free(sim);
			if (step == 0)
				break;
		}
	}
}

static void damage_all(bool is_clean)
{
	struct wr_kit *kit = make_log(is_clean);
	bool is_long = getenv("WR_TEST_LONG") != NULL;
	uint64_t seed = wr_test_seed();

	full_count = less_count = refused_count = 0;
	for (uint64_t number = 1; number <= 5; number++)
		damage_file(kit, wr_kit_log(number), &seed, is_long);
	for (uint64_t number = 1; number <= 3; number++)
		damage_file(kit, wr_kit_index(number), &seed, is_long);
	if (is_clean)
		damage_file(kit, "clean", &seed, is_long);
	/* Most of it harms nothing, and little is not survived. */
	CHECK(full_count > less_count && less_count > refused_count);
	wr_kit_free(kit);
}

static void test_damage_after_a_clean_stop(void)
{
	damage_all(true);
}

static void test_damage_after_a_kill(void)
{
	damage_all(false);
}

/* Two files at once: what one of them says must not make the other believed. */
static void test_files_that_changed_their_names(void)
{
	for (uint64_t a = 1; a <= 5; a++)
		for (uint64_t b = 1; b <= 5; b++)
			for (unsigned is_clean = 0; is_clean < 2; is_clean++) {
				struct wr_kit *kit;

				if (a == b)
					continue;
				kit = make_log(is_clean != 0);
				wr_kit_copy(kit->sim, wr_kit_log(a), "aside");
				wr_kit_copy(kit->sim, wr_kit_log(b), wr_kit_log(a));
				check_damaged(kit->sim, a * 8 + b);
				wr_kit_free(kit);
				kit = make_log(is_clean != 0);
				wr_kit_copy(kit->sim, wr_kit_log(a), "aside");
				wr_kit_copy(kit->sim, wr_kit_log(b), wr_kit_log(a));
				wr_kit_copy(kit->sim, "aside", wr_kit_log(b));
				check_damaged(kit->sim, a * 8 + b);
				wr_kit_free(kit);
			}
}

const struct wr_test wr_tests[] = {WR_TEST_LIMIT(test_damage_after_a_clean_stop, 3600),
				   WR_TEST_LIMIT(test_damage_after_a_kill, 3600),
				   WR_TEST_LIMIT(test_files_that_changed_their_names, 60),
				   WR_TEST_END};
