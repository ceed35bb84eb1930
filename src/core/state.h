/* state — the inside of a Runtime, shared by the files of core. Not for embedders. */
#ifndef WR_CORE_STATE_H
#define WR_CORE_STATE_H

#include "core/bundles.h"
#include "core/catalog.h"
#include "core/keys.h"
#include "core/pending.h"
#include "core/runtime.h"

enum { WR_DIAGNOSTICS_KEPT = 256, WR_RUNTIME_ID_GENERATED_BYTES = 28 };

/* What a summary counts, as of the newest visible record. */
struct wr_shown {
	bool is_stopped;
	uint32_t worker_count;
	uint32_t status_counts[3]; /* by enum wr_worker_status */
	uint64_t diagnostic_count;
};

struct wr_runtime {
	struct wr_runtime_config config; /* views point into `texts` */
	struct wr_runtime_ports ports;
	struct wr_buf texts; /* id and display name */
	uint8_t log_id[WR_LOG_ID_BYTES];
	char log_id_text[2 * WR_LOG_ID_BYTES];
	/* The cursor of the newest frame of a Worker: whoever caused the event asks for it next. */
	char last_cursor[WR_CURSOR_BYTES];
	uint32_t last_cursor_generation, last_cursor_worker;
	uint64_t last_cursor_sequence; /* 0: none */
	uint32_t generation;
	bool is_stopped;
	bool is_replaying;
	bool is_settling;
	bool is_draining;
	bool has_open_turns;	/* of the last process: still to be interrupted */
	uint64_t last_event_id; /* newest event that has a runtime event */
	struct wr_catalog catalog;
	struct wr_bundles bundles;
	struct wr_event_log log;
	struct wr_transcript_budget transcripts;
	uint64_t diagnostic_count;
	struct wr_diagnostic diagnostics[WR_DIAGNOSTICS_KEPT];
	/* With a store only: what waits to become visible, and what is. */
	struct wr_pending pending;
	struct wr_shown shown;
	struct wr_keys keys;
	uint32_t uptime_s;			   /* highest one logged before this process */
	uint64_t uptime_ms;			   /* of the port, when this process began */
	struct wr_buf worker_frame, runtime_frame; /* scratch of one commit */
	struct wr_buf record;			   /* event bytes for the store */
	struct wr_buf text;			   /* transcript text that is composed */
	struct wr_buf dropped;			   /* inputs that an event takes back */
	struct wr_list queued, queued_marker;	   /* Workers with queued inputs */
	uint64_t queued_bytes;			   /* what these cost */
};

static inline bool wr_has_store(const struct wr_runtime *self)
{
	return self->ports.store.ops != NULL;
}

/* Seconds that this log has been served, in all processes. */
uint32_t wr_uptime_s(const struct wr_runtime *self);

/* A cursor of this log; worker 0: of the runtime-wide stream. */
void wr_format_cursor(const struct wr_runtime *self, char out[WR_CURSOR_BYTES], uint32_t generation,
		      uint32_t worker, uint64_t sequence);

/* ---- fold.c, with fold_*.c: the only place where recorded state changes ---- */

/* What an event will need, taken before it is recorded so that folding it cannot fail. */
struct wr_prepared {
	struct wr_worker *worker;	 /* the event's Worker; a new one for WORKER_CREATED */
	bool adds_item;			 /* to the transcript */
	struct wr_transcript_item *item; /* NULL in a replay: the store has it */
	struct wr_queued_input *input;	 /* NULL: it is not kept until its delivery */
	struct wr_view dropped;		 /* a copy for the Worker */
	struct wr_bundle *bundle;	 /* of BUNDLE_STORED */
};

/* WR_OK; WR_NOT_FOUND (unknown Worker); WR_INVALID (no such profile); WR_NO_MEMORY; WR_TOO_LARGE.
 */
enum wr_status wr_fold_prepare(struct wr_runtime *self, struct wr_prepared *prepared,
			       const struct wr_event *event);
void wr_fold_discard(struct wr_runtime *self, struct wr_prepared *prepared,
		     const struct wr_event *event);
/* state = fold(log). */
void wr_fold(struct wr_runtime *self, struct wr_prepared *prepared, const struct wr_event *event);

/* What an event adds to the transcript (contract 5.7); false: nothing, or there is no memory to
 * compose it (self->text.status). The content is lent until the next call. */
bool wr_fold_item(struct wr_runtime *self, const struct wr_event *event, enum wr_role *role,
		  struct wr_view *content);
static inline bool wr_fold_is_error(const struct wr_event *event)
{
	return event->kind == WR_EVENT_OUTPUT && event->as.output.kind == WR_OUTPUT_ERROR;
}

/* A Worker that the catalog does not have yet, from its creation, and what its creation adds beside
 * it. */
enum wr_status wr_fold_prepare_worker(struct wr_runtime *self, struct wr_worker **out,
				      const struct wr_event *event);
void wr_fold_worker(struct wr_runtime *self, struct wr_worker *worker,
		    const struct wr_event *event);
void wr_worker_free(struct wr_runtime *self, struct wr_worker *worker);

/* Of a recorded event with a key (of a Worker, or NULL): keeps what it was answered, from which its
 * acknowledgement can be made again. Room was reserved. */
void wr_fold_key(struct wr_runtime *self, const struct wr_worker *worker,
		 const struct wr_event *event);

/* A copy of a list of dropped inputs, owned; absent in, absent out. WR_OK, WR_NO_MEMORY. */
enum wr_status wr_fold_copy_dropped(struct wr_runtime *self, struct wr_view *copy,
				    struct wr_view dropped);

/* ---- stored.c ---- */

/* In which a record was made that is recovered or new. */
uint32_t wr_generation_of(const struct wr_runtime *self, uint64_t sequence);

/* wr_runtime_stored_frame of the whole Runtime, but as the encoding made it: a Worker's frame has
 * the Worker's cursor, like those in memory. */
enum wr_status wr_stored_event(struct wr_runtime *self, uint64_t after,
			       struct wr_store_place *place, uint64_t *sequence,
			       struct wr_view *frame);

#endif
