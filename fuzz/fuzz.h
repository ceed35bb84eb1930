/*
 * fuzz — what every target stands on.
 *
 * A target defines fuzz_one and checks with the CHECKs of harness/harness.h; fuzz.c gives them a
 * meaning outside of a test: what does not hold is printed and aborts, which is what libFuzzer (and
 * replay_main.c) look for. So the helpers of tests, made of the same CHECKs, serve here, too, and
 * so does wr_test_guarded: an input that is read behind its end is a crash with any compiler.
 *
 * The first bytes of an input are the target's options (which variant, where the input is cut,
 * which allocation fails), the rest is what is read. An option that is missing is 0.
 */
#ifndef WR_FUZZ_FUZZ_H
#define WR_FUZZ_FUZZ_H

#include "bytes/view.h"
#include "harness/harness.h"

#include <stddef.h>
#include <stdint.h>

/* ---- a target ---- */

/* Looks at one input. Called any number of times in one process: whatever it allocates from
 * wr_test_allocator must be given back, which is checked. */
void fuzz_one(struct wr_view input);

/* What libFuzzer and replay_main.c call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* ---- options: taken off the front of the input ---- */

uint8_t fuzz_u8(struct wr_view *input);
uint16_t fuzz_u16(struct wr_view *input);
uint32_t fuzz_u32(struct wr_view *input);
uint64_t fuzz_u64(struct wr_view *input);

/* Up to `bytes` bytes off the front. */
struct wr_view fuzz_take(struct wr_view *input, size_t bytes);

/* ---- pieces ---- */

/* How an input is cut: 0 gives single bytes, more gives pieces of random sizes up to that. */
struct fuzz_cuts {
	uint8_t size_max;
	uint64_t random;
};
struct fuzz_cuts fuzz_cuts_of(uint8_t option);

/* How much of `total` has been given after one piece more than `given`. */
size_t fuzz_cut(struct fuzz_cuts *self, size_t given, size_t total);

/* ---- views ---- */

/* a and then b, in the guarded place of that slot (harness.h). */
struct wr_view fuzz_join(unsigned slot, struct wr_view a, struct wr_view b);

/* Whether the view lies in the other; an absent one does. */
bool fuzz_lies_in(struct wr_view view, struct wr_view whole);

/* Something to stand behind an input that was refused. */
struct wr_view fuzz_suffix(uint8_t option);

#endif
