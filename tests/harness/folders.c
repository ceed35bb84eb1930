#include "folders.h"

#include "harness.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { COUNT_MAX = 63, PATH_BYTES = 64, DEPTH_MAX = 16 };

struct wr_test_folders {
	unsigned count;
	char paths[COUNT_MAX][PATH_BYTES];
};

static struct wr_test_folders *current;

void wr_test_make_folder(char *path)
{
	CHECK(strlen(path) < PATH_BYTES && mkdtemp(path) != NULL);
	/* Of more than there is room for the last takes the place of the one before. */
	if (current == NULL)
		return;
	if (current->count == COUNT_MAX)
		current->count--;
	memcpy(current->paths[current->count++], path, strlen(path) + 1);
}

struct wr_test_folders *wr_test_folders_new(void)
{
	void *memory = mmap(NULL, sizeof(struct wr_test_folders), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void wr_test_folders_use(struct wr_test_folders *self)
{
	current = self;
}

static int take_away(const char *path, const struct stat *about, int kind, struct FTW *place)
{
	(void)about;
	(void)kind;
	(void)place;
	(void)remove(path);
	return 0;
}

void wr_test_folders_free(struct wr_test_folders *self)
{
	if (self == NULL)
		return;
	for (unsigned i = 0; i < self->count; i++)
		nftw(self->paths[i], take_away, DEPTH_MAX, FTW_DEPTH | FTW_PHYS);
	munmap(self, sizeof *self);
}
