/*
 * What system calls wrote, told to MemorySanitizer.
 *
 * The runtime of clang 14 knows the names that these had before glibc 2.33, not today's; so what
 * they fill in counts as never written. GNUmakefile has the linker send their callers here
 * (MODE=msan).
 */
#include <sanitizer/msan_interface.h>
#include <sys/random.h>
#include <sys/stat.h>

int __real_stat(const char *path, struct stat *out);
int __real_lstat(const char *path, struct stat *out);
int __real_fstat(int fd, struct stat *out);
int __real_fstatat(int folder, const char *path, struct stat *out, int flags);
ssize_t __real_getrandom(void *out, size_t bytes, unsigned flags);

int __wrap_stat(const char *path, struct stat *out);
int __wrap_lstat(const char *path, struct stat *out);
int __wrap_fstat(int fd, struct stat *out);
int __wrap_fstatat(int folder, const char *path, struct stat *out, int flags);
ssize_t __wrap_getrandom(void *out, size_t bytes, unsigned flags);

static int written(int result, struct stat *out)
{
	if (result == 0)
		__msan_unpoison(out, sizeof *out);
	return result;
}

int __wrap_stat(const char *path, struct stat *out)
{
	return written(__real_stat(path, out), out);
}

int __wrap_lstat(const char *path, struct stat *out)
{
	return written(__real_lstat(path, out), out);
}

int __wrap_fstat(int fd, struct stat *out)
{
	return written(__real_fstat(fd, out), out);
}

int __wrap_fstatat(int folder, const char *path, struct stat *out, int flags)
{
	return written(__real_fstatat(folder, path, out, flags), out);
}

ssize_t __wrap_getrandom(void *out, size_t bytes, unsigned flags)
{
	ssize_t result = __real_getrandom(out, bytes, flags);

	if (result > 0)
		__msan_unpoison(out, (size_t)result);
	return result;
}
