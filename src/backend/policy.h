/*
 * policy — the one place between what a Runtime says and what a browser is shown, and between what
 * a browser asks for and what a Runtime is told (contract 8.11).
 *
 * One function per observed event, one per entry of a transcript, one per command; without them
 * everything passes. They are called for every source alike. A rule that replaces appends what is
 * shown instead: of an event the new payload, a whole JSON object; of an entry its text.
 */
#ifndef WR_BACKEND_POLICY_H
#define WR_BACKEND_POLICY_H

#include "bytes/buf.h"

enum wr_policy_verdict { WR_POLICY_PASS, WR_POLICY_DENY, WR_POLICY_REPLACE };

struct wr_policy_event {
	struct wr_view runtime_id, worker_id;
	struct wr_view name;	/* of contract 4: "text_delta", "snapshot", ... */
	struct wr_view payload; /* {"event":NAME,"data":...} */
};

/* What was said is not only in events: a rule about texts has to look here, too. */
struct wr_policy_entry {
	struct wr_view runtime_id, worker_id;
	struct wr_view role; /* "user", "system", "assistant" */
	struct wr_view content;
};

struct wr_policy_command {
	struct wr_view runtime_id, worker_id; /* worker_id absent: a spawn */
	const char *operation;		      /* "spawn", "input", "stop", "cancel", "interrupt" */
	struct wr_view caller;	/* name of the credential; empty: none is configured */
	struct wr_view content; /* of an input; else absent */
};

struct wr_policy {
	void *context;
	/* An event that is denied is never shown; a snapshot that is denied is shown without
	 * entries. NULL: PASS. */
	enum wr_policy_verdict (*on_event)(void *context, const struct wr_policy_event *event,
					   struct wr_buf *replacement);
	/* An entry that is denied is left out of the page. NULL: PASS. */
	enum wr_policy_verdict (*on_entry)(void *context, const struct wr_policy_entry *entry,
					   struct wr_buf *replacement);
	/* PASS or DENY. NULL: PASS. */
	enum wr_policy_verdict (*on_command)(void *context,
					     const struct wr_policy_command *command);
};

#endif
