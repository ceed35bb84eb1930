/*
 * profiles — what runs the Workers of which profile (design 4): the program of --exec, or nothing.
 *
 * The runtime's default, `builtin:default` and the names that existing Backends send for it mean
 * the same; there are no others yet.
 */
#ifndef WR_HOST_PROFILES_H
#define WR_HOST_PROFILES_H

#include "core/execution.h"
#include "bytes/buf.h"
#include "execution/argv.h"
#include "execution/ledger.h"
#include "execution/process.h"
#include "host/hosting.h"

/* Placed by the caller, zeroed; must not move. Fields are private. */
struct wr_profile_table {
	struct wr_processes processes;
	struct wr_process_profile profile; /* of --exec */
	struct wr_argv argv;
	struct wr_ledger ledger;
	struct wr_buf ledger_path;
	bool has_exec, has_ledger;
};

/* Ends what programs of an earlier life are left, when there is a folder that tells of them; its
 * lock is held. False, with a message for people: --exec cannot be what it says. */
bool wr_profiles_init(struct wr_profile_table *self, struct wr_reactor *reactor,
		      struct wr_allocator *allocator, const struct wr_hosting *hosting,
		      struct wr_buf *message);
/* Whether --exec can be what it says, now; else with a message. */
bool wr_profiles_check(const struct wr_hosting *hosting, struct wr_allocator *allocator,
		       struct wr_buf *message);
/* What the Runtime is made with, and the Runtime that was made. */
struct wr_profiles wr_profiles_port(struct wr_profile_table *self);
void wr_profiles_attach(struct wr_profile_table *self, struct wr_runtime *runtime);
/* Kills what still runs. Harmless when there is nothing. */
void wr_profiles_deinit(struct wr_profile_table *self);

/* SIGCHLD came. */
void wr_profiles_reap(struct wr_profile_table *self);
/* No input any more; every program is ended in good order. */
void wr_profiles_drain(struct wr_profile_table *self);
/* Programs that have not ended. */
uint32_t wr_profiles_live_count(const struct wr_profile_table *self);

#endif
