#include "host/limit_process.h"

#include "bounds.h"
#include "execution/orphans.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* Whoever starts us with stderr closed would otherwise get our log into a client's connection. */
static void fill_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)open("/dev/null", O_RDWR); /* takes the lowest, which is this one */
}

/* What the kernel does not know or forbids is skipped: all of this is a second line of defence. */
static void give_up(bool has_children)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
#ifdef __linux__
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	if (has_children)
		wr_orphans_adopt();
}

static uint64_t raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return WR_FD_RESERVE_COUNT;
	if (limit.rlim_cur < limit.rlim_max) {
		struct rlimit raised = {limit.rlim_max, limit.rlim_max};
		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	return limit.rlim_cur == RLIM_INFINITY ? UINT32_MAX : (uint64_t)limit.rlim_cur;
}

void wr_limit_process(uint64_t *children_max, uint64_t *connections_max, bool has_exec,
		      bool has_models)
{
	uint64_t descriptors = raise_descriptors();
	uint64_t taken = WR_FD_RESERVE_COUNT + (has_models ? WR_OPENAI_TURN_COUNT_MAX : 0);

	fill_standard_descriptors();
	give_up(has_exec);
	if (has_exec) {
		/* Children get at most half of what there is: the rest is for those who talk to
		 * them. */
		uint64_t half = descriptors > taken ? (descriptors - taken) / 2 : 0;
		uint64_t children = half / WR_FD_PER_CHILD_COUNT;

		if (*children_max > children)
			*children_max = children == 0 ? 1 : children;
		taken += WR_FD_PER_CHILD_COUNT * *children_max;
	}
	if (*connections_max > descriptors)
		*connections_max = descriptors;
	if (descriptors < taken + *connections_max)
		*connections_max = descriptors > taken ? descriptors - taken : 1;
}
