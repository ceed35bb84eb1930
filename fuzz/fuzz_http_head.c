/* Heads of requests (RFC 9112 3 to 5). Options and oracles: heads.h. */
#include "heads.h"

void fuzz_one(struct wr_view input)
{
	uint8_t suffix = fuzz_u8(&input), cuts = fuzz_u8(&input);

	heads_check(input, suffix, cuts, HEADS_REQUEST);
}
