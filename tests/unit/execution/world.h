/* world — a real reactor, Runtime and children for the tests of processes, and what happened as
 * text: one line per event of a Worker, in order, so that a test reads like a story. With a store
 * (start with uses_store) it is the story of what was recorded; the store shows late, is full, or
 * refuses as it is told. */
#ifndef WR_TESTS_EXECUTION_WORLD_H
#define WR_TESTS_EXECUTION_WORLD_H

#include "core/event_bytes.h"
#include "execution/proc.h"
#include "execution/process.h"
#include "harness/harness.h"
#include "unit/core/kept_store.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/reactor/signal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef WORLD_SHOWN_BYTES
#define WORLD_SHOWN_BYTES 120
#endif
enum { TRACE_BYTES = 1 << 20, SHOWN_BYTES = WORLD_SHOWN_BYTES, DEADLINE_MS = 8000 };

#ifndef __linux__
extern char **environ;
#endif

static struct wr_reactor reactor;
static struct wr_processes processes;
static struct wr_process_profile profile;
static struct wr_runtime *runtime;
static const struct wr_worker *worker; /* the one that start_world made */
static char trace[TRACE_BYTES];
static size_t trace_bytes;
static bool uses_store;		 /* set before start_world */
static struct kept_store store;	 /* with uses_store */
static size_t bytes_max;	 /* of a record of the store: larger ones find no memory; 0: any */
static struct wr_ledger *ledger; /* set before start_world; NULL: none */

/* ---- what happened ---- */

static inline void trace_view(struct wr_view text)
{
	for (size_t i = 0; i < text.bytes && i < SHOWN_BYTES; i++)
		if (trace_bytes + 2 < sizeof trace)
			trace[trace_bytes++] = text.data[i];
	trace[trace_bytes] = '\0';
}

static inline void trace_text(const char *text)
{
	trace_view(wr_view_of_string(text));
}

static inline void trace_number(uint64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	trace_text(text);
}

static inline void trace_output(const struct wr_output *output)
{
	static const char *const names[] = {
		[WR_OUTPUT_TEXT_DELTA] = "delta",
		[WR_OUTPUT_TEXT_DONE] = "text",
		[WR_OUTPUT_THINKING_START] = "thinking_start",
		[WR_OUTPUT_THINKING_DELTA] = "thinking",
		[WR_OUTPUT_THINKING_DONE] = "thinking_done",
		[WR_OUTPUT_TOOL_CALL_START] = "call_start",
		[WR_OUTPUT_TOOL_CALL_ARGS_DELTA] = "call_args",
		[WR_OUTPUT_TOOL_CALL_DONE] = "call_done",
		[WR_OUTPUT_TOOL_RESULT] = "result",
		[WR_OUTPUT_USAGE] = "usage",
		[WR_OUTPUT_RUN_END] = "run_end",
		[WR_OUTPUT_ERROR] = "error",
		[WR_OUTPUT_TURN_START] = "turn_start",
		[WR_OUTPUT_TURN_END] = "turn_end",
		[WR_OUTPUT_OPAQUE] = "event",
	};
	const struct wr_view parts[] = {output->id, output->name, output->text};

	trace_text(names[output->kind]);
	for (unsigned i = 0; i < 3; i++)
		if (parts[i].data != NULL) {
			trace_text(" ");
			trace_view(parts[i]);
		}
	for (unsigned i = 0; i < 3; i++)
		if (output->has_number[i]) {
			trace_text(" ");
			trace_number(output->numbers[i]);
		}
	if (output->kind == WR_OUTPUT_RUN_END || output->kind == WR_OUTPUT_TURN_END) {
		trace_text(" r");
		trace_number(output->code);
	}
}

static inline void trace_event(const struct wr_event *event)
{
	switch (event->kind) {
	case WR_EVENT_INPUT_ACCEPTED:
		trace_text("> ");
		trace_view(event->as.input.input.content);
		break;
	case WR_EVENT_WORKER_STOPPED:
		trace_text("stopped");
		break;
	case WR_EVENT_WORKER_CANCELLED:
		trace_text("cancelled");
		break;
	case WR_EVENT_PHASE_CHANGED:
		trace_text("phase ");
		trace_text(wr_phase_name((enum wr_phase)event->as.phase.to));
		trace_text(": ");
		trace_view(event->as.phase.cause);
		break;
	case WR_EVENT_OUTPUT:
		trace_output(&event->as.output);
		break;
	case WR_EVENT_RUNTIME_STARTED:
	case WR_EVENT_RUNTIME_STOPPED:
	case WR_EVENT_WORKER_CREATED:
	case WR_EVENT_REPEATABLE:
	case WR_EVENT_BUNDLE_STORED:
		return;
	}
	trace_text("\n");
}

/* Without a store the encoding port sees every event once: that is what the log would hold. */
static inline enum wr_status encode(void *context, struct wr_buf *out, const struct wr_event *event,
				    const struct wr_identity *identity, enum wr_scope scope)
{
	(void)context;
	(void)identity;
	if (scope == WR_SCOPE_WORKER && !uses_store)
		trace_event(event);
	return wr_buf_append_byte(out, '.');
}

static inline void patch(void *context, char *frame, size_t bytes,
			 const char cursor[WR_CURSOR_BYTES])
{
	(void)context;
	(void)frame;
	(void)bytes;
	(void)cursor;
}

static const struct wr_encoding encoding = {.encode = encode, .patch = patch};

/* ---- the store ---- */

static inline enum wr_status append_and_trace(void *context, const struct wr_store_record *record,
					      enum wr_store_urgency urgency)
{
	bool is_small = bytes_max == 0 || record->payload.bytes <= bytes_max;
	enum wr_status status = is_small ? kept_append(context, record, urgency) : WR_NO_MEMORY;
	struct wr_event event;

	if (status == WR_OK) {
		CHECK_STATUS(wr_event_decode(&event, record->payload), WR_OK);
		trace_event(&event);
	}
	return status;
}

/* From now on nothing new is visible. */
static inline void hide(void)
{
	store.is_held = true;
	store.shown = kept_head(&store);
}

static inline void show(void)
{
	store.is_held = false;
}

/* What the program does at the end of each turn. */
static inline void on_settle(struct wr_turn_hook *hook)
{
	(void)hook;
	wr_runtime_settle(runtime);
}

static struct wr_turn_hook settle_hook = {.on_turn = on_settle};

static inline struct wr_store open_store(void)
{
	static struct wr_store_ops ops;

	kept_store_deinit(&store);
	store = (struct kept_store){.generation = 1};
	ops = kept_store_ops;
	ops.append = append_and_trace;
	return (struct wr_store){.ops = &ops, .context = &store};
}

/* ---- the world ---- */

static inline enum wr_status find_profile(void *context, struct wr_execution *out,
					  enum wr_profile_kind kind, struct wr_view value)
{
	(void)context;
	(void)kind;
	(void)value;
	*out = wr_processes_execution(&processes, &profile);
	return WR_OK;
}

static inline int64_t wall_ms(void *context)
{
	(void)context;
	return wr_clock_wall_ms();
}

static inline enum wr_status entropy(void *context, void *out, size_t bytes)
{
	(void)context;
	return wr_entropy_fill(out, bytes);
}

static inline void on_signal(void *context, int number)
{
	(void)context;
	(void)number;
	wr_processes_on_child_signal(&processes);
}

/* Of Workers that are made. What queues is asked for at the end of each turn. */
static struct wr_busy_policy busy_policy;

static inline bool has_settle_hook(void)
{
	return uses_store || busy_policy.kind == WR_BUSY_QUEUE;
}

static inline const struct wr_worker *make_worker(void)
{
	struct wr_create request = {.intent = WR_INTENT_ASSISTANT, .busy = busy_policy};
	const struct wr_worker *made = NULL;
	struct wr_error error;

	CHECK_STATUS(wr_runtime_create(runtime, &request, NULL, &made, &error), WR_OK);
	return made;
}

/* A world with one Worker that this command runs; grace, back-off and the like are short. */
static inline void start_world(char *const *argv, enum wr_process_mode mode, uint32_t count_max)
{
	static const int numbers[] = {SIGCHLD, 0};
	static const struct wr_runtime_ports ports = {
		.wall_ms = wall_ms,
		.entropy = entropy,
		.encoding = &encoding,
		.profiles = {.find = find_profile},
	};
	struct wr_runtime_ports with_allocator = ports;
	struct wr_runtime_config config;
	struct wr_error error;

	trace_bytes = 0;
	trace[0] = '\0';
	with_allocator.allocator = wr_test_allocator();
	CHECK_STATUS(wr_reactor_init(&reactor, wr_test_allocator(), &error), WR_OK);
	CHECK_STATUS(wr_signals_open(&reactor, numbers, on_signal, NULL, &error), WR_OK);
	wr_process_profile_init(&profile, argv, mode);
	profile.grace_ms = 100;
	profile.interrupt_ms_max = 100;
	profile.backoff_ms_min = 1;
	profile.backoff_ms_max = 8;
	wr_processes_init(&processes, &reactor, wr_test_allocator(), count_max, environ);
	wr_processes_use_ledger(&processes, ledger);
	if (uses_store)
		with_allocator.store = open_store();
	if (has_settle_hook())
		wr_reactor_add_hook(&reactor, &settle_hook);
	wr_runtime_defaults(&config);
	CHECK_STATUS(wr_runtime_new(&runtime, &config, &with_allocator, &error), WR_OK);
	wr_processes_attach(&processes, runtime);
	worker = make_worker();
	wr_runtime_settle(runtime);
}

/* What the fork of this test program needs to be: `sh -c script`. */
static inline void start_shell(const char *script, enum wr_process_mode mode)
{
	static char name[] = "/bin/sh", dash_c[] = "-c", text[4096];
	static char *argv[] = {name, dash_c, text, NULL};

	CHECK(strlen(script) < sizeof text);
	memcpy(text, script, strlen(script) + 1);
	start_world(argv, mode, 4);
}

static inline void fail_with_trace(const char *what)
{
	fprintf(stderr, "---- waited for: %s\n%s----\n", what, trace);
	wr_test_fail(__FILE__, __LINE__, "did not happen in time");
}

static inline bool has_no_child(void)
{
	return wr_processes_live_count(&processes) == 0;
}

/* Some turns, for what must not happen. */
static inline void run_a_while(void)
{
	for (unsigned i = 0; i < 10; i++)
		wr_reactor_turn(&reactor, 5);
}

static inline unsigned count_in_trace(const char *words)
{
	unsigned count = 0;

	for (const char *at = trace; (at = strstr(at, words)) != NULL; at += strlen(words))
		count++;
	return count;
}

/* Turns until it is so. */
static inline void run_until(bool (*is_so)(void), const char *what)
{
	uint64_t deadline_ms = wr_clock_monotonic_ms() + wr_test_patience(DEADLINE_MS);

	while (!is_so()) {
		if (wr_clock_monotonic_ms() > deadline_ms)
			fail_with_trace(what);
		wr_reactor_turn(&reactor, 20);
	}
}

static const char *awaited;

static inline bool has_awaited(void)
{
	return strstr(trace, awaited) != NULL;
}

/* Until the story has these words. */
static inline void wait_for(const char *words)
{
	awaited = words;
	run_until(has_awaited, words);
}

static pid_t awaited_pid;

/* A zombie is: whose it is by now may be somebody who never looks. */
static inline bool is_gone(void)
{
	struct wr_proc proc;

	return kill(awaited_pid, 0) != 0 || (wr_proc_read(&proc, awaited_pid) && proc.is_dead);
}

static inline void wait_gone(pid_t pid)
{
	awaited_pid = pid;
	run_until(is_gone, "the end of a process");
}

/* The number behind a word that a child has said. */
static inline pid_t said_pid(const char *word)
{
	const char *at = strstr(trace, word);
	long pid = at == NULL ? 0 : strtol(at + strlen(word), NULL, 10);

	CHECK(pid > 1);
	return (pid_t)pid;
}

static inline enum wr_status try_input_to(const struct wr_worker *to, struct wr_view content)
{
	struct wr_input input = {WR_INPUT_USER, content};
	struct wr_error error;
	struct wr_ack ack;

	return wr_runtime_input(runtime, to->id, &input, NULL, &ack, &error);
}

static inline enum wr_status try_input(const char *content)
{
	return try_input_to(worker, wr_view_of_string(content));
}

static inline void input(const char *content)
{
	CHECK_STATUS(try_input(content), WR_OK);
}

static inline void stop_worker(void)
{
	struct wr_ack ack;

	CHECK_STATUS(wr_runtime_stop_worker(runtime, worker->id, WR_VIEW_NULL, NULL, &ack), WR_OK);
}

static inline void cancel_worker(void)
{
	struct wr_ack ack;

	CHECK_STATUS(wr_runtime_cancel_worker(runtime, worker->id, WR_VIEW_NULL, NULL, &ack),
		     WR_OK);
}

static inline enum wr_status interrupt_worker(void)
{
	struct wr_ack ack;

	return wr_runtime_interrupt(runtime, worker->id, NULL, &ack);
}

static inline void check_trace(const char *expected)
{
	CHECK_VIEW(wr_view_of(trace, trace_bytes), wr_view_of_string(expected));
}

/* Ends whatever runs, and checks that nothing is left. */
static inline void end_world(void)
{
	wr_processes_kill(&processes);
	run_until(has_no_child, "the end of all children");
	wr_processes_deinit(&processes);
	wr_runtime_free(runtime);
	if (uses_store)
		kept_store_deinit(&store);
	if (has_settle_hook())
		wr_reactor_remove_hook(&reactor, &settle_hook);
	wr_signals_close();
	wr_reactor_deinit(&reactor);
}

#endif
