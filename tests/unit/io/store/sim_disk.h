/*
 * sim_disk — a disk in memory that forgets like a real one.
 *
 * It is the port of io/store/disk.h over files in memory. Per file it knows what a reader sees
 * (the page cache) and what the medium has for certain (the content at the last sync), and between
 * the two every version of every 512-byte sector that was written since; for the folder the same
 * with names. A power cut makes a new disk of what may be on the medium then.
 *
 * What is taken for granted, and nothing more: a sector is written whole or not at all; versions of
 * one sector reach the medium in their order, those of different sectors in any; a rename happens
 * or does not; operations on names that no folder sync covered may each have happened or not; a
 * file that grew and whose data did not arrive reads as zeros. After a sync that failed, what it
 * should have written (of a file, or names) stays in doubt for ever, even if a later sync succeeds
 * (that is what kernels do), until it is written again.
 *
 * Calls may come from two threads. The memory is malloc's, not that of wr_test_allocator, so that
 * a test may let the store's allocations fail.
 */
#ifndef WR_TESTS_SIM_DISK_H
#define WR_TESTS_SIM_DISK_H

#include "bytes/view.h"
#include "io/store/disk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wr_sim_disk;

struct wr_sim_disk *wr_sim_disk_new(void);
void wr_sim_disk_free(struct wr_sim_disk *self);
struct wr_disk wr_sim_disk_port(struct wr_sim_disk *self);

/* ---- files, from the outside ---- */

/* What a reader would see; valid until the file changes. False: no such file. */
bool wr_sim_disk_file(struct wr_sim_disk *self, const char *name, struct wr_view *out);
/* Makes or replaces a file, on the medium at once. To damage a file: put back a changed copy. */
void wr_sim_disk_put(struct wr_sim_disk *self, const char *name, struct wr_view content);
/* Takes a file away, on the medium at once; false: no such file. */
bool wr_sim_disk_remove(struct wr_sim_disk *self, const char *name);
/* All that readers see is on the medium now. */
void wr_sim_disk_settle(struct wr_sim_disk *self);
size_t wr_sim_disk_file_count(struct wr_sim_disk *self);
/* Handles that were opened and not closed. */
size_t wr_sim_disk_open_count(struct wr_sim_disk *self);

/* The process that uses it is dying: every call fails and changes nothing, until the kill. */
void wr_sim_disk_stop(struct wr_sim_disk *self);
/* The process that used it is gone: its handles are closed and its lock is free; readers see what
 * they saw. Faults and the watch end. */
void wr_sim_disk_kill(struct wr_sim_disk *self);
/* Another process has the lock, or gives it back. */
void wr_sim_disk_occupy(struct wr_sim_disk *self, bool is_occupied);

/* ---- faults ---- */

enum wr_sim_call {
	WR_SIM_OPEN = 1 << 0, /* of a file that is there */
	WR_SIM_CREATE = 1 << 1,
	WR_SIM_READ = 1 << 2,
	WR_SIM_WRITE = 1 << 3,
	WR_SIM_SYNC = 1 << 4,
	WR_SIM_SIZE = 1 << 5,
	WR_SIM_TRUNCATE = 1 << 6,
	WR_SIM_RENAME = 1 << 7,
	WR_SIM_UNLINK = 1 << 8,
	WR_SIM_SYNC_FOLDER = 1 << 9,
	WR_SIM_LIST = 1 << 10,
	WR_SIM_LOCK = 1 << 11
};
enum { WR_SIM_CALLS = 12 };
#define WR_SIM_ALL ((1u << WR_SIM_CALLS) - 1)
/* Those that change what may be on the medium. */
#define WR_SIM_CHANGES                                                                   \
	((unsigned)WR_SIM_CREATE | (unsigned)WR_SIM_WRITE | (unsigned)WR_SIM_SYNC |      \
	 (unsigned)WR_SIM_TRUNCATE | (unsigned)WR_SIM_RENAME | (unsigned)WR_SIM_UNLINK | \
	 (unsigned)WR_SIM_SYNC_FOLDER)

/* The n-th call (from 1, counted from now) of these kinds fails with this errno, with `forever` all
 * of these kinds after it, too. n 0 ends it. */
void wr_sim_disk_fail(struct wr_sim_disk *self, unsigned calls, uint64_t n, int os_error,
		      bool forever);
/* How often that happened since the last wr_sim_disk_fail. */
uint64_t wr_sim_disk_failed_count(struct wr_sim_disk *self);
/* Calls of these kinds so far. */
uint64_t wr_sim_disk_call_count(struct wr_sim_disk *self, unsigned calls);

/* A write takes no more than this at once; 0: all. */
void wr_sim_disk_write_max(struct wr_sim_disk *self, size_t bytes);
/* Room for this many bytes in all files: a write takes what there is room for, and is ENOSPC when
 * that is nothing. UINT64_MAX: no limit. */
void wr_sim_disk_capacity(struct wr_sim_disk *self, uint64_t bytes);
uint64_t wr_sim_disk_used(struct wr_sim_disk *self);

/* ---- power cuts ---- */

/* Called after each call that changed something (WR_SIM_CHANGES), also one that failed; may make
 * power cuts. NULL: none. */
typedef void wr_sim_watch_fn(void *context, struct wr_sim_disk *disk, enum wr_sim_call call,
			     const char *name);
void wr_sim_disk_watch(struct wr_sim_disk *self, wr_sim_watch_fn *fn, void *context);

enum wr_sim_cut {
	WR_SIM_CUT_NONE,  /* nothing that was pending arrived */
	WR_SIM_CUT_ALL,	  /* all of it did */
	WR_SIM_CUT_RANDOM /* some did, by the seed */
};

/* A new disk, with what may be on the medium when the power fails now; free it. */
struct wr_sim_disk *wr_sim_disk_power_cut(struct wr_sim_disk *self, enum wr_sim_cut cut,
					  uint64_t seed);
/* A new disk with the same files as readers see them, all on the medium; free it. */
struct wr_sim_disk *wr_sim_disk_copy(struct wr_sim_disk *self);
/* Whether readers see the same files with the same bytes. */
bool wr_sim_disk_is_equal(struct wr_sim_disk *a, struct wr_sim_disk *b);
/* Prints names and sizes, for a person who looks for a failure. */
void wr_sim_disk_print(struct wr_sim_disk *self);

#endif
