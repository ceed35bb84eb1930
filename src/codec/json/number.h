/*
 * json/number — exact conversion of JSON numbers, both ways.
 *
 * No locale, no strtod, no libm: reading is correctly rounded (nearest, ties to even) for every
 * input, writing is the shortest text that reads back as the same double. Integers are read by hand
 * with overflow checks: `1.0`, `1e3` and `-0` are not integers here.
 */
#ifndef WR_CODEC_JSON_NUMBER_H
#define WR_CODEC_JSON_NUMBER_H

#include "bytes/view.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

/* Enough for any text that wr_json_format_double makes. */
#define WR_JSON_DOUBLE_TEXT_BYTES_MAX 32u

/* `text` is a NUMBER token's. True and the value when it is an integer in range. */
bool wr_json_parse_u64(uint64_t *value, struct wr_view text);
bool wr_json_parse_i64(int64_t *value, struct wr_view text);

/* Decimal text into `out` (20 bytes at most); returns its length. */
size_t wr_json_format_u64(char *out, uint64_t value);

/* `text` is a NUMBER token's. Overflow gives an infinity of that sign, underflow a zero. */
double wr_json_parse_double(struct wr_view text);

/* Shortest round-trip text of a finite double into `out` (WR_JSON_DOUBLE_TEXT_BYTES_MAX bytes);
 * returns its length. Integral values below 1e17 come without fraction or exponent ("1", "-0"). */
size_t wr_json_format_double(char *out, double value);

#endif
