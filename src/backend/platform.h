/* platform — what this was built for, as RuntimeCapabilitySummary says it (contract 8.1). */
#ifndef WR_BACKEND_PLATFORM_H
#define WR_BACKEND_PLATFORM_H

#if defined(__linux__)
#define WR_PLATFORM_OS "linux"
#elif defined(__APPLE__)
#define WR_PLATFORM_OS "macos"
#elif defined(__FreeBSD__)
#define WR_PLATFORM_OS "freebsd"
#elif defined(__OpenBSD__)
#define WR_PLATFORM_OS "openbsd"
#elif defined(__NetBSD__)
#define WR_PLATFORM_OS "netbsd"
#else
#define WR_PLATFORM_OS "unknown"
#endif

#if defined(__x86_64__)
#define WR_PLATFORM_ARCH "x86_64"
#elif defined(__i386__)
#define WR_PLATFORM_ARCH "x86"
#elif defined(__aarch64__)
#define WR_PLATFORM_ARCH "aarch64"
#elif defined(__arm__)
#define WR_PLATFORM_ARCH "arm"
#elif defined(__riscv) && __riscv_xlen == 64
#define WR_PLATFORM_ARCH "riscv64"
#elif defined(__powerpc64__)
#define WR_PLATFORM_ARCH "powerpc64"
#elif defined(__s390x__)
#define WR_PLATFORM_ARCH "s390x"
#else
#define WR_PLATFORM_ARCH "unknown"
#endif

#endif
