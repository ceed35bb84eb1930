/*
 * Goal (design 7): the sources of a Backend are one interface, and what its header and contract 8
 * promise holds for each of them. Method: every case is run against every source; a source that
 * has not got an operation must say so, as its capability bits do. Streams: see
 * test_backend_handle_streams.c.
 */
#include "e2e/each_handle.h"

#include "bytes/sha256.h"

static void check_same_worker(const struct wr_told_worker *a, const struct wr_told_worker *b)
{
	CHECK_STRING(VIEW(a->worker_id), b->worker_id);
	CHECK_STRING(VIEW(a->label), b->label);
	CHECK_STRING(VIEW(a->display_hint), b->display_hint);
	CHECK_STRING(VIEW(a->role), b->role);
	CHECK_STRING(VIEW(a->profile), b->profile);
	CHECK_STRING(VIEW(a->state), b->state);
	CHECK_STRING(VIEW(a->status), b->status);
	CHECK_STRING(VIEW(a->phase), b->phase);
	CHECK_U64(a->can, b->can);
	CHECK_U64(a->last_event_id, b->last_event_id);
	CHECK_U64(a->notice_count, b->notice_count);
}

static void check_same_entry(const struct wr_told_entry *a, const struct wr_told_entry *b)
{
	CHECK_U64(a->sequence, b->sequence);
	CHECK_U64(a->event_id, b->event_id);
	CHECK_U64(a->bytes, b->bytes);
	CHECK_STRING(VIEW(a->role), b->role);
	CHECK(memcmp(a->digest, b->digest, sizeof a->digest) == 0);
}

static void check_content(const struct wr_told_entry *entry, struct wr_view content)
{
	uint8_t digest[32];

	wr_sha256_of(digest, content);
	CHECK_U64(entry->bytes, content.bytes);
	CHECK(memcmp(entry->digest, digest, sizeof digest) == 0);
}

/* So many Workers, as far as the source makes any; gives how many there are. */
static unsigned populate(unsigned count)
{
	if (!can(WR_CAN_SPAWN))
		return WR_HANDLES_LOCAL_WORKERS;
	for (unsigned i = 0; i < count; i++)
		wr_handles_worker(&world, id);
	return count;
}

/* ---- who it is ---- */

static bool is_one_of(struct wr_view text, const char *const *words)
{
	while (*words != NULL && !wr_view_equal(text, VIEW(*words)))
		words++;
	return *words != NULL;
}

static void an_overview_is_well_formed_and_tells_the_truth(void)
{
	static const char *const states[] = {"available",   "running",	  "stopped",
					     "unavailable", "configured", NULL};
	static const char *const host_states[] = {"available", "degraded", "configured", NULL};
	static const char *const inspections[] = {"available", "unavailable", "not_applicable",
						  NULL};
	static const enum wr_source_kind kinds[] = {WR_SOURCE_EMBEDDED, WR_SOURCE_EMBEDDED,
						    WR_SOURCE_REMOTE, WR_SOURCE_REMOTE,
						    WR_SOURCE_LOCAL};
	static const char *const ids[] = {"backend-internal", "backend-internal", "remote:box",
					  "remote:box", "local-worker-runtime"};
	const struct wr_runtime_handle_ops *ops = world.handle->ops;
	struct wr_runtime_overview overview;

	for (unsigned i = 0; i < 3; i++) {
		ops->overview(world.handle, &overview);
		CHECK_STRING(overview.runtime_id, ids[world.source]);
		CHECK_VIEW(world.handle->runtime_id, overview.runtime_id);
		CHECK_U64(overview.kind, kinds[world.source]);
		CHECK_U64(world.handle->kind, overview.kind);
		wr_handles_check_display(&world, overview.label);
		wr_handles_check_display(&world, overview.host_label);
		CHECK(is_one_of(overview.status, states));
		CHECK(is_one_of(overview.host_status, host_states));
		CHECK(is_one_of(overview.local_pod_inspection, inspections));
		CHECK(overview.host_id.bytes != 0 && overview.host_id.bytes <= 120);
		CHECK(overview.os.bytes != 0 && overview.arch.bytes != 0);
		CHECK_U64(overview.can, world.can);
		CHECK_U64(overview.notices.count, 0);
		CHECK(overview.host_notices.count <= WR_NOTICE_COUNT_MAX);
		wr_handles_check_text(&world, overview.host_id);
		for (uint32_t n = 0; n < overview.host_notices.count; n++)
			wr_handles_check_text(&world, VIEW(overview.host_notices.items[n].message));
		wr_handles_settle(&world);
	}
	/* Streams are all there, or none of it is. */
	CHECK((ops->observe != NULL) == can(WR_CAN_STREAM));
	CHECK((ops->drain != NULL) == can(WR_CAN_STREAM));
	CHECK(ops->stream_count == NULL ? !can(WR_CAN_STREAM)
					: ops->stream_count(world.handle) == 0);
}

/* ---- lists and details ---- */

static void a_list_is_in_byte_order_of_ids_and_within_its_limit(void)
{
	static struct wr_told_worker all[WR_HANDLES_WORKERS_MAX];
	unsigned count = populate(5);
	uint32_t limits[] = {0, 1, 2, 4, 5, 6, 200};

	CHECK_U64(list(200), WR_SOURCE_ACCEPTED);
	CHECK_U64(asked.worker_count, count);
	memcpy(all, asked.workers, sizeof all);
	/* The local source has the order of its folders. */
	for (unsigned i = 0; i + 1 < count && world.handle->kind != WR_SOURCE_LOCAL; i++)
		CHECK(wr_view_compare(VIEW(all[i].worker_id), VIEW(all[i + 1].worker_id)) < 0);
	for (unsigned i = 0; i < WR_COUNT(limits); i++) {
		CHECK_U64(list(limits[i]), WR_SOURCE_ACCEPTED);
		CHECK_U64(asked.worker_count, limits[i] < count ? limits[i] : count);
		for (unsigned w = 0; w < asked.worker_count; w++)
			check_same_worker(&asked.workers[w], &all[w]);
	}
}

static void a_detail_is_what_the_list_says(void)
{
	static struct wr_asked listed;
	unsigned count = populate(3);

	if (can(WR_CAN_INPUT))
		say(id, 1);
	if (can(WR_CAN_STOP))
		CHECK_U64(about(WR_SOURCE_STOP, id), WR_SOURCE_ACCEPTED);
	CHECK_U64(wr_handles_ask(&world, &listed,
				 CALL(.operation = WR_SOURCE_LIST, .as.list = {200, LIST_MS})),
		  WR_SOURCE_ACCEPTED);
	CHECK_U64(listed.worker_count, count);
	for (unsigned i = 0; i < count; i++) {
		CHECK_U64(about(WR_SOURCE_DETAIL, listed.workers[i].worker_id), WR_SOURCE_ACCEPTED);
		check_same_worker(&asked.workers[0], &listed.workers[i]);
	}
}

static void an_unknown_worker_is_unknown_to_every_operation(void)
{
	static const char *const ids[] = {
		"worker-ffffffff",
		"no-such",
		"local-worker-coder-0000000000000000",
		":",
		"-",
		("0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-"
		 "0123456789-0123456789-0123456789-0123456789"),
	};
	static const enum wr_source_operation operations[] = {
		WR_SOURCE_DETAIL, WR_SOURCE_INPUT,     WR_SOURCE_STOP,
		WR_SOURCE_CANCEL, WR_SOURCE_INTERRUPT, WR_SOURCE_TRANSCRIPT};

	populate(2);
	for (unsigned i = 0; i < WR_COUNT(ids); i++)
		for (unsigned o = 0; o < WR_COUNT(operations); o++) {
			wr_test_case(ids[i]);
			CHECK_U64(about(operations[o], ids[i]), WR_SOURCE_UNKNOWN_WORKER);
			CHECK_U64(asked.worker_count + asked.entry_count, 0);
		}
}

/* ---- spawn ---- */

static const struct spawn {
	const char *label;
	enum wr_spawn_intent intent;
	const char *role, *profile; /* of the Worker; NULL: it is refused */
	const char *name;
	unsigned segments;
	bool is_socket_ready;
} spawns[] = {
	{"a companion", WR_SPAWN_COMPANION, "workspace_companion", "runtime_default", NULL, 0,
	 false},
	{"an orchestrator", WR_SPAWN_ORCHESTRATOR, "workspace_orchestrator", "runtime_default",
	 NULL, 0, false},
	{"T1", WR_SPAWN_TICKET_ROLE, "intake", "builtin:intake", NULL, 0, false},
	{"00001M0AB3CDE", WR_SPAWN_TICKET_ROLE, "orchestrator", "builtin:orchestrator", NULL, 0,
	 false},
	{"T\"1\\ \xc3\xbc", WR_SPAWN_TICKET_ROLE, "coder", "builtin:coder", NULL, 0, false},
	{"/a/b", WR_SPAWN_TICKET_ROLE, "reviewer", "builtin:reviewer", "friendly", 1, false},
	{"a name", WR_SPAWN_COMPANION, "workspace_companion", "runtime_default", "friendly", 0,
	 false},
	{"segments", WR_SPAWN_COMPANION, "workspace_companion", "runtime_default", NULL, 3, false},
	{"a socket", WR_SPAWN_COMPANION, NULL, NULL, NULL, 0, true},
	{"a socket for an orchestrator", WR_SPAWN_ORCHESTRATOR, NULL, NULL, "friendly", 0, true},
};

/* The label of a ticket's is the ticket's id. */
static enum wr_source_outcome spawn(const struct spawn *what)
{
	struct wr_spawn_request request = {.intent = what->intent,
					   .is_socket_ready = what->is_socket_ready,
					   .expected_segments = what->segments};

	if (what->intent == WR_SPAWN_TICKET_ROLE) {
		request.ticket_id = VIEW(what->label);
		request.role = VIEW(what->role);
	}
	if (what->name != NULL)
		request.requested_name = VIEW(what->name);
	return ask(CALL(.operation = WR_SOURCE_SPAWN, .as.spawn = request));
}

static void a_spawn_takes_every_intent_and_no_socket(void)
{
	unsigned before, count;

	CHECK_U64(list(200), WR_SOURCE_ACCEPTED);
	count = before = asked.worker_count;
	for (unsigned i = 0; i < WR_COUNT(spawns); i++) {
		struct wr_told_worker told;

		wr_test_case(spawns[i].label);
		CHECK_U64(spawn(&spawns[i]),
			  expect(WR_CAN_SPAWN,
				 spawns[i].role != NULL ? WR_SOURCE_ACCEPTED : WR_SOURCE_REJECTED));
		if (asked.result.outcome == WR_SOURCE_REJECTED)
			CHECK(wr_handles_has_notice(&asked.result.notices, "no_socket"));
		if (asked.result.outcome != WR_SOURCE_ACCEPTED)
			continue;
		count++;
		told = asked.workers[0];
		CHECK_STRING(VIEW(told.role), spawns[i].role);
		CHECK_STRING(VIEW(told.profile), spawns[i].profile);
		/* Names are the Runtime's business. */
		CHECK_STRING(VIEW(told.label), told.worker_id);
		CHECK_U64(told.can, WR_CAN_INPUT | WR_CAN_STREAM | WR_CAN_STOP | WR_CAN_TRANSCRIPT);
		CHECK_U64(about(WR_SOURCE_DETAIL, told.worker_id), WR_SOURCE_ACCEPTED);
		check_same_worker(&asked.workers[0], &told);
	}
	CHECK_U64(list(200), WR_SOURCE_ACCEPTED);
	CHECK_U64(asked.worker_count, count);
	CHECK(can(WR_CAN_SPAWN) == (count > before));
}

/* ---- input and transcripts ---- */

static const struct input {
	const char *label;
	bool is_system;
	struct wr_view content; /* absent: so many bytes: */
	size_t bytes;
	enum wr_source_outcome outcome;
} inputs[] = {
	{"a user's", false, WR_VIEW_INIT("hello"), 0, WR_SOURCE_ACCEPTED},
	{"the system's", true, WR_VIEW_INIT("note: read-only"), 0, WR_SOURCE_ACCEPTED},
	{"nothing", false, WR_VIEW_INIT(""), 0, WR_SOURCE_REJECTED},
	{"nothing of the system's", true, WR_VIEW_INIT(""), 0, WR_SOURCE_REJECTED},
	{"blanks", false, WR_VIEW_INIT(" \t\n"), 0, WR_SOURCE_REJECTED},
	{"one byte", false, WR_VIEW_INIT("x"), 0, WR_SOURCE_ACCEPTED},
	{"blanks around", false, WR_VIEW_INIT(" x \n"), 0, WR_SOURCE_ACCEPTED},
	{"what must be escaped", false, WR_VIEW_INIT("\"\\/\b\f\n\r\t\x01\x7f</script>"), 0,
	 WR_SOURCE_ACCEPTED},
	{"a NUL", false, WR_VIEW_INIT("a\0b"), 0, WR_SOURCE_ACCEPTED},
	{"of four bytes", true, WR_VIEW_INIT("\xf0\x9f\x90\xa7 \xc3\xa9 \xe2\x80\xa8"), 0,
	 WR_SOURCE_ACCEPTED},
	{"a MiB", false, {NULL, 0}, MIB, WR_SOURCE_ACCEPTED},
	{"a MiB and a byte", false, {NULL, 0}, MIB + 1, WR_SOURCE_REJECTED},
	{"a byte less than a MiB", true, {NULL, 0}, MIB - 1, WR_SOURCE_ACCEPTED},
	{"two MiB", false, {NULL, 0}, 2 * MIB, WR_SOURCE_REJECTED},
	{"the last one", false, WR_VIEW_INIT("and good bye"), 0, WR_SOURCE_ACCEPTED},
};

static struct wr_view content_of(const struct input *input)
{
	return input->content.data != NULL ? input->content : wr_view_of(large, input->bytes);
}

/* Entry `number` (from 1) of the Worker's transcript. */
static const struct wr_told_entry *read_entry(uint64_t number)
{
	CHECK_U64(page(id, number - 1, 1), WR_SOURCE_ACCEPTED);
	CHECK_U64(asked.entry_count, 1);
	return &asked.entries[0];
}

static void an_input_is_recorded_as_it_is_or_refused(void)
{
	uint64_t count = 0, last = 0;

	memset(large, 'x', sizeof large);
	wr_handles_worker(&world, id);
	for (unsigned i = 0; i < WR_COUNT(inputs); i++) {
		const struct input *input = &inputs[i];
		struct wr_source_result result;

		wr_test_case(input->label);
		CHECK_U64(ask(CALL(.operation = WR_SOURCE_INPUT, .worker_id = VIEW(id),
				   .as.input = {input->is_system, content_of(input)})),
			  expect(WR_CAN_INPUT, input->outcome));
		if (asked.result.outcome != WR_SOURCE_ACCEPTED)
			continue;
		result = asked.result;
		CHECK_U64(result.transcript_sequence, ++count);
		CHECK(result.event_id > last);
		last = result.event_id;
		check_content(read_entry(count), content_of(input));
		CHECK_U64(asked.result.page.total_items, count);
		CHECK_U64(asked.entries[0].event_id, result.event_id);
		CHECK_STRING(VIEW(asked.entries[0].role), input->is_system ? "system" : "user");
	}
	if (!can(WR_CAN_TRANSCRIPT))
		return;
	CHECK_U64(page(id, count, 200), WR_SOURCE_ACCEPTED);
	CHECK_U64(asked.result.page.total_items, count);
	CHECK_U64(about(WR_SOURCE_DETAIL, id), WR_SOURCE_ACCEPTED);
	CHECK_U64(asked.workers[0].last_event_id, last);
}

/* Joins all pages of so many entries into `all`; gives how many there were. */
static unsigned join(struct wr_told_entry *all, uint32_t limit, uint64_t total)
{
	unsigned count = 0;
	uint64_t start = 0;
	bool has_more = true;

	while (has_more) {
		CHECK_U64(page(id, start, limit), WR_SOURCE_ACCEPTED);
		CHECK_U64(asked.result.page.total_items, total);
		CHECK(asked.entry_count != 0 || total == 0);
		CHECK(count + asked.entry_count <= WR_HANDLES_ENTRIES_MAX);
		memcpy(all + count, asked.entries, asked.entry_count * sizeof all[0]);
		count += asked.entry_count;
		has_more = asked.result.page.has_next_start;
		CHECK(!has_more || asked.result.page.next_start > start);
		start = asked.result.page.next_start;
	}
	return count;
}

static void check_joined(const struct wr_told_entry *whole, unsigned count)
{
	static const uint32_t limits[] = {1, 2, 3, 7, 8, 199, 200};
	static struct wr_told_entry all[WR_HANDLES_ENTRIES_MAX];

	for (unsigned i = 0; i < WR_COUNT(limits); i++) {
		CHECK_U64(join(all, limits[i], count), count);
		for (unsigned e = 0; e < count; e++)
			check_same_entry(&all[e], &whole[e]);
	}
}

static void all_pages_of_a_transcript_are_the_whole(void)
{
	static const uint64_t beyond[] = {7, 8, 200, (uint64_t)1 << 40, UINT64_MAX};
	static struct wr_told_entry whole[WR_HANDLES_ENTRIES_MAX];

	wr_handles_worker(&world, id);
	if (!can(WR_CAN_TRANSCRIPT)) {
		CHECK_U64(page(id, 0, 200), WR_SOURCE_UNSUPPORTED);
		CHECK_U64(page(id, 9, 0), WR_SOURCE_UNSUPPORTED);
		return;
	}
	CHECK_U64(join(whole, 200, 0), 0);
	for (unsigned i = 1; i <= 7; i++)
		say(id, i);
	CHECK_U64(join(whole, 200, 7), 7);
	check_joined(whole, 7);
	for (unsigned i = 0; i < WR_COUNT(beyond); i++) {
		CHECK_U64(page(id, beyond[i], 3), WR_SOURCE_ACCEPTED);
		CHECK_U64(asked.entry_count, 0);
		CHECK_U64(asked.result.page.total_items, 7);
		CHECK(!asked.result.page.has_next_start);
	}
	CHECK_U64(page(id, 2, 0), WR_SOURCE_ACCEPTED);
	CHECK_U64(asked.entry_count, 0);
	/* Pages that are cut because they are large. */
	memset(large, 'y', sizeof large);
	for (unsigned i = 0; i < 3; i++)
		CHECK_U64(say_view(id, wr_view_of(large, MIB - i)), WR_SOURCE_ACCEPTED);
	CHECK_U64(join(whole, 200, 10), 10);
	check_joined(whole, 10);
}

/* ---- the end of a Worker ---- */

enum end_step { THE_END, THE_OTHER_END, INTERRUPT, INPUT };
static const struct {
	const char *label;
	enum end_step step;
	enum wr_source_outcome outcome;
} end_steps[] = {
	{"an interrupt where nothing runs", INTERRUPT, WR_SOURCE_UNSUPPORTED},
	{"the end", THE_END, WR_SOURCE_ACCEPTED},
	{"the end again", THE_END, WR_SOURCE_ACCEPTED},
	{"the other end", THE_OTHER_END, WR_SOURCE_ACCEPTED},
	{"an interrupt after the end", INTERRUPT, WR_SOURCE_REJECTED},
	{"an input after the end", INPUT, WR_SOURCE_REJECTED},
	{"the end for the last time", THE_END, WR_SOURCE_ACCEPTED},
};

static enum wr_source_operation operation_of(enum end_step step, bool is_cancel)
{
	switch (step) {
	case THE_END:
		return is_cancel ? WR_SOURCE_CANCEL : WR_SOURCE_STOP;
	case THE_OTHER_END:
		return is_cancel ? WR_SOURCE_STOP : WR_SOURCE_CANCEL;
	case INTERRUPT:
		return WR_SOURCE_INTERRUPT;
	case INPUT:
		return WR_SOURCE_INPUT;
	}
	wr_unreachable();
}

static void check_is_ended(const char *state)
{
	CHECK_U64(about(WR_SOURCE_DETAIL, id), WR_SOURCE_ACCEPTED);
	CHECK_STRING(VIEW(asked.workers[0].state), state);
	CHECK_STRING(VIEW(asked.workers[0].status), state);
	CHECK_U64(asked.workers[0].can, WR_CAN_STREAM | WR_CAN_TRANSCRIPT);
	CHECK_U64(page(id, 0, 200), WR_SOURCE_ACCEPTED);
	CHECK_U64(asked.entry_count, 1);
}

static void the_end_of_a_worker_is_for_good_and_comes_once(void)
{
	for (unsigned is_cancel = 0; is_cancel < 2; is_cancel++) {
		uint64_t event_id = 0;

		wr_handles_worker(&world, id);
		if (can(WR_CAN_INPUT))
			say(id, 1);
		for (unsigned i = 0; i < WR_COUNT(end_steps); i++) {
			wr_test_case(end_steps[i].label);
			CHECK_U64(about(operation_of(end_steps[i].step, is_cancel != 0), id),
				  expect(WR_CAN_STOP, end_steps[i].outcome));
			if (asked.result.outcome != WR_SOURCE_ACCEPTED)
				continue;
			/* All speak of the one event that ended it. */
			CHECK(event_id == 0 || event_id == asked.result.event_id);
			event_id = asked.result.event_id;
		}
		if (can(WR_CAN_STOP))
			check_is_ended(is_cancel ? "cancelled" : "stopped");
	}
}

static void a_reason_may_be_anything_of_a_bounded_size(void)
{
	static const struct {
		struct wr_view reason;
		enum wr_source_outcome outcome;
	} reasons[] = {
		{{NULL, 0}, WR_SOURCE_ACCEPTED},
		{WR_VIEW_INIT(""), WR_SOURCE_ACCEPTED},
		{WR_VIEW_INIT("done \"for\" today\n"), WR_SOURCE_ACCEPTED},
		{{large, MIB + 1}, WR_SOURCE_REJECTED},
		{{large, 2 * MIB}, WR_SOURCE_REJECTED},
	};
	static const enum wr_source_operation ends[] = {WR_SOURCE_STOP, WR_SOURCE_CANCEL};

	memset(large, 'z', sizeof large);
	for (unsigned i = 0; i < WR_COUNT(reasons); i++)
		for (unsigned e = 0; e < WR_COUNT(ends); e++) {
			wr_handles_worker(&world, id);
			CHECK_U64(ask(CALL(.operation = ends[e], .worker_id = VIEW(id),
					   .as.reason = reasons[i].reason)),
				  expect(WR_CAN_STOP, reasons[i].outcome));
		}
}

/* ---- Idempotency-Key ---- */

static enum wr_source_outcome say_with_key(const char *worker_id, const char *content,
					   const char *key)
{
	return ask(CALL(.operation = WR_SOURCE_INPUT, .worker_id = VIEW(worker_id),
			.idempotency_key = VIEW(key), .as.input.content = VIEW(content)));
}

static void check_same_answer(const struct wr_source_result *first)
{
	CHECK_U64(asked.result.outcome, first->outcome);
	CHECK_U64(asked.result.event_id, first->event_id);
	CHECK_U64(asked.result.transcript_sequence, first->transcript_sequence);
}

static void a_key_does_an_input_once(void)
{
	struct wr_source_result first;
	char other[WR_HANDLES_ID_ROOM];

	wr_handles_worker(&world, id);
	wr_handles_worker(&world, other);
	CHECK_U64(say_with_key(id, "once", "key-1"), expect(WR_CAN_INPUT, WR_SOURCE_ACCEPTED));
	if (!can(WR_CAN_INPUT))
		return;
	first = asked.result;
	say(id, 2);
	CHECK_U64(say_with_key(id, "once", "key-1"), WR_SOURCE_ACCEPTED);
	check_same_answer(&first);
	CHECK_U64(say_with_key(id, "something else", "key-1"), WR_SOURCE_REJECTED);
	CHECK(wr_handles_has_notice(&asked.result.notices, "idempotency_mismatch"));
	CHECK_U64(
		ask(CALL(.operation = WR_SOURCE_INPUT, .worker_id = VIEW(id),
			 .idempotency_key = WR_VIEW("key-1"), .as.input = {true, WR_VIEW("once")})),
		WR_SOURCE_REJECTED);
	/* The same key for something else is another. */
	CHECK_U64(say_with_key(other, "once", "key-1"), WR_SOURCE_ACCEPTED);
	CHECK(asked.result.event_id != first.event_id);
	CHECK_U64(ask(CALL(.operation = WR_SOURCE_STOP, .worker_id = VIEW(id),
			   .idempotency_key = WR_VIEW("key-1"))),
		  WR_SOURCE_ACCEPTED);
	/* What was done was done, whatever became of the Worker. */
	CHECK_U64(say_with_key(id, "once", "key-1"), WR_SOURCE_ACCEPTED);
	check_same_answer(&first);
	CHECK_U64(say_with_key(id, "too late", "key-2"), WR_SOURCE_REJECTED);
	CHECK_U64(page(id, 0, 200), WR_SOURCE_ACCEPTED);
	CHECK_U64(asked.entry_count, 2);
	CHECK_U64(page(other, 0, 200), WR_SOURCE_ACCEPTED);
	CHECK_U64(asked.entry_count, 1);
}

static enum wr_source_outcome spawn_with_key(enum wr_spawn_intent intent)
{
	return ask(CALL(.operation = WR_SOURCE_SPAWN, .idempotency_key = WR_VIEW("spawn-1"),
			.as.spawn.intent = intent));
}

static void a_key_does_a_spawn_once(void)
{
	struct wr_told_worker first;

	CHECK_U64(spawn_with_key(WR_SPAWN_COMPANION), expect(WR_CAN_SPAWN, WR_SOURCE_ACCEPTED));
	if (!can(WR_CAN_SPAWN))
		return;
	first = asked.workers[0];
	CHECK_U64(spawn_with_key(WR_SPAWN_COMPANION), WR_SOURCE_ACCEPTED);
	check_same_worker(&asked.workers[0], &first);
	CHECK_U64(spawn_with_key(WR_SPAWN_ORCHESTRATOR), WR_SOURCE_REJECTED);
	CHECK(wr_handles_has_notice(&asked.result.notices, "idempotency_mismatch"));
	CHECK_U64(list(200), WR_SOURCE_ACCEPTED);
	CHECK_U64(asked.worker_count, 1);
}

static void twins_under_one_key_are_one(void)
{
	static struct wr_asked twins[4];
	struct wr_source_call call = {.operation = WR_SOURCE_INPUT,
				      .idempotency_key = WR_VIEW("twins"),
				      .as.input.content = WR_VIEW("once")};

	wr_handles_worker(&world, id);
	call.worker_id = VIEW(id);
	for (unsigned i = 0; i < WR_COUNT(twins); i++)
		wr_handles_begin(&world, &twins[i], &call);
	for (unsigned i = 0; i < WR_COUNT(twins); i++) {
		wr_handles_finish(&world, &twins[i]);
		CHECK_U64(twins[i].result.outcome, expect(WR_CAN_INPUT, WR_SOURCE_ACCEPTED));
		CHECK_U64(twins[i].result.event_id, twins[0].result.event_id);
	}
	if (!can(WR_CAN_TRANSCRIPT))
		return;
	CHECK_U64(page(id, 0, 200), WR_SOURCE_ACCEPTED);
	CHECK_U64(asked.entry_count, 1);
}

/* ---- calls under way ---- */

enum { MANY = 120 };
static struct wr_asked many[MANY];
static char texts[MANY][32];

static void begin_input(unsigned i)
{
	snprintf(texts[i], sizeof texts[i], "number %u", i);
	wr_handles_begin(&world, &many[i],
			 CALL(.operation = WR_SOURCE_INPUT, .worker_id = VIEW(id),
			      .as.input.content = VIEW(texts[i])));
}

static void cancel(struct wr_asked *call)
{
	world.handle->ops->cancel(world.handle, &call->call);
	CHECK(call->call.source_private == NULL);
}

static void a_cancelled_call_is_never_told_of_its_end(void)
{
	static const enum wr_source_operation operations[] = {
		WR_SOURCE_LIST,	  WR_SOURCE_DETAIL,    WR_SOURCE_SPAWN, WR_SOURCE_TRANSCRIPT,
		WR_SOURCE_CANCEL, WR_SOURCE_INTERRUPT, WR_SOURCE_INPUT, WR_SOURCE_STOP};
	unsigned done[WR_COUNT(operations)];

	populate(2);
	wr_handles_worker(&world, id);
	for (unsigned i = 0; i < WR_COUNT(operations); i++) {
		struct wr_source_call call = {.operation = operations[i], .worker_id = VIEW(id)};
		if (operations[i] == WR_SOURCE_LIST)
			call.as.list.limit = 5;
		wr_handles_begin(&world, &many[i], &call);
		done[i] = many[i].done_count;
		cancel(&many[i]);
		cancel(&many[i]); /* there is nothing more to cancel */
	}
	wr_handles_settle(&world);
	for (unsigned i = 0; i < WR_COUNT(operations); i++)
		CHECK_U64(many[i].done_count, done[i]);
	CHECK_U64(list(5), WR_SOURCE_ACCEPTED);
	cancel(&asked); /* nor of one that has ended */
}

/* "Ends a call without on_done", at whatever moment. */
static void many_calls_at_once_are_each_done_once(void)
{
	unsigned accepted = 0;
	bool is_found[MANY] = {false};

	wr_handles_worker(&world, id);
	for (unsigned i = 0; i < MANY; i++)
		begin_input(i);
	for (unsigned i = 0; i < MANY; i++) {
		wr_handles_finish(&world, &many[i]);
		accepted += many[i].result.outcome == WR_SOURCE_ACCEPTED;
		/* Who has too much to do fails a call, it does not lose it. */
		CHECK(many[i].result.outcome == expect(WR_CAN_INPUT, WR_SOURCE_ACCEPTED) ||
		      many[i].result.outcome == WR_SOURCE_FAILED);
	}
	wr_handles_settle(&world);
	for (unsigned i = 0; i < MANY; i++)
		CHECK_U64(many[i].done_count, 1);
	if (!can(WR_CAN_TRANSCRIPT))
		return;
	CHECK(accepted >= 32);
	CHECK_U64(page(id, 0, 200), WR_SOURCE_ACCEPTED);
	CHECK_U64(asked.entry_count, accepted);
	for (unsigned i = 0; i < MANY; i++) {
		uint64_t sequence = many[i].result.transcript_sequence;
		if (many[i].result.outcome != WR_SOURCE_ACCEPTED)
			continue;
		CHECK(sequence != 0 && sequence <= accepted && !is_found[sequence - 1]);
		is_found[sequence - 1] = true;
		check_content(&asked.entries[sequence - 1], VIEW(texts[i]));
		CHECK_U64(asked.entries[sequence - 1].event_id, many[i].result.event_id);
	}
}

static unsigned links;

static void begin_next(struct wr_asked *self)
{
	if (++links < 50)
		wr_handles_begin(&world, self,
				 CALL(.operation = WR_SOURCE_DETAIL, .worker_id = VIEW(id)));
}

static void the_end_of_a_call_may_begin_the_next(void)
{
	wr_handles_worker(&world, id);
	asked.on_end = begin_next;
	wr_handles_begin(&world, &asked, CALL(.operation = WR_SOURCE_LIST, .as.list.limit = 3));
	wr_handles_wait(&world);
	while (links < 50)
		wr_handles_turn(&world);
	CHECK_U64(asked.done_count, 1);
	CHECK_U64(asked.result.outcome, WR_SOURCE_ACCEPTED);
	asked.on_end = NULL;
}

static void free_ends_calls_without_a_word(void)
{
	unsigned done[20];

	wr_handles_worker(&world, id);
	for (unsigned i = 0; i < WR_COUNT(done); i++)
		begin_input(i);
	for (unsigned i = 0; i < WR_COUNT(done); i++)
		done[i] = many[i].done_count;
	wr_handles_free_handle(&world);
	for (unsigned i = 0; i < 20; i++)
		wr_reactor_turn(&world.reactor, 0);
	for (unsigned i = 0; i < WR_COUNT(done); i++) {
		CHECK_U64(many[i].done_count, done[i]);
		CHECK(many[i].call.source_private == NULL);
	}
}

/* ---- all of them ---- */

/* clang-format off: one a line */
#define CASES(X)                                               \
	X(an_overview_is_well_formed_and_tells_the_truth)      \
	X(a_list_is_in_byte_order_of_ids_and_within_its_limit) \
	X(a_detail_is_what_the_list_says)                      \
	X(an_unknown_worker_is_unknown_to_every_operation)     \
	X(a_spawn_takes_every_intent_and_no_socket)            \
	X(an_input_is_recorded_as_it_is_or_refused)            \
	X(all_pages_of_a_transcript_are_the_whole)             \
	X(the_end_of_a_worker_is_for_good_and_comes_once)      \
	X(a_reason_may_be_anything_of_a_bounded_size)          \
	X(a_key_does_an_input_once)                            \
	X(a_key_does_a_spawn_once)                             \
	X(twins_under_one_key_are_one)                         \
	X(a_cancelled_call_is_never_told_of_its_end)           \
	X(many_calls_at_once_are_each_done_once)               \
	X(the_end_of_a_call_may_begin_the_next)                \
	X(free_ends_calls_without_a_word)
/* clang-format on */

CASES(EACH_TEST)
const struct wr_test wr_tests[] = {CASES(EACH_ROW) WR_TEST_END};
