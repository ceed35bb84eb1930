/*
 * protocol_table — all protocol events (contract 4) as constant data: their names, the members of
 * their data, and where core keeps those that it has a use for.
 */
#ifndef WR_WIRE_PROTOCOL_TABLE_H
#define WR_WIRE_PROTOCOL_TABLE_H

#include "core/event.h"
#include "wire/schema.h"

/* Where a typed output keeps a member (wr_schema_field.slot). */
enum wr_protocol_slot {
	WR_PROTOCOL_NONE,
	WR_PROTOCOL_ID,
	WR_PROTOCOL_NAME,
	WR_PROTOCOL_TEXT,
	WR_PROTOCOL_NUMBER_0,
	WR_PROTOCOL_NUMBER_1,
	WR_PROTOCOL_NUMBER_2,
	WR_PROTOCOL_FLAG,
	WR_PROTOCOL_CODE
};

struct wr_protocol_event {
	struct wr_view name;
	struct wr_schema data;	  /* without members: the event has no data */
	enum wr_output_kind kind; /* OPAQUE unless typed */
};

/* NULL when there is no event of that name. */
const struct wr_protocol_event *wr_protocol_event_find(struct wr_view name);

/* The words of enum wr_run_result, wr_turn_result and wr_error_code, by value. */
extern const struct wr_view wr_protocol_run_results[];
extern const struct wr_view wr_protocol_turn_results[];
extern const struct wr_view wr_protocol_error_codes[];

#endif
