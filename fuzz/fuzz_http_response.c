/* Heads of responses, as a client reads them, also to HEAD. Options: heads.h, then whether the
 * request was HEAD. */
#include "heads.h"

void fuzz_one(struct wr_view input)
{
	uint8_t suffix = fuzz_u8(&input), cuts = fuzz_u8(&input), to_head = fuzz_u8(&input);

	heads_check(input, suffix, cuts,
		    to_head % 2 == 0 ? HEADS_RESPONSE : HEADS_RESPONSE_TO_HEAD);
}
