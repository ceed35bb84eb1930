/*
 * json/bignum — whole numbers of up to 1536 bits, on the stack.
 *
 * Just what exact conversion of doubles needs. The largest value of all comes from reading: 256
 * digits against 5^586 (the smallest double has 10^-324, and 256 digits may stand behind the point)
 * and 65 bits of quotient, 1427 bits. Passing the room is a bug of ours and aborts. Private to this
 * folder.
 */
#ifndef WR_CODEC_JSON_BIGNUM_H
#define WR_CODEC_JSON_BIGNUM_H

#include <stdint.h>

enum { WR_BIGNUM_LIMBS = 48 };

/* limbs[0] is the lowest; the highest of `count` is not 0, so zero has none. */
struct wr_bignum {
	unsigned count;
	uint32_t limbs[WR_BIGNUM_LIMBS];
};

void wr_bignum_set(struct wr_bignum *self, uint64_t value);

/* self * factor + addend */
void wr_bignum_multiply_add(struct wr_bignum *self, uint32_t factor, uint32_t addend);
void wr_bignum_multiply_pow5(struct wr_bignum *self, unsigned exponent);
void wr_bignum_multiply_pow10(struct wr_bignum *self, unsigned exponent);

/* self * 2^bits */
void wr_bignum_shift(struct wr_bignum *self, unsigned bits);

/* self - other, which is not the larger one. */
void wr_bignum_subtract(struct wr_bignum *self, const struct wr_bignum *other);

/* Negative, 0 or positive. */
int wr_bignum_compare(const struct wr_bignum *self, const struct wr_bignum *other);

/* The order of self + addend and other. */
int wr_bignum_compare_sum(const struct wr_bignum *self, const struct wr_bignum *addend,
			  const struct wr_bignum *other);

/* Bits up to the highest that is set; 0 for zero. */
unsigned wr_bignum_bits(const struct wr_bignum *self);

#endif
