/*
 * check — assertions, and what we believe of the compiler.
 *
 * wr_assert stays on in release: it guards our own state, never bytes from outside. wr_assert_slow
 * may walk a structure and exists only when WR_SLOW_CHECKS is defined (debug builds).
 */
#ifndef WR_CHECK_H
#define WR_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(__GNUC__)
#define WR_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define WR_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define WR_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define WR_LIKELY(condition) (condition)
#define WR_UNLIKELY(condition) (condition)
#define WR_PRINTF(text, first)
#endif

#define wr_assert(condition) (WR_LIKELY(condition) ? (void)0 : abort())

#ifdef WR_SLOW_CHECKS
#define wr_assert_slow(condition) wr_assert(condition)
#else
#define wr_assert_slow(condition) ((void)sizeof(condition))
#endif

/* After a switch that names every value. */
#define wr_unreachable() abort()

#define WR_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The struct of type `type` whose member `member` is at `pointer`. */
#define wr_container_of(pointer, type, member) \
	((type *)(void *)((unsigned char *)(pointer)-offsetof(type, member)))

_Static_assert(UINT8_MAX == 255 && (unsigned char)-1 == 255, "octets");
_Static_assert(sizeof(int) >= 4, "int holds 32 bits");
_Static_assert((-1 & 3) == 3, "two's complement");
_Static_assert((int64_t)UINT64_MAX == -1, "conversion to signed wraps");
_Static_assert(sizeof(size_t) >= 4, "at least a 32-bit address space");
_Static_assert(sizeof(double) == 8, "IEEE 754 binary64");

#endif
