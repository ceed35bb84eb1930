/*
 * profiles — what runs the Workers of which profile (design 4).
 *
 * Profiles are those of the configuration file (profile_settings.h) and the program of --exec. The
 * runtime's default, `builtin:default` and the names that existing Backends send for it mean what
 * wr_hosting_settle_profiles has found; a profile may be called as one of these names, and then is
 * what it means. A `named` one is found by its name.
 *
 * A Worker whose profile is no longer there can be read, stopped and cancelled; its input is
 * refused as unavailable.
 */
#ifndef WR_HOST_PROFILES_H
#define WR_HOST_PROFILES_H

#include "bytes/buf.h"
#include "core/execution.h"
#include "execution/ledger.h"
#include "execution/openai.h"
#include "execution/process.h"
#include "host/hosting.h"

struct wr_profile_entry;

/* Placed by the caller, zeroed; must not move. Fields are private. */
struct wr_profile_table {
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	const struct wr_hosting *hosting;
	struct wr_runtime *runtime;
	struct wr_processes processes;
	struct wr_openai openai;
	struct wr_resolver *resolver; /* of the names of models' servers; NULL: there are none */
	struct wr_profile_setting of_exec;
	struct wr_profile_entry *entries; /* those of the file, in their order, then --exec */
	uint32_t count, capacity;
	const struct wr_profile_entry *default_entry; /* NULL: nothing runs */
	struct wr_ledger ledger;
	struct wr_buf ledger_path;
	struct wr_cgroups cgroups;
	bool has_processes, has_openai, has_ledger;
};

/* Ends what programs of an earlier life are left, when there is a folder that tells of them; its
 * lock is held. False, with a message for people: a profile cannot be what it says. */
bool wr_profiles_init(struct wr_profile_table *self, struct wr_reactor *reactor,
		      struct wr_allocator *allocator, const struct wr_hosting *hosting,
		      struct wr_buf *message);
/* Whether all profiles can be what they say, now; else with a message. */
bool wr_profiles_check(const struct wr_hosting *hosting, struct wr_allocator *allocator,
		       struct wr_buf *message);
/* What the Runtime is made with, and the Runtime that was made. */
struct wr_profiles wr_profiles_port(struct wr_profile_table *self);
void wr_profiles_attach(struct wr_profile_table *self, struct wr_runtime *runtime);
/* Kills what still runs. Harmless when there is nothing. */
void wr_profiles_deinit(struct wr_profile_table *self);

/* SIGCHLD came. */
void wr_profiles_reap(struct wr_profile_table *self);
/* No input any more; everything that runs is ended in good order. */
void wr_profiles_drain(struct wr_profile_table *self);
/* What has not ended. */
uint32_t wr_profiles_live_count(const struct wr_profile_table *self);

#endif
