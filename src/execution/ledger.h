/*
 * ledger — the children of this process, on disk, so that the next one can end what this one could
 * not (reliability 10).
 *
 * After kill -9 the kernel ends our children (spawn.h), but not theirs. So each child has a row in
 * a small file, written before its program may begin and cleared when all of its session is gone;
 * and its environment has an entry with a random number of this file, which its descendants
 * inherit. Opening the file of a process that is gone kills every process of these sessions and
 * every bearer of that entry, and waits until they are dead, at most WR_LEDGER_KILL_MS_MAX.
 *
 * A number is nothing without its start time and its boot: nobody is signalled whose start time
 * does not match the row, and rows of another boot, or another container, mean nothing. The file
 * is not synced: after kill -9 the page cache has it, after a power cut no process is left.
 * Whoever opens it holds the lock of the folder it lies in.
 *
 *	open -> (add -> note_death -> sweep)* -> clear -> close
 */
#ifndef WR_EXECUTION_LEDGER_H
#define WR_EXECUTION_LEDGER_H

#include "bytes/allocator.h"
#include "execution/proc.h"
#include "status.h"

enum {
	WR_LEDGER_KILL_MS_MAX = 2000,
	WR_LEDGER_MARK_BYTES = 64,
	WR_LEDGER_RANDOM_BYTES = 16,
	/* Children of all times whose sessions may still live. */
	WR_LEDGER_ROW_COUNT_MAX = 8192
};

struct wr_ledger_row;

/* Placed by the caller; fields are private. */
struct wr_ledger {
	struct wr_allocator *allocator;
	const char *path; /* NULL: no file */
	int fd;		  /* -1: not (yet) made */
	struct wr_ledger_row *rows;
	uint32_t row_count, row_capacity;
	uint32_t dead_count; /* rows whose leader is dead */
	uint8_t random[WR_LEDGER_RANDOM_BYTES];
	char mark[WR_LEDGER_MARK_BYTES]; /* the entry of the environment */
};

/* What it left behind is ended before this returns; said in the log. `path` is borrowed for life
 * (NULL: there is no ledger, and every other function does nothing). WR_OK; WR_IO
 * (error->os_error), WR_NO_MEMORY: the file could not be made. Even so the ledger may be used: each
 * child tries to make it again, and does not start without it. A damaged file is not believed,
 * said, and made anew. */
enum wr_status wr_ledger_open(struct wr_ledger *self, struct wr_allocator *allocator,
			      const char *path, struct wr_error *error);

/* Rows stay in the file, as far as they were not cleared. */
void wr_ledger_close(struct wr_ledger *self);

/* The entry for the environment of children, or NULL. */
const char *wr_ledger_mark(const struct wr_ledger *self);

/* ---- rows ---- */

/* No row at all. */
#define WR_LEDGER_NONE UINT32_MAX

/* A child that has not yet begun its program, and leads a session, or will. WR_OK: *row names its
 * row (WR_LEDGER_NONE without a file); WR_IO, WR_NO_MEMORY, WR_FULL: it must not begin, and
 * *os_error says why. */
enum wr_status wr_ledger_add(struct wr_ledger *self, uint32_t *row, pid_t pid, int *os_error);

/* The leader is dead and reaped; its row goes with the rest of its session. */
void wr_ledger_note_death(struct wr_ledger *self, uint32_t row);

/* Whether there are rows to be swept. */
bool wr_ledger_wants_sweep(const struct wr_ledger *self);

/* A walk over all processes: begin, see each of them, end. Rows of dead leaders of whose session
 * nobody was seen are cleared, unless `keeps_all`. */
void wr_ledger_sweep_begin(struct wr_ledger *self);
void wr_ledger_sweep_see(struct wr_ledger *self, const struct wr_proc *proc);
void wr_ledger_sweep_end(struct wr_ledger *self, bool keeps_all);

/* No process of ours is left: clears all rows. */
void wr_ledger_clear(struct wr_ledger *self);

#endif
