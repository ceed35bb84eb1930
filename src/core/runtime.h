/*
 * runtime — the face of the Runtime: create Workers, feed them, stop them, read what happened.
 *
 * The only header an embedder includes. A Runtime is a state machine over one append-only event
 *log: every operation decides, appends one record, and folds that record into its state; nothing
 *changes in another way. It does no I/O, has no clock and no threads: memory, time, entropy, a
 *store, what runs Workers and how events are encoded come in through ports. All calls belong to one
 *thread.
 *
 *	struct wr_runtime_config config;
 *	wr_runtime_defaults(&config);
 *	status = wr_runtime_new(&runtime, &config, &ports, &error);
 *	status = wr_runtime_create(runtime, &request, &worker);
 *	status = wr_runtime_input(runtime, worker->id, &input, &ack);
 *	... wr_event_stream_read(&worker->events, ...) ...
 *	wr_runtime_free(runtime);
 *
 * Order of checks is the contract's (2.2). A refused operation changes nothing.
 *
 * With a store, what a command decided is not yet visible when it returns: nothing that depends on
 * it may leave the process before wr_runtime_visible has reached wr_runtime_head_of (design 2).
 * Everything that is read here is as of wr_runtime_visible; decisions see the head. What memory
 *does not have is read from the store, when it is asked for: after a restart that is everything.
 */
#ifndef WR_CORE_RUNTIME_H
#define WR_CORE_RUNTIME_H

#include "bytes/allocator.h"
#include "core/command.h"
#include "core/cursor.h"
#include "core/encoding.h"
#include "core/event.h"
#include "core/event_bytes.h"
#include "core/event_log.h"
#include "core/execution.h"
#include "core/store.h"
#include "core/transcript.h"
#include "core/worker.h"

struct wr_runtime;

struct wr_runtime_config {
	struct wr_view runtime_id;     /* absent: one is made, of the log or at random. Copied */
	struct wr_view display_name;   /* absent: none. Copied */
	uint32_t transcript_items_max; /* contract 5.4 */
	uint32_t event_batch_items_max;
	uint32_t worker_count_max;
	struct wr_retention retention;
	uint64_t worker_transcript_bytes_max, transcript_bytes_max;
	/* The owner calls wr_runtime_trim itself, at the end of each turn. */
	bool is_trimmed_by_owner;
};

void wr_runtime_defaults(struct wr_runtime_config *config);

/* Borrowed for the life of the Runtime. */
struct wr_runtime_ports {
	struct wr_allocator *allocator;
	int64_t (*wall_ms)(void *context); /* milliseconds since the epoch */
	/* Milliseconds of a clock that is never set; NULL: keys are kept by count only. */
	uint64_t (*uptime_ms)(void *context);
	enum wr_status (*entropy)(void *context, void *out, size_t bytes);
	void *context;			    /* of the three above */
	const struct wr_encoding *encoding; /* NULL: wr_event_bytes_encoding */
	struct wr_store store;		    /* ops NULL: memory only */
	struct wr_profiles profiles; /* find NULL: only builtin profiles, nothing runs them */
	struct wr_observer observer;
};

/* A new Runtime, given: free it with wr_runtime_free. WR_OK, WR_INVALID (blank id), WR_TOO_LARGE
 * (id and name), WR_NO_MEMORY, WR_IO (entropy, store), WR_FULL, WR_CORRUPT (records that do not
 * decode, or cannot follow each other), WR_UNSUPPORTED (records of a newer version). */
enum wr_status wr_runtime_new(struct wr_runtime **out, const struct wr_runtime_config *config,
			      const struct wr_runtime_ports *ports, struct wr_error *error);
void wr_runtime_free(struct wr_runtime *self);

/* ---- commands ---- */

struct wr_ack {
	enum wr_worker_status status;
	uint64_t event_id;
	uint64_t transcript_sequence; /* of an input */
	bool is_repeat;		      /* nothing was done: the answer of the first time */
	/* Of a stop or cancel: the inputs that it took back, as event ids (core/input_queue.h,
	 * packed); absent: none. Lent for the life of the Runtime. */
	struct wr_view dropped;
};

/*
 * `key` (NULL: none was given) makes a command repeatable: the same one again, with the same
 * fingerprint, is answered as the first time and has no second effect; with another one it is
 * WR_MISMATCH. Only what succeeded is remembered: the newest 4096 keys, for 24 h of uptime, in the
 * log.
 */

/* Keeps a config bundle (contract 9), in the place of the one of its id when there is one. The same
 * again changes nothing. WR_OK; WR_STOPPED; what wr_config_bundle_check says; WR_FULL (of bundles:
 * error->detail tells; or of the store); WR_OVERLOAD; WR_MISMATCH; WR_NO_MEMORY; WR_IO. */
enum wr_status wr_runtime_store_bundle(struct wr_runtime *self,
				       const struct wr_config_bundle *bundle,
				       const struct wr_key *key, struct wr_error *error);

/* A create that names a config bundle by id and digest is held against it: it must be there, have
 * that digest, and declare the profile; what runs the Worker is found as for any other. By its id
 * alone a bundle is only named, whether it is there or not.
 *
 * WR_OK; WR_STOPPED; WR_INVALID (blank objective or capability name, damaged list of pairs, a
 * worker_id that cannot stand in a path: over WR_ID_BYTES_MAX, blank, not UTF-8, "." or "..", with
 * control characters or slashes; error->detail tells); WR_NO_BUNDLE; WR_DIGEST_MISMATCH;
 * WR_NOT_FOUND (no such profile, or its bundle does not declare it); WR_TOO_LARGE
 * (over WR_EVENT_BYTES_MAX); WR_FULL (Worker limit, or store); WR_OVERLOAD (the store makes room);
 * WR_EXISTS (request->worker_id is taken, by a Worker of another request), WR_CORRUPT (by one in
 * quarantine); WR_MISMATCH; WR_NO_MEMORY; WR_IO. *out is lent for the life of the Runtime. A create
 * that names an id and is the same as that Worker's gives that Worker. What to answer is its face
 * at creation (wr_runtime_created_face), also for a repeat. */
enum wr_status wr_runtime_create(struct wr_runtime *self, const struct wr_create *request,
				 const struct wr_key *key, const struct wr_worker **out,
				 struct wr_error *error);

/* WR_OK; WR_STOPPED; WR_INVALID (blank content); WR_TOO_LARGE; WR_NOT_FOUND; WR_CONFLICT (Worker
 * not running); WR_BUSY, WR_UNAVAILABLE, WR_REJECTED (execution); WR_CORRUPT (quarantined);
 * WR_MISMATCH; WR_FULL; WR_OVERLOAD; WR_NO_MEMORY; WR_IO. */
enum wr_status wr_runtime_input(struct wr_runtime *self, struct wr_view worker_id,
				const struct wr_input *input, const struct wr_key *key,
				struct wr_ack *ack, struct wr_error *error);

/* Terminal and idempotent: on a Worker that is not running the acknowledgement repeats what is.
 * `reason` may be absent. WR_OK; WR_STOPPED; WR_TOO_LARGE (reason over WR_EVENT_BYTES_MAX);
 * WR_NOT_FOUND; WR_CORRUPT; WR_MISMATCH; WR_FULL; WR_NO_MEMORY; WR_IO. */
enum wr_status wr_runtime_stop_worker(struct wr_runtime *self, struct wr_view worker_id,
				      struct wr_view reason, const struct wr_key *key,
				      struct wr_ack *ack);
enum wr_status wr_runtime_cancel_worker(struct wr_runtime *self, struct wr_view worker_id,
					struct wr_view reason, const struct wr_key *key,
					struct wr_ack *ack);

/* Ends the running turn. WR_OK; WR_STOPPED; WR_NOT_FOUND; WR_CORRUPT; WR_CONFLICT (Worker not
 * running, or no turn is); WR_UNSUPPORTED (nothing runs it); WR_MISMATCH. With a key also WR_FULL,
 * WR_OVERLOAD, WR_NO_MEMORY, WR_IO: then the turn ends, but the key is not remembered. What is
 * queued behind the turn goes on. */
enum wr_status wr_runtime_interrupt(struct wr_runtime *self, struct wr_view worker_id,
				    const struct wr_key *key, struct wr_ack *ack);

/* Stops the Runtime: every running Worker becomes stopped; commands are WR_STOPPED afterwards.
 * Gives the event id; again: the newest one. WR_OK, WR_NO_MEMORY, WR_FULL, WR_OVERLOAD, WR_IO. */
enum wr_status wr_runtime_stop(struct wr_runtime *self, uint64_t *event_id);

/* The process will end soon, and the Runtime goes on in the next one. Inputs that wait for a turn
 * are given no more: those of Workers at rest are told as dropped by `interrupted` records now,
 * those behind a turn by the record that interrupts it; what cannot be recorded now, the next start
 * will. To be called before the executions are drained; no input afterwards. */
void wr_runtime_drain(struct wr_runtime *self);

/* ---- reports of an execution ---- */

/* Appends a protocol event of the Worker (also of a stopped one). WR_OK, WR_NOT_FOUND, WR_TOO_LARGE
 * (over WR_EVENT_BYTES_MAX), WR_NO_MEMORY, WR_FULL, WR_IO. */
enum wr_status wr_runtime_output(struct wr_runtime *self, uint32_t worker,
				 const struct wr_output *output);
/* Moves the Worker to a phase, with a cause (a short text of ours). WR_OK (also when it is there
 * already: nothing is appended); WR_CONFLICT: not an allowed move, or to an end of a Worker that
 * was not told to stop; as above else. The execution
 * counts as live from its first report of STARTING, IDLE or BUSY on. */
enum wr_status wr_runtime_phase(struct wr_runtime *self, uint32_t worker, enum wr_phase phase,
				struct wr_view cause);
/* Nothing of the execution of this Worker is left. Moves STOPPING to STOPPED; another phase stays
 * (the execution has reported FAILED or IDLE before). When it fails nothing has changed: report it
 * again. */
enum wr_status wr_runtime_execution_ended(struct wr_runtime *self, uint32_t worker);

/* Whether output of any size would be taken now; else leave it where it is (do not read from a
 * child) and ask again at the end of a later turn. */
bool wr_runtime_takes_output(const struct wr_runtime *self);

/* ---- visibility ---- */

/* Highest sequence that may be shown to anybody: the head, or what the store said at the last
 * wr_runtime_settle, so that it agrees with all that can be read here. */
uint64_t wr_runtime_visible(const struct wr_runtime *self);

/* The newest record that an answer about this Worker depends on (absent, or unknown: about the
 * Runtime): the answer may leave when wr_runtime_visible has reached it. */
uint64_t wr_runtime_head_of(const struct wr_runtime *self, struct wr_view worker_id);

/* Takes notice of what has become visible: faces are shown, streams move on, executions are given
 * their inputs (which may append more), a checkpoint is written when the store wants one. The
 * owner's duty once per turn, after the store's turn and before anything is sent; without a store
 * it is needed for Workers whose inputs queue only. What an execution reports behind it has to make
 * another turn. */
void wr_runtime_settle(struct wr_runtime *self);

/* ---- reading ---- */

struct wr_runtime_summary {
	struct wr_view runtime_id, display_name; /* display_name may be absent */
	bool is_stopped;
	uint32_t worker_count, running_count, stopped_count, cancelled_count;
	uint64_t diagnostic_count;
	uint32_t transcript_items_max, event_batch_items_max;
	uint64_t last_sequence; /* visible */
	struct wr_view log_id;	/* 32 hex digits */
	uint32_t generation;
	bool has_store; /* what is visible outlives the process */
};

void wr_runtime_summary(const struct wr_runtime *self, struct wr_runtime_summary *out);

/* What a Worker was when it was created. */
struct wr_face wr_runtime_created_face(const struct wr_worker *worker);

/* A Worker by id or number, lent for the life of the Runtime; NULL when there is none, or its
 * creation is not yet visible. */
const struct wr_worker *wr_runtime_find(const struct wr_runtime *self, struct wr_view worker_id);
/* A Worker by id as decisions see it, also one whose creation is not yet visible: for answers that
 * are held until it is. */
const struct wr_worker *wr_runtime_find_at_head(const struct wr_runtime *self,
						struct wr_view worker_id);
const struct wr_worker *wr_runtime_worker(const struct wr_runtime *self, uint32_t number);
/* The first Worker in byte order of ids whose id is above `after` (absent: the very first). */
const struct wr_worker *wr_runtime_next(const struct wr_runtime *self, struct wr_view after);

/* A config bundle as it is visible, by id; NULL: none. Or the first in byte order of ids whose id
 * is above `after` (absent: the very first). Lent until the next call that changes something. */
const struct wr_config_bundle *wr_runtime_find_bundle(const struct wr_runtime *self,
						      struct wr_view id);
const struct wr_config_bundle *wr_runtime_next_bundle(const struct wr_runtime *self,
						      struct wr_view after);
/* Whether the visible bundle of this id has this digest: WR_OK, and *out is lent likewise;
 * WR_NO_BUNDLE; WR_DIGEST_MISMATCH. */
enum wr_status wr_runtime_judge_bundle(const struct wr_runtime *self, struct wr_view id,
				       struct wr_view digest, const struct wr_config_bundle **out);

/* Diagnostics (contract 5.6): the newest are kept. False past the end; index 0 is the oldest kept.
 */
enum wr_severity { WR_SEVERITY_INFO, WR_SEVERITY_WARNING, WR_SEVERITY_ERROR };
struct wr_diagnostic {
	uint64_t id;
	enum wr_severity severity;
	const char *code, *message; /* static */
	uint32_t worker;	    /* number, 0: none */
};
bool wr_runtime_diagnostic(const struct wr_runtime *self, uint32_t index,
			   struct wr_diagnostic *out);

/* Visible events of the whole Runtime from id `next_event_id` on, at most `limit`, given one by one
 * as the encoding made them, from memory or store. *next becomes the id to go on with; *has_more
 * whether there is one now. WR_OK; WR_LIMIT (limit above the configured maximum); WR_EXPIRED:
 * events at or after it are gone; WR_CORRUPT, WR_IO, WR_NO_MEMORY (the next one cannot be read). */
typedef void wr_runtime_read_fn(void *context, uint64_t event_id, struct wr_view frame);
enum wr_status wr_runtime_read_events(struct wr_runtime *self, uint64_t next_event_id,
				      uint32_t limit, wr_runtime_read_fn *fn, void *context,
				      uint64_t *next, bool *has_more);

/* ---- what memory no longer has: read from the store ---- */

/* A transcript item by its number, from 1, from memory or store. Valid until the next call of
 * anything. `place` as in core/store.h. WR_OK; WR_NOT_FOUND: not kept, or not yet visible;
 * WR_CORRUPT, WR_IO, WR_NO_MEMORY. */
struct wr_item {
	uint64_t number, event_id;
	int64_t wall_ms;
	enum wr_role role;
	bool is_error; /* what an `error` event says, not what anybody said */
	struct wr_view content;
};
enum wr_status wr_runtime_item(struct wr_runtime *self, const struct wr_worker *worker,
			       uint64_t number, struct wr_store_place *place, struct wr_item *out);
/* Number of the oldest item that is kept anywhere; item_count + 1 when none is. */
uint64_t wr_runtime_first_item(const struct wr_runtime *self, const struct wr_worker *worker);

/* The frame with the lowest sequence above `after` that a stream (Worker number, 0: runtime-wide)
 * shows, from the store. Valid until the next call of anything. WR_OK; WR_NOT_FOUND: none up to
 * wr_runtime_visible, or no store; WR_CORRUPT, WR_IO, WR_NO_MEMORY. */
enum wr_status wr_runtime_stored_frame(struct wr_runtime *self, uint32_t worker, uint64_t after,
				       struct wr_store_place *place, uint64_t *sequence,
				       struct wr_view *frame);

/* Highest sequence of a scope (Worker number, 0: runtime-wide) that is gone for good, in memory and
 * store; 0: none. */
uint64_t wr_runtime_evicted(const struct wr_runtime *self, uint32_t worker);

/* ---- observing ---- */

struct wr_event_log *wr_runtime_log(struct wr_runtime *self);
struct wr_event_stream *wr_runtime_worker_events(struct wr_runtime *self, uint32_t number);

/* Applies retention; the owner's duty once per turn with is_trimmed_by_owner. */
void wr_runtime_trim(struct wr_runtime *self);

/* The cursor that names `sequence` in a scope: a Worker number, or 0 for the whole Runtime. */
void wr_runtime_cursor(const struct wr_runtime *self, uint32_t worker, uint64_t sequence,
		       char out[WR_CURSOR_BYTES]);

/* The same for one event: the token that it has had since it was made, also when that was before an
 * unclean end. */
void wr_runtime_event_cursor(const struct wr_runtime *self, uint32_t worker, uint64_t sequence,
			     char out[WR_CURSOR_BYTES]);

/* Judges a token for a scope (Worker number, 0: the whole Runtime). WR_OK: *sequence is the last
 * event that its holder has. WR_MALFORMED, WR_SCOPE_MISMATCH, WR_UNKNOWN, WR_AHEAD, WR_LOST_TAIL;
 * WR_EXPIRED: *sequence is the oldest usable one. */
enum wr_status wr_runtime_judge_cursor(const struct wr_runtime *self, uint32_t worker,
				       struct wr_view token, uint64_t *sequence);

#endif
