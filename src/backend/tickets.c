#include "backend/tickets.h"

#include "check.h"
#include "host/tokens.h"
#include "io/entropy.h"

_Static_assert((WR_TICKET_COUNT_MAX & (WR_TICKET_COUNT_MAX - 1)) == 0, "`next` wraps around");

enum wr_status wr_tickets_issue(struct wr_tickets *self, char out[WR_TICKET_TEXT_BYTES],
				unsigned may, uint64_t now_ms)
{
	uint32_t slot = self->next % WR_TICKET_COUNT_MAX;
	enum wr_status status;

	wr_assert(may != 0 && may <= UINT8_MAX);
	self->slots[slot].may = 0;
	status = wr_entropy_fill(self->slots[slot].secret, WR_TICKET_BYTES);
	if (status != WR_OK)
		return status;
	self->slots[slot].may = (uint8_t)may;
	self->slots[slot].until_ms = now_ms + WR_TICKET_MS;
	self->next++;
	wr_base64url_encode(out, self->slots[slot].secret, WR_TICKET_BYTES);
	return WR_OK;
}

/* 1 when they are equal, else 0, in a time that depends on neither. */
static uint32_t is_same(const uint8_t *a, const uint8_t *b)
{
	uint32_t difference = 0;

	for (unsigned i = 0; i < WR_TICKET_BYTES; i++)
		difference |= (uint32_t)(a[i] ^ b[i]);
	return (difference - 1) >> 31;
}

unsigned wr_tickets_redeem(struct wr_tickets *self, struct wr_view text, uint64_t now_ms)
{
	uint8_t secret[WR_TICKET_BYTES];
	unsigned may = 0;

	if (wr_base64url_decode(secret, sizeof secret, text) != WR_OK)
		return 0;
	for (unsigned i = 0; i < WR_TICKET_COUNT_MAX; i++) {
		uint32_t same = 0u - is_same(secret, self->slots[i].secret);
		uint32_t valid = 0u - (uint32_t)(now_ms < self->slots[i].until_ms);

		may |= self->slots[i].may & same & valid;
		self->slots[i].may &= (uint8_t)~same;
	}
	wr_tokens_wipe(secret, sizeof secret);
	return may;
}

void wr_tickets_clear(struct wr_tickets *self)
{
	wr_tokens_wipe(self, sizeof *self);
}
