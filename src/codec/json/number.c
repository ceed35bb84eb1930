/*
 * Both directions are exact because the hard cases are done with whole numbers (json/bignum), not
 * with floating point. Reading a double: two integers n and d with value = n / d * 2^e are made
 * from the digits, 64 bits of the quotient are taken by long division, and rounding looks at those
 * bits and at whether anything was left. Writing: the digits come one by one until they lie nearer
 * to the value than to either neighbour (Steele and White, "How to print floating-point numbers
 * accurately", 1990). Integers and short decimals, which are nearly all there are, take a short
 * way.
 */
#include "codec/json/number.h"

#include "check.h"
#include "codec/json/bignum.h"
#include "bounds.h"

#include <float.h>
#include <string.h>

/* ---- integers ---- */

static bool parse_digits(uint64_t *value, struct wr_view text)
{
	uint64_t sum = 0;

	if (text.bytes == 0 || text.bytes > 20)
		return false;
	for (size_t i = 0; i < text.bytes; i++) {
		unsigned digit = (unsigned)(uint8_t)text.data[i] - '0';

		if (digit > 9 || sum > UINT64_MAX / 10 || sum * 10 > UINT64_MAX - digit)
			return false;
		sum = sum * 10 + digit;
	}
	*value = sum;
	return true;
}

bool wr_json_parse_u64(uint64_t *value, struct wr_view text)
{
	return parse_digits(value, text);
}

bool wr_json_parse_i64(int64_t *value, struct wr_view text)
{
	bool is_negative = text.bytes != 0 && text.data[0] == '-';
	uint64_t magnitude;

	if (is_negative)
		text = wr_view_skip(text, 1);
	if (!parse_digits(&magnitude, text))
		return false;
	if (!is_negative) {
		if (magnitude > INT64_MAX)
			return false;
		*value = (int64_t)magnitude;
		return true;
	}
	/* -0 is not an integer: it would not survive. */
	if (magnitude == 0 || magnitude > (uint64_t)INT64_MAX + 1)
		return false;
	*value = -(int64_t)(magnitude - 1) - 1;
	return true;
}

static const char digit_pairs[] = "00010203040506070809"
				  "10111213141516171819"
				  "20212223242526272829"
				  "30313233343536373839"
				  "40414243444546474849"
				  "50515253545556575859"
				  "60616263646566676869"
				  "70717273747576777879"
				  "80818283848586878889"
				  "90919293949596979899";

/* `value` is below 100: both digits. */
static inline char *put_two(char *out, uint32_t value)
{
	memcpy(out, digit_pairs + 2 * (size_t)value, 2);
	return out + 2;
}

/* `value` is below 10^4: all four digits. */
static inline char *put_four(char *out, uint32_t value)
{
	return put_two(put_two(out, value / 100), value % 100);
}

/* `value` is below 100: without a leading zero. */
static inline char *put_up_to_two(char *out, uint32_t value)
{
	if (value >= 10)
		return put_two(out, value);
	*out = (char)('0' + value);
	return out + 1;
}

/* `value` is below 10^8: without leading zeros. */
static inline char *put_up_to_eight(char *out, uint32_t value)
{
	uint32_t high = value;

	if (value >= 10000)
		high = value / 10000;
	if (high >= 100)
		out = put_two(put_up_to_two(out, high / 100), high % 100);
	else
		out = put_up_to_two(out, high);
	return value >= 10000 ? put_four(out, value % 10000) : out;
}

/* `value` is not below 10^8: eight digits at its end, eight before them if it is that long. */
static char *put_long(char *out, uint64_t value)
{
	static const uint64_t step = 100000000;
	uint64_t high = value / step;
	uint32_t low = (uint32_t)(value % step);

	if (high >= step) {
		uint32_t middle = (uint32_t)(high % step);

		out = put_up_to_eight(out, (uint32_t)(high / step));
		out = put_four(put_four(out, middle / 10000), middle % 10000);
	} else {
		out = put_up_to_eight(out, (uint32_t)high);
	}
	return put_four(put_four(out, low / 10000), low % 10000);
}

size_t wr_json_format_u64(char *out, uint64_t value)
{
	char *end = WR_LIKELY(value < 100000000) ? put_up_to_eight(out, (uint32_t)value)
						 : put_long(out, value);

	return (size_t)(end - out);
}

/* ---- reading a double ---- */

/* IEEE 754 binary64. */
enum { FRACTION_BITS = 52, EXPONENT_MIN = -1022, EXPONENT_MAX = 1023, EXPONENT_BIAS = 1023 };

static double from_bits(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

static uint64_t to_bits(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	return bits;
}

/* The parts of a number's text. The value is digits * 10^exponent. */
struct decimal {
	bool is_negative;
	const char *digits; /* from the first that is not 0; a point may be among them */
	const char *digits_end;
	unsigned count;	  /* of digits from there on */
	int32_t exponent; /* held within +-EXPONENT_FAR */
	uint64_t leading; /* the value of the first 19 digits */
};

enum { EXPONENT_FAR = 100000 };

static int32_t parse_exponent(const char *at, const char *end)
{
	bool is_negative = *at == '-';
	int32_t sum = 0;

	if (*at == '-' || *at == '+')
		at++;
	for (; at < end && sum < EXPONENT_FAR; at++)
		sum = sum * 10 + (*at - '0');
	if (sum > EXPONENT_FAR)
		sum = EXPONENT_FAR;
	return is_negative ? -sum : sum;
}

static struct decimal parse_decimal(struct wr_view text)
{
	struct decimal self = {.digits = NULL};
	const char *at = text.data, *end = text.data + text.bytes;
	bool is_fraction = false;

	if (at < end && *at == '-') {
		self.is_negative = true;
		at++;
	}
	for (; at < end && *at != 'e' && *at != 'E'; at++) {
		if (*at == '.') {
			is_fraction = true;
			continue;
		}
		self.exponent -= is_fraction;
		if (self.count == 0 && *at == '0')
			continue;
		if (self.count == 0)
			self.digits = at;
		if (self.count < 19)
			self.leading = self.leading * 10 + (uint64_t)(*at - '0');
		self.count++;
	}
	self.digits_end = at;
	if (end - at > 1)
		self.exponent += parse_exponent(at + 1, end);
	return self;
}

static void set_digits(struct wr_bignum *self, const struct decimal *decimal)
{
	wr_bignum_set(self, 0);
	for (const char *at = decimal->digits; at < decimal->digits_end; at++)
		if (*at != '.')
			wr_bignum_multiply_add(self, 10, (uint32_t)(*at - '0'));
}

/* quotient * 2^exponent, its highest bit set, plus something less than 2^exponent if is_inexact,
 * rounded to nearest with ties to even. */
static double round_quotient(uint64_t quotient, int32_t exponent, bool is_inexact)
{
	int32_t top = exponent + 63; /* the value is at least 2^top */
	unsigned dropped = 63 - FRACTION_BITS;
	uint64_t kept, rest, half, base = 0;

	if (top > EXPONENT_MAX)
		return from_bits((uint64_t)(EXPONENT_MAX + 1 + EXPONENT_BIAS) << FRACTION_BITS);
	if (top < EXPONENT_MIN - FRACTION_BITS - 1)
		return 0;
	if (top < EXPONENT_MIN)
		dropped += (unsigned)(EXPONENT_MIN - top); /* subnormal */
	else
		base = (uint64_t)(top + EXPONENT_BIAS - 1) << FRACTION_BITS;
	half = UINT64_C(1) << (dropped - 1);
	kept = dropped == 64 ? 0 : quotient >> dropped;
	rest = quotient & (half - 1);
	if ((quotient & half) != 0 && (rest != 0 || is_inexact || (kept & 1) != 0))
		kept++;
	/* The hidden bit of `kept` adds one to the exponent; so does a carry, even to infinity. */
	return from_bits(base + kept);
}

/* digits / 10^-exponent by long division: the powers of two are only counted. */
static double divide(const struct decimal *decimal)
{
	struct wr_bignum above, below;
	int32_t shift;
	uint64_t quotient = 0;

	set_digits(&above, decimal);
	wr_bignum_set(&below, 1);
	if (decimal->exponent >= 0)
		wr_bignum_multiply_pow5(&above, (unsigned)decimal->exponent);
	else
		wr_bignum_multiply_pow5(&below, (unsigned)-decimal->exponent);
	/* Make 1 <= above / below < 2. */
	shift = (int32_t)wr_bignum_bits(&below) - (int32_t)wr_bignum_bits(&above);
	if (shift > 0)
		wr_bignum_shift(&above, (unsigned)shift);
	else
		wr_bignum_shift(&below, (unsigned)-shift);
	if (wr_bignum_compare(&above, &below) < 0) {
		wr_bignum_shift(&above, 1);
		shift++;
	}
	for (unsigned bit = 0; bit < 64; bit++) {
		quotient <<= 1;
		if (wr_bignum_compare(&above, &below) >= 0) {
			wr_bignum_subtract(&above, &below);
			quotient |= 1;
		}
		wr_bignum_shift(&above, 1);
	}
	return round_quotient(quotient, decimal->exponent - shift - 63, above.count != 0);
}

/* Powers of ten that are doubles. */
static const double pow10_exact[] = {1e0,  1e1,	 1e2,  1e3,  1e4,  1e5,	 1e6,  1e7,
				     1e8,  1e9,	 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
				     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* One rounding of two exact doubles is the right answer, where the arithmetic has no more bits than
 * the type (Clinger, "How to read floating point numbers accurately", 1990). */
static bool is_short(const struct decimal *decimal)
{
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD == 0
	return decimal->count <= 19 && decimal->leading <= UINT64_C(1) << 53 &&
	       decimal->exponent >= -22 && decimal->exponent <= 22;
#else
	(void)decimal;
	return false;
#endif
}

static double parse_magnitude(const struct decimal *decimal)
{
	/* The value is below 10^above and not below a tenth of that. */
	int32_t above = (int32_t)decimal->count + decimal->exponent;

	if (decimal->count == 0 || above < -330)
		return 0;
	if (above > 310)
		return from_bits((uint64_t)(EXPONENT_MAX + 1 + EXPONENT_BIAS) << FRACTION_BITS);
	if (!is_short(decimal))
		return divide(decimal);
	if (decimal->exponent < 0)
		return (double)decimal->leading / pow10_exact[-decimal->exponent];
	return (double)decimal->leading * pow10_exact[decimal->exponent];
}

double wr_json_parse_double(struct wr_view text)
{
	struct decimal decimal = parse_decimal(text);
	double magnitude;

	/* What the big numbers have room for. The reader lets nothing longer pass. */
	wr_assert(text.bytes <= WR_JSON_NUMBER_BYTES_MAX);
	magnitude = parse_magnitude(&decimal);
	return decimal.is_negative ? -magnitude : magnitude;
}

/* ---- writing a double ---- */

/* The digits of a value, and where its decimal point is: 0.DIGITS * 10^point. */
struct digits {
	unsigned count;
	int32_t point;
	char text[20];
};

/* The value is rest / scale, in units that make it less than 10; half the way to the neighbours is
 * down / scale and up / scale. A neighbour's border belongs to the value when its fraction is even,
 * because that is how a reader breaks the tie. */
struct digit_maker {
	struct wr_bignum rest, scale, down, up;
	bool is_even;
};

/* floor(exponent * log10(2)) + 1: never above the number of digits before the point of a value of
 * at least 2^exponent, and at most one below. 315653 / 2^20 is log10(2) to seven digits. */
static int32_t estimate_point(int32_t exponent)
{
	uint32_t sum = (uint32_t)(exponent * 315653 + (1024 << 20));

	return (int32_t)(sum >> 20) - 1024 + 1;
}

static bool is_above_scale(const struct digit_maker *self)
{
	int order = wr_bignum_compare_sum(&self->rest, &self->up, &self->scale);

	return order > 0 || (order == 0 && self->is_even);
}

static bool is_below_down(const struct digit_maker *self)
{
	int order = wr_bignum_compare(&self->rest, &self->down);

	return order < 0 || (order == 0 && self->is_even);
}

static void multiply_by_10(struct digit_maker *self)
{
	wr_bignum_multiply_add(&self->rest, 10, 0);
	wr_bignum_multiply_add(&self->down, 10, 0);
	wr_bignum_multiply_add(&self->up, 10, 0);
}

/* Sets up the fractions for fraction * 2^exponent; returns the decimal point. */
static int32_t begin_digits(struct digit_maker *self, uint64_t fraction, int32_t exponent)
{
	/* Below a power of two the doubles lie twice as close. */
	bool is_closer_below =
		fraction == UINT64_C(1) << FRACTION_BITS && exponent > EXPONENT_MIN - FRACTION_BITS;
	int32_t point;

	self->is_even = (fraction & 1) == 0;
	wr_bignum_set(&self->rest, fraction);
	wr_bignum_set(&self->scale, 1);
	point = estimate_point(exponent + (int32_t)wr_bignum_bits(&self->rest) - 1);
	wr_bignum_shift(&self->rest, 1u + is_closer_below);
	wr_bignum_shift(&self->scale, 1u + is_closer_below);
	wr_bignum_set(&self->down, 1);
	wr_bignum_set(&self->up, is_closer_below ? 2 : 1);
	if (exponent >= 0) {
		wr_bignum_shift(&self->rest, (unsigned)exponent);
		wr_bignum_shift(&self->down, (unsigned)exponent);
		wr_bignum_shift(&self->up, (unsigned)exponent);
	} else {
		wr_bignum_shift(&self->scale, (unsigned)-exponent);
	}
	if (point >= 0) {
		wr_bignum_multiply_pow10(&self->scale, (unsigned)point);
	} else {
		wr_bignum_multiply_pow10(&self->rest, (unsigned)-point);
		wr_bignum_multiply_pow10(&self->down, (unsigned)-point);
		wr_bignum_multiply_pow10(&self->up, (unsigned)-point);
	}
	if (is_above_scale(self))
		return point + 1;
	multiply_by_10(self);
	return point;
}

/* Takes the whole part of rest / scale, which is a digit, off. */
static unsigned take_digit(struct digit_maker *self)
{
	unsigned digit = 0;

	while (wr_bignum_compare(&self->rest, &self->scale) >= 0) {
		wr_bignum_subtract(&self->rest, &self->scale);
		digit++;
	}
	return digit;
}

/* The fewest digits that name the double fraction * 2^exponent; of those the nearest to it. */
static struct digits make_digits(uint64_t fraction, int32_t exponent)
{
	struct digit_maker maker;
	struct digits self = {.point = begin_digits(&maker, fraction, exponent)};

	for (;; multiply_by_10(&maker)) {
		unsigned digit = take_digit(&maker);
		bool may_go_down = is_below_down(&maker);
		bool may_go_up = is_above_scale(&maker);

		wr_assert(digit <= 9 && self.count < 17);
		if (may_go_down && may_go_up) {
			int half = wr_bignum_compare_sum(&maker.rest, &maker.rest, &maker.scale);
			may_go_up = half > 0 || (half == 0 && (digit & 1) != 0);
		}
		self.text[self.count++] = (char)('0' + digit + may_go_up);
		if (may_go_down || may_go_up)
			return self;
	}
}

static char *put_bytes(char *out, const char *from, size_t bytes)
{
	memcpy(out, from, bytes);
	return out + bytes;
}

static char *put_zeros(char *out, int32_t count)
{
	memset(out, '0', (size_t)count);
	return out + count;
}

/* Up to 1e17 and down to 1e-6 as people write it, beyond with an exponent. */
static char *put_digits(char *out, const struct digits *digits)
{
	int32_t point = digits->point, count = (int32_t)digits->count;
	int32_t exponent = point - 1;

	if (point > 0 && point <= 17) {
		int32_t whole = count < point ? count : point;

		out = put_bytes(out, digits->text, (size_t)whole);
		out = put_zeros(out, point - whole);
		if (count > whole) {
			*out++ = '.';
			out = put_bytes(out, digits->text + whole, (size_t)(count - whole));
		}
		return out;
	}
	if (point <= 0 && point > -6) {
		out = put_bytes(out, "0.", 2);
		out = put_zeros(out, -point);
		return put_bytes(out, digits->text, digits->count);
	}
	*out++ = digits->text[0];
	if (count > 1) {
		*out++ = '.';
		out = put_bytes(out, digits->text + 1, digits->count - 1);
	}
	*out++ = 'e';
	if (exponent < 0)
		*out++ = '-';
	return out + wr_json_format_u64(out, (uint64_t)(exponent < 0 ? -exponent : exponent));
}

size_t wr_json_format_double(char *out, double value)
{
	uint64_t bits = to_bits(value);
	uint64_t fraction = bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
	int32_t biased = (int32_t)(bits >> FRACTION_BITS & 0x7ff);
	char *at = out;
	struct digits digits;

	wr_assert(biased != 0x7ff);
	if (bits >> 63 != 0) {
		*at++ = '-';
		value = -value;
	}
	/* Every whole number below 2^53 is its own shortest text. */
	if (value < (double)(UINT64_C(1) << 53) && (double)(uint64_t)value == value)
		return (size_t)(at - out) + wr_json_format_u64(at, (uint64_t)value);
	if (biased == 0)
		biased = 1; /* subnormal: no hidden bit, same scale as the smallest normal */
	else
		fraction |= UINT64_C(1) << FRACTION_BITS;
	digits = make_digits(fraction, biased - EXPONENT_BIAS - FRACTION_BITS);
	return (size_t)(put_digits(at, &digits) - out);
}
