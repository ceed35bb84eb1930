/*
 * crew — the Workers that one execution runs: what of its port (core/execution.h) is the same
 * whatever runs them.
 *
 * A crew finds a Worker by its number, makes its member of the crew at the first input, hands it
 * the operations of the Runtime, tries again at the end of a turn what could not be recorded, and
 * says when nothing runs any more. How a Worker is run is a table of functions of the execution;
 * whether an input would be taken (`admit`) is all the execution's, too, and so is what else a
 * delivery depends on: its port's `deliver` calls the one here.
 *
 * A member stays, at rest for most of its time, until its Worker has ended for good and that is
 * recorded (wr_crew_release), or until deinit.
 *
 *	init -> attach -> (deliver | interrupt | stop | cancel)* -> drain -> deinit
 */
#ifndef WR_EXECUTION_CREW_H
#define WR_EXECUTION_CREW_H

#include "core/execution.h"
#include "core/runtime.h"
#include "execution/reports.h"
#include "io/reactor/reactor.h"

struct wr_crew;
typedef void wr_drained_fn(void *context);

/* One Worker of a crew: lies in what the execution has for it. */
struct wr_crew_member {
	struct wr_reports reports;
	bool is_released; /* it goes when all is recorded */
};

/* In a profile of an execution: the context of its port. */
struct wr_crew_port {
	struct wr_crew *crew;
};

struct wr_crew_ops {
	/* Of what the execution has for a Worker; and where in it the member lies. */
	size_t bytes, member_at;
	/* All of it is zeros but for `reports`. */
	void (*init)(struct wr_crew_member *self, struct wr_crew_port *port);
	/* `reports` follows. */
	void (*deinit)(struct wr_crew_member *self);
	/* As those of the port. What has ended is released. */
	void (*deliver)(struct wr_crew_member *self, const struct wr_input *input,
			uint64_t sequence);
	enum wr_status (*interrupt)(struct wr_crew_member *self);
	void (*stop)(struct wr_crew_member *self);
	void (*cancel)(struct wr_crew_member *self);
	/* The Runtime goes away. */
	void (*drain)(struct wr_crew_member *self);
	/* An input that becomes visible while it does: it is told, not run. */
	void (*refuse)(struct wr_crew_member *self);
	/* All reports that had to wait are recorded now: goes on, and may hold itself again. */
	void (*go_on)(struct wr_crew_member *self);
	/* Whether something runs, or is not recorded yet. */
	bool (*is_live)(struct wr_crew_member *self);
	/* Of reports.h. */
	bool (*gives_up)(struct wr_reports *reports, enum wr_status status);
	/* What else there is for the end of a turn: true when it has to come again. Or NULL. */
	bool (*on_turn)(struct wr_crew *self);
	const char *no_memory; /* said of an input for which there was none */
};

/* Placed by the caller; must not move. Private to this folder. */
struct wr_crew {
	const struct wr_crew_ops *ops;
	struct wr_allocator *allocator;
	struct wr_crew_member **by_worker; /* by number; NULL: never ran */
	uint32_t by_worker_count;
	bool is_draining;
	bool awaits_drained; /* on_drained has to be called */
	wr_drained_fn *on_drained;
	void *context;
	struct wr_reports_set reports; /* Workers of whom something could not be recorded */
	struct wr_turn_hook hook;      /* while there is something for it to do */
	bool has_hook;
};

void wr_crew_init(struct wr_crew *self, const struct wr_crew_ops *ops, struct wr_reactor *reactor,
		  struct wr_allocator *allocator);
/* The Runtime whose Workers they are; before its first input. */
void wr_crew_attach(struct wr_crew *self, struct wr_runtime *runtime);

/* ---- the port ---- */

void wr_crew_deliver(struct wr_crew_port *port, uint32_t worker, const struct wr_input *input,
		     uint64_t sequence);
/* These as they stand in wr_execution_ops, with a wr_crew_port as context. */
enum wr_status wr_crew_interrupt(void *port, uint32_t worker);
void wr_crew_stop(void *port, uint32_t worker);
void wr_crew_cancel(void *port, uint32_t worker);

/* ---- of one member ---- */

/* Its Worker has ended for good: says so, and frees it when that is recorded, maybe at once. */
void wr_crew_release(struct wr_crew_member *member);
/* Frees one that is released. */
void wr_crew_remove(struct wr_crew_member *member);

/* ---- all together ---- */

/* There is something to do at the end of this turn, or of the next. */
void wr_crew_want_turn(struct wr_crew *self);
/* Members that are live. */
uint32_t wr_crew_live_count(const struct wr_crew *self);
/* Every member is drained; on_drained (or NULL) is called when none is live any more, but not from
 * here: not at all when the result, the live count, is 0. */
uint32_t wr_crew_drain(struct wr_crew *self, wr_drained_fn *on_drained, void *context);
/* None may be live any more: calls on_drained then, once. */
void wr_crew_tell_drained(struct wr_crew *self);
/* The Runtime is not called. */
void wr_crew_deinit(struct wr_crew *self);

/* ---- */

/* The member of a Worker; NULL: it never ran. */
static inline struct wr_crew_member *wr_crew_find(const struct wr_crew *self, uint32_t worker)
{
	return worker < self->by_worker_count ? self->by_worker[worker] : NULL;
}

/* The next member from the number *at on, which is moved behind it; NULL: there is none. It may be
 * freed before the next call. */
static inline struct wr_crew_member *wr_crew_next(const struct wr_crew *self, uint32_t *at)
{
	struct wr_crew_member *found = NULL;

	while (found == NULL && *at < self->by_worker_count)
		found = self->by_worker[(*at)++];
	return found;
}

/* What the Runtime knows of its Worker. */
static inline const struct wr_worker *wr_crew_worker(const struct wr_crew_member *member)
{
	return wr_runtime_worker(member->reports.set->runtime, member->reports.worker);
}

#endif
