/*
 * What system calls wrote, told to MemorySanitizer.
 *
 * The runtime of clang 14 does not know the names under which glibc has them since 2.33 for files
 * of 64 bits; so what they fill in counts as never written. GNUmakefile has the linker send their
 * callers here (MODE=msan).
 */
#include <sanitizer/msan_interface.h>
#include <sys/stat.h>
#include <unistd.h>

int __real_stat64(const char *path, struct stat *out);
int __real_lstat64(const char *path, struct stat *out);
int __real_fstat64(int fd, struct stat *out);
int __real_fstatat64(int folder, const char *path, struct stat *out, int flags);
int __real_getentropy(void *out, size_t bytes);

int __wrap_stat64(const char *path, struct stat *out);
int __wrap_lstat64(const char *path, struct stat *out);
int __wrap_fstat64(int fd, struct stat *out);
int __wrap_fstatat64(int folder, const char *path, struct stat *out, int flags);
int __wrap_getentropy(void *out, size_t bytes);

static int written(int result, struct stat *out)
{
	if (result == 0)
		__msan_unpoison(out, sizeof *out);
	return result;
}

int __wrap_stat64(const char *path, struct stat *out)
{
	return written(__real_stat64(path, out), out);
}

int __wrap_lstat64(const char *path, struct stat *out)
{
	return written(__real_lstat64(path, out), out);
}

int __wrap_fstat64(int fd, struct stat *out)
{
	return written(__real_fstat64(fd, out), out);
}

int __wrap_fstatat64(int folder, const char *path, struct stat *out, int flags)
{
	return written(__real_fstatat64(folder, path, out, flags), out);
}

int __wrap_getentropy(void *out, size_t bytes)
{
	int result = __real_getentropy(out, bytes);

	if (result == 0)
		__msan_unpoison(out, bytes);
	return result;
}
