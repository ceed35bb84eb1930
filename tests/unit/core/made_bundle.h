/* made_bundle — config bundles for tests: sound ones, told apart by a number. */
#ifndef WR_TESTS_CORE_MADE_BUNDLE_H
#define WR_TESTS_CORE_MADE_BUNDLE_H

#include "core/config_bundle.h"
#include "harness/harness.h"

#include <stdio.h>

/* The value's views point into the struct, which must not move. */
struct made_bundle {
	struct wr_config_bundle value;
	char digest[WR_CONFIG_DIGEST_BYTES];
	char revision[32];
	char profiles[256], declarations[256];
};

/* After a change of anything but the digest. */
static inline void seal_bundle(struct made_bundle *self)
{
	wr_config_bundle_digest(&self->value, self->digest);
	self->value.digest = wr_view_of(self->digest, sizeof self->digest);
}

static inline void add_row(struct wr_rows *rows, char *room, size_t bytes, unsigned kind,
			   const char *first, const char *second)
{
	const struct wr_row row = {(uint8_t)kind, wr_view_of_string(first),
				   wr_view_of_string(second)};
	struct wr_buf out;

	wr_buf_init_fixed(&out, room, bytes);
	wr_buf_commit(&out, rows->packed.bytes);
	CHECK_STATUS(wr_rows_append(&out, &row), WR_OK);
	rows->packed = wr_buf_view(&out);
	rows->count++;
}

static inline void add_profile(struct made_bundle *self, enum wr_profile_kind kind,
			       const char *value, const char *label)
{
	add_row(&self->value.profiles, self->profiles, sizeof self->profiles, kind, value, label);
}

static inline void add_declaration(struct made_bundle *self, enum wr_declaration_kind kind,
				   const char *name, const char *reference)
{
	add_row(&self->value.declarations, self->declarations, sizeof self->declarations, kind,
		name, reference);
}

/* Declares builtin:coder and the default; its revision has the number. */
static inline void make_bundle(struct made_bundle *self, const char *bundle_id, unsigned number)
{
	int bytes = snprintf(self->revision, sizeof self->revision, "r%u", number % 1000);

	self->value = (struct wr_config_bundle){
		.id = wr_view_of_string(bundle_id),
		.revision = wr_view_of(self->revision, (size_t)bytes),
		.workspace_id = WR_VIEW("ws-1"),
		.created_at = WR_VIEW("2026-06-26T00:00:00Z"),
		.source = WR_VIEW("backend"),
	};
	add_profile(self, WR_PROFILE_BUILTIN, "builtin:coder", "Coder");
	add_profile(self, WR_PROFILE_RUNTIME_DEFAULT, NULL, NULL);
	add_declaration(self, WR_DECLARATION_CAPABILITY_GRANT, "read", "capability:read");
	seal_bundle(self);
}

#endif
