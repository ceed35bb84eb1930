/*
 * Goal (contract 9): config bundles are the same through every source of a Backend: stored, asked
 * for by digest, named in spawns, refused in words of ours; a source that has none says so. Method:
 * every case is run against every source.
 */
#include "e2e/each_handle.h"

#include "unit/core/made_bundle.h"

static struct made_bundle made;

static enum wr_source_outcome expect_rejected(void)
{
	return expect(WR_CAN_SPAWN, WR_SOURCE_REJECTED);
}

static enum wr_source_outcome expect_accepted(void)
{
	return expect(WR_CAN_SPAWN, WR_SOURCE_ACCEPTED);
}

static enum wr_source_outcome store_with_key(struct wr_view key)
{
	return ask(CALL(.operation = WR_SOURCE_STORE_BUNDLE, .idempotency_key = key,
			.as.bundle = made.value));
}

static enum wr_source_outcome store(const char *bundle_id, unsigned number)
{
	make_bundle(&made, bundle_id, number);
	return store_with_key(WR_VIEW_NULL);
}

static enum wr_source_outcome look(const char *bundle_id, unsigned number)
{
	make_bundle(&made, bundle_id, number);
	return ask(CALL(.operation = WR_SOURCE_BUNDLE_AVAILABILITY,
			.as.available = {made.value.id, made.value.digest}));
}

/* A companion, made as `bundle` says with this profile. */
static enum wr_source_outcome spawn(enum wr_profile_kind kind, const char *value)
{
	struct wr_source_call call = {.operation = WR_SOURCE_SPAWN};

	call.as.spawn = (struct wr_spawn_request){
		.intent = WR_SPAWN_COMPANION,
		.has_profile = true,
		.profile = kind,
		.profile_value = wr_view_of_string(value),
		.bundle_id = made.value.id,
		.bundle_digest = made.value.digest,
	};
	return ask(&call);
}

/* ---- cases ---- */

static void a_bundle_is_stored_and_available(void)
{
	CHECK_U64(look("b", 1), expect_rejected());
	CHECK_U64(store("b", 1), expect_accepted());
	if (can(WR_CAN_SPAWN)) {
		CHECK_STRING(VIEW(asked.bundle.revision), "r1");
		CHECK_U64(asked.bundle.profile_count, 2);
		CHECK_U64(asked.bundle.declaration_count, 1);
	}
	CHECK_U64(look("b", 1), expect_accepted());
	if (can(WR_CAN_SPAWN)) {
		CHECK_STRING(VIEW(asked.bundle.revision), "r1");
		CHECK_STRING(VIEW(asked.bundle.source), "backend");
		CHECK_U64(asked.bundle.profile_count, 2);
	}
	CHECK_U64(look("b", 2), expect_rejected());
	CHECK_U64(look("c", 1), expect_rejected());
	/* Again, and in the place of the old one. */
	CHECK_U64(store("b", 1), expect_accepted());
	CHECK_U64(store("b", 2), expect_accepted());
	CHECK_U64(look("b", 1), expect_rejected());
	CHECK_U64(look("b", 2), expect_accepted());
}

static void a_bundle_that_cannot_be_is_rejected(void)
{
	make_bundle(&made, "b", 1);
	made.digest[0] ^= 1;
	CHECK_U64(store_with_key(WR_VIEW_NULL), expect_rejected());
	make_bundle(&made, "b", 1);
	made.value.detail = WR_VIEW("/etc/x");
	seal_bundle(&made);
	CHECK_U64(store_with_key(WR_VIEW_NULL), expect_rejected());
	make_bundle(&made, "-", 1);
	CHECK_U64(store_with_key(WR_VIEW_NULL), expect_rejected());
	make_bundle(&made, "b", 1);
	add_profile(&made, WR_PROFILE_NAMED, " ", NULL);
	seal_bundle(&made);
	CHECK_U64(store_with_key(WR_VIEW_NULL), expect_rejected());
	make_bundle(&made, "b", 1);
	add_declaration(&made, WR_DECLARATION_UNSUPPORTED, "n", "x");
	seal_bundle(&made);
	CHECK_U64(store_with_key(WR_VIEW_NULL), expect_rejected());
	make_bundle(&made, "b", 1);
	memset(large, 'x', sizeof large);
	made.value.detail = wr_view_of(large, MIB);
	CHECK_U64(store_with_key(WR_VIEW_NULL), expect_rejected());
	CHECK_U64(look("b", 1), expect_rejected());
}

static void a_bundle_may_say_anything_that_may_be_shown(void)
{
	make_bundle(&made, "A.b_c:d-9", 1);
	made.value.detail = WR_VIEW("\"quoted\" \xe5\xa4\x9c <b>");
	made.value.source = WR_VIEW("a \"b\"");
	add_profile(&made, WR_PROFILE_NAMED, "\xe5\xb1\x85", "label");
	add_declaration(&made, WR_DECLARATION_SECRET_REF, "key", "vault:a.b@c+d");
	seal_bundle(&made);
	CHECK_U64(store_with_key(WR_VIEW_NULL), expect_accepted());
	CHECK_U64(ask(CALL(.operation = WR_SOURCE_BUNDLE_AVAILABILITY,
			   .as.available = {made.value.id, made.value.digest})),
		  expect_accepted());
	if (can(WR_CAN_SPAWN))
		CHECK_STRING(VIEW(asked.bundle.source), "a \"b\"");
}

static void a_spawn_is_held_against_its_bundle(void)
{
	CHECK_U64(store("b", 1), expect_accepted());
	CHECK_U64(spawn(WR_PROFILE_BUILTIN, "builtin:coder"), expect_accepted());
	if (can(WR_CAN_SPAWN))
		CHECK_STRING(VIEW(asked.workers[0].profile), "builtin:coder");
	CHECK_U64(spawn(WR_PROFILE_RUNTIME_DEFAULT, NULL), expect_accepted());
	/* Not declared; not there; of another digest. */
	CHECK_U64(spawn(WR_PROFILE_BUILTIN, "builtin:reviewer"), expect_rejected());
	made.value.id = WR_VIEW("c");
	CHECK_U64(spawn(WR_PROFILE_BUILTIN, "builtin:coder"), expect_rejected());
	make_bundle(&made, "b", 2);
	CHECK_U64(spawn(WR_PROFILE_BUILTIN, "builtin:coder"), expect_rejected());
	make_bundle(&made, "b", 1);
	CHECK_U64(spawn(WR_PROFILE_BUILTIN, "builtin:coder"), expect_accepted());
}

static void a_spawn_may_ask_for_a_profile_and_capabilities(void)
{
	struct wr_source_call call = {.operation = WR_SOURCE_SPAWN};
	char bytes[100];
	struct wr_buf list;

	wr_buf_init_fixed(&list, bytes, sizeof bytes);
	CHECK_STATUS(wr_pairs_append(&list, WR_VIEW("read"), WR_VIEW("why")), WR_OK);
	CHECK_STATUS(wr_pairs_append(&list, WR_VIEW("write"), WR_VIEW_NULL), WR_OK);
	call.as.spawn = (struct wr_spawn_request){
		.intent = WR_SPAWN_TICKET_ROLE,
		.ticket_id = WR_VIEW("T"),
		.role = WR_VIEW("coder"),
		.has_profile = true,
		.profile = WR_PROFILE_RUNTIME_DEFAULT,
		.capabilities = {wr_buf_view(&list), 2},
	};
	CHECK_U64(ask(&call), expect_accepted());
	if (can(WR_CAN_SPAWN))
		CHECK_STRING(VIEW(asked.workers[0].profile), "runtime_default");
	call.as.spawn.profile = WR_PROFILE_NAMED;
	call.as.spawn.profile_value = WR_VIEW("no-such");
	CHECK_U64(ask(&call), expect_rejected());
}

static void a_key_stores_a_bundle_once(void)
{
	struct wr_view key = WR_VIEW("key-1");

	make_bundle(&made, "b", 1);
	CHECK_U64(store_with_key(key), expect_accepted());
	if (!can(WR_CAN_SPAWN))
		return;
	CHECK_U64(store("b", 2), WR_SOURCE_ACCEPTED);
	/* The answer of the first time, although it is another one by now. */
	make_bundle(&made, "b", 1);
	CHECK_U64(store_with_key(key), WR_SOURCE_ACCEPTED);
	CHECK_STRING(VIEW(asked.bundle.revision), "r1");
	CHECK_U64(look("b", 2), WR_SOURCE_ACCEPTED);
	make_bundle(&made, "b", 3);
	CHECK_U64(store_with_key(key), WR_SOURCE_REJECTED);
	CHECK(wr_handles_has_notice(&asked.result.notices, "idempotency_mismatch"));
}

static void a_key_makes_a_spawn_with_a_bundle_once(void)
{
	struct wr_source_call call = {.operation = WR_SOURCE_SPAWN,
				      .idempotency_key = WR_VIEW("key-2")};
	CHECK_U64(store("b", 1), expect_accepted());
	call.as.spawn = (struct wr_spawn_request){.intent = WR_SPAWN_COMPANION,
						  .bundle_id = made.value.id,
						  .bundle_digest = made.value.digest};
	CHECK_U64(ask(&call), expect_accepted());
	if (!can(WR_CAN_SPAWN))
		return;
	memcpy(id, asked.workers[0].worker_id, sizeof id);
	CHECK_U64(ask(&call), WR_SOURCE_ACCEPTED);
	CHECK_STRING(VIEW(asked.workers[0].worker_id), id);
	call.as.spawn.bundle_id = WR_VIEW_NULL;
	call.as.spawn.bundle_digest = WR_VIEW_NULL;
	CHECK_U64(ask(&call), WR_SOURCE_REJECTED);
	CHECK(wr_handles_has_notice(&asked.result.notices, "idempotency_mismatch"));
}

/* ---- all of them ---- */

/* clang-format off: one a line */
#define CASES(X)                                          \
	X(a_bundle_is_stored_and_available)               \
	X(a_bundle_that_cannot_be_is_rejected)            \
	X(a_bundle_may_say_anything_that_may_be_shown)    \
	X(a_spawn_is_held_against_its_bundle)             \
	X(a_spawn_may_ask_for_a_profile_and_capabilities) \
	X(a_key_stores_a_bundle_once)                     \
	X(a_key_makes_a_spawn_with_a_bundle_once)
/* clang-format on */

CASES(EACH_TEST)
const struct wr_test wr_tests[] = {CASES(EACH_ROW) WR_TEST_END};
