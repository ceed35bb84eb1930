/*
 * replay — the inputs of a target, one after the other, without a fuzzer: any compiler guards the
 * past.
 *
 *	http_head                 all of fuzz/corpus/http_head and fuzz/crashes/http_head
 *	http_head FILE...         these
 *
 * A child looks at them and notes in shared memory which one it is at, so that one that kills it
 * can be named. The last line is "N passed, N failed, N skipped", as of any test.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILE_SECONDS_MAX = 20, PATH_BYTES = 512, FILES_MAX = 4096, FILE_BYTES_MAX = 1 << 20 };

static char *files[FILES_MAX];
static unsigned file_count;

/* How far the child came; shared with it. */
static volatile unsigned *at;

static void add_file(const char *path)
{
	if (file_count == FILES_MAX || (files[file_count] = strdup(path)) == NULL) {
		fprintf(stderr, "too many files\n");
		exit(1);
	}
	file_count++;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Every file of a folder, which need not be there. */
static void add_folder(const char *parent, const char *target)
{
	char path[PATH_BYTES];
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof path, "fuzz/%s/%s", parent, target);
	folder = opendir(path);
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "fuzz/%s/%s/%s", parent, target, entry->d_name);
		add_file(path);
	}
	if (folder != NULL)
		closedir(folder);
}

static void replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *bytes = malloc(FILE_BYTES_MAX), *exact;
	size_t count;

	if (file == NULL || bytes == NULL) {
		perror(path);
		_exit(1);
	}
	count = fread(bytes, 1, FILE_BYTES_MAX, file);
	fclose(file);
	/* As long as it is and no longer, for the sanitizer. */
	exact = realloc(bytes, count != 0 ? count : 1);
	if (exact == NULL)
		_exit(1);
	LLVMFuzzerTestOneInput((const uint8_t *)exact, count);
	free(exact);
}

static _Noreturn void replay_rest(void)
{
	for (; *at < file_count; ++*at) {
		alarm(FILE_SECONDS_MAX);
		replay_file(files[*at]);
	}
	/* Not _exit: leaks are looked for at the end. */
	exit(0);
}

/* Whether all that were left are fine; else *at is the one that is not. */
static bool replay(void)
{
	int state = 0;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0)
		replay_rest();
	return child > 0 && waitpid(child, &state, 0) == child && WIFEXITED(state) &&
	       WEXITSTATUS(state) == 0;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	unsigned failed = 0;

	for (int i = 1; i < argc; i++)
		add_file(argv[i]);
	if (argc == 1) {
		add_folder("corpus", slash != NULL ? slash + 1 : argv[0]);
		add_folder("crashes", slash != NULL ? slash + 1 : argv[0]);
	}
	qsort(files, file_count, sizeof files[0], compare);
	at = mmap(NULL, sizeof *at, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return 1;
	while (!replay()) {
		printf("FAILED  %s\n", *at < file_count ? files[*at] : "at its end");
		failed++;
		if (*at >= file_count)
			break;
		++*at;
	}
	for (unsigned i = 0; i < file_count; i++)
		free(files[i]);
	printf("%u passed, %u failed, 0 skipped\n", file_count - failed, failed);
	return failed != 0;
}
