/* Goal: what was encoded comes back member by member; what encoding cannot have made is refused;
 * one event has one spelling. Method: random events of every kind, cut at every length and changed
 * in every byte, the end against an unmapped page. */
#include "core/event_bytes.h"
#include "bytes/endian.h"
#include "harness/harness.h"
#include "bounds.h"

#include "check.h"

#include <string.h>

enum { ROUNDS = 300, EVENT_BYTES_MAX = 100000 };

/* ---- random events ---- */

static const char texts[] = "The quick brown fox jumps over the lazy dog, twice.";

static struct wr_view random_text(uint64_t *random)
{
	uint64_t bits = wr_test_random(random);

	if (bits % 4 == 0)
		return WR_VIEW_NULL;
	return wr_view_of(texts + bits / 4 % 8, (size_t)(bits / 32 % 24));
}

/* Lists live until the next event is made. */
static struct wr_buf lists[5];

static struct wr_pairs random_pairs(uint64_t *random, struct wr_buf *list)
{
	uint32_t count = (uint32_t)(wr_test_random(random) % 4);

	wr_buf_deinit(list);
	wr_buf_init(list, wr_test_allocator(), 1000);
	for (uint32_t i = 0; i < count; i++) {
		struct wr_view name = wr_view_of(texts, (size_t)(wr_test_random(random) % 9));
		CHECK_STATUS(wr_pairs_append(list, name, random_text(random)), WR_OK);
	}
	return (struct wr_pairs){wr_buf_view(list), count};
}

static void random_create(uint64_t *random, struct wr_create *request)
{
	*request = (struct wr_create){
		.intent = (enum wr_intent_kind)(wr_test_random(random) % 3),
		.objective = random_text(random),
		.role = random_text(random),
		.purpose = random_text(random),
		.profile = (enum wr_profile_kind)(wr_test_random(random) % 3),
		.profile_value = random_text(random),
		.config_bundle_id = random_text(random),
		.config_bundle_digest = random_text(random),
		.capabilities = random_pairs(random, &lists[0]),
		.workspace_refs = random_pairs(random, &lists[1]),
		.mount_refs = random_pairs(random, &lists[2]),
	};
}

static struct wr_busy_policy random_policy(uint64_t *random)
{
	static const struct wr_busy_policy policies[] = {{WR_BUSY_UNSAID, 0},
							 {WR_BUSY_REJECT, 0},
							 {WR_BUSY_QUEUE, 1},
							 {WR_BUSY_QUEUE, WR_QUEUE_INPUTS_MAX}};

	return policies[wr_test_random(random) % WR_COUNT(policies)];
}

/* Lives until the next one. */
static struct wr_view random_sequences(uint64_t *random)
{
	static char packed[8 * 5];
	size_t count = (size_t)(wr_test_random(random) % 6);
	uint64_t sequence = 0;

	for (size_t i = 0; i < count; i++) {
		sequence += 1 + wr_test_random(random) % 1000;
		wr_store_le64(packed + 8 * i, sequence);
	}
	return count == 0 ? WR_VIEW_NULL : wr_view_of(packed, 8 * count);
}

static struct wr_rows random_rows(uint64_t *random, struct wr_buf *list, unsigned kinds)
{
	uint32_t count = (uint32_t)(wr_test_random(random) % 4);

	wr_buf_deinit(list);
	wr_buf_init(list, wr_test_allocator(), 1000);
	for (uint32_t i = 0; i < count; i++) {
		struct wr_row row = {(uint8_t)(wr_test_random(random) % kinds), random_text(random),
				     random_text(random)};
		CHECK_STATUS(wr_rows_append(list, &row), WR_OK);
	}
	return (struct wr_rows){wr_buf_view(list), count};
}

static void random_bundle(uint64_t *random, struct wr_config_bundle *bundle)
{
	*bundle = (struct wr_config_bundle){
		.id = random_text(random),
		.digest = random_text(random),
		.revision = random_text(random),
		.workspace_id = random_text(random),
		.created_at = random_text(random),
		.source = random_text(random),
		.detail = random_text(random),
		.profiles = random_rows(random, &lists[3], WR_PROFILE_NAMED + 1),
		.declarations = random_rows(random, &lists[4], WR_DECLARATION_UNSUPPORTED + 1),
	};
}

static void random_output(uint64_t *random, struct wr_output *output)
{
	*output = (struct wr_output){
		.kind = (enum wr_output_kind)(1 + wr_test_random(random) % WR_OUTPUT_OPAQUE),
		.id = random_text(random),
		.name = random_text(random),
		.text = random_text(random),
		.flag = wr_test_random(random) % 2 != 0,
		.code = (uint8_t)(wr_test_random(random) % 2),
	};
	for (unsigned i = 0; i < WR_COUNT(output->numbers); i++) {
		output->has_number[i] = wr_test_random(random) % 2 != 0;
		if (output->has_number[i])
			output->numbers[i] = wr_test_random(random);
	}
}

static void random_event(uint64_t *random, enum wr_event_kind kind, struct wr_event *event)
{
	memset(event, 0, sizeof *event);
	event->kind = kind;
	event->sequence = wr_test_random(random);
	event->wall_ms = (int64_t)wr_test_random(random);
	event->worker = (uint32_t)wr_test_random(random);
	event->has_key = wr_test_random(random) % 2 != 0;
	if (event->has_key) {
		for (unsigned i = 0; i < WR_KEY_BYTES; i++) {
			event->key.id[i] = (uint8_t)wr_test_random(random);
			event->key.fingerprint[i] = (uint8_t)wr_test_random(random);
		}
		event->uptime_s = (uint32_t)wr_test_random(random);
	}
	if (wr_test_random(random) % 2 != 0)
		event->delivered = wr_test_random(random) | 1;
	switch (kind) {
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
		break;
	case WR_EVENT_WORKER_CREATED:
		event->as.created.worker_id = random_text(random);
		random_create(random, &event->as.created.request);
		event->as.created.request.busy = random_policy(random);
		break;
	case WR_EVENT_INPUT_ACCEPTED:
		event->as.input.input.kind = (enum wr_input_kind)(wr_test_random(random) % 2);
		event->as.input.input.content = random_text(random);
		event->as.input.transcript_sequence = wr_test_random(random);
		event->as.input.waits_for_turn = wr_test_random(random) % 2 != 0;
		break;
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		event->as.ended.reason = random_text(random);
		event->as.ended.is_execution_live = wr_test_random(random) % 2 != 0;
		event->as.ended.dropped = random_sequences(random);
		break;
	case WR_EVENT_PHASE_CHANGED:
		event->as.phase.from = (uint8_t)(wr_test_random(random) % WR_PHASE_COUNT);
		event->as.phase.to = (uint8_t)(wr_test_random(random) % WR_PHASE_COUNT);
		event->as.phase.cause = random_text(random);
		if (event->as.phase.to == WR_PHASE_INTERRUPTED)
			event->as.phase.dropped = random_sequences(random);
		break;
	case WR_EVENT_OUTPUT:
		random_output(random, &event->as.output);
		break;
	case WR_EVENT_REPEATABLE:
		event->as.repeatable.operation =
			(uint8_t)(WR_OPERATION_CREATE + wr_test_random(random) % 6);
		if (event->as.repeatable.operation > WR_OPERATION_INTERRUPT)
			event->as.repeatable.operation = WR_OPERATION_STORE_BUNDLE;
		event->as.repeatable.status = (uint8_t)(wr_test_random(random) % 3);
		event->as.repeatable.event_id = wr_test_random(random);
		break;
	case WR_EVENT_BUNDLE_STORED:
		random_bundle(random, &event->as.bundle);
		break;
	}
}

/* ---- comparing ---- */

static void check_text(struct wr_view actual, struct wr_view expected)
{
	CHECK((actual.data == NULL) == (expected.data == NULL));
	CHECK_VIEW(actual, expected);
}

static void check_pairs(const struct wr_pairs *actual, const struct wr_pairs *expected)
{
	CHECK_U64(actual->count, expected->count);
	CHECK_VIEW(actual->packed, expected->packed);
}

static void check_create(const struct wr_create *actual, const struct wr_create *expected)
{
	CHECK(actual->intent == expected->intent && actual->profile == expected->profile);
	check_text(actual->objective, expected->objective);
	check_text(actual->role, expected->role);
	check_text(actual->purpose, expected->purpose);
	check_text(actual->profile_value, expected->profile_value);
	check_text(actual->config_bundle_id, expected->config_bundle_id);
	check_text(actual->config_bundle_digest, expected->config_bundle_digest);
	check_pairs(&actual->capabilities, &expected->capabilities);
	check_pairs(&actual->workspace_refs, &expected->workspace_refs);
	check_pairs(&actual->mount_refs, &expected->mount_refs);
	CHECK(actual->busy.kind == expected->busy.kind);
	CHECK_U64(actual->busy.inputs_max, expected->busy.inputs_max);
}

static void check_output(const struct wr_output *actual, const struct wr_output *expected)
{
	CHECK(actual->kind == expected->kind && actual->flag == expected->flag);
	CHECK_U64(actual->code, expected->code);
	check_text(actual->id, expected->id);
	check_text(actual->name, expected->name);
	check_text(actual->text, expected->text);
	for (unsigned i = 0; i < WR_COUNT(actual->numbers); i++) {
		CHECK(actual->has_number[i] == expected->has_number[i]);
		CHECK_U64(actual->numbers[i], expected->numbers[i]);
	}
}

static void check_event(const struct wr_event *actual, const struct wr_event *expected)
{
	CHECK_U64(actual->kind, expected->kind);
	CHECK_U64(actual->sequence, expected->sequence);
	CHECK_U64(actual->wall_ms, expected->wall_ms);
	CHECK_U64(actual->worker, expected->worker);
	CHECK(actual->has_key == expected->has_key);
	CHECK(memcmp(&actual->key, &expected->key, sizeof actual->key) == 0);
	CHECK_U64(actual->uptime_s, expected->uptime_s);
	CHECK_U64(actual->delivered, expected->delivered);
	check_text(wr_event_dropped(actual), wr_event_dropped(expected));
	switch (expected->kind) {
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
		break;
	case WR_EVENT_WORKER_CREATED:
		check_text(actual->as.created.worker_id, expected->as.created.worker_id);
		check_create(&actual->as.created.request, &expected->as.created.request);
		break;
	case WR_EVENT_INPUT_ACCEPTED:
		CHECK(actual->as.input.input.kind == expected->as.input.input.kind);
		check_text(actual->as.input.input.content, expected->as.input.input.content);
		CHECK_U64(actual->as.input.transcript_sequence,
			  expected->as.input.transcript_sequence);
		CHECK(actual->as.input.waits_for_turn == expected->as.input.waits_for_turn);
		break;
	case WR_EVENT_WORKER_STOPPED:
	case WR_EVENT_WORKER_CANCELLED:
		check_text(actual->as.ended.reason, expected->as.ended.reason);
		CHECK(actual->as.ended.is_execution_live == expected->as.ended.is_execution_live);
		break;
	case WR_EVENT_PHASE_CHANGED:
		CHECK_U64(actual->as.phase.from, expected->as.phase.from);
		CHECK_U64(actual->as.phase.to, expected->as.phase.to);
		check_text(actual->as.phase.cause, expected->as.phase.cause);
		break;
	case WR_EVENT_OUTPUT:
		check_output(&actual->as.output, &expected->as.output);
		break;
	case WR_EVENT_REPEATABLE:
		CHECK_U64(actual->as.repeatable.operation, expected->as.repeatable.operation);
		CHECK_U64(actual->as.repeatable.status, expected->as.repeatable.status);
		CHECK_U64(actual->as.repeatable.event_id, expected->as.repeatable.event_id);
		break;
	case WR_EVENT_BUNDLE_STORED:
		CHECK(wr_config_bundle_is_same(&actual->as.bundle, &expected->as.bundle));
		break;
	}
}

/* ---- tests ---- */

typedef void event_fn(const struct wr_event *event, struct wr_view bytes);

static void for_random_events(unsigned rounds, event_fn *fn)
{
	uint64_t random = wr_test_seed();
	struct wr_event event;
	struct wr_buf out;

	for (unsigned i = 0; i < WR_COUNT(lists); i++)
		wr_buf_init(&lists[i], wr_test_allocator(), 1000);
	wr_buf_init(&out, wr_test_allocator(), EVENT_BYTES_MAX);
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned kind = WR_EVENT_RUNTIME_STARTED; kind <= WR_EVENT_BUNDLE_STORED;
		     kind = kind == WR_EVENT_REPEATABLE ? WR_EVENT_BUNDLE_STORED : kind + 1) {
			random_event(&random, (enum wr_event_kind)kind, &event);
			wr_buf_reset(&out);
			CHECK_STATUS(wr_event_encode(&out, &event), WR_OK);
			fn(&event, wr_buf_view(&out));
		}
	wr_buf_deinit(&out);
	for (unsigned i = 0; i < WR_COUNT(lists); i++)
		wr_buf_deinit(&lists[i]);
}

static void check_comes_back(const struct wr_event *event, struct wr_view bytes)
{
	struct wr_event back;

	CHECK_STATUS(wr_event_decode(&back, wr_test_guarded(0, bytes)), WR_OK);
	check_event(&back, event);
}

static void test_every_member_of_every_kind_comes_back(void)
{
	for_random_events(ROUNDS, check_comes_back);
}

static void check_cuts(const struct wr_event *event, struct wr_view bytes)
{
	static char longer[EVENT_BYTES_MAX];
	struct wr_event back;

	(void)event;
	for (size_t cut = 0; cut < bytes.bytes; cut++)
		CHECK_STATUS(
			wr_event_decode(&back, wr_test_guarded(0, wr_view_of(bytes.data, cut))),
			WR_CORRUPT);
	memcpy(longer, bytes.data, bytes.bytes);
	longer[bytes.bytes] = 0;
	CHECK_STATUS(wr_event_decode(&back, wr_view_of(longer, bytes.bytes + 1)), WR_CORRUPT);
}

static void test_events_cut_anywhere_or_longer_are_refused(void)
{
	for_random_events(ROUNDS / 10, check_cuts);
}

static void check_mutations(const struct wr_event *event, struct wr_view bytes)
{
	static char changed[EVENT_BYTES_MAX];
	struct wr_view guarded = wr_test_guarded(0, bytes),
		       again = wr_view_of(changed, bytes.bytes);
	struct wr_buf out;

	(void)event;
	memcpy(changed, bytes.data, bytes.bytes);
	wr_buf_init(&out, wr_test_allocator(), EVENT_BYTES_MAX);
	for (size_t place = 0; place < bytes.bytes; place++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			struct wr_event back;
			char *at = (char *)(uintptr_t)guarded.data + place;
			*at = changed[place] = (char)byte;
			if (wr_event_decode(&back, guarded) != WR_OK)
				continue;
			wr_buf_reset(&out);
			CHECK_STATUS(wr_event_encode(&out, &back), WR_OK);
			CHECK_VIEW(wr_buf_view(&out), again);
		}
		changed[place] = bytes.data[place];
		((char *)(uintptr_t)guarded.data)[place] = bytes.data[place];
	}
	wr_buf_deinit(&out);
}

static void test_every_changed_byte_is_refused_or_means_itself(void)
{
	for_random_events(6, check_mutations);
}

static void test_a_newer_version_is_unsupported_and_version_zero_is_damage(void)
{
	struct wr_event event = {.kind = WR_EVENT_RUNTIME_STARTED, .sequence = 1}, back;
	char bytes[24];
	struct wr_buf out;

	wr_buf_init_fixed(&out, bytes, sizeof bytes);
	CHECK_STATUS(wr_event_encode(&out, &event), WR_OK);
	for (unsigned version = 0; version < 256; version++) {
		bytes[0] = (char)version;
		/* A version that is known, but that this event has no need of, is not ours. */
		CHECK_STATUS(wr_event_decode(&back, wr_buf_view(&out)),
			     version == 1			 ? WR_OK
			     : version <= WR_EVENT_BYTES_VERSION ? WR_CORRUPT
								 : WR_UNSUPPORTED);
	}
	/* Nothing else of a newer form is known, not even its length. */
	bytes[0] = WR_EVENT_BYTES_VERSION + 1;
	CHECK_STATUS(wr_event_decode(&back, wr_view_of(bytes, 1)), WR_UNSUPPORTED);
	CHECK_STATUS(wr_event_decode(&back, WR_VIEW_NULL), WR_CORRUPT);
}

/* The layout is stored for ever: bytes written out here. */
static void test_the_layout_stays_what_it_is(void)
{
	static const char expected[] = "\1\4\0\0" /* version, kind, flags */
				       "\2\0\0\0" /* worker */
				       "\3\0\0\0\0\0\0\0"
				       "\377\377\377\377\377\377\377\377" /* wall ms -1 */
				       "\1"				  /* system */
				       "\2\0\0\0hi"
				       "\5\0\0\0\0\0\0"; /* and the NUL of the literal */
	struct wr_event event = {.kind = WR_EVENT_INPUT_ACCEPTED,
				 .worker = 2,
				 .sequence = 3,
				 .wall_ms = -1,
				 .as.input = {.input = {WR_INPUT_SYSTEM, WR_VIEW_INIT("hi")},
					      .transcript_sequence = 5}};
	char bytes[64];
	struct wr_buf out;

	wr_buf_init_fixed(&out, bytes, sizeof bytes);
	CHECK_STATUS(wr_event_encode(&out, &event), WR_OK);
	CHECK_VIEW(wr_buf_view(&out), wr_view_of(expected, sizeof expected));
}

/* What is about queues: the delivery before the members, the rest behind them. */
static void test_the_second_version_stays_what_it_is(void)
{
#define HEAD(kind, flags) "\2" kind flags "\0\2\0\0\0\3\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0"
#define SEQUENCES "\20\0\0\0\5\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0"
	static const struct {
		struct wr_event event;
		struct wr_view bytes;
	} cases[] = {
		{{.kind = WR_EVENT_OUTPUT,
		  .delivered = 9,
		  .as.output = {.kind = WR_OUTPUT_THINKING_START}},
		 WR_VIEW_INIT(HEAD("\10", "\2") "\11\0\0\0\0\0\0\0"
						"\3\0\0\0\377\377\377\377\377\377\377\377\377\377"
						"\377\377\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
						"\0\0\0\0\0\0")},
		{{.kind = WR_EVENT_INPUT_ACCEPTED,
		  .as.input = {{WR_INPUT_USER, WR_VIEW_INIT("hi")}, 5, true}},
		 WR_VIEW_INIT(HEAD("\4", "\4") "\0\2\0\0\0hi\5\0\0\0\0\0\0\0")},
		{{.kind = WR_EVENT_WORKER_CANCELLED,
		  .as.ended.dropped = WR_VIEW_INIT("\5\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0")},
		 WR_VIEW_INIT(HEAD("\6", "\4") "\0\377\377\377\377" SEQUENCES)},
		{{.kind = WR_EVENT_PHASE_CHANGED,
		  .delivered = 1,
		  .as.phase = {WR_PHASE_BUSY, WR_PHASE_INTERRUPTED, WR_VIEW_INIT("x"),
			       WR_VIEW_INIT("\5\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0")}},
		 WR_VIEW_INIT(HEAD("\7", "\6") "\1\0\0\0\0\0\0\0\2\7\1\0\0\0x" SEQUENCES)},
		{{.kind = WR_EVENT_WORKER_CREATED,
		  .as.created = {WR_VIEW_INIT("a"), {.busy = {WR_BUSY_QUEUE, 4}}}},
		 WR_VIEW_INIT(HEAD("\3", "\4") "\1\0\0\0a\0\0"
					       "\377\377\377\377\377\377\377\377\377\377\377\377"
					       "\377\377\377\377\377\377\377\377"
					       "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
					       "\0\0\0\0"
					       "\2\4\0\0\0")},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_event event = cases[i].event, back;
		char bytes[200];
		struct wr_buf out;
		event.worker = 2;
		event.sequence = 3;
		event.wall_ms = 4;
		wr_buf_init_fixed(&out, bytes, sizeof bytes);
		CHECK_STATUS(wr_event_encode(&out, &event), WR_OK);
		CHECK_VIEW(wr_buf_view(&out), cases[i].bytes);
		CHECK_STATUS(wr_event_decode(&back, cases[i].bytes), WR_OK);
		check_event(&back, &event);
	}
}

static void test_what_is_wrong_about_queues_is_damage(void)
{
	static const struct {
		const char *what;
		struct wr_view bytes;
	} cases[] = {
		{"delivered is zero", WR_VIEW_INIT(HEAD("\2", "\2") "\0\0\0\0\0\0\0\0")},
		{"no flag of the second version", WR_VIEW_INIT(HEAD("\2", "\0"))},
		{"an unknown flag", WR_VIEW_INIT(HEAD("\2", "\10"))},
		{"a stop of the Runtime that drops", WR_VIEW_INIT(HEAD("\2", "\4") SEQUENCES)},
		{"an empty list", WR_VIEW_INIT(HEAD("\6", "\4") "\0\377\377\377\377\0\0\0\0")},
		{"an absent list",
		 WR_VIEW_INIT(HEAD("\6", "\4") "\0\377\377\377\377\377\377\377\377")},
		{"half a sequence",
		 WR_VIEW_INIT(HEAD("\6", "\4") "\0\377\377\377\377\4\0\0\0\1\0\0\0")},
		{"sequence zero",
		 WR_VIEW_INIT(HEAD("\6", "\4") "\0\377\377\377\377\10\0\0\0\0\0\0\0"
					       "\0\0\0\0")},
		{"twice the same", WR_VIEW_INIT(HEAD("\6", "\4") "\0\377\377\377\377\20\0\0\0\5\0\0"
								 "\0\0\0\0\0\5\0\0\0\0\0\0\0")},
		{"idle that drops", WR_VIEW_INIT(HEAD("\7", "\4") "\2\1\1\0\0\0x" SEQUENCES)},
	};
	static const struct {
		const char *what;
		char policy[5];
	} policies[] = {
		{"no policy", {0, 0, 0, 0, 0}},		  {"policy three", {3, 1, 0, 0, 0}},
		{"a queue for nothing", {2, 0, 0, 0, 0}}, {"a queue without end", {2, 1, 1, 0, 0}},
		{"reject with a queue", {1, 1, 0, 0, 0}},
	};
	struct wr_event event = {.kind = WR_EVENT_WORKER_CREATED,
				 .as.created.request.busy = {WR_BUSY_QUEUE, 4}};
	char bytes[200];
	struct wr_buf out;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		wr_test_case(cases[i].what);
		CHECK_STATUS(wr_event_decode(&event, cases[i].bytes), WR_CORRUPT);
	}
	event = (struct wr_event){.kind = WR_EVENT_WORKER_CREATED,
				  .as.created.request.busy = {WR_BUSY_QUEUE, 4}};
	wr_buf_init_fixed(&out, bytes, sizeof bytes);
	CHECK_STATUS(wr_event_encode(&out, &event), WR_OK);
	for (size_t i = 0; i < WR_COUNT(policies); i++) {
		wr_test_case(policies[i].what);
		memcpy(bytes + out.bytes - 5, policies[i].policy, 5);
		CHECK_STATUS(wr_event_decode(&event, wr_buf_view(&out)), WR_CORRUPT);
	}
#undef HEAD
#undef SEQUENCES
}

static void test_a_key_lies_between_head_and_members(void)
{
	static const char expected[] = "\1\11\1\0" /* version, kind, flags */
				       "\2\0\0\0"  /* worker */
				       "\3\0\0\0\0\0\0\0"
				       "\4\0\0\0\0\0\0\0" /* wall ms */
				       "0123456789abcdef"
				       "ABCDEFGHIJKLMNOP"
				       "\1\2\0\0"	     /* uptime 513 s */
				       "\3\1\6\0\0\0\0\0\0"; /* stop, stopped, event 6 */
	struct wr_event event = {.kind = WR_EVENT_REPEATABLE,
				 .worker = 2,
				 .sequence = 3,
				 .wall_ms = 4,
				 .has_key = true,
				 .uptime_s = 513,
				 .as.repeatable = {WR_OPERATION_STOP, WR_WORKER_STOPPED, 6}};
	char bytes[100];
	struct wr_buf out;

	memcpy(event.key.id, "0123456789abcdef", WR_KEY_BYTES);
	memcpy(event.key.fingerprint, "ABCDEFGHIJKLMNOP", WR_KEY_BYTES);
	wr_buf_init_fixed(&out, bytes, sizeof bytes);
	CHECK_STATUS(wr_event_encode(&out, &event), WR_OK);
	CHECK_VIEW(wr_buf_view(&out), wr_view_of(expected, sizeof expected));
}

/* Older programs know version 1: they open a log that has nothing of config bundles. */
static void test_only_what_came_with_config_bundles_has_their_version(void)
{
	static const char bundle[] = "\2\16\0\0" /* version, kind, flags */
				     "\0\0\0\0"	 /* worker */
				     "\3\0\0\0\0\0\0\0"
				     "\4\0\0\0\0\0\0\0" /* wall ms */
				     "\1\0\0\0b"
				     "\1\0\0\0d"
				     "\1\0\0\0r"
				     "\1\0\0\0w"
				     "\1\0\0\0c"
				     "\1\0\0\0s"
				     "\377\377\377\377"
				     "\1\0\0\0\11\0\0\0" /* one profile of 9 bytes */
				     "\0\377\377\377\377\377\377\377\377"
				     "\0\0\0\0\0\0\0"; /* and the NUL of the literal */
	struct wr_event event = {
		.kind = WR_EVENT_BUNDLE_STORED,
		.sequence = 3,
		.wall_ms = 4,
		.as.bundle = {.id = WR_VIEW_INIT("b"),
			      .digest = WR_VIEW_INIT("d"),
			      .revision = WR_VIEW_INIT("r"),
			      .workspace_id = WR_VIEW_INIT("w"),
			      .created_at = WR_VIEW_INIT("c"),
			      .source = WR_VIEW_INIT("s"),
			      .profiles = {{"\0\377\377\377\377\377\377\377\377", 9}, 1}}};
	char bytes[200];
	struct wr_buf out;

	wr_buf_init_fixed(&out, bytes, sizeof bytes);
	CHECK_STATUS(wr_event_encode(&out, &event), WR_OK);
	CHECK_VIEW(wr_buf_view(&out), wr_view_of(bundle, sizeof bundle));
	for (unsigned has_digest = 0; has_digest < 2; has_digest++) {
		event = (struct wr_event){.kind = WR_EVENT_WORKER_CREATED, .worker = 1};
		event.as.created.worker_id = WR_VIEW("w");
		event.as.created.request.config_bundle_id = WR_VIEW("b");
		if (has_digest == 1)
			event.as.created.request.config_bundle_digest = WR_VIEW("d");
		wr_buf_reset(&out);
		CHECK_STATUS(wr_event_encode(&out, &event), WR_OK);
		CHECK_U64((unsigned char)bytes[0], has_digest + 1);
		CHECK_U64((unsigned char)bytes[2], has_digest * 32);
	}
	for (unsigned i = WR_OPERATION_CREATE; i <= WR_OPERATION_STORE_BUNDLE; i++) {
		struct wr_event back;

		event = (struct wr_event){.kind = WR_EVENT_REPEATABLE};
		event.as.repeatable.operation = (uint8_t)i;
		wr_buf_reset(&out);
		CHECK_STATUS(wr_event_encode(&out, &event), WR_OK);
		CHECK_U64((unsigned char)bytes[0], i == WR_OPERATION_STORE_BUNDLE ? 2 : 1);
		CHECK_STATUS(wr_event_decode(&back, wr_buf_view(&out)),
			     i <= WR_OPERATION_INTERRUPT || i == WR_OPERATION_STORE_BUNDLE
				     ? WR_OK
				     : WR_CORRUPT);
	}
}

static void test_what_encoding_cannot_have_made_is_damage(void)
{
	static const struct {
		const char *what;
		enum wr_event_kind kind;
		size_t place;
		char byte;
	} cases[] = {
		{"unknown flag", WR_EVENT_OUTPUT, 2, 2},
		{"unknown flag", WR_EVENT_OUTPUT, 3, 1},
		{"key that is not there", WR_EVENT_OUTPUT, 2, 1},
		{"key that is not there", WR_EVENT_RUNTIME_STARTED, 2, 1},
		{"kind zero", WR_EVENT_OUTPUT, 1, 0},
		{"kind between", WR_EVENT_OUTPUT, 1, 10},
		{"kind between", WR_EVENT_OUTPUT, 1, 13},
		{"kind beyond the last", WR_EVENT_OUTPUT, 1, 15},
		{"flag of another kind", WR_EVENT_OUTPUT, 2, 32},
		{"digest that is not there", WR_EVENT_WORKER_CREATED, 2, 32},
		{"profile counted that is not there", WR_EVENT_BUNDLE_STORED, 52, 1},
		{"declaration counted that is not there", WR_EVENT_BUNDLE_STORED, 60, 1},
		{"output kind zero", WR_EVENT_OUTPUT, 24, 0},
		{"output kind beyond the last", WR_EVENT_OUTPUT, 24, 16},
		{"result beyond the last", WR_EVENT_OUTPUT, 25, WR_RUN_ROLLED_BACK + 1},
		{"flag two", WR_EVENT_OUTPUT, 26, 2},
		{"number that is not there has a value", WR_EVENT_OUTPUT, 40, 1},
		{"fourth number", WR_EVENT_OUTPUT, 27, 8},
		{"input kind", WR_EVENT_INPUT_ACCEPTED, 24, 2},
		{"live is two", WR_EVENT_WORKER_STOPPED, 24, 2},
		{"phase beyond the last", WR_EVENT_PHASE_CHANGED, 24, WR_PHASE_COUNT},
		{"phase beyond the last", WR_EVENT_PHASE_CHANGED, 25, WR_PHASE_COUNT},
		{"intent beyond the last", WR_EVENT_WORKER_CREATED, 28, 3},
		{"profile beyond the last", WR_EVENT_WORKER_CREATED, 29, 3},
		{"pair counted that is not there", WR_EVENT_WORKER_CREATED, 50, 1},
		{"operation zero", WR_EVENT_REPEATABLE, 24, 0},
		{"operation beyond the last", WR_EVENT_REPEATABLE, 24, WR_OPERATION_INTERRUPT + 1},
		{"status beyond the last", WR_EVENT_REPEATABLE, 25, WR_WORKER_CANCELLED + 1},
	};

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_event event = {.kind = cases[i].kind}, back;
		char bytes[200];
		struct wr_buf out;

		wr_test_case(cases[i].what);
		if (cases[i].kind == WR_EVENT_OUTPUT)
			event.as.output.kind = WR_OUTPUT_RUN_END;
		if (cases[i].kind == WR_EVENT_REPEATABLE)
			event.as.repeatable.operation = WR_OPERATION_STOP;
		wr_buf_init_fixed(&out, bytes, sizeof bytes);
		CHECK_STATUS(wr_event_encode(&out, &event), WR_OK);
		CHECK_STATUS(wr_event_decode(&back, wr_buf_view(&out)), WR_OK);
		CHECK(cases[i].place < out.bytes);
		bytes[cases[i].place] = cases[i].byte;
		CHECK_STATUS(wr_event_decode(&back, wr_buf_view(&out)), WR_CORRUPT);
	}
}

static void test_a_buffer_too_small_takes_nothing(void)
{
	struct wr_event event = {
		.kind = WR_EVENT_OUTPUT,
		.as.output = {.kind = WR_OUTPUT_TEXT_DELTA, .text = WR_VIEW_INIT("some text")}};
	char bytes[200];
	struct wr_buf out;
	size_t need;

	wr_buf_init_fixed(&out, bytes, sizeof bytes);
	CHECK_STATUS(wr_event_encode(&out, &event), WR_OK);
	need = out.bytes;
	for (size_t room = 0; room < need; room++) {
		wr_buf_init_fixed(&out, bytes, room);
		CHECK_STATUS(wr_event_encode(&out, &event), WR_TOO_LARGE);
		CHECK_U64(out.bytes, 0);
	}
}

static void test_frames_are_taken_off_one_by_one(void)
{
	struct wr_event event = {.kind = WR_EVENT_RUNTIME_STARTED}, back;
	const struct wr_encoding *encoding = &wr_event_bytes_encoding;
	struct wr_identity identity = {.runtime_id = WR_VIEW_INIT("r")};
	struct wr_view rest, bytes;
	struct wr_buf out;

	wr_buf_init(&out, wr_test_allocator(), 1000);
	for (event.sequence = 1; event.sequence <= 3; event.sequence++)
		CHECK_STATUS(encoding->encode(encoding->context, &out, &event, &identity,
					      WR_SCOPE_RUNTIME),
			     WR_OK);
	for (size_t cut = 0; cut <= out.bytes; cut++) {
		uint64_t sequence = 1;
		rest = wr_test_guarded(0, wr_view_of(out.data, cut));
		for (; wr_event_frame_next(&rest, &bytes); sequence++) {
			CHECK_STATUS(wr_event_decode(&back, bytes), WR_OK);
			CHECK_U64(back.sequence, sequence);
		}
		CHECK_U64(sequence - 1, cut / 28);
		CHECK_U64(rest.bytes, cut % 28);
	}
	/* A Worker's stream shows nothing of it. */
	wr_buf_reset(&out);
	CHECK_STATUS(encoding->encode(encoding->context, &out, &event, &identity, WR_SCOPE_WORKER),
		     WR_OK);
	CHECK_U64(out.bytes, 0);
	wr_buf_deinit(&out);
}

static void test_frames_do_not_show_keys(void)
{
	struct wr_event event = {.kind = WR_EVENT_WORKER_STOPPED, .worker = 1, .sequence = 7}, back;
	const struct wr_encoding *encoding = &wr_event_bytes_encoding;
	struct wr_identity identity = {.runtime_id = WR_VIEW_INIT("r")};
	struct wr_view rest, bytes;
	struct wr_buf out, plain;

	wr_buf_init(&out, wr_test_allocator(), 1000);
	wr_buf_init(&plain, wr_test_allocator(), 1000);
	CHECK_STATUS(encoding->encode(NULL, &plain, &event, &identity, WR_SCOPE_WORKER), WR_OK);
	event.has_key = true;
	memset(&event.key, 'k', sizeof event.key);
	CHECK_STATUS(encoding->encode(NULL, &out, &event, &identity, WR_SCOPE_WORKER), WR_OK);
	CHECK_VIEW(wr_buf_view(&out), wr_buf_view(&plain));
	rest = wr_buf_view(&out);
	CHECK(wr_event_frame_next(&rest, &bytes));
	CHECK_STATUS(wr_event_decode(&back, bytes), WR_OK);
	CHECK(!back.has_key && back.sequence == 7);
	/* What only remembers a key is shown nowhere. */
	event.kind = WR_EVENT_REPEATABLE;
	event.as.repeatable.operation = WR_OPERATION_STOP;
	wr_buf_reset(&out);
	for (unsigned scope = WR_SCOPE_WORKER; scope <= WR_SCOPE_RUNTIME; scope++)
		CHECK_STATUS(encoding->encode(NULL, &out, &event, &identity, (enum wr_scope)scope),
			     WR_OK);
	CHECK_U64(out.bytes, 0);
	wr_buf_deinit(&out);
	wr_buf_deinit(&plain);
}

static void test_damaged_pairs_take_nothing(void)
{
	static const struct {
		const char *bytes;
		size_t count;
	} cases[] = {
		{"\1", 1},
		{"\0\0\0\0", 4},		 /* a name alone */
		{"\377\377\377\377", 4},	 /* an absent name */
		{"\377\377\377\377\0\0\0\0", 8}, /* an absent name */
		{"\1\0\0\0", 4},		 /* a name that is cut */
		{"\1\0\0\0n\2\0\0\0t", 10},	 /* a text that is cut */
		{"\376\377\377\377\0\0\0\0", 8}, /* longer than everything */
		{"\0\0\0\0\0\0\0\0\0", 9},	 /* a byte behind */
	};
	struct wr_view name, text;

	for (size_t i = 0; i < WR_COUNT(cases); i++) {
		struct wr_view packed =
			wr_test_guarded(0, wr_view_of(cases[i].bytes, cases[i].count));
		struct wr_view rest = packed;
		for (uint32_t count = 0; count < 3; count++)
			CHECK(!wr_pairs_are_whole(&(struct wr_pairs){packed, count}));
		while (wr_pairs_next(&rest, &name, &text))
			;
		CHECK(rest.bytes != 0);
	}
	CHECK(wr_pairs_are_whole(&(struct wr_pairs){WR_VIEW_NULL, 0}));
	CHECK(!wr_pairs_are_whole(&(struct wr_pairs){WR_VIEW_NULL, 1}));
	CHECK(wr_pairs_are_whole(&(struct wr_pairs){WR_VIEW("\1\0\0\0n\377\377\377\377"), 1}));
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_every_member_of_every_kind_comes_back),
	WR_TEST(test_events_cut_anywhere_or_longer_are_refused),
	WR_TEST_LIMIT(test_every_changed_byte_is_refused_or_means_itself, 60),
	WR_TEST(test_a_newer_version_is_unsupported_and_version_zero_is_damage),
	WR_TEST(test_the_layout_stays_what_it_is),
	WR_TEST(test_the_second_version_stays_what_it_is),
	WR_TEST(test_what_is_wrong_about_queues_is_damage),
	WR_TEST(test_a_key_lies_between_head_and_members),
	WR_TEST(test_only_what_came_with_config_bundles_has_their_version),
	WR_TEST(test_what_encoding_cannot_have_made_is_damage),
	WR_TEST(test_a_buffer_too_small_takes_nothing),
	WR_TEST(test_frames_are_taken_off_one_by_one),
	WR_TEST(test_frames_do_not_show_keys),
	WR_TEST(test_damaged_pairs_take_nothing),
	WR_TEST_END,
};
