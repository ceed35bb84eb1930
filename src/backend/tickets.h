/*
 * tickets — a credential for one WebSocket: a browser cannot set Authorization on an upgrade, so it
 * buys a ticket with its credential and shows that in the query.
 *
 * 128 random bits as 22 characters of base64url. A ticket is good once, for 30 seconds, and allows
 * what its buyer was allowed. Only so many are outstanding; the oldest go. What is presented is
 * compared with every slot in full, so that the time tells nothing about any of them.
 */
#ifndef WR_BACKEND_TICKETS_H
#define WR_BACKEND_TICKETS_H

#include "bytes/base64.h"
#include "bytes/view.h"
#include "status.h"

#include <stdint.h>

enum { WR_TICKET_BYTES = 16, WR_TICKET_COUNT_MAX = 256, WR_TICKET_MS = 30000 };
#define WR_TICKET_TEXT_BYTES WR_BASE64URL_BYTES(WR_TICKET_BYTES)

/* Zero-initialised: none. Fields are private. */
struct wr_tickets {
	uint32_t next; /* slot of the next one, which is the oldest's */
	struct {
		uint8_t secret[WR_TICKET_BYTES];
		uint8_t may; /* 0: free, or used */
		uint64_t until_ms;
	} slots[WR_TICKET_COUNT_MAX];
};

/* Makes one that allows `may` (bits of host/tokens.h, not 0). WR_OK, WR_IO (no entropy). */
enum wr_status wr_tickets_issue(struct wr_tickets *self, char out[WR_TICKET_TEXT_BYTES],
				unsigned may, uint64_t now_ms);

/* What the ticket allows, 0 when it is none; it is used up. */
unsigned wr_tickets_redeem(struct wr_tickets *self, struct wr_view text, uint64_t now_ms);

/* All of them are void: credentials have changed, or it is the end. */
void wr_tickets_clear(struct wr_tickets *self);

#endif
