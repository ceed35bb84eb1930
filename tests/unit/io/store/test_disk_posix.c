/* Goal: the disk of the system does what io/store/disk.h says, also where the folder is hostile or
 * the file is odd. Method: a folder in the temporary one, made and removed by each test. */
#include "io/store/disk.h"

#include "harness/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[512];

static const char *path_of(const char *name)
{
	static char paths[4][1024];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", base, name);
	return path;
}

static void make_base(void)
{
	const char *folder = getenv("TMPDIR");

	snprintf(base, sizeof base, "%s/wr-disk-XXXXXX", folder != NULL ? folder : "/tmp");
	wr_test_make_folder(base);
}

/* Names are the test's own. */
static void remove_base(const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		CHECK(remove(path_of(names[i])) == 0);
	CHECK(rmdir(base) == 0);
}
#define REMOVE_BASE(...)                                \
	remove_base((const char *const[]){__VA_ARGS__}, \
		    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static struct wr_disk open_disk(struct wr_posix_disk *posix, const char *path)
{
	int os_error = 0;

	CHECK(wr_posix_disk_open(posix, path, false, &os_error));
	return wr_posix_disk_port(posix);
}

static unsigned mode_of(const char *path)
{
	struct stat status;

	CHECK(stat(path, &status) == 0);
	return (unsigned)status.st_mode & 07777;
}

static void test_folders_are_made_for_us_alone(void)
{
	struct wr_posix_disk posix;

	make_base();
	umask(0);
	open_disk(&posix, path_of("a/b//c/"));
	CHECK_U64(mode_of(path_of("a")), 0700);
	CHECK_U64(mode_of(path_of("a/b")), 0700);
	CHECK_U64(mode_of(path_of("a/b/c")), 0700);
	CHECK((fcntl(posix.folder, F_GETFD) & FD_CLOEXEC) != 0);
	wr_posix_disk_close(&posix);
	CHECK(posix.folder == -1 && posix.lock == -1);
	open_disk(&posix, path_of("a/b/c")); /* it is there */
	wr_posix_disk_close(&posix);
	REMOVE_BASE("a/b/c", "a/b", "a");
}

static void test_a_path_may_be_relative(void)
{
	static const char *const paths[] = {"x", "./y", "z/deep", ".", "./z/../x"};
	struct wr_posix_disk posix;

	make_base();
	CHECK(chdir(base) == 0);
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		wr_test_case(paths[i]);
		open_disk(&posix, paths[i]);
		wr_posix_disk_close(&posix);
	}
	CHECK(chdir("/") == 0);
	REMOVE_BASE("x", "y", "z/deep", "z");
}

static void test_a_folder_that_cannot_be_had_is_an_error(void)
{
	static const struct {
		const char *path;
		bool is_read_only;
		int os_error;
	} cases[] = {
		{"file", false, ENOTDIR},	   {"file/below", false, ENOTDIR},
		{"missing", true, ENOENT},	   {"missing/below", true, ENOENT},
		{"dangling/below", false, ENOENT},
	};
	struct wr_posix_disk posix;
	char name[PATH_MAX + 2];
	int os_error, fd;

	make_base();
	fd = open(path_of("file"), O_CREAT | O_WRONLY, 0600);
	CHECK(fd >= 0 && close(fd) == 0);
	CHECK(symlink("nowhere", path_of("dangling")) == 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		wr_test_case(cases[i].path);
		os_error = 0;
		CHECK(!wr_posix_disk_open(&posix, path_of(cases[i].path), cases[i].is_read_only,
					  &os_error));
		CHECK_U64(os_error, cases[i].os_error);
	}
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	CHECK(!wr_posix_disk_open(&posix, name, false, &os_error));
	CHECK_U64(os_error, ENAMETOOLONG);
	CHECK(!wr_posix_disk_open(&posix, "", false, &os_error));
	CHECK_U64(os_error, ENOENT);
	REMOVE_BASE("file", "dangling");
}

static void test_opening_to_read_makes_nothing(void)
{
	struct wr_posix_disk posix;
	int os_error;

	make_base();
	CHECK(wr_posix_disk_open(&posix, base, true, &os_error));
	CHECK(wr_posix_disk_port(&posix).ops->open(&posix, "f", WR_DISK_READ) == -ENOENT);
	wr_posix_disk_close(&posix);
	CHECK(rmdir(base) == 0);
}

static void test_a_file_is_made_written_and_read(void)
{
	struct wr_posix_disk posix;
	struct wr_disk disk;
	char out[16] = "";
	uint64_t size;
	size_t n;
	int handle;

	make_base();
	umask(0);
	disk = open_disk(&posix, base);
	handle = disk.ops->open(disk.context, "f", WR_DISK_CREATE);
	CHECK(handle >= 0);
	CHECK_U64(mode_of(path_of("f")), 0600);
	CHECK((fcntl(handle, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK(disk.ops->write(disk.context, handle, "hello", 5, 3, &n) == 0 && n == 5);
	CHECK(disk.ops->size(disk.context, handle, &size) == 0 && size == 8);
	CHECK(disk.ops->sync(disk.context, handle) == 0);
	CHECK(disk.ops->sync_folder(disk.context) == 0);
	CHECK(disk.ops->read(disk.context, handle, out, sizeof out, 2, &n) == 0 && n == 6);
	CHECK_VIEW(wr_view_of(out, n), WR_VIEW("\0hello"));
	CHECK(disk.ops->read(disk.context, handle, out, sizeof out, 8, &n) == 0 && n == 0);
	CHECK(disk.ops->truncate(disk.context, handle, 4) == 0);
	CHECK(disk.ops->size(disk.context, handle, &size) == 0 && size == 4);
	disk.ops->close(disk.context, handle);

	handle = disk.ops->open(disk.context, "f", WR_DISK_READ);
	CHECK(handle >= 0);
	CHECK(disk.ops->write(disk.context, handle, "x", 1, 0, &n) == -EBADF && n == 0);
	disk.ops->close(disk.context, handle);
	handle = disk.ops->open(disk.context, "f", WR_DISK_WRITE);
	CHECK(handle >= 0);
	CHECK(disk.ops->write(disk.context, handle, "x", 1, 0, &n) == 0 && n == 1);
	disk.ops->close(disk.context, handle);
	wr_posix_disk_close(&posix);
	REMOVE_BASE("f");
}

static void test_offsets_have_64_bits(void)
{
	const uint64_t far = ((uint64_t)1 << 32) + 5;
	struct wr_posix_disk posix;
	struct wr_disk disk;
	uint64_t size;
	char byte = 0;
	size_t n;
	int handle;

	make_base();
	disk = open_disk(&posix, base);
	handle = disk.ops->open(disk.context, "f", WR_DISK_CREATE);
	CHECK(handle >= 0);
	CHECK(disk.ops->write(disk.context, handle, "x", 1, far, &n) == 0); /* a hole before it */
	CHECK(disk.ops->size(disk.context, handle, &size) == 0 && size == far + 1);
	CHECK(disk.ops->read(disk.context, handle, &byte, 1, far, &n) == 0 && n == 1);
	CHECK(byte == 'x');
	disk.ops->close(disk.context, handle);
	wr_posix_disk_close(&posix);
	REMOVE_BASE("f");
}

static void test_what_is_not_a_file_of_ours_is_not_opened(void)
{
	static const char *const refused[] = {"link", "dangling", "pipe", "folder"};
	struct wr_posix_disk posix;
	struct wr_disk disk;
	int handle;

	make_base();
	disk = open_disk(&posix, base);
	handle = disk.ops->open(disk.context, "f", WR_DISK_CREATE);
	CHECK(handle >= 0);
	disk.ops->close(disk.context, handle);
	CHECK(symlink("f", path_of("link")) == 0);
	CHECK(symlink("g", path_of("dangling")) == 0);
	CHECK(mkfifo(path_of("pipe"), 0600) == 0);
	CHECK(mkdir(path_of("folder"), 0700) == 0);
	CHECK(disk.ops->open(disk.context, "f", WR_DISK_CREATE) == -EEXIST);
	CHECK(disk.ops->open(disk.context, "missing", WR_DISK_READ) == -ENOENT);
	CHECK(disk.ops->open(disk.context, "missing", WR_DISK_WRITE) == -ENOENT);
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		wr_test_case(refused[i]);
		CHECK(disk.ops->open(disk.context, refused[i], WR_DISK_CREATE) == -EEXIST);
		CHECK(disk.ops->open(disk.context, refused[i], WR_DISK_WRITE) < 0);
		CHECK(disk.ops->open(disk.context, refused[i], WR_DISK_READ) < 0);
	}
	CHECK(!wr_test_find_file(path_of("g"))); /* nothing was made through the link */
	CHECK(disk.ops->open(disk.context, "f", WR_DISK_READ) >= 0);
	wr_posix_disk_close(&posix);
	REMOVE_BASE("f", "link", "dangling", "pipe", "folder");
}

static void test_names_change_and_go(void)
{
	struct wr_posix_disk posix;
	struct wr_disk disk;

	make_base();
	disk = open_disk(&posix, base);
	CHECK(disk.ops->rename(disk.context, "a", "b") == -ENOENT);
	CHECK(disk.ops->unlink(disk.context, "a") == -ENOENT);
	CHECK(disk.ops->open(disk.context, "a", WR_DISK_CREATE) >= 0);
	CHECK(disk.ops->open(disk.context, "b", WR_DISK_CREATE) >= 0);
	CHECK(disk.ops->rename(disk.context, "a", "b") == 0); /* over it */
	CHECK(!wr_test_find_file(path_of("a")));
	CHECK(disk.ops->unlink(disk.context, "b") == 0);
	CHECK(!wr_test_find_file(path_of("b")));
	wr_posix_disk_close(&posix);
	CHECK(rmdir(base) == 0);
}

static void note_name(void *context, const char *name)
{
	unsigned *seen = context;

	CHECK(strlen(name) == 1 && name[0] >= 'a' && name[0] <= 'c');
	CHECK((*seen & 1u << (name[0] - 'a')) == 0);
	*seen |= 1u << (name[0] - 'a');
}

static void test_the_list_has_every_name_each_time(void)
{
	struct wr_posix_disk posix;
	struct wr_disk disk;

	make_base();
	disk = open_disk(&posix, base);
	for (const char *name = "a\0b\0c\0"; *name != '\0'; name += 2)
		CHECK(disk.ops->open(disk.context, name, WR_DISK_CREATE) >= 0);
	for (unsigned round = 0; round < 2; round++) {
		unsigned seen = 0;

		CHECK(disk.ops->list(disk.context, note_name, &seen) == 0);
		CHECK_U64(seen, 7);
	}
	wr_posix_disk_close(&posix);
	REMOVE_BASE("a", "b", "c");
}

static int lock_in_another_process(const char *path)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0) {
		struct wr_posix_disk posix;
		int os_error;

		if (!wr_posix_disk_open(&posix, path, false, &os_error))
			_exit(99);
		_exit(-wr_posix_disk_port(&posix).ops->lock(&posix));
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_one_process_has_the_lock(void)
{
	struct wr_posix_disk posix;
	struct wr_disk disk;

	make_base();
	disk = open_disk(&posix, base);
	CHECK(disk.ops->lock(disk.context) == 0);
	CHECK((fcntl(posix.lock, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK_U64(lock_in_another_process(base), EWOULDBLOCK);
	wr_posix_disk_close(&posix);
	CHECK_U64(lock_in_another_process(base), 0);
	CHECK_U64(lock_in_another_process(base), 0); /* it ended with its process */
	REMOVE_BASE("lock");
}

static void test_a_lock_that_is_a_link_is_refused(void)
{
	struct wr_posix_disk posix;
	struct wr_disk disk;

	make_base();
	CHECK(symlink("elsewhere", path_of("lock")) == 0);
	disk = open_disk(&posix, base);
	CHECK(disk.ops->lock(disk.context) < 0);
	CHECK(!wr_test_find_file(path_of("elsewhere")));
	wr_posix_disk_close(&posix);
	REMOVE_BASE("lock");
}

static void test_a_limit_of_the_file_size_is_an_error_not_a_signal(void)
{
	struct wr_posix_disk posix;
	struct rlimit limit = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
	struct wr_disk disk;
	char data[8192] = "";
	size_t n;
	int handle;

	make_base();
	disk = open_disk(&posix, base);
	handle = disk.ops->open(disk.context, "f", WR_DISK_CREATE);
	CHECK(handle >= 0);
	signal(SIGXFSZ, SIG_IGN); /* as the process does at its start */
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(disk.ops->write(disk.context, handle, data, sizeof data, 0, &n) == 0);
	CHECK_U64(n, 4096); /* a short write is not an error */
	CHECK(disk.ops->write(disk.context, handle, data, sizeof data, 4096, &n) == -EFBIG);
	wr_posix_disk_close(&posix);
	REMOVE_BASE("f");
}

static void test_a_handle_that_is_none_is_an_error(void)
{
	struct wr_posix_disk posix;
	struct wr_disk disk;
	uint64_t bytes;
	char data[4] = "";
	size_t n;
	int handle;

	make_base();
	disk = open_disk(&posix, base);
	handle = disk.ops->open(disk.context, "f", WR_DISK_CREATE);
	CHECK(handle >= 0);
	disk.ops->close(disk.context, handle);
	CHECK(disk.ops->read(disk.context, handle, data, sizeof data, 0, &n) == -EBADF);
	CHECK(disk.ops->write(disk.context, handle, data, sizeof data, 0, &n) == -EBADF);
	CHECK(disk.ops->sync(disk.context, handle) == -EBADF);
	CHECK(disk.ops->size(disk.context, handle, &bytes) == -EBADF);
	CHECK(disk.ops->truncate(disk.context, handle, 0) == -EBADF);
	wr_posix_disk_close(&posix);
	CHECK(disk.ops->sync_folder(disk.context) == -EBADF);
	REMOVE_BASE("f");
}

static void ignore_name(void *context, const char *name)
{
	(void)context, (void)name;
}

static void test_without_descriptors_nothing_is_opened(void)
{
	struct rlimit limit;
	struct wr_posix_disk posix, other;
	struct wr_disk disk;
	int next, os_error = 0;

	if (wr_test_is_in_valgrind())
		wr_test_skip("valgrind keeps the limit of descriptors to itself");
	make_base();
	disk = open_disk(&posix, base);
	next = dup(0);
	CHECK(next >= 0 && close(next) == 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = (rlim_t)next;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(disk.ops->open(disk.context, "f", WR_DISK_CREATE) == -EMFILE);
	CHECK(disk.ops->list(disk.context, ignore_name, NULL) == -EMFILE);
	CHECK(disk.ops->lock(disk.context) == -EMFILE);
	CHECK(!wr_posix_disk_open(&other, base, false, &os_error));
	CHECK_U64(os_error, EMFILE);
	/* One is enough for the folder, and not for making sure of it. */
	limit.rlim_cur++;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(!wr_posix_disk_open(&other, base, false, &os_error));
	CHECK_U64(os_error, EMFILE);
	CHECK(dup(0) == next);
	wr_posix_disk_close(&posix);
	CHECK(rmdir(base) == 0);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_folders_are_made_for_us_alone),
	WR_TEST(test_a_path_may_be_relative),
	WR_TEST(test_a_folder_that_cannot_be_had_is_an_error),
	WR_TEST(test_opening_to_read_makes_nothing),
	WR_TEST(test_a_file_is_made_written_and_read),
	WR_TEST(test_offsets_have_64_bits),
	WR_TEST(test_what_is_not_a_file_of_ours_is_not_opened),
	WR_TEST(test_names_change_and_go),
	WR_TEST(test_the_list_has_every_name_each_time),
	WR_TEST(test_one_process_has_the_lock),
	WR_TEST(test_a_lock_that_is_a_link_is_refused),
	WR_TEST(test_a_limit_of_the_file_size_is_an_error_not_a_signal),
	WR_TEST(test_a_handle_that_is_none_is_an_error),
	WR_TEST(test_without_descriptors_nothing_is_opened),
	WR_TEST_END,
};
