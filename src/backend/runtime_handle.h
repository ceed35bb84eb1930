/*
 * runtime_handle — one source of Workers, whatever it is: a Runtime in this process, one elsewhere,
 * or the files of an older tool (contract 8, design 7). The registry knows nothing else.
 *
 * Commands and lists are calls: begin starts one, on_done ends it, exactly once, maybe before begin
 * returns; nothing here blocks. What is always known (who it is, how it is, what it can) is told at
 * once. Streams are handed over whole: the source answers the upgrade and sends.
 *
 * Nothing that a handle tells may reveal more of a source than contract 8.13 allows: no address, no
 * credential, no path, no cursor or text of a Runtime.
 */
#ifndef WR_BACKEND_RUNTIME_HANDLE_H
#define WR_BACKEND_RUNTIME_HANDLE_H

#include "bytes/buf.h"
#include "conn/http_server.h"
#include "core/command.h"
#include "wire/bundle_json.h"

#include <stdbool.h>
#include <stdint.h>

enum wr_source_kind { WR_SOURCE_LOCAL, WR_SOURCE_EMBEDDED, WR_SOURCE_REMOTE };

enum wr_notice_severity { WR_NOTICE_INFO, WR_NOTICE_WARNING, WR_NOTICE_ERROR };

/* A diagnostic of contract 8; static texts of ours. */
struct wr_notice {
	const char *code;
	enum wr_notice_severity severity;
	const char *message;
};
enum { WR_NOTICE_COUNT_MAX = 16 };
struct wr_notices {
	uint32_t count;
	struct wr_notice items[WR_NOTICE_COUNT_MAX];
};
/* Does nothing when there are WR_NOTICE_COUNT_MAX already. */
void wr_notices_add(struct wr_notices *self, const char *code, enum wr_notice_severity severity,
		    const char *message);

/* RuntimeCapabilitySummary of contract 8.1: bits; has_workspace_fs, has_shell, has_git and
 * supports_worktrees are false for all sources. */
enum {
	WR_CAN_LIST_HOSTS = 1,
	WR_CAN_LIST_WORKERS = 2,
	WR_CAN_GET_WORKER = 4,
	WR_CAN_SPAWN = 8,
	WR_CAN_STOP = 16,
	WR_CAN_INPUT = 32,
	WR_CAN_STREAM = 64,
	WR_CAN_TRANSCRIPT = 128,
	WR_HAS_INTERNAL_TOOLS = 256
};

/* What is known of a source at this moment; RuntimeSummary and HostSummary are made of it. Views
 * are lent until the next turn of the loop. */
struct wr_runtime_overview {
	struct wr_view runtime_id;
	enum wr_source_kind kind;
	struct wr_view label; /* filtered for display */
	/* "available", "running", "stopped", "unavailable" or "configured" */
	struct wr_view status;
	struct wr_view host_id; /* contract 8.2 */
	struct wr_view host_label, host_status;
	unsigned can;
	struct wr_view local_pod_inspection, os, arch;
	struct wr_notices notices;	/* of the Runtime */
	struct wr_notices host_notices; /* of the host */
};

/* WorkerSummary of contract 8.3; what depends on the kind of source only is not in it. */
struct wr_worker_overview {
	struct wr_view worker_id, label, display_hint;
	struct wr_view role, profile; /* absent: null */
	struct wr_view state, status;
	unsigned can; /* WR_CAN_INPUT, WR_CAN_STREAM, WR_CAN_STOP, WR_CAN_TRANSCRIPT */
	struct wr_notices notices;
	/* Members of ours; absent or 0 when the source does not know. */
	struct wr_view phase;
	uint64_t last_event_id;
	bool has_queue;		/* inputs queue while it is busy, */
	uint64_t queued_inputs; /* and so many do */
};

struct wr_transcript_entry {
	uint64_t sequence, event_id;
	struct wr_view role, content;
};

enum wr_source_operation {
	WR_SOURCE_LIST,	  /* on_worker for each in byte order of ids (of the local source: of the
			     folders that they come from), at most as.list.limit */
	WR_SOURCE_DETAIL, /* on_worker once */
	WR_SOURCE_SPAWN,  /* on_worker once when accepted */
	WR_SOURCE_INPUT,
	WR_SOURCE_STOP,
	WR_SOURCE_CANCEL,
	WR_SOURCE_INTERRUPT,
	WR_SOURCE_TRANSCRIPT, /* on_entry for each */
	/* New ones come at the end: their numbers are in keys that Runtimes remember. */
	WR_SOURCE_STORE_BUNDLE,	      /* on_bundle once when accepted */
	WR_SOURCE_BUNDLE_AVAILABILITY /* likewise; ACCEPTED: the source has just this content */
};

enum wr_spawn_intent { WR_SPAWN_COMPANION, WR_SPAWN_ORCHESTRATOR, WR_SPAWN_TICKET_ROLE };

/* Contract 8.4. */
struct wr_spawn_request {
	enum wr_spawn_intent intent;
	struct wr_view ticket_id, role; /* of TICKET_ROLE; role is one of the contract's words */
	struct wr_view requested_name;	/* absent: none */
	bool is_socket_ready;		/* else run_accepted, with: */
	uint64_t expected_segments;
	struct wr_busy_policy busy; /* ours; UNSAID: as the Runtime has it */
	/* What the Worker is to be made with, in place of what follows from the intent. */
	bool has_profile;
	enum wr_profile_kind profile;
	struct wr_view profile_value;		 /* builtin, named */
	struct wr_view bundle_id, bundle_digest; /* absent: none */
	struct wr_pairs capabilities;
};

enum wr_source_outcome {
	WR_SOURCE_ACCEPTED,
	WR_SOURCE_REJECTED,	  /* 200 with state `rejected` and the notices */
	WR_SOURCE_UNSUPPORTED,	  /* 200 with state `unsupported` and the notices */
	WR_SOURCE_UNKNOWN_WORKER, /* 404 */
	WR_SOURCE_FAILED	  /* the first notice of severity error tells (contract 8.5) */
};

struct wr_source_result {
	enum wr_source_outcome outcome;
	struct wr_notices notices;
	uint64_t event_id;	      /* input, stop, cancel, interrupt */
	uint64_t transcript_sequence; /* input */
	bool has_dropped;	      /* stop, cancel: what queued is named */
	struct wr_view dropped; /* event ids, packed (wire/dropped_json.h); lent for the call */
	struct {
		uint64_t start, limit, total_items, next_start;
		bool has_next_start;
	} page; /* transcript */
	struct {
		const char *kind, *detail;
	} evidence[2]; /* spawn; NULL: none */
	/* Not 0: the answer may not leave before this is visible (wr_http_answer_hold). */
	uint64_t hold_until;
};

struct wr_source_call;
typedef void wr_source_worker_fn(struct wr_source_call *call,
				 const struct wr_worker_overview *worker);
typedef void wr_source_entry_fn(struct wr_source_call *call,
				const struct wr_transcript_entry *entry);
typedef void wr_source_bundle_fn(struct wr_source_call *call,
				 const struct wr_bundle_summary *bundle);
typedef void wr_source_done_fn(struct wr_source_call *call, const struct wr_source_result *result);

/* Placed by the caller, who keeps it and what its views point at until on_done or cancel. */
struct wr_source_call {
	enum wr_source_operation operation;
	struct wr_view worker_id;	/* valid by contract 8.2; not of LIST, SPAWN, bundles */
	struct wr_view idempotency_key; /* absent: none was given */
	union {
		struct {
			uint32_t limit;	 /* at most 200 */
			uint32_t ms_max; /* a source that takes longer is WR_SOURCE_FAILED */
		} list;
		struct wr_spawn_request spawn;
		struct {
			bool is_system;
			struct wr_view content;
		} input;
		struct wr_view reason; /* of stop, cancel, interrupt; may be absent */
		struct {
			uint64_t start;
			uint32_t limit; /* at most 200 */
		} page;
		struct wr_config_bundle bundle;
		struct {
			struct wr_view id, digest; /* each of a valid form */
		} available;
	} as;
	/* What these are given counts only when on_done says ACCEPTED. Views live for the call. */
	wr_source_worker_fn *on_worker;
	wr_source_entry_fn *on_entry;
	wr_source_bundle_fn *on_bundle;
	wr_source_done_fn *on_done;
	void *context; /* the caller's */

	void *source_private; /* NULL while not under way */
};

struct wr_runtime_handle;

struct wr_runtime_handle_ops {
	void (*overview)(struct wr_runtime_handle *self, struct wr_runtime_overview *out);
	void (*begin)(struct wr_runtime_handle *self, struct wr_source_call *call);
	/* Ends a call without on_done; what it asked for may still happen. Not from within a
	 * function of that call. */
	void (*cancel)(struct wr_runtime_handle *self, struct wr_source_call *call);
	/* Takes over an exchange whose head passed wr_ws_handshake_check: 101, and the stream of a
	 * Worker as the cursor (absent: none was given) asks; what is wrong is said by a diagnostic
	 * there. NULL: a source without streams. */
	void (*observe)(struct wr_runtime_handle *self, struct wr_http_exchange *exchange,
			struct wr_view worker_id, struct wr_view cursor);
	uint32_t (*stream_count)(const struct wr_runtime_handle *self); /* NULL: none */
	/* Every stream gets what is pending, then Close 1001. NULL: there are none. */
	void (*drain)(struct wr_runtime_handle *self);
	/* Ends everything at once, calls without on_done. */
	void (*free)(struct wr_runtime_handle *self);
};

/* The first member of an implementation's struct. */
struct wr_runtime_handle {
	const struct wr_runtime_handle_ops *ops;
	struct wr_view runtime_id; /* for life */
	enum wr_source_kind kind;
};

#endif
