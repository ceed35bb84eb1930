/*
 * append — records of 200 bytes into the log on disk, beside the same bytes by a bare write loop
 *and by SQLite (when the machine has libsqlite3; a table of blobs in WAL mode), in the same run on
 *the same disk, as records per second:
 *
 *	never	no sync at all; the store writes once per 64 records
 *	group	64 records, one fdatasync
 *	each	one record, one fdatasync
 *
 * The floor is the bare loop: one write of the bytes (of 64 records together where the store groups
 * them) into a file that is already allocated, and fdatasync where it is asked for. Ratios are
 *rates divided by its rate: above 1 is faster.
 *
 * Expected: never costs the checksum and one copy of a record, some 100 ns, and one pwrite in 64; a
 * group costs the disk's fdatasync and what a thread needs to hand it over and back.
 */
#include "bench.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/memory.h"
#include "io/store/fs_store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if WR_BENCH_SQLITE
#include <sqlite3.h>
#endif

enum {
	RECORD_BYTES = 200,
	GROUP = 64,
	FILE_BYTES = 64 << 20,
	NEVER_COUNT = 1 << 18,
	GROUP_COUNT = 1 << 11,
	EACH_COUNT = 1 << 6
};

enum kind { NEVER, GROUPED, EACH, KIND_COUNT };
static const char *const kind_names[] = {"never", "group", "each"};
static const unsigned counts[] = {NEVER_COUNT, GROUP_COUNT, EACH_COUNT};

static char folder[256];
static char record[RECORD_BYTES];

static double rate(unsigned count, uint64_t since)
{
	return count * 1e9 / (double)(wr_bench_now_ns() - since);
}

static unsigned group_of(enum kind kind)
{
	return kind == EACH ? 1 : GROUP;
}

/* ---- the floor ---- */

static int open_raw(void)
{
	static char zeros[1 << 20];
	char path[512];
	int fd;

	snprintf(path, sizeof path, "%s/raw", folder);
	fd = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
	wr_bench_require(fd >= 0, "cannot make a file");
	for (size_t at = 0; at < FILE_BYTES; at += sizeof zeros)
		wr_bench_require(pwrite(fd, zeros, sizeof zeros, (off_t)at) == sizeof zeros,
				 "cannot fill a file");
	wr_bench_require(fsync(fd) == 0, "cannot sync a file");
	return fd;
}

static double run_raw(int fd, enum kind kind)
{
	static char bytes[GROUP * RECORD_BYTES];
	unsigned count = counts[kind], group = group_of(kind);
	uint64_t since = wr_bench_now_ns();
	off_t at = 0;

	for (unsigned i = 0; i < count; i += group) {
		size_t length = (size_t)group * RECORD_BYTES;
		for (unsigned j = 0; j < group; j++)
			memcpy(bytes + j * RECORD_BYTES, record, RECORD_BYTES);
		wr_bench_require(pwrite(fd, bytes, length, at) == (ssize_t)length, "write");
		at = (at + (off_t)length) % (FILE_BYTES - GROUP * RECORD_BYTES);
		if (kind != NEVER)
			wr_bench_require(fdatasync(fd) == 0, "fdatasync");
	}
	return rate(count, since);
}

/* ---- the store ---- */

struct kept {
	struct wr_allocator allocator;
	struct wr_fs_store *store;
	struct wr_store port;
	uint64_t sequence;
};

static enum wr_status ignore(void *context, const struct wr_store_record *found)
{
	(void)context, (void)found;
	return WR_OK;
}

static void open_store(struct kept *self, enum kind kind)
{
	static char path[512];
	struct wr_fs_config config;
	struct wr_fs_error error;
	struct wr_store_log log;
	const struct wr_store_replay replay = {.part = ignore, .event = ignore};

	snprintf(path, sizeof path, "%s/store-%s", folder, kind_names[kind]);
	wr_memory_init(&self->allocator, SIZE_MAX);
	wr_fs_defaults(&config);
	config.root = path;
	config.durability = kind == NEVER ? WR_DURABILITY_NEVER : WR_DURABILITY_ALWAYS;
	config.segment_bytes = 64u << 20;
	config.bytes_max = 1u << 30;
	config.now_ms = wr_clock_monotonic_ms;
	config.wall_ms = wr_clock_wall_ms;
	config.entropy = wr_entropy_fill;
	wr_bench_require(wr_fs_store_open(&self->store, &self->allocator, &config, &error) == WR_OK,
			 "cannot open a store");
	self->port = wr_fs_store_port(self->store);
	wr_bench_require(self->port.ops->replay(self->port.context, &log, &replay) == WR_OK,
			 "cannot begin a log");
}

/* A log must have checkpoints to go on; of nobody's state they are small. */
static void keep_checkpoints(struct kept *self)
{
	const struct wr_store *port = &self->port;

	if (port->ops->wants_checkpoint(port->context) &&
	    port->ops->checkpoint_begin(port->context) == WR_OK)
		wr_bench_require(port->ops->checkpoint_end(port->context) == WR_OK,
				 "a checkpoint was refused");
}

/* One turn: written, and synced if that is asked for. */
static void turn(struct kept *self)
{
	keep_checkpoints(self);
	wr_fs_store_turn(self->store);
	while (self->port.ops->visible(self->port.context) < self->sequence) {
		struct pollfd ready = {.fd = wr_fs_store_fd(self->store), .events = POLLIN};
		wr_bench_require(poll(&ready, 1, 10000) == 1, "no sync in time");
		wr_fs_store_turn(self->store);
	}
}

/* The next segment may still be in the making: that is part of the price. */
static void append(struct kept *self)
{
	const struct wr_store_record item = {.sequence = self->sequence + 1,
					     .worker = 1,
					     .payload = wr_view_of(record, sizeof record)};
	enum wr_status status;

	for (;;) {
		status = self->port.ops->append(self->port.context, &item, WR_STORE_ORDINARY);
		if (status == WR_OK)
			break;
		wr_bench_require(status == WR_OVERLOAD, "the store refused a record");
		keep_checkpoints(self);
		poll(&(struct pollfd){.fd = wr_fs_store_fd(self->store), .events = POLLIN}, 1,
		     1000);
		wr_fs_store_turn(self->store);
	}
	self->sequence++;
}

static double run_store(struct kept *self, enum kind kind)
{
	unsigned count = counts[kind], group = group_of(kind);
	uint64_t since = wr_bench_now_ns();

	for (unsigned i = 0; i < count; i += group) {
		for (unsigned j = 0; j < group; j++)
			append(self);
		turn(self);
	}
	return rate(count, since);
}

/* ---- SQLite ---- */

#if WR_BENCH_SQLITE

struct peer {
	sqlite3 *database;
	sqlite3_stmt *insert;
};

static void run_sql(struct peer *self, const char *text)
{
	wr_bench_require(sqlite3_exec(self->database, text, NULL, NULL, NULL) == SQLITE_OK, text);
}

static void open_peer(struct peer *self, enum kind kind)
{
	char path[512];

	snprintf(path, sizeof path, "%s/sqlite-%s", folder, kind_names[kind]);
	wr_bench_require(sqlite3_open(path, &self->database) == SQLITE_OK, "cannot open SQLite");
	run_sql(self, "PRAGMA journal_mode=WAL");
	run_sql(self, kind == NEVER ? "PRAGMA synchronous=OFF" : "PRAGMA synchronous=FULL");
	run_sql(self, "CREATE TABLE log (sequence INTEGER PRIMARY KEY, worker INT, event BLOB)");
	wr_bench_require(sqlite3_prepare_v2(self->database,
					    "INSERT INTO log (worker, event) VALUES (1, ?)", -1,
					    &self->insert, NULL) == SQLITE_OK,
			 "cannot prepare");
}

static double run_peer(struct peer *self, enum kind kind)
{
	unsigned count = counts[kind], group = group_of(kind);
	uint64_t since = wr_bench_now_ns();

	for (unsigned i = 0; i < count; i += group) {
		run_sql(self, "BEGIN");
		for (unsigned j = 0; j < group; j++) {
			sqlite3_bind_blob(self->insert, 1, record, sizeof record, SQLITE_STATIC);
			wr_bench_require(sqlite3_step(self->insert) == SQLITE_DONE, "insert");
			sqlite3_reset(self->insert);
		}
		run_sql(self, "COMMIT");
	}
	return rate(count, since);
}

#endif

/* ---- */

static void report(const char *who, enum kind kind, const struct wr_bench_series *series,
		   const struct wr_bench_series *floor)
{
	char name[64];

	snprintf(name, sizeof name, "append.%s.%s", kind_names[kind], who);
	wr_bench_report(name, "records/s", series, floor);
}

static void measure(enum kind kind, unsigned rounds)
{
	static struct wr_bench_series raw[KIND_COUNT], ours[KIND_COUNT];
	static struct kept kept[KIND_COUNT];
	int fd = open_raw();
#if WR_BENCH_SQLITE
	static struct wr_bench_series theirs[KIND_COUNT];
	struct peer peer;

	open_peer(&peer, kind);
#endif
	open_store(&kept[kind], kind);
	for (unsigned round = 0; round < rounds; round++) {
		wr_bench_add(&raw[kind], run_raw(fd, kind));
		wr_bench_add(&ours[kind], run_store(&kept[kind], kind));
#if WR_BENCH_SQLITE
		wr_bench_add(&theirs[kind], run_peer(&peer, kind));
#endif
	}
	close(fd);
	wr_fs_store_close(kept[kind].store);
	report("floor", kind, &raw[kind], NULL);
	report("store", kind, &ours[kind], &raw[kind]);
#if WR_BENCH_SQLITE
	sqlite3_finalize(peer.insert);
	sqlite3_close(peer.database);
	report("sqlite", kind, &theirs[kind], &raw[kind]);
#endif
}

int main(void)
{
	const char *build = getenv("WR_BUILD");
	char command[300];

	wr_bench_begin(150);
	snprintf(folder, sizeof folder, "%s/bench/append-XXXXXX",
		 build != NULL ? build : "build/release");
	wr_bench_require(mkdtemp(folder) != NULL, "cannot make a folder for the log");
	for (size_t i = 0; i < sizeof record; i++)
		record[i] = (char)('a' + i % 26);
	for (unsigned kind = 0; kind < KIND_COUNT; kind++)
		measure((enum kind)kind, wr_bench_rounds(5));
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command) == 0 ? 0 : 1;
}
