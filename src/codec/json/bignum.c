#include "codec/json/bignum.h"

#include "check.h"

static void push_limb(struct wr_bignum *self, uint32_t limb)
{
	wr_assert(self->count < WR_BIGNUM_LIMBS);
	self->limbs[self->count++] = limb;
}

static void drop_zeros(struct wr_bignum *self)
{
	while (self->count > 0 && self->limbs[self->count - 1] == 0)
		self->count--;
}

void wr_bignum_set(struct wr_bignum *self, uint64_t value)
{
	self->count = 0;
	for (; value != 0; value >>= 32)
		push_limb(self, (uint32_t)value);
}

void wr_bignum_multiply_add(struct wr_bignum *self, uint32_t factor, uint32_t addend)
{
	uint64_t carry = addend;

	for (unsigned i = 0; i < self->count; i++) {
		carry += (uint64_t)self->limbs[i] * factor;
		self->limbs[i] = (uint32_t)carry;
		carry >>= 32;
	}
	if (carry != 0)
		push_limb(self, (uint32_t)carry);
}

void wr_bignum_multiply_pow5(struct wr_bignum *self, unsigned exponent)
{
	enum { STEP = 13, POW5_STEP = 1220703125 }; /* the largest power of 5 in 32 bits */
	uint32_t rest = 1;

	for (; exponent >= STEP; exponent -= STEP)
		wr_bignum_multiply_add(self, POW5_STEP, 0);
	for (; exponent > 0; exponent--)
		rest *= 5;
	wr_bignum_multiply_add(self, rest, 0);
}

void wr_bignum_multiply_pow10(struct wr_bignum *self, unsigned exponent)
{
	wr_bignum_multiply_pow5(self, exponent);
	wr_bignum_shift(self, exponent);
}

void wr_bignum_shift(struct wr_bignum *self, unsigned bits)
{
	unsigned limbs = bits / 32;
	uint32_t carry = 0;

	bits %= 32;
	for (unsigned i = 0; bits != 0 && i < self->count; i++) {
		uint32_t limb = self->limbs[i];

		self->limbs[i] = limb << bits | carry;
		carry = limb >> (32 - bits);
	}
	if (carry != 0)
		push_limb(self, carry);
	if (limbs == 0 || self->count == 0)
		return;
	wr_assert(limbs <= WR_BIGNUM_LIMBS - self->count);
	for (unsigned i = self->count; i > 0; i--)
		self->limbs[i - 1 + limbs] = self->limbs[i - 1];
	for (unsigned i = 0; i < limbs; i++)
		self->limbs[i] = 0;
	self->count += limbs;
}

void wr_bignum_subtract(struct wr_bignum *self, const struct wr_bignum *other)
{
	uint32_t borrow = 0;

	wr_assert(self->count >= other->count);
	for (unsigned i = 0; i < self->count; i++) {
		uint64_t taken = (uint64_t)(i < other->count ? other->limbs[i] : 0) + borrow;

		borrow = self->limbs[i] < taken;
		self->limbs[i] = (uint32_t)(self->limbs[i] - taken);
	}
	wr_assert(borrow == 0);
	drop_zeros(self);
}

int wr_bignum_compare(const struct wr_bignum *self, const struct wr_bignum *other)
{
	if (self->count != other->count)
		return self->count > other->count ? 1 : -1;
	for (unsigned i = self->count; i > 0; i--)
		if (self->limbs[i - 1] != other->limbs[i - 1])
			return self->limbs[i - 1] > other->limbs[i - 1] ? 1 : -1;
	return 0;
}

int wr_bignum_compare_sum(const struct wr_bignum *self, const struct wr_bignum *addend,
			  const struct wr_bignum *other)
{
	const struct wr_bignum *longer = self->count >= addend->count ? self : addend;
	const struct wr_bignum *shorter = longer == self ? addend : self;
	struct wr_bignum sum = {.count = 0};
	uint64_t carry = 0;

	/* Mostly the lengths tell. */
	if (longer->count > other->count)
		return 1;
	if (longer->count + 1 < other->count)
		return -1;
	for (unsigned i = 0; i < longer->count; i++) {
		carry += (uint64_t)longer->limbs[i] + (i < shorter->count ? shorter->limbs[i] : 0);
		push_limb(&sum, (uint32_t)carry);
		carry >>= 32;
	}
	if (carry != 0)
		push_limb(&sum, (uint32_t)carry);
	return wr_bignum_compare(&sum, other);
}

unsigned wr_bignum_bits(const struct wr_bignum *self)
{
	unsigned bits = self->count * 32;

	if (bits == 0)
		return 0;
	for (uint32_t top = self->limbs[self->count - 1]; top < UINT32_C(1) << 31; top <<= 1)
		bits--;
	return bits;
}
