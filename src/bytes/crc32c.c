#include "bytes/crc32c.h"

#include "bytes/endian.h"

#include <stdbool.h>

/*
 * Three ways to the same value. All carry the register between bytes as it is; the complement
 * before and after, which lets leading zeros count, is made once by the two public functions.
 *
 * The instructions are reached in one of two ways: the compiler was told that they are there, or
 * the function is compiled for them alone and the processor is asked. Its answer is read from where
 * start-up code has left it, so there is no state here, and threads need no order among themselves.
 * A plain loop of 8 bytes is bound by the latency of 3 cycles: 8 GB/s at 3 GHz, and no set-up,
 * which records of 200 bytes would pay for more often than they gain.
 */
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
#include <nmmintrin.h>
#define HAS_HARDWARE
#define FOR_HARDWARE __attribute__((target("sse4.2")))

static inline bool is_in_processor(void)
{
#ifdef __SSE4_2__
	return true;
#else
	return __builtin_cpu_supports("sse4.2") != 0;
#endif
}

FOR_HARDWARE static inline uint32_t step_8(uint32_t crc, uint8_t byte)
{
	return _mm_crc32_u8(crc, byte);
}

FOR_HARDWARE static inline uint64_t step_64(uint64_t crc, const uint8_t *at)
{
#ifdef __x86_64__
	return _mm_crc32_u64(crc, wr_load_le64(at));
#else
	return _mm_crc32_u32(_mm_crc32_u32((uint32_t)crc, wr_load_le32(at)), wr_load_le32(at + 4));
#endif
}

#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define HAS_HARDWARE
#define FOR_HARDWARE

static inline bool is_in_processor(void)
{
	return true;
}

static inline uint32_t step_8(uint32_t crc, uint8_t byte)
{
	return __crc32cb(crc, byte);
}

static inline uint64_t step_64(uint64_t crc, const uint8_t *at)
{
	return __crc32cd((uint32_t)crc, wr_load_le64(at));
}

#elif defined(__GNUC__) && defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#define HAS_HARDWARE
#define FOR_HARDWARE

/* HWCAP_CRC32 of Linux on this processor; older headers of the C library do not have the name. */
enum { CAPABILITY_CRC32 = 1 << 7 };

static inline bool is_in_processor(void)
{
	return (getauxval(AT_HWCAP) & CAPABILITY_CRC32) != 0;
}

/* In assembly, because compilers differ in whether their intrinsics are there without a flag for
 * the whole file. */
static inline uint32_t step_8(uint32_t crc, uint8_t byte)
{
	__asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"((uint32_t)byte));
	return crc;
}

static inline uint64_t step_64(uint64_t crc, const uint8_t *at)
{
	__asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(wr_load_le64(at)));
	return crc;
}
#endif

#ifdef HAS_HARDWARE
FOR_HARDWARE static uint32_t update_in_hardware(uint32_t crc, const uint8_t *at, size_t bytes)
{
	/* As wide as the instruction's register: no cycle goes into narrowing it each time. */
	uint64_t wide = crc;

	for (; bytes >= 8; at += 8, bytes -= 8)
		wide = step_64(wide, at);
	crc = (uint32_t)wide;
	for (; bytes != 0; at++, bytes--)
		crc = step_8(crc, *at);
	return crc;
}
#endif

/*
 * Without hardware, four bytes at a time: ahead[n][b] is what byte b does to the register after n
 * more bytes. Four tables are 4 KiB; eight would be faster by half but take 8 KiB, which is half or
 * all of the first-level cache of the processors that get here, and those wait for their disk.
 *
 * The tables are constants, so that threads find them ready. An entry is the sum of the entries of
 * its bits; the 32 of a single bit are one sequence: the polynomial, bit 7 of ahead[0], shifted
 * right again and again, with the polynomial added whenever a 1 falls out.
 */
#define SUMS_1(x, a) (x), (x) ^ (a)
#define SUMS_2(x, a, b) SUMS_1(x, a), SUMS_1((x) ^ (b), a)
#define SUMS_3(x, a, b, c) SUMS_2(x, a, b), SUMS_2((x) ^ (c), a, b)
#define SUMS_4(x, a, b, c, d) SUMS_3(x, a, b, c), SUMS_3((x) ^ (d), a, b, c)
#define SUMS_5(x, a, b, c, d, e) SUMS_4(x, a, b, c, d), SUMS_4((x) ^ (e), a, b, c, d)
#define SUMS_6(x, a, b, c, d, e, f) SUMS_5(x, a, b, c, d, e), SUMS_5((x) ^ (f), a, b, c, d, e)
#define SUMS_7(x, a, b, c, d, e, f, g) \
	SUMS_6(x, a, b, c, d, e, f), SUMS_6((x) ^ (g), a, b, c, d, e, f)
#define SUMS_8(a, b, c, d, e, f, g, h)                                          \
	{                                                                       \
		SUMS_7(0u, a, b, c, d, e, f, g), SUMS_7(h, a, b, c, d, e, f, g) \
	}

static const uint32_t ahead[4][256] = {
	SUMS_8(0xf26b8303u, 0xe13b70f7u, 0xc79a971fu, 0x8ad958cfu, 0x105ec76fu, 0x20bd8edeu,
	       0x417b1dbcu, 0x82f63b78u),
	SUMS_8(0x13a29877u, 0x274530eeu, 0x4e8a61dcu, 0x9d14c3b8u, 0x3fc5f181u, 0x7f8be302u,
	       0xff17c604u, 0xfbc3faf9u),
	SUMS_8(0xa541927eu, 0x4f6f520du, 0x9edea41au, 0x38513ec5u, 0x70a27d8au, 0xe144fb14u,
	       0xc76580d9u, 0x8b277743u),
	SUMS_8(0xdd45aab8u, 0xbf672381u, 0x7b2231f3u, 0xf64463e6u, 0xe964b13du, 0xd725148bu,
	       0xaba65fe7u, 0x52a0c93fu),
};

static uint32_t update_by_tables(uint32_t crc, const uint8_t *at, size_t bytes)
{
	for (; bytes >= 4; at += 4, bytes -= 4) {
		crc ^= wr_load_le32(at);
		crc = ahead[3][crc & 0xff] ^ ahead[2][crc >> 8 & 0xff] ^
		      ahead[1][crc >> 16 & 0xff] ^ ahead[0][crc >> 24];
	}
	for (; bytes != 0; at++, bytes--)
		crc = crc >> 8 ^ ahead[0][(crc ^ *at) & 0xff];
	return crc;
}

uint32_t wr_crc32c(uint32_t crc, const void *data, size_t bytes)
{
#ifdef HAS_HARDWARE
	if (is_in_processor())
		return ~update_in_hardware(~crc, data, bytes);
#endif
	return ~update_by_tables(~crc, data, bytes);
}

uint32_t wr_crc32c_portable(uint32_t crc, const void *data, size_t bytes)
{
	return ~update_by_tables(~crc, data, bytes);
}
