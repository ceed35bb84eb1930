/* state — the inside of a Runtime, shared by the files of core. Not for embedders. */
#ifndef WR_CORE_STATE_H
#define WR_CORE_STATE_H

#include "core/catalog.h"
#include "core/runtime.h"

enum { WR_DIAGNOSTICS_KEPT = 256, WR_RUNTIME_ID_GENERATED_BYTES = 28 };

struct wr_runtime {
	struct wr_runtime_config config; /* views point into `texts` */
	struct wr_runtime_ports ports;
	struct wr_buf texts; /* id and display name */
	uint8_t log_id[WR_LOG_ID_BYTES];
	char log_id_text[2 * WR_LOG_ID_BYTES];
	uint32_t generation;
	bool is_stopped;
	bool is_replaying;
	uint64_t last_event_id; /* newest event that has a runtime event */
	struct wr_catalog catalog;
	struct wr_event_log log;
	struct wr_transcript_budget transcripts;
	uint64_t diagnostic_count;
	struct wr_diagnostic diagnostics[WR_DIAGNOSTICS_KEPT];
	struct wr_buf worker_frame, runtime_frame; /* scratch of one commit */
	struct wr_buf record;			   /* event bytes for the store */
	struct wr_buf text;			   /* transcript text that is composed */
};

/* What an event will need, taken before it is recorded so that folding it cannot fail. */
struct wr_prepared {
	struct wr_worker *worker; /* the event's Worker; a new one for WORKER_CREATED */
	struct wr_transcript_item *item;
};

/* WR_OK; WR_NOT_FOUND (unknown Worker); WR_INVALID (no such profile); WR_NO_MEMORY; WR_TOO_LARGE.
 */
enum wr_status wr_fold_prepare(struct wr_runtime *self, struct wr_prepared *prepared,
			       const struct wr_event *event);
void wr_fold_discard(struct wr_runtime *self, struct wr_prepared *prepared,
		     const struct wr_event *event);
/* state = fold(log): the only place where recorded state changes. */
void wr_fold(struct wr_runtime *self, struct wr_prepared *prepared, const struct wr_event *event);

void wr_worker_free(struct wr_runtime *self, struct wr_worker *worker);

#endif
