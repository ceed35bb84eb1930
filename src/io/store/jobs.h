/*
 * jobs — the one helper thread of a store: what may take long on a disk runs there, one after the
 * other, and is reported back to the reactor's thread.
 *
 * A job's memory belongs to the helper from post until its `done` is called on the poster's thread
 * by wr_jobs_poll. Jobs share nothing else: what `run` may touch is what the poster put into the
 * job. `run` works in steps: false asks to be called again after whatever is more urgent, so that
 * a sync never waits for the cleaning of a segment. Signals are blocked on the helper; it neither
 * allocates nor logs.
 *
 * Tests use it inline: nothing runs until wr_jobs_step.
 */
#ifndef WR_IO_STORE_JOBS_H
#define WR_IO_STORE_JOBS_H

#include "bytes/allocator.h"
#include "containers/list.h"
#include "status.h"

#include <stdbool.h>

enum wr_job_urgency { WR_JOB_SYNC, WR_JOB_BACKGROUND };

struct wr_job {
	struct wr_list place; /* an initialised list head before the first post */
	enum wr_job_urgency urgency;
	bool (*run)(struct wr_job *job);  /* on the helper; true: finished */
	void (*done)(struct wr_job *job); /* on the poster's thread; may post again */
};

struct wr_jobs;

/* With `is_inline` no thread is made. WR_OK, WR_NO_MEMORY, WR_IO (no thread, no pipe). */
enum wr_status wr_jobs_new(struct wr_jobs **out, struct wr_allocator *allocator, bool is_inline);
/* Runs what is posted to its end, calls no further `done`, joins the thread. */
void wr_jobs_free(struct wr_jobs *self);

void wr_jobs_post(struct wr_jobs *self, struct wr_job *job);

/* Readable when something is done. -1 inline. */
int wr_jobs_fd(const struct wr_jobs *self);
/* Calls `done` of all that is finished. */
void wr_jobs_poll(struct wr_jobs *self);
/* Waits until nothing is posted or running, polling; for closing. Inline: runs everything. */
void wr_jobs_drain(struct wr_jobs *self);
/* Inline only: one step of the most urgent job; false when there was none. `done` waits for the
 * next poll. */
bool wr_jobs_step(struct wr_jobs *self);

#endif
